//! Link headers, a room for each family. A new link type is a function and a row in [`LINKS`].

mod host;
mod lan;
mod serial;
mod wifi;

use super::ether::{Network, ether_type, network};
use crate::model::LinkType;
pub(super) use lan::ethernet;
pub(super) use serial::ppp;
pub(super) use wifi::Msdus;

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
    row(113, "LINUX_SLL", host::sll),
    row(276, "LINUX_SLL2", host::sll2),
    row(0, "NULL", host::null),
    row(108, "LOOP", host::open_bsd_loop),
    row(101, "RAW", raw),
    row(228, "IPV4", raw),
    row(229, "IPV6", raw),
    // Raw IP as some BSDs number it in their files.
    row(12, "RAW", raw),
    row(14, "RAW", raw),
    row(6, "IEEE802_5", lan::token_ring),
    row(10, "FDDI", lan::fddi),
    row(122, "IP_OVER_FC", lan::fibre_channel),
    row(138, "APPLE_IP_OVER_IEEE1394", lan::firewire),
    row(242, "IPOIB", lan::infiniband),
    row(9, "PPP", ppp),
    row(50, "PPP_HDLC", serial::hdlc),
    row(51, "PPP_ETHER", serial::pppoe),
    row(104, "C_HDLC", serial::hdlc),
    row(107, "FRELAY", serial::frame_relay),
    row(166, "PPP_PPPD", serial::directed_ppp),
    row(204, "PPP_WITH_DIR", serial::directed_ppp),
    row(205, "C_HDLC_WITH_DIR", serial::directed_hdlc),
    row(206, "FRELAY_WITH_DIR", serial::directed_frame_relay),
    row(105, "IEEE802_11", wifi::bare),
    row(119, "IEEE802_11_PRISM", wifi::prism),
    row(127, "IEEE802_11_RADIOTAP", wifi::radiotap),
    row(163, "IEEE802_11_AVS", wifi::avs),
    row(192, "PPI", wifi::ppi),
    row(109, "ENC", host::enc),
    row(117, "PFLOG", host::pflog),
    row(226, "IPNET", host::ipnet),
    row(239, "NFLOG", host::nflog),
    row(258, "PKTAP", host::pktap),
    row(219, "MPLS", mpls),
    row(252, "WIRESHARK_UPPER_PDU", exported),
];

/// Link types whose frames hold one of another link type, which is none of these.
const WRAPPERS: [LinkType; 3] = [LinkType(192), LinkType(252), LinkType(258)];

/// The row of a link type that is read.
pub(super) fn find(link: LinkType) -> Option<&'static Link> {
    LINKS.iter().find(|row| row.link == link)
}

/// A frame inside one of the [`WRAPPERS`].
fn wrapped(link: u32, frame: &[u8]) -> Network<'_> {
    let link = LinkType(link);
    match find(link) {
        Some(row) if !WRAPPERS.contains(&link) => (row.parse)(frame),
        _ => Network::Unknown(link),
    }
}

/// Link types that are not read, by the names under which users meet them.
static OTHERS: &[(u32, &str)] = &[
    (3, "AX25"),
    (7, "ARCNET_BSD"),
    (8, "SLIP"),
    (100, "ATM_RFC1483"),
    (123, "SUNATM"),
    (129, "ARCNET_LINUX"),
    (139, "MTP2_WITH_PHDR"),
    (140, "MTP2"),
    (141, "MTP3"),
    (142, "SCCP"),
    (143, "DOCSIS"),
    (144, "LINUX_IRDA"),
    (165, "BACNET_MS_TP"),
    (169, "GPRS_LLC"),
    (177, "LINUX_LAPD"),
    (186, "USB_FREEBSD"),
    (187, "BLUETOOTH_HCI_H4"),
    (189, "USB_LINUX"),
    (191, "IEEE802_15_4_LINUX"),
    (195, "IEEE802_15_4_WITHFCS"),
    (197, "ERF"),
    (201, "BLUETOOTH_HCI_H4_WITH_PHDR"),
    (203, "LAPD"),
    (209, "IPMB_LINUX"),
    (210, "FLEXRAY"),
    (212, "LIN"),
    (215, "IEEE802_15_4_NONASK_PHY"),
    (220, "USB_LINUX_MMAPPED"),
    (224, "FC_2"),
    (225, "FC_2_WITH_FRAME_DELIMS"),
    (227, "CAN_SOCKETCAN"),
    (230, "IEEE802_15_4_NOFCS"),
    (231, "DBUS"),
    (240, "NETANALYZER"),
    (241, "NETANALYZER_TRANSPARENT"),
    (243, "MPEG_2_TS"),
    (245, "NFC_LLCP"),
    (248, "SCTP"),
    (249, "USBPCAP"),
    (250, "RTAC_SERIAL"),
    (251, "BLUETOOTH_LE_LL"),
    (253, "NETLINK"),
    (254, "BLUETOOTH_LINUX_MONITOR"),
    (255, "BLUETOOTH_BREDR_BB"),
    (256, "BLUETOOTH_LE_LL_WITH_PHDR"),
    (257, "PROFIBUS_DL"),
    (259, "EPON"),
    (264, "ISO_14443"),
    (266, "USB_DARWIN"),
    (270, "LORATAP"),
    (271, "VSOCK"),
    (272, "NORDIC_BLE"),
    (274, "ETHERNET_MPACKET"),
    (279, "EBHSCR"),
    (280, "VPP_DISPATCH"),
    (283, "IEEE802_15_4_TAP"),
    (288, "USB_2_0"),
];

/// The name of a link type: `NULL`, `USER0`, `unassigned`.
pub(super) fn name(link: LinkType) -> String {
    let read = find(link).map(|row| row.name);
    let other = || OTHERS.iter().find(|&&(number, _)| number == link.0).map(|&(_, name)| name);
    match read.or_else(other) {
        Some(name) => name.to_owned(),
        None if (147..=162).contains(&link.0) => format!("USER{}", link.0 - 147),
        None => "unknown".to_owned(),
    }
}

/// No link header.
fn raw(frame: &[u8]) -> Network<'_> {
    Network::Ip(frame)
}

/// A stack of labels (RFC 3032 §2.1).
fn mpls(frame: &[u8]) -> Network<'_> {
    network(ether_type::MPLS, frame)
}

/// What Wireshark exported.
fn exported(frame: &[u8]) -> Network<'_> {
    Network::Exported(frame)
}
