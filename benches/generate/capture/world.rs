//! What everybody in a capture shares: the wire, chance, the stores of bytes, the numbering.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Settings;
use super::body::Supply;
use super::profile::Figures;
use super::rng::Rng;
use super::tcp::{Faults, Tcp};
use super::wire::Wire;

/// The shared part of a scene.
pub(crate) struct World<'a> {
    pub(crate) wire: Wire<'a>,
    pub(crate) rng: Rng,
    pub(crate) supply: Supply,
    pub(crate) figures: &'static Figures,
    pub(crate) faults: Faults,
    /// Payload bytes of messages that have begun and are not sent yet.
    pub(crate) promised: u64,
    /// Bytes lent to whoever sends, so that nobody has to own a buffer.
    pub(crate) scratch: Vec<u8>,
    size: u64,
    v6: bool,
    clients: u32,
    tcp_streams: u64,
    conns: u64,
}

impl<'a> World<'a> {
    /// An empty capture in `out`.
    pub(crate) fn new(settings: &Settings, out: &'a mut dyn Write) -> io::Result<Self> {
        let mut rng = Rng::new(settings.seed);
        let figures = settings.profile.figures();
        Ok(Self {
            wire: Wire::new(out)?,
            supply: Supply::new(&mut rng),
            rng,
            figures,
            faults: Faults { late: figures.late, again: figures.again, lost: settings.loss * 10 },
            promised: 0,
            scratch: Vec::new(),
            size: settings.size,
            v6: settings.v6,
            clients: 0,
            tcp_streams: 0,
            conns: 0,
        })
    }

    /// Lets time pass between two turns.
    pub(crate) fn pause(&mut self) {
        let micros = self.rng.within(&self.figures.pause);
        self.wire.wait(micros);
    }

    /// True when what is written and what has begun make up the file: nobody begins anything.
    pub(crate) fn is_full(&self) -> bool {
        self.wire.bytes() + self.promised >= self.size
    }

    /// A new client, with an address that nobody had before.
    pub(crate) fn client(&mut self) -> SocketAddr {
        self.clients += 1;
        let [_, b, c, d] = self.clients.to_be_bytes();
        let port = self.rng.within(&(32_768..=60_999)) as u16;
        SocketAddr::new(self.address([10, 64 | b, c, d]), port)
    }

    /// One of a few servers.
    pub(crate) fn server(&mut self, port: u16) -> SocketAddr {
        let host = 1 + self.rng.below(4) as u8;
        SocketAddr::new(self.address([10, 0, 0, host]), port)
    }

    /// Opens a TCP connection; its number is `tcp.stream` in Wireshark.
    pub(crate) fn connect(&mut self, tcp: &mut Tcp) -> io::Result<u64> {
        tcp.open(&mut self.wire, &mut self.rng)?;
        self.tcp_streams += 1;
        Ok(self.tcp_streams - 1)
    }

    /// TCP connections opened.
    pub(crate) fn tcp_streams(&self) -> u64 {
        self.tcp_streams
    }

    /// The next WebSocket connection's number, from 1.
    pub(crate) fn next_conn(&mut self) -> u64 {
        self.conns += 1;
        self.conns
    }

    fn address(&self, octets: [u8; 4]) -> IpAddr {
        if self.v6 {
            let [a, b, c, d] = octets.map(u16::from);
            Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, a << 8 | b, c << 8 | d).into()
        } else {
            Ipv4Addr::from(octets).into()
        }
    }
}
