//! Brushes: framed panes, rows of columns, marked text.

use crate::escape::display_str;
use crate::model::{Severity, number};
use crate::tui::app::{App, Pane};
use crate::tui::columns::{Chosen, Columns, Own, RowId, Which};
use crate::tui::input::Line as Typed;
use crate::tui::layout::inner;
use crate::tui::text;
use ratatui::buffer::Buffer;
use ratatui::layout::{HorizontalAlignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Widget};
use std::borrow::Cow;

/// Draws a pane's border with its title and what stands in its bottom edge; gives the inside.
pub(super) fn pane(app: &App, buf: &mut Buffer, pane: Pane, area: Rect, title: &str, foot: &str) -> Rect {
    let focused = app.focused() == pane;
    let (kind, edge) = if focused { (BorderType::Thick, "━") } else { (BorderType::Plain, "─") };
    let style = app.theme.border(focused);
    let title = text::cut(title, usize::from(area.width).saturating_sub(6));
    let mut block = Block::bordered().border_type(kind).border_style(style);
    if !title.is_empty() {
        let words = if focused { app.theme.bold() } else { app.theme.plain() };
        let spans = vec![Span::styled(format!("{edge} "), style), Span::styled(title, words), Span::raw(" ")];
        block = block.title_top(Line::from(spans));
    }
    if !foot.is_empty() && area.width > 20 {
        let foot = text::cut(foot, usize::from(area.width) / 2);
        let spans = vec![Span::raw(format!(" {foot} ")), Span::styled(edge, style)];
        block = block.title_bottom(Line::from(spans).alignment(HorizontalAlignment::Right));
    }
    block.render(area, buf);
    inner(area)
}

/// Draws lines from the top of an area down, those that are aligned so at its right edge; `…` ends one that is too long.
pub(super) fn lines(buf: &mut Buffer, area: Rect, lines: impl IntoIterator<Item = Line<'static>>) {
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        let line = shorten(line, area.width.into());
        let width = u16::try_from(line_width(&line)).unwrap_or(u16::MAX);
        let right = line.alignment == Some(HorizontalAlignment::Right);
        let x = if right { area.right().saturating_sub(width).max(area.x) } else { area.x };
        buf.set_line(x, y, &line, area.right() - x);
    }
}

/// A line cut to a width, with `…` where something is missing.
fn shorten(mut line: Line<'static>, width: usize) -> Line<'static> {
    let mut left = width;
    for at in 0..line.spans.len() {
        let Some(span) = line.spans.get_mut(at) else { break };
        let wide = text::width(&span.content);
        if wide > left {
            span.content = text::cut(&span.content, left).into();
            line.spans.truncate(at + 1);
            break;
        }
        left -= wide;
    }
    line
}

/// The area without its first lines.
pub(super) fn below(area: Rect, lines: usize) -> Rect {
    let skip = u16::try_from(lines).unwrap_or(u16::MAX).min(area.height);
    Rect { y: area.y + skip, height: area.height - skip, ..area }
}

/// `7/15` for the bottom edge of a list.
pub(super) fn position(cursor: usize, len: usize) -> String {
    if len == 0 { "0".to_owned() } else { format!("{}/{}", number(cursor as u64 + 1), number(len as u64)) }
}

/// `12/40` for the bottom edge of what is read and does not fit: the last line that is seen, of how many.
pub(super) fn scrolled(top: usize, height: usize, len: usize) -> String {
    if len <= height { String::new() } else { position((top + height).clamp(1, len) - 1, len) }
}

/// Text with the matches of the search marked.
pub(super) fn marked(app: &App, text: String, style: Style) -> Vec<Span<'static>> {
    let needle = &app.search.needle;
    if needle.is_empty() {
        return vec![Span::styled(text, style)];
    }
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(found) = needle.find(text.as_bytes(), at).filter(|found| !found.is_empty()) {
        let (Some(before), Some(hit)) = (text.get(at..found.start), text.get(found.clone())) else { break };
        spans.push(Span::styled(before.to_owned(), style));
        spans.push(Span::styled(hit.to_owned(), app.theme.found()));
        at = found.end;
    }
    spans.push(Span::styled(text.get(at..).unwrap_or("").to_owned(), style));
    spans
}

/// The first column of a row: that it is marked, else that it is selected, else how bad it is.
pub(super) fn row_mark(app: &App, selected: bool, marked: bool, severity: Option<Severity>) -> Span<'static> {
    match (marked, selected, severity) {
        (true, ..) => Span::styled("*", app.theme.gap()),
        (false, true, _) => Span::raw("▶"),
        (false, false, Some(severity)) => Span::styled(severity.sign(), app.theme.severity(severity)),
        (false, false, None) => Span::raw(" "),
    }
}

/// How a selected row looks.
pub(super) fn row_style(app: &App, pane: Pane, selected: bool) -> Option<Style> {
    selected.then(|| if app.focused() == pane { app.theme.selected() } else { app.theme.remembered() })
}

/// Gives a whole row a style.
pub(super) fn paint_row(buf: &mut Buffer, area: Rect, line: usize, style: Option<Style>) {
    let y = area.y.saturating_add(u16::try_from(line).unwrap_or(u16::MAX));
    if let Some(style) = style.filter(|_| y < area.bottom()) {
        buf.set_style(Rect { y, height: 1, ..area }, style);
    }
}

/// A line that is typed, in so many columns: what is around the cursor.
pub(super) fn typed(app: &App, line: &Typed, columns: usize) -> Vec<Span<'static>> {
    let (before, behind) = line.parts();
    let at = behind.chars().next().map_or(0, char::len_utf8);
    let (under, behind) = behind.split_at_checked(at).unwrap_or((behind, ""));
    let under = if under.is_empty() { " ".into() } else { display_str(under) };
    let behind = display_str(behind);
    let room = columns.saturating_sub(text::width(&under));
    // A third of the room is for what stands behind the cursor.
    let before = text::cut_start(&display_str(before), room - text::width(&behind).min(room / 3));
    let behind = text::cut(&behind, room.saturating_sub(text::width(&before)));
    vec![Span::raw(before), Span::styled(under.into_owned(), app.theme.selected()), Span::raw(behind)]
}

/// The width of a line.
pub(super) fn line_width(line: &Line<'_>) -> usize {
    line.spans.iter().map(|span| text::width(&span.content)).sum()
}

/// Left and right text on one row.
pub(super) fn both_ends(buf: &mut Buffer, area: Rect, left: &Line<'static>, right: &Line<'static>) {
    let right_width = u16::try_from(line_width(right)).unwrap_or(u16::MAX);
    buf.set_line(area.x, area.y, left, area.width);
    if usize::from(area.width) > line_width(left) + usize::from(right_width) {
        buf.set_line(area.right() - right_width, area.y, right, right_width);
    }
}

/// A column of a table: what does not fit is dropped, the highest `drop` first.
#[derive(Debug, Clone)]
pub(super) struct Column<K> {
    pub(super) key: K,
    pub(super) head: Cow<'static, str>,
    pub(super) width: usize,
    pub(super) right: bool,
    /// 0: never dropped.
    pub(super) drop: u8,
    /// Takes the columns that are left over.
    pub(super) grows: bool,
}

/// Columns of the screen that a field takes, where it was not said otherwise.
pub(in crate::tui) const FIELD_WIDTH: usize = 12;

/// The columns of a table, where there is room for all: those that were chosen, or the usual ones. `own` makes one of its own.
///
/// Of those that were chosen the last go first where there is too little room; the one that grows and the first stay.
pub(super) fn chosen<K: Own, Id: RowId>(
    columns: &Columns<K, Id>,
    usual: &[K],
    own: impl Fn(K) -> Column<Which<K>>,
) -> Vec<Column<Which<K>>> {
    let Some(chosen) = columns.chosen() else { return usual.iter().map(|&key| own(key)).collect() };
    let field = |at: usize, it: &Chosen<K>| Column {
        key: Which::Field(at),
        head: display_str(&it.name).into_owned().into(),
        width: FIELD_WIDTH,
        right: it.is_number(),
        drop: 0,
        grows: false,
    };
    let mut all: Vec<Column<Which<K>>> = Vec::new();
    for (at, it) in chosen.iter().enumerate() {
        let mut column = it.own().map_or_else(|| field(at, it), &own);
        column.width = it.width.unwrap_or(column.width);
        let stays = at == 0 || column.grows;
        column.drop = if stays { 0 } else { u8::try_from(at).unwrap_or(u8::MAX) };
        column.head = text::cut_start(&column.head, column.width).into();
        all.push(column);
    }
    // What is left over goes to somebody.
    if !all.iter().any(|column| column.grows)
        && let Some(last) = all.last_mut()
    {
        last.grows = true;
    }
    all
}

/// The columns that fit into `width`, with the room each gets; a blank stands between two.
pub(super) fn fit<K: Clone>(columns: &[Column<K>], width: usize) -> Vec<Column<K>> {
    let mut shown = columns.to_vec();
    let need = |shown: &[Column<K>]| shown.iter().map(|column| column.width + 1).sum::<usize>().saturating_sub(1);
    while need(&shown) > width {
        let Some(worst) = shown.iter().map(|column| column.drop).max().filter(|&drop| drop > 0) else { break };
        shown.retain(|column| column.drop != worst);
    }
    let spare = width.saturating_sub(need(&shown));
    for column in &mut shown {
        column.width += if column.grows { spare } else { 0 };
    }
    shown
}

impl<K> Column<K> {
    /// A cell's text in the column's width.
    pub(super) fn cell(&self, content: &str) -> String {
        if self.right { text::right(content, self.width) } else { text::left(content, self.width) }
    }
}

/// The column at `x`, counted from the first one's left edge.
pub(super) fn column_at<K: Copy>(columns: &[Column<K>], x: usize) -> Option<K> {
    let mut left = 0;
    for column in columns {
        if (left..=left + column.width).contains(&x) {
            return Some(column.key);
        }
        left += column.width + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_dropped_before_they_are_squeezed() {
        let column = |key, width, drop, grows| Column { key, head: "".into(), width, right: false, drop, grows };
        let columns = [column('a', 4, 0, false), column('b', 10, 1, true), column('c', 6, 2, false)];
        let shown = |width| fit(&columns, width).iter().map(|c| (c.key, c.width)).collect::<Vec<_>>();
        assert_eq!(shown(30), [('a', 4), ('b', 18), ('c', 6)]);
        assert_eq!(shown(21), [('a', 4), ('b', 16)]);
        assert_eq!(shown(9), [('a', 4)]);
        assert_eq!(column_at(&fit(&columns, 30), 6), Some('b'));
    }
}
