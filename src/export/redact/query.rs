//! Parameters in the queries of URLs (RFC 3986 §3.4), wherever a URL may stand.
//!
//! In JSON any character of a URL may be an escape (`\u0026`, which some encoders make of each `&`), with more backslashes in
//! strings within strings; and a URL within another's query is percent-encoded, once for each that it is in.

use super::Find;

/// Backslashes of one escape that are looked at: those of JSON four levels deep.
const BACKSLASHES: usize = 15;
/// How often a character may be percent-encoded.
const ENCODED: usize = 4;

/// One character of a URL, however it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Char {
    /// What it is; of one outside ASCII any that is there, too.
    byte: u8,
    /// Bytes that it takes.
    len: usize,
    /// How often it is percent-encoded.
    depth: usize,
}

impl Char {
    /// The character that the bytes begin with.
    fn first(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'%', ..] => percent(bytes).or(Some(Self { byte: b'%', len: 1, depth: 0 })),
            [b'\\', ..] => escape(bytes).or(Some(Self { byte: b'\\', len: 1, depth: 0 })),
            [byte, ..] => Some(Self { byte: *byte, len: 1, depth: 0 }),
            [] => None,
        }
    }

    /// Whether no value has it unencoded: separators, blanks, and what texts put URLs in.
    const fn ends(self) -> bool {
        matches!(self.byte, b'&' | b';' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`' | 0..=b' ' | 0x7f)
    }
}

/// `%3D`, `%253D` within a query, `%25253D` in one within that.
fn percent(bytes: &[u8]) -> Option<Char> {
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let pair = |at: usize| u8::try_from(digit(at)? * 16 + digit(at + 1)?).ok();
    let mut all = Char { byte: pair(1)?, len: 3, depth: 1 };
    while let (b'%', true, Some(byte)) = (all.byte, all.depth < ENCODED, pair(all.len)) {
        all = Char { byte, len: all.len + 2, depth: all.depth + 1 };
    }
    Some(all)
}

/// `\u003d` or `\/` of JSON, behind one backslash or several.
fn escape(bytes: &[u8]) -> Option<Char> {
    let backslashes = bytes.iter().take(BACKSLASHES).take_while(|byte| **byte == b'\\').count();
    match bytes.get(backslashes..)? {
        [b'/', ..] => Some(Char { byte: b'/', len: backslashes + 1, depth: 0 }),
        [b'u', digits @ ..] => {
            let digits = std::str::from_utf8(digits.get(..4)?).ok()?;
            let code = u32::from_str_radix(digits, 16).ok()?;
            Some(Char { byte: u8::try_from(code).unwrap_or(u8::MAX), len: backslashes + 5, depth: 0 })
        }
        _ => None,
    }
}

/// The values of `?name=value` and `&name=value`, up to what ends a parameter, a URL, or the text around it.
pub(super) fn find(bytes: &[u8], name: &str) -> Vec<Find> {
    let may_separate = |byte: &u8| matches!(byte, b'?' | b'&' | b';' | b'%' | b'\\');
    let mut finds = Vec::new();
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| rest.iter().position(may_separate)).map(|at| from + at) {
        from = at + 1;
        let Some((begin, depth)) = value_of(bytes, at, name) else { continue };
        let mut end = begin;
        // What is encoded more often than the parameter is part of the value.
        while let Some(next) = bytes.get(end..).and_then(Char::first).filter(|next| !next.ends() || next.depth > depth)
        {
            end += next.len;
        }
        from = from.max(end);
        finds.push(Find { range: begin..end, quote: String::new() });
    }
    finds
}

/// Where the value begins of the parameter behind the separator at `at`, if there is one and it has that name; and how often
/// it is percent-encoded.
fn value_of(bytes: &[u8], mut at: usize, name: &str) -> Option<(usize, usize)> {
    let mut next = |is: &dyn Fn(u8) -> bool| {
        let next = Char::first(bytes.get(at..)?).filter(|next| is(next.byte))?;
        at += next.len;
        Some(next.depth)
    };
    let outer = next(&|byte| matches!(byte, b'?' | b'&' | b';'))?;
    for wanted in name.bytes() {
        next(&|byte| byte.eq_ignore_ascii_case(&wanted))?;
    }
    let inner = next(&|byte| byte == b'=')?;
    Some((at, outer.min(inner)))
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
    fn values_are_found_however_their_url_is_written() {
        // As Go's encoder writes them, and JSON within JSON.
        assert_eq!(found(r"https://h/?a=1\u0026token=abc\u0026b=2", "token"), ["abc"]);
        assert_eq!(found(r"https:\/\/h\/\u003ftoken\u003da\/b\u002Bc\u0026d", "token"), [r"a\/b\u002Bc"]);
        assert_eq!(found(r#""\\u0026to\\u006ben=abc\\\"}"#, "token"), ["abc"]);
        // A URL in a query, and in the query of one in a query.
        assert_eq!(found("/?to=http%3A%2F%2Fh%2F%3Ftoken%3Dabc%26x%3D1&b", "token"), ["abc"]);
        assert_eq!(found("/?a=%252F%253ftoken%253dab%252525c%2526x%26y", "token"), ["ab%252525c"]);
        assert_eq!(found("/?token=a%26b%3Dc&token%3Dd%26e", "token"), ["a%26b%3Dc", "d%26e"]);
        assert_eq!(found("%26token=ab%26c d", "token"), ["ab%26c"]);
    }

    #[test]
    fn others_are_left() {
        for text in [
            "/token=abc",
            "?tokens=abc",
            "?toke=abc",
            "?mytoken=abc",
            "?token",
            "?a=token=abc",
            "?%7token=abc",
            "?",
            r"\u002ftoken=abc",
            r"\u003tokens=abc",
            r"\\?tokens=a",
            "%3ftoken",
            "%2",
            r"\u00",
        ] {
            assert_eq!(found(text, "token"), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_may_begin_one_again_and_again_is_found_once() {
        for piece in ["%26token=", "?token=", r"\u0026token", r"\", "%25", "&toke"] {
            let text = piece.repeat(100_000);
            let finds = find(text.as_bytes(), "token");
            assert!(finds.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start), "{piece}");
        }
    }
}
