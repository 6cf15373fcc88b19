//! Frames: every length form, fragments, control frames between them, many in a packet, all opcodes.

use super::support::craft::*;
use super::support::run::{Input, number, records};
use super::{LOSS, has_finding, has_no_findings, says};

#[test]
fn every_length_is_read() {
    let mut session = Session::new(0);
    for len in [0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 65_534, 65_535, 65_536, 65_537, 200_000] {
        for side in [Client, Server] {
            session.binary(side, (0..len).map(|i| (i * 31 + len) as u8).collect::<Vec<_>>());
        }
    }
    let file = capture_of(&session.cut(|_| vec![1460]));
    says(&file, std::slice::from_ref(&session), "lengths");
    let frames = records("frames", Input::Bytes(&file));
    let heads: Vec<_> = frames.iter().map(|f| (number(f, "len"), number(f, "header_len"))).collect();
    for (len, head) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
        assert!(heads.contains(&(len, head)) && heads.contains(&(len, head + 4)), "{len}: head of {head} bytes");
    }
}

/// Longer than the 256 KiB that other dissectors unmask.
#[test]
fn long_messages_are_unmasked_to_their_end() {
    let mut session = Session::new(0);
    session.binary(Client, (0..1_500_000_u32).map(|i| (i ^ i >> 8) as u8).collect::<Vec<_>>()).text(Client, "after");
    let file = capture_of(&session.cut(|_| vec![16_000, 1, 999]));
    says(&file, std::slice::from_ref(&session), "1.5 MB");
}

/// Lengths in more bytes than they need are read, and found.
#[test]
fn longer_length_forms_are_read_and_reported() {
    for form in [Length::Sixteen, Length::SixtyFour] {
        let mut session = Session::new(0);
        let frame = session.framed(Client, Frame::new(TEXT, "wide").length(form));
        session.turn(Client, frame.bytes());
        session.said.push(Said { dir: "c2s", opcode: TEXT, frames: 1, payload: b"wide".into(), packed: None });
        session.text(Client, "after");
        let file = capture_of(&session.segments());
        says(&file, std::slice::from_ref(&session), "wide length");
        has_finding(&file, "WS-LENGTH", "wide length");
    }
}

/// Several frames in a packet, with commas and separators in them, stay apart.
#[test]
fn many_frames_in_a_packet_are_many_messages() {
    let mut session = Session::new(0);
    session.text(Client, r#"{"a":1,"b":2}"#).text(Client, "x,y,z").say(Client, PING, "").binary(Client, vec![0, 44, 9]);
    let glued: Vec<u8> = session.turns.drain(2..).flat_map(|turn| turn.1).collect();
    session.turn(Client, glued);
    let file = capture_of(&session.segments());
    let all = says(&file, std::slice::from_ref(&session), "glued");
    let packets: Vec<u64> = all.values().flat_map(|c| &c.messages).map(|message| message.packet).collect();
    assert_eq!(packets, [8; 4]);
    // Tens of thousands in one direction, packed without regard to their edges.
    let mut session = Session::new(1);
    for n in 0..20_000 {
        session.text(Server, &format!("{n}"));
    }
    let glued: Vec<u8> = session.turns.drain(2..).flat_map(|turn| turn.1).collect();
    session.turn(Server, glued);
    says(&capture_of(&session.cut(|_| vec![60_000])), std::slice::from_ref(&session), "20 000 glued");
}

/// Both directions send fragments at once between the same addresses, on loopback even the same one.
#[test]
fn fragments_of_both_directions_are_kept_apart() {
    let mut session = Session::new(0);
    (session.client, session.server) = (([127, 0, 0, 1], 50_000).into(), ([127, 0, 0, 1], 8080).into());
    let mut other = Session::new(1);
    (other.client, other.server) = (([127, 0, 0, 1], 50_001).into(), ([127, 0, 0, 1], 8080).into());
    for session in [&mut session, &mut other] {
        for (client, server, last) in [("CLI-", "SRV-", false), ("one", "two", true)] {
            for (side, text) in [(Client, client), (Server, server)] {
                let frame = Frame::new(if last { CONTINUATION } else { TEXT }, text);
                let frame = session.framed(side, if last { frame } else { frame.open() });
                session.turn(side, frame.bytes());
            }
        }
        for (dir, text) in [("c2s", "CLI-one"), ("s2c", "SRV-two")] {
            session.said.push(Said { dir, opcode: TEXT, frames: 2, payload: text.into(), packed: None });
        }
    }
    let file = capture_of(&interleave(vec![session.segments(), other.segments()]));
    says(&file, &[session, other], "both at once");
}

/// Empty first, middle and last fragments; control frames of all kinds between fragments.
#[test]
fn fragments_may_be_empty_and_interrupted() {
    let mut session = Session::new(0);
    let parts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
    for side in [Client, Server] {
        session.parts(side, TEXT, &parts(&["", "a", "b"]), false).parts(side, TEXT, &parts(&["a", "b", ""]), true);
        session.parts(side, BINARY, &parts(&["", ""]), true).parts(side, TEXT, &parts(&["", "", "x", "", ""]), false);
        session.parts(side, TEXT, &parts(&["caf", "\u{e9}"]), false);
        // A character of four bytes over four fragments.
        let crab: Vec<Vec<u8>> = "🦀".bytes().map(|byte| vec![byte]).collect();
        session.parts(side, TEXT, &crab, true);
    }
    let file = capture_of(&session.segments());
    says(&file, std::slice::from_ref(&session), "fragments");
    has_no_findings(&file, &["UTF8-BAD", "WS-CONTINUATION", "WS-INTERLEAVED"], "fragments");
    let of = |side| session.turns[2..].iter().filter(|turn| turn.0 == side).flat_map(|turn| turn.1.clone()).collect();
    let (client, server) = (of(Client), of(Server));
    let mut glued = session.clone();
    glued.turns.truncate(2);
    glued.turns.extend([(Client, client), (Server, server)]);
    says(&capture_of(&glued.segments()), &[glued], "fragments in one packet");
}

/// Every opcode, known or reserved, is a message of its type.
#[test]
fn every_opcode_is_shown() {
    let mut session = Session::new(0);
    let opcodes = [3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 1, 2];
    for opcode in opcodes {
        session.say(Server, opcode, format!("opcode {opcode}"));
    }
    let file = capture_of(&session.segments());
    let all = says(&file, std::slice::from_ref(&session), "opcodes");
    let kinds: Vec<_> = all.values().flat_map(|c| &c.messages).map(|message| message.kind.clone()).collect();
    for (kind, opcode) in kinds.iter().zip(opcodes) {
        let expected = match opcode {
            1 => "text".to_owned(),
            2 => "binary".to_owned(),
            9 => "ping".to_owned(),
            10 => "pong".to_owned(),
            other => format!("reserved-{other}"),
        };
        assert_eq!(*kind, expected);
    }
    has_finding(&file, "WS-OPCODE", "opcodes");
}

/// Close codes and reasons, as far as they are there.
#[test]
fn close_frames_tell_code_and_reason() {
    let bodies: [(&[u8], Option<u64>, Option<&str>); 6] = [
        (b"\x03\xe8bye", Some(1000), Some("bye")),
        (b"\x03\xe9", Some(1001), Some("")),
        (b"", None, None),
        (b"\x0f\xa1\xf0\x9f\x91\x8b", Some(4001), Some("👋")),
        (b"\x03\xf7", Some(1015), Some("")),
        (b"\x00\x00", Some(0), Some("")),
    ];
    let sessions: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(n, (body, ..))| {
            let mut session = Session::new(n);
            session.say(Server, CLOSE, *body);
            session
        })
        .collect();
    let file = capture_of(&interleave(sessions.iter().map(Session::segments).collect()));
    let all = says(&file, &sessions, "closes");
    for (session, (_, code, reason)) in sessions.iter().zip(bodies) {
        let message = &all[&session.client.to_string()].messages[0];
        assert_eq!(message.close_code, code);
        assert_eq!(message.close_reason.as_deref().unwrap_or_default(), reason.unwrap_or_default());
        assert_eq!(all[&session.client.to_string()].state, "closed");
    }
    has_finding(&file, "CLOSE-CODE", "closes");
}

/// A pong answers the latest ping with its payload.
#[test]
fn pongs_are_paired_with_pings() {
    let mut session = Session::new(0);
    for payload in ["a", "b", ""] {
        session.say(Server, PING, payload);
    }
    session.say(Client, PONG, "b").say(Client, PONG, "").say(Client, PONG, "unasked").say(Server, PONG, "a");
    let all = says(&capture_of(&session.segments()), std::slice::from_ref(&session), "pings");
    let rtts: Vec<_> = all.values().flat_map(|c| &c.messages).filter(|m| m.opcode == PONG).map(|m| m.rtt).collect();
    // A segment and its acknowledgement take 200 µs; a, b and the empty ping are sent in turns 3, 4 and 5.
    assert_eq!(rtts, [Some(400_000), Some(400_000), None, None]);
}

/// Findings of a loss, of which these captures have none.
#[test]
fn nothing_is_lost_in_plain_captures() {
    let sessions: Vec<_> = (0..5).map(Session::sample).collect();
    let file = capture_of(&interleave(sessions.iter().map(Session::segments).collect()));
    has_no_findings(&file, LOSS, "plain");
}
