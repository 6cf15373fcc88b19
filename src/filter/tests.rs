use super::*;
use crate::model::{
    Both, Close, CloseCode, ConnId, Connection, Decoded, Direction, Endpoint, Frame, Ip, Mark, Message, Node, NoteCode,
    NoteSet, Opcode, Opened, PacketNo, Reply, SessionId, Span, Stamp, Timestamp, Unit, Value as ModelValue,
};
use proptest::prelude::*;
use std::net::Ipv4Addr;

mod claims;
mod settled;
mod values;

fn mark(packet: u64) -> Mark {
    Mark { packet: PacketNo(packet), time: Some(Timestamp::from_nanos(1_700_000_000_000_000_000 + packet as i64)) }
}

fn connection() -> Connection {
    let end = |last, port| Endpoint { ip: Ip::from(Ipv4Addr::new(10, 0, 0, last)), port };
    let opened = Opened {
        client: end(1, 40_000),
        server: end(2, 8080),
        url: Some("ws://chat.example:8080/room/7?user=ann".to_owned()),
        transport: Some("http/1.1"),
        version: Default::default(),
        via: Box::default(),
        encap: Box::default(),
        encap_back: None,
        tls: None,
        encrypted: None,
        interface: None,
        ethers: None,
        session: SessionId(1),
        reconnect_of: None,
        first: mark(1),
    };
    let mut conn = Connection::new(ConnId(3), &stamp(), &opened);
    conn.codes.insert(NoteCode::TcpGap);
    conn.counts = Both::from_fn(|_| Default::default());
    conn.counts.to_server.messages = 4;
    conn
}

fn stamp() -> Stamp {
    Stamp { conn: Some(ConnId(3)), stream: Some(7), at: mark(12), ..Stamp::default() }
}

fn message(opcode: Opcode, payload: &[u8]) -> Message<'_> {
    Message {
        frames: 2,
        utf8: true,
        rtt: Some(150_000_000),
        span: Span { first: mark(11), last: mark(12) },
        brought: mark(12),
        findings: [NoteCode::Utf8Bad].into_iter().fold(NoteSet::EMPTY, |mut set, code| {
            set.insert(code);
            set
        }),
        ..Message::whole(5, Direction::ToClient, opcode, payload)
    }
}

fn frame(opcode: Opcode, fin: bool, len: u64) -> Frame {
    Frame {
        number: 1,
        msg: Some(5),
        dir: Direction::ToClient,
        fin,
        rsv: 4,
        opcode,
        mask: Some([1, 2, 3, 4]),
        header_len: 6,
        len,
        stream_offset: 0,
        span: Span { first: mark(11), last: mark(12) },
        complete: true,
        findings: NoteSet::EMPTY,
    }
}

/// Whether a message with this payload passes: a text of two frames, of 200 and of 70 000 bytes.
fn passes(filter: &str, payload: &str) -> bool {
    let filter = Filter::new(filter).unwrap_or_else(|problem| panic!("{filter}: {problem}"));
    let (conn, at, message) = (connection(), stamp(), message(Opcode::TEXT, payload.as_bytes()));
    let frames = [frame(Opcode::TEXT, false, 200), frame(Opcode::CONTINUATION, true, 70_000)];
    let origin = Some(Timestamp::from_nanos(1_699_999_999_000_000_000));
    filter.passes(&Row { at: &at, origin, conn: Some(&conn), handshake: None, item: Item::Message(&message, &frames) })
}

#[track_caller]
fn yes(payload: &str, filters: &[&str]) {
    for filter in filters {
        assert!(passes(filter, payload), "{filter}");
    }
}

#[track_caller]
fn no(payload: &str, filters: &[&str]) {
    for filter in filters {
        assert!(!passes(filter, payload), "{filter}");
    }
}

/// What Wireshark takes, too.
#[test]
fn other_spellings_of_wireshark() {
    yes(
        "hello",
        &[
            "tcp.stream not in {1, 2, 8 .. 9}",
            "type not in {ping, pong}",
            "payload[0] == 'h'",
            "payload[0,4] == \"ho\"",
            "payload[0:2,3-4] == \"helo\"",
            "payload[-1,0] == \"oh\"",
            "wspect.compressed == 2 || wspect.compressed == 0",
        ],
    );
    no("hello", &["tcp.stream not in {7}", "payload[0,9] == \"h\"", "payload[0,1] == \"eh\""]);
    assert_eq!(literal::bytes("0001.02a3.04ff").unwrap(), [0, 1, 2, 0xa3, 4, 0xff]);
    for filter in ["payload[0,] == \"h\"", "host == 'ab'", "tcp.stream not 7"] {
        assert!(Filter::new(filter).is_err(), "{filter}");
    }
}

/// A name that is nearly ours is a slip; others of a protocol that Wireshark knows are its fields.
#[test]
fn unknown_names_are_told_apart() {
    let told = |filter: &str| {
        let problem = Filter::new(filter).unwrap_err();
        format!("{} {}", problem.text, problem.hint.unwrap_or_default())
    };
    for (filter, words) in [
        ("vlan", "`vlan` is a field of Wireshark that is not available here"),
        ("ip.ttl == 64", "`ip.ttl` is a field of Wireshark that is not available here"),
        ("mqtt.topic", "`mqtt.topic` may be a field of Wireshark: it is not available here"),
        ("http.foo", "`http.foo` may be a field of Wireshark: it is not available here"),
        ("frame.nubmer == 1", "did you mean `frame.number`?"),
        ("tcp.prt == 80", "did you mean `tcp.port`?"),
        ("uper(host) == \"A\"", "did you mean `upper`?"),
    ] {
        assert!(told(filter).contains(words), "{filter}: {}", told(filter));
    }
}

#[test]
fn fields_have_the_values_of_the_row() {
    yes(
        "hello",
        &[
            "conn == 3",
            "tcp.stream==7",
            "frame.number == 12",
            "msg == 5",
            "dir == s2c",
            "type == text",
            "len == 5",
            "ip.src == 10.0.0.2",
            "ip.dst == 10.0.0.1",
            "ip.addr == 10.0.0.0/24",
            "tcp.srcport == 8080",
            "tcp.port == 40000",
            "host == chat.example",
            "path == /room/7",
            "wspect.query == \"user=ann\"",
            "url contains \"/room/\"",
            "rtt == 150ms",
            "rtt > .1",
            "finding == utf8-bad",
            "wspect.first_packet == 11",
            "wspect.client == 10.0.0.1",
            "wspect.client_port == 40000",
            "time > 2023-11-14",
            "frame.time_relative >= 1s",
            "websocket.payload.text == hello",
            "payload == \"hello\"",
            "payload == 68:65:6c:6c:6f",
            "wspect.messages == 4",
            "websocket.masking_key == 01:02:03:04",
            "websocket.payload_length == 127",
            "websocket.payload_length_ext_64 == 70000",
            "wspect.complete",
            "websocket",
            "severity == error",
            "severity >= warning",
        ],
    );
    no(
        "hello",
        &[
            "conn == 2",
            "dir == c2s",
            "type == ping",
            "close_code == 1000",
            "close_code != 1000",
            "ipv6.addr == ::1",
            "tls",
            "wspect.inferred",
            "ip.src == 10.0.0.1",
            "wspect.waited",
            "http",
            "finding == TCP-GAP",
            "severity == note",
        ],
    );
}

#[test]
fn several_values_are_any_or_all() {
    // Opcodes 1 and 0.
    yes(
        "",
        &[
            "websocket.opcode == 1",
            "websocket.opcode == 0",
            "websocket.opcode !== 1",
            "websocket.opcode ~= 1",
            "websocket.opcode != 9",
            "any websocket.opcode != 1",
            "all websocket.opcode < 2",
            "websocket.rsv === 4",
            "count(websocket.opcode) == 2",
            "websocket.opcode in {1, 9}",
            "websocket.fin == true",
            "websocket.fin == 0",
            "websocket.rsv & 4",
            "1 == websocket.opcode",
            "0 < websocket.opcode",
            "!(websocket.opcode == 9)",
        ],
    );
    no(
        "",
        &[
            "websocket.opcode != 1",
            "websocket.opcode === 1",
            "all websocket.opcode == 1",
            "all websocket.opcode in {1}",
            "websocket.opcode in {2, 8 .. 10}",
            "websocket.rsv & 3",
            "1 < websocket.opcode",
            "websocket.rsv != 4",
        ],
    );
}

#[test]
fn operators_bind_as_in_wireshark() {
    yes(
        "",
        &[
            "conn == 3 || conn == 1 && conn == 2",
            "(conn == 3 or conn == 1) and msg == 5",
            "not conn == 1 and msg == 5",
            "conn == 3 xor msg == 4",
            "conn == 3 ^^ conn == 3 || msg == 5",
            "! ! conn == 3",
            "conn eq 3 and msg ge 5 and msg lt 6",
        ],
    );
    no("", &["(conn == 3 || conn == 1) && conn == 2", "conn == 3 xor msg == 5", "not (conn == 3)", "conn gt 3"]);
}

#[test]
fn texts_are_searched_cut_and_counted() {
    yes(
        "Hello, Wörld \u{1f980} error",
        &[
            "payload contains \"error\"",
            "payload contains 65:72:72",
            "payload matches \"h.llo\"",
            "payload ~ \"w\u{f6}rld\"",
            "lower(websocket.payload.text) contains \"hello\"",
            "upper(payload) contains \"W\u{d6}RLD\"",
            "websocket.payload.text[0:5] == Hello",
            "websocket.payload.text[7-12] == \"W\u{f6}rld\"",
            "payload[0:2] == 48:65",
            "websocket.payload.text[-5:] == error",
            "websocket.payload.text[0] == H",
            "len(websocket.payload.text) == 24",
            "len(payload) == 24",
            "websocket.payload.text[:1] == H",
            "lower(payload)[0:2] == he",
            "lower(host) == lower(host)",
            "payload matches r\"^\\w+,\"",
            "websocket.payload.text > A",
        ],
    );
    no(
        "Hello",
        &[
            "payload contains \"hello\"",
            "payload matches \"(?-i)hello\"",
            "websocket.payload.text[5:] == \"\"",
            "websocket.payload.text[9] == H",
            "payload[3:4] == 6c:6f:00",
            "websocket.payload.text[-9:] == Hello",
        ],
    );
}

#[test]
fn json_is_asked_by_path() {
    let text = r#"{"type":"error","id":5,"big":12345678901234567890,"n":1.5,"ok":true,"no":null,"items":[{"id":1},{"id":9}],"a b":{"c":"x\u0041"},"path":"p"}"#;
    yes(
        text,
        &[
            "json.\"type\" == \"error\"",
            "json.type == error",
            "json.id == 5",
            "json.id > 4.5",
            "json.big == 12345678901234567890",
            "json.n == 1.5",
            "json.ok == true",
            "json.no == null",
            "json.no",
            "json.items[1].id == 9",
            "json.items[*].id > 5",
            "all json.items[*].id >= 1",
            "json.\"a b\".c == xA",
            "json.\"path\" == p",
            "json.items",
            "json",
            "count(json.items[*]) == 2",
            "json.type contains rro",
            "wspect.json.type matches \"^err\"",
            "json.id in {4 .. 6}",
            "json.id != 6",
            "json.type != 5",
            "len(json.type) == 5",
            "json.type[0:3] == err",
            "json.items contains \"\\\"id\\\":9\"",
            "json.id < json.items[1].id",
        ],
    );
    no(
        text,
        &[
            "json.type == warning",
            "json.id == \"5\"",
            "json.items[2]",
            "json.missing != 1",
            "json.type.deeper",
            "json.ok == false",
            "all json.items[*].id > 5",
        ],
    );
    no("no JSON", &["json", "json.a == 1"]);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (filter, shown) in [
        ("websocket.opcod == 1", "unknown field `websocket.opcod` 0..15 did you mean `websocket.opcode`?"),
        ("conn == 1 && frame.len > 3", "`frame.len` is a field of Wireshark that is not available here 13..22"),
        (
            "json.key == 1",
            "`json.key` is a field of Wireshark that is not available here 0..8 a key of that name is quoted: json.\"key\"",
        ),
        ("len == x", "a number is wanted, as 12, 0x1f, 017 (octal), 4kB or 16M 7..8"),
        ("len = 3", "`=` is no comparison 4..5 did you mean `==`?"),
        ("type == txt", "no such word here: `txt` 8..11 did you mean `text`?"),
        ("dir == up", "no such word here: `up` 7..9 one of c2s s2c"),
        ("finding == TCP-GOP", "no such word here: `TCP-GOP` 11..18 did you mean `TCP-GAP`?"),
        ("conn ==", "a value is wanted here 7..7"),
        ("conn == 1 &&", "a field is wanted here 12..12"),
        ("(conn == 1", "`)` is wanted here 10..10"),
        ("conn == 1 conn == 2", "`&&`, `||` or the end of the filter is wanted here 10..14"),
        ("conn in {1", "`}` is wanted here 10..10"),
        ("conn contains 1", "`contains` is for text and bytes, not for a number 14..15"),
        ("payload == abc", "bytes are wanted, as 0a:ff:00, or a text in quotes 11..14"),
        ("type == 'text'", "texts stand in double quotes 8..14"),
        ("len or or len", "a field is wanted here 7..9"),
        (
            "json.value.x == 1",
            "`json.value.x` may be a field of Wireshark: it is not available here 0..12 a key of that name is quoted: json.\"value\".x",
        ),
        ("payload matches \"(\"", "this regular expression cannot be read: unclosed group 16..19"),
        ("finding > TCP-GAP", "`wspect.finding` has no order: == and != compare it 10..17"),
        (
            "json.at > 200ms",
            "a number in JSON has no unit of time: write how many it counts 10..15 a text stands in quotes: \"200ms\"",
        ),
        (
            "json.at in {1 .. 10.0.0.1}",
            "a number is wanted, as 12, 0.5, 1e6, 0x1f or 64k 17..25 a text stands in quotes: \"10.0.0.1\"",
        ),
        ("ip.addr > 10.0.0.0/8", "a network has no order: == and != compare it 10..20"),
        ("host == \"abc", "a text without its closing quote 8..12"),
        ("host == \"\\x4\"", "\\x stands before two hex digits, and a backslash is \\\\ 8..13"),
        ("host == \"\\x4\\\"", "a text without its closing quote 8..14"),
        ("conn[0:1] == 1", "a number cannot be sliced 4..9"),
        ("payload[x] == 1", "a slice is wanted, as [0:4] (4 from 0), [2-3] (2 to 3), [4:], [-4:] or [0,2-3] 7..10"),
        ("header == 1", "which header? header.\"X-Request-Id\" 0..6"),
        ("tls == 1", "this is there or not: it has no value to compare 7..8"),
        ("conn == ip.src", "a number is wanted, as 12, 0x1f, 017 (octal), 4kB or 16M 8..14"),
        ("upper(conn) == 1", "`upper` is for text and bytes 0..5"),
        ("", "the filter is empty 0..0"),
        ("all websocket.rsv & 4", "`all` is for comparisons: `&` is true of any 20..21"),
        ("any websocket.fin", "`any` and `all` are for comparisons 17..17"),
        ("\"text\"", "a field is wanted here, not a text 0..6"),
        ("conn == 1 \u{20ac}", "this is no part of a filter 10..13"),
    ] {
        let problem = Filter::new(filter).unwrap_err();
        let hint = problem.hint.as_deref().map(|hint| format!(" {hint}")).unwrap_or_default();
        assert_eq!(format!("{} {:?}{hint}", problem.text, problem.span), shown, "{filter}");
    }
    let deep = "(".repeat(200) + "conn" + &")".repeat(200);
    assert_eq!(Filter::new(&deep).unwrap_err().text, "the filter is nested too deep");
    assert_eq!(Filter::new(&"!".repeat(200)).unwrap_err().text, "the filter is nested too deep");
    let problem = Filter::new("host == \u{e9} && pth == 1").unwrap_err();
    assert_eq!(
        problem.shown("host == \u{e9} && pth == 1"),
        "    host == \u{e9} && pth == 1\n                 ^~~ did you mean `path`?"
    );
}

#[test]
fn what_cannot_be_compared_is_unequal() {
    let text = r#"{"a":5,"b":"5","c":{"x":1,"type":"json"},"n":1e400,"d":1.0}"#;
    yes(
        text,
        &[
            "json.a != json.b",
            "json.a != \"5\"",
            "json.c.type == json",
            "json[\"c\"].x == 1",
            "json.c.* == 1",
            "count(json.missing) == 0",
            "json.d == 1",
            "json.n > 5",
        ],
    );
    no(text, &["json.a == json.b", "json.missing != 5", "count(json.c) == 0"]);
    no("42 messages", &["json", "json == 42"]);
    yes("42", &["json == 42"]);
    yes(
        "",
        &["websocket.rsv & 5 == 4", "websocket.rsv & 4 != 0", "frame && tcp && ip", "count(websocket.opcode) == 2"],
    );
    no("", &["websocket.rsv & 4 == 1", "ipv6", "http.request"]);
}

#[test]
fn marks_stand_below_what_is_meant() {
    let filter = "payload == \"\u{6f22}\u{5b57}\" && foo == 1";
    let shown = Filter::new(filter).unwrap_err().shown(filter);
    let (above, below) = shown.split_once('\n').unwrap();
    use unicode_width::UnicodeWidthStr as _;
    assert_eq!(above.split("foo").next().unwrap().width(), below.find('^').unwrap(), "{shown}");
    let long = format!("conn == 1{} && foo == 1", " && conn == 1".repeat(4000));
    assert!(Filter::new(&long).unwrap_err().shown(&long).len() < 400);
    assert!(!Filter::new("host == \x1b[31m").unwrap_err().shown("host == \x1b[31m").contains('\x1b'));
}

#[test]
fn a_close_frame_has_its_code() {
    let (conn, at) = (connection(), stamp());
    let mut close = message(Opcode::CLOSE, b"\x03\xe9bye");
    close.close = Some(Close { code: CloseCode(1001), reason: b"bye" });
    let row = Row { at: &at, origin: None, conn: Some(&conn), handshake: None, item: Item::Message(&close, &[]) };
    let passes = |filter: &str| Filter::new(filter).unwrap().passes(&row);
    assert!(passes("close_code == 1001 && websocket.payload.close.reason == bye && websocket.payload.close"));
    assert!(passes("close_code in {1002, 1000 .. 1001}") && !passes("close_code in {1002 .. 1003}"));
    let conn_row = Row { item: Item::Connection, ..row };
    let of_conn = |filter: &str| Filter::new(filter).unwrap().passes(&conn_row);
    assert!(of_conn(
        "finding == TCP-GAP && ip.src == 10.0.0.1 && wspect.c2s.messages == 4 && wspect.s2c.messages == 0"
    ));
    assert!(!of_conn("msg") && !of_conn("type == close") && !of_conn("close_code"));
}

/// Whether a message of which this was decoded passes: two units, of which the first answers message 4 after 20 ms.
fn passes_decoded(filter: &str) -> bool {
    let json = |text: &'static str| Node::from(ModelValue::Json(text.into()));
    let map = ModelValue::Map(vec![
        ("type".into(), ModelValue::text("EVENT").into()),
        ("args".into(), json("[1,{\"a\":\"x\"}]")),
    ]);
    let reply = Some(Reply { to: 4, latency: Some(20_000_000), event: Some("join".into()) });
    let first = Unit { event: Some("chat".into()), id: Some("7".into()), reply, ..Unit::new("chat #7", map.into()) };
    let second = Unit { event: Some("ping".into()), heartbeat: true, ..Unit::new("ping", json("null")) };
    let decoded = Decoded { protocol: "socket.io", units: vec![first, second] };
    let message = Message { decoded: Some(&decoded), ..message(Opcode::TEXT, b"") };
    let filter = Filter::new(filter).unwrap_or_else(|problem| panic!("{filter}: {problem}"));
    let (conn, at) = (connection(), stamp());
    filter.passes(&Row {
        at: &at,
        origin: None,
        conn: Some(&conn),
        handshake: None,
        item: Item::Message(&message, &[]),
    })
}

#[test]
fn what_was_decoded_is_asked() {
    for filter in [
        "event == chat",
        "event == ping && count(event) == 2",
        "reply == 4 && latency >= 20ms && latency < 21ms",
        "asked == join && wspect.reply_event contains \"oi\"",
        "!heartbeat",
        "summary contains \"chat #7\"",
        "decoded",
        "decoded.protocol == \"socket.io\"",
        "decoded.event == chat && decoded.id == \"7\" && decoded.latency_ns == 20000000",
        "decoded.data[0].type == EVENT && decoded.data[0].args[1].a == x",
        "wspect.decoded.events[1] == ping",
    ] {
        assert!(passes_decoded(filter), "{filter}");
    }
    for filter in [
        "event == chat2",
        "asked == chat",
        "all event == chat",
        "reply == 5",
        "heartbeat",
        "decoded.data.x",
        "latency > 20ms",
    ] {
        assert!(!passes_decoded(filter), "{filter}");
    }
    no("{\"event\":\"chat\"}", &["event", "reply", "latency", "decoded", "decoded.protocol", "summary", "heartbeat"]);
    yes("x", &["!heartbeat", "heartbeat == false"]);
}

#[test]
fn fields_say_what_they_need_and_of_what_they_are() {
    let filter = |text: &str| Filter::new(text).unwrap();
    assert_eq!(filter("conn == 1").needs(Rows::ALL), Needs::default());
    assert_eq!(filter("event").needs(Rows::ALL), Needs { payloads: true, decoded: true, ..Needs::default() });
    let needs =
        filter("websocket.opcode == 1 && decoded && http.host == x && wspect.state == open && frame.time_relative < 3");
    let all = Needs { frames: true, payloads: true, decoded: true, heads: true, ends: true, origin: true };
    assert_eq!(needs.needs(Rows::MESSAGES), all);
    assert_eq!(needs.needs(Rows::CONNECTIONS), Needs { frames: false, ends: false, ..all });
    assert!(filter("type == text").suits(Rows::MESSAGES | Rows::CONNECTIONS).is_ok());
    let stranger = filter("conn == 1 && type == text").suits(Rows::CONNECTIONS).unwrap_err();
    assert_eq!(
        (stranger.to_string().as_str(), stranger.span),
        ("`wspect.type` is a field of messages and frames, not of connections", 13..17)
    );
    assert!(filter("conn == 3").and(filter("msg == 5")).uses.len() == 2);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z.=!<>&|(){}\\[\\]\",0-9 ~:*-]{0,40}") {
        if let Err(problem) = Filter::new(&text) {
            prop_assert!(problem.span.start <= problem.span.end && problem.span.end <= text.len());
            problem.shown(&text);
        }
    }

    #[test]
    fn tokens_of_filters_in_any_order(words in prop::collection::vec(prop::sample::select(vec![
        "conn", "==", "1", "&&", "payload", "contains", "\"x\"", "(", ")", "!", "json.a[0]", "in", "{", "}", ",", "..", "[0:2]", "len(", "matches", "any",
    ]), 0..12)) {
        let text = words.join(" ");
        if let Ok(filter) = Filter::new(&text) {
            let (conn, at, message) = (connection(), stamp(), message(Opcode::TEXT, br#"{"a":[1,"x"]}"#));
            filter.passes(&Row { at: &at, origin: None, conn: Some(&conn), handshake: None, item: Item::Message(&message, &[]) });
        }
    }
}
