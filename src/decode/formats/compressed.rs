//! Payloads that an application compressed: gzip (RFC 1952) and zlib (RFC 1950), and what is in them.

use crate::decode::formats::wrapped::{self, MOST};
use crate::decode::{Confidence, Decode, Decoder, Hints, Said};
use crate::model::Unit;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use std::io::Read;

/// The encoding, and what it inflates to: once, whoever asks.
fn inflated<'s>(said: &'s Said<'_>) -> Option<&'s (&'static str, Vec<u8>)> {
    said.inflated.get_or_init(|| inflate(said.bytes)).as_ref()
}

fn inflate(bytes: &[u8]) -> Option<(&'static str, Vec<u8>)> {
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

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    // Both end with a checksum: what inflates to its end is no chance.
    Confidence::Sure.when(!said.is_text && inflated(said).is_some())
}

pub(in crate::decode) fn open(hints: &Hints) -> Box<dyn Decode> {
    Box::new(Compressed(hints.inside()))
}

#[derive(Clone)]
struct Compressed(Hints);

impl Decode for Compressed {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let (name, out) = inflated(said)?;
        let inner = wrapped::inner(said, out);
        Some(wrapped::units(&self.0, said, name, &inner, inside(&self.0, &inner)))
    }
}

/// What is packed twice is shown as it is: one bomb is enough.
fn inside(hints: &Hints, said: &Said<'_>) -> Option<&'static Decoder> {
    wrapped::inside(hints, said, Confidence::Weak, |name| !matches!(name, "compressed" | "base64"))
}
