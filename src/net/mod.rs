//! Packets → TCP segments: link headers, tags and tunnels, IP and its fragments, TCP, and the TCP headers that ICMP errors
//! quote.
//!
//! Nothing is dropped for a checksum: captures made on the sending host have wrong ones.

mod encaps;
mod ether;
mod exported;
mod fragments;
mod icmp;
mod ip;
mod link;
mod tcp;
mod tunnel;
mod twice;
mod udp;

use crate::model::{
    Encap, EncapId, Endpoint, FileNote, Flags, Limits, LinkType, Mark, NoteCode, Packet, PacketNo, Segment, Tally,
    Traffic, count, size,
};
use encaps::{Encaps, Way};
use ether::{MAX_TAGS, Network};
use etherparse::IpNumber;
use exported::Pdu;
use fragments::{Fragment, Room};
use ip::{Ip, Unread};
use link::{Link, Msdus};
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// What it is wrapped in.
    pub encap: EncapId,
}

/// Packets that were put together from fragments: what is decoded may lie in them. Fragments may be wrapped in fragments.
#[derive(Debug, Default)]
pub struct Whole([Vec<u8>; 4]);

/// The packets in an aggregate of IEEE 802.11 (A-MSDU), for [`Decoder::next_part`].
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    msdus: Msdus<'a>,
    /// Number and time of the packet that has them.
    mark: Mark,
}

/// Turns packets into segments and counts what cannot be.
#[derive(Default)]
pub struct Decoder {
    /// The row of the last packet's link type: most captures have one.
    link: Option<&'static Link>,
    seen: Traffic,
    unknown: BTreeMap<LinkType, Tally>,
    cut: Tally,
    fragments: Room,
    /// The last packet that completed one which came in fragments, and those before it that brought parts.
    completed: (PacketNo, Vec<PacketNo>),
    /// Fragments that say otherwise than those before them.
    torn: Tally,
    encaps: Encaps,
    last: twice::Last,
    too_deep: Tally,
    encrypted: Tally,
    damaged: Tally,
    frame_fragments: Tally,
    exported: exported::Streams,
    /// Exported PDUs without numbers, of more streams than the limit allows.
    beyond: Tally,
    limits: Limits,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// What `packet` is to TCP. Where it completes a packet that came in fragments, that is put into `whole`.
    ///
    /// Inlined always: handed over in memory, a segment is written in pieces and read back whole, and the processor waits.
    #[inline(always)]
    pub fn decode<'a>(&mut self, packet: &Packet<'a>, whole: &'a mut Whole) -> Decoded<'a> {
        self.seen.packets += 1;
        self.seen.bytes += packet.bytes.len() as u64;
        let missing = packet.orig_len.saturating_sub(packet.bytes.len());
        self.seen.missing += missing as u64;
        if missing > 0 {
            self.cut.add(1, packet.mark);
        }
        let network = self.network(packet);
        if let Network::Ip(bytes) = network
            && let Some(ip) = ip::plain(bytes, missing)
            && ip.protocol == IpNumber::TCP
        {
            return self.segment(&ip, packet.mark, EncapId::default());
        }
        self.unusual(network, missing, packet.mark, &mut whole.0)
    }

    #[inline(always)]
    fn segment<'a>(&mut self, ip: &Ip<'a>, mark: Mark, encap: EncapId) -> Decoded<'a> {
        self.seen.tcp += 1;
        match tcp::segment(ip, mark, encap) {
            Decoded::Segment(segment) => {
                let twice = self.last.saw(&segment, ip.id);
                Decoded::Segment(Segment { twice, ..segment })
            }
            other => other,
        }
    }

    /// What the next of several packets is to TCP; `None` behind the last one.
    pub fn next_part<'w, 'a: 'w>(&mut self, parts: &mut Parts<'a>, whole: &'w mut Whole) -> Option<Decoded<'w>> {
        let (network, missing) = parts.msdus.next()?;
        Some(self.unusual(network, missing, parts.mark, &mut whole.0))
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

    /// Anything but TCP that stands directly behind one IP header.
    #[inline(never)]
    fn unusual<'a>(
        &mut self,
        network: Network<'a>,
        missing: usize,
        mark: Mark,
        whole: &'a mut [Vec<u8>],
    ) -> Decoded<'a> {
        self.behind(network, missing, &mut Way::new(mark), whole)
    }

    /// What stands behind a header of which `missing` more bytes were on the wire, through tags and labels.
    fn behind<'a>(
        &mut self,
        mut network: Network<'a>,
        missing: usize,
        way: &mut Way,
        whole: &'a mut [Vec<u8>],
    ) -> Decoded<'a> {
        for _ in 0..MAX_TAGS {
            let Network::Wrapped(ether_type, bytes) = network else { break };
            let (encap, inside) = ether::inside(ether_type, bytes);
            network = if way.enter(encap) { inside } else { Network::TooDeep };
        }
        let tally = match network {
            Network::Ip(bytes) => return self.packet(bytes, missing, way, whole),
            Network::Amsdu(body) => return Decoded::Several(Parts { msdus: Msdus::new(body), mark: way.mark }),
            Network::Exported(bytes) => return self.exported(bytes, missing, way, whole),
            Network::Arp => {
                self.seen.arp += 1;
                return Decoded::Other;
            }
            Network::Other => None,
            Network::TooDeep | Network::Wrapped(..) => Some(&mut self.too_deep),
            Network::Fragment => Some(&mut self.frame_fragments),
            Network::Encrypted => Some(&mut self.encrypted),
            Network::Damaged => Some(&mut self.damaged),
            Network::Unknown(link) => Some(self.unknown.entry(link).or_default()),
        };
        self.seen.other += 1;
        if let Some(tally) = tally {
            tally.add(1, way.mark);
        }
        Decoded::Other
    }

    /// A PDU that Wireshark exported.
    fn exported<'a>(
        &mut self,
        bytes: &'a [u8],
        missing: usize,
        way: &mut Way,
        whole: &'a mut [Vec<u8>],
    ) -> Decoded<'a> {
        match exported::parse(bytes, missing) {
            Pdu::Network(network) => return self.behind(network, missing, way, whole),
            Pdu::Segment(ip) => return self.carried(&ip, way, whole),
            Pdu::Bytes(piece) => {
                self.seen.tcp += 1;
                match self.exported.segment(&piece, missing, way.mark, self.limits.exported_streams) {
                    Some(segment) => return Decoded::Segment(segment),
                    None => self.beyond.add(1, way.mark),
                }
            }
            Pdu::Datagram => self.seen.udp += 1,
            Pdu::Other => self.seen.other += 1,
        }
        Decoded::Other
    }

    fn packet<'a>(&mut self, bytes: &'a [u8], missing: usize, way: &mut Way, whole: &'a mut [Vec<u8>]) -> Decoded<'a> {
        match ip::parse(bytes, missing) {
            Ok(ip) => self.carried(&ip, way, whole),
            Err(why) => self.unread(why, way, whole),
        }
    }

    /// What an IP packet carries.
    fn carried<'a>(&mut self, ip: &Ip<'a>, way: &mut Way, whole: &'a mut [Vec<u8>]) -> Decoded<'a> {
        match ip.protocol {
            IpNumber::TCP => {
                let encap = self.encaps.number(way, &self.limits);
                self.segment(ip, way.mark, encap)
            }
            IpNumber::ICMP | IpNumber::IPV6_ICMP => {
                self.seen.icmp += 1;
                icmp::quoted(ip, way.mark, self.encaps.number(way, &self.limits))
            }
            IpNumber::UDP => match tunnel::over_udp(ip) {
                Some(inside) => self.tunnel(ip, inside, way, whole),
                None => {
                    self.seen.udp += 1;
                    self.seen.dtls += u64::from(udp::is_dtls(ip.payload));
                    self.seen.quic += u64::from(udp::is_quic(ip.payload));
                    Decoded::Other
                }
            },
            _ => match tunnel::over_ip(ip) {
                Some(inside) => self.tunnel(ip, inside, way, whole),
                None => {
                    self.seen.other_ip += 1;
                    Decoded::Other
                }
            },
        }
    }

    /// What a tunnel carries in a packet.
    fn tunnel<'a>(
        &mut self,
        outer: &Ip<'a>,
        (encap, network): (Encap, Network<'a>),
        way: &mut Way,
        whole: &'a mut [Vec<u8>],
    ) -> Decoded<'a> {
        let missing = outer.wire_len.saturating_sub(outer.payload.len());
        let network = if way.enter_tunnel(encap, [outer.src, outer.dst]) { network } else { Network::TooDeep };
        self.behind(network, missing, way, whole)
    }

    #[cold]
    fn unread<'a>(&mut self, why: Unread<'_>, way: &mut Way, whole: &'a mut [Vec<u8>]) -> Decoded<'a> {
        match why {
            Unread::Fragment(fragment) => return self.fragment(&fragment, way, whole),
            Unread::TooDeep => {
                self.seen.other_ip += 1;
                self.too_deep.add(1, way.mark);
            }
            Unread::Bad => self.seen.other_ip += 1,
        }
        Decoded::Other
    }

    /// The packets that brought parts of what this one completed.
    pub fn parts_before(&self, packet: PacketNo) -> &[PacketNo] {
        if self.completed.0 == packet { &self.completed.1 } else { &[] }
    }

    /// A fragment, and what it completes.
    fn fragment<'a>(&mut self, fragment: &Fragment<'_>, way: &mut Way, whole: &'a mut [Vec<u8>]) -> Decoded<'a> {
        let encap = self.encaps.number(way, &self.limits);
        let packet = way.mark.packet;
        let mut packets = self.parts_before(packet).to_vec();
        packets.push(packet);
        let added = self.fragments.add(fragment, encap, (way.mark, &packets), &self.limits);
        if added.disagrees {
            self.torn.add(1, way.mark);
        }
        let is_whole = added.whole.is_some();
        let Some((completed, (place, rest))) = added.whole.zip(whole.split_first_mut()) else {
            self.seen.fragments += 1;
            if is_whole {
                self.too_deep.add(1, way.mark);
            }
            return Decoded::Other;
        };
        *place = completed.payload;
        self.completed = (packet, added.packets);
        self.completed.1.retain(|&part| part != packet);
        let ip = Ip {
            src: fragment.src,
            dst: fragment.dst,
            protocol: IpNumber(completed.protocol),
            id: 0,
            payload: place,
            wire_len: completed.wire_len,
        };
        match ip::extensions(ip) {
            Ok(ip) => self.carried(&ip, way, rest),
            Err(why) => self.unread(why, way, rest),
        }
    }

    /// All that packets were wrapped in so far, outermost first, by the numbers of [`EncapId`] from 1.
    pub fn encaps(&self) -> &[Arc<[Encap]>] {
        self.encaps.all()
    }

    /// How many packets there were of each kind.
    pub fn seen(&self) -> Traffic {
        self.seen
    }

    /// The findings about all packets so far, one of a kind. To be asked for at the end.
    pub fn notes(&self) -> Vec<FileNote> {
        let note = |code, tally: &Tally, what: &str| {
            let words = |packets, first| format!("{what}: {}, first packet {first}", count(packets, "packet"));
            tally.note(code, words)
        };
        let unsupported = |(&link, tally): (&LinkType, &Tally)| {
            let text = format!("link type {} ({}) is not supported", link.0, link::name(link));
            note(NoteCode::LinkUnknown, tally, &text)
        };
        let (lost, crowded_out) = self.fragments.lost();
        let Limits { fragment_total, encaps, .. } = self.limits;
        let crowd = format!(
            "packets were given up because fragments of more than {} waited (limit fragment-total)",
            size(fragment_total as u64)
        );
        let untold =
            format!("more than {encaps} kinds of tags and tunnels: those of others are not told apart (limit encaps)");
        let rows = [
            (
                NoteCode::LinkUnknown,
                self.unknown.values().skip(TOLD).fold(Tally::default(), Tally::with),
                "other link types are not supported either",
            ),
            (NoteCode::LinkUnknown, self.frame_fragments, "fragments of IEEE 802.11 frames are not put together"),
            (
                NoteCode::LinkUnknown,
                self.damaged,
                "frames of IEEE 802.11 whose check sequence is wrong, as the capture says, are not read",
            ),
            (NoteCode::LinkEncrypted, self.encrypted, "frames are encrypted by the link"),
            (
                NoteCode::TcpLimit,
                self.beyond,
                "exported PDUs belong to more streams than are told apart (limit exported-streams)",
            ),
            (
                NoteCode::LinkUnknown,
                self.too_deep,
                "more tags, tunnels, fragments in fragments or IPv6 extension headers than are looked through",
            ),
            (
                NoteCode::PacketCut,
                self.cut,
                "packets were cut by the snap length: their last bytes are not in the capture",
            ),
            (NoteCode::IpFragment, lost, "packets of which not all fragments came"),
            (NoteCode::IpFragment, crowded_out, &crowd),
            (NoteCode::IpOverlap, self.torn, "fragments say otherwise than those before them"),
            (NoteCode::EncapLimit, self.encaps.untold, &untold),
        ];
        let unknown = self.unknown.iter().take(TOLD).filter_map(unsupported);
        unknown.chain(rows.iter().filter_map(|(code, tally, what)| note(*code, tally, what))).collect()
    }
}
