//! Display filters and columns: from the command line, against tshark, and the page that tells of them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::run::{Done, Input, number, wspect, wspect_with};
use support::{SAMPLES, find, in_collection};
use wspect::filter::{FIELDS, Rows};

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

fn run(arguments: &[&str], name: &str) -> Done {
    wspect(arguments, Input::File(&sample(name)))
}

fn text(done: &Done) -> String {
    String::from_utf8(done.stdout.clone()).unwrap()
}

/// What a command prints with a filter is what it prints without, less the rows that do not pass.
fn passing(command: &[&str], filter: &str, name: &str, passes: impl Fn(&Value) -> bool) {
    let all = run(command, name).records();
    let done = run(&[command, &["-Y", filter]].concat(), name);
    assert_eq!(done.code, Some(0), "{filter}: {}", done.stderr);
    let wanted: Vec<&Value> = all.iter().filter(|record| passes(record)).collect();
    assert!(!wanted.is_empty() && wanted.len() < all.len(), "{filter} tells nothing apart in {name}");
    let passed = done.records();
    assert!(
        passed.iter().eq(wanted.iter().copied()),
        "{command:?} {filter}: {} rows, not {}",
        passed.len(),
        wanted.len()
    );
}

#[test]
fn rows_that_pass_are_written_and_no_others() {
    let msgs = ["msgs", "--json"];
    passing(&msgs, "type == text && dir == c2s", "chat.pcapng", |it| it["type"] == "text" && it["dir"] == "c2s");
    passing(&msgs, "len > 100 or close_code", "chat.pcapng", |it| {
        number(it, "len") > 100 || !it["close_code"].is_null()
    });
    passing(&msgs, "conn in {2, 4 .. 5}", "chat.pcapng", |it| [2, 4, 5].contains(&number(it, "conn")));
    passing(&msgs, "path == /plain", "chat.pcapng", |it| number(it, "conn") == 2);
    passing(&msgs, "wspect.complete == false", "lossy.pcap", |it| it["complete"] == false);
    passing(&msgs, "count(websocket.opcode) > 1", "fragments.pcapng", |it| number(it, "frames") > 1);
    passing(&["frames", "--json"], "websocket.fin == 0", "fragments.pcapng", |it| it["fin"] == false);
    passing(&["frames", "--json"], "websocket.masking_key && len < 10", "chat.pcapng", |it| {
        it["masked"] == true && number(it, "len") < 10
    });
    passing(&["check", "--json"], "severity == error", "handshakes.pcapng", |it| it["severity"] == "error");
    passing(&["check", "--json"], "finding == HS-AUTH", "handshakes.pcapng", |it| it["code"] == "HS-AUTH");
    passing(&["handshake", "--json"], "http.response.code >= 400", "handshakes.pcapng", |it| {
        it["status"].as_u64().is_some_and(|status| status >= 400)
    });
    passing(&["handshake", "--json"], "header.\"www-authenticate\" contains Basic", "handshakes.pcapng", |it| {
        it["response"].to_string().contains("Basic realm")
    });
    let ls = ["ls", "--json"];
    passing(&ls, "wspect.state == rejected", "handshakes.pcapng", |it| it["state"] == "rejected");
    passing(&ls, "wspect.c2s.messages > 5", "chat.pcapng", |it| it["c2s"]["messages"].as_u64().unwrap() > 5);
    passing(&ls, "http.request.uri.path == /frag", "chat.pcapng", |it| it["url"].as_str().unwrap().ends_with("/frag"));
    passing(&ls, "severity == error && ! (wspect.status == 101)", "handshakes.pcapng", |it| {
        it["findings"]["error"].as_u64().unwrap() > 0
            && !it["verdict"].as_str().unwrap().contains("switched")
            && it["state"] == "rejected"
    });
}

/// What is known of a connection at its end is known of its first message, too.
#[test]
fn what_a_connection_comes_to_is_asked_of_its_messages() {
    let ended: Vec<u64> = run(&["ls", "--json", "-Y", "wspect.state == aborted"], "chat.pcapng")
        .records()
        .iter()
        .map(|it| number(it, "conn"))
        .collect();
    passing(&["msgs", "--json"], "wspect.state == aborted", "chat.pcapng", |it| ended.contains(&number(it, "conn")));
    let bytes = std::fs::read(sample("chat.pcapng")).unwrap();
    let piped = wspect(&["msgs", "-Y", "wspect.state == aborted"], Input::Bytes(&bytes));
    assert_eq!(piped.code, Some(2));
    assert!(piped.stderr.contains("it must be a file"), "{}", piped.stderr);
}

/// Records of several kinds keep to their order and their numbers when others are left out.
#[test]
fn records_of_several_kinds_are_those_of_a_whole_export() {
    let kinds = "connection,handshake,message,frame,finding";
    for (name, filter) in [
        ("fragments.pcapng", "type == text"),
        ("chat.pcapng", "len > 1000"),
        ("handshakes.pcapng", "http.response.code == 401"),
        ("chat.pcapng", "wspect.ending == fin"),
    ] {
        let all = text(&run(&["export", "jsonl", "--records", kinds], name));
        let some = text(&run(&["export", "jsonl", "--records", kinds, "-Y", filter], name));
        let mut rest = all.lines();
        assert!(some.lines().all(|row| rest.any(|other| other == row)), "{filter}: rows changed or out of order");
        assert!(!some.is_empty() && some.len() < all.len(), "{filter}");
        let piped = wspect(
            &["export", "jsonl", "--records", "frame,message", "-Y", "type == text"],
            Input::Bytes(&std::fs::read(sample(name)).unwrap()),
        );
        let of_file = run(&["export", "jsonl", "--records", "frame,message", "-Y", "type == text"], name);
        assert_eq!(text(&piped), text(&of_file), "{name}");
    }
}

#[test]
fn a_filter_that_is_wrong_is_shown_with_a_mark() {
    let wrong = |arguments: &[&str]| {
        let done = run(arguments, "chat.pcapng");
        assert_eq!((done.code, done.stdout.is_empty()), (Some(2), true), "{arguments:?}");
        done.stderr
    };
    assert_eq!(
        wrong(&["msgs", "-Y", "websocket.opcod == 1"]),
        "wspect: unknown field `websocket.opcod`\n    websocket.opcod == 1\n    ^~~~~~~~~~~~~~~ did you mean `websocket.opcode`?\n"
    );
    assert_eq!(
        wrong(&["ls", "-Y", "conn == 1 && type == text"]),
        "wspect: `wspect.type` is a field of messages and frames, not of connections\n    conn == 1 && type == text\n                 ^~~~\n"
    );
    assert_eq!(wrong(&["msgs", "--from", "noon"]).lines().count(), 1);
    assert!(wrong(&["msgs", "-Y", "host == \"\x1b[31m"]).contains("host == \" [31m"), "nothing controls a terminal");
    assert!(wrong(&["msgs", "-T", "fields"]).contains("-e FIELD"));
    assert!(wrong(&["msgs", "-e", "conn"]).contains("-T fields"));
    assert!(wrong(&["msgs", "-T", "csv", "-e", "nothing"]).contains("unknown field `nothing`"));
    assert!(wrong(&["ls", "-T", "csv", "-e", "payload"]).contains("no field of connections"));
    assert!(wrong(&["msgs", "-T", "csv", "-e", "conn", "-E", "header"]).contains("separator="));
    assert!(wrong(&["export", "csv", "--records", "message,frame"]).contains("one kind"));
    for ports in ["65536", "90-80", "http", "80-"] {
        assert!(wrong(&["ls", "--port", ports]).contains("ports from 0 to 65535 are wanted"), "{ports}");
    }
}

#[test]
fn shortcuts_are_filters() {
    let conns =
        |arguments: &[&str]| text(&run(&[&["ls", "-T", "fields", "-e", "conn"], arguments].concat(), "chat.pcapng"));
    let all = conns(&[]);
    assert_eq!(all, "1\n2\n3\n4\n5\n6\n");
    assert_eq!([conns(&["--host", "127.0.0.0/8"]), conns(&["--host", "other.example"])], [all.clone(), String::new()]);
    assert_eq!(conns(&["--port", "59788"]), "3\n");
    assert_eq!(conns(&["--port", "59788,54178-54184"]), "3\n5\n6\n");
    assert_eq!([conns(&["--host", "127.0.0.1:25563"]), conns(&["--host", "[::1]:80"])], [all.clone(), String::new()]);
    assert_eq!(conns(&["--from", "2026-11-22T11:03:05Z", "--to", "2026-11-22T11:03:07.5Z"]), "4\n");
    assert_eq!(conns(&["-Y", "conn > 2", "-Y", "conn < 4"]), "3\n");
}

#[test]
fn the_sum_says_how_many_pass() {
    let done = run(&["msgs", "-Y", "type == reserved-3"], "chat.pcapng");
    assert!(done.stdout.is_empty() && done.stderr.ends_with("0 of 67 messages pass the filter\n"), "{}", done.stderr);
    let fails = |filter: &str| run(&["check", "--fail-on", "error", "-Y", filter], "handshakes.pcapng").code;
    assert_eq!([fails("severity <= warning"), fails("finding == HS-ACCEPT")], [Some(0), Some(1)]);
    // What is not printed any more counts as well.
    for n in ["0", "1"] {
        let more = ["check", "--fail-on", "error", "-n", n, "-Y", "conn > 1"];
        let done = run(&more, "handshakes.pcapng");
        assert_eq!((done.code, text(&done).lines().count().to_string().as_str()), (Some(1), n));
    }
}

/// The records of CSV (RFC 4180).
fn csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let row = rows.last_mut().unwrap();
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => row.last_mut().unwrap().push(chars.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\n' if !quoted => rows.push(vec![String::new()]),
            c => row.last_mut().unwrap().push(c),
        }
    }
    assert_eq!(rows.pop().unwrap(), [""], "the last line ends");
    rows
}

#[test]
fn csv_gives_every_payload_back() {
    for (_, name) in SAMPLES {
        let messages = run(&["msgs", "--json"], name).records();
        let rows = csv(&text(&run(&["msgs", "-T", "csv", "-e", "conn", "-e", "msg", "-e", "wspect.payload"], name)));
        assert_eq!(rows[0], ["conn", "msg", "wspect.payload"]);
        assert_eq!(rows.len(), messages.len() + 1, "{name}");
        for (row, message) in rows[1..].iter().zip(&messages) {
            assert_eq!(row[..2], [message["conn"].to_string(), message["msg"].to_string()]);
            if message["enc"] == "utf8" {
                assert_eq!(row[2], message["payload"].as_str().unwrap(), "{name}");
            }
        }
    }
}

#[test]
fn cells_are_written_as_tshark_does() {
    let cells = |style: &[&str]| {
        let fields = ["-T", "fields", "-e", "conn", "-e", "websocket.opcode", "-e", "payload"];
        text(&run(&[&["msgs", "-Y", "conn == 6 && wspect.frames > 1"], &fields[..], style].concat(), "chat.pcapng"))
    };
    let plain = cells(&[]);
    let (first, _) = plain.split_once('\n').unwrap();
    let columns: Vec<&str> = first.split('\t').collect();
    assert_eq!(columns[..2], ["6", "1,0,0,0"], "{plain}");
    let line = |style: &[&str]| cells(style).lines().next().unwrap().to_owned();
    assert_eq!(line(&["-E", "header=y"]), "conn\twebsocket.opcode\tpayload");
    assert!(line(&["-E", "separator=;"]).starts_with("6;1,0,0,0;"));
    assert!(line(&["-E", "occurrence=f"]).starts_with("6\t1\t"));
    assert!(line(&["-E", "occurrence=l"]).starts_with("6\t0\t"));
    assert!(line(&["-E", "aggregator=/s"]).starts_with("6\t1 0 0 0\t"));
    assert!(line(&["-E", "quote=d"]).starts_with("\"6\"\t\"1,0,0,0\"\t\""));
    let csv_of =
        |more: &[&str]| csv(&text(&run(&[&["msgs", "-T", "csv", "-E", "header=n"], more].concat(), "chat.pcapng")));
    assert_eq!(csv_of(&["-e", "payload", "-E", "quote=d"]), csv_of(&["-e", "payload"]), "both are CSV");
    assert_eq!(csv_of(&["-e", "close_code"]).len(), 67, "a row of nothing is a row");
    assert_eq!(csv_of(&["-e", "frame.time_epoch", "-n", "1"]), [["1795345380.876278000"]]);
    let hostile = run(&["msgs", "-T", "tsv", "-e", "payload"], "chat.pcapng");
    let rows = run(&["msgs", "--json"], "chat.pcapng").records().len();
    assert_eq!(text(&hostile).lines().count(), rows + 1, "a line end in a payload begins no row");
}

#[test]
fn cells_of_formulas_are_guarded_on_demand() {
    use support::craft::*;
    let mut session = Session::new(0);
    session.text(Client, "=cmd|' /C calc'!A0").text(Server, "plain").text(Server, " \"=1");
    let file = capture_of(&session.segments());
    let cells = |more: &[&str]| {
        let arguments = [&["msgs", "-T", "csv", "-E", "header=n", "-e", "payload"], more].concat();
        text(&wspect(&arguments, Input::Bytes(&file)))
    };
    assert_eq!(cells(&[]), "=cmd|' /C calc'!A0\nplain\n\" \"\"=1\"\n");
    assert_eq!(cells(&["--safe-csv"]), "'=cmd|' /C calc'!A0\nplain\n\"' \"\"=1\"\n");
}

#[test]
fn an_array_has_the_records() {
    for arguments in [
        &["msgs", "-T", "json"][..],
        &["ls", "-T", "json"],
        &["export", "json"],
        &["msgs", "-T", "json", "-Y", "conn == 99"],
    ] {
        let array: Vec<Value> = serde_json::from_slice(&run(arguments, "chat.pcapng").stdout).unwrap();
        let lines: Vec<&str> = arguments.iter().map(|word| if *word == "json" { "jsonl" } else { *word }).collect();
        assert_eq!(array, run(&lines, "chat.pcapng").records(), "{arguments:?}");
    }
}

/// Without a command rows are of connections; where a filter or a column is about none, of messages or frames, as in tshark.
#[test]
fn a_line_of_tshark_works() {
    let line = ["-Y", "websocket.opcode==8", "-T", "fields", "-e", "frame.number", "-E", "header=y", "-n", "-r"];
    let rows = text(&run(&line, "chat.pcapng"));
    assert!(rows.lines().count() > 5 && rows.starts_with("frame.number\n"), "{rows}");
    assert_eq!(rows, text(&run(&[&["msgs"], &line[..]].concat(), "chat.pcapng")));
    let bundled = [&line[..line.len() - 2], &["-nr"]].concat();
    assert_eq!(rows, text(&run(&bundled, "chat.pcapng")));
    let frames = ["-T", "fields", "-e", "wspect.header_len", "-r"];
    assert_eq!(text(&run(&frames, "chat.pcapng")), text(&run(&[&["frames"], &frames[..]].concat(), "chat.pcapng")));
    assert_eq!(
        text(&run(&["-Y", "conn == 2", "-r"], "chat.pcapng")),
        text(&run(&["ls", "-Y", "conn == 2"], "chat.pcapng"))
    );
}

#[test]
fn so_many_messages_are_expected() {
    let expected = |more: &[&str]| run(&[&["msgs", "-q"], more].concat(), "chat.pcapng");
    assert_eq!(expected(&["--expect", "67"]).code, Some(0));
    assert_eq!(expected(&["--expect", "67", "-n", "1"]).code, Some(0), "rows that are not printed count");
    assert_eq!(expected(&["--expect", "6", "-Y", "type == close && dir == s2c", "-n", "1"]).code, Some(1));
    let done = expected(&["--expect", "1", "-Y", "type == close"]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.starts_with("wspect: 1 message is expected, and "), "{}", done.stderr);
}

/// Ethernet addresses are those of the sides of a connection, in either direction.
#[test]
fn ethernet_addresses_are_asked_for() {
    use support::craft::*;
    let mut session = Session::new(0);
    session.text(Client, "one").text(Server, "two");
    let segments = session.segments();
    let mut packets = packets(&segments, &Wire::default());
    let (client, server) = ([2, 0x1b, 0x21, 4, 5, 6], [2, 0xff, 0, 0, 0, 0x7a]);
    for (packet, segment) in packets.iter_mut().zip(&segments) {
        let ends = if segment.src == session.client { [server, client] } else { [client, server] };
        packet.bytes[..12].copy_from_slice(&ends.concat());
    }
    let file = Pcap::default().file(&packets);
    let rows = |filter: &str| {
        let line = ["msgs", "-T", "fields", "-e", "payload", "-e", "eth.src", "-e", "eth.dst", "-Y", filter];
        text(&wspect(&line, Input::Bytes(&file)))
    };
    let [asks, answers] =
        ["one\t02:1b:21:04:05:06\t02:ff:00:00:00:7a\n", "two\t02:ff:00:00:00:7a\t02:1b:21:04:05:06\n"];
    assert_eq!(rows("eth"), [asks, answers].concat());
    assert_eq!(rows("eth.src == 02:1b:21:04:05:06"), asks);
    assert_eq!(rows("eth.src[0:2] == 02:ff"), answers);
    assert_eq!(rows("eth.addr == 02:ff:00:00:00:7a"), [asks, answers].concat());
    assert_eq!(rows("eth.dst == 02:00:00:00:00:00"), "");
}

/// Frames of HTTP/2 that carry a row, and the code with which a stream was reset.
#[test]
fn streams_are_asked_for_their_resets() {
    use support::craft::*;
    let mut h2 = H2::new(1);
    h2.open(1).say(Client, 1, TEXT, "one").reset(Server, 1, 8).open(3).say(Client, 3, TEXT, "two").close(3);
    let file = capture_of(&h2.session.segments());
    let rows = |command: &str, filter: &str| {
        text(&wspect(&[command, "-T", "fields", "-e", "http2.streamid", "-Y", filter], Input::Bytes(&file)))
    };
    assert_eq!(rows("ls", "http2.rst_stream.error == 8"), "1\n");
    assert_eq!(rows("ls", "http2.rst_stream.error == 7"), "");
    assert_eq!(rows("ls", "http2 && !http2.rst_stream.error"), "3\n");
    assert_eq!(rows("msgs", "http2.type == 0 && type == text"), "1\n3\n");
    assert_eq!(rows("msgs", "http2.type == 1"), "");
    assert_eq!(rows("handshake", "http2.type == 1"), "1\n3\n");
}

/// What is no text is hex in columns, also where its bytes can be read as text.
#[test]
fn bytes_are_told_from_text() {
    use support::craft::*;
    let mut session = Session::new(0);
    session.say(Client, BINARY, "ff00").say(Client, BINARY, b"\xff\x00".as_slice()).text(Client, "ff00");
    let file = capture_of(&session.segments());
    let line = ["msgs", "-T", "fields", "-e", "type", "-e", "payload"];
    let rows = text(&wspect(&line, Input::Bytes(&file)));
    assert_eq!(rows, "binary\t66663030\nbinary\tff00\ntext\tff00\n");
    let refused = wspect(&[&line[..], &["--payload", "hex"]].concat(), Input::Bytes(&file));
    assert_eq!(refused.code, Some(2));
}

/// Every command that prints rows has them in every form: columns are those of `export csv`, elements of an array the records.
#[test]
fn every_command_has_every_form() {
    for command in ["handshake", "follow 2", "check", "show 1:2 2:3", "stats", "stats --capture", "types", "keys"] {
        let command: Vec<&str> = command.split(' ').collect();
        let (name, chosen) = command.split_first().unwrap();
        let capture = sample(if name == &"keys" { "wss.pcapng" } else { "chat.pcapng" });
        let form = |form: &str| wspect_with(&[name, "-T", form], &capture, chosen);
        let records = form("jsonl").records();
        assert!(!records.is_empty(), "{command:?}");
        let array: Vec<Value> = serde_json::from_slice(&form("json").stdout).unwrap();
        assert_eq!(array, records, "{command:?}");
        let table = form("csv");
        match command[0] {
            "show" | "stats" | "keys" => assert_eq!(table.code, Some(2), "{command:?}"),
            _ => assert_eq!(csv(&text(&table)).len(), records.len() + 1, "{command:?}"),
        }
    }
    let handshakes = ["export", "csv", "--records", "handshake"];
    assert_eq!(text(&run(&["handshake", "-T", "csv"], "chat.pcapng")), text(&run(&handshakes, "chat.pcapng")));
    let findings = ["export", "csv", "--records", "finding", "-e", "finding", "-e", "frame.number"];
    let checked = ["check", "-T", "csv", "-e", "finding", "-e", "frame.number"];
    assert_eq!(text(&run(&checked, "mix.pcap")), text(&run(&findings, "mix.pcap")));
    let ignored = run(&[&checked[..], &["--ignore", "ORIGIN", "--fail-on", "error"]].concat(), "handshakes.pcapng");
    assert!(ignored.code == Some(1) && !text(&ignored).contains("ORIGIN"));
    assert_eq!(run(&["check", "-T", "csv", "--assert", "no finding"], "mix.pcap").code, Some(2));
    assert_eq!(run(&["check", "-T", "csv", "--explain"], "mix.pcap").code, Some(2));
}

#[test]
fn packets_of_connections_that_pass_are_copied() {
    let copied = |filter: &str| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some.pcapng");
        let done =
            wspect_with(&["export", "pcapng", "-Y", filter, "-o", path.to_str().unwrap()], &sample("chat.pcapng"), &[]);
        let urls = wspect(&["ls", "--json"], Input::File(&path)).records();
        (done.code, urls.iter().map(|it| it["url"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned()).collect())
    };
    let all = |names: &[&str]| (Some(0), names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert_eq!(copied("wspect.state == aborted"), all(&["abort"]));
    assert_eq!(copied("close_code == 4321"), all(&["plain"]), "a message passes");
    assert_eq!(copied("path == /frag or path == /big"), all(&["big", "frag"]));
    assert_eq!(copied("conn == 99"), all(&[]), "a capture without packets");
}

/// Files for other programs have the connections that pass, or have a message that does, and of these the messages that pass.
#[test]
fn files_for_other_programs_have_what_passes() {
    let file = |format: &str, filter: &str| text(&run(&["export", format, "-Y", filter], "chat.pcapng"));
    let har: Value = serde_json::from_str(&file("har", "path == /plain")).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    let messages = entries[0]["_webSocketMessages"].as_array().unwrap().len();
    let har: Value = serde_json::from_str(&file("har", "path == /plain && dir == c2s")).unwrap();
    let fewer = har["log"]["entries"][0]["_webSocketMessages"].as_array().unwrap().len();
    assert!(0 < fewer && fewer < messages, "{fewer} of {messages}");
    for format in ["text", "markdown", "html"] {
        let all = text(&run(&["export", format], "chat.pcapng"));
        let some = file(format, "path == /plain");
        assert!(all.contains("/frag") && some.contains("/plain") && !some.contains("/frag"), "{format}");
    }
}

/// The packets in which tshark finds what passes.
fn packets_of_tshark(file: &Path, filter: &str) -> Option<BTreeSet<u64>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-o", "tcp.reassemble_out_of_order:TRUE", "-T", "fields", "-e", "frame.number"]);
    command.args(["-Y", &format!("websocket && ({filter})"), "-r"]).arg(file);
    let Ok(output) = command.stdin(Stdio::null()).output() else {
        eprintln!("skipped: comparison with tshark (it is not installed)");
        return None;
    };
    assert!(output.status.success(), "tshark does not take {filter}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect())
}

/// Shared fields mean what they mean in Wireshark. Nothing is asked here of what tshark does not inflate or join: of packets
/// with messages that are compressed or of several frames.
#[test]
fn shared_fields_pass_the_packets_that_tshark_passes() {
    const FILTERS: &[&str] = &[
        "websocket.opcode == 1",
        "websocket.opcode != 1",
        "websocket.opcode in {2, 8 .. 10}",
        "websocket.mask == 1",
        "!(websocket.mask == 1) && websocket.fin == 1",
        "websocket.payload_length == 126",
        "websocket.payload_length < 20 && ip.src == 127.0.0.1",
        "websocket.payload_length_ext_16 >= 126",
        "websocket.payload.text contains \"SEND\"",
        "websocket.payload.text matches \"^(connect|send)\"",
        "websocket.payload.text[0:4] == \"SEND\"",
        "websocket.payload.text[0:4] == 53:45:4e:44",
        "websocket.payload.text[0] == 53 || websocket.payload.text[0:8] contains 45:4e",
        "len(websocket.payload.text) > 100",
        "websocket.payload.close.status_code >= 1000",
        "tcp.stream == 1 || frame.number < 30",
        "tcp.port in {0 .. 30000} and not websocket.opcode == 9",
        "upper(websocket.payload.text) contains \"QUEUE\"",
        "frame.number >= 20 && frame.number <= 60 && !(websocket.opcode == 1)",
    ];
    let captures = ["app_stomp.pcapng", "srv_aiohttp.pcap", "srv_tornado.pcap"];
    let mut compared = 0;
    for path in captures.iter().filter_map(|name| find("lab", name).or_else(|| in_collection("lab", name))) {
        let ours = |filter: &str| -> BTreeSet<u64> {
            let done = wspect(&["msgs", "-T", "fields", "-e", "frame.number", "-Y", filter], Input::File(&path));
            text(&done).lines().map(|line| line.parse().unwrap()).collect()
        };
        let odd = ours("wspect.frames > 1 or wspect.compressed");
        for filter in FILTERS {
            let Some(theirs) = packets_of_tshark(&path, filter) else { return };
            let (ours, theirs) = (&ours(filter) - &odd, &theirs - &odd);
            assert_eq!(ours, theirs, "{}: {filter}", path.display());
            compared += ours.len();
        }
    }
    assert!(compared > 100, "{compared} packets passed");
}

/// The table of fields as the page has it.
fn table() -> String {
    let mut out = String::from("| field | short | kind | of | what it is |\n|---|---|---|---|---|\n");
    let rows = |rows: Rows| if rows == Rows::ALL { "all rows".to_owned() } else { rows.words() };
    for field in FIELDS {
        let alias = if field.alias.is_empty() { String::new() } else { format!("`{}`", field.alias) };
        let about = field.about.replace('|', "\\|");
        out += &format!("| `{}` | {alias} | {} | {} | {about} |\n", field.name, field.kind.name(), rows(field.rows));
    }
    out
}

#[test]
fn the_page_has_the_table() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/FILTERS.md");
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    let (before, _) = page.split_once("| field |").expect("the page has a table of fields, at its end");
    let wanted = format!("{before}{}", table());
    if std::env::var_os("FILTERS").is_some_and(|value| value == "write") {
        std::fs::write(&path, &wanted).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == wanted, "docs/FILTERS.md is out of date: FILTERS=write cargo test --test filters page");
}

/// Every filter that the page shows is one.
#[test]
fn filters_of_the_page_are_read() {
    let page = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/FILTERS.md")).unwrap();
    let blocks = page.split("```text\n").skip(1).filter_map(|block| block.split("```").next());
    let filters: Vec<&str> = blocks.flat_map(str::lines).filter(|line| !line.is_empty()).collect();
    assert!(filters.len() > 10);
    let claims = page.split("```sh\n").nth(1).and_then(|block| block.split("```").next()).unwrap();
    assert!(claims.lines().count() > 5);
    for line in claims.lines() {
        assert!(wspect::filter::Claim::new(line).is_ok(), "{line}");
    }
    for line in filters {
        let filter = line.split("  #").next().unwrap();
        if let Err(problem) = wspect::filter::Filter::new(filter) {
            panic!("{problem}\n{}", problem.shown(filter));
        }
    }
}

#[test]
fn fields_are_listed() {
    let list = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_wspect")).arg("fields").args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (_, all, _) = list(&[]);
    assert_eq!(all.lines().count(), FIELDS.len());
    let (_, some, _) = list(&["websocket.payload.close"]);
    assert_eq!(some.lines().count(), 3);
    let (_, records, _) = list(&["--json"]);
    let records: Vec<Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        records
            .iter()
            .zip(FIELDS)
            .all(|(record, field)| record["name"] == field.name && record["about"] == field.about)
    );
    let (code, _, problem) = list(&["websocket.opcod3"]);
    assert_eq!(
        (code, problem.as_str()),
        (Some(1), "wspect: no field begins with websocket.opcod3: did you mean `websocket.opcode`?\n")
    );
}

#[test]
fn claims_are_told_with_their_evidence() {
    let check = |name: &str, claims: &[&str], more: &[&str]| {
        let claims: Vec<&str> = claims.iter().flat_map(|claim| ["--assert", *claim]).collect();
        run(&[&["check", "-Y", "severity == error"], claims.as_slice(), more].concat(), name)
    };
    let holding = [
        "no finding where severity == error",
        "every connection where close_code has wspect.state == closed",
        "count(messages where type == text) == 36",
        "p95(len where type == text) < 1M",
        "mean(len where type == close) < 32.5",
        "max(len(payload)) > 1000",
        "count(handshakes where close_code == 4321) == 1",
        "max(wspect.duration) < 3s",
        "count(handshakes where http.response.code == 101) == 6",
        "no frames where websocket.rsv & 3",
    ];
    let done = check("chat.pcapng", &holding, &[]);
    assert_eq!(done.code, Some(0), "{}", text(&done));
    assert_eq!(text(&done).lines().filter(|line| line.starts_with("PASS  ")).count(), holding.len());
    let failing =
        ["every connection closed 1000", "no finding >= warning", "p50(rtt) < 1ms", "count(connections) == 5"];
    let done = check("chat.pcapng", &failing, &["-n", "0"]);
    assert_eq!(done.code, Some(1));
    insta::assert_snapshot!(text(&done));
    let records = text(&check("chat.pcapng", &failing, &["--json"]));
    let records: Vec<Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verdicts: Vec<(&str, &Value)> =
        records.iter().map(|it| (it["assertion"].as_str().unwrap(), &it["holds"])).collect();
    assert_eq!(verdicts, failing.map(|claim| (claim, &Value::Bool(false))));
    assert_eq!(records[1]["evidence"].as_array().unwrap().len(), 1);

    // What is asserted is asked of what was captured, whatever is shown of it.
    let redacted = ["check", "--redact", "json:topic", "--assert", "no message where json.topic == price"];
    assert_eq!(run(&redacted, "chat.pcapng").code, Some(1));

    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    std::fs::write(path, "# what we promise\n\ncount(connections) == 6\nno mesage\n").unwrap();
    let done = check("chat.pcapng", &[], &["--assert-file", path]);
    assert_eq!((done.code, done.stdout.len()), (Some(2), 0));
    assert!(done.stderr.contains(":4: connections, handshakes"), "{}", done.stderr);
    std::fs::write(path, "# what we promise\n\ncount(connections) == 6\n").unwrap();
    let done = check("chat.pcapng", &[], &["--assert-file", path]);
    assert_eq!((done.code, text(&done).as_str()), (Some(0), "PASS  count(connections) == 6: counted 6\n"));
    assert_eq!(check("chat.pcapng", &[], &["--assert-file", "/none/such"]).code, Some(3));

    let config = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(config.path(), "[filters]\nprices = 'json.topic == \"price\"'\n").unwrap();
    let named = ["--assert-file", path, "--config", config.path().to_str().unwrap()];
    std::fs::write(path, "no message where $prices\n").unwrap();
    let done = check("chat.pcapng", &[], &named);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert!(text(&done).contains(r#"no message where (json.topic == "price")"#), "{}", text(&done));
    std::fs::write(path, "no message where $pricey\n").unwrap();
    let done = check("chat.pcapng", &[], &named);
    assert!(done.code == Some(2) && done.stderr.contains(":1: no filter is named `pricey`"), "{}", done.stderr);
}
