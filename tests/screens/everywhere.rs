//! A search through all payloads of all connections.

use super::*;
use wspect::model::{Direction, Opcode};

#[test]
fn hits_are_listed() {
    check("hits", WIDE, "&tick 3<Enter>jj");
    check("hits_narrow", NARROW, "&room<Enter>");
    check("hits_small", SMALL, "&tick<Enter>G");
    check("hits_none", NARROW, "&nowhere<Enter>");
    check("hits_typed", NARROW, "&roo");
}

#[test]
fn a_hit_leads_to_its_message_and_back() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "&tick 12<Enter><Enter>");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("conn 4 of 5") && shown.contains("Message 13 "), "{shown}");
    // The list is there again, with the cursor where it was.
    press(&mut app, "&<Enter>");
    assert!(picture(&app, WIDE).contains("found in 1 message"));
    press(&mut app, "<Esc>q");
    assert!(picture(&app, WIDE).contains("[1 Connections]"));
    // Nothing typed forgets it.
    press(&mut app, "&<C-u><Enter>&");
    assert!(picture(&app, WIDE).lines().any(|line| line == " &"), "{}", picture(&app, WIDE));
}

/// Far behind in a long payload, also where it lies across two blocks, with a capital that counts, as hex and as a regular expression.
#[test]
fn it_finds_what_a_search_in_a_pane_finds() {
    let (mut story, conn) = one_connection();
    let mut long = vec![b'.'; 3 << 20];
    long[(1 << 20) - 2..(1 << 20) + 4].copy_from_slice(b"Needle");
    story.say(conn, Direction::ToClient, Opcode::TEXT, &long);
    story.say(conn, Direction::ToClient, Opcode::BINARY, &[0, 0xde, 0xad, 0xbe, 0xef, 1]);
    story.say(conn, Direction::ToServer, Opcode::TEXT, b"a needle and id=77");
    let found = |pattern: &str| {
        let mut app = browser(&story, WIDE);
        press(&mut app, &format!("&{pattern}<Enter>"));
        let shown = picture(&app, WIDE);
        let rows = shown
            .lines()
            .filter(|line| line.contains("1#") && line.starts_with(['┃', '│']))
            .map(|line| line.split("1#").nth(1).unwrap().split(' ').next().unwrap().parse::<u64>().unwrap());
        rows.collect::<Vec<_>>()
    };
    assert_eq!(found("needle"), [1, 3]);
    assert_eq!(found("Needle"), [1]);
    assert_eq!(found("de ad be"), [2]);
    assert_eq!(found("/id=\\d+/"), [3]);
    assert_eq!(found("edle."), [1]);
    let mut app = browser(&story, WIDE);
    press(&mut app, "&Needle<Enter><Enter>");
    assert!(picture(&app, WIDE).contains("Needle"), "{}", picture(&app, WIDE));
}

/// What was typed and dropped is not looked for, not even in a capture that is read again.
#[test]
fn what_is_dropped_is_not_looked_for() {
    let (mut story, conn) = one_connection();
    for text in ["needle", "other"] {
        story.say(conn, Direction::ToClient, Opcode::TEXT, text.as_bytes());
    }
    let mut app = browser(&story, WIDE);
    press(&mut app, "&needle<Enter><Esc>&<C-u>other<Esc>");
    app.take(Loading::Again, Duration::ZERO);
    for batch in story.batches() {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    app.settle();
    work(&mut app);
    press(&mut app, "&<Enter>");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("1#1 ") && !shown.contains("1#2 "), "{shown}");
}

/// What comes in is looked through as well; what was stopped stays so.
#[test]
fn it_goes_on_between_keys_and_can_be_stopped() {
    let (mut story, conn) = one_connection();
    for n in 0..250_000_u32 {
        story.say(
            conn,
            Direction::ToClient,
            Opcode::TEXT,
            format!("message {n} of many, and no other word").as_bytes(),
        );
    }
    let mut app = browser(&story, WIDE);
    press_and(&mut app, "&word<Enter>", |_| ());
    assert!(app.is_busy() && picture(&app, WIDE).contains("found in 0 messages · 0 %"), "{}", picture(&app, WIDE));
    app.work();
    press_and(&mut app, "<C-c>", |_| ());
    let stopped = picture(&app, WIDE);
    assert!(!app.is_busy() && stopped.contains(" · stopped"), "{stopped}");
    press(&mut app, "<Esc>&<Enter>");
    assert!(
        picture(&app, WIDE).contains("found in 250 000 messages, the first 10 000 are listed"),
        "{}",
        picture(&app, WIDE)
    );
    let known = story.events();
    story.say(conn, Direction::ToServer, Opcode::TEXT, b"one word more");
    for batch in story.batches_after(known) {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    app.settle();
    work(&mut app);
    assert!(picture(&app, WIDE).contains("found in 250 001 messages"));
}
