//! The next generation: sections of blocks.
//!
//! ```text
//! block: type u32, total length u32, body padded to 4 bytes, total length u32 again
//! ```
//!
//! draft-ietf-opsawg-pcapng. A section header tells the byte order of its section; interfaces are numbered from 0 in
//! each section. pcap-parser reads the rare blocks and all options; packets that carry their time are read here, since
//! the crate makes a list of options for each.

mod told;

use super::clock::Clock;
use super::order::ByteOrder;
use super::source::{MAX_RECORD, Record, SEARCH, Source, Stop};
use super::{Aside, begin, pcap};
use crate::model::{Fact, KeySource, LinkType, NoteCode, count};
use pcap_parser::traits::PcapNGPacketBlock as _;
use pcap_parser::{
    Block, OptionCode, PcapNGOption, SimplePacketBlock, parse_block_be, parse_block_le, parse_option_be,
    parse_option_le,
};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Block types (draft-ietf-opsawg-pcapng §11.1). A section header's reads the same in both byte orders.
mod kind {
    pub(super) const SECTION: u32 = 0x0a0d_0d0a;
    pub(super) const INTERFACE: u32 = 1;
    pub(super) const OBSOLETE_PACKET: u32 = 2;
    pub(super) const SIMPLE_PACKET: u32 = 3;
    pub(super) const NAMES: u32 = 4;
    pub(super) const STATISTICS: u32 = 5;
    pub(super) const ENHANCED_PACKET: u32 = 6;
    pub(super) const JOURNAL: u32 = 9;
    pub(super) const SECRETS: u32 = 10;
    pub(super) const SYSDIG_EVENT: u32 = 0x204;
    pub(super) const SYSDIG_EVENT_2: u32 = 0x216;
    pub(super) const SYSDIG_EVENT_2_LARGE: u32 = 0x221;
    pub(super) const CUSTOM: u32 = 0xbad;
    pub(super) const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;

    /// Those that a search for a sound block goes by.
    pub(super) const KNOWN: [u32; 10] = [
        SECTION,
        INTERFACE,
        OBSOLETE_PACKET,
        SIMPLE_PACKET,
        NAMES,
        STATISTICS,
        ENHANCED_PACKET,
        SECRETS,
        CUSTOM,
        CUSTOM_NOT_COPIED,
    ];

    /// Whether Wireshark gives a block a packet's number.
    pub(super) const fn is_counted(kind: u32) -> bool {
        is_packet(kind)
            || matches!(
                kind,
                JOURNAL | SYSDIG_EVENT | SYSDIG_EVENT_2 | SYSDIG_EVENT_2_LARGE | CUSTOM | CUSTOM_NOT_COPIED
            )
    }

    pub(super) const fn is_packet(kind: u32) -> bool {
        matches!(kind, OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET)
    }
}

/// What every pcapng file begins with.
pub(super) const MAGIC: [u8; 4] = kind::SECTION.to_le_bytes();

/// Type and both lengths, without a body.
const FRAME: usize = 12;

/// What stands before the packet in the body of a packet block with a time.
const PACKET_HEAD: usize = 20;

/// What stands before the options of a section's header.
const SECTION_HEAD: usize = 16;

/// What stands before the options of an interface's block.
const INTERFACE_HEAD: usize = 16;

/// Up to this length a block's length is believed, in bytes; only [`MAX_RECORD`] are read.
const MAX_BLOCK: usize = 128 << 20;

/// Interfaces of one section.
const MAX_INTERFACES: usize = 1_000_000;

/// Of these, how many names are known beside connections.
const MAX_NAMES: usize = 4096;

/// An interface of the section, as few bytes as it takes: a file may describe millions.
#[derive(Clone, Copy)]
struct Interface {
    clock: Clock,
    /// The longest part of a packet that is captured; 0: no bound.
    snaplen: u32,
    link: LinkType,
    /// How many of its packets were read.
    packets: u64,
}

const _: () = assert!(size_of::<Interface>() <= 32);

/// A section, and where its reader stands: always at the head of a block.
pub(super) struct PcapNg {
    order: ByteOrder,
    interfaces: Vec<Interface>,
    called: Box<Called>,
}

/// What the section's interfaces are called.
#[derive(Default)]
struct Called {
    names: BTreeMap<u32, Arc<str>>,
    /// The interface of the last packet.
    last: Option<u32>,
}

/// A block's type and its whole length.
#[derive(Clone, Copy)]
struct Head {
    kind: u32,
    total: usize,
}

/// Why a block cannot be read, in words.
type Bad = &'static str;

const BAD_END: Bad = "its two lengths differ";
const TOO_SHORT: Bad = "it is too short for its type";
const TOO_LONG: Bad = "it is too long";
const BAD_TEXT: Bad = "its text is said to be longer than it is";
const NO_INTERFACE: Bad = "its interface is not described";

/// The byte order of a section whose header begins so; `None` when the bytes spell neither.
pub(super) fn byte_order(section: &[u8]) -> Option<ByteOrder> {
    const MARK: u32 = 0x1a2b_3c4d;
    [ByteOrder::Little, ByteOrder::Big].into_iter().find(|order| order.u32(section, 8) == Some(MARK))
}

/// How a capture is written whose first section is at the front: its name, and the section's byte order.
pub(super) fn written(section: &[u8]) -> (&'static str, &'static str) {
    ("pcapng", byte_order(section).map_or("", ByteOrder::name))
}

/// Whether a capture of this format begins so.
pub(super) fn begins(data: &[u8]) -> bool {
    PcapNg::new().head(data).is_some_and(|head| head.kind == kind::SECTION)
}

/// The same, and what follows is sound as well.
pub(super) fn begins_soundly(data: &[u8], last: bool) -> bool {
    data.starts_with(&MAGIC) && PcapNg::new().is_sound(data, last)
}

impl PcapNg {
    /// A reader in front of the first section header.
    pub(super) fn new() -> Self {
        Self { order: ByteOrder::Little, interfaces: Vec::new(), called: Box::default() }
    }

    /// The next packet, whole in the buffer.
    pub(super) fn next(&mut self, source: &mut Source, aside: &mut dyn FnMut(Aside<'_>)) -> Result<Record, Stop> {
        loop {
            let data = source.buffer.data();
            let Some((head, block)) = self.head(data).and_then(|head| Some((head, data.get(..head.total)?))) else {
                aside(Aside::Pause);
                self.refill(source, aside)?;
                continue;
            };
            match self.block(head, block, aside) {
                Ok(Some(record)) => {
                    if head.kind != kind::SIMPLE_PACKET {
                        self.judge(record, source, aside);
                    }
                    return Ok(record);
                }
                Ok(None) => {
                    if head.kind == kind::INTERFACE {
                        self.judge_interface(head, source);
                    }
                    pass(head, source);
                }
                Err(why) => self.pass_over(head, source, why)?,
            }
        }
    }

    /// Type and length at the front; `None` when they are not there or the length cannot be right.
    #[inline]
    fn head(&self, data: &[u8]) -> Option<Head> {
        let kind = self.order.u32(data, 0)?;
        let order = if kind == kind::SECTION { byte_order(data)? } else { self.order };
        let total = order.u32(data, 4)? as usize;
        let sane = (FRAME..=MAX_BLOCK).contains(&total) && total.is_multiple_of(4);
        sane.then_some(Head { kind, total })
    }

    /// What a block holds.
    #[inline]
    fn block(&mut self, head: Head, block: &[u8], aside: &mut dyn FnMut(Aside<'_>)) -> Result<Option<Record>, Bad> {
        if head.kind == kind::SECTION {
            self.tell_packets(aside);
            self.order = byte_order(block).ok_or(TOO_SHORT)?;
            self.interfaces.clear();
            *self.called = Called::default();
        }
        let (body, end) = block.get(8..).and_then(<[u8]>::split_last_chunk::<4>).ok_or(TOO_SHORT)?;
        if head.kind == kind::INTERFACE {
            // Also when its end is bad: later blocks count interfaces.
            self.describe(body, aside)?;
        }
        if self.order.u32(end, 0) != self.order.u32(block, 4) {
            return Err(BAD_END);
        }
        match head.kind {
            kind::ENHANCED_PACKET => self.packet(self.order.u32(body, 0), body, head, aside),
            kind::OBSOLETE_PACKET => self.packet(self.order.u16(body, 0).map(u32::from), body, head, aside),
            kind::SIMPLE_PACKET => self.rare(block, aside),
            kind::SECRETS => self.key_log(body, aside),
            kind::SECTION => {
                self.tell_section(body, aside);
                Ok(None)
            }
            kind::STATISTICS => {
                self.tell_counters(body, aside);
                Ok(None)
            }
            kind::NAMES => {
                self.tell_names(body, aside);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// An enhanced packet block, or its predecessor, which has 16 bits for the interface and 16 for drops.
    ///
    /// ```text
    /// interface u32, ticks (high u32, low u32), captured length u32, original length u32, packet, options
    /// ```
    #[inline]
    fn packet(
        &mut self,
        interface: Option<u32>,
        body: &[u8],
        head: Head,
        aside: &mut dyn FnMut(Aside<'_>),
    ) -> Result<Option<Record>, Bad> {
        let order = self.order;
        let field = |at| order.u32(body, at).ok_or(TOO_SHORT);
        let ticks = u64::from(field(4)?) << 32 | u64::from(field(8)?);
        let (captured, orig_len) = (field(12)? as usize, field(16)? as usize);
        if captured > body.len().saturating_sub(PACKET_HEAD) {
            return Err("its packet is longer than the block");
        }
        let interface = self.count(interface.ok_or(TOO_SHORT)?, aside).ok_or(NO_INTERFACE)?;
        Ok(Some(Record {
            head: 8 + PACKET_HEAD,
            captured,
            total: head.total,
            time: interface.clock.instant(ticks),
            link: interface.link,
            orig_len,
        }))
    }

    /// Counts a packet of an interface.
    #[inline]
    fn count(&mut self, number: u32, aside: &mut dyn FnMut(Aside<'_>)) -> Option<Interface> {
        let interface = self.interfaces.get_mut(number as usize)?;
        interface.packets += 1;
        let interface = *interface;
        if self.called.last != Some(number) {
            self.called.last = Some(number);
            aside(Aside::Interface(self.called.names.get(&number).cloned()));
        }
        Some(interface)
    }

    /// A block that pcap-parser reads.
    fn rare(&mut self, block: &[u8], aside: &mut dyn FnMut(Aside<'_>)) -> Result<Option<Record>, Bad> {
        let parsed = match self.order {
            ByteOrder::Little => parse_block_le(block),
            ByteOrder::Big => parse_block_be(block),
        };
        match parsed.map_err(|_| TOO_SHORT)?.1 {
            Block::SimplePacket(packet) => self.simple(&packet, aside),
            _ => Ok(None),
        }
    }

    /// Secrets, of which only TLS key logs are for us (§4.7). Of a length that lies nothing depends: lines end by themselves.
    ///
    /// ```text
    /// type u32, length u32, text, options
    /// ```
    fn key_log(&self, body: &[u8], aside: &mut dyn FnMut(Aside<'_>)) -> Result<Option<Record>, Bad> {
        const TLS_KEY_LOG: u32 = 0x544c_534b;
        let kind = self.order.u32(body, 0).ok_or(TOO_SHORT)?;
        let len = self.order.u32(body, 4).ok_or(TOO_SHORT)? as usize;
        let rest = body.get(8..).unwrap_or_default();
        let text = rest.get(..len);
        if kind == TLS_KEY_LOG {
            aside(Aside::fact(Fact::Secrets));
            aside(Aside::Keys(KeySource::Block, text.unwrap_or(rest)));
        }
        text.map(|_| None).ok_or(BAD_TEXT)
    }

    /// A packet without a time, of the first interface; its captured length follows from the other lengths.
    fn simple(
        &mut self,
        packet: &SimplePacketBlock<'_>,
        aside: &mut dyn FnMut(Aside<'_>),
    ) -> Result<Option<Record>, Bad> {
        let interface = self.count(0, aside).ok_or(NO_INTERFACE)?;
        let bound = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        Ok(Some(Record {
            head: 12,
            captured: packet.packet_data().len().min(bound as usize),
            total: packet.block_len1 as usize,
            time: None,
            link: interface.link,
            orig_len: packet.origlen as usize,
        }))
    }

    /// ```text
    /// link type u16, reserved u16, snap length u32, options
    /// ```
    fn describe(&mut self, body: &[u8], aside: &mut dyn FnMut(Aside<'_>)) -> Result<(), Bad> {
        if self.interfaces.len() == MAX_INTERFACES {
            return Err("there are too many interfaces");
        }
        let link = self.order.u16(body, 0).ok_or(TOO_SHORT)?;
        let snaplen = self.order.u32(body, 4).ok_or(TOO_SHORT)?;
        let mut clock = Clock::MICROSECONDS;
        for option in self.options(body.get(8..)).map_while(Result::ok) {
            match (option.code, option.value()) {
                (OptionCode::IfTsresol, &[resolution, ..]) => clock.resolution = resolution,
                (OptionCode::IfTsoffset, value) => clock.offset = self.order.i64(value, 0).unwrap_or_default(),
                _ => {}
            }
        }
        self.interfaces.push(Interface { clock, snaplen, link: LinkType(link.into()), packets: 0 });
        if let Some(name) = self.tell_interface(body, aside)
            && self.called.names.len() < MAX_NAMES
        {
            self.called.names.insert(self.interfaces.len() as u32 - 1, name);
        }
        Ok(())
    }

    /// The options in a part of a block. The last is an error when they run over its end.
    fn options<'a>(&self, part: Option<&'a [u8]>) -> impl Iterator<Item = Result<PcapNGOption<'a>, Bad>> {
        let order = self.order;
        let mut left = part.unwrap_or_default();
        std::iter::from_fn(move || {
            if left.is_empty() {
                return None;
            }
            let parsed = match order {
                ByteOrder::Little => parse_option_le::<nom::error::Error<_>>(left),
                ByteOrder::Big => parse_option_be(left),
            };
            left = parsed.as_ref().map(|&(rest, _)| rest).unwrap_or_default();
            match parsed {
                Ok((_, option)) if option.code == OptionCode::EndOfOpt => None,
                Ok((_, option)) => Some(Ok(option)),
                Err(_) => Some(Err("its options run over its end")),
            }
        })
    }

    /// Says what is odd about a packet that is handed on nevertheless.
    #[inline]
    fn judge(&self, record: Record, source: &mut Source, aside: &mut dyn FnMut(Aside<'_>)) {
        if record.time.is_none() {
            self.note_time(record, source);
        }
        let used = record.head + record.captured.next_multiple_of(4);
        if used + 4 < record.total {
            self.options_of_packet(used..record.total - 4, record, source, aside);
        }
    }

    #[cold]
    fn options_of_packet(
        &self,
        range: Range<usize>,
        record: Record,
        source: &mut Source,
        aside: &mut dyn FnMut(Aside<'_>),
    ) {
        let packet = source.next_mark(None).packet;
        self.tell_comments(Some(packet), source.buffer.data().get(range.clone()), aside);
        if let Some(why) = self.bad_options(range, source) {
            let at = source.buffer.position();
            source.note_next(record.time, NoteCode::FileBlock, || {
                format!("block at offset {at}: {why}; its packet is shown")
            });
        }
    }

    /// Says what is odd about the description of an interface that is used nevertheless.
    #[cold]
    fn judge_interface(&self, head: Head, source: &mut Source) {
        if let Some(why) = self.bad_options(INTERFACE_HEAD..head.total - 4, source) {
            let at = source.buffer.position();
            source.note(NoteCode::FileBlock, || {
                format!("block at offset {at}: {why}; its interface is used with those before")
            });
        }
    }

    /// What is wrong with the options of the block at the front.
    fn bad_options(&self, range: Range<usize>, source: &Source) -> Option<Bad> {
        self.options(source.buffer.data().get(range)).find_map(Result::err)
    }

    #[cold]
    fn note_time(&self, record: Record, source: &mut Source) {
        let word = |at| self.order.u32(source.buffer.data(), at).map(u64::from).unwrap_or_default();
        let ticks = word(12) << 32 | word(16);
        source.note_next(record.time, NoteCode::FileTime, || {
            format!("the packet's time cannot be represented: {ticks} ticks of its interface's clock")
        });
    }

    /// Reads on until the block at the front is whole.
    #[cold]
    fn refill(&mut self, source: &mut Source, aside: &mut dyn FnMut(Aside<'_>)) -> Result<(), Stop> {
        if !source.buffer.wait(FRAME, aside) {
            source.end_inside("block", FRAME);
            return Err(Stop::End);
        }
        let head = self.head(source.buffer.data());
        if is_left(head, source) {
            return Err(Stop::Another);
        }
        match head {
            None if source.is_blank_tail(FRAME) => Err(Stop::End),
            None => self.resync(source),
            Some(head) if head.total > MAX_RECORD => pass_bad(head, source, TOO_LONG),
            Some(head) if source.buffer.wait(head.total, aside) => Ok(()),
            Some(head) if head.total > SEARCH => self.resync(source),
            Some(head) => {
                source.end_inside("block", head.total);
                Err(Stop::End)
            }
        }
    }

    /// Moves past a block that cannot be read, by its length when that leads to another block.
    #[cold]
    fn pass_over(&self, head: Head, source: &mut Source, why: Bad) -> Result<(), Stop> {
        if is_left(Some(head), source) {
            return Err(Stop::Another);
        }
        source.buffer.fill(head.total + FRAME);
        let next = source.buffer.data().get(head.total..).unwrap_or_default();
        if why == BAD_END && !next.is_empty() && !self.is_likely(next) {
            return self.resync(source);
        }
        pass_bad(head, source, why)
    }

    /// Searches for a block whose two lengths agree and that is followed by another or by the end of the file, or for another
    /// capture.
    #[cold]
    fn resync(&self, source: &mut Source) -> Result<(), Stop> {
        let at = source.buffer.position();
        source.buffer.fill(2 * SEARCH + FRAME);
        let (data, last) = (source.buffer.data(), source.buffer.is_last());
        let found = (1..data.len().min(SEARCH)).find(|&skipped| {
            data.get(skipped..).is_some_and(|data| self.is_sound(data, last) || pcap::begins_soundly(data, last))
        });
        source.note(NoteCode::FileDamaged, || match found {
            Some(skipped) => {
                format!("damaged at offset {at}: passed over {} to the next sound block", count(skipped as u64, "byte"))
            }
            None => format!("damaged at offset {at}: no sound block follows within {}", count(SEARCH as u64, "byte")),
        });
        source.buffer.consume(found.ok_or(Stop::End)?);
        Ok(())
    }

    /// Whether a block at the front is complete and of a known type, and what follows it is likely another.
    fn is_sound(&self, data: &[u8], last: bool) -> bool {
        let Some(head) = self.head(data).filter(|_| self.is_likely(data)) else { return false };
        let order = if head.kind == kind::SECTION { byte_order(data).unwrap_or(self.order) } else { self.order };
        match data.get(head.total..) {
            _ if order.u32(data, head.total - 4) != u32::try_from(head.total).ok() => false,
            Some([]) => last,
            Some(next) => Self { order, ..Self::new() }.is_likely(next),
            None => false,
        }
    }

    /// Whether the front looks like the head of a block of a known type.
    fn is_likely(&self, data: &[u8]) -> bool {
        self.head(data).is_some_and(|head| kind::KNOWN.contains(&head.kind))
    }
}

/// Whether what stands at the front, with a head that may be a block's, begins another capture, and no section of this one.
#[cold]
fn is_left(head: Option<Head>, source: &mut Source) -> bool {
    head.is_none_or(|head| head.kind != kind::SECTION) && begin::stands(source)
}

/// Moves past a block that is no packet for us.
fn pass(head: Head, source: &mut Source) {
    source.buffer.consume(head.total);
    if kind::is_counted(head.kind) {
        source.count();
    }
}

/// Moves past a block of any length and says why.
fn pass_bad(head: Head, source: &mut Source, why: Bad) -> Result<(), Stop> {
    let (at, total) = (source.buffer.position(), head.total);
    let is_used = head.kind == kind::INTERFACE && why == BAD_END || why == BAD_TEXT;
    let fate = if is_used { "used nevertheless" } else { "passed over" };
    source
        .note(NoteCode::FileBlock, || format!("block at offset {at} ({}) {fate}: {why}", count(total as u64, "byte")));
    if kind::is_counted(head.kind) {
        source.count();
    }
    if source.buffer.skip(total) {
        return Ok(());
    }
    if !source.buffer.has_failed() {
        source.note(NoteCode::FileCut, || {
            format!("truncated inside the block at offset {at}, which needs {}", count(total as u64, "byte"))
        });
    }
    Err(Stop::End)
}
