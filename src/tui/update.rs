//! From keys to changes of the state.

use super::action::{Action, Screen};
use super::app::{App, Effect, Overlay, Pane};
use super::bytes::Bytes;
use super::detail::PayloadView;
use super::keys::Key;
use super::ladder::Layout;
use super::layout::Split;
use super::list::{List, Move};
use super::menu::{Choice, Menu};
use super::{apply, copy, view};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind};

/// Columns by which one key scrolls sideways.
const SIDEWAYS: usize = 8;

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
            Event::Paste(text) if self.overlay == Overlay::Command => self.paste_command(text),
            Event::Paste(text) if self.overlay == Overlay::Everywhere => self.paste_everywhere(text),
            Event::Paste(text) if self.overlay == Overlay::Filter => self.paste_filter(text),
            Event::Paste(text) if self.overlay == Overlay::Comment => self.paste_comment(text),
            Event::Paste(text) if self.overlay == Overlay::Export => self.paste_path(text),
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
                if let Some(action) = self.keymap.action(self.focused(), key) {
                    self.act(action);
                }
            }
            Overlay::Search => self.search_key(event, key),
            Overlay::Command => self.command_key(event, key),
            Overlay::Filter => self.filter_key(event, key),
            Overlay::Comment => self.comment_key(event, key),
            Overlay::Export => self.export_key(event, key),
            Overlay::Columns(_) => self.choosing_key(event, key),
            Overlay::Everywhere => self.everywhere_key(event, key),
            Overlay::Hits => self.hits_key(event, key),
            Overlay::Palette(_) => self.palette_key(event, key),
            Overlay::Help(_) | Overlay::Sessions(_) | Overlay::Menu(_) => self.overlay_key(event.code, key),
        }
    }

    fn overlay_key(&mut self, code: KeyCode, key: Key) {
        let choice = match &self.overlay {
            Overlay::Menu(menu) if code == KeyCode::Enter => menu.current(),
            Overlay::Menu(menu) => key.character().and_then(|letter| menu.by_letter(letter)),
            _ => None,
        };
        match (choice, self.keymap.action(self.focused(), key)) {
            (Some(choice), _) => self.choose(choice),
            (None, Some(Action::Move(step))) => self.move_in_overlay(step),
            (None, Some(Action::Quit)) => self.ask(Effect::Quit),
            (None, _) => self.overlay = Overlay::None,
        }
    }

    /// Scrolls the help or the list of TLS streams, or goes through a menu.
    pub(super) fn move_in_overlay(&mut self, step: Move) {
        let body = self.regions().body;
        let height = usize::from(body.height).saturating_sub(2);
        let tops = view::overlay_lines(self, body.width).saturating_sub(height) + 1;
        match &mut self.overlay {
            Overlay::Help(top) | Overlay::Sessions(top) => *top = step.from(*top, tops, height),
            Overlay::Columns(it) => it.cursor = step.from(it.cursor, it.entries.len(), height),
            Overlay::Menu(menu) => menu.cursor = step.from(menu.cursor, menu.choices.len(), height),
            Overlay::None
            | Overlay::Search
            | Overlay::Command
            | Overlay::Filter
            | Overlay::Comment
            | Overlay::Palette(_)
            | Overlay::Everywhere
            | Overlay::Hits
            | Overlay::Export => {}
        }
    }

    fn choose(&mut self, choice: Choice) {
        self.overlay = Overlay::None;
        match choice {
            Choice::Expression(text) => self.overlay = Overlay::Menu(apply::joints(&text)),
            Choice::Joint(joint, text) => self.join_filter(joint, &text),
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
        if !matches!(
            action,
            Action::Redraw
                | Action::Reload
                | Action::Cancel
                | Action::Mouse
                | Action::Help
                | Action::Command
                | Action::Palette
        ) {
            self.moved = true;
            self.landmark = None;
        }
        match action {
            Action::Go(screen) => self.go_to(screen),
            Action::Pane(by) => self.next_pane(by),
            Action::Enter => self.enter(),
            Action::Escape => self.escape(),
            Action::Back => self.back(),
            Action::Quit => self.ask(Effect::Quit),
            Action::Help => self.overlay = Overlay::Help(0),
            Action::Command => self.start_command(),
            Action::Palette => self.start_palette(),
            Action::DecodeAs => self.start_decode_as(),
            Action::Search => self.start_search(),
            Action::SearchAll => self.start_everywhere(),
            Action::Filter => self.start_filter(),
            Action::ToggleFilter => self.toggle_filter(),
            Action::ApplyField => self.apply_field(),
            Action::FilterMenu => self.filter_menu(),
            Action::Export => self.start_export(),
            Action::Mark => self.toggle_mark(),
            Action::Comment => self.start_comment(),
            Action::NextMark(by) => self.next_mark(by > 0),
            Action::OnlyMarked => self.only_marked(),
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
            Action::Reload => self.reload(),
            Action::Path => self.type_path(),
            Action::Suspend => self.ask(Effect::Suspend),
            Action::Cancel => self.cancel(),
            Action::Mouse => self.toggle_mouse(),
            Action::Sort | Action::SortReverse => self.sort(action == Action::SortReverse),
            Action::Columns => self.start_choosing(),
            Action::Direction if self.screen == Screen::Stats => self.stats.next_direction(),
            Action::Direction => self.messages.next_direction(&self.book, self.height(Pane::Messages)),
            Action::Previews => self.toggle_previews(),
            Action::Pings => self.messages.toggle_pings(&self.book, self.height(Pane::Messages)),
            Action::Layout => {
                self.messages.next_layout(&self.book, self.height(Pane::Messages));
                self.show_selected();
            }
            Action::OfClient => self.toggle_client(),
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
            Action::Metric => self.stats.metric = self.stats.metric.next(),
            Action::Bins(by) => self.resize_bins(by > 0),
            Action::Extent(by) => self.stats.next_extent(by > 0),
            Action::Severity(by) => self.findings.next_least(by > 0, &self.book, self.height(Pane::Findings)),
        }
    }

    pub(super) fn height(&self, pane: Pane) -> usize {
        self.rows(&self.regions(), pane)
    }

    pub(super) fn columns(&self, pane: Pane) -> usize {
        self.regions().inside(pane).0
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
            Pane::Throughput => self.stats.go(step, self.chart_columns()),
            Pane::Summary | Pane::Request | Pane::Response | Pane::Checks | Pane::Explanation => {
                self.scroll_lines(pane, step);
            }
            Pane::Sizes | Pane::RoundTrips | Pane::Types => self.scroll_lines(pane, step),
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
        let (columns, height) = self.regions().inside(pane);
        match pane {
            Pane::Summary => self.connection().map_or_else(Vec::new, |c| view::summary_lines(self, c, columns)),
            Pane::Request | Pane::Response | Pane::Checks => {
                view::handshake_lines(self, pane, columns).into_iter().map(|(_, line)| line).collect()
            }
            Pane::Explanation => view::explanation_lines(self, columns).into_iter().map(|(_, line)| line).collect(),
            Pane::Sizes | Pane::RoundTrips | Pane::Types => {
                view::stats_lines(self, pane, columns, height).iter().map(ToString::to_string).collect()
            }
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
            Pane::Sizes => Some(&self.stats.sizes),
            Pane::RoundTrips => Some(&self.stats.round_trips),
            Pane::Types => Some(&self.stats.types),
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
            Pane::Sizes => Some(&mut self.stats.sizes),
            Pane::RoundTrips => Some(&mut self.stats.round_trips),
            Pane::Types => Some(&mut self.stats.types),
            _ => None,
        }
    }

    fn sideways(&mut self, right: bool) {
        let pane = self.focused();
        let height = self.height(pane);
        let is_scrolled = !self.detail.wrap || self.detail.view() == PayloadView::Diff;
        let scroll = match (pane, self.detail.tree_mut()) {
            (Pane::Detail, Some(tree)) => {
                return if right { tree.right(height) } else { tree.left(height) };
            }
            (Pane::Fields, _) => return self.sideways_in_fields(right),
            (Pane::Throughput | Pane::Sizes | Pane::RoundTrips | Pane::Types, _) => {
                return self.stats.go(Move::Rows(if right { 1 } else { -1 }), self.chart_columns());
            }
            (Pane::Bytes, _) => {
                let (columns, fields) = (self.columns(pane), self.height(Pane::Fields));
                return self.bytes.step_byte(if right { 1 } else { -1 }, height, columns, fields);
            }
            (Pane::Detail, _) if is_scrolled => &mut self.detail.scroll,
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
        match (self.screen, self.detail.tree_mut()) {
            (Screen::Bytes, _) => self.bytes.fold_all(folded, height),
            (_, Some(tree)) => tree.fold_all(folded, height),
            (_, None) => {}
        }
    }

    fn toggle_client(&mut self) {
        self.messages.toggle_client(&self.book, self.height(Pane::Messages));
        if self.messages.is_of_client() && !self.messages.has_several() {
            self.say("the client has no other connection");
        }
    }

    fn next_tab(&mut self, by: isize) {
        if self.screen != Screen::Bytes {
            return self.detail.next_view(by > 0);
        }
        self.bytes.next_source(by > 0);
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
        self.split = if self.regions().side { Split::Stacked } else { Split::Side };
    }

    fn resize_pane(&mut self, by: isize) {
        let first = self.screen.panes().first() == Some(&self.focused());
        let step = if (by > 0) == first { RESIZE_STEP } else { -RESIZE_STEP };
        let share = self.shares.entry(self.screen).or_default();
        *share = (*share + step).clamp(-80, 80);
    }

    /// Stops what runs; again, or twice when nothing runs: the user wants to leave.
    fn cancel(&mut self) {
        if std::mem::replace(&mut self.leaving, true) {
            self.ask(Effect::Quit);
        } else if self.search.run.take().is_some() {
            self.say("search stopped");
        } else if self.everywhere.is_busy(&self.book) {
            self.everywhere.is_stopped = true;
            self.say("search stopped");
        } else if self.stop_filter() || self.stop_ranking() {
        } else if self.load.is_done() && self.rereading.is_some() {
            self.ask(Effect::StopLoading);
        } else if !self.load.is_done() {
            self.load.stopped = true;
            self.ask(Effect::StopLoading);
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
            (Pane::Messages, _) if self.messages.layout == Layout::Ladder => self.say("a ladder goes down in time"),
            (Pane::Messages, false) => self.messages.next_sort(&self.book, height),
            (Pane::Messages, true) => self.messages.reverse(&self.book, height),
            _ => {}
        }
        self.warn_of_many();
    }

    fn beside(&mut self, forward: bool) {
        let height = self.height(self.focused());
        match (self.focused(), self.detail.tree_mut()) {
            (Pane::Request | Pane::Response | Pane::Checks, _) => self.along_chain(forward),
            (Pane::Throughput | Pane::Sizes | Pane::RoundTrips | Pane::Types, _) => self.beside_in_chart(forward),
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
