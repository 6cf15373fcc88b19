//! What came before it was clear what it is.

use crate::model::{Direction, Input, Mark, PacketNo, Receipt, Version};
use std::collections::VecDeque;

/// What a held piece costs beside its bytes.
const PIECE_OVERHEAD: usize = 64;
/// Bytes that came before it was clear what they are: a beginning, and how many more came than are held.
#[derive(Default)]
pub(in crate::proto) struct Held {
    pub(in crate::proto) pieces: VecDeque<Piece>,
    pub(in crate::proto) len: usize,
    /// Stream offset behind the last piece.
    pub(in crate::proto) end: u64,
    pub(in crate::proto) dropped: u64,
}

pub(in crate::proto) struct Piece {
    pub(in crate::proto) offset: u64,
    pub(in crate::proto) bytes: Vec<u8>,
    /// How many of the bytes were read.
    pub(in crate::proto) read: usize,
    /// Instead of bytes: how many were lost here.
    pub(in crate::proto) lost: u64,
    /// Whether it is certain that they were so many.
    pub(in crate::proto) exact: bool,
    /// What their receiver told of them.
    receipt: Receipt,
    pub(in crate::proto) brought: Mark,
    /// How far its sender had acknowledged what the other direction said, where that is known.
    heard: Option<u64>,
}

impl Piece {
    /// What is left of it.
    pub(in crate::proto) fn input(&self, dir: Direction, mark: Mark) -> Input<'_> {
        let offset = self.offset + self.read as u64;
        if self.lost > 0 {
            return Input::Gap { dir, offset, len: self.lost, exact: self.exact, receipt: self.receipt, mark };
        }
        let bytes = self.bytes.get(self.read..).unwrap_or_default();
        Input::Data { dir, offset, bytes, brought: self.brought, mark }
    }
}

impl Held {
    pub(in crate::proto) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.dropped == 0
    }

    /// How many bytes, lost ones included, were sent before the answer came that ends at that stream offset: with packets up to the
    /// one that began it, and none of which its sender had it. Where directions are captured one behind the other, that tells.
    pub(in crate::proto) fn bytes_before(&self, (packet, end): (PacketNo, u64)) -> u64 {
        let left = |piece: &Piece| (piece.bytes.len() - piece.read) as u64 + piece.lost;
        let is_early = |piece: &&Piece| piece.heard.is_none_or(|heard| heard < end);
        let count = self.pieces.iter().take_while(|piece| piece.brought.packet <= packet).count();
        // They were behind all pieces.
        let all = count == self.pieces.len() && self.pieces.back().as_ref().is_none_or(is_early);
        let dropped = if all { self.dropped } else { 0 };
        self.pieces.iter().take(count).filter(is_early).map(left).sum::<u64>() + dropped
    }

    /// Whether the bytes begin like a client's frame of that version.
    pub(in crate::proto) fn begins_frame(&self, version: Version) -> bool {
        let known = self.pieces.iter().take_while(|piece| piece.lost == 0);
        let mut bytes = known.flat_map(|piece| piece.bytes.iter().skip(piece.read));
        match (bytes.next(), bytes.next()) {
            (Some(first), _) if version.is_hixie() => matches!(first, 0 | 0x80..),
            (Some(_), Some(_)) if version.has_old_heads() => true,
            (Some(&first), Some(&second)) => is_masked_frame(first, second),
            _ => false,
        }
    }

    /// Whether the bytes begin so, as far as they came with one packet.
    pub(in crate::proto) fn begins(&self, with: &[u8]) -> bool {
        self.pieces.front().is_some_and(|piece| piece.bytes.get(piece.read..).is_some_and(|own| own.starts_with(with)))
    }

    /// Whether the bytes begin like a request (RFC 9112 §3): a method in capitals, a blank, and no frame.
    pub(in crate::proto) fn begins_request(&self) -> bool {
        let Some(piece) = self.pieces.front() else { return false };
        let bytes = piece.bytes.get(piece.read..).unwrap_or_default();
        let method = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        method > 0 && bytes.get(method) == Some(&b' ')
    }

    /// All of it, one piece after the other: tunnels stand in tunnels, and each would hold what is left.
    pub(in crate::proto) fn into_pieces(self, mark: Mark) -> impl Iterator<Item = Piece> {
        let Self { pieces, end: offset, dropped: lost, .. } = self;
        let beyond = Piece {
            offset,
            bytes: Vec::new(),
            read: 0,
            lost,
            exact: true,
            receipt: Receipt::Unknown,
            brought: mark,
            heard: None,
        };
        pieces.into_iter().chain((lost > 0).then_some(beyond))
    }

    /// Counts bytes behind what is held; nothing that follows is held either.
    pub(in crate::proto) fn overflow(&mut self, offset: u64, len: u64) {
        if self.is_empty() {
            self.end = offset;
        }
        self.dropped += len;
    }

    /// Holds the place of bytes that were lost.
    pub(in crate::proto) fn lose(
        &mut self,
        offset: u64,
        (len, exact): (u64, bool),
        receipt: Receipt,
        mark: Mark,
        bound: usize,
    ) {
        if self.dropped > 0 || self.len + PIECE_OVERHEAD > bound {
            return self.overflow(offset, len);
        }
        self.len += PIECE_OVERHEAD;
        self.end = offset + len;
        self.pieces.push_back(Piece {
            offset,
            bytes: Vec::new(),
            read: 0,
            lost: len,
            exact,
            receipt,
            brought: mark,
            heard: None,
        });
    }

    /// Holds a piece, unless that would be more than `bound` bytes; `heard`: how far its sender had acknowledged what the other
    /// direction said.
    pub(in crate::proto) fn push(
        &mut self,
        offset: u64,
        bytes: &[u8],
        (brought, heard): (Mark, Option<u64>),
        bound: usize,
    ) {
        if self.pieces.is_empty() && self.dropped == 0 {
            self.len = 0;
        }
        let len = self.len + bytes.len() + PIECE_OVERHEAD;
        if self.dropped > 0 || len > bound {
            self.overflow(offset, bytes.len() as u64);
        } else {
            self.len = len;
            self.end = offset + bytes.len() as u64;
            self.pieces.push_back(Piece {
                offset,
                bytes: bytes.to_vec(),
                read: 0,
                lost: 0,
                exact: true,
                receipt: Receipt::Unknown,
                brought,
                heard,
            });
        }
    }
}

/// Whether the bytes begin like a masked frame.
pub(in crate::proto) fn begins_frames(bytes: &[u8]) -> bool {
    matches!(*bytes, [first, second, ..] if is_masked_frame(first, second))
}

/// RSV2 and RSV3 clear, a known opcode, the mask bit (RFC 6455 §5.2).
const fn is_masked_frame(first: u8, second: u8) -> bool {
    first & 0x30 == 0 && matches!(first & 0x0f, 0..=2 | 8..=10) && second & 0x80 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_is_what_came_before_the_answer() {
        let mut held = Held::default();
        for packet in [3, 4, 8] {
            let mark = Mark { packet: PacketNo(packet), time: None };
            held.push(10 * packet, &[0; 10], (mark, (packet == 4).then_some(150)), 1000);
        }
        let before = |packet, end| held.bytes_before((PacketNo(packet), end));
        assert_eq!([2, 3, 4, 6, 8].map(|packet| before(packet, 151)), [0, 10, 20, 20, 30]);
        // Who sent the second had the whole answer.
        assert_eq!([2, 3, 4, 6, 8].map(|packet| before(packet, 150)), [0, 10, 10, 10, 20]);
        held.overflow(90, 500);
        assert_eq!([2, 4, 9].map(|packet| held.bytes_before((PacketNo(packet), 151))), [0, 20, 530]);
    }
}
