//! A WebSocket of which one direction seems not to be captured.

use super::head::{HeadReader, Step};
use super::layer::tell;
use super::upgrade;
use crate::model::{ConnId, Direction, Handshake, Input, StartLine};
use crate::proto::layer::{Cx, Layer, Next};

/// Stands before the frames of a connection whose other direction was not captured so far. Should it come after all, it begins
/// with its half of the handshake, which is then read as such and never as frames.
pub(super) struct Lone {
    /// The direction of which nothing was captured.
    missing: Direction,
    conn: ConnId,
    handshake: Handshake,
    head: HeadReader,
    heard: bool,
    inner: Box<dyn Layer>,
}

impl Lone {
    pub(super) fn new(missing: Direction, conn: ConnId, handshake: Handshake, inner: Box<dyn Layer>) -> Self {
        Self { missing, conn, handshake, head: HeadReader::default(), heard: false, inner }
    }

    /// Tells the handshake anew, with the half that came late.
    fn complete(&mut self, head: crate::model::Head, cx: &mut Cx<'_>) {
        let mut handshake = std::mem::take(&mut self.handshake);
        let mut known = handshake.checks.len();
        match (&head.start, handshake.response.take()) {
            (StartLine::Response { .. }, _) => upgrade::answered(&mut handshake, head, None, cx.ends()),
            (StartLine::Request { .. }, response) => {
                handshake = upgrade::asked(head, cx.ends());
                known = 0;
                if let Some(response) = response {
                    upgrade::answered(&mut handshake, response, None, cx.ends());
                }
            }
        }
        tell(self.conn, &handshake, known, cx);
    }

    /// The frames go on without this layer.
    fn step_aside(&mut self) -> Next {
        Next::Become(std::mem::replace(&mut self.inner, Box::new(Nobody)))
    }
}

/// Whether the bytes may begin the head that a direction sends.
fn may_be_head(dir: Direction, bytes: &[u8]) -> bool {
    let start: &[u8] = match dir {
        Direction::ToServer => b"GET ",
        Direction::ToClient => b"HTTP/1.",
    };
    bytes.iter().zip(start).all(|(a, b)| a == b)
}

impl Layer for Lone {
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        let (offset, bytes, brought) = match input {
            Input::Data { dir, offset, bytes, brought, .. } if dir == self.missing => (offset, bytes, brought),
            _ => return self.inner.input(input, cx),
        };
        if !std::mem::replace(&mut self.heard, true) && !may_be_head(self.missing, bytes) {
            self.inner.input(input, cx);
            return self.step_aside();
        }
        let dir = self.missing;
        match self.head.push(bytes, offset, brought, cx.mark, cx.limits) {
            Step::More => return Next::Read,
            Step::Done(Some(head), used) => {
                self.complete(head, cx);
                let (bytes, offset) = (bytes.get(used..).unwrap_or_default(), offset + used as u64);
                if !bytes.is_empty() {
                    self.inner.input(Input::Data { dir, offset, bytes, brought, mark: cx.mark }, cx);
                }
            }
            Step::Done(None, _) | Step::TooLong => {
                self.inner.input(Input::Gap { dir, offset, len: bytes.len() as u64, mark: cx.mark }, cx);
            }
        }
        self.step_aside()
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        self.inner.over(cx);
    }
}

/// What is left where a layer was taken away.
struct Nobody;

impl Layer for Nobody {
    fn input(&mut self, _input: Input<'_>, _cx: &mut Cx<'_>) -> Next {
        Next::Nothing
    }

    fn over(&mut self, _cx: &mut Cx<'_>) {}
}
