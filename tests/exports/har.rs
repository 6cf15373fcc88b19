//! HAR 1.2: every mandatory field, of its type, and the messages of the capture.

use super::support::craft::*;
use super::support::run::{Conversation, Input, Message, conversations, records, wspect};
use super::{capture, hostile, in_file, numbered, some_captures, text};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};
use std::path::Path;

/// Each key that HAR 1.2 demands, with its type: `s` string, `i` integer, `n` number, `l` list, `o` object, `u` URL, `d` date.
const LOG: &str = "version:s creator:o entries:l";
const ENTRY: &str = "startedDateTime:d time:n request:o response:o cache:o timings:o";
const REQUEST: &str = "method:s url:u httpVersion:s cookies:l headers:l queryString:l headersSize:i bodySize:i";
const RESPONSE: &str =
    "status:i statusText:s httpVersion:s cookies:l headers:l content:o redirectURL:s headersSize:i bodySize:i";
const CONTENT: &str = "size:i mimeType:s";
const TIMINGS: &str = "send:n wait:n receive:n";
const NAMED: &str = "name:s value:s";
const MESSAGE: &str = "type:s time:n opcode:i data:s";

/// Keys that an object may have beside those that it must; others begin with `_`.
const OPTIONAL: &[&str] = &[
    "comment",
    "serverIPAddress",
    "connection",
    "blocked",
    "dns",
    "connect",
    "ssl",
    "path",
    "domain",
    "expires",
    "httpOnly",
    "secure",
];

fn object<'a>(value: &'a Value, keys: &str) -> &'a Map<String, Value> {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    for key in keys.split(' ') {
        let (name, kind) = key.split_once(':').unwrap();
        let value = object.get(name).unwrap_or_else(|| panic!("no {name} in {value}"));
        let is_right = match kind {
            "s" => value.is_string(),
            "i" => value.is_i64() || value.is_u64(),
            "n" => value.is_number(),
            "l" => value.is_array(),
            "o" => value.is_object(),
            "u" => value.as_str().is_some_and(|url| url.starts_with("ws://") || url.starts_with("wss://")),
            "d" => value.as_str().is_some_and(is_date),
            _ => unreachable!(),
        };
        assert!(is_right, "{name} is {value}");
    }
    let is_known =
        |name: &str| keys.split(' ').any(|key| key.split(':').next() == Some(name)) || OPTIONAL.contains(&name);
    for name in object.keys() {
        assert!(name.starts_with('_') || is_known(name), "{name} is no key of HAR 1.2: {value}");
    }
    object
}

/// `2023-11-14T22:13:20.123Z`.
fn is_date(text: &str) -> bool {
    text.len() == 24 && text.parse::<jiff::Timestamp>().is_ok()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("no list {name}"))
}

/// The entries of a file that is whole in the eyes of a strict reader, and of one that is used elsewhere.
fn entries(text: &str) -> Vec<Value> {
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "a control character");
    let har: Value = serde_json::from_str(text).unwrap();
    object(&har, "log:o");
    object(&har["log"], LOG);
    assert_eq!(har["log"]["version"], "1.2");
    object(&har["log"]["creator"], "name:s version:s");
    let entries = list(&har["log"], "entries");
    for entry in entries {
        check(entry);
    }
    let loaded = har::from_slice(text.as_bytes()).unwrap();
    let har::Spec::V1_2(loaded) = loaded.log else { panic!("another version") };
    for (entry, loaded) in entries.iter().zip(&loaded.entries) {
        assert_eq!(
            (&entry["request"]["url"], &entry["response"]["status"]),
            (&loaded.request.url.as_str().into(), &loaded.response.status.into())
        );
    }
    assert_eq!(loaded.entries.len(), entries.len());
    entries.to_vec()
}

fn check(entry: &Value) {
    object(entry, ENTRY);
    assert_eq!((&entry["_resourceType"], entry["cache"].as_object().unwrap().len()), (&"websocket".into(), 0));
    object(&entry["request"], REQUEST);
    object(&entry["response"], RESPONSE);
    object(&entry["response"]["content"], CONTENT);
    let timings = object(&entry["timings"], TIMINGS);
    let sum: f64 = timings.values().map(|value| value.as_f64().unwrap()).filter(|&time| time != -1.0).sum();
    assert!((sum - entry["time"].as_f64().unwrap()).abs() < 0.001, "time is the sum of the timings: {entry}");
    assert!(timings.values().all(|value| value.as_f64().unwrap() >= -1.0));
    for head in ["request", "response"] {
        for value in list(&entry[head], "headers").iter().chain(list(&entry[head], "cookies")) {
            object(value, NAMED);
        }
    }
    for value in list(&entry["request"], "queryString") {
        object(value, NAMED);
    }
    for cookie in list(&entry["response"], "cookies") {
        assert!(cookie.get("expires").is_none_or(|date| is_date(date.as_str().unwrap())), "{cookie}");
    }
    let mut before = f64::MIN;
    for message in list(entry, "_webSocketMessages") {
        object(message, MESSAGE);
        assert!(["send", "receive"].contains(&message["type"].as_str().unwrap()));
        let time = message["time"].as_f64().unwrap();
        assert!(time >= before, "messages come in order");
        before = time;
    }
}

/// The bytes of a message whose bytes are all there.
fn bytes(message: &Value) -> Vec<u8> {
    let data = message["data"].as_str().unwrap();
    let is_text = message["opcode"] == 1 && message.get("_encoding").is_none();
    if is_text { data.as_bytes().to_vec() } else { BASE64_STANDARD.decode(data).unwrap() }
}

fn says(entry: &Value, messages: &[&Message], what: &str) {
    let shown = list(entry, "_webSocketMessages");
    assert_eq!(shown.len(), messages.len(), "{what}");
    for (shown, message) in shown.iter().zip(messages) {
        let what = format!("{what}: {}", message.brief());
        let is_sent = shown["type"] == "send";
        assert_eq!((is_sent, &shown["opcode"]), (message.dir == "c2s", &message.opcode.into()), "{what}");
        assert_eq!(shown.get("_complete").is_none(), message.complete, "{what}");
        if message.missing.is_empty() {
            assert_eq!(bytes(shown), message.payload, "{what}");
            assert!(shown.get("_missing").is_none(), "{what}");
        } else {
            let missing: Vec<(u64, Option<u64>)> =
                list(shown, "_missing").iter().map(|hole| (hole[0].as_u64().unwrap(), hole[1].as_u64())).collect();
            assert_eq!(missing, message.missing, "{what}");
            let signs = shown["data"].as_str().unwrap().matches('\u{fffd}').count();
            assert!(message.opcode != 1 || shown.get("_encoding").is_some() || signs >= missing.len(), "{what}");
        }
    }
}

/// An entry for each connection in the order of `ls`, with its URL and status, and the data messages of `msgs`, whose truth
/// has tests of its own; with `--har-control` all messages.
#[test]
fn every_connection_is_an_entry_with_its_messages() {
    let (mut refused, mut unanswered, mut holed) = (0, 0, 0);
    for path in some_captures() {
        let input = Input::File(&path);
        let data = entries(&text(&["export", "har", "-q"], input));
        let all = entries(&text(&["export", "har", "-q", "--har-control"], input));
        let rows = conversations(input);
        let handshakes = records("handshake", input);
        assert_eq!((data.len(), all.len()), (rows.len(), rows.len()), "{}", path.display());
        for ((row, data), all) in rows.iter().zip(&data).zip(&all) {
            let what = format!("{} conn {}", path.display(), row.conn);
            let Conversation { messages, .. } = row;
            says(data, &messages.iter().filter(|message| !message.is_control()).collect::<Vec<_>>(), &what);
            says(all, &messages.iter().collect::<Vec<_>>(), &what);
            holed += messages.iter().filter(|message| !message.missing.is_empty()).count();
            let Some(handshake) = handshakes.iter().find(|record| record["conn"] == row.conn) else { continue };
            assert_eq!(data["response"]["status"], handshake["status"].as_u64().unwrap_or(0), "{what}");
            assert!(handshake["url"].is_null() || data["request"]["url"] == handshake["url"], "{what}");
            let count = |head: &str| handshake[head]["headers"].as_array().map_or(0, Vec::len);
            assert_eq!(list(&data["request"], "headers").len(), count("request"), "{what}");
            assert_eq!(list(&data["response"], "headers").len(), count("response"), "{what}");
            refused += u64::from(handshake["accepted"] == false);
            unanswered += u64::from(handshake["accepted"].is_null());
        }
    }
    assert!(refused > 10 && unanswered > 0 && holed > 0, "{refused} {unanswered} {holed}");
}

/// Times are those of the capture: the request's start, what each phase took, and when each message was whole.
#[test]
fn times_are_those_of_the_wire() {
    let mut session = Session::new(1);
    session.text(Client, "a").text(Server, "b");
    let entry = &entries(&text(&["export", "har"], Input::Bytes(&capture(&[session]))))[0];
    // Packets are 100 µs apart: SYN, SYN, ACK, request, ACK, answer, ACK, a, ACK, b, ACK, FIN, FIN, ACK.
    assert_eq!(entry["startedDateTime"], "2023-11-14T22:13:20.000Z");
    assert_eq!((entry["timings"]["send"].as_f64(), entry["timings"]["wait"].as_f64()), (Some(0.0), Some(0.2)));
    assert_eq!(entry["timings"]["receive"].as_f64(), Some(0.8));
    let times: Vec<f64> =
        list(entry, "_webSocketMessages").iter().map(|message| message["time"].as_f64().unwrap()).collect();
    assert_eq!(times, [1_700_000_000.000_7, 1_700_000_000.000_9]);
    assert!(entry["comment"].as_str().unwrap().contains("without a Close frame"), "{}", entry["comment"]);
}

#[test]
fn cookies_and_queries_are_taken_apart() {
    let mut session = Session::bare(1);
    session.turn(Client, request("/x?a=1&b&c=d=e#f", "Cookie: k=v; l = m ;n\r\n"));
    session.turn(
        Server,
        response("Set-Cookie: s=1; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Secure\r\nSet-Cookie: t=2\r\n"),
    );
    let entry = &entries(&text(&["export", "har", "--no-redact"], Input::Bytes(&capture(&[session]))))[0];
    let pairs = |list: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(|pair| (text(&pair["name"]), text(&pair["value"]))).collect()
    };
    let owned = |list: &[(&str, &str)]| list.iter().map(|&(a, b)| (a.to_owned(), b.to_owned())).collect::<Vec<_>>();
    assert_eq!(pairs(&entry["request"]["cookies"]), owned(&[("k", "v"), ("l", "m"), ("", "n")]));
    assert_eq!(pairs(&entry["request"]["queryString"]), owned(&[("a", "1"), ("b", ""), ("c", "d=e")]));
    assert_eq!(pairs(&entry["response"]["cookies"]), owned(&[("s", "1"), ("t", "2")]));
    assert_eq!(entry["response"]["cookies"][0]["expires"], "2026-10-21T07:28:00.000Z");
    assert_eq!(
        entry["request"]["headersSize"].as_u64().unwrap(),
        request("/x?a=1&b&c=d=e#f", "Cookie: k=v; l = m ;n\r\n").len() as u64
    );
}

/// A hole in a text is a sign in it, and told; a near miss, the same message whole, has neither.
#[test]
fn a_hole_is_not_papered_over() {
    let mut session = Session::new(1);
    session.text(Server, &"x".repeat(3000)).text(Server, "after");
    let segments = session.cut(|bytes| vec![bytes.len().min(1000)]);
    let whole = entries(&text(&["export", "har", "-q"], Input::Bytes(&capture_of(&segments))));
    let holed: Vec<Segment> = segments
        .iter()
        .enumerate()
        .filter(|(_, s)| !s.payload.starts_with(&[b'x'; 900]))
        .map(|(_, s)| s.clone())
        .collect();
    let lost = segments.len() - holed.len();
    assert!(lost > 0);
    let holed = entries(&text(&["export", "har", "-q"], Input::Bytes(&capture_of(&holed))));
    let message = |entries: &[Value]| list(&entries[0], "_webSocketMessages")[0].clone();
    assert_eq!(message(&whole)["data"], "x".repeat(3000));
    assert!(message(&whole).get("_complete").is_none() && message(&whole).get("_missing").is_none());
    let message = message(&holed);
    assert_eq!((&message["_complete"], message["_missing"].as_array().map(Vec::len)), (&false.into(), Some(1)));
    let data = message["data"].as_str().unwrap();
    assert_eq!(data.matches('\u{fffd}').count(), 1, "{data}");
    assert!(data.len() < 3000);
}

/// What is not captured is not made up.
#[test]
fn what_is_unknown_is_said_to_be() {
    let mut session = Session::new(1);
    session.text(Client, "hello there").text(Server, "hello to you").text(Client, "more").text(Server, "and more");
    session.heartbeat(Server, "beat").text(Client, "yet more").close();
    let segments: Vec<Segment> = session
        .segments()
        .into_iter()
        .filter(|s| !s.payload.starts_with(b"GET") && !s.payload.starts_with(b"HTTP"))
        .skip(3)
        .collect();
    let entry = &entries(&text(&["export", "har", "-q"], Input::Bytes(&capture_of(&segments))))[0];
    assert_eq!((&entry["request"]["url"], &entry["response"]["status"]), (&"ws://10.1.0.2:8080/".into(), &0.into()));
    assert_eq!((&entry["request"]["headersSize"], &entry["response"]["headersSize"]), (&(-1).into(), &(-1).into()));
    assert!(entry["request"]["comment"].as_str().unwrap().contains("was not captured"));
    assert!(entry["response"]["comment"].as_str().unwrap().contains("was not captured"));
    assert_eq!(list(entry, "_webSocketMessages").len(), 5);
}

/// A connection that is known by the looks of its records alone is an entry, of which nothing is made up.
#[test]
fn what_is_encrypted_is_an_entry() {
    let Some(path) = super::support::capture("lab", "d_tls_gap.pcap") else { return };
    let entries = entries(&text(&["export", "har", "-q", "--no-keylog"], Input::File(&path)));
    let encrypted = entries.iter().find(|entry| entry["comment"].as_str().unwrap().starts_with("Encrypted")).unwrap();
    assert_eq!(encrypted["request"]["url"], "wss://lab.test/");
    assert_eq!((list(encrypted, "_webSocketMessages").len(), &encrypted["response"]["status"]), (0, &0.into()));
}

#[test]
fn hostile_text_comes_back_byte_for_byte() {
    let sessions = hostile();
    let file = capture(&sessions);
    let har = text(&["export", "har", "-q"], Input::Bytes(&file));
    assert!(!har.contains(|c: char| c != '\n' && (c.is_control() || wspect::escape::is_hidden(c))));
    for (entry, session) in entries(&har).iter().zip(&sessions) {
        let said: Vec<&Vec<u8>> =
            session.said.iter().filter(|said| said.opcode < 8).map(|said| &said.payload).collect();
        let shown: Vec<Vec<u8>> = list(entry, "_webSocketMessages").iter().map(bytes).collect();
        assert_eq!(shown.iter().collect::<Vec<_>>(), said);
    }
    let mut session = Session::new(1);
    session.say(Server, TEXT, b"caf\xe9".as_slice()).text(Server, "caf\u{e9}");
    let entry = &entries(&text(&["export", "har", "-q"], Input::Bytes(&capture(&[session]))))[0];
    let messages = list(entry, "_webSocketMessages");
    assert_eq!((bytes(&messages[0]), &messages[0]["_encoding"]), (b"caf\xe9".to_vec(), &"base64".into()));
    assert_eq!((&messages[1]["data"], messages[1].get("_encoding")), (&"caf\u{e9}".into(), None));
}

#[test]
fn looks() {
    let golden = |arguments: &[&str], sample: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(sample);
        numbered(&text(arguments, Input::File(&path)))
    };
    insta::assert_snapshot!("stomp", golden(&["export", "har", "-q"], "stomp.pcapng"));
    insta::assert_snapshot!("refused", golden(&["export", "har", "-q", "-n", "3"], "handshakes.pcapng"));
}

/// Nothing in it is a file all the same, and so is less than all.
#[test]
fn fewer_entries() {
    let file = capture(&[Session::sample(1), Session::sample(2), Session::sample(3)]);
    let count = |n: &str| entries(&text(&["export", "har", "-q", "-n", n], Input::Bytes(&file))).len();
    assert_eq!([count("0"), count("2"), count("9")], [0, 2, 3]);
    assert_eq!(entries(&text(&["export", "har", "-q"], Input::Bytes(&file[..24]))).len(), 0);
    // Connections that are not over at the capture's end are entries as well.
    let open = capture_of(&interleave(vec![Session::sample(1).segments(); 1])[..20]);
    assert_eq!(entries(&text(&["export", "har", "-q"], Input::Bytes(&open))).len(), 1);
}

/// Two conversations take turns; each entry has all of its own, and memory holds a fraction of them.
#[test]
fn interleaved_connections_cost_disk_and_no_memory() {
    let mut sessions = [Session::new(1), Session::new(2)];
    for (at, session) in sessions.iter_mut().enumerate() {
        for n in 0..700_u32 {
            session.text(Server, &format!("{at}:{n}:{}", "x".repeat(60_000)));
        }
    }
    let file = in_file("interleaved", &capture(&sessions));
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("big.har");
    let done = wspect(&["export", "har", "-q", "-o", path.to_str().unwrap()], Input::File(file.path()));
    super::quiet(&done);
    assert!(done.peak_kib < 64 << 10, "{} KiB for 84 MB", done.peak_kib);
    let entries = entries(&std::fs::read_to_string(&path).unwrap());
    for (at, entry) in entries.iter().enumerate() {
        let messages = list(entry, "_webSocketMessages");
        assert_eq!(messages.len(), 700);
        for (n, message) in messages.iter().enumerate() {
            assert!(message["data"].as_str().unwrap().starts_with(&format!("{at}:{n}:")), "{at} {n}");
        }
    }
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 1, "nothing else is left behind");
}

/// A temporary file is made when one is needed, and its lack is told.
#[cfg(unix)]
#[test]
fn a_spool_that_cannot_be_made_is_told() {
    let mut session = Session::new(1);
    for _ in 0..300 {
        session.text(Server, &"x".repeat(60_000));
    }
    let (small, large) = (in_file("small", &capture(&[Session::sample(1)])), in_file("large", &capture(&[session])));
    let run = |path: &Path| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wspect"));
        command.env("XDG_CONFIG_HOME", "/none");
        command.args(["export", "har", "-q"]).arg(path).env("TMPDIR", "/nowhere/at/all").output().unwrap()
    };
    assert_eq!(run(small.path()).status.code(), Some(0));
    let output = run(large.path());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("temporary file: no such file or directory"), "{said}");
}

/// What a request may hold and a URI may not is escaped, and nothing else changes.
#[test]
fn hostile_targets_are_uris() {
    let mut session = Session::bare(0);
    session.turn(Client, request("/a%20b?<\">'$(x)=\u{fc}|`", "")).turn(Server, response(""));
    let entries = entries(&text(&["export", "har", "-q"], Input::Bytes(&capture_of(&session.segments()))));
    let url = entries[0]["request"]["url"].as_str().unwrap();
    assert!(url.ends_with("/a%20b?%3C%22%3E'$(x)=%C3%BC%7C%60"), "{url}");
}
