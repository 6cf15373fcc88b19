//! The classic format: its variants, and files that lie.

use crate::make::*;

const SECOND: i64 = 1_000_000_000;

#[test]
fn every_variant_tells_the_same() {
    for order in Order::BOTH {
        for (magic, unit) in [(MICROS, 1000), (NANOS, 1), (MODIFIED, 1000)] {
            let file = Pcap::new(order, magic, 1).packet(1_700_000_000, 7, b"abc").packet(1_700_000_001, 999_999, b"");
            let (packets, notes) = read(&file.bytes);
            let time = 1_700_000_000 * SECOND;
            let first = Got { number: 1, time: Some(time + 7 * unit), link: 1, bytes: b"abc".to_vec(), orig_len: 3 };
            let second =
                Got { number: 2, time: Some(time + SECOND + 999_999 * unit), link: 1, bytes: vec![], orig_len: 0 };
            assert_eq!(packets, [first, second], "{order:?} {magic:x}");
            assert!(notes.is_empty());
        }
    }
}

#[test]
fn the_link_type_is_told_without_the_check_sequence() {
    let file = Pcap::new(Order::Little, MICROS, 0x2400_0001).packet(1, 0, b"abc");
    assert_eq!(read(&file.bytes).0[0].link, 1);
}

#[test]
fn odd_records_are_packets() {
    let file = Pcap::new(Order::Little, NANOS, 1)
        .record([5, 4_000_000_000, 3, 9], b"cut")
        .record([6, 0, 4, 2], b"long")
        .record([u32::MAX, 0, 1, 1], b"x")
        .record([0, 0, 0, 0], b"")
        .packet(7, 0, &[0x55; 100_000]);
    let (packets, notes) = read(&file.bytes);
    let told: Vec<_> =
        packets.iter().map(|packet| (packet.time.unwrap(), packet.bytes.len(), packet.orig_len)).collect();
    let last = i64::from(u32::MAX) * SECOND;
    assert_eq!(told, [(9 * SECOND, 3, 9), (6 * SECOND, 4, 2), (last, 1, 1), (0, 0, 0), (7 * SECOND, 100_000, 100_000)]);
    assert!(notes.is_empty());
}

#[test]
fn a_capture_without_packets_is_one() {
    let (packets, notes) = read(&Pcap::new(Order::Little, MICROS, 1).bytes);
    assert!(packets.is_empty() && notes.is_empty());
}

#[test]
fn an_absurd_length_costs_one_packet() {
    for order in Order::BOTH {
        for magic in [MICROS, MODIFIED] {
            let file = Pcap::new(order, magic, 1)
                .packet(1_700_000_000, 0, b"before")
                .record([1_700_000_001, 0, u32::MAX, 5], b"what it was about")
                .packet(1_700_000_002, 0, b"after")
                .packet(1_700_000_003, 0, b"later");
            let (packets, notes) = read(&file.bytes);
            let told: Vec<_> = packets.iter().map(|packet| &packet.bytes[..]).collect();
            assert_eq!(told, [&b"before"[..], b"after", b"later"]);
            assert_eq!(codes(&notes), ["FILE-DAMAGED"]);
            let skipped = 17 + if magic == MODIFIED { 24 } else { 16 };
            let text =
                format!("a record claims 4 294 967 295 bytes; passed over {skipped} bytes to the next sound one");
            assert!(notes[0].text.ends_with(&text), "{}", notes[0].text);
        }
    }
}

#[test]
fn an_unlikely_length_is_believed_when_another_record_follows() {
    let lying = Pcap::new(Order::Little, MICROS, 1)
        .record([1_700_000_001, 0, 1 << 20, 1 << 20], b"hello")
        .packet(1_700_000_002, 0, b"after")
        .packet(1_700_000_003, 0, b"later");
    for rest in [0, 2 << 20] {
        let (packets, notes) = read(&[&lying.bytes[..], &vec![0xff; rest]].concat());
        assert_eq!(packets[0].bytes, b"after");
        assert_eq!(packets.len(), 2);
        assert_eq!(notes[0].code.name(), "FILE-DAMAGED");
    }
    let long = vec![1; 300 << 10];
    let file = Pcap::new(Order::Little, MICROS, 1).packet(1, 0, &long).packet(2, 0, &long);
    let (packets, notes) = read(&file.bytes);
    assert_eq!(packets.len(), 2);
    assert!(notes.is_empty());
}

#[test]
fn a_search_that_finds_nothing_ends_the_capture() {
    let file = Pcap::new(Order::Little, MICROS, 1).packet(1, 0, b"before").raw(&[0xff; 3 << 20]);
    let (packets, notes) = read(&file.bytes);
    assert_eq!(packets.len(), 1);
    assert_eq!(codes(&notes), ["FILE-DAMAGED"]);
    assert!(notes[0].text.starts_with("damaged at offset 46:"), "{}", notes[0].text);
}

#[test]
fn a_preallocated_tail_is_no_packets() {
    for magic in [MICROS, MODIFIED] {
        let file = Pcap::new(Order::Little, magic, 1).packet(1, 0, b"before");
        let at = file.bytes.len();
        let (packets, notes) = read(&file.raw(&[0; 100_000]).bytes);
        assert_eq!(packets.len(), 1);
        assert_eq!(codes(&notes), ["FILE-CUT"]);
        assert_eq!(notes[0].text, format!("zero fill from offset {at}: no packets follow"));
    }
}

#[test]
fn findings_are_counted_past_the_eighth() {
    let mut file = Pcap::new(Order::Little, MICROS, 1);
    for second in 0..20 {
        file = file.packet(100 + second, 0, b"good").record([100, 0, u32::MAX, 0], b"bad").packet(
            100 + second,
            0,
            b"good",
        );
    }
    let (packets, notes) = read(&file.bytes);
    assert_eq!(packets.len(), 40);
    assert_eq!(codes(&notes), ["FILE-DAMAGED"; 9]);
    assert_eq!(notes[8].text, "12 more of this kind");
}
