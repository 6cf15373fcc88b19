//! Bytes that were delivered, and sent again because their receiver lacked them: behind the capture the network had lost them.

use super::peer::ACK_AHEAD;
use super::{Aside, Feed, Half};
use crate::model::{Flags, Input, Mark, Segment, Twice, Wait};
use crate::tcp::option::option;
use crate::tcp::seq::Seq;

/// Bytes that were sent again before they were acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Again {
    /// The first of them, and the one behind them: stream offsets.
    from: u64,
    to: u64,
    /// The packet that brought them again.
    mark: Mark,
    /// Its sender's time stamp.
    stamp: Option<u32>,
}

/// Bytes that waited for the same packet.
struct Stretch {
    /// The first: a stream offset.
    from: u64,
    /// The packet that had brought it, as far as that is remembered.
    lost: Option<Mark>,
    /// The packet for which they waited.
    again: Mark,
}

/// How many are kept: as much as one window may lose.
const MOST: usize = 64;

/// Time stamps (RFC 7323 §3.2): the sender's own, and the one that it echoes.
const TIMESTAMPS: u8 = 8;

impl Half {
    /// Notes that the receiver acknowledged what it got up to that number.
    #[inline(always)]
    pub(in super::super) const fn hear(&mut self, ack: Seq) {
        if ack.since(self.acked) > 0 {
            self.acked = ack;
        }
    }

    /// The same of a segment behind which not all was as usual: what was sent again and is acknowledged now was lost before.
    pub(in super::super) fn hear_of(&mut self, segment: &Segment<'_>, feed: &mut Feed<'_>) {
        let ack = Seq(segment.ack);
        let news = ack.since(self.acked) > 0 && ack.since(self.seq) <= ACK_AHEAD.cast_signed();
        if let Some(Aside { again, .. }) = self.aside.as_deref_mut()
            && news
            && !again.is_empty()
        {
            let upto = self.offset.saturating_add_signed(ack.since(self.seq));
            let mut answered: Vec<_> = again.extract_if(.., |again| again.from < upto).collect();
            // What is behind the acknowledgement is still lacked.
            again.extend(answered.iter().filter(|again| again.to > upto).map(|again| Again { from: upto, ..*again }));
            let echo = stamps(segment).map(|[_, echo]| echo);
            answered.retain(|again| !again.is_spurious(echo));
            answered.sort_by_key(|again| (again.from, again.mark.packet));
            self.tell_resent(&answered, upto, segment.mark, feed);
        }
        if news {
            self.acked = ack;
        }
    }

    /// Each byte waited for the last of what came again of it and of the bytes before it; what a packet had brought may come again in
    /// pieces.
    fn tell_resent(&self, answered: &[Again], upto: u64, mark: Mark, feed: &mut Feed<'_>) {
        let mut stretches: Vec<Stretch> = Vec::new();
        for again in answered {
            let before = stretches.last_mut();
            let last = before.as_ref().map(|before| before.again).filter(|last| last.packet > again.mark.packet);
            let last = last.unwrap_or(again.mark);
            let lost = feed.budget.recent.brought(self.last, again.from, feed.limits);
            match before {
                Some(before) if before.from == again.from || lost.is_some() && lost == before.lost => {
                    before.again = last
                }
                _ => stretches.push(Stretch { from: again.from, lost, again: last }),
            }
        }
        let ends = stretches.iter().skip(1).map(|next| next.from).chain([upto]);
        for (&Stretch { from: offset, lost, again }, end) in stretches.iter().zip(ends) {
            if let Some(lost) = lost
                && again.since(lost).is_some_and(|nanos| nanos >= Wait::NOTICED)
            {
                (feed.out)(Input::Resent { dir: feed.dir, offset, len: end - offset, lost, again, mark });
            }
        }
    }

    /// Takes note of bytes that come again while no acknowledgement of them was seen.
    ///
    /// One that is captured twice is not sent twice; the last byte alone asks whether the other end is there, and who may send nothing
    /// asks with bytes that are not taken. Where no acknowledgement was seen so far, they may not be captured.
    pub(in super::super) fn note_again(&mut self, seq: Seq, segment: &Segment<'_>) {
        let len = self.seq.since(seq).min(segment.payload.len() as i64);
        let lacked = self.acked.since(seq).max(0);
        let is_probe = segment.payload.len() == 1 && seq.plus(1) == self.seq;
        let is_shut = self.aside.as_ref().is_some_and(|aside| aside.peer.is_shut());
        if len <= lacked || is_probe || is_shut || segment.twice != Twice::No || self.acked == self.first() {
            return;
        }
        let at = self.place(seq);
        let [from, to] = [at + lacked, at + len].map(|offset| u64::try_from(offset).unwrap_or(0));
        let stamp = stamps(segment).map(|[own, _]| own);
        let again = &mut self.aside().again;
        if again.len() >= MOST {
            again.remove(0);
        }
        again.push(Again { from, to, mark: segment.mark, stamp });
    }
}

impl Again {
    /// Whether an acknowledgement that echoes this time stamp answers what was sent before it: it was not needed (RFC 3522 §3.2).
    fn is_spurious(&self, echo: Option<u32>) -> bool {
        let early = |(own, echo): (u32, u32)| Seq(echo).since(Seq(own)) < 0;
        self.stamp.zip(echo).is_some_and(early)
    }
}

/// The time stamp of a segment, and the one that it echoes.
fn stamps(segment: &Segment<'_>) -> Option<[u32; 2]> {
    let option = option(segment.options(), TIMESTAMPS).filter(|_| segment.flags.has(Flags::ACK))?;
    let &[own, echo] = option.as_chunks().0 else { return None };
    Some([own, echo].map(u32::from_be_bytes))
}
