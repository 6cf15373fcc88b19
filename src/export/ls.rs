//! A line for each connection.

use super::Out;
use super::payload::fit;
use super::style::{Ink, Style};
use super::time::Clock;
use crate::escape;
use crate::model::{Connection, Direction, Goodbye, State, duration, number, size};
use unicode_width::UnicodeWidthStr as _;

/// Columns: a title, and whether it is aligned right.
const COLUMNS: [(&str, bool); 11] = [
    ("#", true),
    ("stream", true),
    ("start", false),
    ("duration", true),
    ("client", false),
    ("host / path", false),
    ("→", true),
    ("←", true),
    ("bytes", true),
    ("flags", false),
    ("end", false),
];

/// The one column that gives way: to a narrow terminal, and so that one long URL does not push the others out of sight.
const URL: usize = 5;
const MIN_URL: usize = 24;
const LEAST_URL: usize = 8;
const MAX_URL: usize = 80;

/// What goes, one after the other, where even that is not enough: stream, client, start, flags, duration; then the URL gives
/// way once more.
const EXPENDABLE: [usize; 5] = [1, 4, 2, 9, 3];

type Row = [String; COLUMNS.len()];
type Widths = [usize; COLUMNS.len()];

/// Appends the table with its header.
pub(super) fn write(rows: &[Connection], clock: &mut Clock, style: Style, out: &mut Out<'_>) {
    let header = COLUMNS.map(|(title, _)| title.to_owned());
    let cells: Vec<Row> = rows.iter().map(|row| cells(row, clock)).collect();
    let mut widths = widths(&header, &cells);
    if let Some(columns) = style.columns {
        squeeze(&mut widths, columns);
    }
    out.line(&style.paint(Ink::Dim, line(&header, &widths)).to_string());
    for row in &cells {
        out.line(&line(row, &widths));
        out.spill();
    }
}

fn cells(row: &Connection, clock: &mut Clock) -> Row {
    let mut start = String::new();
    clock.write(row.span.first.time, &mut start);
    [
        row.id.to_string(),
        row.stream.map_or(String::from("-"), |stream| stream.to_string()),
        start,
        row.duration().map_or(String::from("-"), duration),
        row.client().to_string(),
        escape::display_str(&row.title()).into_owned(),
        number(row.counts[Direction::ToServer].messages),
        number(row.counts[Direction::ToClient].messages),
        size(row.bytes()),
        Some(row.flags()).filter(|flags| !flags.is_empty()).unwrap_or(String::from("-")),
        format!("{} {}", end(row), row.findings.sign()).trim_end().to_owned(),
    ]
}

/// How it ended: `close 1000`, `rst (1006)`, `timeout (1006)`, `403 Forbidden`, `switched to h2c`, `open`.
fn end(row: &Connection) -> String {
    if row.state() == State::Rejected {
        let handshake = row.handshake.as_ref();
        let words = match handshake.map(|handshake| (&handshake.elsewhere, handshake.status, &handshake.reason)) {
            Some((Some(protocol), ..)) => format!("switched to {}", escape::display_str(protocol)),
            Some((None, Some(status), reason)) => format!("{status} {}", escape::display_str(reason)),
            _ => String::from("refused"),
        };
        return fit(words.trim_end(), 32, false).into_owned();
    }
    if row.is_unanswered() {
        return String::from("no answer");
    }
    if let (State::Encrypted, Some(by)) = (row.state(), row.ended_by()) {
        return by.name().to_owned();
    }
    match (&row.close, row.ended_by()) {
        (Some((_, Goodbye { code: Some(code), .. })), _) => format!("close {code}"),
        (Some((_, Goodbye { code: None, .. })), _) => String::from("close (1005)"),
        (None, Some(by)) => format!("{} (1006)", by.name()),
        (None, None) => String::from("open"),
    }
}

fn widths(header: &Row, rows: &[Row]) -> Widths {
    let mut widths = [0; COLUMNS.len()];
    for row in std::iter::once(header).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    widths[URL] = widths[URL].min(MAX_URL);
    widths
}

/// Makes a line fit into `columns`: the URL gives way, then whole columns, whose width becomes 0.
fn squeeze(widths: &mut Widths, columns: usize) {
    let least = widths[URL].min(MIN_URL);
    let mut expendable = EXPENDABLE.into_iter();
    loop {
        let total: usize = widths.iter().filter(|width| **width > 0).map(|width| width + 2).sum();
        let others = total - widths[URL] - 2;
        if others + least <= columns {
            widths[URL] = widths[URL].min(columns - others);
            return;
        }
        let Some(width) = expendable.next().and_then(|column| widths.get_mut(column)) else {
            widths[URL] = columns.saturating_sub(others).max(LEAST_URL).min(least);
            return;
        };
        *width = 0;
    }
}

fn line(row: &Row, widths: &Widths) -> String {
    let mut line = String::new();
    for ((cell, &width), (_, is_right)) in row.iter().zip(widths).zip(COLUMNS) {
        if width == 0 {
            continue;
        }
        let cell = fit(cell, width, false);
        let blanks = " ".repeat(width.saturating_sub(cell.width()));
        let (before, behind) = if is_right { (blanks.as_str(), "") } else { ("", blanks.as_str()) };
        for part in [before, &cell, behind, "  "] {
            line.push_str(part);
        }
    }
    line.truncate(line.trim_end().len());
    line
}
