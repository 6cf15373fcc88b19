//! From keys to changes of the state.

use super::action::{Action, Screen};
use super::app::{App, Effect, Overlay, Pane, Place};
use super::bytes::Bytes;
use super::detail::PayloadView;
use super::findings::{Evidence, Second, evidence, second_evidence};
use super::keys::{self, Key};
use super::layout::Split;
use super::list::{List, Move};
use super::menu::{Choice, Menu};
use super::{connections, copy, view};
use crate::model::Severity;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind};

/// Columns by which one key scrolls sideways.
const SIDEWAYS: usize = 8;

/// Places that are remembered.
const MAX_PAST: usize = 200;

/// Percent by which one key changes a pane.
const RESIZE_STEP: i16 = 4;

impl App {
    /// Takes what the terminal tells; a paste outside an input is ignored.
    pub fn event(&mut self, event: &Event) {
        let before = self.regions();
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(key),
            Event::Mouse(mouse) => self.mouse_event(*mouse),
            Event::Resize(width, height) => self.resize((*width, *height)),
            Event::Paste(text) if self.overlay == Overlay::Search => self.paste(text),
            _ => return,
        }
        self.settle();
        if self.regions() != before {
            self.show_selected();
        }
    }

    /// Takes one key.
    fn key(&mut self, event: &KeyEvent) {
        let key = Key::of(event);
        self.said = None;
        match self.overlay {
            Overlay::None => {
                if let Some(action) = keys::action(self.focused(), key) {
                    self.act(action);
                }
            }
            Overlay::Search => self.search_key(event, key),
            Overlay::Help(_) | Overlay::Menu(_) => self.overlay_key(event.code, key),
        }
    }

    fn overlay_key(&mut self, code: KeyCode, key: Key) {
        let choice = match &self.overlay {
            Overlay::Menu(menu) if code == KeyCode::Enter => menu.current(),
            Overlay::Menu(menu) => key.character().and_then(|letter| menu.by_letter(letter)),
            _ => None,
        };
        match (choice, keys::action(self.focused(), key)) {
            (Some(choice), _) => self.choose(choice),
            (None, Some(Action::Move(step))) => self.move_in_overlay(step),
            (None, Some(Action::Quit)) => self.ask(Effect::Quit),
            (None, _) => self.overlay = Overlay::None,
        }
    }

    /// Scrolls the help, or goes through a menu.
    pub(super) fn move_in_overlay(&mut self, step: Move) {
        let body = self.regions().body;
        let height = usize::from(body.height).saturating_sub(2);
        let tops = view::help_lines(self, body.width).len().saturating_sub(height) + 1;
        match &mut self.overlay {
            Overlay::Help(top) => *top = step.from(*top, tops, height),
            Overlay::Menu(menu) => menu.cursor = step.from(menu.cursor, menu.choices.len(), height),
            Overlay::None | Overlay::Search => {}
        }
    }

    fn choose(&mut self, choice: Choice) {
        self.overlay = Overlay::None;
        match choice {
            Choice::View(view) => self.detail.choose(view),
            Choice::Copy(form) => match copy::text(self, form) {
                Some(text) => self.ask(Effect::Copy(text)),
                None => self.say("nothing to copy"),
            },
        }
    }

    /// Does what a key or a click asks for.
    pub fn act(&mut self, action: Action) {
        self.leaving &= action == Action::Cancel;
        self.moved |= !matches!(action, Action::Redraw | Action::Cancel | Action::Mouse | Action::Help);
        match action {
            Action::Go(screen) => self.go_to(screen),
            Action::Pane(by) => self.next_pane(by),
            Action::Enter => self.enter(),
            Action::Escape => self.escape(),
            Action::Back => self.back(),
            Action::Quit => self.ask(Effect::Quit),
            Action::Help => self.overlay = Overlay::Help(0),
            Action::Search => self.start_search(),
            Action::Match(by) => self.next_match(by > 0),
            Action::Move(step) => self.go(self.focused(), step),
            Action::Left => self.sideways(false),
            Action::Right => self.sideways(true),
            Action::Connection(by) => self.step_connection(by),
            Action::Message(by) => self.step_message(by),
            Action::History(by) => self.history(by),
            Action::Problem(by) => self.problem(by > 0),
            Action::TimeMode => self.next_time_mode(),
            Action::TimeReference => self.set_reference(),
            Action::Copy => self.overlay = Overlay::Menu(copy::menu(self)),
            Action::Zoom => self.zoom = !self.zoom,
            Action::Split => self.toggle_split(),
            Action::Resize(by) => self.resize_pane(by),
            Action::ResetPanes => {
                self.shares.clear();
                self.split = Split::Auto;
            }
            Action::Redraw => self.ask(Effect::Redraw),
            Action::Suspend => self.ask(Effect::Suspend),
            Action::Cancel => self.cancel(),
            Action::Mouse => self.toggle_mouse(),
            Action::Sort | Action::SortReverse => self.sort(action == Action::SortReverse),
            Action::Direction => self.messages.next_direction(&self.book, self.height(Pane::Messages)),
            Action::Pings => self.messages.toggle_pings(&self.book, self.height(Pane::Messages)),
            Action::Chat => {
                self.messages.chat = !self.messages.chat;
                self.show_selected();
            }
            Action::Related => self.related(),
            Action::Beside(by) => self.beside(by > 0),
            Action::Wrap if self.screen == Screen::Bytes => self.bytes.next_width(self.columns(Pane::Bytes)),
            Action::Wrap => self.detail.toggle_wrap(),
            Action::NextView => self.detail.next_view(true),
            Action::ChooseView => self.choose_view(),
            Action::Tab(by) => self.next_tab(by),
            Action::FoldAll | Action::UnfoldAll => self.fold_all(action == Action::FoldAll),
            Action::Secrets => self.handshake.secrets = !self.handshake.secrets,
            Action::Offsets => self.bytes.decimal = !self.bytes.decimal,
            Action::Bits => self.bytes.bits = !self.bytes.bits,
            Action::SelectBytes => self.select_bytes(),
            Action::Inspector => self.bytes.hide_inspector = !self.bytes.hide_inspector,
            Action::Severity(by) => self.findings.next_least(by > 0, &self.book, self.height(Pane::Findings)),
        }
    }

    pub(super) fn height(&self, pane: Pane) -> usize {
        self.rows(&self.regions(), pane)
    }

    pub(super) fn columns(&self, pane: Pane) -> usize {
        self.regions().inside(pane).0
    }

    fn go_to(&mut self, screen: Screen) {
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

    fn history(&mut self, by: isize) {
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
            self.messages.select(&self.book, message, self.height(Pane::Messages));
        }
    }

    /// Selects a connection everywhere.
    pub(super) fn open_connection(&mut self, conn: usize) {
        self.connections.select(conn, self.height(Pane::Connections));
        self.messages.open(&self.book, conn, self.height(Pane::Messages));
    }

    pub(super) fn enter(&mut self) {
        match self.focused() {
            Pane::Connections | Pane::Summary => self.deeper(Screen::Messages),
            Pane::Detail if self.detail.view() == PayloadView::Tree => {
                let height = self.height(Pane::Detail);
                if let Some(tree) = &mut self.detail.tree {
                    tree.toggle(height);
                }
            }
            Pane::Messages | Pane::Detail => self.deeper(Screen::Bytes),
            Pane::Request | Pane::Response | Pane::Checks => self.deeper(Screen::Messages),
            Pane::Frames | Pane::Bytes => self.focus(Pane::Fields),
            Pane::Fields => self.bytes.toggle_field(self.height(Pane::Fields)),
            Pane::Findings | Pane::Explanation => self.open_evidence(),
        }
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
            self.messages.select(&self.book, id, self.height(Pane::Messages));
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
            self.messages.select(&self.book, id, self.height(Pane::Messages));
            self.bytes.select_frame_of(&self.book, id, packet, self.height(Pane::Frames));
        }
    }

    pub(super) fn deeper(&mut self, screen: Screen) {
        self.trail.push(self.screen);
        self.show(screen);
    }

    fn back(&mut self) {
        match self.trail.pop().or_else(|| self.screen.parent()) {
            Some(screen) => self.show(screen),
            None => self.ask(Effect::Quit),
        }
    }

    fn escape(&mut self) {
        if self.screen == Screen::Bytes && self.bytes.selection.take().is_some() {
            return;
        }
        if self.search.run.take().is_some() || !self.search.needle.is_empty() {
            self.drop_search();
        } else {
            self.zoom = false;
        }
    }

    fn next_pane(&mut self, by: isize) {
        let panes = self.screen.panes();
        let at = panes.iter().position(|&pane| pane == self.focused()).unwrap_or(0);
        let len = isize::try_from(panes.len()).unwrap_or(1);
        let next = (isize::try_from(at).unwrap_or(0) + by).rem_euclid(len);
        if let Some(&pane) = usize::try_from(next).ok().and_then(|at| panes.get(at)) {
            self.focus(pane);
        }
    }

    /// Moves through the rows of a pane.
    fn go(&mut self, pane: Pane, step: Move) {
        let height = self.height(pane);
        match pane {
            Pane::Connections => self.connections.go(step, height),
            Pane::Messages => self.messages.go(&self.book, step, height),
            Pane::Detail => self.detail.go(step, self.columns(pane), height),
            Pane::Findings => {
                self.findings.go(step, height);
                self.explanation = List::default();
            }
            Pane::Frames => {
                let len = Bytes::frame_count(&self.book, self.bytes.message());
                self.bytes.frames.go(step, len, height);
            }
            Pane::Fields => {
                let (bytes, columns) = (self.height(Pane::Bytes), self.columns(Pane::Bytes));
                self.bytes.go_field(step, height, bytes, columns);
            }
            Pane::Bytes => self.bytes.go_byte(step, height, self.columns(pane), self.height(Pane::Fields)),
            Pane::Summary | Pane::Request | Pane::Response | Pane::Checks | Pane::Explanation => {
                self.scroll_lines(pane, step);
            }
        }
    }

    /// Scrolls a pane that is only read.
    pub(super) fn scroll_lines(&mut self, pane: Pane, step: Move) {
        let (len, height) = (self.lines_of(pane).len(), self.height(pane));
        if let Some(list) = self.line_list_mut(pane) {
            list.scroll(step, len, height);
        }
    }

    /// The lines of a pane that is only read.
    pub(super) fn lines_of(&self, pane: Pane) -> Vec<String> {
        let columns = self.columns(pane);
        match pane {
            Pane::Summary => self.connection().map_or_else(Vec::new, |c| view::summary_lines(self, c, columns)),
            Pane::Request | Pane::Response | Pane::Checks => {
                view::handshake_lines(self, pane, columns).into_iter().map(|(_, line)| line).collect()
            }
            Pane::Explanation => view::explanation_lines(self, columns).into_iter().map(|(_, line)| line).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) const fn line_list(&self, pane: Pane) -> Option<&List> {
        match pane {
            Pane::Summary => Some(&self.summary),
            Pane::Request => Some(&self.handshake.request),
            Pane::Response => Some(&self.handshake.response),
            Pane::Checks => Some(&self.handshake.checks),
            Pane::Explanation => Some(&self.explanation),
            _ => None,
        }
    }

    pub(super) const fn line_list_mut(&mut self, pane: Pane) -> Option<&mut List> {
        match pane {
            Pane::Summary => Some(&mut self.summary),
            Pane::Request => Some(&mut self.handshake.request),
            Pane::Response => Some(&mut self.handshake.response),
            Pane::Checks => Some(&mut self.handshake.checks),
            Pane::Explanation => Some(&mut self.explanation),
            _ => None,
        }
    }

    fn sideways(&mut self, right: bool) {
        let pane = self.focused();
        let height = self.height(pane);
        let tree_view = self.detail.view() == PayloadView::Tree;
        let scroll = match (pane, &mut self.detail.tree) {
            (Pane::Detail, Some(tree)) if tree_view => {
                return if right { tree.right(height) } else { tree.left(height) };
            }
            (Pane::Fields, _) => return self.sideways_in_fields(right),
            (Pane::Bytes, _) => {
                let (columns, fields) = (self.columns(pane), self.height(Pane::Fields));
                return self.bytes.step_byte(if right { 1 } else { -1 }, height, columns, fields);
            }
            (Pane::Detail, _) if !self.detail.wrap => &mut self.detail.scroll,
            (Pane::Messages, _) => &mut self.messages.scroll,
            (Pane::Connections, _) => &mut self.connections.scroll,
            _ => return,
        };
        *scroll = if right { (*scroll + SIDEWAYS).min(4096) } else { scroll.saturating_sub(SIDEWAYS) };
    }

    fn sideways_in_fields(&mut self, right: bool) {
        let height = self.height(Pane::Fields);
        if !self.bytes.fold_field(!right, height) && !right {
            self.bytes.select_heading(height);
        }
    }

    fn fold_all(&mut self, folded: bool) {
        let height = self.height(self.focused());
        match (self.screen, &mut self.detail.tree) {
            (Screen::Bytes, _) => self.bytes.fold_all(folded, height),
            (_, Some(tree)) => tree.fold_all(folded, height),
            (_, None) => {}
        }
    }

    fn next_tab(&mut self, by: isize) {
        if self.screen != Screen::Bytes {
            return self.detail.next_view(by > 0);
        }
        self.bytes.next_source(by > 0);
    }

    fn step_connection(&mut self, by: isize) {
        self.connections.go(Move::Rows(by), self.height(Pane::Connections));
    }

    fn step_message(&mut self, by: isize) {
        self.messages.go(&self.book, Move::Rows(by), self.height(Pane::Messages));
    }

    fn problem(&mut self, forward: bool) {
        let found = match self.screen {
            Screen::Connections | Screen::Handshake => self.problem_connection(forward),
            Screen::Messages | Screen::Bytes => self.problem_message(forward),
            Screen::Findings => self.problem_finding(forward),
        };
        if !found {
            self.say(if forward { "no later error or warning here" } else { "no earlier error or warning here" });
        }
    }

    fn problem_connection(&mut self, forward: bool) -> bool {
        let bad = |row: &usize| {
            let connection = self.connections.at(*row).and_then(|index| self.book.connection(index));
            connection.and_then(connections::severity) >= Some(Severity::Warning)
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
            self.messages.select(&self.book, id, self.height(Pane::Messages));
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

    fn next_time_mode(&mut self) {
        let reference = self.reference.is_some();
        let messages = self.screen != Screen::Connections;
        let mode = if messages { &mut self.times.1 } else { &mut self.times.0 };
        *mode = mode.next(messages, reference);
    }

    fn set_reference(&mut self) {
        use super::clock::TimeMode::{DeltaShown, Local, SinceReference};
        if self.reference.take().is_some() {
            let old = |mode, usual| if mode == SinceReference { usual } else { mode };
            self.times = (old(self.times.0, Local), old(self.times.1, DeltaShown));
            return self.say("time reference cleared");
        }
        self.reference = match self.screen {
            Screen::Connections => self.connection().map(|connection| connection.span.first),
            _ => self.messages.selected().and_then(|id| self.book.message(id)).map(|row| row.last),
        };
        if self.reference.is_some() {
            self.times = (SinceReference, SinceReference);
        }
    }

    fn toggle_split(&mut self) {
        let side = self.regions().divider.is_some_and(|at| matches!(at, super::layout::Divider::Column(_)));
        self.split = if side { Split::Stacked } else { Split::Side };
    }

    fn resize_pane(&mut self, by: isize) {
        let first = self.screen.panes().first() == Some(&self.focused());
        let step = if (by > 0) == first { RESIZE_STEP } else { -RESIZE_STEP };
        let share = self.shares.entry(self.screen).or_default();
        *share = (*share + step).clamp(-80, 80);
    }

    /// What runs is stopped; when nothing runs, the user wants to leave.
    fn cancel(&mut self) {
        if self.search.run.take().is_some() {
            self.say("search stopped");
        } else if !self.load.is_done() && !self.load.stopped {
            self.load.stopped = true;
            self.ask(Effect::StopLoading);
        } else if std::mem::replace(&mut self.leaving, true) {
            self.ask(Effect::Quit);
        } else {
            self.say("^C again quits");
        }
    }

    fn toggle_mouse(&mut self) {
        self.mouse = !self.mouse;
        self.ask(Effect::Mouse(self.mouse));
        self.say(if self.mouse { "mouse on: hold Shift to select text" } else { "mouse off" });
    }

    fn sort(&mut self, reverse: bool) {
        let height = self.height(self.focused());
        match (self.focused(), reverse) {
            (Pane::Connections, false) => self.connections.next_sort(&self.book, height),
            (Pane::Connections, true) => self.connections.reverse(&self.book, height),
            (Pane::Messages, false) => self.messages.next_sort(&self.book, height),
            (Pane::Messages, true) => self.messages.reverse(&self.book, height),
            _ => {}
        }
    }

    fn related(&mut self) {
        if self.screen == Screen::Findings {
            return self.open_second_evidence();
        }
        match self.detail.related {
            Some(id) => {
                self.remember();
                self.messages.select(&self.book, id, self.height(Pane::Messages));
            }
            None => self.say("no ping or pong belongs to this message"),
        }
    }

    fn beside(&mut self, forward: bool) {
        let height = self.height(self.focused());
        match (self.focused(), &mut self.detail.tree) {
            (Pane::Detail, Some(tree)) => tree.sibling(forward, height),
            (Pane::Frames | Pane::Fields | Pane::Bytes, _) => {
                let (fields, bytes) = (self.height(Pane::Fields), self.height(Pane::Bytes));
                let step = Move::Rows(if forward { 1 } else { -1 });
                self.bytes.go_field(step, fields, bytes, self.columns(Pane::Bytes));
            }
            (Pane::Messages, _) => {
                let dir_of = |id| self.book.kind(id).map(|(dir, _)| dir);
                let dir = self.messages.selected().and_then(dir_of);
                if let Some(id) = self.messages.find(&self.book, forward, |id| dir_of(id) == dir) {
                    self.messages.select(&self.book, id, height);
                }
            }
            _ => {}
        }
    }

    /// Begins to select bytes: from a field its own; or stops.
    fn select_bytes(&mut self) {
        if self.bytes.selection.take().is_some() {
            return;
        }
        let (height, columns) = (self.height(Pane::Bytes), self.columns(Pane::Bytes));
        self.bytes.begin_selection(self.focused() == Pane::Bytes, height, columns);
        self.focus(Pane::Bytes);
    }

    fn choose_view(&mut self) {
        let choices = self.detail.views().map(Choice::View).collect();
        self.overlay = Overlay::Menu(Menu::new("Show payload as", choices));
    }
}
