//! Captures between which the clock was set back: their times say one order, their TCP streams another.

use crate::capture::{Bytes, Part, Reader};
use crate::model::{Endpoint, Flags, Limits, Segment, Timestamp};
use crate::net::{Decoded, Decoder, Whole};
use std::collections::HashMap;

/// Directions of TCP streams that are kept in mind of a capture.
const FLOWS: usize = 1 << 16;
/// Packets of a capture in which those of the one before are looked for; and those that make that worth a look.
const PACKETS: usize = 10_000;
const FIRST: usize = 1000;
/// Bytes that may be lost between two captures of a stream, and that may be sent again.
const LOST: i32 = 1 << 20;
const AGAIN: i32 = 1 << 16;
/// So many streams must go on for one that does not: what is sent again is no more.
const MOST: usize = 9;

/// The sender, and the receiver.
type Way = (Endpoint, Endpoint);
/// A number of each direction, and how many more segments of another capture go on behind it than do not.
type Ways = HashMap<Way, (u32, i64)>;

/// The places from which captures are to be read behind all before, although their times are earlier.
///
/// Captures that are named in any order are read in that of their times. But where streams go on in one exactly behind what they
/// carried in the one that is named before it, the order is the one in which they are named. That is looked for only where
/// times go back, of files: their beginnings are read once more, and all of one where these say that it may be so.
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

/// Whether streams go on from one capture to the other, and hardly any goes the other way. Captures that were made side by side
/// share streams, too, but each has what stands before and what stands behind that of the other.
fn goes_on(before: &Part, after: &Part, limits: &Limits) -> bool {
    let (mut firsts, mut ends): (Ways, Ways) = (HashMap::new(), HashMap::new());
    numbers(before, limits, FIRST, |way, number| {
        if firsts.len() < FLOWS {
            firsts.entry(way).or_insert((number.first, 0));
        }
    });
    // Captures that are named behind later ones show at their beginnings that they are earlier. Where these have no stream in common,
    // few go on at all: not worth reading one of them twice.
    let (on, back) = votes(firsts, after, limits, FIRST, i32::MAX);
    if on == 0 || on < MOST * back {
        return false;
    }
    numbers(before, limits, usize::MAX, |way, number| {
        let has_room = ends.len() < FLOWS;
        match ends.get_mut(&way) {
            // What is sent again takes nothing back.
            Some((end, _)) if number.begins || ahead(number.next, *end) >= 0 => *end = number.next,
            Some(_) => {}
            None if has_room => _ = ends.insert(way, (number.next, 0)),
            None => {}
        }
    });
    let (on, back) = votes(ends, after, limits, PACKETS, LOST);
    on > 0 && on >= MOST * back
}

/// How many of these directions go on in the capture, by most of their segments in its first packets: no more than so many bytes ahead. And how
/// many do not.
fn votes(mut ways: Ways, after: &Part, limits: &Limits, packets: usize, most: i32) -> (usize, usize) {
    numbers(after, limits, packets, |way, number| {
        let Some((known, more)) = ways.get_mut(&way) else { return };
        let ahead = ahead(number.first, *known);
        // Another stream of the same ends tells nothing.
        if (-AGAIN..0).contains(&ahead) || !number.begins {
            *more += if (0..most).contains(&ahead) { 1 } else { -1 };
        }
    });
    let count = |is_meant: fn(i64) -> bool| ways.values().filter(|(_, more)| is_meant(*more)).count();
    (count(|more| more > 0), count(|more| more < 0))
}

/// How many bytes one number is ahead of another, modulo 2³².
const fn ahead(one: u32, other: u32) -> i32 {
    one.wrapping_sub(other).cast_signed()
}

/// Where a direction stands, as a segment of it says, or one that acknowledges it.
struct Number {
    first: u32,
    /// The one behind its payload, also behind what of that was not captured.
    next: u32,
    /// It begins a stream.
    begins: bool,
}

/// Tells where the directions of TCP streams stand in a capture, or in its first packets, segment by segment.
fn numbers(part: &Part, limits: &Limits, packets: usize, mut tell: impl FnMut(Way, Number)) {
    let Bytes::File(open) = &part.bytes else { return };
    let Some(mut reader) = open().ok().and_then(|bytes| Reader::new(bytes).ok()) else { return };
    let (mut decoder, mut whole) = (Decoder::new(*limits), Whole::default());
    for _ in 0..packets {
        let Some(packet) = reader.next_packet() else { return };
        let Decoded::Segment(segment) = decoder.decode(&packet, &mut whole) else { continue };
        let Segment { src, dst, seq, ack, flags, payload, cut, .. } = segment;
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX).saturating_add(cut);
        let begins = flags.has(Flags::SYN);
        if len > 0 || begins {
            tell((src, dst), Number { first: seq, next: seq.wrapping_add(len), begins });
        }
        if flags.has(Flags::ACK) {
            tell((dst, src), Number { first: ack, next: ack, begins: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Cursor, Read};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Packets of a capture: ten times as many as make it worth a look.
    const ALL: u32 = 10 * FIRST as u32;

    /// What the sender of that port says, five bytes in each packet, in a capture that begins with that number of its packets.
    fn capture(seconds: u32, port: u16, first: u32) -> Vec<u8> {
        let header: [u32; 6] = [0xa1b2_c3d4, 2 | 4 << 16, 0, 0, 65_535, 101];
        let mut file: Vec<u8> = header.iter().flat_map(|field| field.to_le_bytes()).collect();
        for nth in first..first + ALL {
            let record: [u32; 4] = [seconds, nth - first, 45, 45];
            file.extend(record.iter().flat_map(|field| field.to_le_bytes()));
            file.extend([0x45, 0, 0, 45, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
            file.extend([port.to_be_bytes(), 80_u16.to_be_bytes()].concat());
            file.extend([(5 * nth).to_be_bytes(), [0; 4]].concat());
            file.extend([0x50, 0, 4, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5]);
        }
        file
    }

    /// Counts the bytes that are read of it.
    struct Counted(Cursor<Vec<u8>>, Arc<AtomicUsize>);

    impl Read for Counted {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(room)?;
            self.1.fetch_add(read, Ordering::Relaxed);
            Ok(read)
        }
    }

    /// The places for two captures, and the share of their bytes that is read for that, in percent.
    fn looked(before: Vec<u8>, after: Vec<u8>) -> (Vec<usize>, usize) {
        let (count, all) = (Arc::new(AtomicUsize::new(0)), before.len() + after.len());
        let part = |file: Vec<u8>| {
            let count = Arc::clone(&count);
            let open = move || {
                let bytes: Box<dyn Read + Send> = Box::new(Counted(Cursor::new(file.clone()), Arc::clone(&count)));
                Ok(bytes)
            };
            Part { name: String::new(), bytes: Bytes::File(Box::new(open)) }
        };
        let places = places(&mut [part(before), part(after)], &Limits::DEFAULT);
        (places, 100 * count.load(Ordering::Relaxed) / all)
    }

    #[test]
    fn captures_that_are_named_newest_first_are_not_read_twice() {
        for (what, newer) in [("no stream in common", capture(900, 5, 0)), ("a stream goes on", capture(900, 4, ALL))] {
            let (places, read) = looked(newer, capture(100, 4, 0));
            assert!(places.is_empty() && read < 60, "{what}: {read} %");
        }
        assert_eq!(looked(capture(900, 4, 0), capture(100, 4, ALL)).0, [1], "the clock was set back");
    }
}
