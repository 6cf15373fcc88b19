//! Decoders told a conversation, and what they make of it.

use super::*;
use crate::model::{Body, Decoded, Limits, Mark, Message, Opcode, PacketNo, Span, Timestamp};
use proptest::prelude::*;
use std::fmt::Write as _;

mod apps;
mod binary;
mod state;
mod streams;
mod text;

pub(super) fn message<'m>(number: u64, dir: Direction, opcode: Opcode, bytes: &'m [u8]) -> Message<'m> {
    let mark = Mark { packet: PacketNo(number), time: Some(Timestamp::from_nanos(number as i64 * 1_000_000)) };
    Message { span: Span { first: mark, last: mark }, brought: mark, ..Message::whole(number, dir, opcode, bytes) }
}

/// What of a message the sessions make, one line for each unit: event, id, message that it answers, `~` of a heartbeat, summary.
fn told(decoded: &Decoded<'_>) -> String {
    let mut out = decoded.protocol.to_owned();
    for unit in &decoded.units {
        let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let reply = unit.reply.as_ref().map_or(String::new(), |reply| format!(" ↩{}", reply.to));
        let beat = if unit.heartbeat { " ~" } else { "" };
        let one = Decoded { protocol: "", units: vec![unit.clone()] };
        let (event, id) = (or_dash(unit.event.as_deref()), or_dash(unit.id.as_deref()));
        let _ = write!(out, " | {event} {id}{reply}{beat} | {}", summary(&one));
    }
    out
}

fn hints(url: &str, subprotocol: Option<&str>) -> Hints {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    Hints {
        path: path.to_owned(),
        query: query.to_owned(),
        subprotocol: subprotocol.map(ToOwned::to_owned),
        ..Hints::default()
    }
}

/// A conversation: each message is `>` or `<`, then its text, or hex behind `#`; and what is told of it.
#[track_caller]
fn check(hints: Hints, conversation: &[(&str, &str)]) {
    let mut session = Session::new(hints, None, &Limits::DEFAULT);
    for (number, (said, wanted)) in conversation.iter().enumerate() {
        let dir = if said.starts_with('>') { Direction::ToServer } else { Direction::ToClient };
        let rest = &said[1..];
        let (opcode, bytes) = match rest.strip_prefix('#') {
            Some(hex) => (Opcode::BINARY, unhex(hex)),
            None => (Opcode::TEXT, rest.as_bytes().to_vec()),
        };
        let message = message(number as u64 + 1, dir, opcode, &bytes);
        let decoded = session.message(&message);
        assert_eq!(decoded.as_ref().map_or("nothing".to_owned(), told), *wanted, "{said}");
        decoded.iter().for_each(|decoded| sound(decoded, &bytes));
    }
}

/// What was agreed on holds for the connection, whatever one message looks like.
#[test]
fn what_was_agreed_on_holds() {
    let mut session = Session::new(hints("/", Some("mqtt")), None, &Limits::DEFAULT);
    let publish = unhex("300a 0003 612f62 68656c6c6f");
    let other = b"{\"protocol\":\"json\",\"version\":1}\x1e";
    let mut protocol = |opcode, bytes: &[u8]| {
        session.message(&message(1, Direction::ToServer, opcode, bytes)).map(|decoded| decoded.protocol)
    };
    assert_eq!(protocol(Opcode::BINARY, &publish), Some("mqtt"));
    assert_eq!(protocol(Opcode::TEXT, other), Some("signalr"));
    assert_eq!(protocol(Opcode::BINARY, &publish), Some("mqtt"));
}

/// What the decoder of this name makes of a binary message, as JSON.
pub(super) fn written(name: &str, hex: &str) -> Option<String> {
    let bytes = unhex(hex);
    let decoded = (Decoder::find(name).unwrap().open)(&Hints::default()).message(&Said::new(
        Direction::ToServer,
        false,
        &bytes,
    ))?;
    let mut out = Vec::new();
    write_node(&decoded[0].tree, &mut out);
    Some(String::from_utf8(out).unwrap())
}

pub(super) fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// What holds of whatever is decoded: it is written as JSON, and its values stand in the message.
pub(super) fn sound(decoded: &Decoded<'_>, bytes: &[u8]) {
    let mut out = Vec::new();
    write_record(decoded, &mut out);
    let record: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(record["protocol"], decoded.protocol);
    assert!(!out.contains(&b'\n') && summary(decoded).chars().count() < 300);
    decoded.units.iter().for_each(|unit| spans(&unit.tree, bytes.len()));
}

fn spans(node: &Node<'_>, len: usize) {
    if let Some(bytes) = &node.bytes {
        assert!(bytes.start <= bytes.end && bytes.end <= len, "{node:?}");
    }
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| spans(item, len)),
        Value::Map(members) => members.iter().for_each(|(_, member)| spans(member, len)),
        _ => {}
    }
}

/// Messages of all protocols, to be cut and changed.
const SEEDS: &[&str] = &[
    r#"0{"sid":"x","upgrades":[],"pingInterval":700,"pingTimeout":5000}"#,
    r#"42/admin,12["chat",{"a":1},"b"]"#,
    r#"5:2+:/test:{"name":"a","args":[1,{}]}"#,
    r#"452-/f,7["put",{"_placeholder":true,"num":1},[{"x":{"_placeholder":true,"num":0}},1e2]]"#,
    "43/admin,12[]",
    "2probe",
    r#"{"jsonrpc":"2.0","id":1,"method":"sub","params":[42,23]}"#,
    r#"[{"jsonrpc":"2.0","id":2,"result":7}]"#,
    "{\"t\":\"a\"}\n{\"t\":\"b\"}\r\n",
    r#"{"id":"a","type":"subscribe","payload":{"query":"subscription OnMsg { x }","variables":{"r":7}}}"#,
    r#"{"id":1,"type":"start","payload":{"query":"{ x }"}}"#,
    r#"["3","4","room:lobby","phx_reply",{"status":"ok","response":{"a":1}}]"#,
    "#00 01 01 01 02 31 32 74 65 76 ff fe",
    r#"{"command":"message","identifier":"{\\"channel\\":\\"Chat\\"}","data":"{\\"action\\":\\"speak\\"}"}"#,
    "#82 a2 69 64 07 a1 78 93 01 d6 ff 65 53 f1 00 c4 01 07",
    "{\"protocol\":\"messagepack\",\"version\":1}\u{1e}",
    "{\"type\":1,\"target\":\"Add\",\"invocationId\":\"7\",\"arguments\":[1]}\u{1e}{\"type\":6}\u{1e}",
    "#0c 96 01 80 a1 30 a3 41 64 64 92 02 28 90 02 91 06",
    "SEND\ndestination:/q\\cueue\nreceipt:r1\ncontent-length:3\n\nabc\0\n",
    "CONNECTED\nversion:1.2\n\n\0",
    "#10 10 00 04 4d 51 54 54 05 c2 00 3c 03 21 00 14 00 00 00 01 61 00 01 62",
    "#32 0b 00 03 61 2f 62 00 0a 03 23 00 01 7b 7d",
    "#82 09 00 02 00 00 03 61 2f 23 01 c0 00",
    r#"[48,1,{},"com.sum",[2,3]]"#,
    r#"[8,48,1,{},"com.error"]"#,
    r#"{"id":1,"sessionId":"S","method":"Page.enable"}"#,
    r#"{"event":"pusher:subscribe","data":"{\"channel\":\"news\"}"}"#,
    r#"[2,"a1","BootNotification",{"model":"x"}]"#,
    r#"a["CONNECTED\nversion:1.2\n\n\u0000","x"]"#,
    "#84 a4 74 79 70 65 02 a3 6e 73 70 a2 2f 66 a4 64 61 74 61 92 a3 70 75 74 c4 01 ff a2 69 64 07",
    "#0a 05 45 55 52 2f 30 11 9a 99 99 99 99 99 f1 3f 1a 04 08 01 10 02",
    "#89 50 4e 47 0d 0a 1a 0a 00",
    "#78 9c ab 56 ca 2f 50 b2 32 34 a8 05 00 10 8d 03 1c",
    r#"{"msg":"sub","id":"a","name":"tasks","params":[7]}"#,
    r#"{"id":18,"type":"event","event":{"data":{"x":1},"event_type":"state_changed"}}"#,
    r#"{"op":6,"d":{"requestType":"SetScene","requestId":"f8","requestData":{}}}"#,
    r#"{"t":"READY","s":1,"op":0,"d":{"v":10}}"#,
    "#78 9c aa 56 ca 2f 50 b2 32 d0 51 4a 51 b2 ca 2b cd c9 a9 05 00 00 00 ff ff",
    r#"["EVENT","sub",{"id":"e1","pubkey":"p","kind":1,"sig":"s"}]"#,
    "#04 7b 7d",
    r#"{"channel":"shell","header":{"msg_id":"m1","msg_type":"execute_request"},"parent_header":{}}"#,
    "#00 00 00 02 00 00 00 0c 00 00 00 0e 7b 7d 07",
    "PUB a b 3\r\nabc\r\nHMSG a 9 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPING\r\n",
    "<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" to=\"a\"/>",
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/WS a.invalid;branch=z9\r\nCSeq: 1 INVITE\r\n\r\nv=0",
    "#41 4d 51 50 03 01 00 00 00 00 00 19 02 01 00 00 00 53 41 c0 0c 01 a3 09 41 4e 4f 4e 59 4d 4f 55 53",
    "#00 00 00 1c 02 01 00 00 00 53 40 c0 0f 01 e0 0c 01 a3 09 41 4e 4f 4e 59 4d 4f 55 53",
    "RFB 003.008\n",
    "#05 01 00 0a 00 14 04 01 00 00 00 00 00 61 06 00 00 00 00 00 00 01 61",
    "4.name,2.éü;4.sync,8.31415926;",
    "#00 00 04 01 ac 02 05",
    "#01 0c 01 ac 02 01 07 7b 22 61 22 3a 31 7d",
    r#"{"H":"hub","M":"Add","A":[2],"I":1}"#,
    r#"{"C":"d-1","M":[{"H":"hub","M":"say","A":["x"]},{"a":1}]}"#,
    r#"{"type":"update","updates":[{"type":"js-update","path":"/a.js"}]}"#,
    r#"{"type":"hash","data":"8fd9a5cbb7b24aaf1034"}"#,
    "<a:b x=\"1\"><!-- c -->t&#233;<c/><![CDATA[d]]></a:b>",
    "eJyrVsovULIyNKgFAA4XArc=",
    "data:image/png;base64,iVBORw0KGgoAAAAA",
    r#"{"a":"{\"b\":\"[\\\"c\\\"]\"}"}"#,
    "#2e 00 00 00 04 42 00 26 00 00 00 02 30 00 08 00 00 00 61 77 65 73 6f 6d 65 00 01 31 00 33 33 33 33 33 33 14 40 10 32 00 c2 07 00 00 00 00",
    "#a2 62 69 64 07 61 78 83 f9 3c 00 c1 1a 65 53 f1 00 9f 7f 61 61 ff ff",
];

fn seed(text: &str) -> (Opcode, Vec<u8>) {
    match text.strip_prefix('#') {
        Some(hex) => (Opcode::BINARY, unhex(hex)),
        None => (Opcode::TEXT, text.as_bytes().to_vec()),
    }
}

/// What a message is taken for of which nothing else is known: none is claimed by a decoder that it is not for.
#[test]
fn no_decoder_claims_what_is_for_another() {
    let taken = |text: &&str| {
        let (opcode, bytes) = seed(text);
        let mut session = Session::new(Hints::default(), None, &Limits::DEFAULT);
        let decoded = session.message(&message(1, Direction::ToClient, opcode, &bytes));
        decoded.map_or("-", |decoded| decoded.protocol)
    };
    let all: Vec<&str> = SEEDS.iter().map(taken).collect();
    let wanted = "socket.io - socket.io - - - json-rpc json-rpc ndjson graphql-transport-ws graphql-ws phoenix - - msgpack signalr \
        signalr - stomp stomp mqtt - - json json cdp pusher json - msgpack protobuf media - ddp json obs-websocket \
        discord - nostr - jupyter - nats xmpp sip amqp - rfb - guacamole yjs yjs signalr-classic \
        signalr-classic json webpack xml base64 base64 json bson cbor";
    assert_eq!(all.join(" "), wanted);
}

/// A message that was valid, whole or cut, with some bytes changed; or bytes of any kind.
fn any_said() -> impl Strategy<Value = (Opcode, Vec<u8>)> {
    let changed = (
        prop::sample::select(SEEDS),
        any::<prop::sample::Index>(),
        prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..3),
    );
    let changed = changed.prop_map(|(text, end, changes)| {
        let (opcode, mut bytes) = seed(text);
        if changes.len() == 1 {
            bytes.truncate(end.index(bytes.len()));
        }
        for (at, byte) in changes {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        (opcode, bytes)
    });
    let any = (any::<bool>(), prop::collection::vec(any::<u8>(), 0..80));
    let any = any.prop_map(|(is_text, bytes)| (if is_text { Opcode::TEXT } else { Opcode::BINARY }, bytes));
    prop_oneof![4 => changed, 1 => any]
}

proptest! {
    /// Every decoder survives whatever is said: what it makes of it is sound, and what it keeps is bounded.
    #[test]
    fn every_decoder_survives_everything(said in prop::collection::vec((any::<bool>(), any_said()), 1..12)) {
        let limits = Limits { decoder_bytes: 200, open_requests: 4, ..Limits::DEFAULT };
        for forced in DECODERS.iter().map(Some).chain([None]) {
            let mut session = Session::new(hints("/ws?EIO=4&transport=websocket", None), forced, &limits);
            for (number, (to_server, (opcode, bytes))) in said.iter().enumerate() {
                let dir = if *to_server { Direction::ToServer } else { Direction::ToClient };
                let message = message(number as u64 + 1, dir, *opcode, bytes);
                if let Some(decoded) = session.message(&message) {
                    sound(&decoded, bytes);
                }
                prop_assert!(session.held() <= 2 * limits.decoder_bytes + 4096, "{}", session.held());
            }
        }
    }
}

/// Who is told by the user that it has the word says nothing of what it does not understand.
#[test]
fn no_decoder_takes_everything() {
    for decoder in DECODERS {
        for text in ["", "hello", "two\nlines", "42 {", "\0\0\0\x01"] {
            for opcode in [Opcode::TEXT, Opcode::BINARY] {
                let mut session = Session::new(Hints::default(), Some(decoder), &Limits::DEFAULT);
                let decoded = session.message(&message(1, Direction::ToServer, opcode, text.as_bytes()));
                let said = decoded.map_or_else(String::new, |decoded| told(&decoded));
                let (is_binary, has_digit) = (opcode == Opcode::BINARY, text.starts_with('4'));
                let is_known = match decoder.name {
                    // It has a digit for everything, and a message may be anything.
                    "engine.io" => is_binary || has_digit,
                    // A PUBLISH may begin so.
                    "mqtt" => is_binary && has_digit,
                    // Bytes for the standard input.
                    "kubernetes" => text.starts_with('\0'),
                    _ => false,
                };
                assert!(is_known || said.is_empty(), "{}: {text:?} {said}", decoder.name);
            }
        }
    }
}

#[test]
fn deep_nesting_ends() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("42[\"a\",[", "]]")] {
        let deep = open.repeat(100_000) + &close.repeat(100_000);
        for forced in DECODERS.iter().map(Some).chain([None]) {
            let mut session = Session::new(Hints::default(), forced, &Limits::DEFAULT);
            for opcode in [Opcode::TEXT, Opcode::BINARY] {
                if let Some(decoded) = session.message(&message(1, Direction::ToServer, opcode, deep.as_bytes())) {
                    sound(&decoded, deep.as_bytes());
                }
            }
        }
    }
}

#[test]
fn a_message_that_lacks_bytes_is_not_decoded() {
    let whole = message(1, Direction::ToServer, Opcode::TEXT, b"{}");
    let mut session = Session::new(Hints::default(), None, &Limits::DEFAULT);
    assert!(session.message(&whole).is_some());
    let hole = [crate::model::Hole { offset: 1, len: None }];
    for body in [Body { len: 3, ..whole.body }, Body { holes: &hole, ..whole.body }] {
        assert!(session.message(&Message { body, ..whole }).is_none());
    }
    assert!(session.message(&Message { undecoded: true, ..whole }).is_none());
    assert!(session.message(&message(1, Direction::ToServer, Opcode::PING, b"{}")).is_none());
}

#[test]
fn what_all_connections_keep_is_bounded() {
    let limits = Limits { decoder_total: 1000, ..Limits::DEFAULT };
    let mut sessions = Sessions::new(limits);
    let event = br#"452-["put",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#;
    let begin = || (hints("/socket.io/?EIO=4&transport=websocket", None), None);
    let mut joined = 0;
    for conn in 0..50 {
        let mut tell = |number, opcode, bytes: &[u8]| {
            sessions.message(conn, &message(number, Direction::ToServer, opcode, bytes), begin).map(|it| summary(&it))
        };
        tell(1, Opcode::TEXT, event);
        tell(2, Opcode::BINARY, &[0; 100]);
        joined += usize::from(tell(3, Opcode::BINARY, &[0; 100]).is_some());
        tell(4, Opcode::TEXT, event);
    }
    assert!((5..50).contains(&joined), "{joined}");
    (0..50).for_each(|conn| sessions.end(conn));
    let decoded = sessions.message(1, &message(1, Direction::ToServer, Opcode::TEXT, event), begin);
    assert!(decoded.is_some());
}

#[test]
fn many_attachments_take_linear_time() {
    let text = format!("451024-[\"a\",\"{}\"]", "x".repeat(1 << 20));
    let mut session = Session::new(hints("/socket.io/", None), None, &Limits::DEFAULT);
    let begun = std::time::Instant::now();
    assert!(session.message(&message(1, Direction::ToClient, Opcode::TEXT, text.as_bytes())).is_some());
    for _ in 0..1024 {
        assert!(session.message(&message(1, Direction::ToClient, Opcode::BINARY, b"x")).is_some());
    }
    assert_eq!(session.held(), 0);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

/// What comes a byte at a time is not read again and again.
#[test]
fn small_pieces_take_linear_time() {
    let body = "x".repeat(100_000);
    let stomp = format!("MESSAGE\ndestination:a\n\n{body}\0");
    let sized = format!("MESSAGE\ndestination:a\ncontent-length:100000\n\n{}\0", "\0".repeat(100_000));
    let signalr = format!("{{\"type\":1,\"target\":\"t\",\"arguments\":[\"{body}\"]}}\u{1e}");
    let nats = format!("MSG some.subject.of.it 1 100000\r\n{body}\r\n");
    let amqp = b"\x02\0\0\x01\0\x53\x14\xc0\x07\x05\x43\x52\x05\x40\x40\x41";
    let amqp = [&(4 + amqp.len() as u32 + 100_000).to_be_bytes()[..], amqp, body.as_bytes()].concat();
    let mqtt = [&b"\x30\xa3\x8d\x06\0\x01t"[..], body.as_bytes()].concat();
    for (name, bytes) in [
        ("stomp", stomp.as_bytes()),
        ("stomp", sized.as_bytes()),
        ("signalr", signalr.as_bytes()),
        ("mqtt", &mqtt),
        ("nats", nats.as_bytes()),
        ("amqp", &amqp),
    ] {
        let opcode = if matches!(name, "mqtt" | "amqp") { Opcode::BINARY } else { Opcode::TEXT };
        let mut session = Session::new(Hints::default(), Decoder::find(name), &Limits::DEFAULT);
        let begun = std::time::Instant::now();
        let (front, rest) = bytes.split_at(24);
        let mut units = 0;
        for piece in std::iter::once(front).chain(rest.chunks(1)) {
            let decoded = session.message(&message(1, Direction::ToClient, opcode, piece));
            units += decoded.map_or(0, |decoded| decoded.units.len());
        }
        assert_eq!((units, session.held()), (1, 0), "{name}");
        assert!(begun.elapsed().as_secs() < 20, "{name} took {:?}", begun.elapsed());
    }
}
