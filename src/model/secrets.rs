//! The secrets that decrypt TLS, as key logs give them.

use hashbrown::HashMap;
use std::fmt;

/// A ClientHello's random: what a key log knows a session by (RFC 8446 §4.1.2; the same in the second ClientHello after a HelloRetryRequest).
pub type ClientRandom = [u8; 32];

/// What a secret is, by its label in a key log (RFC 9850 §2, and NSS's `CLIENT_RANDOM`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretLabel {
    /// The master secret of TLS 1.2 and earlier, 48 bytes.
    Master,
    /// TLS 1.3, the client's 0-RTT data.
    ClientEarly,
    /// TLS 1.3, the client's handshake messages.
    ClientHandshake,
    /// TLS 1.3, the server's handshake messages.
    ServerHandshake,
    /// TLS 1.3, the client's first application secret.
    ClientTraffic,
    /// TLS 1.3, the server's first application secret.
    ServerTraffic,
}

impl SecretLabel {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Master,
        Self::ClientEarly,
        Self::ClientHandshake,
        Self::ServerHandshake,
        Self::ClientTraffic,
        Self::ServerTraffic,
    ];

    /// The label in a key log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Master => "CLIENT_RANDOM",
            Self::ClientEarly => "CLIENT_EARLY_TRAFFIC_SECRET",
            Self::ClientHandshake => "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            Self::ServerHandshake => "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            Self::ClientTraffic => "CLIENT_TRAFFIC_SECRET_0",
            Self::ServerTraffic => "SERVER_TRAFFIC_SECRET_0",
        }
    }
}

/// Bytes of the longest secret: a master secret, or a SHA-384 traffic secret.
pub const SECRET_BYTES: usize = 48;

/// One secret. It is never printed: `Debug` shows what it is only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret {
    /// What it is.
    pub label: SecretLabel,
    /// Where it stands.
    pub origin: Origin,
    bytes: [u8; SECRET_BYTES],
    len: u8,
}

/// Where a secret stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Index into [`Secrets::sources`].
    pub source: u16,
    /// Line, from 1.
    pub line: u32,
}

impl Secret {
    /// A secret of 1 to 48 bytes.
    pub fn new(label: SecretLabel, bytes: &[u8], origin: Origin) -> Option<Self> {
        let mut kept = [0; SECRET_BYTES];
        kept.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let len = u8::try_from(bytes.len()).ok().filter(|&len| len > 0)?;
        Some(Self { label, origin, bytes: kept, len })
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("label", &self.label).field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// All secrets that are known, by the random of the session that they belong to.
#[derive(Clone, Default)]
pub struct Secrets {
    sources: Vec<String>,
    sessions: HashMap<ClientRandom, Vec<Secret>, foldhash::fast::RandomState>,
}

impl Secrets {
    /// Names a key log, as the user is to be told of it; the index for the [`Origin`]s of its secrets.
    pub fn source(&mut self, name: &str) -> u16 {
        self.sources.push(name.to_owned());
        u16::try_from(self.sources.len() - 1).unwrap_or(u16::MAX)
    }

    /// Adds a secret; of two for one label and session the first stays.
    pub fn add(&mut self, random: &ClientRandom, secret: Secret) {
        let known = self.sessions.entry(*random).or_default();
        if known.iter().all(|other| other.label != secret.label) {
            known.push(secret);
        }
    }

    /// A session's secret.
    pub fn find(&self, random: &ClientRandom, label: SecretLabel) -> Option<&Secret> {
        self.of(random).iter().find(|secret| secret.label == label)
    }

    /// A session's secrets.
    pub fn of(&self, random: &ClientRandom) -> &[Secret] {
        self.sessions.get(random).map_or(&[], Vec::as_slice)
    }

    /// The name of the key log that a secret comes from.
    pub fn name(&self, origin: Origin) -> &str {
        self.sources.get(usize::from(origin.source)).map_or("", String::as_str)
    }

    /// Sessions of which at least one secret is known.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("sources", &self.sources).field("sessions", &self.sessions.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_secret_of_a_label_stays_and_none_is_printed() {
        let mut secrets = Secrets::default();
        let source = secrets.source("keys.txt");
        let random = [7; 32];
        for (line, byte) in [(1, 0xab), (2, 0xcd)] {
            let secret = Secret::new(SecretLabel::Master, &[byte; 48], Origin { source, line }).expect("48 bytes");
            secrets.add(&random, secret);
        }
        let found = secrets.find(&random, SecretLabel::Master).expect("added");
        assert_eq!((found.bytes(), found.origin.line), (&[0xab; 48][..], 1));
        assert_eq!(secrets.name(found.origin), "keys.txt");
        assert!(secrets.find(&random, SecretLabel::ClientTraffic).is_none());
        assert!(!format!("{secrets:?} {found:?}").contains("171"));
    }

    #[test]
    fn a_secret_has_a_length_that_fits() {
        let origin = Origin { source: 0, line: 1 };
        assert!(Secret::new(SecretLabel::Master, &[], origin).is_none());
        assert!(Secret::new(SecretLabel::Master, &[0; 49], origin).is_none());
    }
}
