//! Colours and width of text output. Nothing depends on colour: each also has a word or a sign.

use crate::model::{Direction, Severity};
use std::fmt;

/// How text output looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// With colours.
    pub color: bool,
    /// Columns of the terminal, when rows are to fit it.
    pub columns: Option<usize>,
}

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Dim,
    Bold,
    Good,
    Note,
    Warning,
    Error,
    ToServer,
    ToClient,
}

impl Ink {
    /// The attributes of ECMA-48 SGR, of the 16 colours that every terminal lets its user choose.
    const fn sgr(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "2",
            Self::Bold => "1",
            Self::Good | Self::ToClient => "32",
            Self::Note | Self::ToServer => "36",
            Self::Warning => "33",
            Self::Error => "1;31",
        }
    }
}

impl From<Direction> for Ink {
    fn from(dir: Direction) -> Self {
        match dir {
            Direction::ToServer => Self::ToServer,
            Direction::ToClient => Self::ToClient,
        }
    }
}

impl From<Severity> for Ink {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Note => Self::Note,
            Severity::Warning => Self::Warning,
            Severity::Error => Self::Error,
        }
    }
}

impl Style {
    /// `text` in its colour; `text` must be safe on a terminal.
    pub(super) fn paint<T: fmt::Display>(self, ink: Ink, text: T) -> Painted<T> {
        Painted { sgr: if self.color { ink.sgr() } else { "" }, text }
    }
}

/// Text between the sequence that sets its colour and the one that ends it.
pub(super) struct Painted<T> {
    sgr: &'static str,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sgr.is_empty() {
            return self.text.fmt(f);
        }
        write!(f, "\x1b[{}m", self.sgr)?;
        self.text.fmt(f)?;
        f.write_str("\x1b[0m")
    }
}
