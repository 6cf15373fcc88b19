//! The lab's captures, made with real clients and servers.

use crate::seen::{Seen, dissect};
use crate::support::craft::{Pcap, read};
use crate::support::truth::{Truth, complaints, invented_anywhere};
use crate::support::{capture, find};
use std::path::PathBuf;
use wspect::model::{TlsKeys, WhyNot};

/// A capture of the lab with the key log beside it, if there is one, and its truth.
fn lab(name: &str) -> Option<(Seen, Truth)> {
    let path = find("lab", &format!("{name}.pcapng")).or_else(|| capture("lab", &format!("{name}.pcap")))?;
    let keys = std::fs::read_to_string(PathBuf::from(&path).with_extension("keys")).unwrap_or_default();
    let truth = find("lab", &format!("{name}.truth.jsonl")).expect("truth");
    Some((dissect(&std::fs::read(&path).unwrap(), &keys), Truth::read(&truth)))
}

#[test]
fn every_message_is_what_the_endpoint_logged() {
    let mut wrong = Vec::new();
    for name in [
        "base_tls",
        "chromium_wss13",
        "chromium_wss13_dsb",
        "d_tls_bytewise",
        "d_tls_duplicates",
        "tls_hrr",
        "tls_resume12id",
        "tls_resume12ticket",
        "tls_resume13",
        "tls_tls12",
        "tls_tls13",
        "tls_tls13_dsb",
    ] {
        let Some((seen, truth)) = lab(name) else { continue };
        wrong.extend(complaints(&truth, &seen.conversations, &[]).into_iter().map(|line| format!("{name}: {line}")));
        for (session, url) in seen.outlines.iter().zip(&seen.urls) {
            let session = session.as_ref().unwrap();
            assert_eq!(session.keys, TlsKeys::Matched, "{name}");
            assert!(url.as_ref().is_none_or(|url| url.starts_with("wss://")), "{name}: {url:?}");
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

/// Of each session the version is the one that the endpoint logged.
#[test]
fn sessions_are_named_as_they_were_agreed_on() {
    for (name, sessions) in [("tls_tls12", 20), ("tls_tls13", 5), ("tls_tls13_dsb", 5)] {
        let Some((seen, truth)) = lab(name) else { continue };
        for line in truth.of("tls") {
            let of = |conversation: &&crate::support::run::Conversation| {
                conversation.port().to_string() == line["id"].as_str().unwrap()
            };
            let at = seen.conversations.iter().position(|conversation| of(&conversation)).unwrap();
            assert_eq!(seen.outlines[at].as_ref().unwrap().cipher.as_deref(), line["cipher"].as_str(), "{name}");
        }
        let name_of =
            |version: &str| if version == "TLSv1" { "TLS 1.0".to_owned() } else { version.replace("TLSv", "TLS ") };
        let mut logged: Vec<String> = truth.of("tls").map(|line| name_of(line["version"].as_str().unwrap())).collect();
        let all = seen.sessions.iter();
        let mut shown: Vec<String> = all.map(|(_, session)| session.outline.version.unwrap().to_string()).collect();
        logged.sort();
        shown.sort();
        assert_eq!(shown, logged, "{name}");
        assert_eq!(shown.len(), sessions, "{name}");
        for (conn, session) in &seen.sessions {
            assert!(conn.is_some() && session.why_not.is_none() && session.decrypted > 0, "{name}: {session:?}");
            assert!(session.outline.cipher.as_ref().unwrap().starts_with("TLS_"), "{name}: {session:?}");
        }
    }
}
/// In clear up to TLS 1.2, and decrypted in TLS 1.3; a session that is resumed shows none.
#[test]
fn the_servers_certificate_is_read() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for (name, certified) in [("tls_tls12", 20), ("tls_hrr", 3), ("tls_resume13", 1)] {
        let keys = std::fs::read_to_string(data.join(format!("{name}.keys"))).unwrap();
        let seen = dissect(&std::fs::read(data.join(format!("{name}.pcap"))).unwrap(), &keys);
        let shown: Vec<_> =
            seen.sessions.iter().filter_map(|(_, session)| session.outline.certificate.as_ref()).collect();
        assert_eq!(shown.len(), certified, "{name}: {shown:?}");
        for certificate in shown {
            assert_eq!(
                (certificate.subject.as_deref(), certificate.issuer.as_deref()),
                (Some("lab.test"), Some("lab.test"))
            );
            assert_eq!(certificate.names, ["localhost", "lab.test", "127.0.0.1"], "{name}");
            assert_eq!(certificate.not_after.as_deref().map(|time| &time[..4]), Some("2036"), "{name}");
        }
    }
}

/// A packet was not captured: its one message is missing, and what it costs is told.
#[test]
fn a_lost_segment_costs_its_records_only() {
    let (Some((seen, truth)), Some((whole, _))) = (lab("d_tls_gap"), lab("base_tls")) else { return };
    let wrong = complaints(&truth, &seen.conversations, &[]);
    assert!(wrong.len() == 2 && wrong[0].contains("57386 c2s data 9: sent 9000 bytes"), "{wrong:?}");
    assert_eq!(seen.messages().count() + 1, whole.messages().count());
    assert_eq!((seen.count("TLS-GAP"), seen.count("TLS-BAD-TAG")), (1, 0));
    let reasons: Vec<_> = seen.sessions.iter().filter_map(|(_, session)| session.why_not).collect();
    assert_eq!(reasons, [WhyNot::Gap]);
    let lost = seen.notes.iter().find(|note| note.0 == "TLS-GAP").unwrap();
    assert_eq!(lost.1, "1 694 bytes of TLS records were lost; what follows is decrypted");
}

/// Without its keys a session is told of, and nothing of it is shown.
#[test]
fn what_has_no_key_is_not_shown() {
    let Some((seen, truth)) = lab("d_tls_partial_keys") else { return };
    let known: Vec<_> = seen.conversations.iter().map(|conversation| conversation.port().to_string()).collect();
    assert!(!known.contains(&"57386".to_owned()) && !known.is_empty());
    let wrong = complaints(&truth, &seen.conversations, &[]);
    assert!(wrong.iter().all(|line| line.starts_with("57386 ")), "{wrong:?}");
    let (_, session) = seen.sessions.iter().find(|(conn, _)| conn.is_none()).unwrap();
    assert_eq!((session.why_not, session.decrypted), (Some(WhyNot::NoKey), 0));
    assert_eq!(seen.count("NO-KEYS"), 1);
}

/// Without any one packet nothing is made up, and little is missing that was not in it, unless it had a hello.
#[test]
fn any_one_packet_may_be_lost() {
    for (name, step) in [("tls_tls12", 5), ("tls_tls13", 2), ("tls_hrr", 1), ("tls_resume12id", 1), ("tls_resume13", 1)]
    {
        let (Some(path), Some((whole, truth))) = (capture("lab", &format!("{name}.pcap")), lab(name)) else { continue };
        let packets = read(&std::fs::read(&path).unwrap());
        let keys = std::fs::read_to_string(path.with_extension("keys")).unwrap();
        for at in (0..packets.len()).step_by(step) {
            let mut fewer = packets.clone();
            fewer.remove(at);
            let seen = dissect(&Pcap::default().file(&fewer), &keys);
            let invented = invented_anywhere(&truth, &seen.messages().cloned().collect::<Vec<_>>());
            assert!(invented.is_empty(), "{name} without packet {at}: {invented:?}");
            let complete = seen.messages().filter(|message| message.complete).count();
            let missing = whole.messages().count().saturating_sub(complete);
            assert!(missing <= 3 || seen.count("TLS-HANDSHAKE") == 1, "{name} without packet {at}: {missing} missing");
        }
    }
}
