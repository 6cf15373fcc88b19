//! Link headers, a room for each family. A new link type is a function and a row in [`LINKS`].

mod host;
mod lan;
mod names;
mod serial;
mod wifi;

use super::ether::{Network, ether_type, network};
use crate::model::LinkType;
pub(super) use lan::ethernet;
pub(super) use names::name;
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
    // As OpenBSD numbers it in its files.
    row(13, "ENC", host::enc),
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
