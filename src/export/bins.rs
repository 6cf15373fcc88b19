//! Sums over time, in bounded memory.

use crate::model::{Both, Direction, Timestamp};
use std::ops::Range;

/// Bins of bytes at most: past it two become one.
const MAX_BINS: usize = 1000;

/// Nanoseconds of the finest bin.
const FINEST_BIN: i64 = 1_000_000;

/// What a bin holds.
pub trait Bin: Clone + Default {
    /// Two bins, or a bin and one thing more, become one.
    fn add(&mut self, other: &Self);
}

impl Bin for Both<u64> {
    fn add(&mut self, other: &Self) {
        for dir in Direction::BOTH {
            self[dir] = self[dir].saturating_add(other[dir]);
        }
    }
}

/// Bins of one width, which grows with time, so that there are never more than a certain number.
#[derive(Debug)]
pub struct Bins<B = Both<u64>> {
    origin: Option<Timestamp>,
    width: i64,
    bins: Vec<B>,
    most: usize,
    wider: fn(i64) -> i64,
    /// The bin of the last time, and the times that lie in it, in nanoseconds: most times are near the one before.
    last: usize,
    within: Range<i64>,
}

impl Bins {
    /// Bytes of each direction in at most 1000 bins, which begin with `origin`, else with the first time that is added.
    pub const fn new(origin: Option<Timestamp>) -> Self {
        const fn twice(width: i64) -> i64 {
            width.saturating_mul(2)
        }
        Self::with(origin, MAX_BINS, FINEST_BIN, twice)
    }

    /// Adds bytes.
    #[inline]
    pub fn add(&mut self, at: Option<Timestamp>, dir: Direction, bytes: u64) {
        let mut one = Both::default();
        one[dir] = bytes;
        self.put(at, &one);
    }
}

impl<B: Bin> Bins<B> {
    /// At most `most` bins, of `finest` nanoseconds at first; `wider` gives the multiple of a width that comes after it.
    pub const fn with(origin: Option<Timestamp>, most: usize, finest: i64, wider: fn(i64) -> i64) -> Self {
        Self { origin, width: finest, bins: Vec::new(), most, wider, last: 0, within: 0..0 }
    }

    /// Adds to the bin of a time; what has none, or is from before the first bin, counts in the bin that is last or first.
    #[inline]
    pub fn put(&mut self, at: Option<Timestamp>, what: &B) {
        let index = match at {
            Some(at) if self.within.contains(&at.nanos()) => self.last,
            Some(at) => self.index(at),
            None => self.bins.len().saturating_sub(1),
        };
        if self.bins.len() <= index {
            self.bins.resize_with(index + 1, B::default);
        }
        if let Some(bin) = self.bins.get_mut(index) {
            bin.add(what);
        }
    }

    /// The bin of a time, once bins are wide enough to have it.
    fn index(&mut self, at: Timestamp) -> usize {
        let origin = *self.origin.get_or_insert(at);
        let since = at.since(origin).max(0);
        while since / self.width >= i64::try_from(self.most).unwrap_or(i64::MAX) {
            self.widen();
        }
        let begin = at.nanos().saturating_sub(since % self.width);
        self.within = begin..begin.saturating_add(self.width);
        self.last = usize::try_from(since / self.width).unwrap_or(0);
        self.last
    }

    fn widen(&mut self) {
        let width = (self.wider)(self.width);
        let together = usize::try_from(width / self.width).unwrap_or(usize::MAX).max(1);
        self.width = width;
        self.bins = self.bins.chunks(together).map(sum).collect();
    }

    /// Goes on to the end of the capture; no bin stays none.
    pub fn reach(&mut self, end: Option<Timestamp>) {
        if end.is_some() && !self.bins.is_empty() {
            self.put(end, &B::default());
        }
    }

    /// When the first bin begins.
    pub const fn origin(&self) -> Option<Timestamp> {
        self.origin
    }

    /// Nanoseconds of a bin.
    pub const fn width(&self) -> i64 {
        self.width
    }

    /// The bins.
    pub fn all(&self) -> &[B] {
        &self.bins
    }

    /// The bins, for good.
    pub(super) fn into_all(self) -> Vec<B> {
        self.bins
    }
}

/// Several bins as one.
pub fn sum<B: Bin>(bins: &[B]) -> B {
    let mut sum = B::default();
    bins.iter().for_each(|bin| sum.add(bin));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000_000;

    fn at(nanos: i64) -> Option<Timestamp> {
        Some(Timestamp::from_nanos(nanos))
    }

    proptest! {
        #[test]
        fn bins_lose_no_byte(messages in prop::collection::vec((-5..3_000_000_i64, 0..1_000_000_u64), 1..200)) {
            let mut bins = Bins::new(at(0));
            for (millis, bytes) in &messages {
                bins.add(at(millis * 1_000_000), Direction::ToClient, *bytes);
            }
            let last = messages.iter().map(|(millis, _)| *millis).max().unwrap().max(0) * 1_000_000;
            bins.reach(at(last + SECOND));
            prop_assert!(bins.all().len() <= MAX_BINS);
            prop_assert_eq!(bins.all().len() as i64, (last + SECOND) / bins.width() + 1);
            let mut expected = vec![0; bins.all().len()];
            for (millis, bytes) in &messages {
                expected[(millis.max(&0) * 1_000_000 / bins.width()) as usize] += bytes;
            }
            let shown: Vec<u64> = bins.all().iter().map(|bin| bin.to_client).collect();
            prop_assert_eq!(shown, expected);
        }
    }

    #[test]
    fn without_a_message_there_is_no_bin() {
        let mut bins = Bins::new(at(0));
        bins.reach(at(SECOND));
        assert!(bins.all().is_empty());
    }
}
