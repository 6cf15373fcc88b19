//! PDUs that Wireshark exported from a capture: what a dissector was handed, and tags that tell what was around it.
//!
//! Those over TCP are pieces of a stream. A piece of which the dissector wanted more stands there twice: as it was, and
//! again with the rest. Where a tag has their sequence numbers, reassembly sees to that. Those that were uncovered in a stream,
//! as in TLS, have none: each stands behind the one before, or in its place.

use super::ether::{Network, network};
use super::ip::Ip;
use super::link::ethernet;
use crate::model::{self, EncapId, Endpoint, Flags, H2_HEAD, H2_PREFACE, Mark, Segment, Twice};
use etherparse::IpNumber;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a PDU is.
pub(super) enum Pdu<'a> {
    /// A packet or a frame.
    Network(Network<'a>),
    /// A TCP segment with its header.
    Segment(Ip<'a>),
    /// Bytes of a TCP stream.
    Bytes(Piece<'a>),
    /// A UDP datagram without its header.
    Datagram,
    /// Something else, or too few tags to tell.
    Other,
}

/// A piece of a TCP stream.
pub(super) struct Piece<'a> {
    src: Endpoint,
    dst: Endpoint,
    numbers: Option<Numbers>,
    payload: &'a [u8],
    /// It is of frames, or of whatever its first bytes tell.
    encap: EncapId,
    /// What its dissector wants whole; `None`: it takes bytes as they come.
    units: Option<Units>,
}

/// What a dissector wants whole: what begins in a PDU without ending there comes again at the front of another.
#[derive(Clone, Copy)]
enum Units {
    /// Frames of HTTP/2 (RFC 9113 §4.1).
    Http2,
    /// Frames of WebSocket (RFC 6455 §5.2), unless the stream is one of HTTP/2.
    WebSocket,
}

/// What Wireshark's TCP dissector tells the ones above it. Sequence numbers may be relative.
#[derive(Clone, Copy)]
struct Numbers {
    seq: u32,
    /// Behind the last segment of a PDU that was joined, which may hold more than its end.
    next: u32,
    ack: u32,
    joined: bool,
    flags: Flags,
}

/// The tags that tell something (`EXP_PDU_TAG_…`).
#[derive(Default)]
struct Tags<'a> {
    dissector: &'a [u8],
    table: &'a [u8],
    /// The value by which the dissector was looked up in the table.
    value: u32,
    src: Option<model::Ip>,
    dst: Option<model::Ip>,
    transport: u32,
    ports: [u16; 2],
    numbers: Option<Numbers>,
}

/// Reads a PDU.
///
/// ```text
/// tag: number u16, length u16, value; a tag 0 is the last; then the PDU
/// ```
pub(super) fn parse(mut bytes: &[u8], missing: usize) -> Pdu<'_> {
    let mut tags = Tags::default();
    while let Some((&[t0, t1, l0, l1], rest)) = bytes.split_first_chunk()
        && let Some((value, rest)) = rest.split_at_checked(u16::from_be_bytes([l0, l1]).into())
    {
        match u16::from_be_bytes([t0, t1]) {
            0 => return tags.pdu(rest, missing),
            tag => tags.take(tag, value),
        }
        bytes = rest;
    }
    Pdu::Other
}

impl<'a> Tags<'a> {
    fn take(&mut self, tag: u16, value: &'a [u8]) {
        let number = || value.first_chunk().map_or(0, |value| u32::from_be_bytes(*value));
        let text = || value.split(|&byte| byte == 0).next().unwrap_or_default();
        let v4 = || value.try_into().ok().map(|octets: [u8; 4]| Ipv4Addr::from(octets).into());
        let v6 = || value.try_into().ok().map(|octets: [u8; 16]| Ipv6Addr::from(octets).into());
        match tag {
            12 => self.dissector = text(),
            14 => self.table = text(),
            20 => self.src = v4(),
            21 => self.dst = v4(),
            22 => self.src = v6(),
            23 => self.dst = v6(),
            24 => self.transport = number(),
            25 => self.ports[0] = number() as u16,
            26 => self.ports[1] = number() as u16,
            32 => self.value = number(),
            34 => self.numbers = Numbers::parse(value),
            _ => {}
        }
    }

    fn pdu(self, payload: &'a [u8], missing: usize) -> Pdu<'a> {
        /// TCP among the protocols of IP.
        const PROTOCOL: u32 = IpNumber::TCP.0 as u32;
        /// Transports (`EXP_PDU_PT_…`).
        const TCP: u32 = 2;
        const UDP: u32 = 3;
        match (self.dissector, self.table, self.value, self.transport) {
            (b"ip" | b"ipv6", ..) => Pdu::Network(Network::Ip(payload)),
            (b"eth" | b"eth_withoutfcs" | b"eth_withfcs" | b"eth_maybefcs", ..) => Pdu::Network(ethernet(payload)),
            (_, b"ethertype", value, _) => Pdu::Network(network(value as u16, payload)),
            (b"tcp", ..) | (_, b"ip.proto", PROTOCOL, _) => self.segment(payload, missing).unwrap_or(Pdu::Other),
            (_, b"ip.proto", ..) => Pdu::Other,
            // Of a tunnel, the ends and the transport are those of the packet in it.
            (_, b"udp.port", ..) => Pdu::Datagram,
            (.., TCP) => self.piece(payload, missing).unwrap_or(Pdu::Other),
            (.., UDP) => Pdu::Datagram,
            _ => Pdu::Other,
        }
    }

    fn segment(&self, payload: &'a [u8], missing: usize) -> Option<Pdu<'a>> {
        let (src, dst) = self.src.zip(self.dst)?;
        let wire_len = payload.len().saturating_add(missing);
        Some(Pdu::Segment(Ip { src, dst, protocol: IpNumber::TCP, id: 0, payload, wire_len }))
    }

    fn piece(&self, payload: &'a [u8], missing: usize) -> Option<Pdu<'a>> {
        let [src, dst] =
            [(self.src?, self.ports[0]), (self.dst?, self.ports[1])].map(|(ip, port)| Endpoint { ip, port });
        let numbers = self.numbers.and_then(|numbers| numbers.of(payload.len().saturating_add(missing)));
        let encap = if self.dissector == b"websocket" { EncapId::WEBSOCKET } else { EncapId::default() };
        let units = match self.dissector {
            b"data" => None,
            b"http2" => Some(Units::Http2),
            _ => Some(Units::WebSocket),
        };
        Some(Pdu::Bytes(Piece { src, dst, numbers, payload, encap, units }))
    }
}

impl Numbers {
    /// ```text
    /// version u16 (1), seq u32, next seq u32, ack u32, whether the PDU was joined u8, flags u16, urgent pointer u16
    /// ```
    fn parse(value: &[u8]) -> Option<Self> {
        let &[0, 1, s0, s1, s2, s3, n0, n1, n2, n3, a0, a1, a2, a3, joined, _, flags, ..] = value else { return None };
        let number = u32::from_be_bytes;
        Some(Self {
            seq: number([s0, s1, s2, s3]),
            next: number([n0, n1, n2, n3]),
            ack: number([a0, a1, a2, a3]),
            joined: joined != 0,
            flags: Flags(flags),
        })
    }

    /// The same if they can be those of so many bytes: some programs write constants. A FIN that stands behind other bytes is left
    /// out, and what begins or breaks off a stream, which has numbers of its own.
    fn of(self, len: usize) -> Option<Self> {
        let spanned = self.next.wrapping_sub(self.seq);
        let exact = u32::try_from(len) == Ok(spanned);
        let kept = Flags::ACK.with(Flags::PSH).with(if exact { Flags::FIN } else { Flags::default() });
        let flags = Flags(self.flags.0 & kept.0);
        (exact || self.joined && spanned > 0).then_some(Self { flags, ..self })
    }
}

/// Where the streams of PDUs without numbers stand.
#[derive(Default)]
pub(super) struct Streams {
    /// By both ends, the lower first.
    all: HashMap<[Endpoint; 2], Stream>,
}

/// A stream of PDUs.
#[derive(Default)]
struct Stream {
    /// What the lower and the higher end sent.
    sent: [Sent; 2],
    is_http2: bool,
    /// The last request of HTTP/1.1, as a hash, and whether its connection was taken over from HTTP: no other request comes in that.
    request: u64,
    is_upgraded: bool,
    /// What is added to the numbers of the conversation at hand, so that it stands far from those before it.
    shift: u32,
}

/// How far one direction has come.
#[derive(Default)]
struct Sent {
    next: u32,
    /// What of the last PDU may come again with more bytes: all of it, or the part behind its last whole frame.
    open: [Open; 2],
}

/// Bytes that may come again; none, if there are none.
#[derive(Default)]
struct Open {
    seq: u32,
    len: usize,
    hash: u64,
}

impl Streams {
    /// The segment that brings a piece of which `missing` more bytes were on the wire; `None` for one without numbers
    /// where there are more than `limit` streams.
    pub(super) fn segment<'a>(
        &mut self,
        piece: &Piece<'a>,
        missing: usize,
        mark: Mark,
        limit: usize,
    ) -> Option<Segment<'a>> {
        let &Piece { src, dst, numbers, payload, encap, units } = piece;
        let cut = u32::try_from(missing).unwrap_or(u32::MAX);
        let ends = if src <= dst { [src, dst] } else { [dst, src] };
        // Nothing is known of its window: it is open.
        let (window, bytes, scale, twice) = (u16::MAX, &[][..], None, Twice::No);
        let segment = |seq, ack, flags| Segment {
            mark,
            src,
            dst,
            seq,
            ack,
            flags,
            window,
            bytes,
            payload,
            cut,
            scale,
            encap,
            twice,
        };
        if self.all.len() >= limit && !self.all.contains_key(&ends) {
            return numbers.map(|numbers| segment(numbers.seq, numbers.ack, numbers.flags));
        }
        let stream = self.all.entry(ends).or_default();
        stream.may_begin_anew(payload);
        stream.is_upgraded |= encap == EncapId::WEBSOCKET;
        let Stream { sent: [low, high], is_http2, shift, .. } = stream;
        *is_http2 |= matches!(units, Some(Units::Http2)) || payload.starts_with(H2_PREFACE);
        let units = units.map(|units| if *is_http2 { Units::Http2 } else { units });
        let (own, other) = if src <= dst { (low, high) } else { (high, low) };
        let (seq, ack, flags) = match numbers {
            Some(numbers) => (numbers.seq.wrapping_add(*shift), numbers.ack.wrapping_add(*shift), numbers.flags),
            None => (own.place(payload), other.next, Flags::ACK.with(Flags::PSH)),
        };
        own.next = seq.wrapping_add(payload.len() as u32).wrapping_add(cut);
        own.open = match units {
            Some(units) if numbers.is_none() => open(payload, seq, units),
            _ => Default::default(),
        };
        Some(segment(seq, ack, flags))
    }
}

impl Stream {
    /// Where another request comes behind an upgrade, the same ends have begun another conversation: it stands far from the one before.
    fn may_begin_anew(&mut self, payload: &[u8]) {
        if payload.starts_with(SWITCHED) {
            self.is_upgraded = true;
        } else if is_request(payload) {
            let request = hash(payload);
            if self.is_upgraded && request != self.request {
                (self.is_upgraded, self.is_http2) = (false, false);
                self.shift = self.shift.wrapping_add(ELSEWHERE);
                for sent in &mut self.sent {
                    *sent = Sent { next: sent.next.wrapping_add(ELSEWHERE), open: Default::default() };
                }
            }
            self.request = request;
        }
    }
}

/// Bytes by which conversations of the same ends are apart.
const ELSEWHERE: u32 = 1 << 30;

/// The answer with which a connection is taken over (RFC 9110 §15.2.2).
const SWITCHED: &[u8] = b"HTTP/1.1 101 ";

/// Whether a PDU begins with the first line of a request of HTTP/1.1 (RFC 9112 §3).
fn is_request(payload: &[u8]) -> bool {
    let begins = payload.first().is_some_and(u8::is_ascii_uppercase);
    begins && payload.split(|&byte| byte == b'\n').next().is_some_and(|line| line.ends_with(b" HTTP/1.1\r"))
}

impl Sent {
    /// Where a PDU without numbers stands: in the place of what it repeats, or behind what there is.
    fn place(&self, payload: &[u8]) -> u32 {
        let repeats = |open: &&Open| {
            open.len > 0 && payload.get(..open.len).is_some_and(|beginning| hash(beginning) == open.hash)
        };
        self.open.iter().find(repeats).map_or(self.next, |open| open.seq)
    }
}

/// What of a PDU a dissector may have wanted more of. Where it ends with a frame, that is nothing.
fn open(payload: &[u8], seq: u32, units: Units) -> [Open; 2] {
    let rest = match units {
        Units::Http2 => unfinished_http2(payload),
        Units::WebSocket => unfinished(payload),
    };
    if rest.is_empty() {
        return Default::default();
    }
    let from = (payload.len() - rest.len()) as u32;
    [(seq, payload), (seq.wrapping_add(from), rest)].map(|(seq, bytes)| Open {
        seq,
        len: bytes.len(),
        hash: hash(bytes),
    })
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// The beginning of a frame of HTTP/2 (RFC 9113 §4.1) whose end is not there, behind whole frames.
fn unfinished_http2(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes.strip_prefix(H2_PREFACE).unwrap_or(bytes);
    while let Some((&[a, b, c, ..], payload)) = bytes.split_first_chunk::<H2_HEAD>()
        && let Some(rest) = payload.get(u32::from_be_bytes([0, a, b, c]) as usize..)
    {
        bytes = rest;
    }
    bytes
}

/// The beginning of a frame of WebSocket (RFC 6455 §5.2) whose end is not there, behind whole frames.
fn unfinished(mut bytes: &[u8]) -> &[u8] {
    while let [_, second, rest @ ..] = bytes {
        let (length, used) = match (second & 0x7f, rest) {
            (126, &[a, b, ..]) => (u16::from_be_bytes([a, b]).into(), 2),
            (127, &[a, b, c, d, e, f, g, h, ..]) => (u64::from_be_bytes([a, b, c, d, e, f, g, h]), 8),
            (126 | 127, _) => return bytes,
            (short, _) => (short.into(), 0),
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let behind = usize::try_from(length).ok().and_then(|length| length.checked_add(used + mask));
        match behind.and_then(|behind| rest.get(behind..)) {
            Some(rest) => bytes = rest,
            None => return bytes,
        }
    }
    bytes
}
