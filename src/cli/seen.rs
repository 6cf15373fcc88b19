//! What is said at the end: the sum, or what was seen instead of WebSocket.

use super::watch::Tally;
use crate::dissect::{Kinds, Summary};
use crate::escape;
use crate::export::{KeySum, count, grouped};
use crate::model::Secrets;
use crate::net::Seen;
use indicatif::HumanBytes;
use std::time::Duration;

/// `2 connections, 5 095 messages; 1 warning (wspect check)`.
pub(super) fn summary(tally: &Tally) -> String {
    let connections = count(tally.connections, "connection");
    let messages = count(tally.messages, "message");
    let found = [(tally.findings.error, "error"), (tally.findings.warning, "warning")];
    let found: Vec<_> = found.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(n, what)).collect();
    if found.is_empty() {
        format!("{connections}, {messages}")
    } else {
        format!("{connections}, {messages}; {} (wspect check)", found.join(", "))
    }
}

/// What a capture without WebSocket holds instead, in lines.
pub(super) fn instead(name: &str, summary: &Summary) -> Vec<String> {
    let name = escape::display_str(name);
    if summary.packets == 0 {
        return vec![format!("No packets in {name}.")];
    }
    let streams = match summary.streams {
        0 => String::from("no TCP"),
        streams => count(streams.into(), "TCP stream"),
    };
    let packets = count(summary.packets, "packet");
    let mut lines = vec![format!("No WebSocket connection in {name} ({packets}, {streams}).")];
    if summary.streams == 0 {
        lines.extend(packets_by_kind(&summary.seen).into_iter().map(|line| format!("  {line}")));
    }
    lines.extend(kinds(&summary.kinds, &summary.secrets, &name).iter().map(|line| format!("  {line}")));
    lines
}

/// `1 234 packets, 41 TCP streams, 12.30 MiB in 0.31 s`.
pub(super) fn speed(summary: &Summary, bytes: u64, elapsed: Duration) -> String {
    let packets = count(summary.packets, "packet");
    let streams = count(summary.streams.into(), "TCP stream");
    format!("{packets}, {streams}, {} in {:.2} s", HumanBytes(bytes), elapsed.as_secs_f64())
}

/// Packets by what they carried, where none of it was TCP.
fn packets_by_kind(seen: &Seen) -> Vec<String> {
    let kinds = [
        (seen.udp, "UDP"),
        (seen.icmp, "ICMP"),
        (seen.fragments, "IP fragment"),
        (seen.other_ip, "other IP"),
        (seen.arp, "ARP"),
        (seen.other, "other"),
    ];
    let seen = kinds.into_iter().filter(|(number, _)| *number > 0);
    seen.map(|(number, what)| format!("{} {what} packet{}", grouped(number), if number == 1 { "" } else { "s" }))
        .collect()
}

/// `4 TLS streams, 3 decrypted; 12 keys from key logs, 8 of no stream here`.
pub(super) fn keys(name: &str, sum: &KeySum) -> String {
    let KeySum { streams, open, secrets, idle } = *sum;
    let name = escape::display_str(name);
    let seen = match streams {
        0 => format!("No TLS stream in {name}"),
        _ => format!("{}, {} decrypted", count(streams, "TLS stream"), grouped(open)),
    };
    match (secrets, idle) {
        (0, _) if streams == 0 => seen,
        (0, _) => format!("{seen}; with their key log: wspect keys -k keys.txt {name}"),
        (_, 0) => format!("{seen}; {} from key logs, all fit", count(secrets, "key")),
        (_, idle) => format!("{seen}; {} from key logs, {} of no stream here", count(secrets, "key"), grouped(idle)),
    }
}

/// TCP streams by what they carried, and what to do about those that nobody can read. The name must be safe on a terminal.
pub(super) fn kinds(kinds: &Kinds, secrets: &Secrets, name: &str) -> Vec<String> {
    let advice = if secrets.is_empty() {
        format!(": encrypted; with their key log: wspect -k keys.txt {name}")
    } else {
        format!(": wspect keys {name} tells which are decrypted, and why others are not")
    };
    let kinds = [
        (kinds.tls, "TLS", advice.as_str()),
        (kinds.http, "HTTP/1", " without a WebSocket handshake"),
        (kinds.http2, "HTTP/2", ""),
        (kinds.other, "other", ""),
        (kinds.silent, "silent", ": no payload was captured"),
    ];
    let seen = kinds.into_iter().filter(|(number, ..)| *number > 0);
    seen.map(|(number, what, more)| {
        format!("{} {what} stream{}{more}", grouped(number.into()), if number == 1 { "" } else { "s" })
    })
    .collect()
}
