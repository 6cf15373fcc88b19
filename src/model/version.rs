//! The versions of WebSocket: RFC 6455, and the drafts before it, whose frames are laid out otherwise.

use super::handshake::{Handshake, Head};
use super::ws::Opcode;
use sha1::{Digest, Sha1};

/// What a handshake agreed on. It decides how frames are laid out:
///
/// ```text
/// Hixie-75, 76   type 00, text, FF · type 80…FF, length in base 128, data · FF 00 closes (76)
/// HyBi-01…03     MORE RSV1-3 opcode · RSV4 length · data, never masked
/// HyBi-04        FIN RSV1-3 opcode · RSV4 length · data; of a client masked as a whole, behind a nonce
/// HyBi-05, 06    the same, masked with the key that stands before the frame
/// HyBi-07 and on RFC 6455 §5.2
/// ```
///
/// HyBi-01 to 06 have opcodes of their own; see [`Version::opcode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// draft-hixie-thewebsocketprotocol-75.
    Hixie75,
    /// draft-hixie-thewebsocketprotocol-76, which is draft-ietf-hybi-thewebsocketprotocol-00.
    Hixie76,
    /// draft-ietf-hybi-thewebsocketprotocol, 1 to 8, by the number in the handshake: drafts 8 to 12 say 8, later ones 13.
    Hybi(u8),
    /// RFC 6455, and HyBi-13 to 17, which have its number.
    #[default]
    Rfc6455,
}

/// Opcodes of HyBi-01 to 06 as those of RFC 6455: continuation, close, ping, pong, text, binary. The reserved ones stay
/// apart: those that mean nothing in either keep their number, 8 to 10 become the free 3 to 5.
const OLD_OPCODES: [u8; 16] = [0, 8, 9, 10, 1, 2, 6, 7, 3, 4, 5, 11, 12, 13, 14, 15];

impl Version {
    /// The version that a request asks for.
    pub fn asked(request: &Head) -> Self {
        let number = |name| request.value(name).and_then(|value| value.trim().parse().ok());
        if request.value("sec-websocket-version").is_some() {
            return match number("sec-websocket-version") {
                Some(number @ 4..=8) => Self::Hybi(number),
                _ => Self::Rfc6455,
            };
        }
        if request.value("sec-websocket-key1").is_some() || request.value("sec-websocket-key2").is_some() {
            return match number("sec-websocket-draft") {
                Some(number @ 1..=3) => Self::Hybi(number),
                _ => Self::Hixie76,
            };
        }
        // The first draft prescribes the header's bytes; who writes it otherwise means a later version and forgot its key.
        let first = request.whole
            && request.value("sec-websocket-key").is_none()
            && request.value("upgrade") == Some("WebSocket");
        if first { Self::Hixie75 } else { Self::Rfc6455 }
    }

    /// The version that an answer without its request tells of, if it tells of any.
    pub fn answered(response: &Head) -> Option<Self> {
        let has = |name| response.value(name).is_some();
        match () {
            () if has("sec-websocket-accept") => Some(Self::Rfc6455),
            () if has("sec-websocket-location") => Some(Self::Hixie76),
            () if has("websocket-location") => Some(Self::Hixie75),
            () => None,
        }
    }

    /// The name on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hixie75 => "Hixie-75",
            Self::Hixie76 => "HyBi-00 (Hixie-76)",
            Self::Hybi(1) => "HyBi-01",
            Self::Hybi(2) => "HyBi-02",
            Self::Hybi(3) => "HyBi-03",
            Self::Hybi(4) => "HyBi-04",
            Self::Hybi(5) => "HyBi-05",
            Self::Hybi(6) => "HyBi-06",
            Self::Hybi(7) => "HyBi-07",
            Self::Hybi(_) => "HyBi-08",
            Self::Rfc6455 => "RFC 6455",
        }
    }

    /// The name in records, of versions whose frames are not those of RFC 6455.
    pub const fn transport(self) -> Option<&'static str> {
        match self {
            Self::Hixie75 => Some("hixie-75"),
            Self::Hixie76 => Some("hixie-76"),
            Self::Hybi(1) => Some("hybi-01"),
            Self::Hybi(2) => Some("hybi-02"),
            Self::Hybi(3) => Some("hybi-03"),
            Self::Hybi(4) => Some("hybi-04"),
            Self::Hybi(5) => Some("hybi-05"),
            Self::Hybi(6) => Some("hybi-06"),
            Self::Hybi(_) | Self::Rfc6455 => None,
        }
    }

    /// Frames end with a sentinel and have no head to speak of.
    pub const fn is_hixie(self) -> bool {
        matches!(self, Self::Hixie75 | Self::Hixie76)
    }

    /// Frames have heads, but not those of RFC 6455.
    pub const fn has_old_heads(self) -> bool {
        matches!(self, Self::Hybi(..=6))
    }

    /// The request has two keys of digits and blanks, and eight bytes behind its head; the answer has sixteen behind its.
    pub const fn has_challenge(self) -> bool {
        matches!(self, Self::Hixie76 | Self::Hybi(..=3))
    }

    /// The head's first bit says that more frames follow, not that none does.
    pub const fn says_more(self) -> bool {
        matches!(self, Self::Hybi(..=3))
    }

    /// A bit in the head says whether the payload is masked.
    pub const fn tells_mask(self) -> bool {
        matches!(self, Self::Hybi(7..) | Self::Rfc6455)
    }

    /// A Close frame's body begins with a code.
    pub const fn has_close_codes(self) -> bool {
        matches!(self, Self::Hybi(6..) | Self::Rfc6455)
    }

    /// What an opcode on the wire means.
    pub fn opcode(self, wire: u8) -> Opcode {
        let old = OLD_OPCODES.get(usize::from(wire)).filter(|_| self.has_old_heads());
        Opcode(old.copied().unwrap_or(wire))
    }

    /// The opcode on the wire.
    pub fn wire_opcode(self, opcode: Opcode) -> u8 {
        let old = OLD_OPCODES.iter().zip(0..).find(|(meant, _)| **meant == opcode.0 && self.has_old_heads());
        old.map_or(opcode.0, |(_, wire)| wire)
    }
}

impl Handshake {
    /// The version agreed on.
    pub fn version(&self) -> Version {
        match (&self.request, &self.response) {
            (Some(request), _) => Version::asked(request),
            (None, Some(response)) => Version::answered(response).unwrap_or_default(),
            (None, None) => Version::default(),
        }
    }

    /// What the keys of HyBi-04 are made from, where the server has sent its part of it; without, its frames are not masked.
    pub fn masking_key(&self) -> Option<[u8; 20]> {
        const GUID: &[u8] = b"61AC5F19-FBBA-4540-B96F-6561F1AB40A8";
        let nonce = self.response.as_ref()?.value("sec-websocket-nonce")?;
        let key = self.key.as_deref()?;
        (self.version() == Version::Hybi(4)).then(|| {
            Sha1::new().chain_update(key.trim()).chain_update(nonce.trim()).chain_update(GUID).finalize().into()
        })
    }
}

/// What masks a frame of HyBi-04 to 06 with its head: byte `i` of the frame is XORed with byte `i mod 20` of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cover([u8; 20]);

impl Cover {
    /// The cover of a frame with this key, or, in HyBi-04, with this nonce and the connection's masking key.
    pub fn new(key: [u8; 4], connection: Option<[u8; 20]>) -> Self {
        match connection {
            Some(masking_key) => Self(Sha1::new().chain_update(key).chain_update(masking_key).finalize().into()),
            None => {
                let mut cover = [0; 20];
                cover.as_chunks_mut().0.fill(key);
                Self(cover)
            }
        }
    }

    /// Masks or unmasks bytes, the first of which is number `from` of its frame, counted from the head's first.
    pub fn apply(&self, bytes: &mut [u8], from: u64) {
        let skip = usize::try_from(from % 20).unwrap_or_default();
        for (byte, key) in bytes.iter_mut().zip(self.0.iter().cycle().skip(skip)) {
            *byte ^= key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opcodes_of_drafts_go_to_and_fro() {
        for version in (1..=8).map(Version::Hybi).chain([Version::Rfc6455]) {
            for wire in 0..16 {
                assert_eq!(version.wire_opcode(version.opcode(wire)), wire, "{version:?}");
            }
        }
        let old = Version::Hybi(6);
        let known = [Opcode::CONTINUATION, Opcode::CLOSE, Opcode::PING, Opcode::PONG, Opcode::TEXT, Opcode::BINARY];
        assert_eq!([0, 1, 2, 3, 4, 5].map(|wire| old.opcode(wire)), known);
        assert!((6..16).all(|wire| old.opcode(wire).is_reserved()));
        assert_eq!(Version::Hybi(7).opcode(1), Opcode::TEXT);
    }

    #[test]
    fn covers_are_undone_by_themselves_from_any_byte() {
        for cover in [Cover::new([1, 2, 3, 4], None), Cover::new([1, 2, 3, 4], Some([7; 20]))] {
            let mut bytes = [0x55; 50];
            cover.apply(&mut bytes, 0);
            let (head, rest) = bytes.split_at_mut(23);
            cover.apply(head, 0);
            cover.apply(rest, 23);
            assert_eq!(bytes, [0x55; 50]);
        }
        let mut bytes = [0; 6];
        Cover::new([1, 2, 3, 4], None).apply(&mut bytes, 2);
        assert_eq!(bytes, [3, 4, 1, 2, 3, 4]);
    }
}
