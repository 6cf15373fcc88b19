//! Answers to upgrade requests: what has to be there before they are told, and what comes of them.

use super::alone::opens_tunnel;
use super::{Http1, Side};
use crate::model::{ConnId, Direction, Handshake, Head, Note, NoteCode, Version, hex};
use crate::proto::handshake::excerpt::Excerpt;
use crate::proto::handshake::tell::{limited, tell, tell_unasked, tell_unknown};
use crate::proto::handshake::{is_switch, was_early};
use crate::proto::http1::asked::{Answering, Upgrade};
use crate::proto::http1::body::Body;
use crate::proto::http1::draft::{self, Raw};
use crate::proto::http1::lone::Lone;
use crate::proto::http1::upgrade;
use crate::proto::layer::{Cx, Hint};

impl Http1 {
    /// An upgrade has its answer, but for raw bytes behind the head where the version has some, and for a refusal's body.
    pub(super) fn answering(&mut self, upgrade: Upgrade, head: Head, switching: bool, cx: &mut Cx<'_>) {
        // What waited for an answer that came in pieces may have been sent behind its beginning.
        let early = self.held.to_server.bytes_before((head.span.first.packet, head.end()));
        let early = (switching && early > 0).then_some(early);
        let version = match upgrade.handshake.request {
            Some(_) => upgrade.handshake.version(),
            None => Version::answered(&head).unwrap_or_default(),
        };
        let raw = if switching && head.whole { draft::raw_behind(&head, version) } else { 0 };
        let has_body = matches!(self.sides.to_client, Side::Body(_));
        let excerpt = if has_body { Excerpt::of(&head, cx.limits.refusal_bytes) } else { None };
        let waits = raw > 0 || excerpt.is_some();
        let answering = Answering { upgrade, head, early, excerpt };
        if raw > 0 {
            self.sides[Direction::ToClient] = Side::Raw(Raw::new(raw));
        }
        match waits {
            true => self.answering = Some(Box::new(answering)),
            false => self.answer(answering, None, cx),
        }
    }

    /// An answer whose request was not captured: it may open a WebSocket, or lead on to another server.
    pub(super) fn unasked(&mut self, head: Head, switching: bool, cx: &mut Cx<'_>) {
        let is_unasked = self.is_unasked();
        self.leads_on = is_unasked && opens_tunnel(&head);
        self.sides[Direction::ToClient] = match Body::of(&head, false) {
            Some(body) if !self.leads_on => Side::Body(body),
            _ => Side::default(),
        };
        if let Some(version) = upgrade::answers(&head).filter(|_| switching && is_unasked) {
            let conn = cx.opened(None, Some("http/1.1"), version, *cx.flow.first);
            return self.answering(Upgrade { conn, handshake: Handshake::default() }, head, switching, cx);
        }
        match head.status() {
            Some(101) => self.leave(cx),
            _ => self.release_frames(),
        }
    }

    /// Passes over the answer to a request that was lost. Since others followed, it did not last until the end of the connection.
    pub(super) fn pass_answer(&mut self, head: &Head) {
        let body = Body::of(head, false).filter(|body| *body != Body::UntilEnd);
        self.sides[Direction::ToClient] = body.map_or_else(Side::default, Side::Body);
    }

    /// Judges an upgrade by its answer, and opens the WebSocket.
    pub(super) fn answer(&mut self, answering: Answering, raw: Option<&[u8]>, cx: &mut Cx<'_>) {
        let Answering { upgrade: Upgrade { conn, mut handshake }, head, early, excerpt } = answering;
        if let Some(text) = limited(&head, cx) {
            cx.note(conn, &Note { text: &text, ..Note::new(NoteCode::HttpLimit, cx.mark) });
        }
        let switching = head.status() == Some(101) && is_switch(&head);
        let said = excerpt.map(|excerpt| excerpt.said());
        upgrade::answered(&mut handshake, head, raw.map(hex), said.as_ref(), cx.ends());
        if let Some(bytes) = early {
            was_early(&mut handshake, bytes);
        }
        tell(conn, &handshake, 0, cx);
        if !switching {
            self.refused(conn, cx);
            return;
        }
        let version = handshake.version();
        if version != Version::Rfc6455 {
            let name = version.name();
            let text =
                format!("the connection speaks {name}, a draft before RFC 6455; it is judged by the draft's rules");
            cx.note(conn, &Note { text: &text, ..Note::new(NoteCode::HsDraft, cx.mark) });
        }
        tell_unknown(conn, &handshake, cx);
        let inner = cx.open(Hint::WebSocket { conn, handshake: &handshake });
        let inner = self.tell_lost(Direction::ToServer, inner, cx);
        let lone = self.lone_server && !self.heard.to_server;
        if handshake.request.is_none() && !lone {
            tell_unasked(conn, cx);
        }
        self.inner = Some(match lone {
            true => Box::new(Lone::new(Direction::ToServer, conn, handshake, inner)),
            false => inner,
        });
    }

    /// The server says no more that matters: a refusal is told with what it said, and an answer that is no HTTP.
    pub(super) fn said_all(&mut self, cx: &mut Cx<'_>) {
        if let Some(answering) = self.answering.take_if(|answering| answering.excerpt.is_some()) {
            self.answer(*answering, None, cx);
        }
        let side = &mut self.sides[Direction::ToClient];
        if let Side::Foreign(foreign) = side {
            let check = foreign.check();
            *side = Side::Lost;
            if let Some(Upgrade { conn, mut handshake }) =
                self.asked.pop_front().and_then(|asked| asked.upgrade).map(|upgrade| *upgrade)
            {
                handshake.accepted = Some(false);
                handshake.checks.push(check);
                tell(conn, &handshake, 0, cx);
                self.refused(conn, cx);
            }
        }
    }

    /// An upgrade was refused: what is said of the stream is about it until the next request.
    fn refused(&mut self, conn: ConnId, cx: &mut Cx<'_>) {
        self.odds.tell(conn, cx);
        self.refused = Some(conn);
    }

    /// Whether the server's first bytes are to be the answer to an upgrade request.
    pub(super) fn awaits_first_answer(&self, cx: &Cx<'_>) -> bool {
        self.answers == 0 && cx.flow.from_start && self.asked.front().is_some_and(|asked| asked.upgrade.is_some())
    }
}
