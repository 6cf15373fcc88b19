//! IP headers → what they carry, from whom, for whom.

use super::fragments::Fragment;
use crate::model;
use etherparse::{IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice};

/// Extension headers that are looked through.
const MAX_EXTENSIONS: usize = 64;

/// Bytes of IPv6's fragment header (RFC 8200 §4.5).
const FRAGMENT_HEADER: usize = 8;

/// The payload of an IP packet, behind all extension headers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ip<'a> {
    pub(super) src: model::Ip,
    pub(super) dst: model::Ip,
    pub(super) protocol: IpNumber,
    /// The number that its sender gave it; 0 in IPv6, which has none.
    pub(super) id: u16,
    /// The captured part, without what the link layer put behind it.
    pub(super) payload: &'a [u8],
    /// Bytes of the payload on the wire, at least those captured.
    pub(super) wire_len: usize,
}

/// Why there is no payload to go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread<'a> {
    /// A part of a larger packet.
    Fragment(Fragment<'a>),
    /// More than [`MAX_EXTENSIONS`] extension headers.
    TooDeep,
    /// A header that is cut or cannot be right.
    Bad,
}

/// Reads a packet of which `missing` more bytes were on the wire, with all its extension headers.
///
/// Not to be inlined: handed over in memory, the addresses are written in pieces and read back whole, and the processor then
/// waits. What most packets are is [`plain`].
#[inline(never)]
pub(super) fn parse(bytes: &[u8], missing: usize) -> Result<Ip<'_>, Unread<'_>> {
    if version(bytes) == Some(6) {
        return extensions(parse_v6(bytes, missing).ok_or(Unread::Bad)?);
    }
    let (header, ip) = parse_v4(bytes, missing).ok_or(Unread::Bad)?;
    if header.is_fragmenting_payload() {
        let offset = usize::from(header.fragments_offset().value()) * 8;
        return Err(fragment(&ip, header.identification().into(), offset, header.more_fragments()));
    }
    extensions(ip)
}

/// Reads a whole packet of which `missing` more bytes were on the wire, up to its first extension header.
#[inline(always)]
pub(super) fn plain(bytes: &[u8], missing: usize) -> Option<Ip<'_>> {
    match version(bytes) {
        Some(4) => parse_v4(bytes, missing).filter(|(header, _)| !header.is_fragmenting_payload()).map(|(_, ip)| ip),
        _ => parse_v6(bytes, missing),
    }
}

/// The version of IP that a packet claims to be.
#[inline(always)]
fn version(bytes: &[u8]) -> Option<u8> {
    bytes.first().map(|byte| byte >> 4)
}

/// RFC 791 §3.1.
#[inline(always)]
fn parse_v4(bytes: &[u8], missing: usize) -> Option<(Ipv4HeaderSlice<'_>, Ip<'_>)> {
    let header = Ipv4HeaderSlice::from_slice(bytes).ok()?;
    let start = header.slice().len();
    let (payload, wire_len) = match usize::from(header.total_len()) {
        // The network card was to split the packet and fill in the length.
        0 => bounds(bytes, start, usize::MAX, missing),
        total if total < start => return None,
        total => bounds(bytes, start, total, missing),
    };
    let (src, dst) = (header.source_addr().into(), header.destination_addr().into());
    let (protocol, id) = (header.protocol(), header.identification());
    Some((header, Ip { src, dst, protocol, id, payload, wire_len }))
}

/// RFC 8200 §3.
#[inline(always)]
fn parse_v6(bytes: &[u8], missing: usize) -> Option<Ip<'_>> {
    let header = Ipv6HeaderSlice::from_slice(bytes).ok()?;
    let start = header.slice().len();
    let (payload, wire_len) = match usize::from(header.payload_length()) {
        // A jumbogram (RFC 2675), or offload as in IPv4.
        0 => bounds(bytes, start, usize::MAX, missing),
        len => bounds(bytes, start, start + len, missing),
    };
    let (src, dst) = (header.source_addr().into(), header.destination_addr().into());
    Some(Ip { src, dst, protocol: header.next_header(), id: 0, payload, wire_len })
}

/// The payload from `start` to `end`, and its length on the wire. The frame bounds what the header claims.
#[inline(always)]
fn bounds(bytes: &[u8], start: usize, end: usize, missing: usize) -> (&[u8], usize) {
    let payload = bytes.get(start..end.min(bytes.len())).unwrap_or_default();
    let wire_end = end.min(bytes.len().saturating_add(missing));
    (payload, wire_end.saturating_sub(start))
}

/// Looks through extension headers (RFC 8200 §4) and the authentication header (RFC 4302).
///
/// ```text
/// extension: next header u8, length u8 (in units of 8 bytes, the first not counted), the rest
/// ```
pub(super) fn extensions(mut ip: Ip<'_>) -> Result<Ip<'_>, Unread<'_>> {
    for _ in 0..=MAX_EXTENSIONS {
        let length = |unit| ip.payload.get(1).map(|&length| unit * usize::from(length)).ok_or(Unread::Bad);
        let used = match ip.protocol {
            IpNumber::IPV6_HEADER_HOP_BY_HOP
            | IpNumber::IPV6_ROUTE_HEADER
            | IpNumber::IPV6_DESTINATION_OPTIONS
            | IpNumber::SHIM6 => length(8)? + 8,
            IpNumber::AUTHENTICATION_HEADER => length(4)? + 8,
            IpNumber::IPV6_FRAGMENTATION_HEADER => FRAGMENT_HEADER,
            _ => return Ok(ip),
        };
        let (head, rest) = ip.payload.split_at_checked(used).ok_or(Unread::Bad)?;
        let is_fragment = ip.protocol == IpNumber::IPV6_FRAGMENTATION_HEADER;
        ip.protocol = IpNumber(*head.first().ok_or(Unread::Bad)?);
        (ip.payload, ip.wire_len) = (rest, ip.wire_len.saturating_sub(used));
        if is_fragment {
            let header = Ipv6FragmentHeaderSlice::from_slice(head).map_err(|_| Unread::Bad)?;
            // One that stands before a whole payload is passed over (RFC 6946).
            if header.is_fragmenting_payload() {
                let offset = usize::from(header.fragment_offset().value()) * 8;
                return Err(fragment(&ip, header.identification(), offset, header.more_fragments()));
            }
        }
    }
    Err(Unread::TooDeep)
}

const fn fragment<'a>(ip: &Ip<'a>, id: u32, offset: usize, more: bool) -> Unread<'a> {
    let &Ip { src, dst, protocol, payload, wire_len, .. } = ip;
    Unread::Fragment(Fragment { src, dst, id, protocol: protocol.0, offset, more, payload, wire_len })
}
