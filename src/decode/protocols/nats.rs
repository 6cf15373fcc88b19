//! NATS: lines of commands, some with bytes behind them; a stream over the messages.
//!
//! ```text
//! client   CONNECT {…} │ PUB subject [reply-to] len ⏎ payload │ HPUB subject [reply-to] head-len len ⏎ head payload
//!          SUB subject [queue] sid │ UNSUB sid [max]
//! server   INFO {…} │ MSG subject sid [reply-to] len ⏎ payload │ HMSG subject sid [reply-to] head-len len ⏎ head payload
//!          +OK │ -ERR 'text'
//! both     PING │ PONG                                                      each line, and each payload, ends with CR LF
//! ```

use crate::decode::packed::payload;
use crate::decode::protocols::carry::{Carry, Read, Rest, tell};
use crate::decode::{Confidence, Decode, Hints, Said, UNITS, map, pieces};
use crate::model::{Change, Direction, Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;

/// All commands, and the names of their words, `?` before what may be lacking: the last of those with a payload are numbers.
const COMMANDS: &[(&str, &[&str])] = &[
    ("INFO", &[]),
    ("CONNECT", &[]),
    ("PUB", &["subject", "?reply", "len"]),
    ("HPUB", &["subject", "?reply", "head", "len"]),
    ("SUB", &["subject", "?queue", "sid"]),
    ("UNSUB", &["sid", "?max"]),
    ("MSG", &["subject", "sid", "?reply", "len"]),
    ("HMSG", &["subject", "sid", "?reply", "head", "len"]),
    ("PING", &[]),
    ("PONG", &[]),
    ("+OK", &[]),
    ("-ERR", &[]),
];

/// Bytes of the longest line but INFO and CONNECT that is waited for.
const LINE: usize = 1 << 14;

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let begins = |begin: &[u8]| said.bytes.starts_with(begin);
    let Some(Ok((command, _))) = (match said.bytes.first() {
        Some(b'I' | b'C' | b'P' | b'H' | b'S' | b'M' | b'U') => Command::read(said.bytes, 0),
        _ => None,
    }) else {
        return Confidence::No;
    };
    match command.name {
        "INFO" | "CONNECT" => Confidence::Sure.when(begins(b"INFO {\"server_id\"") || begins(b"CONNECT {")),
        "PING" | "PONG" => Confidence::No,
        _ => Confidence::Likely,
    }
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Nats::default())
}

#[derive(Clone, Default)]
struct Nats(Carry);

impl Decode for Nats {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let dir = said.dir;
        self.0.read(said, |bytes| commands(bytes, dir))
    }

    fn lost(&mut self, dir: Direction) {
        self.0.lost(dir);
    }

    fn held(&self) -> usize {
        self.0.held()
    }
}

/// The commands that end here.
fn commands(bytes: &[u8], dir: Direction) -> Read<'_> {
    let (mut units, mut used) = (Vec::new(), 0);
    let rest = loop {
        if used == bytes.len() {
            break Rest::Nothing;
        }
        match Command::read(bytes, used) {
            Some(Ok((command, end))) => {
                tell(&mut units, command.unit(dir));
                used = end;
            }
            Some(Err(rest)) => break rest,
            None => break Rest::Nothing,
        }
    };
    Read { units, used, rest }
}

/// A command: its words by name, and what is behind them.
struct Command<'a> {
    name: &'static str,
    words: Vec<(&'static str, Node<'a>)>,
    /// What the server says of itself before the headers.
    status: Option<Node<'a>>,
    headers: Option<Node<'a>>,
    /// Its payload, or what else its line says.
    said: Option<Node<'a>>,
}

impl<'a> Command<'a> {
    /// The command at a place and where the next is; what it waits for where it is cut; `None` of what is none.
    fn read(bytes: &'a [u8], at: usize) -> Option<Result<(Self, usize), Rest>> {
        let rest = bytes.get(at..)?;
        let Some(end) = memchr::memchr(b'\n', rest) else {
            let begins = |name: &str| rest.starts_with(name.as_bytes()) || name.as_bytes().starts_with(rest);
            let known = COMMANDS.iter().find(|(name, _)| begins(name));
            return known.filter(|(_, names)| names.is_empty() || rest.len() < LINE).map(|_| Err(Rest::Until(b'\n')));
        };
        let line = std::str::from_utf8(rest.get(..end)?.strip_suffix(b"\r")?).ok()?;
        let (first, args) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let (name, names) = COMMANDS.iter().find(|(name, _)| *name == first)?;
        let begin = at + line.len() - args.len();
        let mut command = Self { name, words: Vec::new(), status: None, headers: None, said: None };
        if names.is_empty() {
            let args = Some(args).filter(|args| !args.is_empty());
            command.said = args.map(|args| Node::at(payload(args.as_bytes()), begin..begin + args.len()));
            return Some(Ok((command, at + end + 1)));
        }
        let words = pieces(args, &[' ', '\t']).filter(|(_, word)| !word.is_empty());
        let words: Vec<(usize, &str)> = words.take(names.len() + 1).collect();
        let lacks = names.len().checked_sub(words.len()).filter(|lacks| *lacks <= 1)?;
        let names = names.iter().filter(|name| lacks == 0 || !name.starts_with('?'));
        let names = names.map(|name| name.trim_start_matches('?'));
        let has_payload = names.clone().any(|name| name == "len");
        let node = |(at, word): (usize, &'a str)| Node::at(Value::text(word), begin + at..begin + at + word.len());
        command.words = names.zip(words.into_iter().map(node)).collect();
        let number = |known: &str| command.word(known)?.parse::<usize>().ok();
        if !has_payload {
            return Some(Ok((command, at + end + 1)));
        }
        let (head, len) = (if name.starts_with('H') { number("head")? } else { 0 }, number("len")?);
        let (begin, all) = (at + end + 1, len.checked_add(2)?.checked_add(end + 1)?);
        let Some(body) = bytes.get(begin..).and_then(|rest| rest.get(..len.checked_add(2)?)) else {
            return Some(Err(Rest::Cut(all)));
        };
        let (headers, body) = body.strip_suffix(b"\r\n")?.split_at_checked(head)?;
        command.status =
            status_of(headers).map(|(at, status)| Node::at(Value::text(status), begin + at..begin + at + status.len()));
        command.headers = (head > 0).then(|| Node::at(headers_of(headers), begin..begin + head));
        command.said = Some(Node::at(payload(body), begin + head..begin + len));
        Some(Ok((command, at + all)))
    }

    fn word(&self, name: &str) -> Option<Cow<'a, str>> {
        let (_, node) = self.words.iter().find(|(known, _)| *known == name)?;
        if let Value::Text(text) = &node.value { Some(text.clone()) } else { None }
    }

    fn unit(self, dir: Direction) -> Unit<'a> {
        let (subject, reply, sid) = (self.word("subject"), self.word("reply"), self.word("sid"));
        let of = |space, id: &Cow<'a, str>| Key { space, id: id.clone() };
        let none = Cow::Borrowed("");
        let is_server = dir == Direction::ToClient;
        let pairing = match (self.name, &reply, &subject) {
            ("CONNECT", ..) => Pairing::Asks(of("connection", &none)),
            ("PING", ..) => Pairing::Asks(of("ping", &none)),
            ("PONG", ..) => Pairing::Answers { key: of("ping", &none), last: true },
            // An answer comes on the subject that was asked for.
            ("PUB" | "HPUB" | "MSG" | "HMSG", Some(reply), _) => Pairing::Asks(of("reply", reply)),
            ("PUB" | "HPUB" | "MSG" | "HMSG", None, Some(subject)) => {
                Pairing::Answers { key: of("reply", subject), last: true }
            }
            ("-ERR", ..) if is_server => Pairing::Answers { key: of("connection", &none), last: true },
            _ => Pairing::Alone,
        };
        let changes = match (self.name, &sid) {
            ("SUB", Some(sid)) => {
                vec![Change::Opens { kind: "subscription", id: sid.clone(), name: subject.clone() }]
            }
            // With a number it ends later.
            ("UNSUB", Some(sid)) if self.word("max").is_none() => vec![Change::closes("subscription", sid.clone())],
            _ => Vec::new(),
        };
        let mut words = self.name.to_owned();
        for word in ["subject", "queue", "sid", "max", "reply"].into_iter().filter_map(|name| self.word(name)) {
            words = format!("{words} {word}");
        }
        if let Some(Node { value: Value::Text(status), .. }) = &self.status {
            words = format!("{words} {status}");
        }
        let name = Value::text(self.name);
        let shown = self.said.as_ref().map(|node| node.value.clone()).filter(|_| self.name != "CONNECT");
        let key = if self.words.iter().any(|(name, _)| *name == "len") { "payload" } else { "args" };
        let rest = [("status", self.status), ("headers", self.headers), (key, self.said)];
        let rest = rest.into_iter().filter_map(|(name, node)| Some((name, node?)));
        let tree = map([("command", name.into())].into_iter().chain(self.words).chain(rest));
        let heartbeat = matches!(self.name, "PING" | "PONG");
        let event = subject.unwrap_or(Cow::Borrowed(self.name));
        let id = reply.or(sid);
        Unit { event: Some(event), id, pairing, changes, heartbeat, said: shown, ..Unit::new(words, tree) }
    }
}

/// What the server says of itself behind the version, and where: `503 No Responders`.
fn status_of(headers: &[u8]) -> Option<(usize, &str)> {
    let line = std::str::from_utf8(headers).ok()?.lines().next()?;
    let status = line.strip_prefix("NATS/1.0 ").map(str::trim).filter(|status| !status.is_empty())?;
    Some((line.find(status)?, status))
}

/// Headers: a line with the version, lines of name and value.
fn headers_of(bytes: &[u8]) -> Value<'_> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Value::Bytes(bytes.into()) };
    let pairs = text.lines().filter_map(|line| line.split_once(':')).take(UNITS);
    Value::Map(pairs.map(|(name, value)| (name.into(), Value::text(value.trim()).into())).collect())
}
