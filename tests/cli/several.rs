//! Several captures as one: rotated, side by side, in directories.

use super::*;
use crate::support::craft::{Pcap, Session, Wire};

/// A pcap cut into captures of so many packets each, as a capture is that is rotated.
fn rotated(capture: &[u8], packets: usize) -> Vec<Vec<u8>> {
    let (header, mut rest) = capture.split_at(24);
    let mut files = Vec::new();
    while !rest.is_empty() {
        let mut file = header.to_vec();
        for _ in 0..packets {
            let Some(len) = rest.get(8..12) else { break };
            let (record, behind) = rest.split_at(16 + u32::from_le_bytes(len.try_into().unwrap()) as usize);
            file.extend(record);
            rest = behind;
        }
        files.push(file);
    }
    files
}

/// `mix.pcap`, rotated, in a directory of its own.
fn pieces() -> (tempfile::TempDir, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let files = rotated(&fs::read(sample("mix.pcap")).unwrap(), 50);
    let names: Vec<_> = (0..files.len()).map(|at| format!("mix_{at:05}.pcap")).collect();
    for (name, file) in names.iter().zip(files) {
        fs::write(dir.path().join(name), file).unwrap();
    }
    assert!(names.len() > 3);
    (dir, names)
}

/// Records without the name of the file, and those names.
fn parted(records: &str) -> (String, Vec<String>) {
    let mut names = Vec::new();
    let line = |line: &str| {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = record.as_object_mut().unwrap().remove("file_packet").unwrap();
        names.extend(name.as_str().map(str::to_owned));
        record.to_string() + "\n"
    };
    (records.lines().map(line).collect(), names)
}

/// Text without the places in the files, nor the blanks that align it.
fn unplaced(text: &str) -> String {
    let parts = text.split(" (mix_0000");
    let without = parts.enumerate().map(|(at, part)| match part.split_once(')') {
        Some((_, rest)) if at > 0 => rest,
        _ => part,
    });
    without.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn rotated_captures_are_read_as_the_whole() {
    let (dir, names) = pieces();
    let said = |line: &[&str], files: &[String]| {
        let output = wspect(line.iter().copied()).args(files).current_dir(&dir).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let shuffled: Vec<_> = names.iter().rev().cloned().collect();
    for command in ["msgs", "frames", "ls", "handshake", "check", "stats", "types", "keys"] {
        let whole = stdout(&format!("{command} samples/mix.pcap"));
        for files in [&names, &shuffled, &vec![String::from(".")]] {
            let said = said(&[command], files);
            assert_eq!(unplaced(&said), unplaced(&whole), "{command} {files:?}");
            let tells_packets = ["handshake", "check"].contains(&command) && whole.contains("frame ");
            assert_eq!(said.contains(" (mix_0000"), tells_packets || command == "frames", "{command}: {said}");
        }
        let (whole, _) = parted(&stdout(&format!("{command} --json samples/mix.pcap")));
        let (pieces, places) = parted(&said(&[command, "--json"], &shuffled));
        assert_eq!(pieces, whole, "{command} --json");
        assert!(places.iter().all(|place| place.starts_with("mix_0000")), "{places:?}");
    }
    let (_, places) = parted(&said(&["msgs", "--json"], &shuffled));
    let packets = stdout("msgs --json samples/mix.pcap");
    let packets =
        packets.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["packet"].as_u64());
    let expected = packets.map(Option::unwrap).map(|at| format!("mix_{:05}.pcap:{}", (at - 1) / 50, (at - 1) % 50 + 1));
    assert_eq!(places, expected.collect::<Vec<_>>());
}

#[test]
fn words_behind_several_captures_are_still_numbers() {
    let (dir, names) = pieces();
    let said = |line: Vec<&str>| {
        let output = wspect(line).current_dir(&dir).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    let files: Vec<_> = names.iter().map(String::as_str).collect();
    let page = said([vec!["show"], files.clone(), vec!["2:3"]].concat());
    assert_eq!(page.replace(" (mix_00001.pcap:21)", ""), stdout("show samples/mix.pcap 2:3"));
    let named: Vec<_> = files.iter().flat_map(|&file| ["-r", file]).collect();
    assert_eq!(said([vec!["show", "2:3"], named].concat()), page);
    assert_eq!(said([vec!["follow"], files.clone(), vec!["1"]].concat()), stdout("follow samples/mix.pcap 1"));
    let missing = said([vec!["follow"], files, vec!["9"]].concat());
    assert_eq!(missing, format!("wspect: {} captures: no connection 9 (wspect ls lists them)\n", names.len()));
}

#[test]
fn keys_beside_any_of_them_are_used() {
    let dir = tempfile::tempdir().unwrap();
    for (piece, name) in rotated(&fs::read(sample("tls.pcap")).unwrap(), 40).iter().zip(["a.pcap", "b.pcap", "c.pcap"])
    {
        fs::write(dir.path().join(name), piece).unwrap();
    }
    fs::copy(sample("tls.keys"), dir.path().join("b.keys")).unwrap();
    let output = wspect(["msgs", "-q", "."]).current_dir(&dir).output().unwrap();
    let whole = wspect(["msgs", "-q", "samples/tls.pcap"]).output().unwrap();
    assert!(!whole.stdout.is_empty());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), String::from_utf8(whole.stdout).unwrap());
}

#[test]
fn what_is_wrong_with_one_is_told_by_its_name() {
    let (dir, names) = pieces();
    fs::write(dir.path().join("notes\x1b[31m.txt"), b"Hello, this is no capture.\n").unwrap();
    let said = |files: &[&str]| {
        let output = wspect(["ls"]).args(files).current_dir(&dir).output().unwrap();
        assert!(!output.stdout.is_empty(), "the others are read");
        (String::from_utf8(output.stderr).unwrap(), output.status.code())
    };
    let (told, code) = said(&[&names[0], "notes\x1b[31m.txt"]);
    let expected = "wspect: error: 2 captures: notes\\x1b[31m.txt is left out: not a pcap or pcapng file \
                    (first bytes 48 65 6c 6c): it looks like text\n";
    assert!(told.starts_with(expected) && code == Some(3), "{told}");
    assert_eq!(said(&["."]).0.lines().count(), 1, "in a directory it is no fault");
    let (told, code) = said(&[&names[0], "missing.pcap"]);
    let expected = "wspect: error: 2 captures: missing.pcap is left out: no such file or directory\n";
    assert!(told.starts_with(expected) && code == Some(3), "{told}");
    let empty = tempfile::tempdir().unwrap();
    let output = wspect(["ls", "."]).current_dir(&empty).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "wspect: .: no capture in this directory\n");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn no_capture_is_written_over() {
    let (dir, names) = pieces();
    let output =
        wspect(["export", "pcapng", "--force", "-o", &names[1]]).args(&names).current_dir(&dir).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("is the input: name another file"), "{told}");
    let output = wspect(["export", "pcapng", "-o", "all.pcapng"]).args(&names).current_dir(&dir).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let all = wspect(["msgs", "-q"]).arg(dir.path().join("all.pcapng")).output().unwrap();
    assert_eq!(String::from_utf8(all.stdout).unwrap(), stdout("msgs samples/mix.pcap"));
}

/// A pcap whose clock is so many seconds behind.
fn behind(capture: &[u8], seconds: u32) -> Vec<u8> {
    let mut file = capture.to_vec();
    let mut at = 24;
    while let Some(head) = file.get_mut(at..at + 16) {
        let field = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
        let (time, len) = (field(0) - seconds, field(8));
        head[..4].copy_from_slice(&time.to_le_bytes());
        at += 16 + len as usize;
    }
    file
}

/// Between two rotated captures the clock is set back: named in their order they are read so, since their TCP streams go on. In
/// the order of time they are read where nothing of that kind tells another, however they are named.
#[test]
fn a_clock_that_is_set_back_between_two_captures_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let capture = fs::read(sample("mix.pcap")).unwrap();
    let said = |names: &[&str]| {
        let output = wspect(["msgs", "--json", "-q"]).args(names).current_dir(&dir).output().unwrap();
        let rows = String::from_utf8(output.stdout).unwrap();
        let row = |row: &str| -> serde_json::Value { serde_json::from_str(row).unwrap() };
        rows.lines().map(row).map(|row| (row["packet"].clone(), row["payload"].clone())).collect::<Vec<_>>()
    };
    fs::write(dir.path().join("whole"), &capture).unwrap();
    let whole = said(&["whole"]);
    let count = rotated(&capture, 1).len();
    let pieces = rotated(&capture, count / 4 + 1);
    let names = ["r0", "r1", "r2", "r3"];
    for step in 1..names.len() {
        for (at, (name, piece)) in names.iter().zip(&pieces).enumerate() {
            let seconds = if at >= step { 3600 } else { 0 };
            fs::write(dir.path().join(name), behind(piece, seconds)).unwrap();
        }
        assert_eq!(said(&names), whole, "a step before {step}");
        let check = wspect(["check"]).args(names).current_dir(&dir).output().unwrap();
        let found = String::from_utf8(check.stdout).unwrap();
        assert_eq!(found.matches("FILE-TIME").count(), 1, "{found}");
    }
    for (name, piece) in names.iter().zip(&pieces) {
        fs::write(dir.path().join(name), piece).unwrap();
    }
    for order in [["r3", "r2", "r1", "r0"], ["r2", "r3", "r0", "r1"], ["r1", "r0", "r3", "r2"]] {
        assert_eq!(said(&order), whole, "{order:?}");
    }
}

/// As the queues of a network card get the packets: each of several captures that were made at once has some of every stream.
/// They are read in the order of time, however they are named.
#[test]
fn captures_that_were_made_side_by_side_are_no_step_of_the_clock() {
    let dir = tempfile::tempdir().unwrap();
    // Flows begin one behind the other, and go on side by side; no two packets have the same time.
    let flow = |n: usize| {
        let segments = Session::sample(n).segments().into_iter().enumerate();
        segments.map(move |(at, segment)| {
            Wire::default().packet(&segment, (1000 * n + 1_000_000 * (3 * n + 5 * at)) as i64)
        })
    };
    let mut packets: Vec<_> = (0..50).flat_map(flow).collect();
    packets.sort_by_key(|packet| packet.time);
    let said = |names: &[String]| {
        let output = wspect(["msgs", "--json", "-q"]).args(names).current_dir(&dir).output().unwrap();
        parted(&String::from_utf8(output.stdout).unwrap()).0
    };
    fs::write(dir.path().join("whole"), Pcap::default().file(&packets)).unwrap();
    let whole = said(&["whole".to_owned()]);
    assert!(whole.lines().count() > 200, "{whole}");
    for files in 2..5 {
        let dealt = |file: usize| packets.iter().skip(file).step_by(files).cloned().collect::<Vec<_>>();
        for file in 0..files {
            fs::write(dir.path().join(file.to_string()), Pcap::default().file(&dealt(file))).unwrap();
        }
        let names: Vec<_> = (0..files).map(|file| file.to_string()).collect();
        let reversed: Vec<_> = names.iter().rev().cloned().collect();
        assert!(said(&names) == whole, "{files} files");
        assert!(said(&reversed) == whole, "{files} files, the last first");
    }
}

/// Frames stand where their packets do, as wide as it takes.
#[test]
fn frames_of_several_captures_name_theirs() {
    let (dir, names) = pieces();
    let rows = stdout(&format!("frames {}", dir.path().display()));
    assert!(rows.lines().count() > 100);
    for row in rows.lines().skip(1) {
        let (number, place) = row.split_once(" (").unwrap();
        let (file, packet) = place.split_once(')').unwrap().0.split_once(':').unwrap();
        let at = names.iter().position(|name| name == file).unwrap();
        let number: usize = number.trim_start().split_once('.').unwrap().0.parse().unwrap();
        assert_eq!(number, at * 50 + packet.parse::<usize>().unwrap(), "{row}");
    }
}
