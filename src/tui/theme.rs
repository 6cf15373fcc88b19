//! Colours: the terminal's own sixteen, or none. Nothing is told by colour alone.

use crate::model::{Direction, Severity};
use ratatui::style::{Color, Modifier, Style};

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// Unless `NO_COLOR` is set to something.
    #[default]
    Auto,
    /// Whatever the environment says.
    Always,
    /// Bold, dim and reverse video only.
    Never,
}

/// How things look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    color: bool,
}

impl Theme {
    pub(super) fn new(choice: ColorChoice) -> Self {
        let color = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        Self { color }
    }

    fn hue(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    pub(super) const fn plain(self) -> Style {
        Style::new()
    }

    pub(super) const fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) const fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The selected row of the focused pane.
    pub(super) const fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The selected row of a pane without the focus.
    pub(super) const fn remembered(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Text that a search found.
    pub(super) fn found(self) -> Style {
        if self.color {
            Style::new().fg(Color::Black).bg(Color::Yellow)
        } else {
            Style::new().add_modifier(Modifier::REVERSED.union(Modifier::BOLD))
        }
    }

    pub(super) fn border(self, focused: bool) -> Style {
        if focused { self.hue(Color::Cyan).add_modifier(Modifier::BOLD) } else { self.dim() }
    }

    pub(super) fn column_head(self) -> Style {
        self.dim()
    }

    pub(super) fn key(self) -> Style {
        self.hue(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub(super) fn direction(self, dir: Direction) -> Style {
        self.hue(match dir {
            Direction::ToServer => Color::Cyan,
            Direction::ToClient => Color::Green,
        })
    }

    pub(super) fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Error => self.hue(Color::Red).add_modifier(Modifier::BOLD),
            Severity::Warning => self.hue(Color::Yellow).add_modifier(Modifier::BOLD),
            Severity::Note => self.hue(Color::Blue),
        }
    }

    pub(super) fn good(self) -> Style {
        self.hue(Color::Green)
    }

    pub(super) fn name(self) -> Style {
        self.hue(Color::Blue)
    }

    pub(super) fn string(self) -> Style {
        self.hue(Color::Green)
    }

    pub(super) fn digits(self) -> Style {
        self.hue(Color::Magenta)
    }

    pub(super) fn gap(self) -> Style {
        self.hue(Color::Yellow)
    }
}
