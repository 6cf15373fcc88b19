//! Handshakes and frames of the drafts before RFC 6455, encoded from their texts.

use super::frame::{BINARY, CLOSE, CONTINUATION, KEY, PING, PONG, TEXT, accept};
use super::session::{Client, Said, Server, Session, Side};
use sha1::Digest as _;

/// A version before RFC 6455.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Draft {
    Hixie75,
    Hixie76,
    /// HyBi-01 to 12.
    Hybi(u8),
    /// HyBi-04 with a server that sends a nonce, so that the client masks.
    Masked04,
}

/// All that differ.
pub(crate) const DRAFTS: [Draft; 11] = [
    Draft::Hixie75,
    Draft::Hixie76,
    Draft::Hybi(1),
    Draft::Hybi(2),
    Draft::Hybi(3),
    Draft::Hybi(4),
    Draft::Masked04,
    Draft::Hybi(5),
    Draft::Hybi(6),
    Draft::Hybi(7),
    Draft::Hybi(8),
];

/// The handshake of draft-hixie-thewebsocketprotocol-76 §1.2: both keys, the eight bytes, the answer.
const KEY1: &str = "4 @1  46546xW%0l 1 5";
const KEY2: &str = "12998 5 Y3 1  .P00";
const KEY3: &[u8] = b"^n:ds[4U";
pub(crate) const ANSWER: &[u8] = b"8jKS'y:G*Co,Wxa-";
const NONCE: &str = "AQIDBAUGBwgJCgsMDQ4PEC==";

impl Draft {
    pub(crate) fn is_hixie(self) -> bool {
        matches!(self, Self::Hixie75 | Self::Hixie76)
    }

    fn number(self) -> u8 {
        match self {
            Self::Hixie75 | Self::Hixie76 => 0,
            Self::Hybi(number) => number,
            Self::Masked04 => 4,
        }
    }

    /// The name in records.
    pub(crate) fn transport(self) -> String {
        match self {
            Self::Hixie75 => "hixie-75".into(),
            Self::Hixie76 => "hixie-76".into(),
            Self::Hybi(7..) => "http/1.1".into(),
            _ => format!("hybi-{:02}", self.number()),
        }
    }

    fn has_challenge(self) -> bool {
        matches!(self, Self::Hixie76 | Self::Hybi(..=3))
    }

    /// The request, with what follows its head; `more` are header lines, each ending in CR LF.
    pub(crate) fn request(self, target: &str, more: &str) -> Vec<u8> {
        let version = match self {
            Self::Hixie75 => String::new(),
            _ if self.has_challenge() => {
                let draft = if self == Self::Hixie76 {
                    String::new()
                } else {
                    format!("Sec-WebSocket-Draft: {}\r\n", self.number())
                };
                format!("Sec-WebSocket-Key2: {KEY2}\r\nSec-WebSocket-Key1: {KEY1}\r\n{draft}")
            }
            _ => format!("Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: {}\r\n", self.number()),
        };
        let origin = if matches!(self, Self::Hybi(4..) | Self::Masked04) { "Sec-WebSocket-Origin" } else { "Origin" };
        let head = format!(
            "GET {target} HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nHost: lab.test\r\n\
             {origin}: http://site.test\r\n{version}{more}\r\n"
        );
        let behind = if self.has_challenge() { KEY3 } else { &[] };
        [head.as_bytes(), behind].concat()
    }

    /// The answer that accepts it, with what follows its head.
    pub(crate) fn response(self, target: &str, more: &str) -> Vec<u8> {
        let own = match self {
            Self::Hixie75 => {
                format!("WebSocket-Origin: http://site.test\r\nWebSocket-Location: ws://lab.test{target}\r\n")
            }
            _ if self.has_challenge() => {
                format!("Sec-WebSocket-Location: ws://lab.test{target}\r\nSec-WebSocket-Origin: http://site.test\r\n")
            }
            Self::Masked04 => format!("Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Nonce: {NONCE}\r\n", accept(KEY)),
            _ => format!("Sec-WebSocket-Accept: {}\r\n", accept(KEY)),
        };
        let head = format!(
            "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n{own}{more}\r\n"
        );
        let behind = if self.has_challenge() { ANSWER } else { &[] };
        [head.as_bytes(), behind].concat()
    }

    /// A frame as that side sends it; its opcode is that of RFC 6455.
    pub(crate) fn frame(self, side: Side, opcode: u8, fin: bool, payload: &[u8], key: [u8; 4]) -> Vec<u8> {
        if self.is_hixie() {
            return match opcode {
                TEXT => [&[0], payload, &[0xff]].concat(),
                CLOSE => vec![0xff, 0],
                _ => hixie_data(0x80, payload),
            };
        }
        let wire = match (self.number(), opcode) {
            (7.., _) | (_, CONTINUATION) => opcode,
            (_, CLOSE) => 1,
            (_, PING) => 2,
            (_, PONG) => 3,
            (_, TEXT) => 4,
            (_, BINARY) => 5,
            _ => opcode,
        };
        let first = if self.number() <= 3 { !fin } else { fin };
        let mut out = vec![u8::from(first) << 7 | wire];
        match payload.len() {
            len @ 0..=125 => out.push(len as u8),
            len @ 126..=0xffff => out.extend([&[126][..], &(len as u16).to_be_bytes()].concat()),
            len => out.extend([&[127][..], &(len as u64).to_be_bytes()].concat()),
        }
        let xor = |bytes: &mut [u8], with: &[u8]| {
            for (byte, key) in bytes.iter_mut().zip(with.iter().cycle()) {
                *byte ^= key;
            }
        };
        match self {
            Self::Hybi(7..) if side == Client => {
                out[1] |= 0x80;
                let mut masked = payload.to_vec();
                xor(&mut masked, &key);
                [&out[..], &key, &masked].concat()
            }
            // The key stands before the frame and masks all of it.
            Self::Hybi(5 | 6) if side == Client => {
                out.extend(payload);
                xor(&mut out, &key);
                [&key[..], &out].concat()
            }
            Self::Masked04 if side == Client => {
                out.extend(payload);
                let connection = sha1::Sha1::digest(format!("{KEY}{NONCE}61AC5F19-FBBA-4540-B96F-6561F1AB40A8"));
                xor(&mut out, &sha1::Sha1::digest([&key[..], &connection].concat()));
                [&key[..], &out].concat()
            }
            _ => [&out[..], payload].concat(),
        }
    }
}

/// Data of Hixie whose length stands before it.
pub(crate) fn hixie_data(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut digits = vec![payload.len() as u8 & 0x7f];
    let mut rest = payload.len() >> 7;
    while rest > 0 {
        digits.insert(0, 0x80 | rest as u8 & 0x7f);
        rest >>= 7;
    }
    [&[kind][..], &digits, payload].concat()
}

impl Session {
    /// The `n`th session, upgraded by a draft.
    pub(crate) fn of_draft(n: usize, draft: Draft) -> Self {
        let mut session = Self::bare(n);
        session.turn(Client, draft.request("/chat", ""));
        session.turn(Server, draft.response("/chat", ""));
        session
    }

    /// Sends a message as the draft frames it.
    pub(crate) fn say_as(&mut self, draft: Draft, side: Side, opcode: u8, parts: &[&[u8]]) -> &mut Self {
        for (at, part) in parts.iter().enumerate() {
            self.keys = self.keys.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (opcode, last) = (if at == 0 { opcode } else { CONTINUATION }, at + 1 == parts.len());
            let frame = draft.frame(side, opcode, last, part, self.keys.to_be_bytes());
            self.turn(side, frame);
        }
        self.said.push(Said {
            dir: side.dir(),
            opcode,
            frames: parts.len() as u64,
            payload: parts.concat(),
            packed: None,
        });
        self
    }

    /// A session that says something of every kind that its draft has.
    pub(crate) fn sample_of(n: usize, draft: Draft) -> Self {
        let mut session = Self::of_draft(n, draft);
        let mut say = |side, opcode, parts: &[&[u8]]| {
            session.say_as(draft, side, opcode, parts);
        };
        let long = "ü".repeat(40_000);
        say(Server, TEXT, &[format!("welcome {n}").as_bytes()]);
        say(Client, TEXT, &["héllo ✓".as_bytes()]);
        say(Client, TEXT, &[b""]);
        say(Server, TEXT, &["x".repeat(300).as_bytes()]);
        say(Client, TEXT, &[long.as_bytes()]);
        if !draft.is_hixie() {
            say(Client, TEXT, &[b"one ", b"two ", b"three"]);
            say(Server, PING, &[b"are you there"]);
            say(Client, PONG, &[b"are you there"]);
            say(Server, BINARY, &[&[0, 159, 146, 150], &[], &[7; 200]]);
        }
        say(Client, TEXT, &[b"last words"]);
        if draft != Draft::Hixie75 {
            let body: &[u8] = match draft {
                Draft::Hybi(6..) => &[0x03, 0xe8],
                _ => b"",
            };
            say(Client, CLOSE, &[body]);
            say(Server, CLOSE, &[body]);
        }
        session
    }
}
