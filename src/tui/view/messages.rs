//! Screen 2, left: one row a message.

use super::draw::{self, Column};
use super::filter;
use crate::book::{MessageRow, close_of};
use crate::escape::{display, display_str, unknown};
use crate::model::{
    Body, Connection, Direction, Mark, NoteCode, Opcode, Part, Version, count, duration, hex_apart, number,
};
use crate::tui::action::{Action, Screen};
use crate::tui::app::{App, Pane};
use crate::tui::clock::TimeMode;
use crate::tui::columns::{MessageColumn, Which};
use crate::tui::layout::Regions;
use crate::tui::messages::SortBy;
use crate::tui::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

type Key = Which<MessageColumn>;

/// The columns where none were chosen.
pub(in crate::tui) const fn usual_columns() -> &'static [MessageColumn] {
    use MessageColumn::{Length, Number, Preview, Time, Type};
    &[Number, Time, Type, Length, Preview]
}

fn columns(app: &App, wide: bool, width: usize) -> Vec<Column<Key>> {
    let conns = app.messages.conns().filter(|_| app.messages.has_several());
    let digits = app.messages.ids(&app.book).len().to_string().len()
        + conns.filter_map(|conn| app.book.connection(conn)).map(|it| it.id.to_string().len() + 1).max().unwrap_or(0);
    let mode = app.times.1;
    let own = |key| {
        let (head, width, right, drop) = match key {
            MessageColumn::Number => ("no", digits.max(4), true, 0),
            MessageColumn::Time => (mode.head(), mode.width(wide), true, 1),
            MessageColumn::Type => ("  type", 10, false, 0),
            MessageColumn::Length => ("len", 7, true, 2),
            MessageColumn::Preview => ("preview", 8, false, 0),
        };
        Column { key: Which::Own(key), head: head.into(), width, right, drop, grows: key == MessageColumn::Preview }
    };
    draw::fit(&draw::chosen(&app.messages.columns, usual_columns(), own), width)
}

/// The column of the list's head under `x`, as what it sorts by.
pub(in crate::tui) fn column_at(app: &App, x: usize) -> Option<SortBy> {
    let regions = app.regions();
    let width = regions.inside(Pane::Messages).0;
    sorts_by(draw::column_at(&columns(app, regions.wide, width.saturating_sub(1)), x.checked_sub(1)?)?)
}

/// What a click on the head of a column sorts by.
const fn sorts_by(key: Key) -> Option<SortBy> {
    match key {
        Which::Own(MessageColumn::Number | MessageColumn::Time) => Some(SortBy::Number),
        Which::Own(MessageColumn::Type) => Some(SortBy::Type),
        Which::Own(MessageColumn::Length) => Some(SortBy::Length),
        Which::Own(MessageColumn::Preview) => None,
        Which::Field(at) => Some(SortBy::Field(at)),
    }
}

/// Draws the pane's frame; gives its inside.
pub(super) fn frame(app: &App, buf: &mut Buffer, regions: &Regions, area: Rect) -> Rect {
    let len = app.messages.ids(&app.book).len();
    let position = match app.messages.is_sought() {
        true => format!("{} so far", number(len as u64)),
        false => draw::position(app.messages.list.cursor, len),
    };
    let selected = app.messages.selected().and_then(|id| app.book.message(id));
    let foot = selected.map_or_else(String::new, |row| format!("{} · {position}", row.number));
    draw::pane(app, buf, Pane::Messages, area, &title(app, regions.wide), &foot)
}

pub(super) fn list(app: &App, buf: &mut Buffer, regions: &Regions, area: Rect) {
    let ids = app.messages.ids(&app.book);
    let list = &app.messages.list;
    let inside = frame(app, buf, regions, area);
    let columns = columns(app, regions.wide, usize::from(inside.width).saturating_sub(1));
    let heads: Vec<String> = columns.iter().map(|column| head(app, column)).collect();
    draw::lines(buf, inside, [Line::styled(format!(" {}", heads.join(" ")), app.theme.column_head())]);
    let rows = draw::below(inside, 1);
    if ids.is_empty() {
        return draw_empty(app, buf, rows);
    }
    for line in 0..usize::from(rows.height) {
        let at = list.top + line;
        let Some(id) = ids.get(at) else { break };
        let Some(row) = app.book.message(id) else { break };
        let selected = app.messages.selected() == Some(id);
        // Below what has a colour of its own.
        let look = app.messages.columns.look(id);
        draw::paint_row(buf, rows, line, look.map(|look| app.theme.look(look)));
        draw::lines(buf, draw::below(rows, line), [list_row(app, &row, &columns, selected, regions.wide)]);
        draw::paint_row(buf, rows, line, draw::row_style(app, Pane::Messages, selected));
    }
}

fn title(app: &App, wide: bool) -> String {
    let Some(connection) = app.connection() else { return "Messages".to_owned() };
    let word = if wide { "connection" } else { "conn" };
    if app.messages.has_several() {
        let ids = app.messages.conns().filter_map(|conn| app.book.connection(conn)).map(|it| it.id.to_string());
        return format!("Messages · {word}s {} of {}", ids.collect::<Vec<_>>().join(", "), connection.client().ip);
    }
    format!("Messages · {word} {} {}", connection.id, display_str(&connection.title()))
}

/// The head of a column, with an arrow on the one that the list is sorted by.
fn head(app: &App, column: &Column<Key>) -> String {
    let by = sorts_by(column.key).filter(|_| column.key != Which::Own(MessageColumn::Time));
    let arrow = match app.messages.sorting() {
        (SortBy::Number, false) => "",
        (sort, _) if by != Some(sort) => "",
        (_, false) => " ▲",
        (_, true) => " ▼",
    };
    let room = column.width.saturating_sub(text::width(arrow));
    column.cell(&format!("{}{arrow}", text::cut(&column.head, room)))
}

/// Says why there is nothing in the list.
pub(super) fn draw_empty(app: &App, buf: &mut Buffer, area: Rect) {
    let lines = text::wrap(&why_empty(app), usize::from(area.width).saturating_sub(2), 0).into_iter();
    draw::lines(buf, area, lines.map(|line| Line::styled(format!(" {line}"), app.theme.dim())));
}

fn why_empty(app: &App) -> String {
    let all = app.messages.all(&app.book);
    if all == 0 {
        if let Some(text) = app.connection().and_then(|row| row.encrypted().or_else(|| never_opened(app, row))) {
            return text;
        }
        return if app.load.is_done() { "No message on this connection." } else { "No message yet." }.to_owned();
    }
    if app.messages.has_more(&app.book) {
        return format!("Looking through {} …", count(all as u64, "message"));
    }
    let hides_more = app.messages.direction().is_some() || app.messages.hides_pings();
    if let Some(words) = filter::nothing(app, all as u64, "message").filter(|_| !hides_more) {
        return words;
    }
    let off = format!(", {} all that the filter hides", app.key_of(Action::ToggleFilter));
    let filter = if app.book.sift().is_some() { off } else { String::new() };
    let (other, pings) = (app.key_of(Action::Direction), app.key_of(Action::Pings));
    let all = count(all as u64, "message");
    format!("0 of {all} match. {other} shows other directions, {pings} heartbeats{filter}.")
}

/// Why there can be no message, where the handshake tells.
fn never_opened(app: &App, row: &Connection) -> Option<String> {
    let handshake = row.handshake.as_ref()?;
    let words = match (&handshake.elsewhere, handshake.status) {
        _ if row.is_unanswered() => "the upgrade was not answered".to_owned(),
        _ if !handshake.is_refused() => return None,
        (Some(protocol), _) => format!("the server switched to {}", display(protocol.as_bytes())),
        (None, Some(status)) => format!("the upgrade was refused with {status}"),
        (None, None) => "the upgrade was refused".to_owned(),
    };
    Some(format!("No message: {words}. {} shows the handshake.", app.key_of(Action::Go(Screen::Handshake))))
}

/// Whether the user has marked a message.
pub(super) fn is_marked(app: &App, row: &MessageRow) -> bool {
    app.book.connection(row.conn).is_some_and(|connection| app.is_marked((connection.id, Some(row.number))))
}

fn list_row(app: &App, row: &MessageRow, columns: &[Column<Key>], selected: bool, wide: bool) -> Line<'static> {
    let mut spans = vec![draw::row_mark(app, selected, is_marked(app, row), row.severity())];
    for (nth, column) in columns.iter().enumerate() {
        if nth > 0 {
            spans.push(Span::raw(" "));
        }
        match column.key {
            Which::Own(MessageColumn::Number) => {
                spans.push(Span::styled(column.cell(&name(app, row)), app.theme.plain()))
            }
            Which::Own(MessageColumn::Time) => {
                spans.push(Span::styled(column.cell(&time(app, row, wide)), app.theme.dim()))
            }
            Which::Own(MessageColumn::Type) => {
                spans.push(Span::styled(format!("{} ", row.dir.arrow()), app.theme.direction(row.dir)));
                spans.push(Span::styled(text::left(&kind(row), column.width.saturating_sub(2)), style(app, row)));
            }
            Which::Own(MessageColumn::Length) => spans.push(Span::styled(column.cell(&length(row)), app.theme.plain())),
            Which::Field(at) => {
                let cell = column.cell(app.messages.columns.cell(row.id, at));
                spans.extend(draw::marked(app, cell, app.theme.plain()));
            }
            Which::Own(MessageColumn::Preview) => {
                let words = preview(app, row, app.messages.scroll, column.width);
                spans.extend(draw::marked(app, text::left(&words, column.width), style(app, row)));
            }
        }
    }
    Line::from(spans)
}

/// The number of a message; of those of several connections `3#12`, with the connection's before it.
pub(super) fn name(app: &App, row: &MessageRow) -> String {
    match app.book.connection(row.conn).filter(|_| app.messages.has_several()) {
        Some(connection) => format!("{}#{}", connection.id, row.number),
        None => row.number.to_string(),
    }
}

pub(super) fn style(app: &App, row: &MessageRow) -> Style {
    match row.opcode {
        Opcode::CLOSE => app.theme.bold(),
        _ if !row.complete => app.theme.gap(),
        opcode if opcode.is_control() => app.theme.dim(),
        _ => app.theme.plain(),
    }
}

/// The time column's text of a row.
pub(super) fn time(app: &App, row: &MessageRow, wide: bool) -> String {
    let before = |same| app.messages.before(&app.book, row, same).map(|row| row.last);
    app.clock.column(app.times.1, row.last, origin(app, row.conn, before), if wide { 6 } else { 3 })
}

/// What a relative time on a connection counts from; `before` tells of the row above, or of the one of the same direction.
pub(super) fn origin(app: &App, conn: usize, before: impl Fn(bool) -> Option<Mark>) -> Option<Mark> {
    match app.times.1 {
        TimeMode::Local | TimeMode::Utc | TimeMode::Epoch => None,
        TimeMode::SinceCapture => app.capture_start(),
        TimeMode::SinceConnection => app.book.connection(conn).map(|connection| connection.span.first),
        TimeMode::SinceReference => app.reference,
        TimeMode::DeltaShown => before(false),
        TimeMode::DeltaDirection => before(true),
    }
}

/// `text`, `text z`, `text ⋯`, `ping`, `op 3`.
pub(in crate::tui) fn kind(row: &MessageRow) -> String {
    let mut out = match row.opcode {
        Opcode::CONTINUATION => "cont".to_owned(),
        opcode if opcode.is_reserved() => format!("op {}", opcode.0),
        opcode => opcode.name().to_owned(),
    };
    if row.compressed {
        out.push_str(" z");
    }
    if !row.complete && !row.undecoded {
        out.push_str(" ⋯");
    }
    out
}

fn length(row: &MessageRow) -> String {
    number(row.len)
}

/// One line about the payload.
pub(super) fn preview(app: &App, row: &MessageRow, skip: usize, width: usize) -> String {
    if let Some(lost) = incomplete(row) {
        return lost;
    }
    if let Some(words) = app.previews.words(row.id) {
        return display_str(words).chars().skip(skip).collect();
    }
    let want = if row.is_text() { (skip + width) * 4 } else { width };
    let Some(bytes) = app.book.payload(row, 0, want) else { return "payload not kept".to_owned() };
    let words = match row.opcode {
        Opcode::CLOSE => close_words(app.version(), &bytes),
        Opcode::TEXT if !row.holes.is_empty() => marked(row, &bytes),
        _ if row.is_text() => display(whole_characters(&bytes)).into_owned(),
        Opcode::TEXT if !row.undecoded => display(&bytes).into_owned(),
        opcode if opcode.is_control() && bytes.iter().all(|b| (b' '..=b'~').contains(b)) => {
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => hex_apart(&bytes),
    };
    let words = words.chars().skip(skip).collect();
    match row.rtt {
        Some(rtt) => format!("{words}  RTT {}", duration(rtt)),
        None => words,
    }
}

/// Text with marks for the bytes of it that are unknown.
fn marked(row: &MessageRow, bytes: &[u8]) -> String {
    let body = Body { kept: bytes, len: row.len, holes: &row.holes };
    let part = |part: Part<'_>| match part {
        Part::Bytes(bytes) => display(bytes).into_owned(),
        Part::Hole(hole) => unknown(hole.len),
    };
    body.parts().map(part).collect()
}

/// Whether only what it copies from a lost history is missing (RFC 7692 §7.1.1): the message itself was captured.
fn is_unknown_in_part(row: &MessageRow) -> bool {
    let has = |code| row.findings.contains(code);
    (has(NoteCode::DeflateLost) || has(NoteCode::DeflateInferred)) && row.holes.iter().all(|hole| hole.len.is_some())
}

/// Without the first bytes of a character that was cut.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.get(..error.valid_up_to()).unwrap_or(bytes),
        _ => bytes,
    }
}

/// `incomplete: 1 460 B lost at frame 9120`.
pub(in crate::tui) fn incomplete(row: &MessageRow) -> Option<String> {
    if row.complete || row.undecoded || is_unknown_in_part(row) {
        return None;
    }
    let packet = row.last.packet;
    Some(match row.missing() {
        _ if row.findings.contains(NoteCode::WsContinuation) => "incomplete: it has no beginning".to_owned(),
        _ if row.opcode == Opcode::CONTINUATION => "incomplete: its beginning was not captured".to_owned(),
        0 if row.holes.is_empty() => format!("incomplete: its end was not captured (frame {packet})"),
        0 => format!("incomplete: bytes lost at frame {packet}"),
        missing => format!("incomplete: {} B lost at frame {packet}", number(missing)),
    })
}

/// `1000 "bye"`.
pub(in crate::tui) fn close_words(version: Version, body: &[u8]) -> String {
    match close_of(body).filter(|_| version.has_close_codes()) {
        Some(close) if close.reason.is_empty() => format!("{} {}", close.code, close.code.meaning()),
        Some(close) => format!("{} \"{}\"", close.code, display(close.reason)),
        None if body.is_empty() => "no code".to_owned(),
        None => hex_apart(body),
    }
}

/// A message as text, for copying.
pub(in crate::tui) fn row_text(app: &App, row: &MessageRow) -> String {
    let time = row.last.time.map_or_else(|| "—".to_owned(), |time| app.clock.full(time));
    let words = preview(app, row, 0, 2000);
    format!("{}  {time}  {} {}  {} B  {words}", row.number, row.dir.arrow(), kind(row), row.len)
}

pub(super) fn status(app: &App, wide: bool) -> String {
    let Some(connection) = app.connection() else { return String::new() };
    let messages = |dir: Direction| format!("{} {}", dir.arrow(), number(connection.counts[dir].messages));
    let of = app.book.connections();
    let mut parts = vec![
        if wide { format!("conn {} of {of}", connection.id) } else { format!("conn {}/{of}", connection.id) },
        format!("{} {}", messages(Direction::ToServer), messages(Direction::ToClient)),
    ];
    if let Some(dir) = app.messages.direction() {
        parts.push(format!("only {} ({})", dir.arrow(), app.key_of(Action::Direction)));
    }
    if app.messages.hides_pings() {
        parts.push(format!("heartbeats hidden ({})", app.key_of(Action::Pings)));
    }
    parts.extend(app.hearing().map(|percent| format!("decoding {percent} %")));
    if app.messages.is_of_client() {
        parts.push(format!("all of {} ({})", connection.client().ip, app.key_of(Action::OfClient)));
    }
    format!(" {}", parts.join(" · "))
}
