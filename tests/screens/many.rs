//! A list that is made while keys are answered: of many messages.

use super::*;
use wspect::model::{Direction, Opcode};

/// One connection with so many messages, every third from the client, the longer the later.
fn many(messages: u32) -> Story {
    let (mut story, conn) = one_connection();
    for n in 1..=messages {
        let dir = if n % 3 == 0 { Direction::ToServer } else { Direction::ToClient };
        let opcode = if n % 100 == 0 { Opcode::PING } else { Opcode::BINARY };
        story.wait(10).say(conn, dir, opcode, &vec![b'x'; 1 + n as usize / 1000]);
    }
    story
}

/// The number of the message that is looked at.
fn looked_at(app: &App) -> String {
    let shown = picture(app, WIDE);
    let behind = shown.split("─ Message ").nth(1).unwrap_or_else(|| panic!("{shown}"));
    behind.split(' ').next().unwrap().to_owned()
}

/// Whatever is pressed while the rows are picked and sorted, the list is what it is when one waits: the selected message, the one
/// before it, the first and the last.
#[test]
fn a_list_is_the_same_when_one_does_not_wait() {
    let story = many(6000);
    for (keys, expected) in [
        // In the middle, the other direction is hidden: the next one is selected.
        (":3001<Enter>d", ["3003", "3000", "3", "6000"]),
        (":3001<Enter>dd", ["3001", "2999", "1", "5999"]),
        (":3001<Enter>ddd", ["3001", "3000", "1", "6000"]),
        (":3001<Enter>dS", ["3003", "3006", "6000", "3"]),
        // By length, the longest first; of the same length in their order.
        ("ssS", ["1", "1999", "6000", "999"]),
        (":3001<Enter>dssS", ["3003", "3000", "6000", "999"]),
    ] {
        for waits in [false, true] {
            let mut app = browser(&story, WIDE);
            press_and(&mut app, keys, |app| {
                if waits {
                    work(app)
                }
            });
            work(&mut app);
            let seen = ["", "k", "g", "G"].map(|key| {
                press(&mut app, key);
                looked_at(&app)
            });
            assert_eq!(seen, expected, "after {keys}, waiting: {waits}");
        }
    }
}
