//! Captures made by hand, and what is read from them.

use std::io::{self, Read};
use wspect::capture::Reader;
use wspect::model::FileNote;

/// A byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) const BOTH: [Self; 2] = [Self::Little, Self::Big];

    pub(crate) fn u16(self, value: u16) -> [u8; 2] {
        if self == Self::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    pub(crate) fn u32(self, value: u32) -> [u8; 4] {
        if self == Self::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    pub(crate) fn i64(self, value: i64) -> [u8; 8] {
        if self == Self::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    fn words(self, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|&word| self.u32(word)).collect()
    }
}

pub(crate) const MICROS: u32 = 0xa1b2_c3d4;
pub(crate) const NANOS: u32 = 0xa1b2_3c4d;
pub(crate) const MODIFIED: u32 = 0xa1b2_cd34;

/// A classic capture.
pub(crate) struct Pcap {
    pub(crate) order: Order,
    pub(crate) magic: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Pcap {
    pub(crate) fn new(order: Order, magic: u32, link: u32) -> Self {
        let mut bytes = order.u32(magic).to_vec();
        bytes.extend([order.u16(2), order.u16(4)].concat());
        bytes.extend(order.words(&[0, 0, 65535, link]));
        Self { order, magic, bytes }
    }

    /// A record with the lengths that it should have.
    pub(crate) fn packet(self, seconds: u32, fraction: u32, packet: &[u8]) -> Self {
        let len = packet.len() as u32;
        self.record([seconds, fraction, len, len], packet)
    }

    pub(crate) fn record(mut self, head: [u32; 4], packet: &[u8]) -> Self {
        self.bytes.extend(self.order.words(&head));
        if self.magic == MODIFIED {
            self.bytes.extend([7; 8]);
        }
        self.bytes.extend(packet);
        self
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }
}

/// A capture of blocks.
pub(crate) struct PcapNg {
    pub(crate) order: Order,
    pub(crate) bytes: Vec<u8>,
}

impl PcapNg {
    /// Begins with a section header.
    pub(crate) fn new(order: Order) -> Self {
        Self { order, bytes: Vec::new() }.section(order)
    }

    pub(crate) fn section(mut self, order: Order) -> Self {
        self.order = order;
        let body = [&order.u32(0x1a2b_3c4d)[..], &order.u16(1), &order.u16(0), &order.i64(-1)].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    /// Any block, padded.
    pub(crate) fn block(self, kind: u32, body: &[u8]) -> Self {
        let total = 12 + body.len().next_multiple_of(4) as u32;
        self.lying_block(kind, body, total, total)
    }

    /// A block with lengths that may be wrong.
    pub(crate) fn lying_block(mut self, kind: u32, body: &[u8], first: u32, last: u32) -> Self {
        self.bytes.extend(self.order.words(&[kind, first]));
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.bytes.extend(self.order.u32(last));
        self
    }

    /// An Ethernet interface with the usual clock.
    pub(crate) fn ethernet(self) -> Self {
        self.interface(1, 0, &[])
    }

    pub(crate) fn interface(self, link: u16, snaplen: u32, options: &[u8]) -> Self {
        let body = [&self.order.u16(link)[..], &[0, 0], &self.order.u32(snaplen), options].concat();
        self.block(1, &body)
    }

    /// An interface with a clock of its own.
    pub(crate) fn clocked(self, resolution: u8, offset: Option<i64>) -> Self {
        let mut options = self.option(9, &[resolution]);
        if let Some(offset) = offset {
            options.extend(self.option(14, &self.order.i64(offset)));
        }
        options.extend(self.option(0, &[]));
        self.interface(1, 0, &options)
    }

    pub(crate) fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut option = [&self.order.u16(code)[..], &self.order.u16(value.len() as u16), value].concat();
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    /// The body of an enhanced packet block.
    pub(crate) fn enhanced_body(&self, interface: u32, ticks: u64, packet: &[u8], options: &[u8]) -> Vec<u8> {
        let len = packet.len() as u32;
        let mut body = self.order.words(&[interface, (ticks >> 32) as u32, ticks as u32, len, len]);
        body.extend(packet);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(options);
        body
    }

    pub(crate) fn enhanced(self, interface: u32, ticks: u64, packet: &[u8]) -> Self {
        let body = self.enhanced_body(interface, ticks, packet, &[]);
        self.block(6, &body)
    }

    pub(crate) fn simple(self, packet: &[u8]) -> Self {
        let body = [&self.order.u32(packet.len() as u32)[..], packet].concat();
        self.block(3, &body)
    }

    pub(crate) fn obsolete(self, interface: u16, ticks: u64, packet: &[u8]) -> Self {
        let mut body = self.enhanced_body(0, ticks, packet, &[]);
        body.splice(..4, [self.order.u16(interface), self.order.u16(5)].concat());
        self.block(2, &body)
    }
}

/// A packet, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) number: u64,
    /// Nanoseconds since 1970.
    pub(crate) time: Option<i64>,
    pub(crate) link: u32,
    pub(crate) bytes: Vec<u8>,
    pub(crate) orig_len: usize,
}

/// Reads a whole capture.
pub(crate) fn read(bytes: &[u8]) -> (Vec<Got>, Vec<FileNote>) {
    read_from(io::Cursor::new(bytes.to_vec()))
}

/// Reads a whole capture from anything.
pub(crate) fn read_from(source: impl Read + Send + 'static) -> (Vec<Got>, Vec<FileNote>) {
    let mut reader = Reader::new(Box::new(source)).unwrap();
    let packets = drain(&mut reader);
    (packets, reader.take_notes())
}

/// All packets that are left.
pub(crate) fn drain(reader: &mut Reader) -> Vec<Got> {
    let mut packets = Vec::new();
    while let Some(packet) = reader.next_packet() {
        packets.push(Got {
            number: packet.mark.packet.0,
            time: packet.mark.time.map(|time| time.nanos()),
            link: packet.link.0,
            bytes: packet.bytes.to_vec(),
            orig_len: packet.orig_len,
        });
    }
    packets
}

/// The codes of findings, by name.
pub(crate) fn codes(notes: &[FileNote]) -> Vec<&'static str> {
    notes.iter().map(|note| note.code.name()).collect()
}
