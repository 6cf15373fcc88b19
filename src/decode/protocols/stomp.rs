//! STOMP 1.0 to 1.2.
//!
//! ```text
//! COMMAND LF  *(name ":" value LF)  LF  body NUL          a heartbeat is a LF
//! ```
//!
//! A WebSocket message may have several frames, and a frame may be cut over several messages.

use crate::decode::packed::payload;
use crate::decode::protocols::carry::{Carry, Read, Rest, tell};
use crate::decode::{Confidence, Decode, Hints, Said, map};
use crate::model::{Change, Direction, Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;

/// The commands of both ends.
const COMMANDS: &[&str] = &[
    "CONNECT",
    "STOMP",
    "CONNECTED",
    "SEND",
    "MESSAGE",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "ACK",
    "NACK",
    "BEGIN",
    "COMMIT",
    "ABORT",
    "DISCONNECT",
    "RECEIPT",
    "ERROR",
];

/// Headers of one frame that are told; of more the rest is passed over.
const HEADERS: usize = 256;

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let Frame::Whole(frame, _) = Frame::read(said.bytes) else { return Confidence::No };
    // The words are used elsewhere, too: but hardly with a NUL at the end.
    Confidence::Sure
        .when(matches!(frame.command, "CONNECT" | "STOMP" | "CONNECTED"))
        .max(Confidence::Likely.when(!frame.headers.is_empty()))
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Stomp::default())
}

#[derive(Clone, Default)]
struct Stomp(Carry);

impl Decode for Stomp {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        self.0.read(said, frames)
    }

    fn lost(&mut self, dir: Direction) {
        self.0.lost(dir);
    }

    fn held(&self) -> usize {
        self.0.held()
    }
}

/// The frames and heartbeats that end here.
fn frames(bytes: &[u8]) -> Read<'_> {
    let (mut units, mut used) = (Vec::new(), 0);
    loop {
        let rest = bytes.get(used..).unwrap_or_default();
        let ends = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let rest = rest.get(ends..).unwrap_or_default();
        if rest.is_empty() {
            // Between frames line ends say nothing; alone they are a heartbeat.
            if units.is_empty() && ends > 0 {
                let tree = map([("command", Value::text("heartbeat").into())]);
                let event = Some("heartbeat".into());
                units.push(Unit { event, heartbeat: true, ..Unit::new("heartbeat", tree) });
            }
            break;
        }
        let (frame, len) = match Frame::read(rest) {
            Frame::Whole(frame, len) => (frame, len),
            Frame::Cut(rest) => return Read { units, used: used + ends, rest },
            Frame::Bad => break,
        };
        tell(&mut units, frame.unit(used + ends));
        used += ends + len;
    }
    Read { units, used, rest: Rest::Nothing }
}

/// What bytes begin with.
enum Frame<'a> {
    /// A frame, and how many bytes it takes.
    Whole(Content<'a>, usize),
    /// The beginning of one, and what it waits for.
    Cut(Rest),
    /// None.
    Bad,
}

/// What a frame says.
struct Content<'a> {
    command: &'static str,
    /// As they stand there, in order; of a name that comes again the first counts.
    headers: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
    /// Where the body begins in the frame.
    at: usize,
}

impl<'a> Frame<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let Some((line, mut at)) = line(bytes, 0) else {
            let is_begun = |command: &&str| command.as_bytes().starts_with(bytes.trim_ascii_end());
            return if COMMANDS.iter().any(is_begun) { Self::Cut(Rest::Until(b'\n')) } else { Self::Bad };
        };
        let Some(command) = COMMANDS.iter().find(|command| command.as_bytes() == line) else { return Self::Bad };
        let mut headers = Vec::new();
        loop {
            // Headers have no NUL: where one comes they are over, one way or the other.
            let Some((line, next)) = self::line(bytes, at) else {
                let has_nul = memchr::memchr(0, bytes.get(at..).unwrap_or_default()).is_some();
                return if has_nul { Self::Bad } else { Self::Cut(Rest::Until(0)) };
            };
            at = next;
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(':')) else {
                return Self::Bad;
            };
            if headers.len() < HEADERS && headers.iter().all(|(known, _)| *known != name) {
                headers.push((name, value));
            }
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let said =
            headers.iter().find(|(name, _)| *name == "content-length").and_then(|(_, len)| len.trim().parse().ok());
        let len = match said {
            Some(len) => match rest.get(len) {
                None => return Self::Cut(Rest::Cut(at.saturating_add(len).saturating_add(1))),
                Some(0) => len,
                Some(_) => return Self::Bad,
            },
            None => match memchr::memchr(0, rest) {
                Some(len) => len,
                None => return Self::Cut(Rest::Until(0)),
            },
        };
        let body = rest.get(..len).unwrap_or_default();
        Self::Whole(Content { command, headers, body, at }, at + len + 1)
    }
}

/// The line that begins at `at`, without its end, and where the next one does.
fn line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(at..)?;
    let end = memchr::memchr(b'\n', rest)?;
    let line = rest.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), at + end + 1))
}

impl<'a> Content<'a> {
    fn header(&self, name: &str) -> Option<Cow<'a, str>> {
        let (_, value) = self.headers.iter().find(|(known, _)| *known == name)?;
        Some(self.unescaped(value))
    }

    /// What a header says: escapes are resolved but in the first frames of each end, which have none.
    fn unescaped(&self, value: &'a str) -> Cow<'a, str> {
        if !value.contains('\\') || matches!(self.command, "CONNECT" | "CONNECTED") {
            return Cow::Borrowed(value);
        }
        let mut plain = String::with_capacity(value.len());
        let mut chars = value.chars();
        while let Some(c) = chars.next() {
            plain.push(match c {
                '\\' => match chars.next() {
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('c') => ':',
                    Some(other) => other,
                    None => '\\',
                },
                c => c,
            });
        }
        Cow::Owned(plain)
    }

    /// As a unit; the frame begins at `base` in the message.
    fn unit(&self, base: usize) -> Unit<'a> {
        let destination = self.header("destination");
        let body = payload(self.body);
        let headers =
            self.headers.iter().map(|(name, value)| (self.unescaped(name), Value::Text(self.unescaped(value)).into()));
        let begin = base + self.at;
        let tree = map([
            ("command", Value::text(self.command).into()),
            ("headers", Value::Map(headers.collect()).into()),
            ("body", Node::at(body.clone(), begin..begin + self.body.len())),
        ]);
        let names = ["destination", "id", "receipt", "receipt-id", "version", "message"];
        let named = match self.command {
            "SEND" | "MESSAGE" => &names[..1],
            "SUBSCRIBE" | "UNSUBSCRIBE" | "ACK" | "NACK" => &names[..2],
            "RECEIPT" => &names[3..4],
            "ERROR" => &names[5..],
            _ => &names[4..5],
        };
        let mut words = self.command.to_owned();
        for value in named.iter().filter_map(|name| self.header(name)) {
            words = format!("{words} {value}");
        }
        let event = match self.command {
            "SEND" | "MESSAGE" => destination,
            _ => None,
        };
        let said = Some(body).filter(|_| !self.body.is_empty());
        let id = ["receipt", "receipt-id"].into_iter().find_map(|name| self.header(name));
        let event = event.unwrap_or(Cow::Borrowed(self.command));
        let (pairing, changes) = (self.pairing(), self.change().into_iter().collect());
        Unit { event: Some(event), id, pairing, changes, said, ..Unit::new(words, tree) }
    }

    /// A subscription is known by its id, before 1.1 by its destination.
    fn change(&self) -> Option<Change<'a>> {
        let destination = self.header("destination");
        let id = self.header("id").or_else(|| destination.clone());
        let transaction = self.header("transaction");
        Some(match self.command {
            "SUBSCRIBE" => Change::Opens { kind: "subscription", id: id?, name: destination },
            "UNSUBSCRIBE" => Change::closes("subscription", id?),
            "BEGIN" => Change::opens("transaction", transaction?),
            "COMMIT" | "ABORT" => Change::closes("transaction", transaction?),
            _ => return None,
        })
    }

    fn pairing(&self) -> Pairing<'a> {
        let connection = Key { space: "connection", id: Cow::Borrowed("") };
        let receipt = |name| self.header(name).map(|id| Key { space: "receipt", id });
        match (self.command, receipt("receipt"), receipt("receipt-id")) {
            ("CONNECT" | "STOMP", ..) => Pairing::Asks(connection),
            ("CONNECTED", ..) => Pairing::Answers { key: connection, last: true },
            ("RECEIPT" | "ERROR", _, Some(key)) => Pairing::Answers { key, last: true },
            (_, Some(key), _) => Pairing::Asks(key),
            _ => Pairing::Alone,
        }
    }
}
