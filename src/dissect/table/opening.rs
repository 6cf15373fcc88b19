//! The first segments of a stream whose handshake was not seen, kept in case that its beginning comes late.

use crate::model::{Direction, Flags, Limits, Mark, Segment};
use crate::tcp::{Budget, Recalled, Seq};

/// Copies of segments in the order of their capture.
#[derive(Debug, Default)]
pub(super) struct Opening {
    held: Vec<Held>,
    bytes: usize,
    /// Where the lower and the higher end's answers begin, as the first that the other says tells.
    answers: [Option<Seq>; 2],
}

#[derive(Debug)]
struct Held {
    /// The lower end of the flow's key sent it.
    from_low: bool,
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
        from_low: bool,
        segment: &Segment<'_>,
        answer: Option<Seq>,
        limits: &Limits,
        budget: &mut Budget,
    ) -> bool {
        let &Segment { mark, seq, flags, payload, cut, .. } = segment;
        let fin = flags.has(Flags::FIN);
        let [low, high] = &mut self.answers;
        let known = if from_low { high } else { low };
        // Requests may be captured out of order.
        *known = known.filter(|known| answer.is_none_or(|answer| known.since(answer) <= 0)).or(answer);
        if flags.has(Flags::SYN) || payload.is_empty() && cut == 0 && !fin {
            return true;
        }
        self.held.push(Held { from_low, seq: Seq(seq), payload: payload.to_vec(), cut, fin, mark });
        let cost = payload.len() + size_of::<Held>();
        self.bytes += cost;
        budget.opening += cost;
        self.held.len() <= limits.opening_segments
            && self.bytes <= limits.opening_bytes
            && budget.opening <= limits.opening_total
    }

    /// Where the answers of the lower and of the higher end begin.
    pub(super) const fn answers(&self) -> [Option<Seq>; 2] {
        self.answers
    }

    /// Whether something was kept of what that end sent.
    pub(super) fn has(&self, from_low: bool) -> bool {
        self.held.iter().any(|held| held.from_low == from_low)
    }

    /// What was kept. `low_sends` is the direction in which the lower end sends.
    pub(super) fn recalled<'h>(&'h self, low_sends: Direction) -> Vec<Recalled<'h>> {
        let recalled = |held: &'h Held| Recalled {
            dir: if held.from_low { low_sends } else { low_sends.reverse() },
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

/// Whether the segment begins with a request as the first of a WebSocket is.
pub(super) fn is_request(segment: &Segment<'_>) -> bool {
    segment.flags.has(Flags::ACK) && segment.payload.starts_with(b"GET ")
}
