//! Counts, sizes, throughput and round trips of a whole capture, in bounded memory.

use super::bins::Bins;
use super::values::{Spread, Values};
use super::{Exporter, Form, Out, Totals};
use crate::model::{Both, ConnId, Counts, Event, NoteCode, Severities, Stamp, Timestamp};
use foldhash::HashSet;
use std::mem;
use std::ops::ControlFlow;

/// Figures of a capture.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Packets, streams, connections, first and last time.
    pub totals: Totals,
    /// Connections that are counted: all of them, or with a filter those of which something passed.
    pub connections: u64,
    /// Counts of each direction, summed over all connections.
    pub counts: Both<Counts>,
    /// Round trips from ping to pong, in nanoseconds; `None` when no pong answered a ping.
    pub rtt: Option<Spread>,
    /// Findings, those about the file included.
    pub findings: Severities,
    /// Nanoseconds of a bin; `None` when there is none.
    pub bin_ns: Option<i64>,
    /// Payload bytes of the messages that ended in each bin; the first bin begins with the capture.
    pub bins: Vec<Both<u64>>,
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
            | Event::Resent(_)
            | Event::Exchange(_)
            | Event::Record(_)
            | Event::Carried(_)
            | Event::Tls(_)
            | Event::Closed(_) => {}
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, totals: &Totals, out: &mut Out<'_>) {
        let mut bins = mem::replace(&mut self.bins, Bins::new(None));
        bins.reach(totals.last);
        let figures = Figures {
            totals: totals.clone(),
            connections: self.counted.as_ref().map_or(totals.connections.into(), |counted| counted.len() as u64),
            counts: self.counts,
            rtt: self.round_trips.spread(),
            findings: self.findings,
            bin_ns: (!bins.all().is_empty()).then_some(bins.width()),
            bins: bins.into_all(),
        };
        self.form.stats(&figures, out);
        let _ = out.end_row();
    }
}
