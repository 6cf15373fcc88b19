//! One direction of a TCP stream.

mod ends;
mod peer;
mod resent;
mod suspects;
mod tell;

use super::checksum::Sums;
use super::conn::Recalled;
use super::queue::{Origin, Queue};
use super::recent::{Conflict, Place, Recent};
use super::seq::{NEAR, Seq};
use crate::model::{Direction, End, Flags, Input, Limits, Mark, NoteCode, Overlap, Receipt, Segment, count};
use ends::Fin;
use peer::Peer;
use resent::Again;
use std::collections::VecDeque;
use std::ops::Range;
use suspects::Suspect;
use tell::{QUOTED, conflict, odd};

/// What all streams together have queued and remember, and which copy of a byte is to count in all of them.
#[derive(Debug, Default)]
pub struct Budget {
    /// Which copy stays in a queue.
    pub overlap: Overlap,
    /// Bytes of out-of-order data.
    pub queued: usize,
    /// Delivered data kept for comparison.
    pub(super) recent: Recent,
    /// Packets are captured twice: what was cut off from one may come with its copy, and is waited for as what is lost.
    pub copied: bool,
    /// Bytes of copies of the first segments of streams whose handshake was not seen.
    pub opening: usize,
}

/// A segment beside what a direction said so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// All of it was said, by this packet where that is remembered, or it says nothing.
    Said(Option<Mark>),
    /// Something in it was not said yet; what was is the same.
    Unsaid,
    /// A byte in it was said otherwise, or the end.
    Other,
}

/// Who takes the ordered bytes.
pub type Out<'a> = &'a mut dyn FnMut(Input<'_>);

/// Where a half's findings go: the bounds, the totals and the reader of its bytes.
pub(super) struct Feed<'a> {
    pub(super) dir: Direction,
    pub(super) limits: &'a Limits,
    pub(super) budget: &'a mut Budget,
    pub(super) out: Out<'a>,
}

/// One direction's state.
///
/// ```text
/// delivered ──────────▶│ next        hole        │ queue: piece, piece …     │ fin
///            recent ──▶│                         │                           │
/// ```
///
/// Invariant: no piece of the queue begins before `next`.
#[derive(Debug)]
pub(super) struct Half {
    /// Stream offset of the next byte to deliver, and its sequence number.
    offset: u64,
    seq: Seq,
    /// The highest number that its receiver was seen to acknowledge.
    acked: Seq,
    ended: bool,
    /// Nothing is held and no end is known; as it was behind the last segment that was not as usual.
    quiet: bool,
    /// What its checksums are worth.
    sums: Sums,
    /// Its last piece in [`Budget::recent`].
    last: Place,
    aside: Option<Box<Aside>>,
}

/// What a direction has only while not all is as usual: most never do before they end.
#[derive(Debug, Default)]
struct Aside {
    queue: Queue,
    /// Since when something stands behind a hole.
    waiting: Option<Mark>,
    /// What the receiver told.
    peer: Peer,
    /// The FINs that were seen and not passed yet: all but one are forged.
    fins: Vec<Fin>,
    /// When a RST was seen.
    reset: Option<Mark>,
    /// A RST or FIN that is not believed unless its sender falls silent.
    doubted: Option<(End, Mark)>,
    /// Data on the SYN, which counts only if the peer acknowledges it (RFC 7413).
    on_syn: Option<(Vec<u8>, Mark)>,
    /// The last holes that were given up: offset and length.
    gaps: VecDeque<(u64, u64)>,
    /// Segments whose checksum is wrong.
    suspects: Vec<Suspect>,
    /// Bytes that came again and were not acknowledged by then.
    again: Vec<Again>,
}

impl Aside {
    fn is_quiet(&self) -> bool {
        self.queue.is_empty()
            && self.fins.is_empty()
            && self.doubted.is_none()
            && self.on_syn.is_none()
            && self.peer.is_quiet()
            && self.suspects.is_empty()
            && self.again.is_empty()
    }
}

const GAPS_KEPT: usize = 16;

impl Half {
    /// A direction whose first byte has the sequence number `seq`.
    pub(super) fn new(seq: Seq) -> Self {
        let (sums, last) = (Sums::default(), Place::default());
        Self { offset: 0, seq, acked: seq, ended: false, quiet: true, sums, last, aside: None }
    }

    /// The same where its SYN had a right checksum.
    pub(super) fn greeted(seq: Seq) -> Self {
        Self { sums: Sums::new(true), ..Self::new(seq) }
    }

    /// Whether no checksum tells anything but that of its SYN.
    pub(super) const fn is_early(&self) -> bool {
        self.sums.are_early()
    }

    fn aside(&mut self) -> &mut Aside {
        self.aside.get_or_insert_default()
    }

    /// Whether a segment with this sequence number could belong here: near the next byte.
    pub(super) fn fits(&self, seq: Seq) -> bool {
        seq.since(self.seq).abs() <= NEAR
    }

    /// The sequence number of the next byte.
    pub(super) const fn next(&self) -> Seq {
        self.seq
    }

    /// Whether a segment with this sequence number is exactly the next one.
    pub(super) fn is_next(&self, seq: Seq) -> bool {
        seq == self.seq
    }

    /// Compares a segment of what may be another conversation with what this direction said.
    pub(super) fn compare(&self, segment: &Segment<'_>, limits: &Limits, budget: &Budget) -> Compared {
        let &Segment { seq, payload, cut, flags, .. } = segment;
        let at = self.signed_offset() + Seq(seq).since(self.seq);
        let end = at.saturating_add_unsigned(payload.len() as u64).saturating_add(cut.into());
        let (offset, fin) = (self.signed_offset(), flags.has(Flags::FIN));
        let ends_elsewhere = fin && end < offset || self.ended && end > offset;
        let known = usize::try_from(offset.saturating_sub(at)).unwrap_or(0).min(payload.len());
        let known = payload.get(..known).unwrap_or_default();
        let differs = |at| budget.recent.conflict(self.last, at, known, 1, limits).is_some();
        // The last byte once more, whatever it is, asks whether the receiver is there.
        let is_keep_alive = payload.len() == 1 && end == offset;
        if ends_elsewhere || !is_keep_alive && u64::try_from(at).is_ok_and(differs) {
            return Compared::Other;
        }
        if end > offset || fin && !self.ended {
            return Compared::Unsaid;
        }
        let last = u64::try_from(end.saturating_sub(1)).ok().filter(|_| end > at);
        Compared::Said(last.and_then(|last| budget.recent.brought(self.last, last, limits)))
    }

    /// Whether nothing was held and no end known, when that was looked at last: a usual segment changes nothing about it.
    pub(super) const fn was_quiet(&self) -> bool {
        self.quiet
    }

    /// Looks whether something is held, or an end is known.
    pub(super) fn look(&mut self) {
        self.quiet = self.is_quiet();
    }

    /// Whether nothing is held and no end is known.
    pub(super) fn is_quiet(&self) -> bool {
        self.aside.as_deref().is_none_or(Aside::is_quiet)
    }

    /// Whether everything before `ack` was delivered.
    pub(super) fn has_delivered(&self, ack: Seq) -> bool {
        ack.since(self.seq) <= 0
    }

    /// Whether the direction's end was delivered.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether something is queued behind a hole.
    pub(super) fn waits(&self) -> bool {
        self.aside.as_ref().is_some_and(|aside| !aside.queue.is_empty() || !aside.suspects.is_empty())
    }

    /// Memory of what is queued behind a hole, in bytes.
    pub(super) fn queued(&self) -> usize {
        self.aside.as_ref().map_or(0, |aside| aside.queue.cost())
    }

    /// Delivers the next bytes.
    #[inline(always)]
    pub(super) fn deliver(&mut self, bytes: &[u8], brought: Mark, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        let offset = self.offset;
        self.advance(bytes.len() as u64);
        (feed.out)(Input::Data { dir: feed.dir, offset, bytes, brought, mark });
        if keep {
            self.last = feed.budget.recent.push(self.last, offset, bytes, brought, feed.limits);
        }
        self.end_if_reached(feed);
    }

    /// Takes a segment's payload wherever it stands: delivers, queues, or compares it with what is known.
    pub(super) fn data(&mut self, seq: Seq, bytes: &[u8], cut: u32, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        self.settle_syn_data(seq.since(self.seq) + self.signed_offset() > 0, mark, keep, feed);
        // In the place of a FIN that the peer acknowledged, one byte is a keep-alive.
        if bytes.len() == 1 && seq == self.seq && self.acknowledged_fin().is_some_and(|fin| fin.at == self.offset) {
            return;
        }
        let at = self.signed_offset() + seq.since(self.seq);
        let whole = extent(at, bytes.len(), cut);
        let known = usize::try_from(self.signed_offset().saturating_sub(at)).unwrap_or(0).min(bytes.len());
        if known > 0 {
            self.compare_old(at, bytes.get(..known).unwrap_or_default(), mark, feed);
        }
        let bytes = bytes.get(known..).unwrap_or_default();
        if !bytes.is_empty() {
            self.use_window(mark, feed);
        }
        let Ok(at) = u64::try_from(at.saturating_add_unsigned(known as u64)) else { return };
        if at == self.offset && self.aside.as_ref().is_none_or(|aside| aside.queue.is_empty()) {
            if !bytes.is_empty() {
                self.deliver(bytes, mark, mark, keep, feed);
            }
            if feed.budget.copied {
                self.enqueue(self.offset, &[], cut, &Origin { brought: mark, whole }, feed);
            } else {
                self.lose(u64::from(cut), Receipt::Unknown, mark, feed);
            }
        } else if at >= self.offset {
            let was_cut = self.aside.as_ref().is_some_and(|aside| aside.queue.is_cut(at));
            self.enqueue(at, bytes, cut, &Origin { brought: mark, whole }, feed);
            // What a copy fills was not sent again.
            if at == self.offset && !was_cut {
                self.tell_waits(mark, feed);
            }
            self.drain(mark, keep, feed);
        }
        self.pass_suspects(mark, feed);
    }

    /// Queues what was captured before the direction's beginning was known.
    pub(super) fn recall(&mut self, recalled: &Recalled<'_>, feed: &mut Feed<'_>) {
        let &Recalled { seq, payload, cut, fin, brought, .. } = recalled;
        let at = self.signed_offset() + seq.since(self.seq);
        let before = usize::try_from(at.saturating_neg()).unwrap_or(0).min(payload.len());
        let whole = extent(at, payload.len(), cut);
        if let Ok(at) = u64::try_from(at.saturating_add_unsigned(before as u64)) {
            self.enqueue(at, payload.get(before..).unwrap_or_default(), cut, &Origin { brought, whole }, feed);
        }
        if fin {
            let len = u32::try_from(payload.len()).unwrap_or(u32::MAX).wrapping_add(cut);
            self.fin(seq.plus(len), brought, feed);
        }
    }

    /// The stream offset of a sequence number.
    pub(super) fn place(&self, seq: Seq) -> i64 {
        self.signed_offset() + seq.since(self.seq)
    }

    /// The sequence number of its first byte.
    pub(super) const fn first(&self) -> Seq {
        #[expect(clippy::cast_possible_truncation, reason = "sequence numbers are modulo 2³²")]
        Seq(self.seq.0.wrapping_sub(self.offset as u32))
    }

    /// Whether that number is behind its first byte.
    pub(super) fn is_past(&self, seq: Seq) -> bool {
        self.signed_offset() + seq.since(self.seq) > 0
    }

    /// Holds the data of a SYN until the peer acknowledges it or not.
    pub(super) fn hold_syn_data(&mut self, bytes: &[u8], mark: Mark) {
        if self.offset == 0 {
            self.aside().on_syn.get_or_insert_with(|| (bytes.to_vec(), mark));
        }
    }

    #[inline]
    fn settle_syn_data(&mut self, accepted: bool, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        if self.aside.as_ref().is_some_and(|aside| aside.on_syn.is_some()) {
            self.deliver_syn_data(accepted, mark, keep, feed);
        }
    }

    #[cold]
    fn deliver_syn_data(&mut self, accepted: bool, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        if let Some((bytes, brought)) = self.aside().on_syn.take()
            && accepted
            && self.offset == 0
        {
            self.deliver(&bytes, brought, mark, keep, feed);
            self.drain(mark, keep, feed);
        }
    }

    /// Gives up holes that will not be filled any more (see [`Limits`]): the peer acknowledged what lay in them long ago, too much is queued, or the other direction is not captured.
    pub(super) fn settle(&mut self, mark: Mark, one_sided: bool, keep: bool, feed: &mut Feed<'_>) {
        while let Some(to) = self.final_end(mark, one_sided, feed.limits) {
            self.give_up(to, mark, keep, feed);
        }
        let too_much =
            |queue: &Queue| queue.cost() > feed.limits.reorder_bytes || queue.len() > feed.limits.reorder_segments;
        while self.aside.as_ref().is_some_and(|aside| too_much(&aside.queue)) {
            self.give_up_for_room(mark, keep, feed);
        }
    }

    /// Gives up the first hole because the queue behind it is too large.
    pub(super) fn give_up_for_room(&mut self, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        let Some(Aside { queue, .. }) = self.aside.as_deref() else { return };
        let text = format!(
            "{} in {} were queued behind a hole; it was given up (limits reorder-bytes, reorder-segments and reorder-total)",
            count(queue.bytes() as u64, "byte"),
            count(queue.len() as u64, "piece")
        );
        odd(NoteCode::TcpLimit, self.offset, &text, "", mark, feed);
        if let Some(to) = self.hole_end() {
            self.give_up(to, mark, keep, feed);
        }
    }

    /// Delivers all that is there, holes or not, and ends the direction: how, and by which packet.
    pub(super) fn finish(&mut self, (how, at): (End, Mark), mark: Mark, feed: &mut Feed<'_>) {
        self.settle_syn_data(true, mark, false, feed);
        while let Some(to) = self.hole_end() {
            self.give_up(to, mark, false, feed);
        }
        let fin = self.believed_fin().map(|fin| fin.at);
        // One byte acknowledged too much is the place of a FIN that was not captured.
        let acked = || self.aside.as_ref()?.peer.acked().filter(|&upto| upto > self.offset + 1);
        if let Some(upto) = fin.or_else(acked) {
            self.give_up(upto, mark, false, feed);
        }
        self.end(how, at, feed);
    }

    /// Gives its memory back to the totals.
    pub(super) fn release(&mut self, budget: &mut Budget) {
        if let Some(aside) = &mut self.aside {
            aside.queue.clear(budget);
            let suspects: usize = aside.suspects.drain(..).map(|suspect| suspect.len()).sum();
            budget.queued = budget.queued.saturating_sub(suspects);
        }
    }

    /// The stream offset behind the first hole.
    fn hole_end(&self) -> Option<u64> {
        let aside = self.aside.as_ref()?;
        aside
            .queue
            .hole_end(self.offset)
            .or_else(|| self.suspect_end())
            .or_else(|| self.acknowledged_fin().map(|fin| fin.at).filter(|&at| at > self.offset))
    }

    /// Passes over the bytes before `to`, which will not come any more, and goes on behind them.
    fn give_up(&mut self, to: u64, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        self.use_suspects(to, mark, keep, feed);
        self.lose(to.saturating_sub(self.offset), self.receipt(to), mark, feed);
        if let Some(aside) = &mut self.aside {
            aside.queue.pass(to, feed.budget);
        }
        self.drain(mark, keep, feed);
    }

    /// Passes over bytes that the capture does not have.
    fn lose(&mut self, len: u64, receipt: Receipt, mark: Mark, feed: &mut Feed<'_>) {
        if len == 0 {
            return;
        }
        let offset = self.offset;
        self.advance(len);
        let gaps = &mut self.aside().gaps;
        if gaps.len() >= GAPS_KEPT {
            gaps.pop_front();
        }
        gaps.push_back((offset, len));
        (feed.out)(Input::Gap { dir: feed.dir, offset, len, exact: true, receipt, mark });
        self.end_if_reached(feed);
    }

    #[inline(always)]
    fn advance(&mut self, len: u64) {
        self.offset += len;
        #[expect(clippy::cast_possible_truncation, reason = "sequence numbers are modulo 2³²")]
        let step = len as u32;
        self.seq = self.seq.plus(step);
        if let Some(aside) = &mut self.aside {
            aside.peer.forget(self.offset);
        }
    }

    /// Queues what no queued piece covers yet; where one does, it tells which copy of a byte stays.
    fn enqueue(&mut self, offset: u64, bytes: &[u8], cut: u32, origin: &Origin, feed: &mut Feed<'_>) {
        let mut rest = bytes;
        let mut at = offset;
        let Aside { queue, waiting, .. } = self.aside.get_or_insert_default().as_mut();
        while !rest.is_empty() {
            let take = match queue.over(at) {
                Some((start, _)) if queue.is_cut(at) => queue.fill(start, at, rest, origin, feed.budget),
                Some((start, piece)) => {
                    let covered = (start + piece.len() - at).min(rest.len() as u64);
                    overlap(queue, start, at, rest, origin, feed);
                    covered
                }
                None => {
                    let take = queue.free_from(at).min(rest.len() as u64);
                    let (now, _) = rest.split_at(usize::try_from(take).unwrap_or(rest.len()).min(rest.len()));
                    waiting.get_or_insert(origin.brought);
                    queue.insert(at, now, origin, feed.budget);
                    take
                }
            };
            at += take;
            rest = rest.get(usize::try_from(take).unwrap_or(usize::MAX)..).unwrap_or_default();
        }
        let cut = u32::try_from(queue.free_from(at).min(u64::from(cut))).unwrap_or(cut);
        if cut > 0 && queue.over(at).is_none() {
            waiting.get_or_insert(origin.brought);
            queue.insert_cut(at, cut, origin, feed.budget);
        }
    }

    /// Delivers the pieces that are next in order.
    pub(super) fn drain(&mut self, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        while let Some(mut piece) = self.aside.as_mut().and_then(|aside| aside.queue.take(self.offset, feed.budget)) {
            if !piece.bytes.is_empty() {
                self.deliver(piece.bytes.make_contiguous(), piece.brought, mark, keep, feed);
            }
            self.lose(u64::from(piece.cut), Receipt::Unknown, mark, feed);
        }
        if let Some(aside) = &mut self.aside
            && aside.queue.is_empty()
        {
            aside.waiting = None;
        }
        self.end_if_reached(feed);
    }

    /// Looks at another copy of bytes whose place is past: same, different, or late for a hole that was given up.
    fn compare_old(&mut self, at: i64, copy: &[u8], mark: Mark, feed: &mut Feed<'_>) {
        let keep_alive = copy.len() == 1 && at + 1 == self.signed_offset();
        let Ok(at) = u64::try_from(at) else { return };
        if keep_alive {
            return;
        }
        let end = at + copy.len() as u64;
        let lost = |aside: &Aside| aside.gaps.iter().any(|&(gap, len)| gap < end && at < gap + len);
        if self.aside.as_deref().is_some_and(lost) {
            let plural = if copy.len() == 1 { "byte" } else { "bytes" };
            let text = format!("{} {plural} came after the place had been given up as lost", copy.len());
            odd(NoteCode::TcpLate, at, &text, "", mark, feed);
        }
        let conflicts = feed.budget.recent.conflict(self.last, at, copy, QUOTED + 1, feed.limits);
        if let Some(Conflict { offset, first, packet }) = conflicts {
            let skip = usize::try_from(offset - at).unwrap_or(usize::MAX);
            conflict(offset, (&first, packet), (copy.get(skip..).unwrap_or_default(), mark), false, feed);
        }
    }

    const fn signed_offset(&self) -> i64 {
        self.offset.cast_signed()
    }
}

/// The stream offsets of a segment's bytes, those that were cut off included, from the first byte of the stream on.
fn extent(at: i64, len: usize, cut: u32) -> Range<u64> {
    let end = at.saturating_add_unsigned(len as u64).saturating_add(i64::from(cut));
    u64::try_from(at).unwrap_or(0)..u64::try_from(end).unwrap_or(0)
}

/// Compares another copy with the piece of the queue that begins at `start`; where they differ, one of them stays.
fn overlap(queue: &mut Queue, start: u64, at: u64, copy: &[u8], origin: &Origin, feed: &mut Feed<'_>) {
    let Some((_, piece)) = queue.over(at) else { return };
    let held = piece.bytes.iter().skip(usize::try_from(at - start).unwrap_or(usize::MAX));
    let Some(differs) = held.clone().zip(copy).position(|(a, b)| a != b) else { return };
    let replaces = feed.budget.overlap.replaces(&origin.whole, piece.whole());
    let first: Vec<u8> = held.skip(differs).take(QUOTED + 1).copied().collect();
    let second = copy.get(differs..).unwrap_or_default();
    conflict(at + differs as u64, (&first, piece.brought.packet), (second, origin.brought), replaces, feed);
    if replaces {
        queue.replace(start, at, copy, origin, feed.budget);
    }
}
