//! What differs between two payloads: their lines, of JSON one member a line, of what is no text rows of a dump.

use super::copy::{lines, pretty};
use super::tree::MAX_NODES;
use crate::book::{Book, MessageId};
use crate::decode::json;
use crate::model::hex_apart;

/// Bytes of each payload that are compared.
const MOST_BYTES: usize = 1 << 20;

/// Pairs of lines that are held against each other between the beginning and the end that both have in common.
const MOST_PAIRS: usize = 1 << 20;

/// Bytes in a row of a dump.
const PER_ROW: usize = 8;

/// Whether a line is in both payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Both,
    /// In the earlier one alone.
    Earlier,
    /// In the later one alone.
    Later,
}

/// Two messages, the earlier first, and their lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diff {
    pub(super) of: (MessageId, MessageId),
    /// Safe on a terminal.
    pub(super) rows: Vec<(Side, String)>,
    /// Not all of both was compared.
    pub(super) is_cut: bool,
}

impl Diff {
    /// Compares two messages. Of one that was not kept there is nothing.
    pub(super) fn new(book: &Book, one: MessageId, other: MessageId) -> Self {
        let of = (one.min(other), one.max(other));
        let body = |id| book.message(id).and_then(|row| book.payload(&row, 0, MOST_BYTES)).unwrap_or_default();
        let (earlier, later) = (body(of.0), body(of.1));
        let is_cut = [(of.0, &earlier), (of.1, &later)]
            .iter()
            .any(|(id, body)| book.message(*id).is_some_and(|row| row.len > body.len() as u64));
        let rows = match [(of.0, &earlier), (of.1, &later)].map(|(id, body)| text_rows(book, id, body)) {
            [Some(earlier), Some(later)] => compare(&earlier, &later),
            // A text beside a dump would differ in every line.
            _ => compare(&dump(&earlier), &dump(&later)),
        };
        Self { of, rows, is_cut }
    }

    /// How many lines each has alone.
    pub(super) fn counts(&self) -> (u64, u64) {
        let count = |side| self.rows.iter().filter(|row| row.0 == side).count() as u64;
        (count(Side::Earlier), count(Side::Later))
    }
}

/// The lines of what is text.
fn text_rows(book: &Book, id: MessageId, body: &[u8]) -> Option<Vec<String>> {
    let row = book.message(id)?;
    let document = json::read(body, MAX_NODES);
    if document.is_structured() && document.fault.is_none() {
        return Some(pretty(&document, body).lines().map(str::to_owned).collect());
    }
    row.is_text().then(|| lines(body).split('\n').map(str::to_owned).collect())
}

fn dump(body: &[u8]) -> Vec<String> {
    let shown = |byte: &u8| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '·' };
    let row = |row: &[u8]| format!("{:23}  {}", hex_apart(row), row.iter().map(shown).collect::<String>());
    body.chunks(PER_ROW).map(row).collect()
}

/// Holds lines against each other: the fewest that are in one alone, where there are not too many to tell.
fn compare(earlier: &[String], later: &[String]) -> Vec<(Side, String)> {
    let pairs = || earlier.iter().zip(later);
    let begin = pairs().take_while(|(one, other)| one == other).count();
    let rest = (earlier.len() - begin).min(later.len() - begin);
    let end = earlier.iter().rev().zip(later.iter().rev()).take(rest).take_while(|(one, other)| one == other).count();
    let middle = |all: &[String]| all.get(begin..all.len() - end).unwrap_or_default().to_vec();
    let both = |lines: &[String]| lines.iter().map(|line| (Side::Both, line.clone())).collect::<Vec<_>>();
    let mut rows = both(earlier.get(..begin).unwrap_or_default());
    rows.extend(align(middle(earlier), middle(later)));
    rows.extend(both(earlier.get(earlier.len() - end..).unwrap_or_default()));
    rows
}

/// The longest common subsequence of both, and what is not in it.
fn align(earlier: Vec<String>, later: Vec<String>) -> Vec<(Side, String)> {
    let width = later.len() + 1;
    if earlier.len().saturating_mul(later.len()) > MOST_PAIRS {
        let alone = |side| move |line| (side, line);
        return earlier
            .into_iter()
            .map(alone(Side::Earlier))
            .chain(later.into_iter().map(alone(Side::Later)))
            .collect();
    }
    // Of each pair of ends: how many lines they have in common.
    let mut common = vec![0_u32; (earlier.len() + 1) * width];
    let at = |table: &[u32], one: usize, other: usize| table.get(one * width + other).copied().unwrap_or(0);
    for (one, line) in earlier.iter().enumerate().rev() {
        for (other, candidate) in later.iter().enumerate().rev() {
            let best = if line == candidate {
                at(&common, one + 1, other + 1) + 1
            } else {
                at(&common, one + 1, other).max(at(&common, one, other + 1))
            };
            if let Some(cell) = common.get_mut(one * width + other) {
                *cell = best;
            }
        }
    }
    let mut rows = Vec::with_capacity(earlier.len() + later.len());
    let (mut one, mut other) = (0, 0);
    loop {
        match (earlier.get(one), later.get(other)) {
            (Some(line), Some(candidate)) if line == candidate => {
                rows.push((Side::Both, line.clone()));
                (one, other) = (one + 1, other + 1);
            }
            (Some(line), candidate)
                if candidate.is_none() || at(&common, one + 1, other) >= at(&common, one, other + 1) =>
            {
                rows.push((Side::Earlier, line.clone()));
                one += 1;
            }
            (_, Some(candidate)) => {
                rows.push((Side::Later, candidate.clone()));
                other += 1;
            }
            (_, None) => return rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(words: &str) -> Vec<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    fn shown(earlier: &str, later: &str) -> String {
        let sign = |side| match side {
            Side::Both => "",
            Side::Earlier => "-",
            Side::Later => "+",
        };
        let rows = compare(&texts(earlier), &texts(later));
        rows.iter().map(|(side, line)| format!("{}{line}", sign(*side))).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_both_have_stays() {
        assert_eq!(shown("a b c d", "a b c d"), "a b c d");
        assert_eq!(shown("a b c d", "a x c d e"), "a -b +x c d +e");
        assert_eq!(shown("", "a"), "+a");
        assert_eq!(shown("a a", "a"), "a -a");
        assert_eq!(shown("a b", "c d"), "-a -b +c +d");
    }

    proptest! {
        #[test]
        fn each_side_is_whole_and_in_order(earlier in "[abc ]{0,40}", later in "[abc ]{0,40}") {
            let (earlier, later) = (texts(&earlier), texts(&later));
            let rows = compare(&earlier, &later);
            let of = |without| rows.iter().filter(|row| row.0 != without).map(|row| row.1.clone()).collect::<Vec<_>>();
            prop_assert_eq!(of(Side::Later), earlier);
            prop_assert_eq!(of(Side::Earlier), later);
        }
    }
}
