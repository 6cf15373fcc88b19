//! Conversations that keep still: nothing but pings, and the pongs that answer them (RFC 6455 §5.5.2).

use super::frame::{self, Parsed};
use super::mask::{self, Mask};
use crate::model::{Both, Direction, Opcode};

/// What the ends say to each other, as long as each segment is heartbeats and nothing else.
#[derive(Debug, Default)]
pub(super) struct Heartbeats {
    /// What came was something else: no more is looked at.
    others: bool,
    /// Who masks; known since the first frame.
    masker: Option<Direction>,
    /// The last ping of each end that was not answered, without its mask.
    asked: Both<Option<Beat>>,
    answered: u32,
    /// What speaks for them.
    bits: u32,
}

/// The payload of a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Beat {
    bytes: [u8; Beat::MOST],
    len: usize,
}

impl Beat {
    const MOST: usize = 125;
}

/// Pings that are answered by who should, and by how much that would be chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beating {
    /// Who masks: the client.
    pub(super) masker: Direction,
    pub(super) answered: u32,
    pub(super) bits: u32,
}

/// A question and its answer have four bytes between them that are given; those that came before make them likely.
const ANSWERED: u32 = 12;
/// A byte that is said again says as much, up to so many.
const ECHO: u32 = 4;
const ECHO_MAX: u32 = 16;
/// Other protocols ask and answer too.
const ANSWERED_LEAST: u32 = 2;

impl Heartbeats {
    /// Takes a segment; says who beats, once that is sure enough for such a bar.
    pub(super) fn push(&mut self, dir: Direction, bytes: &[u8], bar: u32) -> Option<Beating> {
        let mut rest = bytes;
        while !self.others && !rest.is_empty() {
            match self.take(dir, rest) {
                Some(behind) => rest = behind,
                None => self.others = true,
            }
        }
        let masker = self.masker.filter(|_| !self.others && self.answered >= ANSWERED_LEAST && self.bits >= bar)?;
        Some(Beating { masker, answered: self.answered, bits: self.bits })
    }

    /// Takes a frame that begins and ends in the segment, and returns what stands behind it; `None` if there is none.
    fn take<'a>(&mut self, dir: Direction, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let Parsed::Done(head) = frame::head(bytes) else { return None };
        let masker = if head.key.is_some() { dir } else { dir.reverse() };
        let is_beat = matches!(head.opcode, Opcode::PING | Opcode::PONG);
        if !is_beat || !head.fin || head.rsv != 0 || *self.masker.get_or_insert(masker) != masker {
            return None;
        }
        let len = usize::try_from(head.len).ok().filter(|&len| len <= Beat::MOST)?;
        let (payload, behind) = bytes.get(usize::from(head.header_len)..)?.split_at_checked(len)?;
        let mut beat = Beat { bytes: [0; Beat::MOST], len };
        let own = beat.bytes.get_mut(..len)?;
        own.copy_from_slice(payload);
        if let Some(key) = head.key {
            mask::apply(own, Mask::Payload(key), 0);
        }
        if head.opcode == Opcode::PING {
            self.asked[dir] = Some(beat);
        } else if self.asked[dir.reverse()] == Some(beat) {
            self.asked[dir.reverse()] = None;
            self.answered += 1;
            self.bits += ANSWERED + (ECHO * u32::try_from(len).unwrap_or(u32::MAX)).min(ECHO_MAX);
        }
        Some(behind)
    }
}
