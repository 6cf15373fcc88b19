//! What the user can copy, and its text.

use super::action::Screen;
use super::app::{App, Pane};
use super::bytes::Bytes;
use super::menu::{Choice, Menu};
use super::view;
use crate::decode::json::{Document, Kind};
use crate::decode::path::unescape;
use crate::escape;
use crate::export::websocat;
use crate::model::hex_apart;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// A form in which something is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Row,
    Lines,
    Bins,
    Figures,
    Pretty,
    Text,
    Hex,
    Base64,
    Value,
    Wireshark,
    Websocat,
}

impl Form {
    pub(super) const fn label(self) -> (char, &'static str) {
        match self {
            Self::Row => ('y', "row"),
            Self::Lines => ('y', "this text"),
            Self::Bins => ('b', "bins, as a table"),
            Self::Figures => ('y', "figures, as text"),
            Self::Pretty => ('p', "JSON, indented"),
            Self::Text => ('t', "payload as text"),
            Self::Hex => ('h', "bytes in hex"),
            Self::Base64 => ('b', "bytes in base64"),
            Self::Value => ('f', "the value under the cursor"),
            Self::Wireshark => ('w', "Wireshark filter"),
            Self::Websocat => ('c', "websocat command"),
        }
    }
}

/// What can be copied from the focused pane.
pub(super) fn menu(app: &App) -> Menu {
    let forms: &[Form] = match app.focused() {
        Pane::Connections | Pane::Summary => &[Form::Row, Form::Wireshark, Form::Websocat],
        Pane::Messages | Pane::Detail => {
            &[Form::Row, Form::Pretty, Form::Text, Form::Value, Form::Hex, Form::Base64, Form::Wireshark]
        }
        Pane::Request | Pane::Response | Pane::Checks => &[Form::Lines, Form::Wireshark, Form::Websocat],
        Pane::Frames | Pane::Fields | Pane::Bytes => {
            &[Form::Row, Form::Value, Form::Hex, Form::Base64, Form::Wireshark]
        }
        Pane::Throughput | Pane::Sizes | Pane::RoundTrips | Pane::Types => &[Form::Figures, Form::Bins],
        Pane::Findings | Pane::Explanation => &[Form::Lines, Form::Wireshark],
    };
    let is_there = |form: &Form| match form {
        Form::Pretty => app.detail.document().is_some(),
        Form::Value => value(app).is_some(),
        Form::Websocat => app.connection().is_some_and(|connection| connection.opened.url.is_some()),
        _ => true,
    };
    Menu::new("Copy", forms.iter().copied().filter(is_there).map(Choice::Copy).collect())
}

/// The text to copy. Text is escaped as on the screen but for its line ends; hex and base64 are exact.
pub(super) fn text(app: &App, form: Form) -> Option<String> {
    let pane = app.focused();
    let body = || match pane {
        Pane::Frames | Pane::Fields | Pane::Bytes => {
            let wire = &app.bytes.wire;
            Some(Cow::Owned(wire.read(app.bytes.selected().unwrap_or(0..wire.known))))
        }
        _ => app.detail.has_body().then(|| Cow::Borrowed(app.detail.bytes())),
    };
    match form {
        Form::Row => row(app, pane),
        Form::Lines if pane == Pane::Findings => Some(app.lines_of(Pane::Explanation).join("\n")),
        Form::Lines => Some(app.lines_of(pane).join("\n")),
        Form::Bins => Some(view::bins_text(app)),
        Form::Figures => Some(view::figures_text(app)),
        Form::Pretty => {
            let tree = app.detail.document()?;
            Some(pretty(&tree.document, tree.source(&body()?)))
        }
        Form::Text => Some(lines(&body()?)),
        Form::Hex => Some(hex_apart(&body()?)),
        Form::Base64 => Some(STANDARD.encode(body()?)),
        Form::Value => value(app),
        Form::Wireshark => wireshark(app, pane),
        Form::Websocat => {
            let index = app.connections.selected()?;
            let url = app.book.connection(index)?.opened.url.as_deref()?;
            Some(websocat(&app.book.handshake(index)?, url, app.handshake.secrets))
        }
    }
}

/// The value under the cursor, of a tree or of the fields of a frame; a string without its quotes.
fn value(app: &App) -> Option<String> {
    if app.screen == Screen::Bytes {
        return app.bytes.field(app.bytes.fields.cursor).map(|field| escape::display_str(&field.value).into_owned());
    }
    let tree = app.detail.tree()?;
    let (_, node) = tree.node(tree.list.cursor)?;
    let source = tree.source(app.detail.bytes()).get(node.span())?;
    match source {
        [b'"', inside @ .., b'"'] => {
            let mut text = String::new();
            unescape(inside, &mut text);
            Some(lines(text.as_bytes()))
        }
        _ => Some(lines(source)),
    }
}

fn row(app: &App, pane: Pane) -> Option<String> {
    match pane {
        Pane::Connections | Pane::Summary => Some(view::connection_row_text(app, app.connection()?)),
        Pane::Fields => Some(view::field_text(app, app.bytes.field(app.bytes.fields.cursor)?, true).trim().to_owned()),
        _ => Some(view::message_row_text(app, &app.book.message(app.messages.selected()?)?)),
    }
}

/// A display filter that finds the same packets in Wireshark.
fn wireshark(app: &App, pane: Pane) -> Option<String> {
    let stream = app.connection().and_then(|connection| connection.stream);
    let of_stream = || Some(format!("tcp.stream == {}", stream?));
    match pane {
        Pane::Connections | Pane::Summary => of_stream(),
        Pane::Request | Pane::Response | Pane::Checks => Some(format!("{} && http", of_stream()?)),
        Pane::Throughput | Pane::Sizes | Pane::RoundTrips | Pane::Types => None,
        Pane::Findings | Pane::Explanation => {
            Some(format!("frame.number == {}", app.findings.selected(&app.book)?.evidence.packet))
        }
        Pane::Frames | Pane::Fields | Pane::Bytes => {
            let frame = Bytes::frame(&app.book, app.bytes.message(), app.bytes.frames.cursor)?;
            Some(format!("{} && frame.number == {}", of_stream()?, frame.last.packet))
        }
        Pane::Messages | Pane::Detail => {
            let message = app.book.message(app.messages.selected()?)?;
            Some(format!("{} && frame.number == {}", of_stream()?, message.last.packet))
        }
    }
}

/// Bytes as text whose lines end where they do; everything else is escaped.
pub(super) fn lines(body: &[u8]) -> String {
    let lines: Vec<_> = body.split(|&byte| byte == b'\n').map(escape::display).collect();
    lines.join("\n")
}

/// The document with one member a line; every value as it was sent.
pub(super) fn pretty(document: &Document, body: &[u8]) -> String {
    let mut out = String::new();
    let mut open: Vec<(usize, char)> = Vec::new();
    for (at, node) in document.nodes.iter().enumerate() {
        close(&mut out, &mut open, at);
        if at > 0 {
            let first = document.nodes.get(at - 1).is_some_and(|before| before.is_container() && before.next() > at);
            out.push_str(if first || node.depth == 0 { "\n" } else { ",\n" });
        }
        out.extend(std::iter::repeat_n("  ", node.depth.into()));
        if let Some(key) = node.key() {
            out.push_str(&format!("\"{}\": ", escape::display(body.get(key).unwrap_or(&[]))));
        }
        match node.kind {
            Kind::Object | Kind::Array => {
                let (begin, end) = if node.kind == Kind::Object { ('{', '}') } else { ('[', ']') };
                out.push(begin);
                open.push((node.next(), end));
            }
            _ => out.push_str(&escape::display(body.get(node.span()).unwrap_or(&[]))),
        }
    }
    close(&mut out, &mut open, document.nodes.len());
    out
}

/// Closes the containers that end before node `at`.
fn close(out: &mut String, open: &mut Vec<(usize, char)>, at: usize) {
    while let Some(&(next, bracket)) = open.last().filter(|&&(next, _)| next <= at) {
        open.pop();
        let empty = out.ends_with(['{', '[']) && next <= at;
        if !empty {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", open.len()));
        }
        out.push(bracket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::json;

    #[test]
    fn indents_json_and_keeps_its_values() {
        let body = br#"{"a":[1,2.50,[]],"b":{},"c":"x"}"#;
        let expected = "{\n  \"a\": [\n    1,\n    2.50,\n    []\n  ],\n  \"b\": {},\n  \"c\": \"x\"\n}";
        assert_eq!(pretty(&json::read(body, 100), body), expected);
    }

    #[test]
    fn copied_text_keeps_its_lines_and_nothing_else_that_moves() {
        assert_eq!(lines(b"one\ntwo\x1b[0m\r\n"), "one\ntwo\\x1b[0m\\r\n");
    }
}
