//! WebSocket frames and upgrade heads as bytes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha1::Digest as _;

/// How a payload length is written (RFC 6455 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// In the fewest bytes.
    Shortest,
    /// In 16 bits, whether they are needed or not.
    Sixteen,
    /// In 64 bits, whether they are needed or not.
    SixtyFour,
    /// In 64 bits, with a value that is not the payload's.
    Claim(u64),
}

/// A frame, with any bit as one likes.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) mask: Option<[u8; 4]>,
    pub(crate) length: Length,
    pub(crate) payload: Vec<u8>,
}

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

impl Frame {
    /// A whole message in one unmasked frame.
    pub(crate) fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self { fin: true, rsv: 0, opcode, mask: None, length: Length::Shortest, payload: payload.into() }
    }

    /// A Close frame with a code and a reason.
    pub(crate) fn close(code: u16, reason: &str) -> Self {
        Self::new(CLOSE, [&code.to_be_bytes(), reason.as_bytes()].concat())
    }

    /// The same frame, not the last of its message.
    pub(crate) fn open(self) -> Self {
        Self { fin: false, ..self }
    }

    /// The same frame, masked with this key.
    pub(crate) fn masked(self, key: [u8; 4]) -> Self {
        Self { mask: Some(key), ..self }
    }

    /// The same frame with these reserved bits (4, 2, 1).
    pub(crate) fn rsv(self, rsv: u8) -> Self {
        Self { rsv, ..self }
    }

    /// The same frame with its length written that way.
    pub(crate) fn length(self, length: Length) -> Self {
        Self { length, ..self }
    }

    /// The bytes of its head.
    pub(crate) fn head(&self) -> Vec<u8> {
        let len = self.payload.len() as u64;
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        let mut out = vec![u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode];
        match self.length {
            Length::Shortest if len < 126 => out.push(masked | len as u8),
            Length::Shortest | Length::Sixteen if len <= 0xffff => {
                out.push(masked | 126);
                out.extend((len as u16).to_be_bytes());
            }
            form => {
                let len = if let Length::Claim(len) = form { len } else { len };
                out.push(masked | 127);
                out.extend(len.to_be_bytes());
            }
        }
        out.extend(self.mask.unwrap_or_default().iter().take(if self.mask.is_some() { 4 } else { 0 }));
        out
    }

    /// The frame as sent.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = self.head();
        let key = self.mask.unwrap_or_default();
        out.extend(self.payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        out
    }
}

/// The key of the example in RFC 6455 §1.3, whose accept value is known.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The accept value for a key (RFC 6455 §4.2.2).
pub(crate) fn accept(key: &str) -> String {
    BASE64_STANDARD.encode(sha1::Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")))
}

/// An upgrade request without faults; `more` are header lines, each ending in CR LF.
pub(crate) fn request(target: &str, more: &str) -> Vec<u8> {
    format!(
        "GET {target} HTTP/1.1\r\nHost: lab.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    )
    .into_bytes()
}

/// The answer that accepts it.
pub(crate) fn response(more: &str) -> Vec<u8> {
    let accept = accept(KEY);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    )
    .into_bytes()
}

#[test]
fn heads_and_frames_are_those_of_the_rfc() {
    assert_eq!(accept(KEY), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    // RFC 6455 §5.7.
    assert_eq!(Frame::new(TEXT, "Hello").bytes(), b"\x81\x05Hello");
    assert_eq!(
        Frame::new(TEXT, "Hello").masked([0x37, 0xfa, 0x21, 0x3d]).bytes(),
        b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
    );
    assert_eq!(Frame::new(TEXT, "Hel").open().bytes(), b"\x01\x03Hel");
    assert_eq!(Frame::new(BINARY, vec![0; 256]).head(), b"\x82\x7e\x01\x00");
    assert_eq!(Frame::new(BINARY, vec![0; 65536]).head(), b"\x82\x7f\0\0\0\0\0\x01\0\0");
    assert_eq!(Frame::new(TEXT, "a").length(Length::Sixteen).bytes(), b"\x81\x7e\0\x01a");
}
