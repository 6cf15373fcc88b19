//! Laws: what a session says does not depend on how it was captured.
//!
//! Sessions are made up, sent through everything that a network and a capturing host can do to them, and compared with
//! what they said. Where one law has many variants, each is a connection of its own in one capture.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

#[path = "../support/mod.rs"]
mod support;

mod acks;
mod checksums;
mod deflate;
mod drafts;
mod echoes;
mod ends;
mod filled;
mod formats;
mod heads;
mod http2;
mod links;
mod loss;
mod midstream;
mod missed;
mod nested;
mod order;
mod payloads;
mod proxies;
mod resent;
mod resync;
mod tenants;
mod tunnels;
mod waits;

use std::collections::BTreeMap;
use support::craft::*;
use support::run::{Conversation, Input, Message, conversations, findings};

/// The conversations of a capture, by client.
fn shown(file: &[u8]) -> BTreeMap<String, Conversation> {
    let all = conversations(Input::Bytes(file));
    let count = all.len();
    let named: BTreeMap<_, _> =
        all.into_iter().map(|conversation| (conversation.client.clone(), conversation)).collect();
    assert_eq!(named.len(), count, "a client has several connections");
    named
}

/// That the capture shows these sessions, each as it was said, and no other.
#[track_caller]
fn says(file: &[u8], sessions: &[Session], what: &str) -> BTreeMap<String, Conversation> {
    let all = shown(file);
    assert_eq!(all.len(), sessions.len(), "{what}: connections");
    for session in sessions {
        says_one(&all, session, what);
    }
    all
}

#[track_caller]
fn says_one(all: &BTreeMap<String, Conversation>, session: &Session, what: &str) {
    let Some(conversation) = all.get(&session.client.to_string()) else {
        panic!("{what}: no connection of {}", session.client);
    };
    assert_eq!(conversation.server, session.server.to_string(), "{what}");
    for dir in ["c2s", "s2c"] {
        let said: Vec<_> = session.said.iter().filter(|said| said.dir == dir).collect();
        let messages = conversation.of(dir);
        for (n, (message, said)) in messages.iter().zip(&said).enumerate() {
            assert!(
                is_said(message, said),
                "{what}: {} {dir} message {n}: shown {}, said {} bytes of opcode {} in {} frames",
                session.client,
                message.brief(),
                said.payload.len(),
                said.opcode,
                said.frames
            );
        }
        assert_eq!(messages.len(), said.len(), "{what}: {} {dir}: messages", session.client);
    }
}

fn is_said(message: &Message, said: &Said) -> bool {
    message.complete
        && message.missing.is_empty()
        && message.compressed == said.packed.is_some()
        && message.opcode == said.opcode
        && message.frames == said.frames
        && message.len == said.payload.len() as u64
        && message.wire_len == said.packed.unwrap_or(message.len)
        && message.payload == said.payload
}

#[track_caller]
fn has_no_findings(file: &[u8], codes: &[&str], what: &str) {
    for (code, record) in findings(Input::Bytes(file)) {
        assert!(!codes.contains(&code.as_str()), "{what}: {record}");
    }
}

#[track_caller]
fn has_finding(file: &[u8], code: &str, what: &str) {
    let all: Vec<String> = findings(Input::Bytes(file)).into_iter().map(|(code, _)| code).collect();
    assert!(all.iter().any(|found| found == code), "{what}: {code} is not among {all:?}");
}

/// Findings that only a loss or a conflict may bring.
const LOSS: &[&str] = &[
    "LINK-UNKNOWN",
    "IP-FRAGMENT",
    "IP-OVERLAP",
    "ENCAP-LIMIT",
    "TCP-GAP",
    "TCP-OVERLAP",
    "TCP-LATE",
    "TCP-LIMIT",
    "WS-LOST",
    "WS-UNFINISHED",
    "DEFLATE-LOST",
    "DEFLATE-INFERRED",
    "DEFLATE-BAD",
];
