//! What files of all kinds begin with: pictures, sound, video, documents. Only what they are is told, not what is in them.

use crate::decode::{Confidence, Decode, Hints, Said, map};
use crate::model::{Node, Unit, Value};
use std::borrow::Cow;

/// Type (IANA), where it is told, and the bytes that tell it.
const MAGIC: &[(&str, usize, &[u8])] = &[
    ("image/png", 0, b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", 0, b"\xff\xd8\xff"),
    ("image/gif", 0, b"GIF87a"),
    ("image/gif", 0, b"GIF89a"),
    ("image/webp", 8, b"WEBPVP8"),
    ("image/avif", 4, b"ftypavif"),
    ("image/tiff", 0, b"II*\0"),
    ("audio/wav", 8, b"WAVEfmt "),
    ("audio/flac", 0, b"fLaC"),
    ("audio/mpeg", 0, b"ID3"),
    ("audio/ogg", 28, b"OpusHead"),
    ("application/ogg", 0, b"OggS\0"),
    ("video/webm", 0, b"\x1a\x45\xdf\xa3"),
    ("video/mp4", 4, b"ftyp"),
    ("video/mp4", 4, b"moof"),
    ("video/mp4", 4, b"styp"),
    ("video/h264", 0, b"\0\0\0\x01\x67"),
    ("application/pdf", 0, b"%PDF-"),
    ("application/zip", 0, b"PK\x03\x04"),
    ("application/wasm", 0, b"\0asm\x01\0\0\0"),
];

/// The type of a message.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let is = |(_, at, magic): &&(&str, usize, &[u8])| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic));
    MAGIC.iter().find(is).map(|(kind, ..)| *kind)
}

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    Confidence::Likely.when(!said.is_text && kind(said.bytes).is_some())
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Media)
}

#[derive(Clone)]
struct Media;

impl Decode for Media {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let kind = kind(said.bytes)?;
        let data = Value::Bytes(Cow::Borrowed(said.bytes));
        let tree = map([("type", Value::text(kind).into()), ("data", Node::at(data.clone(), 0..said.bytes.len()))]);
        Some(vec![Unit { event: Some(kind.into()), said: Some(data), ..Unit::new(kind, tree) }])
    }
}
