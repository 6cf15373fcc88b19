//! permessage-deflate (RFC 7692): inflating one direction's messages as they come, also after a loss.

mod grammar;
mod grams;
mod planes;
mod repeats;
mod search;
mod stream;
mod terms;
#[cfg(test)]
mod tests;

pub(super) use search::Evidence;
pub(super) use stream::Corrupt;
pub(super) use terms::{Breach, Terms};

use crate::model::Limits;
use crate::proto::layer::Tools;
use planes::{Planes, Symbol};
use search::{Before, Outcome, Search};
use std::sync::Arc;
use stream::{Step, Stream};
use terms::Watch;

/// What the sender cut from the end of every message, and the receiver puts back (RFC 7692 §7.2.2).
const TAIL: [u8; 4] = 0x0000_ffff_u32.to_be_bytes();

/// The inflater of one direction.
///
/// ```text
/// Sure ──▶ Lost ──▶ Unsure ──▶ Sure      a part is lost; the next message comes; 32 KiB in a row are known
///                     └──▶ Lost          another part is lost
/// ```
///
/// Context takeover is not trusted, only used to know where a lost history does not matter.
#[derive(Debug)]
pub(super) struct Inflater {
    state: State,
    /// Messages may refer to the ones before them (RFC 7692 §7.1.1): it was agreed on, or is done all the same.
    takeover: bool,
    /// Its window is wide enough for a search.
    is_wide: bool,
    /// Sees whether the sender keeps to what was agreed on.
    watch: Option<Box<Watch>>,
    /// Inflated lengths of the last messages, the latest last.
    lengths: Lengths,
    /// Losses so far.
    losses: u64,
    /// The last four bytes of the message as it came, as a number.
    last: u32,
}

#[derive(Debug)]
enum State {
    /// The history is the sender's.
    Sure(Box<Stream>),
    /// A part of the stream is missing.
    Lost(Before),
    /// Messages have come since.
    Unsure(Box<Unsure>),
}

/// Inflating with a history of which nothing was known at first.
#[derive(Debug)]
struct Unsure {
    planes: Planes,
    lost: Length,
    /// The message so far, as much as the search wants of it.
    message: Vec<Symbol>,
    /// The piece at hand.
    bytes: Vec<u8>,
}

/// The length of what was lost.
#[derive(Debug)]
enum Length {
    /// Nothing will be learned of it.
    Unknown,
    /// Nothing was copied from before it yet.
    Unasked(Before),
    Sought(Box<Search>),
    /// What was sent before, and so many bytes were lost behind it.
    Found(Vec<Option<u8>>, usize),
}

/// A piece of an inflated message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Bytes that are certain.
    Known(&'a [u8]),
    /// Bytes that are right if the length found for what was lost is.
    Inferred(&'a [u8]),
    /// So many bytes that nobody knows.
    Unknown(usize),
}

/// Takes an inflated message piece by piece, and says whether more of it may be inflated.
pub(super) type Taker<'a> = dyn FnMut(Piece<'_>, &mut Tools) -> bool + 'a;

/// What the search wants of one message.
const SOUGHT: usize = 16 << 10;

/// log₂ of the smallest window in which a length is sought: of what came before the loss a smaller one holds too little to tell
/// the right one from its neighbours.
const WIDE: u8 = 12;

impl Inflater {
    /// An inflater for a direction whose sender agreed to these terms.
    pub(super) fn new(terms: Terms) -> Self {
        let state = State::Sure(Box::new(Stream::new()));
        let watch = Watch::new(terms);
        let (takeover, is_wide) = (terms.takeover, terms.window_bits >= WIDE);
        Self { state, takeover, is_wide, watch, lengths: Lengths::default(), losses: 0, last: u32::MAX }
    }

    /// Begins a message.
    pub(super) fn begin(&mut self) {
        self.lengths.begin();
        if let Some(watch) = &mut self.watch {
            watch.begin();
        }
        self.last = u32::MAX;
        match &mut self.state {
            State::Sure(stream) => stream.ended = true,
            State::Unsure(unsure) => {
                unsure.planes.begin();
                unsure.message.clear();
            }
            State::Lost(before) if self.takeover => {
                if let Ok(planes) = Planes::new() {
                    let before = std::mem::take(before);
                    let is_sought = self.is_wide && !before.past.is_empty();
                    let lost = if is_sought { Length::Unasked(before) } else { Length::Unknown };
                    self.state =
                        State::Unsure(Box::new(Unsure { planes, lost, message: Vec::new(), bytes: Vec::new() }));
                }
            }
            State::Lost(_) => self.state = State::Sure(Box::new(Stream::new())),
        }
    }

    /// Inflates the next bytes of the message; `out` gets what they give.
    pub(super) fn push(&mut self, bytes: &[u8], tools: &mut Tools, out: &mut Taker<'_>) -> Result<(), Corrupt> {
        tools.searched.came(bytes.len());
        for &byte in bytes.get(bytes.len().saturating_sub(TAIL.len())..).unwrap_or_default() {
            self.last = self.last << 8 | u32::from(byte);
        }
        let result = if bytes.is_empty() { Ok(()) } else { self.inflate(bytes, tools, out) };
        match result {
            Ok(()) => self.observe(bytes),
            Err(Corrupt::Enough) => self.give_up(),
            // Where the fault began is not known: the bytes before it may be wrong already.
            Err(_) => self.forget(),
        }
        result
    }

    /// Sees whether bytes that inflate do so on the terms that were agreed on.
    fn observe(&mut self, bytes: &[u8]) {
        if let Some(watch) = &mut self.watch
            && watch.found().is_none()
            && !watch.push(bytes)
        {
            match watch.found() {
                Some(_) => self.takeover = true,
                None => self.watch = None,
            }
        }
    }

    /// Ends the message.
    pub(super) fn end(&mut self) -> Result<(), Corrupt> {
        let ended = match &self.state {
            State::Sure(stream) => stream.ended,
            State::Unsure(unsure) => unsure.planes.ended(),
            State::Lost(_) => return Ok(()),
        };
        // The tail is the rest of an empty block whose first bits the message has: a message of no bytes, or one that ends
        // with a final block and without the 00 behind it (RFC 7692 §7.2.3.4), has no such block.
        if ended {
            return Ok(());
        }
        // A message that was cut as it should be ends with the first bits of that block, which are zero.
        if self.last.to_be_bytes() == TAIL {
            return Err(Corrupt::Uncut);
        }
        let is_whole = match &mut self.state {
            State::Sure(stream) => stream.take_tail(),
            State::Unsure(unsure) => unsure.planes.take_tail(),
            State::Lost(_) => false,
        };
        if !is_whole {
            self.forget();
            return Err(Corrupt::Cut);
        }
        self.lengths.add(TAIL.len(), 0);
        self.observe(&TAIL);
        Ok(())
    }

    /// The message that just ended tells something about an earlier loss: perhaps its length. `is_text`: all of it is text.
    pub(super) fn learn(&mut self, is_text: bool, limits: &Limits, tools: &mut Tools) -> Option<Evidence> {
        let State::Unsure(unsure) = &mut self.state else { return None };
        let found = unsure.learn(is_text, limits, tools);
        if unsure.planes.is_sure()
            && let State::Unsure(unsure) = std::mem::replace(&mut self.state, State::Lost(Before::default()))
        {
            self.state = State::Sure(Box::new(unsure.planes.into_stream()));
        }
        found
    }

    /// How the sender broke the terms with the message that just ended; told once.
    pub(super) fn breach(&mut self) -> Option<Breach> {
        let breach = self.watch.as_ref()?.found();
        if breach.is_some() {
            self.watch = None;
        }
        breach
    }

    /// Whether all that a message may refer to is known.
    pub(super) const fn is_sure(&self) -> bool {
        matches!(self.state, State::Sure(_))
    }

    /// Losses so far.
    pub(super) const fn losses(&self) -> u64 {
        self.losses
    }

    /// A part of the stream is missing: `wire` compressed bytes, if anybody knows.
    pub(super) fn lose(&mut self, wire: Option<u64>) {
        let past: Vec<Option<u8>> = match &self.state {
            State::Sure(stream) => stream.history().iter().map(|&byte| Some(byte)).collect(),
            State::Unsure(unsure) => unsure.planes.history().map(|symbol| unsure.lost.resolve(symbol)).collect(),
            State::Lost(_) => Vec::new(),
        };
        if let State::Lost(before) = &mut self.state {
            before.wire = before.wire.zip(wire).map(|(one, other)| one.saturating_add(other));
            return;
        }
        self.losses += 1;
        self.watch = None;
        let starts = self.lengths.starts(past.len());
        self.state = State::Lost(Before { past, starts, wire, sizes: self.lengths.ended() });
    }

    /// Trusts nothing any more, also not that a message can be read by itself.
    fn forget(&mut self) {
        self.takeover = true;
        self.give_up();
    }

    /// What follows is not inflated up to the end of the message: nothing of the history will be in reach behind it.
    pub(super) fn give_up(&mut self) {
        self.losses += 1;
        self.watch = None;
        self.state = State::Lost(Before::default());
    }

    fn inflate(&mut self, bytes: &[u8], tools: &mut Tools, out: &mut Taker<'_>) -> Result<(), Corrupt> {
        let mut input = bytes;
        loop {
            // Asked only while there is more: what ends with enough is whole.
            if !out(Piece::Known(&[]), tools) {
                return Err(Corrupt::Enough);
            }
            let step = match &mut self.state {
                State::Sure(stream) => {
                    let step = stream.step(input)?;
                    out(Piece::Known(stream.last(step.made)), tools);
                    step
                }
                State::Unsure(unsure) => unsure.step(input, tools, out)?,
                State::Lost(_) => return Err(Corrupt::Lost),
            };
            self.lengths.add(step.used, step.made);
            input = input.get(step.used..).unwrap_or_default();
            if let Some(fault) = step.fault {
                return Err(Corrupt::Bits(fault, bytes.len() - input.len()));
            }
            if step.drained {
                return Ok(());
            }
        }
    }
}

impl Unsure {
    fn step(&mut self, input: &[u8], tools: &mut Tools, out: &mut Taker<'_>) -> Result<Step, Corrupt> {
        let step = self.planes.step(input)?;
        // Three streams were inflated.
        tools.inflation.made(2 * step.made);
        let mut rest = self.planes.fresh();
        if matches!(self.lost, Length::Unasked(_) | Length::Sought(_)) {
            let room = SOUGHT.saturating_sub(self.message.len());
            self.message.extend(rest.iter().take(room));
        }
        while let Some(&first) = rest.first() {
            let kind = self.lost.kind(first);
            let len = rest.iter().take_while(|&&symbol| self.lost.kind(symbol) == kind).count();
            let (run, others) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            self.bytes.clear();
            self.bytes.extend(run.iter().filter_map(|&symbol| self.lost.resolve(symbol)));
            let piece = match kind {
                Kind::Known => Piece::Known(&self.bytes),
                Kind::Inferred => Piece::Inferred(&self.bytes),
                Kind::Unknown => Piece::Unknown(len),
            };
            out(piece, tools);
            rest = others;
        }
        Ok(step)
    }

    /// Learns of the lost length from the message that ended, as far as the bounds allow.
    fn learn(&mut self, is_text: bool, limits: &Limits, tools: &mut Tools) -> Option<Evidence> {
        let copies = self.message.iter().any(|symbol| symbol.byte().is_none());
        if let (Length::Unasked(before), true) = (&mut self.lost, copies) {
            // Each search holds one of these, so their number is that of the searches.
            let busy = Arc::strong_count(&tools.searches) > limits.searches;
            self.lost = if busy || tools.searched.left(limits) == 0 {
                Length::Unknown
            } else {
                let search = Search::new(std::mem::take(before), Arc::clone(&tools.searches));
                tools.searched.spend(search.steps());
                Length::Sought(Box::new(search))
            };
        }
        let Length::Sought(search) = &mut self.lost else { return None };
        let before = search.steps();
        let budget = limits.search_steps.min(before.saturating_add(tools.searched.left(limits)));
        let is_whole = self.message.len() < SOUGHT;
        let outcome = search.learn(&self.message, is_text, is_whole, budget);
        tools.searched.spend(search.steps() - before);
        let found = match outcome {
            Outcome::Open => return None,
            Outcome::Found(evidence) => Some(evidence),
            Outcome::GivenUp => None,
        };
        if let Length::Sought(search) = std::mem::replace(&mut self.lost, Length::Unknown)
            && let Some(evidence) = found
        {
            self.lost = Length::Found(search.into_past(), evidence.length);
        }
        found
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Known,
    Inferred,
    Unknown,
}

impl Length {
    fn kind(&self, symbol: Symbol) -> Kind {
        match self.resolve(symbol) {
            Some(_) if symbol.byte().is_some() => Kind::Known,
            Some(_) => Kind::Inferred,
            None => Kind::Unknown,
        }
    }

    fn resolve(&self, symbol: Symbol) -> Option<u8> {
        match self {
            Self::Found(past, length) => search::resolve(past, symbol, *length),
            Self::Unknown | Self::Unasked(_) | Self::Sought(_) => symbol.byte(),
        }
    }
}

impl Piece<'_> {
    /// How many bytes it stands for.
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Known(bytes) | Self::Inferred(bytes) => bytes.len(),
            Self::Unknown(len) => *len,
        }
    }
}

/// Lengths of the last messages, inflated and on the wire.
#[derive(Debug, Default)]
struct Lengths {
    last: [(u32, u32); Self::COUNT],
    next: usize,
}

impl Lengths {
    const COUNT: usize = 32;

    fn begin(&mut self) {
        self.next = (self.next + 1) % Self::COUNT;
        if let Some(slot) = self.last.get_mut(self.next) {
            *slot = (0, 0);
        }
    }

    fn add(&mut self, used: usize, made: usize) {
        let more = |len: &mut u32, more: usize| *len = len.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        if let Some((inflated, wire)) = self.last.get_mut(self.next) {
            more(inflated, made);
            more(wire, used);
        }
    }

    /// The messages, the latest first; that at hand may not have ended.
    fn latest(&self) -> impl Iterator<Item = (u32, u32)> {
        let (before, behind) = self.last.split_at(self.next + 1);
        before.iter().rev().chain(behind.iter().rev()).copied()
    }

    /// Those that ended and were not empty.
    fn ended(&self) -> Vec<(u32, u32)> {
        self.latest().skip(1).filter(|&(inflated, _)| inflated > 0).collect()
    }

    /// Where the last messages begin in the last `len` bytes, of those that lie there whole.
    fn starts(&self, len: usize) -> Vec<usize> {
        let starts = self.latest().scan(len, |at, (inflated, _)| {
            *at = at.checked_sub(inflated as usize)?;
            Some(*at)
        });
        let mut starts: Vec<usize> = starts.collect();
        starts.reverse();
        starts
    }
}
