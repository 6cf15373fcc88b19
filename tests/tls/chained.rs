//! TLS 1.0 (RFC 2246) with AES-128-CBC and SHA-1, MAC behind the ciphertext (RFC 7366), made anew from the RFCs: each record is
//! decrypted with the last block of the one before.

use crate::seen::{Seen, dissect};
use crate::support::craft::tls::{DATA, HANDSHAKE, client_hello, message};
use crate::support::craft::*;
use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use wspect::model::{TlsKeys, WhyNot, hex};

/// What a handshake agrees on.
struct Agreed {
    client: [u8; 32],
    server: [u8; 32],
    master: [u8; 48],
}

const FIRST: Agreed = Agreed { client: [7; 32], server: [8; 32], master: [9; 48] };
const SECOND: Agreed = Agreed { client: [17; 32], server: [18; 32], master: [19; 48] };
const ENCRYPT_THEN_MAC: &[u8] = &[0, 22, 0, 0];

fn mac<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// RFC 2246 §5: what both hashes make of a half of the secret each.
fn key_block(agreed: &Agreed, len: usize) -> Vec<u8> {
    fn stream<M: Mac + KeyInit>(half: &[u8], seed: &[u8], len: usize) -> Vec<u8> {
        let (mut a, mut out) = (seed.to_vec(), Vec::new());
        while out.len() < len {
            a = mac::<M>(half, &[&a]);
            out.extend(mac::<M>(half, &[&a, seed]));
        }
        out
    }
    let seed = [b"key expansion", &agreed.server[..], &agreed.client].concat();
    let (one, other) = agreed.master.split_at(24);
    let (md5, sha1) = (stream::<Hmac<md5::Md5>>(one, &seed, len), stream::<Hmac<Sha1>>(other, &seed, len));
    md5.iter().zip(sha1).take(len).map(|(one, other)| one ^ other).collect()
}

/// What seals one side's records.
struct Sealer {
    mac: Vec<u8>,
    cipher: Aes128,
    last: [u8; 16],
    number: u64,
}

impl Sealer {
    fn new(side: Side, agreed: &Agreed) -> Self {
        let (block, at) = (key_block(agreed, 2 * (20 + 16 + 16)), usize::from(side == Server));
        Self {
            mac: block[20 * at..][..20].to_vec(),
            cipher: Aes128::new_from_slice(&block[40 + 16 * at..][..16]).unwrap(),
            last: block[72 + 16 * at..][..16].try_into().unwrap(),
            number: 0,
        }
    }

    fn seal(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        let padding = 16 - content.len() % 16;
        let mut sealed = [content, &vec![padding as u8 - 1; padding]].concat();
        for block in sealed.chunks_mut(16) {
            block.iter_mut().zip(self.last).for_each(|(byte, last)| *byte ^= last);
            let mut encrypted = Array::try_from(&*block).unwrap();
            self.cipher.encrypt_block(&mut encrypted);
            block.copy_from_slice(&encrypted);
            self.last = encrypted.into();
        }
        let head = [kind, 3, 1];
        let [high, low] = (sealed.len() as u16).to_be_bytes();
        let tag = mac::<Hmac<Sha1>>(&self.mac, &[&self.number.to_be_bytes(), &head, &[high, low], &sealed]);
        self.number += 1;
        record(kind, &[sealed, tag].concat())
    }
}

fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
    let [high, low] = (fragment.len() as u16).to_be_bytes();
    [&[kind, 3, 1, high, low], fragment].concat()
}

type Sealers = [Sealer; 2];

/// A handshake, in clear or as the one before has agreed on; what seals the records behind it. The server says something `between` the
/// client's change of keys and its own.
fn handshake(session: &mut Session, mut before: Option<Sealers>, agreed: &Agreed, between: Option<Vec<u8>>) -> Sealers {
    let mut wrap = |side: Side, kind, content: &[u8]| match &mut before {
        Some(sealers) => sealers[usize::from(side == Server)].seal(kind, content),
        None => record(kind, content),
    };
    session.turn(Client, wrap(Client, HANDSHAKE, &client_hello(agreed.client, ENCRYPT_THEN_MAC)));
    let hello = [&[3, 1][..], &agreed.server, &[0, 0, 0x2f, 0, 0, 4], ENCRYPT_THEN_MAC].concat();
    session.turn(Server, wrap(Server, HANDSHAKE, &message(2, &hello)));
    [Client, Server].map(|side| {
        let mut sealer = Sealer::new(side, agreed);
        let finished = sealer.seal(HANDSHAKE, &message(20, &[0x20; 12]));
        if let Some(said) = between.as_deref().filter(|_| side == Server) {
            session.turn(side, wrap(side, DATA, said));
        }
        session.turn(side, [wrap(side, 20, &[1]), finished].concat());
        sealer
    })
}

fn say(session: &mut Session, sealers: &mut Sealers, turns: &[(Side, Vec<u8>)]) {
    for (side, bytes) in turns {
        let sealed = sealers[usize::from(*side == Server)].seal(DATA, bytes);
        session.turn(*side, sealed);
    }
}

/// A session that says what another says in clear.
fn around(inside: &Session) -> Session {
    let mut session = Session::bare(1);
    let mut sealers = handshake(&mut session, None, &FIRST, None);
    say(&mut session, &mut sealers, &inside.turns);
    session
}

/// Messages both ways.
fn inside() -> Session {
    let mut inside = Session::new(1);
    for n in 0..12 {
        inside.text(if n % 2 == 0 { Client } else { Server }, &format!("message {n} {}", "x".repeat(40)));
    }
    inside.close();
    inside
}

fn log() -> String {
    [FIRST, SECOND].map(|of| format!("CLIENT_RANDOM {} {}\n", hex(&of.client), hex(&of.master))).concat()
}

/// How many messages are shown whole: all of them were said.
fn complete(seen: &Seen, inside: &Session, what: &str) -> usize {
    let known = |payload: &Vec<u8>| inside.said.iter().any(|said| said.payload == *payload);
    let made_up = seen.messages().find(|message| message.complete && !known(&message.payload));
    assert_eq!(made_up.map(|message| &message.payload), None, "{what}: {:?}", seen.notes);
    seen.messages().filter(|message| message.complete).count()
}

/// Without any one segment, that with the ChangeCipherSpec included, nothing is shown that was not said: of a record behind a hole the
/// first block is not known, though its MAC fits.
#[test]
fn a_block_that_hangs_on_one_that_was_lost_is_not_made_up() {
    let inside = inside();
    let segments = around(&inside).segments();
    let whole = dissect(&capture_of(&segments), &log());
    assert_eq!(whole.messages().count(), inside.said.len(), "{:?}", whole.notes);
    for lost in (0..segments.len()).filter(|&at| segments[at].payload.starts_with(&[20])) {
        let mut fewer = segments.clone();
        fewer.remove(lost);
        let seen = dissect(&capture_of(&fewer), &log());
        complete(&seen, &inside, &format!("without {lost}"));
        let is_torn = |note: &&(String, String)| note.0 == "TLS-GAP" && note.1.contains("is not read whole");
        assert_eq!(seen.notes.iter().filter(is_torn).count(), 1, "{:?}", seen.notes);
        assert!(
            !seen.notes.iter().any(|note| note.0.starts_with("HS-") && note.0 != "HS-NO-ANSWER"),
            "{:?}",
            seen.notes
        );
    }
}

/// A record that is damaged in its last block: the MAC of the next vouches for all but its first.
#[test]
fn a_block_that_hangs_on_one_that_was_damaged_is_not_made_up() {
    let inside = inside();
    let sealed = around(&inside);
    for turn in 2..sealed.turns.len() {
        let mut bent = sealed.clone();
        let bytes = &mut bent.turns[turn].1;
        let last_block = bytes.len() - 20 - 16;
        bytes[last_block + 5] ^= 1;
        let seen = dissect(&capture_of(&bent.segments()), &log());
        let complete = complete(&seen, &inside, &format!("turn {turn}"));
        assert!(complete + 2 >= inside.said.len(), "turn {turn}: {complete} messages: {:?}", seen.notes);
        assert_eq!(seen.count("TLS-BAD-TAG"), 1, "turn {turn}: {:?}", seen.notes);
    }
}

/// A session that says what another says in clear, with a renegotiation in the middle of it: it begins with that turn.
fn renegotiated(inside: &Session) -> (Session, usize) {
    let mut session = Session::bare(1);
    let mut sealers = handshake(&mut session, None, &FIRST, None);
    let (before, behind) = inside.turns.split_at(6);
    say(&mut session, &mut sealers, before);
    let begins = session.turns.len();
    let mut sealers = handshake(&mut session, Some(sealers), &SECOND, None);
    say(&mut session, &mut sealers, behind);
    (session, begins)
}

/// A renegotiation whose ChangeCipherSpec and Finished are lost, or damaged, on one side: the keys that follow are known from its
/// hellos, and open what comes behind. In TLS 1.0 the first record behind a hole is never read whole.
#[test]
fn a_change_of_keys_in_a_renegotiation_may_be_lost() {
    let inside = inside();
    let (session, begins) = renegotiated(&inside);
    let segments = session.segments();
    let whole = dissect(&capture_of(&segments), &log());
    assert_eq!(complete(&whole, &inside, "whole"), inside.said.len(), "{:?}", whole.notes);
    for turn in [begins + 2, begins + 3] {
        let payload = &session.turns[turn].1;
        let mut fewer = segments.clone();
        fewer.retain(|segment| segment.payload != *payload);
        let mut bent = session.clone();
        bent.turns[turn].1[7] ^= 1;
        for (how, segments) in [("lost", fewer), ("bent", bent.segments())] {
            let seen = dissect(&capture_of(&segments), &log());
            let (complete, all) = (complete(&seen, &inside, &format!("{how} {turn}")), inside.said.len());
            assert!(complete + 1 >= all, "{how} {turn}: {complete} of {all} messages: {:?}", seen.notes);
        }
    }
}

/// What is lost before a renegotiation holds its messages up, and segments of it may be captured in another order: neither direction
/// takes its new keys before it has the hello of the other.
#[test]
fn a_renegotiation_waits_for_what_the_other_side_says_of_it() {
    let inside = inside();
    let (session, begins) = renegotiated(&inside);
    let segments = session.segments();
    let at_turn = |turn: usize| segments.iter().position(|of| of.payload == session.turns[turn].1).unwrap();
    for turn in begins - 2..begins + 6 {
        let mut swapped = segments.clone();
        swapped.swap(at_turn(turn), at_turn(turn + 1));
        let seen = dissect(&capture_of(&swapped), &log());
        let complete = complete(&seen, &inside, &format!("swapped at {turn}"));
        assert_eq!(complete, inside.said.len(), "swapped at {turn}: {:?}", seen.notes);
    }
    for turn in [2, 3].into_iter().chain(begins - 5..begins - 2) {
        let mut fewer = segments.clone();
        fewer.remove(at_turn(turn));
        let seen = dissect(&capture_of(&fewer), &log());
        // Neither is the record behind it read whole.
        let complete = complete(&seen, &inside, &format!("without turn {turn}"));
        assert!(complete + 2 >= inside.said.len(), "without turn {turn}: {complete}: {:?}", seen.notes);
        let why_not = seen.sessions[0].1.why_not;
        assert!(matches!(why_not, None | Some(WhyNot::Gap)), "without turn {turn}: {why_not:?} {:?}", seen.notes);
    }
}

/// The key of a renegotiation is missing, or which it is: the first handshake's is not blamed.
#[test]
fn what_a_renegotiation_lacks_is_told_of_it() {
    let inside = inside();
    let (session, begins) = renegotiated(&inside);
    let log = log();
    let first = log.lines().next().unwrap();
    let seen = dissect(&capture_of(&session.segments()), first);
    let outcome = |seen: &Seen| (seen.sessions[0].1.outline.keys, seen.sessions[0].1.why_not);
    assert_eq!(outcome(&seen), (TlsKeys::Partial, Some(WhyNot::NoKey)), "{:?}", seen.notes);
    let missing: Vec<_> = seen.details.iter().filter(|detail| detail.0 == "NO-KEYS").map(|detail| &detail.1).collect();
    assert_eq!(missing, [&hex(&SECOND.client)], "{:?}", seen.notes);
    // Up to its own change of keys the server goes on with those before.
    let mut said = Session::bare(1);
    let mut sealers = handshake(&mut said, None, &FIRST, None);
    say(&mut said, &mut sealers, &inside.turns[..6]);
    handshake(&mut said, Some(sealers), &SECOND, Some(Frame::new(TEXT, "between").bytes()));
    let between = dissect(&capture_of(&said.segments()), first);
    assert_eq!(outcome(&between), (TlsKeys::Partial, Some(WhyNot::NoKey)), "{:?}", between.notes);
    let last = between.messages().last().map(|message| &*message.payload);
    assert_eq!((between.messages().count(), last), (5, Some(&b"between"[..])), "{:?}", between.notes);

    let mut fewer = session.segments();
    fewer.retain(|segment| segment.payload != session.turns[begins].1);
    let seen = dissect(&capture_of(&fewer), &log);
    assert_eq!(outcome(&seen), (TlsKeys::Partial, Some(WhyNot::NoClientHello)), "{:?}", seen.notes);
    assert_eq!((seen.count("TLS-HANDSHAKE"), seen.count("TLS-WRONG-KEY")), (1, 0), "{:?}", seen.notes);
}
