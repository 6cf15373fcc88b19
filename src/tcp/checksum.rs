//! Whether a segment came as it was sent (RFC 9293 §3.1).
//!
//! A receiver drops what has a wrong checksum, so that bytes may be slipped in that only an observer believes. But a host that
//! captures what it sends, or joins what it receives, shows wrong checksums that nobody else sees: they tell something only
//! in a direction in which nearly all are right.

use crate::model::Segment;

/// The protocol number of TCP, for the pseudo-header.
const TCP: u32 = 6;

/// Whether the checksum is right; `None` for a segment that was not captured whole.
#[inline(always)]
pub(super) fn is_right(segment: &Segment<'_>) -> Option<bool> {
    if segment.bytes.is_empty() || segment.cut > 0 {
        return None;
    }
    let (Some(len), [src, dst]) = (u32::try_from(segment.bytes.len()).ok(), [segment.src.ip, segment.dst.ip]) else {
        return None;
    };
    // The sum is the same in any byte order, but for its own (RFC 1071 §2): here the first byte is the lowest.
    let ([src_high, src_low], [dst_high, dst_low]) = (src.words(), dst.words());
    let addresses = if src.is_v6() {
        let words = [src_high, src_low, dst_high, dst_low].map(|word| u128::from(word.swap_bytes()));
        words.into_iter().fold(0, u128::wrapping_add)
    } else {
        u128::from(src_low.swap_bytes() >> 32).wrapping_add((dst_low.swap_bytes() >> 32).into())
    };
    let pseudo = addresses.wrapping_add((u64::from(len.swap_bytes()) + u64::from(TCP.swap_bytes())).into());
    Some(fold(sum(segment.bytes).wrapping_add(pseudo)) == 0xffff)
}

/// The same, where it is seldom asked.
#[cold]
pub fn has_right_checksum(segment: &Segment<'_>) -> bool {
    is_right(segment) == Some(true)
}

/// The sum of the bytes as little-endian words, a few at a time.
#[inline]
fn sum(bytes: &[u8]) -> u128 {
    let add = |sum: u128, &word: &[u8; 8]| sum.wrapping_add(u64::from_le_bytes(word).into());
    let (blocks, rest) = bytes.as_chunks::<64>();
    let blocks = blocks.iter().fold(0, |sum, block| block.as_chunks().0.iter().fold(sum, add));
    let (words, rest) = rest.as_chunks();
    let words = words.iter().fold(blocks, add);
    // The last bytes are the upper ones of the last word that ends with them.
    let last = match bytes.last_chunk() {
        Some(last) if !rest.is_empty() => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
        Some(_) => 0,
        None => rest.iter().rev().fold(0, |word: u64, &byte| word << 8 | u64::from(byte)),
    };
    words.wrapping_add(last.into())
}

/// The sum in sixteen bits, with every carry added again.
fn fold(sum: u128) -> u16 {
    let halve = |sum: u64, bits: u32| (sum & ((1 << bits) - 1)) + (sum >> bits);
    #[expect(clippy::cast_possible_truncation, reason = "the upper half is added")]
    let (low, carry) = (sum as u64).overflowing_add((sum >> 64) as u64);
    let sum = halve(low, 32) + u64::from(carry);
    let sum = halve(halve(halve(sum, 32), 16), 16);
    u16::try_from(halve(sum, 16)).unwrap_or(u16::MAX)
}

/// How many checksums of a direction were right, and how many wrong.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    right: u8,
    /// [`Sums::GIVEN_UP`]: so many that none tells anything.
    wrong: u8,
    /// That of its SYN was right: its sender does not leave checksums to a network card behind the capture.
    greeted: bool,
}

impl Sums {
    const GIVEN_UP: u8 = u8::MAX;
    /// Right ones are counted so far.
    const MOST: u8 = 250;
    /// So many must be right before a wrong one tells something, or wrong before none does.
    const FEW: u8 = 4;
    /// So many must be wrong before none tells anything, where that of the SYN was right and few followed.
    const EARLY: u8 = 16;

    /// Those of a direction whose SYN had a right one, or not.
    pub(super) const fn new(greeted: bool) -> Self {
        Self { right: 0, wrong: 0, greeted }
    }

    /// Only that of the SYN tells something.
    pub(super) const fn are_early(self) -> bool {
        self.greeted && self.right < Self::FEW
    }

    /// Whether checksums are looked at.
    pub(super) const fn are_read(self) -> bool {
        self.wrong != Self::GIVEN_UP
    }

    /// Whether one that is wrong tells something: nine in ten are right.
    pub(super) const fn tell(self) -> bool {
        self.are_read() && (self.are_early() || self.right >= Self::FEW && self.are_mostly_right())
    }

    const fn are_mostly_right(self) -> bool {
        self.wrong as u32 * 9 <= self.right as u32
    }

    pub(super) const fn add_right(&mut self) {
        if self.right < Self::MOST {
            self.right += 1;
        }
    }

    pub(super) const fn add_wrong(&mut self) {
        if self.are_read() {
            self.wrong += 1;
            let bound = if self.are_early() { Self::EARLY } else { Self::FEW };
            if self.wrong >= bound && !self.are_mostly_right() {
                self.wrong = Self::GIVEN_UP;
            }
        }
    }

    /// One that was wrong did tell something: it was sent again.
    pub(super) const fn forgive(&mut self) {
        if self.are_read() {
            self.wrong = self.wrong.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 1071 §4.1, bytes two by two.
    fn plain(bytes: &[u8]) -> u16 {
        let pairs = bytes.chunks(2).map(|pair| u64::from(pair[0]) | u64::from(*pair.get(1).unwrap_or(&0)) << 8);
        let mut sum: u64 = pairs.sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }

    proptest! {
        #[test]
        fn sums_as_the_rfc_does(bytes in prop::collection::vec(prop_oneof![Just(0xff), Just(0), any::<u8>()], 0..300)) {
            prop_assert_eq!(fold(sum(&bytes)), plain(&bytes));
        }
    }

    #[test]
    fn carries_to_the_end() {
        for all in [u128::MAX, u128::from(u64::MAX), u128::MAX - 1, 1 << 127 | u128::from(u64::MAX)] {
            assert_eq!(fold(all), plain(&all.to_le_bytes()), "{all:x}");
        }
    }
}
