//! TCP headers → segments.

use super::ip::Ip;
use super::{Decoded, Header};
use crate::model::{EncapId, Endpoint, Flags, Mark, Segment, Twice};
use etherparse::{TcpHeaderSlice, TcpOptionElement};

/// A TCP header without options (RFC 9293 §3.1).
const HEADER: usize = 20;

/// What suffices of a header: ports, numbers, data offset, flags and window. Wireshark draws the line here too.
const ENOUGH: usize = 16;

/// The segment that `ip` carries.
#[inline(always)]
pub(super) fn segment<'a>(ip: &Ip<'a>, mark: Mark, encap: EncapId) -> Decoded<'a> {
    // Copied: an address of it would keep it in memory, where it is written in pieces and read back whole, and waited for.
    let Ok(header) = TcpHeaderSlice::from_slice(ip.payload) else { return cut_segment(*ip, mark, encap) };
    let payload = ip.payload.get(header.slice().len()..).unwrap_or_default();
    let cut = ip.wire_len.saturating_sub(ip.payload.len());
    Decoded::Segment(build(&header, ip, (mark, encap), (ip.payload, payload), cut))
}

/// A segment whose header is cut or lies about its length.
#[cold]
fn cut_segment(ip: Ip<'_>, mark: Mark, encap: EncapId) -> Decoded<'_> {
    let Some((fixed, length)) = fixed(ip.payload) else { return Decoded::Other };
    let Ok(header) = TcpHeaderSlice::from_slice(&fixed) else { return Decoded::Other };
    match ip.wire_len.checked_sub(length) {
        Some(cut) if length >= HEADER => Decoded::Segment(build(&header, &ip, (mark, encap), (&[], &[]), cut)),
        _ => Decoded::Header(head(&header, &ip, mark, encap)),
    }
}

/// The header that an ICMP error quotes.
pub(super) fn quoted<'a>(ip: &Ip<'a>, mark: Mark, encap: EncapId) -> Decoded<'a> {
    let header = fixed(ip.payload);
    let header = header.as_ref().and_then(|(fixed, _)| TcpHeaderSlice::from_slice(fixed).ok());
    header.map_or(Decoded::Other, |header| Decoded::Header(head(&header, ip, mark, encap)))
}

/// The header without options, zeros for what is cut, its length set accordingly; and the length that it claims.
fn fixed(payload: &[u8]) -> Option<([u8; HEADER], usize)> {
    let captured = payload.get(..payload.len().min(HEADER)).filter(|captured| captured.len() >= ENOUGH)?;
    let mut fixed = [0; HEADER];
    fixed.iter_mut().zip(captured).for_each(|(to, from)| *to = *from);
    let offset = fixed.get_mut(12)?;
    let length = usize::from(*offset >> 4) * 4;
    *offset = 0x50;
    Some((fixed, length))
}

#[inline(always)]
fn build<'a>(
    header: &TcpHeaderSlice<'_>,
    ip: &Ip<'_>,
    (mark, encap): (Mark, EncapId),
    (bytes, payload): (&'a [u8], &'a [u8]),
    cut: usize,
) -> Segment<'a> {
    let Header { mark, src, dst, seq, flags, encap } = head(header, ip, mark, encap);
    let scale = if flags.has(Flags::SYN) { scale(header) } else { None };
    let cut = u32::try_from(cut).unwrap_or(u32::MAX);
    let (ack, window) = (header.acknowledgment_number(), header.window_size());
    Segment { mark, src, dst, seq, ack, flags, window, bytes, payload, cut, scale, encap, twice: Twice::No }
}

/// RFC 7323 §2.2: the option may stand on a SYN only.
#[cold]
fn scale(header: &TcpHeaderSlice<'_>) -> Option<u8> {
    header.options_iterator().map_while(Result::ok).find_map(|option| match option {
        TcpOptionElement::WindowScale(shift) => Some(shift),
        _ => None,
    })
}

#[inline(always)]
fn head(header: &TcpHeaderSlice<'_>, ip: &Ip<'_>, mark: Mark, encap: EncapId) -> Header {
    Header {
        mark,
        src: Endpoint { ip: ip.src, port: header.source_port() },
        dst: Endpoint { ip: ip.dst, port: header.destination_port() },
        seq: header.sequence_number(),
        encap,
        flags: Flags(header.slice().get(13).copied().unwrap_or_default()),
    }
}
