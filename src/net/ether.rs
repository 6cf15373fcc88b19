//! From an EtherType to the packet it announces, through tags.

use crate::model::LinkType;

/// VLAN tags that are looked through; real frames carry one or two.
const MAX_TAGS: usize = 8;

/// EtherTypes (IEEE 802).
mod ether_type {
    pub(super) const IPV4: u16 = 0x0800;
    pub(super) const ARP: u16 = 0x0806;
    pub(super) const VLAN: u16 = 0x8100;
    pub(super) const IPV6: u16 = 0x86dd;
    /// IEEE 802.1ad, the outer tag of QinQ.
    pub(super) const SERVICE_VLAN: u16 = 0x88a8;
    /// The outer tag before 802.1ad.
    pub(super) const OLD_SERVICE_VLAN: u16 = 0x9100;
    /// A value up to this is a length: LLC follows (IEEE 802.3).
    pub(super) const MAX_LENGTH: u16 = 1500;
}

/// What stands behind a link header and its tags.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Network<'a> {
    /// An IP packet; its first four bits tell the version.
    Ip(&'a [u8]),
    /// Address resolution.
    Arp,
    /// More than [`MAX_TAGS`] tags.
    TooDeep,
    /// Something else, or too few bytes to tell.
    Other,
    /// The body of a frame of IEEE 802.11 with several packets.
    Amsdu(&'a [u8]),
    /// A fragment of a frame of IEEE 802.11.
    Fragment,
    /// Encrypted by the link.
    Encrypted,
    /// A frame of a link type that is not read.
    Unknown(LinkType),
}

/// Looks through tags.
///
/// ```text
/// tag: priority and VLAN u16, EtherType u16
/// ```
#[inline]
pub(super) fn network(mut ether_type: u16, mut bytes: &[u8]) -> Network<'_> {
    for _ in 0..=MAX_TAGS {
        match ether_type {
            ether_type::IPV4 | ether_type::IPV6 => return Network::Ip(bytes),
            ether_type::ARP => return Network::Arp,
            ether_type::VLAN | ether_type::SERVICE_VLAN | ether_type::OLD_SERVICE_VLAN => {
                let Some((&[_, _, high, low], rest)) = bytes.split_first_chunk() else { return Network::Other };
                ether_type = u16::from_be_bytes([high, low]);
                bytes = rest;
            }
            0..=ether_type::MAX_LENGTH => return llc(bytes),
            _ => return Network::Other,
        }
    }
    Network::TooDeep
}

/// IEEE 802.2 logical link control: IP directly (RFC 1042 §"Header Format"), or an EtherType in a SNAP header.
///
/// ```text
/// DSAP, SSAP, control (3 bytes), SNAP: organisation (3 bytes), EtherType u16
/// ```
pub(super) fn llc(bytes: &[u8]) -> Network<'_> {
    match bytes {
        [0x06, 0x06, 0x03, ip @ ..] => Network::Ip(ip),
        [0xaa, 0xaa, 0x03, 0, 0, 0 | 0xf8, high, low, rest @ ..] => match u16::from_be_bytes([*high, *low]) {
            0..=ether_type::MAX_LENGTH => Network::Other,
            ether_type => network(ether_type, rest),
        },
        _ => Network::Other,
    }
}
