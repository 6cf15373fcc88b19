//! Payloads that an application compressed: gzip (RFC 1952) and zlib (RFC 1950), and what is in them.

use super::{Confidence, Decode, Hints, Said, Session, map};
use crate::model::{Node, Unit, Value};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use std::io::Read;

/// Bytes to which a payload may inflate.
const MOST: u64 = 4 << 20;

/// The encoding, and what it inflates to.
fn inflated(bytes: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let mut out = Vec::new();
    let (name, read) = match bytes {
        [0x1f, 0x8b, 8, ..] => ("gzip", MultiGzDecoder::new(bytes).take(MOST + 1).read_to_end(&mut out)),
        [0x78, flags, ..] if (0x7800 + u16::from(*flags)).is_multiple_of(31) => {
            ("zlib", ZlibDecoder::new(bytes).take(MOST + 1).read_to_end(&mut out))
        }
        _ => return None,
    };
    (read.is_ok() && out.len() as u64 <= MOST).then_some((name, out))
}

pub(super) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    // Both end with a checksum: what inflates to its end is no chance.
    Confidence::Sure.when(!said.is_text && inflated(said.bytes).is_some())
}

pub(super) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Compressed)
}

#[derive(Clone)]
struct Compressed;

impl Decode for Compressed {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let (name, out) = inflated(said.bytes)?;
        let inner = Said::new(said.dir, false, &out);
        let whole = |inside: &str, data: Node<'static>| {
            let chain = [name, inside].map(|it| Value::text(it.to_owned()).into());
            let tree = map([("encodings", Value::List(chain.into()).into()), ("data", data)]);
            Node { bytes: Some(0..said.bytes.len()), ..tree }
        };
        // What is packed twice is shown as it is: one bomb is enough.
        let decoder = Session::format(&inner).filter(|decoder| decoder.name != "compressed");
        let units = decoder.and_then(|decoder| (decoder.open)(&Hints::default()).message(&inner));
        let (Some(decoder), Some(units)) = (decoder, units) else {
            let value = match inner.text {
                Some(text) => Value::text(text.to_owned()),
                None => Value::Bytes(out.clone().into()),
            };
            let inside = if inner.text.is_some() { "text" } else { "bytes" };
            return Some(vec![Unit { said: Some(value.clone()), ..Unit::new(name, whole(inside, value.into())) }]);
        };
        let unit = |unit: Unit<'_>| {
            let unit = unit.into_owned();
            let words = format!("{name} {}", unit.words).trim_end().to_owned();
            Unit { words: words.into(), tree: whole(decoder.name, unit.tree), ..unit }
        };
        Some(units.into_iter().map(unit).collect())
    }
}
