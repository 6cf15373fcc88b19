//! Out-of-order data that waits behind a hole.

use super::half::Budget;
use crate::model::{Mark, Overlap};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

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
    /// The bytes of the segment that it is of.
    whole: Range<u64>,
}

/// The segment that bytes are of.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// Its packet.
    pub(super) brought: Mark,
    /// All its bytes.
    pub(super) whole: Range<u64>,
}

/// Memory that a piece takes beside its bytes.
const PIECE_OVERHEAD: usize = 88;
const _: () = assert!(size_of::<(u64, Piece)>() <= PIECE_OVERHEAD);
/// Pieces from which on neighbours are joined: a flood of tiny segments is a few long pieces then, each known by its first packet.
const JOIN_FROM: usize = 64;

impl Piece {
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64 + u64::from(self.cut)
    }

    fn cost(&self) -> usize {
        self.bytes.len() + PIECE_OVERHEAD
    }

    /// Whether it tells only what was cut off.
    fn is_cut(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes of the segment that it is of.
    pub(super) const fn whole(&self) -> &Range<u64> {
        &self.whole
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

    /// Whether the byte at `at` was cut off.
    pub(super) fn is_cut(&self, at: u64) -> bool {
        self.over(at).is_some_and(|(_, piece)| piece.is_cut())
    }

    /// Where what is missing at `at` ends: at the first piece, or behind it where it begins there and was cut off.
    pub(super) fn hole_end(&self, at: u64) -> Option<u64> {
        let (&start, piece) = self.pieces.first_key_value()?;
        Some(if start == at && piece.is_cut() { start + piece.len() } else { start })
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
    pub(super) fn insert(&mut self, at: u64, bytes: &[u8], origin: &Origin, budget: &mut Budget) {
        let before = self.cost;
        // Which copy replaces another may depend on the segment that each is of.
        let may_join = self.len() >= JOIN_FROM && budget.overlap == Overlap::First;
        if !may_join || !self.join(at, bytes, origin.brought) {
            let bytes = VecDeque::from_iter(bytes.iter().copied());
            self.add(at, Piece { bytes, cut: 0, brought: origin.brought, whole: origin.whole.clone() });
        }
        budget.queued += self.cost - before;
    }

    /// Adds a stretch that the snap length cut off, where nothing is.
    pub(super) fn insert_cut(&mut self, at: u64, cut: u32, origin: &Origin, budget: &mut Budget) {
        let whole = origin.whole.clone();
        self.add(at, Piece { bytes: VecDeque::new(), cut, brought: origin.brought, whole });
        budget.queued += PIECE_OVERHEAD;
    }

    /// Puts bytes in the place of some that were cut off, those at `at` in the piece that begins at `start`; returns how many.
    pub(super) fn fill(&mut self, start: u64, at: u64, bytes: &[u8], origin: &Origin, budget: &mut Budget) -> u64 {
        let Some(piece) = self.remove(start, budget) else { return 0 };
        let end = start + piece.len();
        let len = (end - at).min(bytes.len() as u64);
        self.add_cut(start..at, &piece, budget);
        self.add_cut(at + len..end, &piece, budget);
        self.insert(at, bytes.get(..usize::try_from(len).unwrap_or(usize::MAX)).unwrap_or(bytes), origin, budget);
        len
    }

    /// What was cut off before `to` will not come any more.
    pub(super) fn pass(&mut self, to: u64, budget: &mut Budget) {
        while let Some((&start, piece)) = self.pieces.first_key_value()
            && start < to
            && piece.is_cut()
            && let Some(piece) = self.remove(start, budget)
        {
            self.add_cut(to..start + piece.len(), &piece, budget);
        }
    }

    /// Adds what is left of a piece that was cut off, if anything is.
    fn add_cut(&mut self, left: Range<u64>, of: &Piece, budget: &mut Budget) {
        let cut = u32::try_from(left.end.saturating_sub(left.start)).unwrap_or(u32::MAX);
        if cut > 0 {
            self.insert_cut(left.start, cut, &Origin { brought: of.brought, whole: of.whole.clone() }, budget);
        }
    }

    /// Puts bytes in the place of those at `at`, which are in the piece that begins at `start`.
    pub(super) fn replace(&mut self, start: u64, at: u64, bytes: &[u8], origin: &Origin, budget: &mut Budget) {
        let Some(mut left) = self.remove(start, budget) else { return };
        let before = self.cost;
        let skip = usize::try_from(at - start).unwrap_or(usize::MAX).min(left.bytes.len());
        let mut old = left.bytes.split_off(skip);
        let rest = old.split_off(bytes.len().min(old.len()));
        let right =
            Piece { bytes: rest, cut: std::mem::take(&mut left.cut), brought: left.brought, whole: left.whole.clone() };
        let new = bytes.get(..old.len()).unwrap_or_default();
        let behind = at + new.len() as u64;
        let new = Piece {
            bytes: new.iter().copied().collect(),
            cut: 0,
            brought: origin.brought,
            whole: origin.whole.clone(),
        };
        for (at, piece) in [(start, left), (at, new), (behind, right)] {
            if piece.len() > 0 {
                self.add(at, piece);
            }
        }
        budget.queued += self.cost - before;
    }

    /// Takes the first piece, if it begins at or before `upto`; where copies are waited for, none that was cut off.
    pub(super) fn take(&mut self, upto: u64, budget: &mut Budget) -> Option<Piece> {
        let (&start, _) = self.pieces.first_key_value().filter(|(_, piece)| !(budget.copied && piece.is_cut()))?;
        if start <= upto { self.remove(start, budget) } else { None }
    }

    fn remove(&mut self, start: u64, budget: &mut Budget) -> Option<Piece> {
        let piece = self.pieces.remove(&start)?;
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
