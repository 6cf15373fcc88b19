//! What a stream went through before it reached the place where it was captured, or goes through behind it.

use super::flow::Endpoint;
use std::fmt;

/// How a stream is led.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// The proxies, in the order in which they are spoken to.
    pub hops: Vec<Hop>,
    /// The client as the last proxy before this stream names it, where that is not the stream's own end.
    pub client: Option<Endpoint>,
}

/// One proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// What is spoken with it.
    pub kind: HopKind,
    /// Where it is asked to lead to, `example.test:80`; for the PROXY protocol the address that the stream itself comes from.
    pub address: String,
}

/// What is spoken with a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HopKind {
    /// HTTP CONNECT (RFC 9110 §9.3.6).
    Connect,
    /// SOCKS 4 or 4a.
    Socks4,
    /// SOCKS 5 (RFC 1928).
    Socks5,
    /// HAProxy's PROXY protocol, as text.
    ProxyV1,
    /// HAProxy's PROXY protocol, binary.
    ProxyV2,
}

impl HopKind {
    /// The name in records: `connect`, `socks4`, `socks5`, `proxy-v1`, `proxy-v2`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Socks4 => "socks4",
            Self::Socks5 => "socks5",
            Self::ProxyV1 => "proxy-v1",
            Self::ProxyV2 => "proxy-v2",
        }
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, preposition) = match self.kind {
            HopKind::Connect => ("CONNECT", "to"),
            HopKind::Socks4 => ("SOCKS 4", "to"),
            HopKind::Socks5 => ("SOCKS 5", "to"),
            HopKind::ProxyV1 => ("PROXY v1", "from"),
            HopKind::ProxyV2 => ("PROXY v2", "from"),
        };
        write!(f, "{what} {preposition} {}", self.address)
    }
}

impl Route {
    /// Hops that are remembered: tunnels may be nested without end.
    const MAX: usize = 16;

    /// Adds a proxy.
    pub fn push(&mut self, kind: HopKind, address: String) {
        if self.hops.len() < Self::MAX {
            self.hops.push(Hop { kind, address });
        }
    }
}
