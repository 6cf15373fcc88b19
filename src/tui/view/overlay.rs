//! What lies over the panes: the help and the menus.

use crate::tui::app::{App, Overlay, Pane};
use crate::tui::keys::{self, Scope};
use crate::tui::menu::Menu;
use crate::tui::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

/// Columns for the names of keys.
const KEYS: usize = 24;

pub(super) fn draw(app: &App, buf: &mut Buffer, area: Rect) {
    match &app.overlay {
        Overlay::None | Overlay::Search => {}
        Overlay::Help(top) => help(app, buf, area, *top),
        Overlay::Menu(menu) => choices(app, buf, area, menu),
    }
}

/// Lines of the help for a pane.
pub(in crate::tui) fn help_lines(pane: Pane) -> usize {
    keys::bindings(pane).count() + 3
}

fn help(app: &App, buf: &mut Buffer, area: Rect, top: usize) {
    let pane = app.focused();
    let (mut own, mut everywhere) =
        (vec![section(app, "In this pane")], vec![Line::raw(""), section(app, "Everywhere")]);
    for binding in keys::bindings(pane) {
        let names = text::left(&binding.names(binding.keys.len()), KEYS);
        let line = Line::from(vec![Span::styled(format!(" {names} "), app.theme.key()), Span::raw(binding.label)]);
        if binding.scope == Scope::Everywhere { everywhere.push(line) } else { own.push(line) }
    }
    own.extend(everywhere);
    let inside = window(app, buf, area, "Keys", 86, own.len());
    let top = top.min(own.len().saturating_sub(inside.height.into()));
    super::draw::lines(buf, inside, own.into_iter().skip(top));
}

fn section(app: &App, name: &'static str) -> Line<'static> {
    Line::styled(format!(" {name}"), app.theme.bold())
}

fn choices(app: &App, buf: &mut Buffer, area: Rect, menu: &Menu) {
    let inside = window(app, buf, area, menu.title, 36, menu.choices.len());
    for (line, choice) in menu.choices.iter().enumerate() {
        let (letter, words) = choice.label();
        let mark = if line == menu.cursor { "▶" } else { " " };
        let spans = vec![
            Span::raw(format!("{mark} ")),
            Span::styled(letter.to_string(), app.theme.key()),
            Span::raw(format!("  {words}")),
        ];
        super::draw::lines(buf, super::draw::below(inside, line), [Line::from(spans)]);
        super::draw::paint_row(buf, inside, line, (line == menu.cursor).then(|| app.theme.selected()));
    }
}

/// Clears a frame in the middle of the area and gives its inside.
fn window(app: &App, buf: &mut Buffer, area: Rect, title: &'static str, width: u16, lines: usize) -> Rect {
    let width = width.min(area.width);
    let height = u16::try_from(lines + 2).unwrap_or(u16::MAX).min(area.height);
    let frame = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(frame, buf);
    let block = Block::bordered()
        .border_type(BorderType::Thick)
        .border_style(app.theme.border(true))
        .title_top(Line::styled(format!(" {title} "), app.theme.bold()));
    let inside = block.inner(frame);
    block.render(frame, buf);
    inside
}
