//! Local networks, whose frames have MAC addresses.

use crate::net::ether::{Network, llc, network, typed};

/// ```text
/// destination (6 bytes), source (6 bytes), EtherType u16
/// ```
#[inline]
pub(in crate::net) fn ethernet(frame: &[u8]) -> Network<'_> {
    match etherparse::Ethernet2HeaderSlice::from_slice(frame) {
        Ok(header) => network(header.ether_type().0, frame.get(header.slice().len()..).unwrap_or_default()),
        Err(_) => Network::Other,
    }
}

/// Token Ring (IEEE 802.5). The highest bit of the source says that a route follows, which counts its own bytes.
///
/// ```text
/// access control u8, frame control u8, destination (6 bytes), source (6 bytes), route (0 to 31 bytes), LLC
/// ```
pub(super) fn token_ring(frame: &[u8]) -> Network<'_> {
    /// What of the frame control is 01 where LLC follows.
    const KIND: u8 = 0xc0;
    let Some((&[_, control, _, _, _, _, _, _, source, ..], rest)) = frame.split_first_chunk::<14>() else {
        return Network::Other;
    };
    let route = match rest.first() {
        Some(length) if source & 0x80 != 0 => usize::from(length & 0x1f),
        _ => 0,
    };
    if control & KIND == 0x40 { llc(rest.get(route..).unwrap_or_default()) } else { Network::Other }
}

/// ```text
/// frame control u8, destination (6 bytes), source (6 bytes), LLC
/// ```
pub(super) fn fddi(frame: &[u8]) -> Network<'_> {
    match frame.split_first_chunk::<13>() {
        // Asynchronous and synchronous frames of LLC; the lower bits are their priority.
        Some((&[0x50..=0x5f | 0xd0..=0xdf, ..], rest)) => llc(rest),
        _ => Network::Other,
    }
}

/// IP over Fibre Channel (RFC 4338 §4).
///
/// ```text
/// destination (8 bytes), source (8 bytes), LLC
/// ```
pub(super) fn fibre_channel(frame: &[u8]) -> Network<'_> {
    llc(frame.get(16..).unwrap_or_default())
}

/// IP over IEEE 1394, as macOS captures it.
///
/// ```text
/// destination (8 bytes), source (8 bytes), EtherType u16
/// ```
pub(super) fn firewire(frame: &[u8]) -> Network<'_> {
    typed(frame.get(16..).unwrap_or_default())
}

/// IP over InfiniBand (RFC 4391 §6), with the global routing header before it or without.
///
/// ```text
/// routing header (40 bytes), EtherType u16, reserved u16
/// ```
pub(super) fn infiniband(frame: &[u8]) -> Network<'_> {
    let bare = matches!(frame, [0x08, 0x00 | 0x06, 0, 0, ..] | [0x86, 0xdd, 0, 0, ..]);
    let header = if bare { frame } else { frame.get(40..).unwrap_or_default() };
    match header {
        [high, low, _, _, rest @ ..] => network(u16::from_be_bytes([*high, *low]), rest),
        _ => Network::Other,
    }
}
