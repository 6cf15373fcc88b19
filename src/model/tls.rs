//! A TLS session as a whole: what its handshake tells in clear, and how far it could be decrypted.

use super::amount::{count, number};
use super::certificate::Certificate;
use super::flow::{Direction, Endpoint};
use super::secrets::{ClientRandom, Origin, PremasterId};
use std::fmt;

/// A protocol version as the wire has it (RFC 8446 §4.2.1): 0x0304 is TLS 1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsVersion(pub u16);

impl TlsVersion {
    /// RFC 6101.
    pub const SSL_3_0: Self = Self(0x0300);
    /// RFC 2246.
    pub const TLS_1_0: Self = Self(0x0301);
    /// RFC 4346.
    pub const TLS_1_1: Self = Self(0x0302);
    /// RFC 5246.
    pub const TLS_1_2: Self = Self(0x0303);
    /// RFC 8446.
    pub const TLS_1_3: Self = Self(0x0304);
}

impl TlsVersion {
    /// Its number in the names of the protocol: `1.3`; `other` of what has none.
    pub const fn digits(self) -> &'static str {
        match self {
            Self::SSL_3_0 => "3.0",
            Self::TLS_1_0 => "1.0",
            Self::TLS_1_1 => "1.1",
            Self::TLS_1_2 => "1.2",
            Self::TLS_1_3 => "1.3",
            _ => "other",
        }
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SSL_3_0 => f.write_str("SSL 3.0"),
            Self::TLS_1_0 => f.write_str("TLS 1.0"),
            Self::TLS_1_1 => f.write_str("TLS 1.1"),
            Self::TLS_1_2 => f.write_str("TLS 1.2"),
            Self::TLS_1_3 => f.write_str("TLS 1.3"),
            Self(other) => write!(f, "0x{other:04x}"),
        }
    }
}

/// How many of the secrets that a session needs are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum TlsKeys {
    /// All that are needed for the application's data.
    Matched,
    /// Some: of one direction, or of the handshake only.
    Partial,
    /// None, or none that fits.
    #[default]
    None,
    /// Nothing encrypted came: the handshake failed, or the stream ended within it.
    NotNeeded,
}

impl TlsKeys {
    /// The name in records: `matched`, `partial`, `none`, `not needed`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Partial => "partial",
            Self::None => "none",
            Self::NotNeeded => "not needed",
        }
    }
}

/// What is told of the session with the connections inside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsOutline {
    /// The version that was agreed on; without a ServerHello none.
    pub version: Option<TlsVersion>,
    /// The IANA name of the cipher suite that was agreed on, or its number as `0x1234`.
    pub cipher: Option<String>,
    /// The server name that the client asked for (RFC 6066 §3), as sent.
    pub sni: Option<String>,
    /// The protocol that was agreed on for the inside (RFC 7301), as sent.
    pub alpn: Option<String>,
    /// Which secrets are known.
    pub keys: TlsKeys,
    /// Nanoseconds from the ClientHello to the last Finished; `None` where one of them is not seen.
    pub took: Option<i64>,
    /// The server's certificate; `None` where it sent none, as when a session is resumed, or it could not be read.
    pub certificate: Option<Box<Certificate>>,
}

impl TlsOutline {
    /// `TLS 1.3`.
    pub fn protocol(&self) -> String {
        self.version.map_or_else(|| "TLS".to_owned(), |version| version.to_string())
    }
}

/// A TLS session, told when its stream ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSession {
    /// Who sent the ClientHello.
    pub client: Endpoint,
    /// The other end.
    pub server: Endpoint,
    /// What was agreed on.
    pub outline: TlsOutline,
    /// The randoms of the ClientHellos that the secrets are known by: one for each handshake, a renegotiation's behind the first.
    pub client_randoms: Vec<ClientRandom>,
    /// What clients encrypted with RSA for the server begins so, by which premaster secrets are known.
    pub premasters: Vec<PremasterId>,
    /// Where the secrets stand.
    pub origin: Option<Origin>,
    /// Bytes that were decrypted for the application, both directions.
    pub decrypted: u64,
    /// Why not all of it was; `None` when all was, or nothing was to be.
    pub why_not: Option<WhyNot>,
}

/// What carries data of a connection that was opened: a TLS record, or a DATA frame of HTTP/2, which may stand in records itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// Who sent it.
    pub dir: Direction,
    /// Its number: of a record from 0 with every change of keys, of a frame from 0 in its stream.
    pub number: u64,
    /// Bytes on the wire, its header included.
    pub wire_len: u32,
    /// Of a record: how many bytes of the stream its last packet brought, up to its end; 0: that is not known.
    pub brought: u32,
    /// Where its data begin among all that was decrypted in this direction, or, in HTTP/2, that DATA frames of the stream carry.
    pub offset: u64,
    /// Bytes of data: in HTTP/2 those of the stream.
    pub len: u32,
    /// The DATA frame that it is; `None` for a TLS record.
    pub data: Option<DataFrame>,
}

/// A DATA frame of HTTP/2 (RFC 9113 §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataFrame {
    /// Its head as it was sent, the reserved bit aside: length, type, flags and stream (RFC 9113 §4.1).
    pub head: [u8; 9],
    /// The number of the TLS record in which it begins, where HTTP/2 runs in TLS.
    pub record: Option<u64>,
}

impl Envelope {
    /// Whether it is the record whose next data another tells of.
    pub fn is_same(&self, next: &Self) -> bool {
        self.data.is_none()
            && *self == Self { offset: self.offset, len: self.len, ..*next }
            && self.end() == next.offset
    }

    /// Where its data end.
    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.len as u64)
    }
}

/// TLS streams, and how many of them were decrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TlsSum {
    /// All of them.
    pub streams: u64,
    /// Those of which anything was.
    pub decrypted: u64,
    /// Those of which nothing was, though there was something to decrypt.
    pub shut: u64,
}

impl TlsSum {
    /// Counts one more.
    pub const fn count(&mut self, session: &TlsSession) {
        self.streams += 1;
        self.decrypted += (session.decrypted > 0) as u64;
        self.shut += (session.decrypted == 0 && session.why_not.is_some()) as u64;
    }

    /// `3 of 4 TLS streams decrypted`, where there are any.
    pub fn words(&self) -> Option<String> {
        let Self { streams, decrypted, .. } = *self;
        (streams > 0).then(|| format!("{} of {} decrypted", number(decrypted), count(streams, "TLS stream")))
    }
}

/// Why a session was not decrypted, or not wholly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhyNot {
    /// Not one secret for the ClientHello's random.
    NoKey,
    /// Not one was known when so much waited for keys that this stream's was not waited for.
    TooLate,
    /// The secrets of the handshake are known, those of the data are not.
    OnlyHandshake,
    /// Secrets are known for the ClientHello's random, but none that this version needs for its handshake or the data.
    OtherSecrets,
    /// No secret for what this direction carries, but for the other.
    OneWay(Direction),
    /// No secret for the 0-RTT data, which the server took, but for what follows.
    NoEarly,
    /// The capture does not have the ClientHello: its random names the secrets.
    NoClientHello,
    /// The capture does not have it, and of all secrets that were tried none opens a record. Up to TLS 1.2 none can: the keys
    /// depend on what the hellos say.
    NoneFits,
    /// The capture does not have the ServerHello: it names the cipher suite, and up to TLS 1.2 its random makes the keys.
    NoServerHello,
    /// How this cipher suite encrypts is not known here.
    Suite(u16),
    /// The records are compressed before they are encrypted (RFC 3749).
    Compressed,
    /// A secret is known, but with it no record of this direction opens, from the first on.
    WrongKey(Direction),
    /// What this direction carries is not made of records, again and again.
    NoRecords(Direction),
    /// Records with data are missing, in part or whole, or did not open; the others were decrypted.
    Gap,
}

impl WhyNot {
    /// Whether both are the same reason, for whatever direction.
    pub fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }

    /// What is to be said where the key may yet come, but is not waited for.
    pub const fn too_late(self) -> Self {
        if matches!(self, Self::NoKey) { Self::TooLate } else { self }
    }
}

impl fmt::Display for WhyNot {
    /// One clause, without a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoKey => f.write_str("no key for this client random"),
            Self::TooLate => {
                f.write_str("no key for this client random came before too much waited for it (limit key-wait-bytes)")
            }
            Self::OnlyHandshake => f.write_str("only the secrets of the handshake are known, not those of the data"),
            Self::OtherSecrets => f.write_str("the secrets of this client random are none that its TLS version needs"),
            Self::OneWay(dir) => write!(f, "the secret of what the {} sent is missing", dir.sender()),
            Self::NoEarly => f.write_str("the secret of the client's 0-RTT data is missing"),
            Self::NoClientHello => f.write_str("the ClientHello was not captured: the key cannot be looked up"),
            Self::NoneFits => {
                f.write_str("the ClientHello was not captured, and no key that was tried fits (up to TLS 1.2 none can)")
            }
            Self::NoServerHello => f.write_str("the ServerHello was not captured"),
            Self::Suite(suite) => write!(f, "the cipher suite 0x{suite:04x} is not supported"),
            Self::Compressed => f.write_str("TLS compression is not supported"),
            Self::WrongKey(dir) => write!(f, "the key does not fit: record 0 of the {} does not open", dir.sender()),
            Self::NoRecords(dir) => write!(f, "what the {} sent is not made of TLS records", dir.sender()),
            Self::Gap => f.write_str("gap: records with data are missing, or damaged"),
        }
    }
}
