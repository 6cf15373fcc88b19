//! One direction of a connection: where in its frames it stands, and what is known of its sender.

use super::block::Block;
use super::frame::{HEAD, Head, SIZE_DEFAULT};
use super::hpack::{Decoder, TABLE_DEFAULT};
use super::seek::Seek;
use super::transport::Said;
use crate::model::{H2Error, Mark, NoteCode, NoteSet, Receipt, StreamId};

/// One direction.
pub(super) struct Side {
    pub(super) reading: Reading,
    pub(super) hpack: Decoder,
    /// The header block that is being read.
    pub(super) block: Option<Block>,
    /// The payload of a frame that is read as a whole.
    pub(super) small: Vec<u8>,
    pub(super) settings: Settings,
    pub(super) goaway: Option<GoAway>,
    /// Frames of it that break a rule.
    pub(super) bad: u64,
    /// How many GOAWAY frames it sent.
    pub(super) goaways: u32,
    /// Bytes that are missing, of whatever stream: each takes them for its own when it is heard of again.
    pub(super) holes: u64,
    /// Its place was lost, and found again by what looked like frames.
    pub(super) sought: bool,
    /// Header blocks of it were lost, or came before the capture.
    pub(super) missed: bool,
    /// The stream offset behind the last byte that was read.
    pub(super) place: u64,
    /// Any byte came.
    pub(super) heard: bool,
    /// Bytes that are missing since its place was lost, and those that were looked through.
    pub(super) lost: u64,
    /// What their receiver told of them.
    pub(super) receipt: Receipt,
    /// What was told of it and is told once.
    pub(super) told: NoteSet,
    /// What the transport says of its bytes.
    pub(super) said: Said,
    /// The last stream that got DATA.
    pub(super) last: Option<StreamId>,
}

/// Where in its frames a direction stands.
///
/// ```text
/// Preface ──▶ Head ──▶ Payload ──▶ Head …      a hole over a head: ──▶ Seek ──▶ Head …
/// ```
pub(super) enum Reading {
    /// A client's first bytes; so many of them are as they must be (RFC 9113 §3.4).
    Preface(usize),
    Head(Partial),
    Payload(Open),
    Seek(Box<Seek>),
    /// Nothing of it is read any more.
    Over,
}

/// The first bytes of a head.
#[derive(Default)]
pub(super) struct Partial {
    pub(super) bytes: [u8; HEAD],
    pub(super) len: usize,
    pub(super) offset: u64,
    pub(super) first: Mark,
}

/// A frame whose payload is being read.
///
/// ```text
/// [padding's length (8)] [priority, promised stream] body [padding]
/// ```
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) head: Head,
    /// Bytes of the payload that are to come.
    pub(super) left: u32,
    /// Bytes of padding at its end; `None` while they are not known.
    pub(super) padding: Option<u32>,
    /// Bytes before the body that are to come.
    pub(super) before: u32,
    /// The TLS record in which it begins.
    pub(super) record: Option<u64>,
}

/// What its sender said in SETTINGS (RFC 9113 §6.5.2).
pub(super) struct Settings {
    /// A frame of them came.
    pub(super) came: bool,
    /// Bytes of the largest table, and of the largest payload, that it takes or took.
    pub(super) table: u32,
    pub(super) payload: u32,
    /// The packet with which it said that it takes extended CONNECTs (RFC 8441 §3).
    pub(super) connect: Option<Mark>,
}

/// What it said when it gave the connection up.
#[derive(Clone, Copy)]
pub(super) struct GoAway {
    pub(super) code: H2Error,
    pub(super) at: Mark,
}

impl Default for Settings {
    fn default() -> Self {
        Self { came: false, table: TABLE_DEFAULT, payload: SIZE_DEFAULT, connect: None }
    }
}

impl Side {
    pub(super) fn new(reading: Reading, table_bound: usize, is_late: bool) -> Self {
        let mut hpack = Decoder::new(table_bound);
        if is_late {
            hpack.lose();
        }
        Self {
            reading,
            hpack,
            block: None,
            small: Vec::new(),
            settings: Settings::default(),
            goaway: None,
            bad: 0,
            goaways: 0,
            holes: 0,
            sought: false,
            missed: is_late,
            place: 0,
            heard: false,
            lost: 0,
            receipt: Receipt::Unknown,
            told: NoteSet::EMPTY,
            said: Said::default(),
            last: None,
        }
    }

    /// Whether something waits for what comes next: the rest of a head or of a header block, or a word about its bytes.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(&self.reading, Reading::Head(partial) if partial.len == 0)
            || self.block.is_some()
            || !self.said.is_empty()
    }

    /// Whether a finding that is told once was not told before.
    pub(super) fn is_new(&mut self, code: NoteCode) -> bool {
        self.told.insert(code)
    }
}

impl Open {
    pub(super) fn new(head: Head, record: Option<u64>) -> Self {
        let padding = if head.is_padded() { None } else { Some(0) };
        Self { head, left: head.len, padding, before: head.before_block(), record }
    }

    /// Bytes of the body that are to come, as far as it is known where it ends.
    pub(super) fn body_left(&self) -> u32 {
        self.left.saturating_sub(self.before).saturating_sub(self.padding.unwrap_or(0))
    }
}
