//! Key logs that disagree: which of them is right, the records tell.

use crate::seen::{Seen, dissect};
use crate::support::craft::{Pcap, read};
use std::path::{Path, PathBuf};

/// Of each version, handshakes of every kind; what hangs together over records (CBC, RC4) among them.
const CAPTURES: [&str; 6] = ["tls_tls12", "tls_hrr", "tls_resume12id", "tls_resume12ticket", "tls_resume13", "tls_rsa"];

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn log_of(name: &str) -> String {
    let log = std::fs::read_to_string(data(&format!("{name}.keys"))).unwrap();
    log.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

/// A log of the same sessions with secrets of which each digit is another one.
fn other(log: &str, by: u32) -> String {
    let digit = |c: char| c.to_digit(16).map_or(c, |digit| char::from_digit(digit ^ by, 16).unwrap());
    let line = |line: &str| match line.rsplit_once(' ') {
        Some((begin, secret)) => {
            format!("{begin} {}\n", secret.trim().chars().map(digit).collect::<String>())
        }
        _ => String::new(),
    };
    log.lines().map(line).collect()
}

fn said(seen: &Seen) -> Vec<(u64, String, Vec<u8>)> {
    seen.messages().map(|message| (message.conn, message.brief(), message.payload.clone())).collect()
}

#[test]
fn of_secrets_that_disagree_the_right_one_is_found() {
    for name in CAPTURES {
        let (capture, log) = (std::fs::read(data(&format!("{name}.pcap"))).unwrap(), log_of(name));
        let (wrong, wronger) = (other(&log, 1), other(&log, 6));
        let expected = said(&dissect(&capture, &log));
        assert!(!expected.is_empty() && said(&dissect(&capture, &wrong)).is_empty(), "{name}");
        // Of handshakes another is right than of data.
        let mixed: String = log
            .lines()
            .zip(wrong.lines())
            .map(|(right, wrong)| {
                if right.contains("HANDSHAKE") { format!("{right}\n{wrong}\n") } else { format!("{wrong}\n{right}\n") }
            })
            .collect();
        for log in [format!("{wrong}{log}"), format!("{log}{wrong}"), format!("{wrong}{wronger}{log}{wrong}"), mixed] {
            let seen = dissect(&capture, &log);
            assert!(said(&seen) == expected, "{name}: {:?}", seen.notes);
            assert!(seen.sessions.iter().all(|(_, session)| session.why_not.is_none()), "{name}");
        }
        let (_, session) = &dissect(&capture, &format!("{wrong}{log}")).sessions[0];
        let wrong_lines = wrong.lines().count() as u32;
        assert!(session.origin.is_some_and(|origin| origin.line > wrong_lines), "{name}: {:?}", session.origin);
    }
}

/// Nor does a loss make a difference.
#[test]
fn the_right_one_is_found_behind_a_loss() {
    for name in ["tls_tls12", "tls_hrr"] {
        let (packets, log) = (read(&std::fs::read(data(&format!("{name}.pcap"))).unwrap()), log_of(name));
        let both = format!("{}{log}", other(&log, 1));
        for at in (0..packets.len()).step_by(7) {
            let mut fewer = packets.clone();
            fewer.remove(at);
            let file = Pcap::default().file(&fewer);
            assert!(said(&dissect(&file, &both)) == said(&dissect(&file, &log)), "{name} without packet {at}");
        }
    }
}
