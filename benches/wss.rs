//! How fast TLS is decrypted: `cargo bench --bench wss`.
//!
//! The TLS layer reads records of 16 KiB, sealed with AES-128-GCM, in segments as a capture has them; beside it ring opens the
//! same records, which lie whole in memory. Both find them in the processor's cache, as what was just read of a file is there.
//! What is told is the ratio: the goal is 1.5 at most.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a bench that goes wrong ends, and what it shares with the tests is theirs"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::craft::{Client, Server, Tls, tls};
use wspect::model::{Both, Direction, EncapId, Endpoint, Event, Input, Limits, Mark, PacketNo, Sink, Stamp};
use wspect::proto::layer::{Cx, Flow, Hint, Kind, Layer, Next, Tools};
use wspect::proto::open;

/// Bytes of data in a record, records, and bytes of a segment.
const RECORD: usize = 16 << 10;
const RECORDS: usize = 64;
const SEGMENT: usize = 1448;
const ROUNDS: usize = 400;

fn main() -> io::Result<()> {
    let mut session = Tls::new(1);
    let handshake = session.session.turns.len();
    let plain = vec![b'x'; RECORD];
    for _ in 0..RECORDS {
        session.sealed(Server, tls::DATA, &plain);
    }
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        times[0].push(bare(&session, handshake));
        times[1].push(layered(&session, handshake));
    }
    let [bare, layered] = times.map(|times| times.into_iter().min().unwrap().as_secs_f64());
    let rate = |seconds: f64| (RECORD * RECORDS) as f64 / seconds / 1e6;
    let mut out = io::stdout();
    writeln!(out, "AES-128-GCM, records of {RECORD} bytes, best of {ROUNDS} rounds")?;
    writeln!(out, "  ring alone          {:>6.0} MB/s", rate(bare))?;
    writeln!(out, "  TLS layer           {:>6.0} MB/s", rate(layered))?;
    writeln!(out, "  ratio               {:>6.2}       (goal: at most 1.5)", layered / bare)
}

/// Opens each record where it lies.
fn bare(session: &Tls, handshake: usize) -> Duration {
    let mut records: Vec<Vec<u8>> = session.session.turns.iter().skip(handshake).map(|turn| turn.1.clone()).collect();
    let (key, iv) = session.key(Server);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
    let began = Instant::now();
    for (record, sequence) in records.iter_mut().zip(0_u64..) {
        let mut nonce = iv;
        nonce.iter_mut().skip(4).zip(sequence.to_be_bytes()).for_each(|(to, from)| *to ^= from);
        let (header, body) = record.split_first_chunk_mut::<5>().unwrap();
        let opened = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(*header), body);
        assert_eq!(opened.unwrap().len(), RECORD + 1);
    }
    began.elapsed()
}

/// Lets the layer read the stream; only the data counts.
fn layered(session: &Tls, handshake: usize) -> Duration {
    let first = Mark { packet: PacketNo(1), time: None };
    let end = |port| Endpoint { ip: Ipv4Addr::LOCALHOST.into(), port };
    let ends = (end(40_000), end(443));
    let mut tools = Tools::new(Arc::new(support::keys::secrets(&session.log())));
    let (mut kind, mut nested, mut route, mut outline) = (Kind::Tls, 0, None, None);
    let mut layer = open(Hint::Tls);
    let mut offsets = Both::<u64>::default();
    let mut packet = 1;
    let mut began = Instant::now();
    for (turn, (side, bytes)) in session.session.turns.iter().enumerate() {
        if turn == handshake {
            began = Instant::now();
        }
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
                sink: &mut Nobody,
                open: |_| Box::new(Hollow),
            };
            layer.input(Input::Data { dir, offset: offsets[dir], bytes, brought: mark, mark }, &mut cx);
            offsets[dir] += bytes.len() as u64;
        }
    }
    began.elapsed()
}

/// Runs inside, and reads nothing.
struct Hollow;

impl Layer for Hollow {
    fn input(&mut self, _: Input<'_>, _: &mut Cx<'_>) -> Next {
        Next::Read
    }

    fn over(&mut self, _: &mut Cx<'_>) {}
}

/// Wants no events.
struct Nobody;

impl Sink for Nobody {
    fn accept(&mut self, _: &Stamp, _: Event<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
