//! Both directions of a TCP stream.

use super::half::Budget;
use super::half::{Feed, Half, Out};
use super::seq::Seq;
use crate::model::{Both, Direction, End, Flags, Input, Limits, Mark, Segment};

/// What the packets before the first payload told: the sequence number of each direction's first byte.
pub type Start = Both<Option<Seq>>;

/// One TCP stream under reassembly. Directions are the caller's guess; a layer above may turn them round.
#[derive(Debug)]
pub struct Conn {
    halves: Both<Option<Half>>,
    start: Start,
    /// Both ends said goodbye, or one reset: nothing more is expected.
    over: bool,
    last: Mark,
}

impl Conn {
    /// A stream of which no payload was seen yet.
    pub const fn new(start: Start, first: Mark) -> Self {
        Self { halves: Both { to_server: None, to_client: None }, start, over: false, last: first }
    }

    /// Whether nothing more is expected: FIN both ways, or RST.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Whether either end said goodbye.
    pub fn said_goodbye(&self) -> bool {
        self.over || Direction::BOTH.iter().any(|&dir| self.halves[dir].as_ref().is_some_and(Half::has_ended))
    }

    /// Its last packet.
    pub const fn last(&self) -> Mark {
        self.last
    }

    /// What was taken for one direction is the other.
    pub fn turn_round(&mut self) {
        let Both { to_server, to_client } = &mut self.halves;
        std::mem::swap(to_server, to_client);
        let Both { to_server, to_client } = &mut self.start;
        std::mem::swap(to_server, to_client);
    }

    /// Bytes queued behind holes.
    pub fn queued(&self) -> usize {
        Direction::BOTH.iter().filter_map(|&dir| self.halves[dir].as_ref()).map(Half::queued).sum()
    }

    /// Whether data is queued behind a hole.
    #[inline]
    pub fn waits(&self) -> bool {
        let waits = |half: &Option<Half>| half.as_ref().is_some_and(Half::waits);
        waits(&self.halves.to_server) || waits(&self.halves.to_client)
    }

    /// Whether a segment in that direction with that sequence number could belong to this stream.
    pub fn fits(&self, dir: Direction, seq: Seq) -> bool {
        self.halves[dir].as_ref().is_none_or(|half| half.fits(seq))
    }

    /// Takes a segment that only acknowledges what was delivered: it tells nothing. False, and untouched, for any other.
    pub fn is_mere_acknowledgement(&mut self, dir: Direction, segment: &Segment<'_>) -> bool {
        let mere = segment.payload.is_empty()
            && segment.cut == 0
            && segment.flags.0 & !Flags::PSH.0 == Flags::ACK.0
            && self.is_quiet()
            && self.halves[dir.reverse()].as_ref().is_some_and(|half| half.has_delivered(Seq(segment.ack)));
        if mere {
            self.last = segment.mark;
        }
        mere
    }

    /// Takes one segment; what it lets be known goes to `out`, in order. With `keep`, delivered bytes are remembered so that retransmissions can be compared.
    pub fn segment(
        &mut self,
        dir: Direction,
        segment: &Segment<'_>,
        keep: bool,
        limits: &Limits,
        budget: &mut Budget,
        out: Out<'_>,
    ) {
        let mark = segment.mark;
        self.last = mark;
        let odd = Flags::SYN.with(Flags::FIN).with(Flags::RST);
        if segment.flags.has(Flags::ACK)
            && let Some(other) = &mut self.halves[dir.reverse()]
        {
            let mut feed = Feed { dir: dir.reverse(), limits, budget, out };
            other.acknowledged(Seq(segment.ack), mark, keep, &mut feed);
        }
        let mut feed = Feed { dir, limits, budget, out };
        if segment.flags.0 & odd.0 == 0
            && segment.cut == 0
            && let Some(half) = &mut self.halves[dir]
            && half.is_next(Seq(segment.seq))
        {
            if !segment.payload.is_empty() {
                half.deliver(segment.payload, mark, mark, keep, &mut feed);
            }
        } else {
            self.unusual(dir, segment, keep, &mut feed);
        }
        if !self.is_quiet() {
            self.settle(mark, keep, limits, budget, out);
        }
    }

    /// Any segment but the usual one: flags, first of its direction, out of order, cut.
    fn unusual(&mut self, dir: Direction, segment: &Segment<'_>, keep: bool, feed: &mut Feed<'_>) {
        let mark = segment.mark;
        let syn = segment.flags.has(Flags::SYN);
        let seq = if syn { Seq(segment.seq).plus(1) } else { Seq(segment.seq) };
        let speaks = syn || !segment.payload.is_empty() || segment.cut > 0 || segment.flags.has(Flags::FIN);
        if self.halves[dir].is_none() && speaks {
            self.halves[dir] = Some(Half::new(self.first_byte(dir, seq)));
        }
        let Some(half) = &mut self.halves[dir] else {
            if segment.flags.has(Flags::RST) {
                self.reset(dir, mark, feed.limits, feed.budget, feed.out);
            }
            return;
        };
        if syn && !segment.payload.is_empty() {
            half.hold_syn_data(segment.payload, mark);
        } else if !segment.payload.is_empty() || segment.cut > 0 {
            half.data(seq, segment.payload, segment.cut, mark, keep, feed);
        }
        if segment.flags.has(Flags::FIN) {
            let len = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX).wrapping_add(segment.cut);
            half.fin(seq.plus(len), mark, feed);
        }
        if segment.flags.has(Flags::RST) && half.rst(seq, mark) {
            self.reset(dir, mark, feed.limits, feed.budget, feed.out);
        }
    }

    /// The handshake tells where a direction begins, unless its first data stand elsewhere; one byte before it is a keep-alive.
    fn first_byte(&self, dir: Direction, seq: Seq) -> Seq {
        const NEAR: i64 = 1 << 20;
        self.start[dir].filter(|start| (-1..NEAR).contains(&seq.since(*start))).unwrap_or(seq)
    }

    fn reset(&mut self, dir: Direction, mark: Mark, limits: &Limits, budget: &mut Budget, out: Out<'_>) {
        self.over = true;
        for dir in [dir, dir.reverse()] {
            match &mut self.halves[dir] {
                Some(half) => half.end(End::Rst, mark, &mut Feed { dir, limits, budget, out }),
                None => out(Input::End { dir, how: End::Rst, mark }),
            }
        }
    }

    /// Neither direction waits for anything: there is nothing to settle.
    fn is_quiet(&self) -> bool {
        self.halves.to_server.as_ref().is_none_or(Half::is_quiet)
            && self.halves.to_client.as_ref().is_none_or(Half::is_quiet)
    }

    fn settle(&mut self, mark: Mark, keep: bool, limits: &Limits, budget: &mut Budget, out: Out<'_>) {
        let mut ended = true;
        for dir in Direction::BOTH {
            let one_sided = self.halves[dir.reverse()].is_none();
            if let Some(half) = &mut self.halves[dir] {
                half.settle(mark, one_sided, keep, &mut Feed { dir, limits, budget: &mut *budget, out: &mut *out });
                ended &= half.has_ended();
            } else {
                ended = false;
            }
        }
        self.over |= ended;
    }

    /// Gives up the hole with the most data behind it, because all streams together have queued too much.
    pub fn make_room(&mut self, mark: Mark, limits: &Limits, budget: &mut Budget, out: Out<'_>) {
        let dir = Direction::BOTH
            .into_iter()
            .max_by_key(|&dir| self.halves[dir].as_ref().map_or(0, Half::queued))
            .unwrap_or(Direction::ToServer);
        if let Some(half) = &mut self.halves[dir] {
            half.give_up_for_room(mark, false, &mut Feed { dir, limits, budget, out });
        }
    }

    /// Delivers all that is there and ends both directions.
    pub fn finish(&mut self, how: End, mark: Mark, limits: &Limits, budget: &mut Budget, out: Out<'_>) {
        for dir in Direction::BOTH {
            if let Some(half) = &mut self.halves[dir] {
                half.finish(how, mark, false, &mut Feed { dir, limits, budget: &mut *budget, out: &mut *out });
            }
        }
        self.over = true;
        self.release(budget);
    }

    /// Gives its memory back to the totals.
    pub fn release(&mut self, budget: &mut Budget) {
        for dir in Direction::BOTH {
            if let Some(half) = &mut self.halves[dir] {
                half.release(budget);
            }
        }
    }

    /// Forgets delivered bytes.
    pub fn forget(&mut self, budget: &mut Budget) {
        for dir in Direction::BOTH {
            if let Some(half) = &mut self.halves[dir] {
                half.forget(budget);
            }
        }
    }
}
