//! Chosen columns of rows, with signs between them: `-T fields`, CSV (RFC 4180), TSV.

use super::context::Context;
use super::list::Collect;
use super::{Exporter, Out, Totals};
use crate::escape;
use crate::filter::{Column, Item, Kind, Needs, Rows, Value};
use crate::model::{ConnId, Event, Stamp, Timestamp, hex_apart, push_hex, seconds};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::rc::Rc;

/// How cells are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delimited {
    /// Between cells.
    pub separator: char,
    /// Between the values of one cell.
    pub aggregator: String,
    /// Which values of a field.
    pub occurrence: Occurrence,
    /// Around cells.
    pub quote: Quote,
    /// The names of the columns come first.
    pub header: bool,
    /// U+FEFF stands before everything: spreadsheets know UTF-8 by it.
    pub bom: bool,
    /// A cell that a spreadsheet would take for a formula begins with `'`.
    pub safe: bool,
    /// Whoever reads it may be a terminal: nothing may control that.
    pub shown: bool,
}

/// Which values of a field are written, as in tshark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// The first.
    First,
    /// The last.
    Last,
    /// All.
    All,
}

/// What stands around a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// Nothing; tabs, line ends and backslashes are written as `\t`, `\n`, `\r`, `\\`.
    None,
    /// Double quotes where they are needed, and twice where they stand in the cell (RFC 4180 §2).
    Csv,
    /// This, always; a backslash before it where it stands in the cell.
    Always(char),
    /// Double quotes, always, and twice where they stand in the cell.
    CsvAlways,
}

/// Writes a line of cells for each row.
pub struct Cells<'c> {
    columns: &'c [(String, Column)],
    form: Delimited,
    rows: Rows,
    context: Context,
    /// Lines of connections that wait for those of earlier ones; empty when there is none.
    waiting: BTreeMap<ConnId, Vec<u8>>,
    next: ConnId,
    has_begun: bool,
    /// All of one cell.
    cell: String,
}

impl<'c> Cells<'c> {
    /// These columns of such rows; see [`super::Filtered::new`] for `origin` and `known`.
    pub fn new(
        columns: &'c [(String, Column)],
        form: Delimited,
        rows: Rows,
        origin: Option<Timestamp>,
        known: Option<Rc<Collect>>,
    ) -> Self {
        let needs = columns.iter().map(|(_, column)| column.needs(rows)).fold(Needs::default(), Needs::or);
        Self {
            columns,
            form,
            rows,
            context: Context::new(needs, origin, known),
            waiting: BTreeMap::new(),
            next: ConnId(1),
            has_begun: false,
            cell: String::new(),
        }
    }

    fn begin(&mut self, out: &mut Out<'_>) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        let bom = if self.form.bom { "\u{feff}" } else { "" };
        if !self.form.header {
            return out.text(bom);
        }
        let mut line = Out::memory();
        line.text(bom);
        for (at, (name, _)) in self.columns.iter().enumerate() {
            if at > 0 {
                line.text(self.form.separator.encode_utf8(&mut [0; 4]));
            }
            self.form.write(name, &mut line);
        }
        out.heading(&String::from_utf8_lossy(&line.take()));
    }

    /// Writes the line of an event; false when it makes none.
    fn line(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> bool {
        let Some(row) = self.context.row(at, event, self.rows) else { return false };
        for (index, (_, column)) in self.columns.iter().enumerate() {
            if index > 0 {
                out.text(self.form.separator.encode_utf8(&mut [0; 4]));
            }
            self.cell.clear();
            // What is no text is hex throughout, also where its bytes could be read as text.
            let is_text = if let Item::Message(message, _) = row.item { message.is_text() } else { true };
            let mut count = 0;
            column.values(&row, |value| {
                match self.form.occurrence {
                    Occurrence::First if count > 0 => return,
                    Occurrence::Last => self.cell.clear(),
                    Occurrence::All if count > 0 => self.cell.push_str(&self.form.aggregator),
                    _ => {}
                }
                count += 1;
                push_value(value, column, is_text, &mut self.cell);
            });
            self.form.write(&self.cell, out);
            // An empty line would be no row (RFC 4180 has none).
            if self.cell.is_empty() && self.columns.len() == 1 && self.form.quote == Quote::Csv {
                out.text("\"\"");
            }
        }
        out.text("\n");
        true
    }

    /// Writes the lines of connections whose turn has come.
    fn release(&mut self, out: &mut Out<'_>) -> ControlFlow<()> {
        while let Some(line) = self.waiting.remove(&self.next) {
            self.next.0 += 1;
            if !line.is_empty() {
                out.bytes().extend_from_slice(&line);
                out.end_row()?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The connection's line is written, or wanted by nobody: later ones may come.
    fn queue(&mut self, conn: ConnId, line: Vec<u8>, out: &mut Out<'_>) -> ControlFlow<()> {
        if conn >= self.next {
            self.waiting.entry(conn).or_insert(line);
        }
        self.release(out)
    }

    /// Whether an event makes a line that waits for its turn.
    fn waits(&self, event: Event<'_>) -> bool {
        match event {
            Event::Closed(_) => self.rows.meets(Rows::CONNECTIONS | Rows::HANDSHAKES),
            Event::Handshake(_) => self.rows.meets(Rows::HANDSHAKES),
            _ => false,
        }
    }
}

impl Exporter for Cells<'_> {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.begin(out);
        self.context.learn(at, event);
        let flow = match at.conn.filter(|_| self.waits(event)) {
            Some(conn) => {
                let mut line = Out::memory();
                self.line(at, event, &mut line);
                self.queue(conn, line.take(), out)
            }
            None if self.line(at, event, out) => out.end_row(),
            None => ControlFlow::Continue(()),
        };
        self.context.forget(at, event);
        flow
    }

    fn unwanted(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.context.learn(at, event);
        let flow = match at.conn.filter(|_| self.waits(event)) {
            Some(conn) => self.queue(conn, Vec::new(), out),
            None => ControlFlow::Continue(()),
        };
        self.context.forget(at, event);
        flow
    }

    fn finish(&mut self, _: &Totals, out: &mut Out<'_>) {
        self.begin(out);
        for line in std::mem::take(&mut self.waiting).into_values().filter(|line| !line.is_empty()) {
            if out.is_full() {
                return;
            }
            out.bytes().extend_from_slice(&line);
            let _ = out.end_row();
        }
    }

    fn hears_frames(&self) -> bool {
        self.context.needs().frames || self.rows.meets(Rows::FRAMES)
    }

    fn hears_payloads(&self) -> bool {
        self.context.needs().payloads
    }
}

/// Appends a value as it stands in a cell: times in RFC 3339, durations in seconds, bytes in hex unless they are text.
/// `is_text`: the payload that it may be a piece of is text. It is not escaped.
pub fn push_value(value: Value<'_>, column: &Column, is_text: bool, out: &mut String) {
    let kind = column.kind();
    let _ = match value {
        Value::There => write!(out, "true"),
        Value::Null => write!(out, "null"),
        Value::Flag(flag) => write!(out, "{flag}"),
        Value::Int(number) => write!(out, "{number}"),
        Value::Float(number) => write!(out, "{number}"),
        Value::Decimal(digits, _) => write!(out, "{digits}"),
        Value::Text(text) | Value::Word(_, text) => out.write_str(text),
        Value::Address(ip) => write!(out, "{ip}"),
        Value::Time(time) if column.is_epoch() => write!(out, "{}", seconds(time.nanos(), 9)),
        Value::Time(time) => write!(out, "{time}"),
        Value::Duration(nanos) => write!(out, "{}", seconds(nanos, 9)),
        Value::Tree(text) => write!(out, "{}", String::from_utf8_lossy(text)),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if kind == Kind::Text && is_text => out.write_str(text),
            // As Wireshark shows them.
            _ if column.is_ether() => out.write_str(&hex_apart(bytes).replace(' ', ":")),
            _ => {
                push_hex(bytes, out);
                Ok(())
            }
        },
    };
}

impl Delimited {
    /// Cells between commas, as spreadsheets read them.
    pub fn csv() -> Self {
        Self { separator: ',', quote: Quote::Csv, header: true, ..Self::fields() }
    }

    /// Cells between tabs.
    pub fn tsv() -> Self {
        Self { header: true, ..Self::fields() }
    }

    /// Cells between tabs, without names, as tshark's `-T fields` writes them.
    pub fn fields() -> Self {
        Self {
            separator: '\t',
            aggregator: ",".to_owned(),
            occurrence: Occurrence::All,
            quote: Quote::None,
            header: false,
            bom: false,
            safe: false,
            shown: false,
        }
    }

    /// Appends a cell.
    pub(super) fn write(&self, cell: &str, out: &mut Out<'_>) {
        // Spreadsheets pass over blanks and quotes before a formula.
        let inside = cell.trim_start_matches([' ', '"', '\'']);
        let guard = if self.safe && inside.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        let shown = if self.shown { Some(escape::display_str(cell)) } else { None };
        let cell = shown.as_deref().unwrap_or(cell);
        match self.quote {
            Quote::None => {
                out.text(guard);
                for piece in cell.split_inclusive(['\t', '\n', '\r', '\\']) {
                    let special = piece.chars().next_back().and_then(|c| match c {
                        '\t' => Some(r"\t"),
                        '\n' => Some(r"\n"),
                        '\r' => Some(r"\r"),
                        '\\' => Some(r"\\"),
                        _ => None,
                    });
                    match special {
                        Some(written) => {
                            out.text(piece.get(..piece.len() - 1).unwrap_or_default());
                            out.text(written);
                        }
                        None => out.text(piece),
                    }
                }
            }
            Quote::Csv => {
                let needs = |c: char| c == self.separator || matches!(c, '"' | '\n' | '\r');
                if cell.contains(needs) {
                    out.text("\"");
                    out.text(guard);
                    out.text(&cell.replace('"', "\"\""));
                    out.text("\"");
                } else {
                    out.text(guard);
                    out.text(cell);
                }
            }
            Quote::CsvAlways => {
                out.text("\"");
                out.text(guard);
                out.text(&cell.replace('"', "\"\""));
                out.text("\"");
            }
            Quote::Always(quote) => {
                let mut signs = [0; 4];
                let sign = quote.encode_utf8(&mut signs);
                out.text(sign);
                out.text(guard);
                out.text(&cell.replace('\\', r"\\").replace(quote, &format!("\\{quote}")).replace('\n', r"\n"));
                out.text(sign);
            }
        }
    }
}
