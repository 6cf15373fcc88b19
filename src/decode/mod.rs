//! Payload languages: what a message says, in the terms of the protocol that it is in.
//!
//! A connection has one [`Session`], which is told all its messages in order. It finds the protocol in the table [`DECODERS`] (by the
//! name that was agreed on, by the URL, by what is said), lets that decoder take messages apart, and pairs requests with replies.
//! Each decoder is a file of its own in `protocols` or `formats`; how to add one stands in `docs/DECODERS.md`.
//!
//! A decoder is asked of messages that are whole. It says what it understands, and of the rest nothing: then others are asked, and at
//! last nobody hides that the payload is what it is.

mod bytes;
mod formats;
pub mod json;
mod members;
mod packed;
mod pairs;
pub mod path;
mod program;
mod protocols;
mod session;
mod shape;
mod state;
mod table;
mod write;

pub use formats::protobuf::schema::{Import, SCHEMA_BYTES, Schema, SchemaFile};
pub use program::{Program, Question};
pub use session::{Session, Sessions, Speaker};
pub use shape::{look, pattern, shape};
pub use table::DECODERS;
pub use write::{
    data as write_data, node as write_node, places, record as write_record, summary, value as write_value,
};

use crate::model::{ConnId, Direction, Node, Unit, Value};
use formats::base64::Plain;
use members::Members;
use std::cell::OnceCell;

/// Units that are told of one message; of what is behind them nothing is.
const UNITS: usize = 4096;

/// Values of one unit that are taken apart.
const VALUES: usize = 1 << 16;

/// Containers of a binary encoding inside one another.
const NESTED: usize = 48;

/// What one decoder is, and how its protocol is told: a row of [`DECODERS`].
#[derive(Debug)]
pub struct Decoder {
    /// Its name in records and for `--decode-as`.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// Whether it has the whole connection, or looks at one message.
    pub kind: Kind,
    /// The names under which clients and servers agree on it.
    pub subprotocols: &'static [&'static str],
    /// By what else it is told, in words.
    pub known_by: &'static str,
    /// How sure it is that a message is its own.
    claims: fn(&Hints, &Said<'_>) -> Confidence,
    /// A decoder for a connection.
    open: fn(&Hints) -> Box<dyn Decode>,
}

/// What a decoder looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A connection: what one message tells holds for the next.
    Protocol,
    /// A single message, which no protocol claims.
    Format,
}

/// How sure a decoder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Confidence {
    /// It is not its own.
    No,
    /// It may be its own, as much else may be.
    Weak,
    /// It looks like its own.
    Likely,
    /// Nothing else looks so.
    Sure,
}

impl Confidence {
    /// This much, if that is so.
    fn when(self, is_so: bool) -> Self {
        if is_so { self } else { Self::No }
    }
}

/// What is known of a connection before anything is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// Path of the URL.
    pub path: String,
    /// Query of the URL.
    pub query: String,
    /// The subprotocol that was agreed on.
    pub subprotocol: Option<String>,
    /// Its number.
    pub conn: Option<ConnId>,
    /// The types that messages of Protocol Buffers in it may have.
    pub schema: Option<Schema>,
}

impl Hints {
    /// What holds as well of what is wrapped in a message.
    fn inside(&self) -> Self {
        Self { schema: self.schema.clone(), ..Self::default() }
    }

    /// The value of a parameter of the query, as it stands there.
    fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// A message, as decoders see it.
#[derive(Debug)]
struct Said<'m> {
    /// Who says it.
    dir: Direction,
    /// It was sent as text.
    is_text: bool,
    /// All of it.
    bytes: &'m [u8],
    /// The same, where it is UTF-8.
    text: Option<&'m str>,
    /// The members of the object or array that it is, once anybody asked: many decoders do.
    members: OnceCell<Option<Members<'m>>>,
    /// What it is when its Base64 is undone.
    plain: OnceCell<Option<Plain>>,
    /// What it inflates to, and how it was packed.
    inflated: OnceCell<Option<(&'static str, Vec<u8>)>>,
}

impl<'m> Said<'m> {
    fn new(dir: Direction, is_text: bool, bytes: &'m [u8]) -> Self {
        let text = simdutf8::basic::from_utf8(bytes).ok();
        Self { dir, is_text, bytes, text, members: OnceCell::new(), plain: OnceCell::new(), inflated: OnceCell::new() }
    }

    /// The members of the JSON object or array that it is.
    fn members(&self) -> Option<&Members<'m>> {
        self.members.get_or_init(|| Members::new(self.text?, 0)).as_ref()
    }

    /// The members of the JSON object that it is.
    fn object(&self) -> Option<&Members<'m>> {
        self.members().filter(|members| !members.is_array())
    }
}

/// Takes the messages of one connection apart.
trait Decode: Send + Fork {
    /// What a message carries; `None` where it is not understood.
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>>;

    /// A message of this direction was lost, or a part of one.
    fn lost(&mut self, _: Direction) {}

    /// Bytes of earlier messages that are kept.
    fn held(&self) -> usize {
        0
    }
}

/// A second one that knows what the first does: to go on from a place in a connection more than once.
trait Fork {
    fn fork(&self) -> Box<dyn Decode>;
}

impl<D: Decode + Clone + 'static> Fork for D {
    fn fork(&self) -> Box<dyn Decode> {
        Box::new(self.clone())
    }
}

/// A map with these members.
fn map<'a>(members: impl IntoIterator<Item = (&'static str, Node<'a>)>) -> Node<'a> {
    Value::Map(members.into_iter().map(|(name, node)| (name.into(), node)).collect()).into()
}

/// The pieces of a text between these characters, each with where it begins.
fn pieces<'t>(text: &'t str, separators: &'t [char]) -> impl Iterator<Item = (usize, &'t str)> {
    text.split(separators).scan(0, |at, piece| {
        let begin = *at;
        *at += piece.len() + 1;
        Some((begin, piece))
    })
}

#[cfg(test)]
mod tests;
