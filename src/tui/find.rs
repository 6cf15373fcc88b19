//! Searching: typing the pattern, and going from match to match in whatever pane has the focus.

use super::action::Action;
use super::app::{App, Overlay, Pane};
use super::bytes::Bytes;
use super::detail::PayloadView;
use super::input::Typed;
use super::keys::Key;
use super::list::Move;
use super::search::{Needle, Run};
use super::view;
use crossterm::event::KeyEvent;
use std::borrow::Cow;
use std::ops::Range;
use std::time::{Duration, Instant};

/// What takes long is done for so long before keys are looked at again.
pub(super) const SLICE: Duration = Duration::from_millis(8);

/// Bytes of a payload that a search through a list looks at.
const MAX_SEARCHED: usize = 16 << 20;

/// Bytes of a payload that a search looks through at once.
pub(super) const BLOCK: usize = 1 << 20;

/// Bytes of a pattern.
pub(super) const MAX_PATTERN: usize = 200;

impl App {
    pub(super) fn start_search(&mut self) {
        self.search.pattern.clear();
        self.search.needle = Needle::default();
        self.search.origin = self.search_place();
        self.overlay = Overlay::Search;
    }

    /// Row, or byte, where the focused pane stands.
    fn search_place(&self) -> (usize, usize) {
        let byte = self.detail.found.as_ref().map_or(0, |found| found.start);
        match self.focused() {
            Pane::Connections => (self.connections.list.cursor, 0),
            Pane::Messages => (self.messages.list.cursor, 0),
            Pane::Findings => (self.findings.list.cursor, 0),
            Pane::Frames => (self.bytes.frames.cursor, 0),
            Pane::Fields => (self.bytes.fields.cursor, 0),
            Pane::Detail => (0, byte),
            Pane::Bytes => (0, self.bytes.cursor),
            pane => (self.line_list(pane).map_or(0, |list| list.cursor), 0),
        }
    }

    pub(super) fn search_key(&mut self, event: &KeyEvent, key: Key) {
        match self.search.pattern.take(MAX_PATTERN, event, key) {
            Typed::Changed => self.pattern_changed(),
            Typed::Same => {}
            Typed::Dropped => self.leave_search(),
            Typed::Done => {
                self.overlay = Overlay::None;
                if self.search.failed {
                    self.not_found();
                }
            }
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.search.pattern.paste(MAX_PATTERN, text);
        self.pattern_changed();
    }

    fn leave_search(&mut self) {
        self.overlay = Overlay::None;
        self.drop_search();
    }

    pub(super) fn drop_search(&mut self) {
        self.search.run = None;
        self.search.needle = Needle::default();
        self.detail.found = None;
    }

    fn pattern_changed(&mut self) {
        self.search.needle = Needle::new(self.search.pattern.as_str());
        self.search.failed = false;
        self.look(true, self.search.origin, true);
    }

    pub(super) fn next_match(&mut self, forward: bool) {
        if self.search.needle.is_empty() {
            self.search.needle = Needle::new(self.search.pattern.as_str());
        }
        if self.search.needle.is_empty() {
            return self.say(format!("nothing to search for: {} begins", self.key_of(Action::Search)));
        }
        self.look(forward, self.search_place(), false);
    }

    /// Begins a search at a place; `here`: the place itself may match.
    fn look(&mut self, forward: bool, (row, byte): (usize, usize), here: bool) {
        self.search.run = None;
        if self.search.needle.is_empty() {
            return;
        }
        let pane = self.focused();
        if matches!(pane, Pane::Detail | Pane::Bytes) {
            let of = self.search_len(pane).div_ceil(BLOCK);
            if of == 0 {
                return self.not_found();
            }
            let byte = if forward && !here { byte + 1 } else { byte };
            let row = (byte / BLOCK).min(of - 1);
            // The first block is looked through twice: from the place on, and at last up to it.
            self.search.run = Some(Run { pane, forward, row, byte: Some(byte), left: of + 1, of });
            return self.search_on();
        }
        let len = self.search_rows(pane);
        if len == 0 {
            return self.not_found();
        }
        let first = match (here, forward) {
            (true, _) => row.min(len - 1),
            (false, true) => (row + 1) % len,
            (false, false) => (row + len - 1) % len,
        };
        self.search.run = Some(Run { pane, forward, row: first, byte: None, left: len, of: len });
        self.search_on();
    }

    fn search_rows(&self, pane: Pane) -> usize {
        match pane {
            Pane::Connections => self.connections.len(),
            Pane::Messages => self.messages.ids(&self.book).len(),
            Pane::Findings => self.findings.len(),
            Pane::Frames => Bytes::frame_count(&self.book, self.bytes.message()),
            Pane::Fields => self.bytes.field_count(),
            Pane::Detail | Pane::Bytes => 0,
            pane => self.lines_of(pane).len(),
        }
    }

    /// Goes on with the search.
    pub(super) fn search_on(&mut self) {
        let until = Instant::now() + SLICE;
        while let Some(run) = self.search.run {
            if run.left == 0 {
                self.search.run = None;
                return self.not_found();
            }
            if matches!(run.pane, Pane::Detail | Pane::Bytes) {
                if let Some(found) = self.find_in_block(run) {
                    self.search.run = None;
                    return self.show_found(run.pane, found);
                }
            } else if self.row_matches(run.pane, run.row) {
                self.search.run = None;
                return self.select_row(run.pane, run.row);
            }
            let row = if run.forward { (run.row + 1) % run.of } else { (run.row + run.of - 1) % run.of };
            self.search.run = Some(Run { row, byte: None, left: run.left - 1, ..run });
            if Instant::now() > until {
                return;
            }
        }
    }

    fn row_matches(&self, pane: Pane, row: usize) -> bool {
        let needle = &self.search.needle;
        match pane {
            Pane::Connections => {
                let connection = self.connections.at(row).and_then(|index| self.book.connection(index));
                connection.is_some_and(|connection| {
                    let ends = format!("{} {}", connection.client(), connection.server());
                    needle.is_in(connection.title().as_bytes())
                        || needle.is_in(ends.as_bytes())
                        || needle.is_in(super::connections::end(connection).as_bytes())
                })
            }
            Pane::Messages => {
                let message = self.messages.ids(&self.book).get(row).and_then(|id| self.book.message(id));
                message.is_some_and(|message| {
                    needle.is_in(message.opcode.name().as_bytes())
                        || self.book.payload(&message, 0, MAX_SEARCHED).is_some_and(|body| needle.is_in(&body))
                })
            }
            Pane::Findings => {
                let finding = self.findings.at(row).and_then(|index| self.book.findings().get(index));
                finding.is_some_and(|finding| needle.is_in(view::finding_row_text(self, finding).as_bytes()))
            }
            Pane::Frames => Bytes::frame(&self.book, self.bytes.message(), row)
                .is_some_and(|frame| needle.is_in(frame.opcode.name().as_bytes())),
            Pane::Fields => {
                let field = self.bytes.field(row);
                field.is_some_and(|field| needle.is_in(view::field_text(self, field, true).as_bytes()))
            }
            Pane::Detail | Pane::Bytes => false,
            pane => self.lines_of(pane).get(row).is_some_and(|line| needle.is_in(line.as_bytes())),
        }
    }

    /// Selects a row of a list.
    pub(super) fn select_row(&mut self, pane: Pane, row: usize) {
        let height = self.height(pane);
        match pane {
            Pane::Connections => {
                if let Some(index) = self.connections.at(row) {
                    self.connections.select(index, height);
                }
            }
            Pane::Messages => {
                if let Some(id) = self.messages.ids(&self.book).get(row) {
                    self.messages.select(&self.book, id, height);
                }
            }
            Pane::Detail => {
                if let Some(tree) = self.detail.tree_mut() {
                    let len = tree.len();
                    tree.list.select(row, len, height);
                }
            }
            Pane::Findings => self.findings.select_row(row, height),
            Pane::Frames => {
                let len = Bytes::frame_count(&self.book, self.bytes.message());
                self.bytes.frames.select(row, len, height);
            }
            Pane::Fields => {
                let (bytes, columns) = (self.height(Pane::Bytes), self.columns(Pane::Bytes));
                self.bytes.fields.cursor = row;
                self.bytes.go_field(Move::Rows(0), height, bytes, columns);
            }
            Pane::Bytes => {}
            pane => {
                let len = self.lines_of(pane).len();
                if let Some(list) = self.line_list_mut(pane) {
                    list.select(row, len, height);
                }
            }
        }
    }

    /// Bytes that a search goes through, in a pane that shows them.
    fn search_len(&self, pane: Pane) -> usize {
        if pane == Pane::Bytes { self.bytes.wire.known } else { self.detail.bytes().len() }
    }

    /// A match that begins in a block of the bytes; in the first block, at its place or behind it, or before it.
    fn find_in_block(&self, run: Run) -> Option<Range<usize>> {
        let needle = &self.search.needle;
        let (start, len) = (run.row * BLOCK, self.search_len(run.pane));
        let end = len.min(start + BLOCK + needle.len().saturating_sub(1));
        let block = match run.pane {
            Pane::Bytes => Cow::Owned(self.bytes.wire.read(start..end)),
            _ => Cow::Borrowed(self.detail.bytes().get(start..end)?),
        };
        let from = run.byte.map(|byte| byte.saturating_sub(start));
        let is_dump = run.pane == Pane::Bytes || self.detail.view() == PayloadView::Hex;
        let found = match (run.forward, is_dump) {
            (true, false) => needle.find(&block, from.unwrap_or(0)),
            (true, true) => needle.find_in_dump(&block, from.unwrap_or(0)),
            (false, false) => needle.find_back(&block, from.unwrap_or(BLOCK)),
            (false, true) => needle.find_back_in_dump(&block, from.unwrap_or(BLOCK)),
        };
        found.map(|found| start + found.start..start + found.end)
    }

    fn show_found(&mut self, pane: Pane, found: Range<usize>) {
        let (columns, height) = (self.columns(pane), self.height(pane));
        if pane == Pane::Bytes {
            let fields = self.height(Pane::Fields);
            return self.bytes.select_byte(found.start, height, columns, fields);
        }
        self.detail.show_byte(found.start, columns, height);
        self.detail.found = Some(found);
    }

    /// Says so; while the pattern is being typed the user is back where the search began.
    fn not_found(&mut self) {
        if self.overlay == Overlay::Search {
            self.search.failed = true;
            let (row, _) = self.search.origin;
            self.select_row(self.focused(), row);
            return self.say("not found");
        }
        let pattern = crate::escape::display_str(self.search.pattern.as_str()).into_owned();
        let why = if self.search.needle.is_no_regex() { "not found, and no regular expression" } else { "not found" };
        self.say(format!("{why}: {pattern}"));
    }
}
