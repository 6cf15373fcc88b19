//! Screen 2, left: the messages of one connection, or of several of one client, in which order, which of them, and which one is
//! selected.

use super::columns::{Columns, MessageColumn};
use super::find::SLICE;
use super::ladder::Layout;
use super::list::{List, Move, Pace};
use super::ranking::{Of, Ranking};
use super::rules::Rule;
use super::sorting::{self, Order};
use crate::book::{Book, Ids, MessageId, MessageRow};
use crate::filter::Rows;
use crate::model::{Direction, Ip, Opcode, Severity, Timestamp};
use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, Instant};

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum SortBy {
    #[default]
    Number,
    Type,
    Length,
    /// The field at that place among the columns.
    Field(usize),
}

impl SortBy {
    const OWN: [Self; 3] = [Self::Number, Self::Type, Self::Length];

    fn key(self, row: &MessageRow, ranking: &Ranking<MessageId>) -> u64 {
        match self {
            Self::Number => row.number,
            Self::Type => row.opcode.0.into(),
            Self::Length => row.len,
            Self::Field(_) => ranking.rank(row.id).into(),
        }
    }
}

/// How far connections were heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Stamp {
    /// Changes where all is heard anew.
    revision: u64,
    heard: usize,
}

/// How far back the message before another one is looked for.
const BEFORE_WITHIN: usize = 1000;

/// How far the search for a ping's pong goes.
const RELATED_WITHIN: usize = 10_000;

/// Messages that are looked at before the clock is asked.
const CLOCK_EVERY: usize = 256;

/// Connections of one client that are shown together.
const MAX_LANES: usize = 8;

/// A connection whose messages are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lane {
    conn: usize,
    /// Messages of it that were looked at.
    taken: usize,
}

/// The list's order, what it leaves out, and the selected row.
#[derive(Debug, Default)]
pub(super) struct Messages {
    pub(super) list: List,
    /// The connection that is looked at.
    conn: Option<usize>,
    /// It, or those of its client.
    lanes: Vec<Lane>,
    /// Connections that were looked at for `lanes`.
    known: usize,
    /// Show those of the same client, too.
    of_client: bool,
    selected: Option<MessageId>,
    /// What the user went to: selected again when a rule no longer hides it.
    wished: Option<MessageId>,
    /// The filter that `picked` was made with.
    revision: u64,
    /// The rows when they are not simply all of the connection's, in the order of the book, as far as they were picked.
    picked: Option<Vec<MessageId>>,
    /// What it has cost so far to pick them anew, while that goes on.
    cost: Option<Duration>,
    /// The same in the order of the list, where that is another.
    order: Order<MessageId>,
    /// The selected row is hidden, or not picked so far.
    is_sought: bool,
    /// Only this direction.
    direction: Option<Direction>,
    /// Hide pings and pongs, and messages that only keep the connection alive.
    hide_pings: bool,
    /// Which messages were heard when that was last looked at, and how often it may be.
    heard: (Stamp, Pace),
    sort: SortBy,
    reverse: bool,
    pace: Pace,
    pub(super) layout: Layout,
    pub(super) columns: Columns<MessageColumn, MessageId>,
    /// By the field that the list is sorted by.
    pub(super) ranking: Ranking<MessageId>,
    /// Columns of the preview that are scrolled out to the left.
    pub(super) scroll: usize,
    /// Where the user was in other connections.
    remembered: HashMap<usize, MessageId>,
}

impl Messages {
    /// With these columns (`None`: the usual ones), and rules for how rows look.
    pub(super) fn new(columns: Option<&[String]>, rules: Vec<Rule>) -> Self {
        Self { columns: Columns::new(columns, rules), ..Self::default() }
    }

    /// Forgets the rows, not which of them are shown and how.
    pub(super) fn forget(&mut self) {
        let Self { direction, hide_pings, sort, reverse, layout, of_client, .. } = *self;
        let mut columns = std::mem::take(&mut self.columns);
        columns.forget();
        *self = Self { direction, hide_pings, sort, reverse, layout, of_client, columns, ..Self::default() };
    }

    pub(super) const fn conn(&self) -> Option<usize> {
        self.conn
    }

    /// The connections whose messages are shown.
    pub(super) fn conns(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.lanes.iter().map(|lane| lane.conn)
    }

    /// Whether those of several connections are shown.
    pub(super) const fn has_several(&self) -> bool {
        self.lanes.len() > 1
    }

    pub(super) const fn is_of_client(&self) -> bool {
        self.of_client
    }

    /// How many messages of these connections were heard.
    pub(super) fn heard_of(&self, book: &Book) -> usize {
        self.conns().map(|conn| book.heard_of(conn)).sum()
    }

    /// Messages of the connections that are shown, also those that a rule hides.
    pub(super) fn all(&self, book: &Book) -> usize {
        self.conns().map(|conn| book.messages_of(conn).len()).sum()
    }

    pub(super) const fn selected(&self) -> Option<MessageId> {
        self.selected
    }

    pub(super) const fn direction(&self) -> Option<Direction> {
        self.direction
    }

    pub(super) const fn hides_pings(&self) -> bool {
        self.hide_pings
    }

    pub(super) const fn sorting(&self) -> (SortBy, bool) {
        (self.sort, self.reverse)
    }

    /// The rows.
    pub(super) fn ids<'a>(&'a self, book: &'a Book) -> Ids<'a> {
        match (&self.picked, self.conn) {
            (Some(_), _) if self.shows_sorted() => Ids::from(&*self.order.sorted),
            (Some(picked), _) => Ids::from(&**picked),
            (None, Some(conn)) => book.messages_of(conn),
            (None, None) => Ids::from(&[][..]),
        }
    }

    /// Takes in what the book has learned; the selection stays on its message, on its line of the screen.
    /// While a capture is `loading`, a sorted list may lag behind.
    pub(super) fn refresh(&mut self, book: &Book, height: usize, loading: bool) {
        let Some(conn) = self.conn else { return };
        if std::mem::replace(&mut self.revision, book.revision()) != book.revision() {
            return self.pick_again(book, height);
        }
        let stamp = Stamp { revision: book.hearing_revision(), heard: self.heard_of(book) };
        // With the last of them there is no later time.
        let is_due = self.heard.1.is_due() || !loading && stamp.heard == self.all(book);
        if self.hide_pings && self.heard.0 != stamp && is_due && !self.is_behind(book, loading) {
            self.heard.0 = stamp;
            return self.pick_again(book, height);
        }
        self.add_lanes(book, conn);
        self.take_in(book, loading, Instant::now() + SLICE / 2);
        if self.is_sought && !self.may_come(book) {
            self.is_sought = false;
            if self.selected.is_some_and(|id| self.row_of(book, id).is_none()) {
                self.selected = self.nearest(book);
            }
            self.follow_selected(book);
            self.list.show(self.ids(book).len(), height);
        }
        let (first, len) = (self.ids(book).first(), self.ids(book).len());
        if self.selected.is_none() {
            self.selected = first;
        }
        self.follow_selected(book);
        self.list.settle(len, height);
    }

    /// The selected message stays on its line of the screen.
    fn follow_selected(&mut self, book: &Book) {
        if let Some(row) = self.selected.and_then(|id| self.row_of(book, id)) {
            self.list.top = (self.list.top + row).saturating_sub(self.list.cursor);
            self.list.cursor = row;
        }
    }

    /// Whether the selected message may come yet, of those that were not picked.
    fn may_come(&self, book: &Book) -> bool {
        if self.shows_sorted() {
            return self.has_more(book) || self.is_unsorted();
        }
        let last = self.picked.as_ref().and_then(|picked| picked.last().copied());
        self.has_more(book) && last < self.selected
    }

    /// Whether it is not known so far where the selected message stands.
    pub(super) const fn is_sought(&self) -> bool {
        self.is_sought
    }

    /// Whether messages are left to be looked at.
    pub(super) fn has_more(&self, book: &Book) -> bool {
        self.picked.is_some() && self.lanes.iter().any(|lane| lane.taken < book.sifted_of(lane.conn).len())
    }

    /// Whether there is more to be picked or sorted; while a capture is `loading` that may wait.
    pub(super) fn is_behind(&self, book: &Book, loading: bool) -> bool {
        self.has_more(book) || self.is_unsorted() && (!loading || self.pace.is_due())
    }

    /// Whether rows are left to be sorted.
    fn is_unsorted(&self) -> bool {
        self.is_sorted() && self.picked.as_ref().is_some_and(|picked| !self.order.is_done(picked.len()))
    }

    /// Whether there are more rows than can be sorted.
    pub(super) fn are_too_many(&self) -> bool {
        self.is_sorted() && self.picked.as_ref().is_some_and(|picked| picked.len() > sorting::MOST)
    }

    /// Whether the rows are sorted, rather than to be.
    fn shows_sorted(&self) -> bool {
        self.is_sorted() && !self.order.sorted.is_empty() && !self.are_too_many()
    }

    /// Adds connections of the same client that are new.
    fn add_lanes(&mut self, book: &Book, conn: usize) {
        if !self.of_client || self.lanes.len() >= MAX_LANES {
            return;
        }
        let new = self.known..book.connections();
        self.known = book.connections();
        let new = lanes(book, new, client(book, conn)).take(MAX_LANES - self.lanes.len());
        self.lanes.extend(new);
    }

    /// Picks rows until then, and sorts them when that is done.
    pub(super) fn take_in(&mut self, book: &Book, loading: bool, until: Instant) {
        let Some(mut picked) = self.picked.take() else { return };
        let begun = Instant::now();
        self.pick_on(book, &mut picked, until);
        self.picked = Some(picked);
        if let Some(cost) = self.cost.take().map(|cost| cost + begun.elapsed()) {
            match self.has_more(book) {
                true => self.cost = Some(cost),
                false => self.heard.1.has_cost(cost),
            }
        }
        if self.is_unsorted() && !self.has_more(book) && (!loading || self.pace.is_due()) {
            let (mut pace, mut order) = (std::mem::take(&mut self.pace), std::mem::take(&mut self.order));
            let picked = self.picked.as_deref().unwrap_or_default();
            pace.run(|| order.go_on(picked, |id| self.key(book, id), until));
            (self.pace, self.order) = (pace, order);
        }
    }

    /// Picks rows in the order of the book.
    fn pick_on(&mut self, book: &Book, picked: &mut Vec<MessageId>, until: Instant) {
        let of = |lane: &Lane| book.sifted_of(lane.conn);
        let mut lanes: Vec<_> =
            self.lanes.iter().map(|lane| (of(lane).get(lane.taken), of(lane), lane.taken)).collect();
        let mut looked_at = 0_usize;
        while let Some((next, ids, taken)) =
            lanes.iter_mut().filter(|(next, ..)| next.is_some()).min_by_key(|(next, ..)| *next)
            && let Some(id) = *next
        {
            *taken += 1;
            *next = ids.get(*taken);
            if self.shows(book, id) {
                picked.push(id);
            }
            looked_at += 1;
            if looked_at.is_multiple_of(CLOCK_EVERY) && Instant::now() >= until {
                break;
            }
        }
        // A row that cannot be read is not waited for.
        let taken = |(next, ids, taken): (Option<MessageId>, Ids<'_>, usize)| next.map_or(ids.len(), |_| taken);
        let taken: Vec<_> = lanes.into_iter().map(taken).collect();
        self.lanes.iter_mut().zip(taken).for_each(|(lane, taken)| lane.taken = taken);
    }

    /// By what a row is sorted.
    fn key(&self, book: &Book, id: MessageId) -> u64 {
        let key = book.message(id).map_or(0, |row| self.sort.key(&row, &self.ranking));
        if self.reverse { u64::MAX - key } else { key }
    }

    /// Otherwise than by time: a ladder goes down in time.
    fn is_sorted(&self) -> bool {
        self.layout != Layout::Ladder && (self.sort != SortBy::Number || self.reverse)
    }

    fn shows(&self, book: &Book, id: MessageId) -> bool {
        book.kind(id).is_some_and(|(dir, opcode)| {
            self.direction.is_none_or(|wanted| wanted == dir)
                && book.shows(id)
                && !(self.hide_pings && (matches!(opcode, Opcode::PING | Opcode::PONG) || is_heartbeat(book, id)))
        })
    }

    /// The message that was sent before this one, of those that are shown, however they are sorted; of its direction only
    /// when that is asked for.
    pub(super) fn before(&self, book: &Book, row: &MessageRow, same: bool) -> Option<MessageRow> {
        let all = if self.is_sorted() { book.messages_of(row.conn) } else { self.ids(book) };
        let at = all.place(row.id).unwrap_or_else(|at| at);
        let earlier = all.within(at.saturating_sub(BEFORE_WITHIN)..at).iter().rev();
        let of_dir = |id| !same || book.kind(id).is_some_and(|(dir, _)| dir == row.dir);
        earlier.into_iter().find(|&id| of_dir(id) && self.shows(book, id)).and_then(|id| book.message(id))
    }

    fn row_of(&self, book: &Book, id: MessageId) -> Option<usize> {
        let ids = self.ids(book);
        if self.shows_sorted() { ids.iter().position(|at| at == id) } else { ids.place(id).ok() }
    }

    /// Shows another connection, at the message where the user left it.
    pub(super) fn open(&mut self, book: &Book, conn: usize, height: usize) {
        if self.conn == Some(conn) {
            return;
        }
        if let (Some(conn), Some(id)) = (self.conn, self.selected) {
            self.remembered.insert(conn, id);
        }
        self.conn = Some(conn);
        let remembered = self.remembered.get(&conn).copied();
        if self.conns().any(|lane| lane == conn) {
            let first = || book.messages_of(conn).iter().find(|&id| self.shows(book, id));
            if let Some(id) = remembered.or_else(first) {
                self.select(book, id, height);
            }
            return;
        }
        self.selected = remembered;
        self.wished = self.selected;
        self.list = List::default();
        self.choose_lanes(book);
        self.pick_again(book, height);
    }

    /// The connection of the selected message, where that is another than the one that is looked at: it is from now on.
    pub(super) fn follow(&mut self, book: &Book) -> Option<usize> {
        let conn = book.message(self.selected?)?.conn;
        (self.conn.replace(conn) != Some(conn)).then_some(conn)
    }

    /// The connection alone, or with those of its client: the nearest in the order of their numbers, where there are too many.
    fn choose_lanes(&mut self, book: &Book) {
        let Some(conn) = self.conn else { return };
        if !self.of_client {
            self.lanes = vec![Lane { conn, taken: 0 }];
            return;
        }
        self.known = book.connections();
        let all: Vec<Lane> = lanes(book, 0..self.known, client(book, conn)).collect();
        let at = all.iter().position(|lane| lane.conn == conn).unwrap_or(0);
        let first = at.saturating_sub(MAX_LANES / 2).min(all.len().saturating_sub(MAX_LANES));
        self.lanes = all.into_iter().skip(first).take(MAX_LANES).collect();
    }

    /// Shows the messages of one connection, or of all that its client has.
    pub(super) fn toggle_client(&mut self, book: &Book, height: usize) {
        self.of_client = !self.of_client;
        self.choose_lanes(book);
        self.pick_again(book, height);
    }

    /// Shows the same messages in another way.
    pub(super) fn next_layout(&mut self, book: &Book, height: usize) {
        self.layout = self.layout.next();
        self.pick_again(book, height);
    }

    /// Makes the list anew after its rule has changed.
    fn pick_again(&mut self, book: &Book, height: usize) {
        let all = self.direction.is_none() && !self.hide_pings && !self.is_sorted() && book.sift().is_none();
        self.picked = (!all || self.of_client).then(Vec::new);
        (self.order, self.cost) = (Order::default(), Some(Duration::ZERO));
        self.lanes.iter_mut().for_each(|lane| lane.taken = 0);
        self.selected = self.wished.or(self.selected);
        self.is_sought = self.selected.is_some();
        self.refresh(book, height, false);
        self.list.show(self.ids(book).len(), height);
    }

    /// The shown message closest behind the selected one, which is hidden.
    fn nearest(&self, book: &Book) -> Option<MessageId> {
        let ids = self.ids(book);
        let later = ids.iter().filter(|&id| Some(id) > self.selected).min();
        later.or_else(|| ids.last())
    }

    pub(super) fn go(&mut self, book: &Book, step: Move, height: usize) {
        let len = self.ids(book).len();
        self.list.go(step, len, height);
        self.selected = self.ids(book).get(self.list.cursor);
        self.wished = self.selected;
    }

    /// Selects a message; when a rule hides it, the rule is dropped.
    pub(super) fn select(&mut self, book: &Book, id: MessageId, height: usize) {
        (self.selected, self.wished) = (Some(id), Some(id));
        self.is_sought = self.row_of(book, id).is_none() && self.may_come(book) && self.shows(book, id);
        if !self.is_sought && self.row_of(book, id).is_none() {
            (self.direction, self.hide_pings) = (None, false);
            self.pick_again(book, height);
        }
        if let Some(row) = self.row_of(book, id) {
            let len = self.ids(book).len();
            self.list.select(row, len, height);
        }
    }

    pub(super) fn next_direction(&mut self, book: &Book, height: usize) {
        self.direction = match self.direction {
            None => Some(Direction::ToServer),
            Some(Direction::ToServer) => Some(Direction::ToClient),
            Some(Direction::ToClient) => None,
        };
        self.pick_again(book, height);
    }

    pub(super) fn toggle_pings(&mut self, book: &Book, height: usize) {
        self.hide_pings = !self.hide_pings;
        self.pick_again(book, height);
    }

    pub(super) fn next_sort(&mut self, book: &Book, height: usize) {
        let by: Vec<SortBy> = SortBy::OWN.into_iter().chain(self.columns.places().map(SortBy::Field)).collect();
        let at = by.iter().position(|&by| by == self.sort).map_or(0, |at| at + 1);
        self.sort_by(by.get(at).copied().unwrap_or_default(), false, book, height);
    }

    pub(super) fn reverse(&mut self, book: &Book, height: usize) {
        self.sort_by(self.sort, !self.reverse, book, height);
    }

    /// Sorts by a column that was clicked; a second click reverses.
    pub(super) fn clicked(&mut self, sort: SortBy, book: &Book, height: usize) {
        self.sort_by(sort, sort == self.sort && !self.reverse, book, height);
    }

    fn sort_by(&mut self, sort: SortBy, reverse: bool, book: &Book, height: usize) {
        (self.sort, self.reverse) = (sort, reverse);
        self.pick_again(book, height);
    }

    /// Ranks the rows by the field that the list is sorted by, where it is, as far as that is not done.
    pub(super) fn rank(&mut self, book: &Book, origin: Option<Timestamp>, is_whole: bool) {
        let SortBy::Field(at) = self.sort else { return };
        let of = Of {
            field: self.columns.name(at).to_owned(),
            conns: self.conns().collect(),
            is_whole,
            revision: book.hearing_revision(),
        };
        let lanes = &self.lanes;
        let rows = || lanes.iter().flat_map(|lane| book.messages_of(lane.conn).iter()).collect();
        self.ranking.want(&of, Rows::MESSAGES, origin, rows);
    }

    /// Goes on with that until then.
    pub(super) fn rank_on(&mut self, book: &Book, until: Instant, height: usize) {
        if self.ranking.go_on(book, until) {
            self.pick_again(book, height);
        }
    }

    pub(super) const fn is_sorted_by_field(&self) -> bool {
        matches!(self.sort, SortBy::Field(_))
    }

    /// Sorts by number again, where the list was sorted by a field.
    pub(super) fn stop_ranking(&mut self, book: &Book, height: usize) {
        self.ranking.stop();
        if matches!(self.sort, SortBy::Field(_)) {
            self.sort_by(SortBy::Number, false, book, height);
        }
    }

    /// The row before or behind the selected one that fits.
    pub(super) fn find(&self, book: &Book, forward: bool, fits: impl Fn(MessageId) -> bool) -> Option<MessageId> {
        let ids = self.ids(book);
        let at = self.list.cursor;
        if forward {
            ids.within(at + 1..).iter().find(|&id| fits(id))
        } else {
            ids.within(..at).iter().rev().find(|&id| fits(id))
        }
    }

    /// The next row with an error or a warning.
    pub(super) fn problem(&self, book: &Book, forward: bool) -> Option<MessageId> {
        if self.is_sorted() {
            return self.find(book, forward, |id| book.severity(id) >= Some(Severity::Warning));
        }
        let here = self.selected?;
        let next = |conn| {
            let ids = book.problems_of(conn);
            let is_shown = |&id: &MessageId| self.shows(book, id);
            match forward {
                true => ids.within(ids.partition_point(|id| id <= here)..).iter().find(is_shown),
                false => ids.within(..ids.partition_point(|id| id < here)).iter().rev().find(is_shown),
            }
        };
        let found = self.conns().filter_map(next);
        if forward { found.min() } else { found.max() }
    }
}

/// Whether a message was heard and only keeps the connection alive.
fn is_heartbeat(book: &Book, id: MessageId) -> bool {
    book.gist(id).is_some_and(|gist| gist.heartbeat)
}

/// The address of a connection's client.
fn client(book: &Book, conn: usize) -> Option<Ip> {
    book.connection(conn).map(|connection| connection.client().ip)
}

/// Of these connections those of one client, as far as they are shown.
fn lanes(book: &Book, among: Range<usize>, of: Option<Ip>) -> impl Iterator<Item = Lane> + '_ {
    let same = move |&conn: &usize| client(book, conn) == of && book.shows_connection(conn);
    among.filter(same).map(|conn| Lane { conn, taken: 0 })
}

/// What belongs to a message: its reply or its request, as far as it was heard; of a ping the pong that answers it, of a pong the ping:
/// same payload, other direction.
pub(super) fn related(book: &Book, id: MessageId) -> Option<MessageId> {
    let row = book.message(id)?;
    if !row.opcode.is_control() {
        return book.gist(id)?.related;
    }
    let (wanted, forward) = match row.opcode {
        Opcode::PING => (Opcode::PONG, true),
        Opcode::PONG => (Opcode::PING, false),
        _ => return None,
    };
    let payload = book.payload(&row, 0, 256)?;
    let ids = book.messages_of(row.conn);
    let at = ids.place(id).ok()?;
    let fits = |&id: &MessageId| {
        book.message(id).is_some_and(|other| {
            other.opcode == wanted
                && other.dir != row.dir
                && other.len == row.len
                && book.payload(&other, 0, 256).is_some_and(|bytes| bytes == payload)
        })
    };
    if forward {
        ids.within(at + 1..).iter().take(RELATED_WITHIN).find(fits)
    } else {
        ids.within(..at).iter().rev().take(RELATED_WITHIN).find(fits)
    }
}
