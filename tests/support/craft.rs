//! A maker of captures: frames → sessions → TCP segments → packets → a file.
//!
//! Each step is a value that a test can bend before it goes on to the next.
#![allow(unused_imports, reason = "each test file uses its part")]

mod change;
mod deflate;
mod draft;
mod exported;
mod file;
mod frame;
mod http2;
mod link;
mod session;
pub(crate) mod tls;
mod tunnel;
mod wire;

pub(crate) use change::*;
pub(crate) use deflate::*;
pub(crate) use draft::*;
pub(crate) use exported::*;
pub(crate) use file::*;
pub(crate) use frame::*;
pub(crate) use http2::*;
pub(crate) use link::*;
pub(crate) use session::*;
pub(crate) use tls::Tls;
pub(crate) use tunnel::*;
pub(crate) use wire::*;

/// A pcap of these segments over Ethernet, 100 µs apart: what a test uses when the file is not its matter.
pub(crate) fn capture_of(segments: &[Segment]) -> Vec<u8> {
    Pcap::default().file(&packets(segments, &Wire::default()))
}

/// Packets of these segments, 100 µs apart.
pub(crate) fn packets(segments: &[Segment], wire: &Wire) -> Vec<Packet> {
    segments.iter().enumerate().map(|(at, segment)| wire.packet(segment, time_of(at))).collect()
}

/// The time of the packet at this place.
pub(crate) fn time_of(at: usize) -> i64 {
    1_700_000_000_000_000_000 + at as i64 * 100_000
}
