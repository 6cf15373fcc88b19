//! Rows of the book: small and packed inside, plain structs outside.

use super::{MessageId, close_of};
use crate::model::{
    Body, ConnId, Direction, Frame, Hole, Mark, Message, Note, NoteCode, NoteSet, Opcode, PacketNo, Severity, Span,
    Timestamp, Wait,
};
use std::ops::Range;

/// A message as the book knows it; its payload is asked for apart.
#[derive(Debug, Clone)]
pub struct MessageRow<'a> {
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
    pub holes: &'a [Hole],
    /// Every byte is there and certain.
    pub complete: bool,
    /// The payload is UTF-8 throughout.
    pub utf8: bool,
    /// Nanoseconds since the ping that a pong answers.
    pub rtt: Option<i64>,
    /// What bytes of it waited for longest.
    pub waited: Option<&'a Wait>,
    /// The packet with which it was complete or given up.
    pub last: Mark,
    /// What is wrong with it.
    pub findings: NoteSet,
    /// Bytes kept of the wire, behind those of the payload, of a message that was inflated.
    pub(super) wire_kept: u64,
    /// Where its bytes are; `None` when the store could not keep them.
    pub(super) place: Option<u64>,
}

impl<'a> MessageRow<'a> {
    /// As it was told, with this payload; of its first packet nothing is known.
    pub(super) fn message<'m>(&self, payload: &'m [u8]) -> Message<'m>
    where
        'a: 'm,
    {
        Message {
            number: self.number,
            dir: self.dir,
            opcode: self.opcode,
            frames: self.frames,
            compressed: self.compressed,
            undecoded: self.undecoded,
            wire_len: self.wire_len,
            body: Body { kept: payload, len: self.len, holes: self.holes },
            wire: &[],
            complete: self.complete,
            inferred: self.findings.contains(NoteCode::DeflateInferred),
            utf8: self.utf8,
            close: if self.opcode == Opcode::CLOSE { close_of(payload) } else { None },
            rtt: self.rtt,
            waited: self.waited,
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

/// Packet numbers beyond four billion do not occur in a capture that fits the book.
fn pack_packet(packet: PacketNo) -> u32 {
    u32::try_from(packet.0).unwrap_or(u32::MAX)
}

/// A [`FrameRow`] in 32 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct PackedFrame {
    time: Option<Timestamp>,
    stream_offset: u64,
    packet: u32,
    /// With [`PackedFrame::LONG`] an index in the table of long frames.
    len: u32,
    mask: [u8; 4],
    /// FIN, RSV1 to 3 and opcode, as in RFC 6455.
    head: u8,
    /// Masked, complete, long, RSV4; the low four bits are the head's length.
    flags: u8,
    ordinal: u16,
}

const _: () = assert!(size_of::<PackedFrame>() == 32);

/// What does not fit a [`PackedFrame`].
#[derive(Debug, Clone, Copy)]
pub(super) struct LongFrame {
    len: u64,
    first_packet: PacketNo,
}

impl PackedFrame {
    const MASKED: u8 = 0x80;
    const COMPLETE: u8 = 0x40;
    const LONG: u8 = 0x20;
    const RSV4: u8 = 0x10;

    /// Packs a row; what does not fit goes to `long`.
    pub(super) fn pack(row: &FrameRow, long: &mut Vec<LongFrame>) -> Self {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let short = u32::try_from(row.len).ok().filter(|_| row.first_packet == row.last.packet);
        let len = short.unwrap_or_else(|| {
            long.push(LongFrame { len: row.len, first_packet: row.first_packet });
            u32::try_from(long.len() - 1).unwrap_or(u32::MAX)
        });
        Self {
            time: row.last.time,
            stream_offset: row.stream_offset,
            packet: pack_packet(row.last.packet),
            len,
            mask: row.mask.unwrap_or_default(),
            head: u8::from(row.fin) << 7 | (row.rsv & 7) << 4 | row.opcode.0 & 15,
            flags: flag(row.mask.is_some(), Self::MASKED)
                | flag(row.complete, Self::COMPLETE)
                | flag(short.is_none(), Self::LONG)
                | flag(row.rsv & 8 != 0, Self::RSV4)
                | row.header_len & 15,
            ordinal: row.ordinal,
        }
    }

    pub(super) fn unpack(self, long: &[LongFrame]) -> FrameRow {
        let last = self.last();
        let short = LongFrame { len: self.len.into(), first_packet: last.packet };
        let long = long.get(self.len as usize).filter(|_| self.flags & Self::LONG != 0).unwrap_or(&short);
        FrameRow {
            last,
            first_packet: long.first_packet,
            ordinal: self.ordinal,
            fin: self.head & 0x80 != 0,
            rsv: self.head >> 4 & 7 | if self.flags & Self::RSV4 != 0 { 8 } else { 0 },
            opcode: Opcode(self.head & 15),
            mask: (self.flags & Self::MASKED != 0).then_some(self.mask),
            header_len: self.flags & 15,
            len: long.len,
            stream_offset: self.stream_offset,
            complete: self.flags & Self::COMPLETE != 0,
        }
    }

    /// The packet with its last byte.
    pub(super) fn last(self) -> Mark {
        Mark { packet: PacketNo(self.packet.into()), time: self.time }
    }
}

/// A message in 24 bytes; what is unusual about it lies in a [`Rare`].
#[derive(Debug, Clone, Copy)]
pub(super) struct PackedMessage {
    /// From the top: opcode (8 bits), flags (8 bits), place in the store (48 bits).
    word: u64,
    pub(super) conn: u32,
    number: u32,
    pub(super) frame: u32,
    /// Index in the table of rare things; [`PackedMessage::PLAIN`]: one whole frame, nothing odd.
    pub(super) rare: u32,
}

const _: () = assert!(size_of::<PackedMessage>() == 24);

/// What only some messages have.
#[derive(Debug)]
pub(super) struct Rare {
    pub(super) kept: u64,
    pub(super) len: u64,
    pub(super) wire_len: u64,
    pub(super) wire_kept: u64,
    pub(super) frames: u64,
    pub(super) frame_rows: u32,
    pub(super) last: Mark,
    pub(super) rtt: Option<i64>,
    pub(super) waited: Option<Box<Wait>>,
    pub(super) findings: NoteSet,
    pub(super) holes: Box<[Hole]>,
}

impl PackedMessage {
    pub(super) const PLAIN: u32 = u32::MAX;
    /// No store holds so much: 256 TiB.
    const NO_PLACE: u64 = (1 << 48) - 1;
    const TO_CLIENT: u8 = 1;
    const COMPRESSED: u8 = 2;
    const COMPLETE: u8 = 4;
    const UTF8: u8 = 8;
    const UNDECODED: u8 = 16;

    pub(super) fn pack(message: &Message<'_>, conn: u32, place: Option<u64>, frame: u32, rare: u32) -> Self {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let flags = flag(message.dir == Direction::ToClient, Self::TO_CLIENT)
            | flag(message.compressed, Self::COMPRESSED)
            | flag(message.complete, Self::COMPLETE)
            | flag(message.utf8, Self::UTF8)
            | flag(message.undecoded, Self::UNDECODED);
        let place = place.unwrap_or(Self::NO_PLACE).min(Self::NO_PLACE);
        Self {
            word: u64::from(message.opcode.0) << 56 | u64::from(flags) << 48 | place,
            conn,
            number: u32::try_from(message.number).unwrap_or(u32::MAX),
            frame,
            rare,
        }
    }

    /// The same, of which something rare is known now.
    pub(super) const fn with_rare(self, rare: u32) -> Self {
        Self { rare, ..self }
    }

    /// The row of a message; of a plain one its only frame has told when it came and how long it is.
    pub(super) fn unpack<'a>(&self, id: MessageId, (last, len): (Mark, u64), rare: Option<&'a Rare>) -> MessageRow<'a> {
        let frame_rows = rare.map_or(1, |rare| rare.frame_rows);
        MessageRow {
            id,
            conn: self.conn as usize,
            number: self.number.into(),
            dir: self.dir(),
            opcode: self.opcode(),
            frames: rare.map_or(1, |rare| rare.frames),
            frame_rows: self.frame..self.frame.saturating_add(frame_rows),
            compressed: self.has(Self::COMPRESSED),
            undecoded: self.has(Self::UNDECODED),
            wire_len: rare.map_or(len, |rare| rare.wire_len),
            len: rare.map_or(len, |rare| rare.len),
            kept: rare.map_or(len, |rare| rare.kept),
            holes: rare.map_or(&[], |rare| &rare.holes),
            complete: self.has(Self::COMPLETE),
            utf8: self.has(Self::UTF8),
            rtt: rare.and_then(|rare| rare.rtt),
            waited: rare.and_then(|rare| rare.waited.as_deref()),
            last,
            findings: rare.map_or(NoteSet::EMPTY, |rare| rare.findings),
            wire_kept: rare.map_or(0, |rare| rare.wire_kept),
            place: Some(self.word & Self::NO_PLACE).filter(|&place| place != Self::NO_PLACE),
        }
    }

    const fn has(&self, flag: u8) -> bool {
        (self.word >> 48) as u8 & flag != 0
    }

    pub(super) const fn dir(&self) -> Direction {
        if self.has(Self::TO_CLIENT) { Direction::ToClient } else { Direction::ToServer }
    }

    pub(super) const fn opcode(&self) -> Opcode {
        Opcode((self.word >> 56) as u8)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, Span};

    fn frame() -> FrameRow {
        FrameRow {
            last: Mark { packet: PacketNo(9087), time: Some(Timestamp::from_nanos(-5)) },
            first_packet: PacketNo(9087),
            ordinal: 3,
            fin: true,
            rsv: 5,
            opcode: Opcode::PONG,
            mask: Some([1, 2, 3, 4]),
            header_len: 14,
            len: 70_000,
            stream_offset: 1 << 40,
            complete: false,
        }
    }

    #[test]
    fn frames_survive_packing() {
        let lost_time = Mark { packet: PacketNo(9087), time: None };
        let mut long = Vec::new();
        for row in [
            frame(),
            FrameRow { mask: None, fin: false, complete: true, rsv: 0, ..frame() },
            FrameRow { len: u64::MAX, ..frame() },
            FrameRow { rsv: 8, ..frame() },
            FrameRow { first_packet: PacketNo(9000), last: lost_time, ..frame() },
        ] {
            let packed = PackedFrame::pack(&row, &mut long);
            assert_eq!(packed.unpack(&long), row);
        }
    }

    #[test]
    fn messages_survive_packing() {
        let last = Mark { packet: PacketNo(7), time: Some(Timestamp::from_nanos(5)) };
        let message = |opcode, dir, body, complete: bool| Message {
            compressed: !complete,
            wire_len: 5,
            undecoded: !complete,
            body: Body { kept: body, len: 5, holes: &[] },
            complete,
            utf8: complete,
            span: Span { first: last, last },
            brought: last,
            ..Message::whole(3, dir, opcode, body)
        };
        for (opcode, dir, place) in [
            (Opcode::TEXT, Direction::ToServer, Some(0)),
            (Opcode(15), Direction::ToClient, Some(u64::from(u32::MAX) << 10)),
            (Opcode::CLOSE, Direction::ToClient, None),
        ] {
            let message = message(opcode, dir, b"Hello", place.is_some());
            let packed = PackedMessage::pack(&message, 9, place, 4, PackedMessage::PLAIN);
            let row = packed.unpack(MessageId(1), (last, 5), None);
            assert_eq!((row.opcode, row.dir, row.place, row.number, row.conn), (opcode, dir, place, 3, 9));
            assert_eq!((row.kept, row.len, row.wire_len, row.frame_rows), (5, 5, 5, 4..5));
            let flags = [row.complete, row.utf8, !row.compressed, !row.undecoded];
            assert_eq!(flags, [place.is_some(); 4]);
        }
    }
}
