//! Incremental search: what is looked for, and how far a search through many messages is.

use super::app::Pane;
use super::input::Line;
use regex::bytes::{Regex, RegexBuilder};
use std::ops::Range;

/// Bytes of a match of a regular expression that are found also where they lie in two blocks.
const LONG_MATCH: usize = 4096;

/// What is looked for. Lower case finds both cases; a capital makes case matter. In a dump it is hex as well; between slashes it
/// is a regular expression.
#[derive(Debug, Clone, Default)]
pub(super) struct Needle {
    bytes: Vec<u8>,
    exact: bool,
    /// The pattern as hex: of each byte the value, and the bits that count.
    hex: Vec<(u8, u8)>,
    regex: Option<Regex>,
}

impl Needle {
    pub(super) fn new(pattern: &str) -> Self {
        let exact = pattern.chars().any(char::is_uppercase);
        let inside = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|it| !it.is_empty());
        let regex = inside.and_then(|inside| {
            RegexBuilder::new(inside).case_insensitive(!exact).size_limit(1 << 20).dfa_size_limit(1 << 20).build().ok()
        });
        Self { bytes: pattern.as_bytes().to_vec(), exact, hex: hex(pattern).unwrap_or_default(), regex }
    }

    /// Whether it is what that pattern means.
    pub(super) fn is_for(&self, pattern: &str) -> bool {
        self.bytes == pattern.as_bytes()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The first match at or behind `from`.
    pub(super) fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        if let Some(regex) = &self.regex {
            let found = regex.find_iter(text.get(from..)?).find(|found| !found.is_empty())?;
            return Some(from + found.start()..from + found.end());
        }
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
        if let Some(regex) = &self.regex {
            let found = regex.find_iter(text).filter(|found| !found.is_empty());
            return found.take_while(|found| found.start() < to).last().map(|found| found.range());
        }
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

    /// As [`Self::find`], among bytes that stand in hex on the screen.
    pub(super) fn find_in_dump(&self, bytes: &[u8], from: usize) -> Option<Range<usize>> {
        let found = [self.find(bytes, from), self.find_hex(bytes, from)];
        found.into_iter().flatten().min_by_key(|found| found.start)
    }

    /// As [`Self::find_back`], among bytes that stand in hex on the screen.
    pub(super) fn find_back_in_dump(&self, bytes: &[u8], to: usize) -> Option<Range<usize>> {
        let found = [self.find_back(bytes, to), self.find_hex_back(bytes, to)];
        found.into_iter().flatten().max_by_key(|found| found.start)
    }

    fn find_hex(&self, bytes: &[u8], from: usize) -> Option<Range<usize>> {
        let (first, _) = *self.hex.first()?;
        let mut at = from;
        loop {
            at += memchr::memchr(first, bytes.get(at..)?)?;
            if self.is_hex_at(bytes, at) {
                return Some(at..at + self.hex.len());
            }
            at += 1;
        }
    }

    fn find_hex_back(&self, bytes: &[u8], to: usize) -> Option<Range<usize>> {
        let (first, _) = *self.hex.first()?;
        let mut to = to.min(bytes.len());
        loop {
            to = memchr::memrchr(first, bytes.get(..to)?)?;
            if self.is_hex_at(bytes, to) {
                return Some(to..to + self.hex.len());
            }
        }
    }

    fn is_hex_at(&self, bytes: &[u8], at: usize) -> bool {
        let Some(here) = bytes.get(at..at.saturating_add(self.hex.len())) else { return false };
        here.iter().zip(&self.hex).all(|(byte, (value, mask))| byte & mask == *value)
    }

    /// Whether it stands between slashes and is no regular expression.
    pub(super) fn is_no_regex(&self) -> bool {
        self.regex.is_none() && self.bytes.len() > 2 && self.bytes.starts_with(b"/") && self.bytes.ends_with(b"/")
    }

    /// Bytes of a match, at most: as hex the pattern has fewer.
    pub(super) const fn len(&self) -> usize {
        if self.regex.is_some() { LONG_MATCH } else { self.bytes.len() }
    }

    fn is_at(&self, text: &[u8], at: usize) -> bool {
        let Some(here) = text.get(at..at.saturating_add(self.bytes.len())) else { return false };
        !self.is_empty() && if self.exact { here == self.bytes } else { here.eq_ignore_ascii_case(&self.bytes) }
    }

    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.find(text, 0).is_some()
    }
}

/// Reads `81 da`, `81da` or `81 d`: pairs of digits, the last of which may lack its second; `None` for anything else.
fn hex(pattern: &str) -> Option<Vec<(u8, u8)>> {
    let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16)?).ok();
    let mut bytes = Vec::new();
    let mut words = pattern.split_ascii_whitespace().peekable();
    while let Some(word) = words.next() {
        for pair in word.as_bytes().chunks(2) {
            bytes.push(match pair {
                [high, low] => (digit(*high)? << 4 | digit(*low)?, 0xff),
                [high] if words.peek().is_none() && !bytes.is_empty() => (digit(*high)? << 4, 0xf0),
                _ => return None,
            });
        }
    }
    Some(bytes)
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
    pub(super) pattern: Line,
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

    #[test]
    fn between_slashes_it_is_a_regex() {
        let text = b"id=12, ID=345, /id/";
        let find = |pattern: &str, from| Needle::new(pattern).find(text, from);
        assert_eq!(
            [find("/id=\\d{3}/", 0), find("/ID=\\d+/", 0), find("/id=\\d+/", 1)],
            [Some(7..13), Some(7..13), Some(7..13)]
        );
        assert_eq!(Needle::new("/id=\\d+/").find_back(text, 7), Some(0..5));
        assert_eq!([find("/x*/", 0), find("//", 0)], [None, None], "nothing is no match");
        assert_eq!(find("/id", 0), Some(15..18), "one slash is a character");
        assert_eq!(find("/(/", 0), None, "what is no expression is text");
    }

    #[test]
    fn pairs_of_hex_digits_are_bytes_in_a_dump() {
        let bytes = b"\x81\xda COmet 81da \x81\xd5\x81\xda";
        let find = |pattern: &str, from| Needle::new(pattern).find_in_dump(bytes, from);
        assert_eq!([find("81 da", 0), find("81dA", 0), find(" 81 da ", 0)], [Some(0..2), Some(0..2), Some(0..2)]);
        // As characters too, whichever comes first.
        assert_eq!([find("81da", 1), find("81da", 10), find("43 4f", 0)], [Some(9..13), Some(16..18), Some(3..5)]);
        // What is being typed is found as far as it goes.
        assert_eq!([find("81 d", 1), find("81d", 10), find("81 ", 9)], [Some(14..16), Some(14..16), Some(14..15)]);
        // One digit, or digits that are no pairs, are characters.
        assert_eq!([find("8", 0), find("8 1", 0), find("8 da", 0), find("43 4g", 0)], [Some(9..10), None, None, None]);
        let back = |pattern: &str, to| Needle::new(pattern).find_back_in_dump(bytes, to);
        assert_eq!([back("81 da", 99), back("81da", 16), back("81 da", 16)], [Some(16..18), Some(9..13), Some(0..2)]);
        assert_eq!(Needle::new("43 4f").find(bytes, 0), None, "elsewhere only characters match");
    }
}
