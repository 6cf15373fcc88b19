//! How messages stand in a WebSocket message: one by itself, or several of which each has its length before it.
//!
//! ```text
//! delimited   length as varint │ message │ …
//! gRPC        flags (0x01: compressed, 0x80: heads at the end) │ length (4, highest byte first) │ message │ …
//! ```
//!
//! What clients of gRPC say over WebSocket has a NUL before each.

use crate::decode::UNITS;
use crate::decode::bytes::Bytes;
use crate::decode::formats::protobuf::wire;

/// One of these ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    One,
    Grpc,
    Delimited,
}

/// What stands in a frame.
#[derive(Debug, Clone)]
pub(super) enum Framed<'a> {
    Message(Bytes<'a>),
    /// Heads as in HTTP.
    Heads(Bytes<'a>),
    /// A message in an encoding that the connection's heads name.
    Compressed(Bytes<'a>),
}

impl Framing {
    /// All of them, the usual ones first.
    pub(super) const ALL: [Self; 3] = [Self::One, Self::Grpc, Self::Delimited];

    /// What stands in frames up to the end; `None` where the last does not end there.
    pub(super) fn split(self, all: &[u8]) -> Option<Vec<Framed<'_>>> {
        match self {
            Self::One => Some(vec![Framed::Message(Bytes::new(all))]),
            Self::Grpc => frames(all, grpc).or_else(|| frames(all, after_nul)),
            Self::Delimited => frames(all, delimited),
        }
    }
}

/// Of more frames than are told the rest is read as well.
fn frames(all: &[u8], next: for<'a> fn(&mut Bytes<'a>) -> Option<Framed<'a>>) -> Option<Vec<Framed<'_>>> {
    let mut bytes = Bytes::new(all);
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let framed = next(&mut bytes)?;
        if frames.len() < UNITS {
            frames.push(framed);
        }
    }
    Some(frames).filter(|frames| !frames.is_empty())
}

fn delimited<'a>(bytes: &mut Bytes<'a>) -> Option<Framed<'a>> {
    let len = usize::try_from(wire::varint(bytes)?).ok()?;
    bytes.part(len).map(Framed::Message)
}

fn after_nul<'a>(bytes: &mut Bytes<'a>) -> Option<Framed<'a>> {
    bytes.u8().filter(|nul| *nul == 0)?;
    grpc(bytes)
}

fn grpc<'a>(bytes: &mut Bytes<'a>) -> Option<Framed<'a>> {
    let flags = bytes.u8()?;
    let len = usize::try_from(bytes.u32()?).ok()?;
    let inside = bytes.part(len)?;
    Some(match flags {
        0 => Framed::Message(inside),
        1 => Framed::Compressed(inside),
        0x80 => Framed::Heads(inside),
        _ => return None,
    })
}
