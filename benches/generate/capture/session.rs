//! One WebSocket connection from SYN to FIN.

use std::io;
use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest, Sha1};

use super::body::{Body, Fill};
use super::both::{Both, Direction};
use super::frame::{self, Opcode, Outgoing};
use super::pack::Packer;
use super::rng::Rng;
use super::tcp::{Faults, Tcp};
use super::truth::{Connection, Fingerprint, Tally};
use super::world::World;

/// RFC 6455 §1.3.
const ACCEPT_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Full segments that one turn may send; longer messages take several turns.
const BURST: RangeInclusive<u64> = 4..=16;
/// Status codes of endings (RFC 6455 §7.4.1) and their reasons.
const ENDINGS: [(u16, &str); 4] = [(1000, ""), (1000, "bye"), (1001, "going away"), (1001, "")];

/// A connection and what it has said so far.
pub(crate) struct Session {
    stage: Stage,
    tcp: Tcp,
    talk: Both<Talk>,
    /// Messages it has yet to begin; `None`: until the file is full.
    messages_left: Option<u64>,
    /// The ping that waits for its pong, and which way it went.
    ping: Option<(Direction, [u8; 8])>,
    conn: u64,
    tcp_stream: u64,
    close_code: u16,
    closed_by: Direction,
}

/// What the next turn does.
enum Stage {
    Connect,
    Upgrade,
    Talk,
    Close,
    HangUp,
}

/// One direction.
#[derive(Default)]
struct Talk {
    outgoing: Option<Outgoing>,
    packer: Option<Box<Packer>>,
    tally: Tally,
    print: Fingerprint,
}

impl Session {
    /// A connection that nobody has seen yet.
    pub(crate) fn new(world: &mut World<'_>) -> Self {
        let port = if world.rng.chance(5_000) { 80 } else { 8_080 };
        let (client, server) = (world.client(), world.server(port));
        let range = world.figures.messages_per_conn.as_ref();
        Self {
            stage: Stage::Connect,
            messages_left: range.map(|range| world.rng.within(range)),
            tcp: Tcp::new(client, server, &mut world.rng),
            talk: Both::default(),
            ping: None,
            conn: 0,
            tcp_stream: 0,
            close_code: 0,
            closed_by: Direction::ToServer,
        }
    }

    /// Does the next thing; false when that was the last.
    pub(crate) fn turn(&mut self, world: &mut World<'_>) -> io::Result<bool> {
        match self.stage {
            Stage::Connect => {
                self.tcp_stream = world.connect(&mut self.tcp)?;
                self.stage = Stage::Upgrade;
            }
            Stage::Upgrade => {
                self.upgrade(world)?;
                self.stage = Stage::Talk;
            }
            Stage::Talk if self.has_more(world) => self.talk(world)?,
            Stage::Talk | Stage::Close => {
                self.close(world)?;
                self.stage = Stage::HangUp;
            }
            Stage::HangUp => {
                self.tcp.close(&mut world.wire, &mut world.rng, Direction::ToClient)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// All that was said.
    pub(crate) fn into_truth(self) -> Connection {
        let lost = self.tcp.lost();
        let Both { mut to_server, mut to_client } = self.talk;
        to_server.tally.lose(lost.to_server);
        to_client.tally.lose(lost.to_client);
        Connection {
            conn: self.conn,
            tcp_stream: self.tcp_stream,
            client: self.tcp.client(),
            server: self.tcp.server(),
            close_code: self.close_code,
            closed_by: match self.closed_by {
                Direction::ToServer => "client",
                Direction::ToClient => "server",
            },
            said: Both { to_server: to_server.tally, to_client: to_client.tally },
            sha256: Both { to_server: to_server.print.hex(), to_client: to_client.print.hex() },
        }
    }

    /// The request and the answer that accepts it.
    fn upgrade(&mut self, world: &mut World<'_>) -> io::Result<()> {
        self.conn = world.next_conn();
        let key = BASE64.encode(world.rng.bytes::<16>());
        let accept = BASE64.encode(Sha1::digest(format!("{key}{ACCEPT_GUID}")));
        let (conn, port) = (self.conn, self.tcp.server().port());
        let extensions = if world.figures.compressed { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
        let request = format!(
            "GET /feed/{conn} HTTP/1.1\r\nHost: feed.example:{port}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\
             Origin: http://feed.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Generator/1\r\n\
             Accept-Encoding: gzip, deflate\r\n{extensions}\r\n"
        );
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{extensions}\r\n"
        );
        self.send(world, Direction::ToServer, request.as_bytes())?;
        world.wire.wait(world.rng.within(&(200..=2_000)));
        self.send(world, Direction::ToClient, response.as_bytes())
    }

    fn has_more(&self, world: &World<'_>) -> bool {
        Direction::BOTH.into_iter().any(|dir| self.may_send(world, dir))
    }

    fn may_send(&self, world: &World<'_>, dir: Direction) -> bool {
        self.talk[dir].outgoing.is_some() || self.may_begin(world)
    }

    fn may_begin(&self, world: &World<'_>) -> bool {
        self.messages_left.map_or_else(|| !world.is_full(), |left| left > 0)
    }

    /// One burst in one direction. While a segment is held back, another one, that there is something to be late for.
    fn talk(&mut self, world: &mut World<'_>) -> io::Result<()> {
        let dir = self.direction(world);
        let mut data = std::mem::take(&mut world.scratch);
        loop {
            data.clear();
            self.stage(world, dir, &mut data);
            self.tcp.send(&mut world.wire, &mut world.rng, dir, &data, world.faults)?;
            if !(self.tcp.is_waiting() && self.may_send(world, dir)) {
                break;
            }
        }
        world.scratch = data;
        self.tcp.release(&mut world.wire)?;
        self.answer_ping(world)
    }

    /// By lot, but never one that has nothing to say.
    fn direction(&self, world: &mut World<'_>) -> Direction {
        let dir = Direction::by_lot(&mut world.rng, world.figures.to_server);
        if self.may_send(world, dir) { dir } else { dir.back() }
    }

    /// Appends to `data` what goes out in one burst: one message or a part of it, sometimes more messages after it.
    fn stage(&mut self, world: &mut World<'_>, dir: Direction, data: &mut Vec<u8>) {
        let room = world.rng.within(&BURST) as usize * self.tcp.full_segment();
        loop {
            let mut outgoing = match self.talk[dir].outgoing.take() {
                Some(outgoing) => outgoing,
                None => self.begin(world, dir, data),
            };
            let left = outgoing.left();
            let print = &mut self.talk[dir].print;
            outgoing.pull(&world.supply, &mut world.rng, print, room, data);
            world.promised -= left - outgoing.left();

            let is_done = outgoing.is_done();
            if !is_done {
                self.talk[dir].outgoing = Some(outgoing);
            }
            let is_full = data.len() + frame::MAX_HEAD > room;
            let goes_on = !is_done || (self.may_begin(world) && world.rng.chance(world.figures.coalesced));
            if is_full || !goes_on {
                return;
            }
            self.maybe_ping(world, dir, data);
        }
    }

    fn begin(&mut self, world: &mut World<'_>, dir: Direction, data: &mut Vec<u8>) -> Outgoing {
        self.maybe_ping(world, dir, data);
        let len = world.figures.length(&mut world.rng);
        let (opcode, body) = if world.rng.chance(world.figures.binary) {
            (Opcode::Binary, Body::stretch(Fill::Noise, len, &mut world.rng))
        } else {
            (Opcode::Text, Body::json(len, &mut world.rng))
        };
        let frames = match len {
            1_000.. if world.rng.chance(world.figures.fragmented) => world.rng.within(&(2..=4)),
            _ => 1,
        };
        self.messages_left = self.messages_left.map(|left| left.saturating_sub(1));
        let masked = dir == Direction::ToServer;
        let talk = &mut self.talk[dir];
        talk.tally.message(opcode, frames, body.len());
        let outgoing = if world.figures.compressed {
            let mut plain = Vec::new();
            body.copy(&world.supply, 0, body.len(), &mut plain);
            talk.print.update(&plain);
            let packed = talk.packer.get_or_insert_default().pack(&plain);
            Outgoing::new(opcode, Body::whole(packed), masked, frames).compressed()
        } else {
            Outgoing::new(opcode, body, masked, frames)
        };
        world.promised += outgoing.left();
        outgoing
    }

    /// Sometimes, where no frame is under way: a ping with eight bytes.
    fn maybe_ping(&mut self, world: &mut World<'_>, dir: Direction, data: &mut Vec<u8>) {
        if self.ping.is_some() || !world.rng.chance(world.figures.pinged) {
            return;
        }
        let payload = world.rng.bytes();
        self.control(dir, Opcode::Ping, &payload, &mut world.rng, data);
        self.ping = Some((dir, payload));
    }

    /// As soon as the other end is not within a frame.
    fn answer_ping(&mut self, world: &mut World<'_>) -> io::Result<()> {
        let Some((asked, payload)) = self.ping else {
            return Ok(());
        };
        let dir = asked.back();
        let outgoing = self.talk[dir].outgoing.as_ref();
        if outgoing.is_some_and(|outgoing| !outgoing.is_between_frames()) {
            return Ok(());
        }
        self.ping = None;
        let mut data = Vec::new();
        self.control(dir, Opcode::Pong, &payload, &mut world.rng, &mut data);
        world.wire.wait(world.rng.within(&(300..=3_000)));
        self.send(world, dir, &data)
    }

    /// The closing handshake (RFC 6455 §7.1.2): the other end repeats the code.
    fn close(&mut self, world: &mut World<'_>) -> io::Result<()> {
        let first = Direction::by_lot(&mut world.rng, 7_000);
        let (code, reason) = world.rng.pick(&ENDINGS);
        (self.closed_by, self.close_code) = (first, code);
        let reply = code.to_be_bytes();
        for (dir, payload) in [(first, [&reply, reason.as_bytes()].concat()), (first.back(), reply.to_vec())] {
            let mut data = Vec::new();
            self.control(dir, Opcode::Close, &payload, &mut world.rng, &mut data);
            self.send(world, dir, &data)?;
            world.wire.wait(world.rng.within(&(100..=1_000)));
        }
        Ok(())
    }

    fn control(&mut self, dir: Direction, opcode: Opcode, payload: &[u8], rng: &mut Rng, data: &mut Vec<u8>) {
        let key = (dir == Direction::ToServer).then(|| rng.bytes());
        frame::control(opcode, key, payload, data);
        self.talk[dir].tally.message(opcode, 1, payload.len() as u64);
    }

    /// Sends what must not get lost.
    fn send(&mut self, world: &mut World<'_>, dir: Direction, data: &[u8]) -> io::Result<()> {
        self.tcp.send(&mut world.wire, &mut world.rng, dir, data, Faults::default())
    }
}
