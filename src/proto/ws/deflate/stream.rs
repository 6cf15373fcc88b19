//! A DEFLATE stream that goes on from message to message (RFC 1951, RFC 7692 §7.2.2).

use flate2::{Decompress, FlushDecompress, Status};

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
#[derive(Debug)]
pub(super) struct Stream {
    state: Decompress,
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

impl Stream {
    /// A stream without a history.
    pub(super) fn new() -> Self {
        Self { state: Decompress::new(false), buffer: Vec::new(), len: 0, ended: true }
    }

    /// A stream whose history has these bytes, 32 KiB of them.
    pub(super) fn with_history(history: Vec<u8>) -> Result<Self, Corrupt> {
        let mut state = Decompress::new(false);
        state.set_dictionary(&history).map_err(|_| Corrupt::Lost)?;
        Ok(Self { state, len: history.len(), buffer: history, ended: true })
    }

    /// Inflates some of the input, as far as there is room.
    pub(super) fn step(&mut self, input: &[u8]) -> Result<Step, Corrupt> {
        self.make_room();
        let room = self.buffer.get_mut(self.len..).unwrap_or_default();
        let before = (self.state.total_in(), self.state.total_out());
        let result = self.state.decompress(input, room, FlushDecompress::Sync);
        let used = usize::try_from(self.state.total_in() - before.0).unwrap_or(input.len());
        let made = usize::try_from(self.state.total_out() - before.1).unwrap_or_default().min(room.len());
        let filled = made == room.len();
        self.len += made;
        let status = match result {
            Ok(status) => status,
            Err(error) => return Ok(Step { used, made, drained: true, fault: Some(fault(error.message())) }),
        };
        self.ended = status == Status::StreamEnd;
        if self.ended {
            // BFINAL: the next block begins a new stream, which may refer back all the same (RFC 7692 §7.2.3.4).
            self.state.reset(false);
            let history = self.buffer.get(self.len.saturating_sub(WINDOW)..self.len).unwrap_or_default();
            self.state.set_dictionary(history).map_err(|_| Corrupt::Lost)?;
        }
        let idle = used == 0 && made == 0;
        Ok(Step { used, made, drained: idle || used == input.len() && (self.ended || !filled), fault: None })
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
