//! How a stream becomes a WebSocket, or fails to.

use super::{Asked, Early, Phase, Refusing, Stream, carry};
use crate::model::{Both, ConnId, Direction, Handshake, Head, Input, Version};
use crate::proto::handshake::excerpt::Excerpt;
use crate::proto::handshake::held::Held;
use crate::proto::handshake::tell::{no_answer, tell, tell_unasked, tell_unknown};
use crate::proto::handshake::was_early;
use crate::proto::http2::connect::{self, Asks, Setting};
use crate::proto::layer::{Cx, Hint, Next, feed};

/// What a head takes beside its fields, and a field beside what it says.
const FIXED: usize = 1 << 10;
const OVERHEAD: usize = 64;

impl Stream {
    /// A head behind its first: the request of an early answer, or the answer. Others are trailers.
    pub(in crate::proto::http2) fn head(
        &mut self,
        dir: Direction,
        head: Head,
        ends: bool,
        setting: Setting,
        cx: &mut Cx<'_>,
    ) {
        match (std::mem::replace(&mut self.phase, Phase::Plain), dir) {
            (Phase::Early(early), Direction::ToServer) => {
                let Early { head: answer, held } = *early;
                match connect::asks(&head, ends) {
                    Asks::WebSocket => {
                        self.first = head.span.first;
                        self.ask(head, held, cx);
                        self.answered(answer, ends, setting, cx);
                    }
                    Asks::Perhaps => {
                        let known = connect::asked(head, cx.ends(), cx.tls.is_some());
                        self.guess(known, answer, held, cx);
                    }
                    Asks::Other => self.release(cx),
                }
            }
            (phase @ Phase::Asked(_), Direction::ToClient) => {
                self.phase = phase;
                match head.status() {
                    Some(0) => self.unanswered("its status is lost", setting, cx),
                    _ => self.answered(head, ends, setting, cx),
                }
            }
            // What is known in part is known better, before any DATA.
            (phase @ Phase::Open(_), _) if self.conn.is_none() && self.data == Both::default() => {
                self.phase = phase;
                match dir {
                    Direction::ToServer if connect::asks(&head, ends) == Asks::WebSocket => {
                        let answer = self.known.take().and_then(|known| known.response);
                        self.give_up(cx);
                        self.ask(head, Both::default(), cx);
                        if let Some(answer) = answer {
                            self.answered(answer, false, setting, cx);
                        }
                    }
                    Direction::ToClient => {
                        let known = self.known.take().map(|known| *known).unwrap_or_default();
                        self.give_up(cx);
                        self.guess(known, head, Both::default(), cx);
                    }
                    Direction::ToServer => {}
                }
            }
            (phase, _) => self.phase = phase,
        }
    }

    /// The request of an answer that came is lost: the answer, or DATA, tell what it is.
    pub(in crate::proto::http2) fn lose_request(&mut self, cx: &mut Cx<'_>) {
        match std::mem::replace(&mut self.phase, Phase::Plain) {
            Phase::Early(early) => {
                let Early { head, held } = *early;
                self.guess(Handshake::default(), head, held, cx);
            }
            phase => self.phase = phase,
        }
    }

    /// Guesses by an answer what was asked for, of which no more is known than that; where it does not tell, DATA do.
    fn guess(&mut self, mut known: Handshake, answer: Head, held: Both<Held>, cx: &mut Cx<'_>) {
        self.release(cx);
        if connect::answers(&answer) {
            return self.unasked(known, answer, held, cx);
        }
        if !connect::may_answer(&answer) {
            return;
        }
        for head in [known.request.as_ref(), Some(&answer)].into_iter().flatten() {
            self.charge(head, cx);
        }
        connect::answered(&mut known, answer, None, cx.ends());
        self.known = Some(Box::new(known));
        self.seek(cx);
        for (dir, held) in [(Direction::ToServer, held.to_server), (Direction::ToClient, held.to_client)] {
            for piece in held.into_pieces(cx.mark) {
                self.input(piece.input(dir, cx.mark), cx);
            }
        }
    }

    /// No frames are looked for any more.
    fn give_up(&mut self, cx: &mut Cx<'_>) {
        if let Phase::Open(mut layer) = std::mem::replace(&mut self.phase, Phase::Plain) {
            layer.over(&mut cx.in_stream(self.id, &self.first, self.last));
        }
        self.turned = false;
        self.release(cx);
    }

    /// Opens the connection that a request asks for.
    pub(super) fn ask(&mut self, head: Head, held: Both<Held>, cx: &mut Cx<'_>) {
        let inner = &mut cx.in_stream(self.id, &self.first, self.last);
        let handshake = connect::asked(head, inner.ends(), inner.tls.is_some());
        self.conn = Some(inner.opened(handshake.url.clone(), Some("h2"), Version::default(), self.first));
        if let Some(head) = &handshake.request {
            self.charge(head, cx);
        }
        self.phase = Phase::Asked(Box::new(Asked { handshake, held }));
    }

    /// A head is held while it waits for what is to come.
    pub(super) fn charge(&mut self, head: &Head, cx: &mut Cx<'_>) {
        let fields = head.headers.iter().map(|(name, value)| OVERHEAD + name.len() + value.len());
        let held = FIXED + fields.sum::<usize>();
        self.pending += held;
        cx.tools.pending += held;
    }

    /// What it held while it waited is not held any more.
    pub(super) const fn release(&mut self, cx: &mut Cx<'_>) {
        cx.tools.pending = cx.tools.pending.saturating_sub(self.pending);
        self.pending = 0;
    }

    /// What was asked for is answered; `ends`: nothing more comes from the server.
    pub(super) fn answered(&mut self, head: Head, ends: bool, setting: Setting, cx: &mut Cx<'_>) {
        let (Phase::Asked(asked), Some(conn)) = (std::mem::replace(&mut self.phase, Phase::Refused), self.conn) else {
            return;
        };
        let Asked { mut handshake, held } = *asked;
        connect::judge_setting(&mut handshake, setting);
        if !connect::accepts(&head) {
            self.release(cx);
            for head in [handshake.request.as_ref(), Some(&head)].into_iter().flatten() {
                self.charge(head, cx);
            }
            let excerpt = if ends { None } else { Excerpt::of(&head, cx.limits.refusal_bytes) };
            let is_said = excerpt.is_none();
            let excerpt = excerpt.unwrap_or_default();
            self.phase = Phase::Refusing(Box::new(Refusing { handshake, head, excerpt }));
            if is_said {
                self.refuse(cx);
            }
            return;
        }
        let early = held.to_server.bytes_before((head.span.first.packet, head.end()));
        let inner = &mut cx.in_stream(self.id, &self.first, self.last);
        connect::answered(&mut handshake, head, None, inner.ends());
        if early > 0 {
            was_early(&mut handshake, early);
        }
        tell(conn, &handshake, 0, inner);
        tell_unknown(conn, &handshake, inner);
        self.open(conn, &handshake, held, cx);
    }

    /// Tells a refusal, with what its body says.
    pub(super) fn refuse(&mut self, cx: &mut Cx<'_>) {
        let phase = std::mem::replace(&mut self.phase, Phase::Refused);
        let (Phase::Refusing(refusing), Some(conn)) = (phase, self.conn) else { return };
        let Refusing { mut handshake, head, excerpt } = *refusing;
        self.release(cx);
        let inner = &mut cx.in_stream(self.id, &self.first, self.last);
        connect::answered(&mut handshake, head, Some(&excerpt.said()), inner.ends());
        tell(conn, &handshake, 0, inner);
    }

    /// Opens the WebSocket of an answer of whose request no more was captured than is known.
    fn unasked(&mut self, mut handshake: Handshake, head: Head, held: Both<Held>, cx: &mut Cx<'_>) {
        let inner = &mut cx.in_stream(self.id, &self.first, self.last);
        let conn = inner.opened(handshake.url.clone(), Some("h2"), Version::default(), self.first);
        self.conn = Some(conn);
        connect::answered(&mut handshake, head, None, inner.ends());
        tell(conn, &handshake, 0, inner);
        tell_unknown(conn, &handshake, inner);
        if handshake.request.is_none() {
            tell_unasked(conn, inner);
        }
        self.open(conn, &handshake, held, cx);
    }

    /// Opens the WebSocket that was asked for, although its answer was not captured.
    pub(super) fn unanswered(&mut self, why: &str, setting: Setting, cx: &mut Cx<'_>) {
        let (Phase::Asked(asked), Some(conn)) = (std::mem::replace(&mut self.phase, Phase::Refused), self.conn) else {
            return;
        };
        let Asked { mut handshake, held } = *asked;
        connect::judge_setting(&mut handshake, setting);
        let known = handshake.checks.len();
        no_answer(&mut handshake, why);
        let inner = &mut cx.in_stream(self.id, &self.first, self.last);
        tell(conn, &handshake, 0, inner);
        handshake.checks.truncate(known);
        self.open(conn, &handshake, held, cx);
    }

    /// Reads what was held as frames, and what comes behind it.
    fn open(&mut self, conn: ConnId, handshake: &Handshake, held: Both<Held>, cx: &mut Cx<'_>) {
        self.release(cx);
        let inner = &mut cx.in_stream(self.id, &self.first, self.last);
        let (turned, mark) = (inner.swapped, inner.mark);
        if inner.tools.tells_carried {
            for (dir, bytes, brought) in connect::as_http1(handshake, self.id, self.first) {
                carry(Some(conn), Input::Data { dir, offset: 0, bytes: &bytes, brought, mark }, inner);
            }
        }
        let mut layer = inner.open(Hint::WebSocket { conn, handshake });
        let Both { to_server, to_client } = held;
        let pieces = [(Direction::ToServer, to_server), (Direction::ToClient, to_client)];
        for (dir, held) in pieces {
            for piece in held.into_pieces(mark) {
                let input = piece.input(dir, mark);
                carry(Some(conn), input, inner);
                let Next::Become(next) = feed(layer, turned, [input], inner) else { return };
                layer = next;
            }
        }
        let ends = self.ends;
        let ends = ends.in_order().map(|(dir, how, mark)| Input::End { dir, how, mark });
        if let Next::Become(layer) = feed(layer, turned, ends, inner) {
            (self.phase, self.turned) = (Phase::Open(layer), inner.swapped != turned);
        }
    }
}
