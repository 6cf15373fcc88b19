//! The input's bytes, a window at a time.

use super::packed::Unpacked;
use super::{Aside, Silent};
use std::io::{self, Read};
use std::mem;

/// What one read asks for: larger is slower, since the bytes then leave the cache before they are parsed.
const CAPACITY: usize = 64 << 10;

/// A window on the input that slides forward. It grows only when it is full of bytes that were really there.
pub(super) struct Buffer {
    inlet: Inlet,
    /// Only `start..end` has been read and not been consumed.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Where that begins which was consumed last, and what was since [`Self::mark`]; as far as they are still there.
    behind: usize,
    marked: usize,
    /// Offset up to which bytes were given back: none are twice.
    given_back: u64,
    /// Offset in the input, unpacked, of `bytes[start]`.
    position: u64,
    /// How often it is unpacked.
    nested: usize,
    ended: bool,
    failure: Option<io::Error>,
}

/// Where the bytes come from.
enum Inlet {
    Plain(Box<dyn Read + Send>),
    Packed(Box<Unpacked>),
}

impl Buffer {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        Self::of(Inlet::Plain(source))
    }

    fn of(inlet: Inlet) -> Self {
        let bytes = vec![0; CAPACITY];
        Self {
            inlet,
            bytes,
            start: 0,
            end: 0,
            behind: 0,
            marked: 0,
            given_back: 0,
            position: 0,
            nested: 0,
            ended: false,
            failure: None,
        }
    }

    /// From here on the input is unpacked, to at most `most` bytes.
    pub(super) fn unpack(&mut self, most: u64) {
        let packed = mem::replace(self, Self::new(Box::new(io::empty())));
        let (position, nested) = (packed.position, packed.nested + 1);
        *self = Self { position, nested, ..Self::of(Inlet::Packed(Box::new(Unpacked::new(packed, most)))) };
    }

    /// How often it is unpacked.
    pub(super) const fn nested(&self) -> usize {
        self.nested
    }

    /// What the input is compressed in.
    pub(super) fn packed_in(&self) -> Option<&'static str> {
        match &self.inlet {
            Inlet::Plain(_) => None,
            Inlet::Packed(unpacked) => Some(unpacked.name()),
        }
    }

    /// Bytes of the input that were read, before they were unpacked; less what still waits in [`Self::data`], where they were not.
    pub(super) fn taken(&self) -> u64 {
        match &self.inlet {
            Inlet::Plain(_) => self.position,
            Inlet::Packed(unpacked) => unpacked.taken(),
        }
    }

    /// What has been read and not been consumed.
    #[inline]
    pub(super) fn data(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Offset in the input, unpacked, of the first byte of [`Self::data`].
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Whether reading failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Why reading failed.
    pub(super) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Whether [`Self::data`] reaches to the end of the input.
    pub(super) fn is_last(&self) -> bool {
        self.ended
    }

    /// Reads until `need` bytes are there; false when the input ends before.
    pub(super) fn fill(&mut self, need: usize) -> bool {
        self.wait(need, &mut |_| {})
    }

    /// The same; it is told when the input is silent meanwhile.
    pub(super) fn wait(&mut self, need: usize, aside: &mut dyn FnMut(Aside<'_>)) -> bool {
        while self.data().len() < need {
            if self.ended {
                return false;
            }
            self.make_room(need);
            let room = self.bytes.get_mut(self.end..).unwrap_or_default();
            let read = match &mut self.inlet {
                Inlet::Plain(source) => source.read(room),
                Inlet::Packed(unpacked) => unpacked.read(room),
            };
            match read {
                Ok(0) => self.ended = true,
                Ok(read) => self.end = self.end.saturating_add(read).min(self.bytes.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if Silent::is(&error) => aside(Aside::Silence),
                Err(error) => {
                    self.failure = Some(error);
                    self.ended = true;
                }
            }
        }
        true
    }

    /// Moves past `count` bytes, which must be there, and lends them.
    #[inline]
    pub(super) fn consume(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.behind = from;
        self.start = self.start.saturating_add(count).min(self.end);
        self.position += (self.start - from) as u64;
        self.bytes.get(from..self.start).unwrap_or_default()
    }

    /// Offset in the input, unpacked, of what was consumed last.
    pub(super) const fn consumed_at(&self) -> u64 {
        self.position - self.start.saturating_sub(self.behind) as u64
    }

    /// What was consumed until now is none of [`Self::consumed`].
    pub(super) fn mark(&mut self) {
        self.marked = self.start;
    }

    /// The bytes that were consumed since the mark, as far as they are still there, with those behind them; and how many they are.
    /// They begin where something was consumed.
    pub(super) fn consumed(&self) -> (&[u8], usize) {
        (self.bytes.get(self.marked..self.end).unwrap_or_default(), self.start - self.marked)
    }

    /// Moves back by so many of these bytes, unless some of them were given back before; whether it did.
    pub(super) fn give_back(&mut self, count: usize) -> bool {
        let to = self.position.saturating_sub(count as u64);
        if count > self.start - self.marked || to < self.given_back {
            return false;
        }
        self.given_back = self.position;
        self.start -= count;
        self.position = to;
        true
    }

    /// Moves past `count` bytes without keeping them; false when the input ends before.
    pub(super) fn skip(&mut self, mut count: usize) -> bool {
        loop {
            count -= self.consume(count).len();
            if count == 0 || !self.fill(1) {
                return count == 0;
            }
        }
    }

    /// Makes sure that the next read has room, so that in the end `need` bytes fit.
    ///
    /// What is left is moved to the front only when at most half of the window is left, so that on the way through the
    /// input every byte is moved a bounded number of times, whatever is asked for; and with it what was consumed before, where that
    /// is little.
    fn make_room(&mut self, need: usize) {
        if self.end < self.bytes.len() && self.start.saturating_add(need) <= self.bytes.len() {
            return;
        }
        let left = self.end - self.start;
        if left > self.bytes.len() / 2 {
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
        let few = self.start.saturating_sub(self.bytes.len() / 4);
        let from = [self.marked, self.behind].into_iter().find(|&from| from >= few).unwrap_or(self.start);
        self.bytes.copy_within(from..self.end, 0);
        (self.behind, self.marked) = (self.behind.max(from) - from, self.marked.max(from) - from);
        (self.start, self.end) = (self.start - from, self.end - from);
    }
}
