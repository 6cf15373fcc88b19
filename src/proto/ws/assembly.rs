//! A message under assembly: from one frame that spans packets, or from several.

use super::deflate::{Evidence, Inflater, Piece};
use super::frame::Head;
use super::mask::{self, Mask};
use crate::model::{Body, Hole, Limits, Mark, NoteCode, NoteSet, Opcode};
use crate::proto::layer::Tools;

/// What is known of an unfinished message.
#[derive(Debug)]
pub(super) struct Assembly {
    /// Opcode of the first frame.
    pub(super) opcode: Opcode,
    /// The packet with its first byte.
    pub(super) first: Mark,
    /// Frames begun.
    pub(super) frames: u64,
    /// Payload lengths of the frames that ended.
    pub(super) wire_len: u64,
    /// What is wrong with its frames.
    pub(super) findings: NoteSet,
    /// Bytes lost, and the packet at which they were given up.
    pub(super) lost: Vec<(u64, Mark)>,
    /// A limit took bytes.
    pub(super) limited: bool,
    /// Some of it came compressed.
    pub(super) compressed: bool,
    /// Bytes that come from a lost history, and bytes of it that a search restored.
    pub(super) unknown: u64,
    pub(super) inferred: u64,
    content: Content,
    /// Its frames are compressed each for itself, or not.
    by_frame: bool,
    /// It is only guessed that it is compressed.
    pub(super) guessed: bool,
    kept: Vec<u8>,
    /// The payload as on the wire, of a message that is inflated.
    wire: Vec<u8>,
    len: u64,
    holes: Vec<Hole>,
    /// How much was kept when the last hole began.
    kept_before_hole: usize,
}

/// What the payload bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// The message itself.
    Plain,
    /// Compressed, and inflated as it comes.
    Deflated,
    /// Compressed, and kept as it is: nobody knows how.
    Undecoded,
    /// Compressed; what follows cannot be inflated any more.
    Broken,
}

/// Bytes that are kept as on the wire of a message that may not be compressed after all.
const GUESSED: usize = 64 << 10;

impl Assembly {
    /// A message whose first frame has this head; `by_frame`: each of its frames may be compressed for itself.
    pub(super) fn new(head: &Head, by_frame: bool, first: Mark, tools: &mut Tools) -> Self {
        Self {
            opcode: head.opcode,
            first,
            frames: 0,
            wire_len: 0,
            findings: NoteSet::EMPTY,
            lost: Vec::new(),
            limited: false,
            compressed: false,
            unknown: 0,
            inferred: 0,
            content: Content::Plain,
            by_frame,
            guessed: false,
            kept: tools.take_buffer(),
            wire: Vec::new(),
            len: 0,
            holes: Vec::new(),
            kept_before_hole: 0,
        }
    }

    /// What the bytes that follow are.
    pub(super) fn expect(&mut self, content: Content) {
        self.content = content;
        self.compressed |= content != Content::Plain;
    }

    /// Adds payload, the first byte of which is number `phase` in its frame.
    pub(super) fn append(
        &mut self,
        bytes: &[u8],
        mask: Option<Mask>,
        phase: u64,
        inflater: Option<&mut Inflater>,
        limits: &Limits,
        tools: &mut Tools,
    ) {
        match (self.content, inflater) {
            (Content::Plain | Content::Undecoded, _) => {
                let start = self.kept.len();
                self.keep(bytes, limits.message_bytes, limits, tools);
                if let (Some(mask), Some(fresh)) = (mask, self.kept.get_mut(start..)) {
                    mask::apply(fresh, mask, phase);
                }
                // Other frames of the message may be compressed.
                if self.by_frame {
                    self.keep_wire(bytes, mask, phase, limits);
                }
            }
            (Content::Deflated, Some(inflater)) => {
                self.keep_wire(bytes, mask, phase, limits);
                match mask {
                    Some(mask) => {
                        let mut wire = std::mem::take(&mut tools.scratch);
                        wire.clear();
                        wire.extend_from_slice(bytes);
                        mask::apply(&mut wire, mask, phase);
                        self.inflate(inflater, Some(&wire), limits, tools);
                        tools.scratch = wire;
                    }
                    None => self.inflate(inflater, Some(bytes), limits, tools),
                }
            }
            (Content::Deflated | Content::Broken, inflater) => {
                self.keep_wire(bytes, mask, phase, limits);
                if let Some(inflater) = inflater {
                    inflater.lose(Some(bytes.len() as u64));
                }
            }
        }
    }

    fn keep_wire(&mut self, bytes: &[u8], mask: Option<Mask>, phase: u64, limits: &Limits) {
        let start = self.wire.len();
        let bound = if self.guessed { limits.wire_bytes.max(GUESSED) } else { limits.wire_bytes };
        let room = bound.saturating_sub(start);
        self.wire.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        if let (Some(mask), Some(fresh)) = (mask, self.wire.get_mut(start..)) {
            mask::apply(fresh, mask, phase);
        }
    }

    /// The payload as on the wire, of a message that was inflated and lost nothing.
    pub(super) fn wire(&self) -> &[u8] {
        if self.lost.is_empty() && self.compressed && !self.guessed { &self.wire } else { &[] }
    }

    /// Ends what was compressed as one, the message or a frame of it: what the inflater still holds is added. `is_text`: it
    /// is a text message.
    pub(super) fn finish(
        &mut self,
        inflater: Option<&mut Inflater>,
        is_text: bool,
        limits: &Limits,
        tools: &mut Tools,
    ) -> Option<Evidence> {
        if let (Content::Deflated, Some(inflater)) = (self.content, inflater) {
            self.inflate(inflater, None, limits, tools);
            if self.content == Content::Deflated {
                self.content = Content::Plain;
                return inflater.learn(is_text, limits, tools);
            }
        }
        None
    }

    /// The guess that it is compressed was right.
    pub(super) fn confirm(&mut self, limits: &Limits) {
        self.guessed = false;
        self.wire.truncate(limits.wire_bytes);
    }

    /// It was inflated in vain: what came on the wire stands as it is.
    pub(super) fn leave_undecoded(&mut self, limits: &Limits, tools: &mut Tools) {
        let wire = std::mem::take(&mut self.wire);
        tools.assembling = tools.assembling.saturating_sub(self.kept.len());
        self.kept.clear();
        self.holes.clear();
        self.findings.remove(NoteCode::DeflateBad);
        (self.len, self.kept_before_hole, self.unknown, self.inferred) = (0, 0, 0, 0);
        (self.content, self.limited) = (Content::Undecoded, false);
        self.keep(&wire, limits.message_bytes, limits, tools);
        self.limited |= (wire.len() as u64) < self.wire_len;
        self.len = self.wire_len;
    }

    /// Whether the bytes kept are as on the wire although they are compressed.
    pub(super) fn is_undecoded(&self) -> bool {
        self.content == Content::Undecoded
    }

    /// Whether what comes now is compressed in a way that is known.
    pub(super) fn is_inflated(&self) -> bool {
        matches!(self.content, Content::Deflated | Content::Broken)
    }

    /// Inflates bytes, or the end of what was compressed as one; a fault leaves what came before it.
    fn inflate(&mut self, inflater: &mut Inflater, bytes: Option<&[u8]>, limits: &Limits, tools: &mut Tools) {
        let mut out = |piece: Piece<'_>, tools: &mut Tools| {
            tools.inflated += piece.len() as u64;
            match piece {
                Piece::Known(bytes) => self.keep(bytes, limits.inflated_bytes, limits, tools),
                Piece::Inferred(bytes) => {
                    self.inferred += bytes.len() as u64;
                    self.keep(bytes, limits.inflated_bytes, limits, tools);
                }
                Piece::Unknown(len) => {
                    self.unknown += len as u64;
                    self.add_hole(len as u64, limits, tools);
                }
            }
            self.len <= limits.inflated_stop && tools.inflated <= limits.inflated_total
        };
        let result = match bytes {
            Some(bytes) => inflater.push(bytes, tools, &mut out),
            None => inflater.end(tools, &mut out),
        };
        if result.is_err() {
            let stopped = self.len > limits.inflated_stop || tools.inflated > limits.inflated_total;
            self.findings.insert(if stopped { NoteCode::InflateLimit } else { NoteCode::DeflateBad });
            self.end_missing(limits);
            self.content = Content::Broken;
        }
    }

    /// Keeps what the bounds allow, and counts all.
    fn keep(&mut self, bytes: &[u8], bound: usize, limits: &Limits, tools: &mut Tools) {
        self.len = self.len.saturating_add(bytes.len() as u64);
        if self.limited {
            return;
        }
        let room = bound.saturating_sub(self.kept.len());
        let room = room.min(limits.message_total.saturating_sub(tools.assembling));
        let keep = bytes.get(..room).unwrap_or(bytes);
        self.limited = keep.len() < bytes.len();
        self.kept.extend_from_slice(keep);
        tools.assembling += keep.len();
    }

    /// Adds a hole of known length on the wire.
    pub(super) fn lose(&mut self, len: u64, mark: Mark, limits: &Limits, tools: &mut Tools) {
        if self.lost.len() < limits.message_holes {
            self.lost.push((len, mark));
        }
        self.pass_over(len, limits, tools);
    }

    /// Adds a hole that is the end of the stream, not a loss.
    pub(super) fn pass_over(&mut self, len: u64, limits: &Limits, tools: &mut Tools) {
        match self.content {
            Content::Plain | Content::Undecoded => self.add_hole(len, limits, tools),
            // What follows cannot be inflated: a part of it is missing.
            Content::Deflated => {
                self.end_missing(limits);
                self.content = Content::Broken;
            }
            Content::Broken => {}
        }
    }

    /// Adds a hole of known length, which may touch the last.
    fn add_hole(&mut self, len: u64, limits: &Limits, tools: &mut Tools) {
        let is_full = self.holes.len() >= limits.message_holes;
        let end = self.len.saturating_add(len);
        match self.holes.last_mut() {
            _ if len == 0 => return,
            Some(Hole { offset, len: Some(known) }) if is_full || offset.saturating_add(*known) == self.len => {
                // Beyond the bound the last hole takes in what is known between it and this one.
                *known = end.saturating_sub(*offset);
                tools.assembling -= self.kept.len() - self.kept_before_hole;
                self.kept.truncate(self.kept_before_hole);
            }
            _ => {
                self.holes.push(Hole { offset: self.len, len: Some(len) });
                self.kept_before_hole = self.kept.len();
            }
        }
        self.len = end;
    }

    /// Adds a hole of unknown length at the end: the rest never came.
    pub(super) fn end_missing(&mut self, limits: &Limits) {
        if self.holes.len() <= limits.message_holes {
            self.holes.push(Hole { offset: self.len, len: None });
            self.kept_before_hole = self.kept.len();
        }
    }

    /// What is wrong with its frames, and what of it is lost.
    pub(super) fn all_findings(&self) -> NoteSet {
        let mut findings = self.findings;
        let more = [
            (!self.lost.is_empty(), NoteCode::TcpGap),
            (self.unknown > 0, NoteCode::DeflateLost),
            (self.inferred > 0, NoteCode::DeflateInferred),
        ];
        for (_, code) in more.into_iter().filter(|&(holds, _)| holds) {
            findings.insert(code);
        }
        findings
    }

    /// Whether bytes are missing.
    pub(super) fn has_holes(&self) -> bool {
        !self.holes.is_empty()
    }

    /// What there is of the body.
    pub(super) fn body(&self) -> Body<'_> {
        Body { kept: &self.kept, len: self.len, holes: &self.holes }
    }

    /// Gives its memory back.
    pub(super) fn free(self, tools: &mut Tools) {
        tools.assembling = tools.assembling.saturating_sub(self.kept.len());
        tools.give_buffer(self.kept);
    }
}
