//! Screen 4: frames, fields, bytes.

use super::draw::{self, Column};
use super::hexdump::Row;
use super::messages::kind;
use crate::book::FrameRow;
use crate::model::{Opcode, Version, count, hex, number};
use crate::tui::anatomy::Field;
use crate::tui::app::{App, Pane};
use crate::tui::bytes::Bytes;
use crate::tui::dump::Dump;
use crate::tui::layout::Regions;
use crate::tui::paper::{HexRow, HexRows};
use crate::tui::text;
use crate::tui::wire::{Layout, Source};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use std::ops::Range;

/// From this width of the pane on fields have their full names.
const FULL_NAMES: u16 = 60;

/// Columns of a pane's border that its title leaves free.
const TITLE_MARGIN: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Frame,
    Dir,
    Fin,
    Op,
    Mask,
    Len,
    Wire,
    Fragment,
    Time,
}

pub(super) fn frames(app: &App, buf: &mut Buffer, regions: &Regions, area: Rect) {
    let id = app.bytes.message();
    let len = Bytes::frame_count(&app.book, id);
    if area.height < 3 {
        return strip(app, buf, area, len);
    }
    let list = &app.bytes.frames;
    let number =
        id.and_then(|id| app.book.message(id)).map_or_else(String::new, |row| format!(" of message {}", row.number));
    let title = format!("Frames{number}");
    let inside = draw::pane(app, buf, Pane::Frames, area, &title, &draw::position(list.cursor, len));
    let columns = frame_columns(usize::from(inside.width).saturating_sub(1));
    let heads: Vec<String> = columns.iter().map(|column| column.cell(&column.head)).collect();
    draw::lines(buf, inside, [Line::styled(format!(" {}", heads.join(" ")), app.theme.column_head())]);
    let rows = draw::below(inside, App::fixed_lines(regions, Pane::Frames));
    if len == 0 {
        return draw::lines(buf, rows, [Line::styled(" No message is selected.", app.theme.dim())]);
    }
    for line in 0..usize::from(rows.height) {
        let at = list.top + line;
        let Some(frame) = Bytes::frame(&app.book, id, at) else { break };
        let selected = at == list.cursor;
        let cells: Vec<String> =
            columns.iter().map(|column| column.cell(&frame_cell(app, &frame, at, column.key))).collect();
        let words = format!("{}{}", if selected { "▶" } else { " " }, cells.join(" "));
        draw::lines(buf, draw::below(rows, line), [Line::raw(words)]);
        draw::paint_row(buf, rows, line, draw::row_style(app, Pane::Frames, selected));
    }
}

fn frame_columns(width: usize) -> Vec<Column<Key>> {
    let column = |key, head: &'static str, width, right, drop| Column {
        key,
        head: head.into(),
        width,
        right,
        drop,
        grows: key == Key::Time,
    };
    draw::fit(
        &[
            column(Key::Frame, "frame", 12, false, 0),
            column(Key::Dir, "dir", 3, false, 1),
            column(Key::Fin, "fin", 3, true, 2),
            column(Key::Op, "op", 12, false, 0),
            column(Key::Mask, "mask", 8, false, 5),
            column(Key::Len, "len", 9, true, 0),
            column(Key::Wire, "wire", 9, true, 4),
            column(Key::Fragment, "fragment", 14, false, 3),
            column(Key::Time, "time", 15, false, 6),
        ],
        width,
    )
}

fn frame_cell(app: &App, frame: &FrameRow, at: usize, key: Key) -> String {
    let message = app.bytes.message().and_then(|id| app.book.message(id));
    match key {
        Key::Frame => format!("{}.{}", frame.last.packet, frame.ordinal),
        Key::Dir => message.map_or_else(String::new, |row| format!(" {}", row.dir.arrow())),
        Key::Fin => u8::from(frame.fin).to_string(),
        Key::Op => op(app.version(), frame.opcode),
        Key::Mask => frame.mask.map_or_else(|| "no".to_owned(), |mask| hex(&mask)),
        Key::Len => number(frame.len),
        Key::Wire => number(Layout::of(app.version(), None).whole_len(frame)),
        Key::Fragment => {
            let of = message.map_or(0, |row| row.frames);
            let cut = if frame.complete { "" } else { " ⋯" };
            format!("{} of {}{cut}", number(at as u64 + 1), number(of))
        }
        Key::Time => frame.last.time.map_or_else(|| "—".to_owned(), |time| app.clock.of_day(time, false, 6)),
    }
}

fn op(version: Version, opcode: Opcode) -> String {
    match opcode.is_reserved() {
        true if version.is_hixie() => "not defined".to_owned(),
        true => format!("op {}", version.wire_opcode(opcode)),
        false => opcode.name().to_owned(),
    }
}

/// The selected frame on one line, where there is no room for a table.
fn strip(app: &App, buf: &mut Buffer, area: Rect, len: usize) {
    let at = app.bytes.frames.cursor;
    let words = match Bytes::frame(&app.book, app.bytes.message(), at) {
        Some(frame) => {
            let cell = |key| frame_cell(app, &frame, at, key);
            let fin = if frame.fin { "fin " } else { "" };
            let arrow = cell(Key::Dir);
            let (name, op, len) = (cell(Key::Frame), cell(Key::Op), cell(Key::Len));
            format!(" {name}{arrow} {fin}{op} len {len} · fragment {}", cell(Key::Fragment))
        }
        None => " No message is selected.".to_owned(),
    };
    let mut words = text::cut(&words, usize::from(area.width).saturating_sub(2));
    let focused = app.focused() == Pane::Frames;
    if focused && len > 0 {
        words.replace_range(..1, "▶");
    }
    draw::lines(buf, area, [Line::styled(words, if focused { app.theme.selected() } else { app.theme.bold() })]);
}

pub(super) fn fields(app: &App, buf: &mut Buffer, area: Rect) {
    let list = &app.bytes.fields;
    let foot = app.bytes.field(list.cursor).map_or("", |field| field.name);
    let inside = draw::pane(app, buf, Pane::Fields, area, "Fields", foot);
    for line in 0..usize::from(inside.height) {
        let row = list.top + line;
        let Some(field) = app.bytes.field(row) else { break };
        let words = text::cut(&field_text(app, field, area.width > FULL_NAMES), usize::from(inside.width));
        let style = if field.depth == 0 { app.theme.bold() } else { app.theme.plain() };
        draw::lines(buf, draw::below(inside, line), [Line::from(draw::marked(app, words, style))]);
        draw::paint_row(buf, inside, line, draw::row_style(app, Pane::Fields, row == list.cursor));
    }
}

/// The column of a field's fold mark.
pub(in crate::tui) const fn field_mark_column(field: &Field) -> usize {
    field.depth * 2
}

/// A line of the field tree: `    .opcode  .... 0001  Text (1)`, with the full name or without its beginning.
pub(in crate::tui) fn field_text(app: &App, field: &Field, full: bool) -> String {
    let mut out = field_begin(app, field, full);
    if field.depth == 0 {
        // Who sent it is told by the arrow as well.
        let value = if full { field.value.as_str() } else { field.value.split("  (").next().unwrap_or_default() };
        return format!("{out} {value}");
    }
    let (bits_at, value_at) = field_columns(app, full);
    let pad = |out: &mut String, to: usize| {
        let blanks = to.saturating_sub(text::width(out)).max(1);
        out.extend(std::iter::repeat_n(' ', blanks));
    };
    if shows_bits(field, full) {
        pad(&mut out, bits_at);
        out.push_str(&field.bits);
    }
    pad(&mut out, value_at);
    out + &field.value
}

/// Where a line of the field tree has its bits and where its value: behind the longest name, so that all line up.
fn field_columns(app: &App, full: bool) -> (usize, usize) {
    let mut ends = [0; 2];
    for field in (0..app.bytes.field_count()).filter_map(|row| app.bytes.field(row)).filter(|field| field.depth > 0) {
        let end = text::width(&field_begin(app, field, full));
        let [plain, with_bits] = &mut ends;
        let longest = if shows_bits(field, full) { with_bits } else { plain };
        *longest = end.max(*longest);
    }
    let [plain, with_bits] = ends;
    (with_bits + 1, (plain + 1).max(with_bits + 1 + BITS + 2))
}

/// Columns of the bits of a byte: `.... 0001`.
const BITS: usize = 9;

/// In a narrow tree a length has no bits: its long name would push every value out of sight.
fn shows_bits(field: &Field, full: bool) -> bool {
    !field.bits.is_empty() && (full || field.name != "websocket.payload_length")
}

/// Indent, fold mark and name of a field.
fn field_begin(app: &App, field: &Field, full: bool) -> String {
    let mark = match (field.folds, app.bytes.is_folded(field)) {
        (false, _) => "  ",
        (true, true) => "▶ ",
        (true, false) => "▼ ",
    };
    let parent = if field.depth > 1 { "websocket.payload" } else { "websocket" };
    let name = if full { field.name } else { field.name.strip_prefix(parent).unwrap_or(field.name) };
    format!("{}{mark}{name}", " ".repeat(field_mark_column(field)))
}

pub(super) fn bytes(app: &App, buf: &mut Buffer, regions: &Regions, area: Rect) {
    let title_of = |names: fn(Source) -> &'static str| {
        let tab = |&source: &Source| {
            if source == app.bytes.source() { format!("[{}]", names(source)) } else { names(source).to_owned() }
        };
        format!("Bytes  {}", app.bytes.sources().iter().map(tab).collect::<Vec<_>>().join(" "))
    };
    let title = Some(title_of(Source::name)).filter(|title| title.len() + TITLE_MARGIN <= usize::from(area.width));
    let title = title.unwrap_or_else(|| title_of(Source::short_name));
    let foot = match app.bytes.source() {
        Source::Packet => app.bytes.packets.foot().unwrap_or_default(),
        source if source.is_captured() && app.bytes.wire.len == 0 => String::new(),
        _ => count(app.bytes.wire.len, "byte"),
    };
    let inside = draw::pane(app, buf, Pane::Bytes, area, &title, &foot);
    let rows = app.inspector_rows(inside.height.into());
    let dump = Rect { height: inside.height.saturating_sub(rows), ..inside };
    draw_dump(app, buf, dump);
    let below = Rect { y: dump.bottom(), height: inside.height - dump.height, ..inside };
    if below.height > 0 {
        let mut lines = inspector(app, usize::from(below.width), regions.wide);
        lines.truncate(usize::from(rows).saturating_sub(1));
        draw::lines(buf, draw::below(below, 1), lines);
    }
}

fn draw_dump(app: &App, buf: &mut Buffer, area: Rect) {
    let wire = &app.bytes.wire;
    if wire.len == 0 && app.bytes.source().is_captured() {
        let words = format!(" {}", app.bytes.packets.instead(app.bytes.source()));
        return draw::lines(buf, area, [Line::styled(text::cut(&words, area.width.into()), app.theme.dim())]);
    }
    let layout = app.bytes.dump(area.width.into());
    let rows = HexRows::new(&wire.pieces, layout.per_row);
    let marked = app.bytes.marked().unwrap_or(0..0);
    for line in 0..usize::from(area.height) {
        let content = match rows.get(app.bytes.top + line) {
            Some(HexRow::Bytes { offset, start, end }) => dump_row(app, offset, start..end, &layout, &marked),
            Some(HexRow::Gap(piece)) => {
                let label = wire.pieces.get(piece).map(|piece| piece.kind.label()).unwrap_or_default();
                Line::styled(format!(" {label}"), app.theme.gap())
            }
            None => break,
        };
        draw::lines(buf, draw::below(area, line), [content]);
    }
}

/// A row of the dump; the bytes of the selected field stand between `▐` and `▌`.
fn dump_row(app: &App, offset: u64, row: Range<usize>, dump: &Dump, marked: &Range<usize>) -> Line<'static> {
    let theme = &app.theme;
    let bytes = app.bytes.wire.read(row.clone());
    let cursor = (app.focused() == Pane::Bytes).then_some(app.bytes.cursor);
    let style = |at: usize| match (cursor == Some(row.start + at), marked.contains(&(row.start + at))) {
        (true, _) => theme.selected(),
        (false, true) => theme.key(),
        (false, false) => theme.plain(),
    };
    let bracket = |at: usize| match row.start + at {
        // What is marked behind a gap stands in a later row.
        _ if marked.is_empty() || at > bytes.len() => None,
        place if place == marked.start && at < bytes.len() => Some("▐"),
        place if place == marked.end && at > 0 => Some("▌"),
        _ => None,
    };
    Row { dump, offset, decimal: app.bytes.decimal, bytes: &bytes }.draw(app, style, bracket)
}

/// Bytes of the longest number.
const INSPECTED: usize = 8;

/// Numbers that begin at the cursor, and the field that holds it.
fn inspector(app: &App, columns: usize, wide: bool) -> Vec<Line<'static>> {
    let view = &app.bytes;
    let marked = view.marked().filter(|places| places.contains(&view.cursor));
    let place = marked.clone().map_or(view.cursor, |places| places.start);
    let Some(offset) = view.wire.offset_of(place) else { return Vec::new() };
    let bytes = view.wire.read(place..view.wire.known.min(place + INSPECTED));
    let at = if view.decimal { offset.to_string() } else { format!("0x{offset:04x}") };
    let selected = marked.as_ref().map_or(1, |places| places.len());
    let mut numbers = format!(" {}{at}+{}", if wide { "sel " } else { "" }, number(selected as u64));
    for (name, value) in values(&bytes) {
        let more = format!("  {name} {value}");
        if text::width(&numbers) + text::width(&more) > columns {
            break;
        }
        numbers.push_str(&more);
    }
    let mut lines = vec![Line::raw(numbers)];
    let name = match view.selection {
        Some(_) => Some("selection"),
        None => view.field(view.fields.cursor).map(|field| field.name),
    };
    if let (Some(name), Some(places)) = (name, marked) {
        let first = offset;
        let last = view.wire.offset_of(places.end - 1).unwrap_or(first);
        let span = if first == last { format!("byte {first}") } else { format!("bytes {first}–{last}") };
        let value = view.field(view.fields.cursor).filter(|field| view.selection.is_none() && field.depth > 0);
        let value = value.map_or_else(String::new, |field| format!("  {}", field.value));
        lines.push(Line::styled(text::cut(&format!(" {name} ⇄ {span}{value}"), columns), app.theme.dim()));
    }
    if let Some(offset) = view.wire.offset_of(view.cursor) {
        let words = view.way(offset).join(" · ");
        lines.push(Line::styled(text::cut(&format!(" {words}"), columns), app.theme.dim()));
    }
    lines
}

/// The numbers that the next bytes can be, the likeliest first.
fn values(bytes: &[u8]) -> Vec<(&'static str, String)> {
    fn first<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
        bytes.first_chunk().copied()
    }
    let two = first(bytes);
    let (four, eight) = (first(bytes), first(bytes));
    [
        first(bytes).map(|[byte]: [u8; 1]| ("u8", byte.to_string())),
        two.map(|b| ("u16be", u16::from_be_bytes(b).to_string())),
        two.map(|b| ("u16le", u16::from_le_bytes(b).to_string())),
        four.map(|b| ("u32be", u32::from_be_bytes(b).to_string())),
        four.map(|b| ("u32le", u32::from_le_bytes(b).to_string())),
        four.map(|b| ("f32be", format!("{:?}", f32::from_be_bytes(b)))),
        eight.map(|b| ("u64be", u64::from_be_bytes(b).to_string())),
        eight.map(|b| ("u64le", u64::from_le_bytes(b).to_string())),
        eight.map(|b| ("f64be", format!("{:?}", f64::from_be_bytes(b)))),
        eight.map(|b| ("f64le", format!("{:?}", f64::from_le_bytes(b)))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(super) fn status(app: &App, columns: usize) -> String {
    let Some(row) = app.bytes.message().and_then(|id| app.book.message(id)) else { return String::new() };
    let conn = app.connection().map_or_else(String::new, |connection| format!(" · conn {}", connection.id));
    let mut parts = vec![format!(" message {} {} {}{conn}", row.number, row.dir.arrow(), kind(&row))];
    parts.extend(row.findings.iter().map(|code| format!("{} {}", code.severity().sign(), code.name())));
    text::join(&parts, " · ", columns)
}
