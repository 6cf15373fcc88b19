//! Units of a stream that begin in one message and end in another.

use crate::decode::{Said, UNITS};
use crate::model::{Both, Direction, Unit};

/// What was read of bytes.
pub(in crate::decode) struct Read<'a> {
    /// The units that end in them.
    pub(in crate::decode) units: Vec<Unit<'a>>,
    /// Bytes that these take.
    pub(in crate::decode) used: usize,
    /// What stands behind them.
    pub(in crate::decode) rest: Rest,
}

/// What stands behind the last unit that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) enum Rest {
    /// Nothing, or what is none of its own: it is passed over.
    Nothing,
    /// The beginning of a unit, which cannot end before there are so many bytes of it.
    Cut(usize),
    /// The beginning of one that ends with this byte.
    Until(u8),
}

/// Tells one more unit of a message. Behind those that are told all is read as well: what comes after it hangs on that.
pub(in crate::decode) fn tell<'a>(units: &mut Vec<Unit<'a>>, unit: Unit<'a>) {
    if units.len() < UNITS {
        units.push(unit);
    }
}

/// The beginning of a unit in each direction, until the rest of it comes.
#[derive(Debug, Default, Clone)]
pub(in crate::decode) struct Carry(Both<Waiting>);

#[derive(Debug, Clone)]
struct Waiting {
    bytes: Vec<u8>,
    /// What it waits for. Before that comes it is not read again: each byte is read a few times, however small the messages are.
    rest: Rest,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { bytes: Vec::new(), rest: Rest::Nothing }
    }
}

impl Carry {
    /// The units that end in a message, the first of which may have begun before; `None` where it has none and begins none.
    pub(in crate::decode) fn read<'m>(
        &mut self,
        said: &Said<'m>,
        mut read: impl for<'a> FnMut(&'a [u8]) -> Read<'a>,
    ) -> Option<Vec<Unit<'m>>> {
        let waiting = &mut self.0[said.dir];
        if waiting.bytes.is_empty() {
            let Read { units, used, rest } = read(said.bytes);
            if rest != Rest::Nothing {
                waiting.rest = rest;
                waiting.bytes.extend_from_slice(said.bytes.get(used..).unwrap_or_default());
            } else if units.is_empty() {
                return None;
            }
            return Some(units);
        }
        waiting.bytes.extend_from_slice(said.bytes);
        let is_due = match waiting.rest {
            Rest::Nothing => true,
            Rest::Cut(len) => waiting.bytes.len() >= len,
            Rest::Until(byte) => memchr::memchr(byte, said.bytes).is_some(),
        };
        if !is_due {
            return Some(Vec::new());
        }
        let Read { units, used, rest } = read(&waiting.bytes);
        let units: Vec<Unit<'static>> = units.into_iter().map(Unit::into_owned).collect();
        let is_lost = units.is_empty() && rest == Rest::Nothing;
        waiting.rest = rest;
        if rest == Rest::Nothing {
            waiting.bytes.clear();
        } else {
            waiting.bytes.drain(..used);
        }
        (!is_lost).then_some(units)
    }

    /// A message of this direction was lost: what began before has no end.
    pub(in crate::decode) fn lost(&mut self, dir: Direction) {
        self.0[dir] = Waiting::default();
    }

    /// Bytes that are kept.
    pub(in crate::decode) fn held(&self) -> usize {
        self.0.to_server.bytes.len() + self.0.to_client.bytes.len()
    }
}
