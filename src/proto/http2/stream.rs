//! One stream of a connection: what its request asks for, and what its DATA frames carry.

use super::connect::{self, Asks, Setting};
use super::frame::{HEAD, Head as FrameHead};
use crate::model::{
    Both, Carried, Closed, ConnId, DataFrame, Direction, End, Ends, Envelope, Event, Handshake, Head, Input, Mark,
    Receipt, StreamId, Version,
};
use crate::proto::handshake::excerpt::Excerpt;
use crate::proto::handshake::held::Held;
use crate::proto::handshake::tell::{no_answer, tell};
use crate::proto::layer::{Cx, Hint, Layer, Next};

mod opening;

/// A stream.
pub(super) struct Stream {
    id: StreamId,
    phase: Phase,
    /// The WebSocket that it carries, or was to carry.
    conn: Option<ConnId>,
    /// Bytes that it holds while it waits, of those that all may.
    pending: usize,
    /// What is known of a handshake that is not known whole.
    known: Option<Box<Handshake>>,
    /// What reads its DATA takes the other end for the client.
    turned: bool,
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
            pending: 0,
            known: None,
            turned: false,
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
        let mut stream = Self::new(id, Phase::Plain, at);
        stream.seek(cx);
        stream
    }

    /// The stream that a request opens; `ends`: nothing more comes from the client.
    pub(super) fn request(id: StreamId, head: Head, ends: bool, cx: &mut Cx<'_>) -> Self {
        let first = head.span.first;
        match connect::asks(&head, ends) {
            // What a tunnel carries (RFC 9113 §8.5) is read where the user says what that is.
            Asks::Other if cx.flow.forced && head.value(":method") == Some("CONNECT") => Self::unknown(id, first, cx),
            Asks::Other => Self::plain(id, first),
            Asks::Perhaps => {
                let mut stream = Self::unknown(id, first, cx);
                stream.charge(&head, cx);
                stream.known = Some(Box::new(connect::asked(head, cx.ends(), cx.tls.is_some())));
                stream
            }
            Asks::WebSocket => {
                let mut stream = Self::new(id, Phase::Plain, first);
                stream.ask(head, Both::default(), cx);
                stream
            }
        }
    }

    /// The stream of an answer whose request has not come.
    pub(super) fn answer(id: StreamId, head: Head, cx: &mut Cx<'_>) -> Self {
        let mut stream = Self::new(id, Phase::Plain, head.span.first);
        stream.charge(&head, cx);
        stream.phase = Phase::Early(Box::new(Early { head, held: Both::default() }));
        stream
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

    /// Whether what its DATA carry is read.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
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

    /// Whether it goes on, in a direction at least: nobody refused or reset it.
    pub(super) fn is_live(&self) -> bool {
        let is_reset = |dir: Direction| self.ends.of(dir).is_some_and(|(how, _)| how.is_reset());
        self.carries() && !self.is_over() && !Direction::BOTH.into_iter().any(is_reset)
    }

    /// Whether a direction said that it ends.
    pub(super) fn has_ended(&self, dir: Direction) -> bool {
        self.ends.of(dir).is_some_and(|(how, _)| matches!(how, End::EndStream))
    }

    /// Whether both said so.
    pub(super) fn ended_well(&self) -> bool {
        Direction::BOTH.iter().all(|&dir| self.has_ended(dir))
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

    /// Takes bytes of a DATA frame.
    pub(super) fn bytes(&mut self, dir: Direction, bytes: &[u8], brought: Mark, cx: &mut Cx<'_>) {
        let offset = self.data[dir];
        self.data[dir] += bytes.len() as u64;
        self.input(Input::Data { dir, offset, bytes, brought, mark: cx.mark }, cx);
        // Several frames of DATA in one record are told one by one.
        if let (Some(conn), Some(record)) = (self.conn.filter(|_| cx.tools.tells_records), cx.tools.record) {
            let dir = if self.turned { dir.reverse() } else { dir };
            let part = Envelope { dir, offset, len: u32::try_from(bytes.len()).unwrap_or(u32::MAX), ..record };
            cx.in_stream(self.id, &self.first, self.last).emit(conn, Event::Record(&part));
        }
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

    /// A DATA frame ended that began in a TLS record, if in any: tells of it, if it is of a WebSocket.
    pub(super) fn framed(&mut self, dir: Direction, head: &FrameHead, record: Option<u64>, cx: &mut Cx<'_>) {
        let (number, offset) = (self.frames[dir], self.framed[dir]);
        self.frames[dir] += 1;
        self.framed[dir] = self.data[dir];
        let len = u32::try_from(self.data[dir] - offset).unwrap_or(u32::MAX);
        if let Some(conn) = self.conn.filter(|_| len > 0 && cx.tools.tells_records) {
            let dir = if self.turned { dir.reverse() } else { dir };
            let wire_len = HEAD as u32 + head.len;
            let data = Some(DataFrame { head: head.bytes(), record });
            let frame = Envelope { dir, number, wire_len, brought: 0, offset, len, data };
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
            Phase::Open(_) => self.read(input, cx),
            Phase::Asked(asked) => {
                self.pending += hold(&mut asked.held, input, cx);
                let pieces = asked.held.to_server.pieces.len();
                if asked.held.to_client.is_empty() {
                    if pieces >= ALONE_PIECES && cx.flow.one_sided {
                        self.unanswered("only the client was captured", Setting::Unknown, cx);
                    }
                } else {
                    self.unanswered("bytes of it were lost", Setting::Unknown, cx);
                }
            }
            Phase::Early(early) => {
                self.pending += hold(&mut early.held, input, cx);
                if Direction::BOTH.iter().any(|&dir| early.held[dir].dropped > 0) {
                    self.lose_request(cx);
                }
            }
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

    /// Gives what reads its DATA something, which may take the other end for the client.
    fn read(&mut self, input: Input<'_>, cx: &mut Cx<'_>) {
        let Phase::Open(layer) = &mut self.phase else { return };
        let input = if self.turned { input.reversed() } else { input };
        let swapped = cx.swapped;
        let inner = &mut cx.in_stream(self.id, &self.first, self.last);
        (inner.swapped, inner.flow.known) = (swapped ^ self.turned, self.known.as_deref());
        carry(self.conn, input, inner);
        let conns = inner.tools.conns;
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
        self.turned = inner.swapped != swapped;
        if self.conn.is_none() && inner.tools.conns > conns {
            self.conn = Some(ConnId(inner.tools.conns));
        }
        if is_over {
            self.phase = Phase::Plain;
        }
        if self.known.is_some() && (is_over || self.conn.is_some()) {
            self.known = None;
            self.release(cx);
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

    /// Nothing more comes of it, or is looked at; `why` says so, if nobody ended it.
    pub(super) fn over(mut self, why: &str, setting: Setting, cx: &mut Cx<'_>) {
        self.lose_request(cx);
        self.release(cx);
        match std::mem::replace(&mut self.phase, Phase::Refused) {
            Phase::Asked(asked) => {
                let has_frames = asked.held.to_server.begins_frame(Version::default());
                let why = self.ends.words().unwrap_or_else(|| why.to_owned());
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
            phase => self.phase = phase,
        }
        let inner = &mut cx.in_stream(self.id, &self.first, self.last);
        match (self.phase, self.conn) {
            (Phase::Open(mut layer), _) => {
                (inner.swapped, inner.flow.known) = (inner.swapped ^ self.turned, self.known.as_deref());
                layer.over(inner);
            }
            (Phase::Refused, Some(conn)) => {
                inner.closed(conn, &Closed { ends: self.ends, last: self.last, ..Closed::default() });
            }
            _ => {}
        }
    }

    /// The directions are turned round: who was taken for the client is the server. What reads its DATA goes on as it was.
    pub(super) fn turn(&mut self) {
        self.turned ^= self.is_open();
        self.data.swap();
        self.framed.swap();
        self.frames.swap();
        self.holes.swap();
        self.ends.swap();
    }

    /// Whether a WebSocket was found in its DATA that takes the other end for the client; `None` where none was.
    pub(super) fn takes_other(&self) -> Option<bool> {
        (self.is_open() && self.conn.is_some()).then_some(self.turned)
    }

    /// Looks for frames in its DATA, whose handshake is not known, or in part.
    fn seek(&mut self, cx: &Cx<'_>) {
        self.phase = Phase::Open(cx.open(Hint::Midstream { from_start: false }));
        self.turned = false;
    }
}

/// Tells what TLS carries of a WebSocket, to who hears it.
fn carry(conn: Option<ConnId>, input: Input<'_>, cx: &mut Cx<'_>) {
    if cx.tools.tells_carried && conn.is_some() && cx.tls.is_some() {
        let carried = Carried { level: cx.limits.nested + 1, ends: cx.ends(), input };
        cx.tell(conn, Event::Carried(&carried));
    }
}

/// Holds what comes until it is known what it is; how many bytes that takes more.
fn hold(held: &mut Both<Held>, input: Input<'_>, cx: &mut Cx<'_>) -> usize {
    let (Input::Data { dir, .. } | Input::Gap { dir, .. }) = input else { return 0 };
    let held = &mut held[dir];
    let before = held.len;
    let left = cx.limits.h2_pending.saturating_sub(cx.tools.pending);
    let bound = cx.limits.early_bytes.min(before.saturating_add(left));
    match input {
        Input::Data { offset, bytes, brought, .. } => held.push(offset, bytes, (brought, None), bound),
        Input::Gap { offset, len, exact, receipt, mark, .. } => held.lose(offset, (len, exact), receipt, mark, bound),
        Input::Odd { .. } | Input::Waited { .. } | Input::Resent { .. } | Input::End { .. } => {}
    }
    let more = held.len.saturating_sub(before);
    cx.tools.pending += more;
    more
}
