//! permessage-deflate (RFC 7692): inflating one direction's messages as they come.

use crate::proto::layer::Tools;
use flate2::{Decompress, FlushDecompress, Status};

/// What the sender cut from the end of every message, and the receiver puts back (RFC 7692 §7.2.2).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
/// The farthest that DEFLATE refers back (RFC 1951 §2).
const WINDOW: usize = 32 << 10;

/// The inflater of one direction.
///
/// It always keeps 32 KiB of history: a larger window than negotiated decodes every valid stream, so window bits and
/// context takeover are not trusted, only used to know where a lost history does not matter.
#[derive(Debug)]
pub(super) struct Inflater {
    state: Decompress,
    history: History,
    /// Messages may refer to the ones before them (RFC 7692 §7.1.1).
    takeover: bool,
    /// The history is not what the sender's was.
    lost: bool,
    /// The message stands at the end of a block at the end of a byte: nothing of it was read, or a final block was the last.
    ended: bool,
}

/// The message does not inflate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Corrupt;

impl Inflater {
    /// An inflater for a direction whose messages refer to earlier ones, or do not.
    pub(super) fn new(takeover: bool) -> Self {
        Self { state: Decompress::new(false), history: History::default(), takeover, lost: false, ended: true }
    }

    /// Begins a message; false when it cannot be inflated because an earlier one is missing.
    pub(super) fn begin(&mut self) -> bool {
        if self.lost && !self.takeover {
            self.state.reset(false);
            self.history = History::default();
            self.lost = false;
        }
        self.ended = true;
        !self.lost
    }

    /// Inflates the next bytes of the message; `out` gets what they give, piece by piece, and may say that it is enough.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        tools: &mut Tools,
        out: &mut dyn FnMut(&[u8], &mut Tools) -> bool,
    ) -> Result<(), Corrupt> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut buffer = tools.take_inflate_buffer();
        let result = self.inflate(bytes, &mut buffer, tools, out);
        tools.give_inflate_buffer(buffer);
        if result.is_err() {
            self.lost = true;
        }
        result
    }

    /// Ends the message.
    pub(super) fn end(
        &mut self,
        tools: &mut Tools,
        out: &mut dyn FnMut(&[u8], &mut Tools) -> bool,
    ) -> Result<(), Corrupt> {
        // The tail is the rest of an empty block whose first bits the message has: a message of no bytes, or one that ends
        // with a final block and without the 00 behind it (RFC 7692 §7.2.3.4), has no such block.
        if self.ended {
            return Ok(());
        }
        // What gives bytes was not such a block: the message was cut, and what follows would be read out of step.
        let mut is_tail = true;
        self.push(&TAIL, tools, &mut |piece, tools| {
            is_tail &= piece.is_empty();
            is_tail && out(piece, tools)
        })
    }

    /// A part of the stream is missing: what refers to it cannot be known.
    pub(super) fn lose(&mut self) {
        self.lost = true;
    }

    fn inflate(
        &mut self,
        bytes: &[u8],
        buffer: &mut [u8],
        tools: &mut Tools,
        out: &mut dyn FnMut(&[u8], &mut Tools) -> bool,
    ) -> Result<(), Corrupt> {
        let mut input = bytes;
        loop {
            let before = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(input, buffer, FlushDecompress::Sync).map_err(|_| Corrupt)?;
            let used = usize::try_from(self.state.total_in() - before.0).map_err(|_| Corrupt)?;
            let made = usize::try_from(self.state.total_out() - before.1).map_err(|_| Corrupt)?;
            let piece = buffer.get(..made).ok_or(Corrupt)?;
            input = input.get(used..).ok_or(Corrupt)?;
            self.ended = status == Status::StreamEnd;
            self.history.push(piece);
            if !out(piece, tools) {
                return Err(Corrupt);
            }
            if self.ended {
                // BFINAL: the next block begins a new stream, which may refer back all the same.
                self.state.reset(false);
                self.state.set_dictionary(self.history.last()).map_err(|_| Corrupt)?;
            }
            if input.is_empty() && (self.ended || made < buffer.len()) || used == 0 && made == 0 {
                return Ok(());
            }
        }
    }
}

/// The end of what was inflated.
#[derive(Debug, Default)]
struct History(Vec<u8>);

impl History {
    fn push(&mut self, bytes: &[u8]) {
        let bytes = bytes.get(bytes.len().saturating_sub(WINDOW)..).unwrap_or(bytes);
        if self.0.len() + bytes.len() > 2 * WINDOW {
            let keep = WINDOW - bytes.len();
            self.0.drain(..self.0.len().saturating_sub(keep));
        }
        self.0.extend_from_slice(bytes);
    }

    fn last(&self) -> &[u8] {
        self.0.get(self.0.len().saturating_sub(WINDOW)..).unwrap_or(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compress, Compression, FlushCompress};
    use proptest::prelude::*;

    /// Inflates whole messages, each cut at `step` bytes.
    fn inflate(inflater: &mut Inflater, message: &[u8], step: usize) -> Result<Vec<u8>, Corrupt> {
        let mut tools = Tools::default();
        let mut text = Vec::new();
        let mut out = |piece: &[u8], _: &mut Tools| {
            text.extend_from_slice(piece);
            true
        };
        assert!(inflater.begin());
        for piece in message.chunks(step) {
            inflater.push(piece, &mut tools, &mut out)?;
        }
        inflater.end(&mut tools, &mut out)?;
        Ok(text)
    }

    #[test]
    fn inflates_the_examples_of_rfc_7692() {
        for step in 1..12 {
            let mut inflater = Inflater::new(true);
            let mut check = |message: &[u8]| {
                assert_eq!(inflate(&mut inflater, message, step).as_deref(), Ok(&b"Hello"[..]), "{message:02x?}");
            };
            check(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
            check(&[0xf2, 0x00, 0x11, 0x00, 0x00]);
            check(&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]);
            check(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]);
            check(&[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00]);
            // A final block whose closing 00 was left out, then one that refers to the text before it.
            check(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
            check(&[0xf2, 0x00, 0x11, 0x00, 0x00]);
        }
    }

    #[test]
    fn empty_messages_have_two_forms() {
        let mut inflater = Inflater::new(true);
        assert_eq!(inflate(&mut inflater, &[0x00], 1).as_deref(), Ok(&[][..]));
        assert_eq!(inflate(&mut inflater, &[], 1).as_deref(), Ok(&[][..]));
        assert_eq!(
            inflate(&mut inflater, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], 9).as_deref(),
            Ok(&b"Hello"[..])
        );
    }

    #[test]
    fn after_a_loss_only_messages_without_a_context_go_on() {
        let mut with = Inflater::new(true);
        with.lose();
        assert!(!with.begin());
        let mut without = Inflater::new(false);
        without.lose();
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&mut without, &hello, 9).as_deref(), Ok(&b"Hello"[..]));
        assert_eq!(inflate(&mut without, &[0xff, 0xff, 0xff], 9), Err(Corrupt));
        assert_eq!(inflate(&mut without, &hello, 9).as_deref(), Ok(&b"Hello"[..]));
    }

    /// One message as permessage-deflate sends it.
    fn deflate(state: &mut Compress, message: &[u8]) -> Vec<u8> {
        if message.is_empty() {
            return vec![0];
        }
        let mut out = Vec::with_capacity(message.len() * 2 + 64);
        state.compress_vec(message, &mut out, FlushCompress::Sync).unwrap();
        assert!(out.ends_with(&TAIL));
        out.truncate(out.len() - 4);
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
        #[test]
        fn inflates_what_was_deflated(
            messages in proptest::collection::vec(("[a-f]{0,40}", 0_usize..3000), 1..12),
            takeover: bool,
            step in 1_usize..500,
        ) {
            let mut sender = Compress::new(Compression::default(), false);
            let mut inflater = Inflater::new(takeover);
            for (text, times) in messages {
                let message = text.repeat(times);
                if !takeover {
                    sender.reset();
                }
                let sent = deflate(&mut sender, message.as_bytes());
                prop_assert_eq!(inflate(&mut inflater, &sent, step), Ok(message.into_bytes()));
            }
        }
    }
}
