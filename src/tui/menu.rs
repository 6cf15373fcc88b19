//! A short list to choose from by a letter.

use super::copy::Form;
use super::detail::PayloadView;

/// What a menu offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Copy(Form),
    View(PayloadView),
}

impl Choice {
    /// The letter that chooses it and what it says.
    pub(super) const fn label(self) -> (char, &'static str) {
        match self {
            Self::Copy(form) => form.label(),
            Self::View(PayloadView::Tree) => ('t', "Tree"),
            Self::View(PayloadView::Text) => ('x', "Text"),
            Self::View(PayloadView::Hex) => ('h', "Hex"),
            Self::View(PayloadView::Raw) => ('r', "Raw"),
        }
    }
}

/// An open menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Menu {
    pub(super) title: &'static str,
    pub(super) choices: Vec<Choice>,
    pub(super) cursor: usize,
}

impl Menu {
    pub(super) fn new(title: &'static str, choices: Vec<Choice>) -> Self {
        Self { title, choices, cursor: 0 }
    }

    /// The choice with that letter.
    pub(super) fn by_letter(&self, letter: char) -> Option<Choice> {
        self.choices.iter().copied().find(|choice| choice.label().0 == letter)
    }

    pub(super) fn current(&self) -> Option<Choice> {
        self.choices.get(self.cursor).copied()
    }
}
