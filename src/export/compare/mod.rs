//! Two conversations, message by message: what only one has, what changed, what came in another order.

mod gather;
mod value;
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

/// Which connections of two captures belong together: those of the same path and query, else of the same path, in order; and what
/// is left, if it is one on each side.
pub fn pairs<'a>(one: &'a Gather, other: &'a Gather) -> Vec<Pair<'a>> {
    let mut partners: Vec<(&Talk, Option<&Talk>)> = one.talks().map(|talk| (talk, None)).collect();
    let mut left: Vec<&Talk> = other.talks().collect();
    for key in [|talk: &Talk| talk.path.clone(), |talk: &Talk| talk.place.clone()] {
        let mut waiting: HashMap<String, Vec<&Talk>> = HashMap::default();
        for talk in left.drain(..).rev() {
            waiting.entry(key(talk)).or_default().push(talk);
        }
        for (talk, partner) in partners.iter_mut().filter(|(_, partner)| partner.is_none()) {
            *partner = waiting.get_mut(&key(talk)).and_then(Vec::pop);
        }
        left.extend(waiting.into_values().flatten());
        left.sort_by_key(|talk| talk.conn);
    }
    let mut alone = partners.iter_mut().filter(|(_, partner)| partner.is_none());
    if let (Some((_, partner)), None, [last]) = (alone.next(), alone.next(), left.as_slice()) {
        *partner = Some(last);
        left.clear();
    }
    let first = partners.into_iter().map(|(talk, partner)| match partner {
        Some(partner) => Pair::Both(talk, partner),
        None => Pair::First(talk),
    });
    first.chain(left.into_iter().map(Pair::Second)).collect()
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

/// What stands in the same order on both sides is common; of the rest, equal messages moved, and between two that are common,
/// what is left changed, one by one.
fn direction<'a>(one: &'a [Line], other: &'a [Line], found: &mut Vec<Difference<'a>>) {
    let mut common = Vec::new();
    align(one, other, (0, 0), DEEPEST, &mut common);
    let (mut is_common, mut is_taken) = (vec![false; one.len()], vec![false; other.len()]);
    for &(at, to) in &common {
        mark(&mut is_common, at);
        mark(&mut is_taken, to);
    }
    let rest = |lines: &'a [Line], taken: &[bool]| -> Vec<usize> {
        (0..lines.len()).filter(|at| taken.get(*at) == Some(&false)).collect()
    };
    let (left, right) = (rest(one, &is_common), rest(other, &is_taken));
    for (at, to) in equal(one, &left, other, &right) {
        mark(&mut is_common, at);
        mark(&mut is_taken, to);
        if let (Some(line), Some(partner)) = (one.get(at), other.get(to)) {
            found.push(Difference::Moved(line, partner));
        }
    }
    let mut anchors = common.iter().copied();
    let (mut from, mut to) = (0, 0);
    loop {
        let (end, other_end) = anchors.next().unwrap_or((one.len(), other.len()));
        let left = (from..end).filter(|at| is_common.get(*at) == Some(&false)).filter_map(|at| one.get(at));
        let right = (to..other_end).filter(|at| is_taken.get(*at) == Some(&false)).filter_map(|at| other.get(at));
        gap(left, right, found);
        if end >= one.len() && other_end >= other.len() {
            return;
        }
        (from, to) = (end + 1, other_end + 1);
    }
}

fn mark(flags: &mut [bool], at: usize) {
    if let Some(flag) = flags.get_mut(at) {
        *flag = true;
    }
}

/// How often what lies between messages that occur once is looked at again; so the work stays near n log n.
const DEEPEST: u32 = 16;

/// What is common, in order: beginning and end, then messages that occur once on each side, then what lies between those; where
/// there is none, the first of equal messages with the first, the second with the second, as far as they keep their order.
fn align(one: &[Line], other: &[Line], base: (usize, usize), deeper: u32, common: &mut Vec<(usize, usize)>) {
    let same = |(a, b): &(&Line, &Line)| a.digest == b.digest;
    let begin = one.iter().zip(other).take_while(same).count();
    common.extend((0..begin).map(|at| (base.0 + at, base.1 + at)));
    let (one, other) = (one.get(begin..).unwrap_or_default(), other.get(begin..).unwrap_or_default());
    let end = one.iter().rev().zip(other.iter().rev()).take_while(same).count();
    let (middle, other_middle) = (one.len() - end, other.len() - end);
    let base = (base.0 + begin, base.1 + begin);
    let tail = (0..end).map(|at| (base.0 + middle + at, base.1 + other_middle + at));
    let (one, other) = (one.get(..middle).unwrap_or_default(), other.get(..other_middle).unwrap_or_default());
    if !one.is_empty() && !other.is_empty() {
        between(one, other, base, deeper, common);
    }
    common.extend(tail);
}

/// See [`align`]: of what neither begins nor ends alike.
fn between(one: &[Line], other: &[Line], base: (usize, usize), deeper: u32, common: &mut Vec<(usize, usize)>) {
    let single = if deeper > 0 { longest_rising(&singles(one, other)) } else { Vec::new() };
    if single.is_empty() {
        let all = |lines: &[Line]| (0..lines.len()).collect::<Vec<_>>();
        let pairs = longest_rising(&equal(one, &all(one), other, &all(other)));
        common.extend(pairs.into_iter().map(|(at, to)| (base.0 + at, base.1 + to)));
        return;
    }
    let (mut from, mut to) = (0, 0);
    for (at, other_at) in single.into_iter().chain([(one.len(), other.len())]) {
        let (left, right) = (one.get(from..at).unwrap_or_default(), other.get(to..other_at).unwrap_or_default());
        align(left, right, (base.0 + from, base.1 + to), deeper - 1, common);
        if at < one.len() {
            common.push((base.0 + at, base.1 + other_at));
        }
        (from, to) = (at + 1, other_at + 1);
    }
}

/// Messages that occur once on each side, in the order of the first.
fn singles(one: &[Line], other: &[Line]) -> Vec<(usize, usize)> {
    let mut places: HashMap<&[u8; 16], (usize, usize, usize, usize)> = HashMap::default();
    for (at, line) in one.iter().enumerate() {
        let place = places.entry(&line.digest).or_default();
        (place.0, place.1) = (place.0 + 1, at);
    }
    for (at, line) in other.iter().enumerate() {
        if let Some(place) = places.get_mut(&line.digest) {
            (place.2, place.3) = (place.2 + 1, at);
        }
    }
    let once = places.into_values().filter(|place| place.0 == 1 && place.2 == 1);
    let mut pairs: Vec<(usize, usize)> = once.map(|place| (place.1, place.3)).collect();
    pairs.sort_unstable();
    pairs
}

/// Of equal messages among these the first with the first, the second with the second, and so on.
fn equal(one: &[Line], left: &[usize], other: &[Line], right: &[usize]) -> Vec<(usize, usize)> {
    let mut places: HashMap<&[u8; 16], Vec<usize>> = HashMap::default();
    for &at in right.iter().rev() {
        if let Some(line) = other.get(at) {
            places.entry(&line.digest).or_default().push(at);
        }
    }
    let partner = |&at: &usize| Some((at, places.get_mut(&one.get(at)?.digest)?.pop()?));
    left.iter().filter_map(partner).collect()
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
            prefixes: Box::default(),
        }
    }

    fn talk(text: &str) -> Talk {
        let lines = text.chars().enumerate().map(|(at, c)| line(at + 1, c)).collect();
        Talk {
            conn: ConnId(1),
            title: String::new(),
            path: String::new(),
            place: String::new(),
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
        assert_eq!(differences("hahbhchd", "ahbhchd"), "-h", "what is said again and again is no hindrance");
        assert_eq!(differences("aaabaaa", "aaacaaa"), "~bc");
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
