//! A message under assembly: from one frame that spans packets, or from several.

use super::frame::Head;
use super::mask;
use crate::model::{Body, Hole, Limits, Mark, NoteSet, Opcode};
use crate::proto::layer::Tools;

/// What is known of an unfinished message.
#[derive(Debug)]
pub(super) struct Assembly {
    /// Opcode of the first frame.
    pub(super) opcode: Opcode,
    /// RSV1 of the first frame: compressed (RFC 7692 §6).
    pub(super) compressed: bool,
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
    kept: Vec<u8>,
    len: u64,
    holes: Vec<Hole>,
}

impl Assembly {
    /// A message whose first frame has this head.
    pub(super) fn new(head: &Head, first: Mark, tools: &mut Tools) -> Self {
        Self {
            opcode: head.opcode,
            compressed: head.rsv & 4 != 0 && !head.opcode.is_control(),
            first,
            frames: 0,
            wire_len: 0,
            findings: NoteSet::EMPTY,
            lost: Vec::new(),
            limited: false,
            kept: tools.take_buffer(),
            len: 0,
            holes: Vec::new(),
        }
    }

    /// Adds payload, the first byte of which is number `phase` in its frame.
    pub(super) fn append(&mut self, bytes: &[u8], head: &Head, phase: u64, limits: &Limits, tools: &mut Tools) {
        self.len = self.len.saturating_add(bytes.len() as u64);
        if self.limited {
            return;
        }
        let room = limits.message_bytes.saturating_sub(self.kept.len());
        let room = room.min(limits.message_total.saturating_sub(tools.assembling));
        let keep = bytes.get(..room).unwrap_or(bytes);
        self.limited = keep.len() < bytes.len();
        let start = self.kept.len();
        self.kept.extend_from_slice(keep);
        tools.assembling += keep.len();
        if let (Some(key), Some(fresh)) = (head.mask, self.kept.get_mut(start..)) {
            mask::apply(fresh, key, phase);
        }
    }

    /// Adds a hole of known length.
    pub(super) fn lose(&mut self, len: u64, mark: Mark, limits: &Limits) {
        if self.lost.len() < limits.message_holes {
            self.lost.push((len, mark));
        }
        self.pass_over(len, limits);
    }

    /// Adds a hole that is the end of the stream, not a loss.
    pub(super) fn pass_over(&mut self, len: u64, limits: &Limits) {
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
