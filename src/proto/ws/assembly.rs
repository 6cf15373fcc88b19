//! A message under assembly: from one frame that spans packets, or from several.

use super::deflate::{Corrupt, Evidence, Inflater, Piece};
use super::frame::Head;
use super::mask::{self, Mask};
use super::utf8::Utf8;
use crate::model::{Body, Hole, Limits, Mark, NoteCode, NoteSet, Opcode, Part, Receipt, Wait, count, number, ratio};
use crate::proto::layer::Tools;

/// What is known of an unfinished message.
#[derive(Debug)]
pub(super) struct Assembly {
    /// Opcode of the first frame.
    pub(super) opcode: Opcode,
    /// Reserved bits of the first frame.
    pub(super) rsv: u8,
    /// The packet with its first byte.
    pub(super) first: Mark,
    /// Frames begun.
    pub(super) frames: u64,
    /// Payload lengths of the frames that ended.
    pub(super) wire_len: u64,
    /// What is wrong with its frames.
    pub(super) findings: NoteSet,
    /// Bytes lost, the packet at which they were given up, and whether their receiver has them.
    pub(super) lost: Vec<(u64, Mark, Receipt)>,
    /// A limit took bytes.
    pub(super) limited: bool,
    /// Some of it came compressed.
    pub(super) compressed: bool,
    /// Bytes that come from a lost history, and bytes of it that a search restored.
    pub(super) unknown: u64,
    pub(super) inferred: u64,
    /// The first fault of a text.
    pub(super) fault: Option<Fault>,
    /// The message that this one broke off.
    pub(super) dropped: Option<u64>,
    /// A rule that the first frame broke, and the frame: it is told with the message.
    pub(super) untold: Option<(NoteCode, u64)>,
    /// Where it begins in the stream of TCP.
    pub(super) from: u64,
    /// What bytes of it waited for longest.
    pub(super) waited: Option<Wait>,
    /// What keeps it from being inflated, in words.
    pub(super) trouble: Option<Box<str>>,
    text: Text,
    /// Compressed bytes that came, and the first two of them.
    packed: u64,
    lead: [u8; 2],
    content: Content,
    /// Its frames are compressed each for itself, or not.
    by_frame: bool,
    /// It is only guessed that it is compressed.
    pub(super) guessed: bool,
    kept: Vec<u8>,
    /// How much is kept, or would be if anybody wanted it.
    kept_len: usize,
    /// Nobody does: its bytes are judged and counted.
    unwanted: bool,
    /// The payload as on the wire, of a message that is inflated.
    wire: Vec<u8>,
    len: u64,
    holes: Vec<Hole>,
    /// How much was kept when the last hole began.
    kept_before_hole: usize,
}

/// Where a text stops being UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    /// The byte, in the whole message.
    pub(super) offset: u64,
    /// Its packet.
    pub(super) at: Mark,
    /// Its frame, once that has a number.
    pub(super) frame: Option<u64>,
    /// It was told before the message ended.
    pub(super) told: bool,
}

/// A text that is judged as it comes.
#[derive(Debug, Default)]
struct Text {
    utf8: Utf8,
    /// The character that is not whole yet: the packet and, once that has a number, the frame in which it begins.
    begun: Option<(Mark, Option<u64>)>,
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
            rsv: head.rsv,
            first,
            frames: 0,
            wire_len: 0,
            findings: NoteSet::EMPTY,
            lost: Vec::new(),
            limited: false,
            compressed: false,
            unknown: 0,
            inferred: 0,
            fault: None,
            dropped: None,
            untold: None,
            from: 0,
            waited: None,
            trouble: None,
            text: Text::default(),
            packed: 0,
            lead: [0; 2],
            content: Content::Plain,
            by_frame,
            guessed: false,
            kept: tools.take_buffer(),
            kept_len: 0,
            unwanted: tools.skips_payloads && !head.opcode.is_control(),
            wire: Vec::new(),
            len: 0,
            holes: Vec::new(),
            kept_before_hole: 0,
        }
    }

    /// Bytes of it waited.
    pub(super) fn wait(&mut self, waited: Option<Wait>) {
        if waited.is_some_and(|wait| self.waited.is_none_or(|longest| longest.nanos < wait.nanos)) {
            self.waited = waited;
        }
    }

    /// What the bytes that follow are.
    pub(super) fn expect(&mut self, content: Content) {
        self.content = content;
        self.compressed |= content != Content::Plain;
    }

    /// Adds payload that a packet brought; its mask, and the number of its first byte in the frame.
    pub(super) fn append(
        &mut self,
        bytes: &[u8],
        brought: Mark,
        (mask, phase): (Option<Mask>, u64),
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
                if self.is_judged() {
                    let (text, fault) = (&mut self.text, &mut self.fault);
                    let kept = self.kept.get(start..).unwrap_or_default();
                    text.push(kept, brought, fault);
                    let beyond = bytes.get(kept.len()..).unwrap_or_default();
                    if !beyond.is_empty() && fault.is_none() {
                        match mask {
                            Some(mask) => {
                                let mut plain = std::mem::take(&mut tools.scratch);
                                plain.clear();
                                plain.extend_from_slice(beyond);
                                mask::apply(&mut plain, mask, phase + kept.len() as u64);
                                text.push(&plain, brought, fault);
                                tools.scratch = plain;
                            }
                            None => text.push(beyond, brought, fault),
                        }
                    }
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
                        self.inflate(inflater, Some(&wire), brought, limits, tools);
                        tools.scratch = wire;
                    }
                    None => self.inflate(inflater, Some(bytes), brought, limits, tools),
                }
            }
            (Content::Deflated | Content::Broken, inflater) => {
                tools.inflation.came(bytes.len());
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
        let is_kept = self.compressed && !self.guessed && !self.findings.contains(NoteCode::TcpGap);
        if is_kept { &self.wire } else { &[] }
    }

    /// Ends what was compressed as one, the message or a frame of it: what the inflater still holds is added. `is_text`: it
    /// is a text message.
    pub(super) fn finish(
        &mut self,
        inflater: Option<&mut Inflater>,
        is_text: bool,
        brought: Mark,
        limits: &Limits,
        tools: &mut Tools,
    ) -> Option<Evidence> {
        if let (Content::Deflated, Some(inflater)) = (self.content, inflater) {
            self.inflate(inflater, None, brought, limits, tools);
            if self.content == Content::Deflated {
                self.content = Content::Plain;
                return inflater.learn(is_text, limits, tools);
            }
        }
        None
    }

    /// What follows is compressed, and the connection inflated too much to go on.
    pub(super) fn leave_packed(&mut self, limits: &Limits) {
        self.expect(Content::Broken);
        self.findings.insert(NoteCode::InflateLimit);
        if !self.has_open_end() {
            self.end_missing(limits);
        }
    }

    /// The guess that it is compressed was right.
    pub(super) fn confirm(&mut self, limits: &Limits) {
        self.guessed = false;
        self.wire.truncate(limits.wire_bytes);
    }

    /// It was inflated in vain: what came on the wire stands as it is.
    pub(super) fn leave_undecoded(&mut self, limits: &Limits, tools: &mut Tools) {
        let wire = std::mem::take(&mut self.wire);
        tools.assembling = tools.assembling.saturating_sub(self.kept_len);
        self.kept.clear();
        self.holes.clear();
        self.findings.remove(NoteCode::DeflateBad);
        (self.len, self.kept_len, self.kept_before_hole, self.unknown, self.inferred) = (0, 0, 0, 0, 0);
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
    fn inflate(
        &mut self,
        inflater: &mut Inflater,
        bytes: Option<&[u8]>,
        brought: Mark,
        limits: &Limits,
        tools: &mut Tools,
    ) {
        for (at, &byte) in bytes.unwrap_or_default().iter().take(2).enumerate() {
            if let Some(slot) = self.lead.iter_mut().skip(at).nth(usize::try_from(self.packed).unwrap_or(2)) {
                *slot = byte;
            }
        }
        self.packed += bytes.unwrap_or_default().len() as u64;
        tools.inflation.came(bytes.unwrap_or_default().len());
        let allowed = self.allowed(limits);
        let judged = self.is_judged();
        let mut out = |piece: Piece<'_>, tools: &mut Tools| {
            tools.inflation.made(piece.len());
            match piece {
                Piece::Known(bytes) => {
                    if judged {
                        self.text.push(bytes, brought, &mut self.fault);
                    }
                    self.keep(bytes, limits.inflated_bytes, limits, tools);
                }
                Piece::Inferred(bytes) => {
                    self.text.utf8.hole(bytes.len() as u64);
                    self.inferred += bytes.len() as u64;
                    self.keep(bytes, limits.inflated_bytes, limits, tools);
                }
                Piece::Unknown(len) => {
                    self.unknown += len as u64;
                    self.add_hole(len as u64, limits, tools);
                }
            }
            self.len <= allowed && !tools.inflation.is_spent(limits)
        };
        let result = match bytes {
            Some(bytes) => inflater.push(bytes, tools, &mut out),
            None => inflater.end(),
        };
        if let Err(why) = result {
            let code = if why == Corrupt::Enough { NoteCode::InflateLimit } else { NoteCode::DeflateBad };
            self.findings.insert(code);
            self.trouble.get_or_insert(self.trouble_words(why, bytes.unwrap_or_default().len(), limits).into());
            if why != Corrupt::Uncut {
                self.end_missing(limits);
                self.content = Content::Broken;
            }
        }
    }

    /// Bytes to which what came of it may inflate.
    const fn allowed(&self, limits: &Limits) -> u64 {
        limits.inflated_stop.saturating_add(self.packed.saturating_mul(Limits::INFLATED_EARNED))
    }

    /// What keeps it from being inflated; `fresh` compressed bytes were at hand.
    fn trouble_words(&self, why: Corrupt, fresh: usize, limits: &Limits) -> String {
        let (packed, len) = (self.packed, self.len);
        let given = match len {
            0 => "nothing was inflated before that".to_owned(),
            1 => "1 byte was inflated before that".to_owned(),
            len => format!("{} were inflated before that", count(len, "byte")),
        };
        match why {
            Corrupt::Bits(what, read) => {
                let [first, second] = self.lead;
                let header = match (first, u16::from_be_bytes(self.lead) % 31) {
                    (0x1f, _) if second == 0x8b => {
                        "; it begins as gzip does, which raw DEFLATE does not (RFC 7692 §7.2.1)"
                    }
                    (0x78, 0) => "; it begins with a zlib header, which raw DEFLATE has none of (RFC 7692 §7.2.1)",
                    _ => "",
                };
                format!(
                    "a compressed message does not inflate: {what}, at byte {} of its payload; {given}{header}",
                    packed.saturating_sub(fresh as u64) + read as u64
                )
            }
            Corrupt::Cut => {
                format!("a compressed message ends inside a block, after {}; {given}", count(packed, "byte"))
            }
            Corrupt::Uncut => {
                "the sender did not cut 00 00 ff ff from the end of a compressed message; it is inflated all the same"
                    .to_owned()
            }
            Corrupt::Lost => format!("a compressed message does not inflate; {given}"),
            // What a connection may inflate to is told for its direction, not for each message.
            Corrupt::Enough if len <= self.allowed(limits) => String::new(),
            Corrupt::Enough => format!(
                "a message inflates to more than {}, from {} so far ({}); inflating stopped \
                 (limit inflated-stop, option --max-message)",
                count(len, "byte"),
                number(packed),
                ratio(len, packed).unwrap_or_default()
            ),
        }
    }

    /// Keeps what the bounds allow, and counts all.
    fn keep(&mut self, bytes: &[u8], bound: usize, limits: &Limits, tools: &mut Tools) {
        self.len = self.len.saturating_add(bytes.len() as u64);
        if self.limited {
            return;
        }
        let room = bound.saturating_sub(self.kept_len);
        let room = room.min(limits.message_total.saturating_sub(tools.assembling));
        let keep = bytes.get(..room).unwrap_or(bytes);
        self.limited = keep.len() < bytes.len();
        if !self.unwanted {
            self.kept.extend_from_slice(keep);
        }
        self.kept_len += keep.len();
        tools.assembling += keep.len();
    }

    /// Adds a hole of known length on the wire; `mark`: it is told with the message.
    pub(super) fn lose(&mut self, len: u64, told: Option<(Mark, Receipt)>, limits: &Limits, tools: &mut Tools) {
        self.findings.insert(NoteCode::TcpGap);
        if self.lost.len() < limits.message_holes {
            self.lost.extend(told.map(|(mark, receipt)| (len, mark, receipt)));
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

    /// Adds a hole of known length, which may touch the last. The whole is never longer than a number.
    fn add_hole(&mut self, len: u64, limits: &Limits, tools: &mut Tools) {
        self.text.utf8.hole(len);
        let is_full = self.holes.len() >= limits.message_holes;
        let end = self.len.saturating_add(len);
        match self.holes.last_mut() {
            _ if end == self.len => return,
            Some(Hole { offset, len: Some(known) }) if is_full || offset.saturating_add(*known) == self.len => {
                // Beyond the bound the last hole takes in what is known between it and this one.
                *known = end.saturating_sub(*offset);
                tools.assembling -= self.kept_len - self.kept_before_hole;
                self.kept_len = self.kept_before_hole;
                self.kept.truncate(self.kept_len);
            }
            _ => {
                self.holes.push(Hole { offset: self.len, len: Some(end - self.len) });
                self.kept_before_hole = self.kept_len;
            }
        }
        self.len = end;
    }

    /// Adds a hole of unknown length at the end: the rest never came.
    pub(super) fn end_missing(&mut self, limits: &Limits) {
        if self.holes.len() <= limits.message_holes {
            self.holes.push(Hole { offset: self.len, len: None });
            self.kept_before_hole = self.kept_len;
        }
    }

    /// Whether it is a text that can be read.
    fn is_judged(&self) -> bool {
        self.opcode == Opcode::TEXT && self.content != Content::Undecoded
    }

    /// The frame at hand has this number.
    pub(super) fn frame_told(&mut self, number: u64) {
        if let Some(fault) = &mut self.fault {
            fault.frame.get_or_insert(number);
        }
        if let Some((_, frame)) = &mut self.text.begun {
            frame.get_or_insert(number);
        }
    }

    /// The text ends here: not inside a character.
    pub(super) fn end_text(&mut self) {
        if let Some(offset) = self.text.utf8.end().filter(|_| self.is_judged()) {
            self.text.tell(offset, &mut self.fault);
        }
    }

    /// Whether what is kept of a text can be shown as such; `whole`: it ends where the text does. A fault may stand beyond what
    /// is kept, and what is inferred may be wrong: then only what is there is judged.
    pub(super) fn is_utf8(&self, whole: bool) -> bool {
        if !self.is_judged() {
            return true;
        }
        if self.unwanted || !self.limited && self.inferred == 0 {
            return self.fault.is_none();
        }
        let mut text = Utf8::default();
        let mut faults = self.body().parts().filter_map(|part| match part {
            Part::Bytes(bytes) => text.push(bytes),
            Part::Hole(hole) => {
                text.hole(hole.len.unwrap_or(0));
                None
            }
        });
        faults.next().is_none() && (self.limited || !whole || text.end().is_none())
    }

    /// What is wrong with its frames, and what of it comes from a lost history.
    pub(super) fn all_findings(&self) -> NoteSet {
        let mut findings = self.findings;
        if self.unknown > 0 {
            findings.insert(NoteCode::DeflateLost);
        }
        if self.inferred > 0 {
            findings.insert(NoteCode::DeflateInferred);
        }
        findings
    }

    /// Whether bytes are missing.
    pub(super) fn has_holes(&self) -> bool {
        !self.holes.is_empty()
    }

    /// Whether its end is missing, nobody knows how much.
    pub(super) fn has_open_end(&self) -> bool {
        self.holes.last().is_some_and(|hole| hole.len.is_none())
    }

    /// How much of it was kept, or would have been.
    pub(super) const fn kept_len(&self) -> usize {
        self.kept_len
    }

    /// What there is of the body.
    pub(super) fn body(&self) -> Body<'_> {
        Body { kept: &self.kept, len: self.len, holes: &self.holes }
    }

    /// Gives its memory back.
    pub(super) fn free(self, tools: &mut Tools) {
        tools.assembling = tools.assembling.saturating_sub(self.kept_len);
        tools.give_buffer(self.kept);
    }
}

impl Text {
    /// Takes the next bytes, and remembers the first fault.
    fn push(&mut self, bytes: &[u8], brought: Mark, fault: &mut Option<Fault>) {
        let before = self.utf8.begun();
        match self.utf8.push(bytes) {
            Some(offset) => {
                // One that begins in this piece is of this packet.
                if offset >= self.utf8.len().saturating_sub(bytes.len() as u64) {
                    self.begun = Some((brought, None));
                }
                self.tell(offset, fault);
            }
            None if self.utf8.begun() == 0 => self.begun = None,
            None if before == 0 || self.utf8.begun() <= bytes.len() => self.begun = Some((brought, None)),
            None => {}
        }
    }

    fn tell(&mut self, offset: u64, fault: &mut Option<Fault>) {
        let (at, frame) = self.begun.unwrap_or_default();
        fault.get_or_insert(Fault { offset, at, frame, told: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inferred_may_not_end_inside_a_character() {
        let (limits, mut tools) = (Limits::DEFAULT, Tools::default());
        let head = Head { fin: true, rsv: 4, opcode: Opcode::TEXT, key: None, len: 4, header_len: 2 };
        let mut assembly = Assembly::new(&head, false, Mark::default(), &mut tools);
        assembly.append(b"caf\xc3", Mark::default(), (None, 0), None, &limits, &mut tools);
        assembly.inferred = 1;
        assert!(assembly.is_utf8(false) && !assembly.is_utf8(true));
    }
}
