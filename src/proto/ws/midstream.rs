//! Connections without a handshake: captures that begin in the middle of one.

use super::draft::Layout;
use super::layer::Ws;
use super::seek::{Found, Known, MIDSTREAM_BAR, RESYNC_BAR, Seek};
use crate::model::{Both, Direction, Ends, Event, Handshake, Input, Note, NoteCode, Version};
use crate::proto::layer::{Cx, Layer, Next};

/// Looks for frames in both directions, and makes way for the WebSocket layer when it finds some: whose frames are masked is the client (RFC 6455 §5.1).
pub struct Midstream {
    seeks: Both<Seek>,
    /// Bytes looked through.
    read: u64,
    /// The user says that it is a WebSocket: less evidence will do, and it is looked for as long as it takes.
    forced: bool,
    ends: Ends,
}

/// What little is asked for where the user says what it is: a head where a segment begins, and that it fits.
const FORCED_BAR: u32 = 4;

impl Default for Midstream {
    fn default() -> Self {
        Self::with(MIDSTREAM_BAR, false)
    }
}

impl Midstream {
    /// The layer for a stream that the user says is a WebSocket.
    pub fn forced() -> Self {
        Self::with(FORCED_BAR, true)
    }

    fn with(bar: u32, forced: bool) -> Self {
        let known = Known { layout: Layout::Rfc6455, masked: None, compressed: true, bar };
        Self { seeks: Both::from_fn(|_| Seek::new(known, 0)), read: 0, forced, ends: Ends::default() }
    }

    fn release(&mut self, cx: &mut Cx<'_>) {
        for dir in Direction::BOTH {
            self.seeks[dir].release(cx.tools);
        }
    }

    /// Opens the connection, and reads what is held of both directions.
    fn recognised(&mut self, dir: Direction, found: Found, cx: &mut Cx<'_>) -> Next {
        let swapped = found.masked == (dir == Direction::ToClient);
        cx.swapped ^= swapped;
        let sender = if swapped { dir.reverse() } else { dir };
        let conn = cx.opened(None, None, Version::default(), *cx.flow.first);
        cx.emit(conn, Event::Handshake(&Handshake::default()));
        let text = format!(
            "no handshake was captured; {} frames from the {} agree, by chance one time in 2^{}",
            found.frames,
            sender.sender(),
            found.bits
        );
        cx.note(conn, &Note { dir: Some(sender), text: &text, ..Note::new(NoteCode::Midstream, cx.mark) });
        let mut ws = Ws::midstream(conn, found.compressed);
        for from in [dir, dir.reverse()] {
            let to = if swapped { from.reverse() } else { from };
            let seek = &self.seeks[from];
            let begin = if from == dir { found.at } else { seek.from() };
            // What the user insists on begins with its first byte, if that was captured.
            if from != dir && !(self.forced && cx.flow.from_start) {
                ws.look_from(to, begin, if self.forced { FORCED_BAR } else { RESYNC_BAR });
            }
            for (offset, bytes, brought) in seek.since(begin) {
                ws.input(Input::Data { dir: to, offset, bytes, brought, mark: cx.mark }, cx);
            }
        }
        self.release(cx);
        for (dir, how, mark) in self.ends.in_order() {
            let dir = if swapped { dir.reverse() } else { dir };
            ws.input(Input::End { dir, how, mark }, cx);
        }
        Next::Become(Box::new(ws))
    }
}

impl Layer for Midstream {
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        match input {
            Input::Data { dir, offset, bytes, brought, .. } => {
                self.read += bytes.len() as u64;
                let found = self.seeks[dir].push(bytes, offset, brought, cx.limits.seek_bytes, cx.tools);
                if let Some(found) = found {
                    return self.recognised(dir, found, cx);
                }
                let enough = self.read > cx.limits.midstream_bytes && !self.forced;
                if enough || cx.tools.seeking > cx.limits.seek_total {
                    return Next::Nothing;
                }
            }
            Input::End { dir, how, mark } => {
                self.ends.add(dir, how, mark);
            }
            Input::Gap { .. } | Input::Odd { .. } => {}
        }
        Next::Read
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        self.release(cx);
    }
}
