//! Both directions of a TCP stream.

use super::half::Budget;
use super::half::{Compared, Feed, Half, Out};
use super::sack;
use super::seq::{NEAR, Seq, WIDEST};
use crate::model::{Both, Direction, End, Flags, Input, Limits, Mark, Segment};

/// What the packets before the first payload told: the sequence number of each direction's first byte.
pub type Start = Both<Option<Seq>>;

/// A segment that was captured before, and is read again.
#[derive(Debug, Clone, Copy)]
pub struct Recalled<'a> {
    /// Its direction.
    pub dir: Direction,
    /// Sequence number of its first byte.
    pub seq: Seq,
    /// Its payload.
    pub payload: &'a [u8],
    /// Payload bytes behind it that were cut from the capture.
    pub cut: u32,
    /// It is the last of its direction.
    pub fin: bool,
    /// The packet that carried it.
    pub brought: Mark,
}

/// One TCP stream under reassembly. Directions are the caller's guess; a layer above may turn them round.
#[derive(Debug)]
pub struct Conn {
    halves: Both<Option<Half>>,
    /// The first sequence number of each direction, where it is known: two options would take twice the room.
    first: Both<Seq>,
    knows_first: Both<bool>,
    /// log₂ of the widest window that the receiver of each direction can offer, in bytes.
    windows: Both<u8>,
    /// The longest payload of each direction that its receiver said it takes, where both SYNs had right checksums; 0 elsewhere.
    greeted: Both<u16>,
    /// Both ends said goodbye, or one reset: nothing more is expected.
    over: bool,
    last: Mark,
}

impl Conn {
    /// A stream of which no payload was seen yet.
    pub const fn new(start: Start, first: Mark) -> Self {
        Self {
            halves: Both { to_server: None, to_client: None },
            first: Both { to_server: or_zero(start.to_server), to_client: or_zero(start.to_client) },
            knows_first: Both { to_server: start.to_server.is_some(), to_client: start.to_client.is_some() },
            windows: Both { to_server: WIDEST, to_client: WIDEST },
            greeted: Both { to_server: 0, to_client: 0 },
            over: false,
            last: first,
        }
    }

    /// Sets how wide a window the receiver of each direction can offer: log₂ of its bytes, at most [`WIDEST`].
    pub const fn limit_windows(&mut self, windows: Both<u8>) {
        self.windows = windows;
    }

    /// Both SYNs had right checksums: the longest payload of each direction that its receiver takes.
    pub const fn greet(&mut self, greeted: Both<u16>) {
        self.greeted = greeted;
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
        self.halves.swap();
        self.first.swap();
        self.knows_first.swap();
        self.windows.swap();
        self.greeted.swap();
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

    /// The number of that direction's next byte, where something of it was seen.
    pub fn next(&self, dir: Direction) -> Option<Seq> {
        self.halves[dir].as_ref().map(Half::next)
    }

    /// Whether a segment in that direction with that sequence number could belong to this stream.
    pub fn fits(&self, dir: Direction, seq: Seq) -> bool {
        self.halves[dir].as_ref().is_none_or(|half| half.fits(seq))
    }

    /// How far the sender of a segment in that direction has acknowledged what the other said: a stream offset of that.
    pub fn heard(&self, dir: Direction, segment: &Segment<'_>) -> Option<u64> {
        let (other, ack) = (dir.reverse(), Seq(segment.ack));
        let heard = match &self.halves[other] {
            Some(half) => half.place(ack),
            None => ack.since(self.start(other)?),
        };
        u64::try_from(heard).ok().filter(|_| segment.flags.has(Flags::ACK))
    }

    /// Whether the next byte of that direction is the one with this sequence number.
    pub fn expects(&self, dir: Direction, seq: Seq) -> bool {
        self.halves[dir].as_ref().is_some_and(|half| half.is_next(seq))
    }

    /// Whether bytes of that direction are queued behind a hole.
    pub fn waits_in(&self, dir: Direction) -> bool {
        self.halves[dir].as_ref().is_some_and(Half::waits)
    }

    /// Whether the receiver of that direction acknowledged the bytes before that number, which were not captured.
    pub fn has_acknowledged(&self, dir: Direction, upto: Seq) -> bool {
        self.halves[dir].as_ref().is_some_and(|half| half.is_acknowledged(upto))
    }

    /// Compares a segment of what may be another conversation with what that direction said.
    pub fn compare(&self, dir: Direction, segment: &Segment<'_>, limits: &Limits, budget: &Budget) -> Compared {
        self.halves[dir].as_ref().map_or(Compared::Unsaid, |half| half.compare(segment, limits, budget))
    }

    /// Takes a segment that only acknowledges what was delivered: it tells nothing. False, and untouched, for any other.
    pub fn is_mere_acknowledgement(&mut self, dir: Direction, segment: &Segment<'_>) -> bool {
        let mere = segment.payload.is_empty() && self.is_usual(dir, segment);
        if mere {
            self.last = segment.mark;
            self.hear(dir, segment);
        }
        mere
    }

    /// Takes one segment; what it lets be known goes to `out`, in order. With `keep`, delivered bytes are remembered so that retransmissions can be compared.
    ///
    /// Inlined, so that who hears of the usual segment is known.
    #[inline(always)]
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
        let is_usual = self.is_usual(dir, segment) && !segment.payload.is_empty();
        if let Some(half) = &mut self.halves[dir]
            && is_usual
            && half.is_next(Seq(segment.seq))
            && (!keep || half.vouches(segment))
        {
            half.deliver(segment.payload, mark, mark, keep, &mut Feed { dir, limits, budget, out });
            self.hear(dir, segment);
        } else {
            self.unusual(dir, segment, keep, limits, budget, out);
        }
    }

    /// Notes what a usual segment acknowledges.
    #[inline(always)]
    fn hear(&mut self, dir: Direction, segment: &Segment<'_>) {
        if let Some(other) = &mut self.halves[dir.reverse()] {
            other.hear(Seq(segment.ack));
        }
    }

    /// Whether a segment brings no more than bytes, and acknowledges what was delivered, while neither direction waits for anything.
    #[inline(always)]
    fn is_usual(&self, dir: Direction, segment: &Segment<'_>) -> bool {
        let other = &self.halves[dir.reverse()];
        segment.cut == 0
            && segment.window != 0
            && segment.flags.0 & !Flags::PSH.0 == Flags::ACK.0
            && self.halves[dir].as_ref().is_none_or(Half::was_quiet)
            && other.as_ref().is_some_and(|half| half.was_quiet() && half.has_delivered(Seq(segment.ack)))
    }

    #[inline(never)]
    fn unusual(
        &mut self,
        dir: Direction,
        segment: &Segment<'_>,
        keep: bool,
        limits: &Limits,
        budget: &mut Budget,
        out: Out<'_>,
    ) {
        self.take(dir, segment, keep, limits, budget, out);
        self.look();
    }

    /// Looks whether something is held in either direction.
    fn look(&mut self) {
        for dir in Direction::BOTH {
            if let Some(half) = &mut self.halves[dir] {
                half.look();
            }
        }
    }

    fn take(
        &mut self,
        dir: Direction,
        segment: &Segment<'_>,
        keep: bool,
        limits: &Limits,
        budget: &mut Budget,
        out: Out<'_>,
    ) {
        let mark = segment.mark;
        self.await_first(dir, segment);
        let may_be_joined = segment.payload.len() > self.greeted[dir].into();
        if let Some(half) = &mut self.halves[dir]
            && keep
            && !(may_be_joined && half.is_early())
            && half.sets_aside(segment, &mut Feed { dir, limits, budget: &mut *budget, out: &mut *out })
        {
            return self.settle(mark, keep, limits, budget, out);
        }
        if let Some(half) = &mut self.halves[dir]
            && !segment.flags.has(Flags::RST)
        {
            half.speaks_on();
        }
        if segment.flags.has(Flags::ACK)
            && let Some(other) = &mut self.halves[dir.reverse()]
        {
            let mut feed = Feed { dir: dir.reverse(), limits, budget, out };
            other.acknowledged((Seq(segment.ack), segment.payload.is_empty()), mark, keep, &mut feed);
            other.hear_of(segment, &mut feed);
            if other.waits() {
                sack::blocks(segment.options()).for_each(|block| other.sacked(block, mark));
            }
            if !segment.flags.has(Flags::RST) {
                other.offered(segment.window, mark);
            }
        }
        self.place(dir, segment, keep, &mut Feed { dir, limits, budget, out });
        if !self.is_quiet() {
            self.settle(mark, keep, limits, budget, out);
        }
    }

    /// Lays out a direction with its first segment, so that its checksum is judged, too. A capturing host joins segments to such as
    /// no receiver takes, and leaves their checksums wrong.
    fn await_first(&mut self, dir: Direction, segment: &Segment<'_>) {
        if self.halves[dir].is_none()
            && self.greeted[dir] > 0
            && !segment.flags.has(Flags::SYN)
            && !segment.payload.is_empty()
        {
            self.halves[dir] = Some(Half::greeted(self.first_byte(dir, Seq(segment.seq))));
        }
    }

    /// Takes what a stream said before it was known where it begins; what that lets be known now goes to `out`.
    pub fn recall(
        &mut self,
        all: &[Recalled<'_>],
        mark: Mark,
        keep: bool,
        limits: &Limits,
        budget: &mut Budget,
        out: Out<'_>,
    ) {
        for dir in Direction::BOTH {
            let own = || all.iter().filter(|recalled| recalled.dir == dir);
            let Some(some) = own().next() else { continue };
            let first = own().map(|recalled| recalled.seq).min_by_key(|seq| seq.since(some.seq)).unwrap_or(some.seq);
            let first = self.start(dir).unwrap_or(first);
            let half = self.halves[dir].insert(Half::new(first));
            let mut feed = Feed { dir, limits, budget: &mut *budget, out: &mut *out };
            for recalled in own() {
                half.recall(recalled, &mut feed);
            }
            half.drain(mark, keep, &mut feed);
        }
        self.settle(mark, keep, limits, budget, out);
        self.look();
    }

    /// Whether it is settled where the direction begins.
    pub fn has_begun(&self, dir: Direction) -> bool {
        self.knows_first[dir] || self.halves[dir].is_some()
    }

    /// Whether the direction was begun behind that number, so that what stands there is missing.
    pub fn begins_behind(&self, dir: Direction, seq: Seq) -> bool {
        self.halves[dir].as_ref().is_some_and(|half| (1..NEAR).contains(&half.first().since(seq)))
    }

    /// Whether something of the direction was seen that stands before that number.
    pub fn begins_before(&self, dir: Direction, seq: Seq) -> bool {
        self.halves[dir].as_ref().is_some_and(|half| half.is_past(seq))
    }

    /// Takes the bytes and flags of a segment wherever it stands.
    fn place(&mut self, dir: Direction, segment: &Segment<'_>, keep: bool, feed: &mut Feed<'_>) {
        let mark = segment.mark;
        let syn = segment.flags.has(Flags::SYN);
        let seq = if syn { Seq(segment.seq).plus(1) } else { Seq(segment.seq) };
        let carries = !segment.payload.is_empty() || segment.cut > 0;
        // Of a FIN alone that is far from where the stream begins nothing is learned.
        let ends = segment.flags.has(Flags::FIN) && self.start(dir).is_none_or(|start| may_begin(start, seq));
        if self.halves[dir].is_none() && (syn || carries || ends) {
            self.halves[dir] = Some(Half::new(self.first_byte(dir, seq)));
        }
        let is_reset = segment.flags.has(Flags::RST) && self.believes_reset(dir, seq, mark);
        if let Some(half) = &mut self.halves[dir] {
            if syn && !segment.payload.is_empty() {
                half.hold_syn_data(segment.payload, mark);
            } else if carries {
                if keep {
                    half.note_again(seq, segment);
                }
                half.data(seq, segment.payload, segment.cut, mark, keep, feed);
            }
            if segment.flags.has(Flags::FIN) {
                let len = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX).wrapping_add(segment.cut);
                half.fin(seq.plus(len), mark, feed);
            }
        }
        if is_reset {
            self.reset(dir, mark, feed.limits, feed.budget, feed.out);
        }
    }

    /// The first sequence number of a direction, where it is known.
    fn start(&self, dir: Direction) -> Option<Seq> {
        self.knows_first[dir].then_some(self.first[dir])
    }

    /// Takes a RST; says whether it is believed. Where its sender has said nothing yet, the handshake tells the number.
    fn believes_reset(&mut self, dir: Direction, seq: Seq, mark: Mark) -> bool {
        let window = 1 << self.windows[dir];
        let start = self.start(dir);
        match (&mut self.halves[dir], start) {
            (Some(half), _) => half.rst(seq, window, mark),
            (None, Some(start)) => Half::new(start).rst(seq, window, mark),
            (None, None) => true,
        }
    }

    /// The handshake tells where a direction begins, unless its first data stand elsewhere.
    fn first_byte(&self, dir: Direction, seq: Seq) -> Seq {
        self.start(dir).filter(|&start| may_begin(start, seq)).unwrap_or(seq)
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
            half.look();
        }
    }

    /// Delivers all that is there and ends both directions, in this way and by that packet; a RST or FIN after which its sender was silent
    /// is believed now.
    pub fn finish(&mut self, ended: (End, Mark), mark: Mark, limits: &Limits, budget: &mut Budget, out: Out<'_>) {
        let doubted = |dir: Direction| self.halves[dir].as_ref().and_then(Half::doubted_end).map(|end| (dir, end));
        let doubted = Direction::BOTH.into_iter().find_map(doubted).filter(|_| !self.over);
        let (first, end) = doubted.unwrap_or((Direction::ToServer, ended));
        for dir in [first, first.reverse()] {
            // A RST ends both directions, a FIN its own.
            let end = if dir == first || end.0 == End::Rst { end } else { ended };
            if let Some(half) = &mut self.halves[dir] {
                half.finish(end, mark, &mut Feed { dir, limits, budget: &mut *budget, out: &mut *out });
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
}

const fn or_zero(seq: Option<Seq>) -> Seq {
    match seq {
        Some(seq) => seq,
        None => Seq(0),
    }
}

/// Whether a segment at `seq` can be of a direction that begins at `start`; one byte before it is a keep-alive.
fn may_begin(start: Seq, seq: Seq) -> bool {
    (-1..NEAR).contains(&seq.since(start))
}
