//! PPP frames, as links and tunnels carry them.

use super::ether::Network;

/// What a PPP frame carries (RFC 1661 §2).
///
/// ```text
/// address and control (0xff03, may be left out: RFC 1661 §6.6), protocol u16, or u8 where its first byte is left out (§6.5)
/// ```
pub(super) fn network(frame: &[u8]) -> Network<'_> {
    let frame = frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame);
    match frame {
        // RFC 1332 §2.3 and RFC 5072 §3.
        [0x00, 0x21 | 0x57, rest @ ..] | [0x21 | 0x57, rest @ ..] => Network::Ip(rest),
        _ => Network::Other,
    }
}
