//! What a JSON text has at a path, found without making a tree of it.

use std::ops::Range;

/// One step into a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into the members of an object that have this name.
    Key(Box<str>),
    /// Into the element of an array, from 0.
    Index(usize),
    /// Into each element of an array, or member of an object.
    Any,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// What stands between the quotes of a string, escapes as they are.
    Text(&'a [u8]),
    /// The digits of a number.
    Number(&'a [u8]),
    /// `true` or `false`.
    Flag(bool),
    /// `null`.
    Null,
    /// An object or an array, as it stands there.
    Tree(&'a [u8]),
}

/// Hands on what stands at a path and where, in order, until `see` says that it has enough; returns whether it did. Of a text that is
/// no JSON what was found before the fault is told. Takes time linear in the text, whatever it is, and no memory.
pub fn find<'a>(text: &'a [u8], path: &[Step], see: &mut dyn FnMut(Found<'a>, Range<usize>) -> bool) -> bool {
    let mut walk = Walk { text, at: 0, enough: false };
    walk.value(path, see);
    walk.enough
}

/// Whether a text is JSON throughout (RFC 8259); what is nested deeper than anybody nests is not looked into.
pub fn is_json(text: &[u8]) -> bool {
    const DEEPEST: u32 = 256;
    let mut walk = Walk { text, at: 0, enough: false };
    walk.whole(DEEPEST).is_some() && walk.peek().is_none()
}

/// Hands on the members of an object, or the elements of an array: name as it stands there, value, and where that is. Whether the
/// text is such a container, and nothing else. What is nested in it is passed over, not judged.
pub fn members<'a>(text: &'a [u8], see: &mut dyn FnMut(Option<&'a [u8]>, Found<'a>, Range<usize>)) -> bool {
    let mut walk = Walk { text, at: 0, enough: false };
    let close = match walk.peek() {
        Some(b'{') => b'}',
        Some(b'[') => b']',
        _ => return false,
    };
    let outcome = walk.each(close, |walk, name, _| {
        walk.peek()?;
        let begin = walk.at;
        let found = walk.pass()?;
        see(name, found, begin..walk.at);
        Some(())
    });
    outcome.is_some() && walk.peek().is_none()
}

/// Whether a text is a number (RFC 8259 §6).
pub(super) fn is_number(text: &str) -> bool {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let whole = text.strip_prefix('-').unwrap_or(text);
    let (integer, mut rest) = whole.split_at(digits(whole));
    if integer.is_empty() || integer.len() > 1 && integer.starts_with('0') {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        let (digits, behind) = fraction.split_at(digits(fraction));
        if digits.is_empty() {
            return false;
        }
        rest = behind;
    }
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        None => rest.is_empty(),
    }
}

/// The text of a string's inside, escapes resolved; lone surrogates become U+FFFD.
pub fn unescape(inside: &[u8], out: &mut String) {
    let mut rest = inside;
    loop {
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        let (before, after) = rest.split_at(plain);
        out.push_str(&String::from_utf8_lossy(before));
        let Some((&kind, after)) = after.get(1..).and_then(<[u8]>::split_first) else { return };
        rest = after;
        out.push(match kind {
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let (c, used) = unicode(after);
                rest = after.get(used..).unwrap_or_default();
                c
            }
            other => char::from(other),
        });
    }
}

/// The character of a `\u` escape, and how many bytes behind the `u` tell it (RFC 8259 §7).
fn unicode(bytes: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let digits = std::str::from_utf8(bytes.get(at..at + 4)?).ok()?;
        u32::from(u16::from_str_radix(digits, 16).ok()?).into()
    };
    let low = || bytes.get(4..6).filter(|escape| *escape == b"\\u").and_then(|_| unit(6));
    match unit(0) {
        None => (char::REPLACEMENT_CHARACTER, 0),
        Some(high @ 0xd800..=0xdbff) => match low() {
            Some(low @ 0xdc00..=0xdfff) => {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 10)
            }
            _ => (char::REPLACEMENT_CHARACTER, 4),
        },
        Some(unit) => (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 4),
    }
}

struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    /// Whoever asked has enough.
    enough: bool,
}

impl<'a> Walk<'a> {
    /// Passes over a value, telling what stands at the path in it; `None` at a fault, or when there is enough.
    fn value(&mut self, path: &[Step], see: &mut dyn FnMut(Found<'a>, Range<usize>) -> bool) -> Option<()> {
        let Some((step, rest)) = path.split_first() else {
            self.peek()?;
            let begin = self.at;
            let found = self.pass()?;
            self.enough = see(found, begin..self.at);
            return if self.enough { None } else { Some(()) };
        };
        match self.peek()? {
            b'{' => self.inside(b'}', step, rest, see),
            b'[' => self.inside(b']', step, rest, see),
            _ => self.pass().map(|_| ()),
        }
    }

    /// Passes over an object or array, which ends with `close`, and goes where the step leads.
    fn inside(
        &mut self,
        close: u8,
        step: &Step,
        rest: &[Step],
        see: &mut dyn FnMut(Found<'a>, Range<usize>) -> bool,
    ) -> Option<()> {
        self.each(close, |walk, name, index| {
            let leads = match (step, name) {
                (Step::Any, _) => true,
                (Step::Key(key), Some(name)) => is_same(name, key),
                (Step::Index(wanted), None) => index == *wanted,
                (Step::Key(_), None) | (Step::Index(_), Some(_)) => false,
            };
            if leads { walk.value(rest, see) } else { walk.pass().map(|_| ()) }
        })
    }

    /// Passes over an object or array, which ends with `close`; `value` passes over the values, told their name or index.
    fn each(
        &mut self,
        close: u8,
        mut value: impl FnMut(&mut Self, Option<&'a [u8]>, usize) -> Option<()>,
    ) -> Option<()> {
        self.at += 1;
        if self.peek()? == close {
            self.at += 1;
            return Some(());
        }
        let mut index = 0;
        loop {
            let name = if close == b'}' { Some(self.string()?) } else { None };
            if name.is_some() {
                self.expect(b':')?;
            }
            let name = name.and_then(|name| self.text.get(name));
            value(self, name, index)?;
            index += 1;
            match self.peek()? {
                b',' => self.at += 1,
                end if end == close => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// Passes over a value, in which all must be in order.
    fn whole(&mut self, deeper: u32) -> Option<()> {
        let (close, named) = match self.peek()? {
            b'{' => (b'}', true),
            b'[' => (b']', false),
            b'-' | b'0'..=b'9' => return self.number(),
            _ => return self.pass().map(|_| ()),
        };
        let deeper = deeper.checked_sub(1)?;
        self.at += 1;
        if self.peek()? == close {
            self.at += 1;
            return Some(());
        }
        loop {
            if named {
                self.string()?;
                self.expect(b':')?;
            }
            self.whole(deeper)?;
            match self.peek()? {
                b',' => self.at += 1,
                end if end == close => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// Passes over a number that is one.
    fn number(&mut self) -> Option<()> {
        let begin = self.at;
        self.pass()?;
        let digits = std::str::from_utf8(self.text.get(begin..self.at)?).ok()?;
        is_number(digits).then_some(())
    }

    /// Passes over a whole value.
    fn pass(&mut self) -> Option<Found<'a>> {
        match self.peek()? {
            b'"' => {
                let inside = self.string()?;
                Some(Found::Text(self.text.get(inside)?))
            }
            b'{' | b'[' => self.tree().map(Found::Tree),
            b't' => self.word(b"true").map(|()| Found::Flag(true)),
            b'f' => self.word(b"false").map(|()| Found::Flag(false)),
            b'n' => self.word(b"null").map(|()| Found::Null),
            b'-' | b'0'..=b'9' => {
                let rest = self.text.get(self.at..)?;
                let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                let digits = rest.iter().position(|byte| !is_digit(byte)).unwrap_or(rest.len());
                self.at += digits;
                Some(Found::Number(rest.get(..digits)?))
            }
            _ => None,
        }
    }

    /// Passes over an object or array, however deep: only brackets and strings count.
    fn tree(&mut self) -> Option<&'a [u8]> {
        let begin = self.at;
        let mut depth = 0_usize;
        loop {
            let rest = self.text.get(self.at..)?;
            let next = rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'))?;
            self.at += next;
            match self.text.get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                _ => depth -= 1,
            }
            self.at += 1;
            if depth == 0 {
                return self.text.get(begin..self.at);
            }
        }
    }

    /// Passes over a string: where its inside stands.
    fn string(&mut self) -> Option<Range<usize>> {
        self.expect(b'"')?;
        let begin = self.at;
        loop {
            let rest = self.text.get(self.at..)?;
            self.at += memchr::memchr2(b'"', b'\\', rest)?;
            if self.text.get(self.at) == Some(&b'"') {
                let inside = begin..self.at;
                self.at += 1;
                return Some(inside);
            }
            self.at += 2;
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.text.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..)?;
        self.at += rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))?;
        self.text.get(self.at).copied()
    }
}

/// Whether a name in a text, as it stands there, is this one.
pub(super) fn is_same(inside: &[u8], name: &str) -> bool {
    // What is escaped is longer than what it stands for.
    if inside.len() <= name.len() || memchr::memchr(b'\\', inside).is_none() {
        return inside == name.as_bytes();
    }
    let mut plain = String::new();
    unescape(inside, &mut plain);
    plain == name
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(name: &str) -> Step {
        Step::Key(name.into())
    }

    #[track_caller]
    fn check(text: &str, path: &[Step], wanted: &[Found<'_>]) {
        let mut all = Vec::new();
        find(text.as_bytes(), path, &mut |found, _| {
            all.push(found);
            false
        });
        assert_eq!(all, wanted, "{text}");
    }

    #[test]
    fn what_stands_at_a_path_is_found() {
        let text = r#" {"type":"error","n":-1.5e3,"items":[{"id":1},{"id":2,"id":3},[]],"ok":true,"no":null,"a\u0062":{"x":"}"}} "#;
        check(text, &[key("type")], &[Found::Text(b"error")]);
        check(text, &[key("n")], &[Found::Number(b"-1.5e3")]);
        check(text, &[key("items"), Step::Index(1), key("id")], &[Found::Number(b"2"), Found::Number(b"3")]);
        let ids = [Found::Number(b"1"), Found::Number(b"2"), Found::Number(b"3")];
        check(text, &[key("items"), Step::Any, key("id")], &ids);
        check(text, &[key("ok")], &[Found::Flag(true)]);
        check(text, &[key("no")], &[Found::Null]);
        check(text, &[key("ab")], &[Found::Tree(br#"{"x":"}"}"#)]);
        check(text, &[key("items"), Step::Index(2)], &[Found::Tree(b"[]")]);
        check(text, &[key("type"), key("x")], &[]);
        check(text, &[key("items"), key("id")], &[]);
        check("[1", &[Step::Any], &[Found::Number(b"1")]);
        check("{\"a\":1,b", &[key("a")], &[Found::Number(b"1")]);
        check("", &[], &[]);
        check("{", &[key("a")], &[]);
        check("]", &[], &[]);
    }

    #[test]
    fn json_is_told_from_what_begins_like_it() {
        for text in ["42", " {\"a\":[1,-0.5e3,true,null,{}]} ", "\"x\"", "[]", "-0"] {
            assert!(is_json(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "42 messages",
            "true story",
            "{bad}",
            "{\"a\":1}\n{}",
            "[1,]",
            "{\"a\"}",
            "01",
            "1-2",
            "[",
            "\"x",
            "1.",
            "-.5",
            "[1e]",
        ] {
            assert!(!is_json(text.as_bytes()), "{text}");
        }
        assert!(!is_json("[".repeat(100_000).as_bytes()) && is_json(("[".repeat(200) + &"]".repeat(200)).as_bytes()));
    }

    #[test]
    fn escapes_are_resolved() {
        let plain = |text: &str| {
            let mut out = String::new();
            unescape(text.as_bytes(), &mut out);
            out
        };
        assert_eq!(plain(r#"a\"\\\/\n\u00e9\ud83e\udd80z"#), "a\"\\/\né🦀z");
        assert_eq!(plain(r"\ud83e\u0041\uzz\"), "\u{fffd}A\u{fffd}zz");
    }

    fn path() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            "[a-c]{1}".prop_map(|name| Step::Key(name.into())),
            (0..3_usize).prop_map(Step::Index),
            Just(Step::Any)
        ];
        prop::collection::vec(step, 0..4)
    }

    /// The same with a tree.
    fn in_tree<'v>(value: &'v serde_json::Value, path: &[Step], out: &mut Vec<&'v serde_json::Value>) {
        let Some((step, rest)) = path.split_first() else { return out.push(value) };
        match (step, value) {
            (Step::Key(key), serde_json::Value::Object(members)) => {
                members.get(&**key).iter().for_each(|value| in_tree(value, rest, out));
            }
            (Step::Any, serde_json::Value::Object(members)) => {
                members.values().for_each(|value| in_tree(value, rest, out));
            }
            (Step::Index(at), serde_json::Value::Array(all)) => {
                all.get(*at).iter().for_each(|value| in_tree(value, rest, out));
            }
            (Step::Any, serde_json::Value::Array(all)) => all.iter().for_each(|value| in_tree(value, rest, out)),
            _ => {}
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Into::into),
            any::<bool>().prop_map(Into::into),
            "[ -~]{0,6}".prop_map(Into::into),
            Just(serde_json::Value::Null)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let members = prop::collection::btree_map("[a-c]{1}", inner.clone(), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Into::into),
                members.prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into())
            ]
        })
    }

    proptest! {
        #[test]
        fn finds_what_a_tree_has(value in json(), path in path()) {
            let text = value.to_string();
            let mut wanted = Vec::new();
            in_tree(&value, &path, &mut wanted);
            let mut found = Vec::new();
            find(text.as_bytes(), &path, &mut |one, range| {
                assert!(serde_json::from_str::<serde_json::Value>(&text[range]).is_ok());
                found.push(match one {
                    Found::Text(inside) => {
                        let mut plain = String::new();
                        unescape(inside, &mut plain);
                        serde_json::Value::from(plain)
                    }
                    Found::Number(digits) | Found::Tree(digits) => serde_json::from_slice(digits).unwrap(),
                    Found::Flag(flag) => flag.into(),
                    Found::Null => serde_json::Value::Null,
                });
                false
            });
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), wanted);
        }

        #[test]
        fn any_bytes_are_survived(text in prop::collection::vec(prop::sample::select(br#"{}[]",:\ 1atu"#.to_vec()), 0..60), path in path()) {
            find(&text, &path, &mut |_, _| false);
        }
    }
}
