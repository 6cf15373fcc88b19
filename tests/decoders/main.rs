//! What messages say, against what the programs that said it logged; and the page of decoders.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

#[path = "../support/mod.rs"]
mod support;

mod libraries;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::run::{Input, wspect};
use support::truth::Truth;
use support::{SAMPLES, capture, find};
use wspect::book::{Book, Recorder, Sift};
use wspect::capture::Reader;
use wspect::decode::{DECODERS, Kind};
use wspect::dissect;
use wspect::filter::Filter;
use wspect::model::Limits;

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

/// A capture of a real kernel, in frames of `v1.kernel.websocket.jupyter.org`.
#[test]
fn messages_of_a_kernel_belong_to_their_request() {
    let Some(path) = capture("public", "zeek_jupyter-websocket.pcap") else { return };
    let messages = decoded(&path);
    let of = |name: &str, wanted: &str| -> Vec<u64> {
        let mine = messages.iter().filter(|record| record["decoded"][name] == wanted);
        mine.map(|record| record["msg"].as_u64().unwrap()).collect()
    };
    assert_eq!(of("protocol", "jupyter").len(), 12);
    assert_eq!((of("event", "kernel_info_request"), of("event", "kernel_info_reply")), (vec![1], vec![4]));
    assert_eq!(of("event", "status").len(), 10);
    assert_eq!(messages[3]["decoded"]["reply_to"], 1);
    assert_eq!(messages[3]["decoded"]["data"]["content"]["status"], "ok");
    assert_eq!(messages[3]["decoded"]["data"]["parent_header"]["msg_id"], messages[0]["decoded"]["id"]);
}

/// The decoded trees of one direction, those in one message one by one.
fn trees(messages: &[Value], dir: &str, protocol: &str) -> Vec<Value> {
    let mine = messages.iter().filter(|record| record["dir"] == dir && record["decoded"]["protocol"] == protocol);
    let data = mine.map(|record| &record["decoded"]["data"]);
    data.flat_map(|data| data.as_array().cloned().unwrap_or_else(|| vec![data.clone()]))
        .filter(|it| !it.is_null())
        .collect()
}

#[test]
fn stomp_frames_are_those_of_its_endpoints() {
    let (messages, truth) = lab("app_stomp");
    for dir in ["c2s", "s2c"] {
        let wanted: Vec<Value> =
            truth.of("app").filter(|line| line["dir"] == dir && line["side"] == "server").cloned().collect();
        let told = trees(&messages, dir, "stomp");
        let told: Vec<&Value> = told.iter().filter(|it| it["command"] != "heartbeat").collect();
        assert_eq!(told.len(), wanted.len(), "{dir}");
        for (told, wanted) in told.iter().zip(&wanted) {
            assert_eq!(told["command"], wanted["cmd"]);
            let texts = |map: &Value| -> BTreeSet<(String, String)> {
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                map.as_object().unwrap().iter().map(|(key, value)| (key.clone(), text(value))).collect()
            };
            // That server logs headers as they stand there.
            let plain = |(key, value): (String, String)| (key, value.replace("\\c", ":").replace("\\\\", "\\"));
            assert_eq!(texts(&told["headers"]), texts(&wanted["headers"]).into_iter().map(plain).collect());
            let body = match &told["body"] {
                Value::String(text) => Value::from(text.as_str()),
                json => json.clone(),
            };
            let as_json = serde_json::from_str::<Value>(wanted["body"].as_str().unwrap());
            assert!(body == wanted["body"] || as_json.is_ok_and(|json| json == body), "{body}");
        }
    }
}

#[test]
fn mqtt_publications_are_those_of_its_endpoints() {
    let (messages, truth) = lab("app_mqtt");
    for dir in ["c2s", "s2c"] {
        let line = |topic: &Value, len: usize| format!("{topic} {len}");
        let wanted = truth
            .of("app")
            .filter(|line| line["dir"] == dir && line["side"] == if dir == "c2s" { "server" } else { "client" });
        let wanted = wanted.map(|it| line(&it["topic"], it["len"].as_u64().unwrap() as usize)).collect();
        let told = trees(&messages, dir, "mqtt").into_iter().filter(|it| it["type"] == "PUBLISH").map(|it| {
            let len = match &it["payload"] {
                Value::String(text) => text.len(),
                Value::Object(map) if map.contains_key("base64") => {
                    map["base64"].as_str().unwrap().len() / 4 * 3 - map["base64"].as_str().unwrap().matches('=').count()
                }
                json => json.to_string().len(),
            };
            line(&it["topic"], len)
        });
        assert_eq!(sorted(told.collect()), sorted(wanted), "{dir}");
    }
}

#[test]
fn signalr_records_are_those_of_its_endpoints() {
    let (messages, truth) = lab("app_signalr_msgpack");
    for dir in ["c2s", "s2c"] {
        let plain = |mut record: Value| {
            let empty = |value: &Value| *value == json!([]) || *value == json!({});
            // What is empty is left out of one and not of the other.
            let map = record.as_object_mut().unwrap();
            map.retain(|name, value| !matches!(name.as_str(), "headers" | "streamIds") || !empty(value));
            map.retain(|_, value| !value.is_null());
            record.to_string()
        };
        let wanted = truth.of("app").filter(|line| line["dir"] == dir && !line["m"].is_null());
        let wanted: Vec<String> = wanted.map(|line| plain(line["m"].clone())).collect();
        let told = trees(&messages, dir, "signalr").into_iter().filter(|it| !it["type"].is_null());
        let told: Vec<String> = told.map(plain).collect();
        assert_eq!(told, wanted, "{dir}");
    }
}

#[test]
fn values_of_messagepack_and_cbor_are_those_that_were_packed() {
    let (messages, truth) = lab("app_payloads");
    let packed: Vec<&Value> = truth.of("app").map(|line| &line["payload_object"]).filter(|it| !it.is_null()).collect();
    assert!(packed.len() >= 2);
    for protocol in ["msgpack", "cbor"] {
        let told = trees(&messages, "c2s", protocol);
        assert_eq!(told, trees(&messages, "s2c", protocol), "the server says it again");
        let id = |values: &[Value]| values.iter().map(|it| it["list"].clone()).collect::<Vec<_>>();
        let wanted: Vec<Value> = packed.iter().take(2).map(|it| (*it).clone()).collect();
        assert_eq!(id(&told), id(&wanted));
        for name in ["name", "f", "nest", "big"] {
            let values = |all: &[Value]| all.iter().map(|it| it[name].clone()).collect::<Vec<_>>();
            assert_eq!(values(&told), values(&wanted), "{name}");
        }
    }
    let protocols: BTreeSet<String> =
        messages.iter().filter_map(|record| record["decoded"]["protocol"].as_str().map(ToOwned::to_owned)).collect();
    for protocol in ["actioncable", "json-rpc", "phoenix", "protobuf"] {
        assert!(protocols.contains(protocol), "{protocols:?}");
    }
}

/// What messages of Protocol Buffers say is what the library wrote that made them, whichever way the schema is given.
#[test]
fn protobuf_messages_are_those_that_were_made() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let truth = Truth::read(&data.join("proto.truth.jsonl"));
    let schema = |name: &str| data.join("proto").join(name).display().to_string();
    let [text, set] = ["chat.proto", "chat.desc"].map(schema);
    let named = [format!("{text}:chat.Request"), format!("{text}:Reply")];
    for (nth, schemas) in [vec![&text], vec![&set], vec![&named[0], &named[1]]].into_iter().enumerate() {
        let mut words = vec!["msgs", "--json", "--decoded", "-Y", "type == binary"];
        words.extend(schemas.into_iter().flat_map(|schema| ["--proto", schema.as_str()]));
        let done = wspect(&words, Input::File(&data.join("proto.pcap")));
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let messages = done.records();
        let told: Vec<&Value> = messages.iter().map(|record| &record["decoded"]).collect();
        let wanted: Vec<&Value> = truth.of("app").collect();
        assert_eq!(told.len(), wanted.len());
        assert!(told.len() > 40);
        for ((decoded, wanted), message) in told.into_iter().zip(wanted).zip(&messages) {
            let [packets, events] = ["m", "events"].map(|key| wanted[key].as_array().unwrap());
            let data = if packets.len() == 1 { &packets[0] } else { &wanted["m"] };
            assert_eq!(message["dir"], wanted["dir"]);
            assert!(decoded["summary"].as_str().unwrap().starts_with(wanted["type"].as_str().unwrap()), "{decoded}");
            assert_eq!(decoded["data"], *data, "{nth}");
            // What is one of several is called by its name where it is a message.
            let event = if events[0] == "leave" { &json!("Request") } else { &events[0] };
            assert_eq!(decoded["event"], *event, "{nth}");
        }
    }
    // None of its types is in this schema.
    let types = schema("common/types.proto");
    let words = ["msgs", "-q", "--decoded", "-n", "1", "--proto", &types];
    let numbers = String::from_utf8(wspect(&words, Input::File(&data.join("proto.pcap"))).stdout).unwrap();
    assert!(numbers.contains(r#"{"2":{"1":1700000000,"2":5},"3":{"1":"room 0""#), "{numbers}");
}

#[test]
fn fields_of_protobuf_are_asked_for_by_name() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let (path, schema) = (data.join("proto.pcap"), data.join("proto/chat.proto").display().to_string());
    let rows = |filter: &str, more: &[&str]| {
        let words = [&["msgs", "-q", "-Y", filter, "-T", "fields", "-e", "event"], more].concat();
        let done = wspect(&words, Input::File(&path));
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        String::from_utf8(done.stdout).unwrap().lines().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let with = ["--proto", schema.as_str()];
    assert_eq!(rows(r#"decoded.data.say.level == NORMAL && decoded.data.seq < 8"#, &with), ["say"]);
    assert!(rows(r#"decoded.data.say.level == NORMAL"#, &[]).is_empty());
    assert_eq!(rows(r#"conn == 1 && event == error"#, &with).len(), 2);
    let named = ["--proto", schema.as_str(), "-d", "conn == 1,protobuf:chat.Reply"];
    // The user is believed where most fields are as he says.
    assert!(rows("conn == 1 && dir == c2s && type == binary", &named).iter().all(|event| event != "say"));
    let wrong = wspect(&["msgs", "-d", "conn == 1,protobuf:Repl", "--proto", &schema], Input::File(&path));
    let lacks = wspect(&["msgs", "-d", "conn == 1,protobuf:Reply"], Input::File(&path));
    assert_eq!((wrong.code, lacks.code), (Some(2), Some(2)));
    assert!(wrong.stderr.contains("no message type Repl in the schema, did you mean Reply?"), "{}", wrong.stderr);
    assert!(lacks.stderr.contains("--proto FILE is to name a schema with this type"), "{}", lacks.stderr);
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
    assert!(shown > 100, "{shown} messages are decoded");
}

/// The lines that `msgs` prints, without their beginnings.
fn lines(arguments: &[&str], path: &Path) -> Vec<String> {
    let done = wspect(&[&["msgs", "-q", "--payload", "text"], arguments].concat(), Input::File(path));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let text = String::from_utf8(done.stdout).unwrap();
    // Place, time, arrow, type and length.
    let rest = |line: &str| line.split_whitespace().skip(5).collect::<Vec<_>>().join(" ");
    text.lines().map(rest).collect()
}

#[test]
fn text_shows_what_was_decoded_and_what_a_user_says_it_is() {
    let path = find("lab", "app_stomp.pcapng").unwrap();
    let some = ["--decoded", "-Y", "msg < 5 || event == RECEIPT"];
    assert_eq!(
        lines(&some, &path)[..3],
        ["CONNECT", "CONNECTED 1.2 answers 1 after 1.3 ms", "SUBSCRIBE /queue/a sub-0"].map(ToOwned::to_owned)
    );
    assert_eq!(lines(&some, &path)[4], "RECEIPT r1 answers 5 after 1.3 ms");
    // What the user says counts more than what was agreed on, and what is not understood is shown as it is.
    let as_json = lines(&["--decoded", "-d", "conn == 1,json", "-n", "1"], &path);
    assert!(as_json[0].starts_with("CONNECT\\nlogin:guest"), "{as_json:?}");
    let path = find("lab", "app_payloads.pcap").unwrap();
    let cable = "conn == 6 && msg == 2";
    let is_subscribe = |lines: Vec<String>| lines.len() == 1 && lines[0].ends_with("subscribe ChatChannel");
    assert!(is_subscribe(lines(&["--decoded", "-Y", cable], &path)));
    let plain = lines(&["--decoded", "-Y", cable, "-d", "path == \"/cable\",json"], &path);
    assert!(plain[0].contains(r#"{"command":"subscribe""#), "{plain:?}");
    assert!(is_subscribe(lines(&["--decoded", "-Y", cable, "-d", "conn == 5,json"], &path)));
    // A piece of something is shown as it is.
    let path = find("lab", "app_mqtt.pcap").unwrap();
    assert_eq!(lines(&["--decoded", "-Y", "conn == 1 && msg in {4, 17}"], &path), ["MQTT", "CONNECT lab1"]);
}

/// Of replies the request is asked for by its event, and how long they took.
#[test]
fn latency_is_asked_by_method() {
    let path = find("lab", "app_sio4.pcapng").unwrap();
    let done = wspect(
        &["check", "-q", "--assert", "count(messages where asked == sum && latency > 10ms) == 2"],
        Input::File(&path),
    );
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.stdout));
    let done = wspect(&["check", "-q", "--assert", "p99(latency where asked == sum) < 1ms"], Input::File(&path));
    assert_eq!(done.code, Some(1), "{}", String::from_utf8_lossy(&done.stdout));
}

/// The browser's filters are asked of the book: the same messages pass as in a stream.
#[test]
fn filters_of_the_browser_pass_the_same_messages() {
    let mut passed = 0;
    for (name, filter) in [
        ("app_sio4.pcapng", "event == sum || latency > 5ms"),
        ("app_mqtt.pcap", "event == \"a/x\" || reply"),
        ("app_payloads.pcap", "heartbeat || decoded.data.method == sub"),
    ] {
        let path = find("lab", name).unwrap();
        let mut book = Book::default();
        let mut recorder = Recorder::new(|batch| {
            book.absorb(batch);
            ControlFlow::Continue(())
        });
        let mut reader = Reader::new(Box::new(File::open(&path).unwrap())).unwrap();
        dissect::run(&mut reader, Limits::DEFAULT, &mut recorder, &mut |_| ControlFlow::Continue(()));
        let _ = recorder.flush();
        drop(recorder);
        let mut sift = Sift::new(Filter::new(filter).unwrap(), None);
        sift.go_on(&book, Instant::now() + Duration::from_secs(60));
        let rows = wspect(&["msgs", "--json", "-Y", filter], Input::File(&path)).records();
        assert_eq!(sift.passed(), rows.len(), "{name}: {filter}");
        passed += rows.len();
    }
    assert!(passed > 20, "{passed}");
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
        assert!(Filter::new(filter).is_ok(), "{filter}");
    }
}
