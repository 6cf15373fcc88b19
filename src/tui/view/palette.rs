//! The palette, and the list of what fits.

use super::draw;
use crate::tui::app::App;
use crate::tui::palette::Palette;
use crate::tui::text;
use ratatui::text::{Line, Span};

/// Columns of names and of keys.
const NAMES: usize = 24;
const KEYS: usize = 12;

/// The line that is typed, and below it what fits, as far as there are rows.
pub(super) fn lines(app: &App, palette: &Palette, columns: usize, rows: usize) -> Vec<Line<'static>> {
    let entries = app.palette_entries(palette.line.as_str());
    let mut typed = vec![Span::styled(" ▶ ", app.theme.key())];
    typed.extend(draw::typed(app, &palette.line, columns.saturating_sub(4)));
    let mut lines = vec![Line::from(typed)];
    let room = rows.saturating_sub(1).max(1);
    let top = (palette.cursor + 1).saturating_sub(room);
    for (at, entry) in entries.iter().enumerate().skip(top).take(room) {
        let (mark, style) = match at == palette.cursor {
            true => ("▶", app.theme.selected()),
            false => (" ", app.theme.plain()),
        };
        let about = columns.saturating_sub(NAMES + KEYS + 5);
        let mut spans = vec![
            Span::raw(format!("{mark} ")),
            Span::styled(text::left(&entry.name, NAMES), style),
            Span::styled(
                format!(" {} ", text::left(&entry.keys, KEYS.min(columns - columns.min(NAMES + 4)))),
                app.theme.key(),
            ),
        ];
        if about > 8 {
            spans.push(Span::styled(text::cut(entry.about, about), app.theme.dim()));
        }
        lines.push(Line::from(spans));
    }
    if entries.is_empty() {
        lines.push(Line::styled("   nothing is called so", app.theme.dim()));
    }
    lines
}
