//! HTTP/2 that wants too much memory or time: the WebSocket beside it is shown whole.

use super::support::craft::*;
use super::support::run::{Input, conversations};
use super::{Survives, between_segments};

/// A stream that is opened behind all others.
const LATE: u32 = 300_001;

/// That a connection with a hazard and a WebSocket on stream 1 is survived, and the WebSocket shown whole.
#[track_caller]
fn survives(what: &str, findings: &[&str], mib: u64, h2: &H2) {
    let file = between_segments(&h2.session.cut(|_| vec![16_000]));
    Survives::new(what, findings).mib(mib).check(&file);
    let all = conversations(Input::Bytes(&file));
    let shown = all.iter().find(|one| one.h2_stream == Some(1)).unwrap_or_else(|| panic!("{what}: no stream 1"));
    assert!(
        all.iter().any(|one| one.h2_stream == Some(LATE.into()) && one.messages.len() == 1),
        "{what}: no late stream"
    );
    for dir in ["c2s", "s2c"] {
        let said: Vec<_> = h2.said[&1].iter().filter(|said| said.dir == dir).map(|said| &said.payload).collect();
        let messages = shown.of(dir);
        assert!(messages.iter().all(|message| message.complete), "{what}");
        assert!(messages.iter().map(|message| &message.payload).eq(said), "{what}: {dir}");
    }
}

/// A WebSocket, then the hazard, then the WebSocket goes on, and another is opened.
fn beside(hazard: impl FnOnce(&mut H2)) -> H2 {
    let mut h2 = H2::new(1);
    h2.open(1).say(Client, 1, TEXT, "before").say(Server, 1, TEXT, "too");
    hazard(&mut h2);
    h2.say(Client, 1, TEXT, "behind")
        .say(Server, 1, TEXT, "as well")
        .open(LATE)
        .say(Client, LATE, TEXT, "new")
        .close(1);
    h2
}

/// A header block that never ends: ten million bytes in small CONTINUATION frames.
#[test]
fn a_flood_of_continuations_is_bounded() {
    let fields: Vec<u8> =
        (0..60).flat_map(|n| plain_block(&[(&format!("x-{n}"), "yyyyyyyyyyyyyyyyyyyyyyyy")])).collect();
    let h2 = beside(|h2| {
        let mut flood = h2_frame(HEADERS, 0, 3, &plain_block(&[(":method", "GET")]));
        for _ in 0..5_000 {
            flood.extend(h2_frame(CONTINUATION_FRAME, 0, 3, &fields));
        }
        flood.extend(h2_frame(CONTINUATION_FRAME, END_HEADERS, 3, &[]));
        h2.session.turn(Client, flood);
    });
    survives("CONTINUATION flood", &["H2-LIMIT"], 128, &h2);
}

/// A value of ten million bytes, over CONTINUATION frames, that is to be added to the table.
#[test]
fn a_long_value_is_passed_over() {
    let h2 = beside(|h2| {
        let mut block = vec![0x40, 1, b'x', 0x7f];
        let mut rest = 10_000_000 - 127;
        while rest >= 0x80 {
            block.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        block.push(rest as u8);
        block.extend(vec![b'v'; 10_000_000]);
        let mut flood = h2_frame(HEADERS, 0, 3, &block[..10]);
        for piece in block[10..].chunks(16_000) {
            flood.extend(h2_frame(CONTINUATION_FRAME, 0, 3, piece));
        }
        flood.extend(h2_frame(CONTINUATION_FRAME, END_HEADERS, 3, &[]));
        h2.session.turn(Client, flood);
        h2.forget();
    });
    survives("a long value", &["H2-LIMIT"], 128, &h2);
}

/// One long entry of the table, named again and again with a byte each: gigabytes of headers from kilobytes.
#[test]
fn a_header_bomb_is_bounded() {
    let h2 = beside(|h2| {
        let block = [&h2.block(Client, &[("bomb", &"b".repeat(3_900))])[..], &[0xbe; 12_000]].concat();
        for stream in 0..400 {
            let own = if stream == 0 { &block[..] } else { &[0xbe; 16_000] };
            h2.frame(Client, HEADERS, END_HEADERS, 3 + 2 * stream % 90, own);
        }
        h2.forget();
    });
    survives("HPACK bomb", &[], 128, &h2);
}

/// Requests for WebSockets that nobody answers, each with long headers of a few bytes: what waits is bounded.
#[test]
fn heads_that_wait_are_bounded() {
    let request = plain_block(&[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", "/waits"),
        (":authority", "lab.test"),
    ]);
    let h2 = beside(|h2| {
        let entry = h2.block(Client, &[("bomb", &"b".repeat(3_900))]);
        h2.frame(Client, HEADERS, END_HEADERS, 3, &[&request[..], &entry].concat());
        let own = [&request[..], &[0xbe; 16]].concat();
        let flood: Vec<u8> = (0..5_000).flat_map(|n| h2_frame(HEADERS, END_HEADERS, 10_001 + 2 * n, &own)).collect();
        h2.session.turn(Client, flood);
        h2.forget();
    });
    survives("heads that wait", &["HTTP-LIMIT"], 160, &h2);
}

/// Frames that break their rules, on a connection whose WebSocket does not.
#[test]
fn bad_frames_do_not_harm_their_neighbours() {
    let h2 = beside(|h2| {
        h2.frame(Server, RST_STREAM, 0, 3, &[0; 3]).frame(Server, SETTINGS, 0, 0, &[1; 7]);
        h2.frame(Server, SETTINGS, 0, 9, &[0; 6])
            .frame(Server, GOAWAY, 0, 0, &[0; 3])
            .frame(Server, 0xee, 0xff, 1, &[9; 99]);
        h2.frame(Client, DATA, 0, 0, b"on the connection").frame(Client, DATA, PADDED, 3, &[200, 1, 2]);
        h2.frame(Client, DATA, PADDED, 1, &[0]).frame(Client, DATA, 0, 1, &[]).frame(Client, DATA, 0, 2, b"even");
        h2.frame(Client, CONTINUATION_FRAME, END_HEADERS, 7, &plain_block(&[("a", "b")]));
        h2.frame(Client, HEADERS, END_HEADERS | PADDED, 9, &[255, 0x82]);
        h2.frame(Client, HEADERS, END_HEADERS, 11, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
        h2.forget();
    });
    survives("bad frames", &["H2-FRAME", "H2-HPACK"], 64, &h2);
}

/// A hundred thousand streams, opened and never ended.
#[test]
fn a_flood_of_streams_is_bounded() {
    let h2 = beside(|h2| {
        let block = plain_block(&[(":method", "POST"), (":path", "/")]);
        let flood: Vec<u8> =
            (0..100_000).flat_map(|n| h2_frame(HEADERS, END_HEADERS, 10_001 + 2 * n, &block)).collect();
        h2.session.turn(Client, flood);
    });
    let file = between_segments(&h2.session.cut(|_| vec![16_000]));
    Survives::new("streams", &["H2-LIMIT"]).mib(128).check(&file);
}

/// Zeros, and heads that chain for ever, where frames are looked for.
#[test]
fn looking_for_frames_takes_linear_time() {
    for filler in [
        vec![0_u8; 3_000_000],
        h2_frame(DATA, 0, 9, &[]).repeat(300_000),
        h2_frame(DATA, 0, 9, &[0; 16_000]).repeat(180),
    ] {
        let mut h2 = H2::new(1);
        h2.open(1).say(Client, 1, TEXT, "before").session.turn(Client, filler);
        let mut segments = h2.session.cut(|_| vec![1_400]);
        let begin = segments.iter().position(|segment| segment.payload.len() == 1_400).unwrap();
        segments.remove(begin);
        Survives::new("looking for frames", &[]).mib(128).check(&between_segments(&segments));
    }
}

/// A capture of one connection that is cut anywhere, or begins anywhere.
#[test]
fn every_part_of_a_connection_is_survived() {
    let segments = H2::sample(1).session.segments();
    for at in 0..segments.len() {
        for part in [&segments[..at], &segments[at..]] {
            conversations(Input::Bytes(&capture_of(part)));
        }
    }
}
