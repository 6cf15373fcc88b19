//! Where a capture begins: at the front of an input, or behind another, since files were joined as they are, or the next of its
//! name follows one that grew.

use super::OpenError;
use super::looks::{self, Looks};
use super::packed::{self, Unpacked};
use super::pcap::{self, Pcap};
use super::pcapng::{self, PcapNg};
use super::source::Source;
use crate::model;

/// How often what was compressed is unpacked again: each time takes memory of its own.
const NESTED: usize = 2;

/// Bytes that tell whether a capture begins: those of its header, but for options.
const PEEK: usize = 28;

/// What reads a capture that begins so.
pub(super) enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl Format {
    /// How it is written, when nothing but its first header was read.
    pub(super) fn told(&self, source: &Source) -> model::Format {
        let (name, byte_order) = match self {
            Self::Pcap(pcap) => pcap.written(),
            Self::PcapNg(_) => pcapng::written(source.buffer.data()),
        };
        model::Format { name, byte_order, packed: source.buffer.packed_in() }
    }
}

/// Settles the format of what begins at the front, unpacked to at most `most` bytes; `None` when it is known, but the input ends
/// inside its first header.
pub(super) fn open(source: &mut Source, most: u64) -> Result<Option<Format>, OpenError> {
    source.buffer.fill(packed::HEAD);
    while Unpacked::knows(source.buffer.data()) && source.buffer.nested() < NESTED {
        source.buffer.unpack(most);
        source.buffer.fill(packed::HEAD);
    }
    settle(source).map_err(|error| match (error, source.buffer.packed_in()) {
        (error @ OpenError::Io(_), _) | (error, None) => error,
        (error, Some(name)) => OpenError::Packed(name, Box::new(error)),
    })
}

fn settle(source: &mut Source) -> Result<Option<Format>, OpenError> {
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
    source.buffer.mark();
    Ok(format)
}

/// Why an input that begins otherwise cannot be read.
fn unknown(source: &mut Source) -> OpenError {
    source.buffer.fill(looks::PEEK);
    let data = source.buffer.data();
    if Unpacked::knows(data) {
        return OpenError::Nested(NESTED);
    }
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

/// Whether a capture begins at the front, where a record that cannot be right was found; or something compressed.
#[cold]
pub(super) fn stands(source: &mut Source) -> bool {
    let data = source.buffer.data();
    if is_packed(data) {
        return true;
    }
    // No more is waited for than a record's head where that cannot be one.
    let is_likely = data.first_chunk().is_some_and(|&magic| magic == pcapng::MAGIC || pcap::is_magic(magic));
    is_likely && {
        source.buffer.fill(PEEK);
        let data = source.buffer.data();
        pcap::begins(data) || pcapng::begins(data)
    }
}

/// Whether a capture begins at the front of `data`, and what follows is sound as well. `last`: behind `data` the input ends.
pub(super) fn is_sound(data: &[u8], last: bool) -> bool {
    pcap::begins_soundly(data, last) || pcapng::begins_soundly(data, last)
}

/// The two bytes of gzip stand in one of 65 536 times; with the method and the flags that it has they are a time before 1987
/// (RFC 1952 §2.3.1).
fn is_packed(data: &[u8]) -> bool {
    let is_time = matches!(data, [0x1f, 0x8b, method, flags, ..] if *method != 8 || *flags > 0x1f);
    Unpacked::knows(data) && !is_time
}
