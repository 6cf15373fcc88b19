//! Pusher Channels: events of channels, whose data are JSON in strings.

use crate::decode::members::{Json, whole};
use crate::decode::{Confidence, Decode, Hints, Said, map};
use crate::model::{Change, Key, Node, Pairing, Unit};
use std::borrow::Cow;

pub(in crate::decode) fn claims(hints: &Hints, said: &Said<'_>) -> Confidence {
    let is_there = hints.path.starts_with("/app/") && hints.parameter("protocol").is_some();
    let event = said.object().and_then(|members| members.get("event")?.text());
    let is_own = |event: &str| event.starts_with("pusher:") || event.starts_with("pusher_internal:");
    Confidence::Sure.when(event.is_some_and(|event| is_there || is_own(&event)))
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Pusher)
}

#[derive(Clone)]
struct Pusher;

impl Decode for Pusher {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let (text, members) = (said.text?, said.object()?);
        let event = members.get("event")?.text()?;
        let channel = members.get("channel").and_then(Json::text);
        let data = members.get("data").map(|data| Node { value: data.unfolded(), ..data.node() });
        // What is subscribed to is said in the data.
        let asked = members.get("data").and_then(Json::members).and_then(|data| data.get("channel")?.text());
        let subscription = |id| Key { space: "channel", id };
        let ping = Key { space: "ping", id: Cow::Borrowed("") };
        let pairing = match (&*event, asked.clone(), channel.clone()) {
            ("pusher:subscribe", Some(channel), _) => Pairing::Asks(subscription(channel)),
            ("pusher_internal:subscription_succeeded" | "pusher:subscription_error", _, Some(channel)) => {
                Pairing::Answers { key: subscription(channel), last: true }
            }
            ("pusher:ping", ..) => Pairing::Asks(ping),
            ("pusher:pong", ..) => Pairing::Answers { key: ping, last: true },
            _ => Pairing::Alone,
        };
        let changes = match (&*event, asked.clone(), channel.clone()) {
            ("pusher:subscribe", Some(channel), _) => vec![Change::opens("channel", channel)],
            ("pusher:unsubscribe", Some(channel), _) | ("pusher:subscription_error", _, Some(channel)) => {
                vec![Change::closes("channel", channel)]
            }
            _ => Vec::new(),
        };
        let heartbeat = matches!(&*event, "pusher:ping" | "pusher:pong");
        let id = channel.or(asked);
        let words = id.as_deref().map_or_else(|| event.clone(), |channel| format!("{event} {channel}").into());
        let said = data.as_ref().map(|data| data.value.clone());
        let tree = match data {
            Some(data) => {
                let others = ["event", "channel", "user_id"].into_iter();
                let others = others.filter_map(|name| Some((name, members.get(name)?.node())));
                map(others.chain([("data", data)]))
            }
            None => whole(text),
        };
        Some(vec![Unit { event: Some(event), id, pairing, changes, heartbeat, said, ..Unit::new(words, tree) }])
    }
}
