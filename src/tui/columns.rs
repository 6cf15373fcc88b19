//! Columns that the user chooses for a table: its own ones, and any field of filters; and how rules have its rows look.

use super::find::SLICE;
use super::list::Pace;
use super::rules::Rule;
use super::theme::Look;
use crate::book::{Book, Desk, LONGEST, MessageId};
use crate::escape::display_str;
use crate::export::push_value;
use crate::filter::{Column as Field, FIELDS, Item, Kind, Needs, Row, Rows};
use crate::model::{Timestamp, nearest};
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Instant;

/// Columns of a table, at most.
const MAX_COLUMNS: usize = 32;

/// Columns of the screen that one takes, at most.
const WIDEST: usize = 200;

/// Characters of a cell.
const CELL: usize = 500;

/// A table whose columns can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Of connections.
    Connections,
    /// Of messages.
    Messages,
}

/// The columns that were chosen for a table, as the configuration has them.
pub type TableColumns = (Table, Vec<String>);

impl Table {
    /// The name in the configuration file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Messages => "messages",
        }
    }

    /// That these are columns of it: `no`, `json.op`, `json.op:12` for one of that width.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn check(self, columns: &[String]) -> Result<(), String> {
        match self {
            Self::Connections => read::<ConnectionColumn>(columns).map(drop),
            Self::Messages => read::<MessageColumn>(columns).map(drop),
        }
    }
}

/// The columns that a table has of its own.
pub(super) trait Own: Copy + PartialEq + 'static {
    /// All, with name and what they show.
    const ALL: &'static [(Self, &'static str, &'static str)];
    /// The rows of the table.
    const ROWS: Rows;
}

/// A column of screen 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionColumn {
    Number,
    Stream,
    Start,
    Duration,
    Client,
    Host,
    ToServer,
    ToClient,
    Both,
    Bytes,
    Flags,
    End,
}

impl Own for ConnectionColumn {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Number, "no", "number of the connection"),
        (Self::Stream, "tcp", "number of its TCP stream"),
        (Self::Start, "start", "when it began; t tells how"),
        (Self::Duration, "dur", "how long it lasted"),
        (Self::Client, "client", "address and port of the client"),
        (Self::Host, "host", "URL"),
        (Self::ToServer, "sent", "messages to the server"),
        (Self::ToClient, "received", "messages to the client"),
        (Self::Both, "msgs", "messages to the server and to the client"),
        (Self::Bytes, "bytes", "bytes of all messages"),
        (Self::Flags, "flags", "flags"),
        (Self::End, "end", "how it ended"),
    ];
    const ROWS: Rows = Rows::CONNECTIONS;
}

/// A column of screen 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageColumn {
    Number,
    Time,
    Type,
    Length,
    Preview,
}

impl Own for MessageColumn {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Number, "no", "number of the message"),
        (Self::Time, "time", "when it was complete; t tells how"),
        (Self::Type, "type", "direction and type"),
        (Self::Length, "len", "length in bytes"),
        (Self::Preview, "preview", "its payload in one line"),
    ];
    const ROWS: Rows = Rows::MESSAGES;
}

/// What a column shows; fields by their place among the chosen columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which<K> {
    Own(K),
    Field(usize),
}

/// A column that was chosen.
#[derive(Debug)]
pub(super) struct Chosen<K> {
    /// As the user has it.
    pub(super) name: String,
    /// Where it is not the usual one.
    pub(super) width: Option<usize>,
    what: What<K>,
}

#[derive(Debug)]
enum What<K> {
    Own(K),
    Field(Field),
}

impl<K: Own> Chosen<K> {
    /// Reads `name` or `name:width`.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (name, width) = match text.rsplit_once(':').map(|(name, width)| (name, width.parse::<usize>())) {
            Some((name, Ok(width))) => (name, Some(width.clamp(1, WIDEST))),
            _ => (text, None),
        };
        let what = match K::ALL.iter().find(|(_, own, _)| *own == name) {
            Some((own, ..)) => What::Own(*own),
            None => What::Field(field::<K>(name)?),
        };
        Ok(Self { name: name.to_owned(), width, what })
    }

    /// As it is read again.
    pub(super) fn spec(&self) -> String {
        self.width.map_or_else(|| self.name.clone(), |width| format!("{}:{width}", self.name))
    }

    /// Whether it is a field of numbers, which stand below each other at their ends.
    pub(super) fn is_number(&self) -> bool {
        matches!(&self.what, What::Field(field) if matches!(field.kind(), Kind::Number | Kind::Duration))
    }

    pub(super) const fn own(&self) -> Option<K> {
        match self.what {
            What::Own(own) => Some(own),
            What::Field(_) => None,
        }
    }
}

/// The field of that name, or what else may be a column of such rows.
fn field<K: Own>(name: &str) -> Result<Field, String> {
    let shown = display_str(name);
    let own = K::ALL.iter().map(|(_, own, _)| *own);
    let unknown = |text: String| match nearest(name, own.chain(FIELDS.iter().map(|field| field.name))) {
        Some(meant) => format!("{text}: did you mean {meant}?"),
        None => text,
    };
    let field = Field::new(name).map_err(|_| unknown(format!("no field {shown}")))?;
    if field.suits(K::ROWS) { Ok(field) } else { Err(format!("{shown} is no field of {}", K::ROWS.words())) }
}

fn read<K: Own>(columns: &[String]) -> Result<Vec<Chosen<K>>, String> {
    if columns.len() > MAX_COLUMNS {
        return Err(format!("more than {MAX_COLUMNS} columns"));
    }
    columns.iter().map(|column| Chosen::read(column)).collect()
}

/// What stands for a row.
pub(super) trait RowId: Copy + Eq + Hash {
    /// Whether all is known of it that the desk has to know.
    fn is_ready(self, _: &Desk, _: &Book) -> bool {
        true
    }

    /// Whether its payload is too large to ask for it.
    fn is_large(self, _: &Book) -> bool {
        false
    }

    /// Asks something of the row.
    fn ask<T>(self, desk: &mut Desk, book: &Book, ask: impl FnOnce(&Row<'_>) -> T) -> Option<T>;
}

impl RowId for MessageId {
    fn is_ready(self, desk: &Desk, book: &Book) -> bool {
        !desk.hears() || book.gist(self).is_some()
    }

    fn is_large(self, book: &Book) -> bool {
        book.message(self).is_some_and(|row| row.kept > LONGEST)
    }

    fn ask<T>(self, desk: &mut Desk, book: &Book, ask: impl FnOnce(&Row<'_>) -> T) -> Option<T> {
        desk.message(book, self, ask)
    }
}

impl RowId for usize {
    fn ask<T>(self, desk: &mut Desk, book: &Book, ask: impl FnOnce(&Row<'_>) -> T) -> Option<T> {
        desk.connection(book, self, ask)
    }
}

/// What was read of a row.
#[derive(Debug)]
struct Told {
    /// Texts of the columns that are fields, by their places.
    cells: Box<[String]>,
    /// As the first rule that it passes says.
    look: Option<Look>,
}

/// The columns of a table, and what its visible rows have of those that are fields.
#[derive(Debug)]
pub(super) struct Columns<K, Id> {
    /// `None`: the usual ones.
    chosen: Option<Vec<Chosen<K>>>,
    rules: Vec<Rule>,
    needs: Needs,
    desk: Desk,
    /// For rows whose payload is too large to ask for it.
    lean: Desk,
    told: HashMap<Id, Told>,
    /// The stamp of `told`.
    known: u64,
    pace: Pace,
    /// Some of the rows are not read yet.
    is_behind: bool,
}

impl<K, Id> Default for Columns<K, Id> {
    fn default() -> Self {
        Self {
            chosen: None,
            rules: Vec::new(),
            needs: Needs::default(),
            desk: Desk::default(),
            lean: Desk::default(),
            told: HashMap::new(),
            known: 0,
            pace: Pace::default(),
            is_behind: false,
        }
    }
}

impl<K: Own, Id: RowId> Columns<K, Id> {
    /// Those of the configuration, and its rules for how rows look; what is no column there was told of already.
    pub(super) fn new(columns: Option<&[String]>, rules: Vec<Rule>) -> Self {
        let mut all = Self { rules, ..Self::default() };
        all.choose(columns.unwrap_or_default());
        all
    }

    /// Those that were chosen, if any were.
    pub(super) fn chosen(&self) -> Option<&[Chosen<K>]> {
        self.chosen.as_deref()
    }

    /// Shows these; without any the usual ones.
    pub(super) fn choose(&mut self, columns: &[String]) {
        self.chosen = read(columns).ok().filter(|columns| !columns.is_empty());
        let fields = self.fields().map(|(_, field)| field.needs(K::ROWS));
        let rules = self.rules.iter().map(|rule| rule.filter.needs(K::ROWS));
        self.needs = fields.chain(rules).fold(Needs::default(), Needs::or);
        self.forget();
    }

    /// Forgets what rows have: they are of another book.
    pub(super) fn forget(&mut self) {
        self.told.clear();
        (self.known, self.pace) = (u64::MAX, Pace::default());
    }

    fn fields(&self) -> impl Iterator<Item = (usize, &Field)> {
        self.chosen.iter().flatten().enumerate().filter_map(|(at, column)| match &column.what {
            What::Field(field) => Some((at, field)),
            What::Own(_) => None,
        })
    }

    /// The places of those that are fields.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.fields().map(|(at, _)| at)
    }

    /// The name of the column at a place.
    pub(super) fn name(&self, at: usize) -> &str {
        self.chosen.as_ref().and_then(|chosen| chosen.get(at)).map_or("", |column| &column.name)
    }

    /// Whether visible rows are left to be read.
    pub(super) const fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Reads what visible rows have of the fields, and how they look, for a few milliseconds; `origin`: the time of the capture's first packet.
    /// What was read holds until `stamp` is another.
    pub(super) fn refresh(
        &mut self,
        book: &Book,
        origin: Option<Timestamp>,
        (stamp, loading): (u64, bool),
        rows: &[Id],
    ) {
        let until = Instant::now() + SLICE;
        self.is_behind = false;
        if self.places().next().is_none() && self.rules.is_empty() {
            return;
        }
        let is_anew = self.known != stamp && (!loading || self.pace.is_due());
        if is_anew {
            self.known = stamp;
            self.told.clear();
            self.desk = Desk::new(self.needs, origin);
            self.lean = Desk::new(Needs { payloads: false, decoded: false, ..self.needs }, origin);
        }
        let mut before = std::mem::take(&mut self.told);
        let (mut desk, mut lean) = (std::mem::take(&mut self.desk), std::mem::take(&mut self.lean));
        let mut pace = std::mem::take(&mut self.pace);
        let mut read = || {
            for &row in rows {
                match before.remove(&row) {
                    Some(told) => drop(self.told.insert(row, told)),
                    None if Instant::now() < until && row.is_ready(&desk, book) => {
                        let is_large = self.needs.payloads && row.is_large(book);
                        let told = self.read(if is_large { &mut lean } else { &mut desk }, book, row, is_large);
                        self.told.insert(row, told);
                    }
                    None => self.is_behind = true,
                }
            }
        };
        // What it costs to read them all tells how often that is worth it.
        if is_anew {
            pace.run(read)
        } else {
            read()
        }
        (self.desk, self.lean, self.pace) = (desk, lean, pace);
    }

    /// Reads a row; of a large one nothing that its payload tells.
    fn read(&self, desk: &mut Desk, book: &Book, row: Id, is_large: bool) -> Told {
        let is_told = |needs: Needs| !(is_large && needs.payloads);
        let len = self.chosen.as_ref().map_or(0, Vec::len);
        let (mut cells, mut look) = (vec![String::new(); len], None);
        row.ask(desk, book, |row| {
            for (at, field) in self.fields().filter(|(_, field)| is_told(field.needs(K::ROWS))) {
                if let Some(cell) = cells.get_mut(at) {
                    *cell = cell_text(field, row);
                }
            }
            let mut rules = self.rules.iter().filter(|rule| is_told(rule.filter.needs(K::ROWS)));
            look = rules.find(|rule| rule.filter.passes(row)).map(|rule| rule.look);
        });
        Told { cells: cells.into(), look }
    }

    /// How a visible row looks by the rules.
    pub(super) fn look(&self, row: Id) -> Option<Look> {
        self.told.get(&row)?.look
    }

    /// What a visible row has of the field at a place; safe on a terminal.
    pub(super) fn cell(&self, row: Id, at: usize) -> &str {
        self.told.get(&row).and_then(|told| told.cells.get(at)).map_or("", String::as_str)
    }
}

/// All values of a field, with commas between.
fn cell_text(field: &Field, row: &Row<'_>) -> String {
    let is_text = if let Item::Message(message, _) = row.item { message.is_text() } else { true };
    let mut text = String::new();
    field.values(row, |value| {
        if text.len() > CELL {
            return;
        }
        if !text.is_empty() {
            text.push(',');
        }
        push_value(value, field, is_text, &mut text);
    });
    let text: String = text.chars().take(CELL).collect();
    display_str(&text).into_owned()
}
