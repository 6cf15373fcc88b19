//! How fast compressed messages are inflated: `cargo bench --bench inflate`.
//!
//! A connection with permessage-deflate is read, in segments as a capture has them; beside it the same compressed bytes are
//! inflated by the same library and nothing else, a segment at a time as well. What is told is the ratio: the goal is 1.3 at
//! most.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a bench that goes wrong ends, and what it shares with the tests is theirs"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use flate2::{Decompress, FlushDecompress};
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use support::Dice;
use support::craft::{BINARY, Client, Deflated, Ending, Server, Session, TEXT};
use wspect::model::{Both, Direction, EncapId, Endpoint, Event, Input, Limits, Mark, PacketNo, Sink, Stamp};
use wspect::proto::layer::{Cx, Flow, Hint, Kind, Next, Tools};
use wspect::proto::open;

/// Inflated bytes of a connection, and of a segment.
const BYTES: usize = 8 << 20;
const SEGMENT: usize = 1448;
const ROUNDS: usize = 15;

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "permessage-deflate, best of {ROUNDS} rounds; the ratio is to be 1.3 at most")?;
    for (what, opcode, len) in [
        ("text", TEXT, 300),
        ("text", TEXT, 2000),
        ("text", TEXT, 60_000),
        ("binary", BINARY, 2000),
        ("binary", BINARY, 60_000),
    ] {
        let (session, packed) = conversation(opcode, len);
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            times[0].push(bare(&packed, len));
            times[1].push(read(&session));
        }
        let [bare, read] = times.map(|times| times.into_iter().min().unwrap().as_secs_f64());
        let rate = |seconds: f64| (BYTES / len * len) as f64 / seconds / 1e6;
        writeln!(
            out,
            "  {what:<7} of {len:>6} bytes   bare {:>5.0} MB/s   read {:>5.0} MB/s   ratio {:.2}",
            rate(bare),
            rate(read),
            read / bare
        )?;
    }
    Ok(())
}

/// A connection with messages that look like JSON, and what each of them is on the wire.
fn conversation(opcode: u8, len: usize) -> (Session, Vec<Vec<u8>>) {
    let mut dice = Dice(1);
    let mut deflated = Deflated::new(1, [true; 2], [15; 2]);
    let mut packed = Vec::new();
    for n in 0..BYTES / len {
        let mut text = String::new();
        while text.len() < len {
            let (id, price) = (dice.below(90_000), dice.below(1_000_000));
            text += &format!(r#"{{"seq":{n},"id":{id},"side":"buy","price":{price},"who":"näher"}},"#);
        }
        while !text.is_char_boundary(len) {
            text.insert(0, ' ');
        }
        text.truncate(len);
        let wire = deflated.pack(Server, text.as_bytes(), Ending::Sync);
        deflated.wire(Server, opcode, &text, &wire, &[]);
        packed.push(wire);
    }
    (deflated.session, packed)
}

/// Inflates each message into one buffer.
fn bare(packed: &[Vec<u8>], len: usize) -> Duration {
    let mut state = Decompress::new(false);
    let mut buffer = vec![0; len + 64];
    let began = Instant::now();
    for message in packed {
        let before = state.total_out();
        for bytes in message.chunks(SEGMENT).chain([&[0, 0, 0xff, 0xff][..]]) {
            let done = usize::try_from(state.total_out() - before).unwrap();
            state.decompress(bytes, &mut buffer[done..], FlushDecompress::Sync).unwrap();
        }
        assert_eq!(state.total_out() - before, len as u64);
    }
    began.elapsed()
}

/// Lets the layers read the connection.
fn read(session: &Session) -> Duration {
    let first = Mark { packet: PacketNo(1), time: None };
    let end = |port| Endpoint { ip: Ipv4Addr::LOCALHOST.into(), port };
    let ends = (end(40_000), end(80));
    let mut tools = Tools::default();
    tools.skips_frames = true;
    let (mut kind, mut nested, mut route, mut outline) = (Kind::default(), 0, None, None);
    let mut layer = open(Hint::Unknown);
    let mut offsets = Both::<u64>::default();
    let (mut packet, mut heard) = (1, Heard::default());
    let began = Instant::now();
    for (side, bytes) in &session.turns {
        let dir = if *side == Client { Direction::ToServer } else { Direction::ToClient };
        for bytes in bytes.chunks(SEGMENT) {
            packet += 1;
            let mark = Mark { packet: PacketNo(packet), time: None };
            let flow = Flow {
                stream: 0,
                h2_stream: None,
                known: None,
                began: 0,
                encap: EncapId::default(),
                first: &first,
                ends: &ends,
                one_sided: false,
                unseen: Both::default(),
                waits: false,
                from_start: true,
                heard: None,
                forced: false,
            };
            let mut cx = Cx {
                limits: &Limits::DEFAULT,
                tools: &mut tools,
                flow,
                last: mark,
                swapped: false,
                kind: &mut kind,
                nested: &mut nested,
                route: &mut route,
                tls: &mut outline,
                mark,
                sink: &mut heard,
                open,
            };
            let input = Input::Data { dir, offset: offsets[dir], bytes, brought: mark, mark };
            if let Next::Become(inner) = layer.input(input, &mut cx) {
                layer = inner;
            }
            offsets[dir] += bytes.len() as u64;
        }
    }
    let took = began.elapsed();
    assert_eq!(heard.0, session.said.len(), "every message is told whole");
    took
}

/// Counts the messages that are whole.
#[derive(Default)]
struct Heard(usize);

impl Sink for Heard {
    fn accept(&mut self, _: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        self.0 += usize::from(matches!(event, Event::Message(message) if message.complete));
        ControlFlow::Continue(())
    }
}
