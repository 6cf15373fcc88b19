//! What a message says in the terms of the protocol that it is in: units, each with a tree of values.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// What a decoder made of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded<'a> {
    /// The decoder's name, as in records.
    pub protocol: &'static str,
    /// What the message carries, in order: one unit of the protocol, several, or of a stream that goes on in the next
    /// message none.
    pub units: Vec<Unit<'a>>,
}

impl Decoded<'_> {
    /// Whether the message does nothing but keep the connection alive.
    pub fn is_heartbeat(&self) -> bool {
        !self.units.is_empty() && self.units.iter().all(|unit| unit.heartbeat)
    }

    /// The names of what it carries.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.units.iter().filter_map(|unit| unit.event.as_deref())
    }

    /// What it answers.
    pub fn replies(&self) -> impl Iterator<Item = &Reply> {
        self.units.iter().filter_map(|unit| unit.reply.as_ref())
    }
}

/// One unit of a protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit<'a> {
    /// The name of its event, method, target, topic or command: what one would count it under.
    pub event: Option<Cow<'a, str>>,
    /// What ties request and reply together, as text.
    pub id: Option<Cow<'a, str>>,
    /// How it stands to others.
    pub pairing: Pairing<'a>,
    /// What it changes in what stands on the connection.
    pub changes: Vec<Change<'a>>,
    /// What it answers, where that was seen; of several what was asked first.
    pub reply: Option<Reply>,
    /// It only keeps the connection alive.
    pub heartbeat: bool,
    /// What it is, in a few words: how a line about it begins.
    pub words: Cow<'a, str>,
    /// What such a line goes on with: arguments, a body.
    pub said: Option<Value<'a>>,
    /// All of it.
    pub tree: Node<'a>,
}

impl<'a> Unit<'a> {
    /// A unit that is told in these words, with nothing else known of it.
    pub fn new(words: impl Into<Cow<'a, str>>, tree: Node<'a>) -> Self {
        Self {
            event: None,
            id: None,
            pairing: Pairing::Alone,
            changes: Vec::new(),
            reply: None,
            heartbeat: false,
            words: words.into(),
            said: None,
            tree,
        }
    }

    /// A unit that is a value and nothing else.
    pub fn of_value(tree: Node<'a>) -> Self {
        Self { said: Some(tree.value.clone()), ..Self::new("", tree) }
    }

    /// The same, borrowing nothing: of bytes that the message does not have in one piece. Its values stand nowhere in the message.
    pub fn into_owned(self) -> Unit<'static> {
        Unit {
            event: self.event.map(owned),
            id: self.id.map(owned),
            pairing: self.pairing.into_owned(),
            changes: self.changes.into_iter().map(Change::into_owned).collect(),
            reply: self.reply,
            heartbeat: self.heartbeat,
            words: owned(self.words),
            said: self.said.map(Value::into_owned),
            tree: self.tree.into_owned(),
        }
    }
}

/// How units belong together: by a key that both ends know, in a space of keys of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pairing<'a> {
    /// It neither asks nor answers.
    Alone,
    /// It asks the other end.
    Asks(Key<'a>),
    /// It answers the other end.
    Answers {
        /// What.
        key: Key<'a>,
        /// No more answers come.
        last: bool,
    },
    /// It answers all that the other end asked with these keys, for good.
    Settles(Vec<Key<'a>>),
    /// The asker wants no more answers.
    Drops(Key<'a>),
}

impl Pairing<'_> {
    fn into_owned(self) -> Pairing<'static> {
        match self {
            Self::Alone => Pairing::Alone,
            Self::Asks(key) => Pairing::Asks(key.into_owned()),
            Self::Answers { key, last } => Pairing::Answers { key: key.into_owned(), last },
            Self::Settles(keys) => Pairing::Settles(keys.into_iter().map(Key::into_owned).collect()),
            Self::Drops(key) => Pairing::Drops(key.into_owned()),
        }
    }
}

/// What stands on a connection from one message to another: subscriptions, channels that were joined, documents that are open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<'a> {
    /// It stands from now on, where the reply does not refuse it.
    Opens {
        /// What it is, in a word.
        kind: &'static str,
        /// The id by which it is closed.
        id: Cow<'a, str>,
        /// What people call it, where that is something else.
        name: Option<Cow<'a, str>>,
    },
    /// It stands no more.
    Closes {
        /// What it is.
        kind: &'static str,
        /// Its id.
        id: Cow<'a, str>,
    },
    /// The request that is answered is refused: nothing stands that it opened, or not the one in this place of it.
    Refuses(Option<usize>),
    /// What the request opened that is answered has this id from now on.
    Names(Cow<'a, str>),
}

impl<'a> Change<'a> {
    /// What is called by its id stands from now on.
    pub fn opens(kind: &'static str, id: impl Into<Cow<'a, str>>) -> Self {
        Self::Opens { kind, id: id.into(), name: None }
    }

    /// It stands no more.
    pub fn closes(kind: &'static str, id: impl Into<Cow<'a, str>>) -> Self {
        Self::Closes { kind, id: id.into() }
    }

    fn into_owned(self) -> Change<'static> {
        match self {
            Self::Opens { kind, id, name } => Change::Opens { kind, id: owned(id), name: name.map(owned) },
            Self::Closes { kind, id } => Change::Closes { kind, id: owned(id) },
            Self::Refuses(which) => Change::Refuses(which),
            Self::Names(id) => Change::Names(owned(id)),
        }
    }
}

/// What request and reply have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    /// Which of the protocol's spaces of ids.
    pub space: &'static str,
    /// The id in it.
    pub id: Cow<'a, str>,
}

impl Key<'_> {
    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Key<'static> {
        Key { space: self.space, id: owned(self.id) }
    }
}

/// What a unit answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The number of the message that asked.
    pub to: u64,
    /// Nanoseconds from that message to this one, on the wire.
    pub latency: Option<i64>,
    /// The event of that message; of a very long one the beginning.
    pub event: Option<Arc<str>>,
}

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'a> {
    /// What it is.
    pub value: Value<'a>,
    /// The bytes of the message's payload that say so; `None` of what was put together or inferred.
    pub bytes: Option<Range<usize>>,
}

impl<'a> Node<'a> {
    /// A value that stands in these bytes.
    pub const fn at(value: Value<'a>, bytes: Range<usize>) -> Self {
        Self { value, bytes: Some(bytes) }
    }

    /// The same, borrowing nothing and standing nowhere.
    pub fn into_owned(self) -> Node<'static> {
        Node { value: self.value.into_owned(), bytes: None }
    }

    /// The member of a map with this name, the first if there are several.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(members) => members.iter().find(|(key, _)| key == name).map(|(_, node)| node),
            _ => None,
        }
    }
}

impl<'a> From<Value<'a>> for Node<'a> {
    /// A value that stands nowhere.
    fn from(value: Value<'a>) -> Self {
        Self { value, bytes: None }
    }
}

/// A value of any encoding.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Int(i128),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A JSON text as it stands there: taken apart only where it is shown.
    Json(Cow<'a, str>),
    /// Values in order.
    List(Vec<Node<'a>>),
    /// Values with names, in order; a name may come again.
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Value<'a> {
    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Flag(flag) => Value::Flag(flag),
            Self::Int(number) => Value::Int(number),
            Self::Float(number) => Value::Float(number),
            Self::Text(text) => Value::Text(owned(text)),
            Self::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Json(text) => Value::Json(owned(text)),
            Self::List(items) => Value::List(items.into_iter().map(Node::into_owned).collect()),
            Self::Map(members) => {
                Value::Map(members.into_iter().map(|(name, node)| (owned(name), node.into_owned())).collect())
            }
        }
    }

    /// Text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}
