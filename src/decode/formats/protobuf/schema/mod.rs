//! Schemas of Protocol Buffers: which types of messages there are, as `.proto` files or descriptor sets declare them.
//!
//! ```text
//! .proto ─▶ lex ─▶ text ──┐
//!                         ├▶ Draft ─▶ Types ─▶ Schema: these, and which of them are meant
//! descriptor set ─────────┘
//! ```

mod descriptor;
mod draft;
mod lex;
mod text;

use crate::model::nearest;
use draft::Draft;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

/// Bytes of all files of a schema.
pub const SCHEMA_BYTES: usize = 64 << 20;

/// Files of a schema, those that are imported among them.
const FILES: usize = 10_000;

/// Imports in them.
const IMPORTS: usize = 100_000;

/// Types that are tried where none is named.
const TRIED: usize = 1000;

/// Types that every schema may import, where no file declares them.
const WELL_KNOWN: &str = include_str!("well_known.proto");

/// What such types are imported as.
const GOOGLE: &str = "google/protobuf/";

/// A file of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFile {
    /// What it is called in complaints; the same file has the same name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Finds the file that another one imports under a path; `None` where there is none. Of one that was given before only the name is needed.
pub type Import<'i> = &'i mut dyn FnMut(&str, &str) -> Result<Option<SchemaFile>, String>;

/// Types of messages, and which of them are meant.
#[derive(Clone)]
pub struct Schema {
    types: Arc<Types>,
    meant: Arc<Meant>,
}

/// Which types messages may have.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// The user has named them: the first that fits.
    Named(Vec<usize>),
    /// The one that fits, if there is one.
    Fitting(Vec<usize>),
}

/// All types of a schema.
#[derive(Debug, Default)]
pub(super) struct Types {
    messages: Vec<Message>,
    enums: Vec<Enumeration>,
    names: HashMap<String, Name>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Message(usize),
    Enum(usize),
}

/// A type of messages.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// With its package, without a dot before it.
    pub(super) name: String,
    /// By their numbers.
    pub(super) fields: Vec<Field>,
    /// It is what a `map<,>` repeats.
    pub(super) is_entry: bool,
    /// A field of another type has it.
    pub(super) is_inner: bool,
}

/// A field of a message.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// It may come any number of times.
    pub(super) is_repeated: bool,
    /// It is one of several of which one is set.
    pub(super) is_choice: bool,
}

/// What the value of a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Double,
    Float,
    Int64,
    UInt64,
    Int32,
    Fixed64,
    Fixed32,
    Bool,
    String,
    Bytes,
    UInt32,
    SFixed32,
    SFixed64,
    SInt32,
    SInt64,
    /// A message, also one in a group; `None` of a type that is not declared.
    Message(Option<usize>),
    /// `None` of a type that is not declared.
    Enum(Option<usize>),
}

/// A type of named numbers.
#[derive(Debug, Default)]
pub(super) struct Enumeration {
    /// By their numbers; of several names of one the first.
    values: Vec<(i32, String)>,
}

impl Message {
    /// The field of this number.
    pub(super) fn field(&self, number: u32) -> Option<&Field> {
        let at = self.fields.binary_search_by_key(&number, |field| field.number).ok()?;
        self.fields.get(at)
    }

    /// Its name without its package.
    pub(super) fn short_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }
}

impl Enumeration {
    /// The name of a number.
    pub(super) fn name(&self, number: i32) -> Option<&str> {
        let at = self.values.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.values.get(at).map(|(_, name)| name.as_str())
    }
}

impl Types {
    pub(super) fn message(&self, at: usize) -> Option<&Message> {
        self.messages.get(at)
    }

    pub(super) fn enumeration(&self, at: usize) -> Option<&Enumeration> {
        self.enums.get(at)
    }

    /// The type of messages that has this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        match self.names.get(name)? {
            Name::Message(at) => Some(*at),
            Name::Enum(_) => None,
        }
    }

    /// The type of messages that a user names: with its package, or without where no other is called so.
    fn named(&self, name: &str) -> Result<usize, String> {
        let name = name.strip_prefix('.').unwrap_or(name);
        if let Some(at) = self.find(name) {
            return Ok(at);
        }
        let ending = format!(".{name}");
        let is_meant = |at: usize, it: &Message| it.name.ends_with(&ending) && self.find(&it.name) == Some(at);
        let mut likely = self.messages.iter().enumerate().filter(|(at, it)| is_meant(*at, it));
        match (likely.next(), likely.next()) {
            (Some((at, _)), None) => Ok(at),
            (Some((_, one)), Some((_, other))) => {
                Err(format!("message type {name}: {} or {}, or another one?", one.name, other.name))
            }
            (None, _) => {
                let known = || self.messages.iter().filter(|it| !it.is_entry && !is_well_known(&it.name));
                let names = known().flat_map(|it| [it.name.as_str(), it.short_name()]);
                let advice = match (nearest(name, names), known().next()) {
                    (Some(meant), _) => format!(", did you mean {meant}?"),
                    (None, Some(first)) => format!(": there are {} …", first.name),
                    (None, None) => String::new(),
                };
                Err(format!("no message type {name} in the schema{advice}"))
            }
        }
    }
}

fn is_well_known(name: &str) -> bool {
    name.starts_with("google.protobuf.")
}

impl Schema {
    /// Reads a schema: files, with the type of the messages that the user names for each; and what they import.
    ///
    /// # Errors
    /// What is wrong with it, in one line that begins with the file; not escaped.
    pub fn read(files: Vec<(SchemaFile, Option<String>)>, import: Import<'_>) -> Result<Self, String> {
        let mut draft = Draft::default();
        let mut named: Vec<(String, String)> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        let mut waiting = VecDeque::new();
        let mut bytes = 0;
        let mut wait = |file: SchemaFile, is_named: bool, waiting: &mut VecDeque<_>| {
            if !seen.insert(file.name.clone()) {
                return Ok(());
            }
            bytes += file.bytes.len();
            if seen.len() > FILES || bytes > SCHEMA_BYTES {
                let mib = SCHEMA_BYTES >> 20;
                return Err(format!("{}: the schema has more than {FILES} files or {mib} MiB", file.name));
            }
            waiting.push_back((file, is_named));
            Ok(())
        };
        for (file, message) in files {
            named.extend(message.map(|message| (file.name.clone(), message)));
            wait(file, true, &mut waiting)?;
        }
        let mut asked = 0;
        let mut read: Vec<SchemaFile> = Vec::new();
        while let Some((file, is_named)) = waiting.pop_front() {
            match as_text(&file.bytes) {
                Some(text) => {
                    let imports = text::read(read.len(), text, is_named, &mut draft);
                    let imports = imports.map_err(|fault| fault.within(&file.name, text))?;
                    asked += imports.len();
                    if asked > IMPORTS {
                        return Err(format!("{}: the schema has more than {IMPORTS} imports", file.name));
                    }
                    for (path, at) in imports {
                        let found = imported(&file.name, path, import);
                        if let Some(found) = found.map_err(|why| lex::Fault::new(at, why).within(&file.name, text))? {
                            wait(found, false, &mut waiting)?;
                        }
                    }
                }
                None => descriptor::read(&file, is_named, &mut draft)?,
            }
            read.push(file);
        }
        let built_in = text::read(read.len(), WELL_KNOWN, false, &mut draft);
        let (types, tried) = built_in.map_err(|fault| (read.len(), fault)).and_then(|_| draft.link()).map_err(
            |(file, fault)| match read.get(file) {
                Some(file) => fault.within(&file.name, as_text(&file.bytes).unwrap_or_default()),
                None => fault.within(GOOGLE, WELL_KNOWN),
            },
        )?;
        let meant = named.iter().map(|(file, name)| types.named(name).map_err(|why| format!("{file}: {why}")));
        let meant = meant.collect::<Result<Vec<usize>, String>>()?;
        let meant = if named.is_empty() { Meant::Fitting(tried) } else { Meant::Named(meant) };
        Ok(Self { types: Arc::new(types), meant: Arc::new(meant) })
    }

    /// The same, where all messages are of the type that is named.
    ///
    /// # Errors
    /// Where it has none of this name, in one line; not escaped.
    pub fn with_type(&self, name: &str) -> Result<Self, String> {
        let meant = Meant::Named(vec![self.types.named(name)?]);
        Ok(Self { types: Arc::clone(&self.types), meant: Arc::new(meant) })
    }

    pub(super) fn types(&self) -> &Types {
        &self.types
    }

    pub(super) fn meant(&self) -> &Meant {
        &self.meant
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema").field("types", &self.types.messages.len()).field("meant", &self.meant).finish()
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.types, &other.types) && self.meant == other.meant
    }
}

impl Eq for Schema {}

/// What a file imports under a path; nothing of what is built in.
fn imported(file: &str, path: &str, import: Import<'_>) -> Result<Option<SchemaFile>, String> {
    if !is_plain(path) {
        return Err(format!("import \"{path}\": a path below the directory of the schema is wanted"));
    }
    match import(file, path) {
        Ok(None) if !path.starts_with(GOOGLE) => {
            Err(format!("import \"{path}\": no such file (--proto-path names the directory in which imports begin)"))
        }
        Err(why) => Err(format!("import \"{path}\": {why}")),
        found => found,
    }
}

/// The text that a file is; a descriptor set has lengths in it, which no text has.
fn as_text(bytes: &[u8]) -> Option<&str> {
    let is_blank = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    let is_text = bytes.iter().all(|byte| *byte >= b' ' && *byte != 0x7f || is_blank(byte));
    let text = is_text.then(|| simdutf8::basic::from_utf8(bytes).ok())??;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Whether a path that is imported leads down from where it begins.
fn is_plain(path: &str) -> bool {
    let is_step = |step: &str| !matches!(step, "" | "." | "..") && !step.contains([':', '\\', '\0']);
    path.len() < 4096 && path.split('/').all(is_step)
}

#[cfg(test)]
mod tests;
