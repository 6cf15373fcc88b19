//! Incremental search: what is looked for, and how far a search through many messages is.

use super::app::Pane;
use std::ops::Range;

/// What is looked for. Lower case finds both cases; a capital makes case matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Needle {
    bytes: Vec<u8>,
    exact: bool,
}

impl Needle {
    pub(super) fn new(pattern: &str) -> Self {
        Self { bytes: pattern.as_bytes().to_vec(), exact: pattern.chars().any(char::is_uppercase) }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The first match at or behind `from`.
    pub(super) fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let first = *self.bytes.first()?;
        let mut at = from;
        loop {
            let rest = text.get(at..)?;
            let found = if self.exact {
                memchr::memchr(first, rest)
            } else {
                memchr::memchr2(first.to_ascii_lowercase(), first.to_ascii_uppercase(), rest)
            };
            at += found?;
            if self.is_at(text, at) {
                return Some(at..at + self.bytes.len());
            }
            at += 1;
        }
    }

    /// The last match that begins before `to`.
    pub(super) fn find_back(&self, text: &[u8], to: usize) -> Option<Range<usize>> {
        let first = *self.bytes.first()?;
        let mut to = to.min(text.len());
        loop {
            let before = text.get(..to)?;
            to = if self.exact {
                memchr::memrchr(first, before)
            } else {
                memchr::memrchr2(first.to_ascii_lowercase(), first.to_ascii_uppercase(), before)
            }?;
            if self.is_at(text, to) {
                return Some(to..to + self.bytes.len());
            }
        }
    }

    /// Bytes of the pattern.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    fn is_at(&self, text: &[u8], at: usize) -> bool {
        let Some(here) = text.get(at..at.saturating_add(self.bytes.len())) else { return false };
        !self.is_empty() && if self.exact { here == self.bytes } else { here.eq_ignore_ascii_case(&self.bytes) }
    }

    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.find(text, 0).is_some()
    }
}

/// A search through the rows of a list, or the blocks of a payload, which may be many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) pane: Pane,
    pub(super) forward: bool,
    /// The row, or the block, to look at next.
    pub(super) row: usize,
    /// In the first block: where the search begins.
    pub(super) byte: Option<usize>,
    /// Rows still to look at.
    pub(super) left: usize,
    /// Rows in all.
    pub(super) of: usize,
}

impl Run {
    pub(super) fn percent(&self) -> usize {
        (self.of.saturating_sub(self.left) * 100).checked_div(self.of).unwrap_or(100)
    }
}

/// The search as the user sees it.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// What was typed.
    pub(super) pattern: String,
    /// What is marked on the screen; empty after Esc.
    pub(super) needle: Needle,
    /// Row and byte where the search began to be typed.
    pub(super) origin: (usize, usize),
    pub(super) run: Option<Run>,
    /// What is being typed is nowhere.
    pub(super) failed: bool,
}

impl Search {
    pub(super) const fn is_running(&self) -> bool {
        self.run.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_case_finds_both_cases() {
        let text = b"a Cat, a cat, a CAT";
        assert_eq!(Needle::new("cat").find(text, 0), Some(2..5));
        assert_eq!(Needle::new("CAT").find(text, 0), Some(16..19));
        assert_eq!(Needle::new("cat").find(text, 3), Some(9..12));
        assert_eq!(Needle::new("cat").find_back(text, 16), Some(9..12));
        assert_eq!(Needle::new("dog").find(text, 0), None);
        assert_eq!(Needle::new("").find(text, 0), None);
        assert_eq!(Needle::new("t").find(text, 99), None);
    }
}
