//! Messages whose schema is known: fields by their names.
//!
//! What stands there is shown, and nothing else: no field that is not set. What the schema does not know is shown by its number, and so
//! is what it knows otherwise.

use super::bare;
use super::known::{self, Known};
use super::schema::{Field, Kind, Message, Types};
use super::wire::{self, Wire};
use crate::decode::bytes::Bytes;
use crate::decode::packed::{name, text};
use crate::decode::{NESTED, VALUES};
use crate::model::{Node, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

/// A message that was read as one of some type.
pub(super) struct Read<'a> {
    pub(super) node: Node<'a>,
    /// Fields that are as the schema says.
    pub(super) known: usize,
    /// Others.
    pub(super) strange: usize,
}

/// Reads a message as one of this type; `None` where it is no message. `is_strict`: nor where anything is not as the schema says, or as
/// no program would write it.
pub(super) fn read<'a>(types: &Types, of: &Message, bytes: Bytes<'a>, is_strict: bool) -> Option<Read<'a>> {
    let mut reader = Reader { types, is_strict, left: VALUES, known: 0, strange: 0 };
    let place = bytes.at()..bytes.at() + bytes.rest().len();
    let value = reader.message(of, bytes, NESTED)?;
    Some(Read { node: Node::at(value, place), known: reader.known, strange: reader.strange })
}

struct Reader<'s> {
    types: &'s Types,
    is_strict: bool,
    /// Values that may still be read.
    left: usize,
    known: usize,
    strange: usize,
}

/// The names and values of a message.
pub(super) type Members<'a> = Vec<(Cow<'a, str>, Node<'a>)>;

/// What a field says.
enum Said<'a> {
    One(Node<'a>),
    /// Several numbers behind one tag.
    Many(Vec<Node<'a>>),
    /// An entry of a map.
    Pair(Cow<'a, str>, Node<'a>),
}

/// What all fields of a number say.
enum Slot<'a> {
    One(Node<'a>),
    List(Vec<Node<'a>>),
    Map(Members<'a>),
}

impl<'a> Slot<'a> {
    fn new(said: Said<'a>, is_repeated: bool) -> Self {
        match said {
            Said::One(node) if is_repeated => Self::List(vec![node]),
            Said::One(node) => Self::One(node),
            Said::Many(nodes) => Self::List(nodes),
            Said::Pair(key, value) => Self::Map(vec![(key, value)]),
        }
    }

    /// Of a field that is not repeated the last one holds, and messages are merged.
    fn add(&mut self, said: Said<'a>) {
        match (self, said) {
            (Self::List(nodes), Said::One(node)) => nodes.push(node),
            (Self::List(nodes), Said::Many(mut more)) => nodes.append(&mut more),
            (Self::Map(members), Said::Pair(key, value)) => members.push((key, value)),
            (Self::One(before), Said::One(node)) => merge(before, node),
            // A number has one kind of field.
            _ => {}
        }
    }

    /// Values that are looked at when another is added.
    fn merged(&self) -> usize {
        if let Self::One(Node { value: Value::Map(members), .. }) = self { members.len() } else { 0 }
    }

    fn node(self) -> Node<'a> {
        match self {
            Self::One(node) => node,
            Self::List(nodes) => Value::List(nodes).into(),
            Self::Map(members) => Value::Map(members).into(),
        }
    }
}

fn merge<'a>(before: &mut Node<'a>, last: Node<'a>) {
    match (&mut before.value, last) {
        (Value::Map(members), Node { value: Value::Map(more), .. }) => {
            before.bytes = None;
            for (name, node) in more {
                match members.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => merge(known, node),
                    None => members.push((name, node)),
                }
            }
        }
        (Value::List(nodes), Node { value: Value::List(mut more), .. }) => nodes.append(&mut more),
        (_, last) => *before = last,
    }
}

impl Reader<'_> {
    fn message<'a>(&mut self, of: &Message, bytes: Bytes<'a>, deeper: usize) -> Option<Value<'a>> {
        let deeper = deeper.checked_sub(1)?;
        let known = Known::of(&of.name);
        if known == Some(Known::Any)
            && let Some(value) = self.any(bytes.clone(), deeper)
        {
            return Some(value);
        }
        let members = self.members(of, bytes, deeper)?;
        Some(match known {
            Some(known) => known::shown(known, members),
            None => Value::Map(members),
        })
    }

    fn members<'a>(&mut self, of: &Message, mut bytes: Bytes<'a>, deeper: usize) -> Option<Members<'a>> {
        let mut slots: BTreeMap<u32, Slot<'a>> = BTreeMap::new();
        let mut strange: BTreeMap<u32, Vec<Node<'a>>> = BTreeMap::new();
        while !bytes.is_empty() {
            self.count()?;
            let wire::Field { number, wire, place } = wire::field(&mut bytes)?;
            let field = of.field(number);
            if let Some(field) = field
                && let Some(said) = self.field(field, wire.clone(), place.clone(), deeper)
            {
                self.known += 1;
                match slots.entry(number) {
                    Entry::Vacant(slot) => drop(slot.insert(Slot::new(said, field.is_repeated))),
                    Entry::Occupied(_) if self.is_strict && !field.is_repeated => return None,
                    Entry::Occupied(mut slot) => {
                        self.left = self.left.checked_sub(slot.get().merged())?;
                        slot.get_mut().add(said);
                    }
                }
            } else if self.is_strict {
                return None;
            } else {
                self.strange += 1;
                let node = Node::at(bare::value(wire, deeper, &mut self.left), place);
                strange.entry(number).or_default().push(node);
            }
        }
        let named = slots.into_iter().map(|(number, slot)| {
            let name = of.field(number).map_or_else(String::new, |field| field.name.clone());
            (Cow::Owned(name), slot.node())
        });
        let numbered = strange.into_iter().map(|(number, nodes)| (number.to_string().into(), bare::joined(nodes)));
        Some(named.chain(numbered).collect())
    }

    fn count(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        Some(())
    }

    /// What a field says; `None` where that is not as the schema has it.
    fn field<'a>(&mut self, field: &Field, wire: Wire<'a>, place: Range<usize>, deeper: usize) -> Option<Said<'a>> {
        match (field.kind, &wire) {
            (Kind::Message(Some(at)), Wire::Piece(piece)) if field.is_repeated => {
                if let Some(entry) = self.types.message(at).filter(|inner| inner.is_entry) {
                    return self.entry(entry, piece.clone(), place, deeper);
                }
            }
            (Kind::String | Kind::Bytes | Kind::Message(_), _) => {}
            (kind, Wire::Piece(numbers)) if field.is_repeated => return self.numbers(kind, numbers.clone()),
            _ => {}
        }
        self.value(field.kind, wire, deeper).map(|value| Said::One(Node::at(value, place)))
    }

    /// Numbers one behind another; more than are taken apart as bytes.
    fn numbers<'a>(&mut self, kind: Kind, mut bytes: Bytes<'a>) -> Option<Said<'a>> {
        let all = bytes.rest();
        let count = match kind {
            Kind::Double | Kind::Fixed64 | Kind::SFixed64 => all.len() / 8,
            Kind::Float | Kind::Fixed32 | Kind::SFixed32 => all.len() / 4,
            _ => all.iter().filter(|byte| **byte < 0x80).count(),
        };
        if count > self.left {
            let place = bytes.at()..bytes.at() + all.len();
            return Some(Said::Many(vec![Node::at(Value::Bytes(Cow::Borrowed(all)), place)]));
        }
        let mut nodes = Vec::with_capacity(count);
        while !bytes.is_empty() {
            self.count()?;
            let begin = bytes.at();
            let wire = match kind {
                Kind::Double | Kind::Fixed64 | Kind::SFixed64 => Wire::Eight(bytes.u64_le()?),
                Kind::Float | Kind::Fixed32 | Kind::SFixed32 => Wire::Four(bytes.u32_le()?),
                _ => Wire::Varint(wire::varint(&mut bytes)?),
            };
            nodes.push(Node::at(self.value(kind, wire, 0)?, begin..bytes.at()));
        }
        Some(Said::Many(nodes))
    }

    /// An entry of a map, in which a key or value that is not set is what it is by default.
    fn entry<'a>(&mut self, of: &Message, bytes: Bytes<'a>, place: Range<usize>, deeper: usize) -> Option<Said<'a>> {
        let (mut key, mut value) = (None, None);
        for (name, node) in self.members(of, bytes, deeper.checked_sub(1)?)? {
            match &*name {
                "key" => key = Some(node),
                "value" => value = Some(node),
                _ => {}
            }
        }
        let mut usual = |number| self.usual(of.field(number)?.kind, deeper);
        let key = name(key.or_else(|| usual(1).map(Node::from))?);
        let value = value.or_else(|| usual(2).map(Node::from))?;
        Some(Said::Pair(key, Node { bytes: Some(place), ..value }))
    }

    /// What a value is that is not set.
    fn usual<'a>(&mut self, kind: Kind, deeper: usize) -> Option<Value<'a>> {
        Some(match kind {
            Kind::String => Value::text(""),
            Kind::Bytes => Value::Bytes(Cow::Borrowed(&[])),
            Kind::Bool => Value::Flag(false),
            Kind::Double | Kind::Float => Value::Float(0.0),
            Kind::Message(_) => self.value(kind, Wire::Piece(Bytes::new(&[])), deeper)?,
            Kind::Enum(_) => self.value(kind, Wire::Varint(0), deeper)?,
            _ => Value::Int(0),
        })
    }

    fn value<'a>(&mut self, kind: Kind, wire: Wire<'a>, deeper: usize) -> Option<Value<'a>> {
        // Numbers are cut to the width of their type, as readers of the format do.
        Some(match (kind, wire) {
            (Kind::Double, Wire::Eight(bits)) => Value::Float(f64::from_bits(bits)),
            (Kind::Float, Wire::Four(bits)) => Value::Float(as_written(f32::from_bits(bits))),
            (Kind::Int64, Wire::Varint(bits)) | (Kind::SFixed64, Wire::Eight(bits)) => {
                Value::Int(bits.cast_signed().into())
            }
            (Kind::UInt64, Wire::Varint(bits)) | (Kind::Fixed64, Wire::Eight(bits)) => Value::Int(bits.into()),
            (Kind::Int32, Wire::Varint(bits)) => Value::Int(self.int32(bits)?.into()),
            (Kind::UInt32, Wire::Varint(bits)) => {
                self.allow(u32::try_from(bits).is_ok())?;
                Value::Int((bits as u32).into())
            }
            (Kind::SInt32, Wire::Varint(bits)) => {
                self.allow(u32::try_from(bits).is_ok())?;
                Value::Int(((bits as u32 >> 1).cast_signed() ^ -((bits & 1) as i32)).into())
            }
            (Kind::SInt64, Wire::Varint(bits)) => {
                Value::Int(((bits >> 1).cast_signed() ^ -((bits & 1).cast_signed())).into())
            }
            (Kind::Fixed32, Wire::Four(bits)) => Value::Int(bits.into()),
            (Kind::SFixed32, Wire::Four(bits)) => Value::Int(bits.cast_signed().into()),
            (Kind::Bool, Wire::Varint(bits)) => {
                self.allow(bits <= 1)?;
                Value::Flag(bits != 0)
            }
            (Kind::Enum(at), Wire::Varint(bits)) => self.named(at, self.int32(bits)?)?,
            (Kind::String, Wire::Piece(piece)) => match text(piece.rest()) {
                Value::Bytes(_) if self.is_strict => return None,
                text => text,
            },
            (Kind::Bytes, Wire::Piece(piece)) => Value::Bytes(Cow::Borrowed(piece.rest())),
            (Kind::Message(Some(at)), Wire::Piece(inner) | Wire::Group(inner)) => {
                let (known, strange) = (self.known, self.strange);
                let of = self.types.message(at)?;
                let value = self.message(of, inner, deeper);
                if value.is_none() {
                    (self.known, self.strange) = (known, strange);
                }
                value?
            }
            (Kind::Message(None), wire @ (Wire::Piece(_) | Wire::Group(_))) => {
                bare::value(wire, deeper, &mut self.left)
            }
            _ => return None,
        })
    }

    fn int32(&self, bits: u64) -> Option<i32> {
        self.allow(i32::try_from(bits.cast_signed()).is_ok())?;
        Some(bits as i32)
    }

    /// What is not so passes where not everything must be as the schema says.
    fn allow(&self, is_so: bool) -> Option<()> {
        (is_so || !self.is_strict).then_some(())
    }

    /// The name of a number; one that has none is itself.
    fn named<'a>(&self, at: Option<usize>, number: i32) -> Option<Value<'a>> {
        let Some(of) = at.and_then(|at| self.types.enumeration(at)) else { return Some(Value::Int(number.into())) };
        let name = of.name(number);
        self.allow(name.is_some())?;
        Some(name.map_or(Value::Int(number.into()), |name| Value::text(name.to_owned())))
    }

    /// A message of any type, which it names; `None` where there is none, or anything else in it.
    fn any<'a>(&mut self, mut bytes: Bytes<'a>, deeper: usize) -> Option<Value<'a>> {
        let (mut url, mut inner) = (None, Bytes::new(&[]));
        while !bytes.is_empty() {
            let field = wire::field(&mut bytes)?;
            match (field.number, field.wire) {
                (1, Wire::Piece(piece)) => url = Some(Node::at(text(piece.rest()), field.place)),
                (2, Wire::Piece(piece)) => inner = piece,
                _ => return None,
            }
        }
        let url = url?;
        let Value::Text(name) = &url.value else { return None };
        let of = self.types.find(name.rsplit('/').next()?).and_then(|at| self.types.message(at));
        let place = inner.at()..inner.at() + inner.rest().len();
        let value = match of.and_then(|of| self.message(of, inner.clone(), deeper)) {
            Some(value) => value,
            None if of.is_some() && self.is_strict => return None,
            None => bare::value(Wire::Piece(inner), deeper, &mut self.left),
        };
        self.known += 1;
        let members = match value {
            Value::Map(members) if of.is_some() => members,
            value => vec![("value".into(), Node::at(value, place))],
        };
        Some(Value::Map([("@type".into(), url)].into_iter().chain(members).collect()))
    }
}

/// With the digits that are enough to tell it from others of its width.
fn as_written(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| number.into())
}
