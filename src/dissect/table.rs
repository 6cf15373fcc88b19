//! The live TCP streams: numbered as Wireshark does, each with its reassembly and its layers.

mod echo;
mod echoes;
mod forget;
mod key;
mod live;
mod opening;
mod stream;
mod waiting;
mod wrapped;

use crate::model::{
    DecodeAs, EncapId, End, Flags, Limits, Mark, Overlap, PacketNo, Protocol, Segment, Sink, Streams, Tally, Twice,
};
use crate::net::Header;
use crate::proto::layer::{Kind, Tools};
use crate::tcp::{Budget, Seq};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use key::{Ends, FlowKey, Side};
use live::{Env, Live};
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher as _;
use stream::{Older, Stream};
use wrapped::{Settled, Wrapped};

/// All streams of a capture.
///
/// A stream without payload, or without anything for us in it, is one small row; reassembly and layers are added with its first payload.
pub(super) struct Table {
    /// The newest stream of each pair of endpoints, by the hash of its key.
    newest: HashTable<u32>,
    hasher: RandomState,
    streams: Vec<Stream>,
    /// Streams of the last packets, by [`FlowKey::place`]: the next one is often of one of them.
    latest: Vec<u32>,
    /// Numbers given to streams, also to those that have no row.
    numbers: u32,
    /// Streams that began so far, also those that share a number with another.
    began: u32,
    /// Streams that said goodbye, oldest first: they are freed when late packets are no longer expected.
    leaving: VecDeque<Leaving>,
    /// Streams that began to be read and may not have told yet what they carry, oldest first: which, and which of their lives.
    undecided: VecDeque<(u32, u32)>,
    wrapped: Wrapped,
    budget: Budget,
    decode_as: DecodeAs,
    /// Rows that may be kept of streams that are not read, and the number of all rows at which some are forgotten.
    streams_max: usize,
    full_at: usize,
    /// Streams of the same ends that are found again, whatever they are wrapped in.
    twins_max: usize,
    /// Streams that were forgotten, and what they carried.
    forgotten: Tally,
    forgotten_kinds: Streams,
    /// Streams that were given up before they told what they carry.
    given_up: Tally,
    /// Packets that were captured before.
    twice: Tally,
}

/// What a call needs beside the table.
pub(super) struct Run<'r> {
    pub(super) limits: &'r Limits,
    pub(super) tools: &'r mut Tools,
    pub(super) sink: &'r mut dyn Sink,
}

/// A stream that said goodbye.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    packet: PacketNo,
    at: u32,
    /// Which of the conversations of its row.
    life: u32,
}

/// Places for streams of the last packets; a power of two.
const LATEST: usize = 256;

/// Packets for which a stream that ended is kept.
const LINGER: u64 = 500;

/// Older streams of the same ends that are looked through for the one that a segment belongs to.
const RIVALS: usize = 8;

impl Table {
    pub(super) fn new(decode_as: DecodeAs, limits: &Limits) -> Self {
        Self {
            newest: HashTable::default(),
            hasher: RandomState::default(),
            streams: Vec::new(),
            latest: vec![u32::MAX; LATEST],
            numbers: 0,
            began: 0,
            leaving: VecDeque::new(),
            undecided: VecDeque::new(),
            wrapped: Wrapped::default(),
            budget: Budget::default(),
            decode_as,
            streams_max: limits.streams,
            full_at: limits.streams,
            twins_max: limits.twins,
            forgotten: Tally::default(),
            forgotten_kinds: Streams::default(),
            given_up: Tally::default(),
            twice: Tally::default(),
        }
    }

    /// Sets which copy of a byte counts where queued segments disagree.
    pub(super) const fn prefer(&mut self, overlap: Overlap) {
        self.budget.overlap = overlap;
    }

    /// How many streams there were.
    pub(super) const fn streams(&self) -> u32 {
        self.numbers
    }

    /// What each stream carried.
    pub(super) fn kinds(&self) -> Streams {
        let mut kinds = self.forgotten_kinds;
        self.streams.iter().for_each(|stream| super::count(&mut kinds, stream.kind));
        kinds
    }

    /// Takes one segment; returns the number of its stream.
    ///
    /// Inlined, so that what was just read of the packet is used from registers: in memory it is written in pieces and read
    /// back whole, and the processor waits.
    #[inline(always)]
    pub(super) fn segment(
        &mut self,
        segment: &Segment<'_>,
        limits: &Limits,
        tools: &mut Tools,
        sink: &mut dyn Sink,
    ) -> u32 {
        let (mut key, side) = FlowKey::new(&segment.src, &segment.dst, segment.encap);
        let run = &mut Run { limits, tools, sink };
        if self.wrapped.is_any || segment.encap != EncapId::default() {
            match self.settle(key, side, segment, run) {
                Settled::Under(under) => key = under,
                Settled::Told(number) => return number,
            }
        }
        let (at, number) = self.take(key, side, segment, segment.mark, run);
        if segment.twice != Twice::No {
            self.twice.add(1, segment.mark);
            self.budget.copied = true;
        }
        if self.wrapped.has_echoes() {
            self.review(at, segment, side, run);
        }
        if !self.leaving.is_empty() {
            self.free_old(segment.mark, run);
        }
        number
    }

    /// Gives a segment to the stream of its key that it belongs to; returns which that is, and its number. What it tells is known with
    /// the packet `now`, until which it may have been held.
    #[inline(always)]
    fn take(&mut self, key: FlowKey, side: Side, segment: &Segment<'_>, now: Mark, run: &mut Run<'_>) -> (u32, u32) {
        let mut at = if segment.flags.has(Flags::SYN) {
            self.greet(key, side, segment, now, run)
        } else {
            self.find(key, None, segment.mark)
        };
        let stream = row(&mut self.streams, at);
        if stream.older == Older::None && !stream.is_elsewhere(segment, side) {
            stream.learn(segment, side);
        } else {
            at = self.choose(at, segment, side);
        }
        (at, self.feed(at, segment, side, now, run))
    }

    /// The stream of a SYN, which may be a new one that replaces the one before, or begin anew in its place.
    #[inline(never)]
    fn greet(&mut self, key: FlowKey, side: Side, segment: &Segment<'_>, now: Mark, run: &mut Run<'_>) -> u32 {
        self.make_way(segment.mark);
        let known = self.newest(&key);
        let at = self.find_or_begin(key, side, segment.flags, segment.seq, segment.mark);
        if let Some(known) = known
            && known != at
            && self.stream(at).older == Older::None
        {
            self.end(known, (End::Replaced, now), now, run);
        } else if self.stream(at).older == Older::Rival(known.unwrap_or(at))
            && let Some(silent) = known.and_then(|known| self.replaced(known))
        {
            self.end(silent, (End::Replaced, now), now, run);
        }
        if !segment.flags.has(Flags::ACK) {
            self.renew(at, segment.mark, now, run);
        }
        at
    }

    /// Takes a TCP header that brings no bytes: it only counts as a stream where Wireshark lets it.
    pub(super) fn header(&mut self, header: &Header) -> u32 {
        self.make_way(header.mark);
        let (key, side) = FlowKey::new(&header.src, &header.dst, header.encap);
        let at = self.find_or_begin(key, side, header.flags, header.seq, header.mark);
        self.stream(at).number
    }

    /// Ends all streams, in the order of their numbers.
    pub(super) fn finish(&mut self, mark: Mark, limits: &Limits, tools: &mut Tools, sink: &mut dyn Sink) {
        let run = &mut Run { limits, tools, sink };
        self.conclude_all(mark, run);
        let rows = 0..u32::try_from(self.streams.len()).unwrap_or(u32::MAX);
        let replaced: HashMap<u32, Mark, RandomState> =
            rows.clone().filter_map(|at| Some((self.replaced(at)?, self.stream(at).first))).collect();
        for at in rows {
            let ended = replaced.get(&at).map_or((End::Capture, mark), |&since| (End::Replaced, since));
            self.end(at, ended, mark, run);
        }
    }

    /// Begins a stream; `syn` are the direction and the number of a SYN that does so.
    fn add(&mut self, key: FlowKey, syn: Option<(Side, u32)>, first: Mark, older: Older) -> u32 {
        let at = u32::try_from(self.streams.len()).unwrap_or(u32::MAX);
        let is_wrapped = self.wrapped.is_any || key.encap() != EncapId::default();
        let shared = match self.newest(&key) {
            // Wireshark knows no other way to tell streams of the same ends apart than a SYN.
            Some(newest) if syn.is_none() => Some(self.stream(newest).number),
            _ if is_wrapped => self.shared_number(key, syn),
            _ => None,
        };
        self.streams.push(Stream::new(key, (self.began, shared.unwrap_or(self.numbers)), first, older));
        self.numbers += u32::from(shared.is_none());
        self.began += 1;
        if is_wrapped {
            self.register(key, at);
        }
        self.set_newest(key, at);
        at
    }

    fn set_newest(&mut self, key: FlowKey, at: u32) {
        let Self { newest, hasher, streams, .. } = self;
        let key_of = |at: u32| streams.get(at as usize).map(|stream| stream.key);
        let hash = hasher.hash_one(key);
        match newest.find_mut(hash, |&at| key_of(at) == Some(key)) {
            Some(newest) => *newest = at,
            None => {
                newest.insert_unique(hash, at, |&at| key_of(at).map_or(0, |key| hasher.hash_one(key)));
            }
        }
    }

    /// The newest stream of a pair of endpoints.
    fn newest(&self, key: &FlowKey) -> Option<u32> {
        self.newest.find(self.hasher.hash_one(key), |&at| self.is_of(at, key)).copied()
    }

    fn is_of(&self, at: u32, key: &FlowKey) -> bool {
        self.streams.get(at as usize).is_some_and(|stream| stream.key == *key)
    }

    fn stream(&mut self, at: u32) -> &mut Stream {
        row(&mut self.streams, at)
    }

    /// The newest stream of a segment's endpoints.
    #[inline]
    fn find(&mut self, key: FlowKey, syn: Option<(Side, u32)>, mark: Mark) -> u32 {
        match self.latest.get(key.place()) {
            Some(&at) if self.is_of(at, &key) => at,
            _ => self.look_up(key, syn, mark),
        }
    }

    /// The same, or the stream that a SYN begins.
    fn find_or_begin(&mut self, key: FlowKey, side: Side, flags: Flags, seq: u32, mark: Mark) -> u32 {
        let begins = flags.has(Flags::SYN) && !flags.has(Flags::ACK);
        let at = self.find(key, begins.then_some((side, seq)), mark);
        if begins { self.begun(at, key, side, seq, mark) } else { at }
    }

    /// The newest stream of its endpoints, which there may be none of yet.
    #[inline(never)]
    fn look_up(&mut self, key: FlowKey, syn: Option<(Side, u32)>, mark: Mark) -> u32 {
        self.make_way(mark);
        let at = self.newest(&key).unwrap_or_else(|| self.add(key, syn, mark, Older::None));
        self.remember(key.place(), at);
        at
    }

    /// The stream of a SYN, where `at` is the newest of its endpoints.
    ///
    /// Another sequence number begins a new stream, as in Wireshark; the same number repeats the old one.
    #[inline(never)]
    fn begun(&mut self, at: u32, key: FlowKey, side: Side, seq: u32, mark: Mark) -> u32 {
        let old = self.stream(at);
        if old.bases[side].is_none_or(|base| base == Seq(seq)) {
            return at;
        }
        let older = match &old.live {
            _ if old.began_with(side, seq, mark) => Older::Same(at),
            Some(live) if live.conn.said_goodbye() => Older::None,
            // A stream that goes on may be the true one yet: the SYN may be forged.
            Some(_) => Older::Rival(at),
            None => match std::mem::replace(&mut old.older, Older::None) {
                Older::Rival(older) | Older::Same(older) => Older::Rival(older),
                // Both may be answered yet.
                Older::None if old.is_open() => Older::Rival(at),
                Older::None => Older::None,
            },
        };
        let at = self.add(key, Some((side, seq)), mark, older);
        self.remember(key.place(), at);
        at
    }

    fn remember(&mut self, place: usize, at: u32) {
        if let Some(latest) = self.latest.get_mut(place) {
            *latest = at;
        }
    }

    /// A SYN after the end begins anew, in the same stream where its number is the same.
    fn renew(&mut self, at: u32, mark: Mark, now: Mark, run: &mut Run<'_>) {
        let stream = self.stream(at);
        if !stream.fresh && stream.live.as_ref().is_none_or(|live| live.conn.is_over()) {
            self.end(at, (End::Replaced, now), now, run);
            let stream = self.stream(at);
            (stream.bases, stream.syn, stream.fresh) = (Ends::default(), Ends::default(), true);
            (stream.first, stream.life) = (mark, stream.life + 1);
        }
    }

    /// A stream that begins with the late SYN of an older one takes its place, if nothing was told of that yet.
    fn adopt(&mut self, at: u32) {
        let Older::Same(older) = self.stream(at).older else { return };
        let Some(live) = &self.stream(older).live else { return };
        if live.opening.is_none() || live.told {
            return;
        }
        let live = self.stream(older).leave();
        let life = self.stream(at).take_over(live);
        self.undecided.push_back((at, life));
    }

    /// Which stream of the endpoints a segment belongs to, where several may go on: the one whose next bytes are nearest to
    /// what it sends and acknowledges. A SYN may be forged, and before and behind a proxy that is not to be seen two
    /// conversations have the same ends: where the capture begins in the middle of both, their numbers tell.
    fn choose(&mut self, at: u32, segment: &Segment<'_>, side: Side) -> u32 {
        self.adopt(at);
        if let Older::Same(older) = self.stream(at).older {
            self.stream(at).learn(segment, side);
            return older;
        }
        let mut nearest = (self.stream(at).distance(segment, side), at);
        let (mut newer, mut has_room) = (at, false);
        for _ in 0..RIVALS {
            let Older::Rival(older) = self.stream(newer).older else {
                has_room = true;
                break;
            };
            let stream = self.stream(older);
            if !stream.is_open() {
                self.stream(newer).older = self.stream(older).older;
                continue;
            }
            let distance = stream.distance(segment, side);
            if distance.is_some_and(|near| nearest.0.is_none_or(|nearest| near <= nearest)) {
                nearest = (distance, older);
            }
            newer = older;
        }
        let begins = segment.flags.has(Flags::SYN) && !segment.flags.has(Flags::ACK);
        let mut chosen = if begins { at } else { nearest.1 };
        if has_room && self.stream(chosen).is_elsewhere(segment, side) {
            let key = self.stream(at).key;
            chosen = self.add(key, None, segment.mark, Older::Rival(at));
            self.remember(key.place(), chosen);
        }
        self.stream(chosen).learn(segment, side);
        chosen
    }

    /// The stream that gave way to this one: of the same ends, and silent since.
    fn replaced(&mut self, newer: u32) -> Option<u32> {
        let newer = self.stream(newer);
        let Older::Rival(older) = newer.older else { return None };
        let (first, is_answered) = (newer.first, !newer.fresh || newer.syn.all());
        let is_silent = |live: &Live| live.conn.last().packet < first.packet;
        (is_answered && self.stream(older).live.as_deref().is_some_and(is_silent)).then_some(older)
    }

    /// Gives a stream its segment; returns the stream's number.
    #[inline(always)]
    fn feed(&mut self, at: u32, segment: &Segment<'_>, side: Side, now: Mark, run: &mut Run<'_>) -> u32 {
        let stream = row(&mut self.streams, at);
        if stream.live.is_none() {
            match is_forced(&self.decode_as, stream.number, segment) {
                None => stream.kind = Kind::Left,
                Some(forced) => {
                    if stream.wake(segment, side, forced) {
                        let life = stream.life;
                        self.undecided.push_back((at, life));
                        self.give_up_undecided(now, run);
                    }
                }
            }
        }
        let stream = row(&mut self.streams, at);
        let mut env = run.with(&mut self.budget);
        if stream.is_opening() {
            stream.keep(segment, side, &mut env);
            if let Some(firsts) = stream.begins_elsewhere(segment, side)
                && let Some(forced) = is_forced(&self.decode_as, stream.number, segment)
            {
                stream.begin_anew(firsts, now, forced, &mut env);
            }
        }
        stream.segment(segment, side, now, &mut env);
        if let Some(live) = &mut stream.live
            && live.conn.is_over()
            && !std::mem::replace(&mut live.leaving, true)
        {
            self.leaving.push_back(Leaving { packet: segment.mark.packet, at, life: stream.life });
        }
        let number = stream.number;
        if env.budget.queued > env.limits.reorder_total {
            make_room(&mut self.streams, now, &mut env);
        }
        number
    }

    /// A stream that has not told what it carries while very many others began is not read any more.
    fn give_up_undecided(&mut self, mark: Mark, run: &mut Run<'_>) {
        while self.undecided.len() > run.limits.undecided_streams {
            let Some((at, life)) = self.undecided.pop_front() else { return };
            let stream = self.stream(at);
            if stream.life == life && stream.live.as_ref().is_some_and(|live| !live.decided) {
                self.given_up.add(1, mark);
                self.end(at, (End::Replaced, mark), mark, run);
            }
        }
    }

    /// Frees streams that ended a while ago.
    fn free_old(&mut self, now: Mark, run: &mut Run<'_>) {
        while let Some(&Leaving { packet, at, life }) = self.leaving.front()
            && now.packet.0.saturating_sub(packet.0) > LINGER
        {
            self.leaving.pop_front();
            if self.stream(at).life != life {
                continue;
            }
            // A stream that goes on after its end, which may be forged, stays.
            match &self.stream(at).live {
                Some(live) if now.packet.0.saturating_sub(live.conn.last().packet.0) <= LINGER => {
                    let last = live.conn.last().packet;
                    self.leaving.push_back(Leaving { packet: last, at, life });
                }
                // What waits for secrets is freed when they came.
                Some(live) if live.layer.waits() => {}
                _ => self.end(at, (End::Capture, now), now, run),
            }
        }
    }

    fn end(&mut self, at: u32, ended: (End, Mark), mark: Mark, run: &mut Run<'_>) {
        row(&mut self.streams, at).end(ended, mark, &mut run.with(&mut self.budget));
    }
}

impl<'r> Run<'r> {
    /// The same with what all streams together have queued.
    fn with<'e>(&'e mut self, budget: &'e mut Budget) -> Env<'e> {
        Env { limits: self.limits, tools: self.tools, sink: self.sink, budget }
    }
}

#[expect(clippy::indexing_slicing, reason = "rows are only added, and their indices come from add()")]
fn row(streams: &mut [Stream], at: u32) -> &mut Stream {
    &mut streams[at as usize]
}

/// Whether it is said that a stream carries a WebSocket; `None` when the user does not want it read.
fn is_forced(decode_as: &DecodeAs, stream: u32, segment: &Segment<'_>) -> Option<bool> {
    match decode_as.protocol(stream, [segment.src, segment.dst]) {
        None => Some(segment.encap == EncapId::WEBSOCKET),
        Some(Protocol::WebSocket) => Some(true),
        Some(Protocol::None) => None,
    }
}

/// The streams with the largest queues give up holes, until an eighth of the bound is free.
fn make_room(streams: &mut [Stream], mark: Mark, env: &mut Env<'_>) {
    let queued = |stream: &Stream| stream.live.as_ref().map_or(0, |live| live.conn.queued());
    let enough = env.limits.reorder_total - env.limits.reorder_total / 8;
    let mut queues: Vec<(usize, usize)> = streams.iter().map(queued).zip(0..).filter(|&(n, _)| n > 0).collect();
    queues.sort_unstable_by(|a, b| b.cmp(a));
    for (_, at) in queues {
        let Some(stream) = streams.get_mut(at) else { return };
        while env.budget.queued > enough && queued(stream) > 0 {
            stream.make_room(mark, env);
        }
    }
}

#[cfg(test)]
mod tests;
