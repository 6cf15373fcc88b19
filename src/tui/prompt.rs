//! The line behind `:`: what was typed there before, and what may come next in it.

use super::command::{COMMANDS, STREAMS};
use super::input::{Line, Typed};
use super::keys::Key;
use super::names::NAMES;
use super::theme::ThemeName;
use crate::decode::DECODERS;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fs;

/// Bytes of a command: a path may be long.
const MAX_COMMAND: usize = 4096;

/// Commands that are remembered.
const PAST: usize = 200;

/// Entries of a directory that are looked at.
const ENTRIES: usize = 10_000;

/// The line, and what helps to type it.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    pub(super) line: Line,
    /// Commands that were run, the last one last, and which of them stands in the line.
    past: Vec<String>,
    recalled: Option<usize>,
    /// What Tab goes through.
    offers: Option<Offers>,
}

/// Words for a place in the line.
#[derive(Debug)]
struct Offers {
    /// Where the word begins.
    start: usize,
    words: Vec<String>,
    chosen: usize,
}

impl Prompt {
    /// Begins with that text.
    pub(super) fn begin(&mut self, text: &str) {
        self.line.set(text);
        (self.recalled, self.offers) = (None, None);
    }

    /// Takes a key.
    pub(super) fn take(&mut self, event: &KeyEvent, key: Key) -> Typed {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        match event.code {
            KeyCode::Tab => return self.complete(true),
            KeyCode::BackTab => return self.complete(false),
            KeyCode::Up => return self.recall(false),
            KeyCode::Down => return self.recall(true),
            KeyCode::Char('p') if control => return self.recall(false),
            KeyCode::Char('n') if control => return self.recall(true),
            _ => {}
        }
        let typed = self.line.take(MAX_COMMAND, event, key);
        self.offers = None;
        if typed == Typed::Changed {
            self.recalled = None;
        }
        typed
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.line.paste(MAX_COMMAND, text);
        self.offers = None;
    }

    /// The command that was typed, which is remembered.
    pub(super) fn done(&mut self) -> String {
        let command = self.line.as_str().trim().to_owned();
        self.past.retain(|old| *old != command);
        if !command.is_empty() {
            self.past.push(command.clone());
        }
        if self.past.len() > PAST {
            self.past.remove(0);
        }
        command
    }

    /// The words that Tab goes through, and which of them stands in the line.
    pub(super) fn offers(&self) -> Option<(&[String], usize)> {
        self.offers.as_ref().map(|offers| (offers.words.as_slice(), offers.chosen))
    }

    fn recall(&mut self, later: bool) -> Typed {
        let next = match (self.recalled, later) {
            (None, true) => return Typed::Same,
            (None, false) => self.past.len().checked_sub(1),
            (Some(at), true) => Some(at + 1),
            (Some(at), false) => Some(at.saturating_sub(1)),
        };
        let Some(next) = next else { return Typed::Same };
        self.offers = None;
        self.recalled = (next < self.past.len()).then_some(next);
        self.line.set(self.past.get(next).map_or("", String::as_str));
        Typed::Changed
    }

    /// Puts the next word into the line that may stand where the cursor is.
    fn complete(&mut self, forward: bool) -> Typed {
        if let Some(offers) = &mut self.offers {
            let len = offers.words.len();
            offers.chosen = if forward { offers.chosen + 1 } else { offers.chosen + len - 1 } % len;
        } else {
            let (before, _) = self.line.parts();
            let (start, words) = completions(before);
            if words.is_empty() {
                return Typed::Same;
            }
            let chosen = if forward { 0 } else { words.len() - 1 };
            self.offers = Some(Offers { start, words, chosen });
        }
        let Some(offers) = &self.offers else { return Typed::Same };
        let end = self.line.parts().0.len();
        let word = offers.words.get(offers.chosen).cloned().unwrap_or_default();
        self.line.replace(offers.start..end, &word);
        // With nothing to choose from, what comes next is typed behind it.
        if offers.words.len() == 1 {
            self.offers = None;
        }
        Typed::Changed
    }
}

/// Where the word begins that stands before the cursor, and what it may become.
fn completions(before: &str) -> (usize, Vec<String>) {
    let begins = |words: &mut dyn Iterator<Item = &'static str>, typed: &str| -> Vec<String> {
        words.filter(|word| word.starts_with(typed)).map(str::to_owned).collect()
    };
    let Some((name, rest)) = before.split_once(' ') else {
        let mut names = COMMANDS.iter().filter_map(|command| command.typed());
        return (0, begins(&mut names, before));
    };
    let start = before.len() - rest.len();
    match name {
        "theme" => (start, begins(&mut ThemeName::NAMES.iter().map(|(name, _)| *name), rest)),
        "keys" => (start, paths(rest)),
        "map" => match rest.split_once(' ') {
            Some((key, action)) => (start + key.len() + 1, begins(&mut NAMES.iter().map(|(name, _)| *name), action)),
            None => (start, Vec::new()),
        },
        "decode" => match rest.rsplit_once(',') {
            Some((selector, name)) => {
                let mut names = STREAMS.into_iter().chain(DECODERS.iter().map(|decoder| decoder.name));
                (start + selector.len() + 1, begins(&mut names, name))
            }
            None => (start, Vec::new()),
        },
        _ => (start, Vec::new()),
    }
}

/// What there is in the file system that begins so.
fn paths(typed: &str) -> Vec<String> {
    let (directory, name) =
        typed.rsplit_once('/').map_or(("", typed), |(_, name)| typed.split_at(typed.len() - name.len()));
    let place = if directory.is_empty() { "." } else { directory };
    let Ok(entries) = fs::read_dir(place) else { return Vec::new() };
    let path = |entry: fs::DirEntry| {
        let found = entry.file_name().into_string().ok()?;
        let is_wanted = found.starts_with(name) && (!found.starts_with('.') || name.starts_with('.'));
        let end = if entry.path().is_dir() { "/" } else { "" };
        is_wanted.then(|| format!("{directory}{found}{end}"))
    };
    let mut found: Vec<String> = entries.take(ENTRIES).filter_map(|entry| path(entry.ok()?)).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_may_come_next() {
        let words = |before| completions(before).1;
        assert_eq!(words("the"), ["theme"]);
        assert!(words("").len() > 5 && !words("").contains(&"N".to_owned()));
        assert_eq!(completions("theme hi"), (6, vec!["high-contrast".to_owned()]));
        assert_eq!(completions("decode conn==1 && host==\"a,b\",mq"), (30, vec!["mqtt".to_owned()]));
        assert_eq!(completions("map Z zo"), (6, vec!["zoom".to_owned()]));
        assert!(words("map ").is_empty() && words("filter ty").is_empty() && words("nothing x").is_empty());
        assert_eq!(words("keys src/tui/pro"), ["src/tui/prompt.rs", "src/tui/provenance.rs"]);
        assert_eq!(words("keys sr"), ["src/"]);
        assert!(words("keys /nowhere/at/all/").is_empty());
    }
}
