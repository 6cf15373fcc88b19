//! A SQLite database: a table for each kind of record, and views that join them.

use super::columns::{Cell, Column, Holds, Table, Tabled, Tables};
use super::{Exporter, Kinds, Out, Totals};
use crate::model::{Event, Fact, FileRun, Stamp};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, ErrorCode, params_from_iter};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

/// Rows of which kinds there are tables, beside connections.
const KINDS: Kinds = Kinds { connection: true, handshake: true, message: true, frame: true, finding: true };

/// What a file needs that is made once and thrown away when that fails: no journal, no waiting for the disk, and little memory.
const SETTINGS: &str = "
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -8192;
PRAGMA foreign_keys = OFF;
PRAGMA user_version = 1;
BEGIN;
";

/// What is made of the tables once they are full.
const BEHIND: &str = "
CREATE UNIQUE INDEX messages_by_number ON messages (conn, msg);
CREATE INDEX messages_by_time ON messages (time_ns);
CREATE UNIQUE INDEX frames_by_number ON frames (conn, frame);
CREATE INDEX frames_by_message ON frames (conn, msg);
CREATE INDEX findings_by_code ON findings (code);
CREATE INDEX findings_by_connection ON findings (conn, msg);
CREATE INDEX handshakes_by_connection ON handshakes (conn);
CREATE VIEW texts AS
    SELECT conn, msg, messages.time, messages.time_ns, dir, url, len, payload
    FROM messages JOIN connections USING (conn) WHERE type = 'text';
CREATE VIEW headers AS
    SELECT conn, 'request' AS head, lower(each.value ->> 0) AS name, each.value ->> 1 AS value
    FROM handshakes, json_each(request, '$.headers') AS each
    UNION ALL
    SELECT conn, 'response', lower(each.value ->> 0), each.value ->> 1
    FROM handshakes, json_each(response, '$.headers') AS each;
COMMIT;
";

/// Writes a SQLite database.
pub struct Sqlite(Tabled<Database>);

impl Sqlite {
    /// A database in this file, which is empty.
    ///
    /// # Errors
    /// When SQLite cannot write there.
    pub fn new(path: &Path) -> io::Result<Self> {
        Ok(Self(Tabled::new(KINDS, Database::new(path)?)))
    }
}

impl Exporter for Sqlite {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.0.event(at, event, out)
    }

    fn unwanted(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.0.unwanted(at, event, out)
    }

    fn file(&mut self, run: &FileRun) {
        self.0.file(run);
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        self.0.fact(file, fact);
    }

    fn hears_frames(&self) -> bool {
        self.0.hears_frames()
    }

    fn hears_payloads(&self) -> bool {
        self.0.hears_payloads()
    }

    fn finish(&mut self, totals: &Totals, out: &mut Out<'_>) {
        self.0.finish(totals, out);
    }
}

/// The database while it is made.
struct Database {
    /// `None` once it is whole: then nobody has the file open.
    to: Option<Connection>,
    /// What puts a row into each table, in the order of [`Table::ALL`].
    inserts: Vec<(Table, String)>,
}

impl Database {
    fn new(path: &Path) -> io::Result<Self> {
        let to = Connection::open(path).map_err(told)?;
        to.set_prepared_statement_cache_capacity(Table::ALL.len());
        let tables: String = Table::ALL.into_iter().map(create).collect();
        to.execute_batch(&format!("{SETTINGS}{tables}")).map_err(told)?;
        Ok(Self { to: Some(to), inserts: Table::ALL.into_iter().map(|table| (table, insert(table))).collect() })
    }
}

impl Tables for Database {
    fn put(&mut self, table: Table, cells: &[Cell<'_>]) -> io::Result<()> {
        let insert = self.inserts.iter().find(|(of, _)| *of == table);
        let (Some(to), Some((_, insert))) = (&self.to, insert) else { return Ok(()) };
        let mut statement = to.prepare_cached(insert).map_err(told)?;
        statement.execute(params_from_iter(cells.iter().flat_map(values))).map_err(told)?;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let Some(to) = self.to.take() else { return Ok(()) };
        to.execute_batch(BEHIND).map_err(told)?;
        to.close().map_err(|(_, error)| told(error))
    }
}

/// The statement that makes a table.
fn create(table: Table) -> String {
    let columns: Vec<String> = table.columns().into_iter().map(|column| define(table, column)).collect();
    format!("CREATE TABLE {} ({});\n", table.name(), columns.join(", "))
}

/// A column with its type. A time is two: to read, and to reckon with.
fn define(table: Table, Column { name, holds }: Column) -> String {
    if name == "conn" {
        let key = if table == Table::Connections { "PRIMARY KEY" } else { "REFERENCES connections" };
        return format!("conn INTEGER {key}");
    }
    match holds {
        Holds::Truth | Holds::Number => format!("\"{name}\" INTEGER"),
        Holds::Text | Holds::Json => format!("\"{name}\" TEXT"),
        Holds::Time => format!("\"{name}\" TEXT, \"{name}_ns\" INTEGER"),
        Holds::Payload => format!("\"{name}\""),
    }
}

/// The statement that puts a row into a table.
fn insert(table: Table) -> String {
    let width: usize = table.columns().iter().map(|column| if column.holds == Holds::Time { 2 } else { 1 }).sum();
    format!("INSERT INTO {} VALUES ({})", table.name(), vec!["?"; width].join(","))
}

/// What a cell is in SQL: a time is two values.
fn values<'a>(cell: &Cell<'a>) -> impl Iterator<Item = ToSqlOutput<'a>> {
    let text = |text: &'a str| ValueRef::Text(text.as_bytes());
    let (first, second) = match *cell {
        Cell::Null => (ValueRef::Null, None),
        Cell::Truth(is_true) => (ValueRef::Integer(is_true.into()), None),
        Cell::Number(number) => (ValueRef::Integer(number), None),
        Cell::Text(words) | Cell::Json(words) => (text(words), None),
        Cell::Bytes(bytes) => (ValueRef::Blob(bytes), None),
        Cell::Time(None) => (ValueRef::Null, Some(ValueRef::Null)),
        Cell::Time(Some((nanos, words))) => (text(words), Some(ValueRef::Integer(nanos))),
    };
    std::iter::once(first).chain(second).map(ToSqlOutput::Borrowed)
}

/// An error of SQLite, as one of writing a file.
fn told(error: Error) -> io::Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => io::ErrorKind::StorageFull.into(),
        _ => io::Error::other(error),
    }
}
