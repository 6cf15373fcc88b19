//! Yjs: documents that are edited together, as y-websocket sends them (y-protocols): sync and awareness.
//!
//! ```text
//! 0 sync        0 step 1: state vector │ 1 step 2: update │ 2 update         each behind its length
//! 1 awareness   length │ count, of each client: id, clock, JSON text
//! 2 auth        0, reason             3 asks for awareness                   all numbers in groups of seven bits
//! ```

use crate::decode::bytes::Bytes;
use crate::decode::packed::{payload, text};
use crate::decode::{Confidence, Decode, Hints, Said, VALUES, map};
use crate::model::{Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;

/// Bytes of a number: JavaScript has 53 bits.
const VARINT: u32 = 8;

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    if said.is_text || !matches!(said.bytes, [0, 0..=2, ..] | [1, _, _, _, _, ..]) {
        return Confidence::No;
    }
    // Little is needed to look so: states of clients say something.
    match (said.bytes, read(said.bytes)) {
        ([1, ..], Some(unit)) => Confidence::Likely.when(unit.said.is_some()),
        ([0, 0, ..], Some(_)) => Confidence::Weak,
        _ => Confidence::No,
    }
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Yjs)
}

#[derive(Clone)]
struct Yjs;

impl Decode for Yjs {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        if said.is_text { None } else { read(said.bytes).map(|unit| vec![unit]) }
    }
}

fn read(bytes: &[u8]) -> Option<Unit<'_>> {
    let mut all = Bytes::new(bytes);
    let unit = match all.varint(VARINT)? {
        0 => sync(&mut all),
        1 => awareness(&mut all),
        2 => {
            all.varint(VARINT).filter(|kind| *kind == 0)?;
            let reason = piece(&mut all)?;
            let node = Node::at(text(reason.clone().rest()), reason.at()..all.at());
            let said = Some(node.value.clone());
            let tree = map([("type", Value::text("auth").into()), ("reason", node)]);
            Some(Unit { event: Some("auth".into()), said, ..Unit::new("auth permission denied", tree) })
        }
        3 => {
            let tree = map([("type", Value::text("query awareness").into())]);
            Some(Unit { event: Some("query awareness".into()), ..Unit::new("query awareness", tree) })
        }
        _ => None,
    };
    unit.filter(|_| all.is_empty())
}

/// The next bytes, behind how many they are.
fn piece<'a>(bytes: &mut Bytes<'a>) -> Option<Bytes<'a>> {
    let len = usize::try_from(bytes.varint(VARINT)?).ok()?;
    bytes.part(len)
}

fn sync<'a>(all: &mut Bytes<'a>) -> Option<Unit<'a>> {
    let kind = all.varint(VARINT)?;
    let inside = piece(all)?;
    let (begin, data) = (inside.at(), inside.rest());
    let key = Key { space: "sync", id: Cow::Borrowed("") };
    let (name, pairing, value) = match kind {
        0 => ("sync step 1", Pairing::Asks(key), states(inside)?),
        1 => ("sync step 2", Pairing::Answers { key, last: true }, Value::Bytes(data.into())),
        2 => ("update", Pairing::Alone, Value::Bytes(data.into())),
        _ => return None,
    };
    let tree = map([
        ("type", Value::text(name).into()),
        (if kind == 0 { "states" } else { "update" }, Node::at(value.clone(), begin..begin + data.len())),
    ]);
    Some(Unit { event: Some(name.into()), pairing, said: Some(value), ..Unit::new(name, tree) })
}

/// A state vector: the clock of each client that is known.
fn states<'a>(mut bytes: Bytes<'a>) -> Option<Value<'a>> {
    let count = usize::try_from(bytes.varint(VARINT)?).ok().filter(|count| *count <= VALUES)?;
    let mut clocks = Vec::new();
    for _ in 0..count {
        let (client, begin) = (bytes.varint(VARINT)?, bytes.at());
        let clock = Value::Int(bytes.varint(VARINT)?.into());
        clocks.push((Cow::Owned(client.to_string()), Node::at(clock, begin..bytes.at())));
    }
    bytes.is_empty().then_some(Value::Map(clocks))
}

fn awareness<'a>(all: &mut Bytes<'a>) -> Option<Unit<'a>> {
    let mut inside = piece(all)?;
    let count = usize::try_from(inside.varint(VARINT)?).ok().filter(|count| (1..=VALUES).contains(count))?;
    let mut clients = Vec::new();
    for _ in 0..count {
        let (client, clock) = (inside.varint(VARINT)?, inside.varint(VARINT)?);
        let state = piece(&mut inside)?;
        // `null` of one that is gone.
        let value = match payload(state.rest()) {
            Value::Text(text) if text == "null" => Value::Null,
            value @ Value::Json(_) => value,
            _ => return None,
        };
        clients.push(map([
            ("client", Value::Int(client.into()).into()),
            ("clock", Value::Int(clock.into()).into()),
            ("state", Node::at(value, state.at()..inside.at())),
        ]));
    }
    inside.is_empty().then_some(())?;
    let states: Vec<Node<'a>> = clients.iter().filter_map(|client| client.get("state").cloned()).collect();
    let tree = map([("type", Value::text("awareness").into()), ("clients", Value::List(clients).into())]);
    let said = Some(Value::List(states));
    Some(Unit { event: Some("awareness".into()), said, ..Unit::new("awareness", tree) })
}
