//! What is said where secrets are missing: which, and of whom.

use crate::seen::{Seen, dissect};
use crate::support::craft::*;
use std::path::Path;
use wspect::model::{TlsKeys, WhyNot, hex};

/// What is said of the first session.
fn told(seen: &Seen) -> (TlsKeys, Option<WhyNot>, usize) {
    let session = &seen.sessions[0].1;
    (session.outline.keys, session.why_not, seen.count("NO-KEYS"))
}

/// Lines of the session's random whose secrets are of no use in TLS 1.3.
#[test]
fn secrets_of_other_uses_are_told_from_those_of_the_handshake() {
    let tls = Tls::around(1, Session::new(1).text(Client, "hello").close());
    let capture = capture_of(&tls.session.segments());
    let log = tls.log();
    let line = |label: &str| log.lines().find(|line| line.starts_with(label)).map(|line| format!("{line}\n")).unwrap();
    let seen = dissect(&capture, &format!("CLIENT_RANDOM {} {}\n", hex(&tls.random), "a5".repeat(48)));
    assert_eq!(told(&seen), (TlsKeys::None, Some(WhyNot::OtherSecrets), 1), "{:?}", seen.notes);
    let seen = dissect(&capture, &line("CLIENT_EARLY"));
    assert_eq!(told(&seen), (TlsKeys::Partial, Some(WhyNot::OtherSecrets), 1), "{:?}", seen.notes);
    let seen = dissect(&capture, &line("SERVER_HANDSHAKE"));
    assert_eq!(told(&seen), (TlsKeys::Partial, Some(WhyNot::OnlyHandshake), 1), "{:?}", seen.notes);
}

/// Up to TLS 1.2 there is one secret, of both directions.
#[test]
fn secrets_of_tls_1_3_are_none_before() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let keys = std::fs::read_to_string(data.join("tls_tls12.keys")).unwrap();
    let keys = keys.replace("CLIENT_RANDOM", "SERVER_TRAFFIC_SECRET_0");
    let seen = dissect(&std::fs::read(data.join("tls_tls12.pcap")).unwrap(), &keys);
    assert!(seen.sessions.len() > 10);
    for (_, session) in &seen.sessions {
        assert_eq!((session.outline.keys, session.why_not), (TlsKeys::None, Some(WhyNot::OtherSecrets)));
    }
}
