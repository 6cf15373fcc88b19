//! HTTP/2 whose stream was taken for the connection itself, where the capture begins within both.

use super::half::Reading;
use super::layer::Ws;
use crate::model::{Direction, Input, Note, NoteCode};
use crate::proto::layer::{Cx, Hint, Next, feed};

/// The payload length of the DATA frame of a client's stream whose head the bytes begin with (RFC 9113 §4.1, §6.1), if one may be
/// there; no longer than is usual.
fn data_len(bytes: &[u8]) -> Option<u16> {
    let &[0, b, c, 0, 0 | 1, 0, d, _, f, ..] = bytes else { return None };
    let len = u16::from_be_bytes([b, c]);
    ((1..=0x4000).contains(&len) && d < 0x10 && f & 1 == 1).then_some(len)
}

/// Whether what begins at a place behind these bytes is the payload of a DATA frame, which all that came since belongs to.
pub(super) fn stands_in_data(before: &[u8], at: u64, end: u64) -> bool {
    let len = before.last_chunk::<9>().and_then(|head| data_len(head));
    len.is_some_and(|len| at + u64::from(len) >= end)
}

impl Ws {
    /// Whether HTTP/2 shows where a frame should begin: the head of a DATA frame (RFC 9113 §4.1), which would go on with a message
    /// that was not begun. A stream of it was taken for the connection, where no handshake was captured.
    pub(super) fn begins_http2(&self, dir: Direction, bytes: &[u8], cx: &Cx<'_>) -> bool {
        let half = &self.halves[dir];
        let is_between = matches!(&half.reading, Reading::Head(partial) if partial.is_empty()) && half.data.is_none();
        is_between && cx.flow.h2_stream.is_none() && data_len(bytes).is_some()
    }

    /// The connection is at its end: HTTP/2 is read from that place on.
    pub(super) fn give_way(&mut self, (dir, at): (Direction, u64), input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        let text = "HTTP/2 goes on here: what was read so far are frames in one of its streams";
        let mark = cx.mark;
        cx.note(self.conn, &Note { text, ..Note::new(NoteCode::Midstream, mark) });
        self.end(cx);
        // What was held behind it was read here, and is not there any more.
        let lost = |to: u64| (at < to).then(|| Input::lost(dir, at, to - at, true, mark));
        let (hole, rest) = match input {
            Input::Data { dir: of, offset, bytes, brought, .. } if of == dir => {
                let from = usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX);
                let bytes = bytes.get(from..).unwrap_or_default();
                (lost(offset), Input::Data { dir, offset: offset.max(at), bytes, brought, mark })
            }
            Input::Gap { dir: of, offset, .. } if of == dir => (lost(offset), input),
            other => (None, other),
        };
        let is_end = matches!(rest, Input::End { .. });
        let ends = self.ends();
        let ends = ends.in_order().map(|(dir, how, mark)| Input::End { dir, how, mark });
        let inputs = hole.into_iter().chain((!is_end).then_some(rest)).chain(ends);
        feed(cx.open(Hint::Http2Late), cx.swapped, inputs, cx)
    }
}
