//! Hostile text made safe: the one door to the terminal.
//!
//! Controls, bidi controls, zero-width and other format characters are shown, never sent; so are bytes that are no UTF-8.

pub mod json;

use std::borrow::Cow;
use std::fmt::Write as _;

/// Marks of combination that one base character may carry before the rest is written out.
const MAX_MARKS: usize = 8;

/// `bytes` as text that is safe on a terminal and loses nothing: `\x1b` for controls and for bytes that are no UTF-8, `⟨U+202E⟩` for format characters.
///
/// Line feeds and tabs are shown as `\n` and `\t`: the result is one line.
///
/// ```
/// assert_eq!(wspect::escape::display(b"hi \x1b[31m \xff"), "hi \\x1b[31m \\xff");
/// assert_eq!(wspect::escape::display("\u{202e}".as_bytes()), "⟨U+202E⟩");
/// ```
pub fn display(bytes: &[u8]) -> Cow<'_, str> {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => display_str(text),
        Err(_) => {
            let mut out = String::with_capacity(bytes.len() + 16);
            for chunk in bytes.utf8_chunks() {
                push_escaped(&mut out, chunk.valid());
                for byte in chunk.invalid() {
                    let _ = write!(out, "\\x{byte:02x}");
                }
            }
            Cow::Owned(out)
        }
    }
}

/// As [`display`], for text that is known to be UTF-8.
pub fn display_str(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    push_escaped(&mut out, text);
    Cow::Owned(out)
}

fn push_escaped(out: &mut String, text: &str) {
    let mut marks = 0;
    for c in text.chars() {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' | '\x7f' => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            _ if is_hidden(c) || marks > MAX_MARKS => {
                let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
            }
            _ => out.push(c),
        }
    }
}

/// Characters that a terminal obeys or hides instead of showing: C1, and Unicode's Cf, Zl, Zp, private and unassigned-by-design ranges.
///
/// The controls below U+0080 are not among them: what they look like depends on where they are shown.
pub fn is_hidden(c: char) -> bool {
    matches!(u32::from(c),
        0x80..=0x9f | 0xad | 0x34f | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2
        | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
        | 0x3164 | 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0xfffe..=0xffff
        | 0x110bd | 0x110cd | 0x13430..=0x1345f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
        | 0xe0000..=0x10_ffff)
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Letters that are read from right to left, by the blocks that hold nothing else. They are shown in the order in which they were sent.
pub fn is_right_to_left(c: char) -> bool {
    matches!(u32::from(c), 0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfefe | 0x10800..=0x10fff | 0x1e800..=0x1efff)
}

/// Combining marks, by the blocks that hold nothing else.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x610..=0x61a | 0x64b..=0x65f | 0xe31 | 0xe34..=0xe3a
        | 0xe47..=0xe4e | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe20..=0xfe2f)
}

/// What stands in text for bytes that were sent and are not known: a dot for each of a few.
pub fn unknown(len: Option<u64>) -> String {
    match len {
        None => String::from("┄┄"),
        Some(len @ 0..=16) => "·".repeat(usize::try_from(len).unwrap_or(0)),
        Some(len) => format!("·┄{len} B┄·"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_a_terminal_would_obey() {
        assert_eq!(display(b"plain"), "plain");
        assert_eq!(display(b"a\x1b]52;c;aGk=\x07b"), "a\\x1b]52;c;aGk=\\x07b");
        assert_eq!(display("\u{9b}31m".as_bytes()), "⟨U+009B⟩31m");
        assert_eq!(display(b"\xed\xa0\x80 \xc0"), "\\xed\\xa0\\x80 \\xc0");
        assert_eq!(display("zero\u{200b}width\u{feff}".as_bytes()), "zero⟨U+200B⟩width⟨U+FEFF⟩");
        assert_eq!(display("г雨👍".as_bytes()), "г雨👍");
        assert_eq!(display(b"two\nlines\t."), "two\\nlines\\t.");
    }

    #[test]
    fn no_control_or_format_character_gets_through() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let shown = display_str(c.encode_utf8(&mut [0; 4])).into_owned();
            assert!(!shown.chars().any(|c| c.is_control() || is_hidden(c)), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn a_tower_of_marks_is_written_out() {
        let tower = format!("a{}", "\u{301}".repeat(3000));
        assert!(display(tower.as_bytes()).matches('\u{301}').count() <= MAX_MARKS);
    }
}
