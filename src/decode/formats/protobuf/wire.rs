//! The fields of a message as they stand there, whatever they mean.
//!
//! ```text
//! tag: number << 3 | wire type     0 varint │ 1 eight bytes │ 2 length and bytes │ 3 … 4 a group, between two tags │ 5 four bytes
//! ```
//!
//! Numbers stand lowest byte first. <https://protobuf.dev/programming-guides/encoding/>

use crate::decode::bytes::Bytes;
use std::ops::Range;

/// Bytes of a varint.
const VARINT: u32 = 10;

/// The greatest number that a field can have.
pub(super) const GREATEST: u32 = (1 << 29) - 1;

/// Groups inside one another.
const GROUPS: usize = 32;

/// One field.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) wire: Wire<'a>,
    /// Where its value stands.
    pub(super) place: Range<usize>,
}

/// The value of a field, by the wire type of its tag.
#[derive(Debug, Clone)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Eight(u64),
    /// What stands behind a length.
    Piece(Bytes<'a>),
    /// What stands between the tags of a group.
    Group(Bytes<'a>),
    Four(u32),
}

/// A varint.
pub(super) fn varint(bytes: &mut Bytes<'_>) -> Option<u64> {
    bytes.varint(VARINT)
}

/// The next field; `None` where what stands there is none.
pub(super) fn field<'a>(bytes: &mut Bytes<'a>) -> Option<Field<'a>> {
    let (number, wire_type) = tag(bytes)?;
    let begin = bytes.at();
    let wire = match wire_type {
        0 => Wire::Varint(varint(bytes)?),
        1 => Wire::Eight(bytes.u64_le()?),
        2 => {
            let len = usize::try_from(varint(bytes)?).ok()?;
            Wire::Piece(bytes.part(len)?)
        }
        3 => Wire::Group(group(bytes, number)?),
        5 => Wire::Four(bytes.u32_le()?),
        _ => return None,
    };
    Some(Field { number, wire, place: begin..bytes.at() })
}

fn tag(bytes: &mut Bytes<'_>) -> Option<(u32, u32)> {
    let tag = u32::try_from(varint(bytes)?).ok()?;
    Some((tag >> 3, tag & 7)).filter(|(number, _)| (1..=GREATEST).contains(number))
}

/// What stands before the tag that ends the group of this number, which is passed over.
fn group<'a>(bytes: &mut Bytes<'a>, number: u32) -> Option<Bytes<'a>> {
    let begin = bytes.clone();
    let mut open = vec![number];
    while let Some(&innermost) = open.last() {
        let end = bytes.at();
        match tag(bytes)? {
            (_, 0) => drop(varint(bytes)?),
            (_, 1) => drop(bytes.take(8)?),
            (_, 2) => {
                let len = usize::try_from(varint(bytes)?).ok()?;
                bytes.take(len)?;
            }
            (inner, 3) if open.len() < GROUPS => open.push(inner),
            (ended, 4) if ended == innermost => {
                open.pop();
                if open.is_empty() {
                    return begin.clone().part(end - begin.at());
                }
            }
            (_, 5) => drop(bytes.take(4)?),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_end_with_their_own_tag() {
        let inside = |bytes: &[u8]| match field(&mut Bytes::new(bytes))? {
            Field { number, wire: Wire::Group(inside), place } => Some((number, inside.rest().to_vec(), place)),
            _ => None,
        };
        assert_eq!(inside(&[0x0b, 0x08, 1, 0x0c]), Some((1, vec![8, 1], 1..4)));
        assert_eq!(inside(&[0x0b, 0x13, 0x14, 0x0c, 7]), Some((1, vec![0x13, 0x14], 1..4)));
        for wrong in [&[0x0b, 0x14][..], &[0x0b, 0x08, 1], &[0x0c], &[0x0b; 100]] {
            assert!(inside(wrong).is_none(), "{wrong:?}");
        }
    }
}
