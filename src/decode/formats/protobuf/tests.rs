//! Messages by the types of a schema.

use super::schema::{Schema, SchemaFile};
use crate::decode::tests::{message, sound, unhex};
use crate::decode::{Decoder, Hints, Session, summary, write_data};
use crate::model::{Decoded, Direction, Limits, Opcode};
use proptest::prelude::*;

const CHAT: &str = r#"
syntax = "proto3";
package chat;
import "google/protobuf/any.proto";
message Envelope {
  uint64 id = 1;
  oneof body { Say say = 2; Join join = 3; google.protobuf.Any more = 4; }
}
message Say { string text = 1; repeated string to = 2; Tone tone = 3; }
message Join { string room = 1; map<string, int32> rights = 2; }
message Ping { fixed64 nonce = 6; }
enum Tone { CALM = 0; LOUD = 1; }
"#;

const TYPES: &str = r#"
syntax = "proto2";
import "google/protobuf/any.proto";
message All {
  optional double d = 1; optional float f = 2; optional int64 i64 = 3; optional uint64 u64 = 4; optional int32 i32 = 5;
  optional fixed64 f64 = 6; optional fixed32 f32 = 7; optional bool b = 8; optional string s = 9; optional bytes y = 10;
  optional uint32 u32 = 11; optional sfixed32 sf32 = 12; optional sfixed64 sf64 = 13; optional sint32 s32 = 14;
  optional sint64 s64 = 15;
  optional All all = 16; repeated int32 many = 17; repeated E es = 18; map<int32, All> map = 19;
  optional group G = 20 { optional int32 x = 1; }
  optional google.protobuf.Timestamp at = 21; optional google.protobuf.Duration took = 22;
  optional google.protobuf.Struct struct = 23; optional google.protobuf.Int32Value w = 24; optional google.protobuf.Any any = 25;
  optional E e = 26; repeated string names = 27; map<string, E> levels = 28;
}
enum E { ZERO = 0; ONE = 1; MINUS = -1; }
"#;

fn schema(text: &str, named: &[&str]) -> Schema {
    let file = SchemaFile { name: "a.proto".to_owned(), bytes: text.as_bytes().to_owned() };
    let files = if named.is_empty() { vec![None] } else { named.iter().map(|name| Some((*name).to_owned())).collect() };
    Schema::read(files.into_iter().map(|named| (file.clone(), named)).collect(), &mut |_, _| Ok(None)).unwrap()
}

fn session(schema: Schema, forced: Option<&str>) -> Session {
    let hints = Hints { schema: Some(schema), ..Hints::default() };
    Session::new(hints, forced.map(|name| Decoder::find(name).unwrap()), &Limits::DEFAULT)
}

/// Events of what is told, and the data.
fn told(decoded: Option<&Decoded<'_>>) -> String {
    let Some(decoded) = decoded else { return "nothing".to_owned() };
    let mut data = Vec::new();
    write_data(decoded, &mut data);
    let events: Vec<&str> = decoded.units.iter().map(|unit| unit.event.as_deref().unwrap_or("-")).collect();
    format!("{} {}", events.join(","), String::from_utf8(data).unwrap())
}

/// What is told of binary messages, `>` or `<` and hex each.
#[track_caller]
fn check(mut session: Session, conversation: &[(&str, &str)]) {
    for (number, (said, wanted)) in conversation.iter().enumerate() {
        let dir = if said.starts_with('>') { Direction::ToServer } else { Direction::ToClient };
        let bytes = unhex(&said[1..]);
        let message = message(number as u64 + 1, dir, Opcode::BINARY, &bytes);
        let decoded = session.message(&message);
        assert_eq!(told(decoded.as_ref()), *wanted, "{said}");
        decoded.iter().for_each(|decoded| sound(decoded, &bytes));
    }
}

/// What a message of the type `All` says.
#[track_caller]
fn check_all(cases: &[(&str, &str)]) {
    let cases: Vec<(String, String)> =
        cases.iter().map(|(hex, data)| (format!(">{hex}"), format!("All {data}"))).collect();
    let cases: Vec<(&str, &str)> = cases.iter().map(|(said, wanted)| (said.as_str(), wanted.as_str())).collect();
    check(session(schema(TYPES, &["All"]), None), &cases);
}

#[test]
fn values_of_all_types() {
    check_all(&[
        ("09 00 00 00 00 00 00 f8 3f", r#"{"d":1.5}"#),
        ("15 cd cc cc 3d", r#"{"f":0.1}"#),
        // The guide's -2 as int32 or int64: ten bytes; and zigzag: 1 is -1, 4294967294 is 2147483647.
        ("18 fe ff ff ff ff ff ff ff ff 01", r#"{"i64":-2}"#),
        ("20 fe ff ff ff ff ff ff ff ff 01", r#"{"u64":18446744073709551614}"#),
        ("28 fe ff ff ff ff ff ff ff ff 01", r#"{"i32":-2}"#),
        ("31 01 00 00 00 00 00 00 80", r#"{"f64":9223372036854775809}"#),
        ("3d 01 00 00 80", r#"{"f32":2147483649}"#),
        ("40 01", r#"{"b":true}"#),
        ("40 00", r#"{"b":false}"#),
        ("4a 07 74 65 73 74 69 6e 67", r#"{"s":"testing"}"#),
        ("52 02 68 69", r#"{"y":{"base64":"aGk="}}"#),
        ("58 96 01", r#"{"u32":150}"#),
        ("65 ff ff ff ff", r#"{"sf32":-1}"#),
        ("69 fe ff ff ff ff ff ff ff", r#"{"sf64":-2}"#),
        ("70 01", r#"{"s32":-1}"#),
        ("70 fe ff ff ff 0f", r#"{"s32":2147483647}"#),
        ("78 03", r#"{"s64":-2}"#),
        ("82 01 02 58 05", r#"{"all":{"u32":5}}"#),
        // The guide's packed field: 3, 270, 86942; and the same one by one.
        ("8a 01 06 03 8e 02 9e a7 05", r#"{"many":[3,270,86942]}"#),
        ("88 01 03 88 01 8e 02", r#"{"many":[3,270]}"#),
        ("92 01 0b ff ff ff ff ff ff ff ff ff 01 01", r#"{"es":["MINUS","ONE"]}"#),
        ("9a 01 06 08 01 12 02 58 05 9a 01 02 08 02", r#"{"map":{"1":{"u32":5},"2":{}}}"#),
        ("a3 01 08 07 a4 01", r#"{"g":{"x":7}}"#),
        ("aa 01 06 08 80 e2 cf aa 06", r#"{"at":"2023-11-14T22:13:20.000000000Z"}"#),
        ("b2 01 08 08 01 10 80 ca b5 ee 01", r#"{"took":"1.5s"}"#),
        ("b2 01 16 08 ff ff ff ff ff ff ff ff ff 01 10 80 b6 ca 91 fe ff ff ff ff 01", r#"{"took":"-1.5s"}"#),
        (
            "ba 01 2f 0a 08 0a 01 63 12 03 1a 01 78 0a 23 0a 01 61 12 1e 32 1c 0a 09 11 00 00 00 00 00 00 f0 3f 0a 02 08 00 \
             0a 0b 2a 09 0a 07 0a 01 62 12 02 20 01",
            r#"{"struct":{"c":"x","a":[1.0,null,{"b":true}]}}"#,
        ),
        (
            "ca 01 1d 0a 17 74 79 70 65 2e 67 6f 6f 67 6c 65 61 70 69 73 2e 63 6f 6d 2f 41 6c 6c 12 02 58 05",
            r#"{"any":{"@type":"type.googleapis.com/All","u32":5}}"#,
        ),
        (
            "ca 01 2e 0a 2c 74 79 70 65 2e 67 6f 6f 67 6c 65 61 70 69 73 2e 63 6f 6d 2f 67 6f 6f 67 6c 65 2e 70 72 6f 74 6f 62 \
             75 66 2e 44 75 72 61 74 69 6f 6e",
            r#"{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"0s"}}"#,
        ),
        (
            "ca 01 13 0a 09 78 2f 6e 6f 2e 53 75 63 68 12 06 08 01 12 02 68 69",
            r#"{"any":{"@type":"x/no.Such","value":{"1":1,"2":"hi"}}}"#,
        ),
        ("c2 01 02 08 07", r#"{"w":7}"#),
        ("c2 01 00", r#"{"w":0}"#),
        ("d0 01 00", r#"{"e":"ZERO"}"#),
        ("da 01 00 da 01 01 61", r#"{"names":["","a"]}"#),
        ("e2 01 03 0a 01 61 e2 01 02 10 01", r#"{"levels":{"a":"ZERO","":"ONE"}}"#),
    ]);
}

/// What no program writes, or one with another schema does.
#[test]
fn what_is_not_as_the_schema_says() {
    check_all(&[
        // The last one holds, messages are merged, and lists go on.
        ("58 05 58 06", r#"{"u32":6}"#),
        ("82 01 02 58 05 82 01 04 58 06 40 01", r#"{"all":{"u32":6,"b":true}}"#),
        ("82 01 03 88 01 01 82 01 03 88 01 02", r#"{"all":{"many":[1,2]}}"#),
        // Numbers that no field has, and fields on another wire type.
        ("40 01 58 05 d0 01 00 a2 06 02 68 69 a8 06 07", r#"{"b":true,"u32":5,"e":"ZERO","100":"hi","101":7}"#),
        ("40 01 58 05 4d 00 00 c0 3f", r#"{"b":true,"u32":5,"9":1.5}"#),
        ("40 01 58 05 82 01 01 08", r#"{"b":true,"u32":5,"16":{"base64":"CA=="}}"#),
        ("58 ff ff ff ff ff 01 28 80 80 80 80 10", r#"{"i32":0,"u32":4294967295}"#),
        // What has no name, and a text that is none.
        ("d0 01 09", r#"{"e":9}"#),
        ("58 05 4a 02 ff fe", r#"{"s":{"base64":"//4="},"u32":5}"#),
        // Times that no calendar has.
        ("aa 01 0c 08 ff ff ff ff ff ff ff ff 7f 10 01", r#"{"at":{"seconds":9223372036854775807,"nanos":1}}"#),
        ("aa 01 04 08 01 18 07", r#"{"at":{"seconds":1,"3":7}}"#),
    ]);
    // As a message of another type it is shown by numbers, or as it is.
    let cases = [(">0d 00 00 c0 3f 12 02 68 69", "- {\"1\":1.5,\"2\":\"hi\"}"), (">58", "nothing"), (">", "nothing")];
    check(session(schema(TYPES, &["All"]), None), &cases);
}

const SAY: &str = "08 07 12 0c 0a 02 68 69 12 01 61 12 01 62 18 01";
const SAID: &str = r#"say {"id":7,"say":{"text":"hi","to":["a","b"],"tone":"LOUD"}}"#;

#[test]
fn the_type_is_the_one_that_fits() {
    let say = format!(">{SAY}");
    // `Say` fits no number, `Join` no map, and `Envelope` has both in a field.
    check(
        session(schema(CHAT, &[]), None),
        &[
            (&say, SAID),
            (">08 08 1a 0a 0a 01 72 12 05 0a 01 77 10 02", r#"join {"id":8,"join":{"room":"r","rights":{"w":2}}}"#),
            (
                ">08 09 22 2a 0a 1d 74 79 70 65 2e 67 6f 6f 67 6c 65 61 70 69 73 2e 63 6f 6d 2f 63 68 61 74 2e 50 69 6e 67 12 09 31 03 \
             00 00 00 00 00 00 00",
                r#"more {"id":9,"more":{"@type":"type.googleapis.com/chat.Ping","nonce":3}}"#,
            ),
            // The other direction is of another type.
            ("<31 03 00 00 00 00 00 00 00", r#"Ping {"nonce":3}"#),
            (">08 0a", r#"Envelope {"id":10}"#),
        ],
    );
    // Two fit, none of which another has in a field, until one says what only it can.
    let two = "message A { string x = 1; int32 a = 2; } message B { string x = 1; int32 b = 3; }";
    check(
        session(schema(two, &[]), None),
        &[
            (">0a 02 68 69", r#"- {"1":"hi"}"#),
            (">0a 02 68 69 18 01", r#"B {"x":"hi","b":1}"#),
            (">0a 02 68 69", r#"B {"x":"hi"}"#),
            // And then one says what it cannot.
            (">0a 02 68 69 10 01", r#"A {"x":"hi","a":1}"#),
            (">0a 02 68 69", r#"- {"1":"hi"}"#),
        ],
    );
}

#[test]
fn the_user_names_types() {
    // Of several the first that fits.
    check(
        session(schema(CHAT, &["Join", "chat.Say"]), None),
        &[
            (">0a 02 68 69", r#"Join {"room":"hi"}"#),
            (">0a 02 68 69 18 01", r#"Say {"text":"hi","tone":"LOUD"}"#),
            (">0a 02 68 69 12 05 0a 01 77 10 02 38 01", r#"Join {"room":"hi","rights":{"w":2},"7":1}"#),
            // What is mostly strange to all is of none.
            (">0a 02 68 69 38 01", r#"- {"1":"hi","7":1}"#),
        ],
    );
    let narrowed = schema(CHAT, &[]).with_type("Say").unwrap();
    check(session(narrowed, Some("protobuf")), &[(">0a 02 68 69", r#"Say {"text":"hi"}"#), (">", "Say {}")]);
}

#[test]
fn messages_stand_in_frames() {
    let say = SAY.replace(' ', "");
    let ping = "310300000000000000";
    let (len, ping_len) = (say.len() / 2, ping.len() / 2);
    let trailers = "grpc-status:0\r\n".bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let grpc = format!(">00000000{len:02x}{say}800000000f{trailers}");
    check(
        session(schema(CHAT, &["Envelope", "Ping"]), None),
        &[
            (&grpc, &format!("say,trailers [{},{{\"trailers\":\"grpc-status:0\\r\\n\"}}]", &SAID[4..])),
            // Clients have a NUL before each.
            (&format!(">0000000000{len:02x}{say}"), SAID),
            (&format!(">{len:02x}{say}{len:02x}{say}"), &format!("say,say [{0},{0}]", &SAID[4..])),
            (&format!("<{ping_len:02x}{ping}"), r#"Ping {"nonce":3}"#),
            // A length that is not its own.
            (&format!(">{:02x}{say}", len - 1), "nothing"),
        ],
    );
    // Without a schema frames of gRPC are read as well.
    let bare = format!(">00000000{len:02x}{say}");
    let mut session = Session::new(Hints::default(), None, &Limits::DEFAULT);
    let bytes = unhex(&bare[1..]);
    let message = message(1, Direction::ToServer, Opcode::BINARY, &bytes);
    let decoded = session.message(&message).unwrap();
    assert_eq!(summary(&decoded), r#"{"1":7,"2":{"1":"hi","2":["a","b"],"3":1}}"#);
}

#[test]
fn what_is_wrapped_is_of_the_schema() {
    // Base64 of an `Envelope`, as a text message.
    let mut session = session(schema(CHAT, &["Envelope"]), None);
    let message = message(1, Direction::ToServer, Opcode::TEXT, b"CAcSDAoCaGkSAWESAWIYAQ==");
    let decoded = session.message(&message).unwrap();
    assert_eq!(decoded.protocol, "base64");
    assert!(told(Some(&decoded)).contains(r#""data":{"id":7,"say":{"text":"hi""#), "{}", told(Some(&decoded)));
}

/// Of numbers in very many bytes it is told that they are there; they are no reason to know nothing of the rest.
#[test]
fn very_many_numbers_are_bytes() {
    let len = 1 << 17;
    let bytes = [vec![0x58, 5, 0x8a, 0x01, 0x80, 0x80, 0x08], vec![1; len]].concat();
    let mut session = session(schema(TYPES, &[]), None);
    let message = message(1, Direction::ToServer, Opcode::BINARY, &bytes);
    let decoded = session.message(&message).unwrap();
    assert!(told(Some(&decoded)).starts_with(r#"All {"u32":5,"many":[{"base64":"AQEB"#));
    sound(&decoded, &bytes);
}

/// Messages that are merged again and again cost no more than others.
#[test]
fn merging_is_bounded() {
    // Fields that no type has, each with a number of its own, in a message; and then very many more of that message.
    let strange: Vec<u8> = (2000..20_000_u32)
        .flat_map(|number| {
            let tag = number << 3;
            [tag as u8 | 0x80, (tag >> 7) as u8 | 0x80, (tag >> 14) as u8, 1]
        })
        .collect();
    let len = strange.len() as u32;
    let first = [vec![0x82, 0x01, len as u8 | 0x80, (len >> 7) as u8 | 0x80, (len >> 14) as u8], strange].concat();
    let bytes = [first, [0x82, 0x01, 2, 0x58, 5].repeat(20_000)].concat();
    let mut session = session(schema(TYPES, &["All"]), Some("protobuf"));
    let message = message(1, Direction::ToServer, Opcode::BINARY, &bytes);
    session.message(&message).iter().for_each(|decoded| sound(decoded, &bytes));
}

#[test]
fn nesting_and_numbers_are_bounded() {
    let deep = (0..200).fold(vec![0x58, 5], |inner: Vec<u8>, _| {
        let mut len = Vec::new();
        let mut left = inner.len();
        while left > 127 {
            len.push(left as u8 | 0x80);
            left >>= 7;
        }
        len.push(left as u8);
        [&[0x82, 0x01][..], &len, &inner].concat()
    });
    let groups = [0xa3, 0x01].repeat(50_000);
    let many = [vec![0x8a, 0x01, 0x80, 0x80, 0x08], vec![1; 1 << 17]].concat();
    let any = [0xca, 0x01, 0x00].repeat(30_000);
    for bytes in [deep, groups, many, any] {
        for forced in [None, Some("protobuf")] {
            for schema in [schema(TYPES, &["All"]), schema(TYPES, &[])] {
                let mut session = session(schema, forced);
                let message = message(1, Direction::ToServer, Opcode::BINARY, &bytes);
                session.message(&message).iter().for_each(|decoded| sound(decoded, &bytes));
            }
        }
    }
}

proptest! {
    /// Whatever is said, and as whatever type it is read: it is sound, and little is kept.
    #[test]
    fn any_bytes_are_read(
        said in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 1..8),
        is_named in any::<bool>(),
        is_forced in any::<bool>(),
    ) {
        let named: &[&str] = if is_named { &["All", "E2"] } else { &[] };
        let mut session = session(schema(&format!("{TYPES} message E2 {{ repeated All all = 1; }}"), named), is_forced.then_some("protobuf"));
        for (number, (to_server, bytes)) in said.iter().enumerate() {
            let dir = if *to_server { Direction::ToServer } else { Direction::ToClient };
            let message = message(number as u64 + 1, dir, Opcode::BINARY, bytes);
            session.message(&message).iter().for_each(|decoded| sound(decoded, bytes));
            prop_assert!(session.held() < 4096);
        }
    }

    /// The same of what is nearly a message.
    #[test]
    fn changed_messages_are_read(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = unhex(&format!("{SAY} 9a 01 06 08 01 12 02 58 05 a3 01 08 07 a4 01 aa 01 06 08 80 e2 cf aa 06"));
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        for text in [CHAT, TYPES] {
            let mut session = session(schema(text, &[]), Some("protobuf"));
            let message = message(1, Direction::ToClient, Opcode::BINARY, &bytes);
            session.message(&message).iter().for_each(|decoded| sound(decoded, &bytes));
        }
    }
}
