//! What both hellos agree on, and the keys that follow from it.

use super::cipher::Opener;
use super::handshake::{ClientHello, ServerHello};
use super::keys::{Keys, Stage, Use};
use super::premaster::Transcript;
use super::schedule::{Digest, prf};
use super::suite::{Sealing, Suite};
use crate::model::{ClientRandom, Direction, Secret, SecretLabel, Secrets, TlsKeys, TlsVersion, WhyNot};

/// The hellos of one handshake.
#[derive(Debug, Default)]
pub(super) struct Hello {
    pub(super) client: Option<Box<ClientHello>>,
    pub(super) server: Option<Box<ServerHello>>,
    /// What the client encrypted for the server, where that is how keys are agreed on.
    pub(super) exchange: Option<Box<[u8]>>,
    /// What the server gave the client to resume the session by.
    pub(super) ticket: Option<Box<[u8]>>,
    /// The messages themselves, where keys may be made from that.
    pub(super) transcript: Transcript,
    /// The server asked for another ClientHello, as only TLS 1.3 does.
    pub(super) retried: bool,
    sought: Sought,
}

/// How its master secret was looked for, in vain.
#[derive(Debug, Default, Clone, Copy)]
struct Sought {
    /// What was known then: secrets, sessions that may be resumed, bytes of the transcript.
    known: Option<[usize; 3]>,
    /// How often, since the hellos or what the client encrypted were others, or secrets came.
    times: u8,
}

/// How often a master secret is looked for before it is given up: each may cost a private key's work, and a digest of all messages.
const SOUGHT_MAX: u8 = 8;

/// Label of the handshake's secret and of the data's, for what one side sends.
pub(super) const fn labels(dir: Direction) -> (SecretLabel, SecretLabel) {
    match dir {
        Direction::ToServer => (SecretLabel::ClientHandshake, SecretLabel::ClientTraffic),
        Direction::ToClient => (SecretLabel::ServerHandshake, SecretLabel::ServerTraffic),
    }
}

impl Hello {
    /// The version that was agreed on.
    pub(super) fn version(&self) -> Option<TlsVersion> {
        self.server.as_ref().map(|server| server.version)
    }

    /// Whether the handshake is that of TLS 1.3.
    pub(super) fn is_1_3(&self) -> bool {
        self.retried || self.version().is_some_and(|version| version >= TlsVersion::TLS_1_3)
    }

    /// The random that the key log knows it by.
    pub(super) fn random(&self) -> Option<&ClientRandom> {
        self.client.as_ref().map(|client| &client.random)
    }

    /// Whether the server resumes the session that the client named.
    pub(super) fn is_resumed(&self) -> bool {
        let ids = self.client.as_ref().zip(self.server.as_ref());
        ids.is_some_and(|(client, server)| !server.session_id.is_empty() && client.session_id == server.session_id)
    }

    /// Whether the master secret may still come to be known, by what the client is about to encrypt.
    pub(super) fn lacks_exchange(&self, secrets: &Secrets) -> bool {
        self.exchange.is_none()
            && secrets.knows_premasters()
            && !self.is_1_3()
            && !self.is_resumed()
            && self.known(secrets) == TlsKeys::None
            && self
                .server
                .as_ref()
                .is_some_and(|server| Suite::find(server.suite).is_some_and(|suite| suite.is_by_rsa()))
    }

    /// The ClientHello; after a HelloRetryRequest it has the same random, in a renegotiation the server answers anew, or has already.
    pub(super) fn begin(&mut self, hello: Box<ClientHello>) {
        if self.random() != Some(&hello.random) {
            self.exchange = None;
            if self.client.is_some() {
                (self.server, self.ticket) = (None, None);
            }
        }
        (self.client, self.sought) = (Some(hello), Sought::default());
    }

    /// The ServerHello. In a renegotiation it answers another ClientHello, which was lost, or comes late.
    pub(super) fn answer(&mut self, hello: Box<ServerHello>) {
        if self.server.is_some() && !self.is_1_3() {
            self.forget_client();
        }
        (self.server, self.sought) = (Some(hello), Sought::default());
    }

    /// What the client encrypted for the server: once in a handshake.
    pub(super) fn exchanged(&mut self, encrypted: Box<[u8]>) {
        if self.exchange.is_none() {
            (self.exchange, self.sought) = (Some(encrypted), Sought::default());
        }
    }

    /// Secrets came from beside.
    pub(super) fn seek_anew(&mut self) {
        self.sought = Sought::default();
    }

    /// Whether its master secret is to be looked for, with so many secrets and sessions known: not again as long as nothing more is, and
    /// not for ever.
    pub(super) fn seeks_master(&mut self, secrets: usize, resumable: usize) -> bool {
        let known = Some([secrets, resumable, self.transcript.len()]);
        let is_new = self.sought.known != known && self.sought.times < SOUGHT_MAX;
        if is_new {
            self.sought = Sought { known, times: self.sought.times + 1 };
        }
        is_new
    }

    /// The ClientHello is another, which is not known.
    pub(super) fn forget_client(&mut self) {
        (self.client, self.exchange, self.ticket) = (None, None, None);
    }

    /// How many of its secrets are known.
    pub(super) fn known(&self, secrets: &Secrets) -> TlsKeys {
        let Some(random) = self.random() else { return TlsKeys::None };
        let has = |label| secrets.find(random, label).is_some();
        let is_1_3 = self.is_1_3() || self.server.is_none() && !has(SecretLabel::Master);
        let known = match is_1_3 {
            true => [SecretLabel::ClientTraffic, SecretLabel::ServerTraffic].map(has),
            false => [has(SecretLabel::Master); 2],
        };
        match known {
            [true, true] => TlsKeys::Matched,
            [false, false] if !is_1_3 || !secrets.of(random).any(|secret| secret.label != SecretLabel::Master) => {
                TlsKeys::None
            }
            _ => TlsKeys::Partial,
        }
    }

    /// Whether any secret is known for its random, of whatever use.
    pub(super) fn has_any(&self, secrets: &Secrets) -> bool {
        self.random().is_some_and(|random| secrets.of(random).next().is_some())
    }

    /// Whether the client may send 0-RTT data; then, whether their secret is known.
    pub(super) fn early_data(&self, secrets: &Secrets) -> Option<bool> {
        let may_be_1_3 = self.version().is_none_or(|version| version == TlsVersion::TLS_1_3);
        let client = self.client.as_ref().filter(|client| client.early_data && may_be_1_3)?;
        Some(secrets.find(&client.random, SecretLabel::ClientEarly).is_some())
    }

    /// Whether it cannot be known if the server takes those that the client surely sends.
    pub(super) fn hides_answer(&self, secrets: &Secrets) -> bool {
        let client = self.client.as_ref().filter(|client| !client.torn);
        client.is_some_and(|client| secrets.find(&client.random, SecretLabel::ServerHandshake).is_none())
    }

    /// The keys of a direction; or why there are none.
    pub(super) fn keys(&self, dir: Direction, secrets: &Secrets) -> Result<Keys, WhyNot> {
        let client = self.client.as_ref().ok_or(WhyNot::NoClientHello)?;
        let server = self.server.as_ref().ok_or(WhyNot::NoServerHello)?;
        if server.compressed {
            return Err(WhyNot::Compressed);
        }
        let unknown = WhyNot::Suite(server.suite);
        let suite = Suite::find(server.suite).filter(|suite| suite.sealing != Sealing::Other).ok_or(unknown)?;
        let stages = if self.is_1_3() {
            self.traffic(dir, client, &suite, secrets)?
        } else if server.version >= TlsVersion::TLS_1_0 {
            let stage = |master: &Secret| {
                let opener = key_block(dir, client, server, &suite, master.bytes())?;
                Some(Stage::new(Use::Session, opener, master.origin))
            };
            let masters = secrets.all(&client.random, SecretLabel::Master);
            masters.map(|master| stage(master).ok_or(unknown)).collect::<Result<_, _>>()?
        } else {
            return Err(unknown);
        };
        let mut keys = Keys::new(stages).ok_or(WhyNot::NoKey)?;
        if dir == Direction::ToServer && self.early_data(secrets) == Some(false) {
            keys.expect_others();
        }
        Ok(keys)
    }

    /// RFC 8446 §7.3: the stages of a direction, as far as their secrets are known; where key logs disagree, one for each.
    fn traffic(
        &self,
        dir: Direction,
        client: &ClientHello,
        suite: &Suite,
        secrets: &Secrets,
    ) -> Result<Vec<Stage>, WhyNot> {
        let Sealing::Aead(aead) = suite.sealing else { return Err(WhyNot::NoKey) };
        let hash = suite.prf;
        if !self.has_any(secrets) {
            return Err(WhyNot::NoKey);
        }
        let (handshake, traffic) = labels(dir);
        let early = (dir == Direction::ToServer && client.early_data).then_some(SecretLabel::ClientEarly);
        let labels = early.into_iter().chain([handshake, traffic]);
        let stage = |secret: &Secret| {
            let (label, origin, secret) = (secret.label, secret.origin, Digest::new(secret.bytes()));
            let purpose = match label {
                SecretLabel::ClientEarly => Use::Early,
                _ if label == handshake => Use::Handshake,
                _ => Use::Traffic { aead, hash, secret },
            };
            Stage::of_secret(purpose, aead, hash, &secret, origin)
        };
        let stages: Vec<Stage> =
            labels.flat_map(|label| secrets.all(&client.random, label)).filter_map(stage).collect();
        if stages.is_empty() { Err(self.lacking(dir, secrets)) } else { Ok(stages) }
    }

    /// What is missing of a direction whose data cannot be decrypted, although some secret is known.
    pub(super) fn lacking(&self, dir: Direction, secrets: &Secrets) -> WhyNot {
        let has = |label| self.random().is_some_and(|random| secrets.find(random, label).is_some());
        match [dir.reverse(), dir].map(labels) {
            _ if !self.is_1_3() => WhyNot::OtherSecrets,
            [(_, other), _] if has(other) => WhyNot::OneWay(dir),
            [(one, _), (other, _)] if has(one) || has(other) => WhyNot::OnlyHandshake,
            _ => WhyNot::OtherSecrets,
        }
    }
}

/// RFC 5246 §6.3: the part of the key block that a direction uses.
fn key_block(
    dir: Direction,
    client: &ClientHello,
    server: &ServerHello,
    suite: &Suite,
    master: &[u8],
) -> Option<Opener> {
    let version = server.version;
    let sizes = suite.sealing.sizes(version)?;
    let mut block = [0; 2 * (48 + 32 + 16)];
    let block = block.get_mut(..2 * (sizes.mac + sizes.key + sizes.iv))?;
    prf(version, suite.prf, master, "key expansion", &[&server.random, &client.random], block);
    // The client's and the server's, by turns: MAC keys, keys, initialisation vectors.
    let mut at = 0;
    let [mac, key, iv] = [sizes.mac, sizes.key, sizes.iv].map(|len| {
        let from = at + if dir == Direction::ToServer { 0 } else { len };
        at += 2 * len;
        block.get(from..from + len).unwrap_or_default()
    });
    Opener::of_key_block(version, suite.sealing, server.encrypt_then_mac, (mac, key, iv))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each record that does not open may ask for the master secret: it is looked for when more is known, and a few times only.
    #[test]
    fn a_master_secret_is_looked_for_when_more_is_known() {
        let mut hello = Hello::default();
        assert_eq!([(); 3].map(|()| hello.seeks_master(1, 0)), [true, false, false]);
        assert_eq!(
            [(2, 0), (2, 1), (2, 1)].map(|(secrets, old)| hello.seeks_master(secrets, old)),
            [true, true, false]
        );
        hello.transcript.push(Direction::ToServer, b"more", 9);
        assert!(hello.seeks_master(2, 1));
        assert_eq!((3..99).filter(|&secrets| hello.seeks_master(secrets, 1)).count(), usize::from(SOUGHT_MAX) - 4);
        hello.exchanged([7; 9].into());
        assert!(hello.seeks_master(99, 1));
        // Only the first counts.
        hello.exchanged([8; 9].into());
        assert_eq!((hello.seeks_master(99, 1), hello.exchange.as_deref()), (false, Some(&[7; 9][..])));
        hello.seek_anew();
        assert!(hello.seeks_master(99, 1));
    }
}
