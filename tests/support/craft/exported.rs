//! Segments as PDUs that Wireshark exported.

use super::session::Segment;
use super::wire::Packet;
use std::net::IpAddr;

/// A PDU with these bytes of a segment; `numbers`: what Wireshark says of the segment's place.
pub(crate) fn exported(segment: &Segment, payload: &[u8], numbers: Option<Numbers>, time: i64) -> Packet {
    exported_by("http-over-tcp", segment, payload, numbers, time)
}

/// The same, for a dissector of that name.
pub(crate) fn exported_by(
    dissector: &str,
    segment: &Segment,
    payload: &[u8],
    numbers: Option<Numbers>,
    time: i64,
) -> Packet {
    tagged(tag(12, &[dissector.as_bytes(), &[0]].concat()), segment, payload, numbers, time)
}

/// What a UDP port's dissector was handed of a tunnel that carries the segment: its tags are those of what is in it.
pub(crate) fn exported_tunnel(port: u32, segment: &Segment, payload: &[u8], time: i64) -> Packet {
    let table = [tag(14, b"udp.port\0"), tag(32, &port.to_be_bytes())].concat();
    tagged(table, segment, payload, None, time)
}

/// Behind the tags that say who was handed it.
fn tagged(mut bytes: Vec<u8>, segment: &Segment, payload: &[u8], numbers: Option<Numbers>, time: i64) -> Packet {
    for (end, numbers) in [(segment.src.ip(), [20_u16, 22]), (segment.dst.ip(), [21, 23])] {
        bytes.extend(match end {
            IpAddr::V4(ip) => tag(numbers[0], &ip.octets()),
            IpAddr::V6(ip) => tag(numbers[1], &ip.octets()),
        });
    }
    bytes.extend(tag(24, &2_u32.to_be_bytes()));
    bytes.extend(tag(25, &u32::from(segment.src.port()).to_be_bytes()));
    bytes.extend(tag(26, &u32::from(segment.dst.port()).to_be_bytes()));
    bytes.extend(tag(30, &77_u32.to_be_bytes()));
    if let Some(Numbers { seq, next, ack, joined }) = numbers {
        let words = [seq, next, ack].map(u32::to_be_bytes).concat();
        bytes.extend(tag(34, &[&[0, 1], &words[..], &[u8::from(joined), 0, 0x18, 0, 0]].concat()));
    }
    bytes.extend(tag(0, &[]));
    bytes.extend(payload);
    Packet::new(time, 252, bytes)
}

/// What the tag of TCP says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) seq: u32,
    pub(crate) next: u32,
    pub(crate) ack: u32,
    pub(crate) joined: bool,
}

impl Numbers {
    /// Those of a segment.
    pub(crate) fn of(segment: &Segment) -> Self {
        Self { seq: segment.seq, next: segment.end(), ack: segment.ack, joined: false }
    }
}

fn tag(number: u16, value: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
}
