//! What messages say, against what the programs that said it logged; and the page of decoders.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use support::run::{Input, wspect};
use support::truth::Truth;
use support::{SAMPLES, find};
use wspect::decode::{DECODERS, Kind};

/// Message records of a capture, with what was decoded.
fn decoded(path: &Path) -> Vec<Value> {
    let done = wspect(&["msgs", "--json", "--decoded"], Input::File(path));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    done.records()
}

/// A capture of the lab that is in the repository, and its truth.
fn lab(name: &str) -> (Vec<Value>, Truth) {
    let truth = Truth::read(&find("lab", &format!("{name}.truth.jsonl")).unwrap());
    (decoded(&find("lab", truth.meta["capture"].as_str().unwrap()).unwrap()), truth)
}

/// Bytes as the truth writes them.
fn as_in_truth(value: &Value) -> Value {
    match value {
        Value::Object(map) if map.len() == 1 && map.contains_key("base64") => json!({"$bin": map["base64"]}),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), as_in_truth(value))).collect(),
        Value::Array(items) => items.iter().map(as_in_truth).collect(),
        other => other.clone(),
    }
}

fn sorted(mut all: Vec<String>) -> Vec<String> {
    all.sort();
    all
}

#[test]
fn socket_io_events_are_those_of_its_endpoints() {
    let (messages, truth) = lab("app_sio4");
    let data = |record: &Value| record["decoded"]["data"].clone();
    let of = |dir: &str, kinds: &[&str]| -> Vec<Value> {
        let mine = messages.iter().filter(|record| record["dir"] == dir);
        // A binary event is told with its last attachment, which has the same data as the head, and its bytes.
        let whole = |value: &Value| !value.to_string().contains("_placeholder");
        mine.map(data).filter(|it| kinds.iter().any(|kind| it["type"] == *kind) && whole(it)).collect()
    };
    for (side, dir) in [("client", "s2c"), ("server", "c2s")] {
        let wanted =
            truth.of("app").filter(|line| line["side"] == side && line["dir"] == dir && !line["event"].is_null());
        let wanted: Vec<String> =
            wanted.map(|line| json!([line["ns"], line["event"], line["args"]]).to_string()).collect();
        let told = of(dir, &["EVENT", "BINARY_EVENT"]);
        let told = told.iter().map(|it| json!([it["namespace"], it["event"], as_in_truth(&it["args"])]).to_string());
        // What went over long polling before the upgrade is not in a WebSocket.
        let told: BTreeSet<String> = told.collect();
        let lacking: Vec<&String> = told.iter().filter(|it| !wanted.contains(it)).collect();
        assert!(lacking.is_empty(), "never said: {lacking:?}");
        assert!(told.len() >= 5, "{told:?}");
        let polled = |it: &&String| it.contains("welcome");
        assert!(wanted.iter().filter(|it| !polled(it)).all(|it| told.contains(it)), "{side} heard more");
    }
    let acks = truth.of("app").filter(|line| !line["ack"].is_null()).map(|line| line["ack"].to_string());
    let told = of("s2c", &["ACK"]).iter().map(|it| it["args"].to_string()).collect();
    assert_eq!(sorted(told), sorted(acks.collect()));
}

/// Each acknowledgement answers the event that asked for it, whatever the thread of talk between.
#[test]
fn socket_io_acknowledgements_answer_their_event() {
    let (messages, _) = lab("app_sio4");
    let mut answered = 0;
    for reply in &messages {
        let decoded = &reply["decoded"];
        let Some(asked) = decoded["reply_to"].as_u64() else { continue };
        let by_number = |record: &&Value| record["conn"] == reply["conn"] && record["msg"] == asked;
        let request = messages.iter().find(by_number).unwrap();
        assert_ne!(request["dir"], reply["dir"]);
        assert_eq!(request["decoded"]["id"], decoded["id"]);
        assert!(decoded["latency_ns"].as_i64().unwrap() > 0);
        answered += 1;
    }
    assert_eq!(answered, 9);
}

/// Whatever a decoder makes of a message, the record says what was sent; and without `--decoded` nothing is decoded.
#[test]
fn no_decoder_hides_a_payload() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut shown = 0;
    for path in SAMPLES.iter().map(|(_, sample)| root.join(sample)) {
        let plain = wspect(&["msgs", "--json"], Input::File(&path)).records();
        let mut with = decoded(&path);
        shown += with.iter().filter(|record| !record["decoded"].is_null()).count();
        with.iter_mut().for_each(|record| record["decoded"] = Value::Null);
        assert!(plain == with, "{}", path.display());
    }
    assert!(shown > 5, "{shown} messages are decoded");
}

/// The table of decoders as the page has it.
fn table() -> String {
    let words = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
    let row = |it: &wspect::decode::Decoder| {
        let kind = if it.kind == Kind::Protocol { "protocol" } else { "format" };
        let known_by = it.known_by.replace('|', "\\|");
        format!("| `{}` | {kind} | {} | {known_by} | {} |\n", it.name, words(it.subprotocols), it.about)
    };
    DECODERS.iter().map(row).collect()
}

#[test]
fn the_page_has_the_table() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/DECODERS.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, _) = page.split_once("|---|---|---|---|---|\n").expect("the page has a table of decoders, at its end");
    let wanted = format!("{before}|---|---|---|---|---|\n{}", table());
    if std::env::var_os("DECODERS").is_some_and(|value| value == "write") {
        std::fs::write(&path, &wanted).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == wanted, "docs/DECODERS.md is out of date: DECODERS=write cargo test --test decoders page");
}

/// Every filter that the page shows is one.
#[test]
fn filters_of_the_page_are_read() {
    let page = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/DECODERS.md")).unwrap();
    let block = page.split("```text\n").nth(1).and_then(|block| block.split("```").next()).unwrap();
    assert!(block.lines().count() > 3);
    for filter in block.lines() {
        assert!(wspect::filter::Filter::new(filter).is_ok(), "{filter}");
    }
}
