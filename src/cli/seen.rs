//! What is said at the end: the sum, or what was seen instead of WebSocket.

use super::input::Source;
use super::watch::Tally;
use crate::dissect::Summary;
use crate::escape;
use crate::export::{KeySum, Passed};
use crate::filter::Rows;
use crate::model::{Secrets, Streams, TlsSum, Traffic, count, duration, number, size};
use std::time::Duration;

/// `2 connections, 5 095 messages; 1 warning (wspect check); 2 TLS streams not decrypted (wspect keys)`.
pub(super) fn summary(tally: &Tally) -> String {
    let connections = count(tally.connections, "connection");
    let messages = count(tally.messages, "message");
    let found = [(tally.findings.error, "error"), (tally.findings.warning, "warning")];
    let found: Vec<_> = found.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(n, what)).collect();
    let mut parts = vec![format!("{connections}, {messages}")];
    if !found.is_empty() {
        parts.push(format!("{} (wspect check)", found.join(", ")));
    }
    parts.extend(ignored(tally));
    if tally.tls.shut > 0 {
        parts.push(format!("{} not decrypted (wspect keys)", count(tally.tls.shut, "TLS stream")));
    }
    parts.join("; ")
}

/// `2 pairs of connections compared: 1 message only in the first, 3 messages changed`.
pub(super) fn compared(pairs: usize, alone: usize, [first, second, changed, moved]: [usize; 4]) -> String {
    let kinds = [
        (alone, "connections without a partner"),
        (first, "messages only in the first"),
        (second, "messages only in the second"),
        (changed, "messages changed"),
        (moved, "messages in another order"),
    ];
    let one = |what: &str, some: usize| if some == 1 { what.replacen("s ", " ", 1) } else { what.to_owned() };
    let kinds = kinds.iter().filter(|(some, _)| *some > 0);
    let kinds: Vec<String> =
        kinds.map(|&(some, what)| format!("{} {}", number(some as u64), one(what, some))).collect();
    let kinds = if kinds.is_empty() { "no difference".to_owned() } else { kinds.join(", ") };
    format!("{} of connections compared: {kinds}", count(pairs as u64, "pair"))
}

/// `12 of 5 095 messages pass the filter`.
pub(super) fn passed(passed: &Passed, rows: Rows) -> String {
    let (some, all) = (number(passed.rows()), number(passed.of()));
    let pass = if passed.rows() == 1 { "passes" } else { "pass" };
    format!("{some} of {all} {} {pass} the filter", rows.words())
}

/// `wspect: 3 messages are expected, and 5 came`.
pub(super) fn unexpected(expected: u64, came: u64) -> String {
    let are = if expected == 1 { "is" } else { "are" };
    format!("wspect: {} {are} expected, and {} came", count(expected, "message"), number(came))
}

/// `5 findings ignored`.
pub(super) fn ignored(tally: &Tally) -> Option<String> {
    (tally.ignored > 0).then(|| format!("{} ignored", count(tally.ignored, "finding")))
}

/// What a capture without WebSocket holds instead, in lines.
pub(super) fn instead(source: &Source, summary: &Summary, tls: TlsSum) -> Vec<String> {
    let (name, argument) = (source.name(), source.argument());
    let (name, argument) = (escape::display_str(&name), escape::display_str(&argument));
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
    lines.extend(sealed(&summary.seen).into_iter().map(|line| format!("  {line}")));
    lines.extend(kinds(&summary.kinds, tls, &summary.secrets, &argument).iter().map(|line| format!("  {line}")));
    lines
}

/// `1 234 packets, 41 TCP streams, 12 MB in 310 ms`.
pub(super) fn speed(summary: &Summary, bytes: u64, elapsed: Duration) -> String {
    let packets = count(summary.packets, "packet");
    let streams = count(summary.streams.into(), "TCP stream");
    let nanos = i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX);
    format!("{packets}, {streams}, {} in {}", size(bytes), duration(nanos))
}

/// Packets by what they carried, where none of it was TCP.
fn packets_by_kind(seen: &Traffic) -> Vec<String> {
    let kinds = [
        (seen.udp, "UDP"),
        (seen.icmp, "ICMP"),
        (seen.fragments, "IP fragment"),
        (seen.other_ip, "other IP"),
        (seen.arp, "ARP"),
        (seen.other, "other"),
    ];
    let seen = kinds.into_iter().filter(|(packets, _)| *packets > 0);
    seen.map(|(packets, what)| count(packets, &format!("{what} packet"))).collect()
}

/// What is encrypted over UDP, in lines.
pub(super) fn sealed(seen: &Traffic) -> Vec<String> {
    let kinds = [(seen.dtls, "DTLS"), (seen.quic, "QUIC")];
    let seen = kinds.into_iter().filter(|(packets, _)| *packets > 0);
    seen.map(|(packets, what)| format!("{} of {what}: not decoded", count(packets, "packet"))).collect()
}

/// `3 of 4 TLS streams decrypted; 12 keys from key logs, 8 of no stream here`.
pub(super) fn keys(source: &Source, sum: &KeySum) -> String {
    let KeySum { tls, secrets, idle } = *sum;
    let (name, argument) = (source.name(), source.argument());
    let (name, argument) = (escape::display_str(&name), escape::display_str(&argument));
    let seen = tls.words().unwrap_or_else(|| format!("No TLS stream in {name}"));
    match (secrets, idle) {
        (0, _) if tls.decrypted == tls.streams => seen,
        (0, _) => format!("{seen}; with their key log: wspect keys -k keys.txt {argument}"),
        (_, 0) => format!("{seen}; {} from key logs, each of a stream here", count(secrets, "key")),
        (_, idle) => format!("{seen}; {} from key logs, {} of no stream here", count(secrets, "key"), number(idle)),
    }
}

/// TCP streams by what they carried, and what to do about those that nobody can read. The argument must be safe on a terminal.
fn kinds(kinds: &Streams, tls: TlsSum, secrets: &Secrets, argument: &str) -> Vec<String> {
    let keys = || match secrets.logged() {
        0 => "the private key".to_owned(),
        logged => count(logged, "key"),
    };
    let advice = match tls.decrypted {
        _ if !secrets.were_given() => format!(": encrypted; with their key log: wspect -k keys.txt {argument}"),
        0 => format!(": none decrypted with {}; wspect keys tells why", keys()),
        decrypted => format!(": {} decrypted; wspect keys tells which, and why others are not", number(decrypted)),
    };
    let kinds = [
        (kinds.tls, "TLS", advice.as_str()),
        (kinds.http, "HTTP/1", " without a WebSocket handshake"),
        (kinds.http2, "HTTP/2", " without a WebSocket"),
        (kinds.other, "other", ""),
        (kinds.silent, "silent", ": no payload was captured"),
        (kinds.left, "excluded", ": left alone, as -d says"),
    ];
    let seen = kinds.into_iter().filter(|(streams, ..)| *streams > 0);
    seen.map(|(streams, what, more)| count(streams.into(), &format!("{what} stream")) + more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody is left to guess why what was seen is not shown.
    #[test]
    fn each_kind_of_stream_is_told_with_what_becomes_of_it() {
        let beside = Traffic { udp: 9, dtls: 1, quic: 2, ..Traffic::default() };
        assert_eq!(sealed(&beside), ["1 packet of DTLS: not decoded", "2 packets of QUIC: not decoded"]);
        let seen = Streams { tls: 2, http: 1, http2: 1, other: 3, silent: 1, left: 2 };
        assert_eq!(
            kinds(&seen, TlsSum::default(), &Secrets::default(), "a.pcap"),
            [
                "2 TLS streams: encrypted; with their key log: wspect -k keys.txt a.pcap",
                "1 HTTP/1 stream without a WebSocket handshake",
                "1 HTTP/2 stream without a WebSocket",
                "3 other streams",
                "1 silent stream: no payload was captured",
                "2 excluded streams: left alone, as -d says",
            ]
        );
    }
}
