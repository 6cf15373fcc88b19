//! ICMP errors quote the packet that they are about.

use super::Decoded;
use super::{ip, tcp};
use crate::model::{EncapId, Mark};
use etherparse::IpNumber;

/// Destination unreachable, source quench, time exceeded, parameter problem (RFC 792); Wireshark leaves out redirects.
const ERRORS_V4: [u8; 4] = [3, 4, 11, 12];

/// Destination unreachable, packet too big, time exceeded, parameter problem (RFC 4443 §3).
const ERRORS_V6: [u8; 4] = [1, 2, 3, 4];

/// The TCP header that an ICMP message quotes.
///
/// ```text
/// type u8, code u8, checksum u16, 4 bytes that depend on the type, the packet's IP header and what fits of the rest
/// ```
pub(super) fn quoted<'a>(outer: &ip::Ip<'a>, mark: Mark, encap: EncapId) -> Decoded<'a> {
    let errors = if outer.protocol == IpNumber::ICMP { ERRORS_V4 } else { ERRORS_V6 };
    let Some((head, packet)) = outer.payload.split_first_chunk::<8>() else { return Decoded::Other };
    if !errors.contains(&head[0]) {
        return Decoded::Other;
    }
    match ip::parse(packet, 0) {
        Ok(inner) if inner.protocol == IpNumber::TCP => tcp::quoted(&inner, mark, encap),
        _ => Decoded::Other,
    }
}
