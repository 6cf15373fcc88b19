//! One stream: what its packets tell of it, whether it is read or not.

use super::key::{Ends, FlowKey, Side};
use super::live::Live;
use crate::model::{Flags, Mark, Segment};
use crate::proto::layer::Kind;
use crate::tcp::{LONGEST, NEAR, Seq, WIDEST, has_right_checksum, option};

/// One TCP stream.
pub(super) struct Stream {
    pub(super) key: FlowKey,
    pub(super) number: u32,
    /// Which it is in the order in which they began.
    pub(super) began: u32,
    pub(super) first: Mark,
    /// The sequence number before the first byte of each end, as far as it is known.
    pub(super) bases: Ends<Option<Seq>>,
    /// log₂ of the widest window that each end can offer, in bytes.
    pub(super) windows: Ends<u8>,
    /// The longest payload that each end said it takes; 0 where the checksum of that was not right.
    pub(super) takes: Ends<u16>,
    /// The handshake told the base of an end: its SYN was seen, or one that acknowledges it.
    pub(super) syn: Ends<bool>,
    /// No payload was seen yet.
    pub(super) fresh: bool,
    /// How many conversations it had before: a SYN of the same number after the end begins another in the same stream.
    pub(super) life: u32,
    /// Packets of an end were seen.
    pub(super) seen: Ends<bool>,
    pub(super) kind: Kind,
    pub(super) older: Older,
    pub(super) live: Option<Box<Live>>,
}

/// An older stream of the same endpoints, to which the bytes may belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Older {
    None,
    /// It may go on beside the newer one, whose SYN may be forged.
    Rival(u32),
    /// It is the same conversation, whose SYN was captured late: all bytes are of the older one.
    Same(u32),
}

/// What a stream leaves to another.
pub(super) struct Left {
    first: Mark,
    bases: Ends<Option<Seq>>,
    windows: Ends<u8>,
    takes: Ends<u16>,
    syn: Ends<bool>,
    seen: Ends<bool>,
    kind: Kind,
    live: Option<Box<Live>>,
}

/// A flood of streams without payload costs no more for each, with its slot in a table that has just grown.
const _: () = assert!(size_of::<Stream>() <= 112);

/// log₂ of a window without scaling, in bytes.
const UNSCALED: u8 = 16;

/// Packets behind the first of a stream within which its SYN may be captured late.
const LATE: u64 = 500;

/// So many bytes away from those of a stream that has just begun in the middle are another's, if what it acknowledges is, too; and
/// from those of one that is known.
const FAR: i64 = 1 << 14;
const BEYOND: i64 = 1 << 26;

impl Stream {
    pub(super) fn new(key: FlowKey, (began, number): (u32, u32), first: Mark, older: Older) -> Self {
        Self {
            key,
            began,
            number,
            first,
            bases: Ends::default(),
            windows: Ends { low: WIDEST, high: WIDEST },
            takes: Ends::default(),
            syn: Ends::default(),
            fresh: true,
            life: 0,
            seen: Ends::default(),
            kind: Kind::default(),
            older,
            live: None,
        }
    }

    /// Whether the SYN of either end was seen, which tells the number of the other's, too, where it answers that.
    pub(super) const fn has_any_syn(&self) -> bool {
        self.syn.any()
    }

    /// Whether more of it may come: it is read, or began and has said nothing yet.
    pub(super) fn is_open(&self) -> bool {
        self.live.is_some() || self.fresh && self.has_any_syn()
    }

    /// How far a segment stands from where the stream is, in bytes of both directions; `None`: too far to be of it.
    pub(super) fn distance(&self, segment: &Segment<'_>, side: Side) -> Option<i64> {
        let away = |side: Side, number: Seq| match self.next(side) {
            Some(next) => Some(number.since(next).abs()).filter(|&away| away <= NEAR),
            None => Some(NEAR),
        };
        let flags = segment.flags;
        // Each end has one first number.
        if flags.has(Flags::SYN) && self.syn[side] && self.bases[side] != Some(Seq(segment.seq)) {
            return None;
        }
        let sent = away(side, Seq(segment.seq).plus(flags.has(Flags::SYN).into()))?;
        Some(sent + if flags.has(Flags::ACK) { away(side.other(), Seq(segment.ack))? } else { 0 })
    }

    /// Whether a segment is of another conversation of the same ends, though the SYN of neither was captured: both its numbers stand far
    /// from where this one is.
    #[inline]
    pub(super) fn is_elsewhere(&self, segment: &Segment<'_>, side: Side) -> bool {
        !self.has_any_syn() && self.is_far(segment, side)
    }

    fn is_far(&self, segment: &Segment<'_>, side: Side) -> bool {
        let Some(live) = &self.live else { return false };
        let speaks_on = segment.flags.0 & (Flags::SYN.0 | Flags::RST.0 | Flags::ACK.0) == Flags::ACK.0;
        // Of one that told what it carries much may be lost at once.
        let far = if live.opening.is_some() { FAR } else { BEYOND };
        let is_far = |next: Option<Seq>, number| next.is_some_and(|next| Seq(number).since(next).abs() > far);
        speaks_on
            && is_far(live.conn.next(live.direction(side)), segment.seq)
            && is_far(self.next(side.other()), segment.ack)
    }

    /// The number of the byte that the sender says next, where it is known.
    fn next(&self, side: Side) -> Option<Seq> {
        let read = self.live.as_ref().and_then(|live| live.conn.next(live.direction(side)));
        read.or_else(|| self.bases[side].map(|base| base.plus(1)))
    }

    /// Remembers what the segment tells of both ends' first sequence numbers.
    pub(super) fn learn(&mut self, segment: &Segment<'_>, side: Side) {
        self.seen[side] = true;
        let syn = segment.flags.has(Flags::SYN);
        if self.bases.low.is_some() && self.bases.high.is_some() && !syn {
            return;
        }
        let other = side.other();
        if syn && !std::mem::replace(&mut self.syn[side], true) {
            self.bases[side] = Some(Seq(segment.seq));
        }
        self.bases[side].get_or_insert(Seq(segment.seq.wrapping_sub(1)));
        if segment.flags.has(Flags::ACK) {
            let acknowledged = Seq(segment.ack.wrapping_sub(1));
            self.syn[other] |= *self.bases[other].get_or_insert(acknowledged) == acknowledged && syn;
        }
        if syn {
            self.learn_options(segment, side);
        }
    }

    #[cold]
    fn learn_options(&mut self, segment: &Segment<'_>, side: Side) {
        self.learn_window(segment.scale, side);
        self.takes[side] = takes(segment);
    }

    /// Whether a SYN of that number, sent now, is the one with which this stream began: it was captured behind its data.
    pub(super) fn began_with(&self, side: Side, seq: u32, mark: Mark) -> bool {
        let behind = self.bases[side].map(|base| base.since(Seq(seq)));
        !self.syn[side]
            && self.live.is_some()
            && mark.packet.0.saturating_sub(self.first.packet.0) <= LATE
            && behind.is_some_and(|behind| (1..NEAR).contains(&behind))
    }

    /// Gives its conversation to the stream that began with its SYN.
    pub(super) fn leave(&mut self) -> Left {
        let Self { first, bases, windows, takes, syn, seen, .. } = *self;
        Left { first, bases, windows, takes, syn, seen, kind: std::mem::take(&mut self.kind), live: self.live.take() }
    }

    /// Takes over a conversation; returns which of the row's it is.
    pub(super) fn take_over(&mut self, left: Left) -> u32 {
        let Left { first, bases, windows, takes, syn, seen, kind, live } = left;
        // What was no handshake's was guessed.
        self.bases = Ends::from_fn(|side| bases[side].filter(|_| syn[side]));
        (self.first, self.windows, self.takes, self.syn, self.seen) = (first, windows, takes, syn, seen);
        (self.kind, self.live) = (kind, live);
        if let Some(live) = &mut self.live {
            live.leaving = false;
        }
        (self.fresh, self.older) = (false, Older::None);
        self.life
    }

    /// Windows are scaled where both SYNs say so (RFC 7323 §2.2).
    pub(super) fn learn_window(&mut self, scale: Option<u8>, side: Side) {
        let own = scale.map_or(UNSCALED, |shift| UNSCALED.saturating_add(shift).min(WIDEST));
        self.windows[side] = own;
        if scale.is_none() {
            self.windows = Ends { low: own, high: own };
        }
        let windows = self.windows;
        if let Some(live) = &mut self.live {
            live.limit_windows(windows);
        }
    }
}

/// The longest payload that the sender of a SYN takes (RFC 9293 §3.7.1); 0 where its checksum is not right.
fn takes(segment: &Segment<'_>) -> u16 {
    /// Where the option is missing.
    const LEAST: u16 = 536;
    if !has_right_checksum(segment) {
        return 0;
    }
    match option(segment.options(), LONGEST) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]).max(1),
        _ => LEAST,
    }
}
