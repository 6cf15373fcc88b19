//! A connection as a whole: what its events add up to.

use super::event::{Closed, ConnId, Event, Opened, Stamp};
use super::flow::{Both, Direction, Endpoint};
use super::handshake::Outline;
use super::hex::hex;
use super::http2::StreamId;
use super::mark::{Mark, Span};
use super::note::{NoteCode, NoteSet, Severity};
use super::url::url_parts;
use super::verdict::{self, Goodbye, Verdict};
use super::ws::{Message, Opcode};

/// How a connection stands: the first that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It cannot be read: it runs in TLS whose key is not known, and is taken for a WebSocket by its looks.
    Encrypted,
    /// The server answered otherwise than with a switch to WebSocket.
    Rejected,
    /// Recognised by its frames: its request or its answer was not captured.
    Midstream,
    /// A Close frame was captured.
    Closed,
    /// It ended without a Close frame.
    Aborted,
    /// It was open when the capture ended, or its answer has not come.
    Open,
}

impl State {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::Rejected => "rejected",
            Self::Midstream => "midstream",
            Self::Closed => "closed",
            Self::Aborted => "aborted",
            Self::Open => "open",
        }
    }
}

/// Who or what ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndedBy {
    /// The client's Close frame came first.
    Client,
    /// The server's Close frame came first.
    Server,
    /// TCP FIN, or END_STREAM of HTTP/2, without a Close frame.
    Fin,
    /// TCP RST, or RST_STREAM or GOAWAY of HTTP/2, without a Close frame.
    Rst,
    /// TCP FIN or RST after pings went unanswered, without a Close frame.
    Timeout,
}

impl EndedBy {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Timeout => "timeout",
        }
    }
}

/// What one direction carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages of all kinds, also control frames and incomplete ones.
    pub messages: u64,
    /// Frames.
    pub frames: u64,
    /// Payload bytes after unmasking and inflating.
    pub bytes: u64,
    /// Payload bytes on the wire.
    pub wire_bytes: u64,
    /// Text messages.
    pub text: u64,
    /// Binary messages.
    pub binary: u64,
    /// Pings.
    pub ping: u64,
    /// Pongs.
    pub pong: u64,
    /// Close frames.
    pub close: u64,
    /// Holes in the stream.
    pub gaps: u64,
    /// Bytes lost in messages.
    pub missing_bytes: u64,
}

impl Counts {
    /// Counts one message, and its frames: each frame is of one message.
    pub fn count(&mut self, message: &Message<'_>) {
        self.add(&Self::of(message.opcode, message.frames, message.body.len, message.wire_len, message.body.missing()));
    }

    /// The counts of one message, of so many frames and bytes.
    pub fn of(opcode: Opcode, frames: u64, bytes: u64, wire_bytes: u64, missing_bytes: u64) -> Self {
        let is = |kind| u64::from(opcode == kind);
        Self {
            messages: 1,
            frames,
            bytes,
            wire_bytes,
            text: is(Opcode::TEXT),
            binary: is(Opcode::BINARY),
            ping: is(Opcode::PING),
            pong: is(Opcode::PONG),
            close: is(Opcode::CLOSE),
            gaps: 0,
            missing_bytes,
        }
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.frames = self.frames.saturating_add(other.frames);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.wire_bytes = self.wire_bytes.saturating_add(other.wire_bytes);
        self.text += other.text;
        self.binary += other.binary;
        self.ping += other.ping;
        self.pong += other.pong;
        self.close += other.close;
        self.gaps += other.gaps;
        self.missing_bytes = self.missing_bytes.saturating_add(other.missing_bytes);
    }
}

/// Findings counted by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Severities {
    /// Errors.
    pub error: u64,
    /// Warnings.
    pub warning: u64,
    /// Notes.
    pub note: u64,
}

impl Severities {
    /// Counts one finding.
    pub fn count(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.error += 1,
            Severity::Warning => self.warning += 1,
            Severity::Note => self.note += 1,
        }
    }

    /// The worst severity that was found.
    pub const fn worst(self) -> Option<Severity> {
        match (self.error, self.warning, self.note) {
            (0, 0, 0) => None,
            (0, 0, _) => Some(Severity::Note),
            (0, _, _) => Some(Severity::Warning),
            _ => Some(Severity::Error),
        }
    }

    /// The sign of the worst; of mere notes none.
    pub fn sign(self) -> &'static str {
        self.worst().filter(|&worst| worst > Severity::Note).map_or("", Severity::sign)
    }

    /// Adds the counts of another connection.
    pub fn add(&mut self, other: Self) {
        self.error += other.error;
        self.warning += other.warning;
        self.note += other.note;
    }

    /// All of them.
    pub const fn total(self) -> u64 {
        self.error + self.warning + self.note
    }
}

/// One row of `ls`: grows with each event of its connection, whose bodies it does not keep.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its number.
    pub id: ConnId,
    /// Its TCP stream.
    pub stream: Option<u32>,
    /// The stream of the HTTP/2 connection in it.
    pub h2_stream: Option<StreamId>,
    /// The packet that gave it its number.
    pub known: Mark,
    /// Ends, URL and transport.
    pub opened: Opened,
    /// How the handshake went, once it is complete.
    pub handshake: Option<Outline>,
    /// First and last packet.
    pub span: Span,
    /// What each direction carried.
    pub counts: Both<Counts>,
    /// The first Close frame, and who sent it.
    pub close: Option<(Direction, Goodbye)>,
    /// The other end's first Close frame.
    pub reply: Option<Goodbye>,
    /// How it ended; `None` while it goes on.
    pub closed: Option<Closed>,
    /// Findings by severity.
    pub findings: Severities,
    /// Their codes.
    pub codes: NoteSet,
}

impl Connection {
    /// A connection of which only the first event is known.
    pub fn new(id: ConnId, at: &Stamp, opened: &Opened) -> Self {
        Self {
            id,
            stream: at.stream,
            h2_stream: at.h2_stream,
            known: at.at,
            opened: opened.clone(),
            handshake: None,
            span: Span { first: opened.first, last: at.at },
            counts: Both::default(),
            close: None,
            reply: None,
            closed: None,
            findings: Severities::default(),
            codes: NoteSet::EMPTY,
        }
    }

    /// Where it belongs: the stamp of its first event.
    pub const fn stamp(&self) -> Stamp {
        Stamp { conn: Some(self.id), stream: self.stream, h2_stream: self.h2_stream, at: self.known }
    }

    /// Adds what an event of this connection tells.
    pub fn apply(&mut self, at: &Stamp, event: Event<'_>) {
        match event {
            Event::Opened(_) | Event::Frame(_) => {}
            Event::Tls(_) | Event::Record(_) | Event::Carried(_) | Event::Resent(_) | Event::Exchange(_) => return,
            Event::Handshake(handshake) => return self.agree(at, handshake.outline()),
            Event::Message(message) => {
                self.counts[message.dir].count(message);
                if message.opcode == Opcode::CLOSE {
                    self.goodbye(message);
                }
            }
            Event::Note(note) => {
                self.findings.count(note.code.severity());
                self.codes.insert(note.code);
                if let (NoteCode::TcpGap, Some(dir)) = (note.code, note.dir) {
                    self.counts[dir].gaps += 1;
                }
            }
            Event::Closed(closed) => {
                self.closed = Some(*closed);
                self.span.last = closed.last;
                return;
            }
        }
        self.span.last = at.at;
    }

    fn goodbye(&mut self, message: &Message<'_>) {
        let goodbye = || {
            let reason = message.close.map_or(&[][..], |close| close.reason);
            let reason = String::from_utf8_lossy(reason).into();
            Goodbye {
                code: message.close.map(|close| close.code),
                reason,
                len: message.body.len,
                complete: message.complete,
                at: message.brought,
            }
        };
        match &self.close {
            None => self.close = Some((message.dir, goodbye())),
            Some((first, _)) if *first != message.dir && self.reply.is_none() => {
                let mut reply = goodbye();
                // The first may have waited behind a hole, and be told after its answer.
                if let Some((first, close)) = self.close.as_mut().filter(|(_, close)| reply.at.packet < close.at.packet)
                {
                    *first = message.dir;
                    std::mem::swap(close, &mut reply);
                }
                self.reply = Some(reply);
            }
            Some(_) => {}
        }
    }

    /// Adds how the handshake went.
    pub fn agree(&mut self, at: &Stamp, outline: Outline) {
        self.handshake = Some(outline);
        self.span.last = at.at;
    }

    /// How and why it ended.
    pub fn verdict(&self) -> Verdict {
        verdict::of(self)
    }

    /// How it stands.
    pub fn state(&self) -> State {
        let handshake = self.handshake.as_ref();
        match handshake.and_then(|handshake| handshake.accepted) {
            _ if self.opened.encrypted.is_some() => State::Encrypted,
            _ if handshake.is_some_and(Outline::is_refused) => State::Rejected,
            _ if handshake.is_some_and(|h| h.asked.is_none()) => State::Midstream,
            None if self.messages() > 0 => State::Midstream,
            _ if self.close.is_some() => State::Closed,
            _ if self.ended_by().is_some() => State::Aborted,
            _ => State::Open,
        }
    }

    /// Whether the upgrade was asked for, and nothing came of it: without an answer that was captured, nor a message behind it.
    pub fn is_unanswered(&self) -> bool {
        let handshake = self.handshake.as_ref();
        handshake.is_some_and(|handshake| handshake.accepted.is_none() && handshake.asked.is_some())
            && self.messages() == 0
    }

    /// Who or what ended it.
    pub fn ended_by(&self) -> Option<EndedBy> {
        let closed = self.closed?;
        match (&self.close, closed.ends.by_peer()) {
            (Some((Direction::ToServer, _)), _) => Some(EndedBy::Client),
            (Some((Direction::ToClient, _)), _) => Some(EndedBy::Server),
            (None, Some(_)) if closed.unanswered.is_some() => Some(EndedBy::Timeout),
            (None, Some((_, end, _))) if end.is_reset() => Some(EndedBy::Rst),
            (None, Some(_)) => Some(EndedBy::Fin),
            (None, None) => None,
        }
    }

    /// `ws://host/path`, or the server's address when the request was not captured; `wss://host/…` when it cannot be read.
    pub fn title(&self) -> String {
        let sni =
            self.opened.tls.as_ref().and_then(|tls| tls.sni.as_deref()).filter(|_| self.opened.encrypted.is_some());
        let host = sni.map(|sni| format!("wss://{sni}/…"));
        self.opened.url.clone().or(host).unwrap_or_else(|| self.opened.server.to_string())
    }

    /// The host of its URL; of what cannot be read the name that TLS asks for.
    pub fn host(&self) -> Option<&str> {
        let url = self.opened.url.as_deref().map(|url| url_parts(url).0);
        url.or_else(|| self.opened.tls.as_deref()?.sni.as_deref())
    }

    /// What there is to say of one that cannot be read: `Encrypted: no secret for client random 7a1f0042…`.
    pub fn encrypted(&self) -> Option<String> {
        let random = self.opened.encrypted?;
        let first = random.first_chunk::<8>()?;
        Some(format!("Encrypted: no secret for client random {}…", hex(first)))
    }

    /// Who asked.
    pub const fn client(&self) -> Endpoint {
        self.opened.client
    }

    /// Who answered.
    pub const fn server(&self) -> Endpoint {
        self.opened.server
    }

    /// Nanoseconds from its first packet to its last.
    pub fn duration(&self) -> Option<i64> {
        self.span.last.since(self.span.first)
    }

    /// What both directions carried.
    pub fn both(&self) -> Counts {
        let mut counts = self.counts.to_server;
        counts.add(&self.counts.to_client);
        counts
    }

    /// Messages in both directions.
    pub const fn messages(&self) -> u64 {
        self.counts.to_server.messages + self.counts.to_client.messages
    }

    /// Payload bytes in both directions.
    pub const fn bytes(&self) -> u64 {
        self.counts.to_server.bytes.saturating_add(self.counts.to_client.bytes)
    }
}
