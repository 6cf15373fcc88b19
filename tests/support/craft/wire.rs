//! TCP segments as packets of any link type, and back.

use super::link::Framing;
use super::session::Segment;
use std::net::{IpAddr, SocketAddr};

/// How a packet's first header is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Ethernet,
    /// Linux cooked, version 1.
    Sll,
    /// Linux cooked, version 2.
    Sll2,
    /// BSD loopback: the family in the byte order of the capturing host.
    Null {
        big: bool,
    },
    /// OpenBSD loopback: the family in network byte order.
    Loop,
    /// Raw IP under any of its link types: 101, 228, 229, 12, 14.
    Raw(u16),
    /// A rarer one.
    Framed(Framing),
}

impl From<Framing> for Link {
    fn from(framing: Framing) -> Self {
        Self::Framed(framing)
    }
}

impl Link {
    /// The number in the file.
    pub(crate) fn number(self) -> u16 {
        match self {
            Self::Ethernet => 1,
            Self::Sll => 113,
            Self::Sll2 => 276,
            Self::Null { .. } => 0,
            Self::Loop => 108,
            Self::Raw(number) => number,
            Self::Framed(framing) => framing.number(),
        }
    }

    fn header(self, ethertype: u16) -> Vec<u8> {
        let family = if ethertype == IPV4 { 2_u32 } else { 30 };
        let mac = [2, 0, 0, 0, 0, 1];
        match self {
            Self::Ethernet => [&mac[..], &[2, 0, 0, 0, 0, 2]].concat(),
            Self::Sll => [&[0, 4, 0, 1, 0, 6][..], &mac, &[0, 0]].concat(),
            Self::Sll2 => [&ethertype.to_be_bytes()[..], &[0, 0, 0, 0, 0, 1, 0, 1, 4, 6], &mac, &[0, 0]].concat(),
            Self::Null { big: true } | Self::Loop => family.to_be_bytes().to_vec(),
            Self::Null { big: false } => family.to_le_bytes().to_vec(),
            Self::Raw(_) | Self::Framed(_) => Vec::new(),
        }
    }
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const TCP: u8 = 6;

/// A captured packet, as a file keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    /// Nanoseconds since 1970.
    pub(crate) time: i64,
    /// Its link type.
    pub(crate) link: u16,
    pub(crate) bytes: Vec<u8>,
    /// Its length on the wire.
    pub(crate) orig_len: u32,
}

impl Packet {
    /// A packet that was captured whole.
    pub(crate) fn new(time: i64, link: u16, bytes: Vec<u8>) -> Self {
        let orig_len = bytes.len() as u32;
        Self { time, link, bytes, orig_len }
    }

    /// The same packet, of which only the first bytes were captured.
    pub(crate) fn snapped(mut self, len: usize) -> Self {
        self.bytes.truncate(len);
        self
    }
}

/// What is around a TCP segment.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) link: Link,
    /// VLAN tags, outermost first: TPID and tag.
    pub(crate) vlans: Vec<(u16, u16)>,
    /// IPv4 options, a multiple of four bytes.
    pub(crate) ip_options: Vec<u8>,
    /// IPv6 extension headers: their number and their content behind the two bytes of next header and length.
    pub(crate) extensions: Vec<(u8, Vec<u8>)>,
    /// TCP options, a multiple of four bytes.
    pub(crate) tcp_options: Vec<u8>,
    /// IPv4 total length 0, as segmentation offload leaves it.
    pub(crate) zero_length: bool,
    /// Checksums that are wrong.
    pub(crate) bad_checksums: bool,
    /// Bytes behind the IP packet: Ethernet padding, a frame check sequence.
    pub(crate) trailer: Vec<u8>,
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            link: Link::Ethernet,
            vlans: Vec::new(),
            ip_options: Vec::new(),
            extensions: Vec::new(),
            tcp_options: Vec::new(),
            zero_length: false,
            bad_checksums: false,
            trailer: Vec::new(),
        }
    }
}

impl Wire {
    /// Nothing but the link type.
    pub(crate) fn over(link: Link) -> Self {
        Self { link, ..Self::default() }
    }

    /// The segment as a packet.
    pub(crate) fn packet(&self, segment: &Segment, time: i64) -> Packet {
        let ip = self.ip(segment);
        let ethertype = if ip[0] >> 4 == 4 { IPV4 } else { IPV6 };
        if let Link::Framed(framing) = self.link {
            return Packet::new(time, framing.number(), framing.frame(ethertype, &ip));
        }
        let mut bytes = self.link.header(ethertype);
        if matches!(self.link, Link::Ethernet | Link::Sll) {
            for (tpid, tag) in &self.vlans {
                bytes.extend(tpid.to_be_bytes());
                bytes.extend(tag.to_be_bytes());
            }
            bytes.extend(ethertype.to_be_bytes());
        }
        bytes.extend(ip);
        bytes.extend(&self.trailer);
        Packet::new(time, self.link.number(), bytes)
    }

    /// The segment as an IP packet.
    pub(crate) fn ip(&self, segment: &Segment) -> Vec<u8> {
        match (segment.src.ip(), segment.dst.ip()) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let tcp = self.tcp(segment, &[src.octets(), dst.octets()].concat());
                let head = 20 + self.ip_options.len();
                let total = if self.zero_length { 0 } else { (head + tcp.len()) as u16 };
                let mut ip = vec![0x40 | (head / 4) as u8, 0];
                ip.extend(total.to_be_bytes());
                ip.extend([0, 0, 0x40, 0, 64, TCP, 0, 0]);
                ip.extend(src.octets());
                ip.extend(dst.octets());
                ip.extend(&self.ip_options);
                let sum = checksum(&ip) ^ u16::from(self.bad_checksums);
                ip[10..12].copy_from_slice(&sum.to_be_bytes());
                ip.extend(tcp);
                ip
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                let mut rest = self.tcp(segment, &[src.octets(), dst.octets()].concat());
                let mut next = TCP;
                for (number, content) in self.extensions.iter().rev() {
                    let mut header = vec![next, ((content.len() + 2) / 8 - 1) as u8];
                    header.extend(content);
                    header.extend(rest);
                    (next, rest) = (*number, header);
                }
                let mut ip = vec![0x60, 0, 0, 0];
                ip.extend((rest.len() as u16).to_be_bytes());
                ip.extend([next, 64]);
                ip.extend(src.octets());
                ip.extend(dst.octets());
                ip.extend(rest);
                ip
            }
            _ => panic!("addresses of two families"),
        }
    }

    fn tcp(&self, segment: &Segment, addresses: &[u8]) -> Vec<u8> {
        let mut tcp = tcp_header(segment, self.tcp_options.len());
        tcp.extend(&self.tcp_options);
        tcp.extend(&segment.payload);
        let len = (tcp.len() as u32).to_be_bytes();
        let pseudo = [addresses, &[0, TCP], &len[2..], &tcp].concat();
        let sum = checksum(&pseudo) ^ if self.bad_checksums { 0x5555 } else { 0 };
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        tcp
    }
}

/// The 20 bytes of a TCP header, without checksum (RFC 9293 §3.1).
pub(crate) fn tcp_header(segment: &Segment, options: usize) -> Vec<u8> {
    let mut tcp = Vec::new();
    tcp.extend(segment.src.port().to_be_bytes());
    tcp.extend(segment.dst.port().to_be_bytes());
    tcp.extend(segment.seq.to_be_bytes());
    tcp.extend(segment.ack.to_be_bytes());
    tcp.extend([(((20 + options) / 4) << 4) as u8, segment.flags, 0xff, 0xff, 0, 0, 0, 0]);
    tcp
}

/// RFC 1071, over an even or odd number of bytes.
fn checksum(bytes: &[u8]) -> u16 {
    let sum: u32 = bytes.chunks(2).map(|pair| (u32::from(pair[0]) << 8) | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    !(((sum & 0xffff) + (sum >> 16)) as u16)
}

/// The segments in these packets (Ethernet or raw, IPv4, without options); other packets are left out.
pub(crate) fn segments_of(packets: &[Packet]) -> Vec<Segment> {
    packets.iter().filter_map(segment_of).collect()
}

fn segment_of(packet: &Packet) -> Option<Segment> {
    let ip = match packet.link {
        1 if packet.bytes.get(12..14)? == IPV4.to_be_bytes() => packet.bytes.get(14..)?,
        101 | 228 => &packet.bytes,
        _ => return None,
    };
    if ip.first()? >> 4 != 4 || *ip.get(9)? != TCP {
        return None;
    }
    let total = u16::from_be_bytes([ip[2], ip[3]]) as usize;
    let tcp = ip.get((ip[0] & 15) as usize * 4..total.min(ip.len()))?;
    let quad = |at: usize| Some(u32::from_be_bytes(tcp.get(at..at + 4)?.try_into().ok()?));
    let address = |at: usize| IpAddr::from([ip[at], ip[at + 1], ip[at + 2], ip[at + 3]]);
    let ports = quad(0)?;
    Some(Segment {
        src: SocketAddr::new(address(12), (ports >> 16) as u16),
        dst: SocketAddr::new(address(16), ports as u16),
        seq: quad(4)?,
        ack: quad(8)?,
        flags: *tcp.get(13)?,
        payload: tcp.get((tcp[12] >> 4) as usize * 4..)?.to_vec(),
    })
}

/// The same segments between IPv6 addresses.
pub(crate) fn v6(segments: &[Segment]) -> Vec<Segment> {
    let lift = |end: SocketAddr| match end.ip() {
        IpAddr::V4(ip) => SocketAddr::new(
            IpAddr::from([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, ip.octets()[0], ip.octets()[1], 0, 1]),
            end.port(),
        ),
        IpAddr::V6(_) => end,
    };
    segments.iter().map(|s| Segment { src: lift(s.src), dst: lift(s.dst), ..s.clone() }).collect()
}
