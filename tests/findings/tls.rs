//! Findings about TLS.

use super::support::craft::tls::{ALERT, HANDSHAKE, client_hello, key_log, record, server_hello};
use super::support::craft::*;
use super::{Case, Limits, capture_of, case};

/// A case that is read with a key log; the near miss with the same one.
fn keyed(code: &'static str, raises: Vec<u8>, spares: Vec<u8>, keys: &str) -> Case {
    Case { keys: [keys.to_owned(), keys.to_owned()], ..case(code, raises, spares) }
}

/// A session in which the client says three things.
fn talk() -> Tls {
    Tls::around(1, Session::new(1).text(Client, "one").text(Client, "two").text(Client, "three"))
}

/// A session of that version and suite that goes as far as the first sealed record.
fn of_suite(version: u16, suite: u16) -> Vec<u8> {
    let mut tls = Tls::bare(1);
    tls.session.turn(Client, record(HANDSHAKE, &client_hello(tls.random, &[])));
    tls.session.turn(Server, record(HANDSHAKE, &server_hello([1; 32], version, suite)));
    tls.session.turn(Client, [record(20, &[1]), record(HANDSHAKE, &[0x33; 40])].concat());
    capture_of(&tls.session.segments())
}

/// The segments of a session without the `n`th that carries data.
fn without(session: &Session, n: usize) -> Vec<Segment> {
    let mut segments = session.segments();
    let at = segments.iter().enumerate().filter(|(_, segment)| !segment.payload.is_empty()).nth(n).unwrap().0;
    segments.remove(at);
    segments
}

/// A session that pings so often.
fn heartbeats(times: usize) -> Vec<u8> {
    let mut session = Session::new(1);
    for _ in 0..times {
        session.heartbeat(Server, "beat");
    }
    capture_of(&Tls::around(1, &session).session.segments())
}

pub(super) fn cases() -> Vec<Case> {
    let whole = talk();
    let (capture, keys) = (capture_of(&whole.session.segments()), whole.log());
    let of_another = Tls::bare(2).log();
    let wrong = key_log(&whole.random, |_| vec![7; 32]);
    let mut flipped = whole.clone();
    *flipped.session.turns[7].1.last_mut().unwrap() ^= 1;
    let mut odd = whole.clone();
    odd.session.turns.insert(6, (Client, b"no record".to_vec()));
    let mut midstream = whole.clone();
    midstream.session.turns.remove(0);
    let long = Tls::around(1, Session::new(1).text(Client, "one").text(Server, &"two".repeat(450)));
    let ended = |level, description| {
        let mut tls = Tls::bare(1);
        tls.hellos(&[]).flight("http/1.1").sealed(Client, ALERT, &[level, description]);
        capture_of(&tls.session.segments())
    };
    let refused = |description| {
        let mut tls = Tls::bare(1);
        tls.session.turn(Client, record(HANDSHAKE, &client_hello(tls.random, &[])));
        tls.session.turn(Server, record(ALERT, &[2, description]));
        capture_of(&tls.session.segments())
    };
    let late = {
        let mut segments = whole.session.segments();
        let at = segments.len() - 9;
        segments.swap(at, at + 2);
        capture_of(&segments)
    };
    let cut = |len: usize| {
        let mut packets = packets(&long.session.segments(), &Wire::default());
        let longest = packets.iter_mut().max_by_key(|packet| packet.bytes.len()).unwrap();
        longest.bytes.truncate(len);
        Pcap::default().file(&packets)
    };
    let late_keys = {
        let mut file = Ng::new(false);
        file.bytes = pcapng(&packets(&whole.session.segments(), &Wire::default()), false);
        let log = whole.log();
        let body = [b"KSLT", &(log.len() as u32).to_le_bytes()[..], log.as_bytes()].concat();
        file.block(10, &body).bytes.clone()
    };
    vec![
        Case { keys: [of_another.clone(), keys.clone()], ..case("NO-KEYS", capture.clone(), capture.clone()) },
        Case { keys: [of_another, String::new()], ..case("NO-KEYS", capture.clone(), capture.clone()) },
        Case { keys: [wrong, keys.clone()], ..case("TLS-WRONG-KEY", capture.clone(), capture.clone()) },
        keyed("TLS-HANDSHAKE", capture_of(&midstream.session.segments()), capture.clone(), &keys),
        keyed("TLS-UNSUPPORTED", of_suite(0x0303, 0x0007), of_suite(0x0303, 0xc02f), &keys),
        keyed("TLS-BAD-TAG", capture_of(&flipped.session.segments()), capture.clone(), &keys),
        keyed("TLS-GAP", capture_of(&without(&whole.session, 6)), late, &keys),
        case("TLS-LIKELY", heartbeats(20), heartbeats(2)),
        keyed("TLS-UNVERIFIED", cut(1000), cut(usize::MAX), &long.log()),
        Case {
            limits: Limits { key_wait_bytes: 5000, ..Limits::DEFAULT },
            ..case("TLS-LIMIT", late_keys.clone(), late_keys)
        },
        keyed("TLS-RECORD", capture_of(&odd.session.segments()), capture.clone(), &keys),
        keyed("TLS-ALERT", refused(40), refused(0), ""),
        keyed("TLS-ALERT", ended(2, 42), ended(2, 0), &keys),
        keyed("TLS-ALERT", ended(1, 48), ended(1, 90), &keys),
    ]
}
