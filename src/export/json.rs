//! JSON, written by hand into a buffer: formatting is most of what an export costs.

use super::out::Out;
use crate::escape::json::escape;
pub(super) use crate::escape::json::string;
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
    fn ends_at_a_character() {
        let text = "aé雨👍".as_bytes();
        let ends: Vec<_> = (0..12).map(|at| char_boundary(text, at)).collect();
        assert_eq!(ends, [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10]);
    }

    proptest! {
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
