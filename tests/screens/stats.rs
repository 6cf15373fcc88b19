//! Screen 5: where it leads, and that its figures are those of the capture however they come.

use super::story::Odd;
use super::*;
use wspect::model::{Direction, Opcode};
use wspect::tui::Effect;

/// Enter goes to the first message of the bin, whatever its connection, and `q` back.
#[test]
fn a_bin_leads_to_its_first_message() {
    for (keys, title, number) in [
        ("5<Enter>", "conn 1 ws://chat.example", " 1 · 1/13 "),
        ("5]]]G<Enter>", "conn 4 10.0.0.2:9001", " 28 · 28/41 "),
        // The first of the direction that is looked at.
        ("5d<Enter>", "conn 1 ", " 1 · 1/13 "),
        ("5dd<Enter>", "conn 1 ", " 2 · 2/13 "),
        // A list that hides the message shows it.
        ("2p15gll<Enter>", "conn 1 ", " 5 · 5/13 "),
    ] {
        let mut app = browser(&story::everything(), NARROW);
        press(&mut app, keys);
        let shown = picture(&app, NARROW);
        assert!(shown.contains("[2 Mess]") && shown.contains(title) && shown.contains(number), "{keys}: {shown}");
        press(&mut app, "q");
        assert!(picture(&app, NARROW).contains("[5 Stat]"), "{keys}");
    }
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "5<Enter>");
    assert!(picture(&app, WIDE).contains("no message in this bin: ( ) go to one that has some"));
    press(&mut app, ")<Enter>");
    assert!(picture(&app, WIDE).contains("[2 Messages]"));
}

#[test]
fn the_cursor_goes_from_message_to_message_and_to_both_ends() {
    let mut app = browser(&story::everything(), WIDE);
    for (keys, position) in [
        ("5", " 1/105 "),
        ("l", " 2/105 "),
        ("h(", " 1/105 "),
        ("G", " 105/105 "),
        ("(", " 104/105 "),
        (")", " 105/105 "),
        (")", "no later message"),
        ("g)))", " 6/105 "),
        // Longer bins have the same time under the cursor, shorter ones again; the whole is one bin at last.
        ("]", " 2/21 "),
        ("[", " 6/105 "),
        ("]]]]", " 1/2 "),
        ("]", " 1/1 "),
        ("]", "all of it is one bin"),
    ] {
        press(&mut app, keys);
        let shown = picture(&app, WIDE);
        assert!(shown.contains(position), "{keys}: {shown}");
    }
    assert!(picture(&app, WIDE).contains("in bins of 30 s"));
    press(&mut app, "[[[[[[[[[[");
    assert!(picture(&app, WIDE).contains("no shorter bins are kept"));
}

/// With the selected connection another one is measured, of which the first bin begins with its first packet.
#[test]
fn the_scope_follows_the_selected_connection() {
    let mut app = browser(&story::everything(), WIDE);
    for (keys, scope, messages) in [
        ("5", "all connections", "67 messages of"),
        ("s", "host chat.example", "13 messages of"),
        ("}", "host 10.0.0.2", "54 messages of"),
        ("}}", "host 10.0.0.2", "54 messages of"),
        ("s", "connection 4", "41 messages of"),
        ("}", "connection 5", "0 messages of"),
        ("s", "all connections", "67 messages of"),
        ("S{", "connection 4", "41 messages of"),
    ] {
        press(&mut app, keys);
        let shown = picture(&app, WIDE);
        let title = format!("Throughput · {scope} ");
        assert!(shown.contains(&title) && shown.contains(messages), "{keys}: {shown}");
    }
}

/// What comes while the screen is looked at is added, and the sum is the same.
#[test]
fn figures_grow_with_the_capture() {
    let story = story::everything();
    for keys in ["5", "5s", "5ss", "5o"] {
        let mut whole = browser(&story, WIDE);
        press(&mut whole, keys);
        let mut app = App::new(options(), WIDE);
        press(&mut app, "1");
        press(&mut app, keys);
        assert!(picture(&app, WIDE).contains("No message in the capture yet."));
        for batch in story.batches() {
            app.take(Loading::Batch(batch), Duration::ZERO);
            app.take(Loading::Progress(progress(&story, 9)), Duration::ZERO);
            app.settle();
            while app.is_busy() {
                app.work();
                app.settle();
            }
        }
        let progress = progress(&story, 412_000_000);
        app.take(Loading::Done(Outcome { progress, ..Outcome::default() }), Duration::ZERO);
        app.settle();
        assert_eq!(picture(&app, WIDE), picture(&whole, WIDE), "{keys}");
    }
}

/// Many messages are measured in slices between keys, and the screen says how far that is.
#[test]
fn many_messages_are_measured_between_keys() {
    const MANY: usize = 600_000;
    let (mut story, conn) = one_connection();
    for n in 0..MANY {
        story.wait(10).say(conn, Direction::BOTH[n % 2], Opcode::TEXT, &[b'x'; 7][..n % 8]);
    }
    let mut app = browser(&story, WIDE);
    let mut slices = 0;
    press_and(&mut app, "5", |app| {
        assert!(picture(app, WIDE).contains(" % measured"));
        while app.is_busy() {
            app.work();
            app.settle();
            slices += 1;
        }
    });
    let shown = picture(&app, WIDE);
    assert!(slices > 1 && shown.contains("600 000 messages of all connections"), "{slices}: {shown}");
    assert!(!shown.contains(" % measured"), "{shown}");
    // What is measured is not measured again for another view of it.
    press_and(&mut app, "od]126", |app| assert!(!app.is_busy()));
}

#[test]
fn figures_are_copied_as_text() {
    let mut app = browser(&story::everything(), NARROW);
    let mut copied = |keys: &str| {
        press(&mut app, keys);
        let Some(Effect::Copy(text)) = app.take_effects().into_iter().next() else { panic!("{keys} copies") };
        text
    };
    shot("stats_copied", &copied("5yy"));
    shot("stats_bins_copied", &copied("yb"));
    press(&mut app, "y");
    shot("stats_copy_menu", &picture(&app, NARROW));
}

/// No host that a sender chose gets into a command line, and none unescaped on the screen.
#[test]
fn a_hostile_host_is_no_command() {
    for (host, said) in [("a.example", true), ("a'; rm x; '", false), ("a\"$(x)\"", false), ("\u{1b}[31m", false)] {
        let mut story = Story::new();
        let url = format!("ws://{host}/");
        let conn = story.open(Some(&url), story::endpoint(1, 5000), story::endpoint(2, 80), 0);
        story.say(conn, Direction::ToServer, Opcode::TEXT, b"hello");
        let mut app = browser(&story, WIDE);
        press(&mut app, "5s");
        let shown = picture(&app, WIDE);
        assert_eq!(shown.contains("also: wspect stats cap.pcapng -Y"), said, "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }
}

/// Lengths and times of any size are told and drawn.
#[test]
fn the_largest_amounts_fit() {
    let (mut story, conn) = one_connection();
    for dir in Direction::BOTH {
        let holes = vec![wspect::model::Hole { offset: 0, len: Some(u64::MAX - 1) }];
        let odd = Odd { holes, rtt: Some(i64::MAX), ..Odd::default() };
        story.say_oddly(conn, dir, Opcode::PONG, b"x", &odd);
        story.wait(i64::MAX / 4000);
    }
    for size in SIZES {
        let mut app = browser(&story, size);
        press(&mut app, "5l");
        let shown = picture(&app, size);
        assert!(size == SMALL || shown.contains("18 EB"), "{shown}");
        press(&mut app, "<Tab><Tab>");
        assert!(picture(&app, size).contains("106752d"), "{}", picture(&app, size));
    }
}
