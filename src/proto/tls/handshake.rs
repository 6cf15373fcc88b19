//! Handshake messages, as far as keys, names and versions depend on them.

use super::certificate;
use super::suite::{Sealing, Suite};
use crate::model::{Certificate, ClientRandom, TlsVersion};
use nom::bytes::complete::take;
use nom::combinator::{complete, map_opt, opt, verify};
use nom::multi::{length_data, many0};
use nom::number::complete::{be_u8, be_u16, be_u24, be_u32};
use nom::sequence::preceded;
use nom::{IResult, Parser as _};

/// A message that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    ClientHello(Box<ClientHello>),
    ServerHello(Box<ServerHello>),
    EncryptedExtensions(EncryptedExtensions),
    EndOfEarlyData,
    /// The first certificate of the sender's, which is its own (RFC 8446 §4.4.2).
    Certificate(Box<Certificate>),
    /// Up to TLS 1.2: what the client encrypted for the server, if it did (RFC 5246 §7.4.7.1).
    KeyExchange(Box<[u8]>),
    /// By what the client may resume the session (RFC 5077 §3.3); of another form in TLS 1.3.
    NewTicket(Box<[u8]>),
    Finished,
    KeyUpdate,
    /// Any other, or one that could not be read.
    Other,
}

/// RFC 8446 §4.1.2.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ClientHello {
    pub(super) random: ClientRandom,
    /// The session that it would resume, or a name for that of the ticket.
    pub(super) session_id: Box<[u8]>,
    /// RFC 5077.
    pub(super) ticket: Box<[u8]>,
    pub(super) sni: Option<String>,
    /// Data follows before the server has answered (RFC 8446 §4.2.10).
    pub(super) early_data: bool,
    /// It offers to speak something else than HTTP/1 inside (RFC 7301), or that is not known.
    pub(super) offers_others: bool,
    /// Its end is missing, and with it the answer to both.
    pub(super) torn: bool,
}

/// RFC 8446 §4.1.3; a HelloRetryRequest is one with a certain random.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerHello {
    pub(super) version: TlsVersion,
    pub(super) random: [u8; 32],
    /// The client's, if that session is resumed.
    pub(super) session_id: Box<[u8]>,
    pub(super) suite: u16,
    pub(super) compressed: bool,
    pub(super) alpn: Option<String>,
    /// RFC 7366.
    pub(super) encrypt_then_mac: bool,
    /// RFC 7627.
    pub(super) extended_master_secret: bool,
}

/// RFC 8446 §4.3.1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct EncryptedExtensions {
    pub(super) alpn: Option<String>,
    /// The server takes the early data.
    pub(super) early_data: bool,
}

/// SHA-256 of "HelloRetryRequest" (RFC 8446 §4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

impl ServerHello {
    /// One of TLS 1.3 that was not captured, of which nothing but the suite is known.
    pub(super) fn unseen(suite: u16) -> Self {
        let (version, random, session_id) = (TlsVersion::TLS_1_3, [0; 32], Box::default());
        let (compressed, encrypt_then_mac, extended_master_secret) = (false, false, false);
        Self { version, random, session_id, suite, compressed, alpn: None, encrypt_then_mac, extended_master_secret }
    }

    /// The client is to send another ClientHello; nothing is agreed on.
    pub(super) fn is_retry(&self) -> bool {
        self.random == RETRY
    }
}

/// What extensions tell.
#[derive(Default)]
struct Extensions {
    ticket: Box<[u8]>,
    sni: Option<String>,
    alpn: Option<String>,
    offers_others: bool,
    version: Option<TlsVersion>,
    encrypt_then_mac: bool,
    extended_master_secret: bool,
    early_data: bool,
}

/// Numbers of extensions, from IANA's registry.
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const ENCRYPT_THEN_MAC: u16 = 22;
const EXTENDED_MASTER_SECRET: u16 = 23;
const SESSION_TICKET: u16 = 35;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;

/// Reads a message's body.
fn message(kind: u8, body: &[u8]) -> Message {
    let read = match kind {
        1 => client_hello(body).map(|(_, hello)| Message::ClientHello(Box::new(hello))),
        2 => server_hello(body).map(|(_, hello)| Message::ServerHello(Box::new(hello))),
        8 => extensions(body).map(|(_, found)| {
            Message::EncryptedExtensions(EncryptedExtensions { alpn: found.alpn, early_data: found.early_data })
        }),
        4 => new_ticket(body).map(|(_, ticket)| Message::NewTicket(ticket.into())),
        5 => Ok(Message::EndOfEarlyData),
        11 => certificate::first(body)
            .and_then(|(_, der)| certificate::read(der))
            .map(|(_, found)| Message::Certificate(Box::new(found))),
        16 => key_exchange(body).map(|(_, encrypted)| Message::KeyExchange(encrypted.into())),
        20 => Ok(Message::Finished),
        24 => Ok(Message::KeyUpdate),
        _ => Ok(Message::Other),
    };
    read.unwrap_or(Message::Other)
}

/// `version 2 | random 32 | session id <1> | cipher suites <2> | compression methods <1> | extensions <2>`, the last if there.
fn client_hello(bytes: &[u8]) -> IResult<&[u8], ClientHello> {
    let (rest, (_, random, session_id, ..)) =
        (be_u16, random, length_data(be_u8), length_data(be_u16), length_data(be_u8)).parse(bytes)?;
    let (rest, found) = opt(extensions).parse(rest)?;
    let Extensions { ticket, sni, early_data, offers_others, .. } = found.unwrap_or_default();
    Ok((
        rest,
        ClientHello { random, session_id: session_id.into(), ticket, sni, early_data, offers_others, torn: false },
    ))
}

/// A ClientHello whose end is missing: its random, by which the secrets are known, and what else there is.
fn torn_client_hello(bytes: &[u8]) -> IResult<&[u8], ClientHello> {
    let (rest, (_, random)) = (be_u16, random).parse(bytes)?;
    let (rest, session_id) = opt(complete(length_data(be_u8))).parse(rest)?;
    let session_id = session_id.unwrap_or_default().into();
    let (rest, lists) = opt(complete((length_data(be_u16), length_data(be_u8), be_u16))).parse(rest)?;
    let sni = lists.and_then(|_| listed(rest).sni);
    // It may have said so: whether there are such data, their key tells.
    let (early_data, offers_others, torn) = (true, true, true);
    Ok((rest, ClientHello { random, session_id, sni, early_data, offers_others, torn, ..ClientHello::default() }))
}

/// `version 2 | random 32 | session id <1> | cipher suite 2 | compression method 1 | extensions <2>`, the last if there.
fn server_hello(bytes: &[u8]) -> IResult<&[u8], ServerHello> {
    let (rest, (version, random, session_id, suite, compression)) =
        (be_u16, random, length_data(be_u8), be_u16, be_u8).parse(bytes)?;
    let (rest, found) = opt(extensions).parse(rest)?;
    let found = found.unwrap_or_default();
    let hello = ServerHello {
        version: found.version.unwrap_or(TlsVersion(version)),
        random,
        session_id: session_id.into(),
        suite,
        compressed: compression != 0,
        alpn: found.alpn,
        encrypt_then_mac: found.encrypt_then_mac,
        extended_master_secret: found.extended_master_secret,
    };
    Ok((rest, hello))
}

/// A ServerHello whose end is missing. The suite tells the version where it is one of TLS 1.3 (RFC 8446 §B.4), and that no
/// extension changes what is sealed how where it is an AEAD.
fn torn_server_hello(bytes: &[u8]) -> IResult<&[u8], ServerHello> {
    let (rest, (version, random, session_id, suite)) =
        (be_u16, random, length_data(be_u8), verify(be_u16, |&suite| is_aead(suite))).parse(bytes)?;
    let version = if suite >> 8 == 0x13 { TlsVersion::TLS_1_3 } else { TlsVersion(version) };
    Ok((rest, ServerHello { version, random, session_id: session_id.into(), ..ServerHello::unseen(suite) }))
}

fn is_aead(suite: u16) -> bool {
    Suite::find(suite).is_some_and(|suite| matches!(suite.sealing, Sealing::Aead(_)))
}

/// `length 2 | encrypted premaster secret`.
fn key_exchange(bytes: &[u8]) -> IResult<&[u8], &[u8]> {
    length_data(be_u16).parse(bytes)
}

/// `lifetime 4 | length 2 | ticket`.
fn new_ticket(bytes: &[u8]) -> IResult<&[u8], &[u8]> {
    preceded(be_u32, length_data(be_u16)).parse(bytes)
}

fn random(bytes: &[u8]) -> IResult<&[u8], [u8; 32]> {
    map_opt(take(32_usize), |random: &[u8]| random.first_chunk().copied()).parse(bytes)
}

/// `length 2`, then of each extension `type 2 | length 2 | data`.
fn extensions(bytes: &[u8]) -> IResult<&[u8], Extensions> {
    length_data(be_u16).map(listed).parse(bytes)
}

/// What extensions tell, up to one that is cut.
fn listed(list: &[u8]) -> Extensions {
    let mut found = Extensions::default();
    let all: IResult<&[u8], Vec<(u16, &[u8])>> = many0(complete((be_u16, length_data(be_u16)))).parse(list);
    for (kind, data) in all.map(|(_, all)| all).unwrap_or_default() {
        match kind {
            SERVER_NAME => found.sni = server_name(data).ok().and_then(|(_, name)| name),
            ALPN => {
                found.alpn = first_protocol(data).ok().map(|(_, name)| name);
                found.offers_others = !offers_http1_only(data);
            }
            ENCRYPT_THEN_MAC => found.encrypt_then_mac = true,
            EXTENDED_MASTER_SECRET => found.extended_master_secret = true,
            SESSION_TICKET => found.ticket = data.into(),
            EARLY_DATA => found.early_data = true,
            // In a ClientHello a list, which is longer.
            SUPPORTED_VERSIONS => {
                if let [major, minor] = *data {
                    found.version = Some(TlsVersion(u16::from_be_bytes([major, minor])));
                }
            }
            _ => {}
        }
    }
    found
}

/// RFC 6066 §3: a list of names, each `type 1 | length 2 | name`; type 0 is a host's.
fn server_name(data: &[u8]) -> IResult<&[u8], Option<String>> {
    let (rest, list) = length_data(be_u16).parse(data)?;
    let (_, names) = many0((be_u8, length_data(be_u16))).parse(list)?;
    Ok((rest, names.into_iter().find(|&(kind, _)| kind == 0).map(|(_, name)| text(name))))
}

/// RFC 7301 §3.1: a list of names, each `length 1 | name`; a server's has one.
fn first_protocol(data: &[u8]) -> IResult<&[u8], String> {
    let (rest, list) = length_data(be_u16).parse(data)?;
    let (_, name) = length_data(be_u8).parse(list)?;
    Ok((rest, text(name)))
}

/// Whether each name of such a list is HTTP/1.0 or 1.1.
fn offers_http1_only(data: &[u8]) -> bool {
    let names: IResult<&[u8], Vec<&[u8]>> = length_data(be_u16).and_then(many0(length_data(be_u8))).parse(data);
    names.is_ok_and(|(_, names)| names.iter().all(|name| name.starts_with(b"http/1.")))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Bytes of a message's head: `type 1 | length 3` (RFC 8446 §4).
const HEAD: usize = 4;
/// The longest message that is kept.
const MESSAGE_MAX: usize = 256 << 10;

/// Puts the messages of one direction together, which may lie across records.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Of the message under assembly what is kept of it.
    bytes: Vec<u8>,
    /// Bytes of a message that are passed over: it is of no use, or too long.
    passing: usize,
}

impl Messages {
    /// The next message that is complete, of bytes which are taken as they are used; `None` when they are used up.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Option<Message> {
        let skip = self.passing.min(bytes.len());
        self.passing -= skip;
        *bytes = bytes.get(skip..).filter(|rest| !rest.is_empty())?;
        self.keep(bytes, HEAD);
        let Ok((_, (kind, len))) = head(&self.bytes) else { return None };
        if !matters(kind) || len > MESSAGE_MAX {
            self.bytes.clear();
            self.passing = len;
            return Some(Message::Other);
        }
        self.keep(bytes, HEAD + len);
        if self.bytes.len() < HEAD + len {
            return None;
        }
        let message = message(kind, self.bytes.get(HEAD..).unwrap_or_default());
        self.bytes.clear();
        Some(message)
    }

    /// Bytes were lost: whatever comes next is taken for a message's beginning. What there is of a hello is returned.
    pub(super) fn lose(&mut self) -> Option<Message> {
        self.passing = 0;
        let bytes = std::mem::take(&mut self.bytes);
        let (body, (kind, _)) = head(&bytes).ok()?;
        match kind {
            1 => torn_client_hello(body).ok().map(|(_, hello)| Message::ClientHello(Box::new(hello))),
            2 => torn_server_hello(body).ok().map(|(_, hello)| Message::ServerHello(Box::new(hello))),
            _ => None,
        }
    }

    /// Takes bytes until so many are kept.
    fn keep(&mut self, bytes: &mut &[u8], wanted: usize) {
        let take = wanted.saturating_sub(self.bytes.len()).min(bytes.len());
        let (now, rest) = bytes.split_at_checked(take).unwrap_or((bytes, &[]));
        self.bytes.extend_from_slice(now);
        *bytes = rest;
    }
}

fn head(bytes: &[u8]) -> IResult<&[u8], (u8, usize)> {
    (be_u8, be_u24).map(|(kind, len)| (kind, len as usize)).parse(bytes)
}

/// The whole messages in bytes: of each its kind, where it begins and where it ends.
pub(super) fn messages(bytes: &[u8]) -> impl Iterator<Item = (u8, usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (_, (kind, len)) = bytes.get(at..).and_then(|rest| head(rest).ok())?;
        let (from, end) = (at, at + HEAD + len);
        at = end;
        (end <= bytes.len()).then_some((kind, from, end))
    })
}

/// Whether a message's body is read.
const fn matters(kind: u8) -> bool {
    matches!(kind, 1 | 2 | 4 | 5 | 8 | 11 | 16 | 20 | 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ClientHello for `a.test` in two records' worth of bytes, with an extension of GREASE and early data.
    fn hello() -> Vec<u8> {
        let extensions = [
            &[0x0a, 0x0a, 0, 0][..],
            &[0, 0, 0, 11, 0, 9, 0, 0, 6, b'a', b'.', b't', b'e', b's', b't'],
            &[0, 42, 0, 0],
            &[0, 43, 0, 3, 2, 3, 4],
        ]
        .concat();
        let mut body = vec![3, 3];
        body.extend_from_slice(&[7; 32]);
        body.extend_from_slice(&[0, 0, 2, 0x13, 1, 1, 0, 0, extensions.len() as u8]);
        body.extend_from_slice(&extensions);
        [&[1, 0, 0, body.len() as u8], &body[..]].concat()
    }

    fn all(bytes: &[u8], size: usize) -> Vec<Message> {
        let mut messages = Messages::default();
        let mut found = Vec::new();
        for mut piece in bytes.chunks(size) {
            while let Some(message) = messages.next(&mut piece) {
                found.push(message);
            }
        }
        found
    }

    #[test]
    fn messages_are_put_together_wherever_they_are_cut() {
        let stream =
            [hello(), vec![11, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9], vec![24, 0, 0, 1, 0], vec![20, 0, 0, 0]].concat();
        for size in 1..=stream.len() {
            let found = all(&stream, size);
            let [Message::ClientHello(hello), Message::Other, Message::KeyUpdate, Message::Finished] = &found[..]
            else {
                panic!("pieces of {size}: {found:?}");
            };
            assert_eq!((hello.random, hello.sni.as_deref(), hello.early_data), ([7; 32], Some("a.test"), true));
        }
    }

    #[test]
    fn a_hello_that_is_cut_or_bent_is_no_panic() {
        let whole = hello();
        for len in 0..whole.len() - HEAD {
            let mut cut = whole[..HEAD + len].to_vec();
            cut[3] = len as u8;
            assert_eq!(all(&cut, 64).len(), 1, "{len} bytes");
        }
        for at in HEAD..whole.len() {
            let mut bent = whole.clone();
            bent[at] = 0xff;
            assert_eq!(all(&bent, 1000).len(), 1, "byte {at}");
        }
    }

    /// Its random is read wherever it is cut behind that; the name, where it stands before the cut.
    #[test]
    fn of_a_hello_that_is_torn_what_there_is_is_read() {
        let whole = hello();
        for len in 0..whole.len() {
            let mut messages = Messages::default();
            assert_eq!(messages.next(&mut &whole[..len]), None);
            let Some(Message::ClientHello(torn)) = messages.lose() else {
                assert!(len < HEAD + 34, "{len} bytes");
                continue;
            };
            let names_server = len >= whole.len() - 11;
            assert_eq!((torn.random, torn.torn, torn.sni.is_some()), ([7; 32], true, names_server), "{len} bytes");
        }
    }

    #[test]
    fn a_message_that_is_too_long_is_passed_over() {
        let mut messages = Messages::default();
        let mut long = &[1, 0xff, 0xff, 0xff, 9, 9][..];
        assert_eq!(messages.next(&mut long), Some(Message::Other));
        assert_eq!((messages.next(&mut long), messages.bytes.capacity() < 64), (None, true));
    }
}
