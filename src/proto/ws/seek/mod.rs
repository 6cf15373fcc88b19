//! Finding frames where no head is known to stand: behind a lost head, or where a capture begins inside a conversation.
//!
//! Any two bytes can be read as a head, so one proves nothing. A chain does, of which each head stands where the one
//! before it says that its frame ends: what speaks for it is counted in bits, each of which halves the chance that the
//! bytes are something else.

mod chain;
mod kept;

use super::draft::Layout;
use super::frame::{Head, Parsed};
use super::habits::Habits;
use super::mask;
use super::rules;
use crate::model::{Direction, Input, Mark};
use crate::proto::layer::Tools;
use chain::{Anchor, Chain, Edge};
use kept::Kept;
use std::collections::BTreeMap;

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
    /// Stream offset from which on frames were lost from sight, if they were seen before.
    pub(super) lost_from: Option<u64>,
    /// The user says that there are frames: a lone one will do, and repeated ones.
    pub(super) forced: bool,
    /// What counts as segments are the records of TLS, whose beginnings and lengths are certain: few frames fill one by chance.
    pub(super) sealed: bool,
    /// Each of them has begun with a frame so far.
    pub(super) aligned: bool,
    /// A payload is known to have frames in it: what is no segment's beginning may be one of those.
    pub(super) tunnel: bool,
    /// What they were like so far.
    pub(super) habits: Habits,
}

/// Where the user says that there are frames.
pub(super) const FORCED_BAR: u32 = 1;
/// Inside a connection that is known to be a WebSocket.
pub(super) const RESYNC_BAR: u32 = 20;
/// In a stream of which a request is known that may ask for a WebSocket.
pub(super) const KNOWN_BAR: u32 = 12;
/// In a stream of which nothing is known.
pub(super) const MIDSTREAM_BAR: u32 = 30;
/// There are many more places inside segments than beginnings of them.
const ANYWHERE: u32 = 8;
/// Frames of a chain that ends somewhere inside the data, and of one that ends where they end.
const CHAIN: usize = 3;
const CHAIN_TO_THE_END: usize = 2;
/// What frames must tell more that are only like each other: in a few words most things are alike.
const ITSELF: u32 = 32;
/// Where nothing was seen before, so many times as long as the longest that are found may one be that is lost.
const NEAR: u64 = 4;
/// A lone frame that fills its segments needs so many bits more.
const LONE: u32 = 4;
/// Bytes of a text that are looked at: all that they can tell is told by then.
const LOOKED_AT: usize = 256;
/// Chains that are followed at a time; those that reach farthest are dropped first.
const CHAINS_MAX: usize = 4096;

/// The search in one direction.
///
/// ```text
/// from            begin     tried            end
/// ├── let go ──────┤── kept ──┼── to come ────┤
///                      chains ▲ by where their next head stands
/// ```
///
/// Each byte is tried once, in order; what is kept is bounded. A hole is passed over by the chains that lead beyond it.
#[derive(Debug)]
pub(super) struct Seek {
    known: Known,
    /// Stream offset at which the search began.
    from: u64,
    kept: Kept,
    /// Stream offset up to which heads were looked for.
    tried: u64,
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
    /// How many frames agree.
    pub(super) frames: usize,
    /// What speaks for them.
    pub(super) bits: u32,
    /// Bytes since the search began that are in no frame.
    pub(super) skipped: u64,
}

impl Seek {
    /// A search that begins with the byte at `from`.
    pub(super) fn new(known: Known, from: u64) -> Self {
        Self { known, from, kept: Kept::new(from), tried: from, chains: BTreeMap::new() }
    }

    /// Stream offset at which the search began.
    pub(super) const fn from(&self) -> u64 {
        self.from
    }

    /// Stream offset from which on frames were lost from sight, if they were seen before.
    pub(super) const fn lost_from(&self) -> Option<u64> {
        self.known.lost_from
    }

    /// Stream offset behind all that came or was lost.
    pub(super) const fn end(&self) -> u64 {
        self.kept.end()
    }

    /// Less must speak for frames, since others do.
    pub(super) fn expect(&mut self, bar: u32) {
        self.known.bar = self.known.bar.min(bar);
    }

    /// Nothing came so far: it begins with the byte at `from`.
    pub(super) fn begin(&mut self, from: u64) {
        if self.kept.end() == self.from {
            *self = Self::new(self.known, from);
        }
    }

    /// The user says that there are frames.
    pub(super) fn insist(&mut self) {
        self.known.forced = true;
        self.expect(FORCED_BAR);
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
        if offset > self.end() {
            self.pass_over(offset);
        }
        let before = self.kept.len();
        self.kept.push(bytes, brought);
        let mut changed = self.sweep();
        self.land_at_the_end(&mut changed);
        let found = self.decide(&changed);
        if found.is_none() && self.kept.len() > bound {
            self.let_go(bound / 2);
        }
        tools.seeking = (tools.seeking + self.kept.len()).saturating_sub(before);
        found
    }

    /// The bytes up to `to` were lost; says where frames begin, if one of them ends there. Where it is not `exact` how many,
    /// nothing leads over them.
    pub(super) fn lose(&mut self, to: u64, exact: bool, tools: &mut Tools) -> Option<Found> {
        if !exact {
            self.release(tools);
            (self.kept, self.tried) = (Kept::new(to), to);
            self.chains.clear();
            return None;
        }
        self.pass_over(to);
        let mut changed = Vec::new();
        self.land_at_the_end(&mut changed);
        self.decide(&changed)
    }

    /// The head that the first bytes make, once they are there, and whether a sender would send it.
    pub(super) fn first(&self) -> Option<(Head, bool)> {
        match self.known.layout.head(self.kept.bytes(self.from, self.end())) {
            Parsed::Done(head) => Some((head, chain::is_plausible(&head, self.known))),
            Parsed::More(_) => None,
        }
    }

    /// What is kept from `at` on, as it came: offset, bytes, packet.
    pub(super) fn since(&self, at: u64) -> impl Iterator<Item = (u64, &[u8], Mark)> {
        self.kept.since(at)
    }

    /// What came from the beginning of the search up to `at`, if all of it is kept.
    pub(super) fn before(&self, at: u64) -> &[u8] {
        self.kept.bytes(self.from, at)
    }

    /// Gives back what it holds; returns how many bytes were looked through.
    pub(super) fn release(&mut self, tools: &mut Tools) -> u64 {
        tools.seeking = tools.seeking.saturating_sub(self.kept.len());
        self.kept.clear();
        self.kept.begin().max(self.tried) - self.from
    }

    /// Whether the sender does not send frames of this kind: hardly any of its writes begins like one; and how many were
    /// looked at.
    pub(super) fn denies(&self, masked: bool) -> (bool, usize) {
        let fits = |&at: &u64| match self.known.layout.head(self.kept.bytes(at, self.end())) {
            Parsed::Done(head) => head.key.is_some() == masked && chain::is_plausible(&head, self.known),
            Parsed::More(_) => true,
        };
        let (fitting, others): (Vec<u64>, Vec<u64>) = self.kept.writes().partition(fits);
        (fitting.len() * 3 < others.len(), fitting.len() + others.len())
    }

    /// What is held from a place on, as a layer takes it in a direction, with its holes.
    pub(super) fn inputs(&self, dir: Direction, from: u64, mark: Mark) -> Vec<Input<'_>> {
        let (mut held, mut end) = (Vec::new(), from);
        let hole = |end: u64, offset: u64| (end < offset).then(|| Input::lost(dir, end, offset - end, true, mark));
        for (offset, bytes, brought) in self.since(from) {
            held.extend(hole(end, offset));
            held.push(Input::Data { dir, offset, bytes, brought, mark });
            end = offset + bytes.len() as u64;
        }
        held.extend(hole(end, self.end()));
        held
    }

    /// Whether a chain that may be believed leads to `at` or beyond.
    pub(super) fn leads_to(&self, at: u64) -> bool {
        self.chains.range(at..).any(|(_, chain)| chain.anchor.is_some())
    }

    /// The bytes up to `to` are missing: what has a head among them leads nowhere.
    fn pass_over(&mut self, to: u64) {
        self.kept.lose(to);
        self.chains = self.chains.split_off(&to);
        self.tried = to;
    }

    /// Keeps only the last `keep` bytes, and what was not tried yet.
    fn let_go(&mut self, keep: usize) {
        self.kept.let_go(keep, self.tried);
        let from = self.kept.begin();
        // What speaks for a chain counts on; its frames can be shown from the next one on.
        for (&next, chain) in &mut self.chains {
            if let Some(anchor) = chain.anchor.as_mut().filter(|anchor| anchor.at < from) {
                anchor.at = next;
            }
        }
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
            let rest = self.kept.bytes(at, self.end());
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
                let better =
                    self.chains.get(&next).is_none_or(|other| !self.holds(other, &chain) && chain.is_better(other));
                self.keep(next, Some(chain).filter(|_| better), &mut changed);
            }
            self.tried += 1;
        }
    }

    /// Whether frames of a chain stand in the last one of another, whose payload is full of frames as far as it came.
    fn holds(&self, outer: &Chain, inner: &Chain) -> bool {
        let begin = outer.at + u64::from(outer.head.header_len);
        inner.anchor.is_some_and(|anchor| anchor.at >= begin)
            && self.known.masked == Some(false)
            && chain::is_full_of_frames(self.kept.bytes(begin, self.tried), self.known)
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
        let begins = || self.known.sealed || self.known.lost_from.is_none();
        let is_write = || self.kept.begins_write(at).unwrap_or_else(begins);
        let edge = match self.kept.edge(at) {
            None => Edge::Nothing,
            // What shows in a masked payload is nothing that was sent.
            Some(_) if self.known.masked == Some(false) && !is_write() => Edge::Segment,
            Some(_) => Edge::Write,
        };
        chain
            .and_then(|chain| chain.extend(head, at, edge, self.known))
            .or_else(|| Chain::new(head, at, edge, self.known))
    }

    /// Counts what speaks for the last frame of a chain, which ends at `at`; false when something speaks against it.
    fn land(&self, chain: &mut Chain, at: u64) -> bool {
        let head = chain.head;
        let begin = chain.at + u64::from(head.header_len);
        let (mut bits, mut like, mut full) = (0, None, false);
        // What was let go cannot be looked at any more.
        if begin >= self.kept.begin() {
            let mut looked = [0; LOOKED_AT];
            let payload = self.kept.bytes(begin, at);
            let len = payload.len().min(LOOKED_AT);
            looked.iter_mut().zip(payload).for_each(|(to, from)| *to = *from);
            let looked = looked.get_mut(..len).unwrap_or_default();
            if let Some(mask) = self.known.layout.mask(&head) {
                mask::apply(looked, mask, 0);
            }
            let Some(told) = chain::payload_bits(&head, looked) else { return false };
            bits += told;
            full = self.known.masked == Some(false) && chain::is_full_of_frames(payload, self.known);
            like = self.known.habits.likeness(&head, looked.first().copied());
        }
        let is_any = self.known.masked.is_none() && chain.repeats;
        if let Some(len) = self.kept.edge(at)
            && head.len > 0
            && !is_any
        {
            let fills_record = self.known.sealed && self.kept.edge(chain.at).is_some();
            bits += if fills_record { chain::length_bits(&head) } else { len.max(1).ilog2().min(6) };
        }
        chain.land(bits, like, full, self.known);
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
        let found = chains.filter_map(|(next, chain)| self.judge(next, chain, chain.doubt()));
        found.max_by_key(|(_, found)| found.bits).and_then(|found| self.complete(found))
    }

    /// Nothing more comes: the first of the chains that lead to the end and are good enough.
    pub(super) fn conclude(&self) -> Option<Found> {
        let chains = self.chains.range(self.end()..);
        let found = chains.filter_map(|(&next, chain)| self.judge(next, chain, chain.last_doubt(self.known)));
        // What begins later may stand in the payload of a frame that is not among them.
        let first = found.min_by_key(|(_, found)| found.at).map(|found| self.of_a_kind(found));
        let found = first.into_iter().chain(self.judge_by_itself()).min_by_key(|(_, found)| found.at);
        let found = found.or_else(|| self.judge_lone())?;
        self.complete(found).filter(|found| self.is_near(found))
    }

    /// Whether the bytes before the first frame can be the rest of one that is like it.
    fn is_near(&self, found: &Found) -> bool {
        let longest = || self.walk(found.at, self.end()).map(|(head, ..)| head.len).max().unwrap_or(0);
        self.known.habits.are_known() || found.skipped <= longest().saturating_mul(NEAR)
    }

    /// What is found without first frames that are not like the last ones: they may have led there from the payload of a frame that
    /// was lost.
    fn of_a_kind(&self, (next, found): (u64, Found)) -> (u64, Found) {
        let half = self.half(found.at, next).unwrap_or(found.at);
        (next, Found { at: self.reach_back(found.at, half, next), ..found })
    }

    /// Where the first frame stands in the second half of those from `at` to `end`.
    fn half(&self, at: u64, end: u64) -> Option<u64> {
        let middle = at.midpoint(end);
        self.walk(at, end).map(|(.., begin)| begin).find(|&begin| begin >= middle)
    }

    /// What is found, with the frames before that are like it.
    fn complete(&self, (next, found): (u64, Found)) -> Option<Found> {
        let at = self.reach_back(self.chains.get(&next)?.from, found.at, next);
        Some(Found { at, skipped: at - self.from, ..found })
    }

    /// What is found if a chain that leads to `next` is good enough, in spite of this doubt.
    fn judge(&self, next: u64, chain: &Chain, doubt: u32) -> Option<(u64, Found)> {
        let Chain { bits, frames, masked, .. } = *chain;
        let Anchor { at, at_edge } = chain.anchor?;
        let to_the_end = chain.landed && next == self.end();
        let bar = self.known.bar + doubt + if at_edge { 0 } else { ANYWHERE };
        let bar = match frames {
            CHAIN.. => bar,
            CHAIN_TO_THE_END if to_the_end => bar,
            1 if to_the_end && at_edge => bar + if self.known.forced || self.known.sealed { 0 } else { LONE },
            _ => return None,
        };
        // Where most frames say nothing, it is one pattern over and over.
        let is_dense = self.known.forced || usize::try_from(bits).unwrap_or(usize::MAX) >= frames;
        let is_contained = || self.chains.range(next..).any(|(_, other)| other.contains(chain));
        (chain.begins && is_dense && bits >= bar && !is_contained())
            .then(|| (next, Found { at, masked, frames, bits, skipped: at - self.from }))
    }

    /// What is found where the frames that lead to the end are like each other, though nothing else is known of them.
    fn judge_by_itself(&self) -> Option<(u64, Found)> {
        let end = self.end();
        let chain =
            self.chains.get(&end).filter(|chain| chain.begins && chain.landed && !self.known.habits.are_known())?;
        let half = self.half(chain.from, end)?;
        let at = self.reach_back(chain.from, half, end);
        let habits = self.learn(at, end);
        let told = self.walk(at, end).map(|(head, first, _)| habits.likeness(&head, first).unwrap_or(0));
        let (frames, bits) = told.fold((0, 0_u32), |(frames, sum), bits| (frames + 1, sum.saturating_add(bits)));
        let bits = bits.saturating_sub(ITSELF);
        let bar = self.known.bar + ANYWHERE + chain.last_doubt(self.known);
        let found = Found { at, masked: chain.masked, frames, bits, skipped: at - self.from };
        (frames >= CHAIN && bits >= bar).then_some((end, found))
    }

    /// What is found where each record began with a frame, and the last one is a frame, however short: only the rest of a longer one
    /// could stand there.
    fn judge_lone(&self) -> Option<(u64, Found)> {
        let end = self.end();
        let chain = self.chains.get(&end).filter(|chain| self.known.aligned && chain.landed && chain.begins)?;
        let (Anchor { at, at_edge }, &Chain { masked, frames, bits, .. }) = (chain.anchor?, chain);
        let is_enough = bits >= KNOWN_BAR + chain.last_doubt(self.known);
        let found = Found { at, masked, frames, bits, skipped: at - self.from };
        (frames == 1 && at_edge && is_enough).then_some((end, found))
    }

    /// What the frames of this direction are like, with those from `at` to `end`.
    fn learn(&self, at: u64, end: u64) -> Habits {
        let mut habits = self.known.habits;
        for (head, first, _) in self.walk(at, end) {
            habits.learn(&head, || first);
            habits.complete(&head);
        }
        habits
    }

    /// Where the frames begin of which those from `at` to `end` are believed: a chain that began at `from` led there, and those
    /// of its last frames that are like the others are believed as well.
    fn reach_back(&self, from: u64, at: u64, end: u64) -> u64 {
        let habits = self.learn(at, end);
        // One that is not may be among them, but is not the first.
        let (mut begins, mut is_gap) = (None, false);
        for (head, first, begin) in self.walk(from, at) {
            let is_alike = habits.likeness(&head, first).is_some();
            begins = if is_alike { begins.or(Some(begin)) } else { begins.filter(|_| !is_gap) };
            is_gap = !is_alike;
        }
        begins.unwrap_or(at)
    }

    /// The frames from `at` to `end`: head, the first byte of the payload, where it begins.
    fn walk(&self, mut at: u64, end: u64) -> impl Iterator<Item = (Head, Option<u8>, u64)> {
        std::iter::from_fn(move || {
            // What was let go cannot be looked at any more.
            if at >= end || at < self.kept.begin() {
                return None;
            }
            let rest = self.kept.bytes(at, end);
            let Parsed::Done(head) = self.known.layout.head(rest) else { return None };
            let payload = rest.get(usize::from(head.header_len)..).unwrap_or_default();
            let begin = at;
            at = at.saturating_add(u64::from(head.header_len)).saturating_add(head.len);
            Some((head, self.known.layout.first(&head, payload), begin))
        })
    }
}
