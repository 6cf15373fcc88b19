//! DDP (Meteor): methods and their results, subscriptions, documents of collections.

use crate::decode::members::Json;
use crate::decode::protocols::tagged::{Dialect, Kind, Tagged};
use crate::decode::{Confidence, Decode, Hints, Said};

const DDP: Dialect = Dialect {
    tag: "msg",
    kinds: &[
        Kind::new("connect").about(&["version"]).asks("session"),
        Kind::new("connected").about(&["session"]).answers("session"),
        Kind::new("failed").about(&["version"]).answers("session"),
        Kind::new("ping").id("id").asks("ping").beats(),
        Kind::new("pong").id("id").answers("ping").beats(),
        Kind::new("sub").event("name").id("id").asks("sub").opens("subscription").shows(&["params"]),
        // A subscription lasts until nosub, which also answers whoever unsubscribes.
        Kind::new("ready").id("subs.0").goes_on("sub"),
        Kind::new("unsub").id("id").asks("sub"),
        Kind::new("nosub").id("id").answers("sub").closes("subscription", "id").shows(&["error"]),
        Kind::new("added").about(&["collection"]).id("id").shows(&["fields"]),
        Kind::new("changed").about(&["collection"]).id("id").shows(&["fields", "cleared"]),
        Kind::new("removed").about(&["collection"]).id("id"),
        Kind::new("addedBefore").about(&["collection"]).id("id").shows(&["fields"]),
        Kind::new("movedBefore").about(&["collection", "before"]).id("id"),
        Kind::new("method").event("method").id("id").asks("method").shows(&["params"]),
        Kind::new("result").id("id").answers("method").shows(&["error", "result"]),
        Kind::new("updated").id("methods.0"),
        Kind::new("error").shows(&["reason"]),
    ],
    other: None,
};

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let Some(members) = said.object() else { return Confidence::No };
    let Some(kind) = members.get("msg").and_then(Json::text) else { return Confidence::No };
    let has = |names: &[&str]| names.iter().all(|name| members.has(name));
    match &*kind {
        "connect" => Confidence::Sure.when(has(&["version", "support"])),
        "added" | "changed" | "removed" => Confidence::Likely.when(has(&["collection", "id"])),
        "method" => Confidence::Likely.when(has(&["method", "params", "id"])),
        "sub" => Confidence::Likely.when(has(&["name", "id"])),
        _ => Confidence::No,
    }
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Tagged(&DDP))
}
