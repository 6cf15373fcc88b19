//! A frame as it went over the wire, rebuilt from what the book knows.

use super::paper::{Piece, PieceKind};
use super::plaintext::{Around, Chunk};
use crate::book::FrameRow;
use crate::model::{Cover, Handshake, Opcode, Version};
use std::ops::Range;
use std::sync::Arc;

/// Which bytes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Source {
    /// A packet that carries it, as it was captured.
    Packet,
    /// The payloads of the TCP segments in its packets, in order.
    Tcp,
    /// What the TLS records say that carry the frame.
    Tls,
    /// What the DATA frames of HTTP/2 say that carry it.
    Http2,
    /// The frame as it was sent: head and masked payload.
    #[default]
    Frame,
    /// Its payload, unmasked.
    Unmasked,
    /// What the whole message inflates to, if it was compressed.
    Inflated,
}

impl Source {
    /// All, in the order of the tabs.
    pub(super) const ALL: [Self; 7] =
        [Self::Packet, Self::Tcp, Self::Tls, Self::Http2, Self::Frame, Self::Unmasked, Self::Inflated];

    /// Whether it is read once more from the capture.
    pub(super) const fn is_captured(self) -> bool {
        matches!(self, Self::Packet | Self::Tcp)
    }

    /// Whether it is more than the frame: what carries it.
    pub(super) const fn is_around(self) -> bool {
        matches!(self, Self::Tls | Self::Http2)
    }

    /// The name on the tab.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Packet => "Packet",
            Self::Tcp => "TCP",
            Self::Tls => "TLS plain",
            Self::Http2 => "HTTP/2 DATA",
            Self::Frame => "Frame",
            Self::Unmasked => "Unmasked",
            Self::Inflated => "Inflated",
        }
    }

    /// The name where there is little room.
    pub(super) const fn short_name(self) -> &'static str {
        match self {
            Self::Packet => "Pkt",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Http2 => "H2",
            Self::Frame => "Frame",
            Self::Unmasked => "Unm",
            Self::Inflated => "Infl",
        }
    }
}

/// The bytes of one frame: nothing is rebuilt before it is looked at, since a frame may be very long.
#[derive(Debug, Default)]
pub(super) struct Wire {
    /// What stands before the payload.
    head: Vec<u8>,
    /// The known bytes of the message, unmasked.
    body: Arc<Vec<u8>>,
    mask: Mask,
    parts: Vec<Part>,
    /// What stands behind the payload.
    tail: Vec<u8>,
    /// Where the known bytes stand, and the holes.
    pub(super) pieces: Vec<Piece>,
    /// Bytes that are known.
    pub(super) known: usize,
    /// Length with the holes.
    pub(super) len: u64,
}

/// Known bytes of the payload.
#[derive(Debug)]
struct Part {
    /// Their place among all that are known.
    place: usize,
    /// Where the body has them.
    from: Range<usize>,
    /// How many bytes of the payload stand before them, lost ones too.
    phase: u64,
}

/// Bytes as they are, and where they stand.
pub(super) fn of(body: Arc<Vec<u8>>, pieces: &[Piece]) -> Wire {
    let end = pieces.last().map_or(0, |piece| match piece.kind {
        PieceKind::Bytes { start, end } => piece.offset.saturating_add((end - start) as u64),
        hole => piece.offset.saturating_add(hole.missing()),
    });
    let known = body.len();
    let all = Part { place: 0, from: 0..known, phase: 0 };
    Wire { body, parts: vec![all], pieces: pieces.to_vec(), known, len: end, ..Wire::default() }
}

/// How the frames of a connection are laid out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    pub(super) version: Version,
    /// What the keys of HyBi-04 are made from.
    masking_key: Option<[u8; 20]>,
}

/// What the payload of a frame was masked with.
#[derive(Debug, Clone, Copy, Default)]
enum Mask {
    #[default]
    None,
    /// RFC 6455 §5.3.
    Key([u8; 4]),
    /// From the frame's first byte behind the key on; the head takes so many bytes of it.
    Cover(Cover, u64),
}

impl Mask {
    /// Masks payload of which so many bytes stand before.
    fn apply(self, bytes: &mut [u8], phase: u64) {
        match self {
            Self::None => {}
            Self::Key(mut key) => {
                key.rotate_left((phase % 4) as usize);
                bytes.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
            }
            Self::Cover(cover, head) => cover.apply(bytes, head.saturating_add(phase)),
        }
    }
}

impl Layout {
    pub(super) fn of(version: Version, handshake: Option<&Handshake>) -> Self {
        Self { version, masking_key: handshake.and_then(Handshake::masking_key) }
    }

    fn mask(&self, frame: &FrameRow) -> Mask {
        match frame.mask {
            None => Mask::None,
            Some(key) if self.version.has_old_heads() => {
                Mask::Cover(Cover::new(key, self.masking_key), u64::from(frame.header_len).saturating_sub(4))
            }
            Some(key) => Mask::Key(key),
        }
    }

    /// Bytes of a frame: head, payload, and what ends it.
    pub(super) fn whole_len(&self, frame: &FrameRow) -> u64 {
        let tail = self.tail(frame).len() as u64;
        u64::from(frame.header_len).saturating_add(frame.len).saturating_add(tail)
    }

    /// Bytes behind the payload: the sentinel of a Hixie frame without a length, once it came.
    pub(super) fn tail(&self, frame: &FrameRow) -> &'static [u8] {
        let sentinel = self.version.is_hixie() && frame.complete && matches!(frame.opcode, Opcode::TEXT | Opcode(3));
        if sentinel { &[0xff] } else { &[] }
    }
}

/// Rebuilds a frame's bytes, and, of what carries it, what is `around`. `body` are the known bytes of its message, which `pieces` place; the frame's payload begins at `start` in the message.
pub(super) fn rebuild(
    frame: &FrameRow,
    layout: &Layout,
    body: Arc<Vec<u8>>,
    pieces: &[Piece],
    start: u64,
    source: Source,
    around: &Around,
) -> Wire {
    let mut wire = Wire { body, ..Wire::default() };
    if source.is_around() {
        for chunk in &around.before {
            match chunk {
                Chunk::Bytes(bytes) => wire.push_head_bytes(bytes),
                Chunk::NotKept(len) => wire.push_hole(PieceKind::NotKept(*len)),
            }
        }
    }
    if source == Source::Frame || source.is_around() {
        wire.mask = layout.mask(frame);
        wire.push_head(frame, layout);
    }
    let end = start.saturating_add(frame.len);
    for (at, piece) in pieces.iter().enumerate() {
        let until = pieces.get(at + 1).map_or(u64::MAX, |next| next.offset);
        match piece.kind {
            PieceKind::Bytes { start: from, end: to } => {
                let first = start.saturating_sub(piece.offset).min((to - from) as u64);
                let last = end.saturating_sub(piece.offset).min((to - from) as u64);
                let phase = piece.offset.saturating_add(first).saturating_sub(start);
                wire.push(from + first as usize..from + last as usize, phase);
            }
            PieceKind::Lost(None) if (start..=end).contains(&piece.offset) => wire.push_hole(piece.kind),
            PieceKind::Lost(_) | PieceKind::Unknown(_) | PieceKind::NotKept(_) | PieceKind::Elsewhere(_) => {
                let missing = until.min(end).saturating_sub(piece.offset.max(start));
                let missing = missing.min(piece.kind.missing());
                if missing > 0 {
                    wire.push_hole(piece.kind.with_len(missing));
                }
            }
        }
    }
    if source == Source::Frame || source.is_around() {
        wire.push_tail(layout.tail(frame));
    }
    if source.is_around() {
        for chunk in &around.after {
            match chunk {
                Chunk::Bytes(bytes) => wire.push_tail(bytes),
                Chunk::NotKept(len) => wire.push_hole(PieceKind::NotKept(*len)),
            }
        }
    }
    wire
}

impl Wire {
    /// The known bytes at these places, masked as they were sent.
    pub(super) fn read(&self, places: Range<usize>) -> Vec<u8> {
        let mut out = self.head.get(places.start..places.end.min(self.head.len())).unwrap_or_default().to_vec();
        let first = self.parts.partition_point(|part| part.place + part.from.len() <= places.start);
        for part in self.parts.get(first..).unwrap_or_default() {
            let within = |place: usize| place.clamp(part.place, part.place + part.from.len()) - part.place;
            let (start, end) = (within(places.start), within(places.end));
            if start >= end {
                break;
            }
            let old = out.len();
            out.extend_from_slice(self.body.get(part.from.start + start..part.from.start + end).unwrap_or_default());
            self.mask.apply(out.get_mut(old..).unwrap_or_default(), part.phase.wrapping_add(start as u64));
        }
        let tail = self.known.saturating_sub(self.tail.len());
        let within = places.start.saturating_sub(tail)..places.end.saturating_sub(tail).min(self.tail.len());
        out.extend_from_slice(self.tail.get(within).unwrap_or_default());
        out
    }

    /// Adds a frame's head. A type that Hixie does not define is not kept.
    fn push_head(&mut self, frame: &FrameRow, layout: &Layout) {
        if layout.version.is_hixie() {
            let (first, rest) = hixie_head(frame);
            match first {
                Some(first) => self.push_head_bytes(&[first]),
                None if frame.header_len > 0 => self.push_hole(PieceKind::NotKept(1)),
                None => {}
            }
            return self.push_head_bytes(&rest);
        }
        let mut head = bare_head(frame, layout.version);
        match self.mask {
            Mask::None => {}
            Mask::Key(key) => head.extend(key),
            Mask::Cover(cover, _) => {
                cover.apply(&mut head, 0);
                self.push_head_bytes(&frame.mask.unwrap_or_default());
            }
        }
        self.push_head_bytes(&head);
    }

    fn push_head_bytes(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.head.extend_from_slice(bytes);
            self.push_place(bytes.len());
        }
    }

    fn push_tail(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.tail.extend_from_slice(bytes);
            self.push_place(bytes.len());
        }
    }

    fn push(&mut self, from: Range<usize>, phase: u64) {
        if !from.is_empty() {
            let len = from.len();
            self.parts.push(Part { place: self.known, from, phase });
            self.push_place(len);
        }
    }

    /// Bytes that follow on bytes belong to the same piece.
    fn push_place(&mut self, len: usize) {
        let start = self.known;
        self.known += len;
        match self.pieces.last_mut() {
            Some(Piece { kind: PieceKind::Bytes { end, .. }, .. }) => *end = self.known,
            _ => {
                let kind = PieceKind::Bytes { start, end: self.known };
                self.pieces.push(Piece { offset: self.len, kind });
            }
        }
        self.len = self.len.saturating_add(len as u64);
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
        self.known.saturating_sub(1)
    }
}

/// A head without its key, before anything masks it: 2 bytes, the extended length in 0, 2 or 8.
pub(super) fn bare_head(frame: &FrameRow, version: Version) -> Vec<u8> {
    let first = frame.fin ^ version.says_more();
    let mut out = vec![u8::from(first) << 7 | (frame.rsv & 7) << 4 | version.wire_opcode(frame.opcode)];
    let bit = if version.tells_mask() { frame.mask.is_some() } else { frame.rsv & 8 != 0 };
    let bit = u8::from(bit) << 7;
    match extended_len(frame) {
        8 => {
            out.push(bit | 127);
            out.extend(frame.len.to_be_bytes());
        }
        2 => {
            out.push(bit | 126);
            out.extend((frame.len as u16).to_be_bytes());
        }
        _ => out.push(bit | frame.len as u8 & 0x7f),
    }
    out
}

/// The type of a Hixie frame, where the drafts define it, and the length behind it, in base 128.
fn hixie_head(frame: &FrameRow) -> (Option<u8>, Vec<u8>) {
    let first = match frame.opcode {
        Opcode::TEXT => Some(0x00),
        Opcode::BINARY => Some(0x80),
        Opcode::CLOSE => Some(0xff),
        _ => None,
    };
    let digits = frame.header_len.saturating_sub(1);
    let digit = |at: u8| (frame.len >> (7 * u32::from(at).min(9))) as u8 & 0x7f | if at > 0 { 0x80 } else { 0 };
    (first, (0..digits).rev().map(digit).collect())
}

/// Bytes of the length behind the first two: 0, 2 or 8.
pub(super) fn extended_len(frame: &FrameRow) -> u64 {
    let fixed = if frame.mask.is_some() { 6 } else { 2 };
    u64::from(frame.header_len).saturating_sub(fixed)
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

    fn body(bytes: &[u8]) -> Arc<Vec<u8>> {
        Arc::new(bytes.to_vec())
    }

    fn all(wire: &Wire) -> Vec<u8> {
        wire.read(0..wire.known)
    }

    /// RFC 6455 §5.7.
    #[test]
    fn rebuilds_the_examples_of_the_rfc() {
        let rfc = Layout::default();
        let plain = rebuild(&frame(5, 2, None), &rfc, body(b"Hello"), &whole(5), 0, Source::Frame, &Around::default());
        assert_eq!(all(&plain), [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        let masked = rebuild(
            &frame(5, 6, Some([0x37, 0xfa, 0x21, 0x3d])),
            &rfc,
            body(b"Hello"),
            &whole(5),
            0,
            Source::Frame,
            &Around::default(),
        );
        assert_eq!(all(&masked), [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        assert_eq!(bare_head(&frame(256, 4, None), Version::Rfc6455), [0x81, 0x7e, 0x01, 0x00]);
        assert_eq!(bare_head(&frame(65536, 10, None), Version::Rfc6455), [0x81, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn takes_its_part_of_a_message_and_keeps_the_mask_in_step_over_a_hole() {
        // A message of 12 bytes, of which 3 to 7 are lost; the frame carries 2 to 10.
        let body = body(b"abcijkl");
        let pieces = [
            Piece { offset: 0, kind: PieceKind::Bytes { start: 0, end: 3 } },
            Piece { offset: 3, kind: PieceKind::Lost(Some(5)) },
            Piece { offset: 8, kind: PieceKind::Bytes { start: 3, end: 7 } },
        ];
        let rfc = Layout::default();
        let unmasked =
            rebuild(&frame(8, 6, None), &rfc, Arc::clone(&body), &pieces, 2, Source::Unmasked, &Around::default());
        assert_eq!(all(&unmasked), b"cij");
        assert_eq!(unmasked.len, 8);
        assert_eq!(unmasked.pieces[1], Piece { offset: 1, kind: PieceKind::Lost(Some(5)) });
        assert_eq!((unmasked.offset_of(1), unmasked.place_of(6), unmasked.place_of(3)), (Some(6), 1, 1));
        let masked =
            rebuild(&frame(8, 6, Some([1, 2, 3, 4])), &rfc, body, &pieces, 2, Source::Frame, &Around::default());
        // Bytes 0, 6 and 7 of the payload.
        assert_eq!(all(&masked)[6..], [b'c' ^ 1, b'i' ^ 3, b'j' ^ 4]);
        // Any part reads as it stands in the whole.
        let whole = all(&masked);
        for start in 0..=whole.len() {
            for end in start..=whole.len() {
                assert_eq!(masked.read(start..end), whole[start..end]);
            }
        }
    }

    /// The same frames as the drafts lay them out.
    #[test]
    fn rebuilds_frames_of_drafts() {
        let frame_of = |number, len, header_len, mask| {
            let layout = Layout { version: Version::Hybi(number), masking_key: None };
            rebuild(
                &frame(len, header_len, mask),
                &layout,
                body(b"Hello"),
                &whole(5),
                0,
                Source::Frame,
                &Around::default(),
            )
        };
        assert_eq!(all(&frame_of(3, 5, 2, None)), b"\x04\x05Hello");
        assert_eq!(all(&frame_of(4, 5, 2, None)), b"\x84\x05Hello");
        let masked = frame_of(6, 5, 6, Some([0x37, 0xfa, 0x21, 0x3d]));
        assert_eq!(
            all(&masked),
            [
                0x37,
                0xfa,
                0x21,
                0x3d,
                0x84 ^ 0x37,
                5 ^ 0xfa,
                b'H' ^ 0x21,
                b'e' ^ 0x3d,
                b'l' ^ 0x37,
                b'l' ^ 0xfa,
                b'o' ^ 0x21
            ]
        );
        let hixie = Layout { version: Version::Hixie76, masking_key: None };
        let of =
            |frame: FrameRow| rebuild(&frame, &hixie, body(b"Hello"), &whole(5), 0, Source::Frame, &Around::default());
        assert_eq!(all(&of(frame(5, 1, None))), b"\0Hello\xff");
        assert_eq!(all(&of(FrameRow { opcode: Opcode::BINARY, ..frame(5, 3, None) })), b"\x80\x80\x05Hello");
        assert_eq!(all(&of(FrameRow { opcode: Opcode::CLOSE, ..frame(0, 2, None) })), b"\xff\0");
        let odd = of(FrameRow { opcode: Opcode(4), ..frame(5, 2, None) });
        assert_eq!(
            (all(&odd).as_slice(), odd.len, odd.pieces.first()),
            (&b"\x05Hello"[..], 7, Some(&Piece { offset: 0, kind: PieceKind::NotKept(1) }))
        );
    }
}
