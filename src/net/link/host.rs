//! Headers that the capturing host puts before packets, and that were never on a wire.

use super::wrapped;
use crate::net::ether::{Network, ether_type, llc, network};

/// Linux "any" device.
///
/// ```text
/// packet type u16, ARP hardware type u16, address length u16, address (8 bytes), protocol u16
/// ```
pub(super) fn sll(frame: &[u8]) -> Network<'_> {
    let Some((&[_, _, h0, h1, .., p0, p1], rest)) = frame.split_first_chunk::<16>() else { return Network::Other };
    cooked(u16::from_be_bytes([h0, h1]), u16::from_be_bytes([p0, p1]), rest)
}

/// Linux "any" device, version 2.
///
/// ```text
/// protocol u16, reserved u16, interface u32, ARP hardware type u16, packet type u8, address length u8, address (8 bytes)
/// ```
pub(super) fn sll2(frame: &[u8]) -> Network<'_> {
    let Some((&[p0, p1, _, _, _, _, _, _, h0, h1, ..], rest)) = frame.split_first_chunk::<20>() else {
        return Network::Other;
    };
    cooked(u16::from_be_bytes([h0, h1]), u16::from_be_bytes([p0, p1]), rest)
}

/// The protocol of a cooked header is an EtherType, but for a few numbers of Linux and for netlink.
fn cooked(hardware: u16, protocol: u16, rest: &[u8]) -> Network<'_> {
    const NETLINK: u16 = 824;
    const LLC: u16 = 4;
    match (hardware, protocol) {
        (NETLINK, _) => Network::Other,
        (_, LLC) => llc(rest),
        (_, 0..=ether_type::MAX_LENGTH) => Network::Other,
        _ => network(protocol, rest),
    }
}

/// BSD loopback: the address family, u32 in the byte order of the machine that captured.
pub(super) fn null(frame: &[u8]) -> Network<'_> {
    let Some((&family, rest)) = frame.split_first_chunk() else { return Network::Other };
    host_family(family, rest)
}

/// OpenBSD loopback: the address family, u32 in network byte order.
pub(super) fn open_bsd_loop(frame: &[u8]) -> Network<'_> {
    let Some((&family, rest)) = frame.split_first_chunk() else { return Network::Other };
    address_family(u32::from_be_bytes(family), rest)
}

/// An address family in either byte order: none is so large that it could be taken for another.
fn host_family(family: [u8; 4], rest: &[u8]) -> Network<'_> {
    address_family(u32::from_be_bytes(family).min(u32::from_le_bytes(family)), rest)
}

/// `AF_INET`, and what `AF_INET6` is on Linux, NetBSD, FreeBSD and macOS. Some drivers write an EtherType.
fn address_family(family: u32, rest: &[u8]) -> Network<'_> {
    match u16::try_from(family) {
        Ok(2 | 10 | 24 | 28 | 30) => Network::Ip(rest),
        Ok(number) if number > ether_type::MAX_LENGTH => network(number, rest),
        _ => Network::Other,
    }
}

/// What OpenBSD's `enc` interfaces show of IPsec: the packets inside, decrypted.
///
/// ```text
/// address family u32 (in the byte order of the machine that captured), SPI u32, flags u32
/// ```
pub(super) fn enc(frame: &[u8]) -> Network<'_> {
    let Some((&[a, b, c, d, ..], rest)) = frame.split_first_chunk::<12>() else { return Network::Other };
    host_family([a, b, c, d], rest)
}

/// What OpenBSD's packet filter logs.
///
/// ```text
/// length u8 (without the padding to 4 bytes), address family u8, what the filter did
/// ```
pub(super) fn pflog(frame: &[u8]) -> Network<'_> {
    let &[length, family, ..] = frame else { return Network::Other };
    let rest = frame.get(usize::from(length).next_multiple_of(4)..).unwrap_or_default();
    address_family(family.into(), rest)
}

/// What Solaris hands to who looks at an IP interface.
///
/// ```text
/// version u8, address family u8, hook u16, length u32, interface u32, group u32, zones (2 × u32)
/// ```
pub(super) fn ipnet(frame: &[u8]) -> Network<'_> {
    match frame.split_first_chunk::<24>() {
        Some((&[_, 2 | 26, ..], rest)) => Network::Ip(rest),
        _ => Network::Other,
    }
}

/// What macOS puts before a packet of any interface; all its numbers are little endian.
///
/// ```text
/// length u32, record type u32, link type u32, interface, process and more
/// ```
pub(super) fn pktap(frame: &[u8]) -> Network<'_> {
    let Some(&[a, b, c, d, _, _, _, _, w, x, y, z]) = frame.first_chunk() else { return Network::Other };
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    match frame.get(length..) {
        Some(rest) if length >= 12 => wrapped(u32::from_le_bytes([w, x, y, z]), rest),
        _ => Network::Other,
    }
}

/// What Linux' netfilter logs, its fields in the byte order of the machine that captured.
///
/// ```text
/// address family u8, version u8, resource u16, then fields: length u16 (of these 4 bytes as well), type u16, value, padding to 4 bytes
/// ```
pub(super) fn nflog(frame: &[u8]) -> Network<'_> {
    const ARP: u8 = 3;
    let Some((&[family, 0, _, _], fields)) = frame.split_first_chunk() else { return Network::Other };
    let payload = nflog_payload(fields, u16::from_le_bytes).or_else(|| nflog_payload(fields, u16::from_be_bytes));
    match payload {
        Some(_) if family == ARP => Network::Arp,
        Some(packet) => Network::Ip(packet),
        None => Network::Other,
    }
}

/// The packet among the fields, of which it is the last that matters.
fn nflog_payload(mut fields: &[u8], number: fn([u8; 2]) -> u16) -> Option<&[u8]> {
    const PAYLOAD: u16 = 9;
    while let &[l0, l1, t0, t1, ..] = fields {
        let (length, kind) = (usize::from(number([l0, l1])), number([t0, t1]));
        if kind == PAYLOAD {
            return fields.get(4..length.min(fields.len()));
        }
        fields = fields.get(length.next_multiple_of(4)..).filter(|_| length >= 4)?;
    }
    None
}
