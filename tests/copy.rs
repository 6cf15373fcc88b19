//! `export pcapng`: whole packets of the chosen connections, and no more secrets than were asked for.

#![allow(clippy::indexing_slicing, clippy::print_stderr, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use support::craft::{Client, Pcap, Server, Session, Tls, Wire, capture_of, fragmented, packets};
use tempfile::TempDir;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

fn wspect(dir: &TempDir, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wspect"));
    command.env("XDG_CONFIG_HOME", "/none");
    command.args(line.split_whitespace()).current_dir(dir.path()).stdin(Stdio::null());
    command.env("TZ", "UTC").env_remove("SSLKEYLOGFILE").output().unwrap()
}

/// A directory with a capture, the key log beside it where there is one.
fn directory(capture: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(sample(capture), dir.path().join(capture)).unwrap();
    let keys = Path::new(capture).with_extension("keys");
    if sample(keys.to_str().unwrap()).is_file() {
        fs::copy(sample(keys.to_str().unwrap()), dir.path().join(&keys)).unwrap();
    }
    dir
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The messages of a capture, without what depends on the numbers of packets and connections.
fn messages(dir: &TempDir, line: &str) -> Vec<(Value, Value, Value, Value)> {
    let output = wspect(dir, line);
    assert!(output.status.success(), "{output:?}");
    let rows = String::from_utf8(output.stdout).unwrap();
    let rows = rows.lines().map(|row| serde_json::from_str::<Value>(row).unwrap());
    rows.map(|row| (row["msg"].clone(), row["dir"].clone(), row["time"].clone(), row["payload"].clone())).collect()
}

fn count(dir: &TempDir, file: &str, needle: &str) -> usize {
    let bytes = fs::read(dir.path().join(file)).unwrap();
    bytes.windows(needle.len()).filter(|window| *window == needle.as_bytes()).count()
}

fn key_lines() -> Vec<String> {
    fs::read_to_string(sample("tls.keys")).unwrap().lines().map(str::to_lowercase).collect()
}

#[test]
fn a_copy_with_secrets_is_read_as_the_capture_was() {
    let dir = directory("tls.pcap");
    let before = messages(&dir, "msgs --json tls.pcap");
    let output = wspect(&dir, "export pcapng --secrets tls.pcap -o copy.pcapng");
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(said(&output).contains(" of 2 connections, with 8 keys: whoever has the file can read them"), "{output:?}");
    assert!(before.len() > 10);
    assert_eq!(messages(&dir, "msgs --json copy.pcapng"), before);
    assert!(count(&dir, "copy.pcapng", "original frame ") > 20);
    assert_eq!(count(&dir, "copy.pcapng", "original frame 1\0"), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let about = fs::metadata(dir.path().join("copy.pcapng")).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn secrets_are_those_of_the_chosen_connections_and_only_on_demand() {
    let dir = directory("tls.pcap");
    let secret = |line: &String| line.rsplit(' ').next().unwrap().to_owned();
    let all = key_lines();
    assert!(all.len() >= 8);
    let output = wspect(&dir, "export pcapng tls.pcap -o none.pcapng");
    assert!(said(&output).contains("without their 8 keys: --secrets adds them"), "{output:?}");
    let output = wspect(&dir, "export pcapng --secrets --conn 2 tls.pcap -o one.pcapng");
    assert!(said(&output).contains(" of 1 connection, with 4 keys"), "{output:?}");
    let written = |file: &str| all.iter().map(secret).filter(|secret| count(&dir, file, secret) > 0).count();
    assert_eq!((written("none.pcapng"), written("one.pcapng")), (0, 4));
    let of_second = messages(&dir, "msgs --json one.pcapng");
    let whole = wspect(&dir, "msgs --json tls.pcap");
    let whole = String::from_utf8(whole.stdout).unwrap();
    let second = whole.lines().filter(|row| row.contains(r#""conn":2,"#)).count();
    assert!(second > 0);
    assert_eq!(of_second.len(), second);
    // What the input carries itself is left out, too.
    let dir = directory("wss.pcapng");
    assert!(count(&dir, "wss.pcapng", "_TRAFFIC_SECRET") > 0);
    assert!(wspect(&dir, "export pcapng wss.pcapng -o none.pcapng").status.success());
    assert_eq!(count(&dir, "none.pcapng", "_TRAFFIC_SECRET"), 0);
    let before = messages(&dir, "msgs --json wss.pcapng");
    assert!(wspect(&dir, "export pcapng --secrets wss.pcapng -o all.pcapng").status.success());
    assert_eq!(messages(&dir, "msgs --json all.pcapng"), before);
}

/// The keys of a session in a tunnel that another session leads are those of the connection, too.
#[test]
fn keys_of_a_session_within_a_session_are_copied() {
    let mut inside = Session::new(1);
    inside.text(Client, "hello").text(Server, "there").close();
    let inner = Tls::around(2, &inside);
    let outer = Tls::tunnel(1, &inner);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cap.pcap"), capture_of(&outer.session.segments())).unwrap();
    fs::write(dir.path().join("cap.keys"), outer.log() + &inner.log()).unwrap();
    let before = messages(&dir, "msgs --json cap.pcap");
    let output = wspect(&dir, "export pcapng --secrets cap.pcap -o copy.pcapng");
    assert!(said(&output).contains(" of 1 connection, with 10 keys"), "{output:?}");
    assert_eq!(before.len(), 4);
    assert_eq!(messages(&dir, "msgs --json copy.pcapng"), before);
}

/// Of what a private key opens, the master secrets are copied, and not the key.
#[test]
fn what_a_private_key_opens_is_copied_with_its_master_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for name in ["tls_rsa.pcap", "tls_rsa.pem"] {
        fs::copy(data.join(name), dir.path().join(name)).unwrap();
    }
    let before = messages(&dir, "msgs --json --rsa-key tls_rsa.pem tls_rsa.pcap");
    assert_eq!(before.len(), 40);
    let output = wspect(&dir, "export pcapng --secrets --rsa-key tls_rsa.pem tls_rsa.pcap -o copy.pcapng");
    assert!(said(&output).contains(" of 5 connections, with 5 keys"), "{output:?}");
    assert_eq!(messages(&dir, "msgs --json copy.pcapng"), before);
    assert_eq!((count(&dir, "copy.pcapng", "CLIENT_RANDOM "), count(&dir, "copy.pcapng", "PRIVATE")), (5, 0));
}

/// Without TLS the same is said, at the same times, and nothing is left of the keys.
#[test]
fn what_tls_carried_is_said_in_clear() {
    for capture in ["tls.pcap", "wss.pcapng"] {
        let dir = directory(capture);
        let before = messages(&dir, &format!("msgs --json {capture}"));
        let output = wspect(&dir, &format!("export pcapng --decrypted {capture} -o clear.pcapng"));
        assert!(said(&output).contains(" of them made of what TLS carried"), "{output:?}");
        assert!(before.len() > 10);
        assert_eq!(messages(&dir, "msgs --json --no-keylog clear.pcapng"), before);
        let ends = |file: &str| {
            let rows = String::from_utf8(wspect(&dir, &format!("ls --json {file}")).stdout).unwrap();
            let rows = rows.lines().map(|row| serde_json::from_str::<Value>(row).unwrap());
            rows.map(|row| ["client", "server", "state", "ending", "url", "subprotocol"].map(|key| row[key].clone()))
                .collect::<Vec<_>>()
        };
        let mut wanted = ends(capture);
        for row in &mut wanted {
            row[4] = row[4].as_str().unwrap().replace("wss://", "ws://").into();
        }
        assert_eq!(ends("clear.pcapng"), wanted);
        assert_eq!(count(&dir, "clear.pcapng", "_TRAFFIC_SECRET"), 0);
        assert!(
            count(&dir, "clear.pcapng", "TLS was taken off") == 1
                && count(&dir, "clear.pcapng", "decrypted from frame ") > 20
        );
    }
}

/// Of a session in a tunnel that another session leads, what the inner one carried is made packets of. What was lost is lost there.
#[test]
fn of_sessions_in_one_another_the_innermost_is_taken() {
    let mut inside = Session::new(1);
    (0..20).for_each(|n| _ = inside.text(Client, &format!("number {n}")).text(Server, &"so it is ".repeat(n)));
    inside.close();
    let inner = Tls::around(2, &inside);
    let outer = Tls::tunnel(1, &inner);
    let segments = outer.session.segments();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cap.keys"), outer.log() + &inner.log()).unwrap();
    for lost in [0, segments.len() / 2] {
        let mut segments = segments.clone();
        if lost > 0 {
            segments.remove(lost);
        }
        fs::write(dir.path().join("cap.pcap"), capture_of(&segments)).unwrap();
        let before = messages(&dir, "msgs --json cap.pcap");
        let output = wspect(&dir, "export pcapng --decrypted --force cap.pcap -o clear.pcapng");
        assert!(said(&output).contains(" of them made of what TLS carried"), "{output:?}");
        assert!(before.len() > 30);
        // What a hole held up is known at the end, which is another packet.
        let said = |rows: &[(Value, Value, Value, Value)]| -> Vec<_> {
            rows.iter().map(|(number, dir, _, payload)| (number.clone(), dir.clone(), payload.clone())).collect()
        };
        let clear = messages(&dir, "msgs --json --no-keylog clear.pcapng");
        assert_eq!(said(&clear), said(&before), "without segment {lost}");
    }
}

/// What runs in clear, and what cannot be decrypted, is copied as it was captured.
#[test]
fn without_keys_nothing_is_made() {
    let dir = directory("mix.pcap");
    let output = wspect(&dir, "export pcapng --decrypted mix.pcap -o one.pcapng");
    assert!(said(&output).contains("; no TLS in them was decrypted"), "{output:?}");
    assert!(wspect(&dir, "export pcapng mix.pcap -o other.pcapng").status.success());
    assert!(fs::read(dir.path().join("one.pcapng")).unwrap() == fs::read(dir.path().join("other.pcapng")).unwrap());
}

/// Every packet of the stream, with its time and lengths, and none of another.
#[test]
fn packets_are_copied_whole() {
    let dir = directory("mix.pcap");
    let before = messages(&dir, "msgs --json mix.pcap");
    let output = wspect(&dir, "export pcapng mix.pcap -o copy.pcapng");
    assert!(!said(&output).contains("key"), "{output:?}");
    assert_eq!(messages(&dir, "msgs --json copy.pcapng"), before);
    let packets = |file: &str| -> Value {
        let output = wspect(&dir, &format!("stats --json {file}"));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    // The sample has nothing but these connections.
    let (old, new) = (packets("mix.pcap"), packets("copy.pcapng"));
    for key in ["packets", "tcp_streams", "connections", "start", "end", "bins"] {
        assert_eq!(old[key], new[key], "{key}");
    }
    let output = wspect(&dir, "export pcapng --conn 3 mix.pcap -o third.pcapng");
    assert!(output.status.success());
    let third = packets("third.pcapng");
    assert_eq!((&third["tcp_streams"], &third["connections"]), (&Value::from(1), &Value::from(1)));
    assert!(third["packets"].as_u64() < old["packets"].as_u64());
}

/// Fragments are of the stream that what they make is of: all of a chosen one, none of another.
#[test]
fn fragments_are_copied() {
    let mut of_both = Vec::new();
    for n in 0..2 {
        let mut session = Session::new(n);
        session.text(Client, &"one ".repeat(300)).text(Server, &"two ".repeat(300));
        for (id, packet) in packets(&session.segments(), &Wire::default()).iter().enumerate() {
            of_both.extend(fragmented(packet, 400, (100 * n + id) as u32 + 1));
        }
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cut.pcap"), Pcap::default().file(&of_both)).unwrap();
    let before = messages(&dir, "msgs --json -Y conn==2 cut.pcap");
    assert_eq!(before.len(), 2);
    assert!(wspect(&dir, "export pcapng --conn 2 cut.pcap -o copy.pcapng").status.success());
    assert_eq!(messages(&dir, "msgs --json copy.pcapng"), before);
    let output = wspect(&dir, "stats --json copy.pcapng");
    let stats: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(stats["packets"], of_both.len() / 2);
}

#[test]
fn what_cannot_be_copied_leaves_no_file() {
    let dir = directory("tls.pcap");
    fs::copy(sample("mix.pcap"), dir.path().join("mix.pcap")).unwrap();
    for (line, code, words) in [
        ("export pcapng --conn 2,9 tls.pcap -o out", 1, "tls.pcap: no connection 9 (wspect ls lists them)"),
        ("export pcapng - -o out", 2, "stdin: export pcapng reads twice: name a file"),
        ("export pcapng -n 3 tls.pcap -o out", 2, "export pcapng takes no --limit: only jsonl"),
        ("export pcapng --records frame tls.pcap -o out", 2, "export pcapng takes no --records: only jsonl"),
        ("export jsonl --secrets tls.pcap -o out", 2, "export jsonl takes no --secrets: only script, pcapng"),
        ("export jsonl --decrypted tls.pcap -o out", 2, "export jsonl takes no --decrypted: only pcapng"),
        ("export pcapng --decrypted --secrets tls.pcap -o out", 2, "cannot be used with"),
        ("export pcapng tls.pcap -o mix.pcap", 5, "exists: --force replaces it"),
    ] {
        let output = wspect(&dir, line);
        assert!(output.status.code() == Some(code) && said(&output).contains(words), "{line}: {output:?}");
        assert!(!dir.path().join("out").exists(), "{line}");
    }
}

/// Nothing to copy is no fault: a capture without packets comes of it.
#[test]
fn what_passes_nowhere_is_an_empty_capture() {
    let dir = directory("tls.pcap");
    for (line, words) in [
        (
            "export pcapng --no-keylog tls.pcap -o none.pcapng",
            "0 packets of 0 connections: there is no WebSocket connection",
        ),
        ("export pcapng -Y conn==9 tls.pcap -o filter.pcapng", "0 packets of 0 connections: none passes the filter"),
        ("export pcapng --secrets -Y conn==9 tls.pcap -o secrets.pcapng", "none passes the filter"),
        ("export pcapng --decrypted -Y conn==9 tls.pcap -o clear.pcapng", "none passes the filter"),
    ] {
        let output = wspect(&dir, line);
        assert!(output.status.code() == Some(0) && said(&output).contains(words), "{line}: {output:?}");
        let copy = line.rsplit(' ').next().unwrap();
        assert_eq!(messages(&dir, &format!("msgs --json {copy}")).len(), 0, "{line}");
    }
}

/// tshark reads the copy without any key log, and sees the same frames as in the capture with it.
#[test]
fn tshark_decrypts_the_copy() {
    let dir = directory("tls.pcap");
    assert!(wspect(&dir, "export pcapng --secrets tls.pcap -o copy.pcapng").status.success());
    let tshark = |line: &str| {
        let command = Command::new("tshark").args(line.split(' ')).current_dir(dir.path()).output().ok()?;
        Some(String::from_utf8(command.stdout).unwrap())
    };
    let fields = "-Y websocket -T fields -e frame.time_epoch -e websocket.opcode -e websocket.payload_length";
    let Some(copy) = tshark(&format!("-r copy.pcapng {fields}")) else {
        return eprintln!("skipped: there is no tshark");
    };
    let capture = tshark(&format!("-r tls.pcap -o tls.keylog_file:tls.keys {fields}")).unwrap();
    assert!(copy.lines().count() > 10);
    assert_eq!(copy, capture);
    assert!(wspect(&dir, "export pcapng --decrypted tls.pcap -o clear.pcapng").status.success());
    assert_eq!(tshark(&format!("-r clear.pcapng {fields}")).unwrap(), capture, "in clear");
    assert_eq!(tshark("-r clear.pcapng -Y tls||tcp.analysis.flags||tcp.checksum.bad").unwrap(), "");
    let comments = tshark("-r copy.pcapng -T fields -e frame.comment -c 1").unwrap();
    assert_eq!(comments.trim(), "original frame 1");
}
