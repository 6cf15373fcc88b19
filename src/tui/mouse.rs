//! The mouse: clicks, double clicks, the wheel and dragged borders.

use super::action::Action;
use super::app::{App, Overlay, Pane};
use super::bytes::Bytes;
use super::ladder::{Layout, Row, Rung};
use super::layout::{Divider, inner};
use super::list::Move;
use super::settle::CHAT_ROWS;
use super::view;
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};
use std::time::{Duration, Instant};

/// Two clicks in this time are a double click.
const DOUBLE: Duration = Duration::from_millis(400);

/// Rows that one notch of the wheel scrolls.
const WHEEL: isize = 3;

/// What the pointer did last.
#[derive(Debug, Default)]
pub(super) struct Pointer {
    last_click: Option<(Position, Instant)>,
    dragging: bool,
}

impl App {
    pub(super) fn mouse_event(&mut self, event: MouseEvent) {
        let at = Position { x: event.column, y: event.row };
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => self.click(at),
            MouseEventKind::Down(MouseButton::Right) => self.right_click(at),
            MouseEventKind::Drag(MouseButton::Left) if self.pointer.dragging => self.drag(at),
            MouseEventKind::Up(MouseButton::Left) => self.pointer.dragging = false,
            MouseEventKind::ScrollDown => self.wheel(at, WHEEL),
            MouseEventKind::ScrollUp => self.wheel(at, -WHEEL),
            _ => {}
        }
    }

    fn click(&mut self, at: Position) {
        self.moved = true;
        self.said = None;
        if self.overlay != Overlay::None {
            self.overlay = Overlay::None;
            return;
        }
        let double = self.pointer.last_click.take().is_some_and(|(last, when)| last == at && when.elapsed() < DOUBLE);
        if !double {
            self.pointer.last_click = Some((at, Instant::now()));
        }
        let regions = self.regions();
        if regions.header.contains(at) {
            if let Some(screen) = view::tab_at(self, at.x) {
                self.act(Action::Go(screen));
            }
        } else if regions.filter.contains(at) {
            self.act(Action::Filter);
        } else if is_on(regions.divider, at) && regions.divided.contains(at) {
            self.pointer.dragging = true;
        } else if let Some((pane, area)) = regions.pane_at(at) {
            self.focus(pane);
            self.click_in(pane, area, at);
            if double {
                self.enter();
            }
        }
    }

    /// Selects what is under the pointer, and offers ways to filter by it.
    fn right_click(&mut self, at: Position) {
        let area = self.regions().pane_at(at);
        if let Some((pane, area)) = area.filter(|_| self.overlay == Overlay::None) {
            self.focus(pane);
            // A click on a head, or on a fold mark, means something else.
            if inner(area).contains(at) && usize::from(at.y - inner(area).y) >= Self::fixed_lines(&self.regions(), pane)
            {
                self.click_in(pane, area, at);
            }
            self.settle();
            self.act(Action::FilterMenu);
        } else {
            self.overlay = Overlay::None;
        }
    }

    fn click_in(&mut self, pane: Pane, area: Rect, at: Position) {
        let inside = inner(area);
        if !inside.contains(at) {
            return;
        }
        let (x, y) = (usize::from(at.x - inside.x), usize::from(at.y - inside.y));
        if pane == Pane::Messages && self.messages.layout == Layout::Chat {
            return self.select_row(pane, self.messages.list.top + y / CHAT_ROWS);
        }
        let Some(line) = y.checked_sub(Self::fixed_lines(&self.regions(), pane)) else {
            return self.click_on_head(pane, x);
        };
        match pane {
            Pane::Connections => self.select_row(pane, self.connections.list.top + line),
            Pane::Messages if self.messages.layout == Layout::Ladder => self.click_in_ladder(line),
            Pane::Messages => self.select_row(pane, self.messages.list.top + line),
            Pane::Findings => self.select_row(pane, self.findings.list.top + line),
            Pane::Frames => self.select_row(pane, self.bytes.frames.top + line),
            Pane::Detail => self.click_in_tree(line, x),
            Pane::Fields => self.click_in_fields(line, x),
            Pane::Bytes => self.click_in_bytes(line, x),
            Pane::Throughput => self.click_in_chart(x),
            Pane::Sizes | Pane::RoundTrips | Pane::Types => {}
            Pane::Summary | Pane::Request | Pane::Response | Pane::Checks | Pane::Explanation => {}
        }
    }

    /// Of the ladder's rows, messages can be selected.
    fn click_in_ladder(&mut self, line: usize) {
        let rows = self.ladder.rows(&self.book, &self.messages, Self::ladder_height(&self.regions()));
        if let Some(Row { rung: Rung::Message(id), .. }) = rows.get(line) {
            self.select_message(*id);
        }
    }

    fn click_in_fields(&mut self, line: usize, x: usize) {
        let row = self.bytes.fields.top + line;
        let Some(mark) = self.bytes.field(row).map(view::field_mark_column) else { return };
        self.select_row(Pane::Fields, row);
        if x == mark {
            self.bytes.toggle_field(self.height(Pane::Fields));
        }
    }

    fn click_in_bytes(&mut self, line: usize, x: usize) {
        let columns = self.columns(Pane::Bytes);
        if let Some(place) = self.bytes.place_at(line, x, columns) {
            let (height, fields) = (self.height(Pane::Bytes), self.height(Pane::Fields));
            self.bytes.selection = None;
            self.bytes.select_byte(place, height, columns, fields);
        }
    }

    /// A click on a fold mark folds, any other selects.
    fn click_in_tree(&mut self, line: usize, x: usize) {
        let height = self.height(Pane::Detail);
        let Some(tree) = self.detail.tree_mut() else { return };
        let row = tree.list.top + line;
        let Some(mark) = tree.node(row).map(|(_, node)| view::fold_mark_column(node)) else { return };
        let len = tree.len();
        tree.list.select(row, len, height);
        if x == mark {
            tree.toggle(height);
        }
    }

    /// A click on the head of a column sorts by it.
    fn click_on_head(&mut self, pane: Pane, x: usize) {
        let height = self.height(pane);
        match pane {
            Pane::Connections => {
                if let Some(sort) = view::connection_column_at(self, x) {
                    self.connections.clicked(sort, &self.book, height);
                }
            }
            Pane::Messages if self.messages.layout == Layout::List => {
                if let Some(sort) = view::message_column_at(self, x) {
                    self.messages.clicked(sort, &self.book, height);
                }
            }
            _ => {}
        }
    }

    fn drag(&mut self, at: Position) {
        let regions = self.regions();
        let body = regions.divided;
        let (place, whole, side) = match regions.divider {
            Some(Divider::Column(_)) => (at.x.saturating_sub(body.x), body.width, true),
            Some(Divider::Row(_)) => (at.y.saturating_sub(body.y), body.height, false),
            None => return,
        };
        let percent = i32::from(place) * 100 / i32::from(whole.max(1));
        let share = percent - i32::from(self.screen.first_share(side, self.size.0));
        self.shares.insert(self.screen, i16::try_from(share.clamp(-80, 80)).unwrap_or(0));
    }

    /// Scrolls the pane under the pointer; its selection stays.
    fn wheel(&mut self, at: Position, by: isize) {
        let Some((pane, _)) = self.regions().pane_at(at) else { return };
        let (step, height) = (Move::Rows(by), self.height(pane));
        match (&mut self.overlay, pane) {
            (Overlay::Help(_) | Overlay::Sessions(_) | Overlay::Menu(_) | Overlay::Columns(_), _) => {
                self.move_in_overlay(step)
            }
            (Overlay::Hits, _) => self.move_in_hits(step),
            (_, Pane::Connections) => {
                let len = self.connections.len();
                self.connections.list.scroll(step, len, height);
            }
            (_, Pane::Messages) => {
                let len = self.messages.ids(&self.book).len();
                self.messages.list.scroll(step, len, height);
            }
            (_, Pane::Detail) => {
                let columns = self.columns(pane);
                self.detail.scroll(step, columns, height);
            }
            (_, Pane::Findings) => {
                let len = self.findings.len();
                self.findings.list.scroll(step, len, height);
            }
            (_, Pane::Frames) => {
                let len = Bytes::frame_count(&self.book, self.bytes.message());
                self.bytes.frames.scroll(step, len, height);
            }
            (_, Pane::Fields) => {
                let len = self.bytes.field_count();
                self.bytes.fields.scroll(step, len, height);
            }
            (_, Pane::Bytes) => self.bytes.scroll_bytes(step, height, self.regions().inside(pane).0),
            (_, Pane::Summary | Pane::Request | Pane::Response | Pane::Checks | Pane::Explanation) => {
                self.scroll_lines(pane, step);
            }
            (_, Pane::Sizes | Pane::RoundTrips | Pane::Types) => self.scroll_lines(pane, step),
            (_, Pane::Throughput) => {
                let (bins, visible) = (self.stats.bins(), self.stats.visible(self.chart_columns()));
                self.stats.chart.scroll(step, bins, visible);
            }
        }
    }
}

fn is_on(divider: Option<Divider>, at: Position) -> bool {
    match divider {
        Some(Divider::Column(x)) => at.x == x || at.x + 1 == x,
        Some(Divider::Row(y)) => at.y == y,
        None => false,
    }
}
