//! The capture is read again, with one more key log or otherwise: what was known is forgotten, and the user stays where he was.

use super::app::App;
use super::list::List;
use super::load::Load;
use crate::book::{Book, MessageId};
use crate::escape::display_str;
use crate::model::{PacketNo, count};

/// With what the capture is read again, in words that are safe on a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reread {
    /// One more key log.
    KeyLog(String),
    /// A rule that says as what streams are read.
    Rule(String),
    /// Nothing more than before.
    Same,
}

/// Where the user was, in words that mean the same after another reading.
///
/// With more keys there may be more connections, so that their numbers say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Landmark {
    stream: Option<u32>,
    /// Connections of the stream before this one.
    before: usize,
    /// Number and packet of the message.
    message: Option<(u64, PacketNo)>,
}

impl Landmark {
    fn connection(&self, book: &Book) -> Option<usize> {
        let same = |&index: &usize| book.connection(index).is_some_and(|other| other.stream == self.stream);
        (0..book.connections()).filter(same).nth(self.before)
    }

    /// The message; at the end the one that stands in its place.
    fn message(&self, book: &Book, conn: usize, at_end: bool) -> Option<MessageId> {
        let (number, packet) = self.message?;
        let same = |&id: &MessageId| book.message(id).is_some_and(|row| row.last.packet == packet);
        book.numbered(conn, number).filter(same).or_else(|| at_end.then(|| book.message_at(conn, packet)).flatten())
    }
}

impl App {
    /// Forgets what was read; how things are shown stays.
    pub(super) fn begin_again(&mut self) {
        self.landmark = self.landmark();
        // The file is the same, and so is its first packet.
        let start = self.load.progress.start;
        self.book.begin_again();
        self.load = Load::default();
        self.load.progress.start = start;
        self.drop_search();
        self.everywhere_again();
        self.connections.forget();
        self.messages.forget();
        self.previews.forget();
        self.filter_again();
        self.findings.forget();
        self.stats.forget();
        self.handshake.forget();
        self.detail.forget();
        self.bytes.forget();
        (self.summary, self.explanation) = (List::default(), List::default());
        self.past.clear();
        self.future.clear();
        self.said = None;
    }

    fn landmark(&self) -> Option<Landmark> {
        let index = self.connections.selected()?;
        let stream = self.book.connection(index)?.stream;
        let same = |&other: &usize| self.book.connection(other).is_some_and(|other| other.stream == stream);
        let row = self.messages.selected().and_then(|id| self.book.message(id));
        let message = row.filter(|row| row.conn == index).map(|row| (row.number, row.last.packet));
        Some(Landmark { stream, before: (0..index).filter(same).count(), message })
    }

    /// Goes back to where the user was, as soon as that is read.
    pub(super) fn seek_landmark(&mut self) {
        let Some(landmark) = self.landmark else { return };
        let at_end = self.load.is_done();
        let conn = landmark.connection(&self.book);
        let message = conn.and_then(|conn| landmark.message(&self.book, conn, at_end));
        if let Some(conn) = conn {
            self.open_connection(conn);
        }
        if let Some(id) = message {
            self.select_message(id);
        }
        if at_end || conn.is_some() && (message.is_some() || landmark.message.is_none()) {
            self.landmark = None;
        }
    }

    /// The key log is of no use, and what was read stays.
    pub(super) fn keep_reading(&mut self, why: &str) {
        if let Some(Reread::Rule(_)) = self.rereading.take() {
            self.export.rules.pop();
        }
        self.say(display_str(why));
    }

    /// What the key log, or the rule, has brought.
    pub(super) fn tell_of_rereading(&mut self) {
        let name = match self.rereading.take() {
            None => return,
            Some(Reread::Rule(rule)) => {
                let connections = count(self.book.connections() as u64, "connection");
                return self.say(format!("{rule}: now {connections}"));
            }
            Some(Reread::Same) => {
                let packets = count(self.load.progress.packets, "packet");
                return self.say(format!("read again: {packets}"));
            }
            Some(Reread::KeyLog(name)) => name,
        };
        if let Some(words) = self.load.tls_words() {
            // One reason for all of them fits in the line.
            let sessions = self.book.sessions().0;
            let mut reasons = sessions.iter().filter_map(|(_, session)| session.why_not);
            let why = reasons.next().filter(|why| reasons.all(|other| other.is_like(*why)));
            let why = why.map_or(String::new(), |why| format!(": {why}"));
            self.say(format!("{name}: now {words}{why}"));
        }
    }
}
