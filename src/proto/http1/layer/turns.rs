//! Which direction may be read, and which has to wait for the other.

use super::{Http1, Side, begins_head};
use crate::model::{Direction, Mark};
use crate::proto::layer::{Cx, Next};

impl Http1 {
    /// A client that asked for an upgrade is heard again when the answer is known; an answer waits for its request, which may be
    /// captured after it. `brought`: the packet with what is to be read.
    pub(super) fn must_wait(&self, dir: Direction, brought: Mark, cx: &Cx<'_>) -> bool {
        match dir {
            Direction::ToServer => {
                matches!(self.sides[dir], Side::Frames)
                    || !matches!(self.sides[dir], Side::Body(_) | Side::Raw(_))
                        && (self.answering.is_some() || self.asked.iter().any(|asked| asked.is_telling()))
            }
            Direction::ToClient => {
                let asking = self.asked.is_empty() || matches!(self.sides[Direction::ToServer], Side::Raw(_));
                matches!(self.sides[dir], Side::Head(_)) && asking && (!self.is_unasked() || self.lags(brought, cx))
            }
        }
    }

    /// Whether the client may have said something before that packet that is still to come: it is queued behind a hole.
    fn lags(&self, brought: Mark, cx: &Cx<'_>) -> bool {
        !self.lone_server && cx.flow.waits && self.upto < brought.packet
    }

    /// Whether the request of an answer may not have been captured.
    pub(super) fn is_unasked(&self) -> bool {
        self.lone_server || matches!(self.sides.to_server, Side::Lost | Side::Frames)
    }

    /// The client said something: where that is no request behind a hole, what was answered before may open what it is for.
    pub(super) fn catch_up(&mut self, dir: Direction, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) -> Next {
        if dir == Direction::ToClient {
            return Next::Read;
        }
        self.upto = self.upto.max(brought.packet);
        let is_other = matches!(self.sides[dir], Side::Lost) && self.held[dir].is_empty() && !begins_head(dir, bytes);
        if is_other { self.pump(cx) } else { Next::Read }
    }
}
