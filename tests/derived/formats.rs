//! Link types, headers around TCP, and file formats: the packets are the same.

use super::support::craft::*;
use super::support::run::{Conversation, Essence, Input};
use super::{LOSS, has_no_findings, says, shown};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Every link type, every variant of IP, every file format: the same messages with the same numbers.
#[test]
fn links_and_formats_do_not_matter() {
    let sessions: Vec<_> = (0..3).map(Session::sample).collect();
    let segments = interleave(sessions.iter().map(|session| session.cut(|_| vec![40])).collect());
    let plain = essence(&says(&capture_of(&segments), &sessions, "Ethernet"));
    for (name, wire, six) in wires() {
        let segments = if six { v6(&segments) } else { segments.clone() };
        let packets = packets(&segments, &wire);
        for (format, file) in files(&packets) {
            let what = format!("{name}, {format}");
            let all = shown(&file);
            assert_eq!(essence(&all), plain, "{what}");
            has_no_findings(&file, LOSS, &what);
        }
    }
}

/// Stream, first and last packets of the messages, and what each direction says.
pub(super) type Row = (u64, Vec<(u64, u64)>, [Vec<Essence>; 2]);

/// All connections in order of their ports.
pub(super) fn essence(all: &BTreeMap<String, Conversation>) -> Vec<Row> {
    let mut rows: Vec<&Conversation> = all.values().collect();
    rows.sort_by_key(|conversation| conversation.port());
    let packets = |c: &Conversation| c.messages.iter().map(|m| (m.first_packet, m.packet)).collect();
    rows.into_iter().map(|c| (c.stream, packets(c), c.essence())).collect()
}

/// All ways to carry a segment: name, wire, over IPv6.
fn wires() -> Vec<(&'static str, Wire, bool)> {
    let over = Wire::over;
    let mut all = vec![
        ("Ethernet, IPv6", Wire::default(), true),
        ("SLL", over(Link::Sll), false),
        ("SLL, IPv6", over(Link::Sll), true),
        ("SLL2", over(Link::Sll2), false),
        ("SLL2, IPv6", over(Link::Sll2), true),
        ("NULL, little endian", over(Link::Null { big: false }), false),
        ("NULL, big endian", over(Link::Null { big: true }), false),
        ("NULL, IPv6", over(Link::Null { big: false }), true),
        ("LOOP", over(Link::Loop), false),
        ("LOOP, IPv6", over(Link::Loop), true),
        ("raw 228", over(Link::Raw(228)), false),
        ("raw 229", over(Link::Raw(229)), true),
    ];
    all.extend([101, 12, 14].map(|number| ("raw", over(Link::Raw(number)), false)));
    all.extend([101, 12, 14].map(|number| ("raw, IPv6", over(Link::Raw(number)), true)));
    let tagged = |vlans: &[(u16, u16)]| Wire { vlans: vlans.to_vec(), ..Wire::default() };
    all.extend([
        ("VLAN", tagged(&[(0x8100, 7)]), false),
        ("priority tag", tagged(&[(0x8100, 0xe000)]), true),
        ("QinQ", tagged(&[(0x88a8, 100), (0x8100, 7)]), false),
        ("QinQ of old", tagged(&[(0x9100, 100), (0x8100, 7)]), false),
        ("three tags", tagged(&[(0x8100, 1), (0x8100, 2), (0x8100, 3)]), false),
        ("IPv4 options", Wire { ip_options: vec![1, 1, 1, 0], ..Wire::default() }, false),
        ("40 bytes of IPv4 options", Wire { ip_options: [&[7, 39][..], &[4; 38]].concat(), ..Wire::default() }, false),
        ("TCP options", Wire { tcp_options: [&[1, 1, 8, 10][..], &[0; 8]].concat(), ..Wire::default() }, false),
        ("40 bytes of TCP options", Wire { tcp_options: vec![1; 40], ..Wire::default() }, true),
        ("total length 0", Wire { zero_length: true, ..Wire::default() }, false),
        ("wrong checksums", Wire { bad_checksums: true, ..Wire::default() }, false),
        ("padding", Wire { trailer: vec![0xee; 18], ..Wire::default() }, false),
        ("padding, IPv6", Wire { trailer: vec![0x81; 7], ..Wire::default() }, true),
        ("frame check sequence over SLL", Wire { trailer: vec![0xff; 4], ..over(Link::Sll) }, false),
    ]);
    let extended = |extensions: &[(u8, usize)]| Wire {
        extensions: extensions.iter().map(|&(number, len)| (number, vec![0; len])).collect(),
        ..Wire::default()
    };
    all.extend([
        ("hop-by-hop options", extended(&[(0, 6)]), true),
        ("destination options and routing", extended(&[(60, 14), (43, 22)]), true),
        ("several extension headers", extended(&[(0, 6), (60, 6), (43, 6), (60, 30)]), true),
    ]);
    all
}

/// All ways to write packets.
fn files(packets: &[Packet]) -> Vec<(&'static str, Vec<u8>)> {
    let pcap = |magic, big| Pcap { magic, big, ..Pcap::default() }.file(packets);
    vec![
        ("pcap", pcap(Magic::Micro, false)),
        ("pcap, big endian", pcap(Magic::Micro, true)),
        ("pcap, nanoseconds", pcap(Magic::Nano, false)),
        ("pcap, nanoseconds, big endian", pcap(Magic::Nano, true)),
        ("pcap, modified", pcap(Magic::Modified, false)),
        ("pcap, modified, big endian", pcap(Magic::Modified, true)),
        ("pcapng", pcapng(packets, false)),
        ("pcapng, big endian", pcapng(packets, true)),
    ]
}

/// Sections, interfaces, every packet block and blocks that hold no packet, in both byte orders.
#[test]
fn pcapng_blocks_do_not_matter() {
    let sessions: Vec<_> = (0..3).map(Session::sample).collect();
    let segments = interleave(sessions.iter().map(Session::segments).collect());
    let ethernet = packets(&segments, &Wire::default());
    let raw = packets(&segments, &Wire::over(Link::Raw(101)));
    let mut ng = Ng::new(false);
    for (at, (packet, raw)) in ethernet.iter().zip(&raw).enumerate() {
        if at % 40 == 0 {
            ng.section(at % 80 == 0);
            ng.interface(1, None, None).interface(101, Some(9), Some(-3600)).interface(1, Some(0x8a), Some(1 << 20));
        }
        match at % 5 {
            0 => ng.enhanced(0, (packet.time / 1000) as u64, packet),
            1 => ng.enhanced(1, packet.time as u64, raw),
            2 => ng.simple(packet),
            3 => ng.obsolete(2, 1024, packet),
            _ => ng.block(4, &[1, 0, 4, 0, 127, 0, 0, 1, 0, 0, 0, 0]).block(5, &[0; 12]).enhanced(0, 0, packet),
        };
    }
    says(&ng.bytes, &sessions, "pcapng");
    has_no_findings(&ng.bytes, LOSS, "pcapng");
}

/// From stdin and from a FIFO comes what comes from a file.
#[test]
fn a_pipe_is_as_good_as_a_file() {
    let sessions: Vec<_> = (0..3).map(Session::sample).collect();
    let file = capture_of(&interleave(sessions.iter().map(Session::segments).collect()));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = dir.join("a_pipe_is_as_good_as_a_file.pcap");
    std::fs::write(&path, &file).unwrap();
    for command in ["msgs", "frames", "ls", "handshake", "check", "stats"] {
        let from = |input| super::support::run::wspect(&[command, "--json"], input);
        let (by_path, by_pipe) = (from(Input::File(&path)), from(Input::Bytes(&file)));
        assert_eq!(by_path.records(), by_pipe.records(), "{command}");
        assert!(command == "check" || !by_path.stdout.is_empty(), "{command} prints something");
    }
    std::fs::remove_file(path).unwrap();
}

/// A FIFO whose writer is slow: bytes come in dribs.
#[cfg(unix)]
#[test]
fn a_slow_fifo_is_as_good_as_a_file() {
    let sessions: Vec<_> = (0..2).map(Session::sample).collect();
    let file = capture_of(&interleave(sessions.iter().map(Session::segments).collect()));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("a_slow_fifo_is_as_good_as_a_file");
    std::fs::remove_file(&path).ok();
    let made = Command::new("mkfifo").arg(&path).stderr(Stdio::null()).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: the slow FIFO (there is no mkfifo)");
        return;
    }
    let read = std::thread::scope(|scope| {
        let reader = scope.spawn(|| super::support::run::wspect(&["msgs", "--json"], Input::File(&path)));
        let mut fifo = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        for piece in file.chunks(501) {
            fifo.write_all(piece).unwrap();
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
        drop(fifo);
        reader.join().unwrap()
    });
    std::fs::remove_file(&path).unwrap();
    let whole = super::support::run::wspect(&["msgs", "--json"], Input::Bytes(&file));
    assert_eq!(read.records(), whole.records());
}
