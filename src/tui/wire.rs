//! A frame as it went over the wire, rebuilt from what the book knows, and its fields with the bytes they take.

use super::paper::{Piece, PieceKind};
use super::text::{count, hex, number, ratio};
use crate::book::{FrameRow, MessageRow, close_of};
use crate::escape::display;
use crate::model::{CloseCode, Direction, Opcode};
use std::ops::Range;

/// Which bytes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Source {
    /// The frame as it was sent: head and masked payload.
    #[default]
    Frame,
    /// Its payload, unmasked.
    Unmasked,
    /// What the whole message inflates to, if it was compressed.
    Inflated,
}

impl Source {
    /// Those that a message has, in the order of the tabs.
    pub(super) const fn of(is_inflated: bool) -> &'static [Self] {
        if is_inflated { &[Self::Frame, Self::Unmasked, Self::Inflated] } else { &[Self::Frame, Self::Unmasked] }
    }

    /// The name on the tab.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Frame => "Frame",
            Self::Unmasked => "Unmasked",
            Self::Inflated => "Inflated",
        }
    }
}

/// The bytes of one frame.
#[derive(Debug, Default)]
pub(super) struct Wire {
    /// The bytes that are known, joined.
    pub(super) bytes: Vec<u8>,
    /// Where they stand, and the holes.
    pub(super) pieces: Vec<Piece>,
    /// Length with the holes.
    pub(super) len: u64,
}

/// What a message inflates to: the known bytes and where they stand.
pub(super) fn inflated(body: &[u8], pieces: &[Piece]) -> Wire {
    let end = pieces.last().map_or(0, |piece| match piece.kind {
        PieceKind::Bytes { start, end } => piece.offset.saturating_add((end - start) as u64),
        hole => piece.offset.saturating_add(hole.missing()),
    });
    Wire { bytes: body.to_vec(), pieces: pieces.to_vec(), len: end }
}

/// Rebuilds a frame's bytes. `body` are the known bytes of its message, which `pieces` place; the frame's payload begins at `start` in the message.
pub(super) fn rebuild(frame: &FrameRow, body: &[u8], pieces: &[Piece], start: u64, source: Source) -> Wire {
    let mut wire = Wire::default();
    if source == Source::Frame {
        wire.push(&head(frame));
    }
    let mask = frame.mask.filter(|_| source == Source::Frame);
    let end = start.saturating_add(frame.len);
    for (at, piece) in pieces.iter().enumerate() {
        let until = pieces.get(at + 1).map_or(u64::MAX, |next| next.offset);
        match piece.kind {
            PieceKind::Bytes { start: from, end: to } => {
                let first = start.saturating_sub(piece.offset).min((to - from) as u64);
                let last = end.saturating_sub(piece.offset).min((to - from) as u64);
                let known = body.get(from + first as usize..from + last as usize).unwrap_or(&[]);
                let phase = piece.offset.saturating_add(first).saturating_sub(start);
                wire.push_masked(known, mask, phase);
            }
            PieceKind::Lost(None) if (start..=end).contains(&piece.offset) => wire.push_hole(piece.kind),
            PieceKind::Lost(_) | PieceKind::Unknown(_) | PieceKind::NotKept(_) => {
                let missing = until.min(end).saturating_sub(piece.offset.max(start));
                let missing = missing.min(piece.kind.missing());
                if missing > 0 {
                    wire.push_hole(piece.kind.with_len(missing));
                }
            }
        }
    }
    wire
}

impl Wire {
    fn push(&mut self, bytes: &[u8]) {
        self.push_masked(bytes, None, 0);
    }

    /// Adds bytes, masked again as they were sent (RFC 6455 §5.3).
    fn push_masked(&mut self, bytes: &[u8], mask: Option<[u8; 4]>, phase: u64) {
        if bytes.is_empty() {
            return;
        }
        let start = self.bytes.len();
        match mask {
            None => self.bytes.extend_from_slice(bytes),
            Some(mut key) => {
                key.rotate_left((phase % 4) as usize);
                self.bytes.extend(bytes.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
            }
        }
        // Bytes that follow on bytes belong to the same piece.
        match self.pieces.last_mut() {
            Some(Piece { kind: PieceKind::Bytes { end, .. }, .. }) => *end = self.bytes.len(),
            _ => {
                let kind = PieceKind::Bytes { start, end: self.bytes.len() };
                self.pieces.push(Piece { offset: self.len, kind });
            }
        }
        self.len = self.len.saturating_add(bytes.len() as u64);
    }

    fn push_hole(&mut self, kind: PieceKind) {
        self.pieces.push(Piece { offset: self.len, kind });
        self.len = self.len.saturating_add(kind.missing());
    }

    /// The offset in the frame of a known byte.
    pub(super) fn offset_of(&self, place: usize) -> Option<u64> {
        self.pieces.iter().find_map(|piece| match piece.kind {
            PieceKind::Bytes { start, end } if (start..end).contains(&place) => {
                Some(piece.offset.saturating_add((place - start) as u64))
            }
            _ => None,
        })
    }

    /// The known byte at or behind an offset in the frame.
    pub(super) fn place_of(&self, offset: u64) -> usize {
        for piece in &self.pieces {
            if let PieceKind::Bytes { start, end } = piece.kind
                && offset < piece.offset.saturating_add((end - start) as u64)
            {
                return start + usize::try_from(offset.saturating_sub(piece.offset)).unwrap_or(0);
            }
        }
        self.bytes.len().saturating_sub(1)
    }
}

/// RFC 6455 §5.2: 2 bytes, the extended length in 0, 2 or 8, the masking key in 0 or 4.
fn head(frame: &FrameRow) -> Vec<u8> {
    let masked = u8::from(frame.mask.is_some()) << 7;
    let mut out = vec![u8::from(frame.fin) << 7 | frame.rsv << 4 | frame.opcode.0];
    match extended_len(frame) {
        8 => {
            out.push(masked | 127);
            out.extend(frame.len.to_be_bytes());
        }
        2 => {
            out.push(masked | 126);
            out.extend((frame.len as u16).to_be_bytes());
        }
        _ => out.push(masked | frame.len as u8 & 0x7f),
    }
    out.extend(frame.mask.iter().flatten());
    out
}

fn extended_len(frame: &FrameRow) -> u64 {
    let fixed = if frame.mask.is_some() { 6 } else { 2 };
    u64::from(frame.header_len).saturating_sub(fixed)
}

/// A line of the field tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// 0: a heading, which folds.
    pub(super) depth: usize,
    /// The name as Wireshark has it.
    pub(super) name: &'static str,
    /// The bits that it takes of its byte, as `.... 0001`.
    pub(super) bits: String,
    pub(super) value: String,
    /// Bytes from the frame's first; `None` for what has none.
    pub(super) span: Option<Range<u64>>,
    pub(super) folds: bool,
}

/// What a field tree is made from.
pub(super) struct Anatomy<'a> {
    pub(super) message: &'a MessageRow<'a>,
    pub(super) frame: &'a FrameRow,
    /// The first bytes of the frame's unmasked payload.
    pub(super) payload: &'a [u8],
    pub(super) stream: Option<u32>,
}

/// The fields of a frame, from the first bit to what carries it.
pub(super) fn fields(anatomy: &Anatomy<'_>) -> Vec<Field> {
    let mut out = Vec::new();
    head_fields(anatomy.frame, anatomy.message.dir, &mut out);
    payload_fields(anatomy, &mut out);
    carrier_fields(anatomy, &mut out);
    out
}

fn head_fields(frame: &FrameRow, dir: Direction, out: &mut Vec<Field>) {
    let whole = u64::from(frame.header_len).saturating_add(frame.len);
    let ends = format!(
        "{}.{} {}  ({} → {})",
        frame.last.packet,
        frame.ordinal,
        dir.arrow(),
        dir.sender(),
        dir.reverse().sender()
    );
    out.push(Field {
        depth: 0,
        name: "WebSocket frame",
        bits: String::new(),
        value: ends,
        span: Some(0..whole),
        folds: true,
    });
    let head = head(frame);
    let first = |at: usize, mask: u8| bits(head.get(at).copied().unwrap_or(0), mask);
    let mut push = |name, bits: String, value: String, span: Range<u64>| {
        out.push(Field { depth: 1, name, bits, value, span: Some(span), folds: false });
    };
    let flag = |on: bool| if on { "True" } else { "False" }.to_owned();
    push("websocket.fin", first(0, 0x80), flag(frame.fin), 0..1);
    push("websocket.rsv", first(0, 0x70), format!("0x{:x}", frame.rsv), 0..1);
    push("websocket.opcode", first(0, 0x0f), format!("{} ({})", opcode_name(frame.opcode), frame.opcode.0), 0..1);
    push("websocket.mask", first(1, 0x80), flag(frame.mask.is_some()), 1..2);
    let extended = extended_len(frame);
    let short = match extended {
        8 => 127,
        2 => 126,
        _ => frame.len,
    };
    push("websocket.payload_length", first(1, 0x7f), number(short), 1..2);
    match extended {
        8 => push("websocket.payload_length_ext_64", String::new(), number(frame.len), 2..10),
        2 => push("websocket.payload_length_ext_16", String::new(), number(frame.len), 2..4),
        _ => {}
    }
    if let Some(mask) = frame.mask {
        let end = u64::from(frame.header_len);
        push("websocket.masking_key", String::new(), hex(&mask), end.saturating_sub(4)..end);
    }
}

fn payload_fields(anatomy: &Anatomy<'_>, out: &mut Vec<Field>) {
    let Anatomy { message, frame, payload, .. } = anatomy;
    let start = u64::from(frame.header_len);
    let span = start..start.saturating_add(frame.len);
    let close = (frame.opcode == Opcode::CLOSE).then(|| close_of(payload)).flatten();
    let text = frame.len > 0 && message.is_text() && message.frames == 1 && !message.compressed;
    out.push(Field {
        depth: 1,
        name: "websocket.payload",
        bits: String::new(),
        value: count(frame.len, "byte"),
        span: Some(span.clone()).filter(|span| !span.is_empty()),
        folds: close.is_some() || text || message.compressed,
    });
    let mut push = |name, value, span| {
        out.push(Field { depth: 2, name, bits: String::new(), value, span: Some(span), folds: false });
    };
    if let Some(close) = close {
        let CloseCode(code) = close.code;
        push("websocket.payload.close.status_code", format!("{code} {}", close.code.meaning()), start..start + 2);
        if !close.reason.is_empty() {
            push("websocket.payload.close.reason", display(close.reason).into_owned(), start + 2..span.end);
        }
    } else if text {
        push("websocket.payload.text", display(payload).into_owned(), span);
    } else if message.compressed {
        push("compressed", deflated(message), span);
    }
}

/// What a compressed message inflated to: `424 bytes, 3.2:1`.
fn deflated(message: &MessageRow<'_>) -> String {
    if message.undecoded {
        return "not inflated".to_owned();
    }
    let ratio = ratio(message.len, message.wire_len).map_or_else(String::new, |ratio| format!(", {ratio}"));
    format!("{}{ratio}", count(message.len, "byte"))
}

fn carrier_fields(anatomy: &Anatomy<'_>, out: &mut Vec<Field>) {
    let frame = anatomy.frame;
    let mut push = |depth, name, value: String| {
        out.push(Field { depth, name, bits: String::new(), value, span: None, folds: depth == 0 });
    };
    push(0, "Carried by", String::new());
    if let Some(stream) = anatomy.stream {
        push(1, "tcp.stream", stream.to_string());
    }
    let end = frame.stream_offset.saturating_add(frame.header_len.into()).saturating_add(frame.len);
    let last = number(end.saturating_sub(1));
    let arrow = anatomy.message.dir.arrow();
    push(1, "stream bytes", format!("{arrow} {}…{last}", number(frame.stream_offset)));
    let packets = if frame.first_packet == frame.last.packet {
        frame.last.packet.to_string()
    } else {
        format!("{}…{}", frame.first_packet, frame.last.packet)
    };
    push(1, "frame.number", packets);
}

/// The bits of a byte that a mask names, the others as dots: `.... 0001`.
fn bits(byte: u8, mask: u8) -> String {
    let bit = |at: u8| match (mask >> at & 1, byte >> at & 1) {
        (0, _) => '.',
        (_, 0) => '0',
        _ => '1',
    };
    let nibble = |from: u8| (from..from + 4).rev().map(bit).collect::<String>();
    format!("{} {}", nibble(4), nibble(0))
}

fn opcode_name(opcode: Opcode) -> &'static str {
    match opcode {
        Opcode::CONTINUATION => "Continuation",
        Opcode::TEXT => "Text",
        Opcode::BINARY => "Binary",
        Opcode::CLOSE => "Connection Close",
        Opcode::PING => "Ping",
        Opcode::PONG => "Pong",
        _ => "Reserved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Mark, PacketNo};

    fn frame(len: u64, header_len: u8, mask: Option<[u8; 4]>) -> FrameRow {
        FrameRow {
            last: Mark { packet: PacketNo(7), time: None },
            first_packet: PacketNo(7),
            ordinal: 1,
            fin: true,
            rsv: 0,
            opcode: Opcode::TEXT,
            mask,
            header_len,
            len,
            stream_offset: 0,
            complete: true,
        }
    }

    fn whole(len: usize) -> Vec<Piece> {
        vec![Piece { offset: 0, kind: PieceKind::Bytes { start: 0, end: len } }]
    }

    /// RFC 6455 §5.7.
    #[test]
    fn rebuilds_the_examples_of_the_rfc() {
        let plain = rebuild(&frame(5, 2, None), b"Hello", &whole(5), 0, Source::Frame);
        assert_eq!(plain.bytes, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        let masked = rebuild(&frame(5, 6, Some([0x37, 0xfa, 0x21, 0x3d])), b"Hello", &whole(5), 0, Source::Frame);
        assert_eq!(masked.bytes, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        assert_eq!(head(&frame(256, 4, None)), [0x81, 0x7e, 0x01, 0x00]);
        assert_eq!(head(&frame(65536, 10, None)), [0x81, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn takes_its_part_of_a_message_and_keeps_the_mask_in_step_over_a_hole() {
        // A message of 12 bytes, of which 3 to 7 are lost; the frame carries 2 to 10.
        let body = b"abcijkl";
        let pieces = [
            Piece { offset: 0, kind: PieceKind::Bytes { start: 0, end: 3 } },
            Piece { offset: 3, kind: PieceKind::Lost(Some(5)) },
            Piece { offset: 8, kind: PieceKind::Bytes { start: 3, end: 7 } },
        ];
        let unmasked = rebuild(&frame(8, 6, None), body, &pieces, 2, Source::Unmasked);
        assert_eq!(unmasked.bytes, b"cij");
        assert_eq!(unmasked.len, 8);
        assert_eq!(unmasked.pieces[1], Piece { offset: 1, kind: PieceKind::Lost(Some(5)) });
        assert_eq!((unmasked.offset_of(1), unmasked.place_of(6), unmasked.place_of(3)), (Some(6), 1, 1));
        let masked = rebuild(&frame(8, 6, Some([1, 2, 3, 4])), body, &pieces, 2, Source::Frame);
        // Bytes 0, 6 and 7 of the payload.
        assert_eq!(masked.bytes[6..], [b'c' ^ 1, b'i' ^ 3, b'j' ^ 4]);
    }
}
