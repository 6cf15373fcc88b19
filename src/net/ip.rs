//! IP headers → what they carry, from whom, for whom.

use crate::model;
use etherparse::{IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice};

/// Extension headers that are looked through.
const MAX_EXTENSIONS: usize = 64;

/// The payload of an IP packet, behind all extension headers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ip<'a> {
    pub(super) src: model::Ip,
    pub(super) dst: model::Ip,
    pub(super) protocol: IpNumber,
    /// The captured part, without what the link layer put behind it.
    pub(super) payload: &'a [u8],
    /// Bytes of the payload on the wire, at least those captured.
    pub(super) wire_len: usize,
}

/// Why there is no payload to go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// A part of a larger packet.
    Fragment,
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
pub(super) fn parse(bytes: &[u8], missing: usize) -> Result<Ip<'_>, Unread> {
    let ip = plain(bytes, missing)?;
    if ip.src.is_v6() || ip.protocol == IpNumber::AUTHENTICATION_HEADER { extensions(ip) } else { Ok(ip) }
}

/// Reads a packet of which `missing` more bytes were on the wire, up to its first extension header.
#[inline(always)]
pub(super) fn plain(bytes: &[u8], missing: usize) -> Result<Ip<'_>, Unread> {
    match bytes.first().map(|byte| byte >> 4) {
        Some(4) => parse_v4(bytes, missing),
        Some(6) => parse_v6(bytes, missing),
        _ => Err(Unread::Bad),
    }
}

/// RFC 791 §3.1.
#[inline(always)]
fn parse_v4(bytes: &[u8], missing: usize) -> Result<Ip<'_>, Unread> {
    let header = Ipv4HeaderSlice::from_slice(bytes).map_err(|_| Unread::Bad)?;
    let start = header.slice().len();
    let (payload, wire_len) = match usize::from(header.total_len()) {
        // The network card was to split the packet and fill in the length.
        0 => bounds(bytes, start, usize::MAX, missing),
        total if total < start => return Err(Unread::Bad),
        total => bounds(bytes, start, total, missing),
    };
    if header.is_fragmenting_payload() {
        return Err(Unread::Fragment);
    }
    Ok(Ip {
        src: header.source_addr().into(),
        dst: header.destination_addr().into(),
        protocol: header.protocol(),
        payload,
        wire_len,
    })
}

/// RFC 8200 §3.
#[inline(always)]
fn parse_v6(bytes: &[u8], missing: usize) -> Result<Ip<'_>, Unread> {
    let header = Ipv6HeaderSlice::from_slice(bytes).map_err(|_| Unread::Bad)?;
    let start = header.slice().len();
    let (payload, wire_len) = match usize::from(header.payload_length()) {
        // A jumbogram (RFC 2675), or offload as in IPv4.
        0 => bounds(bytes, start, usize::MAX, missing),
        len => bounds(bytes, start, start + len, missing),
    };
    Ok(Ip {
        src: header.source_addr().into(),
        dst: header.destination_addr().into(),
        protocol: header.next_header(),
        payload,
        wire_len,
    })
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
fn extensions(mut ip: Ip<'_>) -> Result<Ip<'_>, Unread> {
    for _ in 0..=MAX_EXTENSIONS {
        let length = |unit| ip.payload.get(1).map(|&length| unit * usize::from(length)).ok_or(Unread::Bad);
        let used = match ip.protocol {
            IpNumber::IPV6_HEADER_HOP_BY_HOP
            | IpNumber::IPV6_ROUTE_HEADER
            | IpNumber::IPV6_DESTINATION_OPTIONS
            | IpNumber::SHIM6 => length(8)? + 8,
            IpNumber::AUTHENTICATION_HEADER => length(4)? + 8,
            IpNumber::IPV6_FRAGMENTATION_HEADER => fragment(ip.payload)?,
            _ => return Ok(ip),
        };
        ip.protocol = IpNumber(*ip.payload.first().ok_or(Unread::Bad)?);
        ip.payload = ip.payload.get(used..).ok_or(Unread::Bad)?;
        ip.wire_len = ip.wire_len.saturating_sub(used);
    }
    Err(Unread::TooDeep)
}

/// The length of a fragment header that stands before a whole payload (RFC 6946).
fn fragment(bytes: &[u8]) -> Result<usize, Unread> {
    let header = Ipv6FragmentHeaderSlice::from_slice(bytes).map_err(|_| Unread::Bad)?;
    if header.is_fragmenting_payload() { Err(Unread::Fragment) } else { Ok(header.slice().len()) }
}
