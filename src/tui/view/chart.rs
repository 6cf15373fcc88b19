//! Screen 5, above: amounts over time, a lane of bars for each direction.
//!
//! ```text
//!  22:13:21.000 + 1 s   → 2 messages, 61 B   ← 5 messages, 2.1 kB
//! →   75 B │  █  ▄
//!          │▂ █ ▅█
//! ←  231 B │▁ ▃  █
//!          ┼──▲────┬──
//!           22:13:20
//! ```

use super::draw;
use super::stats::{amount, extent_words, why_empty};
use crate::export::bar;
use crate::model::{Direction, Timestamp, count, size};
use crate::tui::app::{App, Pane};
use crate::tui::layout::Regions;
use crate::tui::measures::{Metric, Moment};
use crate::tui::stats::{axis_columns, bar_columns};
use crate::tui::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns of the pane from which on its title begins with a name.
const ROOM_FOR_NAME: u16 = 56;

/// Columns from which on there is room for a date and the figures of a bin.
const ROOM_FOR_DATE: usize = 72;

/// Rows of bars from which on there is room for a line between two lanes.
const ROOM_BETWEEN: usize = 7;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

pub(super) fn throughput(app: &App, buf: &mut Buffer, regions: &Regions, area: Rect) {
    let stats = &app.stats;
    let is_empty = stats.measures.is_empty();
    let foot = if is_empty { String::new() } else { draw::position(stats.chart.cursor, stats.bins()) };
    let inside = draw::pane(app, buf, Pane::Throughput, area, &title(app, regions.wide, area.width), &foot);
    if is_empty {
        let lines = text::wrap(&why_empty(app), usize::from(inside.width).saturating_sub(2), 0).into_iter();
        return draw::lines(buf, inside, lines.map(|line| Line::styled(format!(" {line}"), app.theme.dim())));
    }
    let (columns, height) = (usize::from(inside.width), usize::from(inside.height));
    let rows = height.saturating_sub(1 + usize::from(height > 3) + usize::from(height > 4));
    let chart = Chart::new(app, bar_columns(stats.metric, columns));
    let mut lines = vec![cursor_line(app, columns)];
    lines.extend(chart.lanes(app, rows));
    if height > 3 {
        lines.push(chart.axis(app));
    }
    lines.push(chart.labels(app));
    draw::lines(buf, inside, lines);
    chart.mark_cursor(app, buf, inside, rows);
}

/// `Throughput · connection 1 · bytes in bins of 100 ms`, in words for which there is room.
fn title(app: &App, wide: bool, columns: u16) -> String {
    let stats = &app.stats;
    let (_, width) = stats.width();
    let bins = if wide { "in bins of" } else { "per" };
    let name = if columns < ROOM_FOR_NAME { "" } else { "Throughput · " };
    let extent = extent_words(app);
    let drawn = format!(" · {} {bins} {width}", stats.metric.name());
    let drawn = Some(drawn).filter(|_| !stats.measures.is_empty()).unwrap_or_default();
    let so_far = stats.percent(&app.book).map(|percent| format!(" · {percent} % measured")).unwrap_or_default();
    format!("{name}{extent}{drawn}{so_far}")
}

/// The beginning of a bin, as exactly as bins of that width need it.
fn instant(app: &App, time: Timestamp) -> String {
    match (app.stats.span(), app.stats.width().0) {
        (_, DAY..) => app.clock.day(time, false),
        (DAY.., _) => app.clock.day(time, true),
        (_, SECOND..) => app.clock.of_day(time, false, 0),
        _ => app.clock.of_day(time, false, 3),
    }
}

/// The bin under the cursor in words: all that fits.
fn cursor_line(app: &App, columns: usize) -> Line<'static> {
    let stats = &app.stats;
    let (nanos, width) = stats.width();
    let time = match stats.time_of(stats.chart.cursor) {
        None => "—".to_owned(),
        Some(time) if stats.span() >= DAY && columns >= ROOM_FOR_DATE => app.clock.full(time),
        Some(time) => instant(app, time),
    };
    let moment = stats.moment();
    let long = |dir| {
        if moment.amount(Metric::Messages, dir) == 0 {
            return "no message".to_owned();
        }
        let [bytes, messages, frames] = Metric::ALL.map(|metric| moment.amount(metric, dir));
        let rate = u128::from(bytes) * SECOND.unsigned_abs() as u128 / u128::from(nanos.max(1).unsigned_abs());
        let rate = size(u64::try_from(rate).unwrap_or(u64::MAX));
        format!("{}, {}, {} ({rate}/s)", count(messages, "message"), count(frames, "frame"), size(bytes))
    };
    let short = |dir| amount(stats.metric, moment.amount(stats.metric, dir));
    let line = |of: &dyn Fn(Direction) -> String, time: String| {
        let mut spans = vec![Span::styled(format!(" {time}"), app.theme.bold())];
        for &dir in stats.dirs() {
            spans.push(Span::styled(format!("   {} ", dir.arrow()), app.theme.direction(dir)));
            spans.push(Span::raw(of(dir)));
        }
        Line::from(spans)
    };
    let whole = line(&long, format!("{time} + {width}"));
    if draw::line_width(&whole) <= columns { whole } else { line(&short, time) }
}

/// What is drawn: the visible bins, and how.
struct Chart {
    moments: Vec<Moment>,
    /// Columns of the axis, of a bar, of all bars.
    axis: usize,
    bar: usize,
    columns: usize,
    /// The column in which the bar under the cursor begins.
    cursor: Option<usize>,
}

impl Chart {
    fn new(app: &App, columns: usize) -> Self {
        let stats = &app.stats;
        let (bar, visible) = (stats.bar(columns), stats.visible(columns));
        let cursor = stats.chart.cursor.checked_sub(stats.chart.top).filter(|&at| at < visible);
        Self {
            moments: stats.moments(stats.chart.top).take(visible).collect(),
            axis: axis_columns(stats.metric),
            bar,
            columns,
            cursor: cursor.map(|at| at * bar),
        }
    }

    /// The lanes of the directions that are looked at, in so many rows in all.
    fn lanes(&self, app: &App, rows: usize) -> Vec<Line<'static>> {
        let dirs = app.stats.dirs();
        let between = usize::from(dirs.len() > 1 && rows >= ROOM_BETWEEN);
        let rows = rows - between;
        let first = rows.div_ceil(dirs.len());
        let mut lines = Vec::new();
        for (at, &dir) in dirs.iter().enumerate() {
            if at > 0 && between > 0 {
                lines.push(Line::raw(format!("{}┼{}", " ".repeat(self.axis - 1), "─".repeat(self.columns))));
            }
            lines.extend(self.lane(app, dir, if at == 0 { first } else { rows - first }));
        }
        lines
    }

    /// The bars of a direction; the highest of all bins, also of those beside the screen, fills the lane.
    fn lane(&self, app: &App, dir: Direction, rows: usize) -> Vec<Line<'static>> {
        let metric = app.stats.metric;
        let most = app.stats.moments(0).map(|moment| moment.amount(metric, dir)).max().unwrap_or(0);
        let style = app.theme.direction(dir);
        let row = |row: usize| {
            let number = if row + 1 == rows { amount(metric, most) } else { String::new() };
            let arrow = if row + 1 == rows { dir.arrow() } else { " " };
            let bars = self.moments.iter().map(|moment| bar(moment.amount(metric, dir), most, rows, row));
            let bars: String = bars.flat_map(|bar| std::iter::repeat_n(bar, self.bar)).collect();
            let axis = format!(" {} │", text::right(&number, self.axis - 4));
            Line::from(vec![Span::styled(arrow, style), Span::raw(axis), Span::styled(bars, style)])
        };
        (0..rows).rev().map(row).collect()
    }

    /// Columns of a label of the time axis, and the columns at which one begins.
    fn ticks(&self, app: &App) -> (usize, Vec<usize>) {
        let label: usize = if app.stats.width().0 < SECOND { 12 } else { 11 };
        let apart = (label + 3).div_ceil(self.bar) * self.bar;
        let end = (self.moments.len() * self.bar).min((self.columns + 1).saturating_sub(label));
        (label, (0..end).step_by(apart).collect())
    }

    fn axis(&self, app: &App) -> Line<'static> {
        let (_, ticks) = self.ticks(app);
        let sign = |column: usize| match self.cursor {
            Some(cursor) if cursor == column => '▲',
            _ if ticks.contains(&column) && column > 0 => '┬',
            _ => '─',
        };
        let line: String = (0..self.columns).map(sign).collect();
        Line::raw(format!("{}┼{line}", " ".repeat(self.axis - 1)))
    }

    fn labels(&self, app: &App) -> Line<'static> {
        let stats = &app.stats;
        let (label, ticks) = self.ticks(app);
        let mut line = " ".repeat(self.axis);
        for column in ticks {
            let time = stats.time_of(stats.chart.top + column / self.bar);
            let words = time.map_or_else(String::new, |time| instant(app, time));
            line.push_str(&" ".repeat((self.axis + column).saturating_sub(text::width(&line))));
            line.push_str(&text::left(&words, label));
        }
        Line::styled(line.trim_end().to_owned(), app.theme.dim())
    }

    /// Marks the bar under the cursor from top to bottom.
    fn mark_cursor(&self, app: &App, buf: &mut Buffer, inside: Rect, rows: usize) {
        let (Some(cursor), Some(style)) = (self.cursor, draw::row_style(app, Pane::Throughput, true)) else { return };
        let cells = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let bar = Rect {
            x: inside.x.saturating_add(cells(self.axis + cursor)),
            y: inside.y + 1,
            width: cells(self.bar),
            height: cells(rows),
        };
        buf.set_style(bar.intersection(inside), style);
    }
}
