//! One stream of a connection: what its request asks for, and what its DATA frames carry.

use super::connect::{self, Asks, Setting};
use crate::model::{
    Both, Carried, Closed, ConnId, Direction, Ends, Envelope, Event, Handshake, Head, Input, Mark, Receipt, StreamId,
    Version,
};
use crate::proto::handshake::excerpt::Excerpt;
use crate::proto::handshake::held::Held;
use crate::proto::handshake::tell::{no_answer, tell, tell_unasked, tell_unknown};
use crate::proto::handshake::was_early;
use crate::proto::layer::{Cx, Hint, Layer, Next, feed};

/// A stream.
pub(super) struct Stream {
    id: StreamId,
    phase: Phase,
    /// The WebSocket that it carries, or was to carry.
    conn: Option<ConnId>,
    /// The answer to a request that seemed to be lost.
    answer: Option<Box<Head>>,
    /// Bytes of DATA so far, padding aside and holes counted; and where those of the frame at hand begin.
    data: Both<u64>,
    framed: Both<u64>,
    /// DATA frames that ended.
    frames: Both<u64>,
    /// Of the bytes of the connection that are missing, those that it knows of.
    holes: Both<u64>,
    ends: Ends,
    /// Its first and its last frame.
    first: Mark,
    last: Mark,
}

/// How far it is.
///
/// ```text
/// Asked ─┬─answer 2xx────▶ Open ▸ ws
///        └─other answer──▶ Refusing: its body is read ──▶ Refused
/// Early: an answer whose request has not come ──request──▶ …
/// ```
enum Phase {
    /// Nothing of it is read.
    Plain,
    Early(Box<Early>),
    Asked(Box<Asked>),
    Refusing(Box<Refusing>),
    /// Refused, which was told.
    Refused,
    /// What its DATA carry is read: frames, or what may be some.
    Open(Box<dyn Layer>),
}

/// An answer whose request may have been captured behind it.
struct Early {
    head: Head,
    held: Both<Held>,
}

/// A WebSocket was asked for.
struct Asked {
    handshake: Handshake,
    held: Both<Held>,
}

/// It was refused, for a reason that the body may tell.
struct Refusing {
    handshake: Handshake,
    head: Head,
    excerpt: Excerpt,
}

/// Pieces of DATA that are held while an answer is waited for, if nothing of the server was captured.
const ALONE_PIECES: usize = 64;

impl Stream {
    fn new(id: StreamId, phase: Phase, at: Mark) -> Self {
        Self {
            id,
            phase,
            conn: None,
            answer: None,
            data: Both::default(),
            framed: Both::default(),
            frames: Both::default(),
            holes: Both::default(),
            ends: Ends::default(),
            first: at,
            last: at,
        }
    }

    /// The stream of a request that was captured before or with the connection, which is no WebSocket.
    pub(super) fn plain(id: StreamId, at: Mark) -> Self {
        Self::new(id, Phase::Plain, at)
    }

    /// A stream whose request was not captured: its DATA tell what it is.
    pub(super) fn unknown(id: StreamId, at: Mark, cx: &Cx<'_>) -> Self {
        Self::new(id, Phase::Open(seeker(cx)), at)
    }

    /// The stream that a request opens; `ends`: nothing more comes from the client.
    pub(super) fn request(id: StreamId, head: Head, ends: bool, cx: &mut Cx<'_>) -> Self {
        let first = head.span.first;
        match connect::asks(&head, ends) {
            Asks::Other => Self::plain(id, first),
            Asks::Perhaps => Self::unknown(id, first, cx),
            Asks::WebSocket => {
                let mut stream = Self::new(id, Phase::Plain, first);
                stream.ask(head, Both::default(), cx);
                stream
            }
        }
    }

    /// The stream of an answer whose request has not come. Where that may be lost, the answer, or DATA, tell what it is.
    pub(super) fn answer(id: StreamId, head: Head, is_lost: bool, setting: Setting, cx: &mut Cx<'_>) -> Self {
        let first = head.span.first;
        let mut stream = Self::new(id, Phase::Plain, first);
        stream.phase = Phase::Early(Box::new(Early { head, held: Both::default() }));
        if is_lost {
            stream.lose_request(setting, cx);
        }
        stream
    }

    /// The request of an answer that came is lost: the answer, or DATA, tell what it is.
    pub(super) fn lose_request(&mut self, setting: Setting, cx: &mut Cx<'_>) {
        match std::mem::replace(&mut self.phase, Phase::Plain) {
            Phase::Early(early) => {
                let Early { head, held } = *early;
                if connect::answers(&head) {
                    self.unasked(head, held, setting, cx);
                } else if connect::may_answer(&head) {
                    self.phase = Phase::Open(seeker(cx));
                    self.answer = Some(Box::new(head));
                    for (dir, held) in [(Direction::ToServer, held.to_server), (Direction::ToClient, held.to_client)] {
                        for piece in held.into_pieces(cx.mark) {
                            self.input(piece.input(dir, cx.mark), cx);
                        }
                    }
                }
            }
            phase => self.phase = phase,
        }
    }

    /// The WebSocket that it carries, or was to carry.
    pub(super) const fn conn(&self) -> Option<ConnId> {
        self.conn
    }

    /// The last packet with a frame of it.
    pub(super) const fn last(&self) -> Mark {
        self.last
    }

    /// Whether nothing of it is read.
    pub(super) const fn is_plain(&self) -> bool {
        matches!(self.phase, Phase::Plain)
    }

    /// Whether it has an answer, and no request.
    pub(super) const fn is_early(&self) -> bool {
        matches!(self.phase, Phase::Early(_))
    }

    /// Whether a head is what a direction of it begins with.
    pub(super) const fn waits_for(&self, dir: Direction) -> bool {
        match dir {
            Direction::ToServer => self.is_early(),
            Direction::ToClient => matches!(self.phase, Phase::Asked(_)),
        }
    }

    /// Whether its DATA are read, or held until they can be.
    pub(super) const fn carries(&self) -> bool {
        matches!(self.phase, Phase::Open(_) | Phase::Asked(_) | Phase::Early(_))
    }

    /// Whether both directions ended.
    pub(super) fn is_over(&self) -> bool {
        Direction::BOTH.iter().all(|&dir| self.ends.of(dir).is_some())
    }

    /// A frame of it came.
    pub(super) fn came(&mut self, brought: Mark) {
        // A direction that was held back comes behind the other's later packets.
        if brought.packet > self.last.packet {
            self.last = brought;
        }
    }

    /// A head behind its first: the request of an early answer, or the answer. Others are trailers.
    pub(super) fn head(&mut self, dir: Direction, head: Head, ends: bool, setting: Setting, cx: &mut Cx<'_>) {
        match (std::mem::replace(&mut self.phase, Phase::Plain), dir) {
            (Phase::Early(early), Direction::ToServer) => {
                let Early { head: answer, held } = *early;
                if connect::asks(&head, ends) == Asks::WebSocket {
                    self.first = head.span.first;
                    self.ask(head, held, cx);
                    self.answered(answer, ends, setting, cx);
                }
            }
            // The request is there after all, before any DATA.
            (Phase::Open(_), Direction::ToServer)
                if self.conn.is_none()
                    && self.frames == Both::default()
                    && connect::asks(&head, ends) == Asks::WebSocket =>
            {
                self.ask(head, Both::default(), cx);
                if let Some(answer) = self.answer.take() {
                    self.head(Direction::ToClient, *answer, false, setting, cx);
                }
            }
            (phase @ Phase::Asked(_), Direction::ToClient) => {
                self.phase = phase;
                match head.status() {
                    Some(0) => self.unanswered("its status is lost", setting, cx),
                    _ => self.answered(head, ends, setting, cx),
                }
            }
            (phase, _) => self.phase = phase,
        }
    }

    /// Takes bytes of a DATA frame.
    pub(super) fn bytes(&mut self, dir: Direction, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        let offset = self.data[dir];
        self.data[dir] += bytes.len() as u64;
        self.input(Input::Data { dir, offset, bytes, brought, mark: cx.mark }, cx);
    }

    /// Bytes of its DATA are lost; where it is not known how many, frames are looked for behind them.
    pub(super) fn lose(&mut self, dir: Direction, (len, exact): (u64, bool), receipt: Receipt, cx: &mut Cx<'_>) {
        let offset = self.data[dir];
        self.data[dir] += len;
        self.input(Input::Gap { dir, offset, len, exact, receipt, mark: cx.mark }, cx);
    }

    /// Bytes of the connection are missing, so many by now, before what comes of it next: they may be of it, unless it was not
    /// begun, or had ended.
    pub(super) fn hole(&mut self, dir: Direction, holes: u64, receipt: Receipt, cx: &mut Cx<'_>) {
        let lost = holes - self.holes[dir];
        self.holes[dir] = holes;
        if lost > 0 && self.carries() && self.ends.of(dir).is_none() {
            self.lose(dir, (lost, false), receipt, cx);
        }
    }

    /// It begins: what is missing so far is not of it.
    pub(super) const fn begins(&mut self, holes: Both<u64>) {
        self.holes = holes;
    }

    /// A direction of it begins, behind that of the other.
    pub(super) fn follows(&mut self, dir: Direction, holes: u64) {
        self.holes[dir] = holes;
    }

    /// A DATA frame ended that takes so many bytes: tells of it, if it is of a WebSocket.
    pub(super) fn framed(&mut self, dir: Direction, wire_len: u32, cx: &mut Cx<'_>) {
        let (number, offset) = (self.frames[dir], self.framed[dir]);
        self.frames[dir] += 1;
        self.framed[dir] = self.data[dir];
        let len = u32::try_from(self.data[dir] - offset).unwrap_or(u32::MAX);
        if let Some(conn) = self.conn.filter(|_| len > 0 && cx.tools.tells_records) {
            let frame = Envelope { dir, number, wire_len, offset, len };
            cx.in_stream(self.id, &self.first, self.last).emit(conn, Event::Record(&frame));
        }
    }

    /// Where in the direction's DATA it stands.
    pub(super) fn offset(&self, dir: Direction) -> u64 {
        self.data[dir]
    }

    /// Takes what comes of a direction, or what the transport says of it.
    pub(super) fn input(&mut self, input: Input<'_>, cx: &mut Cx<'_>) {
        if let Input::Data { brought, .. } = input {
            self.came(brought);
        }
        match &mut self.phase {
            Phase::Open(layer) => {
                carry(self.conn, input, &mut cx.in_stream(self.id, &self.first, self.last));
                let conns = cx.tools.conns;
                let inner = &mut cx.in_stream(self.id, &self.first, self.last);
                let is_over = match layer.input(input, inner) {
                    Next::Become(next) => {
                        *layer = next;
                        false
                    }
                    Next::Nothing => {
                        layer.over(inner);
                        true
                    }
                    Next::Read | Next::Skim => false,
                };
                cx.swapped = inner.swapped;
                if self.conn.is_none() && cx.tools.conns > conns {
                    self.conn = Some(ConnId(cx.tools.conns));
                }
                if is_over {
                    self.phase = Phase::Plain;
                }
            }
            Phase::Asked(asked) => {
                hold(&mut asked.held, input, cx.limits.early_bytes);
                let pieces = asked.held.to_server.pieces.len();
                if asked.held.to_client.is_empty() {
                    if pieces >= ALONE_PIECES && cx.flow.one_sided {
                        self.unanswered("only the client was captured", Setting::Unknown, cx);
                    }
                } else {
                    self.unanswered("bytes of it were lost", Setting::Unknown, cx);
                }
            }
            Phase::Early(early) => hold(&mut early.held, input, cx.limits.early_bytes),
            Phase::Refusing(refusing) => {
                if let Input::Data { dir: Direction::ToClient, bytes, .. } = input {
                    refusing.excerpt.push(bytes);
                    if refusing.excerpt.is_full() {
                        self.refuse(cx);
                    }
                }
            }
            Phase::Plain | Phase::Refused => {}
        }
    }

    /// A direction ends.
    pub(super) fn end(&mut self, input: Input<'_>, cx: &mut Cx<'_>) {
        let Input::End { dir, how, mark } = input else { return };
        if self.ends.of(dir).is_some() {
            return;
        }
        self.ends.add(dir, how, mark);
        match &self.phase {
            Phase::Open(_) => self.input(input, cx),
            Phase::Refusing(_) if dir == Direction::ToClient => self.refuse(cx),
            _ => {}
        }
    }

    /// Nothing more comes.
    pub(super) fn over(mut self, setting: Setting, cx: &mut Cx<'_>) {
        match std::mem::replace(&mut self.phase, Phase::Refused) {
            Phase::Asked(asked) => {
                let has_frames = asked.held.to_server.begins_frame(Version::default());
                let why = self.ends.words().unwrap_or_else(|| "the capture ends before it".to_owned());
                if has_frames {
                    self.phase = Phase::Asked(asked);
                    self.unanswered(&why, setting, cx);
                } else if let Some(conn) = self.conn {
                    let inner = &mut cx.in_stream(self.id, &self.first, self.last);
                    let mut handshake = asked.handshake;
                    connect::judge_setting(&mut handshake, setting);
                    no_answer(&mut handshake, &why);
                    tell(conn, &handshake, 0, inner);
                }
            }
            phase @ Phase::Refusing(_) => {
                self.phase = phase;
                self.refuse(cx);
            }
            Phase::Early(early) if connect::answers(&early.head) => {
                let Early { head, held } = *early;
                self.unasked(head, held, setting, cx);
            }
            phase => self.phase = phase,
        }
        let inner = &mut cx.in_stream(self.id, &self.first, self.last);
        match (self.phase, self.conn) {
            (Phase::Open(mut layer), _) => layer.over(inner),
            (Phase::Refused, Some(conn)) => {
                inner.closed(conn, &Closed { ends: self.ends, last: self.last, ..Closed::default() });
            }
            _ => {}
        }
    }

    /// The directions are turned round: who was taken for the client is the server. What was looked through for frames was read
    /// the wrong way.
    pub(super) fn turn(&mut self, cx: &Cx<'_>) {
        self.data.swap();
        self.framed.swap();
        self.frames.swap();
        self.holes.swap();
        self.ends.swap();
        if matches!(self.phase, Phase::Open(_)) && self.conn.is_none() {
            self.phase = Phase::Open(seeker(cx));
        }
    }

    /// Opens the connection that a request asks for.
    fn ask(&mut self, head: Head, held: Both<Held>, cx: &mut Cx<'_>) {
        let inner = &mut cx.in_stream(self.id, &self.first, self.last);
        let handshake = connect::asked(head, inner.ends(), inner.tls.is_some());
        self.conn = Some(inner.opened(handshake.url.clone(), Some("h2"), Version::default(), self.first));
        self.phase = Phase::Asked(Box::new(Asked { handshake, held }));
    }

    /// What was asked for is answered; `ends`: nothing more comes from the server.
    fn answered(&mut self, head: Head, ends: bool, setting: Setting, cx: &mut Cx<'_>) {
        let (Phase::Asked(asked), Some(conn)) = (std::mem::replace(&mut self.phase, Phase::Refused), self.conn) else {
            return;
        };
        let Asked { mut handshake, held } = *asked;
        connect::judge_setting(&mut handshake, setting);
        if !connect::accepts(&head) {
            let excerpt = if ends { None } else { Excerpt::of(&head, cx.limits.refusal_bytes) };
            let is_said = excerpt.is_none();
            let excerpt = excerpt.unwrap_or_default();
            self.phase = Phase::Refusing(Box::new(Refusing { handshake, head, excerpt }));
            if is_said {
                self.refuse(cx);
            }
            return;
        }
        let early = held.to_server.bytes_until(head.span.first.packet);
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
    fn refuse(&mut self, cx: &mut Cx<'_>) {
        let phase = std::mem::replace(&mut self.phase, Phase::Refused);
        let (Phase::Refusing(refusing), Some(conn)) = (phase, self.conn) else { return };
        let Refusing { mut handshake, head, excerpt } = *refusing;
        let inner = &mut cx.in_stream(self.id, &self.first, self.last);
        connect::answered(&mut handshake, head, Some(&excerpt.said()), inner.ends());
        tell(conn, &handshake, 0, inner);
    }

    /// Opens the WebSocket of an answer whose request was not captured.
    fn unasked(&mut self, head: Head, held: Both<Held>, setting: Setting, cx: &mut Cx<'_>) {
        let inner = &mut cx.in_stream(self.id, &self.first, self.last);
        let conn = inner.opened(None, Some("h2"), Version::default(), self.first);
        self.conn = Some(conn);
        let mut handshake = Handshake::default();
        connect::answered(&mut handshake, head, None, inner.ends());
        connect::judge_setting(&mut handshake, setting);
        tell(conn, &handshake, 0, inner);
        tell_unknown(conn, &handshake, inner);
        tell_unasked(conn, inner);
        self.open(conn, &handshake, held, cx);
    }

    /// Opens the WebSocket that was asked for, although its answer was not captured.
    fn unanswered(&mut self, why: &str, setting: Setting, cx: &mut Cx<'_>) {
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
            self.phase = Phase::Open(layer);
        }
    }
}

/// Tells what TLS carries of a WebSocket, to who hears it.
fn carry(conn: Option<ConnId>, input: Input<'_>, cx: &mut Cx<'_>) {
    if cx.tools.tells_carried && conn.is_some() && cx.tls.is_some() {
        let carried = Carried { level: cx.limits.nested + 1, ends: cx.ends(), input };
        cx.tell(conn, Event::Carried(&carried));
    }
}

/// What looks for frames in DATA whose handshake was not captured.
fn seeker(cx: &Cx<'_>) -> Box<dyn Layer> {
    cx.open(Hint::Midstream { forced: false, from_start: false })
}

/// Holds what comes until it is known what it is.
fn hold(held: &mut Both<Held>, input: Input<'_>, bound: usize) {
    match input {
        Input::Data { dir, offset, bytes, brought, .. } => held[dir].push(offset, bytes, brought, bound),
        Input::Gap { dir, offset, len, exact, receipt, mark } => {
            held[dir].lose(offset, (len, exact), receipt, mark, bound);
        }
        Input::Odd { .. } | Input::Waited { .. } | Input::End { .. } => {}
    }
}
