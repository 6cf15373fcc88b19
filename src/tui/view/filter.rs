//! The filter bar, and below it, while one types, what is wrong with it and what may come next.

use super::draw;
use crate::escape::display_str;
use crate::filter::Problem;
use crate::model::{count, number};
use crate::tui::action::Action;
use crate::tui::app::{App, Overlay};
use crate::tui::filter::{Asked, Draft};
use crate::tui::layout::Regions;
use crate::tui::text;
use ratatui::buffer::Buffer;
use ratatui::layout::{HorizontalAlignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

const PROMPT: &str = " Filter: ";

/// Choices that are shown at once.
const CHOICES: usize = 8;

/// Columns of the choices where there is room.
const WIDTH: u16 = 100;

pub(super) fn bar(app: &App, buf: &mut Buffer, regions: &Regions) {
    let area = regions.filter;
    if area.height == 0 {
        return;
    }
    let types = app.overlay == Overlay::Filter;
    let (state, style) = if types { draft_words(app) } else { state_words(app, regions.wide) };
    let room = usize::from(area.width).saturating_sub(PROMPT.len() + 1);
    // What is typed has two thirds of the row where both need more than there is.
    let state = text::cut(&state, room.saturating_sub(shown_text(app).map_or(0, text::width).min(room * 2 / 3) + 2));
    let room = room.saturating_sub(text::width(&state) + 2);
    let mut spans = vec![Span::raw(PROMPT)];
    match shown_text(app) {
        _ if types => spans.extend(draw::typed(app, &app.filter.line, room)),
        None => spans.push(Span::styled("⟨ none ⟩", app.theme.dim())),
        Some(applied) => {
            let style = if app.filter.is_off { app.theme.dim() } else { app.theme.bold() };
            spans.push(Span::styled(text::cut(&display_str(applied), room), style));
        }
    }
    draw::both_ends(buf, area, &Line::from(spans), &Line::styled(format!("{state} "), style));
}

/// The filter that the bar shows.
fn shown_text(app: &App) -> Option<&str> {
    let shown = match (&app.filter.running, app.overlay == Overlay::Filter) {
        (_, true) => app.filter.line.as_str(),
        (Some(asked), _) => &asked.text,
        (None, _) => &app.filter.text,
    };
    Some(shown).filter(|shown| !shown.is_empty())
}

/// How the filter that is applied stands.
fn state_words(app: &App, wide: bool) -> (String, Style) {
    if let Some(asked) = &app.filter.running {
        return (format!("filtering {} %   ^C stop", asked.sift.percent(&app.book)), app.theme.gap());
    }
    match app.book.sift() {
        _ if app.filter.is_off => {
            (format!("off · {} switches it on", app.key_of(Action::ToggleFilter)), app.theme.gap())
        }
        None if wide => {
            let (edit, apply) = (app.key_of(Action::Filter), app.key_of(Action::ApplyField));
            (format!("{edit} edit · {apply} filter by what is selected"), app.theme.dim())
        }
        None => (format!("{} edit", app.key_of(Action::Filter)), app.theme.dim()),
        Some(_) if app.is_loading() => (format!("✓ {} (loading)", counts(app, None)), app.theme.good()),
        Some(_) => (format!("✓ {}", counts(app, None)), app.theme.good()),
    }
}

/// How what is typed stands.
fn draft_words(app: &App) -> (String, Style) {
    match &app.filter.draft {
        Draft::Nothing => ("Enter: everything".to_owned(), app.theme.dim()),
        Draft::Wrong(problem) => {
            (format!("✗ {}", display_str(&problem.text)), app.theme.severity(crate::model::Severity::Error))
        }
        Draft::Right(asked) if asked.is_word => {
            (format!("{} · Enter: {}", counts(app, Some(asked)), display_str(&asked.text)), app.theme.good())
        }
        Draft::Right(asked) => match asked.risk {
            Some(risk) => (format!("! {risk}"), app.theme.gap()),
            None => (format!("✓ {}", counts(app, Some(asked))), app.theme.good()),
        },
    }
}

/// `5 014 of 5 075 messages`, as far as it is known; of a filter that is about no message, connections.
fn counts(app: &App, draft: Option<&Asked>) -> String {
    let Some(sift) = draft.map(|asked| &asked.sift).or(app.book.sift()) else { return String::new() };
    let (some, all, what) = if sift.is_of_messages() {
        (sift.passed(), app.book.messages(), "message")
    } else {
        (sift.connections(), app.book.connections(), "connection")
    };
    let percent = sift.percent(&app.book);
    let so_far = if percent < 100 { format!(", {percent} %") } else { String::new() };
    format!("{} of {}{so_far}", number(some as u64), count(all as u64, what))
}

/// What is wrong, and what may come next.
pub(super) fn popup(app: &App, buf: &mut Buffer, regions: &Regions) {
    let mut area = regions.body;
    if let Draft::Wrong(problem) = &app.filter.draft {
        let row = Rect { height: area.height.min(1), ..area };
        Clear.render(row, buf);
        draw::lines(buf, row, [caret(app, problem, area.width.into())]);
        area = draw::below(area, 1);
    }
    choices(app, buf, area);
}

/// `^~~~ did you mean …?` below what is wrong, where all that is typed can be seen.
fn caret(app: &App, problem: &Problem, columns: usize) -> Line<'static> {
    let typed = app.filter.line.as_str();
    let width = |text: &str| text::width(&display_str(text));
    let before = width(typed.get(..problem.span.start).unwrap_or_default());
    let marks = width(typed.get(problem.span.clone()).unwrap_or_default()).max(1);
    let hint = problem.hint.as_deref().unwrap_or(&problem.text);
    let fits = PROMPT.len() + width(typed) < columns;
    let mark =
        if fits { format!("{}^{}", " ".repeat(PROMPT.len() + before), "~".repeat(marks - 1)) } else { String::new() };
    let room = columns.saturating_sub(text::width(&mark) + 2);
    Line::from(vec![
        Span::styled(mark, app.theme.severity(crate::model::Severity::Error)),
        Span::raw(format!(" {}", text::cut(&display_str(hint), room))),
    ])
}

fn choices(app: &App, buf: &mut Buffer, area: Rect) {
    let (choices, chosen) = (&app.filter.completion.choices, app.filter.chosen);
    let shown = choices.len().min(CHOICES).min(usize::from(area.height).saturating_sub(2));
    if shown == 0 {
        return;
    }
    let height = u16::try_from(shown + 2).unwrap_or(area.height);
    let frame = Rect { height, width: area.width.min(WIDTH), ..area };
    Clear.render(frame, buf);
    let foot = format!(" {} · ↑ ↓ Tab ", draw::position(chosen, choices.len()));
    let block = Block::bordered()
        .border_style(app.theme.border(false))
        .title_bottom(Line::raw(foot).alignment(HorizontalAlignment::Right));
    let inside = block.inner(frame);
    block.render(frame, buf);
    let top = (chosen + 1).saturating_sub(shown);
    let wide = choices.iter().skip(top).take(shown).map(|choice| text::width(&choice.text)).max().unwrap_or(0);
    let wide = wide.min(usize::from(inside.width) / 2).max(12);
    for (line, choice) in choices.iter().skip(top).take(shown).enumerate() {
        let is_chosen = top + line == chosen;
        let mark = if is_chosen { "▶" } else { " " };
        let name = text::left(&text::cut(&display_str(&choice.text), wide), wide);
        let spans = vec![
            Span::raw(format!("{mark}{name} ")),
            Span::styled(text::left(choice.kind, 14), app.theme.dim()),
            Span::raw(display_str(&choice.about).into_owned()),
        ];
        draw::lines(buf, draw::below(inside, line), [Line::from(spans)]);
        draw::paint_row(buf, inside, line, is_chosen.then(|| app.theme.selected()));
    }
}

/// What a list says that the filter has left nothing of.
pub(super) fn nothing(app: &App, of: u64, what: &str) -> Option<String> {
    app.book.sift()?;
    let (off, edit) = (app.key_of(Action::ToggleFilter), app.key_of(Action::Filter));
    (of > 0).then(|| format!("0 of {} pass the filter. {off} switches it off, {edit} edits it.", count(of, what)))
}
