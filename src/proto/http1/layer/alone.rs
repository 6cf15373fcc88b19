//! One direction without the other, of which nothing was captured.

use super::{Http1, Side};
use crate::model::{Closed, Direction, Head, HopKind};
use crate::proto::handshake::tell::{no_answer, tell, unread};
use crate::proto::http1::asked::{Asked, Method, Upgrade};
use crate::proto::http1::lone::Lone;
use crate::proto::layer::{Cx, Hint, Layer};

/// What is said where the answers are missing.
const NO_SERVER: &str = "only the client was captured";

impl Http1 {
    /// Whether what is held in one direction can only be read without the other: nothing at all came from there.
    fn is_alone(&self, dir: Direction) -> bool {
        !self.heard[dir.reverse()] && !self.held[dir].is_empty()
    }

    /// Reads a direction whose other was not captured: answers without requests, or what follows on a request whose answer would
    /// tell what it is: none is read behind such a one before that is settled. Says whether something was settled.
    pub(super) fn go_alone(&mut self, dir: Direction, cx: &mut Cx<'_>) -> bool {
        if !self.is_alone(dir) {
            return false;
        }
        if dir == Direction::ToClient {
            return !std::mem::replace(&mut self.lone_server, true);
        }
        if !self.asked.back().is_some_and(Asked::is_telling) {
            return false;
        }
        let Some(asked) = self.asked.pop_back() else { return false };
        let (held, why) = (&self.held[dir], unread(cx).unwrap_or(NO_SERVER));
        let (asks_on, asks_proxy) = (held.begins_request(), held.begins(b"CONNECT "));
        match asked {
            Asked { upgrade: Some(upgrade), .. } if held.begins_frame(upgrade.handshake.version()) => {
                self.inner = Some(self.unanswered(*upgrade, why, cx));
            }
            // Who speaks HTTP on was refused.
            Asked { upgrade: Some(mut upgrade), .. } if asks_on => {
                upgrade.handshake.accepted = Some(false);
                self.end_unanswered(*upgrade, why, cx);
            }
            Asked { method: Method::Connect, .. } if asks_proxy => {}
            // HTTP in the tunnel is read by this layer: there may be one in the other without end.
            Asked { method: Method::Connect, tunnel, .. } if asks_on => {
                self.requests = 0;
                Self::led_on(tunnel, cx);
            }
            Asked { method: Method::Connect, tunnel, .. } => self.tunnel(tunnel, cx),
            Asked { upgrade: None, .. } if asks_on => {}
            asked => {
                self.asked.push_back(asked);
                return false;
            }
        }
        self.polled_over(cx);
        self.asked.clear();
        true
    }

    /// Opens the WebSocket that was asked for, although its answer was not captured so far.
    pub(super) fn unanswered(&self, upgrade: Upgrade, why: &str, cx: &mut Cx<'_>) -> Box<dyn Layer> {
        let Upgrade { conn, mut handshake } = upgrade;
        let known = handshake.checks.len();
        no_answer(&mut handshake, why);
        tell(conn, &handshake, 0, cx);
        handshake.checks.truncate(known);
        let mut inner = cx.open(Hint::WebSocket { conn, handshake: &handshake });
        for dir in Direction::BOTH {
            inner = self.tell_lost(dir, inner, cx);
        }
        Box::new(Lone::new(Direction::ToClient, conn, handshake, inner))
    }

    /// Tells an upgrade that will have no answer, and came to nothing.
    pub(super) fn end_unanswered(&mut self, upgrade: Upgrade, why: &str, cx: &mut Cx<'_>) {
        let Upgrade { conn, mut handshake } = upgrade;
        no_answer(&mut handshake, why);
        tell(conn, &handshake, 0, cx);
        self.odds.tell(conn, cx);
        cx.closed(conn, &Closed { ends: self.ends, last: cx.last, ..Closed::default() });
    }

    /// A proxy leads on. Where to, the request told, if it was captured.
    fn led_on(to: Option<String>, cx: &mut Cx<'_>) {
        if let Some(to) = to {
            cx.route().push(HopKind::Connect, to);
        }
    }

    /// The same: what runs behind its answer is looked at anew.
    pub(super) fn tunnel(&mut self, to: Option<String>, cx: &mut Cx<'_>) {
        Self::led_on(to, cx);
        let holed = matches!(self.sides.to_server, Side::Lost);
        match cx.inside(if holed { Hint::Holed } else { Hint::Unknown }) {
            Some(inner) => self.inner = Some(inner),
            None => self.leave(cx),
        }
    }
}

/// Whether an answer without its request is that of a proxy which leads on: it announces no content (RFC 9110 §9.3.6).
pub(super) fn opens_tunnel(head: &Head) -> bool {
    const CONTENT: [&str; 3] = ["content-type", "content-length", "transfer-encoding"];
    head.status() == Some(200) && CONTENT.iter().all(|name| head.value(name).is_none())
}
