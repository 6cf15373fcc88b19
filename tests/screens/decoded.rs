//! What messages say: previews, trees, what belongs together, heartbeats, counts of events, and what the user says of it.

use super::*;
use std::collections::HashMap;
use wspect::decode::{Decoder, Schema, SchemaFile, Speaker};
use wspect::model::{Direction, Opcode};
use wspect::tui::Preferences;

/// A real conversation over Socket.IO.
fn socket_io(size: (u16, u16)) -> App {
    let mut app = browser_of(std::fs::read("tests/data/app_sio4.pcapng").unwrap(), size);
    press(&mut app, "2");
    app
}

fn check_socket(name: &str, size: (u16, u16), keys: &str) {
    let mut app = socket_io(size);
    press(&mut app, keys);
    shot(name, &picture(&app, size));
}

#[test]
fn what_messages_say_is_shown() {
    check_socket("decoded", WIDE, "jjj");
    check_socket("decoded_narrow", NARROW, "jjj");
    check_socket("decoded_conversation", NARROW, "F");
    check_socket("decoded_ladder", WIDE, "F F");
    check_socket("decoded_stats", WIDE, "5<Tab><Tab><Tab>G");
}

/// What stands on the connection behind a message: the namespaces, and what waits for an answer; where nothing does there is no such tab.
#[test]
fn what_stands_behind_a_message_is_a_tab_of_its_own() {
    check_socket("decoded_state", WIDE, "jjjjjjjvvvv");
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "2jjj");
    assert!(!picture(&app, WIDE).contains(" State "), "{}", picture(&app, WIDE));
}

/// The payload is a key away, in the list and beside it.
#[test]
fn payloads_are_never_hidden() {
    let mut app = socket_io(WIDE);
    press(&mut app, "jjjj");
    assert!(picture(&app, WIDE).contains("[Decoded] Text Hex Raw State"), "{}", picture(&app, WIDE));
    press(&mut app, "kv");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("welcome [{\"ns\"") && shown.contains("│42[\"welcome\",{\"ns\":\"/\""), "{shown}");
    press(&mut app, "u");
    assert!(picture(&app, WIDE).contains(" 42[\"welcome\",{\"ns"), "{}", picture(&app, WIDE));
    press(&mut app, "u");
    assert!(!picture(&app, WIDE).contains(" 42[\"welcome\",{\"ns"));
}

/// JSON has one tree, whatever decoder knows what it means.
#[test]
fn a_payload_that_is_json_has_one_tree() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "2jjj");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("[Tree] Text Hex Raw ") && shown.contains("graphql-transport-ws error id 42"), "{shown}");
}

#[test]
fn heartbeats_of_protocols_are_hidden() {
    let mut app = socket_io(WIDE);
    let beats = |app: &App| {
        let beat = |line: &&str| {
            line.split('┃').nth(1).is_some_and(|row| row.trim().ends_with(" ping") || row.trim().ends_with(" pong"))
        };
        picture(app, WIDE).lines().filter(beat).count()
    };
    assert_eq!(beats(&app), 4, "{}", picture(&app, WIDE));
    press(&mut app, "p");
    assert_eq!(beats(&app), 0, "{}", picture(&app, WIDE));
    assert!(picture(&app, WIDE).contains("heartbeats hidden (p)"));
    press(&mut app, "p");
    assert_eq!(beats(&app), 4);
}

#[test]
fn replies_and_requests_lead_to_each_other() {
    let mut app = socket_io(WIDE);
    let selected = |app: &App| picture(app, WIDE).lines().find(|line| line.starts_with("┃▶")).unwrap().to_owned();
    press(&mut app, "jjjjjjj");
    assert!(selected(&app).contains("sum #0 [1,1]"), "{}", picture(&app, WIDE));
    assert!(picture(&app, WIDE).contains("related: ← #11 "), "{}", picture(&app, WIDE));
    press(&mut app, "r");
    assert!(selected(&app).contains("ACK #0 [2"), "{}", picture(&app, WIDE));
    assert!(picture(&app, WIDE).contains("related: → #8 sum (18.3 ms)"), "{}", picture(&app, WIDE));
    press(&mut app, "r");
    assert!(selected(&app).contains("sum #0 [1,1]"));
    // What belongs to nothing says so.
    press(&mut app, "jr");
    assert!(picture(&app, WIDE).contains("nothing belongs to this message"));
}

/// A value of the tree is a filter, and a filter of what messages say finds them.
#[test]
fn values_of_the_tree_are_filters() {
    let mut app = socket_io(WIDE);
    press(&mut app, "jjj<Tab>jjjjj");
    assert!(picture(&app, WIDE).contains("bytes 13…"), "{}", picture(&app, WIDE));
    press(&mut app, "kka");
    let shown = picture(&app, WIDE);
    assert!(
        shown.contains("Filter: decoded.data.\"event\" == \"welcome\"") && shown.contains("1 of 44 messages"),
        "{shown}"
    );
    press(&mut app, "f<C-u>event == sum<Enter>");
    assert!(picture(&app, WIDE).contains("2 of 44 messages"), "{}", picture(&app, WIDE));
}

#[test]
fn connections_are_decoded_as_the_user_says() {
    let mut app = socket_io(WIDE);
    press(&mut app, "jjjD");
    assert!(picture(&app, WIDE).contains(":decode conn==1,socket.io"), "{}", picture(&app, WIDE));
    press(&mut app, "<Esc>:decode conn==1,ocpp<Enter>");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("conn==1: as ocpp from now on"), "{shown}");
    // What ocpp does not understand is shown as it is.
    assert!(shown.contains(" 42[\"welcome\"") && shown.contains("[Text] Hex Raw"), "{shown}");
    assert!(app.take_effects().is_empty(), "nothing is read again");
    for (rule, why) in [("conn==1,sockt.io", "did you mean socket.io?"), ("cnn==1,json", "unknown field `cnn`")] {
        press(&mut app, &format!(":decode {rule}<Enter>"));
        assert!(picture(&app, WIDE).contains(why), "{}", picture(&app, WIDE));
    }
    press(&mut app, ":decode conn==1,socket.io<Enter>");
    assert!(picture(&app, WIDE).contains("welcome [{\"ns\""), "{}", picture(&app, WIDE));
    // An export decodes so as well, the last rule first.
    press(&mut app, "x");
    assert!(picture(&app, WIDE).contains("conn==1,socket.io"), "{}", picture(&app, WIDE));
}

/// The types of a schema hold for all connections, and others for those of which the user says so.
#[test]
fn messages_have_the_types_of_a_schema() {
    let bytes = std::fs::read("tests/data/proto/chat.desc").unwrap();
    let file = SchemaFile { name: "chat.desc".to_owned(), bytes };
    let schema = Schema::read(vec![(file, None)], &mut |_, _| Ok(None)).unwrap();
    let speaks = vec![("conn".to_owned(), Speaker::Typed(schema))];
    let capture = std::fs::read("tests/data/proto.pcap").unwrap();
    let mut app = browser_so(Options { speaks, ..options() }, capture, WIDE);
    press(&mut app, "2jj");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("protobuf say") && shown.contains("answer_to: \"m7\""), "{shown}");
    press(&mut app, "f<C-u>decoded.data.say.level == NORMAL<Enter>");
    assert!(picture(&app, WIDE).contains("1 of 54 messages"), "{}", picture(&app, WIDE));
    press(&mut app, "f<C-u><Enter>:decode conn==1,protobuf:Said<Enter>");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("as protobuf:Said from now on") && !shown.contains("chat.Request"), "{shown}");
    press(&mut app, ":decode conn==1,protobuf:Sad<Enter>");
    assert!(picture(&app, WIDE).contains("did you mean"), "{}", picture(&app, WIDE));
}

/// The numbers and texts of the rows that are shown.
fn rows(app: &App) -> HashMap<u64, String> {
    let shown = picture(app, NARROW);
    let row = |line: &str| {
        let row = line.strip_prefix('┃')?.trim_start_matches(['▶', ' ']).trim_end_matches(['┃', ' ']).to_owned();
        Some((row.split(' ').next()?.parse().ok()?, row))
    };
    shown.lines().filter_map(row).collect()
}

/// Reads a conversation that speaks this from its beginning to its end, then goes about in it: wherever one goes, each message says what it
/// does when all are heard in order. Gives what they say.
fn heard_anywhere(story: &Story, decoder: &str, messages: u64, places: &[u64]) -> HashMap<u64, String> {
    let columns = ["no", "event", "asked:8", "reply", "preview"].map(str::to_owned).to_vec();
    let preferences = Preferences { messages: Some(columns), ..Preferences::default() };
    // Something else was agreed on.
    let speaks = vec![("conn == 1".to_owned(), Speaker::Ours(Decoder::find(decoder).unwrap()))];
    let mut app = browser_with(Options { preferences, speaks, ..options() }, story, NARROW);
    let mut known: HashMap<u64, String> = HashMap::new();
    press(&mut app, "2z");
    for page in 0..=messages / 10 {
        press(&mut app, &format!(":{}<Enter>", page * 10 + 1));
        known.extend(rows(&app));
    }
    assert!(known.len() as u64 + 2 > messages, "{} of {messages}", known.len());
    for place in places {
        press(&mut app, &format!(":{place}<Enter>"));
        let shown = rows(&app);
        assert!(shown.len() > 10);
        for (number, row) in shown {
            assert_eq!(known.get(&number), Some(&row), "{number}");
        }
    }
    known
}

const PLACES: [u64; 12] = [2700, 5, 1400, 300, 255, 256, 257, 2200, 1, 770, 500, 2102];

#[test]
fn any_message_can_be_heard_at_any_time() {
    let (mut story, conn) = one_connection();
    story.say(conn, Direction::ToClient, Opcode::TEXT, br#"0{"sid":"a","pingInterval":25000,"pingTimeout":5000}"#);
    story.say(conn, Direction::ToServer, Opcode::TEXT, b"40");
    for n in 0..700 {
        story.say(conn, Direction::ToServer, Opcode::TEXT, format!("42{n}[\"ask\",{n}]").as_bytes());
        let event = format!("451-[\"img\",{{\"_placeholder\":true,\"num\":0}},{n}]");
        story.say(conn, Direction::ToClient, Opcode::TEXT, event.as_bytes());
        story.say(conn, Direction::ToClient, Opcode::BINARY, &[7; 3]);
    }
    for n in 0..700 {
        story.say(conn, Direction::ToClient, Opcode::TEXT, format!("43{n}[\"yes\"]").as_bytes());
    }
    let known = heard_anywhere(&story, "socket.io", 2802, &PLACES);
    assert!(known[&2103].contains(" ask") && known[&2103].contains(" 3 ACK #0 [\"yes\"]"), "{}", known[&2103]);
    assert!(known[&5].contains("attachment 1 of 1: img"), "{}", known[&5]);
}

/// Several replies in one message, whose requests are far away, near, and nowhere.
#[test]
fn batches_are_heard_at_any_time() {
    let (mut story, conn) = one_connection();
    for n in 0..1400 {
        let ask = format!(r#"{{"jsonrpc":"2.0","id":{n},"method":"m{n}"}}"#);
        story.say(conn, Direction::ToServer, Opcode::TEXT, ask.as_bytes());
        let answer = |id| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":1}}"#);
        let batch = [9999 + n, n / 2, n].map(answer).join(",");
        story.say(conn, Direction::ToClient, Opcode::TEXT, format!("[{batch}]").as_bytes());
    }
    let known = heard_anywhere(&story, "json-rpc", 2800, &PLACES);
    // One that was answered before is not asked any more.
    assert!(known[&2800].contains(" m1399 ") && known[&2800].contains(" 2799 "), "{}", known[&2800]);
}

/// What a decoder keeps of much that was said, and messages that are large.
#[test]
fn large_messages_are_heard_at_any_time() {
    let (mut story, conn) = one_connection();
    story.say(conn, Direction::ToClient, Opcode::TEXT, br#"0{"sid":"a","pingInterval":25000,"pingTimeout":5000}"#);
    for n in 0..40 {
        let event = format!("451-[\"img\",{{\"_placeholder\":true,\"num\":0}},{n}]");
        story.say(conn, Direction::ToClient, Opcode::TEXT, event.as_bytes());
        story.say(conn, Direction::ToClient, Opcode::BINARY, &vec![7; 300_000 + 50_000 * (n % 20)]);
    }
    let known = heard_anywhere(&story, "socket.io", 81, &[70, 3, 50, 31, 62, 1]);
    assert!(known[&3].contains("attachment 1 of 1: img"), "{}", known[&3]);
    // 1 250 000 bytes are more than the browser decodes.
    assert!(!known[&41].contains("attachment"), "{}", known[&41]);
}

/// What was asked of messages before is asked again.
#[test]
fn what_is_decoded_anew_is_filtered_sorted_and_hidden_anew() {
    let mut app = socket_io(WIDE);
    press(&mut app, "fevent == welcome<Enter>");
    assert!(picture(&app, WIDE).contains("1 of 44 messages"), "{}", picture(&app, WIDE));
    press(&mut app, ":decode conn==1,ocpp<Enter>");
    assert!(picture(&app, WIDE).contains("0 of 44 messages"), "{}", picture(&app, WIDE));
    let mut app = socket_io(WIDE);
    press(&mut app, "p");
    assert!(!picture(&app, WIDE).contains("#5 "));
    let count = |app: &App| picture(app, WIDE).lines().filter(|line| line.contains(" text ")).count();
    let hidden = count(&app);
    press(&mut app, ":decode conn==1,ocpp<Enter>");
    assert_eq!(count(&app), hidden + 4, "{}", picture(&app, WIDE));
}

/// Whoever goes elsewhere while messages are heard has nothing run on without end.
#[test]
fn hearing_ends_wherever_one_goes() {
    let (mut story, conn) = one_connection();
    for n in 0..60_000 {
        story.say(conn, Direction::ToServer, Opcode::TEXT, format!("42[\"event{}\",{n}]", n % 7).as_bytes());
    }
    let columns = Some(["no", "event", "preview"].map(str::to_owned).to_vec());
    let preferences = Preferences { messages: columns, ..Preferences::default() };
    let speaks = vec![("conn == 1".to_owned(), Speaker::Ours(Decoder::find("socket.io").unwrap()))];
    let options = Options { preferences, speaks, ..options() };
    for keys in ["2pG5", "2pG1", "2ssss", "2sssss", "2sssF", "2sssF2", "2G36"] {
        let mut app = browser_with(options.clone(), &story, WIDE);
        press_and(&mut app, keys, |_| ());
        work(&mut app);
        assert!(!app.is_busy(), "{keys}");
    }
}
