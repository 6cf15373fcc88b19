//! Lines between two ends: PPP, HDLC as Cisco has it, frame relay.

use super::lan::ethernet;
use crate::net::ether::{Network, ether_type, network, typed};

/// PPP, bare or in HDLC-like framing (RFC 1662 §3.1).
///
/// ```text
/// address 0xff, control 0x03 (both may be left out), protocol, payload
/// ```
pub(in crate::net) fn ppp(frame: &[u8]) -> Network<'_> {
    match frame {
        [0xff, 0x03, rest @ ..] => protocol(rest),
        _ => protocol(frame),
    }
}

/// PPP behind a byte that tells which way it went; pppd writes it in place of the address.
pub(super) fn directed_ppp(frame: &[u8]) -> Network<'_> {
    match frame {
        [_, 0x03, rest @ ..] => protocol(rest),
        [_, rest @ ..] => ppp(rest),
        [] => Network::Other,
    }
}

/// PPP over Ethernet (RFC 2516 §4), a frame of a session without what is around it.
pub(super) fn pppoe(frame: &[u8]) -> Network<'_> {
    network(ether_type::PPPOE_SESSION, frame)
}

/// What a PPP frame carries (RFC 1661 §2).
///
/// ```text
/// protocol u16, or its lower byte alone (§6.5): only the last byte of a number is odd
/// ```
fn protocol(bytes: &[u8]) -> Network<'_> {
    const IPV4: u16 = 0x0021;
    const IPV6: u16 = 0x0057;
    const MPLS: u16 = 0x0281;
    const MPLS_MULTICAST: u16 = 0x0283;
    let (number, rest) = match bytes {
        [low, rest @ ..] if low & 1 == 1 => (u16::from(*low), rest),
        [high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
        _ => return Network::Other,
    };
    match number {
        IPV4 | IPV6 => Network::Ip(rest),
        MPLS => network(ether_type::MPLS, rest),
        MPLS_MULTICAST => network(ether_type::MPLS_MULTICAST, rest),
        _ => Network::Other,
    }
}

/// HDLC with Cisco's protocol field (RFC 1547 §4.3.1), or with PPP.
///
/// ```text
/// address u8 (0x0f to one, 0x8f to all), control u8, EtherType u16
/// ```
pub(super) fn hdlc(frame: &[u8]) -> Network<'_> {
    match frame {
        [0x0f | 0x8f, _, rest @ ..] => typed(rest),
        _ => ppp(frame),
    }
}

/// The same behind a byte that tells which way it went.
pub(super) fn directed_hdlc(frame: &[u8]) -> Network<'_> {
    hdlc(frame.get(1..).unwrap_or_default())
}

/// Frame relay (RFC 2427 §4), or Cisco's kind of it.
///
/// ```text
/// address (2 to 4 bytes, the last is odd), control 0x03, padding 0x00 or nothing, network layer protocol u8
/// address, EtherType u16
/// ```
pub(super) fn frame_relay(frame: &[u8]) -> Network<'_> {
    const IPV4: u8 = 0xcc;
    const IPV6: u8 = 0x8e;
    const SNAP: u8 = 0x80;
    let Some(end) = frame.iter().take(4).position(|byte| byte & 1 == 1) else { return Network::Other };
    match frame.get(end + 1..).unwrap_or_default() {
        [0x03, IPV4 | IPV6, ip @ ..] | [0x03, 0, IPV4 | IPV6, ip @ ..] => Network::Ip(ip),
        [0x03, SNAP, snap @ ..] | [0x03, 0, SNAP, snap @ ..] => match snap {
            [0, 0, 0, rest @ ..] => typed(rest),
            // A bridged Ethernet frame, with its check sequence or without (§4.2).
            [0, 0x80, 0xc2, 0, 1 | 7, rest @ ..] => ethernet(rest),
            _ => Network::Other,
        },
        [0x03, ..] => Network::Other,
        rest => typed(rest),
    }
}

/// The same behind a byte that tells which way it went.
pub(super) fn directed_frame_relay(frame: &[u8]) -> Network<'_> {
    frame_relay(frame.get(1..).unwrap_or_default())
}
