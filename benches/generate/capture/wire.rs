//! Packets into a capture file: pcap, microseconds, Ethernet.

use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, SocketAddr};

use etherparse::{IpHeaders, PacketBuilder, PacketBuilderStep, TcpHeader};

/// 2023-11-14T22:13:20Z in microseconds since 1970.
const START: u64 = 1_700_000_000_000_000;
/// Enough for few and large writes, small enough for the second-level cache.
const BUFFER: usize = 256 << 10;

/// The place of capture, beside the server. It has the only clock.
pub(crate) struct Wire<'a> {
    out: BufWriter<&'a mut dyn Write>,
    packet: Vec<u8>,
    now: u64,
    packets: u64,
    bytes: u64,
}

impl<'a> Wire<'a> {
    /// Starts a capture file.
    pub(crate) fn new(out: &'a mut dyn Write) -> io::Result<Self> {
        let mut wire =
            Self { out: BufWriter::with_capacity(BUFFER, out), packet: Vec::new(), now: START, packets: 0, bytes: 0 };
        wire.file_header()?;
        Ok(wire)
    }

    /// Magic of microseconds, version 2.4, no time zone, no accuracy, snap length, LINKTYPE_ETHERNET.
    fn file_header(&mut self) -> io::Result<()> {
        for word in [0xa1b2_c3d4, 2 | 4 << 16, 0, 0, 262_144, 1_u32] {
            self.put(&word.to_le_bytes())?;
        }
        Ok(())
    }

    /// Lets the clock go on by `micros`.
    pub(crate) fn wait(&mut self, micros: u64) {
        self.now += micros;
    }

    /// Milliseconds since the capture began.
    pub(crate) fn millis(&self) -> u32 {
        ((self.now - START) / 1_000) as u32
    }

    /// Packets written.
    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    /// Bytes of file written.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// One TCP segment; its ports are in `head`.
    pub(crate) fn tcp(&mut self, from: IpAddr, to: IpAddr, head: TcpHeader, payload: &[u8]) -> io::Result<()> {
        self.packet.clear();
        ip(from, to).tcp_header(head).write_to_vec(&mut self.packet, payload).map_err(io::Error::other)?;
        self.record()
    }

    /// One UDP datagram.
    pub(crate) fn udp(&mut self, from: SocketAddr, to: SocketAddr, payload: &[u8]) -> io::Result<()> {
        self.packet.clear();
        ip(from.ip(), to.ip())
            .udp(from.port(), to.port())
            .write_to_vec(&mut self.packet, payload)
            .map_err(io::Error::other)?;
        self.record()
    }

    /// Writes out what is still buffered.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn record(&mut self) -> io::Result<()> {
        let packet = std::mem::take(&mut self.packet);
        let len = packet.len() as u32;
        let seconds = (self.now / 1_000_000) as u32;
        let micros = (self.now % 1_000_000) as u32;
        for word in [seconds, micros, len, len] {
            self.put(&word.to_le_bytes())?;
        }
        self.put(&packet)?;
        self.packet = packet;
        self.packets += 1;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// Ethernet and IP below a packet. Both ends speak the same version; if not, both become IPv6.
fn ip(from: IpAddr, to: IpAddr) -> PacketBuilderStep<IpHeaders> {
    const TTL: u8 = 64;
    let link = PacketBuilder::ethernet2(mac(from), mac(to));
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => link.ipv4(from.octets(), to.octets(), TTL),
        (from, to) => link.ipv6(octets(from), octets(to), TTL),
    }
}

/// A locally administered address that ends as the IP address does.
fn mac(addr: IpAddr) -> [u8; 6] {
    let [.., a, b, c, d] = octets(addr);
    [0x02, 0, a, b, c, d]
}

fn octets(addr: IpAddr) -> [u8; 16] {
    match addr {
        IpAddr::V4(addr) => addr.to_ipv6_mapped().octets(),
        IpAddr::V6(addr) => addr.octets(),
    }
}
