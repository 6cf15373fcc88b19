//! What a field has, and how two values compare.

use crate::model::{Ip, Timestamp};
use std::cmp::Ordering;

/// What a field's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something that is there or not.
    Presence,
    /// True or false.
    Flag,
    /// A whole number, or a size in bytes.
    Number,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// An IP address.
    Address,
    /// An instant.
    Time,
    /// A length of time.
    Duration,
    /// One of these words; later ones are greater.
    Word(&'static [&'static str]),
    /// The code of a finding.
    Code,
    /// What a JSON text has there.
    Json,
}

impl Kind {
    /// The kind in words, for lists and complaints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Flag => "true or false",
            Self::Number => "number",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Address => "address",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::Word(_) => "word",
            Self::Code => "finding code",
            Self::Json => "JSON value",
        }
    }

    /// Whether its values stand in an order, so that one is greater than another.
    pub(super) const fn is_ordered(self) -> bool {
        !matches!(self, Self::Presence | Self::Flag | Self::Code)
    }

    /// Whether a piece may be looked for in its values.
    pub(super) const fn has_pieces(self) -> bool {
        matches!(self, Self::Text | Self::Bytes | Self::Word(_) | Self::Code | Self::Json)
    }
}

/// One value of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// It is there.
    There,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Int(i128),
    /// Another number of a JSON text.
    Float(f64),
    /// The same, with its digits.
    Decimal(&'a str, f64),
    /// Text.
    Text(&'a str),
    /// One word of several, and its place among them.
    Word(usize, &'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An address.
    Address(Ip),
    /// An instant.
    Time(Timestamp),
    /// Nanoseconds.
    Duration(i64),
    /// The `null` of a JSON text.
    Null,
    /// An object or array of a JSON text, as it stands there.
    Tree(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The bytes of what has some.
    pub(super) const fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Text(text) | Self::Word(_, text) => Some(text.as_bytes()),
            Self::Bytes(bytes) | Self::Tree(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A number without its digits.
    const fn number(self) -> Self {
        match self {
            Self::Decimal(_, number) => Self::Float(number),
            other => other,
        }
    }

    /// Which of two is greater; `None` where they cannot be compared.
    #[expect(clippy::cast_precision_loss, reason = "a whole number beside one with a fraction is taken as such")]
    pub(super) fn order(self, other: Value<'_>) -> Option<Ordering> {
        match (self.number(), other.number()) {
            (Self::Flag(one), Value::Flag(other)) => Some(one.cmp(&other)),
            (Self::Word(one, _), Value::Word(other, _)) => Some(one.cmp(&other)),
            (Self::Int(one), Value::Int(other)) => Some(one.cmp(&other)),
            (Self::Float(one), Value::Float(other)) => one.partial_cmp(&other),
            (Self::Int(one), Value::Float(other)) => (one as f64).partial_cmp(&other),
            (Self::Float(one), Value::Int(other)) => one.partial_cmp(&(other as f64)),
            (Self::Address(one), Value::Address(other)) => Some(one.cmp(&other)),
            (Self::Time(one), Value::Time(other)) => Some(one.cmp(&other)),
            (Self::Duration(one), Value::Duration(other)) => Some(one.cmp(&other)),
            (Self::Null, Value::Null) | (Self::There, Value::There) => Some(Ordering::Equal),
            _ => Some(self.bytes()?.cmp(other.bytes()?)),
        }
    }
}
