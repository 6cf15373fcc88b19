//! Where a direction waits for the other: a capture may have them in another order than that in which they were said.

use super::super::half::Cover;
use super::super::keys::Keys;
use super::super::record::{ContentType, Header};
use super::Tls;
use crate::model::Direction;
use crate::proto::layer::Cx;

impl Tls {
    /// Whether a direction's record cannot be read yet.
    pub(super) fn must_wait(&self, dir: Direction, header: Header, cx: &Cx<'_>) -> bool {
        if self.lacks_keys() || header.kind == ContentType::DATA && self.is_tried(dir, cx) {
            return true;
        }
        let (half, other) = (&self.halves[dir], &self.halves[dir.reverse()]);
        let hopeless = cx.tools.secrets.is_empty() && !cx.tools.awaits_keys;
        // Another of which nothing was seen so far may yet come: two captures that are merged need not agree on the time.
        let in_vain = hopeless || half.impatient || other.impatient || other.is_opaque();
        match &half.cover {
            Cover::Clear if !in_vain => self.waits_for_hello(dir, header.kind, cx),
            Cover::Sealed(keys) if !in_vain && !self.hello.is_1_3() => self.waits_to_renew(dir, header.kind, keys, cx),
            _ => self.waits_with_early_data(dir, cx),
        }
    }

    /// Whether the first keys of a direction hang on what the other has not said yet.
    fn waits_for_hello(&self, dir: Direction, kind: ContentType, cx: &Cx<'_>) -> bool {
        let other = &self.halves[dir.reverse()];
        match dir {
            Direction::ToServer => {
                self.hello.client.is_some()
                    && self.hello.server.is_none()
                    && !matches!(kind, ContentType::HANDSHAKE | ContentType::ALERT)
            }
            Direction::ToClient if kind == ContentType::HANDSHAKE => {
                self.hello.client.is_none() && other.brought.is_none()
            }
            Direction::ToClient => matches!(other.cover, Cover::Clear) && self.hello.lacks_exchange(&cx.tools.secrets),
        }
    }

    /// Whether a renegotiation (RFC 5246 §7.4.1.1) must not begin yet in a direction, since the other still needs the hellos before it
    /// for its keys, or must not end, since what the other has to say of it did not come.
    fn waits_to_renew(&self, dir: Direction, kind: ContentType, keys: &Keys, cx: &Cx<'_>) -> bool {
        let (half, other) = (&self.halves[dir], &self.halves[dir.reverse()]);
        match kind {
            // The first that its keys seal is the Finished of the handshake before.
            ContentType::HANDSHAKE => {
                let is_behind = matches!(other.cover, Cover::Clear) || other.renegotiates;
                is_behind && keys.is_proven() && !half.renegotiates
            }
            ContentType::CHANGE_CIPHER_SPEC if dir == Direction::ToServer => {
                self.hello.client.is_some() && self.hello.server.is_none()
            }
            ContentType::CHANGE_CIPHER_SPEC => {
                self.hello.client.is_none() || self.hello.lacks_exchange(&cx.tools.secrets)
            }
            _ => false,
        }
    }
}
