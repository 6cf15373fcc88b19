//! Screen 6: the findings and what to make of the selected one.

use super::draw::{self, Column};
use super::messages::kind;
use crate::book::Finding;
use crate::escape::display_str;
use crate::model::{Severity, Topic, clause, count, number};
use crate::tui::action::Action;
use crate::tui::app::{App, Pane};
use crate::tui::findings::{Evidence, Second, evidence, second_evidence};
use crate::tui::layout::{Regions, WIDE};
use crate::tui::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Severity,
    Code,
    Conn,
    Where,
    What,
}

fn columns(wide: bool, width: usize) -> Vec<Column<Key>> {
    let column = |key, head: &'static str, width, right, drop| Column {
        key,
        head: head.into(),
        width,
        right,
        drop,
        grows: key == Key::What,
    };
    draw::fit(
        &[
            column(Key::Severity, "sev", 7, false, 0),
            column(Key::Code, "code", if wide { 21 } else { 15 }, false, 0),
            column(Key::Conn, "conn", 5, true, 2),
            column(Key::Where, "where", if wide { 16 } else { 12 }, false, 1),
            column(Key::What, "what", 10, false, 0),
        ],
        width,
    )
}

pub(super) fn list(app: &App, buf: &mut Buffer, regions: &Regions, area: Rect) {
    let (list, len) = (&app.findings.list, app.findings.len());
    let inside = draw::pane(app, buf, Pane::Findings, area, &title(app), &draw::position(list.cursor, len));
    let columns = columns(regions.wide, usize::from(inside.width).saturating_sub(1));
    let heads: Vec<String> = columns.iter().map(|column| column.cell(&column.head)).collect();
    draw::lines(buf, inside, [Line::styled(format!(" {}", heads.join(" ")), app.theme.column_head())]);
    let rows = draw::below(inside, 1);
    if len == 0 {
        return draw::lines(buf, rows, [Line::styled(format!(" {}", why_empty(app)), app.theme.dim())]);
    }
    for line in 0..usize::from(rows.height) {
        let row = list.top + line;
        let Some(finding) = app.findings.at(row).and_then(|index| app.book.findings().get(index)) else { break };
        let selected = row == list.cursor;
        draw::lines(buf, draw::below(rows, line), [list_row(app, finding, &columns, selected)]);
        draw::paint_row(buf, rows, line, draw::row_style(app, Pane::Findings, selected));
    }
}

fn title(app: &App) -> String {
    let found = app.book.severities();
    let counts = [(found.error, "error"), (found.warning, "warning"), (found.note, "note")];
    let words: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|&(n, noun)| count(n, noun)).collect();
    let kept = app.book.findings().len() as u64;
    let mut title = format!("Findings {}", number(found.total()));
    if !words.is_empty() {
        title.push_str(&format!(" · {}", words.join(", ")));
    }
    if kept < found.total() {
        title.push_str(&format!(" · the first {} listed", number(kept)));
    }
    title
}

fn why_empty(app: &App) -> String {
    let others = app.key_of(Action::Severity(1));
    match (app.book.severities().total(), app.load.is_done()) {
        (0, true) => "Nothing to complain about.".to_owned(),
        (0, false) => "Nothing found yet.".to_owned(),
        _ if app.book.sift().is_some() => {
            let off = app.key_of(Action::ToggleFilter);
            format!("No finding passes the filter and is that severe. {off} shows all that it hides, {others} others.")
        }
        _ => format!("No finding is that severe. {others} shows others."),
    }
}

fn list_row(app: &App, finding: &Finding, columns: &[Column<Key>], selected: bool) -> Line<'static> {
    let severity = finding.code.severity();
    let mut spans = vec![Span::raw(if selected { "▶" } else { " " })];
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            spans.push(Span::raw(" "));
        }
        let (content, style) = match column.key {
            Key::Severity => (format!("{} {}", severity.sign(), severity.word()), app.theme.severity(severity)),
            Key::Code => (finding.code.name().to_owned(), app.theme.plain()),
            Key::Conn => (finding.conn.map_or_else(|| "—".to_owned(), |conn| conn.to_string()), app.theme.plain()),
            Key::Where => (place(app, finding), app.theme.plain()),
            Key::What => (display_str(&clause(&finding.text)).into_owned(), app.theme.plain()),
        };
        spans.extend(draw::marked(app, column.cell(&content), style));
    }
    Line::from(spans)
}

/// `#6 close ←`, `handshake`, `frame 9120 ←`; `stream 7` where there is no connection, `file` where neither.
fn place(app: &App, finding: &Finding) -> String {
    let arrow = finding.dir.map(|dir| format!(" {}", dir.arrow())).unwrap_or_default();
    if let (None, Some(stream)) = (finding.conn, finding.stream) {
        return format!("stream {stream}{arrow}");
    }
    let message = finding.msg.zip(finding.conn).and_then(|(number, id)| {
        let message = app.book.message(app.book.numbered(app.book.index_of(id)?, number)?)?;
        Some(format!("#{number} {}{arrow}", kind(&message)))
    });
    match (message, finding.msg, evidence(finding)) {
        (Some(message), ..) => message,
        (None, Some(number), _) => format!("#{number}{arrow}"),
        (_, _, Evidence::Handshake) => "handshake".to_owned(),
        (_, _, Evidence::File) if finding.at.packet.0 == 0 => "file".to_owned(),
        _ if finding.code.row().topic == Topic::Closing => format!("end{arrow}"),
        _ => format!("frame {}{arrow}", finding.evidence.packet),
    }
}

/// A finding as searched and copied.
pub(in crate::tui) fn row_text(app: &App, finding: &Finding) -> String {
    let conn = finding.conn.map(|conn| format!("conn {conn}")).unwrap_or_default();
    let severity = finding.code.severity().word();
    let text = display_str(&finding.text);
    format!("{severity} {}  {conn}  {}  {text}", finding.code.name(), place(app, finding))
}

pub(super) fn explanation(app: &App, buf: &mut Buffer, area: Rect) {
    let columns = usize::from(area.width.saturating_sub(2));
    let lines = explanation_lines(app, columns);
    let height = usize::from(area.height.saturating_sub(2));
    let foot = draw::scrolled(app.explanation.top, height, lines.len());
    let inside = draw::pane(app, buf, Pane::Explanation, area, "Explanation", &foot);
    let shown = lines.into_iter().skip(app.explanation.top);
    draw::lines(
        buf,
        inside,
        shown.map(|(name, line)| {
            let (head, rest) = line.split_at_checked(name).unwrap_or(("", &line));
            Line::from(vec![Span::styled(head.to_owned(), app.theme.bold()), Span::raw(rest.to_owned())])
        }),
    );
}

/// Lines about the selected finding, each with the length of its bold beginning.
pub(in crate::tui) fn explanation_lines(app: &App, columns: usize) -> Vec<(usize, String)> {
    let Some(finding) = app.findings.selected(&app.book) else { return Vec::new() };
    let row = finding.code.row();
    let rfc = if row.rfc.is_empty() { String::new() } else { format!(" — {}", row.rfc) };
    let detail = finding.detail.as_deref().map(|detail| format!("Detail: {}", display_str(detail)));
    // What the headline says already is not said again.
    let said = match finding.text.strip_prefix(row.text.trim_end_matches('.')) {
        Some(rest) => rest.trim_start_matches([':', '.', ' ']),
        None => &finding.text,
    };
    // Where there is little room, paragraphs stand close together.
    let space = (columns >= usize::from(WIDE) - 2).then(|| (0, String::new()));
    let paragraphs = [
        Some((row.name.len(), format!("{}  {}{rfc}", row.name, row.text))),
        space.clone(),
        Some((0, display_str(said).into_owned())).filter(|_| !said.is_empty()),
        detail.map(|detail| (7, detail)),
        Some((13, format!("Likely cause: {}", row.cause))),
        space,
        Some((9, format!("Evidence: {}", evidence_words(app, finding)))),
        Some((5, format!("Next: {}", row.next))),
    ];
    let wrapped = |(bold, paragraph): (usize, String)| {
        let bold = std::iter::once(bold).chain(std::iter::repeat(0));
        bold.zip(text::wrap(&paragraph, columns, 0)).collect::<Vec<_>>()
    };
    paragraphs.into_iter().flatten().flat_map(wrapped).collect()
}

fn evidence_words(app: &App, finding: &Finding) -> String {
    let shown = finding.evidence;
    let time = shown.time.map(|time| format!(" at {}", app.clock.of_day(time, false, 6))).unwrap_or_default();
    let enter = match evidence(finding) {
        Evidence::Bytes => " · Enter opens its bytes",
        Evidence::Messages => " · Enter opens the messages there",
        Evidence::Handshake => " · Enter opens the handshake",
        Evidence::File => "",
    };
    if shown.packet.0 == 0 {
        return "the file as a whole".to_owned();
    }
    let second = match second_evidence(finding, &app.book) {
        Some((_, Second::Close(_))) => " · r the Close frame",
        Some((_, Second::Handshake)) => " · r the handshake",
        None => "",
    };
    format!("frame {}{time}{enter}{second}", display_str(&app.book.place(shown.packet)))
}

pub(super) fn status(app: &App) -> String {
    let shown = number(app.findings.len() as u64);
    match app.findings.least {
        Severity::Note => format!(" {shown} shown"),
        least => format!(" {shown} shown · severity ≥ {} (s)", least.name()),
    }
}
