//! The export dialog.

use super::draw;
use crate::escape::display_str;
use crate::model::{Severity, count};
use crate::tui::app::App;
use crate::tui::exporting::{Entry, shell_line};
use crate::tui::text;
use ratatui::text::{Line, Span};

/// Columns of the names of entries.
const NAMES: usize = 10;

/// The lines of the dialog in so many columns and, as far as they fit, rows.
pub(super) fn lines(app: &App, columns: usize, rows: usize) -> Vec<Line<'static>> {
    let dialog = &app.export;
    let found = app.export_filter();
    let (amount, filter) = match found {
        Ok((filter, messages)) => {
            let amount = messages.map_or_else(String::new, |messages| count(messages, "message"));
            (Span::styled(amount, app.theme.dim()), Some(filter))
        }
        Err(why) => (Span::styled(why, app.theme.severity(Severity::Warning)), None),
    };
    let mut lines = Vec::new();
    for entry in Entry::ALL {
        let is_chosen = entry == dialog.entry;
        let choice = |words: &str| {
            let words = if is_chosen { format!("◀ {words} ▶") } else { format!("  {words}  ") };
            Span::styled(words, if is_chosen { app.theme.selected() } else { app.theme.plain() })
        };
        let name = |words| Span::styled(format!(" {}", text::left(words, NAMES)), app.theme.bold());
        lines.push(Line::from(match entry {
            Entry::What => vec![name("what"), choice(dialog.what.words()), Span::raw("  "), amount.clone()],
            Entry::Format => {
                let format = dialog.format();
                vec![name("as"), choice(format.name), Span::styled(format!("  {}", format.about), app.theme.dim())]
            }
            Entry::Path if is_chosen => {
                let mut spans = vec![name("into"), Span::raw("  ")];
                spans.extend(draw::typed(app, &dialog.path, columns.saturating_sub(NAMES + 4)));
                spans
            }
            Entry::Path => vec![name("into"), Span::raw(format!("  {}", display_str(dialog.path.as_str())))],
            Entry::Replace => {
                vec![name("if there"), choice(if dialog.replace { "replace it" } else { "do not write" })]
            }
        }));
    }
    if rows > Entry::ALL.len() + 2 {
        lines.push(Line::raw(""));
    }
    if let Some(filter) = filter {
        let words = app.export_words(filter);
        let line = format!("wspect {} {}", shell_line(words.iter().map(String::as_str)), app.started_with);
        let wrapped = text::wrap(&display_str(line.trim_end()), columns.saturating_sub(2), 2);
        lines.extend(wrapped.into_iter().map(|line| Line::styled(format!(" {line}"), app.theme.dim())));
    }
    lines
}
