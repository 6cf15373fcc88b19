//! IEEE 802.11, and what capturing hosts put before its frames.

use super::wrapped;
use crate::net::ether::{Network, llc};

/// A frame without anything before it. A check sequence behind it does no harm: what it carries has lengths of its own.
pub(super) fn bare(bytes: &[u8]) -> Network<'_> {
    frame(bytes, false)
}

/// Radiotap (<https://www.radiotap.org>), little endian.
///
/// ```text
/// version u8, padding u8, length u16, which fields follow u32 (bit 31: as many again), the fields, each aligned
/// ```
pub(super) fn radiotap(bytes: &[u8]) -> Network<'_> {
    const TIME: u8 = 0x01;
    const FLAGS: u8 = 0x02;
    /// Among the flags: the header is padded to 4 bytes.
    const PADDED: u8 = 0x20;
    /// Among the flags: the check sequence is wrong, so that the receiver took nothing of it.
    const DAMAGED: u8 = 0x40;
    let &[_, _, low, high, fields, ..] = bytes else { return Network::Other };
    let Some((header, rest)) = bytes.split_at_checked(u16::from_le_bytes([low, high]).into()) else {
        return Network::Other;
    };
    let more = header.chunks_exact(4).skip(1).take_while(|word| word.last().is_some_and(|high| high & 0x80 != 0));
    let start = 8 + 4 * more.count();
    let start = if fields & TIME != 0 { start.next_multiple_of(8) + 8 } else { start };
    let flags = if fields & FLAGS != 0 { header.get(start).copied().unwrap_or_default() } else { 0 };
    if flags & DAMAGED != 0 { Network::Damaged } else { frame(rest, flags & PADDED != 0) }
}

/// Prism, in the byte order of the machine that captured, or AVS under its number.
///
/// ```text
/// message u32, length u32, device (16 bytes), values
/// ```
pub(super) fn prism(bytes: &[u8]) -> Network<'_> {
    let Some(&[a, _, _, _, length @ ..]) = bytes.first_chunk::<8>() else { return Network::Other };
    if a == AVS {
        return avs(bytes);
    }
    let length = u32::from_le_bytes(length).min(u32::from_be_bytes(length));
    frame(bytes.get(length as usize..).unwrap_or_default(), false)
}

/// The first byte of an AVS header's version, which is `0x80211001`, or that and one.
const AVS: u8 = 0x80;

/// AVS.
///
/// ```text
/// version u32, length u32, values
/// ```
pub(super) fn avs(bytes: &[u8]) -> Network<'_> {
    let Some(&[_, _, _, _, length @ ..]) = bytes.first_chunk::<8>() else { return Network::Other };
    frame(bytes.get(u32::from_be_bytes(length) as usize..).unwrap_or_default(), false)
}

/// Per-packet information before a frame of any link type, little endian.
///
/// ```text
/// version u8, flags u8, length u16, link type u32, fields
/// ```
pub(super) fn ppi(bytes: &[u8]) -> Network<'_> {
    let Some(&[_, _, low, high, link @ ..]) = bytes.first_chunk::<8>() else { return Network::Other };
    match bytes.get(usize::from(u16::from_le_bytes([low, high]))..) {
        Some(rest) => wrapped(u32::from_le_bytes(link), rest),
        None => Network::Other,
    }
}

/// A data frame (IEEE 802.11-2020 §9.3.2.1); `padded`: its header is followed by padding to 4 bytes.
///
/// ```text
/// frame control u16, duration u16, addresses (3 × 6 bytes), sequence control u16,
/// fourth address (6 bytes, between access points), QoS control u16, HT control u32
/// ```
fn frame(bytes: &[u8], padded: bool) -> Network<'_> {
    /// Of the frame control's first byte: version and kind, and what they are of a data frame.
    const KIND: u8 = 0x0f;
    const DATA: u8 = 0x08;
    const EMPTY: u8 = 0x40;
    const QOS: u8 = 0x80;
    /// Of its second byte.
    const BETWEEN: u8 = 0x03;
    const MORE_FRAGMENTS: u8 = 0x04;
    const PROTECTED: u8 = 0x40;
    const HT: u8 = 0x80;
    /// Of the QoS control's first byte.
    const AGGREGATE: u8 = 0x80;
    let Some(&[kind, flags, .., sequence, _]) = bytes.first_chunk::<24>() else { return Network::Other };
    if kind & KIND != DATA || kind & EMPTY != 0 {
        return Network::Other;
    }
    let mut start = if flags & BETWEEN == BETWEEN { 30 } else { 24 };
    let mut aggregate = false;
    if kind & QOS != 0 {
        aggregate = bytes.get(start).is_some_and(|control| control & AGGREGATE != 0);
        start += if flags & HT == 0 { 2 } else { 6 };
    }
    if padded {
        start = start.next_multiple_of(4);
    }
    let body = bytes.get(start..).unwrap_or_default();
    if flags & MORE_FRAGMENTS != 0 || sequence & 0x0f != 0 {
        Network::Fragment
    } else if flags & PROTECTED == 0 {
        payload(body, aggregate)
    } else {
        decrypted(body, aggregate).map_or(Network::Encrypted, |body| payload(body, aggregate))
    }
}

fn payload(body: &[u8], aggregate: bool) -> Network<'_> {
    if aggregate { Network::Amsdu(body) } else { llc(body) }
}

/// The payload of a frame that was encrypted on the air and is not any more, as some adapters hand it over: behind the header
/// of CCMP, GCMP or TKIP (8 bytes), or without it.
fn decrypted(body: &[u8], aggregate: bool) -> Option<&[u8]> {
    let at = if aggregate { MSDU_HEADER } else { 0 };
    let is_clear = |body: &&[u8]| body.get(at..).is_some_and(|llc| llc.starts_with(&[0xaa, 0xaa, 0x03, 0, 0]));
    [Some(body), body.get(8..)].into_iter().flatten().find(is_clear)
}

/// The packets in an aggregate (A-MSDU, IEEE 802.11-2020 §9.3.2.2), each behind LLC.
///
/// ```text
/// destination (6 bytes), source (6 bytes), length u16, LLC and packet, padding to 4 bytes
/// ```
#[derive(Debug, Clone, Copy)]
pub(in crate::net) struct Msdus<'a>(&'a [u8]);

/// Bytes before the LLC of each.
const MSDU_HEADER: usize = 14;

impl<'a> Msdus<'a> {
    pub(in crate::net) const fn new(body: &'a [u8]) -> Self {
        Self(body)
    }
}

impl<'a> Iterator for Msdus<'a> {
    /// What stands behind LLC, and how many bytes of it are not in the frame.
    type Item = (Network<'a>, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let (header, rest) = self.0.split_first_chunk::<MSDU_HEADER>()?;
        let &[.., high, low] = header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let missing = length.saturating_sub(rest.len());
        let used = (MSDU_HEADER + length).next_multiple_of(4);
        self.0 = self.0.get(used..).unwrap_or_default();
        Some((llc(rest.get(..length).unwrap_or(rest)), missing))
    }
}
