//! Schemas that are read, and what is wrong with others.

use super::*;
use proptest::prelude::*;

/// A schema of one file `a.proto`, which may import others.
fn schema(text: &str, others: &[(&str, &str)]) -> Result<Schema, String> {
    read(text.as_bytes(), None, others)
}

fn read(bytes: &[u8], named: Option<&str>, others: &[(&str, &str)]) -> Result<Schema, String> {
    let file = |name: &str, bytes: &[u8]| SchemaFile { name: name.to_owned(), bytes: bytes.to_owned() };
    let mut import = |_: &str, path: &str| {
        let found = others.iter().find(|(name, _)| *name == path);
        Ok(found.map(|(name, text)| file(name, text.as_bytes())))
    };
    Schema::read(vec![(file("a.proto", bytes), named.map(ToOwned::to_owned))], &mut import)
}

/// The fields of a type, each with its number, kind and what else there is to it.
fn fields(schema: &Schema, name: &str) -> String {
    let types = schema.types();
    let of = types.message(types.find(name).unwrap()).unwrap();
    let kind = |kind: Kind| match kind {
        Kind::Message(Some(at)) => types.message(at).unwrap().name.clone(),
        Kind::Enum(Some(at)) => format!("{:?}", types.enumeration(at).unwrap().values),
        other => format!("{other:?}"),
    };
    let field = |field: &Field| {
        let (many, choice) = (if field.is_repeated { "*" } else { "" }, if field.is_choice { "|" } else { "" });
        format!("{} {}{many}{choice}: {}", field.number, field.name, kind(field.kind))
    };
    of.fields.iter().map(field).collect::<Vec<_>>().join(", ")
}

const TEXT: &str = r#"
// Comments; /* of both kinds */
syntax = "proto2";
package a.b;
import public "c/other.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/descriptor.proto";
option java_package = "x.y"; option (mine) = { a: [1, 2] b { c: "}" } };
extend google.protobuf.FieldOptions { optional string mine = 50000; }
message Outer {
  option deprecated = true;
  reserved 100 to 200, 1000 to max; reserved "gone";
  extensions 500 to 599 [verification = UNVERIFIED];
  required int32 id = 1 [(mine) = "]", default = -5];
  optional string name = 0x2;
  repeated sint64 deltas = 3 [packed = true];
  optional Inner inner = 4;
  optional .a.b.Outer.Inner again = 5;
  optional group Part = 6 { optional bool on = 1; };
  map<string, Inner> by_name = 7;
  oneof choice { bytes raw = 8; Other other = 9; group Late = 10 { optional Color c = 1; } }
  optional google.protobuf.Timestamp at = 11;
  optional Color message = 12;
  optional c.Far map = 13;
  message Inner { repeated Color colors = 1; optional Outer up = 2; enum Color { NONE = 0; } }
  extend Outer { optional int32 more = 501; }
}
message Other {}
enum Color { option allow_alias = true; RED = 1; CRIMSON = 1; LAST = -1 [deprecated = true]; reserved 7; }
service Chat { rpc Say (Outer) returns (stream Other) { option x = {}; } }
;
"#;

#[test]
fn text_says_what_stands_on_the_wire() {
    let other = ("c/other.proto", "edition = \"2023\"; package a.c; message Far { repeated fixed32 n = 1; }");
    let schema = schema(TEXT, &[other]).unwrap();
    let colors = "[(-1, \"LAST\"), (1, \"RED\")]";
    assert_eq!(
        fields(&schema, "a.b.Outer"),
        format!(
            "1 id: Int32, 2 name: String, 3 deltas*: SInt64, 4 inner: a.b.Outer.Inner, 5 again: a.b.Outer.Inner, \
             6 part: a.b.Outer.Part, 7 by_name*: a.b.Outer.by_name<>, 8 raw|: Bytes, 9 other|: a.b.Other, \
             10 late|: a.b.Outer.Late, 11 at: google.protobuf.Timestamp, 12 message: {colors}, 13 map: a.c.Far"
        )
    );
    // The nearest of those that are called so.
    assert_eq!(fields(&schema, "a.b.Outer.Inner"), "1 colors*: [(0, \"NONE\")], 2 up: a.b.Outer");
    assert_eq!(fields(&schema, "a.b.Outer.Late"), format!("1 c: {colors}"));
    assert_eq!(fields(&schema, "a.b.Outer.by_name<>"), "1 key: String, 2 value: a.b.Outer.Inner");
    assert_eq!(fields(&schema, "a.c.Far"), "1 n*: Fixed32");
    // Messages may be of types that stand in the file itself, outside of others.
    let Meant::Fitting(tried) = schema.meant() else { panic!() };
    let names: Vec<&str> = tried.iter().map(|at| schema.types().message(*at).unwrap().name.as_str()).collect();
    assert_eq!(names, ["a.b.Outer", "a.b.Other"]);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let wrong =
        |text: &str| schema(text, &[("b.proto", "message B {\n  Gone g = 1;\n}"), ("c.proto", "x")]).unwrap_err();
    for (text, why) in [
        ("message A {\n  int32 a = 0;\n}", "a.proto:2:13: a number from 1 to 536870911 is wanted"),
        ("message A { int32 a 1; }", "a.proto:1:21: `=` is wanted, not `1`"),
        ("message A { int32 a = 1 }", "a.proto:1:25: `;` is wanted, not `}`"),
        ("message A { int32 a = 1; int32 b = 1; }", "a.proto:1:36: two fields of A have the number 1"),
        ("package p; message A { é x = 1; }", "a.proto:1:24: this is no part of a schema"),
        ("message A { Gone x = 1; }", "a.proto:1:13: no type Gone is declared"),
        ("message A { map<string, Gone> x = 1; }", "a.proto:1:25: no type Gone is declared"),
        ("message A {}\nmessage A {}", "a.proto:2:9: A is declared twice"),
        ("message A {", "a.proto:1:12: a field or `}` is wanted, not the end of the file"),
        ("syntax = \"proto4\";", "a.proto:1:10: syntax is to be \"proto2\" or \"proto3\""),
        ("mesage A {}", "a.proto:1:1: message, enum, import … is wanted, not `mesage`"),
        ("enum E { A = 9999999999; }", "a.proto:1:14: a number from -2147483648 to 2147483647 is wanted"),
        ("\nimport \"gone.proto\";", "a.proto:2:1: import \"gone.proto\": no such file (--proto-path "),
        ("import \"b.proto\";", "b.proto:2:3: no type Gone is declared"),
        ("import \"c.proto\";", "c.proto:1:1: message, enum, import … is wanted"),
        ("import \"../etc/passwd\";", "a.proto:1:1: import \"../etc/passwd\": a path below "),
        ("import \"/etc/passwd\";", "a.proto:1:1: import \"/etc/passwd\": a path below "),
        ("option x = \"a\n\";", "a.proto:1:12: a text without its closing quote"),
        ("/* message A {}", "a.proto:1:1: a comment without its end"),
        ("message \u{1b}[31m", "a.proto: neither a .proto file nor a descriptor set"),
    ] {
        assert!(wrong(text).starts_with(why), "{text}: {}", wrong(text));
    }
    let long = format!("message A {{ {} x = 1; }}", "a.".repeat(300) + "b");
    assert_eq!(wrong(&long), "a.proto:1:13: a name of more than 512 bytes");
    let deep = "message A { ".repeat(40);
    assert!(wrong(&deep).contains("more than 32 declarations inside one another"));
    let long = format!("message {} x", "Z".repeat(100));
    assert!(
        wrong(&long).ends_with("not `x`") && wrong(&format!("message A {{ int32 x {}", "y".repeat(99))).len() < 120
    );
}

#[test]
fn types_are_named_with_their_package_or_without() {
    let text = "package p; message A { message In {} } message B { message In {} } message Envelope {}";
    let schema = schema(text, &[]).unwrap();
    for name in ["p.A", "A", ".p.A", "A.In", "Envelope"] {
        assert!(schema.with_type(name).is_ok(), "{name}");
    }
    let wrong = |name: &str| schema.with_type(name).unwrap_err();
    assert_eq!(wrong("Envelop"), "no message type Envelop in the schema, did you mean Envelope?");
    assert_eq!(wrong("In"), "message type In: p.A.In or p.B.In, or another one?");
    assert_eq!(wrong("nothing.like.it"), "no message type nothing.like.it in the schema: there are p.A …");
    assert_eq!(
        read(text.as_bytes(), Some("C"), &[]).unwrap_err(),
        "a.proto: no message type C in the schema, did you mean A?"
    );
}

#[test]
fn imports_go_round_and_end() {
    let text = "import \"b.proto\"; message A { B b = 1; }";
    let others = [("a.proto", text), ("b.proto", "import \"a.proto\"; import \"b.proto\"; message B { A a = 1; }")];
    let schema = schema(text, &others).unwrap();
    assert_eq!(fields(&schema, "A") + &fields(&schema, "B"), "1 b: B1 a: A");
    let many = "import \"b.proto\";".repeat(100_001);
    assert_eq!(self::schema(&many, &others).unwrap_err(), "a.proto: the schema has more than 100000 imports");
}

/// A field of a message: number, wire type 2.
fn piece(number: u8, inside: &[u8]) -> Vec<u8> {
    assert!(inside.len() < 128);
    [&[number << 3 | 2, inside.len() as u8], inside].concat()
}

#[test]
fn a_descriptor_set_says_the_same() {
    let field = |name: &str, rest: &[u8]| piece(2, &[&piece(1, name.as_bytes()), rest].concat());
    // Number, label, type.
    let id = field("id", &[0x18, 1, 0x20, 1, 0x28, 5]);
    let list = field("list", &[&[0x18, 2, 0x20, 3, 0x28, 11][..], &piece(6, b".p.B")].concat());
    let color = field("color", &[&[0x18, 3, 0x20, 1, 0x28, 14, 0x48, 0][..], &piece(6, b".p.E")].concat());
    let maybe = field("maybe", &[0x18, 4, 0x20, 1, 0x28, 8, 0x48, 1, 0x88, 1, 1]);
    let gone = field("gone", &[&[0x18, 5, 0x20, 1, 0x28, 11][..], &piece(6, b".q.Gone")].concat());
    let message = piece(4, &[piece(1, b"A"), id, list, color, maybe, gone].concat());
    let enumeration = piece(5, &[piece(1, b"E"), piece(2, &[&piece(1, b"X")[..], &[0x10, 7]].concat())].concat());
    let first = [piece(1, b"a"), piece(2, b"p"), piece(3, b"b"), message, enumeration].concat();
    let second = [piece(1, b"b"), piece(2, b"p"), piece(4, &piece(1, b"B"))].concat();
    let long = |inside: &[u8]| [&[0x0a, inside.len() as u8 | 0x80, (inside.len() >> 7) as u8], inside].concat();
    let set = [long(&second), long(&first)].concat();
    let schema = read(&set, None, &[]).unwrap();
    let wanted = "1 id: Int32, 2 list*: p.B, 3 color|: [(7, \"X\")], 4 maybe: Bool, 5 gone: Message(None)";
    assert_eq!(fields(&schema, "p.A"), wanted);
    // What another file of the set needs is no type of messages.
    assert_eq!(schema.meant(), &Meant::Fitting(vec![schema.types().find("p.A").unwrap()]));
    for end in 2..set.len() {
        assert!(read(&set[..end], None, &[]).is_err() || end == long(&second).len(), "{end}");
    }
}

/// Words that schemas are made of, in any order.
const WORDS: &[&str] = &[
    "message",
    "enum",
    "A",
    "B",
    "{",
    "}",
    "=",
    "1",
    "2",
    ";",
    "oneof",
    "map",
    "<",
    ">",
    ",",
    "string",
    "int32",
    "group",
    "repeated",
    "optional",
    "[",
    "]",
    "import",
    "\"b.proto\"",
    "package",
    ".",
    "option",
    "syntax",
    "\"proto3\"",
    "reserved",
    "extend",
    "service",
    "-",
    "0x7f",
    "/*",
    "*/",
    "//",
    "\n",
    "'",
];

proptest! {
    /// Whatever a schema says, it is read or refused in one line that names it.
    #[test]
    fn any_text_is_read_or_refused(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        if let Err(why) = schema(&words.join(" "), &[("b.proto", "message B { A a = 1; }")]) {
            prop_assert!(why.contains(".proto:") && !why.contains('\n'), "{why}");
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
        let _ = read(&bytes, None, &[]);
        let _ = schema(&text, &[]);
    }

    /// What is cut or changed of a valid schema.
    #[test]
    fn changed_text_is_read_or_refused(at in 0..TEXT.len(), byte in b' '..b'~', is_cut in any::<bool>()) {
        let mut text = TEXT.as_bytes().to_vec();
        text[at] = byte;
        if is_cut {
            text.truncate(at);
        }
        let _ = read(&text, None, &[("c/other.proto", "package a.c; message Far {}")]);
    }
}

/// A type may be declared inside itself without end in what it says; and many are read in little time.
#[test]
fn large_schemas_are_read() {
    let fields: String = (1..20_000).map(|at| format!("A f{at} = {at};")).collect();
    let types: String = (0..5_000).map(|at| format!("message T{at} {{ T{} next = 1; }}", at * 7 % 5_000)).collect();
    let schema = schema(&format!("message A {{ {fields} }} {types}"), &[]).unwrap();
    assert_eq!(schema.types().message(0).unwrap().fields.len(), 19_999);
    let many: String = (0..1 << 17).map(|at| format!("enum E{at} {{}}")).collect();
    assert!(self::schema(&many, &[]).unwrap_err().ends_with("more than 131072 types"));
}
