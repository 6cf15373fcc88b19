//! HTTP/2: what a WebSocket says does not depend on how its DATA are cut, on what else the connection carries, nor on how that came.

use super::resync::{Frames, frames, frames_as};
use super::support::Dice;
use super::support::craft::*;
use super::support::run::{Conversation, Input, Message, conversations, findings, records};
use super::{LOSS, has_finding, has_no_findings, is_said};
use std::collections::BTreeMap;
use wspect::model::{Protocol, Rule, Select};

/// What may be said of a legal connection of which nothing is missing: nothing of HTTP/2, nor of loss.
const FAULTS: &[&str] =
    &["H2-FRAME", "H2-HPACK", "H2-TABLE", "H2-GAP", "H2-LIMIT", "HS-PSEUDO", "HS-SETTING", "HS-HOP"];

/// The conversations of a capture, by their HTTP/2 streams.
fn shown(file: &[u8]) -> BTreeMap<u32, Conversation> {
    let all = conversations(Input::Bytes(file));
    let count = all.len();
    let named: BTreeMap<u32, Conversation> =
        all.into_iter().map(|one| (one.h2_stream.expect("a stream") as u32, one)).collect();
    assert_eq!(named.len(), count, "a stream has several connections");
    named
}

/// That the capture shows each WebSocket as it was said, and no other.
#[track_caller]
fn says(file: &[u8], h2: &H2, what: &str) {
    let all = shown(file);
    assert!(all.keys().eq(h2.said.keys()), "{what}: {:?} for {:?}", all.keys(), h2.said.keys());
    for (stream, said) in &h2.said {
        says_one(&all[stream], said, &format!("{what}: stream {stream}"));
    }
}

#[track_caller]
fn says_one(conversation: &Conversation, said: &[Said], what: &str) {
    for dir in ["c2s", "s2c"] {
        let said: Vec<_> = said.iter().filter(|said| said.dir == dir).collect();
        let messages = conversation.of(dir);
        for (message, said) in messages.iter().zip(&said) {
            assert!(is_said(message, said), "{what} {dir}: shown {}, said {said:?}", message.brief());
        }
        assert_eq!(messages.len(), said.len(), "{what} {dir}: messages");
    }
}

/// A connection whose DATA are cut so.
fn sample(n: usize, cuts: &[(usize, Option<u8>)]) -> H2 {
    let mut h2 = H2::bare(n);
    h2.cuts = cuts.to_vec();
    h2.samples(n, 0)
}

#[test]
fn data_may_be_cut_and_padded_anywhere() {
    let mut dice = Dice(31);
    for n in 0..60 {
        let cuts: Vec<_> = (0..1 + dice.below(9))
            .map(|_| {
                let padding = [None, Some(0), Some(dice.below(256) as u8)][dice.below(3)];
                (1 + dice.below(if n % 2 == 0 { 7 } else { 200 }), padding)
            })
            .collect();
        let h2 = sample(n, &cuts);
        // And TCP cuts the frames.
        let longest = 1 + dice.below(60);
        let file = capture_of(&h2.session.cut(|_| vec![1 + dice.below(longest), 1 + dice.below(longest)]));
        says(&file, &h2, &format!("{n}: {cuts:?}"));
        has_no_findings(&file, FAULTS, &format!("{n}"));
        has_no_findings(&file, LOSS, &format!("{n}"));
    }
}

/// Frames of several turns in one segment, as servers write them.
#[test]
fn frames_may_come_together() {
    let mut h2 = sample(1, &[(3, None), (40, Some(9))]);
    let mut joined: Vec<(Side, Vec<u8>)> = Vec::new();
    for (side, bytes) in h2.session.turns.drain(..) {
        match joined.last_mut() {
            Some((last, all)) if *last == side => all.extend(bytes),
            _ => joined.push((side, bytes)),
        }
    }
    h2.session.turns = joined;
    says(&capture_of(&h2.session.segments()), &h2, "joined");
}

/// Each connection, its handshake, messages, frames and findings name the stream that they are of.
#[test]
fn records_name_their_streams() {
    let file = capture_of(&H2::sample(1).session.segments());
    for command in ["ls", "msgs", "frames", "handshake"] {
        let rows = records(command, Input::Bytes(&file));
        let streams: std::collections::BTreeSet<_> =
            rows.iter().map(|row| row["h2_stream"].as_u64().unwrap()).collect();
        assert!(streams.into_iter().eq([1, 5, 7]), "{command}");
        assert!(rows.iter().all(|row| row["tcp_stream"] == 0), "{command}");
    }
    for row in records("ls", Input::Bytes(&file)) {
        assert_eq!(row["transport"], "h2");
        assert_eq!(row["url"], format!("ws://lab.test/{}", row["h2_stream"]));
        assert_eq!(row["ending"], "clean");
    }
    for (_, row) in findings(Input::Bytes(&file)) {
        assert!(row["conn"].is_null() || row["h2_stream"].is_u64(), "{row}");
    }
}

/// A WebSocket that is refused is a connection, with what the body says; informational answers go before.
#[test]
fn refusals_are_told() {
    let mut h2 = H2::new(1);
    h2.ask(1, &[]).head(Server, 1, 0, &[(":status", "103"), ("link", "</x>")]);
    h2.head(Server, 1, 0, &[(":status", "403"), ("content-type", "text/plain")]);
    h2.frame(Server, DATA, 0, 1, b"origin not ").frame(Server, DATA, END_STREAM, 1, b"allowed");
    h2.ask(3, &[]).reset(Server, 3, 7);
    h2.open(5).say(Server, 5, TEXT, "hello");
    let file = capture_of(&h2.session.segments());
    let rows = records("ls", Input::Bytes(&file));
    let states: Vec<_> =
        rows.iter().map(|row| (row["state"].as_str().unwrap(), row["ending"].as_str().unwrap())).collect();
    assert_eq!(states[0], ("rejected", "refused"));
    assert_eq!(states[1].1, "no-answer");
    assert_eq!(
        rows[1]["verdict"],
        "the upgrade was not answered; RST_STREAM REFUSED_STREAM (the stream was not processed and may be tried again) from \
         the server (frame 24), 200 \u{b5}s later"
    );
    let heads = records("handshake", Input::Bytes(&file));
    assert_eq!((&heads[0]["status"], &heads[0]["accepted"]), (&403.into(), &false.into()));
    has_finding(&file, "HS-ORIGIN-REFUSED", "what the body says");
}

/// How a stream, or the connection, was ended is said with its code.
#[test]
fn ends_are_told_with_their_codes() {
    let verdict = |end: &dyn Fn(&mut H2)| {
        let mut h2 = H2::new(1);
        h2.open(1).say(Server, 1, TEXT, "hello");
        end(&mut h2);
        let rows = records("ls", Input::Bytes(&capture_of(&h2.session.segments())));
        let text = rows[0]["verdict"].as_str().unwrap().to_owned();
        (rows[0]["closed_by"].as_str().map(str::to_owned), text.split(" without").next().unwrap().to_owned())
    };
    let is = |by: &str, text: &str| (Some(by.to_owned()), text.to_owned());
    assert_eq!(
        verdict(&|h2| _ = h2.reset(Client, 1, 8)),
        is("rst", "RST_STREAM CANCEL (the stream is not needed any more) from the client (frame 18)")
    );
    assert_eq!(
        verdict(&|h2| _ = h2.frame(Server, DATA, END_STREAM, 1, &[])),
        is("fin", "END_STREAM from the server (frame 18)")
    );
    assert_eq!(
        verdict(&|h2| _ = h2.go_away(Server, 0, 2, "")),
        is("rst", "GOAWAY INTERNAL_ERROR (an internal error) from the server (frame 18)")
    );
    // The client ends TCP first.
    assert_eq!(
        verdict(&|h2| _ = h2.go_away(Client, 0, 0, "")),
        is("rst", "GOAWAY NO_ERROR (no error) from the client (frame 18)")
    );
    assert_eq!(verdict(&|_| {}), is("fin", "TCP FIN from the client (frame 18)"));
}

/// What was on its way when its receiver reset the stream is shown.
#[test]
fn what_comes_behind_a_reset_is_shown() {
    let mut h2 = H2::new(1);
    h2.open(1).say(Server, 1, TEXT, "before").reset(Client, 1, 8).say(Server, 1, TEXT, "on its way");
    says(&capture_of(&h2.session.segments()), &h2, "behind a reset");
}

/// A connection that begins as HTTP/1.1 (RFC 7540 §3.2): stream 1 is the request's.
#[test]
fn http1_may_lead_to_http2() {
    let sample = H2::bare(1).samples(1, 2);
    let mut session = Session::bare(1);
    session.turn(
        Client,
        "GET /plain HTTP/1.1\r\nHost: lab.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    );
    session.turn(Server, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    session.turn(Server, h2_frame(HEADERS, END_HEADERS, 1, &plain_block(&[(":status", "200")])));
    session.turn(Server, h2_frame(DATA, END_STREAM, 1, b"\x81\x05Hello"));
    session.turns.extend(sample.session.turns.clone());
    says(&capture_of(&session.segments()), &sample, "h2c");
}

/// Inside a tunnel, and behind words for a proxy.
#[test]
fn http2_runs_inside_others() {
    let sample = H2::sample(1);
    let tunnel = [
        (Client, b"CONNECT inner.test:443 HTTP/1.1\r\nHost: inner.test:443\r\n\r\n".to_vec()),
        (Server, b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
    ];
    let proxy = [(Client, b"PROXY TCP4 192.0.2.1 192.0.2.2 4321 443\r\n".to_vec())];
    for (what, before) in [("CONNECT", &tunnel[..]), ("PROXY", &proxy[..])] {
        let mut session = sample.session.clone();
        // A server behind a proxy hears the client first.
        let (server, client) = (session.turns.remove(0), session.turns.remove(0));
        session.turns = [before, &[client, server], &session.turns].concat();
        says(&capture_of(&session.segments()), &sample, what);
    }
}

/// A capture may have what both sides send in the other order: an answer before its request.
#[test]
fn answers_may_be_captured_first() {
    let h2 = H2::sample(1);
    let segments = h2.session.segments();
    let mut tried = 0;
    for at in 3..segments.len() - 1 {
        let mut swapped = segments.clone();
        swapped.swap(at, at + 1);
        // Of one side the order is that of its numbers.
        tried += usize::from(segments[at].src != segments[at + 1].src);
        says(&capture_of(&swapped), &h2, &format!("{at} after {}", at + 1));
    }
    assert!(tried > 20);
    // All of the server's answers before all requests.
    let (client, server): (Vec<Segment>, Vec<Segment>) =
        segments[3..segments.len() - 3].iter().cloned().partition(|segment| segment.src == h2.session.client);
    let file = capture_of(&[&segments[..3], &server, &client, &segments[segments.len() - 3..]].concat());
    says(&file, &h2, "the server first");
}

/// Every segment is lost once: what it did not touch is whole, and nothing is made up.
#[test]
fn a_loss_costs_what_it_touched() {
    let mut h2 = H2::new(1);
    h2.open(1).open(3);
    let mut dice = Dice(33);
    for n in 0..40 {
        for stream in [1, 3] {
            let side = if dice.below(2) == 0 { Client } else { Server };
            h2.say(side, stream, TEXT, format!("{stream} says {n}, and more than a few words with it"));
        }
    }
    let segments = h2.session.segments();
    let total: usize = h2.said.values().map(Vec::len).sum();
    let (mut whole, mut asked) = (0, 0);
    for lost in 15..segments.len() - 3 {
        if segments[lost].payload.is_empty() {
            continue;
        }
        let mut rest = segments.clone();
        rest.remove(lost);
        let all = shown(&capture_of(&rest));
        asked += total;
        for (stream, said) in &h2.said {
            let conversation = all.get(stream).unwrap_or_else(|| panic!("{lost}: no stream {stream}"));
            for message in &conversation.messages {
                let is_true = said.iter().any(|said| said.dir == message.dir && is_said(message, said));
                assert!(is_true || !message.complete, "{lost}: stream {stream}: {}", message.brief());
                whole += usize::from(is_true);
            }
        }
    }
    // Of 80 messages one is in the segment; the streams find their place again behind it.
    assert!(whole * 100 >= asked * 96, "{whole} of {asked}");
}

/// Frames that break a rule are told, the first and how many more; what they carry is shown all the same.
#[test]
fn broken_rules_are_told() {
    let mut h2 = H2::new(1);
    h2.open(9).open(7).say(Client, 7, TEXT, "behind").say(Client, 9, TEXT, "before");
    h2.frame(Client, DATA, PADDED, 9, &[9, 1, 2]).frame(Client, DATA, 0, 0, b"nobody's");
    h2.frame(Client, DATA, PADDED, 9, &[]).frame(Client, DATA, 0, 11, b"nobody asked for that");
    h2.frame(Client, DATA, END_STREAM, 7, &[]).frame(Client, DATA, 0, 7, &[]);
    h2.frame(Server, SETTINGS, 0, 0, &[0, 8, 0, 0, 0, 0]);
    let file = capture_of(&h2.session.segments());
    says(&file, &h2, "broken rules");
    let told: Vec<String> = findings(Input::Bytes(&file))
        .into_iter()
        .filter(|(code, _)| code == "H2-FRAME")
        .map(|(_, row)| row["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        told,
        [
            "the client opens stream 7 after stream 9: numbers of streams must grow",
            "a frame of the server takes ENABLE_CONNECT_PROTOCOL back: SETTINGS of 6 bytes on stream 0",
            "5 more frames of the client break rules"
        ]
    );
}

/// What stands behind the end of its stream, or before its beginning, is told once, and how many more do. Where the capture begins
/// within the connection nothing is known of streams that are not opened, nor at first who is the client.
#[test]
fn late_and_early_frames_are_told_once() {
    let mut h2 = H2::new(1);
    h2.open(1).open(3);
    for n in 0..9 {
        h2.say(Client, 1, TEXT, format!("client {n}")).say(Server, 1, TEXT, format!("server {n}"));
    }
    h2.frame(Server, PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2][..], &plain_block(&[(":method", "GET")])].concat());
    h2.say(Client, 3, TEXT, "three").say(Server, 3, TEXT, "and three");
    h2.close(1).frame(Server, DATA, 0, 1, b"late").frame(Server, DATA, 0, 1, b"later");
    h2.head(Server, 1, 0, &[(":status", "200")]);
    h2.frame(Client, DATA, END_STREAM, 3, &[]).frame(Client, HEADERS, END_HEADERS, 3, &plain_block(&[("x", "y")]));
    h2.frame(Client, WINDOW_UPDATE, 0, 9, &[0, 0, 0, 1]).frame(Client, DATA, 0, 9, b"early");
    let segments = h2.session.segments();
    let told = |from: usize| -> Vec<String> {
        let found = findings(Input::Bytes(&capture_of(&segments[from..]))).into_iter();
        let rows = found.filter(|(code, _)| code == "H2-FRAME");
        rows.map(|(_, row)| row["text"].as_str().unwrap().to_owned()).collect()
    };
    let expected = [
        "a frame of the server comes behind the end of its stream: DATA of 4 bytes on stream 1",
        "a frame of the client comes behind the end of its stream: HEADERS of 5 bytes on stream 3",
        "2 more frames of the client break rules",
        "2 more frames of the server break rules",
    ];
    assert_eq!(told(0), expected);
    for from in 15..58 {
        assert_eq!(told(from), [expected[0], expected[1], expected[3]], "from {from}");
    }
}

/// A request that is lost is not known, and what later ones say is: their answers may come before them, and of those that lean on what
/// was lost the rest is shown.
#[test]
fn a_lost_request_is_one() {
    let mut h2 = H2::new(1);
    h2.open(1);
    let asked: Vec<usize> = [3, 5, 7]
        .map(|stream| {
            h2.open(stream);
            for n in 0..9 {
                h2.say(Client, stream, TEXT, format!("client {n}")).say(Server, stream, TEXT, format!("server {n}"));
            }
            let is_request = |(side, bytes): &(Side, Vec<u8>)| *side == Client && bytes[3] == HEADERS;
            h2.session.turns.iter().rposition(is_request).unwrap()
        })
        .into();
    let segments = h2.session.segments();
    // Behind the handshake of TCP, an acknowledgement to each turn.
    let lost = segments.iter().position(|segment| segment.payload == h2.session.turns[asked[0]].1).unwrap();
    let mut rest = segments.clone();
    rest.remove(lost);
    let (server, client): (Vec<Segment>, Vec<Segment>) =
        rest[lost..].iter().cloned().partition(|segment| segment.src == h2.session.server);
    let late = [&rest[..lost], &server, &client].concat();
    for (what, segments) in [("in order", rest), ("the server first", late)] {
        let file = capture_of(&segments);
        let urls: Vec<_> = records("ls", Input::Bytes(&file)).iter().map(|row| row["url"].clone()).collect();
        let known = |stream: u32| format!("ws://{}/{stream}", h2.session.server);
        let urls: Vec<_> = urls.iter().map(|url| url.as_str()).collect();
        assert_eq!(urls, [Some("ws://lab.test/1"), None, Some(&*known(5)), Some(&*known(7))], "{what}");
        let all = shown(&file);
        for (stream, said) in &h2.said {
            says_one(&all[stream], said, &format!("{what}: stream {stream}"));
        }
    }
}

/// A hole within DATA is one of its stream alone.
#[test]
fn a_hole_in_data_is_in_its_stream() {
    let mut h2 = H2::new(1);
    h2.open(1).open(3).say(Client, 3, TEXT, "before");
    h2.say(Client, 1, BINARY, vec![7; 900]).say(Client, 3, TEXT, "after").say(Client, 1, TEXT, "behind");
    let mut segments = h2.session.cut(|bytes| if bytes.len() > 900 { vec![300] } else { vec![bytes.len()] });
    let second = segments.iter().position(|segment| segment.payload.len() == 300).unwrap() + 1;
    segments.remove(second);
    let file = capture_of(&segments);
    let all = shown(&file);
    says_one(&all[&3], &h2.said[&3], "the other stream");
    let messages: Vec<&Message> = all[&1].of("c2s");
    assert_eq!(messages[0].missing, [(300 - 9 - 8, Some(300))]);
    assert!(messages[1].complete && messages[1].payload == b"behind");
    has_no_findings(&file, &["H2-GAP", "H2-TABLE", "WS-RESYNC"], "a hole in DATA");
}

/// The capture begins within the connection: streams are found by what they carry, and later ones by their heads.
#[test]
fn a_capture_may_begin_within() {
    let mut h2 = H2::new(1);
    h2.open(1);
    for n in 0..12 {
        h2.say(Client, 1, TEXT, format!("client {n}")).say(Server, 1, TEXT, format!("server {n}"));
    }
    h2.ask(3, &[("sec-websocket-protocol", "late")]).accept(3, &[]);
    h2.say(Client, 3, TEXT, "new").say(Server, 3, TEXT, "too").say(Client, 1, TEXT, "old");
    let segments = h2.session.segments();
    for from in [17, 18, 19, 20, 21] {
        let file = capture_of(&segments[from..]);
        let all = shown(&file);
        assert!(all.keys().eq([&1, &3]), "{from}: {:?}", all.keys());
        for (stream, conversation) in &all {
            assert_eq!(conversation.client, h2.session.client.to_string(), "{from}");
            let said = &h2.said[stream];
            let right = conversation.messages.iter().filter(|message| said.iter().any(|said| is_said(message, said)));
            let right = right.count();
            assert_eq!(right, conversation.messages.len(), "{from}: stream {stream}: what is shown was said");
            assert!(right + 6 >= said.len(), "{from}: stream {stream}: {right} of {}", said.len());
        }
        assert_eq!((all[&1].state.as_str(), all[&3].state.as_str()), ("midstream", "midstream"), "{from}");
        // What is known of a handshake is shown, although it is not all.
        let late = &records("handshake", Input::Bytes(&file))[1];
        assert_eq!(late["url"], format!("ws://{}/3", h2.session.server), "{from}");
        let offered = &late["request"]["headers"].as_array().unwrap();
        assert!(
            offered.iter().any(|header| header[0] == "sec-websocket-protocol" && header[1] == "late"),
            "{offered:?}"
        );
    }
}

/// Whoever sends first behind any beginning: both sides are themselves, in every message, and on each stream.
#[test]
fn a_capture_may_begin_anywhere() {
    let mut h2 = H2::new(1);
    h2.open(1).open(3);
    for n in 0..14 {
        for stream in [1, 3] {
            let (client, server) = (format!("the client's {n} on {stream}"), format!("the server's {n} on {stream}"));
            h2.say(Client, stream, TEXT, client).say(Server, stream, TEXT, server);
        }
    }
    h2.open(5).say(Client, 5, TEXT, "new").say(Server, 5, TEXT, "too");
    let segments = h2.session.segments();
    let mut first = BTreeMap::<bool, usize>::new();
    for from in 5..50 {
        if segments[from].payload.is_empty() {
            continue;
        }
        *first.entry(segments[from].src == h2.session.client).or_default() += 1;
        let file = capture_of(&segments[from..]);
        for (stream, conversation) in &shown(&file) {
            assert_eq!(conversation.client, h2.session.client.to_string(), "{from}: stream {stream}");
            for message in &conversation.messages {
                let is_right = h2.said[stream].iter().any(|said| said.dir == message.dir && is_said(message, said));
                assert!(is_right, "{from}: stream {stream}: {} {}", message.dir, message.brief());
            }
            let least = if *stream == 5 { 0 } else { h2.said[stream].len().saturating_sub(from / 2 + 6) };
            assert!(conversation.messages.len() >= least, "{from}: stream {stream}: {}", conversation.messages.len());
        }
        has_no_findings(&file, &["TCP-GAP", "WS-MASKED", "WS-UNMASKED"], &format!("from {from}"));
    }
    assert!(first.len() == 2 && first.values().all(|&count| count > 8), "{first:?}");
}

/// The capture begins within DATA that have many frames: those are taken for the connection's, until the head of the next DATA shows,
/// wherever segments cut that.
#[test]
fn many_frames_in_data_are_of_a_stream() {
    let mut h2 = H2::new(1);
    h2.open(1);
    let mut said = Vec::new();
    for batch in 0..6 {
        let texts: Vec<String> = (0..30).map(|n| format!("{batch}.{n} {}", "of what is said ".repeat(12))).collect();
        let frames: Vec<u8> = texts.iter().flat_map(|text| Frame::new(TEXT, text.as_str()).bytes()).collect();
        h2.data(Server, 1, &frames);
        said.extend(texts);
    }
    let first = h2.session.turns.iter().position(|(_, bytes)| bytes.len() > 5_000).unwrap();
    let len = h2.session.turns[first].1.len() - 3_000;
    let apart = h2.session.cut(|bytes| vec![1_400; bytes.len() / 1_400 + 1]);
    // The head of the next DATA comes in the segment in which frames are found, or all of the rest does.
    let rest: Vec<u8> = h2.session.turns.drain(first..).flat_map(|(_, bytes)| bytes).collect();
    h2.session.turn(Server, rest);
    let together =
        |len: usize| h2.session.cut(|bytes| if bytes.len() > 5_000 { vec![3_000, len] } else { vec![bytes.len()] });
    let mut cuts =
        vec![(apart.clone(), 1_400, 1), (apart, 1_400, 2), (together(4_000), 4_000, 0), (together(30_000), 30_000, 0)];
    // The head of the second DATA is cut in two, or into single bytes.
    for part in 1..9 {
        let cut = |bytes: &[u8]| {
            if bytes.len() > 5_000 { vec![3_000, len + part, 9 - part, 100_000] } else { vec![bytes.len()] }
        };
        cuts.push((h2.session.cut(cut), len + part, 0));
    }
    let cut = |bytes: &[u8]| {
        if bytes.len() > 5_000 { [vec![3_000, len], vec![1; 12], vec![100_000]].concat() } else { vec![bytes.len()] }
    };
    cuts.push((h2.session.cut(cut), len, 0));
    for (at, (segments, longest, behind)) in cuts.iter().enumerate() {
        let begin = segments.iter().position(|segment| segment.payload.len() == *longest).unwrap();
        let from = begin + behind;
        let file = capture_of(&segments[from..]);
        let all = conversations(Input::Bytes(&file));
        // Where a head of DATA stands before the frames that are found, nothing is taken for the connection's.
        let (bare, streams): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.h2_stream.is_none());
        assert!(bare.len() <= 1 && (at > 3 || bare.len() == usize::from(at < 2)) && streams.len() == 1, "{at}");
        let gives = |(_, row): &&(String, serde_json::Value)| {
            row["text"].as_str().is_some_and(|text| text.starts_with("HTTP/2 goes on"))
        };
        assert_eq!(findings(Input::Bytes(&file)).iter().filter(gives).count(), bare.len(), "{at}");
        for message in all.iter().flat_map(|one| &one.messages) {
            let is_said = said.iter().any(|text| text.as_bytes() == message.payload);
            assert!(is_said && message.dir == "s2c", "{at}: {}", message.brief());
        }
        assert!(streams[0].messages.len() >= 150, "{at}: {}", streams[0].messages.len());
        has_no_findings(&file, &["WS-OPCODE", "WS-CONTINUATION", "TCP-GAP", "WS-LOST", "WS-RESYNC"], &format!("{at}"));
    }
}

/// What the user says holds for the stream of a CONNECT, too, and where HTTP/2 shows behind frames.
#[test]
fn what_the_user_says_holds_within_http2() {
    let rule = || vec![Rule { select: Select::Port(8080..=8080), protocol: Protocol::WebSocket }];
    let mut h2 = H2::new(1);
    h2.head(Client, 1, 0, &[(":method", "CONNECT"), (":authority", "lab.test:80")]);
    h2.head(Server, 1, 0, &[(":status", "200")]);
    h2.ws(Server, 1, Frame::new(TEXT, "a")).ws(Client, 1, Frame::new(TEXT, "b"));
    let segments = h2.session.segments();
    assert_eq!(frames(&segments).connections, 0);
    let told = frames_as(&segments, rule());
    let mut lengths: Vec<_> = told.all.iter().map(|((side, _, len, _), _)| (*side == Client, *len)).collect();
    lengths.sort_unstable();
    assert_eq!((told.connections, lengths), (1, vec![(false, 3), (true, 7)]));

    let mut session = Session::bare(2);
    for n in 0..30 {
        session.text(Server, &format!("number {n} of what is said"));
    }
    session.turn(Server, h2_frame(DATA, 0, 1, &Frame::new(TEXT, "HTTP/2").bytes()));
    let segments = session.segments().split_off(3);
    let gives = |told: Frames| told.texts.iter().any(|text| text.starts_with("HTTP/2 goes on"));
    assert_eq!([frames(&segments), frames_as(&segments, rule())].map(gives), [true, false]);
}

/// A part of a request is known, and few frames behind it: they are enough. A plain request is none, whatever it carries.
#[test]
fn a_part_of_a_request_speaks_for_frames() {
    let mut h2 = H2::new(1);
    h2.open(1);
    let begin = h2.session.segments().len() - 3;
    h2.open(3).say(Client, 3, BINARY, [1, 200, 3]).say(Server, 3, BINARY, [7; 5]).say(Client, 3, BINARY, [9, 0]);
    h2.head(Client, 5, 0, &[(":method", "POST"), (":path", "/"), ("x-new", "a")]).head(
        Server,
        5,
        0,
        &[(":status", "200")],
    );
    for n in 0..3 {
        let frame = |text: String| Frame::new(TEXT, text).masked([1, 2, 3, n]).bytes();
        h2.frame(Client, DATA, 0, 5, &frame(format!("like frames {n}")));
    }
    let segments = h2.session.segments();
    let rows = records("ls", Input::Bytes(&capture_of(&segments[begin..])));
    let streams: Vec<_> = rows.iter().map(|row| row["h2_stream"].as_u64().unwrap()).collect();
    assert_eq!(streams, [3], "{rows:?}");
    assert_eq!(rows[0]["url"], format!("ws://{}/3", h2.session.server));
}

/// One direction alone.
#[test]
fn one_side_alone_is_read() {
    let mut h2 = H2::new(1);
    h2.open(1);
    for n in 0..40 {
        h2.say(Client, 1, TEXT, format!("client {n}")).say(Server, 1, TEXT, format!("server {n}"));
    }
    let segments = h2.session.segments();
    for (side, dir) in [(h2.session.client, "c2s"), (h2.session.server, "s2c")] {
        let mine: Vec<Segment> = segments.iter().filter(|segment| segment.src == side).cloned().collect();
        let all = shown(&capture_of(&mine));
        let said: Vec<_> = h2.said[&1].iter().filter(|said| said.dir == dir).collect();
        let messages = all[&1].of(dir);
        assert!(messages.len() + 4 >= said.len(), "{dir}: {} of {}", messages.len(), said.len());
        assert!(messages.iter().all(|message| said.iter().any(|said| is_said(message, said))), "{dir}");
    }
}
