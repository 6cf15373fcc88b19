//! Looking for frames where the place in them is lost: behind a hole, or where a capture begins in the middle.

use super::frame::{self, HEAD, Head};
use crate::model::{Mark, StreamId};
use std::collections::VecDeque;

/// The bytes of a direction since its place was lost, and where in them frames may begin.
///
/// A chain of heads, each behind the payload of the one before, is believed when chance would make it too seldom.
#[derive(Debug)]
pub(super) struct Seek {
    bytes: Vec<u8>,
    /// Stream offset of the first byte.
    begin: u64,
    /// Where the pieces begin that came, and their packets.
    pieces: VecDeque<(u64, Mark)>,
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
}

/// Bits that must speak for a chain.
const BAR: u32 = 60;
/// What it says more that a chain ends where a segment does.
const ENDS: u32 = 14;
/// Heads in a row that say nothing, as zeros are, behind which a chain is given up.
const IDLE: u32 = 16;
/// Chains that are followed at once.
const CHAINS: usize = 256;

impl Seek {
    pub(super) const fn new(begin: u64) -> Self {
        Self { bytes: Vec::new(), begin, pieces: VecDeque::new(), looked: begin, chains: Vec::new() }
    }

    /// How many bytes are held.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many of the bytes lie before a place.
    pub(super) const fn passed(&self, at: u64) -> u64 {
        at - self.begin
    }

    /// Bytes are missing: nothing reaches over them.
    pub(super) fn lose(&mut self, end: u64) {
        *self = Self::new(end);
    }

    /// Takes what comes; tells where frames begin once that is certain. `most` is the longest payload, `bound` limits what is held.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        brought: Mark,
        (most, bound): (u32, usize),
        knows: impl Fn(StreamId) -> bool,
    ) -> Option<u64> {
        self.pieces.push_back((self.end(), brought));
        self.bytes.extend_from_slice(bytes);
        let end = self.end();
        let mut chains = std::mem::take(&mut self.chains);
        while self.looked + HEAD as u64 <= end && chains.len() < CHAINS {
            let at = self.looked;
            self.looked += 1;
            let bits = self.head(at).and_then(|head| head.evidence(most, &knows));
            if bits.is_some_and(|bits| bits > 0) {
                chains.push(Chain { at, next: at, bits: 0, idle: 0 });
            }
        }
        let mut found = None;
        chains.retain_mut(|chain| {
            while let Some(head) = self.head(chain.next) {
                let Some(bits) = head.evidence(most, &knows) else { return false };
                chain.idle = if bits == 0 { chain.idle + 1 } else { 0 };
                if chain.idle > IDLE {
                    return false;
                }
                chain.bits += bits;
                chain.next += HEAD as u64 + u64::from(head.len);
                if chain.bits >= BAR {
                    break;
                }
            }
            let ends = if chain.next == end { ENDS } else { 0 };
            let is_sure = chain.bits + ends >= BAR;
            if is_sure && found.is_none() {
                found = Some(chain.at);
            }
            true
        });
        self.chains = chains;
        if found.is_none() && self.bytes.len() > bound {
            self.forget(bound / 2);
        }
        found
    }

    /// What is held from a place on: where each piece begins, its bytes and its packet.
    pub(super) fn since(&self, from: u64) -> impl Iterator<Item = (u64, &[u8], Mark)> {
        let ends = self.pieces.iter().skip(1).map(|&(at, _)| at).chain([self.end()]);
        self.pieces.iter().zip(ends).filter_map(move |(&(at, brought), end)| {
            let (at, begin) = (at.max(from), self.begin);
            let range = usize::try_from(at - begin).ok()?..usize::try_from(end.checked_sub(begin)?).ok()?;
            self.bytes.get(range).filter(|bytes| !bytes.is_empty()).map(|bytes| (at, bytes, brought))
        })
    }

    fn end(&self) -> u64 {
        self.begin + self.bytes.len() as u64
    }

    fn head(&self, at: u64) -> Option<Head> {
        frame::head(self.bytes.get(usize::try_from(at.checked_sub(self.begin)?).ok()?..)?)
    }

    /// Forgets the first bytes, and what begins in them.
    fn forget(&mut self, count: usize) {
        let count = count.min(self.bytes.len());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn data(payload: &[u8], stream: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, payload.len() as u8, 0, 0, 0, 0, 0, stream];
        frame.extend_from_slice(payload);
        frame
    }

    /// However many they are, they are looked at once, and no chain runs through them.
    #[test]
    fn zeros_begin_nothing() {
        let mut seek = Seek::new(0);
        for _ in 0..1000 {
            seek.push(&[0; 1460], Mark::default(), (1 << 14, 1 << 21), |_| false);
            assert!(seek.chains.is_empty() && seek.looked + HEAD as u64 > seek.end());
        }
        // A head that may be one, in front of zeros, is not followed through them.
        seek.push(&data(b"", 1), Mark::default(), (1 << 14, 1 << 21), |_| false);
        let head = [&[0, 0, 4, 8, 0, 0, 0, 0, 3, 0, 0, 1, 0][..], &[0; 2000]].concat();
        seek.push(&head, Mark::default(), (1 << 14, 1 << 21), |id| id.0 == 3);
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
                let mut seek = Seek::new(100);
                let all = [&tail[..], &frames].concat();
                let found = all.chunks(cut).find_map(|piece| {
                    seek.push(piece, Mark::default(), (1 << 14, 1 << 16), |id| [1, 3].contains(&id.0))
                });
                assert_eq!(found, Some(100 + tail.len() as u64), "{what} in pieces of {cut}");
            }
        }
    }
}
