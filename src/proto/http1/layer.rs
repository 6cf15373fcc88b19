//! Requests and answers on one connection, until one of them opens a WebSocket.

mod alone;
mod answer;
mod cut;
mod polling;
mod turns;

use super::asked::{Answering, Asked, Method, Upgrade};
use super::body::Body;
use super::draft::{self, Raw};
use super::foreign::{self, Foreign};
use super::head::{HeadReader, Step};
use super::odds::Odds;
use super::upgrade;
use crate::model::{
    Both, Closed, ConnId, Direction, Ends, Head, Input, Mark, Note, NoteCode, PacketNo, StartLine, Unseen, Version,
    count,
};
use crate::proto::handshake::held::{Held, begins_frames};
use crate::proto::handshake::polled::Polled;
use crate::proto::handshake::tell::{limited, unread};
use crate::proto::handshake::{doctor, is_switch};
use crate::proto::layer::{Cx, Hint, Layer, Next, feed};
use std::collections::VecDeque;

/// One HTTP/1.x connection.
///
/// ```text
/// to server:  Head ▸ Body ▸ Head ▸ … ▸ Head (upgrade) ▸ held until the answer ─┬▶ inner
/// to client:  held until a request ▸ Head ▸ Body ▸ …  ▸ Head (101) ────────────┘
/// ```
///
/// An upgrade that is refused is told when the beginning of the refusal's body is there, which may say why.
///
/// Where one direction was not captured at all, the other is not held for ever: see [`Http1::is_alone`].
#[derive(Default)]
pub struct Http1 {
    sides: Both<Side>,
    held: Both<Held>,
    /// Requests without a final answer, oldest first.
    asked: VecDeque<Asked>,
    requests: u64,
    answers: u64,
    /// The last hole in each direction that cost its place: offset and length.
    lost: Both<Option<(u64, u64)>>,
    /// The directions in which any byte came.
    heard: Both<bool>,
    /// Where in each direction bytes of TLS are not verified: from the first to the last of them.
    unverified: Both<Option<(u64, u64)>>,
    /// What else the transport said of the bytes so far.
    odds: Odds,
    /// The client was not captured: answers are read without their requests.
    lone_server: bool,
    /// The last answer, whose request was not captured, may be that of a proxy which leads on.
    leads_on: bool,
    /// An upgrade whose answer has bytes behind its head that are being read.
    answering: Option<Box<Answering>>,
    /// A request of a session whose answer is being read.
    polled: Option<Box<Polled>>,
    /// A refused upgrade that lasts until the next request.
    refused: Option<ConnId>,
    ends: Ends,
    /// What is to be said of a CONNECT whose proxy wants credentials, unless the client asks again.
    blocked: Option<String>,
    /// The connection speaks something that is not read here.
    left: bool,
    /// The last packet that brought bytes of the client.
    upto: PacketNo,
    /// The client's bytes are read again behind a hole that cost their place.
    resumed: bool,
    inner: Option<Box<dyn Layer>>,
}

/// Where one direction stands.
enum Side {
    Head(HeadReader),
    Body(Body),
    /// The bytes of a challenge, or of its answer.
    Raw(Raw),
    /// An answer to an upgrade request that is no HTTP.
    Foreign(Foreign),
    /// Begins with frames: its request was not captured, and the answer is awaited.
    Frames,
    /// Lost its place: waits for a packet that begins like a head.
    Lost,
}

impl Default for Side {
    fn default() -> Self {
        Self::Head(HeadReader::default())
    }
}

/// Requests without an answer that are remembered.
const ASKED_MAX: usize = 1024;
/// Held pieces of one direction after which the other is taken for not captured, if nothing came from it.
const ALONE_PIECES: usize = 64;

impl Layer for Http1 {
    fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) -> Next {
        match input {
            Input::Data { dir, offset, bytes, brought, .. } => {
                let turned = cx.swapped;
                self.heard[dir] = true;
                match self.catch_up(dir, bytes, brought, cx) {
                    Next::Become(inner) => return feed(inner, turned, [input], cx),
                    Next::Nothing => return Next::Nothing,
                    Next::Read | Next::Skim => {}
                }
                self.data(dir, offset, bytes, brought, cx);
                let is_alone = self.held[dir].pieces.len() >= ALONE_PIECES && cx.flow.one_sided;
                if is_alone || cx.unseen(dir.reverse()) == Some(Unseen::NotDecrypted) {
                    self.go_alone(dir, cx);
                }
                return self.pump(cx);
            }
            Input::Gap { dir, offset, len, exact, receipt, mark } => {
                if self.must_wait(dir, mark, cx) || !self.held[dir].is_empty() {
                    self.held[dir].lose(offset, (len, exact), receipt, mark, cx.limits.early_bytes);
                } else {
                    let rest = self.gap(dir, offset, (len, exact), cx);
                    if rest > 0 {
                        let at = offset + len - rest;
                        self.held[dir].lose(at, (rest, exact), receipt, mark, cx.limits.early_bytes);
                    }
                    return self.pump(cx);
                }
            }
            Input::End { dir, how, mark } => {
                self.ends.add(dir, how, mark);
                if let Some(conn) = self.refused {
                    cx.ends_at(conn, mark);
                }
                if dir == Direction::ToClient {
                    self.said_all(cx);
                    return self.pump(cx);
                }
            }
            Input::Waited { dir, brought, wait, .. } => self.odds.keep_wait(dir, brought, wait),
            // What HTTP says waits for nobody here.
            Input::Resent { .. } => {}
            Input::Odd { dir, offset, len, code: NoteCode::TlsUnverified, .. } => {
                let (first, _) = *self.unverified[dir].get_or_insert((offset, 0));
                self.unverified[dir] = Some((first, offset.saturating_add(len)));
            }
            Input::Odd { dir, offset, len, code, text, detail, .. } => {
                self.odds.keep(dir, (offset, len), (code, text, detail));
                if let Some(conn) = self.refused {
                    self.odds.tell(conn, cx);
                }
            }
        }
        self.next(cx)
    }

    fn over(&mut self, cx: &mut Cx<'_>) {
        // A challenge that never came whole keeps its answer waiting no longer.
        if matches!(self.sides.to_server, Side::Raw(_)) {
            if self.heard.to_client {
                self.raw_done(Direction::ToServer, cx);
            }
            self.sides.to_server = Side::Lost;
        }
        // What is told makes way for what waits behind it.
        loop {
            let goes_on = Direction::BOTH.map(|dir| self.go_alone(dir, cx)).contains(&true);
            self.said_all(cx);
            if let Some(answering) = self.answering.take() {
                self.answer(*answering, None, cx);
            }
            if let Next::Become(mut inner) = self.pump(cx) {
                return inner.over(cx);
            }
            if !goes_on && self.answering.is_none() && !matches!(self.sides.to_client, Side::Foreign(_)) {
                break;
            }
        }
        self.close_refused(cx);
        if let Some(how) = self.blocked.take() {
            cx.proxy_refused(&how);
        }
        let end = unread(cx).map(str::to_owned).or_else(|| self.ends.words());
        let end = end.unwrap_or_else(|| "the capture ends before it".to_owned());
        let came = match &self.sides.to_client {
            Side::Head(reader) if !reader.is_fresh() => {
                format!("only {} of its head came; ", count(reader.seen(), "byte"))
            }
            _ => String::new(),
        };
        self.close_asked(&came, &end, cx);
    }
}

impl Http1 {
    fn next(&self, cx: &Cx<'_>) -> Next {
        match (&self.sides.to_server, &self.sides.to_client) {
            // A refused upgrade has still to be closed when the stream ends, and one without an answer to be told.
            (Side::Lost, Side::Lost)
                if self.refused.is_none() && self.asked.iter().all(|asked| asked.upgrade.is_none()) =>
            {
                match self.left {
                    true => Next::Nothing,
                    false => Next::Become(cx.open(Hint::Holed)),
                }
            }
            (Side::Head(_) | Side::Frames, _) | (_, Side::Head(_)) => Next::Read,
            _ => Next::Skim,
        }
    }

    /// Reads an input as far as it may be read now, and holds the rest.
    fn data(&mut self, dir: Direction, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        let used = if self.held[dir].is_empty() { self.read(dir, offset, bytes, brought, cx) } else { 0 };
        let rest = bytes.get(used..).unwrap_or_default();
        if !rest.is_empty() {
            let heard = cx.flow.heard.filter(|_| brought == cx.mark);
            self.held[dir].push(offset + used as u64, rest, (brought, heard), cx.limits.early_bytes);
        }
    }

    /// Reads what is held, now that it may be clear what it is; once there is an inner layer, it gets the rest and this one's place.
    fn pump(&mut self, cx: &mut Cx<'_>) -> Next {
        loop {
            let mut progress = false;
            for dir in Direction::BOTH {
                if let Some(inner) = self.inner.take() {
                    return self.step_aside(inner, cx);
                }
                while let Some(mut piece) = self.held[dir].pieces.pop_front() {
                    if piece.lost > 0 && !self.must_wait(dir, piece.brought, cx) && self.inner.is_none() {
                        progress = true;
                        let rest = self.gap(dir, piece.offset, (piece.lost, piece.exact), cx);
                        if rest > 0 {
                            piece.offset += piece.lost - rest;
                            piece.lost = rest;
                            self.held[dir].pieces.push_front(piece);
                        }
                        continue;
                    }
                    let bytes = piece.bytes.get(piece.read..).unwrap_or_default();
                    let used = self.read(dir, piece.offset + piece.read as u64, bytes, piece.brought, cx);
                    progress |= used > 0;
                    if used < bytes.len() || piece.lost > 0 {
                        piece.read += used;
                        self.held[dir].pieces.push_front(piece);
                        break;
                    }
                }
                let held = &self.held[dir];
                let is_cut = held.pieces.is_empty() && held.dropped > 0;
                if is_cut && self.inner.is_none() && !self.must_wait(dir, cx.mark, cx) {
                    let Held { dropped, end, .. } = std::mem::take(&mut self.held[dir]);
                    let rest = self.gap(dir, end, (dropped, true), cx);
                    if rest > 0 {
                        self.held[dir].overflow(end + dropped - rest, rest);
                    }
                }
            }
            if !progress && self.inner.is_none() {
                return self.next(cx);
            }
        }
    }

    /// Gives what is held to the layer that goes on.
    fn step_aside(&mut self, inner: Box<dyn Layer>, cx: &mut Cx<'_>) -> Next {
        let (turned, mark) = (cx.swapped, cx.mark);
        let unverified = Direction::BOTH.into_iter().filter_map(|dir| {
            let ((offset, end), code) = (self.unverified[dir]?, NoteCode::TlsUnverified);
            Some(Input::Odd { dir, offset, len: end - offset, code, text: "", detail: "", mark })
        });
        let mut next = feed(inner, turned, unverified.chain(self.odds.inputs(mark)), cx);
        for dir in Direction::BOTH {
            for piece in std::mem::take(&mut self.held[dir]).into_pieces(mark) {
                let Next::Become(inner) = next else { return next };
                next = feed(inner, turned, [piece.input(dir, mark)], cx);
            }
        }
        // TCP may have ended while the handshake was waited for: a direction that has does not end again.
        let ends = self.ends.in_order().map(|(dir, how, mark)| Input::End { dir, how, mark });
        match next {
            Next::Become(inner) => feed(inner, turned, ends, cx),
            next => next,
        }
    }

    /// Reads bytes until they end, or until the direction must wait for the other; returns how many were used.
    fn read(&mut self, dir: Direction, offset: u64, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) -> usize {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.inner.is_some() || self.must_wait(dir, brought, cx) {
                return at;
            }
            let may_be_foreign = dir == Direction::ToClient && self.awaits_first_answer(cx);
            let leads_on = dir == Direction::ToClient && self.leads_on;
            match &mut self.sides[dir] {
                Side::Head(reader)
                    if dir == Direction::ToServer
                        && self.requests == 0
                        && !cx.flow.from_start
                        && reader.is_fresh()
                        && begins_frames(rest) =>
                {
                    self.sides[dir] = Side::Frames;
                }
                // No layer is opened for HTTP in a tunnel, which this one can read: there may be one in the other without end.
                Side::Head(reader) if leads_on && reader.is_fresh() && !reader.may_begin(foreign::HTTP, rest) => {
                    self.tunnel(None, cx);
                }
                Side::Head(reader) if may_be_foreign && !reader.may_begin(foreign::HTTP, rest) => {
                    self.sides[dir] = Side::Foreign(Foreign::new(&reader.take()));
                }
                Side::Head(reader) => match reader.push(rest, offset + at as u64, brought, cx.limits) {
                    Step::More => return bytes.len(),
                    Step::Done(Some(head), used) => {
                        at += used;
                        self.head(dir, head, cx);
                    }
                    step @ (Step::TooLong | Step::Done(None, _)) => {
                        let used = if let Step::Done(_, used) = step { used } else { rest.len() };
                        self.sides[dir] = Side::Lost;
                        self.lost[dir] = Some((offset + at as u64, used as u64));
                        if dir == Direction::ToClient {
                            self.lose_answer("what came makes no sense", cx);
                        }
                        if self.inner.is_none() {
                            return bytes.len();
                        }
                        at += used;
                    }
                },
                Side::Body(body) => {
                    let answering = self.answering.as_mut().filter(|_| dir == Direction::ToClient);
                    let mut excerpt = answering.and_then(|answering| answering.excerpt.as_mut());
                    let mut polled = polling::at_hand(dir, &mut self.polled, &mut self.asked);
                    let (used, over) = body.read(rest, |content| {
                        if let Some(excerpt) = &mut excerpt {
                            excerpt.push(content);
                        }
                        match (&mut polled, dir) {
                            (Some(polled), Direction::ToServer) => polled.sent(content, brought),
                            (Some(polled), Direction::ToClient) => {
                                polled.received(content, brought, cx.limits.answer_bytes);
                            }
                            (None, _) => {}
                        }
                    });
                    at += used;
                    let enough = excerpt.is_some_and(|excerpt| over || excerpt.is_full());
                    if over {
                        self.sides[dir] = Side::default();
                        if dir == Direction::ToClient {
                            self.polled_whole(cx);
                        }
                    }
                    if enough {
                        self.said_all(cx);
                    }
                }
                Side::Foreign(foreign) => {
                    foreign.push(rest);
                    if foreign.is_told() {
                        self.said_all(cx);
                    }
                    return bytes.len();
                }
                Side::Raw(raw) => {
                    at += raw.push(rest);
                    if raw.is_done() {
                        self.raw_done(dir, cx);
                    }
                }
                Side::Lost if at == 0 && begins_head(dir, rest) => self.reopen(dir, cx),
                Side::Lost | Side::Frames => return bytes.len(),
            }
        }
        bytes.len()
    }

    /// Passes over bytes that were lost where the direction is read; says how many of them belong to what follows.
    fn gap(&mut self, dir: Direction, offset: u64, (len, exact): (u64, bool), cx: &mut Cx<'_>) -> u64 {
        if dir == Direction::ToClient {
            self.said_all(cx);
        }
        let kept = match &mut self.sides[dir] {
            Side::Body(body) => exact && body.lose(len),
            Side::Raw(raw) if exact => {
                let own = raw.lose(len);
                if raw.is_done() {
                    self.raw_done(dir, cx);
                }
                return len - own;
            }
            Side::Raw(_) | Side::Head(_) | Side::Foreign(_) | Side::Frames | Side::Lost => false,
        };
        if kept || self.cut(dir, (offset, len), cx) {
            return 0;
        }
        self.sides[dir] = Side::Lost;
        self.lost[dir] = Some((offset, len));
        if dir == Direction::ToClient {
            self.lose_answer("bytes of it were lost", cx);
        }
        0
    }

    /// The answer at hand cannot be read: if it is that to an upgrade, what follows may be frames.
    fn lose_answer(&mut self, why: &str, cx: &mut Cx<'_>) {
        self.polled_whole(cx);
        self.asked.retain(|asked| asked.unsure.is_none());
        if self.asked.front().is_some_and(|asked| asked.upgrade.is_some())
            && let Some(upgrade) = self.asked.pop_front().and_then(|asked| asked.upgrade)
        {
            self.inner = Some(self.unanswered(*upgrade, why, cx));
        }
    }

    /// A challenge or its answer is there, as far as it will be.
    fn raw_done(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        let Side::Raw(raw) = std::mem::take(&mut self.sides[dir]) else { return };
        match dir {
            Direction::ToServer => {
                let upgrade = self.asked.back_mut().and_then(|asked| asked.upgrade.as_mut());
                if let Some(upgrade) = upgrade {
                    draft::challenged(&mut upgrade.handshake, &raw);
                }
            }
            Direction::ToClient => {
                if let Some(answering) = self.answering.take() {
                    self.answer(*answering, raw.whole(), cx);
                }
            }
        }
    }

    /// Tells a layer that opens behind a hole of it: where it stands is not known.
    fn tell_lost(&self, dir: Direction, mut inner: Box<dyn Layer>, cx: &mut Cx<'_>) -> Box<dyn Layer> {
        if let (Side::Lost, Some((offset, len))) = (&self.sides[dir], self.lost[dir]) {
            inner.input(Input::lost(dir, offset, len, true, cx.mark), cx);
        }
        inner
    }

    fn head(&mut self, dir: Direction, head: Head, cx: &mut Cx<'_>) {
        match (dir, &head.start) {
            (Direction::ToServer, StartLine::Request { .. }) => self.request(head, cx),
            (Direction::ToClient, &StartLine::Response { status, .. }) => {
                let informational = (100..200).contains(&status) && status != 101;
                if informational {
                    self.sides[dir] = Side::default();
                } else {
                    self.response(head, status, cx);
                }
            }
            _ => self.sides[dir] = Side::Lost,
        }
    }

    fn request(&mut self, head: Head, cx: &mut Cx<'_>) {
        let dir = Direction::ToServer;
        self.requests += 1;
        self.close_refused(cx);
        let method = match &head.start {
            StartLine::Request { method, .. } if method == "HEAD" => Method::Head,
            StartLine::Request { method, .. } if method == "CONNECT" => Method::Connect,
            _ => Method::Other,
        };
        self.sides[dir] = Body::of(&head, false).map_or_else(Side::default, Side::Body);
        if method == Method::Connect {
            self.blocked = None;
        }
        // Within TLS no number tells what a client that was captured late had heard when it asked.
        let is_late = self.requests == 1 && cx.tls.is_some() && !cx.flow.from_start;
        let since = (std::mem::take(&mut self.resumed) || is_late).then_some(head.span.first.packet);
        let tunnel = match &head.start {
            StartLine::Request { target, .. } if method == Method::Connect => Some(target.clone()),
            _ => None,
        };
        let is_upgrade = upgrade::is_request(&head);
        let polled = if is_upgrade { None } else { Polled::of(&head, cx).map(Box::new) };
        let (upgrade, unsure) = match is_upgrade {
            true => (Some(self.upgrade(head, since.is_some(), cx)), None),
            false => (None, Some(Box::new(head)).filter(|head| upgrade::may_be_request(head))),
        };
        if self.asked.len() < ASKED_MAX || is_upgrade {
            self.asked.push_back(Asked { method, tunnel, since, upgrade, polled, unsure });
        }
    }

    /// Opens the connection that a request asks for; `is_later`: requests before it were lost.
    fn upgrade(&mut self, head: Head, is_later: bool, cx: &mut Cx<'_>) -> Box<Upgrade> {
        let version = Version::asked(&head);
        let raw = if head.whole { draft::raw_behind(&head, version) } else { 0 };
        if raw > 0 {
            self.sides[Direction::ToServer] = Side::Raw(Raw::new(raw));
        }
        let first = if self.requests == 1 && !is_later { *cx.flow.first } else { head.span.first };
        let huge = limited(&head, cx);
        let handshake = upgrade::asked(head, cx.ends(), cx.scheme());
        let conn = cx.opened(handshake.url.clone(), Some("http/1.1"), version, first);
        if let Some(text) = huge {
            cx.note(conn, &Note { text: &text, ..Note::new(NoteCode::HttpLimit, cx.mark) });
        }
        Box::new(Upgrade { conn, handshake })
    }

    fn response(&mut self, head: Head, status: u16, cx: &mut Cx<'_>) {
        self.answers += 1;
        self.leads_on = false;
        let switching = status == 101 && is_switch(&head);
        if !switching && self.asked.front().is_some_and(|asked| asked.is_behind(&head)) {
            return self.pass_answer(&head);
        }
        // A server that answers out of turn still answers the upgrade that was asked for.
        let is_upgrade = |asked: &Asked| asked.upgrade.is_some() || asked.unsure.is_some();
        let turn = if switching { self.asked.iter().position(is_upgrade) } else { None };
        let asked = match turn {
            None if switching && self.is_unasked() => None,
            turn => self.asked.remove(turn.unwrap_or(0)),
        };
        let Some(asked) = asked else { return self.unasked(head, switching, cx) };
        let Asked { method, tunnel: to, since, upgrade, polled, unsure } = asked;
        let tunnel = method == Method::Connect && (200..300).contains(&status);
        let bodiless = method == Method::Head || tunnel;
        self.sides[Direction::ToClient] = Body::of(&head, bodiless).map_or_else(Side::default, Side::Body);
        if let Some(polled) = polled {
            self.polled_answer(polled, &head, cx);
        }
        if method == Method::Connect && !tunnel {
            let how = doctor::blocked(&head, to.as_deref().unwrap_or_default(), cx.ends().1);
            match status {
                407 => self.blocked = Some(how),
                _ => cx.proxy_refused(&how),
            }
        }
        let switches_to_h2c = head.has_token("upgrade", "h2c");
        let unsure = unsure.filter(|asked| status == 101 && upgrade::confirms(asked, &head));
        match upgrade.or_else(|| unsure.map(|head| self.upgrade(*head, since.is_some(), cx))) {
            Some(upgrade) => {
                self.answering(*upgrade, head, switching, cx);
                if status == 101 && !switching && switches_to_h2c {
                    // What follows is no body that could say why.
                    self.said_all(cx);
                    self.close_refused(cx);
                    self.switch_to_http2(cx);
                }
            }
            None if status == 101 && switches_to_h2c => self.switch_to_http2(cx),
            None if status == 101 => self.leave(cx),
            None if tunnel => self.tunnel(to, cx),
            None => self.release_frames(),
        }
    }

    /// The connection speaks something that is not read here.
    pub(super) fn leave(&mut self, cx: &mut Cx<'_>) {
        self.left = true;
        self.sides = Both::from_fn(|_| Side::Lost);
        self.held = Both::default();
        self.close_passed(cx);
    }

    /// The connection goes on in HTTP/2 (RFC 7540 §3.2).
    fn switch_to_http2(&mut self, cx: &mut Cx<'_>) {
        match cx.inside(Hint::Http2Upgraded) {
            Some(inner) => {
                self.inner = Some(inner);
                self.close_passed(cx);
            }
            None => self.leave(cx),
        }
    }

    /// What was asked for behind a request whose answer led elsewhere is not answered.
    fn close_passed(&mut self, cx: &mut Cx<'_>) {
        self.close_asked("", "the connection speaks something else from the answer to an earlier request on", cx);
    }

    /// An answer other than to an upgrade: what began like frames is something else.
    fn release_frames(&mut self) {
        if matches!(self.sides.to_server, Side::Frames) {
            self.sides.to_server = Side::Lost;
        }
    }

    /// Tells upgrades that will have no answer; `came` is what came of that of the first request.
    fn close_asked(&mut self, mut came: &str, why: &str, cx: &mut Cx<'_>) {
        self.polled_over(cx);
        for asked in std::mem::take(&mut self.asked) {
            let came = std::mem::take(&mut came);
            if let Some(upgrade) = asked.upgrade {
                self.end_unanswered(*upgrade, &format!("{came}{why}"), cx);
            }
        }
    }

    fn close_refused(&mut self, cx: &mut Cx<'_>) {
        if let Some(conn) = self.refused.take() {
            cx.closed(conn, &Closed { ends: self.ends, last: cx.last, ..Closed::default() });
        }
    }

    fn reopen(&mut self, dir: Direction, cx: &mut Cx<'_>) {
        self.sides[dir] = Side::default();
        if dir == Direction::ToServer {
            self.polled_over(cx);
            self.resumed = true;
            self.asked.retain(|asked| asked.upgrade.is_some());
        }
    }
}

fn begins_head(dir: Direction, bytes: &[u8]) -> bool {
    match dir {
        Direction::ToServer => bytes.starts_with(b"GET "),
        Direction::ToClient => bytes.starts_with(b"HTTP/1."),
    }
}
