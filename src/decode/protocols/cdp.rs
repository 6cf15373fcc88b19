//! Chrome DevTools Protocol: commands, their results, events; of sessions in one connection.

use crate::decode::members::{Json, Members, whole};
use crate::decode::{Confidence, Decode, Hints, Said};
use crate::model::{Change, Direction, Key, Pairing, Unit, Value};

pub(in crate::decode) fn claims(hints: &Hints, said: &Said<'_>) -> Confidence {
    let is_there = hints.path.starts_with("/devtools/");
    // A method is `Domain.name`, elsewhere hardly with an id that is a number and no version.
    let is_method = |method: &str| {
        method.split_once('.').is_some_and(|(domain, name)| {
            domain.starts_with(|c: char| c.is_ascii_uppercase()) && name.starts_with(|c: char| c.is_ascii_lowercase())
        })
    };
    let looks = said.object().is_some_and(|it| {
        let method = it.get("method").and_then(Json::text);
        !it.has("jsonrpc")
            && it.get("id").is_none_or(|id| id.int().is_some())
            && method.is_some_and(|it| is_method(&it))
    });
    if is_there { Confidence::Sure.when(read(said).is_some()) } else { Confidence::Likely.when(looks) }
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Cdp)
}

#[derive(Clone)]
struct Cdp;

impl Decode for Cdp {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        read(said).map(|unit| vec![unit])
    }
}

fn read<'m>(said: &Said<'m>) -> Option<Unit<'m>> {
    let (text, members) = (said.text?, said.object()?);
    let id = members.get("id").filter(|id| id.int().is_some()).and_then(Json::name);
    let session = members.get("sessionId").and_then(Json::text);
    let hash = id.as_deref().map_or_else(String::new, |id| format!(" #{id}"));
    let key =
        id.clone().map(|id| Key { space: "", id: format!("{}#{id}", session.as_deref().unwrap_or_default()).into() });
    let value = |name| members.get(name).map(Json::value);
    let unit = Unit { id, ..Unit::new("", whole(text)) };
    if let Some(method) = members.get("method").and_then(Json::text) {
        let pairing = key.filter(|_| said.dir == Direction::ToServer).map_or(Pairing::Alone, Pairing::Asks);
        let changes = change(&method, session.as_deref(), members.get("params")).into_iter().collect();
        return Some(Unit {
            words: format!("{method}{hash}").into(),
            event: Some(method),
            pairing,
            changes,
            said: value("params"),
            ..unit
        });
    }
    let answer = |members: &Members<'m>| match members.get("error") {
        Some(error) => Some(("error", error.value())),
        None => members.has("result").then(|| ("result", value("result").unwrap_or(Value::Null))),
    };
    let (word, answer) = answer(members)?;
    let pairing = Pairing::Answers { key: key?, last: true };
    let changes = if word == "error" { vec![Change::Refuses(None)] } else { Vec::new() };
    Some(Unit { words: format!("{word}{hash}").into(), pairing, changes, said: Some(answer), ..unit })
}

/// Domains that are enabled, each in its session, and sessions that are attached.
fn change<'a>(method: &str, session: Option<&str>, params: Option<Json<'a>>) -> Option<Change<'a>> {
    let params = || params?.members();
    let attached = || params()?.get("sessionId")?.text();
    let domain = |domain: &str| match session {
        Some(session) => format!("{domain} in {session}"),
        None => domain.to_owned(),
    };
    Some(match method {
        "Target.attachedToTarget" => {
            let name = params()?.get("targetInfo").and_then(|info| info.members()?.get("url")?.text());
            Change::Opens { kind: "session", id: attached()?, name }
        }
        "Target.detachedFromTarget" => Change::closes("session", attached()?),
        _ => match method.split_once('.')? {
            (name, "enable") => Change::opens("domain", domain(name)),
            (name, "disable") => Change::closes("domain", domain(name)),
            _ => return None,
        },
    })
}
