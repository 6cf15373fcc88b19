//! What the receiver of a direction tells: what it has, what it lacks, and how much it will take.

use super::super::queue::Queue;
use super::tell::waited;
use super::{Aside, Feed, Half};
use crate::model::{Limits, Mark, Receipt, WaitCause};
use crate::tcp::seq::Seq;
use std::collections::VecDeque;

/// What the receiver told of what is ahead.
#[derive(Debug, Default)]
pub(super) struct Peer {
    /// What it acknowledged beyond what was delivered, and when it first did: both rise.
    acks: VecDeque<(u64, Mark)>,
    /// What it acknowledged by itself (RFC 2018 §3), as far as it was not captured by then.
    sacks: Vec<Sacked>,
    /// How often it asked for the next byte while something stood behind it.
    asks: u32,
    /// Its window, where that is not as usual.
    window: Option<Window>,
}

/// Bytes ahead that the receiver has.
#[derive(Debug, Clone, Copy)]
struct Sacked {
    from: u64,
    to: u64,
    /// When it said so.
    since: Mark,
}

/// A window that is not as usual (RFC 9293 §3.8.6).
#[derive(Debug, Clone, Copy)]
enum Window {
    /// It is zero, since when.
    Shut(Mark),
    /// It was for so many nanoseconds, and opened when; nothing was sent since.
    Opened(i64, Mark),
}

const ACKS_KEPT: usize = 64;
const SACKS_KEPT: usize = 64;
/// Pieces of a block that are looked at, each time that it is told.
const SACK_STEPS: usize = 64;
/// An acknowledgement is of another stream when it is farther ahead.
pub(super) const ACK_AHEAD: u64 = 64 << 20;
/// As often a receiver asks for a byte before it is taken for lost (RFC 5681 §3.2).
const ASKS: u32 = 3;
/// Who sends no sooner than this behind the opening of a window did not wait for it, in nanoseconds.
const PROMPT: i64 = 1_000_000_000;

impl Peer {
    pub(super) const fn is_quiet(&self) -> bool {
        self.window.is_none()
    }

    /// Whether it takes nothing.
    pub(super) const fn is_shut(&self) -> bool {
        matches!(self.window, Some(Window::Shut(_)))
    }

    /// The furthest that it acknowledged.
    pub(super) fn acked(&self) -> Option<u64> {
        self.acks.back().map(|&(upto, _)| upto)
    }

    /// Whether it acknowledged what ends exactly there.
    pub(super) fn has_acked(&self, upto: u64) -> bool {
        self.acks.iter().any(|&(acked, _)| acked == upto)
    }

    fn acknowledge(&mut self, upto: u64, mark: Mark) {
        if self.acked().is_some_and(|known| upto <= known) {
            return;
        }
        if self.acks.len() >= ACKS_KEPT {
            self.acks.pop_back();
        }
        self.acks.push_back((upto, mark));
    }

    /// Notes that it has the bytes from `at` to before `to`: of those that are queued it needs no telling.
    fn sack(&mut self, mut at: u64, to: u64, queue: &Queue, mark: Mark) {
        for _ in 0..SACK_STEPS {
            if at >= to || self.sacks.len() >= SACKS_KEPT {
                return;
            }
            at = if let Some((start, piece)) = queue.over(at) {
                start + piece.len()
            } else if let Some(known) = self.sacked(at) {
                known.to
            } else {
                let next = self.sacks.iter().map(|known| known.from).filter(|&from| from > at).min();
                let end = at.saturating_add(queue.free_from(at)).min(to).min(next.unwrap_or(to));
                self.sacks.push(Sacked { from: at, to: end, since: mark });
                end
            };
        }
    }

    fn sacked(&self, at: u64) -> Option<&Sacked> {
        self.sacks.iter().find(|sacked| (sacked.from..sacked.to).contains(&at))
    }

    /// Up to where it has all bytes from `at` on, if it has that one, by what it told at times that `count`.
    fn has(&self, at: u64, count: impl Fn(Mark) -> bool) -> Option<u64> {
        let acked = self.acks.iter().rev().find(|&&(_, since)| count(since)).map(|&(upto, _)| upto);
        let mut upto = acked.unwrap_or(at).max(at);
        while let Some(sacked) = self.sacked(upto).filter(|sacked| count(sacked.since)) {
            upto = sacked.to;
        }
        (upto > at).then_some(upto)
    }

    /// What it told of bytes before that offset is past.
    pub(super) fn forget(&mut self, offset: u64) {
        while self.acks.front().is_some_and(|&(upto, _)| upto <= offset) {
            self.acks.pop_front();
        }
        if !self.sacks.is_empty() {
            self.sacks.retain(|sacked| sacked.to > offset);
        }
        self.asks = 0;
    }
}

impl Half {
    /// Notes that the receiver expects `ack` next; `bare`: with a segment that says nothing else.
    #[inline]
    pub(in super::super) fn acknowledged(
        &mut self,
        (ack, bare): (Seq, bool),
        mark: Mark,
        keep: bool,
        feed: &mut Feed<'_>,
    ) {
        // Most acknowledge what was delivered, and nothing waits to hear of it.
        if self.aside.is_some() || ack.since(self.seq) > 0 {
            self.acknowledged_ahead((ack, bare), mark, keep, feed);
        }
    }

    fn acknowledged_ahead(&mut self, (ack, bare): (Seq, bool), mark: Mark, keep: bool, feed: &mut Feed<'_>) {
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
        let offset = self.offset;
        if upto > offset {
            self.aside().peer.acknowledge(upto, mark);
        } else if let Some(aside) = &mut self.aside
            && upto == offset
            && !aside.queue.is_empty()
        {
            aside.peer.asks += u32::from(bare);
        }
    }

    /// Whether the receiver acknowledged bytes that were not delivered, up to that number.
    pub(in super::super) fn is_acknowledged(&self, upto: Seq) -> bool {
        let acked = self.aside.as_ref().and_then(|aside| aside.peer.acked());
        acked.is_some_and(|acked| acked.cast_signed() >= self.signed_offset() + upto.since(self.seq))
    }

    /// Notes that the receiver has a block of bytes ahead. One that it acknowledged before is no news (RFC 2883 §4).
    pub(in super::super) fn sacked(&mut self, (left, right): (Seq, Seq), mark: Mark) {
        let offset = self.signed_offset();
        let [from, to] = [left, right].map(|edge| u64::try_from(offset + edge.since(self.seq)).unwrap_or(0));
        if let Some(Aside { peer, queue, .. }) = self.aside.as_deref_mut()
            && to.saturating_sub(self.offset) <= ACK_AHEAD
        {
            peer.sack(from.max(self.offset), to, queue, mark);
        }
    }

    /// Whether the receiver has the bytes from the next one to `to`.
    pub(super) fn receipt(&self, to: u64) -> Receipt {
        let Some(peer) = self.aside.as_ref().map(|aside| &aside.peer) else { return Receipt::Unknown };
        match peer.has(self.offset, |_| true) {
            Some(upto) if upto >= to => Receipt::Received,
            None if peer.asks >= ASKS => Receipt::Lacked,
            _ => Receipt::Unknown,
        }
    }

    /// Up to where the hole before what is queued is final: its first bytes will not be captured any more (see [`Limits`]).
    pub(super) fn final_end(&self, mark: Mark, one_sided: bool, limits: &Limits) -> Option<u64> {
        let (aside, end) = (self.aside.as_deref()?, self.hole_end()?);
        let old = |since: Mark| {
            mark.packet.0.saturating_sub(since.packet.0) >= limits.gap_packets
                || mark.since(since).is_some_and(|nanos| nanos >= limits.gap_nanos)
        };
        // An acknowledgement or a RST counts from when there was a hole for it to cover.
        let covers = |told: Mark| old(aside.waiting.filter(|waiting| waiting.packet > told.packet).unwrap_or(told));
        let late = |since: Mark| mark.since(since).is_some_and(|nanos| nanos >= limits.one_sided_nanos);
        let alone = one_sided && (aside.queue.len() >= limits.one_sided_segments || aside.waiting.is_some_and(late));
        if alone || aside.reset.is_some_and(covers) {
            return Some(end);
        }
        // What the receiver lacks behind that is still to come, and so may be what it acknowledged just now.
        aside.peer.has(self.offset, covers).map(|upto| upto.min(end))
    }

    /// Notes how much the receiver will take.
    pub(in super::super) fn offered(&mut self, window: u16, mark: Mark) {
        let before = self.aside.as_ref().and_then(|aside| aside.peer.window);
        let now = match (before, window) {
            (None | Some(Window::Opened(..)), 0) => Some(Window::Shut(mark)),
            (Some(Window::Shut(since)), 1..) => mark.since(since).map(|nanos| Window::Opened(nanos, mark)),
            _ => return,
        };
        self.aside().peer.window = now;
    }

    /// Bytes are sent: just behind the opening of a window they waited for it.
    pub(super) fn use_window(&mut self, mark: Mark, feed: &mut Feed<'_>) {
        let Some(aside) = &mut self.aside else { return };
        if let Some(Window::Opened(nanos, at)) = aside.peer.window {
            aside.peer.window = None;
            if mark.since(at).is_some_and(|late| late <= nanos.min(PROMPT)) {
                waited(mark.packet, (nanos, WaitCause::Window, at), mark, feed);
            }
        }
    }
}
