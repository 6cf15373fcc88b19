//! Screen 2, left, as a conversation: one block a message, client left, server right.

use super::detail::exact;
use super::draw;
use super::messages::{draw_empty, frame, is_marked, kind, name, preview, style, time};
use crate::book::MessageRow;
use crate::model::Direction;
use crate::tui::app::{App, Pane};
use crate::tui::layout::Regions;
use crate::tui::settle::CHAT_ROWS;
use crate::tui::text;
use ratatui::buffer::Buffer;
use ratatui::layout::{HorizontalAlignment, Rect};
use ratatui::text::{Line, Span};

/// Columns that a block leaves free on the other side.
const FREE: usize = 8;

pub(super) fn conversation(app: &App, buf: &mut Buffer, regions: &Regions, area: Rect) {
    let ids = app.messages.ids(&app.book);
    let list = &app.messages.list;
    let inside = frame(app, buf, regions, area);
    if ids.is_empty() {
        return draw_empty(app, buf, inside);
    }
    for nth in 0..usize::from(inside.height).div_ceil(CHAT_ROWS) {
        let at = list.top + nth;
        let Some(row) = ids.get(at).and_then(|id| app.book.message(id)) else { break };
        let selected = app.messages.selected() == Some(row.id);
        let columns = usize::from(inside.width).saturating_sub(FREE);
        let lines = block(app, &row, selected, columns, regions.wide);
        draw::lines(buf, draw::below(inside, nth * CHAT_ROWS), lines);
        for line in 0..CHAT_ROWS - 1 {
            draw::paint_row(buf, inside, nth * CHAT_ROWS + line, draw::row_style(app, Pane::Messages, selected));
        }
    }
}

/// `client → #2145  text  58 B  +0.310`, and what was said; for the server the other way round.
fn block(app: &App, row: &MessageRow, selected: bool, columns: usize, wide: bool) -> [Line<'static>; CHAT_ROWS - 1] {
    let several = app.messages.has_several();
    let number = if several { name(app, row) } else { format!("#{}", row.number) };
    let mut facts = vec![number, kind(row), exact(row.len)];
    facts.extend(row.severity().map(|severity| severity.sign().to_owned()));
    facts.extend(Some(time(app, row, wide)).filter(|time| !time.is_empty()));
    let mark = draw::row_mark(app, selected, is_marked(app, row), None);
    let words = text::cut(&preview(app, row, app.messages.scroll, columns), columns);
    let words = draw::marked(app, words, style(app, row));
    let (arrow, sender) = (row.dir.arrow(), row.dir.sender());
    match row.dir {
        Direction::ToServer => {
            let who = Span::styled(format!("{sender} {arrow} "), app.theme.direction(row.dir));
            let facts = Span::styled(facts.join("  "), app.theme.dim());
            let said: Vec<_> = std::iter::once(Span::raw(" ")).chain(words).collect();
            [Line::from(vec![mark, who, facts]), Line::from(said)]
        }
        Direction::ToClient => {
            facts.reverse();
            let facts = Span::styled(facts.join("  "), app.theme.dim());
            let who = Span::styled(format!(" {arrow} {sender}"), app.theme.direction(row.dir));
            let said: Vec<_> = words.into_iter().chain(std::iter::once(Span::raw(" "))).collect();
            [Line::from(vec![facts, who, mark]), Line::from(said)]
                .map(|line| line.alignment(HorizontalAlignment::Right))
        }
    }
}
