//! The capture generator tells the truth: another reading of its captures finds just what it says it wrote.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test says what is wrong by failing")]

#[path = "../benches/generate/capture/mod.rs"]
mod capture;

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};

use etherparse::{NetSlice, SlicedPacket, TcpSlice, TransportSlice};
use flate2::{Decompress, FlushDecompress};
use sha2::{Digest, Sha256};

use capture::{Connection, Profile, Settings, Tally, Totals};

const SIZE: u64 = 300_000;

/// How the SHA-256 of each profile's capture begins; how messages are compressed may depend on the machine. Whoever changes
/// the generator records new ones here.
const RECORDED: [(&str, &str); 5] = [
    ("ticks", "087936ef98fee449"),
    ("bulk", "887216cf96991a29"),
    ("mixed", "419d0872c6425f6e"),
    ("noise", "da3efb4e0debe577"),
    ("manyconns", "47fbb53250870998"),
];

#[test]
fn same_settings_same_file_on_every_machine() {
    let plain = every_profile().filter(|settings| settings.profile != Profile::Deflate);
    for (settings, (name, recorded)) in plain.zip(RECORDED) {
        let sha256 = hex(&Sha256::digest(Made::new(&settings).file));
        assert_eq!((settings.profile.name(), &sha256[..16]), (name, recorded));
    }
}

#[test]
fn another_seed_another_file() {
    let [a, b] = [1, 2].map(|seed| Made::new(&Settings::new(Profile::Ticks, SIZE, seed)).file);
    assert_ne!(a, b);
}

#[test]
fn a_capture_holds_what_its_truth_says() {
    every_profile().for_each(|settings| check(&settings));
}

#[test]
fn also_over_ipv6() {
    every_profile().for_each(|settings| {
        check(&Settings { v6: true, ..settings });
    });
}

#[test]
fn conns_says_how_many_connections() {
    for settings in every_profile() {
        let settings = Settings { conns: Some(5), ..settings };
        assert_eq!(Made::new(&settings).totals.connections, 5);
    }
}

#[test]
fn size_is_about_as_asked() {
    for settings in every_profile() {
        let size = Made::new(&Settings { size: 20_000_000, ..settings }).file.len();
        assert!((18_000_000..22_000_000).contains(&size), "{size}");
    }
}

#[test]
fn what_got_lost_is_a_hole_as_large_as_truth_says() {
    let made = Made::new(&Settings { loss: 20, ..Settings::new(Profile::Ticks, SIZE, 7) });
    let streams = Streams::read(&made.file);
    let lost = |from, to, said: &Tally| {
        let missing = streams.0[&(from, to)].missing();
        assert_eq!(missing, said.lost_bytes);
        missing
    };
    let of_both =
        |c: &Connection| lost(c.client, c.server, &c.said.to_server) + lost(c.server, c.client, &c.said.to_client);
    assert!(made.connections.iter().map(of_both).sum::<u64>() > 1_000);
}

fn every_profile() -> impl Iterator<Item = Settings> {
    let settings = |profile| Settings::new(profile, SIZE, 7);
    Profile::ALL.into_iter().map(settings)
}

/// A capture and what its maker says about it.
struct Made {
    file: Vec<u8>,
    connections: Vec<Connection>,
    totals: Totals,
}

impl Made {
    fn new(settings: &Settings) -> Self {
        let (mut file, mut connections) = (Vec::new(), Vec::new());
        let totals = capture::write(settings, &mut file, &mut |connection| {
            connections.push(connection);
            Ok(())
        });
        Self { file, connections, totals: totals.unwrap() }
    }
}

/// Reads a capture in which nothing is missing, and compares all of it.
fn check(settings: &Settings) {
    let made = Made::new(settings);
    let streams = Streams::read(&made.file);
    let name = settings.profile.name();
    assert_eq!(made.totals.size, made.file.len() as u64, "{name}");
    assert_eq!(made.totals.tcp_streams * 2, streams.0.len() as u64, "{name}");
    assert_eq!(made.totals.connections, made.connections.len() as u64, "{name}");

    let mut frames = 0;
    for c in &made.connections {
        for (from, to, said, sha256) in [
            (c.client, c.server, &c.said.to_server, &c.sha256.to_server),
            (c.server, c.client, &c.said.to_client, &c.sha256.to_client),
        ] {
            let heard = Heard::read(&streams.0[&(from, to)].joined(), from == c.client);
            assert_eq!(heard, Heard::from_truth(said, sha256), "{name}, {from} to {to}");
            frames += heard.frames;
        }
    }
    let said = made.totals.said;
    assert_eq!(said.to_server.frames + said.to_client.frames, frames, "{name}");
}

/// Each direction of each TCP connection.
struct Streams(HashMap<(SocketAddr, SocketAddr), Stream>);

/// Payload by its distance from the SYN.
#[derive(Default)]
struct Stream {
    syn: u32,
    segments: BTreeMap<u32, Vec<u8>>,
}

impl Streams {
    /// Walks the records of a pcap file; time never goes back and every checksum is right.
    fn read(file: &[u8]) -> Self {
        let (mut streams, mut last) = (HashMap::new(), (0, 0));
        let mut rest = &file[24..];
        while !rest.is_empty() {
            let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
            let (time, len) = ((word(0), word(4)), word(8) as usize);
            assert!(time >= last, "{time:?} after {last:?}");
            last = time;
            packet(&rest[16..16 + len], &mut streams);
            rest = &rest[16 + len..];
        }
        Self(streams)
    }
}

fn packet(bytes: &[u8], streams: &mut HashMap<(SocketAddr, SocketAddr), Stream>) {
    let packet = SlicedPacket::from_ethernet(bytes).unwrap();
    let (Some(net), Some(TransportSlice::Tcp(tcp))) = (packet.net, packet.transport) else {
        return;
    };
    let (from, to) = addresses(&net, &tcp);
    let stream: &mut Stream = streams.entry((from, to)).or_default();
    if tcp.syn() {
        stream.syn = tcp.sequence_number();
    } else if !tcp.payload().is_empty() {
        let offset = tcp.sequence_number().wrapping_sub(stream.syn).wrapping_sub(1);
        let segment = stream.segments.entry(offset).or_insert_with(|| tcp.payload().to_vec());
        assert_eq!(segment, tcp.payload(), "sent twice, but not the same");
    }
}

/// The two ends, once both checksums are found right.
fn addresses(net: &NetSlice<'_>, tcp: &TcpSlice<'_>) -> (SocketAddr, SocketAddr) {
    let (checksum, from, to): (_, IpAddr, IpAddr) = match net {
        NetSlice::Ipv4(ip) => {
            let ip = ip.header();
            assert_eq!(ip.header_checksum(), ip.to_header().calc_header_checksum());
            let checksum = tcp.calc_checksum_ipv4(ip.source(), ip.destination());
            (checksum, ip.source_addr().into(), ip.destination_addr().into())
        }
        NetSlice::Ipv6(ip) => {
            let ip = ip.header();
            let checksum = tcp.calc_checksum_ipv6(ip.source(), ip.destination());
            (checksum, ip.source_addr().into(), ip.destination_addr().into())
        }
        NetSlice::Arp(_) => unreachable!("nobody asks"),
    };
    assert_eq!(checksum.unwrap(), tcp.checksum());
    let end = SocketAddr::new;
    (end(from, tcp.source_port()), end(to, tcp.destination_port()))
}

impl Stream {
    fn joined(&self) -> Vec<u8> {
        assert_eq!(self.missing(), 0);
        self.segments.values().flatten().copied().collect()
    }

    /// Bytes in holes before the last segment.
    fn missing(&self) -> u64 {
        let end = self.segments.last_key_value().map_or(0, |(at, last)| *at as usize + last.len());
        (end - self.segments.values().map(Vec::len).sum::<usize>()) as u64
    }
}

/// What was said in one direction.
#[derive(PartialEq, Debug, Default)]
struct Heard {
    messages: u64,
    frames: u64,
    /// Messages and their bytes by opcode.
    kinds: BTreeMap<u8, (u64, u64)>,
    sha256: String,
}

impl Heard {
    fn from_truth(said: &Tally, sha256: &str) -> Self {
        let kinds = [(1, said.text), (2, said.binary), (8, said.close), (9, said.ping), (10, said.pong)];
        let kinds = kinds.into_iter().filter(|(_, count)| count.messages > 0);
        let kinds: BTreeMap<_, _> = kinds.map(|(opcode, count)| (opcode, (count.messages, count.bytes))).collect();
        assert_eq!(said.bytes, kinds.values().map(|(_, bytes)| bytes).sum::<u64>());
        Self { messages: said.messages, frames: said.frames, kinds, sha256: sha256.to_owned() }
    }

    /// Reads the frames after the head of the request or answer. Every text is UTF-8 and JSON.
    fn read(stream: &[u8], is_client: bool) -> Self {
        let head = stream.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
        let (mut heard, mut data, mut digest) = (Self::default(), (0, Vec::new()), Sha256::new());
        let mut inflater = Decompress::new(false);
        let mut rest = &stream[head + 4..];
        while !rest.is_empty() {
            let (first, payload) = frame(&mut rest, is_client);
            let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
            heard.frames += 1;
            if opcode >= 8 {
                heard.count(opcode, &payload);
                continue;
            }
            data.0 |= opcode | first & 0x40;
            data.1.extend(payload);
            if fin {
                let (kind, payload) = std::mem::take(&mut data);
                let opcode = kind & 0x0f;
                let payload = if kind & 0x40 != 0 { inflate(&mut inflater, payload) } else { payload };
                assert!(opcode == 2 || serde_json::from_slice::<serde_json::Value>(&payload).is_ok());
                digest.update(&payload);
                heard.count(opcode, &payload);
            }
        }
        heard.sha256 = hex(&digest.finalize());
        heard
    }

    fn count(&mut self, opcode: u8, payload: &[u8]) {
        self.messages += 1;
        let (messages, bytes) = self.kinds.entry(opcode).or_default();
        *messages += 1;
        *bytes += payload.len() as u64;
    }
}

/// A compressed message (RFC 7692 §7.2.2).
fn inflate(inflater: &mut Decompress, mut packed: Vec<u8>) -> Vec<u8> {
    packed.extend([0, 0, 0xff, 0xff]);
    let mut out = Vec::with_capacity(20_000);
    inflater.decompress_vec(&packed, &mut out, FlushDecompress::Sync).unwrap();
    assert!(out.len() < out.capacity());
    out
}

/// The first byte and the unmasked payload of the frame at the beginning of `rest`, which loses it.
fn frame(rest: &mut &[u8], masked: bool) -> (u8, Vec<u8>) {
    let mut take = |count: usize| {
        let (taken, after) = rest.split_at(count);
        *rest = after;
        taken
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
    let head = take(2);
    assert_eq!(head[1] & 0x80 != 0, masked);
    let len = match head[1] & 0x7f {
        126 => number(take(2)),
        127 => number(take(8)),
        len => usize::from(len),
    };
    let key = if masked { take(4) } else { &[0; 4] };
    let payload = take(len).iter().zip(key.iter().cycle());
    (head[0], payload.map(|(byte, key)| byte ^ key).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
