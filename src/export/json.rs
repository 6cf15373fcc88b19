//! JSON, written by hand into a buffer: formatting is most of what an export costs.

use super::out::Out;
use crate::escape;
use crate::model::hex_digit;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of a long payload that are escaped between two looks at the buffer; a multiple of 3, so that base64 pieces join.
const STEP: usize = 48 << 10;

/// Appends constant text between values.
macro_rules! lit {
    ($out:expr, $text:literal) => {
        $out.extend_from_slice($text.as_bytes())
    };
}
pub(super) use lit;

/// Appends an integer.
pub(super) fn int(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends an integer or `null`.
pub(super) fn opt_int(out: &mut Vec<u8>, value: Option<impl itoa::Integer>) {
    match value {
        Some(value) => int(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends `true` or `false`.
pub(super) fn bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Appends a name of ours, which needs no escape, in quotes.
pub(super) fn name(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
}

/// Appends a string.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape(out, text);
    out.push(b'"');
}

/// Appends a string or `null`.
pub(super) fn opt_string(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => string(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends a list.
pub(super) fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut item: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (at, value) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        item(out, value);
    }
    out.push(b']');
}

/// Appends a string of any length, in pieces that are written on.
pub(super) fn long_string(out: &mut Out<'_>, mut text: &str) {
    out.bytes().push(b'"');
    while text.len() > STEP {
        let (piece, rest) = text.split_at(char_boundary(text.as_bytes(), STEP));
        escape(out.bytes(), piece);
        out.spill();
        text = rest;
    }
    escape(out.bytes(), text);
    out.bytes().push(b'"');
}

/// Appends bytes of any number as a string in base64 (RFC 4648 §4), in pieces that are written on.
pub(super) fn long_base64(out: &mut Out<'_>, bytes: &[u8]) {
    out.bytes().push(b'"');
    base64(out, bytes);
    out.bytes().push(b'"');
}

/// Appends base64 without quotes.
pub(super) fn base64(out: &mut Out<'_>, bytes: &[u8]) {
    for piece in bytes.chunks(STEP) {
        let buffer = out.bytes();
        let start = buffer.len();
        buffer.resize(start + piece.len().div_ceil(3) * 4, b'=');
        let (_, room) = buffer.split_at_mut(start);
        let used = STANDARD.encode_slice(piece, room);
        debug_assert_eq!(used, Ok(room.len()), "there is room for the whole piece");
        out.spill();
    }
}

/// The largest end of a character in UTF-8 that is not beyond `at`.
pub(super) fn char_boundary(text: &[u8], at: usize) -> usize {
    let is_inside = |at: &usize| text.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (0..=at.min(text.len())).rev().find(|at| !is_inside(at)).unwrap_or(0)
}

/// Appends the inside of a string: quotes, backslashes, controls and hidden characters escaped (RFC 8259 §7).
fn escape(out: &mut Vec<u8>, text: &str) {
    let mut rest = text;
    loop {
        let (clean, dirty) = rest.split_at(clean_len(rest.as_bytes()));
        out.extend_from_slice(clean.as_bytes());
        let mut chars = dirty.chars();
        let Some(c) = chars.next() else { return };
        escape_char(out, c);
        rest = chars.as_str();
    }
}

/// How many bytes at the start are printable ASCII that stands for itself: eight are looked at in one step, since JSON in a
/// string has an escape every few bytes.
fn clean_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(step) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let dirty = dirty(u64::from_le_bytes(*step));
        if dirty != 0 {
            return at + (dirty.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let is_clean = |&byte: &u8| (b' '..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !is_clean(byte)).unwrap_or(rest.len())
}

/// The top bit of each byte that does not stand for itself. What is above the lowest of them may be wrong: a borrow goes upwards.
const fn dirty(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(ONES * limit) & !word
    }
    const fn equal(word: u64, byte: u8) -> u64 {
        below(word ^ (ONES * byte as u64), 1)
    }
    (word | below(word, 0x20) | equal(word, b'"') | equal(word, b'\\') | equal(word, 0x7f)) & TOPS
}

fn escape_char(out: &mut Vec<u8>, c: char) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        _ if c < ' ' || c == '\x7f' || escape::is_hidden(c) => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.extend_from_slice(b"\\u");
                for shift in [12, 8, 4, 0] {
                    out.push(hex_digit((*unit >> shift) as u8));
                }
            }
        }
        _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_what_terminals_and_parsers_obey() {
        assert_eq!(written("plain"), r#""plain""#);
        assert_eq!(written("a\"b\\c\nd\te\r"), r#""a\"b\\c\nd\te\r""#);
        assert_eq!(written("\x00\x1b\x7f\u{9b}"), r#""\u0000\u001b\u007f\u009b""#);
        assert_eq!(written("\u{202e}\u{200b}\u{feff}"), r#""\u202e\u200b\ufeff""#);
        assert_eq!(written("\u{e0041}"), r#""\udb40\udc41""#);
        assert_eq!(written("héllo г雨👍"), r#""héllo г雨👍""#);
    }

    #[test]
    fn ends_at_a_character() {
        let text = "aé雨👍".as_bytes();
        let ends: Vec<_> = (0..12).map(|at| char_boundary(text, at)).collect();
        assert_eq!(ends, [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10]);
    }

    #[test]
    fn what_is_clean_is_found_to_the_byte() {
        for byte in 0..=u8::MAX {
            let is_clean = (0x20..0x7f).contains(&byte) && !b"\"\\".contains(&byte);
            for at in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[at] = byte;
                assert_eq!(clean_len(&bytes), if is_clean { 20 } else { at }, "{byte:02x} at {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_string_comes_back(text in "\\PC*|[\\x00-\\xff\u{2000}-\u{2070}\u{e0000}-\u{e007f}\"\\\\]{0,80}") {
            let json = written(&text);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            prop_assert!(!json.chars().any(|c| c.is_control() || escape::is_hidden(c)));
        }

        #[test]
        fn long_strings_are_as_short_ones(piece in "[a-z\"é雨]{1,9}", times in 0_usize..20_000) {
            let text = piece.repeat(times);
            let mut out = Out::memory();
            long_string(&mut out, &text);
            prop_assert_eq!(out.take(), written(&text).into_bytes());
        }
    }

    #[test]
    fn long_base64_is_one_string() {
        let bytes: Vec<u8> = (0..200_001_u32).map(|n| n as u8).collect();
        let mut out = Out::memory();
        long_base64(&mut out, &bytes);
        assert_eq!(out.take(), format!("\"{}\"", STANDARD.encode(&bytes)).into_bytes());
    }
}
