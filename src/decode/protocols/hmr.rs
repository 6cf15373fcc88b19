//! What servers of development tell a page that is loaded anew in parts: Vite, and webpack-dev-server.

use crate::decode::members::Json;
use crate::decode::protocols::tagged::{Dialect, Kind, Tagged};
use crate::decode::{Confidence, Decode, Hints, Said};

const VITE: Dialect = Dialect {
    tag: "type",
    kinds: &[
        Kind::new("connected"),
        Kind::new("ping").beats(),
        Kind::new("update").about(&["updates.0.type", "updates.0.path"]).shows(&["updates"]),
        Kind::new("full-reload").about(&["path"]),
        Kind::new("prune").shows(&["paths"]),
        Kind::new("custom").event("event").shows(&["data"]),
        Kind::new("error").about(&["err.plugin"]).shows(&["err.message"]),
    ],
    other: None,
};

const WEBPACK: Dialect = Dialect {
    tag: "type",
    kinds: &[
        Kind::new("hot"),
        Kind::new("liveReload"),
        Kind::new("reconnect"),
        Kind::new("overlay").shows(&["data"]),
        Kind::new("logging").shows(&["data"]),
        Kind::new("progress"),
        Kind::new("progress-update").shows(&["data"]),
        Kind::new("hash").about(&["data"]),
        Kind::new("ok"),
        Kind::new("still-ok"),
        Kind::new("invalid").about(&["data"]),
        Kind::new("warnings").shows(&["data"]),
        Kind::new("errors").shows(&["data"]),
        Kind::new("static-changed").about(&["data"]),
        Kind::new("content-changed").about(&["data"]),
        Kind::new("error").shows(&["data"]),
        Kind::new("close"),
    ],
    other: None,
};

/// Only the subprotocol says what it is.
pub(in crate::decode) fn claims_vite(_: &Hints, _: &Said<'_>) -> Confidence {
    Confidence::No
}

/// Its first words, at its path; and the hash of a build.
pub(in crate::decode) fn claims_webpack(hints: &Hints, said: &Said<'_>) -> Confidence {
    let Some(members) = said.object() else { return Confidence::No };
    let is_hash = |hash: &str| hash.len() >= 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let kind = members.get("type").and_then(Json::text);
    let is_there = matches!(&*hints.path, "/ws" | "/sockjs-node") && !members.has("id");
    Confidence::Likely.when(match kind.as_deref() {
        Some("hash") => members.get("data").and_then(Json::text).is_some_and(|data| is_hash(&data)),
        Some("hot" | "liveReload" | "still-ok" | "progress-update" | "static-changed") => is_there,
        _ => false,
    })
}

pub(in crate::decode) fn open_vite(_: &Hints) -> Box<dyn Decode> {
    Box::new(Tagged(&VITE))
}

pub(in crate::decode) fn open_webpack(_: &Hints) -> Box<dyn Decode> {
    Box::new(Tagged(&WEBPACK))
}
