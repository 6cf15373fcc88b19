//! What the frames of a direction are like: those behind a loss are like those before it.

use super::frame::Head;
use crate::model::Opcode;

/// A sender's habits, in a few words, whatever the number of its frames.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Habits {
    /// Frames that were looked at, [`LEARNED`] at most.
    frames: u32,
    /// How many of them have data.
    data: u32,
    /// FIN, RSV1 and opcode of their heads: a bit for each combination.
    kinds: u64,
    /// The first bytes of data frames' payloads, before masking: a bit for each four that follow each other.
    firsts: u64,
    /// Bytes of the shortest payload of a data frame, and of the longest that came whole.
    shortest: u64,
    longest: u64,
    /// Bytes of the longest payload that could hold other frames: of no text, which has no such bytes (RFC 3629), and nothing
    /// compressed.
    roomiest: u64,
}

/// Frames from which habits are learned.
const LEARNED: u32 = 256;
/// So few do not tell what the others are like.
const FEW: u32 = 4;
/// So few do not tell how long others are that may hold frames.
const MANY: u32 = 8;
/// How much farther than the longest such payload another may reach, with luck from one into the next.
const MARGIN: u64 = 4;
/// Of so many frames or fewer each begins otherwise: what others begin with is open.
const VARIED: u32 = 4;
/// What a length of two bytes tells at most.
const LONG: u32 = 9;

impl Habits {
    /// Takes a head, and the payload's first byte, unmasked, if it came.
    pub(super) fn learn(&mut self, head: &Head, first: impl FnOnce() -> Option<u8>) {
        if self.frames >= LEARNED {
            return;
        }
        self.kinds |= kind(head);
        if !head.opcode.is_control() {
            self.shortest = if self.data == 0 { head.len } else { self.shortest.min(head.len) };
            self.firsts |= first().map_or(0, bucket);
            self.data += 1;
        }
        self.frames += 1;
    }

    /// A frame came whole.
    pub(super) fn complete(&mut self, head: &Head) {
        self.longest = self.longest.max(head.len);
        if matches!(head.opcode, Opcode::BINARY | Opcode::CONTINUATION) && head.rsv == 0 {
            self.roomiest = self.roomiest.max(head.len);
        }
    }

    /// Whether enough is known to tell who is alike.
    pub(super) const fn are_known(&self) -> bool {
        self.frames >= FEW
    }

    /// Bytes of the longest payload in which there may be other frames.
    pub(super) fn roomiest(&self) -> u64 {
        let is_text = self.roomiest == 0 && self.frames >= FEW;
        if is_text || self.frames >= MANY { self.roomiest } else { u64::from(u16::MAX) }
    }

    /// Bytes that no payload reaches.
    pub(super) fn reach(&self) -> u64 {
        if self.frames >= MANY { self.roomiest() * MARGIN } else { self.roomiest() }
    }

    /// How many bits it tells that a frame is like those before, whose payload begins with `first`; `None` if it is not.
    pub(super) fn likeness(&self, head: &Head, first: Option<u8>) -> Option<u32> {
        if !self.are_known() || self.kinds & kind(head) == 0 {
            return None;
        }
        // Zeros are likelier than others.
        let begins =
            if head.opcode == Opcode::CONTINUATION && !head.fin { 0 } else { 8 - log2(self.kinds.count_ones()) };
        if head.opcode.is_control() {
            return Some(if head.len == 0 { begins.min(2) } else { begins });
        }
        let (least, most) = (self.shortest / 2, self.longest.saturating_mul(2));
        if head.len < least || head.len > most {
            return None;
        }
        let length = match head.len {
            0 => return Some(2),
            126.. => (7 + 16_u32).saturating_sub(log2(most - least)).min(LONG),
            _ => 7 - log2(most.min(125) - least.min(125)).min(7),
        };
        let known = self.firsts.count_ones();
        let says = match first {
            Some(first) if self.firsts & bucket(first) != 0 => 6 - log2(known),
            Some(_) if known * VARIED < self.data => return None,
            _ => 0,
        };
        Some(begins + length + says)
    }
}

/// The bit of a head's FIN, RSV1 and opcode.
fn kind(head: &Head) -> u64 {
    1 << (u32::from(head.rsv >> 2 & 1) << 5 | u32::from(head.fin) << 4 | u32::from(head.opcode.0 & 15))
}

const fn bucket(first: u8) -> u64 {
    1 << (first >> 2)
}

/// The bits of a number, rounded up: none for one.
fn log2(number: impl Into<u64>) -> u32 {
    u64::BITS - number.into().saturating_sub(1).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::ws::frame::{self, Parsed};

    fn head(bytes: &[u8]) -> Head {
        match frame::head(bytes) {
            Parsed::Done(head) => head,
            Parsed::More(n) => panic!("{n} more"),
        }
    }

    fn after(frames: usize, bytes: &[u8], first: u8) -> Habits {
        let mut habits = Habits::default();
        for _ in 0..frames {
            habits.learn(&head(bytes), || Some(first));
            habits.complete(&head(bytes));
        }
        habits
    }

    #[test]
    fn what_is_alike_tells_more_than_any_frame() {
        let text = after(20, &[0x81, 40], b'{');
        assert_eq!(text.likeness(&head(&[0x81, 40]), Some(b'{')), Some(8 + 1 + 6));
        assert_eq!(text.likeness(&head(&[0x81, 40]), None), Some(8 + 1), "its payload did not come");
        assert_eq!(text.likeness(&head(&[0x81, 81]), Some(b'{')), None, "long");
        assert_eq!(text.likeness(&head(&[0x81, 19]), Some(b'{')), None, "short");
        assert_eq!(text.likeness(&head(&[0x82, 40]), Some(b'{')), None, "of another kind");
        assert_eq!(text.likeness(&head(&[0xc1, 40]), Some(b'{')), None, "compressed");
        assert_eq!(text.likeness(&head(&[0x81, 40]), Some(b'q')), None, "it begins otherwise");
        assert_eq!(after(3, &[0x81, 40], b'{').likeness(&head(&[0x81, 40]), Some(b'{')), None, "too few are known");
        assert_eq!(after(20, &[0x89, 0], 0).likeness(&head(&[0x89, 0]), None), Some(2), "empty");
    }

    #[test]
    fn beginnings_that_vary_are_open() {
        let mut habits = after(4, &[0x81, 40], b'a');
        habits.learn(&head(&[0x81, 40]), || Some(b'q'));
        assert_eq!(habits.likeness(&head(&[0x81, 40]), Some(b'e')), Some(8 + 1));
        assert_eq!(habits.likeness(&head(&[0x81, 40]), Some(b'q')), Some(8 + 1 + 5));
    }

    #[test]
    fn control_frames_tell_nothing_of_data() {
        let mut habits = after(6, &[0x89, 0], 0);
        for first in [b'a', b'q'] {
            habits.learn(&head(&[0x81, 40]), || Some(first));
            habits.complete(&head(&[0x81, 40]));
        }
        assert_eq!(habits.likeness(&head(&[0x81, 19]), Some(b'a')), None, "short");
        assert!(habits.likeness(&head(&[0x81, 40]), Some(b'e')).is_some(), "what data begin with is open");
    }

    #[test]
    fn text_and_control_frames_hold_no_others() {
        assert_eq!(after(4, &[0x81, 40], b'{').roomiest(), 0);
        assert_eq!(after(4, &[0x89, 40], b'{').roomiest(), 0);
        assert_eq!(after(3, &[0x81, 40], b'{').roomiest(), 0xffff, "too few are known");
        assert_eq!(after(4, &[0x82, 40], b'{').roomiest(), 0xffff, "others may be longer");
        assert_eq!(after(8, &[0x82, 40], b'{').roomiest(), 40);
    }
}
