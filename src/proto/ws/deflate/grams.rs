//! Which bytes follow each other in a text.

/// The sequences of a few bytes that were seen, as far as a table of bits keeps them apart; all digits count as one.
#[derive(Debug)]
pub(super) struct Grams(Vec<u64>);

/// Bits of the table, to the power of two; a history of 32 KiB has no more than a quarter of them set.
const BITS: u32 = 18;
/// Bytes on either side of the joint in the middle of a sequence.
pub(super) const HALVES: [usize; 2] = [2, 3];

impl Grams {
    /// None yet.
    pub(super) fn new() -> Self {
        Self(vec![0; 1 << (BITS - u64::BITS.ilog2())])
    }

    /// Sees a text, parts of which may be unknown.
    pub(super) fn see(&mut self, text: impl Iterator<Item = Option<u8>>) {
        let (mut last, mut known) = (0_u64, 0);
        for byte in text {
            let Some(byte) = byte else {
                known = 0;
                continue;
            };
            last = last << 8 | u64::from(class(byte));
            known += 1;
            for half in HALVES.into_iter().filter(|half| known >= 2 * half) {
                let (word, bit) = place(half, last);
                if let Some(word) = self.0.get_mut(word) {
                    *word |= 1 << bit;
                }
            }
        }
    }

    /// Whether bytes like these were seen, `half` of them on either side of a joint; `None` if they are not all known.
    pub(super) fn saw(&self, half: usize, bytes: impl Iterator<Item = Option<u8>>) -> Option<bool> {
        let mut bytes = bytes;
        let last = bytes.try_fold(0_u64, |last, byte| Some(last << 8 | u64::from(class(byte?))))?;
        let (word, bit) = place(half, last);
        self.0.get(word).map(|word| word >> bit & 1 == 1)
    }
}

/// Which number it is tells nothing.
const fn class(byte: u8) -> u8 {
    if byte.is_ascii_digit() { b'0' } else { byte }
}

/// Where the bit stands of the sequence that is the last of these bytes.
const fn place(half: usize, last: u64) -> (usize, u32) {
    let unused = u64::BITS - 16 * half as u32;
    let hash = ((last << unused) + half as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS);
    ((hash >> 6) as usize, (hash & 63) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_it_saw_and_no_number() {
        let mut grams = Grams::new();
        let known = |text: &'static str| text.bytes().map(|byte| Some(byte).filter(|&byte| byte != b'?'));
        grams.see(known(r#""price":17,?"size":3"#));
        for (half, text, saw) in [
            (2, r#"e":4"#, Some(true)),
            (3, r#"ce":99"#, Some(true)),
            (2, r#"ce:4"#, Some(false)),
            (3, r#"7,"siz"#, Some(false)),
            (2, "e?:4", None),
        ] {
            assert_eq!(grams.saw(half, known(text)), saw, "{text}");
        }
    }
}
