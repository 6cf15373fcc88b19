//! The key streams of ciphers that also authenticate: they decrypt what is there of a record whose tag cannot be checked.

use super::suite::Aead;
use aes::cipher::common::KeyInit;
use aes::cipher::{Array, BlockCipherEncrypt, consts};
use aes::{Aes128, Aes256};
use aria::{Aria128, Aria256};
use camellia::{Camellia128, Camellia256};

/// Decrypts in place what a cipher encrypted with this nonce, from its first byte on. Nothing of it is authenticated.
pub(super) fn apply(aead: Aead, key: &[u8], nonce: [u8; 12], body: &mut [u8]) {
    // NIST SP 800-38D §7.1: `nonce 12 | counter 4`; 1 is the tag's.
    let gcm = u128::from_be_bytes(padded(0, nonce)) << 8 | 2;
    // RFC 3610 §2.3: `bytes of the counter - 1 | nonce 12 | counter 3`; 0 is the tag's.
    let ccm = u128::from_be_bytes(padded(2, nonce)) | 1;
    match aead {
        Aead::Aes128Gcm => counter::<Aes128>(key, gcm, body),
        Aead::Aes256Gcm => counter::<Aes256>(key, gcm, body),
        Aead::Camellia128Gcm => counter::<Camellia128>(key, gcm, body),
        Aead::Camellia256Gcm => counter::<Camellia256>(key, gcm, body),
        Aead::Aria128Gcm => counter::<Aria128>(key, gcm, body),
        Aead::Aria256Gcm => counter::<Aria256>(key, gcm, body),
        Aead::Aes128Ccm | Aead::Aes128Ccm8 => counter::<Aes128>(key, ccm, body),
        Aead::Aes256Ccm | Aead::Aes256Ccm8 => counter::<Aes256>(key, ccm, body),
        Aead::ChaCha20Poly1305 => chacha20(key, nonce, body),
    }
}

/// `first | nonce | 0 0 0`.
fn padded(first: u8, nonce: [u8; 12]) -> [u8; 16] {
    let mut block = [0; 16];
    for (to, from) in block.iter_mut().zip([first].into_iter().chain(nonce)) {
        *to = from;
    }
    block
}

/// A block cipher that encrypts a counter.
fn counter<C>(key: &[u8], mut counter: u128, body: &mut [u8])
where
    C: BlockCipherEncrypt<BlockSize = consts::U16> + KeyInit,
{
    let Ok(cipher) = C::new_from_slice(key) else { return };
    for chunk in body.chunks_mut(16) {
        let mut block = Array::from(counter.to_be_bytes());
        cipher.encrypt_block(&mut block);
        chunk.iter_mut().zip(block).for_each(|(byte, stream)| *byte ^= stream);
        counter = counter.wrapping_add(1);
    }
}

/// RFC 8439 §2.4, from block 1 on; block 0 is the tag's.
fn chacha20(key: &[u8], nonce: [u8; 12], body: &mut [u8]) {
    let mut start = [0; 16];
    let words = b"expand 32-byte k".chunks(4).chain(key.chunks(4)).chain([&[0; 4][..]]).chain(nonce.chunks(4));
    for (word, bytes) in start.iter_mut().zip(words) {
        *word = bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    }
    for (chunk, count) in body.chunks_mut(64).zip(1..) {
        start[12] = count;
        let stream = chacha20_block(&start);
        let bytes = stream.iter().flat_map(|word| word.to_le_bytes());
        chunk.iter_mut().zip(bytes).for_each(|(byte, stream)| *byte ^= stream);
    }
}

/// RFC 8439 §2.3.
#[expect(clippy::indexing_slicing, reason = "the places are below 16")]
fn chacha20_block(start: &[u32; 16]) -> [u32; 16] {
    let mut state = *start;
    let mut quarter = |a: usize, b: usize, c: usize, d: usize| {
        for (to, add, turned, by) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
            state[to] = state[to].wrapping_add(state[add]);
            state[turned] = (state[turned] ^ state[to]).rotate_left(by);
        }
    };
    for _ in 0..10 {
        (0..4).for_each(|at| quarter(at, 4 + at, 8 + at, 12 + at));
        (0..4).for_each(|at| quarter(at, 4 + (at + 1) % 4, 8 + (at + 2) % 4, 12 + (at + 3) % 4));
    }
    std::array::from_fn(|at| state[at].wrapping_add(start[at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes_gcm::aead::{AeadInOut, consts::U12};
    use ring::aead as ring_aead;

    const NONCE: [u8; 12] = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0xff, 0xfe];

    fn key(len: usize) -> Vec<u8> {
        (0..len).map(|byte| byte as u8 ^ 0x5a).collect()
    }

    fn plain() -> Vec<u8> {
        (0..1000_u32).map(|byte| (byte * 7) as u8).collect()
    }

    /// Whatever seals, its key stream decrypts.
    #[test]
    fn what_was_sealed_is_decrypted_without_its_tag() {
        fn sealed<A: AeadInOut<NonceSize = U12> + KeyInit>(key: &[u8]) -> Vec<u8> {
            let mut body = plain();
            let cipher = A::new_from_slice(key).expect("a key");
            cipher.encrypt_inout_detached(&Array::from(NONCE), b"", body.as_mut_slice().into()).expect("sealed");
            body
        }
        use aes_gcm::AesGcm;
        use ccm::Ccm;
        use ccm::consts::{U8, U16};
        let ring = |algorithm, key: &[u8]| {
            let mut body = plain();
            let sealing = ring_aead::LessSafeKey::new(ring_aead::UnboundKey::new(algorithm, key).expect("a key"));
            let nonce = ring_aead::Nonce::assume_unique_for_key(NONCE);
            assert!(sealing.seal_in_place_separate_tag(nonce, ring_aead::Aad::empty(), &mut body).is_ok());
            body
        };
        let (short, long) = (key(16), key(32));
        for (aead, key, mut body) in [
            (Aead::Aes128Gcm, &short, ring(&ring_aead::AES_128_GCM, &short)),
            (Aead::Aes256Gcm, &long, ring(&ring_aead::AES_256_GCM, &long)),
            (Aead::ChaCha20Poly1305, &long, ring(&ring_aead::CHACHA20_POLY1305, &long)),
            (Aead::Aes128Ccm, &short, sealed::<Ccm<Aes128, U16, U12>>(&short)),
            (Aead::Aes256Ccm8, &long, sealed::<Ccm<Aes256, U8, U12>>(&long)),
            (Aead::Camellia128Gcm, &short, sealed::<AesGcm<Camellia128, U12>>(&short)),
            (Aead::Aria256Gcm, &long, sealed::<AesGcm<Aria256, U12>>(&long)),
        ] {
            assert_ne!(body, plain(), "{aead:?}");
            apply(aead, key, NONCE, &mut body);
            assert_eq!(body, plain(), "{aead:?}");
        }
    }
}
