//! A row of a dump: offset, bytes, characters.

use crate::tui::app::App;
use crate::tui::dump::Dump;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// What a row shows and how it looks.
pub(super) struct Row<'a> {
    pub(super) dump: &'a Dump,
    pub(super) offset: u64,
    pub(super) decimal: bool,
    /// At most as many as the dump has in a row.
    pub(super) bytes: &'a [u8],
}

impl Row<'_> {
    /// Draws it; bytes are styled and have a bracket before them as told, by their place in the row. The place behind
    /// the last may have a bracket too.
    pub(super) fn draw(
        &self,
        app: &App,
        style: impl Fn(usize) -> Style,
        bracket: impl Fn(usize) -> Option<&'static str>,
    ) -> Line<'static> {
        let Dump { offset: digits, byte, per_row, gap } = *self.dump;
        let offset = self.offset;
        let offset = if self.decimal { format!("{offset:>digits$}") } else { format!("{offset:0digits$x}") };
        let mut spans = vec![Span::styled(offset, app.theme.dim())];
        for at in 0..per_row {
            if at % 8 == 0 && at > 0 {
                spans.push(Span::raw(" "));
            }
            spans.push(Span::styled(bracket(at).unwrap_or(" "), app.theme.key()));
            spans.push(match self.bytes.get(at) {
                Some(value) if byte == 8 => Span::styled(format!("{value:08b}"), style(at)),
                Some(value) => Span::styled(format!("{value:02x}"), style(at)),
                None => Span::raw(" ".repeat(byte)),
            });
        }
        spans.push(Span::styled(format!("{:<gap$}", bracket(per_row).unwrap_or(" ")), app.theme.key()));
        for (at, &value) in self.bytes.iter().enumerate() {
            let shown = if (b' '..=b'~').contains(&value) { char::from(value) } else { '·' };
            spans.push(Span::styled(shown.to_string(), style(at)));
        }
        Line::from(spans)
    }
}
