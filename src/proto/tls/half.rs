//! One direction of a TLS stream.

use super::handshake::Messages;
use super::keys::{Keys, Past};
use super::layer::Tried;
use super::record::{Cutter, Header, Record};
use crate::model::{End, Mark, Receipt, Span, WhyNot};
use crate::proto::layer::Trials;
use std::collections::VecDeque;

/// What one direction remembers.
#[derive(Default)]
pub(super) struct Half {
    pub(super) cutter: Cutter,
    pub(super) messages: Messages,
    pub(super) cover: Cover,
    /// Which keys it uses no more, whenever the next come to be known.
    pub(super) past: Past,
    /// Where the next byte of the application stands in its stream.
    pub(super) plain: u64,
    /// What waits, for the other direction or for keys, and its place among all that came in both directions.
    pub(super) held: VecDeque<(u64, Held)>,
    /// Bytes that wait.
    pub(super) held_bytes: usize,
    /// Nothing waits any more: it waited in vain, or for too long.
    pub(super) impatient: bool,
    /// Its keys were looked for by trial.
    pub(super) tried: Tried,
    /// The packets that brought the last record that was read.
    pub(super) brought: Option<Span>,
    /// A hole was met before the keys were known.
    pub(super) holed: bool,
    /// A renegotiation up to TLS 1.2 has made new keys, which it does not use yet.
    pub(super) renegotiates: bool,
    /// Bytes in which its records are looked for, as they were counted.
    pub(super) sought: usize,
    /// Some of them were dropped, which was told.
    pub(super) curbed: bool,
    /// How often there was no record where one should begin.
    pub(super) derailed: u32,
    /// What may be spent on its records in vain.
    pub(super) trials: Trials,
    /// A record did not open, which was told; until one opens again.
    pub(super) broken: bool,
    /// Bytes of records that were lost, how many of them data is not known yet.
    pub(super) missing: Option<u64>,
    /// Bytes of the 0-RTT data whose secret is missing, and of the message that ends them.
    pub(super) early: u64,
    /// What its receiver told of the bytes that were lost last.
    pub(super) receipt: Receipt,
    /// Padding was seen: sizes tell nothing.
    pub(super) padded: bool,
}

/// How records are protected.
#[derive(Default)]
pub(super) enum Cover {
    /// Not yet.
    #[default]
    Clear,
    /// By keys that are not known, but the capture may still bring them; and what is to be said if it doesn't.
    Waiting(WhyNot),
    /// By keys that are known.
    Sealed(Keys),
    /// By keys that are not: nothing can be read any more.
    Opaque,
}

/// What waits.
pub(super) enum Held {
    Record(Header, Record),
    Hole(Lost),
    End(End, Mark),
}

/// What is missing of the stream, from a record's beginning to another's.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) bytes: u64,
    /// Records among them that came, and were dropped because too much waited for keys.
    pub(super) dropped: u64,
    /// What their receiver told of those that did not come.
    pub(super) receipt: Receipt,
}

impl Half {
    /// Holds something; past so many bytes the direction waits no longer.
    pub(super) fn hold(&mut self, place: u64, held: Held, bytes_max: usize) {
        self.held_bytes += cost(&held);
        self.impatient |= self.held_bytes > bytes_max;
        self.held.push_back((place, held));
    }

    /// Takes what waits longest.
    pub(super) fn take(&mut self) -> Option<Held> {
        let (_, held) = self.held.pop_front()?;
        self.held_bytes = self.held_bytes.saturating_sub(cost(&held));
        Some(held)
    }

    /// Drops what waits behind the first few, but for the end; says whether there was a record to drop.
    pub(super) fn drop_behind(&mut self, kept: usize) -> bool {
        let mut behind = self.held.split_off(kept.min(self.held.len()));
        let (place, mut lost, mut any) = (behind.front().map_or(0, |of| of.0), Lost::default(), false);
        behind.retain(|(_, held)| {
            match held {
                Held::Record(header, _) => {
                    any = true;
                    lost.bytes += header.total() as u64;
                    lost.dropped += 1;
                }
                Held::Hole(more) => {
                    lost.bytes += more.bytes;
                    lost.dropped += more.dropped;
                    lost.receipt = more.receipt;
                }
                Held::End(..) => return true,
            }
            false
        });
        if lost.bytes > 0 {
            self.held.push_back((place, Held::Hole(lost)));
        }
        self.held.append(&mut behind);
        self.held_bytes = self.held.iter().map(|(_, held)| cost(held)).sum();
        any
    }

    /// Its keys are waited for.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.cover, Cover::Waiting(_))
    }

    /// Nothing of what comes can be read.
    pub(super) const fn is_opaque(&self) -> bool {
        matches!(self.cover, Cover::Opaque)
    }
}

/// Memory of something that is held, beside what it points to.
const HELD_OVERHEAD: usize = 192;
const _: () = assert!(size_of::<(u64, Held)>() <= HELD_OVERHEAD);

/// What holding it costs, in bytes.
const fn cost(held: &Held) -> usize {
    HELD_OVERHEAD + if let Held::Record(_, record) = held { record.held() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PacketNo;
    use crate::proto::tls::record::{Cut, HEADER};

    /// A record that came byte by byte is held with all its packets.
    #[test]
    fn what_is_held_is_counted_with_the_packets_that_brought_it() {
        let mut cutter = Cutter::default();
        let bytes = [&[23, 3, 3, 3, 0][..], &[0; 0x300]].concat();
        let mut header = None;
        for (byte, packet) in bytes.iter().zip(1..) {
            let brought = Mark { packet: PacketNo(packet), time: None };
            if let (_, Cut::Record(found)) = cutter.push(&[*byte], packet - 1, brought) {
                header = Some(found);
            }
        }
        let mut half = Half::default();
        half.hold(1, Held::Record(header.expect("whole"), cutter.record), usize::MAX);
        assert!(half.held_bytes >= (HEADER + 0x300) * (1 + size_of::<(usize, Mark)>()));
        assert!(half.take().is_some());
        assert_eq!(half.held_bytes, 0);
    }
}
