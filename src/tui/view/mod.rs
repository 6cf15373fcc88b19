//! The screen as a function of the state.

mod bytes;
mod chart;
mod chat;
mod choosing;
mod chrome;
mod connections;
mod detail;
mod diff;
mod draw;
mod everywhere;
mod exporting;
mod filter;
mod findings;
mod handshake;
mod hexdump;
mod ladder;
mod messages;
mod overlay;
mod palette;
mod plain;
mod sessions;
mod stats;

pub(super) use bytes::{field_mark_column, field_text};
pub(super) use chrome::tab_at;
pub(super) use connections::{
    column_at as connection_column_at, row_text as connection_row_text, summary_lines,
    usual_columns as usual_connection_columns,
};
pub(super) use detail::fold_mark_column;
pub(super) use draw::FIELD_WIDTH;
pub(super) use findings::{explanation_lines, row_text as finding_row_text};
pub(super) use handshake::lines as handshake_lines;
pub(super) use messages::{
    column_at as message_column_at, row_text as message_row_text, usual_columns as usual_message_columns,
};
pub(super) use overlay::overlay_lines;
pub(super) use stats::{bins_text, figures_text, lines as stats_lines};

use super::action::Action;
use super::app::{App, Pane};
use super::command::{KEYS, TLS};
use super::ladder::Layout;
use super::layout::SMALLEST;
use super::text;
use super::theme::Theme;
use crate::escape::display_str;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Draws everything.
pub fn view(app: &App, frame: &mut Frame<'_>) {
    let area = frame.area();
    let known = Rect { width: app.size.0, height: app.size.1, ..area };
    if known == area {
        draw_all(app, frame.buffer_mut(), area);
        if let Some(cursor) = plain::cursor(app, frame.buffer_mut()) {
            frame.set_cursor_position(cursor);
        }
        return;
    }
    // The terminal has changed its size and nobody has told yet: what still fits is shown.
    let mut whole = Buffer::empty(known);
    draw_all(app, &mut whole, known);
    for position in area.intersection(known).positions() {
        if let (Some(to), Some(from)) = (frame.buffer_mut().cell_mut(position), whole.cell(position)) {
            *to = from.clone();
        }
    }
}

fn draw_all(app: &App, buf: &mut Buffer, area: Rect) {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return too_small(buf, area);
    }
    let regions = app.regions();
    chrome::header(app, buf, &regions);
    filter::bar(app, buf, &regions);
    chrome::banner(app, buf, &regions);
    if app.shows_nothing() {
        nothing_found(app, buf, regions.body);
    } else {
        for &(pane, area) in &regions.panes {
            match pane {
                Pane::Connections => connections::table(app, buf, &regions, area),
                Pane::Summary => connections::summary(app, buf, area),
                Pane::Messages => match app.messages.layout {
                    Layout::List => messages::list(app, buf, &regions, area),
                    Layout::Chat => chat::conversation(app, buf, &regions, area),
                    Layout::Ladder => ladder::ladder(app, buf, &regions, area),
                },
                Pane::Detail => detail::payload(app, buf, &regions, area),
                Pane::Request | Pane::Response | Pane::Checks => handshake::pane(app, buf, pane, area),
                Pane::Frames => bytes::frames(app, buf, &regions, area),
                Pane::Fields => bytes::fields(app, buf, area),
                Pane::Bytes => bytes::bytes(app, buf, &regions, area),
                Pane::Throughput => chart::throughput(app, buf, &regions, area),
                Pane::Sizes | Pane::RoundTrips | Pane::Types => stats::pane(app, buf, pane, area),
                Pane::Findings => findings::list(app, buf, &regions, area),
                Pane::Explanation => findings::explanation(app, buf, area),
            }
        }
    }
    chrome::status(app, buf, &regions);
    chrome::hints(app, buf, &regions);
    overlay::draw(app, buf, &regions);
    finish(buf, app.theme, app.ascii, app.plain);
}

/// What is done to every picture at last.
pub(super) fn finish(buf: &mut Buffer, theme: Theme, ascii: bool, plain: bool) {
    theme.fill(buf);
    if ascii || plain {
        plain::to_ascii(buf, plain);
    }
}

fn too_small(buf: &mut Buffer, area: Rect) {
    let words = format!("needs {}x{}, have {}x{}", SMALLEST.0, SMALLEST.1, area.width, area.height);
    let width = u16::try_from(text::width(&words)).unwrap_or(0);
    if area.height > 0 {
        let x = area.x + area.width.saturating_sub(width) / 2;
        buf.set_line(x, area.y + area.height / 2, &Line::raw(words), area.width);
    }
}

/// What was seen instead of a WebSocket connection.
fn nothing_found(app: &App, buf: &mut Buffer, area: Rect) {
    let Some(outcome) = &app.load.outcome else { return };
    let sum = format!("No WebSocket connection in {}.", app.title);
    let (head, seen) = match (&outcome.error, outcome.seen.split_first()) {
        (Some(error), _) => (display_str(error).into_owned(), &[][..]),
        (None, Some((head, seen))) => (head.clone(), seen),
        (None, None) => (sum, &[][..]),
    };
    let columns = usize::from(area.width).saturating_sub(4);
    let wrapped = |words: &str| text::wrap(words, columns, 2).into_iter().map(|line| format!("  {line}"));
    let mut lines = vec![Line::raw("")];
    lines.extend(wrapped(&head).map(|line| Line::styled(line, app.theme.bold())));
    lines.push(Line::raw(""));
    lines.extend(seen.iter().flat_map(|line| wrapped(line)).map(Line::raw));
    if app.can_reread && outcome.error.is_none() {
        let key = app.key_of(Action::DecodeAs);
        lines.extend(wrapped(&format!("  {key} to read a stream as WebSocket without its handshake")).map(Line::raw));
    }
    if app.can_reread && outcome.tls.decrypted < outcome.tls.streams {
        lines.extend(wrapped(&format!("  :{}", KEYS.advice())).map(Line::raw));
    }
    if outcome.tls.streams > 0 {
        lines.extend(wrapped(&format!("  :{}", TLS.advice())).map(Line::raw));
    }
    lines.extend(outcome.warnings.iter().flat_map(|line| wrapped(&display_str(line))).map(Line::raw));
    draw::lines(buf, area, lines);
}
