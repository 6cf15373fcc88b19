//! The heads of drafts before RFC 6455 (HyBi-01 to 06), read as if they were its own.

use super::frame::{self, Head, Parsed};
use super::mask::{self, Mask};
use crate::model::{Cover, Direction, Handshake, Version};

/// How the frame heads of one direction are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Layout {
    /// RFC 6455 §5.2.
    #[default]
    Rfc6455,
    /// ```text
    ///      +----------------------+-+-+-+-+-------+-+-------------+--------------+
    ///      |  key of a client's   |F|R|R|R| opcode|R| len (7 bits)| 16 or 64 bits|
    ///      |  frame (32), 04 - 06 |I|S|S|S|  (4)  |S|             | when len is  |
    ///      |                      |N|V|V|V|       |V|             | 126 or 127   |
    ///      |                      | |1|2|3|       |4|             |              |
    ///      +----------------------+-+-+-+-+-------+-+-------------+--------------+
    ///                             | what the key masks …
    /// ```
    ///
    /// In 01 to 03 the first bit is MORE, which is FIN turned round.
    Draft {
        version: Version,
        /// A key stands before the frame, and masks it.
        masked: bool,
        /// What the key is hashed with, in HyBi-04.
        masking_key: Option<[u8; 20]>,
    },
}

/// Bytes of the key.
const KEY: usize = 4;
/// The longest head without its key: 2 bytes, 8 of length.
const BARE_MAX: usize = 10;
/// RSV4, beside the three bits of other versions.
const RSV4: u8 = 8;

impl Layout {
    /// The layout of what one side sends.
    pub(super) fn new(handshake: &Handshake, dir: Direction) -> Self {
        let version = handshake.version();
        if !version.has_old_heads() {
            return Self::Rfc6455;
        }
        let masking_key = handshake.masking_key();
        let masks = matches!(version, Version::Hybi(5..)) || masking_key.is_some();
        Self::Draft { version, masked: masks && dir == Direction::ToServer, masking_key }
    }

    /// Whether what goes in a direction is masked.
    pub(super) fn masks(&self, dir: Direction) -> bool {
        match *self {
            Self::Rfc6455 => dir == Direction::ToServer,
            Self::Draft { masked, .. } => masked,
        }
    }

    /// Whether heads can be looked for where none is known to stand: not where each byte would have to be hashed.
    pub(super) const fn can_be_sought(&self) -> bool {
        !matches!(self, Self::Draft { masked: true, masking_key: Some(_), .. })
    }

    /// Whether a head can begin with this byte: no reserved bit or opcode, RSV1 only where messages may be compressed (RFC 6455 §5.2).
    pub(super) fn may_begin(&self, first: u8, compressed: bool) -> bool {
        match *self {
            Self::Rfc6455 => {
                let rsv = if compressed { 0x30 } else { 0x70 };
                first & rsv == 0 && matches!(first & 0x0f, 0..=2 | 8..=10)
            }
            Self::Draft { masked, .. } => masked || first & 0x70 == 0 && matches!(first & 0x0f, 0..=5),
        }
    }

    /// What a frame with this head is masked with.
    pub(super) fn mask(&self, head: &Head) -> Option<Mask> {
        let key = head.key?;
        Some(match *self {
            Self::Rfc6455 => Mask::Payload(key),
            Self::Draft { masking_key, .. } => {
                Mask::Frame(Cover::new(key, masking_key), head.header_len.saturating_sub(KEY as u8))
            }
        })
    }

    /// The first byte of the payload that follows a head, unmasked.
    pub(super) fn first(&self, head: &Head, payload: &[u8]) -> Option<u8> {
        let mut first = [*payload.first().filter(|_| head.len > 0)?];
        if let Some(mask) = self.mask(head) {
            mask::apply(&mut first, mask, 0);
        }
        let [first] = first;
        Some(first)
    }

    /// Reads a head from the beginning of `bytes`.
    #[inline(always)]
    pub(super) fn head(&self, bytes: &[u8]) -> Parsed {
        match self {
            Self::Rfc6455 => frame::head(bytes),
            Self::Draft { .. } => self.old_head(bytes),
        }
    }

    #[cold]
    fn old_head(&self, bytes: &[u8]) -> Parsed {
        match *self {
            Self::Rfc6455 => frame::head(bytes),
            Self::Draft { version, masked: false, .. } => bare(bytes, version, None),
            Self::Draft { version, masked: true, masking_key } => match bytes.split_first_chunk::<KEY>() {
                Some((key, rest)) => bare(rest, version, Some((*key, Cover::new(*key, masking_key)))),
                None => Parsed::More(KEY + 2 - bytes.len()),
            },
        }
    }
}

/// Reads a head behind its key.
fn bare(bytes: &[u8], version: Version, key: Option<([u8; KEY], Cover)>) -> Parsed {
    let mut plain = [0; BARE_MAX];
    let len = bytes.len().min(BARE_MAX);
    for (slot, byte) in plain.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    if let Some((_, cover)) = key {
        cover.apply(&mut plain, 0);
    }
    // What is a mask bit since HyBi-07 was reserved before.
    let [_, second, ..] = &mut plain;
    let reserved = *second & 0x80 != 0;
    *second &= 0x7f;
    match frame::head(plain.get(..len).unwrap_or_default()) {
        Parsed::Done(head) => {
            let key = key.map(|(key, _)| key);
            Parsed::Done(Head {
                fin: head.fin ^ version.says_more(),
                rsv: head.rsv | if reserved { RSV4 } else { 0 },
                opcode: version.opcode(head.opcode.0),
                key,
                header_len: head.header_len + if key.is_some() { KEY as u8 } else { 0 },
                ..head
            })
        }
        more @ Parsed::More(_) => more,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Opcode;
    use crate::proto::ws::mask;

    fn layout(number: u8, masked: bool) -> Layout {
        Layout::Draft { version: Version::Hybi(number), masked, masking_key: None }
    }

    fn read(layout: Layout, bytes: &[u8]) -> Head {
        for len in 0..bytes.len() {
            assert!(!matches!(layout.head(&bytes[..len]), Parsed::More(n) if n > bytes.len() - len), "{len}");
        }
        match layout.head(bytes) {
            Parsed::Done(head) => head,
            Parsed::More(n) => panic!("{n} more"),
        }
    }

    #[test]
    fn reads_the_examples_of_the_drafts() {
        // HyBi-03 §4.7: a text in one frame, and in two.
        let hello = read(layout(3, false), &[0x04, 0x05]);
        assert_eq!((hello.fin, hello.opcode, hello.len, hello.header_len), (true, Opcode::TEXT, 5, 2));
        assert!(!read(layout(3, false), &[0x84, 0x03]).fin);
        let last = read(layout(3, false), &[0x00, 0x02]);
        assert_eq!((last.fin, last.opcode), (true, Opcode::CONTINUATION));
        // HyBi-04 §4.7.
        assert!(read(layout(4, false), &[0x84, 0x05]).fin);
        assert!(!read(layout(4, false), &[0x04, 0x03]).fin);
        assert_eq!(read(layout(4, false), &[0x82, 0x05]).opcode, Opcode::PING);
        assert_eq!(read(layout(4, false), &[0x85, 0x7e, 0x01, 0x00]).len, 256);
        assert_eq!(read(layout(4, false), &[0x85, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]).len, 65_536);
        assert_eq!(read(layout(1, false), &[0x04, 0x80]).rsv, RSV4);
    }

    #[test]
    fn a_key_masks_the_head_too() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let mut frame = *b"\x84\x7e\0\x07payload";
        Cover::new(key, None).apply(&mut frame, 0);
        let head = read(layout(6, true), &[&key[..], &frame].concat());
        assert_eq!((head.fin, head.opcode, head.len, head.header_len), (true, Opcode::TEXT, 7, 8));
        let mask = layout(6, true).mask(&head).unwrap();
        mask::apply(&mut frame[4..7], mask, 0);
        mask::apply(&mut frame[7..], mask, 3);
        assert_eq!(&frame[4..], b"payload");
    }
}
