//! Frames that break RFC 6455, and those that want too much.

use super::support::craft::*;
use super::support::run::{Input, findings};
use super::{Survives, between_segments};

/// A session that sends these frames of the server as they are, between two ordinary messages.
fn sending(frames: &[Vec<u8>]) -> (Session, Vec<u8>) {
    let mut session = Session::new(1);
    session.text(Server, "before");
    for frame in frames {
        session.turn(Server, frame.clone());
    }
    session.text(Server, "behind");
    let file = between_segments(&session.segments());
    (session, file)
}

/// What breaks a rule is shown, each rule with its finding and section, and the next message is read.
#[test]
fn every_breach_has_its_finding() {
    let text = |payload: &str| Frame::new(TEXT, payload);
    let kinds: &[(&str, Vec<Vec<u8>>)] = &[
        ("WS-LENGTH", vec![text("a").length(Length::Sixteen).bytes()]),
        ("WS-LENGTH", vec![text("a").length(Length::SixtyFour).bytes()]),
        ("WS-CONTROL-FRAGMENTED", vec![Frame::new(PING, "a").open().bytes()]),
        ("WS-CONTROL-LENGTH", vec![Frame::new(PING, vec![b'a'; 126]).bytes()]),
        ("WS-CONTROL-LENGTH", vec![Frame::new(PONG, vec![b'a'; 70_000]).bytes()]),
        ("WS-CONTINUATION", vec![Frame::new(CONTINUATION, "orphan").bytes()]),
        ("WS-CONTINUATION", vec![Frame::new(CONTINUATION, "a").open().bytes(), Frame::new(CONTINUATION, "b").bytes()]),
        ("WS-INTERLEAVED", vec![text("one").open().bytes(), text("two").bytes()]),
        (
            "WS-INTERLEAVED",
            vec![text("one").open().bytes(), text("two").open().bytes(), Frame::new(CONTINUATION, "").bytes()],
        ),
        ("WS-RSV", vec![text("a").rsv(4).bytes()]),
        ("WS-RSV", vec![text("a").rsv(2).bytes()]),
        ("WS-RSV", vec![text("a").rsv(1).bytes()]),
        ("WS-RSV", vec![Frame::new(PING, "a").rsv(7).bytes()]),
        ("WS-OPCODE", vec![Frame::new(3, "a").bytes()]),
        ("WS-OPCODE", vec![Frame::new(0xb, "a").bytes()]),
        ("WS-MASKED", vec![text("a").masked([1, 2, 3, 4]).bytes()]),
        ("UTF8-BAD", vec![Frame::new(TEXT, [0xff, 0xfe]).bytes()]),
        ("UTF8-BAD", vec![Frame::new(TEXT, [0xed, 0xa0, 0x80]).bytes()]),
        ("UTF8-BAD", vec![Frame::new(TEXT, [0xc0, 0x80]).bytes()]),
        ("UTF8-BAD", vec![Frame::new(TEXT, [0xf0, 0x9f]).open().bytes(), Frame::new(CONTINUATION, [0x20]).bytes()]),
        ("WS-AFTER-CLOSE", vec![Frame::close(1000, "").bytes()]),
        ("CLOSE-BODY", vec![Frame::new(CLOSE, [3]).bytes()]),
        ("CLOSE-CODE", vec![Frame::close(1005, "").bytes()]),
        ("CLOSE-CODE", vec![Frame::close(999, "").bytes()]),
        ("CLOSE-CODE", vec![Frame::close(2999, "").bytes()]),
        ("CLOSE-CODE", vec![Frame::close(5000, "").bytes()]),
        ("CLOSE-REASON", vec![Frame::new(CLOSE, [3, 0xe8, 0xff]).bytes()]),
        ("CLOSE-1002", vec![Frame::close(1002, "").bytes()]),
        ("CLOSE-1007", vec![Frame::close(1007, "").bytes()]),
        ("CLOSE-1009", vec![Frame::close(1009, "").bytes()]),
        ("CLOSE-1011", vec![Frame::close(1011, "").bytes()]),
    ];
    for (code, frames) in kinds {
        let (session, file) = sending(frames);
        let others = Survives::new(code, &[code]).check(&file);
        let shown = others[&session.client.to_string()].of("s2c");
        let texts: Vec<&[u8]> = shown.iter().filter(|m| m.complete).map(|m| m.payload.as_slice()).collect();
        assert!(texts.contains(&&b"before"[..]) && texts.contains(&&b"behind"[..]), "{code}: {texts:?}");
        let (_, record) = findings(Input::Bytes(&file)).into_iter().find(|(found, _)| found == code).unwrap();
        assert!(record["rfc"].as_str().is_some_and(|rfc| !rfc.is_empty()), "{code}: {record}");
        assert_eq!((&record["conn"], &record["dir"]), (&2.into(), &"s2c".into()), "{code}: {record}");
    }
}

/// The client does not mask.
#[test]
fn unmasked_clients_are_read() {
    let mut session = Session::new(1);
    session.turn(Client, Frame::new(TEXT, "bare").bytes()).text(Client, "masked");
    let others = Survives::new("unmasked", &["WS-UNMASKED"]).check(&between_segments(&session.segments()));
    let texts: Vec<_> = others[&session.client.to_string()].of("c2s").iter().map(|m| m.payload.clone()).collect();
    assert_eq!(texts, [b"bare".to_vec(), b"masked".to_vec()]);
}

/// Frames that claim to be larger than any file; one whose length is small in 32 bits hides no others.
#[test]
fn impossible_lengths_allocate_nothing() {
    for claim in [(1 << 32) + 5, 1 << 40, i64::MAX as u64, 1 << 63, u64::MAX, u64::MAX - 13] {
        for masked in [false, true] {
            let mut session = Session::new(1);
            let frame = Frame::new(BINARY, vec![7; 100_000]).length(Length::Claim(claim));
            let side = if masked { Client } else { Server };
            session.text(side, "before");
            let frame = session.framed(side, frame);
            session.turn(side, frame.bytes());
            let what = format!("claims {claim:x}");
            let file = between_segments(&session.cut(|_| vec![1460]));
            let others = Survives::new(&what, &["WS-UNFINISHED"]).mib(64).check(&file);
            let shown = others[&session.client.to_string()].of(side.dir());
            assert_eq!(shown[0].payload, b"before");
            assert_eq!(shown.len(), 2, "{what}");
            assert!(!shown[1].complete && shown[1].len == claim, "{what}: {}", shown[1].brief());
        }
    }
}

/// Frames of one message, and holes in it, that are together longer than any number.
#[test]
fn impossible_lengths_add_up() {
    for (opcode, hole) in [TEXT, BINARY].into_iter().flat_map(|opcode| [(opcode, 0), (opcode, 50)]) {
        let mut session = Session::new(1);
        session.text(Server, "before");
        let turn = session.turns.len();
        session.turn(Server, Frame::new(opcode, vec![b'a'; 90]).open().bytes());
        session.turn(Server, Frame::new(CONTINUATION, "").length(Length::Claim(u64::MAX)).bytes());
        let mut segments = session.segments();
        let first = segments.iter().position(|segment| segment.payload == session.turns[turn].1).unwrap();
        let (head, tail) = (segments[first].part(0, 20), segments[first].part(20 + hole, 92));
        segments.splice(first..=first, [head, tail]);
        let what = format!("{opcode}, a hole of {hole}");
        let others = Survives::new(&what, &["WS-UNFINISHED"]).check(&between_segments(&segments));
        let shown = others[&session.client.to_string()].of("s2c");
        assert_eq!(shown.len(), 2, "{what}");
        let last = shown[1];
        assert_eq!((last.complete, last.len, last.payload.len()), (false, u64::MAX, 90 - hole), "{what}");
    }
}

/// Fragments and control frames without end.
#[test]
fn many_small_frames_take_little() {
    let mut session = Session::new(1);
    session.parts(Client, BINARY, &(0..20_000_u32).map(|n| vec![n as u8]).collect::<Vec<_>>(), false);
    session.parts(Server, TEXT, &vec![Vec::new(); 20_000], false);
    for n in 0..30_000 {
        session.say(Server, PING, format!("{n}"));
    }
    session.text(Client, "after").text(Server, "after");
    let segments = session.cut(|bytes| vec![bytes.len()]);
    let others = Survives::new("small frames", &[]).check(&between_segments(&segments));
    super::says(others.get(&session.client.to_string()), &session, "small frames");
}

/// A message that never ends is kept in part and counted in full.
#[test]
fn a_message_has_a_bound() {
    let mut session = Session::new(1);
    session.binary(Client, vec![7; 80 << 20]).text(Client, "after");
    let segments = session.cut(|_| vec![60_000]);
    let file = between_segments(&segments);
    drop(segments);
    let done = super::wspect(&["msgs", "--json", "--payload", "none"], Input::Bytes(&file));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let large = done.records().into_iter().find(|record| record["type"] == "binary" && record["len"] == 80 << 20);
    let large = large.expect("its length is exact");
    assert_eq!(large["truncated"], true, "{large}");
    assert!(done.peak_kib >> 10 < 256, "{} MiB", done.peak_kib >> 10);
    let found: Vec<String> = findings(Input::Bytes(&file)).into_iter().map(|(code, _)| code).collect();
    assert!(found.iter().any(|code| code == "MESSAGE-LIMIT"), "{found:?}");
}
