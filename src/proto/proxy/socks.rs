//! The messages of SOCKS 4 and 4a (openssh.org socks4.protocol) and of SOCKS 5 (RFC 1928, RFC 1929), with nom.

use super::Parsed;
use nom::branch::alt;
use nom::bytes::streaming::{tag, take, take_until};
use nom::combinator::{map, verify};
use nom::multi::length_data;
use nom::number::streaming::{be_u16, be_u32, be_u128, u8};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// SOCKS 5: the methods of authentication that it knows.
    Methods,
    /// SOCKS 5: name and password (RFC 1929).
    Password,
    /// Where it is to be led.
    Connect(String),
    /// Something else than to be connected: to be called, or UDP.
    Other,
}

/// What a server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// SOCKS 5: the method that it chose.
    Method(u8),
    /// SOCKS 5: what it thinks of the password; 0 when it is right.
    Password(u8),
    /// The way is open.
    Open,
    /// It is not; why not, as a number.
    Refused(u8),
}

impl Told {
    /// Why it leads nowhere, in words (RFC 1928 §3, §6; SOCKS 4: 91 to 93).
    pub(super) fn refusal(self) -> Option<String> {
        let (code, words) = match self {
            Self::Method(NO_METHOD) => (NO_METHOD, "no method of authentication that it accepts"),
            Self::Password(code @ 1..) => (code, "name or password is wrong"),
            Self::Method(_) | Self::Password(_) | Self::Open => return None,
            Self::Refused(code) => {
                let words = match code {
                    1 => "general failure",
                    2 => "not allowed by its rules",
                    3 => "network unreachable",
                    4 => "host unreachable",
                    5 => "connection refused",
                    6 => "TTL expired",
                    7 => "command not supported",
                    8 => "address type not supported",
                    91 => "rejected or failed",
                    92 => "it does not reach the client's identd",
                    93 => "the client's identd names another user",
                    _ => "unassigned reason",
                };
                (code, words)
            }
        };
        Some(format!("{words} ({code})"))
    }
}

/// No authentication, and name with password.
pub(super) const METHODS: [u8; 2] = [0, 2];
const PASSWORD: u8 = 2;
const NO_METHOD: u8 = 0xff;
/// SOCKS 4: the longest user or host name.
const NAME_MAX: usize = 255;

/// SOCKS 4: a client's only message, of which `bytes` may have a part.
pub(super) fn asked4(bytes: &[u8]) -> Parsed<Asked> {
    match Parsed::of(bytes, request4(bytes)) {
        Parsed::More if bytes.len() > 8 + 2 * (NAME_MAX + 1) => Parsed::Bad,
        parsed => parsed,
    }
}

/// SOCKS 5: the message of a client that follows those before.
pub(super) fn asked5(bytes: &[u8], first: bool) -> Parsed<Asked> {
    Parsed::of(bytes, if first { methods(bytes) } else { alt((password, request5)).parse(bytes) })
}

/// A server's last message, of which `open` says that the way is open.
const fn reply(code: u8, open: u8) -> Told {
    if code == open { Told::Open } else { Told::Refused(code) }
}

/// SOCKS 4: a server's only message.
pub(super) fn told4(bytes: &[u8]) -> Parsed<Told> {
    let message = |bytes| (tag(&[0_u8][..]), verify(u8, |code| (90..=93).contains(code)), take(6_usize)).parse(bytes);
    Parsed::of(bytes, map(message, |(_, code, _): (&[u8], u8, &[u8])| reply(code, 90)).parse(bytes))
}

/// SOCKS 5: the message of a server that follows its last one.
pub(super) fn told5(bytes: &[u8], last: Option<Told>) -> Parsed<Told> {
    Parsed::of(
        bytes,
        match last {
            None => map(preceded(tag(&[5_u8][..]), u8), Told::Method).parse(bytes),
            Some(Told::Method(PASSWORD)) => map(preceded(tag(&[1_u8][..]), u8), Told::Password).parse(bytes),
            Some(_) => map((tag(&[5_u8][..]), u8, u8, address), |(_, code, _, _)| reply(code, 0)).parse(bytes),
        },
    )
}

fn request4(bytes: &[u8]) -> IResult<&[u8], Asked> {
    let (rest, (_, command, port, ip)) = (tag(&[4_u8][..]), u8, be_u16, be_u32).parse(bytes)?;
    let (rest, _user) = name(rest)?;
    // 4a: an address that cannot be one says that a host's name follows.
    let (rest, host) = match ip {
        1..=255 => map(name, |name: &[u8]| String::from_utf8_lossy(name).into_owned()).parse(rest)?,
        _ => (rest, Ipv4Addr::from(ip).to_string()),
    };
    Ok((rest, if command == 1 { Asked::Connect(format!("{host}:{port}")) } else { Asked::Other }))
}

/// Bytes up to a zero.
fn name(bytes: &[u8]) -> IResult<&[u8], &[u8]> {
    terminated(take_until(&[0_u8][..]), tag(&[0_u8][..])).parse(bytes)
}

fn methods(bytes: &[u8]) -> IResult<&[u8], Asked> {
    map(preceded(tag(&[5_u8][..]), length_data(verify(u8, |n| *n > 0))), |_: &[u8]| Asked::Methods).parse(bytes)
}

fn password(bytes: &[u8]) -> IResult<&[u8], Asked> {
    map((tag(&[1_u8][..]), length_data(u8), length_data(u8)), |_: (_, &[u8], &[u8])| Asked::Password).parse(bytes)
}

fn request5(bytes: &[u8]) -> IResult<&[u8], Asked> {
    let (rest, (_, command, _, address)) = (tag(&[5_u8][..]), u8, u8, address).parse(bytes)?;
    Ok((rest, if command == 1 { Asked::Connect(address) } else { Asked::Other }))
}

/// `host:port`, of any of the three kinds of hosts.
fn address(bytes: &[u8]) -> IResult<&[u8], String> {
    let ipv4 = map(preceded(tag(&[1_u8][..]), be_u32), |ip| IpAddr::from(Ipv4Addr::from(ip)).to_string());
    let ipv6 = map(preceded(tag(&[4_u8][..]), be_u128), |ip| format!("[{}]", Ipv6Addr::from(ip)));
    let name =
        map(preceded(tag(&[3_u8][..]), length_data(u8)), |name: &[u8]| String::from_utf8_lossy(name).into_owned());
    map((alt((ipv4, ipv6, name)), be_u16), |(host, port)| format!("{host}:{port}")).parse(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message, of which every part asks for more.
    fn read<T: Clone + std::fmt::Debug + PartialEq>(bytes: &[u8], parse: impl Fn(&[u8]) -> Parsed<T>) -> T {
        for len in 0..bytes.len() {
            assert_eq!(parse(&bytes[..len]), Parsed::More, "{len} bytes");
        }
        match parse(&[bytes, b"rest"].concat()) {
            Parsed::Done(value, used) if used == bytes.len() => value,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn socks4_names_where_to() {
        let to = |text: &str| Asked::Connect(text.into());
        assert_eq!(read(b"\x04\x01\0\x50\x0a\0\0\x01me\0", asked4), to("10.0.0.1:80"));
        assert_eq!(read(b"\x04\x01\x01\xbb\0\0\0\x01\0chat.test\0", asked4), to("chat.test:443"));
        assert_eq!(read(b"\x04\x02\0\x50\x0a\0\0\x01\0", asked4), Asked::Other);
        assert_eq!(read(b"\0\x5a\0\0\0\0\0\0", told4), Told::Open);
        assert_eq!(read(b"\0\x5b\0\0\0\0\0\0", told4), Told::Refused(91));
        assert_eq!(told4(b"\0\x10"), Parsed::Bad);
        assert_eq!(asked4(&[&b"\x04\x01\0\x50\x0a\0\0\x01"[..], &[b'x'; 600]].concat()), Parsed::Bad);
    }

    #[test]
    fn socks5_names_where_to() {
        let asked = |bytes: &[u8]| asked5(bytes, false);
        assert_eq!(read(b"\x05\x02\0\x02", |bytes| asked5(bytes, true)), Asked::Methods);
        assert_eq!(read(b"\x01\x02me\x03pwd", asked), Asked::Password);
        let to = |text: &str| Asked::Connect(text.into());
        assert_eq!(read(b"\x05\x01\0\x01\x0a\0\0\x01\x1f\x90", asked), to("10.0.0.1:8080"));
        assert_eq!(read(b"\x05\x01\0\x03\x09chat.test\0\x50", asked), to("chat.test:80"));
        let v6 = [&b"\x05\x01\0\x04"[..], &[0; 15], &[1, 0, 80]].concat();
        assert_eq!(read(&v6, asked), to("[::1]:80"));
        assert_eq!(read(b"\x05\x02", |bytes| told5(bytes, None)), Told::Method(2));
        assert_eq!(read(b"\x01\0", |bytes| told5(bytes, Some(Told::Method(2)))), Told::Password(0));
        let reply = |bytes: &[u8]| told5(bytes, Some(Told::Password(0)));
        assert_eq!(read(b"\x05\0\0\x01\0\0\0\0\0\0", reply), Told::Open);
        assert_eq!(read(b"\x05\x05\0\x01\0\0\0\0\0\0", reply), Told::Refused(5));
        assert_eq!(Told::Refused(5).refusal().as_deref(), Some("connection refused (5)"));
        assert!(Told::Method(NO_METHOD).refusal().is_some() && Told::Password(1).refusal().is_some());
        assert!([Told::Method(0), Told::Password(0), Told::Open].iter().all(|told| told.refusal().is_none()));
        assert_eq!(asked5(b"\x05\0", true), Parsed::Bad);
        assert_eq!(asked5(b"\x05\x01\0\x02", false), Parsed::Bad);
    }
}
