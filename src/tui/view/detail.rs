//! Screen 2, right: the payload of the selected message.

use super::hexdump::Row;
use super::messages::{close_words, incomplete, kind};
use super::{diff, draw};
use crate::book::MessageRow;
use crate::decode::json::{Kind, Node};
use crate::escape::{display, display_str};
use crate::model::{NoteCode, Opcode, clause, count, duration, number, ratio};
use crate::tui::PayloadView;
use crate::tui::app::{App, Pane};
use crate::tui::dump::Dump;
use crate::tui::layout::Regions;
use crate::tui::paper::{self, HexRow, HexRows, Style, TextRow};
use crate::tui::text;
use crate::tui::tree::Tree;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style;
use ratatui::text::{Line, Span};
use std::ops::Range;

pub(super) fn payload(app: &App, buf: &mut Buffer, regions: &Regions, area: Rect) {
    let Some(row) = app.detail.id().and_then(|id| app.book.message(id)) else {
        draw::pane(app, buf, Pane::Detail, area, "Message", "");
        return;
    };
    let inside = draw::pane(
        app,
        buf,
        Pane::Detail,
        area,
        &title(app, &row, regions.wide),
        &foot(app, inner_width(area), app.rows(regions, Pane::Detail)),
    );
    draw::lines(buf, inside, head(app, &row, regions.wide, usize::from(inside.width)));
    let mut rest = draw::below(inside, App::fixed_lines(regions, Pane::Detail));
    if let Some(line) = related(app) {
        rest.height = rest.height.saturating_sub(1);
        let last = Rect { y: rest.bottom(), height: 1, ..rest };
        draw::lines(buf, last.intersection(inside), [line]);
    }
    if !app.detail.has_body() {
        return draw::lines(buf, rest, [Line::styled("the payload could not be kept", app.theme.gap())]);
    }
    match (app.detail.view(), app.detail.tree()) {
        (_, Some(tree)) => draw_tree(app, buf, rest, tree),
        (PayloadView::Hex, _) => draw_hex(app, buf, rest),
        (PayloadView::Diff, _) => diff::draw(app, buf, rest),
        _ => draw_text(app, buf, rest),
    }
}

const fn inner_width(area: Rect) -> usize {
    area.width.saturating_sub(2) as usize
}

/// `Message 2146  [Tree] Text Hex Raw`.
fn title(app: &App, row: &MessageRow, wide: bool) -> String {
    let tabs: Vec<String> = app
        .detail
        .views()
        .map(|view| if view == app.detail.view() { format!("[{}]", view.name()) } else { view.name().to_owned() })
        .collect();
    format!("{}{}  {}", if wide { "Message " } else { "" }, row.number, tabs.join(" "))
}

fn foot(app: &App, columns: usize, height: usize) -> String {
    let len = app.detail.len(columns);
    let (view, top) = (app.detail.view(), app.detail.list.top);
    match app.detail.tree() {
        Some(tree) => {
            let place = tree.node(tree.list.cursor).and_then(|(at, _)| tree.place(at));
            let bytes = place.map_or_else(String::new, |it| format!("bytes {}…{} · ", it.start, it.end.max(1) - 1));
            format!("{bytes}{}", draw::position(tree.list.cursor, len))
        }
        _ if matches!(view, PayloadView::Hex | PayloadView::Diff) || app.detail.text.is_done() => {
            draw::scrolled(top, height, len)
        }
        // More lines are made when they are wanted.
        _ => format!("{}+", draw::position((top + height).min(len).saturating_sub(1), len)),
    }
}

/// What is known about the message, above its payload.
fn head(app: &App, row: &MessageRow, wide: bool, columns: usize) -> Vec<Line<'static>> {
    let stream = app.book.connection(row.conn).and_then(|connection| connection.stream);
    let stream = stream.map_or_else(String::new, |stream| format!(" · tcp.stream {stream}"));
    let time = row.last.time.map_or_else(|| "no time".to_owned(), |time| app.clock.of_day(time, false, 6));
    let arrow = Span::styled(row.dir.arrow(), app.theme.direction(row.dir));
    let packet = row.last.packet;
    let place = format!("{time} · frame {}{stream}", display_str(&app.book.place(packet)));
    let waited = row.waited.map_or_else(String::new, |wait| format!(" · waited {}", duration(wait.nanos)));
    let length = format!("{}{}", exact(row.len), on_the_wire(row));
    if !wide {
        let what = format!(" {} {length}{}{waited} · ", kind(row), rtl(app));
        let (tags, style) = tags(app, row, columns.saturating_sub(text::width(&what) + 1 + text::width(&place) + 3));
        let tags = if tags.is_empty() { tags } else { format!("{tags} · ") };
        return vec![Line::from(vec![
            arrow,
            Span::raw(what),
            Span::styled(tags, style),
            Span::raw(place),
            Span::raw(comments(app, row)),
        ])];
    }
    let frames = count(row.frames, "frame");
    vec![
        Line::from(vec![arrow, Span::raw(format!(" {} · {length} · {frames}{waited}", kind(row)))]),
        Line::raw(place),
        about(app, row, columns),
        Line::styled("─".repeat(columns), app.theme.dim()),
    ]
}

/// ` · “slow again”`: what was written in the capture beside the packets in which the message's frames begin and end.
fn comments(app: &App, row: &MessageRow) -> String {
    /// Frames that are looked at in every drawing.
    const FRAMES: usize = 64;
    let frames = app.book.frames(row.frame_rows.clone()).take(FRAMES);
    let mut packets: Vec<_> = frames.flat_map(|frame| [frame.first_packet, frame.last.packet]).collect();
    packets.push(row.last.packet);
    packets.sort_unstable();
    packets.dedup();
    let texts = packets.into_iter().flat_map(|packet| app.book.comments(packet));
    texts.map(|text| format!(" · “{}”", display_str(text))).collect()
}

/// `! DEFLATE-LOST +2 more`: the findings about a message, the worst first, and the look of the worst.
fn tags(app: &App, row: &MessageRow, columns: usize) -> (String, style::Style) {
    let mut codes: Vec<_> = row.findings.iter().collect();
    codes.sort_by_key(|code| std::cmp::Reverse(code.severity()));
    let style = codes.first().map_or(app.theme.plain(), |worst| app.theme.severity(worst.severity()));
    let words: Vec<String> = codes.iter().map(|code| format!("{} {}", code.severity().sign(), code.name())).collect();
    (text::join(&words, " ", columns), style)
}

/// `9 870 B`: the length of one message is exact, sums are rounded.
pub(super) fn exact(len: u64) -> String {
    format!("{} B", number(len))
}

/// What a compressed message took on the wire: ` (wire 131 B, z 3.1:1)`.
fn on_the_wire(row: &MessageRow) -> String {
    match (row.undecoded, row.compressed) {
        (true, _) => " (compressed)".to_owned(),
        (_, true) => match ratio(row.len, row.wire_len) {
            Some(ratio) => format!(" (wire {}, z {ratio})", exact(row.wire_len)),
            None => format!(" (wire {})", exact(row.wire_len)),
        },
        _ if row.wire_len == row.len => String::new(),
        _ => format!(" (wire {})", exact(row.wire_len)),
    }
}

/// What is wrong with the message; when nothing is, what it is.
fn about(app: &App, row: &MessageRow, columns: usize) -> Line<'static> {
    if let Some(lost) = incomplete(row).filter(|_| !row.findings.contains(NoteCode::WsContinuation)) {
        let lost = format!("⋯ {lost}  ");
        let (tags, style) = tags(app, row, columns.saturating_sub(text::width(&lost)));
        return Line::from(vec![Span::styled(lost, app.theme.gap()), Span::styled(tags, style)]);
    }
    let mut codes = row.findings.iter();
    if let (Some(code), None) = (codes.next(), codes.next()) {
        let words = format!("{} {}: {}", code.severity().sign(), code.name(), clause(code.row().text));
        return Line::styled(words, app.theme.severity(code.severity()));
    }
    if !row.findings.is_empty() {
        let (tags, style) = tags(app, row, columns);
        return Line::styled(tags, style);
    }
    let what = match row.opcode {
        Opcode::CLOSE => close_words(app.version(), app.detail.bytes()),
        _ if row.undecoded => "as on the wire: not inflated".to_owned(),
        _ if app.detail.words().is_some() => app.detail.words().unwrap_or_default().to_owned(),
        _ if app.detail.has_json() => "JSON".to_owned(),
        Opcode::TEXT => "text, UTF-8".to_owned(),
        Opcode::PONG => row.rtt.map_or_else(|| "unasked".to_owned(), |rtt| format!("RTT {}", duration(rtt))),
        _ => "bytes".to_owned(),
    };
    let handshake = app.book.connection(row.conn).and_then(|connection| connection.handshake.as_ref());
    let subprotocol =
        handshake.and_then(|handshake| handshake.subprotocol.as_deref()).filter(|_| !row.opcode.is_control());
    let subprotocol = subprotocol.map_or_else(String::new, |name| format!(" · subprotocol {}", display_str(name)));
    // For how long, the first line says.
    let waited = row.waited.map_or_else(String::new, |wait| format!("{} · ", wait.reason()));
    Line::styled(format!("{waited}{what}{}{}{subprotocol}", rtl(app), comments(app, row)), app.theme.dim())
}

/// Text that is read from right to left is shown in the order in which it was sent, whatever the terminal makes of it.
const fn rtl(app: &App) -> &'static str {
    if app.detail.is_rtl { " ⟨rtl⟩" } else { "" }
}

fn related(app: &App) -> Option<Line<'static>> {
    let other = app.book.message(app.detail.related?)?;
    let row = app.book.message(app.detail.id()?)?;
    let apart =
        row.last.since(other.last).map_or_else(String::new, |nanos| format!(" ({})", duration(nanos.saturating_abs())));
    let event = app.book.gist(other.id).and_then(|gist| gist.event).map(|event| display_str(event).into_owned());
    let what = event.unwrap_or_else(|| kind(&other));
    let words = format!("┄ related: {} #{} {what}{apart}  ", other.dir.arrow(), other.number);
    Some(Line::from(vec![Span::styled(words, app.theme.dim()), Span::styled("r", app.theme.key()), Span::raw(" jump")]))
}

/// The column of a value's fold mark.
pub(in crate::tui) fn fold_mark_column(node: &Node) -> usize {
    usize::from(node.depth) * 2
}

fn draw_tree(app: &App, buf: &mut Buffer, area: Rect, tree: &Tree) {
    for line in 0..usize::from(area.height) {
        let row = tree.list.top + line;
        let content = match tree.node(row) {
            Some((at, node)) => tree_row(app, tree, at, node, usize::from(area.width)),
            None if row < tree.len() => {
                Line::styled(format!("✗ {}", tree.fault().unwrap_or_default()), app.theme.gap())
            }
            None => break,
        };
        draw::lines(buf, draw::below(area, line), [content]);
        draw::paint_row(buf, area, line, draw::row_style(app, Pane::Detail, row == tree.list.cursor));
    }
}

fn tree_row(app: &App, tree: &Tree, at: usize, node: &Node, width: usize) -> Line<'static> {
    let theme = &app.theme;
    let body = tree.source(app.detail.bytes());
    let folded = tree.is_folded(at);
    let mark = match (node.is_container() && node.members() > 0, folded) {
        (false, _) => "  ",
        (true, true) => "▶ ",
        (true, false) => "▼ ",
    };
    let mut spans = vec![Span::raw(" ".repeat(fold_mark_column(node))), Span::styled(mark, theme.dim())];
    if let Some(key) = node.key() {
        spans.extend(draw::marked(app, text::cut(&display(clip(body, key, width)), width), theme.name()));
        spans.push(Span::raw(": "));
    } else if let Some(index) = node.index() {
        spans.push(Span::styled(format!("{index}: "), theme.dim()));
    }
    let source = display(clip(body, node.span(), width)).into_owned();
    let members = u64::from(node.members());
    let (bracket, end, noun) = if node.kind == Kind::Object { ("{", "}", "key") } else { ("[", "]", "item") };
    match node.kind {
        Kind::Object | Kind::Array if members == 0 => spans.push(Span::raw(format!("{bracket}{end}"))),
        Kind::Object | Kind::Array if folded => {
            spans.push(Span::styled(format!("{bracket} {} {end} ", count(members, noun)), theme.dim()));
            spans.extend(draw::marked(app, source, theme.plain()));
        }
        Kind::Object | Kind::Array => {
            spans.push(Span::styled(format!("{bracket} {}", count(members, noun)), theme.dim()));
        }
        Kind::String => spans.extend(draw::marked(app, source, theme.string())),
        Kind::Number => spans.extend(draw::marked(app, source, theme.digits())),
        Kind::Word => spans.extend(draw::marked(app, source, theme.key())),
        Kind::Deep => spans.extend(draw::marked(app, source, theme.gap())),
    }
    Line::from(spans)
}

/// So much of a value as a row can show.
fn clip(body: &[u8], span: Range<usize>, columns: usize) -> &[u8] {
    let bytes = body.get(span).unwrap_or(&[]);
    let end = bytes.len().min(columns * 4);
    // A character is not cut in two.
    let end = (0..=end).rev().take(4).find(|&at| bytes.get(at).is_none_or(|b| b & 0xc0 != 0x80)).unwrap_or(end);
    bytes.get(..end).unwrap_or(bytes)
}

fn draw_text(app: &App, buf: &mut Buffer, area: Rect) {
    let detail = &app.detail;
    let style = if detail.view() == PayloadView::Raw { Style::Raw } else { Style::Text };
    let (scroll, columns) = (detail.scroll, usize::from(area.width));
    for line in 0..usize::from(area.height) {
        let Some(row) = detail.text.get(detail.list.top + line) else { break };
        let content = match row {
            TextRow::Bytes { start, end } => {
                let bytes = detail.bytes().get(start as usize..end as usize).unwrap_or(&[]);
                let words = text::cut(&paper::shown(style, bytes, scroll, columns), columns);
                Line::from(draw::marked(app, words, app.theme.plain()))
            }
            TextRow::Gap(piece) => gap(app, piece as usize),
        };
        draw::lines(buf, draw::below(area, line), [content]);
    }
}

fn gap(app: &App, piece: usize) -> Line<'static> {
    let label = app.detail.pieces.get(piece).map(|piece| piece.kind.label()).unwrap_or_default();
    Line::styled(label, app.theme.gap())
}

fn draw_hex(app: &App, buf: &mut Buffer, area: Rect) {
    let detail = &app.detail;
    let dump = detail.dump(area.width.into());
    let rows = HexRows::new(&detail.pieces, dump.per_row);
    for line in 0..usize::from(area.height) {
        let content = match rows.get(detail.list.top + line) {
            Some(HexRow::Bytes { offset, start, end }) => hex_row(app, offset, start..end, &dump),
            Some(HexRow::Gap(piece)) => gap(app, piece),
            None => break,
        };
        draw::lines(buf, draw::below(area, line), [content]);
    }
}

fn hex_row(app: &App, offset: u64, places: Range<usize>, dump: &Dump) -> Line<'static> {
    let start = places.start;
    let bytes = app.detail.bytes().get(places).unwrap_or(&[]);
    let found = app.detail.found.clone().unwrap_or(0..0);
    let style = |at: usize| if found.contains(&(start + at)) { app.theme.found() } else { app.theme.plain() };
    Row { dump, offset, decimal: false, bytes }.draw(app, style, |_| None)
}
