//! Link headers. A new link type is a function and a row in [`LINKS`].

use super::ether::{Network, llc, network};
use crate::model::LinkType;

/// A link type that is read.
pub(super) struct Link {
    pub(super) link: LinkType,
    /// As registered, without `LINKTYPE_`.
    pub(super) name: &'static str,
    /// A frame → what stands behind its header.
    pub(super) parse: for<'a> fn(&'a [u8]) -> Network<'a>,
}

const fn row(number: u32, name: &'static str, parse: for<'a> fn(&'a [u8]) -> Network<'a>) -> Link {
    Link { link: LinkType(number), name, parse }
}

/// The link types that are read (<https://www.tcpdump.org/linktypes.html>).
pub(super) static LINKS: &[Link] = &[
    row(1, "ETHERNET", ethernet),
    row(113, "LINUX_SLL", sll),
    row(276, "LINUX_SLL2", sll2),
    row(0, "NULL", null),
    row(108, "LOOP", open_bsd_loop),
    row(101, "RAW", raw),
    row(228, "IPV4", raw),
    row(229, "IPV6", raw),
    // Raw IP as some BSDs number it in their files.
    row(12, "RAW", raw),
    row(14, "RAW", raw),
];

/// Link types that are not read, by the names under which users meet them.
static OTHERS: &[(u32, &str)] = &[
    (3, "AX25"),
    (6, "IEEE802_5"),
    (7, "ARCNET_BSD"),
    (8, "SLIP"),
    (9, "PPP"),
    (10, "FDDI"),
    (50, "PPP_HDLC"),
    (51, "PPP_ETHER"),
    (104, "C_HDLC"),
    (105, "IEEE802_11"),
    (107, "FRELAY"),
    (117, "PFLOG"),
    (119, "IEEE802_11_PRISM"),
    (122, "IP_OVER_FC"),
    (127, "IEEE802_11_RADIOTAP"),
    (129, "ARCNET_LINUX"),
    (138, "APPLE_IP_OVER_IEEE1394"),
    (163, "IEEE802_11_AVS"),
    (166, "PPP_PPPD"),
    (187, "BLUETOOTH_HCI_H4"),
    (189, "USB_LINUX"),
    (192, "PPI"),
    (195, "IEEE802_15_4_WITHFCS"),
    (201, "BLUETOOTH_HCI_H4_WITH_PHDR"),
    (204, "PPP_WITH_DIR"),
    (220, "USB_LINUX_MMAPPED"),
    (226, "IPNET"),
    (227, "CAN_SOCKETCAN"),
    (230, "IEEE802_15_4_NOFCS"),
    (231, "DBUS"),
    (239, "NFLOG"),
    (242, "IPOIB"),
    (249, "USBPCAP"),
    (251, "BLUETOOTH_LE_LL"),
    (252, "WIRESHARK_UPPER_PDU"),
    (253, "NETLINK"),
    (258, "PKTAP"),
    (266, "USB_DARWIN"),
    (271, "VSOCK"),
];

/// The name of a link type: `NULL`, `USER0`, `unassigned`.
pub(super) fn name(link: LinkType) -> String {
    let read = LINKS.iter().find(|row| row.link == link).map(|row| row.name);
    let other = || OTHERS.iter().find(|&&(number, _)| number == link.0).map(|&(_, name)| name);
    match read.or_else(other) {
        Some(name) => name.to_owned(),
        None if (147..=162).contains(&link.0) => format!("USER{}", link.0 - 147),
        None => "unknown".to_owned(),
    }
}

/// ```text
/// destination (6 bytes), source (6 bytes), EtherType u16
/// ```
#[inline]
pub(super) fn ethernet(frame: &[u8]) -> Network<'_> {
    match etherparse::Ethernet2HeaderSlice::from_slice(frame) {
        Ok(header) => network(header.ether_type().0, frame.get(header.slice().len()..).unwrap_or_default()),
        Err(_) => Network::Other,
    }
}

/// Linux "any" device.
///
/// ```text
/// packet type u16, ARP hardware type u16, address length u16, address (8 bytes), protocol u16
/// ```
fn sll(frame: &[u8]) -> Network<'_> {
    let Some((&[_, _, h0, h1, .., p0, p1], rest)) = frame.split_first_chunk::<16>() else { return Network::Other };
    cooked(u16::from_be_bytes([h0, h1]), u16::from_be_bytes([p0, p1]), rest)
}

/// Linux "any" device, version 2.
///
/// ```text
/// protocol u16, reserved u16, interface u32, ARP hardware type u16, packet type u8, address length u8, address (8 bytes)
/// ```
fn sll2(frame: &[u8]) -> Network<'_> {
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
        (_, 0..=1500) => Network::Other,
        _ => network(protocol, rest),
    }
}

/// BSD loopback: the address family, u32 in the byte order of the machine that captured.
fn null(frame: &[u8]) -> Network<'_> {
    let Some((&family, rest)) = frame.split_first_chunk() else { return Network::Other };
    let (big, little) = (u32::from_be_bytes(family), u32::from_le_bytes(family));
    address_family(big.min(little), rest)
}

/// OpenBSD loopback: the address family, u32 in network byte order.
fn open_bsd_loop(frame: &[u8]) -> Network<'_> {
    let Some((&family, rest)) = frame.split_first_chunk() else { return Network::Other };
    address_family(u32::from_be_bytes(family), rest)
}

/// `AF_INET`, and what `AF_INET6` is on Linux, NetBSD, FreeBSD and macOS. Some drivers write an EtherType.
fn address_family(family: u32, rest: &[u8]) -> Network<'_> {
    match u16::try_from(family) {
        Ok(2 | 10 | 24 | 28 | 30) => Network::Ip(rest),
        Ok(ether_type @ 1501..) => network(ether_type, rest),
        _ => Network::Other,
    }
}

/// No link header.
fn raw(frame: &[u8]) -> Network<'_> {
    Network::Ip(frame)
}
