//! Keys that stand behind the packets, in a pipe that cannot be read twice.

use crate::seen::{Seen, dissect, dissect_with};
use crate::support::craft::*;
use wspect::dissect::Settings;
use wspect::model::{Limits, TlsKeys, WhyNot};

/// A pcapng of packets, with key logs before those.
fn capture_with(packets: &[Packet], logs: &[(&str, usize)]) -> Vec<u8> {
    let mut file = Ng::new(false);
    file.interface(packets[0].link, None, None);
    for (at, packet) in packets.iter().enumerate() {
        for (log, _) in logs.iter().filter(|(_, before)| *before == at) {
            let mut body = file.out();
            body.u32(0x544c_534b).u32(log.len() as u32).padded(log.as_bytes());
            file.block(10, &body.bytes);
        }
        file.enhanced(0, packet.time as u64 / 1000, packet);
    }
    file.bytes
}

fn within(file: &[u8], key_wait_bytes: usize) -> Seen {
    let limits = Limits { key_wait_bytes, ..Limits::DEFAULT };
    dissect_with(file, "", Settings { limits, ..Settings::default() })
}

/// The lines of a session's key log that have such a word.
fn lines(tls: &Tls, word: &str) -> String {
    tls.log().lines().filter(|line| line.contains(word)).map(|line| format!("{line}\n")).collect()
}

/// A log is written line by line, and read meanwhile: whichever comes first, and wherever, all is there in the end.
#[test]
fn secrets_may_come_one_after_the_other() {
    let mut inside = Session::new(1);
    inside.text(Client, "hello").text(Server, "welcome").text(Client, "one").text(Server, "two").close();
    let tls = Tls::around(1, &inside);
    let all = packets(&tls.session.segments(), &Wire::over(Link::Ethernet));
    let (handshake, data) = (lines(&tls, "HANDSHAKE"), lines(&tls, "TRAFFIC_SECRET_0"));
    let [client, server] = ["CLIENT_TRAFFIC", "SERVER_TRAFFIC"].map(|word| lines(&tls, word));
    for first in (0..all.len()).step_by(3) {
        for then in (first..all.len()).step_by(4) {
            let last = (then + 2).min(all.len() - 1);
            for logs in [
                vec![(&*handshake, first), (&data, then)],
                vec![(&data, first), (&handshake, then)],
                vec![(&handshake, first), (&client, then), (&server, last)],
                vec![(&server, first), (&handshake, then), (&client, last)],
            ] {
                let seen = dissect(&capture_with(&all, &logs), "");
                let brief = |(log, at): &(&str, usize)| format!("{} {at}", log.split(' ').next().unwrap_or_default());
                let order: Vec<String> = logs.iter().map(brief).collect();
                assert_eq!(seen.messages().count(), inside.said.len(), "{order:?}: {:?}", seen.notes);
                assert!(seen.messages().all(|message| message.complete), "{order:?}: {:?}", seen.notes);
                let session = &seen.sessions[0].1;
                assert_eq!((session.outline.keys, session.why_not), (TlsKeys::Matched, None), "{order:?}");
            }
        }
    }
}

/// What waited too long is missing; what came first, and all that came since, is not.
#[test]
fn a_key_that_comes_too_late_opens_what_follows() {
    let mut inside = Session::new(1);
    for n in 0..600 {
        inside.text(if n % 3 == 0 { Client } else { Server }, &format!("message {n} {}", "x".repeat(200)));
    }
    inside.close();
    let tls = Tls::around(1, &inside);
    let all = packets(&tls.session.segments(), &Wire::over(Link::Ethernet));
    let whole = dissect(&capture_of(&tls.session.segments()), &tls.log());
    let payloads: Vec<&[u8]> = whole.messages().map(|message| &message.payload[..]).collect();
    let file = capture_with(&all, &[(&tls.log(), all.len() * 2 / 3)]);
    assert_eq!(within(&file, 1 << 20).messages().count(), payloads.len());
    let shown = within(&file, 100_000);
    let (conn, session) = &shown.sessions[0];
    assert_eq!((conn.is_some(), session.outline.keys, session.why_not), (true, TlsKeys::Matched, Some(WhyNot::Gap)));
    let complete: Vec<&[u8]> = shown.messages().filter(|m| m.complete).map(|m| &m.payload[..]).collect();
    assert!(complete.iter().all(|payload| payloads.contains(payload)));
    let from = payloads.len() * 2 / 3 + 10;
    let late = payloads[from..].iter().filter(|payload| !complete.contains(payload)).count();
    assert!(late <= 2 && complete.contains(&payloads[0]), "{late} of the late are missing: {:?}", shown.notes);
    assert_eq!((shown.count("TLS-LIMIT"), shown.count("TLS-GAP")), (1, 2), "{:?}", shown.notes);
    assert!(!shown.notes.iter().any(|note| note.1.contains("never captured")), "{:?}", shown.notes);
    // Where not even the first find room it is said that this is why.
    let shown = within(&file, 1000);
    assert_eq!((shown.messages().count(), shown.sessions[0].1.why_not), (0, Some(WhyNot::TooLate)));
}
