//! What it must survive: each kind of damage and malice stands between two ordinary conversations, which must be shown
//! whole, without a panic, within bounds of memory, and with a finding that says what was met.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

#[path = "../support/mod.rs"]
mod support;

mod drafts;
mod files;
mod flips;
mod frames;
mod http2;
mod mutants;
mod packets;
mod streams;
mod text;
mod upgrades;

use std::collections::BTreeMap;
use support::craft::*;
use support::run::{Conversation, Input, conversations, findings, wspect};

/// The conversation before the hazard, and the one behind it.
fn sentinels() -> [Session; 2] {
    [Session::sample(901), Session::sample(902)]
}

/// Packets of the first and of the second sentinel.
fn around() -> [Vec<Packet>; 2] {
    sentinels().map(|session| packets(&session.segments(), &Wire::default()))
}

/// A pcap with the hazard's packets between the sentinels.
fn between(hazard: &[Packet]) -> Vec<u8> {
    let [before, behind] = around();
    Pcap::default().file(&[&before, hazard, &behind].concat())
}

/// A pcap with the hazard's segments between the sentinels.
fn between_segments(hazard: &[Segment]) -> Vec<u8> {
    between(&packets(hazard, &Wire::default()))
}

/// What must hold for a hazard.
struct Survives<'a> {
    what: &'a str,
    /// Findings of which each must be there.
    findings: &'a [&'a str],
    /// MiB of memory that are enough.
    mib: u64,
    /// Whether the conversation behind the hazard must be shown as well.
    behind: bool,
}

impl<'a> Survives<'a> {
    fn new(what: &'a str, findings: &'a [&'a str]) -> Self {
        Self { what, findings, mib: 128, behind: true }
    }

    fn mib(self, mib: u64) -> Self {
        Self { mib, ..self }
    }

    fn only_before(self) -> Self {
        Self { behind: false, ..self }
    }

    /// Runs the capture through every command; gives the conversations but the sentinels, by client.
    #[track_caller]
    fn check(&self, file: &[u8]) -> BTreeMap<String, Conversation> {
        let what = self.what;
        for command in ["msgs", "ls", "handshake", "frames", "stats"] {
            for form in [&[command][..], &[command, "--json"]] {
                let done = wspect(form, Input::Bytes(file));
                assert_eq!(done.code, Some(0), "{what}: {form:?}: {}", done.stderr);
                assert!(!done.stderr.contains("panicked"), "{what}: {form:?}: {}", done.stderr);
                let mib = done.peak_kib >> 10;
                assert!(mib <= self.mib, "{what}: {form:?}: {mib} MiB, {} are enough", self.mib);
            }
        }
        let found: Vec<String> = findings(Input::Bytes(file)).into_iter().map(|(code, _)| code).collect();
        for code in self.findings {
            assert!(found.iter().any(|found| found == code), "{what}: {code} is not among {found:?}");
        }
        let mut all: BTreeMap<String, Conversation> =
            conversations(Input::Bytes(file)).into_iter().map(|one| (one.client.clone(), one)).collect();
        for sentinel in &sentinels()[..if self.behind { 2 } else { 1 }] {
            let shown = all.remove(&sentinel.client.to_string());
            says(shown.as_ref(), sentinel, what);
        }
        all
    }
}

/// That a conversation shows all that its session said.
#[track_caller]
fn says(shown: Option<&Conversation>, session: &Session, what: &str) {
    let shown = shown.unwrap_or_else(|| panic!("{what}: no conversation of {}", session.client));
    for dir in ["c2s", "s2c"] {
        let said: Vec<_> = session.said.iter().filter(|said| said.dir == dir).collect();
        let messages = shown.of(dir);
        let same = messages.iter().zip(&said).filter(|(message, said)| {
            message.complete && message.opcode == said.opcode && message.payload == said.payload
        });
        let (right, all) = (same.count(), messages.len());
        assert!(right == said.len() && all == said.len(), "{what}: {} {dir}: {right} of {all} right", session.client);
    }
}
