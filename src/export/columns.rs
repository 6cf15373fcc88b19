//! Records as rows of plain columns, for databases: the columns are the keys of records, from the one table of those.
//!
//! ```text
//! Event ─▶ Tabled ─▶ Stream ─▶ Records ─▶ {"conn":1,…} ─▶ [Cell] ─▶ Tables: a database, or a set of files
//! ```
//!
//! What is nested stays JSON. A payload does not go through JSON: it is one value, of text or of bytes.

use super::payload::{self, PayloadMode, PayloadOptions};
use super::{Exporter, Form, Kinds, Out, RECORD_KINDS, Records, Shape, Stream, Totals};
use crate::decode::path;
use crate::model::{ConnId, Connection, Event, Fact, FileRun, Frame, Handshake, Message, Note, Stamp, TlsOutline};
use foldhash::HashMap;
use std::cell::RefCell;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;

/// Keys that say nothing in a table of their kind, or that the type of a value says.
const LEFT_OUT: [&str; 3] = ["v", "kind", "enc"];

/// A table, by the kind of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Table {
    Connections,
    Handshakes,
    Messages,
    Frames,
    Findings,
}

impl Table {
    pub(super) const ALL: [Self; 5] =
        [Self::Connections, Self::Handshakes, Self::Messages, Self::Frames, Self::Findings];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Handshakes => "handshakes",
            Self::Messages => "messages",
            Self::Frames => "frames",
            Self::Findings => "findings",
        }
    }

    /// Its columns, in order.
    pub(super) fn columns(self) -> Vec<Column> {
        let kind = RECORD_KINDS.iter().find(|kind| self.name().strip_suffix('s') == Some(kind.name));
        let keys = kind.into_iter().flat_map(|kind| kind.all_keys());
        let keys = keys.filter(|key| !LEFT_OUT.contains(&key.name));
        keys.map(|key| Column { name: key.name, holds: Holds::of(key.name, &key.shape) }).collect()
    }
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// The key of records that it holds.
    pub name: &'static str,
    pub holds: Holds,
}

/// What a column holds, beside nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Truth,
    Number,
    Text,
    Time,
    Json,
    Payload,
}

impl Holds {
    fn of(name: &str, shape: &Shape) -> Self {
        match shape {
            Shape::Maybe(shape) if name != "payload" => Self::of(name, shape),
            Shape::Maybe(_) => Self::Payload,
            Shape::Bool => Self::Truth,
            Shape::Int | Shape::Count | Shape::Is(_) => Self::Number,
            Shape::Text | Shape::Word(_) | Shape::Code => Self::Text,
            Shape::Time => Self::Time,
            Shape::List(_) | Shape::Pair(..) | Shape::Object(_) | Shape::Any => Self::Json,
        }
    }
}

/// A value in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Truth(bool),
    Number(i64),
    Text(&'a str),
    /// Nanoseconds since 1970, and as in records.
    Time(Option<(i64, &'a str)>),
    Json(&'a str),
    Bytes(&'a [u8]),
}

/// Takes rows into tables.
pub(super) trait Tables {
    /// Takes a row of a table, whose cells stand in the order of its columns.
    fn put(&mut self, table: Table, cells: &[Cell<'_>]) -> io::Result<()>;

    /// All rows were put.
    fn finish(&mut self) -> io::Result<()>;
}

/// Hands on what happens as rows of tables; a connection's row when it has ended.
pub(super) struct Tabled<T> {
    rows: Shared<T>,
    stream: Stream,
    live: HashMap<ConnId, Connection>,
}

impl<T: Tables + 'static> Tabled<T> {
    /// Rows of these kinds, and connections, go to `tables`.
    pub(super) fn new(kinds: Kinds, tables: T) -> Self {
        let rows = Shared(Rc::new(RefCell::new(Rows::new(tables))));
        let stream = Stream::new(Kinds { connection: false, ..kinds }, Box::new(Shared(Rc::clone(&rows.0))));
        Self { rows, stream, live: HashMap::default() }
    }

    fn connection(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) {
        let Some(conn) = at.conn else { return };
        if let Event::Opened(opened) = event {
            self.live.insert(conn, Connection::new(conn, at, opened));
        }
        if let Some(row) = self.live.get_mut(&conn) {
            row.apply(at, event);
        }
        if let Event::Closed(_) = event {
            let row = self.live.remove(&conn);
            self.rows.connections(row.as_slice(), out);
        }
    }

    /// Goes on, unless a row could not be put.
    fn checked(&mut self, out: &mut Out<'_>) -> ControlFlow<()> {
        let Some(error) = self.rows.0.borrow_mut().failed.take() else { return ControlFlow::Continue(()) };
        out.fail(error);
        ControlFlow::Break(())
    }
}

impl<T: Tables + 'static> Exporter for Tabled<T> {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let flow = self.stream.event(at, event, out);
        self.connection(at, event, out);
        self.checked(out)?;
        flow
    }

    fn unwanted(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let flow = self.stream.unwanted(at, event, out);
        self.connection(at, event, out);
        self.checked(out)?;
        flow
    }

    fn file(&mut self, run: &FileRun) {
        self.stream.file(run);
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        self.stream.fact(file, fact);
    }

    fn hears_frames(&self) -> bool {
        self.stream.hears_frames()
    }

    fn hears_payloads(&self) -> bool {
        true
    }

    fn finish(&mut self, totals: &Totals, out: &mut Out<'_>) {
        self.stream.finish(totals, out);
        if self.checked(out).is_break() || out.has_failed() {
            return;
        }
        if let Err(error) = self.rows.0.borrow_mut().tables.finish() {
            out.fail(error);
        }
    }
}

/// The form that the stream writes in, and connections beside it.
struct Shared<T>(Rc<RefCell<Rows<T>>>);

/// Makes rows of records.
struct Rows<T> {
    records: Records,
    /// The record at hand.
    record: Out<'static>,
    columns: HashMap<Table, Vec<Column>>,
    tables: T,
    failed: Option<io::Error>,
}

impl<T: Tables> Rows<T> {
    fn new(tables: T) -> Self {
        let records = Records::new(PayloadOptions { mode: PayloadMode::None, ..PayloadOptions::default() });
        let columns = Table::ALL.into_iter().map(|table| (table, table.columns())).collect();
        Self { records, record: Out::memory(), columns, tables, failed: None }
    }

    /// Puts the row of the record that `write` writes, with this payload.
    fn put(&mut self, table: Table, payload: Cell<'_>, write: impl FnOnce(&mut Records, &mut Out<'_>)) {
        if self.failed.is_some() {
            return;
        }
        self.record.bytes().clear();
        write(&mut self.records, &mut self.record);
        let mut text = String::new();
        let row = String::from_utf8_lossy(self.record.bytes());
        let members: Vec<(&str, &str)> = members(&row).filter(|(name, _)| !LEFT_OUT.contains(name)).collect();
        // Strings without their escapes, one behind the other, are borrowed by the cells.
        let ends: Vec<usize> = members.iter().map(|(_, value)| plain(value, &mut text)).collect();
        let mut from = 0;
        let columns = self.columns.get(&table).into_iter().flatten();
        let cells = columns.zip(&members).zip(ends).map(|((column, (name, value)), end)| {
            debug_assert_eq!(column.name, *name, "records have their keys in the order of the table of keys");
            let text = text.get(std::mem::replace(&mut from, end)..end).unwrap_or_default();
            if column.holds == Holds::Payload { payload.clone() } else { cell(column.holds, value, text) }
        });
        let cells: Vec<Cell<'_>> = cells.collect();
        self.failed = self.tables.put(table, &cells).err();
    }
}

/// A cell of a record's value, and of the same without escapes if it is a string.
fn cell<'a>(holds: Holds, value: &'a str, text: &'a str) -> Cell<'a> {
    match holds {
        Holds::Time => Cell::Time((value != "null").then(|| (nanos(text), text))),
        _ if value == "null" => Cell::Null,
        Holds::Truth => Cell::Truth(value == "true"),
        // No record has numbers beyond that of what was captured; a length that a head claims may be.
        Holds::Number => Cell::Number(value.parse().unwrap_or(i64::MAX)),
        Holds::Text | Holds::Payload => Cell::Text(text),
        Holds::Json => Cell::Json(value),
    }
}

/// Nanoseconds since 1970.
fn nanos(time: &str) -> i64 {
    let time: Option<jiff::Timestamp> = time.parse().ok();
    time.and_then(|time| time.as_nanosecond().try_into().ok()).unwrap_or_default()
}

/// Appends a string without its quotes and escapes, and nothing for any other value. Where the text ends.
fn plain(value: &str, text: &mut String) -> usize {
    if let Some(inside) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        path::unescape(inside.as_bytes(), text);
    }
    text.len()
}

/// The keys of a record and their values, as they are written: our own JSON, compact.
fn members(record: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = record.trim_end().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    std::iter::from_fn(move || {
        let (name, behind) = rest.strip_prefix('"')?.split_once("\":")?;
        let (value, behind) = behind.split_at(value_len(behind.as_bytes()));
        rest = behind.strip_prefix(',').unwrap_or_default();
        Some((name, value))
    })
}

/// How long the value is that the text begins with.
fn value_len(text: &[u8]) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let ends = |byte: u8| {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => return depth == 0,
            _ => {}
        }
        false
    };
    text.iter().copied().position(ends).unwrap_or(text.len())
}

impl<T: Tables> Form for Shared<T> {
    fn file(&mut self, run: &FileRun) {
        self.0.borrow_mut().records.file(run);
    }

    fn message(&mut self, at: &Stamp, message: &Message<'_>, _: &mut Out<'_>) {
        let payload = payload::text(message).map_or(Cell::Bytes(message.body.kept), Cell::Text);
        self.0.borrow_mut().put(Table::Messages, payload, |records, out| records.message(at, message, out));
    }

    fn frame(&mut self, at: &Stamp, frame: &Frame, _: &mut Out<'_>) {
        self.0.borrow_mut().put(Table::Frames, Cell::Null, |records, out| records.frame(at, frame, out));
    }

    fn finding(&mut self, at: &Stamp, note: &Note<'_>, _: &mut Out<'_>) {
        self.0.borrow_mut().put(Table::Findings, Cell::Null, |records, out| records.finding(at, note, out));
    }

    fn handshake(&mut self, at: &Stamp, handshake: &Handshake, tls: Option<&TlsOutline>, _: &mut Out<'_>) {
        let write = |records: &mut Records, out: &mut Out<'_>| records.handshake(at, handshake, tls, out);
        self.0.borrow_mut().put(Table::Handshakes, Cell::Null, write);
    }

    fn connections(&mut self, rows: &[Connection], _: &mut Out<'_>) {
        for row in rows {
            let write = |records: &mut Records, out: &mut Out<'_>| records.connections(std::slice::from_ref(row), out);
            self.0.borrow_mut().put(Table::Connections, Cell::Null, write);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_fall_into_members() {
        let record = r#"{"a":null,"b":{"c":[1,2],"d":"}"},"e":"x,\"y\\","f":[[1,null],[2,3]],"g":-7}"#;
        let found: Vec<_> = members(record).collect();
        let expected = [
            ("a", "null"),
            ("b", r#"{"c":[1,2],"d":"}"}"#),
            ("e", r#""x,\"y\\""#),
            ("f", "[[1,null],[2,3]]"),
            ("g", "-7"),
        ];
        assert_eq!(found, expected);
        assert_eq!(members("{}").count(), 0);
    }

    #[test]
    fn every_table_has_columns() {
        for table in Table::ALL {
            let columns = table.columns();
            assert!(columns.len() > 8, "{}", table.name());
            assert_eq!(columns.first().map(|column| (column.name, column.holds)), Some(("conn", Holds::Number)));
        }
        let payload = Table::Messages.columns().into_iter().find(|column| column.name == "payload").unwrap();
        assert_eq!(payload.holds, Holds::Payload);
    }
}
