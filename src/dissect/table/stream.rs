//! One stream: reassembly and layers, once it has payload.

use super::key::FlowKey;
use super::opening::Opening;
use crate::model::{Both, Direction, End, Endpoint, Flags, Limits, Mark, Route, Segment, Sink, TlsOutline, Unseen};
use crate::proto;
use crate::proto::layer::{Cx, Flow as LayerFlow, Hint, Kind, Layer, Next, Tools};
use crate::tcp::{Budget, Conn, LONGEST, NEAR, Out, Seq, Start, WIDEST, has_right_checksum, option};

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

/// A stream that is read.
pub(super) struct Live {
    pub(super) conn: Conn,
    pub(super) layer: Box<dyn Layer>,
    /// Whether the layer reads the bytes, or passes over them.
    pub(super) reads: bool,
    /// Who is taken for the client, and for the server.
    pub(super) ends: (Endpoint, Endpoint),
    /// The client is the lower end of the flow's key.
    pub(super) client_is_low: bool,
    /// Its first byte is known to be the first that was sent.
    pub(super) from_start: bool,
    /// It is said to carry a WebSocket.
    forced: bool,
    /// It told what it carries.
    pub(super) decided: bool,
    pub(super) leaving: bool,
    /// A connection was recognised in it.
    pub(super) told: bool,
    /// What it began with, until that is told or known to be its beginning.
    pub(super) opening: Option<Box<Opening>>,
    /// Its handshake was not seen, and no request so far: what was said may be the rest of earlier exchanges.
    pub(super) unasked: bool,
    /// How many protocols were found inside another.
    nested: usize,
    /// The proxies that it is led through.
    pub(super) route: Option<Box<Route>>,
    /// The TLS session that runs in it.
    pub(super) tls: Option<Box<TlsOutline>>,
}

/// log₂ of a window without scaling, in bytes.
const UNSCALED: u8 = 16;

/// Packets behind the first of a stream within which its SYN may be captured late.
const LATE: u64 = 500;

/// So many bytes away from those of a stream that has just begun in the middle are another's, if what it acknowledges is, too; and
/// from those of one that is known.
const FAR: i64 = 1 << 14;
const BEYOND: i64 = 1 << 26;

/// What a call needs beside the table.
pub(super) struct Env<'a> {
    pub(super) limits: &'a Limits,
    pub(super) tools: &'a mut Tools,
    pub(super) sink: &'a mut dyn Sink,
    pub(super) budget: &'a mut Budget,
}

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

    /// Lays out reassembly and layers. Until a request is seen, who sent the SYN (or the first payload) is taken for the client: `forward` when that is the lower end.
    pub(super) fn begin(
        &mut self,
        [low, high]: [Option<Seq>; 2],
        from_start: bool,
        ends: (Endpoint, Endpoint),
        forward: bool,
        forced: bool,
    ) -> &mut Live {
        let (own, other) = if forward { (low, high) } else { (high, low) };
        // Until the probe knows better.
        if self.kind == Kind::Silent {
            self.kind = Kind::Other;
        }
        let start = |base: Option<Seq>| base.map(|base| base.plus(1));
        let mut conn = Conn::new(Start { to_server: start(own), to_client: start(other) }, self.first);
        let [low, high] = self.takes;
        if low > 0 && high > 0 {
            let (client, server) = if forward { (low, high) } else { (high, low) };
            conn.greet(Both { to_server: server, to_client: client });
        }
        let live = self.live.insert(Box::new(Live {
            conn,
            layer: proto::open(Hint::Unknown),
            reads: true,
            ends,
            client_is_low: forward,
            from_start,
            forced,
            decided: false,
            leaving: false,
            told: false,
            opening: None,
            unasked: false,
            nested: 0,
            route: None,
            tls: None,
        }));
        live.limit_windows(self.windows);
        live
    }

    /// Takes a segment; what it tells is known with the packet `now`.
    #[inline(always)]
    pub(super) fn segment(&mut self, segment: &Segment<'_>, forward: bool, now: Mark, env: &mut Env<'_>) {
        let Some(live) = &mut self.live else { return };
        let (dir, keep) = (live.direction(forward), live.reads);
        if live.conn.is_mere_acknowledgement(dir, segment) {
            return;
        }
        let heard = live.conn.heard(dir, segment);
        self.with_layer((now, segment.mark), heard, env, |conn, limits, budget, out| {
            conn.segment(dir, segment, keep, limits, budget, out);
        });
    }

    /// The stream's reassembly, its layer, and what that may use.
    #[inline(always)]
    pub(super) fn parts<'s>(&'s mut self, mark: Mark, env: &'s mut Env<'_>) -> Option<Parts<'s>> {
        let live = self.live.as_deref_mut()?;
        let (unseen, waits) = (live.unseen(self.seen), live.conn.waits());
        let Live { conn, layer, reads, decided, told, opening, ends, from_start, forced, nested, route, tls, .. } =
            live;
        let cx = Cx {
            limits: env.limits,
            tools: &mut *env.tools,
            flow: LayerFlow {
                stream: self.number,
                h2_stream: None,
                known: None,
                began: self.began,
                encap: self.key.encap(),
                first: &self.first,
                ends,
                one_sided: self.seen != (true, true),
                unseen,
                waits,
                from_start: *from_start,
                heard: None,
                forced: *forced,
            },
            last: mark,
            swapped: false,
            kind: &mut self.kind,
            nested,
            route,
            tls,
            mark,
            sink: &mut *env.sink,
            open: proto::open,
        };
        Some(Parts { conn, layer, reads, decided, told, opening, budget: &mut *env.budget, cx })
    }

    /// Lets the reassembly speak to the layer, with a packet of any stream; `last` is the last of this one, and `heard` how far its
    /// sender has acknowledged the other direction.
    #[inline(always)]
    pub(super) fn with_layer(
        &mut self,
        (mark, last): (Mark, Mark),
        heard: Option<u64>,
        env: &mut Env<'_>,
        step: impl FnOnce(&mut Conn, &Limits, &mut Budget, Out<'_>),
    ) {
        let Some(Parts { conn, layer, reads, decided, told, budget, mut cx, .. }) = self.parts(mark, env) else {
            return;
        };
        (cx.last, cx.flow.heard) = (last, heard);
        let (conns, mut nothing) = (cx.tools.conns, false);
        step(conn, cx.limits, budget, &mut |input| {
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
        *told |= cx.tools.conns != conns;
        let swapped = cx.swapped;
        if nothing {
            self.over(mark, swapped, env);
        } else if swapped && let Some(live) = &mut self.live {
            live.turn_round();
        }
    }

    pub(super) fn end(&mut self, how: End, mark: Mark, env: &mut Env<'_>) {
        let last = self.last(mark);
        self.with_layer((mark, last), None, env, |conn, limits, budget, out| {
            conn.finish(how, mark, limits, budget, out)
        });
        self.over(mark, false, env);
    }

    /// Gives up a hole, so that others have room.
    pub(super) fn make_room(&mut self, mark: Mark, env: &mut Env<'_>) {
        let last = self.last(mark);
        self.with_layer((mark, last), None, env, |conn, limits, budget, out| conn.make_room(mark, limits, budget, out));
    }

    fn last(&self, mark: Mark) -> Mark {
        self.live.as_ref().map_or(mark, |live| live.conn.last())
    }

    /// Lets the layer go, and gives back what was kept for it.
    pub(super) fn over(&mut self, mark: Mark, swapped: bool, env: &mut Env<'_>) {
        let Some(Parts { conn, layer, opening, budget, mut cx, .. }) = self.parts(mark, env) else { return };
        conn.release(budget);
        if let Some(opening) = opening {
            opening.release(budget);
        }
        (cx.last, cx.swapped, cx.flow.waits) = (conn.last(), swapped, false);
        layer.over(&mut cx);
        self.live = None;
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

/// What of a stream takes part when its layer is spoken to.
pub(super) struct Parts<'s> {
    pub(super) conn: &'s mut Conn,
    pub(super) layer: &'s mut Box<dyn Layer>,
    reads: &'s mut bool,
    decided: &'s mut bool,
    told: &'s mut bool,
    opening: &'s mut Option<Box<Opening>>,
    budget: &'s mut Budget,
    pub(super) cx: Cx<'s>,
}

impl Live {
    /// How wide a window the lower and the higher end can offer: each is the receiver of what the other sends.
    pub(super) fn limit_windows(&mut self, [low, high]: [u8; 2]) {
        let (client, server) = if self.client_is_low { (low, high) } else { (high, low) };
        self.conn.limit_windows(Both { to_server: server, to_client: client });
    }

    /// The probe knows better who is the client.
    pub(super) fn turn_round(&mut self) {
        self.conn.turn_round();
        self.ends = (self.ends.1, self.ends.0);
        self.client_is_low = !self.client_is_low;
    }

    /// Which directions were not captured; `seen`: packets of the lower end of the flow's key were, and of the higher.
    pub(super) const fn unseen(&self, (low, high): (bool, bool)) -> Both<Option<Unseen>> {
        const NOT: Option<Unseen> = Some(Unseen::NotCaptured);
        let (low, high) = (if low { None } else { NOT }, if high { None } else { NOT });
        if self.client_is_low {
            Both { to_server: low, to_client: high }
        } else {
            Both { to_server: high, to_client: low }
        }
    }

    pub(super) fn direction(&self, forward: bool) -> Direction {
        if forward == self.client_is_low { Direction::ToServer } else { Direction::ToClient }
    }
}
