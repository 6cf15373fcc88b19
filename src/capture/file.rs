//! One input, packet by packet: a capture, or several one behind the other.

use super::begin::{self, Format};
use super::buffer::Buffer;
use super::source::{Record, Source, Stop};
use super::{Aside, OpenError, Place};
use crate::model::{Fact, FileNote, Limits, NoteCode, Packet, PacketNo};
use std::io::Read;
use std::mem;

/// An input that is read.
pub(super) struct CaptureFile {
    source: Source,
    /// `None` once nothing more can be read.
    format: Option<Format>,
    /// It was told how it is written.
    is_told: bool,
    /// Packets of the captures before it in the input.
    before: u64,
    /// One of them until now has a place for key logs.
    may_have_keys: bool,
    /// Bytes to which the input may unpack.
    most: u64,
}

impl CaptureFile {
    /// Reads the first bytes and settles the format.
    pub(super) fn open(source: Box<dyn Read + Send>, limits: &Limits) -> Result<Self, OpenError> {
        let (mut source, most) = (Source::new(Buffer::new(source)), limits.unpacked_bytes);
        let format = begin::open(&mut source, most)?;
        if format.is_none() {
            source.end();
        }
        let may_have_keys = matches!(format, Some(Format::PcapNg(_)));
        Ok(Self { source, format, is_told: false, before: 0, may_have_keys, most })
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
        loop {
            if !mem::replace(&mut self.is_told, true) {
                self.tell_format(aside);
            }
            let next = match self.format.as_mut()? {
                Format::Pcap(pcap) => pcap.next(&mut self.source, aside),
                Format::PcapNg(pcapng) => pcapng.next(&mut self.source, aside),
            };
            match next {
                Ok(record) => return Some(record),
                Err(stop) => self.end(stop, aside),
            }
        }
    }

    #[cold]
    fn tell_format(&self, aside: &mut dyn FnMut(Aside<'_>)) {
        let Some(format) = &self.format else { return };
        aside(Aside::fact(Fact::Format(format.told(&self.source))));
        if let Format::Pcap(pcap) = format {
            pcap.tell_interface(aside);
        }
    }

    /// Goes on to the capture behind the one that ends, where there is one.
    #[cold]
    fn end(&mut self, stop: Stop, aside: &mut dyn FnMut(Aside<'_>)) {
        let counted = self.source.counted();
        match self.format.take() {
            Some(Format::Pcap(_)) => aside(Aside::fact(Fact::Packets(0, counted - self.before))),
            Some(Format::PcapNg(pcapng)) => pcapng.tell_packets(aside),
            None => {}
        }
        (self.before, self.is_told) = (counted, false);
        if stop == Stop::Another {
            self.format = self.open_next();
            self.may_have_keys |= matches!(self.format, Some(Format::PcapNg(_)));
        }
        if self.format.is_none() {
            self.source.end();
        }
    }

    fn open_next(&mut self) -> Option<Format> {
        let at = self.source.buffer.position();
        match begin::open(&mut self.source, self.most) {
            Ok(format) => {
                let name = format.as_ref()?.told(&self.source).name;
                self.source.note(NoteCode::FileJoined, || {
                    format!("another capture ({name}) begins at offset {at}; it is read on")
                });
                format
            }
            Err(why) => {
                self.source.note(NoteCode::FileDamaged, || format!("what begins at offset {at} cannot be read: {why}"));
                None
            }
        }
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
        self.may_have_keys && self.format.is_some()
    }

    pub(super) fn position(&self) -> u64 {
        self.source.buffer.taken()
    }

    pub(super) fn place(&self) -> Place {
        self.source.place()
    }

    pub(super) fn has_notes(&self) -> bool {
        self.source.has_notes()
    }

    pub(super) fn take_notes(&mut self) -> Vec<FileNote> {
        self.source.take_notes()
    }
}
