//! RSA private keys: PEM (RFC 7468) or DER around PKCS #1 (RFC 8017 §A.1.2) or PKCS #8 (RFC 5208 §5).

use crate::der::{INTEGER, OCTETS, SEQUENCE, element};
use crate::model::{Origin, RsaKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use nom::bytes::complete::tag;
use nom::{IResult, Parser as _};

/// Bytes that a file with such a key may have.
pub const PEM_BYTES: usize = 64 << 10;

/// Reads the first RSA private key of a file.
///
/// # Errors
/// Why there is none, in one clause.
pub fn rsa_key(file: &[u8], origin: Origin) -> Result<RsaKey, &'static str> {
    if file.starts_with(&[SEQUENCE]) {
        return of_der(file, origin).ok_or("no RSA private key");
    }
    let mut why = "no private key (PEM)";
    let mut rest = file;
    while let Some((label, body, behind)) = section(rest) {
        rest = behind;
        if !label.ends_with(b"PRIVATE KEY") {
            continue;
        }
        if label.starts_with(b"ENCRYPTED") || memmem::find(body, b"ENCRYPTED").is_some() {
            return Err("the key is encrypted: decrypt it first, as with openssl pkey");
        }
        let text: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        match STANDARD.decode(text).ok().and_then(|der| of_der(&der, origin)) {
            Some(key) => return Ok(key),
            None => why = "no RSA private key",
        }
    }
    Err(why)
}

/// `-----BEGIN label----- body -----END`, and what follows.
fn section(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let begin = memmem::find(text, b"-----BEGIN ")?;
    let text = text.get(begin + b"-----BEGIN ".len()..)?;
    let (label, text) = text.split_at_checked(memmem::find(text, b"-----")?)?;
    let (body, rest) = text.get(5..)?.split_at_checked(memmem::find(text.get(5..)?, b"-----END")?)?;
    Some((label, body, rest))
}

/// rsaEncryption (RFC 8017 §A.1), 1.2.840.113549.1.1.1, as it stands in its sequence.
const RSA: [u8; 11] = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];

fn of_der(der: &[u8], origin: Origin) -> Option<RsaKey> {
    let (_, (modulus, exponent)) = wrapped.or(bare).parse(der).ok()?;
    RsaKey::new(modulus, exponent, origin)
}

/// PKCS #8: `version, algorithm, key as octets`.
fn wrapped(der: &[u8]) -> IResult<&[u8], (&[u8], &[u8])> {
    let (_, body) = element(SEQUENCE, der)?;
    let (rest, _) = element(INTEGER, body)?;
    let (rest, algorithm) = element(SEQUENCE, rest)?;
    tag(&RSA[..]).parse(algorithm)?;
    let (_, key) = element(OCTETS, rest)?;
    bare(key)
}

/// PKCS #1: `version, n, e, d, …`.
fn bare(der: &[u8]) -> IResult<&[u8], (&[u8], &[u8])> {
    let (_, body) = element(SEQUENCE, der)?;
    let (rest, _) = element(INTEGER, body)?;
    let (rest, modulus) = element(INTEGER, rest)?;
    let (rest, _) = element(INTEGER, rest)?;
    let (rest, exponent) = element(INTEGER, rest)?;
    Ok((rest, (modulus, exponent)))
}
