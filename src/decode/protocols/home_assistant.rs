//! Home Assistant: commands with ids, their results, events of subscriptions.

use crate::decode::members::Json;
use crate::decode::protocols::tagged::{Dialect, Kind, Tagged};
use crate::decode::{Confidence, Decode, Hints, Said};

const HOME_ASSISTANT: Dialect = Dialect {
    tag: "type",
    kinds: &[
        Kind::new("auth_required").about(&["ha_version"]),
        // What it goes on with is a secret.
        Kind::new("auth").asks("auth"),
        Kind::new("auth_ok").about(&["ha_version"]).answers("auth"),
        Kind::new("auth_invalid").answers("auth").shows(&["message"]),
        Kind::new("result").id("id").answers("command").refuses_unless("success").shows(&["error", "result"]),
        // Events of a subscription have the id of its command.
        Kind::new("event").event("event.event_type").id("id").shows(&["event.data", "event"]),
        Kind::new("ping").id("id").asks("command").beats(),
        Kind::new("pong").id("id").answers("command").beats(),
        Kind::new("call_service")
            .about(&["domain", "service"])
            .id("id")
            .asks("command")
            .shows(&["service_data", "target"]),
        Kind::new("subscribe_events").about(&["event_type"]).id("id").asks("command").opens("subscription"),
        Kind::new("subscribe_trigger").about(&["trigger.platform"]).id("id").asks("command").opens("subscription"),
        Kind::new("unsubscribe_events")
            .about(&["subscription"])
            .id("id")
            .asks("command")
            .closes("subscription", "subscription"),
    ],
    other: Some(Kind::new("").id("id").asks("command")),
};

pub(in crate::decode) fn claims(hints: &Hints, said: &Said<'_>) -> Confidence {
    let Some(members) = said.object() else { return Confidence::No };
    let Some(kind) = members.get("type").and_then(Json::text) else { return Confidence::No };
    let is_auth = kind.starts_with("auth_") && members.has("ha_version");
    let is_there = || hints.path.ends_with("/api/websocket") && HOME_ASSISTANT.unit(said).is_some();
    if is_auth { Confidence::Sure } else { Confidence::Likely.when(is_there()) }
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Tagged(&HOME_ASSISTANT))
}
