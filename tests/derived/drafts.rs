//! The drafts before RFC 6455: handshakes, frames, and what a loss costs.

use super::support::craft::*;
use super::support::run::{Input, conversations, findings, key, records, string};
use super::{has_finding, has_no_findings, says, shown};
use flate2::{Compress, Compression, FlushCompress};

/// All findings but notes.
fn odd(file: &[u8]) -> Vec<String> {
    let found = findings(Input::Bytes(file)).into_iter();
    found.filter(|(_, record)| record["severity"] != "note").map(|(code, _)| code).collect()
}

/// Every draft says what it said, whole and byte by byte, under its name, and breaks none of its rules.
#[test]
fn every_draft_is_read() {
    let sessions: Vec<Session> = DRAFTS.iter().enumerate().map(|(n, &draft)| Session::sample_of(n, draft)).collect();
    let whole = interleave(sessions.iter().map(|session| session.cut(|_| vec![40_000])).collect());
    let pieces =
        interleave(sessions.iter().map(|session| session.cut(|bytes| vec![bytes.len().min(7), 1, 900])).collect());
    for segments in [whole, pieces] {
        let file = capture_of(&segments);
        says(&file, &sessions, "drafts");
        // The first draft has no closing handshake.
        assert_eq!(odd(&file), [""; 0]);
        let drafts = findings(Input::Bytes(&file)).iter().filter(|(code, _)| code == "HS-DRAFT").count();
        assert_eq!(drafts, DRAFTS.len(), "each is told to be a draft");
        let rows = records("ls", Input::Bytes(&file));
        for (draft, session) in DRAFTS.iter().zip(&sessions) {
            let client = session.client.to_string();
            let record = rows.iter().find(|row| string(row, "client") == client).unwrap();
            assert_eq!(string(record, "transport"), draft.transport(), "{draft:?}");
            assert_eq!(string(record, "url"), "ws://lab.test/chat", "{draft:?}");
            let state = if *draft == Draft::Hixie75 { "aborted" } else { "closed" };
            assert_eq!(string(record, "state"), state, "{draft:?}");
            let code = if matches!(draft, Draft::Hybi(6..)) { Some(1000) } else { None };
            assert_eq!(key(record, "close_code").as_u64(), code, "{draft:?}");
        }
    }
}

/// A client that does not wait, and a capture of one side only.
#[test]
fn drafts_may_begin_early_or_be_captured_by_half() {
    for (n, &draft) in DRAFTS.iter().enumerate() {
        let mut session = Session::bare(n);
        session.turn(Client, draft.request("/", ""));
        session.say_as(draft, Client, TEXT, &[b"early"]);
        session.turn(Server, draft.response("/", "")).say_as(draft, Server, TEXT, &[b"welcome"]);
        let file = capture_of(&session.segments());
        says(&file, &[session.clone()], &format!("{draft:?} early"));
        has_finding(&file, "HS-EARLY-DATA", "early");
        for side in [Client, Server] {
            let mut segments = session.segments();
            segments.retain(|segment| (segment.src == session.client) == (side == Client));
            let all = shown(&capture_of(&segments));
            // Without the answer it is not known whether a client of HyBi-04 masks; without the request, HyBi is not told from RFC 6455.
            let unknown = match side {
                Client => draft == Draft::Masked04,
                Server => matches!(draft, Draft::Hybi(..=6) | Draft::Masked04),
            };
            let said: Vec<&[u8]> =
                all[&session.client.to_string()].messages.iter().map(|m| m.payload.as_slice()).collect();
            let expected: &[u8] = if side == Client { b"early" } else { b"welcome" };
            assert!(unknown || said == [expected], "{draft:?} {side:?}: {said:?}");
        }
    }
}

/// Two programs that spoke Hixie-76, and what the server logged.
#[test]
fn real_programs_are_read() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/hixie.pcap");
    let all = conversations(Input::File(&path));
    let said = ["hello", "héllo ✓ 👋", "", &"x".repeat(300), &"ü".repeat(2000), "a\0b"];
    let echoes = said.map(|text| format!("echo: {text}"));
    let of = |dir: &str| {
        all[0].of(dir).iter().map(|m| (m.kind.as_str(), str::from_utf8(&m.payload).unwrap())).collect::<Vec<_>>()
    };
    let mut client: Vec<_> = said.iter().map(|text| ("text", *text)).collect();
    client.push(("close", ""));
    let mut server = vec![("text", "welcome, hixie-76")];
    server.extend(echoes.iter().map(|text| ("text", text.as_str())));
    server.push(("close", ""));
    assert_eq!((of("c2s"), of("s2c")), (client, server));
    assert!(all[0].messages.iter().all(|message| message.complete && message.findings.is_empty()));
    let codes: Vec<_> = findings(Input::File(&path)).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["HS-DRAFT"], "the challenge was answered as it must be");
}

/// The other half of a handshake that comes after frames of the first: it is read as such, with what follows its head.
#[test]
fn a_half_may_come_late() {
    for draft in DRAFTS {
        for early in [Client, Server] {
            let mut session = Session::of_draft(1, draft);
            for n in 0..70 {
                for side in [Client, Server] {
                    session.say_as(draft, side, TEXT, &[format!("text {n}").as_bytes()]);
                }
            }
            let first = if early == Client { session.client } else { session.server };
            for len in [usize::MAX, 5] {
                let mut segments = session.cut(|_| vec![len]);
                segments.retain(|segment| !segment.payload.is_empty());
                segments.sort_by_key(|segment| segment.src != first);
                let file = capture_of(&segments);
                // Of frames with other heads the answer says nothing, nor a request whether a client of HyBi-04 masks.
                let unknown = match early {
                    Client => draft == Draft::Masked04,
                    Server => matches!(draft, Draft::Hybi(..=6) | Draft::Masked04),
                };
                if !unknown {
                    says(&file, std::slice::from_ref(&session), &format!("{draft:?}, {early:?} first"));
                }
                has_no_findings(&file, &["HS-ACCEPT", "HS-ORIGIN", "HS-LOCATION"], "late");
            }
        }
    }
}

/// What the handshake of a draft must repeat, and its challenge.
#[test]
fn answers_of_drafts_are_checked() {
    let checked = |draft: Draft, from: &str, to: &str| {
        let mut session = Session::bare(1);
        session.fin = false;
        let subprotocol =
            if draft == Draft::Hixie75 { "WebSocket-Protocol: a\r\n" } else { "Sec-WebSocket-Protocol: a\r\n" };
        session.turn(Client, draft.request("/chat", subprotocol));
        let answer = draft.response("/chat", subprotocol);
        let at = answer.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let answer = [&answer[..at], to.as_bytes(), &answer[at + from.len()..]].concat();
        session.turn(Server, answer).say_as(draft, Server, TEXT, &[b"on"]);
        let file = capture_of(&session.segments());
        says(&file, &[session], &format!("{draft:?}: {to}"));
        (odd(&file), records("handshake", Input::Bytes(&file)).remove(0))
    };
    for draft in [Draft::Hixie75, Draft::Hixie76, Draft::Hybi(2)] {
        let prefix = if draft == Draft::Hixie75 { "" } else { "Sec-" };
        let code = |from: &str, to: &str| checked(draft, &format!("{prefix}{from}"), &format!("{prefix}{to}")).0;
        assert_eq!(checked(draft, "Upgrade", "Upgrade").0, [""; 0], "{draft:?}");
        assert_eq!(code("WebSocket-Origin: http://site.test", "WebSocket-Origin: http://else.test"), ["HS-ORIGIN"]);
        assert_eq!(
            code("WebSocket-Location: ws://lab.test/chat", "WebSocket-Location: ws://lab.test/"),
            ["HS-LOCATION"]
        );
        assert_eq!(code("WebSocket-Location: ws://lab.test/chat", "WebSocket-Location: wss://LAB.test/chat"), [""; 0]);
        assert_eq!(code("WebSocket-Protocol: a", "WebSocket-Protocol: b"), ["HS-SUBPROTOCOL"]);
    }
    let answer = str::from_utf8(ANSWER).unwrap();
    let (codes, record) = checked(Draft::Hixie76, answer, answer);
    assert_eq!(codes, [""; 0]);
    // draft-hixie-thewebsocketprotocol-76 §5.2: 829309203, 259970620 and the eight bytes.
    assert_eq!(string(&record, "key"), "316e41130f7ed63c5e6e3a64735b3455");
    assert_eq!(string(&record, "accept"), "386a4b5327793a472a436f2c5778612d");
    let (codes, record) = checked(Draft::Hixie76, answer, "0123456789abcdef");
    assert_eq!(codes, ["HS-CHALLENGE-ANSWER"]);
    assert_eq!(string(&record, "accept_expected"), "386a4b5327793a472a436f2c5778612d");
}

/// Frames that a draft does not define are shown, with the rule that they break.
#[test]
fn breaches_of_drafts_have_their_finding() {
    let found = |draft: Draft, bytes: &[u8]| {
        let mut session = Session::of_draft(1, draft);
        session.fin = false;
        session.turn(Server, bytes).say_as(draft, Server, TEXT, &[b"behind"]);
        let file = capture_of(&session.segments());
        let all = shown(&file);
        let messages = &all[&session.client.to_string()].messages;
        assert_eq!(messages.last().unwrap().payload, b"behind", "{draft:?} {bytes:?}");
        let first = messages.first().map(|message| (message.kind.clone(), message.payload.clone())).unwrap();
        (odd(&file), first.0, first.1)
    };
    let row = |codes: &[&str], kind: &str, payload: &[u8]| {
        (codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>(), kind.to_owned(), payload.to_vec())
    };
    let data = vec![0xff; 300];
    assert_eq!(found(Draft::Hixie76, &hixie_data(0x80, &data)), row(&[], "binary", &data));
    assert_eq!(found(Draft::Hixie75, &hixie_data(0x81, b"\0x\xff")), row(&["WS-OPCODE"], "reserved-4", b"\0x\xff"));
    assert_eq!(found(Draft::Hixie75, b"\xff\0"), row(&["WS-OPCODE"], "reserved-4", b""));
    assert_eq!(found(Draft::Hixie75, b"\x01odd\xff"), row(&["WS-OPCODE"], "reserved-3", b"odd"));
    assert_eq!(found(Draft::Hixie76, b"\0\xc3\xff"), row(&["UTF8-BAD"], "text", b"\xc3"));
    assert_eq!(found(Draft::Hixie76, b"\xff\0"), row(&["WS-AFTER-CLOSE"], "close", b""));
    assert_eq!(found(Draft::Hybi(3), b"\x06\0"), row(&["WS-OPCODE"], "reserved-6", b""));
    assert_eq!(found(Draft::Hybi(3), b"\x04\x81a"), row(&["WS-RSV"], "text", b"a"));
    assert_eq!(found(Draft::Hybi(5), b"\x81\x01S"), row(&["WS-AFTER-CLOSE"], "close", b"S"));
    assert_eq!(found(Draft::Hybi(6), b"\x81\x01S"), row(&["CLOSE-BODY", "WS-AFTER-CLOSE"], "close", b"S"));
    assert_eq!(found(Draft::Hybi(8), b"\x81\x81abcda"), row(&["WS-MASKED"], "text", b"\0"));
}

/// A loss between Hixie frames costs only what is lost; inside one, the message is told in two parts that are not joined.
#[test]
fn a_loss_among_sentinels_goes_on_behind_the_next() {
    let mut session = Session::of_draft(1, Draft::Hixie76);
    for n in 0..6 {
        session.say_as(Draft::Hixie76, Server, TEXT, &[format!("message {n} ends").as_bytes()]);
    }
    let whole = session.segments();
    let texts = |segments: &[Segment]| {
        let file = capture_of(segments);
        has_finding(&file, "TCP-GAP", "lost");
        let all = shown(&file);
        let messages = all[&session.client.to_string()].messages.clone();
        messages
            .into_iter()
            .map(|m| (m.kind, String::from_utf8(m.payload).unwrap(), m.complete, m.missing))
            .collect::<Vec<_>>()
    };
    let complete = |n: usize| ("text".to_owned(), format!("message {n} ends"), true, Vec::new());
    let sent: Vec<usize> = (0..whole.len()).filter(|&at| whole[at].payload.first() == Some(&0)).collect();
    // A whole frame.
    let mut segments = whole.clone();
    segments.remove(sent[2]);
    assert_eq!(texts(&segments), [0, 1, 3, 4, 5].map(complete));
    // The middle of one, its end, its beginning, and what joins two.
    let part = |at: usize, from: usize, to: usize| whole[at].part(from, to);
    let len = whole[sent[2]].payload.len();
    let open = |text: &str| ("text".to_owned(), text.to_owned(), false, vec![(text.len() as u64, None)]);
    let tail = |text: &str| ("continuation".to_owned(), text.to_owned(), false, vec![(0, None)]);
    let cut = |with: Vec<Segment>, without: usize| {
        let mut segments = whole.clone();
        segments.splice(sent[2]..sent[2] + without, with);
        texts(&segments)
    };
    let shown = cut(vec![part(sent[2], 0, 6), part(sent[2], 9, len)], 1);
    assert_eq!(shown, [complete(0), complete(1), open("messa"), tail("2 ends"), complete(3), complete(4), complete(5)]);
    let shown = cut(vec![part(sent[2], 0, 6)], 1);
    assert_eq!(shown, [complete(0), complete(1), open("messa"), complete(3), complete(4), complete(5)]);
    let shown = cut(vec![part(sent[2], 9, len)], 1);
    assert_eq!(shown, [complete(0), complete(1), tail("2 ends"), complete(3), complete(4), complete(5)]);
    let shown = cut(vec![part(sent[2], 0, 6), part(sent[3], 9, len)], sent[3] - sent[2] + 1);
    assert_eq!(shown, [complete(0), complete(1), open("messa"), tail("3 ends"), complete(4), complete(5)]);
}

/// A head that was lost: frames are found again, whatever their heads look like.
#[test]
fn frames_of_drafts_are_found_again() {
    for draft in DRAFTS.iter().copied().filter(|draft| !draft.is_hixie()) {
        for side in [Client, Server] {
            let mut session = Session::of_draft(1, draft);
            for n in 0..20 {
                session.say_as(draft, side, TEXT, &[format!("message {n} is as long as messages are").as_bytes()]);
            }
            let mut segments = session.segments();
            let sender = if side == Client { session.client } else { session.server };
            let at = segments.iter().position(|s| s.src == sender && s.payload == session.turns[7].1).unwrap();
            segments[at] = segments[at].part(3, segments[at].payload.len());
            let file = capture_of(&segments);
            let all = shown(&file);
            let messages = all[&session.client.to_string()].of(side.dir());
            let right = messages
                .iter()
                .filter(|message| message.complete && session.said.iter().any(|said| said.payload == message.payload))
                .count();
            assert_eq!(
                messages.iter().filter(|message| message.complete).count(),
                right,
                "{draft:?} {side:?}: made up"
            );
            // Of HyBi-04 with a nonce each byte would have to be hashed.
            let hashed = draft == Draft::Masked04 && side == Client;
            assert_eq!(right, if hashed { 5 } else { 19 }, "{draft:?} {side:?}");
            has_finding(&file, if hashed { "WS-LOST" } else { "WS-RESYNC" }, "lost head");
        }
    }
}

/// Every byte of a Hixie stream lost once, alone or with those behind it: nothing is made up.
#[test]
fn no_loss_makes_a_text_up() {
    let mut session = Session::of_draft(0, Draft::Hixie76);
    for text in ["one", "", "zwölf", "3"] {
        session.say_as(Draft::Hixie76, Server, TEXT, &[text.as_bytes()]);
    }
    session.say_as(Draft::Hixie76, Server, CLOSE, &[b""]);
    let stream: Vec<u8> = session.turns[2..].iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    let mut sessions = Vec::new();
    let mut segments = Vec::new();
    for from in 0..stream.len() {
        for to in from + 1..=stream.len() {
            let mut session =
                Session { said: session.said.clone(), ..Session::of_draft(sessions.len(), Draft::Hixie76) };
            session.turn(Server, stream.clone());
            let mut cut = session.segments();
            let at = cut.iter().position(|segment| segment.payload == stream).unwrap();
            let parts = [cut[at].part(0, from), cut[at].part(to, stream.len())];
            cut.splice(at..=at, parts.into_iter().filter(|part| !part.payload.is_empty()));
            segments.extend(cut);
            sessions.push(session);
        }
    }
    let all = shown(&capture_of(&segments));
    for session in &sessions {
        let messages = &all[&session.client.to_string()].messages;
        for message in messages.iter().filter(|message| message.complete) {
            let said = session.said.iter().any(|said| said.opcode == message.opcode && said.payload == message.payload);
            // What follows a hole may end the frame in it, or close.
            assert!(said || message.payload.is_empty(), "{}", message.brief());
        }
    }
}

/// A session whose bytes behind the handshake are one DEFLATE stream each way.
fn deflated(n: usize, accepted: bool) -> Session {
    let offer = "Sec-WebSocket-Extensions: deflate-stream\r\n";
    let mut session = Session::bare(n);
    let draft = Draft::Hybi(8);
    session.turn(Client, draft.request("/chat", offer));
    session.turn(Server, draft.response("/chat", if accepted { offer } else { "" }));
    session.say_as(draft, Server, TEXT, &[b"welcome welcome welcome"]);
    session.say_as(draft, Client, TEXT, &[&[b'x'; 100_000]]);
    session.say_as(draft, Server, TEXT, &[b"welcome ", b"again"]);
    session.say_as(draft, Client, PING, &[b"?"]).say_as(draft, Server, PONG, &[b"?"]);
    session.say_as(draft, Client, CLOSE, &[&[0x03, 0xe8]]);
    if accepted {
        let mut states = [Compress::new(Compression::default(), false), Compress::new(Compression::default(), false)];
        for (side, bytes) in &mut session.turns[2..] {
            let mut out = Vec::with_capacity(bytes.len() + 200);
            let state = &mut states[usize::from(*side == Client)];
            state.compress_vec(bytes, &mut out, FlushCompress::Sync).unwrap();
            *bytes = out;
        }
    }
    session
}

#[test]
fn deflate_stream_is_inflated_where_it_was_accepted() {
    let sessions = [deflated(0, true), deflated(1, false), deflated(2, true)];
    let cut = [sessions[0].segments(), sessions[1].cut(|_| vec![40_000]), sessions[2].cut(|_| vec![1])];
    let file = capture_of(&interleave(cut.to_vec()));
    says(&file, &sessions, "deflate-stream");
    assert_eq!(odd(&file), ["CLOSE-NO-REPLY"; 3]);
}

#[test]
fn a_loss_ends_a_deflate_stream_and_says_so() {
    let session = deflated(0, true);
    let mut segments = session.segments();
    let second = segments.iter().rposition(|s| s.src == session.server && s.payload.len() > 4).unwrap();
    segments.remove(second);
    let file = capture_of(&segments);
    has_finding(&file, "DEFLATE-LOST", "deflate-stream");
    let all = shown(&file);
    let conversation = &all[&session.client.to_string()];
    assert_eq!(conversation.of("c2s").len(), 3, "the other direction is whole");
    assert!(conversation.of("s2c").iter().all(|message| message.payload.starts_with(b"welcome")));
}
