//! What is said of a direction's bytes beside them.

use super::{Feed, Half};
use crate::model::{Input, Mark, NoteCode, PacketNo, Wait, WaitCause, hex};

/// Bytes of each copy that a conflict quotes.
pub(super) const QUOTED: usize = 64;

impl Half {
    /// Says how long the bytes waited that are next in order, now that a packet has filled the hole before them: its own since
    /// there was something behind it.
    pub(super) fn tell_waits(&self, mark: Mark, feed: &mut Feed<'_>) {
        let Some(aside) = &self.aside else { return };
        let (mut pieces, mut end) = (aside.queue.iter().peekable(), self.offset);
        while let Some((start, piece)) = pieces.next_if(|&(start, _)| start == end) {
            end = start + piece.len();
            let since = if piece.brought == mark {
                pieces.peek().map(|(_, behind)| behind.brought)
            } else {
                Some(piece.brought)
            };
            if let Some(nanos) = since.and_then(|since| mark.since(since)) {
                waited(piece.brought.packet, (nanos, WaitCause::Retransmission, mark), mark, feed);
            }
        }
    }
}

/// Says what the bytes of a packet waited for, how long and until which packet, if that is worth telling.
pub(super) fn waited(
    brought: PacketNo,
    (nanos, cause, until): (i64, WaitCause, Mark),
    mark: Mark,
    feed: &mut Feed<'_>,
) {
    if nanos >= Wait::NOTICED {
        let wait = Wait { nanos, cause, packet: until.packet, of: None };
        (feed.out)(Input::Waited { dir: feed.dir, brought, wait, mark });
    }
}

/// Says that another copy of the bytes from `offset` on differs, and which is shown.
pub(super) fn conflict(
    offset: u64,
    (first, packet): (&[u8], PacketNo),
    (second, mark): (&[u8], Mark),
    replaces: bool,
    feed: &mut Feed<'_>,
) {
    let shown = if replaces {
        format!("the second is shown (--overlap {})", feed.budget.overlap.name())
    } else {
        "the first is shown".to_owned()
    };
    let text =
        format!("packets {packet} and {} disagree about the bytes from stream offset {offset}; {shown}", mark.packet);
    let detail = format!("first {}, second {}", quoted(first), quoted(second));
    odd(NoteCode::TcpOverlap, offset, &text, &detail, mark, feed);
}

pub(super) fn odd(code: NoteCode, offset: u64, text: &str, detail: &str, mark: Mark, feed: &mut Feed<'_>) {
    (feed.out)(Input::Odd { dir: feed.dir, offset, len: 1, code, text, detail, mark });
}

/// The first bytes of a copy.
fn quoted(bytes: &[u8]) -> String {
    let (first, more) = bytes.split_at(bytes.len().min(QUOTED));
    hex(first) + if more.is_empty() { "" } else { "…" }
}
