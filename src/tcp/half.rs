//! One direction of a TCP stream.

use super::conn::Recalled;
use super::queue::Queue;
use super::recent::{Conflict, Place, Recent};
use super::seq::{NEAR, Seq};
use crate::model::{Direction, End, Input, Limits, Mark, NoteCode, PacketNo, Wait, WaitCause, count, hex};
use std::collections::VecDeque;

/// What all streams together have queued and remember.
#[derive(Debug, Default)]
pub struct Budget {
    /// Bytes of out-of-order data.
    pub queued: usize,
    /// Delivered data kept for comparison.
    pub(super) recent: Recent,
    /// Bytes of copies of the first segments of streams whose handshake was not seen.
    pub opening: usize,
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
    ended: bool,
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
    /// What the peer acknowledged beyond `offset`, and when it first did: both rise.
    acks: VecDeque<(u64, Mark)>,
    /// The FINs that were seen and not passed yet: all but one are forged.
    fins: Vec<Fin>,
    /// When a RST was seen.
    reset: Option<Mark>,
    /// A RST that is not believed unless its sender falls silent.
    doubted: Option<Mark>,
    /// Data on the SYN, which counts only if the peer acknowledges it (RFC 7413).
    on_syn: Option<(Vec<u8>, Mark)>,
    /// The last holes that were given up: offset and length.
    gaps: VecDeque<(u64, u64)>,
    /// The receiver takes nothing, or took nothing until just now.
    window: Option<Window>,
}

/// A window that is not as usual (RFC 9293 §3.8.6).
#[derive(Debug, Clone, Copy)]
enum Window {
    /// It is zero, since when.
    Shut(Mark),
    /// It was for so many nanoseconds, and opened when; nothing was sent since.
    Opened(i64, Mark),
}

/// The end of a stream, which may lie behind a hole, or be forged.
#[derive(Debug, Clone, Copy)]
struct Fin {
    /// Where the stream ends.
    at: u64,
    /// The packet that carried it.
    brought: Mark,
    /// The peer has spoken since, and did not acknowledge it.
    doubted: bool,
}

impl Aside {
    fn is_quiet(&self) -> bool {
        self.queue.is_empty()
            && self.fins.is_empty()
            && self.doubted.is_none()
            && self.on_syn.is_none()
            && self.window.is_none()
    }
}

/// Waits that are shorter are not told, in nanoseconds: so late may come what other ways delayed, and not a loss.
const NOTICED: i64 = 3_000_000;
/// Who sends no sooner than this behind the opening of a window did not wait for it, in nanoseconds.
const PROMPT: i64 = 1_000_000_000;

const ACKS_KEPT: usize = 64;
const ACK_AHEAD: u64 = 64 << 20;
const FINS_KEPT: usize = 4;
const GAPS_KEPT: usize = 16;
/// Bytes of each copy that a conflict quotes.
const QUOTED: usize = 64;

impl Half {
    /// A direction whose first byte has the sequence number `seq`.
    pub(super) fn new(seq: Seq) -> Self {
        Self { offset: 0, seq, ended: false, last: Place::default(), aside: None }
    }

    fn aside(&mut self) -> &mut Aside {
        self.aside.get_or_insert_default()
    }

    /// Whether a segment with this sequence number could belong here: near the next byte.
    pub(super) fn fits(&self, seq: Seq) -> bool {
        seq.since(self.seq).abs() <= NEAR
    }

    /// Whether a segment with this sequence number is exactly the next one.
    pub(super) fn is_next(&self, seq: Seq) -> bool {
        seq == self.seq
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
        self.aside.as_ref().is_some_and(|aside| !aside.queue.is_empty())
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
            self.last = feed.budget.recent.push(self.last, offset, bytes, brought.packet, feed.limits);
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
            self.lose(u64::from(cut), mark, feed);
        } else if at >= self.offset {
            self.enqueue(at, bytes, cut, mark, feed);
            if at == self.offset {
                self.tell_waits(mark, feed);
            }
            self.drain(mark, keep, feed);
        }
    }

    /// Says how long the bytes waited that are next in order, now that a packet has filled the hole before them: its own since
    /// there was something behind it.
    fn tell_waits(&self, mark: Mark, feed: &mut Feed<'_>) {
        let Some(aside) = &self.aside else { return };
        let (mut pieces, mut end) = (aside.queue.iter().peekable(), self.offset);
        while let Some((start, piece)) = pieces.next_if(|&(start, _)| start == end) {
            end = start + piece.len();
            let since = if piece.brought == mark {
                pieces.peek().map(|(_, behind)| behind.brought)
            } else {
                Some(piece.brought)
            };
            if let Some(nanos) = since.and_then(|since| mark.since(since)) {
                waited(piece.brought.packet, (nanos, WaitCause::Retransmission, mark), mark, feed);
            }
        }
    }

    /// Notes how much the receiver will take.
    pub(super) fn offered(&mut self, window: u16, mark: Mark) {
        let before = self.aside.as_ref().and_then(|aside| aside.window);
        let now = match (before, window) {
            (None | Some(Window::Opened(..)), 0) => Some(Window::Shut(mark)),
            (Some(Window::Shut(since)), 1..) => mark.since(since).map(|nanos| Window::Opened(nanos, mark)),
            _ => return,
        };
        self.aside().window = now;
    }

    /// Bytes are sent: just behind the opening of a window they waited for it.
    fn use_window(&mut self, mark: Mark, feed: &mut Feed<'_>) {
        let Some(aside) = &mut self.aside else { return };
        if let Some(Window::Opened(nanos, at)) = aside.window {
            aside.window = None;
            if mark.since(at).is_some_and(|late| late <= nanos.min(PROMPT)) {
                waited(mark.packet, (nanos, WaitCause::Window, at), mark, feed);
            }
        }
    }

    /// Queues what was captured before the direction's beginning was known.
    pub(super) fn recall(&mut self, recalled: &Recalled<'_>, feed: &mut Feed<'_>) {
        let &Recalled { seq, payload, cut, fin, brought, .. } = recalled;
        let at = self.signed_offset() + seq.since(self.seq);
        let before = usize::try_from(at.saturating_neg()).unwrap_or(0).min(payload.len());
        if let Ok(at) = u64::try_from(at.saturating_add_unsigned(before as u64)) {
            self.enqueue(at, payload.get(before..).unwrap_or_default(), cut, brought, feed);
        }
        if fin {
            let len = u32::try_from(payload.len()).unwrap_or(u32::MAX).wrapping_add(cut);
            self.fin(seq.plus(len), brought, feed);
        }
    }

    /// The sequence number of its first byte.
    pub(super) const fn first(&self) -> Seq {
        #[expect(clippy::cast_possible_truncation, reason = "sequence numbers are modulo 2³²")]
        Seq(self.seq.0.wrapping_sub(self.offset as u32))
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

    /// Notes that the peer expects `ack` next.
    #[inline]
    pub(super) fn acknowledged(&mut self, ack: Seq, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        // Most acknowledge what was delivered, and nothing waits to hear of it.
        if self.aside.is_some() || ack.since(self.seq) > 0 {
            self.acknowledged_ahead(ack, mark, keep, feed);
        }
    }

    fn acknowledged_ahead(&mut self, ack: Seq, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        let ahead = ack.since(self.seq);
        self.settle_syn_data(ahead > 0, mark, keep, feed);
        let Ok(upto) = u64::try_from(self.signed_offset() + ack.since(self.seq)) else { return };
        if let Some(aside) = &mut self.aside {
            for fin in aside.fins.iter_mut().filter(|fin| fin.brought.packet < mark.packet) {
                fin.doubted = upto <= fin.at;
            }
        }
        // A number beyond any window is no acknowledgement of this stream.
        if upto.saturating_sub(self.offset) > ACK_AHEAD {
            return;
        }
        if upto <= self.offset {
            return;
        }
        let acks = &mut self.aside().acks;
        if acks.back().is_some_and(|&(known, _)| upto <= known) {
            return;
        }
        if acks.len() >= ACKS_KEPT {
            acks.pop_back();
        }
        acks.push_back((upto, mark));
    }

    /// Takes a FIN that stands at `seq`, behind the segment's data.
    pub(super) fn fin(&mut self, seq: Seq, mark: Mark, feed: &mut Feed<'_>) {
        let Ok(at) = u64::try_from(self.signed_offset() + seq.since(self.seq)) else { return };
        if self.ended || at < self.offset || at - self.offset > ACK_AHEAD {
            return;
        }
        let fins = &mut self.aside().fins;
        if fins.iter().any(|fin| fin.at == at) {
            return;
        }
        // The one that the stream reaches first is kept: that of another must lie in what is to come.
        fins.insert(fins.partition_point(|fin| fin.at < at), Fin { at, brought: mark, doubted: false });
        fins.truncate(FINS_KEPT);
        self.end_if_reached(feed);
    }

    /// The FIN that was reached, or that the peer acknowledged; without one, the first that it did not fail to acknowledge.
    fn believed_fin(&self) -> Option<Fin> {
        let fins = &self.aside.as_ref()?.fins;
        let reached = fins.first().filter(|fin| fin.at == self.offset).copied();
        reached.or_else(|| self.acknowledged_fin()).or_else(|| fins.iter().find(|fin| !fin.doubted).copied())
    }

    fn acknowledged_fin(&self) -> Option<Fin> {
        let Aside { fins, acks, .. } = self.aside.as_deref()?;
        fins.iter().find(|fin| acks.iter().any(|&(upto, _)| upto == fin.at + 1)).copied()
    }

    /// Takes a RST from this direction's sender, for a receiver whose window is no wider than `window` bytes; says whether it is
    /// believed (RFC 9293 §3.10.7.4, RFC 5961 §3).
    ///
    /// One whose number is not in the window is not: forged, or of another stream. If it is past it may be a late copy, or the
    /// word of an end that lost its memory: it is remembered, and counts if its sender is silent from there on.
    pub(super) fn rst(&mut self, seq: Seq, window: i64, mark: Mark) -> bool {
        let acked = self.aside.as_ref().and_then(|aside| aside.acks.back()).map_or(self.offset, |&(upto, _)| upto);
        let beyond = acked.saturating_sub(self.offset).cast_signed() + window;
        match seq.since(self.seq) {
            ahead if (0..beyond).contains(&ahead) => {
                self.aside().reset.get_or_insert(mark);
                true
            }
            behind => {
                if (-window..0).contains(&behind) {
                    self.aside().doubted = Some(mark);
                }
                false
            }
        }
    }

    /// Its sender goes on: a RST that was doubted is none.
    pub(super) fn speaks_on(&mut self) {
        if let Some(aside) = &mut self.aside {
            aside.doubted = None;
        }
    }

    /// The RST after which its sender was silent, though its number was past.
    pub(super) fn doubted_reset(&self) -> Option<Mark> {
        self.aside.as_ref()?.doubted
    }

    /// Ends the direction at once, when it has not ended, or by the FIN that was seen of it; what is queued stays.
    pub(super) fn end(&mut self, how: End, mark: Mark, feed: &mut Feed<'_>) {
        if !self.ended {
            let (how, mark) = self.believed_fin().map_or((how, mark), |fin| (End::Fin, fin.brought));
            self.end_now(how, mark, feed);
        }
    }

    fn end_now(&mut self, how: End, mark: Mark, feed: &mut Feed<'_>) {
        if !self.ended {
            self.ended = true;
            (feed.out)(Input::End { dir: feed.dir, how, mark });
        }
    }

    /// Gives up holes that will not be filled any more (see [`Limits`]): the peer acknowledged what lay in them long ago, too much is queued, or the other direction is not captured.
    pub(super) fn settle(&mut self, mark: Mark, one_sided: bool, keep: bool, feed: &mut Feed<'_>) {
        while self.has_hole() && self.is_final(mark, one_sided, feed.limits) {
            self.give_up(mark, keep, feed);
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
        self.give_up(mark, keep, feed);
    }

    /// Delivers all that is there, holes or not, and ends the direction: how, and by which packet.
    pub(super) fn finish(&mut self, (how, at): (End, Mark), mark: Mark, feed: &mut Feed<'_>) {
        self.settle_syn_data(true, mark, false, feed);
        while self.has_hole() {
            self.give_up(mark, false, feed);
        }
        let fin = self.believed_fin().map(|fin| fin.at);
        // One byte acknowledged too much is the place of a FIN that was not captured.
        let acked = || self.aside.as_ref()?.acks.back().map(|&(upto, _)| upto).filter(|&upto| upto > self.offset + 1);
        if let Some(upto) = fin.or_else(acked) {
            self.lose(upto.saturating_sub(self.offset), mark, feed);
        }
        self.end(how, at, feed);
    }

    /// Gives its memory back to the totals.
    pub(super) fn release(&mut self, budget: &mut Budget) {
        if let Some(aside) = &mut self.aside {
            aside.queue.clear(budget);
        }
    }

    fn has_hole(&self) -> bool {
        self.hole_end().is_some()
    }

    /// The stream offset behind the first hole.
    fn hole_end(&self) -> Option<u64> {
        let aside = self.aside.as_ref()?;
        aside.queue.start().or_else(|| self.acknowledged_fin().map(|fin| fin.at).filter(|&at| at > self.offset))
    }

    fn is_final(&self, mark: Mark, one_sided: bool, limits: &Limits) -> bool {
        let Some(aside) = &self.aside else { return false };
        let old = |since: Option<Mark>| {
            since.is_some_and(|since| {
                mark.packet.0.saturating_sub(since.packet.0) >= limits.gap_packets
                    || mark.since(since).is_some_and(|nanos| nanos >= limits.gap_nanos)
            })
        };
        let acked = aside.acks.iter().find(|&&(upto, _)| upto > self.offset).map(|&(_, since)| since);
        // An acknowledgement or a RST counts from when there was a hole for it to cover.
        let covers = |told: Option<Mark>| {
            told.map(|since| aside.waiting.filter(|waiting| waiting.packet > since.packet).unwrap_or(since))
        };
        old(covers(acked))
            || old(covers(aside.reset))
            || one_sided
                && (aside.queue.len() >= limits.one_sided_segments
                    || aside
                        .waiting
                        .and_then(|since| mark.since(since))
                        .is_some_and(|nanos| nanos >= limits.one_sided_nanos))
    }

    fn give_up(&mut self, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        let Some(to) = self.hole_end() else { return };
        self.lose(to.saturating_sub(self.offset), mark, feed);
        self.drain(mark, keep, feed);
    }

    /// Passes over bytes that the capture does not have.
    fn lose(&mut self, len: u64, mark: Mark, feed: &mut Feed<'_>) {
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
        (feed.out)(Input::Gap { dir: feed.dir, offset, len, exact: true, mark });
        self.end_if_reached(feed);
    }

    fn advance(&mut self, len: u64) {
        self.offset += len;
        #[expect(clippy::cast_possible_truncation, reason = "sequence numbers are modulo 2³²")]
        let step = len as u32;
        self.seq = self.seq.plus(step);
        let Some(aside) = &mut self.aside else { return };
        while aside.acks.front().is_some_and(|&(upto, _)| upto <= self.offset) {
            aside.acks.pop_front();
        }
    }

    /// Queues what no queued piece covers yet; the first copy of a byte stays.
    fn enqueue(&mut self, offset: u64, bytes: &[u8], cut: u32, mark: Mark, feed: &mut Feed<'_>) {
        let mut rest = bytes;
        let mut at = offset;
        let Aside { queue, waiting, .. } = self.aside.get_or_insert_default().as_mut();
        while !rest.is_empty() {
            let take = match queue.over(at) {
                Some((start, piece)) => {
                    let covered = (start + piece.len() - at).min(rest.len() as u64);
                    let skip = usize::try_from(at - start).unwrap_or(usize::MAX);
                    let theirs = piece.bytes.iter().skip(skip);
                    if let Some(differs) = theirs.clone().zip(rest).position(|(a, b)| a != b) {
                        let first: Vec<u8> = theirs.skip(differs).take(QUOTED + 1).copied().collect();
                        let brought = piece.brought.packet;
                        let second = rest.get(differs..).unwrap_or_default();
                        conflict(at + differs as u64, (&first, brought), (second, mark), feed);
                    }
                    covered
                }
                None => {
                    let take = queue.free_from(at).min(rest.len() as u64);
                    let (now, _) = rest.split_at(usize::try_from(take).unwrap_or(rest.len()).min(rest.len()));
                    waiting.get_or_insert(mark);
                    queue.insert(at, now, mark, feed.budget);
                    take
                }
            };
            at += take;
            rest = rest.get(usize::try_from(take).unwrap_or(usize::MAX)..).unwrap_or_default();
        }
        let cut = u32::try_from(queue.free_from(at).min(u64::from(cut))).unwrap_or(cut);
        if cut > 0 && queue.over(at).is_none() {
            waiting.get_or_insert(mark);
            queue.insert_cut(at, cut, mark, feed.budget);
        }
    }

    /// Delivers the pieces that are next in order.
    pub(super) fn drain(&mut self, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        while let Some(mut piece) = self.aside.as_mut().and_then(|aside| aside.queue.take(self.offset, feed.budget)) {
            if !piece.bytes.is_empty() {
                self.deliver(piece.bytes.make_contiguous(), piece.brought, mark, keep, feed);
            }
            self.lose(u64::from(piece.cut), mark, feed);
        }
        if let Some(aside) = &mut self.aside
            && aside.queue.is_empty()
        {
            aside.waiting = None;
        }
        self.end_if_reached(feed);
    }

    /// Ends the direction where a FIN stands, and forgets those that bytes have passed.
    fn end_if_reached(&mut self, feed: &mut Feed<'_>) {
        let offset = self.offset;
        let Some(aside) = self.aside.as_mut().filter(|aside| !aside.fins.is_empty()) else { return };
        aside.fins.retain(|fin| fin.at >= offset);
        if let Some(fin) = aside.fins.first().copied().filter(|fin| fin.at == offset) {
            self.end_now(End::Fin, fin.brought, feed);
        }
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
            conflict(offset, (&first, packet), (copy.get(skip..).unwrap_or_default(), mark), feed);
        }
    }

    const fn signed_offset(&self) -> i64 {
        self.offset.cast_signed()
    }
}

/// Says what the bytes of a packet waited for, how long and until which packet, if that is worth telling.
fn waited(brought: PacketNo, (nanos, cause, until): (i64, WaitCause, Mark), mark: Mark, feed: &mut Feed<'_>) {
    if nanos >= NOTICED {
        let wait = Wait { nanos, cause, packet: until.packet };
        (feed.out)(Input::Waited { dir: feed.dir, brought, wait, mark });
    }
}

/// Says that another copy of the bytes from `offset` on differs.
fn conflict(offset: u64, (first, packet): (&[u8], PacketNo), (second, mark): (&[u8], Mark), feed: &mut Feed<'_>) {
    let text = format!(
        "packets {packet} and {} disagree about the bytes from stream offset {offset}; the first is shown",
        mark.packet
    );
    let detail = format!("first {}, second {}", quoted(first), quoted(second));
    odd(NoteCode::TcpOverlap, offset, &text, &detail, mark, feed);
}

fn odd(code: NoteCode, offset: u64, text: &str, detail: &str, mark: Mark, feed: &mut Feed<'_>) {
    (feed.out)(Input::Odd { dir: feed.dir, offset, len: 1, code, text, detail, mark });
}

/// The first bytes of a copy.
fn quoted(bytes: &[u8]) -> String {
    let (first, more) = bytes.split_at(bytes.len().min(QUOTED));
    hex(first) + if more.is_empty() { "" } else { "…" }
}
