//! Looking for frames where the place in them is lost: behind a hole, or where a capture begins in the middle.

use super::frame::{self, HEAD, Head};
use crate::model::{Mark, StreamId};
use std::collections::VecDeque;

/// The bytes of a direction since its place was lost, and where in them frames may begin.
///
/// A chain of heads, each behind the payload of the one before, is believed when chance would make it too seldom.
#[derive(Debug, Default)]
pub(super) struct Seek {
    bytes: Vec<u8>,
    /// Where the search began: with the first byte that came.
    origin: u64,
    /// Stream offset of the first byte.
    begin: u64,
    /// Where the pieces begin that came, and their packets.
    pieces: VecDeque<(u64, Mark)>,
    /// How many of them are zero.
    zeros: usize,
    /// A segment ends with the last of them.
    ends: bool,
    /// Up to here, places were looked at.
    looked: u64,
    /// Chains that reach beyond what came.
    chains: Vec<Chain>,
}

#[derive(Debug, Clone, Copy)]
struct Chain {
    at: u64,
    /// Where the next head begins.
    next: u64,
    bits: u32,
    /// Heads in a row that say nothing.
    idle: u32,
    /// Bytes of all its heads, and how many of them are zero.
    heads: usize,
    zeros: usize,
}

/// How far following a chain leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Followed {
    /// To something that is no head.
    Broken,
    /// Beyond what came.
    Open,
    /// As far as it takes to believe it.
    Sure,
}

/// Bits that must speak for a chain, where zeros are no more frequent than other bytes.
const BAR: u32 = 60;
/// What it says more that a chain ends where a segment does.
const ENDS: u32 = 14;
/// Heads in a row that say nothing, as zeros are, behind which a chain is given up.
const IDLE: u32 = 16;
/// What a piece costs beside its bytes.
const PIECE: usize = 32;
/// Chains that are followed at once.
const CHAINS: usize = 256;

impl Seek {
    /// How many bytes are held, with what it costs to hold them.
    pub(super) fn held(&self) -> usize {
        self.bytes.len() + self.pieces.len() * PIECE
    }

    /// How many bytes were looked through before a place.
    pub(super) const fn passed(&self, at: u64) -> u64 {
        at - self.origin
    }

    /// Takes what comes; `ends`: a segment ends with it.
    pub(super) fn append(&mut self, offset: u64, bytes: &[u8], brought: Mark, ends: bool) {
        if self.pieces.is_empty() {
            (self.origin, self.begin, self.looked) = (offset, offset, offset);
        }
        if !bytes.is_empty() {
            self.pieces.push_back((self.end(), brought));
            self.bytes.extend_from_slice(bytes);
            self.zeros += zeros(bytes);
            self.ends = ends;
        }
    }

    /// Where frames begin, once that is certain. `most` is the longest payload, `bound` limits what is held.
    pub(super) fn look(&mut self, (most, bound): (u32, usize), knows: impl Fn(StreamId) -> bool) -> Option<u64> {
        let mut chains = std::mem::take(&mut self.chains);
        let mut found = None;
        chains.retain_mut(|chain| {
            // The first that is believed is: those behind it are not looked at.
            let followed = if found.is_some() { Followed::Open } else { self.follow(chain, most, &knows) };
            if followed == Followed::Sure {
                found = Some(chain.at);
            }
            followed != Followed::Broken
        });
        while found.is_none() && self.looked + HEAD as u64 <= self.end() && chains.len() < CHAINS {
            let mut chain = Chain { at: self.looked, next: self.looked, bits: 0, idle: 0, heads: 0, zeros: 0 };
            self.looked += 1;
            let says = self.head(chain.at).and_then(|head| head.evidence(most, &knows));
            if says.is_none_or(|bits| bits == 0) {
                continue;
            }
            match self.follow(&mut chain, most, &knows) {
                Followed::Sure => found = Some(chain.at),
                Followed::Open => chains.push(chain),
                Followed::Broken => {}
            }
        }
        self.chains = chains;
        if found.is_none() && self.bytes.len() > bound {
            found = self.best();
            if found.is_none() {
                self.forget(bound / 2);
            }
        }
        found
    }

    /// Where a chain begins for which enough speaks if nothing more is to come.
    pub(super) fn best(&self) -> Option<u64> {
        self.chains.iter().filter(|chain| chain.bits >= BAR).max_by_key(|chain| chain.bits).map(|chain| chain.at)
    }

    /// Bits that must speak for a chain: much of a head is zero, which says little where other bytes are.
    fn bar(&self, chain: &Chain) -> u32 {
        let (others, zeros) = (self.bytes.len().saturating_sub(chain.heads), self.zeros.saturating_sub(chain.zeros));
        match others / zeros.max(1) {
            0 | 1 => 8 * BAR,
            2 | 3 => 4 * BAR,
            4..8 => 2 * BAR,
            _ => BAR,
        }
    }

    /// Follows a chain as far as bytes came.
    fn follow(&self, chain: &mut Chain, most: u32, knows: &impl Fn(StreamId) -> bool) -> Followed {
        while let Some(head) = self.head(chain.next) {
            let Some(bits) = head.evidence(most, knows) else { return Followed::Broken };
            chain.idle = if bits == 0 { chain.idle + 1 } else { 0 };
            if chain.idle > IDLE {
                return Followed::Broken;
            }
            chain.bits += bits;
            chain.heads += HEAD;
            chain.zeros += zeros(self.at(chain.next).and_then(|bytes| bytes.get(..HEAD)).unwrap_or_default());
            chain.next += HEAD as u64 + u64::from(head.len);
            if chain.bits >= self.bar(chain) {
                return Followed::Sure;
            }
        }
        let ends = if self.ends && chain.next == self.end() { ENDS } else { 0 };
        if chain.bits + ends >= self.bar(chain) { Followed::Sure } else { Followed::Open }
    }

    /// What is held from a place on: where each piece begins, its bytes, its packet, and whether a segment is known to end there.
    pub(super) fn since(&self, from: u64) -> impl Iterator<Item = (u64, &[u8], Mark, bool)> {
        let first = self.pieces.partition_point(|&(at, _)| at <= from).saturating_sub(1);
        let ends = self.pieces.iter().skip(first + 1).map(|&(at, _)| at).chain([self.end()]);
        self.pieces.iter().skip(first).zip(ends).filter_map(move |(&(at, brought), end)| {
            let (at, begin) = (at.max(from), self.begin);
            let range = usize::try_from(at - begin).ok()?..usize::try_from(end.checked_sub(begin)?).ok()?;
            let bytes = self.bytes.get(range).filter(|bytes| !bytes.is_empty())?;
            Some((at, bytes, brought, self.ends && end == self.end()))
        })
    }

    /// Stream offset behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.begin + self.bytes.len() as u64
    }

    fn head(&self, at: u64) -> Option<Head> {
        frame::head(self.at(at)?)
    }

    /// What is held from a place on.
    fn at(&self, at: u64) -> Option<&[u8]> {
        self.bytes.get(usize::try_from(at.checked_sub(self.begin)?).ok()?..)
    }

    /// Forgets the first bytes, and what begins in them.
    fn forget(&mut self, count: usize) {
        let count = count.min(self.bytes.len());
        self.zeros -= zeros(self.bytes.get(..count).unwrap_or_default());
        self.bytes.drain(..count);
        self.begin += count as u64;
        self.looked = self.looked.max(self.begin);
        let begin = self.begin;
        self.chains.retain(|chain| chain.at >= begin);
        while self.pieces.get(1).is_some_and(|&(at, _)| at <= begin) {
            self.pieces.pop_front();
        }
        if let Some(first) = self.pieces.front_mut() {
            first.0 = first.0.max(begin);
        }
    }
}

fn zeros(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == 0).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(seek: &mut Seek, bytes: &[u8], knows: impl Fn(StreamId) -> bool) -> Option<u64> {
        seek.append(seek.end(), bytes, Mark::default(), true);
        seek.look((1 << 14, 1 << 21), knows)
    }

    fn data(payload: &[u8], stream: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, payload.len() as u8, 0, 0, 0, 0, 0, stream];
        frame.extend_from_slice(payload);
        frame
    }

    /// However many they are, they are looked at once, and no chain runs through them.
    #[test]
    fn zeros_begin_nothing() {
        let mut seek = Seek::default();
        for _ in 0..1000 {
            push(&mut seek, &[0; 1460], |_| false);
            assert!(seek.chains.is_empty() && seek.looked + HEAD as u64 > seek.end());
        }
        // A head that may be one, in front of zeros, is not followed through them.
        push(&mut seek, &data(b"", 1), |_| false);
        let head = [&[0, 0, 4, 8, 0, 0, 0, 0, 3, 0, 0, 1, 0][..], &[0; 2000]].concat();
        push(&mut seek, &head, |id| id.0 == 3);
        assert!(seek.chains.len() < 8, "{:?}", seek.chains);
    }

    /// Padding, and numbers that are mostly zeros, are no frames: those behind them are found.
    #[test]
    fn zeros_are_no_frames() {
        let numbers = |width: usize| {
            (1_u8..=40).flat_map(move |number| std::iter::repeat_n(0, width - 1).chain([number])).collect::<Vec<u8>>()
        };
        for (what, tail) in [("padding", vec![0; 200]), ("u64", numbers(8)), ("u32", numbers(4)), ("u16", numbers(2))] {
            let frames = [data(b"hello", 1), data(&numbers(4), 3), data(b"world", 1), data(&[0; 100], 3)].concat();
            for cut in [1000, 50, 7, 1] {
                let mut seek = Seek::default();
                seek.append(100, &[], Mark::default(), true);
                let all = [&tail[..], &frames].concat();
                let found = all.chunks(cut).find_map(|piece| push(&mut seek, piece, |id| [1, 3].contains(&id.0)));
                // Too few of them to be sure among so many zeros, until nothing more comes.
                let found = found.or_else(|| seek.best());
                assert_eq!(found, Some(100 + tail.len() as u64), "{what} in pieces of {cut}");
            }
        }
    }
}
