//! Two conversations, message by message: what only one has, what changed, what came in another order.

mod gather;
mod write;

pub use gather::{Gather, Line, Talk};
pub use write::Differences;

use crate::model::Direction;
use foldhash::HashMap;

/// One thing in which two conversations differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference<'a> {
    /// Only the first has it.
    First(&'a Line),
    /// Only the second has it.
    Second(&'a Line),
    /// In the same place the one has this, the other that.
    Changed(&'a Line, &'a Line),
    /// Both have it, in another order among the messages of its direction.
    Moved(&'a Line, &'a Line),
}

impl Difference<'_> {
    /// Where it stands: by the message of the first conversation, else by that of the second.
    fn place(&self) -> (u64, u64) {
        match self {
            Self::First(line) => (line.msg, 0),
            Self::Second(line) => (line.msg, line.msg),
            Self::Changed(one, other) | Self::Moved(one, other) => (one.msg, other.msg),
        }
    }
}

/// Connections that belong together.
#[derive(Debug)]
pub enum Pair<'a> {
    /// They are compared.
    Both(&'a Talk, &'a Talk),
    /// Only the first capture has it.
    First(&'a Talk),
    /// Only the second capture has it.
    Second(&'a Talk),
}

/// Which connections of two captures belong together: those of the same path, in order.
pub fn pairs<'a>(one: &'a Gather, other: &'a Gather) -> Vec<Pair<'a>> {
    let mut waiting: HashMap<&str, Vec<&Talk>> = HashMap::default();
    for talk in other.talks().rev() {
        waiting.entry(&talk.path).or_default().push(talk);
    }
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    for talk in one.talks() {
        let partner = waiting.get_mut(&*talk.path).and_then(Vec::pop);
        pairs.push(partner.map_or(Pair::First(talk), |partner| Pair::Both(talk, partner)));
    }
    let mut rest: Vec<&Talk> = waiting.into_values().flatten().collect();
    rest.sort_by_key(|talk| talk.conn);
    pairs.extend(rest.into_iter().map(Pair::Second));
    pairs
}

/// In what two conversations differ, in order. Each direction is compared by itself: what crosses on the way has no order.
pub fn compare<'a>(one: &'a Talk, other: &'a Talk) -> Vec<Difference<'a>> {
    let mut found: Vec<Difference<'a>> = Vec::new();
    for dir in Direction::BOTH {
        direction(&one.lines[dir], &other.lines[dir], &mut found);
    }
    found.sort_by_key(Difference::place);
    found
}

/// Of equal messages the first belongs to the first, the second to the second, and so on; those that come in the same order are
/// common, the others moved. Between two that are common, what is left changed, one by one.
fn direction<'a>(one: &'a [Line], other: &'a [Line], found: &mut Vec<Difference<'a>>) {
    let partners = partners(one, other);
    let matched: Vec<(usize, usize)> = partners.iter().enumerate().filter_map(|(at, to)| Some((at, (*to)?))).collect();
    let common = longest_rising(&matched);
    let mut is_taken = vec![false; other.len()];
    for (_, to) in &matched {
        if let Some(taken) = is_taken.get_mut(*to) {
            *taken = true;
        }
    }
    let mut anchors = common.iter().copied();
    let (mut from, mut to) = (0, 0);
    loop {
        let (end, other_end) = anchors.next().unwrap_or((one.len(), other.len()));
        let left = (from..end).filter_map(|at| one.get(at).filter(|_| partners.get(at) == Some(&None)));
        let right = (to..other_end).filter_map(|at| other.get(at).filter(|_| is_taken.get(at) == Some(&false)));
        gap(left, right, found);
        if end >= one.len() && other_end >= other.len() {
            break;
        }
        (from, to) = (end + 1, other_end + 1);
    }
    let mut rest = common.iter().peekable();
    for pair in &matched {
        if rest.peek() == Some(&pair) {
            rest.next();
        } else if let (Some(line), Some(partner)) = (one.get(pair.0), other.get(pair.1)) {
            found.push(Difference::Moved(line, partner));
        }
    }
}

/// Messages that only one side has, between two that both have.
fn gap<'a>(
    left: impl Iterator<Item = &'a Line>,
    right: impl Iterator<Item = &'a Line>,
    found: &mut Vec<Difference<'a>>,
) {
    let mut right = right.peekable();
    for line in left {
        match right.next_if(|other| other.opcode == line.opcode) {
            Some(other) => found.push(Difference::Changed(line, other)),
            None => found.push(Difference::First(line)),
        }
    }
    found.extend(right.map(Difference::Second));
}

/// For each message its equal on the other side, where there is one.
fn partners(one: &[Line], other: &[Line]) -> Vec<Option<usize>> {
    let mut places: HashMap<&[u8], Vec<usize>> = HashMap::default();
    for (at, line) in other.iter().enumerate().rev() {
        places.entry(&line.digest).or_default().push(at);
    }
    one.iter().map(|line| places.get_mut(&line.digest[..]).and_then(Vec::pop)).collect()
}

/// The longest part of the pairs whose second numbers rise as the first do, in n log n steps.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The pair that ends the best chain of each length, and for each pair the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let second = |at: &usize| pairs.get(*at).map_or(0, |pair| pair.1);
    for (at, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| second(end) < pair.1);
        before.push(length.checked_sub(1).and_then(|shorter| ends.get(shorter).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut chain = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(at) = next {
        chain.extend(pairs.get(at).copied());
        next = before.get(at).copied().flatten();
    }
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Both, ConnId, Opcode, PacketNo};
    use proptest::prelude::*;

    fn line(msg: usize, text: char) -> Line {
        let opcode = if text.is_uppercase() { Opcode::BINARY } else { Opcode::TEXT };
        Line {
            digest: [text as u8; 16],
            msg: msg as u64,
            packet: PacketNo(0),
            dir: Direction::ToServer,
            opcode,
            len: 1,
            shown: text.to_string().into(),
        }
    }

    fn talk(text: &str) -> Talk {
        let lines = text.chars().enumerate().map(|(at, c)| line(at + 1, c)).collect();
        Talk {
            conn: ConnId(1),
            title: String::new(),
            path: String::new(),
            lines: Both { to_server: lines, to_client: Vec::new() },
        }
    }

    /// `-b` only in the first, `+b` only in the second, `~bc` changed, `>b` moved.
    fn differences(one: &str, other: &str) -> String {
        let (one, other) = (talk(one), talk(other));
        let words = compare(&one, &other).into_iter().map(|difference| match difference {
            Difference::First(line) => format!("-{}", line.shown),
            Difference::Second(line) => format!("+{}", line.shown),
            Difference::Changed(line, other) => format!("~{}{}", line.shown, other.shown),
            Difference::Moved(line, _) => format!(">{}", line.shown),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_differs_is_told() {
        assert_eq!(differences("abcd", "abcd"), "");
        assert_eq!(differences("abcd", "abd"), "-c");
        assert_eq!(differences("abd", "abcd"), "+c");
        assert_eq!(differences("abcd", "abxd"), "~cx");
        assert_eq!(differences("abCd", "abxd"), "-C +x");
        assert_eq!(differences("abcd", "acbd"), ">b");
        assert_eq!(differences("", "ab"), "+a +b");
        assert_eq!(differences("aaaa", "aa"), "-a -a");
        assert_eq!(differences("abcdef", "xbcdey"), "~ax ~fy");
    }

    proptest! {
        /// What differs, done to the first, makes the second.
        #[test]
        fn differences_tell_all(one in "[a-e]{0,12}", other in "[a-e]{0,12}") {
            let (first, second) = (talk(&one), talk(&other));
            let (mut left, mut right): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
            let take = |from: &mut Vec<char>, line: &Line| {
                let c = line.shown.chars().next().unwrap();
                let at = from.iter().position(|&other| other == c).unwrap();
                from.remove(at);
            };
            for difference in compare(&first, &second) {
                match difference {
                    Difference::First(line) => take(&mut left, line),
                    Difference::Second(line) => take(&mut right, line),
                    Difference::Changed(line, other) | Difference::Moved(line, other) => {
                        take(&mut left, line);
                        take(&mut right, other);
                    }
                }
            }
            left.sort_unstable();
            right.sort_unstable();
            prop_assert_eq!(left, right);
        }

        #[test]
        fn a_chain_rises_and_none_is_longer(seconds in prop::collection::vec(0..8_usize, 0..9)) {
            let pairs: Vec<(usize, usize)> = seconds.iter().copied().enumerate().collect();
            let chain = longest_rising(&pairs);
            prop_assert!(chain.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
            let all = 0..1_usize << pairs.len();
            let rises = |set: usize| {
                let some: Vec<usize> = pairs.iter().filter(|pair| set >> pair.0 & 1 == 1).map(|pair| pair.1).collect();
                some.is_sorted_by(|a, b| a < b).then_some(some.len())
            };
            prop_assert_eq!(Some(chain.len()), all.filter_map(rises).max());
        }
    }
}
