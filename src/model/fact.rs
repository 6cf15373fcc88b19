//! What a capture tells of itself, beside its packets.

use super::mark::PacketNo;
use super::packet::LinkType;
use std::net::IpAddr;

/// One thing that a capture tells of itself. Texts are as they stand in it; not escaped.
#[derive(Debug, Clone, Copy)]
pub enum Fact<'a> {
    /// The file's name, where there are several.
    File(&'a str),
    /// It begins, or another behind it in the same input: how it is written.
    Format(Format),
    /// Who wrote it, or its next section (pcapng §4.1).
    Writer(Writer<'a>),
    /// An interface of the section: its number there counts from 0 (pcapng §4.2).
    Interface(Interface<'a>),
    /// At the end of a section: how many packets an interface of it has.
    Packets(u32, u64),
    /// What an interface counted while it was captured (pcapng §4.6); of several for one interface the last holds.
    Counters(u32, Counters),
    /// The name of an address (pcapng §4.5).
    Name(IpAddr, &'a [u8]),
    /// A comment on the section, the interface last described, or the next packet (pcapng §3.5).
    Comment(Option<PacketNo>, &'a [u8]),
    /// A key log.
    Secrets,
}

/// How a capture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// `pcap`, `pcapng`.
    pub name: &'static str,
    /// `little-endian`.
    pub byte_order: &'static str,
    /// How it is compressed: `gzip`.
    pub packed: Option<&'static str>,
}

/// Who wrote a section: its options `shb_hardware`, `shb_os`, `shb_userappl`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Writer<'a> {
    /// The machine.
    pub hardware: Option<&'a [u8]>,
    /// Its operating system.
    pub os: Option<&'a [u8]>,
    /// The program.
    pub application: Option<&'a [u8]>,
}

/// What packets were captured on.
#[derive(Debug, Clone, Copy)]
pub struct Interface<'a> {
    /// What its packets begin with.
    pub link: LinkType,
    /// Bytes of a packet that are captured at most; 0: all.
    pub snaplen: u32,
    /// How long a tick of its clock is, as `if_tsresol` has it: 10⁻ⁿ seconds, or 2⁻ⁿ with the top bit set.
    pub resolution: u8,
    /// `eth0`.
    pub name: Option<&'a [u8]>,
    /// What it is called besides.
    pub description: Option<&'a [u8]>,
    /// The capture filter, as text.
    pub filter: Option<&'a [u8]>,
    /// The operating system of the machine that it belongs to.
    pub os: Option<&'a [u8]>,
}

/// What an interface counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Packets that came.
    pub received: Option<u64>,
    /// Packets that it dropped for want of room.
    pub dropped: Option<u64>,
    /// Packets that passed the filter.
    pub accepted: Option<u64>,
    /// Packets that the operating system dropped.
    pub os_dropped: Option<u64>,
    /// Packets that were handed to the user.
    pub delivered: Option<u64>,
}

impl Interface<'_> {
    /// One without a name.
    pub const fn new(link: LinkType, snaplen: u32, resolution: u8) -> Self {
        Self { link, snaplen, resolution, name: None, description: None, filter: None, os: None }
    }
}
