//! DER (X.690): one element after the other.

use nom::bytes::complete::{tag, take};
use nom::combinator::verify;
use nom::number::complete::be_u8;
use nom::{IResult, Parser as _};

/// `SEQUENCE`, in which most things are.
pub const SEQUENCE: u8 = 0x30;
/// `INTEGER`.
pub const INTEGER: u8 = 0x02;
/// `OCTET STRING`.
pub const OCTETS: u8 = 0x04;

/// The content of an element with that tag (§8.1).
///
/// # Errors
/// When another stands there, or it is cut.
pub fn element(kind: u8, der: &[u8]) -> IResult<&[u8], &[u8]> {
    let (rest, _) = tag(&[kind][..]).parse(der)?;
    content(rest)
}

/// The next element: its tag, of one byte, and its content.
///
/// # Errors
/// When it is cut.
pub fn any(der: &[u8]) -> IResult<&[u8], (u8, &[u8])> {
    let (rest, kind) = be_u8(der)?;
    let (rest, content) = content(rest)?;
    Ok((rest, (kind, content)))
}

/// All elements, up to one that is cut.
pub fn all(mut der: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (rest, element) = any(der).ok()?;
        der = rest;
        Some(element)
    })
}

fn content(der: &[u8]) -> IResult<&[u8], &[u8]> {
    let (rest, len) = be_u8(der)?;
    if len < 0x80 {
        return take(len).parse(rest);
    }
    let (rest, digits) = verify(take(len & 0x7f), |digits: &[u8]| digits.len() <= 4).parse(rest)?;
    take(digits.iter().fold(0_usize, |len, &digit| len << 8 | usize::from(digit))).parse(rest)
}
