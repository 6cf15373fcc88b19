use super::*;

/// What is settled with a connection is asked once of it, however the rest of the filter stands around it.
#[test]
fn what_is_of_the_connection_is_asked_once() {
    let (conn, at, message) = (connection(), stamp(), message(Opcode::TEXT, b"hello"));
    let known = Row { at: &at, origin: None, conn: Some(&conn), handshake: None, item: Item::Message(&message, &[]) };
    // Of a row that has no connection only what is known already can pass.
    let unknown = Row { conn: None, ..known };
    for (filter, settles) in [
        ("host == chat.example", true),
        ("host == a || host == b || host == chat.example", true),
        ("type == text && (path == /x || host == chat.example) && len == 5", true),
        ("type == binary or tcp.port == 8080", true),
        ("not host != chat.example", true),
        ("type == binary xor url contains example", true),
        ("wspect.client != wspect.server", true),
        ("ip.dst == 10.0.0.1", false),
        ("type == text", false),
        ("host == chat.example && len == 5 && host == wspect.text", true),
    ] {
        let read = Filter::new(filter).unwrap();
        assert_eq!(read.settles(), settles, "{filter}");
        let answers = read.answers(&known);
        assert_eq!(answers.is_some(), settles, "{filter}");
        let Some(answers) = answers else { continue };
        assert_eq!(read.passes_with(&known, &answers), read.passes(&known), "{filter}");
        assert_eq!(read.passes_with(&unknown, &answers), read.passes(&known), "{filter}");
    }
    // So do filters that were joined.
    let both = Filter::new("host == chat.example").unwrap().and(Filter::new("len == 5 && path == /room/7").unwrap());
    let answers = both.answers(&known).unwrap();
    assert!(both.passes_with(&unknown, &answers) && !both.passes(&unknown));
}
