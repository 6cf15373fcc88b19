//! Inflating without the history: every byte that comes from there is named by its place in it.
//!
//! The compressed bits alone say where a byte is copied from, whatever stands there. So three streams read the same bits,
//! each with a history that spells out places instead of text:
//!
//! ```text
//! low       the lower eight bits of a byte's place
//! inverse   the same bits, each inverted
//! high      the upper seven bits
//! ```
//!
//! What comes from the history differs in the first two, and all three together tell its place; a literal, or a copy
//! of one, is the same in all. Nothing is guessed: a byte that the first two agree on is the byte that was sent.

use super::stream::{Corrupt, Step, Stream, WINDOW};

/// A byte that was sent, or the place in the lost history that it was copied from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Symbol(u16);

impl Symbol {
    const PLACE: u16 = 1 << 15;

    /// A byte that is known.
    pub(super) const fn known(byte: u8) -> Self {
        Self(byte as u16)
    }

    /// The byte, of one that is known.
    pub(super) const fn byte(self) -> Option<u8> {
        if self.0 < Self::PLACE { Some(self.0.to_le_bytes()[0]) } else { None }
    }

    /// How far before the end of the lost history the byte stands, from 1 to 32768; `None` for one that is known.
    pub(super) const fn distance(self) -> Option<usize> {
        if self.0 < Self::PLACE { None } else { Some(WINDOW - (self.0 - Self::PLACE) as usize) }
    }

    /// The symbol of which the three streams have these.
    const fn read(low: u8, inverse: u8, high: u8) -> Self {
        if low == inverse { Self::known(low) } else { Self(Self::PLACE | u16::from_le_bytes([low, high & 0x7f])) }
    }
}

/// Three streams in step, and how much of what they last gave is known.
#[derive(Debug)]
pub(super) struct Planes {
    low: Stream,
    inverse: Stream,
    high: Stream,
    /// Bytes known in a row at the end.
    sure: usize,
    /// What the last step gave.
    fresh: Vec<Symbol>,
}

impl Planes {
    /// A history of 32 KiB of which nothing is known.
    pub(super) fn new() -> Result<Self, Corrupt> {
        let plane = |byte: fn(usize) -> usize| {
            Stream::with_history((0..WINDOW).map(|place| byte(place).to_le_bytes()[0]).collect())
        };
        Ok(Self {
            low: plane(|place| place)?,
            inverse: plane(|place| !place)?,
            high: plane(|place| place >> 8)?,
            sure: 0,
            fresh: Vec::new(),
        })
    }

    /// Begins a message.
    pub(super) fn begin(&mut self) {
        for plane in [&mut self.low, &mut self.inverse, &mut self.high] {
            plane.ended = true;
        }
    }

    /// Whether the message ended with a final block, or nothing of it was read.
    pub(super) const fn ended(&self) -> bool {
        self.low.ended
    }

    /// Inflates some of the input.
    pub(super) fn step(&mut self, input: &[u8]) -> Result<Step, Corrupt> {
        let step = self.low.step(input)?;
        // The same bits and the same room: they cannot come out of step.
        if self.inverse.step(input)? != step || self.high.step(input)? != step {
            return Err(Corrupt::Lost);
        }
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.clear();
        fresh.extend(self.last(step.made));
        self.sure = match fresh.iter().rposition(|symbol| symbol.byte().is_none()) {
            Some(at) => fresh.len() - 1 - at,
            None => self.sure + fresh.len(),
        };
        self.fresh = fresh;
        Ok(step)
    }

    /// Reads the tail that the sender cut; see [`Stream::take_tail`].
    pub(super) fn take_tail(&mut self) -> bool {
        // The same bits: what one says all say.
        let whole = [&mut self.low, &mut self.inverse, &mut self.high].map(Stream::take_tail);
        whole == [true; 3]
    }

    /// What the last step gave.
    pub(super) fn fresh(&self) -> &[Symbol] {
        &self.fresh
    }

    /// The last 32 KiB given.
    pub(super) fn history(&self) -> impl Iterator<Item = Symbol> {
        self.last(WINDOW)
    }

    /// Whether all that later blocks may refer to is known again.
    pub(super) const fn is_sure(&self) -> bool {
        self.sure >= WINDOW
    }

    /// The stream itself, once its whole history is known.
    pub(super) fn into_stream(self) -> Stream {
        debug_assert!(self.is_sure(), "the history holds places, not text");
        self.low
    }

    fn last(&self, count: usize) -> impl Iterator<Item = Symbol> {
        let low = self.low.last(count).iter();
        let others = self.inverse.last(count).iter().zip(self.high.last(count));
        low.zip(others).map(|(&low, (&inverse, &high))| Symbol::read(low, inverse, high))
    }
}
