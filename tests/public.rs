//! Captures that other people made, against what two decoders independent of this one agree on.
//!
//! They may not be copied into the repository: they are found through `WSPECT_CAPTURES`, as `public/` in it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

mod support;

use serde_json::Value;
use support::run::{Input, Message, flag, messages, number, records, string, wspect};
use support::{in_collection, sha256};

/// The entries of `expected.json`; none, and a line on stderr, where there is no collection.
fn expected() -> Vec<Value> {
    let Some(path) = in_collection("public", "expected.json").filter(|path| path.is_file()) else {
        eprintln!("skipped: the public captures (set WSPECT_CAPTURES to the collection of captures)");
        return Vec::new();
    };
    let entries: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(entries.len() > 30, "all of them are there");
    entries
}

/// Runs `judge` on each readable capture and gathers what it says is wrong.
fn each(judge: impl Fn(&Value, Input<'_>) -> Vec<String>) {
    let mut wrong = Vec::new();
    for entry in expected().iter().filter(|entry| entry["verdict"] != "unreadable") {
        let name = entry["file"].as_str().unwrap();
        let path = in_collection("public", name).unwrap();
        wrong.extend(judge(entry, Input::File(&path)).into_iter().map(|line| format!("{name}: {line}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One line when the two differ.
fn differ<T: PartialEq + std::fmt::Debug>(what: &str, shown: T, expected: T) -> Option<String> {
    (shown != expected).then(|| format!("{what}: shown {shown:?}, expected {expected:?}"))
}

#[test]
fn packets_and_streams_are_counted_as_tshark_counts_them() {
    each(|entry, input| {
        let stats = &records("stats", input)[0];
        let counts = ["packets", "tcp_streams"].map(|count| differ(count, &stats[count], &entry[count]));
        counts.into_iter().flatten().collect()
    });
}

#[test]
fn connections_are_those_that_are_there() {
    each(|entry, input| {
        let streams = entry["streams"].as_array().unwrap();
        let rows = records("ls", input);
        let mut wrong: Vec<String> = differ("connections", rows.len(), streams.len()).into_iter().collect();
        for (row, stream) in rows.iter().zip(streams) {
            wrong.extend(differ("tcp_stream", &row["tcp_stream"], &stream["stream"]));
            wrong.extend(differ("client", &row["client"], &stream["client"]));
            wrong.extend(differ("server", &row["server"], &stream["server"]));
            let url = format!("ws://{}{}", stream["host"].as_str().unwrap(), stream["path"].as_str().unwrap());
            wrong.extend(differ("url", string(row, "url"), url));
            let subprotocol = row["subprotocol"].as_str().unwrap_or_default();
            wrong.extend(differ("subprotocol", subprotocol, stream["subprotocol"].as_str().unwrap()));
            let extensions: Vec<_> = row["extensions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            wrong.extend(differ("extensions", extensions.join(", ").as_str(), stream["extensions"].as_str().unwrap()));
        }
        for (record, stream) in records("handshake", input).iter().zip(streams) {
            let accept = record["checks"].as_array().unwrap().iter().find(|check| check["code"] == "HS-ACCEPT");
            wrong.extend(differ("accept", flag(accept.unwrap(), "ok"), stream["accept_ok"] == true));
        }
        wrong
    });
}

#[test]
fn frames_are_those_that_are_there() {
    each(|entry, input| {
        let frames = records("frames", input);
        let expected = entry["frames"].as_array().unwrap();
        let mut wrong: Vec<String> = differ("frames", frames.len(), expected.len()).into_iter().collect();
        for dir in ["c2s", "s2c"] {
            let shown = frames.iter().filter(|frame| frame["dir"] == dir);
            for (frame, expected) in shown.zip(expected.iter().filter(|frame| frame["dir"] == dir)) {
                let bit = |name: &str| u64::from(flag(frame, name));
                let fields = [
                    ("tcp_stream", "stream", number(frame, "tcp_stream")),
                    ("opcode", "opcode", number(frame, "opcode")),
                    ("fin", "fin", bit("fin")),
                    ("rsv", "rsv", number(frame, "rsv")),
                    ("masked", "masked", bit("masked")),
                    ("len", "len", number(frame, "len")),
                ];
                let at = format!("{dir} frame {}", expected["n"]);
                wrong.extend(
                    fields.iter().filter_map(|(name, key, shown)| {
                        differ(&format!("{at} {name}"), *shown, number(expected, key))
                    }),
                );
            }
        }
        wrong
    });
}

#[test]
fn messages_are_those_that_are_there() {
    each(|entry, input| {
        let shown = messages(input);
        let mut wrong = Vec::new();
        for dir in ["c2s", "s2c"] {
            let data: Vec<_> = shown.iter().filter(|message| message.dir == dir && !message.is_control()).collect();
            let expected: Vec<_> = entry["messages"].as_array().unwrap().iter().filter(|m| m["dir"] == dir).collect();
            wrong.extend(differ(&format!("{dir} messages"), data.len(), expected.len()));
            for (n, (message, expected)) in data.into_iter().zip(expected).enumerate() {
                wrong.extend(data_differs(&format!("{dir} message {n}"), message, expected));
            }
            let control: Vec<_> = shown.iter().filter(|message| message.dir == dir && message.is_control()).collect();
            let frames = entry["frames"].as_array().unwrap().iter();
            let expected: Vec<_> = frames.filter(|m| m["dir"] == dir && number(m, "opcode") >= 8).collect();
            wrong.extend(differ(&format!("{dir} control frames"), control.len(), expected.len()));
            for (n, (message, expected)) in control.into_iter().zip(expected).enumerate() {
                let at = format!("{dir} control frame {n}");
                wrong.extend(differ(&at, u64::from(message.opcode), number(expected, "opcode")));
                wrong.extend(differ(&at, sha256(&message.payload), string(expected, "sha256")));
                wrong.extend(differ(&at, message.close_code, expected["code"].as_u64()));
            }
        }
        wrong
    });
}

fn data_differs(at: &str, message: &Message, expected: &Value) -> Vec<String> {
    let mut wrong: Vec<String> = [
        differ("opcode", u64::from(message.opcode), number(expected, "opcode")),
        differ("frames", message.frames, number(expected, "frames")),
        differ("wire_len", message.wire_len, number(expected, "wire_len")),
    ]
    .into_iter()
    .flatten()
    .collect();
    wrong.extend(differ("compressed", message.compressed, flag(expected, "compressed")));
    wrong.extend(differ("len", message.len, number(expected, "len")));
    wrong.extend(differ("sha256", sha256(&message.payload), string(expected, "sha256")));
    wrong.extend(differ("complete", message.complete, true));
    wrong.into_iter().map(|line| format!("{at}: {line}")).collect()
}

/// What is no capture, or one without its end, is named as such.
#[test]
fn what_cannot_be_read_is_refused_or_reported() {
    for entry in expected().iter().filter(|entry| entry["verdict"] == "unreadable") {
        let path = in_collection("public", entry["file"].as_str().unwrap()).unwrap();
        let done = wspect(&["ls"], Input::File(&path));
        assert!(done.code == Some(3) || done.stderr.contains("FILE-"), "{entry}: {:?} {}", done.code, done.stderr);
        assert!(done.stdout.is_empty());
    }
}
