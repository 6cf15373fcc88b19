//! A schema as text: <https://protobuf.dev/reference/protobuf/proto2-spec/>, `…/proto3-spec/` and `…/edition-2023-spec/`.
//!
//! Read is what says how messages stand on the wire; options, services, extensions and what is reserved are passed over.

use super::draft::{Draft, NAME, Said, at, within};
use super::lex::{Fault, Token, Tokens};
use super::{Field, Kind};
use crate::decode::formats::protobuf::wire::GREATEST;
use std::collections::HashSet;

/// Declarations inside one another.
const NESTED: usize = 32;

/// Scalar types, by their keywords.
const SCALARS: &[(&str, Kind)] = &[
    ("double", Kind::Double),
    ("float", Kind::Float),
    ("int64", Kind::Int64),
    ("uint64", Kind::UInt64),
    ("int32", Kind::Int32),
    ("fixed64", Kind::Fixed64),
    ("fixed32", Kind::Fixed32),
    ("bool", Kind::Bool),
    ("string", Kind::String),
    ("bytes", Kind::Bytes),
    ("uint32", Kind::UInt32),
    ("sfixed32", Kind::SFixed32),
    ("sfixed64", Kind::SFixed64),
    ("sint32", Kind::SInt32),
    ("sint64", Kind::SInt64),
];

/// A path that is imported, and where that is said.
pub(super) type Imported<'t> = (&'t str, usize);

/// Reads the file of this number into the draft; what it imports. `is_named`: the user names it, so messages may be of its types.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn read<'t>(
    number: usize,
    text: &'t str,
    is_named: bool,
    draft: &mut Draft,
) -> Result<Vec<Imported<'t>>, Fault> {
    let tokens = Tokens::new(text)?;
    let (package, imports, declared) = (String::new(), Vec::new(), HashSet::new());
    let mut reader = Reader { number, tokens, draft, is_named, package, imports, declared };
    reader.file()?;
    Ok(reader.imports)
}

struct Reader<'t, 'd> {
    /// Of the file.
    number: usize,
    tokens: Tokens<'t>,
    draft: &'d mut Draft,
    is_named: bool,
    package: String,
    imports: Vec<Imported<'t>>,
    /// Types of this file so far.
    declared: HashSet<String>,
}

/// The body of a message that is read.
struct Body {
    /// Its number in the draft.
    message: usize,
    name: String,
    /// The numbers that its fields have.
    taken: HashSet<u32>,
    /// How many declarations it stands in.
    depth: usize,
}

/// What stands before the type of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    One,
    Repeated,
    Choice,
}

impl<'t> Reader<'t, '_> {
    fn file(&mut self) -> Result<(), Fault> {
        loop {
            let place = self.tokens.at();
            match self.tokens.take()? {
                Token::End => return Ok(()),
                Token::Sign(';') => {}
                Token::Word("syntax") => {
                    self.tokens.sign('=')?;
                    let place = self.tokens.at();
                    let syntax = self.tokens.quoted("\"proto2\" or \"proto3\"")?;
                    if !matches!(syntax, "proto2" | "proto3") {
                        return Err(Fault::new(place, "syntax is to be \"proto2\" or \"proto3\""));
                    }
                    self.tokens.sign(';')?;
                }
                Token::Word("package") => {
                    self.package = self.path(self.tokens.at(), None)?;
                    self.tokens.sign(';')?;
                }
                Token::Word("import") => self.import(place)?,
                Token::Word("edition" | "option") => self.statement()?,
                Token::Word("export" | "local") => {}
                Token::Word("message") => {
                    let package = self.package.clone();
                    self.message(&package, 0)?;
                }
                Token::Word("enum") => {
                    let package = self.package.clone();
                    self.enumeration(&package)?;
                }
                Token::Word("service" | "extend") => self.block()?,
                other => {
                    let why = format!("message, enum, import … is wanted, not {}", other.shown());
                    return Err(Fault::new(place, why));
                }
            }
        }
    }

    fn import(&mut self, place: usize) -> Result<(), Fault> {
        if let Token::Word("public" | "weak" | "option") = self.tokens.next() {
            self.tokens.take()?;
        }
        let path = self.tokens.quoted("a path in quotes")?;
        self.imports.push((path, place));
        self.tokens.sign(';')
    }

    /// Passes over the rest of a statement.
    fn statement(&mut self) -> Result<(), Fault> {
        let mut open = 0_usize;
        loop {
            match self.tokens.next() {
                Token::Sign(';') if open == 0 => return self.tokens.sign(';'),
                Token::Sign('{' | '[') => open += 1,
                Token::Sign('}' | ']') if open > 0 => open -= 1,
                Token::End | Token::Sign('}' | ']') => return Err(self.tokens.wants("`;`")),
                _ => {}
            }
            self.tokens.take()?;
        }
    }

    /// Passes over what stands up to the next braces, and over these.
    fn block(&mut self) -> Result<(), Fault> {
        let mut open = 0_usize;
        loop {
            match self.tokens.next() {
                Token::Sign('{') => open += 1,
                Token::Sign('}') if open == 1 => return self.tokens.sign('}'),
                Token::Sign('}') if open > 1 => open -= 1,
                Token::End | Token::Sign('}') => return Err(self.tokens.wants(if open > 0 { "`}`" } else { "`{`" })),
                _ => {}
            }
            self.tokens.take()?;
        }
    }

    /// Passes over options in brackets, where there are any.
    fn options(&mut self) -> Result<(), Fault> {
        if self.tokens.next() != Token::Sign('[') {
            return Ok(());
        }
        let mut open = 0_usize;
        loop {
            match self.tokens.take()? {
                Token::Sign('[' | '{') => open += 1,
                Token::Sign(']' | '}') if open <= 1 => return Ok(()),
                Token::Sign(']' | '}') => open -= 1,
                Token::End => return Err(self.tokens.wants("`]`")),
                _ => {}
            }
        }
    }

    /// A name with dots in it that begins at that place; its first word may be known.
    fn path(&mut self, place: usize, first: Option<&str>) -> Result<String, Fault> {
        let mut path = match first {
            Some(word) => word.to_owned(),
            None if self.tokens.skip('.')? => format!(".{}", self.tokens.word("a name")?),
            None => self.tokens.word("a name")?.to_owned(),
        };
        while self.tokens.skip('.')? {
            path.push('.');
            path.push_str(self.tokens.word("a name")?);
            if path.len() > NAME {
                break;
            }
        }
        if path.len() > NAME {
            return Err(Fault::new(place, format!("a name of more than {NAME} bytes")));
        }
        Ok(path)
    }

    /// A type is declared at that place.
    fn declare(&mut self, place: usize, name: &str) -> Result<(), Fault> {
        if name.len() <= NAME && !self.declared.insert(name.to_owned()) {
            return Err(Fault::new(place, format!("{name} is declared twice")));
        }
        Ok(())
    }

    fn message(&mut self, scope: &str, depth: usize) -> Result<(), Fault> {
        let place = self.tokens.at();
        let name = self.tokens.word("the name of a message type")?;
        self.body(place, within(scope, name), depth).map(drop)
    }

    /// The fields of a message type of this name; its number.
    fn body(&mut self, place: usize, name: String, depth: usize) -> Result<usize, Fault> {
        if depth >= NESTED {
            return Err(Fault::new(place, format!("more than {NESTED} declarations inside one another")));
        }
        self.declare(place, &name)?;
        let is_tried = self.is_named && depth == 0;
        let message = self.draft.message(name.clone(), is_tried).map_err(at(place))?;
        let mut body = Body { message, name, taken: HashSet::new(), depth };
        self.tokens.sign('{')?;
        while !self.tokens.skip('}')? {
            self.element(&mut body)?;
        }
        Ok(message)
    }

    fn element(&mut self, body: &mut Body) -> Result<(), Fault> {
        match self.tokens.next() {
            Token::Sign(';') => self.tokens.take().map(drop),
            Token::Sign('.') => self.field(body, Label::One, None),
            Token::Word(word) => {
                let place = self.tokens.at();
                self.tokens.take()?;
                let before = (word, self.tokens.next());
                match before {
                    ("message", Token::Word(_)) => self.message(&body.name, body.depth + 1),
                    ("enum", Token::Word(_)) => self.enumeration(&body.name),
                    ("extend", _) => self.block(),
                    ("extensions" | "reserved" | "option", _) => self.statement(),
                    ("oneof", Token::Word(_)) => self.choice(body),
                    ("export" | "local", Token::Word("message" | "enum")) => Ok(()),
                    ("optional" | "required", Token::Word(_) | Token::Sign('.')) => self.field(body, Label::One, None),
                    ("repeated", Token::Word(_) | Token::Sign('.')) => self.field(body, Label::Repeated, None),
                    _ => self.field(body, Label::One, Some((word, place))),
                }
            }
            _ => Err(self.tokens.wants("a field or `}`")),
        }
    }

    /// Fields of which one is set.
    fn choice(&mut self, body: &mut Body) -> Result<(), Fault> {
        self.tokens.word("the name of the oneof")?;
        self.tokens.sign('{')?;
        while !self.tokens.skip('}')? {
            match self.tokens.next() {
                Token::Sign(';') => self.tokens.take().map(drop)?,
                Token::Word("option") => self.statement()?,
                _ => self.field(body, Label::Choice, None)?,
            }
        }
        Ok(())
    }

    /// A field behind its label, and behind the first word of its type where that is known, with its place.
    fn field(&mut self, body: &mut Body, label: Label, first: Option<(&'t str, usize)>) -> Result<(), Fault> {
        let (first, place) = match (first, self.tokens.next(), self.tokens.at()) {
            (Some((word, place)), ..) => (Some(word), place),
            (None, Token::Word(word), place) => {
                self.tokens.take()?;
                (Some(word), place)
            }
            (None, _, place) => (None, place),
        };
        match (first, self.tokens.next()) {
            (Some("map"), Token::Sign('<')) => return self.map(body),
            (Some("group"), Token::Word(_)) => return self.group(body, label),
            _ => {}
        }
        let path = self.path(place, first)?;
        let said = self.said(&path, place);
        let (name, number) = self.name_and_number(body)?;
        self.draft.field(body.message, field(name.to_owned(), number, label), said);
        self.options()?;
        self.tokens.sign(';')
    }

    /// What is said of a type by its name.
    fn said<'n>(&self, path: &'n str, place: usize) -> Said<'n> {
        let scalar = SCALARS.iter().find(|(name, _)| *name == path);
        scalar.map_or(Said::Named(path, Some((self.number, place))), |(_, kind)| Said::Known(*kind))
    }

    fn name_and_number(&mut self, body: &mut Body) -> Result<(&'t str, u32), Fault> {
        let name = self.tokens.word("the name of a field")?;
        self.tokens.sign('=')?;
        Ok((name, self.field_number(body)?))
    }

    fn field_number(&mut self, body: &mut Body) -> Result<u32, Fault> {
        let place = self.tokens.at();
        let number = self.tokens.number(1, GREATEST.into())?;
        let number = u32::try_from(number).unwrap_or(GREATEST);
        if body.taken.insert(number) {
            return Ok(number);
        }
        Err(Fault::new(place, format!("two fields of {} have the number {number}", body.name)))
    }

    /// `map<string, Thing> things = 3;`: repeated messages of a key and a value.
    fn map(&mut self, body: &mut Body) -> Result<(), Fault> {
        self.tokens.sign('<')?;
        let key_place = self.tokens.at();
        let key = self.path(key_place, None)?;
        self.tokens.sign(',')?;
        let value_place = self.tokens.at();
        let value = self.path(value_place, None)?;
        self.tokens.sign('>')?;
        let (name_place, (name, number)) = (self.tokens.at(), self.name_and_number(body)?);
        let entry = self.draft.message(entry_name(body, name), false).map_err(at(name_place))?;
        self.draft.entry(entry);
        for (number, name, path, place) in [(1, "key", key, key_place), (2, "value", value, value_place)] {
            let said = self.said(&path, place);
            self.draft.field(entry, field(name.to_owned(), number, Label::One), said);
        }
        let said = Said::Known(Kind::Message(Some(entry)));
        self.draft.field(body.message, field(name.to_owned(), number, Label::Repeated), said);
        self.options()?;
        self.tokens.sign(';')
    }

    /// `optional group Thing = 3 { … }`: a type and a field of it, whose name is in small letters.
    fn group(&mut self, body: &mut Body, label: Label) -> Result<(), Fault> {
        let place = self.tokens.at();
        let (name, number) = self.name_and_number(body)?;
        self.options()?;
        let message = self.body(place, within(&body.name, name), body.depth + 1)?;
        let said = Said::Known(Kind::Message(Some(message)));
        self.draft.field(body.message, field(name.to_ascii_lowercase(), number, label), said);
        Ok(())
    }

    fn enumeration(&mut self, scope: &str) -> Result<(), Fault> {
        let place = self.tokens.at();
        let name = within(scope, self.tokens.word("the name of an enum")?);
        self.declare(place, &name)?;
        let mut values = Vec::new();
        self.tokens.sign('{')?;
        while !self.tokens.skip('}')? {
            match self.tokens.next() {
                Token::Sign(';') => self.tokens.take().map(drop)?,
                Token::Word(word) => {
                    self.tokens.take()?;
                    if self.tokens.next() != Token::Sign('=') {
                        // An option, or what is reserved.
                        self.statement()?;
                        continue;
                    }
                    self.tokens.sign('=')?;
                    let number = self.tokens.number(i32::MIN.into(), i32::MAX.into())?;
                    values.push((i32::try_from(number).unwrap_or_default(), word.to_owned()));
                    self.options()?;
                    self.tokens.sign(';')?;
                }
                _ => return Err(self.tokens.wants("a value or `}`")),
            }
        }
        self.draft.enumeration(&name, values).map_err(at(place))
    }
}

fn field(name: String, number: u32, label: Label) -> Field {
    let (is_repeated, is_choice) = (label == Label::Repeated, label == Label::Choice);
    Field { number, name, kind: Kind::Message(None), is_repeated, is_choice }
}

/// The name of the type that a map repeats, which nothing else has.
fn entry_name(body: &Body, field: &str) -> String {
    format!("{}.{field}<>", body.name)
}
