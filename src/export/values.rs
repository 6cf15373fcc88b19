//! What many values come to, in bounded memory.

use crate::filter::{Aggregate, Sum};
use std::mem;

/// Different values that are kept apart; past it, near ones become one.
const MAX_VALUES: usize = 1 << 17;

/// How values are spread, in their own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// Half of them are at most so much.
    pub p50: i64,
    /// 95 % of them are at most so much.
    pub p95: i64,
    /// The most.
    pub max: i64,
}

/// How often each value was seen: exact while they differ in no more than 131 072 ways, or as many as are told, then to the next coarser
/// power of two.
#[derive(Debug)]
pub struct Values {
    /// Different values that are kept apart.
    most: usize,
    /// Values and how often, in order.
    sorted: Vec<(i64, u64)>,
    fresh: Vec<i64>,
    /// Exact, whatever is coarse.
    ends: Option<(i64, i64)>,
    sum: i128,
    count: u64,
    /// Low bits that are dropped.
    coarse: u32,
}

impl Default for Values {
    fn default() -> Self {
        Self::within(MAX_VALUES)
    }
}

impl Values {
    /// So many different ones are kept apart.
    pub(super) const fn within(most: usize) -> Self {
        Self { most, sorted: Vec::new(), fresh: Vec::new(), ends: None, sum: 0, count: 0, coarse: 0 }
    }

    /// One more.
    pub fn add(&mut self, value: i64) {
        self.ends = Some(self.ends.map_or((value, value), |(min, max)| (min.min(value), max.max(value))));
        self.sum += i128::from(value);
        self.count += 1;
        self.fresh.push(value);
        if self.fresh.len() >= self.most {
            self.merge();
        }
    }

    fn merge(&mut self) {
        let mut fresh = mem::take(&mut self.fresh);
        fresh.sort_unstable();
        self.sorted.extend(fresh.into_iter().map(|value| (value, 1)));
        loop {
            let coarse = self.coarse;
            for (value, _) in &mut self.sorted {
                *value = *value >> coarse << coarse;
            }
            // A sort that knows what is in order already: two runs.
            self.sorted.sort_by_key(|(value, _)| *value);
            self.sorted.dedup_by(|next, kept| {
                let is_same = next.0 == kept.0;
                if is_same {
                    kept.1 += next.1;
                }
                is_same
            });
            if self.sorted.len() <= self.most {
                return;
            }
            self.coarse += 1;
        }
    }

    /// How many values.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// How they are spread; `None` where there are none.
    pub fn spread(&mut self) -> Option<Spread> {
        Some(Spread {
            count: self.count(),
            p50: self.exactly(Aggregate::Percentile(50))?,
            p95: self.exactly(Aggregate::Percentile(95))?,
            max: self.exactly(Aggregate::Max)?,
        })
    }

    /// What they come to; `None` where there are none.
    #[expect(clippy::cast_precision_loss, reason = "a mean is no exact number")]
    pub(super) fn come_to(&mut self, aggregate: Aggregate) -> Option<Sum> {
        let (min, max) = self.ends?;
        Some(Sum::Exact(match aggregate {
            Aggregate::Min => min,
            Aggregate::Max => max,
            Aggregate::Sum => self.sum.try_into().unwrap_or(i64::MAX),
            Aggregate::Mean => return Some(Sum::Mean(self.sum as f64 / self.count as f64)),
            Aggregate::Percentile(percent) => self.percentile(percent)?,
        }))
    }

    /// What they come to, exactly: of all but a mean.
    pub(super) fn exactly(&mut self, aggregate: Aggregate) -> Option<i64> {
        match self.come_to(aggregate)? {
            Sum::Exact(sum) => Some(sum),
            Sum::Mean(_) => None,
        }
    }

    /// The smallest value that so many in a hundred do not exceed (nearest rank).
    fn percentile(&mut self, percent: u8) -> Option<i64> {
        if !self.fresh.is_empty() {
            self.merge();
        }
        let rank = u128::from(self.count) * u128::from(percent);
        let mut seen = 0;
        let at_rank = self.sorted.iter().find(|(_, times)| {
            seen += u128::from(*times);
            seen * 100 >= rank
        });
        at_rank.map(|(value, _)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_by_nearest_rank() {
        let mut values = Values::default();
        assert_eq!(values.come_to(Aggregate::Max), None);
        (1..=100).rev().for_each(|value| values.add(value));
        let all = [
            Aggregate::Min,
            Aggregate::Max,
            Aggregate::Sum,
            Aggregate::Percentile(50),
            Aggregate::Percentile(95),
            Aggregate::Percentile(100),
        ];
        assert_eq!(all.map(|aggregate| values.exactly(aggregate).unwrap()), [1, 100, 5050, 50, 95, 100]);
        assert_eq!(values.come_to(Aggregate::Mean), Some(Sum::Mean(50.5)));
        let mut one = Values::default();
        one.add(-7);
        assert_eq!(all.map(|aggregate| one.exactly(aggregate).unwrap()), [-7; 6]);
    }

    #[test]
    fn many_values_stay_bounded_and_near() {
        let mut values = Values::default();
        let count = 4 * MAX_VALUES as i64;
        (0..count).for_each(|value| values.add(value * 1000));
        assert!(values.sorted.len() <= MAX_VALUES);
        assert_eq!((values.count(), values.exactly(Aggregate::Max)), (count as u64, Some((count - 1) * 1000)));
        let middle = values.exactly(Aggregate::Percentile(50)).unwrap();
        assert!((middle - count * 500).abs() < 10_000, "{middle}");
    }
}
