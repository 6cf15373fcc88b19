//! A conversation and what it says, as TCP segments.

use super::frame::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT, request, response};
use std::net::SocketAddr;

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    Client,
    Server,
}

pub(crate) use Side::{Client, Server};

impl Side {
    /// The direction of what this side sends, as records name it.
    pub(crate) fn dir(self) -> &'static str {
        match self {
            Client => "c2s",
            Server => "s2c",
        }
    }
}

pub(crate) const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const RST: u8 = 0x04;
pub(crate) const PSH: u8 = 0x08;
pub(crate) const ACK: u8 = 0x10;

/// One TCP segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) src: SocketAddr,
    pub(crate) dst: SocketAddr,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) payload: Vec<u8>,
}

impl Segment {
    /// The sequence number after its last byte.
    pub(crate) fn end(&self) -> u32 {
        self.seq.wrapping_add(self.payload.len() as u32)
    }

    /// The part of its payload from `from` to `to`, as a segment.
    pub(crate) fn part(&self, from: usize, to: usize) -> Self {
        let mut part = self.clone();
        part.seq = self.seq.wrapping_add(from as u32);
        part.payload = self.payload[from..to].to_vec();
        if to < self.payload.len() {
            part.flags &= !FIN;
        }
        part
    }
}

/// A message that a session says: what a dissection of it must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) dir: &'static str,
    pub(crate) opcode: u8,
    pub(crate) frames: u64,
    pub(crate) payload: Vec<u8>,
    /// Its length on the wire, if it is compressed.
    pub(crate) packed: Option<u64>,
}

/// A TCP connection between two ends: what each sends, in order.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) client: SocketAddr,
    pub(crate) server: SocketAddr,
    /// Initial sequence numbers of client and server.
    pub(crate) isn: [u32; 2],
    /// Who sends which bytes; each turn is a segment unless it is cut.
    pub(crate) turns: Vec<(Side, Vec<u8>)>,
    /// The messages in it, in the order in which they end.
    pub(crate) said: Vec<Said>,
    /// Ends with FIN from both.
    pub(crate) fin: bool,
    /// What the next masking key is made of.
    pub(crate) keys: u32,
}

impl Session {
    /// The `n`th session, from a port of its own, without a byte yet.
    pub(crate) fn bare(n: usize) -> Self {
        let n = n as u32;
        Self {
            client: SocketAddr::from(([10, 0, (n >> 14) as u8, 1], 40_000 + (n & 0x3fff) as u16)),
            server: SocketAddr::from(([10, 1, 0, 2], 8080)),
            isn: [1_000_000 + n * 7919, 2_000_000_000 + n * 104_729],
            turns: Vec::new(),
            said: Vec::new(),
            fin: true,
            keys: n,
        }
    }

    /// The `n`th session, upgraded.
    pub(crate) fn new(n: usize) -> Self {
        let mut session = Self::bare(n);
        session.turn(Client, request(&format!("/{n}"), ""));
        session.turn(Server, response(""));
        session
    }

    /// Bytes that are no message.
    pub(crate) fn turn(&mut self, side: Side, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.turns.push((side, bytes.into()));
        self
    }

    /// Bytes glued to the end of the last turn.
    pub(crate) fn glue(&mut self, bytes: &[u8]) -> &mut Self {
        self.turns.last_mut().unwrap().1.extend(bytes);
        self
    }

    /// The frame as this side must send it: the client masks.
    pub(crate) fn framed(&mut self, side: Side, frame: Frame) -> Frame {
        self.keys = self.keys.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if side == Client { frame.masked(self.keys.to_be_bytes()) } else { frame }
    }

    /// Sends a message in one frame.
    pub(crate) fn say(&mut self, side: Side, opcode: u8, payload: impl Into<Vec<u8>>) -> &mut Self {
        let frame = self.framed(side, Frame::new(opcode, payload));
        self.said.push(Said { dir: side.dir(), opcode, frames: 1, payload: frame.payload.clone(), packed: None });
        self.turn(side, frame.bytes())
    }

    /// Sends a text message.
    pub(crate) fn text(&mut self, side: Side, text: &str) -> &mut Self {
        self.say(side, TEXT, text)
    }

    /// Sends a binary message.
    pub(crate) fn binary(&mut self, side: Side, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.say(side, BINARY, bytes)
    }

    /// Sends a message in fragments, with a ping after each but the last when `pings`.
    pub(crate) fn parts(&mut self, side: Side, opcode: u8, parts: &[Vec<u8>], pings: bool) -> &mut Self {
        for (at, part) in parts.iter().enumerate() {
            let last = at + 1 == parts.len();
            let frame = Frame::new(if at == 0 { opcode } else { CONTINUATION }, part.clone());
            let frame = self.framed(side, if last { frame } else { frame.open() });
            self.turn(side, frame.bytes());
            if pings && !last {
                self.say(side, PING, format!("p{at}"));
            }
        }
        self.said.push(Said {
            dir: side.dir(),
            opcode,
            frames: parts.len() as u64,
            payload: parts.concat(),
            packed: None,
        });
        self
    }

    /// Sends pings and pongs.
    pub(crate) fn heartbeat(&mut self, side: Side, payload: &str) -> &mut Self {
        self.say(side, PING, payload);
        self.say(if side == Client { Server } else { Client }, PONG, payload)
    }

    /// Closes: the client asks, the server answers.
    pub(crate) fn close(&mut self) -> &mut Self {
        let body = Frame::close(1000, "done").payload;
        self.say(Client, CLOSE, body.clone());
        self.say(Server, CLOSE, body)
    }

    /// A session that says something of every kind: the ordinary subject of a law.
    pub(crate) fn sample(n: usize) -> Self {
        let mut session = Self::new(n);
        session.text(Server, &format!("welcome {n}")).text(Client, "héllo ✓");
        session.parts(Client, TEXT, &[b"one ".to_vec(), b"two ".to_vec(), b"three".to_vec()], true);
        session.binary(Server, (0..700).map(|i| (i * 7 + n) as u8).collect::<Vec<_>>());
        session.parts(Server, BINARY, &[Vec::new(), vec![1, 2, 3], Vec::new()], false);
        session.text(Client, "").heartbeat(Server, "are you there").binary(Client, vec![n as u8; 126]);
        session.text(Server, "last words").close();
        session
    }

    /// All bytes of one side.
    pub(crate) fn stream(&self, side: Side) -> Vec<u8> {
        self.turns.iter().filter(|(from, _)| *from == side).flat_map(|(_, bytes)| bytes.iter().copied()).collect()
    }

    /// Its segments, each turn one segment.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        self.cut(|bytes| vec![bytes.len()])
    }

    /// Its segments, with turns cut into pieces of the lengths that `cut` gives (cycled until the turn is used up).
    pub(crate) fn cut(&self, mut cut: impl FnMut(&[u8]) -> Vec<usize>) -> Vec<Segment> {
        let mut line = Line::new(self);
        let mut out = vec![line.send(Client, SYN, &[]), line.send(Server, SYN | ACK, &[]), line.send(Client, ACK, &[])];
        for (side, bytes) in &self.turns {
            let lengths = cut(bytes);
            let mut rest = bytes.as_slice();
            for len in lengths.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at((*len).clamp(1, rest.len()));
                out.push(line.send(*side, PSH | ACK, now));
                rest = later;
            }
            out.push(line.send(if *side == Client { Server } else { Client }, ACK, &[]));
        }
        if self.fin {
            out.push(line.send(Client, FIN | ACK, &[]));
            out.push(line.send(Server, FIN | ACK, &[]));
            out.push(line.send(Client, ACK, &[]));
        }
        out
    }
}

/// The state of a TCP connection without loss: what has been sent each way.
pub(crate) struct Line {
    ends: [SocketAddr; 2],
    next: [u32; 2],
    syn: [bool; 2],
}

impl Line {
    /// The session before its first packet.
    pub(crate) fn new(session: &Session) -> Self {
        Self { ends: [session.client, session.server], next: session.isn, syn: [false; 2] }
    }

    /// The next segment of that side; everything that the other has sent is acknowledged.
    pub(crate) fn send(&mut self, side: Side, flags: u8, payload: &[u8]) -> Segment {
        let (me, you) = if side == Client { (0, 1) } else { (1, 0) };
        let segment = Segment {
            src: self.ends[me],
            dst: self.ends[you],
            seq: self.next[me],
            ack: if flags & ACK != 0 && self.syn[you] { self.next[you] } else { 0 },
            flags,
            payload: payload.to_vec(),
        };
        self.syn[me] |= flags & SYN != 0;
        self.next[me] = segment.end().wrapping_add(u32::from(flags & (SYN | FIN) != 0));
        segment
    }
}

/// The segments of several sessions, taken in turn.
pub(crate) fn interleave(sessions: Vec<Vec<Segment>>) -> Vec<Segment> {
    let longest = sessions.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest).flat_map(|at| sessions.iter().filter_map(move |segments| segments.get(at).cloned())).collect()
}
