//! A search through the payloads of all messages of all connections: in the background, with a list of what it found.

use super::action::Screen;
use super::app::{App, Overlay, Pane};
use super::find::{BLOCK, MAX_PATTERN};
use super::input::{Line, Typed};
use super::keys::Key;
use super::list::{List, Move};
use super::search::Needle;
use crate::book::{Book, MessageId};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::ops::Range;
use std::time::Instant;

/// Messages that are listed; more are counted.
const MOST_HITS: usize = 10_000;

/// Messages that are looked at before the clock is asked.
const STEP: usize = 32;

/// A message in which something was found, and where its first match is among the bytes that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) id: MessageId,
    pub(super) at: Range<usize>,
}

/// The search, and what it found so far.
#[derive(Debug, Default)]
pub(super) struct Everywhere {
    /// What is being typed.
    pub(super) line: Line,
    /// What is looked for, as it was typed.
    entered: Line,
    pub(super) needle: Needle,
    pub(super) hits: Vec<Hit>,
    /// Messages with a match beyond those that are listed.
    pub(super) more: u64,
    pub(super) list: List,
    /// Messages that were looked through, and bytes of the next one.
    next: (usize, usize),
    /// It was stopped.
    pub(super) is_stopped: bool,
}

impl Everywhere {
    fn new(line: Line) -> Self {
        Self { needle: Needle::new(line.as_str()), entered: line.clone(), line, ..Self::default() }
    }

    /// Whether there are messages that it has not looked through.
    pub(super) fn is_busy(&self, book: &Book) -> bool {
        !self.needle.is_empty() && !self.is_stopped && self.next.0 < book.messages()
    }

    /// Percent of the messages.
    pub(super) fn percent(&self, book: &Book) -> usize {
        (self.next.0 * 100).checked_div(book.messages()).unwrap_or(100)
    }

    /// Goes on until then.
    fn go_on(&mut self, book: &Book, until: Instant) {
        loop {
            for _ in 0..STEP {
                if !self.is_busy(book) {
                    return;
                }
                self.step(book);
            }
            if Instant::now() >= until {
                return;
            }
        }
    }

    /// Looks through the next block of a payload.
    fn step(&mut self, book: &Book) {
        let (nth, start) = self.next;
        let Some(row) = book.nth(nth) else { return self.next = (nth + 1, 0) };
        let want = BLOCK + self.needle.len().saturating_sub(1);
        let body = book.payload(&row, start as u64, want).unwrap_or_default();
        let found = if row.is_text() { self.needle.find(&body, 0) } else { self.needle.find_in_dump(&body, 0) };
        let is_last = start + BLOCK >= usize::try_from(row.kept).unwrap_or(usize::MAX);
        self.next = if found.is_some() || is_last { (nth + 1, 0) } else { (nth, start + BLOCK) };
        match found {
            Some(_) if self.hits.len() >= MOST_HITS => self.more += 1,
            Some(found) => self.hits.push(Hit { id: row.id, at: start + found.start..start + found.end }),
            None => {}
        }
    }
}

impl App {
    /// Has the pattern typed; what was found before stays until another is entered.
    pub(super) fn start_everywhere(&mut self) {
        self.everywhere.line.go_to(usize::MAX);
        self.overlay = Overlay::Everywhere;
    }

    pub(super) fn everywhere_key(&mut self, event: &KeyEvent, key: Key) {
        match self.everywhere.line.take(MAX_PATTERN, event, key) {
            Typed::Changed | Typed::Same => {}
            Typed::Dropped => {
                self.everywhere.line = self.everywhere.entered.clone();
                self.overlay = Overlay::None;
            }
            Typed::Done => {
                self.overlay = Overlay::Hits;
                let line = self.everywhere.line.clone();
                let is_same = self.everywhere.needle.is_for(line.as_str()) && !self.everywhere.is_stopped;
                if line.as_str().is_empty() {
                    self.everywhere = Everywhere::default();
                    self.overlay = Overlay::None;
                } else if !is_same {
                    self.everywhere = Everywhere::new(line);
                }
            }
        }
    }

    pub(super) fn paste_everywhere(&mut self, text: &str) {
        self.everywhere.line.paste(MAX_PATTERN, text);
    }

    /// A key in the list of hits.
    pub(super) fn hits_key(&mut self, event: &KeyEvent, key: Key) {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        match (event.code, self.keymap.action(self.focused(), key)) {
            (KeyCode::Enter, _) => self.open_hit(),
            (KeyCode::Char('c'), _) if control && self.everywhere.is_busy(&self.book) => {
                self.everywhere.is_stopped = true
            }
            (_, Some(super::Action::Move(step))) => self.move_in_hits(step),
            (_, Some(super::Action::Quit)) => self.ask(super::Effect::Quit),
            (_, Some(super::Action::SearchAll)) => self.start_everywhere(),
            _ => self.overlay = Overlay::None,
        }
    }

    pub(super) fn move_in_hits(&mut self, step: Move) {
        let (len, height) = (self.everywhere.hits.len(), self.hits_height());
        self.everywhere.list.go(step, len, height);
    }

    /// Rows of the list.
    pub(super) fn hits_height(&self) -> usize {
        usize::from(self.regions().body.height).saturating_sub(3).max(1)
    }

    /// Goes to the message, with its first match in view; `n` goes to the next one in it.
    fn open_hit(&mut self) {
        let Some(hit) = self.everywhere.hits.get(self.everywhere.list.cursor).cloned() else { return };
        let Some(conn) = self.book.message(hit.id).map(|row| row.conn) else { return };
        self.overlay = Overlay::None;
        (self.moved, self.landmark) = (true, None);
        self.deeper(Screen::Messages);
        self.open_connection(conn);
        self.select_message(hit.id);
        self.search.pattern = self.everywhere.entered.clone();
        self.search.needle = self.everywhere.needle.clone();
        self.focus(Pane::Detail);
        self.settle();
        let (columns, height) = (self.columns(Pane::Detail), self.height(Pane::Detail));
        self.detail.show_byte(hit.at.start, columns, height);
        self.detail.found = Some(hit.at);
    }

    /// Goes on with the search until then.
    pub(super) fn everywhere_on(&mut self, until: Instant) {
        self.everywhere.go_on(&self.book, until);
    }

    /// Forgets what was found, and looks again: the book is another.
    pub(super) fn everywhere_again(&mut self) {
        let Everywhere { entered, is_stopped, .. } = std::mem::take(&mut self.everywhere);
        self.everywhere = Everywhere { is_stopped, ..Everywhere::new(entered) };
    }
}
