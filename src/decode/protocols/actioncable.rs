//! ActionCable (Ruby on Rails): channels that are subscribed to, each named by JSON in a string.

use crate::decode::members::{Json, Members, whole};
use crate::decode::{Confidence, Decode, Hints, Said, map};
use crate::model::{Change, Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;

/// What the server says of itself and of subscriptions.
const TYPES: &[&str] = &["welcome", "ping", "confirm_subscription", "reject_subscription", "disconnect"];

/// What the client wants of a channel.
const COMMANDS: &[&str] = &["subscribe", "unsubscribe", "message"];

pub(in crate::decode) fn claims(hints: &Hints, said: &Said<'_>) -> Confidence {
    let Some(members) = said.object() else { return Confidence::No };
    let is_one_of =
        |name, words: &[&str]| members.get(name).and_then(Json::text).is_some_and(|it| words.contains(&&*it));
    if is_one_of("command", COMMANDS) && members.get("identifier").and_then(Json::text).is_some() {
        return Confidence::Sure;
    }
    Confidence::Likely.when(is_one_of("type", TYPES) && (hints.path.ends_with("/cable") || members.has("identifier")))
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(ActionCable)
}

#[derive(Clone)]
struct ActionCable;

impl Decode for ActionCable {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let text = said.text?;
        let members = said.object()?;
        let identifier = members.get("identifier").and_then(Json::text);
        let channel = identifier.as_deref().map(channel);
        let body = members.get("data").or_else(|| members.get("message"));
        let known = |name, words: &'static [&'static str]| {
            let word = members.get(name).and_then(Json::text)?;
            words.iter().find(|known| **known == word).copied()
        };
        let kind = match (known("command", COMMANDS), known("type", TYPES)) {
            (Some(kind), _) | (None, Some(kind)) => kind,
            (None, None) if identifier.is_some() && body.is_some() => "message",
            (None, None) => return None,
        };
        let inside = body.map(Json::unfolded);
        let action = inside.as_ref().filter(|_| kind == "message").and_then(action);
        let mut words = kind.to_owned();
        for word in [channel.as_deref(), action.as_deref()].into_iter().flatten() {
            words = format!("{words} {word}");
        }
        let id = identifier.clone();
        let changes = match (kind, id.clone()) {
            ("subscribe", Some(id)) => {
                vec![Change::Opens { kind: "channel", id, name: channel.clone().map(Cow::Owned) }]
            }
            ("unsubscribe" | "reject_subscription", Some(id)) => vec![Change::closes("channel", id)],
            _ => Vec::new(),
        };
        let pairing = match (kind, identifier) {
            ("subscribe", Some(id)) => Pairing::Asks(Key { space: "", id }),
            ("confirm_subscription" | "reject_subscription", Some(id)) => {
                Pairing::Answers { key: Key { space: "", id }, last: true }
            }
            _ => Pairing::Alone,
        };
        let event = action.map_or_else(|| Cow::Borrowed(kind), Cow::Owned);
        let tree = if members.has("identifier") { tree(members) } else { whole(text) };
        Some(vec![Unit {
            event: Some(event),
            id,
            pairing,
            changes,
            heartbeat: kind == "ping",
            said: inside,
            ..Unit::new(words, tree)
        }])
    }
}

/// All members, those unfolded that are JSON in strings.
fn tree<'a>(members: &Members<'a>) -> Node<'a> {
    let names = ["command", "type", "identifier", "data", "message", "reason", "reconnect"];
    let there = names.into_iter().filter_map(|name| Some((name, members.get(name)?)));
    map(there.map(|(name, json)| (name, Node { value: json.unfolded(), ..json.node() })))
}

/// The channel that an identifier names.
fn channel(identifier: &str) -> String {
    let members = Members::object(identifier, 0);
    let name = members.and_then(|members| members.get("channel")?.text().map(Cow::into_owned));
    name.unwrap_or_else(|| identifier.to_owned())
}

/// What a message is about, where it says so.
fn action(value: &Value<'_>) -> Option<String> {
    let Value::Json(text) = value else { return None };
    let members = Members::object(text, 0)?;
    let names = ["action", "type", "event"];
    names.into_iter().find_map(|name| members.get(name)?.text()).map(Cow::into_owned)
}
