//! Sections of blocks: every kind, every clock, and blocks that lie.

use crate::make::*;
use wspect::capture::{Aside, Reader};
use wspect::model::KeySource;

const SECOND: i64 = 1_000_000_000;
const MICROSECONDS: u64 = 1_700_000_000_000_001;
const TIME: i64 = 1_700_000_000_000_001_000;

/// Numbers and bytes of packets.
fn told(packets: &[Got]) -> Vec<(u64, &[u8])> {
    packets.iter().map(|packet| (packet.number, &packet.bytes[..])).collect()
}

#[test]
fn every_block_type() {
    for order in Order::BOTH {
        let file = PcapNg::new(order)
            .ethernet()
            .interface(101, 2, &[])
            .block(4, &[0; 4])
            .enhanced(1, MICROSECONDS, b"raw")
            .block(5, &[0; 12])
            .simple(b"simple")
            .block(10, &[order.u32(0x5747_4b4c), order.u32(0)].concat())
            .obsolete(1, MICROSECONDS, b"old")
            .block(0x8000_0001, b"local");
        let (packets, notes) = read(&file.bytes);
        assert_eq!(told(&packets), [(1, &b"raw"[..]), (2, b"simple"), (3, b"old")]);
        let times: Vec<_> = packets.iter().map(|packet| packet.time).collect();
        assert_eq!(times, [Some(TIME), None, Some(TIME)]);
        let links: Vec<_> = packets.iter().map(|packet| packet.link).collect();
        assert_eq!(links, [101, 1, 101]);
        assert!(notes.is_empty(), "{notes:?}");
    }
}

#[test]
fn numbers_count_what_wireshark_counts() {
    let mut file = PcapNg::new(Order::Little).ethernet();
    for kind in [0xbad, 0x4000_0bad, 9, 0x204, 0x216, 0x221] {
        file = file.block(kind, b"0123456789abcdef0123456789abcdef");
    }
    for kind in [4, 5, 7, 8, 0x99, 0x101, 0x201, 0x208, 0x8000_0001] {
        file = file.block(kind, b"0123456789abcdef0123456789abcdef");
    }
    let (packets, _) = read(&file.enhanced(0, 0, b"x").bytes);
    assert_eq!(packets[0].number, 7);
}

#[test]
fn sections_have_their_own_order_and_interfaces() {
    let file = PcapNg::new(Order::Little)
        .interface(1, 0, &[])
        .enhanced(0, MICROSECONDS, b"one")
        .section(Order::Big)
        .enhanced(0, MICROSECONDS, b"none yet")
        .interface(101, 0, &[])
        .enhanced(0, MICROSECONDS, b"two")
        .section(Order::Little)
        .clocked(9, None)
        .enhanced(0, MICROSECONDS, b"three");
    let (packets, notes) = read(&file.bytes);
    assert_eq!(told(&packets), [(1, &b"one"[..]), (3, b"two"), (4, b"three")]);
    assert_eq!(packets[1].link, 101);
    assert_eq!(packets[2].time, Some(MICROSECONDS as i64));
    assert_eq!(codes(&notes), ["FILE-BLOCK"]);
}

#[test]
fn simple_packets_end_at_the_snap_length() {
    let mut file = PcapNg::new(Order::Little).interface(1, 6, &[]);
    let body = [&file.order.u32(100)[..], b"cut off."].concat();
    file = file.block(3, &body).simple(b"abc");
    let (packets, notes) = read(&file.bytes);
    assert_eq!((&packets[0].bytes[..], packets[0].orig_len), (&b"cut of"[..], 100));
    assert_eq!((&packets[1].bytes[..], packets[1].orig_len), (&b"abc"[..], 3));
    assert!(notes.is_empty());
}

#[test]
fn every_clock() {
    let cases: [(u8, Option<i64>, u64, Option<i64>); 12] = [
        (6, None, MICROSECONDS, Some(TIME)),
        (9, None, 5, Some(5)),
        (0, None, 5, Some(5 * SECOND)),
        (3, Some(-2), 1500, Some(-SECOND / 2)),
        (0x80 | 20, Some(1_700_000_000), 3 << 19, Some(1_700_000_001 * SECOND + SECOND / 2)),
        (0x80 | 10, None, 1536, Some(SECOND * 3 / 2)),
        (0x80 | 127, None, u64::MAX, Some(0)),
        (127, None, u64::MAX, Some(0)),
        (6, Some(i64::MIN), 0, None),
        (6, Some(i64::MAX), u64::MAX, None),
        (6, None, u64::MAX, None),
        (9, Some(-9_223_372_036), 0, Some(-9_223_372_036 * SECOND)),
    ];
    for order in Order::BOTH {
        for (resolution, offset, ticks, time) in cases {
            let file = PcapNg::new(order).clocked(resolution, offset).enhanced(0, ticks, b"x");
            let (packets, notes) = read(&file.bytes);
            assert_eq!(packets[0].time, time, "{order:?} {resolution} {offset:?} {ticks}");
            assert_eq!(codes(&notes), if time.is_some() { vec![] } else { vec!["FILE-TIME"] });
        }
    }
}

#[test]
fn a_time_that_cannot_be_told_is_told_in_ticks() {
    let file = PcapNg::new(Order::Little).ethernet().enhanced(0, 1, b"a").enhanced(0, u64::MAX, b"b").simple(b"c");
    let (packets, notes) = read(&file.bytes);
    assert_eq!(packets.len(), 3);
    assert_eq!(codes(&notes), ["FILE-TIME"]);
    assert_eq!(notes[0].at.packet.0, 2);
    assert!(notes[0].text.contains("18446744073709551615 ticks"), "{}", notes[0].text);
}

/// A sound packet, then what `damage` adds, then a sound packet: the numbers of the packets, and the findings.
fn around(damage: impl Fn(PcapNg) -> PcapNg) -> (Vec<u64>, Vec<&'static str>) {
    let mut both = Order::BOTH.into_iter().map(|order| {
        let file = damage(PcapNg::new(order).ethernet().enhanced(0, MICROSECONDS, b"before"));
        let (packets, notes) = read(&file.enhanced(0, MICROSECONDS, b"after").ethernet().bytes);
        assert_eq!(packets.first().map(|packet| &packet.bytes[..]), Some(&b"before"[..]));
        assert_eq!(packets.last().map(|packet| &packet.bytes[..]), Some(&b"after"[..]));
        (packets.iter().map(|packet| packet.number).collect(), codes(&notes))
    });
    let little = both.next().unwrap();
    assert_eq!(Some(&little), both.next().as_ref());
    little
}

#[test]
fn a_bad_block_costs_itself() {
    let enhanced = |file: &PcapNg, options: &[u8]| file.enhanced_body(0, MICROSECONDS, b"bad?", options);

    let wrong_end = |file: PcapNg| {
        let body = enhanced(&file, &[]);
        file.lying_block(6, &body, 36, 40)
    };
    assert_eq!(around(wrong_end), (vec![1, 3], vec!["FILE-BLOCK"]));

    let captured_over_block = |file: PcapNg| {
        let mut body = enhanced(&file, &[]);
        body.splice(12..16, file.order.u32(5));
        file.block(6, &body)
    };
    assert_eq!(around(captured_over_block), (vec![1, 3], vec!["FILE-BLOCK"]));

    let too_short = |file: PcapNg| file.block(6, &[0; 16]).block(6, &[]).block(3, &[]).block(2, &[0]);
    assert_eq!(around(too_short), (vec![1, 6], vec!["FILE-BLOCK"; 4]));

    let undefined_interface = |file: PcapNg| file.enhanced(1, MICROSECONDS, b"bad");
    assert_eq!(around(undefined_interface), (vec![1, 3], vec!["FILE-BLOCK"]));

    let option_overrun = |file: PcapNg| {
        let body = enhanced(&file, &[file.order.u16(1), file.order.u16(500)].concat());
        file.block(6, &body)
    };
    assert_eq!(around(option_overrun), (vec![1, 2, 3], vec!["FILE-BLOCK"]));

    let many_options = |file: PcapNg| {
        let body = enhanced(&file, &file.option(1, b"note").repeat(8000));
        file.block(6, &body)
    };
    assert_eq!(around(many_options), (vec![1, 2, 3], vec![]));

    let bad_secrets = |file: PcapNg| {
        let body = [file.order.u32(0x544c_534b), file.order.u32(u32::MAX - 2)].concat();
        file.block(10, &body).block(10, &[1])
    };
    assert_eq!(around(bad_secrets), (vec![1, 2], vec!["FILE-BLOCK"; 2]));
}

#[test]
fn a_bad_length_is_searched_past() {
    for length in [0, 8, 33, 4 << 20, 0xffff_fff0] {
        let lying = |file: PcapNg| file.lying_block(6, b"what it was about...", length, length);
        assert_eq!(around(lying), (vec![1, 2], vec!["FILE-DAMAGED"]), "{length}");
    }
    // A length that leads into the middle of another block.
    let lying = |file: PcapNg| file.lying_block(6, &[1; 40], 36, 52);
    assert_eq!(around(lying), (vec![1, 2], vec!["FILE-DAMAGED"]));
}

#[test]
fn an_interface_with_a_bad_end_keeps_its_number() {
    let mut file = PcapNg::new(Order::Little);
    let body = [&file.order.u16(101)[..], &[0; 6]].concat();
    file =
        file.lying_block(1, &body, 20, 24).ethernet().enhanced(1, MICROSECONDS, b"x").enhanced(0, MICROSECONDS, b"y");
    let (packets, notes) = read(&file.bytes);
    assert_eq!(packets.iter().map(|packet| packet.link).collect::<Vec<_>>(), [1, 101]);
    assert_eq!(codes(&notes), ["FILE-BLOCK"]);
    assert!(notes[0].text.contains("used nevertheless"), "{}", notes[0].text);
}

#[test]
fn options_of_an_interface_count_up_to_an_overrun() {
    let mut file = PcapNg::new(Order::Big);
    let options = [file.option(9, &[9]), [file.order.u16(14), file.order.u16(800)].concat()].concat();
    file = file.interface(1, 0, &options).enhanced(0, 5, b"x");
    let (packets, notes) = read(&file.bytes);
    assert_eq!(packets[0].time, Some(5));
    assert_eq!(codes(&notes), ["FILE-BLOCK"]);
    let text = &notes[0].text;
    assert!(text.contains("its interface is used") && !text.contains("passed over"), "{text}");
}

#[test]
fn a_long_block_of_another_kind_is_passed_over() {
    let long = vec![1; 20 << 20];
    let file = PcapNg::new(Order::Little).ethernet().block(0x99, &long).enhanced(0, MICROSECONDS, b"after");
    let (packets, notes) = read(&file.bytes);
    assert_eq!(told(&packets), [(1, &b"after"[..])]);
    assert_eq!(codes(&notes), ["FILE-BLOCK"]);

    let file = PcapNg::new(Order::Little).ethernet().enhanced(0, MICROSECONDS, b"before").block(0x99, &long);
    let (packets, notes) = read(&file.bytes[..file.bytes.len() - 1]);
    assert_eq!(packets.len(), 1);
    assert_eq!(codes(&notes), ["FILE-BLOCK", "FILE-CUT"]);
}

#[test]
fn a_preallocated_tail_is_no_packets() {
    let mut file = PcapNg::new(Order::Little).ethernet().enhanced(0, MICROSECONDS, b"before");
    let at = file.bytes.len();
    file.bytes.resize(at + 100_000, 0);
    let (packets, notes) = read(&file.bytes);
    assert_eq!(packets.len(), 1);
    assert_eq!(notes[0].text, format!("zero fill from offset {at}: no packets follow"));
    assert_eq!(codes(&notes), ["FILE-CUT"]);
}

#[test]
fn keys_are_told_before_the_packet_behind_them() {
    let log = "CLIENT_RANDOM 0011 2233\n";
    for order in Order::BOTH {
        let keys =
            |kind: u32, text: &str| [&order.u32(kind)[..], &order.u32(text.len() as u32), text.as_bytes()].concat();
        let file = PcapNg::new(order)
            .block(10, &keys(0x544c_534b, log))
            .ethernet()
            .enhanced(0, 0, b"x")
            .block(10, &keys(0x544c_534b, "RSA 1 2"))
            .block(10, &keys(0x5747_4b4c, "another protocol's"))
            .block(10, &[&order.u32(0x544c_534b)[..], &order.u32(1 << 20), log.as_bytes()].concat())
            .enhanced(0, 0, b"y");
        let mut reader = Reader::new(Box::new(std::io::Cursor::new(file.bytes))).unwrap();
        let mut told = Vec::new();
        let mut next = || {
            reader.next_packet_after(&mut |aside| {
                if let Aside::Keys(source, text) = aside {
                    told.push((source, String::from_utf8(text.to_vec()).unwrap()));
                }
            });
            std::mem::take(&mut told)
        };
        assert_eq!(next(), [(KeySource::Block, log.to_owned())]);
        // As long as it is, and not as it says.
        assert_eq!(next(), ["RSA 1 2", log].map(|text| (KeySource::Block, text.to_owned())));
        let notes = reader.take_notes();
        assert!(notes[0].text.contains("used nevertheless"), "{notes:?}");
    }
}

#[test]
fn comments_of_sections_are_told() {
    for order in Order::BOTH {
        let mut file = PcapNg::new(order);
        let options = [file.option(1, b"first"), file.option(4, b"tool"), file.option(1, b"second")].concat();
        let section = [&order.u32(0x1a2b_3c4d)[..], &[1, 0, 0, 0], &[0xff; 8], &options].concat();
        file = file.block(0x0a0d_0d0a, &section).ethernet().enhanced(0, 0, b"x");
        let mut reader = Reader::new(Box::new(std::io::Cursor::new(file.bytes))).unwrap();
        let mut told = Vec::new();
        reader.next_packet_after(&mut |aside| {
            if let Aside::Keys(KeySource::Comment, text) = aside {
                told.push(text.to_vec());
            }
        });
        assert_eq!(told, [b"first".to_vec(), b"second".to_vec()]);
    }
}

#[test]
fn many_interfaces_are_bounded() {
    let one = PcapNg::new(Order::Little).ethernet().bytes;
    let (section, interface) = one.split_at(28);
    let mut file = section.to_vec();
    file.extend(interface.repeat(1_000_001));
    let file = PcapNg { order: Order::Little, bytes: file }.enhanced(999_999, 0, b"x").enhanced(1_000_000, 0, b"y");
    let (packets, notes) = read(&file.bytes);
    assert_eq!(told(&packets), [(1, &b"x"[..])]);
    assert_eq!(codes(&notes), ["FILE-BLOCK"; 2]);
}
