//! WAMP 2: calls and subscriptions in lists, as JSON, MessagePack or CBOR.
//!
//! ```text
//! [type, …]     of JSON in batches each list ends with 18 hex (batched), or comes behind its length
//! ```

use crate::decode::formats::{cbor, msgpack};
use crate::decode::{Confidence, Decode, Hints, Said, map, members::Members, pieces};
use crate::model::{Change, Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What ends each list of a batch of JSON.
const SEPARATOR: char = '\u{18}';

/// Subscriptions and registrations whose names are known, and requests for them; of more the number is shown.
const NAMED: usize = 1024;

/// Bytes that a name takes beside its own.
const NAME: usize = 64;

/// The subprotocols.
pub(in crate::decode) const NAMES: &[&str] = &[
    "wamp.2.json",
    "wamp.2.msgpack",
    "wamp.2.cbor",
    "wamp.2.json.batched",
    "wamp.2.msgpack.batched",
    "wamp.2.cbor.batched",
];

/// The types: number, name, and the names of what follows.
const TYPES: &[(i128, &str, &[&str])] = &[
    (1, "HELLO", &["realm", "details"]),
    (2, "WELCOME", &["session", "details"]),
    (3, "ABORT", &["details", "reason"]),
    (4, "CHALLENGE", &["method", "extra"]),
    (5, "AUTHENTICATE", &["signature", "extra"]),
    (6, "GOODBYE", &["details", "reason"]),
    (8, "ERROR", &["requestType", "request", "details", "error", "args", "kwargs"]),
    (16, "PUBLISH", &["request", "options", "topic", "args", "kwargs"]),
    (17, "PUBLISHED", &["request", "publication"]),
    (32, "SUBSCRIBE", &["request", "options", "topic"]),
    (33, "SUBSCRIBED", &["request", "subscription"]),
    (34, "UNSUBSCRIBE", &["request", "subscription"]),
    (35, "UNSUBSCRIBED", &["request"]),
    (36, "EVENT", &["subscription", "publication", "details", "args", "kwargs"]),
    (48, "CALL", &["request", "options", "procedure", "args", "kwargs"]),
    (49, "CANCEL", &["request", "options"]),
    (50, "RESULT", &["request", "details", "args", "kwargs"]),
    (64, "REGISTER", &["request", "options", "procedure"]),
    (65, "REGISTERED", &["request", "registration"]),
    (66, "UNREGISTER", &["request", "registration"]),
    (67, "UNREGISTERED", &["request"]),
    (68, "INVOCATION", &["request", "registration", "details", "args", "kwargs"]),
    (69, "INTERRUPT", &["request", "options"]),
    (70, "YIELD", &["request", "options", "args", "kwargs"]),
];

/// Only a HELLO says what it is.
pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let hello = said.members().filter(|members| members.is_array()).is_some_and(|list| {
        let (kind, realm, details) = (list.at(0), list.at(1), list.at(2));
        let has_roles = details.and_then(|details| details.members()).is_some_and(|details| details.has("roles"));
        kind.and_then(|kind| kind.int()) == Some(1) && realm.is_some_and(|realm| realm.text().is_some()) && has_roles
    });
    Confidence::Likely.when(hello)
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Wamp::default())
}

/// What numbers stand for: those of requests, each with the name that it asks for, and those of subscriptions and registrations.
#[derive(Clone, Default)]
struct Wamp {
    asked: Names,
    named: Names,
}

/// Names by what has them and its number.
#[derive(Clone, Default)]
struct Names {
    by_number: BTreeMap<(&'static str, i128), String>,
    /// Bytes that all of them take.
    held: usize,
}

impl Names {
    fn keep(&mut self, space: &'static str, number: i128, name: String) {
        self.take(space, number);
        if self.by_number.len() < NAMED {
            self.held += name.len() + NAME;
            self.by_number.insert((space, number), name);
        }
    }

    fn take(&mut self, space: &'static str, number: i128) -> Option<String> {
        let name = self.by_number.remove(&(space, number))?;
        self.held -= name.len() + NAME;
        Some(name)
    }
}

impl Decode for Wamp {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        if let Some(text) = said.text.filter(|_| said.is_text) {
            let units: Vec<Unit<'m>> = pieces(text, &[SEPARATOR])
                .filter(|(_, list)| !list.is_empty())
                .map(|(at, list)| self.unit(of_json(list, at)?))
                .collect::<Option<_>>()?;
            return (!units.is_empty()).then_some(units);
        }
        Some(vec![self.unit(msgpack::whole(said.bytes).or_else(|| cbor::whole(said.bytes))?)?])
    }

    fn held(&self) -> usize {
        self.asked.held + self.named.held
    }
}

/// A list of JSON, its elements as they stand there; whole numbers as such.
fn of_json(text: &str, base: usize) -> Option<Node<'_>> {
    let members = Members::array(text, base)?;
    let items = members.from(0).map(|item| {
        let value = item.int().map(|number| Value::Int(number.into())).or_else(|| item.text().map(Value::Text));
        Node { value: value.unwrap_or_else(|| item.value()), ..item.node() }
    });
    Some(Node::at(Value::List(items.collect()), base..base + text.len()))
}

impl Wamp {
    fn unit<'m>(&mut self, list: Node<'m>) -> Option<Unit<'m>> {
        let Node { value: Value::List(items), bytes } = list else { return None };
        let mut items = items.into_iter();
        let first = items.next()?;
        let Value::Int(kind) = first.value else { return None };
        let (_, name, names) = TYPES.iter().find(|(known, ..)| *known == kind)?;
        let mut members = vec![("type", Node { value: Value::text(*name), ..first })];
        members.extend(names.iter().copied().zip(items));
        let value = |name: &str| members.iter().find(|(known, _)| *known == name).map(|(_, node)| &node.value);
        let text = |name: &str| match value(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            Some(Value::Int(number)) => Some(Cow::Owned(number.to_string())),
            _ => None,
        };
        let known = self.name(name, value);
        let subject = known.clone().or_else(|| {
            let mut words =
                ["topic", "procedure", "error", "realm", "reason", "subscription", "registration"].into_iter();
            words.find_map(text)
        });
        let id = text("request");
        let mut words = (*name).to_owned();
        for word in [subject.as_deref(), id.as_deref().map(|id| format!("#{id}")).as_deref()].into_iter().flatten() {
            words = format!("{words} {word}");
        }
        let said = ["args", "kwargs"].into_iter().find_map(value).cloned();
        let event = known.or_else(|| ["topic", "procedure"].into_iter().find_map(text)).unwrap_or(Cow::Borrowed(name));
        // A call may have results on the way (progressive call results).
        let goes_on = ["details", "options"].into_iter().find_map(value).is_some_and(has_progress);
        let pairing = pairing(name, value("requestType"), id.clone(), goes_on);
        let changes = change(name, id.as_deref(), text).into_iter().collect();
        let tree = Node { bytes, ..map(members) };
        Some(Unit { event: Some(event), id, pairing, changes, said, ..Unit::new(words, tree) })
    }

    /// The topic of an EVENT, the procedure of an INVOCATION: those of the subscription or registration, which its details may name
    /// (of patterns), or which was asked for on this connection.
    fn name<'m, 'v>(&mut self, kind: &str, value: impl Fn(&str) -> Option<&'v Value<'m>>) -> Option<Cow<'m, str>>
    where
        'm: 'v,
    {
        let number = |name: &str| match value(name) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        };
        let text = |name: &str| match value(name) {
            Some(Value::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        let (space, what) = match kind {
            "SUBSCRIBE" | "SUBSCRIBED" | "UNSUBSCRIBE" | "EVENT" => ("subscription", "topic"),
            _ => ("registration", "procedure"),
        };
        let (request, number_of) = (number("request"), number(space));
        match kind {
            "SUBSCRIBE" | "REGISTER" => self.asked.keep(space, request?, text(what)?),
            "SUBSCRIBED" | "REGISTERED" => {
                let name = self.asked.take(space, request?)?;
                self.named.keep(space, number_of?, name);
            }
            "UNSUBSCRIBE" | "UNREGISTER" => {
                self.named.take(space, number_of?);
            }
            "ERROR" => {
                let space = match number("requestType")? {
                    32 => "subscription",
                    64 => "registration",
                    _ => return None,
                };
                self.asked.take(space, request?);
            }
            "EVENT" | "INVOCATION" => {
                let detail = value("details").and_then(|details| member(details, what));
                let kept = || self.named.by_number.get(&(space, number_of?)).cloned().map(Cow::Owned);
                return detail.or_else(kept);
            }
            _ => {}
        }
        None
    }
}

/// Whether details or options say that more follows.
fn has_progress(object: &Value<'_>) -> bool {
    match object {
        Value::Json(text) => {
            let more = Members::object(text, 0).and_then(|object| object.get("progress"));
            more.is_some_and(|more| more.raw() == "true")
        }
        Value::Map(members) => {
            members.iter().any(|(key, more)| key == "progress" && matches!(more.value, Value::Flag(true)))
        }
        _ => false,
    }
}

/// A text in an object.
fn member<'m>(object: &Value<'m>, name: &str) -> Option<Cow<'m, str>> {
    match object {
        Value::Json(Cow::Borrowed(text)) => Members::object(text, 0)?.get(name)?.text(),
        Value::Map(members) => match &members.iter().find(|(key, _)| key == name)?.1.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// What is subscribed to, or registered, has the id that the answer gives it.
fn change<'a>(name: &str, id: Option<&str>, text: impl Fn(&str) -> Option<Cow<'a, str>>) -> Option<Change<'a>> {
    let opens = |kind, what| Some(Change::Opens { kind, id: format!("request {}", id?).into(), name: text(what) });
    match name {
        "SUBSCRIBE" => opens("subscription", "topic"),
        "REGISTER" => opens("registration", "procedure"),
        "SUBSCRIBED" => text("subscription").map(Change::Names),
        "REGISTERED" => text("registration").map(Change::Names),
        "UNSUBSCRIBE" => Some(Change::closes("subscription", text("subscription")?)),
        "UNREGISTER" => Some(Change::closes("registration", text("registration")?)),
        "ERROR" => Some(Change::Refuses(None)),
        _ => None,
    }
}

/// Requests of each kind have ids of their own; an ERROR says of which kind it is.
fn pairing<'a>(name: &str, asked: Option<&Value<'_>>, id: Option<Cow<'a, str>>, goes_on: bool) -> Pairing<'a> {
    let of = |space: &'static str| id.clone().map(|id| Key { space, id });
    let session = Key { space: "HELLO", id: Cow::Borrowed("") };
    let asks = |space| of(space).map_or(Pairing::Alone, Pairing::Asks);
    let answers = |space, last| of(space).map_or(Pairing::Alone, |key| Pairing::Answers { key, last });
    match name {
        "HELLO" => Pairing::Asks(session),
        "WELCOME" | "ABORT" => Pairing::Answers { key: session, last: true },
        "PUBLISH" => asks("PUBLISH"),
        "PUBLISHED" => answers("PUBLISH", true),
        "SUBSCRIBE" => asks("SUBSCRIBE"),
        "SUBSCRIBED" => answers("SUBSCRIBE", true),
        "UNSUBSCRIBE" => asks("UNSUBSCRIBE"),
        "UNSUBSCRIBED" => answers("UNSUBSCRIBE", true),
        "CALL" => asks("CALL"),
        "RESULT" => answers("CALL", !goes_on),
        "REGISTER" => asks("REGISTER"),
        "REGISTERED" => answers("REGISTER", true),
        "UNREGISTER" => asks("UNREGISTER"),
        "UNREGISTERED" => answers("UNREGISTER", true),
        "INVOCATION" => asks("INVOCATION"),
        "YIELD" => answers("INVOCATION", !goes_on),
        "ERROR" => {
            let asked = TYPES.iter().find(|(number, ..)| asked == Some(&Value::Int(*number)));
            asked.map_or(Pairing::Alone, |(_, name, _)| answers(name, true))
        }
        _ => Pairing::Alone,
    }
}
