//! What was decoded, written down: as JSON for records and filters, as one line for people.

use super::{json, path};
use crate::escape::json::{escape_char, string};
use crate::model::{Decoded, Node, Unit, Value, count};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::Write as _;
use std::ops::Range;

/// Containers of a JSON text inside one another; a deeper one is written as a string, since readers of records give up on it.
const DEEPEST: usize = 64;

/// Characters of a summary.
const SUMMARY: usize = 240;

/// The summary of a message in which no unit ends.
const PIECE: &str = "a piece, the rest follows";

/// Units of one message that its summary has room for.
const SUMMED: usize = 8;

/// Appends the value of the key `decoded` of a record.
pub fn record(decoded: &Decoded<'_>, out: &mut Vec<u8>) {
    let units = &decoded.units;
    let (first, reply) = (units.first(), units.iter().find_map(|unit| unit.reply.as_ref()));
    out.extend_from_slice(b"{\"protocol\":");
    string(out, decoded.protocol);
    out.extend_from_slice(b",\"event\":");
    opt_string(out, first.and_then(|unit| unit.event.as_deref()));
    out.extend_from_slice(b",\"events\":");
    if units.len() > 1 {
        separated(out, b"[]", units, |out, unit| opt_string(out, unit.event.as_deref()));
    } else {
        out.extend_from_slice(b"null");
    }
    out.extend_from_slice(b",\"id\":");
    opt_string(out, first.and_then(|unit| unit.id.as_deref()));
    out.extend_from_slice(b",\"reply_to\":");
    opt_int(out, reply.map(|reply| reply.to.into()));
    out.extend_from_slice(b",\"latency_ns\":");
    opt_int(out, reply.and_then(|reply| reply.latency).map(Into::into));
    out.extend_from_slice(b",\"heartbeat\":");
    flag(out, decoded.is_heartbeat());
    out.extend_from_slice(b",\"summary\":");
    string(out, &summary(decoded));
    out.extend_from_slice(b",\"data\":");
    data(decoded, out);
    out.push(b'}');
}

/// Appends what a message carries as compact JSON: its tree, of several units a list of theirs, of a piece `null`.
pub fn data(decoded: &Decoded<'_>, out: &mut Vec<u8>) {
    match decoded.units.as_slice() {
        [] => out.extend_from_slice(b"null"),
        [unit] => node(&unit.tree, out),
        units => separated(out, b"[]", units, |out, unit| node(&unit.tree, out)),
    }
}

/// Of each value that [`data`] writes, each before its members, the bytes of the payload where it stands.
pub fn places(decoded: &Decoded<'_>) -> Vec<Option<Range<usize>>> {
    let mut out = Vec::new();
    if decoded.units.len() != 1 {
        out.push(None);
    }
    decoded.units.iter().for_each(|unit| node_places(&unit.tree, &mut out));
    out
}

fn node_places(node: &Node<'_>, out: &mut Vec<Option<Range<usize>>>) {
    let here = || node.bytes.clone();
    match &node.value {
        Value::List(items) => {
            out.push(here());
            items.iter().for_each(|item| node_places(item, out));
        }
        Value::Map(members) => {
            out.push(here());
            members.iter().for_each(|(_, member)| node_places(member, out));
        }
        // An object with one member.
        Value::Bytes(_) => out.extend([here(), here()]),
        Value::Json(text) if compact(text, &mut Vec::new()).is_some() => {
            // Where it is not as it stands there, all of it stands in the same bytes.
            let is_as_sent = here().is_some_and(|bytes| bytes.len() == text.len());
            let document = json::read(text.as_bytes(), usize::MAX);
            out.extend(document.nodes.iter().map(|inner| {
                let whole = here()?;
                let span = inner.span();
                Some(if is_as_sent { whole.start + span.start..whole.start + span.end } else { whole })
            }));
        }
        _ => out.push(here()),
    }
}

/// Appends a tree as compact JSON: bytes as `{"base64":…}`, numbers with their digits.
pub fn node(node: &Node<'_>, out: &mut Vec<u8>) {
    value(&node.value, out);
}

/// Appends a value as compact JSON.
pub fn value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Flag(is_true) => flag(out, *is_true),
        Value::Int(number) => opt_int(out, Some(*number)),
        Value::Float(number) => float(*number, out),
        Value::Text(text) => string(out, text),
        Value::Bytes(bytes) => {
            out.extend_from_slice(b"{\"base64\":\"");
            out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            out.extend_from_slice(b"\"}");
        }
        Value::Json(text) => {
            let begin = out.len();
            if compact(text, out).is_none() {
                out.truncate(begin);
                string(out, text);
            }
        }
        Value::List(items) => separated(out, b"[]", items, |out, item| node(item, out)),
        Value::Map(members) => separated(out, b"{}", members, |out, (name, member)| {
            string(out, name);
            out.push(b':');
            node(member, out);
        }),
    }
}

fn separated<T>(out: &mut Vec<u8>, brackets: &[u8; 2], items: &[T], mut item: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(brackets[0]);
    for (at, one) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        item(out, one);
    }
    out.push(brackets[1]);
}

fn opt_string(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => string(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

fn opt_int(out: &mut Vec<u8>, number: Option<i128>) {
    match number {
        Some(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        None => out.extend_from_slice(b"null"),
    }
}

fn flag(out: &mut Vec<u8>, flag: bool) {
    out.extend_from_slice(if flag { b"true" } else { b"false" });
}

/// JSON has no word for what is no number: it is written as a string.
fn float(number: f64, out: &mut Vec<u8>) {
    let _ = if number.is_finite() { write!(out, "{number:?}") } else { write!(out, "\"{number}\"") };
}

/// What must come next in a JSON text.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Value,
    /// A value, or the end of an array that has none.
    First,
    Name,
    /// A name, or the end of an object that has none.
    FirstName,
    /// A comma, or the end of the container.
    Comma,
}

/// Appends a JSON text without blanks; `None` where it is none, or nested too deeply. What a terminal would obey is escaped,
/// halves of surrogate pairs are replaced, and a number that no machine can hold is a string.
fn compact(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text.trim_start_matches(BLANKS);
    let mut open: Vec<u8> = Vec::new();
    let mut next = Next::Value;
    loop {
        let byte = *rest.as_bytes().first()?;
        match (byte, next) {
            (b']' | b'}', Next::Comma | Next::First | Next::FirstName) => {
                let ends_first =
                    matches!((byte, next), (_, Next::Comma) | (b']', Next::First) | (b'}', Next::FirstName));
                if !ends_first || open.pop() != Some(byte) {
                    return None;
                }
                rest = rest.get(1..)?;
                out.push(byte);
                next = Next::Comma;
            }
            (b',', Next::Comma) => {
                rest = rest.get(1..)?;
                out.push(b',');
                next = if open.last()? == &b'}' { Next::Name } else { Next::Value };
            }
            (b'"', Next::Name | Next::FirstName) => {
                rest = compact_string(rest, out)?.trim_start_matches(BLANKS).strip_prefix(':')?;
                out.push(b':');
                next = Next::Value;
            }
            (_, Next::Comma | Next::Name | Next::FirstName) => return None,
            (b'"', _) => {
                rest = compact_string(rest, out)?;
                next = Next::Comma;
            }
            (b'{' | b'[', _) if open.len() < DEEPEST => {
                (next, rest) = (if byte == b'{' { Next::FirstName } else { Next::First }, rest.get(1..)?);
                open.push(byte + 2);
                out.push(byte);
            }
            (b'-' | b'0'..=b'9', _) => {
                let is_part = |c: char| matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
                let (digits, behind) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
                compact_number(digits, out)?;
                (rest, next) = (behind, Next::Comma);
            }
            _ => {
                let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word))?;
                out.extend_from_slice(word.as_bytes());
                (rest, next) = (rest.get(word.len()..)?, Next::Comma);
            }
        }
        rest = rest.trim_start_matches(BLANKS);
        if open.is_empty() && next == Next::Comma {
            return rest.is_empty().then_some(());
        }
    }
}

const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// Appends a number; as a string one that is larger than others can read.
fn compact_number(digits: &str, out: &mut Vec<u8>) -> Option<()> {
    if !path::is_number(digits) {
        return None;
    }
    if digits.parse::<f64>().is_ok_and(f64::is_finite) {
        out.extend_from_slice(digits.as_bytes());
    } else {
        string(out, digits);
    }
    Some(())
}

/// Appends the string that `text` begins with; what is behind it.
fn compact_string<'t>(text: &'t str, out: &mut Vec<u8>) -> Option<&'t str> {
    let mut rest = text.get(1..)?;
    out.push(b'"');
    loop {
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let plain = rest.bytes().position(|byte| !is_plain(&byte))?;
        let (clean, other) = rest.split_at(plain);
        out.extend_from_slice(clean.as_bytes());
        let mut chars = other.chars();
        rest = match chars.next()? {
            '"' => {
                out.push(b'"');
                return Some(chars.as_str());
            }
            '\\' => compact_escape(chars.as_str(), out)?,
            c => {
                escape_char(out, c);
                chars.as_str()
            }
        };
    }
}

/// Appends the escape whose backslash was read; what is behind it.
fn compact_escape<'t>(text: &'t str, out: &mut Vec<u8>) -> Option<&'t str> {
    let unit = |text: &str| {
        let digits = text.strip_prefix('u')?.get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = *text.as_bytes().first()?;
    if !b"\"\\/bfnrtu".contains(&first) {
        return None;
    }
    let rest = if first == b'u' {
        let high = unit(text)?;
        let rest = text.get(5..)?;
        let low = rest.strip_prefix('\\').and_then(unit).filter(|low| (0xdc00..=0xdfff).contains(low));
        match (high, low) {
            (0xd800..=0xdbff, Some(_)) => {
                out.push(b'\\');
                out.extend_from_slice(text.get(..11)?.as_bytes());
                return rest.get(6..);
            }
            (0xd800..=0xdfff, _) => {
                out.extend_from_slice(b"\\ufffd");
                return Some(rest);
            }
            _ => rest,
        }
    } else {
        text.get(1..)?
    };
    out.push(b'\\');
    out.extend_from_slice(text.get(..text.len() - rest.len())?.as_bytes());
    Some(rest)
}

/// One line about a message; not escaped for a terminal.
pub fn summary(decoded: &Decoded<'_>) -> String {
    let units = decoded.units.as_slice();
    if units.is_empty() {
        return PIECE.to_owned();
    }
    let mut line = Line { text: String::new(), room: SUMMARY };
    for (at, unit) in units.iter().take(SUMMED).enumerate() {
        line.push(if at > 0 { "; " } else { "" });
        line.unit(unit);
    }
    if units.len() > SUMMED {
        line.push("; …");
    }
    line.text
}

/// A line that is as long as it may be.
struct Line {
    text: String,
    room: usize,
}

impl Line {
    fn unit(&mut self, unit: &Unit<'_>) {
        self.push(&unit.words);
        if let Some(said) = &unit.said {
            self.push(if unit.words.is_empty() { "" } else { " " });
            match said {
                Value::Text(text) => self.push(text),
                other => self.value(other),
            }
        }
    }

    /// Adds as much of a text as there is room for.
    fn push(&mut self, text: &str) {
        if self.room == 0 {
            return;
        }
        match text.char_indices().nth(self.room) {
            None => {
                self.room -= text.chars().count();
                self.text.push_str(text);
            }
            Some((at, _)) => {
                self.text.push_str(text.get(..at).unwrap_or_default());
                self.text.push('…');
                self.room = 0;
            }
        }
    }

    fn value(&mut self, shown: &Value<'_>) {
        match shown {
            _ if self.room == 0 => {}
            Value::Json(text) => self.json(text),
            Value::Bytes(bytes) => self.push(&format!("<{}>", count(bytes.len() as u64, "byte"))),
            Value::List(items) => {
                self.push("[");
                for (at, item) in items.iter().take(self.room).enumerate() {
                    self.push(if at > 0 { "," } else { "" });
                    self.value(&item.value);
                }
                self.push("]");
            }
            Value::Map(members) => {
                self.push("{");
                for (at, (name, member)) in members.iter().take(self.room).enumerate() {
                    self.push(if at > 0 { "," } else { "" });
                    self.quoted(name);
                    self.push(":");
                    self.value(&member.value);
                }
                self.push("}");
            }
            Value::Text(text) => self.quoted(text),
            other => {
                let mut out = Vec::new();
                value(other, &mut out);
                self.push(&String::from_utf8_lossy(&out));
            }
        }
    }

    fn quoted(&mut self, text: &str) {
        let (shown, _) = text.split_at(text.char_indices().nth(self.room).map_or(text.len(), |(at, _)| at));
        let mut out = Vec::new();
        string(&mut out, shown);
        self.push(&String::from_utf8_lossy(&out));
    }

    /// A JSON text without blanks outside its strings, whether it is right or not.
    fn json(&mut self, text: &str) {
        let (mut is_string, mut is_escaped) = (false, false);
        let mut from = 0;
        // What is behind the room in any case is not looked at.
        let longest = text.char_indices().nth(self.room.saturating_mul(4)).map_or(text.len(), |(at, _)| at);
        for (at, byte) in text.bytes().enumerate().take(longest) {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = is_string,
                b'"' => is_string = !is_string,
                b' ' | b'\t' | b'\n' | b'\r' if !is_string => {
                    self.push(text.get(from..at).unwrap_or_default());
                    from = at + 1;
                }
                _ => {}
            }
        }
        self.push(text.get(from..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::borrow::Cow;

    fn written(shown: &Value<'_>) -> String {
        let mut out = Vec::new();
        value(shown, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn json(text: &str) -> Value<'_> {
        Value::Json(Cow::Borrowed(text))
    }

    #[test]
    fn values_are_compact_json() {
        let map = Value::Map(vec![
            ("a".into(), Value::Bytes(Cow::Borrowed(b"hi!")).into()),
            ("b".into(), Value::List(vec![Value::Null.into(), Value::Float(1.0).into(), Value::Int(-7).into()]).into()),
            ("c".into(), json("{ \"x\" : [ 1.50 , \"a b\" ] }\n").into()),
        ]);
        assert_eq!(written(&map), r#"{"a":{"base64":"aGkh"},"b":[null,1.0,-7],"c":{"x":[1.50,"a b"]}}"#);
        assert_eq!(written(&Value::Float(f64::NAN)), "\"NaN\"");
        assert_eq!(written(&Value::Float(1e300)), "1e300");
    }

    #[test]
    fn what_is_no_json_is_a_string() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "01",
            "1.",
            "-.5",
            "--1",
            "1e",
            "\"\\x\"",
            "\"\\u12\"",
            "tru",
            "[1}",
            "{]",
            "1 2",
            "\"a",
        ] {
            assert_eq!(written(&json(text)), serde_json::to_string(text).unwrap());
        }
        let deep = "[".repeat(DEEPEST + 1) + &"]".repeat(DEEPEST + 1);
        assert!(written(&json(&deep)).starts_with("\"["));
        assert_eq!(written(&json(deep.get(1..deep.len() - 1).unwrap())).len(), 2 * DEEPEST);
    }

    #[test]
    fn what_readers_choke_on_is_made_safe() {
        assert_eq!(written(&json("[1e999,-0,12345678901234567890123]")), r#"["1e999",-0,12345678901234567890123]"#);
        assert_eq!(written(&json(r#""\ud800\ud83e\udd80\udc00\u0041""#)), r#""\ufffd\ud83e\udd80\ufffd\u0041""#);
        assert_eq!(written(&json("\"\u{202e}\x07é\"")), "\"\\u202e\\u0007é\"");
    }

    fn line(units: Vec<Unit<'_>>) -> String {
        summary(&Decoded { protocol: "x", units })
    }

    #[test]
    fn a_summary_is_one_line() {
        let said = |words, said| Unit { said: Some(said), ..Unit::new(words, Value::Null.into()) };
        assert_eq!(line(vec![said("chat", json("[ \"a b\\\" \" , 1 ]"))]), "chat [\"a b\\\" \",1]");
        assert_eq!(line(vec![said("", Value::text("plain"))]), "plain");
        let list = Value::List(vec![Value::Bytes(Cow::Borrowed(&[0; 12])).into(), Value::text("x").into()]);
        assert_eq!(line(vec![said("put", list)]), "put [<12 bytes>,\"x\"]");
        assert_eq!(line(vec![said("a", Value::Int(1)), said("b", Value::Int(2))]), "a 1; b 2");
        let long = "x".repeat(1000);
        let shown = line(vec![said("a", json(&long))]);
        assert_eq!(shown.chars().count(), SUMMARY + 1);
        assert!(shown.ends_with("x…"));
        assert!(line((0..100).map(|_| said("a", Value::Null)).collect()).ends_with("; …"));
        assert_eq!(line(Vec::new()), PIECE);
    }

    proptest! {
        #[test]
        fn compact_json_means_the_same(text in r#"[\[\]{}",:\\ u0-9a-fe.é-]{0,24}|\PC{0,12}"#) {
            let out = written(&json(&text));
            let read: serde_json::Value = serde_json::from_str(&out).unwrap();
            if let Ok(meant) = serde_json::from_str::<serde_json::Value>(&text) {
                prop_assert_eq!(read, meant);
            }
        }
    }
}
