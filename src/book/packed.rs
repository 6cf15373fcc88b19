//! Rows of the book as it keeps them: small.

use super::MessageId;
use super::row::{FrameRow, MessageRow};
use super::table::{Bytes, Row};
use crate::model::{Direction, Hole, Mark, Message, NoteSet, Opcode, PacketNo, Timestamp, Wait};

/// Packet numbers beyond four billion do not occur in a capture that fits the book.
fn pack_packet(packet: PacketNo) -> u32 {
    u32::try_from(packet.0).unwrap_or(u32::MAX)
}

/// A [`FrameRow`] in 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LongFrame {
    len: u64,
    first_packet: PacketNo,
}

impl PackedFrame {
    const MASKED: u8 = 0x80;
    const COMPLETE: u8 = 0x40;
    const LONG: u8 = 0x20;
    const RSV4: u8 = 0x10;

    /// Packs a row; what does not fit goes to `long`, which says where it stands.
    pub(super) fn pack(row: &FrameRow, long: impl FnOnce(LongFrame) -> usize) -> Self {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let short = u32::try_from(row.len).ok().filter(|_| row.first_packet == row.last.packet);
        let len = short.unwrap_or_else(|| {
            let place = long(LongFrame { len: row.len, first_packet: row.first_packet });
            u32::try_from(place).unwrap_or(u32::MAX)
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

    /// The row; `long` has what did not fit.
    pub(super) fn unpack(self, long: impl FnOnce(usize) -> Option<LongFrame>) -> FrameRow {
        let last = self.last();
        let short = LongFrame { len: self.len.into(), first_packet: last.packet };
        let is_long = self.flags & Self::LONG != 0;
        let long = if is_long { long(self.len as usize).unwrap_or(short) } else { short };
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rare {
    pub(super) kept: u64,
    pub(super) len: u64,
    pub(super) wire_len: u64,
    pub(super) wire_kept: u64,
    pub(super) frames: u64,
    pub(super) frame_rows: u32,
    pub(super) last: Mark,
    pub(super) rtt: Option<i64>,
    pub(super) findings: NoteSet,
    /// Place in the table of waits; [`Rare::NO_WAIT`]: none of its bytes was late.
    pub(super) wait: u32,
    /// Its holes in the table of all.
    pub(super) hole: u32,
    pub(super) holes: u32,
}

impl Rare {
    pub(super) const NO_WAIT: u32 = u32::MAX;
}

/// A [`Rare`] with what it names.
#[derive(Debug)]
pub(super) struct Odd {
    pub(super) rare: Rare,
    pub(super) holes: Vec<Hole>,
    pub(super) waited: Option<Wait>,
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
    pub(super) fn unpack(&self, id: MessageId, (last, len): (Mark, u64), odd: Option<Odd>) -> MessageRow {
        let rare = odd.as_ref().map(|odd| odd.rare);
        let frame_rows = rare.map_or(1, |rare| rare.frame_rows);
        let (holes, waited) = odd.map_or_else(Default::default, |odd| (odd.holes, odd.waited));
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
            holes,
            complete: self.has(Self::COMPLETE),
            utf8: self.has(Self::UTF8),
            rtt: rare.and_then(|rare| rare.rtt),
            waited,
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

impl Row for PackedFrame {
    const BYTES: usize = 32;

    fn write(&self, out: &mut Vec<u8>) {
        self.time.write(out);
        out.extend(self.stream_offset.to_le_bytes());
        out.extend(self.packet.to_le_bytes());
        out.extend(self.len.to_le_bytes());
        out.extend(self.mask);
        out.extend([self.head, self.flags]);
        out.extend(self.ordinal.to_le_bytes());
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        Some(Self {
            time: Row::read(from)?,
            stream_offset: from.u64()?,
            packet: from.u32()?,
            len: from.u32()?,
            mask: from.array()?,
            head: from.u8()?,
            flags: from.u8()?,
            ordinal: from.u16()?,
        })
    }
}

impl Row for LongFrame {
    const BYTES: usize = 16;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.len.to_le_bytes());
        out.extend(self.first_packet.0.to_le_bytes());
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        Some(Self { len: from.u64()?, first_packet: PacketNo(from.u64()?) })
    }
}

impl Row for PackedMessage {
    const BYTES: usize = 24;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.word.to_le_bytes());
        [self.conn, self.number, self.frame, self.rare].iter().for_each(|number| out.extend(number.to_le_bytes()));
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        let word = from.u64()?;
        Some(Self { word, conn: from.u32()?, number: from.u32()?, frame: from.u32()?, rare: from.u32()? })
    }
}

impl Row for Rare {
    const BYTES: usize = 5 * 8 + 4 * 4 + Mark::BYTES + <Option<u64> as Row>::BYTES + NoteSet::BYTES;

    fn write(&self, out: &mut Vec<u8>) {
        let Self { kept, len, wire_len, wire_kept, frames, frame_rows, last, rtt, findings, wait, hole, holes } = self;
        [kept, len, wire_len, wire_kept, frames].iter().for_each(|number| out.extend(number.to_le_bytes()));
        [frame_rows, wait, hole, holes].iter().for_each(|number| out.extend(number.to_le_bytes()));
        last.write(out);
        rtt.map(i64::cast_unsigned).write(out);
        findings.write(out);
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        let [kept, len, wire_len, wire_kept, frames] =
            [from.u64()?, from.u64()?, from.u64()?, from.u64()?, from.u64()?];
        let [frame_rows, wait, hole, holes] = [from.u32()?, from.u32()?, from.u32()?, from.u32()?];
        let (last, rtt) = (Row::read(from)?, <Option<u64> as Row>::read(from)?.map(u64::cast_signed));
        let findings = Row::read(from)?;
        Some(Self { kept, len, wire_len, wire_kept, frames, frame_rows, last, rtt, findings, wait, hole, holes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::table::tests::survives;
    use crate::model::{Body, NoteCode, Span};

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
            let packed = PackedFrame::pack(&row, |row| {
                long.push(row);
                long.len() - 1
            });
            assert_eq!(packed.unpack(|at| long.get(at).copied()), row);
            survives(packed);
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
            survives(packed);
            let row = packed.unpack(MessageId(1), (last, 5), None);
            assert_eq!((row.opcode, row.dir, row.place, row.number, row.conn), (opcode, dir, place, 3, 9));
            assert_eq!((row.kept, row.len, row.wire_len, row.frame_rows), (5, 5, 5, 4..5));
            let flags = [row.complete, row.utf8, !row.compressed, !row.undecoded];
            assert_eq!(flags, [place.is_some(); 4]);
        }
    }

    #[test]
    fn what_is_rare_survives_the_file() {
        let mut findings = NoteSet::EMPTY;
        findings.insert(NoteCode::DeflateInferred);
        let rare = Rare {
            kept: 1,
            len: u64::MAX,
            wire_len: 3,
            wire_kept: 1 << 40,
            frames: 5,
            frame_rows: 6,
            last: Mark { packet: PacketNo(7), time: Some(Timestamp::from_nanos(5)) },
            rtt: Some(-8),
            findings,
            wait: 9,
            hole: 10,
            holes: 11,
        };
        survives(rare);
        survives(Rare { rtt: None, wait: Rare::NO_WAIT, ..rare });
    }
}
