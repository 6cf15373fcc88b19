//! The live TCP streams: numbered as Wireshark does, each with its reassembly and its layers.

use crate::model::{
    Both, DecodeAs, Direction, End, Endpoint, Flags, Limits, Mark, PacketNo, Protocol, Route, Segment, Sink, TlsOutline,
};
use crate::net::Header;
use crate::proto;
use crate::proto::layer::{Cx, Flow as LayerFlow, Hint, Kind, Layer, Next, Tools};
use crate::tcp::{Budget, Conn, Out, Seq, Start};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::collections::VecDeque;
use std::hash::{BuildHasher as _, Hash, Hasher};

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
    /// Streams that said goodbye, oldest first: they are freed when late packets are no longer expected.
    leaving: VecDeque<Leaving>,
    /// Streams that began to be read and may not have told yet what they carry, oldest first: which, and which of their lives.
    undecided: VecDeque<(u32, u32)>,
    budget: Budget,
    decode_as: DecodeAs,
}

/// A stream that said goodbye.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    packet: PacketNo,
    at: u32,
    /// Which of the conversations of its row.
    life: u32,
}

/// The same for both directions: addresses and ports, the lower end first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FlowKey {
    low: [u64; 2],
    high: [u64; 2],
    /// Whether the addresses are IPv6, and the ports of the lower and of the higher end.
    rest: u64,
}

impl Hash for FlowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ([low_first, low], [high_first, high]) = (self.low, self.high);
        if self.is_v6() {
            state.write_u64(low_first);
            state.write_u64(high_first);
        }
        state.write_u64(low);
        state.write_u64(high);
        state.write_u64(self.rest);
    }
}

impl FlowKey {
    const V6: u64 = 1 << 32;

    /// Where the stream is remembered while its packets are the last ones. No secret is in it: who makes keys meet here
    /// gains a look into the table for each packet.
    #[inline]
    const fn place(&self) -> usize {
        let ([low_first, low], [high_first, high]) = (self.low, self.high);
        let mixed = low ^ high.rotate_left(21) ^ (low_first ^ high_first).rotate_left(42) ^ self.rest.rotate_left(32);
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - LATEST.ilog2())) as usize
    }

    /// Of an IPv4 address the first word is empty.
    const fn is_v6(&self) -> bool {
        self.rest & Self::V6 != 0
    }

    /// The key, and whether `a` is the lower end.
    #[inline]
    fn new(a: &Endpoint, b: &Endpoint) -> (Self, bool) {
        let ([_, from], [_, to]) = (a.ip.words(), b.ip.words());
        if !a.ip.is_v6() && !b.ip.is_v6() {
            // Address and port in one number: most packets are told apart by one comparison.
            let (from, to) = (from << 16 | u64::from(a.port), to << 16 | u64::from(b.port));
            let (low, high) = (from.min(to), from.max(to));
            let rest = (low & 0xffff) << 16 | high & 0xffff;
            return (Self { low: [0, low >> 16], high: [0, high >> 16], rest }, from <= to);
        }
        let (from, to) = ((a.ip.words(), a.port), (b.ip.words(), b.port));
        let ((low, low_port), (high, high_port)) = if from <= to { (from, to) } else { (to, from) };
        let rest = Self::V6 | u64::from(low_port) << 16 | u64::from(high_port);
        (Self { low, high, rest }, from <= to)
    }
}

/// One TCP stream.
struct Stream {
    key: FlowKey,
    number: u32,
    first: Mark,
    /// Sequence numbers before the first byte of the lower and of the higher end, as far as they are known.
    bases: [Option<Seq>; 2],
    /// A SYN was seen: the bases are those of the handshake.
    syn: bool,
    /// No payload was seen yet.
    fresh: bool,
    /// How many conversations it had before: a SYN of the same number after the end begins another in the same stream.
    life: u32,
    /// Packets of the lower end were seen, and of the higher.
    seen: (bool, bool),
    kind: Kind,
    /// An older stream of the same endpoints, until the peer confirms this one: its SYN may be forged.
    older: Option<u32>,
    live: Option<Box<Live>>,
}

/// A flood of streams without payload costs no more for each, with its slot in a table that has just grown.
const _: () = assert!(size_of::<Stream>() <= 112);

/// A stream that is read.
struct Live {
    conn: Conn,
    layer: Box<dyn Layer>,
    /// Whether the layer reads the bytes, or passes over them.
    reads: bool,
    /// Who is taken for the client, and for the server.
    ends: (Endpoint, Endpoint),
    /// The client is the lower end of the flow's key.
    client_is_low: bool,
    /// Its first byte is known to be the first that was sent.
    from_start: bool,
    /// It told what it carries.
    decided: bool,
    leaving: bool,
    /// The proxies that it is led through.
    route: Option<Box<Route>>,
    /// The TLS session that runs in it.
    tls: Option<Box<TlsOutline>>,
}

/// Places for streams of the last packets; a power of two.
const LATEST: usize = 256;

/// Packets for which a stream that ended is kept.
const LINGER: u64 = 500;

/// What a call needs beside the table.
struct Env<'a> {
    limits: &'a Limits,
    tools: &'a mut Tools,
    sink: &'a mut dyn Sink,
    budget: &'a mut Budget,
}

impl Table {
    pub(super) fn new(decode_as: DecodeAs) -> Self {
        Self {
            newest: HashTable::default(),
            hasher: RandomState::default(),
            streams: Vec::new(),
            latest: vec![u32::MAX; LATEST],
            numbers: 0,
            leaving: VecDeque::new(),
            undecided: VecDeque::new(),
            budget: Budget::default(),
            decode_as,
        }
    }

    /// How many streams there were.
    pub(super) const fn streams(&self) -> u32 {
        self.numbers
    }

    /// What each stream carried.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.streams.iter().map(|stream| stream.kind)
    }

    /// Takes one segment.
    pub(super) fn segment(
        &mut self,
        segment: &Segment<'_>,
        limits: &Limits,
        tools: &mut Tools,
        sink: &mut dyn Sink,
    ) -> u32 {
        let (key, forward) = FlowKey::new(&segment.src, &segment.dst);
        let known = if segment.flags.has(Flags::SYN) { self.newest(&key) } else { None };
        let at = self.find(key, forward, segment.flags, segment.seq, segment.mark);
        if let Some(known) = known
            && known != at
            && self.stream(at).older.is_none()
        {
            self.end(known, End::Replaced, segment.mark, limits, tools, sink);
        }
        if segment.flags.has(Flags::SYN) && !segment.flags.has(Flags::ACK) {
            self.renew(at, segment.mark, limits, tools, sink);
        }
        self.learn(at, segment, forward);
        let target = self.believe(at, segment, forward, limits, tools, sink);
        self.feed(target, segment, forward, limits, tools, sink);
        self.free_old(segment.mark, limits, tools, sink);
        self.stream(target).number
    }

    /// Takes a TCP header that brings no bytes: it only counts as a stream where Wireshark lets it.
    pub(super) fn header(&mut self, header: &Header) -> u32 {
        let (key, forward) = FlowKey::new(&header.src, &header.dst);
        let at = self.find(key, forward, header.flags, header.seq, header.mark);
        self.stream(at).number
    }

    /// Ends all streams, in the order of their numbers.
    pub(super) fn finish(&mut self, mark: Mark, limits: &Limits, tools: &mut Tools, sink: &mut dyn Sink) {
        for at in 0..self.streams.len() {
            self.end(u32::try_from(at).unwrap_or(u32::MAX), End::Capture, mark, limits, tools, sink);
        }
    }

    fn add(&mut self, key: FlowKey, first: Mark, older: Option<u32>) -> u32 {
        let at = u32::try_from(self.streams.len()).unwrap_or(u32::MAX);
        self.streams.push(Stream {
            key,
            number: self.numbers,
            first,
            bases: [None; 2],
            syn: false,
            fresh: true,
            life: 0,
            seen: (false, false),
            kind: Kind::default(),
            older,
            live: None,
        });
        self.numbers += 1;
        let Self { newest, hasher, streams, .. } = self;
        let key_of = |at: u32| streams.get(at as usize).map(|stream| stream.key);
        let hash = hasher.hash_one(key);
        match newest.find_mut(hash, |&at| key_of(at) == Some(key)) {
            Some(newest) => *newest = at,
            None => {
                newest.insert_unique(hash, at, |&at| key_of(at).map_or(0, |key| hasher.hash_one(key)));
            }
        }
        at
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

    /// The stream of a segment: the newest of its endpoints, unless it begins one.
    ///
    /// A SYN with another sequence number begins a new stream, as in Wireshark; the same number repeats the old one.
    fn find(&mut self, key: FlowKey, forward: bool, flags: Flags, seq: u32, mark: Mark) -> u32 {
        let place = key.place();
        let at = match self.latest.get(place) {
            Some(&at) if self.is_of(at, &key) => at,
            _ => {
                let at = self.newest(&key).unwrap_or_else(|| self.add(key, mark, None));
                self.remember(place, at);
                at
            }
        };
        let syn = flags.has(Flags::SYN) && !flags.has(Flags::ACK);
        let old = self.stream(at);
        if !syn || old.own_base(forward).is_none_or(|base| base == Seq(seq)) {
            return at;
        }
        // A stream that goes on may be the true one yet: the SYN may be forged.
        let older = match &old.live {
            Some(live) if live.conn.said_goodbye() => None,
            Some(_) => Some(at),
            None => old.older.take(),
        };
        let at = self.add(key, mark, older);
        self.remember(place, at);
        at
    }

    fn remember(&mut self, place: usize, at: u32) {
        if let Some(latest) = self.latest.get_mut(place) {
            *latest = at;
        }
    }

    /// A SYN after the end begins anew, in the same stream where its number is the same.
    fn renew(&mut self, at: u32, mark: Mark, limits: &Limits, tools: &mut Tools, sink: &mut dyn Sink) {
        let stream = self.stream(at);
        if !stream.fresh && stream.live.as_ref().is_none_or(|live| live.conn.is_over()) {
            self.end(at, End::Replaced, mark, limits, tools, sink);
            let stream = self.stream(at);
            (stream.bases, stream.fresh) = ([None; 2], true);
            (stream.first, stream.life) = (mark, stream.life + 1);
        }
    }

    /// Remembers what the segment tells of both ends' first sequence numbers.
    fn learn(&mut self, at: u32, segment: &Segment<'_>, forward: bool) {
        let stream = self.stream(at);
        *(if forward { &mut stream.seen.0 } else { &mut stream.seen.1 }) = true;
        let syn = segment.flags.has(Flags::SYN);
        if let ([Some(_), Some(_)], false) = (stream.bases, syn) {
            return;
        }
        stream.syn |= syn;
        let [low, high] = &mut stream.bases;
        let (own, other) = if forward { (low, high) } else { (high, low) };
        own.get_or_insert(if syn { Seq(segment.seq) } else { Seq(segment.seq.wrapping_sub(1)) });
        if segment.flags.has(Flags::ACK) {
            other.get_or_insert(Seq(segment.ack.wrapping_sub(1)));
        }
    }

    /// Which stream of the endpoints the segment's bytes belong to: an older one until the peer has answered the new SYN.
    fn believe(
        &mut self,
        at: u32,
        segment: &Segment<'_>,
        forward: bool,
        limits: &Limits,
        tools: &mut Tools,
        sink: &mut dyn Sink,
    ) -> u32 {
        let Some(older) = self.stream(at).older else { return at };
        if segment.flags.has(Flags::SYN) && !segment.flags.has(Flags::ACK) {
            return at;
        }
        let bases = self.stream(at).bases;
        let near = |base: Option<Seq>, seq: u32| base.is_some_and(|base| (0..1 << 20).contains(&Seq(seq).since(base)));
        let [own, other] = if forward { bases } else { [bases[1], bases[0]] };
        let confirmed = segment.flags.has(Flags::SYN) && near(other, segment.ack);
        let fits_new = confirmed || near(own, segment.seq);
        let fits_old = self
            .stream(older)
            .live
            .as_ref()
            .is_some_and(|live| live.conn.fits(live.direction(forward), Seq(segment.seq)) && !confirmed);
        if fits_old && !(fits_new && self.stream(at).live.is_some()) {
            return older;
        }
        self.stream(at).older = None;
        self.end(older, End::Replaced, segment.mark, limits, tools, sink);
        at
    }

    fn feed(
        &mut self,
        at: u32,
        segment: &Segment<'_>,
        forward: bool,
        limits: &Limits,
        tools: &mut Tools,
        sink: &mut dyn Sink,
    ) {
        let stream = row(&mut self.streams, at);
        if stream.live.is_none()
            && let Some(hint) = hint(&self.decode_as, stream.number, segment)
            && stream.wake(segment, forward, hint)
        {
            let life = stream.life;
            self.undecided.push_back((at, life));
            self.give_up_undecided(segment.mark, limits, tools, sink);
        }
        let stream = row(&mut self.streams, at);
        let mut env = Env { limits, tools, sink, budget: &mut self.budget };
        stream.segment(segment, forward, &mut env);
        if let Some(live) = &mut stream.live
            && live.conn.is_over()
            && !std::mem::replace(&mut live.leaving, true)
        {
            self.leaving.push_back(Leaving { packet: segment.mark.packet, at, life: stream.life });
        }
        if env.budget.queued > limits.reorder_total {
            make_room(&mut self.streams, segment.mark, &mut env);
        }
    }

    /// A stream that has not told what it carries while very many others began is not read any more.
    fn give_up_undecided(&mut self, mark: Mark, limits: &Limits, tools: &mut Tools, sink: &mut dyn Sink) {
        while self.undecided.len() > limits.undecided_streams {
            let Some((at, life)) = self.undecided.pop_front() else { return };
            let stream = self.stream(at);
            if stream.life == life && stream.live.as_ref().is_some_and(|live| !live.decided) {
                self.end(at, End::Replaced, mark, limits, tools, sink);
            }
        }
    }

    /// Frees streams that ended a while ago.
    fn free_old(&mut self, now: Mark, limits: &Limits, tools: &mut Tools, sink: &mut dyn Sink) {
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
                _ => self.end(at, End::Capture, now, limits, tools, sink),
            }
        }
    }

    fn end(&mut self, at: u32, how: End, mark: Mark, limits: &Limits, tools: &mut Tools, sink: &mut dyn Sink) {
        let stream = row(&mut self.streams, at);
        stream.end(how, mark, &mut Env { limits, tools, sink, budget: &mut self.budget });
    }
}

#[expect(clippy::indexing_slicing, reason = "rows are only added, and their indices come from add()")]
fn row(streams: &mut [Stream], at: u32) -> &mut Stream {
    &mut streams[at as usize]
}

/// What a stream is taken for; `None` when the user does not want it read.
fn hint(decode_as: &DecodeAs, stream: u32, segment: &Segment<'_>) -> Option<Hint<'static>> {
    match decode_as.protocol(stream, [segment.src, segment.dst]) {
        None => Some(Hint::Unknown),
        Some(Protocol::WebSocket) => Some(Hint::Forced),
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
            stream.with_layer(mark, env, |conn, limits, budget, out| conn.make_room(mark, limits, budget, out));
        }
    }
}

impl Stream {
    /// The sequence number before the sender's first byte.
    fn own_base(&self, forward: bool) -> Option<Seq> {
        let [low, high] = self.bases;
        if forward { low } else { high }
    }

    /// Begins to read a stream: with its first payload, or again with a request, after nothing was to be found in it. True when it did.
    fn wake(&mut self, segment: &Segment<'_>, forward: bool, hint: Hint<'_>) -> bool {
        let first = self.kind == Kind::Silent;
        let begins =
            if first { !segment.payload.is_empty() || segment.cut > 0 } else { segment.payload.starts_with(b"GET ") };
        if !begins {
            return false;
        }
        // Until a request is seen, who sent the SYN (or the first payload) is taken for the client.
        let [own, other] = if forward { self.bases } else { [self.bases[1], self.bases[0]] };
        let known = self.fresh && self.syn;
        self.fresh = false;
        // Until the probe knows better.
        if self.kind == Kind::Silent {
            self.kind = Kind::Other;
        }
        let start = |base: Option<Seq>| base.filter(|_| known).map(|base| base.plus(1));
        let conn = Conn::new(Start { to_server: start(own), to_client: start(other) }, segment.mark);
        self.live = Some(Box::new(Live {
            conn,
            layer: proto::open(hint),
            reads: true,
            ends: (segment.src, segment.dst),
            client_is_low: forward,
            from_start: known,
            decided: false,
            leaving: false,
            route: None,
            tls: None,
        }));
        true
    }

    fn segment(&mut self, segment: &Segment<'_>, forward: bool, env: &mut Env<'_>) {
        let Some(live) = &mut self.live else { return };
        let (dir, keep) = (live.direction(forward), live.reads);
        if live.conn.is_mere_acknowledgement(dir, segment) {
            return;
        }
        self.with_layer(segment.mark, env, |conn, limits, budget, out| {
            conn.segment(dir, segment, keep, limits, budget, out);
        });
    }

    /// Lets the reassembly speak to the layer.
    fn with_layer(
        &mut self,
        mark: Mark,
        env: &mut Env<'_>,
        step: impl FnOnce(&mut Conn, &Limits, &mut Budget, Out<'_>),
    ) {
        let Some(live) = self.live.as_deref_mut() else { return };
        let (captured, waits) = (live.captured(self.seen), live.conn.waits());
        let Live { conn, layer, reads, decided, ends, from_start, route, tls, .. } = live;
        let one_sided = self.seen != (true, true);
        let mut cx = Cx {
            limits: env.limits,
            tools: &mut *env.tools,
            flow: LayerFlow {
                stream: self.number,
                first: &self.first,
                ends,
                one_sided,
                captured,
                waits,
                from_start: *from_start,
            },
            last: mark,
            swapped: false,
            kind: &mut self.kind,
            route,
            tls,
            mark,
            sink: &mut *env.sink,
            open: proto::open,
        };
        let (before, mut nothing) = (*reads, false);
        step(conn, env.limits, env.budget, &mut |input| {
            if nothing {
                return;
            }
            match layer.input(if cx.swapped { input.reversed() } else { input }, &mut cx) {
                Next::Read => *reads = true,
                Next::Skim => *reads = false,
                Next::Nothing => nothing = true,
                Next::Become(inner) => (*layer, *reads, *decided) = (inner, true, true),
            }
        });
        if nothing {
            cx.last = conn.last();
            layer.over(&mut cx);
            conn.release(env.budget);
            self.live = None;
            return;
        }
        if before && !*reads {
            conn.forget(env.budget);
        }
        if cx.swapped {
            live.turn_round();
        }
    }

    fn end(&mut self, how: End, mark: Mark, env: &mut Env<'_>) {
        self.with_layer(mark, env, |conn, limits, budget, out| conn.finish(how, mark, limits, budget, out));
        let Some(mut live) = self.live.take() else { return };
        live.layer.over(&mut Cx {
            limits: env.limits,
            tools: &mut *env.tools,
            flow: LayerFlow {
                stream: self.number,
                first: &self.first,
                ends: &live.ends,
                one_sided: self.seen != (true, true),
                captured: live.captured(self.seen),
                waits: false,
                from_start: live.from_start,
            },
            last: live.conn.last(),
            swapped: false,
            kind: &mut self.kind,
            route: &mut live.route,
            tls: &mut live.tls,
            mark,
            sink: &mut *env.sink,
            open: proto::open,
        });
    }
}

impl Live {
    /// The probe knows better who is the client.
    fn turn_round(&mut self) {
        self.conn.turn_round();
        self.ends = (self.ends.1, self.ends.0);
        self.client_is_low = !self.client_is_low;
    }

    /// Which directions were captured; `seen`: packets of the lower end of the flow's key were, and of the higher.
    const fn captured(&self, (low, high): (bool, bool)) -> Both<bool> {
        if self.client_is_low {
            Both { to_server: low, to_client: high }
        } else {
            Both { to_server: high, to_client: low }
        }
    }

    fn direction(&self, forward: bool) -> Direction {
        if forward == self.client_is_low { Direction::ToServer } else { Direction::ToClient }
    }
}

mod waiting;

#[cfg(test)]
mod tests;
