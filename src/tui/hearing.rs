//! What messages say in the terms of their protocols: of the rows that are seen, of the message that is looked at, and where
//! heartbeats are hidden of all. The book hears it on the side, a few milliseconds at a time.

use super::action::Screen;
use super::app::{App, Pane};
use super::columns::RowId as _;
use super::find::SLICE;
use super::ladder::{Layout, Rung};
use super::layout::Regions;
use crate::book::{Book, Desk, MessageId};
use crate::decode::{Decoder, Kind, summary};
use crate::filter::{Item, Needs, Row};
use crate::model::Message;
use std::collections::HashMap;
use std::time::Instant;

/// What the rows that are seen say, one line each.
#[derive(Debug)]
pub(super) struct Previews {
    pub(super) desk: Desk,
    told: HashMap<MessageId, Option<String>>,
    /// The hearing that `told` is of.
    revision: u64,
    /// The user wants payloads as they are.
    pub(super) is_off: bool,
    /// Some rows are not heard yet.
    is_behind: bool,
}

impl Default for Previews {
    fn default() -> Self {
        let needs = Needs { payloads: true, decoded: true, ..Needs::default() };
        Self { desk: Desk::new(needs, None), told: HashMap::new(), revision: 0, is_off: false, is_behind: false }
    }
}

impl Previews {
    /// Forgets what was said: it is of another book.
    pub(super) fn forget(&mut self) {
        *self = Self { is_off: self.is_off, ..Self::default() };
    }

    /// Lets the book hear these messages, until then, and takes from it what they say.
    fn refresh(&mut self, book: &mut Book, seen: &[MessageId], until: Instant) {
        if std::mem::replace(&mut self.revision, book.hearing_revision()) != book.hearing_revision() {
            self.told.clear();
        }
        self.is_behind = false;
        let mut before = std::mem::take(&mut self.told);
        // The book hears each connection from its beginning on.
        let mut next: Vec<MessageId> = seen.to_vec();
        next.sort();
        next.dedup();
        for id in next {
            let told = before.remove(&id).or_else(|| {
                let is_heard = Instant::now() < until && book.hear(id, until);
                let is_told = is_heard && !id.is_large(book);
                is_heard.then(|| is_told.then(|| id.ask(&mut self.desk, book, words).flatten()).flatten())
            });
            match told {
                Some(told) => drop(self.told.insert(id, told)),
                None => self.is_behind = true,
            }
        }
    }

    /// What a message that is seen says, where that tells more than its payload; not escaped.
    pub(super) fn words(&self, id: MessageId) -> Option<&str> {
        self.told.get(&id)?.as_deref().filter(|_| !self.is_off)
    }
}

/// One line about a message. A format that is text reads well as it is.
fn words(row: &Row<'_>) -> Option<String> {
    let Item::Message(message @ Message { decoded: Some(decoded), .. }, _) = row.item else { return None };
    match Decoder::find(decoded.protocol).map(|decoder| decoder.kind) {
        Some(Kind::Format) if message.is_text() => None,
        Some(Kind::Format) => Some(format!("{} {}", decoded.protocol, summary(decoded))),
        _ => Some(summary(decoded)),
    }
}

impl App {
    /// Hears what is seen, and takes in what it says.
    pub(super) fn settle_hearing(&mut self, regions: &Regions) {
        if !matches!(self.screen, Screen::Messages | Screen::Bytes) {
            return;
        }
        let mut seen = if self.screen == Screen::Messages { self.seen(regions) } else { Vec::new() };
        seen.extend(self.messages.selected());
        self.previews.refresh(&mut self.book, &seen, Instant::now() + SLICE);
    }

    /// The messages that the list shows.
    pub(super) fn seen(&self, regions: &Regions) -> Vec<MessageId> {
        if self.messages.layout == Layout::Ladder {
            let rows = self.ladder.rows(&self.book, &self.messages, Self::ladder_height(regions));
            let messages = rows.iter().filter_map(|row| match row.rung {
                Rung::Message(id) => Some(id),
                _ => None,
            });
            return messages.collect();
        }
        // In a conversation the last one may be seen in part.
        let rows = self.rows(regions, Pane::Messages) + usize::from(self.messages.layout == Layout::Chat);
        self.messages.ids(&self.book).within(self.messages.list.top..).iter().take(rows).collect()
    }

    /// Whether something that is seen is not heard yet.
    fn is_seen_behind(&self) -> bool {
        matches!(self.screen, Screen::Messages | Screen::Bytes) && self.previews.is_behind
    }

    /// The last message of a connection that has to be heard for more than what is seen.
    fn unheard(&self) -> Option<MessageId> {
        let waits = self.messages.ranking.unheard(&self.book).and_then(|id| self.book.message(id)).map(|row| row.conn);
        let behind = |&conn: &usize| self.book.heard_of(conn) < self.book.messages_of(conn).len();
        let hidden = || self.messages.conns().find(behind).filter(|_| self.messages.hides_pings());
        waits.or_else(hidden).and_then(|conn| self.book.messages_of(conn).last())
    }

    /// Whether something is to be heard.
    pub(super) fn hearing_is_behind(&self) -> bool {
        self.is_seen_behind() || self.unheard().is_some()
    }

    /// Percent of the messages of these connections that were heard, while more of them has to be.
    pub(super) fn hearing(&self) -> Option<usize> {
        if !self.hearing_is_behind() {
            return None;
        }
        Some(self.messages.heard_of(&self.book) * 100 / self.messages.all(&self.book).max(1))
    }

    /// Hears on, for a few milliseconds.
    pub(super) fn hear_on(&mut self) {
        let until = Instant::now() + SLICE;
        if self.is_seen_behind() {
            return self.settle_hearing(&self.regions());
        }
        if let Some(id) = self.unheard() {
            self.book.hear(id, until);
        }
    }

    /// Shows what messages say, or their payloads as they are.
    pub(super) fn toggle_previews(&mut self) {
        self.previews.is_off = !self.previews.is_off;
    }
}
