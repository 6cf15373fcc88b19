//! A data set in Parquet: a file for connections and one for messages, in groups of rows.
//!
//! Parquet stands column by column, so the rows of a group wait in memory until they are many, or long, enough.

use super::columns::{Cell, Column, Holds, Table, Tabled, Tables};
use super::{Exporter, Folder, Kinds, Out, Totals};
use crate::model::{Event, Fact, FileRun, Stamp};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Rows of which kinds there are files, beside connections.
const KINDS: Kinds = Kinds { connection: true, handshake: false, message: true, frame: false, finding: false };

/// What has a file.
const TABLES: [Table; 2] = [Table::Connections, Table::Messages];

/// Rows of a group at most.
const MAX_ROWS: usize = 64 << 10;

/// Bytes of values in a group, at most, but for its last row.
const MAX_BYTES: usize = 8 << 20;

/// Writes a data set.
pub struct Parquet(Tabled<DataSet>);

impl Parquet {
    /// A data set whose files are made in `folder`.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn new(folder: &mut dyn Folder) -> io::Result<Self> {
        let files = TABLES.into_iter().map(|table| Sheet::new(table, folder)).collect::<io::Result<_>>()?;
        Ok(Self(Tabled::new(KINDS, DataSet(files))))
    }
}

impl Exporter for Parquet {
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

struct DataSet(Vec<Sheet>);

impl Tables for DataSet {
    fn put(&mut self, table: Table, cells: &[Cell<'_>]) -> io::Result<()> {
        match self.0.iter_mut().find(|sheet| sheet.table == table) {
            Some(sheet) => sheet.put(cells).map_err(told),
            None => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|sheet| sheet.finish().map_err(told))
    }
}

/// A file while it is written.
struct Sheet {
    table: Table,
    columns: Vec<Waiting>,
    rows: usize,
    /// Bytes of the values that wait.
    bytes: usize,
    to: SerializedFileWriter<Box<dyn Write + Send>>,
}

impl Sheet {
    fn new(table: Table, folder: &mut dyn Folder) -> io::Result<Self> {
        let columns: Vec<Waiting> = table.columns().into_iter().enumerate().flat_map(Waiting::of).collect();
        let schema = schema(table, &columns).map_err(told)?;
        let file = folder.create(&format!("{}.parquet", table.name()))?;
        let to = SerializedFileWriter::new(file, schema, properties(table, &columns)).map_err(told)?;
        Ok(Self { table, columns, rows: 0, bytes: 0, to })
    }

    fn put(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        for column in &mut self.columns {
            self.bytes += column.push(cells.get(column.cell).unwrap_or(&Cell::Null));
        }
        self.rows += 1;
        if self.rows >= MAX_ROWS || self.bytes >= MAX_BYTES { self.write() } else { Ok(()) }
    }

    /// Writes the rows that wait as a group.
    fn write(&mut self) -> Result<()> {
        let mut group = self.to.next_row_group()?;
        for column in &mut self.columns {
            let Some(to) = group.next_column()? else { break };
            column.write(to)?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        if self.rows > 0 {
            self.write()?;
        }
        self.to.finish()?;
        Ok(())
    }
}

/// What of a column is not written yet.
struct Waiting {
    name: String,
    /// The cell of a row that it is of.
    cell: usize,
    kind: Kind,
    values: Values,
    /// For each row 1 where there is a value, else 0.
    levels: Vec<i16>,
}

/// Types of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Truth,
    Number,
    Time,
    Text,
    Bytes,
}

enum Values {
    Truths(Vec<bool>),
    Numbers(Vec<i64>),
    Strings(Vec<ByteArray>),
}

impl Waiting {
    /// The columns of one of ours: a payload has two, of which one is filled.
    fn of((cell, Column { name, holds }): (usize, Column)) -> Vec<Self> {
        let one = |name: &str, kind| {
            let values = match kind {
                Kind::Truth => Values::Truths(Vec::new()),
                Kind::Number | Kind::Time => Values::Numbers(Vec::new()),
                Kind::Text | Kind::Bytes => Values::Strings(Vec::new()),
            };
            Self { name: name.to_owned(), cell, kind, values, levels: Vec::new() }
        };
        match holds {
            Holds::Truth => vec![one(name, Kind::Truth)],
            Holds::Number => vec![one(name, Kind::Number)],
            Holds::Time => vec![one(name, Kind::Time)],
            Holds::Text | Holds::Json => vec![one(name, Kind::Text)],
            Holds::Payload => vec![one(name, Kind::Text), one(&format!("{name}_bytes"), Kind::Bytes)],
        }
    }

    /// Adds a row's value; how many bytes that takes.
    fn push(&mut self, cell: &Cell<'_>) -> usize {
        let len = match (self.kind, cell, &mut self.values) {
            (Kind::Truth, Cell::Truth(is_true), Values::Truths(values)) => {
                values.push(*is_true);
                1
            }
            (Kind::Number, Cell::Number(value), Values::Numbers(values))
            | (Kind::Time, Cell::Time(Some((value, _))), Values::Numbers(values)) => {
                values.push(*value);
                size_of::<i64>()
            }
            (Kind::Text, Cell::Text(text) | Cell::Json(text), Values::Strings(values)) => {
                values.push(text.as_bytes().to_vec().into());
                text.len() + size_of::<ByteArray>()
            }
            (Kind::Bytes, Cell::Bytes(bytes), Values::Strings(values)) => {
                values.push(bytes.to_vec().into());
                bytes.len() + size_of::<ByteArray>()
            }
            _ => {
                self.levels.push(0);
                return size_of::<i16>();
            }
        };
        self.levels.push(1);
        len + size_of::<i16>()
    }

    /// Writes what waits.
    fn write(&mut self, mut to: SerializedColumnWriter<'_>) -> Result<()> {
        let levels = Some(self.levels.as_slice());
        match &self.values {
            Values::Truths(values) => to.typed::<BoolType>().write_batch(values, levels, None)?,
            Values::Numbers(values) => to.typed::<Int64Type>().write_batch(values, levels, None)?,
            Values::Strings(values) => to.typed::<ByteArrayType>().write_batch(values, levels, None)?,
        };
        to.close()?;
        self.levels.clear();
        match &mut self.values {
            Values::Truths(values) => values.clear(),
            Values::Numbers(values) => values.clear(),
            Values::Strings(values) => values.clear(),
        }
        Ok(())
    }
}

/// The schema of a file: any value may be absent.
fn schema(table: Table, columns: &[Waiting]) -> Result<TypePtr> {
    let field = |column: &Waiting| {
        let (physical, logical) = match column.kind {
            Kind::Truth => (Physical::BOOLEAN, None),
            Kind::Number => (Physical::INT64, None),
            Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Bytes => (Physical::BYTE_ARRAY, None),
        };
        let field = Type::primitive_type_builder(&column.name, physical).with_repetition(Repetition::OPTIONAL);
        field.with_logical_type(logical).build().map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<Result<_>>()?;
    Type::group_type_builder(table.name()).with_fields(fields).build().map(Arc::new)
}

/// How a file is written. Messages come in the order of their packets.
fn properties(table: Table, columns: &[Waiting]) -> WriterPropertiesPtr {
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("wspect ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::LZ4_RAW);
    for column in columns.iter().filter(|column| column.name.starts_with("payload")) {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column.name.as_str()), false);
    }
    let packet = columns.iter().position(|column| column.name == "packet").and_then(|at| at.try_into().ok());
    if let Some(column_idx) = packet.filter(|_| table == Table::Messages) {
        let by_packet = SortingColumn { column_idx, descending: false, nulls_first: false };
        properties = properties.set_sorting_columns(Some(vec![by_packet]));
    }
    Arc::new(properties.build())
}

/// An error of this format, as one of writing a file.
fn told(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}
