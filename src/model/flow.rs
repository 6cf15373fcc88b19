//! Who talks to whom.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::{Index, IndexMut};

/// An IP address as numbers, which stay in registers where the standard library's bytes go through memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ip {
    is_v6: bool,
    /// Of an IPv4 address nothing.
    high: u64,
    low: u64,
}

impl Ip {
    /// Whether it is an IPv6 address.
    pub const fn is_v6(self) -> bool {
        self.is_v6
    }

    /// The address as a number.
    pub const fn words(self) -> [u64; 2] {
        [self.high, self.low]
    }

    /// Whether it is of this machine (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
    pub fn is_loopback(self) -> bool {
        IpAddr::from(self).is_loopback()
    }
}

impl From<Ipv4Addr> for Ip {
    #[inline]
    fn from(ip: Ipv4Addr) -> Self {
        Self { is_v6: false, high: 0, low: ip.to_bits().into() }
    }
}

impl From<Ipv6Addr> for Ip {
    #[inline]
    fn from(ip: Ipv6Addr) -> Self {
        let bits = ip.to_bits();
        Self { is_v6: true, high: (bits >> 64) as u64, low: bits as u64 }
    }
}

impl From<IpAddr> for Ip {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => ip.into(),
            IpAddr::V6(ip) => ip.into(),
        }
    }
}

impl From<Ip> for IpAddr {
    fn from(ip: Ip) -> Self {
        if ip.is_v6 {
            Self::V6(Ipv6Addr::from_bits(u128::from(ip.high) << 64 | u128::from(ip.low)))
        } else {
            Self::V4(Ipv4Addr::from_bits(ip.low as u32))
        }
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IpAddr::from(*self).fmt(f)
    }
}

/// An address and a port: `10.0.0.1:80`, `[::1]:80`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The IP address.
    pub ip: Ip,
    /// The TCP port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ip, port } = self;
        if ip.is_v6 { write!(f, "[{ip}]:{port}") } else { write!(f, "{ip}:{port}") }
    }
}

/// Which way something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the client: `c2s` in records, `→` on screens.
    ToServer,
    /// From the server: `s2c` in records, `←` on screens.
    ToClient,
}

impl Direction {
    /// Both directions.
    pub const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];

    /// The other way.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }

    /// The name in records: `c2s` or `s2c`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ToServer => "c2s",
            Self::ToClient => "s2c",
        }
    }

    /// The sign in text and on screens: `→` or `←`.
    pub const fn arrow(self) -> &'static str {
        match self {
            Self::ToServer => "→",
            Self::ToClient => "←",
        }
    }

    /// Who sent it: `client` or `server`.
    pub const fn sender(self) -> &'static str {
        match self {
            Self::ToServer => "client",
            Self::ToClient => "server",
        }
    }
}

/// One thing for each direction, indexed by [`Direction`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Both<T> {
    /// What belongs to the bytes that the client sent.
    pub to_server: T,
    /// What belongs to the bytes that the server sent.
    pub to_client: T,
}

impl<T> Both<T> {
    /// Makes each side with `make`.
    pub fn from_fn(mut make: impl FnMut(Direction) -> T) -> Self {
        Self { to_server: make(Direction::ToServer), to_client: make(Direction::ToClient) }
    }

    /// Turns the directions round.
    pub const fn swap(&mut self) {
        std::mem::swap(&mut self.to_server, &mut self.to_client);
    }
}

impl<T> Index<Direction> for Both<T> {
    type Output = T;

    fn index(&self, direction: Direction) -> &T {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }
}

impl<T> IndexMut<Direction> for Both<T> {
    fn index_mut(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }
}
