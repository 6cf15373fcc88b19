//! Sorting many rows: a few milliseconds at a time, so that keys are answered meanwhile.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;
use std::vec::IntoIter;

/// Rows that can be sorted; of more the keys would take too much memory.
pub(super) const MOST: usize = 4_000_000;

/// Rows that are sorted at once.
const RUN: usize = 1 << 15;

/// Rows between two looks at the clock.
const AT_ONCE: usize = 256;

/// Rows in their order, as far as they are sorted.
#[derive(Debug)]
pub(super) struct Order<Id> {
    /// Those of the last time that all were.
    pub(super) sorted: Vec<Id>,
    job: Option<Job<Id>>,
}

impl<Id> Default for Order<Id> {
    fn default() -> Self {
        Self { sorted: Vec::new(), job: None }
    }
}

/// Rows on their way to be sorted: in runs, which are then merged.
#[derive(Debug)]
struct Job<Id> {
    /// How many rows there were when it began.
    len: usize,
    /// Rows that have their keys.
    keyed: usize,
    run: Vec<(u64, Id)>,
    runs: Vec<IntoIter<(u64, Id)>>,
    /// The first row of each run that is left.
    heads: BinaryHeap<Reverse<(u64, Id, usize)>>,
    merged: Vec<Id>,
}

impl<Id: Copy + Ord> Order<Id> {
    /// Whether so many rows are sorted, or too many to be.
    pub(super) const fn is_done(&self, len: usize) -> bool {
        self.sorted.len() == len || len > MOST
    }

    /// Goes on to sort `rows` until then. Equal keys stay in the order of the rows.
    pub(super) fn go_on(&mut self, rows: &[Id], mut key: impl FnMut(Id) -> u64, until: Instant) {
        if self.is_done(rows.len()) {
            return;
        }
        let new = || Job {
            len: rows.len(),
            keyed: 0,
            run: Vec::new(),
            runs: Vec::new(),
            heads: BinaryHeap::new(),
            merged: Vec::new(),
        };
        let mut job = self.job.take().unwrap_or_else(new);
        if job.go_on(rows, &mut key, until) {
            self.sorted = job.merged;
        } else {
            self.job = Some(job);
        }
    }
}

impl<Id: Copy + Ord> Job<Id> {
    /// True when it is done.
    fn go_on(&mut self, rows: &[Id], key: &mut impl FnMut(Id) -> u64, until: Instant) -> bool {
        while self.keyed < self.len {
            let more = rows.get(self.keyed..self.len.min(self.keyed + AT_ONCE)).unwrap_or_default();
            self.run.extend(more.iter().map(|&id| (key(id), id)));
            self.keyed += more.len().max(1);
            if self.run.len() >= RUN || self.keyed >= self.len {
                let mut run = std::mem::take(&mut self.run);
                run.sort_unstable();
                let mut run = run.into_iter();
                self.heads.extend(run.next().map(|(key, id)| Reverse((key, id, self.runs.len()))));
                self.runs.push(run);
            }
            if Instant::now() >= until {
                return false;
            }
        }
        while let Some(Reverse((_, id, from))) = self.heads.pop() {
            self.merged.push(id);
            let next = self.runs.get_mut(from).and_then(Iterator::next);
            self.heads.extend(next.map(|(key, id)| Reverse((key, id, from))));
            if self.merged.len().is_multiple_of(AT_ONCE) && Instant::now() >= until {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn sorts_bit_by_bit_what_is_sorted_at_once() {
        let rows: Vec<u32> = (0..100_000).collect();
        let key = |id: u32| u64::from(id.wrapping_mul(2_654_435_761) >> 20);
        let mut expected = rows.clone();
        expected.sort_by_key(|&id| key(id));
        let (mut order, mut times) = (Order::default(), 0);
        while !order.is_done(rows.len()) {
            assert!(order.sorted.is_empty());
            order.go_on(&rows, key, Instant::now());
            times += 1;
        }
        assert!(order.sorted == expected && times > 100, "{times}");
        // With more rows the old order stays until the new one is there.
        let more: Vec<u32> = (0..100_001).collect();
        order.go_on(&more, key, Instant::now());
        assert!(order.sorted == expected);
        order.go_on(&more, key, Instant::now() + Duration::from_secs(60));
        assert_eq!(order.sorted.len(), more.len());
    }
}
