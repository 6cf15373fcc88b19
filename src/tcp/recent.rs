//! The last delivered bytes of one direction, to compare retransmissions with.

use crate::model::PacketNo;
use std::collections::VecDeque;

/// A window over the end of a delivered stream: a ring that grows to its bound, then overwrites its oldest bytes.
#[derive(Debug, Default)]
pub(super) struct Recent {
    ring: Vec<u8>,
    /// Where in the ring the next byte goes: at its end, until it has grown to its bound.
    head: usize,
    /// Stream offset behind the last byte.
    end: u64,
    /// For each delivered piece, the offset behind it and its packet.
    pieces: VecDeque<(u64, PacketNo)>,
}

/// A byte at which two copies disagree.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    /// Its stream offset.
    pub(super) offset: u64,
    /// The beginning of the first copy, from that byte on.
    pub(super) first: Vec<u8>,
    /// The packet that brought the first copy.
    pub(super) packet: PacketNo,
}

impl Recent {
    /// Remembers the bytes at `offset`; returns by how much its memory grew.
    pub(super) fn push(&mut self, offset: u64, bytes: &[u8], packet: PacketNo, bound: usize) -> usize {
        let end = self.head + bytes.len();
        if self.end == offset
            && self.pieces.len() < self.pieces.capacity()
            && end < bound
            && let Some(oldest) = self.ring.get_mut(self.head..end)
        {
            oldest.copy_from_slice(bytes);
            self.head = end;
            self.add_piece(offset + bytes.len() as u64, packet);
            return 0;
        }
        self.grow(offset, bytes, packet, bound)
    }

    /// Remembers bytes for which there is no room yet, or which do not follow the last ones.
    #[inline(never)]
    fn grow(&mut self, offset: u64, bytes: &[u8], packet: PacketNo, bound: usize) -> usize {
        let before = self.memory();
        if self.end != offset {
            self.ring.clear();
            self.pieces.clear();
            self.head = 0;
        }
        self.write(bytes.get(bytes.len().saturating_sub(bound)..).unwrap_or_default(), bound);
        self.add_piece(offset + bytes.len() as u64, packet);
        self.memory().saturating_sub(before)
    }

    /// Notes which packet brought the bytes before `end`, and forgets the pieces that are overwritten.
    fn add_piece(&mut self, end: u64, packet: PacketNo) {
        self.end = end;
        let start = self.start();
        while self.pieces.front().is_some_and(|&(end, _)| end <= start) {
            self.pieces.pop_front();
        }
        self.pieces.push_back((end, packet));
    }

    fn memory(&self) -> usize {
        self.ring.capacity() + self.pieces.capacity() * size_of::<(u64, PacketNo)>()
    }

    fn write(&mut self, bytes: &[u8], bound: usize) {
        let (now, rest) = bytes.split_at(bytes.len().min(bound - self.head));
        match self.ring.get_mut(self.head..self.head + now.len()) {
            Some(old) => old.copy_from_slice(now),
            None => {
                if self.ring.capacity() < self.head + now.len() {
                    let half_more = self.ring.len() + self.ring.len() / 2;
                    let grown = half_more.max(self.head + now.len()).min(bound);
                    self.ring.reserve_exact(grown - self.ring.len());
                }
                self.ring.truncate(self.head);
                self.ring.extend_from_slice(now);
            }
        }
        let head = self.head + now.len();
        self.head = if head < bound { head } else { 0 };
        if !rest.is_empty() {
            self.write(rest, bound);
        }
    }

    /// Forgets everything and gives its memory back; returns how much that was.
    pub(super) fn clear(&mut self) -> usize {
        let freed = self.memory();
        *self = Self::default();
        freed
    }

    fn start(&self) -> u64 {
        self.end - self.ring.len() as u64
    }

    /// The bytes from a stream offset on that is remembered, oldest first.
    fn from(&self, offset: u64) -> Option<impl Iterator<Item = &u8> + Clone> {
        let skip = usize::try_from(offset.checked_sub(self.start())?).ok()?;
        // Until the ring is full its head is its end, and nothing stands before it.
        let (newer, older) = self.ring.split_at_checked(self.head)?;
        Some(older.iter().chain(newer).skip(skip))
    }

    /// The first byte at which another copy of the bytes at `offset` differs from what was delivered, as far as it is remembered; at most `quoted` bytes of the first copy.
    pub(super) fn conflict(&self, offset: u64, copy: &[u8], quoted: usize) -> Option<Conflict> {
        let from = offset.max(self.start());
        let ours = self.from(from)?;
        let theirs = copy.get(usize::try_from(from - offset).ok()?..)?;
        let at = ours.clone().zip(theirs).position(|(a, b)| a != b)?;
        let offset = from + at as u64;
        let packet = self.pieces.iter().find(|&&(end, _)| end > offset).map_or(PacketNo(0), |&(_, packet)| packet);
        Some(Conflict { offset, first: ours.skip(at).take(quoted).copied().collect(), packet })
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
        assert_eq!(recent.conflict(2, b"cdef", 9), None);
        let conflict = recent.conflict(2, b"cdeX", 9).unwrap();
        assert_eq!((conflict.offset, &conflict.first[..], conflict.packet), (5, &b"fgh"[..], PacketNo(2)));
        assert_eq!(recent.conflict(8, b"new", 9), None);
    }

    #[test]
    fn forgets_the_oldest_and_nothing_else() {
        let mut recent = Recent::default();
        let stream: Vec<u8> = (0..2000_u32).map(|n| (n % 251) as u8).collect();
        let mut at = 0;
        for step in (1..60).cycle() {
            if at + step > stream.len() {
                break;
            }
            recent.push(at as u64, &stream[at..at + step], PacketNo(at as u64), 32);
            at += step;
            assert!(recent.ring.len() <= 32 && recent.ring.capacity() <= 32 && recent.pieces.len() <= 32);
            let from = at.saturating_sub(32);
            assert_eq!(recent.conflict(from as u64, &stream[from..at], 9), None);
            for (offset, &byte) in (from as u64..).zip(&stream[from..at]) {
                let conflict = recent.conflict(offset, &[byte ^ 1], 1).unwrap();
                assert_eq!((conflict.offset, conflict.first), (offset, vec![byte]));
            }
            assert_eq!(recent.conflict(0, &[0xff; 8], 9).is_some(), at <= 32 + 7);
        }
        recent.push(5000, b"after a hole", PacketNo(9), 32);
        assert_eq!(recent.conflict(at as u64 - 4, b"zzzz", 9), None);
    }
}
