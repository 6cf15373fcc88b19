//! `wspect diff`: what differs between two captures, or two connections, is told, and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

mod support;

use serde_json::Value;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::craft::*;
use wspect::capture::Reader;
use wspect::export::{Exporter as _, Gather, Out};
use wspect::model::{Event, Limits, Sink, Stamp};

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

/// Exit code, stdout and stderr.
fn diff(words: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wspect"))
        .env("XDG_CONFIG_HOME", "/none")
        .arg("diff")
        .args(words)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn of_files(one: &Path, other: &Path, more: &[&str]) -> (i32, String, String) {
    diff(&[&[one.to_str().unwrap(), other.to_str().unwrap()], more].concat())
}

/// Captures of one connection that says this.
fn captures(one: &[(Side, &str)], other: &[(Side, &str)]) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, said: &[(Side, &str)]| {
        let mut session = Session::new(0);
        for (side, text) in said {
            session.text(*side, text);
        }
        let path = dir.path().join(name);
        std::fs::write(&path, capture_of(&session.segments())).unwrap();
        path
    };
    let (one, other) = (write("one.pcap", one), write("other.pcap", other));
    (dir, one, other)
}

#[test]
fn a_capture_is_as_itself_however_it_is_cut() {
    for name in ["chat.pcapng", "mix.pcap", "fragments.pcapng", "lossy.pcap"] {
        let (code, stdout, stderr) = of_files(&sample(name), &sample(name), &[]);
        assert_eq!((code, stdout.as_str()), (0, ""), "{name}");
        assert!(stderr.ends_with("compared: no difference\n"), "{stderr}");
    }
    let mut session = Session::new(0);
    session.text(Client, "one").text(Server, "two").binary(Client, vec![0; 3000]);
    let dir = tempfile::tempdir().unwrap();
    let paths = [session.segments(), session.cut(|_| vec![7])].map(|segments| {
        let path = dir.path().join(segments.len().to_string());
        std::fs::write(&path, capture_of(&segments)).unwrap();
        path
    });
    assert_eq!(of_files(&paths[0], &paths[1], &[]).0, 0);
}

#[test]
fn what_differs_is_told_message_by_message() {
    let same = (Server, "{\"id\":1,\"ok\":true}");
    let one =
        [(Client, "a"), same, (Client, "b"), (Client, "c"), (Client, "only here"), (Server, "{\"id\":2,\"v\":5}")];
    let other =
        [(Client, "b"), same, (Client, "a"), (Client, "C"), (Server, "{\"id\":2,\"v\":6}"), (Server, "\x1b[31mnew")];
    let (_dir, one, other) = captures(&one, &other);
    let (code, stdout, stderr) = of_files(&one, &other, &[]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(format!("{stdout}{stderr}"));
    let (_, records, _) = of_files(&one, &other, &["--json"]);
    let records: Vec<Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = records.iter().map(|record| record["difference"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["moved", "changed", "first", "changed", "second"]);
    assert_eq!((&records[2]["first"]["msg"], &records[2]["second"]["msg"]), (&Value::from(5), &Value::Null));
    assert_eq!(of_files(&one, &other, &["--json", "-n", "1"]).1.lines().count(), 1);
}

/// Of long messages that begin alike what differs is not shown: but where, about.
#[test]
fn how_much_is_alike_is_told() {
    let begin = "x".repeat(1_000);
    let (one, other) = (format!("{begin}one"), format!("{begin}two"));
    let (_dir, first, second) = captures(&[(Client, &one)], &[(Client, &other)]);
    let (code, rows, _) = of_files(&first, &second, &[]);
    assert!(code == 1 && rows.contains("the same for 512 bytes at least"), "{rows}");
    let (_, records, _) = of_files(&first, &second, &["--json"]);
    assert!(records.contains(r#""alike":512}"#), "{records}");
    let (_dir, first, second) = captures(&[(Client, "one")], &[(Client, "two")]);
    assert!(!of_files(&first, &second, &[]).1.contains("the same for"));
    assert!(of_files(&first, &second, &["--json"]).1.contains(r#""alike":0}"#));
}

#[test]
fn what_is_ignored_makes_no_difference() {
    let (_dir, one, other) = captures(
        &[(Client, "{\"id\":1,\"at\":{\"t\":[1,2]},\"v\":5}"), (Server, "{\"id\":\"x\",\"v\":7}")],
        &[(Client, "{\"id\":22,\"at\":{\"t\":[3]},\"v\":5}"), (Server, "{\"id\":\"yy\",\"v\":7}")],
    );
    assert_eq!(of_files(&one, &other, &[]).0, 1);
    assert_eq!(of_files(&one, &other, &["--ignore", "json.id", "--ignore", "json.at.t"]).0, 0);
    assert_eq!(of_files(&one, &other, &["--ignore", "json.id"]).0, 1);
    assert_eq!(of_files(&one, &other, &["--ignore", "json.v", "--ignore", "json.at"]).0, 1);
    let (code, _, problem) = of_files(&one, &other, &["--ignore", "conn"]);
    assert!(code == 2 && problem.contains("a path is wanted"), "{problem}");
    assert_eq!(of_files(&one, &other, &["-Y", "dir == s2c", "--ignore", "json.id"]).0, 0);
    assert_eq!(of_files(&one, &other, &["-Y", "frame.time_relative >= 0"]).0, 1);
    let (_dir, one, other) = captures(
        &[(Client, "{\"id\":1,\"ok\":true,\"x\":null}")],
        &[(Client, "{\"id\":\"1\",\"ok\":false,\"x\":[5]}")],
    );
    let all = ["--ignore", "json.id", "--ignore", "json.ok", "--ignore", "json.x"];
    assert_eq!(of_files(&one, &other, &all).0, 0, "whatever it is");
    assert_eq!(of_files(&one, &other, &all[..4]).0, 1);
}

/// Once a part of JSON is ignored the rest is compared as values.
#[test]
fn json_without_what_is_ignored_is_compared_as_values() {
    let (_dir, one, other) = captures(
        &[(Client, "{\"id\":1,\"ts\":5,\"n\":1,\"a,b\":0,\"l\":[1,2]}"), (Server, "no JSON {\"id\":1}")],
        &[(Client, "{ \"l\": [1, 2.0], \"a,b\":7, \"n\": 1.0,\"ts\":6,\"id\":2}"), (Server, "no JSON {\"id\":1}")],
    );
    let all = ["--ignore", "json.id, json.\"a,b\",json.ts"];
    assert_eq!(of_files(&one, &other, &all), of_files(&one, &one, &all));
    assert_eq!(of_files(&one, &other, &["--ignore", "json.id,json.ts"]).0, 1);
    assert_eq!(of_files(&one, &other, &["--ignore", "json.zzz", "--ignore", "json.id,json.ts,json.*"]).0, 0);
    let (_dir, one, other) = captures(&[(Client, "[1,2]")], &[(Client, "[1, 2]")]);
    assert_eq!(of_files(&one, &other, &[]).0, 1);
    assert_eq!(of_files(&one, &other, &["--ignore", "json.zzz"]).0, 0);
    assert_eq!(of_files(&one, &other, &["--ignore", "json.zzz,"]).0, 2);
}

/// What is beyond the bytes that are kept counts by its length; what is missing is told by `--strict`.
#[test]
fn what_cannot_be_compared_is_no_equal() {
    let (long, longer) = ("x".repeat(1000), "x".repeat(1200));
    let (_dir, one, other) = captures(&[(Client, &long)], &[(Client, &longer)]);
    assert_eq!(of_files(&one, &other, &["--max-message", "200"]).0, 1);
    assert_eq!(of_files(&one, &one, &["--max-message", "200"]).0, 0);
    let lossy = sample("lossy.pcap");
    assert_eq!([of_files(&lossy, &lossy, &[]).0, of_files(&lossy, &lossy, &["--strict"]).0], [0, 4]);
}

#[test]
fn neither_capture_is_written_over() {
    let (_dir, one, other) = captures(&[(Client, "a")], &[(Client, "b")]);
    for input in [&one, &other] {
        let (code, _, problem) = of_files(&one, &other, &["--force", "-o", input.to_str().unwrap()]);
        assert!(code == 5 && problem.contains("is the input"), "{code} {problem}");
    }
}

/// What is said again and again is no hindrance.
#[test]
fn a_missing_heartbeat_is_one_difference() {
    let texts: Vec<String> = (0..60).map(|n| if n % 2 == 0 { "hb".to_owned() } else { format!("m{n}") }).collect();
    let all: Vec<(Side, &str)> = texts.iter().map(|text| (Client, text.as_str())).collect();
    let (_dir, one, other) = captures(&all, &all[1..]);
    let (code, stdout, _) = of_files(&one, &other, &[]);
    assert_eq!((code, stdout.lines().count()), (1, 2), "{stdout}");
}

#[test]
fn connections_are_compared_by_path_or_by_number() {
    let mix = sample("mix.pcap");
    let mix = mix.to_str().unwrap();
    let (code, stdout, _) = diff(&[mix, "1", "2"]);
    assert!(code == 1 && stdout.starts_with("conn 1 ↔ conn 2  ws://127.0.0.1:26605/plain\n"), "{stdout}");
    assert_eq!(diff(&[mix, "3", mix, "3"]).0, 0);
    assert_eq!([diff(&[mix, "3", mix]).0, diff(&[mix, mix, "3"]).0], [0, 0], "its partner is found");
    let (code, _, problem) = diff(&[mix, "1", "9"]);
    assert!(code == 1 && problem.contains("no connection 9"), "{problem}");
    for words in [&[mix][..], &[mix, "1"], &["1", mix], &[mix, "1", "2", "3"]] {
        assert_eq!(diff(words).0, 2, "{words:?}");
    }
    assert_eq!(diff(&[mix, "/none/such"]).0, 3);
    let chat = sample("chat.pcapng");
    let (code, stdout, stderr) = diff(&[chat.to_str().unwrap(), sample("stomp.pcapng").to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(
        stdout.contains("- conn 1 only in the first") && stdout.contains("+ conn 1 only in the second"),
        "{stdout}"
    );
    assert!(stderr.contains("connections without a partner"), "{stderr}");
}

/// What would take more memory than is given to it is not half compared.
#[test]
fn no_more_is_kept_than_fits() {
    struct Into(Gather);
    impl Sink for Into {
        fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
            self.0.event(at, event, &mut Out::memory())
        }
    }
    let gathered = |most| {
        let mut reader = Reader::new(Box::new(std::fs::File::open(sample("chat.pcapng")).unwrap())).unwrap();
        let mut sink = Into(Gather::new(None, Vec::new(), most));
        wspect::dissect::run(&mut reader, Limits::DEFAULT, &mut sink, &mut |_| ControlFlow::Continue(()));
        let messages =
            sink.0.talks().map(|talk| talk.lines.to_server.len() + talk.lines.to_client.len()).sum::<usize>();
        (sink.0.is_full(), messages)
    };
    let (is_full, all) = gathered(1 << 20);
    assert!(!is_full && all > 40, "{all}");
    let (is_full, some) = gathered(1000);
    assert!(is_full && some > 0 && some < 20, "{some}");
}

/// What is told on stderr is redacted as what is printed.
#[test]
fn findings_that_are_told_are_redacted() {
    let mut session = Session::bare(0);
    session.turn(Client, request("/", "Origin: http://o.example/?token=SEKRET\r\n"));
    session.turn(Server, response("")).text(Client, "one");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("one.pcap");
    std::fs::write(&path, capture_of(&session.segments())).unwrap();
    let (_, _, told) = of_files(&path, &path, &["-vv"]);
    assert!(told.contains("token=SEKRET"), "{told}");
    let (_, _, told) = of_files(&path, &path, &["-vv", "--redact", "query:token"]);
    assert!(told.contains("ORIGIN") || told.contains("Origin"), "{told}");
    assert!(!told.contains("SEKRET"), "{told}");
}
