//! Screens as a user sees them: an invented capture, a list of keys, a picture.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

#[path = "support/story.rs"]
mod story;
#[path = "support/mod.rs"]
mod support;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::ops::ControlFlow;
use std::time::Duration;
use story::{Odd, Story, endpoint};
use support::craft::*;
use wspect::book::Recorder;
use wspect::capture::Reader;
use wspect::dissect;
use wspect::model::{Direction, End, Hole, Limits, NoteCode, Opcode};
use wspect::tui::{App, ColorChoice, Effect, Loading, Options, Outcome, Progress, view};

const SIZES: [(u16, u16); 4] = [(120, 36), (80, 24), (40, 10), (250, 70)];

fn options() -> Options {
    Options { title: "cap.pcapng".into(), mouse: true, color: ColorChoice::Never, zone: TimeZone::UTC }
}

fn progress(story: &Story, read: u64) -> Progress {
    Progress {
        read,
        total: Some(412_000_000),
        packets: story.packets(),
        streams: 41,
        start: Some(story.started(0).time.unwrap()),
        end: Some(story.now()),
    }
}

/// The browser after the whole story was read.
fn browser(story: &Story, size: (u16, u16)) -> App {
    let mut app = App::new(options(), size);
    for batch in story.batches() {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    app.take(Loading::Done(Outcome { progress: progress(story, 412_000_000), ..Outcome::default() }), Duration::ZERO);
    app.settle();
    app
}

/// The browser after a capture was read.
fn browser_of(file: Vec<u8>, size: (u16, u16)) -> App {
    let mut app = App::new(options(), size);
    let mut reader = Reader::new(Box::new(std::io::Cursor::new(file))).unwrap();
    let mut recorder = Recorder::new(|batch| {
        app.take(Loading::Batch(batch), Duration::ZERO);
        ControlFlow::Continue(())
    });
    let limits = Limits { wire_bytes: 1 << 20, ..Limits::DEFAULT };
    let _ = dissect::run(&mut reader, limits, &mut recorder, &mut |_| ControlFlow::Continue(()));
    let _ = recorder.flush();
    drop(recorder);
    app.take(Loading::Done(Outcome::default()), Duration::ZERO);
    app.settle();
    app
}

/// Presses keys: characters, or names in brackets such as `<Enter>` and `<C-d>`; waits for what they begin.
fn press(app: &mut App, keys: &str) {
    press_and(app, keys, |app| {
        while app.is_busy() {
            app.work();
            app.settle();
        }
    });
}

/// Presses keys, and does something after each.
fn press_and(app: &mut App, keys: &str, mut then: impl FnMut(&mut App)) {
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let name = rest.strip_prefix('<').and_then(|inner| inner.split_once('>')).map(|(name, _)| name);
        rest = &rest[name.map_or(c.len_utf8(), |name| name.len() + 2)..];
        let (code, modifiers) = match name {
            Some("Enter") => (KeyCode::Enter, KeyModifiers::NONE),
            Some("Tab") => (KeyCode::Tab, KeyModifiers::NONE),
            Some("S-Tab") => (KeyCode::BackTab, KeyModifiers::SHIFT),
            Some("Esc") => (KeyCode::Esc, KeyModifiers::NONE),
            Some("A-←") => (KeyCode::Left, KeyModifiers::ALT),
            Some(other) => match other.strip_prefix("C-").and_then(|c| c.chars().next()) {
                Some(c) => (KeyCode::Char(c), KeyModifiers::CONTROL),
                None => panic!("no key {other}"),
            },
            None => (KeyCode::Char(c), KeyModifiers::NONE),
        };
        app.event(&Event::Key(KeyEvent::new(code, modifiers)));
        then(app);
    }
}

fn picture(app: &App, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view(app, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut out = String::new();
    for y in 0..height {
        let mut x = 0;
        let mut line = String::new();
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol)).unwrap().max(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A picture at every size after the keys.
fn snapshot(name: &str, keys: &str) {
    for size in SIZES {
        let mut app = browser(&story::everything(), size);
        press(&mut app, keys);
        insta::assert_snapshot!(format!("{name}@{}x{}", size.0, size.1), picture(&app, size));
    }
}

#[test]
fn connections() {
    snapshot("connections", "");
}

#[test]
fn messages() {
    snapshot("messages", "<Enter>jjj");
}

#[test]
fn handshake() {
    snapshot("handshake", "3");
}

#[test]
fn bytes() {
    snapshot("bytes", "<Enter>jjj<Enter>jjjjjjj");
}

#[test]
fn findings() {
    snapshot("findings", "6j");
}

/// Pictures at one size after keys.
fn check(name: &str, size: (u16, u16), keys: &str) {
    let mut app = browser(&story::everything(), size);
    press(&mut app, keys);
    insta::assert_snapshot!(name, picture(&app, size));
}

const WIDE: (u16, u16) = (120, 36);
const NARROW: (u16, u16) = (80, 24);
const SMALL: (u16, u16) = (40, 10);

#[test]
fn payload_views() {
    check("payload_hex", WIDE, "2jjjvv");
    check("payload_text", NARROW, "2Gkk");
    check("payload_raw_hostile", WIDE, "2Gkkvvz<Tab>");
    check("payload_with_a_hole", WIDE, "2jjjjjjjj");
    check("payload_with_a_hole_hex", WIDE, "2jjjjjjjj]");
    check("payload_compressed", NARROW, "2jjjjjj");
    check("payload_tree_folded", WIDE, "2jjj<Tab>jjj<Enter>");
    check("payload_zoomed", NARROW, "2jjj<Tab>z");
}

/// What was compressed is shown as it was said; its frames as they were sent, or not at all.
#[test]
fn compressed_messages_have_three_kinds_of_bytes() {
    for (name, keys) in [
        ("deflate_connection", ""),
        ("deflate_message", "2j"),
        ("deflate_frame", "2<Enter>j"),
        ("deflate_unmasked", "2<Enter>j]"),
        ("deflate_inflated", "2<Enter>[<Tab><Tab>"),
        ("deflate_not_kept", "2j<Enter>"),
        ("deflate_undecoded", "2jj<Enter>["),
    ] {
        let mut app = browser(&story::compressed(), WIDE);
        press(&mut app, keys);
        insta::assert_snapshot!(name, picture(&app, WIDE));
    }
}

#[test]
fn lists_can_be_narrowed_and_sorted() {
    check("messages_one_direction_no_pings", WIDE, "2dp");
    check("messages_by_length", NARROW, "2ssS");
    check("connections_by_bytes", WIDE, "sssssssS");
    check("messages_none_left", NARROW, "}}}2d");
    check("findings_only_errors", NARROW, "6ss");
}

#[test]
fn a_conversation() {
    check("chat", WIDE, "2jjjF");
    check("chat_narrow", NARROW, "2FG");
}

#[test]
fn bytes_of_fragments_holes_and_close() {
    check("bytes_fragments", WIDE, "2jjjjjjj4<S-Tab>j");
    check("bytes_unmasked", NARROW, "2jjjjjjj4]");
    check("bytes_hole", WIDE, "2jjjjjjjj4");
    check("bytes_close_bits", WIDE, "2Gk4GB#");
    check("bytes_cursor", WIDE, "2jj4<Tab>lllljj");
}

#[test]
fn handshake_secrets_and_refusals() {
    check("handshake_secrets", WIDE, "3S");
    check("handshake_refused", WIDE, "}}3");
    check("handshake_missing", NARROW, "}}}3");
}

#[test]
fn overlays() {
    check("help", WIDE, "2?");
    check("help_scrolled", NARROW, "4?<C-f>");
    check("help_small", SMALL, "2?");
    check("help_small_end", SMALL, "2?G");
    check("copy_menu", WIDE, "2jjjy");
    check("view_menu", NARROW, "2jjjV");
}

#[test]
fn search_goes_to_the_match_and_marks_it() {
    check("search_messages", WIDE, "2/subscribe");
    check("search_tree", WIDE, "2jjj<Tab>/forbidden<Enter>");
    check("search_hex", WIDE, "2jjj<Tab>vv/room<Enter>");
    check("search_not_found", NARROW, "2/nowhere<Enter>");
    check("search_dropped", NARROW, "2/subscribe<Enter><Esc>");
}

#[test]
fn evidence_of_a_finding() {
    check("evidence", WIDE, "6j<Enter>");
    check("evidence_and_back", NARROW, "6j<Enter>q");
    check("second_evidence", WIDE, "6jr");
    check("second_evidence_handshake", NARROW, "6r");
    check("second_evidence_missing", NARROW, "6Gr");
}

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

/// Text that is read from right to left stays in the order in which it was sent, and a mark says so.
#[test]
fn text_from_right_to_left_is_marked() {
    for (text, marked) in [("shalom שלום world", true), ("salam سلام", true), ("hello 雨 é", false)] {
        let mut story = Story::new();
        let conn = story.open(Some("ws://one.example/"), endpoint(1, 5000), endpoint(2, 80), 0);
        story.upgrade(conn, 101, story::REQUEST, story::RESPONSE);
        story.say(conn, Direction::ToServer, Opcode::TEXT, text.as_bytes());
        for size in [WIDE, NARROW] {
            let mut app = browser(&story, size);
            press(&mut app, "2");
            let picture = picture(&app, size);
            assert!(picture.contains(text) && picture.contains("⟨rtl⟩") == marked, "{picture}");
        }
    }
}

#[test]
fn panes_can_be_arranged() {
    check("stacked", WIDE, "2|");
    check("side_by_side", NARROW, "2|");
    check("larger", WIDE, "2+++");
}

#[test]
fn times_in_every_mode() {
    let size = NARROW;
    let mut app = browser(&story::everything(), size);
    press(&mut app, "2jjT");
    let mut out = String::new();
    for _ in 0..8 {
        let picture = picture(&app, size);
        let mode = picture.lines().rev().nth(1).unwrap().split("t: ").nth(1).unwrap().to_owned();
        let rows = picture.lines().skip(2).take(6).map(|line| line.chars().take(50).collect::<String>());
        out.push_str(&format!("{mode}\n{}\n", rows.collect::<Vec<_>>().join("\n")));
        press(&mut app, "t");
    }
    insta::assert_snapshot!("times", out);
}

#[test]
fn opens_on_the_messages_of_a_single_connection() {
    let mut story = Story::new();
    let conn = story.open(Some("ws://one.example/"), endpoint(1, 5000), endpoint(2, 80), 0);
    story.upgrade(conn, 101, story::REQUEST, story::RESPONSE);
    story.say(conn, Direction::ToServer, Opcode::TEXT, b"alone");
    let app = browser(&story, NARROW);
    insta::assert_snapshot!("single", picture(&app, NARROW));
}

#[test]
fn says_what_was_seen_when_there_is_no_websocket() {
    let mut app = App::new(options(), NARROW);
    let progress = Progress { read: 9_000_000, packets: 18_204, streams: 41, ..Progress::default() };
    let seen = vec!["3 TLS streams (port 443)".to_owned(), "1 stream on port 9001".to_owned()];
    app.take(Loading::Done(Outcome { progress, seen, ..Outcome::default() }), Duration::ZERO);
    app.settle();
    insta::assert_snapshot!("nothing", picture(&app, NARROW));
}

#[test]
fn shows_rows_and_progress_while_loading() {
    for size in [WIDE, NARROW] {
        let story = story::everything();
        let mut app = App::new(options(), size);
        for batch in story.batches() {
            app.take(Loading::Batch(batch), Duration::ZERO);
        }
        app.take(Loading::Progress(progress(&story, 157_000_000)), Duration::from_millis(748));
        app.settle();
        insta::assert_snapshot!(format!("loading@{}x{}", size.0, size.1), picture(&app, size));
    }
}

#[test]
fn a_small_screen_says_so() {
    let app = browser(&story::everything(), (32, 8));
    insta::assert_snapshot!("too_small", picture(&app, (32, 8)));
}

#[test]
fn loading_moves_neither_selection_nor_view() {
    let mut story = Story::new();
    let conn = story.open(Some("ws://busy.example/"), endpoint(1, 5000), endpoint(2, 80), 0);
    story.upgrade(conn, 101, story::REQUEST, story::RESPONSE);
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
    let more = story.batches().len();
    for n in 0..500 {
        story.say(conn, Direction::ToServer, Opcode::TEXT, format!("tock {n}").as_bytes());
    }
    for batch in story.batches().into_iter().skip(more) {
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
    assert!(mouse(click, 30, 4).contains("2/5"));
    assert!(mouse(click, 30, 4).contains("[2 Messages]"), "the second click opens");
    assert!(mouse(click, 10, 0).contains("[1 Connections]"), "a tab");
    assert!(mouse(click, 30, 3).contains("1/5"));
    assert!(mouse(click, 30, 0).contains("[2 Messages]"));
    assert!(mouse(click, 20, 6).contains("Message 4"));
    assert!(mouse(click, 71, 9).contains("▶ payload"), "a fold mark");
    assert!(mouse(click, 34, 2).contains("len ▲"), "the head of a column");
    let dragged = mouse(click, 68, 15);
    assert_ne!(dragged, mouse(MouseEventKind::Drag(MouseButton::Left), 50, 15));
    mouse(MouseEventKind::Up(MouseButton::Left), 50, 15);
    let before = mouse(click, 30, 0);
    assert_eq!(before, mouse(MouseEventKind::ScrollDown, 20, 10), "a short list does not scroll");
}

/// Whatever was sent, the cells hold no control and no format character.
fn assert_clean(app: &App, size: (u16, u16)) {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    terminal.draw(|frame| view(app, frame)).unwrap();
    for cell in terminal.backend().buffer().content() {
        let clean =
            |c: char| !c.is_control() && wspect::escape::display_str(c.encode_utf8(&mut [0; 4])).chars().eq([c]);
        assert!(cell.symbol().chars().all(clean), "{:?}", cell.symbol());
    }
}

/// Everything that a sender can choose is hostile.
fn hostile_story(evil: &[u8]) -> Story {
    let text = String::from_utf8_lossy(evil).into_owned();
    let mut story = Story::new();
    let url = format!("ws://{text}/{text}");
    let conn = story.open(Some(&url), endpoint(1, 5000), endpoint(2, 80), 0);
    let headers = [("Host", text.as_str()), (text.as_str(), text.as_str()), ("Sec-WebSocket-Protocol", text.as_str())];
    story.upgrade(conn, 101, &headers, &headers);
    for opcode in [Opcode::TEXT, Opcode::BINARY, Opcode::PING, Opcode(3)] {
        story.say(conn, Direction::ToClient, opcode, evil);
    }
    let json = [b"{\"a\":\"", evil, b"\",\"", evil, b"\":[1,", evil, b"]}"].concat();
    story.say(conn, Direction::ToClient, Opcode::TEXT, &json);
    let holes = vec![Hole { offset: 1, len: Some(u64::MAX - 9) }, Hole { offset: u64::MAX - 5, len: None }];
    story.say_oddly(conn, Direction::ToServer, Opcode::TEXT, evil, &Odd { holes, ..Odd::default() });
    story.note(conn, NoteCode::Utf8Bad, Some(Direction::ToClient), Some(1), &text);
    story.say(conn, Direction::ToServer, Opcode::CLOSE, &[b"\x03\xea", evil].concat());
    story.close(conn, Direction::ToServer, End::Rst);
    story
}

const EVERY_SCREEN: [&str; 14] =
    ["1", "2", "2F", "2Fjjjj<Tab>", "vv", "3", "4", "4<Tab>jjG", "J]", "6", "2?", "<Esc>y", "<Esc>/x", "<Enter>1T"];

#[test]
fn hostile_text_is_shown_and_never_sent() {
    let mut evil: Vec<u8> = (0..=0x9f_u32).flat_map(|c| char::from_u32(c).unwrap().to_string().into_bytes()).collect();
    evil.extend("\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}a\u{301}\u{301}".bytes());
    evil.extend(b"\x1b]52;c;aGk=\x07\x1bP\xed\xa0\x80\xff\xc0");
    for size in SIZES {
        let mut app = browser(&hostile_story(&evil), size);
        for keys in EVERY_SCREEN {
            press(&mut app, keys);
            assert_clean(&app, size);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_payload_can_be_looked_at_at_any_size(
        evil in proptest::collection::vec(any::<u8>(), 0..120), width in 0_u16..300, height in 0_u16..100,
    ) {
        let mut app = browser(&hostile_story(&evil), (width, height));
        for keys in EVERY_SCREEN {
            press(&mut app, keys);
            assert_clean(&app, (width, height));
        }
    }

    #[test]
    fn any_keys_can_be_pressed_at_any_size(
        keys in "[1-6a-zG-LNB/?<>{}()#|+=\\[\\] -]{0,40}", sizes in proptest::collection::vec((0_u16..200, 0_u16..60), 1..4),
    ) {
        let mut app = browser(&story::everything(), sizes[0]);
        let keys: Vec<char> = keys.chars().filter(|&c| c != '<').collect();
        for (at, key) in keys.iter().enumerate() {
            press(&mut app, &key.to_string());
            let size = sizes[at % sizes.len()];
            app.resize(size);
            assert_clean(&app, size);
            // The terminal may have another size already.
            assert_clean(&app, sizes[0]);
        }
    }
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
        let mut story = Story::new();
        let conn = story.open(Some("ws://huge.example/"), endpoint(1, 5000), endpoint(2, 80), 0);
        story.upgrade(conn, 101, story::REQUEST, story::RESPONSE);
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

#[test]
fn drafts_are_called_by_their_name() {
    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/hixie.pcap")).unwrap();
    for (name, keys) in [("draft_connection", "1"), ("draft_handshake", "3"), ("draft_bytes", "2jj4")] {
        let mut app = browser_of(file.clone(), WIDE);
        press(&mut app, keys);
        insta::assert_snapshot!(name, picture(&app, WIDE));
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

#[test]
fn the_way_through_proxies_is_told() {
    let mut session = Session::sample(1);
    session.turns[0].1.splice(0..0, *b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n");
    let mut app = browser_of(capture_of(&session.segments()), WIDE);
    press(&mut app, "1");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("client 192.0.2.1:56324"), "{shown}");
    assert!(shown.contains("through PROXY v1 from 10.0.0.1:40001"), "{shown}");
}
