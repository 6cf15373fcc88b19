//! Conversations of older protocols that WebSocket carries.

use super::{Decoder, Direction, Hints, Limits, Opcode, Session, UNITS, check, hints, message, summary, unhex};

#[test]
fn nats_commands_are_told_wherever_they_are_cut() {
    check(
        Hints::default(),
        &[
            (
                "<INFO {\"server_id\":\"N\",\"version\":\"2.10\"}\r\n",
                r#"nats | INFO - | INFO {"server_id":"N","version":"2.10"}"#,
            ),
            (">CONNECT {\"verbose\":false}\r\nPING\r\n", "nats | CONNECT - | CONNECT | PING - ~ | PING"),
            ("<PONG\r\n", "nats | PONG - ↩2 ~ | PONG"),
            (">SUB FOO.* 1\r\nSUB BAR G1 44\r\n", "nats | FOO.* 1 | SUB FOO.* 1 | BAR 44 | SUB BAR G1 44"),
            (">PUB FRONT.DOOR INBOX.22 11\r\nKnock Kn", "nats"),
            (">ock\r\n", "nats | FRONT.DOOR INBOX.22 | PUB FRONT.DOOR INBOX.22 Knock Knock"),
            ("<MSG INBOX.22 9 2\r\n{}\r\n", "nats | INBOX.22 9 ↩6 | MSG INBOX.22 9 {}"),
            (
                "<HMSG FOO.BAR 9 34 45\r\nNATS/1.0\r\nFoodGroup: vegetable\r\n\r\nHello World\r\n",
                "nats | FOO.BAR 9 | HMSG FOO.BAR 9 Hello World",
            ),
            ("<HMSG INBOX.22 9 16 16\r\nNATS/1.0 503\r\n\r\n\r\n", "nats | INBOX.22 9 | HMSG INBOX.22 9 503 "),
            (">UNSUB 1 5\r\n", "nats | UNSUB 1 | UNSUB 1 5"),
            ("<-ERR 'Unknown Protocol Operation'\r\n", "nats | -ERR - ↩2 | -ERR 'Unknown Protocol Operation'"),
            ("<PUB x y\r\n", "nothing"),
            ("<PUB x 5\r\nabc\r\nxx", "nothing"),
        ],
    );
    // Others say such words, too.
    for word in [">PING\r\n", ">PING :server\r\n", ">CONNECT example.org\r\n", ">SUB\r\n", "<MSG x\r\n"] {
        check(Hints::default(), &[(word, "nothing")]);
    }
}

/// Examples of RFC 7395 and RFC 6120.
#[test]
fn xmpp_stanzas_are_paired() {
    let open = |arrow, attribute| {
        format!(r#"{arrow}<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" {attribute}="example.com" version="1.0"/>"#)
    };
    let (asked, answered) = (open(">", "to"), open("<", "from"));
    check(
        Hints::default(),
        &[
            (&asked, "xmpp | open - | open to example.com"),
            (&answered, "xmpp | open - ↩1 | open from example.com"),
            (r#">{"type":"x"}"#, r#"json | x - | {"type":"x"}"#),
            (
                ">\n<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGp1bGlldA==</auth>",
                "xmpp | auth - | auth",
            ),
            ("<<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "xmpp | success - ↩4 | success"),
            (
                "><iq id='b1' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
                "xmpp | iq bind b1 | iq set bind",
            ),
            ("<<iq id='b1' type='result'/>", "xmpp | iq b1 ↩6 | iq result"),
            ("><enable xmlns='urn:xmpp:sm:3'/>", "xmpp | enable - | enable"),
            ("<<enabled xmlns='urn:xmpp:sm:3' id='s1'/>", "xmpp | enabled s1 ↩8 | enabled"),
            (
                "><message from='j@a/b' to='r@c' type='chat'><body>Art thou &amp; not?</body></message>",
                "xmpp | message - | message chat from j@a/b to r@c Art thou & not?",
            ),
            (
                "<<iq from='c' id='p' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
                "xmpp | iq ping p ~ | iq get ping from c",
            ),
            ("> ", "xmpp | whitespace - ~ | whitespace"),
            ("><presence", "nothing"),
        ],
    );
}

/// Examples of RFC 7118 §8.
#[test]
fn sip_transactions_are_paired() {
    let register = ">REGISTER sip:proxy.example.com SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKasudf\r\nFrom: sip:alice@example.com;tag=65bnmj.34asd\r\nt: sip:alice@example.com\r\nCall-ID: aiuy7k9njasd\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";
    let ok = "<SIP/2.0 200 OK\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKasudf;received=1.2.3.4\r\nCall-ID: aiuy7k9njasd\r\nCSeq: 1 REGISTER\r\n\r\n";
    let invite = ">INVITE sip:bob@example.com SIP/2.0\r\nv: SIP/2.0/WS a.invalid;branch=z9hG4bK56\r\ni: c2\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n";
    let ringing =
        "<SIP/2.0 180 Ringing\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK56\r\nCall-ID: c2\r\nCSeq: 1 INVITE\r\n\r\n";
    let busy =
        "<SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK56\r\nCall-ID: c2\r\nCSeq: 1 INVITE\r\n\r\n";
    let ack = ">ACK sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK56\r\nCall-ID: c2\r\nCSeq: 1 ACK\r\n\r\n";
    check(
        Hints::default(),
        &[
            (register, "sip | REGISTER aiuy7k9njasd | REGISTER sip:proxy.example.com"),
            (ok, "sip | 200 REGISTER aiuy7k9njasd ↩1 | 200 OK REGISTER"),
            (invite, "sip | INVITE c2 | INVITE sip:bob@example.com v=0\r\n"),
            (ringing, "sip | 180 INVITE c2 ↩3 | 180 Ringing INVITE"),
            (busy, "sip | 486 INVITE c2 ↩3 | 486 Busy Here INVITE"),
            (ack, "sip | ACK c2 | ACK sip:bob@example.com"),
            (">\r\n\r\n", "sip | ping - ~ | ping"),
            ("<\r\n", "sip | pong - ↩7 ~ | pong"),
            (">GET / HTTP/1.1\r\n\r\n", "nothing"),
            (">INVITE sip:x SIP/2.0\r\nVia: x\r\n", "nothing"),
        ],
    );
}

#[test]
fn amqp_performatives_are_told_wherever_they_are_cut() {
    check(
        hints("/$servicebus/websocket", Some("amqp")),
        &[
            (">#41 4d 51 50 03 01 00 00", "amqp | header - | header SASL"),
            ("<#41 4d 51 50 03 01 00 00", "amqp | header - ↩1 | header SASL"),
            // sasl-mechanisms, an array of one symbol; sasl-init.
            (
                "<#00 00 00 1c 02 01 00 00 00 53 40 c0 0f 01 e0 0c 01 a3 09 41 4e 4f 4e 59 4d 4f 55 53",
                r#"amqp | sasl-mechanisms - | sasl-mechanisms"#,
            ),
            (
                ">#00 00 00 19 02 01 00 00 00 53 41 c0 0c 01 a3 09 41 4e 4f 4e 59 4d 4f 55 53",
                "amqp | sasl-init - | sasl-init ANONYMOUS",
            ),
            ("<#00 00 00 10 02 01 00 00 00 53 44 c0 03 01 50 00", "amqp | sasl-outcome - ↩4 | sasl-outcome 0"),
            // open { container-id "c" }, in two messages; an empty frame behind it.
            (">#00 00 00 11 02 00 00 00 00 53", "amqp"),
            (">#10 c0 04 01 a1 01 63 00 00 00 08 02 00 00 00", "amqp | open - | open c | empty - ~ | empty"),
            ("<#00 00 00 11 02 00 00 00 00 53 10 c0 04 01 a1 01 73", "amqp | open - ↩7 | open s"),
            // transfer { handle 0, delivery-id 5 } and data "hi"; disposition { role true, first 5 }.
            (
                ">#00 00 00 16 02 00 00 01 00 53 14 c0 04 02 43 52 05 00 53 75 a0 00",
                "amqp | transfer 5 | transfer #5 <5 bytes>",
            ),
            ("<#00 00 00 11 02 00 00 01 00 53 15 c0 04 02 41 52 05", "amqp | disposition 5 ↩9 | disposition #5"),
            ("<#00 00 00 07 02 00 00 00", "nothing"),
            // An array of very many values that take no bytes.
            ("<#00 00 00 18 02 01 00 00 00 53 40 c0 0b 01 f0 00 00 00 05 7f ff ff ff 40", "nothing"),
            (">#ff", "nothing"),
        ],
    );
}

/// A disposition settles all deliveries from its first to its last, and a sender its own.
#[test]
fn amqp_dispositions_settle_ranges() {
    let transfer = |number: u8| format!(">#00 00 00 11 02 00 00 01 00 53 14 c0 04 02 43 52 {number:02x}");
    let settle = |dir: char, role: u8, first: u8, last: u8| {
        format!("{dir}#00 00 00 13 02 00 00 01 00 53 15 c0 06 03 {role:02x} 52 {first:02x} 52 {last:02x}")
    };
    let told = |number: u8| format!("amqp | transfer {number} | transfer #{number}");
    let said: Vec<(String, String)> = [
        (transfer(5), told(5)),
        (transfer(6), told(6)),
        (transfer(7), told(7)),
        (transfer(8), told(8)),
        (settle('>', 0x42, 5, 8), "amqp | disposition 5 | disposition #5".to_owned()),
        // Of several it answers the first.
        (settle('<', 0x41, 6, 7), "amqp | disposition 6 ↩2 | disposition #6".to_owned()),
        (settle('<', 0x41, 7, 7), "amqp | disposition 7 | disposition #7".to_owned()),
        (settle('<', 0x41, 0, 255), "amqp | disposition 0 ↩1 | disposition #0".to_owned()),
        (settle('<', 0x41, 8, 8), "amqp | disposition 8 | disposition #8".to_owned()),
        (settle('<', 0x41, 9, 8), "amqp | disposition 9 | disposition #9".to_owned()),
    ]
    .into();
    let said: Vec<(&str, &str)> = said.iter().map(|(said, told)| (said.as_str(), told.as_str())).collect();
    check(hints("/", Some("amqp")), &said);
}

/// Behind the units that are told of a message it is read to its end: what is cut there goes on in the next.
#[test]
fn messages_of_very_many_units_are_read_to_their_end() {
    let many = 5000;
    let cases: [(&str, Vec<u8>, Vec<u8>, &str); 5] = [
        ("nats", b"PING\r\n".repeat(many), b"PUB a 2\r\nhi\r\n".to_vec(), "PUB a hi"),
        ("mqtt", [0xc0, 0].repeat(many), vec![0x30, 5, 0, 1, b'a', b'h', b'i'], "PUBLISH a hi"),
        ("stomp", b"\nSEND\n\n\0".repeat(many), b"ACK\nid:7\n\n\0".to_vec(), "ACK 7"),
        ("signalr", b"{\"type\":6}\x1e".repeat(many), b"{\"type\":7,\"error\":\"no\"}\x1e".to_vec(), "Close error: no"),
        ("amqp", [0, 0, 0, 8, 2, 0, 0, 0].repeat(many), unhex("0000001102000000005310c00401a10163"), "open c"),
    ];
    for (name, units, last, wanted) in cases {
        let mut session = Session::new(Hints::default(), Decoder::find(name), &Limits::DEFAULT);
        let (begin, end) = last.split_at(last.len() - 2);
        let opcode = if name == "signalr" { Opcode::TEXT } else { Opcode::BINARY };
        let all = [&units, begin].concat();
        let decoded = session.message(&message(1, Direction::ToServer, opcode, &all)).expect(name);
        assert_eq!(decoded.units.len(), UNITS, "{name}");
        let next = message(2, Direction::ToServer, opcode, end);
        let decoded = session.message(&next).map(|decoded| summary(&decoded));
        assert_eq!(decoded.as_deref(), Some(wanted), "{name}");
    }
    // What the client of RFB has said before decides what its next message is.
    let mut session = Session::new(Hints::default(), Decoder::find("rfb"), &Limits::DEFAULT);
    let mut tell = |bytes: &[u8]| {
        let decoded = session.message(&message(1, Direction::ToServer, Opcode::BINARY, bytes)).unwrap();
        (decoded.units.len(), summary(&decoded))
    };
    tell(b"RFB 003.008\n");
    assert_eq!(tell(&[&[1, 1][..], &[5, 0, 0, 1, 0, 2].repeat(many), &[4, 1, 0]].concat()).0, UNITS);
    assert_eq!(tell(&[0, 0, 0, 0, 0x61]).1, "KeyEvent down 0x61");
}

/// What rhea (a client and server for Node.js) says when it sends one message.
#[test]
fn amqp_of_a_library() {
    check(
        hints("/", Some("amqp")),
        &[
            (">#414d515003010000", "amqp | header - | header SASL"),
            ("<#414d515003010000", "amqp | header - ↩1 | header SASL"),
            (
                "<#0000002802010000005340d00000001800000001f00000000f00000001a309414e4f4e594d4f5553",
                "amqp | sasl-mechanisms - | sasl-mechanisms",
            ),
            (
                ">#0000002b02010000005341d00000001b00000002a309414e4f4e594d4f5553a00a00616e6f6e796d6f7573",
                "amqp | sasl-init - | sasl-init ANONYMOUS",
            ),
            ("<#0000001602010000005344d000000006000000015000", "amqp | sasl-outcome - ↩4 | sasl-outcome 0"),
            (
                ">#414d5150000100000000001902000000005310d00000000900000001a103636c69",
                "amqp | header - | header AMQP | open - | open cli",
            ),
            ("<#414d515000010000", "amqp | header - ↩6 | header AMQP"),
            (">#0000002002000000005311d000000010000000044043700000080070ffffffff", "amqp | begin - | begin"),
            (
                ">#0000003302000000005312d0000000230000000aa1026c314342404000532845005329d00000000800000001a1027131404043",
                "amqp | attach 0 | attach l1 #0",
            ),
            ("<#0000001902000000005310d00000000900000001a103737276", "amqp | open - ↩6 | open srv"),
            ("<#0000002202000000005311d0000000120000000460000043700000080070ffffffff", "amqp | begin - ↩8 | begin"),
            (
                "<#0000002702000000005313d000000017000000074370000008004370ffffffff434370000003e8",
                "amqp | flow 0 | flow #0",
            ),
            (
                ">#0000003502000000005314d00000000c000000064343a001304342420053704500537345005377d10000000900000002a1016e5201",
                "amqp | transfer 0 | transfer #0 <25 bytes>",
            ),
            (
                "<#0000001c02000000005315d00000000c000000054143434100532445",
                r#"amqp | disposition 0 ↩13 | disposition #0 {"descriptor":36,"value":[]}"#,
            ),
            (">#0000000c0200000000531845", "amqp | close - | close"),
            ("<#0000000c0200000000531845", "amqp | close - ↩15 | close"),
        ],
    );
}

#[test]
fn rfb_handshakes_and_what_clients_say() {
    check(
        Hints::default(),
        &[
            ("<#52 46 42 20 30 30 33 2e 30 30 38 0a", "rfb | ProtocolVersion - | ProtocolVersion RFB 003.008"),
            (">#52 46 42 20 30 30 33 2e 30 30 38 0a", "rfb | ProtocolVersion - | ProtocolVersion RFB 003.008"),
            ("<#02 01 02", "rfb | SecurityTypes - | SecurityTypes None, VNC Authentication"),
            (">#02", "rfb | SecurityType - | SecurityType VNC Authentication"),
            ("<#00 01 02 03 04 05 06 07", "rfb"),
            ("<#08 09 0a 0b 0c 0d 0e 0f", "rfb | Challenge - | Challenge"),
            (">#00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f", "rfb | Response - | Response"),
            ("<#00 00 00 00", "rfb | SecurityResult - | SecurityResult OK"),
            (">#01", "rfb | ClientInit - | ClientInit shared"),
            (
                "<#05 00 03 20 20 18 00 01 00 ff 00 ff 00 ff 10 08 00 00 00 00 00 00 00 01 58",
                "rfb | ServerInit - | ServerInit 1280×800 X",
            ),
            (
                ">#02 00 00 01 00 00 00 07 03 00 00 00 00 00 05 00 03 20",
                "rfb | SetEncodings - | SetEncodings 1 | FramebufferUpdateRequest - | FramebufferUpdateRequest 1280×800 at 0,0",
            ),
            (">#05 01 00 0a 00", "rfb"),
            (
                ">#14 04 01 00 00 00 00 00 61",
                "rfb | PointerEvent - | PointerEvent 10,20 buttons 1 | KeyEvent - | KeyEvent down 0x61",
            ),
            ("<#00 00 00 01", "rfb | data - | data <4 bytes>"),
            (">#63", "nothing"),
        ],
    );
    check(Hints::default(), &[("<RFB 003.008 is a version", "nothing")]);
}

#[test]
fn guacamole_counts_characters() {
    check(
        hints("/websocket-tunnel?GUAC_ID=x", Some("guacamole")),
        &[
            (
                "<0.,36.369f3bd7-7e8b-4dbb-a1a5-7a5d1d8b1c11;",
                "guacamole | (tunnel) - ~ | (tunnel) [\"369f3bd7-7e8b-4dbb-a1a5-7a5d1d8b1c11\"]",
            ),
            ("<4.size,1.0,4.1024,3.768;", r#"guacamole | size - | size ["0","1024","768"]"#),
            (
                "<4.name,2.éü;4.sync,8.31415926;",
                r#"guacamole | name - | name ["éü"] | sync 31415926 ~ | sync ["31415926"]"#,
            ),
            (">4.sync,8.31415926;", r#"guacamole | sync 31415926 ↩3 ~ | sync ["31415926"]"#),
            (">3.key,2.97,1.1;", r#"guacamole | key - | key ["97","1"]"#),
            (">3.nop;", "guacamole | nop - ~ | nop"),
            (">0.,4.ping,3.123;", r#"guacamole | (tunnel) - ~ | (tunnel) ["ping","123"]"#),
            ("<0.,4.ping,3.123;", r#"guacamole | (tunnel) - ↩7 ~ | (tunnel) ["ping","123"]"#),
            (">3.nope;", "nothing"),
            (">3.nop", "nothing"),
        ],
    );
    check(Hints::default(), &[("<4.sync,8.31415926;", r#"guacamole | sync 31415926 ~ | sync ["31415926"]"#)]);
    check(Hints::default(), &[("<1.5;", "nothing"), ("<3.14,2.71;", "nothing")]);
}
