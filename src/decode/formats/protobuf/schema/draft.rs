//! A schema while its files are read: types that are declared, and names that are to be found among them.

use super::lex::Fault;
use super::{Enumeration, Field, Kind, Message, Name, TRIED, Types, is_well_known};
use std::collections::hash_map::Entry;

/// Types of a schema.
const TYPES: usize = 1 << 17;

/// Bytes of a name with its package.
pub(super) const NAME: usize = 512;

/// Types that are declared, not linked yet.
#[derive(Debug, Default)]
pub(super) struct Draft {
    types: Types,
    wanted: Vec<Wanted>,
    /// Types outside of others in files that the user names.
    tried: Vec<usize>,
}

/// A field of which the type's name is known.
#[derive(Debug)]
struct Wanted {
    message: usize,
    number: u32,
    name: String,
    /// Where it stands; `None` where it may be missing.
    place: Option<Place>,
}

/// Where something stands: the number of a file, and the offset in it.
pub(super) type Place = (usize, usize);

/// What is said of the type of a field.
#[derive(Debug)]
pub(super) enum Said<'n> {
    Known(Kind),
    /// By what it is called, and where; without that it may be missing.
    Named(&'n str, Option<Place>),
}

impl Draft {
    /// Declares a type of messages, and tells its number. One that another file declares as well stays as it is there.
    pub(super) fn message(&mut self, name: String, is_tried: bool) -> Result<usize, String> {
        let at = self.types.messages.len();
        let is_new = self.declare(&name, Name::Message(at))?;
        self.types.messages.push(Message { name, ..Message::default() });
        if is_tried && is_new {
            self.tried.push(at);
        }
        Ok(at)
    }

    /// Declares a type of named numbers.
    pub(super) fn enumeration(&mut self, name: &str, mut values: Vec<(i32, String)>) -> Result<(), String> {
        values.sort_by_key(|(number, _)| *number);
        values.dedup_by_key(|(number, _)| *number);
        self.declare(name, Name::Enum(self.types.enums.len()))?;
        self.types.enums.push(Enumeration { values });
        Ok(())
    }

    fn declare(&mut self, name: &str, meaning: Name) -> Result<bool, String> {
        if name.len() > NAME {
            return Err(format!("a name of more than {NAME} bytes"));
        }
        if self.types.messages.len() + self.types.enums.len() >= TYPES {
            return Err(format!("more than {TYPES} types"));
        }
        match self.types.names.entry(name.to_owned()) {
            Entry::Vacant(place) => {
                place.insert(meaning);
                Ok(true)
            }
            Entry::Occupied(_) => Ok(false),
        }
    }

    /// The type is what a `map<,>` repeats.
    pub(super) fn entry(&mut self, message: usize) {
        if let Some(message) = self.types.messages.get_mut(message) {
            message.is_entry = true;
        }
    }

    /// Adds a field to a type. Its kind is what `said` tells, or as it is until that is found.
    pub(super) fn field(&mut self, message: usize, field: Field, said: Said<'_>) {
        let Some(of) = self.types.messages.get_mut(message) else { return };
        let kind = match said {
            Said::Known(kind) => kind,
            Said::Named(name, place) => {
                self.wanted.push(Wanted { message, number: field.number, name: name.to_owned(), place });
                field.kind
            }
        };
        of.fields.push(Field { kind, ..field });
    }

    /// Finds all that is named; the types, and which of them are tried on messages.
    ///
    /// # Errors
    /// Where something is not declared that must be: in which file, and what is wrong there.
    pub(super) fn link(self) -> Result<(Types, Vec<usize>), (usize, Fault)> {
        let Self { mut types, wanted, mut tried } = self;
        for message in &mut types.messages {
            message.fields.sort_by_key(|field| field.number);
            message.fields.dedup_by_key(|field| field.number);
        }
        for Wanted { message, number, name, place } in wanted {
            let scope = types.messages.get(message).map_or("", |message| &message.name);
            let found = find(&types, scope, &name);
            let kind = match (found, place) {
                (Some(Name::Message(at)), _) => Kind::Message(Some(at)),
                (Some(Name::Enum(at)), _) => Kind::Enum(Some(at)),
                (None, None) => continue,
                (None, Some((file, at))) => return Err((file, Fault::new(at, format!("no type {name} is declared")))),
            };
            if let Kind::Message(Some(inner)) = kind
                && inner != message
                && let Some(inner) = types.messages.get_mut(inner)
            {
                inner.is_inner = true;
            }
            if let Some(of) = types.messages.get_mut(message)
                && let Ok(at) = of.fields.binary_search_by_key(&number, |field| field.number)
                && let Some(field) = of.fields.get_mut(at)
            {
                field.kind = kind;
            }
        }
        tried.retain(|at| types.message(*at).is_some_and(|it| !is_well_known(&it.name)));
        tried.truncate(TRIED);
        Ok((types, tried))
    }
}

/// What a name stands for within a type or package: what is declared nearest to it.
fn find(types: &Types, scope: &str, name: &str) -> Option<Name> {
    if let Some(whole) = name.strip_prefix('.') {
        return types.names.get(whole).copied();
    }
    let mut scope = Some(scope).filter(|scope| !scope.is_empty());
    while let Some(around) = scope {
        if let Some(found) = types.names.get(&format!("{around}.{name}")) {
            return Some(*found);
        }
        scope = around.rsplit_once('.').map(|(outer, _)| outer);
    }
    types.names.get(name).copied()
}

/// A name within a scope.
pub(super) fn within(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

/// What is wrong with a declaration that stands there.
pub(super) fn at(place: usize) -> impl Fn(String) -> Fault {
    move |why| Fault::new(place, why)
}
