//! Captures that lack a part of the HTTP before a WebSocket, or one of its sides: what went before an upgrade is not taken for
//! a part of it, and what was captured of it is found.

use super::support::craft::*;
use super::support::run::{Input, conversations, findings, key, number, records, string};
use super::{has_no_findings, says, shown};

/// Who says what before the upgrade.
type Turns = Vec<(Side, Vec<u8>)>;

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: lab.test\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
const CONNECT: &[u8] = b"CONNECT lab.test:80 HTTP/1.1\r\nHost: lab.test:80\r\n\r\n";
const CONNECTED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
const POST: &[u8] = b"POST /a HTTP/1.1\r\nHost: lab.test\r\nContent-Length: 9\r\n\r\nname=tail";

fn turns(all: &[(Side, &[u8])]) -> Turns {
    all.iter().map(|&(side, bytes)| (side, bytes.to_vec())).collect()
}

/// A session whose first turns are these, before the handshake and what a sample says.
fn behind(n: usize, before: &Turns) -> Session {
    let mut session = Session::sample(n);
    session.turns.splice(0..0, before.clone());
    session
}

/// Where the segment stands that is this turn.
const fn at(turn: usize) -> usize {
    3 + 2 * turn
}

/// The same packets, of which the server ends TCP first, as it should (RFC 6455 §7.1.1).
fn ended_by_server(mut segments: Vec<Segment>) -> Vec<Segment> {
    let last = segments.split_off(segments.len() - 3);
    let [client, server, _] = &last[..] else { unreachable!() };
    let (mut first, mut acked) = (server.clone(), client.clone());
    first.ack = client.seq;
    acked.ack = server.seq.wrapping_add(1);
    let mut reply = acked.clone();
    reply.flags = ACK;
    let mut end = first.clone();
    (end.flags, end.seq, end.ack) = (ACK, first.seq.wrapping_add(1), client.seq.wrapping_add(1));
    segments.extend([first, reply, acked, end]);
    segments
}

/// Exchanges before the upgrade, and from which turn on they are captured: answers to requests that were not are among them.
fn begun() -> Vec<(Turns, usize)> {
    let body: usize = 60_000;
    let long = [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 20 * body).into_bytes()];
    let pieces = long.into_iter().chain((0..20).map(|_| vec![b'x'; body]));
    let long = [(Client, GET.to_vec())].into_iter().chain(pieces.map(|piece| (Server, piece))).collect();
    vec![
        (turns(&[(Client, GET), (Server, ANSWER)]), 1),
        (turns(&[(Client, GET), (Server, ANSWER), (Client, GET), (Server, ANSWER)]), 1),
        (turns(&[(Client, GET), (Server, ANSWER), (Client, POST), (Server, ANSWER)]), 1),
        (turns(&[(Client, &POST[..60]), (Client, &POST[60..]), (Server, ANSWER)]), 1),
        (turns(&[(Client, &GET[..22]), (Client, &GET[22..]), (Server, ANSWER)]), 1),
        (turns(&[(Client, &GET[..22]), (Client, &GET[22..]), (Server, ANSWER), (Client, GET), (Server, ANSWER)]), 1),
        (turns(&[(Client, CONNECT), (Server, CONNECTED)]), 1),
        // More than is kept of a beginning.
        (long, 1),
    ]
}

#[test]
fn an_answer_before_the_capture_is_none_to_an_upgrade() {
    for (n, (before, from)) in begun().iter().enumerate() {
        let session = behind(n, before);
        let mut segments = session.segments();
        let upgrade = at(before.len());
        for what in ["in order", "the 101 captured first"] {
            let file = capture_of(&segments[at(*from)..]);
            let all = says(&file, std::slice::from_ref(&session), &format!("{n} {what}"));
            assert_eq!(all.values().next().unwrap().state, "closed", "{n} {what}");
            let row = &records("ls", Input::Bytes(&file))[0];
            assert_eq!(string(row, "url"), format!("ws://lab.test/{n}"), "{n} {what}");
            has_no_findings(&file, &["HS-PLAIN-ANSWER", "MID-STREAM", "TCP-GAP"], &format!("{n} {what}"));
            // What was too much to keep is not read again: then no packet may be told twice.
            if before.len() > 10 {
                break;
            }
            segments.swap(upgrade, upgrade + 2);
        }
    }
}

#[test]
fn a_refusal_behind_such_an_answer_is_one() {
    let mut session = Session::bare(1);
    session.turn(Client, GET).turn(Server, ANSWER).turn(Client, request("/1", ""));
    session.turn(Server, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let file = capture_of(&session.segments()[at(1)..]);
    let row = &records("ls", Input::Bytes(&file))[0];
    assert!(string(row, "state") == "rejected" && string(row, "verdict").contains("403 Forbidden"), "{row}");
}

/// One side of sessions with exchanges before the upgrade, short and long ones.
fn sided(side: Side) -> Vec<(Session, Vec<u8>)> {
    let exchanges = [
        turns(&[]),
        turns(&[(Client, GET), (Server, ANSWER)]),
        turns(&[(Client, GET), (Server, ANSWER), (Client, POST), (Server, ANSWER)]),
        turns(&[(Client, CONNECT), (Server, CONNECTED)]),
        turns(&[
            (Client, GET),
            (Server, ANSWER),
            (Client, CONNECT),
            (Server, CONNECTED),
            (Client, GET),
            (Server, ANSWER),
        ]),
        turns(&[
            (Client, CONNECT),
            (Server, b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
            (Client, CONNECT),
            (Server, CONNECTED),
        ]),
    ];
    let sessions = exchanges.iter().cycle().take(2 * exchanges.len()).enumerate().map(|(n, before)| {
        let mut session = behind(n, before);
        if n >= exchanges.len() {
            let (close, said) = (session.turns.split_off(session.turns.len() - 2), session.said.len() - 2);
            let last = session.said.split_off(said);
            for nth in 0..100 {
                session.text(side, &format!("message {nth}"));
            }
            session.turns.extend(close);
            session.said.extend(last);
        }
        let from = if side == Client { session.client } else { session.server };
        let own: Vec<Segment> = session.segments().into_iter().filter(|segment| segment.src == from).collect();
        session.said.retain(|said| said.dir == side.dir());
        let file = capture_of(&own);
        (session, file)
    });
    sessions.collect()
}

#[test]
fn a_client_alone_is_read_behind_other_requests() {
    for (n, (session, file)) in sided(Client).into_iter().enumerate() {
        let all = says(&file, std::slice::from_ref(&session), &format!("{n}"));
        assert_eq!(all.values().next().unwrap().state, "midstream", "{n}");
        let found = findings(Input::Bytes(&file));
        let why = found.iter().find(|(code, _)| code == "HS-NO-ANSWER").unwrap_or_else(|| panic!("{n}: {found:?}"));
        assert!(string(&why.1, "text").ends_with("only the client was captured"), "{n}: {}", why.1);
    }
}

#[test]
fn a_server_alone_is_read_behind_other_answers() {
    for (n, (session, file)) in sided(Server).into_iter().enumerate() {
        let all = says(&file, std::slice::from_ref(&session), &format!("{n}"));
        assert_eq!(all.values().next().unwrap().state, "midstream", "{n}");
    }
}

/// Who is refused asks again: each request is told, and the last one opened the WebSocket.
#[test]
fn a_client_alone_that_asks_again_was_refused() {
    for long in [false, true] {
        let mut session = Session::bare(1);
        session.turn(Client, request("/1", "")).turn(Server, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
        session.turn(Client, request("/2", "Authorization: Basic bWU6cHc=\r\n")).turn(Server, response(""));
        for nth in 0..if long { 100 } else { 3 } {
            session.text(Client, &format!("message {nth}"));
        }
        let client = session.client;
        let own: Vec<Segment> = session.segments().into_iter().filter(|segment| segment.src == client).collect();
        let all = conversations(Input::Bytes(&capture_of(&own)));
        let states: Vec<(&str, usize)> =
            all.iter().map(|conversation| (conversation.state.as_str(), conversation.messages.len())).collect();
        assert_eq!(states, [("rejected", 0), ("midstream", session.said.len())], "{long}");
    }
}

/// Exchanges before the upgrade, and the turn that was not captured.
fn holed() -> Vec<(Turns, usize)> {
    let long = [POST.to_vec(), vec![b'x'; 1000], vec![b'y'; 1000], vec![b'z'; 500]];
    let mut long: Turns = long.into_iter().map(|bytes| (Client, bytes)).collect();
    let head = b"POST /a HTTP/1.1\r\nHost: lab.test\r\nContent-Length: 2500\r\n\r\n";
    long[0].1 = head.to_vec();
    long.push((Server, ANSWER.to_vec()));
    let mut cut = long.clone();
    cut[0].1.truncate(20);
    cut[1].1.splice(0..0, head[20..].iter().copied());
    vec![
        (turns(&[(Client, GET), (Server, ANSWER)]), 0),
        (turns(&[(Client, GET), (Server, ANSWER), (Client, GET), (Server, ANSWER)]), 2),
        (turns(&[(Client, GET), (Server, ANSWER), (Client, CONNECT), (Server, CONNECTED)]), 2),
        (cut, 1),
        (long, 2),
    ]
}

#[test]
fn an_upgrade_behind_a_hole_is_found() {
    for (n, (before, lost)) in holed().iter().enumerate() {
        let session = behind(n, before);
        let mut segments = ended_by_server(session.segments());
        segments.remove(at(*lost));
        let file = capture_of(&segments);
        let all = says(&file, std::slice::from_ref(&session), &format!("{n}"));
        assert_eq!(all.values().next().unwrap().state, "closed", "{n}");
        let row = &records("ls", Input::Bytes(&file))[0];
        assert_eq!(string(row, "url"), format!("ws://lab.test/{n}"));
        // Its own packets are whole, and the hole is none in it.
        has_no_findings(&file, &["MID-STREAM", "WS-RESYNC", "TCP-GAP", "HS-PLAIN-ANSWER"], &format!("{n}"));
    }
}

/// What a hole held up is read late: who ended TCP first is told by the packets all the same.
#[test]
fn a_hole_before_the_upgrade_turns_no_end_round() {
    let mut rows = holed();
    // The upgrade itself.
    rows.push((Turns::new(), 0));
    for (n, (before, lost)) in rows.iter().enumerate() {
        let session = behind(n, before);
        for by_server in [true, false] {
            let mut segments = session.segments();
            if by_server {
                segments = ended_by_server(segments);
            }
            let mut file = Vec::new();
            for whole in [true, false] {
                if !whole {
                    segments.remove(at(*lost));
                }
                file = capture_of(&segments);
                let codes: Vec<String> = findings(Input::Bytes(&file)).into_iter().map(|(code, _)| code).collect();
                let client_first = codes.iter().any(|code| code == "CLOSE-CLIENT-FIRST");
                assert_eq!(client_first, !by_server, "{n} {by_server} {whole}: {codes:?}");
            }
            assert_eq!(shown(&file).len(), 1);
        }
    }
}

/// A request that names its protocol wrongly, or another, and is answered with a WebSocket.
#[test]
fn what_the_server_takes_for_an_upgrade_is_one() {
    let key = format!("Sec-WebSocket-Key: {KEY}\r\n");
    let asked =
        |n: usize, name: &str| String::from_utf8(request(&format!("/{n}"), "")).unwrap().replace("websocket\r", name);
    let names = ["websocket/13\r", "\"websocket\"\r", "WebSockets\r", "h2c\r"];
    for (n, name) in names.iter().enumerate() {
        for with_key in [true, false] {
            let mut session = Session::sample(n);
            session.turns[0].1 = asked(n, name).into_bytes();
            if !with_key {
                session.turns[0].1 = asked(n, name).replace(&key, "").into_bytes();
            }
            let file = capture_of(&session.segments());
            says(&file, std::slice::from_ref(&session), name);
            let found = findings(Input::Bytes(&file));
            let text = found.iter().find(|(code, _)| code == "HS-UPGRADE").map(|(_, record)| string(record, "text"));
            assert!(text.is_some_and(|text| text.ends_with(name.trim())), "{name}: {found:?}");
        }
    }
    // What leads elsewhere is none, and a refusal is one of what names it.
    let answered = |name: &str, answer: &str| {
        let mut session = Session::bare(1);
        session.turn(Client, asked(1, name)).turn(Server, answer);
        let file = capture_of(&session.segments());
        let codes: Vec<String> = findings(Input::Bytes(&file)).into_iter().map(|(code, _)| code).collect();
        (conversations(Input::Bytes(&file)).len(), codes)
    };
    let switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let refused = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(answered("h2c\r", switched).0, 0);
    assert_eq!(answered("h2c\r", refused).0, 0);
    let (count, codes) = answered("websocket/13\r", refused);
    assert_eq!((count, codes), (1, vec!["HS-UPGRADE".to_owned(), "HS-BAD-REQUEST".to_owned()]));
}

/// The first bytes that were captured are the rest of a head, and of no frame.
#[test]
fn the_end_of_a_head_is_called_so() {
    for cut in [20, 50, 70, 100] {
        let mut session = Session::new(1);
        for nth in 0..6 {
            session.text(Client, &format!("hello {nth}")).text(Server, &format!("world {nth}"));
        }
        let mut segments = session.segments();
        let len = segments[at(1)].payload.len();
        segments[at(1)] = segments[at(1)].part(cut, len);
        let file = capture_of(&segments[at(1)..]);
        says(&file, std::slice::from_ref(&session), &format!("{cut}"));
        let texts: Vec<String> =
            findings(Input::Bytes(&file)).iter().map(|(_, record)| string(record, "text")).collect();
        // Of a header's value alone nothing is known.
        let what = if cut < 100 { "are the end of the answer's head" } else { "belong to what began before" };
        let said = format!("the first {} bytes captured {what}: ", len - cut);
        assert!(texts.iter().any(|text| text.starts_with(&said)), "{cut}: {texts:?}");
    }
}

/// A SYN tells where its sender begins, not where the other does: what was said is found as it is without that SYN.
#[test]
fn a_syn_before_a_loss_hides_nothing() {
    let mut session = Session::new(1);
    for nth in 0..12 {
        session.text(Client, &format!("hello {nth}, how are you?")).text(Server, &format!("world {nth}, thank you"));
    }
    let segments = session.segments();
    let shows = |file: &[u8]| conversations(Input::Bytes(file)).iter().map(|it| it.messages.len()).sum::<usize>();
    for from in at(2)..at(14) {
        let late = &segments[from..];
        let without = shows(&capture_of(late));
        assert!(without > 0, "{from}");
        for early in [&[0][..], &[0, 6], &[1], &[0, 1], &[0, 2]] {
            let early: Vec<Segment> = early.iter().map(|&at| segments[at].clone()).collect();
            let file = capture_of(&[&early, late].concat());
            assert_eq!(shows(&file), without, "{early:?} and from {from} on");
        }
    }
}

/// Answer before request is no order that makes a time.
#[test]
fn an_answer_that_is_passed_over_makes_no_latency() {
    let session = behind(1, &turns(&[(Client, GET), (Server, ANSWER)]));
    let file = capture_of(&session.segments()[at(1)..]);
    let handshake = &records("handshake", Input::Bytes(&file))[0];
    assert_eq!(key(handshake, "latency_ns").as_i64(), Some(200_000));
    assert!(number(key(handshake, "request"), "packet") < number(key(handshake, "response"), "packet"));
}
