//! A line that is typed, with the keys of readline.

use super::keys::Key;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key did to the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    /// The line is another one.
    Changed,
    /// Nothing, or the cursor went elsewhere.
    Same,
    /// It is as it should be.
    Done,
    /// It is not wanted any more.
    Dropped,
}

/// A line and the place where the next character goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Line {
    text: String,
    /// A byte of the text, at the edge of a character.
    cursor: usize,
}

impl Line {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor, and from it on.
    pub(super) fn parts(&self) -> (&str, &str) {
        self.text.split_at_checked(self.cursor).unwrap_or((&self.text, ""))
    }

    pub(super) fn clear(&mut self) {
        self.set("");
    }

    /// Another text, with the cursor behind it.
    pub(super) fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.cursor = text.len();
    }

    /// Puts the cursor there, or behind the last character.
    pub(super) fn go_to(&mut self, at: usize) {
        let edges = (0..=at.min(self.text.len())).rev();
        self.cursor = edges.into_iter().find(|&at| self.text.is_char_boundary(at)).unwrap_or(0);
    }

    /// Replaces what stands there, and puts the cursor behind it.
    pub(super) fn replace(&mut self, span: std::ops::Range<usize>, with: &str) {
        if self.text.get(span.clone()).is_some() {
            self.cursor = span.start + with.len();
            self.text.replace_range(span, with);
        }
    }

    /// Takes a key; the line has at most `max` bytes. To delete the last character of nothing leaves it.
    pub(super) fn take(&mut self, max: usize, event: &KeyEvent, key: Key) -> Typed {
        let (before, behind) = self.parts();
        let (control, alt) =
            (event.modifiers.contains(KeyModifiers::CONTROL), event.modifiers.contains(KeyModifiers::ALT));
        let left = before.char_indices().next_back().map_or(0, |(at, _)| at);
        let right = self.cursor + behind.chars().next().map_or(0, char::len_utf8);
        match event.code {
            KeyCode::Enter => Typed::Done,
            KeyCode::Esc => Typed::Dropped,
            KeyCode::Char('c') if control => Typed::Dropped,
            KeyCode::Backspace if self.text.is_empty() => Typed::Dropped,
            KeyCode::Backspace if alt => self.cut(word_before(before), self.cursor),
            KeyCode::Backspace => self.cut(left, self.cursor),
            KeyCode::Char('h') if control => self.cut(left, self.cursor),
            KeyCode::Delete => self.cut(self.cursor, right),
            KeyCode::Char('d') if control => self.cut(self.cursor, right),
            KeyCode::Char('u') if control => self.cut(0, self.cursor),
            KeyCode::Char('k') if control => self.cut(self.cursor, self.text.len()),
            KeyCode::Char('w') if control => self.cut(word_before(before), self.cursor),
            KeyCode::Home => self.moved(0),
            KeyCode::End => self.moved(self.text.len()),
            KeyCode::Char('a') if control => self.moved(0),
            KeyCode::Char('e') if control => self.moved(self.text.len()),
            KeyCode::Left if control || alt => self.moved(word_before(before)),
            KeyCode::Right if control || alt => self.moved(self.cursor + word_behind(behind)),
            KeyCode::Char('b') if alt => self.moved(word_before(before)),
            KeyCode::Char('f') if alt => self.moved(self.cursor + word_behind(behind)),
            KeyCode::Left => self.moved(left),
            KeyCode::Right => self.moved(right),
            KeyCode::Char('b') if control => self.moved(left),
            KeyCode::Char('f') if control => self.moved(right),
            _ => match key.character() {
                Some(c) if self.text.len() + c.len_utf8() <= max => {
                    self.text.insert(self.cursor, c);
                    self.cursor += c.len_utf8();
                    Typed::Changed
                }
                _ => Typed::Same,
            },
        }
    }

    fn moved(&mut self, to: usize) -> Typed {
        self.cursor = to;
        Typed::Same
    }

    fn cut(&mut self, from: usize, to: usize) -> Typed {
        if from >= to {
            return Typed::Same;
        }
        self.replace(from..to, "");
        Typed::Changed
    }

    /// Adds the first line of what was pasted, as far as there is room.
    pub(super) fn paste(&mut self, max: usize, text: &str) {
        for c in text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()) {
            if self.text.len() + c.len_utf8() > max {
                return;
            }
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }
}

/// Where the word begins that the text ends with, blanks behind it included.
fn word_before(text: &str) -> usize {
    let word = text.trim_end();
    word.rfind(char::is_whitespace)
        .map_or(0, |at| at + word.get(at..).and_then(|it| it.chars().next()).map_or(1, char::len_utf8))
}

/// Where the word ends that the text begins with, blanks before it included.
fn word_behind(text: &str) -> usize {
    let word = text.trim_start();
    let blanks = text.len() - word.len();
    blanks + word.find(char::is_whitespace).unwrap_or(word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Presses keys: characters, and with control in brackets.
    fn typed(line: &mut Line, max: usize, keys: &str) -> Typed {
        let mut last = Typed::Same;
        let mut rest = keys.chars();
        while let Some(c) = rest.next() {
            let (code, modifiers) = match c {
                '<' => (KeyCode::Char(rest.next().unwrap()), KeyModifiers::CONTROL),
                '{' => (KeyCode::Char(rest.next().unwrap()), KeyModifiers::ALT),
                '\u{8}' => (KeyCode::Backspace, KeyModifiers::NONE),
                '\n' => (KeyCode::Enter, KeyModifiers::NONE),
                c => (KeyCode::Char(c), KeyModifiers::NONE),
            };
            let event = KeyEvent::new(code, modifiers);
            last = line.take(max, &event, Key::of(&event));
        }
        last
    }

    #[test]
    fn a_line_is_typed_and_left() {
        let mut line = Line::default();
        let mut press = |keys: &str| (typed(&mut line, 3, keys), line.as_str().to_owned());
        assert_eq!(press("c"), (Typed::Changed, "c".to_owned()));
        assert_eq!(press("é"), (Typed::Changed, "cé".to_owned()));
        assert_eq!(press("u"), (Typed::Same, "cé".to_owned()), "three bytes are the most");
        assert_eq!(press("\u{8}"), (Typed::Changed, "c".to_owned()));
        assert_eq!(press("\n"), (Typed::Done, "c".to_owned()));
        assert_eq!(press("<c"), (Typed::Dropped, "c".to_owned()));
        assert_eq!(press("<u"), (Typed::Changed, String::new()));
        assert_eq!(press("\u{8}"), (Typed::Dropped, String::new()));
    }

    #[test]
    fn it_is_edited_as_a_shell_edits() {
        let edited = |text: &str, keys: &str| {
            let mut line = Line::default();
            line.set(text);
            typed(&mut line, 100, keys);
            let (before, behind) = line.parts();
            format!("{before}|{behind}")
        };
        for (keys, expected) in [
            ("<a", "|len > 5 é"),
            ("<ax", "x|len > 5 é"),
            ("<b<b<d", "len > 5|é"),
            ("<w", "len > 5 |"),
            ("{b{b<k", "len > |"),
            ("<a{f<u", "| > 5 é"),
            ("<a<f<h", "|en > 5 é"),
            ("<a<e", "len > 5 é|"),
            ("<a<b<b\u{8}", "|len > 5 é"),
            ("<d", "len > 5 é|"),
        ] {
            assert_eq!(edited("len > 5 é", keys), expected, "{keys}");
        }
    }

    #[test]
    fn of_a_paste_one_line_is_taken_as_far_as_there_is_room() {
        let mut line = Line::default();
        line.set("a");
        line.paste(4, "b\x1b\u{e9}c\nd");
        assert_eq!(line.as_str(), "ab\u{e9}");
        line.replace(1..2, "xyz");
        assert_eq!(line.parts(), ("axyz", "\u{e9}"));
    }
}
