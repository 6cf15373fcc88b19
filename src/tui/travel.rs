//! From place to place: screens, what a row leads to, and the way back.

use super::action::{Action, Screen};
use super::app::{App, Effect, Pane, Place};
use super::findings::{Evidence, Second, evidence, second_evidence};
use super::list::Move;
use crate::book::MessageId;
use crate::model::Severity;

/// Places that are remembered.
const MAX_PAST: usize = 200;

impl App {
    pub(super) fn go_to(&mut self, screen: Screen) {
        self.trail.clear();
        self.show(screen);
    }

    /// Shows a screen and remembers where the user was.
    pub(super) fn show(&mut self, screen: Screen) {
        self.remember();
        self.screen = screen;
        self.zoom = false;
    }

    /// Puts the present place on the list of past places.
    pub(super) fn remember(&mut self) {
        let here = self.place();
        if self.past.last() != Some(&here) {
            self.past.push(here);
        }
        if self.past.len() > MAX_PAST {
            self.past.remove(0);
        }
        self.future.clear();
    }

    pub(super) fn history(&mut self, by: isize) {
        let here = self.place();
        let from = if by < 0 { &mut self.past } else { &mut self.future };
        let Some(there) = std::iter::from_fn(|| from.pop()).find(|&place| place != here) else {
            return self.say(if by < 0 { "no earlier place" } else { "no later place" });
        };
        let to = if by < 0 { &mut self.future } else { &mut self.past };
        to.push(here);
        self.return_to(there);
    }

    fn return_to(&mut self, place: Place) {
        self.screen = place.screen;
        if let Some(conn) = place.conn {
            self.open_connection(conn);
        }
        if let Some(message) = place.message {
            self.select_message(message);
        }
    }

    /// Selects a connection everywhere.
    pub(super) fn open_connection(&mut self, conn: usize) {
        if !self.book.shows_connection(conn) {
            self.show_hidden();
        }
        self.connections.select(conn, self.height(Pane::Connections));
        self.messages.open(&self.book, conn, self.height(Pane::Messages));
    }

    /// Selects a message of the connection that is open.
    pub(super) fn select_message(&mut self, id: MessageId) {
        if !self.book.shows(id) {
            self.show_hidden();
        }
        self.messages.select(&self.book, id, self.height(Pane::Messages));
    }

    /// The filter hides what the user goes to.
    fn show_hidden(&mut self) {
        self.filter_off();
        self.say(format!(
            "filter switched off, which hides this: {} switches it on",
            self.key_of(Action::ToggleFilter)
        ));
    }

    pub(super) fn enter(&mut self) {
        match self.focused() {
            Pane::Connections | Pane::Summary => self.deeper(Screen::Messages),
            Pane::Detail if self.detail.tree().is_some() => {
                let height = self.height(Pane::Detail);
                if let Some(tree) = self.detail.tree_mut() {
                    tree.toggle(height);
                }
            }
            Pane::Messages | Pane::Detail => self.deeper(Screen::Bytes),
            Pane::Request | Pane::Response | Pane::Checks => self.deeper(Screen::Messages),
            Pane::Frames | Pane::Bytes => self.focus(Pane::Fields),
            Pane::Fields => self.bytes.toggle_field(self.height(Pane::Fields)),
            Pane::Throughput | Pane::Sizes | Pane::RoundTrips | Pane::Types => self.open_bin(),
            Pane::Findings | Pane::Explanation => self.open_evidence(),
        }
    }

    /// Goes to the first message of the bin under the cursor.
    fn open_bin(&mut self) {
        let Some(id) = self.stats.first_message() else {
            let keys = [-1, 1].map(|by| self.key_of(Action::Beside(by))).join(" ");
            return self.say(format!("no message in this bin: {keys} go to one that has some"));
        };
        let Some(conn) = self.book.message(id).map(|row| row.conn) else { return };
        self.deeper(Screen::Messages);
        self.open_connection(conn);
        self.messages.select(&self.book, id, self.height(Pane::Messages));
    }

    /// Goes to the second thing that shows a finding.
    fn open_second_evidence(&mut self) {
        let Some(finding) = self.findings.selected(&self.book) else { return };
        let Some((conn, second)) = second_evidence(finding, &self.book) else {
            return self.say("nothing else shows this");
        };
        match second {
            Second::Handshake => self.deeper(Screen::Handshake),
            Second::Close(_) => self.deeper(Screen::Bytes),
        }
        self.open_connection(conn);
        if let Second::Close(id) = second {
            self.select_message(id);
        }
    }

    /// Goes to what shows a finding.
    fn open_evidence(&mut self) {
        let Some(finding) = self.findings.selected(&self.book) else { return };
        let (what, packet) = (evidence(finding), finding.evidence.packet);
        let Some(conn) = finding.conn.and_then(|id| self.book.index_of(id)) else {
            return self.say("this is about the file as a whole");
        };
        let message = match finding.msg {
            Some(number) => self.book.numbered(conn, number),
            None => self.book.message_at(conn, packet),
        };
        self.deeper(match what {
            Evidence::Handshake => Screen::Handshake,
            Evidence::Bytes => Screen::Bytes,
            Evidence::Messages | Evidence::File => Screen::Messages,
        });
        self.open_connection(conn);
        if let Some(id) = message.filter(|_| what != Evidence::Handshake) {
            self.select_message(id);
            self.bytes.select_frame_of(&self.book, id, packet, self.height(Pane::Frames));
        }
    }

    pub(super) fn deeper(&mut self, screen: Screen) {
        self.trail.push(self.screen);
        self.show(screen);
    }

    pub(super) fn back(&mut self) {
        match self.trail.pop().or_else(|| self.screen.parent()) {
            Some(screen) => self.show(screen),
            None => self.ask(Effect::Quit),
        }
    }

    pub(super) fn step_connection(&mut self, by: isize) {
        self.connections.go(Move::Rows(by), self.height(Pane::Connections));
    }

    pub(super) fn step_message(&mut self, by: isize) {
        self.messages.go(&self.book, Move::Rows(by), self.height(Pane::Messages));
    }

    pub(super) fn problem(&mut self, forward: bool) {
        let found = match self.screen {
            Screen::Connections | Screen::Handshake | Screen::Stats => self.problem_connection(forward),
            Screen::Messages | Screen::Bytes => self.problem_message(forward),
            Screen::Findings => self.problem_finding(forward),
        };
        if !found {
            let where_to = if forward { "later" } else { "earlier" };
            let filter = if self.book.sift().is_some() { ", of what the filter shows" } else { "" };
            self.say(format!("no {where_to} error or warning here{filter}"));
        }
    }

    fn problem_connection(&mut self, forward: bool) -> bool {
        let bad = |row: &usize| {
            let connection = self.connections.at(*row).and_then(|index| self.book.connection(index));
            connection.and_then(|connection| connection.findings.worst()) >= Some(Severity::Warning)
        };
        let (at, len) = (self.connections.list.cursor, self.connections.len());
        let found = if forward { (at + 1..len).find(bad) } else { (0..at).rev().find(bad) };
        if let Some(index) = found.and_then(|row| self.connections.at(row)) {
            self.connections.select(index, self.height(Pane::Connections));
        }
        found.is_some()
    }

    fn problem_message(&mut self, forward: bool) -> bool {
        let found = self.messages.problem(&self.book, forward);
        if let Some(id) = found {
            self.select_message(id);
        }
        found.is_some()
    }

    fn problem_finding(&mut self, forward: bool) -> bool {
        let bad = |row: &usize| {
            let finding = self.findings.at(*row).and_then(|index| self.book.findings().get(index));
            finding.is_some_and(|finding| finding.code.severity() >= Severity::Warning)
        };
        let (at, len) = (self.findings.list.cursor, self.findings.len());
        let found = if forward { (at + 1..len).find(bad) } else { (0..at).rev().find(bad) };
        if let Some(row) = found {
            self.findings.select_row(row, self.height(Pane::Findings));
        }
        found.is_some()
    }

    /// Goes to the connection that this one follows, or that follows it.
    pub(super) fn along_chain(&mut self, forward: bool) {
        let connection = self.connection();
        let next = match forward {
            true => connection.and_then(|own| self.book.followed_by(own.id)).map(|next| next.id),
            false => connection.and_then(|own| own.opened.reconnect_of).map(|former| former.conn),
        };
        match next.and_then(|id| self.book.index_of(id)) {
            Some(index) => {
                self.remember();
                self.open_connection(index);
            }
            None if forward => self.say("no connection of this client follows at this place"),
            None => self.say("no connection of this client was before at this place"),
        }
    }

    pub(super) fn related(&mut self) {
        if self.screen == Screen::Findings {
            return self.open_second_evidence();
        }
        match self.detail.related {
            Some(id) => {
                self.remember();
                self.select_message(id);
            }
            None => self.say("nothing belongs to this message"),
        }
    }
}
