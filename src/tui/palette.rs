//! The palette: everything that can be done in this pane, looked for by a few of its letters.

use super::action::Action;
use super::app::{App, Overlay};
use super::command::{COMMANDS, Command};
use super::input::{Line, Typed};
use super::keys::Key;
use super::names::name_of;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Bytes of what is typed.
const MAX_TYPED: usize = 100;

/// What an entry of the palette does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Does {
    Action(Action),
    Command(&'static Command),
}

/// One thing that can be done.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    /// What it does, in words.
    pub(super) about: &'static str,
    /// Its keys.
    pub(super) keys: String,
    pub(super) does: Does,
}

/// What is typed, and which of the entries is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Palette {
    pub(super) line: Line,
    pub(super) cursor: usize,
}

impl App {
    pub(super) fn start_palette(&mut self) {
        self.overlay = Overlay::Palette(Palette::default());
    }

    /// What fits the letters that are typed, the best first.
    pub(super) fn palette_entries(&self, typed: &str) -> Vec<Entry> {
        let mut all = self.all_entries();
        let mut fits: Vec<(u32, usize)> = Vec::new();
        for (at, entry) in all.iter().enumerate() {
            let score = score(typed, &entry.name).or_else(|| Some(1000 + score(typed, entry.about)?));
            fits.extend(score.map(|score| (score, at)));
        }
        fits.sort_unstable();
        let mut taken: Vec<Option<Entry>> = all.drain(..).map(Some).collect();
        fits.iter().filter_map(|&(_, at)| taken.get_mut(at)?.take()).collect()
    }

    /// What the keys of this pane and the commands can do.
    fn all_entries(&self) -> Vec<Entry> {
        let mut all: Vec<Entry> = Vec::new();
        for binding in self.keymap.bindings(self.focused()) {
            for &(key, action) in binding.keys.iter() {
                let Some(name) = name_of(action).filter(|_| !matches!(action, Action::Palette)) else { continue };
                let name = name.replace('-', " ");
                match all.iter_mut().find(|entry| entry.name == name) {
                    Some(entry) => entry.keys.push_str(&format!(" {}", key.name())),
                    None => {
                        let does = Does::Action(action);
                        all.push(Entry { name, about: binding.label, keys: key.name(), does });
                    }
                }
            }
        }
        all.extend(COMMANDS.iter().map(|command| Entry {
            name: format!(":{}", command.usage()),
            about: command.label,
            keys: String::new(),
            does: Does::Command(command),
        }));
        all
    }

    pub(super) fn palette_key(&mut self, event: &KeyEvent, key: Key) {
        let Overlay::Palette(palette) = &self.overlay else { return };
        let mut palette = palette.clone();
        let len = self.palette_entries(palette.line.as_str()).len();
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        match event.code {
            KeyCode::Down | KeyCode::Tab => palette.cursor = (palette.cursor + 1).min(len.saturating_sub(1)),
            KeyCode::Up | KeyCode::BackTab => palette.cursor = palette.cursor.saturating_sub(1),
            KeyCode::Char('n') if control => palette.cursor = (palette.cursor + 1).min(len.saturating_sub(1)),
            KeyCode::Char('p') if control => palette.cursor = palette.cursor.saturating_sub(1),
            _ => match palette.line.take(MAX_TYPED, event, key) {
                Typed::Changed => palette.cursor = 0,
                Typed::Same => {}
                Typed::Dropped => return self.overlay = Overlay::None,
                Typed::Done => return self.choose_in_palette(&palette),
            },
        }
        self.overlay = Overlay::Palette(palette);
    }

    fn choose_in_palette(&mut self, palette: &Palette) {
        self.overlay = Overlay::None;
        let entries = self.palette_entries(palette.line.as_str());
        match entries.get(palette.cursor).map(|entry| entry.does) {
            Some(Does::Action(action)) => self.act(action),
            Some(Does::Command(command)) => self.begin_command(command),
            None => self.say("nothing is called so"),
        }
    }
}

/// How well letters fit a name in which they stand in this order: less is better; `None` where they do not.
fn score(typed: &str, name: &str) -> Option<u32> {
    let mut rest = name.char_indices();
    let (mut score, mut last) = (0, None);
    for letter in typed.chars().filter(|letter| !letter.is_whitespace()) {
        let (at, _) = rest.find(|(_, c)| c.eq_ignore_ascii_case(&letter))?;
        // Letters that stand together, or begin a word, are what was meant.
        let begins = at == 0 || name.as_bytes().get(at - 1).is_some_and(|before| !before.is_ascii_alphanumeric());
        let follows = last.is_some_and(|last: usize| last + 1 == at);
        score += if follows || begins { 0 } else { 10 };
        score += u32::from(last.is_none()) * u32::try_from(at).unwrap_or(u32::MAX).min(9);
        last = Some(at);
    }
    Some(score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_begin_words_or_stand_together_fit_best() {
        let best = |typed: &str, names: [&'static str; 3]| {
            let mut fits: Vec<_> = names.iter().filter_map(|name| Some((score(typed, name)?, *name))).collect();
            fits.sort_unstable();
            fits.first().map(|(_, name)| *name)
        };
        assert_eq!(best("nm", ["next message", "only marked", "columns"]), Some("next message"));
        assert_eq!(best("time", ["wrap", "time mode", "filter menu"]), Some("time mode"));
        assert_eq!(best("xyz", ["wrap", "time mode", "filter menu"]), None);
        assert_eq!(best("", ["wrap", "a", "b"]), Some("a"));
    }
}
