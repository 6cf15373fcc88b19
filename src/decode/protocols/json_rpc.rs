//! JSON-RPC 2.0: requests, notifications, results and errors, also in batches. Both ends may ask.
//!
//! The servers of rpc-websockets notify in words of their own: `{"notification":"feed","params":[…]}`.

use crate::decode::members::{Json, Members, whole};
use crate::decode::{Confidence, Decode, Hints, Said};
use crate::model::{Change, Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let is_one = |members: &Members<'_>| members.get("jsonrpc").and_then(Json::text).is_some_and(|it| it == "2.0");
    Confidence::Sure.when(said.members().is_some_and(|members| {
        if members.is_array() {
            members.at(0).and_then(Json::members).is_some_and(|first| is_one(&first))
        } else {
            is_one(members)
        }
    }))
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(JsonRpc)
}

#[derive(Clone)]
struct JsonRpc;

impl Decode for JsonRpc {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let text = said.text?;
        let members = said.members()?;
        if members.is_array() {
            let units: Vec<_> = members.from(0).map(|one| unit(&one.members()?, one.node())).collect::<Option<_>>()?;
            return (!units.is_empty()).then_some(units);
        }
        Some(vec![unit(members, whole(text))?])
    }
}

fn unit<'a>(members: &Members<'a>, tree: Node<'a>) -> Option<Unit<'a>> {
    let id = members.get("id");
    let shown = id.and_then(Json::name);
    let hash = shown.as_deref().map_or_else(String::new, |id| format!(" #{id}"));
    // The ids 1 and "1" are two.
    let key = id.map(|id| Key { space: "", id: Cow::Borrowed(id.raw()) });
    let alone = Unit::new("", tree);
    if let Some(method) = members.get("method").and_then(Json::text) {
        let words = if id.is_some() { format!("{method}{hash}") } else { method.to_string() };
        let pairing = key.map_or(Pairing::Alone, Pairing::Asks);
        let said = members.get("params").map(Json::value);
        let changes = change(&method, shown.as_deref(), members.get("params")).into_iter().collect();
        return Some(Unit { event: Some(method), id: shown, pairing, changes, said, words: words.into(), ..alone });
    }
    if let Some(event) = members.get("notification").and_then(Json::text) {
        let (words, said) = (event.to_string(), members.get("params").map(Json::value));
        return Some(Unit { event: Some(event), said, words: words.into(), ..alone });
    }
    let changes = match (members.get("error"), members.get("result").and_then(Json::name)) {
        (Some(_), _) => vec![Change::Refuses(None)],
        // What was subscribed to may have this id from now on.
        (None, Some(name)) if !name.is_empty() => vec![Change::Names(name)],
        _ => Vec::new(),
    };
    let (words, answer) = match members.get("error") {
        Some(error) => ("error", error.value()),
        None if members.has("result") => ("result", members.get("result").map_or(Value::Null, Json::value)),
        None => return None,
    };
    let pairing = key.map_or(Pairing::Alone, |key| Pairing::Answers { key, last: true });
    Some(Unit { id: shown, pairing, changes, said: Some(answer), words: format!("{words}{hash}").into(), ..alone })
}

/// What the methods of known protocols open and close: subscriptions of Ethereum, documents of LSP, resources of MCP.
fn change<'a>(method: &str, id: Option<&str>, params: Option<Json<'a>>) -> Option<Change<'a>> {
    let params = params?.members()?;
    let uri = || params.get("uri").and_then(Json::text);
    let document = || params.get("textDocument")?.members()?.get("uri")?.text();
    Some(match method {
        "textDocument/didOpen" => Change::opens("document", document()?),
        "textDocument/didClose" => Change::closes("document", document()?),
        "resources/subscribe" => Change::opens("resource", uri()?),
        "resources/unsubscribe" => Change::closes("resource", uri()?),
        _ if method.ends_with("_unsubscribe") => Change::closes("subscription", params.at(0)?.name()?),
        _ if method.ends_with("_subscribe") => {
            let name = params.at(0).and_then(Json::name);
            Change::Opens { kind: "subscription", id: format!("request {}", id?).into(), name }
        }
        _ => return None,
    })
}
