//! The JSON Schema of records (draft 2020-12), from one table of their keys.

mod rows;

pub use rows::{COMMON_KEYS, RECORD_KINDS};

use super::json::{self, lit};
use super::{Out, pretty};

/// A kind of record.
#[derive(Debug)]
pub struct RecordKind {
    /// Its name, the value of `kind`.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its keys behind [`COMMON_KEYS`], in the order in which they are written.
    pub keys: &'static [Key],
}

/// A key of a record, or of an object in one. It is always there.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What its value may be.
    pub shape: Shape,
    /// What it tells, with its unit.
    pub about: &'static str,
}

/// What a value may be.
#[derive(Debug)]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// An integer.
    Int,
    /// An integer that is not negative.
    Count,
    /// This integer.
    Is(u8),
    /// Any string.
    Text,
    /// A time as in RFC 3339, in UTC.
    Time,
    /// One of these strings.
    Word(&'static [&'static str]),
    /// The code of a finding: new ones may come.
    Code,
    /// A list.
    List(&'static Shape),
    /// A list of two.
    Pair(&'static Shape, &'static Shape),
    /// An object with these keys.
    Object(&'static [Key]),
    /// Anything.
    Any,
    /// That, or `null` where it does not apply.
    Maybe(&'static Shape),
}

impl RecordKind {
    /// The kind of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        RECORD_KINDS.iter().find(|kind| kind.name == name)
    }

    /// All its keys, in order.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static Key> + Clone {
        COMMON_KEYS.iter().chain(self.keys)
    }
}

/// Writes the schema of one kind of record, or of all: a record is one of them.
pub fn write_schema(kind: Option<&RecordKind>, out: &mut Out<'_>) {
    let mut text = Vec::new();
    lit!(text, r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"#);
    if let Some(kind) = kind {
        json::string(&mut text, &format!("wspect {}", kind.name));
        record(&mut text, kind);
    } else {
        lit!(
            text,
            r#""wspect records","description":"One line of what wspect --json and wspect export jsonl write.","oneOf":"#
        );
        json::list(&mut text, RECORD_KINDS, |text, kind| {
            lit!(text, r##"{"$ref":"#/$defs/"##);
            text.extend_from_slice(kind.name.as_bytes());
            lit!(text, "\"}");
        });
        lit!(text, r#","$defs":{"#);
        for (at, kind) in RECORD_KINDS.iter().enumerate() {
            comma(&mut text, at);
            json::name(&mut text, kind.name);
            lit!(text, r#":{"title":"#);
            json::string(&mut text, &format!("wspect {}", kind.name));
            record(&mut text, kind);
            lit!(text, "}");
        }
        lit!(text, "}");
    }
    lit!(text, "}");
    pretty::write(&String::from_utf8_lossy(&text), "", out);
}

/// Appends what describes a kind, behind its title.
fn record(text: &mut Vec<u8>, kind: &RecordKind) {
    lit!(text, r#","description":"#);
    json::string(text, kind.about);
    lit!(text, r#","type":"object","properties":{"#);
    for (at, key) in kind.all_keys().enumerate() {
        comma(text, at);
        if key.name == "kind" {
            lit!(text, r#""kind":{"const":"#);
            json::name(text, kind.name);
            lit!(text, "}");
        } else {
            property(text, key);
        }
    }
    lit!(text, r#"},"required":"#);
    json::list(text, kind.all_keys(), |text, key| json::name(text, key.name));
}

fn property(text: &mut Vec<u8>, key: &Key) {
    json::name(text, key.name);
    lit!(text, r#":{"description":"#);
    json::string(text, key.about);
    lit!(text, ",");
    shape(text, &key.shape, false);
    lit!(text, "}");
}

/// Appends the keywords that a value must satisfy, which may be `null` as well if so told.
fn shape(text: &mut Vec<u8>, one: &Shape, or_null: bool) {
    match one {
        Shape::Maybe(one) => shape(text, one, true),
        Shape::Is(value) => {
            lit!(text, r#""const":"#);
            json::int(text, *value);
        }
        Shape::Word(words) => {
            lit!(text, r#""enum":"#);
            let words = words.iter().map(|word| Some(*word)).chain(or_null.then_some(None));
            json::list(text, words, json::opt_string);
        }
        Shape::Bool => types(text, "boolean", or_null),
        Shape::Int => types(text, "integer", or_null),
        Shape::Count => {
            types(text, "integer", or_null);
            lit!(text, r#","minimum":0"#);
        }
        Shape::Text => types(text, "string", or_null),
        Shape::Time => {
            types(text, "string", or_null);
            lit!(text, r#","format":"date-time""#);
        }
        Shape::Code => {
            types(text, "string", or_null);
            lit!(text, r#","pattern":"^[A-Z][A-Z0-9-]*$""#);
        }
        Shape::List(each) => {
            types(text, "array", or_null);
            lit!(text, r#","items":{"#);
            shape(text, each, false);
            lit!(text, "}");
        }
        Shape::Pair(first, second) => {
            types(text, "array", or_null);
            lit!(text, r#","prefixItems":[{"#);
            shape(text, first, false);
            lit!(text, "},{");
            shape(text, second, false);
            lit!(text, r#"}],"minItems":2,"maxItems":2"#);
        }
        Shape::Any => {
            lit!(text, r#""type":"#);
            json::list(text, ["object", "array", "string", "number", "boolean", "null"], json::name);
        }
        Shape::Object(keys) => {
            types(text, "object", or_null);
            lit!(text, r#","properties":{"#);
            for (at, key) in keys.iter().enumerate() {
                comma(text, at);
                property(text, key);
            }
            lit!(text, r#"},"required":"#);
            json::list(text, *keys, |text, key| json::name(text, key.name));
        }
    }
}

fn types(text: &mut Vec<u8>, name: &str, or_null: bool) {
    lit!(text, r#""type":"#);
    if or_null {
        json::list(text, [name, "null"], json::name);
    } else {
        json::name(text, name);
    }
}

fn comma(text: &mut Vec<u8>, at: usize) {
    if at > 0 {
        lit!(text, ",");
    }
}
