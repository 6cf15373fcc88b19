//! The last delivered bytes of all streams, to compare retransmissions with.

use crate::model::{Limits, Mark, PacketNo, Timestamp};

/// A log over the ends of all delivered streams: piece behind piece in one ring, which grows to its bound and then overwrites
/// the oldest. Written on and on in one place it stays in the processor's cache, where a ring for each stream would not.
///
/// ```text
/// piece: place of its direction's piece before, stream offset, packet, its time, length (all u64), the bytes
/// ```
#[derive(Debug, Default)]
pub(super) struct Recent {
    ring: Vec<u8>,
    bound: usize,
    /// Bytes written so far, those left free at the end of the ring included: where the next piece goes.
    head: u64,
    /// The same, within the ring.
    at: usize,
}

/// Where a direction's last piece is; the default: it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u64);

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

/// What was delivered at once.
struct Piece<'a> {
    before: Place,
    offset: u64,
    brought: Mark,
    bytes: &'a [u8],
}

/// Bytes before those of a piece: five words.
const HEAD: usize = 40;

/// What stands there for the time of a packet that has none.
const TIMELESS: i64 = i64::MIN;

/// The part of the ring that one piece may take: of longer ones the end is kept.
const PART: usize = 8;

impl Default for Place {
    fn default() -> Self {
        Self(u64::MAX)
    }
}

impl Recent {
    /// Remembers the bytes at `offset` of a direction whose last piece is at `last`; returns where they are.
    #[inline]
    pub(super) fn push(&mut self, last: Place, offset: u64, bytes: &[u8], brought: Mark, limits: &Limits) -> Place {
        self.bound = limits.overlap_total;
        let most = (self.bound / PART).saturating_sub(HEAD);
        if most == 0 {
            return last;
        }
        let skip = bytes.len().saturating_sub(most);
        let (bytes, offset) = (bytes.get(skip..).unwrap_or_default(), offset + skip as u64);
        let len = HEAD + bytes.len();
        if self.at + len > self.bound {
            self.head += (self.bound - self.at) as u64;
            self.at = 0;
        }
        let time = brought.time.map_or(TIMELESS, Timestamp::nanos).cast_unsigned();
        let head = [last.0, offset, brought.packet.0, time, bytes.len() as u64].map(u64::to_le_bytes);
        match self.ring.get_mut(self.at..self.at + len).and_then(|old| old.split_first_chunk_mut::<HEAD>()) {
            Some((old_head, old_bytes)) => {
                old_head.copy_from_slice(head.as_flattened());
                old_bytes.copy_from_slice(bytes);
            }
            None => self.grow(head.as_flattened(), bytes),
        }
        let place = Place(self.head);
        self.head += len as u64;
        self.at += len;
        place
    }

    /// Writes a piece at the end of a ring that has not grown to its bound.
    #[cold]
    fn grow(&mut self, head: &[u8], bytes: &[u8]) {
        self.ring.truncate(self.at);
        let len = HEAD + bytes.len();
        if self.ring.capacity() < self.at + len {
            let half_more = (self.at + self.at / 2).clamp(self.at + len, self.bound);
            self.ring.reserve_exact(half_more - self.at);
        }
        self.ring.extend_from_slice(head);
        self.ring.extend_from_slice(bytes);
    }

    /// A direction's pieces, the last first, as far as they are there and the bound allows.
    fn pieces(&self, last: Place, limits: &Limits) -> impl Iterator<Item = Piece<'_>> {
        let last = self.piece(last);
        std::iter::successors(last, |piece| self.piece(piece.before)).take(limits.overlap_pieces)
    }

    fn piece(&self, Place(place): Place) -> Option<Piece<'_>> {
        // What lies farther back is overwritten.
        if place >= self.head || self.head - place > self.bound as u64 {
            return None;
        }
        let at = usize::try_from(place % self.bound as u64).ok()?;
        let (head, rest) = self.ring.get(at..)?.split_first_chunk::<HEAD>()?;
        let &[before, offset, packet, time, len] = head.as_chunks().0 else { return None };
        let [before, offset, packet, time, len] = [before, offset, packet, time, len].map(u64::from_le_bytes);
        let bytes = rest.get(..usize::try_from(len).ok()?)?;
        let time = Some(time.cast_signed()).filter(|&time| time != TIMELESS).map(Timestamp::from_nanos);
        let brought = Mark { packet: PacketNo(packet), time };
        Some(Piece { before: Place(before), offset, brought, bytes })
    }

    /// The packet that brought the byte at `offset`, as far as that is remembered.
    pub(super) fn brought(&self, last: Place, offset: u64, limits: &Limits) -> Option<Mark> {
        let piece = self.pieces(last, limits).find(|piece| piece.offset <= offset)?;
        (offset < piece.end()).then_some(piece.brought)
    }

    /// The first byte at which another copy of the bytes at `offset` differs from what was delivered, as far as that is
    /// remembered; at most `quoted` bytes of the first copy.
    pub(super) fn conflict(
        &self,
        last: Place,
        offset: u64,
        copy: &[u8],
        quoted: usize,
        limits: &Limits,
    ) -> Option<Conflict> {
        let pieces = || self.pieces(last, limits).take_while(|piece| piece.end() > offset);
        let differs = |piece: &Piece<'_>| {
            let from = piece.offset.max(offset);
            let ours = piece.bytes.get(usize::try_from(from - piece.offset).ok()?..)?;
            let theirs = copy.get(usize::try_from(from - offset).ok()?..)?;
            let at = ours.iter().zip(theirs).position(|(a, b)| a != b)?;
            Some((from + at as u64, piece.brought.packet))
        };
        let (at, packet) = pieces().filter_map(|piece| differs(&piece)).last()?;
        // Joined from their end, as far as they follow each other.
        let (mut first, mut begin) = (Vec::new(), u64::MAX);
        for piece in pieces().take_while(|piece| piece.end() > at) {
            if piece.end() != begin {
                first.clear();
            }
            let skip = usize::try_from(at.saturating_sub(piece.offset)).unwrap_or(usize::MAX);
            first.splice(..0, piece.bytes.iter().skip(skip).take(quoted).copied());
            first.truncate(quoted);
            begin = piece.offset;
        }
        Some(Conflict { offset: at, first, packet })
    }
}

impl Piece<'_> {
    /// The stream offset behind it.
    const fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { overlap_total: 1024, ..Limits::DEFAULT };

    /// Every other packet has a time.
    fn mark(packet: u64) -> Mark {
        let time = packet.is_multiple_of(2).then(|| Timestamp::from_nanos(packet.cast_signed() - 50));
        Mark { packet: PacketNo(packet), time }
    }

    /// A log, and the last piece of one direction in it.
    #[derive(Default)]
    struct One {
        recent: Recent,
        last: Place,
    }

    impl One {
        fn push(&mut self, offset: u64, bytes: &[u8], packet: u64) {
            self.last = self.recent.push(self.last, offset, bytes, mark(packet), &LIMITS);
        }

        fn conflict(&self, offset: u64, copy: &[u8]) -> Option<(u64, Vec<u8>, u64)> {
            let conflict = self.recent.conflict(self.last, offset, copy, 9, &LIMITS)?;
            Some((conflict.offset, conflict.first, conflict.packet.0))
        }
    }

    #[test]
    fn finds_the_first_difference_and_its_packet() {
        let mut one = One::default();
        one.push(0, b"abcd", 1);
        one.push(4, b"efgh", 2);
        assert_eq!(one.conflict(2, b"cdef"), None);
        assert_eq!(one.conflict(2, b"cdeX"), Some((5, b"fgh".to_vec(), 2)));
        assert_eq!(one.conflict(2, b"XdeX"), Some((2, b"cdefgh".to_vec(), 1)));
        assert_eq!(one.conflict(8, b"new"), None);
    }

    #[test]
    fn a_hole_is_not_compared() {
        let mut one = One::default();
        one.push(0, b"abcd", 1);
        one.push(6, b"ghij", 2);
        assert_eq!(one.conflict(2, b"cdXXgh"), None);
        assert_eq!(one.conflict(3, b"X"), Some((3, b"d".to_vec(), 1)), "what is behind the hole is no part of it");
    }

    #[test]
    fn of_a_long_piece_the_end_is_kept() {
        let mut one = One::default();
        one.push(0, &[b'a'; 5000], 1);
        assert_eq!(one.conflict(0, &[b'b'; 4900]), None);
        assert_eq!(one.conflict(4912, b"ab"), Some((4913, vec![b'a'; 9], 1)));
    }

    #[test]
    fn without_room_nothing_is_remembered() {
        let mut recent = Recent::default();
        let limits = Limits { overlap_total: 64, ..Limits::DEFAULT };
        let last = recent.push(Place::default(), 0, b"abcd", mark(1), &limits);
        assert_eq!(recent.conflict(last, 0, b"X", 9, &limits), None);
        assert_eq!(recent.ring.capacity(), 0);
    }

    proptest! {
        /// Several directions in one log: each is compared with its own bytes, and what is not remembered with none.
        #[test]
        fn directions_do_not_disturb_each_other(pieces in prop::collection::vec((0..3_usize, 1..60_usize), 1..200)) {
            let mut recent = Recent::default();
            let (mut lasts, mut sent) = ([Place::default(); 3], [const { Vec::<u8>::new() }; 3]);
            for (packet, &(dir, len)) in pieces.iter().enumerate() {
                let bytes: Vec<u8> = (0..len).map(|n| (packet * 7 + n + dir) as u8).collect();
                let brought = mark(packet as u64);
                lasts[dir] = recent.push(lasts[dir], sent[dir].len() as u64, &bytes, brought, &LIMITS);
                sent[dir].extend(bytes);
                prop_assert!(recent.ring.capacity() <= LIMITS.overlap_total);
                for (last, sent) in lasts.iter().zip(&sent) {
                    prop_assert_eq!(recent.conflict(*last, 0, sent, 9, &LIMITS), None);
                    let near = sent.len().saturating_sub(20);
                    let mut other = sent[near..].to_vec();
                    if let Some(last) = other.last_mut() {
                        *last ^= 1;
                    }
                    let found = recent.conflict(*last, near as u64, &other, 9, &LIMITS);
                    if let Some(found) = found {
                        prop_assert_eq!((found.offset + 1, found.first.last()), (sent.len() as u64, sent.last()));
                    }
                }
                let own = recent.conflict(lasts[dir], sent[dir].len() as u64 - 1, &[!sent[dir].last().unwrap()], 9, &LIMITS);
                prop_assert_eq!(own.map(|own| own.packet), Some(brought.packet), "the last piece is always there");
                let found = recent.brought(lasts[dir], sent[dir].len() as u64 - 1, &LIMITS);
                prop_assert_eq!(found, Some(brought));
                prop_assert_eq!(recent.brought(lasts[dir], sent[dir].len() as u64, &LIMITS), None);
            }
        }
    }
}
