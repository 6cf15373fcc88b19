//! Keys that are not known: waiting for them, doing without, and looking at records from outside.

use super::super::half::Cover;
use super::super::keys::Past;
use super::super::record::{ContentType, Header};
use super::super::tell;
use super::Tls;
use crate::model::{Direction, Span, WhyNot};
use crate::proto::layer::Cx;

/// Records of a direction that wait for keys in any case where there is room: those of the handshake, and what opens a WebSocket.
const KEPT: usize = 16;
/// Memory of a stream that waits for its keys, beside the bytes that it holds.
const WAITING_OVERHEAD: usize = 4096;

impl Tls {
    /// Whether keys are waited for. Then both directions wait: what is said comes in the order in which it was said.
    pub(super) fn lacks_keys(&self) -> bool {
        Direction::BOTH.iter().any(|&dir| self.halves[dir].is_waiting())
    }

    /// Begins to look at it from outside: what it looks like is told if nothing of it can be read.
    pub(super) fn watch(&mut self) {
        let past = self.halves.to_server.past == Past::Handshake;
        self.shape.watch(&self.hello, self.session.outline().alpn.as_deref(), past);
    }

    /// Looks at a record that cannot be read from outside.
    pub(super) fn opaque(&mut self, dir: Direction, header: Header, brought: Option<Span>, cx: &mut Cx<'_>) {
        if header.kind == ContentType::DATA && self.shape.is_watching() {
            let at = brought.map_or(cx.mark, |brought| brought.first);
            self.shape.record(dir, usize::from(header.len), at);
            self.tell_likely(cx);
        }
    }

    /// Tells of a connection, if it looks like one and nothing of it was read; of one that nothing names, that there is one.
    pub(super) fn tell_likely(&mut self, cx: &mut Cx<'_>) {
        let is_shut = Direction::BOTH.iter().all(|&dir| self.halves[dir].is_opaque());
        if !self.shape.is_news() || !is_shut || self.inside.is_open() {
            return;
        }
        if self.session.is_named() {
            let conn = tell::likely(&self.session, &self.shape, cx);
            self.shape.conn = Some(conn);
            self.inside.stands_for(conn);
        } else {
            tell::likely_midway(&self.shape, cx);
            self.shape.forget();
        }
    }

    /// What a direction carries from here on cannot be read: not yet, if the capture may bring what is missing.
    pub(super) fn lack(&mut self, dir: Direction, mut why: WhyNot, cx: &mut Cx<'_>) {
        let may_come = matches!(why, WhyNot::NoKey | WhyNot::OnlyHandshake | WhyNot::OtherSecrets | WhyNot::OneWay(_));
        if may_come && cx.tools.awaits_keys {
            if self.may_wait(cx) {
                self.halves[dir].cover = Cover::Waiting(why);
                self.ask(cx);
                return;
            }
            tell::no_room(self.inside.conn(), cx);
            why = why.too_late();
        }
        self.shut(dir, why);
        let goes_on = match (&self.halves[dir.reverse()].cover, why) {
            // It may have its keys; in a renegotiation it goes on as before, up to its own change of keys.
            (Cover::Sealed(_), _) | (_, WhyNot::OneWay(_) | WhyNot::OnlyHandshake) => true,
            // A hello may come that says what was agreed on.
            (Cover::Clear, WhyNot::NoClientHello | WhyNot::NoServerHello | WhyNot::NoneFits) => true,
            _ => self.is_tried(dir.reverse(), cx),
        };
        if !goes_on {
            self.halves[dir.reverse()].cover = Cover::Opaque;
            self.inside.shut(dir.reverse());
        }
    }

    /// Whether the capture may bring more keys, and there is room for what waits for them.
    pub(super) fn may_wait(&self, cx: &Cx<'_>) -> bool {
        cx.tools.awaits_keys && cx.tools.waiting_bytes <= cx.limits.key_wait_bytes
    }

    /// Wants to be told when secrets come.
    pub(super) fn ask(&mut self, cx: &mut Cx<'_>) {
        if !std::mem::replace(&mut self.asks, true) {
            cx.tools.waiting.push(cx.flow.began);
        }
    }

    /// Nothing that a direction carries is read any more.
    pub(super) fn shut(&mut self, dir: Direction, why: WhyNot) {
        self.session.why(why, self.hello.random());
        self.halves[dir].cover = Cover::Opaque;
        self.inside.shut(dir);
        self.hello.transcript.forget();
        let is_keyless = matches!(why, WhyNot::NoKey | WhyNot::TooLate | WhyNot::OnlyHandshake | WhyNot::OtherSecrets);
        if is_keyless || matches!(why, WhyNot::NoClientHello | WhyNot::NoServerHello | WhyNot::NoneFits) {
            self.watch();
        }
    }

    /// More waits for keys than may: drops what came last, and counts it, to read on behind it when the key comes. Where that does
    /// not suffice, it is not waited for.
    pub(super) fn make_room(&mut self, cx: &mut Cx<'_>) {
        if self.lacks_keys() {
            let any = Direction::BOTH.map(|dir| self.halves[dir].drop_behind(KEPT)).contains(&true);
            self.count_waiting(cx);
            if any && !std::mem::replace(&mut self.dropped, true) {
                tell::dropped(self.inside.conn(), cx);
            }
            if cx.tools.waiting_bytes <= cx.limits.key_wait_bytes {
                return;
            }
        }
        for dir in Direction::BOTH {
            if let Cover::Waiting(why) = &mut self.halves[dir].cover {
                *why = why.too_late();
            }
        }
        tell::no_room(self.inside.conn(), cx);
        self.give_up_trying(cx);
        self.resign(cx);
    }

    /// Keys are not waited for any more.
    pub(super) fn resign(&mut self, cx: &mut Cx<'_>) {
        // Among what one direction has held the other may change its keys as well.
        while self.lacks_keys() {
            for dir in Direction::BOTH {
                if let Cover::Waiting(why) = self.halves[dir].cover {
                    self.shut(dir, why);
                }
            }
            self.release(cx);
        }
        self.asks = false;
        self.release(cx);
    }

    /// Counts the bytes that wait for keys.
    pub(super) fn count_waiting(&mut self, cx: &mut Cx<'_>) {
        let held: usize = Direction::BOTH.iter().map(|&dir| self.halves[dir].held_bytes).sum();
        let waiting = if self.asks { WAITING_OVERHEAD + self.hello.transcript.len() + held } else { 0 };
        cx.tools.waiting_bytes = cx.tools.waiting_bytes.saturating_sub(self.waiting) + waiting;
        self.waiting = waiting;
    }
}
