//! Screen 1: the table of connections and the summary of the selected one.

use super::draw::{self, Column};
use super::filter;
use crate::escape::display_str;
use crate::model::{
    Connection, Counts, Direction, Endpoint, Opened, Outline, State, clause, count, duration, number, ratio, size,
};
use crate::tui::app::{App, Pane};
use crate::tui::clock::TimeMode;
use crate::tui::columns::{ConnectionColumn as Key, Which};
use crate::tui::connections::{SortBy, end};
use crate::tui::layout::Regions;
use crate::tui::text;
use crate::tui::tls::Told;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// The columns where none were chosen.
pub(in crate::tui) const fn usual_columns(wide: bool) -> &'static [Key] {
    use Key::{Both, Bytes, Client, Duration, End, Flags, Host, Number, Start, Stream, ToClient, ToServer};
    if wide {
        &[Number, Stream, Start, Duration, Client, Host, ToServer, ToClient, Bytes, Flags, End]
    } else {
        &[Number, Stream, Start, Duration, Host, Both, Flags, End]
    }
}

fn columns(app: &App, wide: bool, width: usize) -> Vec<Column<Which<Key>>> {
    let mode = app.times.0;
    let digits = app.connections.len().to_string().len().max(3);
    let time = if wide || matches!(mode, TimeMode::Epoch) { mode.width(false) } else { 8 };
    // `T key? mid`.
    let flags = if app.book.lacks_keys() { 10 } else { 5 };
    // Which goes first where there is too little room.
    let drop = |in_wide, in_narrow| if wide { in_wide } else { in_narrow };
    let own = |key| {
        let (head, width, right, drop) = match key {
            Key::Number => ("#", digits, true, 0),
            Key::Stream => ("tcp", digits + usize::from(wide), true, drop(8, 5)),
            Key::Start => ("start", time, false, drop(5, 4)),
            Key::Duration => ("dur", 8, true, drop(4, 3)),
            Key::Client => ("client", 21, false, 7),
            Key::Host => ("host / path", if wide { 18 } else { 14 }, false, 0),
            Key::ToServer => ("→ msg", 7, true, 3),
            Key::ToClient => ("← msg", 7, true, 3),
            Key::Both => ("→/← msgs", 10, true, 2),
            Key::Bytes => ("bytes", 7, true, 6),
            Key::Flags => ("flags", flags, false, drop(2, 6)),
            Key::End => ("end", 6, false, 1),
        };
        Column { key: Which::Own(key), head: head.into(), width, right, drop, grows: key == Key::Host }
    };
    draw::fit(&draw::chosen(&app.connections.columns, usual_columns(wide), own), width)
}

/// The column of the table's head under `x`, as what it sorts by.
pub(in crate::tui) fn column_at(app: &App, x: usize) -> Option<SortBy> {
    let regions = app.regions();
    let width = regions.inside(Pane::Connections).0;
    let key = match draw::column_at(&columns(app, regions.wide, width.saturating_sub(2)), x.checked_sub(1)?)? {
        Which::Own(key) => key,
        Which::Field(at) => return Some(SortBy::Field(at)),
    };
    Some(match key {
        Key::Number | Key::Start => SortBy::Number,
        Key::Stream => SortBy::Stream,
        Key::Duration => SortBy::Duration,
        Key::Client => SortBy::Client,
        Key::Host => SortBy::Host,
        Key::ToServer => SortBy::ToServer,
        Key::ToClient | Key::Both => SortBy::ToClient,
        Key::Bytes => SortBy::Bytes,
        Key::End => SortBy::End,
        Key::Flags => return None,
    })
}

pub(super) fn table(app: &App, buf: &mut Buffer, regions: &Regions, area: Rect) {
    let list = &app.connections.list;
    let len = app.connections.len();
    let (sort, reverse) = app.connections.sorting();
    let so_far = if app.load.is_done() { String::new() } else { " (so far)".to_owned() };
    let arrow = if reverse { "▼" } else { "▲" };
    let all = app.book.connections() as u64;
    let shown = if app.book.sift().is_some() {
        format!("{} of {} shown", number(len as u64), number(all))
    } else {
        number(len as u64)
    };
    let by = match sort {
        SortBy::Field(at) => display_str(app.connections.columns.name(at)),
        own => own.name().into(),
    };
    let title = format!("Connections {shown}{so_far} · sorted by {by} {arrow}");
    let inside = draw::pane(app, buf, Pane::Connections, area, &title, &draw::position(list.cursor, len));
    let columns = columns(app, regions.wide, usize::from(inside.width).saturating_sub(2));
    let heads: Vec<String> = columns.iter().map(|column| column.cell(&column.head)).collect();
    draw::lines(buf, inside, [Line::styled(format!(" {}", heads.join(" ")), app.theme.column_head())]);
    let rows = draw::below(inside, 1);
    if let Some(words) = filter::nothing(app, all, "connection").filter(|_| len == 0) {
        return draw::lines(buf, rows, [Line::raw(format!("  {words}"))]);
    }
    for line in 0..usize::from(rows.height) {
        let row = list.top + line;
        let Some(index) = app.connections.at(row) else { break };
        let Some(connection) = app.book.connection(index) else { break };
        let selected = row == list.cursor;
        let area = draw::below(rows, line);
        let look = app.connections.columns.look(index);
        draw::paint_row(buf, rows, line, look.map(|look| app.theme.look(look)));
        draw::lines(buf, area, [table_row(app, index, connection, &columns, selected)]);
        draw::paint_row(buf, rows, line, draw::row_style(app, Pane::Connections, selected));
    }
}

fn table_row(
    app: &App,
    index: usize,
    connection: &Connection,
    columns: &[Column<Which<Key>>],
    selected: bool,
) -> Line<'static> {
    let mut spans = vec![draw::row_mark(app, selected, app.is_marked((connection.id, None)), None)];
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            spans.push(Span::raw(" "));
        }
        let style = match column.key {
            Which::Own(Key::End) => {
                connection.findings.worst().map_or(app.theme.plain(), |severity| app.theme.severity(severity))
            }
            Which::Own(Key::ToServer) => app.theme.direction(Direction::ToServer),
            Which::Own(Key::ToClient) => app.theme.direction(Direction::ToClient),
            _ => app.theme.plain(),
        };
        let text = match column.key {
            Which::Own(key) => column.cell(&cell(app, connection, key, column.width)),
            Which::Field(at) => column.cell(app.connections.columns.cell(index, at)),
        };
        spans.extend(draw::marked(app, text, style));
    }
    Line::from(spans)
}

fn cell(app: &App, connection: &Connection, key: Key, width: usize) -> String {
    let messages = |dir| connection.counts[dir].messages;
    match key {
        Key::Number => connection.id.to_string(),
        Key::Stream => connection.stream.map_or_else(|| "—".to_owned(), |stream| stream.to_string()),
        Key::Start => start(app, connection, width),
        Key::Duration => connection.duration().map_or_else(|| "—".to_owned(), duration),
        Key::Client => connection.client().to_string(),
        Key::Host => host(app, connection, width),
        Key::ToServer => number(messages(Direction::ToServer)),
        Key::ToClient => number(messages(Direction::ToClient)),
        Key::Both => format!("{}/{}", messages(Direction::ToServer), messages(Direction::ToClient)),
        Key::Bytes => size(connection.bytes()),
        Key::Flags => connection.flags(),
        Key::End => format!("{} {}", end(connection), connection.findings.sign()),
    }
}

fn start(app: &App, connection: &Connection, width: usize) -> String {
    let digits = if width >= 12 { 3 } else { usize::from(app.times.0 == TimeMode::SinceCapture) * 3 };
    let from = match app.times.0 {
        TimeMode::SinceReference => app.reference,
        _ => app.capture_start(),
    };
    app.clock.column(app.times.0, connection.span.first, from, digits)
}

/// The URL; without the usual scheme where there is no room for both that and the path.
fn host(app: &App, connection: &Connection, columns: usize) -> String {
    let title = connection.title();
    let whole = display_str(&title);
    let bare = whole.strip_prefix("ws://").filter(|_| text::width(&whole) > columns);
    bare.unwrap_or(&whole).chars().skip(app.connections.scroll).collect()
}

/// A connection as text, for copying.
pub(in crate::tui) fn row_text(app: &App, connection: &Connection) -> String {
    let usual = usual_columns(true).iter().filter(|key| **key != Key::Flags);
    let cells = usual.map(|key| cell(app, connection, *key, usize::MAX >> 1));
    cells.collect::<Vec<_>>().join("  ")
}

pub(super) fn summary(app: &App, buf: &mut Buffer, area: Rect) {
    let Some(connection) = app.connection() else {
        draw::pane(app, buf, Pane::Summary, area, "Connection", "");
        return;
    };
    let title = format!("Connection {}", connection.id);
    let rows = summary_lines(app, connection, usize::from(area.width.saturating_sub(2)));
    let height = usize::from(area.height.saturating_sub(2));
    let foot = draw::scrolled(app.summary.top, height, rows.len());
    let inside = draw::pane(app, buf, Pane::Summary, area, &title, &foot);
    let marked = |line| Line::from(draw::marked(app, line, app.theme.plain()));
    draw::lines(buf, inside, rows.into_iter().skip(app.summary.top).map(marked));
}

/// The connection in words, a fact a line.
pub(in crate::tui) fn summary_lines(app: &App, connection: &Connection, columns: usize) -> Vec<String> {
    let columns = columns.max(20);
    let traffic = |dir: Direction| {
        let Counts { messages, bytes, .. } = connection.counts[dir];
        format!("{} {}  {}", dir.arrow(), count(messages, "message"), size(bytes))
    };
    let stream = connection.stream.map_or_else(String::new, |stream| format!(" · tcp.stream {stream}"));
    let within = connection.h2_stream.map_or_else(String::new, |stream| format!(" · http2.streamid {stream}"));
    let stream = stream + &within;
    let interface = connection.opened.interface.as_deref();
    let interface = interface.map_or_else(String::new, |name| format!(" · captured on {}", display_str(name)));
    let end = |end: Endpoint| match app.book.name(end.ip.into()) {
        Some(name) => format!("{end} ({})", display_str(name)),
        None => end.to_string(),
    };
    let (first, last) = (connection.span.first.packet, connection.span.last.packet);
    let mut facts = vec![
        text::cut(&display_str(&connection.title()), columns * 2 - 4),
        ending(app, connection),
        protocol(connection),
        Told::of(app, connection).map(|tls| tls.words).unwrap_or_default(),
        compression(connection).unwrap_or_default(),
        format!("client {} → server {}{stream}{interface}", end(connection.client()), end(connection.server())),
        route(connection),
        connection.opened.wrapping().unwrap_or_default(),
        format!("{}   {}{}", traffic(Direction::ToServer), traffic(Direction::ToClient), pings(connection)),
        format!("frames {}…{}{}", first.0, last.0, lasted(connection)),
    ];
    facts.retain(|fact| !fact.is_empty());
    facts.extend(findings(app, connection));
    facts.iter().flat_map(|fact| text::wrap(fact, columns, 2)).collect()
}

/// `through SOCKS 5 to chat.example:80`, where proxies were spoken to.
fn route(connection: &Connection) -> String {
    let hops: Vec<String> =
        connection.opened.via.iter().map(|hop| display_str(&hop.to_string()).into_owned()).collect();
    if hops.is_empty() { String::new() } else { format!("through {}", hops.join(", ")) }
}

fn protocol(connection: &Connection) -> String {
    let handshake = connection.handshake.as_ref();
    let status = handshake.and_then(|handshake| handshake.status);
    let mut parts = vec![match status {
        Some(status) => {
            let Opened { version, transport, .. } = &connection.opened;
            format!("{} · {} {status}", version.name(), transport.unwrap_or_default().to_uppercase())
        }
        None if connection.state() == State::Encrypted => {
            "taken for a WebSocket by the looks of its records".to_owned()
        }
        None if handshake.is_none() && connection.state() == State::Midstream => {
            format!("the handshake was not {}", connection.seen())
        }
        None => format!("no answer to the upgrade request was {}", connection.seen()),
    }];
    let list = |name: &str, values: &str| format!("{name} {}", display_str(values));
    if let Some(subprotocol) = handshake.and_then(|handshake| handshake.subprotocol.as_deref()) {
        parts.push(list("subprotocol", subprotocol));
    }
    let extensions = handshake.map(Outline::extensions).unwrap_or_default();
    let others: Vec<&str> = extensions.iter().map(String::as_str).filter(|one| deflate(one).is_none()).collect();
    if !others.is_empty() {
        parts.push(list("extensions", &others.join(", ")));
    }
    parts.join(" · ")
}

/// The parameters of an extension that is permessage-deflate (RFC 7692 §7).
fn deflate(extension: &str) -> Option<impl Iterator<Item = &str>> {
    let mut parts = extension.split(';').map(str::trim);
    parts.next().filter(|name| name.eq_ignore_ascii_case("permessage-deflate")).map(|_| parts)
}

/// `permessage-deflate: on · server_max_window_bits=12 · ratio 4.1 : 1`, where it was agreed on.
fn compression(connection: &Connection) -> Option<String> {
    let extensions = connection.handshake.as_ref()?.extensions();
    let parameters = extensions.iter().find_map(|extension| deflate(extension))?;
    let mut parts = vec!["permessage-deflate: on".to_owned()];
    parts.extend(parameters.map(|parameter| display_str(parameter).into_owned()));
    let both = connection.both();
    let ratio = ratio(both.bytes, both.wire_bytes);
    parts.extend(ratio.map(|ratio| format!("ratio {}", ratio.replace(':', " : "))));
    Some(parts.join(" · "))
}

fn pings(connection: &Connection) -> String {
    let Counts { ping, pong, .. } = connection.both();
    if ping + pong == 0 { String::new() } else { format!("   ping {}  pong {}", number(ping), number(pong)) }
}

fn lasted(connection: &Connection) -> String {
    connection.duration().map_or_else(String::new, |nanos| format!(" · lasted {}", duration(nanos)))
}

/// How and why it ended, when, and the packets that show it.
fn ending(app: &App, connection: &Connection) -> String {
    let verdict = connection.verdict();
    let mut parts = vec![display_str(&verdict.text).into_owned()];
    let at = connection.closed.and(connection.span.last.time);
    parts.extend(at.map(|time| format!("at {}", app.clock.of_day(time, false, 3))));
    let packets: Vec<String> =
        verdict.evidence.iter().map(|&packet| display_str(&app.book.place(packet)).into_owned()).collect();
    match packets.as_slice() {
        [] => {}
        [one] => parts.push(format!("frame {one}")),
        several => parts.push(format!("frames {}", several.join(", "))),
    }
    parts.join(" · ")
}

fn findings(app: &App, connection: &Connection) -> Vec<String> {
    let found = connection.findings;
    if found.total() == 0 {
        return Vec::new();
    }
    let counts = [(found.error, "error"), (found.warning, "warning"), (found.note, "note")];
    let words: Vec<_> = counts.iter().filter(|(n, _)| *n > 0).map(|&(n, noun)| count(n, noun)).collect();
    let mut lines = vec![format!("findings: {}", words.join(", "))];
    let own = app.book.findings().iter().filter(|finding| finding.conn == Some(connection.id));
    lines.extend(own.take(100).map(|finding| {
        let severity = finding.code.severity();
        format!("  {} {}  {}", severity.sign(), finding.code.name(), display_str(&clause(&finding.text)))
    }));
    lines
}

/// How much there is, in at most `columns` where that can be.
pub(super) fn status(app: &App, columns: usize) -> String {
    let progress = &app.load.progress;
    let mut parts = vec![
        count(app.book.connections() as u64, "connection"),
        count(app.book.messages() as u64 + app.book.beyond(), "message"),
        count(progress.packets, "packet"),
    ];
    if let (Some(start), Some(end)) = (progress.start, progress.end) {
        parts.extend(Some(end.since(start)).filter(|&nanos| nanos > 0).map(duration));
    }
    let tls = app.load.tls_words().map(|words| (parts.len(), words));
    parts.extend(trouble(app).iter().map(|warning| format!("! {}", display_str(warning))));
    let words = format!(" {}", parts.join(" · "));
    match tls {
        Some((at, tls)) if text::width(&words) + 3 + text::width(&tls) <= columns => {
            parts.insert(at, tls);
            format!(" {}", parts.join(" · "))
        }
        _ => words,
    }
}

/// What the user must know about the reading.
fn trouble(app: &App) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(outcome) = &app.load.outcome {
        out.extend(outcome.error.iter().cloned());
        out.extend(outcome.warnings.iter().cloned());
    }
    if let Some(why) = app.book.store_failure() {
        out.push(format!("later payloads are not kept: {why}"));
    }
    match (app.book.rows_failure(), app.book.beyond()) {
        (None, _) => {}
        (Some(why), 0) => out.push(format!("the index: {why}")),
        (Some(why), beyond) => out.push(format!("{} not listed: {why}", count(beyond, "message"))),
    }
    out
}
