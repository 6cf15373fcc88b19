//! Screen 2, left, as a ladder: a line for the client, one for each connection, and what went between them.
//!
//! ```text
//!      Δ prev 10.0.0.1:51512                      chat.example:443
//!                │─ GET /socket HTTP/1.1 ───────────────▶│
//!      +0.022    │◀─ 101 Switching Protocols ────────────│
//!                ┆  4.1s                                 ┆
//!      +4.100    │─ #1 text 61  {"id":"42", … ──────────▶│
//! ```

use super::draw;
use super::messages::{draw_empty, frame, is_marked, kind, origin, preview, style};
use crate::book::MessageRow;
use crate::escape::display_str;
use crate::model::{Connection, Direction, Mark, StartLine, duration, number};
use crate::tui::app::{App, Pane};
use crate::tui::ladder::{Row, Rung};
use crate::tui::layout::Regions;
use crate::tui::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Columns between two lines that are needed to write on an arrow.
const LEAST_STEP: usize = 16;

/// Where the lines stand.
struct Lanes {
    /// Column of the client's.
    client: usize,
    /// Connections that have one, and its column.
    servers: Vec<(usize, usize)>,
}

impl Lanes {
    /// As many connections as there is room for, among them the one that is looked at.
    fn new(app: &App, client: usize, width: usize) -> Self {
        let room = width.saturating_sub(client + 1);
        let conns: Vec<usize> = app.messages.conns().collect();
        let fit = (room / LEAST_STEP).clamp(1, conns.len().max(1));
        let at = conns.iter().position(|&conn| Some(conn) == app.messages.conn()).unwrap_or(0);
        let first = (at + 1).saturating_sub(fit);
        let shown = conns.into_iter().skip(first).take(fit).enumerate();
        Self { client, servers: shown.map(|(nth, conn)| (conn, client + room * (nth + 1) / fit)).collect() }
    }

    fn server(&self, conn: usize) -> Option<usize> {
        self.servers.iter().find(|(lane, _)| *lane == conn).map(|&(_, x)| x)
    }
}

pub(super) fn ladder(app: &App, buf: &mut Buffer, regions: &Regions, area: Rect) {
    let inside = frame(app, buf, regions, area);
    let below = draw::below(inside, 1);
    let rows = app.ladder.rows(&app.book, &app.messages, below.height.into());
    if rows.is_empty() {
        return draw_empty(app, buf, below);
    }
    let times = time_width(app, regions.wide);
    let lanes = Lanes::new(app, times + 2, inside.width.into());
    heads(app, buf, inside, times, &lanes);
    for (line, row) in rows.iter().enumerate() {
        let selected = app.messages.selected().is_some_and(|id| row.rung == Rung::Message(id));
        draw_row(app, buf, draw::below(below, line), row, selected, (regions.wide, times), &lanes);
        draw::paint_row(buf, below, line, draw::row_style(app, Pane::Messages, selected));
    }
}

/// Columns of the times; those of day are long.
fn time_width(app: &App, wide: bool) -> usize {
    app.times.1.width(wide)
}

/// Who stands at the upper end of each line.
fn heads(app: &App, buf: &mut Buffer, area: Rect, times: usize, lanes: &Lanes) {
    let style = app.theme.column_head();
    set(buf, area, 1, text::right(app.times.1.head(), times), style);
    let several = lanes.servers.len() > 1 || app.messages.has_several();
    let mut left = lanes.client;
    for (nth, &(conn, x)) in lanes.servers.iter().enumerate() {
        let Some(connection) = app.book.connection(conn) else { continue };
        if nth == 0 {
            let client = if several { connection.client().ip.to_string() } else { connection.client().to_string() };
            let client = text::cut(&client, (x - left) / 2);
            let used = text::width(&client);
            set(buf, area, left, client, style);
            left += used;
        }
        let name = head(connection, several, x - left);
        let width = text::width(&name);
        set(buf, area, (x + 1).saturating_sub(width), name, style);
        left = x + 1;
    }
}

/// The name of a connection's line: of several the number is what tells them apart.
fn head(connection: &Connection, several: bool, room: usize) -> String {
    if !several {
        let host = connection.host().map_or_else(|| connection.server().to_string(), str::to_owned);
        return text::cut(&display_str(&host), room.saturating_sub(1));
    }
    let title = connection.title();
    let place = title.split_once("://").map_or(&*title, |(_, place)| place);
    let place = place.split_once('?').map_or(place, |(place, _)| place);
    let number = connection.id.to_string();
    let room = room.saturating_sub(number.len() + 2);
    format!("{number} {}", text::cut_start(&display_str(place), room))
}

fn draw_row(
    app: &App,
    buf: &mut Buffer,
    area: Rect,
    row: &Row,
    selected: bool,
    (wide, times): (bool, usize),
    lanes: &Lanes,
) {
    let is_pause = matches!(row.rung, Rung::Pause(_));
    let sign = if is_pause { "┆" } else { "│" };
    let line = |buf: &mut Buffer, x| set(buf, area, x, sign.to_owned(), app.theme.dim());
    line(buf, lanes.client);
    for &(_, x) in &lanes.servers {
        line(buf, x);
    }
    let told = |conn, before: &dyn Fn(bool) -> Option<Mark>| {
        app.clock.column(app.times.1, row.mark, origin(app, conn, before), if wide { 6 } else { 3 })
    };
    // What is no message has no row before it of the same direction.
    let time_of = |conn| told(conn, &|same| row.before.filter(|_| !same));
    let mut time = String::new();
    let first = lanes.servers.first().map_or(area.width.into(), |&(_, x)| x);
    let note = |buf: &mut Buffer, conn: Option<usize>, words: &str, style| {
        let end = conn.and_then(|conn| lanes.server(conn)).unwrap_or(first);
        set(buf, area, lanes.client + 2, text::cut(words, end.saturating_sub(lanes.client + 3)), style);
    };
    match row.rung {
        Rung::Pause(nanos) => {
            note(buf, lanes.servers.last().map(|lane| lane.0), &duration(nanos), app.theme.dim());
        }
        Rung::Waited(id) => {
            let Some((conn, wait)) = app.book.message(id).and_then(|row| Some((row.conn, row.waited?))) else {
                return;
            };
            let words = format!("waited {}: {}", duration(wait.nanos), wait.reason());
            note(buf, Some(conn), &words, app.theme.gap());
        }
        Rung::Finding { conn, at } => {
            time = time_of(conn);
            let Some(finding) = app.book.findings().get(at) else { return };
            let severity = finding.code.severity();
            let words = format!("{} {}  {}", severity.sign(), finding.code.name(), display_str(&finding.text));
            note(buf, Some(conn), &words, app.theme.severity(severity));
        }
        Rung::Asked(conn) => {
            time = time_of(conn);
            let words = start_line(app, conn, Direction::ToServer);
            arrow(app, buf, area, lanes, &Arrow::plain(conn, Direction::ToServer, &words, app.theme.plain()));
        }
        Rung::Answered(conn) => {
            time = time_of(conn);
            let words = start_line(app, conn, Direction::ToClient);
            arrow(app, buf, area, lanes, &Arrow::plain(conn, Direction::ToClient, &words, app.theme.plain()));
        }
        Rung::Ended(conn, dir) => {
            time = time_of(conn);
            let ends = app.book.connection(conn).and_then(|connection| connection.closed).map(|closed| closed.ends);
            let words = ends.and_then(|ends| ends.of(dir)).map_or_else(String::new, |(how, _)| how.to_string());
            arrow(app, buf, area, lanes, &Arrow::plain(conn, dir, &words, app.theme.bold()));
        }
        Rung::Message(id) => {
            let Some(message) = app.book.message(id) else { return };
            let before = |same: bool| match same {
                true => app.messages.before(&app.book, &message, true).map(|row| row.last),
                false => row.before,
            };
            time = told(message.conn, &before);
            let mark = draw::row_mark(app, selected, is_marked(app, &message), message.severity());
            buf.set_line(area.x, area.y, &Line::from(mark), 1);
            let words = words(app, &message, area.width.into());
            let (conn, dir, torn) = (message.conn, message.dir, !message.complete && !message.undecoded);
            arrow(app, buf, area, lanes, &Arrow { conn, dir, words: &words, style: style(app, &message), torn });
        }
    }
    set(buf, area, 1, text::right(&time, times), app.theme.dim());
}

/// `#2145 text 58  {"id":"42", …`.
fn words(app: &App, row: &MessageRow, columns: usize) -> String {
    let preview = preview(app, row, app.messages.scroll, columns);
    format!("#{} {} {}  {preview}", row.number, kind(row), number(row.len))
}

/// `GET /socket HTTP/1.1`, `101 Switching Protocols`.
fn start_line(app: &App, conn: usize, dir: Direction) -> String {
    let heads = app.book.handshake(conn);
    let head = heads.and_then(|heads| match dir {
        Direction::ToServer => heads.request,
        Direction::ToClient => heads.response,
    });
    let words = match head.as_ref().map(|head| &head.start) {
        Some(StartLine::Request { method, target, version }) => format!("{method} {target} {version}"),
        Some(StartLine::Response { status, reason, .. }) => format!("{status} {reason}"),
        None => return String::new(),
    };
    display_str(words.trim_end()).into_owned()
}

/// Something that goes from one line to another.
struct Arrow<'a> {
    conn: usize,
    dir: Direction,
    words: &'a str,
    style: Style,
    /// Not all of it arrived here.
    torn: bool,
}

impl<'a> Arrow<'a> {
    const fn plain(conn: usize, dir: Direction, words: &'a str, style: Style) -> Self {
        Self { conn, dir, words, style, torn: false }
    }
}

/// Draws an arrow with words on it, over the lines that it crosses; where its connection has no line, the words alone.
fn arrow(app: &App, buf: &mut Buffer, area: Rect, lanes: &Lanes, it: &Arrow<'_>) {
    let left = lanes.client + 1;
    let Some(end) = lanes.server(it.conn) else {
        let room = usize::from(area.width).saturating_sub(left + 1);
        let conn = app.book.connection(it.conn).map(|connection| connection.id.to_string()).unwrap_or_default();
        let words = text::left(&format!("connection {conn} {} {}", it.dir.arrow(), it.words), room);
        return set(buf, area, left + 1, words, app.theme.dim());
    };
    let Some(room) = end.checked_sub(left).filter(|&room| room >= 4) else { return };
    let (shaft, color) = (if it.torn { "╌" } else { "─" }, app.theme.direction(it.dir));
    let words = text::cut(it.words, room - 4);
    let words = if words.is_empty() { words } else { format!(" {words} ") };
    let rest = shaft.repeat(room - 2 - text::width(&words));
    let (tail, head) = match it.dir {
        Direction::ToServer => (shaft.to_owned(), format!("{rest}▶")),
        Direction::ToClient => ("◀".to_owned(), format!("{rest}{shaft}")),
    };
    let mut spans = vec![Span::styled(tail, color)];
    spans.extend(draw::marked(app, words, it.style));
    spans.push(Span::styled(head, color));
    put(buf, area, left, &Line::from(spans));
    for &(_, x) in lanes.servers.iter().filter(|&&(_, x)| x < end) {
        let at = (area.x.saturating_add(u16::try_from(x).unwrap_or(u16::MAX)), area.y);
        if let Some(cell) = buf.cell_mut(at).filter(|cell| cell.symbol() == shaft) {
            cell.set_symbol("┼");
        }
    }
}

fn set(buf: &mut Buffer, area: Rect, x: usize, words: String, style: Style) {
    put(buf, area, x, &Line::styled(words, style));
}

fn put(buf: &mut Buffer, area: Rect, x: usize, line: &Line<'_>) {
    let x = u16::try_from(x).unwrap_or(u16::MAX);
    if x < area.width && area.height > 0 {
        buf.set_line(area.x + x, area.y, line, area.width - x);
    }
}
