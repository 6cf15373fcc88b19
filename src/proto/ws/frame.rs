//! Frame heads, with nom: bytes in, value and length out.

use crate::model::Opcode;
use nom::bytes::streaming::take;
use nom::combinator::cond;
use nom::number::streaming::{be_u16, be_u64, u8};
use nom::{IResult, Parser};

/// The longest head: 2 bytes, 8 of length, 4 of masking key.
pub const HEAD_MAX: usize = 14;

/// A frame's head (RFC 6455 §5.2), whatever its bits say.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-------+-+-------------+-------------------------------+
/// |F|R|R|R| opcode|M| len (7 bits)| 16 bits when len is 126,      |
/// |I|S|S|S|  (4)  |A|             | 64 when it is 127             |
/// |N|V|V|V|       |S|             |                               |
/// | |1|2|3|       |K|             | then the key (32) when MASK   |
/// +-+-+-+-+-------+-+-------------+-------------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Last frame of its message.
    pub fin: bool,
    /// RSV1, RSV2, RSV3 as the bits 4, 2, 1.
    pub rsv: u8,
    /// What the frame carries.
    pub opcode: Opcode,
    /// The key that the frame is masked with, if it is.
    pub key: Option<[u8; 4]>,
    /// Payload length in bytes.
    pub len: u64,
    /// Length of the head in bytes: 2, 4 or 10, and 4 more when masked.
    pub header_len: u8,
}

/// What the beginning of a frame gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// A head, whose length it tells. No bytes are bad: rules are judged elsewhere.
    Done(Head),
    /// At least this many bytes more are needed.
    More(usize),
}

/// Reads a head from the beginning of `bytes`.
#[inline(always)]
pub fn head(bytes: &[u8]) -> Parsed {
    match fields(bytes) {
        Ok((rest, head)) => {
            let header_len = u8::try_from(bytes.len() - rest.len()).unwrap_or(u8::MAX);
            Parsed::Done(Head { header_len, ..head })
        }
        Err(nom::Err::Incomplete(nom::Needed::Size(n))) => Parsed::More(n.get()),
        Err(_) => Parsed::More(1),
    }
}

#[inline(always)]
fn fields(bytes: &[u8]) -> IResult<&[u8], Head> {
    let (rest, (fin, rsv, opcode, masked, len7)) = first_two(bytes)?;
    let (rest, len) = match len7 {
        126 => be_u16.map(u64::from).parse(rest)?,
        127 => be_u64(rest)?,
        len => (rest, u64::from(len)),
    };
    let (rest, key) = cond(masked, take(4_usize)).parse(rest)?;
    let key = key.and_then(|key: &[u8]| key.try_into().ok());
    Ok((rest, Head { fin, rsv, opcode, key, len, header_len: 0 }))
}

type FirstTwo = (bool, u8, Opcode, bool, u8);

#[inline(always)]
fn first_two(bytes: &[u8]) -> IResult<&[u8], FirstTwo> {
    let (rest, (a, b)) = (u8, u8).parse(bytes)?;
    Ok((rest, (a & 0x80 != 0, a >> 4 & 7, Opcode(a & 0x0f), b & 0x80 != 0, b & 0x7f)))
}

impl Head {
    /// The bytes of the head, as they stood on the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode.0];
        let mask_bit = u8::from(self.key.is_some()) << 7;
        match self.header_len.saturating_sub(if self.key.is_some() { 4 } else { 0 }) {
            10 => {
                out.push(mask_bit | 127);
                out.extend_from_slice(&self.len.to_be_bytes());
            }
            4 => {
                out.push(mask_bit | 126);
                out.extend_from_slice(self.len.to_be_bytes().get(6..).unwrap_or_default());
            }
            _ => out.push(mask_bit | self.len.to_be_bytes().last().copied().unwrap_or_default() & 0x7f),
        }
        out.extend(self.key.into_iter().flatten());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(hex: &[u8]) -> Head {
        match head(hex) {
            Parsed::Done(head) => head,
            Parsed::More(n) => panic!("{n} more"),
        }
    }

    #[test]
    fn reads_the_examples_of_rfc_6455() {
        let hello = read(&[0x81, 0x05, b'H']);
        assert_eq!((hello.fin, hello.opcode, hello.key, hello.len, hello.header_len), (true, Opcode::TEXT, None, 5, 2));
        let masked = read(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f]);
        assert_eq!((masked.key, masked.header_len), (Some([0x37, 0xfa, 0x21, 0x3d]), 6));
        assert!(!read(&[0x01, 0x03]).fin);
        assert_eq!(read(&[0x89, 0x05]).opcode, Opcode::PING);
        assert_eq!(read(&[0x82, 0x7e, 0x01, 0x00]).len, 256);
        assert_eq!(read(&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]).len, 65_536);
        assert_eq!(read(&[0xc1, 0x07]).rsv, 4);
    }

    #[test]
    fn asks_for_what_it_lacks() {
        assert_eq!(head(&[]), Parsed::More(1));
        assert_eq!(head(&[0x82, 0x7f, 0, 0]), Parsed::More(6));
        assert_eq!(head(&[0x81, 0x85, 1]), Parsed::More(3));
    }

    proptest! {
        #[test]
        fn encodes_what_it_read(bytes in proptest::array::uniform14(any::<u8>())) {
            let head = read(&bytes);
            prop_assert_eq!(head.encode(), &bytes[..usize::from(head.header_len)]);
        }
    }
}
