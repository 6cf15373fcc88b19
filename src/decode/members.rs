//! The members of JSON texts, as protocols that speak JSON ask for them.

use super::UNITS;
use super::path::{self, Found};
use crate::model::{Node, Value};
use std::borrow::Cow;
use std::ops::Range;

/// Members that are at hand of one object; of the rest nothing is asked.
const MOST: usize = 256;

/// Containers and strings inside one another that are unfolded.
const FOLDED: usize = 16;

/// An object or array, one level of it.
#[derive(Debug)]
pub(super) struct Members<'a> {
    text: &'a str,
    /// Where in the message the text begins.
    base: usize,
    is_array: bool,
    all: Vec<(&'a [u8], Found<'a>, Range<usize>)>,
}

/// A value in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json<'a> {
    found: Found<'a>,
    text: &'a str,
    /// Where in the message it begins.
    base: usize,
}

impl<'a> Members<'a> {
    /// Those of a text that is a whole object or array and begins at `base` in the message.
    pub(super) fn new(text: &'a str, base: usize) -> Option<Self> {
        let is_array = text.trim_start().starts_with('[');
        let mut all = Vec::new();
        let is_whole = path::members(text.as_bytes(), &mut |name, found, bytes| {
            if all.len() < if is_array { UNITS } else { MOST } {
                all.push((name.unwrap_or_default(), found, bytes));
            }
        });
        is_whole.then_some(Self { text, base, is_array, all })
    }

    /// Those of an object.
    pub(super) fn object(text: &'a str, base: usize) -> Option<Self> {
        Self::new(text, base).filter(|members| !members.is_array)
    }

    /// The elements of an array.
    pub(super) fn array(text: &'a str, base: usize) -> Option<Self> {
        Self::new(text, base).filter(|members| members.is_array)
    }

    pub(super) const fn is_array(&self) -> bool {
        self.is_array
    }

    /// The value under a name, the first if there are several; `null` is none.
    pub(super) fn get(&self, name: &str) -> Option<Json<'a>> {
        let at = self.all.iter().position(|(key, ..)| path::is_same(key, name)).filter(|_| !self.is_array)?;
        self.at(at).filter(|json| json.found != Found::Null)
    }

    /// Whether there is a member of the name, be it `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        !self.is_array && self.all.iter().any(|(key, ..)| path::is_same(key, name))
    }

    /// The value at a place, from 0.
    pub(super) fn at(&self, at: usize) -> Option<Json<'a>> {
        let (_, found, bytes) = self.all.get(at)?;
        let text = self.text.get(bytes.clone())?;
        Some(Json { found: *found, text, base: self.base + bytes.start })
    }

    /// All members with their names.
    fn named(&self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> + '_ {
        self.all.iter().zip(self.from(0)).map(|((name, ..), json)| (plain(name), json))
    }

    /// All of it, JSON unfolded that stands in its strings; `None` where there is none.
    pub(super) fn unfolded(&self) -> Option<Value<'a>> {
        if may_fold(self.text) { self.unfold(FOLDED) } else { None }
    }

    fn unfold(&self, deeper: usize) -> Option<Value<'a>> {
        let deeper = deeper.checked_sub(1)?;
        let mut is_any = false;
        let mut node = |json: Json<'a>| {
            let value = json.unfold(deeper);
            is_any |= value.is_some();
            Node { value: value.unwrap_or_else(|| json.value()), ..json.node() }
        };
        let value = if self.is_array {
            Value::List(self.from(0).map(node).collect())
        } else {
            Value::Map(self.named().map(|(name, json)| (name, node(json))).collect())
        };
        // Of too many members some were left out.
        let is_all = self.all.len() < if self.is_array { UNITS } else { MOST };
        (is_any && is_all).then_some(value)
    }

    /// All values from a place on.
    pub(super) fn from(&self, at: usize) -> impl Iterator<Item = Json<'a>> + '_ {
        (at..self.all.len()).filter_map(|at| self.at(at))
    }
}

impl<'a> Json<'a> {
    /// What a string says.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        if let Found::Text(inside) = self.found { Some(plain(inside)) } else { None }
    }

    /// What a string says, or the digits of a number.
    pub(super) fn name(self) -> Option<Cow<'a, str>> {
        match self.found {
            Found::Number(_) => Some(Cow::Borrowed(self.text)),
            _ => self.text(),
        }
    }

    /// A whole number.
    pub(super) fn int(self) -> Option<i64> {
        matches!(self.found, Found::Number(_)).then(|| self.text.parse().ok())?
    }

    /// The JSON text of it.
    pub(super) const fn raw(self) -> &'a str {
        self.text
    }

    /// The members of an object or array.
    pub(super) fn members(self) -> Option<Members<'a>> {
        matches!(self.found, Found::Tree(_)).then(|| Members::new(self.text, self.base))?
    }

    pub(super) const fn value(self) -> Value<'a> {
        Value::Json(Cow::Borrowed(self.text))
    }

    /// What it says: where it is a string that has JSON in it, that.
    pub(super) fn unfolded(self) -> Value<'a> {
        self.inside().map_or_else(|| self.value(), Value::Json)
    }

    /// The JSON that stands in it, where it is a string.
    fn inside(self) -> Option<Cow<'a, str>> {
        self.text().filter(|text| text.starts_with(['{', '[']) && path::is_json(text.as_bytes()))
    }

    pub(super) fn node(self) -> Node<'a> {
        Node::at(self.value(), self.base..self.base + self.text.len())
    }

    fn unfold(self, deeper: usize) -> Option<Value<'a>> {
        match self.found {
            Found::Text(_) => {
                let inside = self.inside()?;
                let again = Members::new(&inside, 0).and_then(|members| members.unfold(deeper)).map(Value::into_owned);
                Some(again.unwrap_or(Value::Json(inside)))
            }
            Found::Tree(_) if may_fold(self.text) => self.members()?.unfold(deeper),
            _ => None,
        }
    }
}

/// Whether JSON may stand in a string of the text: without an escaped quote there is none that is worth it.
fn may_fold(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"\\\"").is_some()
}

/// What stands between quotes, escapes resolved.
fn plain(inside: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', inside).is_none() {
        return String::from_utf8_lossy(inside);
    }
    let mut plain = String::new();
    path::unescape(inside, &mut plain);
    Cow::Owned(plain)
}

/// A message that is one JSON text.
pub(super) fn whole(text: &str) -> Node<'_> {
    Node::at(Value::Json(Cow::Borrowed(text)), 0..text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_where_they_stand() {
        let text = r#" {"a":"x\ny","n":-7,"o":{"a":[1]},"no":null,"a":2} "#;
        let all = Members::object(text, 100).unwrap();
        assert_eq!(all.get("a").unwrap().text().unwrap(), "x\ny");
        assert_eq!(all.get("n").unwrap().int(), Some(-7));
        assert_eq!(all.get("n").unwrap().name().unwrap(), "-7");
        assert_eq!(all.get("o").unwrap().members().unwrap().get("a").unwrap().raw(), "[1]");
        assert!(all.get("no").is_none() && all.has("no") && !all.has("x"));
        let node = all.get("o").unwrap().node();
        let bytes = node.bytes.unwrap();
        assert_eq!(text.get(bytes.start - 100..bytes.end - 100), Some(r#"{"a":[1]}"#));
        assert_eq!(
            Members::array("[1,\"b\",[]]", 0).unwrap().from(1).map(Json::raw).collect::<Vec<_>>(),
            ["\"b\"", "[]"]
        );
    }

    #[test]
    fn json_in_strings_is_unfolded() {
        let unfolded = |text: &str| {
            let mut out = Vec::new();
            crate::decode::write_value(&Members::new(text, 0)?.unfolded()?, &mut out);
            Some(String::from_utf8(out).unwrap())
        };
        let twice = r#"{"a":"{\"b\":\"[\\\"c\\\"]\"}","n":[{"x":"[1]"},"[x"]}"#;
        assert_eq!(unfolded(twice).as_deref(), Some(r#"{"a":{"b":["c"]},"n":[{"x":"[1]"},"[x"]}"#));
        assert_eq!(unfolded(r#"{"a":"say \"[1]\"","b":"{}"}"#).as_deref(), Some(r#"{"a":"say \"[1]\"","b":{}}"#));
        assert_eq!(unfolded(r#"{"a":"{}","b":1}"#), None, "nothing to see in it");
        assert_eq!(unfolded(&format!(r#"{{{}"a":"{{\"b\":1}}"}}"#, r#""a":1,"#.repeat(MOST))), None);
    }

    #[test]
    fn what_is_no_container_has_none() {
        for text in ["", "1", "\"x\"", "{\"a\":1", "[1,", "[] x", "{}{}", "{a:1}"] {
            assert!(Members::new(text, 0).is_none(), "{text}");
        }
        let all = |text: &str| Members::new(text, 0).unwrap().all.len();
        assert_eq!(
            [all(&format!("[{}1]", "1,".repeat(1000))), all(&format!("[{}1]", "1,".repeat(5000)))],
            [1001, UNITS]
        );
        assert_eq!(all(&format!("{{{}\"b\":1}}", "\"a\":1,".repeat(1000))), MOST);
    }
}
