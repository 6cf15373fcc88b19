//! One capture, packet by packet.

use super::buffer::Buffer;
use super::looks::{self, Looks};
use super::packed::{self, Unpacked};
use super::pcap::{self, Pcap};
use super::pcapng::{self, PcapNg};
use super::source::{Record, Source};
use super::{Aside, OpenError};
use crate::model::{Fact, FileNote, Limits, Packet, PacketNo};
use std::io::Read;
use std::mem;

/// A capture that is read.
pub(super) struct CaptureFile {
    source: Source,
    /// `None` once nothing more can be read.
    format: Option<Format>,
    /// It was told how it is written.
    is_told: bool,
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl CaptureFile {
    /// Reads the first bytes and settles the format.
    pub(super) fn open(source: Box<dyn Read + Send>, limits: &Limits) -> Result<Self, OpenError> {
        let mut source = Source::new(Buffer::new(source));
        source.buffer.fill(packed::HEAD);
        if Unpacked::knows(source.buffer.data()) {
            source.buffer.unpack(limits.unpacked_bytes);
        }
        let format = open(&mut source).map_err(|error| match (error, source.buffer.packed_in()) {
            (error @ OpenError::Io(_), _) | (error, None) => error,
            (error, Some(name)) => OpenError::Packed(name, Box::new(error)),
        })?;
        if format.is_none() {
            source.end();
        }
        Ok(Self { source, format, is_told: false })
    }

    /// The next packet.
    #[inline]
    pub(super) fn next(&mut self, aside: &mut dyn FnMut(Aside<'_>)) -> Option<Packet<'_>> {
        if let Some(record) = self.ready() {
            return Some(self.source.lend(record));
        }
        let record = self.read_on(aside)?;
        Some(self.source.lend(record))
    }

    /// Goes on to the next packet, which is then to be lent.
    #[inline]
    pub(super) fn advance(&mut self, aside: &mut dyn FnMut(Aside<'_>)) -> Option<Record> {
        self.ready().or_else(|| self.read_on(aside))
    }

    /// The next packet, where that is whole in the buffer and nothing is to be told before it.
    #[inline(always)]
    pub(super) fn ready(&self) -> Option<Record> {
        match self.format.as_ref()? {
            Format::Pcap(pcap) => pcap.ready(&self.source),
            Format::PcapNg(_) => None,
        }
    }

    fn read_on(&mut self, aside: &mut dyn FnMut(Aside<'_>)) -> Option<Record> {
        let format = self.format.as_mut()?;
        if !mem::replace(&mut self.is_told, true) {
            let packed = self.source.buffer.packed_in();
            match format {
                Format::Pcap(pcap) => pcap.tell_format(packed, aside),
                Format::PcapNg(_) => aside(Aside::fact(pcapng::format(&self.source, packed))),
            }
        }
        let record = match format {
            Format::Pcap(pcap) => pcap.next(&mut self.source, aside),
            Format::PcapNg(pcapng) => pcapng.next(&mut self.source, aside),
        };
        if record.is_none() {
            match format {
                Format::Pcap(_) => aside(Aside::fact(Fact::Packets(0, self.source.counted()))),
                Format::PcapNg(pcapng) => pcapng.tell_packets(aside),
            }
            self.format = None;
            self.source.end();
        }
        record
    }

    /// Lends the packet that [`Self::advance`] went on to, under another number.
    #[inline]
    pub(super) fn lend_as(&mut self, record: Record, packet: PacketNo) -> Packet<'_> {
        self.source.lend_as(record, packet)
    }

    /// The number of the packet that is lent next.
    #[inline]
    pub(super) fn next_number(&self) -> u64 {
        self.source.next_mark(None).packet.0
    }

    pub(super) const fn may_have_keys(&self) -> bool {
        matches!(self.format, Some(Format::PcapNg(_)))
    }

    pub(super) fn position(&self) -> u64 {
        self.source.buffer.taken()
    }

    pub(super) fn has_notes(&self) -> bool {
        self.source.has_notes()
    }

    pub(super) fn take_notes(&mut self) -> Vec<FileNote> {
        self.source.take_notes()
    }
}

/// Settles the format; `None` when it is known, but the input ends inside its first header.
fn open(source: &mut Source) -> Result<Option<Format>, OpenError> {
    source.buffer.fill(4);
    let Some(&magic) = source.buffer.data().first_chunk::<4>() else { return Err(unknown(source)) };
    if magic == pcapng::MAGIC {
        if source.buffer.fill(12) && pcapng::byte_order(source.buffer.data()).is_none() {
            return Err(unknown(source));
        }
        return Ok(Some(Format::PcapNg(PcapNg::new())));
    }
    if !pcap::is_magic(magic) {
        return Err(unknown(source));
    }
    source.buffer.fill(pcap::HEADER);
    let Some(header) = source.buffer.data().first_chunk() else {
        source.end_inside("header", pcap::HEADER);
        return Ok(None);
    };
    let format = Pcap::open(header).map(Format::Pcap);
    source.buffer.consume(pcap::HEADER);
    Ok(format)
}

/// Why an input that begins otherwise cannot be read.
fn unknown(source: &mut Source) -> OpenError {
    source.buffer.fill(looks::PEEK);
    let data = source.buffer.data();
    if let Some(looks) = Looks::of(data) {
        return OpenError::Other(looks);
    }
    let first = data.iter().copied().take(4).collect::<Vec<_>>();
    match source.buffer.take_failure() {
        Some(error) => OpenError::Io(error),
        None if first.is_empty() => OpenError::Empty,
        None if looks::is_text(source.buffer.data()) => OpenError::Text(first),
        None => OpenError::Unknown(first),
    }
}
