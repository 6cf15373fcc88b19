//! Sessions whose ClientHello was not captured, with all keys tried.

use crate::seen::{Seen, dissect, dissect_with};
use crate::support::craft::tls::{key_log, secret};
use crate::support::craft::*;
use wspect::dissect::Settings;
use wspect::model::{DecodeAs, Direction, Limits, Protocol, Rule, Select, TlsKeys, TlsVersion, WhyNot};

fn trying(capture: &[u8], keys: &str) -> Seen {
    dissect_with(capture, keys, Settings { try_keys: true, ..Settings::default() })
}

/// A conversation of many messages both ways, sealed.
fn sealed() -> Tls {
    Tls::around(3, &inside(3))
}

/// The same in clear.
fn inside(n: usize) -> Session {
    let mut session = Session::new(n);
    for n in 0..300 {
        session.text(if n % 3 == 0 { Client } else { Server }, &format!("message {n} {}", "x".repeat(n % 50)));
    }
    session.close();
    session
}

/// The keys of many sessions, of which that one is somewhere.
fn log_with(tls: &Tls) -> String {
    (10..40).map(Tls::bare).map(|other| other.log()).collect::<String>() + &tls.log()
}

fn behind(tls: &Tls, from: usize) -> Vec<u8> {
    capture_of(&tls.session.segments()[from..])
}

/// How many messages it says that a whole capture says, too, and none besides.
fn common(shown: &Seen, whole: &Seen) -> usize {
    let payloads: Vec<&[u8]> = whole.messages().map(|message| &message.payload[..]).collect();
    assert!(shown.messages().all(|message| !message.complete || payloads.contains(&&message.payload[..])));
    shown.messages().filter(|message| message.complete).count()
}

#[test]
fn a_session_that_began_before_the_capture_is_decrypted() {
    let tls = sealed();
    let whole = dissect(&capture_of(&tls.session.segments()), &tls.log());
    let all = whole.messages().count();
    let segments = tls.session.segments().len();
    assert!(all > 290 && segments > 300);
    // Behind the hellos, within the handshake, behind it, behind the upgrade, and long after.
    for from in [4, 5, 6, 7, 8, 9, 10, 11, 60, 61, 62, 250] {
        let shown = trying(&behind(&tls, from), &log_with(&tls));
        let (conn, session) = &shown.sessions[0];
        assert!(conn.is_some(), "{from}: {:?}", shown.notes);
        assert_eq!((session.outline.keys, session.why_not), (TlsKeys::Matched, None), "from {from}");
        assert_eq!(session.outline.cipher.as_deref(), Some("TLS_AES_128_GCM_SHA256"), "from {from}");
        assert_eq!(session.client_randoms, [tls.random]);
        assert_eq!(session.client.to_string(), tls.session.client.to_string(), "from {from}");
        assert_eq!(shown.conversations[0].client, tls.session.client.to_string(), "from {from}");
        let missing = all - common(&shown, &whole);
        assert!(missing <= from.saturating_sub(8) + 2, "from {from}: {missing} messages are missing");
        assert_eq!(shown.count("TLS-BAD-TAG") + shown.count("TLS-WRONG-KEY"), 0, "from {from}: {:?}", shown.notes);
    }
}

/// The first that was captured is the answer to a request that was not, and none to the upgrade.
#[test]
fn an_answer_of_which_the_request_was_missed_is_passed_over() {
    let mut clear = inside(3);
    let before = [(Client, "GET / HTTP/1.1\r\nHost: lab.test\r\n\r\n"), (Server, "HTTP/1.1 204 No Content\r\n\r\n")];
    clear.turns.splice(0..0, before.map(|(side, bytes)| (side, bytes.into())));
    let tls = Tls::around(3, &clear);
    let answer = 3 + 2 * (tls.session.turns.len() - clear.turns.len() + 1);
    let shown = trying(&behind(&tls, answer), &log_with(&tls));
    assert_eq!(shown.messages().filter(|message| message.complete).count(), clear.said.len(), "{:?}", shown.notes);
    assert_eq!(shown.count("HS-PLAIN-ANSWER"), 0, "{:?}", shown.notes);
}

/// A hello was lost, and nothing else.
#[test]
fn a_session_without_its_client_hello_is_decrypted() {
    let tls = sealed();
    let mut segments = tls.session.segments();
    let hello = segments.iter().position(|segment| segment.payload.first() == Some(&22)).unwrap();
    segments.remove(hello);
    let shown = trying(&capture_of(&segments), &log_with(&tls));
    let whole = dissect(&capture_of(&tls.session.segments()), &tls.log());
    assert_eq!(common(&shown, &whole), whole.messages().count(), "{:?}", shown.notes);
    assert_eq!(shown.sessions[0].1.outline.alpn.as_deref(), Some("http/1.1"));
}

/// The ServerHello is read all the same: it is said what was agreed on, and why that is not enough.
#[test]
fn what_the_server_hello_says_is_told_without_the_client_hello() {
    let tls = sealed();
    let mut segments = tls.session.segments();
    let hello = segments.iter().position(|segment| segment.payload.first() == Some(&22)).unwrap();
    segments.remove(hello);
    let shown = dissect(&capture_of(&segments), &log_with(&tls));
    let (_, session) = &shown.sessions[0];
    assert_eq!(session.outline.version, Some(TlsVersion::TLS_1_3), "{session:?}");
    assert_eq!(session.outline.cipher.as_deref(), Some("TLS_AES_128_GCM_SHA256"));
    assert_eq!(session.why_not, Some(WhyNot::NoClientHello));
    let gap = shown.notes.iter().find(|note| note.0 == "TLS-GAP").unwrap();
    assert!(!gap.1.contains("decrypted"), "{gap:?}");
}

/// The ServerHello was lost, and what followed it: the client's random names the secrets, and no user has to ask for anything.
#[test]
fn a_session_without_its_server_hello_is_decrypted() {
    let tls = sealed();
    let segments = tls.session.segments();
    let whole = dissect(&capture_of(&segments), &tls.log());
    let hello = segments.iter().position(|segment| segment.payload.get(5) == Some(&2)).unwrap();
    for lost in 1..=2 {
        let mut fewer = segments.clone();
        fewer.drain(hello..hello + lost);
        let shown = dissect(&capture_of(&fewer), &tls.log());
        assert_eq!(common(&shown, &whole), whole.messages().count(), "{lost} lost: {:?}", shown.notes);
        let (conn, session) = &shown.sessions[0];
        assert_eq!((conn.is_some(), session.outline.keys, session.why_not), (true, TlsKeys::Matched, None));
        assert_eq!(session.outline.cipher.as_deref(), Some("TLS_AES_128_GCM_SHA256"));
        assert_eq!(shown.count("TLS-BAD-TAG") + shown.count("MID-STREAM"), 0, "{lost} lost: {:?}", shown.notes);
    }
    // Keys that are found, but do not fit.
    let mut fewer = segments;
    fewer.remove(hello);
    let wrong = key_log(&tls.random, |name| secret(name, 77));
    let (_, session) = &dissect(&capture_of(&fewer), &wrong).sessions[0];
    assert_eq!((session.outline.keys, session.why_not), (TlsKeys::Matched, Some(WhyNot::NoServerHello)));
}

/// Each side changed its keys before the capture began, so often.
#[test]
fn keys_that_were_changed_before_the_capture_are_found() {
    let (before, after) = (Session::new(3).turns, inside(3).turns);
    let mut tls = Tls::new(3);
    for (side, bytes) in &before {
        tls.data(*side, bytes);
    }
    for side in [Client, Client, Server, Client] {
        tls.update(side);
    }
    let from = tls.session.segments().iter().filter(|segment| !segment.payload.is_empty()).count() * 2;
    for (side, bytes) in &after[before.len()..] {
        tls.data(*side, bytes);
    }
    let whole = dissect(&capture_of(&tls.session.segments()), &tls.log());
    assert!(whole.messages().count() > 290);
    let shown_with = |try_updates| {
        let limits = Limits { try_updates, ..Limits::DEFAULT };
        let settings = Settings { try_keys: true, limits, ..Settings::default() };
        dissect_with(&behind(&tls, from + 40), &log_with(&tls), settings)
    };
    let shown = shown_with(3);
    assert!(common(&shown, &whole) + 45 > whole.messages().count(), "{:?}", shown.notes);
    assert_eq!(shown.sessions[0].1.why_not, None);
    for (try_updates, dirs) in [(2, 1), (0, 0)] {
        let shown = shown_with(try_updates);
        let heard = Direction::BOTH.iter().filter(|dir| shown.messages().any(|message| message.dir == dir.name()));
        assert_eq!(heard.count(), dirs, "{try_updates}: {:?}", shown.notes);
    }
}

/// One direction alone, from somewhere on.
#[test]
fn one_direction_is_decrypted_by_itself() {
    let tls = sealed();
    let whole = dissect(&capture_of(&tls.session.segments()), &tls.log());
    for side in [tls.session.client, tls.session.server] {
        let segments: Vec<Segment> =
            tls.session.segments()[40..].iter().filter(|segment| segment.src == side).cloned().collect();
        let shown = trying(&capture_of(&segments), &log_with(&tls));
        assert!(common(&shown, &whole) > 60, "{side}: {:?}", shown.notes);
    }
}

#[test]
fn keys_are_tried_on_demand_only_and_what_fits_none_stays_shut() {
    let tls = sealed();
    let capture = behind(&tls, 60);
    let shown = dissect(&capture, &log_with(&tls));
    assert_eq!((shown.messages().count(), shown.sessions[0].1.why_not), (0, Some(WhyNot::NoClientHello)));
    let others: String = (10..40).map(Tls::bare).map(|other| other.log()).collect();
    let shown = trying(&capture, &others);
    assert_eq!((shown.messages().count(), shown.sessions[0].1.why_not), (0, Some(WhyNot::NoneFits)));
    assert_eq!(shown.count("TLS-HANDSHAKE"), 1);
}

/// A log of ordinary size: the session's keys stand last in it.
#[test]
fn keys_are_found_among_those_of_many_sessions() {
    let tls = sealed();
    let log: String = (10..400).map(Tls::bare).map(|other| other.log()).collect::<String>() + &tls.log();
    for from in [6, 250] {
        let shown = trying(&behind(&tls, from), &log);
        assert!(shown.messages().count() > 150, "from {from}: {:?}", shown.notes);
        assert_eq!(shown.sessions[0].1.client_randoms, [tls.random]);
    }
}

/// What is spent on it is bounded.
#[test]
fn trials_end_where_they_may() {
    let tls = sealed();
    let limits = Limits { try_numbers: 40, ..Limits::DEFAULT };
    for (limits, opens) in [
        (limits, false),
        (Limits { try_numbers: 400, ..limits }, true),
        (Limits { try_bytes: 20_000, ..Limits::DEFAULT }, false),
        (Limits { try_total: 20_000, ..Limits::DEFAULT }, false),
        (Limits { try_sessions: 30, ..Limits::DEFAULT }, false),
        (Limits { try_sessions: 31, ..Limits::DEFAULT }, true),
    ] {
        let settings = Settings { try_keys: true, limits, ..Settings::default() };
        let shown = dissect_with(&behind(&tls, 250), &log_with(&tls), settings);
        assert_eq!(shown.messages().count() > 0, opens, "{limits:?}");
        let is_cut = !opens && limits.try_numbers == Limits::DEFAULT.try_numbers;
        assert_eq!(shown.count("TLS-LIMIT") > 0, is_cut, "{limits:?}: {:?}", shown.notes);
    }
}

/// What the user says of a stream holds for what runs in TLS, and in a tunnel: frames are read of which no handshake was sent.
#[test]
fn what_the_user_calls_a_websocket_is_one_inside_tls() {
    let mut session = Session::new(1);
    (0..6).for_each(|n| _ = session.text(if n % 2 == 0 { Client } else { Server }, &format!("message {n}")));
    let mut bare = Tls::new(1);
    session.turns[2..].iter().for_each(|(side, bytes)| _ = bare.data(*side, bytes));
    let tunnel = Tls::tunnel(2, &bare);
    let websocket = Rule { select: Select::Port(8080..=8080), protocol: Protocol::WebSocket };
    for (tls, log) in [(&bare, bare.log()), (&tunnel, bare.log() + &tunnel.log())] {
        let capture = capture_of(&tls.session.segments());
        for (rules, messages) in [(vec![], 0), (vec![websocket.clone()], 6)] {
            let settings = Settings { decode_as: DecodeAs(rules), ..Settings::default() };
            let shown = dissect_with(&capture, &log, settings);
            assert_eq!(shown.messages().count(), messages, "{:?}", shown.notes);
        }
    }
}
