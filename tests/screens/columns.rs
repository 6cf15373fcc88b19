//! Columns that are chosen: the dialog, fields in the tables, and rows sorted by them.

use super::*;
use wspect::model::{Direction, Opcode};
use wspect::tui::{Effect, Preferences, Table};

fn with_messages(columns: &[&str]) -> Options {
    let messages = Some(columns.iter().map(|&column| column.to_owned()).collect());
    Options { preferences: Preferences { messages, ..Preferences::default() }, ..options() }
}

#[test]
fn columns_are_chosen() {
    check("columns", WIDE, "2C");
    check("columns_narrow", NARROW, "CGKK ");
    check("columns_small", SMALL, "Cjjj");
    check("columns_wrong", NARROW, "2Cajsno.id<Enter>");
    check("columns_of_fields", WIDE, "2zCjjajson.type<Enter>aframe.number<Enter><Enter>");
    check("columns_of_connections", WIDE, "Cjjjajson.x<Enter><C-u>http.request.uri.path<Enter>llllK<Enter>");
}

#[test]
fn what_is_chosen_is_saved_and_comes_again() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, ":save<Enter>");
    assert!(app.take_effects().is_empty());
    assert!(picture(&app, WIDE).contains("the columns are the usual ones"));
    press(&mut app, "2Cjajson.id<Enter>ll<Enter>:save<Enter>");
    let columns = ["no", "json.id:14", "time", "type", "len", "preview"].map(str::to_owned).to_vec();
    assert_eq!(app.take_effects(), [Effect::Save(vec![(Table::Messages, columns.clone())])]);
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut again = browser_with(with_messages(&columns), &story::everything(), WIDE);
    press(&mut again, "2");
    assert_eq!(picture(&again, WIDE), picture(&app, WIDE));
    // A field can be taken out; without any column there are the usual ones.
    press(&mut again, "Cjd<Enter>");
    assert!(!picture(&again, WIDE).contains("json.id"));
    press(&mut again, "C j j j j <Enter>");
    let mut usual = browser(&story::everything(), WIDE);
    press(&mut usual, "2");
    assert_eq!(picture(&again, WIDE), picture(&usual, WIDE));
}

/// A key that does nothing in the dialog leaves the usual columns what they are: they go with the width, and none are saved.
#[test]
fn other_keys_choose_nothing() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "CxzC<Esc>:save<Enter>");
    assert!(app.take_effects().is_empty() && picture(&app, WIDE).contains("the columns are the usual ones"));
}

#[test]
fn tab_completes_the_name_of_a_field() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "2Caframe.nu<Tab><Enter>");
    assert!(picture(&app, WIDE).contains("frame.number"));
}

/// The numbers of the rows, from above.
fn order(app: &App) -> Vec<u64> {
    let shown = picture(app, WIDE);
    let rows = shown.lines().filter(|line| line.contains("text") && line.starts_with('┃'));
    rows.filter_map(|line| line.trim_start_matches(['┃', '▶', ' ']).split(' ').next()?.parse().ok()).collect()
}

#[test]
fn rows_are_sorted_by_a_field() {
    let (mut story, conn) = one_connection();
    for value in ["3", "\"b\"", "20", "null", "1.5", "\"a\""] {
        story.say(conn, Direction::ToClient, Opcode::TEXT, format!("{{\"v\":{value}}}").as_bytes());
    }
    story.say(conn, Direction::ToClient, Opcode::TEXT, b"no JSON");
    let mut app = browser_with(with_messages(&["no", "json.v", "type"]), &story, WIDE);
    press(&mut app, "sss");
    assert_eq!(order(&app)[..3], [5, 1, 3]);
    assert!(picture(&app, WIDE).contains("json.v ▲"));
    press(&mut app, "S");
    let reversed = order(&app);
    assert_eq!(reversed[reversed.len() - 3..], [3, 1, 5]);
    press(&mut app, "s");
    assert_eq!(order(&app), (1..=7).collect::<Vec<_>>());
    // Other columns: what was sorted by is gone, and so is the order.
    press(&mut app, "sssCjd<Enter>");
    assert_eq!(order(&app), (1..=7).collect::<Vec<_>>());
}

/// Many rows are read between keys, and that can be stopped.
#[test]
fn sorting_can_be_stopped() {
    let (mut story, conn) = one_connection();
    let padding = "x".repeat(300);
    for n in 0..40_000_u32 {
        let text = format!("{{\"pad\":\"{padding}\",\"v\":{}}}", n.wrapping_mul(2_654_435_761) % 1000);
        story.say(conn, Direction::ToClient, Opcode::TEXT, text.as_bytes());
    }
    let mut app = browser_with(with_messages(&["no", "json.v", "type"]), &story, WIDE);
    press_and(&mut app, "sss", |_| ());
    assert!(picture(&app, WIDE).contains("sorting "), "{}", picture(&app, WIDE));
    press_and(&mut app, "<C-c>", |_| ());
    assert!(picture(&app, WIDE).contains("sorting stopped") && !app.is_busy());
    assert_eq!(order(&app)[..3], [1, 2, 3]);
    press(&mut app, "sss");
    assert_ne!(order(&app)[..3], [1, 2, 3]);
}

/// What takes long to read is read between keys.
#[test]
fn long_payloads_are_read_between_keys() {
    let (mut story, conn) = one_connection();
    let padding = "[1,2,3,{\"a\":\"b\"}],".repeat(50_000);
    for n in 0..25 {
        let text = format!("{{\"pad\":[{padding}0],\"v\":\"<{n}>\"}}");
        story.say(conn, Direction::ToClient, Opcode::TEXT, text.as_bytes());
    }
    let mut app = browser_with(with_messages(&["no", "json.v"]), &story, WIDE);
    press_and(&mut app, "j", |_| ());
    let shown = |app: &App| (0..25).filter(|n| picture(app, WIDE).contains(&format!("<{n}>"))).count();
    assert!(shown(&app) < 25 && app.is_busy());
    work(&mut app);
    assert_eq!(shown(&app), 25, "{}", picture(&app, WIDE));
}

/// What a field has comes to the screen as harmless as all else.
#[test]
fn hostile_values_are_escaped() {
    let (mut story, conn) = one_connection();
    story.say(conn, Direction::ToClient, Opcode::TEXT, "{\"v\":\"\\u001b[31m\u{202e}x\"}".as_bytes());
    let mut app = browser_with(with_messages(&["no", "json.v:30"]), &story, WIDE);
    press(&mut app, "2");
    assert!(picture(&app, WIDE).contains("\\x1b[31m⟨U+202E⟩x"), "{}", picture(&app, WIDE));
}
