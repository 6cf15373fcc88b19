//! A backend that keeps its place: terminals do not agree on how wide a cluster of characters is.

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
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
