//! What a JSON text says, however it is written: in which order its members stand, where it has blanks and escapes, how its
//! numbers are spelled.

use crate::decode::path::{self, Found};
use sha2::{Digest as _, Sha256};
use std::ops::Range;

/// How deep containers are taken apart, each of which reads what is in it once more; what is deeper counts as it is written.
const DEEPEST: u32 = 32;

/// Of one value.
type Sum = [u8; 32];

/// A digest of what a JSON text says, but for what stands in the holes, which come in order.
pub(super) fn digest(text: &[u8], holes: &[Range<usize>]) -> Sum {
    let mut sum = Sum::default();
    path::find(text, &[], &mut |found, range| {
        sum = of(found, range.start, holes, DEEPEST);
        true
    });
    sum
}

/// Of a value that begins at `at`; `deeper`: how many levels may still be taken apart.
fn of(found: Found<'_>, at: usize, holes: &[Range<usize>], deeper: u32) -> Sum {
    if holes.binary_search_by_key(&at, |hole| hole.start).is_ok() {
        return Sum::default();
    }
    match (found, deeper.checked_sub(1)) {
        (Found::Text(inside), _) => hash(b't', &[plain(inside).as_bytes()]),
        (Found::Number(digits), _) => hash(b'n', &[number(digits).as_bytes()]),
        (Found::Flag(flag), _) => hash(b'f', &[&[u8::from(flag)]]),
        (Found::Null, _) => hash(b'0', &[]),
        (Found::Tree(tree), None) => hash(b'd', &[tree]),
        (Found::Tree(tree), Some(deeper)) => {
            let mut array = Sha256::new();
            let mut object = [0_u64; 4];
            path::members(tree, &mut |name, found, range| {
                let value = of(found, at + range.start, holes, deeper);
                match name {
                    None => array.update(value),
                    // Added up, so that their order makes no difference.
                    Some(name) => add(&mut object, &hash(b'm', &[plain(name).as_bytes(), &value])),
                }
            });
            let members = object.map(u64::to_be_bytes);
            hash(tree.first().copied().unwrap_or_default(), &[&array.finalize(), members.as_flattened()])
        }
    }
}

fn hash(kind: u8, parts: &[&[u8]]) -> Sum {
    let mut hasher = Sha256::new();
    hasher.update([kind]);
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

fn add(sum: &mut [u64; 4], one: &Sum) {
    for (part, bytes) in sum.iter_mut().zip(one.as_chunks().0) {
        *part = part.wrapping_add(u64::from_be_bytes(*bytes));
    }
}

/// What is between the quotes of a string, escapes resolved.
fn plain(inside: &[u8]) -> String {
    let mut text = String::new();
    path::unescape(inside, &mut text);
    text
}

/// A number in one spelling: `1`, `1.0`, `10e-1` are `1e0`. One with an exponent beyond all bounds stays as it is.
fn number(digits: &[u8]) -> String {
    let text = String::from_utf8_lossy(digits);
    let (sign, rest) = text.strip_prefix('-').map_or(("", &*text), |rest| ("-", rest));
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let leading = all.trim_start_matches('0');
    let significant = leading.trim_end_matches('0');
    let zeros = i64::try_from(leading.len() - significant.len()).unwrap_or_default();
    let behind_point = i64::try_from(fraction.len()).unwrap_or_default();
    let exponent: Option<i64> = exponent.parse().ok();
    match exponent.and_then(|exponent| exponent.checked_add(zeros)?.checked_sub(behind_point)) {
        _ if significant.is_empty() => "0".to_owned(),
        Some(exponent) => format!("{sign}{significant}e{exponent}"),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(one: &str, other: &str, is_same: bool) {
        assert_eq!(digest(one.as_bytes(), &[]) == digest(other.as_bytes(), &[]), is_same, "{one} {other}");
    }

    #[test]
    fn what_is_said_counts_and_not_how() {
        same(r#"{"a":1,"b":[1,{"c":null}]}"#, " { \"b\" : [1.0, {\"c\":null} ],\n\"\\u0061\":10e-1}", true);
        same(r#"["\u00e9\n"]"#, "[ \"é\\u000a\" ]", true);
        same("-0.0", "0", true);
        same("1234567890123456789012345678901", "1234567890123456789012345678902", false);
        same("1e99999999999999999999", "1e99999999999999999998", false);
        for (one, other) in [
            ("[1,2]", "[2,1]"),
            ("{}", "[]"),
            ("1", "\"1\""),
            ("-1", "1"),
            ("120", "12"),
            ("true", "false"),
            (r#"{"a":1,"b":2}"#, r#"{"a":2,"b":1}"#),
            (r#"{"a":1}"#, r#"{"a":1,"a":1}"#),
            (r#"{"a":{"b":1}}"#, r#"{"a":{},"b":1}"#),
            ("[[1],2]", "[[1,2]]"),
        ] {
            same(one, other, false);
        }
    }

    #[test]
    fn what_is_nested_deep_counts_as_it_is_written() {
        let nested = |inside: &str| "[".repeat(40) + inside + &"]".repeat(40);
        same(&nested("1"), &nested("1"), true);
        same(&nested("1"), &nested("2"), false);
    }

    #[test]
    fn holes_count_as_holes() {
        let of = |text: &str| {
            let at = text.find("id\":").unwrap() + 4;
            let hole = at..at + text[at..].find([',', '}']).unwrap();
            digest(text.as_bytes(), &[hole])
        };
        assert_eq!(of(r#"{"id":1,"a":2}"#), of(r#"{"a":2,"id":"x"}"#));
        assert_ne!(of(r#"{"id":1,"a":2}"#), of(r#"{"a":3,"id":1}"#));
    }
}
