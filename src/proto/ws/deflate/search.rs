//! How long was what was lost? The search for the one length that explains what came after it.
//!
//! The history before a loss is known; what is lost stands between it and what follows, and nobody knows how long that
//! is. Every length makes later copies read other bytes of the history:
//!
//! ```text
//!   … history ─────────────────────┤ lost: how long? ├─ messages since ─ copy of 5 bytes from 120 bytes back …
//!        └─ if 80 were lost, these: "type"    if 81: {"typ
//! ```
//!
//! The right length always makes sense; a wrong one does now and then. Each test below weighs as much as it is rare for
//! the lengths still in question to pass it, so one that all pass weighs nothing, and chance cannot add up to proof:
//!
//! - A copy is the longest there is: the byte behind it differs from that behind its source.
//! - A copy is the nearest there is: what it copies does not stand once more between its source and the loss.
//! - Where a copy begins and ends, bytes meet that have met before: keys go on as keys, and numbers as numbers.
//! - A message takes about as much on the wire, for its length, as those before it.
//! - Text is UTF-8, and JSON where what came before the loss was.

use super::grammar;
use super::grams::{Grams, HALVES};
use super::planes::Symbol;
use super::repeats::repeats;
use super::stream::WINDOW;
use std::cell::Cell;
use std::sync::Arc;

/// Weight at which a length is believed, in nats (a wrong one gets there by chance once in e^25 tries).
const ENOUGH: f32 = 25.0;
/// What the best must be ahead of the second best by, and of a length that reads nothing.
const MARGIN: f32 = 12.0;
/// A length that reads little must be so much less likely, if the right one would hardly be like it.
const CONTENDER: f32 = 1.0 / 3.0;
/// A length that is so far behind is out of question.
const HOPELESS: f32 = 40.0;

/// A test, and how often the right length fails it. That depends on who sends, which is not known: every length is given
/// what suits it best.
#[derive(Debug, Clone, Copy)]
struct Test {
    /// One for each guess at what is not known, from which it may not differ between tests about the same.
    slips: [f32; GUESSES],
    about: About,
    /// Whether the right length fails it hardly ever, whoever sends.
    is_hard: bool,
}

/// What the guesses are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum About {
    /// The compressor: a careful one, one in a hurry, which misses the nearest copy, and one that cuts copies short to begin
    /// a longer one sooner.
    Compressor,
    /// How new the text is, by pairs of bytes that meet, and by threes; the last guess is that they tell nothing.
    Pairs,
    Threes,
}

const GUESSES: usize = 3;
const ABOUT: usize = About::Threes as usize + 1;
const LONGEST: Test = Test { slips: [0.01, 0.01, 0.2], about: About::Compressor, is_hard: true };
const NEAREST: Test = Test { slips: [0.01, 0.3, 0.05], about: About::Compressor, is_hard: false };
const TEXT: Test = Test { slips: [0.01; GUESSES], about: About::Compressor, is_hard: true };
const PAIRS: Test = Test { slips: [0.05, 0.3, 1.0], about: About::Pairs, is_hard: false };
const THREES: Test = Test { about: About::Threes, ..PAIRS };

/// What is expected of the first message: that many nats are its length and its size on the wire apart.
const USUAL: f32 = 0.7;
/// The most that the size on the wire speaks against a length.
const SURPRISE: f32 = 16.0;
/// A compressor that knows one code only makes nine bits of eight at most, and the heads of a few frames come with them.
const SWELLS: f32 = 0.8;
const HEADS: f32 = 64.0;
/// One in so many tests may have failed that the right length hardly fails: its neighbours pass much of what it passes,
/// and where compressors are in a great hurry the best may be one of them.
const FAILED: u16 = 32;
/// One in so many may have failed of all.
const MISSED: u16 = 3;
/// So far beyond what may well be lost something must have been copied from, or half as far as the history goes: in a window that
/// reaches less far the right length would read next to nothing, and could not contend.
const REACH: usize = 1024;
/// What may well be lost is longer than expected by so many times what is usual.
const WELL: f32 = 2.0;
/// Tests that must have been passed.
const PASSED: u16 = 16;
/// The shortest copy there is (RFC 1951 §3.2.5).
const SHORTEST: usize = 3;
/// What DEFLATE makes of one byte at most (RFC 1951 §3.2.5: 258 bytes from two codes of one bit).
const RATIO: u64 = 1032;

/// Messages that are looked at: what so many do not show, more would show by chance.
const MESSAGES: u32 = 48;

/// A search that goes on.
#[derive(Debug)]
pub(super) struct Search {
    /// What was sent before the loss.
    past: Vec<Option<u8>>,
    /// For each place in it, the length of the text that also stands nearer to the loss.
    nearer: Vec<u16>,
    /// What was seen so far.
    grams: Grams,
    /// What was sent before the loss was JSON, and was ASCII.
    is_json: bool,
    is_ascii: bool,
    /// The lengths in question.
    live: Vec<Candidate>,
    verdicts: Vec<Verdict>,
    /// Distances that were copied from since the loss: later copies of them are copies of copies.
    copied: Vec<bool>,
    /// How far before the end of the lost history copies reach, and how far they must.
    reach: usize,
    least_reach: usize,
    messages: u32,
    tried: u32,
    /// Steps taken.
    steps: u64,
    /// Held by as many as go on at once.
    _permit: Arc<()>,
}

/// A length in question.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    length: u16,
    /// Tests passed and failed, and those failed that the right length hardly fails.
    passed: u16,
    failed: u16,
    hard: u16,
    /// How much likelier it is than a length picked at random, for each guess, in parts of a nat.
    weights: [[i16; GUESSES]; ABOUT],
}

/// Parts of a nat that weights count.
const PARTS: f32 = 64.0;

impl Candidate {
    fn new(length: u16, prior: Option<&Prior>) -> Self {
        let weight = prior.map_or(0, |prior| parts(prior.weigh(length)));
        let weights = std::array::from_fn(|about| [if about == 0 { weight } else { 0 }; GUESSES]);
        Self { length, passed: 0, failed: 0, hard: 0, weights }
    }

    /// How much likelier it is than a length picked at random, in nats.
    fn weight(&self) -> f32 {
        let best = |guesses: &[i16; GUESSES]| guesses.iter().max().map_or(0, |&best| i32::from(best));
        self.weights.iter().map(best).sum::<i32>() as f32 / PARTS
    }

    fn count(&mut self, is_passed: bool, test: Test, changes: [i16; GUESSES]) {
        let count = if is_passed { &mut self.passed } else { &mut self.failed };
        *count = count.saturating_add(1);
        self.hard = self.hard.saturating_add(u16::from(!is_passed && test.is_hard));
        let weights = self.weights.get_mut(test.about as usize).into_iter().flatten();
        weights.zip(changes).for_each(|(weight, change)| *weight = weight.saturating_add(change));
    }
}

fn parts(nats: f32) -> i16 {
    (nats * PARTS).round() as i16
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The test reads what was lost, or what was never known.
    Open,
    Passed,
    Failed,
}

impl Verdict {
    const fn of(is_passed: bool) -> Self {
        if is_passed { Self::Passed } else { Self::Failed }
    }
}

/// What a search has come to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// More messages are wanted.
    Open,
    /// The length was found.
    Found(Evidence),
    /// It will not be found.
    GivenUp,
}

/// A length that was found, and why it is believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Evidence {
    /// Bytes that were lost.
    pub(in super::super) length: usize,
    /// Lengths that were tried.
    pub(in super::super) tried: u32,
    /// Tests that it passed, and those that it failed.
    pub(in super::super) passed: u16,
    pub(in super::super) failed: u16,
    /// Messages that were looked at.
    pub(in super::super) messages: u32,
    /// How far the second best length is behind: it is e^margin times less likely.
    pub(in super::super) margin: f32,
}

/// A part of a message that comes from the history in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Copy {
    /// Where in the message.
    at: usize,
    /// How far before the end of the lost history its first byte stands.
    distance: usize,
    len: usize,
}

/// What the size on the wire says of a length: messages are compressed much like those before them.
#[derive(Debug)]
struct Prior {
    /// The logarithm of the length that is expected.
    expected: f32,
    /// How far from it, in the logarithm, is usual.
    spread: f32,
    /// What compresses to that size is hardly shorter.
    least: f32,
}

impl Prior {
    /// `None` when the size is not known.
    fn new(wire: Option<u64>, sizes: &[(u32, u32)]) -> Option<Self> {
        let ratio = |&(inflated, wire): &(u32, u32)| ((inflated as f32 + 1.0) / (wire as f32 + 1.0)).ln();
        // One more message, of which nothing is known, makes it a guess even where there are few.
        let count = sizes.len() as f32 + 1.0;
        let mean = (sizes.iter().map(ratio).sum::<f32>() + USUAL) / count;
        let variance = (sizes.iter().map(|size| (ratio(size) - mean).powi(2)).sum::<f32>() + 1.0) / count;
        let wire = wire? as f32;
        let least = wire * SWELLS - HEADS;
        Some(Self { expected: (wire + 1.0).ln() + mean, spread: variance.sqrt().max(0.3), least })
    }

    /// The longest that may well be.
    fn longest(&self) -> usize {
        (self.expected + WELL * self.spread).exp() as usize
    }

    fn weigh(&self, length: u16) -> f32 {
        let off = ((f32::from(length) + 1.0).ln() - self.expected) / self.spread;
        let surprise = if f32::from(length) < self.least { 2.0 * SURPRISE } else { SURPRISE };
        (-0.5 * off * off).max(-surprise).min(SURPRISE - surprise)
    }
}

/// What is left of the history at a loss.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// What was sent before the loss, as far as it is known.
    pub(super) past: Vec<Option<u8>>,
    /// Where in it messages begin.
    pub(super) starts: Vec<usize>,
    /// Compressed bytes lost; `None`: nobody knows.
    pub(super) wire: Option<u64>,
    /// What the last messages were inflated and on the wire.
    pub(super) sizes: Vec<(u32, u32)>,
}

impl Search {
    /// A search with what there was before the loss, which holds its permit until it is over.
    pub(super) fn new(before: Before, permit: Arc<()>) -> Self {
        let Before { past, starts, wire, sizes } = before;
        let prior = Prior::new(wire, &sizes);
        let most = wire.map_or(u64::MAX, |wire| wire.saturating_add(1).saturating_mul(RATIO));
        let most = u16::try_from(most).unwrap_or(u16::MAX).min(WINDOW as u16 - 1);
        let messages = || starts.windows(2).filter_map(|pair| past.get(*pair.first()?..*pair.last()?));
        let is_json = messages().any(|message| !message.is_empty())
            && messages().all(|message| grammar::may_be_json(message.iter().copied(), true));
        let mut grams = Grams::new();
        grams.see(past.iter().copied());
        Self {
            nearer: repeats(&past),
            grams,
            is_json,
            is_ascii: past.iter().flatten().all(u8::is_ascii),
            live: (0..=most).map(|length| Candidate::new(length, prior.as_ref())).collect(),
            verdicts: Vec::new(),
            copied: vec![false; WINDOW + 1],
            reach: 0,
            least_reach: prior.as_ref().map_or(0, Prior::longest).saturating_add(REACH.min(past.len() / 2)).min(WINDOW),
            messages: 0,
            tried: u32::from(most) + 1,
            // What sorting the past costs.
            steps: past.len() as u64 * 64,
            past,
            _permit: permit,
        }
    }

    /// Steps taken so far.
    pub(super) const fn steps(&self) -> u64 {
        self.steps
    }

    /// What was sent before the loss.
    pub(super) fn into_past(self) -> Vec<Option<u8>> {
        self.past
    }

    /// Learns from a message, or the beginning of one, in no more than so many steps in all.
    pub(super) fn learn(&mut self, message: &[Symbol], is_text: bool, is_whole: bool, budget: u64) -> Outcome {
        self.messages += 1;
        for copy in copies(message) {
            self.reach = self.reach.max(copy.distance);
            let distances = copy.distance + 1 - copy.len..=copy.distance;
            let Some(copied) = self.copied.get_mut(distances) else { break };
            let is_first = copied.contains(&false);
            copied.fill(true);
            if is_first && copy.len >= SHORTEST && self.steps <= budget {
                self.learn_copy(message, copy);
            }
        }
        self.grams.see(message.iter().map(|symbol| symbol.byte()));
        if is_text && self.steps <= budget {
            let copies: Vec<Copy> = copies(message).collect();
            let read = Cell::new(0);
            // ASCII is text whatever comes behind what.
            let is_any_text = !self.is_json
                && self.is_ascii
                && message.iter().filter_map(|symbol| symbol.byte()).all(|byte| byte.is_ascii());
            self.weigh(TEXT, |search, length| {
                let is_spent = search.steps + read.get() > budget;
                if is_spent || !copies.iter().any(|copy| copy.reads(search.past.len(), length)) {
                    return Verdict::Open;
                }
                if is_any_text {
                    return Verdict::Passed;
                }
                read.set(read.get() + message.len() as u64);
                search.test_text(message, is_whole, length)
            });
            self.steps += read.get();
        }
        match self.decide() {
            Some(evidence) => Outcome::Found(evidence),
            None if self.steps > budget || self.messages >= MESSAGES => Outcome::GivenUp,
            None => Outcome::Open,
        }
    }

    /// Learns from a copy of the history, and from what it meets where it begins and ends.
    fn learn_copy(&mut self, message: &[Symbol], copy: Copy) {
        let end = copy.at + copy.len;
        let behind = message.get(end).copied();
        self.weigh(LONGEST, |search, length| search.test_longest(copy, behind, length));
        self.weigh(NEAREST, |search, length| search.test_nearest(copy, length));
        for joint in [copy.at, end] {
            let [pairs, threes] = HALVES;
            self.weigh(PAIRS, |search, length| search.test_joint(message, joint, pairs, length));
            self.weigh(THREES, |search, length| match search.test_joint(message, joint, pairs, length) {
                Verdict::Passed => search.test_joint(message, joint, threes, length),
                // What it would say has been said.
                Verdict::Open | Verdict::Failed => Verdict::Open,
            });
        }
        let best = self.live.iter().map(Candidate::weight).fold(0.0, f32::max);
        self.live.retain(|candidate| candidate.weight() > best - HOPELESS);
    }

    /// Puts a test to every length in question.
    fn weigh(&mut self, test: Test, verdict: impl Fn(&Self, usize) -> Verdict) {
        let mut verdicts = std::mem::take(&mut self.verdicts);
        verdicts.clear();
        verdicts.extend(self.live.iter().map(|candidate| verdict(self, usize::from(candidate.length))));
        self.steps += self.live.len() as u64;
        let count = |wanted| verdicts.iter().filter(|&&verdict| verdict == wanted).count() as f32;
        let (passed, failed) = (count(Verdict::Passed), count(Verdict::Failed));
        let rate = (failed + 0.5) / (passed + failed + 1.0);
        let gains = test.slips.map(|slip| parts(((1.0 - slip) / (1.0 - rate)).ln().max(0.0)));
        let losses = test.slips.map(|slip| parts((slip / rate).ln().min(0.0)));
        for (candidate, verdict) in self.live.iter_mut().zip(&verdicts) {
            match verdict {
                Verdict::Open => {}
                Verdict::Passed => candidate.count(true, test, gains),
                Verdict::Failed => candidate.count(false, test, losses),
            }
        }
        self.verdicts = verdicts;
    }

    /// The length that is believed, if one is.
    fn decide(&self) -> Option<Evidence> {
        let best = self.live.iter().max_by(|one, other| one.weight().total_cmp(&other.weight()))?;
        let others = || self.live.iter().filter(|candidate| candidate.length != best.length);
        let margin = best.weight() - others().map(Candidate::weight).fold(0.0, f32::max);
        // What fails nothing that the right length hardly fails contends, though it reads less.
        let contends = |other: &Candidate| other.hard == 0 && other.weight() > best.weight() * CONTENDER;
        let is_enough = self.reach >= self.least_reach
            && best.weight() >= ENOUGH
            && margin >= MARGIN
            && best.passed >= PASSED
            && best.hard <= best.passed / FAILED
            && best.failed <= best.passed / MISSED;
        (is_enough && !others().any(contends)).then_some(Evidence {
            length: usize::from(best.length),
            tried: self.tried,
            passed: best.passed,
            failed: best.failed,
            messages: self.messages,
            margin,
        })
    }

    /// Whether a copy could not have gone on, if so many bytes were lost.
    fn test_longest(&self, copy: Copy, behind: Option<Symbol>, length: usize) -> Verdict {
        let Some(source) = place(self.past.len(), copy.distance, length) else { return Verdict::Open };
        let could_go_on = self.past.get(source + copy.len).copied().flatten();
        let went_on = behind.and_then(|symbol| resolve(&self.past, symbol, length));
        match could_go_on.zip(went_on) {
            None => Verdict::Open,
            Some((could, went)) => Verdict::of(could != went),
        }
    }

    /// Whether a copy is the nearest there is, if so many bytes were lost.
    fn test_nearest(&self, copy: Copy, length: usize) -> Verdict {
        let Some(source) = place(self.past.len(), copy.distance, length) else { return Verdict::Open };
        let text = self.past.get(source..source + copy.len);
        let (Some(text), Some(&nearer)) = (text, self.nearer.get(source)) else { return Verdict::Open };
        if text.contains(&None) { Verdict::Open } else { Verdict::of(usize::from(nearer) < copy.len) }
    }

    /// Whether bytes that meet have met before, `half` of them on either side, if so many bytes were lost.
    fn test_joint(&self, message: &[Symbol], joint: usize, half: usize, length: usize) -> Verdict {
        let around = joint.checked_sub(half).and_then(|from| message.get(from..joint + half));
        let Some(around) = around else { return Verdict::Open };
        let bytes = around.iter().map(|&symbol| resolve(&self.past, symbol, length));
        self.grams.saw(half, bytes).map_or(Verdict::Open, Verdict::of)
    }

    /// Whether a message can be text, if so many bytes were lost.
    fn test_text(&self, message: &[Symbol], is_whole: bool, length: usize) -> Verdict {
        let text = || message.iter().map(|&symbol| resolve(&self.past, symbol, length));
        let may_be = grammar::may_be_utf8(text()) && (!self.is_json || grammar::may_be_json(text(), is_whole));
        Verdict::of(may_be)
    }
}

impl Copy {
    /// Whether any of it stands in a past of so many bytes, if `length` bytes were lost behind that.
    const fn reads(self, past: usize, length: usize) -> bool {
        self.distance > length && self.distance - self.len < length + past
    }
}

/// The parts of a message that come from the history.
fn copies(message: &[Symbol]) -> impl Iterator<Item = Copy> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = message.get(from..)?;
        let (skipped, distance) = rest.iter().enumerate().find_map(|(at, symbol)| Some((at, symbol.distance()?)))?;
        let run = rest.get(skipped..)?.iter().zip(0..distance);
        let len = run.take_while(|(symbol, at)| symbol.distance() == Some(distance - at)).count();
        let at = from + skipped;
        from = at + len;
        Some(Copy { at, distance, len })
    })
}

/// Where in the past a byte of the lost history stands, if `length` bytes were lost behind it.
fn place(past: usize, distance: usize, length: usize) -> Option<usize> {
    let back = distance.checked_sub(length).filter(|&back| back > 0)?;
    past.checked_sub(back)
}

/// The byte that a symbol stands for, if `length` bytes were lost between the past and what follows.
pub(super) fn resolve(past: &[Option<u8>], symbol: Symbol, length: usize) -> Option<u8> {
    symbol.byte().or_else(|| *past.get(place(past.len(), symbol.distance()?, length)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a length is believed that passed and failed so many tests, far ahead of all others, where copies reach so far into so
    /// many bytes of history.
    fn is_believed(passed: u16, failed: u16, reach: usize, past: usize) -> bool {
        let before = Before { past: vec![Some(b'x'); past], ..Before::default() };
        let mut search = Search::new(before, Arc::new(()));
        let candidate = Candidate { passed, failed, ..Candidate::new(40, None) };
        search.live = vec![Candidate { weights: [[parts(2.0 * ENOUGH); GUESSES]; ABOUT], ..candidate }];
        search.reach = reach;
        search.decide().is_some()
    }

    /// As long as a length that the wire makes likely reads nothing, it cannot contend.
    #[test]
    fn no_length_is_believed_where_the_right_one_may_be_hardly_tested() {
        let is_believed = |reach| {
            let before = Before { past: vec![Some(b'x'); 4096], wire: Some(1000), ..Before::default() };
            let mut search = Search::new(before, Arc::new(()));
            let candidate = Candidate { passed: 40, ..Candidate::new(1656, None) };
            search.live = vec![Candidate { weights: [[parts(2.0 * ENOUGH); GUESSES]; ABOUT], ..candidate }];
            search.reach = reach;
            search.decide().is_some()
        };
        assert!(!is_believed(4096), "1 000 bytes may well be 14 000, a window of 4 KiB does not reach so far");
        assert!(is_believed(WINDOW));
    }

    #[test]
    fn a_length_is_believed_that_passed_enough_and_failed_little() {
        assert!(is_believed(16, 5, 1024, 4000));
        assert!(!is_believed(15, 0, 1024, 4000), "hardly tested");
        assert!(!is_believed(17, 6, 1024, 4000), "it failed more than one in four");
        assert!(!is_believed(16, 5, 1023, 4000), "nothing is copied from afar");
        assert!(is_believed(16, 5, 300, 600) && !is_believed(16, 5, 299, 600), "there is little to copy from");
    }
}
