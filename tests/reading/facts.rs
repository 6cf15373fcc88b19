//! What a capture tells of itself: who wrote it and where, what was dropped, names and comments.

use super::make::{MICROS, Order, Pcap, PcapNg};
use std::cmp::Ordering;
use std::fs;
use std::path::Path;
use std::process::Command;
use wspect::capture::{Aside, Bytes, Part, Reader};
use wspect::model::{Fact, Facts, Limits, LinkType, PacketNo};

/// A conversation by an interface with a name, with all that a capture can say beside it.
fn told(order: Order) -> Vec<u8> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/mqtt.pcap");
    let mut reader = Reader::new(Box::new(fs::File::open(sample).unwrap())).unwrap();
    let mut packets = Vec::new();
    while let Some(packet) = reader.next_packet() {
        packets.push((packet.mark.time.unwrap().nanos() as u64 / 1000, packet.bytes.to_vec()));
    }
    let ng = PcapNg { order, bytes: Vec::new() };
    let options = [
        ng.option(1, b"on a \x1b[31mTuesday"),
        ng.option(1, format!("CLIENT_RANDOM {} {}", "ab".repeat(32), "cd".repeat(48)).as_bytes()),
        ng.option(2, b"a machine"),
        ng.option(3, b"Plan 9"),
        ng.option(4, b"pen and paper"),
    ]
    .concat();
    let head = [&order.u32(0x1a2b_3c4d)[..], &order.u16(1), &order.u16(0), &order.i64(-1), &options].concat();
    let names = |ng: &PcapNg| {
        let record = |kind: u16, value: &[u8]| ng.option(kind, value);
        let v4 = record(1, b"\x7f\0\0\x01broker\0localhost\0");
        let v6 = record(2, &[&[0; 15][..], b"\x01localhost\0"].concat());
        [v4, v6, record(0, b"")].concat()
    };
    let interface = |ng: &PcapNg| {
        [ng.option(2, b"tap0"), ng.option(3, b"the left one"), ng.option(9, &[6]), ng.option(11, b"\0port 1883")]
            .concat()
    };
    let mut ng = ng.block(0x0a0d_0d0a, &head);
    ng = {
        let options = interface(&ng);
        ng.interface(1, 4096, &options)
    };
    ng = ng.interface(101, 0, &[]);
    ng = {
        let names = names(&ng);
        ng.block(4, &names)
    };
    let upgrade = packets.iter().position(|(_, bytes)| bytes.windows(4).any(|four| four == b"101 ")).unwrap();
    for (at, (ticks, bytes)) in packets.iter().enumerate() {
        let comment = match at.cmp(&upgrade) {
            Ordering::Less => Vec::new(),
            Ordering::Equal => ng.option(1, b"accepted here"),
            Ordering::Greater => ng.option(1, b"look here"),
        };
        let body = ng.enhanced_body(0, *ticks, bytes, &comment);
        ng = ng.block(6, &body);
    }
    let count = |ng: &PcapNg, code, n: i64| ng.option(code, &order.i64(n));
    let counters = [&order.u32(0)[..], &[0; 8], &count(&ng, 4, 900), &count(&ng, 5, 7), &count(&ng, 7, 2)].concat();
    ng.block(5, &counters).bytes
}

pub(crate) fn facts(parts: Vec<Part>) -> (Facts, Vec<(PacketNo, String)>) {
    let mut reader = Reader::timeline(parts, &Limits::DEFAULT).unwrap_or_else(|(name, why)| panic!("{name}: {why}"));
    let (mut facts, mut interfaces, mut last) = (Facts::default(), Vec::new(), 0);
    while let Some(packet) = reader.next_packet_after(&mut |aside| match aside {
        Aside::Fact(file, fact) => {
            if let Fact::Comment(Some(packet), _) = fact {
                assert_eq!(packet, PacketNo(last + 1), "a comment comes before its packet");
            }
            facts.add(file, &fact);
        }
        Aside::Interface(name) => {
            interfaces.push((PacketNo(last + 1), name.map_or(String::new(), |name| name.to_string())))
        }
        _ => {}
    }) {
        last = packet.mark.packet.0;
    }
    (facts, interfaces)
}

pub(crate) fn part(name: &str, bytes: Vec<u8>) -> Part {
    Part { name: name.into(), bytes: Bytes::Stream(Box::new(std::io::Cursor::new(bytes))) }
}

#[test]
fn everything_is_heard_in_both_byte_orders() {
    for order in Order::BOTH {
        let (facts, interfaces) = facts(vec![part("a", told(order))]);
        let [file] = facts.files.as_slice() else { panic!("one file") };
        assert_eq!(file.formats[0].name, "pcapng");
        assert_eq!(file.formats[0].byte_order.starts_with("little"), order == Order::Little);
        let writer = [&file.hardware, &file.os, &file.application].map(|told| told.as_deref().unwrap());
        assert_eq!(writer, ["a machine", "Plan 9", "pen and paper"]);
        assert_eq!(file.comments, ["on a \x1b[31mTuesday"], "a key log is no comment");
        let [tap, raw] = file.interfaces.as_slice() else { panic!("two interfaces") };
        assert_eq!((tap.name.as_deref(), tap.filter.as_deref()), (Some("tap0"), Some("port 1883")));
        assert_eq!((tap.snaplen, tap.resolution, raw.link), (4096, 6, LinkType(101)));
        let counters = tap.counters.unwrap();
        assert_eq!([counters.received, counters.dropped, counters.os_dropped], [Some(900), Some(7), Some(2)]);
        assert_eq!((facts.dropped(), raw.packets), (Some(9), None));
        assert_eq!(facts.names[&[127, 0, 0, 1].into()], ["broker", "localhost"]);
        assert_eq!(facts.names.len(), 2);
        assert_eq!(interfaces, [(PacketNo(1), String::from("tap0"))]);
        let last = facts.comments.keys().next_back().unwrap();
        assert_eq!(tap.packets, Some(last.0));
    }
}

/// Two captures whose packets alternate: comments go with their packets, whatever numbers these get.
#[test]
fn several_captures_tell_each_for_itself() {
    let second = |time: u64| time * 1_000_000;
    let ng = PcapNg::new(Order::Little);
    let options = [ng.option(2, b"tap1"), ng.option(0, b"")].concat();
    let mut ng = ng.interface(1, 0, &options);
    for time in [2, 4] {
        let options = ng.option(1, format!("at {time}").as_bytes());
        let body = ng.enhanced_body(0, second(time), b"x", &options);
        ng = ng.block(6, &body);
    }
    let pcap = Pcap::new(Order::Big, MICROS, 101).packet(1, 0, b"a").packet(3, 0, b"b").packet(5, 0, b"c");
    let (facts, interfaces) = facts(vec![part("a.pcapng", ng.bytes), part("b.pcap", pcap.bytes)]);
    let comments: Vec<_> = facts.comments.iter().map(|(packet, texts)| (packet.0, texts.join("|"))).collect();
    assert_eq!(comments, [(2, String::from("at 2")), (4, String::from("at 4"))]);
    let names: Vec<_> = facts.files.iter().map(|file| file.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["a.pcapng", "b.pcap"]);
    let packets: Vec<_> = facts.files.iter().map(|file| file.interfaces[0].packets).collect();
    assert_eq!(packets, [Some(2), Some(3)]);
    let of: Vec<_> = interfaces.iter().map(|(packet, name)| (packet.0, name.as_str())).collect();
    assert_eq!(of, [(1, ""), (2, "tap1"), (3, ""), (4, "tap1"), (5, "")]);
}

/// Cut anywhere, and with a byte turned: what is told is what is there, and nothing panics.
#[test]
fn damaged_facts_cost_themselves() {
    let whole = told(Order::Little);
    for at in 0..whole.len().min(1200) {
        if at > 32 {
            let _ = facts(vec![part("cut", whole[..at].to_vec())]);
        }
        let mut turned = whole.clone();
        turned[at] ^= 0xff;
        let Ok(mut reader) = Reader::new(Box::new(std::io::Cursor::new(turned))) else { continue };
        while reader.next_packet().is_some() {}
    }
}

fn said(args: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("told.pcapng"), told(Order::Little)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_wspect"))
        .env("XDG_CONFIG_HOME", "/none")
        .args(args)
        .current_dir(&dir)
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn stats_has_them_all() {
    insta::assert_snapshot!(said(&["stats", "--capture", "told.pcapng"]));
    let record: serde_json::Value =
        serde_json::from_str(&said(&["stats", "--capture", "--json", "told.pcapng"])).unwrap();
    let file = &record["files"][0];
    assert_eq!(file["interfaces"][0]["name"], "tap0");
    assert_eq!(file["interfaces"][0]["dropped"], 7);
    assert_eq!((&file["key_logs"], &record["dropped"]), (&0.into(), &9.into()));
    assert_eq!(record["names"][0]["names"][1], "localhost");
    assert_eq!(record["protocols"]["tcp"], record["packets"]);
    assert_eq!(record["connections"], 2);
    assert!(!record.to_string().contains("CLIENT_RANDOM"), "no secret is shown");
}

#[test]
fn comments_and_interfaces_stand_where_they_belong() {
    assert!(said(&["show", "told.pcapng", "1:1"]).contains("\ncomment: look here\n"));
    let handshakes = said(&["handshake", "told.pcapng"]);
    let (asked, answered) = handshakes.split_once("← ").unwrap();
    assert!(!asked.contains("comment:") && answered.contains("\n    comment: accepted here\n"), "{handshakes}");
    let connections: serde_json::Value =
        serde_json::from_str(said(&["ls", "--json", "told.pcapng"]).lines().next().unwrap()).unwrap();
    assert_eq!(connections["interface"], "tap0");
}

#[test]
fn captures_that_were_joined_are_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let sample = |name| fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)).unwrap();
    let joined = [sample("mix.pcap"), sample("stomp.pcapng"), sample("mqtt.pcap")].concat();
    fs::write(dir.path().join("joined"), joined).unwrap();
    let said = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wspect"));
        let output = command.args(args).arg("joined").current_dir(&dir).env("TZ", "UTC").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    insta::assert_snapshot!(said(&["stats", "--capture"]));
    let record: serde_json::Value = serde_json::from_str(&said(&["stats", "--capture", "--json"])).unwrap();
    let file = &record["files"][0];
    let joined = serde_json::json!([{"format": "pcapng", "byte_order": "little-endian", "compression": null}]);
    assert_eq!((&file["format"], &file["joined"]), (&"pcap".into(), &joined));
    let packets = |row: &serde_json::Value| row["packets"].as_u64().unwrap();
    assert_eq!(file["interfaces"].as_array().unwrap().iter().map(packets).sum::<u64>(), packets(&record));
}
