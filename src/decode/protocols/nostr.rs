//! Nostr (NIP-01, 11, 20, 42, 45): events that are published, subscriptions and what they bring.
//!
//! ```text
//! client  ["EVENT", {…}] │ ["REQ", id, {filter}, …] │ ["CLOSE", id] │ ["COUNT", id, {filter}] │ ["AUTH", {…}]
//! relay   ["EVENT", id, {…}] │ ["OK", event id, bool, text] │ ["EOSE", id] │ ["CLOSED", id, text] │ ["NOTICE", text]
//!         ["COUNT", id, {…}] │ ["AUTH", challenge]
//! ```

use crate::decode::members::{Json, Members, whole};
use crate::decode::{Confidence, Decode, Hints, Said};
use crate::model::{Change, Direction, Key, Pairing, Unit};

/// What lists begin with.
const TYPES: &[&str] = &["EVENT", "REQ", "CLOSE", "COUNT", "AUTH", "OK", "EOSE", "CLOSED", "NOTICE"];

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let Some(list) = said.members().filter(|members| members.is_array()) else { return Confidence::No };
    let Some(kind) = list.at(0).and_then(Json::text) else { return Confidence::No };
    let is_text = |at| list.at(at).and_then(Json::text).is_some();
    let is_object = |at| list.at(at).and_then(Json::members).is_some_and(|members| !members.is_array());
    match &*kind {
        "REQ" | "COUNT" => Confidence::Likely.when(is_text(1) && is_object(2)),
        "EVENT" => Confidence::Sure.when([1, 2].into_iter().any(|at| list.at(at).and_then(event).is_some())),
        // What a relay may begin with: a word for people, or a challenge (NIP-42).
        "NOTICE" | "AUTH" | "EOSE" => Confidence::Likely.when(is_text(1) && list.at(2).is_none()),
        _ => Confidence::No,
    }
}

/// The members of an event: it is signed.
fn event(json: Json<'_>) -> Option<Members<'_>> {
    json.members().filter(|event| ["id", "pubkey", "kind", "sig"].iter().all(|name| event.has(name)))
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Nostr)
}

#[derive(Clone)]
struct Nostr;

impl Decode for Nostr {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let (text, list) = (said.text?, said.members().filter(|members| members.is_array())?);
        let kind = list.at(0)?.text()?;
        let kind = *TYPES.iter().find(|known| **known == kind)?;
        let named = list.at(1).and_then(Json::text);
        let of_event = |at: usize| list.at(at).and_then(event).and_then(|event| event.get("id")?.text());
        let is_client = said.dir == Direction::ToServer;
        let id = match kind {
            "EVENT" | "AUTH" if is_client => of_event(1),
            "NOTICE" | "AUTH" => None,
            _ => named,
        };
        let key = |space| id.clone().map(|id| Key { space, id });
        let space = match kind {
            "EVENT" | "AUTH" if is_client => "event",
            "OK" => "event",
            "COUNT" => "count",
            _ => "subscription",
        };
        let pairing = match (kind, key(space)) {
            ("EVENT" | "AUTH" | "REQ" | "COUNT", Some(key)) if is_client => Pairing::Asks(key),
            ("EVENT" | "EOSE", Some(key)) => Pairing::Answers { key, last: false },
            ("OK" | "COUNT" | "CLOSED", Some(key)) => Pairing::Answers { key, last: true },
            ("CLOSE", Some(key)) => Pairing::Drops(key),
            _ => Pairing::Alone,
        };
        let changes = match (kind, id.clone()) {
            ("REQ", Some(id)) => vec![Change::opens("subscription", id)],
            ("CLOSE" | "CLOSED", Some(id)) => vec![Change::closes("subscription", id)],
            _ => Vec::new(),
        };
        let number = |at: usize| list.at(at).and_then(event).and_then(|event| event.get("kind")?.name());
        let mut words = kind.to_owned();
        if let Some(number) = number(if is_client { 1 } else { 2 }) {
            words = format!("{words} kind {number}");
        }
        if let Some(id) = &id {
            words = format!("{words} #{id}");
        }
        let at = match kind {
            "EVENT" | "AUTH" if is_client => 1,
            "NOTICE" | "AUTH" => 1,
            "OK" if list.at(3).and_then(Json::text).is_some_and(|why| !why.is_empty()) => 3,
            _ => 2,
        };
        let said = list.at(at).map(Json::value);
        let event = Some(kind.into());
        Some(vec![Unit { event, id, pairing, changes, said, ..Unit::new(words, whole(text)) }])
    }
}
