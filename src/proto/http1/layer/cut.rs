//! Heads of which a part is lost, mostly to a small snap length: what there is of them is used.

use super::{Http1, Side};
use crate::model::{Direction, StartLine};
use crate::proto::layer::Cx;

impl Http1 {
    /// A part of the head at hand is lost; says whether what came of it tells something. What follows the hole may be the rest
    /// of the head or frames.
    pub(super) fn cut(&mut self, dir: Direction, lost: (u64, u64), cx: &mut Cx<'_>) -> bool {
        let Side::Head(reader) = &mut self.sides[dir] else { return false };
        let Some(head) = reader.cut(cx.mark, cx.limits) else { return false };
        match (dir, &head.start) {
            (Direction::ToServer, StartLine::Request { .. }) => self.request(head, cx),
            (Direction::ToClient, &StartLine::Response { status: status @ (101 | 200..), .. }) => {
                self.response(head, status, cx);
            }
            _ => return false,
        }
        self.sides[dir] = Side::Lost;
        self.lost[dir] = Some(lost);
        if dir == Direction::ToClient {
            self.said_all(cx);
        }
        if let Some(inner) = self.inner.take() {
            self.inner = Some(self.tell_lost(dir, inner, cx));
        }
        true
    }
}
