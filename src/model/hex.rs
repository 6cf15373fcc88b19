//! Bytes in hex, lower case.

/// As in records: `1c0aff`.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    push_hex(bytes, &mut out);
    out
}

/// Appends them as in records.
pub fn push_hex(bytes: &[u8], out: &mut String) {
    out.extend(bytes.iter().flat_map(|&byte| digits(byte)));
}

/// With blanks between, as people read them: `1c 0a ff`.
pub fn hex_apart(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 3);
    for (at, &byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.extend(digits(byte));
    }
    out
}

/// Appends a byte as a URI has it (RFC 3986 §2.1): `%0A`.
pub fn push_percent(byte: u8, out: &mut String) {
    out.push('%');
    out.extend(digits(byte).map(|digit| digit.to_ascii_uppercase()));
}

fn digits(byte: u8) -> [char; 2] {
    [byte >> 4, byte].map(|half| char::from(hex_digit(half)))
}

/// The low four bits as a digit.
pub const fn hex_digit(value: u8) -> u8 {
    match value & 0xf {
        digit @ 0..=9 => b'0' + digit,
        digit => b'a' - 10 + digit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!((hex(b"\x00\x1c\xaf\xff"), hex(b"")), ("001cafff".into(), String::new()));
        assert_eq!((hex_apart(b"\x00\x1c\xaf\xff"), hex_apart(b"")), ("00 1c af ff".into(), String::new()));
    }
}
