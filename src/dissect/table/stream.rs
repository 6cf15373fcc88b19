//! One stream: what its packets tell of it, whether it is read or not.

use super::key::FlowKey;
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
    /// Sequence numbers before the first byte of the lower and of the higher end, as far as they are known.
    pub(super) bases: [Option<Seq>; 2],
    /// log₂ of the widest window that the lower and the higher end can offer, in bytes.
    pub(super) windows: [u8; 2],
    /// The longest payload that the lower and the higher end said they take; 0 where the checksum of that was not right.
    pub(super) takes: [u16; 2],
    /// The handshake told the base of the lower end, and of the higher: its SYN was seen, or one that acknowledges it.
    pub(super) syn: (bool, bool),
    /// No payload was seen yet.
    pub(super) fresh: bool,
    /// How many conversations it had before: a SYN of the same number after the end begins another in the same stream.
    pub(super) life: u32,
    /// Packets of the lower end were seen, and of the higher.
    pub(super) seen: (bool, bool),
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
    bases: [Option<Seq>; 2],
    windows: [u8; 2],
    takes: [u16; 2],
    syn: (bool, bool),
    seen: (bool, bool),
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
            bases: [None; 2],
            windows: [WIDEST; 2],
            takes: [0; 2],
            syn: (false, false),
            fresh: true,
            life: 0,
            seen: (false, false),
            kind: Kind::default(),
            older,
            live: None,
        }
    }

    /// The sequence number before the sender's first byte.
    pub(super) fn own_base(&self, forward: bool) -> Option<Seq> {
        let [low, high] = self.bases;
        if forward { low } else { high }
    }

    /// Whether packets of the sender were seen.
    pub(super) const fn is_seen(&self, forward: bool) -> bool {
        if forward { self.seen.0 } else { self.seen.1 }
    }

    /// Whether the sender's SYN was seen, or one that acknowledges it.
    pub(super) const fn has_syn(&self, forward: bool) -> bool {
        if forward { self.syn.0 } else { self.syn.1 }
    }

    /// Whether the SYN of either end was seen, which tells the number of the other's, too, where it answers that.
    pub(super) fn has_any_syn(&self) -> bool {
        self.syn != (false, false)
    }

    /// Whether more of it may come: it is read, or began and has said nothing yet.
    pub(super) fn is_open(&self) -> bool {
        self.live.is_some() || self.fresh && self.has_any_syn()
    }

    /// How far a segment stands from where the stream is, in bytes of both directions; `None`: too far to be of it.
    pub(super) fn distance(&self, segment: &Segment<'_>, forward: bool) -> Option<i64> {
        let away = |forward, number: Seq| match self.next(forward) {
            Some(next) => Some(number.since(next).abs()).filter(|&away| away <= NEAR),
            None => Some(NEAR),
        };
        let flags = segment.flags;
        // Each end has one first number.
        if flags.has(Flags::SYN) && self.has_syn(forward) && self.own_base(forward) != Some(Seq(segment.seq)) {
            return None;
        }
        let sent = away(forward, Seq(segment.seq).plus(flags.has(Flags::SYN).into()))?;
        Some(sent + if flags.has(Flags::ACK) { away(!forward, Seq(segment.ack))? } else { 0 })
    }

    /// Whether a segment is of another conversation of the same ends, though the SYN of neither was captured: both its numbers stand far
    /// from where this one is.
    #[inline]
    pub(super) fn is_elsewhere(&self, segment: &Segment<'_>, forward: bool) -> bool {
        !self.has_any_syn() && self.is_far(segment, forward)
    }

    fn is_far(&self, segment: &Segment<'_>, forward: bool) -> bool {
        let Some(live) = &self.live else { return false };
        let speaks_on = segment.flags.0 & (Flags::SYN.0 | Flags::RST.0 | Flags::ACK.0) == Flags::ACK.0;
        // Of one that told what it carries much may be lost at once.
        let far = if live.opening.is_some() { FAR } else { BEYOND };
        let is_far = |next: Option<Seq>, number| next.is_some_and(|next| Seq(number).since(next).abs() > far);
        speaks_on
            && is_far(live.conn.next(live.direction(forward)), segment.seq)
            && is_far(self.next(!forward), segment.ack)
    }

    /// The number of the byte that the sender says next, where it is known.
    fn next(&self, forward: bool) -> Option<Seq> {
        let read = self.live.as_ref().and_then(|live| live.conn.next(live.direction(forward)));
        read.or_else(|| self.own_base(forward).map(|base| base.plus(1)))
    }

    /// Remembers what the segment tells of both ends' first sequence numbers.
    pub(super) fn learn(&mut self, segment: &Segment<'_>, forward: bool) {
        *(if forward { &mut self.seen.0 } else { &mut self.seen.1 }) = true;
        let syn = segment.flags.has(Flags::SYN);
        if let ([Some(_), Some(_)], false) = (self.bases, syn) {
            return;
        }
        let ([low, high], (low_known, high_known)) = (&mut self.bases, &mut self.syn);
        let (low, high) = ((low, low_known), (high, high_known));
        let ((own, own_known), (other, other_known)) = if forward { (low, high) } else { (high, low) };
        if syn && !std::mem::replace(own_known, true) {
            *own = Some(Seq(segment.seq));
        }
        own.get_or_insert(Seq(segment.seq.wrapping_sub(1)));
        if segment.flags.has(Flags::ACK) {
            let acknowledged = Seq(segment.ack.wrapping_sub(1));
            *other_known |= *other.get_or_insert(acknowledged) == acknowledged && syn;
        }
        if syn {
            self.learn_options(segment, forward);
        }
    }

    #[cold]
    fn learn_options(&mut self, segment: &Segment<'_>, forward: bool) {
        self.learn_window(segment.scale, forward);
        let [low, high] = &mut self.takes;
        *(if forward { low } else { high }) = takes(segment);
    }

    /// Whether a SYN of that number, sent now, is the one with which this stream began: it was captured behind its data.
    pub(super) fn began_with(&self, forward: bool, seq: u32, mark: Mark) -> bool {
        let behind = self.own_base(forward).map(|base| base.since(Seq(seq)));
        !self.has_syn(forward)
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
        let Left { first, bases: [low, high], windows, takes, syn, seen, kind, live } = left;
        // What was no handshake's was guessed.
        self.bases = [low.filter(|_| syn.0), high.filter(|_| syn.1)];
        (self.first, self.windows, self.takes, self.syn, self.seen) = (first, windows, takes, syn, seen);
        (self.kind, self.live) = (kind, live);
        if let Some(live) = &mut self.live {
            live.leaving = false;
        }
        (self.fresh, self.older) = (false, Older::None);
        self.life
    }

    /// Windows are scaled where both SYNs say so (RFC 7323 §2.2).
    pub(super) fn learn_window(&mut self, scale: Option<u8>, forward: bool) {
        let own = scale.map_or(UNSCALED, |shift| UNSCALED.saturating_add(shift).min(WIDEST));
        let [low, high] = &mut self.windows;
        *(if forward { &mut *low } else { &mut *high }) = own;
        if scale.is_none() {
            (*low, *high) = (own, own);
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
