//! Findings about the end of a connection.

use super::support::craft::*;
use super::{Case, capture_of, case, paced, reset, server_first, talk, talked, turn};

/// The server closes with this body, and the client answers with the same.
fn closed(body: &[u8]) -> Vec<u8> {
    talked(|session| _ = session.say(Server, CLOSE, body).say(Client, CLOSE, body))
}

/// The client closes with this code, and the server answers with the same.
fn repeated(code: u16) -> Vec<u8> {
    let body = || code.to_be_bytes();
    talked(|session| _ = session.say(Client, CLOSE, body()).say(Server, CLOSE, body()))
}

/// The same, of which only the server's packets were captured.
fn server_alone(code: u16) -> Vec<u8> {
    let body = || code.to_be_bytes();
    let mut segments = talk(|session| _ = session.say(Client, CLOSE, body()).say(Server, CLOSE, body())).segments();
    segments.retain(|segment| segment.dst.port() != 8080);
    capture_of(&segments)
}

pub(super) fn cases() -> Vec<Case> {
    let code = |code: u16| closed(&code.to_be_bytes());
    let normal = talk(|session| _ = session.close());
    let silent = talk(|session| _ = session.text(Client, "hello"));
    let unanswered = talk(|session| _ = session.say(Client, CLOSE, Frame::close(1000, "").payload));
    let pause = |millis| paced(&server_first(&normal), &[(turn(4), millis)]);
    let open = Session { fin: false, ..unanswered.clone() };
    let mut going_on = open.segments();
    going_on.extend(Session::sample(2).segments());
    let goes_on = |millis| paced(&going_on, &[(open.segments().len(), millis)]);
    let known = [1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3003, 3008];
    let names = [
        "CLOSE-1002",
        "CLOSE-1003",
        "CLOSE-1007",
        "CLOSE-1008",
        "CLOSE-1009",
        "CLOSE-1010",
        "CLOSE-1011",
        "CLOSE-1012",
        "CLOSE-1013",
        "CLOSE-1014",
        "CLOSE-3000",
        "CLOSE-3003",
        "CLOSE-3008",
    ];
    let told_by_code = names.into_iter().zip(known).map(|(name, number)| case(name, code(number), code(number + 2000)));
    let more = vec![
        case("CLOSE-BODY", closed(&[3]), closed(&[])),
        case("CLOSE-CODE", code(1005), code(1000)),
        case("CLOSE-CODE", code(2999), code(3000)),
        case("CLOSE-CODE", code(5000), code(4999)),
        // Only clients send it, and servers that repeat it.
        case("CLOSE-CODE", code(1010), repeated(1010)),
        case("CLOSE-CODE", code(1010), server_alone(1010)),
        case("CLOSE-REASON", closed(b"\x03\xe8caf\xc3"), closed(b"\x03\xe8caf\xc3\xa9")),
        case("ABNORMAL-1006", capture_of(&silent.segments()), capture_of(&normal.segments())),
        case("ABNORMAL-1006", capture_of(&reset(&silent)), capture_of(&Session { fin: false, ..silent }.segments())),
        case("CLOSE-NO-REPLY", capture_of(&unanswered.segments()), capture_of(&normal.segments())),
        case("CLOSE-NO-REPLY", goes_on(6_000), goes_on(4_000)),
        case("CLOSE-CLIENT-FIRST", capture_of(&normal.segments()), capture_of(&server_first(&normal))),
        case("CLOSE-SLOW", pause(1_500), pause(500)),
        case("CLOSE-RESET", capture_of(&reset(&normal)), capture_of(&normal.segments())),
    ];
    told_by_code.chain(more).collect()
}
