//! Screen 1: which connections there are, in which order, and which one is selected.

use super::columns::{Columns, ConnectionColumn};
use super::list::{List, Move, Pace};
use super::ranking::{Of, Ranking};
use super::rules::Rule;
use crate::book::Book;
use crate::filter::Rows;
use crate::model::{Connection, Direction, EndedBy, Goodbye, Timestamp};
use std::cmp::Ordering;
use std::time::Instant;

/// What the table is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum SortBy {
    #[default]
    Number,
    Stream,
    Duration,
    Client,
    Host,
    ToServer,
    ToClient,
    Bytes,
    End,
    /// The field at that place among the columns.
    Field(usize),
}

impl SortBy {
    const OWN: [Self; 9] = [
        Self::Number,
        Self::Stream,
        Self::Duration,
        Self::Client,
        Self::Host,
        Self::ToServer,
        Self::ToClient,
        Self::Bytes,
        Self::End,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Number => "start",
            Self::Stream => "tcp.stream",
            Self::Duration => "duration",
            Self::Client => "client",
            Self::Host => "host",
            Self::ToServer => "→ messages",
            Self::ToClient => "← messages",
            Self::Bytes => "bytes",
            Self::End => "end",
            Self::Field(_) => "field",
        }
    }

    fn compare(self, a: &Connection, b: &Connection) -> Ordering {
        match self {
            Self::Number => a.id.cmp(&b.id),
            Self::Stream => a.stream.cmp(&b.stream),
            Self::Duration => a.duration().cmp(&b.duration()),
            Self::Client => a.client().cmp(&b.client()),
            Self::Host => a.opened.url.cmp(&b.opened.url).then_with(|| a.server().cmp(&b.server())),
            Self::ToServer => a.counts[Direction::ToServer].messages.cmp(&b.counts[Direction::ToServer].messages),
            Self::ToClient => a.counts[Direction::ToClient].messages.cmp(&b.counts[Direction::ToClient].messages),
            Self::Bytes => a.bytes().cmp(&b.bytes()),
            Self::End => end(a).cmp(&end(b)),
            Self::Field(_) => Ordering::Equal,
        }
    }
}

/// How a connection ended, in a word: the close code, `FIN`, `RST`, `gone` after unanswered pings, the status of a refusal, `open`.
pub(super) fn end(connection: &Connection) -> String {
    let handshake = connection.handshake.as_ref();
    if let Some(status) = handshake.filter(|handshake| handshake.is_refused()).and_then(|handshake| handshake.status) {
        return status.to_string();
    }
    match (&connection.close, connection.ended_by()) {
        (Some((_, Goodbye { code: Some(code), .. })), _) => code.to_string(),
        // RFC 6455 §7.1.5: a Close frame without a code.
        (Some((_, Goodbye { code: None, .. })), _) => "1005".to_owned(),
        (None, Some(EndedBy::Fin)) => "FIN".to_owned(),
        (None, Some(EndedBy::Rst)) => "RST".to_owned(),
        (None, Some(EndedBy::Timeout)) => "gone".to_owned(),
        (None, _) => "open".to_owned(),
    }
}

/// The table's order and the selected row.
#[derive(Debug, Default)]
pub(super) struct Connections {
    pub(super) list: List,
    /// Index in the book of the selected connection; stays when the order changes.
    selected: Option<usize>,
    sort: SortBy,
    reverse: bool,
    /// Indices in the book; `None`: the book's own order.
    order: Option<Vec<usize>>,
    len: usize,
    /// What of the book `order` was made from, and how: it is made again when that changes.
    ordered: Option<(u64, SortBy, bool)>,
    pace: Pace,
    pub(super) columns: Columns<ConnectionColumn, usize>,
    /// By the field that the table is sorted by.
    pub(super) ranking: Ranking<usize>,
    /// Columns of host and path that are scrolled out to the left.
    pub(super) scroll: usize,
}

impl Connections {
    /// With these columns (`None`: the usual ones), and rules for how rows look.
    pub(super) fn new(columns: Option<&[String]>, rules: Vec<Rule>) -> Self {
        Self { columns: Columns::new(columns, rules), ..Self::default() }
    }

    /// Forgets the rows, not their order.
    pub(super) fn forget(&mut self) {
        let mut columns = std::mem::take(&mut self.columns);
        columns.forget();
        *self = Self { sort: self.sort, reverse: self.reverse, columns, ..Self::default() };
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Index in the book of the selected connection.
    pub(super) const fn selected(&self) -> Option<usize> {
        self.selected
    }

    /// Index in the book of the connection in a row.
    pub(super) fn at(&self, row: usize) -> Option<usize> {
        match &self.order {
            Some(order) => order.get(row).copied(),
            None => (row < self.len).then_some(row),
        }
    }

    pub(super) const fn sorting(&self) -> (SortBy, bool) {
        (self.sort, self.reverse)
    }

    /// Takes in what the book has learned; the selection stays on its connection, on its line of the screen.
    /// While a capture is `loading`, a costly order may lag behind.
    pub(super) fn refresh(&mut self, book: &Book, height: usize, loading: bool) {
        let wanted = Some((book.generation(), self.sort, self.reverse));
        if self.sort == SortBy::Number && !self.reverse && book.sift().is_none() {
            self.order = None;
            self.len = book.connections();
        } else if self.ordered != wanted && (!loading || self.pace.is_due()) {
            let mut pace = std::mem::take(&mut self.pace);
            let order = pace.run(|| self.sorted(book));
            self.pace = pace;
            self.len = order.len();
            self.order = Some(order);
            self.ordered = wanted;
        }
        if self.selected.and_then(|index| self.row_of(index)).is_none() && self.len > 0 {
            self.selected = self.at(self.list.cursor.min(self.len - 1));
        }
        if let Some(row) = self.selected.and_then(|index| self.row_of(index)) {
            self.list.top = (self.list.top + row).saturating_sub(self.list.cursor);
            self.list.cursor = row;
        }
        self.list.settle(self.len, height);
    }

    fn sorted(&self, book: &Book) -> Vec<usize> {
        let mut order: Vec<usize> = (0..book.connections()).filter(|&index| book.shows_connection(index)).collect();
        if self.sort == SortBy::Number && !self.reverse {
            return order;
        }
        order.sort_by(|&row, &other| {
            let (Some(a), Some(b)) = (book.connection(row), book.connection(other)) else { return Ordering::Equal };
            let found = match self.sort {
                SortBy::Field(_) => self.ranking.rank(row).cmp(&self.ranking.rank(other)),
                sort => sort.compare(a, b),
            };
            if self.reverse { found.reverse() } else { found }
        });
        order
    }

    fn row_of(&self, index: usize) -> Option<usize> {
        match &self.order {
            Some(order) if self.sort == SortBy::Number && !self.reverse => order.binary_search(&index).ok(),
            Some(order) => order.iter().position(|&at| at == index),
            None => (index < self.len).then_some(index),
        }
    }

    pub(super) fn go(&mut self, step: Move, height: usize) {
        self.list.go(step, self.len, height);
        self.selected = self.at(self.list.cursor);
    }

    /// Selects the connection with that index in the book.
    pub(super) fn select(&mut self, index: usize, height: usize) {
        if let Some(row) = self.row_of(index) {
            self.selected = Some(index);
            self.list.select(row, self.len, height);
        }
    }

    pub(super) fn next_sort(&mut self, book: &Book, height: usize) {
        let by: Vec<SortBy> = SortBy::OWN.into_iter().chain(self.columns.places().map(SortBy::Field)).collect();
        let at = by.iter().position(|&sort| sort == self.sort).map_or(0, |at| at + 1);
        let next = by.get(at).copied().unwrap_or_default();
        self.sort_by(next, false, book, height);
    }

    pub(super) fn reverse(&mut self, book: &Book, height: usize) {
        self.sort_by(self.sort, !self.reverse, book, height);
    }

    /// Sorts by a column that was clicked; a second click reverses.
    pub(super) fn clicked(&mut self, sort: SortBy, book: &Book, height: usize) {
        self.sort_by(sort, sort == self.sort && !self.reverse, book, height);
    }

    /// Ranks the rows by the field that the table is sorted by, where it is, as far as that is not done.
    pub(super) fn rank(&mut self, book: &Book, origin: Option<Timestamp>, is_whole: bool) {
        let SortBy::Field(at) = self.sort else { return };
        let of = Of { field: self.columns.name(at).to_owned(), conns: Vec::new(), is_whole, revision: 0 };
        self.ranking.want(&of, Rows::CONNECTIONS, origin, || (0..book.connections()).collect());
    }

    /// Goes on with that until then.
    pub(super) fn rank_on(&mut self, book: &Book, until: Instant, height: usize) {
        if self.ranking.go_on(book, until) {
            self.ordered = None;
            self.sort_by(self.sort, self.reverse, book, height);
        }
    }

    pub(super) const fn is_sorted_by_field(&self) -> bool {
        matches!(self.sort, SortBy::Field(_))
    }

    /// Sorts by number again, where the table was sorted by a field.
    pub(super) fn stop_ranking(&mut self, book: &Book, height: usize) {
        self.ranking.stop();
        if matches!(self.sort, SortBy::Field(_)) {
            self.sort_by(SortBy::Number, false, book, height);
        }
    }

    fn sort_by(&mut self, sort: SortBy, reverse: bool, book: &Book, height: usize) {
        (self.sort, self.reverse) = (sort, reverse);
        self.refresh(book, height, false);
        self.list.show(self.len, height);
    }
}
