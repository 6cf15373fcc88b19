//! The classic format: one header, then records.
//!
//! ```text
//! header, 24 bytes: magic, version (2 × u16), zone, accuracy, snap length, link type (all u32)
//! record: seconds, fraction, captured length, original length (all u32), [8 bytes in the modified format], packet
//! ```
//!
//! draft-ietf-opsawg-pcap. The magic tells the byte order, and whether the fraction is in micro- or nanoseconds.

use super::order::ByteOrder;
use super::source::{MAX_RECORD, Record, SEARCH, Source, Stop};
use super::{Aside, begin};
use crate::model::{Fact, Interface, LinkType, NoteCode, Timestamp, count};
use pcap_parser::{LegacyPcapBlock, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_header};
use std::ops::Range;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Length of the file's header.
pub(super) const HEADER: usize = 24;

/// Up to this captured length a record is likely, in bytes; a longer one is believed when another follows it.
const MAX_LIKELY: usize = 256 << 10;

/// How far apart the times of two records may be that a search accepts, in seconds.
const MAX_APART: u64 = 30 * 86_400;

/// A variant of the format, and where its reader stands: always at the head of a record.
pub(super) struct Pcap {
    order: ByteOrder,
    /// Nanoseconds in a unit of the fraction.
    unit: i64,
    /// Length of a record's head.
    head: usize,
    link: LinkType,
    /// Bytes of a packet that were to be captured at most.
    snaplen: u32,
}

impl Pcap {
    /// Reads the file's header; `None` when its magic is no pcap's or bytes are missing.
    pub(super) fn open(header: &[u8; HEADER]) -> Option<Self> {
        let (magic, rest) = header.split_first_chunk::<4>()?;
        let (order, unit, head) = variant(*magic)?;
        // The crate does not know the modified format in big-endian order; past the magic it is as every other.
        let mut known = [0; HEADER];
        let (first, others) = known.split_first_chunk_mut::<4>()?;
        *first = if order == ByteOrder::Big { MICROS.to_be_bytes() } else { MICROS.to_le_bytes() };
        others.copy_from_slice(rest);
        let (_, header) = parse_pcap_header(&known).ok()?;
        // The bits above the link type tell the length of the frame check sequence.
        let link = LinkType(header.network.0.cast_unsigned() & 0xffff);
        Some(Self { order, unit, head, link, snaplen: header.snaplen })
    }

    /// How it is written: the variant, and its byte order.
    pub(super) const fn written(&self) -> (&'static str, &'static str) {
        (if self.head == 24 { "modified pcap" } else { "pcap" }, self.order.name())
    }

    /// What the packets were captured on.
    pub(super) fn tell_interface(&self, aside: &mut dyn FnMut(Aside<'_>)) {
        let resolution = if self.unit == 1 { 9 } else { 6 };
        aside(Aside::fact(Fact::Interface(Interface::new(self.link, self.snaplen, resolution))));
        aside(Aside::Interface(None));
    }

    /// The next record, when it is whole in the buffer and of a likely length, as most are.
    #[inline(always)]
    pub(super) fn ready(&self, source: &Source) -> Option<Record> {
        self.parse(source.buffer.data()).filter(|record| (1..=MAX_LIKELY).contains(&record.captured))
    }

    /// The next record, whole in the buffer.
    #[cold]
    pub(super) fn next(&mut self, source: &mut Source, aside: &mut dyn FnMut(Aside<'_>)) -> Result<Record, Stop> {
        loop {
            match self.parse(source.buffer.data()) {
                Some(record) if (1..=MAX_LIKELY).contains(&record.captured) => return Ok(record),
                // So a pcap's header reads as well: its zone is zero.
                Some(record) if record.captured == 0 => {
                    return match () {
                        () if begin::stands(source) || self.is_odd(record, source) && self.is_swallowed(source) => {
                            Err(Stop::Another)
                        }
                        () if source.is_blank_tail(self.head) => Err(Stop::End),
                        () => Ok(record),
                    };
                }
                Some(record) if self.is_followed(record, source) => return Ok(record),
                Some(record) => self.resync(source, record.captured)?,
                None => {
                    aside(Aside::Pause);
                    self.refill(source, aside)?;
                }
            }
        }
    }

    /// The record at the front, when all of it is there.
    #[inline(always)]
    fn parse(&self, data: &[u8]) -> Option<Record> {
        let parsed = match self.order {
            ByteOrder::Little => parse_pcap_frame(data),
            ByteOrder::Big => parse_pcap_frame_be(data),
        };
        let (_, block) = parsed.ok()?;
        let captured = block.caplen as usize;
        let total = self.head + captured;
        if data.len() < total {
            return None;
        }
        let time = Some(self.time(&block));
        Some(Record { head: self.head, captured, total, time, link: self.link, orig_len: block.origlen as usize })
    }

    /// 2³² seconds are 136 years: every sum fits.
    fn time(&self, block: &LegacyPcapBlock<'_>) -> Timestamp {
        Timestamp::from_nanos(i64::from(block.ts_sec) * NANOS_PER_SECOND + i64::from(block.ts_usec) * self.unit)
    }

    /// Reads on until the record at the front is whole.
    #[cold]
    fn refill(&self, source: &mut Source, aside: &mut dyn FnMut(Aside<'_>)) -> Result<(), Stop> {
        let head = if source.buffer.wait(self.head, aside) { source.buffer.data() } else { &[] };
        let Some(captured) = self.order.u32(head, 8).map(|captured| captured as usize) else {
            return Err(self.end_inside(source, self.head));
        };
        // A record that is none may claim more than there is to come, or be waited for.
        if self.sound_head(head, source.last_time().map(seconds), MAX_RECORD).is_none() && self.is_swallowed(source) {
            return Err(Stop::Another);
        }
        let total = self.head.saturating_add(captured);
        if captured <= MAX_RECORD && source.buffer.wait(total, aside) {
            return Ok(());
        }
        if captured > MAX_LIKELY {
            return self.resync(source, captured);
        }
        Err(self.end_inside(source, total))
    }

    /// Where the input ends inside a record that needs `need` bytes.
    fn end_inside(&self, source: &mut Source, need: usize) -> Stop {
        if !source.buffer.data().is_empty() && self.is_swallowed(source) {
            return Stop::Another;
        }
        source.end_inside("record", need);
        Stop::End
    }

    /// Whether a likely record, or the end of the file, follows a long one.
    #[cold]
    fn is_followed(&self, record: Record, source: &mut Source) -> bool {
        source.buffer.fill(record.total + self.head);
        let next = source.buffer.data().get(record.total..).unwrap_or_default();
        next.is_empty() || self.sound_head(next, record.time.map(seconds), MAX_RECORD).is_some()
    }

    /// Searches for two sound records in a row, the second of which may be missing at the end of the file, or for another capture.
    #[cold]
    fn resync(&self, source: &mut Source, claimed: usize) -> Result<(), Stop> {
        if begin::stands(source) || self.is_swallowed(source) {
            return Err(Stop::Another);
        }
        let at = source.buffer.position();
        source.buffer.fill(SEARCH + 2 * (self.head + MAX_LIKELY));
        let (data, last) = (source.buffer.data(), source.buffer.is_last());
        let near = source.last_time().map(seconds);
        let found = (1..data.len().min(SEARCH)).find(|&skipped| {
            data.get(skipped..).is_some_and(|data| self.is_sound(data, near, last) || begin::is_sound(data, last))
        });
        let what = format!("damaged at offset {at}: a record claims {}", count(claimed as u64, "byte"));
        source.note(NoteCode::FileDamaged, || match found {
            Some(skipped) => format!("{what}; passed over {} to the next sound one", count(skipped as u64, "byte")),
            None => format!("{what}; no sound one follows within {}", count(SEARCH as u64, "byte")),
        });
        source.buffer.consume(found.ok_or(Stop::End)?);
        source.buffer.mark();
        Ok(())
    }

    /// Whether a record's time is not that of the one before.
    fn is_odd(&self, record: Record, source: &Source) -> bool {
        let times = record.time.map(seconds).zip(source.last_time().map(seconds));
        times.is_some_and(|(time, last)| time.abs_diff(last) > MAX_APART)
    }

    /// Whether another capture begins in a record that was cut when they were joined; the reader goes back to there.
    #[cold]
    fn is_swallowed(&self, source: &mut Source) -> bool {
        let (data, consumed) = source.buffer.consumed();
        let last = source.buffer.is_last();
        let begins = |at: &usize| data.get(*at..).is_some_and(|data| begin::is_sound(data, last));
        let found = self.suspect(data, consumed).and_then(|mut bytes| bytes.find(begins));
        if !found.is_some_and(|at| source.buffer.give_back(consumed - at)) {
            source.buffer.mark();
            return false;
        }
        let at = source.buffer.position();
        source.note(NoteCode::FileDamaged, || {
            format!("damaged at offset {at}: a record is cut, and another capture follows")
        });
        true
    }

    /// Where the last record lies before one that is not sound, and that one, but for the first byte, among those in the first
    /// `consumed` bytes and the one behind: others that are none may have been taken for records since.
    fn suspect(&self, data: &[u8], consumed: usize) -> Option<Range<usize>> {
        let (mut record, mut next, mut near) = (0, 0, None);
        while let Some((seconds, total)) = self.sound_head(data.get(next..)?, near, MAX_LIKELY) {
            (record, next, near) = (next, next + total, Some(seconds));
        }
        let captured = self.order.u32(data.get(next..)?, 8)? as usize;
        (next <= consumed).then(|| record + 1..consumed.min(next + self.head + captured))
    }

    /// Whether `data` begins with two records that a capture at the time `near` (seconds) may hold.
    fn is_sound(&self, data: &[u8], near: Option<u64>, last: bool) -> bool {
        let Some((seconds, total)) = self.sound_head(data, near, MAX_LIKELY) else { return false };
        match data.get(total..) {
            Some([]) => last,
            Some(next) => self.sound_head(next, Some(seconds), MAX_LIKELY).is_some(),
            None => false,
        }
    }

    /// The seconds and the length of a record with a likely head.
    fn sound_head(&self, data: &[u8], near: Option<u64>, max: usize) -> Option<(u64, usize)> {
        let seconds = u64::from(self.order.u32(data, 0)?);
        let fraction = i64::from(self.order.u32(data, 4)?);
        let captured = self.order.u32(data, 8)? as usize;
        let original = self.order.u32(data, 12)? as usize;
        let sound = (1..=max).contains(&captured)
            && captured <= original
            && fraction * self.unit < NANOS_PER_SECOND
            && near.is_none_or(|near| near.abs_diff(seconds) <= MAX_APART);
        sound.then_some((seconds, self.head + captured))
    }
}

/// Seconds since 1970; a pcap has no time before.
fn seconds(time: Timestamp) -> u64 {
    time.nanos().div_euclid(NANOS_PER_SECOND).cast_unsigned()
}

const MICROS: u32 = 0xa1b2_c3d4;
const NANOS: u32 = 0xa1b2_3c4d;
/// Written by patched kernels of the 1990s: records have the interface and more behind the usual head.
const MODIFIED: u32 = 0xa1b2_cd34;

/// The byte order of a file that begins so, the nanoseconds in a unit of its fractions, and the length of its record heads.
fn variant(magic: [u8; 4]) -> Option<(ByteOrder, i64, usize)> {
    let (order, magic) = match u32::from_be_bytes(magic) {
        big @ (MICROS | NANOS | MODIFIED) => (ByteOrder::Big, big),
        other => (ByteOrder::Little, other.swap_bytes()),
    };
    match magic {
        MICROS => Some((order, 1000, 16)),
        NANOS => Some((order, 1, 16)),
        MODIFIED => Some((order, 1000, 24)),
        _ => None,
    }
}

/// Whether a file that begins so is a pcap.
pub(super) fn is_magic(magic: [u8; 4]) -> bool {
    variant(magic).is_some()
}

/// Whether a capture of this format begins so: its version is 2.4 or an older one of these.
pub(super) fn begins(data: &[u8]) -> bool {
    let order = data.first_chunk().and_then(|&magic| variant(magic)).map(|(order, ..)| order);
    let version = order.and_then(|order| Some((order.u16(data, 4)?, order.u16(data, 6)?)));
    matches!(version, Some((2, ..=4))) && data.len() >= HEADER
}

/// The same, and a sound record follows, or nothing at the end of the input.
pub(super) fn begins_soundly(data: &[u8], last: bool) -> bool {
    let Some(pcap) = data.first_chunk().filter(|_| begins(data)).and_then(Pcap::open) else { return false };
    match data.get(HEADER..).unwrap_or_default() {
        [] => last,
        rest => pcap.sound_head(rest, None, MAX_LIKELY).is_some(),
    }
}
