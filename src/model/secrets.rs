//! The secrets that decrypt TLS, as key logs give them.

use hashbrown::HashMap;
use std::fmt;
use std::num::NonZeroU32;

/// A ClientHello's random: what a key log knows a session by (RFC 8446 §4.1.2; the same in the second ClientHello after a HelloRetryRequest).
pub type ClientRandom = [u8; 32];

/// The first bytes of a premaster secret as the client encrypted it: what a key log of former times knows it by.
pub type PremasterId = [u8; 8];

/// What a secret is, by its label in a key log (RFC 9850 §2, and NSS's `CLIENT_RANDOM`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretLabel {
    /// The master secret of TLS 1.2 and earlier, 48 bytes.
    Master,
    /// What the master secret is made of where the client encrypted it with RSA, 48 bytes; known by its [`PremasterId`].
    Premaster,
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
    /// Those that are known by a client random.
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
            Self::Premaster => "RSA",
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
    /// Index into [`Secrets::logs`].
    pub source: u16,
    /// Line, from 1.
    pub line: u32,
}

impl Origin {
    /// Where that is: `keys.txt:12`, or `dsb`; nothing when `logs` do not have it. Not escaped.
    pub fn place(self, logs: &[KeyLog]) -> String {
        match logs.get(usize::from(self.source)).map(|log| &log.source) {
            Some(KeySource::File(name)) => format!("{name}:{}", self.line),
            Some(source) => source.to_string(),
            None => String::new(),
        }
    }
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

/// An RSA private key (RFC 8017 §3.2), which decrypts premaster secrets. It is never printed.
#[derive(Clone)]
pub struct RsaKey {
    /// Where it stands.
    pub origin: Origin,
    modulus: Box<[u8]>,
    exponent: Box<[u8]>,
}

impl RsaKey {
    /// Bytes of the longest modulus.
    const MODULUS_MAX: usize = 2048;

    /// From both numbers, big-endian; `None` when that can be no key.
    pub fn new(modulus: &[u8], exponent: &[u8], origin: Origin) -> Option<Self> {
        let bare = |number: &[u8]| {
            let zeros = number.iter().take_while(|&&byte| byte == 0).count();
            number.get(zeros..).map(Box::<[u8]>::from)
        };
        let (modulus, exponent) = (bare(modulus)?, bare(exponent)?);
        let is_odd = modulus.last().is_some_and(|last| last % 2 == 1);
        (is_odd && modulus.len() <= Self::MODULUS_MAX && exponent.len() <= modulus.len()).then_some(Self {
            origin,
            modulus,
            exponent,
        })
    }

    /// Big-endian, without zeros before it: it stands so in the server's certificate.
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// Big-endian.
    pub fn exponent(&self) -> &[u8] {
        &self.exponent
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaKey").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Where a key log stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum KeySource {
    /// In a file, which is called so in messages.
    File(String),
    /// In the capture's decryption secrets blocks.
    #[default]
    Block,
    /// In the comment of a section of the capture.
    Comment,
    /// It is no log but an RSA private key, in a file that is called so.
    RsaKey(String),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File(name) | Self::RsaKey(name) => name,
            Self::Block => "dsb",
            Self::Comment => "comment",
        })
    }
}

/// What stands in one key log, in lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyLog {
    /// Where it stands.
    pub source: KeySource,
    /// All of them.
    pub lines: u64,
    /// Those with a secret.
    pub secrets: u64,
    /// Of these, how many there was no room for.
    pub dropped: u64,
    /// Of these, how many were known already.
    pub repeated: u64,
    /// Those with a label that decrypts no TLS record.
    pub others: u64,
    /// Those that are no lines of a key log.
    pub bad: u64,
}

/// All secrets that are known, by the random of the session that they belong to.
///
/// A session with one secret takes some 110 bytes: key logs have millions.
#[derive(Clone, Default)]
pub struct Secrets {
    logs: Vec<KeyLog>,
    /// Where in `kept` a session's first secret stands.
    sessions: HashMap<ClientRandom, u32, foldhash::fast::RandomState>,
    kept: Vec<Kept>,
    premasters: HashMap<PremasterId, Secret, foldhash::fast::RandomState>,
    rsa_keys: Vec<RsaKey>,
}

/// A secret, and where in [`Secrets::kept`] the next one of its session stands: never at 0.
#[derive(Clone)]
struct Kept {
    secret: Secret,
    next: Option<NonZeroU32>,
}

const _: () = assert!(size_of::<Kept>() <= 64);

/// Secrets that are kept of one label and session.
const RIVALS: usize = 8;

/// What became of a secret that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is kept.
    New,
    /// It was there already.
    Known,
    /// There is no room for it.
    TooMany,
}

impl Secrets {
    /// Adds a row for a key log; its index for the [`Origin`]s of its secrets. Where there are as many as have one, the log is counted
    /// with the last: each that takes the place of another has its own.
    pub fn source(&mut self, source: KeySource) -> u16 {
        let Ok(at) = u16::try_from(self.logs.len()) else { return u16::MAX };
        self.logs.push(KeyLog { source, ..KeyLog::default() });
        at
    }

    /// Adds a secret. Others for the same label and session stay beside it, up to a few: which of them is right, records tell.
    pub fn add(&mut self, random: &ClientRandom, secret: Secret) -> Added {
        let Ok(at) = u32::try_from(self.kept.len()) else { return Added::TooMany };
        if self.all(random, secret.label).any(|known| known.bytes() == secret.bytes()) {
            return Added::Known;
        }
        if self.all(random, secret.label).count() >= RIVALS {
            return Added::TooMany;
        }
        let mut last = *self.sessions.entry(*random).or_insert(at);
        while let Some(kept) = self.kept.get_mut(last as usize) {
            last = kept.next.get_or_insert(NonZeroU32::new(at).unwrap_or(NonZeroU32::MAX)).get();
        }
        self.kept.push(Kept { secret, next: None });
        Added::New
    }

    /// Forgets the older half of what [`Self::add`] keeps, so that there is room for newer ones.
    pub fn forget_older(&mut self) {
        let half = self.kept.len().div_ceil(2);
        let Ok(gone) = u32::try_from(half) else { return };
        self.sessions.retain(|_, first| {
            while *first < gone {
                let Some(next) = self.kept.get(*first as usize).and_then(|kept| kept.next) else { return false };
                *first = next.get();
            }
            *first -= gone;
            true
        });
        for kept in self.kept.drain(..half) {
            if let Some(log) = self.logs.get_mut(usize::from(kept.secret.origin.source)) {
                log.dropped += 1;
            }
        }
        for kept in &mut self.kept {
            // It is behind this one, and so is none of the first.
            kept.next = kept.next.and_then(|next| NonZeroU32::new(next.get() - gone));
        }
    }

    /// A session's secret; of several the first.
    pub fn find(&self, random: &ClientRandom, label: SecretLabel) -> Option<&Secret> {
        self.all(random, label).next()
    }

    /// What key logs give as that secret of a session: more than one where they disagree.
    pub fn all(&self, random: &ClientRandom, label: SecretLabel) -> impl Iterator<Item = &Secret> + Clone {
        self.of(random).filter(move |secret| secret.label == label)
    }

    /// A session's secrets, in the order in which they were added.
    pub fn of(&self, random: &ClientRandom) -> impl Iterator<Item = &Secret> + Clone {
        let mut next = self.sessions.get(random).copied();
        std::iter::from_fn(move || {
            let kept = self.kept.get(next? as usize)?;
            next = kept.next.map(NonZeroU32::get);
            Some(&kept.secret)
        })
    }

    /// Adds a premaster secret; the first of one name stays.
    pub fn add_premaster(&mut self, id: PremasterId, secret: Secret) -> bool {
        let mut is_new = false;
        self.premasters.entry(id).or_insert_with(|| {
            is_new = true;
            secret
        });
        is_new
    }

    /// The premaster secret that a client encrypted so.
    pub fn premaster(&self, encrypted: &[u8]) -> Option<&Secret> {
        self.premasters.get(encrypted.first_chunk::<8>()?)
    }

    /// Adds an RSA private key.
    pub fn add_rsa_key(&mut self, key: RsaKey) {
        self.rsa_keys.push(key);
    }

    /// The RSA private keys.
    pub fn rsa_keys(&self) -> &[RsaKey] {
        &self.rsa_keys
    }

    /// Whether master secrets may be made from premaster secrets.
    pub fn knows_premasters(&self) -> bool {
        !self.premasters.is_empty() || !self.rsa_keys.is_empty()
    }

    /// The randoms of the sessions that were added first, in that order.
    pub fn first_sessions(&self, most: usize) -> Vec<ClientRandom> {
        let mut sessions: Vec<_> = self.sessions.iter().map(|(random, &at)| (at, random)).collect();
        if most < sessions.len() {
            sessions.select_nth_unstable(most);
            sessions.truncate(most);
        }
        sessions.sort_unstable();
        sessions.into_iter().map(|(_, random)| *random).collect()
    }

    /// The key logs, in the order in which they were named.
    pub fn logs(&self) -> &[KeyLog] {
        &self.logs
    }

    /// A key log's row, to count in; `None` for an index that [`Self::source`] did not give.
    pub fn log_mut(&mut self, source: u16) -> Option<&mut KeyLog> {
        self.logs.get_mut(usize::from(source))
    }

    /// Where a secret comes from: `keys.txt:12`, or `dsb`. Not escaped.
    pub fn place(&self, origin: Origin) -> String {
        origin.place(&self.logs)
    }

    /// Secrets of all sessions.
    pub fn len(&self) -> usize {
        self.kept.len() + self.premasters.len()
    }

    /// Lines of key logs with a secret that was not there before, whether they were kept or not.
    pub fn logged(&self) -> u64 {
        self.logs.iter().map(|log| log.secrets.saturating_sub(log.repeated)).sum()
    }

    /// Whether there was a key in what the user named, or in the capture: it need not fit, nor be kept.
    pub fn were_given(&self) -> bool {
        self.logged() > 0 || !self.rsa_keys.is_empty()
    }

    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && !self.knows_premasters()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("logs", &self.logs).field("sessions", &self.sessions.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_their_order_and_none_is_printed() {
        let mut secrets = Secrets::default();
        let source = secrets.source(KeySource::File("keys.txt".to_owned()));
        let random = [7; 32];
        for (line, byte, added) in [(1, 0xab, Added::New), (2, 0xab, Added::Known)] {
            let secret = Secret::new(SecretLabel::Master, &[byte; 48], Origin { source, line }).expect("48 bytes");
            assert_eq!(secrets.add(&random, secret), added);
        }
        let server =
            Secret::new(SecretLabel::ServerTraffic, &[0xef; 32], Origin { source, line: 3 }).expect("32 bytes");
        assert_eq!((secrets.add(&[8; 32], server), secrets.add(&random, server)), (Added::New, Added::New));
        assert_eq!(secrets.of(&random).map(|secret| secret.origin.line).collect::<Vec<_>>(), [1, 3]);
        assert_eq!((secrets.len(), secrets.first_sessions(9)), (3, vec![random, [8; 32]]));
        let found = secrets.find(&random, SecretLabel::Master).expect("added");
        assert_eq!((found.bytes(), found.origin.line), (&[0xab; 48][..], 1));
        assert_eq!(secrets.place(found.origin), "keys.txt:1");
        assert!(secrets.find(&random, SecretLabel::ClientTraffic).is_none());
        assert!(!format!("{secrets:?} {found:?}").contains("171"));
    }

    /// Each log that takes the place of another has a row: there are as many as have a number.
    #[test]
    fn rows_of_key_logs_are_bounded() {
        let mut secrets = Secrets::default();
        let last = (0..70_000).map(|_| secrets.source(KeySource::Block)).last();
        assert_eq!((last, secrets.logs().len()), (Some(u16::MAX), 1 << 16));
    }

    #[test]
    fn those_that_disagree_stay_beside_one_another_within_a_bound() {
        let (mut secrets, random) = (Secrets::default(), [7; 32]);
        for line in 1..=200_u32 {
            let secret = Secret::new(SecretLabel::Master, &[line as u8; 48], Origin { source: 0, line });
            let is_new = secrets.add(&random, secret.expect("48 bytes")) == Added::New;
            assert_eq!(is_new, line <= RIVALS as u32);
        }
        let lines: Vec<_> = secrets.all(&random, SecretLabel::Master).map(|secret| secret.origin.line).collect();
        assert_eq!(lines, Vec::from_iter(1..=RIVALS as u32));
    }

    #[test]
    fn the_older_half_is_forgotten() {
        for count in 0..9_u8 {
            let mut secrets = Secrets::default();
            let source = secrets.source(KeySource::Block);
            // Two sessions, of which each has every other secret.
            for n in 0..count {
                let secret = Secret::new(SecretLabel::Master, &[n; 48], Origin { source, line: n.into() });
                assert_eq!(secrets.add(&[n % 2; 32], secret.expect("48 bytes")), Added::New);
            }
            secrets.forget_older();
            let gone = count.div_ceil(2);
            for session in 0..2 {
                let lines: Vec<_> = secrets.of(&[session; 32]).map(|secret| secret.origin.line).collect();
                let left: Vec<_> = (gone..count).filter(|n| n % 2 == session).map(u32::from).collect();
                assert_eq!(lines, left, "{count}");
            }
            assert_eq!((secrets.len(), secrets.logs()[0].dropped), ((count - gone).into(), gone.into()));
        }
    }

    #[test]
    fn a_secret_has_a_length_that_fits() {
        let origin = Origin { source: 0, line: 1 };
        assert!(Secret::new(SecretLabel::Master, &[], origin).is_none());
        assert!(Secret::new(SecretLabel::Master, &[0; 49], origin).is_none());
    }
}
