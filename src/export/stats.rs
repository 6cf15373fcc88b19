//! Counts, sizes, throughput and round trips of a whole capture, in bounded memory.

use super::{Exporter, Form, Out, Totals};
use crate::model::{Both, Counts, Direction, Event, NoteCode, Severities, Stamp, Timestamp};
use std::mem;
use std::ops::ControlFlow;
use std::ops::Range;

/// Bins at most: past it two become one.
const MAX_BINS: usize = 1000;

/// Nanoseconds of the finest bin.
const FINEST_BIN: i64 = 1_000_000;

/// Different round trips that are kept apart; past it, near ones become one.
const MAX_ROUND_TRIPS: usize = 1 << 17;

/// Figures of a capture.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Packets, streams, connections, first and last time.
    pub totals: Totals,
    /// Counts of each direction, summed over all connections.
    pub counts: Both<Counts>,
    /// Round trips from ping to pong; `None` when no pong answered a ping.
    pub rtt: Option<Rtt>,
    /// Findings, those about the file included.
    pub findings: Severities,
    /// Nanoseconds of a bin; `None` when there is none.
    pub bin_ns: Option<i64>,
    /// Payload bytes of the messages that ended in each bin; the first bin begins with the capture.
    pub bins: Vec<Both<u64>>,
}

/// Round trips, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rtt {
    /// How many.
    pub count: u64,
    /// Half of them took at most so long.
    pub p50: i64,
    /// 95 % of them took at most so long.
    pub p95: i64,
    /// The longest.
    pub max: i64,
}

/// Adds up a capture and writes its figures at the end.
pub struct Stats {
    form: Box<dyn Form>,
    counts: Both<Counts>,
    findings: Severities,
    bins: Bins,
    round_trips: RoundTrips,
}

impl Stats {
    /// Figures in this form; the first bin begins with `origin`, the time of the first packet.
    pub fn new(origin: Option<Timestamp>, form: Box<dyn Form>) -> Self {
        Self {
            form,
            counts: Both::default(),
            findings: Severities::default(),
            bins: Bins::new(origin),
            round_trips: RoundTrips::default(),
        }
    }
}

impl Exporter for Stats {
    fn event(&mut self, at: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        match event {
            Event::Message(message) => {
                self.counts[message.dir].count(message);
                self.bins.add(at.at.time, message.dir, message.body.len);
                if let Some(rtt) = message.rtt {
                    self.round_trips.add(rtt);
                }
            }
            Event::Note(note) => {
                self.findings.count(note.code.severity());
                if let (NoteCode::TcpGap, Some(dir), Some(_)) = (note.code, note.dir, at.conn) {
                    self.counts[dir].gaps += 1;
                }
            }
            Event::Opened(_)
            | Event::Handshake(_)
            | Event::Frame(_)
            | Event::Record(_)
            | Event::Tls(_)
            | Event::Closed(_) => {}
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, totals: &Totals, out: &mut Out<'_>) {
        let bins = mem::replace(&mut self.bins, Bins::new(None)).finish(totals.last);
        let figures = Figures {
            totals: totals.clone(),
            counts: self.counts,
            rtt: mem::take(&mut self.round_trips).figures(),
            findings: self.findings,
            bin_ns: bins.as_ref().map(|bins| bins.width),
            bins: bins.map_or_else(Vec::new, |bins| bins.bytes),
        };
        self.form.stats(&figures, out);
        let _ = out.end_row();
    }
}

/// Bytes over time: bins of one width, which doubles as time grows, so that there are never more than 1000.
#[derive(Debug)]
pub struct Bins {
    origin: Option<Timestamp>,
    /// Nanoseconds of each.
    pub(super) width: i64,
    pub(super) bytes: Vec<Both<u64>>,
    /// The bin of the last time, and the times that lie in it, in nanoseconds: most times are near the one before.
    last: usize,
    within: Range<i64>,
}

impl Bins {
    /// Bins that begin with `origin`, else with the first time that is added.
    pub const fn new(origin: Option<Timestamp>) -> Self {
        Self { origin, width: FINEST_BIN, bytes: Vec::new(), last: 0, within: 0..0 }
    }

    /// Adds bytes; those without a time, or from before the first bin, count in the bin that is last or first.
    #[inline]
    pub fn add(&mut self, at: Option<Timestamp>, dir: Direction, bytes: u64) {
        let index = match at {
            Some(at) if self.within.contains(&at.nanos()) => self.last,
            Some(at) => self.index(at),
            None => self.bytes.len().saturating_sub(1),
        };
        if self.bytes.len() <= index {
            self.bytes.resize_with(index + 1, Both::default);
        }
        if let Some(bin) = self.bytes.get_mut(index) {
            bin[dir] = bin[dir].saturating_add(bytes);
        }
    }

    /// The bin of a time, once bins are wide enough to have it.
    fn index(&mut self, at: Timestamp) -> usize {
        let origin = *self.origin.get_or_insert(at);
        let since = at.since(origin).max(0);
        while since / self.width >= MAX_BINS as i64 {
            self.widen();
        }
        let begin = at.nanos().saturating_sub(since % self.width);
        self.within = begin..begin.saturating_add(self.width);
        self.last = usize::try_from(since / self.width).unwrap_or(0);
        self.last
    }

    fn widen(&mut self) {
        self.width = self.width.saturating_mul(2);
        let pairs = self
            .bytes
            .chunks(2)
            .map(|pair| Both::from_fn(|dir| pair.iter().map(|bin| bin[dir]).fold(0, u64::saturating_add)));
        self.bytes = pairs.collect();
    }

    /// The bins up to the end of the capture; `None` when no message was added.
    pub(super) fn finish(mut self, end: Option<Timestamp>) -> Option<Self> {
        if self.bytes.is_empty() {
            return None;
        }
        if let Some(end) = end {
            self.add(Some(end), Direction::ToServer, 0);
        }
        Some(self)
    }
}

/// How often each round trip was seen: exact while they differ in no more than 131 072 ways, then to the next coarser power of two nanoseconds.
#[derive(Debug, Default)]
struct RoundTrips {
    /// Nanoseconds and how often, in order.
    sorted: Vec<(i64, u64)>,
    fresh: Vec<i64>,
    max: Option<i64>,
    /// Low bits that are dropped.
    coarse: u32,
}

impl RoundTrips {
    fn add(&mut self, nanos: i64) {
        self.max = self.max.max(Some(nanos));
        self.fresh.push(nanos);
        if self.fresh.len() >= MAX_ROUND_TRIPS {
            self.merge();
        }
    }

    fn merge(&mut self) {
        let fresh = mem::take(&mut self.fresh);
        self.sorted.extend(fresh.into_iter().map(|nanos| (nanos, 1)));
        loop {
            let coarse = self.coarse;
            for (nanos, _) in &mut self.sorted {
                *nanos = *nanos >> coarse << coarse;
            }
            self.sorted.sort_unstable_by_key(|(nanos, _)| *nanos);
            self.sorted.dedup_by(|next, kept| {
                let is_same = next.0 == kept.0;
                if is_same {
                    kept.1 += next.1;
                }
                is_same
            });
            if self.sorted.len() <= MAX_ROUND_TRIPS {
                return;
            }
            self.coarse += 1;
        }
    }

    fn figures(mut self) -> Option<Rtt> {
        self.merge();
        let count = self.sorted.iter().map(|(_, times)| times).sum();
        Some(Rtt { count, p50: self.percentile(count, 50)?, p95: self.percentile(count, 95)?, max: self.max? })
    }

    /// The smallest value that `percent` of all do not exceed (nearest rank).
    fn percentile(&self, count: u64, percent: u64) -> Option<i64> {
        let rank = (count * percent).div_ceil(100);
        let mut seen = 0;
        let at_rank = self.sorted.iter().find(|(_, times)| {
            seen += times;
            seen >= rank
        });
        at_rank.map(|(nanos, _)| *nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000_000;

    fn at(nanos: i64) -> Option<Timestamp> {
        Some(Timestamp::from_nanos(nanos))
    }

    #[test]
    fn percentiles_by_nearest_rank() {
        let mut trips = RoundTrips::default();
        assert!(RoundTrips::default().figures().is_none());
        (1..=100).rev().for_each(|nanos| trips.add(nanos));
        assert_eq!(trips.figures(), Some(Rtt { count: 100, p50: 50, p95: 95, max: 100 }));
        let mut one = RoundTrips::default();
        one.add(7);
        assert_eq!(one.figures(), Some(Rtt { count: 1, p50: 7, p95: 7, max: 7 }));
    }

    #[test]
    fn many_round_trips_stay_bounded_and_near() {
        let mut trips = RoundTrips::default();
        let count = 4 * MAX_ROUND_TRIPS as i64;
        (0..count).for_each(|nanos| trips.add(nanos * 1000));
        assert!(trips.sorted.len() <= MAX_ROUND_TRIPS);
        let rtt = trips.figures().unwrap();
        assert_eq!((rtt.count, rtt.max), (count as u64, (count - 1) * 1000));
        assert!((rtt.p50 - count * 500).abs() < 10_000, "{rtt:?}");
    }

    proptest! {
        #[test]
        fn bins_lose_no_byte(messages in prop::collection::vec((-5..3_000_000_i64, 0..1_000_000_u64), 1..200)) {
            let mut bins = Bins::new(at(0));
            for (millis, bytes) in &messages {
                bins.add(at(millis * 1_000_000), Direction::ToClient, *bytes);
            }
            let last = messages.iter().map(|(millis, _)| *millis).max().unwrap().max(0) * 1_000_000;
            let bins = bins.finish(at(last + SECOND)).unwrap();
            prop_assert!(bins.bytes.len() <= MAX_BINS);
            prop_assert_eq!(bins.bytes.len() as i64, (last + SECOND) / bins.width + 1);
            let mut expected = vec![0; bins.bytes.len()];
            for (millis, bytes) in &messages {
                expected[(millis.max(&0) * 1_000_000 / bins.width) as usize] += bytes;
            }
            let shown: Vec<u64> = bins.bytes.iter().map(|bin| bin.to_client).collect();
            prop_assert_eq!(shown, expected);
        }
    }
}
