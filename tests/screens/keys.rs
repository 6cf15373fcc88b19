//! What keys and the mouse do beside what is seen at once.

use super::*;
use crate::support::craft::*;
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use wspect::model::{Direction, Opcode};
use wspect::tui::{Anew, Effect};

#[test]
fn bytes_can_be_selected_and_copied() {
    check("bytes_selected", WIDE, "2jj4<Tab>lllvlllj");
    let mut app = browser(&story::everything(), WIDE);
    for (keys, copied) in [
        ("2jj4<Tab>gvllyh", "81 ca 37"),
        // From a field: its bytes, and more.
        ("<Esc><S-Tab>gjjjjjjvlyh", "37 fa 21 3d 4c"),
        // Stopped, or dropped: all bytes.
        ("vyh", "81 ca 37 fa"),
        ("vl<Esc>yh", "81 ca 37 fa"),
    ] {
        press(&mut app, keys);
        let [Effect::Copy(text)] = &app.take_effects()[..] else { panic!("{keys} copies") };
        let exact = copied.len() != 11;
        assert!(if exact { text == copied } else { text.len() > 99 && text.starts_with(copied) }, "{keys}: {text}");
    }
}

/// A bare number goes to that row of the pane; one beyond the last goes to the last.
#[test]
fn a_number_is_a_row() {
    let mut app = browser(&story::everything(), WIDE);
    for (keys, row) in [(":3<Enter>", 3), (":1<Enter>", 1), (":0<Enter>", 1), (":2<Enter>", 2)] {
        press(&mut app, keys);
        let shown = picture(&app, WIDE);
        assert!(shown.contains(&format!(" {row}/")), "{keys}: {shown}");
    }
    press(&mut app, "G");
    let last = picture(&app, WIDE);
    for number in ["99999", "99999999999999999999999"] {
        press(&mut app, &format!("g:{number}<Enter>"));
        assert_eq!(picture(&app, WIDE), last);
    }
    press(&mut app, ":N<Enter>");
    assert!(picture(&app, WIDE).contains("N to go to row N"));
}

/// What stands in hex on the screen is found as it stands there.
#[test]
fn hex_is_found_where_bytes_are_shown_in_hex() {
    for (keys, copied) in [("2jj4<Tab>/37 fa<Enter>vly", "37 fa"), ("2jj4<Tab>/37fa<Enter>vly", "37 fa")] {
        let mut app = browser(&story::everything(), WIDE);
        press(&mut app, &format!("{keys}h"));
        let [Effect::Copy(text)] = &app.take_effects()[..] else { panic!("{keys} copies") };
        assert_eq!(text, copied, "{keys}");
    }
    for (view, pattern, is_there) in [("vv", "7b 22", true), ("vv", "7c 22", false), ("v", "7b 22", false)] {
        let mut app = browser(&story::everything(), WIDE);
        press(&mut app, &format!("2jjj<Tab>{view}/{pattern}<Enter>"));
        assert_ne!(picture(&app, WIDE).contains("not found"), is_there, "{view}/{pattern}");
    }
}

/// The second ^C quits, also while the reader has not stopped yet.
#[test]
fn stopping_twice_quits() {
    let (story, _) = one_connection();
    let mut app = App::new(options(), NARROW);
    for batch in story.batches() {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    press(&mut app, "<C-c>");
    assert!(matches!(app.take_effects()[..], [Effect::StopLoading]));
    press(&mut app, "j<C-c>");
    assert!(matches!(app.take_effects()[..], [Effect::StopLoading]), "a key between begins anew");
    let progress = progress(&story, 9);
    app.take(Loading::Done(Outcome { progress, ..Outcome::default() }), Duration::ZERO);
    app.settle();
    assert!(picture(&app, NARROW).contains(&format!("stopped: {} packets so far", progress.packets)));
    press(&mut app, "<C-c>");
    assert!(matches!(app.take_effects()[..], [Effect::Quit]));
}

#[test]
fn loading_moves_neither_selection_nor_view() {
    let (mut story, conn) = one_connection();
    for n in 0..100 {
        story.say(conn, Direction::ToClient, Opcode::TEXT, format!("tick {n}").as_bytes());
    }
    let mut app = App::new(options(), NARROW);
    for batch in story.batches() {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    app.settle();
    press(&mut app, "2<C-d><C-d>j");
    let before = picture(&app, NARROW);
    let known = story.events();
    for n in 0..500 {
        story.say(conn, Direction::ToServer, Opcode::TEXT, format!("tock {n}").as_bytes());
    }
    for batch in story.batches_after(known) {
        app.take(Loading::Batch(batch), Duration::ZERO);
        app.settle();
    }
    let rows = |picture: &str| picture.lines().skip(2).take(10).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&before), rows(&picture(&app, NARROW)));
}

#[test]
fn a_sorted_list_keeps_its_selection_while_it_grows() {
    let story = story::everything();
    let mut app = App::new(options(), NARROW);
    let batches = story.batches();
    for batch in batches {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    app.settle();
    press(&mut app, "sssssssSj");
    let selected = |app: &App| picture(app, NARROW).lines().find(|line| line.contains('▶')).unwrap().to_owned();
    let before = selected(&app);
    press(&mut app, "S");
    assert_eq!(before, selected(&app));
}

#[test]
fn history_leads_back_and_forth() {
    let mut app = browser(&story::everything(), NARROW);
    press(&mut app, "}2jj36");
    let there = picture(&app, NARROW);
    press(&mut app, "<A-←><A-←><A-←>");
    assert!(picture(&app, NARROW).starts_with(" [1 Conn]"));
    for _ in 0..3 {
        app.act(wspect::tui::Action::History(1));
        app.settle();
    }
    assert_eq!(picture(&app, NARROW), there);
}

#[test]
fn quitting_is_asked_for_where_q_can_go_no_further_back() {
    let mut app = browser(&story::everything(), NARROW);
    press(&mut app, "<Enter><Enter>q");
    assert!(picture(&app, NARROW).contains("[2 Mess]"));
    press(&mut app, "q");
    assert!(app.take_effects().is_empty());
    press(&mut app, "q");
    assert_eq!(app.take_effects(), [Effect::Quit]);
    press(&mut app, "<C-c>");
    assert!(app.take_effects().is_empty());
    press(&mut app, "<C-c>");
    assert_eq!(app.take_effects(), [Effect::Quit]);
}

#[test]
fn copies_in_every_form() {
    let mut app = browser(&story::everything(), WIDE);
    let mut copied = |keys: &str| {
        press(&mut app, keys);
        let effects = app.take_effects();
        let Some(Effect::Copy(text)) = effects.into_iter().next() else { panic!("nothing copied after {keys}") };
        text
    };
    assert_eq!(copied("yw"), "tcp.stream == 0");
    assert_eq!(copied("2jjyt"), r#"{"id":"42","type":"subscribe","payload":{"query":"{room(id:7){history}}"}}"#);
    assert!(copied("yp").starts_with("{\n  \"id\": \"42\",\n"));
    assert_eq!(copied("jjyh"), "00 00 08 5f");
    assert_eq!(copied("yb"), "AAAIXw==");
    assert_eq!(copied("yw"), "tcp.stream == 0 && frame.number == 19");
    assert_eq!(copied("yy"), "5  2023-11-14 22:13:21.023800 UTC  ← ping  4 B  00 00 08 5f");
    assert!(copied("3yy").contains("Cookie: sid=••••••••••"));
    assert!(copied("6yy").starts_with("UTF8-BAD  "));
}

#[test]
fn the_mouse_selects_folds_sorts_and_scrolls() {
    let mut app = browser(&story::everything(), WIDE);
    let mut mouse = |kind, column, row| {
        let modifiers = KeyModifiers::NONE;
        app.event(&Event::Mouse(MouseEvent { kind, column, row, modifiers }));
        picture(&app, WIDE)
    };
    let click = MouseEventKind::Down(MouseButton::Left);
    assert!(mouse(click, 30, 5).contains("2/5"));
    assert!(mouse(click, 30, 5).contains("[2 Messages]"), "the second click opens");
    assert!(mouse(click, 10, 0).contains("[1 Connections]"), "a tab");
    assert!(mouse(click, 30, 4).contains("1/5"));
    assert!(mouse(click, 30, 0).contains("[2 Messages]"));
    assert!(mouse(click, 20, 7).contains("Message 4"));
    assert!(mouse(click, 71, 10).contains("▶ payload"), "a fold mark");
    assert!(mouse(click, 34, 3).contains("len ▲"), "the head of a column");
    let dragged = mouse(click, 68, 15);
    assert_ne!(dragged, mouse(MouseEventKind::Drag(MouseButton::Left), 50, 15));
    mouse(MouseEventKind::Up(MouseButton::Left), 50, 15);
    let before = mouse(click, 30, 0);
    assert_eq!(before, mouse(MouseEventKind::ScrollDown, 20, 10), "a short list does not scroll");
}

/// A right click selects a row, and offers ways to filter by it.
#[test]
fn a_right_click_offers_filters() {
    let mut app = browser(&story::everything(), WIDE);
    let mut click = |column, row| {
        let kind = MouseEventKind::Down(MouseButton::Right);
        app.event(&Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
        picture(&app, WIDE)
    };
    let menu = click(30, 5);
    assert!(menu.contains("2/5") && menu.contains("conn == 2"), "{menu}");
    assert!(!click(30, 6).contains("conn == 2"), "a click beside closes it");
    let head = click(20, 3);
    assert!(head.contains("sorted by start ▲") && head.contains("conn == 2"), "a head does not sort: {head}");
}

/// Where a byte comes from is told with every step of the cursor.
#[test]
fn a_byte_is_followed_to_its_packet() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "2jj4<Tab>g");
    for (keys, words) in [
        ("", "packet 17 · → stream 444 · frame byte 0 "),
        ("llllll", "packet 17 · → stream 450 · frame byte 6 · payload byte 0 "),
        ("]", "packet 17 · → stream 450 · frame byte 6 · payload byte 0 "),
        ("l", "packet 17 · → stream 451 · frame byte 7 · payload byte 1 "),
    ] {
        press(&mut app, keys);
        assert!(picture(&app, WIDE).contains(words), "{keys}: {}", picture(&app, WIDE));
    }
    // The second of three fragments.
    press(&mut app, "2jjjjj4<S-Tab><S-Tab>j<Tab><Tab>g");
    assert!(
        picture(&app, WIDE).contains("packet 23 · → stream 612 · frame byte 6 · payload byte 66"),
        "{}",
        picture(&app, WIDE)
    );
}

/// A stream is read as something else on request; what the rule is, the reader knows.
#[test]
fn streams_are_read_as_something_else() {
    let mut app = browser(&story::everything(), WIDE);
    // Where nothing was said, it is the stream that may be something else.
    press(&mut app, "jD");
    let shown = picture(&app, WIDE);
    assert!(shown.contains(" :decode "), "{shown}");
    press(&mut app, "<C-u>decode tcp.stream==3,websocket<Enter>");
    assert_eq!(app.take_effects(), [Effect::Again(Anew::Rule("tcp.stream==3,websocket".into()))]);
    press(&mut app, ":decode tcp.port==1,none<Enter>");
    assert!(picture(&app, WIDE).contains("the capture is still being read") && app.take_effects().is_empty());
    app.take(Loading::Again, Duration::ZERO);
    for batch in story::everything().batches() {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    app.take(Loading::Done(Outcome::default()), Duration::ZERO);
    app.settle();
    let shown = picture(&app, WIDE);
    assert!(shown.contains("tcp.stream==3,websocket: now 5 connections") && shown.contains("2/5"), "{shown}");
    // An export reads streams so as well.
    press(&mut app, "x");
    assert!(
        picture(&app, WIDE).contains("-d tcp.stream==3,websocket")
            || picture(&app, WIDE).contains("'tcp.stream==3,websocket'")
    );
    let mut piped = browser_with(Options { can_reread: false, ..options() }, &story::everything(), WIDE);
    press(&mut piped, ":decode tcp.stream==3,websocket<Enter>");
    assert!(picture(&piped, WIDE).contains("start wspect with -d RULE"));
}

/// No key waits for work on a whole payload, however large: that is done in slices between keys, and comes to its end.
#[test]
fn what_takes_long_is_done_between_keys() {
    const HUGE: usize = 40 << 20;
    /// More slices than this never come: no key makes more work than its payload has.
    const ENDLESS: usize = 10_000;
    /// Every view from end to end, searches for what is there and what is not, and the bytes.
    const KEYS: &str = "j <Tab> G g ] G k g ] G <C-f> ] G w l G w g / z Z <Esc> / o g ; <Enter> n N N <Esc> \
        4 G ] g [ <Tab> <Tab> G h / q <Enter> N q k j";
    let line = b"the quick brown fox jumps over the lazy dog; ";
    let json = br#"{"price":12.5,"name":"abc","list":[1,2,3,{"deep":true}]},"#;
    let repeated = |unit: &[u8]| unit.iter().copied().cycle().take(HUGE).collect::<Vec<u8>>();
    let bodies = [
        (Opcode::TEXT, repeated(line)),
        (Opcode::TEXT, [b"[", &repeated(json)[..]].concat()),
        (Opcode::TEXT, [b"{\"blob\":\"", &repeated(line)[..], b"\"}"].concat()),
        (Opcode::BINARY, repeated(&[0, 1, 0xfe, 0x80, b'\n', b'z'])),
    ];
    for (at, (opcode, body)) in bodies.iter().enumerate() {
        let (mut story, conn) = one_connection();
        story.say(conn, Direction::ToServer, Opcode::TEXT, b"small");
        story.say(conn, Direction::ToServer, *opcode, body);
        let mut app = browser(&story, WIDE);
        press(&mut app, "2");
        let mut terminal = Terminal::new(TestBackend::new(WIDE.0, WIDE.1)).unwrap();
        let mut between = 0;
        for key in KEYS.split(' ') {
            press_and(&mut app, key, |_| ());
            terminal.draw(|frame| view(&app, frame)).unwrap();
            let mut slices = 0;
            while app.is_busy() {
                assert!(slices < ENDLESS, "body {at}, {key}");
                slices += 1;
                app.work();
                app.settle();
            }
            between += slices;
        }
        // Some of the keys ask for more than one slice can do.
        assert!(between > 10, "body {at}: {between} slices");
    }
}

/// The bytes of a frame are those that its draft sent.
#[test]
fn frames_of_drafts_are_laid_out_as_they_were_sent() {
    for draft in DRAFTS {
        let session = Session::sample_of(1, draft);
        let segments = session.cut(|_| vec![40_000]);
        for (keys, turn) in [("24", 2), ("2j4", 3), ("2jj4", 4), ("2jjj4", 5)] {
            let mut app = browser_of(capture_of(&segments), WIDE);
            press(&mut app, &format!("{keys}yh"));
            let [Effect::Copy(text)] = &app.take_effects()[..] else { panic!("{keys} copies") };
            let sent: Vec<String> = session.turns[turn].1.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(text.split_whitespace().collect::<Vec<_>>(), sent, "{draft:?} {keys}");
        }
    }
}

/// Tab completes what is typed behind `:`, and commands of before come back.
#[test]
fn commands_are_completed_and_recalled() {
    let mut app = browser(&story::everything(), WIDE);
    let line = |app: &App| picture(app, WIDE).lines().rev().nth(1).unwrap().trim_end().to_owned();
    let hints = |app: &App| picture(app, WIDE).lines().last().unwrap().trim_end().to_owned();
    press(&mut app, ":the<Tab> hi<Tab>");
    assert_eq!(line(&app), " :theme high-contrast");
    press(&mut app, "<C-u>decode conn==1,m<Tab>");
    assert_eq!((line(&app), hints(&app)), (" :decode conn==1,mqtt".to_owned(), " mqtt  media  msgpack".to_owned()));
    press(&mut app, "<Tab><Tab><Tab><S-Tab>");
    assert_eq!(line(&app), " :decode conn==1,msgpack");
    // Any other key takes what stands there.
    press(&mut app, "x");
    assert!(line(&app).ends_with("msgpackx") && !hints(&app).contains("media"));
    press(&mut app, "<Esc>:3<Enter>:5<Enter>:<C-p><C-p>");
    assert_eq!(line(&app), " :3");
    press(&mut app, "<C-n>");
    assert_eq!(line(&app), " :5");
    press(&mut app, "<C-n>");
    assert_eq!(line(&app), " :");
}

#[test]
fn a_file_is_read_again() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, ":reload<Enter>");
    assert_eq!(app.take_effects(), [Effect::Again(Anew::Same)]);
    app.take(Loading::Again, Duration::ZERO);
    for batch in story::everything().batches() {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    app.take(Loading::Done(Outcome::default()), Duration::ZERO);
    app.settle();
    assert!(picture(&app, WIDE).contains("read again: "), "{}", picture(&app, WIDE));
}

/// The value under the cursor is copied, or begins a filter; what a client did is copied as a command.
#[test]
fn values_and_commands_are_copied() {
    let mut app = browser(&story::everything(), WIDE);
    let copied = |app: &mut App, keys: &str| {
        press(app, keys);
        match app.take_effects().as_slice() {
            [Effect::Copy(text)] => text.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(copied(&mut app, "2jjj<Tab>jjjjjyf"), "Not authorized to read room 7f3c");
    press(&mut app, ".");
    assert!(picture(&app, WIDE).contains("Filter: json.\"payload\"[0].\"message\""), "{}", picture(&app, WIDE));
    let command = copied(&mut app, "<Esc>3yc");
    assert!(
        command.starts_with("websocat --protocol='graphql-transport-ws")
            && command.ends_with(" 'ws://chat.example/socket?v=3'"),
        "{command}"
    );
    assert!(!command.contains("Cookie"), "{command}");
    assert!(copied(&mut app, "Syc").contains(" -H='Cookie: "));
    assert_eq!(copied(&mut app, "4gjyf"), "True");
}
