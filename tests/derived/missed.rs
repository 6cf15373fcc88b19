//! Captures that lack a part of the HTTP before a WebSocket, or one of its sides: what went before an upgrade is not taken for
//! a part of it, and what was captured of it is found.

use super::support::craft::*;
use super::support::run::{Input, conversations, findings, string};
use super::says;

/// Where the segment stands that is this turn.
const fn at(turn: usize) -> usize {
    3 + 2 * turn
}

/// A request that names its protocol wrongly, or another, and is answered with a WebSocket.
#[test]
fn what_the_server_takes_for_an_upgrade_is_one() {
    let key = format!("Sec-WebSocket-Key: {KEY}\r\n");
    let asked =
        |n: usize, name: &str| String::from_utf8(request(&format!("/{n}"), "")).unwrap().replace("websocket\r", name);
    let names = ["websocket/13\r", "\"websocket\"\r", "WebSockets\r", "h2c\r"];
    for (n, name) in names.iter().enumerate() {
        for with_key in [true, false] {
            let mut session = Session::sample(n);
            session.turns[0].1 = asked(n, name).into_bytes();
            if !with_key {
                session.turns[0].1 = asked(n, name).replace(&key, "").into_bytes();
            }
            let file = capture_of(&session.segments());
            says(&file, std::slice::from_ref(&session), name);
            let found = findings(Input::Bytes(&file));
            let text = found.iter().find(|(code, _)| code == "HS-UPGRADE").map(|(_, record)| string(record, "text"));
            assert!(text.is_some_and(|text| text.ends_with(name.trim())), "{name}: {found:?}");
        }
    }
    // What leads elsewhere is none, and a refusal is one of what names it.
    let answered = |name: &str, answer: &str| {
        let mut session = Session::bare(1);
        session.turn(Client, asked(1, name)).turn(Server, answer);
        let file = capture_of(&session.segments());
        let codes: Vec<String> = findings(Input::Bytes(&file)).into_iter().map(|(code, _)| code).collect();
        (conversations(Input::Bytes(&file)).len(), codes)
    };
    let switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let refused = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(answered("h2c\r", switched).0, 0);
    assert_eq!(answered("h2c\r", refused).0, 0);
    let (count, codes) = answered("websocket/13\r", refused);
    assert_eq!((count, codes), (1, vec!["HS-UPGRADE".to_owned(), "HS-BAD-REQUEST".to_owned()]));
}

/// The first bytes that were captured are the rest of a head, and of no frame.
#[test]
fn the_end_of_a_head_is_called_so() {
    for cut in [20, 50, 70, 100] {
        let mut session = Session::new(1);
        for nth in 0..6 {
            session.text(Client, &format!("hello {nth}")).text(Server, &format!("world {nth}"));
        }
        let mut segments = session.segments();
        let len = segments[at(1)].payload.len();
        segments[at(1)] = segments[at(1)].part(cut, len);
        let file = capture_of(&segments[at(1)..]);
        says(&file, std::slice::from_ref(&session), &format!("{cut}"));
        let texts: Vec<String> =
            findings(Input::Bytes(&file)).iter().map(|(_, record)| string(record, "text")).collect();
        // Of a header's value alone nothing is known.
        let what = if cut < 100 { "are the end of the answer's head" } else { "belong to what began before" };
        let said = format!("the first {} bytes captured {what}: ", len - cut);
        assert!(texts.iter().any(|text| text.starts_with(&said)), "{cut}: {texts:?}");
    }
}
