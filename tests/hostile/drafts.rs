//! Drafts before RFC 6455 whose sender wants too much, and words for proxies that never end.

use super::support::craft::*;
use super::{Survives, between_segments};
use std::ops::ControlFlow;
use wspect::model::{Event, Limits, Sink, Stamp};

/// Lengths without end, texts without end, and data of any length: counted, kept up to the bound, and read on behind them.
#[test]
fn endless_frames_of_hixie_are_bounded() {
    let mebi = 1 << 20;
    for (what, codes, bytes) in [
        ("a length that goes on", &["WS-LENGTH"][..], vec![0x80; mebi]),
        ("a length of zeros", &["WS-LENGTH"], [&[0xff][..], &[0x80; 100], &[0x05]].concat()),
        ("the longest length", &["WS-UNFINISHED"], [&[0x80][..], &[0xff; 8], &[0x7f], &[7; 1000]].concat()),
        ("a text of 70 MiB", &["MESSAGE-LIMIT"], [&[0][..], &vec![b'x'; 70 * mebi], &[0xff]].concat()),
        ("a text that never ends", &["WS-UNFINISHED"], [&[0][..], &vec![b'x'; 3 * mebi]].concat()),
        ("50 000 empty texts", &[], [0, 0xff].repeat(50_000)),
        ("50 000 empty frames", &["WS-OPCODE"], [0x90, 0].repeat(50_000)),
    ] {
        let mut session = Session::of_draft(1, Draft::Hixie76);
        session.turn(Server, bytes);
        let all = Survives::new(what, codes).mib(300).check(&between_segments(&session.cut(|_| vec![50_000])));
        assert!(all.contains_key(&session.client.to_string()), "{what}");
    }
}

/// One byte a segment, one fragment a byte, in every draft.
#[test]
fn many_small_frames_of_drafts_are_read() {
    for draft in DRAFTS {
        let mut session = Session::of_draft(1, draft);
        for _ in 0..2000 {
            session.say_as(draft, Client, TEXT, &[b"a"]);
        }
        let all = Survives::new("small frames", &["HS-DRAFT"]).check(&between_segments(&session.segments()));
        super::says(all.get(&session.client.to_string()), &session, "small frames");
    }
}

/// A challenge that never comes, and answers that want more than there is.
#[test]
fn challenges_without_end_are_survived() {
    let draft = Draft::Hixie76;
    let request = draft.request("/", "");
    let head = request.len() - 8;
    for (what, client, server) in [
        ("no challenge", request[..head].to_vec(), draft.response("/", "")),
        ("half a challenge", request[..head + 4].to_vec(), draft.response("/", "")),
        ("half an answer", request.clone(), draft.response("/", "")[..170].to_vec()),
        ("a refusal", request[..head].to_vec(), b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n".to_vec()),
        ("two requests", [&request[..], &request].concat(), draft.response("/", "")),
    ] {
        let mut session = Session::bare(1);
        session.turn(Client, client).turn(Server, server);
        let all = Survives::new(what, &[]).check(&between_segments(&session.segments()));
        assert!(all.contains_key(&session.client.to_string()), "{what}: the upgrade that was asked for is listed");
    }
}

/// Words for a proxy that never end, and tunnels in tunnels.
#[test]
fn words_for_proxies_have_a_bound() {
    let greeting = b"\x05\x01\0";
    let endless = |start: &[u8]| [start, &vec![b'x'; 3 << 20]].concat();
    for (what, bytes) in [
        ("a user without end", endless(b"\x04\x01\0\x50\0\0\0\x01")),
        ("a header without end", endless(b"PROXY ")),
        ("a long header", endless(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff")),
        ("a client that waits for nothing", endless(&[&greeting[..], b"\x05\x01\0\x01\x0a\0\0\x01\0\x50"].concat())),
        ("header behind header", b"PROXY UNKNOWN\r\n".repeat(20_000)),
        ("greeting behind greeting", greeting.repeat(20_000)),
        ("tunnel in tunnel", b"CONNECT a:1 HTTP/1.1\r\n\r\n".repeat(20_000)),
    ] {
        let mut session = Session::bare(1);
        session.turn(Client, bytes).turn(Server, b"HTTP/1.1 200 OK\r\n\r\n".repeat(20_000));
        Survives::new(what, &[]).check(&between_segments(&session.cut(|_| vec![50_000])));
    }
}

/// However deep they seem to stand in one another, little stack is needed: others than the main thread have little.
#[test]
fn words_for_proxies_need_little_stack() {
    let connect = b"CONNECT a:1 HTTP/1.1\r\n\r\n".as_slice();
    for (what, asked, answered) in [
        ("PROXY", b"PROXY UNKNOWN\r\n".as_slice(), b"".as_slice()),
        ("SOCKS 4", b"\x04\x01\0\x50\0\0\0\x01a\0b\0", b"\0\x5a\0\0\0\0\0\0"),
        ("CONNECT", connect, b"HTTP/1.1 200 OK\r\n\r\n"),
        ("PROXY and CONNECT", &[b"PROXY UNKNOWN\r\n", connect].concat(), b"HTTP/1.1 200 OK\r\n\r\n"),
    ] {
        let mut session = Session::bare(1);
        session.turn(Client, asked.repeat(60_000 / asked.len())).turn(Server, answered.repeat(1_500));
        let file = capture_of(&session.cut(|_| vec![60_000]));
        let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(move || {
            let mut reader = wspect::capture::Reader::new(Box::new(std::io::Cursor::new(file))).unwrap();
            wspect::dissect::run(&mut reader, Limits::DEFAULT, &mut Deaf, &mut |_| ControlFlow::Continue(()));
        });
        thread.unwrap().join().unwrap_or_else(|_| panic!("{what}"));
    }
}

/// Hears nothing.
struct Deaf;

impl Sink for Deaf {
    fn accept(&mut self, _: &Stamp, _: Event<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Tunnels in tunnels, of which one side was captured.
#[test]
fn tunnels_of_one_side_have_a_bound() {
    let asked = b"CONNECT a:1 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n".repeat(20_000);
    let answered = b"HTTP/1.1 200 OK\r\n\r\n".repeat(20_000);
    for (side, bytes) in [(Client, asked), (Server, answered)] {
        let mut session = Session::bare(1);
        session.turn(side, bytes);
        let from = if side == Client { session.client } else { session.server };
        let own = session.cut(|_| vec![50_000]).into_iter().filter(|segment| segment.src == from);
        Survives::new("one side", &[]).check(&between_segments(&own.collect::<Vec<_>>()));
    }
}

/// A bomb in a `deflate-stream` stays within the bounds of a message.
#[test]
fn a_bomb_in_a_deflate_stream_is_bounded() {
    use flate2::{Compress, Compression, FlushCompress};
    let offer = "Sec-WebSocket-Extensions: deflate-stream\r\n";
    let draft = Draft::Hybi(8);
    let mut session = Session::bare(1);
    session.turn(Client, draft.request("/", offer)).turn(Server, draft.response("/", offer));
    let frame = draft.frame(Server, TEXT, true, &vec![b'0'; 200 << 20], [0; 4]);
    let mut state = Compress::new(Compression::best(), false);
    let mut out = Vec::with_capacity(1 << 20);
    state.compress_vec(&frame, &mut out, FlushCompress::Sync).unwrap();
    session.turn(Server, out);
    let file = between_segments(&session.cut(|_| vec![1400]));
    let all = Survives::new("bomb", &["MESSAGE-LIMIT"]).mib(300).check(&file);
    let message = &all[&session.client.to_string()].messages[0];
    assert_eq!((message.len, message.truncated), (200 << 20, true));
}
