//! Laws: what is shown of a session does not depend on how it was cut, ordered or damaged; what is lost is lost alone.

use crate::seen::{Seen, dissect, dissect_records, dissect_with};
use crate::support::Dice;
use crate::support::craft::tls::{ALERT, DATA, HANDSHAKE, client_hello, key_log, record, secret};
use crate::support::craft::*;
use wspect::dissect::Settings;
use wspect::model::{Direction, Limits, TlsKeys, WhyNot};

/// A conversation in clear, with messages long and short.
fn inside() -> Session {
    let mut session = Session::new(1);
    session.text(Client, "hello").binary(Server, vec![0xa5; 40_000]).heartbeat(Client, "beat");
    for n in 0..40 {
        session.text(if n % 3 == 0 { Client } else { Server }, &format!("message {n} {}", "x".repeat(n * 7)));
    }
    session.close();
    session
}

fn sealed() -> Tls {
    Tls::around(1, &inside())
}

/// What each message says, in order, by direction.
fn said(seen: &Seen) -> Vec<[Vec<String>; 2]> {
    let brief = |dir: &str, of: &crate::support::run::Conversation| {
        of.of(dir).iter().map(|m| format!("{} {}", m.brief(), crate::support::sha256(&m.payload))).collect()
    };
    seen.conversations.iter().map(|of| ["c2s", "s2c"].map(|dir| brief(dir, of))).collect()
}

/// What the same conversation says in clear.
fn clear() -> Vec<[Vec<String>; 2]> {
    said(&dissect(&capture_of(&inside().segments()), ""))
}

fn seen(tls: &Tls) -> Seen {
    dissect(&capture_of(&tls.session.segments()), &tls.log())
}

#[test]
fn a_sealed_conversation_says_what_it_says_in_clear() {
    let (tls, expected) = (sealed(), clear());
    assert!(expected[0][1].len() > 20);
    let shown = seen(&tls);
    assert_eq!(said(&shown), expected);
    assert!(shown.notes.iter().all(|note| !note.0.starts_with("TLS") && note.0 != "NO-KEYS"), "{:?}", shown.notes);
    let (conn, session) = &shown.sessions[0];
    assert!(conn.is_some());
    assert_eq!(session.outline.sni.as_deref(), Some("wss.test"));
    assert_eq!(session.outline.alpn.as_deref(), Some("http/1.1"));
    let segments = tls.session.segments();
    let at = |which: &dyn Fn(&Segment) -> bool| segments.iter().position(which).unwrap();
    let hello = at(&|segment| !segment.payload.is_empty());
    let is_clients = |segment: &Segment| segment.src == tls.session.client && segment.payload.first() == Some(&DATA);
    let finished = at(&is_clients);
    assert_eq!(session.outline.took, Some(time_of(finished) - time_of(hello)));
    let plain: usize = inside().turns.iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(session.decrypted, plain as u64);
}

/// A session in a tunnel that another session leads: each is told of, and with the connection.
#[test]
fn a_session_within_a_session_is_told_of_too() {
    let inner = Tls::around(2, &inside());
    let outer = Tls::tunnel(1, &inner);
    let shown = dissect(&capture_of(&outer.session.segments()), &(outer.log() + &inner.log()));
    assert_eq!(said(&shown), clear());
    let told: Vec<_> =
        shown.sessions.iter().map(|(conn, session)| (conn.is_some(), &session.client_randoms[..])).collect();
    assert_eq!(told, [(true, &[outer.random][..]), (true, &[inner.random])]);
}

/// Words for proxies before a session, as the client and they say them.
#[test]
fn a_session_behind_proxies_is_decrypted() {
    let (tls, expected) = (sealed(), clear());
    let connect: &[u8] = b"CONNECT wss.test:443 HTTP/1.1\r\nHost: wss.test:443\r\n\r\n";
    let socks5: &[u8] = b"\x05\x01\0\x03\x08wss.test\x01\xbb";
    let version2 = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &[10, 9, 8, 7, 10, 0, 0, 2, 200, 1, 1, 187]].concat();
    let words: [&[(Side, &[u8])]; 6] = [
        &[(Client, connect), (Server, b"HTTP/1.1 200 OK\r\n\r\n")],
        &[(Client, b"\x04\x01\x01\xbb\0\0\0\x01me\0wss.test\0"), (Server, b"\0\x5a\0\0\0\0\0\0")],
        &[(Client, b"\x05\x01\0"), (Server, b"\x05\0"), (Client, socks5), (Server, b"\x05\0\0\x01\0\0\0\0\0\0")],
        &[(Client, b"PROXY TCP4 10.9.8.7 10.0.0.2 51201 443\r\n")],
        &[(Client, &version2)],
        &[(Client, &version2), (Client, connect), (Server, b"HTTP/1.1 200 OK\r\n\r\n")],
    ];
    for (nth, words) in words.into_iter().enumerate() {
        let mut behind = tls.clone();
        behind.session.turns.splice(0..0, words.iter().map(|(side, bytes)| (*side, bytes.to_vec())));
        for cut in [usize::MAX, 7] {
            let shown = dissect(&capture_of(&behind.session.cut(|_| vec![cut])), &tls.log());
            assert_eq!(said(&shown), expected, "{nth} in segments of {cut}: {:?}", shown.notes);
            let (conn, session) = &shown.sessions[0];
            assert_eq!((conn.is_some(), session.outline.keys), (true, TlsKeys::Matched));
        }
    }
}

/// Records are told to who asks, those of the innermost session, and all that carry something of the connection.
#[test]
fn records_are_told_on_demand() {
    let inner = Tls::around(2, &inside());
    for tls in [&inner, &Tls::tunnel(1, &inner)] {
        let (capture, log) = (capture_of(&tls.session.segments()), tls.log() + &inner.log());
        assert!(dissect(&capture, &log).records.is_empty());
        let shown = dissect_records(&capture, &log);
        assert_eq!(said(&shown), clear());
        for dir in Direction::BOTH {
            let side = if dir == Direction::ToServer { Client } else { Server };
            let turns: usize = inside().turns.iter().filter(|turn| turn.0 == side).map(|turn| turn.1.len()).sum();
            let records: Vec<_> = shown.records.iter().filter(|record| record.dir == dir).collect();
            assert!(
                records.windows(2).all(|pair| pair[0].end() == pair[1].offset && pair[0].number + 1 == pair[1].number)
            );
            assert_eq!((records[0].offset, records.last().unwrap().end()), (0, turns as u64));
            assert!(records.iter().all(|record| record.wire_len == record.len + 5 + 1 + 16));
        }
    }
}

/// What runs inside is recognised only when nothing more comes: the session is told of with it.
#[test]
fn a_session_is_told_with_a_connection_that_its_end_shows() {
    let mut inside = Session::new(1);
    inside.text(Server, "one").text(Server, "two");
    let mut tls = Tls::around(1, &inside);
    tls.session.fin = false;
    // The request was lost, which may yet come.
    let mut segments = tls.session.segments();
    let request =
        segments.iter().position(|segment| segment.payload.first() == Some(&DATA) && segment.payload.len() > 140);
    segments.remove(request.unwrap());
    let shown = dissect(&capture_of(&segments), &tls.log());
    assert_eq!((shown.conversations.len(), shown.sessions.len()), (1, 1), "{:?}", shown.notes);
    assert!(shown.sessions[0].0.is_some());
}

#[test]
fn no_cut_changes_what_is_said() {
    let (tls, expected) = (sealed(), clear());
    for size in [1, 2, 5, 6, 7, 100, 1460] {
        let segments = tls.session.cut(|_| vec![size]);
        assert_eq!(said(&dissect(&capture_of(&segments), &tls.log())), expected, "segments of {size}");
    }
    let mut dice = Dice(3);
    for _ in 0..20 {
        let segments = recut(&tls.session.segments(), 3000, &mut dice);
        assert_eq!(said(&dissect(&capture_of(&segments), &tls.log())), expected);
    }
}

#[test]
fn directions_that_were_captured_in_another_order_wait_for_each_other() {
    let (tls, expected) = (sealed(), clear());
    let segments = tls.session.segments();
    let is_client = |segment: &Segment| segment.src == tls.session.client;
    // Within the handshake and the first data, each side by itself.
    for window in [4, 8, 12, 16] {
        for client_first in [true, false] {
            let (head, rest) = segments[3..].split_at(window);
            let mut parts: Vec<Vec<Segment>> =
                [true, false].map(|mine| head.iter().filter(|s| is_client(s) == mine).cloned().collect()).into();
            if !client_first {
                parts.reverse();
            }
            let all = [segments[..3].to_vec(), parts.concat(), rest.to_vec()].concat();
            assert_eq!(said(&dissect(&capture_of(&all), &tls.log())), expected, "{window} {client_first}");
        }
    }
}

#[test]
fn keys_are_updated_in_either_direction() {
    let mut tls = Tls::new(1);
    for (at, (side, bytes)) in inside().turns.iter().enumerate() {
        if at % 5 == 4 {
            tls.update(Client);
        }
        if at % 7 == 6 {
            tls.update(Server).update(Server);
        }
        tls.data(*side, bytes);
    }
    let shown = seen(&tls);
    assert_eq!(said(&shown), clear());
    // A KeyUpdate that was lost is found by trial.
    let mut segments = tls.session.segments();
    let update = |segment: &&Segment| segment.payload.len() == 5 + 5 + 1 + 16 && segment.src == tls.session.client;
    let lost: Vec<Segment> = segments.iter().filter(update).cloned().collect();
    assert!(lost.len() > 3);
    segments.retain(|segment| !lost.contains(segment));
    let shown = dissect(&capture_of(&segments), &tls.log());
    assert_eq!(said(&shown)[0][1], clear()[0][1], "the other direction is whole");
    assert!(shown.conversations[0].of("c2s").len() + 2 >= clear()[0][0].len(), "{:?}", shown.notes);
}

#[test]
fn padding_and_empty_records_are_no_data() {
    let mut tls = Tls::new(1);
    for (at, (side, bytes)) in inside().turns.iter().enumerate() {
        tls.padding = at * 3;
        tls.sealed(*side, DATA, b"");
        tls.data(*side, bytes);
    }
    assert_eq!(said(&seen(&tls)), clear());
}

#[test]
fn secrets_of_the_data_are_enough() {
    let tls = sealed();
    let keys: String =
        tls.log().lines().filter(|line| line.contains("TRAFFIC_SECRET_0")).map(|line| format!("{line}\n")).collect();
    let shown = dissect(&capture_of(&tls.session.segments()), &keys);
    assert_eq!(said(&shown), clear());
    assert_eq!(shown.sessions[0].1.outline.keys, TlsKeys::Matched);
    assert_eq!(shown.count("TLS-BAD-TAG"), 0);
}

#[test]
fn secrets_of_one_direction_show_that_direction() {
    let tls = sealed();
    let keys = |label: &str| {
        tls.log().lines().filter(|line| line.starts_with(label)).map(|line| format!("{line}\n")).collect::<String>()
    };
    let shown = dissect(&capture_of(&tls.session.segments()), &keys("CLIENT"));
    let (_, session) = &shown.sessions[0];
    assert_eq!((session.outline.keys, session.why_not), (TlsKeys::Partial, Some(WhyNot::OneWay(Direction::ToClient))));
    assert_eq!(said(&shown)[0][0], clear()[0][0]);
    assert_eq!(said(&shown)[0][1].len(), 0);
    let shown = dissect(&capture_of(&tls.session.segments()), &keys("SERVER"));
    assert_eq!(said(&shown)[0][1], clear()[0][1]);
    let handshake: String =
        tls.log().lines().filter(|line| line.contains("HANDSHAKE")).map(|line| format!("{line}\n")).collect();
    let shown = dissect(&capture_of(&tls.session.segments()), &handshake);
    assert_eq!(shown.sessions[0].1.why_not, Some(WhyNot::OnlyHandshake));
    assert_eq!(shown.sessions[0].1.outline.alpn.as_deref(), Some("http/1.1"), "it is in the handshake");
}

/// A session whose client asks in 0-RTT data, once in so many records, and what the server takes of that.
fn early(session: &Session, records: usize, taken: bool) -> Tls {
    let mut tls = Tls::bare(1);
    let (side, request) = &session.turns[0];
    let extension = [&[0, 42][..], &[0, 0]].concat();
    tls.session.turn(Client, record(HANDSHAKE, &client_hello(tls.random, &extension)));
    tls.keys(Client, "early");
    for part in request.chunks(request.len().div_ceil(records)) {
        tls.data(*side, part);
    }
    let mut early_part = tls.clone();
    if taken {
        early_part.sealed(Client, HANDSHAKE, &[5, 0, 0, 0]);
    }
    let end_of_early_data = early_part.session.turns.split_off(tls.session.turns.len());
    tls.answer(taken);
    tls.session.turns.extend(end_of_early_data);
    tls.keys(Client, "client handshake").finish(Client);
    for (side, bytes) in &session.turns[usize::from(taken)..] {
        tls.data(*side, bytes);
    }
    tls
}

/// The session's key log without the lines that have such a word.
fn without(tls: &Tls, words: &[&str]) -> String {
    let log = tls.log();
    let lines = log.lines().filter(|line| !words.iter().any(|word| line.contains(word)));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn early_data_count_if_the_server_takes_them() {
    let mut session = Session::new(1);
    session.text(Server, "welcome").close();
    for taken in [true, false] {
        let shown = seen(&early(&session, 1, taken));
        assert_eq!(shown.conversations.len(), 1, "taken {taken}: {:?} {:?}", shown.notes, shown.sessions);
        assert_eq!(shown.messages().count(), 3, "taken {taken}");
        assert_eq!(shown.count("TLS-BAD-TAG"), 0, "taken {taken}: {:?}", shown.notes);
    }
}

/// Without their secret it is said that they are there, and nothing else: all that follows is read.
#[test]
fn early_data_without_their_secret_are_all_that_is_missing() {
    let mut session = Session::new(1);
    session.text(Client, "hello").text(Server, "welcome").close();
    let secrets: [&[&str]; 3] = [&["EARLY"], &["EARLY", "SERVER_HANDSHAKE"], &["EARLY", "HANDSHAKE"]];
    for (records, taken) in [(1, true), (100, true), (1, false), (100, false)] {
        for missing in secrets {
            let tls = early(&session, records, taken);
            let capture = capture_of(&tls.session.segments());
            let shown = dissect(&capture, &without(&tls, missing));
            assert_eq!(said(&shown), said(&seen(&tls)), "{records} {taken} {missing:?}: {:?}", shown.notes);
            if taken && missing.len() == 1 {
                let records = dissect_records(&capture, &without(&tls, missing)).records;
                let first = records.iter().find(|record| record.dir == Direction::ToServer).unwrap();
                assert_eq!(first.offset, session.turns[0].1.len() as u64, "behind {records:?}");
            }
            let (conn, session) = &shown.sessions[0];
            let is_hidden = taken || missing.len() > 1;
            assert_eq!((conn.is_some(), session.why_not), (true, is_hidden.then_some(WhyNot::NoEarly)));
            assert_eq!(session.outline.keys == TlsKeys::Partial, is_hidden);
            let expected: &[&str] = match (taken, is_hidden) {
                (true, _) => &["MID-STREAM", "NO-KEYS"],
                (false, true) => &["NO-KEYS"],
                (false, false) => &[],
            };
            let codes = shown.notes.iter().map(|note| &*note.0).filter(|code| !code.starts_with("CLOSE"));
            let codes: Vec<&str> = codes.collect();
            assert_eq!(codes, expected, "{records} {taken} {missing:?}: {:?}", shown.notes);
        }
    }
}

#[test]
fn any_one_lost_segment_costs_its_messages_only() {
    let tls = sealed();
    let whole = clear();
    let segments = tls.session.segments();
    let data: Vec<usize> = (0..segments.len()).filter(|&at| !segments[at].payload.is_empty()).collect();
    // Behind the hellos and the upgrade; before the end, where too little follows for frames to be found again.
    for &at in &data[6..data.len() - 14] {
        let mut lossy = segments.clone();
        lossy.remove(at);
        let shown = dissect(&capture_of(&lossy), &tls.log());
        let all = said(&shown);
        for dir in 0..2 {
            let missing = whole[0][dir].iter().filter(|message| !all[0][dir].contains(message)).count();
            assert!(missing <= 1, "without {at}: {missing} messages are missing: {:?}", shown.notes);
            let invented = all[0][dir]
                .iter()
                .filter(|message| message.contains("complete true") && !whole[0][dir].contains(message))
                .count();
            assert_eq!(invented, 0, "without {at}");
        }
        assert_eq!(shown.count("TLS-GAP"), 1, "without {at}: {:?}", shown.notes);
        assert_eq!(shown.count("TLS-BAD-TAG"), 0, "without {at}: {:?}", shown.notes);
    }
}

/// Two captures of one connection, each of a direction, whose clocks differ: whoever comes first waits for the other.
#[test]
fn one_direction_may_come_long_before_the_other() {
    let mut session = inside();
    session.turns.truncate(40);
    let tls = Tls::around(1, &session);
    let whole = said(&seen(&tls));
    let segments = tls.session.segments();
    for ahead in [tls.session.client, tls.session.server] {
        for by in [1, 2, 3, 5, 8, 20, 1000] {
            let mut order: Vec<(usize, &Segment)> = segments.iter().enumerate().collect();
            order.sort_by_key(|(at, segment)| if segment.src == ahead { *at } else { at + by });
            let merged: Vec<Segment> = order.into_iter().map(|(_, segment)| segment.clone()).collect();
            let shown = dissect(&capture_of(&merged), &tls.log());
            assert_eq!(said(&shown), whole, "{ahead} by {by}: {:?}", shown.notes);
            let session = &shown.sessions[0].1;
            assert_eq!((session.outline.keys, session.why_not), (TlsKeys::Matched, None), "{ahead} by {by}");
        }
    }
}

/// Where too much is searched for records in all, what is kept for that is dropped, and said to be.
#[test]
fn what_is_searched_for_records_is_bounded() {
    let mut tls = sealed();
    tls.data(Client, &[7; 150_000]);
    let mut segments = tls.session.segments();
    let long = segments.iter().position(|segment| segment.payload.len() > 100_000).unwrap();
    // Its first record's header is lost: the next record stands 16 kB behind.
    segments[long] = segments[long].part(2000, segments[long].payload.len());
    let cut = recut(&segments, 1400, &mut Dice(3));
    for (seek_total, told) in [(1 << 20, 0), (9000, 1)] {
        let limits = Limits { seek_total, ..Limits::DEFAULT };
        let shown = dissect_with(&capture_of(&cut), &tls.log(), Settings { limits, ..Settings::default() });
        assert_eq!(shown.count("TLS-LIMIT"), told, "{seek_total}: {:?}", shown.notes);
    }
}

#[test]
fn a_flipped_bit_costs_its_record_only() {
    let tls = sealed();
    let whole = clear();
    let mut dice = Dice(11);
    for _ in 0..60 {
        let mut bent = tls.clone();
        let turns = bent.session.turns.len();
        let turn = 6 + dice.roll() as usize % (turns - 20);
        let bytes = &mut bent.session.turns[turn].1;
        // Not the header: that is another test's matter.
        let at = 5 + dice.roll() as usize % (bytes.len().min(16_000) - 5);
        bytes[at] ^= 1 << (dice.roll() % 8);
        let shown = seen(&bent);
        assert!(!shown.notes.iter().any(|note| note.1.contains("never captured")), "{:?}", shown.notes);
        let all = said(&shown);
        for dir in 0..2 {
            let invented = all[0][dir]
                .iter()
                .filter(|message| message.contains("complete true") && !whole[0][dir].contains(message))
                .count();
            let missing = whole[0][dir].iter().filter(|message| !all[0][dir].contains(message)).count();
            assert!(invented == 0 && missing <= 1, "turn {turn} byte {at}: {invented} {missing}");
        }
        assert_eq!(shown.count("TLS-BAD-TAG"), 1, "turn {turn} byte {at}");
    }
}

#[test]
fn a_bent_header_is_passed_over() {
    let tls = sealed();
    let whole = clear();
    for byte in 0..5 {
        for turn in [10, 14, 19] {
            let mut bent = tls.clone();
            bent.session.turns[turn].1[byte] ^= 0x80;
            let all = said(&seen(&bent));
            let missing: usize =
                (0..2).map(|dir| whole[0][dir].iter().filter(|message| !all[0][dir].contains(message)).count()).sum();
            // A length that reaches into the next record costs that one, too, and its message is not known to begin there.
            assert!(missing <= if byte < 3 { 1 } else { 3 }, "turn {turn} byte {byte}: {missing}");
        }
    }
}

/// Whatever follows a ClientHello, nothing panics, and nothing is made up.
#[test]
fn hostile_bytes_behind_a_hello_are_survived() {
    let mut dice = Dice(5);
    for n in 0..300 {
        let mut tls = Tls::bare(n);
        let hello = record(HANDSHAKE, &client_hello(tls.random, &[]));
        tls.session.turn(Client, hello);
        if n % 2 == 0 {
            tls.hellos(&[]);
        }
        for _ in 0..6 {
            let side = if dice.roll().is_multiple_of(2) { Client } else { Server };
            let mut bytes: Vec<u8> = (0..dice.roll() % 300).map(|_| dice.roll() as u8).collect();
            if !dice.roll().is_multiple_of(3) {
                bytes = record(20 + (dice.roll() % 5) as u8, &bytes);
            }
            tls.session.turn(side, bytes);
        }
        let shown = seen(&tls);
        assert!(shown.conversations.is_empty());
    }
}

/// Bytes of a handshake, bent one by one.
#[test]
fn bent_hellos_are_survived() {
    let tls = sealed();
    for turn in 0..2 {
        for byte in 0..tls.session.turns[turn].1.len() {
            for bit in [0, 7] {
                let mut bent = tls.clone();
                bent.session.turns[turn].1[byte] ^= 1 << bit;
                let shown = seen(&bent);
                assert!(shown.messages().all(|message| message.complete));
            }
        }
    }
}

#[test]
fn another_key_opens_nothing() {
    let tls = sealed();
    let wrong = key_log(&tls.random, |name| secret(name, 77));
    let shown = dissect(&capture_of(&tls.session.segments()), &wrong);
    assert!(shown.conversations.is_empty());
    assert!(matches!(shown.sessions[0].1.why_not, Some(WhyNot::WrongKey(_))), "{:?}", shown.sessions[0].1.why_not);
    assert_eq!((shown.count("TLS-WRONG-KEY"), shown.count("TLS-BAD-TAG")), (1, 0));
}

/// A key that does not fit one direction: the other is shown, and no word says that this one was not captured.
#[test]
fn another_key_for_the_server_hides_the_answer() {
    let tls = sealed();
    let wrong = |name: &str| secret(name, if name.starts_with("server") { 77 } else { 1 });
    let shown = dissect(&capture_of(&tls.session.segments()), &key_log(&tls.random, wrong));
    assert_eq!((shown.conversations.len(), shown.count("TLS-WRONG-KEY")), (1, 1), "{:?}", shown.notes);
    let answer = shown.notes.iter().find(|note| note.0 == "HS-NO-ANSWER").unwrap();
    assert!(answer.1.contains("what the server sent is not decrypted"), "{answer:?}");
}

#[test]
fn an_alert_is_told_once_and_by_name() {
    let mut tls = Tls::new(1);
    tls.sealed(Server, ALERT, &[2, 116]);
    let shown = seen(&tls);
    let alerts: Vec<_> = shown.notes.iter().filter(|note| note.0 == "TLS-ALERT").collect();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].1, "the server ended the TLS session: certificate_required (116)");
}

/// Thousands of records are lost at once: the number of the next is found, and what it carries.
#[test]
fn numbers_far_ahead_are_found() {
    let mut inside = Session::new(1);
    for n in 0..3000 {
        inside.text(Client, &format!("lost {n}"));
    }
    for n in 0..20 {
        inside.text(Client, &format!("kept {n}"));
    }
    let tls = Tls::around(1, &inside);
    let mut segments = tls.session.segments();
    let mut data = 0;
    segments.retain(|segment| {
        data += usize::from(segment.src == tls.session.client && !segment.payload.is_empty());
        !(6..2900).contains(&data) || segment.src != tls.session.client
    });
    let shown = dissect(&capture_of(&segments), &tls.log());
    let kept = shown.messages().filter(|message| message.payload.starts_with(b"kept ")).count();
    assert_eq!(kept, 20, "{:?}", shown.notes);
    assert_eq!((shown.count("TLS-GAP"), shown.count("TLS-BAD-TAG")), (1, 0));
}

/// Records that end where none begins, again and again: the stream is given up, and that takes no time.
#[test]
fn what_is_not_made_of_records_is_given_up() {
    let mut tls = Tls::new(1);
    let junk = [record(DATA, &[]), record(DATA, &[]), record(DATA, &[]), vec![0xff]].concat().repeat(1000);
    for _ in 0..100 {
        tls.session.turn(Client, junk.clone());
    }
    let began = std::time::Instant::now();
    let shown = seen(&tls);
    assert!(began.elapsed().as_secs() < 20);
    assert!((1..20).contains(&shown.count("TLS-RECORD")), "{}", shown.count("TLS-RECORD"));
    let why = shown.sessions[0].1.why_not;
    assert!(matches!(why, Some(WhyNot::NoRecords(_) | WhyNot::WrongKey(_))), "{why:?}");
}

/// A stream whose records do not open behind a hole: what is tried on it is not taken from others.
#[test]
fn one_stream_does_not_spend_the_trials_of_others() {
    let mut broken = Tls::around(1, Session::new(1).text(Server, "first"));
    let hole = broken.session.turns.len();
    broken.data(Server, b"lost");
    for n in 0..60_u8 {
        broken.session.turn(Server, record(DATA, &[n; 4000]));
    }
    let mut inside = Session::new(2);
    for n in 0..150 {
        inside.text(Server, &format!("message {n}"));
    }
    let sound = Tls::around(2, &inside);
    let lossy = |tls: &Tls, turns: std::ops::Range<usize>| {
        let lost: Vec<&Vec<u8>> = tls.session.turns[turns].iter().map(|(_, bytes)| bytes).collect();
        tls.session.segments().into_iter().filter(|segment| !lost.contains(&&segment.payload)).collect::<Vec<_>>()
    };
    let mut segments = lossy(&broken, hole..hole + 1);
    segments.extend(lossy(&sound, 40..100));
    let limits = Limits { trial_bytes: 256 << 10, ..Limits::DEFAULT };
    let settings = Settings { limits, ..Settings::default() };
    let shown = dissect_with(&capture_of(&segments), &(broken.log() + &sound.log()), settings);
    let last = shown.messages().filter(|message| message.payload == b"message 149").count();
    assert_eq!(last, 1, "{:?}", shown.notes);
}

/// Holes without end before records that do not open: what is tried is bounded by what came.
#[test]
fn trials_in_vain_are_bounded() {
    let mut tls = sealed();
    for n in 0..400_u32 {
        let noise: Vec<u8> = (0..16_000).map(|at| (at * n) as u8).collect();
        tls.session.turn(Client, record(DATA, &noise));
    }
    let segments = tls.session.segments();
    // Every second of them is lost, and much before it.
    let mut shift = 0;
    let mut at = 0;
    let lossy: Vec<Segment> = segments
        .iter()
        .filter_map(|segment| {
            let mut segment = segment.clone();
            if segment.payload.len() == 16_005 && segment.src == tls.session.client {
                at += 1;
                shift += 100_000;
                segment.seq = segment.seq.wrapping_add(shift);
                return (at % 2 == 0).then_some(segment);
            }
            if segment.src == tls.session.client {
                segment.seq = segment.seq.wrapping_add(shift);
            } else {
                segment.ack = segment.ack.wrapping_add(shift);
            }
            Some(segment)
        })
        .collect();
    let began = std::time::Instant::now();
    let shown = dissect(&capture_of(&lossy), &tls.log());
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    assert!(shown.count("TLS-BAD-TAG") >= 1, "{:?}", shown.notes.last());
}
