//! One direction of a TCP stream.

use super::queue::Queue;
use super::recent::{Conflict, Recent};
use super::seq::Seq;
use crate::model::{Direction, End, Input, Limits, Mark, NoteCode, PacketNo, count};
use std::collections::VecDeque;
use std::fmt::Write as _;

/// What all streams together have queued and remember, in bytes.
#[derive(Debug, Default, Clone, Copy)]
pub struct Budget {
    /// Out-of-order data.
    pub queued: usize,
    /// Delivered data kept for comparison.
    pub recent: usize,
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
    recent: Recent,
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
    /// The FIN, once it was seen.
    fin: Option<Fin>,
    /// When a RST was seen.
    reset: Option<Mark>,
    /// Data on the SYN, which counts only if the peer acknowledges it (RFC 7413).
    on_syn: Option<(Vec<u8>, Mark)>,
    /// The last holes that were given up: offset and length.
    gaps: VecDeque<(u64, u64)>,
}

/// The end of a stream, which may lie behind a hole.
#[derive(Debug, Clone, Copy)]
struct Fin {
    /// Where the stream ends.
    at: u64,
    /// The packet that carried it.
    brought: Mark,
    /// Since when it has been waited for what lies before it.
    since: Mark,
}

const ACKS_KEPT: usize = 64;
const ACK_AHEAD: u64 = 64 << 20;
const GAPS_KEPT: usize = 16;
/// How far a RST may stand from the next byte and still be believed: the largest usual window.
const RESET_WINDOW: i64 = 1 << 20;
/// Bytes of each copy that a conflict quotes.
const QUOTED: usize = 64;

impl Half {
    /// A direction whose first byte has the sequence number `seq`.
    pub(super) fn new(seq: Seq) -> Self {
        Self { offset: 0, seq, ended: false, recent: Recent::default(), aside: None }
    }

    fn aside(&mut self) -> &mut Aside {
        self.aside.get_or_insert_default()
    }

    /// Whether a segment with this sequence number could belong here: near the next byte.
    pub(super) fn fits(&self, seq: Seq) -> bool {
        seq.since(self.seq).abs() <= RESET_WINDOW
    }

    /// Whether the segment is exactly the next one, with nothing queued: the usual case.
    pub(super) fn is_next(&self, seq: Seq) -> bool {
        seq == self.seq && self.aside.as_ref().is_none_or(|aside| aside.queue.is_empty() && aside.on_syn.is_none())
    }

    /// Whether nothing is queued and no end is known.
    pub(super) fn is_quiet(&self) -> bool {
        self.aside.as_ref().is_none_or(|aside| aside.queue.is_empty() && aside.fin.is_none())
    }

    /// Whether everything before `ack` was delivered, and nothing waits to hear of it.
    pub(super) fn has_delivered(&self, ack: Seq) -> bool {
        ack.since(self.seq) <= 0 && self.aside.as_ref().is_none_or(|aside| aside.on_syn.is_none())
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
    pub(super) fn deliver(&mut self, bytes: &[u8], brought: Mark, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        let offset = self.offset;
        self.advance(bytes.len() as u64);
        if let Some(Fin { since, .. }) = self.aside.as_mut().and_then(|aside| aside.fin.as_mut()) {
            // While bytes come in order, an end ahead of them, which may be forged, makes no hole final.
            *since = mark;
        }
        (feed.out)(Input::Data { dir: feed.dir, offset, bytes, brought, mark });
        if keep && feed.budget.recent < feed.limits.overlap_total {
            feed.budget.recent += self.recent.push(offset, bytes, brought.packet, feed.limits.overlap_window);
        }
    }

    /// Takes a segment's payload wherever it stands: delivers, queues, or compares it with what is known.
    pub(super) fn data(&mut self, seq: Seq, bytes: &[u8], cut: u32, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        self.settle_syn_data(seq.since(self.seq) + self.signed_offset() > 0, mark, keep, feed);
        let at = self.signed_offset() + seq.since(self.seq);
        let known = usize::try_from(self.signed_offset().saturating_sub(at)).unwrap_or(0).min(bytes.len());
        if known > 0 {
            self.compare_old(at, bytes.get(..known).unwrap_or_default(), mark, feed);
        }
        let bytes = bytes.get(known..).unwrap_or_default();
        let Ok(at) = u64::try_from(at.saturating_add_unsigned(known as u64)) else { return };
        if at == self.offset && self.aside.as_ref().is_none_or(|aside| aside.queue.is_empty()) {
            if !bytes.is_empty() {
                self.deliver(bytes, mark, mark, keep, feed);
            }
            self.lose(u64::from(cut), mark, feed);
        } else if at >= self.offset {
            self.enqueue(at, bytes, cut, mark, feed);
            self.drain(mark, keep, feed);
        }
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
    pub(super) fn acknowledged(&mut self, ack: Seq, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        let ahead = ack.since(self.seq);
        self.settle_syn_data(ahead > 0, mark, keep, feed);
        let Ok(upto) = u64::try_from(self.signed_offset() + ack.since(self.seq)) else { return };
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
        if at >= self.offset {
            self.aside().fin.get_or_insert(Fin { at, brought: mark, since: mark });
            self.end_if_reached(feed);
        }
    }

    /// Takes a RST from this direction's sender; true when it stands near enough to be believed.
    pub(super) fn rst(&mut self, seq: Seq, mark: Mark) -> bool {
        let believed = self.fits(seq);
        if believed {
            self.aside().reset.get_or_insert(mark);
        }
        believed
    }

    /// Ends the direction at once, when it has not ended, or by the FIN that was seen of it; what is queued stays.
    pub(super) fn end(&mut self, how: End, mark: Mark, feed: &mut Feed<'_>) {
        if !self.ended {
            self.ended = true;
            let fin = self.aside.as_ref().and_then(|aside| aside.fin);
            let (how, mark) = fin.map_or((how, mark), |fin| (End::Fin, fin.brought));
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

    /// Delivers all that is there, holes or not, and ends the direction.
    pub(super) fn finish(&mut self, how: End, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
        self.settle_syn_data(true, mark, keep, feed);
        while self.has_hole() {
            self.give_up(mark, keep, feed);
        }
        // One byte acknowledged too much is the place of a FIN that was not captured.
        if let Some(aside) = &self.aside
            && aside.fin.is_none()
            && let Some(&(upto, _)) = aside.acks.back()
            && upto > self.offset + 1
        {
            self.lose(upto - self.offset, mark, feed);
        }
        self.end(how, mark, feed);
    }

    /// Gives its memory back to the totals.
    pub(super) fn release(&mut self, budget: &mut Budget) {
        self.forget(budget);
        if let Some(aside) = &mut self.aside {
            aside.queue.clear(budget);
        }
    }

    /// Forgets the delivered bytes: nobody will compare them.
    pub(super) fn forget(&mut self, budget: &mut Budget) {
        budget.recent = budget.recent.saturating_sub(self.recent.clear());
    }

    fn has_hole(&self) -> bool {
        self.hole_end().is_some()
    }

    /// The stream offset behind the first hole.
    fn hole_end(&self) -> Option<u64> {
        let aside = self.aside.as_ref()?;
        let fin = aside.fin.map(|fin| fin.at).filter(|&at| at > self.offset);
        aside.queue.start().or(fin)
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
        // An acknowledgement counts from when there was a hole for it to cover.
        let acked = acked.map(|since| match aside.waiting {
            Some(waiting) if waiting.packet > since.packet => waiting,
            _ => since,
        });
        old(acked)
            || old(aside.fin.map(|fin| fin.since))
            || old(aside.reset)
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
    fn drain(&mut self, mark: Mark, keep: bool, feed: &mut Feed<'_>) {
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

    fn end_if_reached(&mut self, feed: &mut Feed<'_>) {
        if let Some(fin) = self.aside.as_ref().and_then(|aside| aside.fin).filter(|fin| fin.at <= self.offset) {
            self.end(End::Fin, fin.brought, feed);
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
        if let Some(Conflict { offset, first, packet }) = self.recent.conflict(at, copy, QUOTED + 1) {
            let skip = usize::try_from(offset - at).unwrap_or(usize::MAX);
            conflict(offset, (&first, packet), (copy.get(skip..).unwrap_or_default(), mark), feed);
        }
    }

    const fn signed_offset(&self) -> i64 {
        self.offset.cast_signed()
    }
}

/// Says that another copy of the bytes from `offset` on differs.
fn conflict(offset: u64, (first, packet): (&[u8], PacketNo), (second, mark): (&[u8], Mark), feed: &mut Feed<'_>) {
    let text = format!(
        "packets {packet} and {} disagree about the bytes from stream offset {offset}; the first is shown",
        mark.packet
    );
    let mut detail = String::from("first ");
    push_hex(&mut detail, first);
    detail.push_str(", second ");
    push_hex(&mut detail, second);
    odd(NoteCode::TcpOverlap, offset, &text, &detail, mark, feed);
}

fn odd(code: NoteCode, offset: u64, text: &str, detail: &str, mark: Mark, feed: &mut Feed<'_>) {
    (feed.out)(Input::Odd { dir: feed.dir, offset, len: 1, code, text, detail, mark });
}

fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes.iter().take(QUOTED) {
        let _ = write!(out, "{byte:02x}");
    }
    if bytes.len() > QUOTED {
        out.push('…');
    }
}
