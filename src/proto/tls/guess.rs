//! Which of the known secrets opens a record of TLS 1.3, where no ClientHello names them, or no ServerHello the suite.
//!
//! Nothing is taken on trust: a tag holds for one key and one number only.

use super::cipher::Opener;
use super::hello::labels;
use super::record::Header;
use super::schedule::{Digest, next_secret};
use super::suite::{Aead, Hash, Sealing, Suite};
use crate::model::{ClientRandom, Direction, SecretLabel, Secrets};
use crate::proto::layer::Cx;
use std::ops::Range;

/// What opens a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) random: ClientRandom,
    pub(super) suite: u16,
    /// The direction whose secret it is.
    pub(super) dir: Direction,
    /// It is the secret of the handshake messages.
    pub(super) in_handshake: bool,
    /// How often its sender changed the keys before (RFC 8446 §7.2).
    pub(super) updates: u32,
    /// The record's number since then.
    pub(super) sequence: u64,
}

/// What is tried.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) randoms: &'a [ClientRandom],
    pub(super) suites: &'a [u16],
    pub(super) dirs: &'a [Direction],
    /// Also the secrets of the handshake messages.
    pub(super) in_handshake: bool,
    /// Changes of keys before; none for the handshake's secrets, which do not change.
    pub(super) updates: Range<u32>,
    pub(super) numbers: Range<u64>,
}

/// The suites of RFC 8446 §B.4, and how many of them are quick; few use the others.
pub(super) const SUITES: [u16; 5] = [0x1301, 0x1302, 0x1303, 0x1304, 0x1305];
pub(super) const QUICK: usize = 3;

/// Looks for what opens a record, as long as `left`, weighed bytes that may be opened in vain, suffices; none are left where it does not.
pub(super) fn search(
    field: &Field<'_>,
    header: Header,
    fragment: &[u8],
    left: &mut u64,
    cx: &mut Cx<'_>,
) -> Option<Guess> {
    let scratch = &mut cx.tools.scratch;
    for random in field.randoms {
        for secret in cx.tools.secrets.of(random) {
            let Some((dir, in_handshake)) = role(secret.label) else { continue };
            if !field.dirs.contains(&dir) || in_handshake && !field.in_handshake {
                continue;
            }
            for &suite in field.suites {
                let Some(Suite { sealing: Sealing::Aead(aead), prf, .. }) = Suite::find(suite) else { continue };
                if prf.len() != secret.bytes().len() {
                    continue;
                }
                let secret = Digest::new(secret.bytes());
                if let Some((updates, sequence)) = place(field, aead, prf, secret, (header, fragment), left, scratch)? {
                    return Some(Guess { random: *random, suite, dir, in_handshake, updates, sequence });
                }
            }
        }
    }
    None
}

/// What it costs to make the keys after a change, in such bytes.
const MAKING: u64 = 2048;

/// How often the keys of a secret were changed before a record, and its number since then; without a value where the bytes do not
/// suffice.
fn place(
    field: &Field<'_>,
    aead: Aead,
    hash: Hash,
    mut secret: Digest,
    (header, fragment): (Header, &[u8]),
    left: &mut u64,
    scratch: &mut Vec<u8>,
) -> Option<Option<(u32, u64)>> {
    for updates in 0..field.updates.end {
        if updates > 0 {
            spend(left, MAKING)?;
            secret = next_secret(hash, &secret);
        }
        if !field.updates.contains(&updates) {
            continue;
        }
        let Some(opener) = Opener::of_secret(aead, hash, &secret) else { continue };
        let cost = opener.cost(fragment.len());
        for sequence in field.numbers.clone() {
            spend(left, cost)?;
            scratch.clear();
            scratch.extend_from_slice(fragment);
            if opener.open(sequence, None, header, scratch).is_some() {
                return Some(Some((updates, sequence)));
            }
        }
    }
    Some(None)
}

/// Takes a cost off what is left, or all.
fn spend(left: &mut u64, cost: u64) -> Option<()> {
    let rest = left.checked_sub(cost);
    *left = rest.unwrap_or_default();
    rest.map(|_| ())
}

/// Whether a secret is known that could open a record of this session.
pub(super) fn knows(random: &ClientRandom, secrets: &Secrets) -> bool {
    secrets.of(random).any(|secret| role(secret.label).is_some())
}

/// Whose records a secret opens, and whether they are those of the handshake.
fn role(label: SecretLabel) -> Option<(Direction, bool)> {
    Direction::BOTH.into_iter().find_map(|dir| {
        let (handshake, traffic) = labels(dir);
        [(handshake, true), (traffic, false)].into_iter().find(|of| of.0 == label).map(|of| (dir, of.1))
    })
}
