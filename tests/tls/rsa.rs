//! Static RSA: what the client encrypted for the server makes the master secret.

use crate::seen::{Seen, dissect, dissect_secrets};
use crate::support::craft::{Packet, Pcap, read};
use crate::support::keys::secrets;
use crate::support::run::Message;
use std::fs;
use std::path::PathBuf;
use wspect::keys::rsa_key;
use wspect::model::{KeySource, Origin, Secrets, TlsKeys, WhyNot};

fn data(name: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(data(name)).unwrap()
}

/// The private key in that file.
fn private(pem: &[u8]) -> Result<Secrets, &'static str> {
    let mut secrets = Secrets::default();
    let source = secrets.source(KeySource::RsaKey("key.pem".to_owned()));
    secrets.add_rsa_key(rsa_key(pem, Origin { source, line: 1 })?);
    Ok(secrets)
}

fn said(seen: &Seen) -> Vec<(u64, String, Vec<u8>)> {
    let brief = |message: &Message| (message.conn, message.brief(), message.payload.clone());
    seen.messages().map(brief).collect()
}

#[test]
fn an_old_line_and_a_private_key_open_what_the_master_secrets_open() {
    let capture = data("tls_rsa.pcap");
    let expected = said(&dissect(&capture, &text("tls_rsa.keys")));
    assert_eq!(expected.len(), 40);
    let der = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls_rsa.pem")).unwrap();
    let with_certificate = format!("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n{der}");
    for (known, place) in [
        (secrets(&text("tls_rsa.premasters")), "test.keys:1"),
        (private(&data("tls_rsa.pem")).unwrap(), "key.pem"),
        (private(&data("tls_rsa.pkcs1.pem")).unwrap(), "key.pem"),
        (private(with_certificate.as_bytes()).unwrap(), "key.pem"),
    ] {
        let shown = dissect_secrets(&capture, known.clone());
        assert_eq!(said(&shown), expected, "{:?}", shown.notes);
        for (_, session) in &shown.sessions {
            assert_eq!((session.outline.keys, session.why_not), (TlsKeys::Matched, None));
        }
        assert_eq!(known.place(shown.sessions[0].1.origin.unwrap()), place);
    }
}

/// By session id and by ticket, also by a ticket that a resumed session was given.
#[test]
fn a_session_that_is_resumed_needs_no_key_of_its_own() {
    let shown = dissect_secrets(&data("tls_rsa_resumed.pcap"), private(&data("tls_rsa.pem")).unwrap());
    let payloads: Vec<_> = shown.messages().map(|message| String::from_utf8_lossy(&message.payload)).collect();
    let of_each = ["id", "ticket", "cbc-ticket"].map(|name| {
        [("new", "new"), ("resumed", "resumed"), ("again", "resumed")]
            .map(|(path, how)| [format!("hello {name}/{path}"), format!("echo {how}"), "bye".to_owned()])
    });
    assert_eq!(payloads, of_each.concat().concat(), "{:?}", shown.notes);
    for (_, session) in &shown.sessions {
        assert_eq!((session.outline.keys, session.why_not), (TlsKeys::Matched, None));
    }
}

/// Captured in the other order: the server's ChangeCipherSpec stands before what the client encrypted.
#[test]
fn the_server_may_be_captured_before_the_client() {
    let mut packets = read(&data("tls_rsa.pcap"));
    let whole = said(&dissect(&data("tls_rsa.pcap"), &text("tls_rsa.keys")));
    let ports = |at: &Packet| (at.bytes[34..36].to_vec(), at.bytes[36..38].to_vec());
    let payload = |at: &Packet| at.bytes[34 + usize::from(at.bytes[46] >> 4) * 4..].to_vec();
    for at in 0..packets.len() {
        let (from, to) = ports(&packets[at]);
        let is_change = from < to && payload(&packets[at]).windows(5).any(|bytes| matches!(bytes, [20, 3, _, 0, 1]));
        let asked = |packet: &Packet| ports(packet) == (to.clone(), from.clone()) && !payload(packet).is_empty();
        if let Some(before) = packets[..at].iter().rposition(asked).filter(|_| is_change) {
            packets[before..=at].rotate_right(1);
        }
    }
    let shown = dissect(&Pcap::default().file(&packets), &text("tls_rsa.premasters"));
    assert_eq!(said(&shown), whole, "{:?}", shown.notes);
}

/// Another server's key opens nothing, and neither does a line whose secret is bent.
#[test]
fn what_does_not_fit_opens_nothing() {
    let capture = data("tls_rsa.pcap");
    let mut pem = private(&data("tls_rsa.pem")).unwrap();
    let key = &pem.rsa_keys()[0];
    let mut exponent = key.exponent().to_vec();
    exponent[7] ^= 2;
    let bent = wspect::model::RsaKey::new(key.modulus(), &exponent, key.origin).unwrap();
    let mut modulus = key.modulus().to_vec();
    modulus[7] ^= 2;
    let other = wspect::model::RsaKey::new(&modulus, key.exponent(), key.origin).unwrap();
    pem = Secrets::default();
    pem.add_rsa_key(bent);
    pem.add_rsa_key(other);
    let shown = dissect_secrets(&capture, pem);
    assert_eq!((shown.messages().count(), shown.count("NO-KEYS")), (0, 5), "{:?}", shown.notes);
    assert!(shown.sessions.iter().all(|(_, session)| session.why_not == Some(WhyNot::NoKey)));
    let lines = text("tls_rsa.premasters").replace(" 03", " 13");
    let shown = dissect_secrets(&capture, secrets(&lines));
    assert_eq!((shown.messages().count(), shown.count("TLS-WRONG-KEY")), (0, 5), "{:?}", shown.notes);
}

/// Whichever packet is missing, nothing is made up.
#[test]
fn any_one_packet_may_be_lost() {
    let packets = read(&data("tls_rsa.pcap"));
    let whole = said(&dissect(&data("tls_rsa.pcap"), &text("tls_rsa.keys")));
    for at in 0..packets.len() {
        let mut fewer = packets.clone();
        fewer.remove(at);
        let shown = dissect(&Pcap::default().file(&fewer), &text("tls_rsa.premasters"));
        let payloads: Vec<&Vec<u8>> = whole.iter().map(|(_, _, payload)| payload).collect();
        assert!(shown.messages().all(|message| !message.complete || payloads.contains(&&message.payload)));
        assert!(shown.messages().count() >= 31, "without packet {at}: {:?}", shown.notes);
    }
}

#[test]
fn what_is_no_private_key_says_so() {
    let pem = data("tls_rsa.pem");
    for (file, why) in [
        (&b""[..], "no private key (PEM)"),
        (b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "no private key (PEM)"),
        (b"-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n", "no RSA private key"),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n", "the key is encrypted"),
        (b"\x30\x82\x01", "no RSA private key"),
    ] {
        assert!(private(file).is_err_and(|told| told.starts_with(why)), "{why}");
    }
    // Cut and bent in every place.
    for at in 0..pem.len() {
        let _ = private(&pem[..at]);
        let mut bent = pem.clone();
        bent[at] ^= 4;
        let _ = private(&bent);
    }
    assert!(!format!("{:?}", private(&pem).unwrap().rsa_keys()).contains("exponent"));
}
