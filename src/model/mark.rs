//! Where in the capture something stood.

use super::time::Timestamp;
use std::fmt;

/// A packet's number, from 1, as Wireshark's `frame.number`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PacketNo(pub u64);

impl fmt::Display for PacketNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A packet and its time; the time is missing where the capture has none (a pcapng simple packet block).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    /// The packet.
    pub packet: PacketNo,
    /// When it was captured.
    pub time: Option<Timestamp>,
}

impl Mark {
    /// Nanoseconds from `earlier` to `self`, when both have a time.
    pub fn since(self, earlier: Self) -> Option<i64> {
        Some(self.time?.since(earlier.time?))
    }
}

/// From the packet with the first byte of something to the packet that completed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The packet with the first byte.
    pub first: Mark,
    /// The packet with which the thing was complete, or given up.
    pub last: Mark,
}

impl Span {
    /// Its first and its last packet, one where they are the same.
    pub fn ends(self) -> impl Iterator<Item = PacketNo> {
        let (first, last) = (self.first.packet, self.last.packet);
        [first].into_iter().chain((last != first).then_some(last))
    }
}
