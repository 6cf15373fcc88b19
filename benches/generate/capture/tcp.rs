//! One TCP connection as a capture beside the server sees it.
//!
//! Full segments with timestamps, an acknowledgement for every second segment unless data carries it,
//! and the faults of a real network: segments that come late, come twice, or are acknowledged but were not captured.

use std::io;
use std::net::SocketAddr;

use etherparse::{TcpHeader, TcpOptionElement};

use super::both::{Both, Direction};
use super::rng::Rng;
use super::wire::Wire;

/// Bytes of a packet after Ethernet.
const MTU: usize = 1_500;
const TCP_HEAD: usize = 20;
/// Two no-operations and the timestamps.
const TCP_OPTIONS: usize = 12;
/// Unscaled: nobody here fills a window.
const WINDOW: u16 = 0xfaf0;

/// How often a data segment meets which fate, in 10 000.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    /// It comes after one to three of its successors.
    pub(crate) late: u32,
    /// It comes a second time, after one to three of its successors.
    pub(crate) again: u32,
    /// It arrives and is acknowledged, but the capture lacks it.
    pub(crate) lost: u32,
}

/// Data segments that the capture lacks.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Lost {
    pub(crate) segments: u64,
    /// Bytes of the TCP stream, frame heads included.
    pub(crate) bytes: u64,
}

/// The state of both ends.
pub(crate) struct Tcp {
    /// Who sends in each direction.
    ends: Both<SocketAddr>,
    /// Sequence number of the next byte.
    next: Both<u32>,
    /// Where each sender's timestamp clock stood when the capture began.
    clock: Both<u32>,
    /// The last timestamp of each sender.
    stamp: Both<u32>,
    /// Data segments that are not acknowledged yet.
    unacked: Both<u32>,
    waiting: Option<Waiting>,
    lost: Both<Lost>,
}

/// A segment that is yet to come, or to come again.
struct Waiting {
    dir: Direction,
    seq: u32,
    stamp: u32,
    payload: Vec<u8>,
    /// Successors to let pass.
    behind: u64,
    /// Nobody has it yet, so nobody may acknowledge it.
    missing: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    InOrder,
    Late,
    Again,
    Lost,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Syn,
    Data { push: bool },
    Fin,
}

impl Tcp {
    /// A connection not yet opened.
    pub(crate) fn new(client: SocketAddr, server: SocketAddr, rng: &mut Rng) -> Self {
        let mut random = || Both { to_server: rng.word() as u32, to_client: rng.word() as u32 };
        Self {
            ends: Both { to_server: client, to_client: server },
            next: random(),
            clock: random(),
            stamp: Both::default(),
            unacked: Both::default(),
            waiting: None,
            lost: Both::default(),
        }
    }

    /// Address and port of the client.
    pub(crate) fn client(&self) -> SocketAddr {
        self.ends.to_server
    }

    /// Address and port of the server.
    pub(crate) fn server(&self) -> SocketAddr {
        self.ends.to_client
    }

    /// What the capture lacks of each direction.
    pub(crate) fn lost(&self) -> Both<Lost> {
        self.lost
    }

    /// True while a segment is held back; data in its direction lets it out, and [`Tcp::release`].
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Payload of a full segment: 1448 bytes over IPv4, 1428 over IPv6.
    pub(crate) fn full_segment(&self) -> usize {
        self.max_segment() - TCP_OPTIONS
    }

    /// What an end announces as its maximum segment size (RFC 9293 §3.7.1): options do not count.
    fn max_segment(&self) -> usize {
        let ip_head = if self.client().is_ipv4() { 20 } else { 40 };
        MTU - ip_head - TCP_HEAD
    }

    /// SYN, SYN-ACK, ACK.
    pub(crate) fn open(&mut self, wire: &mut Wire<'_>, rng: &mut Rng) -> io::Result<()> {
        for dir in Direction::BOTH {
            self.segment(wire, dir, Kind::Syn, &[])?;
            wire.wait(rng.within(&(50..=400)));
        }
        self.acknowledge(wire, Direction::ToServer)
    }

    /// Sends `data` in `dir`, cut into segments that meet their fates.
    pub(crate) fn send(
        &mut self,
        wire: &mut Wire<'_>,
        rng: &mut Rng,
        dir: Direction,
        data: &[u8],
        faults: Faults,
    ) -> io::Result<()> {
        let mut segments = data.chunks(self.full_segment()).peekable();
        while let Some(payload) = segments.next() {
            wire.wait(rng.within(&(4..=20)));
            let push = segments.peek().is_none();
            self.data(wire, rng, dir, payload, push, faults)?;
        }
        Ok(())
    }

    /// Sends what is held back, at once.
    pub(crate) fn release(&mut self, wire: &mut Wire<'_>) -> io::Result<()> {
        let Some(waiting) = self.waiting.take() else {
            return Ok(());
        };
        wire.wait(5);
        let mut head = self.head(waiting.dir, waiting.stamp);
        head.sequence_number = waiting.seq;
        head.psh = true;
        self.write(wire, waiting.dir, head, &waiting.payload)
    }

    /// FIN both ways; `first` begins.
    pub(crate) fn close(&mut self, wire: &mut Wire<'_>, rng: &mut Rng, first: Direction) -> io::Result<()> {
        for dir in [first, first.back()] {
            wire.wait(rng.within(&(20..=300)));
            self.segment(wire, dir, Kind::Fin, &[])?;
        }
        wire.wait(rng.within(&(20..=100)));
        self.acknowledge(wire, first)
    }

    fn data(
        &mut self,
        wire: &mut Wire<'_>,
        rng: &mut Rng,
        dir: Direction,
        payload: &[u8],
        push: bool,
        faults: Faults,
    ) -> io::Result<()> {
        let fate = self.fate(rng, faults);
        let seq = self.next[dir];
        match fate {
            Fate::InOrder | Fate::Again => self.segment(wire, dir, Kind::Data { push }, payload)?,
            Fate::Late => self.skip(dir, payload.len()),
            Fate::Lost => {
                self.skip(dir, payload.len());
                self.lost[dir].segments += 1;
                self.lost[dir].bytes += payload.len() as u64;
            }
        }
        self.unacked[dir] += 1;
        match fate {
            Fate::Late | Fate::Again => {
                self.waiting = Some(Waiting {
                    dir,
                    seq,
                    stamp: self.clock[dir].wrapping_add(wire.millis()),
                    payload: payload.to_vec(),
                    behind: rng.within(&(1..=3)),
                    missing: fate == Fate::Late,
                });
            }
            Fate::InOrder | Fate::Lost => self.let_pass(wire, dir)?,
        }
        self.acknowledge_in_time(wire, rng, dir)
    }

    /// At most one segment of a connection is held back at a time.
    fn fate(&self, rng: &mut Rng, faults: Faults) -> Fate {
        let held = self.waiting.is_some();
        if rng.chance(faults.lost) {
            Fate::Lost
        } else if !held && rng.chance(faults.late) {
            Fate::Late
        } else if !held && rng.chance(faults.again) {
            Fate::Again
        } else {
            Fate::InOrder
        }
    }

    /// A segment of `dir` has gone by; what waited for it may follow.
    fn let_pass(&mut self, wire: &mut Wire<'_>, dir: Direction) -> io::Result<()> {
        let Some(mut waiting) = self.waiting.take_if(|waiting| waiting.dir == dir) else {
            return Ok(());
        };
        waiting.behind -= 1;
        let is_due = waiting.behind == 0;
        self.waiting = Some(waiting);
        if is_due { self.release(wire) } else { Ok(()) }
    }

    /// Every second segment is acknowledged, and every one that leaves a hole before it.
    fn acknowledge_in_time(&mut self, wire: &mut Wire<'_>, rng: &mut Rng, dir: Direction) -> io::Result<()> {
        let hole = matches!(&self.waiting, Some(waiting) if waiting.missing);
        if self.unacked[dir] < 2 && !hole {
            return Ok(());
        }
        wire.wait(rng.within(&(3..=15)));
        self.acknowledge(wire, dir.back())
    }

    fn acknowledge(&mut self, wire: &mut Wire<'_>, dir: Direction) -> io::Result<()> {
        self.segment(wire, dir, Kind::Data { push: false }, &[])
    }

    /// Writes the next segment of `dir`; it acknowledges what came the other way.
    fn segment(&mut self, wire: &mut Wire<'_>, dir: Direction, kind: Kind, payload: &[u8]) -> io::Result<()> {
        let mut head = self.head(dir, self.clock[dir].wrapping_add(wire.millis()));
        match kind {
            Kind::Syn => {
                head.syn = true;
                head.ack = dir == Direction::ToClient;
                if !head.ack {
                    head.acknowledgment_number = 0;
                }
            }
            Kind::Data { push } => head.psh = push,
            Kind::Fin => head.fin = true,
        }
        self.skip(dir, payload.len() + usize::from(head.syn || head.fin));
        self.unacked[dir.back()] = 0;
        self.write(wire, dir, head, payload)
    }

    fn write(&mut self, wire: &mut Wire<'_>, dir: Direction, mut head: TcpHeader, payload: &[u8]) -> io::Result<()> {
        let stamps = TcpOptionElement::Timestamp(self.stamp[dir], self.stamp[dir.back()]);
        let options: &[TcpOptionElement] = if head.syn {
            &[
                TcpOptionElement::MaximumSegmentSize(self.max_segment() as u16),
                TcpOptionElement::SelectiveAcknowledgementPermitted,
                stamps,
                TcpOptionElement::Noop,
                TcpOptionElement::WindowScale(7),
            ]
        } else {
            &[TcpOptionElement::Noop, TcpOptionElement::Noop, stamps]
        };
        head.set_options(options).map_err(io::Error::other)?;
        let (from, to) = (self.ends[dir].ip(), self.ends[dir.back()].ip());
        wire.tcp(from, to, head, payload)
    }

    /// The head that every segment of `dir` has, sent at `stamp`.
    fn head(&mut self, dir: Direction, stamp: u32) -> TcpHeader {
        self.stamp[dir] = stamp;
        let (from, to) = (self.ends[dir].port(), self.ends[dir.back()].port());
        let mut head = TcpHeader::new(from, to, self.next[dir], WINDOW);
        head.ack = true;
        head.acknowledgment_number = self.received(dir.back());
        head
    }

    /// The first sequence number of `dir` that the receiver does not have.
    fn received(&self, dir: Direction) -> u32 {
        match &self.waiting {
            Some(waiting) if waiting.missing && waiting.dir == dir => waiting.seq,
            _ => self.next[dir],
        }
    }

    fn skip(&mut self, dir: Direction, bytes: usize) {
        self.next[dir] = self.next[dir].wrapping_add(bytes as u32);
    }
}
