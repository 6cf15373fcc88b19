//! From an EtherType to the packet it announces, through tags and labels.

use super::link::{ethernet, ppp};
use crate::model::{Encap, LinkType};

/// Tags, or labels, that are looked through one after the other; real frames carry one or two.
pub(super) const MAX_TAGS: usize = 8;

/// EtherTypes (IEEE 802).
pub(super) mod ether_type {
    pub(in crate::net) const IPV4: u16 = 0x0800;
    pub(in crate::net) const ARP: u16 = 0x0806;
    /// Transparent Ethernet bridging: a whole frame (RFC 1701 §"Protocol Type").
    pub(in crate::net) const FRAME: u16 = 0x6558;
    pub(in crate::net) const VLAN: u16 = 0x8100;
    pub(in crate::net) const IPV6: u16 = 0x86dd;
    /// RFC 5332 §3: the two are read alike.
    pub(in crate::net) const MPLS: u16 = 0x8847;
    pub(in crate::net) const MPLS_MULTICAST: u16 = 0x8848;
    pub(in crate::net) const PPPOE_SESSION: u16 = 0x8864;
    /// IEEE 802.1ad, the outer tag of QinQ.
    pub(in crate::net) const SERVICE_VLAN: u16 = 0x88a8;
    /// IEEE 802.1ah, a frame in a provider's frame.
    pub(in crate::net) const BACKBONE: u16 = 0x88e7;
    /// IEEE 802.1AE, a frame that is sealed for one link.
    pub(in crate::net) const MACSEC: u16 = 0x88e5;
    /// RFC 8300.
    pub(in crate::net) const NSH: u16 = 0x894f;
    /// The outer tag before 802.1ad.
    pub(in crate::net) const OLD_SERVICE_VLAN: u16 = 0x9100;
    /// A value up to this is a length: LLC follows (IEEE 802.3).
    pub(in crate::net) const MAX_LENGTH: u16 = 1500;
}

/// What stands behind a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network<'a> {
    /// An IP packet; its first four bits tell the version.
    Ip(&'a [u8]),
    /// Address resolution.
    Arp,
    /// A tag, a label or a frame of this EtherType, which [`inside`] looks into.
    Wrapped(u16, &'a [u8]),
    /// More labels, or headers in all, than are looked through.
    TooDeep,
    /// Something else, or too few bytes to tell.
    Other,
    /// The body of a frame of IEEE 802.11 with several packets.
    Amsdu(&'a [u8]),
    /// A PDU that Wireshark exported, with its tags.
    Exported(&'a [u8]),
    /// A fragment of a frame of IEEE 802.11.
    Fragment,
    /// Encrypted by the link.
    Encrypted,
    /// A frame of which the receiver took nothing, because its check sequence is wrong.
    Damaged,
    /// A frame of a link type that is not read.
    Unknown(LinkType),
}

impl<'a> Network<'a> {
    /// Its bytes, as far as they are looked at.
    pub(super) const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Ip(bytes) | Self::Wrapped(_, bytes) => bytes,
            _ => &[],
        }
    }
}

/// What an EtherType announces.
#[inline]
pub(super) fn network(ether_type: u16, bytes: &[u8]) -> Network<'_> {
    match ether_type {
        ether_type::IPV4 | ether_type::IPV6 => Network::Ip(bytes),
        ether_type::ARP => Network::Arp,
        0..=ether_type::MAX_LENGTH => llc(bytes),
        _ => Network::Wrapped(ether_type, bytes),
    }
}

/// An EtherType, and what it announces.
#[inline]
pub(super) fn typed(bytes: &[u8]) -> Network<'_> {
    match bytes {
        [high, low, rest @ ..] => network(u16::from_be_bytes([*high, *low]), rest),
        _ => Network::Other,
    }
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

/// Looks behind one header that is [`Network::Wrapped`]: what it calls its network, and what it carries.
pub(super) fn inside(ether_type: u16, bytes: &[u8]) -> (Option<Encap>, Network<'_>) {
    let found = match ether_type {
        ether_type::VLAN | ether_type::SERVICE_VLAN | ether_type::OLD_SERVICE_VLAN => vlan(bytes),
        ether_type::MPLS | ether_type::MPLS_MULTICAST => mpls(bytes),
        ether_type::PPPOE_SESSION => pppoe(bytes),
        ether_type::BACKBONE => backbone(bytes),
        ether_type::FRAME => Some((None, ethernet(bytes))),
        ether_type::MACSEC => macsec(bytes).map(|carried| (None, carried)),
        ether_type::NSH => nsh(bytes),
        _ => None,
    };
    found.unwrap_or((None, Network::Other))
}

/// IEEE 802.1Q §9.6. Of VLAN 0 only the priority is meant.
///
/// ```text
/// priority (3 bits), drop eligible (1 bit), VLAN (12 bits), EtherType u16
/// ```
fn vlan(bytes: &[u8]) -> Option<(Option<Encap>, Network<'_>)> {
    let (&[a, b, c, d], rest) = bytes.split_first_chunk()?;
    let id = u16::from_be_bytes([a, b]) & 0xfff;
    Some(((id > 0).then_some(Encap::Vlan(id)), network(u16::from_be_bytes([c, d]), rest)))
}

/// RFC 3032 §2.1. What follows the last label is told by its first bits (RFC 4928 §3): an IP packet, or behind a control word
/// (RFC 4385 §3) an Ethernet frame.
///
/// ```text
/// label (20 bits), traffic class (3 bits), last (1 bit), TTL u8
/// ```
fn mpls(mut bytes: &[u8]) -> Option<(Option<Encap>, Network<'_>)> {
    /// Labels up to this have a meaning of their own (RFC 7274 §3); the one behind 7 spreads load (RFC 6790 §4.2).
    const RESERVED: u32 = 15;
    const ENTROPY: u32 = 7;
    let (mut network, mut before) = (None, None);
    for _ in 0..MAX_TAGS {
        let (entry, rest) = bytes.split_first_chunk()?;
        let entry = u32::from_be_bytes(*entry);
        let label = entry >> 12;
        if label > RESERVED && before != Some(ENTROPY) {
            network = Some(Encap::Mpls(label));
        }
        (bytes, before) = (rest, Some(label));
        if entry & 0x100 != 0 {
            let carried = match rest.first().map(|first| first >> 4) {
                Some(4 | 6) => Network::Ip(rest),
                Some(0) => ethernet(rest.get(4..)?),
                _ => Network::Other,
            };
            return Some((network, carried));
        }
    }
    Some((network, Network::TooDeep))
}

/// RFC 2516 §4. Only code 0 is data.
///
/// ```text
/// version and type (0x11), code u8, session u16, length u16, PPP
/// ```
fn pppoe(bytes: &[u8]) -> Option<(Option<Encap>, Network<'_>)> {
    match bytes.split_first_chunk()? {
        (&[0x11, 0, a, b, c, d], rest) => {
            let length = usize::from(u16::from_be_bytes([c, d]));
            Some((Some(Encap::Pppoe(u16::from_be_bytes([a, b]))), ppp(rest.get(..length).unwrap_or(rest))))
        }
        _ => None,
    }
}

/// IEEE 802.1Q §9.7.
///
/// ```text
/// priority and flags u8, service (24 bits), a frame
/// ```
fn backbone(bytes: &[u8]) -> Option<(Option<Encap>, Network<'_>)> {
    let (&[_, a, b, c], rest) = bytes.split_first_chunk()?;
    Some((Some(Encap::Service(u32::from_be_bytes([0, a, b, c]))), ethernet(rest)))
}

/// IEEE 802.1AE §9.3. Where nothing is encrypted, only a check value stands behind the frame.
///
/// ```text
/// version, end station, channel is told, broadcast, encrypted, changed (a bit each), association (2 bits), length (8 bits),
/// number u32, channel (8 bytes) where it is told, EtherType u16
/// ```
fn macsec(bytes: &[u8]) -> Option<Network<'_>> {
    const VERSION: u8 = 0x80;
    const CHANNEL: u8 = 0x20;
    const ENCRYPTED: u8 = 0x08;
    const CHANGED: u8 = 0x04;
    let (&[control, length, ..], rest) = bytes.split_first_chunk::<6>()?;
    if control & VERSION != 0 || length & 0xc0 != 0 {
        return None;
    }
    match control & (ENCRYPTED | CHANGED) {
        0 => Some(typed(rest.get(if control & CHANNEL != 0 { 8 } else { 0 }..)?)),
        CHANGED => None,
        _ => Some(Network::Encrypted),
    }
}

/// RFC 8300 §2.2. What only looks after the path itself carries no packet.
///
/// ```text
/// version (2 bits), maintenance, reserved (a bit each), TTL (6 bits), length (6 bits, in units of 4 bytes), reserved (4 bits),
/// kind of context (4 bits), next u8, path (24 bits), index u8, context
/// ```
fn nsh(bytes: &[u8]) -> Option<(Option<Encap>, Network<'_>)> {
    /// Units of the header, with a context of fixed length and without any.
    const FIXED: u8 = 6;
    const LEAST: u8 = 2;
    let &[first, second, kind, next, a, b, c, _, ..] = bytes else { return None };
    let length = second & 0x3f;
    let is_sound = match kind {
        1 => length == FIXED,
        2 => length >= LEAST,
        _ => false,
    };
    if first & 0xe0 != 0 || !is_sound {
        return None;
    }
    let rest = bytes.get(usize::from(length) * 4..)?;
    let carried = match next {
        1 | 2 => Network::Ip(rest),
        3 => ethernet(rest),
        4 => Network::Wrapped(ether_type::NSH, rest),
        5 => Network::Wrapped(ether_type::MPLS, rest),
        _ => return None,
    };
    Some((Some(Encap::Nsh(u32::from_be_bytes([0, a, b, c]))), carried))
}
