//! Pings that wait for their pong (RFC 6455 §5.5.2–3).

use crate::model::Mark;
use std::collections::VecDeque;

/// The unanswered pings of one direction, oldest first, and a pong that answers none of them.
#[derive(Debug, Default)]
pub(super) struct Pings {
    waiting: VecDeque<Ping>,
    /// Pings that wait too but are too many to be remembered.
    beyond: u64,
    /// The oldest ping that waits: its packet and its message.
    oldest: Option<(Mark, u64)>,
    /// The first pong since then that repeats none of them: its packet and its message.
    stray: Option<(Mark, u64)>,
}

#[derive(Debug)]
struct Ping {
    payload: Box<[u8]>,
    mark: Mark,
    msg: u64,
}

impl Pings {
    /// Remembers a ping; the oldest is only counted when there are more than `bound`.
    pub(super) fn sent(&mut self, payload: &[u8], mark: Mark, msg: u64, bound: usize) {
        if self.waiting.len() >= bound && self.waiting.pop_front().is_some() {
            self.beyond += 1;
        }
        self.waiting.push_back(Ping { payload: payload.into(), mark, msg });
        self.oldest.get_or_insert((mark, msg));
    }

    /// Nanoseconds since the oldest ping with the pong's payload. Older ones were skipped, as RFC 6455 §5.5.3 allows.
    pub(super) fn answered(&mut self, payload: &[u8], mark: Mark, msg: u64) -> Option<i64> {
        let Some(at) = self.waiting.iter().position(|ping| *ping.payload == *payload) else {
            // Without a ping that waits it is a heartbeat of its sender's own.
            if self.oldest.is_some() {
                self.stray.get_or_insert((mark, msg));
            }
            return None;
        };
        let ping = self.waiting.drain(..=at).next_back()?;
        (self.beyond, self.stray) = (0, None);
        self.oldest = self.waiting.front().map(|ping| (ping.mark, ping.msg));
        mark.since(ping.mark)
    }

    /// How many pings wait, and the first of them.
    pub(super) fn unanswered(&self) -> Option<(u64, Mark, u64)> {
        self.oldest.map(|(mark, msg)| (self.waiting.len() as u64 + self.beyond, mark, msg))
    }

    /// A pong that came while pings waited, and after which none was answered.
    pub(super) const fn stray(&self) -> Option<(Mark, u64)> {
        self.stray
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PacketNo, Timestamp};

    fn at(nanos: i64) -> Mark {
        Mark { packet: PacketNo(nanos.unsigned_abs()), time: Some(Timestamp::from_nanos(nanos)) }
    }

    #[test]
    fn pairs_by_payload_oldest_first() {
        let mut pings = Pings::default();
        for (payload, nanos) in [(&b"a"[..], 1), (b"", 2), (b"", 4), (b"b", 8)] {
            pings.sent(payload, at(nanos), 0, 4);
        }
        assert_eq!(pings.answered(b"", at(10), 0), Some(8));
        assert_eq!(pings.answered(b"a", at(10), 0), None, "skipped by the pong before");
        assert_eq!(pings.answered(b"", at(10), 0), Some(6));
        assert_eq!(pings.answered(b"", at(10), 0), None);
        assert_eq!(pings.answered(b"b", at(10), 0), Some(2));
    }

    #[test]
    fn counts_those_that_wait() {
        let mut pings = Pings::default();
        assert_eq!(pings.unanswered(), None);
        for n in 1..=7 {
            pings.sent(&[n], at(n.into()), n.into(), 4);
        }
        assert_eq!(pings.unanswered(), Some((7, at(1), 1)), "also those that are too many to be remembered");
        pings.answered(&[6], at(20), 8);
        assert_eq!(pings.unanswered(), Some((1, at(7), 7)));
        pings.answered(&[7], at(21), 9);
        assert_eq!(pings.unanswered(), None);
    }

    #[test]
    fn strays_are_pongs_while_pings_wait() {
        let mut pings = Pings::default();
        pings.answered(b"heartbeat", at(1), 1);
        assert_eq!(pings.stray(), None);
        pings.sent(b"a", at(2), 2, 4);
        pings.answered(b"b", at(3), 3);
        assert_eq!(pings.stray(), Some((at(3), 3)));
        pings.answered(b"a", at(4), 4);
        assert_eq!(pings.stray(), None, "the answer came after all");
    }
}
