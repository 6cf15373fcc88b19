//! One direction of a connection: where in its frames it stands, and what it holds of its messages.

use super::assembly::Assembly;
use super::deflate::Inflater;
use super::draft::Layout;
use super::ending::Farewell;
use super::frame::{HEAD_MAX, Head, Parsed};
use super::habits::Habits;
use super::mask::Mask;
use super::seek::Seek;
use super::waits::Waits;
use crate::model::{Mark, NoteCode, NoteSet, Receipt, Wait};
use crate::proto::layer::Cx;

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Half {
    pub(super) reading: Reading,
    /// The open data message.
    pub(super) data: Option<Box<Assembly>>,
    /// The control frame at hand, which may stand between the frames of `data`.
    pub(super) control: Option<Box<Assembly>>,
    pub(super) inflater: Option<Box<Inflater>>,
    /// What the last loss cost so far.
    pub(super) doubt: Option<Box<Doubt>>,
    /// What is not to be trusted, once there was something.
    distrust: Option<Box<Distrust>>,
    /// A Close frame was sent.
    pub(super) closed: Option<Box<Farewell>>,
    /// What bytes waited for that are read, or about to be; or that were read, and sent again.
    pub(super) waits: Option<Box<Waits>>,
    /// What their receiver told of the bytes that were lost last.
    pub(super) receipt: Receipt,
    /// The packet that carried the last byte read.
    pub(super) brought: Mark,
    /// Frames were missed: the first continuation may belong to a message that was begun among them.
    pub(super) missed: bool,
    /// Messages went by before an inflater was needed: what comes may refer to them.
    pub(super) late: bool,
    /// Frames behind those that a search found in which one of the other side's kind refutes it.
    pub(super) on_trial: u8,
    /// Up to this stream offset frames were found by a search.
    pub(super) sought_to: u64,
    /// What its frames are like.
    pub(super) habits: Habits,
    /// How they stand in the records of TLS.
    pub(super) records: Records,
}

/// How the frames of a direction stand in the records of TLS that carry them.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// The end of the number of the record at hand, from 1; each connection has this, so it is short.
    number: u16,
    /// So many began with a frame, as far as that is counted.
    aligned: u8,
    /// One began within a frame.
    crossed: bool,
}

impl Records {
    /// Records that must have begun with a frame before it is taken for a habit.
    const HABIT: u8 = 3;

    /// Whether all that came so far began with a frame.
    pub(super) const fn are_aligned(&self) -> bool {
        !self.crossed && self.aligned >= Self::HABIT
    }
}

/// Bytes that are not to be trusted.
#[derive(Debug, Default)]
struct Distrust {
    /// Stretches of the stream, and why, ahead of what was read.
    stretches: Vec<(u64, u64, NoteCode)>,
    /// A compressed message was not verified: later ones may be copied from it. How many losses there were before it.
    history: Option<u64>,
}

/// Where in a frame a direction stands.
///
/// ```text
/// Head ──▶ Payload ──▶ Head …      a hole over a head: ──▶ Seek ──▶ Head …      at the end: ──▶ Over
/// ```
#[derive(Debug)]
pub(super) enum Reading {
    Head(Partial),
    Payload(Open),
    Seek(Box<Seek>),
    Over,
}

/// The first bytes of a head.
#[derive(Debug, Default)]
pub(super) struct Partial {
    bytes: [u8; HEAD_MAX],
    len: usize,
    offset: u64,
    /// Where it begins in TCP.
    pub(super) from: u64,
    first: Mark,
}

/// A frame whose payload is being read.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) place: Place,
    pub(super) left: u64,
    /// Bytes of it are lost.
    pub(super) holed: bool,
}

/// A frame's head and where it was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) head: Head,
    pub(super) offset: u64,
    pub(super) first: Mark,
    pub(super) findings: NoteSet,
}

/// Messages with bytes that are copied from what was lost.
#[derive(Debug)]
pub(super) struct Doubt {
    /// The number of the loss in its direction.
    pub(super) loss: u64,
    /// The first and the last of them.
    pub(super) messages: (u64, u64),
    /// The packet that carried the end of the first.
    pub(super) at: Mark,
    /// Their bytes; how many are unknown; how many a search restored.
    pub(super) bytes: u64,
    pub(super) unknown: u64,
    pub(super) inferred: u64,
}

impl Default for Reading {
    fn default() -> Self {
        Self::Head(Partial::default())
    }
}

impl Place {
    /// The stream offset behind the frame.
    pub(super) const fn end(&self) -> u64 {
        self.offset.saturating_add(self.head.header_len as u64).saturating_add(self.head.len)
    }
}

/// Stretches that are not to be trusted, of those that are remembered until their frames are read.
const STRETCHES_MAX: usize = 64;

impl Half {
    /// The bytes that are read next stand in the record of this number.
    #[inline(always)]
    pub(super) fn enter(&mut self, record: u64) {
        let number = (record % u64::from(u16::MAX)) as u16 + 1;
        if std::mem::replace(&mut self.records.number, number) != number {
            match &self.reading {
                Reading::Head(partial) if partial.len == 0 => {
                    self.records.aligned = self.records.aligned.saturating_add(1)
                }
                Reading::Head(_) | Reading::Payload(_) => self.records.crossed = true,
                Reading::Seek(_) | Reading::Over => {}
            }
        }
    }

    /// The bytes of a packet are read next.
    #[inline(always)]
    pub(super) fn arrive(&mut self, brought: Mark) {
        self.brought = brought;
        if self.waits.is_some() {
            self.find_wait();
        }
    }

    #[cold]
    fn find_wait(&mut self) {
        let packet = self.brought.packet;
        self.waits.take_if(|waits| !waits.arrive(packet));
    }

    /// What the bytes waited for that are read.
    pub(super) fn waited(&self) -> Option<Wait> {
        self.waits.as_ref()?.now()
    }

    /// Remembers that bytes are not to be trusted; past a bound, what lies between them and the last ones isn't either.
    pub(super) fn distrust(&mut self, offset: u64, len: u64, code: NoteCode) {
        let end = offset.saturating_add(len);
        let stretches = &mut self.distrust.get_or_insert_default().stretches;
        let is_full = stretches.len() >= STRETCHES_MAX;
        match stretches.last_mut() {
            Some((_, last, why)) if *why == code && (is_full || *last >= offset) => *last = end.max(*last),
            _ if !is_full => stretches.push((offset, end, code)),
            _ => {}
        }
    }

    /// Whether nothing before a frame at `offset` has a say in what it is: no open message, no loss, no Close.
    pub(super) fn is_plain(&self, offset: u64) -> bool {
        self.data.is_none()
            && self.closed.is_none()
            && self.distrust.is_none()
            && !self.missed
            && self.on_trial == 0
            && offset >= self.sought_to
    }

    /// Why bytes from `start` to before `end` are not to be trusted; what lies before is forgotten.
    pub(super) fn doubts_in(&mut self, start: u64, end: u64) -> NoteSet {
        let mut doubts = NoteSet::EMPTY;
        if let Some(Distrust { stretches, .. }) = self.distrust.as_deref_mut() {
            stretches.retain(|&(_, last, _)| last > start);
            for &(_, _, code) in stretches.iter().filter(|&&(first, ..)| first < end) {
                doubts.insert(code);
            }
        }
        doubts
    }

    /// Adds payload to the message that a frame with this head belongs to.
    pub(super) fn append(&mut self, bytes: &[u8], head: &Head, mask: Option<Mask>, phase: u64, cx: &mut Cx<'_>) {
        let waited = self.waited();
        let inflater = self.inflater.as_deref_mut();
        let assembly = if head.opcode.is_control() { &mut self.control } else { &mut self.data };
        if let Some(assembly) = assembly {
            assembly.wait(waited);
            assembly.append(bytes, self.brought, (mask, phase), inflater, cx.limits, cx.tools);
        }
    }

    /// Compressed bytes are read; says whether they, or what they may be copied from, are not verified.
    pub(super) fn distrusts_history(&mut self, unverified: bool) -> bool {
        if !unverified && self.distrust.is_none() {
            return false;
        }
        let losses = self.inflater.as_ref().map_or(0, |inflater| inflater.losses());
        // Behind a loss that is over nothing is copied from what was before it.
        let is_over = self.inflater.as_ref().is_some_and(|inflater| inflater.is_sure());
        let history = &mut self.distrust.get_or_insert_default().history;
        *history = history.filter(|&before| !is_over || losses == before);
        if unverified {
            *history = Some(losses);
        }
        history.is_some()
    }

    /// Whether the open message is compressed.
    pub(super) fn inflates(&self) -> bool {
        self.data.as_ref().is_some_and(|data| data.is_inflated())
    }

    /// A part of the open message is missing, `wire` bytes if anybody knows: if it is compressed, later ones may refer to it.
    pub(super) fn lose_history(&mut self, wire: Option<u64>) {
        if self.inflates()
            && let Some(inflater) = &mut self.inflater
        {
            inflater.lose(wire);
        }
    }

    /// The assembly that a frame with this head belongs to.
    pub(super) fn assembly(&mut self, head: &Head) -> Option<&mut Assembly> {
        if head.opcode.is_control() { self.control.as_deref_mut() } else { self.data.as_deref_mut() }
    }
}

impl Partial {
    /// How many bytes of a head came.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Those bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Stream offset of the first of them, and the packet that brought it.
    pub(super) const fn start(&self) -> (u64, Mark) {
        (self.offset, self.first)
    }

    /// Adds bytes, of which no head is read yet.
    pub(super) fn keep(&mut self, bytes: &[u8], at: u64, brought: Mark) {
        if self.len == 0 {
            (self.offset, self.first) = (at, brought);
        }
        for (slot, &byte) in self.bytes.iter_mut().skip(self.len).zip(bytes) {
            *slot = byte;
            self.len += 1;
        }
    }

    /// Reads a head that begins here or before: the head, where it began, and how many of `bytes` belong to it.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        at: u64,
        brought: Mark,
        layout: &Layout,
    ) -> Option<(Head, u64, Mark, usize)> {
        if self.len == 0
            && let Parsed::Done(head) = layout.head(bytes)
        {
            return Some((head, at, brought, usize::from(head.header_len)));
        }
        let before = self.len;
        self.keep(bytes, at, brought);
        match layout.head(self.bytes()) {
            Parsed::Done(head) => {
                self.len = 0;
                Some((head, self.offset, self.first, usize::from(head.header_len).saturating_sub(before)))
            }
            Parsed::More(_) => None,
        }
    }
}
