//! Decoders, told a conversation.
//!
//! ```text
//! decoder │ messages: bit 0 from the client, bit 1 text, the others length - 1; 0: all that is left │ payload
//! ```

use std::sync::OnceLock;
use wspect::decode::path::is_json;
use wspect::decode::{DECODERS, Decoder, Hints, Schema, SchemaFile, Session, places, summary, write_record};
use wspect::model::{Direction, Limits, Message, Opcode};

/// What is told of any message is JSON, stands in the message, and is bounded; and so is what is kept.
pub fn check(bytes: &[u8]) {
    let Some((first, mut rest)) = bytes.split_first() else { return };
    let named = std::env::var("DECODER").ok();
    // One more than there are: nobody says what is spoken.
    let forced = match named.as_deref() {
        Some(name) => Some(Decoder::find(name).expect("DECODER is the name of one")),
        None => DECODERS.get(usize::from(*first) % (DECODERS.len() + 1)),
    };
    let limits = Limits { decoder_bytes: 1 << 16, open_requests: 16, ..Limits::DEFAULT };
    let hints = Hints { path: "/ws".to_owned(), schema: Some(schema().clone()), ..Hints::default() };
    let mut session = Session::new(hints, forced, &limits);
    let mut number = 0;
    while let Some((head, behind)) = rest.split_first() {
        let len = match usize::from(head >> 2) {
            0 => behind.len(),
            len => (len - 1).min(behind.len()),
        };
        let (payload, behind) = behind.split_at(len);
        rest = behind;
        number += 1;
        let dir = if head & 1 == 0 { Direction::ToServer } else { Direction::ToClient };
        let is_text = head & 2 != 0 && std::str::from_utf8(payload).is_ok();
        let message = Message::whole(number, dir, if is_text { Opcode::TEXT } else { Opcode::BINARY }, payload);
        // Another one that goes on from here says the same.
        let fork = session.clone().message(&message);
        let decoded = session.message(&message);
        assert_eq!(format!("{fork:?}"), format!("{decoded:?}"));
        if let Some(decoded) = decoded {
            let mut record = Vec::new();
            write_record(&decoded, &mut record);
            assert!(is_json(&record), "{}", String::from_utf8_lossy(&record));
            assert!(summary(&decoded).chars().count() < 300);
            assert!(places(&decoded).into_iter().flatten().all(|place| place.start <= place.end && place.end <= len));
        }
        assert!(session.held() <= 2 * limits.decoder_bytes + (64 << 10), "{}", session.held());
    }
}

/// A schema for messages of Protocol Buffers.
fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let bytes = include_bytes!("../../tests/data/proto/chat.desc").to_vec();
        let file = SchemaFile { name: "chat.desc".to_owned(), bytes };
        Schema::read(vec![(file, None)], &mut |_, _| Ok(None)).unwrap()
    })
}
