//! Marks and comments on connections and messages, which outlive the browser.

use super::action::Action;
use super::app::{App, Effect, Overlay, Pane};
use super::input::{Line, Typed};
use super::keys::Key;
use crate::book::MessageId;
use crate::model::ConnId;
use crossterm::event::KeyEvent;
use std::collections::BTreeMap;

/// Bytes of a comment.
const MAX_COMMENT: usize = 500;

/// What can be marked: a connection, or one of its messages by its number.
pub type Marked = (ConnId, Option<u64>);

/// Marks, each with a comment that may be empty.
pub type Marks = BTreeMap<Marked, String>;

/// The marks, and the comment that is being typed.
#[derive(Debug, Default)]
pub(super) struct Notebook {
    pub(super) marks: Marks,
    pub(super) line: Line,
    /// The filter that was applied before what is marked was shown alone.
    pub(super) before: String,
}

impl App {
    /// What a key of marks is about.
    fn markable(&self) -> Option<Marked> {
        let connection = || self.connection().map(|connection| connection.id);
        match self.focused() {
            Pane::Messages | Pane::Detail | Pane::Frames | Pane::Fields | Pane::Bytes => {
                let row = self.book.message(self.messages.selected()?)?;
                Some((self.book.connection(row.conn)?.id, Some(row.number)))
            }
            Pane::Findings | Pane::Explanation => {
                let finding = self.findings.selected(&self.book)?;
                Some((finding.conn?, finding.msg))
            }
            _ => Some((connection()?, None)),
        }
    }

    /// Whether a row is marked.
    pub(super) fn is_marked(&self, what: Marked) -> bool {
        self.notebook.marks.contains_key(&what)
    }

    /// The marked message with which the selected one is compared: the last before it, else the first behind it.
    pub(super) fn comparable(&self) -> Option<MessageId> {
        let here = self.messages.selected()?;
        let message = |&(conn, number): &Marked| self.book.numbered(self.book.index_of(conn)?, number?);
        let (before, behind): (Vec<_>, Vec<_>) = self
            .notebook
            .marks
            .keys()
            .filter_map(message)
            .filter(|&marked| marked != here)
            .partition(|&marked| marked < here);
        before.into_iter().max().or_else(|| behind.into_iter().min())
    }

    /// How many messages are marked, or are of connections that are.
    pub(super) fn marked_messages(&self) -> u64 {
        let messages = |&(conn, msg): &Marked| match msg {
            Some(_) => u64::from(!self.is_marked((conn, None))),
            None => {
                let index = self.book.index_of(conn);
                let connection = index.and_then(|index| self.book.connection(index));
                connection.map_or(0, |connection| connection.both().messages)
            }
        };
        self.notebook.marks.keys().map(messages).sum()
    }

    /// The comment on what is selected.
    pub(super) fn comment(&self) -> Option<&str> {
        self.notebook.marks.get(&self.markable()?).map(String::as_str).filter(|comment| !comment.is_empty())
    }

    /// Marks what is selected, or takes its mark and comment away.
    pub(super) fn toggle_mark(&mut self) {
        let Some(what) = self.markable() else { return self.say("nothing here to mark") };
        if self.notebook.marks.remove(&what).is_none() {
            self.notebook.marks.insert(what, String::new());
        }
        self.ask(Effect::Keep(self.notebook.marks.clone()));
    }

    /// Begins to type a comment.
    pub(super) fn start_comment(&mut self) {
        let Some(what) = self.markable() else { return self.say("nothing here to comment on") };
        let old = self.notebook.marks.get(&what).cloned().unwrap_or_default();
        self.notebook.line.set(&old);
        self.overlay = Overlay::Comment;
    }

    pub(super) fn comment_key(&mut self, event: &KeyEvent, key: Key) {
        match self.notebook.line.take(MAX_COMMENT, event, key) {
            Typed::Changed | Typed::Same => {}
            Typed::Dropped => self.overlay = Overlay::None,
            Typed::Done => {
                self.overlay = Overlay::None;
                if let Some(what) = self.markable() {
                    let comment = self.notebook.line.as_str().trim().to_owned();
                    self.notebook.marks.insert(what, comment);
                    self.ask(Effect::Keep(self.notebook.marks.clone()));
                }
            }
        }
    }

    pub(super) fn paste_comment(&mut self, text: &str) {
        self.notebook.line.paste(MAX_COMMENT, text);
    }

    /// Goes to the next mark, or the one before: on the first screen of connections, elsewhere of messages, in any connection.
    pub(super) fn next_mark(&mut self, forward: bool) {
        let of_connections = self.screen == super::Screen::Connections;
        let here = match (of_connections, self.connection().map(|connection| connection.id)) {
            (_, None) => return self.say("no mark"),
            (true, Some(conn)) => (conn, None),
            (false, Some(conn)) => {
                let row = self.messages.selected().and_then(|id| self.book.message(id));
                (conn, Some(row.map_or(0, |row| row.number)))
            }
        };
        let fits = |what: &&Marked| what.1.is_none() == of_connections;
        let mut marks = self.notebook.marks.keys().filter(fits);
        let found = match forward {
            true => marks.find(|what| **what > here),
            false => marks.rfind(|what| **what < here),
        };
        let Some(&(conn, msg)) = found else {
            return self.say(if forward { "no later mark" } else { "no earlier mark" });
        };
        let Some(index) = self.book.index_of(conn) else { return self.say("what is marked is not read yet") };
        self.remember();
        self.open_connection(index);
        if let Some(id) = msg.and_then(|number| self.book.numbered(index, number)) {
            self.select_message(id);
        }
    }

    /// Shows what is marked and nothing else, by a filter; or everything again.
    pub(super) fn only_marked(&mut self) {
        let filter = marks_as_filter(&self.notebook.marks);
        match filter {
            None => self.say(format!("no mark: {} sets one", self.key_of(Action::Mark))),
            Some(filter) if filter == self.filter.text && !self.filter.is_off => {
                match std::mem::take(&mut self.notebook.before) {
                    before if before.is_empty() => self.drop_filter(),
                    before => self.apply_filter(&before),
                }
            }
            Some(filter) => {
                self.notebook.before = if self.filter.is_off { String::new() } else { self.filter.text.clone() };
                self.apply_filter(&filter);
            }
        }
    }
}

/// A filter that passes what is marked; `None` where nothing is.
pub(super) fn marks_as_filter(marks: &Marks) -> Option<String> {
    let mut by_conn: BTreeMap<ConnId, (bool, Vec<String>)> = BTreeMap::new();
    for (conn, msg) in marks.keys() {
        let (whole, messages) = by_conn.entry(*conn).or_default();
        *whole |= msg.is_none();
        messages.extend(msg.map(|msg| msg.to_string()));
    }
    let part = |(conn, (whole, messages)): (ConnId, (bool, Vec<String>))| match (whole, messages.as_slice()) {
        (true, _) => format!("conn == {conn}"),
        (false, [only]) => format!("(conn == {conn} && msg == {only})"),
        (false, all) => format!("(conn == {conn} && msg in {{{}}})", all.join(", ")),
    };
    let parts: Vec<String> = by_conn.into_iter().map(part).collect();
    (!parts.is_empty()).then(|| parts.join(" || "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;

    #[test]
    fn marks_are_a_filter() {
        let mark = |conn, msg| ((ConnId(conn), msg), String::new());
        assert_eq!(marks_as_filter(&Marks::new()), None);
        let marks: Marks =
            [mark(1, Some(3)), mark(1, Some(5)), mark(2, Some(7)), mark(4, None), mark(4, Some(1))].into();
        let filter = marks_as_filter(&marks).unwrap();
        assert_eq!(filter, "(conn == 1 && msg in {3, 5}) || (conn == 2 && msg == 7) || conn == 4");
        assert!(Filter::new(&filter).is_ok());
    }
}
