//! Requests that wait for their answers.

use crate::model::{ConnId, Handshake, Head, PacketNo};
use crate::proto::handshake::excerpt::Excerpt;
use crate::proto::handshake::polled::Polled;

/// A request that waits for its answer.
pub(super) struct Asked {
    pub(super) method: Method,
    /// Where a CONNECT is to lead.
    pub(super) tunnel: Option<String>,
    /// Requests before it were lost: what was captured before that packet may be their answers.
    pub(super) since: Option<PacketNo>,
    pub(super) upgrade: Option<Box<Upgrade>>,
    /// What is known of it, where it is one of a session's other transports.
    pub(super) polled: Option<Box<Polled>>,
    /// Its head, if that does not tell whether it asks for a WebSocket: the answer will.
    pub(super) unsure: Option<Box<Head>>,
}

impl Asked {
    /// Whether its answer tells what the client's next bytes are.
    pub(super) fn is_telling(&self) -> bool {
        self.upgrade.is_some() || self.unsure.is_some() || self.method == Method::Connect
    }

    /// Whether an answer is to a request before it that was lost.
    pub(super) fn is_behind(&self, answer: &Head) -> bool {
        self.since.is_some_and(|since| answer.span.first.packet < since)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Head,
    Connect,
    Other,
}

/// A request for a WebSocket, and what is known of its handshake.
pub(super) struct Upgrade {
    pub(super) conn: ConnId,
    pub(super) handshake: Handshake,
}

/// An upgrade, the head of its answer, and what else is to be known before it is judged.
pub(super) struct Answering {
    pub(super) upgrade: Upgrade,
    pub(super) head: Head,
    /// How many bytes the client sent before an answer that accepts, if it did.
    pub(super) early: Option<u64>,
    /// The beginning of a refusal's body.
    pub(super) excerpt: Option<Excerpt>,
}
