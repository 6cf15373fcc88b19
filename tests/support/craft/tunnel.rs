//! Packets wrapped in tags and tunnels, and cut into fragments.

use super::super::Dice;
use super::wire::Packet;

/// A header around a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tunnel {
    /// TPID and VLAN.
    Vlan(u16, u16),
    /// Labels, outermost first.
    Mpls(Vec<u32>),
    /// The same around a frame, behind a control word.
    MplsFrame(Vec<u32>),
    Pppoe(u16),
    Service(u32),
    /// Its port, flags and policy, and its network.
    Vxlan(u16, [u8; 4], u32),
    /// Its options and its network; around a frame, or the packet itself.
    Geneve {
        options: Vec<u8>,
        network: u32,
        frame: bool,
    },
    /// Its flags, with the fields that they tell of, and its key; around a frame, or the packet itself.
    Gre {
        flags: u8,
        key: u32,
        frame: bool,
    },
    /// Its type, 1 to 3, and its session.
    Erspan(u8, u16),
    /// Its flags, the bytes that they tell of, and the endpoint.
    Gtp(u8, Vec<u8>, u32),
    /// Its indications.
    Teredo(Vec<u8>),
    /// Its flags, what stands before tunnel and session, those, and what stands behind.
    L2tp(u16, [u16; 2], Vec<u8>),
    /// IP in IPv4.
    Ip,
    /// IP in IPv6.
    InIpv6,
    EtherIp,
    /// What is next, and the network.
    VxlanGpe(bool, u32),
    /// GRE in UDP, with its key.
    GreInUdp(u32),
    /// Labels in UDP.
    MplsInUdp(Vec<u32>),
    /// Its fields.
    Tzsp(Vec<u8>),
    /// Its flags, and the call.
    Pptp(u8, u8, u16),
    /// Around a frame, or the packet itself; the context of variable length, or that of a fixed one; the path.
    Nsh {
        frame: bool,
        context: Option<Vec<u8>>,
        path: u32,
    },
    /// The same in VXLAN-GPE, around a frame.
    NshInVxlan(u32),
    /// Its flags, and the instance.
    Lisp(u8, u32),
    /// With the channel's name, and how many bytes check it.
    Macsec(bool, usize),
}

/// What an EtherType announces.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Net {
    ether_type: u16,
    bytes: Vec<u8>,
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const FRAME: u16 = 0x6558;
const NSH: u16 = 0x894f;
const MPLS: u16 = 0x8847;

impl Net {
    fn new(ether_type: u16, parts: &[&[u8]]) -> Self {
        Self { ether_type, bytes: parts.concat() }
    }

    fn frame(&self) -> Vec<u8> {
        [&[6, 6, 6, 6, 6, 1, 6, 6, 6, 6, 6, 2][..], &self.ether_type.to_be_bytes(), &self.bytes].concat()
    }

    fn ppp(&self) -> Vec<u8> {
        let protocol: u16 = if self.ether_type == IPV4 { 0x21 } else { 0x57 };
        [&protocol.to_be_bytes()[..], &self.bytes].concat()
    }

    /// EtherType and bytes of the frame around it, or its own.
    fn framed(&self, frame: bool) -> (u16, Vec<u8>) {
        if frame { (FRAME, self.frame()) } else { (self.ether_type, self.bytes.clone()) }
    }

    /// Its header, with this context or that of a fixed length, and the frame or packet.
    fn nsh(&self, frame: bool, context: Option<&[u8]>, path: u32) -> Vec<u8> {
        let next = match self.ether_type {
            _ if frame => 3,
            IPV4 => 1,
            IPV6 => 2,
            NSH => 4,
            MPLS => 5,
            other => panic!("{other:#x} is not carried"),
        };
        let (kind, context) = context.map_or((1, &[8; 16][..]), |context| (2, context));
        let head = [0x0f, 0xc0 | (2 + context.len() / 4) as u8, kind, next];
        [&head[..], &path.to_be_bytes()[1..], &[255], context, &self.framed(frame).1].concat()
    }

    fn in_ip(protocol: u8, payload: &[u8]) -> Self {
        let total = (20 + payload.len()) as u16;
        let head =
            [&[0x45, 0][..], &total.to_be_bytes(), &[0, 1, 0, 0, 64, protocol, 0, 0, 172, 16, 0, 1, 172, 16, 0, 2]];
        Self::new(IPV4, &[&head.concat(), payload])
    }

    fn in_udp(port: u16, parts: &[&[u8]]) -> Self {
        let payload = parts.concat();
        let head = [50_000, port, 8 + payload.len() as u16, 0].map(u16::to_be_bytes).concat();
        Self::in_ip(17, &[head, payload].concat())
    }
}

fn labels(labels: &[u32]) -> Vec<u8> {
    let entry = |(at, label): (usize, &u32)| (label << 12 | u32::from(at + 1 == labels.len()) << 8 | 64).to_be_bytes();
    labels.iter().enumerate().flat_map(entry).collect()
}

impl Tunnel {
    fn wrap(&self, inner: &Net) -> Net {
        let id = |id: u32| id.to_be_bytes()[1..].to_vec();
        match self {
            Self::Vlan(tpid, vlan) => {
                Net::new(*tpid, &[&vlan.to_be_bytes(), &inner.ether_type.to_be_bytes(), &inner.bytes])
            }
            Self::Mpls(all) => Net::new(0x8847, &[&labels(all), &inner.bytes]),
            Self::MplsFrame(all) => Net::new(0x8847, &[&labels(all), &[0; 4], &inner.frame()]),
            Self::Pppoe(session) => {
                let ppp = inner.ppp();
                Net::new(0x8864, &[&[0x11, 0], &session.to_be_bytes(), &(ppp.len() as u16).to_be_bytes(), &ppp])
            }
            Self::Service(service) => Net::new(0x88e7, &[&[0], &id(*service), &inner.frame()]),
            Self::Vxlan(port, head, network) => Net::in_udp(*port, &[head, &id(*network), &[0], &inner.frame()]),
            Self::Geneve { options, network, frame } => {
                let (ether_type, bytes) = inner.framed(*frame);
                let head = [&[(options.len() / 4) as u8, 0][..], &ether_type.to_be_bytes(), &id(*network), &[0]];
                Net::in_udp(6081, &[&head.concat(), options, &bytes])
            }
            Self::Gre { flags, key, frame } => {
                let (ether_type, bytes) = inner.framed(*frame);
                let field = |flag: u8, field: [u8; 4]| if flags & flag == 0 { Vec::new() } else { field.to_vec() };
                let fields = [field(0x80, [7; 4]), field(0x20, key.to_be_bytes()), field(0x10, [9; 4])].concat();
                Net::in_ip(47, &[&[*flags, 0][..], &ether_type.to_be_bytes(), &fields, &bytes].concat())
            }
            Self::Erspan(kind, session) => {
                let session = session.to_be_bytes();
                let head = match kind {
                    1 => vec![0, 0, 0x88, 0xbe],
                    2 => [&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5][..], &session, &[0; 4]].concat(),
                    _ => [&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5][..], &session, &[0; 7], &[1], &[0; 8]].concat(),
                };
                Net::in_ip(47, &[head, inner.frame()].concat())
            }
            Self::Gtp(flags, more, endpoint) => {
                let length = (more.len() + inner.bytes.len()) as u16;
                let head = [&[*flags, 255][..], &length.to_be_bytes(), &endpoint.to_be_bytes(), more].concat();
                Net::in_udp(2152, &[&head, &inner.bytes])
            }
            Self::Teredo(indications) => Net::in_udp(3544, &[indications, &inner.bytes]),
            Self::L2tp(flags, ids, more) => {
                let (ids, ppp) = (ids.map(u16::to_be_bytes).concat(), inner.ppp());
                let length = if flags & 0x4000 == 0 {
                    Vec::new()
                } else {
                    ((2 + 2 + 4 + more.len() + ppp.len()) as u16).to_be_bytes().to_vec()
                };
                Net::in_udp(1701, &[&flags.to_be_bytes(), &length, &ids, more, &ppp])
            }
            Self::Ip => Net::in_ip(if inner.ether_type == IPV4 { 4 } else { 41 }, &inner.bytes),
            Self::InIpv6 => {
                let next = if inner.ether_type == IPV4 { 4 } else { 41 };
                let length = (inner.bytes.len() as u16).to_be_bytes();
                let ends = [[0x20, 1, 0xd, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]; 2].concat();
                Net::new(IPV6, &[&[0x60, 0, 0, 0], &length, &[next, 64], &ends, &inner.bytes])
            }
            Self::VxlanGpe(frame, network) => {
                let next = if *frame { 3 } else { 1 + u8::from(inner.ether_type == IPV6) };
                Net::in_udp(4790, &[&[0x0c, 0, 0, next], &id(*network), &[0], &inner.framed(*frame).1])
            }
            Self::GreInUdp(key) => {
                Net::in_udp(4754, &[&[0x20, 0], &inner.ether_type.to_be_bytes(), &key.to_be_bytes(), &inner.bytes])
            }
            Self::MplsInUdp(all) => Net::in_udp(6635, &[&labels(all), &inner.bytes]),
            Self::Tzsp(fields) => Net::in_udp(37_008, &[&[1, 0, 0, 1], fields, &[1], &inner.frame()]),
            Self::Pptp(number, acknowledgement, call) => {
                let ppp = inner.ppp();
                let fields = vec![7; 4 * (usize::from(*number > 0) + usize::from(*acknowledgement > 0))];
                let head = [0x20 | number, 1 | acknowledgement, 0x88, 0x0b];
                let length = (ppp.len() as u16).to_be_bytes();
                Net::in_ip(47, &[&head[..], &length, &call.to_be_bytes(), &fields, &ppp].concat())
            }
            Self::Nsh { frame, context, path } => Net::new(NSH, &[&inner.nsh(*frame, context.as_deref(), *path)]),
            Self::NshInVxlan(path) => {
                let nsh = inner.nsh(true, None, *path);
                Net::in_udp(4790, &[&[0x0c, 0, 0, 4, 0, 0, 9, 0], &nsh])
            }
            Self::Lisp(flags, instance) => Net::in_udp(4341, &[&[*flags, 1, 2, 3], &id(*instance), &[9], &inner.bytes]),
            Self::Macsec(channel, check) => {
                let channel = if *channel { [&[6; 6][..], &[0, 1]].concat() } else { vec![] };
                let head = [&[if channel.is_empty() { 0x01 } else { 0x21 }, 0, 0, 0, 0, 7][..], &channel].concat();
                Net::new(0x88e5, &[&head, &inner.ether_type.to_be_bytes(), &inner.bytes, &vec![0x5a; *check]])
            }
            Self::EtherIp => Net::in_ip(97, &[&[0x30, 0][..], &inner.frame()].concat()),
        }
    }
}

/// A packet over untagged Ethernet as an IP packet, and back.
fn unframed(packet: &Packet) -> Net {
    assert_eq!(packet.link, 1);
    let ether_type = u16::from_be_bytes([packet.bytes[12], packet.bytes[13]]);
    Net { ether_type, bytes: packet.bytes[14..].to_vec() }
}

/// An Ethernet packet wrapped in tunnels, outermost first.
pub(crate) fn wrapped(packet: &Packet, tunnels: &[Tunnel]) -> Packet {
    let net = tunnels.iter().rev().fold(unframed(packet), |net, tunnel| tunnel.wrap(&net));
    Packet::new(packet.time, 1, net.frame())
}

/// An Ethernet packet's IP packet in fragments of at most that many bytes of payload, in order, all at the packet's time.
pub(crate) fn fragmented(packet: &Packet, most: usize, id: u32) -> Vec<Packet> {
    let net = unframed(packet);
    let is_v4 = net.ether_type == IPV4;
    let (head, payload) = net.bytes.split_at(if is_v4 { usize::from(net.bytes[0] & 15) * 4 } else { 40 });
    let most = most / 8 * 8;
    let fragment = |(at, piece): (usize, &[u8])| {
        let place = (at * most / 8) as u16;
        let more = at * most + piece.len() < payload.len();
        let mut head = head.to_vec();
        let mut between = Vec::new();
        if is_v4 {
            let total = (head.len() + piece.len()) as u16;
            head[2..4].copy_from_slice(&total.to_be_bytes());
            head[4..6].copy_from_slice(&(id as u16).to_be_bytes());
            head[6..8].copy_from_slice(&(place | u16::from(more) << 13).to_be_bytes());
        } else {
            head[4..6].copy_from_slice(&((8 + piece.len()) as u16).to_be_bytes());
            between = [&[head[6], 0][..], &(place << 3 | u16::from(more)).to_be_bytes(), &id.to_be_bytes()].concat();
            head[6] = 44;
        }
        let bytes = [&packet.bytes[..14], &head, &between, piece].concat();
        Packet::new(packet.time, 1, bytes)
    };
    payload.chunks(most).enumerate().map(fragment).collect()
}

/// All packets in fragments, those of one packet in any order.
pub(crate) fn all_fragmented(packets: &[Packet], most: usize, dice: &mut Dice) -> Vec<Packet> {
    let mut out = Vec::new();
    for (id, packet) in packets.iter().enumerate() {
        let mut fragments = fragmented(packet, most, id as u32);
        while !fragments.is_empty() {
            out.push(fragments.swap_remove(dice.below(fragments.len())));
        }
    }
    out
}

/// One of each kind, in every shape that it may have.
pub(crate) fn tunnels() -> Vec<Tunnel> {
    let gre = |flags, key, frame| Tunnel::Gre { flags, key, frame };
    let nsh = |frame, context| Tunnel::Nsh { frame, context, path: 42 };
    let geneve = |options: &[u8], frame| Tunnel::Geneve { options: options.to_vec(), network: 5003, frame };
    vec![
        Tunnel::Vlan(0x8100, 0x0007),
        Tunnel::Vlan(0x88a8, 0xe064),
        Tunnel::Mpls(vec![100_000]),
        Tunnel::Mpls(vec![100_000, 16, 0, 200, 7, 99]),
        Tunnel::MplsFrame(vec![17, 18]),
        Tunnel::Pppoe(4711),
        Tunnel::Service(70_000),
        Tunnel::Vxlan(4789, [8, 0, 0, 0], 5001),
        Tunnel::Vxlan(8472, [8, 0, 0, 0], 0xff_ffff),
        Tunnel::Vxlan(4789, [0x88, 0x48, 1, 2], 5002),
        geneve(&[], true),
        geneve(&[1, 2, 3, 1, 9, 9, 9, 9, 0, 0, 0x80, 0], false),
        gre(0, 0, false),
        gre(0xb0, 7, false),
        gre(0x20, 7, true),
        gre(0x20, 0x1234_5678, true),
        Tunnel::Erspan(1, 0),
        Tunnel::Erspan(2, 5),
        Tunnel::Erspan(3, 1023),
        Tunnel::Gtp(0x30, vec![], 0xdead_beef),
        Tunnel::Gtp(0x32, vec![0, 1, 0, 0], 1),
        Tunnel::Gtp(0x34, vec![0, 0, 0, 0x85, 1, 0, 9, 0x40, 2, 0, 0, 0, 0, 0, 0, 0], 1),
        Tunnel::L2tp(0x0002, [12, 34], vec![]),
        Tunnel::L2tp(0x4b02, [12, 34], vec![0, 1, 0, 2, 0, 3, 9, 9, 9, 0xff, 3]),
        Tunnel::Ip,
        Tunnel::InIpv6,
        Tunnel::EtherIp,
        Tunnel::VxlanGpe(true, 5004),
        Tunnel::VxlanGpe(false, 5005),
        Tunnel::GreInUdp(77),
        Tunnel::MplsInUdp(vec![100_001, 17]),
        Tunnel::Tzsp(vec![]),
        Tunnel::Tzsp(vec![0, 10, 2, 9, 9, 0, 60, 0]),
        Tunnel::Pptp(0x10, 0x80, 4242),
        Tunnel::Pptp(0x10, 0, 4243),
        nsh(true, None),
        nsh(false, None),
        nsh(false, Some(vec![])),
        nsh(true, Some(vec![0, 1, 2, 4, 9, 9, 9, 9])),
        Tunnel::NshInVxlan(8),
        Tunnel::Lisp(0, 0),
        Tunnel::Lisp(0xe8, 77),
        Tunnel::Lisp(0x50, 0),
        Tunnel::Macsec(false, 16),
        Tunnel::Macsec(true, 8),
    ]
}
