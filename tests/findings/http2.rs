//! Findings about HTTP/2 and the handshakes in it.

use super::support::craft::*;
use super::{Case, capture_of, case, told};
use wspect::model::Limits;

/// The capture of a connection.
fn shown(h2: &H2) -> Vec<u8> {
    capture_of(&h2.session.segments())
}

/// A connection on which `say` says something.
fn speaks(say: impl FnOnce(&mut H2)) -> Vec<u8> {
    let mut h2 = H2::new(1);
    say(&mut h2);
    shown(&h2)
}

const GOOD: [(&str, &str); 6] = [
    (":method", "CONNECT"),
    (":protocol", "websocket"),
    (":scheme", "https"),
    (":path", "/"),
    (":authority", "lab.test"),
    ("sec-websocket-version", "13"),
];

/// A WebSocket whose request has these fields.
fn asks(fields: Fields<'_>) -> Vec<u8> {
    speaks(|h2| _ = h2.head(Client, 1, 0, fields).accept(1, &[]))
}

/// The same with one of the usual fields changed.
fn with(name: &str, value: &'static str) -> Vec<u8> {
    let fields = GOOD.map(|(own, usual)| (own, if own == name { value } else { usual }));
    asks(&fields)
}

pub(super) fn cases() -> Vec<Case> {
    let good = || asks(&GOOD);
    let but = |name: &str| -> Vec<(&str, &str)> { GOOD.into_iter().filter(|(own, _)| *own != name).collect() };
    let settings = |before: bool| {
        let mut h2 = H2::bare(1);
        h2.session.turn(Client, [PREFACE, &h2_frame(SETTINGS, 0, 0, &[])].concat());
        let says = |h2: &mut H2| _ = h2.frame(Server, SETTINGS, 0, 0, &[0, 8, 0, 0, 0, 1]);
        if before {
            says(&mut h2);
        }
        h2.ask(1, &[]);
        if !before {
            says(&mut h2);
        }
        h2.accept(1, &[]);
        shown(&h2)
    };
    let never = |value: u8| {
        let mut h2 = H2::bare(1);
        h2.session.turn(Server, h2_frame(SETTINGS, 0, 0, &[0, 8, 0, 0, 0, value]));
        h2.session.turn(Client, [PREFACE, &h2_frame(SETTINGS, 0, 0, &[])].concat());
        h2.open(1);
        shown(&h2)
    };
    let continued = |frames: usize| {
        speaks(|h2| {
            h2.frame(Client, HEADERS, 0, 3, &plain_block(&[(":method", "GET")]));
            for at in 1..=frames {
                let flags = if at == frames { END_HEADERS } else { 0 };
                h2.frame(Client, CONTINUATION_FRAME, flags, 3, &plain_block(&[("x", "y")]));
            }
        })
    };
    let holed = |lose: std::ops::Range<usize>, more: bool| {
        let mut h2 = H2::new(1);
        h2.open(1).say(Client, 1, TEXT, "one");
        h2.ask(3, &[("sec-websocket-protocol", "x")]).accept(3, &[]);
        if more {
            h2.say(Client, 3, TEXT, "two").say(Client, 1, TEXT, "three");
        }
        let mut segments = h2.session.segments();
        segments.drain(lose);
        capture_of(&segments)
    };
    // The segments of a turn: three of TCP come before the first, and each is acknowledged.
    let turn = |at: usize| 3 + 2 * at..4 + 2 * at;
    vec![
        case("HS-PSEUDO", with(":method", "GET"), good()),
        case("HS-PSEUDO", with(":protocol", "WebSocket"), good()),
        case("HS-PSEUDO", with(":scheme", "wss"), with(":scheme", "http")),
        case("HS-PSEUDO", asks(&but(":path")), good()),
        case("HS-PSEUDO", asks(&but(":authority")), asks(&[&but(":authority")[..], &[("host", "lab.test")]].concat())),
        case("HS-PSEUDO", asks(&[&GOOD[..], &[(":path", "/x")]].concat()), good()),
        case("HS-PSEUDO", asks(&[&but(":path")[..], &[(":path", "/")]].concat()), good()),
        case("HS-PSEUDO", asks(&[&[(":x", "y")], &GOOD[..]].concat()), asks(&[&GOOD[..], &[("x", "y")]].concat())),
        case("HS-SETTING", settings(false), settings(true)),
        case("HS-SETTING", never(0), never(1)),
        case("HS-HOP", asks(&[&GOOD[..], &[("upgrade", "websocket")]].concat()), good()),
        case("HS-HOP", asks(&[&GOOD[..], &[("sec-websocket-key", KEY)]].concat()), good()),
        case(
            "HS-HOP",
            speaks(|h2| _ = h2.ask(1, &[]).accept(1, &[("sec-websocket-accept", "x")])),
            speaks(|h2| _ = h2.ask(1, &[]).accept(1, &[("server", "x")])),
        ),
        case("HS-VERSION", with("sec-websocket-version", "12"), good()),
        case("HS-STATUS", speaks(|h2| _ = h2.ask(1, &[]).head(Server, 1, END_STREAM, &[(":status", "101")])), good()),
        case(
            "HS-NOT-FOUND",
            speaks(|h2| _ = h2.ask(1, &[]).head(Server, 1, END_STREAM, &[(":status", "404")])),
            good(),
        ),
        case(
            "HS-EARLY-DATA",
            speaks(|h2| _ = h2.ask(1, &[]).say(Client, 1, TEXT, "early").accept(1, &[])),
            speaks(|h2| _ = h2.open(1).say(Client, 1, TEXT, "late")),
        ),
        case(
            "HS-SUBPROTOCOL",
            speaks(|h2| _ = h2.ask(1, &[]).accept(1, &[("sec-websocket-protocol", "x")])),
            speaks(|h2| {
                _ = h2.ask(1, &[("sec-websocket-protocol", "x")]).accept(1, &[("sec-websocket-protocol", "x")])
            }),
        ),
        case(
            "H2-FRAME",
            speaks(|h2| _ = h2.open(1).frame(Client, RST_STREAM, 0, 1, &[0; 3])),
            speaks(|h2| _ = h2.open(1).frame(Client, RST_STREAM, 0, 1, &[0; 4])),
        ),
        case(
            "H2-FRAME",
            speaks(|h2| _ = h2.open(1).frame(Client, RST_STREAM, 0, 3, &[0; 4])),
            speaks(|h2| _ = h2.open(1).ask(3, &[]).frame(Client, RST_STREAM, 0, 3, &[0; 4])),
        ),
        case(
            "H2-FRAME",
            speaks(|h2| _ = h2.open(1).frame(Server, DATA, 0, 3, &[0; 16_385])),
            speaks(|h2| {
                _ = h2.open(1).frame(Client, SETTINGS, 0, 0, &[0, 5, 0, 0, 0x80, 0]).frame(
                    Server,
                    DATA,
                    0,
                    3,
                    &[0; 16_385],
                )
            }),
        ),
        case(
            "H2-FRAME",
            speaks(|h2| _ = h2.open(1).frame(Client, HEADERS, 0, 3, &[0x82]).frame(Client, H2_PING, 0, 0, &[0; 8])),
            speaks(|h2| {
                _ = h2.open(1).frame(Client, HEADERS, END_HEADERS, 3, &[0x82]).frame(Client, H2_PING, 0, 0, &[0; 8])
            }),
        ),
        case(
            "H2-HPACK",
            speaks(|h2| _ = h2.frame(Client, HEADERS, END_HEADERS, 3, &[0xfe])),
            speaks(|h2| _ = h2.frame(Client, HEADERS, END_HEADERS, 3, &[0x84])),
        ),
        case(
            "H2-GOAWAY",
            speaks(|h2| _ = h2.open(1).go_away(Server, 1, 11, "too much")),
            speaks(|h2| _ = h2.open(1).go_away(Server, 1, 0, "")),
        ),
        case("H2-LIMIT", continued(17), continued(16)),
        Case {
            limits: Limits { h2_streams: 2, ..Limits::DEFAULT },
            ..case("H2-LIMIT", three_requests(), three_requests())
        },
        // The packet with the first request, whose fields the second refers to.
        case("H2-TABLE", holed(turn(4), true), holed(0..0, true)),
        case("H2-GAP", holed(turn(4), true), holed(0..0, true)),
    ]
}

fn three_requests() -> Vec<u8> {
    speaks(|h2| {
        [1, 3, 5].into_iter().for_each(|stream| _ = h2.head(Client, stream, 0, &[(":method", "GET"), (":path", "/")]))
    })
}

/// What is said of an extended CONNECT says it in the words of HTTP/2.
#[test]
fn sentences() {
    let text = |file: Vec<u8>, code: &str| told(&file).sentence(code).to_owned();
    assert_eq!(
        text(speaks(|h2| _ = h2.open(1).go_away(Server, 1, 11, "too much")), "H2-GOAWAY"),
        "the server gives the connection up behind stream 1: ENHANCE_YOUR_CALM (the peer asks for too much): \"too much\""
    );
    assert_eq!(
        text(speaks(|h2| _ = h2.open(1).reset(Server, 1, 2)), "ABNORMAL-1006"),
        "RST_STREAM INTERNAL_ERROR (an internal error) from the server (frame 16) without a Close frame, 200 \u{b5}s after the upgrade (frame 14)"
    );
    assert_eq!(
        text(asks(&[&[(":method", "GET")], &GOOD[1..]].concat()), "HS-PSEUDO"),
        "The pseudo-headers of an extended CONNECT are not those that open a WebSocket: :method: GET"
    );
    assert_eq!(
        text(speaks(|h2| _ = h2.open(1).frame(Client, RST_STREAM, 0, 3, &[0; 3])), "H2-FRAME"),
        "a frame of the client has a wrong length: RST_STREAM of 3 bytes on stream 3"
    );
}
