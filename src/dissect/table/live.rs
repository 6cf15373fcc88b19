//! What is live of a stream: its reassembly and its layer, from its first payload on.

use super::key::{Ends, Side};
use super::opening::Opening;
use super::stream::Stream;
use crate::model::{Both, Direction, End, Endpoint, Limits, Mark, Route, Segment, Sink, TlsOutline, Unseen};
use crate::proto;
use crate::proto::layer::{Cx, Flow as LayerFlow, Hint, Kind, Layer, Next, Tools};
use crate::tcp::{Budget, Conn, Out, Seq, Start};

/// A stream that is read.
pub(super) struct Live {
    pub(super) conn: Conn,
    pub(super) layer: Box<dyn Layer>,
    /// Whether the layer reads the bytes, or passes over them.
    pub(super) reads: bool,
    /// Who is taken for the client, and for the server.
    pub(super) ends: (Endpoint, Endpoint),
    /// Which end of the flow's key the client is.
    pub(super) client: Side,
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

/// What a call needs beside the table.
pub(super) struct Env<'a> {
    pub(super) limits: &'a Limits,
    pub(super) tools: &'a mut Tools,
    pub(super) sink: &'a mut dyn Sink,
    pub(super) budget: &'a mut Budget,
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

impl Stream {
    /// Lays out reassembly and layers. Until a request is seen, who sent the SYN (or the first payload) is taken for the client: that
    /// `side`. `forced`: it is said to carry a WebSocket.
    pub(super) fn begin(
        &mut self,
        bases: Ends<Option<Seq>>,
        from_start: bool,
        ends: (Endpoint, Endpoint),
        side: Side,
        forced: bool,
    ) -> &mut Live {
        // Until the probe knows better.
        if self.kind == Kind::Silent {
            self.kind = Kind::Other;
        }
        let start = |side: Side| bases[side].map(|base| base.plus(1));
        let mut conn = Conn::new(Start { to_server: start(side), to_client: start(side.other()) }, self.first);
        let takes = self.takes;
        if takes.low > 0 && takes.high > 0 {
            conn.greet(Both { to_server: takes[side.other()], to_client: takes[side] });
        }
        let live = self.live.insert(Box::new(Live {
            conn,
            layer: proto::open(Hint::Unknown),
            reads: true,
            ends,
            client: side,
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
    pub(super) fn segment(&mut self, segment: &Segment<'_>, side: Side, now: Mark, env: &mut Env<'_>) {
        let Some(live) = &mut self.live else { return };
        let (dir, keep) = (live.direction(side), live.reads);
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
                one_sided: !self.seen.all(),
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

    /// Ends the stream, in this way and by that packet; it is known with the packet `mark`.
    pub(super) fn end(&mut self, ended: (End, Mark), mark: Mark, env: &mut Env<'_>) {
        let last = self.last(mark);
        self.with_layer((mark, last), None, env, |conn, limits, budget, out| {
            conn.finish(ended, mark, limits, budget, out)
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

impl Live {
    /// How wide a window each end can offer: each is the receiver of what the other sends.
    pub(super) fn limit_windows(&mut self, windows: Ends<u8>) {
        let (client, server) = (windows[self.client], windows[self.client.other()]);
        self.conn.limit_windows(Both { to_server: server, to_client: client });
    }

    /// The probe knows better who is the client.
    pub(super) fn turn_round(&mut self) {
        self.conn.turn_round();
        self.ends = (self.ends.1, self.ends.0);
        self.client = self.client.other();
    }

    /// Which directions were not captured; `seen`: packets of which end were.
    pub(super) fn unseen(&self, seen: Ends<bool>) -> Both<Option<Unseen>> {
        let of = |side| (!seen[side]).then_some(Unseen::NotCaptured);
        Both { to_server: of(self.client), to_client: of(self.client.other()) }
    }

    pub(super) fn direction(&self, side: Side) -> Direction {
        if side == self.client { Direction::ToServer } else { Direction::ToClient }
    }
}
