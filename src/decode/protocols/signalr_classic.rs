//! The SignalR of ASP.NET before Core: hubs and persistent connections, in objects of JSON with short names.
//!
//! ```text
//! client  {"H":hub,"M":method,"A":[…],"I":id}
//! server  {"C":cursor,"M":[{"H":hub,"M":method,"A":[…]}, …]} │ {"C":cursor,"S":1,"M":[]} the first │ {} keeps alive
//!         {"I":id,"R":result} │ {"I":id,"E":error} │ {"I":…,"P":{"I":id,"D":progress}}
//! ```

use crate::decode::members::{Json, Members, whole};
use crate::decode::{Confidence, Decode, Hints, Said};
use crate::model::{Key, Node, Pairing, Unit};
use std::borrow::Cow;

pub(in crate::decode) fn claims(hints: &Hints, said: &Said<'_>) -> Confidence {
    let Some(members) = said.object() else { return Confidence::No };
    // …/signalr/connect?transport=webSockets&connectionToken=…&connectionData=…
    let is_named = hints.parameter("connectionToken").is_some() && hints.parameter("transport") == Some("webSockets");
    if is_named {
        return Confidence::Sure.when(members.at(0).is_none() || ["C", "M", "I"].iter().any(|name| members.has(name)));
    }
    let is_call = || ["H", "M", "A", "I"].iter().all(|name| members.has(name));
    let has_cursor = || members.get("C").and_then(Json::text).is_some() && pushes(members).is_some();
    Confidence::Likely.when(is_call() || has_cursor())
}

/// What a message of the server brings.
fn pushes<'a>(members: &Members<'a>) -> Option<Members<'a>> {
    members.get("M").and_then(Json::members).filter(Members::is_array)
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Classic)
}

#[derive(Clone)]
struct Classic;

impl Decode for Classic {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let (text, members) = (said.text?, said.object()?);
        let pushes = pushes(members);
        let units: Vec<_> = pushes.iter().flat_map(|pushes| pushes.from(0)).map(push).collect();
        if units.is_empty() { unit(members, whole(text)).map(|unit| vec![unit]) } else { Some(units) }
    }
}

/// What a hub calls at the client, or what a persistent connection says to it.
fn push(one: Json<'_>) -> Unit<'_> {
    let called = one.members().filter(|call| call.has("H")).and_then(|call| call_of(&call, one.node()));
    called.unwrap_or_else(|| {
        let said = Some(one.value());
        Unit { event: Some("message".into()), said, ..Unit::new("message", one.node()) }
    })
}

/// What an object says that pushes nothing.
fn unit<'a>(members: &Members<'a>, tree: Node<'a>) -> Option<Unit<'a>> {
    let named = |event: &'static str, words: String, tree| Unit { event: Some(event.into()), ..Unit::new(words, tree) };
    if members.at(0).is_none() {
        return Some(Unit { heartbeat: true, ..named("keepalive", "KeepAlive".to_owned(), tree) });
    }
    if members.has("M") && !members.has("C") {
        return call_of(members, tree);
    }
    let Some(id) = members.get("I").and_then(Json::name) else {
        members.get("C").and_then(Json::text)?;
        let is_first = members.get("S").is_some_and(|it| it.raw() == "1");
        let (event, words) = if is_first { ("init", "Init") } else { ("empty", "Empty") };
        return Some(named(event, words.to_owned(), tree));
    };
    let progress = members.get("P").and_then(Json::members);
    let (event, id, said) = match (&progress, members.get("E")) {
        (Some(progress), _) => ("progress", progress.get("I").and_then(Json::name)?, progress.get("D")),
        (None, Some(error)) => ("error", id, Some(error)),
        (None, None) => ("result", id, members.get("R")),
    };
    let pairing = Pairing::Answers { key: key(id.clone()), last: progress.is_none() };
    let said = said.map(Json::value);
    let words = format!("{event} #{id}");
    Some(Unit { id: Some(id), pairing, said, ..named(event, words, tree) })
}

/// The call of a method of a hub.
fn call_of<'a>(members: &Members<'a>, tree: Node<'a>) -> Option<Unit<'a>> {
    let method = members.get("M").and_then(Json::text)?;
    let (hub, id) = (members.get("H").and_then(Json::text), members.get("I").and_then(Json::name));
    let mut words = method.clone().into_owned();
    for word in [hub.as_deref(), id.as_deref().map(|id| format!("#{id}")).as_deref()].into_iter().flatten() {
        words = format!("{words} {word}");
    }
    let pairing = id.clone().map_or(Pairing::Alone, |id| Pairing::Asks(key(id)));
    let said = members.get("A").map(Json::value);
    Some(Unit { event: Some(method), id, pairing, said, ..Unit::new(words, tree) })
}

fn key(id: Cow<'_, str>) -> Key<'_> {
    Key { space: "invocation", id }
}
