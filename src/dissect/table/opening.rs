//! Where a stream begins: the first segments of one whose handshake was not seen are kept in case that its beginning comes late.

use super::key::{Ends, Side};
use super::live::Env;
use super::stream::Stream;
use crate::model::{Direction, Event, Flags, Limits, Mark, Segment, Sink, Stamp};
use crate::proto::layer::Kind;
use crate::tcp::{Budget, Recalled, Seq};
use std::ops::ControlFlow;

/// Copies of segments in the order of their capture.
#[derive(Debug, Default)]
pub(super) struct Opening {
    held: Vec<Held>,
    bytes: usize,
    /// Where each end's answers begin, as the first that the other says tells.
    answers: Ends<Option<Seq>>,
}

#[derive(Debug)]
struct Held {
    /// The end that sent it.
    side: Side,
    seq: Seq,
    payload: Vec<u8>,
    cut: u32,
    fin: bool,
    mark: Mark,
}

impl Opening {
    /// Keeps a copy of what is said in it, and where the `answer` to it begins; false when that is too much.
    pub(super) fn hold(
        &mut self,
        side: Side,
        segment: &Segment<'_>,
        answer: Option<Seq>,
        limits: &Limits,
        budget: &mut Budget,
    ) -> bool {
        let &Segment { mark, seq, flags, payload, cut, .. } = segment;
        let fin = flags.has(Flags::FIN);
        let known = &mut self.answers[side.other()];
        // Requests may be captured out of order.
        *known = known.filter(|known| answer.is_none_or(|answer| known.since(answer) <= 0)).or(answer);
        if flags.has(Flags::SYN) || payload.is_empty() && cut == 0 && !fin {
            return true;
        }
        self.held.push(Held { side, seq: Seq(seq), payload: payload.to_vec(), cut, fin, mark });
        let cost = payload.len() + size_of::<Held>();
        self.bytes += cost;
        budget.opening += cost;
        self.held.len() <= limits.opening_segments
            && self.bytes <= limits.opening_bytes
            && budget.opening <= limits.opening_total
    }

    /// Where the answers of each end begin.
    pub(super) const fn answers(&self) -> Ends<Option<Seq>> {
        self.answers
    }

    /// Whether something was kept of what that end sent.
    pub(super) fn has(&self, side: Side) -> bool {
        self.held.iter().any(|held| held.side == side)
    }

    /// What was kept; each end sends in that direction.
    pub(super) fn recalled<'h>(&'h self, dirs: &Ends<Direction>) -> Vec<Recalled<'h>> {
        let recalled = |held: &'h Held| Recalled {
            dir: dirs[held.side],
            seq: held.seq,
            payload: &held.payload,
            cut: held.cut,
            fin: held.fin,
            brought: held.mark,
        };
        self.held.iter().map(recalled).collect()
    }

    /// Gives its memory back to the totals.
    pub(super) const fn release(&self, budget: &mut Budget) {
        budget.opening = budget.opening.saturating_sub(self.bytes);
    }
}

/// Hears nothing.
struct Deaf;

impl Sink for Deaf {
    fn accept(&mut self, _: &Stamp, _: Event<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl Stream {
    /// Begins to read a stream: with its first payload, or again with a request, after nothing was to be found in it. True when it did.
    /// `forced`: it is said to carry a WebSocket.
    pub(super) fn wake(&mut self, segment: &Segment<'_>, side: Side, forced: bool) -> bool {
        let first = self.kind == Kind::Silent;
        let begins =
            if first { !segment.payload.is_empty() || segment.cut > 0 } else { segment.payload.starts_with(b"GET ") };
        if !begins {
            return false;
        }
        let mut bases = Ends::from_fn(|side| self.bases[side].filter(|_| self.fresh && self.syn[side]));
        let other = &mut bases[side.other()];
        if self.fresh
            && let Some(answer) = self.answer(segment, side)
        {
            other.get_or_insert(Seq(answer.0.wrapping_sub(1)));
        }
        // Of the other end, what was said before may not have been captured.
        let from_start = self.fresh && self.syn[side] && (other.is_some() || self.is_greeting(segment, side));
        let may_begin_earlier = self.fresh && !self.syn.all();
        let live = self.begin(bases, from_start, (segment.src, segment.dst), side, forced);
        live.opening = may_begin_earlier.then(Box::default);
        live.unasked = may_begin_earlier;
        self.fresh = false;
        true
    }

    /// Whether the segment brings the first that the sender says, whose SYN was seen.
    fn is_greeting(&self, segment: &Segment<'_>, side: Side) -> bool {
        let syn = u32::from(!segment.flags.has(Flags::SYN));
        self.syn[side] && self.bases[side] == Some(Seq(segment.seq.wrapping_sub(syn)))
    }

    /// Where the answer to the segment begins, if it tells: a request acknowledges what came before, and so does the first that is said
    /// by the end that began the stream.
    fn answer(&self, segment: &Segment<'_>, side: Side) -> Option<Seq> {
        let carries = !segment.payload.is_empty() || segment.cut > 0;
        let begins = || carries && !self.syn[side.other()] && self.is_greeting(segment, side);
        (is_request(segment) || segment.flags.has(Flags::ACK) && begins()).then_some(Seq(segment.ack))
    }

    /// Whether the stream may turn out to have begun earlier, or later.
    #[inline]
    pub(super) fn is_opening(&self) -> bool {
        self.live.as_ref().is_some_and(|live| live.unasked || live.opening.is_some())
    }

    /// Keeps a copy of the segment.
    pub(super) fn keep(&mut self, segment: &Segment<'_>, side: Side, env: &mut Env<'_>) {
        let answer = self.answer(segment, side);
        if let Some(live) = &mut self.live
            && let Some(opening) = &mut live.opening
            && (live.told || !opening.hold(side, segment, answer, env.limits, env.budget))
            && let Some(opening) = live.opening.take()
        {
            opening.release(env.budget);
        }
    }

    /// Where the first bytes of each end stand, as far as that is known, if the segment shows that it is not
    /// where they were taken to be, and nothing was told yet.
    pub(super) fn begins_elsewhere(&mut self, segment: &Segment<'_>, side: Side) -> Option<Ends<Option<Seq>>> {
        if self.begins_later(segment, side) {
            self.first = segment.mark;
            return Some(Ends::of(side, Some(Seq(segment.seq)), Some(Seq(segment.ack))));
        }
        let live = self.live.as_ref().filter(|_| self.begins_earlier(segment, side))?;
        let answers = live.opening.as_ref()?.answers();
        let first = |side| self.bases[side].filter(|_| self.syn[side]).map(|base| base.plus(1));
        Some(Ends::from_fn(|side| first(side).or(answers[side])))
    }

    /// Whether it is the first request of a stream that began before the capture, and acknowledges what its server said: that
    /// answered requests that were not captured, and what the client said before was one of them.
    fn begins_later(&mut self, segment: &Segment<'_>, side: Side) -> bool {
        let (is_http, has_syn) = (self.kind == Kind::Http, self.syn[side]);
        let Some(live) = self.live.as_mut().filter(|live| live.unasked) else { return false };
        live.unasked = !live.told && !is_request(segment);
        // Words for a proxy, and TLS, belong to what is to come.
        let is_bare = is_http && live.route.is_none() && live.tls.is_none();
        let other = live.direction(side).reverse();
        is_bare && !live.told && !has_syn && is_request(segment) && live.conn.begins_before(other, Seq(segment.ack))
    }

    /// Whether the segment shows that the stream began before what was taken for its beginning, and nothing was told yet.
    fn begins_earlier(&self, segment: &Segment<'_>, side: Side) -> bool {
        let Some(live) = self.live.as_ref().filter(|live| live.opening.is_some()) else { return false };
        let dir = live.direction(side);
        let (syn, seq) = (segment.flags.has(Flags::SYN), Seq(segment.seq));
        if syn {
            return live.conn.begins_behind(dir, seq.plus(1));
        }
        let is_new = |answer| {
            live.conn.begins_behind(dir.reverse(), answer) || self.syn[side] && !live.conn.has_begun(dir.reverse())
        };
        if self.answer(segment, side).is_some_and(is_new) {
            return true;
        }
        // One byte before the first is a keep-alive.
        let keep_alive = segment.payload.len() == 1 && !live.conn.begins_behind(dir, seq.plus(1));
        !self.syn[side] && !segment.payload.is_empty() && !keep_alive && live.conn.begins_behind(dir, seq)
    }

    /// Reads the stream anew from what was kept of it; `firsts`: where its ends begin, as far as that is known.
    pub(super) fn begin_anew(&mut self, firsts: Ends<Option<Seq>>, mark: Mark, forced: bool, env: &mut Env<'_>) {
        let Some(mut live) = self.live.take() else { return };
        // Where there was too much to keep, it begins here.
        let (is_kept, opening) = (live.opening.is_some(), live.opening.take().unwrap_or_default());
        // The layer has told nothing, and what it would say at an end is not heard.
        let conns = env.tools.conns;
        let (client, ends, leaving) = (live.client, live.ends, live.leaving);
        self.live = Some(live);
        self.over(mark, false, &mut Env { sink: &mut Deaf, tools: &mut *env.tools, budget: &mut *env.budget, ..*env });
        env.tools.conns = conns;
        self.kind = Kind::default();
        let bases = Ends::from_fn(|side| firsts[side].map(|first| Seq(first.0.wrapping_sub(1))));
        let from_start = is_kept && Side::BOTH.iter().all(|&side| self.syn[side] || !opening.has(side));
        let live = self.begin(bases, from_start, ends, client, forced);
        live.leaving = leaving;
        let dirs = Ends::from_fn(|side| live.direction(side));
        self.with_layer((mark, mark), None, env, |conn, limits, budget, out| {
            conn.recall(&opening.recalled(&dirs), mark, true, limits, budget, out);
        });
        match &mut self.live {
            Some(live) if !live.told => live.opening = Some(opening),
            _ => opening.release(env.budget),
        }
    }
}

/// Whether the segment begins with a request as the first of a WebSocket is.
pub(super) fn is_request(segment: &Segment<'_>) -> bool {
    segment.flags.has(Flags::ACK) && segment.payload.starts_with(b"GET ")
}
