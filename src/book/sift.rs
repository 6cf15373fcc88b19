//! What of the book passes a display filter, as far as it was asked: a few milliseconds of it at a time.

use super::ask::Asker;
use super::{Book, Ids, MessageId};
use crate::filter::{Filter, Rows};
use crate::model::Timestamp;
use std::time::{Duration, Instant};

/// Rows that are asked between two looks at the clock.
const AT_ONCE: usize = 64;

/// Connections grow and are asked anew, which may take one of so many moments.
const SHARE: u32 = 20;

/// A filter on its way through the book.
///
/// Rows that the filter has no field of all pass: one that is about findings alone hides no message. A connection passes when it
/// does itself, or a message of it.
#[derive(Debug)]
pub struct Sift {
    asker: Asker,
    of_messages: bool,
    of_connections: bool,
    of_findings: bool,
    /// Messages that were asked, in the order of the book.
    asked: usize,
    /// One bit for each of them.
    passing: Vec<u64>,
    passed: usize,
    /// Of each connection how many messages passed, and whether it does itself.
    connections: Vec<(u32, bool)>,
    findings: Vec<bool>,
    /// What of the book connections were asked of last.
    learned: Option<u64>,
    /// How far they are being asked of what is known now, and what it has cost.
    round: Option<Round>,
    /// When that was done last, and what it had cost.
    rested: Option<(Instant, Duration)>,
}

/// Connections on their way to be asked anew.
#[derive(Debug, Clone, Copy)]
struct Round {
    learned: u64,
    next: usize,
    cost: Duration,
}

impl Sift {
    /// A filter before anything was asked; `origin`: the time of the capture's first packet.
    pub fn new(filter: Filter, origin: Option<Timestamp>) -> Self {
        let asker = Asker::new(filter, origin);
        let suits = [Rows::MESSAGES, Rows::CONNECTIONS, Rows::FINDINGS].map(|rows| asker.suits(rows));
        // Where no row has all of its fields some of them may be enough: `type == text || wspect.text contains "x"`.
        let [of_messages, of_connections, of_findings] = if suits == [false; 3] { [true, false, true] } else { suits };
        Self {
            of_messages,
            of_connections,
            of_findings,
            asker,
            asked: 0,
            passing: Vec::new(),
            passed: 0,
            connections: Vec::new(),
            findings: Vec::new(),
            learned: None,
            round: None,
            rested: None,
        }
    }

    /// Whether what was asked of messages may be otherwise when their connections have ended.
    pub fn is_late(&self) -> bool {
        self.of_messages && self.asker.is_late()
    }

    /// Whether it asks what messages say, which may be otherwise when the user says what connections speak.
    pub const fn hears(&self) -> bool {
        self.asker.hears()
    }

    /// Whether it is about messages.
    pub const fn is_of_messages(&self) -> bool {
        self.of_messages
    }

    /// Whether all of the book was asked, connections as they were a moment ago.
    pub fn is_done(&self, book: &Book) -> bool {
        let is_due = self.rested.is_none_or(|(ended, cost)| ended.elapsed() >= cost * SHARE);
        let is_rested = self.round.is_none() && (self.learned == Some(book.learned()) || !is_due);
        (!self.of_messages || self.asked == book.messages()) && is_rested
    }

    /// Percent of the messages that were asked.
    pub fn percent(&self, book: &Book) -> usize {
        if self.of_messages { self.asked * 100 / book.messages().max(1) } else { 100 }
    }

    /// Messages that pass, of those that were asked.
    pub const fn passed(&self) -> usize {
        self.passed
    }

    /// Connections that are shown.
    pub fn connections(&self) -> usize {
        self.connections.iter().filter(|(messages, itself)| *messages > 0 || *itself).count()
    }

    /// Asks on until then.
    pub fn go_on(&mut self, book: &Book, until: Instant) {
        while self.of_messages && self.asked < book.messages() {
            for _ in 0..AT_ONCE.min(book.messages() - self.asked) {
                self.ask_next(book);
            }
            if Instant::now() >= until {
                return;
            }
        }
        if !self.is_done(book) {
            self.ask_connections(book, until);
        }
        self.ask_findings(book);
    }

    fn ask_next(&mut self, book: &Book) {
        let (at, id) = (self.asked, MessageId(u32::try_from(self.asked).unwrap_or(u32::MAX)));
        self.asked += 1;
        if at.is_multiple_of(64) {
            self.passing.push(0);
        }
        self.ask(book, id);
    }

    /// Asks of a message, which may have been asked of before; whether that makes a difference.
    fn ask(&mut self, book: &Book, id: MessageId) -> bool {
        let (passed, passes) = (self.of_messages && self.message(id), self.asker.message(book, id));
        let (word, bit) = (id.0 as usize / 64, 1 << (id.0 % 64));
        let Some(word) = self.passing.get_mut(word).filter(|_| passed != passes) else { return false };
        *word ^= bit;
        self.passed = if passes { self.passed + 1 } else { self.passed.saturating_sub(1) };
        if let Some(index) = book.message(id).map(|row| row.conn) {
            if self.connections.len() <= index {
                self.connections.resize(index + 1, (0, false));
            }
            if let Some((messages, _)) = self.connections.get_mut(index) {
                *messages = if passes { *messages + 1 } else { messages.saturating_sub(1) };
            }
        }
        true
    }

    fn ask_connections(&mut self, book: &Book, until: Instant) {
        let begun = Instant::now();
        let mut round = self.round.take().unwrap_or(Round { learned: book.learned(), next: 0, cost: Duration::ZERO });
        self.connections.resize(book.connections(), (0, false));
        while self.of_connections && round.next < self.connections.len() {
            let itself = self.asker.connection(book, round.next);
            if let Some(connection) = self.connections.get_mut(round.next) {
                connection.1 = itself;
            }
            round.next += 1;
            if round.next.is_multiple_of(AT_ONCE) && Instant::now() >= until {
                round.cost += begun.elapsed();
                self.round = Some(round);
                return;
            }
        }
        self.learned = Some(round.learned);
        self.rested = Some((Instant::now(), round.cost + begun.elapsed()));
    }

    fn ask_findings(&mut self, book: &Book) {
        for at in self.findings.len()..if self.of_findings { book.findings().len() } else { 0 } {
            let passes = self.asker.finding(book, at);
            self.findings.push(passes);
        }
    }

    /// Whether a message passes; one that was not asked does not yet.
    pub(super) fn message(&self, id: MessageId) -> bool {
        let (word, bit) = (id.0 as usize / 64, id.0 % 64);
        !self.of_messages || self.passing.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }

    pub(super) fn connection(&self, index: usize) -> bool {
        let passes = self.connections.get(index).is_some_and(|(messages, itself)| *messages > 0 || *itself);
        passes || !self.of_messages && !self.of_connections
    }

    pub(super) fn finding(&self, at: usize) -> bool {
        !self.of_findings || self.findings.get(at).is_some_and(|passes| *passes)
    }

    /// Messages before this one were asked.
    pub(super) const fn asked(&self) -> Option<u32> {
        if self.of_messages { Some(self.asked as u32) } else { None }
    }
}

impl Book {
    /// From now on this is what is shown; `None`: everything.
    pub fn set_sift(&mut self, sift: Option<Sift>) -> Option<Sift> {
        self.revision += 1;
        self.generation += 1;
        self.changed.clear();
        std::mem::replace(&mut self.sift, sift)
    }

    /// What passes the filter, where there is one.
    pub const fn sift(&self) -> Option<&Sift> {
        self.sift.as_ref()
    }

    /// Changes whenever another filter is set, or none.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether the filter lags behind what was learned.
    pub fn sift_lags(&self) -> bool {
        self.sift.as_ref().is_some_and(|sift| !sift.is_done(self) || !self.changed.is_empty())
    }

    /// Asks the filter of what was learned since, until then.
    pub fn sift_on(&mut self, until: Instant) {
        let changed = std::mem::take(&mut self.changed);
        let Some(mut sift) = self.sift.take() else { return };
        let other = changed.into_iter().filter(|&id| sift.ask(self, id)).count();
        // What is listed is listed anew.
        self.revision += u64::from(other > 0);
        sift.go_on(self, until);
        self.sift = Some(sift);
        self.generation += 1;
    }

    /// Whether a message passes the filter.
    pub fn shows(&self, id: MessageId) -> bool {
        self.sift.as_ref().is_none_or(|sift| sift.message(id))
    }

    /// Whether a connection passes the filter, or a message of it.
    pub fn shows_connection(&self, index: usize) -> bool {
        self.sift.as_ref().is_none_or(|sift| sift.connection(index))
    }

    /// Whether a finding passes the filter.
    pub fn shows_finding(&self, at: usize) -> bool {
        self.sift.as_ref().is_none_or(|sift| sift.finding(at))
    }

    /// Messages of the book of which it is known whether they pass: so many, in its order.
    pub fn sifted(&self) -> usize {
        self.sift.as_ref().and_then(Sift::asked).map_or(self.messages.len(), |asked| asked as usize)
    }

    /// Findings of which it is known whether they pass: so many, in order of events.
    pub fn sifted_findings(&self) -> usize {
        let known = self.sift.as_ref().filter(|sift| sift.of_findings).map(|sift| sift.findings.len());
        known.unwrap_or_else(|| self.findings().len())
    }

    /// The messages of a connection of which it is known whether they pass, in order of their numbers.
    pub fn sifted_of(&self, conn: usize) -> Ids<'_> {
        let all = self.messages_of(conn);
        let Some(asked) = self.sift.as_ref().and_then(Sift::asked) else { return all };
        all.within(..all.partition_point(|id| id.0 < asked))
    }
}
