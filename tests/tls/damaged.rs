//! Records that were damaged on their way: each costs what it carries, wherever it stands, and is told of.

use crate::seen::{Seen, dissect};
use crate::support::craft::tls::DATA;
use crate::support::craft::*;
use wspect::model::{TlsKeys, WhyNot};

/// What is shown with the lines of the key log that have this in them.
fn shown(tls: &Tls, lines: &str) -> Seen {
    let log: String = tls.log().lines().filter(|line| line.contains(lines)).map(|line| format!("{line}\n")).collect();
    dissect(&capture_of(&tls.session.segments()), &log)
}

/// A session with messages in both directions, which are long enough to be told from noise.
fn inside() -> Session {
    let mut session = Session::new(1);
    for n in 0..10 {
        let side = if n % 2 == 0 { Client } else { Server };
        session.text(side, &format!("message {n} {}", "x".repeat(20 + 9 * n)));
    }
    session.close();
    session
}

/// Bends the last record of a turn.
fn bend(tls: &mut Tls, turn: usize) {
    let bytes = &mut tls.session.turns[turn].1;
    let at = bytes.len() - 20;
    bytes[at] ^= 4;
}

/// Nothing is shown that was not said; so many messages are.
fn check(shown: &Seen, said: &[Vec<u8>], messages: usize, what: &str) {
    let invented = |message: &&crate::support::run::Message| !said.contains(&message.payload);
    assert_eq!(shown.messages().find(invented).map(|message| &message.payload), None, "{what}: {:?}", shown.notes);
    assert_eq!(shown.messages().count(), messages, "{what}: {:?}", shown.notes);
}

fn said(session: &Session) -> Vec<Vec<u8>> {
    session.said.iter().map(|said| said.payload.clone()).collect()
}

/// The first of the data, with the secrets of the handshake and without.
#[test]
fn the_first_record_of_the_data_may_be_damaged() {
    let inside = inside();
    let tls = Tls::around(1, &inside);
    let first = tls.session.turns.len() - inside.turns.len();
    for lines in ["", "TRAFFIC_SECRET_0"] {
        for turn in [first, first + 1] {
            let mut bent = tls.clone();
            bend(&mut bent, turn);
            let (shown, what) = (shown(&bent, lines), format!("turn {turn} with {lines:?}"));
            check(&shown, &said(&inside), inside.said.len(), &what);
            assert_eq!(shown.count("TLS-BAD-TAG"), 1, "{what}: {:?}", shown.notes);
            let session = &shown.sessions[0].1;
            assert_eq!((session.outline.keys, session.why_not), (TlsKeys::Matched, Some(WhyNot::Gap)), "{what}");
        }
    }
}

/// Of the handshake: no data are missing.
#[test]
fn a_record_of_the_handshake_may_be_damaged() {
    let inside = inside();
    let tls = Tls::around(1, &inside);
    for turn in 2..tls.session.turns.len() - inside.turns.len() {
        let mut bent = tls.clone();
        bend(&mut bent, turn);
        let shown = shown(&bent, "");
        check(&shown, &said(&inside), inside.said.len(), &format!("turn {turn}"));
        let codes = shown.notes.iter().map(|note| &*note.0).filter(|code| !code.starts_with("CLOSE"));
        assert_eq!(codes.collect::<Vec<_>>(), ["TLS-BAD-TAG"], "turn {turn}: {:?}", shown.notes);
        assert_eq!(shown.sessions[0].1.why_not, None, "turn {turn}");
    }
}

/// The first record behind a KeyUpdate, of a message in two.
#[test]
fn the_first_record_of_updated_keys_may_be_damaged() {
    let mut inside = inside();
    let mut tls = Tls::around(1, &Session::new(1));
    tls.update(Server);
    inside.binary(Server, vec![b'A'; 20_000]);
    let long = inside.turns.pop().unwrap();
    let all = tls.session.turns.len();
    tls.data(long.0, &long.1);
    inside.turns[2..].iter().for_each(|(side, bytes)| _ = tls.data(*side, bytes));
    tls.session.turns[all].1[100] ^= 1;
    let shown = shown(&tls, "");
    check(&shown, &said(&inside), inside.said.len() - 1, "behind a KeyUpdate");
    assert_eq!(shown.count("TLS-BAD-TAG"), 1, "{:?}", shown.notes);
    assert_eq!(shown.sessions[0].1.why_not, Some(WhyNot::Gap));
    // It is the last that comes.
    tls.session.turns.truncate(all + 1);
    tls.session.turns[all].1.truncate(5 + 16_000 + 17);
    let shown = self::shown(&tls, "");
    assert_eq!((shown.count("TLS-BAD-TAG"), shown.sessions[0].1.why_not), (1, Some(WhyNot::Gap)), "{:?}", shown.notes);
}

/// The KeyUpdate itself: what follows is sealed with keys of which nothing that was read says that they are in use.
#[test]
fn a_key_update_may_be_damaged() {
    for side in [Client, Server] {
        let inside = inside();
        let mut tls = Tls::around(1, &Session::new(1));
        let at = tls.session.turns.len();
        tls.update(side);
        inside.turns[2..].iter().for_each(|(side, bytes)| _ = tls.data(*side, bytes));
        assert_eq!(tls.session.turns[at].1[0], DATA);
        bend(&mut tls, at);
        let shown = shown(&tls, "");
        check(&shown, &said(&inside), inside.said.len(), &format!("{side:?}"));
        assert_eq!(shown.count("TLS-BAD-TAG"), 1, "{side:?}: {:?}", shown.notes);
    }
}
