//! A capture's bytes → packets: pcap and pcapng, in one pass, from anything that can be read.
//!
//! What cannot be read becomes a finding and costs no more than itself; the memory needed does not depend on the input's length.

mod buffer;
mod clock;
mod looks;
mod order;
mod pcap;
mod pcapng;
mod source;

pub use looks::Looks;

use crate::model::{FileNote, KeySource, Packet, hex_apart};
use buffer::Buffer;
use pcap::Pcap;
use pcapng::PcapNg;
use source::Source;
use std::io::{self, Read};

/// Reads a capture packet by packet.
pub struct Reader {
    source: Source,
    /// `None` once nothing more can be read.
    format: Option<Format>,
}

/// What a reader tells beside its packets, before the next of them.
pub enum Aside<'a> {
    /// The input is read on, which may take long.
    Pause,
    /// Text that the capture carries where key logs are put. It may be a secret, so it is not printed.
    Keys(KeySource, &'a [u8]),
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// What a source fails with when it is not read on because nobody wants more: the input has no fault, and none is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped")]
pub struct Stopped;

impl Stopped {
    fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

impl From<Stopped> for io::Error {
    fn from(stopped: Stopped) -> Self {
        Self::other(stopped)
    }
}

/// Why an input cannot be read at all: one clause for the user.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// There are no bytes.
    #[error("empty file (0 bytes)")]
    Empty,
    /// Something else that is known by its first bytes.
    #[error("this is {}, not a pcap or pcapng file: {}", .0.what, .0.advice)]
    Other(Looks),
    /// Text without a mark.
    #[error("not a pcap or pcapng file (first bytes {}): it looks like text", hex_apart(.0))]
    Text(Vec<u8>),
    /// Nothing known. Holds the first bytes, at most four.
    #[error("not a pcap or pcapng file (first bytes {})", hex_apart(.0))]
    Unknown(Vec<u8>),
}

impl Reader {
    /// Reads the first bytes and settles the format.
    ///
    /// # Errors
    ///
    /// When there is nothing to read, or it is no capture; the error then names what it looks like.
    pub fn new(source: Box<dyn Read + Send>) -> Result<Self, OpenError> {
        let mut source = Source::new(Buffer::new(source));
        let format = open(&mut source)?;
        if format.is_none() {
            source.end();
        }
        Ok(Self { source, format })
    }

    /// The next packet, lent until the one after it is asked for; `None` at the end, also when the rest cannot be read.
    #[inline]
    pub fn next_packet(&mut self) -> Option<Packet<'_>> {
        self.next_packet_after(&mut |_| {})
    }

    /// As [`Self::next_packet`]; what comes before the packet is told aside.
    #[inline]
    pub fn next_packet_after(&mut self, aside: &mut dyn FnMut(Aside<'_>)) -> Option<Packet<'_>> {
        let record = match self.format.as_mut()? {
            Format::Pcap(pcap) => {
                if let Some(record) = pcap.ready(&self.source) {
                    return Some(self.source.lend(record));
                }
                pcap.next(&mut self.source, aside)
            }
            Format::PcapNg(pcapng) => pcapng.next(&mut self.source, aside),
        };
        let Some(record) = record else {
            self.format = None;
            self.source.end();
            return None;
        };
        Some(self.source.lend(record))
    }

    /// Whether the format has a place for key logs.
    pub const fn may_have_keys(&self) -> bool {
        matches!(self.format, Some(Format::PcapNg(_)))
    }

    /// Bytes of the input that are behind the reader.
    pub fn position(&self) -> u64 {
        self.source.buffer.position()
    }

    /// The findings about the input since the last call. There are few, however broken it is: repetitions are counted.
    pub fn take_notes(&mut self) -> Vec<FileNote> {
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
