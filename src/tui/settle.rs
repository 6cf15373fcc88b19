//! The panes as they fit the screen, and the lists as they fit the panes.

use super::action::Screen;
use super::app::{App, Overlay, Pane};
use super::ladder::{Layout, Rung};
use super::layout::{self, Regions, Wishes};

/// Rows of the pane of bytes from which on there is one for where a byte comes from.
const ROOM_FOR_PROVENANCE: usize = 12;

/// Rows of a message in the conversation: who and when, what, and a blank one.
pub(super) const CHAT_ROWS: usize = 3;

impl App {
    /// Brings every list in step with the book and the screen's size.
    pub fn settle(&mut self) {
        let regions = self.regions();
        let height = self.rows(&regions, Pane::Connections);
        self.connections.refresh(&self.book, height, self.is_loading());
        self.start_at_messages();
        self.settle_messages(&regions);
        self.seek_landmark();
        self.settle_hearing(&regions);
        self.settle_columns(&regions);
        if matches!(self.screen, Screen::Messages | Screen::Bytes) {
            self.detail.open(&self.book, self.messages.selected());
            self.detail.listen(&self.book, &mut self.previews.desk);
            self.detail.compare(&self.book, self.comparable());
            self.detail.settle(regions.inside(Pane::Detail).0, self.rows(&regions, Pane::Detail));
        }
        if self.screen == Screen::Bytes {
            self.bytes.open(&self.book, &self.detail);
            self.bytes.settle(
                self.rows(&regions, Pane::Fields),
                self.rows(&regions, Pane::Bytes),
                regions.inside(Pane::Bytes).0,
            );
            self.settle_packets();
        }
        if self.screen == Screen::Handshake {
            self.handshake.open(&self.book, self.connections.selected());
        }
        if self.screen == Screen::Stats {
            self.settle_stats(regions.inside(Pane::Throughput).0);
        }
        let height = self.rows(&regions, Pane::Findings);
        self.findings.refresh(&self.book, height);
    }

    /// The connection that was chosen is shown; where a message of another one was, that is chosen from now on.
    fn settle_messages(&mut self, regions: &Regions) {
        let height = self.rows(regions, Pane::Messages);
        match self.connections.selected() {
            Some(conn) if self.messages.conn() != Some(conn) => self.messages.open(&self.book, conn, height),
            _ => {
                if let Some(conn) = self.messages.follow(&self.book) {
                    self.connections.select(conn, self.rows(regions, Pane::Connections));
                }
            }
        }
        self.messages.refresh(&self.book, height, self.is_loading());
        if self.messages.layout == Layout::Ladder {
            let height = Self::ladder_height(regions);
            self.ladder.refresh(&self.book, &mut self.messages, height, !self.load.is_done());
        }
    }

    /// A capture with one connection opens on its messages, unless the user has already gone somewhere.
    fn start_at_messages(&mut self) {
        if self.load.just_done() && !self.moved && self.book.connections() == 1 {
            self.screen = Screen::Messages;
        }
    }

    /// The size of the screen, as it was last told.
    pub const fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Tells the size of the screen; the selected rows stay visible.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.settle();
        self.show_selected();
    }

    /// Scrolls every list to its selected row, after the panes have changed.
    pub(super) fn show_selected(&mut self) {
        let regions = self.regions();
        self.connections.list.show(self.connections.len(), self.rows(&regions, Pane::Connections));
        let len = self.messages.ids(&self.book).len();
        self.messages.list.show(len, self.rows(&regions, Pane::Messages));
        if self.messages.layout == Layout::Ladder {
            self.ladder.show_selected(&self.book, &mut self.messages, Self::ladder_height(&regions));
        }
        let height = self.rows(&regions, Pane::Detail);
        if let Some(tree) = self.detail.tree_mut() {
            let len = tree.len();
            tree.list.show(len, height);
        }
        let len = self.findings.len();
        self.findings.list.show(len, self.rows(&regions, Pane::Findings));
        let len = self.bytes.field_count();
        self.bytes.fields.show(len, self.rows(&regions, Pane::Fields));
        self.bytes.show_cursor(self.rows(&regions, Pane::Bytes), regions.inside(Pane::Bytes).0);
    }

    pub(super) fn regions(&self) -> Regions {
        Regions::new(&Wishes {
            size: self.size,
            screen: self.screen,
            focus: self.focused(),
            // What is read aloud stands alone.
            zoom: self.zoom || self.plain,
            split: self.split,
            share: self.shares.get(&self.screen).copied().unwrap_or(0),
            banner: self.load.banner(self.size.0.into()).is_some(),
            filter: self.shows_filter(),
        })
    }

    /// Whether the filter bar is shown: where there is room for it, and wherever it has something to say.
    fn shows_filter(&self) -> bool {
        let is_idle = self.filter.text.is_empty() && self.filter.running.is_none() && self.overlay != Overlay::Filter;
        !is_idle || self.size.1 >= layout::ROOM_FOR_FILTER && !self.shows_nothing()
    }

    /// Rows for the content of a pane: its inside without its fixed lines.
    pub(super) fn rows(&self, regions: &Regions, pane: Pane) -> usize {
        let foot = match pane {
            Pane::Detail => usize::from(self.detail.related.is_some()),
            Pane::Bytes => self.inspector_rows(regions.inside(pane).1).into(),
            _ => 0,
        };
        let rows = regions.inside(pane).1;
        match self.messages.layout {
            Layout::Chat if pane == Pane::Messages => rows / CHAT_ROWS,
            Layout::Ladder if pane == Pane::Messages => {
                let seen = self.ladder.rows(&self.book, &self.messages, Self::ladder_height(regions));
                seen.iter().filter(|row| matches!(row.rung, Rung::Message(_))).count().max(1)
            }
            _ => rows.saturating_sub(Self::fixed_lines(regions, pane) + foot),
        }
    }

    /// Rows of the ladder, of which messages are some.
    pub(super) fn ladder_height(regions: &Regions) -> usize {
        regions.inside(Pane::Messages).1.saturating_sub(Self::fixed_lines(regions, Pane::Messages))
    }

    /// Lines at the top of a pane that do not scroll.
    pub(super) const fn fixed_lines(regions: &Regions, pane: Pane) -> usize {
        match pane {
            Pane::Connections | Pane::Messages | Pane::Frames | Pane::Findings => 1,
            Pane::Detail if regions.wide => 4,
            Pane::Detail => 1,
            _ => 0,
        }
    }

    /// Rows below the bytes, in a pane of that height: a blank one, numbers, the field, where it all comes from.
    pub(super) const fn inspector_rows(&self, height: usize) -> u16 {
        match self.bytes.hide_inspector {
            true => 0,
            false if height < ROOM_FOR_PROVENANCE => 3,
            false => 4,
        }
    }
}
