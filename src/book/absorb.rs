//! Takes the events of a capture into the book, in their order.

use super::packed::{PackedFrame, PackedMessage, Rare};
use super::record::Item;
use super::row::{Finding, FrameRow, MessageRow};
use super::table::{Strand, Table};
use super::{Batch, Book, MessageId, Talk};
use crate::model::{
    Connection, Direction, Envelope, Event, Fact, Frame, Limits, Mark, Message, Opcode, Opened, Outline, PacketNo,
    Resent, Severity, Stamp, TlsSession,
};
use std::ops::Range;

/// Frames kept of one message; more are counted.
const MAX_FRAMES: usize = 1 << 20;

/// Frames that wait for the end of their messages, in all connections; more are counted.
const MAX_WAITING: usize = 4 << 20;

/// Rows of one kind: their numbers have 32 bits, and one message more may come.
const MAX_ROWS: usize = u32::MAX as usize - 2 * MAX_FRAMES;

/// TLS sessions kept of streams without a connection, and listed of all; more are counted.
pub(super) const MAX_SESSIONS: usize = 4096;

/// Findings kept; more are counted.
const MAX_FINDINGS: usize = 50_000;

/// Frames of one direction that wait for the end of their message.
#[derive(Debug, Default)]
pub(super) struct Pending {
    data: Vec<PackedFrame>,
    control: Vec<PackedFrame>,
}

impl Pending {
    fn of(&mut self, opcode: Opcode) -> &mut Vec<PackedFrame> {
        if opcode.is_control() { &mut self.control } else { &mut self.data }
    }

    const fn is_empty(&self) -> bool {
        self.data.is_empty() && self.control.is_empty()
    }
}

/// The last frame: the message that it ends is mostly the next event, so that nobody has to wait.
#[derive(Debug)]
pub(super) struct Latest {
    conn: usize,
    dir: Direction,
    row: FrameRow,
}

impl Book {
    /// Takes in the next events.
    pub fn absorb(&mut self, batch: Batch) {
        self.learned += 1;
        self.generation += 1;
        let mut payload = batch.payload.as_slice();
        for (at, item) in &batch.items {
            match item {
                Item::Opened(opened) => self.open(at, opened),
                Item::Handshake(outline, len) => {
                    let (packed, rest) = payload.split_at_checked(*len).unwrap_or((payload, &[]));
                    payload = rest;
                    self.keep_handshake(at, outline, packed);
                }
                Item::Frame(frame) => {
                    self.apply(at, Event::Frame(frame));
                    self.frame(at, frame);
                }
                Item::Message(message) => {
                    let (kept, rest) = payload.split_at_checked(message.kept).unwrap_or((payload, &[]));
                    let (wire, rest) = rest.split_at_checked(message.wire).unwrap_or((rest, &[]));
                    payload = rest;
                    let message = message.borrow(kept, wire);
                    self.apply(at, Event::Message(&message));
                    self.message_ended(at, &message);
                }
                Item::Resent(resent) => self.resent(at, resent),
                Item::Note(finding) => self.note(at, finding),
                Item::Record(record) => self.keep_record(at, record),
                Item::Tls(session) => self.keep_session(at, session),
                Item::File(run) => self.files.push(run.clone()),
                Item::Name(address, name) => self.facts.add(0, &Fact::Name(*address, name)),
                Item::Comment(packet, text) => self.facts.add(0, &Fact::Comment(Some(*packet), text)),
                Item::Exchange(exchange) => self.requests.add(at, exchange, &Limits::DEFAULT),
                Item::Closed(closed) => self.apply(at, Event::Closed(closed)),
            }
        }
    }

    fn open(&mut self, at: &Stamp, opened: &Opened) {
        let Some(id) = at.conn else { return };
        // Numbers come in order; one that does not would break the lookup by number.
        if self.talks.last().is_some_and(|last| last.connection.id >= id) {
            return;
        }
        self.saw(opened.first);
        let connection = Connection::new(id, at, opened);
        self.lacks_keys |= connection.lacks_keys();
        self.spool.count(size_of::<Talk>());
        if let Some(former) = opened.reconnect_of {
            self.followed.insert(former.conn, id);
        }
        self.talks.push(Talk {
            connection,
            messages: Strand::default(),
            problems: None,
            handshake: None,
            pending: None,
            carriers: None,
            last_frame: (PacketNo(0), 0),
        });
    }

    fn saw(&mut self, mark: Mark) {
        if self.start.is_none_or(|start| mark.packet < start.packet) && mark.time.is_some() {
            self.start = Some(mark);
        }
    }

    fn talk(&mut self, at: &Stamp) -> Option<&mut Talk> {
        let index = self.index_of(at.conn?)?;
        self.talks.get_mut(index)
    }

    /// Heads are large and rarely looked at: they go to the store.
    fn keep_handshake(&mut self, at: &Stamp, outline: &Outline, packed: &[u8]) {
        let place = self.store.append(packed);
        if let Some(talk) = self.talk(at) {
            talk.connection.agree(at, outline.clone());
            talk.handshake = place.zip(u32::try_from(packed.len()).ok());
        }
    }

    /// As many as there are connections, at most, and so many without one.
    fn keep_session(&mut self, at: &Stamp, session: &TlsSession) {
        let Some(stream) = at.stream else { return };
        let (kept, most) = match at.conn {
            Some(_) => (self.sessions.len(), self.talks.len()),
            None => (self.apart.len(), MAX_SESSIONS),
        };
        if kept >= most {
            self.sessions_dropped += 1;
        } else if at.conn.is_some() {
            self.sessions.insert(stream, session.clone());
        } else {
            self.apart.push((stream, session.clone()));
        }
    }

    fn keep_record(&mut self, at: &Stamp, record: &Envelope) {
        let index = at.conn.and_then(|id| self.index_of(id)).filter(|_| !self.is_full());
        if let Some(talk) = index.and_then(|index| self.talks.get_mut(index)) {
            let carriers = &mut talk.carriers.get_or_insert_default()[record.dir];
            let strand = if record.data.is_some() { &mut carriers.data } else { &mut carriers.records };
            match strand.last_mut() {
                // What is told of a record in parts.
                Some(last) if last.is_same(record) => last.len += record.len,
                _ => strand.push(*record, &mut self.carriers, &mut self.spool),
            }
        }
    }

    fn apply(&mut self, at: &Stamp, event: Event<'_>) {
        if let Some(talk) = self.talk(at) {
            talk.connection.apply(at, event);
        }
    }

    /// Frames wait for their message, so that the rows of one message stand together.
    fn frame(&mut self, at: &Stamp, frame: &Frame) {
        if self.is_full() {
            return;
        }
        let Some(index) = at.conn.and_then(|id| self.index_of(id)) else { return };
        let Some(talk) = self.talks.get_mut(index) else { return };
        let (packet, count) = talk.last_frame;
        let ordinal = if packet == frame.span.last.packet { count.saturating_add(1) } else { 1 };
        talk.last_frame = (frame.span.last.packet, ordinal);
        self.let_wait();
        self.latest = Some(Latest { conn: index, dir: frame.dir, row: FrameRow::new(frame, ordinal) });
    }

    /// The last frame was not the end of its message.
    fn let_wait(&mut self) {
        let Some(Latest { conn, dir, row }) = self.latest.take() else { return };
        let Some(talk) = self.talks.get_mut(conn) else { return };
        let pending = talk.pending.get_or_insert_default()[dir].of(row.opcode);
        if pending.len() < MAX_FRAMES && self.waiting < MAX_WAITING {
            pending.push(PackedFrame::pack(&row, |long| self.long_frames.push(long, &mut self.spool)));
            self.waiting += 1;
        }
    }

    fn message_ended(&mut self, at: &Stamp, message: &Message<'_>) {
        if self.is_full() {
            self.beyond += 1;
            return;
        }
        let Some(conn) = at.conn.and_then(|id| self.index_of(id)) else { return };
        let frames = self.take_frames(conn, message);
        let place = self.store.append(message.body.kept);
        let wire = place.and_then(|_| self.store.append(message.wire)).map_or(0, |_| message.wire.len() as u64);
        let rare = self.keep_rare(message, &frames, place.is_some(), wire);
        let (Ok(id), Ok(owner)) = (u32::try_from(self.messages.len()), u32::try_from(conn)) else { return };
        self.messages.push(PackedMessage::pack(message, owner, place, frames.start, rare), &mut self.spool);
        if let Some(talk) = self.talks.get_mut(conn) {
            talk.messages.push(MessageId(id), &mut self.ids, &mut self.spool);
            if message.findings.severity() >= Some(Severity::Warning) {
                talk.problems.get_or_insert_default().push(MessageId(id), &mut self.ids, &mut self.spool);
            }
        }
    }

    /// Moves the waiting frames of a message to the table and says where they stand.
    fn take_frames(&mut self, conn: usize, message: &Message<'_>) -> Range<u32> {
        let row = |frames: &Table<PackedFrame>| u32::try_from(frames.len()).unwrap_or(u32::MAX);
        let start = row(&self.frames);
        let Some(talk) = self.talks.get_mut(conn) else { return start..start };
        let others = talk.pending.as_mut().is_some_and(|both| !both[message.dir].of(message.opcode).is_empty());
        let is_all = |latest: &mut Latest| {
            let control = latest.row.opcode.is_control() == message.opcode.is_control();
            latest.conn == conn && latest.dir == message.dir && control && message.frames == 1 && !others
        };
        if let Some(Latest { row, .. }) = self.latest.take_if(is_all) {
            let packed = PackedFrame::pack(&row, |long| self.long_frames.push(long, &mut self.spool));
            self.frames.push(packed, &mut self.spool);
            return start..start.saturating_add(1);
        }
        self.let_wait();
        if let Some(talk) = self.talks.get_mut(conn)
            && let Some(both) = &mut talk.pending
        {
            let pending = both[message.dir].of(message.opcode);
            let count = usize::try_from(message.frames).unwrap_or(usize::MAX).min(pending.len());
            self.waiting -= count;
            for frame in pending.drain(..count) {
                self.frames.push(frame, &mut self.spool);
            }
            if both.to_server.is_empty() && both.to_client.is_empty() {
                talk.pending = None;
            }
        }
        start..row(&self.frames)
    }

    /// The index of what is unusual about a message, or [`PackedMessage::PLAIN`].
    fn keep_rare(&mut self, message: &Message<'_>, frames: &Range<u32>, kept: bool, wire: u64) -> u32 {
        let len = message.body.kept.len() as u64;
        let plain = kept
            && message.frames == 1
            && frames.len() == 1
            && self.frame_row(frames.start).is_some_and(|row| row.last == message.span.last && row.len == len)
            && message.body.len == len
            && message.wire_len == len
            && wire == 0
            && message.body.holes.is_empty()
            && message.rtt.is_none()
            && message.waited.is_none()
            && message.findings.is_empty();
        if plain {
            return PackedMessage::PLAIN;
        }
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let wait = message.waited.map_or(Rare::NO_WAIT, |wait| place(self.waits.push(*wait, &mut self.spool)));
        let hole = place(self.holes.len());
        for hole in message.body.holes {
            self.holes.push(*hole, &mut self.spool);
        }
        let rare = Rare {
            kept: len,
            len: message.body.len,
            wire_len: message.wire_len,
            wire_kept: wire,
            frames: message.frames,
            frame_rows: place(frames.len()),
            last: message.span.last,
            rtt: message.rtt,
            findings: message.findings,
            wait,
            hole,
            holes: place(message.body.holes.len()),
        };
        place(self.rare.push(rare, &mut self.spool))
    }

    /// A message that is in the book waited, and longer than was known.
    fn resent(&mut self, at: &Stamp, resent: &Resent) {
        let id = at.conn.and_then(|conn| self.numbered(self.index_of(conn)?, resent.msg));
        let Some((id, packed)) = id.and_then(|id| Some((id, self.messages.get(id.0 as usize, &self.spool)?))) else {
            return;
        };
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        if let Some(rare) = self.rare.get(packed.rare as usize, &self.spool) {
            let known = self.waits.get(rare.wait as usize, &self.spool);
            if known.is_none_or(|known| known.nanos < resent.wait.nanos) {
                let wait = place(self.waits.push(resent.wait, &mut self.spool));
                self.rare.set(packed.rare as usize, Rare { wait, ..rare }, &mut self.spool);
            }
        } else if let Some(row) = self.message(id) {
            let MessageRow { kept, len, wire_len, wire_kept, frames, last, rtt, findings, .. } = row;
            let frame_rows = row.frame_rows.end.saturating_sub(row.frame_rows.start);
            let wait = place(self.waits.push(resent.wait, &mut self.spool));
            // Nothing else is odd about it.
            let (hole, holes) = (0, 0);
            let rare =
                Rare { kept, len, wire_len, wire_kept, frames, frame_rows, last, rtt, findings, wait, hole, holes };
            let rare = place(self.rare.push(rare, &mut self.spool));
            self.messages.set(id.0 as usize, packed.with_rare(rare), &mut self.spool);
        }
        if self.sift.is_some() && (id.0 as usize) < self.sifted() {
            self.changed.push(id);
        }
    }

    fn note(&mut self, at: &Stamp, finding: &Finding) {
        self.severities.count(finding.code.severity());
        if let Some(talk) = self.talk(at) {
            talk.connection.apply(at, Event::Note(&finding.note()));
        }
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding.clone());
        }
    }

    /// Whether there is no room for more rows.
    pub(super) fn is_full(&self) -> bool {
        let rows = [self.messages.len(), self.frames.len(), self.holes.len()];
        self.spool.failure().is_some() || rows.iter().any(|&rows| rows > MAX_ROWS)
    }
}
