//! Several captures as one timeline.

use super::make::{Got, MICROS, Order, Pcap, codes, drain};
use proptest::prelude::*;
use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wspect::capture::{Aside, Bytes, Part, Reader};
use wspect::model::{FileNote, FileRuns, Limits, PacketNo};

fn stream(name: &str, bytes: Vec<u8>) -> Part {
    Part { name: name.into(), bytes: Bytes::Stream(Box::new(Cursor::new(bytes))) }
}

/// A capture with a packet for each of these seconds, each spelling the capture's name and its number.
fn capture(name: &str, seconds: &[u32]) -> Vec<u8> {
    let packets = seconds.iter().enumerate();
    let file = Pcap::new(Order::Little, MICROS, 1);
    packets.fold(file, |file, (at, &time)| file.packet(time, 0, format!("{name}:{}", at + 1).as_bytes())).bytes
}

/// What each packet spells, where it is said to stand, and the findings.
fn merged(parts: Vec<Part>) -> (Vec<String>, Vec<String>, Vec<FileNote>) {
    merged_within(parts, &Limits::DEFAULT)
}

fn merged_within(parts: Vec<Part>, limits: &Limits) -> (Vec<String>, Vec<String>, Vec<FileNote>) {
    let mut reader = Reader::timeline(parts, limits).unwrap_or_else(|(name, why)| panic!("{name}: {why}"));
    let (mut spelt, mut stand, mut runs) = (Vec::new(), Vec::new(), FileRuns::default());
    loop {
        let mut run = None;
        let packet = reader.next_packet_after(&mut |aside| {
            if let Aside::File(new) = aside {
                run = Some(new);
            }
        });
        let Some(packet) = packet else { break };
        assert_eq!(packet.mark.packet, PacketNo(spelt.len() as u64 + 1));
        spelt.push(String::from_utf8(packet.bytes.to_vec()).unwrap());
        if let Some(run) = run {
            runs.push(run);
        }
        stand.push(runs.find(packet.mark.packet).unwrap().to_string());
    }
    (spelt, stand, reader.take_notes())
}

/// The order of mergecap: of the packets that come next in each capture the earliest, of two the one of the capture named first.
fn model(files: &[Vec<u32>]) -> Vec<String> {
    let mut next = vec![0; files.len()];
    let heads = |next: &[usize]| {
        let times = files.iter().zip(next).enumerate();
        times.filter_map(|(file, (times, &at))| Some((*times.get(at)?, file))).min()
    };
    let mut order = Vec::new();
    while let Some((_, file)) = heads(&next) {
        next[file] += 1;
        order.push(format!("{file}:{}", next[file]));
    }
    order
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_is_that_of_mergecap(files in prop::collection::vec(prop::collection::vec(1..40_u32, 1..12), 2..6)) {
        let parts = files.iter().enumerate();
        let parts = parts.map(|(at, times)| stream(&at.to_string(), capture(&at.to_string(), times)));
        let (spelt, stand, notes) = merged(parts.collect());
        prop_assert_eq!(&spelt, &model(&files));
        prop_assert_eq!(spelt, stand);
        prop_assert!(notes.is_empty());
    }
}

#[test]
fn captures_one_behind_the_other_are_open_one_at_a_time() {
    struct Counted(Cursor<Vec<u8>>, Arc<AtomicUsize>);
    impl Read for Counted {
        fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(room)
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            self.1.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let open = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let part = |at: u32| {
        let bytes = capture(&at.to_string(), &[100 - at * 2, 101 - at * 2]);
        let (open, most) = (Arc::clone(&open), Arc::clone(&most));
        let file = move || -> std::io::Result<Box<dyn Read + Send>> {
            let now = open.fetch_add(1, Ordering::Relaxed) + 1;
            most.fetch_max(now, Ordering::Relaxed);
            Ok(Box::new(Counted(Cursor::new(bytes.clone()), Arc::clone(&open))))
        };
        Part { name: at.to_string(), bytes: Bytes::File(Box::new(file)) }
    };
    let (spelt, _, notes) = merged((0..40).map(part).collect());
    let expected: Vec<_> = (0..40).rev().flat_map(|at| [format!("{at}:1"), format!("{at}:2")]).collect();
    assert_eq!(spelt, expected, "they are put in the order of their times");
    assert!(notes.is_empty());
    assert_eq!((most.load(Ordering::Relaxed), open.load(Ordering::Relaxed)), (1, 0));
}

#[test]
fn what_cannot_be_read_is_left_out_by_name() {
    let broken = stream("b.pcap", b"Hello, world\n".to_vec());
    let (spelt, _, notes) = merged(vec![stream("a", capture("a", &[1, 2])), broken, stream("c", capture("c", &[3]))]);
    assert_eq!(spelt, ["a:1", "a:2", "c:1"]);
    assert_eq!(codes(&notes), ["FILE-DAMAGED"]);
    assert!(notes[0].text.starts_with("b.pcap is left out: not a pcap"), "{}", notes[0].text);
    let none = vec![stream("x", b"Hello, world\n".to_vec()), stream("y", Vec::new())];
    let (name, why) = Reader::timeline(none, &Limits::DEFAULT).err().unwrap();
    assert!(name == "x" && why.to_string().contains("looks like text"), "{name}: {why}");
}

#[test]
fn what_is_wrong_with_one_stands_at_its_packet() {
    let mut cut = capture("b", &[2, 4]);
    cut.truncate(cut.len() - 1);
    let (spelt, _, notes) = merged(vec![stream("a", capture("a", &[1, 3, 5])), stream("b", cut)]);
    assert_eq!(spelt, ["a:1", "b:1", "a:2", "a:3"]);
    assert_eq!(codes(&notes), ["FILE-CUT"]);
    assert!(notes[0].text.starts_with("b: truncated at offset"), "{}", notes[0].text);
    assert_eq!(notes[0].at.packet, PacketNo(2));
}

/// Those that lie one behind the other count once.
#[test]
fn captures_beyond_the_bound_are_named() {
    let limits = Limits { open_captures: 2, ..Limits::DEFAULT };
    let parts = |c: &[u32]| {
        [("a", &[1, 9][..]), ("b", &[2, 4]), ("c", c)]
            .map(|(name, seconds)| stream(name, capture(name, seconds)))
            .into()
    };
    let (spelt, _, notes) = merged_within(parts(&[5, 8]), &limits);
    assert_eq!((spelt.len(), codes(&notes).len()), (6, 0));
    let (spelt, _, notes) = merged_within(parts(&[3, 8]), &limits);
    assert_eq!(spelt, ["a:1", "b:1", "b:2", "a:2"]);
    assert_eq!(codes(&notes), ["FILE-LIMIT"]);
    assert_eq!(notes[0].text, "c is left out: more than 2 captures overlap in time (limit open-captures)");
}

#[test]
fn formats_and_links_may_differ() {
    let pcapng = include_bytes!("../../samples/stomp.pcapng").to_vec();
    let packed = include_bytes!("../data/stomp.pcapng.xz").to_vec();
    let plain = include_bytes!("../../samples/hixie.pcap").to_vec();
    let alone = |bytes: &[u8]| super::make::read(bytes).0;
    let parts = vec![stream("a", packed), stream("b", plain.clone()), stream("c", pcapng.clone())];
    let mut reader = Reader::timeline(parts, &Limits::DEFAULT).unwrap();
    let both = drain(&mut reader);
    let bytes = |packets: &[Got]| {
        let mut bytes: Vec<_> = packets.iter().map(|packet| (packet.time, packet.bytes.clone())).collect();
        bytes.sort();
        bytes
    };
    let expected: Vec<_> = [alone(&pcapng), alone(&plain), alone(&pcapng)].concat();
    assert!(bytes(&both) == bytes(&expected));
    assert!(both.iter().map(|packet| packet.number).eq(1..=both.len() as u64));
}

/// Compressed in blocks that are longer than what is looked at first.
#[test]
fn captures_in_long_blocks_are_read() {
    use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};
    use std::io::Write as _;
    let noise: Vec<u8> = (0..3_000_000_u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    let packets = noise.chunks(50_000).enumerate();
    let file = packets.fold(Pcap::new(Order::Little, MICROS, 1), |file, (at, bytes)| file.packet(at as u32, 0, bytes));
    let info = FrameInfo::new().block_size(BlockSize::Max4MB);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(&file.bytes).unwrap();
    let packed = encoder.finish().unwrap();
    let parts = vec![stream("packed", packed), stream("b", capture("b", &[7, 90]))];
    let mut reader = Reader::timeline(parts, &Limits::DEFAULT).unwrap_or_else(|(name, why)| panic!("{name}: {why}"));
    let mut count = 0;
    while reader.next_packet().is_some() {
        count += 1;
    }
    assert_eq!((count, reader.left_out()), (62, 0));
}
