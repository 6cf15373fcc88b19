//! Pings and pongs that cannot be read (RFC 6455 §5.5.2): where nothing is known of a session but the lengths of its records, they
//! alone show what runs inside.

use crate::model::{Both, Direction, Mark};

/// Bytes that the shortest record of data is longer than what it carries: AEAD up to TLS 1.2 with a nonce, without one, TLS 1.3.
const OVERHEADS: [usize; 3] = [24, 16, 17];
/// An empty ping of who does not mask, and of the client, who does.
const BARE: usize = 2;
const MASKED: usize = 6;
/// Nanoseconds within which an answer comes, and that lie between two pings.
const PROMPT: i64 = 10_000_000_000;
const APART: i64 = 1_000_000_000;
/// So many are no chance: hardly any other protocol asks with two bytes and answers with six.
const LEAST: u32 = 4;
/// Records that are looked at.
const MOST: u32 = 4096;

/// Empty pings that were answered.
#[derive(Debug, Default)]
pub(super) struct Beats {
    records: u32,
    /// The last record, if it may be a ping: who sent it, its length, and when.
    asked: Option<(Direction, usize, Mark)>,
    /// When the last ping was answered of which the answer, or the ping, was masked by this end; and how many were.
    last: Both<Option<Mark>>,
    answered: Both<u32>,
}

impl Beats {
    /// Takes a record of data with a fragment of that length; false when there were too many without pings.
    pub(super) fn record(&mut self, dir: Direction, len: usize, at: Mark) -> bool {
        let carries = |len: usize, content: usize| OVERHEADS.iter().position(|overhead| overhead + content == len);
        if let Some((asker, asked, when)) = self.asked.take()
            && asker != dir
            && at.since(when).is_some_and(|late| late <= PROMPT)
        {
            let (bare, masked, masker) = if asked < len { (asked, len, dir) } else { (len, asked, asker) };
            let is_beat = carries(bare, BARE).is_some_and(|kind| carries(masked, MASKED) == Some(kind));
            let is_apart = self.last[masker].and_then(|last| when.since(last)).is_none_or(|since| since >= APART);
            if is_beat && is_apart {
                self.last[masker] = Some(at);
                self.answered[masker] += 1;
            }
        } else if carries(len, BARE).is_some() || carries(len, MASKED).is_some() {
            self.asked = Some((dir, len, at));
        }
        self.records += 1;
        self.records < MOST
    }

    /// How many pings were answered, if they are enough.
    pub(super) fn enough(&self) -> Option<u32> {
        let most = self.answered.to_server.max(self.answered.to_client);
        (most >= LEAST).then_some(most)
    }
}
