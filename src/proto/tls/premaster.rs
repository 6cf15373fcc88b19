//! The master secret up to TLS 1.2: from what a client encrypted with the server's RSA key, or of a session that is resumed.

use super::handshake::messages;
use super::hello::Hello;
use super::rsa;
use super::schedule::{prf, transcript_hash};
use super::suite::Suite;
use crate::model::{Both, Direction, RsaKey, SECRET_BYTES, Secret, SecretLabel, Secrets};
use crate::proto::layer::Resumable;
use memchr::memmem;
use sha2::{Digest as _, Sha256};

/// The messages of a handshake as they were sent, as far as there is room, for a master secret that depends on them.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    bytes: Both<Vec<u8>>,
    /// There was no room.
    is_cut: bool,
}

/// Kinds of messages (RFC 5246 §7.4).
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const SERVER_HELLO_DONE: u8 = 14;
const CLIENT_KEY_EXCHANGE: u8 = 16;

impl Transcript {
    /// What is kept, in bytes.
    pub(super) fn len(&self) -> usize {
        Direction::BOTH.iter().map(|&dir| self.bytes[dir].len()).sum()
    }

    /// Adds bytes, as long as all together are no more than so many.
    pub(super) fn push(&mut self, dir: Direction, bytes: &[u8], bytes_max: usize) {
        self.is_cut |= self.len() + bytes.len() > bytes_max;
        if !self.is_cut {
            self.bytes[dir].extend_from_slice(bytes);
        }
    }

    /// Nothing is to be made of it any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// A direction's last messages from one of the first kind to one of the last.
    fn stretch(&self, dir: Direction, first: u8, last: u8) -> Option<&[u8]> {
        let bytes = &self.bytes[dir];
        let mut from = None;
        let mut stretch = None;
        for (kind, at, end) in messages(bytes) {
            if kind == first {
                from = Some(at);
            }
            if kind == last {
                stretch = from.and_then(|from| bytes.get(from..end));
            }
        }
        stretch.filter(|_| !self.is_cut)
    }

    /// RFC 7627 §3: all from the ClientHello to the ClientKeyExchange.
    fn session(&self) -> Option<[&[u8]; 3]> {
        let said = self.stretch(Direction::ToServer, CLIENT_HELLO, CLIENT_KEY_EXCHANGE)?;
        let (_, _, end) = messages(said).next()?;
        let (hello, rest) = said.split_at_checked(end)?;
        Some([hello, self.stretch(Direction::ToClient, SERVER_HELLO, SERVER_HELLO_DONE)?, rest])
    }
}

/// Keeps in mind whose master secret a session has, for those that resume it, up to so many.
pub(super) fn remember(hello: &Hello, secrets: &Secrets, resumable: &mut Resumable, most: usize) {
    let known = hello.random().filter(|random| secrets.find(random, SecretLabel::Master).is_some());
    let Some((random, server)) = known.zip(hello.server.as_ref()).filter(|_| !hello.is_1_3()) else { return };
    for name in hello.ticket.iter().chain([&server.session_id]).filter(|name| !name.is_empty()) {
        if resumable.len() < most {
            resumable.insert(Sha256::digest(name).into(), *random);
        }
    }
}

/// The master secret of the session that is resumed (RFC 5246 §7.3, RFC 5077), if it is known; several where key logs disagree.
pub(super) fn resumed(hello: &Hello, secrets: &Secrets, resumable: &Resumable) -> Vec<Secret> {
    let Some(client) = hello.client.as_ref().filter(|_| hello.is_resumed() && !hello.is_1_3()) else {
        return Vec::new();
    };
    let mut names = [&client.ticket, &client.session_id].into_iter().filter(|name| !name.is_empty());
    let random = names.find_map(|name| resumable.get(&<[u8; 32]>::from(Sha256::digest(name))));
    random.map(|random| secrets.all(random, SecretLabel::Master).copied().collect()).unwrap_or_default()
}

/// The master secret of a session (RFC 5246 §8.1, RFC 7627 §4), if what it is made of is known.
pub(super) fn master(hello: &Hello, secrets: &Secrets) -> Option<Secret> {
    let (client, server, encrypted) = (hello.client.as_ref()?, hello.server.as_ref()?, hello.exchange.as_deref()?);
    let suite = Suite::find(server.suite).filter(Suite::is_by_rsa)?;
    let (version, prf_hash) = (server.version, suite.prf);
    let known = secrets.premaster(encrypted).map(|known| (known.bytes().first_chunk().copied(), known.origin));
    let (premaster, origin) = known.or_else(|| {
        // The server's certificate says which key it is.
        let certified = |key: &&RsaKey| memmem::find(&hello.transcript.bytes.to_client, key.modulus()).is_some();
        let mut keys = secrets.rsa_keys().iter().filter(certified);
        keys.find_map(|key| Some((Some(rsa::decrypt(key, encrypted)?), key.origin)))
    })?;
    let premaster = premaster?;
    let mut master = [0; SECRET_BYTES];
    if server.extended_master_secret {
        let session = transcript_hash(version, prf_hash, &hello.transcript.session()?);
        prf(version, prf_hash, &premaster, "extended master secret", &[&session], &mut master);
    } else {
        prf(version, prf_hash, &premaster, "master secret", &[&client.random, &server.random], &mut master);
    }
    Secret::new(SecretLabel::Master, &master, origin)
}
