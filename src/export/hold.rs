//! Frames and findings that wait for the number of their message, and the rows that must not overtake them.

use super::Form;
use super::out::Out;
use crate::model::{ConnId, Direction, Frame, Note, NoteCode, Stamp};
use foldhash::HashMap;
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// Rows that wait at most. Past it the oldest frame is written without the number of its message.
const MAX_ROWS: usize = 65_536;

/// Bytes of written rows that wait at most.
const MAX_BYTES: usize = 64 << 20;

/// A queue of rows in order. Its front, if there is one, is of a message whose number is not known yet.
#[derive(Default)]
pub(super) struct Hold {
    rows: VecDeque<Row>,
    /// How many rows have left the queue: the place of its front.
    gone: u64,
    /// The places of the rows that wait, oldest first, by who sent what they are about.
    waiting: HashMap<(Option<ConnId>, Direction), VecDeque<u64>>,
    /// Bytes in [`Row::Written`].
    bytes: usize,
}

enum Row {
    Frame { at: Stamp, frame: Frame, waits: bool },
    Finding { at: Stamp, dir: Direction, finding: Box<Finding>, waits: bool },
    Written(Vec<u8>),
}

/// A finding with its words.
struct Finding {
    note: Note<'static>,
    text: String,
    detail: Option<String>,
}

impl Hold {
    /// Whether a row can be written at once.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Queues a frame; it waits unless its message is known.
    pub(super) fn frame(&mut self, at: &Stamp, frame: &Frame) {
        let waits = frame.msg.is_none();
        if waits {
            self.wait(at, frame.dir);
        }
        self.rows.push_back(Row::Frame { at: *at, frame: *frame, waits });
    }

    /// Whether a finding is about a message that goes on: its number comes with its end.
    pub(super) fn is_early(note: &Note<'_>) -> bool {
        note.code == NoteCode::Utf8Bad && note.msg.is_none() && note.dir.is_some()
    }

    /// Queues a finding that [is early](Self::is_early).
    pub(super) fn finding(&mut self, at: &Stamp, note: &Note<'_>) {
        let Some(dir) = note.dir else { return };
        self.wait(at, dir);
        let finding = Finding {
            note: Note { text: "", detail: None, ..*note },
            text: note.text.to_owned(),
            detail: note.detail.map(str::to_owned),
        };
        self.rows.push_back(Row::Finding { at: *at, dir, finding: Box::new(finding), waits: true });
    }

    /// The row that is queued next waits.
    fn wait(&mut self, at: &Stamp, dir: Direction) {
        let place = self.gone + self.rows.len() as u64;
        self.waiting.entry((at.conn, dir)).or_default().push_back(place);
    }

    /// Queues a row that is written already.
    pub(super) fn row(&mut self, row: Vec<u8>) {
        self.bytes += row.len();
        self.rows.push_back(Row::Written(row));
    }

    /// Tells the rows that wait for it the number of their message; `None` when there will be none.
    pub(super) fn resolve(&mut self, conn: Option<ConnId>, dir: Direction, number: Option<u64>) {
        for place in self.waiting.remove(&(conn, dir)).unwrap_or_default() {
            match usize::try_from(place - self.gone).ok().and_then(|at| self.rows.get_mut(at)) {
                Some(Row::Frame { frame, waits, .. }) => (frame.msg, *waits) = (number, false),
                Some(Row::Finding { finding, waits, .. }) => (finding.note.msg, *waits) = (number, false),
                Some(Row::Written(_)) | None => {}
            }
        }
    }

    /// Writes the rows that need not wait any longer; `Break` when no further one is wanted.
    pub(super) fn release(&mut self, form: &mut dyn Form, out: &mut Out<'_>) -> ControlFlow<()> {
        while let Some(row) = self.rows.pop_front() {
            let is_over = self.rows.len() >= MAX_ROWS || self.bytes > MAX_BYTES;
            match row {
                Row::Frame { waits: true, .. } | Row::Finding { waits: true, .. } if !is_over => {
                    self.rows.push_front(row);
                    return ControlFlow::Continue(());
                }
                Row::Frame { at, frame, waits } => {
                    if waits {
                        self.forget_oldest(&at, frame.dir);
                    }
                    form.frame(&at, &frame, out);
                }
                Row::Finding { at, dir, finding, waits } => {
                    if waits {
                        self.forget_oldest(&at, dir);
                    }
                    let Finding { note, text, detail } = &*finding;
                    form.finding(&at, &Note { text, detail: detail.as_deref(), ..*note }, out);
                }
                Row::Written(row) => {
                    self.bytes -= row.len();
                    out.bytes().extend_from_slice(&row);
                }
            }
            self.gone += 1;
            out.end_row()?;
        }
        ControlFlow::Continue(())
    }

    /// Writes all rows: no message will come any more.
    pub(super) fn finish(&mut self, form: &mut dyn Form, out: &mut Out<'_>) {
        let senders: Vec<_> = self.waiting.keys().copied().collect();
        for (conn, dir) in senders {
            self.resolve(conn, dir, None);
        }
        let _ = self.release(form, out);
    }

    fn forget_oldest(&mut self, at: &Stamp, dir: Direction) {
        if let Some(places) = self.waiting.get_mut(&(at.conn, dir)) {
            places.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Mark, NoteSet, Opcode, PacketNo, Span};

    /// Writes `1:3 ` for frame 1 of message 3.
    struct Numbers;

    impl Form for Numbers {
        fn frame(&mut self, _: &Stamp, frame: &Frame, out: &mut Out<'_>) {
            out.text(&format!("{}:{} ", frame.number, frame.msg.map_or(String::from("-"), |msg| msg.to_string())));
        }
    }

    fn stamp() -> Stamp {
        Stamp {
            conn: Some(ConnId(1)),
            stream: Some(0),
            at: Mark { packet: PacketNo(1), time: None },
            ..Stamp::default()
        }
    }

    fn frame(number: u64, msg: Option<u64>, dir: Direction) -> Frame {
        Frame {
            number,
            msg,
            dir,
            fin: msg.is_some(),
            rsv: 0,
            opcode: Opcode::TEXT,
            mask: None,
            header_len: 2,
            len: 0,
            stream_offset: 0,
            span: Span::default(),
            complete: true,
            findings: NoteSet::EMPTY,
        }
    }

    #[test]
    fn frames_wait_for_their_message_and_keep_their_order() {
        let (mut hold, mut out) = (Hold::default(), Out::memory());
        hold.frame(&stamp(), &frame(1, None, Direction::ToServer));
        hold.frame(&stamp(), &frame(2, Some(1), Direction::ToServer));
        hold.frame(&stamp(), &frame(3, None, Direction::ToClient));
        hold.row(b"row ".to_vec());
        hold.frame(&stamp(), &frame(4, Some(2), Direction::ToServer));
        assert!(hold.release(&mut Numbers, &mut out).is_continue());
        assert_eq!(out.bytes(), b"");
        hold.resolve(Some(ConnId(1)), Direction::ToServer, Some(2));
        assert!(hold.release(&mut Numbers, &mut out).is_continue());
        assert_eq!(out.take(), b"1:2 2:1 ");
        hold.finish(&mut Numbers, &mut out);
        assert_eq!(out.take(), b"3:- row 4:2 ");
        assert!(hold.is_empty() && hold.waiting.is_empty() && hold.bytes == 0);
    }

    #[test]
    fn past_the_bound_the_oldest_goes_without_a_number() {
        let (mut hold, mut out) = (Hold::default(), Out::memory());
        let count = MAX_ROWS as u64 + 2;
        for number in 1..=count {
            hold.frame(&stamp(), &frame(number, None, Direction::ToServer));
            assert!(hold.release(&mut Numbers, &mut out).is_continue());
        }
        assert_eq!(out.take(), b"1:- 2:- ");
        hold.resolve(Some(ConnId(1)), Direction::ToServer, Some(7));
        hold.finish(&mut Numbers, &mut out);
        assert!(out.take().starts_with(b"3:7 4:7 "));
        assert!(hold.waiting.is_empty());
    }
}
