//! The header of HAProxy's PROXY protocol (proxy-protocol.txt, versions 1 and 2), with nom.

use super::Parsed;
use crate::model::{Endpoint, HopKind};
use nom::bytes::streaming::{tag, take};
use nom::combinator::{map, verify};
use nom::multi::length_data;
use nom::number::streaming::{be_u16, be_u32, be_u128, u8};
use nom::{IResult, Parser};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Which version it is of.
    pub(super) kind: HopKind,
    /// The client of the connection that the proxy accepted; `None` for the proxy's own connections and for unknown ones.
    pub(super) client: Option<Endpoint>,
}

/// How version 1 begins.
pub(super) const V1: &[u8] = b"PROXY ";
/// The longest header of version 1, its line end included.
const V1_MAX: usize = 107;
/// How version 2 begins.
pub(super) const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Reads a header of either version.
pub(super) fn header(bytes: &[u8]) -> Parsed<Header> {
    match bytes {
        [] => Parsed::More,
        _ if bytes.starts_with(V1) => v1(bytes),
        _ if V1.starts_with(bytes) => Parsed::More,
        _ => Parsed::of(bytes, v2(bytes)),
    }
}

/// `PROXY TCP4 192.0.2.1 198.51.100.7 56324 443`, or `UNKNOWN` and anything.
fn v1(bytes: &[u8]) -> Parsed<Header> {
    let window = bytes.get(..V1_MAX).unwrap_or(bytes);
    let Some(end) = memchr::memmem::find(window, b"\r\n") else {
        return if bytes.len() < V1_MAX { Parsed::More } else { Parsed::Bad };
    };
    let line = window.get(V1.len()..end).and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    let mut words = line.split(' ');
    let family = words.next();
    let client = match family {
        Some("UNKNOWN") => None,
        Some("TCP4" | "TCP6") => {
            let mut next = || words.next();
            let (ip, _, port) = (next(), next(), next());
            match (ip.and_then(|ip| ip.parse().ok()), port.and_then(|port| port.parse().ok())) {
                (Some(ip), Some(port)) => Some(Endpoint { ip: IpAddr::into(ip), port }),
                _ => return Parsed::Bad,
            }
        }
        _ => return Parsed::Bad,
    };
    Parsed::Done(Header { kind: HopKind::ProxyV1, client }, end + 2)
}

/// ```text
///  signature (96) | version 2 (4) command (4) | family (4) transport (4) | length (16) | addresses, ports, further fields
/// ```
fn v2(bytes: &[u8]) -> IResult<&[u8], Header> {
    let (rest, (_, command, family, body)) =
        (tag(V2), verify(u8, |byte| matches!(byte, 0x20 | 0x21)), u8, length_data(be_u16)).parse(bytes)?;
    let client = match (command, family >> 4) {
        (0x21, 1) => complete(
            map((be_u32, take(4_usize), be_u16), |(ip, _, port)| (Ipv4Addr::from(ip).into(), port)).parse(body),
        ),
        (0x21, 2) => complete(
            map((be_u128, take(16_usize), be_u16), |(ip, _, port)| (Ipv6Addr::from(ip).into(), port)).parse(body),
        ),
        _ => None,
    };
    Ok((rest, Header { kind: HopKind::ProxyV2, client }))
}

/// An address that is all there: the body's length is known, so that nothing more comes.
fn complete(parsed: IResult<&[u8], (IpAddr, u16)>) -> Option<Endpoint> {
    parsed.ok().map(|(_, (ip, port))| Endpoint { ip: ip.into(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<String> {
        for len in 0..bytes.len() {
            assert_eq!(header(&bytes[..len]), Parsed::More, "{len} bytes");
        }
        match header(&[bytes, b"GET / "].concat()) {
            Parsed::Done(header, used) if used == bytes.len() => header.client.map(|client| client.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn version_1_names_the_client() {
        let client = |text: &str| Some(text.to_owned());
        assert_eq!(read(b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"), client("192.0.2.1:56324"));
        assert_eq!(read(b"PROXY TCP6 2001:db8::1 ::1 56324 443\r\n"), client("[2001:db8::1]:56324"));
        assert_eq!(read(b"PROXY UNKNOWN\r\n"), None);
        assert_eq!(read(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), None);
        assert_eq!(header(b"PROXY TCP4 nonsense\r\n"), Parsed::Bad);
        assert_eq!(header(b"PROXY http://x HTTP/1.1\r\n"), Parsed::Bad);
        assert_eq!(header(&[V1, &[b'x'; 200]].concat()), Parsed::Bad);
    }

    #[test]
    fn version_2_names_the_client() {
        let bytes = |rest: &[u8]| [V2, rest].concat();
        let v4 = bytes(&[0x21, 0x11, 0, 15, 192, 0, 2, 1, 198, 51, 100, 7, 0xdc, 4, 1, 0xbb, 4, 0, 0]);
        assert_eq!(read(&v4).as_deref(), Some("192.0.2.1:56324"));
        let mut v6 = bytes(&[0x21, 0x21, 0, 36]);
        v6.extend([&[0; 15][..], &[1], &[0; 15], &[2], &[0xdc, 4, 1, 0xbb]].concat());
        assert_eq!(read(&v6).as_deref(), Some("[::1]:56324"));
        assert_eq!(read(&bytes(&[0x20, 0, 0, 0])), None);
        assert_eq!(read(&bytes(&[0x21, 0x11, 0, 2, 192, 0])), None, "too short for an address");
        assert_eq!(read(&bytes(&[0x21, 0x31, 0, 1, 0])), None, "a socket of one machine");
        assert_eq!(header(&bytes(&[0x11, 0x11, 0, 0])), Parsed::Bad);
    }
}
