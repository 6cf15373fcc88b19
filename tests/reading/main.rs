//! Captures → packets → TCP segments: every format, clock, link type and kind of damage.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails fails its test")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

mod cuts;
mod facts;
mod frames;
mod joined;
mod links;
mod looks;
mod make;
mod merge;
mod oracle;
mod packed;
mod packets;
mod pcap;
mod pcapng;
mod streamed;
mod tunnels;
