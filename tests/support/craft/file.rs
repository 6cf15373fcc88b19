//! Packets as a capture file, pcap or pcapng, and back.

use super::wire::Packet;

/// What a pcap's magic number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Magic {
    Micro,
    Nano,
    /// Kuznetzov's, with eight more bytes in each record.
    Modified,
}

/// How a pcap is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pcap {
    pub(crate) magic: Magic,
    pub(crate) big: bool,
    pub(crate) snaplen: u32,
}

impl Default for Pcap {
    fn default() -> Self {
        Self { magic: Magic::Micro, big: false, snaplen: 262_144 }
    }
}

impl Pcap {
    /// The file's header, for packets of that link type.
    pub(crate) fn header(self, link: u32) -> Vec<u8> {
        let magic: u32 = match self.magic {
            Magic::Micro => 0xa1b2_c3d4,
            Magic::Nano => 0xa1b2_3c4d,
            Magic::Modified => 0xa1b2_cd34,
        };
        let mut out = Out::new(self.big);
        out.u32(magic).u16(2).u16(4).u32(0).u32(0).u32(self.snaplen).u32(link);
        out.bytes
    }

    /// One record.
    pub(crate) fn record(self, packet: &Packet) -> Vec<u8> {
        let second = packet.time.div_euclid(1_000_000_000);
        let nanos = packet.time.rem_euclid(1_000_000_000) as u32;
        let mut out = Out::new(self.big);
        out.u32(second as u32).u32(if self.magic == Magic::Nano { nanos } else { nanos / 1000 });
        out.u32(packet.bytes.len() as u32).u32(packet.orig_len);
        if self.magic == Magic::Modified {
            out.u32(1).u16(8).u16(0);
        }
        out.bytes.extend(&packet.bytes);
        out.bytes
    }

    /// The file; its link type is that of the first packet.
    pub(crate) fn file(self, packets: &[Packet]) -> Vec<u8> {
        let mut out = self.header(packets.first().map_or(1, |packet| u32::from(packet.link)));
        for packet in packets {
            out.extend(self.record(packet));
        }
        out
    }
}

/// Numbers in either byte order.
pub(crate) struct Out {
    pub(crate) bytes: Vec<u8>,
    big: bool,
}

impl Out {
    pub(crate) fn new(big: bool) -> Self {
        Self { bytes: Vec::new(), big }
    }

    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend(bytes);
        self
    }

    /// Bytes, then zeros up to a multiple of four.
    pub(crate) fn padded(&mut self, bytes: &[u8]) -> &mut Self {
        self.raw(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }
}

/// A pcapng in the making, block after block.
pub(crate) struct Ng {
    pub(crate) bytes: Vec<u8>,
    big: bool,
}

impl Ng {
    /// With its first section.
    pub(crate) fn new(big: bool) -> Self {
        Self::commented(big, "")
    }

    /// With its first section, which has a comment, if any.
    pub(crate) fn commented(big: bool, comment: &str) -> Self {
        let mut ng = Self { bytes: Vec::new(), big };
        let options = if comment.is_empty() {
            Vec::new()
        } else {
            [ng.option(1, comment.as_bytes()), ng.option(0, &[])].concat()
        };
        ng.section_with(&options);
        ng
    }

    /// Begins a section.
    pub(crate) fn section(&mut self, big: bool) -> &mut Self {
        self.big = big;
        self.section_with(&[])
    }

    fn section_with(&mut self, options: &[u8]) -> &mut Self {
        let mut body = self.out();
        body.u32(0x1a2b_3c4d).u16(1).u16(0).u64(u64::MAX).raw(options);
        self.block(0x0a0d_0d0a, &body.bytes)
    }

    /// Numbers in the section's byte order.
    pub(crate) fn out(&self) -> Out {
        Out::new(self.big)
    }

    /// Any block.
    pub(crate) fn block(&mut self, kind: u32, body: &[u8]) -> &mut Self {
        let len = 12 + body.len().next_multiple_of(4) as u32;
        let mut out = self.out();
        out.u32(kind).u32(len).padded(body).u32(len);
        self.bytes.extend(out.bytes);
        self
    }

    /// An option, for the end of a block's body.
    pub(crate) fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut out = self.out();
        out.u16(code).u16(value.len() as u16).padded(value);
        out.bytes
    }

    /// An interface; `tsresol` as its option has it, `None` for microseconds.
    pub(crate) fn interface(&mut self, link: u16, tsresol: Option<u8>, tsoffset: Option<i64>) -> &mut Self {
        let mut body = self.out();
        body.u16(link).u16(0).u32(262_144);
        body.bytes.extend(tsresol.map(|value| self.option(9, &[value])).unwrap_or_default());
        let offset = tsoffset.map(|value| if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        body.bytes.extend(offset.map(|value| self.option(14, &value)).unwrap_or_default());
        body.bytes.extend(self.option(0, &[]));
        self.block(1, &body.bytes)
    }

    /// An enhanced packet block; its time in the interface's ticks.
    pub(crate) fn enhanced(&mut self, interface: u32, ticks: u64, packet: &Packet) -> &mut Self {
        self.enhanced_with(&[], interface, ticks, packet)
    }

    /// The same with options.
    pub(crate) fn enhanced_with(&mut self, options: &[u8], interface: u32, ticks: u64, packet: &Packet) -> &mut Self {
        let mut body = self.out();
        body.u32(interface).u32((ticks >> 32) as u32).u32(ticks as u32);
        body.u32(packet.bytes.len() as u32).u32(packet.orig_len).padded(&packet.bytes).raw(options);
        self.block(6, &body.bytes)
    }

    /// An obsolete packet block.
    pub(crate) fn obsolete(&mut self, interface: u16, ticks: u64, packet: &Packet) -> &mut Self {
        let mut body = self.out();
        body.u16(interface).u16(0).u32((ticks >> 32) as u32).u32(ticks as u32);
        body.u32(packet.bytes.len() as u32).u32(packet.orig_len).padded(&packet.bytes);
        self.block(2, &body.bytes)
    }

    /// A simple packet block: no time, interface 0.
    pub(crate) fn simple(&mut self, packet: &Packet) -> &mut Self {
        let mut body = self.out();
        body.u32(packet.orig_len).padded(&packet.bytes);
        self.block(3, &body.bytes)
    }
}

/// A pcapng with one interface per link type, in nanoseconds.
pub(crate) fn pcapng(packets: &[Packet], big: bool) -> Vec<u8> {
    let mut ng = Ng::new(big);
    let mut links: Vec<u16> = Vec::new();
    for packet in packets {
        let interface = links.iter().position(|&link| link == packet.link).unwrap_or_else(|| {
            ng.interface(packet.link, Some(9), None);
            links.push(packet.link);
            links.len() - 1
        });
        ng.enhanced(interface as u32, packet.time as u64, packet);
    }
    ng.bytes
}

/// The packets of a capture: any pcap, or a pcapng of one section with enhanced packet blocks.
pub(crate) fn read(file: &[u8]) -> Vec<Packet> {
    if file.starts_with(b"\n\r\r\n") { read_pcapng(file) } else { read_pcap(file) }
}

struct In<'a> {
    bytes: &'a [u8],
    big: bool,
}

impl In<'_> {
    fn u16(&self, at: usize) -> u16 {
        let bytes = self.bytes[at..at + 2].try_into().unwrap();
        if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn u32(&self, at: usize) -> u32 {
        let bytes = self.bytes[at..at + 4].try_into().unwrap();
        if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

fn read_pcap(file: &[u8]) -> Vec<Packet> {
    let input = In { bytes: file, big: file[0] == 0xa1 };
    let (unit, head) = match input.u32(0) {
        0xa1b2_c3d4 => (1000, 16),
        0xa1b2_3c4d => (1, 16),
        0xa1b2_cd34 => (1000, 24),
        magic => panic!("not a pcap: {magic:08x}"),
    };
    let link = input.u32(20) as u16;
    let mut packets = Vec::new();
    let mut at = 24;
    while at + head <= file.len() && at + head + input.u32(at + 8) as usize <= file.len() {
        let end = at + head + input.u32(at + 8) as usize;
        let time = i64::from(input.u32(at)) * 1_000_000_000 + i64::from(input.u32(at + 4)) * unit;
        let orig_len = input.u32(at + 12);
        packets.push(Packet { time, link, bytes: file[at + head..end].to_vec(), orig_len });
        at = end;
    }
    packets
}

fn read_pcapng(file: &[u8]) -> Vec<Packet> {
    let input = In { bytes: file, big: file[8] == 0x1a };
    let mut interfaces: Vec<(u16, u64)> = Vec::new();
    let mut packets = Vec::new();
    let mut at = 0;
    while at + 12 <= file.len() {
        let len = input.u32(at + 4) as usize;
        match input.u32(at) {
            1 => interfaces.push((input.u16(at + 8), nanos_per_tick(&input, at + 16, at + len - 4))),
            6 => {
                let (link, unit) = interfaces[input.u32(at + 8) as usize];
                let ticks = u64::from(input.u32(at + 12)) << 32 | u64::from(input.u32(at + 16));
                let bytes = file[at + 28..at + 28 + input.u32(at + 20) as usize].to_vec();
                packets.push(Packet { time: (ticks * unit) as i64, link, bytes, orig_len: input.u32(at + 24) });
            }
            _ => {}
        }
        at += len;
    }
    packets
}

/// From an interface's options: 10^-6 or 10^-9 seconds.
fn nanos_per_tick(input: &In<'_>, mut at: usize, end: usize) -> u64 {
    while at + 4 <= end {
        let (code, len) = (input.u16(at), input.u16(at + 2) as usize);
        if code == 9 && input.bytes[at + 4] == 9 {
            return 1;
        }
        at += 4 + len.next_multiple_of(4);
    }
    1000
}

#[test]
fn a_capture_is_read_as_it_was_written() {
    let packets: Vec<_> = (0..5_i64)
        .map(|n| Packet::new(super::time_of(n as usize), 1, vec![n as u8; 60 + n as usize]).snapped(62))
        .collect();
    for big in [false, true] {
        for magic in [Magic::Micro, Magic::Nano, Magic::Modified] {
            assert_eq!(read(&Pcap { magic, big, ..Pcap::default() }.file(&packets)), packets);
        }
        assert_eq!(read(&pcapng(&packets, big)), packets);
    }
}
