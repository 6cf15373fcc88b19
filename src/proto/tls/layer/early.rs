//! 0-RTT data (RFC 8446 §2.3): whether the server takes them, and how to do without them where their secret is missing.

use super::super::half::Cover;
use super::Tls;
use crate::model::{Direction, WhyNot};
use crate::proto::layer::Cx;

impl Tls {
    /// Whether it is not known yet if the server takes the 0-RTT data that may be at hand.
    pub(super) fn waits_with_early_data(&self, dir: Direction, cx: &Cx<'_>) -> bool {
        let half = &self.halves[dir];
        dir == Direction::ToServer
            && !half.impatient
            && self.hello.early_data(&cx.tools.secrets) == Some(true)
            && matches!(&self.halves.to_client.cover, Cover::Sealed(keys) if keys.in_handshake())
            && matches!(&half.cover, Cover::Sealed(keys) if !keys.is_proven())
    }

    /// The server says whether it takes them. They are missed if they cannot be read; what follows can.
    pub(super) fn answer_early_data(&mut self, taken: bool, cx: &Cx<'_>) {
        self.takes_early = taken;
        if taken && self.hello.early_data(&cx.tools.secrets) == Some(false) {
            self.session.why(WhyNot::NoEarly, self.hello.random());
            self.inside.seal(Direction::ToServer);
        }
    }
}
