//! Choosing columns: the dialog, and what tables have in them.

use super::action::{Action, Screen};
use super::app::{App, Effect, Overlay, Pane};
use super::columns::{Chosen, Columns, Own, RowId, Table};
use super::input::{Line, Typed};
use super::keys::Key;
use super::ladder::Layout;
use super::layout::Regions;
use super::ranking::MOST;
use super::sorting;
use crate::filter::{self, Field};
use crate::model::count;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::time::Instant;

/// Bytes of a name that is typed.
const MAX_NAME: usize = 200;

/// Columns of the screen that one takes, at least and at most.
const WIDTHS: (usize, usize) = (3, 200);

/// A column in the dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) width: Option<usize>,
    pub(super) is_shown: bool,
    /// What it shows, in words.
    pub(super) about: &'static str,
    /// It is no column of the table's own: it can be taken out.
    is_field: bool,
}

impl Entry {
    fn spec(&self) -> String {
        self.width.map_or_else(|| self.name.clone(), |width| format!("{}:{width}", self.name))
    }
}

/// The dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choosing {
    table: Table,
    pub(super) entries: Vec<Entry>,
    pub(super) cursor: usize,
    /// The name of a field that is being typed.
    pub(super) name: Option<Line>,
    /// What is wrong with it.
    pub(super) wrong: Option<String>,
}

impl Choosing {
    pub(super) const fn table(&self) -> Table {
        self.table
    }

    /// The columns of a table, those that are not shown last; `usual`: those that are where none were chosen.
    fn new<K: Own, Id: RowId>(table: Table, columns: &Columns<K, Id>, usual: &[K]) -> Self {
        let entry = |own: &(K, &'static str, &'static str), width, is_shown| Entry {
            name: own.1.to_owned(),
            width,
            is_shown,
            about: own.2,
            is_field: false,
        };
        let mut entries: Vec<Entry> = match columns.chosen() {
            None => usual
                .iter()
                .filter_map(|key| K::ALL.iter().find(|own| own.0 == *key))
                .map(|own| entry(own, None, true))
                .collect(),
            Some(chosen) => chosen.iter().map(|it| of_chosen(it)).collect(),
        };
        let hidden = K::ALL.iter().filter(|own| !entries.iter().any(|entry| entry.name == own.1));
        let hidden: Vec<Entry> = hidden.map(|own| entry(own, None, false)).collect();
        entries.extend(hidden);
        Self { table, entries, cursor: 0, name: None, wrong: None }
    }

    fn swap(&mut self, down: bool) {
        let other = if down { self.cursor + 1 } else { self.cursor.wrapping_sub(1) };
        if other < self.entries.len() {
            self.entries.swap(self.cursor, other);
            self.cursor = other;
        }
    }

    fn resize(&mut self, wider: bool, usual: usize) {
        if let Some(entry) = self.entries.get_mut(self.cursor) {
            let width = entry.width.unwrap_or(usual);
            let width = if wider { width + 1 } else { width.saturating_sub(1) };
            entry.width = Some(width.clamp(WIDTHS.0, WIDTHS.1));
        }
    }
}

fn of_chosen<K: Own>(chosen: &Chosen<K>) -> Entry {
    let own = K::ALL.iter().find(|own| Some(own.0) == chosen.own());
    let about = own.map(|own| own.2).or_else(|| Some(Field::find(&chosen.name)?.about));
    Entry {
        name: chosen.name.clone(),
        width: chosen.width,
        is_shown: true,
        about: about.unwrap_or_default(),
        is_field: own.is_none(),
    }
}

impl App {
    /// Begins to choose the columns of the table that is looked at.
    pub(super) fn start_choosing(&mut self) {
        let wide = self.regions().wide;
        let choosing = match self.screen {
            Screen::Connections => Choosing::new(
                Table::Connections,
                &self.connections.columns,
                super::view::usual_connection_columns(wide),
            ),
            Screen::Messages => {
                Choosing::new(Table::Messages, &self.messages.columns, super::view::usual_message_columns())
            }
            _ => return self.say("columns can be chosen of connections and of messages"),
        };
        self.overlay = Overlay::Columns(Box::new(choosing));
    }

    pub(super) fn choosing_key(&mut self, event: &KeyEvent, key: Key) {
        let Overlay::Columns(choosing) = &mut self.overlay else { return };
        if choosing.name.is_some() {
            return self.name_key(event, key);
        }
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        match event.code {
            KeyCode::Char('c') if control => self.overlay = Overlay::None,
            KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q') => self.overlay = Overlay::None,
            KeyCode::Char('a') => (choosing.name, choosing.wrong) = (Some(Line::default()), None),
            code => match self.keymap.action(self.focused(), key) {
                Some(Action::Move(step)) if code != KeyCode::Char(' ') => self.move_in_overlay(step),
                _ => {
                    if self.change_column(code) {
                        self.apply_columns();
                    }
                }
            },
        }
    }

    /// Does what a key asks for; whether it is one that changes something.
    fn change_column(&mut self, code: KeyCode) -> bool {
        let Overlay::Columns(choosing) = &mut self.overlay else { return false };
        let Some(entry) = choosing.entries.get_mut(choosing.cursor) else { return false };
        match code {
            KeyCode::Char(' ') => entry.is_shown = !entry.is_shown,
            KeyCode::Char('J') => choosing.swap(true),
            KeyCode::Char('K') => choosing.swap(false),
            KeyCode::Right | KeyCode::Char('l') => choosing.resize(true, super::view::FIELD_WIDTH),
            KeyCode::Left | KeyCode::Char('h') => choosing.resize(false, super::view::FIELD_WIDTH),
            KeyCode::Char('=') => entry.width = None,
            KeyCode::Char('d') | KeyCode::Delete if entry.is_field => {
                choosing.entries.remove(choosing.cursor);
                choosing.cursor = choosing.cursor.min(choosing.entries.len().saturating_sub(1));
            }
            _ => return false,
        }
        true
    }

    /// A key while the name of a field is typed.
    fn name_key(&mut self, event: &KeyEvent, key: Key) {
        let Overlay::Columns(choosing) = &mut self.overlay else { return };
        let Some(name) = &mut choosing.name else { return };
        if event.code == KeyCode::Tab {
            let rows =
                if choosing.table == Table::Messages { filter::Rows::MESSAGES } else { filter::Rows::CONNECTIONS };
            let completion = filter::complete(name.as_str(), rows, &filter::Named::new(), &|_| Vec::new());
            if let Some(choice) = completion.choices.first() {
                name.replace(completion.span, &choice.text);
            }
            return;
        }
        match name.take(MAX_NAME, event, key) {
            Typed::Changed => choosing.wrong = None,
            Typed::Same => {}
            Typed::Dropped => (choosing.name, choosing.wrong) = (None, None),
            Typed::Done => {
                let name = name.as_str().trim().to_owned();
                self.add_column(name);
            }
        }
    }

    /// Puts a field before the column under the cursor.
    fn add_column(&mut self, name: String) {
        let Overlay::Columns(choosing) = &mut self.overlay else { return };
        match choosing.table.check(std::slice::from_ref(&name)) {
            _ if name.is_empty() => choosing.name = None,
            Err(why) => choosing.wrong = Some(why),
            Ok(()) => {
                let about = Field::find(&name).map_or("", |field| field.about);
                let entry = Entry { name, width: None, is_shown: true, about, is_field: true };
                choosing.entries.insert(choosing.cursor.min(choosing.entries.len()), entry);
                (choosing.name, choosing.wrong) = (None, None);
                self.apply_columns();
            }
        }
    }

    /// Shows the columns as they are chosen in the dialog. Without any the usual ones are.
    fn apply_columns(&mut self) {
        let Overlay::Columns(choosing) = &self.overlay else { return };
        let table = choosing.table;
        let specs: Vec<String> = choosing.entries.iter().filter(|entry| entry.is_shown).map(Entry::spec).collect();
        let height = self.height(if table == Table::Messages { Pane::Messages } else { Pane::Connections });
        match table {
            Table::Connections => {
                self.connections.stop_ranking(&self.book, height);
                self.connections.columns.choose(&specs);
            }
            Table::Messages => {
                self.messages.stop_ranking(&self.book, height);
                self.messages.columns.choose(&specs);
            }
        }
    }

    /// Keeps the columns that were chosen in the configuration file.
    pub(super) fn save(&mut self, _: &str) {
        let of = |table: Table| {
            let specs = match table {
                Table::Connections => specs(self.connections.columns.chosen()),
                Table::Messages => specs(self.messages.columns.chosen()),
            };
            specs.map(|specs| (table, specs))
        };
        let kept: Vec<_> = [Table::Connections, Table::Messages].into_iter().filter_map(of).collect();
        if kept.is_empty() {
            return self
                .say(format!("the columns are the usual ones: {} chooses others", self.key_of(Action::Columns)));
        }
        self.ask(Effect::Save(kept));
    }

    /// Reads what is seen of columns that are fields, and has rows ranked by one where they are sorted so.
    pub(super) fn settle_columns(&mut self, regions: &Regions) {
        let origin = self.capture_start().and_then(|mark| mark.time);
        let is_whole = self.load.is_done();
        match self.screen {
            Screen::Connections => {
                let rows = self.rows(regions, Pane::Connections);
                let top = self.connections.list.top;
                let seen: Vec<usize> = (top..top + rows).map_while(|row| self.connections.at(row)).collect();
                // What is told of a connection grows while it is read.
                self.connections.columns.refresh(&self.book, origin, (self.book.generation(), !is_whole), &seen);
                if self.book.connections() <= MOST {
                    self.connections.rank(&self.book, origin, is_whole);
                }
            }
            Screen::Messages if self.messages.layout == Layout::List => {
                let rows = self.rows(regions, Pane::Messages);
                let ids = self.messages.ids(&self.book);
                let seen: Vec<_> = ids.within(self.messages.list.top..).iter().take(rows).collect();
                self.messages.columns.refresh(&self.book, origin, (is_whole.into(), !is_whole), &seen);
                if self.messages.all(&self.book) <= MOST {
                    self.messages.rank(&self.book, origin, is_whole);
                }
            }
            _ => {}
        }
    }

    /// Says that there are too many rows to sort them by a field, where that is so.
    pub(super) fn warn_of_many(&mut self) {
        let by_field = match self.focused() {
            Pane::Connections => self.connections.is_sorted_by_field().then(|| self.book.connections()),
            _ => self.messages.is_sorted_by_field().then(|| self.messages.all(&self.book)),
        };
        if by_field.is_some_and(|rows| rows > MOST) {
            self.say(format!("more than {}: too many to sort by a field", count(MOST as u64, "row")));
        } else if self.focused() == Pane::Messages && self.messages.are_too_many() {
            self.say(format!("more than {}: too many to sort", count(sorting::MOST as u64, "row")));
        }
    }

    /// Whether visible rows are left to be read for their columns.
    pub(super) fn columns_are_behind(&self) -> bool {
        match self.screen {
            Screen::Connections => self.connections.columns.is_behind(),
            Screen::Messages => self.messages.layout == Layout::List && self.messages.columns.is_behind(),
            _ => false,
        }
    }

    /// Whether rows are being ranked, and how far that is.
    pub(super) fn ranking(&self) -> Option<usize> {
        self.messages.ranking.percent().or_else(|| self.connections.ranking.percent())
    }

    pub(super) fn rank_on(&mut self, until: Instant) {
        if self.messages.ranking.is_busy() {
            let height = self.height(Pane::Messages);
            return self.messages.rank_on(&self.book, until, height);
        }
        let height = self.height(Pane::Connections);
        self.connections.rank_on(&self.book, until, height);
    }

    /// Stops to rank rows; whether there was something to stop.
    pub(super) fn stop_ranking(&mut self) -> bool {
        let is_busy = self.ranking().is_some();
        if is_busy {
            let heights = (self.height(Pane::Messages), self.height(Pane::Connections));
            self.messages.stop_ranking(&self.book, heights.0);
            self.connections.stop_ranking(&self.book, heights.1);
            self.say("sorting stopped");
        }
        is_busy
    }
}

fn specs<K: Own>(chosen: Option<&[Chosen<K>]>) -> Option<Vec<String>> {
    chosen.map(|chosen| chosen.iter().map(Chosen::spec).collect())
}
