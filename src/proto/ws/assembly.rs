//! A message under assembly: from one frame that spans packets, or from several.

use super::deflate::Inflater;
use super::frame::Head;
use super::mask;
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
    content: Content,
    kept: Vec<u8>,
    /// The payload as on the wire, of a message that is inflated.
    wire: Vec<u8>,
    len: u64,
    holes: Vec<Hole>,
}

/// What the payload bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// The message itself.
    Plain,
    /// Compressed, and inflated as it comes.
    Deflated,
    /// Compressed, and kept as it is: it cannot be inflated.
    Undecoded,
    /// Compressed; what follows cannot be inflated any more.
    Broken,
}

impl Assembly {
    /// A message whose first frame has this head.
    pub(super) fn new(head: &Head, content: Content, first: Mark, tools: &mut Tools) -> Self {
        Self {
            opcode: head.opcode,
            first,
            frames: 0,
            wire_len: 0,
            findings: NoteSet::EMPTY,
            lost: Vec::new(),
            limited: false,
            content,
            kept: tools.take_buffer(),
            wire: Vec::new(),
            len: 0,
            holes: Vec::new(),
        }
    }

    /// Adds payload, the first byte of which is number `phase` in its frame.
    pub(super) fn append(
        &mut self,
        bytes: &[u8],
        head: &Head,
        phase: u64,
        inflater: Option<&mut Inflater>,
        limits: &Limits,
        tools: &mut Tools,
    ) {
        match (self.content, inflater) {
            (Content::Plain | Content::Undecoded, _) => {
                let start = self.kept.len();
                self.keep(bytes, limits.message_bytes, limits, tools);
                if let (Some(key), Some(fresh)) = (head.mask, self.kept.get_mut(start..)) {
                    mask::apply(fresh, key, phase);
                }
            }
            (Content::Deflated, Some(inflater)) => match head.mask {
                Some(key) => {
                    let mut wire = std::mem::take(&mut tools.scratch);
                    wire.clear();
                    wire.extend_from_slice(bytes);
                    mask::apply(&mut wire, key, phase);
                    self.keep_wire(&wire, limits);
                    self.inflate(inflater, Some(&wire), limits, tools);
                    tools.scratch = wire;
                }
                None => {
                    self.keep_wire(bytes, limits);
                    self.inflate(inflater, Some(bytes), limits, tools);
                }
            },
            (Content::Deflated | Content::Broken, _) => {
                let start = self.wire.len();
                self.keep_wire(bytes, limits);
                if let (Some(key), Some(fresh)) = (head.mask, self.wire.get_mut(start..)) {
                    mask::apply(fresh, key, phase);
                }
            }
        }
    }

    fn keep_wire(&mut self, bytes: &[u8], limits: &Limits) {
        let room = limits.wire_bytes.saturating_sub(self.wire.len());
        self.wire.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// The payload as on the wire, of a message that was inflated and lost nothing.
    pub(super) fn wire(&self) -> &[u8] {
        if self.lost.is_empty() { &self.wire } else { &[] }
    }

    /// Ends the message: what the inflater still holds is added.
    pub(super) fn finish(&mut self, inflater: Option<&mut Inflater>, limits: &Limits, tools: &mut Tools) {
        if self.content == Content::Deflated
            && let Some(inflater) = inflater
        {
            self.inflate(inflater, None, limits, tools);
        }
    }

    /// Whether the bytes kept are as on the wire although they are compressed.
    pub(super) fn is_undecoded(&self) -> bool {
        self.content == Content::Undecoded
    }

    /// Whether the message came compressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.content != Content::Plain
    }

    /// Inflates bytes, or the end of the message; a fault leaves what came before it.
    fn inflate(&mut self, inflater: &mut Inflater, bytes: Option<&[u8]>, limits: &Limits, tools: &mut Tools) {
        let before = self.len;
        let mut out = |piece: &[u8], tools: &mut Tools| {
            self.keep(piece, limits.inflated_bytes, limits, tools);
            tools.inflated += piece.len() as u64;
            self.len <= limits.inflated_stop && tools.inflated <= limits.inflated_total
        };
        let result = match bytes {
            Some(bytes) => inflater.push(bytes, tools, &mut out),
            None => inflater.end(tools, &mut out),
        };
        debug_assert!(self.len >= before, "bytes are only added");
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
    pub(super) fn lose(&mut self, len: u64, mark: Mark, limits: &Limits) {
        if self.lost.len() < limits.message_holes {
            self.lost.push((len, mark));
        }
        self.pass_over(len, limits);
    }

    /// What follows cannot be inflated: a part of it is missing.
    fn break_off(&mut self, limits: &Limits) {
        if self.content == Content::Deflated {
            self.end_missing(limits);
            self.content = Content::Broken;
        }
    }

    /// Adds a hole that is the end of the stream, not a loss.
    pub(super) fn pass_over(&mut self, len: u64, limits: &Limits) {
        if matches!(self.content, Content::Deflated | Content::Broken) {
            return self.break_off(limits);
        }
        let full = self.holes.len() >= limits.message_holes;
        match self.holes.last_mut() {
            _ if len == 0 => {}
            // Beyond the bound, the last hole takes the others in.
            Some(last) if full => {
                last.len = last.len.map(|known| known.saturating_add(len));
            }
            _ => self.holes.push(Hole { offset: self.len, len: Some(len) }),
        }
        self.len = self.len.saturating_add(len);
    }

    /// Adds a hole of unknown length at the end: the rest never came.
    pub(super) fn end_missing(&mut self, limits: &Limits) {
        if self.holes.len() < limits.message_holes {
            self.holes.push(Hole { offset: self.len, len: None });
        }
    }

    /// What is wrong with its frames, and that bytes of it were lost.
    pub(super) fn all_findings(&self) -> NoteSet {
        let mut findings = self.findings;
        if !self.lost.is_empty() {
            findings.insert(NoteCode::TcpGap);
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
