//! A list of keys, a picture: every screen, view, overlay and arrangement.

use super::story::Odd;
use super::*;
use crate::support::craft::*;
use wspect::model::{Direction, NoteCode, Opcode};

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

#[test]
fn stats() {
    snapshot("stats", "5)");
}

#[test]
fn stats_of_another_scope_metric_and_direction() {
    check("stats_connection", WIDE, "5ssll");
    check("stats_host_messages", NARROW, "5so");
    check("stats_one_direction", NARROW, "5dd");
    check("stats_long_bins", WIDE, "5]]ooG");
    check("stats_short_bins", NARROW, "5[[[G");
    check("stats_stacked", WIDE, "5|");
    check("stats_sizes_alone", SMALL, "5<Tab>");
    check("stats_round_trips_alone", SMALL, "5<Tab><Tab>");
    check("stats_nothing_said", NARROW, "G5ss");
}

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
        ("deflate_inflated", "2<Enter>]]<Tab><Tab>"),
        ("deflate_not_kept", "2j<Enter>"),
        ("deflate_undecoded", "2jj<Enter>]"),
    ] {
        let mut app = browser(&story::compressed(), WIDE);
        press(&mut app, keys);
        shot(name, &picture(&app, WIDE));
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

/// Text that is read from right to left stays in the order in which it was sent, and a mark says so.
#[test]
fn text_from_right_to_left_is_marked() {
    for (text, marked) in [("shalom שלום world", true), ("salam سلام", true), ("hello 雨 é", false)] {
        let (mut story, conn) = one_connection();
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
    shot("times", &out);
}

#[test]
fn opens_on_the_messages_of_a_single_connection() {
    let (mut story, conn) = one_connection();
    story.say(conn, Direction::ToServer, Opcode::TEXT, b"alone");
    let app = browser(&story, NARROW);
    shot("single", &picture(&app, NARROW));
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
        shot(&format!("loading@{}x{}", size.0, size.1), &picture(&app, size));
    }
}

#[test]
fn a_small_screen_says_so() {
    let app = browser(&story::everything(), (32, 8));
    shot("too_small", &picture(&app, (32, 8)));
}

#[test]
fn drafts_are_called_by_their_name() {
    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/hixie.pcap")).unwrap();
    for (name, keys) in [("draft_connection", "1"), ("draft_handshake", "3"), ("draft_bytes", "2jj4")] {
        let mut app = browser_of(file.clone(), WIDE);
        press(&mut app, keys);
        shot(name, &picture(&app, WIDE));
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

/// A message that goes on from what was lost says that its beginning is missing, and not its end.
#[test]
fn a_lost_beginning_is_called_so() {
    let (mut story, conn) = one_connection();
    story.say(conn, Direction::ToClient, Opcode::CONTINUATION, b"and so it ends");
    let unasked = Odd { findings: vec![NoteCode::WsContinuation], ..Odd::default() };
    story.say_oddly(conn, Direction::ToClient, Opcode::CONTINUATION, b"nothing to go on from", &unasked);
    let mut app = browser(&story, WIDE);
    press(&mut app, "2");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("│⋯ incomplete: its beginning was not captured"), "{shown}");
    press(&mut app, "j");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("│✗ WS-CONTINUATION: a continuation frame has no "), "{shown}");
}

/// However many findings a message has, those for which there is no room are counted.
#[test]
fn findings_without_room_are_counted() {
    let (mut story, conn) = one_connection();
    let findings =
        vec![NoteCode::WsRsv, NoteCode::Utf8Bad, NoteCode::WsUnmasked, NoteCode::WsInterleaved, NoteCode::WsLength];
    let odd = Odd { findings, ..Odd::default() };
    story.say_oddly(conn, Direction::ToServer, Opcode::TEXT, b"what a mess", &odd);
    for (name, size, keys) in
        [("crowded_wide", WIDE, "2"), ("crowded_narrow", NARROW, "2"), ("crowded_bytes", NARROW, "4")]
    {
        let mut app = browser(&story, size);
        press(&mut app, keys);
        let shown = picture(&app, size);
        assert!(shown.lines().any(|line| line.contains("✗ ") && line.contains(" more")), "{shown}");
        shot(name, &shown);
    }
}

/// However a list is sorted, the time before a message is that since the one that was sent before it.
#[test]
fn times_apart_stay_when_a_list_is_sorted() {
    let mut app = browser(&story::everything(), WIDE);
    let apart = |app: &App| {
        let picture = picture(app, WIDE);
        let rows = picture.lines().skip(4).take(13).map(|line| line.chars().skip(2).take(16).collect::<String>());
        let mut rows: Vec<_> = rows.collect();
        rows.sort();
        rows
    };
    press(&mut app, "2");
    let in_order = apart(&app);
    press(&mut app, "s");
    assert!(picture(&app, WIDE).contains("type ▲"));
    assert_eq!(apart(&app), in_order);
    press(&mut app, "sS");
    assert_eq!(apart(&app), in_order);
}

/// However long the offsets, no byte and no character is cut off.
#[test]
fn long_dumps_are_not_cut() {
    for (len, sizes) in [(0x1_0000, [SMALL, NARROW, WIDE]), (0x10_0000, [SMALL, NARROW, WIDE])] {
        let (mut story, conn) = one_connection();
        story.say(conn, Direction::ToClient, Opcode::BINARY, &vec![b'x'; len]);
        for size in sizes {
            for keys in ["2<Tab>zG", "4<Tab>zG"] {
                let mut app = browser(&story, size);
                press(&mut app, keys);
                let shown = picture(&app, size);
                let row = shown.lines().find(|line| line.contains(" 78 78")).unwrap();
                let bytes = row.matches(" 78").count() + row.matches("▐78").count();
                assert_eq!(row.matches('x').count(), bytes, "{shown}");
            }
        }
    }
}
