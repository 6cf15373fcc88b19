//! XMPP over WebSocket (RFC 7395): each message is one element of the stream, `<open/>` and `<close/>` stand for its ends.

use crate::decode::formats::xml::{self, Element};
use crate::decode::{Confidence, Decode, Hints, Said, map};
use crate::model::{Direction, Key, Pairing, Unit, Value};
use std::borrow::Cow;

/// What tells the elements that begin and end a stream.
const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";

/// What a stanza with such an element asks only whether somebody is there (XEP-0199).
const PING: &str = "urn:xmpp:ping";

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let may_be = said.text.is_some_and(|text| text.starts_with("<open") || text.starts_with("<close"));
    let is_framing = || said.text.and_then(xml::read).is_some_and(|root| is(&root, "xmlns", FRAMING));
    Confidence::Sure.when(may_be && is_framing())
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Xmpp)
}

#[derive(Clone)]
struct Xmpp;

impl Decode for Xmpp {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let text = said.text?;
        if !text.is_empty() && text.trim_ascii().is_empty() {
            let tree = map([("name", Value::text("whitespace").into())]);
            let unit = Unit::new("whitespace", tree);
            return Some(vec![Unit { event: Some("whitespace".into()), heartbeat: true, ..unit }]);
        }
        xml::read(text).map(|root| vec![unit(root, said.dir)])
    }
}

fn unit<'a>(root: Element<'a>, dir: Direction) -> Unit<'a> {
    let name = root.name;
    let id = root.get("id").cloned();
    let (kind, child) = (root.get("type").cloned(), root.children().next());
    let mut words = name.to_owned();
    for word in kind.as_deref().into_iter().chain(child.filter(|_| matches!(name, "iq" | "failure")).map(|it| it.name))
    {
        words = format!("{words} {word}");
    }
    for (word, who) in [("from", root.get("from")), ("to", root.get("to"))] {
        if let Some(who) = who {
            words = format!("{words} {word} {who}");
        }
    }
    let stanza = || id.clone().map(|id| Key { space: "iq", id });
    let of = |space| Key { space, id: Cow::Borrowed("") };
    let answers = |key| Pairing::Answers { key, last: true };
    let pairing = match (name, kind.as_deref(), dir) {
        ("iq", Some("get" | "set"), _) => stanza().map_or(Pairing::Alone, Pairing::Asks),
        ("iq", Some("result" | "error"), _) => stanza().map_or(Pairing::Alone, answers),
        ("open", _, Direction::ToServer) => Pairing::Asks(of("stream")),
        ("open", _, Direction::ToClient) => answers(of("stream")),
        ("auth" | "response", ..) => Pairing::Asks(of("auth")),
        ("challenge" | "success" | "failure", ..) => answers(of("auth")),
        ("enable", ..) => Pairing::Asks(of("acks")),
        ("enabled", ..) => answers(of("acks")),
        // Whether stanzas came is asked and told (XEP-0198).
        ("r", ..) => Pairing::Asks(of("ack")),
        ("a", ..) => answers(of("ack")),
        _ => Pairing::Alone,
    };
    let is_ping = name == "iq" && child.is_some_and(|child| is(child, "xmlns", PING));
    let shown = root.child("body").or(Some(&root).filter(|_| !matches!(name, "auth" | "response")));
    let shown = shown.and_then(Element::text).cloned().map(Value::Text);
    let event = match child.filter(|_| name == "iq") {
        Some(child) => format!("iq {}", child.name).into(),
        None => Cow::Borrowed(name),
    };
    let heartbeat = is_ping || matches!(name, "r" | "a");
    Unit { event: Some(event), id, pairing, heartbeat, said: shown, ..Unit::new(words, root.node()) }
}

fn is(element: &Element<'_>, attribute: &str, value: &str) -> bool {
    element.get(attribute).is_some_and(|it| it == value)
}
