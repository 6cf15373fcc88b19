//! Heads of which each stands where the frame before ends, and what speaks for them.

use super::{Known, rules};
use crate::model::Opcode;
use crate::proto::ws::frame::{self, Head, Parsed};

/// A first frame that does not begin where a segment begins is only believed with so many bits of its own.
const ANCHOR: u32 = 12;
/// Or with so many bits of all that led to it: a sender that never pauses fills its segments, and no frame begins where one begins.
const LED: u32 = 28;
/// A longer frame is not believed where its head is all there is.
const FRAME_MAX: u64 = 1 << 32;
/// Empty fragments that may follow each other, inside a WebSocket only: they are zeros, and so is much else.
const EMPTY_MAX: u8 = 8;
/// In a tunnel, so many bits more must speak for frames that never begin where a write begins.
const NESTED: u32 = 300;
/// A payload may have any number of frames in it: what speaks for them does not tell that they are the sender's own.
const NEVER: u32 = 1 << 30;
/// A chain of so many frames, for which so many bits speak, is believed to end with one that holds what stands in it.
const OUTER: usize = 3;
const OUTER_BITS: u32 = 16;
/// So many bits more must speak for frames up to the end of a stream of which hardly any were seen before.
const LAST: u32 = 20;
/// What a length of eight bytes tells: four of them are zeros, which are likelier than others.
const LONG: u32 = 16;
/// Frames in a payload that are looked at.
const NESTED_FRAMES: usize = 4;
/// A first head of the other side's kind is only believed with so many bits.
const OTHER: u32 = 5;

/// Heads of which each stands where the frame before it ends.
#[derive(Debug)]
pub(super) struct Chain {
    /// The first frame that is believed; those before it may have led here by chance.
    pub(super) anchor: Option<Anchor>,
    /// What speaks for the frames from the anchor on, and how many of them were reached to their ends.
    pub(super) bits: u32,
    pub(super) frames: usize,
    /// What led here.
    led: Led,
    /// Where the last frame begins, its head, and what speaks for it.
    pub(super) at: u64,
    pub(super) head: Head,
    own_bits: u32,
    /// The end of the last frame was reached, and its payload looked at.
    pub(super) landed: bool,
    pub(super) masked: bool,
    /// A frame of it begins a message or controls the connection: continuations alone are zeros and lengths.
    pub(super) begins: bool,
    /// Whether a fragmented message is open; unknown at first.
    open: Option<bool>,
    /// Empty fragments in a row.
    empty: u8,
    /// The last head is the same as the one before, and begins no message: other protocols have a zero and a small number
    /// at regular distances too.
    pub(super) repeats: bool,
    /// A frame of the other side's kind was among them: they are the payload of a tunnel, until one stands where a write begins.
    nested: bool,
    /// It began inside a write, and no frame stood where one begins since: it may be the payload of a frame of its own kind,
    /// which shows when that next one is full of frames as well. No frame is that is farther from where it began than payloads
    /// reach.
    inside: bool,
    /// Where it began.
    pub(super) from: u64,
    /// The payload of the last frame of which the end was reached is full of frames.
    full: bool,
    /// Segments begin where all of its frames do.
    steps: bool,
}

/// What begins where a head stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Nothing,
    /// A segment, which may be a piece of a payload as well.
    Segment,
    /// What the sender wrote at a time.
    Write,
}

/// Frames of a chain that were reached to their ends, either all like those before the loss or none of them.
#[derive(Debug, Clone, Copy)]
struct Led {
    from: u64,
    bits: u32,
    frames: usize,
    is_alike: bool,
}

impl Led {
    /// Whether the last frame is likelier to hold what is in it than to be no frame.
    const fn can_hold(self, other: Self) -> bool {
        self.frames >= OUTER && self.bits >= OUTER_BITS && (self.is_alike || !other.is_alike)
    }

    const fn new(from: u64) -> Self {
        Self { from, bits: 0, frames: 0, is_alike: false }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Anchor {
    pub(super) at: u64,
    /// It begins where a segment begins.
    pub(super) at_edge: bool,
}

impl Chain {
    /// A chain that begins with this head; nothing where no sender would send it.
    pub(super) fn new(head: &Head, at: u64, edge: Edge, known: Known) -> Option<Self> {
        if !is_plausible(head, known) || is_empty_fragment(head) {
            return None;
        }
        let masked = head.key.is_some();
        let is_other = known.masked.is_some_and(|known| known != masked);
        // What goes to the server is masked, so that nothing shows in it.
        if is_other && !masked {
            return None;
        }
        let mut chain = Self {
            anchor: None,
            bits: 0,
            frames: 0,
            led: Led::new(at),
            at,
            head: *head,
            own_bits: 0,
            landed: false,
            masked: known.masked.unwrap_or(masked),
            begins: head.opcode != Opcode::CONTINUATION,
            open: if head.opcode.is_control() { None } else { Some(!head.fin) },
            empty: 0,
            repeats: false,
            nested: is_other || known.tunnel,
            inside: edge != Edge::Write && known.masked == Some(false) && known.habits.roomiest() > 0,
            from: at,
            full: false,
            steps: edge != Edge::Nothing,
        };
        let bits = head_bits(head, known.masked.is_some(), true);
        chain.add(at, *head, bits, edge, known);
        (!is_other || bits >= OTHER).then_some(chain)
    }

    /// The chain with a further head; nothing where it does not fit.
    pub(super) fn extend(mut self, head: &Head, at: u64, edge: Edge, known: Known) -> Option<Self> {
        let is_other = head.key.is_some() != self.masked;
        self.empty = if is_empty_fragment(head) { self.empty + 1 } else { 0 };
        if !is_plausible(head, known)
            || is_other && known.masked != Some(false)
            || self.head.opcode == Opcode::CLOSE
            || self.empty > 0 && (self.open != Some(true) || known.masked.is_none())
            || self.empty > EMPTY_MAX
        {
            return None;
        }
        if is_other {
            (self.nested, self.anchor, self.bits, self.frames) = (true, None, 0, 0);
            self.led = Led::new(at);
        }
        let continues = head.opcode == Opcode::CONTINUATION;
        match self.open {
            _ if head.opcode.is_control() => {}
            // A tunnel carries the frames of several connections.
            Some(open) if open != continues && !self.nested => return None,
            _ => self.open = Some(!head.fin),
        }
        self.begins |= !continues;
        self.repeats = *head == self.head && (continues || head.opcode.is_control());
        let told = if self.repeats && known.masked.is_none() { 0 } else { head_bits(head, true, false) };
        let bits = told.saturating_sub(repetition(head, &self.head));
        self.steps &= edge != Edge::Nothing;
        let edge = if self.steps { Edge::Write } else { edge };
        self.add(at, *head, bits, edge, known);
        Some(self)
    }

    fn add(&mut self, at: u64, head: Head, bits: u32, edge: Edge, known: Known) {
        (self.at, self.head, self.own_bits, self.landed) = (at, head, bits, false);
        if head.key.is_some() == self.masked {
            let is_outside = self.inside && !self.nested && at - self.from > known.habits.reach();
            let is_sure = edge == Edge::Write || is_outside;
            // The payload of a frame that was lost may have led here.
            let may_be_led = self.nested || self.inside && !self.steps && !self.is_alike();
            if edge != Edge::Nothing && self.anchor.is_none() || is_sure && may_be_led {
                (self.bits, self.frames) = (0, 0);
                self.anchor = Some(Anchor { at, at_edge: edge != Edge::Nothing });
            }
            if is_sure {
                (self.nested, self.inside) = (false, false);
            }
        }
        if self.anchor.is_some() {
            self.bits = self.bits.saturating_add(bits);
        }
    }

    /// Whether its last frame is full of frames, or led to by others, and those of another chain, which leads no farther, are in it.
    pub(super) fn contains(&self, other: &Self) -> bool {
        let holds = self.landed && self.full || self.led.can_hold(other.led);
        holds && other.anchor.is_some_and(|anchor| anchor.at > self.at)
    }

    /// The last frame was reached to its end, and this speaks for it. If its payload is `full` of frames, those before may have
    /// stood in the payload of one that was lost.
    pub(super) fn land(&mut self, bits: u32, like: Option<u32>, full: bool, known: Known) {
        if full && !self.full && self.inside {
            (self.anchor, self.bits, self.frames) = (None, 0, 0);
            (self.from, self.led, self.steps) = (self.at, Led::new(self.at), false);
        }
        (self.landed, self.full) = (true, full);
        // What is like the frames before tells no less where it is like the one before, too.
        let bits = bits + like.unwrap_or(0).saturating_sub(self.own_bits);
        self.own_bits += bits;
        if self.anchor.is_some() {
            self.bits = self.bits.saturating_add(bits);
            self.frames += 1;
        }
        let goes_on = self.led.is_alike == like.is_some();
        if !goes_on && known.habits.are_known() {
            self.led = Led::new(self.at);
        }
        self.led.is_alike = like.is_some();
        self.led.bits = self.led.bits.saturating_add(self.own_bits);
        self.led.frames += 1;
        let Led { from, bits, frames, is_alike } = self.led;
        let is_alone = self.inside && is_alike && bits >= LED;
        if self.anchor.is_some_and(|anchor| !is_alone || anchor.at >= from) {
            return;
        }
        let is_led = known.masked.is_some() && bits >= LED;
        let (at, told) = match (self.own_bits >= ANCHOR, is_led) {
            (_, true) if is_alike => (from, (bits, frames)),
            (true, _) => (self.at, (self.own_bits, 1)),
            (_, true) => (self.at, (bits, frames)),
            _ => return,
        };
        if self.head.key.is_some() == self.masked {
            self.anchor = Some(Anchor { at, at_edge: false });
            (self.bits, self.frames) = told;
        }
    }

    /// Whether it explains better what leads to where both lead: the frames in a payload end where their frame does.
    pub(super) fn is_better(&self, other: &Self) -> bool {
        let (doubt, others) = (self.doubt(), other.doubt());
        let says_more = doubt < others || doubt == others && (self.bits, self.led.bits) > (other.bits, other.led.bits);
        self.contains(other) || says_more && !other.contains(self)
    }

    /// Bits that must speak for it beyond those for any chain.
    pub(super) fn doubt(&self) -> u32 {
        match (self.nested, self.inside) {
            (_, true) if !self.is_alike() => NEVER,
            (true, _) => NESTED,
            _ => 0,
        }
    }

    /// The same where the stream ends with it: few frames that could hold it end there as well.
    pub(super) fn last_doubt(&self, known: Known) -> u32 {
        if self.inside && !self.nested && !known.habits.are_known() { LAST } else { self.doubt() }
    }

    /// Whether it is like the frames before from its anchor on.
    fn is_alike(&self) -> bool {
        self.led.is_alike && self.anchor.is_some_and(|anchor| anchor.at >= self.led.from)
    }
}

/// Whether the head breaks no rule that senders keep (RFC 6455 §5.2, §5.4, §5.5).
pub(super) fn is_plausible(head: &Head, known: Known) -> bool {
    let control = head.opcode.is_control();
    let starts = !control && head.opcode != Opcode::CONTINUATION;
    head.rsv & if known.compressed && starts { 11 } else { 15 } == 0
        && !head.opcode.is_reserved()
        && (!control || head.fin && head.len <= 125)
        && rules::is_minimal(head)
        && head.len < FRAME_MAX
        && !(head.opcode == Opcode::CLOSE && head.len == 1)
}

/// Whether a payload, or the beginning of one, is nothing but frames that are not masked.
pub(super) fn is_full_of_frames(payload: &[u8], known: Known) -> bool {
    let (mut rest, mut frames) = (payload, 0);
    while frames < NESTED_FRAMES
        && let Parsed::Done(head) = frame::head(rest)
        && head.key.is_none()
        && head.len > 0
        && is_plausible(&head, known)
    {
        frames += 1;
        let len = usize::try_from(head.len).unwrap_or(usize::MAX);
        rest = rest.get(usize::from(head.header_len)..).and_then(|rest| rest.get(len..)).unwrap_or_default();
    }
    frames == NESTED_FRAMES || frames > 0 && rest.is_empty()
}

/// A fragment of nothing that is not the last: legal, and two zeros.
fn is_empty_fragment(head: &Head) -> bool {
    head.opcode == Opcode::CONTINUATION && !head.fin && head.len == 0
}

/// What a head tells by itself: RSV bits, opcode, and the mask bit where it is known. An empty frame is little more than two likely bytes.
fn head_bits(head: &Head, knows_mask: bool, first: bool) -> u32 {
    if is_empty_fragment(head) {
        return 0;
    }
    if head.len == 0 || first && head.opcode == Opcode::CONTINUATION {
        return 2;
    }
    let long = if head.len > u64::from(u16::MAX) { LONG } else { 0 };
    3 + u32::from(head.rsv == 0) + u32::from(knows_mask) + long
}

/// What a head tells whose frame is as long as what came: its length has so many bits, or as many as are not told by [`head_bits`].
pub(super) const fn length_bits(head: &Head) -> u32 {
    if head.len > 125 { 7 + 16 } else { 7 }
}

/// What a head tells less because the one before is like it: other protocols repeat themselves too, though hardly at a
/// distance that two of its bytes tell.
fn repetition(head: &Head, before: &Head) -> u32 {
    match head.key {
        Some(_) if head == before => u32::MAX,
        None if head == before && head.len > 125 => 0,
        None if head == before => 4,
        _ if head.fin == before.fin && head.opcode == before.opcode => 2,
        _ => 0,
    }
}

/// What a payload of which `looked` is the beginning tells; `None` when no sender would have sent it.
pub(super) fn payload_bits(head: &Head, looked: &[u8]) -> Option<u32> {
    let is_cut = (looked.len() as u64) < head.len;
    match head.opcode {
        Opcode::TEXT if head.rsv == 0 => {
            let text = match std::str::from_utf8(looked) {
                Ok(text) => text,
                Err(error) if (is_cut || !head.fin) && error.error_len().is_none() => {
                    std::str::from_utf8(looked.get(..error.valid_up_to())?).ok()?
                }
                Err(_) => return None,
            };
            let odd = text.chars().any(|c| c.is_control() && !c.is_ascii_whitespace());
            Some(if odd { 0 } else { u32::try_from(text.len()).unwrap_or(u32::MAX).min(12) })
        }
        Opcode::CLOSE if !is_cut && !looked.is_empty() => {
            let (close, found) = rules::close(looked, true);
            (close.is_some() && found.is_empty()).then_some(8)
        }
        _ => Some(0),
    }
}
