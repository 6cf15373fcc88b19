//! Values packed in bytes: what their encodings have in common.

use super::bytes::Bytes;
use super::{Confidence, Decode, NESTED, Said, VALUES, path, write};
use crate::model::{Node, Timestamp, Unit, Value};
use std::borrow::Cow;

/// Bytes of a message without any text in it that may be a value all the same; fewer are so by chance.
const TEXTLESS: usize = 4;

/// Reads the value that comes next; so many containers may still be in one another.
pub(super) type Encoding = for<'a> fn(&mut Packed<'a>, usize) -> Option<Value<'a>>;

/// The value that all of the bytes are.
pub(super) type Whole = for<'a> fn(&'a [u8]) -> Option<Node<'a>>;

/// Values of one encoding, read in order.
pub(super) struct Packed<'a> {
    pub(super) bytes: Bytes<'a>,
    encoding: Encoding,
    /// Values that may still come.
    left: usize,
}

impl<'a> Packed<'a> {
    pub(super) const fn new(bytes: Bytes<'a>, encoding: Encoding) -> Self {
        Self { bytes, encoding, left: VALUES }
    }

    /// The value that comes next; `None` where there is none, or too much of it.
    pub(super) fn node(&mut self, deeper: usize) -> Option<Node<'a>> {
        self.count()?;
        let begin = self.bytes.at();
        let value = (self.encoding)(self, deeper)?;
        Some(Node::at(value, begin..self.bytes.at()))
    }

    /// Counts one more value.
    pub(super) fn count(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        Some(())
    }

    /// Values until all of so many were read, or `is_over` says so.
    pub(super) fn list(&mut self, deeper: usize, mut is_over: impl FnMut(&mut Self, u64) -> bool) -> Option<Value<'a>> {
        let deeper = deeper.checked_sub(1)?;
        let mut items = Vec::new();
        while !is_over(self, items.len() as u64) {
            items.push(self.node(deeper)?);
        }
        Some(Value::List(items))
    }

    /// Pairs of names and values, in the same way.
    pub(super) fn map(&mut self, deeper: usize, mut is_over: impl FnMut(&mut Self, u64) -> bool) -> Option<Value<'a>> {
        let deeper = deeper.checked_sub(1)?;
        let mut members = Vec::new();
        while !is_over(self, members.len() as u64) {
            members.push((name(self.node(deeper)?), self.node(deeper)?));
        }
        Some(Value::Map(members))
    }

    /// What the next bytes, so many, are to `read`, and all of them; they are passed over in any case.
    pub(super) fn part<T>(&mut self, len: usize, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let part = self.bytes.part(len)?;
        let around = std::mem::replace(&mut self.bytes, part);
        let value = read(self).filter(|_| self.bytes.is_empty());
        self.bytes = around;
        value
    }

    /// So many bytes, as a value.
    pub(super) fn bytes(&mut self, len: usize) -> Option<Value<'a>> {
        self.bytes.take(len).map(|bytes| Value::Bytes(Cow::Borrowed(bytes)))
    }
}

/// The value that all of the bytes are in an encoding.
pub(super) fn whole(bytes: Bytes<'_>, encoding: Encoding) -> Option<Node<'_>> {
    let mut packed = Packed::new(bytes, encoding);
    packed.node(NESTED).filter(|_| packed.bytes.is_empty())
}

/// How sure one may be of a message that `whole` reads: texts are not there by chance.
pub(super) fn claim(said: &Said<'_>, whole: Whole) -> Confidence {
    match whole(said.bytes) {
        Some(node) if has_text(&node) => Confidence::Likely,
        Some(_) => Confidence::Weak.when(said.bytes.len() >= TEXTLESS),
        None => Confidence::No,
    }
}

/// Whether any text stands in a value.
pub(super) fn has_text(node: &Node<'_>) -> bool {
    match &node.value {
        Value::Text(text) => !text.is_empty(),
        Value::List(items) => items.iter().any(has_text),
        Value::Map(members) => members.iter().any(|(name, member)| name.len() > 2 || has_text(member)),
        _ => false,
    }
}

/// Whether a text has none of the characters that texts for people do not have.
pub(super) fn is_shown(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// The time so many milliseconds after 1970; one that no calendar has is a number.
pub(super) fn time(millis: i64) -> Value<'static> {
    let nanos = millis.checked_mul(1_000_000);
    nanos.map_or(Value::Int(millis.into()), |nanos| Value::text(Timestamp::from_nanos(nanos).to_string()))
}

/// A string; one that is not UTF-8 is bytes.
pub(super) fn text(bytes: &[u8]) -> Value<'_> {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Value::Text(Cow::Borrowed(text)),
        Err(_) => Value::Bytes(Cow::Borrowed(bytes)),
    }
}

/// What an application carries: JSON, another text, or bytes.
pub(super) fn payload(bytes: &[u8]) -> Value<'_> {
    match text(bytes) {
        Value::Text(text) if text.starts_with(['{', '[']) && path::is_json(text.as_bytes()) => Value::Json(text),
        other => other,
    }
}

/// The name of a member: a text, or anything else as JSON.
pub(super) fn name(key: Node<'_>) -> Cow<'_, str> {
    match key.value {
        Value::Text(text) => text,
        other => {
            let mut out = Vec::new();
            write::value(&other, &mut out);
            Cow::Owned(String::from_utf8_lossy(&out).into_owned())
        }
    }
}

/// Messages each of which is one value.
#[derive(Clone)]
pub(super) struct Values(pub(super) Whole);

impl Decode for Values {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        (self.0)(said.bytes).map(|node| vec![Unit::of_value(node)])
    }
}
