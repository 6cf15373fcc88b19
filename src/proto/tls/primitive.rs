//! The ciphers that suites name, and what each needs of a key block.

use super::suite::{Aead, Block, Sealing};
use crate::model::TlsVersion;
use aes::cipher::block::BlockCipherDecrypt;
use aes::cipher::common::{InnerIvInit as _, Iv, KeyInit};
use aes::cipher::{Array, BlockModeDecrypt as _, BlockSizeUser};
use aes::{Aes128, Aes256};
use aes_gcm::AesGcm;
use aes_gcm::aead::{AeadInOut, consts};
use aria::{Aria128, Aria256};
use camellia::{Camellia128, Camellia256};
use ccm::Ccm;
use des::TdesEde3;
use ring::aead::{self as ring_aead, Aad, LessSafeKey, Nonce, UnboundKey};

/// A cipher that encrypts and authenticates.
pub(super) trait Sealed: Send {
    /// Opens `body`, ciphertext and tag, in place. What it leaves there on failure is not the plaintext.
    fn open(&self, nonce: [u8; 12], aad: &[u8], body: &mut [u8]) -> bool;
    /// It opens gigabytes in a second.
    fn is_fast(&self) -> bool;
}

/// A block cipher in CBC mode.
pub(super) trait Chained: Send {
    /// Bytes of a block.
    fn block(&self) -> usize;
    /// Decrypts whole blocks in place.
    fn decrypt(&self, iv: &[u8], body: &mut [u8]);
}

impl Sealed for LessSafeKey {
    fn open(&self, nonce: [u8; 12], aad: &[u8], body: &mut [u8]) -> bool {
        self.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), body).is_ok()
    }

    fn is_fast(&self) -> bool {
        true
    }
}

/// A cipher of the RustCrypto family.
struct Rust<A>(A);

impl<A: AeadInOut<NonceSize = consts::U12> + Send> Sealed for Rust<A> {
    fn open(&self, nonce: [u8; 12], aad: &[u8], body: &mut [u8]) -> bool {
        let tag_len = size_of::<aes_gcm::aead::Tag<A>>();
        let Some((body, tag)) = body.len().checked_sub(tag_len).map(|at| body.split_at_mut(at)) else { return false };
        let Ok(tag) = (&*tag).try_into() else { return false };
        self.0.decrypt_inout_detached(&Array::from(nonce), aad, body.into(), tag).is_ok()
    }

    fn is_fast(&self) -> bool {
        false
    }
}

impl<C: BlockCipherDecrypt + Send> Chained for C {
    fn block(&self) -> usize {
        <C as BlockSizeUser>::block_size()
    }

    fn decrypt(&self, iv: &[u8], body: &mut [u8]) {
        let Ok(iv) = <&Iv<cbc::Decryptor<&C>>>::try_from(iv) else { return };
        let (blocks, _) = Array::slice_as_chunks_mut(body);
        cbc::Decryptor::inner_iv_init(self, iv).decrypt_blocks(blocks);
    }
}

/// What a cipher needs of a key block, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) mac: usize,
    pub(super) key: usize,
    pub(super) iv: usize,
}

impl Aead {
    pub(super) const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Ccm | Self::Aes128Ccm8 | Self::Camellia128Gcm | Self::Aria128Gcm => 16,
            _ => 32,
        }
    }

    pub(super) const fn tag_len(self) -> usize {
        if matches!(self, Self::Aes128Ccm8 | Self::Aes256Ccm8) { 8 } else { 16 }
    }

    /// Bytes that a record is longer than what it carries; in TLS 1.3 without padding.
    pub(super) fn overhead(self, version: TlsVersion) -> usize {
        let type_or_nonce = match self {
            _ if version >= TlsVersion::TLS_1_3 => 1,
            Self::ChaCha20Poly1305 => 0,
            _ => 8,
        };
        type_or_nonce + self.tag_len()
    }

    pub(super) fn cipher(self, key: &[u8]) -> Option<Box<dyn Sealed>> {
        fn ring(algorithm: &'static ring_aead::Algorithm, key: &[u8]) -> Option<Box<dyn Sealed>> {
            Some(Box::new(LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?)))
        }
        fn rust<A: AeadInOut<NonceSize = consts::U12> + KeyInit + Send + 'static>(
            key: &[u8],
        ) -> Option<Box<dyn Sealed>> {
            Some(Box::new(Rust(A::new_from_slice(key).ok()?)))
        }
        match self {
            Self::Aes128Gcm => ring(&ring_aead::AES_128_GCM, key),
            Self::Aes256Gcm => ring(&ring_aead::AES_256_GCM, key),
            Self::ChaCha20Poly1305 => ring(&ring_aead::CHACHA20_POLY1305, key),
            Self::Aes128Ccm => rust::<Ccm<Aes128, consts::U16, consts::U12>>(key),
            Self::Aes256Ccm => rust::<Ccm<Aes256, consts::U16, consts::U12>>(key),
            Self::Aes128Ccm8 => rust::<Ccm<Aes128, consts::U8, consts::U12>>(key),
            Self::Aes256Ccm8 => rust::<Ccm<Aes256, consts::U8, consts::U12>>(key),
            Self::Camellia128Gcm => rust::<AesGcm<Camellia128, consts::U12>>(key),
            Self::Camellia256Gcm => rust::<AesGcm<Camellia256, consts::U12>>(key),
            Self::Aria128Gcm => rust::<AesGcm<Aria128, consts::U12>>(key),
            Self::Aria256Gcm => rust::<AesGcm<Aria256, consts::U12>>(key),
        }
    }
}

impl Block {
    const fn key_len(self) -> usize {
        match self {
            Self::TripleDes => 24,
            Self::Aes128 | Self::Camellia128 | Self::Aria128 => 16,
            Self::Aes256 | Self::Camellia256 | Self::Aria256 => 32,
        }
    }

    const fn len(self) -> usize {
        if matches!(self, Self::TripleDes) { 8 } else { 16 }
    }

    pub(super) fn cipher(self, key: &[u8]) -> Option<Box<dyn Chained>> {
        fn of<C: BlockCipherDecrypt + KeyInit + Send + 'static>(key: &[u8]) -> Option<Box<dyn Chained>> {
            Some(Box::new(C::new_from_slice(key).ok()?))
        }
        match self {
            Self::TripleDes => of::<TdesEde3>(key),
            Self::Aes128 => of::<Aes128>(key),
            Self::Aes256 => of::<Aes256>(key),
            Self::Camellia128 => of::<Camellia128>(key),
            Self::Camellia256 => of::<Camellia256>(key),
            Self::Aria128 => of::<Aria128>(key),
            Self::Aria256 => of::<Aria256>(key),
        }
    }
}

impl Sealing {
    /// What a direction takes of the key block (RFC 5246 §6.3): of the initialisation vector only what records do not carry.
    pub(super) const fn sizes(self, version: TlsVersion) -> Option<Sizes> {
        Some(match self {
            Self::Aead(aead) => {
                let iv = if matches!(aead, Aead::ChaCha20Poly1305) { 12 } else { 4 };
                Sizes { mac: 0, key: aead.key_len(), iv }
            }
            Self::Cbc(block, hash) => {
                let iv = if version.0 <= TlsVersion::TLS_1_0.0 { block.len() } else { 0 };
                Sizes { mac: hash.len(), key: block.key_len(), iv }
            }
            Self::Rc4(hash) => Sizes { mac: hash.len(), key: 16, iv: 0 },
            Self::Null(hash) => Sizes { mac: hash.len(), key: 0, iv: 0 },
            Self::Other => return None,
        })
    }
}
