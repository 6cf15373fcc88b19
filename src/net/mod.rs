//! Packets → TCP segments: link headers, IP, TCP, and the TCP headers that ICMP errors quote.
//!
//! Nothing is dropped for a checksum: captures made on the sending host have wrong ones.

mod ether;
mod icmp;
mod ip;
mod link;
mod tcp;
mod udp;

use crate::model::{Endpoint, FileNote, Flags, LinkType, Mark, NoteCode, Packet, Segment, Traffic, count};
use ether::Network;
use etherparse::IpNumber;
use ip::Unread;
use link::{Link, Msdus};
use std::collections::BTreeMap;

/// The name of a link type, as registered, without `LINKTYPE_`: `ETHERNET`, `USER0`, `unknown`.
pub fn link_name(link: LinkType) -> String {
    link::name(link)
}

/// Link types that are told one by one.
const TOLD: usize = 8;

/// What a packet is to TCP.
#[derive(Debug, Clone, Copy)]
pub enum Decoded<'a> {
    /// A segment.
    Segment(Segment<'a>),
    /// A header that brings no bytes and yet takes part in the numbering of streams.
    Header(Header),
    /// Several packets in one.
    Several(Parts<'a>),
    /// No TCP, or not enough of it.
    Other,
}

/// A TCP header that an ICMP error quotes, or whose data offset is impossible.
///
/// Wireshark (4.0.17, measured) numbers it as it numbers a segment: it belongs to the stream of its addresses and ports, in
/// either direction; it begins a new one when there is none, or when it is a SYN without ACK and its number is not that of
/// the SYN which began the stream. Unlike a segment it never tells a stream that number: the first SYN captured after a
/// quoted one joins its stream, whatever its number. Sixteen bytes of the header suffice; shorter ones are numbered never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Number and time of the packet that has it.
    pub mark: Mark,
    /// The sender of the quoted segment.
    pub src: Endpoint,
    /// Its receiver.
    pub dst: Endpoint,
    /// Its sequence number.
    pub seq: u32,
    /// Its control bits.
    pub flags: Flags,
}

/// The packets in an aggregate of IEEE 802.11 (A-MSDU), for [`Decoder::next_part`].
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    msdus: Msdus<'a>,
    /// Number and time of the packet that has them.
    mark: Mark,
}

/// Some packets of a kind: how many, and the first.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    count: u64,
    first: Mark,
}

impl Tally {
    fn add(&mut self, mark: Mark) {
        if self.count == 0 {
            self.first = mark;
        }
        self.count += 1;
    }

    fn with(self, other: &Self) -> Self {
        Self { count: self.count + other.count, first: if self.count == 0 { other.first } else { self.first } }
    }

    /// The finding that `what` happened to these packets, if there are any.
    fn note(&self, code: NoteCode, what: &str) -> Option<FileNote> {
        let text = format!("{what}: {}, first packet {}", count(self.count, "packet"), self.first.packet);
        (self.count > 0).then_some(FileNote { code, at: self.first, text })
    }
}

/// Turns packets into segments and counts what cannot be.
#[derive(Default)]
pub struct Decoder {
    /// The row of the last packet's link type: most captures have one.
    link: Option<&'static Link>,
    seen: Traffic,
    unknown: BTreeMap<LinkType, Tally>,
    cut: Tally,
    fragments: Tally,
    too_deep: Tally,
    encrypted: Tally,
    frame_fragments: Tally,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What `packet` is to TCP.
    ///
    /// Inlined always: handed over in memory, a segment is written in pieces and read back whole, and the processor waits.
    #[inline(always)]
    pub fn decode<'a>(&mut self, packet: &Packet<'a>) -> Decoded<'a> {
        self.seen.packets += 1;
        self.seen.bytes += packet.bytes.len() as u64;
        let missing = packet.orig_len.saturating_sub(packet.bytes.len());
        self.seen.missing += missing as u64;
        if missing > 0 {
            self.cut.add(packet.mark);
        }
        match self.network(packet) {
            Network::Ip(bytes) => self.ip(bytes, missing, packet.mark),
            other => self.no_ip(&other, packet.mark),
        }
    }

    /// What the next of several packets is to TCP; `None` behind the last one.
    pub fn next_part<'a>(&mut self, parts: &mut Parts<'a>) -> Option<Decoded<'a>> {
        let (network, missing) = parts.msdus.next()?;
        Some(match network {
            Network::Ip(bytes) => self.unusual(bytes, missing, parts.mark),
            other => self.no_ip(&other, parts.mark),
        })
    }

    /// A packet that does not begin with IP behind its link header.
    #[inline(never)]
    fn no_ip<'a>(&mut self, network: &Network<'a>, mark: Mark) -> Decoded<'a> {
        let tally = match *network {
            Network::Amsdu(body) => return Decoded::Several(Parts { msdus: Msdus::new(body), mark }),
            Network::Arp => {
                self.seen.arp += 1;
                return Decoded::Other;
            }
            Network::Ip(_) | Network::Other => None,
            Network::TooDeep => Some(&mut self.too_deep),
            Network::Fragment => Some(&mut self.frame_fragments),
            Network::Encrypted => Some(&mut self.encrypted),
            Network::Unknown(link) => Some(self.unknown.entry(link).or_default()),
        };
        self.seen.other += 1;
        if let Some(tally) = tally {
            tally.add(mark);
        }
        Decoded::Other
    }

    /// Looks behind the link header.
    #[inline(always)]
    fn network<'a>(&mut self, packet: &Packet<'a>) -> Network<'a> {
        match self.link {
            Some(link) if link.link == packet.link => (link.parse)(packet.bytes),
            _ => match link::find(packet.link) {
                Some(link) => {
                    self.link = Some(link);
                    (link.parse)(packet.bytes)
                }
                None => Network::Unknown(packet.link),
            },
        }
    }

    #[inline(always)]
    fn ip<'a>(&mut self, bytes: &'a [u8], missing: usize, mark: Mark) -> Decoded<'a> {
        if let Ok(ip) = ip::plain(bytes, missing)
            && ip.protocol == IpNumber::TCP
        {
            self.seen.tcp += 1;
            return tcp::segment(&ip, mark);
        }
        self.unusual(bytes, missing, mark)
    }

    /// Anything but TCP that stands directly behind the IP header.
    #[inline(never)]
    fn unusual<'a>(&mut self, bytes: &'a [u8], missing: usize, mark: Mark) -> Decoded<'a> {
        let ip = match ip::parse(bytes, missing) {
            Ok(ip) => ip,
            Err(why) => return self.unread(why, mark),
        };
        match ip.protocol {
            IpNumber::TCP => {
                self.seen.tcp += 1;
                tcp::segment(&ip, mark)
            }
            IpNumber::ICMP | IpNumber::IPV6_ICMP => {
                self.seen.icmp += 1;
                icmp::quoted(&ip, mark)
            }
            IpNumber::UDP => {
                self.seen.udp += 1;
                self.seen.dtls += u64::from(udp::is_dtls(ip.payload));
                self.seen.quic += u64::from(udp::is_quic(ip.payload));
                Decoded::Other
            }
            _ => {
                self.seen.other_ip += 1;
                Decoded::Other
            }
        }
    }

    #[cold]
    fn unread<'a>(&mut self, why: Unread, mark: Mark) -> Decoded<'a> {
        match why {
            Unread::Fragment => {
                self.seen.fragments += 1;
                self.fragments.add(mark);
            }
            Unread::TooDeep => {
                self.seen.other_ip += 1;
                self.too_deep.add(mark);
            }
            Unread::Bad => self.seen.other_ip += 1,
        }
        Decoded::Other
    }

    /// How many packets there were of each kind.
    pub fn seen(&self) -> Traffic {
        self.seen
    }

    /// The findings about all packets so far, one of a kind. To be asked for at the end.
    pub fn notes(&self) -> Vec<FileNote> {
        let unsupported = |(&link, tally): (&LinkType, &Tally)| {
            let text = format!("link type {} ({}) is not supported", link.0, link::name(link));
            tally.note(NoteCode::LinkUnknown, &text)
        };
        let rows = [
            (
                NoteCode::LinkUnknown,
                self.unknown.values().skip(TOLD).fold(Tally::default(), Tally::with),
                "other link types are not supported either",
            ),
            (NoteCode::LinkUnknown, self.frame_fragments, "fragments of IEEE 802.11 frames are not put together"),
            (NoteCode::LinkEncrypted, self.encrypted, "frames are encrypted by the link"),
            (NoteCode::LinkUnknown, self.too_deep, "more VLAN tags or IPv6 extension headers than are looked through"),
            (
                NoteCode::PacketCut,
                self.cut,
                "packets were cut by the snap length: their last bytes are not in the capture",
            ),
            (NoteCode::IpFragment, self.fragments, "IP fragments are not put together; their bytes are missing"),
        ];
        let unknown = self.unknown.iter().take(TOLD).filter_map(unsupported);
        unknown.chain(rows.iter().filter_map(|(code, tally, what)| tally.note(*code, what))).collect()
    }
}
