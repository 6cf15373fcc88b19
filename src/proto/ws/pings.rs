//! Pings that wait for their pong (RFC 6455 §5.5.2–3).

use crate::model::Mark;
use std::collections::VecDeque;

/// The unanswered pings of one direction, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pings(VecDeque<(Box<[u8]>, Mark)>);

impl Pings {
    /// Remembers a ping; the oldest is forgotten when there are more than `bound`.
    pub(super) fn sent(&mut self, payload: &[u8], mark: Mark, bound: usize) {
        if self.0.len() >= bound {
            self.0.pop_front();
        }
        self.0.push_back((payload.into(), mark));
    }

    /// Nanoseconds since the oldest ping with the pong's payload. Older ones were skipped, as RFC 6455 §5.5.3 allows.
    pub(super) fn answered(&mut self, payload: &[u8], mark: Mark) -> Option<i64> {
        let at = self.0.iter().position(|(sent, _)| **sent == *payload)?;
        let (_, sent) = self.0.drain(..=at).next_back()?;
        mark.since(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PacketNo, Timestamp};

    #[test]
    fn pairs_by_payload_oldest_first() {
        let at = |nanos| Mark { packet: PacketNo(1), time: Some(Timestamp::from_nanos(nanos)) };
        let mut pings = Pings::default();
        for (payload, nanos) in [(&b"a"[..], 1), (b"", 2), (b"", 4), (b"b", 8)] {
            pings.sent(payload, at(nanos), 4);
        }
        assert_eq!(pings.answered(b"", at(10)), Some(8));
        assert_eq!(pings.answered(b"a", at(10)), None, "skipped by the pong before");
        assert_eq!(pings.answered(b"", at(10)), Some(6));
        assert_eq!(pings.answered(b"", at(10)), None);
        assert_eq!(pings.answered(b"b", at(10)), Some(2));
    }
}
