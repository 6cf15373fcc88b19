//! What a session that cannot be decrypted looks like from outside: whether it behaves like a WebSocket.

use super::beats::Beats;
use super::hello::Hello;
use super::suite::{Sealing, Suite};
use crate::model::{ConnId, Direction, Ends, Mark, TlsVersion, count, duration};

/// Sizes and times of a session's records. It is judged to be a WebSocket only if nothing else is likely: a request and an answer
/// that are long enough for an upgrade, then the client says, again and again, what is too short for a request.
#[derive(Debug, Default)]
pub(super) struct Shape {
    stage: Stage,
    /// Bytes that a record is longer than what it carries.
    overhead: usize,
    /// Whether that is always so.
    is_exact: bool,
    /// Bytes of a Finished that is encrypted as data are, in TLS 1.3; up to TLS 1.2 all such records are data.
    finished_len: Option<usize>,
    /// Records before the request.
    before: u32,
    /// A record of the client behind the answer was too short for a frame.
    is_short: bool,
    /// Request-sized records of the client.
    requests: u32,
    /// When each direction spoke last, and which did.
    spoke: [Option<Mark>; 2],
    last: Option<Direction>,
    /// How often the client said something tiny, at different times; the first and the last of them.
    tiny: u32,
    span: Option<(Mark, Mark)>,
    /// How often the server spoke after its answer.
    heard: u32,
    /// Pings, where its handshake was not captured.
    beats: Beats,
    /// The connection, once it is taken for one, and how its stream ended.
    pub(super) conn: Option<ConnId>,
    pub(super) ends: Ends,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is not looked at.
    #[default]
    Unwatched,
    /// It is something else.
    Dull,
    /// The client's Finished is awaited, its request, the answer, and what follows.
    Greeting,
    Fresh,
    Asked,
    Answered,
    /// Its handshake was not captured: only pings can show what it is.
    Midway,
    /// It is taken for a WebSocket.
    Likely,
}

/// The shortest upgrade (RFC 6455 §4.1) with a host and without anything else, and the shortest answer (§4.2.2).
const REQUEST_MIN: usize = 140;
const ANSWER_MIN: usize = 129;
/// No HTTP request that a program sends is so short.
const TINY: usize = 64;
/// The shortest frame of a client (RFC 6455 §5.2): two bytes and a masking key.
const FRAME_MIN: usize = 6;
/// A server may begin with tickets (RFC 8446 §4.6.1), of which none is as short as what is neither that nor an answer.
const TICKET_MIN: usize = 32;
/// Records before a client's Finished: certificates.
const BEFORE_MAX: u32 = 4;
/// Bytes of the head of a handshake message.
const MESSAGE_HEAD: usize = 4;
/// Nanoseconds between what is said at different times.
const APART: i64 = 100_000_000;
/// How often something tiny must be said: over so many nanoseconds, or in a shorter time.
const TINY_MIN: u32 = 3;
const LONG: i64 = 5_000_000_000;
const TINY_MIN_SHORT: u32 = 6;
/// Requests, and nanoseconds without a word of the client while the server speaks, after which it is none.
const REQUESTS_MAX: u32 = 8;
const SILENT_MAX: i64 = 600_000_000_000;
/// How often the server must speak meanwhile.
const HEARD_MIN: u32 = 3;

impl Shape {
    /// Begins to watch, if HTTP/1.1 may be inside: it was agreed on, or nothing else was offered. `past` the handshake what the client
    /// sends are data.
    pub(super) fn watch(&mut self, hello: &Hello, alpn: Option<&str>, past: bool) {
        let (Some(client), Some(server)) = (&hello.client, &hello.server) else {
            if self.stage == Stage::Unwatched {
                self.stage = Stage::Midway;
            }
            return;
        };
        let agreed = alpn.map(|alpn| alpn == "http/1.1");
        let Some(suite) = Suite::find(server.suite) else { return };
        if self.stage == Stage::Unwatched && agreed.unwrap_or(!client.offers_others) {
            let is_1_3 = server.version >= TlsVersion::TLS_1_3;
            self.finished_len = is_1_3.then(|| MESSAGE_HEAD + suite.prf.len());
            self.stage = if past || !is_1_3 { Stage::Fresh } else { Stage::Greeting };
            (self.overhead, self.is_exact) = match suite.sealing {
                Sealing::Aead(aead) => (aead.overhead(server.version), true),
                // The initialisation vector, the MAC, and half a block.
                Sealing::Cbc(..) => (44, false),
                Sealing::Rc4(_) | Sealing::Null(_) | Sealing::Other => (20, false),
            };
        }
    }

    /// The client's Finished was read: it is not among the records that are told.
    pub(super) fn finished(&mut self) {
        if self.stage == Stage::Greeting {
            self.stage = Stage::Fresh;
        }
    }

    /// Whether records are to be told.
    pub(super) fn is_watching(&self) -> bool {
        !matches!(self.stage, Stage::Unwatched | Stage::Dull)
    }

    /// Whether it is taken for a WebSocket, and no connection was told yet.
    pub(super) fn is_news(&self) -> bool {
        self.stage == Stage::Likely && self.conn.is_none()
    }

    /// A record of data with a fragment of that length.
    pub(super) fn record(&mut self, dir: Direction, len: usize, at: Mark) {
        if self.stage == Stage::Midway {
            let goes_on = self.beats.record(dir, len, at);
            self.stage = match self.beats.enough() {
                Some(_) => Stage::Likely,
                None if goes_on => Stage::Midway,
                None => Stage::Dull,
            };
            return;
        }
        let plain = len.saturating_sub(self.overhead);
        let side = usize::from(dir == Direction::ToClient);
        let since = self.spoke.get(side).copied().flatten().and_then(|before| at.since(before));
        let apart = self.last != Some(dir) || since.is_none_or(|since| since >= APART);
        if let Some(spoke) = self.spoke.get_mut(side) {
            *spoke = Some(at);
        }
        self.last = Some(dir);
        match (self.stage, dir) {
            (Stage::Greeting, Direction::ToServer) if self.finished_len == Some(plain) => self.stage = Stage::Fresh,
            (Stage::Greeting, Direction::ToServer) => {
                self.before += 1;
                if self.before > BEFORE_MAX {
                    self.stage = Stage::Dull;
                }
            }
            (Stage::Fresh, Direction::ToServer) if plain >= REQUEST_MIN => self.stage = Stage::Asked,
            // Who begins with less asks for no upgrade, and who greets is no web server.
            (Stage::Fresh, Direction::ToServer) => self.stage = Stage::Dull,
            (Stage::Fresh, Direction::ToClient) if self.finished_len.is_none() => self.stage = Stage::Dull,
            (Stage::Asked, Direction::ToClient) if plain >= ANSWER_MIN => self.stage = Stage::Answered,
            (Stage::Asked, Direction::ToClient) if plain < TICKET_MIN => self.stage = Stage::Dull,
            // No frame is so short; one such record may be the alert that ends the session.
            (Stage::Answered, Direction::ToServer) if self.is_exact && plain < FRAME_MIN && self.is_short => {
                self.stage = Stage::Dull;
            }
            (Stage::Answered, Direction::ToServer) if plain <= TINY && apart => {
                self.is_short |= plain < FRAME_MIN;
                self.tiny += 1;
                let (first, _) = *self.span.get_or_insert((at, at));
                self.span = Some((first, at));
                self.judge();
            }
            (Stage::Answered, Direction::ToServer) if plain >= REQUEST_MIN => {
                self.requests += 1;
                if self.requests > REQUESTS_MAX.max(self.tiny) {
                    self.stage = Stage::Dull;
                }
            }
            (Stage::Answered, Direction::ToClient) => {
                let silent = self.spoke[0].and_then(|before| at.since(before)).unwrap_or_default();
                if silent > SILENT_MAX {
                    self.stage = Stage::Dull;
                } else if apart {
                    self.heard += 1;
                    self.judge();
                }
            }
            _ => {}
        }
    }

    /// Of each request something tiny may be the body, which waited for `100 Continue`.
    fn judge(&mut self) {
        let lasted = self.span.and_then(|(first, last)| last.since(first)).unwrap_or_default();
        let enough = if lasted >= LONG { TINY_MIN } else { TINY_MIN_SHORT };
        if self.tiny >= enough && self.heard >= HEARD_MIN && self.tiny > self.requests + 1 {
            self.stage = Stage::Likely;
        }
    }

    /// Nothing more is to be told of it.
    pub(super) const fn forget(&mut self) {
        self.stage = Stage::Dull;
    }

    /// What speaks for it: one sentence.
    pub(super) fn words(&self) -> String {
        if let Some(answered) = self.beats.enough() {
            return format!(
                "not decrypted, but like a WebSocket: empty pings were answered {}, with the four bytes of a mask more or less",
                count(answered.into(), "time")
            );
        }
        let lasted = self.span.and_then(|(first, last)| last.since(first)).unwrap_or_default();
        let within = if lasted > 0 { format!(" within {}", duration(lasted)) } else { String::new() };
        format!(
            "not decrypted, but like a WebSocket: after an exchange as long as an upgrade the client said {}{within}, and the server spoke {}",
            count(self.tiny.into(), "tiny thing"),
            count(self.heard.into(), "time")
        )
    }
}
