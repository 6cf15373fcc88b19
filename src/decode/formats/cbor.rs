//! CBOR (RFC 8949).

use crate::decode::bytes::Bytes;
use crate::decode::packed::{self, Packed, Values, text};
use crate::decode::{Confidence, Decode, Hints, Said};
use crate::model::{Node, Value};

/// The tag that says of what follows that it is CBOR (RFC 8949 §3.4.6).
const SELF: &[u8] = &[0xd9, 0xd9, 0xf7];

/// What ends items of which it was not said how many there are.
const BREAK: u8 = 0xff;

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let is_said = said.bytes.starts_with(SELF);
    let is_container = matches!(said.bytes.first(), Some(0x80..=0xbf));
    match (said.is_text, is_said, is_container) {
        (true, ..) | (_, false, false) => Confidence::No,
        (_, true, _) => Confidence::Sure.when(whole(said.bytes).is_some()),
        (_, false, true) => packed::claim(said, whole),
    }
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Values(whole))
}

/// The value that all of the bytes are.
pub(in crate::decode) fn whole(bytes: &[u8]) -> Option<Node<'_>> {
    packed::whole(Bytes::new(bytes), value)
}

fn value<'a>(packed: &mut Packed<'a>, deeper: usize) -> Option<Value<'a>> {
    let head = packed.bytes.u8()?;
    let (kind, short) = (head >> 5, head & 31);
    if kind == 7 {
        return simple(packed, short);
    }
    let count = argument(packed, short);
    if count.is_none() && (short != 31 || !(2..=5).contains(&kind)) {
        return None;
    }
    Some(match (kind, count) {
        (0, Some(number)) => Value::Int(number.into()),
        (1, Some(number)) => Value::Int(-1 - i128::from(number)),
        (2, Some(len)) => packed.bytes(usize::try_from(len).ok()?)?,
        (3, Some(len)) => text(packed.bytes.take(usize::try_from(len).ok()?)?),
        (2 | 3, None) => pieces(packed, kind)?,
        (4, len) => packed.list(deeper, |packed, read| is_over(packed, read, len))?,
        (5, len) => packed.map(deeper, |packed, read| is_over(packed, read, len))?,
        (_, Some(tag)) => {
            let inner = packed.node(deeper.checked_sub(1)?)?;
            if head == 0xd9 && tag == 55_799 {
                return Some(inner.value);
            }
            let tag = Value::Int(tag.into());
            Value::Map(vec![("tag".into(), tag.into()), ("value".into(), inner)])
        }
        (_, None) => return None,
    })
}

/// The number that a head has, or that follows it; `None` also where it says that none does (31).
fn argument(packed: &mut Packed<'_>, short: u8) -> Option<u64> {
    match short {
        0..=23 => Some(short.into()),
        24 => packed.bytes.u8().map(Into::into),
        25 => packed.bytes.u16().map(Into::into),
        26 => packed.bytes.u32().map(Into::into),
        27 => packed.bytes.u64(),
        _ => None,
    }
}

fn simple<'a>(packed: &mut Packed<'a>, short: u8) -> Option<Value<'a>> {
    Some(match short {
        20 => Value::Flag(false),
        21 => Value::Flag(true),
        22 | 23 => Value::Null,
        25 => Value::Float(half(packed.bytes.u16()?)),
        26 => Value::Float(f32::from_bits(packed.bytes.u32()?).into()),
        27 => Value::Float(f64::from_bits(packed.bytes.u64()?)),
        _ => return None,
    })
}

/// Whether no more items follow: all of so many were read, or a break stands here.
fn is_over(packed: &mut Packed<'_>, read: u64, len: Option<u64>) -> bool {
    match len {
        Some(len) => read >= len,
        None => packed.bytes.peek() == Some(BREAK) && packed.bytes.u8().is_some(),
    }
}

/// A text, or bytes, in pieces of its kind.
fn pieces<'a>(packed: &mut Packed<'a>, kind: u8) -> Option<Value<'a>> {
    let mut all = Vec::new();
    while !is_over(packed, 0, None) {
        let head = packed.bytes.u8().filter(|head| head >> 5 == kind)?;
        let len = argument(packed, head & 31)?;
        all.extend_from_slice(packed.bytes.take(usize::try_from(len).ok()?)?);
    }
    Some(match String::from_utf8(all) {
        Ok(text) if kind == 3 => Value::text(text),
        Ok(text) => Value::Bytes(text.into_bytes().into()),
        Err(error) => Value::Bytes(error.into_bytes().into()),
    })
}

/// A number of sixteen bits (IEEE 754 binary16).
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use crate::decode::tests::written;

    /// Examples of RFC 8949 appendix A, in an array of one each.
    #[test]
    fn examples_of_the_rfc() {
        for (hex, wanted) in [
            ("00", "0"),
            ("1864", "100"),
            ("1bffffffffffffffff", "18446744073709551615"),
            ("3bffffffffffffffff", "-18446744073709551616"),
            ("3903e7", "-1000"),
            ("f90000", "0.0"),
            ("f93c00", "1.0"),
            ("f97bff", "65504.0"),
            ("f90001", "5.960464477539063e-8"),
            ("f9c400", "-4.0"),
            ("f97c00", "\"inf\""),
            ("fb3ff199999999999a", "1.1"),
            ("f4", "false"),
            ("f6", "null"),
            ("c074323031332d30332d32315432303a30343a30305a", r#"{"tag":0,"value":"2013-03-21T20:04:00Z"}"#),
            ("4401020304", r#"{"base64":"AQIDBA=="}"#),
            ("62c3bc", "\"ü\""),
            ("83010203", "[1,2,3]"),
            ("a201020304", r#"{"1":2,"3":4}"#),
            ("5f42010243030405ff", r#"{"base64":"AQIDBAU="}"#),
            ("7f657374726561646d696e67ff", "\"streaming\""),
            ("9f018202039f0405ffff", "[1,[2,3],[4,5]]"),
            ("bf61610161629f0203ffff", r#"{"a":1,"b":[2,3]}"#),
        ] {
            let told = written("cbor", &format!("81{hex}"));
            assert_eq!(told, Some(format!("[{wanted}]")), "{hex}");
        }
        assert_eq!(written("cbor", "d9d9f7 8101").as_deref(), Some("[1]"));
    }

    #[test]
    fn what_is_none_or_too_much() {
        for hex in [
            "",
            "81",
            "8118",
            "811c",
            "81ff",
            "8100 00",
            "9f01",
            "817f4101ff",
            "9bffffffffffffffff",
            "81f8ff",
            "811f",
            "81df",
        ] {
            assert_eq!(written("cbor", hex), None, "{hex}");
        }
        assert_eq!(written("cbor", &("81".repeat(60) + "00")), None);
    }
}
