//! Captures one behind the other in one input, as `cat` and rotation make them: of every format, and compressed.

use super::facts::{facts, part};
use super::make::*;
use super::packed::{gzip, refusal};
use std::io::{self, Read};
use wspect::capture::Reader;

/// 2023-11-14.
const TIME: u32 = 1_700_000_000;

/// A way to write a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Pcap(Order, u32),
    PcapNg(Order),
}

impl Way {
    fn all() -> impl Iterator<Item = Self> + Clone {
        let pcap = |order| [MICROS, NANOS, MODIFIED].map(|magic| Self::Pcap(order, magic));
        Order::BOTH.into_iter().flat_map(move |order| [&pcap(order)[..], &[Self::PcapNg(order)]].concat())
    }

    /// A capture of that link type with a packet a second, from that one on.
    fn write(self, link: u16, second: u32, packets: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Pcap(order, magic) => {
                (second..)
                    .zip(packets)
                    .fold(Pcap::new(order, magic, link.into()), |file, (second, packet)| file.packet(second, 0, packet))
                    .bytes
            }
            Self::PcapNg(order) => {
                (second..)
                    .zip(packets)
                    .fold(PcapNg::new(order).interface(link, 0, &[]), |file, (second, packet)| {
                        file.enhanced(0, u64::from(second) * 1_000_000, packet)
                    })
                    .bytes
            }
        }
    }

    /// What findings tell when this is read on behind that one.
    fn told(self, before: Self) -> &'static [&'static str] {
        if matches!((before, self), (Self::PcapNg(_), Self::PcapNg(_))) { &[] } else { &["FILE-JOINED"] }
    }
}

/// Numbers, seconds, link types and bytes of packets.
fn told(packets: &[Got]) -> Vec<(u64, i64, u32, &[u8])> {
    let of = |got: &Got| (got.number, got.time.unwrap() / 1_000_000_000 - i64::from(TIME), got.link);
    packets
        .iter()
        .map(|got| {
            let (number, second, link) = of(got);
            (number, second, link, &got.bytes[..])
        })
        .collect()
}

/// A byte at a time, as a slow pipe.
struct Slow(io::Cursor<Vec<u8>>);

impl Read for Slow {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = room.len().min(1);
        self.0.read(&mut room[..most])
    }
}

#[test]
fn every_format_is_read_on_behind_every_other() {
    for one in Way::all() {
        for other in Way::all() {
            let first = one.write(1, TIME, &[b"abc", b""]);
            let joined =
                [&first[..], &other.write(113, TIME + 5, &[b"defg", b"h"]), &one.write(101, TIME + 9, &[b"i"])];
            let expected: &[(u64, i64, u32, &[u8])] =
                &[(1, 0, 1, b"abc"), (2, 1, 1, b""), (3, 5, 113, b"defg"), (4, 6, 113, b"h"), (5, 9, 101, b"i")];
            let (packets, notes) = read(&joined.concat());
            assert_eq!(told(&packets), expected, "{one:?} {other:?}");
            assert_eq!(codes(&notes), [other.told(one), one.told(other)].concat(), "{one:?} {other:?}");
            if let Some(note) = notes.first() {
                assert_eq!(note.at.packet.0, 2);
                assert!(note.text.ends_with(&format!("begins at offset {}; it is read on", first.len())), "{note:?}");
            }
            assert!(read_from(Slow(io::Cursor::new(joined.concat()))) == (packets, notes), "{one:?} {other:?}");
        }
    }
}

#[test]
fn each_tells_of_itself() {
    for one in Way::all() {
        for other in Way::all() {
            let joined =
                [one.write(1, TIME, &[b"a", b"b"]), other.write(113, TIME, &[b"c"]), one.write(101, TIME, &[])];
            let (facts, _) = facts(vec![part("a", joined.concat())]);
            let rows = facts.files[0].interfaces.iter().map(|row| (row.link.0, row.packets.unwrap_or_default()));
            assert_eq!(rows.collect::<Vec<_>>(), [(1, 2), (113, 1), (101, 0)], "{one:?} {other:?}");
            let alone = |way: Way| facts_of(way.write(1, TIME, &[])).pop().unwrap();
            let mut formats = vec![alone(one)];
            // A section of another byte order makes no other file.
            if alone(other) != alone(one) && !other.told(one).is_empty() {
                formats.push(alone(other));
            }
            assert_eq!(facts.files[0].formats, formats, "{one:?} {other:?}");
        }
    }
}

fn facts_of(bytes: Vec<u8>) -> Vec<wspect::model::Format> {
    facts(vec![part("a", bytes)]).0.files.remove(0).formats
}

#[test]
fn what_is_no_header_is_a_record() {
    let odd = Pcap::new(Order::Little, NANOS, 1)
        .packet(0x0a0d_0d0a, 28, b"a time in 1975")
        .packet(0xa1b2_c3d4, 4 << 16 | 2, b"a time in 2055")
        .record([0xa1b2_c3d4, 7, 0, 0], b"")
        .packet(TIME, 0, &Way::PcapNg(Order::Big).write(1, TIME, &[b"inside"]))
        .packet(TIME, 0, &Way::Pcap(Order::Big, NANOS).write(1, TIME, &[b"inside"]));
    let (packets, notes) = read(&odd.bytes);
    assert_eq!((packets.len(), codes(&notes)), (5, vec![]));
}

/// The record that is cut takes bytes of the capture behind, and leads to somewhere in it.
#[test]
fn a_capture_behind_one_that_is_cut_is_read_whole() {
    let noise: Vec<u8> = (0..4000_u32).map(|n| (n.wrapping_mul(n).wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let second: Vec<&[u8]> =
        [0..60, 60..1000, 1000..1090, 1090..2000, 2000..2066, 2066..4000].map(|at| &noise[at]).to_vec();
    for one in Way::all() {
        for other in Way::all() {
            let whole = one.write(1, TIME, &[b"first", &[0xee; 1400]]);
            let behind = other.write(113, TIME + 5, &second);
            for cut in (1..1400).step_by(29) {
                let (packets, notes) = read(&[&whole[..whole.len() - cut], &behind].concat());
                let of_second: Vec<_> =
                    packets.iter().filter(|got| got.link == 113).map(|got| &got.bytes[..]).collect();
                assert!(of_second == second, "{one:?} {other:?} {cut} {notes:?}");
                assert_eq!(packets[0].bytes, b"first");
                assert!(codes(&notes).contains(&"FILE-DAMAGED"), "{one:?} {other:?} {cut} {notes:?}");
            }
        }
    }
}

/// A capture whose packets are those of a conversation, cut anywhere: also in the head of a record.
#[test]
fn what_is_real_is_read_behind_what_is_cut_as_well() {
    let (mix, stomp) = (include_bytes!("../../samples/mix.pcap"), include_bytes!("../../samples/stomp.pcapng"));
    let expected = read(stomp).0.into_iter().map(|got| got.bytes).collect::<Vec<_>>();
    for cut in (300..mix.len()).step_by(531) {
        let (packets, notes) = read(&[&mix[..cut], stomp].concat());
        let last = packets.iter().rev().take(expected.len()).rev().map(|got| &got.bytes);
        assert!(last.eq(&expected), "{cut} {notes:?}");
    }
}

#[test]
fn members_of_a_compressed_input_are_captures_of_any_format() {
    for one in Way::all() {
        for other in Way::all() {
            let plain = [one.write(1, TIME, &[b"abc"]), other.write(113, TIME, &[b"defg"])];
            let expected = read(&plain.concat());
            assert!(read(&plain.clone().map(|capture| gzip(&capture)).concat()) == expected, "{one:?} {other:?}");
            assert!(read(&gzip(&gzip(&plain.concat()))) == expected, "packed twice");
        }
    }
}

#[test]
fn what_is_compressed_is_read_on_behind_what_is_not() {
    for one in Way::all() {
        let (first, other) = (one.write(1, TIME, &[b"abc"]), Way::Pcap(Order::Big, NANOS).write(113, TIME, &[b"defg"]));
        let (packets, notes) = read(&[&first[..], &gzip(&other)].concat());
        assert_eq!(told(&packets), [(1, 0, 1, &b"abc"[..]), (2, 0, 113, b"defg")], "{one:?} {notes:?}");
        assert_eq!(codes(&notes), ["FILE-JOINED"]);
        let (packets, notes) = read(&[&first[..], &gzip(b"Hello")].concat());
        assert_eq!((packets.len(), codes(&notes)), (1, vec!["FILE-DAMAGED"]));
        let text = "cannot be read: inside the gzip stream: not a pcap or pcapng file (first bytes 48 65 6c 6c): it looks like text";
        assert!(notes[0].text.ends_with(text), "{}", notes[0].text);
    }
}

/// In each another, behind a capture or not: unpacking takes memory, and a stack.
#[test]
fn nesting_ends() {
    let capture = Way::Pcap(Order::Little, MICROS).write(1, TIME, &[b"abc"]);
    let thrice = gzip(&gzip(&gzip(&capture)));
    let why = "inside the gzip stream: it is compressed once more, and is unpacked 2 times at most: unpack it first";
    assert_eq!(refusal(&thrice), why);
    let deep = (0..2000).fold(Vec::new(), |inner, _| [&capture[..], &gzip(&inner)].concat());
    let mut reader = Reader::new(Box::new(io::Cursor::new(deep))).unwrap();
    assert_eq!(drain(&mut reader).len(), 3);
    assert_eq!(codes(&reader.take_notes()), ["FILE-JOINED", "FILE-JOINED", "FILE-DAMAGED"]);
}

/// Captures in one another, each in the only packet of the one around it, which leads into nothing: bytes are looked at again once.
#[test]
fn nothing_is_given_back_again_and_again() {
    let way = Pcap::new(Order::Little, MICROS, 1).bytes;
    let mut nested = vec![0xff; 100_000];
    for _ in 0..2000 {
        let len = nested.len() as u32;
        let head = [TIME, 0, len - 50_000, len].map(u32::to_le_bytes).concat();
        nested = [&way[..], &head, &nested].concat();
    }
    let (packets, _) = read(&nested);
    assert!(packets.len() < 10, "{}", packets.len());
}
