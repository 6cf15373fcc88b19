//! A backend that keeps its place: terminals do not agree on how wide a cluster of characters is.

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use std::io::{self, Stdout};

/// The usual backend, but the cursor is placed anew behind every cell that a terminal may draw wider or narrower than
/// it was reckoned: such a cell then costs its own place, and does not shift the rest of its line.
pub(super) struct Steady(CrosstermBackend<Stdout>);

impl Steady {
    pub(super) fn new() -> Self {
        Self(CrosstermBackend::new(io::stdout()))
    }
}

/// Clusters of several characters, and characters of scripts whose signs attach to each other; Latin, Greek, Cyrillic,
/// punctuation, arrows and the lines of boxes are drawn alike everywhere.
fn is_unsteady(cell: &Cell) -> bool {
    let mut chars = cell.symbol().chars();
    let first = chars.next().map_or(0, u32::from);
    chars.next().is_some() || !matches!(first, 0..=0x52f | 0x2000..=0x2bff)
}

/// The rows of the last picture with cells that a terminal may have drawn elsewhere: what it shows behind them nobody
/// knows, so that to draw what has changed is not enough.
#[derive(Debug, Default)]
pub(super) struct Displaced(Vec<Buffer>);

impl Displaced {
    /// Takes the next picture; gives those of its rows that are to be cleared and drawn again.
    pub(super) fn next(&mut self, picture: &Buffer) -> Vec<Buffer> {
        let area = picture.area;
        let row = |y: u16| {
            let cells = picture.content.chunks(area.width.max(1).into()).nth(y.saturating_sub(area.y).into());
            cells.map(|cells| Buffer { area: Rect { y, height: 1, ..area }, content: cells.to_vec() })
        };
        let changed = |old: &Buffer| row(old.area.y).filter(|new| new.area == old.area && new != old);
        let stale = self.0.iter().filter_map(changed).collect();
        let lines = (area.y..).zip(picture.content.chunks(area.width.max(1).into()));
        self.0 = lines.filter(|(_, cells)| cells.iter().any(is_unsteady)).filter_map(|(y, _)| row(y)).collect();
        stale
    }
}

impl Backend for Steady {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        let mut content = content.peekable();
        while content.peek().is_some() {
            // Each call places the cursor for its first cell.
            let mut unsteady = false;
            let run = std::iter::from_fn(|| {
                let next = if unsteady { None } else { content.next() };
                unsteady = next.is_some_and(|(_, _, cell)| is_unsteady(cell));
                next
            });
            self.0.draw(run)?;
        }
        Ok(())
    }

    fn append_lines(&mut self, lines: u16) -> io::Result<()> {
        self.0.append_lines(lines)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.0.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.0.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.0.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.0.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.0.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        self.0.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.0.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row is drawn anew when it had such cells and is another one now, and only then.
    #[test]
    fn displaced_rows_are_drawn_anew_when_they_change() {
        const NONE: [u16; 0] = [];
        let mut displaced = Displaced::default();
        let mut next = |lines: [&'static str; 3]| -> Vec<u16> {
            displaced.next(&Buffer::with_lines(lines)).iter().map(|row| row.area.y).collect()
        };
        assert_eq!(next(["plain", "सि  ॉ", "雨雨 "]), NONE);
        assert_eq!(next(["other", "सि  ॉ", "雨雨 "]), NONE);
        assert_eq!(next(["other", "सि  .", "雨雨 "]), [1]);
        assert_eq!(next(["other", "     ", "     "]), [1, 2]);
        assert_eq!(next(["plain", "plain", "plain"]), NONE);
    }

    #[test]
    fn knows_what_terminals_draw_alike() {
        for steady in ["a", "é", "г", "─", "→", "…", " "] {
            assert!(!is_unsteady(&Cell::new(steady)), "{steady}");
        }
        for unsteady in ["सि", "ॉ", "雨", "👩", "e\u{301}"] {
            assert!(is_unsteady(&Cell::new(unsteady)), "{unsteady}");
        }
    }
}
