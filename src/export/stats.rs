//! Counts, sizes, throughput and round trips of a whole capture, in bounded memory.

use super::values::Values;
use super::{Exporter, Form, Out, Totals};
use crate::filter::Aggregate;
use crate::model::{Both, ConnId, Counts, Direction, Event, NoteCode, Severities, Stamp, Timestamp};
use foldhash::HashSet;
use std::mem;
use std::ops::ControlFlow;
use std::ops::Range;

/// Bins at most: past it two become one.
const MAX_BINS: usize = 1000;

/// Nanoseconds of the finest bin.
const FINEST_BIN: i64 = 1_000_000;

/// Figures of a capture.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Packets, streams, connections, first and last time.
    pub totals: Totals,
    /// Connections that are counted: all of them, or with a filter those of which something passed.
    pub connections: u64,
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

impl Rtt {
    /// What round trips come to; `None` where there are none.
    fn of(trips: &mut Values) -> Option<Self> {
        Some(Self {
            count: trips.count(),
            p50: trips.exactly(Aggregate::Percentile(50))?,
            p95: trips.exactly(Aggregate::Percentile(95))?,
            max: trips.exactly(Aggregate::Max)?,
        })
    }
}

/// Adds up a capture and writes its figures at the end.
pub struct Stats {
    form: Box<dyn Form>,
    /// Connections of which something was counted, where a filter leaves some out.
    counted: Option<HashSet<ConnId>>,
    counts: Both<Counts>,
    findings: Severities,
    bins: Bins,
    round_trips: Values,
}

impl Stats {
    /// Figures in this form; the first bin begins with `origin`, the time of the first packet.
    pub fn new(origin: Option<Timestamp>, form: Box<dyn Form>) -> Self {
        Self {
            form,
            counted: None,
            counts: Both::default(),
            findings: Severities::default(),
            bins: Bins::new(origin),
            round_trips: Values::default(),
        }
    }
}

impl Stats {
    /// Only connections count of which something passes a filter.
    #[must_use]
    pub fn filtered(mut self, is_filtered: bool) -> Self {
        self.counted = is_filtered.then(HashSet::default);
        self
    }
}

impl Exporter for Stats {
    fn event(&mut self, at: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        if let (Some(counted), Event::Message(_) | Event::Note(_)) = (&mut self.counted, event) {
            counted.extend(at.conn);
        }
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
            | Event::Carried(_)
            | Event::Tls(_)
            | Event::Closed(_) => {}
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, totals: &Totals, out: &mut Out<'_>) {
        let bins = mem::replace(&mut self.bins, Bins::new(None)).finish(totals.last);
        let figures = Figures {
            totals: totals.clone(),
            connections: self.counted.as_ref().map_or(totals.connections.into(), |counted| counted.len() as u64),
            counts: self.counts,
            rtt: Rtt::of(&mut self.round_trips),
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
