//! Captures of other projects. They are in the collection only.

use crate::seen::{Seen, dissect};
use crate::support::capture;
use wspect::model::TlsKeys;

fn public(name: &str) -> Option<Seen> {
    let path = capture("public", name)?;
    let keys = std::fs::read_to_string(format!("{}.keylog", path.display())).unwrap_or_default();
    Some(dissect(&std::fs::read(&path).unwrap(), &keys))
}

/// Thirty suites of TLS 1.2, by static and ephemeral, anonymous and signed exchange, down to RC4.
#[test]
fn every_cipher_suite_is_decrypted() {
    let Some(seen) = public("pcapfs_all_ciphers.pcap") else { return };
    assert_eq!(seen.sessions.len(), 31);
    for (_, session) in &seen.sessions {
        assert!(session.decrypted > 0 && session.why_not.is_none(), "{session:?}");
        assert_eq!(session.outline.keys, TlsKeys::Matched, "{session:?}");
    }
    assert!(seen.notes.is_empty(), "{:?}", seen.notes);
}

#[test]
fn http2_inside_is_read() {
    for name in ["tlsdec_tls3.cryptohack.org.pcapng", "tlsdec_dsb-tls3.cryptohack.org.pcapng"] {
        let Some(seen) = public(name) else { return };
        let (_, session) = &seen.sessions[0];
        assert_eq!(session.why_not, None, "{name}");
        assert!(session.decrypted > 0 && seen.conversations.is_empty() && seen.notes.is_empty(), "{:?}", seen.notes);
        assert_eq!(session.outline.alpn.as_deref(), Some("h2"));
        assert_eq!(session.outline.sni.as_deref(), Some("tls3.cryptohack.org"));
    }
}

#[test]
fn keys_between_the_packets_are_used() {
    let Some(seen) = public("pcapsql_tls12-dsb.pcapng") else { return };
    let names: Vec<_> = seen.sessions.iter().map(|(_, session)| session.outline.sni.clone().unwrap()).collect();
    assert_eq!(names, ["example.com", "example.net"]);
}
