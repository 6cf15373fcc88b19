//! The last rows, kept until the end.

use std::collections::VecDeque;

/// A ring of written rows, bounded in number and in bytes; the last one is kept whatever its size.
#[derive(Debug)]
pub(super) struct Tail {
    rows: VecDeque<Vec<u8>>,
    /// Bytes of all rows.
    bytes: usize,
    /// Rows that are wanted.
    wanted: usize,
    /// Bytes that may be kept.
    most: usize,
    /// Rows that were wanted were given up for those behind them.
    is_cut: bool,
    /// What stands above the rows.
    heading: Vec<u8>,
}

impl Tail {
    /// The last `wanted` rows, in no more than `most` bytes.
    pub(super) fn new(wanted: u64, most: usize) -> Self {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        Self { rows: VecDeque::new(), bytes: 0, wanted, most, is_cut: false, heading: Vec::new() }
    }

    /// Puts a line above all rows.
    pub(super) fn head(&mut self, line: &str) {
        self.heading.extend_from_slice(line.as_bytes());
        self.heading.push(b'\n');
    }

    /// Adds a row; the oldest make room for it.
    pub(super) fn push(&mut self, row: &[u8]) {
        // A row that goes lends its room to the one that comes: rows are many, and of a kind.
        let mut room = if self.rows.len() >= self.wanted { self.pop() } else { Vec::new() };
        while self.bytes + row.len() > self.most
            && let Some(oldest) = self.rows.pop_front()
        {
            self.bytes -= oldest.len();
            self.is_cut = true;
        }
        if self.wanted > 0 {
            room.clear();
            room.extend_from_slice(row);
            self.bytes += row.len();
            self.rows.push_back(room);
        }
    }

    fn pop(&mut self) -> Vec<u8> {
        let oldest = self.rows.pop_front().unwrap_or_default();
        self.bytes -= oldest.len();
        oldest
    }

    /// Rows that are kept.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The last of rows that are all known.
    pub(super) fn of<'r, T>(&self, rows: &'r [T]) -> &'r [T] {
        rows.split_at(rows.len().saturating_sub(self.wanted)).1
    }

    /// How many rows are left, where that is fewer than are wanted, because the bytes did not suffice.
    pub(super) fn cut_to(&self) -> Option<usize> {
        (self.is_cut && self.rows.len() < self.wanted).then_some(self.rows.len())
    }

    /// What is kept, in order.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        [&self.heading].into_iter().chain(&self.rows).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is kept is the end of all that was written: as many rows as are wanted and fit, and one at least.
        #[test]
        fn the_last_rows_are_kept(lens in prop::collection::vec(0..30_usize, 0..40), wanted in 0..12_u64, most in 0..120_usize) {
            let mut tail = Tail::new(wanted, most);
            let rows: Vec<Vec<u8>> = lens.iter().enumerate().map(|(at, len)| vec![at as u8; *len]).collect();
            for row in &rows {
                tail.push(row);
                prop_assert!(tail.bytes <= most || tail.rows.len() == 1);
                prop_assert_eq!(tail.bytes, tail.rows.iter().map(Vec::len).sum::<usize>());
                prop_assert!(tail.rows.len() as u64 <= wanted);
            }
            let kept: Vec<Vec<u8>> = tail.rows.iter().cloned().collect();
            prop_assert!(rows.ends_with(&kept));
            let is_short = kept.len() < rows.len().min(wanted as usize);
            if is_short {
                prop_assert_eq!(tail.cut_to(), Some(kept.len()));
            }
            if lens.iter().sum::<usize>() <= most {
                prop_assert!(!is_short && tail.cut_to().is_none());
            }
            prop_assert!(wanted == 0 || rows.is_empty() || !kept.is_empty());
        }
    }
}
