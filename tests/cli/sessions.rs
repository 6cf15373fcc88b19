//! Sessions of several transports, and reconnects.

use super::*;
use crate::support::craft::Side::{Client, Server};
use crate::support::craft::{Segment, Session, Tls, capture_of, interleave, request, response};
use serde_json::Value;

/// What is told of a capture.
fn sessions(segments: &[Segment], args: &[&str]) -> Vec<Value> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), capture_of(segments)).unwrap();
    let output = wspect(["sessions", "--json", "-q"]).args(args).arg(file.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `step status sent→received` of each request.
fn steps(session: &Value) -> Vec<String> {
    let step = |one: &Value| {
        let [step, status, sent, received] = ["step", "status", "sent", "received"].map(|key| one[key].to_string());
        format!("{} {status} {sent}→{received}", step.trim_matches('"'))
    };
    session["requests"]["first"].as_array().unwrap().iter().map(step).collect()
}

fn ask(method: &str, target: &str, body: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: lab.test\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn chunked(chunks: &[&str]) -> String {
    let chunks: String = chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
}

/// The segments of a stream, of so many bytes at most.
fn in_pieces(stream: &Session, len: usize) -> Vec<Segment> {
    stream.cut(|_| vec![len])
}

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// One stream with many requests of two sessions, and others between them.
fn polled() -> Session {
    let mut stream = Session::bare(1);
    stream.turn(Client, ask("GET", POLLING, "")).turn(Server, answer(200, r#"0{"sid":"one","upgrades":[]}"#));
    stream.turn(Client, ask("GET", "/logo.png", "")).turn(Server, answer(200, "xxxx"));
    stream.turn(Client, ask("POST", &format!("{POLLING}&sid=one"), "40")).turn(Server, chunked(&["o", "k"]));
    stream.turn(Client, ask("GET", &format!("{POLLING}&sid=two"), "")).turn(Server, answer(400, "no"));
    stream.turn(Client, ask("GET", "/api/info", "")).turn(Server, answer(200, r#"{"name":"x"}"#));
    stream.turn(Client, ask("GET", "/page?id=tok", "")).turn(Server, answer(200, "x"));
    stream.turn(Client, ask("GET", &format!("{POLLING}&sid=one"), ""));
    stream
}

#[test]
fn requests_on_a_stream_that_is_kept_alive_are_of_their_sessions() {
    let whole = sessions(&polled().segments(), &[]);
    let told: Vec<_> = whole.iter().map(|session| (session["id"].as_str().unwrap(), steps(session))).collect();
    let one = ["negotiate 200 0→28", "send 200 2→2", "poll null 0→0"].map(str::to_owned).to_vec();
    assert_eq!(told, [("one", one), ("two", vec!["poll 400 0→2".to_owned()])]);
    assert_eq!((&whole[0]["requests"]["failed"], &whole[1]["requests"]["failed"]), (&1.into(), &1.into()));
    // However the segments are cut.
    for len in [1, 7, 60] {
        let cut = sessions(&in_pieces(&polled(), len), &[]);
        assert_eq!(cut.iter().map(steps).collect::<Vec<_>>(), whole.iter().map(steps).collect::<Vec<_>>(), "{len}");
    }
}

#[test]
fn requests_inside_tls_are_the_same_where_it_is_decrypted() {
    let tls = Tls::around(1, &polled());
    let keys = tempfile::NamedTempFile::new().unwrap();
    fs::write(keys.path(), tls.log()).unwrap();
    let shown = sessions(&tls.session.segments(), &["-k", keys.path().to_str().unwrap()]);
    let clear = sessions(&polled().segments(), &[]);
    assert_eq!(shown.iter().map(steps).collect::<Vec<_>>(), clear.iter().map(steps).collect::<Vec<_>>());
    let url = shown[0]["requests"]["first"][0]["url"].as_str().unwrap();
    assert!(url.starts_with("https://lab.test/socket.io/"), "{url}");
    assert!(sessions(&tls.session.segments(), &[]).is_empty());
}

#[test]
fn bodies_of_any_length_are_counted_and_not_kept() {
    let mut stream = Session::bare(1);
    let long = "x".repeat(300_000);
    stream.turn(Client, ask("GET", POLLING, "")).turn(Server, answer(200, &format!("{long}{{\"sid\":\"late\"}}")));
    stream.turn(Client, ask("POST", &format!("{POLLING}&sid=a&{long}"), &long)).turn(Server, answer(200, "ok"));
    stream.turn(Client, ask("GET", "/hub/negotiate", "")).turn(Server, answer(200, &long));
    let told = sessions(&in_pieces(&stream, 1400), &[]);
    assert_eq!(told.iter().map(steps).collect::<Vec<_>>(), [["negotiate 200 0→300014", "send 200 300000→2"]]);
    assert_eq!(told[0]["id"], "a", "what stands so far behind is not read, but asked for next");
    assert_eq!(told[0]["requests"]["first"][1]["url"].as_str().unwrap().len(), 2048);
}

#[test]
fn a_refused_websocket_and_what_the_client_does_instead_are_shown() {
    let mut refused = Session::bare(1);
    refused.turn(Client, request("/echo/001/aaaa/websocket", "")).turn(Server, answer(400, "no"));
    let mut instead = Session::bare(2);
    instead.turn(Client, ask("GET", "/echo/info", "")).turn(Server, answer(200, r#"{"websocket":true,"entropy":7}"#));
    instead.turn(Client, ask("POST", "/echo/002/bbbb/xhr_streaming", "")).turn(Server, chunked(&["o\n", "a[]\n"]));
    let told = sessions(&[refused.segments(), instead.segments()].concat(), &[]);
    let line = |session: &Value| {
        format!("{} {} {}", session["id"], session["reconnect_of"], session["connections"][0]["status"])
    };
    assert_eq!(told.iter().map(line).collect::<Vec<_>>(), ["\"001/aaaa\" null 400", "\"002/bbbb\" 1 null"]);
    assert_eq!(steps(&told[1]), ["info 200 0→30", "stream 200 0→6"]);
}

#[test]
fn reconnects_are_chained() {
    let web = |n: usize, target: &str| {
        let mut session = Session::bare(n);
        session.turn(Client, request(target, "")).turn(Server, response("")).text(Client, "x").close();
        session.segments()
    };
    let side_by_side = interleave(vec![web(1, "/feed?a"), web(2, "/feed?b")]);
    let told = sessions(&[side_by_side, web(3, "/feed?c"), web(4, "/other"), web(5, "/feed")].concat(), &[]);
    let line = |session: &Value| {
        let leg = &session["connections"][0];
        assert_eq!(leg["gap_ns"].is_null(), leg["reconnect_of"].is_null());
        format!("{}:{}>{}", leg["reconnect_of"], leg["conn"], leg["followed_by"])
    };
    assert_eq!(
        told.iter().map(line).collect::<Vec<_>>(),
        ["null:1>null", "null:2>3", "2:3>5", "null:4>null", "3:5>null"]
    );
}

/// An id has one name, in the URL of a request, in that of a WebSocket, and where an answer gave it.
#[test]
fn ids_are_hidden_wherever_they_stand() {
    let file = "tests/data/app_sessions.pcapng";
    let told = |args: &[&str]| {
        let output = wspect(["sessions", "--json", "-q"]).args(args).arg(file).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let ids = ["GSdqvdbkHvdJjcleAAAA", "s9cwCo0_riFQt-_9AAAB", "tok_1", "tok_2"];
    let (shown, hidden) = (told(&[]), told(&["--redact", "query:sid", "--redact", "query:id"]));
    for id in ids {
        assert!(shown.contains(id) && !hidden.contains(id), "{id}");
    }
    let counts = |text: &str| {
        let of = |line: &str| {
            let session: Value = serde_json::from_str(line).unwrap();
            (steps(&session), session["connections"].as_array().unwrap().len())
        };
        text.lines().map(of).collect::<Vec<_>>()
    };
    assert_eq!(counts(&shown), counts(&hidden));
    let first: Value = serde_json::from_str(hidden.lines().next().unwrap()).unwrap();
    let name = first["id"].as_str().unwrap();
    assert!(name.starts_with("redacted-") && hidden.matches(name).count() == 4, "{hidden}");
}

#[test]
fn filters_ask_for_sessions_and_reconnects() {
    let file = "tests/data/app_sessions.pcapng";
    let conns = |filter: &str| {
        let output = wspect(["ls", "-q", "-T", "fields", "-e", "conn", "-Y", filter, file]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(conns("wspect.session == 2"), "2");
    assert_eq!(conns("wspect.reconnect_of == 1"), "2");
    assert_eq!(conns("wspect.reconnect_of"), "2 5");
    assert_eq!(conns("wspect.reconnect_gap > 150ms"), "2");
}
