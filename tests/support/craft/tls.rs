//! TLS 1.3 (RFC 8446) as one who has all secrets speaks it: TLS_AES_128_GCM_SHA256, made anew from the RFC.

use super::session::{Client, Server, Session, Side};
use hmac::{Hmac, KeyInit, Mac};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;
use std::fmt::Write as _;

pub(crate) const ALERT: u8 = 21;
pub(crate) const HANDSHAKE: u8 = 22;
pub(crate) const DATA: u8 = 23;

/// A session and the keys in use, by side.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) session: Session,
    /// Which of the streams' secrets are in use.
    secrets: [Vec<u8>; 2],
    sequences: [u64; 2],
    /// The ClientHello's random.
    pub(crate) random: [u8; 32],
    /// Zeros behind the content of each record.
    pub(crate) padding: usize,
}

fn at(side: Side) -> usize {
    usize::from(side == Server)
}

/// The secret of that name: they need not come from a key exchange to be used.
pub(crate) fn secret(name: &str, n: usize) -> Vec<u8> {
    hmac(name.as_bytes(), &n.to_be_bytes())
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// RFC 8446 §7.1, for lengths up to one hash.
fn expand(secret: &[u8], label: &str, len: usize) -> Vec<u8> {
    let mut info = vec![0, len as u8, 6 + label.len() as u8];
    info.extend_from_slice(b"tls13 ");
    info.extend_from_slice(label.as_bytes());
    info.extend_from_slice(&[0, 1]);
    let mut out = hmac(secret, &info);
    out.truncate(len);
    out
}

/// A record: header and fragment.
pub(crate) fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
    let [high, low] = (fragment.len() as u16).to_be_bytes();
    [&[kind, 3, 3, high, low], fragment].concat()
}

/// A handshake message.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = (body.len() as u32).to_be_bytes();
    [&[kind, a, b, c], body].concat()
}

/// Bytes behind their length, which has two bytes.
fn long(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &long(body)].concat()
}

/// A ClientHello for `wss.test` that offers http/1.1, and these extensions more.
pub(crate) fn client_hello(random: [u8; 32], more: &[u8]) -> Vec<u8> {
    let name = [&[0][..], &long(b"wss.test")].concat();
    let alpn = [&[8][..], b"http/1.1"].concat();
    let extensions =
        [&extension(0, &long(&name))[..], &extension(16, &long(&alpn)), &extension(43, &[2, 3, 4]), more].concat();
    message(1, &[&[3, 3][..], &random, &[0], &long(&[0x13, 1]), &[1, 0], &long(&extensions)].concat())
}

/// A ServerHello of that version and suite.
pub(crate) fn server_hello(random: [u8; 32], version: u16, suite: u16) -> Vec<u8> {
    let mut extensions = Vec::new();
    if version == 0x0304 {
        extensions = extension(43, &version.to_be_bytes());
    }
    message(2, &[&[3, 3][..], &random, &[0], &suite.to_be_bytes(), &[0], &long(&extensions)].concat())
}

/// EncryptedExtensions with that protocol, and these extensions more.
fn encrypted_extensions(alpn: &str, more: &[u8]) -> Vec<u8> {
    let name = [&[alpn.len() as u8], alpn.as_bytes()].concat();
    message(8, &long(&[&extension(16, &long(&name)), more].concat()))
}

impl Tls {
    /// The `n`th session, without a byte yet.
    pub(crate) fn bare(n: usize) -> Self {
        let secrets = ["client handshake", "server handshake"].map(|name| secret(name, n));
        let mut random = [0x52; 32];
        random[..8].copy_from_slice(&n.to_be_bytes());
        Self { session: Session::bare(n), secrets, sequences: [0; 2], random, padding: 0 }
    }

    /// The `n`th session, whose handshake is over.
    pub(crate) fn new(n: usize) -> Self {
        let mut tls = Self::bare(n);
        tls.hellos(&[]).flight("http/1.1").finish(Client);
        tls
    }

    /// A session that says what another says in clear.
    pub(crate) fn around(n: usize, inside: &Session) -> Self {
        let mut tls = Self::new(n);
        for (side, bytes) in &inside.turns {
            tls.data(*side, bytes);
        }
        tls
    }

    /// A session that asks a proxy for a tunnel, in which another session runs.
    pub(crate) fn tunnel(n: usize, inner: &Self) -> Self {
        let mut tls = Self::new(n);
        tls.data(Client, b"CONNECT wss.test:443 HTTP/1.1\r\nHost: wss.test:443\r\n\r\n");
        tls.data(Server, b"HTTP/1.1 200 OK\r\n\r\n");
        for (side, bytes) in &inner.session.turns {
            tls.data(*side, bytes);
        }
        tls
    }

    /// ClientHello and ServerHello.
    pub(crate) fn hellos(&mut self, more: &[u8]) -> &mut Self {
        self.session.turn(Client, record(HANDSHAKE, &client_hello(self.random, more)));
        self.session.turn(Server, record(HANDSHAKE, &server_hello([0x5e; 32], 0x0304, 0x1301)));
        self
    }

    /// The server's ServerHello and messages, with which it takes 0-RTT data or not.
    pub(crate) fn answer(&mut self, takes_early: bool) -> &mut Self {
        self.session.turn(Server, record(HANDSHAKE, &server_hello([0x5e; 32], 0x0304, 0x1301)));
        let early = extension(42, &[]);
        self.flight_with("http/1.1", if takes_early { &early } else { &[] })
    }

    /// The server's messages up to its Finished.
    pub(crate) fn flight(&mut self, alpn: &str) -> &mut Self {
        self.flight_with(alpn, &[])
    }

    fn flight_with(&mut self, alpn: &str, more: &[u8]) -> &mut Self {
        let compatibility = record(20, &[1]);
        let flight = [encrypted_extensions(alpn, more), message(11, &[0x11; 700]), message(20, &[0x20; 32])].concat();
        let sealed = self.seal(Server, HANDSHAKE, &flight);
        self.session.turn(Server, [compatibility, sealed].concat());
        self.keys(Server, "server data")
    }

    /// A Finished, with which the keys change.
    pub(crate) fn finish(&mut self, side: Side) -> &mut Self {
        let finished = self.seal(side, HANDSHAKE, &message(20, &[0x20; 32]));
        self.session.turn(side, finished);
        self.keys(side, if side == Client { "client data" } else { "server data" })
    }

    /// From now on a side uses the secret of that name.
    pub(crate) fn keys(&mut self, side: Side, name: &str) -> &mut Self {
        let n = usize::from_be_bytes(self.random[..8].try_into().unwrap());
        (self.secrets[at(side)], self.sequences[at(side)]) = (secret(name, n), 0);
        self
    }

    /// A side changes its keys (RFC 8446 §4.6.3).
    pub(crate) fn update(&mut self, side: Side) -> &mut Self {
        let update = self.seal(side, HANDSHAKE, &message(24, &[0]));
        self.session.turn(side, update);
        (self.secrets[at(side)], self.sequences[at(side)]) = (expand(&self.secrets[at(side)], "traffic upd", 32), 0);
        self
    }

    /// So many records of a side that no capture has, of so many bytes in all.
    pub(crate) fn unseen(&mut self, side: Side, records: u64, bytes: usize) -> &mut Self {
        self.sequences[at(side)] += records;
        self.session.turn(side, vec![0; bytes]);
        self
    }

    /// A turn of data.
    pub(crate) fn data(&mut self, side: Side, bytes: &[u8]) -> &mut Self {
        let records: Vec<Vec<u8>> = bytes.chunks(16_000).map(|bytes| self.seal(side, DATA, bytes)).collect();
        self.session.turn(side, records.concat());
        self
    }

    /// A turn of one sealed record.
    pub(crate) fn sealed(&mut self, side: Side, kind: u8, content: &[u8]) -> &mut Self {
        let sealed = self.seal(side, kind, content);
        self.session.turn(side, sealed);
        self
    }

    /// The key in use and its initialisation vector (RFC 8446 §7.3).
    pub(crate) fn key(&self, side: Side) -> (Vec<u8>, [u8; 12]) {
        let secret = &self.secrets[at(side)];
        (expand(secret, "key", 16), expand(secret, "iv", 12).try_into().unwrap())
    }

    /// A record that is sealed with the keys in use (RFC 8446 §5.2).
    pub(crate) fn seal(&mut self, side: Side, kind: u8, content: &[u8]) -> Vec<u8> {
        let (key, mut nonce) = self.key(side);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        for (to, from) in nonce[4..].iter_mut().zip(self.sequences[at(side)].to_be_bytes()) {
            *to ^= from;
        }
        self.sequences[at(side)] += 1;
        let mut body = [content, &[kind], &vec![0; self.padding][..]].concat();
        let [high, low] = (body.len() as u16 + 16).to_be_bytes();
        let header = [DATA, 3, 3, high, low];
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(header), &mut body).unwrap();
        [&header[..], &body].concat()
    }

    /// The session's key log.
    pub(crate) fn log(&self) -> String {
        let n = usize::from_be_bytes(self.random[..8].try_into().unwrap());
        key_log(&self.random, |name| secret(name, n))
    }
}

/// The key log of a session, with a secret for each name.
pub(crate) fn key_log(random: &[u8], secret: impl Fn(&str) -> Vec<u8>) -> String {
    let names = [
        ("CLIENT_EARLY_TRAFFIC_SECRET", "early"),
        ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "client handshake"),
        ("SERVER_HANDSHAKE_TRAFFIC_SECRET", "server handshake"),
        ("CLIENT_TRAFFIC_SECRET_0", "client data"),
        ("SERVER_TRAFFIC_SECRET_0", "server data"),
        ("CLIENT_RANDOM", "master"),
    ];
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    names.iter().map(|(label, name)| format!("{label} {} {}\n", hex(random), hex(&secret(name)))).collect()
}
