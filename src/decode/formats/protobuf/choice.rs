//! Which type the messages of a connection are of, where nothing in them says so.

use super::schema::{Meant, Schema};
use super::typed::{self, Read};
use crate::decode::bytes::Bytes;

/// What was learned of the messages of one direction.
#[derive(Debug, Clone, Default)]
pub(super) enum Learned {
    /// Nothing.
    #[default]
    Nothing,
    /// All of them fit these types.
    Fits(Vec<usize>),
    /// They are of several types.
    Several,
}

/// Which type messages are of that stand in one another's company.
pub(super) enum Choice<'a> {
    /// This one, as which they were read.
    Type(usize, Vec<Read<'a>>),
    /// One of several, and nobody knows which.
    Unknown,
    /// None of the schema.
    None,
}

/// Bytes that are read to find a type, each type's counted: more are not.
const WORK: usize = 64 << 20;

/// Whether there is a type that messages fit; `is_strict`: in all.
pub(super) fn fits(schema: &Schema, messages: &[Bytes<'_>], is_strict: bool) -> bool {
    let (Meant::Named(types) | Meant::Fitting(types)) = schema.meant();
    let is_one = |at: &usize| read(schema, *at, messages, is_strict).is_some();
    has_bytes(messages) && is_little(types, messages) && types.iter().any(is_one)
}

/// Whether so many types may be tried on so many bytes.
fn is_little(types: &[usize], messages: &[Bytes<'_>]) -> bool {
    let len: usize = messages.iter().map(|bytes| bytes.rest().len()).sum();
    types.len() <= 1 || len.saturating_mul(types.len()) <= WORK
}

/// The messages, read as ones of a type; `None` where one is not. Most fields must be as the type has them.
fn read<'a>(schema: &Schema, at: usize, messages: &[Bytes<'a>], is_strict: bool) -> Option<Vec<Read<'a>>> {
    let of = schema.types().message(at)?;
    let reads = messages.iter().map(|bytes| typed::read(schema.types(), of, bytes.clone(), is_strict));
    let reads = reads.collect::<Option<Vec<_>>>()?;
    let (known, strange) = reads.iter().fold((0, 0), |sum, read| (sum.0 + read.known, sum.1 + read.strange));
    (known > strange || !has_bytes(messages)).then_some(reads)
}

fn has_bytes(messages: &[Bytes<'_>]) -> bool {
    messages.iter().any(|bytes| !bytes.is_empty())
}

impl Learned {
    /// Chooses a type for messages, and learns from them.
    pub(super) fn choose<'a>(&mut self, schema: &Schema, messages: &[Bytes<'a>], is_strict: bool) -> Choice<'a> {
        match schema.meant() {
            Meant::Named(types) => first(schema, types, messages, is_strict),
            Meant::Fitting(_) if !is_strict => Choice::None,
            Meant::Fitting(types) => self.fitting(schema, types, messages),
        }
    }

    /// The type that these and all before them fit, else the one that these do; of several the one that no other has in a field.
    fn fitting<'a>(&mut self, schema: &Schema, types: &[usize], messages: &[Bytes<'a>]) -> Choice<'a> {
        // What is empty is of any type.
        if !has_bytes(messages) {
            return if let Self::Fits(types) = self { only(schema, types, messages, None) } else { Choice::None };
        }
        let (known, is_several) = match self {
            Self::Nothing => (types, false),
            Self::Fits(types) => (types.as_slice(), false),
            Self::Several => (types, true),
        };
        if !is_little(known, messages) {
            return Choice::Unknown;
        }
        let (now, reads) = fit(schema, known, messages);
        if !now.is_empty() {
            let chosen = only(schema, &now, messages, reads);
            if !is_several {
                *self = Self::Fits(now);
            }
            return chosen;
        }
        if !matches!(self, Self::Fits(_)) || !is_little(types, messages) {
            return Choice::None;
        }
        let (now, reads) = fit(schema, types, messages);
        if now.is_empty() {
            return Choice::None;
        }
        *self = Self::Several;
        only(schema, &now, messages, reads)
    }
}

/// The types that messages fit, and the messages as the first of them.
fn fit<'a>(schema: &Schema, types: &[usize], messages: &[Bytes<'a>]) -> (Vec<usize>, Option<Vec<Read<'a>>>) {
    let (mut fitting, mut first) = (Vec::new(), None);
    for &at in types {
        let Some(reads) = read(schema, at, messages, true) else { continue };
        fitting.push(at);
        first.get_or_insert(reads);
    }
    (fitting, first)
}

/// The first type that fits; where not everything must be as the schema says, the one to which the least is strange.
fn first<'a>(schema: &Schema, types: &[usize], messages: &[Bytes<'a>], is_strict: bool) -> Choice<'a> {
    let reads = |at: &usize| read(schema, *at, messages, is_strict).map(|reads| (*at, reads));
    let strange = |(_, reads): &(usize, Vec<Read<'_>>)| reads.iter().map(|read| read.strange).sum::<usize>();
    let mut fitting = types.iter().filter_map(reads);
    let first = if is_strict { fitting.next() } else { fitting.min_by_key(strange) };
    first.map_or(Choice::None, |(at, reads)| Choice::Type(at, reads))
}

/// The only one of some types, or the only one that no other has in a field. `first`: the messages as the first of them.
fn only<'a>(schema: &Schema, types: &[usize], messages: &[Bytes<'a>], first: Option<Vec<Read<'a>>>) -> Choice<'a> {
    let is_outer = |at: &&usize| schema.types().message(**at).is_some_and(|of| !of.is_inner);
    let mut outer = types.iter().filter(is_outer);
    let only = match (types, outer.next(), outer.next()) {
        ([only], ..) => *only,
        (_, Some(only), None) => *only,
        _ => return Choice::Unknown,
    };
    let reads = first.filter(|_| types.first() == Some(&only)).or_else(|| read(schema, only, messages, true));
    reads.map_or(Choice::Unknown, |reads| Choice::Type(only, reads))
}
