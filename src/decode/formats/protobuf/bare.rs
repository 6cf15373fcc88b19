//! Messages whose schema is not known: fields by their number.
//!
//! Any bytes may be so by chance: a message is taken for one only where all of its fields end with it, its numbers are small, and there is
//! a text in it.

use super::wire::{self, Wire};
use crate::decode::VALUES;
use crate::decode::bytes::Bytes;
use crate::decode::packed::is_shown;
use crate::model::{Node, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The greatest number of a field that is believed.
const FIELDS: u32 = 1000;

/// Messages inside one another.
const NESTED: usize = 16;

/// The message that all of the bytes are.
pub(super) fn whole(bytes: Bytes<'_>) -> Option<Node<'_>> {
    let begin = bytes.at();
    let len = bytes.rest().len();
    let value = message(bytes, NESTED, &mut { VALUES })?;
    Some(Node::at(value, begin..begin + len)).filter(|_| len > 0)
}

/// A message as a map: a field that comes again is a list. `left`: values that may still be read.
fn message<'a>(mut bytes: Bytes<'a>, deeper: usize, left: &mut usize) -> Option<Value<'a>> {
    let mut fields: BTreeMap<u32, Vec<Node<'a>>> = BTreeMap::new();
    while !bytes.is_empty() {
        *left = left.checked_sub(1)?;
        let wire::Field { number, wire, place } = wire::field(&mut bytes)?;
        let is_believed = number <= FIELDS && !matches!(wire, Wire::Group(_));
        let node = is_believed.then(|| Node::at(value(wire, deeper, left), place))?;
        fields.entry(number).or_default().push(node);
    }
    let member = |(number, values): (u32, _)| (Cow::Owned(number.to_string()), joined(values));
    Some(Value::Map(fields.into_iter().map(member).collect()))
}

/// One value by itself, several as a list.
pub(super) fn joined(mut values: Vec<Node<'_>>) -> Node<'_> {
    match (values.pop(), values.is_empty()) {
        (Some(only), true) => only,
        (last, _) => Value::List(values.into_iter().chain(last).collect()).into(),
    }
}

/// What a field says of which nothing is known.
pub(super) fn value<'a>(wire: Wire<'a>, deeper: usize, left: &mut usize) -> Value<'a> {
    match wire {
        Wire::Varint(number) => Value::Int(number.into()),
        Wire::Eight(bits) => fixed(bits, f64::from_bits),
        Wire::Four(bits) => fixed(bits.into(), |bits| f32::from_bits(bits as u32).into()),
        Wire::Piece(piece) | Wire::Group(piece) => inside(piece, deeper, left),
    }
}

/// What stands behind a length: a text, a message, or bytes.
fn inside<'a>(piece: Bytes<'a>, deeper: usize, left: &mut usize) -> Value<'a> {
    let all = piece.rest();
    if let Some(text) = simdutf8::basic::from_utf8(all).ok().filter(|text| is_shown(text)) {
        return Value::Text(Cow::Borrowed(text));
    }
    let inner = deeper.checked_sub(1).and_then(|deeper| message(piece, deeper, left));
    inner.unwrap_or(Value::Bytes(Cow::Borrowed(all)))
}

/// A number of fixed length: one with a fraction where its bits make one that people use.
fn fixed(bits: u64, float: impl Fn(u64) -> f64) -> Value<'static> {
    let number = float(bits);
    let is_usual = number == 0.0 && bits == 0 || (1e-9..1e18).contains(&number.abs());
    if is_usual { Value::Float(number) } else { Value::Int(bits.into()) }
}

#[cfg(test)]
mod tests {
    use crate::decode::tests::written;

    #[test]
    fn fields_by_their_number() {
        let of = |hex: &str| written("protobuf", hex);
        // Examples of its encoding guide.
        assert_eq!(of("08 96 01").as_deref(), Some(r#"{"1":150}"#));
        assert_eq!(of("12 07 74 65 73 74 69 6e 67").as_deref(), Some(r#"{"2":"testing"}"#));
        assert_eq!(of("1a 03 08 96 01").as_deref(), Some(r#"{"3":{"1":150}}"#));
        assert_eq!(of("08 01 08 02 11 9a 99 99 99 99 99 f1 3f").as_deref(), Some(r#"{"1":[1,2],"2":1.1}"#));
        assert_eq!(of("15 00 00 c0 3f 1a 02 ff fe").as_deref(), Some(r#"{"2":1.5,"3":{"base64":"//4="}}"#));
        assert_eq!(of("08 ff ff ff ff ff ff ff ff ff 01").as_deref(), Some(r#"{"1":18446744073709551615}"#));
        for wrong in ["", "00", "08", "0b 0c", "12 05 61", "08 96 01 ff", "08 ff ff ff ff ff ff ff ff ff ff 01"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
