//! Parameters in the queries of URLs (RFC 3986 §3.4), wherever a URL may stand.

use super::Find;

/// Bytes that a name may take, each of its characters percent-encoded.
const fn longest(name: &str) -> usize {
    name.len().saturating_mul(3)
}

/// The values of `?name=value` and `&name=value`, up to what ends a parameter, a URL, or the text around it.
pub(super) fn find(bytes: &[u8], name: &str) -> Vec<Find> {
    let mut finds = Vec::new();
    for start in memchr::memchr3_iter(b'?', b'&', b';', bytes) {
        let begin = start + 1;
        let head = bytes.get(begin..).unwrap_or_default();
        let head = head.get(..longest(name) + 1).unwrap_or(head);
        let Some(equals) = memchr::memchr(b'=', head) else { continue };
        if !is_name(head.get(..equals).unwrap_or_default(), name) {
            continue;
        }
        let from = begin + equals + 1;
        let value = bytes.get(from..).unwrap_or_default();
        let len = value.iter().position(|byte| ends(*byte)).unwrap_or(value.len());
        finds.push(Find { range: from..from + len, quote: String::new() });
    }
    finds
}

/// What no value has unencoded: separators, blanks, and what texts put URLs in.
const fn ends(byte: u8) -> bool {
    matches!(byte, b'&' | b';' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`' | 0..=b' ' | 0x7f)
}

/// Whether it is the name, with or without percent-encoding.
fn is_name(mut typed: &[u8], name: &str) -> bool {
    for wanted in name.bytes() {
        let (byte, rest) = match typed {
            [b'%', high, low, rest @ ..] => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let (Some(high), Some(low)) = (digit(high), digit(low)) else { return false };
                (u8::try_from(high * 16 + low).unwrap_or_default(), rest)
            }
            [byte, rest @ ..] => (*byte, rest),
            [] => return false,
        };
        if !byte.eq_ignore_ascii_case(&wanted) {
            return false;
        }
        typed = rest;
    }
    typed.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
        find(text.as_bytes(), name).into_iter().map(|find| &text[find.range]).collect()
    }

    #[test]
    fn values_are_found_wherever_a_url_stands() {
        assert_eq!(found("/x?token=abc", "token"), ["abc"]);
        assert_eq!(found("wss://h/x?a=1&Token=a%20b&token=#f", "token"), ["a%20b", ""]);
        assert_eq!(found(r#"go to "https://h/?token=abc", then"#, "token"), ["abc"]);
        assert_eq!(found("/x?%74o%6Ben=abc&x=1", "token"), ["abc"]);
        assert_eq!(found("a=1&token=abc;token=d=e", "token"), ["abc", "d=e"]);
    }

    #[test]
    fn others_are_left() {
        for text in
            ["/token=abc", "?tokens=abc", "?toke=abc", "?mytoken=abc", "?token", "?a=token=abc", "?%7token=abc", "?"]
        {
            assert_eq!(found(text, "token"), [""; 0], "{text}");
        }
    }
}
