//! Packets made by hand.

use std::net::{Ipv4Addr, Ipv6Addr};

pub(crate) const SRC4: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const DST4: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub(crate) const SRC6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
pub(crate) const DST6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2);
pub(crate) const SRC_PORT: u16 = 40_000;
pub(crate) const DST_PORT: u16 = 80;
pub(crate) const SEQ: u32 = 0xffff_fff0;
pub(crate) const ACK: u32 = 0x0102_0304;
pub(crate) const PSH_ACK: u8 = 0x18;

/// A TCP segment with `options`, padded to a multiple of four bytes already.
pub(crate) fn tcp_with(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let offset = (5 + options.len() / 4) as u8;
    [
        &SRC_PORT.to_be_bytes()[..],
        &DST_PORT.to_be_bytes(),
        &SEQ.to_be_bytes(),
        &ACK.to_be_bytes(),
        &[offset << 4, PSH_ACK, 0xff, 0xff, 0xba, 0xad, 0, 0],
        options,
        payload,
    ]
    .concat()
}

pub(crate) fn tcp(payload: &[u8]) -> Vec<u8> {
    tcp_with(&[], payload)
}

/// What of an IPv4 packet may be a lie.
#[derive(Clone, Copy)]
pub(crate) struct Ip4<'a> {
    pub(crate) total: Option<u16>,
    pub(crate) fragment: u16,
    pub(crate) protocol: u8,
    pub(crate) options: &'a [u8],
}

impl Default for Ip4<'_> {
    fn default() -> Self {
        Self { total: None, fragment: 0x4000, protocol: 6, options: &[] }
    }
}

impl Ip4<'_> {
    pub(crate) fn packet(&self, payload: &[u8]) -> Vec<u8> {
        let header = 20 + self.options.len();
        let total = self.total.unwrap_or((header + payload.len()) as u16);
        [
            &[0x40 | (header / 4) as u8, 0][..],
            &total.to_be_bytes(),
            &[0, 1],
            &self.fragment.to_be_bytes(),
            &[64, self.protocol, 0xba, 0xad],
            &SRC4.octets(),
            &DST4.octets(),
            self.options,
            payload,
        ]
        .concat()
    }
}

pub(crate) fn ip4(payload: &[u8]) -> Vec<u8> {
    Ip4::default().packet(payload)
}

/// An IPv6 packet; `length` may be a lie.
pub(crate) fn ip6_with(next: u8, length: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let length = length.unwrap_or(payload.len() as u16);
    [&[0x60, 0, 0, 0][..], &length.to_be_bytes(), &[next, 64], &SRC6.octets(), &DST6.octets(), payload].concat()
}

pub(crate) fn ip6(payload: &[u8]) -> Vec<u8> {
    ip6_with(6, None, payload)
}

/// An Ethernet frame.
pub(crate) fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&[2; 6][..], &[4; 6], &ether_type.to_be_bytes(), payload].concat()
}

/// An Ethernet frame with an IP packet.
pub(crate) fn frame(ip: &[u8]) -> Vec<u8> {
    ethernet(if ip[0] >> 4 == 4 { 0x0800 } else { 0x86dd }, ip)
}
