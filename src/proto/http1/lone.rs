//! A WebSocket of which one direction seems not to be captured.

use super::draft::{self, Raw};
use super::head::{HeadReader, Step};
use super::upgrade;
use crate::model::{ConnId, Direction, Handshake, Head, Input, Mark, StartLine, Version, hex};
use crate::proto::handshake::tell::{tell, tell_unasked};
use crate::proto::layer::{Cx, Layer, Next};

/// Stands before the frames of a connection whose other direction was not captured so far. Should it come after all, it begins
/// with its half of the handshake, which is then read as such and never as frames.
pub(super) struct Lone {
    /// The direction of which nothing was captured.
    missing: Direction,
    conn: ConnId,
    handshake: Handshake,
    head: HeadReader,
    /// The head that came, and the raw bytes behind it that are being read.
    raw: Option<(Head, Raw)>,
    heard: bool,
    inner: Box<dyn Layer>,
}

impl Lone {
    pub(super) fn new(missing: Direction, conn: ConnId, handshake: Handshake, inner: Box<dyn Layer>) -> Self {
        Self { missing, conn, handshake, head: HeadReader::default(), raw: None, heard: false, inner }
    }

    /// Tells the handshake anew, with the half that came late and the raw bytes behind it.
    fn complete(&mut self, head: Head, raw: &Raw, cx: &mut Cx<'_>) {
        let mut handshake = std::mem::take(&mut self.handshake);
        let mut known = handshake.checks.len();
        match (&head.start, handshake.response.take()) {
            (StartLine::Response { .. }, _) => {
                upgrade::answered(&mut handshake, head, raw.whole().map(hex), None, cx.ends())
            }
            (StartLine::Request { .. }, response) => {
                let answer = handshake.accept.take();
                handshake = upgrade::asked(head, cx.ends(), cx.scheme());
                draft::challenged(&mut handshake, raw);
                known = 0;
                if let Some(response) = response {
                    upgrade::answered(&mut handshake, response, answer, None, cx.ends());
                }
            }
        }
        tell(self.conn, &handshake, known, cx);
    }

    /// Reads the half that came late; how many bytes it takes, or that more are to come.
    fn read(&mut self, bytes: &[u8], offset: u64, brought: Mark, cx: &mut Cx<'_>) -> Read {
        let mut used = 0;
        if self.raw.is_none() {
            match self.head.push(bytes, offset, brought, cx.limits) {
                Step::More => return Read::More,
                Step::Done(None, _) | Step::TooLong => return Read::Bad,
                Step::Done(Some(head), len) => {
                    used = len;
                    let version = self.handshake.request.as_ref().map_or_else(
                        || head.status().map_or_else(|| Version::asked(&head), |_| self.handshake.version()),
                        Version::asked,
                    );
                    let raw = Raw::new(draft::raw_behind(&head, version));
                    self.raw = Some((head, raw));
                }
            }
        }
        if let Some((_, raw)) = &mut self.raw {
            used += raw.push(bytes.get(used..).unwrap_or_default());
            if !raw.is_done() {
                return Read::More;
            }
        }
        if let Some((head, raw)) = self.raw.take() {
            self.complete(head, &raw, cx);
        }
        Read::Done(used)
    }

    /// The other half of the handshake did not come.
    fn tell_missing(&self, cx: &mut Cx<'_>) {
        if self.missing == Direction::ToServer {
            tell_unasked(self.conn, cx);
        }
    }

    /// The frames go on without this layer.
    fn step_aside(&mut self) -> Next {
        Next::Become(std::mem::replace(&mut self.inner, Box::new(Nobody)))
    }
}

/// What became of the half that came late.
enum Read {
    More,
    /// It is there; so many of the bytes belong to it.
    Done(usize),
    Bad,
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
            self.tell_missing(cx);
            self.inner.input(input, cx);
            return self.step_aside();
        }
        let dir = self.missing;
        match self.read(bytes, offset, brought, cx) {
            Read::More => return Next::Read,
            Read::Done(used) => {
                let (bytes, offset) = (bytes.get(used..).unwrap_or_default(), offset + used as u64);
                if !bytes.is_empty() {
                    self.inner.input(Input::Data { dir, offset, bytes, brought, mark: cx.mark }, cx);
                }
            }
            Read::Bad => {
                self.inner.input(Input::lost(dir, offset, bytes.len() as u64, true, cx.mark), cx);
            }
        }
        self.step_aside()
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        self.tell_missing(cx);
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
