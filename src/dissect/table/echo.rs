//! What repeats a stream in other tags or tunnels: copies of its packets, or another conversation with the same numbers.
//!
//! Copies are to be shown once; but networks whose addresses are the same may also have the same ports and numbers, as those of
//! simulators and replayed tests do. What both say is the same whoever they are. So an echo is held until it says something
//! else, which makes it a stream of its own from its beginning on. When as much is the same as is held, that counts as copies, and
//! the echo goes on without it: what it says otherwise from then on begins a stream in the middle.
//!
//! What only the echo says is the stream's where the stream misses it: it says what comes behind, or acknowledges it. Where packets
//! were the same to the number in their IP headers, it is the stream's also when the stream is silent.

use super::key::{Ends, Side};
use super::stream::Stream;
use crate::model::{EncapId, Endpoint, Flags, Limits, Mark, Segment, Tally, Twice};
use crate::tcp::{Budget, Compared, Seq};

/// Nanoseconds within which a copy comes: a SYN that is not answered is not sent again before a second has passed (RFC 6298
/// §2.1).
const SOON: i64 = 500_000_000;

/// Packets within which it does where they have no times.
const CLOSE: u64 = 500;

/// How often an echo may turn out to be one of another stream.
const MAX_TURNS: u8 = 8;

/// So many packets that are the same to the number in their IP headers make an echo a copy.
const SAME: usize = 3;

/// Whether a packet may be a copy of that one.
pub(super) fn is_soon(packet: Mark, behind: Mark) -> bool {
    match packet.since(behind) {
        Some(nanos) => nanos.abs() < SOON,
        None => packet.packet.0.abs_diff(behind.packet.0) < CLOSE,
    }
}

/// A stream in other tags, which so far says what another says.
#[derive(Debug)]
pub(super) struct Echo {
    /// The other, by the order in which streams began.
    pub(super) began: u32,
    ends: Ends<Endpoint>,
    encap: EncapId,
    held: Vec<Held>,
    cost: usize,
    /// How many of those the other has not said.
    unsaid: usize,
    /// The numbers behind what each end said without a hole, and acknowledged.
    said: Ends<Option<Seq>>,
    acknowledged: Ends<Option<Seq>>,
    /// The same behind all that they said, holes or not.
    last: Ends<Option<Seq>>,
    /// It began with a SYN: all of it is there.
    has_syn: bool,
    /// It said bytes that the other said as well.
    is_confirmed: bool,
    /// What the other had said when there was too much of it is not held any more.
    is_trimmed: bool,
    /// Packets with payload that are the same as one captured before, to the number in the IP header.
    same: usize,
    /// How often it turned to another stream.
    turns: u8,
    /// Packets that are copies, if it is no other conversation.
    copies: Tally,
}

/// A segment that is held.
#[derive(Debug)]
struct Held {
    side: Side,
    is_unsaid: bool,
    mark: Mark,
    seq: u32,
    ack: u32,
    flags: Flags,
    window: u16,
    cut: u32,
    scale: Option<u8>,
    twice: Twice,
    /// Header and payload, and the length of the header; 0 where that was not captured.
    bytes: Vec<u8>,
    header: usize,
}

impl Echo {
    /// Nothing was heard yet; `first` is a segment that this end sent.
    pub(super) fn new(began: u32, first: &Segment<'_>, side: Side) -> Self {
        let ends = Ends::of(side, first.src, first.dst);
        Self {
            began,
            ends,
            encap: first.encap,
            held: Vec::new(),
            cost: 0,
            unsaid: 0,
            said: Ends::default(),
            acknowledged: Ends::default(),
            last: Ends::default(),
            has_syn: false,
            is_confirmed: false,
            is_trimmed: false,
            same: 0,
            turns: 0,
            copies: Tally::default(),
        }
    }

    /// What a segment of it is beside what the stream said so far.
    pub(super) fn compare(
        &self,
        stream: &Stream,
        segment: &Segment<'_>,
        side: Side,
        limits: &Limits,
        budget: &Budget,
    ) -> Compared {
        if self.repeats(segment, side) {
            return Compared::Said(None);
        }
        match compare(stream, segment, side, limits, budget) {
            Compared::Said(Some(by)) if !self.is_known() && !is_soon(segment.mark, by) => Compared::Other,
            compared => compared,
        }
    }

    /// Whether it says what it said itself before, or a byte that asks whether the other end is there still.
    fn repeats(&self, segment: &Segment<'_>, side: Side) -> bool {
        let is_before = |said| end(segment).since(said) <= 0;
        let is_last_byte = segment.payload.len() == 1 && self.last[side] == Some(end(segment));
        let is_again = is_last_byte || self.said[side].is_some_and(is_before);
        carries(segment) && !segment.flags.has(Flags::SYN) && is_again
    }

    /// Whether more than numbers make it an echo.
    pub(super) const fn is_known(&self) -> bool {
        self.has_syn || self.is_confirmed
    }

    /// Whether it is a copy: packets of it are the same as those of the other.
    pub(super) const fn is_copy(&self) -> bool {
        self.same >= SAME
    }

    /// Holds a segment; one that the other said only as long as there is room for all of them.
    pub(super) fn hold(&mut self, segment: &Segment<'_>, side: Side, compared: Compared, budget: &mut Budget) {
        let &Segment { mark, seq, ack, flags, window, bytes, payload, cut, scale, twice, .. } = segment;
        let header = bytes.len().saturating_sub(payload.len());
        let bytes = if bytes.is_empty() { payload } else { bytes }.to_vec();
        let repeats = self.repeats(segment, side);
        let said = &mut self.said[side];
        if said.is_none_or(|said| Seq(seq).since(said) <= 0) {
            advance(said, end(segment));
        }
        advance(&mut self.last[side], end(segment));
        if flags.has(Flags::ACK) {
            advance(&mut self.acknowledged[side], Seq(ack));
        }
        self.has_syn |= flags.has(Flags::SYN) && !flags.has(Flags::ACK);
        self.same += usize::from(twice == Twice::SameNumber && !payload.is_empty());
        let is_said = matches!(compared, Compared::Said(_));
        if is_said && !repeats {
            self.count(!payload.is_empty(), twice, flags, mark);
        }
        if is_said && self.is_trimmed {
            return;
        }
        let cost = bytes.len() + size_of::<Held>();
        self.cost += cost;
        budget.opening += cost;
        let is_unsaid = compared == Compared::Unsaid;
        self.unsaid += usize::from(is_unsaid);
        self.held.push(Held { side, is_unsaid, mark, seq, ack, flags, window, cut, scale, twice, bytes, header });
    }

    /// The stream says the same as a segment.
    fn count(&mut self, says: bool, twice: Twice, flags: Flags, mark: Mark) {
        self.is_confirmed |= says;
        if says || twice != Twice::No || flags.has(Flags::SYN) {
            self.copies.add(1, mark);
        }
    }

    /// The stream says the same as a segment that is held.
    pub(super) fn confirm(&mut self, nth: usize) {
        self.pass(nth);
        if let Some(&Held { twice, flags, mark, ref bytes, header, .. }) = self.held.get(nth) {
            self.count(bytes.len() > header, twice, flags, mark);
        }
    }

    /// Lets go of what the stream has said: it counts as copies, whatever comes.
    pub(super) fn trim(&mut self, budget: &mut Budget) {
        self.release(budget);
        self.held.retain(|held| held.is_unsaid);
        self.cost = self.held.iter().map(|held| held.bytes.len() + size_of::<Held>()).sum();
        budget.opening += self.cost;
        self.is_confirmed |= self.has_syn;
        (self.has_syn, self.is_trimmed) = (false, true);
    }

    /// A segment that is held waits no longer for the stream to say the same.
    pub(super) fn pass(&mut self, nth: usize) {
        if let Some(held) = self.held.get_mut(nth).filter(|held| held.is_unsaid) {
            held.is_unsaid = false;
            self.unsaid -= 1;
        }
    }

    /// Whether it may turn to another stream, of which nothing that is held is known to be said otherwise there.
    pub(super) fn may_turn_to(&self, stream: &Stream, limits: &Limits, budget: &Budget) -> bool {
        let is_same = |(segment, side)| compare(stream, &segment, side, limits, budget) != Compared::Other;
        stream.began != self.began && self.turns < MAX_TURNS && self.segments().all(is_same)
    }

    /// It echoes another stream.
    pub(super) fn turn_to(&mut self, stream: &Stream, limits: &Limits, budget: &Budget) {
        (self.began, self.turns) = (stream.began, self.turns + 1);
        for nth in 0..self.len() {
            let compared = self.segment(nth).map(|(held, side)| compare(stream, &held, side, limits, budget));
            let is_unsaid = compared == Some(Compared::Unsaid);
            if let Some(held) = self.held.get_mut(nth) {
                self.unsaid += usize::from(is_unsaid);
                self.unsaid -= usize::from(held.is_unsaid);
                held.is_unsaid = is_unsaid;
            }
        }
    }

    /// Whether the stream has not said all that is held.
    pub(super) const fn has_unsaid(&self) -> bool {
        self.unsaid > 0
    }

    /// Which segments the stream has not said.
    pub(super) fn unsaid(&self) -> Vec<usize> {
        let unsaid = self.held.iter().enumerate().filter(|(_, held)| held.is_unsaid);
        unsaid.map(|(nth, _)| nth).collect()
    }

    /// How many segments are held.
    pub(super) const fn len(&self) -> usize {
        self.held.len()
    }

    /// A segment that is held, and which end sent it.
    pub(super) fn segment(&self, nth: usize) -> Option<(Segment<'_>, Side)> {
        let held = self.held.get(nth)?;
        let &Held { side, mark, seq, ack, flags, window, cut, scale, twice, ref bytes, header, .. } = held;
        let (src, dst) = (self.ends[side], self.ends[side.other()]);
        let payload = bytes.get(header..).unwrap_or_default();
        let bytes = if header == 0 { &[] } else { bytes.as_slice() };
        let encap = self.encap;
        Some((Segment { mark, src, dst, seq, ack, flags, window, bytes, payload, cut, scale, encap, twice }, side))
    }

    /// All that are held.
    pub(super) fn segments(&self) -> impl Iterator<Item = (Segment<'_>, Side)> {
        (0..self.len()).filter_map(|nth| self.segment(nth))
    }

    /// The end that alone was heard; `None`: both were.
    pub(super) fn one_side(&self) -> Option<Side> {
        let side = self.held.first()?.side;
        self.held.iter().all(|held| held.side == side).then_some(side)
    }

    /// The first packet.
    pub(super) fn first(&self) -> Mark {
        self.held.first().map(|held| held.mark).unwrap_or_default()
    }

    /// Whether no more is to be held.
    pub(super) const fn is_full(&self, limits: &Limits, budget: &Budget) -> bool {
        self.held.len() >= limits.opening_segments
            || self.cost >= limits.opening_bytes
            || budget.opening >= limits.opening_total
    }

    /// Whether it is all there, and says something of which the stream knows nothing: since a while, and it was acknowledged.
    /// With `any`, one of both is enough.
    pub(super) fn is_alone(&self, now: Mark, any: bool) -> bool {
        let says = |held: &&Held| held.is_unsaid && held.bytes.len() > held.header;
        let Some(held) = self.held.iter().find(says).filter(|_| self.has_syn) else { return false };
        let len = u32::try_from(held.bytes.len() - held.header).unwrap_or(u32::MAX);
        let upto = self.acknowledged[held.side.other()];
        let is_acknowledged = upto.is_some_and(|upto| upto.since(Seq(held.seq).plus(len)) >= 0);
        let is_old = !is_soon(now, held.mark);
        if any { is_acknowledged || is_old } else { is_acknowledged && is_old }
    }

    /// Whether what the stream had said counts as copies already.
    pub(super) const fn is_trimmed(&self) -> bool {
        self.is_trimmed
    }

    /// The packets of it that are copies, and those.
    pub(super) const fn copies_and(&self, others: &Tally) -> Tally {
        let is_earlier = self.copies.first.packet.0 < others.first.packet.0;
        if is_earlier { self.copies.with(others) } else { others.with(&self.copies) }
    }

    /// The same where these are counted now.
    pub(super) fn settle_copies(&mut self, others: &Tally) -> Tally {
        let both = self.copies_and(others);
        self.copies = Tally::default();
        both
    }

    /// Gives its memory back to the totals.
    pub(super) const fn release(&self, budget: &mut Budget) {
        budget.opening = budget.opening.saturating_sub(self.cost);
    }
}

/// What a segment that is wrapped otherwise is beside what the stream said so far.
pub(super) fn compare(
    stream: &Stream,
    segment: &Segment<'_>,
    side: Side,
    limits: &Limits,
    budget: &Budget,
) -> Compared {
    if segment.flags.has(Flags::SYN) {
        return match stream.bases[side] {
            Some(base) if base == Seq(segment.seq) && stream.has_any_syn() => Compared::Said(None),
            Some(_) if stream.syn[side] => Compared::Other,
            _ => Compared::Unsaid,
        };
    }
    match &stream.live {
        _ if !carries(segment) && !segment.flags.has(Flags::RST) => Compared::Said(None),
        None if stream.fresh => Compared::Unsaid,
        // Nothing is to be found in it: its bytes are not there to be compared.
        None if segment.twice != Twice::No || segment.payload.is_empty() => Compared::Said(None),
        None => Compared::Other,
        Some(live) if segment.flags.has(Flags::RST) && segment.payload.is_empty() => {
            if live.conn.is_over() {
                Compared::Said(None)
            } else {
                Compared::Unsaid
            }
        }
        Some(live) => live.conn.compare(live.direction(side), segment, limits, budget),
    }
}

/// Whether a segment says anything.
pub(super) fn carries(segment: &Segment<'_>) -> bool {
    !segment.payload.is_empty() || segment.cut > 0 || segment.flags.has(Flags::FIN)
}

/// The number behind a segment.
pub(super) fn end(segment: &Segment<'_>) -> Seq {
    let len = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX).wrapping_add(segment.cut);
    let flags = u32::from(segment.flags.has(Flags::SYN)) + u32::from(segment.flags.has(Flags::FIN));
    Seq(segment.seq).plus(len.wrapping_add(flags))
}

fn advance(known: &mut Option<Seq>, to: Seq) {
    if known.is_none_or(|known| to.since(known) > 0) {
        *known = Some(to);
    }
}
