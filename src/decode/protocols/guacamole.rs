//! Guacamole: instructions of a remote desktop, in text.
//!
//! ```text
//! len "." opcode *("," len "." argument) ";"         each length is a number of characters, not of bytes
//! ```

use crate::decode::{Confidence, Decode, Hints, Said, UNITS, map};
use crate::model::{Direction, Key, Node, Pairing, Unit, Value};
use std::borrow::Cow;

/// Arguments of one instruction.
const ARGUMENTS: usize = 256;

/// Digits of a length.
const DIGITS: usize = 9;

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let begins = said.text.is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()) && text.ends_with(';'));
    let is_opcode = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let are_opcodes = |all: Vec<Elements<'_>>| all.iter().all(|one| one.first().is_some_and(|(_, it)| is_opcode(it)));
    Confidence::Likely.when(begins && said.text.and_then(instructions).is_some_and(are_opcodes))
}

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Guacamole)
}

#[derive(Clone)]
struct Guacamole;

impl Decode for Guacamole {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let all = said.text.and_then(instructions).filter(|all| !all.is_empty())?;
        Some(all.into_iter().map(|elements| unit(elements, said.dir)).collect())
    }
}

/// Opcode and arguments of one, each with where it begins.
type Elements<'a> = Vec<(usize, &'a str)>;

/// The instructions that all of a text is.
fn instructions(text: &str) -> Option<Vec<Elements<'_>>> {
    let (mut all, mut elements, mut at) = (Vec::new(), Vec::new(), 0);
    while at < text.len() && all.len() < UNITS {
        let rest = text.get(at..)?;
        let digits = rest.bytes().take(DIGITS).take_while(u8::is_ascii_digit).count();
        let len: usize = rest.get(..digits)?.parse().ok()?;
        let value = rest.get(digits..)?.strip_prefix('.')?;
        // Characters are bytes for the most part.
        let end = match value.get(..len).filter(|value| value.is_ascii()) {
            Some(_) => len,
            None => value.char_indices().map(|(at, _)| at).chain([value.len()]).nth(len)?,
        };
        let begin = at + digits + 1;
        elements.push((begin, value.get(..end)?));
        at = begin + end + 1;
        match value.as_bytes().get(end)? {
            b',' if elements.len() <= ARGUMENTS => {}
            b';' => all.push(std::mem::take(&mut elements)),
            _ => return None,
        }
    }
    elements.is_empty().then_some(all)
}

fn unit(elements: Elements<'_>, dir: Direction) -> Unit<'_> {
    let opcode = elements.first().map_or("", |(_, opcode)| *opcode);
    // Its tunnel speaks in instructions that have no name.
    let name = if opcode.is_empty() { "(tunnel)" } else { opcode };
    let mut nodes = elements.iter().map(|(at, text)| Node::at(Value::text(*text), *at..at + text.len()));
    let (head, args) = (nodes.next().unwrap_or(Value::Null.into()), nodes.collect::<Vec<_>>());
    let first = elements.get(1).map(|(_, text)| Cow::Borrowed(*text));
    let key = |space, at: usize| elements.get(at).map(|(_, id)| Key { space, id: Cow::Borrowed(*id) });
    let pairing = match (opcode, first.as_deref()) {
        // The client says of each frame when it has drawn it; it pings with the time, which comes back.
        ("sync", _) => key("sync", 1).map(|key| (key, Direction::ToClient)),
        ("", Some("ping")) => key("ping", 2).map(|key| (key, Direction::ToServer)),
        _ => None,
    };
    let pairing = pairing.map_or(Pairing::Alone, |(key, asking)| {
        if dir == asking { Pairing::Asks(key) } else { Pairing::Answers { key, last: true } }
    });
    let id = first.filter(|_| matches!(opcode, "sync" | "ack" | "blob" | "end"));
    let heartbeat = matches!(opcode, "nop" | "sync" | "");
    let said = Some(Value::List(args.clone())).filter(|_| !args.is_empty());
    let tree = map([("opcode", head), ("args", Value::List(args).into())]);
    Unit { event: Some(name.into()), id, pairing, heartbeat, said, ..Unit::new(name, tree) }
}
