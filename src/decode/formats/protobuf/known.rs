//! Types of `google.protobuf` that say something as a whole, shown as in JSON (<https://protobuf.dev/programming-guides/json/>).

use super::typed::Members;
use crate::model::{Node, Timestamp, Value};
use std::borrow::Cow;

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// Such a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// A message of the type that it names.
    Any,
    Timestamp,
    Duration,
    /// A value in a message, which may be absent: what it is where it is not set.
    Wrapper(Usual),
    Struct,
    Value,
    List,
}

/// A value that is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usual {
    Int,
    Float,
    Flag,
    Text,
    Bytes,
}

impl Known {
    /// The type of this name, if it is one.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name.strip_prefix("google.protobuf.")? {
            "Any" => Self::Any,
            "Timestamp" => Self::Timestamp,
            "Duration" => Self::Duration,
            "Struct" => Self::Struct,
            "Value" => Self::Value,
            "ListValue" => Self::List,
            "DoubleValue" | "FloatValue" => Self::Wrapper(Usual::Float),
            "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value" => Self::Wrapper(Usual::Int),
            "BoolValue" => Self::Wrapper(Usual::Flag),
            "StringValue" => Self::Wrapper(Usual::Text),
            "BytesValue" => Self::Wrapper(Usual::Bytes),
            _ => return None,
        })
    }

    /// The names of its fields.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Any => &[],
            Self::Timestamp | Self::Duration => &["seconds", "nanos"],
            Self::Wrapper(_) => &["value"],
            Self::Struct => &["fields"],
            Self::List => &["values"],
            Self::Value => &["null_value", "number_value", "string_value", "bool_value", "struct_value", "list_value"],
        }
    }
}

/// What a message of such a type is shown as; one that has other members, or says nothing that can be, as it is.
pub(super) fn shown(known: Known, mut members: Members<'_>) -> Value<'_> {
    if !members.iter().all(|(name, _)| known.names().contains(&&**name)) {
        return Value::Map(members);
    }
    let int = |name: &str| match members.iter().find(|(member, _)| member == name) {
        None => Some(0),
        Some((_, Node { value: Value::Int(number), .. })) => i64::try_from(*number).ok(),
        Some(_) => None,
    };
    let whole = match known {
        Known::Timestamp => int("seconds").zip(int("nanos")).and_then(|(seconds, nanos)| timestamp(seconds, nanos)),
        Known::Duration => int("seconds").zip(int("nanos")).and_then(|(seconds, nanos)| duration(seconds, nanos)),
        _ => None,
    };
    if let Some(text) = whole {
        return Value::text(text);
    }
    match known {
        Known::Any | Known::Timestamp | Known::Duration => return Value::Map(members),
        _ => {}
    }
    let last = members.pop().map(|(name, node)| (name, node.value));
    match (known, last) {
        (Known::Value, Some((name, _))) if name == "null_value" => Value::Null,
        (_, Some((_, value))) => value,
        (Known::Struct, None) => Value::Map(Vec::new()),
        (Known::List, None) => Value::List(Vec::new()),
        (Known::Wrapper(usual), None) => match usual {
            Usual::Int => Value::Int(0),
            Usual::Float => Value::Float(0.0),
            Usual::Flag => Value::Flag(false),
            Usual::Text => Value::text(""),
            Usual::Bytes => Value::Bytes(Cow::Borrowed(&[])),
        },
        (_, None) => Value::Null,
    }
}

/// `2023-11-14T22:13:20.500000000Z`.
fn timestamp(seconds: i64, nanos: i64) -> Option<String> {
    let nanos = Some(nanos).filter(|nanos| (0..SECOND).contains(nanos))?;
    Some(Timestamp::from_nanos(seconds.checked_mul(SECOND)?.checked_add(nanos)?).to_string())
}

/// `-1.5s`; both numbers have the same sign.
fn duration(seconds: i64, nanos: i64) -> Option<String> {
    if nanos.unsigned_abs() >= SECOND.unsigned_abs() || seconds.signum() * nanos.signum() < 0 {
        return None;
    }
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let fraction = format!(".{:09}", nanos.unsigned_abs());
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    Some(format!("{sign}{}{fraction}s", seconds.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations() {
        assert_eq!(timestamp(1_700_000_000, 5).as_deref(), Some("2023-11-14T22:13:20.000000005Z"));
        assert_eq!((timestamp(i64::MAX, 0), timestamp(0, -1), timestamp(0, SECOND)), (None, None, None));
        assert_eq!(duration(-1, -500_000_000).as_deref(), Some("-1.5s"));
        assert_eq!((duration(0, 10).as_deref(), duration(60, 0).as_deref()), (Some("0.00000001s"), Some("60s")));
        assert_eq!((duration(1, -1), duration(0, SECOND)), (None, None));
    }
}
