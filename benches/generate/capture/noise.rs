//! Traffic that is not WebSocket: web pages, TLS, a line protocol, DNS, metrics.

use std::io;

use super::body::{Body, Fill};
use super::both::Direction;
use super::tcp::{Faults, Tcp};
use super::world::World;

/// TCP connections open at a time.
const FLOWS: usize = 24;
/// How often, in 10 000, it is a turn of UDP.
const UDP: u32 = 1_000;
/// Segments of an answer that one turn sends: no more than one TLS record.
const BURST: usize = 11;
const HTTP_PORT: u16 = 80;
const TLS_PORT: u16 = 443;
const LINES_PORT: u16 = 7_000;
const DNS_PORT: u16 = 53;
const METRICS_PORT: u16 = 8_125;

/// All of it.
#[derive(Default)]
pub(crate) struct Noise {
    flows: Vec<Flow>,
}

impl Noise {
    /// True when the file is full and every connection closed.
    pub(crate) fn is_over(&self, world: &World<'_>) -> bool {
        world.is_full() && self.flows.is_empty()
    }

    /// A datagram or two, or the next thing in one of the connections.
    pub(crate) fn turn(&mut self, world: &mut World<'_>) -> io::Result<()> {
        let is_full = world.is_full();
        if !is_full && world.rng.chance(UDP) {
            return if world.rng.chance(5_000) { dns(world) } else { metrics(world) };
        }
        if !is_full && self.flows.len() < FLOWS {
            self.flows.push(Flow::new(world));
        }
        let place = world.rng.below(self.flows.len() as u64) as usize;
        if let Some(flow) = self.flows.get_mut(place)
            && !flow.turn(world)?
        {
            self.flows.swap_remove(place);
        }
        Ok(())
    }
}

/// One TCP connection: the client asks, the server answers, some times over.
struct Flow {
    kind: Kind,
    stage: Stage,
    tcp: Tcp,
    exchanges_left: u64,
}

#[derive(Clone, Copy)]
enum Kind {
    Web,
    Tls,
    Lines,
}

enum Stage {
    Connect,
    /// Or hang up, when there is nothing left to ask.
    Ask,
    Answer {
        body: Body,
        sent: u64,
    },
}

impl Flow {
    fn new(world: &mut World<'_>) -> Self {
        let (kind, port) = match world.rng.below(3) {
            0 => (Kind::Web, HTTP_PORT),
            1 => (Kind::Tls, TLS_PORT),
            _ => (Kind::Lines, LINES_PORT),
        };
        let (client, server) = (world.client(), world.server(port));
        Self {
            kind,
            stage: Stage::Connect,
            tcp: Tcp::new(client, server, &mut world.rng),
            exchanges_left: world.rng.within(&(1..=6)),
        }
    }

    /// Does the next thing; false when that was the last.
    fn turn(&mut self, world: &mut World<'_>) -> io::Result<bool> {
        match std::mem::replace(&mut self.stage, Stage::Ask) {
            Stage::Connect => {
                world.connect(&mut self.tcp)?;
            }
            Stage::Ask if self.exchanges_left > 0 && !world.is_full() => self.ask(world)?,
            Stage::Answer { body, sent } => self.answer(world, body, sent)?,
            Stage::Ask => {
                self.tcp.close(&mut world.wire, &mut world.rng, Direction::ToServer)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn ask(&mut self, world: &mut World<'_>) -> io::Result<()> {
        let number = world.rng.below(100_000);
        let request = match self.kind {
            Kind::Web => format!("GET /assets/{number}.js HTTP/1.1\r\nHost: www.example\r\nAccept: */*\r\n\r\n").into(),
            Kind::Tls => record(&number.to_be_bytes().repeat(40)),
            Kind::Lines => format!("find {number}\n").into_bytes(),
        };
        self.send(world, Direction::ToServer, &request)?;
        let most = 1 << world.rng.within(&(12..=19));
        let len = world.rng.within(&(200..=most));
        let fill = if matches!(self.kind, Kind::Tls) { Fill::Noise } else { Fill::Text };
        world.wire.wait(world.rng.within(&(100..=1_000)));
        if matches!(self.kind, Kind::Web) {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\nContent-Length: {len}\r\n\r\n");
            self.send(world, Direction::ToClient, head.as_bytes())?;
        }
        self.exchanges_left -= 1;
        world.promised += len;
        self.stage = Stage::Answer { body: Body::stretch(fill, len, &mut world.rng), sent: 0 };
        Ok(())
    }

    fn answer(&mut self, world: &mut World<'_>, body: Body, sent: u64) -> io::Result<()> {
        let mut data = Vec::new();
        let room = (BURST * self.tcp.full_segment()) as u64;
        let take = room.min(body.len() - sent);
        body.copy(&world.supply, sent, take, &mut data);
        if matches!(self.kind, Kind::Tls) {
            data = record(&data);
        }
        self.send(world, Direction::ToClient, &data)?;
        world.promised -= take;
        let sent = sent + take;
        if sent < body.len() {
            self.stage = Stage::Answer { body, sent };
        }
        Ok(())
    }

    /// Noise gets lost nowhere: nobody counts it.
    fn send(&mut self, world: &mut World<'_>, dir: Direction, data: &[u8]) -> io::Result<()> {
        let faults = Faults { lost: 0, ..world.faults };
        self.tcp.send(&mut world.wire, &mut world.rng, dir, data, faults)?;
        self.tcp.release(&mut world.wire)
    }
}

/// RFC 8446 §5.1: a record of application data.
fn record(data: &[u8]) -> Vec<u8> {
    let len = (data.len() as u16).to_be_bytes();
    [&[0x17, 0x03, 0x03], &len[..], data].concat()
}

/// RFC 1035 §4: a question for an address, and its answer.
fn dns(world: &mut World<'_>) -> io::Result<()> {
    const QUESTION: &[u8] = b"\x03www\x07example\0\0\x01\0\x01";
    /// The name as in the question, A, IN, 60 s, 4 bytes.
    const ANSWER: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x01";
    let (client, server) = (world.client(), world.server(DNS_PORT));
    let id: [u8; 2] = world.rng.bytes();
    let query = [&id, &b"\x01\0\0\x01\0\0\0\0\0\0"[..], QUESTION].concat();
    let answer = [&id, &b"\x81\x80\0\x01\0\x01\0\0\0\0"[..], QUESTION, ANSWER].concat();
    world.wire.udp(client, server, &query)?;
    world.wire.wait(world.rng.within(&(100..=2_000)));
    world.wire.udp(server, client, &answer)
}

/// A datagram of text that nobody answers.
fn metrics(world: &mut World<'_>) -> io::Result<()> {
    let (client, server) = (world.client(), world.server(METRICS_PORT));
    let len = world.rng.within(&(100..=1_200));
    let mut data = Vec::new();
    Body::stretch(Fill::Text, len, &mut world.rng).copy(&world.supply, 0, len, &mut data);
    world.wire.udp(client, server, &data)
}
