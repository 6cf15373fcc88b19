//! Which parts of a text are said again later in it.

/// For each place, the length of the longest text there that also begins at a later place; bytes that are not known
/// repeat nothing. Takes time O(n · log² n), whatever the text.
pub(super) fn repeats(text: &[Option<u8>]) -> Vec<u16> {
    let suffixes = Suffixes::of(text);
    let heights = suffixes.heights(text);
    // Neighbours in the order of suffixes, all of them at first; those at places already passed are taken out, and what
    // two have in common across them is the least of what they have in common with those between.
    let len = text.len();
    let mut next: Vec<usize> = (1..=len).collect();
    let mut previous: Vec<usize> = (0..len).map(|rank| rank.wrapping_sub(1)).collect();
    // What each has in common with its neighbour before it.
    let mut common = heights;
    let mut repeats = vec![0; len];
    for (rank, repeat) in suffixes.ranks.iter().map(|&rank| rank as usize).zip(&mut repeats) {
        let get = |list: &[usize], at: usize| list.get(at).copied().unwrap_or(usize::MAX);
        let (before, behind) = (get(&previous, rank), get(&next, rank));
        let here = common.get(rank).copied().unwrap_or(0);
        let there = common.get(behind).copied().unwrap_or(0);
        *repeat = here.max(there);
        if let Some(common) = common.get_mut(behind) {
            *common = here.min(there);
        }
        if let Some(next) = next.get_mut(before) {
            *next = behind;
        }
        if let Some(previous) = previous.get_mut(behind) {
            *previous = before;
        }
    }
    repeats
}

/// The suffixes of a text in order.
struct Suffixes {
    /// Places, in the order of the text that begins there.
    order: Vec<u32>,
    /// For each place, where it stands in that order.
    ranks: Vec<u32>,
}

impl Suffixes {
    /// Sorts by the first byte, and then by twice as many with each pass (Manber and Myers).
    fn of(text: &[Option<u8>]) -> Self {
        // An unknown byte equals no other.
        let first = |(place, byte): (usize, &Option<u8>)| byte.map_or(0x100 + place as u32, u32::from);
        let mut ranks: Vec<u32> = text.iter().enumerate().map(first).collect();
        let mut keys: Vec<(u64, u32)> = Vec::with_capacity(text.len());
        let mut depth = 0;
        loop {
            keys.clear();
            keys.extend(ranks.iter().enumerate().map(|(place, &rank)| {
                let behind = if depth == 0 { None } else { ranks.get(place + depth) };
                let behind = behind.map_or(0, |&rank| u64::from(rank) + 1);
                (u64::from(rank) << 32 | behind, place as u32)
            }));
            keys.sort_unstable();
            let (mut rank, mut last, mut distinct) = (0, None, true);
            for (at, &(key, place)) in keys.iter().enumerate() {
                if last == Some(key) {
                    distinct = false;
                } else {
                    rank = at as u32;
                }
                last = Some(key);
                if let Some(slot) = ranks.get_mut(place as usize) {
                    *slot = rank;
                }
            }
            depth = (2 * depth).max(1);
            if distinct {
                break;
            }
        }
        let order: Vec<u32> = keys.iter().map(|&(_, place)| place).collect();
        for (rank, &place) in order.iter().enumerate() {
            if let Some(slot) = ranks.get_mut(place as usize) {
                *slot = rank as u32;
            }
        }
        Self { order, ranks }
    }

    /// For each rank, what the text there has in common with that of the rank before (Kasai et al.).
    fn heights(&self, text: &[Option<u8>]) -> Vec<u16> {
        let mut heights = vec![0; text.len()];
        let mut height = 0_usize;
        for (place, &rank) in self.ranks.iter().enumerate() {
            let Some(&other) = (rank as usize).checked_sub(1).and_then(|before| self.order.get(before)) else {
                height = 0;
                continue;
            };
            let here = text.get(place + height..).unwrap_or_default().iter();
            let there = text.get(other as usize + height..).unwrap_or_default();
            height += here.zip(there).take_while(|(one, other)| one.is_some() && one == other).count();
            if let Some(slot) = heights.get_mut(rank as usize) {
                *slot = u16::try_from(height).unwrap_or(u16::MAX);
            }
            height = height.saturating_sub(1);
        }
        heights
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_is_said_again(text in proptest::collection::vec(proptest::option::weighted(0.9, 0_u8..3), 0..60)) {
            let plain = |one: usize, other: usize| {
                let pairs = text[one..].iter().zip(&text[other..]);
                pairs.take_while(|(one, other)| one.is_some() && one == other).count() as u16
            };
            let longest = (0..text.len()).map(|one| (one + 1..text.len()).map(|other| plain(one, other)).max());
            let longest: Vec<u16> = longest.map(|longest| longest.unwrap_or(0)).collect();
            prop_assert_eq!(repeats(&text), longest);
        }
    }

    #[test]
    fn one_byte_repeated_is_no_harder() {
        let found = repeats(&vec![Some(7); 32 << 10]);
        assert!(found.iter().rev().enumerate().all(|(at, &length)| usize::from(length) == at));
    }
}
