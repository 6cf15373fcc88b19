//! GraphQL over WebSocket: `graphql-transport-ws` (graphql-ws), and `graphql-ws` (subscriptions-transport-ws, AppSync) before it.

use crate::decode::members::{Json, Members, whole};
use crate::decode::{Confidence, Decode, Hints, Said};
use crate::model::{Change, Direction, Key, Pairing, Unit};
use std::borrow::Cow;

/// The types of messages of the one protocol.
const TRANSPORT: &[&str] =
    &["connection_init", "connection_ack", "ping", "pong", "subscribe", "next", "error", "complete"];

/// Those of the other.
const LEGACY: &[&str] = &[
    "connection_init",
    "connection_ack",
    "connection_error",
    "connection_terminate",
    "ka",
    "start",
    "start_ack",
    "data",
    "error",
    "complete",
    "stop",
];

/// Characters of a query's head that are shown.
const HEAD: usize = 60;

pub(in crate::decode) fn claims_transport(_: &Hints, said: &Said<'_>) -> Confidence {
    claims(said, &["subscribe"], &["connection_init"])
}

pub(in crate::decode) fn claims_legacy(_: &Hints, said: &Said<'_>) -> Confidence {
    claims(said, &["start"], &["connection_terminate"])
}

/// Sure of what asks with a query, and it is likely that these are its own.
fn claims(said: &Said<'_>, asking: &[&str], likely: &[&str]) -> Confidence {
    let Some(members) = said.object() else { return Confidence::No };
    let Some(kind) = members.get("type").and_then(Json::text) else { return Confidence::No };
    if asking.contains(&&*kind) {
        let payload = members.get("payload").and_then(Json::members);
        let has_query =
            payload.is_some_and(|payload| payload.has("query") || payload.has("data") || payload.has("extensions"));
        return Confidence::Sure.when(has_query && members.get("id").is_some());
    }
    Confidence::Likely.when(likely.contains(&&*kind))
}

pub(in crate::decode) fn open_transport(_: &Hints) -> Box<dyn Decode> {
    Box::new(GraphQl(TRANSPORT))
}

pub(in crate::decode) fn open_legacy(_: &Hints) -> Box<dyn Decode> {
    Box::new(GraphQl(LEGACY))
}

/// The types that it knows.
#[derive(Clone)]
struct GraphQl(&'static [&'static str]);

impl Decode for GraphQl {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let text = said.text?;
        let members = said.object()?;
        let kind = members.get("type")?.text()?;
        let kind = *self.0.iter().find(|known| **known == kind)?;
        let id = members.get("id").and_then(Json::name);
        let payload = members.get("payload");
        let mut words = kind.to_owned();
        if let Some(id) = &id {
            words = format!("{words} #{id}");
        }
        let (mut shown, mut name) = (payload, None);
        if let Some(asked) = payload.and_then(Json::members).filter(|_| matches!(kind, "subscribe" | "start")) {
            name = operation(&asked);
            if let Some(operation) = &name {
                words = format!("{words} {operation}");
            }
            shown = asked.get("variables");
        }
        let pairing = pairing(kind, id.clone(), said.dir);
        let changes = match (kind, id.clone()) {
            ("subscribe" | "start", Some(id)) => vec![Change::Opens { kind: "operation", id, name }],
            ("stop" | "complete" | "error", Some(id)) => vec![Change::closes("operation", id)],
            _ => Vec::new(),
        };
        let heartbeat = matches!(kind, "ping" | "pong" | "ka");
        let said = shown.map(Json::value);
        let event = Some(kind.into());
        Some(vec![Unit { event, id, pairing, changes, heartbeat, said, ..Unit::new(words, whole(text)) }])
    }
}

fn pairing<'a>(kind: &str, id: Option<Cow<'a, str>>, dir: Direction) -> Pairing<'a> {
    let of = |space| Key { space, id: Cow::Borrowed("") };
    let operation = id.map(|id| Key { space: "operation", id });
    match (kind, operation) {
        ("connection_init", _) => Pairing::Asks(of("connection")),
        ("connection_ack" | "connection_error", _) => Pairing::Answers { key: of("connection"), last: true },
        ("ping", _) => Pairing::Asks(of("ping")),
        ("pong", _) => Pairing::Answers { key: of("ping"), last: true },
        ("subscribe" | "start", Some(key)) => Pairing::Asks(key),
        ("next" | "data" | "start_ack", Some(key)) => Pairing::Answers { key, last: false },
        ("stop", Some(key)) => Pairing::Drops(key),
        // Either end says that it is over.
        ("complete", Some(key)) if dir == Direction::ToServer => Pairing::Drops(key),
        ("error" | "complete", Some(key)) => Pairing::Answers { key, last: true },
        _ => Pairing::Alone,
    }
}

/// The name of an operation, or how its query begins: `subscription OnMessage`.
fn operation<'a>(payload: &Members<'a>) -> Option<Cow<'a, str>> {
    if let Some(name) = payload.get("operationName").and_then(Json::text) {
        return Some(name);
    }
    let query = payload.get("query")?.text()?;
    let head = query.split(['{', '(']).next().unwrap_or_default();
    // Without a name what it asks for tells more than its kind.
    let is_nameless = matches!(head.trim(), "" | "query" | "mutation" | "subscription");
    let head = if is_nameless { &query } else { head };
    let words: String = head.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(words.chars().take(HEAD).collect::<String>().into())
}
