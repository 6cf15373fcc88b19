//! One packet of MQTT.

use super::properties::{self, data, text};
use super::{ALIASES, State};
use crate::decode::bytes::Bytes;
use crate::decode::{VALUES, map, packed};
use crate::model::{Change, Direction, Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The types, from 1.
const TYPES: [&str; 15] = [
    "CONNECT",
    "CONNACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBSCRIBE",
    "SUBACK",
    "UNSUBSCRIBE",
    "UNSUBACK",
    "PINGREQ",
    "PINGRESP",
    "DISCONNECT",
    "AUTH",
];

/// Members of a packet, so far.
type Fields<'a> = Vec<(&'static str, Node<'a>)>;

/// A packet with this first byte, whose body is `body` and which begins at `begin`.
pub(super) fn unit<'a>(head: u8, body: Bytes<'a>, begin: usize, dir: Direction, state: &mut State) -> Unit<'a> {
    let name = TYPES.get(usize::from(head >> 4).wrapping_sub(1)).copied().unwrap_or("reserved");
    let mut reading = Reading {
        fields: vec![("type", Node::at(Value::text(name), begin..begin + 1))],
        words: name.to_owned(),
        ..Reading::default()
    };
    let mut rest = body.clone();
    if reading.packet(name, head & 15, &mut rest, dir, state).is_none() {
        // What is wrong within one packet says nothing of the next.
        reading.fields.truncate(1);
        let bytes = body.at()..body.at() + body.rest().len();
        reading.fields.push(("malformed", Node::at(Value::Bytes(Cow::Borrowed(body.rest())), bytes)));
        reading.words += " (malformed)";
    }
    let Reading { fields, words, id, event, said, changes } = reading;
    let pairing = pairing(name, id);
    let event = event.unwrap_or_else(|| name.into());
    let id = id.map(|id| id.to_string().into());
    let heartbeat = name.starts_with("PING");
    Unit { event: Some(event), id, pairing, changes, heartbeat, said, ..Unit::new(words, map(fields)) }
}

fn pairing(name: &str, id: Option<u16>) -> Pairing<'static> {
    let of = |space| Key { space, id: id.map_or_else(String::new, |id| id.to_string()).into() };
    let answers = |key, last| Pairing::Answers { key, last };
    match name {
        "CONNECT" => Pairing::Asks(of("connection")),
        "CONNACK" => answers(of("connection"), true),
        "PUBLISH" if id.is_some() => Pairing::Asks(of("publish")),
        "PUBREC" => answers(of("publish"), false),
        "PUBACK" | "PUBCOMP" => answers(of("publish"), true),
        "SUBSCRIBE" => Pairing::Asks(of("subscribe")),
        "SUBACK" => answers(of("subscribe"), true),
        "UNSUBSCRIBE" => Pairing::Asks(of("unsubscribe")),
        "UNSUBACK" => answers(of("unsubscribe"), true),
        "PINGREQ" => Pairing::Asks(of("ping")),
        "PINGRESP" => answers(of("ping"), true),
        _ => Pairing::Alone,
    }
}

/// What was read of a packet.
#[derive(Default)]
struct Reading<'a> {
    fields: Fields<'a>,
    words: String,
    id: Option<u16>,
    event: Option<Cow<'a, str>>,
    said: Option<Value<'a>>,
    changes: Vec<Change<'a>>,
}

impl<'a> Reading<'a> {
    /// Reads what follows the length; `None` where it is not as it should be.
    fn packet(
        &mut self,
        name: &str,
        flags: u8,
        bytes: &mut Bytes<'a>,
        dir: Direction,
        state: &mut State,
    ) -> Option<()> {
        let is_v5 = state.version == Some(5);
        match name {
            "CONNECT" => self.connect(bytes, state),
            "CONNACK" => {
                let session = bytes.u8()? & 1 == 1;
                self.fields.push(("sessionPresent", Value::Flag(session).into()));
                self.code("code", bytes)?;
                // A server that knows no MQTT 5 says so without.
                if is_v5 && !bytes.is_empty() { self.properties(bytes) } else { Some(()) }
            }
            "PUBLISH" => self.publish(flags, bytes, dir, state),
            "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP" => {
                self.id(bytes)?;
                self.reason(bytes)
            }
            "SUBSCRIBE" | "UNSUBSCRIBE" => {
                self.id(bytes)?;
                if is_v5 {
                    self.properties(bytes)?;
                }
                self.topics(name, bytes)
            }
            "SUBACK" | "UNSUBACK" => {
                self.id(bytes)?;
                if is_v5 {
                    self.properties(bytes)?;
                }
                let begin = bytes.at();
                // From 128 on they are failures.
                let failed = bytes.rest().iter().take(VALUES).enumerate().filter(|(_, code)| **code >= 0x80);
                self.changes = failed.filter(|_| name == "SUBACK").map(|(at, _)| Change::Refuses(Some(at))).collect();
                let codes = bytes.rest().iter().take(VALUES).enumerate();
                let codes =
                    codes.map(|(at, code)| Node::at(Value::Int((*code).into()), begin + at..begin + at + 1)).collect();
                self.fields.push(("codes", Value::List(codes).into()));
                Some(())
            }
            "DISCONNECT" | "AUTH" => self.reason(bytes),
            "PINGREQ" | "PINGRESP" => Some(()),
            _ => None,
        }
    }

    /// Adds what `read` reads under a name.
    fn field(
        &mut self,
        name: &'static str,
        bytes: &mut Bytes<'a>,
        read: impl FnOnce(&mut Bytes<'a>) -> Option<Value<'a>>,
    ) -> Option<()> {
        let begin = bytes.at();
        let value = read(bytes)?;
        self.fields.push((name, Node::at(value, begin..bytes.at())));
        Some(())
    }

    fn properties(&mut self, bytes: &mut Bytes<'a>) -> Option<()> {
        let properties = properties::read(bytes)?;
        if properties.value != Value::Map(Vec::new()) {
            self.fields.push(("properties", properties));
        }
        Some(())
    }

    fn id(&mut self, bytes: &mut Bytes<'a>) -> Option<()> {
        self.field("packetId", bytes, |bytes| bytes.u16().map(|id| Value::Int(id.into())))?;
        if let Some((_, Node { value: Value::Int(id), .. })) = self.fields.last() {
            self.id = u16::try_from(*id).ok();
            self.words += &format!(" #{id}");
        }
        Some(())
    }

    /// A code that is told where it is one of a failure.
    fn code(&mut self, name: &'static str, bytes: &mut Bytes<'a>) -> Option<()> {
        let code = bytes.peek()?;
        if code > 0 {
            self.words += &format!(" code {code}");
        }
        self.field(name, bytes, |bytes| bytes.u8().map(|code| Value::Int(code.into())))
    }

    /// A reason code and properties, which only MQTT 5 has, and which may be left out.
    fn reason(&mut self, bytes: &mut Bytes<'a>) -> Option<()> {
        if !bytes.is_empty() {
            self.code("reasonCode", bytes)?;
        }
        if bytes.is_empty() { Some(()) } else { self.properties(bytes) }
    }

    fn connect(&mut self, bytes: &mut Bytes<'a>, state: &mut State) -> Option<()> {
        self.field("protocolName", bytes, text)?;
        let version = bytes.peek()?;
        self.field("protocolVersion", bytes, |bytes| bytes.u8().map(|version| Value::Int(version.into())))?;
        // The top bit says that it is a bridge.
        let version = version & 0x7f;
        state.version = Some(version);
        let flags = bytes.u8()?;
        let is_set = |bit: u8| flags >> bit & 1 == 1;
        self.fields.push(("clean", Value::Flag(is_set(1)).into()));
        self.field("keepAlive", bytes, |bytes| bytes.u16().map(|seconds| Value::Int(seconds.into())))?;
        if version == 5 {
            self.properties(bytes)?;
        }
        self.field("clientId", bytes, text)?;
        if let Some((_, Node { value: Value::Text(client), .. })) = self.fields.last() {
            self.words += &format!(" {client}");
        }
        if is_set(2) {
            if version == 5 {
                self.properties(bytes)?;
                if let Some(will) = self.fields.last_mut().filter(|(name, _)| *name == "properties") {
                    will.0 = "willProperties";
                }
            }
            self.field("willTopic", bytes, text)?;
            self.field("willPayload", bytes, |bytes| data(bytes).map(packed::text))?;
            self.fields.push(("willQos", Value::Int((flags >> 3 & 3).into()).into()));
            self.fields.push(("willRetain", Value::Flag(is_set(5)).into()));
        }
        if is_set(7) {
            self.field("username", bytes, text)?;
        }
        if is_set(6) {
            self.field("password", bytes, text)?;
        }
        Some(())
    }

    fn publish(&mut self, flags: u8, bytes: &mut Bytes<'a>, dir: Direction, state: &mut State) -> Option<()> {
        let qos = flags >> 1 & 3;
        self.field("topic", bytes, text)?;
        let topic = match self.fields.last() {
            Some((_, Node { value: Value::Text(topic), .. })) => topic.clone(),
            _ => return None,
        };
        self.fields.push(("qos", Value::Int(qos.into()).into()));
        for (name, bit) in [("dup", 8), ("retain", 1)] {
            self.fields.push((name, Value::Flag(flags & bit != 0).into()));
        }
        let id = if qos > 0 { Some(bytes.u16()?) } else { None };
        if let Some(id) = id {
            self.fields.push(("packetId", Node::at(Value::Int(id.into()), bytes.at() - 2..bytes.at())));
        }
        self.id = id;
        let mut alias = None;
        if state.version == Some(5) {
            self.properties(bytes)?;
            let properties = self.fields.last().and_then(|(_, node)| node.get("topicAlias"));
            alias = properties
                .and_then(|node| if let Value::Int(alias) = node.value { u16::try_from(alias).ok() } else { None });
        }
        let topic = aliased(topic, alias, &mut state.aliases[dir]);
        self.words += &format!(" {topic}");
        if let Some(id) = id {
            self.words += &format!(" qos {qos} #{id}");
        }
        self.words += if flags & 1 == 1 { " retain" } else { "" };
        self.event = Some(topic);
        let begin = bytes.at();
        let rest = bytes.rest();
        let payload = packed::payload(rest);
        self.said = Some(payload.clone()).filter(|_| !rest.is_empty());
        self.fields.push(("payload", Node::at(payload, begin..begin + rest.len())));
        Some(())
    }

    fn topics(&mut self, name: &str, bytes: &mut Bytes<'a>) -> Option<()> {
        let mut topics = Vec::new();
        while !bytes.is_empty() && topics.len() < VALUES {
            let begin = bytes.at();
            let topic = text(bytes)?;
            if let Value::Text(topic) = &topic {
                self.words += &format!(" {topic}");
                let change = if name == "SUBSCRIBE" { Change::opens } else { Change::closes };
                self.changes.push(change("topic", topic.clone()));
            }
            let mut members = vec![("topic", Node::at(topic, begin..bytes.at()))];
            if name == "SUBSCRIBE" {
                let options = bytes.u8()?;
                members.push(("qos", Value::Int((options & 3).into()).into()));
                members.push(("options", Node::at(Value::Int(options.into()), bytes.at() - 1..bytes.at())));
            }
            topics.push(map(members));
        }
        self.fields.push(("topics", Value::List(topics).into()));
        Some(())
    }
}

/// The topic that is meant: its own, which a number may stand for from now on, or that of the number.
fn aliased<'a>(topic: Cow<'a, str>, alias: Option<u16>, known: &mut BTreeMap<u16, String>) -> Cow<'a, str> {
    match alias {
        Some(alias) if topic.is_empty() => match known.get(&alias) {
            Some(topic) => Cow::Owned(topic.clone()),
            None => format!("(topic alias {alias})").into(),
        },
        Some(alias) if known.len() < ALIASES || known.contains_key(&alias) => {
            known.insert(alias, topic.clone().into_owned());
            topic
        }
        _ => topic,
    }
}
