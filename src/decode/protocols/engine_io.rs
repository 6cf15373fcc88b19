//! Engine.IO 3 and 4, and Socket.IO 1 to 4 in it; and Socket.IO 0.9, before there was an Engine.IO (`first`).
//!
//! ```text
//! Engine.IO:  digit payload      0 open {…} │ 1 close │ 2 ping │ 3 pong │ 4 message │ 5 upgrade │ 6 noop
//! Socket.IO:  4 digit [attachments "-"] ["/" namespace ","] [id] [JSON]
//!               0 CONNECT │ 1 DISCONNECT │ 2 EVENT │ 3 ACK │ 4 CONNECT_ERROR │ 5 BINARY_EVENT │ 6 BINARY_ACK
//! ```
//!
//! In Engine.IO 4 a binary message is the bytes alone, in 3 a byte 4 stands before them. A binary event's attachments are the binary
//! messages behind it; its JSON has `{"_placeholder":true,"num":0}` where they belong, and the last one's tree has it whole. Where its packets are MessagePack, each is one binary message (`packed`).

mod first;
mod packed;

use crate::decode::members::{Json, Members};
use crate::decode::{Confidence, Decode, Hints, Said, VALUES, json, map, path};
use crate::model::{Both, Change, Direction, Key, Node, Pairing, Unit, Value, count};
use std::borrow::Cow;
use std::ops::Range;

/// Attachments that an event may have.
const ATTACHMENTS: usize = 1024;

/// Containers of an event inside one another that are taken apart to put attachments in.
const DEEPEST: usize = 32;

/// The kinds of Engine.IO packets, by digit.
const ENGINE: [&str; 7] = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];

/// The kinds of Socket.IO packets, by digit.
const SOCKET: [&str; 7] = ["CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"];

pub(in crate::decode) fn claims_socket(hints: &Hints, said: &Said<'_>) -> Confidence {
    let is_named = hints.path.contains("/socket.io");
    let is_engine = is_named || is_engine(hints);
    let Some(text) = said.text.filter(|_| said.is_text) else { return Confidence::Sure.when(is_named) };
    match text.split_at_checked(1) {
        Some(("0", rest)) if is_open(rest) => Confidence::Sure,
        Some(("4", rest)) if Packet::read(rest, 1).is_some() => {
            if is_engine {
                Confidence::Sure
            } else {
                Confidence::Likely.when(rest.starts_with("2[\"") || rest.starts_with("0{\"sid\""))
            }
        }
        // Its path is /socket.io/1/websocket/….
        _ if first::begins(text) => {
            if is_named {
                Confidence::Sure
            } else {
                Confidence::Likely.when(text.contains(":{\"name\":"))
            }
        }
        Some(("0" | "1" | "2" | "3" | "4" | "5" | "6", _)) => Confidence::Likely.when(is_engine),
        _ => Confidence::No,
    }
}

pub(in crate::decode) fn claims_engine(hints: &Hints, said: &Said<'_>) -> Confidence {
    let is_packet = said.text.is_some_and(|text| text.starts_with(['0', '1', '2', '3', '4', '5', '6']));
    Confidence::Sure.when(hints.path.contains("/engine.io") && (is_packet || !said.is_text))
}

/// Whether the URL asks for the transport.
fn is_engine(hints: &Hints) -> bool {
    hints.parameter("EIO").is_some() && hints.parameter("transport") == Some("websocket")
}

/// Whether a packet `open` says this.
fn is_open(text: &str) -> bool {
    Members::object(text, 1).is_some_and(|open| open.has("sid") && open.has("pingInterval"))
}

pub(in crate::decode) fn open_socket(hints: &Hints) -> Box<dyn Decode> {
    Box::new(EngineIo { has_socket: true, ..EngineIo::new(hints) })
}

pub(in crate::decode) fn open_engine(hints: &Hints) -> Box<dyn Decode> {
    Box::new(EngineIo::new(hints))
}

#[derive(Clone)]
struct EngineIo {
    /// Messages are packets of Socket.IO.
    has_socket: bool,
    /// Binary messages begin with a byte 4.
    is_v3: bool,
    /// The binary event of each direction that lacks attachments.
    waiting: Both<Option<Waiting>>,
}

/// A binary event, and what came of its attachments.
#[derive(Clone)]
struct Waiting {
    /// The packet, as it stands behind the 4.
    text: String,
    /// How many attachments it has.
    wanted: usize,
    attachments: Vec<Vec<u8>>,
}

/// A packet of Socket.IO, as it stands there.
struct Packet<'a> {
    kind: &'static str,
    attachments: usize,
    namespace: &'a str,
    id: Option<&'a str>,
    data: &'a str,
    /// Where the data begin in the message.
    at: usize,
    /// Of an event its name and arguments, of an acknowledgement the arguments.
    args: Option<Members<'a>>,
}

impl EngineIo {
    fn new(hints: &Hints) -> Self {
        Self { has_socket: false, is_v3: hints.parameter("EIO") == Some("3"), waiting: Both::default() }
    }

    /// A binary message: an attachment, or a message of another protocol.
    fn binary<'m>(&mut self, said: &Said<'m>) -> Option<Unit<'m>> {
        let bytes = if self.is_v3 { said.bytes.strip_prefix(&[4])? } else { said.bytes };
        let at = said.bytes.len() - bytes.len()..said.bytes.len();
        let Some(mut waiting) = self.waiting[said.dir].take() else {
            if self.has_socket {
                return packed::unit(bytes, at.start, said.dir);
            }
            let value = Value::Bytes(Cow::Borrowed(bytes));
            let tree = map([("type", Value::text("message").into()), ("data", Node::at(value.clone(), at))]);
            return Some(Unit { said: Some(value), event: Some("message".into()), ..Unit::new("message", tree) });
        };
        waiting.attachments.push(bytes.to_vec());
        let number = waiting.attachments.len();
        let words = format!("attachment {number} of {}", waiting.wanted);
        if number < waiting.wanted {
            let data = Node::at(Value::Bytes(Cow::Borrowed(bytes)), at);
            let tree = map([("type", Value::text("attachment").into()), ("data", data)]);
            let unit = Unit::new(words, tree);
            self.waiting[said.dir] = Some(waiting);
            return Some(unit);
        }
        let unit = Packet::read(&waiting.text, 0)?.unit(said.dir, Some(&waiting.attachments));
        // What asks and answers is the packet that was told before.
        let words = format!("{words}: {}", unit.words);
        let whole = Unit { words: words.into(), pairing: Pairing::Alone, id: None, event: None, ..unit };
        Some(whole.into_owned())
    }

    fn text<'m>(&mut self, said: &Said<'m>) -> Option<Unit<'m>> {
        let text = said.text?;
        if self.has_socket && first::begins(text) {
            return first::unit(text, said.dir);
        }
        let (digit, rest) = text.split_at_checked(1)?;
        let kind = *ENGINE.get(digit.parse::<usize>().ok()?)?;
        if kind == "message" {
            self.waiting[said.dir] = None;
            if !self.has_socket {
                let (value, at) = (Value::text(rest), 1..text.len());
                let tree = map([("type", Value::text(kind).into()), ("data", Node::at(value.clone(), at))]);
                return Some(Unit { said: Some(value), event: Some(kind.into()), ..Unit::new(kind, tree) });
            }
            let packet = Packet::read(rest, 1)?;
            if packet.attachments > 0 {
                self.waiting[said.dir] =
                    Some(Waiting { text: rest.to_owned(), wanted: packet.attachments, attachments: Vec::new() });
            }
            return Some(packet.unit(said.dir, None));
        }
        let data = match kind {
            "open" if is_open(rest) => Some(Value::Json(Cow::Borrowed(rest))),
            "open" => return None,
            _ if rest.len() > PROBE => return None,
            _ => Some(Value::text(rest)).filter(|_| !rest.is_empty()),
        };
        let mut members = vec![("type", Value::text(kind).into())];
        members.extend(data.clone().map(|value| ("data", Node::at(value, 1..text.len()))));
        let key = Key { space: "ping", id: Cow::Borrowed(rest) };
        let pairing = match kind {
            "ping" => Pairing::Asks(key),
            "pong" => Pairing::Answers { key, last: true },
            _ => Pairing::Alone,
        };
        let heartbeat = matches!(kind, "ping" | "pong" | "noop") && rest.is_empty();
        Some(Unit { event: Some(kind.into()), pairing, heartbeat, said: data, ..Unit::new(kind, map(members)) })
    }
}

/// Characters that a ping or pong may have with it: `probe`, or what an application sends.
const PROBE: usize = 64;

impl Decode for EngineIo {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let unit = if said.is_text { self.text(said) } else { self.binary(said) };
        unit.map(|unit| vec![unit])
    }

    fn lost(&mut self, dir: Direction) {
        self.waiting[dir] = None;
    }

    fn held(&self) -> usize {
        let of =
            |waiting: &Waiting| waiting.text.len() + waiting.attachments.iter().map(|it| it.len() + 32).sum::<usize>();
        [&self.waiting.to_server, &self.waiting.to_client].into_iter().flatten().map(of).sum()
    }
}

impl<'a> Packet<'a> {
    /// What stands behind the 4, which begins at `base` in the message.
    fn read(text: &'a str, base: usize) -> Option<Self> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (digit, mut rest) = text.split_at_checked(1)?;
        let kind = *SOCKET.get(digit.parse::<usize>().ok()?)?;
        let mut attachments = 0;
        if kind.starts_with("BINARY") {
            let (number, behind) = rest.split_at(digits(rest));
            attachments = number.parse().ok().filter(|many| *many <= ATTACHMENTS)?;
            rest = behind.strip_prefix('-')?;
        }
        let mut namespace = "/";
        if rest.starts_with('/') {
            (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        }
        let (id, data) = rest.split_at(digits(rest));
        let at = base + text.len() - data.len();
        let has_args = kind.ends_with("EVENT") || kind.ends_with("ACK");
        let args = if has_args { Some(Members::array(data, at)?) } else { None };
        let id = Some(id).filter(|id| !id.is_empty());
        let packet = Self { kind, attachments, namespace, id, data, at, args };
        packet.is_sound().then_some(packet)
    }

    /// Whether its data are such as it may have.
    fn is_sound(&self) -> bool {
        match self.kind {
            "EVENT" | "BINARY_EVENT" => self.args.as_ref().and_then(|args| args.at(0)?.name()).is_some(),
            "ACK" | "BINARY_ACK" => self.id.is_some(),
            _ => self.data.is_empty() || path::is_json(self.data.as_bytes()),
        }
    }

    /// What it says; `attachments`: all of them, where they are there.
    fn unit(&self, dir: Direction, attachments: Option<&[Vec<u8>]>) -> Unit<'a> {
        let mut members = vec![
            ("type", Value::text(self.kind).into()),
            ("namespace", Value::Text(Cow::Borrowed(self.namespace)).into()),
        ];
        members.extend(self.id.map(|id| ("id", digits(id))));
        let mut words = self.kind.trim_start_matches("BINARY_").to_owned();
        let (mut event, mut said) = (None, None);
        if let Some(args) = &self.args {
            let is_event = self.kind.ends_with("EVENT");
            if is_event {
                event = args.at(0).and_then(Json::name);
                members.extend(event.clone().map(|name| ("event", Value::Text(name).into())));
                words = event.as_deref().unwrap_or_default().to_owned();
            }
            let node = |arg: Json<'a>| match attachments {
                Some(attachments) => filled(arg.raw(), attachments),
                None => arg.node(),
            };
            let args = Value::List(args.from(usize::from(is_event)).map(node).collect());
            said = Some(args.clone());
            members.push(("args", args.into()));
        } else {
            event = Some(self.kind.to_ascii_lowercase().into());
            if !self.data.is_empty() {
                let data = Value::Json(Cow::Borrowed(self.data));
                said = Some(data.clone());
                members.push(("data", Node::at(data, self.at..self.at + self.data.len())));
            }
        }
        if self.namespace != "/" {
            words = format!("{words} {}", self.namespace);
        }
        if let Some(id) = self.id {
            words = format!("{words} #{id}");
        }
        if self.attachments > 0 && attachments.is_none() {
            words = format!("{words} ({})", count(self.attachments as u64, "attachment"));
        }
        let id = self.id.map(Cow::Borrowed);
        let changes = change(self.kind, Cow::Borrowed(self.namespace)).into_iter().collect();
        Unit { event, id, pairing: self.pairing(dir), changes, said, ..Unit::new(words, map(members)) }
    }

    fn pairing(&self, dir: Direction) -> Pairing<'a> {
        let namespace = namespace_key(Cow::Borrowed(self.namespace));
        pairing(self.kind, namespace, self.id, dir)
    }
}

/// What ties a CONNECT to its answer.
fn namespace_key(namespace: Cow<'_, str>) -> Key<'_> {
    Key { space: "namespace", id: namespace }
}

/// How a packet of a kind stands to others, by its namespace, its id, and who sends it: only clients ask for a namespace.
fn pairing<'a>(kind: &str, namespace: Key<'a>, id: Option<&str>, dir: Direction) -> Pairing<'a> {
    let ack = id.map(|id| Key { space: "ack", id: format!("{}#{id}", namespace.id).into() });
    match (kind, ack) {
        ("CONNECT", _) if dir == Direction::ToServer => Pairing::Asks(namespace),
        ("CONNECT" | "CONNECT_ERROR", _) => Pairing::Answers { key: namespace, last: true },
        ("EVENT" | "BINARY_EVENT", Some(key)) => Pairing::Asks(key),
        ("ACK" | "BINARY_ACK", Some(key)) => Pairing::Answers { key, last: true },
        _ => Pairing::Alone,
    }
}

/// Namespaces that are connected to: in Socket.IO 1 and 2 the server begins with the first.
fn change<'a>(kind: &str, namespace: Cow<'a, str>) -> Option<Change<'a>> {
    match kind {
        "CONNECT" => Some(Change::opens("namespace", namespace)),
        "DISCONNECT" | "CONNECT_ERROR" => Some(Change::closes("namespace", namespace)),
        _ => None,
    }
}

fn digits(id: &str) -> Node<'_> {
    Value::Json(Cow::Borrowed(id)).into()
}

/// A JSON text as a tree, with attachments in their places; of one with too many values nothing is put in its place.
fn filled<'a>(text: &str, attachments: &[Vec<u8>]) -> Node<'a> {
    let document = json::read(text.as_bytes(), VALUES);
    if document.fault.is_some() {
        return Value::Json(Cow::Owned(text.to_owned())).into();
    }
    Filling { text, document, attachments }.node(0, 0)
}

struct Filling<'f> {
    text: &'f str,
    document: json::Document,
    attachments: &'f [Vec<u8>],
}

impl Filling<'_> {
    fn piece(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// The value that is the document's node `at`, inside so many containers.
    fn node<'a>(&self, at: usize, depth: usize) -> Node<'a> {
        let Some(node) = self.document.nodes.get(at) else { return Value::Null.into() };
        if !node.is_container() || depth == DEEPEST {
            return Value::Json(Cow::Owned(self.piece(node.span()).to_owned())).into();
        }
        let (mut child, mut members) = (at + 1, Vec::new());
        while let Some(member) = self.document.nodes.get(child).filter(|_| child < node.next()) {
            let mut name = String::new();
            path::unescape(self.piece(member.key().unwrap_or_default()).as_bytes(), &mut name);
            members.push((Cow::Owned(name), self.node(child, depth + 1)));
            child = member.next();
        }
        if node.kind == json::Kind::Array {
            return Value::List(members.into_iter().map(|(_, member)| member).collect()).into();
        }
        let whole = Node::from(Value::Map(members));
        self.attachment(&whole).map_or(whole, |bytes| Value::Bytes(Cow::Owned(bytes.clone())).into())
    }

    /// The attachment that stands in the place of this object.
    fn attachment(&self, node: &Node<'_>) -> Option<&Vec<u8>> {
        let member = |name| match &node.get(name)?.value {
            Value::Json(text) => Some(text.clone()),
            _ => None,
        };
        member("_placeholder").filter(|it| it == "true")?;
        self.attachments.get(member("num")?.parse::<usize>().ok()?)
    }
}
