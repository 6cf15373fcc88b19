//! SockJS: messages of another protocol in strings.
//!
//! ```text
//! from the server   o open │ h heartbeat │ a["message",…] │ m"message" │ c[code,"reason"] close
//! from the client   ["message",…]
//! ```

use crate::decode::members::{Json, Members};
use crate::decode::{Confidence, Decode, Hints, Said, Session, UNITS, map};
use crate::model::{Direction, Limits, Node, Unit, Value};
use std::borrow::Cow;

/// `/base/000/session/websocket`.
pub(in crate::decode) fn claims(hints: &Hints, said: &Said<'_>) -> Confidence {
    let mut parts = hints.path.rsplit('/');
    let (last, session, server) = (parts.next(), parts.next(), parts.next());
    let is_number = |server: &str| server.len() == 3 && server.bytes().all(|byte| byte.is_ascii_digit());
    let is_there =
        last == Some("websocket") && session.is_some_and(|id| !id.is_empty()) && server.is_some_and(is_number);
    Confidence::Sure.when(is_there && frame(said).is_some())
}

pub(in crate::decode) fn open(hints: &Hints) -> Box<dyn Decode> {
    // The protocol inside is told by what is said: name and path are of SockJS.
    Box::new(SockJs { inside: Session::new(hints.inside(), None, &Limits::DEFAULT) })
}

#[derive(Clone)]
struct SockJs {
    inside: Session,
}

/// What a message is, and the messages in it.
fn frame<'m>(said: &Said<'m>) -> Option<(&'static str, Vec<Json<'m>>)> {
    let text = said.text?;
    if said.dir == Direction::ToServer {
        let list = said.members().filter(|members| members.is_array())?;
        let all: Vec<Json<'m>> = list.from(0).collect();
        return all.iter().all(|one| one.text().is_some()).then_some(("messages", all));
    }
    let (kind, rest) = text.split_at_checked(1)?;
    let list = || Members::array(rest, 1);
    match kind {
        "o" if rest.is_empty() => Some(("open", Vec::new())),
        "h" if rest.is_empty() => Some(("heartbeat", Vec::new())),
        "a" => Some(("messages", list()?.from(0).collect())),
        "c" => Some(("close", list()?.from(0).collect())),
        _ => None,
    }
}

impl Decode for SockJs {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let (name, all) = frame(said)?;
        if name != "messages" {
            let args: Vec<Node<'m>> = all.into_iter().map(Json::node).collect();
            let shown = Some(Value::List(args.clone())).filter(|_| !args.is_empty());
            let tree = map([("type", Value::text(name).into()), ("args", Value::List(args).into())]);
            let heartbeat = name == "heartbeat";
            return Some(vec![Unit { event: Some(name.into()), heartbeat, said: shown, ..Unit::new(name, tree) }]);
        }
        let mut units = Vec::new();
        for one in all.into_iter().take(UNITS) {
            let Some(text) = one.text() else { continue };
            units.extend(self.inside(said.dir, one, &text));
        }
        (!units.is_empty()).then_some(units)
    }

    fn lost(&mut self, dir: Direction) {
        self.inside.lost(dir);
    }

    fn held(&self) -> usize {
        self.inside.held()
    }
}

impl SockJs {
    /// What a message inside says, told by its own protocol.
    fn inside<'m>(&mut self, dir: Direction, json: Json<'m>, text: &str) -> Vec<Unit<'m>> {
        let tree = |protocol: Value<'m>, message: Node<'m>| {
            let whole = [("type", Value::text("message").into()), ("protocol", protocol.into()), ("message", message)];
            Node { bytes: json.node().bytes, ..map(whole) }
        };
        let Some((protocol, units)) = self.inside.units(&Said::new(dir, true, text.as_bytes())) else {
            let value = Value::Text(Cow::Owned(text.to_owned()));
            let tree = tree(Value::Null, json.node());
            return vec![Unit { event: Some("message".into()), said: Some(value), ..Unit::new("message", tree) }];
        };
        let outside = |unit: Unit<'_>| {
            let unit = unit.into_owned();
            Unit { tree: tree(Value::text(protocol), unit.tree.clone()), ..unit }
        };
        units.into_iter().map(outside).collect()
    }
}
