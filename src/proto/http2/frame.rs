//! Frame heads (RFC 9113 §4.1), with nom: bytes in, value out; and the rules that a head alone can break.

pub(super) use crate::model::H2_HEAD as HEAD;
use crate::model::StreamId;
use nom::number::streaming::{be_u24, be_u32, u8};
use nom::{IResult, Parser};
use std::fmt;

/// Bytes of a payload when nothing else was said (RFC 9113 §4.2).
pub(super) const SIZE_DEFAULT: u32 = 1 << 14;

/// A frame's head, whatever its bits say.
///
/// ```text
/// +-----------------------------------------------+
/// |                 length (24)                   |
/// +---------------+---------------+---------------+
/// |   type (8)    |   flags (8)   |
/// +-+-------------+---------------+-------------------------------+
/// |R|                 stream identifier (31)                      |
/// +-+-------------------------------------------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Payload length in bytes.
    pub(super) len: u32,
    pub(super) kind: Kind,
    pub(super) flags: u8,
    pub(super) stream: StreamId,
}

/// What a frame is (RFC 9113 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(pub(super) u8);

impl Kind {
    pub(super) const DATA: Self = Self(0);
    pub(super) const HEADERS: Self = Self(1);
    pub(super) const PRIORITY: Self = Self(2);
    pub(super) const RST_STREAM: Self = Self(3);
    pub(super) const SETTINGS: Self = Self(4);
    pub(super) const PUSH_PROMISE: Self = Self(5);
    pub(super) const PING: Self = Self(6);
    pub(super) const GOAWAY: Self = Self(7);
    pub(super) const WINDOW_UPDATE: Self = Self(8);
    pub(super) const CONTINUATION: Self = Self(9);
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 10] = [
            "DATA",
            "HEADERS",
            "PRIORITY",
            "RST_STREAM",
            "SETTINGS",
            "PUSH_PROMISE",
            "PING",
            "GOAWAY",
            "WINDOW_UPDATE",
            "CONTINUATION",
        ];
        match NAMES.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            None => write!(f, "type {:#04x}", self.0),
        }
    }
}

/// Flags, by the types that have them.
pub(super) const END_STREAM: u8 = 0x01;
pub(super) const ACK: u8 = 0x01;
pub(super) const END_HEADERS: u8 = 0x04;
const PADDED: u8 = 0x08;
const PRIORITY: u8 = 0x20;

/// Reads a head; `None` when not all of it is there.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    fields(bytes).ok().map(|(_, head)| head)
}

/// A frame of DATA of at most so many bytes that begins there, with no more to it than its bytes, which are all there.
pub(super) fn whole_data(bytes: &[u8], most: u32) -> Option<(Head, &[u8])> {
    let head =
        head(bytes).filter(|head| head.kind == Kind::DATA && head.flags == 0 && (1..=most).contains(&head.len))?;
    Some((head, bytes.get(HEAD..HEAD + usize::try_from(head.len).ok()?)?))
}

fn fields(bytes: &[u8]) -> IResult<&[u8], Head> {
    let (rest, (len, kind, flags, stream)) = (be_u24, u8, u8, be_u32).parse(bytes)?;
    Ok((rest, Head { len, kind: Kind(kind), flags, stream: StreamId(stream & 0x7fff_ffff) }))
}

impl Head {
    /// As it is sent.
    pub(super) const fn bytes(&self) -> [u8; HEAD] {
        let [_, a, b, c] = self.len.to_be_bytes();
        let [d, e, f, g] = self.stream.0.to_be_bytes();
        [a, b, c, self.kind.0, self.flags, d, e, f, g]
    }

    pub(super) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether a part of the payload is padding, whose length its first byte tells (RFC 9113 §6.1, §6.2, §6.6).
    pub(super) const fn is_padded(&self) -> bool {
        self.has(PADDED) && matches!(self.kind, Kind::DATA | Kind::HEADERS | Kind::PUSH_PROMISE)
    }

    /// Whether it carries a part of a header block.
    pub(super) const fn has_block(&self) -> bool {
        matches!(self.kind, Kind::HEADERS | Kind::PUSH_PROMISE | Kind::CONTINUATION)
    }

    /// Bytes before the header block, the length of the padding aside.
    pub(super) const fn before_block(&self) -> u32 {
        match self.kind {
            Kind::HEADERS if self.has(PRIORITY) => 5,
            Kind::PUSH_PROMISE => 4,
            _ => 0,
        }
    }

    /// What is wrong with it in itself, in words; `most` is the largest payload that its receiver takes.
    pub(super) fn fault(&self, most: u32) -> Option<&'static str> {
        let is_connection = self.stream == StreamId::CONNECTION;
        let size = match self.kind {
            Kind::PRIORITY => self.len == 5,
            Kind::RST_STREAM | Kind::WINDOW_UPDATE => self.len == 4,
            Kind::SETTINGS => self.len.is_multiple_of(6) && (self.len == 0 || !self.has(ACK)),
            Kind::PING => self.len == 8,
            Kind::GOAWAY => self.len >= 8,
            // The length of the padding must be there.
            _ => self.len > 0 || !self.is_padded(),
        };
        let stream = match self.kind {
            Kind::SETTINGS | Kind::PING | Kind::GOAWAY => is_connection,
            Kind::WINDOW_UPDATE => true,
            Kind(0..=9) => !is_connection,
            _ => true,
        };
        match (size, stream) {
            _ if self.len > most => Some("is longer than its receiver takes"),
            (false, _) => Some("has a wrong length"),
            (_, false) if is_connection => Some("stands on stream 0, the connection's"),
            (_, false) => Some("stands on a stream, not on the connection's"),
            _ => None,
        }
    }

    /// The flags that it may have; `None` where it is of a type that RFC 9113 does not know.
    const fn allowed(&self) -> Option<u8> {
        Some(match self.kind {
            Kind::DATA => END_STREAM | PADDED,
            Kind::HEADERS => END_STREAM | END_HEADERS | PADDED | PRIORITY,
            Kind::SETTINGS | Kind::PING => ACK,
            Kind::PUSH_PROMISE => END_HEADERS | PADDED,
            Kind::CONTINUATION => END_HEADERS,
            Kind(..=9) => 0,
            _ => return None,
        })
    }

    /// Whether it may be one that is sent, where what is before it does not tell for sure.
    pub(super) fn is_likely(&self, most: u32, knows: impl Fn(StreamId) -> bool) -> bool {
        // ALTSVC (RFC 7838), ORIGIN (RFC 8336) and PRIORITY_UPDATE (RFC 9218) have none.
        let is_extension = matches!(self.kind, Kind(0x0a | 0x0c | 0x10)) && self.flags == 0;
        let is_known = is_extension || self.allowed().is_some_and(|allowed| self.flags & !allowed == 0);
        let is_there = self.stream == StreamId::CONNECTION || self.stream.is_clients() || knows(self.stream);
        is_known && is_there && self.fault(most).is_none()
    }

    /// How surely it is a head, as a number of bits: by chance bytes are one like it once in two to that power; `None` when it
    /// cannot be one. `knows` says whether a stream is known.
    pub(super) fn evidence(&self, most: u32, knows: impl Fn(StreamId) -> bool) -> Option<u32> {
        let allowed = self.allowed()?;
        if self.fault(most).is_some() || self.flags & !allowed != 0 {
            return None;
        }
        // Runs of zeros, as padding and small numbers are full of, look like empty frames, and any number like a stream.
        let says_nothing = self.len == 0 && self.flags == 0 && matches!(self.kind, Kind::DATA | Kind::SETTINGS);
        let is_likely = self.stream == StreamId::CONNECTION || self.stream.is_clients() || knows(self.stream);
        if says_nothing || !is_likely {
            return Some(0);
        }
        // Length, type and flags, then the stream.
        let length = if matches!(self.kind, Kind::DATA | Kind::HEADERS | Kind::CONTINUATION) { 9 } else { 22 };
        let stream = match self.stream {
            StreamId::CONNECTION => 31,
            known if knows(known) => 26,
            StreamId(id) => id.leading_zeros().saturating_sub(1),
        };
        Some(length + 5 + (8 - allowed.count_ones()) + stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_heads() {
        let settings = head(&[0, 0, 6, 4, 0, 0, 0, 0, 0, 9]).unwrap();
        assert_eq!((settings.len, settings.kind, settings.stream), (6, Kind::SETTINGS, StreamId::CONNECTION));
        assert_eq!(head(&[0, 0, 6, 4, 0, 0, 0, 0]), None);
        assert_eq!(settings.bytes(), [0, 0, 6, 4, 0, 0, 0, 0, 0]);
        // The reserved bit does not belong to the stream.
        assert_eq!(head(&[0, 0, 0, 0, 9, 0x80, 0, 0, 1]).unwrap().stream, StreamId(1));
    }

    #[test]
    fn rules_of_heads() {
        let fault = |len, kind, flags, stream| Head { len, kind, flags, stream: StreamId(stream) }.fault(SIZE_DEFAULT);
        for (len, kind, flags, stream) in [
            (0, Kind::DATA, END_STREAM, 1),
            (SIZE_DEFAULT, Kind::DATA, 0, 1),
            (12, Kind::SETTINGS, 0, 0),
            (0, Kind::SETTINGS, ACK, 0),
            (8, Kind::GOAWAY, 0, 0),
            (4, Kind::WINDOW_UPDATE, 0, 0),
            (3, Kind(0x77), 0, 0),
        ] {
            assert_eq!(fault(len, kind, flags, stream), None, "{kind}");
        }
        for (len, kind, flags, stream) in [
            (SIZE_DEFAULT + 1, Kind::DATA, 0, 1),
            (1, Kind::DATA, 0, 0),
            (7, Kind::SETTINGS, 0, 0),
            (6, Kind::SETTINGS, ACK, 0),
            (6, Kind::SETTINGS, 0, 1),
            (3, Kind::RST_STREAM, 0, 1),
        ] {
            assert!(fault(len, kind, flags, stream).is_some(), "{kind}");
        }
    }
}
