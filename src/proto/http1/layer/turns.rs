//! Which direction may be read, and which has to wait for the other.

use super::{Http1, Side};
use crate::model::Direction;

impl Http1 {
    /// A client that asked for an upgrade is heard again when the answer is known; an answer waits for its request, which may be
    /// captured after it.
    pub(super) fn must_wait(&self, dir: Direction) -> bool {
        match dir {
            Direction::ToServer => {
                matches!(self.sides[dir], Side::Frames)
                    || !matches!(self.sides[dir], Side::Body(_) | Side::Raw(_))
                        && (self.answering.is_some() || self.asked.iter().any(|asked| asked.is_telling()))
            }
            Direction::ToClient => {
                let asking = self.asked.is_empty() || matches!(self.sides[Direction::ToServer], Side::Raw(_));
                matches!(self.sides[dir], Side::Head(_)) && asking && !self.is_unasked()
            }
        }
    }

    /// Whether the request of an answer may not have been captured.
    pub(super) fn is_unasked(&self) -> bool {
        self.lone_server || matches!(self.sides.to_server, Side::Lost | Side::Frames)
    }
}
