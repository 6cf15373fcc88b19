//! The kinds of traffic, as figures.

use std::ops::RangeInclusive;
use std::str::FromStr;

use super::rng::Rng;

/// A kind of traffic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Profile {
    /// Small JSON messages on 64 long connections: a market feed, a chat.
    Ticks,
    /// Messages of a megabyte on 16 connections: uploads and downloads.
    Bulk,
    /// Mostly small messages, most bytes in large ones.
    Mixed,
    /// As `Mixed` without the large ones, compressed with context takeover (RFC 7692).
    Deflate,
    /// A little WebSocket among web pages, TLS, DNS and the like.
    Noise,
    /// Very many short connections of about five messages.
    ManyConns,
}

impl Profile {
    /// Every profile, in the order in which usage lists them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Ticks, Self::Bulk, Self::Mixed, Self::Deflate, Self::Noise, Self::ManyConns];

    /// The name on the command line and in the truth.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ticks => "ticks",
            Self::Bulk => "bulk",
            Self::Mixed => "mixed",
            Self::Deflate => "deflate",
            Self::Noise => "noise",
            Self::ManyConns => "manyconns",
        }
    }

    /// What makes up this profile.
    pub(crate) fn figures(self) -> &'static Figures {
        match self {
            Self::Ticks => &TICKS,
            Self::Bulk => &BULK,
            Self::Mixed => &MIXED,
            Self::Deflate => &DEFLATE,
            Self::Noise => &NOISE,
            Self::ManyConns => &MANY_CONNS,
        }
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|profile| profile.name() == name);
        named.ok_or_else(|| format!("no such profile: {name}"))
    }
}

/// The figures of a profile. Every rate is in 10 000.
pub(crate) struct Figures {
    /// WebSocket connections that are open at a time.
    pub(crate) conns: u32,
    /// Bytes of file below which one connection less is opened, so that small files stay in style.
    pub(crate) bytes_per_conn: u64,
    /// Messages of one connection; `None`: as many as the file has room for.
    pub(crate) messages_per_conn: Option<RangeInclusive<u64>>,
    /// How often a message is medium (1 to 16 KB) or large (0.5 to 1.5 MB); all others have 20 to 200 bytes.
    pub(crate) medium: u32,
    pub(crate) large: u32,
    /// How often a message goes to the server, and is masked.
    pub(crate) to_server: u32,
    /// How often a message is binary.
    pub(crate) binary: u32,
    /// How often a medium or large message comes in two to four frames.
    pub(crate) fragmented: u32,
    /// How often a message shares its last segment with the next one.
    pub(crate) coalesced: u32,
    /// How often a message has a ping before it.
    pub(crate) pinged: u32,
    /// How often a segment comes after its successors.
    pub(crate) late: u32,
    /// How often a segment comes twice.
    pub(crate) again: u32,
    /// Whether messages are compressed (RFC 7692), each direction in one context.
    pub(crate) compressed: bool,
    /// Share of the file's bytes that is not WebSocket.
    pub(crate) noise: u32,
    /// Microseconds from one connection's turn to the next one's.
    pub(crate) pause: RangeInclusive<u64>,
}

impl Figures {
    /// The length of a message, in bytes.
    pub(crate) fn length(&self, rng: &mut Rng) -> u64 {
        let draw = rng.below(10_000);
        if draw < u64::from(self.large) {
            rng.within(&(500_000..=1_500_000))
        } else if draw < u64::from(self.large + self.medium) {
            rng.within(&(1_000..=16_000))
        } else {
            rng.within(&(20..=200))
        }
    }
}

const TICKS: Figures = Figures {
    conns: 64,
    bytes_per_conn: 20_000,
    messages_per_conn: None,
    medium: 0,
    large: 0,
    to_server: 1_500,
    binary: 0,
    fragmented: 0,
    coalesced: 3_000,
    pinged: 50,
    late: 20,
    again: 20,
    compressed: false,
    noise: 0,
    pause: 100..=300,
};

const BULK: Figures = Figures {
    conns: 16,
    bytes_per_conn: 3_000_000,
    large: 10_000,
    to_server: 5_000,
    binary: 5_000,
    pinged: 2_000,
    late: 50,
    again: 0,
    pause: 20..=200,
    ..TICKS
};

const MIXED: Figures = Figures {
    conns: 32,
    bytes_per_conn: 100_000,
    medium: 1_950,
    large: 50,
    to_server: 3_000,
    binary: 2_000,
    fragmented: 500,
    pinged: 100,
    ..TICKS
};

const DEFLATE: Figures = Figures { large: 0, binary: 0, compressed: true, ..MIXED };

const NOISE: Figures = Figures { conns: 16, bytes_per_conn: 100_000, noise: 9_500, ..TICKS };

const MANY_CONNS: Figures = Figures {
    conns: 20_000,
    bytes_per_conn: 2_340,
    messages_per_conn: Some(1..=9),
    pinged: 200,
    pause: 20..=60,
    ..TICKS
};
