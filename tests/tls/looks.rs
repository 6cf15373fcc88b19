//! Sessions without a key: those that behave like a WebSocket are told of, and nothing else is.

use crate::seen::{Seen, dissect};
use crate::support::craft::tls::{HANDSHAKE, client_hello, key_log, message, record, secret, server_hello};
use crate::support::craft::*;
use crate::support::{capture, find};
use wspect::model::hex;

/// Dissects a session without its key, with so many milliseconds between two packets.
fn keyless(tls: &Tls, millis: i64) -> Seen {
    paced(tls, millis, "")
}

/// The same with these keys.
fn paced(tls: &Tls, millis: i64, keys: &str) -> Seen {
    let mut packets = packets(&tls.session.segments(), &Wire::default());
    for (packet, at) in packets.iter_mut().zip(0..) {
        packet.time = time_of(0) + at * millis * 1_000_000;
    }
    dissect(&Pcap::default().file(&packets), keys)
}

/// A session after its handshake, whose client offers these extensions.
fn open(extensions: &[u8]) -> Tls {
    let mut tls = Tls::bare(1);
    tls.session.turn(Client, record(HANDSHAKE, &client_hello(tls.random, extensions)));
    tls.answer(false);
    tls.keys(Client, "client handshake").finish(Client);
    tls
}

const H2: &[u8] = &[0, 16, 0, 14, 0, 12, 2, b'h', b'2', 8, b'h', b't', b't', b'p', b'/', b'1', b'.', b'1'];
const HTTP1: &[u8] = &[0, 16, 0, 11, 0, 9, 8, b'h', b't', b't', b'p', b'/', b'1', b'.', b'1'];

/// What is said: by whom, and how many bytes.
fn say(extensions: &[u8], turns: &[(Side, usize)]) -> Tls {
    let mut tls = open(extensions);
    for &(side, len) in turns {
        tls.data(side, &vec![b'x'; len]);
    }
    tls
}

fn often(turns: &[(Side, usize)]) -> Vec<(Side, usize)> {
    let upgrade = [(Client, 400), (Server, 160)];
    upgrade.into_iter().chain(std::iter::repeat_n(turns, 20).flatten().copied()).collect()
}

#[test]
fn a_session_that_behaves_like_a_websocket_is_a_connection() {
    let heartbeats = often(&[(Server, 2), (Client, 6)]);
    let feed = often(&[(Server, 900), (Server, 1200), (Server, 2), (Client, 6)]);
    let chat = often(&[(Client, 50), (Server, 120), (Client, 300), (Server, 80), (Client, 31), (Client, 40)]);
    for (what, turns) in [("heartbeats", heartbeats), ("feed", feed), ("chat", chat)] {
        let mut unnamed = say(&[], &turns);
        let at = unnamed.session.turns[0].1.windows(4).position(|four| *four == HTTP1[..4]).unwrap();
        unnamed.session.turns[0].1[at] = 0xfa;
        for tls in [say(&[], &turns), unnamed] {
            let seen = keyless(&tls, 200);
            assert_eq!((seen.conversations.len(), seen.count("TLS-LIKELY")), (1, 1), "{what}: {:?}", seen.notes);
            assert_eq!(seen.messages().count(), 0);
            assert!(seen.sessions[0].0.is_some());
            // The key that is missing.
            assert_eq!(seen.details, [("TLS-LIKELY".to_owned(), hex(&tls.random))], "{what}");
        }
        assert_eq!(keyless(&say(H2, &turns), 200).conversations.len(), 0, "{what}: h2 is likelier");
    }
}

/// Also where the capture might have brought the key, so that all was held until its end; up to TLS 1.2 each side changes its keys
/// for itself.
#[test]
fn what_waited_for_its_key_in_vain_is_looked_at() {
    let heartbeats = often(&[(Server, 2), (Client, 6)]);
    let mut older = Tls::bare(1);
    older.session.turn(Client, record(HANDSHAKE, &client_hello(older.random, HTTP1)));
    older.session.turn(Server, record(HANDSHAKE, &server_hello([5; 32], 0x0303, 0xc02f)));
    for side in [Client, Server] {
        older.session.turn(side, record(20, &[1])).turn(side, record(HANDSHAKE, &[9; 40]));
    }
    for &(side, len) in &heartbeats {
        older.session.turn(side, record(23, &vec![8; len + 24]));
    }
    for (version, tls) in [("1.2", older), ("1.3", say(HTTP1, &heartbeats))] {
        let mut packets = packets(&tls.session.segments(), &Wire::default());
        for (packet, at) in packets.iter_mut().zip(0..) {
            packet.time = time_of(0) + at * 200_000_000;
        }
        for (format, file) in [("pcap", Pcap::default().file(&packets)), ("pcapng", pcapng(&packets, false))] {
            let seen = dissect(&file, "");
            assert_eq!(seen.count("TLS-LIKELY"), 1, "{version} {format}: {:?}", seen.notes);
        }
    }
}

#[test]
fn what_else_uses_tls_is_none() {
    let cases = [
        ("requests", often(&[(Client, 380), (Server, 700)])),
        ("short answers", often(&[(Client, 380), (Server, 30)])),
        ("bodies of their own", often(&[(Client, 380), (Client, 12), (Server, 30)])),
        ("bodies that wait", often(&[(Client, 380), (Server, 25), (Client, 12), (Server, 200)])),
        ("events", often(&[(Server, 20)])),
        ("a download", often(&[(Server, 16_000)])),
        ("an upload in pieces", often(&[(Client, 20)])),
        ("a mail client", [(Server, 60), (Client, 20)].repeat(20)),
        ("short queries", [(Client, 20), (Server, 300)].repeat(20)),
        ("one exchange", vec![(Client, 400), (Server, 160), (Client, 2)]),
    ];
    for (what, turns) in cases {
        for millis in [0, 20, 2000] {
            let seen = keyless(&say(HTTP1, &turns), millis);
            assert_eq!((seen.conversations.len(), seen.count("TLS-LIKELY")), (0, 0), "{what}: {:?}", seen.notes);
        }
    }
}

/// Protocols with requests of their own: they say something else first, or what no frame is short enough for.
#[test]
fn what_greets_otherwise_is_none() {
    let mqtt =
        [&[(Client, 300), (Server, 4), (Client, 30), (Server, 400)][..], &[(Client, 40), (Server, 80)].repeat(20)];
    let pings =
        [&[(Client, 300), (Server, 150)][..], &[(Client, 4), (Server, 400), (Client, 2), (Server, 2)].repeat(20)];
    let xmpp =
        [&[(Client, 160), (Server, 400), (Client, 200), (Server, 50)][..], &[(Client, 1), (Server, 60)].repeat(20)];
    let imap = [
        &[(Server, 48), (Client, 14), (Server, 150), (Client, 330), (Server, 200)][..],
        &[(Client, 17), (Server, 300)].repeat(20),
    ];
    for (what, turns) in [("MQTT", mqtt), ("pings of MQTT", pings), ("XMPP", xmpp), ("IMAP", imap)] {
        let seen = keyless(&say(&[], &turns.concat()), 2000);
        assert_eq!(seen.conversations.len(), 0, "{what}: {:?}", seen.notes);
    }
    let mut certified = Tls::bare(1);
    certified.session.turn(Client, record(HANDSHAKE, &client_hello(certified.random, &[])));
    certified.answer(false);
    certified.keys(Client, "client handshake").sealed(Client, HANDSHAKE, &message(11, &[0; 1500]));
    certified.finish(Client);
    for _ in 0..20 {
        certified.data(Client, &[b'x'; 30]).data(Server, &[b'y'; 200]);
    }
    let seen = keyless(&certified, 500);
    assert_eq!(seen.conversations.len(), 0, "behind a certificate: {:?}", seen.notes);
}

/// Some secrets are known, but those of the data are not, or are wrong.
#[test]
fn what_no_known_secret_opens_is_looked_at() {
    let tls = say(&[], &often(&[(Server, 2), (Client, 6)]));
    let of = |word: &str| {
        let log = tls.log();
        log.lines().filter(|line| line.contains(word)).map(|line| format!("{line}\n")).collect::<String>()
    };
    let bad = key_log(&tls.random, |name| secret(name, if name.ends_with("data") { 77 } else { 1 }));
    let worse = key_log(&tls.random, |name| secret(name, 77));
    let cases = [
        ("handshake", of("HANDSHAKE")),
        ("the server's handshake", of("SERVER_HANDSHAKE")),
        ("other data", bad),
        ("all others", worse),
    ];
    for (what, keys) in cases {
        let seen = paced(&tls, 200, &keys);
        assert_eq!((seen.conversations.len(), seen.count("TLS-LIKELY")), (1, 1), "{what}: {:?}", seen.notes);
        assert_eq!(seen.messages().count(), 0, "{what}");
    }
    assert_eq!(paced(&say(&[], &often(&[(Client, 380), (Server, 700)])), 200, &of("HANDSHAKE")).conversations.len(), 0);
}

/// Of the lab's captures those at the pace of a program are told of where they last; what is found is a WebSocket, whatever the pace.
/// Behind a hole the records are found again, and looked at: nothing is kept until then but what is searched.
#[test]
fn a_session_is_looked_at_behind_a_hole() {
    let heartbeats = often(&[(Server, 2), (Client, 6)]);
    let tls = say(&[], &heartbeats);
    let segments = tls.session.segments();
    for lost in 14..24 {
        let mut packets = packets(&segments, &Wire::default());
        for (packet, at) in packets.iter_mut().zip(0..) {
            packet.time = time_of(0) + at * 200_000_000;
        }
        packets.remove(lost);
        let seen = dissect(&Pcap::default().file(&packets), "");
        assert_eq!(seen.count("TLS-LIKELY"), 1, "without {lost}: {:?}", seen.notes);
    }
}

/// Of a session whose beginning was not captured only empty pings tell: what is asked and answered otherwise, or all at once, is none.
#[test]
fn from_its_middle_a_session_is_known_by_its_pings() {
    let cases = [
        (vec![(Server, 2), (Client, 6)], 600, 1),
        (vec![(Client, 6), (Server, 2)], 600, 1),
        (vec![(Server, 2), (Client, 6), (Server, 80), (Client, 31)], 600, 1),
        (vec![(Server, 2), (Client, 6)], 20, 0),
        (vec![(Server, 2), (Client, 6)], 11_000, 0),
        (vec![(Client, 2), (Server, 2)], 600, 0),
        (vec![(Client, 20), (Server, 24)], 600, 0),
        (vec![(Server, 2), (Server, 6)], 600, 0),
    ];
    for (turns, millis, told) in cases {
        let tls = say(&[], &often(&turns));
        let mut packets = packets(&tls.session.segments()[17..], &Wire::default());
        for (packet, at) in packets.iter_mut().zip(0..) {
            packet.time = time_of(0) + at * millis * 1_000_000;
        }
        let seen = dissect(&Pcap::default().file(&packets), "");
        assert_eq!((seen.conversations.len(), seen.count("TLS-LIKELY")), (0, told), "{turns:?}: {:?}", seen.notes);
    }
}

#[test]
fn captures_without_their_keys() {
    for (name, least) in [
        ("base_tls", 2),
        ("tls_tls12", 0),
        ("tls_tls13", 2),
        ("chromium_wss13", 2),
        ("tls_resume13", 0),
        ("proxy_connect", 6),
        ("chromium_h2", 0),
    ] {
        let path = find("lab", &format!("{name}.pcap")).or_else(|| capture("lab", &format!("{name}.pcap")));
        let Some(path) = path else { continue };
        let mut packets = read(&std::fs::read(&path).unwrap());
        let keys = std::fs::read_to_string(path.with_extension("keys")).unwrap();
        let whole = dissect(&Pcap::default().file(&packets), &keys);
        let known: Vec<u64> = whole.conversations.iter().map(|of| of.stream).collect();
        let mut found = 0;
        for pace in [1, 30, 10] {
            let start = packets[0].time;
            packets.iter_mut().for_each(|packet| packet.time = start + (packet.time - start) * pace);
            let seen = dissect(&Pcap::default().file(&packets), "");
            let likely: Vec<u64> = seen.conversations.iter().map(|of| of.stream).collect();
            assert!(likely.iter().all(|stream| known.contains(stream)), "{name}: {likely:?} of {known:?}");
            found = likely.len();
        }
        assert!(found >= least, "{name}: {found} of {known:?}");
    }
}
