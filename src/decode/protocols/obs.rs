//! obs-websocket 5: requests, their responses, events; in JSON, or the same in MessagePack.

use crate::decode::formats::msgpack;
use crate::decode::members::Json;
use crate::decode::protocols::tagged::{Dialect, Kind, at};
use crate::decode::{Confidence, Decode, Hints, Said, write};
use crate::model::Unit;

const OBS: Dialect = Dialect {
    tag: "op",
    kinds: &[
        Kind::new("0").named("Hello").about(&["d.obsWebSocketVersion"]),
        Kind::new("1").named("Identify").asks("session"),
        Kind::new("2").named("Identified").answers("session"),
        Kind::new("3").named("Reidentify").asks("session"),
        Kind::new("5").named("Event").event("d.eventType").shows(&["d.eventData"]),
        Kind::new("6")
            .named("Request")
            .event("d.requestType")
            .id("d.requestId")
            .asks("request")
            .shows(&["d.requestData"]),
        Kind::new("7")
            .named("RequestResponse")
            .about(&["d.requestType", "d.requestStatus.comment"])
            .id("d.requestId")
            .answers("request")
            .shows(&["d.responseData", "d.requestStatus"]),
        Kind::new("8").named("RequestBatch").id("d.requestId").asks("batch").shows(&["d.requests"]),
        Kind::new("9").named("RequestBatchResponse").id("d.requestId").answers("batch").shows(&["d.results"]),
    ],
    other: None,
};

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let Some(members) = said.object() else { return Confidence::No };
    let op = members.get("op").and_then(Json::int);
    let has = |path| at(members, path).is_some();
    match op {
        Some(0) => Confidence::Sure.when(has("d.obsWebSocketVersion")),
        Some(5) => Confidence::Likely.when(has("d.eventType") && has("d.eventIntent")),
        Some(6 | 7) => Confidence::Likely.when(has("d.requestType") && has("d.requestId")),
        _ => Confidence::No,
    }
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Obs)
}

#[derive(Clone)]
struct Obs;

impl Decode for Obs {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        if said.is_text {
            return OBS.unit(said).map(|unit| vec![unit]);
        }
        let tree = msgpack::whole(said.bytes)?;
        let mut json = Vec::new();
        write::node(&tree, &mut json);
        let unit = OBS.unit(&Said::new(said.dir, true, &json))?.into_owned();
        Some(vec![Unit { tree, ..unit }])
    }
}
