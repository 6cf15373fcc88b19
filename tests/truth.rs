//! Every message of the lab's captures, made with real clients and servers, against what their endpoints logged.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use support::craft::read;
use support::run::{
    Conversation, Input, Message, conversations, findings, flag, messages, number, records, string, wspect, wspect_with,
};
use support::truth::{Truth, by_id, complaints, frame_complaints, grouped, invented_anywhere};
use support::{SAMPLES, capture, find, in_collection};

/// Captures of which not all messages can be shown yet, by the beginning of their name, and why.
/// Of these only this is asked: what is shown as complete is true.
const LATER: &[(&str, &str)] =
    &[("d_tls_gap", "a message of which all bytes are lost"), ("d_tls_partial_keys", "connections without a key")];

/// Connections of which nothing is asked: in `pipelined` the server answers out of order, a bug of its own.
const EXCUSED: &[(&str, &str)] = &[("handshakes", "40924")];

/// The lab's captures that are in the repository: these must be there.
const OURS: &[&str] = &[
    "app_mqtt",
    "app_payloads",
    "app_signalr_msgpack",
    "app_sio4",
    "app_stomp",
    "base_mix",
    "chromium_ws",
    "handshakes",
    "srv_aiohttp",
    "srv_tornado",
    "srv_wsnode",
    "tls_hrr",
    "tls_resume12id",
    "tls_resume12ticket",
    "tls_resume13",
    "tls_tls12",
    "tls_tls13_dsb",
];

/// Names of all captures of the lab that can be found, with their files and truth.
fn lab() -> Vec<(String, PathBuf, Truth)> {
    let mut names: Vec<String> = OURS.iter().map(|name| (*name).to_owned()).collect();
    match std::env::var_os("WSPECT_CAPTURES") {
        None => eprintln!("skipped: all but {} of the lab's captures (set WSPECT_CAPTURES)", OURS.len()),
        Some(dir) => {
            names.extend(std::fs::read_dir(PathBuf::from(dir).join("lab")).unwrap().filter_map(|entry| {
                entry.unwrap().file_name().to_str()?.strip_suffix(".truth.jsonl").map(str::to_owned)
            }))
        }
    }
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            let truth = Truth::read(&find("lab", &format!("{name}.truth.jsonl")).expect("truth"));
            let path = find("lab", truth.meta["capture"].as_str().unwrap()).expect("capture");
            (name, path, truth)
        })
        .collect()
}

fn later(name: &str) -> Option<&'static str> {
    LATER.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, why)| *why)
}

#[test]
fn what_is_shown_is_what_was_said() {
    let mut wrong = Vec::new();
    for (name, path, truth) in lab().into_iter().filter(|(name, ..)| later(name).is_none()) {
        let excused: Vec<_> = EXCUSED.iter().filter(|row| row.0 == name).map(|row| row.1).collect();
        let shown = conversations(Input::File(&path));
        wrong.extend(complaints(&truth, &shown, &excused).into_iter().map(|line| format!("{name}: {line}")));
        if truth.of("frame").next().is_some() {
            let frames = records("frames", Input::File(&path));
            wrong.extend(frame_complaints(&truth, &shown, &frames).into_iter().map(|line| format!("{name}: {line}")));
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn nothing_is_invented_where_not_all_can_be_shown() {
    let mut wrong = Vec::new();
    let mut unused: Vec<&str> = LATER.iter().map(|(prefix, _)| *prefix).collect();
    for (name, path, truth) in lab() {
        let Some(why) = later(&name) else { continue };
        unused.retain(|prefix| !name.starts_with(prefix));
        eprintln!("only what is shown is judged, not what is absent: {name} ({why})");
        let done = wspect(&["msgs", "--json"], Input::File(&path));
        assert_eq!(done.code, Some(0), "{name}: {}", done.stderr);
        let invented = invented_anywhere(&truth, &messages(Input::File(&path)));
        wrong.extend(invented.into_iter().map(|line| format!("{name}: {line}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if std::env::var_os("WSPECT_CAPTURES").is_some() {
        assert!(unused.is_empty(), "no capture for {unused:?}");
    }
}

/// Who writes no messages is not told what they say, only what is to be said of them: the same as for who does.
#[test]
fn what_is_said_of_messages_does_not_depend_on_who_hears_them() {
    for (name, path, _) in lab() {
        for more in [&[][..], &["--max-message", "1000", "--max-inflated", "20000"]] {
            let rows = |kinds: &str| {
                let done = wspect_with(&["export", "jsonl", "--records", kinds], &path, more);
                assert_eq!(done.code, Some(0), "{name}: {}", done.stderr);
                String::from_utf8(done.stdout).unwrap()
            };
            let with = rows("connection,handshake,message,finding");
            let with: Vec<&str> = with.lines().filter(|row| !row.contains(r#""kind":"message""#)).collect();
            assert!(rows("connection,handshake,finding").lines().eq(with), "{name} {more:?}");
        }
    }
}

/// What lies around a hole is kept, and the hole's place and size are exact.
#[test]
fn a_message_with_a_hole_is_the_message_without_its_missing_bytes() {
    let lossy = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/lossy.pcap");
    let derived = ["d_mix_gap_plain.pcap", "d_mix_snaplen.pcap"].map(|name| capture("lab", name));
    let whole = conversations(Input::File(&find("lab", "base_mix.pcap").unwrap()));
    for (at, path) in [Some(lossy)].into_iter().chain(derived).flatten().enumerate() {
        let mut holes = 0;
        for conversation in conversations(Input::File(&path)) {
            let original = whole.iter().find(|other| other.client == conversation.client).unwrap();
            let holed = conversation.messages.iter().filter(|message| !message.missing.is_empty());
            for message in holed.filter(|message| message.missing.iter().all(|hole| hole.1.is_some())) {
                holes += 1;
                let fits = original.of(&message.dir).iter().any(|sent| is_without_holes(message, sent));
                assert!(fits, "{} {}: nobody sent {}", path.display(), conversation.client, message.brief());
            }
        }
        assert!(at > 0 || holes == 1, "one message of the sample has a hole");
    }
}

/// Whether a message is `sent` without its missing bytes.
fn is_without_holes(message: &Message, sent: &Message) -> bool {
    let mut rest = sent.payload.clone();
    for (offset, len) in message.missing.iter().rev() {
        let at = *offset as usize;
        rest.drain(at.min(rest.len())..(at + len.unwrap_or(0) as usize).min(rest.len()));
    }
    sent.opcode == message.opcode && sent.len == message.len && rest == message.payload
}

/// One lost packet costs one message; all others of the sample are those of the capture it was made from.
#[test]
fn the_lossy_sample_lacks_one_message() {
    let sample = |name: &str| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let mut packets = read(&std::fs::read(sample("mix.pcap")).unwrap());
    packets.remove(36);
    assert_eq!(read(&std::fs::read(sample("lossy.pcap")).unwrap()), packets, "mix.pcap without its packet 37");
    let [whole, lossy] = ["mix.pcap", "lossy.pcap"].map(|name| conversations(Input::File(&sample(name))));
    let of = |all: &[Conversation]| all.iter().flat_map(|one| one.essence()).flatten().collect::<Vec<_>>();
    let (whole, lossy) = (of(&whole), of(&lossy));
    assert_eq!(whole.len(), lossy.len());
    assert_eq!(whole.iter().zip(&lossy).filter(|(whole, lossy)| whole != lossy).count(), 1);
    let codes: Vec<String> = findings(Input::File(&sample("lossy.pcap"))).into_iter().map(|(code, _)| code).collect();
    assert!(codes.contains(&"TCP-GAP".to_owned()) && !codes.contains(&"WS-LOST".to_owned()), "{codes:?}");
}

#[test]
fn a_lost_head_is_reported() {
    let Some(path) = capture("lab", "d_mix_gap_plain.pcap") else { return };
    let all = findings(Input::File(&path));
    for code in ["TCP-GAP", "WS-RESYNC"] {
        assert!(all.iter().any(|(found, _)| found == code), "{code} is not among the findings");
    }
}

/// Frames, messages and connections of one capture add up.
#[test]
fn frames_make_messages_and_messages_make_connections() {
    for (name, path, _) in lab().into_iter().filter(|(name, ..)| later(name).is_none()) {
        let input = Input::File(&path);
        let all = messages(input);
        let frames = records("frames", input);
        let parts = frames_of_messages(&frames);
        for message in all.iter().filter(|message| message.complete || message.compressed) {
            let parts = parts.get(&(message.conn, message.number)).map_or(&[][..], Vec::as_slice);
            let at = format!("{name} conn {} msg {}: {}", message.conn, message.number, message.brief());
            assert_eq!(parts.len() as u64, message.frames, "{at}: frames");
            assert_eq!(parts.iter().map(|frame| number(frame, "len")).sum::<u64>(), message.wire_len, "{at}: wire_len");
            assert!(parts.iter().all(|frame| frame["dir"] == message.dir.as_str()), "{at}: dir");
            let first = parts.first().map(|frame| (number(frame, "opcode"), number(frame, "rsv") & 4 != 0));
            let rsv1 = first.is_some_and(|(_, rsv1)| rsv1 && !message.is_control());
            assert_eq!((first.map(|first| first.0), rsv1), (Some(message.opcode.into()), message.compressed), "{at}");
            let holes: u64 = message.missing.iter().filter_map(|hole| hole.1).sum();
            assert_eq!(message.payload.len() as u64 + holes, message.len, "{at}: payload and holes");
        }
        for row in records("ls", input) {
            for dir in ["c2s", "s2c"] {
                let mine = || all.iter().filter(|m| m.conn == number(&row, "conn") && m.dir == dir);
                let counts = &row[dir];
                assert_eq!(number(counts, "messages"), mine().count() as u64, "{name}: {row}");
                assert_eq!(number(counts, "bytes"), mine().map(|m| m.len).sum::<u64>(), "{name}: {row}");
                assert_eq!(number(counts, "wire_bytes"), mine().map(|m| m.wire_len).sum::<u64>(), "{name}: {row}");
            }
        }
    }
}

/// Records come in the order of their packets; messages and frames are numbered from 1 within their connection.
#[test]
fn records_come_in_order() {
    for (name, path, _) in lab().into_iter().filter(|(name, ..)| later(name).is_none()) {
        let input = Input::File(&path);
        for (command, count) in [("msgs", "msg"), ("frames", "frame"), ("check", "")] {
            let all = records(command, input);
            let packets: Vec<u64> = all.iter().map(|record| number(record, "packet")).collect();
            assert!(packets.is_sorted(), "{name}: {command}: packets {packets:?}");
            if count.is_empty() {
                continue;
            }
            let mut next: BTreeMap<u64, u64> = BTreeMap::new();
            for record in &all {
                let last = next.entry(number(record, "conn")).or_default();
                *last += 1;
                assert_eq!(number(record, count), *last, "{name}: {command}: {record}");
                assert!(number(record, "first_packet") <= number(record, "packet"), "{name}: {command}: {record}");
            }
        }
        let numbers: Vec<u64> = records("ls", input).iter().map(|record| number(record, "conn")).collect();
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{name}: {numbers:?}");
    }
}

/// The frames of each message, by connection and message number.
fn frames_of_messages(frames: &[Value]) -> BTreeMap<(u64, u64), Vec<&Value>> {
    let mut ways: BTreeMap<(u64, &str), Vec<&Value>> = BTreeMap::new();
    for frame in frames {
        ways.entry((number(frame, "conn"), frame["dir"].as_str().unwrap())).or_default().push(frame);
    }
    let mut found = BTreeMap::new();
    for ((conn, _), way) in ways {
        for (msg, parts) in grouped(&way) {
            found.insert((conn, msg), parts.into_iter().map(|at| way[at]).collect());
        }
    }
    found
}

/// What is wrong with the handshakes of the lab, by label, and why those were refused that were. Each refused upgrade has one cause.
const BROKEN: &[(&str, &[&str])] = &[
    ("401", &["HS-AUTH"]),
    ("403", &["HS-FORBIDDEN"]),
    ("404", &["HS-NOT-FOUND"]),
    ("302", &["HS-REDIRECT"]),
    ("503", &["HS-GATEWAY"]),
    ("bad-key-400", &["HS-KEY", "HS-BAD-REQUEST"]),
    ("no-key-400", &["HS-KEY", "HS-BAD-REQUEST"]),
    ("version-12-426", &["HS-VERSION", "HS-VERSIONS"]),
    ("no-version", &["HS-VERSION", "HS-BAD-REQUEST"]),
    ("non-get", &["HS-METHOD", "HS-BAD-REQUEST"]),
    ("no-upgrade-hdr", &["HS-UPGRADE", "HS-STRIPPED"]),
    ("npm-version-7", &["HS-VERSION", "HS-VERSIONS"]),
    ("npm-post", &["HS-METHOD", "HS-BAD-REQUEST"]),
    ("npm-badkey", &["HS-KEY", "HS-BAD-REQUEST"]),
    ("http10", &["HS-HTTP-VERSION"]),
    ("glued-early-frame", &["HS-EARLY-DATA"]),
    ("reject-then-retry", &["HS-NOT-FOUND"]),
    ("raw/wrongaccept", &["HS-ACCEPT", "HS-NO-SUBPROTOCOL"]),
    ("raw/noaccept", &["HS-ACCEPT", "HS-NO-SUBPROTOCOL"]),
    ("raw/subproto", &["HS-SUBPROTOCOL"]),
    ("raw/extension", &["HS-NO-SUBPROTOCOL", "HS-EXTENSION"]),
    ("raw/early", &["HS-NO-SUBPROTOCOL"]),
    ("raw/h2cupgrade", &["HS-OTHER-PROTOCOL"]),
    ("raw/foo", &["HS-OTHER-PROTOCOL"]),
    ("raw/426", &["HS-STRIPPED"]),
    ("raw/200", &["HS-PLAIN-ANSWER"]),
    ("raw/caps", &["HS-NO-SUBPROTOCOL"]),
    ("raw/lf", &["HS-NO-SUBPROTOCOL"]),
    ("raw/drip", &["HS-NO-SUBPROTOCOL"]),
];

/// The evidence that some of them give, in their own words.
const EVIDENCE: &[(&str, &[&str])] = &[
    ("401", &["WWW-Authenticate: Basic realm=\"lab\"", "neither Authorization nor Cookie", "Server: Python/3.11"]),
    ("403", &["no Origin", "neither Authorization nor Cookie", "body: refused 403"]),
    ("404", &["path /404", "Host: lab.test"]),
    ("302", &["Location: /elsewhere"]),
    ("bad-key-400", &["HS-KEY (Sec-WebSocket-Key: short)"]),
    ("non-get", &["Allow: GET", "HS-METHOD (method POST)"]),
    ("npm-version-7", &["the client's version: 7", "the server's: 13, 8"]),
    ("version-12-426", &["the client's version: 12", "none named"]),
    ("no-upgrade-hdr", &["the request has no Upgrade"]),
    ("raw/426", &["asks for the upgrade", "13, 8, 7"]),
    ("raw/wrongaccept", &["AAAAAAAAAAAAAAAAAAAAAAAAAAA=, expected "]),
    ("raw/noaccept", &["no Sec-WebSocket-Accept, expected "]),
    ("raw/subproto", &["Sec-WebSocket-Protocol: not-offered, offered: a, b"]),
    ("raw/extension", &["x-unoffered; a=1"]),
    ("raw/h2cupgrade", &["Upgrade: h2c"]),
    ("raw/foo", &["Upgrade: foo/2"]),
];

#[test]
fn handshakes_are_shown_with_their_faults() {
    let path = find("lab", "handshakes.pcapng").unwrap();
    let truth = Truth::read(&find("lab", "handshakes.truth.jsonl").unwrap());
    let shown = conversations(Input::File(&path));
    let shown = by_id(&shown);
    let records = records("handshake", Input::File(&path));
    for line in truth.of("handshake") {
        let (id, label) = (line["id"].as_str().unwrap(), line["label"].as_str().unwrap());
        if EXCUSED.contains(&("handshakes", id)) {
            continue;
        }
        // A request to upgrade to something else is no connection.
        if label == "upgrade-foo" {
            assert!(!shown.contains_key(id));
            continue;
        }
        let conversation = shown.get(id).unwrap_or_else(|| panic!("{label}: no connection {id}"));
        let record = records.iter().find(|record| number(record, "conn") == conversation.conn).unwrap();
        let broken: Vec<String> = record["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|check| !flag(check, "ok"))
            .map(|check| string(check, "code"))
            .collect();
        let expected = BROKEN.iter().find(|row| row.0 == label).map_or(&[][..], |row| row.1);
        assert_eq!(broken, expected, "{label}: broken rules in {record}");
        let details = record["checks"].to_string().replace("\\\"", "\"");
        for evidence in EVIDENCE.iter().filter(|row| row.0 == label).flat_map(|row| row.1) {
            assert!(details.contains(evidence), "{label}: no `{evidence}` in {details}");
        }
        if label == "reject-then-retry" {
            continue;
        }
        assert_eq!(record["status"], line["status"], "{label}");
        let elsewhere = label == "raw/h2cupgrade" || label == "raw/foo";
        if !elsewhere {
            assert_eq!(record["accepted"], line["status"] == 101, "{label}");
            assert_eq!(conversation.state == "rejected", line["status"] != 101, "{label}: {}", conversation.state);
        }
        same_head(label, &record["response"], line["response_head"].as_str().unwrap());
    }
}

/// The response as the raw client saw it, line by line.
fn same_head(label: &str, response: &Value, seen: &str) {
    let mut lines = seen.lines();
    let start = lines.next().unwrap();
    let shown = format!("{} {} {}", string(response, "version"), response["status"], string(response, "reason"));
    assert_eq!(shown, start, "{label}");
    let headers: Vec<[String; 2]> = serde_json::from_value(response["headers"].clone()).unwrap();
    let seen: Vec<[String; 2]> = lines
        .take_while(|line| !line.trim().is_empty())
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| [name.to_owned(), value.trim().to_owned()])
        .collect();
    assert_eq!(headers, seen, "{label}");
}

/// The second request on a connection after a refusal is a connection of its own on the same stream.
#[test]
fn a_second_try_on_the_same_stream_is_a_second_connection() {
    let path = find("lab", "handshakes.pcapng").unwrap();
    let shown = conversations(Input::File(&path));
    let tries: Vec<_> = shown.iter().filter(|conversation| conversation.port() == 49736).collect();
    assert_eq!(tries.len(), 2);
    assert_eq!(tries[0].stream, tries[1].stream);
    assert_eq!(tries[0].state, "rejected");
    let records = records("handshake", Input::File(&path));
    let second = records.iter().find(|record| number(record, "conn") == tries[1].conn).unwrap();
    assert_eq!(second["request"]["target"], "/ok");
    assert_eq!((&second["accepted"], &second["response"]), (&Value::Null, &Value::Null));
}

/// The samples are what their truth is about.
#[test]
fn samples_are_captures_of_the_lab() {
    for (lab, _) in SAMPLES {
        let sample = std::fs::read(find("lab", lab).expect("sample")).unwrap();
        match in_collection("lab", lab) {
            Some(original) => assert!(sample == std::fs::read(original).unwrap(), "{lab}"),
            None => eprintln!("skipped: {lab} (set WSPECT_CAPTURES)"),
        }
    }
}

/// A comparison that cannot fail proves nothing: each kind of falsehood must be noticed.
#[test]
fn falsehoods_are_noticed() {
    let truth = Truth::read(&find("lab", "base_mix.truth.jsonl").unwrap());
    let shown = conversations(Input::File(&find("lab", "base_mix.pcap").unwrap()));
    assert_eq!(complaints(&truth, &shown, &[]), [""; 0]);
    type Lie = fn(&mut Vec<Message>);
    let lies: [(&str, Lie); 9] = [
        ("a message fewer", |all| drop(all.remove(4))),
        ("a message twice", |all| all.insert(4, all[4].clone())),
        ("two messages swapped", |all| all.swap(1, 3)),
        ("another byte", |all| all[2].payload[0] ^= 1),
        ("another length", |all| all[2].len += 1),
        ("another type", |all| all[0].opcode = 2),
        ("the wrong way", |all| all[0].dir = "s2c".into()),
        ("incomplete", |all| all[2].complete = false),
        ("another code", |all| all.last_mut().unwrap().close_code = Some(1001)),
    ];
    for (lie, tell) in lies {
        let mut false_ones = shown.clone();
        let plain = false_ones.iter_mut().find(|conversation| conversation.port() == 57752).unwrap();
        let mut ours: Vec<_> = plain.messages.iter().filter(|m| m.dir == "c2s").cloned().collect();
        tell(&mut ours);
        plain.messages.retain(|message| message.dir != "c2s");
        plain.messages.extend(ours);
        assert_ne!(complaints(&truth, &false_ones, &[]), [""; 0], "{lie} goes unnoticed");
    }
}
