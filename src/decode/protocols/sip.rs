//! SIP over WebSocket (RFC 7118): each message is one request or response (RFC 3261 §7); line ends alone keep the connection alive
//! (RFC 5626 §3.5.1).

use crate::decode::packed::text;
use crate::decode::{Confidence, Decode, Hints, Said, map};
use crate::model::{Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;

/// What a first line names, of the only version that there is.
const VERSION: &str = "SIP/2.0";

/// Bytes of the longest first line.
const LINE: usize = 1 << 12;

/// Headers that are told; of more the rest is passed over.
const HEADERS: usize = 256;

/// Short names of headers (RFC 3261 §20, RFC 6665).
const COMPACT: [(&str, &str); 12] = [
    ("v", "Via"),
    ("f", "From"),
    ("t", "To"),
    ("i", "Call-ID"),
    ("m", "Contact"),
    ("l", "Content-Length"),
    ("c", "Content-Type"),
    ("e", "Content-Encoding"),
    ("k", "Supported"),
    ("s", "Subject"),
    ("o", "Event"),
    ("u", "Allow-Events"),
];

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    Confidence::Sure.when(Message::read(said.bytes).is_some())
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Sip)
}

#[derive(Clone)]
struct Sip;

impl Decode for Sip {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let alone = match said.bytes {
            b"\r\n\r\n" => Some(("ping", true)),
            b"\r\n" => Some(("pong", false)),
            _ => None,
        };
        if let Some((name, asks)) = alone {
            let key = Key { space: "ping", id: Cow::Borrowed("") };
            let pairing = if asks { Pairing::Asks(key) } else { Pairing::Answers { key, last: true } };
            let tree = map([("type", Node::at(Value::text(name), 0..said.bytes.len()))]);
            return Some(vec![Unit { event: Some(name.into()), heartbeat: true, pairing, ..Unit::new(name, tree) }]);
        }
        Message::read(said.bytes).map(|message| vec![message.unit()])
    }
}

struct Message<'a> {
    first: First<'a>,
    /// Names, what they say, and where that is.
    headers: Vec<(&'a str, Node<'a>)>,
    body: &'a [u8],
    /// Where the body begins.
    at: usize,
}

enum First<'a> {
    Request { method: &'a str, uri: &'a str },
    Response { code: u16, reason: &'a str },
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        // Cheaply told from all else.
        let begin =
            bytes.get(..bytes.len().min(LINE)).filter(|begin| begin.first().is_some_and(u8::is_ascii_uppercase))?;
        let (start, mut at) = line(begin, 0)?;
        let first = match start.strip_prefix(VERSION) {
            Some(status) => {
                let (code, reason) = status.strip_prefix(' ')?.split_at_checked(3)?;
                First::Response { code: code.parse().ok()?, reason: reason.trim_ascii_start() }
            }
            None => {
                let (method, uri) = start.strip_suffix(VERSION)?.strip_suffix(' ')?.split_once(' ')?;
                First::Request { method, uri }
            }
        };
        let mut headers = Vec::new();
        loop {
            let begin = at;
            let (line, next) = line(bytes, at)?;
            at = next;
            if line.is_empty() {
                return Some(Self { first, headers, body: bytes.get(at..)?, at });
            }
            // A line that begins with a blank goes on with the one before.
            if !line.starts_with([' ', '\t']) && headers.len() < HEADERS {
                let (name, value) = line.split_once(':')?;
                let begin = begin + line.len() - value.trim_ascii_start().len();
                let value = value.trim_ascii();
                let name = name.trim_ascii_end();
                let long = COMPACT.iter().find(|(short, _)| short.eq_ignore_ascii_case(name));
                let name = long.map_or(name, |(_, long)| long);
                headers.push((name, Node::at(Value::text(value), begin..begin + value.len())));
            }
        }
    }

    fn header(&self, name: &str) -> Option<Cow<'a, str>> {
        let (_, node) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        if let Value::Text(text) = &node.value { Some(text.clone()) } else { None }
    }

    fn unit(self) -> Unit<'a> {
        let call = self.header("Call-ID");
        let cseq = self.header("CSeq").unwrap_or_default();
        let asked = cseq.split_ascii_whitespace().nth(1).unwrap_or_default().to_owned();
        // A transaction is told by the branch of the topmost Via, and the method (RFC 3261 §17.1.3).
        let branch = self.header("Via").and_then(|via| {
            let parameters = via.split(',').next().unwrap_or_default().split(';').skip(1);
            parameters.filter_map(|pair| pair.trim().strip_prefix("branch=")).next().map(ToOwned::to_owned)
        });
        let key = branch.map(|branch| Key { space: "transaction", id: format!("{branch} {asked}").into() });
        let (words, event, pairing) = match (&self.first, key) {
            (First::Request { method, uri }, key) => {
                let pairing = key.filter(|_| *method != "ACK").map_or(Pairing::Alone, Pairing::Asks);
                (format!("{method} {uri}"), Cow::Borrowed(*method), pairing)
            }
            (First::Response { code, reason }, key) => {
                let pairing = key.map_or(Pairing::Alone, |key| Pairing::Answers { key, last: *code >= 200 });
                (format!("{code} {reason} {asked}"), format!("{code} {asked}").into(), pairing)
            }
        };
        let body = text(self.body);
        let mut members = match self.first {
            First::Request { method, uri } => {
                vec![("method", Value::text(method).into()), ("uri", Value::text(uri).into())]
            }
            First::Response { code, reason } => {
                vec![("code", Value::Int(code.into()).into()), ("reason", Value::text(reason).into())]
            }
        };
        let headers = self.headers.into_iter().map(|(name, node)| (Cow::Borrowed(name), node));
        members.push(("headers", Value::Map(headers.collect()).into()));
        members.push(("body", Node::at(body.clone(), self.at..self.at + self.body.len())));
        let said = Some(body).filter(|_| !self.body.is_empty());
        Unit { event: Some(event), id: call, pairing, said, ..Unit::new(words, map(members)) }
    }
}

/// The line that begins at a place, without its end, and where the next one does.
fn line(bytes: &[u8], at: usize) -> Option<(&str, usize)> {
    let rest = bytes.get(at..)?;
    let end = memchr::memchr(b'\n', rest)?;
    let line = std::str::from_utf8(rest.get(..end)?.strip_suffix(b"\r")?).ok()?;
    Some((line, at + end + 1))
}
