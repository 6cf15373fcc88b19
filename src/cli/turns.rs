//! Captures between which the clock was set back: their times say one order, their TCP streams another.

use crate::capture::{Bytes, Part, Reader};
use crate::model::{Endpoint, Flags, Limits, Segment, Timestamp};
use crate::net::{Decoded, Decoder, Whole};
use std::collections::HashMap;

/// Directions of TCP streams that are kept in mind of a capture.
const FLOWS: usize = 1 << 16;
/// Packets of a capture in which those of the one before are looked for.
const PACKETS: usize = 10_000;
/// Bytes that may be lost between two captures of a stream, and that may be sent again.
const LOST: u32 = 1 << 20;
const AGAIN: u32 = 1 << 16;

/// The sender, and the receiver.
type Way = (Endpoint, Endpoint);

/// The places from which captures are to be read behind all before, although their times are earlier.
///
/// Captures that are named in any order are read in that of their times. But where streams go on in one exactly behind what they
/// carried in the one that is named before it, the order is the one in which they are named. That is looked for only where
/// times go back, of files, each of which is then read once more.
pub(super) fn places(parts: &mut [Part], limits: &Limits) -> Vec<usize> {
    let is_file = |part: &Part| matches!(part.bytes, Bytes::File(_));
    if parts.len() < 2 || !parts.iter().all(is_file) {
        return Vec::new();
    }
    // What is wrong with one is told when it is read.
    let firsts: Vec<Option<Timestamp>> = parts.iter_mut().map(|part| part.first_time().ok().flatten()).collect();
    let steps = firsts.windows(2).zip(parts.windows(2)).zip(1..);
    let goes_back = |firsts: &[Option<Timestamp>]| matches!(firsts, [Some(before), Some(after)] if after < before);
    let is_step = |parts: &[Part]| matches!(parts, [before, after] if goes_on(before, after, limits));
    steps.filter(|((firsts, parts), _)| goes_back(firsts) && is_step(parts)).map(|(_, place)| place).collect()
}

/// Whether more streams go on from one capture to the other than the other way.
fn goes_on(before: &Part, after: &Part, limits: &Limits) -> bool {
    let (mut ends, mut votes): (HashMap<Way, u32>, i64) = (HashMap::new(), 0);
    segments(before, limits, usize::MAX, |segment| {
        let next = segment.seq.wrapping_add(len(segment));
        let has_room = ends.len() < FLOWS;
        match ends.get_mut(&(segment.src, segment.dst)) {
            Some(end) if segment.flags.has(Flags::SYN) => *end = next,
            // What is sent again takes nothing back.
            Some(end) if next.wrapping_sub(*end) < 1 << 31 => *end = next,
            Some(_) => {}
            None if has_room => _ = ends.insert((segment.src, segment.dst), next),
            None => {}
        }
    });
    segments(after, limits, PACKETS, |segment| {
        let Some(end) = ends.remove(&(segment.src, segment.dst)) else { return };
        // Another stream of the same ends tells nothing.
        if segment.flags.has(Flags::SYN) {
            return;
        }
        let (ahead, behind) = (segment.seq.wrapping_sub(end), end.wrapping_sub(segment.seq));
        votes += i64::from(ahead < LOST) - i64::from(ahead >= LOST && behind > AGAIN);
    });
    votes > 0
}

/// Bytes of its payload, also of what was not captured.
fn len(segment: &Segment<'_>) -> u32 {
    u32::try_from(segment.payload.len()).unwrap_or(u32::MAX).saturating_add(segment.cut)
}

/// Tells of the segments in a capture, or in its first packets, that have payload or begin a stream.
fn segments(part: &Part, limits: &Limits, packets: usize, mut tell: impl FnMut(&Segment<'_>)) {
    let Bytes::File(open) = &part.bytes else { return };
    let Some(mut reader) = open().ok().and_then(|bytes| Reader::new(bytes).ok()) else { return };
    let (mut decoder, mut whole) = (Decoder::new(*limits), Whole::default());
    for _ in 0..packets {
        let Some(packet) = reader.next_packet() else { return };
        if let Decoded::Segment(segment) = decoder.decode(&packet, &mut whole)
            && (len(&segment) > 0 || segment.flags.has(Flags::SYN))
        {
            tell(&segment);
        }
    }
}
