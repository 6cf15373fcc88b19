//! The list of messages in which a search through all payloads has found something.

use super::messages::kind;
use crate::escape::display;
use crate::model::{count, number};
use crate::tui::app::App;
use crate::tui::everywhere::Hit;
use crate::tui::text;
use ratatui::text::{Line, Span};

/// Columns from which on there is room for the time.
const ROOM_FOR_TIME: usize = 60;

/// Bytes of a payload before a match that are shown.
const BEFORE: usize = 24;

/// How far the search is, and the hits that are in view.
pub(super) fn lines(app: &App, columns: usize, rows: usize) -> Vec<Line<'static>> {
    let everywhere = &app.everywhere;
    let found = everywhere.hits.len() as u64 + everywhere.more;
    let state = match everywhere.is_busy(&app.book) {
        _ if everywhere.is_stopped => " · stopped".to_owned(),
        true => format!(" · {} %   ^C stop", everywhere.percent(&app.book)),
        false if !app.load.is_done() => " · so far".to_owned(),
        false => String::new(),
    };
    let beyond = if everywhere.more > 0 {
        format!(", the first {} are listed", number(everywhere.hits.len() as u64))
    } else {
        String::new()
    };
    let mut lines =
        vec![Line::styled(format!(" found in {}{beyond}{state}", count(found, "message")), app.theme.bold())];
    let shown = everywhere.hits.iter().enumerate().skip(everywhere.list.top).take(rows.saturating_sub(1));
    lines.extend(shown.map(|(at, hit)| row(app, hit, at == everywhere.list.cursor, columns)));
    lines
}

fn row(app: &App, hit: &Hit, selected: bool, columns: usize) -> Line<'static> {
    let Some(message) = app.book.message(hit.id) else { return Line::default() };
    let conn = app.book.connection(message.conn).map(|connection| connection.id.to_string()).unwrap_or_default();
    let time = message.last.time.filter(|_| columns >= ROOM_FOR_TIME);
    let time = time.map_or_else(String::new, |time| format!("{} ", app.clock.of_day(time, false, 3)));
    let mark = if selected { "▶" } else { " " };
    let head = format!("{mark} {} {time}", text::right(&format!("{conn}#{}", message.number), 9));
    let what = format!("{} {}", message.dir.arrow(), text::left(&kind(&message), 8));
    let room = columns.saturating_sub(text::width(&head) + text::width(&what) + 1);
    let from = hit.at.start.saturating_sub(BEFORE.min(room / 3));
    let bytes = app.book.payload(&message, from as u64, room * 4).unwrap_or_default();
    let part = |range: std::ops::Range<usize>| display(bytes.get(range).unwrap_or_default()).into_owned();
    let (begin, end) = (hit.at.start - from, (hit.at.end - from).min(bytes.len()));
    // A character is not cut in two.
    let rest = bytes.iter().take(begin).take_while(|&byte| byte & 0xc0 == 0x80).count();
    let before = format!("{}{}", if from > 0 { "…" } else { "" }, part(rest..begin));
    let head_style = if selected { app.theme.selected() } else { app.theme.plain() };
    Line::from(vec![
        Span::styled(head, head_style),
        Span::styled(what, app.theme.direction(message.dir)),
        Span::raw(" "),
        Span::raw(before),
        Span::styled(part(begin..end), app.theme.found()),
        Span::raw(part(end..bytes.len())),
    ])
}
