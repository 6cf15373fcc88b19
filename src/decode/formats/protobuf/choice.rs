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

/// Whether there is a type that messages fit; `is_strict`: in all.
pub(super) fn fits(schema: &Schema, messages: &[Bytes<'_>], is_strict: bool) -> bool {
    let (Meant::Named(types) | Meant::Fitting(types)) = schema.meant();
    has_bytes(messages) && types.iter().any(|&at| read(schema, at, messages, is_strict).is_some())
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
        let chosen = match schema.meant() {
            Meant::Named(types) => first(schema, types, messages, is_strict),
            Meant::Fitting(_) if !is_strict => return Choice::None,
            Meant::Fitting(types) => self.fitting(schema, types, messages),
        };
        match chosen {
            Ok(at) => read(schema, at, messages, is_strict).map_or(Choice::None, |reads| Choice::Type(at, reads)),
            Err(otherwise) => otherwise,
        }
    }

    /// The type that these and all before them fit, else the one that these do; of several the one that no other has in a field.
    fn fitting<'a>(&mut self, schema: &Schema, types: &[usize], messages: &[Bytes<'a>]) -> Result<usize, Choice<'a>> {
        let fit = |types: &[usize]| -> Vec<usize> {
            types.iter().copied().filter(|&at| read(schema, at, messages, true).is_some()).collect()
        };
        // What is empty is of any type.
        if !has_bytes(messages) {
            return if let Self::Fits(types) = self { only(schema, types) } else { Err(Choice::None) };
        }
        let now = match self {
            Self::Nothing => fit(types),
            Self::Fits(types) => fit(types),
            Self::Several => Vec::new(),
        };
        if !now.is_empty() {
            let chosen = only(schema, &now);
            *self = Self::Fits(now);
            return chosen;
        }
        let now = if matches!(self, Self::Nothing) { Vec::new() } else { fit(types) };
        if now.is_empty() {
            return Err(Choice::None);
        }
        *self = Self::Several;
        only(schema, &now)
    }
}

/// The first type that fits; where not everything must be as the schema says, the one that is stranger to the least.
fn first<'a>(schema: &Schema, types: &[usize], messages: &[Bytes<'a>], is_strict: bool) -> Result<usize, Choice<'a>> {
    let strange = |at| {
        let reads = read(schema, at, messages, is_strict)?;
        Some((reads.iter().map(|read| read.strange).sum::<usize>(), at))
    };
    let fitting = types.iter().filter_map(|&at| strange(at));
    let first = if is_strict { { fitting }.next() } else { fitting.min_by_key(|(strange, _)| *strange) };
    first.map(|(_, at)| at).ok_or(Choice::None)
}

/// The only one of some types, or the only one that no other has in a field.
fn only<'a>(schema: &Schema, types: &[usize]) -> Result<usize, Choice<'a>> {
    if let [only] = types {
        return Ok(*only);
    }
    let is_outer = |at: &&usize| schema.types().message(**at).is_some_and(|of| !of.is_inner);
    let mut outer = types.iter().filter(is_outer);
    match (outer.next(), outer.next()) {
        (Some(only), None) => Ok(*only),
        _ => Err(Choice::Unknown),
    }
}
