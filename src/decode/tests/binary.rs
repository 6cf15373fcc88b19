//! Conversations in bytes.

use super::{check, hints};
use crate::decode::Hints;

#[test]
fn binary_values_are_told_by_their_bytes() {
    check(
        Hints::default(),
        &[
            (">#82 a2 69 64 07 a1 78 93 01 02 03", r#"msgpack | - - | {"id":7,"x":[1,2,3]}"#),
            (">#a2 62 69 64 07 61 78 83 01 02 03", r#"cbor | - - | {"id":7,"x":[1,2,3]}"#),
            (">#0a 05 45 55 52 2f 30 18 07", r#"protobuf | - - | {"1":"EUR/0","3":7}"#),
            (
                "<#16 00 00 00 02 68 65 6c 6c 6f 00 06 00 00 00 77 6f 72 6c 64 00 00",
                r#"bson | - - | {"hello":"world"}"#,
            ),
            (">#08 07 10 01", "nothing"),
            (">#93 01 02", "nothing"),
            (">#92 01", "nothing"),
            (">#00 01 02 03", "nothing"),
        ],
    );
}

#[test]
fn signalr_records_of_messagepack_are_told_wherever_they_are_cut() {
    check(
        Hints::default(),
        &[
            (">{\"protocol\":\"messagepack\",\"version\":1}\u{1e}", "signalr | handshake - | Handshake messagepack 1"),
            ("<{}\u{1e}", "signalr | handshake - ↩1 | Handshake"),
            (
                ">#0d 96 01 80 a1 30 a3 41 64 64 92 02 28 90 02 91 06",
                "signalr | Add 0 | Add #0 [2,40] | ping - ~ | Ping",
            ),
            ("<#07 95 03 80 a1 30 03 2a 0b 95 03 80", "signalr | completion 0 ↩3 | Completion #0 42"),
            ("<#a1 30 01 a4", "signalr"),
            ("<#6f 6f 70 73 02 91 06", "signalr | completion 0 | Completion #0 error: oops | ping - ~ | Ping"),
        ],
    );
}

#[test]
fn mqtt_packets_are_told_wherever_they_are_cut() {
    check(
        hints("/mqtt", Some("mqtt")),
        &[
            (">#10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61", "mqtt | CONNECT - | CONNECT a"),
            ("<#20 02 01 00", "mqtt | CONNACK - ↩1 | CONNACK"),
            (">#82", "mqtt"),
            (">#0c 00 02 00 03 61 2f 23 01 00 01", "mqtt"),
            (
                ">#62 00 32 09 00 03 61 2f 62 00 0a 68 69 c0 00",
                "mqtt | SUBSCRIBE 2 | SUBSCRIBE #2 a/# b | a/b 10 | PUBLISH a/b qos 1 #10 hi | PINGREQ - ~ | PINGREQ",
            ),
            (
                "<#90 04 00 02 01 80 40 02 00 0a d0 00",
                "mqtt | SUBACK 2 ↩5 | SUBACK #2 | PUBACK 10 ↩5 | PUBACK #10 | PINGRESP - ↩5 ~ | PINGRESP",
            ),
            (">#34 08 00 01 74 00 0b 7b 7d 20", "mqtt | t 11 | PUBLISH t qos 2 #11 {}"),
            ("<#50 02 00 0b", "mqtt | PUBREC 11 ↩7 | PUBREC #11"),
            (">#62 02 00 0b", "mqtt | PUBREL 11 | PUBREL #11"),
            ("<#70 02 00 0b", "mqtt | PUBCOMP 11 ↩7 | PUBCOMP #11"),
            (">#31 02 00 05", "mqtt | PUBLISH - | PUBLISH (malformed)"),
            (">#00 00", "nothing"),
            (">#e0 ff ff ff ff ff", "nothing"),
            (">#e0 00", "mqtt | DISCONNECT - | DISCONNECT"),
        ],
    );
}

#[test]
fn mqtt_5_has_properties_and_topics_by_number() {
    check(
        Hints::default(),
        &[
            (">#10 14 00 04 4d 51 54 54 05 c2 00 3c 00 00 01 61 00 01 75 00 01 70", "mqtt | CONNECT - | CONNECT a"),
            ("<#20 06 00 00 03 22 00 0a", "mqtt | CONNACK - ↩1 | CONNACK"),
            (">#30 08 00 01 74 03 23 00 01 37", "mqtt | t - | PUBLISH t 7"),
            (">#30 07 00 00 03 23 00 01 38", "mqtt | t - | PUBLISH t 8"),
            ("<#30 07 00 00 03 23 00 01 38", "mqtt | (topic alias 1) - | PUBLISH (topic alias 1) 8"),
            ("<#e0 01 8b", "mqtt | DISCONNECT - | DISCONNECT code 139"),
            ("<#30 08 00 01 74 03 ff 00 01 37", "mqtt | PUBLISH - | PUBLISH (malformed)"),
        ],
    );
}

#[test]
fn files_are_told_by_what_they_begin_with() {
    check(
        Hints::default(),
        &[
            ("<#89 50 4e 47 0d 0a 1a 0a 00", "media | image/png - | image/png <9 bytes>"),
            ("<#ff d8 ff e0", "media | image/jpeg - | image/jpeg <4 bytes>"),
            ("<#00 00 00 18 66 74 79 70 6d 70 34 32", "media | video/mp4 - | video/mp4 <12 bytes>"),
            ("<#89 50", "nothing"),
        ],
    );
}

/// What is packed, and what a session makes of it.
fn packed(bytes: &[u8]) -> Option<(String, String)> {
    use super::{Direction, Limits, Opcode, Session, message, sound, told, write_node};
    let mut session = Session::new(Hints::default(), None, &Limits::DEFAULT);
    let decoded = session.message(&message(1, Direction::ToClient, Opcode::BINARY, bytes))?;
    sound(&decoded, bytes);
    let mut tree = Vec::new();
    write_node(&decoded.units[0].tree, &mut tree);
    Some((told(&decoded), String::from_utf8(tree).unwrap()))
}

#[test]
fn what_was_compressed_is_told_with_its_encodings() {
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use std::io::Write as _;
    let gzip = |bytes: &[u8]| {
        let mut out = GzEncoder::new(Vec::new(), Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let zlib = |bytes: &[u8]| {
        let mut out = ZlibEncoder::new(Vec::new(), Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let whole = gzip(br#"{"op":10,"d":{"x":[1,2]}}"#);
    let (line, tree) = packed(&whole).unwrap();
    assert_eq!(line, r#"compressed | 10 - | gzip {"op":10,"d":{"x":[1,2]}}"#);
    assert_eq!(tree, r#"{"encodings":["gzip","json"],"data":{"op":10,"d":{"x":[1,2]}}}"#);
    let (line, _) = packed(&zlib(b"\x82\xa2id\x07\xa1x\x90")).unwrap();
    assert_eq!(line, r#"compressed | - - | zlib {"id":7,"x":[]}"#);
    assert_eq!(packed(&zlib(b"plain")).unwrap().1, r#"{"encodings":["zlib","text"],"data":"plain"}"#);
    assert_eq!(packed(&gzip(&gzip(b"{}"))).unwrap().1.split(',').nth(1), Some("\"bytes\"]"), "one layer is taken off");
    assert_eq!(packed(&whole[..whole.len() - 1]), None);
    assert_eq!(packed(&gzip(&vec![b' '; 5 << 20])), None, "a bomb");
}
