//! The upgrade: however its heads are cut, written or timed, the frames behind it are read.

use super::support::craft::*;
use super::support::run::{Input, findings, number, records};
use super::{LOSS, has_finding, has_no_findings, says, says_one, shown};
use serde_json::Value;

/// A session whose turns so far are given; it then says a little.
fn upgraded(n: usize, request: &[u8], response: &[u8]) -> Session {
    let mut session = Session::bare(n);
    session.turn(Client, request).turn(Server, response);
    session.text(Server, "welcome").text(Client, "thanks").close();
    session
}

/// Cuts the first turn of that side behind `at` bytes, everything else not at all.
fn cut_head(session: &Session, side: Side, at: usize) -> Vec<Segment> {
    let head = session.turns.iter().find(|turn| turn.0 == side).unwrap().1.clone();
    session.cut(|bytes| if bytes == head { vec![at, bytes.len()] } else { vec![bytes.len()] })
}

#[test]
fn a_head_may_be_cut_at_any_byte() {
    let (request, response) = (request("/chat", "Origin: http://lab.test\r\n"), response("Server: lab\r\n"));
    for (side, len) in [(Client, request.len()), (Server, response.len())] {
        let sessions: Vec<_> = (0..len - 1).map(|n| upgraded(n, &request, &response)).collect();
        let cut = sessions.iter().enumerate().map(|(n, session)| cut_head(session, side, n + 1)).collect();
        let file = capture_of(&interleave(cut));
        says(&file, &sessions, "head cut in two");
        has_no_findings(&file, LOSS, "head cut in two");
    }
}

#[test]
fn heads_may_come_byte_by_byte() {
    let sessions = [upgraded(0, &request("/", ""), &response(""))];
    says(&capture_of(&sessions[0].cut(|_| vec![1])), &sessions, "byte by byte");
}

/// The server's first frames in the segment of its 101, cut anywhere.
#[test]
fn frames_may_follow_the_answer_in_its_segment() {
    let whole = [response(""), Frame::new(TEXT, "héllo").bytes(), Frame::new(PING, "").bytes()].concat();
    let head = response("").len();
    let sessions: Vec<_> = (head - 2..=whole.len())
        .map(|n| {
            let mut session = Session::bare(n);
            session.turn(Client, request("/", "")).turn(Server, whole.clone());
            for (opcode, payload) in [(TEXT, "héllo".into()), (PING, Vec::new())] {
                session.said.push(Said { dir: "s2c", opcode, frames: 1, payload, packed: None });
            }
            session.text(Client, "thanks");
            session
        })
        .collect();
    let cut = sessions.iter().zip(head - 2..).map(|(session, at)| cut_head(session, Server, at)).collect();
    says(&capture_of(&interleave(cut)), &sessions, "frames behind the 101");
}

/// A client that does not wait for the answer: its frame is in the request's segment, behind it, or in part.
#[test]
fn frames_may_come_before_the_answer() {
    let asked = request("/", "");
    let sessions: Vec<_> = (0..=12)
        .map(|n| {
            let mut session = Session::bare(n);
            let frame = session.framed(Client, Frame::new(TEXT, "early")).bytes();
            let (now, later) = frame.split_at(n.min(frame.len()));
            session.turn(Client, [&asked, now].concat());
            if n > 11 {
                session.turn(Client, later);
            }
            session.turn(Server, response(""));
            if n <= 11 {
                session.turn(Client, later);
            }
            session.said.push(Said { dir: "c2s", opcode: TEXT, frames: 1, payload: b"early".into(), packed: None });
            session.turns.retain(|turn| !turn.1.is_empty());
            session.text(Server, "welcome");
            session
        })
        .collect();
    let file = capture_of(&interleave(sessions.iter().map(Session::segments).collect()));
    says(&file, &sessions, "early frames");
    has_finding(&file, "HS-EARLY-DATA", "early frames");
}

/// A packet of what came before the answer is lost: nothing is made up of the rest.
#[test]
fn a_loss_before_the_answer_makes_nothing_up() {
    let mut session = Session::bare(0);
    session.turn(Client, request("/", ""));
    for n in 0..20 {
        session.binary(Client, vec![n; 100 + n as usize]);
    }
    session.turn(Server, response("")).text(Server, "welcome").text(Client, "thanks");
    let mut other = Session::new(1);
    for n in 0..300 {
        other.text(Server, &format!("{n}"));
    }
    for lost in 5..40 {
        let mut segments = session.cut(|bytes| vec![bytes.len().div_ceil(2)]);
        segments.remove(lost);
        // The hole is given up before the answer comes.
        let answer = segments.iter().position(|s| s.src == session.server && !s.payload.is_empty()).unwrap();
        segments.splice(answer..answer, other.segments());
        let all = shown(&capture_of(&segments));
        let messages = all[&session.client.to_string()].messages.iter();
        for message in messages.filter(|message| message.complete) {
            let true_one = session.said.iter().any(|said| said.dir == message.dir && said.payload == message.payload);
            assert!(true_one, "without packet {lost}: made up {}", message.brief());
        }
    }
}

/// Header names and tokens in any case, folded, repeated, in lists, with blanks, with bare line feeds.
#[test]
fn heads_may_be_written_in_any_way() {
    let key = format!("Sec-WebSocket-Key: {KEY}\r\n");
    let accept = format!("Sec-WebSocket-Accept: {}\r\n", accept(KEY));
    let ask = |headers: &str| format!("GET /chat HTTP/1.1\r\nHost: lab.test\r\n{headers}\r\n").into_bytes();
    let answer = |headers: &str| format!("HTTP/1.1 101 Switching Protocols\r\n{headers}\r\n").into_bytes();
    let plain_ask = ask(&format!("Upgrade: websocket\r\nConnection: Upgrade\r\n{key}Sec-WebSocket-Version: 13\r\n"));
    let plain_answer = answer(&format!("Upgrade: websocket\r\nConnection: Upgrade\r\n{accept}"));
    let version = "Sec-WebSocket-Version: 13\r\n";
    let asks = [
        ask(&format!("UPGRADE: WEBSOCKET\r\nCONNECTION: UPGRADE\r\n{}{version}", key.replace("Sec-WebS", "SEC-WEBs"))),
        ask(&format!(
            "upgrade:websocket\r\nconnection:upgrade\r\n{}{version}",
            key.replace("Sec-WebSocket-", "sec-websocket-")
        )),
        ask(&format!("Upgrade:   websocket \t\r\nConnection: \tUpgrade \r\n{key}Sec-WebSocket-Version:  13  \r\n")),
        ask(&format!("Upgrade: foo/1, WebSocket\r\nConnection: keep-alive, Upgrade\r\n{key}{version}")),
        ask(&format!(
            "Upgrade: foo\r\nUpgrade: websocket\r\nConnection: keep-alive\r\nConnection: upgrade\r\n{key}{version}"
        )),
        ask(&format!("Upgrade:\r\n websocket\r\nConnection: keep-alive,\r\n\tUpgrade\r\n{key}{version}")),
        ask(&format!("{version}{key}Connection: ,,Upgrade,\r\nUpgrade: ,websocket\r\nCookie: a=b; c=\"d,e\"\r\n")),
        ask(&format!(
            "Upgrade: websocket\r\nConnection: Upgrade\r\n{key}{version}X-Bin: \u{e9}\u{ff}\r\nX:\r\n: nameless\r\n"
        )),
        String::from_utf8(plain_ask.clone()).unwrap().replace("\r\n", "\n").into_bytes(),
        String::from_utf8(plain_ask.clone()).unwrap().replacen("\r\n", "\n", 3).into_bytes(),
        [b"\r\n\r\n", &plain_ask[..]].concat(),
    ];
    let answers = [
        answer(&format!("UPGRADE: WebSocket\r\ncOnNeCtIoN: keep-alive,  UPGRADE\r\n{}", accept.replace("Sec", "SEC"))),
        answer(&format!("Upgrade:\r\n  websocket\r\nConnection:\r\n\t Upgrade\r\n{accept}")),
        answer(&format!("{accept}Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n")),
        answer(&format!("Upgrade: websocket\r\nConnection: Upgrade\r\nTransfer-Encoding: chunked\r\n{accept}")),
        answer(&format!("Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 1000\r\n{accept}")),
        String::from_utf8(plain_answer.clone()).unwrap().replace("\r\n", "\n").into_bytes(),
        String::from_utf8(plain_answer.clone()).unwrap().replace("101 Switching Protocols", "101").into_bytes(),
        String::from_utf8(plain_answer.clone()).unwrap().replace("Switching Protocols", "").into_bytes(),
        [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", &plain_answer[..]].concat(),
    ];
    let asked = asks.iter().map(|ask| (ask, &plain_answer));
    let answered = answers.iter().map(|answer| (&plain_ask, answer));
    let sessions: Vec<_> =
        asked.chain(answered).enumerate().map(|(n, (ask, answer))| upgraded(n, ask, answer)).collect();
    let file = capture_of(&interleave(sessions.iter().map(Session::segments).collect()));
    says(&file, &sessions, "heads");
    let mut bodies = 0;
    for record in records("handshake", Input::Bytes(&file)) {
        let broken: Vec<&Value> = record["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|c| c["ok"] == false && c["code"] != "CLEAR-CREDENTIALS")
            .collect();
        let is_body = broken.iter().any(|check| check["code"] == "HS-BODY");
        bodies += usize::from(is_body);
        assert_eq!(broken.len(), usize::from(is_body), "{broken:?} in {record}");
    }
    assert_eq!(bodies, 3, "three heads tell of a body");
}

/// Requests before the upgrade on the same connection: their answers, whatever their bodies hold, are no upgrade.
#[test]
fn requests_may_come_before_the_upgrade() {
    let get = b"GET /a HTTP/1.1\r\nHost: lab.test\r\n\r\n".as_slice();
    let head = b"HEAD /a HTTP/1.1\r\nHost: lab.test\r\n\r\n".as_slice();
    let body = request("/bait", "");
    let post = format!("POST /a HTTP/1.1\r\nHost: lab.test\r\nContent-Length: {}\r\n\r\n", body.len());
    let post = [post.as_bytes(), &body].concat();
    let bait = response("");
    let length = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bait.len());
    let chunk = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", bait.len());
    let baited = [length.as_bytes(), &bait].concat();
    let chunked = [chunk.as_bytes(), &bait, b"\r\n0\r\n\r\n"].concat();
    let trailed = [chunk.as_bytes(), &bait, b"\r\n0\r\nTrailer: a\r\n\r\n"].concat();
    let not_modified = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n".as_slice();
    let no_content = b"HTTP/1.1 204 No Content\r\n\r\n".as_slice();
    let rounds: [(&[u8], &[u8]); 7] = [
        (get, &baited),
        (get, &chunked),
        (get, &trailed),
        (get, not_modified),
        (get, no_content),
        (head, length.as_bytes()),
        (&post, &baited),
    ];
    let sessions: Vec<_> = rounds
        .iter()
        .enumerate()
        .map(|(n, (ask, answer))| {
            let mut session = Session::bare(n);
            session.turn(Client, *ask).turn(Server, *answer).turn(Client, *ask).turn(Server, *answer);
            let after = upgraded(n, &request(&format!("/{n}"), ""), &response(""));
            session.turns.extend(after.turns);
            session.said = after.said;
            session
        })
        .collect();
    for len in [usize::MAX, 7] {
        let cut = sessions.iter().map(|session| session.cut(|_| vec![len])).collect();
        says(&capture_of(&interleave(cut)), &sessions, "after other requests");
    }
    // Pipelined: all requests in one segment, then all answers.
    let pipelined: Vec<_> = sessions
        .iter()
        .map(|session| {
            let mut glued = session.clone();
            let part =
                |side: Side| session.turns[..6].iter().filter(|t| t.0 == side).flat_map(|t| t.1.clone()).collect();
            let (asks, answers): (Vec<u8>, Vec<u8>) = (part(Client), part(Server));
            glued.turns.splice(..6, [(Client, asks), (Server, answers)]);
            glued
        })
        .collect();
    says(&capture_of(&interleave(pipelined.iter().map(Session::segments).collect())), &pipelined, "pipelined");
}

/// An upgrade to something else is left alone, whatever its bytes look like.
#[test]
fn other_upgrades_are_left_alone() {
    for (upgrade, ask) in [("h2c", "h2c"), ("tcp", "tcp"), ("TLS/1.0", "TLS/1.0")] {
        let mut session = Session::bare(0);
        session.turn(Client, format!("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: {ask}\r\nConnection: Upgrade\r\n\r\n"));
        session.turn(Server, format!("HTTP/1.1 101 Switching\r\nUpgrade: {upgrade}\r\nConnection: Upgrade\r\n\r\n"));
        session.turn(Server, Frame::new(TEXT, "bait").bytes()).turn(Client, Frame::new(TEXT, "bait").bytes());
        assert!(shown(&capture_of(&session.segments())).is_empty(), "{upgrade}");
    }
}

/// An answer whose first line makes no sense is none; what follows is read all the same, and belongs to the one connection,
/// also where the request was cut.
#[test]
fn frames_behind_an_answer_that_makes_no_sense_are_read() {
    let answer = String::from_utf8(response("")).unwrap().replace(" 101 ", " 101");
    let session = upgraded(0, &request("/", ""), answer.as_bytes());
    let mut together = Session::bare(1);
    together
        .turn(Client, request("/", ""))
        .turn(Server, [answer.as_bytes(), &Frame::new(TEXT, "welcome").bytes()].concat());
    together.said.push(Said { dir: "s2c", opcode: TEXT, frames: 1, payload: b"welcome".into(), packed: None });
    together.text(Client, "thanks").text(Server, "bye").close();
    for (session, what) in [(session, "alone"), (together, "with a frame")] {
        for cut in [false, true] {
            let mut all = packets(&session.segments(), &Wire::default());
            if cut {
                let len = all[3].bytes.len() - 20;
                all[3] = all[3].clone().snapped(len);
            }
            let file = Pcap::default().file(&all);
            let rows = records("ls", Input::Bytes(&file));
            assert_eq!(rows.len(), 1, "{what}, cut {cut}");
            says(&file, std::slice::from_ref(&session), &format!("{what}, cut {cut}"));
            has_finding(&file, "HS-NO-ANSWER", what);
        }
    }
}

/// A request of which no byte was captured: where it stood is passed over, and the client's frames are found behind it.
#[test]
fn frames_behind_a_request_that_was_cut_away_are_found() {
    let mut session = Session::bare(0);
    session.turn(Client, request("/", "")).turn(Server, response(""));
    for n in 0..6 {
        session.text(Client, &format!("the client says\n\n{n}")).text(Server, &format!("the server says {n}"));
    }
    session.close();
    for pieces in [1, 2] {
        let segments = session.cut(|bytes| vec![bytes.len().div_ceil(pieces)]);
        let mut all = packets(&segments, &Wire::default());
        let headers = all[3].bytes.len() - segments[3].payload.len();
        all[3] = all[3].clone().snapped(headers);
        let file = Pcap::default().file(&all);
        says(&file, std::slice::from_ref(&session), &format!("in {pieces}"));
    }
}

/// Bytes of both heads are lost: where the frames of either side begin is not known, and nothing is made up.
#[test]
fn two_lost_heads_make_nothing_up() {
    for n in 0..40 {
        let mut session = Session::bare(n);
        session.turn(Client, request("/", "")).turn(Server, response(""));
        for n in 0..6 {
            session.text(Client, &format!("the client says {n}")).text(Server, &format!("the server says {n}"));
        }
        session.close();
        let heads = [session.turns[0].1.clone(), session.turns[1].1.clone()];
        let mut segments = session
            .cut(|bytes| if heads.iter().any(|head| head == bytes) { vec![90, 7, 999] } else { vec![bytes.len()] });
        // Inside the request, and the beginning of the answer.
        for (side, len) in [(session.client, 7), (session.server, 90)] {
            let lost = segments.iter().position(|segment| segment.src == side && segment.payload.len() == len);
            segments.remove(lost.unwrap());
        }
        let all = shown(&capture_of(&segments));
        let messages = &all[&session.client.to_string()].messages;
        for message in messages.iter().filter(|message| message.complete) {
            let true_one = session.said.iter().any(|said| said.dir == message.dir && said.payload == message.payload);
            assert!(true_one, "{n}: made up {}", message.brief());
        }
        assert_eq!(messages.len(), session.said.len(), "{n}");
    }
}

/// A server that goes over to something else leaves an upgrade that was asked for behind that unanswered.
#[test]
fn an_upgrade_behind_another_is_not_answered() {
    let mut session = Session::bare(0);
    session.turn(Client, [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &request("/", "")[..]].concat());
    session.turn(Server, "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
    let file = capture_of(&session.segments());
    has_finding(&file, "HS-NO-ANSWER", "behind another");
    assert_eq!(records("ls", Input::Bytes(&file)).len(), 1);
}

/// A refused upgrade is a connection with its status; a second try on the same stream is another one.
#[test]
fn refusals_are_kept() {
    let mut session = Session::bare(0);
    session.turn(Client, request("/first", ""));
    session.turn(Server, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\nWWW-Authenticate: Basic\r\n\r\nno!");
    session.turn(Client, request("/second", "Authorization: Basic eDp5\r\n")).turn(Server, response(""));
    session.text(Server, "welcome");
    let file = capture_of(&session.segments());
    let rows = records("ls", Input::Bytes(&file));
    let states: Vec<_> =
        rows.iter().map(|row| (row["state"].as_str().unwrap(), row["url"].as_str().unwrap())).collect();
    assert_eq!(states, [("rejected", "ws://lab.test/first"), ("aborted", "ws://lab.test/second")]);
    let answers: Vec<_> =
        records("handshake", Input::Bytes(&file)).iter().map(|record| number(record, "status")).collect();
    assert_eq!(answers, [401, 101]);
    assert_eq!(number(&rows[0]["s2c"], "messages") + number(&rows[0]["c2s"], "messages"), 0);
    assert_eq!(number(&rows[1]["s2c"], "messages"), 1);
}

/// A mirror port may deliver the answer before the request, even before the SYN of the client.
#[test]
fn the_answer_may_be_captured_before_the_request() {
    let sessions: Vec<_> = (0..3).map(Session::sample).collect();
    let mut all = Vec::new();
    for (n, session) in sessions.iter().enumerate() {
        let segments = session.segments();
        let (server, client): (Vec<_>, Vec<_>) = segments.into_iter().partition(|s| s.src == session.server);
        // The server's half comes `behind` segments early.
        let behind = [1, 4, 1000][n];
        let mut merged = Vec::new();
        let mut client = client.into_iter();
        for (at, segment) in server.into_iter().enumerate() {
            merged.push(segment);
            if at >= behind {
                merged.extend(client.next());
            }
        }
        merged.extend(client);
        all.push(merged);
    }
    says(&capture_of(&all.concat()), &sessions, "answers first");
}

/// Only one direction was captured: what it says is shown.
#[test]
fn one_direction_alone_is_shown() {
    for side in [Client, Server] {
        let sessions: Vec<_> = (0..3)
            .map(|n| {
                let mut session = Session::sample(n);
                session.said.retain(|said| said.dir == side.dir());
                session
            })
            .collect();
        let mut segments = interleave(sessions.iter().map(Session::segments).collect());
        segments.retain(|segment| (segment.dst.port() == 8080) == (side == Client));
        let file = capture_of(&segments);
        says(&file, &sessions, &format!("only {side:?}"));
        has_no_findings(&file, &["TCP-OVERLAP", "WS-LOST"], &format!("only {side:?}"));
    }
}

/// The same for long: more than is held while the other direction might still come.
#[test]
fn one_direction_alone_is_shown_for_long() {
    for side in [Client, Server] {
        let mut session = Session::new(0);
        for n in 0..300_usize {
            session.binary(side, vec![n as u8; 20_000]).text(side, &format!("{n}"));
        }
        let mut segments = session.cut(|_| vec![1460]);
        segments.retain(|segment| (segment.dst == session.server) == (side == Client));
        says(&capture_of(&segments), std::slice::from_ref(&session), &format!("only {side:?}, for long"));
    }
}

/// One direction is captured long before the other: whatever is made of it, nothing is made up.
#[test]
fn a_direction_that_comes_far_too_late_is_not_misread() {
    for first in [Client, Server] {
        let mut session = Session::new(0);
        for n in 0..300 {
            session.text(Server, &format!("server {n}")).text(Client, &format!("client {n}"));
        }
        let (early, late): (Vec<_>, Vec<_>) =
            session.segments().into_iter().partition(|segment| (segment.src == session.client) == (first == Client));
        let file = capture_of(&[early, late].concat());
        for (client, conversation) in shown(&file) {
            for message in conversation.messages.iter().filter(|message| message.complete) {
                let true_one =
                    session.said.iter().any(|said| said.dir == message.dir && said.payload == message.payload);
                assert!(true_one, "{first:?} first: {client} made up {}", message.brief());
            }
        }
    }
}

/// A packet of the heads is lost: what follows may be unreadable, but nothing is made up.
#[test]
fn a_lost_head_makes_nothing_up() {
    let mut all = Vec::new();
    let mut sessions = Vec::new();
    for n in 0..40 {
        let session = Session::sample(n);
        let mut segments = session.cut(|_| vec![30]);
        segments.remove(3 + n % 14);
        all.push(segments);
        sessions.push(session);
    }
    let file = capture_of(&interleave(all));
    let conversations = shown(&file);
    for session in &sessions {
        let messages =
            conversations.get(&session.client.to_string()).map(|one| one.messages.clone()).unwrap_or_default();
        for message in messages.iter().filter(|message| message.complete) {
            let true_one = session.said.iter().any(|said| said.dir == message.dir && said.payload == message.payload);
            assert!(true_one, "{}: made up {}", session.client, message.brief());
        }
    }
}

/// What is lost of the handshake is told once, also where the frames are read all the same.
#[test]
fn a_loss_in_the_handshake_is_told() {
    let get = b"GET /a HTTP/1.1\r\nHost: lab.test\r\n\r\n".as_slice();
    let page = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".as_slice(), &[b'x'; 100]].concat();
    let talk = |n: usize| {
        let mut session = Session::bare(n);
        session.turn(Client, get).turn(Server, page.clone()).turn(Client, get).turn(Server, page.clone());
        let after = upgraded(n, &request("/chat", ""), &response(""));
        session.turns.extend(after.turns);
        session.said = after.said;
        session
    };
    for step in [usize::MAX, 60] {
        let count = |turns: &[(Side, Vec<u8>)]| turns.iter().map(|turn| turn.1.len().div_ceil(step)).sum::<usize>();
        let (before, all) = (count(&talk(0).turns[..4]), count(&talk(0).turns[..6]));
        let cut = (0..all).map(|n| {
            let mut segments = talk(n).cut(|_| vec![step]);
            let carry = segments.iter().enumerate().filter(|(_, segment)| !segment.payload.is_empty());
            let lost = carry.map(|(at, _)| at).nth(n).unwrap();
            segments.remove(lost);
            segments
        });
        let file = capture_of(&interleave(cut.collect()));
        let told: Vec<_> = findings(Input::Bytes(&file)).into_iter().filter(|(code, _)| code == "TCP-GAP").collect();
        let gaps = |conn| told.iter().filter(|(_, row)| number(row, "conn") == conn).count();
        let shown = shown(&file);
        for n in before..all {
            if let Some(conversation) = shown.get(&talk(n).client.to_string()) {
                assert_eq!(gaps(conversation.conn), 1, "cut at {step}: without segment {n}");
            }
        }
        assert!(shown.len() * 2 > all, "cut at {step}: the most are shown");
    }
}

/// Ports say nothing about who is the client.
#[test]
fn roles_come_from_the_request() {
    let mut session = Session::sample(0);
    session.client.set_port(80);
    session.server.set_port(52_000);
    let mut segments = session.segments();
    says(&capture_of(&segments), std::slice::from_ref(&session), "client on port 80");
    segments.drain(..3);
    says(&capture_of(&segments), std::slice::from_ref(&session), "no SYN");
    // The peers open at the same time: both send a SYN without ACK.
    let mut both = session.segments();
    both[1].flags = SYN;
    both[1].ack = 0;
    both.swap(0, 1);
    let all = shown(&capture_of(&both));
    says_one(&all, &session, "simultaneous open");
}
