//! What lies over the panes: the help, the list of TLS streams and the menus.

use super::{choosing, draw, everywhere, exporting, filter, palette, sessions};
use crate::escape::display_str;
use crate::model::FLAGS;
use crate::tui::app::{App, Overlay, Pane};
use crate::tui::command::COMMANDS;
use crate::tui::layout::Regions;
use crate::tui::menu::Menu;
use crate::tui::text;
use ratatui::buffer::Buffer;
use ratatui::layout::{HorizontalAlignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

/// Columns for the names of keys.
const KEYS: usize = 24;

pub(super) fn draw(app: &App, buf: &mut Buffer, regions: &Regions) {
    let area = regions.body;
    match &app.overlay {
        Overlay::None | Overlay::Search | Overlay::Everywhere | Overlay::Command | Overlay::Comment => {}
        Overlay::Filter => filter::popup(app, buf, regions),
        Overlay::Export => {
            let lines = exporting::lines(
                app,
                area.width.min(HELP).saturating_sub(2).into(),
                area.height.saturating_sub(2).into(),
            );
            let inside = window(app, buf, area, ("Export", ""), HELP, lines.len());
            draw::lines(buf, inside, lines);
        }
        Overlay::Columns(it) => {
            let columns = area.width.min(HELP).saturating_sub(2).into();
            let lines = choosing::lines(app, it, columns, area.height.saturating_sub(2).into());
            let title = format!("Columns of {}", it.table().name());
            let inside = window(app, buf, area, (&title, ""), HELP, lines.len());
            draw::lines(buf, inside, lines);
        }
        Overlay::Hits => {
            let lines =
                everywhere::lines(app, area.width.saturating_sub(2).into(), area.height.saturating_sub(2).into());
            let title = format!("Hits for {}", display_str(app.everywhere.line.as_str()));
            let foot = draw::position(app.everywhere.list.cursor, app.everywhere.hits.len());
            let rows = usize::from(area.height).saturating_sub(2);
            let inside = window(app, buf, area, (&title, &foot), area.width, rows);
            draw::lines(buf, inside, lines);
        }
        Overlay::Palette(it) => {
            let room = usize::from(area.height).saturating_sub(2).min(PALETTE);
            let lines = palette::lines(app, it, area.width.min(HELP).saturating_sub(2).into(), room);
            let inside = window(app, buf, area, ("What to do", ""), HELP, room);
            draw::lines(buf, inside, lines);
        }
        Overlay::Help(top) => scrolled(app, buf, area, "Keys", help_lines(app, area.width), *top),
        Overlay::Sessions(top) => scrolled(app, buf, area, "TLS streams", session_lines(app, area.width), *top),
        Overlay::Menu(menu) => choices(app, buf, area, menu),
    }
}

/// The panes whose rows have flags.
const ON_FLAGS: [Pane; 2] = [Pane::Connections, Pane::Summary];

/// Rows of the palette, at most.
const PALETTE: usize = 18;

/// Columns of the help and of the list where there is room.
const HELP: u16 = 86;

/// How many lines lie over the panes, on a screen of that width.
pub(in crate::tui) fn overlay_lines(app: &App, width: u16) -> usize {
    match app.overlay {
        Overlay::Sessions(_) => session_lines(app, width).len(),
        _ => help_lines(app, width).len(),
    }
}

fn session_lines(app: &App, width: u16) -> Vec<Line<'static>> {
    sessions::lines(app, width.min(HELP).saturating_sub(2).into())
}

/// The help for the focused pane on a screen of that width.
fn help_lines(app: &App, width: u16) -> Vec<Line<'static>> {
    let columns = usize::from(width.min(HELP).saturating_sub(2));
    let mut own = vec![section(app, "In this pane")];
    let mut everywhere = vec![Line::raw(""), section(app, "Everywhere")];
    for binding in app.keymap.bindings(app.focused()) {
        let lines = if binding.is_everywhere() { &mut everywhere } else { &mut own };
        lines.extend(help_entry(app, &binding.names(binding.keys.len()), binding.label, columns));
    }
    if ON_FLAGS.contains(&app.focused()) {
        own.extend([Line::raw(""), section(app, "Flags")]);
        own.extend(FLAGS.iter().flat_map(|flag| help_entry(app, flag.name, flag.meaning, columns)));
    }
    own.extend(everywhere);
    own.extend([Line::raw(""), section(app, "Commands")]);
    own.extend(
        COMMANDS.iter().flat_map(|command| help_entry(app, &format!(":{}", command.usage()), command.label, columns)),
    );
    own
}

/// Keys and what they do: on one line where that fits, else the words stand below.
fn help_entry(app: &App, names: &str, label: &str, columns: usize) -> Vec<Line<'static>> {
    if KEYS + 2 + text::width(label) <= columns {
        let names = text::left(names, KEYS);
        let words = Span::raw(label.to_owned());
        return vec![Line::from(vec![Span::styled(format!(" {names} "), app.theme.key()), words])];
    }
    let names = text::wrap(names, columns.saturating_sub(1), 0).into_iter();
    let words = text::wrap(label, columns.saturating_sub(3), 0).into_iter();
    let names = names.map(|line| Line::styled(format!(" {line}"), app.theme.key()));
    names.chain(words.map(|line| Line::raw(format!("   {line}")))).collect()
}

fn scrolled(app: &App, buf: &mut Buffer, area: Rect, title: &str, lines: Vec<Line<'static>>, top: usize) {
    let height = usize::from(area.height).saturating_sub(2);
    let top = top.min(lines.len().saturating_sub(height));
    let foot = draw::scrolled(top, height, lines.len());
    let inside = window(app, buf, area, (title, &foot), HELP, lines.len());
    draw::lines(buf, inside, lines.into_iter().skip(top));
}

fn section(app: &App, name: &'static str) -> Line<'static> {
    Line::styled(format!(" {name}"), app.theme.bold())
}

fn choices(app: &App, buf: &mut Buffer, area: Rect, menu: &Menu) {
    let widest = menu.labels().map(|(_, words)| text::width(&words)).max().unwrap_or(0);
    let width = u16::try_from(widest.max(text::width(&menu.title)) + 8).unwrap_or(u16::MAX).max(36);
    let inside = window(app, buf, area, (&menu.title, ""), width, menu.choices.len());
    for (line, (letter, words)) in menu.labels().enumerate() {
        let mark = if line == menu.cursor { "▶" } else { " " };
        let spans = vec![
            Span::raw(format!("{mark} ")),
            Span::styled(letter.to_string(), app.theme.key()),
            Span::raw(format!("  {words}")),
        ];
        draw::lines(buf, draw::below(inside, line), [Line::from(spans)]);
        draw::paint_row(buf, inside, line, (line == menu.cursor).then(|| app.theme.selected()));
    }
}

/// Clears a frame in the middle of the area, with words in its upper and in its lower edge, and gives its inside.
fn window(app: &App, buf: &mut Buffer, area: Rect, (title, foot): (&str, &str), width: u16, lines: usize) -> Rect {
    let width = width.min(area.width);
    let height = u16::try_from(lines + 2).unwrap_or(u16::MAX).min(area.height);
    let frame = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(frame, buf);
    let mut block = Block::bordered()
        .border_type(BorderType::Thick)
        .border_style(app.theme.border(true))
        .title_top(Line::styled(format!(" {title} "), app.theme.bold()));
    if !foot.is_empty() {
        block = block.title_bottom(Line::raw(format!(" {foot} ")).alignment(HorizontalAlignment::Right));
    }
    let inside = block.inner(frame);
    block.render(frame, buf);
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{ColorChoice, Options, Screen};

    /// However narrow the screen, the help is scrolled but never cut.
    #[test]
    fn the_help_fits_and_leaves_nothing_out() {
        let options = Options { color: ColorChoice::Never, ..Options::new(String::new()) };
        let mut app = App::new(options, (80, 24));
        for pane in Screen::ALL.iter().flat_map(|screen| screen.panes()) {
            app.focus(*pane);
            for width in [40, 53, 60, 80, 200] {
                let lines = help_lines(&app, width);
                let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
                let columns = usize::from(width.min(HELP)) - 2;
                assert!(lines.iter().all(|line| text::width(line) <= columns), "{width}: {lines:#?}");
                let all = lines.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ");
                for binding in app.keymap.bindings(*pane) {
                    assert!(all.contains(binding.label), "{width}: {} in {all}", binding.label);
                }
            }
        }
    }
}
