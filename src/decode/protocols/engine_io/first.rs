//! Socket.IO 0.9, which had no Engine.IO below it: packets of texts.
//!
//! ```text
//! digit ":" [id ["+"]] ":" [endpoint] [":" data]
//!   0 disconnect │ 1 connect │ 2 heartbeat │ 3 message │ 4 JSON │ 5 event {"name":…,"args":[…]}
//!   6 ack, data = id ["+" arguments] │ 7 error, data = reason ["+" advice] │ 8 noop
//! ```

use super::{change, namespace_key, pairing};
use crate::decode::map;
use crate::decode::members::{Json, Members};
use crate::model::{Direction, Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;

/// The kinds of packets, by digit.
const KINDS: [&str; 9] = ["DISCONNECT", "CONNECT", "HEARTBEAT", "MESSAGE", "JSON", "EVENT", "ACK", "ERROR", "NOOP"];

/// Whether a text begins as a packet does; nothing of Engine.IO does.
pub(super) fn begins(text: &str) -> bool {
    let id = text
        .split_at_checked(1)
        .filter(|(digit, _)| kind(digit).is_some())
        .and_then(|(_, rest)| rest.strip_prefix(':'));
    id.is_some_and(|id| id.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches('+').starts_with(':'))
}

fn kind(digit: &str) -> Option<&'static str> {
    KINDS.get(digit.parse::<usize>().ok()?).copied()
}

/// The packet that a text is.
pub(super) fn unit(text: &str, dir: Direction) -> Option<Unit<'_>> {
    if !begins(text) {
        return None;
    }
    let mut parts = text.splitn(4, ':');
    let (kind, id) = (kind(parts.next()?)?, parts.next()?.trim_end_matches('+'));
    let endpoint = parts.next()?;
    let data = parts.next().unwrap_or_default();
    let at = text.len() - data.len();
    // With its sign, by which parameters are found.
    let (path, query) = endpoint.split_at(endpoint.find('?').unwrap_or(endpoint.len()));
    let namespace = if path.is_empty() { "/" } else { path };
    let mut id = Some(id).filter(|id| !id.is_empty());
    let mut members = vec![("type", Value::text(kind).into()), ("namespace", Value::text(namespace).into())];
    let mut words = kind.to_owned();
    let (mut event, mut said) = (Some(Cow::Owned(kind.to_ascii_lowercase())), None);
    match kind {
        "EVENT" => {
            let object = Members::object(data, at)?;
            let name = object.get("name").and_then(Json::text)?;
            words = name.clone().into_owned();
            members.push(("event", Value::Text(name.clone()).into()));
            let args = object.get("args").map_or_else(|| Value::List(Vec::new()).into(), Json::node);
            said = Some(args.value.clone());
            members.push(("args", args));
            event = Some(name);
        }
        "ACK" => {
            let (of, args) = data.split_once('+').unwrap_or((data, ""));
            id = Some(of).filter(|of| !of.is_empty() && of.bytes().all(|byte| byte.is_ascii_digit()));
            id?;
            let args = match Members::array(args, text.len() - args.len()) {
                Some(_) => Node::at(Value::Json(Cow::Borrowed(args)), text.len() - args.len()..text.len()),
                None => Value::List(Vec::new()).into(),
            };
            said = Some(args.value.clone());
            members.push(("args", args));
            event = None;
        }
        "JSON" | "MESSAGE" => {
            let is_json = kind == "JSON" && Members::new(data, at).is_some();
            let value = if is_json { Value::Json(Cow::Borrowed(data)) } else { Value::text(data) };
            said = Some(value.clone());
            members.push(("data", Node::at(value, at..text.len())));
            event = Some("message".into());
        }
        _ => {
            let (shown, at) = if data.is_empty() { (query, text.len() - query.len()) } else { (data, at) };
            if !shown.is_empty() {
                said = Some(Value::text(shown));
                members.push(("data", Node::at(Value::text(shown), at..at + shown.len())));
            }
        }
    }
    if let Some(id) = id {
        members.insert(2, ("id", super::digits(id)));
    }
    if namespace != "/" {
        words = format!("{words} {namespace}");
    }
    if let Some(id) = id {
        words = format!("{words} #{id}");
    }
    let heartbeat = matches!(kind, "HEARTBEAT" | "NOOP");
    let beat = Key { space: "ping", id: Cow::Borrowed("") };
    let pairing = match (kind, dir) {
        // The server asks.
        ("HEARTBEAT", Direction::ToClient) => Pairing::Asks(beat),
        ("HEARTBEAT", Direction::ToServer) => Pairing::Answers { key: beat, last: true },
        // What has an id is acknowledged, whatever it is.
        ("MESSAGE" | "JSON", _) => pairing("EVENT", namespace_key(namespace.into()), id, dir),
        ("ERROR", _) => pairing("CONNECT_ERROR", namespace_key(namespace.into()), id, dir),
        _ => pairing(kind, namespace_key(namespace.into()), id, dir),
    };
    let changes = change(if kind == "ERROR" { "CONNECT_ERROR" } else { kind }, namespace.into()).into_iter().collect();
    let id = id.map(Cow::Borrowed);
    Some(Unit { event, id, pairing, changes, heartbeat, said, ..Unit::new(words, map(members)) })
}
