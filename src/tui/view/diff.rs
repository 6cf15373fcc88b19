//! Screen 2, right: what differs between the selected message and a marked one.

use super::draw;
use crate::book::MessageId;
use crate::tui::app::App;
use crate::tui::diff::Side;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

/// Rows with `-` are in the earlier message alone, those with `+` in the later one.
pub(super) fn draw(app: &App, buf: &mut Buffer, area: Rect) {
    let Some(diff) = &app.detail.diff else { return };
    let (gone, new) = diff.counts();
    let cut = if diff.is_cut { "  (as far as it is here)" } else { "" };
    let words = match (gone, new) {
        (0, 0) => format!("{} and {} are the same{cut}", name(app, diff.of.0), name(app, diff.of.1)),
        _ => format!("- {} ({gone})   + {} ({new}){cut}", name(app, diff.of.0), name(app, diff.of.1)),
    };
    let head = Line::styled(words, app.theme.bold());
    // The first row is the head.
    let (top, height) = (app.detail.list.top, usize::from(area.height));
    let seen = diff.rows.iter().enumerate().skip(top.saturating_sub(1)).take(height);
    let rows = seen.map(|(at, (side, line))| {
        let (sign, style) = match side {
            Side::Both => (" ", app.theme.plain()),
            Side::Earlier => ("-", app.theme.severity(crate::model::Severity::Error)),
            Side::Later => ("+", app.theme.good()),
        };
        let shown = |text: &str| -> String { text.chars().skip(app.detail.scroll).collect() };
        let Some((begin, end)) = changed(&diff.rows, at) else {
            let mut spans = vec![Span::styled(format!("{sign} "), style)];
            spans.extend(draw::marked(app, shown(line), style));
            return Line::from(spans);
        };
        // What is the same in both lines is not what one looks for.
        let skip = app.detail.scroll;
        let part = |from: usize, to: usize| line.chars().take(to).skip(from.max(skip)).collect::<String>();
        let len = line.chars().count();
        Line::from(vec![
            Span::styled(format!("{sign} "), style),
            Span::styled(part(0, begin), app.theme.plain()),
            Span::styled(part(begin, end), style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED)),
            Span::styled(part(end, len), app.theme.plain()),
        ])
    });
    let head = (top == 0).then_some(head);
    draw::lines(buf, area, head.into_iter().chain(rows).take(height));
}

/// `#12`; `3#12` of another connection than the one that is looked at.
fn name(app: &App, id: MessageId) -> String {
    let Some(row) = app.book.message(id) else { return String::new() };
    match app.book.connection(row.conn).filter(|_| Some(row.conn) != app.messages.conn()) {
        Some(connection) => format!("{}#{}", connection.id, row.number),
        None => format!("#{}", row.number),
    }
}

/// Of one line in whose place there is one other: the characters that are others.
fn changed(rows: &[(Side, String)], at: usize) -> Option<(usize, usize)> {
    let side = |at: Option<usize>| at.and_then(|at| rows.get(at)).map(|row| row.0);
    let first = if side(Some(at)) == Some(Side::Later) { at.checked_sub(1)? } else { at };
    let alone = side(Some(first)) == Some(Side::Earlier)
        && side(Some(first + 1)) == Some(Side::Later)
        && side(first.checked_sub(1)) != Some(Side::Earlier)
        && side(Some(first + 2)) != Some(Side::Later);
    let ((_, one), (_, other)) = (rows.get(first)?, rows.get(first + 1).filter(|_| alone)?);
    let begin = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let len = |line: &str| line.chars().count();
    let rest = len(one).min(len(other)) - begin;
    let end = one.chars().rev().zip(other.chars().rev()).take(rest).take_while(|(one, other)| one == other).count();
    Some((begin, len(&rows.get(at)?.1) - end))
}
