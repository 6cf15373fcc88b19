//! PPP frames, as links and tunnels carry them.

use super::ether::{self, Network};

/// What a PPP frame carries (RFC 1661 §2).
///
/// ```text
/// address and control (0xff03, may be left out: RFC 1661 §6.6), protocol u16, or its lower byte alone (§6.5)
/// ```
pub(super) fn network(frame: &[u8]) -> Network<'_> {
    // RFC 1332 §2.3, RFC 5072 §3, RFC 3032 §4.1.
    const IPV4: u16 = 0x0021;
    const IPV6: u16 = 0x0057;
    const MPLS: u16 = 0x0281;
    const MPLS_MULTICAST: u16 = 0x0283;
    let frame = frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame);
    let (protocol, rest) = match frame {
        // Only the last byte of a number is odd.
        [low, rest @ ..] if low & 1 == 1 => (u16::from(*low), rest),
        [high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
        _ => return Network::Other,
    };
    match protocol {
        IPV4 | IPV6 => Network::Ip(rest),
        MPLS => ether::network(0x8847, rest),
        MPLS_MULTICAST => ether::network(0x8848, rest),
        _ => Network::Other,
    }
}
