//! What is shown of a payload: as text, in hex, in base64, or not at all.

use super::json::{self, char_boundary};
use super::out::Out;
use crate::decode;
use crate::escape;
use crate::model::{Body, Decoded, Message, Opcode, Part, Reply, duration, hex_digit};
use std::borrow::Cow;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthChar as _;

/// How payloads are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PayloadMode {
    /// Text as text, everything else in hex; in records as their `enc` says.
    #[default]
    Auto,
    /// As text, bytes that are none escaped.
    Text,
    /// In hex.
    Hex,
    /// In base64; also in records.
    Base64,
    /// Not at all; `null` in records.
    None,
}

/// What of a payload is shown, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PayloadOptions {
    /// How.
    pub mode: PayloadMode,
    /// At most so many bytes of each; 0 means all.
    pub max: u64,
    /// Instead what a decoder made of it, in text; beside it, in records.
    pub decoded: bool,
    /// With each message what stands on its connection behind it.
    pub state: bool,
}

impl PayloadOptions {
    fn max(self) -> usize {
        match self.max {
            0 => usize::MAX,
            max => usize::try_from(max).unwrap_or(usize::MAX),
        }
    }

    /// What of a payload is shown, and whether that is less than all; text ends with a whole character, and has marks for
    /// what is not there.
    pub(super) fn shown<'a>(self, message: &Message<'a>) -> (Cow<'a, [u8]>, bool) {
        let (bytes, is_cut) = match text(message) {
            _ if !message.body.holes.is_empty() && look(message, self.mode) == Look::Text => self.marked(&message.body),
            Some(text) => {
                let (text, is_cut) = self.cut_text(text);
                (Cow::Borrowed(text.as_bytes()), is_cut)
            }
            None => {
                let (bytes, is_cut) = self.cut(message.body.kept);
                (Cow::Borrowed(bytes), is_cut)
            }
        };
        (bytes, is_cut || message.body.is_truncated())
    }

    /// At most `max` bytes of text, with marks for its holes, and whether that is less than all.
    fn marked(self, body: &Body<'_>) -> (Cow<'static, [u8]>, bool) {
        let mut out = Vec::new();
        let mut left = self.max();
        for part in body.parts() {
            match part {
                Part::Bytes(bytes) => {
                    let end = if bytes.len() > left { char_boundary(bytes, left) } else { bytes.len() };
                    let (shown, rest) = bytes.split_at(end);
                    out.extend_from_slice(shown);
                    if !rest.is_empty() {
                        return (Cow::Owned(out), true);
                    }
                    left -= shown.len();
                }
                Part::Hole(hole) => out.extend_from_slice(escape::unknown(hole.len).as_bytes()),
            }
        }
        (Cow::Owned(out), false)
    }

    /// At most `max` bytes, and whether that is less than all.
    pub(super) fn cut(self, bytes: &[u8]) -> (&[u8], bool) {
        let (head, rest) = bytes.split_at(self.max().min(bytes.len()));
        (head, !rest.is_empty())
    }

    /// At most `max` bytes, up to the end of a character, and whether that is less than all.
    pub(super) fn cut_text(self, text: &str) -> (&str, bool) {
        let (head, rest) = text.split_at(char_boundary(text.as_bytes(), self.max()));
        (head, !rest.is_empty())
    }
}

/// The payload of a message that is text in records: a text message, inflated, all of it valid UTF-8.
///
/// Of one that a limit cut inside a character, the characters before.
pub(super) fn text<'a>(message: &Message<'a>) -> Option<&'a str> {
    if !message.is_text() {
        return None;
    }
    let kept = message.body.kept;
    if let Ok(text) = simdutf8::basic::from_utf8(kept) {
        return Some(text);
    }
    let error = std::str::from_utf8(kept).err()?;
    let ends_inside = error.error_len().is_none() && message.body.is_truncated();
    let (valid, _) = kept.split_at(error.valid_up_to());
    if ends_inside { std::str::from_utf8(valid).ok() } else { None }
}

/// What stands in text where bytes are not known.
const LOST: char = char::REPLACEMENT_CHARACTER;

/// A text message as it can be said again, with a sign for each hole; `None` for bytes.
pub(super) fn restored<'a>(message: &Message<'a>) -> Option<Cow<'a, str>> {
    if message.body.holes.is_empty() || !message.is_text() {
        return text(message).map(Cow::Borrowed);
    }
    let mut text = String::new();
    for part in message.body.parts() {
        match part {
            Part::Bytes(bytes) => text.push_str(&String::from_utf8_lossy(bytes)),
            Part::Hole(_) => text.push(LOST),
        }
    }
    Some(Cow::Owned(text))
}

/// How a payload appears in text output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Text,
    Hex,
    Base64,
    Nothing,
}

/// The look that the mode gives to a message.
pub(super) fn look(message: &Message<'_>, mode: PayloadMode) -> Look {
    match mode {
        PayloadMode::Text => Look::Text,
        PayloadMode::Hex => Look::Hex,
        PayloadMode::Base64 => Look::Base64,
        PayloadMode::None => Look::Nothing,
        PayloadMode::Auto if text(message).is_some() || is_readable_control(message) => Look::Text,
        PayloadMode::Auto if message.is_text() && !message.body.holes.is_empty() => Look::Text,
        PayloadMode::Auto => Look::Hex,
    }
}

/// A ping or pong that carries printable ASCII.
fn is_readable_control(message: &Message<'_>) -> bool {
    matches!(message.opcode, Opcode::PING | Opcode::PONG)
        && message.body.kept.iter().all(|byte| (b' '..=b'~').contains(byte))
}

/// What is shown of a message in the place of its payload: a piece of something is shown as it is.
pub(super) fn decoded<'m>(message: &Message<'m>, options: PayloadOptions) -> Option<&'m Decoded<'m>> {
    message.decoded.filter(|decoded| options.decoded && !decoded.units.is_empty())
}

/// What a message answers: `answers 12 after 3.1 ms`.
pub(super) fn answers(decoded: &Decoded<'_>) -> Option<String> {
    let Reply { to, latency, .. } = decoded.replies().next()?;
    let after = latency.map_or_else(String::new, |latency| format!(" after {}", duration(latency)));
    Some(format!("answers {to}{after}"))
}

/// Appends the payload on one line, safe on a terminal; with `columns`, no wider than that.
pub(super) fn write_line(message: &Message<'_>, options: PayloadOptions, columns: Option<usize>, out: &mut Out<'_>) {
    if let Some(decoded) = decoded(message, options) {
        let summary = decode::summary(decoded);
        let line = escape::display_str(&summary);
        return out.text(&columns.map_or(Cow::Borrowed(&*line), |columns| fit(&line, columns, false)));
    }
    let look = look(message, options.mode);
    let (shown, is_cut) = options.shown(message);
    match columns {
        Some(columns) => write_columns(look, &shown, is_cut, columns, out),
        None => {
            write_whole(look, &shown, out);
            if is_cut && look != Look::Nothing {
                out.text("…");
            }
        }
    }
}

/// Appends all of `bytes`, a piece at a time.
fn write_whole(look: Look, mut bytes: &[u8], out: &mut Out<'_>) {
    const STEP: usize = 16 << 10;
    match look {
        Look::Base64 => json::base64(out, bytes),
        Look::Nothing => {}
        Look::Hex => {
            let mut separator = None;
            for piece in bytes.chunks(STEP) {
                for byte in piece {
                    out.bytes().extend(separator);
                    out.bytes().extend([hex_digit(byte >> 4), hex_digit(*byte)]);
                    separator = Some(b' ');
                }
                out.spill();
            }
        }
        Look::Text => {
            while !bytes.is_empty() {
                let end = match char_boundary(bytes, STEP) {
                    0 => STEP.min(bytes.len()),
                    end => end,
                };
                let (piece, rest) = bytes.split_at(end);
                out.text(&escape::display(piece));
                out.spill();
                bytes = rest;
            }
        }
    }
}

/// Appends as much of `bytes` as fits into `columns`, with `…` when that is not all.
fn write_columns(look: Look, bytes: &[u8], is_cut: bool, columns: usize, out: &mut Out<'_>) {
    // No character of UTF-8 has more than four bytes, and a column shows at least one byte.
    let most = columns.saturating_mul(4).saturating_add(4);
    let (head, rest) = bytes.split_at(char_boundary(bytes, most));
    let mut line = Out::memory();
    write_whole(look, head, &mut line);
    let line = line.take();
    let line = String::from_utf8_lossy(&line);
    let is_cut = (is_cut || !rest.is_empty()) && look != Look::Nothing;
    out.text(&fit(&line, columns, is_cut));
}

/// As much of `line` as fits into `columns` of a terminal; it ends in `…` when something is left out.
pub(super) fn fit(line: &str, columns: usize, is_cut: bool) -> Cow<'_, str> {
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut width = 0;
    let mut end_with_sign = 0;
    for (at, c) in line.char_indices() {
        if width < columns {
            end_with_sign = at;
        }
        width += c.width().unwrap_or(0);
        if width > columns || (is_cut && width == columns) {
            let (fits, _) = line.split_at(end_with_sign);
            return Cow::Owned(format!("{fits}…"));
        }
    }
    if is_cut { Cow::Owned(format!("{line}…")) } else { Cow::Borrowed(line) }
}

/// A Close frame in words: `1000 normal closure, "bye"`.
pub(super) fn close_words(message: &Message<'_>) -> String {
    let Some(close) = message.close else { return String::from("no code") };
    let mut words = format!("{} {}", close.code, close.code.meaning());
    if !close.reason.is_empty() {
        let _ = write!(words, ", \"{}\"", escape::display(close.reason));
    }
    words
}

/// Appends 16 bytes a line: offset, hex, printable ASCII.
pub(super) fn write_dump(bytes: &[u8], indent: &str, out: &mut Out<'_>) {
    for (at, row) in bytes.chunks(16).enumerate() {
        let mut line = format!("{indent}{:08x} ", at * 16);
        for column in 0..16 {
            line.push_str(if column == 8 { "  " } else { " " });
            match row.get(column) {
                Some(byte) => {
                    let _ = write!(line, "{byte:02x}");
                }
                None => line.push_str("  "),
            }
        }
        line.push_str("  ");
        line.extend(row.iter().map(|&byte| if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '.' }));
        out.line(&line);
        out.spill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Hole;

    fn line(look: Look, bytes: &[u8]) -> String {
        let mut out = Out::memory();
        write_whole(look, bytes, &mut out);
        String::from_utf8(out.take()).unwrap()
    }

    #[test]
    fn whole_payloads() {
        assert_eq!(line(Look::Hex, b"\x82\xa5hi"), "82 a5 68 69");
        assert_eq!(line(Look::Base64, b"hi!?"), "aGkhPw==");
        assert_eq!(line(Look::Text, b"hi\n\xff"), "hi\\n\\xff");
        let long = "雨".repeat(30_000);
        assert_eq!(line(Look::Text, long.as_bytes()), long);
        assert_eq!(line(Look::Text, &[0x80; 40_000]).len(), 160_000);
    }

    #[test]
    fn unknown_bytes_have_marks() {
        let holes = [(1, Some(3)), (6, Some(20)), (27, None)].map(|(offset, len)| Hole { offset, len });
        let body = Body { kept: "aéb雨".as_bytes(), len: 30, holes: &holes };
        let shown = |max| {
            let (bytes, is_cut) = PayloadOptions { max, ..PayloadOptions::default() }.marked(&body);
            (String::from_utf8(bytes.into_owned()).unwrap(), is_cut)
        };
        assert_eq!(shown(0), ("a···é·┄20 B┄·b┄┄雨".to_owned(), false));
        assert_eq!(shown(4), ("a···é·┄20 B┄·b┄┄".to_owned(), true));
        assert_eq!(shown(2), ("a···".to_owned(), true));
    }

    #[test]
    fn fits_a_terminal() {
        assert_eq!(fit("hello", 5, false), "hello");
        assert_eq!(fit("hello", 5, true), "hell…");
        assert_eq!(fit("hello", 9, true), "hello…");
        assert_eq!(fit("hello!", 5, false), "hell…");
        assert_eq!(fit("雨雨雨", 5, false), "雨雨…");
        assert_eq!(fit("雨雨雨", 4, false), "雨…");
        assert_eq!(fit("", 0, false), "");
    }

    #[test]
    fn dumps() {
        let mut out = Out::memory();
        write_dump(b"0123456789abcdef\x00", "  ", &mut out);
        let text = String::from_utf8(out.take()).unwrap();
        assert_eq!(
            text,
            "  00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef\n  \
               00000010  00                                                .\n"
        );
    }
}
