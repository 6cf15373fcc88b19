//! Selective acknowledgements (RFC 2018).

use super::option::{SACK, option};
use super::seq::Seq;

/// The blocks that a header's options acknowledge: the first number of each, and the one behind it.
///
/// ```text
/// kind 5 │ length │ left edge, right edge (4 bytes each) │ …
/// ```
pub(super) fn blocks(options: &[u8]) -> impl Iterator<Item = (Seq, Seq)> {
    let edge = |bytes: &[u8; 4]| Seq(u32::from_be_bytes(*bytes));
    let pairs = option(options, SACK).unwrap_or_default().as_chunks().0.as_chunks().0;
    pairs.iter().map(move |[left, right]| (edge(left), edge(right)))
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
