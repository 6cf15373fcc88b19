//! BSON 1.1, a document.
//!
//! ```text
//! length of all (4, lowest byte first) │ elements: type, name NUL, value │ NUL
//! ```

use crate::decode::bytes::Bytes;
use crate::decode::packed::{self, Packed, Values, text, time};
use crate::decode::{Confidence, Decode, Hints, Said, map};
use crate::model::{Node, Value};

/// Bytes of a document with nothing in it.
const EMPTY: usize = 5;

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let is_framed = || {
        let len = said.bytes.first_chunk().map(|len| u32::from_le_bytes(*len));
        said.bytes.len() > EMPTY && len == u32::try_from(said.bytes.len()).ok() && said.bytes.last() == Some(&0)
    };
    Confidence::Likely.when(!said.is_text && is_framed() && whole(said.bytes).is_some())
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Values(whole))
}

/// The document that all of the bytes are.
fn whole(bytes: &[u8]) -> Option<Node<'_>> {
    packed::whole(Bytes::new(bytes), |packed, deeper| document(packed, deeper, false))
}

fn document<'a>(packed: &mut Packed<'a>, deeper: usize, is_list: bool) -> Option<Value<'a>> {
    let (deeper, len) = (deeper.checked_sub(1)?, packed.bytes.u32_le()?);
    let len = usize::try_from(len).ok()?.checked_sub(4)?;
    packed.part(len, |packed| {
        let mut members = Vec::new();
        loop {
            packed.count()?;
            let kind = packed.bytes.u8()?;
            if kind == 0 {
                break;
            }
            let Value::Text(name) = text(until_nul(packed)?) else { return None };
            let begin = packed.bytes.at();
            let value = element(packed, kind, deeper)?;
            members.push((name, Node::at(value, begin..packed.bytes.at())));
        }
        // The names in a list are 0, 1, 2 …
        Some(if is_list {
            Value::List(members.into_iter().map(|(_, item)| item).collect())
        } else {
            Value::Map(members)
        })
    })
}

fn element<'a>(packed: &mut Packed<'a>, kind: u8, deeper: usize) -> Option<Value<'a>> {
    let named = |members: [(&'static str, Value<'a>); 2]| map(members.map(|(name, value)| (name, value.into()))).value;
    Some(match kind {
        0x01 => Value::Float(f64::from_bits(packed.bytes.u64_le()?)),
        0x02 | 0x0d | 0x0e => string(packed)?,
        0x03 => document(packed, deeper, false)?,
        0x04 => document(packed, deeper, true)?,
        0x05 => {
            let len = usize::try_from(packed.bytes.u32_le()?).ok()?;
            packed.bytes.u8()?;
            packed.bytes(len)?
        }
        0x06 | 0x0a => Value::Null,
        0x07 => {
            let digits: String = packed.bytes.take(12)?.iter().map(|byte| format!("{byte:02x}")).collect();
            map([("$oid", Value::text(digits).into())]).value
        }
        0x08 => Value::Flag(match packed.bytes.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        }),
        0x09 => time(packed.bytes.u64_le()?.cast_signed()),
        0x0b => {
            let (pattern, options) = (until_nul(packed)?, until_nul(packed)?);
            named([("$regex", text(pattern)), ("$options", text(options))])
        }
        0x10 => Value::Int(packed.bytes.u32_le()?.cast_signed().into()),
        0x11 => {
            let (nth, seconds) = (packed.bytes.u32_le()?, packed.bytes.u32_le()?);
            named([("t", Value::Int(seconds.into())), ("i", Value::Int(nth.into()))])
        }
        0x12 => Value::Int(packed.bytes.u64_le()?.cast_signed().into()),
        0x13 => packed.bytes(16)?,
        0x7f => Value::text("MaxKey"),
        0xff => Value::text("MinKey"),
        // Code with a scope and pointers are of the past.
        _ => return None,
    })
}

/// A text behind its length, which counts the NUL at its end.
fn string<'a>(packed: &mut Packed<'a>) -> Option<Value<'a>> {
    let len = usize::try_from(packed.bytes.u32_le()?).ok()?.checked_sub(1)?;
    let value = text(packed.bytes.take(len)?);
    packed.bytes.u8().filter(|end| *end == 0)?;
    Some(value)
}

/// The bytes before the next NUL, which is passed over.
fn until_nul<'a>(packed: &mut Packed<'a>) -> Option<&'a [u8]> {
    let bytes = packed.bytes.take(memchr::memchr(0, packed.bytes.rest())?)?;
    packed.bytes.u8()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use crate::decode::tests::written;

    /// The two documents of the specification's page, and one with values of other types.
    #[test]
    fn documents_of_the_specification() {
        let of = |hex: &str| written("bson", hex);
        let hello = "16000000 02 68656c6c6f00 06000000 776f726c6400 00";
        assert_eq!(of(hello).as_deref(), Some(r#"{"hello":"world"}"#));
        let list = "31000000 04 42534f4e00 26000000 02 3000 08000000 617765736f6d6500 01 3100 333333333333 1440 10 3200 c2070000 00 00";
        assert_eq!(of(list).as_deref(), Some(r#"{"BSON":["awesome",5.05,1986]}"#));
        let rest = "07 6900 0102030405060708090a0b0c 08 6200 01 0a 6e00 09 6400 00a05a4d8b010000 12 6c00 ffffffffffffffff 05 7800 01000000 00 07 0b 7200 6100 6900 11 7400 01000000 02000000";
        let all = format!("{:02x}000000 {rest} 00", 5 + rest.bytes().filter(u8::is_ascii_hexdigit).count() / 2);
        let wanted = r#"{"i":{"$oid":"0102030405060708090a0b0c"},"b":true,"n":null,"d":"2023-10-20T13:51:06.752000000Z","l":-1,"x":{"base64":"Bw=="},"r":{"$regex":"a","$options":"i"},"t":{"t":2,"i":1}}"#;
        assert_eq!(of(&all).as_deref(), Some(wanted));
        for wrong in
            ["", "0500000000 00", "04000000", "06000000 0800", "16000000 02 68656c6c6f00 07000000 776f726c6400 00"]
        {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
