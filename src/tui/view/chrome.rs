//! Header with the tabs, status line, hint line.

use super::draw::{self, both_ends};
use crate::escape::display_str;
use crate::model::{Severity, number, size};
use crate::tui::action::{Action, Needs, Screen};
use crate::tui::app::{App, Overlay};
use crate::tui::command::COMMANDS;
use crate::tui::input::Line as Typed;
use crate::tui::layout::Regions;
use crate::tui::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::ops::Range;

/// Below this width only the tab of the screen that is shown has its name.
const ROOM_FOR_NAMES: u16 = 56;

/// Tabs with their texts and columns.
fn tabs(app: &App, wide: bool) -> Vec<(Screen, String, Range<u16>)> {
    let mut at = if wide { 8_u16 } else { 1 };
    let mut out = Vec::new();
    for screen in Screen::ALL {
        let name = match screen.name() {
            name if wide => format!(" {name}"),
            name if screen == app.screen || app.size.0 >= ROOM_FOR_NAMES => {
                format!(" {}", name.get(..4).unwrap_or(name))
            }
            _ => String::new(),
        };
        let found = app.book.severities().total();
        let count = if screen == Screen::Findings && found > 0 { format!(" {}", number(found)) } else { String::new() };
        let words = format!("{}{name}{count}", screen.digit());
        let words = if screen == app.screen { format!("[{words}]") } else { format!(" {words} ") };
        let end = at + u16::try_from(text::width(&words)).unwrap_or(0);
        out.push((screen, words, at..end));
        at = end + u16::from(wide);
    }
    out
}

/// The tab under a column of the header.
pub(in crate::tui) fn tab_at(app: &App, x: u16) -> Option<Screen> {
    let hit = tabs(app, app.regions().wide).into_iter().find(|(_, _, columns)| columns.contains(&x));
    hit.map(|(screen, ..)| screen)
}

pub(super) fn header(app: &App, buf: &mut Buffer, regions: &Regions) {
    let mut spans = vec![Span::styled(if regions.wide { " wspect " } else { " " }, app.theme.bold())];
    for (screen, words, _) in tabs(app, regions.wide) {
        let style = if screen == app.screen { app.theme.bold() } else { app.theme.plain() };
        spans.push(Span::styled(words, style));
        spans.push(Span::raw(if regions.wide { " " } else { "" }));
    }
    let left = Line::from(spans);
    let room = usize::from(regions.header.width).saturating_sub(draw::line_width(&left) + 2);
    both_ends(buf, regions.header, &left, &Line::raw(format!("{} ", file_words(app, regions.wide, room))));
}

/// The capture's name and how its reading stands, in at most `room` columns.
fn file_words(app: &App, wide: bool, room: usize) -> String {
    let state = match (&app.load.outcome, app.load.stopped) {
        (Some(outcome), _) if outcome.error.is_some() => "✗".to_owned(),
        (Some(_), true) => "stopped".to_owned(),
        (Some(outcome), _) if !outcome.warnings.is_empty() || outcome.cut_after.is_some() => "!".to_owned(),
        (Some(_), _) => "✓".to_owned(),
        (None, _) => match app.load.percent() {
            Some(percent) => format!("loading {percent}%"),
            None => "loading".to_owned(),
        },
    };
    let size = match wide && app.load.is_done() {
        true => format!(" {}", size(app.load.progress.read)),
        false => String::new(),
    };
    if !wide && !app.load.is_done() {
        return text::cut(&state, room);
    }
    let name = text::cut_start(&app.title, room.saturating_sub(text::width(&state) + size.len() + 1));
    text::cut(&format!("{name}{size} {state}"), room)
}

pub(super) fn banner(app: &App, buf: &mut Buffer, regions: &Regions) {
    if let Some(words) = app.load.banner(regions.banner.width.into()) {
        let line = Line::styled(format!(" {words}"), app.theme.severity(Severity::Warning));
        draw::lines(buf, regions.banner, [line]);
    }
}

pub(super) fn status(app: &App, buf: &mut Buffer, regions: &Regions) {
    let area = regions.status;
    match app.overlay {
        Overlay::Search => return typed_line(app, buf, area, " /", &app.search.pattern),
        Overlay::Command => return typed_line(app, buf, area, " :", &app.command.line),
        Overlay::Everywhere => return typed_line(app, buf, area, " &", &app.everywhere.line),
        Overlay::Comment => return typed_line(app, buf, area, " ; ", &app.notebook.line),
        Overlay::None
        | Overlay::Help(_)
        | Overlay::Sessions(_)
        | Overlay::Menu(_)
        | Overlay::Filter
        | Overlay::Columns(_)
        | Overlay::Palette(_)
        | Overlay::Hits
        | Overlay::Export => {}
    }
    if let Some(words) = &app.said {
        let words = text::cut(&format!(" {words}"), area.width.into());
        return set(buf, area, Line::styled(words, app.theme.bold()));
    }
    if let Some(run) = app.search.run {
        return set(buf, area, Line::raw(format!(" searching {} %   ^C stop", run.percent())));
    }
    if app.everywhere.is_busy(&app.book) && app.load.is_done() {
        let percent = app.everywhere.percent(&app.book);
        return set(buf, area, Line::raw(format!(" searching all payloads {percent} %   ^C stop")));
    }
    if let Some(percent) = app.ranking() {
        return set(buf, area, Line::raw(format!(" sorting {percent} %   ^C stop")));
    }
    if !app.load.is_done() {
        return progress(app, buf, area);
    }
    let comment = app.comment().map(|comment| format!("; {} ", display_str(comment)));
    let right = match app.screen {
        _ if comment.is_some() => comment.unwrap_or_default(),
        Screen::Connections | Screen::Messages => format!("t: {} ", app.time_mode().name()),
        Screen::Bytes => "field ⇄ bytes linked ".to_owned(),
        Screen::Handshake if app.handshake.secrets => "secrets shown ".to_owned(),
        Screen::Handshake | Screen::Stats | Screen::Findings => String::new(),
    };
    let room = usize::from(area.width).saturating_sub(text::width(&right) + 2);
    let left = match app.screen {
        Screen::Connections => super::connections::status(app, room),
        Screen::Messages => super::messages::status(app, regions.wide),
        Screen::Handshake => super::handshake::status(app),
        Screen::Bytes => super::bytes::status(app, room),
        Screen::Stats => super::stats::status(app, room),
        Screen::Findings => super::findings::status(app),
    };
    both_ends(buf, area, &Line::raw(text::cut(&left, room)), &Line::styled(right, app.theme.dim()));
}

/// What is being typed, its end where there is no room for all of it, and what is to be said of it.
fn typed_line(app: &App, buf: &mut Buffer, area: Rect, prompt: &'static str, typed: &Typed) {
    let said = app.said.as_ref().map(|said| format!("   {said}")).unwrap_or_default();
    let room = usize::from(area.width).saturating_sub(prompt.len() + text::width(&said));
    let mut spans = vec![Span::styled(prompt, app.theme.key())];
    spans.extend(draw::typed(app, typed, room));
    spans.push(Span::styled(said, app.theme.gap()));
    set(buf, area, Line::from(spans));
}

fn progress(app: &App, buf: &mut Buffer, area: Rect) {
    let stop = if app.load.stopped { "stopping" } else { "^C stop loading" };
    let words = format!(" {}   {stop}", app.load.words());
    let room = usize::from(area.width).saturating_sub(text::width(&words) + 2);
    let bar = app.load.progress.total.map_or_else(String::new, |_| format!(" {}", app.load.bar(room.min(40))));
    set(buf, area, Line::raw(format!("{bar}{words}")));
}

/// The keys of the pane that matter most, as many as fit.
pub(super) fn hints(app: &App, buf: &mut Buffer, regions: &Regions) {
    let pairs: Vec<(String, &str)> = match &app.overlay {
        Overlay::Filter => [
            ("Tab", "complete"),
            ("↑ ↓", "choose"),
            ("C-p/C-n", "filters of before"),
            ("C-r", "search them"),
            ("Enter", "apply"),
            ("Esc", "back"),
        ]
        .map(|(keys, words)| (keys.to_owned(), words))
        .to_vec(),
        Overlay::Export => [("Tab", "next line"), ("← →", "choose"), ("Enter", "write"), ("Esc", "back")]
            .map(|(keys, words)| (keys.to_owned(), words))
            .to_vec(),
        Overlay::Columns(it) if it.name.is_some() => [("Tab", "complete"), ("Enter", "add"), ("Esc", "drop")]
            .map(|(keys, words)| (keys.to_owned(), words))
            .to_vec(),
        Overlay::Palette(_) => {
            [("↓ ↑", "choose"), ("Enter", "do"), ("Esc", "drop")].map(|(keys, words)| (keys.to_owned(), words)).to_vec()
        }
        Overlay::Columns(_) => [
            ("Space", "show / hide"),
            ("J/K", "down / up"),
            ("a", "add a field"),
            ("d", "take it out"),
            ("h/l", "width"),
            ("=", "usual width"),
            ("Enter", "close"),
        ]
        .map(|(keys, words)| (keys.to_owned(), words))
        .to_vec(),
        Overlay::Comment => vec![("Enter".to_owned(), "keep"), ("Esc".to_owned(), "drop")],
        Overlay::Search => vec![("Enter".to_owned(), "keep"), ("Esc".to_owned(), "drop")],
        Overlay::Everywhere => vec![("Enter".to_owned(), "search"), ("Esc".to_owned(), "drop")],
        Overlay::Hits => [("↓ ↑", "choose"), ("Enter", "open"), ("Esc", "close")]
            .map(|(keys, words)| (keys.to_owned(), words))
            .to_vec(),
        Overlay::Command if app.command.offers().is_some() => return draw_offers(app, buf, regions.hints),
        Overlay::Command => {
            let commands = COMMANDS.iter().map(|command| (command.usage(), command.label));
            commands.chain([("Enter".to_owned(), "do"), ("Esc".to_owned(), "drop")]).collect()
        }
        Overlay::Help(_) | Overlay::Sessions(_) => vec![("↓ ↑".to_owned(), "scroll"), ("Esc".to_owned(), "close")],
        Overlay::Menu(_) => {
            vec![("↓ ↑".to_owned(), "choose"), ("Enter".to_owned(), "take"), ("Esc".to_owned(), "close")]
        }
        Overlay::None => {
            let (nothing, has_rows) = (app.shows_nothing(), app.has_rows(app.focused()));
            let works = |action: Action| has_rows || action.needs() < if nothing { Needs::Screen } else { Needs::Rows };
            let mut hints: Vec<_> = app
                .keymap
                .bindings(app.focused())
                .filter(|binding| binding.keys.iter().any(|&(_, action)| works(action)))
                .filter_map(|binding| binding.hint.map(|(place, keys, words)| (place, binding.names(keys), words)))
                .collect();
            hints.sort_by_key(|&(place, ..)| place);
            hints.into_iter().map(|(_, keys, words)| (keys, words)).collect()
        }
    };
    let room = usize::from(regions.hints.width).saturating_sub(2);
    let mut spans = vec![Span::raw(" ")];
    let mut used = 0;
    for (keys, words) in pairs_that_fit(&pairs, room) {
        used += text::width(keys) + 1 + words.len() + 2;
        spans.push(Span::styled(keys.clone(), app.theme.key()));
        spans.push(Span::raw(format!(" {words}  ")));
    }
    debug_assert!(used <= room + 2);
    set(buf, regions.hints, Line::from(spans));
}

/// The words that Tab goes through, with the one that stands in the line.
fn draw_offers(app: &App, buf: &mut Buffer, area: Rect) {
    let Some((words, chosen)) = app.command.offers() else { return };
    let mut spans = vec![Span::raw(" ")];
    // As many of them before the chosen one as leave room for it.
    let width = |word: &String| text::width(&display_str(word)) + 2;
    let mut first = chosen;
    let mut room = usize::from(area.width).saturating_sub(1 + words.get(chosen).map_or(0, width));
    while let Some(rest) = first.checked_sub(1).and_then(|at| room.checked_sub(width(words.get(at)?))) {
        (first, room) = (first - 1, rest);
    }
    for (at, word) in words.iter().enumerate().skip(first) {
        let style = if at == chosen { app.theme.key() } else { app.theme.plain() };
        spans.extend([Span::styled(display_str(word).into_owned(), style), Span::raw("  ")]);
    }
    set(buf, area, Line::from(spans));
}

/// The first pairs that fit; the last two, help and back, always come along.
fn pairs_that_fit<'a>(pairs: &'a [(String, &'a str)], room: usize) -> Vec<&'a (String, &'a str)> {
    let width = |pair: &(String, &str)| text::width(&pair.0) + 1 + pair.1.len() + 2;
    let (first, last) = pairs.split_at(pairs.len().saturating_sub(2));
    let mut left = (room + 2).saturating_sub(last.iter().map(width).sum());
    let mut out = Vec::new();
    for pair in first {
        let Some(rest) = left.checked_sub(width(pair)) else { break };
        left = rest;
        out.push(pair);
    }
    out.extend(last);
    out
}

fn set(buf: &mut Buffer, area: Rect, line: Line<'static>) {
    if area.height > 0 {
        buf.set_line(area.x, area.y, &line, area.width);
    }
}
