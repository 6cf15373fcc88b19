//! HTTP/2 whose stream was taken for the connection itself, where the capture begins within both.

use super::half::{Partial, Reading};
use super::layer::Ws;
use crate::model::{Both, Direction, H2_HEAD, Input, Mark, Note, NoteCode};
use crate::proto::layer::{Cx, Hint, Next, feed};

/// Whether the bytes, as many as there are, may be the head of a DATA frame of a client's stream that is no longer than is usual
/// (RFC 9113 §4.1, §6.1).
fn may_begin_data(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(nth, &byte)| match nth {
        // Up to 2¹⁴ bytes.
        0 => byte == 0,
        1 => byte <= 0x40,
        // Type, flags, and a number that is not high.
        3 | 5 => byte == 0,
        4 => byte <= 1,
        6 => byte < 0x10,
        _ => true,
    })
}

/// The payload length of the DATA frame whose head the bytes begin with, if one may be there.
fn data_len(bytes: &[u8]) -> Option<u16> {
    let head @ &[_, b, c, .., f] = bytes.first_chunk::<H2_HEAD>()?;
    let len = u16::from_be_bytes([b, c]);
    (may_begin_data(head) && (1..=0x4000).contains(&len) && f & 1 == 1).then_some(len)
}

/// Whether what begins at a place behind these bytes is the payload of a DATA frame, which all that came since belongs to.
pub(super) fn stands_in_data(before: &[u8], at: u64, end: u64) -> bool {
    let len = before.last_chunk::<H2_HEAD>().and_then(|head| data_len(head));
    len.is_some_and(|len| at + u64::from(len) >= end)
}

impl Ws {
    /// Looks whether HTTP/2 shows where a frame should begin: the head of a DATA frame, which would go on with a message that was not
    /// begun. A stream of it was taken for the connection, where no handshake was captured. Says how many of the bytes were taken: of
    /// a head that is not all there nothing is read as a frame.
    pub(super) fn look_for_http2(
        &mut self,
        dir: Direction,
        at: u64,
        bytes: &[u8],
        brought: Mark,
        cx: &mut Cx<'_>,
    ) -> usize {
        if cx.flow.forced || cx.flow.h2_stream.is_some() || self.http2.is_some() {
            return 0;
        }
        let half = &mut self.halves[dir];
        let (Reading::Head(partial), None) = (&mut half.reading, &half.data) else { return 0 };
        let before = partial.len();
        // Without any before, or with a part of one that may be of HTTP/2.
        if !may_begin_data(partial.bytes()) {
            return 0;
        }
        let now = bytes.get(..H2_HEAD.saturating_sub(before)).unwrap_or(bytes);
        let mut head = [0; H2_HEAD];
        head.iter_mut().zip(partial.bytes().iter().chain(now)).for_each(|(to, from)| *to = *from);
        let seen = head.get(..before + now.len()).unwrap_or_default();
        if seen.len() < H2_HEAD && may_begin_data(seen) {
            partial.keep(now, at, brought);
            return now.len();
        }
        if data_len(seen).is_some() {
            self.http2 = Some((dir, if before > 0 { partial.start().0 } else { at }));
            return 0;
        }
        if before == 0 {
            return 0;
        }
        // It is none: what was held is read.
        let (offset, first) = std::mem::take(partial).start();
        self.read(dir, offset, seen, first, cx);
        now.len()
    }

    /// The connection is at its end: HTTP/2 is read from that place on.
    pub(super) fn give_way(&mut self, (dir, at): (Direction, u64), input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        let text = "HTTP/2 goes on here: what was read so far are frames in one of its streams";
        let mark = cx.mark;
        cx.note(self.conn, &Note { text, ..Note::new(NoteCode::Midstream, mark) });
        // What came of a head before the input.
        let heads = Both::from_fn(|dir| match &mut self.halves[dir].reading {
            Reading::Head(partial) => std::mem::take(partial),
            _ => Partial::default(),
        });
        self.end(cx);
        let from = at + heads[dir].len() as u64;
        let heads = Direction::BOTH.into_iter().filter_map(|dir| {
            let (offset, brought) = heads[dir].start();
            let bytes = heads[dir].bytes();
            (!bytes.is_empty()).then_some(Input::Data { dir, offset, bytes, brought, mark })
        });
        // What was held behind it was read here, and is not there any more.
        let lost = |to: u64| (from < to).then(|| Input::lost(dir, from, to - from, true, mark));
        let (hole, rest) = match input {
            Input::Data { dir: of, offset, bytes, brought, .. } if of == dir => {
                let skip = usize::try_from(from.saturating_sub(offset)).unwrap_or(usize::MAX);
                let bytes = bytes.get(skip..).unwrap_or_default();
                (lost(offset), Input::Data { dir, offset: offset.max(from), bytes, brought, mark })
            }
            Input::Gap { dir: of, offset, .. } if of == dir => (lost(offset), input),
            other => (None, other),
        };
        let is_end = matches!(rest, Input::End { .. });
        let ends = self.ends();
        let ends = ends.in_order().map(|(dir, how, mark)| Input::End { dir, how, mark });
        let inputs = heads.chain(hole).chain((!is_end).then_some(rest)).chain(ends);
        feed(cx.open(Hint::Http2Late), cx.swapped, inputs, cx)
    }
}
