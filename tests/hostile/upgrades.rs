//! Heads that are too large, or bait.

use super::support::craft::*;
use super::support::run::{Input, records};
use super::{Survives, between_segments, says};

/// A session whose heads have so many bytes more, cut into segments of `len` bytes.
fn large(request_headers: &str, response_headers: &str, len: usize) -> (Session, Vec<Segment>) {
    let mut session = Session::bare(1);
    session.turn(Client, request("/large", request_headers)).turn(Server, response(response_headers));
    session.text(Server, "welcome").text(Client, "thanks");
    let segments = session.cut(|bytes| if bytes.len() > 1000 { vec![len] } else { vec![bytes.len()] });
    (session, segments)
}

/// Heads far beyond what is kept: their end is found, the rest counted, the frames behind them read.
#[test]
fn large_heads_are_read_to_their_end() {
    let many = |n: usize| (0..n).map(|at| format!("X-{at}: y\r\n")).collect::<String>();
    let one = |len: usize| format!("X-Long: {}\r\n", "z".repeat(len));
    for (what, request, response, len) in [
        ("100 000 headers in segments of 100 bytes", many(100_000), String::new(), 100),
        ("100 000 headers in the answer", String::new(), many(100_000), 100),
        ("a header of 1 MB", one(1_000_000), String::new(), 1460),
        ("a header of 1 MB in the answer", String::new(), one(1_000_000), 1460),
        ("300 headers", many(300), many(300), 1460),
    ] {
        let (session, segments) = large(&request, &response, len);
        let others = Survives::new(what, &["HTTP-LIMIT"]).mib(160).check(&between_segments(&segments));
        says(others.get(&session.client.to_string()), &session, what);
    }
}

/// A head that never ends is given up.
#[test]
fn endless_heads_are_given_up() {
    let mut session = Session::bare(1);
    session.turn(Client, request("/", "")).turn(Server, format!("HTTP/1.1 101 S\r\nX: {}", "z".repeat(12_000_000)));
    let segments = session.cut(|_| vec![60_000]);
    Survives::new("endless head", &[]).mib(160).check(&between_segments(&segments));
}

/// Bytes that a client sends before any answer have a bound; past it they may be lost, but nothing is made up.
#[test]
fn early_bytes_have_a_bound() {
    for asks_before in [false, true] {
        let mut session = Session::bare(1);
        if asks_before {
            session.turn(Client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            session.turn(Server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
        session.turn(Client, request("/", ""));
        let said: Vec<Vec<u8>> = (0..300).map(|n| vec![n as u8; 10_000]).collect();
        for bytes in &said {
            session.binary(Client, bytes.clone());
        }
        session.turn(Server, response("")).text(Server, "late").text(Client, "later");
        let segments = session.cut(|_| vec![4999]);
        let others = Survives::new("early bytes", &["HS-EARLY-DATA"]).mib(160).check(&between_segments(&segments));
        let shown = &others[&session.client.to_string()];
        for message in shown.messages.iter().filter(|message| message.complete) {
            let true_one = session.said.iter().any(|said| said.dir == message.dir && said.payload == message.payload);
            assert!(true_one, "asks before {asks_before}: made up {}", message.brief());
        }
        assert_eq!(shown.of("s2c").len(), 1, "asks before {asks_before}");
    }
}

/// Bodies, error pages and requests of other kinds that hold an answer as it would upgrade.
#[test]
fn bait_is_not_taken() {
    let bait = [response(""), Frame::new(TEXT, "bait").bytes()].concat();
    let body = |head: &str| [head.as_bytes(), &bait].concat();
    let sized = format!("Content-Length: {}\r\n\r\n", bait.len());
    for (what, answer) in [
        ("refusal with a body", body(&format!("HTTP/1.1 403 Forbidden\r\n{sized}"))),
        ("answer until the end", body("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")),
        ("HTTP/1.0 answer", body("HTTP/1.0 200 OK\r\n\r\n")),
        ("chunked", [b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\nff0\r\n", &bait[..]].concat()),
        ("both lengths", body(&format!("HTTP/1.1 400 Bad\r\nTransfer-Encoding: identity\r\n{sized}"))),
        ("another switch", body("HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")),
    ] {
        let mut session = Session::bare(1);
        session.turn(Client, request("/", "")).turn(Server, answer);
        let others = Survives::new(what, &[]).check(&between_segments(&session.segments()));
        assert!(others.values().all(|one| one.messages.is_empty()), "{what}");
    }
    // An answer to nothing that was asked.
    let mut session = Session::bare(1);
    session
        .turn(Client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .turn(Server, body(&format!("HTTP/1.1 200 OK\r\n{sized}")));
    let others = Survives::new("plain request", &[]).check(&between_segments(&session.segments()));
    assert!(others.is_empty());
}

/// Start lines and headers of every kind of nonsense.
#[test]
fn nonsense_heads_are_survived() {
    let heads: &[&[u8]] = &[
        b"GET\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
        b"GET / HTTP/9.9\r\nUpgrade: websocket\r\n\r\n",
        b"GET / HTTP/1.1\r\n: \r\n::\r\n \r\n\t\r\nUpgrade\r\n\r\n",
        b"GET / HTTP/1.1\r\n continued\r\nUpgrade: websocket\r\n\r\n",
        b"GET \xff\xfe HTTP/1.1\r\nUpgrade: websocket\r\nHost: \xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\nUpgrade: websocket\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 99999 x\r\n\r\n",
        b"GET http://user:pass@[::1/ HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
    ];
    let sessions: Vec<Vec<Segment>> = heads
        .iter()
        .flat_map(|head| heads.iter().map(move |answer| (head, answer)))
        .enumerate()
        .map(|(n, (head, answer))| {
            let mut session = Session::bare(n);
            session.turn(Client, *head).turn(Server, *answer).turn(Client, Frame::new(TEXT, "x").bytes());
            session.segments()
        })
        .collect();
    Survives::new("nonsense heads", &[]).check(&between_segments(&interleave(sessions)));
}

/// Headers that are not UTF-8 come out as Latin-1, in records that are.
#[test]
fn header_bytes_come_out_as_latin_1() {
    let mut session = Session::bare(1);
    let mut asking = request("/", "");
    let end = asking.len() - 2;
    asking.splice(end..end, *b"X-Name: caf\xe9\r\n");
    session.turn(Client, asking).turn(Server, response(""));
    let file = between_segments(&session.segments());
    Survives::new("Latin-1", &[]).check(&file);
    let all: Vec<String> = records("handshake", Input::Bytes(&file)).iter().map(ToString::to_string).collect();
    assert!(all.iter().any(|record| record.contains("café")), "{all:?}");
}
