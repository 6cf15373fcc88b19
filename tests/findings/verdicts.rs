//! Every connection has a verdict: how and why it ended, and the packets that show it.

use super::support::craft::*;
use super::support::run::{Input, records, wspect_with};
use super::{Told, capture_of, paced, reset, server_first, talk, told, turn};
use wspect::model::{EndedBy, Ending, State, Verdict};

fn verdict(told: &Told) -> Verdict {
    let [row] = told.rows.as_slice() else { panic!("{} connections", told.rows.len()) };
    row.verdict()
}

/// A verdict, its kind and its evidence.
#[track_caller]
fn ends(file: &[u8], ending: Ending, text: &str, evidence: &[u64]) {
    let verdict = verdict(&told(file));
    assert_eq!((verdict.ending, verdict.text.as_str()), (ending, text));
    assert_eq!(verdict.evidence.iter().map(|packet| packet.0).collect::<Vec<_>>(), evidence);
}

/// TCP may end while the rest of the challenge is waited for, without which the answer is not read.
#[test]
fn ended_within_a_handshake() {
    let mut session = Session::bare(1);
    let (asked, answer) = (Draft::Hixie76.request("/", ""), Draft::Hixie76.response("/", ""));
    session.turn(Client, &asked[..asked.len() - 8]).turn(Server, &answer[..answer.len() - 16]);
    let file = capture_of(&session.segments());
    ends(
        &file,
        Ending::Fin,
        "TCP FIN from the client (frame 8) without a Close frame, 200 µs after the upgrade (frame 6)",
        &[6, 8, 9],
    );
    let [row] = records("handshake", Input::Bytes(&file)).try_into().unwrap();
    let checks = row["checks"].as_array().unwrap().iter().filter(|check| check["code"] == "HS-CHALLENGE");
    assert_eq!(
        checks.map(|check| check["ok"].as_bool()).collect::<Vec<_>>(),
        [Some(false)],
        "kept or broken, not both"
    );
}

/// The line about the end has the time of the end, however much later all of it is known.
#[test]
fn the_end_of_a_conversation_has_its_time() {
    let session = talk(|session| _ = session.text(Client, "hello"));
    let mut segments = session.segments();
    let own = segments.len();
    segments.extend(Session::sample(2).segments());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), paced(&segments, &[(own, 60_000)])).unwrap();
    let text = String::from_utf8(wspect_with(&["follow"], file.path(), &["1"]).stdout).unwrap();
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("     0.000900  TCP FIN from the client (frame 10) without a Close frame"), "{text}");
}

#[test]
fn closed_cleanly() {
    let session = talk(|session| _ = session.text(Server, "hello").close());
    ends(
        &paced(&server_first(&session), &[(turn(4), 20), (turn(5), 300)]),
        Ending::Clean,
        "closed by the client with 1000 (normal closure) \"done\"; the server answered after 20.2 ms; \
         TCP FIN from the server, 300 ms later",
        &[10, 12, 14, 15],
    );
    let empty = talk(|session| _ = session.say(Server, CLOSE, "").say(Client, CLOSE, Frame::close(1001, "").payload));
    ends(
        &capture_of(&Session { fin: false, ..empty }.segments()),
        Ending::Clean,
        "closed by the server with an empty Close frame; the client answered with 1001 (going away) after 200 µs; \
         TCP was open when the capture ended, 100 µs later",
        &[8, 10],
    );
}

#[test]
fn closed_without_an_answer() {
    let session = talk(|session| _ = session.say(Server, CLOSE, Frame::close(1011, "").payload));
    ends(
        &capture_of(&reset(&session)),
        Ending::NoReply,
        "closed by the server with 1011 (internal error); the client did not answer; \
         TCP RST from the client, 200 µs later",
        &[8, 10],
    );
}

#[test]
fn ended_by_tcp_alone() {
    let session = talk(|session| _ = session.text(Client, "hello"));
    ends(
        &paced(&session.segments(), &[(turn(3), 2_300)]),
        Ending::Fin,
        "TCP FIN from the client (frame 10) without a Close frame, 2.3s after the last message (frame 8)",
        &[8, 10, 11],
    );
    ends(
        &paced(&reset(&session), &[(turn(3), 60_000)]),
        Ending::Rst,
        "TCP RST from the server (frame 10) without a Close frame, 1m00s after the last message (frame 8); \
         suspect a proxy or server that cuts what is idle for 60 seconds",
        &[8, 10],
    );
    ends(
        &paced(&talk(|_| ()).segments(), &[(turn(2), 5_000)]),
        Ending::Fin,
        "TCP FIN from the client (frame 8) without a Close frame, 5.0s after the upgrade (frame 6)",
        &[6, 8, 9],
    );
}

#[test]
fn ended_after_unanswered_pings() {
    let session = talk(|session| _ = session.text(Client, "hello").say(Server, PING, "1").say(Server, PING, "2"));
    let file = paced(&server_first(&session), &[(turn(4), 10_000), (turn(5), 10_000)]);
    ends(
        &file,
        Ending::Timeout,
        "TCP FIN from the server (frame 14) without a Close frame, 10.0s after the last message (frame 12); \
         2 pings of the server went unanswered for 20.0s",
        &[10, 12, 14, 15],
    );
    let told = told(&file);
    assert_eq!(told.rows[0].ended_by(), Some(EndedBy::Timeout));
    assert_eq!(told.sentence("PING-UNANSWERED"), "2 pings of the server went unanswered for 20.0s");
}

#[test]
fn refused_or_never_answered() {
    let answer = |answer: &str| {
        let mut session = Session::bare(1);
        session.turn(Client, request("/", ""));
        if !answer.is_empty() {
            session.turn(Server, format!("{answer}\r\nContent-Length: 0\r\n\r\n"));
        }
        session
    };
    ends(
        &capture_of(&answer("HTTP/1.1 404 Not Found").segments()),
        Ending::Refused,
        "the upgrade was refused with 404 Not Found: there is nothing at this path of this host",
        &[4, 6],
    );
    ends(
        &paced(&answer("").segments(), &[(turn(1), 30_000)]),
        Ending::NoAnswer,
        "the upgrade was not answered; TCP FIN from the client (frame 6), 30.0s later",
        &[4, 6],
    );
    ends(
        &capture_of(&Session { fin: false, ..answer("") }.segments()),
        Ending::NoAnswer,
        "the upgrade was not answered when the capture ended, 100 µs later",
        &[4],
    );
}

/// A 101 to something else is an answer, yet no WebSocket: state, ending and verdict say the same.
#[test]
fn switched_to_something_else() {
    let switched = |to: &str| {
        let mut session = Session::bare(1);
        session.turn(Client, request("/", ""));
        session
            .turn(Server, format!("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {to}\r\n\r\n"));
        capture_of(&session.segments())
    };
    let file = switched("foo/2");
    ends(&file, Ending::Refused, "the server switched to foo/2, not to WebSocket", &[4, 6]);
    let told = told(&file);
    assert_eq!(told.rows[0].state(), State::Rejected);
    assert_eq!(told.rows[0].handshake.as_ref().unwrap().accepted, Some(true));
    assert_ne!(verdict(&super::told(&switched("foo/2, websocket"))).ending, Ending::Refused);
}

#[test]
fn not_ended() {
    let session = talk(|session| _ = session.text(Client, "hello"));
    let open = Session { fin: false, ..session };
    ends(
        &paced(&open.segments(), &[(turn(3) - 1, 12_000)]),
        Ending::Open,
        "open when the capture ended, 12.0s after the last message (frame 8)",
        &[8],
    );
    let mut twice = open.segments();
    twice.extend(Session { isn: [7_000_000, 9], ..open }.segments());
    let told = told(&paced(&twice, &[(turn(3), 1_000)]));
    let first = told.rows[0].verdict();
    assert_eq!(first.ending, Ending::Replaced, "{}", first.text);
}

/// A Close frame may be in what was lost: the verdict does not say that there was none.
#[test]
fn a_loss_is_named() {
    let session = talk(|session| _ = session.text(Client, "hello").text(Client, "more").text(Client, "and more"));
    let mut segments = session.segments();
    segments.remove(turn(3));
    let verdict = verdict(&told(&capture_of(&segments)));
    assert!(
        verdict.text.ends_with("; bytes of the client were lost, and a Close frame may be among them"),
        "{}",
        verdict.text
    );
}
