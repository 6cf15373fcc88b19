//! Streams of the same ends in different tags and tunnels: which are kept apart, and which are one.
//!
//! Tags and tunnels are part of a stream's key, so that networks with the same addresses stay apart. But the two directions
//! of one conversation may be wrapped differently: on a trunk, where routing is not symmetric, or where each end of a tunnel
//! has a number of its own. And the same packet may be captured twice, before and behind a router or the end of a tunnel.
//! What answers a stream of which only the other direction was seen, repeats its beginning, goes on exactly where it stands,
//! or repeats what it said last, is therefore joined with it.

use super::Table;
use super::key::FlowKey;
use super::stream::Stream;
use crate::model::{Flags, Limits, Segment};
use crate::proto::layer::Tools;
use crate::tcp::{Budget, Seq};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::collections::HashMap;
use std::hash::BuildHasher as _;

/// Streams of the same ends that are looked through for one that a segment joins: the newest.
const MAX_TWINS: usize = 16;

/// Joined directions that are remembered; others are found out again with each segment.
const MAX_JOINED: usize = 1 << 16;

/// Bytes between what one direction acknowledges and what the other sends, at most, where they are one conversation.
const NEAR: i64 = 1 << 24;

/// What is known of streams that are wrapped.
#[derive(Debug, Default)]
pub(super) struct Wrapped {
    /// Packets were wrapped.
    pub(super) is_any: bool,
    /// The newest stream of each key, by the hash of the key without what is around it.
    twins: HashTable<u32>,
    /// Where the segments that the lower or the higher end sends under a key belong.
    joined: HashMap<(FlowKey, bool), FlowKey, RandomState>,
}

impl Wrapped {
    /// Forgets all streams. Those that were joined are joined again by their next segments.
    pub(super) fn clear(&mut self) {
        self.twins.clear();
        self.joined.clear();
    }
}

impl Table {
    /// The key under which a segment's stream is found: its own, or that of a stream that it joins.
    #[inline(never)]
    pub(super) fn settle(
        &mut self,
        key: FlowKey,
        forward: bool,
        segment: &Segment<'_>,
        limits: &Limits,
        tools: &mut Tools,
    ) -> FlowKey {
        self.wrapped.is_any = true;
        if self.latest.get(key.place()).is_some_and(|&at| self.is_of(at, &key) && self.is_begun(at)) {
            return key;
        }
        if let Some(&other) = self.wrapped.joined.get(&(key, forward)) {
            return other;
        }
        if self.newest(&key).is_some_and(|at| self.is_begun(at)) {
            return key;
        }
        let joins = |stream: &Stream| {
            stream.key != key
                && (joins(stream, segment, forward) || goes_on(stream, segment, forward, limits, &self.budget))
        };
        let twins = self.twins(key.bare()).filter(|&at| self.streams.get(at as usize).is_some_and(joins));
        let Some(other) = twins.max().and_then(|at| self.streams.get(at as usize)) else { return key };
        if !other.is_seen(forward) {
            tools.join(other.number, other.key.encap(), key.encap());
        }
        if self.wrapped.joined.len() >= MAX_JOINED {
            self.wrapped.joined.clear();
        }
        self.wrapped.joined.insert((key, forward), other.key);
        other.key
    }

    /// Whether a segment of that stream was captured: there may be no more than a header that an ICMP error quotes.
    fn is_begun(&self, at: u32) -> bool {
        self.streams.get(at as usize).is_some_and(|stream| stream.seen != (false, false))
    }

    /// The streams of these ends, whatever they are wrapped in: the newest of each kind.
    fn twins(&self, bare: FlowKey) -> impl Iterator<Item = u32> {
        let is_twin = move |at: &&u32| self.streams.get(**at as usize).is_some_and(|stream| stream.key.bare() == bare);
        let wrapped = self.wrapped.twins.iter_hash(self.hasher.hash_one(bare)).filter(is_twin).copied();
        wrapped.chain(self.newest(&bare))
    }

    /// Wireshark's number for a stream that is new here: it does not tell apart what is wrapped differently, unless a SYN has
    /// another number than the one that began its stream.
    pub(super) fn shared_number(&self, key: FlowKey, syn: Option<(bool, u32)>) -> Option<u32> {
        let twins = self.twins(key.bare()).filter_map(|at| self.streams.get(at as usize));
        let newest = twins.max_by_key(|stream| stream.number)?;
        let is_same = |(forward, seq): (bool, u32)| newest.own_base(forward).is_none_or(|base| base == Seq(seq));
        syn.is_none_or(is_same).then_some(newest.number)
    }

    /// Remembers a stream for those that are wrapped differently.
    pub(super) fn register(&mut self, key: FlowKey, at: u32) {
        self.wrapped.is_any = true;
        self.wrapped.joined.remove(&(key, false));
        self.wrapped.joined.remove(&(key, true));
        self.set_twin(key, at);
    }

    pub(super) fn set_twin(&mut self, key: FlowKey, at: u32) {
        let Self { wrapped, hasher, streams, .. } = self;
        let key_of = |at: u32| streams.get(at as usize).map(|stream| stream.key);
        let hash = hasher.hash_one(key.bare());
        let is_twin = |other: &u32| key_of(*other).is_some_and(|other| other.bare() == key.bare());
        let twins = || wrapped.twins.iter_hash(hash).filter(|other| is_twin(other)).copied();
        let before = twins().find(|&other| key_of(other) == Some(key));
        let replaced = before.or_else(|| if twins().count() < MAX_TWINS { None } else { twins().min() });
        match replaced.and_then(|replaced| wrapped.twins.find_mut(hash, |&other| other == replaced)) {
            Some(place) => *place = at,
            None => {
                let rehash = |&at: &u32| key_of(at).map_or(0, |key| hasher.hash_one(key.bare()));
                wrapped.twins.insert_unique(hash, at, rehash);
            }
        }
    }
}

/// Whether a segment that is wrapped otherwise is of the stream all the same.
fn joins(stream: &Stream, segment: &Segment<'_>, forward: bool) -> bool {
    let (own, other) = (stream.own_base(forward), stream.own_base(!forward));
    let (seq, ack) = (Seq(segment.seq), Seq(segment.ack));
    let acknowledged = other.filter(|_| segment.flags.has(Flags::ACK)).map(|base| ack.since(base));
    let is_answer = !stream.is_seen(forward) && stream.is_seen(!forward);
    if segment.flags.has(Flags::SYN) {
        let repeats = stream.has_syn(forward) && own == Some(seq);
        return repeats || is_answer && stream.has_syn(!forward) && acknowledged == Some(1);
    }
    let is_near = acknowledged.is_some_and(|bytes| (0..NEAR).contains(&bytes));
    let repeats = own.is_some_and(|base| seq.since(base) == 1) && is_near;
    let answers = is_answer
        && match own {
            Some(base) => seq.since(base).abs() < NEAR && is_near,
            None => acknowledged == Some(1),
        };
    repeats || answers
}

/// Whether the segment goes on with what the stream says, whose route has changed, or is a copy of what it said last.
fn goes_on(stream: &Stream, segment: &Segment<'_>, forward: bool, limits: &Limits, budget: &Budget) -> bool {
    let is_usual = segment.flags.has(Flags::ACK) && !segment.flags.has(Flags::SYN);
    let Some(live) = stream.live.as_ref().filter(|_| is_usual && stream.is_seen(forward)) else {
        return false;
    };
    let (dir, seq) = (live.direction(forward), Seq(segment.seq));
    let copies = || {
        live.conn.fits(dir.reverse(), Seq(segment.ack)) && live.conn.repeats(dir, seq, segment.payload, limits, budget)
    };
    live.conn.expects(dir, seq) || copies()
}
