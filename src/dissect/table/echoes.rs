//! What becomes of echoes: streams of their own, or copies that bring what was missed.

use super::echo::{Echo, compare, end};
use super::key::{FlowKey, Side};
use super::live::Live;
use super::stream::Stream;
use super::wrapped::{Relation, Settled};
use super::{Run, Table};
use crate::model::{Flags, Mark, Segment};
use crate::tcp::{Compared, Seq};

impl Table {
    /// Takes a segment of an echo, which the stream that it echoes may never hear.
    pub(super) fn hear(
        &mut self,
        key: FlowKey,
        mut echo: Box<Echo>,
        (segment, side): (&Segment<'_>, Side),
        run: &mut Run<'_>,
    ) -> Settled {
        let stream = self.row_of(echo.began).and_then(|at| self.streams.get(at as usize));
        let Some(stream) = stream else {
            self.drop_echo(key, &echo);
            return Settled::Under(key);
        };
        let (number, other) = (stream.number, stream.key);
        let compared = echo.compare(stream, segment, side, run.limits, &self.budget);
        let live = stream.live.as_ref().map(|live| (&live.conn, live.direction(side)));
        let expects = live.is_some_and(|(conn, dir)| conn.expects(dir, Seq(segment.seq)));
        let is_missed = live.is_some_and(|(conn, dir)| conn.waits_in(dir) || conn.has_acknowledged(dir, end(segment)));
        let is_over = live.is_none() && !stream.fresh;
        if compared != Compared::Other && stream.distance(segment, side).is_none() {
            self.wrapped.add_echo(key, echo);
            return Settled::Under(if self.newest(&key).is_some() { key } else { other });
        }
        // Only the numbers of acknowledgements made it an echo: it is the stream itself, on another way.
        if compared == Compared::Unsaid && expects && !echo.is_known() {
            self.merge(key, echo, segment.mark, run);
            return Settled::Under(other);
        }
        echo.hold(segment, side, compared, &mut self.budget);
        let last = echo.len().saturating_sub(1);
        let mut is_full = echo.is_full(run.limits, &self.budget);
        let is_alone = echo.is_alone(segment.mark, is_full);
        if compared == Compared::Other || is_alone && !echo.is_copy() {
            return Settled::Told(self.part(key, echo, last, segment.mark, run));
        }
        if is_alone {
            self.tell_all_missed(&mut echo, segment.mark, run);
        } else if is_missed && compared == Compared::Unsaid {
            self.tell_missed(&mut echo, last, segment.mark, run);
        }
        if is_full {
            echo.trim(&mut self.budget);
            is_full = echo.is_full(run.limits, &self.budget);
        }
        if is_full || is_over {
            self.merge(key, echo, segment.mark, run);
        } else {
            self.wrapped.add_echo(key, echo);
        }
        Settled::Told(number)
    }

    /// Compares echoes with what their stream says in a segment that it has just taken.
    #[inline(never)]
    pub(super) fn review(&mut self, at: u32, segment: &Segment<'_>, side: Side, run: &mut Run<'_>) {
        let began = self.stream(at).began;
        let Some(keys) = self.wrapped.echoed.get(&began) else { return };
        let has_unsaid = |key: &&FlowKey| self.wrapped.echoes.get(*key).is_some_and(|echo| echo.has_unsaid());
        for key in keys.iter().filter(has_unsaid).copied().collect::<Vec<_>>() {
            if let Some(echo) = self.wrapped.take_echo(&key) {
                self.review_one(key, echo, (segment, side), run);
            }
        }
    }

    fn review_one(
        &mut self,
        key: FlowKey,
        mut echo: Box<Echo>,
        (segment, side): (&Segment<'_>, Side),
        run: &mut Run<'_>,
    ) {
        for nth in echo.unsaid() {
            let Some((held, held_side)) = echo.segment(nth) else { continue };
            let stream = self.row_of(echo.began).and_then(|at| self.streams.get(at as usize));
            let Some(stream) = stream else { continue };
            let is_missed = || {
                let dir = |live: &Live| live.direction(held_side);
                let is_behind_hole = stream.live.as_ref().is_some_and(|live| live.conn.waits_in(dir(live)));
                let is_acknowledged = segment.flags.has(Flags::ACK) && Seq(segment.ack).since(end(&held)) >= 0;
                is_behind_hole || side != held_side && is_acknowledged
            };
            // Where nothing is to be found in the stream, its bytes are not kept.
            let is_this = side == held_side && (segment.seq, segment.payload) == (held.seq, held.payload);
            match compare(stream, &held, held_side, run.limits, &self.budget) {
                Compared::Said(_) => echo.confirm(nth),
                Compared::Other if is_this => echo.confirm(nth),
                Compared::Other => {
                    self.part(key, echo, nth, segment.mark, run);
                    return;
                }
                Compared::Unsaid if is_missed() => self.tell_missed(&mut echo, nth, segment.mark, run),
                Compared::Unsaid => {}
            }
        }
        self.wrapped.add_echo(key, echo);
    }

    /// Nothing more comes: all echoes become what they are.
    pub(super) fn conclude_all(&mut self, now: Mark, run: &mut Run<'_>) {
        let mut keys: Vec<_> = self.wrapped.echoes.iter().map(|(key, echo)| (echo.first().packet, *key)).collect();
        keys.sort_unstable_by_key(|&(first, key)| (first, key.encap().0));
        for (_, key) in keys {
            if let Some(echo) = self.wrapped.take_echo(&key) {
                self.conclude(key, echo, now, run);
            }
        }
    }

    /// Nothing more comes of an echo.
    pub(super) fn conclude(&mut self, key: FlowKey, echo: Box<Echo>, now: Mark, run: &mut Run<'_>) {
        if echo.is_alone(now, true) && !echo.is_copy() {
            self.part(key, echo, usize::MAX, now, run);
        } else {
            self.merge(key, echo, now, run);
        }
    }

    /// An echo is its stream: what only it said is told there, and so is what follows.
    fn merge(&mut self, key: FlowKey, mut echo: Box<Echo>, now: Mark, run: &mut Run<'_>) {
        self.tell_all_missed(&mut echo, now, run);
        if let Some(other) = self.row_of(echo.began).map(|at| self.stream(at).key) {
            for side in Side::BOTH {
                self.wrapped.join(key, side, other);
            }
        }
        self.drop_echo(key, &echo);
    }

    /// An echo is none, as a segment of it shows: it is told from its beginning on, or echoes another stream. Returns the number of the
    /// stream that it is of.
    fn part(&mut self, key: FlowKey, mut echo: Box<Echo>, shown_by: usize, now: Mark, run: &mut Run<'_>) -> u32 {
        self.wrapped.end_echo(&key, echo.began);
        if echo.is_trimmed() {
            self.twice = echo.settle_copies(&self.twice);
        }
        let is_same = |stream: &Stream| echo.may_turn_to(stream, run.limits, &self.budget);
        let related = echo.segment(shown_by).and_then(|(segment, side)| {
            let (at, relation) = self.related(key, side, &segment, is_same, run.limits)?;
            Some((at, relation, side))
        });
        let mut under = key;
        if let Some((at, relation, side)) = related {
            let stream = self.stream(at);
            let (began, number, other, is_seen) = (stream.began, stream.number, stream.key, stream.seen[side]);
            if relation == Relation::Part && !is_seen {
                run.tools.join(number, other.encap(), key.encap());
                self.wrapped.join(key, side, other);
                under = other;
            } else if self.may_echo(began, now, run.limits)
                && let Some(stream) = self.streams.get(at as usize)
            {
                echo.turn_to(stream, run.limits, &self.budget);
                self.wrapped.add_echo(key, echo);
                return number;
            }
        }
        match self.partner(&echo).filter(|_| under == key) {
            Some((other, partner)) if partner.first().packet < echo.first().packet => {
                self.tell_held(other, &partner, Some((key, &echo)), now, run)
            }
            partner => self.tell_held(under, &echo, partner.as_ref().map(|(key, echo)| (*key, &**echo)), now, run),
        }
    }

    /// The echo of the other direction, where an echo that is none has one direction alone: each is wrapped in another way. Of several
    /// the one that began next.
    fn partner(&mut self, echo: &Echo) -> Option<(FlowKey, Box<Echo>)> {
        let side = echo.one_side()?;
        let first = |key: &FlowKey| {
            let other = self.wrapped.echoes.get(key).filter(|other| other.one_side() == Some(side.other()))?;
            Some((*key, other.first().packet))
        };
        let keys = self.wrapped.echoed.get(&echo.began)?.iter().filter_map(first);
        let (key, _) = keys.min_by_key(|&(_, at)| (at < echo.first().packet, at))?;
        let partner = self.wrapped.take_echo(&key)?;
        self.wrapped.end_echo(&key, partner.began);
        Some((key, partner))
    }

    /// Tells what was held of a conversation, perhaps of each direction for itself, in the order of the packets; returns the number of its
    /// stream, which is found under this key.
    fn tell_held(
        &mut self,
        under: FlowKey,
        echo: &Echo,
        back: Option<(FlowKey, &Echo)>,
        now: Mark,
        run: &mut Run<'_>,
    ) -> u32 {
        let mut all: Vec<_> = echo.segments().chain(back.iter().flat_map(|(_, back)| back.segments())).collect();
        all.sort_by_key(|(segment, _)| segment.mark.packet);
        let mut number = 0;
        for (nth, (segment, side)) in all.into_iter().enumerate() {
            (_, number) = self.take(under, side, &segment, now, run);
            if nth == 0
                && let Some((key, back)) = back
            {
                run.tools.join(number, under.encap(), key.encap());
                if let Some(side) = back.one_side() {
                    self.wrapped.join(key, side, under);
                }
            }
        }
        echo.release(&mut self.budget);
        back.iter().for_each(|(_, back)| back.release(&mut self.budget));
        number
    }

    /// Gives its stream what only an echo said.
    fn tell_missed(&mut self, echo: &mut Echo, nth: usize, now: Mark, run: &mut Run<'_>) {
        if let Some(at) = self.row_of(echo.began)
            && let Some((segment, side)) = echo.segment(nth)
        {
            self.stream(at).learn(&segment, side);
            self.feed(at, &segment, side, now, run);
        }
        echo.pass(nth);
    }

    fn tell_all_missed(&mut self, echo: &mut Echo, now: Mark, run: &mut Run<'_>) {
        for nth in echo.unsaid() {
            self.tell_missed(echo, nth, now, run);
        }
    }

    /// An echo ends with what it was so far: copies.
    fn drop_echo(&mut self, key: FlowKey, echo: &Echo) {
        self.twice = echo.copies_and(&self.twice);
        echo.release(&mut self.budget);
        self.wrapped.end_echo(&key, echo.began);
    }
}
