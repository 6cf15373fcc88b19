//! Payloads that have another inside: how it was wrapped, the outermost first, and what it says.

use crate::decode::packed::is_shown;
use crate::decode::{Confidence, Decoder, Hints, Said, Session, map};
use crate::model::{Node, Unit, Value};

/// Bytes to which a payload may grow when it is unwrapped.
pub(in crate::decode) const MOST: u64 = 4 << 20;

/// The names of all wrappings in the tree of a unit, and of what is in the last.
const ENCODINGS: &str = "encodings";

/// What is inside, as a message; of a text it is one where people may read it.
pub(in crate::decode) fn inner<'o>(said: &Said<'_>, out: &'o [u8]) -> Said<'o> {
    let inner = Said::new(said.dir, false, out);
    Said { is_text: said.is_text && inner.text.is_some_and(is_shown), ..inner }
}

/// A decoder for what is inside, of those that `may` say of it, who is at least so sure.
pub(in crate::decode) fn inside(
    hints: &Hints,
    said: &Said<'_>,
    least: Confidence,
    may: fn(&str) -> bool,
) -> Option<&'static Decoder> {
    Session::format(hints, said, least).filter(|decoder| may(decoder.name))
}

/// What a message says that was wrapped as `name` tells, and has `inner` inside, which is for this decoder.
pub(in crate::decode) fn units<'m>(
    hints: &Hints,
    said: &Said<'m>,
    name: &'static str,
    inner: &Said<'_>,
    decoder: Option<&'static Decoder>,
) -> Vec<Unit<'m>> {
    let whole = |chain: Vec<Node<'static>>, data: Node<'static>| {
        let tree = map([(ENCODINGS, Value::List(chain).into()), ("data", data)]);
        Node { bytes: Some(0..said.bytes.len()), ..tree }
    };
    let word = |word: &'static str| Value::text(word).into();
    let units = decoder.and_then(|decoder| (decoder.open)(&hints.inside()).message(inner));
    let (Some(decoder), Some(units)) = (decoder, units) else {
        let (inside, value) = match inner.text {
            Some(text) => ("text", Value::text(text.to_owned())),
            None => ("bytes", Value::Bytes(inner.bytes.to_owned().into())),
        };
        let tree = whole(vec![word(name), word(inside)], value.clone().into());
        return vec![Unit { said: Some(value), ..Unit::new(name, tree) }];
    };
    let unit = |unit: Unit<'_>| {
        let unit = unit.into_owned();
        let words = format!("{name} {}", unit.words).trim_end().to_owned();
        let mut chain = vec![word(name)];
        let data = match unwrapped(unit.tree, &mut chain) {
            Ok(data) => data,
            Err(data) => {
                chain.push(word(decoder.name));
                data
            }
        };
        Unit { words: words.into(), tree: whole(chain, data), ..unit }
    };
    units.into_iter().map(unit).collect()
}

/// What is inside of a tree that tells of a wrapping itself, whose names go to the chain; the tree again of any other.
fn unwrapped(tree: Node<'static>, chain: &mut Vec<Node<'static>>) -> Result<Node<'static>, Node<'static>> {
    match tree.value {
        Value::Map(mut members) if members.len() == 2 && members.first().is_some_and(|(name, _)| name == ENCODINGS) => {
            let data = members.pop().map_or(Value::Null.into(), |(_, data)| data);
            if let Some((_, Node { value: Value::List(names), .. })) = members.pop() {
                chain.extend(names);
            }
            Ok(data)
        }
        value => Err(Node { value, ..tree }),
    }
}
