//! Rows of the book as others see them.

use super::{MessageId, close_of};
use crate::model::{
    Body, ConnId, Direction, Frame, Hole, Mark, Message, Note, NoteCode, NoteSet, Opcode, PacketNo, Severity, Span,
    Wait,
};
use std::ops::Range;

/// A message as the book knows it; its payload is asked for apart.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// Where it stands in the book.
    pub id: MessageId,
    /// Index of its connection.
    pub conn: usize,
    /// From 1 within the connection.
    pub number: u64,
    /// Who sent it.
    pub dir: Direction,
    /// Opcode of its first frame.
    pub opcode: Opcode,
    /// Number of its frames.
    pub frames: u64,
    /// Its frames in the book.
    pub frame_rows: Range<u32>,
    /// It was compressed on the wire.
    pub compressed: bool,
    /// It was compressed and not inflated: the bytes are as on the wire.
    pub undecoded: bool,
    /// Payload bytes on the wire.
    pub wire_len: u64,
    /// The length that the sender meant.
    pub len: u64,
    /// Bytes that the dissector kept.
    pub kept: u64,
    /// The holes in the whole payload.
    pub holes: Vec<Hole>,
    /// Every byte is there and certain.
    pub complete: bool,
    /// The payload is UTF-8 throughout.
    pub utf8: bool,
    /// Nanoseconds since the ping that a pong answers.
    pub rtt: Option<i64>,
    /// What bytes of it waited for longest.
    pub waited: Option<Wait>,
    /// The packet with which it was complete or given up.
    pub last: Mark,
    /// What is wrong with it.
    pub findings: NoteSet,
    /// Bytes kept of the wire, behind those of the payload, of a message that was inflated.
    pub(super) wire_kept: u64,
    /// Where its bytes are; `None` when the store could not keep them.
    pub(super) place: Option<u64>,
}

impl MessageRow {
    /// As it was told, with this payload; of its first packet nothing is known.
    pub(super) fn message<'m>(&'m self, payload: &'m [u8]) -> Message<'m> {
        Message {
            number: self.number,
            dir: self.dir,
            opcode: self.opcode,
            frames: self.frames,
            compressed: self.compressed,
            undecoded: self.undecoded,
            wire_len: self.wire_len,
            body: Body { kept: payload, len: self.len, holes: &self.holes },
            wire: &[],
            complete: self.complete,
            inferred: self.findings.contains(NoteCode::DeflateInferred),
            utf8: self.utf8,
            close: if self.opcode == Opcode::CLOSE { close_of(payload) } else { None },
            rtt: self.rtt,
            waited: self.waited.as_ref(),
            span: Span { first: self.last, last: self.last },
            brought: self.last,
            findings: self.findings,
            decoded: None,
            state: None,
        }
    }

    /// Whether the payload is text that can be read as such.
    pub fn is_text(&self) -> bool {
        self.opcode == Opcode::TEXT && self.utf8 && !self.undecoded
    }

    /// Whether the payload is not what was on the wire but what that inflated to.
    pub const fn is_inflated(&self) -> bool {
        self.compressed && !self.undecoded
    }

    /// Bytes lost in holes of known length.
    pub fn missing(&self) -> u64 {
        self.holes.iter().filter_map(|hole| hole.len).fold(0, u64::saturating_add)
    }

    /// The worst that was found about it.
    pub fn severity(&self) -> Option<Severity> {
        self.findings.severity()
    }
}

/// A frame as the book knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRow {
    /// The packet with its last byte.
    pub last: Mark,
    /// The packet with its first byte.
    pub first_packet: PacketNo,
    /// From 1: its place among the frames that end in that packet.
    pub ordinal: u16,
    /// Last frame of its message.
    pub fin: bool,
    /// RSV1, RSV2, RSV3 as the bits 4, 2, 1; the RSV4 of HyBi-01 to 06 as 8.
    pub rsv: u8,
    /// What it carries, by the numbers of RFC 6455.
    pub opcode: Opcode,
    /// The masking key, of a masked frame; in HyBi-04 its nonce.
    pub mask: Option<[u8; 4]>,
    /// Bytes of the head.
    pub header_len: u8,
    /// Payload length as the head gives it.
    pub len: u64,
    /// Where in the direction's stream the frame begins.
    pub stream_offset: u64,
    /// Whether all its payload was captured.
    pub complete: bool,
}

impl FrameRow {
    pub(super) fn new(frame: &Frame, ordinal: u16) -> Self {
        Self {
            last: frame.span.last,
            first_packet: frame.span.first.packet,
            ordinal,
            fin: frame.fin,
            rsv: frame.rsv,
            opcode: frame.opcode,
            mask: frame.mask,
            header_len: frame.header_len,
            len: frame.len,
            stream_offset: frame.stream_offset,
            complete: frame.complete,
        }
    }
}

/// One finding, with its words.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The connection's number; `None` for what concerns the file, or a stream without one.
    pub conn: Option<ConnId>,
    /// The TCP stream, where it is in one.
    pub stream: Option<u32>,
    /// What it is about.
    pub code: NoteCode,
    /// The packet with which it was known: the one of its record.
    pub at: Mark,
    /// The packet that shows it.
    pub evidence: Mark,
    /// The direction concerned.
    pub dir: Option<Direction>,
    /// The message concerned.
    pub msg: Option<u64>,
    /// The WebSocket frame concerned.
    pub frame: Option<u64>,
    /// One sentence.
    pub text: String,
    /// Evidence: bytes, numbers.
    pub detail: Option<String>,
}

impl Finding {
    /// The finding as it was told.
    pub(super) fn note(&self) -> Note<'_> {
        Note {
            code: self.code,
            at: self.evidence,
            dir: self.dir,
            msg: self.msg,
            frame: self.frame,
            text: &self.text,
            detail: self.detail.as_deref(),
        }
    }
}
