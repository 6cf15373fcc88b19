//! From a secret of a key log to keys: HKDF in TLS 1.3, the PRF before.

use super::suite::Hash;
use crate::model::TlsVersion;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as Digester, Sha256, Sha384};

/// The longest digest, of SHA-384, in bytes.
const DIGEST_MAX: usize = 48;

/// A digest, or a secret of that length.
#[derive(Clone, Copy)]
pub(super) struct Digest {
    bytes: [u8; DIGEST_MAX],
    len: usize,
}

impl Digest {
    /// The first bytes that fit.
    pub(super) fn new(from: &[u8]) -> Self {
        let mut bytes = [0; DIGEST_MAX];
        let len = from.len().min(DIGEST_MAX);
        for (to, from) in bytes.iter_mut().zip(from) {
            *to = *from;
        }
        Self { bytes, len }
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Hash {
    /// Bytes of a digest.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// An HMAC (RFC 2104) whose key is set up.
pub(super) enum MacKey {
    Md5(Box<Hmac<Md5>>),
    Sha1(Box<Hmac<Sha1>>),
    Sha256(Box<Hmac<Sha256>>),
    Sha384(Box<Hmac<Sha384>>),
}

impl MacKey {
    /// Keys of any length will do.
    pub(super) fn new(hash: Hash, key: &[u8]) -> Option<Self> {
        Some(match hash {
            Hash::Md5 => Self::Md5(Box::new(Hmac::new_from_slice(key).ok()?)),
            Hash::Sha1 => Self::Sha1(Box::new(Hmac::new_from_slice(key).ok()?)),
            Hash::Sha256 => Self::Sha256(Box::new(Hmac::new_from_slice(key).ok()?)),
            Hash::Sha384 => Self::Sha384(Box::new(Hmac::new_from_slice(key).ok()?)),
        })
    }

    /// Bytes of the tag.
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Md5(_) => Hash::Md5.len(),
            Self::Sha1(_) => Hash::Sha1.len(),
            Self::Sha256(_) => Hash::Sha256.len(),
            Self::Sha384(_) => Hash::Sha384.len(),
        }
    }

    /// The tag of the parts, one after the other.
    pub(super) fn sign(&self, parts: &[&[u8]]) -> Digest {
        match self {
            Self::Md5(key) => signed(Hmac::clone(key), parts),
            Self::Sha1(key) => signed(Hmac::clone(key), parts),
            Self::Sha256(key) => signed(Hmac::clone(key), parts),
            Self::Sha384(key) => signed(Hmac::clone(key), parts),
        }
    }
}

fn signed(mut mac: impl Mac, parts: &[&[u8]]) -> Digest {
    for part in parts {
        mac.update(part);
    }
    Digest::new(&mac.finalize().into_bytes())
}

/// The hash of a handshake's messages (RFC 5246 §7.4.9, RFC 4346 §7.4.9), one part after the other.
pub(super) fn transcript_hash(version: TlsVersion, hash: Hash, parts: &[&[u8]]) -> Vec<u8> {
    fn of<D: Digester>(parts: &[&[u8]]) -> Vec<u8> {
        parts.iter().fold(D::new(), |hash, part| hash.chain_update(part)).finalize().to_vec()
    }
    match hash {
        _ if version < TlsVersion::TLS_1_2 => [of::<Md5>(parts), of::<Sha1>(parts)].concat(),
        Hash::Md5 => of::<Md5>(parts),
        Hash::Sha1 => of::<Sha1>(parts),
        Hash::Sha256 => of::<Sha256>(parts),
        Hash::Sha384 => of::<Sha384>(parts),
    }
}

/// RFC 8446 §7.1: `HKDF-Expand-Label(secret, label, "", out.len())`.
pub(super) fn expand_label(hash: Hash, secret: &[u8], label: &str, out: &mut [u8]) {
    let Some(key) = MacKey::new(hash, secret) else { return };
    let [high, low] = u16::try_from(out.len()).unwrap_or(u16::MAX).to_be_bytes();
    let label_len = u8::try_from("tls13 ".len() + label.len()).unwrap_or(u8::MAX);
    let mut last = Digest::new(&[]);
    for (counter, chunk) in (1..=u8::MAX).zip(out.chunks_mut(hash.len())) {
        last = key.sign(&[last.bytes(), &[high, low, label_len], b"tls13 ", label.as_bytes(), &[0], &[counter]]);
        for (to, from) in chunk.iter_mut().zip(last.bytes()) {
            *to = *from;
        }
    }
}

/// RFC 8446 §7.2: the secret after a KeyUpdate.
pub(super) fn next_secret(hash: Hash, secret: &Digest) -> Digest {
    let mut next = Digest { bytes: [0; DIGEST_MAX], len: hash.len() };
    expand_label(hash, secret.bytes(), "traffic upd", next.bytes.get_mut(..hash.len()).unwrap_or_default());
    next
}

/// The pseudorandom function up to TLS 1.2: RFC 5246 §5, with the suite's hash; before, RFC 4346 §5.
pub(super) fn prf(version: TlsVersion, hash: Hash, secret: &[u8], label: &str, seed: &[&[u8]], out: &mut [u8]) {
    out.fill(0);
    if version >= TlsVersion::TLS_1_2 {
        return p_hash(hash, secret, label, seed, out);
    }
    // Two halves that share the middle byte, if there is one.
    let half = secret.len().div_ceil(2);
    p_hash(Hash::Md5, secret.get(..half).unwrap_or_default(), label, seed, out);
    p_hash(Hash::Sha1, secret.get(secret.len() - half..).unwrap_or_default(), label, seed, out);
}

/// `P_hash`, added to `out` bit by bit.
fn p_hash(hash: Hash, secret: &[u8], label: &str, seed: &[&[u8]], out: &mut [u8]) {
    let Some(key) = MacKey::new(hash, secret) else { return };
    let with_seed = |first: &[u8]| {
        let mut parts = vec![first, label.as_bytes()];
        parts.extend_from_slice(seed);
        key.sign(&parts)
    };
    let mut a = with_seed(&[]);
    for chunk in out.chunks_mut(hash.len()) {
        for (to, from) in chunk.iter_mut().zip(with_seed(a.bytes()).bytes()) {
            *to ^= from;
        }
        a = key.sign(&[a.bytes()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let value = |digit: u8| char::from(digit).to_digit(16).expect("hex") as u8;
        digits.chunks(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
    }

    /// RFC 8448 §3: the server's handshake keys, and the secret of its data.
    #[test]
    fn expands_the_secrets_of_rfc_8448() {
        let secret = hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        let (mut key, mut iv) = ([0; 16], [0; 12]);
        expand_label(Hash::Sha256, &secret, "key", &mut key);
        expand_label(Hash::Sha256, &secret, "iv", &mut iv);
        assert_eq!(key[..], hex("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(iv[..], hex("5d313eb2671276ee13000b30"));
    }

    /// Known answers of the PRF of TLS 1.2, as the IETF's TLS list has them.
    #[test]
    fn computes_the_prf_of_tls_1_2() {
        let secret = hex("9bbe436ba940f017b17652849a71db35");
        let seed = hex("a0ba9f936cda311827a6f796ffd5198c");
        let mut out = [0; 100];
        prf(TlsVersion::TLS_1_2, Hash::Sha256, &secret, "test label", &[&seed], &mut out);
        let expected = "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66";
        assert_eq!(out[..], hex(expected));
    }

    /// A secret of an odd length shares its middle byte between the halves (RFC 2246 §5).
    #[test]
    fn computes_the_prf_of_tls_1_0() {
        let secret: Vec<u8> = (0..47).collect();
        let mut out = [0; 36];
        prf(TlsVersion::TLS_1_0, Hash::Sha256, &secret, "key expansion", &[b"se", b"ed"], &mut out);
        assert_eq!(out[..], hex("aea068a88f3cdfcee52ae7e3c2136e80d4518de5214f2da7d8efd73b016afc5d26f5bb02"));
    }
}
