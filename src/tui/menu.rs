//! A short list to choose from by a letter.

use super::apply::Joint;
use super::copy::Form;
use super::detail::PayloadView;
use crate::escape::display_str;
use std::borrow::Cow;

/// What a menu offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    Copy(Form),
    View(PayloadView),
    /// A filter, to be joined with the one that is applied.
    Expression(String),
    /// How it is joined.
    Joint(Joint, String),
}

impl Choice {
    /// The letter that chooses it, where it has one of its own, and what it says.
    fn label(&self) -> (Option<char>, Cow<'_, str>) {
        let (letter, words) = match self {
            Self::Copy(form) => form.label(),
            Self::View(PayloadView::Decoded) => ('c', "Decoded"),
            Self::View(PayloadView::Tree) => ('t', "Tree"),
            Self::View(PayloadView::Text) => ('x', "Text"),
            Self::View(PayloadView::Hex) => ('h', "Hex"),
            Self::View(PayloadView::Raw) => ('r', "Raw"),
            Self::View(PayloadView::Diff) => ('d', "Diff with the marked message"),
            Self::View(PayloadView::State) => ('s', "State: what stands behind it, and requests without an answer"),
            Self::Joint(joint, _) => joint.label(),
            Self::Expression(text) => return (None, display_str(text)),
        };
        (Some(letter), words.into())
    }
}

/// An open menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Menu {
    /// Safe on a terminal.
    pub(super) title: String,
    pub(super) choices: Vec<Choice>,
    pub(super) cursor: usize,
}

impl Menu {
    pub(super) fn new(title: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self { title: title.into(), choices, cursor: 0 }
    }

    /// The letters that choose, and what they choose; without a letter of its own a choice has its number.
    pub(super) fn labels(&self) -> impl Iterator<Item = (char, Cow<'_, str>)> {
        self.choices.iter().zip('1'..).map(|(choice, number)| {
            let (letter, words) = choice.label();
            (letter.unwrap_or(number), words)
        })
    }

    /// The choice with that letter.
    pub(super) fn by_letter(&self, letter: char) -> Option<Choice> {
        let at = self.labels().position(|(own, _)| own == letter)?;
        self.choices.get(at).cloned()
    }

    pub(super) fn current(&self) -> Option<Choice> {
        self.choices.get(self.cursor).cloned()
    }
}
