//! Finding frames where no head is known to stand: behind a lost head, or where a capture begins inside a conversation.
//!
//! Any two bytes can be read as a head, so one proves nothing. A chain does, of which each head stands where the one
//! before it says that its frame ends: what speaks for it is counted in bits, each of which halves the chance that the
//! bytes are something else.

use super::draft::Layout;
use super::frame::{Head, Parsed};
use super::mask;
use super::rules;
use crate::model::{Mark, Opcode};
use crate::proto::layer::Tools;
use std::collections::{BTreeMap, VecDeque};

/// What is known of a direction's frames before one is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// How their heads are laid out.
    pub(super) layout: Layout,
    /// Whether they are masked.
    pub(super) masked: Option<bool>,
    /// Whether RSV1 may be set.
    pub(super) compressed: bool,
    /// Bits that a chain must have which begins where a segment begins; one that does not needs [`ANYWHERE`] more.
    pub(super) bar: u32,
}

/// Inside a connection that is known to be a WebSocket.
pub(super) const RESYNC_BAR: u32 = 20;
/// In a stream of which nothing is known.
pub(super) const MIDSTREAM_BAR: u32 = 30;
/// There are many more places inside segments than beginnings of them.
const ANYWHERE: u32 = 8;
/// Frames of a chain that ends somewhere inside the data, and of one that ends where they end.
const CHAIN: usize = 3;
const CHAIN_TO_THE_END: usize = 2;
/// A lone frame that fills its segments needs so many bits more.
const LONE: u32 = 4;
/// A first frame that does not begin where a segment begins is only believed with so many bits of its own.
const ANCHOR: u32 = 12;
/// Bytes of a text that are looked at: all that they can tell is told by then.
const LOOKED_AT: usize = 256;
/// A longer frame is not believed where its head is all there is.
const FRAME_MAX: u64 = 1 << 32;
/// Chains that are followed at a time; those that reach farthest are dropped first.
const CHAINS_MAX: usize = 4096;

/// The search in one direction.
///
/// ```text
/// from            base      tried            end
/// ├── let go ──────┤── held ──┼── to come ────┤
///                      chains ▲ by where their next head stands
/// ```
///
/// Each byte is tried once, in order; what is held is bounded.
#[derive(Debug)]
pub(super) struct Seek {
    known: Known,
    /// Stream offset at which the search began.
    from: u64,
    held: Vec<u8>,
    /// Stream offset of the first byte held.
    base: u64,
    /// Stream offset up to which heads were looked for.
    tried: u64,
    /// Where the held segments begin, and their packets.
    segments: VecDeque<(u64, Mark)>,
    /// By the stream offset at which the next head is expected.
    chains: BTreeMap<u64, Chain>,
}

/// Where frames begin again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Stream offset of the first head.
    pub(super) at: u64,
    /// Whether the frames are masked.
    pub(super) masked: bool,
    /// Whether one of them has RSV1 set.
    pub(super) compressed: bool,
    /// How many frames agree.
    pub(super) frames: usize,
    /// What speaks for them.
    pub(super) bits: u32,
    /// Bytes since the search began that are in no frame.
    pub(super) skipped: u64,
}

/// Heads of which each stands where the frame before ends.
#[derive(Debug)]
struct Chain {
    /// The first frame that is believed; those before it may have led here by chance.
    anchor: Option<Anchor>,
    /// What speaks for the frames from the anchor on, and how many of them were reached to their ends.
    bits: u32,
    frames: usize,
    /// Where the last frame begins, its head, and what speaks for it.
    at: u64,
    head: Head,
    own_bits: u32,
    /// The end of the last frame was reached, and its payload looked at.
    landed: bool,
    masked: bool,
    compressed: bool,
    /// A frame of it begins a message or controls the connection: continuations alone are zeros and lengths.
    begins: bool,
    /// Whether a fragmented message is open; unknown at first.
    open: Option<bool>,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    at: u64,
    /// It begins where a segment begins.
    at_edge: bool,
}

impl Seek {
    /// A search that begins with the byte at `from`.
    pub(super) fn new(known: Known, from: u64) -> Self {
        let (held, segments, chains) = (Vec::new(), VecDeque::new(), BTreeMap::new());
        Self { known, from, held, base: from, tried: from, segments, chains }
    }

    /// Stream offset at which the search began.
    pub(super) const fn from(&self) -> u64 {
        self.from
    }

    /// Takes the bytes of a segment that begins at `offset`, and says where frames begin, once that is sure enough.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        offset: u64,
        brought: Mark,
        bound: usize,
        tools: &mut Tools,
    ) -> Option<Found> {
        if offset != self.end() {
            self.restart(offset);
        }
        let before = self.held.len();
        self.held.extend_from_slice(bytes);
        self.segments.push_back((offset, brought));
        let mut changed = self.sweep();
        self.land_at_the_end(&mut changed);
        let found = self.decide(&changed);
        if found.is_none() && self.held.len() > bound {
            self.let_go(bound / 2);
        }
        tools.seeking = (tools.seeking + self.held.len()).saturating_sub(before);
        found
    }

    /// What is held from `at` on, as it came: offset, bytes, packet.
    pub(super) fn since(&self, at: u64) -> impl Iterator<Item = (u64, &[u8], Mark)> {
        let ends = self.segments.iter().skip(1).map(|&(begin, _)| begin).chain([self.end()]);
        self.segments.iter().zip(ends).filter(move |&(_, end)| end > at).map(move |(&(begin, brought), end)| {
            let begin = begin.max(at);
            (begin, self.bytes(begin, end), brought)
        })
    }

    /// Gives back what it holds; returns how many bytes were looked through.
    pub(super) fn release(&mut self, tools: &mut Tools) -> u64 {
        tools.seeking = tools.seeking.saturating_sub(self.held.len());
        self.held = Vec::new();
        self.base.max(self.tried) - self.from
    }

    const fn end(&self) -> u64 {
        self.base + self.held.len() as u64
    }

    fn bytes(&self, from: u64, to: u64) -> &[u8] {
        let index = |at: u64| usize::try_from(at.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.held.get(index(from)..index(to)).unwrap_or_default()
    }

    /// Bytes are missing before `offset`: no chain leads over them.
    fn restart(&mut self, offset: u64) {
        self.held.clear();
        self.segments.clear();
        self.chains.clear();
        (self.base, self.tried) = (offset, offset);
    }

    /// Holds only the last `keep` bytes, from the beginning of a segment on.
    fn let_go(&mut self, keep: usize) {
        let from = self.end().saturating_sub(keep as u64).min(self.tried);
        while self.segments.get(1).is_some_and(|&(begin, _)| begin <= from) {
            self.segments.pop_front();
        }
        self.held.drain(..usize::try_from(from - self.base).unwrap_or(usize::MAX).min(self.held.len()));
        self.base = from;
        if let Some((begin, _)) = self.segments.front_mut() {
            *begin = from.max(*begin);
        }
        // What speaks for a chain counts on; its frames can be shown from the next one on.
        for (&next, chain) in &mut self.chains {
            if let Some(anchor) = chain.anchor.as_mut().filter(|anchor| anchor.at < from) {
                anchor.at = next;
            }
        }
    }

    /// Whether a segment begins at `at`, or the data end there; and how long the segment is that ends there.
    fn edge(&self, at: u64) -> Option<u64> {
        if at == self.end() {
            return Some(at - self.segments.back().map_or(at, |&(begin, _)| begin));
        }
        let nth = self.segments.binary_search_by_key(&at, |&(begin, _)| begin).ok()?;
        let before = nth.checked_sub(1).and_then(|before| self.segments.get(before));
        Some(before.map_or(0, |&(begin, _)| at - begin))
    }

    /// Looks for heads at every byte that was not tried yet, and follows the chains that lead there; returns where those that grew lead.
    fn sweep(&mut self) -> Vec<u64> {
        let mut changed = Vec::new();
        loop {
            let at = self.tried;
            let mut chain = self.chains.first_entry().filter(|entry| *entry.key() == at).map(|entry| entry.remove());
            if let Some(own) = &mut chain
                && !own.landed
                && !self.land(own, at)
            {
                chain = None;
            }
            let rest = self.bytes(at, self.end());
            let Some(&first) = rest.first() else {
                self.keep(at, chain, &mut changed);
                return changed;
            };
            if chain.is_none() && !self.known.layout.may_begin(first, self.known.compressed) {
                self.tried += 1;
                continue;
            }
            let Parsed::Done(head) = self.known.layout.head(rest) else {
                self.keep(at, chain, &mut changed);
                return changed;
            };
            if let Some(chain) = self.extend(chain, &head, at) {
                let next = at.saturating_add(u64::from(head.header_len)).saturating_add(head.len);
                let better = self.chains.get(&next).is_none_or(|other| other.bits < chain.bits);
                self.keep(next, Some(chain).filter(|_| better), &mut changed);
            }
            self.tried += 1;
        }
    }

    fn keep(&mut self, next: u64, chain: Option<Chain>, changed: &mut Vec<u64>) {
        if let Some(chain) = chain {
            if chain.frames > 0 {
                changed.push(next);
            }
            self.chains.insert(next, chain);
            if self.chains.len() > CHAINS_MAX {
                self.chains.pop_last();
            }
        }
    }

    /// The chain with a further head; a new chain where it does not fit, or nothing.
    fn extend(&self, chain: Option<Chain>, head: &Head, at: u64) -> Option<Chain> {
        let known = self.known;
        if let Some(mut chain) = chain
            && let Some(open) = goes_on(head, &chain, known)
        {
            chain.open = open;
            chain.compressed |= head.rsv != 0;
            chain.begins |= head.opcode != Opcode::CONTINUATION;
            let bits = head_bits(head, true, false).saturating_sub(repetition(head, &chain.head));
            chain.add(at, *head, bits, self.edge(at).is_some());
            return Some(chain);
        }
        let masked = head.key.is_some();
        if !is_plausible(head, known) || known.masked.is_some_and(|known| known != masked) {
            return None;
        }
        let mut chain = Chain {
            anchor: None,
            bits: 0,
            frames: 0,
            at,
            head: *head,
            own_bits: 0,
            landed: false,
            masked,
            compressed: head.rsv != 0,
            begins: head.opcode != Opcode::CONTINUATION,
            open: if head.opcode.is_control() { None } else { Some(!head.fin) },
        };
        chain.add(at, *head, head_bits(head, known.masked.is_some(), true), self.edge(at).is_some());
        Some(chain)
    }

    /// Counts what speaks for the last frame of a chain, which ends at `at`; false when something speaks against it.
    fn land(&self, chain: &mut Chain, at: u64) -> bool {
        let head = chain.head;
        let begin = chain.at + u64::from(head.header_len);
        let mut bits = 0;
        // What was let go cannot be looked at any more.
        if begin >= self.base {
            let mut looked = [0; LOOKED_AT];
            let payload = self.bytes(begin, at);
            let len = payload.len().min(LOOKED_AT);
            looked.iter_mut().zip(payload).for_each(|(to, from)| *to = *from);
            let looked = looked.get_mut(..len).unwrap_or_default();
            if let Some(mask) = self.known.layout.mask(&head) {
                mask::apply(looked, mask, 0);
            }
            let Some(told) = payload_bits(&head, looked) else { return false };
            bits += told;
        }
        if let Some(len) = self.edge(at)
            && head.len > 0
        {
            bits += len.max(1).ilog2().min(6);
        }
        chain.land(bits);
        true
    }

    /// A chain that leads to the end of the data has landed, whatever head before it is still incomplete.
    fn land_at_the_end(&mut self, changed: &mut Vec<u64>) {
        let end = self.end();
        if let Some(mut chain) = self.chains.remove(&end)
            && (chain.landed || self.land(&mut chain, end))
        {
            self.keep(end, Some(chain), changed);
        }
    }

    /// The best of the chains that changed, if it is good enough.
    fn decide(&self, changed: &[u64]) -> Option<Found> {
        let chains = changed.iter().filter_map(|next| Some((*next, self.chains.get(next)?)));
        chains.filter_map(|(next, chain)| self.judge(next, chain)).max_by_key(|found| found.bits)
    }

    fn judge(&self, next: u64, chain: &Chain) -> Option<Found> {
        let Chain { bits, frames, masked, compressed, .. } = *chain;
        let Anchor { at, at_edge } = chain.anchor?;
        let to_the_end = chain.landed && next == self.end();
        let bar = self.known.bar + if at_edge { 0 } else { ANYWHERE };
        let bar = match frames {
            CHAIN.. => bar,
            CHAIN_TO_THE_END if to_the_end => bar,
            1 if to_the_end && at_edge => bar + LONE,
            _ => return None,
        };
        // Where most frames say nothing, it is one pattern over and over.
        let is_dense = usize::try_from(bits).unwrap_or(usize::MAX) >= frames;
        (chain.begins && is_dense && bits >= bar).then(|| Found {
            at,
            masked,
            compressed,
            frames,
            bits,
            skipped: at - self.from,
        })
    }
}

impl Chain {
    fn add(&mut self, at: u64, head: Head, bits: u32, at_edge: bool) {
        (self.at, self.head, self.own_bits, self.landed) = (at, head, bits, false);
        if self.anchor.is_none() && at_edge {
            self.anchor = Some(Anchor { at, at_edge });
        }
        if self.anchor.is_some() {
            self.bits = self.bits.saturating_add(bits);
        }
    }

    /// The last frame was reached to its end, and this speaks for it.
    fn land(&mut self, bits: u32) {
        self.landed = true;
        self.own_bits += bits;
        if self.anchor.is_some() {
            self.bits = self.bits.saturating_add(bits);
            self.frames += 1;
        } else if self.own_bits >= ANCHOR {
            self.anchor = Some(Anchor { at: self.at, at_edge: false });
            (self.bits, self.frames) = (self.own_bits, 1);
        }
    }
}

/// Whether the head breaks no rule that senders keep (RFC 6455 §5.2, §5.4, §5.5).
fn is_plausible(head: &Head, known: Known) -> bool {
    let control = head.opcode.is_control();
    let starts = !control && head.opcode != Opcode::CONTINUATION;
    head.rsv & if known.compressed && starts { 11 } else { 15 } == 0
        && !head.opcode.is_reserved()
        && (!control || head.fin && head.len <= 125)
        && rules::is_minimal(head)
        && head.len < FRAME_MAX
        && !(head.opcode == Opcode::CONTINUATION && !head.fin && head.len == 0)
        && !(head.opcode == Opcode::CLOSE && head.len == 1)
}

/// Whether a fragmented message is open behind a head that goes on with a chain; `None` when it cannot.
fn goes_on(head: &Head, chain: &Chain, known: Known) -> Option<Option<bool>> {
    let continues = head.opcode == Opcode::CONTINUATION;
    if !is_plausible(head, known) || head.key.is_some() != chain.masked || chain.head.opcode == Opcode::CLOSE {
        return None;
    }
    match chain.open {
        _ if head.opcode.is_control() => Some(chain.open),
        Some(open) if open != continues => None,
        _ => Some(Some(!head.fin)),
    }
}

/// What a head tells by itself: RSV bits, opcode, and the mask bit where it is known. An empty frame is little more than two likely bytes.
fn head_bits(head: &Head, knows_mask: bool, first: bool) -> u32 {
    if head.len == 0 || first && head.opcode == Opcode::CONTINUATION {
        return 2;
    }
    3 + u32::from(head.rsv == 0) + u32::from(knows_mask)
}

/// What a head tells less because the one before is like it: other protocols repeat themselves too.
fn repetition(head: &Head, before: &Head) -> u32 {
    match head.key {
        Some(_) if head == before => u32::MAX,
        None if head == before => 4,
        _ if head.fin == before.fin && head.opcode == before.opcode => 2,
        _ => 0,
    }
}

/// What a payload of which `looked` is the beginning tells; `None` when no sender would have sent it.
fn payload_bits(head: &Head, looked: &[u8]) -> Option<u32> {
    match head.opcode {
        Opcode::TEXT if head.rsv == 0 => {
            let cut = !head.fin || (looked.len() as u64) < head.len;
            let text = match std::str::from_utf8(looked) {
                Ok(text) => text,
                Err(error) if cut && error.error_len().is_none() => {
                    std::str::from_utf8(looked.get(..error.valid_up_to())?).ok()?
                }
                Err(_) => return None,
            };
            let odd = text.chars().any(|c| c.is_control() && !c.is_ascii_whitespace());
            Some(if odd { 0 } else { u32::try_from(text.len()).unwrap_or(u32::MAX).min(12) })
        }
        Opcode::CLOSE => match *looked {
            [] => Some(0),
            [..] => {
                let (close, found) = rules::close(looked, true);
                (close.is_some() && found.is_empty()).then_some(8)
            }
        },
        _ => Some(0),
    }
}
