//! The export dialog: what, as what, and where; and the command line that does the same.

use super::app::{App, Effect, Overlay};
use super::input::{Line, Typed};
use super::keys::Key;
use super::marks::marks_as_filter;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Bytes of a path.
const MAX_PATH: usize = 1024;

/// A format of `wspect export`, the extension of its files, and what it is.
pub(super) struct Format {
    pub(super) name: &'static str,
    extension: &'static str,
    pub(super) about: &'static str,
}

const fn format(name: &'static str, extension: &'static str, about: &'static str) -> Format {
    Format { name, extension, about }
}

const JSONL: Format = format("jsonl", ".jsonl", "records, one a line");

/// The formats that are offered.
const FORMATS: &[Format] = &[
    JSONL,
    format("csv", ".csv", "columns, for spreadsheets"),
    format("text", ".txt", "a transcript"),
    format("markdown", ".md", "a transcript, for tickets"),
    format("html", ".html", "one page for browsers"),
    format("har", ".har", "for developer tools"),
    format("raw", "", "a directory with a file for each message"),
    format("pcapng", ".pcapng", "the packets of the connections"),
    format("script", ".py", "says the same again"),
    #[cfg(feature = "sqlite")]
    format("sqlite", ".db", "a database"),
];

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum What {
    Message,
    #[default]
    Connection,
    Shown,
    Marked,
    All,
}

impl What {
    const ALL: [Self; 5] = [Self::Message, Self::Connection, Self::Shown, Self::Marked, Self::All];

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Message => "this message",
            Self::Connection => "this connection",
            Self::Shown => "what the filter passes",
            Self::Marked => "what is marked",
            Self::All => "everything",
        }
    }
}

/// A line of the dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Entry {
    #[default]
    What,
    Format,
    Path,
    Replace,
}

impl Entry {
    pub(super) const ALL: [Self; 4] = [Self::What, Self::Format, Self::Path, Self::Replace];
}

/// The dialog.
#[derive(Debug, Default)]
pub(super) struct Dialog {
    pub(super) what: What,
    format: usize,
    pub(super) path: Line,
    /// The user has typed the path.
    is_typed: bool,
    pub(super) replace: bool,
    pub(super) entry: Entry,
    /// An export is under way.
    pub(super) is_running: bool,
    /// Key logs that were named while the capture was shown.
    pub(super) key_logs: Vec<String>,
    /// Rules by which streams are read that were given so.
    pub(super) rules: Vec<String>,
}

impl Dialog {
    pub(super) fn format(&self) -> &'static Format {
        FORMATS.get(self.format).unwrap_or(&JSONL)
    }
}

impl App {
    pub(super) fn start_export(&mut self) {
        if !self.can_reread {
            return self.say("what came through a pipe cannot be read again to be exported");
        }
        if self.export.is_running {
            return self.say("an export is under way");
        }
        self.export.what = match () {
            () if self.book.sift().is_some() => What::Shown,
            () if self.screen == super::Screen::Connections => What::All,
            () => What::Connection,
        };
        (self.export.entry, self.export.is_typed, self.export.replace) = (Entry::What, false, false);
        self.name_export();
        self.overlay = Overlay::Export;
    }

    pub(super) fn export_key(&mut self, event: &KeyEvent, key: Key) {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        match event.code {
            KeyCode::Esc => self.overlay = Overlay::None,
            KeyCode::Char('c') if control => self.overlay = Overlay::None,
            KeyCode::Enter => self.run_export(),
            KeyCode::Tab | KeyCode::Down => self.next_entry(1),
            KeyCode::BackTab | KeyCode::Up => self.next_entry(Entry::ALL.len() - 1),
            _ if self.export.entry == Entry::Path => {
                let typed = self.export.path.take(MAX_PATH, event, key);
                self.export.is_typed |= typed == Typed::Changed;
            }
            KeyCode::Left | KeyCode::Char('h') => self.change_entry(false),
            KeyCode::Right | KeyCode::Char('l' | ' ') => self.change_entry(true),
            _ => {}
        }
    }

    pub(super) fn paste_path(&mut self, text: &str) {
        if self.export.entry == Entry::Path {
            self.export.path.paste(MAX_PATH, text);
            self.export.is_typed = true;
        }
    }

    fn next_entry(&mut self, by: usize) {
        let at = Entry::ALL.iter().position(|entry| *entry == self.export.entry).unwrap_or(0);
        self.export.entry = Entry::ALL.get((at + by) % Entry::ALL.len()).copied().unwrap_or_default();
    }

    fn change_entry(&mut self, forward: bool) {
        let next = |at: usize, len: usize| if forward { (at + 1) % len } else { (at + len - 1) % len };
        match self.export.entry {
            Entry::What => {
                let at = What::ALL.iter().position(|what| *what == self.export.what).unwrap_or(0);
                self.export.what = What::ALL.get(next(at, What::ALL.len())).copied().unwrap_or_default();
            }
            Entry::Format => self.export.format = next(self.export.format, FORMATS.len()),
            Entry::Replace => self.export.replace = !self.export.replace,
            Entry::Path => {}
        }
        if !self.export.is_typed {
            self.name_export();
        }
    }

    /// Proposes a name for the file: of the capture, and of what of it.
    fn name_export(&mut self) {
        let name = self.title.rsplit('/').next().unwrap_or(&self.title);
        let stem = name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("capture");
        let conn = self.connection().map_or(0, |connection| connection.id.0);
        let row = self.messages.selected().and_then(|id| self.book.message(id));
        let part = match self.export.what {
            What::Message => format!("-conn{conn}-msg{}", row.map_or(0, |row| row.number)),
            What::Connection => format!("-conn{conn}"),
            What::Shown => "-shown".to_owned(),
            What::Marked => "-marked".to_owned(),
            What::All => String::new(),
        };
        let safe = |c: char| if c.is_alphanumeric() || "-_".contains(c) { c } else { '_' };
        let stem: String = stem.chars().map(safe).collect();
        self.export.path.set(&format!("{stem}{part}{}", self.export.format().extension));
    }

    /// The filter that stands for what is exported, and how many messages that are, where it is known; why there is none.
    pub(super) fn export_filter(&self) -> Result<(Option<String>, Option<u64>), &'static str> {
        let connection = self.connection();
        let row = self.messages.selected().and_then(|id| self.book.message(id));
        match (self.export.what, connection) {
            (What::All, _) => Ok((None, Some(self.book.messages() as u64))),
            (What::Shown, _) => {
                let sift = self.book.sift().ok_or("there is no filter: f begins one")?;
                let passed = sift.is_of_messages().then(|| sift.passed() as u64);
                Ok((Some(self.filter.text.clone()), passed))
            }
            (What::Marked, _) => {
                let filter = marks_as_filter(&self.notebook.marks).ok_or("nothing is marked: m marks")?;
                Ok((Some(filter), Some(self.marked_messages())))
            }
            (What::Connection, Some(connection)) => {
                Ok((Some(format!("conn == {}", connection.id)), Some(connection.both().messages)))
            }
            (What::Message, Some(connection)) => {
                let row = row.ok_or("no message is selected")?;
                Ok((Some(format!("conn == {} && msg == {}", connection.id, row.number)), Some(1)))
            }
            (What::Connection | What::Message, None) => Err("no connection is selected"),
        }
    }

    /// The words behind `wspect` that export so, in front of those that it was started with.
    pub(super) fn export_words(&self, filter: Option<String>) -> Vec<String> {
        let mut words = vec!["export".to_owned(), self.export.format().name.to_owned()];
        words.extend(filter.into_iter().flat_map(|filter| ["-Y".to_owned(), filter]));
        words.extend(["-o".to_owned(), self.export.path.as_str().to_owned()]);
        words.extend(self.export.replace.then(|| "--force".to_owned()));
        words.extend(self.export.key_logs.iter().flat_map(|log| ["-k".to_owned(), log.clone()]));
        // The last one goes before those of before it.
        words.extend(self.export.rules.iter().rev().flat_map(|rule| ["-d".to_owned(), rule.clone()]));
        words
    }

    fn run_export(&mut self) {
        match self.export_filter() {
            Err(why) => self.say(why),
            // What is no file is, as often as not, the screen.
            Ok(_) if matches!(self.export.path.as_str(), "" | "-") => self.say("where to? a file is wanted"),
            Ok((filter, _)) => {
                let words = self.export_words(filter);
                self.overlay = Overlay::None;
                self.export.is_running = true;
                self.say(format!("writing {}", crate::escape::display_str(self.export.path.as_str())));
                self.ask(Effect::Export(words));
            }
        }
    }

    /// How an export has ended.
    pub(super) fn exported(&mut self, outcome: &str) {
        self.export.is_running = false;
        self.say(crate::escape::display_str(outcome));
    }
}

/// Words as a shell takes them for the same.
pub fn shell_line<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let is_plain = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./_:+@%,=-".contains(&byte))
    };
    let quoted = |word: &str| {
        if is_plain(word) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
    };
    words.into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_change_them() {
        assert_eq!(shell_line(["export", "a b", "it's", "", "x=1", "$x"]), r"export 'a b' 'it'\''s' '' x=1 '$x'");
    }
}
