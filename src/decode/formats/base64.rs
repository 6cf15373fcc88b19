//! Base64 (RFC 4648 §4, §5) that a text is throughout, or that stands in a `data:` URL (RFC 2397), and what is in it.
//!
//! Words and digests look like it: what is inside must look like something, too.

use crate::decode::formats::wrapped;
use crate::decode::packed::is_shown;
use crate::decode::{Confidence, Decode, Decoder, Hints, Said};
use crate::model::Unit;
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Characters of the shortest text that is looked into.
const LEAST: usize = 16;

/// Padding may be left out, as in URLs.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// What is inside, and the decoder for that.
#[derive(Debug)]
pub(in crate::decode) struct Plain {
    out: Vec<u8>,
    decoder: Option<&'static Decoder>,
}

/// What a text has inside that is Base64: found out once, whoever asks.
fn inside<'s>(hints: &Hints, said: &'s Said<'_>) -> Option<&'s Plain> {
    said.plain.get_or_init(|| plain(hints, said)).as_ref()
}

fn plain(hints: &Hints, said: &Said<'_>) -> Option<Plain> {
    let text = said.text?.trim_ascii_end().as_bytes();
    let digits = match text.strip_prefix(b"data:") {
        Some(url) => url.get(memchr::memmem::find(url.get(..url.len().min(256))?, b";base64,")? + 8..)?,
        None => text,
    };
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    if digits.len() < LEAST || digits.len() as u64 > wrapped::MOST || !digits.iter().all(is_digit) {
        return None;
    }
    let is_url = memchr::memchr2(b'-', b'_', digits).is_some();
    let out = GeneralPurpose::new(if is_url { &URL_SAFE } else { &STANDARD }, LENIENT).decode(digits).ok()?;
    let inner = wrapped::inner(said, &out);
    let decoder = wrapped::inside(hints, &inner, Confidence::Likely, |name| name != "base64");
    let is_something = inner.text.is_some_and(is_shown) || decoder.is_some();
    is_something.then_some(Plain { out, decoder })
}

pub(in crate::decode) fn claims(hints: &Hints, said: &Said<'_>) -> Confidence {
    Confidence::Likely.when(inside(hints, said).is_some())
}

pub(in crate::decode) fn open(hints: &Hints) -> Box<dyn Decode> {
    Box::new(Base64(hints.inside()))
}

#[derive(Clone)]
struct Base64(Hints);

impl Decode for Base64 {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let Plain { out, decoder } = inside(&self.0, said)?;
        Some(wrapped::units(&self.0, said, "base64", &wrapped::inner(said, out), *decoder))
    }
}
