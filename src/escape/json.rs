//! Text as strings of JSON (RFC 8259 §7), safe wherever the JSON goes.

use super::is_hidden;
use crate::model::hex_digit;

/// Appends a string, in quotes.
///
/// ```
/// let mut out = Vec::new();
/// wspect::escape::json::string(&mut out, "a\"\u{202e}");
/// assert_eq!(out, br#""a\"\u202e""#);
/// ```
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape(out, text);
    out.push(b'"');
}

/// Appends the inside of a string: quotes, backslashes, controls and hidden characters escaped (RFC 8259 §7).
pub fn escape(out: &mut Vec<u8>, text: &str) {
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

/// Appends one character of a string.
pub fn escape_char(out: &mut Vec<u8>, c: char) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        _ if c < ' ' || c == '\x7f' || is_hidden(c) => {
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
            prop_assert!(!json.chars().any(|c| c.is_control() || is_hidden(c)));
        }
    }
}
