//! Screen 5: whose messages are measured, and how what they come to is looked at.

use super::action::Screen;
use super::app::{App, Pane};
use super::events::Events;
use super::find::SLICE;
use super::list::{List, Move};
use super::measures::{Measures, Metric, Moment, WIDTHS};
use crate::book::{Book, MessageId, MessageRow};
use crate::export::sum;
use crate::model::{Connection, Direction, Timestamp};
use std::time::Instant;

/// Columns beside the bars: an arrow, a number, the axis.
pub(super) const fn axis_columns(metric: Metric) -> usize {
    match metric {
        Metric::Bytes => 10,
        Metric::Messages | Metric::Frames => 13,
    }
}

/// Columns that the bar of one bin has at most.
const WIDEST_BAR: usize = 8;

/// After so many messages the clock is asked.
const CLOCK_EVERY: usize = 256;

/// Whose messages count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Extent {
    /// Those of all connections.
    #[default]
    All,
    /// Those of the connections to the host of the selected one.
    Host,
    /// Those of the selected connection.
    Connection,
}

impl Extent {
    const fn next(self) -> Self {
        match self {
            Self::All => Self::Host,
            Self::Host => Self::Connection,
            Self::Connection => Self::All,
        }
    }
}

/// What an [`Extent`] means at present.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Target {
    #[default]
    All,
    Host(String),
    /// By its index.
    Connection(usize),
}

/// The host that a connection leads to: by its name, else by the server's address.
fn host_of(connection: &Connection) -> String {
    connection.host().map_or_else(|| connection.server().ip.to_string(), str::to_owned)
}

/// What is measured, and the view of it.
#[derive(Debug)]
pub(super) struct Stats {
    pub(super) extent: Extent,
    pub(super) metric: Metric,
    direction: Option<Direction>,
    /// The width of bins in nanoseconds that the user wants; else all of them fit on the screen.
    wanted: Option<i64>,
    /// The width with which all of them fit.
    fitting: i64,
    /// The width of bins as they are drawn: a multiple of that in which they are kept.
    width: i64,
    /// Places among the bins as they are drawn, from the left.
    pub(super) chart: List,
    pub(super) sizes: List,
    pub(super) round_trips: List,
    pub(super) types: List,
    pub(super) measures: Measures,
    pub(super) target: Target,
    pub(super) events: Events,
    /// Messages that were looked at: of the book, or of the one connection.
    taken: usize,
    /// The filter that they passed.
    revision: u64,
    /// Which connections lead to the host, by index, as far as was asked.
    members: Vec<bool>,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            extent: Extent::All,
            metric: Metric::Bytes,
            direction: None,
            wanted: None,
            fitting: 0,
            width: 0,
            chart: List::default(),
            sizes: List::default(),
            round_trips: List::default(),
            types: List::default(),
            measures: Measures::new(None),
            target: Target::All,
            events: Events::default(),
            taken: 0,
            revision: 0,
            members: Vec::new(),
        }
    }
}

impl Stats {
    /// Forgets the messages, not what is wanted of them.
    pub(super) fn forget(&mut self) {
        let Self { extent, metric, direction, wanted, .. } = *self;
        *self = Self { extent, metric, direction, wanted, ..Self::default() };
    }

    /// Turns to what is selected. True when nothing of it is measured yet.
    pub(super) fn open(&mut self, book: &Book, selected: Option<usize>, start: Option<Timestamp>) -> bool {
        let connection = selected.and_then(|index| book.connection(index));
        let target = match (self.extent, selected, connection) {
            (Extent::Host, _, Some(connection)) => Target::Host(host_of(connection)),
            (Extent::Connection, Some(index), _) => Target::Connection(index),
            _ => Target::All,
        };
        if target != self.target || self.revision != book.revision() {
            self.forget();
            (self.target, self.revision) = (target, book.revision());
        }
        if self.taken == 0 {
            let own = connection.filter(|_| self.extent == Extent::Connection);
            self.measures = Measures::new(own.map_or(start, |connection| connection.span.first.time));
        }
        self.taken == 0
    }

    /// Messages of the target in the book, those of other hosts included.
    fn len(&self, book: &Book) -> usize {
        match self.target {
            Target::Connection(index) => book.sifted_of(index).len(),
            Target::All | Target::Host(_) => book.sifted(),
        }
    }

    /// Whether there are messages that were not looked at.
    pub(super) fn is_behind(&self, book: &Book) -> bool {
        self.taken < self.len(book) || self.hears(book).is_some()
    }

    /// Percent of the messages whose events were counted, while there are more.
    pub(super) fn hears(&self, book: &Book) -> Option<usize> {
        let len = self.len(book);
        (self.events.taken < len).then(|| self.events.taken * 100 / len)
    }

    /// How much was looked at, while there is more.
    pub(super) fn percent(&self, book: &Book) -> Option<usize> {
        (self.taken < self.len(book)).then(|| self.taken.saturating_mul(100) / self.len(book).max(1))
    }

    /// Measures messages until then, as far as there are any, then counts their events.
    pub(super) fn work(&mut self, book: &mut Book, until: Instant) {
        self.measure(book, until);
        self.hear(book, until);
    }

    fn measure(&mut self, book: &Book, until: Instant) {
        let (before, len) = (self.taken, self.len(book));
        while self.taken < len {
            let row = self.nth(book, self.taken);
            self.taken += 1;
            if let Some(row) = row.filter(|row| book.shows(row.id) && self.is_member(book, row.conn)) {
                self.measures.add(&row);
            }
            if self.taken.is_multiple_of(CLOCK_EVERY) && Instant::now() > until {
                break;
            }
        }
        if self.taken != before {
            self.measures.sum_up();
        }
    }

    /// A message of the target, by its place there; those of other hosts count.
    fn nth(&self, book: &Book, at: usize) -> Option<MessageRow> {
        match self.target {
            Target::Connection(index) => book.messages_of(index).get(at).and_then(|id| book.message(id)),
            Target::All | Target::Host(_) => book.nth(at),
        }
    }

    /// Counts events of messages that are measured, until then.
    fn hear(&mut self, book: &mut Book, until: Instant) {
        while self.events.taken < self.taken {
            let row = self.nth(book, self.events.taken);
            let counted = row.filter(|row| book.shows(row.id) && self.is_member(book, row.conn));
            if counted.is_some_and(|row| !self.events.take(book, row.id, until)) {
                break;
            }
            self.events.taken += 1;
            if self.events.taken.is_multiple_of(CLOCK_EVERY) && Instant::now() > until {
                break;
            }
        }
    }

    fn is_member(&mut self, book: &Book, conn: usize) -> bool {
        let Target::Host(host) = &self.target else { return true };
        for index in self.members.len()..=conn {
            self.members.push(book.connection(index).is_some_and(|connection| host_of(connection) == *host));
        }
        self.members.get(conn).copied().unwrap_or(false)
    }

    /// Brings the chart in step with `columns` of bars and the end of what is measured.
    pub(super) fn settle(&mut self, columns: usize, end: Option<Timestamp>) {
        self.measures.moments.reach(end);
        let kept = self.measures.moments.width();
        let fits = |&&(width, _): &&(i64, &str)| width >= kept && self.bins_of(width) <= columns;
        self.fitting = WIDTHS.iter().find(fits).map_or(kept, |&(width, _)| width);
        let width = self.wanted.unwrap_or(self.fitting).max(kept);
        if width != self.width {
            let there =
                |at: usize| (at as u128 * self.width.unsigned_abs() as u128 / width.unsigned_abs() as u128) as usize;
            (self.chart.cursor, self.chart.top) = (there(self.chart.cursor), there(self.chart.top));
            self.width = width;
            return self.chart.show(self.bins(), self.visible(columns));
        }
        self.chart.settle(self.bins(), self.visible(columns));
    }

    /// How many bins of a width there are.
    fn bins_of(&self, width: i64) -> usize {
        self.measures.moments.all().len().div_ceil(self.together(width))
    }

    /// How many bins as they are kept make one of a width.
    fn together(&self, width: i64) -> usize {
        usize::try_from(width / self.measures.moments.width()).unwrap_or(usize::MAX).max(1)
    }

    /// Bins as they are drawn.
    pub(super) fn bins(&self) -> usize {
        self.bins_of(self.width)
    }

    /// Columns of a bar, where there are so many.
    pub(super) fn bar(&self, columns: usize) -> usize {
        (columns / self.bins().max(1)).clamp(1, WIDEST_BAR)
    }

    /// Bins that so many columns show.
    pub(super) fn visible(&self, columns: usize) -> usize {
        columns / self.bar(columns)
    }

    /// The bins as they are drawn, from one on.
    pub(super) fn moments(&self, from: usize) -> impl Iterator<Item = Moment> + '_ {
        let together = self.together(self.width);
        let kept = self.measures.moments.all().get(from.saturating_mul(together)..).unwrap_or_default();
        kept.chunks(together).map(sum)
    }

    /// The bin under the cursor.
    pub(super) fn moment(&self) -> Moment {
        self.moments(self.chart.cursor).next().unwrap_or_default()
    }

    /// When a bin begins.
    pub(super) fn time_of(&self, bin: usize) -> Option<Timestamp> {
        let since = self.width.saturating_mul(i64::try_from(bin).unwrap_or(i64::MAX));
        Some(Timestamp::from_nanos(self.measures.moments.origin()?.nanos().saturating_add(since)))
    }

    /// Nanoseconds of all bins together.
    pub(super) fn span(&self) -> i64 {
        self.width.saturating_mul(i64::try_from(self.bins()).unwrap_or(i64::MAX))
    }

    /// The width of the bins in nanoseconds, and its name.
    pub(super) fn width(&self) -> (i64, &'static str) {
        let named = WIDTHS.iter().find(|(width, _)| *width == self.width);
        (self.width, named.map_or("", |(_, name)| name))
    }

    /// The directions that are looked at.
    pub(super) const fn dirs(&self) -> &'static [Direction] {
        match self.direction {
            None => &Direction::BOTH,
            Some(Direction::ToServer) => &[Direction::ToServer],
            Some(Direction::ToClient) => &[Direction::ToClient],
        }
    }

    pub(super) const fn next_direction(&mut self) {
        self.direction = match self.direction {
            None => Some(Direction::ToServer),
            Some(Direction::ToServer) => Some(Direction::ToClient),
            Some(Direction::ToClient) => None,
        };
    }

    pub(super) const fn next_extent(&mut self, forward: bool) {
        self.extent = if forward { self.extent.next() } else { self.extent.next().next() };
    }

    /// Longer or shorter bins; what is to be said where there are none.
    pub(super) fn resize_bins(&mut self, longer: bool) -> Option<&'static str> {
        let kept = self.measures.moments.width();
        let mut widths = WIDTHS.iter().map(|&(width, _)| width);
        let next = match longer {
            true if self.bins() < 2 => return Some("all of it is one bin"),
            true => widths.find(|&width| width > self.width),
            false if self.width <= kept => return Some("no shorter bins are kept"),
            false => widths.rfind(|&width| width < self.width),
        };
        self.wanted = next.filter(|&width| width != self.fitting);
        None
    }

    pub(super) fn go(&mut self, step: Move, columns: usize) {
        let (bins, visible) = (self.bins(), self.visible(columns));
        self.chart.go(step, bins, visible);
    }

    /// Goes to the next bin with a message, if there is one.
    pub(super) fn go_to_message(&mut self, forward: bool, columns: usize) -> bool {
        let dirs = self.dirs();
        let cursor = self.chart.cursor;
        let has = |moment: &Moment| moment.first(dirs).is_some();
        let found = if forward {
            self.moments(cursor + 1).position(|moment| has(&moment)).map(|at| cursor + 1 + at)
        } else {
            let before = self.moments(0).take(cursor).enumerate();
            before.filter(|(_, moment)| has(moment)).last().map(|(at, _)| at)
        };
        if let Some(bin) = found {
            self.go(Move::To(bin), columns);
        }
        found.is_some()
    }

    /// The first message of the bin under the cursor.
    pub(super) fn first_message(&self) -> Option<MessageId> {
        self.moment().first(self.dirs())
    }
}

impl App {
    /// Columns of the chart that bars have.
    pub(super) fn chart_columns(&self) -> usize {
        bar_columns(self.stats.metric, self.columns(Pane::Throughput))
    }

    /// Whether the screen shows figures of messages that are not measured yet.
    pub(super) fn is_measuring(&self) -> bool {
        self.screen == Screen::Stats && self.stats.is_behind(&self.book)
    }

    /// Measures what is selected; the chart has so many columns inside.
    pub(super) fn settle_stats(&mut self, columns: usize) {
        let start = self.capture_start().and_then(|mark| mark.time);
        if self.stats.open(&self.book, self.connections.selected(), start) {
            // What is soon done is on the next picture.
            self.stats.work(&mut self.book, Instant::now() + SLICE);
        }
        let end = match self.stats.target {
            Target::Connection(index) => self.book.connection(index).and_then(|connection| connection.span.last.time),
            Target::All | Target::Host(_) => self.load.progress.end,
        };
        self.stats.settle(bar_columns(self.stats.metric, columns), end);
    }

    pub(super) fn resize_bins(&mut self, longer: bool) {
        if let Some(words) = self.stats.resize_bins(longer) {
            self.say(words);
        }
    }

    /// Goes to the next bin with a message.
    pub(super) fn beside_in_chart(&mut self, forward: bool) {
        if !self.stats.go_to_message(forward, self.chart_columns()) {
            self.say(if forward { "no later message" } else { "no earlier message" });
        }
    }

    /// Puts the cursor on the bin in a column of the chart's inside.
    pub(super) fn click_in_chart(&mut self, x: usize) {
        let columns = self.chart_columns();
        if let Some(column) = x.checked_sub(axis_columns(self.stats.metric)) {
            let bin = self.stats.chart.top + column / self.stats.bar(columns);
            self.stats.go(Move::To(bin), columns);
        }
    }
}

/// Columns of bars in so many inside the pane.
pub(super) fn bar_columns(metric: Metric, inside: usize) -> usize {
    inside.saturating_sub(axis_columns(metric)).max(1)
}
