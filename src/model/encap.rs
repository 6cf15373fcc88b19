//! What a packet is wrapped in on its way: VLAN tags, labels and tunnels.

use std::fmt;

/// One header around a packet that tells networks apart, with what it calls its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encap {
    /// IEEE 802.1Q and 802.1ad: the VLAN.
    Vlan(u16),
    /// IEEE 802.1ah: the service.
    Service(u32),
    /// RFC 3032: the last label, by which networks are told apart (RFC 4364 §4.3.2).
    Mpls(u32),
    /// RFC 2516: the session.
    Pppoe(u16),
    /// RFC 7348: the network.
    Vxlan(u32),
    /// RFC 8926: the network.
    Geneve(u32),
    /// RFC 2890: the key, where there is one.
    Gre(Option<u32>),
    /// RFC 7637: the virtual subnet.
    Nvgre(u32),
    /// The session of a mirror port, where its type has one, and the VLAN that the frame came from; 0: none.
    Erspan(Option<u16>, u16),
    /// 3GPP TS 29.281: the tunnel endpoint, another one for each direction.
    Gtp(u32),
    /// RFC 2661: tunnel and session, others for each direction.
    L2tp(u16, u16),
    /// RFC 2003, RFC 2473: IPv4 in IP.
    Ipv4,
    /// RFC 4213, RFC 2473: IPv6 in IP.
    Ipv6,
    /// RFC 4380: IPv6 in UDP.
    Teredo,
    /// RFC 3378: Ethernet in IP.
    EtherIp,
    /// TaZmen Sniffer Protocol: packets that a router mirrors.
    Tzsp,
    /// RFC 8300: the path through services, another one for each direction.
    Nsh(u32),
    /// RFC 9300: the instance, 0 where none is named.
    Lisp(u32),
}

impl Encap {
    /// Whether a number tells it from others of its kind. Where mirrors send, or relays that may be others each way, it needs none.
    pub const fn has_number(&self) -> bool {
        !matches!(self, Self::Gre(None) | Self::Ipv4 | Self::Ipv6 | Self::EtherIp)
    }

    /// What it is, without its numbers: `vxlan`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Vlan(_) => "vlan",
            Self::Service(_) => "802.1ah",
            Self::Mpls(_) => "mpls",
            Self::Pppoe(_) => "pppoe",
            Self::Vxlan(_) => "vxlan",
            Self::Geneve(_) => "geneve",
            Self::Gre(_) => "gre",
            Self::Nvgre(_) => "nvgre",
            Self::Erspan(..) => "erspan",
            Self::Gtp(_) => "gtp",
            Self::L2tp(..) => "l2tp",
            Self::Ipv4 => "ipv4-in-ip",
            Self::Ipv6 => "ipv6-in-ip",
            Self::Teredo => "teredo",
            Self::EtherIp => "etherip",
            Self::Tzsp => "tzsp",
            Self::Nsh(_) => "nsh",
            Self::Lisp(_) => "lisp",
        }
    }
}

impl fmt::Display for Encap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vlan(id) => write!(f, "vlan {id}"),
            Self::Service(id) => write!(f, "i-sid {id}"),
            Self::Mpls(label) => write!(f, "mpls {label}"),
            Self::Pppoe(session) => write!(f, "pppoe {session}"),
            Self::Vxlan(id) => write!(f, "vxlan {id}"),
            Self::Geneve(id) => write!(f, "geneve {id}"),
            Self::Gre(Some(key)) => write!(f, "gre {key}"),
            Self::Nvgre(id) => write!(f, "nvgre {id}"),
            Self::Erspan(Some(session), 0) => write!(f, "erspan {session}"),
            Self::Erspan(Some(session), vlan) => write!(f, "erspan {session}/{vlan}"),
            Self::Gtp(endpoint) => write!(f, "gtp 0x{endpoint:08x}"),
            Self::L2tp(tunnel, session) => write!(f, "l2tp {tunnel}/{session}"),
            Self::Nsh(path) => write!(f, "nsh {path}"),
            Self::Lisp(instance) => write!(f, "lisp {instance}"),
            Self::Gre(None)
            | Self::Erspan(None, _)
            | Self::Ipv4
            | Self::Ipv6
            | Self::Teredo
            | Self::EtherIp
            | Self::Tzsp => f.write_str(self.kind()),
        }
    }
}

/// What a packet is wrapped in, as a small number that a [`Segment`](super::Segment) has room for; 0 is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct EncapId(pub u16);

impl EncapId {
    /// Frames of WebSocket, as a PDU that Wireshark exported says: in no tag, but apart from what the same ends say otherwise.
    pub const WEBSOCKET: Self = Self(u16::MAX);
}
