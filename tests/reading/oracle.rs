//! Real captures, read as tshark reads them.
//!
//! Runs on what `WSPECT_CAPTURES` names, where tshark is installed; says so when it does not run.

use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use wspect::capture::Reader;
use wspect::model::Limits;
use wspect::net::{Decoded, Decoder, Whole};

/// Of fields that a packet has several times, in a tunnel, the last.
fn innermost(line: &str) -> String {
    let last = |field: &str| field.rsplit(',').next().map(str::to_owned);
    line.split('\t').filter_map(last).collect::<Vec<_>>().join("\t")
}

/// Every capture below the directory that `WSPECT_CAPTURES` names.
fn captures() -> Vec<PathBuf> {
    let Some(root) = std::env::var_os("WSPECT_CAPTURES") else {
        println!("skipped: WSPECT_CAPTURES is not set");
        return Vec::new();
    };
    if Command::new("tshark").arg("--version").output().is_err() {
        println!("skipped: tshark is not installed");
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut directories = vec![PathBuf::from(root)];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => directories.push(path),
                Some("pcap" | "pcapng") => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// One line for each packet, its fields separated by tabs.
fn tshark(path: &Path, fields: &[&str]) -> Vec<String> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-o", "tcp.relative_sequence_numbers:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"]);
    command.arg("-r").arg(path).args(["-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn open(path: &Path) -> Reader {
    Reader::new(Box::new(File::open(path).unwrap())).unwrap()
}

/// Whether tshark numbers it without calling it a packet: custom blocks, journal entries, system calls.
fn is_no_packet(protocols: &str) -> bool {
    matches!(protocols, "data" | "systemd_journal" | "sysdig")
}

#[test]
fn numbers_times_and_lengths_are_those_of_tshark() {
    for path in captures() {
        let mut reader = open(&path);
        let fields = ["frame.number", "frame.time_epoch", "frame.cap_len", "frame.len", "frame.protocols"];
        for line in tshark(&path, &fields) {
            let (theirs, protocols) = line.rsplit_once('\t').unwrap();
            if is_no_packet(protocols) {
                continue;
            }
            let packet = reader.next_packet().unwrap_or_else(|| panic!("{}: ends before {line}", path.display()));
            let time = packet.mark.time.map(|time| time.nanos());
            let time = time.map(|nanos| format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000));
            let (number, captured, len) = (packet.mark.packet, packet.bytes.len(), packet.orig_len);
            let ours = format!("{number}\t{}\t{captured}\t{len}", time.unwrap_or_default());
            assert_eq!(ours, theirs, "{}", path.display());
        }
        assert!(reader.next_packet().is_none(), "{}: goes on", path.display());
    }
}

#[test]
fn segments_are_those_of_tshark() {
    let fields = [
        "frame.number",
        "ip.src",
        "ipv6.src",
        "tcp.srcport",
        "ip.dst",
        "ipv6.dst",
        "tcp.dstport",
        "tcp.seq_raw",
        "tcp.ack_raw",
        "tcp.flags",
        "tcp.len",
    ];
    for path in captures() {
        let name = path.file_name().unwrap().to_string_lossy();
        let theirs = tshark(&path, &fields).into_iter().filter(|line| !line.ends_with('\t'));
        let theirs: Vec<_> = theirs.map(|line| innermost(&line)).collect();
        let (mut reader, mut decoder, mut ours) = (open(&path), Decoder::new(Limits::DEFAULT), Vec::new());
        let mut whole = Whole::default();
        while let Some(packet) = reader.next_packet() {
            let Decoded::Segment(segment) = decoder.decode(&packet, &mut whole) else { continue };
            let address = |ip: IpAddr| if ip.is_ipv4() { format!("{ip}\t") } else { format!("\t{ip}") };
            ours.push(format!(
                "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:#06x}\t{}",
                segment.mark.packet,
                address(segment.src.ip.into()),
                segment.src.port,
                address(segment.dst.ip.into()),
                segment.dst.port,
                segment.seq,
                segment.ack,
                segment.flags.0,
                segment.payload.len() as u64 + u64::from(segment.cut),
            ));
        }
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs, "{name}");
        }
        assert_eq!(ours.len(), theirs.len(), "{name}");
    }
}
