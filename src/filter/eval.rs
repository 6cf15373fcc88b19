//! A filter's expression, asked of a row. Nothing is allocated for a row: what must be made is made in buffers that stay.

use super::fields::{Field, See};
use super::literal::Literal;
use super::row::Row;
use super::value::Value;
use crate::decode::{
    self,
    path::{self, Found, Step},
};
use memchr::memmem::Finder;
use regex::bytes::Regex;
use std::cell::RefCell;
use std::cmp::Ordering;

/// What is asked.
#[derive(Debug)]
pub(super) enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Xor(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    /// The field has a value; of a flag of ours, a true one.
    Has(Operand),
    Compare {
        left: Operand,
        relation: Relation,
        quantity: Quantity,
        right: Right,
    },
    /// It is one of these, or lies between two of them.
    In(Operand, Vec<(Literal, Option<Literal>)>, Quantity),
    Contains(Operand, Finder<'static>, Quantity),
    Matches(Operand, Box<Regex>, Quantity),
    /// A number has one of these bits; or what it has of them compares so.
    Bits(Operand, i128, Option<(Relation, i128)>),
    /// It is the same for all rows of a connection: which of the answers that are known of one.
    Settled(usize, Box<Expr>),
}

/// How two values are to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Of how many of a field's values it must hold; of none it never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    Any,
    All,
}

/// What a field is compared with.
#[derive(Debug)]
pub(super) enum Right {
    Literal(Literal),
    Operand(Operand),
}

/// A field, and what is made of its values.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) field: &'static Field,
    /// Where in a payload, or under which name in a head.
    pub(super) place: Place,
    /// What is made of each value, in order.
    pub(super) made: Vec<Made>,
    /// Not the values are told, but how many there are.
    pub(super) counted: bool,
}

/// What of a field is meant.
#[derive(Debug)]
pub(super) enum Place {
    Whole,
    Path(Vec<Step>, RefCell<String>),
    Header(String),
}

/// What is made of a value.
#[derive(Debug)]
pub(super) enum Made {
    /// Bytes of it, or characters: from and to; negative ones count from the end.
    Slice(i64, Option<i64>),
    /// Several such, one behind the other.
    Slices(Vec<(i64, Option<i64>)>, RefCell<Vec<u8>>),
    Upper(RefCell<String>),
    Lower(RefCell<String>),
    Length,
}

impl Relation {
    pub(super) const fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// The same of two that may not compare: those are unequal.
    fn holds_of(self, order: Option<Ordering>) -> bool {
        order.map_or(self == Self::Unequal, |order| self.holds(order))
    }

    /// The same with both sides changed.
    pub(super) const fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::Unequal => self,
        }
    }
}

impl Expr {
    /// All of them; what costs least is asked first.
    pub(super) fn all(mut parts: Vec<Self>) -> Self {
        parts.sort_by_key(Self::cost);
        Self::And(parts)
    }

    /// One of them; what costs least is asked first.
    pub(super) fn any(mut parts: Vec<Self>) -> Self {
        parts.sort_by_key(Self::cost);
        Self::Or(parts)
    }

    /// How much it takes to ask it.
    fn cost(&self) -> u32 {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::cost).sum(),
            Self::Xor(one, other) => one.cost() + other.cost(),
            Self::Not(inner) => inner.cost(),
            Self::Has(operand) | Self::Bits(operand, ..) | Self::In(operand, ..) => operand.cost(),
            Self::Compare { left, .. } => left.cost(),
            Self::Contains(operand, ..) => operand.cost() * 2,
            Self::Matches(operand, ..) => operand.cost() * 4,
            Self::Settled(..) => 1,
        }
    }

    /// The same, in which what is settled with a connection stands together, to be asked once of each.
    pub(super) fn settling(self) -> Self {
        let mut expr = self.grouped();
        expr.number(&mut 0);
        expr
    }

    fn grouped(self) -> Self {
        let each = |parts: Vec<Self>, join: fn(Vec<Self>) -> Self| {
            let (settled, mut others): (Vec<_>, Vec<_>) = parts.into_iter().partition(Self::is_settled);
            if !settled.is_empty() {
                others.push(Self::Settled(0, Box::new(join(settled))));
            }
            join(others.into_iter().map(Self::grouped).collect())
        };
        match self {
            Self::Settled(..) => self,
            _ if self.is_settled() => Self::Settled(0, Box::new(self)),
            Self::And(parts) => each(parts, Self::all),
            Self::Or(parts) => each(parts, Self::any),
            Self::Xor(one, other) => Self::Xor(Box::new(one.grouped()), Box::new(other.grouped())),
            Self::Not(inner) => Self::Not(Box::new(inner.grouped())),
            test => test,
        }
    }

    /// Whether all rows of a connection have the same answer.
    fn is_settled(&self) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().all(Self::is_settled),
            Self::Xor(one, other) => one.is_settled() && other.is_settled(),
            Self::Not(inner) => inner.is_settled(),
            Self::Compare { left, right: Right::Operand(right), .. } => {
                left.field.is_settled() && right.field.is_settled()
            }
            Self::Compare { left: operand, .. }
            | Self::Has(operand)
            | Self::Bits(operand, ..)
            | Self::In(operand, ..)
            | Self::Contains(operand, ..)
            | Self::Matches(operand, ..) => operand.field.is_settled(),
            Self::Settled(..) => true,
        }
    }

    /// Gives what is settled its place among the answers.
    fn number(&mut self, next: &mut usize) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter_mut().for_each(|part| part.number(next)),
            Self::Xor(one, other) => [one, other].into_iter().for_each(|part| part.number(next)),
            Self::Not(inner) => inner.number(next),
            Self::Settled(place, _) => {
                *place = *next;
                *next += 1;
            }
            _ => {}
        }
    }

    /// Whether anything is settled with a connection.
    pub(super) fn settles(&self) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::settles),
            Self::Xor(one, other) => one.settles() || other.settles(),
            Self::Not(inner) => inner.settles(),
            Self::Settled(..) => true,
            _ => false,
        }
    }

    /// The answers of the row's connection, each in its place.
    pub(super) fn settle(&self, row: &Row<'_>, answers: &mut Vec<bool>) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.settle(row, answers)),
            Self::Xor(one, other) => [one, other].into_iter().for_each(|part| part.settle(row, answers)),
            Self::Not(inner) => inner.settle(row, answers),
            Self::Settled(_, inner) => answers.push(inner.holds(row, None)),
            _ => {}
        }
    }

    /// Whether the row is as it says; `answers`: those of its connection, where they are known.
    pub(super) fn holds(&self, row: &Row<'_>, answers: Option<&[bool]>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(row, answers)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(row, answers)),
            Self::Xor(one, other) => one.holds(row, answers) != other.holds(row, answers),
            Self::Not(inner) => !inner.holds(row, answers),
            Self::Settled(place, inner) => {
                answers.and_then(|answers| answers.get(*place).copied()).unwrap_or_else(|| inner.holds(row, None))
            }
            Self::Has(operand) => operand.visit(row, &mut |value| value != Value::Flag(false) || !operand.is_ours()),
            Self::Compare { left, relation, quantity, right } => match right {
                Right::Literal(literal @ Literal::Address(..)) if literal.is_network() => {
                    left.hold(row, *quantity, |value| literal.is(value) == (*relation == Relation::Equal))
                }
                Right::Literal(literal) => {
                    left.hold(row, *quantity, |value| relation.holds_of(value.order(literal.value())))
                }
                Right::Operand(right) => left.hold(row, *quantity, |value| {
                    right.hold(row, *quantity, |other| relation.holds_of(value.order(other)))
                }),
            },
            Self::In(operand, set, quantity) => {
                operand.hold(row, *quantity, |value| set.iter().any(|range| is_within(value, range)))
            }
            Self::Contains(operand, finder, quantity) => {
                operand.hold(row, *quantity, |value| value.bytes().is_some_and(|bytes| finder.find(bytes).is_some()))
            }
            Self::Matches(operand, regex, quantity) => {
                operand.hold(row, *quantity, |value| value.bytes().is_some_and(|bytes| regex.is_match(bytes)))
            }
            Self::Bits(operand, mask, wanted) => operand.visit(row, &mut |value| match (value, wanted) {
                (Value::Int(number), None) => number & mask != 0,
                (Value::Int(number), Some((relation, wanted))) => relation.holds((number & mask).cmp(wanted)),
                _ => false,
            }),
        }
    }
}

fn is_within(value: Value<'_>, (first, last): &(Literal, Option<Literal>)) -> bool {
    match last {
        None => first.is(value),
        Some(last) => {
            value.order(first.value()).is_some_and(Ordering::is_ge)
                && value.order(last.value()).is_some_and(Ordering::is_le)
        }
    }
}

impl Operand {
    /// The field as it is.
    pub(super) const fn of(field: &'static Field, place: Place) -> Self {
        Self { field, place, made: Vec::new(), counted: false }
    }

    /// A flag of ours is true or false of every row: asked for by its name alone, it is to be true.
    fn is_ours(&self) -> bool {
        self.field.name.starts_with("wspect.")
    }

    /// Whether its values are told as they are.
    pub(super) const fn is_plain(&self) -> bool {
        self.made.is_empty() && !self.counted
    }

    /// Whether its values are pieces of others, which are bytes as well as text.
    pub(super) fn is_piece(&self) -> bool {
        !self.counted && matches!(self.made.last(), Some(Made::Slice(..) | Made::Slices(..)))
    }

    /// Whether its values are what a message says.
    pub(super) fn is_payload(&self) -> bool {
        matches!(self.field.alias, "payload")
    }

    fn cost(&self) -> u32 {
        self.field.cost() + self.made.len() as u32
    }

    /// Whether it holds of as many values as it must.
    fn hold(&self, row: &Row<'_>, quantity: Quantity, mut is_so: impl FnMut(Value<'_>) -> bool) -> bool {
        match quantity {
            Quantity::Any => self.visit(row, &mut is_so),
            Quantity::All => {
                let mut is_there = false;
                let fails = self.visit(row, &mut |value| {
                    is_there = true;
                    !is_so(value)
                });
                is_there && !fails
            }
        }
    }

    /// Shows the row's values of it until one is enough; whether one was.
    pub(super) fn visit(&self, row: &Row<'_>, see: &mut See<'_>) -> bool {
        if self.counted {
            let mut count = 0;
            self.each(row, &mut |_| {
                count += 1;
                false
            });
            return see(Value::Int(count));
        }
        self.each(row, see)
    }

    fn each(&self, row: &Row<'_>, see: &mut See<'_>) -> bool {
        match &self.place {
            Place::Whole => self.field.visit(row, &mut |value| make(value, &self.made, see)),
            Place::Header(name) => row.headers(name, &mut |value| make(value, &self.made, see)),
            Place::Path(path, buffer) => {
                let Some(message) = row.message().filter(|message| !message.opcode.is_control()) else { return false };
                let mut find = |text: &[u8]| {
                    path::find(text, path, &mut |found, _| {
                        let mut buffer = buffer.borrow_mut();
                        json(found, &mut buffer).is_some_and(|value| make(value, &self.made, see))
                    })
                };
                if self.field.alias == "decoded" {
                    let mut record = Vec::new();
                    return message.decoded.is_some_and(|decoded| {
                        decode::write_record(decoded, &mut record);
                        find(&record)
                    });
                }
                (!path.is_empty() || path::is_json(message.body.kept)) && find(message.body.kept)
            }
        }
    }
}

/// What a JSON text has as a value; escapes are resolved in the buffer.
fn json<'v>(found: Found<'v>, buffer: &'v mut String) -> Option<Value<'v>> {
    match found {
        Found::Text(inside) if memchr::memchr(b'\\', inside).is_none() => {
            std::str::from_utf8(inside).ok().map(Value::Text)
        }
        Found::Text(inside) => {
            buffer.clear();
            path::unescape(inside, buffer);
            Some(Value::Text(buffer))
        }
        Found::Number(digits) => {
            let digits = std::str::from_utf8(digits).ok()?;
            match digits.parse::<i128>() {
                Ok(number) if digits != "-0" => Some(Value::Int(number)),
                _ => digits.parse().ok().map(|number| Value::Decimal(digits, number)),
            }
        }
        Found::Flag(flag) => Some(Value::Flag(flag)),
        Found::Null => Some(Value::Null),
        Found::Tree(text) => Some(Value::Tree(text)),
    }
}

/// Shows what is made of a value; of one of which it cannot be made nothing is shown.
fn make(value: Value<'_>, made: &[Made], see: &mut See<'_>) -> bool {
    let Some((first, rest)) = made.split_first() else { return see(value) };
    match (first, value) {
        (Made::Length, _) => value.bytes().is_some_and(|bytes| make(Value::Int(bytes.len() as i128), rest, see)),
        (Made::Slice(from, to), Value::Text(text) | Value::Word(_, text)) => {
            let Some((from, to)) = bounds(*from, *to, text.len()) else { return false };
            let piece = || text.as_bytes().get(from..to).map(Value::Bytes);
            // Bytes, as in Wireshark; a text where no character is cut.
            text.get(from..to).map(Value::Text).or_else(piece).is_some_and(|piece| make(piece, rest, see))
        }
        (Made::Slice(from, to), _) => {
            let Some(bytes) = value.bytes() else { return false };
            let Some((from, to)) = bounds(*from, *to, bytes.len()) else { return false };
            bytes.get(from..to).is_some_and(|piece| make(Value::Bytes(piece), rest, see))
        }
        (Made::Slices(ranges, buffer), _) => {
            let Some(bytes) = value.bytes() else { return false };
            let mut buffer = buffer.borrow_mut();
            buffer.clear();
            for &(from, to) in ranges {
                let Some((from, to)) = bounds(from, to, bytes.len()) else { return false };
                let Some(piece) = bytes.get(from..to) else { return false };
                buffer.extend_from_slice(piece);
            }
            let is_text = matches!(value, Value::Text(_) | Value::Word(..));
            let text = std::str::from_utf8(&buffer).ok().filter(|_| is_text).map(Value::Text);
            make(text.unwrap_or(Value::Bytes(&buffer)), rest, see)
        }
        (Made::Upper(buffer) | Made::Lower(buffer), Value::Text(text) | Value::Word(_, text)) => {
            let mut buffer = buffer.borrow_mut();
            buffer.clear();
            match (first, text.is_ascii()) {
                (Made::Upper(_), false) => buffer.extend(text.chars().flat_map(char::to_uppercase)),
                (_, false) => buffer.extend(text.chars().flat_map(char::to_lowercase)),
                (_, true) => {
                    buffer.push_str(text);
                    if matches!(first, Made::Upper(_)) {
                        buffer.make_ascii_uppercase();
                    } else {
                        buffer.make_ascii_lowercase();
                    }
                }
            }
            make(Value::Text(&buffer), rest, see)
        }
        (Made::Upper(_) | Made::Lower(_), Value::Bytes(bytes)) => {
            std::str::from_utf8(bytes).is_ok_and(|text| make(Value::Text(text), made, see))
        }
        (Made::Upper(_) | Made::Lower(_), _) => false,
    }
}

/// Where a slice begins and ends in so many; `None` where it begins behind them.
fn bounds(from: i64, to: Option<i64>, count: usize) -> Option<(usize, usize)> {
    let place = |at: i64| match usize::try_from(at) {
        Ok(at) => Some(at),
        Err(_) => count.checked_sub(usize::try_from(at.unsigned_abs()).ok()?),
    };
    let from = place(from).filter(|&from| from < count)?;
    let to = to.map_or(Some(count), place)?.min(count);
    (from < to).then_some((from, to))
}
