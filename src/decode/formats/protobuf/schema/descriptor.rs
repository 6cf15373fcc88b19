//! A schema as `protoc --descriptor_set_out` writes it: itself a message, of type `google.protobuf.FileDescriptorSet`.
//!
//! ```text
//! set: 1 file ▸ 1 name  2 package  3 dependency  4 message  5 enum
//! message:      1 name  2 field  3 message  4 enum  7 options ▸ 7 is what a map repeats
//! field:        1 name  3 number  4 label (3: repeated)  5 type  6 name of the type  9 oneof  17 that is none
//! enum:         1 name  2 value ▸ 1 name  2 number
//! ```

use super::draft::{Draft, Said, within};
use super::{Field, Kind, SchemaFile};
use crate::decode::bytes::Bytes;
use crate::decode::formats::protobuf::wire::{self, GREATEST, Wire};
use std::collections::HashSet;

/// Declarations inside one another.
const NESTED: usize = 32;

/// Kinds by their numbers, from 1: those of messages and enums have names.
const KINDS: [Option<Kind>; 18] = [
    Some(Kind::Double),
    Some(Kind::Float),
    Some(Kind::Int64),
    Some(Kind::UInt64),
    Some(Kind::Int32),
    Some(Kind::Fixed64),
    Some(Kind::Fixed32),
    Some(Kind::Bool),
    Some(Kind::String),
    None,
    None,
    Some(Kind::Bytes),
    Some(Kind::UInt32),
    None,
    Some(Kind::SFixed32),
    Some(Kind::SFixed64),
    Some(Kind::SInt32),
    Some(Kind::SInt64),
];

/// The kind of enums.
const ENUM: u64 = 14;

/// Reads a set into the draft; what other sets or files declare may be missing in it. `is_named`: the user names it.
///
/// # Errors
/// Where it is none, or too much.
pub(super) fn read(file: &SchemaFile, is_named: bool, draft: &mut Draft) -> Result<(), String> {
    let none = || format!("{}: neither a .proto file nor a descriptor set (protoc --descriptor_set_out)", file.name);
    let files =
        pieces(Bytes::new(&file.bytes), 1).and_then(|all| all.into_iter().map(head).collect::<Option<Vec<_>>>());
    let files = files.filter(|files| !files.is_empty()).ok_or_else(none)?;
    // Its messages are of types in files that nothing depends on; where all depend on one another, of any.
    let needed: HashSet<&str> = files.iter().flat_map(|file| file.needs.iter().copied()).collect();
    let is_first = |head: &Head<'_>| !needed.contains(head.name);
    let has_first = files.iter().any(is_first);
    for head in &files {
        let mut set = Set { draft, is_tried: is_named && (is_first(head) || !has_first), trouble: None };
        if set.file(head).is_none() {
            return Err(set.trouble.map_or_else(none, |why| format!("{}: {why}", file.name)));
        }
    }
    Ok(())
}

/// What a file of a set says besides its types.
struct Head<'a> {
    name: &'a str,
    package: &'a str,
    needs: Vec<&'a str>,
    bytes: Bytes<'a>,
}

fn head(bytes: Bytes<'_>) -> Option<Head<'_>> {
    let mut head = Head { name: "", package: "", needs: Vec::new(), bytes: bytes.clone() };
    each(bytes, |number, wire| {
        match (number, wire) {
            (1, Wire::Piece(name)) => head.name = text(&name)?,
            (2, Wire::Piece(package)) => head.package = text(&package)?,
            (3, Wire::Piece(name)) => head.needs.push(text(&name)?),
            _ => {}
        }
        Some(())
    })?;
    Some(head).filter(|head| !head.name.is_empty())
}

struct Set<'d> {
    draft: &'d mut Draft,
    is_tried: bool,
    /// What is too much.
    trouble: Option<String>,
}

impl Set<'_> {
    fn file(&mut self, head: &Head<'_>) -> Option<()> {
        each(head.bytes.clone(), |number, wire| match (number, wire) {
            (4, Wire::Piece(message)) => self.message(message, head.package, 0),
            (5, Wire::Piece(enumeration)) => self.enumeration(enumeration, head.package),
            _ => Some(()),
        })
    }

    fn message(&mut self, bytes: Bytes<'_>, scope: &str, depth: usize) -> Option<()> {
        if depth >= NESTED {
            return self.too_much(format!("more than {NESTED} declarations inside one another"));
        }
        let name = within(scope, named(bytes.clone())?);
        let message = match self.draft.message(name.clone(), self.is_tried && depth == 0) {
            Ok(message) => message,
            Err(why) => return self.too_much(why),
        };
        each(bytes, |number, wire| match (number, wire) {
            (2, Wire::Piece(field)) => self.field(field, message),
            (3, Wire::Piece(inner)) => self.message(inner, &name, depth + 1),
            (4, Wire::Piece(inner)) => self.enumeration(inner, &name),
            (7, Wire::Piece(options)) => each(options, |number, wire| {
                if let (7, Wire::Varint(1)) = (number, wire) {
                    self.draft.entry(message);
                }
                Some(())
            }),
            _ => Some(()),
        })
    }

    fn field(&mut self, bytes: Bytes<'_>, message: usize) -> Option<()> {
        let (mut kind, mut type_name) = (0_u64, "");
        let (mut is_choice, mut is_optional) = (false, false);
        let mut field =
            Field { number: 0, name: String::new(), kind: Kind::Message(None), is_repeated: false, is_choice: false };
        each(bytes, |number, wire| {
            match (number, wire) {
                (1, Wire::Piece(name)) => field.name = text(&name)?.to_owned(),
                (3, Wire::Varint(number)) => field.number = u32::try_from(number).ok()?,
                (4, Wire::Varint(label)) => field.is_repeated = label == 3,
                (5, Wire::Varint(number)) => kind = number,
                (6, Wire::Piece(name)) => type_name = text(&name)?,
                (9, Wire::Varint(_)) => is_choice = true,
                (17, Wire::Varint(flag)) => is_optional = flag != 0,
                _ => {}
            }
            Some(())
        })?;
        let is_field = (1..=GREATEST).contains(&field.number) && !field.name.is_empty();
        if kind == ENUM {
            field.kind = Kind::Enum(None);
        }
        // A set that no compiler wrote may lack the kind of what has a name.
        let known = match usize::try_from(kind).ok()?.checked_sub(1) {
            Some(at) => *KINDS.get(at)?,
            None => None,
        };
        let said = known.map_or(Said::Named(type_name, None), Said::Known);
        is_field.then_some(())?;
        // The optional field of proto3 stands in a oneof of its own.
        self.draft.field(message, Field { is_choice: is_choice && !is_optional, ..field }, said);
        Some(())
    }

    fn enumeration(&mut self, bytes: Bytes<'_>, scope: &str) -> Option<()> {
        let name = within(scope, named(bytes.clone())?);
        let mut values = Vec::new();
        for value in pieces(bytes, 2)? {
            let name = named(value.clone())?.to_owned();
            let mut number = 0;
            each(value, |at, wire| {
                if let (2, Wire::Varint(bits)) = (at, wire) {
                    number = bits as i32;
                }
                Some(())
            })?;
            values.push((number, name));
        }
        match self.draft.enumeration(&name, values) {
            Ok(()) => Some(()),
            Err(why) => self.too_much(why),
        }
    }

    fn too_much(&mut self, why: String) -> Option<()> {
        self.trouble = Some(why);
        None
    }
}

/// Tells all fields of a message, until one is refused or is none.
fn each<'a>(mut bytes: Bytes<'a>, mut tell: impl FnMut(u32, Wire<'a>) -> Option<()>) -> Option<()> {
    while !bytes.is_empty() {
        let field = wire::field(&mut bytes)?;
        tell(field.number, field.wire)?;
    }
    Some(())
}

/// All that stands in fields of this number behind a length.
fn pieces(bytes: Bytes<'_>, wanted: u32) -> Option<Vec<Bytes<'_>>> {
    let mut all = Vec::new();
    each(bytes, |number, wire| {
        match wire {
            Wire::Piece(piece) if number == wanted => all.push(piece),
            _ => {}
        }
        Some(())
    })?;
    Some(all)
}

/// The name that stands in field 1.
fn named(bytes: Bytes<'_>) -> Option<&str> {
    text(pieces(bytes, 1)?.last()?).filter(|name| !name.is_empty())
}

fn text<'a>(bytes: &Bytes<'a>) -> Option<&'a str> {
    simdutf8::basic::from_utf8(bytes.rest()).ok()
}
