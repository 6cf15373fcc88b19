//! What the user says of streams, against what their bytes tell.

use super::flow::{Endpoint, Ip};
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// Rules of the user about what streams carry; the first that fits a stream holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecodeAs(pub Vec<Rule>);

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The streams that it is about.
    pub select: Select,
    /// What they carry.
    pub protocol: Protocol,
}

/// Which streams a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Select {
    /// Either port is one of these.
    Port(RangeInclusive<u16>),
    /// Either address is this one.
    Address(IpAddr),
    /// The stream has this number, as Wireshark's `tcp.stream`.
    Stream(u32),
}

/// What a stream carries, as the user says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// WebSocket frames, with or without a handshake before them.
    WebSocket,
    /// Nothing that is to be read.
    None,
}

impl DecodeAs {
    /// What the user says of the stream with this number, between these ends.
    pub fn protocol(&self, stream: u32, ends: [Endpoint; 2]) -> Option<Protocol> {
        let fits = |rule: &&Rule| match &rule.select {
            Select::Port(ports) => ends.iter().any(|end| ports.contains(&end.port)),
            Select::Address(ip) => ends.iter().any(|end| end.ip == Ip::from(*ip)),
            Select::Stream(number) => *number == stream,
        };
        self.0.iter().find(fits).map(|rule| rule.protocol)
    }
}
