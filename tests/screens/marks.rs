//! Marks, comments and exports.

use super::support::craft::*;
use super::*;
use wspect::model::ConnId;
use wspect::tui::{Effect, Marks};

#[test]
fn rows_are_marked_and_commented() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "jm2jm;look at this<Enter>");
    shot("marked", &picture(&app, WIDE));
    let kept = app.take_effects();
    let marks: Marks = [((ConnId(2), None), String::new()), ((ConnId(2), Some(2)), "look at this".to_owned())].into();
    assert_eq!(kept.last(), Some(&Effect::Keep(marks)));
    // What is marked comes back, and alone.
    press(&mut app, "jjj\"");
    assert!(picture(&app, WIDE).contains("; look at this"), "{}", picture(&app, WIDE));
    press(&mut app, "1gM");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("Filter: conn == 2 ") && shown.contains("Connections 1 of 5 shown"), "{shown}");
    press(&mut app, "M");
    assert!(picture(&app, WIDE).contains("Filter: ⟨ none ⟩"));
    // A mark that is taken away takes its comment along.
    press(&mut app, "gj2mm");
    assert!(!picture(&app, WIDE).contains("look at this"));
    press(&mut app, "1gjm'");
    assert!(picture(&app, WIDE).contains("no later mark"));
    press(&mut app, "M");
    assert!(picture(&app, WIDE).contains("Filter: (conn == 2 && msg == 2)"));
}

/// What is marked is counted in messages: all of a connection that is marked, and none of them twice.
#[test]
fn what_is_marked_is_counted() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "gm");
    let all = marked_messages(&mut app);
    press(&mut app, "<Esc>2jm");
    assert_eq!(marked_messages(&mut app), all, "one of them");
    press(&mut app, "<Esc>1gm");
    assert_eq!(marked_messages(&mut app), "1 message");
}

/// How many messages the dialog says that it exports of what is marked.
fn marked_messages(app: &mut App) -> String {
    press(app, "x");
    for _ in 0..6 {
        let shown = picture(app, WIDE);
        if let Some((_, counted)) = shown.split_once("◀ what is marked ▶") {
            return counted.split('┃').next().unwrap().trim().to_owned();
        }
        press(app, "l");
    }
    panic!("{}", picture(app, WIDE));
}

#[test]
fn marks_of_before_are_there() {
    let marks: Marks = [((ConnId(1), Some(3)), "why?".to_owned())].into();
    let mut app = browser_with(Options { marks, ..options() }, &story::everything(), WIDE);
    press(&mut app, "2'");
    let shown = picture(&app, WIDE);
    assert!(shown.contains("; why?") && shown.contains("┃*"), "{shown}");
}

#[test]
fn an_export_is_described() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "2x");
    shot("export", &picture(&app, WIDE));
    press(&mut app, "<Tab>l");
    assert!(
        picture(&app, WIDE).contains("wspect export csv -Y 'conn == 1' -o cap-conn1.csv"),
        "{}",
        picture(&app, WIDE)
    );
    press(&mut app, "<Tab><C-u>some where.csv<Tab>l<Enter>");
    let words = ["export", "csv", "-Y", "conn == 1", "-o", "some where.csv", "--force"].map(str::to_owned).to_vec();
    assert_eq!(app.take_effects(), [Effect::Export(words)]);
    assert!(picture(&app, WIDE).contains("writing some where.csv"));
    // What there is none of is not exported.
    let mut app = browser(&story::everything(), SMALL);
    press(&mut app, "xlllll");
    shot("export_small", &picture(&app, SMALL));
    press(&mut app, "h<Enter>");
    assert!(picture(&app, SMALL).contains("nothing is marked: m marks"), "{}", picture(&app, SMALL));
    assert_eq!(app.take_effects(), []);
}

/// What was written in the capture beside packets stands with what they brought: a head, or any frame of a message.
#[test]
fn comments_of_the_capture_stand_with_what_they_are_about() {
    let mut session = Session::new(1);
    session.parts(Client, TEXT, &[b"one ".to_vec(), b"two ".to_vec(), b"three".to_vec()], false);
    let mut ng = Ng::new(false);
    ng.interface(1, Some(9), None);
    for (at, packet) in packets(&session.segments(), &Wire::default()).iter().enumerate() {
        let comment = ng.option(1, format!("note on {}", at + 1).as_bytes());
        ng.enhanced_with(&comment, 0, packet.time as u64, packet);
    }
    let mut app = browser_of(ng.bytes, SIZES[3]);
    press(&mut app, "l");
    let shown = picture(&app, SIZES[3]);
    assert!(shown.contains("“note on 8” · “note on 10” · “note on 12”"), "{shown}");
    press(&mut app, "3");
    let shown = picture(&app, SIZES[3]);
    assert!(
        shown.contains("“note on 4”") && shown.contains("“note on 6”") && !shown.contains("“note on 5”"),
        "{shown}"
    );
}
