//! What the lower floors hand on: packets, then TCP segments, then bytes in order.

use super::encap::EncapId;
use super::flow::{Direction, Endpoint};
use super::http2::H2Error;
use super::mark::{Mark, PacketNo};
use super::note::NoteCode;
use super::ws::Wait;
use std::fmt;

/// A link-layer header type, as registered for pcap (`LINKTYPE_…`); unknown ones keep their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u32);

/// One captured packet, borrowed from the read buffer.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// Its number and time.
    pub mark: Mark,
    /// How its first header is to be read.
    pub link: LinkType,
    /// The captured bytes.
    pub bytes: &'a [u8],
    /// Its length on the wire; more than `bytes.len()` when the snap length cut it.
    pub orig_len: usize,
}

impl Packet<'_> {
    /// Who sent it to whom, of a packet in an Ethernet frame.
    pub fn frame_ends(&self) -> Option<FrameEnds> {
        let (&to, rest) = self.bytes.split_first_chunk().filter(|_| self.link == LinkType::ETHERNET)?;
        Some(FrameEnds { to, by: *rest.first_chunk()? })
    }
}

/// Destination and source of an Ethernet frame (IEEE 802.3 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameEnds {
    /// The destination.
    pub to: [u8; 6],
    /// The source.
    pub by: [u8; 6],
}

impl LinkType {
    /// Ethernet (IEEE 802.3).
    pub const ETHERNET: Self = Self(1);
}

/// One TCP segment, borrowed from its packet.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// Number and time of its packet.
    pub mark: Mark,
    /// The sender.
    pub src: Endpoint,
    /// The receiver.
    pub dst: Endpoint,
    /// RFC 9293 §3.1: sequence number of the first payload byte, or of the SYN.
    pub seq: u32,
    /// The next byte that the sender expects; only meaningful with [`Flags::ACK`].
    pub ack: u32,
    /// The control bits.
    pub flags: Flags,
    /// How much the sender will take, as the header has it: not scaled. Nothing at 0.
    pub window: u16,
    /// Header and payload as they were captured; nothing where the header was cut.
    pub bytes: &'a [u8],
    /// The captured payload.
    pub payload: &'a [u8],
    /// Payload bytes that were on the wire behind `payload` but cut from the capture.
    pub cut: u32,
    /// RFC 7323 §2.2: by how many bits the sender of a SYN will shift its windows; `None` without the option, and without SYN.
    pub scale: Option<u8>,
    /// What it is wrapped in.
    pub encap: EncapId,
    /// Whether the same packet was captured a moment ago.
    pub twice: Twice,
}

/// Whether a packet was captured before, as far as its headers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Twice {
    /// It was not.
    #[default]
    No,
    /// One that looks like it was, so shortly before, or with the same time stamp, that it was not sent again.
    AtOnce,
    /// One with the same number in its IP header was.
    SameNumber,
}

impl Segment<'_> {
    /// The options of the header, where that was captured whole (RFC 9293 §3.2).
    pub fn options(&self) -> &[u8] {
        self.bytes.get(20..self.bytes.len().saturating_sub(self.payload.len())).unwrap_or_default()
    }
}

/// The control bits of a TCP header (RFC 9293 §3.1), low byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement field is meaningful.
    pub const ACK: Self = Self(0x10);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// All bits that are set in either.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a protocol layer is fed: an ordered byte stream for each direction, with its holes named.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// The next bytes.
    Data {
        /// Which way they went.
        dir: Direction,
        /// Where in the direction's stream the first of them stands; holes are counted.
        offset: u64,
        /// The bytes, never empty.
        bytes: &'a [u8],
        /// The packet that carried them.
        brought: Mark,
        /// The packet that let them be delivered: `brought`, or a later one that filled the hole before them.
        mark: Mark,
    },
    /// Bytes that the capture does not have and will not bring any more.
    Gap {
        /// Which way they went.
        dir: Direction,
        /// Where in the direction's stream the hole begins.
        offset: u64,
        /// How many bytes are missing.
        len: u64,
        /// Whether that is certain. If not, there may be fewer or more: who counts bytes does not know where it stands.
        exact: bool,
        /// Whether their receiver has them.
        receipt: Receipt,
        /// The packet at which they were given up.
        mark: Mark,
    },
    /// Something is odd about the bytes at `offset`.
    Odd {
        /// Which way they went.
        dir: Direction,
        /// The first byte concerned.
        offset: u64,
        /// How many are; none where another copy of them is odd, and not they.
        len: u64,
        /// What is odd.
        code: NoteCode,
        /// What exactly, in one sentence.
        text: &'a str,
        /// Evidence.
        detail: &'a str,
        /// The packet that showed it.
        mark: Mark,
    },
    /// The bytes that a packet brought had to wait. Said before them.
    Waited {
        /// Which way they went.
        dir: Direction,
        /// The packet.
        brought: PacketNo,
        /// How long, and what for.
        wait: Wait,
        /// The packet with which they are delivered.
        mark: Mark,
    },
    /// Bytes that were told before reached their receiver only when some of them were sent again: behind the capture the network
    /// had lost them.
    Resent {
        /// Which way they went.
        dir: Direction,
        /// The first byte that the receiver lacked, in the stream of TCP, whatever layer hears of it.
        offset: u64,
        /// How many bytes waited: that one, and those behind it that the receiver acknowledged together with it.
        len: u64,
        /// The packet that brought the first of them.
        lost: Mark,
        /// The packet that brought it again.
        again: Mark,
        /// The packet that acknowledged them.
        mark: Mark,
    },
    /// The direction's stream ends.
    End {
        /// Which way it went.
        dir: Direction,
        /// How it ended.
        how: End,
        /// The packet that ended it, which bytes before it may have held up.
        mark: Mark,
    },
}

impl Input<'_> {
    /// A hole of which nothing more is known.
    pub const fn lost(dir: Direction, offset: u64, len: u64, exact: bool, mark: Mark) -> Self {
        Self::Gap { dir, offset, len, exact, receipt: Receipt::Unknown, mark }
    }

    /// The same in the other direction.
    #[must_use]
    pub const fn reversed(mut self) -> Self {
        let (Self::Data { dir, .. }
        | Self::Gap { dir, .. }
        | Self::Odd { dir, .. }
        | Self::Waited { dir, .. }
        | Self::Resent { dir, .. }
        | Self::End { dir, .. }) = &mut self;
        *dir = dir.reverse();
        self
    }
}

/// Whether bytes that are missing reached their receiver, as its acknowledgements tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Receipt {
    /// Nobody knows.
    #[default]
    Unknown,
    /// It has them: the capture lost them, not the network.
    Received,
    /// It asked for them again and again.
    Lacked,
    /// They were captured, but they are within a TLS record that does not open.
    Sealed,
}

impl Receipt {
    /// Why such bytes are missing.
    pub const fn cause(self) -> &'static str {
        if matches!(self, Self::Sealed) { "not decrypted" } else { "never captured" }
    }

    /// What that tells of a hole.
    pub const fn words(self) -> Option<&'static str> {
        match self {
            Self::Unknown | Self::Sealed => None,
            Self::Received => Some("the receiver acknowledged them: the capture lost them"),
            Self::Lacked => Some("the receiver asked for them and never acknowledged them: the network lost them"),
        }
    }
}

/// How one direction of a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Its sender closed it (TCP FIN).
    Fin,
    /// It was reset (TCP RST) by its sender.
    Rst,
    /// Its sender ended the HTTP/2 stream (END_STREAM, RFC 9113 §5.1).
    EndStream,
    /// Its sender reset the HTTP/2 stream (RST_STREAM, RFC 9113 §6.4).
    RstStream(H2Error),
    /// Its sender does not go on with the HTTP/2 connection (GOAWAY, RFC 9113 §6.8).
    GoAway(H2Error),
    /// A new connection took over its addresses and ports.
    Replaced,
    /// The capture ends, or its reader stopped.
    Capture,
}

impl End {
    /// Whether one of the two ends brought it about.
    pub const fn is_by_peer(self) -> bool {
        !matches!(self, Self::Replaced | Self::Capture)
    }

    /// Whether it was cut short, not closed.
    pub const fn is_reset(self) -> bool {
        matches!(self, Self::Rst | Self::RstStream(_) | Self::GoAway(_))
    }
}

impl fmt::Display for End {
    /// `TCP FIN`, `RST_STREAM CANCEL (the stream is not needed any more)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fin => f.write_str("TCP FIN"),
            Self::Rst => f.write_str("TCP RST"),
            Self::EndStream => f.write_str("END_STREAM"),
            Self::RstStream(code) => write!(f, "RST_STREAM {code}"),
            Self::GoAway(code) => write!(f, "GOAWAY {code}"),
            Self::Replaced => f.write_str("another connection in its place"),
            Self::Capture => f.write_str("the end of the capture"),
        }
    }
}
