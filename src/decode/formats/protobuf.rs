//! Protocol Buffers without a schema: fields by their number.
//!
//! ```text
//! tag: number << 3 | wire type     0 varint │ 1 eight bytes │ 2 length and bytes: text, message or bytes │ 5 four bytes
//! ```
//!
//! Any bytes may be so by chance: a message is taken for one only where all of its fields end with it, its numbers are small, and there is
//! a text in it.

use crate::decode::packed::{self, Packed, Values, has_text, is_shown};
use crate::decode::{Confidence, Decode, Hints, Said};
use crate::model::{Node, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The greatest number of a field that is believed.
const FIELDS: u64 = 1000;

/// Messages inside one another.
const NESTED: usize = 16;

/// Bytes of a varint.
const VARINT: u32 = 10;

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let is_one = || {
        whole(said.bytes).is_some_and(|node| matches!(&node.value, Value::Map(all) if all.len() > 1) && has_text(&node))
    };
    Confidence::Weak.when(!said.is_text && is_one())
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Values(whole))
}

/// The message that all of the bytes are.
fn whole(bytes: &[u8]) -> Option<Node<'_>> {
    packed::whole(bytes, |packed, _| message(packed, NESTED)).filter(|_| !bytes.is_empty())
}

/// A message as a map: a field that comes again is a list.
fn message<'a>(packed: &mut Packed<'a>, deeper: usize) -> Option<Value<'a>> {
    let mut fields: BTreeMap<u64, Vec<Node<'a>>> = BTreeMap::new();
    while !packed.bytes.is_empty() {
        packed.count()?;
        let tag = packed.bytes.varint(VARINT)?;
        let number = Some(tag >> 3).filter(|number| (1..=FIELDS).contains(number))?;
        let begin = packed.bytes.at();
        let value = match tag & 7 {
            0 => Value::Int(packed.bytes.varint(VARINT)?.into()),
            1 => fixed(packed.bytes.u64_le()?, f64::from_bits),
            2 => {
                let len = usize::try_from(packed.bytes.varint(VARINT)?).ok()?;
                piece(packed, len, deeper)?
            }
            5 => fixed(packed.bytes.u32_le()?.into(), |bits| f32::from_bits(bits as u32).into()),
            _ => return None,
        };
        let node = Node::at(value, begin..packed.bytes.at());
        fields.entry(number).or_default().push(node);
    }
    let members = fields.into_iter().map(|(number, mut values)| {
        let value = match (values.pop(), values.is_empty()) {
            (Some(only), true) => only,
            (last, _) => Value::List(values.into_iter().chain(last).collect()).into(),
        };
        (Cow::Owned(number.to_string()), value)
    });
    Some(Value::Map(members.collect()))
}

/// What stands behind a length: a text, a message, or bytes.
fn piece<'a>(packed: &mut Packed<'a>, len: usize, deeper: usize) -> Option<Value<'a>> {
    let all = packed.bytes.clone().take(len)?;
    if let Some(text) = simdutf8::basic::from_utf8(all).ok().filter(|text| is_shown(text)) {
        packed.bytes.take(len)?;
        return Some(Value::Text(Cow::Borrowed(text)));
    }
    let inside = packed.part(len, |packed| message(packed, deeper.checked_sub(1)?));
    Some(inside.unwrap_or(Value::Bytes(Cow::Borrowed(all))))
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
