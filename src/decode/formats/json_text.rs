//! JSON, and JSON in lines or behind record separators: the event is guessed from the names that most protocols have for it.

use crate::decode::members::{Json, Members};
use crate::decode::path;
use crate::decode::{Confidence, Decode, Hints, Said, UNITS, pieces};
use crate::model::{Node, Unit, Value};
use std::borrow::Cow;

/// Where a protocol that nobody knows may have the name of its event, the likeliest first.
const EVENT_KEYS: [&str; 17] = [
    "type",
    "event",
    "op",
    "action",
    "method",
    "cmd",
    "command",
    "msg",
    "messageType",
    "t",
    "e",
    "kind",
    "name",
    "topic",
    "channel",
    "stream",
    "status",
];

/// Characters of such a name: what is longer says something, and names nothing.
const NAME: usize = 64;

/// One value. What is nested in it is not judged: where it is no JSON, the tree has the text.
pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    Confidence::Likely.when(said.members().is_some())
}

/// Several values in lines (NDJSON), or each behind or before a record separator (RFC 7464).
pub(in crate::decode) fn claims_lines(_: &Hints, said: &Said<'_>) -> Confidence {
    if said.text.is_none_or(|text| memchr::memchr3(b'\n', b'\r', 0x1e, text.as_bytes()).is_none()) {
        return Confidence::No;
    }
    let mut count = 0;
    let all = said.text.into_iter().flat_map(lines).take(UNITS).all(|(_, line)| {
        count += 1;
        line.starts_with(['{', '[']) && path::is_json(line.as_bytes())
    });
    Confidence::Weak.when(all && count > 1)
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(JsonText)
}

pub(in crate::decode) fn open_lines(_: &Hints) -> Box<dyn Decode> {
    Box::new(JsonLines)
}

#[derive(Clone)]
struct JsonText;
#[derive(Clone)]
struct JsonLines;

impl Decode for JsonText {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let is_json = said.members().is_some() || path::is_json(said.bytes);
        Some(vec![unit(said.text.filter(|_| is_json)?, 0, said.members())])
    }
}

impl Decode for JsonLines {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let text = said.text.filter(|_| claims_lines(&Hints::default(), said) > Confidence::No)?;
        Some(lines(text).take(UNITS).map(|(at, line)| unit(line, at, Members::new(line, at).as_ref())).collect())
    }
}

/// The lines that have something in them, each with where it begins.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    pieces(text, &['\n', '\r', '\x1e'])
        .map(|(at, line)| (at + line.len() - line.trim_start().len(), line.trim()))
        .filter(|(_, line)| !line.is_empty())
}

fn unit<'a>(text: &'a str, at: usize, members: Option<&Members<'a>>) -> Unit<'a> {
    let value = members.and_then(Members::unfolded).unwrap_or(Value::Json(Cow::Borrowed(text)));
    let event = members.and_then(event);
    Unit { event, said: Some(value.clone()), ..Unit::new("", Node::at(value, at..at + text.len())) }
}

/// The name of an event, where a member or the first element looks like one.
fn event<'a>(members: &Members<'a>) -> Option<Cow<'a, str>> {
    let is_name = |name: &Cow<'_, str>| !name.is_empty() && name.chars().count() <= NAME;
    if members.is_array() {
        return members.at(0).and_then(Json::text).filter(is_name);
    }
    let mut names = EVENT_KEYS.iter().filter_map(|key| members.get(key)?.name());
    names.find(is_name)
}
