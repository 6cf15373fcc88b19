//! Colours and width of text output. Nothing depends on colour: each also has a word or a sign.

use super::payload::fit;
use super::{Out, wrap};
use crate::model::{Direction, Severity};
use std::borrow::Cow;
use std::fmt;

/// Columns that words get at least, however narrow the terminal.
const MIN_WORDS: usize = 24;

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

    /// The text in lines that fit beside `margin` columns, later ones set in by `indent`; as it is where no width is to be kept.
    pub(super) fn wrap(self, text: &str, margin: usize, indent: usize) -> Vec<String> {
        match self.columns {
            Some(columns) => wrap(text, columns.saturating_sub(margin).max(MIN_WORDS), indent),
            None => vec![text.to_owned()],
        }
    }

    /// As much of the text as fits beside `margin` columns.
    pub(super) fn cut<'t>(self, text: &'t str, margin: usize) -> Cow<'t, str> {
        fit(text, self.columns.map_or(usize::MAX, |columns| columns.saturating_sub(margin).max(MIN_WORDS)), false)
    }

    /// Writes `begin`, which takes `margin` columns, and the text behind it; what does not fit goes on below, under its beginning.
    pub(super) fn hang(self, begin: &str, margin: usize, ink: Ink, text: &str, out: &mut Out<'_>) {
        for (nth, line) in self.wrap(text, margin, 0).iter().enumerate() {
            let begin = if nth == 0 { begin } else { &" ".repeat(margin) };
            out.line(&format!("{begin}{}", self.paint(ink, line)));
        }
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
