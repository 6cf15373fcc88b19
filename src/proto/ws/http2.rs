//! HTTP/2 whose stream was taken for the connection itself, where the capture begins within both.

use super::half::Reading;
use super::layer::Ws;
use crate::model::{Direction, Input, Mark, Note, NoteCode};
use crate::proto::layer::{Cx, Hint, Next};

impl Ws {
    /// Whether HTTP/2 shows where a frame should begin: the head of a DATA frame (RFC 9113 §4.1), which would go on with a message
    /// that was not begun. A stream of it was taken for the connection, where no handshake was captured.
    pub(super) fn begins_http2(&self, dir: Direction, bytes: &[u8], cx: &Cx<'_>) -> bool {
        let half = &self.halves[dir];
        let &[0, b, c, 0, 0 | 1, 0, d, e, f, ..] = bytes else { return false };
        let is_data =
            (1..=0x4000).contains(&u16::from_be_bytes([b, c])) && d < 0x10 && f & 1 == 1 && (d, e, f) > (0, 0, 0);
        is_data
            && cx.flow.h2_stream.is_none()
            && half.data.is_none()
            && matches!(&half.reading, Reading::Head(partial) if partial.is_empty())
    }

    /// The connection is at its end: HTTP/2 is read from there on.
    pub(super) fn give_way(
        &mut self,
        dir: Direction,
        at: u64,
        offset: u64,
        bytes: &[u8],
        brought: Mark,
        cx: &mut Cx<'_>,
    ) -> Next {
        let text = "HTTP/2 goes on here: what was read so far are frames in one of its streams";
        cx.note(self.conn, &Note { text, ..Note::new(NoteCode::Midstream, cx.mark) });
        self.end(cx);
        let mut http2 = cx.open(Hint::Http2Late);
        let from = usize::try_from(at - offset).unwrap_or(usize::MAX);
        let rest = bytes.get(from..).unwrap_or_default();
        http2.input(Input::Data { dir, offset: at, bytes: rest, brought, mark: cx.mark }, cx);
        Next::Become(http2)
    }
}
