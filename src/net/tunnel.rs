//! Tunnels over IP and over UDP. A new one is a function and a row in [`OVER_IP`] or [`OVER_UDP`].
//!
//! What runs over UDP is known by its port alone, which others may use as well: there what is inside must look like a packet, and
//! every bit of the header must be as the text wants it, unless that says that a receiver passes over it.

use super::ether::ether_type::{self, FRAME};
use super::ether::{Network, inside, network};
use super::ip::Ip;
use super::link::{ethernet, ppp};
use super::udp;
use crate::model::Encap;

/// What a tunnel calls its network, and what it carries; `None` for what is no such tunnel.
type Inside<'a> = Option<(Encap, Network<'a>)>;

type OverIp = for<'a> fn(&Ip<'a>) -> Inside<'a>;

/// Of a datagram's payload and its length on the wire.
type OverUdp = for<'a> fn(&'a [u8], usize) -> Inside<'a>;

/// IP protocols that are tunnels.
static OVER_IP: &[(u8, OverIp)] = &[
    (4, |ip| Some((Encap::Ipv4, Network::Ip(ip.payload)))),
    (41, |ip| Some((Encap::Ipv6, Network::Ip(ip.payload)))),
    (47, |ip| gre(ip.payload)),
    (97, |ip| ether_ip(ip.payload)),
];

/// UDP ports of tunnels, at either end.
static OVER_UDP: &[(u16, OverUdp)] = &[
    (4789, |payload, _| vxlan(payload)),
    // The port of Linux before 4789 was assigned, and of some overlays until today.
    (8472, |payload, _| vxlan(payload)),
    (6081, |payload, _| geneve(payload)),
    (2152, gtp),
    (3544, |payload, _| teredo(payload)),
    (1701, l2tp),
    (4790, |payload, _| vxlan_gpe(payload)),
    // RFC 8086: a sound header of GRE has no bit set that is not meant.
    (4754, |payload, _| gre(payload).filter(|_| payload.first().is_some_and(|flags| flags & 0x4f == 0))),
    (6635, |payload, _| mpls(payload)),
    (37_008, |payload, _| tzsp(payload)),
    (4341, |payload, _| lisp(payload)),
];

/// The tunnel that an IP packet is of, where it carries something that is looked into.
pub(super) fn over_ip<'a>(ip: &Ip<'a>) -> Inside<'a> {
    let &(_, parse) = OVER_IP.iter().find(|(protocol, _)| *protocol == ip.protocol.0)?;
    parse(ip).filter(|&(_, carried)| carried != Network::Other)
}

/// The tunnel that a UDP datagram is of.
pub(super) fn over_udp<'a>(ip: &Ip<'a>) -> Inside<'a> {
    let datagram = udp::datagram(ip)?;
    let &(_, parse) = OVER_UDP.iter().find(|(port, _)| datagram.ports.contains(port))?;
    let (encap, carried) = parse(datagram.payload, datagram.wire_len)?;
    let before = datagram.payload.len() - carried.bytes().len();
    looks_right(carried, datagram.wire_len - before).then_some((encap, carried))
}

/// Whether it can be what it is said to be, with `wire_len` bytes on the wire.
fn looks_right(carried: Network<'_>, wire_len: usize) -> bool {
    match carried {
        Network::Ip(&[first, _, high, low, ..]) if first >> 4 == 4 => {
            let (header, total) = (usize::from(first & 15) * 4, usize::from(u16::from_be_bytes([high, low])));
            header >= 20 && (header..=wire_len).contains(&total)
        }
        Network::Ip(&[first, _, _, _, high, low, ..]) if first >> 4 == 6 => {
            usize::from(u16::from_be_bytes([high, low])) + 40 <= wire_len
        }
        Network::Arp => true,
        Network::Wrapped(ether_type, bytes) => match inside(ether_type, bytes) {
            (_, Network::Wrapped(..)) => true,
            (_, deeper) => looks_right(deeper, wire_len.saturating_sub(bytes.len() - deeper.bytes().len())),
        },
        _ => false,
    }
}

/// RFC 2784 §2.1 with key and number (RFC 2890 §2), and version 1, PPTP's. RFC 1701's routing is not read.
///
/// ```text
/// checksum, routing, key, sequence (a bit each), reserved (9 bits), version (3 bits), EtherType u16,
/// checksum and reserved u32, key u32, sequence u32, those that the bits tell of
/// ```
fn gre(bytes: &[u8]) -> Inside<'_> {
    const ERSPAN: u16 = 0x88be;
    const ERSPAN_3: u16 = 0x22eb;
    /// Subnets below this are reserved (RFC 7637 §3.2): there the key is that of a common tunnel.
    const SUBNETS: u32 = 0x1000;
    let (&[flags, version, high, low], mut rest) = bytes.split_first_chunk()?;
    if version & 7 == 1 {
        return pptp(bytes);
    }
    if flags & 0x40 != 0 || version & 7 != 0 {
        return None;
    }
    let has = |flag: u8| flags & flag != 0;
    if has(0x80) {
        rest = rest.get(4..)?;
    }
    let mut key = None;
    if has(0x20) {
        let (bytes, after) = rest.split_first_chunk()?;
        (key, rest) = (Some(u32::from_be_bytes(*bytes)), after);
    }
    if has(0x10) {
        rest = rest.get(4..)?;
    }
    match (u16::from_be_bytes([high, low]), key) {
        // The first type has no header of its own, and no number before it.
        (ERSPAN, _) if !has(0x10) => Some((Encap::Erspan(None, 0), ethernet(rest))),
        (ERSPAN, _) => erspan(rest, 1),
        (ERSPAN_3, _) => erspan(rest, 2),
        (FRAME, Some(key)) if flags & 0x90 == 0 && key >> 8 >= SUBNETS => {
            Some((Encap::Nvgre(key >> 8), ethernet(rest)))
        }
        (ether_type, key) => Some((Encap::Gre(key), network(ether_type, rest))),
    }
}

/// RFC 2637 §4.1: GRE as PPTP has it.
///
/// ```text
/// 0 0 1 and whether there is a number (a bit each), zero (4 bits), whether there is an acknowledgement (1 bit), zero (4 bits),
/// version 1 (3 bits), 0x880b, length of the payload u16, call u16, number u32, acknowledgement u32, PPP
/// ```
fn pptp(bytes: &[u8]) -> Inside<'_> {
    const NUMBER: u8 = 0x10;
    const ACKNOWLEDGEMENT: u8 = 0x80;
    let &[flags, version, 0x88, 0x0b, _, _, high, low, ref rest @ ..] = bytes else { return None };
    if flags & !NUMBER != 0x20 || version & !ACKNOWLEDGEMENT != 1 {
        return None;
    }
    let fields = usize::from(flags & NUMBER != 0) + usize::from(version & ACKNOWLEDGEMENT != 0);
    Some((Encap::Gre(Some(u16::from_be_bytes([high, low]).into())), ppp(rest.get(fields * 4..)?)))
}

/// Types II and III of a switch's mirror port (draft-foschiano-erspan-03 §4).
///
/// ```text
/// II:  version (4 bits), VLAN (12 bits), class, bits of state, session (10 bits), index u32
/// III: the same, then time u32, group u16, flags of which the last tells of 8 more bytes u16
/// ```
fn erspan(bytes: &[u8], version: u8) -> Inside<'_> {
    let (&[first, second, high, low, ..], _) = bytes.split_first_chunk::<8>()?;
    let header = match first >> 4 {
        1 if version == 1 => 8,
        2 if version == 2 => 12 + 8 * usize::from(bytes.get(11)? & 1),
        _ => return None,
    };
    let session = u16::from_be_bytes([high, low]) & 0x3ff;
    let vlan = u16::from_be_bytes([first, second]) & 0xfff;
    Some((Encap::Erspan(Some(session), vlan), ethernet(bytes.get(header..)?)))
}

/// RFC 3378 §3: version 3, twelve bits of zero, a frame.
fn ether_ip(bytes: &[u8]) -> Inside<'_> {
    match bytes {
        [0x30, 0, rest @ ..] => Some((Encap::EtherIp, ethernet(rest))),
        _ => None,
    }
}

/// RFC 7348 §5, with a group policy (draft-smith-vxlan-group-policy-05 §2.1) where the first bit says so.
///
/// ```text
/// flags u8, policy's flags u8, policy u16, network (24 bits), reserved u8, a frame; reserved bits are passed over
/// ```
fn vxlan(bytes: &[u8]) -> Inside<'_> {
    /// The network is told, as it always is.
    const NETWORK: u8 = 0x08;
    /// What follows is named, as in [`vxlan_gpe`].
    const NEXT: u8 = 0x04;
    let (&[flags, _, _, _, a, b, c, _], rest) = bytes.split_first_chunk()?;
    (flags & (NETWORK | NEXT) == NETWORK).then(|| (Encap::Vxlan(u32::from_be_bytes([0, a, b, c])), ethernet(rest)))
}

/// draft-ietf-nvo3-vxlan-gpe-13 §3: what follows is named.
///
/// ```text
/// reserved, version (2 bits each), network is told, next is told, broadcast, maintenance (a bit each), reserved u16, next u8,
/// network (24 bits), reserved u8
/// ```
fn vxlan_gpe(bytes: &[u8]) -> Inside<'_> {
    let &[flags, 0, 0, next, a, b, c, 0, ref rest @ ..] = bytes else { return None };
    if flags & !0x02 != 0x0c {
        return None;
    }
    let carried = match next {
        1 | 2 => Network::Ip(rest),
        3 => ethernet(rest),
        4 => Network::Wrapped(ether_type::NSH, rest),
        _ => return None,
    };
    Some((Encap::Vxlan(u32::from_be_bytes([0, a, b, c])), carried))
}

/// RFC 7510 §3: a stack of labels, and what it carries.
fn mpls(bytes: &[u8]) -> Inside<'_> {
    let (encap, carried) = inside(ether_type::MPLS, bytes);
    Some((encap?, carried))
}

/// TaZmen Sniffer Protocol: what routers send of the packets that they see.
///
/// ```text
/// version 1 u8, kind u8 (0: a packet), what it is u16 (1: a frame of Ethernet), fields, 1 u8, the packet
/// field: kind u8, length u8, as many bytes; of kind 0 the first byte alone
/// ```
fn tzsp(bytes: &[u8]) -> Inside<'_> {
    const MAX_FIELDS: usize = 32;
    let mut rest = bytes.strip_prefix(&[1, 0, 0, 1])?;
    for _ in 0..MAX_FIELDS {
        rest = match rest {
            [1, frame @ ..] => return Some((Encap::Tzsp, ethernet(frame))),
            [0, after @ ..] => after,
            [_, length, after @ ..] => after.get(usize::from(*length)..)?,
            _ => return None,
        };
    }
    None
}

/// RFC 9300 §5.1: an IP packet between sites.
///
/// ```text
/// nonce, status, echo, version, instance are told, reserved (a bit each), key (2 bits), nonce or version (24 bits),
/// instance (24 bits) and status u8, or status u32
/// ```
fn lisp(bytes: &[u8]) -> Inside<'_> {
    const NONCE: u8 = 0x80;
    const ECHO: u8 = 0x20;
    const VERSION: u8 = 0x10;
    const INSTANCE: u8 = 0x08;
    let (&[flags, _, _, _, a, b, c, _], rest) = bytes.split_first_chunk()?;
    let is_sound = [0, NONCE, NONCE | ECHO, VERSION].contains(&(flags & (NONCE | ECHO | VERSION)));
    let instance = if flags & INSTANCE != 0 { u32::from_be_bytes([0, a, b, c]) } else { 0 };
    (is_sound && flags & 7 == 0).then_some((Encap::Lisp(instance), Network::Ip(rest)))
}

/// RFC 8926 §3.4, with its options (§3.5).
///
/// ```text
/// version (2 bits), length of options (6 bits, in units of 4 bytes), flags u8, EtherType u16, network (24 bits), reserved u8;
/// reserved bits are passed over
/// option: class u16, type u8, length (5 bits, in units of 4 bytes), as many bytes
/// ```
fn geneve(bytes: &[u8]) -> Inside<'_> {
    let (&[first, _, high, low, a, b, c, _], rest) = bytes.split_first_chunk()?;
    if first >> 6 != 0 {
        return None;
    }
    let (mut options, carried) = rest.split_at_checked(usize::from(first & 0x3f) * 4)?;
    while let Some((&[.., length], after)) = options.split_first_chunk::<4>() {
        options = after.get(usize::from(length & 0x1f) * 4..)?;
    }
    Some((Encap::Geneve(u32::from_be_bytes([0, a, b, c])), network(u16::from_be_bytes([high, low]), carried)))
}

/// 3GPP TS 29.281 §5: of version 1 what carries a user's packet.
///
/// ```text
/// version (3 bits), protocol, spare (a bit that is passed over), extension, sequence, N-PDU (a bit each), type u8, length u16, endpoint u32,
/// where one of the last three bits is set: sequence u16, N-PDU u8, next extension u8
/// extension: length u8 (in units of 4 bytes), content, next extension u8
/// ```
fn gtp(bytes: &[u8], wire_len: usize) -> Inside<'_> {
    const HEADER: usize = 8;
    const USER_PACKET: u8 = 255;
    const MAX_EXTENSIONS: usize = 8;
    let (&[flags, kind, high, low, a, b, c, d], mut rest) = bytes.split_first_chunk::<HEADER>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if flags & 0xf0 != 0x30 || kind != USER_PACKET || HEADER + length != wire_len {
        return None;
    }
    if flags & 7 != 0 {
        let (&[.., next], after) = rest.split_first_chunk::<4>()?;
        let mut next = if flags & 4 != 0 { next } else { 0 };
        rest = after;
        for _ in 0..MAX_EXTENSIONS {
            if next == 0 {
                break;
            }
            let (extension, after) = rest.split_at_checked(usize::from(*rest.first()?) * 4)?;
            (next, rest) = (*extension.last()?, after);
        }
        if next != 0 {
            return None;
        }
    }
    Some((Encap::Gtp(u32::from_be_bytes([a, b, c, d])), Network::Ip(rest)))
}

/// RFC 4380 §5.1.1: an IPv6 packet of which one end is in the service's network, behind indications.
///
/// ```text
/// authentication: 0x0001, length of id u8, of value u8, id, value, nonce (8 bytes), confirmation u8
/// origin:         0x0000, port u16, address u32
/// ```
fn teredo(mut bytes: &[u8]) -> Inside<'_> {
    const NETWORK: [u8; 4] = [0x20, 0x01, 0, 0];
    if let &[0, 1, id, value, ..] = bytes {
        bytes = bytes.get(4 + usize::from(id) + usize::from(value) + 9..)?;
    }
    if let [0, 0, ..] = bytes {
        bytes = bytes.get(8..)?;
    }
    let is_ours = |at: usize| bytes.get(at..).is_some_and(|address| address.starts_with(&NETWORK));
    let is_v6 = bytes.first().is_some_and(|first| first >> 4 == 6);
    (is_v6 && (is_ours(8) || is_ours(24))).then_some((Encap::Teredo, Network::Ip(bytes)))
}

/// RFC 2661 §3.1: of version 2 what carries data.
///
/// ```text
/// control, length (a bit each), reserved, sequence, reserved, offset, priority, reserved, version (4 bits),
/// length u16, tunnel u16, session u16, sequence u16 and u16, offset u16 and as many bytes, those that the bits tell of, PPP
/// ```
fn l2tp(bytes: &[u8], wire_len: usize) -> Inside<'_> {
    const LENGTH: u16 = 0x4000;
    const SEQUENCE: u16 = 0x0800;
    const OFFSET: u16 = 0x0200;
    const PRIORITY: u16 = 0x0100;
    let word = |at: usize| Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    let flags = word(0)?;
    if flags & !(LENGTH | SEQUENCE | OFFSET | PRIORITY) != 2 {
        return None;
    }
    let mut at = 2;
    if flags & LENGTH != 0 {
        if usize::from(word(at)?) != wire_len {
            return None;
        }
        at += 2;
    }
    let encap = Encap::L2tp(word(at)?, word(at + 2)?);
    at += 4;
    if flags & SEQUENCE != 0 {
        at += 4;
    }
    if flags & OFFSET != 0 {
        at += 2 + usize::from(word(at)?);
    }
    Some((encap, ppp(bytes.get(at..)?)))
}
