//! The ladder: what went between a client and its servers, downwards in time.

use super::story::Odd;
use super::*;
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use wspect::model::{Direction, End, NoteCode, Opcode, PacketNo, Wait, WaitCause};

#[test]
fn ladders() {
    snapshot("ladder", "2jjjFF");
    check("ladder_end", NARROW, "2FFG");
    check("ladder_of_client", WIDE, "2FFc");
    check("ladder_of_client_narrow", NARROW, "2FFcG");
    check("ladder_zoomed", WIDE, "2FFcz");
    check("ladder_refused", NARROW, "jj2FF");
    check("list_of_client", WIDE, "2c");
    check("chat_of_client", NARROW, "2Fc");
}

/// What held a message up, and what was lost between messages, stand beside them.
#[test]
fn trouble_has_rows_of_its_own() {
    let (mut story, conn) = one_connection();
    story.say(conn, Direction::ToServer, Opcode::TEXT, b"before");
    let waited = Some(Wait { nanos: 812_000_000, cause: WaitCause::Retransmission, packet: PacketNo(9), of: None });
    story.wait(812_000);
    story.say_oddly(conn, Direction::ToClient, Opcode::TEXT, b"late", &Odd { waited, ..Odd::default() });
    story.note(conn, NoteCode::TcpGap, Some(Direction::ToClient), None, "2 920 bytes were never captured.");
    story.wait(2_500_000).close(conn, Direction::ToClient, End::Rst);
    let mut app = browser(&story, NARROW);
    press(&mut app, "FF");
    let shown = picture(&app, NARROW);
    let lines =
        ["GET /socket", "101 Switching", "before", "TCP-GAP  2 920 bytes", "waited 812 ms", "late", "2.5s", "TCP RST"];
    let at = lines.map(|words| shown.lines().position(|line| line.contains(words)));
    assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{at:?}\n{shown}");
}

/// A message may be known to have waited only when it was told long ago: then what is shown, and what passes the filter, follows.
#[test]
fn what_waited_may_be_known_later() {
    let (mut story, conn) = one_connection();
    let plain = story.say(conn, Direction::ToServer, Opcode::TEXT, b"plain");
    let odd = Odd { rtt: Some(5), ..Odd::default() };
    let rare = story.say_oddly(conn, Direction::ToServer, Opcode::PONG, b"rare", &odd);
    story.say(conn, Direction::ToServer, Opcode::TEXT, b"other");
    let mut app = browser(&story, WIDE);
    press(&mut app, "2f");
    press(&mut app, "wspect.waited > 1ms<Enter>");
    assert!(picture(&app, WIDE).contains("0 of 3"), "{}", picture(&app, WIDE));
    let known = story.events();
    for (msg, nanos) in [(plain, 812_000_000), (plain, 4_000_000), (rare, 5_000_000)] {
        let (packet, of) = (PacketNo(4500), Some(PacketNo(4411)));
        story.resent(conn, msg, Direction::ToServer, Wait { nanos, cause: WaitCause::Retransmission, packet, of });
    }
    for batch in story.batches_after(known) {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    press(&mut app, "gg");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("plain") && shown.contains("rare") && !shown.contains("other"), "{shown}");
    for words in ["waited 812 ms", "retransmission of packet 4411 in packet 4500"] {
        assert!(shown.contains(words), "{shown}");
    }
    press(&mut app, "FF");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("waited 812 ms: retransmission of packet 4411"), "{shown}");
    assert!(shown.contains("waited 5.0 ms"), "{shown}");
}

/// Of several connections the one of the selected message is looked at, and what is looked at has its message selected.
#[test]
fn a_ladder_of_several_connections_follows_the_message() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "2FFcG");
    let last = picture(&app, WIDE);
    press(&mut app, "g");
    let first = picture(&app, WIDE);
    assert!(first.contains("conn 1 of 5") && last.contains("conn 2 of 5"), "{first}{last}");
    press(&mut app, "}");
    let other = picture(&app, WIDE);
    assert!(other.contains("conn 2 of 5") && other.contains("connections 1, 2 of 10.0.0.1"), "{other}");
    assert!(other.lines().any(|line| line.contains("┃▶") && line.contains("#1 binary 5")), "{other}");
    press(&mut app, "<Enter>");
    assert!(picture(&app, WIDE).contains("Binary (2)"));
    press(&mut app, "q{");
    assert!(picture(&app, WIDE).contains("conn 1 of 5"));
    // Alone again.
    press(&mut app, "c");
    let alone = picture(&app, WIDE);
    assert!(alone.contains("connection 1 ws://chat.example/socket"), "{alone}");
    press(&mut app, "}}c");
    assert!(picture(&app, WIDE).contains("the client has no other connection"));
}

/// Wherever the user goes, the selected message is in view, and at both ends so is what came before and after.
#[test]
fn the_selected_message_is_always_in_view() {
    let (mut story, conn) = one_connection();
    for n in 0..60_u8 {
        story.wait(if n % 3 == 0 { 1_500_000 } else { 1_000 });
        story.say(conn, Direction::ToClient, Opcode::TEXT, format!("<{n}>").as_bytes());
    }
    story.wait(3_000_000).close(conn, Direction::ToServer, End::Fin);
    for size in [WIDE, NARROW, SMALL] {
        let mut app = browser(&story, size);
        press(&mut app, "FF");
        let mut number = 1_i32;
        for key in ["j"; 59].iter().chain(&["k"; 20]).chain(&["j"; 5]) {
            press(&mut app, key);
            number += if *key == "j" { 1 } else { -1 };
            let shown = picture(&app, size);
            let selected =
                shown.lines().find(|line| line.contains("┃▶")).unwrap_or_else(|| panic!("{number}: {shown}"));
            assert!(selected.contains(&format!("#{number} text")), "{number}: {shown}");
        }
        press(&mut app, "G");
        assert!(picture(&app, size).contains("TCP FIN"));
        press(&mut app, "g");
        assert!(picture(&app, size).contains("GET /socket"));
        // Pages leave out no message.
        let mut seen = String::new();
        for _ in 0..60 {
            seen.push_str(&picture(&app, size));
            press(&mut app, "<C-f>");
        }
        assert!((0..60).all(|n| seen.contains(&format!("<{n}>"))), "{size:?}");
    }
}

/// What came in while the browser reads moves nothing.
#[test]
fn a_ladder_that_grows_stays_where_it_is() {
    let (mut story, conn) = one_connection();
    for n in 0..50 {
        story.wait(400_000).say(conn, Direction::ToClient, Opcode::TEXT, format!("tick {n}").as_bytes());
    }
    let mut app = App::new(options(), NARROW);
    for batch in story.batches() {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    app.settle();
    press(&mut app, "2FFc<C-d><C-d>j");
    let rows = |app: &App| picture(app, NARROW).lines().skip(2).take(10).map(str::to_owned).collect::<Vec<_>>();
    let before = rows(&app);
    let known = story.events();
    let other = story.open(Some("ws://two.example/"), story::endpoint(1, 5001), story::endpoint(2, 81), 1);
    story.say(other, Direction::ToServer, Opcode::TEXT, b"from the other one");
    for n in 0..500 {
        story.wait(1_000).say(conn, Direction::ToServer, Opcode::TEXT, format!("tock {n}").as_bytes());
    }
    for batch in story.batches_after(known) {
        app.take(Loading::Batch(batch), Duration::ZERO);
        app.settle();
    }
    let messages = |rows: &[String]| {
        rows.iter().filter_map(|row| Some(row.split_once('#')?.1[..12].to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(messages(&before)[1..], messages(&rows(&app))[1..], "the head of the pane names the new connection");
    app.take(Loading::Done(Outcome::default()), Duration::ZERO);
    app.settle();
    press(&mut app, "G");
    let shown = picture(&app, NARROW);
    assert!(shown.contains("conns 1, 2 of 10.0.0.1"), "{shown}");
}

#[test]
fn a_click_selects_an_arrow() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "2FF");
    let mut click = |row| {
        let kind = MouseEventKind::Down(MouseButton::Left);
        app.event(&Event::Mouse(MouseEvent { kind, column: 30, row, modifiers: KeyModifiers::NONE }));
        picture(&app, WIDE)
    };
    assert!(click(8).contains("Message 3"));
    assert!(click(5).contains("Message 3"), "a handshake is no message");
    assert!(click(3).contains("Message 3"), "nor is the head");
}
