//! A DEFLATE stream that goes on from message to message (RFC 1951, RFC 7692 §7.2.2).

use super::TAIL;
use std::fmt;
use zlib_rs::{Inflate, InflateError, InflateFlush, Status};

/// The farthest that DEFLATE refers back (RFC 1951 §2).
pub(super) const WINDOW: usize = 32 << 10;
/// The history, and as much again to inflate into before it has to move.
const BUFFER: usize = 2 * WINDOW;
/// What there must be room for, so that a buffer is not filled drop by drop.
const STEP: usize = BUFFER / 8;

/// Why the stream does not inflate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Corrupt {
    /// Its bits make no sense: what is wrong with them, and how many bytes of the input had been read.
    Bits(&'static str, usize),
    /// The message ends inside a block.
    Cut,
    /// The message ends with the four bytes that its sender should have cut; it is inflated all the same.
    Uncut,
    /// Who takes the bytes has enough of them.
    Enough,
    /// What it goes on from is missing.
    Lost,
}

/// An inflater that remembers the last 32 KiB of what it gave: it inflates into its own memory, so that costs nothing.
///
/// A larger window than negotiated decodes every valid stream, so window bits are not trusted.
pub(super) struct Stream {
    state: Inflate,
    /// The history in `buffer[..len]`, room for more behind it; it grows with the stream.
    buffer: Vec<u8>,
    len: usize,
    /// It stands at the end of a message: nothing of the next was read, or a final block was the last.
    pub(super) ended: bool,
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Bytes taken from the input.
    pub(super) used: usize,
    /// Bytes given.
    pub(super) made: usize,
    /// Whether nothing is held back: more comes only from more input.
    pub(super) drained: bool,
    /// What is wrong with the bits behind those bytes.
    pub(super) fault: Option<&'static str>,
}

/// What is wrong, in words, by the message of the inflater, which does not tell faults among a block's codes apart.
fn fault(message: Option<&str>) -> &'static str {
    match message.unwrap_or_default() {
        "invalid block type" => "a block of a type that does not exist",
        "invalid stored block lengths" => "the two lengths of a stored block disagree",
        message if message.ends_with("far back") || message.ends_with(" code") || message.ends_with("bad state") => {
            "a copy from before the first byte, or a code that its block does not define"
        }
        _ => "the codes of a block are not well defined",
    }
}

/// log₂ of [`WINDOW`].
const WINDOW_BITS: u8 = WINDOW.ilog2() as u8;

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("len", &self.len).field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Stream {
    /// A stream without a history.
    pub(super) fn new() -> Self {
        Self { state: Inflate::new(false, WINDOW_BITS), buffer: Vec::new(), len: 0, ended: true }
    }

    /// A stream whose history has these bytes, 32 KiB of them.
    pub(super) fn with_history(history: Vec<u8>) -> Result<Self, Corrupt> {
        let mut state = Inflate::new(false, WINDOW_BITS);
        state.set_dictionary(&history).map_err(|_| Corrupt::Lost)?;
        Ok(Self { state, len: history.len(), buffer: history, ended: true })
    }

    /// Inflates some of the input, as far as there is room.
    pub(super) fn step(&mut self, input: &[u8]) -> Result<Step, Corrupt> {
        let (result, used, made, filled) = self.inflate(input, InflateFlush::SyncFlush);
        let status = match result {
            Ok(status) => status,
            Err(_) => {
                return Ok(Step { used, made, drained: true, fault: Some(fault(self.state.error_message())) });
            }
        };
        self.ended = status == Status::StreamEnd;
        if self.ended {
            // BFINAL: the next block begins a new stream, which may refer back all the same (RFC 7692 §7.2.3.4).
            self.state.reset(false);
            let history = self.buffer.get(self.len.saturating_sub(WINDOW)..self.len).unwrap_or_default();
            self.state.set_dictionary(history).map_err(|_| Corrupt::Lost)?;
        }
        // The end of a final block that came with the tail of the last message takes nothing and gives nothing.
        let idle = used == 0 && made == 0 && !self.ended;
        Ok(Step { used, made, drained: idle || used == input.len() && (self.ended || !filled), fault: None })
    }

    /// Reads the tail that the sender cut. Whether it is what it should be: the rest of an empty stored block whose first bits
    /// ended the message, so that a block ends with its last byte, and not before.
    ///
    /// Where the message was cut inside a block, the tail's zeros may be read as the code that ends it, and as the head of
    /// another: then that end comes too soon. Or the block goes on and takes the byte behind the tail as well. That byte
    /// stays where it is otherwise, so that this costs no more than reading the tail.
    pub(super) fn take_tail(&mut self) -> bool {
        let [one, two, three, four] = TAIL;
        let (result, used, made, _) = self.inflate(&[one, two, three, four, 0], InflateFlush::Block);
        result.is_ok() && used == TAIL.len() && made == 0
    }

    /// Inflates into the room there is: bytes taken, bytes given, and whether the room is full.
    #[inline]
    fn inflate(&mut self, input: &[u8], flush: InflateFlush) -> (Result<Status, InflateError>, usize, usize, bool) {
        self.make_room();
        let room = self.buffer.get_mut(self.len..).unwrap_or_default();
        let before = (self.state.total_in(), self.state.total_out());
        let result = self.state.decompress(input, room, flush);
        let used = usize::try_from(self.state.total_in() - before.0).unwrap_or(input.len());
        let made = usize::try_from(self.state.total_out() - before.1).unwrap_or_default().min(room.len());
        let filled = made == room.len();
        self.len += made;
        (result, used, made, filled)
    }

    /// The last bytes given.
    pub(super) fn last(&self, count: usize) -> &[u8] {
        self.buffer.get(self.len.saturating_sub(count)..self.len).unwrap_or_default()
    }

    /// What the next block may refer to.
    pub(super) fn history(&self) -> &[u8] {
        self.last(WINDOW)
    }

    fn make_room(&mut self) {
        if self.buffer.len() - self.len >= STEP {
            return;
        }
        if self.buffer.len() < BUFFER {
            self.buffer.resize((self.buffer.len() * 2).clamp(2 * STEP, BUFFER), 0);
        } else {
            let start = self.len.saturating_sub(WINDOW);
            self.buffer.copy_within(start..self.len, 0);
            self.len -= start;
        }
    }
}
