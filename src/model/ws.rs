//! WebSocket frames and messages (RFC 6455 §5).

use super::amount::duration;
use super::body::Body;
use super::close::CloseCode;
use super::decoded::Decoded;
use super::flow::Direction;
use super::mark::{Mark, PacketNo, Span};
use super::moment::Moment;
use super::note::NoteSet;
use std::fmt;

/// A frame's four-bit opcode (RFC 6455 §5.2, §11.8); reserved ones survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opcode(pub u8);

impl Opcode {
    /// Goes on with the open message.
    pub const CONTINUATION: Self = Self(0);
    /// Begins a UTF-8 message.
    pub const TEXT: Self = Self(1);
    /// Begins a message of bytes.
    pub const BINARY: Self = Self(2);
    /// Closes the connection.
    pub const CLOSE: Self = Self(8);
    /// Asks for a pong.
    pub const PING: Self = Self(9);
    /// Answers a ping.
    pub const PONG: Self = Self(10);

    /// Close, ping, pong and the reserved 11 to 15: never fragmented, may stand between fragments.
    pub const fn is_control(self) -> bool {
        self.0 >= 8
    }

    /// 3 to 7 and 11 to 15.
    pub const fn is_reserved(self) -> bool {
        matches!(self.0, 3..=7 | 11..)
    }

    /// The names in records, by opcode.
    pub const NAMES: [&'static str; 16] = [
        "continuation",
        "text",
        "binary",
        "reserved-3",
        "reserved-4",
        "reserved-5",
        "reserved-6",
        "reserved-7",
        "close",
        "ping",
        "pong",
        "reserved-11",
        "reserved-12",
        "reserved-13",
        "reserved-14",
        "reserved-15",
    ];

    /// The name in records: `text`, `binary`, `ping`, `pong`, `close`, `continuation`, `reserved-3` ….
    #[expect(clippy::indexing_slicing, reason = "four bits name one of sixteen")]
    pub const fn name(self) -> &'static str {
        Self::NAMES[(self.0 & 15) as usize]
    }
}

/// One frame, without its payload: that is in its message.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// From 1 within the connection, both directions in one count, in order of completion.
    pub number: u64,
    /// The message it belongs to; `None` for a fragment whose message is not complete yet.
    pub msg: Option<u64>,
    /// Who sent it.
    pub dir: Direction,
    /// Last frame of its message.
    pub fin: bool,
    /// RSV1, RSV2, RSV3 as the bits 4, 2, 1; the RSV4 of HyBi-01 to 06 as 8.
    pub rsv: u8,
    /// What it carries, by the numbers of RFC 6455 whatever those of the draft.
    pub opcode: Opcode,
    /// The masking key, of a masked frame; in HyBi-04 its nonce.
    pub mask: Option<[u8; 4]>,
    /// Bytes of the head: 2, 4 or 10, and 4 more when masked; in Hixie the type and the length behind it.
    pub header_len: u8,
    /// Payload length as the head gives it.
    pub len: u64,
    /// Where in the direction's stream the frame begins.
    pub stream_offset: u64,
    /// Packets with its first byte and with its last.
    pub span: Span,
    /// Whether all its payload was captured.
    pub complete: bool,
    /// What is wrong with it.
    pub findings: NoteSet,
}

/// One message, or what is known of it: data messages are joined from their frames, each control frame is a message.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// From 1 within the connection, both directions in one count, in order of completion.
    pub number: u64,
    /// Who sent it.
    pub dir: Direction,
    /// Opcode of its first frame; [`Opcode::CONTINUATION`] when that was lost or never sent.
    pub opcode: Opcode,
    /// Number of its frames.
    pub frames: u64,
    /// It was compressed on the wire (RSV1, RFC 7692 §6).
    pub compressed: bool,
    /// It was compressed and nobody knows how: the bytes are as on the wire, not to be read as text.
    pub undecoded: bool,
    /// Payload bytes on the wire: the sum of its frames' lengths.
    pub wire_len: u64,
    /// The unmasked payload, inflated if it was compressed.
    pub body: Body<'a>,
    /// The unmasked payload as it was on the wire, joined over holes, of a message that was inflated; empty unless [`super::Limits::wire_bytes`] asks for it.
    pub wire: &'a [u8],
    /// Every byte is there and certain.
    pub complete: bool,
    /// Bytes of it are right if the length found by a search for what was lost before is (RFC 7692 §7.1.1).
    pub inferred: bool,
    /// The body is UTF-8 throughout, but for characters that a hole cuts; only judged for text and for close reasons.
    pub utf8: bool,
    /// Code and reason of a Close frame that has them.
    pub close: Option<Close<'a>>,
    /// Nanoseconds since the ping that a pong answers.
    pub rtt: Option<i64>,
    /// What bytes of it waited for longest, of what is worth telling.
    pub waited: Option<&'a Wait>,
    /// Packets with its first byte, and with which it was complete or given up.
    pub span: Span,
    /// The packet that carried the last byte of it that was captured: on the wire it came with this one.
    pub brought: Mark,
    /// What is wrong with it.
    pub findings: NoteSet,
    /// What it says in the terms of its protocol; only where somebody asks for that, and a decoder understands it.
    pub decoded: Option<&'a Decoded<'a>>,
    /// What stands on the connection behind it; only where somebody asks for that.
    pub state: Option<&'a Moment>,
}

impl<'a> Message<'a> {
    /// A message of one frame that is all there and of which nothing else is known.
    pub fn whole(number: u64, dir: Direction, opcode: Opcode, bytes: &'a [u8]) -> Self {
        Self {
            number,
            dir,
            opcode,
            frames: 1,
            compressed: false,
            undecoded: false,
            wire_len: bytes.len() as u64,
            body: Body::whole(bytes),
            wire: &[],
            complete: true,
            inferred: false,
            utf8: std::str::from_utf8(bytes).is_ok(),
            close: None,
            rtt: None,
            waited: None,
            span: Span::default(),
            brought: Mark::default(),
            findings: NoteSet::EMPTY,
            decoded: None,
            state: None,
        }
    }
}

impl Message<'_> {
    /// Whether the payload is text that can be shown as such: a text message of valid UTF-8, inflated if need be.
    pub fn is_text(&self) -> bool {
        self.opcode == Opcode::TEXT && self.utf8 && !self.undecoded
    }

    /// The packet that the record names.
    pub fn mark(&self) -> Mark {
        self.span.last
    }
}

/// Why bytes were late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// For how many nanoseconds.
    pub nanos: i64,
    /// What was waited for.
    pub cause: WaitCause,
    /// The packet that ended it.
    pub packet: PacketNo,
    /// The packet whose bytes that one brought again, where it was captured.
    pub of: Option<PacketNo>,
}

impl Wait {
    /// Shorter ones are not told, in nanoseconds: so late may come what other ways delayed, and not a loss.
    pub const NOTICED: i64 = 3_000_000;

    /// `retransmission of packet 4397 in packet 4411`.
    pub fn reason(&self) -> String {
        match (self.cause, self.of) {
            (WaitCause::Retransmission, Some(of)) => format!("retransmission of packet {of} in packet {}", self.packet),
            (WaitCause::Retransmission, None) => format!("retransmission in packet {}", self.packet),
            (WaitCause::Window, _) => format!("window was 0 until packet {}", self.packet),
        }
    }
}

/// A message that was told before reached its receiver only when bytes were sent again, of it or of what was sent before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resent {
    /// Its number within the connection.
    pub msg: u64,
    /// Who sent it.
    pub dir: Direction,
    /// What its bytes waited for.
    pub wait: Wait,
}

/// What bytes wait for in TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitCause {
    /// Bytes before them, or they themselves, were lost and sent again.
    Retransmission,
    /// The receiver took nothing: its window was zero (RFC 9293 §3.8.6).
    Window,
}

impl WaitCause {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retransmission => "retransmission",
            Self::Window => "window",
        }
    }
}

impl fmt::Display for Wait {
    /// `waited 812 ms for the retransmission in packet 4411`; where both were captured, `… of packet 4397 in packet 4411`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let article = if self.cause == WaitCause::Window { "the receiver: its" } else { "the" };
        write!(f, "waited {} for {article} {}", duration(self.nanos), self.reason())
    }
}

/// The body of a Close frame (RFC 6455 §5.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close<'a> {
    /// Why.
    pub code: CloseCode,
    /// Why, in the sender's words; meant to be UTF-8.
    pub reason: &'a [u8],
}
