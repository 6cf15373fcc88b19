//! Packets that were captured twice: mirrored on two ports, or on both sides of a bridge.

use crate::model::{Segment, Twice};

/// The last packets of TCP, each by what tells it from a retransmission of the same bytes: that has another number in its IP
/// header, or where there is none another time stamp.
///
/// No secret is in it: who makes packets meet here hides copies from the count, and nothing else depends on it.
#[derive(Debug)]
pub(super) struct Last(Box<[Seen; PLACES]>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    print: u64,
    /// Nanoseconds of the packet's time.
    at: i64,
}

/// Places for packets; a power of two. A copy comes at once, or when those sent with it have passed.
const PLACES: usize = 256;

/// Nanoseconds within which the copy of a packet comes, and within which one comes that has neither number nor time stamp: no
/// retransmission is so quick.
const SOON: i64 = 1_000_000_000;
const AT_ONCE: i64 = 1_000_000;

impl Default for Last {
    fn default() -> Self {
        Self(Box::new([Seen { print: 0, at: 0 }; PLACES]))
    }
}

impl Last {
    /// Whether it was captured before; `id` is the number in its IP header, 0 where there is none.
    #[inline(always)]
    pub(super) fn saw(&mut self, segment: &Segment<'_>, id: u16) -> Twice {
        let stamp = if id == 0 { stamp(segment) } else { None };
        let sum = checksum(segment);
        let print = print(segment, (id, stamp, sum));
        let at = segment.mark.time.map_or(0, |time| time.nanos());
        let Some(place) = self.0.get_mut((print >> (64 - PLACES.ilog2())) as usize) else { return Twice::No };
        let before = std::mem::replace(place, Seen { print, at });
        let within = if id != 0 || stamp.is_some() { SOON } else { AT_ONCE };
        match before.print == print && at.saturating_sub(before.at) < within {
            true if id != 0 => Twice::SameNumber,
            // Acknowledgements are sent again as they are. A checksum that a network card will fill in tells no payload from another.
            true if !segment.payload.is_empty() && sum != 0 => Twice::AtOnce,
            _ => Twice::No,
        }
    }
}

/// The checksum, as it stands there; 0 where that is not filled in, or was not captured.
#[inline(always)]
fn checksum(segment: &Segment<'_>) -> u16 {
    match segment.bytes {
        [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    }
}

/// The sender's time stamp, where it stands in the usual place (RFC 7323 §3.2, app. A).
#[inline(always)]
fn stamp(segment: &Segment<'_>) -> Option<u32> {
    const NOTHING: u8 = 1;
    const TIMESTAMPS: u8 = 8;
    match *segment.options() {
        [NOTHING, NOTHING, TIMESTAMPS, 10, a, b, c, d, ..] => Some(u32::from_be_bytes([a, b, c, d])),
        _ => None,
    }
}

/// Mixes what makes a packet what it is; its addresses and its payload are in the checksum.
#[inline(always)]
fn print(segment: &Segment<'_>, (id, stamp, sum): (u16, Option<u32>, u16)) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let numbers = u64::from(segment.seq) << 32 | u64::from(segment.ack);
    let ports = u64::from(segment.src.port) << 16 | u64::from(segment.dst.port);
    let rest =
        (ports << 32 | u64::from(id) << 16 | u64::from(sum)) ^ u64::from(stamp.unwrap_or_default()).rotate_right(24);
    // The upper bits, which choose the place, depend on all of the rest.
    rest.wrapping_mul(ODD) ^ numbers.rotate_left(32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EncapId, Endpoint, Flags, Mark, PacketNo, Timestamp};
    use std::net::Ipv4Addr;

    /// A packet with this number, checksum, time stamp and payload, so many microseconds after the first.
    fn saw(last: &mut Last, micros: i64, (id, sum, stamp): (u16, u8, Option<u8>), payload: &[u8]) -> bool {
        let end = |port| Endpoint { ip: Ipv4Addr::LOCALHOST.into(), port };
        let mut bytes = vec![0; 20];
        bytes[17] = sum;
        bytes.extend(stamp.iter().flat_map(|&stamp| [1, 1, 8, 10, 0, 0, 0, stamp, 0, 0, 0, 0]));
        let header = bytes.len();
        bytes.extend(payload);
        let mark = Mark { packet: PacketNo(1), time: Some(Timestamp::from_nanos(micros * 1000)) };
        let segment = Segment {
            mark,
            src: end(1),
            dst: end(2),
            seq: 7,
            ack: 9,
            flags: Flags::ACK,
            window: 1,
            bytes: &bytes,
            payload: &bytes[header..],
            cut: 0,
            scale: None,
            encap: EncapId::default(),
            twice: Twice::No,
        };
        last.saw(&segment, id) != Twice::No
    }

    #[test]
    fn a_copy_is_told_from_a_retransmission() {
        let last = &mut Last::default();
        assert!(!saw(last, 0, (5, 1, None), b"hi"));
        assert!(saw(last, 3000, (5, 1, None), b"hi"), "the same packet");
        assert!(!saw(last, 4000, (6, 1, None), b"hi"), "sent again: another number");
        assert!(!saw(last, 5000, (5, 2, None), b"hi"), "sent again: another time stamp");
        assert!(!saw(last, 4_000_000, (6, 1, None), b"hi"), "numbers begin anew");
    }

    #[test]
    fn without_a_number_time_tells() {
        let last = &mut Last::default();
        assert!(!saw(last, 0, (0, 1, None), b"hi"));
        assert!(saw(last, 20, (0, 1, None), b"hi"));
        assert!(!saw(last, 2020, (0, 1, None), b"hi"), "too late for a copy");
        assert!(!saw(last, 2021, (0, 3, None), b""));
        assert!(!saw(last, 2022, (0, 3, None), b""), "an acknowledgement may be said twice");
    }

    #[test]
    fn without_a_number_a_time_stamp_tells_for_longer() {
        let last = &mut Last::default();
        for sum in [1, 0] {
            assert!(!saw(last, 0, (0, sum, Some(7)), b"hi"));
            assert_eq!(
                saw(last, 20_000, (0, sum, Some(7)), b"hi"),
                sum != 0,
                "a sum that is not there yet tells nothing"
            );
            assert!(!saw(last, 40_000, (0, sum, Some(8)), b"hi"), "sent again");
        }
    }
}
