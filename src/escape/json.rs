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
        let (_, other) = rest.split_at(common(out, rest.as_bytes()));
        let mut chars = other.chars();
        let Some(c) = chars.next() else { return };
        escape_char(out, c);
        rest = chars.as_str();
    }
}

/// Bytes that are made room for at a time.
const BLOCK: usize = 128;

/// Appends what stands at the start of printable ASCII and of characters with a short escape; how many bytes that were.
///
/// JSON in a string has an escape every few bytes, so that neither a copy nor a branch for each run between them is cheap. The room
/// is filled with backslashes first, and each byte goes to its place in it, of which eight are known in one step.
fn common(out: &mut Vec<u8>, bytes: &[u8]) -> usize {
    let mut all = 0;
    for block in bytes.chunks(BLOCK) {
        if !block.first().is_some_and(u8::is_ascii) {
            break;
        }
        let begin = out.len();
        out.resize(begin + 2 * block.len() + 8, b'\\');
        let (_, room) = out.split_at_mut(begin);
        let (taken, written) = fill(block, room);
        out.truncate(begin + written);
        all += taken;
        if taken < block.len() {
            break;
        }
    }
    all
}

/// Writes a block into backslashes, up to what has no short escape: how many bytes of it, and how many in the string.
fn fill(block: &[u8], room: &mut [u8]) -> (usize, usize) {
    let (words, rest) = block.as_chunks::<8>();
    let (mut taken, mut written) = (0, 0);
    for word in words {
        let Some(room) = room.get_mut(written..).and_then(<[u8]>::first_chunk_mut::<16>) else { break };
        let len = if let Some(places) = places(u64::from_le_bytes(*word)) {
            for (byte, at) in word.iter().zip(places.to_le_bytes()) {
                // The mask spares a bound that cannot be passed.
                if let Some(place) = room.get_mut(usize::from(at & 15)) {
                    *place = *byte;
                }
            }
            usize::from(places.to_le_bytes()[7]) + 1
        } else {
            let (some, len) = few(word, room);
            if some < word.len() {
                return (taken + some, written + len);
            }
            len
        };
        taken += word.len();
        written += len;
    }
    let (some, len) = few(rest, room.get_mut(written..).unwrap_or_default());
    (taken + some, written + len)
}

/// The same, byte by byte.
fn few(bytes: &[u8], room: &mut [u8]) -> (usize, usize) {
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let (letter, escaped) = match byte {
            b'\n' => (b'n', true),
            b'\r' => (b'r', true),
            b'\t' => (b't', true),
            b'"' | b'\\' => (byte, true),
            b' '..0x7f => (byte, false),
            _ => return (at, written),
        };
        let Some(place) = room.get_mut(written + usize::from(escaped)) else { return (at, written) };
        *place = letter;
        written += 1 + usize::from(escaped);
    }
    (bytes.len(), written)
}

/// Of eight bytes, each in its place in the word, where they go when quotes and backslashes have one more before them; `None` where
/// any is no printable ASCII.
const fn places(word: u64) -> Option<u64> {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    const COUNT: u64 = 0x0706_0504_0302_0100;
    /// The top bit of each byte that is this one.
    const fn equal(word: u64, byte: u8) -> u64 {
        let differ = word ^ (ONES * byte as u64);
        !(((differ & !TOPS) + !TOPS) | differ) & TOPS
    }
    // A borrow goes upwards: whether there is any is right, and which ones need not be.
    let controls = word.wrapping_sub(ONES * b' ' as u64) & !word;
    if (word | controls | equal(word, 0x7f)) & TOPS != 0 {
        return None;
    }
    let escaped = (equal(word, b'"') | equal(word, b'\\')) >> 7;
    // The product has in each byte how many there are up to it.
    Some(escaped.wrapping_mul(ONES) + COUNT)
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
    fn every_byte_of_ascii_is_escaped_wherever_it_stands() {
        for byte in 0..0x80_u8 {
            let mut alone = Vec::new();
            escape_char(&mut alone, char::from(byte));
            for at in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[at] = byte;
                let wanted = [&[b'a'; 20][..at], &alone, &[b'a'; 20][at + 1..]].concat();
                let mut out = Vec::new();
                escape(&mut out, std::str::from_utf8(&bytes).unwrap());
                assert_eq!(out, wanted, "{byte:02x} at {at}");
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
