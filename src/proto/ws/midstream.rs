//! Connections without a handshake: captures that begin in the middle of one.

use super::draft::Layout;
use super::habits::Habits;
use super::heartbeats::{Beating, Heartbeats};
use super::http2::stands_in_data;
use super::layer::Ws;
use super::seek::{FORCED_BAR, Found, KNOWN_BAR, Known, MIDSTREAM_BAR, RESYNC_BAR, Seek};
use crate::model::{Both, Direction, Ends, Event, Handshake, Input, Note, NoteCode, Version, count};
use crate::proto::layer::{Cx, Hint, Layer, Next, feed};

/// Looks for frames in both directions, and makes way for the WebSocket layer when it finds some: whose frames are masked is the client (RFC 6455 §5.1).
pub struct Midstream {
    seeks: Both<Seek>,
    /// What a search cannot tell from another protocol's regular signs of life.
    heartbeats: Heartbeats,
    /// Bytes looked through.
    read: u64,
    /// Nothing came before the first bytes, which therefore begin a frame if the user says that it is a WebSocket.
    from_start: bool,
    ends: Ends,
}

/// Bytes that may come from one end before it is settled who is the client without hearing the other.
const WAIT: u64 = 64 << 10;

impl Midstream {
    /// The layer for a stream that may be a WebSocket; `from_start`: its first bytes were captured. Where the user says that it is one,
    /// less evidence will do, and it is looked for as long as it takes.
    pub fn new(from_start: bool) -> Self {
        let known = Known {
            layout: Layout::Rfc6455,
            masked: None,
            compressed: true,
            bar: MIDSTREAM_BAR,
            lost_from: None,
            forced: false,
            sealed: false,
            aligned: false,
            tunnel: false,
            habits: Habits::default(),
        };
        let seeks = Both::from_fn(|_| Seek::new(known, 0));
        Self { seeks, heartbeats: Heartbeats::default(), read: 0, from_start, ends: Ends::default() }
    }

    fn release(&mut self, cx: &mut Cx<'_>) {
        for dir in Direction::BOTH {
            self.seeks[dir].release(cx.tools);
        }
    }

    /// It is HTTP/2: reads what is held of both directions so, who is the client will show.
    fn http2(&mut self, cx: &mut Cx<'_>) -> Next {
        let (mark, turned) = (cx.mark, cx.swapped);
        let held = Direction::BOTH.into_iter().flat_map(|dir| {
            let seek = &self.seeks[dir];
            seek.inputs(dir, seek.from(), mark)
        });
        let ends = self.ends.in_order().map(|(dir, how, mark)| Input::End { dir, how, mark });
        let next = feed(cx.open(Hint::Http2Late), turned, held.chain(ends), cx);
        self.release(cx);
        next
    }

    /// Frames were found in a direction: opens the connection, and reads what is held of both.
    fn recognised(&mut self, dir: Direction, found: Found, cx: &mut Cx<'_>) -> Next {
        let seek = &self.seeks[dir];
        if !cx.flow.forced && cx.flow.h2_stream.is_none() && stands_in_data(seek.before(found.at), found.at, seek.end())
        {
            return self.http2(cx);
        }
        let swapped = found.masked == (dir == Direction::ToClient);
        let sender = if swapped { dir.reverse() } else { dir }.sender();
        let missing = missing(cx);
        let (frames, bits) = (count(found.frames as u64, "frame"), found.bits);
        let text = format!("{missing}; {frames} from the {sender} would be so by chance one time in 2^{bits}");
        let bar = if cx.flow.forced { FORCED_BAR } else { RESYNC_BAR };
        self.open(swapped, &text, cx, |ws, from, to, seek| {
            if from == dir {
                ws.miss(to, None);
                found.at
            } else {
                ws.look_from(to, seek.from(), bar);
                seek.from()
            }
        })
    }

    /// Nothing but heartbeats came, which say who is who: opens the connection, and reads them all.
    fn beating(&mut self, beating: Beating, cx: &mut Cx<'_>) -> Next {
        let Beating { masker, answered, bits } = beating;
        let missing = missing(cx);
        let pings = count(u64::from(answered), "ping");
        let text = format!("{missing}; {pings} would be answered with what it says by chance one time in 2^{bits}");
        self.open(masker == Direction::ToClient, &text, cx, |ws, _, to, seek| {
            ws.miss(to, None);
            seek.from()
        })
    }

    /// The user is taken at his word: frames begin with the first byte of each direction, where that can be.
    fn insisted(&mut self, swapped: bool, cx: &mut Cx<'_>) -> Next {
        let text = format!("{}; the user says that it is a WebSocket", missing(cx));
        self.open(swapped, &text, cx, |ws, _, to, seek| {
            let from = seek.from();
            if seek.first().is_some_and(|(_, is_plausible)| !is_plausible) {
                ws.look_from(to, from, FORCED_BAR);
            }
            from
        })
    }

    /// Opens the connection, and reads what is held of both directions; `begin` says from where on, and prepares the layer for that.
    fn open(
        &mut self,
        swapped: bool,
        text: &str,
        cx: &mut Cx<'_>,
        begin: impl Fn(&mut Ws, Direction, Direction, &Seek) -> u64,
    ) -> Next {
        cx.swapped ^= swapped;
        let turn = |dir: Direction| if swapped { dir.reverse() } else { dir };
        let none = Handshake::default();
        let known = cx.flow.known.unwrap_or(&none);
        let conn = cx.opened(known.url.clone(), None, Version::default(), *cx.flow.first);
        cx.emit(conn, Event::Handshake(known));
        cx.note(conn, &Note { text, ..Note::new(NoteCode::Midstream, cx.mark) });
        let (mut ws, mark, mut held) = (Ws::unshaken(conn), cx.mark, Vec::new());
        for from in Direction::BOTH {
            let (dir, seek) = (turn(from), &self.seeks[from]);
            let begin = begin(&mut ws, from, dir, seek);
            held.extend(seek.inputs(dir, begin, mark));
        }
        let ends = self.ends.in_order().map(|(dir, how, mark)| Input::End { dir: turn(dir), how, mark });
        let turned = cx.swapped;
        let next = feed(Box::new(ws), turned, held.into_iter().chain(ends), cx);
        self.release(cx);
        next
    }

    /// Goes on with what was found in a direction, unless the other denies it: one side masks its frames, and the other does not.
    fn weigh(&mut self, dir: Direction, found: Option<Found>, cx: &mut Cx<'_>) -> Next {
        let is_forced = cx.flow.forced;
        if is_forced
            && self.from_start
            && let Some(swapped) = self.client_by_mask()
        {
            return self.insisted(swapped, cx);
        }
        match found {
            Some(found) if is_forced && !self.from_start => self.recognised(dir, found, cx),
            Some(found) if !is_forced => {
                // DATA frames of HTTP/2 begin anywhere in what is written.
                if cx.flow.h2_stream.is_some() {
                    return self.recognised(dir, found, cx);
                }
                let (is_denied, looked_at) = self.seeks[dir.reverse()].denies(!found.masked);
                // The first two bytes of each.
                self.read += 2 * looked_at as u64;
                if is_denied { Next::Read } else { self.recognised(dir, found, cx) }
            }
            _ => Next::Read,
        }
    }

    /// Whether the client is the one whom TCP takes for the server, by whose first frame is masked; `None` as long as none is, and a
    /// masked one may come from the other.
    fn client_by_mask(&self) -> Option<bool> {
        let masked = Both::from_fn(|dir| {
            let (head, is_plausible) = self.seeks[dir].first()?;
            Some(head.key.is_some() && is_plausible)
        });
        match (masked.to_server, masked.to_client) {
            (Some(true), _) | (_, Some(false)) => Some(false),
            (_, Some(true)) => Some(true),
            (Some(false), None) if self.read > WAIT => Some(false),
            _ => None,
        }
    }
}

/// What is missing of the handshake, in words.
const fn missing(cx: &Cx<'_>) -> &'static str {
    if cx.flow.known.is_some() { "the handshake is known in part" } else { "no handshake was captured" }
}

impl Layer for Midstream {
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        match input {
            Input::Data { dir, offset, bytes, brought, .. } => {
                self.read += bytes.len() as u64;
                if cx.flow.known.is_some_and(|known| known.request.is_some()) {
                    self.seeks[dir].expect(KNOWN_BAR);
                }
                if cx.flow.forced {
                    self.seeks[dir].insist();
                }
                self.seeks[dir].begin(offset);
                let found = self.seeks[dir].push(bytes, offset, brought, cx.limits.seek_bytes, cx.tools);
                match self.weigh(dir, found, cx) {
                    Next::Read => {}
                    next => return next,
                }
                if !cx.flow.forced
                    && let Some(beating) = self.heartbeats.push(dir, bytes, MIDSTREAM_BAR)
                {
                    return self.beating(beating, cx);
                }
                let enough = self.read > cx.limits.midstream_bytes && !cx.flow.forced;
                if enough || cx.tools.seeking > cx.limits.seek_total {
                    return Next::Nothing;
                }
            }
            Input::Gap { dir, offset, len, exact, .. } => {
                self.seeks[dir].begin(offset);
                let found = self.seeks[dir].lose(offset + len, exact, cx.tools);
                return self.weigh(dir, found, cx);
            }
            Input::End { dir, how, mark } => {
                self.ends.add(dir, how, mark);
            }
            Input::Odd { .. } | Input::Waited { .. } | Input::Resent { .. } => {}
        }
        Next::Read
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        // Only one that is not masked came, from who sent the SYN.
        let begun = Direction::BOTH.iter().any(|&dir| self.seeks[dir].end() > self.seeks[dir].from());
        if cx.flow.forced
            && self.from_start
            && begun
            && let Next::Become(mut ws) = self.insisted(false, cx)
        {
            return ws.over(cx);
        }
        self.release(cx);
    }
}
