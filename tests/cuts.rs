//! The cut law: however a stream's bytes are cut into inputs, the same is told.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

#[path = "cuts/drafts.rs"]
mod drafts;
#[path = "cuts/http2.rs"]
mod http2;
#[path = "support/mod.rs"]
mod support;

use proptest::prelude::*;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use wspect::model::{
    Both, Direction, EncapId, End, Endpoint, Event, Input, Limits, Mark, Note, PacketNo, Receipt, Sink, Stamp,
    Timestamp, Unseen,
};
use wspect::proto;
use wspect::proto::layer::{Cx, Flow, Hint, Kind, Next, Tools};

/// Everything that was told, a line each, without marks.
#[derive(Default)]
struct Lines(String);

impl Sink for Lines {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        let conn = at.conn.map_or(0, |conn| conn.0);
        let out = &mut self.0;
        let _ = match event {
            Event::Opened(opened) => writeln!(out, "{conn} open {:?}", opened.url),
            Event::Handshake(h) => {
                let broken: Vec<_> = h.checks.iter().filter(|check| !check.ok).map(|check| check.code.name()).collect();
                writeln!(out, "{conn} handshake {:?} {:?} {broken:?}", h.status(), h.subprotocol)
            }
            Event::Frame(f) => writeln!(
                out,
                "{conn} frame {} {} {} fin {} rsv {} len {} at {} msg {:?} complete {}",
                f.number,
                f.dir.name(),
                f.opcode.name(),
                f.fin,
                f.rsv,
                f.len,
                f.stream_offset,
                f.msg,
                f.complete
            ),
            Event::Message(m) => writeln!(
                out,
                "{conn} message {} {} {} frames {} len {} complete {} holes {:?} {:?}",
                m.number,
                m.dir.name(),
                m.opcode.name(),
                m.frames,
                m.body.len,
                m.complete,
                m.body.holes,
                String::from_utf8_lossy(m.body.kept)
            ),
            Event::Note(Note { code, text, .. }) => writeln!(out, "{conn} note {code} {text}"),
            Event::Exchange(e) => {
                let (session, tie) = (e.session, e.tie());
                writeln!(out, "{session} exchange {tie:?} {:?} {:?} {} {}", e.status, e.gives, e.sent, e.received)
            }
            Event::Resent(_) | Event::Record(_) | Event::Carried(_) => Ok(()),
            Event::Tls(session) => {
                let why = session.why_not.map(|why| why.to_string());
                writeln!(out, "{conn} tls {:?} decrypted {} {why:?}", session.outline, session.decrypted)
            }
            Event::Closed(closed) => {
                let by = closed.ends.first().map(|(dir, how, _)| (dir, how));
                writeln!(out, "{conn} closed {by:?}")
            }
        };
        ControlFlow::Continue(())
    }
}

/// One stretch of bytes or a hole.
enum Part {
    Bytes(Direction, Vec<u8>),
    Gap(Direction, u64),
}

impl Part {
    fn dir(&self) -> Direction {
        match self {
            Self::Bytes(dir, _) | Self::Gap(dir, _) => *dir,
        }
    }
}

/// Feeds the parts, each cut at the given distances, and returns what was told.
fn told(parts: &[Part], cuts: &[usize]) -> String {
    let mut lines = Lines::default();
    let limits = Limits::DEFAULT;
    let captured = Both::from_fn(|dir| parts.iter().any(|part| part.dir() == dir));
    let unseen = Both::from_fn(|dir| (!captured[dir]).then_some(Unseen::NotCaptured));
    let one_sided = !(captured.to_server && captured.to_client);
    let mut tools = Tools::default();
    let mut kind = Kind::default();
    let (mut nested, mut route, mut tls) = (0, None, None);
    let end = |last| Endpoint { ip: Ipv4Addr::new(10, 0, 0, last).into(), port: u16::from(last) };
    let mark = Mark { packet: PacketNo(1), time: Some(Timestamp::from_nanos(0)) };
    let mut cx = Cx {
        limits: &limits,
        tools: &mut tools,
        flow: Flow {
            stream: 0,
            h2_stream: None,
            known: None,
            began: 0,
            encap: EncapId::default(),
            first: &mark,
            ends: &(end(1), end(2)),
            one_sided,
            unseen,
            waits: false,
            from_start: true,
            heard: None,
            forced: false,
        },
        last: mark,
        swapped: false,
        kind: &mut kind,
        nested: &mut nested,
        route: &mut route,
        tls: &mut tls,
        mark,
        sink: &mut lines,
        open: proto::open,
    };
    let mut layer = proto::open(Hint::Unknown);
    let mut offsets = Both { to_server: 0, to_client: 0 };
    let mut cuts = cuts.iter().copied().cycle();
    for part in parts {
        match part {
            Part::Bytes(dir, bytes) => {
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let (now, later) = rest.split_at(cuts.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
                    let input = Input::Data { dir: *dir, offset: offsets[*dir], bytes: now, brought: mark, mark };
                    let input = if cx.swapped { input.reversed() } else { input };
                    match layer.input(input, &mut cx) {
                        Next::Become(inner) => layer = inner,
                        Next::Nothing => panic!("nobody reads"),
                        Next::Read | Next::Skim => {}
                    }
                    offsets[*dir] += now.len() as u64;
                    rest = later;
                }
            }
            Part::Gap(dir, len) => {
                layer.input(
                    Input::Gap {
                        dir: *dir,
                        offset: offsets[*dir],
                        len: *len,
                        exact: true,
                        receipt: Receipt::Unknown,
                        mark,
                    },
                    &mut cx,
                );
                offsets[*dir] += len;
            }
        }
    }
    for dir in Direction::BOTH {
        layer.input(Input::End { dir, how: End::Fin, mark }, &mut cx);
    }
    layer.over(&mut cx);
    assert_eq!(tools.assembling, 0, "the memory of messages was given back");
    lines.0
}

const REQUEST: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nConnection: keep-alive,\r\n  Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a, b\r\n\r\n";
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUPGRADE: websocket\r\nConnection: upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nsec-websocket-protocol: b\r\n\r\n";

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
    }
    frame.extend(key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k));
    frame
}

fn conversation() -> Vec<Part> {
    use Direction::{ToClient, ToServer};
    let long = "ü".repeat(150);
    let client: Vec<u8> = [
        masked(0x01, b"Hel"),
        masked(0x89, b"ping"),
        masked(0x00, b"lo "),
        masked(0x00, b""),
        masked(0x80, "wörld".as_bytes()),
        masked(0x82, &[0, 159, 146]),
        masked(0x81, long.as_bytes()),
        masked(0x88, &[0x03, 0xe8, b'b', b'y', b'e']),
    ]
    .concat();
    let server: Vec<u8> =
        [&[0x81, 0x05][..], b"Hello", &[0x8a, 0x04], b"ping", &[0x81, 0x02, 0xc3, 0x28], &[0x88, 0x00]].concat();
    vec![
        Part::Bytes(ToServer, b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n".to_vec()),
        Part::Bytes(
            ToClient,
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_vec(),
        ),
        Part::Bytes(ToServer, REQUEST.to_vec()),
        Part::Bytes(ToClient, [SWITCH, &server].concat()),
        Part::Bytes(ToServer, client),
    ]
}

/// A session of Engine.IO over requests, on a stream on which others are made, too.
fn polling() -> Vec<Part> {
    use Direction::{ToClient, ToServer};
    let target = "/socket.io/?EIO=4&transport=polling";
    let post = |len: usize, body: &str| format!("POST {target}&sid=x HTTP/1.1\r\nContent-Length: {len}\r\n\r\n{body}");
    let answer = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let parts = [
        (ToServer, format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")),
        (ToClient, answer("0{\"sid\":\"x\"}")),
        // Two at once, and one that is answered before it is whole.
        (ToServer, post(2, "40") + "GET / HTTP/1.1\r\n\r\n" + &post(20, "4half")),
        (ToClient, answer("ok") + &answer("<p>") + &answer("no")),
        (ToServer, "and the other h".to_owned()),
        (ToServer, format!("GET {target}&sid=x HTTP/1.1\r\n\r\n")),
        (ToClient, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n42\r\n3\r\n[1]\r\n".to_owned()),
    ];
    parts.into_iter().map(|(dir, text)| Part::Bytes(dir, text.into_bytes())).collect()
}

#[test]
fn tells_of_requests_of_a_session() {
    insta::assert_snapshot!(told(&polling(), &[usize::MAX]));
}

#[test]
fn tells_a_whole_conversation() {
    insta::assert_snapshot!(told(&conversation(), &[usize::MAX]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_cut_tells_the_same(cuts in proptest::collection::vec(1_usize..40, 1..30)) {
        prop_assert_eq!(told(&conversation(), &cuts), told(&conversation(), &[usize::MAX]));
        prop_assert_eq!(told(&polling(), &cuts), told(&polling(), &[usize::MAX]));
    }

    #[test]
    fn any_bytes_are_survived(
        request in any::<bool>(),
        junk in proptest::collection::vec(any::<u8>(), 0..400),
        gap in 0_u64..50,
        more in proptest::collection::vec(any::<u8>(), 0..400),
        cuts in proptest::collection::vec(1_usize..40, 1..30),
    ) {
        let mut parts = vec![
            Part::Bytes(Direction::ToServer, REQUEST.to_vec()),
            Part::Bytes(Direction::ToClient, if request { SWITCH.to_vec() } else { b"HTTP/1.1 404 Not\r\n\r\n".to_vec() }),
        ];
        for dir in Direction::BOTH {
            parts.push(Part::Bytes(dir, junk.clone()));
            parts.push(Part::Gap(dir, gap));
            parts.push(Part::Bytes(dir, more.clone()));
        }
        if request {
            prop_assert_eq!(told(&parts, &cuts), told(&parts, &[usize::MAX]));
        }
    }
}

#[test]
fn an_answer_captured_before_its_request_still_answers_it() {
    let mut parts = conversation();
    parts.drain(..2);
    let in_order = told(&parts, &[usize::MAX]);
    parts.swap(0, 1);
    assert_eq!(told(&parts, &[usize::MAX]), in_order);
}

#[test]
fn bytes_before_the_answer_are_kept_and_told() {
    use Direction::{ToClient, ToServer};
    let parts =
        [Part::Bytes(ToServer, [REQUEST, &masked(0x81, b"early")].concat()), Part::Bytes(ToClient, SWITCH.to_vec())];
    let lines = told(&parts, &[7]);
    assert!(lines.contains("HS-EARLY-DATA") && lines.contains("\"early\""), "{lines}");
}

#[test]
fn a_hole_inside_a_payload_costs_its_message_only() {
    use Direction::{ToClient, ToServer};
    let frames = [masked(0x81, b"first"), masked(0x82, &[7; 300]), masked(0x81, b"after")];
    let second = &frames[1];
    let parts = [
        Part::Bytes(ToServer, REQUEST.to_vec()),
        Part::Bytes(ToClient, SWITCH.to_vec()),
        Part::Bytes(ToServer, [&frames[0][..], &second[..101]].concat()),
        Part::Gap(ToServer, 50),
        Part::Bytes(ToServer, [&second[151..], &frames[2]].concat()),
    ];
    insta::assert_snapshot!(told(&parts, &[13]));
}

#[test]
fn a_refused_upgrade_is_a_connection_and_the_next_request_another() {
    use Direction::{ToClient, ToServer};
    let parts = [
        Part::Bytes(ToServer, [REQUEST, REQUEST].concat()),
        Part::Bytes(ToClient, b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno".to_vec()),
        Part::Bytes(ToClient, [SWITCH, &[0x81, 2, b'h', b'i']].concat()),
    ];
    for cut in [1, 5, 1000] {
        insta::allow_duplicates! { insta::assert_snapshot!(told(&parts, &[cut])) };
    }
}

/// A refusal and what it says, and answers that are no HTTP, are the same however they are cut.
#[test]
fn refusals_byte_by_byte() {
    let chunked = "HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n\
                   7\r\nmissing\r\nf\r\n upgrade header\r\n0\r\n\r\n";
    for answer in [
        chunked.as_bytes(),
        b"HTTP/1.1 403 Forbidden\r\n\r\nno \xe2\x82\xac, no entry",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 50\r\n\r\ncut short",
        b"\x15\x03\x01\0\x02\x02\x0a",
        b"SSH-2.0-x\r\n\0\0\0binary behind the banner",
        b"HTT, hardly",
        b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27 and on and on",
    ] {
        let parts = [
            Part::Bytes(Direction::ToServer, REQUEST.to_vec()),
            Part::Bytes(Direction::ToClient, answer.to_vec()),
            Part::Bytes(Direction::ToServer, REQUEST.to_vec()),
        ];
        let whole = told(&parts, &[]);
        assert!(whole.matches(" open ").count() == 2 && whole.contains("note HS-"), "{whole}");
        assert_eq!(told(&parts, &vec![1; answer.len() + 2 * REQUEST.len()]), whole);
    }
}

#[test]
fn one_direction_alone_is_read_as_well() {
    use Direction::{ToClient, ToServer};
    let client = told(&[Part::Bytes(ToServer, [REQUEST, &masked(0x81, b"only me")].concat())], &[11]);
    assert!(client.contains("\"only me\"") && client.contains("HS-NO-ANSWER"), "{client}");
    let server = told(&[Part::Bytes(ToClient, [SWITCH, &[0x81, 2, b'h', b'i']].concat())], &[11]);
    assert!(server.contains("\"hi\"") && server.contains("open None"), "{server}");
}
