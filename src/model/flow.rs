//! Who talks to whom.

use std::fmt;
use std::net::IpAddr;
use std::ops::{Index, IndexMut};

/// An address and a port: `10.0.0.1:80`, `[::1]:80`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The IP address.
    pub ip: IpAddr,
    /// The TCP port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            IpAddr::V4(ip) => write!(f, "{ip}:{}", self.port),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{}", self.port),
        }
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
