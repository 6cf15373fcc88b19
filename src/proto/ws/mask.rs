//! Masking (RFC 6455 §5.3): byte `i` of a frame's payload is XORed with byte `i mod 4` of its key.

use crate::model::Cover;

/// What a frame is masked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// A key for its payload.
    Payload([u8; 4]),
    /// In HyBi-04 to 06 a cover over all of it but the key, and how many bytes of the head it covers.
    Frame(Cover, u8),
}

/// Masks or unmasks `bytes`, whose first byte is number `phase` of its frame's payload.
pub fn apply(bytes: &mut [u8], mask: Mask, phase: u64) {
    match mask {
        Mask::Payload(key) => with_key(bytes, key, phase),
        Mask::Frame(cover, head) => cover.apply(bytes, phase.saturating_add(head.into())),
    }
}

/// Works on eight bytes at a time, which the compiler turns into vectors.
fn with_key(bytes: &mut [u8], key: [u8; 4], phase: u64) {
    let mut key = u32::from_le_bytes(key);
    // The phase turns the key; only its two lowest bits count.
    key = key.rotate_right(8 * u32::try_from(phase & 3).unwrap_or_default());
    let wide = u64::from(key) << 32 | u64::from(key);
    let mut chunks = bytes.chunks_exact_mut(8);
    for chunk in &mut chunks {
        if let Ok(word) = <[u8; 8]>::try_from(&*chunk) {
            chunk.copy_from_slice(&(u64::from_le_bytes(word) ^ wide).to_le_bytes());
        }
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(wide.to_le_bytes()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::{Mask, apply};
    use proptest::prelude::*;

    #[test]
    fn unmasks_the_example_of_rfc_6455() {
        let mut bytes = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        apply(&mut bytes, Mask::Payload([0x37, 0xfa, 0x21, 0x3d]), 0);
        assert_eq!(&bytes, b"Hello");
    }

    proptest! {
        #[test]
        fn equals_the_definition(bytes in proptest::collection::vec(any::<u8>(), 0..100), key: [u8; 4], phase: u64) {
            let mut fast = bytes.clone();
            apply(&mut fast, Mask::Payload(key), phase);
            let slow = bytes.iter().zip(0_u64..).map(|(b, i)| b ^ key[(i.wrapping_add(phase) & 3) as usize]);
            prop_assert_eq!(fast, slow.collect::<Vec<_>>());
        }
    }
}
