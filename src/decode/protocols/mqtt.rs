//! MQTT 3.1, 3.1.1 and 5: a stream over the messages, whose packets begin and end where they like (MQTT 5 §6).
//!
//! ```text
//! type (4 bits) flags (4) │ remaining length, 1 to 4 bytes of 7 bits │ …
//! ```

mod packet;
mod properties;

use crate::decode::bytes::Bytes;
use crate::decode::protocols::carry::{Carry, Read, Rest, tell};
use crate::decode::{Confidence, Decode, Hints, Said};
use crate::model::{Both, Direction, Unit};
use std::collections::BTreeMap;

/// Bytes of a remaining length.
const LENGTH: u32 = 4;

/// Topics that may have a number of their own in a direction; of more the number is shown.
const ALIASES: usize = 256;

pub(in crate::decode) fn claims(_: &Hints, said: &Said<'_>) -> Confidence {
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

pub(in crate::decode) fn open(_: &Hints) -> Box<dyn Decode> {
    Box::new(Mqtt::default())
}

#[derive(Clone, Default)]
struct Mqtt {
    carry: Carry,
    state: State,
}

/// What packets need to know of earlier ones.
#[derive(Clone, Default)]
struct State {
    /// Of the CONNECT: 3, 4 or 5; 4 where that was not seen.
    version: Option<u8>,
    /// Topics by their number (MQTT 5 §3.3.2.3.4).
    aliases: Both<BTreeMap<u16, String>>,
}

impl Decode for Mqtt {
    fn message<'m>(&mut self, said: &Said<'m>) -> Option<Vec<Unit<'m>>> {
        let (dir, state) = (said.dir, &mut self.state);
        if said.is_text { None } else { self.carry.read(said, |bytes| packets(bytes, dir, state)) }
    }

    fn lost(&mut self, dir: Direction) {
        self.carry.lost(dir);
    }

    fn held(&self) -> usize {
        let aliases = [&self.state.aliases.to_server, &self.state.aliases.to_client].into_iter().flatten();
        self.carry.held() + aliases.map(|(_, topic)| topic.len() + 64).sum::<usize>()
    }
}

/// The packets that end here.
fn packets<'a>(bytes: &'a [u8], dir: Direction, state: &mut State) -> Read<'a> {
    let (mut units, mut used) = (Vec::new(), 0);
    let mut rest = Bytes::new(bytes);
    let rest = loop {
        let left = bytes.len() - used;
        let Some(head) = rest.u8().filter(|head| is_head(*head)) else { break Rest::Nothing };
        let Some(len) = rest.varint(LENGTH) else {
            // A length that does not end in four bytes is none.
            break if left <= LENGTH as usize { Rest::Cut(left + 1) } else { Rest::Nothing };
        };
        let Ok(len) = usize::try_from(len) else { break Rest::Nothing };
        let end = rest.at() - used + len;
        let Some(body) = rest.part(len) else { break Rest::Cut(end) };
        tell(&mut units, packet::unit(head, body, used, dir, state));
        used = rest.at();
    };
    Read { units, used, rest }
}

/// Whether a packet may begin so: a type has its flags (MQTT 5 §2.1.3), and two bits of quality are none.
const fn is_head(head: u8) -> bool {
    match (head >> 4, head & 15) {
        (0, _) => false,
        (3, flags) => flags & 6 != 6,
        (6 | 8 | 10, flags) => flags == 2,
        (_, flags) => flags == 0,
    }
}
