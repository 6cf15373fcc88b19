//! Phoenix channels, serializers 1 and 2.
//!
//! ```text
//! 1: {"topic","event","payload","ref","join_ref"}          2: [join_ref, ref, topic, event, payload]
//! 2, binary:  0 push, from the client   len join_ref, ref, topic, event │ the four │ payload
//!             0 push, from the server   len join_ref, topic, event      │ …        │ payload
//!             1 reply                   len join_ref, ref, topic, status
//!             2 broadcast               len topic, event                            (each length one byte)
//! ```

use crate::decode::bytes::Bytes;
use crate::decode::members::{Json, Members, whole};
use crate::decode::packed::text;
use crate::decode::{Confidence, Decode, Hints, Said, map};
use crate::model::{Change, Direction, Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;

pub(in crate::decode) fn claims(hints: &Hints, said: &Said<'_>) -> Confidence {
    let is_there = hints.path.ends_with("/websocket") && hints.parameter("vsn").is_some();
    let Some(message) = said.members().and_then(read) else {
        return Confidence::Likely.when(is_there && binary(said).is_some());
    };
    let is_known = message.event.starts_with("phx_") || &*message.topic == "phoenix";
    if is_there || is_known { Confidence::Sure } else { Confidence::No }
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Phoenix)
}

#[derive(Clone)]
struct Phoenix;

impl Decode for Phoenix {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let unit = match said.text.filter(|_| said.is_text) {
            Some(text) => unit(said.dir, read(said.members()?)?, whole(text)),
            None => {
                let message = binary(said)?;
                let tree = message.tree();
                unit(said.dir, message, tree)
            }
        };
        Some(vec![unit])
    }
}

/// What both forms say.
struct Message<'a> {
    join: Option<Cow<'a, str>>,
    reference: Option<Cow<'a, str>>,
    topic: Cow<'a, str>,
    event: Cow<'a, str>,
    status: Option<Cow<'a, str>>,
    payload: Node<'a>,
}

fn read<'a>(members: &Members<'a>) -> Option<Message<'a>> {
    let [join, reference, topic, event, payload] = if members.is_array() {
        [0, 1, 2, 3, 4].map(|at| members.at(at))
    } else {
        ["join_ref", "ref", "topic", "event", "payload"].map(|name| members.get(name))
    };
    let (topic, event, payload) = (topic?.text()?, event?.text()?, payload?);
    let is_reply = event == "phx_reply";
    let inside = payload.members().filter(|_| is_reply);
    let status = inside.as_ref().and_then(|inside| inside.get("status")).and_then(Json::text);
    let shown = inside.and_then(|inside| inside.get("response")).unwrap_or(payload);
    let reference = reference.and_then(Json::name);
    Some(Message { join: join.and_then(Json::name), reference, topic, event, status, payload: shown.node() })
}

fn binary<'m>(said: &Said<'m>) -> Option<Message<'m>> {
    let mut bytes = Bytes::new(said.bytes);
    let kind = bytes.u8()?;
    let count = match (kind, said.dir) {
        (0, Direction::ToServer) => 4,
        (0, Direction::ToClient) => 3,
        (1, Direction::ToClient) => 4,
        (2, Direction::ToClient) => 2,
        _ => return None,
    };
    let lens = bytes.take(count)?;
    let mut texts = lens.iter().map(|len| match text(bytes.take(usize::from(*len))?) {
        Value::Text(text) => Some(text),
        _ => None,
    });
    let mut next = |is_there: bool| if is_there { texts.next()?.map(Some) } else { Some(None) };
    let join = next(kind != 2)?;
    let reference = next(kind == 1 || count == 4)?;
    let (topic, last) = (next(true)??, next(true)??);
    let begin = bytes.at();
    let payload = Node::at(Value::Bytes(Cow::Borrowed(bytes.rest())), begin..said.bytes.len());
    let (event, status) = if kind == 1 { ("phx_reply".into(), Some(last)) } else { (last, None) };
    Some(Message { join, reference, topic, event, status, payload })
}

impl<'a> Message<'a> {
    fn tree(&self) -> Node<'a> {
        let or_null = |text: &Option<Cow<'a, str>>| text.clone().map_or(Value::Null, Value::Text).into();
        map([
            ("join_ref", or_null(&self.join)),
            ("ref", or_null(&self.reference)),
            ("topic", Value::Text(self.topic.clone()).into()),
            ("event", Value::Text(self.event.clone()).into()),
            ("status", or_null(&self.status)),
            ("payload", self.payload.clone()),
        ])
    }
}

fn unit<'a>(dir: Direction, message: Message<'a>, tree: Node<'a>) -> Unit<'a> {
    let Message { reference: id, topic, event, status, payload, .. } = message;
    let hash = id.as_deref().map_or_else(String::new, |id| format!(" #{id}"));
    let changes = match (&*event, dir, status.as_deref()) {
        ("phx_join", Direction::ToServer, _) => vec![Change::opens("channel", topic.clone())],
        ("phx_leave", Direction::ToServer, _) | ("phx_close" | "phx_error", Direction::ToClient, _) => {
            vec![Change::closes("channel", topic.clone())]
        }
        ("phx_reply", _, Some("error")) => vec![Change::Refuses(None)],
        _ => Vec::new(),
    };
    let what = status.map_or_else(|| event.to_string(), |status| format!("reply {status}"));
    let key = id.clone().map(|id| Key { space: "", id });
    let pairing = match key {
        Some(key) if event == "phx_reply" => Pairing::Answers { key, last: true },
        Some(key) if dir == Direction::ToServer => Pairing::Asks(key),
        _ => Pairing::Alone,
    };
    let heartbeat = topic == "phoenix" && matches!(&*event, "heartbeat" | "phx_reply");
    let words = format!("{topic} {what}{hash}");
    let said = Some(payload.value);
    Unit { event: Some(event), id, pairing, changes, heartbeat, said, ..Unit::new(words, tree) }
}
