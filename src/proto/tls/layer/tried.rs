//! A session of which a hello was not captured: the ServerHello, where the client's secrets are known; the ClientHello, when the
//! user wants all keys tried.

use super::super::guess::{self, Field, Guess, QUICK, SUITES};
use super::super::half::{Cover, Held};
use super::super::handshake::{ClientHello, ServerHello};
use super::super::record::{ContentType, Header};
use super::super::tell;
use super::Tls;
use crate::model::{Direction, Limits, TlsVersion};
use crate::proto::layer::Cx;

/// Records of a direction that are held before numbers far ahead are tried.
const HELD: usize = 8;
/// Numbers that are tried for each of them, in case that the session has just begun.
const NEAR: u64 = 16;
/// Numbers that are tried of all sessions before many are of any.
const FAR: u64 = 4096;
/// Numbers that are tried of all sessions and suites, and of keys that were changed, before more are.
const RECENT: u64 = 256;
/// Of what may be spent, one record that has just come gets a part of so many.
const PARTS: u64 = 64;

/// How far a direction's keys were looked for.
#[derive(Debug, Default, Clone, Copy)]
pub(in super::super) struct Tried {
    /// Held records that were tried.
    records: usize,
    /// Weighed bytes that were opened in vain.
    spent: u64,
    /// They did not suffice for all that was to be tried last.
    cut: bool,
}

impl Tried {
    /// Whether any record was tried.
    pub(super) const fn any(self) -> bool {
        self.records > 0
    }
}

impl Tls {
    /// Whether a direction's keys are still to be found by trial.
    pub(super) fn is_tried(&self, dir: Direction, cx: &Cx<'_>) -> bool {
        let half = &self.halves[dir];
        matches!(half.cover, Cover::Clear)
            && !half.impatient
            && self.hello.version().is_none_or(|version| version == TlsVersion::TLS_1_3)
            && (self.lacks_suite(cx) || cx.tools.try_keys && (self.guessed || self.hello.client.is_none()))
    }

    /// Whether all that is missing is the ServerHello of TLS 1.3, which names the suite: the client's secrets are known.
    fn lacks_suite(&self, cx: &Cx<'_>) -> bool {
        (self.halves.to_client.holed || cx.flow.one_sided)
            && self.hello.server.is_none()
            && self.hello.random().is_some_and(|random| guess::knows(random, &cx.tools.secrets))
    }

    /// Tries the keys on what is held; with `last` there is no more to come.
    pub(super) fn try_keys(&mut self, last: bool, cx: &mut Cx<'_>) {
        if self.asks {
            return;
        }
        for dir in Direction::BOTH {
            if !self.is_tried(dir, cx) {
                continue;
            }
            let records = self.sealed_records(dir).count();
            let is_enough = records >= HELD || last && records > 0;
            match self.guess(dir, records, is_enough, cx) {
                Some((guess, at)) => return self.believe(guess, at, dir, last, cx),
                // Those that the capture still brings may fit.
                None if (is_enough || records > 0 && self.has_ended(dir)) && !last && self.may_wait(cx) => self.ask(cx),
                None if is_enough => {
                    if self.halves[dir].tried.cut {
                        tell::not_all_tried(self.inside.conn(), cx);
                    }
                    self.halves[dir].impatient = true;
                    self.release(cx);
                }
                None => {}
            }
        }
    }

    /// Whether a direction's end is among what is held.
    fn has_ended(&self, dir: Direction) -> bool {
        self.halves[dir].held.iter().any(|(_, held)| matches!(held, Held::End(..)))
    }

    /// Tries the keys anew, since there are more.
    pub(super) fn try_anew(&mut self, cx: &mut Cx<'_>) {
        for dir in Direction::BOTH {
            self.halves[dir].tried.records = 0;
        }
        self.try_keys(false, cx);
    }

    /// There are not to be more keys that could be tried.
    pub(super) fn give_up_trying(&mut self, cx: &Cx<'_>) {
        for dir in Direction::BOTH {
            self.halves[dir].impatient |= self.is_tried(dir, cx);
        }
    }

    /// The held records that could be opened.
    fn sealed_records(&self, dir: Direction) -> impl Iterator<Item = (Header, &[u8])> {
        self.halves[dir].held.iter().filter_map(|(_, held)| match held {
            Held::Record(header, record) if header.kind == ContentType::DATA && !record.is_torn() => {
                Some((*header, record.beginning()))
            }
            _ => None,
        })
    }

    /// What opens one of the held records, and how many are held before that. With `far` all numbers, and keys that were changed, are tried on the shortest.
    fn guess(&mut self, dir: Direction, records: usize, far: bool, cx: &mut Cx<'_>) -> Option<(Guess, usize)> {
        let Tried { records: before, spent, .. } = self.halves[dir].tried;
        if records == before && !far {
            return None;
        }
        let limits = cx.limits;
        let (server, known) = (self.hello.server.as_ref().map(|server| server.suite), self.hello.random());
        let is_given = server.is_some();
        let randoms = known.map_or_else(|| cx.tools.first_sessions(limits.try_sessions), |known| [*known].into());
        let suites = server.map_or(SUITES.to_vec(), |suite| vec![suite]);
        // A hello tells who is who.
        let dirs: &[Direction] = if is_given || known.is_some() { &[dir] } else { &Direction::BOTH };
        let (quick, slow) = suites.split_at(QUICK.min(suites.len()));
        let field = |suites, in_handshake, updates, numbers| {
            let randoms = &randoms[..];
            Field { randoms, suites, dirs, in_handshake, updates, numbers }
        };
        let mut left = budget(spent, limits, cx);
        let all = left;
        let sealed: Vec<(Header, &[u8])> = self.sealed_records(dir).collect();
        let mut found = (before..records).find_map(|at| {
            let &(header, fragment) = sealed.get(at)?;
            let part = left.min(limits.try_bytes / PARTS);
            let mut of_part = part;
            let near = field(quick, true, 0..1, 0..NEAR);
            let guess = guess::search(&near, header, fragment, &mut of_part, cx);
            left -= part - of_part;
            Some((guess?, at))
        });
        if far
            && found.is_none()
            && let Some((at, &(header, fragment))) = sealed.iter().enumerate().min_by_key(|(_, of)| of.0.len)
        {
            let until = |most: u64| most.min(limits.try_numbers);
            let (recent, near, far) = (NEAR..until(RECENT), RECENT..until(FAR), FAR..limits.try_numbers);
            // Keys that were changed count from 0 again.
            let updated = 1..limits.try_updates.saturating_add(1);
            let passes = [
                field(quick, true, 0..1, 0..NEAR),
                field(quick, false, 0..1, recent.clone()),
                field(slow, true, 0..1, 0..NEAR),
                field(quick, false, updated.clone(), 0..recent.end),
                field(quick, false, 0..1, near.clone()),
                field(slow, false, 0..1, recent),
                field(quick, false, updated, near.clone()),
                field(quick, false, 0..1, far.clone()),
                field(slow, false, 0..1, near),
                field(slow, false, 0..1, far),
            ];
            found = passes.iter().find_map(|field| Some((guess::search(field, header, fragment, &mut left, cx)?, at)));
        }
        cx.tools.tried += all - left;
        self.halves[dir].tried =
            Tried { records, spent: spent + (all - left), cut: far && found.is_none() && left == 0 };
        found
    }

    /// From what opened a record the session is known: reads what is held.
    fn believe(&mut self, guess: Guess, at: usize, dir: Direction, last: bool, cx: &mut Cx<'_>) {
        if self.hello.client.is_none() {
            let client = ClientHello { random: guess.random, ..ClientHello::default() };
            self.session.client_hello(&client, cx.limits);
            self.hello.client = Some(Box::new(client));
            self.guessed = true;
        }
        if self.hello.server.is_none() {
            let server = ServerHello::unseen(guess.suite);
            self.agreed(&server);
            self.hello.server = Some(Box::new(server));
        }
        self.session.look_up(&self.hello, cx);
        if guess.dir != dir {
            std::mem::swap(&mut self.halves.to_server, &mut self.halves.to_client);
            cx.swapped = !cx.swapped;
        }
        // Behind the ClientHello a record that is near is found as behind any hole, and what was lost before it is counted.
        let is_far = self.guessed || guess.updates > 0 || guess.sequence >= NEAR;
        if is_far && !guess.in_handshake && guess.sequence > at as u64 {
            self.inside.begin_late();
        }
        if is_far && let Ok(mut keys) = self.hello.keys(guess.dir, &cx.tools.secrets) {
            keys.begin_at(guess.sequence.saturating_sub(at as u64), guess.in_handshake, guess.updates);
            self.halves[guess.dir].cover = Cover::Sealed(keys);
        }
        // The other direction first, so that what is said comes in the order in which it was said.
        self.try_keys(last, cx);
        self.release(cx);
    }
}

/// Weighed bytes that may be opened in vain for a direction that has spent so many.
fn budget(spent: u64, limits: &Limits, cx: &Cx<'_>) -> u64 {
    let of_all = limits.try_total.saturating_sub(cx.tools.tried);
    (limits.try_bytes / 2).saturating_sub(spent).min(of_all)
}
