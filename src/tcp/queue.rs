//! Out-of-order data that waits behind a hole.

use super::half::Budget;
use crate::model::Mark;
use std::collections::{BTreeMap, VecDeque};

/// The pieces of one direction, by stream offset.
///
/// Invariant: none overlaps another, none is empty.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pieces: BTreeMap<u64, Piece>,
    /// Memory that they take.
    cost: usize,
}

/// Bytes, then a tail of known length that the snap length cut off.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) bytes: VecDeque<u8>,
    pub(super) cut: u32,
    /// The packet of its first byte.
    pub(super) brought: Mark,
}

/// Memory that a piece takes beside its bytes.
const PIECE_OVERHEAD: usize = 64;
/// Pieces from which on neighbours are joined: a flood of tiny segments is a few long pieces then, each known by its first packet.
const JOIN_FROM: usize = 64;

impl Piece {
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64 + u64::from(self.cut)
    }

    fn cost(&self) -> usize {
        self.bytes.len() + PIECE_OVERHEAD
    }
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Number of pieces.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Memory that they take, in bytes.
    pub(super) const fn cost(&self) -> usize {
        self.cost
    }

    /// Bytes that were captured.
    pub(super) fn bytes(&self) -> usize {
        self.cost.saturating_sub(self.len() * PIECE_OVERHEAD)
    }

    /// Where the first piece begins.
    pub(super) fn start(&self) -> Option<u64> {
        self.pieces.first_key_value().map(|(&at, _)| at)
    }

    /// The pieces and where they begin, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Piece)> {
        self.pieces.iter().map(|(&at, piece)| (at, piece))
    }

    /// The piece over the byte at `at`, and where it begins.
    pub(super) fn over(&self, at: u64) -> Option<(u64, &Piece)> {
        let (&start, piece) = self.pieces.range(..=at).next_back()?;
        (start + piece.len() > at).then_some((start, piece))
    }

    /// Bytes from `at` on that no piece covers, when `at` itself is not covered.
    pub(super) fn free_from(&self, at: u64) -> u64 {
        self.pieces.range(at..).next().map_or(u64::MAX, |(&next, _)| next - at)
    }

    /// Adds bytes where nothing is.
    pub(super) fn insert(&mut self, at: u64, bytes: &[u8], brought: Mark, budget: &mut Budget) {
        let before = self.cost;
        if self.len() < JOIN_FROM || !self.join(at, bytes, brought) {
            let bytes = VecDeque::from_iter(bytes.iter().copied());
            self.add(at, Piece { bytes, cut: 0, brought });
        }
        budget.queued += self.cost - before;
    }

    /// Adds a stretch that the snap length cut off, where nothing is.
    pub(super) fn insert_cut(&mut self, at: u64, cut: u32, brought: Mark, budget: &mut Budget) {
        self.add(at, Piece { bytes: VecDeque::new(), cut, brought });
        budget.queued += PIECE_OVERHEAD;
    }

    /// Takes the first piece, if it begins at or before `upto`.
    pub(super) fn take(&mut self, upto: u64, budget: &mut Budget) -> Option<Piece> {
        let entry = self.pieces.first_entry().filter(|entry| *entry.key() <= upto)?;
        let piece = entry.remove();
        self.cost = self.cost.saturating_sub(piece.cost());
        budget.queued = budget.queued.saturating_sub(piece.cost());
        Some(piece)
    }

    /// Drops everything.
    pub(super) fn clear(&mut self, budget: &mut Budget) {
        budget.queued = budget.queued.saturating_sub(self.cost);
        *self = Self::default();
    }

    fn add(&mut self, at: u64, piece: Piece) {
        self.cost += piece.cost();
        self.pieces.insert(at, piece);
    }

    /// Adds bytes to the piece that ends where they begin, or begins where they end; false when there is none.
    fn join(&mut self, at: u64, bytes: &[u8], brought: Mark) -> bool {
        if let Some((&start, piece)) = self.pieces.range_mut(..at).next_back()
            && piece.cut == 0
            && start + piece.len() == at
        {
            piece.bytes.extend(bytes);
            self.cost += bytes.len();
            return true;
        }
        let Some(mut piece) = self.pieces.remove(&(at + bytes.len() as u64)) else { return false };
        for &byte in bytes.iter().rev() {
            piece.bytes.push_front(byte);
        }
        piece.brought = brought;
        self.cost += bytes.len();
        self.pieces.insert(at, piece);
        true
    }
}
