//! MessagePack.

use crate::decode::bytes::Bytes;
use crate::decode::packed::{self, Packed, Values, text};
use crate::decode::{Confidence, Decode, Hints, Said};
use crate::model::{Node, Timestamp, Value};
use std::borrow::Cow;

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let is_container = matches!(said.bytes.first(), Some(0x80..=0x9f | 0xdc..=0xdf));
    if said.is_text || !is_container { Confidence::No } else { packed::claim(said, whole) }
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Values(whole))
}

/// The value that all of the bytes are.
pub(in crate::decode) fn whole(bytes: &[u8]) -> Option<Node<'_>> {
    of_part(Bytes::new(bytes))
}

/// The value that all of a part of the bytes is.
pub(in crate::decode) fn of_part(part: Bytes<'_>) -> Option<Node<'_>> {
    packed::whole(part, value)
}

fn value<'a>(packed: &mut Packed<'a>, deeper: usize) -> Option<Value<'a>> {
    Some(match packed.bytes.u8()? {
        small @ 0..=0x7f => Value::Int(small.into()),
        count @ 0x80..=0x8f => map(packed, usize::from(count & 15), deeper)?,
        count @ 0x90..=0x9f => list(packed, usize::from(count & 15), deeper)?,
        len @ 0xa0..=0xbf => text(packed.bytes.take(usize::from(len & 31))?),
        0xc0 => Value::Null,
        0xc2 => Value::Flag(false),
        0xc3 => Value::Flag(true),
        size @ 0xc4..=0xc6 => {
            let len = len(packed, size - 0xc4)?;
            packed.bytes(len)?
        }
        size @ 0xc7..=0xc9 => {
            let len = len(packed, size - 0xc7)?;
            extension(packed, len)?
        }
        0xca => Value::Float(f32::from_bits(packed.bytes.u32()?).into()),
        0xcb => Value::Float(f64::from_bits(packed.bytes.u64()?)),
        0xcc => Value::Int(packed.bytes.u8()?.into()),
        0xcd => Value::Int(packed.bytes.u16()?.into()),
        0xce => Value::Int(packed.bytes.u32()?.into()),
        0xcf => Value::Int(packed.bytes.u64()?.into()),
        0xd0 => Value::Int(packed.bytes.u8()?.cast_signed().into()),
        0xd1 => Value::Int(packed.bytes.u16()?.cast_signed().into()),
        0xd2 => Value::Int(packed.bytes.u32()?.cast_signed().into()),
        0xd3 => Value::Int(packed.bytes.u64()?.cast_signed().into()),
        size @ 0xd4..=0xd8 => extension(packed, 1 << (size - 0xd4))?,
        size @ 0xd9..=0xdb => {
            let len = len(packed, size - 0xd9)?;
            text(packed.bytes.take(len)?)
        }
        size @ (0xdc | 0xdd) => {
            let count = len(packed, size - 0xdc + 1)?;
            list(packed, count, deeper)?
        }
        size @ (0xde | 0xdf) => {
            let count = len(packed, size - 0xde + 1)?;
            map(packed, count, deeper)?
        }
        // Never used.
        0xc1 => return None,
        negative @ 0xe0..=0xff => Value::Int(negative.cast_signed().into()),
    })
}

/// A length in one, two or four bytes.
fn len(packed: &mut Packed<'_>, size: u8) -> Option<usize> {
    match size {
        0 => packed.bytes.u8().map(usize::from),
        1 => packed.bytes.u16().map(usize::from),
        _ => usize::try_from(packed.bytes.u32()?).ok(),
    }
}

fn list<'a>(packed: &mut Packed<'a>, count: usize, deeper: usize) -> Option<Value<'a>> {
    packed.list(deeper, |_, read| read >= count as u64)
}

fn map<'a>(packed: &mut Packed<'a>, count: usize, deeper: usize) -> Option<Value<'a>> {
    packed.map(deeper, |_, read| read >= count as u64)
}

/// An extension of so many bytes; a timestamp is one of type -1.
fn extension<'a>(packed: &mut Packed<'a>, len: usize) -> Option<Value<'a>> {
    let kind = packed.bytes.u8()?.cast_signed();
    let data = packed.bytes.take(len)?;
    let time = || {
        let mut data = Bytes::new(data);
        let (seconds, nanos) = match len {
            4 => (i64::from(data.u32()?), 0),
            8 => {
                let both = data.u64()?;
                ((both & 0x3_ffff_ffff).cast_signed(), (both >> 34).cast_signed())
            }
            12 => {
                let nanos = i64::from(data.u32()?);
                (data.u64()?.cast_signed(), nanos)
            }
            _ => return None,
        };
        Some(Timestamp::from_nanos(seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?))
    };
    if let Some(time) = Some(kind).filter(|&kind| kind == -1).and_then(|_| time()) {
        return Some(Value::text(time.to_string()));
    }
    let members = [("extension", Value::Int(kind.into())), ("data", Value::Bytes(Cow::Borrowed(data)))];
    Some(Value::Map(members.map(|(name, value)| (name.into(), value.into())).into()))
}

#[cfg(test)]
mod tests {
    use crate::decode::tests::written;

    #[test]
    fn all_types() {
        let of = |hex: &str| written("msgpack", hex);
        assert_eq!(of("93 01 ff d0 80").as_deref(), Some("[1,-1,-128]"));
        assert_eq!(of("94 c0 c2 c3 cc ff").as_deref(), Some("[null,false,true,255]"));
        assert_eq!(
            of("93 cd 01 00 ce 00 01 00 00 cf ff ff ff ff ff ff ff ff").as_deref(),
            Some("[256,65536,18446744073709551615]")
        );
        assert_eq!(
            of("93 d1 ff 00 d2 ff ff ff 00 d3 80 00 00 00 00 00 00 00").as_deref(),
            Some("[-256,-256,-9223372036854775808]")
        );
        assert_eq!(of("92 ca 3f c0 00 00 cb 3f f8 00 00 00 00 00 00").as_deref(), Some("[1.5,1.5]"));
        assert_eq!(of("93 a2 68 69 d9 02 68 69 da 00 02 ff fe").as_deref(), Some(r#"["hi","hi",{"base64":"//4="}]"#));
        assert_eq!(of("92 c4 01 07 c5 00 01 07").as_deref(), Some(r#"[{"base64":"Bw=="},{"base64":"Bw=="}]"#));
        assert_eq!(of("82 a1 61 81 01 c0 c0 90").as_deref(), Some(r#"{"a":{"1":null},"null":[]}"#));
        assert_eq!(of("de 00 01 a1 61 dc 00 01 05").as_deref(), Some(r#"{"a":[5]}"#));
        assert_eq!(of("91 d6 ff 65 53 f1 00").as_deref(), Some(r#"["2023-11-14T22:13:20.000000000Z"]"#));
        assert_eq!(of("91 d7 ff 77 35 94 00 65 53 f1 00").as_deref(), Some(r#"["2023-11-14T22:13:20.500000000Z"]"#));
        assert_eq!(of("91 d4 05 aa").as_deref(), Some(r#"[{"extension":5,"data":{"base64":"qg=="}}]"#));
    }

    #[test]
    fn what_is_none_or_too_much() {
        for hex in ["", "91", "92 01", "91 c1", "91 01 00", "dd ff ff ff ff", "df 7f ff ff ff 01"] {
            assert_eq!(written("msgpack", hex), None, "{hex}");
        }
        assert_eq!(written("msgpack", &("91".repeat(60) + "00")), None);
        assert_eq!(written("msgpack", &("dd 00 02 00 00".to_owned() + &"00".repeat(0x20000))), None);
    }
}
