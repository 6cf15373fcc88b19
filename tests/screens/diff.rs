//! The difference between the selected message and a marked one.

use super::*;
use wspect::model::{Direction, Opcode};

/// Messages 1 and 2 are JSON, 3 and 4 text, 5 and 6 bytes.
fn pairs() -> Story {
    let (mut story, conn) = one_connection();
    let json = r#"{"id":1,"user":{"name":"ada","roles":["a","b"]},"ok":true}"#;
    let other = r#"{"id":2,"user":{"name":"ada","roles":["a","c","b"]},"ok":true}"#;
    for text in [json, other, "first line\nsecond\nthird", "first line\nsecond, \x1b[31mred\nthird\nfourth"] {
        story.wait(1000).say(conn, Direction::ToClient, Opcode::TEXT, text.as_bytes());
    }
    story.say(conn, Direction::ToServer, Opcode::BINARY, &[7; 20]);
    story.say(conn, Direction::ToServer, Opcode::BINARY, &[[7; 8].as_slice(), &[8; 8], &[7; 4]].concat());
    story
}

#[test]
fn differences_are_shown() {
    for (name, size, keys) in [
        ("diff_json", WIDE, "mjVd"),
        ("diff_text", NARROW, "jjmjVd"),
        ("diff_bytes", NARROW, "jjjjmjVd"),
        ("diff_small", SMALL, "mjVd<Tab>"),
    ] {
        let mut app = browser(&pairs(), size);
        press(&mut app, keys);
        shot(name, &picture(&app, size));
    }
}

#[test]
fn a_message_is_compared_with_the_nearest_mark_before_it() {
    let mut app = browser(&pairs(), WIDE);
    // Without a mark, or on the only marked message, there is nothing to compare with.
    assert!(!picture(&app, WIDE).contains("Diff"));
    press(&mut app, "m");
    assert!(!picture(&app, WIDE).contains("Diff"));
    press(&mut app, "jjjVd");
    assert!(picture(&app, WIDE).contains("- #1 (") && picture(&app, WIDE).contains("+ #4 ("));
    press(&mut app, "km");
    press(&mut app, "j");
    assert!(picture(&app, WIDE).contains("- #3 (1)   + #4 (2)"), "{}", picture(&app, WIDE));
    // Behind it, where there is none before.
    press(&mut app, "gmj");
    assert!(picture(&app, WIDE).contains("- #2 (") && picture(&app, WIDE).contains("+ #3 ("));
    // The view is another where there is nothing to compare with.
    press(&mut app, "jm");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("[Text]") && !shown.contains("Diff"), "{shown}");
}

#[test]
fn the_same_is_said_to_be_the_same() {
    let (mut story, conn) = one_connection();
    for _ in 0..2 {
        story.say(conn, Direction::ToClient, Opcode::TEXT, b"[1, 2]");
    }
    let mut app = browser(&story, NARROW);
    press(&mut app, "mjVd");
    assert!(picture(&app, NARROW).contains("#1 and #2 are the same"));
}
