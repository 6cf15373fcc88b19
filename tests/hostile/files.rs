//! What is no capture, and captures whose structure is broken.

use super::support::craft::*;
use super::support::run::{Input, findings, number, records, wspect};
use super::{Survives, around, between, says};

/// What is no capture is refused by name, and nothing of it is repeated.
#[test]
fn what_is_no_capture_is_named() {
    let secret = "0123456789abcdef".repeat(6);
    let key_log = format!("CLIENT_RANDOM {} {secret}\n", "a1".repeat(32));
    let tar = [&vec![b'x'; 257][..], b"ustar\x0000", &[0; 300]].concat();
    let kinds: &[(&str, &[u8])] = &[
        ("empty", b""),
        ("HAR", b"{\"log\":{\"version\":\"1.2\",\"entries\":[]}}"),
        ("HAR", b"\xef\xbb\xbf\n {\"log\":{}}"),
        ("ZIP", b"PK\x03\x04\x14\0\0\0\x08\0"),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        ("zstd", b"\x28\xb5\x2f\xfd\0\0\0\0"),
        ("xz", b"\xfd7zXZ\0\0\0"),
        ("lz4", b"\x04\x22\x4d\x18\0\0"),
        ("snoop", b"snoop\0\0\0\0\0\0\x02\0\0\0\x04"),
        ("PNG", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"),
        ("ELF", b"\x7fELF\x02\x01\x01\0"),
        ("HTML", b"<!DOCTYPE html>\n<html><body>not found</body></html>"),
        ("text", b"Just some words.\n"),
        ("key log", key_log.as_bytes()),
        ("tar", &tar),
        ("not a pcap", &[0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3]),
        ("not a pcap", b"\x0a"),
    ];
    for (name, bytes) in kinds {
        let done = wspect(&["msgs", "--json"], Input::Bytes(bytes));
        assert_eq!(done.code, Some(3), "{name}: {}", done.stderr);
        assert!(done.stdout.is_empty(), "{name}");
        assert!(done.stderr.to_lowercase().contains(&name.to_lowercase()), "{name}: {}", done.stderr);
        assert_eq!(done.stderr.trim_end().lines().count(), 1, "{name}: one line: {}", done.stderr);
        assert!(!done.stderr.contains(&secret), "{name}: a secret is repeated");
        assert!(done.peak_kib < 32 << 10, "{name}: {} KiB", done.peak_kib);
    }
}

#[test]
fn a_capture_may_be_empty() {
    for file in [Pcap::default().header(1), Ng::new(false).bytes, pcapng(&[], true)] {
        let done = wspect(&["msgs", "--json"], Input::Bytes(&file));
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        assert!(done.stdout.is_empty());
        assert!(done.stderr.to_lowercase().contains("no packets"), "{}", done.stderr);
    }
}

/// Lengths that cannot be: nothing is allocated for them, and what was before is shown.
#[test]
fn absurd_lengths_cost_what_they_hit() {
    let [before, behind] = around();
    for big in [false, true] {
        let pcap = Pcap { big, ..Pcap::default() };
        for (caplen, len) in [(u32::MAX, 60), (u32::MAX, u32::MAX), (0x7fff_ffff, 0x7fff_ffff), (300_000_000, 60)] {
            let mut head = Out::new(big);
            head.u32(1_700_000_000).u32(0).u32(caplen).u32(len);
            let file = [pcap.file(&before), head.bytes, vec![0x55; 400]].concat();
            Survives::new("caplen", &["FILE-DAMAGED"]).mib(64).only_before().check(&file);
        }
        for (first, last) in [(0, 0), (33, 33), (0xffff_fff0, 0xffff_fff0), (u32::MAX, 0), (8, 8), (0x8000_0000, 12)] {
            let mut ng = Ng::new(big);
            ng.interface(1, Some(9), None);
            for packet in &before {
                ng.enhanced(0, packet.time as u64, packet);
            }
            let mut block = ng.out();
            block.u32(6).u32(first).raw(&[0x55; 400]).u32(last);
            ng.bytes.extend(block.bytes);
            let found: Vec<_> = findings(Input::Bytes(&ng.bytes)).into_iter().map(|(code, _)| code).collect();
            assert!(found.iter().any(|code| code.starts_with("FILE-")), "block length {first:x}: {found:?}");
            Survives::new("block length", &[]).mib(64).only_before().check(&ng.bytes);
        }
    }
    // Only the trailing length is wrong: that block is passed over at most.
    let mut ng = Ng::new(false);
    ng.interface(1, Some(9), None);
    for (at, packet) in before.iter().chain(&behind).enumerate() {
        ng.enhanced(0, packet.time as u64, packet);
        if at == before.len() {
            let extra = Packet::new(0, 1, vec![0; 60]);
            ng.enhanced(0, 0, &extra);
            let len = ng.bytes.len();
            ng.bytes[len - 4..].copy_from_slice(&7_u32.to_le_bytes());
        }
    }
    Survives::new("trailing length", &[]).mib(64).check(&ng.bytes);
}

/// Sizes and times that a strict reader would refuse.
#[test]
fn odd_records_are_read() {
    let [before, behind] = around();
    let all = [before, behind].concat();
    for snaplen in [0, 1, u32::MAX] {
        Survives::new("snap length", &[]).check(&Pcap { snaplen, ..Pcap::default() }.file(&all));
    }
    // The packet was longer in the file than on the wire, says the file.
    let lying: Vec<Packet> = all.iter().map(|packet| Packet { orig_len: 1, ..packet.clone() }).collect();
    Survives::new("caplen > len", &[]).check(&Pcap::default().file(&lying));
    // A fraction of more than a second.
    let mut file = Pcap { magic: Magic::Nano, ..Pcap::default() }.file(&all);
    file[24 + 4..24 + 8].copy_from_slice(&4_000_000_000_u32.to_le_bytes());
    Survives::new("nanoseconds", &[]).check(&file);
    // Times at either end of what 32 bits hold.
    for second in [0_i64, 0xffff_ffff] {
        let moved: Vec<Packet> =
            all.iter().map(|p| Packet { time: second * 1_000_000_000 + p.time % 1_000_000_000, ..p.clone() }).collect();
        Survives::new("times", &[]).check(&Pcap::default().file(&moved));
    }
    // Backwards.
    let backwards: Vec<Packet> =
        all.iter().enumerate().map(|(at, p)| Packet { time: time_of(1_000_000 - at), ..p.clone() }).collect();
    Survives::new("backwards", &[]).check(&Pcap::default().file(&backwards));
}

/// A pcapng of the sentinels with blocks between them.
fn with_blocks(big: bool, write: impl Fn(&mut Ng)) -> Vec<u8> {
    let [before, behind] = around();
    let mut ng = Ng::new(big);
    ng.interface(1, Some(9), None);
    for packet in &before {
        ng.enhanced(0, packet.time as u64, packet);
    }
    write(&mut ng);
    for packet in &behind {
        ng.enhanced(0, packet.time as u64, packet);
    }
    ng.bytes
}

/// A broken block costs itself.
#[test]
fn broken_blocks_are_passed_over() {
    let packet = Packet::new(0, 1, vec![0; 60]);
    type Write = fn(&mut Ng, &Packet);
    let kinds: &[(&str, Write)] = &[
        ("unknown block", |ng, _| {
            ng.block(0x0000_7777, &[1; 40]);
        }),
        ("reserved block", |ng, _| {
            ng.block(0xffff_ffff, &[]);
        }),
        ("custom blocks", |ng, _| {
            ng.block(0xbad, &[0; 12]).block(0x4000_0bad, &[9; 5]);
        }),
        ("name resolution", |ng, _| {
            ng.block(4, &[1, 0, 200, 0, 1, 2, 3]);
        }),
        ("statistics", |ng, _| {
            ng.block(5, &[0xff; 3]);
        }),
        ("secrets", |ng, _| {
            ng.block(10, &[0xff; 30]).block(10, &[]).block(10, b"KSLT\xff\xff\xff\xffx");
        }),
        ("undefined interface", |ng, packet| {
            ng.enhanced(7, 0, packet).obsolete(9, 0, packet);
        }),
        ("captured length over the block", |ng, packet| {
            let mut body = ng.out();
            body.u32(0).u32(0).u32(0).u32(5000).u32(5000).raw(&packet.bytes);
            let body = body.bytes;
            ng.block(6, &body);
        }),
        ("enhanced packet without a head", |ng, _| {
            ng.block(6, &[0; 8]).block(3, &[]).block(2, &[1]);
        }),
        ("interface without a head", |ng, _| {
            ng.block(1, &[1]);
        }),
        ("options that overrun", |ng, packet| {
            let mut body = ng.out();
            body.u32(0).u32(0).u32(0).u32(60).u32(60).padded(&packet.bytes).u16(1).u16(0xffff).raw(b"abc");
            let body = body.bytes;
            ng.block(6, &body);
        }),
        ("8000 options", |ng, packet| {
            let mut body = ng.out();
            body.u32(0).u32(0).u32(0).u32(60).u32(60).padded(&packet.bytes);
            let option = ng.option(1, b"comment");
            for _ in 0..8000 {
                body.raw(&option);
            }
            let body = body.bytes;
            ng.block(6, &body);
        }),
    ];
    for (what, write) in kinds {
        for big in [false, true] {
            let file = with_blocks(big, |ng| write(ng, &packet));
            Survives::new(what, &[]).mib(64).check(&file);
        }
    }
}

/// Clocks of any resolution and offset; what cannot be told is null, and JSON stays JSON.
#[test]
fn odd_clocks_are_survived() {
    for tsresol in [0xff, 127, 0x8a, 0, 9, 0x80, 0xbf, 64] {
        for tsoffset in [None, Some(i64::MIN), Some(i64::MAX), Some(-1)] {
            let file = with_blocks(false, |ng| {
                ng.section(true);
                ng.interface(1, Some(tsresol), tsoffset);
                for (at, packet) in packets(&Session::sample(1).segments(), &Wire::default()).iter().enumerate() {
                    ng.enhanced(0, if at % 2 == 0 { u64::MAX - at as u64 } else { at as u64 }, packet);
                }
                ng.section(false);
                ng.interface(1, Some(9), None);
            });
            let others = Survives::new("clock", &[]).check(&file);
            let session = Session::sample(1);
            says(others.get(&session.client.to_string()), &session, &format!("clock {tsresol:x} {tsoffset:?}"));
        }
    }
}

/// Exact times of clocks that can be told.
#[test]
fn clocks_are_exact() {
    let packet = &around()[0][0];
    let cases: [(Option<u8>, Option<i64>, u64, &str); 7] = [
        (None, None, 1_700_000_000_123_456, "2023-11-14T22:13:20.123456000Z"),
        (Some(9), None, 1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456789Z"),
        (Some(0), None, 1_700_000_000, "2023-11-14T22:13:20.000000000Z"),
        (Some(12), None, 1_700_000_000_123_456_789, "1970-01-20T16:13:20.000123456Z"),
        (Some(0x8a), None, 1_700_000_000 * 1024 + 512, "2023-11-14T22:13:20.500000000Z"),
        (Some(6), Some(-3600), 1_700_000_000_000_000, "2023-11-14T21:13:20.000000000Z"),
        (Some(6), Some(1_700_000_000), 1, "2023-11-14T22:13:20.000001000Z"),
    ];
    for big in [false, true] {
        for (tsresol, tsoffset, ticks, time) in cases {
            let mut ng = Ng::new(big);
            ng.interface(1, tsresol, tsoffset).enhanced(0, ticks, packet);
            assert_eq!(records("stats", Input::Bytes(&ng.bytes))[0]["start"], time, "{tsresol:?} {tsoffset:?}");
        }
    }
}

#[test]
fn simple_packets_have_no_time() {
    let mut ng = Ng::new(false);
    ng.interface(1, None, None);
    for packet in around().concat() {
        ng.simple(&packet);
    }
    let others = Survives::new("simple packets", &[]).check(&ng.bytes);
    assert!(others.is_empty());
    assert!(records("msgs", Input::Bytes(&ng.bytes)).iter().all(|record| record["time"].is_null()));
}

/// Twenty thousand interfaces, of which one is used.
#[test]
fn many_interfaces_take_little() {
    let file = with_blocks(false, |ng| {
        for _ in 0..20_000 {
            ng.interface(1, None, None);
        }
    });
    Survives::new("interfaces", &[]).mib(96).check(&file);
}

/// A file that was made long before it was written to ends in zeros.
#[test]
fn zeros_behind_the_last_packet_are_no_packets() {
    let [before, _] = around();
    for (what, file) in [("pcap", Pcap::default().file(&before)), ("pcapng", pcapng(&before, false))] {
        let file = [file, vec![0; 8 << 20]].concat();
        let done = Survives::new(what, &[]).mib(64).only_before();
        done.check(&file);
        let packets = number(&records("stats", Input::Bytes(&file))[0], "packets");
        assert!(packets <= before.len() as u64 + 16, "{what}: {packets} packets");
        let found: Vec<_> = findings(Input::Bytes(&file)).into_iter().map(|(code, _)| code).collect();
        assert!(found.iter().any(|code| code.starts_with("FILE-")), "{what}: {found:?}");
    }
}

/// Packets of a link type that is not known are counted and named, the others are read.
#[test]
fn unknown_link_types_are_named() {
    let unknown = Packet::new(0, 147, vec![1, 2, 3]);
    let mut ng = Ng::new(false);
    ng.interface(1, Some(9), None).interface(147, None, None).interface(0xffff, None, None);
    let [before, behind] = around();
    for packet in before.iter().chain(&behind) {
        ng.enhanced(0, packet.time as u64, packet).enhanced(1, 0, &unknown).enhanced(2, 0, &unknown);
    }
    Survives::new("link types", &["LINK-UNKNOWN"]).check(&ng.bytes);
    let texts: Vec<String> = findings(Input::Bytes(&ng.bytes)).iter().map(|(_, record)| record.to_string()).collect();
    assert!(texts.iter().any(|text| text.contains("147")), "{texts:?}");
    assert!(texts.len() < 10, "one finding for each link type, not for each packet");
}

/// Empty packets, packets of one byte, packets of the largest size.
#[test]
fn packets_of_any_size_are_read() {
    let sizes = [0, 1, 13, 14, 15, 33, 34, 53, 65_535, 262_144];
    let odd: Vec<Packet> = sizes.iter().map(|&len| Packet::new(time_of(0), 1, vec![8; len])).collect();
    Survives::new("sizes", &[]).check(&between(&odd));
}
