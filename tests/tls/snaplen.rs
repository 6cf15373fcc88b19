//! Packets cut by a snap length: what there is of a record is shown as unverified, what it lacks is a hole, and what follows is read
//! as ever.

use crate::seen::{Seen, dissect};
use crate::support::capture;
use crate::support::craft::tls::key_log;
use crate::support::craft::*;
use crate::support::run::Message;

/// The packets as they are captured with a snap length.
fn cut(packets: &[Packet], snaplen: usize) -> Vec<u8> {
    let cut = packets.iter().map(|packet| {
        let mut packet = packet.clone();
        packet.bytes.truncate(snaplen);
        packet
    });
    Pcap::default().file(&cut.collect::<Vec<_>>())
}

/// A message's bytes, with `None` where they are missing.
fn known(message: &Message) -> Vec<Option<u8>> {
    let mut bytes = Vec::new();
    let mut kept = message.payload.iter().copied();
    for &(offset, len) in &message.missing {
        bytes.extend(kept.by_ref().take(offset as usize - bytes.len()).map(Some));
        bytes.extend(std::iter::repeat_n(None, len.unwrap_or(0) as usize));
    }
    bytes.extend(kept.map(Some));
    bytes
}

/// Whether a message may be the one that was sent: every byte that is shown of it is right.
fn may_be(shown: &Message, sent: &Message) -> bool {
    let ends = shown.missing.last().is_none_or(|hole| hole.1.is_some());
    let bytes = known(shown);
    shown.opcode == sent.opcode
        && (!ends || bytes.len() == sent.payload.len())
        && bytes.iter().zip(&sent.payload).all(|(byte, sent)| byte.is_none_or(|byte| byte == *sent))
}

/// Compares what is shown of a cut capture with what the whole one shows, message by message; how many are there, and how many of
/// them are unverified.
fn compare(name: &str, shown: &Seen, whole: &Seen) -> (usize, usize) {
    let (mut there, mut unverified) = (0, 0);
    for of in &shown.conversations {
        let Some(sent) = whole.conversations.iter().find(|other| other.port() == of.port()) else {
            panic!("{name}: nobody was {}", of.port());
        };
        for dir in ["c2s", "s2c"] {
            let mut sent = sent.of(dir).into_iter();
            for message in of.of(dir) {
                assert!(sent.any(|sent| may_be(message, sent)), "{name} {}: {}", of.port(), message.brief());
                there += 1;
                let is_unverified = message.findings.iter().any(|code| code == "TLS-UNVERIFIED");
                assert!(!is_unverified || !message.complete, "{name}: {}", message.brief());
                unverified += usize::from(is_unverified);
            }
        }
    }
    (there, unverified)
}

/// At each snap length so many messages are there, at least, and so many of them are unverified: fewer where the handshake suffered.
#[test]
fn what_a_snap_length_left_of_a_record_is_shown() {
    for (name, expected) in [
        ("base_tls", [(900, 52, 8), (600, 52, 8), (400, 12, 0)]),
        ("tls_tls12", [(1200, 220, 40), (500, 220, 40), (300, 89, 23)]),
        ("tls_tls13", [(1200, 55, 10), (500, 55, 10), (200, 55, 10)]),
        ("chromium_wss13", [(1200, 64, 8), (700, 61, 8), (400, 4, 0)]),
        ("tls_resume12id", [(1200, 22, 4), (500, 22, 4), (300, 16, 4)]),
    ] {
        let Some(path) = capture("lab", &format!("{name}.pcap")) else { continue };
        let packets = read(&std::fs::read(&path).unwrap());
        let keys = std::fs::read_to_string(path.with_extension("keys")).unwrap();
        let whole = dissect(&Pcap::default().file(&packets), &keys);
        for (snaplen, least, doubtful) in expected {
            let shown = dissect(&cut(&packets, snaplen), &keys);
            let (there, unverified) = compare(&format!("{name} at {snaplen}"), &shown, &whole);
            assert!(
                there >= least && unverified >= doubtful,
                "{name} at {snaplen}: {there} messages, {unverified} unverified"
            );
            assert_eq!(shown.count("TLS-BAD-TAG"), 0, "{name} at {snaplen}");
        }
    }
}

/// With every sealing, at every length: no byte is wrong, no message is called complete, and what follows is there.
#[test]
fn a_torn_record_costs_what_it_lacks() {
    let mut session = Session::new(1);
    session.text(Client, "hello").binary(Server, (0..3000_u32).map(|n| ((n * 7) >> 2) as u8).collect::<Vec<u8>>());
    session.text(Client, &"y".repeat(900)).text(Server, "one").text(Client, "two").close();
    let tls = Tls::around(1, &session);
    let whole = dissect(&capture_of(&tls.session.segments()), &tls.log());
    let packets = packets(&tls.session.segments(), &Wire::default());
    for snaplen in (350..1500).step_by(23) {
        let shown = dissect(&cut(&packets, snaplen), &tls.log());
        let (there, unverified) = compare(&format!("at {snaplen}"), &shown, &whole);
        assert_eq!(there, whole.messages().count(), "at {snaplen}: {:?}", shown.notes);
        assert_eq!(unverified, if snaplen < 980 { 2 } else { 1 }, "at {snaplen}: {:?}", shown.notes);
        // The server's flight is one record, with keys that nothing has proven yet.
        assert!(shown.count("TLS-GAP") <= usize::from(snaplen < 980), "at {snaplen}: {:?}", shown.notes);
        assert_eq!(shown.count("TLS-BAD-TAG"), 0, "at {snaplen}: {:?}", shown.notes);
        let binary = shown.messages().find(|message| message.opcode == 2).unwrap();
        assert!(binary.payload.len() > snaplen - 150, "at {snaplen}: {} bytes", binary.payload.len());
    }
    let wrong = key_log(&tls.random, |_| vec![7; 32]);
    assert_eq!(dissect(&cut(&packets, 400), &wrong).messages().count(), 0, "nothing is proven");
}

/// The first record behind a Finished or a KeyUpdate that was read: key and number are certain before anything has opened.
#[test]
fn the_first_record_of_new_keys_may_be_cut() {
    let mut session = Session::new(1);
    session.turns[1].1 = response(&format!("X-Padding: {}\r\n", "z".repeat(900)));
    let mut tls = Tls::around(1, &session);
    let binary: Vec<u8> = (0..900_u32).map(|n| ((n * 7) >> 2) as u8).collect();
    tls.data(Server, &Frame::new(BINARY, binary.clone()).bytes());
    tls.update(Server).data(Server, &Frame::new(BINARY, binary).bytes()).data(Server, &Frame::new(TEXT, "end").bytes());
    let whole = packets(&tls.session.segments(), &Wire::default());
    let answer = whole.iter().position(|packet| packet.bytes.len() > 900).unwrap();
    let cut: Vec<Packet> = (whole.iter().enumerate())
        .map(|(at, packet)| {
            let mut packet = packet.clone();
            packet.bytes.truncate(if at >= answer { 700 } else { usize::MAX });
            packet
        })
        .collect();
    let (shown, all) =
        (dissect(&Pcap::default().file(&cut), &tls.log()), dissect(&Pcap::default().file(&whole), &tls.log()));
    let (there, unverified) = compare("first", &shown, &all);
    assert_eq!((there, unverified), (3, 2), "{:?}", shown.notes);
    assert!(shown.messages().filter(|m| m.opcode == 2).all(|m| m.payload.len() > 500), "{:?}", shown.notes);
    assert_eq!((shown.count("TLS-UNVERIFIED"), shown.count("TLS-GAP")), (3, 0), "{:?}", shown.notes);
}

/// Of a ClientHello that is cut in its lists there is the random, by which the key is known; all else that TLS 1.2 needs is elsewhere.
#[test]
fn a_hello_that_is_cut_in_its_lists_names_its_key() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for name in ["tls_tls12", "tls_hrr"] {
        let mut packets = read(&std::fs::read(data.join(format!("{name}.pcap"))).unwrap());
        let keys = std::fs::read_to_string(data.join(format!("{name}.keys"))).unwrap();
        let whole = dissect(&Pcap::default().file(&packets), &keys);
        for packet in &mut packets {
            // A record of the handshake, a ClientHello: 43 bytes to the end of its random, and some of its list of cipher suites.
            if let Some(hello) = packet.bytes.windows(6).position(|bytes| bytes[..3] == [22, 3, 1] && bytes[5] == 1) {
                packet.bytes.truncate(hello + 43 + 33 + 10);
            }
        }
        let shown = dissect(&Pcap::default().file(&packets), &keys);
        assert_eq!(shown.count("NO-KEYS") + shown.count("TLS-HANDSHAKE"), 0, "{name}: {:?}", shown.notes);
        assert_eq!(shown.messages().count(), whole.messages().count(), "{name}");
    }
}
