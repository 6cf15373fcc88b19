//! AMQP 1.0 (OASIS) over WebSocket: a stream of headers and frames, of which the performatives are told.
//!
//! ```text
//! header   "AMQP" │ protocol (0 AMQP, 2 TLS, 3 SASL) │ 1 0 0
//! frame    size (4) │ data offset in words (1) │ type (0 AMQP, 1 SASL) │ channel (2) │ performative │ payload
//! ```

use crate::decode::bytes::Bytes;
use crate::decode::packed::{Packed, payload, text, time};
use crate::decode::protocols::carry::{Carry, Read, Rest, tell};
use crate::decode::{Confidence, Decode, Hints, NESTED, Said, map};
use crate::model::{Both, Direction, Key, Node, Pairing, Unit, Value};
use std::collections::BTreeSet;

/// Bytes of a header, and of what a frame has before its performative at least.
const HEAD: usize = 8;

/// The performatives: descriptor (the number behind `0x00000000:`), name, the names of their fields in order.
const PERFORMATIVES: &[(u64, &str, &[&str])] = &[
    (0x10, "open", &["containerId", "hostname", "maxFrameSize", "channelMax", "idleTimeOut"]),
    (0x11, "begin", &["remoteChannel", "nextOutgoingId", "incomingWindow", "outgoingWindow", "handleMax"]),
    (0x12, "attach", &["name", "handle", "role", "sndSettleMode", "rcvSettleMode", "source", "target", "unsettled"]),
    (
        0x13,
        "flow",
        &[
            "nextIncomingId",
            "incomingWindow",
            "nextOutgoingId",
            "outgoingWindow",
            "handle",
            "deliveryCount",
            "linkCredit",
        ],
    ),
    (0x14, "transfer", &["handle", "deliveryId", "deliveryTag", "messageFormat", "settled", "more"]),
    (0x15, "disposition", &["role", "first", "last", "settled", "state"]),
    (0x16, "detach", &["handle", "closed", "error"]),
    (0x17, "end", &["error"]),
    (0x18, "close", &["error"]),
    (0x40, "sasl-mechanisms", &["mechanisms"]),
    (0x41, "sasl-init", &["mechanism", "initialResponse", "hostname"]),
    (0x42, "sasl-challenge", &["challenge"]),
    (0x43, "sasl-response", &["response"]),
    (0x44, "sasl-outcome", &["code", "additionalData"]),
];

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    Confidence::Sure.when(!said.is_text && header(said.bytes).is_some())
}

/// The protocol that a header asks for.
fn header(bytes: &[u8]) -> Option<&'static str> {
    match bytes.get(..HEAD)?.strip_prefix(b"AMQP")? {
        [0, 1, 0, 0] => Some("AMQP"),
        [2, 1, 0, 0] => Some("TLS"),
        [3, 1, 0, 0] => Some("SASL"),
        _ => None,
    }
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Amqp::default())
}

#[derive(Clone, Default)]
struct Amqp {
    carry: Carry,
    unsettled: Unsettled,
}

/// The deliveries of each end that the other is to settle, by channel and number.
#[derive(Clone, Default)]
struct Unsettled(Both<BTreeSet<(u16, u32)>>);

/// Deliveries of one end that are kept; of more those with the lowest numbers go.
const DELIVERIES: usize = 4096;

impl Unsettled {
    fn delivered(&mut self, dir: Direction, channel: u16, number: u32) {
        let all = &mut self.0[dir];
        all.insert((channel, number));
        if all.len() > DELIVERIES {
            all.pop_first();
        }
    }

    /// What one end settles of the other's deliveries (§2.7.6): all of these numbers that are open, else the first.
    fn settled(&mut self, dir: Direction, channel: u16, first: u32, last: u32) -> Vec<u32> {
        let all = &mut self.0[dir.reverse()];
        let open: Vec<u32> = match first <= last {
            true => all.range((channel, first)..=(channel, last)).map(|(_, number)| *number).collect(),
            false => Vec::new(),
        };
        for number in &open {
            all.remove(&(channel, *number));
        }
        if open.is_empty() { vec![first] } else { open }
    }
}

impl Decode for Amqp {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let Self { carry, unsettled } = self;
        if said.is_text { None } else { carry.read(said, |bytes| frames(bytes, said.dir, unsettled)) }
    }

    fn lost(&mut self, dir: Direction) {
        self.carry.lost(dir);
    }

    fn held(&self) -> usize {
        self.carry.held() + 16 * (self.unsettled.0.to_server.len() + self.unsettled.0.to_client.len())
    }
}

/// The headers and frames that end here.
fn frames<'a>(bytes: &'a [u8], dir: Direction, unsettled: &mut Unsettled) -> Read<'a> {
    let (mut units, mut used) = (Vec::new(), 0);
    let mut all = Bytes::new(bytes);
    let rest = loop {
        if all.is_empty() {
            break Rest::Nothing;
        }
        if let Some(name) = header(all.rest()) {
            let tree = map([("type", Value::text("header").into()), ("protocol", Value::text(name).into())]);
            let tree = Node { bytes: Some(used..used + HEAD), ..tree };
            let key = Key { space: "header", id: name.into() };
            let pairing = asks(dir, key);
            tell(
                &mut units,
                Unit { event: Some("header".into()), pairing, ..Unit::new(format!("header {name}"), tree) },
            );
            all.take(HEAD);
            used = all.at();
            continue;
        }
        let mut head = all.clone();
        let (Some(size), Some(words), Some(kind)) = (head.u32(), head.u8(), head.u8()) else {
            // A frame, or a header, is as long at least; only what begins like one is waited for.
            let is_long = all.clone().u32().is_none_or(|size| size as usize >= HEAD);
            let begins =
                all.peek() == Some(0) && is_long || b"AMQP".starts_with(all.rest().get(..4).unwrap_or(all.rest()));
            break if begins { Rest::Cut(HEAD) } else { Rest::Nothing };
        };
        let (Ok(size), offset) = (usize::try_from(size), usize::from(words) * 4) else { break Rest::Nothing };
        if kind > 1 || offset < HEAD || size < offset {
            break Rest::Nothing;
        }
        let Some(frame) = all.part(size) else { break Rest::Cut(size) };
        let Some(unit) = unit(frame, offset, kind, dir, unsettled) else { break Rest::Nothing };
        tell(&mut units, unit);
        used = all.at();
    };
    Read { units, used, rest }
}

/// A frame; one without a performative keeps the connection alive (§2.4.5).
fn unit<'a>(
    mut frame: Bytes<'a>,
    offset: usize,
    kind: u8,
    dir: Direction,
    unsettled: &mut Unsettled,
) -> Option<Unit<'a>> {
    let (begin, end) = (frame.at(), frame.at() + frame.rest().len());
    let channel = frame.clone().part(HEAD).and_then(|mut head| head.take(6).and_then(|_| head.u16()))?;
    frame.take(offset)?;
    let mut members = vec![("channel", Value::Int(channel.into()).into())];
    if frame.is_empty() {
        let tree =
            Node { bytes: Some(begin..end), ..map([("type", Value::text("empty").into())].into_iter().chain(members)) };
        return (kind == 0).then(|| Unit { event: Some("empty".into()), heartbeat: true, ..Unit::new("empty", tree) });
    }
    let mut packed = Packed::new(frame, value);
    let Node { value: Value::Map(described), .. } = packed.node(NESTED)? else { return None };
    let mut described = described.into_iter().map(|(_, node)| node.value);
    let (Some(Value::Int(code)), Some(Value::List(fields))) = (described.next(), described.next()) else { return None };
    let (_, name, names) = PERFORMATIVES.iter().find(|(known, ..)| i128::from(*known) == code)?;
    members.extend(names.iter().copied().zip(fields).filter(|(_, node)| node.value != Value::Null));
    let rest = packed.bytes.rest();
    if !rest.is_empty() {
        members.push(("payload", Node::at(payload(rest), packed.bytes.at()..end)));
    }
    let find = |name: &str| members.iter().find(|(known, _)| *known == name).map(|(_, node)| &node.value);
    let shown = |name: &str| match find(name) {
        Some(Value::Text(text)) => Some(text.to_string()),
        Some(Value::Int(number)) => Some(number.to_string()),
        _ => None,
    };
    let subject = ["containerId", "name", "mechanism", "mechanisms", "code"].into_iter().find_map(shown);
    let id = shown("deliveryId").or_else(|| shown("first")).or_else(|| shown("handle"));
    let mut words = (*name).to_owned();
    if let Some(subject) = &subject {
        words = format!("{words} {subject}");
    }
    if let Some(id) = &id {
        words = format!("{words} #{id}");
    }
    let number = |name: &str| match find(name) {
        Some(Value::Int(number)) => u32::try_from(*number).ok(),
        _ => None,
    };
    let is = |name: &str| find(name) == Some(&Value::Flag(true));
    let delivery = |number: u32| Key { space: "delivery", id: format!("{channel} {number}").into() };
    let pairing = match *name {
        // What is settled already needs no answer, and the rest of a delivery in several frames has no number.
        "transfer" => match number("deliveryId").filter(|_| !is("settled")) {
            Some(number) => {
                unsettled.delivered(dir, channel, number);
                Pairing::Asks(delivery(number))
            }
            None => Pairing::Alone,
        },
        // The sender settles its own.
        "disposition" if !is("role") => Pairing::Alone,
        "disposition" => match number("first") {
            Some(first) => {
                let settled = unsettled.settled(dir, channel, first, number("last").unwrap_or(first));
                Pairing::Settles(settled.into_iter().map(delivery).collect())
            }
            None => Pairing::Alone,
        },
        name => pairing(
            name,
            &format!("{channel} {}", subject.as_deref().filter(|_| name == "attach").unwrap_or_default()),
            dir,
        ),
    };
    let said = ["payload", "error", "state"].into_iter().find_map(find).cloned();
    let tree = map([("type", Value::text(*name).into())].into_iter().chain(members));
    let tree = Node { bytes: Some(begin..end), ..tree };
    Some(Unit { event: Some((*name).into()), id: id.map(Into::into), pairing, said, ..Unit::new(words, tree) })
}

fn pairing(name: &'static str, id: &str, dir: Direction) -> Pairing<'static> {
    let key = |space| Key { space, id: id.to_owned().into() };
    match name {
        "open" | "close" | "begin" | "end" | "attach" => asks(dir, key(name)),
        "sasl-init" => Pairing::Asks(key("sasl")),
        "sasl-outcome" => Pairing::Answers { key: key("sasl"), last: true },
        _ => Pairing::Alone,
    }
}

/// Both ends say the same: the server's answers the client's.
fn asks(dir: Direction, key: Key<'_>) -> Pairing<'_> {
    match dir {
        Direction::ToServer => Pairing::Asks(key),
        Direction::ToClient => Pairing::Answers { key, last: true },
    }
}

/// A value of the type system (part 1): one that is described as `{descriptor, value}`.
fn value<'a>(packed: &mut Packed<'a>, deeper: usize) -> Option<Value<'a>> {
    let code = packed.bytes.u8()?;
    if code == 0 {
        let deeper = deeper.checked_sub(1)?;
        let (descriptor, inner) = (packed.node(deeper)?, packed.node(deeper)?);
        return Some(map([("descriptor", descriptor), ("value", inner)]).value);
    }
    of_code(packed, code, deeper)
}

/// A value whose type is known.
fn of_code<'a>(packed: &mut Packed<'a>, code: u8, deeper: usize) -> Option<Value<'a>> {
    let int = |number: Option<i128>| number.map(Value::Int);
    match code {
        0x40 => Some(Value::Null),
        0x41 => Some(Value::Flag(true)),
        0x42 => Some(Value::Flag(false)),
        0x43 | 0x44 => Some(Value::Int(0)),
        0x45 => Some(Value::List(Vec::new())),
        0x50 | 0x52 | 0x53 => int(packed.bytes.u8().map(Into::into)),
        0x51 | 0x54 | 0x55 => int(packed.bytes.u8().map(|number| number.cast_signed().into())),
        0x56 => packed.bytes.u8().map(|flag| Value::Flag(flag != 0)),
        0x60 => int(packed.bytes.u16().map(Into::into)),
        0x61 => int(packed.bytes.u16().map(|number| number.cast_signed().into())),
        0x70 | 0x73 => int(packed.bytes.u32().map(Into::into)),
        0x71 => int(packed.bytes.u32().map(|number| number.cast_signed().into())),
        0x72 => packed.bytes.u32().map(|bits| Value::Float(f32::from_bits(bits).into())),
        0x80 => int(packed.bytes.u64().map(Into::into)),
        0x81 => int(packed.bytes.u64().map(|number| number.cast_signed().into())),
        0x82 => packed.bytes.u64().map(|bits| Value::Float(f64::from_bits(bits))),
        0x83 => packed.bytes.u64().map(|millis| time(millis.cast_signed())),
        0x74 => packed.bytes(4),
        0x84 => packed.bytes(8),
        0x94 | 0x98 => packed.bytes(16),
        0xa0 | 0xb0 => {
            let len = len(packed, code)?;
            packed.bytes(len)
        }
        0xa1 | 0xa3 | 0xb1 | 0xb3 => {
            let len = len(packed, code)?;
            packed.bytes.take(len).map(text)
        }
        0xc0 | 0xd0 | 0xc1 | 0xd1 | 0xe0 | 0xf0 => {
            let len = len(packed, code)?;
            packed.part(len, |packed| compound(packed, code, deeper))
        }
        _ => None,
    }
}

/// A size, in one byte or in four by the type.
fn len(packed: &mut Packed<'_>, code: u8) -> Option<usize> {
    if matches!(code >> 4, 0xa | 0xc | 0xe) {
        packed.bytes.u8().map(usize::from)
    } else {
        packed.bytes.u32().and_then(|len| usize::try_from(len).ok())
    }
}

/// A list, map or array, behind its size.
fn compound<'a>(packed: &mut Packed<'a>, code: u8, deeper: usize) -> Option<Value<'a>> {
    let count = len(packed, code)? as u64;
    match code & 0x0f {
        0 if code < 0xe0 => packed.list(deeper, |_, read| read >= count),
        1 => packed.map(deeper, |_, read| read >= count / 2),
        // An array says the type of its values once.
        _ => {
            let deeper = deeper.checked_sub(1)?;
            // Values that take no bytes might be any number of them.
            let code = packed.bytes.u8().filter(|code| code >> 4 != 4)?;
            let mut items = Vec::new();
            for _ in 0..count {
                packed.count()?;
                items.push(of_code(packed, code, deeper)?.into());
            }
            Some(Value::List(items))
        }
    }
}
