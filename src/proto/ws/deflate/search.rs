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
//! - A message takes about as much on the wire, for its length, as those before it.
//! - Text is UTF-8, and JSON where what came before the loss was.

use super::grammar;
use super::planes::Symbol;
use super::repeats::repeats;
use super::stream::WINDOW;
use std::cell::Cell;
use std::sync::Arc;

/// Weight at which a length is believed, in nats (a wrong one gets there by chance once in e^25 tries).
const ENOUGH: f32 = 25.0;
/// What the best must be ahead of the second best by, and of a length that reads nothing.
const MARGIN: f32 = 10.0;
/// A length that is so far behind is out of question.
const HOPELESS: f32 = 60.0;
/// How often the right length fails a copy: a careful compressor misses the longest or the nearest hardly ever, one in a
/// hurry often. Every length is given the one that suits it better.
const COPY_SLIPS: [f32; 2] = [0.01, 0.25];
/// How often it fails a text.
const TEXT_SLIPS: [f32; 2] = [0.01; 2];
/// The most that the size on the wire speaks against a length.
const SURPRISE: f32 = 8.0;
/// One in so many tests may have failed: the neighbours of the right length pass much of what it passes, and where
/// compressors are in a great hurry the best may be one of them.
const FAILED: u16 = 10;
/// Tests that must have been passed.
const PASSED: u16 = 6;
/// The shortest copy there is (RFC 1951 §3.2.5).
const SHORTEST: usize = 3;
/// What DEFLATE makes of one byte at most (RFC 1951 §3.2.5: 258 bytes from two codes of one bit).
const RATIO: u64 = 1032;

/// Messages that are looked at.
const MESSAGES: u32 = 256;

/// A search that goes on.
#[derive(Debug)]
pub(super) struct Search {
    /// What was sent before the loss.
    past: Vec<Option<u8>>,
    /// For each place in it, the length of the text that also stands nearer to the loss.
    nearer: Vec<u16>,
    /// What was sent before the loss was JSON.
    is_json: bool,
    /// The lengths in question.
    live: Vec<Candidate>,
    verdicts: Vec<Verdict>,
    /// Distances that were copied from since the loss: later copies of them are copies of copies.
    copied: Vec<bool>,
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
    /// Tests passed and failed.
    passed: u16,
    failed: u16,
    /// How much likelier it is than a length picked at random, in nats: with a careful compressor, and with one in a hurry.
    weights: [f32; 2],
}

impl Candidate {
    fn new(length: u16, prior: Option<&Prior>) -> Self {
        let weight = prior.map_or(0.0, |prior| prior.weigh(length));
        Self { length, passed: 0, failed: 0, weights: [weight; 2] }
    }

    const fn weight(&self) -> f32 {
        let [careful, hasty] = self.weights;
        careful.max(hasty)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The test reads what was lost, or what was never known.
    Open,
    Passed,
    Failed,
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
}

impl Prior {
    /// `None` when the size is not known, or nothing to compare it with.
    fn new(wire: Option<u64>, sizes: &[(u32, u32)]) -> Option<Self> {
        let ratio = |&(inflated, wire): &(u32, u32)| ((inflated as f32 + 1.0) / (wire as f32 + 1.0)).ln();
        let count = sizes.len() as f32;
        let mean = sizes.iter().map(ratio).sum::<f32>() / count;
        let variance = sizes.iter().map(|size| (ratio(size) - mean).powi(2)).sum::<f32>() / count;
        let expected = (wire? as f32 + 1.0).ln() + mean;
        (sizes.len() >= 4).then_some(Self { expected, spread: variance.sqrt().max(0.3) })
    }

    fn weigh(&self, length: u16) -> f32 {
        let off = ((f32::from(length) + 1.0).ln() - self.expected) / self.spread;
        (-0.5 * off * off).max(-SURPRISE)
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
        Self {
            nearer: repeats(&past),
            is_json,
            live: (0..=most).map(|length| Candidate::new(length, prior.as_ref())).collect(),
            verdicts: Vec::new(),
            copied: vec![false; WINDOW + 1],
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
            let distances = copy.distance + 1 - copy.len..=copy.distance;
            let Some(copied) = self.copied.get_mut(distances) else { break };
            let is_first = copied.contains(&false);
            copied.fill(true);
            if is_first && copy.len >= SHORTEST && self.steps <= budget {
                let behind = message.get(copy.at + copy.len).copied();
                self.steps += self.live.len() as u64;
                self.weigh(COPY_SLIPS, |search, length| search.test_copy(copy, behind, length));
            }
        }
        if is_text && self.steps <= budget {
            let copies: Vec<Copy> = copies(message).collect();
            let steps = Cell::new(self.steps);
            self.weigh(TEXT_SLIPS, |search, length| {
                if steps.get() > budget || !copies.iter().any(|copy| copy.reads(search.past.len(), length)) {
                    return Verdict::Open;
                }
                steps.set(steps.get() + message.len() as u64);
                search.test_text(message, is_whole, length)
            });
            self.steps = steps.get();
        }
        match self.decide() {
            Some(evidence) => Outcome::Found(evidence),
            None if self.steps > budget || self.messages >= MESSAGES => Outcome::GivenUp,
            None => Outcome::Open,
        }
    }

    /// Puts a test to every length in question, and drops those that are out of question then.
    fn weigh(&mut self, slips: [f32; 2], test: impl Fn(&Self, usize) -> Verdict) {
        let mut verdicts = std::mem::take(&mut self.verdicts);
        verdicts.clear();
        verdicts.extend(self.live.iter().map(|candidate| test(self, usize::from(candidate.length))));
        let count = |wanted| verdicts.iter().filter(|&&verdict| verdict == wanted).count() as f32;
        let (passed, failed) = (count(Verdict::Passed), count(Verdict::Failed));
        let rate = (failed + 0.5) / (passed + failed + 1.0);
        let gains = slips.map(|slip| ((1.0 - slip) / (1.0 - rate)).ln().max(0.0));
        let losses = slips.map(|slip| (slip / rate).ln().min(0.0));
        for (candidate, verdict) in self.live.iter_mut().zip(&verdicts) {
            let (count, changes) = match verdict {
                Verdict::Open => continue,
                Verdict::Passed => (&mut candidate.passed, gains),
                Verdict::Failed => (&mut candidate.failed, losses),
            };
            *count = count.saturating_add(1);
            for (weight, change) in candidate.weights.iter_mut().zip(changes) {
                *weight += change;
            }
        }
        self.verdicts = verdicts;
        let best = self.live.iter().map(Candidate::weight).fold(0.0, f32::max);
        self.live.retain(|candidate| candidate.weight() > best - HOPELESS);
    }

    /// The length that is believed, if one is.
    fn decide(&self) -> Option<Evidence> {
        let best = self.live.iter().max_by(|one, other| one.weight().total_cmp(&other.weight()))?;
        let others = || self.live.iter().filter(|candidate| candidate.length != best.length);
        let margin = best.weight() - others().map(Candidate::weight).fold(0.0, f32::max);
        // What explains all that it reads contends, though it reads less.
        let contends = |other: &Candidate| other.failed == 0 && other.weight() > best.weight() / 2.0;
        let is_enough =
            best.weight() >= ENOUGH && margin >= MARGIN && best.passed >= PASSED && best.failed <= best.passed / FAILED;
        (is_enough && !others().any(contends)).then_some(Evidence {
            length: usize::from(best.length),
            tried: self.tried,
            passed: best.passed,
            failed: best.failed,
            messages: self.messages,
            margin,
        })
    }

    /// Whether a copy is the longest and the nearest there is, if so many bytes were lost.
    fn test_copy(&self, copy: Copy, behind: Option<Symbol>, length: usize) -> Verdict {
        let Some(source) = place(self.past.len(), copy.distance, length) else { return Verdict::Open };
        let end = source + copy.len;
        let text = self.past.get(source..end);
        let (Some(text), Some(&nearer)) = (text, self.nearer.get(source)) else { return Verdict::Open };
        if text.contains(&None) {
            return Verdict::Open;
        }
        if usize::from(nearer) >= copy.len {
            return Verdict::Failed;
        }
        let could_go_on = self.past.get(end).copied().flatten();
        let went_on = behind.and_then(|symbol| resolve(&self.past, symbol, length));
        if could_go_on.is_some() && could_go_on == went_on { Verdict::Failed } else { Verdict::Passed }
    }

    /// Whether a message can be text, if so many bytes were lost.
    fn test_text(&self, message: &[Symbol], is_whole: bool, length: usize) -> Verdict {
        let text = || message.iter().map(|&symbol| resolve(&self.past, symbol, length));
        let may_be = grammar::may_be_utf8(text()) && (!self.is_json || grammar::may_be_json(text(), is_whole));
        if may_be { Verdict::Passed } else { Verdict::Failed }
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
