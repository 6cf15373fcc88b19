//! The dialog in which columns are chosen.

use super::draw;
use crate::escape::display_str;
use crate::model::Severity;
use crate::tui::app::App;
use crate::tui::choosing::Choosing;
use crate::tui::text;
use ratatui::text::{Line, Span};

/// Columns of the names.
const NAMES: usize = 28;

/// The lines of the dialog in so many columns; the part with the cursor, where there are fewer rows.
pub(super) fn lines(app: &App, it: &Choosing, columns: usize, rows: usize) -> Vec<Line<'static>> {
    let foot = 1 + usize::from(it.name.is_some()) + usize::from(it.wrong.is_some());
    let room = rows.saturating_sub(foot).max(1);
    let top = (it.cursor + 1).saturating_sub(room);
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (at, entry) in it.entries.iter().enumerate().skip(top).take(room) {
        let (mark, shown) = (if at == it.cursor { "▶" } else { " " }, if entry.is_shown { "✓" } else { " " });
        let width = entry.width.map_or_else(String::new, |width| format!(":{width}"));
        let name = text::left(&format!("{}{width}", display_str(&entry.name)), NAMES.min(columns.saturating_sub(5)));
        let style = if at == it.cursor { app.theme.selected() } else { app.theme.plain() };
        lines.push(Line::from(vec![
            Span::raw(format!("{mark} [{shown}] ")),
            Span::styled(name, style),
            Span::styled(format!(" {}", entry.about), app.theme.dim()),
        ]));
    }
    if let Some(name) = &it.name {
        let mut spans = vec![Span::styled(" field: ", app.theme.key())];
        spans.extend(draw::typed(app, name, columns.saturating_sub(9)));
        lines.push(Line::from(spans));
    }
    lines.extend(it.wrong.iter().map(|why| Line::styled(format!(" {why}"), app.theme.severity(Severity::Warning))));
    lines.push(Line::styled(" :save keeps them in the configuration file", app.theme.dim()));
    lines
}
