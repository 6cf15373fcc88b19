//! Pings that wait for their pong (RFC 6455 §5.5.2–3).

use crate::model::Mark;
use std::collections::VecDeque;

/// The unanswered pings of one direction, oldest first, and pongs of the other that repeat none of them.
///
/// All packets are those that carried the frames: a hole may hold a frame up, so that it is told after its answer.
#[derive(Debug, Default)]
pub(super) struct Pings {
    waiting: VecDeque<Ping>,
    /// Pings that wait too but are too many to be remembered.
    beyond: u64,
    /// The oldest of those, if there are some.
    oldest: Option<(Mark, u64)>,
    /// The first pong that came while a ping waited and repeats none: its packet and its message.
    stray: Option<(Mark, u64)>,
    /// The last pongs that repeat no ping known so far.
    early: VecDeque<Frame>,
}

#[derive(Debug)]
struct Ping {
    frame: Frame,
    /// Its pong may be among bytes that were lost.
    doubtful: bool,
}

#[derive(Debug)]
struct Frame {
    payload: Box<[u8]>,
    mark: Mark,
    msg: u64,
}

/// What a pong means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Answer {
    /// Nanoseconds since the ping that it answers.
    pub(super) rtt: Option<i64>,
    /// A pong before it that came while a ping waited and was no answer, though that ping will get none any more.
    pub(super) mismatch: Option<(Mark, u64)>,
}

/// Bytes of a payload that are compared: control frames have no more (RFC 6455 §5.5).
const COMPARED: usize = 125;

impl Pings {
    /// Remembers a ping; the oldest is only counted when there are more than `bound`.
    pub(super) fn sent(&mut self, payload: &[u8], mark: Mark, msg: u64, bound: usize) {
        let frame = Frame::new(payload, mark, msg);
        let is_answer = |pong: &Frame| pong.mark.packet > mark.packet && pong.payload == frame.payload;
        if self.early.back().is_some_and(|pong| pong.mark.packet > mark.packet)
            && let Some(at) = self.early.iter().position(is_answer)
        {
            let pong = self.early.remove(at);
            // What it skipped is not waited for either.
            (self.waiting, self.beyond, self.oldest) = (VecDeque::new(), 0, None);
            self.stray = self.stray.filter(|stray| pong.is_none_or(|pong| stray.1 != pong.msg));
            return;
        }
        if self.waiting.len() >= bound
            && let Some(ping) = self.waiting.pop_front()
        {
            self.beyond += u64::from(!ping.doubtful);
            if !ping.doubtful {
                self.oldest.get_or_insert((ping.frame.mark, ping.frame.msg));
            }
        }
        self.waiting.push_back(Ping { frame, doubtful: false });
    }

    /// Takes a pong: it answers the oldest ping with its payload. Older ones were skipped, as RFC 6455 §5.5.3 allows.
    pub(super) fn answered(&mut self, payload: &[u8], mark: Mark, msg: u64, bound: usize) -> Answer {
        let pong = Frame::new(payload, mark, msg);
        let fits = |ping: &Ping| ping.frame.mark.packet < mark.packet && ping.frame.payload == pong.payload;
        let Some(at) = self.waiting.iter().position(fits) else {
            // Without a ping that waits it is a heartbeat of its sender's own.
            if self.first().is_some_and(|(ping, _)| ping.packet < mark.packet) {
                self.stray.get_or_insert((mark, msg));
            }
            if self.early.len() >= bound {
                self.early.pop_front();
            }
            self.early.push_back(pong);
            return Answer::default();
        };
        let waited =
            |stray: (Mark, u64), ping: Option<(Mark, u64)>| ping.is_some_and(|ping| ping.0.packet < stray.0.packet);
        let first = self.first();
        let ping = self.waiting.drain(..=at).next_back().map(|ping| (ping.frame.mark, ping.frame.msg));
        (self.beyond, self.oldest) = (0, None);
        let skipped = first.filter(|_| first != ping);
        let mismatch = self.stray.filter(|&stray| waited(stray, skipped));
        let left = self.first();
        self.stray = self.stray.filter(|&stray| mismatch.is_none() && waited(stray, left));
        Answer { rtt: ping.and_then(|(ping, _)| mark.since(ping)), mismatch }
    }

    /// The pongs for the pings so far may be among bytes that were lost.
    pub(super) fn doubt_pongs(&mut self) {
        self.waiting.iter_mut().for_each(|ping| ping.doubtful = true);
        (self.beyond, self.oldest, self.stray) = (0, None, None);
    }

    /// The pings that the pongs so far answer may be among bytes that were lost.
    pub(super) fn doubt_pings(&mut self) {
        self.stray = None;
    }

    /// How many pings wait, and the first of them; those aside whose pongs may be lost.
    pub(super) fn unanswered(&self) -> Option<(u64, Mark, u64)> {
        let count = self.waiting.iter().filter(|ping| !ping.doubtful).count() as u64 + self.beyond;
        self.first().map(|(mark, msg)| (count, mark, msg))
    }

    /// A pong that came while pings waited, and after which none was answered.
    pub(super) const fn stray(&self) -> Option<(Mark, u64)> {
        self.stray
    }

    /// The first ping that waits for certain.
    fn first(&self) -> Option<(Mark, u64)> {
        let known = || self.waiting.iter().find(|ping| !ping.doubtful);
        self.oldest.or_else(|| known().map(|ping| (ping.frame.mark, ping.frame.msg)))
    }
}

impl Frame {
    fn new(payload: &[u8], mark: Mark, msg: u64) -> Self {
        Self { payload: payload.get(..COMPARED).unwrap_or(payload).into(), mark, msg }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PacketNo, Timestamp};

    fn at(nanos: i64) -> Mark {
        Mark { packet: PacketNo(nanos.unsigned_abs()), time: Some(Timestamp::from_nanos(nanos)) }
    }

    fn rtt(pings: &mut Pings, payload: &[u8], nanos: i64) -> Option<i64> {
        pings.answered(payload, at(nanos), nanos.unsigned_abs(), 4).rtt
    }

    #[test]
    fn pairs_by_payload_oldest_first() {
        let mut pings = Pings::default();
        for (payload, nanos) in [(&b"a"[..], 1), (b"", 2), (b"", 4), (b"b", 8)] {
            pings.sent(payload, at(nanos), 0, 4);
        }
        assert_eq!(rtt(&mut pings, b"", 10), Some(8));
        assert_eq!(rtt(&mut pings, b"a", 10), None, "skipped by the pong before");
        assert_eq!(rtt(&mut pings, b"", 10), Some(6));
        assert_eq!(rtt(&mut pings, b"", 10), None);
        assert_eq!(rtt(&mut pings, b"b", 10), Some(2));
    }

    #[test]
    fn counts_those_that_wait() {
        let mut pings = Pings::default();
        assert_eq!(pings.unanswered(), None);
        for n in 1..=7 {
            pings.sent(&[n], at(n.into()), n.into(), 4);
        }
        assert_eq!(pings.unanswered(), Some((7, at(1), 1)), "also those that are too many to be remembered");
        rtt(&mut pings, &[6], 20);
        assert_eq!(pings.unanswered(), Some((1, at(7), 7)));
        rtt(&mut pings, &[7], 21);
        assert_eq!(pings.unanswered(), None);
    }

    #[test]
    fn strays_are_pongs_while_pings_wait() {
        let mut pings = Pings::default();
        rtt(&mut pings, b"heartbeat", 1);
        assert_eq!(pings.stray(), None);
        pings.sent(b"a", at(2), 2, 4);
        rtt(&mut pings, b"b", 3);
        assert_eq!(pings.stray(), Some((at(3), 3)));
        assert_eq!(pings.answered(b"a", at(4), 4, 4), Answer { rtt: Some(2), mismatch: None });
        assert_eq!(pings.stray(), None, "the answer came after all");
    }

    #[test]
    fn a_stray_in_place_of_an_answer_is_told() {
        let mut pings = Pings::default();
        pings.sent(b"a", at(1), 1, 4);
        rtt(&mut pings, b"x", 2);
        pings.sent(b"b", at(3), 3, 4);
        assert_eq!(pings.answered(b"b", at(4), 4, 4), Answer { rtt: Some(1), mismatch: Some((at(2), 2)) });
        assert_eq!((pings.stray(), pings.unanswered()), (None, None));
        // Skipped, but the stray came before: a heartbeat.
        rtt(&mut pings, b"x", 5);
        pings.sent(b"c", at(6), 6, 4);
        pings.sent(b"d", at(7), 7, 4);
        assert_eq!(pings.answered(b"d", at(8), 8, 4), Answer { rtt: Some(1), mismatch: None });
    }

    #[test]
    fn what_a_hole_holds_up_is_paired_by_its_packets() {
        let mut pings = Pings::default();
        rtt(&mut pings, b"late", 5);
        pings.sent(b"late", at(3), 3, 4);
        assert_eq!(pings.unanswered(), None, "its pong was told before it");
        rtt(&mut pings, b"same", 6);
        pings.sent(b"same", at(8), 8, 4);
        assert_eq!(pings.unanswered(), Some((1, at(8), 8)), "a pong before it on the wire is none of its own");
        assert_eq!(rtt(&mut pings, b"same", 7), None);
    }

    #[test]
    fn pongs_may_be_lost() {
        let mut pings = Pings::default();
        pings.sent(b"a", at(1), 1, 4);
        pings.doubt_pongs();
        pings.sent(b"b", at(2), 2, 4);
        assert_eq!(pings.unanswered(), Some((1, at(2), 2)));
        assert_eq!(rtt(&mut pings, b"a", 3), Some(2), "it may still come");
    }
}
