//! The last delivered bytes of one direction, to compare retransmissions with.

use crate::model::PacketNo;
use std::collections::VecDeque;

/// A window over the end of a delivered stream. Grows to at most twice its bound, then forgets its older half.
#[derive(Debug, Default)]
pub(super) struct Recent {
    bytes: Vec<u8>,
    /// Stream offset behind the last byte.
    end: u64,
    /// For each delivered piece, the offset behind it and its packet.
    pieces: VecDeque<(u64, PacketNo)>,
}

/// A byte at which two copies disagree.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Conflict<'a> {
    /// Its stream offset.
    pub(super) offset: u64,
    /// The first copy, from that byte on.
    pub(super) first: &'a [u8],
    /// The packet that brought the first copy.
    pub(super) packet: PacketNo,
}

impl Recent {
    /// Remembers the bytes at `offset`; returns by how much its memory grew.
    pub(super) fn push(&mut self, offset: u64, bytes: &[u8], packet: PacketNo, bound: usize) -> usize {
        let before = self.bytes.capacity();
        let end = offset + bytes.len() as u64;
        let bytes = bytes.get(bytes.len().saturating_sub(bound)..).unwrap_or_default();
        if self.end + bytes.len() as u64 != end {
            self.bytes.clear();
            self.pieces.clear();
        }
        if self.bytes.len() + bytes.len() > 2 * bound {
            let keep = bound - bytes.len();
            self.bytes.drain(..self.bytes.len().saturating_sub(keep));
            let start = self.start();
            while self.pieces.front().is_some_and(|&(end, _)| end <= start) {
                self.pieces.pop_front();
            }
        }
        self.bytes.extend_from_slice(bytes);
        self.end = end;
        self.pieces.push_back((end, packet));
        self.bytes.capacity().saturating_sub(before)
    }

    /// Forgets everything and gives its memory back; returns how much that was.
    pub(super) fn clear(&mut self) -> usize {
        let freed = self.bytes.capacity();
        *self = Self::default();
        freed
    }

    fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    /// The first byte at which another copy of the bytes at `offset` differs from what was delivered, as far as it is remembered.
    pub(super) fn conflict(&self, offset: u64, copy: &[u8]) -> Option<Conflict<'_>> {
        let from = offset.max(self.start());
        let to = (offset + copy.len() as u64).min(self.end);
        let len = usize::try_from(to.checked_sub(from)?).ok()?;
        let ours = self.bytes.get(usize::try_from(from - self.start()).ok()?..)?.get(..len)?;
        let theirs = copy.get(usize::try_from(from - offset).ok()?..)?.get(..len)?;
        if ours == theirs {
            return None;
        }
        let at = ours.iter().zip(theirs).position(|(a, b)| a != b)?;
        let offset = from + at as u64;
        let packet = self.pieces.iter().find(|&&(end, _)| end > offset).map_or(PacketNo(0), |&(_, packet)| packet);
        Some(Conflict { offset, first: ours.get(at..)?, packet })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_difference_and_its_packet() {
        let mut recent = Recent::default();
        recent.push(0, b"abcd", PacketNo(1), 8);
        recent.push(4, b"efgh", PacketNo(2), 8);
        assert_eq!(recent.conflict(2, b"cdef"), None);
        let conflict = recent.conflict(2, b"cdeX").unwrap();
        assert_eq!((conflict.offset, conflict.first, conflict.packet), (5, &b"fgh"[..1], PacketNo(2)));
        assert_eq!(recent.conflict(8, b"new"), None);
    }

    #[test]
    fn forgets_the_oldest() {
        let mut recent = Recent::default();
        for i in 0..100_u64 {
            recent.push(i * 4, b"abcd", PacketNo(i), 8);
            assert!(recent.bytes.len() <= 16 && recent.pieces.len() <= 4);
        }
        assert!(recent.conflict(0, b"zzzz").is_none());
        assert!(recent.conflict(392, b"zbcd").is_some());
        recent.push(1000, b"after a hole", PacketNo(100), 8);
        assert!(recent.conflict(396, b"zzzz").is_none());
    }
}
