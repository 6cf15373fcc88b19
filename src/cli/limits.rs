//! The bounds on what a hostile capture can make us keep, as a table.

use crate::export::Out;
use crate::model::{Limits, number};

/// Writes every bound with its unit and default.
pub(super) fn write(limits: Limits, out: &mut Out<'_>) {
    for (name, value, unit, what) in rows(limits) {
        out.line(&format!("{name:<20} {:>14} {unit:<12} {what}", number(value)));
    }
}

type Row = (&'static str, u64, &'static str, &'static str);

/// Taking `Limits` apart makes a new bound an error here until it has its row.
fn rows(limits: Limits) -> [Row; 44] {
    let Limits {
        unpacked_bytes,
        reorder_bytes,
        reorder_segments,
        reorder_total,
        overlap_total,
        overlap_pieces,
        opening_segments,
        opening_bytes,
        opening_total,
        gap_packets,
        gap_nanos,
        one_sided_segments,
        one_sided_nanos,
        streams,
        undecided_streams,
        head_bytes,
        head_headers,
        head_end,
        refusal_bytes,
        early_bytes,
        seek_bytes,
        seek_total,
        midstream_bytes,
        message_bytes,
        inflated_bytes,
        wire_bytes,
        inflated_stop,
        inflated_total,
        search_steps,
        search_total,
        searches,
        message_total,
        message_holes,
        trial_bytes,
        pings,
        transcript_bytes,
        try_sessions,
        try_numbers,
        try_bytes,
        try_total,
        tls_handshakes,
        key_wait_bytes,
        key_sessions,
        key_secrets,
    } = limits;
    let n = |value: usize| value as u64;
    let nanos = |value: i64| value.unsigned_abs();
    [
        (
            "unpacked-bytes",
            unpacked_bytes,
            "bytes",
            "to which a compressed capture unpacks before it is read no further",
        ),
        ("reorder-bytes", n(reorder_bytes), "bytes", "queued out of order in one direction of a stream"),
        ("reorder-segments", n(reorder_segments), "segments", "queued out of order in one direction of a stream"),
        ("reorder-total", n(reorder_total), "bytes", "queued out of order in all streams"),
        ("overlap-total", n(overlap_total), "bytes", "kept of all streams to compare retransmissions with"),
        ("overlap-pieces", n(overlap_pieces), "pieces", "of one direction that a retransmission is compared with"),
        ("opening-segments", n(opening_segments), "segments", "kept of a stream in case that its handshake comes late"),
        ("opening-bytes", n(opening_bytes), "bytes", "kept of a stream in case that its handshake comes late"),
        ("opening-total", n(opening_total), "bytes", "kept of all such streams"),
        ("gap-packets", gap_packets, "packets", "after an acknowledgement until a hole before it is final"),
        ("gap-nanos", nanos(gap_nanos), "nanoseconds", "after an acknowledgement until a hole before it is final"),
        ("one-sided-segments", n(one_sided_segments), "segments", "until a hole is final when nobody acknowledges"),
        ("one-sided-nanos", nanos(one_sided_nanos), "nanoseconds", "until a hole is final when nobody acknowledges"),
        ("streams", n(streams), "streams", "kept in mind while nothing is read of them"),
        ("undecided-streams", n(undecided_streams), "streams", "begun after one before it must tell what it carries"),
        ("head-bytes", n(head_bytes), "bytes", "kept of an HTTP head"),
        ("head-headers", n(head_headers), "headers", "kept of an HTTP head"),
        ("head-end", n(head_end), "bytes", "in which an HTTP head must end"),
        ("refusal-bytes", n(refusal_bytes), "bytes", "read of what the body of a refused upgrade says"),
        ("early-bytes", n(early_bytes), "bytes", "kept of what is sent before the handshake is complete"),
        ("seek-bytes", n(seek_bytes), "bytes", "held of one direction in which frames are looked for"),
        ("seek-total", n(seek_total), "bytes", "held of all directions in which frames are looked for"),
        (
            "midstream-bytes",
            midstream_bytes,
            "bytes",
            "of a stream without its beginning in which frames must be found",
        ),
        ("message-bytes", n(message_bytes), "bytes", "kept of one message; the rest is counted"),
        ("inflated-bytes", n(inflated_bytes), "bytes", "kept of one compressed message; the rest is counted"),
        ("wire-bytes", n(wire_bytes), "bytes", "kept of one compressed message as it was on the wire"),
        ("inflated-stop", inflated_stop, "bytes", "to which one message inflates before it is given up"),
        (
            "inflated-total",
            inflated_total,
            "bytes",
            "to which the messages of one connection inflate before that stops",
        ),
        ("search-steps", search_steps, "steps", "of one search for the length of compressed messages lost"),
        ("search-total", search_total, "steps", "of all such searches"),
        ("searches", n(searches), "searches", "that go on at once"),
        ("message-total", n(message_total), "bytes", "kept of all messages that are not complete"),
        ("message-holes", n(message_holes), "holes", "kept for one message"),
        ("trial-bytes", trial_bytes, "bytes", "of TLS records opened in vain, beside 64 for each byte"),
        ("pings", n(pings), "pings", "of one direction that wait for their pong"),
        ("transcript-bytes", n(transcript_bytes), "bytes", "of a TLS handshake kept for keys that RSA encrypted"),
        ("try-sessions", n(try_sessions), "sessions", "of key logs that --try-keys tries on a stream"),
        ("try-numbers", try_numbers, "records", "that may have gone before such a stream's first"),
        ("try-bytes", try_bytes, "bytes", "of such a stream opened in vain"),
        ("try-total", try_total, "bytes", "of all such streams opened in vain"),
        ("tls-handshakes", n(tls_handshakes), "handshakes", "of one TLS stream whose randoms are kept"),
        ("key-wait-bytes", n(key_wait_bytes), "bytes", "of TLS records that wait for keys behind them in a pipe"),
        ("key-sessions", n(key_sessions), "sessions", "of a capture that are kept in mind for another key log"),
        ("key-secrets", n(key_secrets), "secrets", "kept of key logs while it is not known which are needed"),
    ]
}
