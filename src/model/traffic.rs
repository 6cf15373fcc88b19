//! What a capture holds, counted by what it carried.

/// How many packets there were of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// All packets.
    pub packets: u64,
    /// Their bytes in the capture.
    pub bytes: u64,
    /// Their bytes that were cut from it.
    pub missing: u64,
    /// TCP over IP, whole or cut.
    pub tcp: u64,
    /// UDP over IP.
    pub udp: u64,
    /// Of these, records of DTLS.
    pub dtls: u64,
    /// Of these, the packets with which QUIC begins.
    pub quic: u64,
    /// ICMP and ICMPv6.
    pub icmp: u64,
    /// Fragments of IP packets.
    pub fragments: u64,
    /// Other protocols over IP.
    pub other_ip: u64,
    /// Address resolution.
    pub arp: u64,
    /// Anything else, unknown link types included.
    pub other: u64,
}

/// How many TCP streams there were of each kind, by what their first bytes were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Streams {
    /// TLS.
    pub tls: u32,
    /// HTTP/1.x.
    pub http: u32,
    /// HTTP/2 in clear.
    pub http2: u32,
    /// Anything else.
    pub other: u32,
    /// No payload.
    pub silent: u32,
    /// Not looked at, as the user wished.
    pub left: u32,
}
