//! RSA key exchange (RFC 5246 §7.4.7.1): the premaster secret from what a client encrypted for the server.

use crate::model::RsaKey;

/// Bytes of the secret (RFC 5246 §7.4.7.1).
const PREMASTER: usize = 48;

/// RFC 8017 §7.2.2: `0 2 | padding without zeros | 0 | secret`.
pub(super) fn decrypt(key: &RsaKey, encrypted: &[u8]) -> Option<[u8; PREMASTER]> {
    let block = power(encrypted, key.exponent(), key.modulus())?;
    let (padding, secret) = block.split_at_checked(block.len().checked_sub(PREMASTER)?)?;
    let (&[0, 2], padding) = padding.split_first_chunk()? else { return None };
    let (&0, padding) = padding.split_last()? else { return None };
    if padding.len() < 8 || padding.contains(&0) {
        return None;
    }
    secret.first_chunk().copied()
}

/// `base^exponent mod modulus`, as long as the modulus. Nothing here is a secret of ours: it takes the time that it takes.
fn power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Option<Vec<u8>> {
    let ring = Ring::new(modulus)?;
    let base = words(base).filter(|base| base.len() <= ring.modulus.len())?;
    let base = ring.enter(&base);
    let mut result = ring.enter(&[1]);
    for bit in exponent.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)) {
        result = ring.multiply(&result, &result);
        if bit == 1 {
            result = ring.multiply(&result, &base);
        }
    }
    let mut one = vec![0; ring.modulus.len()];
    *one.first_mut()? = 1;
    let bytes: Vec<u8> = ring.multiply(&result, &one).iter().rev().flat_map(|word| word.to_be_bytes()).collect();
    bytes.get(bytes.len().checked_sub(modulus.len())?..).map(<[u8]>::to_vec)
}

/// Big-endian bytes as words, the lowest first, without those that are 0 at the end.
fn words(bytes: &[u8]) -> Option<Vec<u64>> {
    let word = |chunk: &[u8]| chunk.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    let mut words: Vec<u64> = bytes.rchunks(8).map(word).collect();
    while words.last() == Some(&0) {
        words.pop();
    }
    Some(words)
}

/// Numbers modulo an odd one, multiplied as Montgomery does: each stands for itself times 2⁶⁴ to the number of words.
struct Ring {
    modulus: Vec<u64>,
    /// What, times the modulus, ends in a word of ones.
    inverse: u64,
}

impl Ring {
    fn new(modulus: &[u8]) -> Option<Self> {
        let modulus = words(modulus)?;
        let low = *modulus.first().filter(|low| *low % 2 == 1)?;
        // Newton's iteration doubles the bits that are right.
        let inverse = (0..6).fold(1_u64, |x, _| x.wrapping_mul(2_u64.wrapping_sub(low.wrapping_mul(x))));
        Some(Self { modulus, inverse: inverse.wrapping_neg() })
    }

    /// A number as it stands here: doubled modulo the modulus, bit by bit.
    fn enter(&self, number: &[u64]) -> Vec<u64> {
        let mut out = vec![0; self.modulus.len()];
        let zeros = std::iter::repeat_n(0, 64 * self.modulus.len());
        let bits = number.iter().rev().flat_map(|word| (0..64).rev().map(move |bit| word >> bit & 1));
        for bit in bits.chain(zeros) {
            let mut carry = bit;
            for word in &mut out {
                let high = *word >> 63;
                *word = *word << 1 | carry;
                carry = high;
            }
            self.reduce(&mut out, carry);
        }
        out
    }

    /// Subtracts the modulus, if the number, with a bit above, is not smaller.
    fn reduce(&self, number: &mut [u64], above: u64) {
        let is_less = number.iter().rev().lt(self.modulus.iter().rev());
        if above == 0 && is_less {
            return;
        }
        let mut borrow = false;
        for (word, less) in number.iter_mut().zip(&self.modulus) {
            let (difference, a) = word.overflowing_sub(*less);
            let (difference, b) = difference.overflowing_sub(u64::from(borrow));
            (*word, borrow) = (difference, a || b);
        }
    }

    /// `a · b / 2^(64 · words)`, modulo the modulus.
    fn multiply(&self, a: &[u64], b: &[u64]) -> Vec<u64> {
        let mut sum = vec![0; a.len()];
        let (mut above, mut over) = (0, 0);
        for &factor in a {
            (above, over) = add(&mut sum, b, factor, above, over);
            let factor = sum.first().map_or(0, |low| low.wrapping_mul(self.inverse));
            (above, over) = add(&mut sum, &self.modulus, factor, above, over);
            // The lowest word is 0 now.
            sum.rotate_left(1);
            if let Some(last) = sum.last_mut() {
                *last = above;
            }
            (above, over) = (over, 0);
        }
        self.reduce(&mut sum, above);
        sum
    }
}

/// Adds a multiple of `of` to a sum that has two words more; returns these.
fn add(sum: &mut [u64], of: &[u64], factor: u64, above: u64, over: u64) -> (u64, u64) {
    let mut carry = 0;
    for (word, of) in sum.iter_mut().zip(of) {
        let total = u128::from(*word) + u128::from(*of) * u128::from(factor) + u128::from(carry);
        (*word, carry) = (total as u64, (total >> 64) as u64);
    }
    let (above, is_over) = above.overflowing_add(carry);
    (above, over + u64::from(is_over))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by way of 128-bit numbers.
    #[test]
    fn powers_of_small_numbers_are_right() {
        for modulus in [3_u64, 0xffff_ffff_ffff_ffc5, 0x8000_0000_0000_001d, 1_000_003] {
            for base in [0, 1, 2, 0x1234_5678_9abc_def1, u64::MAX] {
                for exponent in [0_u16, 1, 2, 17, 0xffff] {
                    let mut expected = 1 % u128::from(modulus);
                    for _ in 0..exponent {
                        expected = expected * u128::from(base) % u128::from(modulus);
                    }
                    let found = power(&base.to_be_bytes(), &exponent.to_be_bytes(), &modulus.to_be_bytes()).unwrap();
                    assert_eq!(found, (expected as u64).to_be_bytes(), "{base}^{exponent} mod {modulus}");
                }
            }
        }
        assert_eq!(power(&[2], &[3], &[8]), None);
        assert_eq!(power(&[2], &[3], &[]), None);
    }

    /// Fermat: with 2¹²⁷ - 1, and 2⁵²¹ - 1, which are prime.
    #[test]
    fn powers_of_large_numbers_are_right() {
        for bits in [127, 521_usize] {
            let len = bits.div_ceil(8);
            let mut modulus = vec![0xff; len];
            modulus[0] = (1 << (bits % 8)) - 1;
            let mut exponent = modulus.clone();
            exponent[len - 1] -= 1;
            let mut one = vec![0; len];
            one[len - 1] = 1;
            assert_eq!(power(&[0xab; 16], &exponent, &modulus).unwrap(), one);
        }
    }
}
