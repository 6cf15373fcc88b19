//! Selective acknowledgements (RFC 2018).

use super::seq::Seq;

/// TCP options (RFC 9293 §3.2): what ends them, what only fills, and SACK.
const END: u8 = 0;
const NOTHING: u8 = 1;
const SACK: u8 = 5;

/// The blocks that a header's options acknowledge: the first number of each, and the one behind it.
///
/// ```text
/// kind 5 │ length │ left edge, right edge (4 bytes each) │ …
/// ```
pub(super) fn blocks(options: &[u8]) -> impl Iterator<Item = (Seq, Seq)> {
    let edge = |bytes: &[u8; 4]| Seq(u32::from_be_bytes(*bytes));
    let pairs = sack(options).unwrap_or_default().as_chunks().0.as_chunks().0;
    pairs.iter().map(move |[left, right]| (edge(left), edge(right)))
}

/// The value of the SACK option.
fn sack(mut options: &[u8]) -> Option<&[u8]> {
    loop {
        match options {
            [] | [END, ..] => return None,
            [NOTHING, rest @ ..] => options = rest,
            &[kind, len, ..] => {
                let (option, rest) = options.split_at_checked(len.into())?;
                let value = option.get(2..)?;
                if kind == SACK {
                    return Some(value);
                }
                options = rest;
            }
            [_] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_blocks_of_the_one_option() {
        let all = |options: &[u8]| blocks(options).map(|(left, right)| (left.0, right.0)).collect::<Vec<_>>();
        let time = [8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
        let two = [5, 18, 0, 0, 0, 9, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 3];
        assert_eq!(all(&[&[1, 1][..], &time, &[1, 1], &two].concat()), [(9, 256), (u32::MAX, 3)]);
        assert_eq!(all(&[&[0][..], &two].concat()), []);
        for cut in 0..two.len() {
            assert_eq!(all(&two[..cut]), [], "{cut}");
        }
        assert_eq!(all(&[5, 0, 0, 0]), [], "a length that is none");
        assert_eq!(all(&[5, 7, 0, 0, 0, 9, 0]), [], "half a block");
    }
}
