//! A line that is typed.

use super::keys::Key;
use crossterm::event::{KeyCode, KeyEvent};

/// What a key did to the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    /// The line is another one.
    Changed,
    /// Nothing.
    Same,
    /// It is as it should be.
    Done,
    /// It is not wanted any more.
    Dropped,
}

/// Takes a key into a line of at most `max` bytes. To delete the last character of nothing leaves the line.
pub(super) fn take(line: &mut String, max: usize, event: &KeyEvent, key: Key) -> Typed {
    match (event.code, key.character()) {
        (KeyCode::Enter, _) => Typed::Done,
        (KeyCode::Esc, _) | (KeyCode::Char('c'), None) => Typed::Dropped,
        (KeyCode::Char('u'), None) => {
            line.clear();
            Typed::Changed
        }
        (KeyCode::Backspace, _) => match line.pop() {
            Some(_) => Typed::Changed,
            None => Typed::Dropped,
        },
        (_, Some(c)) if line.len() + c.len_utf8() <= max => {
            line.push(c);
            Typed::Changed
        }
        _ => Typed::Same,
    }
}

/// Adds the first line of what was pasted.
pub(super) fn paste(line: &mut String, max: usize, text: &str) {
    for c in text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()) {
        if line.len() + c.len_utf8() > max {
            return;
        }
        line.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyModifiers;

    #[test]
    fn a_line_is_typed_and_left() {
        let mut line = String::new();
        let mut press = |code, modifiers| {
            let event = KeyEvent::new(code, modifiers);
            (take(&mut line, 3, &event, Key::of(&event)), line.clone())
        };
        let (plain, control) = (KeyModifiers::NONE, KeyModifiers::CONTROL);
        assert_eq!(press(KeyCode::Char('c'), plain), (Typed::Changed, "c".to_owned()));
        assert_eq!(press(KeyCode::Char('é'), plain), (Typed::Changed, "cé".to_owned()));
        assert_eq!(press(KeyCode::Char('u'), plain), (Typed::Same, "cé".to_owned()), "three bytes are the most");
        assert_eq!(press(KeyCode::Backspace, plain), (Typed::Changed, "c".to_owned()));
        assert_eq!(press(KeyCode::Char('d'), control), (Typed::Same, "c".to_owned()));
        assert_eq!(press(KeyCode::Enter, plain), (Typed::Done, "c".to_owned()));
        assert_eq!(press(KeyCode::Char('c'), control), (Typed::Dropped, "c".to_owned()));
        assert_eq!(press(KeyCode::Char('u'), control), (Typed::Changed, String::new()));
        assert_eq!(press(KeyCode::Backspace, plain), (Typed::Dropped, String::new()));
    }

    #[test]
    fn of_a_paste_one_line_is_taken_as_far_as_there_is_room() {
        let mut line = "a".to_owned();
        paste(&mut line, 4, "b\x1b\u{e9}c\nd");
        assert_eq!(line, "ab\u{e9}");
    }
}
