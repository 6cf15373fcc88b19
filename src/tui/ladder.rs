//! The ladder of screen 2: a line for the client, one for each connection, and downwards in time what went between them.
//!
//! Messages are its rows that can be selected. What else happened stands before the message that came next.

use super::list::Pace;
use super::messages::Messages;
use crate::book::{Book, MessageId};
use crate::model::{Direction, Mark, Severity, Topic};

/// How messages are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Layout {
    /// One row a message.
    #[default]
    List,
    /// A conversation, client left, server right.
    Chat,
    /// Arrows between client and servers.
    Ladder,
}

impl Layout {
    pub(super) const fn next(self) -> Self {
        match self {
            Self::List => Self::Chat,
            Self::Chat => Self::Ladder,
            Self::Ladder => Self::List,
        }
    }
}

/// Nanoseconds without a word that are worth a row.
const PAUSE: i64 = 1_000_000_000;

/// What a row of the ladder shows. Connections and findings are told by their index in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rung {
    /// Nothing was said for so many nanoseconds.
    Pause(i64),
    /// The connection's request.
    Asked(usize),
    /// The answer to it.
    Answered(usize),
    /// A finding about a connection, of no message.
    Finding {
        conn: usize,
        at: usize,
    },
    /// Bytes of the message waited for a retransmission, or for the receiver.
    Waited(MessageId),
    Message(MessageId),
    /// A direction of the connection ended.
    Ended(usize, Direction),
}

/// A row and when that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) rung: Rung,
    pub(super) mark: Mark,
    /// When the row before it was.
    pub(super) before: Option<Mark>,
}

/// Something beside messages, and where it stands among them.
#[derive(Debug, Clone, Copy)]
struct Beside {
    mark: Mark,
    /// Behind the message that ends in the same packet.
    late: bool,
    rung: Rung,
}

impl Beside {
    const fn key(&self) -> (u64, bool) {
        (self.mark.packet.0, self.late)
    }
}

/// What there is beside messages; the rows themselves are made as they are seen.
#[derive(Debug, Default)]
pub(super) struct Ladder {
    beside: Vec<Beside>,
    /// What of the book and of which connections `beside` was made.
    made_of: Option<(u64, Vec<usize>)>,
    pace: Pace,
    /// The message that was last brought into view.
    seen: Option<MessageId>,
}

impl Ladder {
    /// Takes in what the book has learned, and brings the selected message into view. While a capture is `loading` it may lag behind.
    pub(super) fn refresh(&mut self, book: &Book, messages: &mut Messages, height: usize, loading: bool) {
        let wanted = Some((book.generation(), messages.conns().collect::<Vec<_>>()));
        let same_lanes = |(_, conns): &(u64, Vec<usize>)| messages.conns().eq(conns.iter().copied());
        let may_lag = loading && self.made_of.as_ref().is_some_and(same_lanes) && !self.pace.is_due();
        if self.made_of != wanted && !may_lag {
            let mut pace = std::mem::take(&mut self.pace);
            self.beside = pace.run(|| beside(book, messages));
            (self.pace, self.made_of) = (pace, wanted);
        }
        if self.seen != messages.selected() {
            self.seen = messages.selected();
            self.show_selected(book, messages, height);
        }
    }

    /// Scrolls just so far that the selected message is in view, and the end with the last one.
    pub(super) fn show_selected(&self, book: &Book, messages: &mut Messages, height: usize) {
        let (cursor, len) = (messages.list.cursor, messages.ids(book).len());
        let top = messages.list.top.min(cursor);
        let behind = if cursor + 1 == len { self.group(book, messages, len).len() } else { 0 };
        let mut used = self.group(book, messages, cursor).len() + behind;
        let mut first = cursor;
        while first > top {
            used += self.group(book, messages, first - 1).len();
            if used > height {
                break;
            }
            first -= 1;
        }
        messages.list.top = first;
    }

    /// The rows that are seen, of a pane of that height.
    pub(super) fn rows(&self, book: &Book, messages: &Messages, height: usize) -> Vec<Row> {
        let mut rows = Vec::with_capacity(height);
        for at in messages.list.top..=messages.ids(book).len() {
            let mut group = self.group(book, messages, at);
            // The message itself is more than what came before it.
            if rows.is_empty() && group.len() > height && at < messages.ids(book).len() {
                group.drain(..group.len() - height);
            }
            rows.extend(group);
            if rows.len() >= height {
                break;
            }
        }
        rows.truncate(height);
        rows
    }

    /// A message of the list with what stands before it; behind the last one what comes then.
    fn group(&self, book: &Book, messages: &Messages, at: usize) -> Vec<Row> {
        let ids = messages.ids(book);
        let mark = |at: usize| ids.get(at).and_then(|id| book.message(id)).map(|row| row.last);
        let mut before = at.checked_sub(1).and_then(mark);
        // What ends in the packet of a message comes behind it.
        let key = |mark: Mark| (mark.packet.0, true);
        let from = before.map_or(0, |mark| self.beside.partition_point(|beside| beside.key() < key(mark)));
        let to =
            mark(at).map_or(self.beside.len(), |mark| self.beside.partition_point(|beside| beside.key() < key(mark)));
        let mut rows = Vec::new();
        let mut push = |rung, mark: Mark| {
            if let Some(pause) = before.and_then(|before| mark.since(before)).filter(|&nanos| nanos >= PAUSE) {
                rows.push(Row { rung: Rung::Pause(pause), mark, before });
            }
            rows.push(Row { rung, mark, before });
            before = Some(mark);
        };
        for beside in self.beside.get(from..to).unwrap_or_default() {
            push(beside.rung, beside.mark);
        }
        if let Some(row) = ids.get(at).and_then(|id| book.message(id)) {
            if row.waited.is_some() {
                push(Rung::Waited(row.id), row.last);
            }
            push(Rung::Message(row.id), row.last);
        }
        rows
    }
}

/// What happened beside the messages of these connections, in its order.
fn beside(book: &Book, messages: &Messages) -> Vec<Beside> {
    let mut all = Vec::new();
    for conn in messages.conns() {
        let Some(connection) = book.connection(conn) else { continue };
        let heads = connection.handshake.as_ref();
        let asked = heads.and_then(|heads| heads.asked).map(|mark| (mark, Rung::Asked(conn)));
        let answered = heads.and_then(|heads| heads.answered).map(|mark| (mark, Rung::Answered(conn)));
        all.extend(asked.into_iter().chain(answered).map(|(mark, rung)| Beside { mark, late: false, rung }));
        let ends = connection.closed.iter().flat_map(|closed| closed.ends.in_order());
        let by_peers = ends.filter(|(_, how, _)| how.is_by_peer());
        all.extend(by_peers.map(|(dir, _, mark)| Beside { mark, late: true, rung: Rung::Ended(conn, dir) }));
    }
    for (at, finding) in book.findings().iter().enumerate() {
        let conn = finding.conn.and_then(|id| book.index_of(id));
        let Some(conn) = conn.filter(|conn| messages.conns().any(|lane| lane == *conn)) else { continue };
        // What is said of the handshake and of the end is seen in these.
        let is_on_the_way =
            matches!(finding.code.row().topic, Topic::Tcp | Topic::Tls | Topic::Http2 | Topic::Messages);
        if is_on_the_way && finding.msg.is_none() && finding.code.severity() >= Severity::Warning {
            all.push(Beside { mark: finding.at, late: false, rung: Rung::Finding { conn, at } });
        }
    }
    all.sort_by_key(Beside::key);
    all
}
