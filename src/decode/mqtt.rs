//! MQTT 3.1, 3.1.1 and 5: a stream over the messages, whose packets begin and end where they like (MQTT 5 §6).
//!
//! ```text
//! type (4 bits) flags (4) │ remaining length, 1 to 4 bytes of 7 bits │ …
//! ```

mod packet;
mod properties;

use super::bytes::Bytes;
use super::{Confidence, Decode, Hints, Said, UNITS};
use crate::model::{Both, Direction, Unit};
use std::collections::BTreeMap;

/// Bytes of a remaining length.
const LENGTH: u32 = 4;

/// Topics that may have a number of their own in a direction; of more the number is shown.
const ALIASES: usize = 256;

pub(super) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
    let mut bytes = Bytes::new(said.bytes);
    // A CONNECT says which protocol it is.
    let mut connects = || {
        let is_connect = bytes.u8()? == 0x10;
        bytes.varint(LENGTH)?;
        let len = bytes.u16()?;
        let name = bytes.take(usize::from(len))?;
        Some(is_connect && matches!(name, b"MQTT" | b"MQIsdp"))
    };
    Confidence::Sure.when(!said.is_text && connects() == Some(true))
}

pub(super) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Mqtt::default())
}

#[derive(Default)]
struct Mqtt {
    /// The beginning of a packet whose rest comes in the next message.
    carry: Both<Vec<u8>>,
    state: State,
}

/// What packets need to know of earlier ones.
#[derive(Default)]
struct State {
    /// Of the CONNECT: 3, 4 or 5; 4 where that was not seen.
    version: Option<u8>,
    /// Topics by their number (MQTT 5 §3.3.2.3.4).
    aliases: Both<BTreeMap<u16, String>>,
}

impl Decode for Mqtt {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        if said.is_text {
            return None;
        }
        let carry = &mut self.carry[said.dir];
        if carry.is_empty() {
            let (units, used) = packets(said.bytes, said.dir, &mut self.state)?;
            carry.extend_from_slice(said.bytes.get(used..).unwrap_or_default());
            return Some(units);
        }
        carry.extend_from_slice(said.bytes);
        let Some((units, used)) = packets(carry, said.dir, &mut self.state) else {
            carry.clear();
            return None;
        };
        let units = units.into_iter().map(Unit::into_owned).collect();
        carry.drain(..used);
        Some(units)
    }

    fn lost(&mut self, dir: Direction) {
        self.carry[dir].clear();
    }

    fn held(&self) -> usize {
        let of = |dir| {
            let topics = self.state.aliases[dir].values().map(|topic| topic.len() + 64).sum::<usize>();
            self.carry[dir].len() + topics
        };
        Direction::BOTH.into_iter().map(of).sum()
    }
}

/// The packets that end here, and how many bytes they take; `None` where one cannot be one.
fn packets<'a>(bytes: &'a [u8], dir: Direction, state: &mut State) -> Option<(Vec<Unit<'a>>, usize)> {
    let (mut units, mut used) = (Vec::new(), 0);
    let mut rest = Bytes::new(bytes);
    while units.len() < UNITS {
        let Some(head) = rest.u8() else { break };
        if head >> 4 == 0 {
            return None;
        }
        let Some(len) = rest.varint(LENGTH) else {
            // A length that does not end in four bytes is none.
            let is_cut = bytes.len() - used <= LENGTH as usize;
            return is_cut.then_some((units, used));
        };
        let Some(body) = rest.part(usize::try_from(len).ok()?) else { break };
        units.push(packet::unit(head, body, used, dir, state));
        used = rest.at();
    }
    Some((units, used))
}
