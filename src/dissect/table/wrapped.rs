//! Streams of the same ends in different tags and tunnels: which are kept apart, and which are one.
//!
//! Tags and tunnels are part of a stream's key, so that networks with the same addresses stay apart. But the two directions
//! of one conversation may be wrapped differently: on a trunk, where routing is not symmetric, or where each end of a tunnel
//! has a number of its own. What answers a stream of which only the other direction was seen, or goes on exactly where it
//! stands, is therefore joined with it. And the same packet may be captured twice, before and behind a router or the end of a
//! tunnel: what repeats a stream is an [`Echo`], until it is known what it is.

use super::echo::{Echo, compare, end, is_soon};
use super::key::{FlowKey, Side};
use super::stream::{Older, Stream};
use super::{Run, Table};
use crate::model::{EncapId, Flags, Limits, Mark, Segment, Tally};
use crate::tcp::{Budget, Compared, Seq};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::collections::HashMap;
use std::hash::BuildHasher as _;

/// Joined directions that are remembered; others are found out again with each segment.
const MAX_JOINED: usize = 1 << 16;

/// Echoes from which on those are looked for whose stream is not read any more.
const FEW: usize = 1024;

/// Bytes between what one direction acknowledges and what the other sends, at most, where they are one conversation.
const NEAR: i64 = 1 << 24;

/// What is known of streams that are wrapped.
#[derive(Debug, Default)]
pub(super) struct Wrapped {
    /// Packets were wrapped.
    pub(super) is_any: bool,
    /// The newest stream of each key, by the hash of the key without what is around it.
    twins: HashTable<u32>,
    /// Where the segments that an end sends under a key belong.
    joined: HashMap<(FlowKey, Side), FlowKey, RandomState>,
    /// What repeats streams of other keys.
    pub(super) echoes: HashMap<FlowKey, Box<Echo>, RandomState>,
    /// The keys of a stream's echoes, by the order in which streams began.
    pub(super) echoed: HashMap<u32, Vec<FlowKey>, RandomState>,
    /// The packet from which on echoes may be looked for whose stream is not read any more.
    swept_at: u64,
    /// Streams of which it was not looked whether they repeat others, or others them.
    pub(super) crowded: Tally,
    /// When an end of a stream sent its SYN again.
    greeted: HashMap<(u32, Side), Mark, RandomState>,
}

impl Wrapped {
    /// Forgets all streams but the echoes. Those that were joined are joined again by their next segments.
    pub(super) fn clear(&mut self) {
        self.twins.clear();
        self.joined.clear();
    }

    /// Whether some stream has an echo.
    #[inline]
    pub(super) fn has_echoes(&self) -> bool {
        !self.echoes.is_empty()
    }

    /// Remembers where what one end sends under a key belongs.
    pub(super) fn join(&mut self, key: FlowKey, side: Side, other: FlowKey) {
        if self.joined.len() >= MAX_JOINED {
            self.joined.clear();
        }
        self.joined.insert((key, side), other);
    }

    /// Keeps an echo.
    pub(super) fn add_echo(&mut self, key: FlowKey, echo: Box<Echo>) {
        let keys = self.echoed.entry(echo.began).or_default();
        if !keys.contains(&key) {
            keys.push(key);
        }
        self.echoes.insert(key, echo);
    }

    /// Takes an echo out, which [`Self::add_echo`] may put back.
    pub(super) fn take_echo(&mut self, key: &FlowKey) -> Option<Box<Echo>> {
        self.echoes.remove(key)
    }

    /// An echo was taken out, and is none any more.
    pub(super) fn end_echo(&mut self, key: &FlowKey, began: u32) {
        if let Some(keys) = self.echoed.get_mut(&began) {
            keys.retain(|other| other != key);
            if keys.is_empty() {
                self.echoed.remove(&began);
            }
        }
    }
}

/// Where a segment belongs.
pub(super) enum Settled {
    /// To the streams of that key.
    Under(FlowKey),
    /// It is held, or was told behind others that were: the number of its stream.
    Told(u32),
}

/// What a segment is to a stream that is wrapped otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// The other direction of it, or what it says next.
    Part,
    /// What it says, too.
    Echo,
}

impl Table {
    /// Where a segment belongs: to the streams of its own key, or to one of another.
    #[inline(never)]
    pub(super) fn settle(&mut self, key: FlowKey, side: Side, segment: &Segment<'_>, run: &mut Run<'_>) -> Settled {
        self.wrapped.is_any = true;
        let is_syn = segment.flags.has(Flags::SYN);
        let is_own =
            |table: &Self| table.latest.get(key.place()).is_some_and(|&at| table.is_of(at, &key) && table.is_begun(at));
        let is_plain = self.wrapped.joined.is_empty() && self.wrapped.echoes.is_empty();
        if is_plain && !is_syn && is_own(self) {
            return Settled::Under(key);
        }
        if is_syn {
            self.greets(key, side, segment, run);
        }
        if let Some(echo) = self.wrapped.take_echo(&key) {
            return self.hear(key, echo, (segment, side), run);
        }
        if let Some(&other) = self.wrapped.joined.get(&(key, side)) {
            return Settled::Under(other);
        }
        match self.newest(&key).filter(|&at| self.is_begun(at)) {
            // What overtook its SYN could not be related.
            Some(at) if !(is_syn && self.stream(at).fresh && !self.stream(at).has_any_syn()) => Settled::Under(key),
            _ => self.relate(key, side, segment, run),
        }
    }

    /// Looks whether a SYN begins a conversation other than the one that its key led to, which is then looked for anew.
    fn greets(&mut self, key: FlowKey, side: Side, segment: &Segment<'_>, run: &mut Run<'_>) {
        let echo = self.wrapped.echoes.get(&key).and_then(|echo| self.row_of(echo.began));
        let joined = self.wrapped.joined.get(&(key, side)).and_then(|other| self.newest(other));
        let Some(at) = echo.or(joined).or_else(|| self.newest(&key).filter(|&at| self.is_begun(at))) else { return };
        let stream = self.stream(at);
        let began = stream.began;
        let is_other = |side: Side, seq| stream.syn[side] && stream.bases[side].is_some_and(|base| base != seq);
        let is_answer = segment.flags.has(Flags::ACK);
        if is_answer && (echo.is_some() || !is_other(side.other(), Seq(segment.ack.wrapping_sub(1)))) {
            return;
        }
        if !is_answer && !is_other(side, Seq(segment.seq)) {
            if stream.key == key && stream.syn[side] {
                if self.wrapped.greeted.len() >= MAX_JOINED {
                    self.wrapped.greeted.clear();
                }
                self.wrapped.greeted.insert((began, side), segment.mark);
            }
            return;
        }
        if let Some(echo) = self.wrapped.take_echo(&key) {
            self.conclude(key, echo, segment.mark, run);
        }
        self.wrapped.joined.remove(&(key, side));
        if let Some((at, relation)) = self.related(key, side, segment, |_| true, run.limits) {
            self.join(key, side, segment, (at, relation), run);
        }
    }

    /// Finds the stream of a segment whose key leads to none.
    fn relate(&mut self, key: FlowKey, side: Side, segment: &Segment<'_>, run: &mut Run<'_>) -> Settled {
        let Some(related) = self.related(key, side, segment, |_| true, run.limits) else {
            return Settled::Under(key);
        };
        match self.join(key, side, segment, related, run) {
            Some(other) => {
                if other == key {
                    self.wrapped.crowded.add(1, segment.mark);
                }
                Settled::Under(other)
            }
            None => match self.wrapped.take_echo(&key) {
                Some(echo) => self.hear(key, echo, (segment, side), run),
                None => Settled::Under(key),
            },
        }
    }

    /// Joins a segment's direction with a stream; its key, or `None` where that is an echo now. Where there is no room for an echo it
    /// stays where it is.
    fn join(
        &mut self,
        key: FlowKey,
        side: Side,
        segment: &Segment<'_>,
        (at, relation): (u32, Relation),
        run: &mut Run<'_>,
    ) -> Option<FlowKey> {
        let (began, number, other) = (self.stream(at).began, self.stream(at).number, self.stream(at).key);
        // Frames that Wireshark exported beside their stream are no other's.
        let is_exported = key.encap() == EncapId::WEBSOCKET;
        if relation == Relation::Echo && !is_exported {
            if !self.may_echo(began, segment.mark, run.limits) {
                return Some(key);
            }
            self.wrapped.add_echo(key, Box::new(Echo::new(began, segment, side)));
            self.budget.copied = true;
            return None;
        }
        if !self.stream(at).seen[side] {
            run.tools.join(number, other.encap(), key.encap());
        }
        self.wrapped.join(key, side, other);
        Some(other)
    }

    /// Whether there is room for an echo more of that stream.
    pub(super) fn may_echo(&mut self, began: u32, now: Mark, limits: &Limits) -> bool {
        // Each look is paid for by the packets since the one before.
        if self.wrapped.echoes.len() >= FEW && now.packet.0 >= self.wrapped.swept_at {
            self.forget_echoes(|stream| stream.live.is_some() || stream.fresh);
            self.wrapped.swept_at = now.packet.0 + self.wrapped.echoes.len() as u64;
        }
        let of_it = self.wrapped.echoed.get(&began).map_or(0, Vec::len);
        self.wrapped.echoes.len() < limits.echoes && of_it < limits.copies
    }

    /// Forgets echoes of all streams but those.
    pub(super) fn forget_echoes(&mut self, stays: impl Fn(&Stream) -> bool) {
        let Self { wrapped, streams, budget, twice, .. } = self;
        let mut ended = Vec::new();
        wrapped.echoes.retain(|key, echo| {
            let at = streams.binary_search_by_key(&echo.began, |stream| stream.began);
            let stays = at.ok().and_then(|at| streams.get(at)).is_some_and(&stays);
            if !stays {
                echo.release(budget);
                *twice = echo.copies_and(twice);
                ended.push((*key, echo.began));
            }
            stays
        });
        ended.iter().for_each(|(key, began)| wrapped.end_echo(key, *began));
    }

    /// The row of a stream, or of the one that reads its bytes.
    pub(super) fn row_of(&self, began: u32) -> Option<u32> {
        let at = self.streams.binary_search_by_key(&began, |stream| stream.began).ok()?;
        match self.streams.get(at)?.older {
            Older::Same(older) => Some(older),
            _ => u32::try_from(at).ok(),
        }
    }

    /// Whether a segment of that stream was captured: there may be no more than a header that an ICMP error quotes.
    fn is_begun(&self, at: u32) -> bool {
        self.streams.get(at as usize).is_some_and(|stream| stream.seen.any())
    }

    /// The newest of these streams to which a segment of that key is something.
    pub(super) fn related(
        &self,
        key: FlowKey,
        side: Side,
        segment: &Segment<'_>,
        is_meant: impl Fn(&Stream) -> bool,
        limits: &Limits,
    ) -> Option<(u32, Relation)> {
        let relation = |at: u32| {
            let stream = self.streams.get(at as usize)?;
            let is_other = stream.key != key && is_meant(stream);
            let greeted = || self.wrapped.greeted.get(&(stream.began, side)).copied().unwrap_or(stream.first);
            is_other.then(|| relation(stream, segment, side, greeted(), limits, &self.budget)).flatten()
        };
        let related = self.twins(key.bare()).filter_map(|at| Some((at, relation(at)?)));
        related.max_by_key(|&(at, _)| at)
    }

    /// The streams of these ends, whatever they are wrapped in: the newest of each kind.
    fn twins(&self, bare: FlowKey) -> impl Iterator<Item = u32> {
        let is_twin = move |at: &&u32| self.streams.get(**at as usize).is_some_and(|stream| stream.key.bare() == bare);
        let wrapped = self.wrapped.twins.iter_hash(self.hasher.hash_one(bare)).filter(is_twin).copied();
        wrapped.chain(self.newest(&bare))
    }

    /// Wireshark's number for a stream that is new here: it does not tell apart what is wrapped differently, unless a SYN has
    /// another number than the one that began its stream.
    pub(super) fn shared_number(&self, key: FlowKey, syn: Option<(Side, u32)>) -> Option<u32> {
        let twins = self.twins(key.bare()).filter_map(|at| self.streams.get(at as usize));
        let newest = twins.max_by_key(|stream| stream.number)?;
        let is_same = |(side, seq): (Side, u32)| newest.bases[side].is_none_or(|base| base == Seq(seq));
        syn.is_none_or(is_same).then_some(newest.number)
    }

    /// Remembers a stream for those that are wrapped differently.
    pub(super) fn register(&mut self, key: FlowKey, at: u32) {
        self.wrapped.is_any = true;
        for side in Side::BOTH {
            self.wrapped.joined.remove(&(key, side));
        }
        if !self.set_twin(key, at) {
            let first = self.stream(at).first;
            self.wrapped.crowded.add(1, first);
        }
    }

    /// Sets the newest stream of a key; false when one of another key with the same ends had to go for it.
    pub(super) fn set_twin(&mut self, key: FlowKey, at: u32) -> bool {
        let Self { wrapped, hasher, streams, twins_max, .. } = self;
        let key_of = |at: u32| streams.get(at as usize).map(|stream| stream.key);
        let hash = hasher.hash_one(key.bare());
        let is_twin = |other: &u32| key_of(*other).is_some_and(|other| other.bare() == key.bare());
        let twins = || wrapped.twins.iter_hash(hash).filter(|other| is_twin(other)).copied();
        let before = twins().find(|&other| key_of(other) == Some(key));
        let replaced = before.or_else(|| if twins().count() < *twins_max { None } else { twins().min() });
        match replaced.and_then(|replaced| wrapped.twins.find_mut(hash, |&other| other == replaced)) {
            Some(place) => *place = at,
            None => {
                let rehash = |&at: &u32| key_of(at).map_or(0, |key| hasher.hash_one(key.bare()));
                wrapped.twins.insert_unique(hash, at, rehash);
            }
        }
        before.is_some() || replaced.is_none()
    }
}

/// What a segment that is wrapped otherwise is to a stream, which greeted then.
fn relation(
    stream: &Stream,
    segment: &Segment<'_>,
    side: Side,
    greeted: Mark,
    limits: &Limits,
    budget: &Budget,
) -> Option<Relation> {
    let (own, other) = (stream.bases[side], stream.bases[side.other()]);
    let (seq, ack) = (Seq(segment.seq), Seq(segment.ack));
    let acknowledged = other.filter(|_| segment.flags.has(Flags::ACK)).map(|base| ack.since(base));
    let is_answer = !stream.seen[side] && stream.seen[side.other()];
    if segment.flags.has(Flags::SYN) {
        let answers = is_answer && stream.syn[side.other()] && acknowledged == Some(1);
        let repeats = stream.has_any_syn() && own == Some(seq) && is_soon(segment.mark, greeted);
        return if answers { Some(Relation::Part) } else { repeats.then_some(Relation::Echo) };
    }
    let is_near = acknowledged.is_some_and(|bytes| (0..NEAR).contains(&bytes));
    let is_first = own.is_some_and(|base| seq.since(base) == 1) && is_near;
    if is_answer {
        let answers = match own {
            Some(base) => seq.since(base).abs() < NEAR && is_near,
            None => acknowledged == Some(1),
        };
        return answers.then_some(Relation::Part);
    }
    let compared = compare(stream, segment, side, limits, budget);
    let Some(live) = &stream.live else { return (is_first && compared != Compared::Other).then_some(Relation::Echo) };
    let dir = live.direction(side);
    let fits = segment.flags.has(Flags::ACK) && live.conn.fits(dir, seq) && live.conn.fits(dir.reverse(), ack);
    match compared {
        Compared::Said(Some(by)) if !is_soon(segment.mark, by) => None,
        Compared::Said(_) => {
            let is_behind = live.conn.next(dir).is_some_and(|next| end(segment).since(next) <= 0);
            (is_first || fits && is_behind).then_some(Relation::Echo)
        }
        Compared::Unsaid if live.conn.expects(dir, seq) => Some(Relation::Part),
        Compared::Unsaid => is_first.then_some(Relation::Echo),
        Compared::Other => None,
    }
}
