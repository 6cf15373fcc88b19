//! Whatever was sent and whatever is pressed: nothing reaches the terminal that could harm it, and nothing panics.

use super::story::{Odd, endpoint};
use super::*;
use proptest::prelude::*;
use wspect::model::{Direction, End, Hole, NoteCode, Opcode};

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
    let headers = [
        ("Host", text.as_str()),
        (text.as_str(), text.as_str()),
        ("Sec-WebSocket-Protocol", text.as_str()),
        ("Sec-WebSocket-Extensions", "permessage-deflate"),
    ];
    story.upgrade(conn, 101, &headers, &headers);
    for opcode in [Opcode::TEXT, Opcode::BINARY, Opcode::PING, Opcode(3)] {
        story.say(conn, Direction::ToClient, opcode, evil);
    }
    let json = [b"{\"a\":\"", evil, b"\",\"", evil, b"\":[1,", evil, b"]}"].concat();
    story.say(conn, Direction::ToClient, Opcode::TEXT, &json);
    let holes = vec![Hole { offset: 1, len: Some(u64::MAX - 9) }, Hole { offset: u64::MAX - 5, len: None }];
    for dir in Direction::BOTH {
        story.say_oddly(conn, dir, Opcode::TEXT, evil, &Odd { holes: holes.clone(), ..Odd::default() });
    }
    story.note(conn, NoteCode::Utf8Bad, Some(Direction::ToClient), Some(1), &text);
    story.say(conn, Direction::ToServer, Opcode::CLOSE, &[b"\x03\xea", evil].concat());
    story.close(conn, Direction::ToServer, End::Rst);
    story
}

const EVERY_SCREEN: [&str; 26] = [
    "1",
    "2",
    "2F",
    "2Fjjjj<Tab>",
    "vv",
    "3",
    "4",
    "4<Tab>jjG",
    "J]",
    "5]",
    "5s|l[d",
    "5s<Tab>jo(",
    "6",
    "2?",
    "<Esc>y",
    "<Esc>/x",
    "<Enter>1T",
    "Cjahttp.header<C-u>http.request.uri.path<Enter><Enter>",
    "sssssssssS",
    "2c",
    "FG",
    "FgCjajson.a<Enter>awspect.payload<C-u>websocket.payload<Enter><Enter>",
    "sss",
    "gmjVd",
    "&a<Enter>",
    "<Enter><C-p>a",
];

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
        keys in "[1-6a-zA-PR-Z&:;'/?<>{}()#|+=\\[\\] -]{0,40}", sizes in proptest::collection::vec((0_u16..200, 0_u16..60), 1..4),
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
