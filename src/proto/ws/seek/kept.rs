//! What came of a direction since frames are looked for in it, with its holes.

use crate::model::Mark;
use std::collections::VecDeque;

/// The last bytes that came, by their stream offsets.
///
/// ```text
/// begin      run         hole      run       end
/// ├───────────────────┤         ├────────────┤
///   segment │ segment             segment
/// ```
#[derive(Debug)]
pub(super) struct Kept {
    bytes: Vec<u8>,
    /// How many bytes came before the first that is kept.
    gone: u64,
    /// Stream offset of the first byte kept, or where it will stand.
    begin: u64,
    /// Stream offset behind the last byte, or behind the hole that follows it.
    end: u64,
    /// Where bytes follow each other without a hole.
    runs: VecDeque<Run>,
    /// Where the segments begin, and their packets.
    segments: VecDeque<(u64, Mark)>,
    /// Bytes of the largest segment.
    largest: u64,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    at: u64,
    /// How many bytes came before its first.
    nth: u64,
}

/// How many segments are looked at to learn where writes begin.
const WRITES: usize = 64;
/// A segment of fewer bytes is never full.
const FULL: u64 = 128;
/// Bytes of a segment that ends a write, and is not a piece of one that was cut small.
const SHORT: std::ops::Range<u64> = 6..1000;

impl Kept {
    /// Nothing yet; the first byte is awaited at `at`.
    pub(super) fn new(at: u64) -> Self {
        let (runs, segments) = (VecDeque::new(), VecDeque::new());
        Self { bytes: Vec::new(), gone: 0, begin: at, end: at, runs, segments, largest: 0 }
    }

    pub(super) const fn begin(&self) -> u64 {
        self.begin
    }

    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a segment that begins where everything ends.
    pub(super) fn push(&mut self, bytes: &[u8], brought: Mark) {
        let came = self.gone + self.bytes.len() as u64;
        if self.runs.back().is_none_or(|run| run.at + (came - run.nth) != self.end) {
            self.runs.push_back(Run { at: self.end, nth: came });
        }
        self.segments.push_back((self.end, brought));
        self.bytes.extend_from_slice(bytes);
        self.end += bytes.len() as u64;
        self.largest = self.largest.max(bytes.len() as u64);
    }

    /// The bytes up to `to` were lost.
    pub(super) fn lose(&mut self, to: u64) {
        self.end = to;
        if self.bytes.is_empty() {
            self.begin = to;
        }
    }

    /// The bytes from `from` on, up to the next hole, and to `to` at most.
    pub(super) fn bytes(&self, from: u64, to: u64) -> &[u8] {
        let next = self.runs.partition_point(|run| run.at <= from);
        let Some(run) = next.checked_sub(1).and_then(|nth| self.runs.get(nth)) else { return &[] };
        let index = |nth: u64| usize::try_from(nth.saturating_sub(self.gone)).unwrap_or(usize::MAX);
        let run_end = self.runs.get(next).map_or(self.bytes.len(), |next| index(next.nth));
        let begin = index(run.nth.saturating_add(from - run.at));
        let end = index(run.nth.saturating_add(to.saturating_sub(run.at))).min(run_end);
        self.bytes.get(begin..end).unwrap_or_default()
    }

    /// What is kept from `at` on, as it came: offset, bytes, packet.
    pub(super) fn since(&self, at: u64) -> impl Iterator<Item = (u64, &[u8], Mark)> {
        let ends = self.segments.iter().skip(1).map(|&(begin, _)| begin).chain([self.end]);
        self.segments.iter().zip(ends).filter(move |&(_, end)| end > at).filter_map(move |(&(begin, brought), end)| {
            let begin = begin.max(at);
            let bytes = self.bytes(begin, end);
            (!bytes.is_empty()).then_some((begin, bytes, brought))
        })
    }

    /// Keeps the last `keep` bytes only, and nothing less than what begins at `needed`.
    pub(super) fn let_go(&mut self, keep: usize, needed: u64) {
        let needless = self.bytes.len().saturating_sub(self.bytes(needed, self.end).len().max(keep));
        self.bytes.drain(..needless);
        self.gone += needless as u64;
        while self.runs.get(1).is_some_and(|run| run.nth <= self.gone) {
            self.runs.pop_front();
        }
        self.begin = self.runs.front().map_or(self.end, |run| run.at + self.gone.saturating_sub(run.nth));
        while self.segments.get(1).is_some_and(|&(begin, _)| begin <= self.begin) {
            self.segments.pop_front();
        }
        if let Some((begin, _)) = self.segments.front_mut() {
            *begin = self.begin.max(*begin);
        }
    }

    /// Where the last segments begin that follow a short one, and the first if it is short: there a sender's writes begin, as
    /// far as that can be told.
    pub(super) fn writes(&self) -> impl Iterator<Item = u64> {
        let begin = |nth: usize| self.segments.get(nth).map_or(self.end, |&(begin, _)| begin);
        let follows_short = move |&nth: &usize| {
            let before = nth.saturating_sub(1);
            SHORT.contains(&(begin(before + 1) - begin(before)))
        };
        let last = self.segments.len().saturating_sub(WRITES)..self.segments.len();
        last.filter(follows_short).map(begin)
    }

    /// Whether a write begins at `at`: a segment does, and the one before was not full; `None` where it did not come.
    pub(super) fn begins_write(&self, at: u64) -> Option<bool> {
        let Some(before) = self.edge(at) else { return Some(false) };
        let came = self.bytes(at - before, at).len() as u64;
        (before > 0).then_some(came < self.largest.max(FULL))
    }

    /// Gives the memory back.
    pub(super) fn clear(&mut self) {
        self.bytes = Vec::new();
        self.runs.clear();
        self.segments.clear();
    }

    /// Whether a segment begins at `at`, or the data end there; and how long the segment is that ends there.
    pub(super) fn edge(&self, at: u64) -> Option<u64> {
        if at == self.end {
            return Some(at - self.segments.back().map_or(at, |&(begin, _)| begin));
        }
        let nth = self.segments.binary_search_by_key(&at, |&(begin, _)| begin).ok()?;
        let before = nth.checked_sub(1).and_then(|before| self.segments.get(before));
        Some(before.map_or(0, |&(begin, _)| at - begin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_ends_a_run_and_keeps_the_offsets() {
        let mut kept = Kept::new(10);
        kept.push(b"abc", Mark::default());
        kept.push(b"de", Mark::default());
        kept.lose(20);
        kept.push(b"fgh", Mark::default());
        assert_eq!((kept.bytes(11, 30), kept.bytes(20, 22), kept.bytes(16, 30)), (&b"bcde"[..], &b"fg"[..], &b""[..]));
        assert_eq!((kept.edge(13), kept.edge(15), kept.edge(20), kept.edge(23)), (Some(3), None, Some(7), Some(3)));
        let since = |kept: &Kept| kept.since(11).map(|(at, bytes, _)| (at, bytes.to_vec())).collect::<Vec<_>>();
        assert_eq!(since(&kept), [(11, b"bc".to_vec()), (13, b"de".to_vec()), (20, b"fgh".to_vec())]);
        kept.let_go(4, 22);
        assert_eq!((kept.begin(), kept.len()), (14, 4));
        assert_eq!(since(&kept), [(14, b"e".to_vec()), (20, b"fgh".to_vec())]);
        kept.let_go(1, 20);
        assert_eq!((kept.begin(), since(&kept)), (20, vec![(20, b"fgh".to_vec())]));
    }
}
