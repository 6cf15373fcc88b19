//! Schemas of Protocol Buffers.

use wspect::decode::path::is_json;
use wspect::decode::{Decoder, Hints, Schema, SchemaFile, Session, write_record};
use wspect::model::{Direction, Limits, Message, Opcode};

/// A schema is read, or refused in a line that names it; whatever is said can be read as its types.
pub fn check(bytes: &[u8]) {
    let (bytes, said) = match bytes.iter().rposition(|byte| *byte == 0xff) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, bytes),
    };
    let file = SchemaFile { name: "a.proto".to_owned(), bytes: bytes.to_vec() };
    let other = SchemaFile { name: "b.proto".to_owned(), bytes: b"message B { optional B b = 1; }".to_vec() };
    let mut import = |_: &str, path: &str| Ok((path == "b.proto").then(|| other.clone()));
    let schema = match Schema::read(vec![(file, None)], &mut import) {
        Ok(schema) => schema,
        Err(why) => return assert!(why.starts_with("a.proto:") && !why.contains('\n'), "{why}"),
    };
    let hints = Hints { schema: Some(schema), ..Hints::default() };
    let mut session = Session::new(hints, Decoder::find("protobuf"), &Limits::DEFAULT);
    let message = Message::whole(1, Direction::ToServer, Opcode::BINARY, said);
    if let Some(decoded) = session.message(&message) {
        let mut record = Vec::new();
        write_record(&decoded, &mut record);
        assert!(is_json(&record), "{}", String::from_utf8_lossy(&record));
    }
}
