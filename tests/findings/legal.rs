//! What is legal and often misread raises nothing that warns.

use super::support::craft::*;
use super::{capture_of, paced, server_first, talk, told, turn};
use wspect::model::Severity;

#[track_caller]
fn is_legal(session: &Session) {
    let told = told(&capture_of(&server_first(session)));
    assert!(told.findings.is_empty(), "{:?}", told.findings);
}

fn close(session: &mut Session) {
    session.close();
}

#[test]
fn pings_between_fragments() {
    is_legal(&talk(|session| {
        session.parts(Client, TEXT, &[b"a".to_vec(), b"b".to_vec(), b"c".to_vec()], true);
        session.say(Server, PONG, "p1");
        close(session);
    }));
}

/// Until the other Close comes, a ping is to be answered (RFC 6455 §5.5.2).
#[test]
fn a_pong_between_the_two_closes() {
    is_legal(&talk(|session| {
        let close = || Frame::close(1000, "").payload;
        session.say(Client, CLOSE, close()).heartbeat(Server, "p").say(Server, CLOSE, close());
    }));
}

#[test]
fn an_empty_close() {
    is_legal(&talk(|session| _ = session.say(Client, CLOSE, "").say(Server, CLOSE, "")));
}

#[test]
fn fragments_and_messages_without_a_byte() {
    is_legal(&talk(|session| {
        let empty = || vec![Vec::new(), b"x".to_vec(), Vec::new()];
        session.parts(Server, TEXT, &empty(), false).parts(Client, BINARY, &empty(), false);
        session.parts(Server, TEXT, &[Vec::new(), Vec::new()], false).text(Client, "").binary(Server, "");
        close(session);
    }));
}

#[test]
fn a_server_that_speaks_first() {
    let mut session = Session::bare(1);
    let welcome = Frame::new(TEXT, "welcome").bytes();
    session.turn(Client, request("/", "")).turn(Server, [response(""), welcome].concat());
    close(&mut session);
    is_legal(&session);
}

#[test]
fn compression_that_is_agreed_on_and_not_used() {
    let mut session = Deflated::new(0, [true; 2], [15; 2]).session;
    session.text(Server, "plain").text(Client, "plain too");
    close(&mut session);
    is_legal(&session);
}

#[test]
fn compressed_and_plain_messages_side_by_side() {
    let mut deflated = Deflated::new(0, [true; 2], [15; 2]);
    deflated.say(Server, TEXT, "hello").say(Client, TEXT, "").session.text(Server, "plain");
    deflated.say(Server, TEXT, "hello");
    close(&mut deflated.session);
    is_legal(&deflated.session);
}

#[test]
fn pongs_as_a_heartbeat() {
    let session = talk(|session| {
        for _ in 0..3 {
            session.say(Client, PONG, "").say(Client, PONG, "alive");
        }
        close(session);
    });
    is_legal(&session);
    // Also while the other end's pings wait, as long as those are answered in the end.
    let session = talk(|session| {
        session.say(Server, PING, "1").say(Client, PONG, "alive").say(Client, PONG, "1");
        close(session);
    });
    is_legal(&session);
}

#[test]
fn one_pong_for_several_pings() {
    let session = talk(|session| {
        session.say(Server, PING, "1").say(Server, PING, "2").say(Server, PING, "3").say(Client, PONG, "3");
        close(session);
    });
    let told = told(&paced(&server_first(&session), &[(turn(6), 60_000)]));
    assert!(told.findings.is_empty(), "{:?}", told.findings);
}

#[test]
fn a_ping_that_a_close_frame_overtakes() {
    let session = talk(|session| {
        session.say(Server, PING, "1");
        close(session);
    });
    let told = told(&paced(&server_first(&session), &[(turn(5), 60_000)]));
    assert!(!told.has("PING-UNANSWERED"), "{:?}", told.findings);
}

#[test]
fn many_messages_in_one_segment() {
    let mut session = talk(|session| _ = session.text(Server, "0"));
    for n in 1..300 {
        session.glue(&Frame::new(TEXT, format!("{n}")).bytes());
    }
    close(&mut session);
    is_legal(&session);
}

#[test]
fn private_close_codes() {
    for code in [3999, 4000, 4999] {
        let body = Frame::close(code, "see the manual").payload;
        is_legal(&talk(|session| _ = session.say(Server, CLOSE, body.clone()).say(Client, CLOSE, body)));
    }
}

/// What may be worth knowing is told as a note, which no build fails for.
#[test]
fn a_client_that_ends_tcp_first_is_a_note() {
    let told = told(&capture_of(&talk(close).segments()));
    assert!(told.findings.iter().all(|(_, _, severity)| *severity == Severity::Note), "{:?}", told.findings);
}
