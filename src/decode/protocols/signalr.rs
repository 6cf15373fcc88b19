//! SignalR (ASP.NET Core), its hub protocols `json` and `messagepack`.
//!
//! ```text
//! handshake   {"protocol":"json","version":1} RS        answer {} RS
//! json        each record is an object and RS (1e); several in a message, or one over several
//! messagepack each record is its length in groups of seven bits, then a list: [type, headers, invocation id, …]
//! ```

use crate::decode::bytes::Bytes;
use crate::decode::formats::msgpack;
use crate::decode::members::{Json, Members};
use crate::decode::protocols::carry::{Carry, Read, Rest, tell};
use crate::decode::{Confidence, Decode, Hints, Said, map};
use crate::model::{Direction, Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;

/// What ends a record of JSON.
const SEPARATOR: u8 = 0x1e;

/// Bytes of a record's length.
const LENGTH: u32 = 5;

/// The types of records, from 1.
const TYPES: [&str; 9] = [
    "Invocation",
    "StreamItem",
    "Completion",
    "StreamInvocation",
    "CancelInvocation",
    "Ping",
    "Close",
    "Ack",
    "Sequence",
];

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    if let Some(text) = said.text.filter(|text| text.as_bytes().last() == Some(&SEPARATOR)) {
        let first = text.split(char::from(SEPARATOR)).next().unwrap_or_default();
        return Confidence::Sure.when(Record::of_json(first, 0).is_some_and(|record| !record.is_empty()));
    }
    if said.is_text {
        return Confidence::No;
    }
    let Read { units, used, .. } = packed(said.bytes);
    Confidence::Likely.when(!units.is_empty() && used == said.bytes.len())
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(SignalR::default())
}

#[derive(Clone, Default)]
struct SignalR(Carry);

/// What a record says, in either encoding.
#[derive(Default)]
struct Record<'a> {
    /// From 1; 0 of a handshake.
    kind: usize,
    id: Option<Cow<'a, str>>,
    target: Option<Cow<'a, str>>,
    said: Option<Value<'a>>,
    error: Option<Cow<'a, str>>,
    tree: Option<Node<'a>>,
    /// Protocol and version that a client asks for.
    protocol: Option<String>,
}

impl Decode for SignalR {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let is_json = said.is_text || said.bytes.first() == Some(&b'{');
        self.0.read(said, |bytes| if is_json { separated(bytes) } else { packed(bytes) })
    }

    fn lost(&mut self, dir: Direction) {
        self.0.lost(dir);
    }

    fn held(&self) -> usize {
        self.0.held()
    }
}

/// The records of JSON that end here.
fn separated(bytes: &[u8]) -> Read<'_> {
    let (mut units, mut used) = (Vec::new(), 0);
    for end in memchr::memchr_iter(SEPARATOR, bytes) {
        let text = bytes.get(used..end).and_then(|text| std::str::from_utf8(text).ok());
        let Some(record) = text.and_then(|text| Record::of_json(text, used)) else {
            return Read { units, used, rest: Rest::Nothing };
        };
        tell(&mut units, record.unit());
        used = end + 1;
    }
    // Only what begins like a record is waited for.
    let rest = bytes.get(used..).unwrap_or_default();
    let begins = [&b"{\"type\":"[..], b"{\"protocol\":"].iter().any(|begin| rest.starts_with(begin));
    let rest = if begins && memchr::memchr(SEPARATOR, rest).is_none() { Rest::Until(SEPARATOR) } else { Rest::Nothing };
    Read { units, used, rest }
}

/// The records of MessagePack that end here.
fn packed(bytes: &[u8]) -> Read<'_> {
    let (mut units, mut used) = (Vec::new(), 0);
    let mut rest = Bytes::new(bytes);
    let rest = loop {
        if rest.is_empty() {
            break Rest::Nothing;
        }
        let Some(len) = rest.varint(LENGTH).and_then(|len| usize::try_from(len).ok()) else {
            // A length that goes on behind records: one alone may be anything.
            let is_cut = bytes.len() - used < LENGTH as usize && !units.is_empty();
            break if is_cut { Rest::Cut(bytes.len() - used + 1) } else { Rest::Nothing };
        };
        let end = (rest.at() - used).saturating_add(len);
        let begins = is_list(rest.rest());
        let Some(part) = rest.part(len) else { break if begins { Rest::Cut(end) } else { Rest::Nothing } };
        let record = msgpack::of_part(part).and_then(Record::of_list);
        let Some(record) = record else { break Rest::Nothing };
        tell(&mut units, record.unit());
        used = rest.at();
    };
    Read { units, used, rest }
}

/// Whether the list of a record may begin so.
fn is_list(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|list| (0x91..=0x97).contains(list))
        && bytes.get(1).is_none_or(|kind| (1..=9).contains(kind))
}

impl<'a> Record<'a> {
    /// One that is JSON and begins at `base`.
    fn of_json(text: &'a str, base: usize) -> Option<Self> {
        let members = Members::object(text, base)?;
        let text_of = |name| members.get(name).and_then(Json::text);
        let value_of = |name| members.get(name).map(Json::value);
        let tree = Some(Node::at(Value::Json(Cow::Borrowed(text)), base..base + text.len()));
        let kind = match members.get("type") {
            Some(kind) => usize::try_from(kind.int()?).ok().filter(|kind| (1..=TYPES.len()).contains(kind))?,
            None => 0,
        };
        let protocol = text_of("protocol").zip(members.get("version").and_then(Json::int));
        let protocol = protocol.map(|(name, version)| format!("{name} {version}"));
        let said = ["arguments", "item", "result", "sequenceId"].into_iter().find_map(value_of);
        let (id, target, error) = (text_of("invocationId"), text_of("target"), text_of("error"));
        // An answer to the handshake says nothing, or what is wrong.
        let is_answer = || text.trim() == "{}" || error.is_some();
        (kind > 0 || protocol.is_some() || is_answer()).then_some(Self {
            kind,
            id,
            target,
            said,
            error,
            tree,
            protocol,
        })
    }

    /// One that is a list of MessagePack: the tree has the names that JSON has.
    fn of_list(node: Node<'a>) -> Option<Self> {
        let Node { value: Value::List(items), bytes } = node else { return None };
        let mut items = items.into_iter();
        let first = items.next()?;
        let Value::Int(kind) = first.value else { return None };
        let kind = usize::try_from(kind).ok().filter(|kind| (1..=TYPES.len()).contains(kind))?;
        let names: &[&'static str] = match kind {
            1 | 4 => &["headers", "invocationId", "target", "arguments", "streamIds"],
            2 => &["headers", "invocationId", "item"],
            3 => &["headers", "invocationId", "kind", "result"],
            5 => &["headers", "invocationId"],
            7 => &["error", "allowReconnect"],
            8 | 9 => &["sequenceId"],
            _ => &[],
        };
        let mut record = Self { kind, ..Self::default() };
        let mut members = vec![("type", first)];
        let mut is_error = false;
        for (name, item) in names.iter().zip(items) {
            let name = if is_error && *name == "result" { "error" } else { name };
            let text = || if let Value::Text(text) = &item.value { Some(text.clone()) } else { None };
            match name {
                "invocationId" => record.id = text(),
                "target" => record.target = text(),
                "error" => record.error = text(),
                "kind" => {
                    is_error = item.value == Value::Int(1);
                    continue;
                }
                "arguments" | "item" | "result" | "sequenceId" => record.said = Some(item.value.clone()),
                _ => {}
            }
            let is_nothing = item.value == Value::Null || item.value == Value::Map(Vec::new());
            if !is_nothing || name == "result" || name == "item" {
                members.push((name, item));
            }
        }
        record.tree = Some(Node { bytes, ..map(members) });
        Some(record)
    }

    /// Whether it is `{}`, which says nothing of what it is.
    const fn is_empty(&self) -> bool {
        self.kind == 0 && self.protocol.is_none() && self.error.is_none()
    }

    fn unit(self) -> Unit<'a> {
        let Self { kind, id, target, said, error, tree, protocol } = self;
        let name = kind.checked_sub(1).and_then(|kind| TYPES.get(kind)).copied().unwrap_or("Handshake");
        let shown = match (&target, &protocol) {
            (Some(target), _) => target.to_string(),
            (None, Some(protocol)) => format!("{name} {protocol}"),
            (None, None) => name.to_owned(),
        };
        let hash = id.as_deref().map_or_else(String::new, |id| format!(" #{id}"));
        let wrong = error.as_deref().map_or_else(String::new, |error| format!(" error: {error}"));
        let handshake = Key { space: "handshake", id: Cow::Borrowed("") };
        let key = id.clone().map(|id| Key { space: "invocation", id });
        let pairing = match (kind, key) {
            (0, _) if protocol.is_some() => Pairing::Asks(handshake),
            (0, _) => Pairing::Answers { key: handshake, last: true },
            (1 | 4, Some(key)) => Pairing::Asks(key),
            (2, Some(key)) => Pairing::Answers { key, last: false },
            (3, Some(key)) => Pairing::Answers { key, last: true },
            _ => Pairing::Alone,
        };
        let event = target.or_else(|| Some(name.to_ascii_lowercase().into()));
        let tree = tree.unwrap_or_else(|| Value::Null.into());
        Unit { event, id, pairing, heartbeat: kind == 6, said, ..Unit::new(format!("{shown}{hash}{wrong}"), tree) }
    }
}
