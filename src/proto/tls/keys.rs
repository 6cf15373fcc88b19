//! The keys of one direction, one after the other, and which record is opened with which.

use super::cipher::{Opened, Opener, Torn};
use super::record::{Header, Record};
use super::schedule::{Digest, next_secret};
use super::suite::{Aead, Hash};
use crate::model::Origin;
use crate::proto::layer::{Cx, Trials};
use std::collections::VecDeque;
use std::mem;

/// What a direction's keys are for.
#[derive(Clone, Copy)]
pub(super) enum Use {
    /// 0-RTT data of TLS 1.3.
    Early,
    /// The handshake messages of TLS 1.3.
    Handshake,
    /// The data of TLS 1.3, with what the next keys are made of.
    Traffic { aead: Aead, hash: Hash, secret: Digest },
    /// All that follows a ChangeCipherSpec, up to TLS 1.2.
    Session,
    /// The same, where the ChangeCipherSpec of a renegotiation may have been lost.
    Renegotiated,
}

/// What a direction is done with, in a handshake of TLS 1.3: what follows needs other keys.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Past {
    #[default]
    Nothing,
    /// The 0-RTT data.
    EarlyData,
    /// Its Finished.
    Handshake,
}

/// Keys, and how far they were used.
pub(super) struct Stage {
    purpose: Use,
    opener: Opener,
    /// Where their secret stands.
    origin: Origin,
    /// The number of the next record.
    sequence: u64,
    /// A record was opened, and nothing was lost since: the next one opens, too, or is broken.
    sure: bool,
    /// A record was opened.
    proven: bool,
    /// The number of the next record is certain, and so are the keys: of no record since the last that opened it is unclear what it was.
    counted: bool,
    /// They come after a KeyUpdate.
    updated: bool,
}

impl Stage {
    /// Keys that were not used yet.
    pub(super) const fn new(purpose: Use, opener: Opener, origin: Origin) -> Self {
        Self { purpose, opener, origin, sequence: 0, sure: false, proven: false, counted: false, updated: false }
    }

    /// The keys of a secret of TLS 1.3.
    pub(super) fn of_secret(purpose: Use, aead: Aead, hash: Hash, secret: &Digest, origin: Origin) -> Option<Self> {
        Some(Self::new(purpose, Opener::of_secret(aead, hash, secret)?, origin))
    }

    /// Whether both are keys for the same: of rivals one is right.
    fn rivals(&self, other: &Self) -> bool {
        mem::discriminant(&self.purpose) == mem::discriminant(&other.purpose)
    }

    /// Whether a KeyUpdate may change them.
    const fn changes(&self) -> bool {
        matches!(self.purpose, Use::Traffic { .. })
    }

    /// Whether a record is as long as a KeyUpdate (RFC 8446 §4.6.3).
    fn may_update(&self, header: Header) -> bool {
        let overhead = self.opener.overhead().unwrap_or_default();
        self.changes() && u64::from(header.len) == overhead + 5
    }

    /// The keys after a KeyUpdate.
    fn updated(&self) -> Option<Self> {
        let Use::Traffic { aead, hash, secret } = self.purpose else { return None };
        let secret = next_secret(hash, &secret);
        let purpose = Use::Traffic { aead, hash, secret };
        Some(Self { updated: true, ..Self::of_secret(purpose, aead, hash, &secret, self.origin)? })
    }
}

/// What opens a record where records hang together, and its bytes behind a stream cipher; `None` when what opens it is missing.
type Turn = Option<(Option<[u8; 16]>, Vec<u8>)>;

/// The keys of one direction.
///
/// Which of them a record needs is told by handshake messages; where one of those was lost, or cannot be read, or where key logs
/// disagree, by trial: a wrong key opens nothing.
pub(super) struct Keys {
    /// Those in use, then those that follow; rivals stand side by side until one has opened a record. Never empty.
    stages: VecDeque<Stage>,
    /// Records that may have been lost before the next one.
    window: u64,
    /// Records that came before it, and were dropped.
    dropped: u64,
    /// Records that did not open since one did.
    pub(super) failed: u64,
    /// The last of them, if these keys have opened none so far, and nothing was lost in between.
    unopened: Vec<Header>,
    /// The first of them, if these keys have opened none so far, and it cannot need others.
    broken: Option<Header>,
    /// So many of them may be handshake messages, whose secret is missing.
    unkeyed: u64,
    /// Before the first that opens there may be any number that need other keys: 0-RTT data, whose secret is missing.
    others: bool,
}

/// A record that was opened.
pub(super) struct Plain {
    pub(super) opened: Opened,
    pub(super) number: u64,
    /// It is 0-RTT data.
    pub(super) early: bool,
    /// It is the first that these keys opened, since they may have been others: where their secret stands.
    pub(super) proved: Option<Origin>,
    pub(super) before: Before,
}

/// What came before a record that was opened, and did not open, or was not seen.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Records that were not seen.
    pub(super) skipped: u64,
    /// It is the first of other keys: how many records of the former were not seen is not known.
    pub(super) changed: bool,
    /// Whatever was lost before it belongs to the handshake.
    pub(super) begins: bool,
    /// The first that did not open since one did, and should have, if that was not clear before.
    pub(super) broken: Option<Header>,
    /// Such records right before it that need the same keys, in order.
    pub(super) unopened: Vec<Header>,
    /// Among those that did not open it is not clear which of them these are.
    pub(super) unclear: bool,
}

/// Records that are always thought to be lost in a hole, and the most.
const WINDOW_MIN: u64 = 64;
const WINDOW_MAX: u64 = 1 << 20;
/// Records of a side's handshake messages, one in each.
const FLIGHT_MAX: u64 = 4;
/// The shortest record: header, tag and type.
const RECORD_MIN: u64 = 22;

impl Keys {
    /// Keys in the order of their use; `None` when there are none.
    pub(super) fn new(stages: impl IntoIterator<Item = Stage>) -> Option<Self> {
        let stages: VecDeque<Stage> = stages.into_iter().collect();
        let begins = stages.iter().any(|stage| matches!(stage.purpose, Use::Handshake | Use::Session));
        let unkeyed = if begins { 0 } else { FLIGHT_MAX };
        (!stages.is_empty()).then_some(Self {
            stages,
            window: 0,
            dropped: 0,
            failed: 0,
            unopened: Vec::new(),
            broken: None,
            unkeyed,
            others: false,
        })
    }

    /// The next record has this number, and is sealed for the handshake or for the data, after so many changes of keys.
    pub(super) fn begin_at(&mut self, sequence: u64, in_handshake: bool, updates: u32) {
        if !in_handshake {
            self.pass(|purpose| matches!(purpose, Use::Early));
            self.pass(|purpose| matches!(purpose, Use::Handshake));
        }
        for stage in &mut self.stages {
            for _ in 0..updates {
                if let Some(updated) = stage.updated() {
                    *stage = updated;
                }
            }
        }
        let rivals = self.in_use();
        for stage in self.stages.iter_mut().take(rivals) {
            stage.sequence = sequence;
        }
    }

    /// How many keys in front are rivals: one, when it is known which are right.
    fn in_use(&self) -> usize {
        self.stages.front().map_or(0, |front| self.stages.iter().take_while(|stage| stage.rivals(front)).count())
    }

    /// There are records before these keys' first.
    pub(super) const fn expect_others(&mut self) {
        self.others = true;
    }

    /// Whether a record that does not open may need other keys.
    pub(super) const fn expects_others(&self) -> bool {
        self.others
    }

    /// Whether records did not open that should, and none did.
    pub(super) fn is_wrong(&self) -> bool {
        !self.is_proven() && self.failed > self.unkeyed
    }

    /// Whether any record was opened.
    pub(super) fn is_proven(&self) -> bool {
        self.stages.iter().any(|stage| stage.proven)
    }

    /// Whether what the keys in use seal is no data.
    pub(super) fn hold_no_data(&self) -> bool {
        self.stages.front().is_some_and(|stage| matches!(stage.purpose, Use::Handshake))
    }

    /// Whether the keys in use are those of the handshake.
    pub(super) fn in_handshake(&self) -> bool {
        self.stages.front().is_some_and(|stage| matches!(stage.purpose, Use::Early | Use::Handshake))
    }

    /// Bytes that a record is longer than what it carries, where that is known.
    pub(super) fn overhead(&self) -> Option<u64> {
        self.stages.front().and_then(|stage| stage.opener.overhead())
    }

    /// Opens a record's fragment in place.
    pub(super) fn open(
        &mut self,
        header: Header,
        fragment: &mut [u8],
        trials: &mut Trials,
        cx: &mut Cx<'_>,
    ) -> Option<Plain> {
        trials.came(fragment.len());
        let rivals = self.chain_rivals(fragment);
        let front = self.stages.front_mut()?;
        let chained = front.opener.chain(fragment);
        // Behind 0-RTT data the server did not take, no message says that they are over (RFC 8446 §4.2.10).
        let is_early = matches!(front.purpose, Use::Early);
        if front.sure && !is_early {
            let sequence = front.sequence;
            front.sequence = sequence.wrapping_add(1);
            let opened = front.opener.open(sequence, chained, header, fragment);
            (front.sure, front.counted) = (opened.is_some(), opened.is_some());
            if opened.is_none() {
                self.fail();
            }
            let before = Before::default();
            return opened.map(|opened| Plain { opened, number: sequence, early: false, proved: None, before });
        }
        let found = self.find(header, (chained, &rivals), fragment, trials, cx);
        let front = self.stages.front_mut()?;
        let Some((changed, opened, sequence)) = found else {
            if self.others {
                return None;
            }
            front.counted = false;
            // It counts, if it is one of these keys at all.
            if front.proven {
                front.sequence = front.sequence.wrapping_add(1);
            } else {
                // Where the handshake's secret is missing its records are among them.
                if self.unkeyed == 0 && !is_early {
                    self.broken.get_or_insert(header);
                }
                self.unopened.push(header);
            }
            self.fail();
            return None;
        };
        let skipped = sequence.saturating_sub(front.sequence);
        let proved = (!front.proven).then_some(front.origin);
        let mut unopened = mem::take(&mut self.unopened);
        let unclear = proved.is_some() && self.failed > unopened.len() as u64;
        unopened.drain(..unopened.len().saturating_sub(usize::try_from(skipped).unwrap_or(usize::MAX)));
        let broken = self.broken.take().or(unopened.first().copied());
        let begins = !is_early
            && match front.purpose {
                Use::Handshake => true,
                Use::Traffic { .. } => !front.updated && sequence == unopened.len() as u64,
                Use::Early | Use::Session | Use::Renegotiated => false,
            };
        if matches!(front.purpose, Use::Renegotiated) {
            front.purpose = Use::Session;
        }
        (front.sequence, front.sure, front.proven, front.counted) = (sequence.wrapping_add(1), true, true, true);
        (self.window, self.dropped, self.failed, self.others) = (0, 0, 0, false);
        let early = matches!(front.purpose, Use::Early);
        let before = Before { skipped, changed, begins, broken, unopened, unclear };
        Some(Plain { opened, number: sequence, early, proved, before })
    }

    /// A record did not open: it may have told of other keys, and in its last block nothing is to be trusted.
    fn fail(&mut self) {
        self.failed += 1;
        self.widen();
        for stage in &mut self.stages {
            stage.opener.doubt();
        }
    }

    /// One record more may be lost before the next.
    fn widen(&mut self) {
        self.window = self.window.max((self.window + 1).min(WINDOW_MIN));
    }

    /// Tells the rivals of those in front of a record in their turn, where records hang together: what they made of it.
    fn chain_rivals(&mut self, fragment: &[u8]) -> Vec<Turn> {
        let is_session = |stage: &Stage| matches!(stage.purpose, Use::Session) && !stage.proven;
        if !self.stages.front().is_some_and(is_session) && !self.awaits_change() {
            return Vec::new();
        }
        let turn = |stage: &mut Stage| {
            let (is_unchained, mut own) = (stage.opener.is_unchained(), fragment.to_vec());
            let chained = stage.opener.chain(&mut own);
            (!is_unchained).then_some((chained, own))
        };
        self.stages.iter_mut().skip(1).map(turn).collect()
    }

    /// Looks for keys and number of a record; puts these keys in front, without their rivals, and says whether others were in use.
    fn find(
        &mut self,
        header: Header,
        (chained, rivals): (Option<[u8; 16]>, &[Turn]),
        fragment: &mut [u8],
        trials: &mut Trials,
        cx: &mut Cx<'_>,
    ) -> Option<(bool, Opened, u64)> {
        let known = self.stages.len();
        // Keys behind KeyUpdates that were lost are made from all that have such, by turns, whenever they are needed.
        let changing = self.stages.iter().filter(|stage| stage.changes()).count();
        let mut updates = if self.window > 0 { changing.saturating_mul(cx.limits.try_updates as usize) } else { 0 };
        let (mut from, mut found) = (0, None);
        'stages: for at in 0.. {
            while at >= self.stages.len() && from < self.stages.len() && updates > 0 {
                if let Some(updated) = self.stages.get(from).and_then(Stage::updated) {
                    self.stages.push_back(updated);
                    updates -= 1;
                }
                from += 1;
            }
            let Some(stage) = self.stages.get(at) else { break };
            let (chained, sealed) = match at.checked_sub(1).and_then(|at| rivals.get(at)) {
                None => (chained, &*fragment),
                Some(Some((chained, own))) => (*chained, &own[..]),
                Some(None) => continue,
            };
            let told = stage.opener.told_sequence(sealed).filter(|&told| told >= stage.sequence);
            let counted = (self.dropped > 0).then(|| stage.sequence.saturating_add(self.dropped));
            let numbers =
                told.into_iter().chain(counted).chain(stage.sequence..=stage.sequence.saturating_add(self.window));
            for sequence in numbers {
                if !trials.spend(stage.opener.cost(sealed.len()), &mut cx.tools.trials, cx.limits) {
                    break 'stages;
                }
                let scratch = &mut cx.tools.scratch;
                scratch.clear();
                scratch.extend_from_slice(sealed);
                if let Some(opened) = stage.opener.open(sequence, chained, header, scratch) {
                    fragment.copy_from_slice(scratch);
                    found = Some((at, opened, sequence));
                    break 'stages;
                }
            }
        }
        let Some((at, opened, sequence)) = found else {
            self.stages.truncate(known);
            return None;
        };
        let rivals = self.in_use();
        let is_updated = at >= known;
        self.stages.drain(..at);
        let right = self.stages.pop_front()?;
        // As long as the former open records, their sender has not changed to others.
        self.stages.retain(|stage| !stage.rivals(&right) && !matches!(stage.purpose, Use::Renegotiated));
        self.stages.push_front(right);
        Some((is_updated || at >= rivals, opened, sequence))
    }

    /// Whether a renegotiation has made keys to which the sender may have changed.
    pub(super) fn awaits_change(&self) -> bool {
        self.stages.iter().any(|stage| matches!(stage.purpose, Use::Renegotiated))
    }

    /// The sender may have changed to these, up to TLS 1.2: nothing says so where that was lost.
    pub(super) fn may_change_to(&mut self, next: Self) {
        self.stages.extend(next.stages.into_iter().map(|mut stage| {
            stage.opener.unchain();
            Stage { purpose: Use::Renegotiated, ..stage }
        }));
    }

    /// Whether records hang together, and the end of the one before the next is missing.
    pub(super) fn is_unchained(&self) -> bool {
        self.stages.front().is_some_and(|front| front.opener.is_unchained())
    }

    /// Decrypts what there is of a record that is torn, and counts it; `None` when it is not clear which keys it needs, or what its
    /// bytes are. `padded`: padding was seen.
    pub(super) fn open_torn(&mut self, padded: bool, header: Header, record: &mut Record) -> Option<Torn> {
        let len = usize::from(header.len);
        self.chain_rivals(record.fragment());
        let chained = self.stages.front_mut()?.opener.chain(record.fragment());
        if record.end() >= len {
            self.stages.iter_mut().for_each(|stage| stage.opener.unchain());
        }
        let front = self.stages.front_mut()?;
        let certain = front.counted && matches!(front.purpose, Use::Traffic { .. } | Use::Session);
        let (sequence, unchanged) = (front.sequence, !front.may_update(header));
        (front.sure, front.counted) = (false, front.counted && unchanged);
        self.unopened.clear();
        if !front.proven && !certain {
            self.widen();
            return None;
        }
        front.sequence = sequence.wrapping_add(1);
        if !unchanged {
            self.window = self.window.max(1);
        }
        let front = self.stages.front().filter(|_| certain)?;
        front.opener.open_torn(sequence, chained, padded, header, record)
    }

    /// Bytes were lost, and it is not known how many records.
    pub(super) fn lose(&mut self, bytes: u64) {
        for stage in &mut self.stages {
            (stage.sure, stage.counted) = (false, false);
            stage.opener.unchain();
        }
        self.unopened.clear();
        self.window = (self.window + WINDOW_MIN + bytes / RECORD_MIN).min(WINDOW_MAX);
    }

    /// Among what was lost so many records came, and were dropped.
    pub(super) const fn drop_records(&mut self, records: u64) {
        self.dropped = self.dropped.saturating_add(records);
    }

    /// Leaves the keys behind that are used no more; false when those that follow are not known.
    pub(super) fn leave(&mut self, past: Past) -> bool {
        let early = past < Past::EarlyData || self.pass(|purpose| matches!(purpose, Use::Early));
        early && (past < Past::Handshake || self.pass(|purpose| matches!(purpose, Use::Handshake)))
    }

    /// Passes on to the keys that follow, if the ones in use are of this kind.
    fn pass(&mut self, is: impl Fn(&Use) -> bool) -> bool {
        if self.stages.iter().all(|stage| is(&stage.purpose)) {
            return false;
        }
        let mut counted = false;
        while let Some(front) = self.stages.front().filter(|stage| is(&stage.purpose)) {
            counted = front.counted;
            self.stages.pop_front();
        }
        if counted && self.in_use() == 1 {
            self.count_from_here();
        }
        true
    }

    /// The sender changes its keys (RFC 8446 §4.6.3): the next ones are as certain as those that sealed its word on that.
    pub(super) fn update(&mut self) {
        if let Some(updated) = self.stages.front().and_then(Stage::updated) {
            self.stages.clear();
            self.stages.push_back(Stage { sure: true, proven: true, counted: true, ..updated });
        }
    }

    /// The message that ended the use of the keys before was in the last record: the next is the first of those in front.
    fn count_from_here(&mut self) {
        if let Some(front) = self.stages.front_mut() {
            front.counted = true;
        }
    }
}
