//! Chance that can be repeated: the same seed gives the same capture on every machine.

use std::ops::RangeInclusive;

/// xoshiro256++ (Blackman and Vigna), its state filled by SplitMix64. Fast and even; not for secrets.
pub(crate) struct Rng([u64; 4]);

impl Rng {
    /// A generator for `seed`; any seed will do, zero too.
    pub(crate) fn new(seed: u64) -> Self {
        let mut state = seed;
        Self([(); 4].map(|()| split_mix(&mut state)))
    }

    /// The next 64 bits.
    pub(crate) fn word(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let word = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.0 = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        word
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let scaled = u128::from(self.word()) * u128::from(bound);
        (scaled >> 64) as u64
    }

    /// A number in `range`, both ends included.
    pub(crate) fn within(&mut self, range: &RangeInclusive<u64>) -> u64 {
        range.start() + self.below(range.end() - range.start() + 1)
    }

    /// True in `rate` of 10 000 cases.
    pub(crate) fn chance(&mut self, rate: u32) -> bool {
        self.below(10_000) < u64::from(rate)
    }

    /// One of `choices`, of which there is at least one.
    #[expect(clippy::indexing_slicing, reason = "a number below N is an index")]
    pub(crate) fn pick<T: Copy, const N: usize>(&mut self, choices: &[T; N]) -> T {
        choices[self.below(N as u64) as usize]
    }

    /// `N` random bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        [(); N].map(|()| self.word() as u8)
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
