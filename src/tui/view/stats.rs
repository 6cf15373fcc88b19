//! Screen 5, below: sizes, round trips, counts by type; and all of it as text.

use super::draw;
use crate::escape::display_str;
use crate::export::Spread;
use crate::model::{Counts, Direction, count, duration, number, ratio, size};
use crate::tui::action::Action;
use crate::tui::app::{App, Pane};
use crate::tui::measures::{Metric, SIZES};
use crate::tui::stats::Target;
use crate::tui::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns of bars from which on they tell something.
const LEAST_BAR: usize = 3;

/// Columns beside the dots of round trips: a duration and the axis.
const TRIP_AXIS: usize = 9;

/// Columns of what is copied.
const COPIED: usize = 72;

/// Rows of dots from which on they tell something.
const LEAST_DOTS: usize = 2;

pub(super) fn pane(app: &App, buf: &mut Buffer, pane: Pane, area: Rect) {
    let (columns, height) = (usize::from(area.width.saturating_sub(2)), usize::from(area.height.saturating_sub(2)));
    let lines = lines(app, pane, columns, height);
    let top = app.line_list(pane).map_or(0, |list| list.top);
    let foot = draw::scrolled(top, height, lines.len());
    let inside = draw::pane(app, buf, pane, area, title(pane), &foot);
    draw::lines(buf, inside, lines.into_iter().skip(top));
}

const fn title(pane: Pane) -> &'static str {
    match pane {
        Pane::Sizes => "Message sizes",
        Pane::RoundTrips => "Ping RTT",
        _ => "By type",
    }
}

/// The lines of one of the three panes below.
pub(in crate::tui) fn lines(app: &App, pane: Pane, columns: usize, height: usize) -> Vec<Line<'static>> {
    match pane {
        _ if app.stats.measures.is_empty() => Vec::new(),
        Pane::Sizes => sizes(app, columns),
        Pane::RoundTrips => round_trips(app, columns, height),
        _ => types(app).into_iter().chain(events(app, columns)).collect(),
    }
}

/// An amount of what the chart shows.
pub(super) fn amount(metric: Metric, value: u64) -> String {
    if metric == Metric::Bytes { size(value) } else { number(value) }
}

/// A table: names, a column for each direction, and its head.
fn table(app: &App, rows: &[(&str, Vec<String>)]) -> Vec<Line<'static>> {
    let name = rows.iter().map(|(name, _)| text::width(name)).max().unwrap_or(0);
    let cell = rows.iter().flat_map(|(_, cells)| cells).map(|cell| text::width(cell)).max().unwrap_or(0).max(5);
    let mut head = vec![Span::raw(" ".repeat(name + 1))];
    for &dir in app.stats.dirs() {
        head.push(Span::styled(format!(" {}", text::right(dir.arrow(), cell)), app.theme.direction(dir)));
    }
    let row = |(label, cells): &(&str, Vec<String>)| {
        let cells: String = cells.iter().map(|content| format!(" {}", text::right(content, cell))).collect();
        Line::raw(format!(" {}{cells}", text::left(label, name)))
    };
    std::iter::once(Line::from(head)).chain(rows.iter().map(row)).collect()
}

/// Classes of sizes up to the largest that occurs, with bars where there is room, and how lengths are spread.
fn sizes(app: &App, columns: usize) -> Vec<Line<'static>> {
    let (sizes, dirs) = (&app.stats.measures.sizes, app.stats.dirs());
    let of = |class: usize, dir: Direction| sizes[dir].get(class).copied().unwrap_or(0);
    let sum = |class: usize| dirs.iter().map(|&dir| of(class, dir)).sum::<u64>();
    let classes = (0..SIZES.len()).rev().find(|&class| sum(class) > 0).map_or(0, |last| last + 1);
    let names = SIZES.iter().map(|(_, name)| *name).take(classes);
    let rows: Vec<(&str, Vec<String>)> =
        names.enumerate().map(|(at, name)| (name, dirs.iter().map(|&dir| number(of(at, dir))).collect())).collect();
    let mut lines = table(app, &rows);
    let used = lines.iter().map(draw::line_width).max().unwrap_or(0) + 1;
    let room = columns.saturating_sub(used);
    let most = (0..classes).map(sum).max().unwrap_or(0).max(1);
    if room >= LEAST_BAR {
        for (class, line) in lines.iter_mut().skip(1).enumerate() {
            line.push_span(Span::raw(" "));
            for (&dir, full) in dirs.iter().zip(["█", "▒"]) {
                let long = u128::from(of(class, dir)) * room as u128 / u128::from(most);
                let long = usize::try_from(long).unwrap_or(0).max(usize::from(of(class, dir) > 0));
                let long = long.min((columns).saturating_sub(draw::line_width(line)));
                line.push_span(Span::styled(full.repeat(long), app.theme.direction(dir)));
            }
        }
    }
    lines.push(Line::styled(format!("   {:>7} {:>7} {:>7}", "p50", "p95", "max"), app.theme.column_head()));
    for &dir in dirs {
        let Some(spread) = app.stats.measures.spread[dir] else { continue };
        let [p50, p95, max] = [spread.p50, spread.p95, spread.max].map(|bytes| size(bytes.unsigned_abs()));
        let arrow = Span::styled(format!(" {} ", dir.arrow()), app.theme.direction(dir));
        lines.push(Line::from(vec![arrow, Span::raw(format!("{p50:>7} {p95:>7} {max:>7}"))]));
    }
    lines
}

/// How long pongs took, in words and, where there is room, over time.
fn round_trips(app: &App, columns: usize, height: usize) -> Vec<Line<'static>> {
    let pings = Direction::BOTH.map(|dir| app.stats.measures.counts[dir].ping).iter().sum();
    let Some(rtt) = app.stats.measures.rtt else {
        let words =
            if pings == 0 { "No ping.".to_owned() } else { format!("{}, none answered.", count(pings, "ping")) };
        return vec![Line::styled(format!(" {words}"), app.theme.dim())];
    };
    let Spread { count: answered, p50, p95, max } = rtt;
    let mut parts = vec![format!("{}, {} answered", count(pings, "ping"), number(answered))];
    parts.extend([("p50", p50), ("p95", p95), ("max", max)].map(|(name, nanos)| format!("{name} {}", duration(nanos))));
    let mut lines: Vec<Line<'static>> = flow(&parts, columns).into_iter().map(Line::raw).collect();
    let rows = height.saturating_sub(lines.len() + 1);
    if rows >= LEAST_DOTS && columns > TRIP_AXIS + LEAST_BAR {
        lines.extend(dots(app, columns - TRIP_AXIS, rows, rtt.max));
    }
    lines
}

/// As many parts in a line as fit, each of them whole.
fn flow(parts: &[String], columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut().filter(|line| text::width(line) + 2 + text::width(part) <= columns) {
            Some(line) => line.push_str(&format!("  {part}")),
            None => lines.push(format!(" {part}")),
        }
    }
    lines
}

/// A dot for the longest round trip of each column.
fn dots(app: &App, columns: usize, rows: usize, most: i64) -> Vec<Line<'static>> {
    let moments = app.stats.measures.moments.all();
    let mut longest = vec![None; columns];
    for (at, moment) in moments.iter().enumerate() {
        if let Some(column) = longest.get_mut(at * columns / moments.len().max(1)) {
            *column = moment.rtt.max(*column);
        }
    }
    let row_of = |rtt: i64| {
        let row = u128::from(rtt.max(0).unsigned_abs()) * rows as u128 / u128::from(most.max(1).unsigned_abs());
        usize::try_from(row).unwrap_or(rows).min(rows - 1)
    };
    let line = |row: usize| {
        let dots = longest.iter().map(|rtt| if rtt.map(row_of) == Some(row) { '•' } else { ' ' });
        let number = if row + 1 == rows { duration(most) } else { String::new() };
        Line::raw(format!("{} │{}", text::right(&number, TRIP_AXIS - 2), dots.collect::<String>().trim_end()))
    };
    let axis = Line::raw(format!("{} ┼{}", text::right("0", TRIP_AXIS - 2), "─".repeat(columns)));
    (0..rows).rev().map(line).chain([axis]).collect()
}

/// Takes one number out of the counts.
type Count = fn(&Counts) -> u64;

const TYPES: [(&str, Count); 6] = [
    ("text", |counts| counts.text),
    ("binary", |counts| counts.binary),
    ("ping", |counts| counts.ping),
    ("pong", |counts| counts.pong),
    ("close", |counts| counts.close),
    ("other", |it| it.messages - it.text - it.binary - it.ping - it.pong - it.close),
];

/// Messages by type, and what they add up to.
fn types(app: &App) -> Vec<Line<'static>> {
    let (counts, dirs) = (&app.stats.measures.counts, app.stats.dirs());
    let row = |of: &dyn Fn(&Counts) -> String| -> Vec<String> { dirs.iter().map(|&dir| of(&counts[dir])).collect() };
    let is_any = |of: Count| dirs.iter().any(|&dir| of(&counts[dir]) > 0);
    let mut rows = Vec::new();
    for (name, of) in TYPES {
        if name != "other" || is_any(of) {
            rows.push((name, row(&|counts| number(of(counts)))));
        }
    }
    rows.push(("all", row(&|counts| number(counts.messages))));
    rows.push(("frames", row(&|counts| number(counts.frames))));
    rows.push(("bytes", row(&|counts| size(counts.bytes))));
    if is_any(|counts| u64::from(counts.bytes != counts.wire_bytes)) {
        rows.push(("on wire", row(&|counts| size(counts.wire_bytes))));
        rows.push(("ratio", row(&|counts| ratio(counts.bytes, counts.wire_bytes).unwrap_or_default())));
    }
    if is_any(|counts| counts.missing_bytes) {
        rows.push(("lost", row(&|counts| size(counts.missing_bytes))));
    }
    table(app, &rows)
}

/// Events that are listed.
const EVENTS: usize = 100;

/// Messages by event, the most frequent first.
fn events(app: &App, columns: usize) -> Vec<Line<'static>> {
    let dirs = app.stats.dirs();
    let ranked = app.stats.events.ranked(dirs);
    let mut lines = Vec::new();
    if !ranked.is_empty() {
        let most = ranked.first().map_or(0, |(_, counts)| dirs.iter().map(|&dir| counts[dir]).max().unwrap_or(0));
        let room = columns.saturating_sub(2 + dirs.len() * (number(most).len().max(5) + 1)).max(8);
        let names: Vec<String> =
            ranked.iter().take(EVENTS).map(|(name, _)| text::cut(&display_str(name), room)).collect();
        let cells = ranked.iter().map(|(_, counts)| dirs.iter().map(|&dir| number(counts[dir])).collect());
        let rows: Vec<(&str, Vec<String>)> = names.iter().map(String::as_str).zip(cells).collect();
        lines.extend([Line::default(), Line::styled(" by event", app.theme.column_head())]);
        lines.extend(table(app, &rows));
    }
    lines.extend(
        app.stats
            .hears(&app.book)
            .filter(|_| app.stats.percent(&app.book).is_none())
            .map(|percent| Line::styled(format!(" events: {percent} % of the messages"), app.theme.dim())),
    );
    lines
}

/// `all`, `host chat.example`, `connection 1`.
pub(super) fn extent_words(app: &App) -> String {
    match &app.stats.target {
        Target::All => "all connections".to_owned(),
        Target::Host(host) => format!("host {}", display_str(host)),
        Target::Connection(index) => {
            app.book.connection(*index).map_or_else(String::new, |connection| format!("connection {}", connection.id))
        }
    }
}

pub(super) fn why_empty(app: &App) -> String {
    let place = match app.stats.target {
        Target::All => "in the capture",
        Target::Host(_) => "of this host",
        Target::Connection(_) => "on this connection",
    };
    match app.load.is_done() && !app.is_measuring() {
        true if app.book.sift().is_some() => {
            format!("No message {place} passes the filter. {} switches it off.", app.key_of(Action::ToggleFilter))
        }
        true if app.stats.target == Target::All => format!("No message {place}."),
        true => format!("No message {place}. {} measures others.", app.key_of(Action::Extent(1))),
        false => format!("No message {place} yet."),
    }
}

/// Whether a word is the same in a shell and for us.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./_:+@-".contains(&byte))
}

/// The command line that tells the same, of a capture that can be read again; what a shell might take otherwise is left to the
/// user.
fn command(app: &App) -> Option<String> {
    let file = if is_plain(&app.title) { &app.title } else { "FILE" };
    let filter = match &app.stats.target {
        Target::All => String::new(),
        Target::Host(host) if host.parse::<std::net::IpAddr>().is_ok() => return None,
        Target::Host(host) if is_plain(host) => format!(" -Y 'host == \"{host}\"'"),
        Target::Host(_) => return None,
        Target::Connection(index) => format!(" -Y 'conn == {}'", app.book.connection(*index)?.id),
    };
    let applied = match app.book.sift().map(|_| app.filter.text.as_str()) {
        None => String::new(),
        // In single quotes a shell takes all else as it is.
        Some(text) if text.bytes().all(|byte| byte != b'\'' && (b' '..=b'~').contains(&byte)) => {
            format!(" -Y '{text}'")
        }
        Some(_) => return None,
    };
    app.can_reread.then(|| format!("wspect stats {file}{filter}{applied} --json"))
}

pub(super) fn status(app: &App, columns: usize) -> String {
    let counts = &app.stats.measures.counts;
    let messages = Direction::BOTH.map(|dir| counts[dir].messages).iter().sum();
    let mut parts = vec![format!("{} of {}", count(messages, "message"), extent_words(app))];
    if app.book.beyond() > 0 {
        parts.push(format!("{} more for which there is no room", number(app.book.beyond())));
    }
    let short = format!(" {}", parts.join(" · "));
    let Some(command) = command(app) else { return short };
    let long = [format!("{short} · also: {command}"), format!(" also: {command}")];
    long.into_iter().find(|long| text::width(long) <= columns).unwrap_or(short)
}

/// The bins as they are drawn, with tabs between columns; those without a message are left out.
pub(in crate::tui) fn bins_text(app: &App) -> String {
    let stats = &app.stats;
    let heads = Direction::BOTH.map(|dir| Metric::ALL.map(|metric| format!("{} {}", dir.arrow(), metric.name())));
    let mut lines = vec![format!("bin of {}\t{}", stats.width().1, heads.as_flattened().join("\t"))];
    for (bin, moment) in stats.moments(0).enumerate() {
        if moment.first(&Direction::BOTH).is_some() {
            let time = stats.time_of(bin).map_or_else(|| "—".to_owned(), |time| app.clock.full(time));
            let cells = Direction::BOTH.map(|dir| Metric::ALL.map(|metric| moment.amount(metric, dir).to_string()));
            lines.push(format!("{time}\t{}", cells.as_flattened().join("\t")));
        }
    }
    lines.join("\n")
}

/// What the panes below say, one after the other, and how to have it again.
pub(in crate::tui) fn figures_text(app: &App) -> String {
    let mut out = vec![format!("{} · {}", app.title, extent_words(app))];
    for pane in [Pane::Types, Pane::Sizes, Pane::RoundTrips] {
        out.extend([String::new(), title(pane).to_owned()]);
        out.extend(lines(app, pane, COPIED, 0).iter().map(|line| line.to_string().trim_end().to_owned()));
    }
    out.extend(command(app).map(|command| format!("\nalso: {command}")));
    out.join("\n")
}
