//! A place in a list, and the part of the list that is on the screen.

use std::time::{Duration, Instant};

/// Cursor and first visible row of a list whose length and height are told with every call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct List {
    /// The selected row.
    pub(super) cursor: usize,
    /// The first visible row.
    pub(super) top: usize,
}

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// By rows, downwards when positive.
    Rows(isize),
    /// By half the height of the pane, times this.
    Halves(isize),
    /// By the height of the pane, times this.
    Pages(isize),
    /// To the first row.
    Top,
    /// To the last row.
    Bottom,
    /// To this row, from 0.
    To(usize),
}

impl Move {
    /// Where it leads from `at`.
    pub(super) fn from(self, at: usize, len: usize, height: usize) -> usize {
        let last = len.saturating_sub(1);
        let page = isize::try_from(height.max(1)).unwrap_or(isize::MAX);
        let by = match self {
            Self::Top => return 0,
            Self::Bottom => return last,
            Self::To(row) => return row.min(last),
            Self::Rows(rows) => rows,
            Self::Halves(times) => times.saturating_mul((page / 2).max(1)),
            Self::Pages(times) => times.saturating_mul((page - 1).max(1)),
        };
        at.saturating_add_signed(by).min(last)
    }
}

impl List {
    /// Moves the cursor and shows it.
    pub(super) fn go(&mut self, step: Move, len: usize, height: usize) {
        self.cursor = step.from(self.cursor, len, height);
        self.show(len, height);
    }

    /// Moves the view, not the cursor: for panes that are read, and for the wheel.
    pub(super) fn scroll(&mut self, step: Move, len: usize, height: usize) {
        let last = len.saturating_sub(height.max(1));
        self.top = step.from(self.top.min(last), last + 1, height);
    }

    /// Selects a row and shows it.
    pub(super) fn select(&mut self, row: usize, len: usize, height: usize) {
        self.cursor = row;
        self.show(len, height);
    }

    /// Scrolls just so far that the cursor is visible.
    pub(super) fn show(&mut self, len: usize, height: usize) {
        let height = height.max(1);
        self.cursor = self.cursor.min(len.saturating_sub(1));
        self.top = self.top.clamp((self.cursor + 1).saturating_sub(height), self.cursor);
        self.settle(len, height);
    }

    /// Keeps the view within the list.
    pub(super) fn settle(&mut self, len: usize, height: usize) {
        self.cursor = self.cursor.min(len.saturating_sub(1));
        self.top = self.top.min(len.saturating_sub(height.max(1)));
    }
}

/// Keeps a costly job from taking more than a small part of the time while a capture is being read.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<(Instant, Duration)>,
}

impl Pace {
    /// Of twenty moments one is for the job.
    const SHARE: u32 = 20;

    /// Whether it is time again.
    pub(super) fn is_due(&self) -> bool {
        self.last.is_none_or(|(ended, cost)| ended.elapsed() >= cost * Self::SHARE)
    }

    /// What a job has cost that was done bit by bit, up to now.
    pub(super) fn has_cost(&mut self, cost: Duration) {
        self.last = Some((Instant::now(), cost));
    }

    /// Runs the job and remembers what it cost.
    pub(super) fn run<T>(&mut self, job: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let out = job();
        self.last = Some((Instant::now(), begun.elapsed()));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scrolls_only_as_far_as_needed() {
        let mut list = List::default();
        list.go(Move::Rows(4), 100, 5);
        assert_eq!(list, List { cursor: 4, top: 0 });
        list.go(Move::Rows(1), 100, 5);
        assert_eq!(list, List { cursor: 5, top: 1 });
        list.go(Move::Bottom, 100, 5);
        assert_eq!(list, List { cursor: 99, top: 95 });
        list.go(Move::Pages(-1), 100, 5);
        assert_eq!(list, List { cursor: 95, top: 95 });
    }

    proptest! {
        #[test]
        fn the_cursor_is_always_in_the_list_and_on_the_screen(
            moves in proptest::collection::vec((-300_isize..300, 0_usize..5), 1..20), len in 0_usize..200, height in 0_usize..50,
        ) {
            let mut list = List::default();
            for (by, kind) in moves {
                list.go([Move::Rows(by), Move::Halves(by), Move::Pages(by), Move::Bottom, Move::To(by.unsigned_abs())][kind], len, height);
                prop_assert!(list.cursor < len.max(1));
                prop_assert!(list.top <= list.cursor && list.cursor < list.top + height.max(1));
            }
        }
    }
}
