//! Protocol Buffers: messages by the types of a schema, and without one fields by their number.
//!
//! ```text
//! message ─▶ framing ─▶ wire ─┬▶ typed, as the type that the user names or that fits (choice)
//!                             └▶ bare, by numbers
//! ```

mod bare;
mod choice;
mod framing;
mod known;
pub(in crate::decode) mod schema;
mod typed;
mod wire;

use crate::decode::bytes::Bytes;
use crate::decode::packed::{has_text, text};
use crate::decode::{Confidence, Decode, Hints, Said, map};
use crate::model::{Both, Node, Unit, Value};
use choice::{Choice, Learned};
use framing::{Framed, Framing};
use schema::{Kind, Meant, Message, Schema};

/// Names of fields that say what a message is.
const TELLING: [&str; 8] = ["type", "kind", "event", "op", "opcode", "cmd", "command", "method"];

pub(in crate::decode) fn claims(hints: &Hints, said: &Said<'_>) -> Confidence {
    if said.is_text {
        return Confidence::No;
    }
    let fits = |schema: &Schema, is_strict: bool| {
        let mut framings = Framing::ALL.into_iter().filter(|framing| is_strict || *framing != Framing::Delimited);
        framings.any(|framing| {
            framing.split(said.bytes).is_some_and(|frames| choice::fits(schema, &messages(&frames), is_strict))
        })
    };
    match &hints.schema {
        Some(schema) if fits(schema, true) => match schema.meant() {
            Meant::Named(_) => Confidence::Sure,
            Meant::Fitting(_) => Confidence::Likely,
        },
        Some(schema) if matches!(schema.meant(), Meant::Named(_)) && fits(schema, false) => Confidence::Weak,
        _ => Confidence::Weak.when(is_likely(said.bytes)),
    }
}

/// Whether what no schema knows has several fields, and text in them.
fn is_likely(bytes: &[u8]) -> bool {
    let is_one = |node: &Node<'_>| matches!(&node.value, Value::Map(all) if all.len() > 1) && has_text(node);
    match bare::whole(Bytes::new(bytes)) {
        Some(node) => is_one(&node),
        None => framed(bytes).is_some_and(|units| units.iter().any(|unit| is_one(&unit.tree))),
    }
}

pub(in crate::decode) fn open(hints: &Hints) -> Box<dyn Decode> {
    Box::new(Protobuf { schema: hints.schema.clone(), learned: Both::default() })
}

#[derive(Clone)]
struct Protobuf {
    schema: Option<Schema>,
    learned: Both<Learned>,
}

impl Decode for Protobuf {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let typed = self.schema.as_ref().and_then(|schema| typed(schema, &mut self.learned[said.dir], said.bytes));
        let one = || bare::whole(Bytes::new(said.bytes)).map(|node| vec![Unit::of_value(node)]);
        typed.or_else(one).or_else(|| framed(said.bytes))
    }

    fn held(&self) -> usize {
        let held =
            |learned: &Learned| if let Learned::Fits(types) = learned { size_of_val(types.as_slice()) } else { 0 };
        held(&self.learned.to_server) + held(&self.learned.to_client)
    }
}

/// What is said in messages of a type of the schema: all of it as it says, or else, where the user names the type, most of it.
fn typed<'m>(schema: &Schema, learned: &mut Learned, bytes: &'m [u8]) -> Option<Vec<Unit<'m>>> {
    for (is_strict, framing) in [true, false].into_iter().flat_map(|is_strict| Framing::ALL.map(|it| (is_strict, it))) {
        // Any bytes may have lengths in them.
        if !is_strict && framing == Framing::Delimited {
            continue;
        }
        let Some(frames) = framing.split(bytes) else { continue };
        let messages = messages(&frames);
        if messages.is_empty() {
            continue;
        }
        match learned.choose(schema, &messages, is_strict) {
            Choice::None => {}
            Choice::Unknown => return None,
            Choice::Type(at, reads) => {
                let of = schema.types().message(at)?;
                let mut reads = reads.into_iter();
                let unit = |framed| match framed {
                    Framed::Message(_) => reads.next().map(|read| unit(of, read.node)),
                    other => Some(beside(&other)),
                };
                return Some(frames.into_iter().filter_map(unit).collect());
            }
        }
    }
    None
}

/// Messages of which no schema is known, in frames of gRPC.
fn framed(bytes: &[u8]) -> Option<Vec<Unit<'_>>> {
    let units = Framing::Grpc.split(bytes)?.into_iter().map(|framed| match framed {
        Framed::Message(inside) if inside.is_empty() => Some(Unit::of_value(Value::Map(Vec::new()).into())),
        Framed::Message(inside) => bare::whole(inside).map(Unit::of_value),
        other => Some(beside(&other)),
    });
    let units = units.collect::<Option<Vec<_>>>()?;
    // Nothing but lengths of nothing is no message.
    units.iter().any(|unit| !matches!(&unit.tree.value, Value::Map(all) if all.is_empty())).then_some(units)
}

/// The messages that stand in frames.
fn messages<'a>(frames: &[Framed<'a>]) -> Vec<Bytes<'a>> {
    let message = |framed: &Framed<'a>| if let Framed::Message(bytes) = framed { Some(bytes.clone()) } else { None };
    frames.iter().filter_map(message).collect()
}

/// A message of a type.
fn unit<'m>(of: &Message, tree: Node<'m>) -> Unit<'m> {
    let unit = Unit::of_value(tree);
    Unit { event: Some(event(of, &unit.tree).into()), words: of.name.clone().into(), ..unit }
}

/// What one counts a message under: which of its fields is set, where one of several messages is; what it says that it is; its type.
fn event(of: &Message, tree: &Node<'_>) -> String {
    let mut set = of.fields.iter().filter_map(|field| Some((field, tree.get(&field.name)?)));
    let chosen = set.clone().find(|(field, _)| field.is_choice && matches!(field.kind, Kind::Message(_)));
    let told = || {
        set.find_map(|(field, node)| match (&node.value, field.kind) {
            (Value::Text(text), Kind::Enum(_)) if TELLING.contains(&&*field.name) => Some(text.to_string()),
            _ => None,
        })
    };
    let chosen = chosen.map(|(field, _)| field.name.clone());
    chosen.or_else(told).unwrap_or_else(|| of.short_name().to_owned())
}

/// What stands in a frame that is no message.
fn beside<'m>(framed: &Framed<'m>) -> Unit<'m> {
    let (words, bytes) = match framed {
        Framed::Message(bytes) => ("message", bytes),
        Framed::Heads(bytes) => ("trailers", bytes),
        Framed::Compressed(bytes) => ("compressed", bytes),
    };
    let place = bytes.at()..bytes.at() + bytes.rest().len();
    let value = match (framed, text(bytes.rest())) {
        (Framed::Heads(_), Value::Text(heads)) => Value::Text(heads),
        _ => Value::Bytes(bytes.rest().into()),
    };
    let tree = map([(words, Node::at(value.clone(), place))]);
    Unit { event: Some(words.into()), said: Some(value), ..Unit::new(words, tree) }
}

#[cfg(test)]
mod tests;
