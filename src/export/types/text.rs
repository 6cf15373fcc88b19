//! Types of messages as text: a line of figures and names for each, and below it where the first and the last are, and an example.

use super::{Seen, Type};
use crate::escape;
use crate::export::Out;
use crate::export::payload::fit;
use crate::export::style::{Ink, Style};
use crate::export::time::Clock;
use crate::model::{number, size};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr as _;

/// Columns of figures, aligned right.
const FIGURES: [&str; 7] = ["count", "share", "bytes", "median", "99 %", "longest", "conns"];

/// Columns of names, aligned left; behind them stands the event or the shape.
const NAMES: [&str; 3] = ["→", "type", "protocol"];

/// Appends the table with its header; `of`: all messages that were counted.
pub(in crate::export) fn write(rows: &[Type], of: u64, clock: &mut Clock, style: Style, out: &mut Out<'_>) {
    let figures: Vec<_> = rows.iter().map(|row| figures(row, of)).collect();
    let names: Vec<_> = rows.iter().map(names).collect();
    let (mut wide, mut name_wide) = (FIGURES.map(str::width), NAMES.map(str::width));
    for (row, names) in figures.iter().zip(&names) {
        wide.iter_mut().zip(row).for_each(|(width, cell)| *width = cell.width().max(*width));
        name_wide.iter_mut().zip(names).for_each(|(width, cell)| *width = cell.width().max(*width));
    }
    let columns = style.columns.unwrap_or(usize::MAX);
    let line = |figures: &[String], names: &[String], what: &str| {
        let mut line = String::new();
        for (width, cell) in wide.iter().zip(figures) {
            let _ = write!(line, "{cell:>width$}  ");
        }
        for (width, cell) in name_wide.iter().zip(names) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        fit(&format!("{line}{what}"), columns, false).trim_end().to_owned()
    };
    let header = line(&FIGURES.map(str::to_owned), &NAMES.map(str::to_owned), "event or shape");
    out.line(&style.paint(Ink::Dim, header).to_string());
    for ((row, figures), names) in rows.iter().zip(&figures).zip(&names) {
        let what = match &row.told {
            Some(told) => told.event.as_deref().or(told.shape.as_deref()).unwrap_or_default(),
            None => "more types than are told apart",
        };
        out.line(&line(figures, names, &escape::display_str(what)));
        let [first, last] = [row.first, row.last].map(|seen| place(seen, clock));
        let below = if row.count == 1 { format!("at {first}") } else { format!("from {first} to {last}") };
        let below = format!("    {below}  {}", escape::display_str(&row.example));
        out.line(&style.paint(Ink::Dim, fit(&below, columns, false).trim_end()).to_string());
        out.spill();
    }
}

fn figures(row: &Type, of: u64) -> [String; FIGURES.len()] {
    let [_, median, most, max] = row.sizes.map(|size| number(size.try_into().unwrap_or(0)));
    [number(row.count), share(row.count, of), size(row.bytes), median, most, max, number(row.connections)]
}

/// `12.5 %`, rounded half up; what is not nothing is not told as such.
fn share(count: u64, of: u64) -> String {
    let (count, of) = (u128::from(count), u128::from(of.max(1)));
    match (count * 2000 + of) / (2 * of) {
        0 if count > 0 => "< 0.1 %".to_owned(),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

fn names(row: &Type) -> [String; NAMES.len()] {
    let Some(told) = &row.told else { return [const { String::new() }; NAMES.len()] };
    [told.dir.arrow(), told.opcode.name(), told.protocol.unwrap_or("-")].map(str::to_owned)
}

/// `1:3 (0.310000)`: connection, message and time.
fn place(Seen { at, msg }: Seen, clock: &mut Clock) -> String {
    let mut time = String::new();
    clock.write(at.at.time, &mut time);
    let conn = at.conn.map_or_else(|| "-".to_owned(), |conn| conn.to_string());
    format!("{conn}:{msg} ({})", time.trim())
}
