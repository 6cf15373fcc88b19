//! A header block as it is gathered from its frames, and the head that it makes.

use super::hpack::{Fault, Field, OVERHEAD, Read};
use crate::model::{Direction, HTTP2, Head, Limits, Mark, Span, StartLine, StreamId};
use crate::proto::handshake::text;

/// What a HEADERS or PUSH_PROMISE frame begins, and CONTINUATION frames go on with (RFC 9113 §4.3).
#[derive(Debug)]
pub(super) struct Block {
    pub(super) stream: StreamId,
    /// It is that of a promised request: only the table needs it.
    pub(super) is_promise: bool,
    /// The stream ends with it.
    pub(super) ends: bool,
    /// Where the first frame begins, and how long all are together.
    pub(super) offset: u64,
    pub(super) len: u64,
    pub(super) first: Mark,
    /// Frames behind the first.
    pub(super) continuations: u32,
    headers: Vec<(String, String)>,
    /// What the headers take, as HPACK counts (RFC 7541 §4.1); of those that are kept, and of all.
    kept: usize,
    pub(super) size: u64,
    /// Fields that are not kept, or were too long to be read.
    pub(super) dropped: u64,
    /// Fields of which the table's entry is lost.
    pub(super) lost: u64,
    /// The first thing that is wrong with it.
    pub(super) fault: Option<Fault>,
    /// A part of it is missing, or cannot be read.
    pub(super) is_holed: bool,
    /// Nothing more of it is read.
    pub(super) is_cut: bool,
}

/// The pseudo-header of answers.
const STATUS: &str = ":status";
/// Bytes, and fields, that are kept beyond what is kept of others, of those that are telling.
const TELLING: Room = Room { bytes: 8 << 10, headers: 32 };

/// How much may be kept of a head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    bytes: usize,
    headers: usize,
}

impl Room {
    /// What the limits leave where so many bytes wait in others.
    pub(super) fn new(limits: &Limits, pending: usize) -> Self {
        let left = limits.h2_pending.saturating_sub(pending);
        Self { bytes: limits.head_bytes.min(left), headers: limits.head_headers }
    }

    const fn for_telling(self) -> Self {
        Self { bytes: self.bytes + TELLING.bytes, headers: self.headers + TELLING.headers }
    }
}

impl Block {
    pub(super) const fn new(stream: StreamId, offset: u64, first: Mark) -> Self {
        Self {
            stream,
            is_promise: false,
            ends: false,
            offset,
            len: 0,
            first,
            continuations: 0,
            headers: Vec::new(),
            kept: 0,
            size: 0,
            dropped: 0,
            lost: 0,
            fault: None,
            is_holed: false,
            is_cut: false,
        }
    }

    /// Takes what was read of it.
    pub(super) fn take(&mut self, read: Read<'_>, room: Room) {
        match read {
            Read::Fault(fault) => {
                self.is_holed |= matches!(fault, Fault::Integer | Fault::Index(_) | Fault::Cut);
                self.fault.get_or_insert(fault);
            }
            Read::Field(Field::Known(name, value)) => self.keep(name, value, room),
            Read::Field(Field::Lost(index, value)) => {
                self.lost += 1;
                self.is_holed = true;
                let place = format!("(entry {index} of the header table is lost)");
                self.keep(b"?", value.unwrap_or(place.as_bytes()), room);
            }
            Read::Field(Field::Long) => self.dropped += 1,
        }
    }

    /// Keeps a field if there is room; one that decides about a WebSocket also where there is little.
    fn keep(&mut self, name: &[u8], value: &[u8], room: Room) {
        let size = name.len() + value.len() + OVERHEAD;
        self.size += size as u64;
        let fits = |room: Room| self.kept + size <= room.bytes && self.headers.len() < room.headers;
        if fits(room) || is_telling(name) && fits(room.for_telling()) {
            self.kept += size;
            self.headers.push((text(name), text(value)));
        } else {
            self.dropped += 1;
        }
    }

    /// Whether nothing of it is known.
    pub(super) const fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// Who sends such a block, as far as its pseudo-headers tell; trailers have none (RFC 9113 §8.1).
    pub(super) fn sender(&self) -> Option<Direction> {
        let first = self.headers.iter().find(|(name, _)| name.starts_with(':'))?;
        Some(if first.0 == STATUS { Direction::ToClient } else { Direction::ToServer })
    }

    /// The head that it is in its direction, known with the packet `last`. A status that is lost is 0.
    pub(super) fn into_head(self, dir: Direction, last: Mark) -> Head {
        let Self { headers, offset: stream_offset, len, first, is_holed, .. } = self;
        let value = |name: &str| headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
        let version = HTTP2.to_owned();
        let start = match dir {
            Direction::ToClient => {
                let status = value(STATUS).and_then(|status| status.parse().ok()).unwrap_or_default();
                StartLine::Response { version, status, reason: String::new() }
            }
            Direction::ToServer => StartLine::Request {
                method: value(":method").unwrap_or_default(),
                target: value(":path").unwrap_or_default(),
                version,
            },
        };
        Head { start, headers, stream_offset, len, span: Span { first, last }, whole: !is_holed }
    }
}

/// Whether a field decides about a WebSocket.
fn is_telling(name: &[u8]) -> bool {
    name.starts_with(b":") || name.starts_with(b"sec-websocket-") || name == b"origin"
}
