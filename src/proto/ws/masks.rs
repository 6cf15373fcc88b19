//! Masking keys that can be foretold (RFC 6455 §5.3, §10.3).

use crate::model::NoteCode;

/// What is remembered of a client's keys: a few words, whatever their number.
///
/// Each pattern is believed when chance makes it in fewer than one of 2⁵⁰ connections, zero as the very first key aside (2⁻³²).
#[derive(Debug, Default)]
pub(super) struct Masks {
    keys: u64,
    last: u32,
    /// How often in a row the last key came again.
    repeats: u32,
    /// Steps from key to key, as big-endian and as little-endian numbers, and how often in a row each was the same.
    steps: [(u32, u32); 2],
    /// The keys before the last, the latest first, and how often in a row one of them came again.
    before: [u32; AGO],
    returns: u32,
    /// How many keys in a row are one byte four times.
    flat: u32,
    /// Bits that were 1 in every key, and those that were 0.
    ones: u32,
    zeros: u32,
}

/// Repetitions of a key, or of the step between keys, from which on they are no chance.
const REPEATS: u32 = 2;
/// How far back a key is looked for that comes again.
const AGO: usize = 4;
/// Keys in a row of one byte four times, from which on they are no chance.
const FLAT: u32 = 3;
/// Keys after which a bit that never changed is none that chance made.
const MANY: u64 = 64;

impl Masks {
    /// Takes the next frame's key; says what is wrong with the keys so far.
    pub(super) fn next(&mut self, key: [u8; 4]) -> Option<NoteCode> {
        let number = u32::from_be_bytes(key);
        self.keys += 1;
        self.flat = if number == number.rotate_left(8) { self.flat + 1 } else { 0 };
        if self.keys == 1 {
            (self.last, self.ones, self.zeros) = (number, number, !number);
            return (number == 0).then_some(NoteCode::MaskZero);
        }
        let steps = [number.wrapping_sub(self.last), number.swap_bytes().wrapping_sub(self.last.swap_bytes())];
        for ((last, times), step) in self.steps.iter_mut().zip(steps) {
            *times = if *last == step { *times + 1 } else { 0 };
            *last = step;
        }
        if number == self.last {
            self.repeats += 1;
        } else {
            let known = self.before.iter().take(usize::try_from(self.keys - 2).unwrap_or(AGO));
            self.returns = if known.copied().any(|key| key == number) { self.returns + 1 } else { 0 };
            self.repeats = 0;
            self.before.rotate_right(1);
            let [latest, ..] = &mut self.before;
            *latest = self.last;
        }
        self.last = number;
        self.ones &= number;
        self.zeros &= !number;
        if number == 0 && self.repeats > 0 {
            Some(NoteCode::MaskZero)
        } else if self.repeats > 0 {
            (self.repeats >= REPEATS).then_some(NoteCode::MaskRepeated)
        } else if self.steps.iter().any(|(_, times)| *times >= REPEATS)
            || self.returns >= REPEATS
            || self.flat >= FLAT
            || self.keys >= MANY && self.ones | self.zeros != 0
        {
            Some(NoteCode::MaskPredictable)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(keys: impl IntoIterator<Item = u32>) -> Vec<NoteCode> {
        let mut masks = Masks::default();
        let mut told: Vec<NoteCode> = keys.into_iter().filter_map(|key| masks.next(key.to_be_bytes())).collect();
        told.dedup();
        told
    }

    #[test]
    fn patterns_are_seen() {
        assert_eq!(told([0]), [NoteCode::MaskZero]);
        assert_eq!(told([7, 0, 0]), [NoteCode::MaskZero]);
        assert_eq!(told([9, 9, 9]), [NoteCode::MaskRepeated]);
        assert_eq!(told([9, 8, 9, 8]), [NoteCode::MaskPredictable], "two in turn");
        assert_eq!(told([0x0707_0707, 0x4141_4141, 0x9393_9393]), [NoteCode::MaskPredictable], "one byte each");
        assert_eq!(told([5, 6, 7, 8]), [NoteCode::MaskPredictable]);
        assert_eq!(told([0, 1, 2, 3].map(|n: u32| n.wrapping_mul(0x0300_0000))[1..].to_vec()), []);
        assert_eq!(told([1, 2, 3, 4].map(|n: u32| n.swap_bytes())), [NoteCode::MaskPredictable], "little-endian");
        // rand() of 15 bits: the others are always 0.
        let few = (1..=64_u32).map(|n| (n * n).wrapping_mul(0x9e37_79b9) & 0x7fff);
        assert_eq!(told(few.clone()), [NoteCode::MaskPredictable]);
        assert_eq!(told(few.take(63)), [], "not before it is certain");
    }

    #[test]
    fn chance_is_left_alone() {
        assert_eq!(told([7, 0, 8, 0]), []);
        assert_eq!(told([9, 9, 3, 3, 9]), []);
        assert_eq!(told([0x0707_0707, 0x4141_4141, 0x9393_9394]), []);
        assert_eq!(told([9, 8, 9, 7, 6]), []);
        assert_eq!(told([5, 6, 7]), [], "two equal steps");
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as u32
        };
        assert_eq!(told((0..100_000).map(|_| random())), []);
    }
}
