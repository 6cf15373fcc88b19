//! Packets in the frames of rarer link types.

/// The framings, and the list of them all.
macro_rules! framings {
    ($($name:ident,)*) => {
        /// A link type, and one of the ways in which its frames may look.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Framing { $($name),* }

        use Framing::*;

        impl Framing {
            pub(crate) const ALL: &[Self] = &[$($name),*];
        }
    };
}

framings! {
    Ppp,
    PppFramed,
    PppCompressed,
    PppHdlc,
    Pppoe,
    Pppd,
    PppWithDir,
    CiscoHdlc,
    CiscoHdlcWithDir,
    FrameRelay,
    FrameRelaySnap,
    FrameRelayBridged,
    FrameRelayCisco,
    FrameRelayWithDir,
    TokenRing,
    TokenRingRouted,
    Fddi,
    FibreChannel,
    Firewire,
    Infiniband,
    InfinibandBare,
    Wifi,
    WifiQos,
    WifiBetween,
    WifiHt,
    WifiAggregate,
    WifiDecrypted,
    Prism,
    PrismBig,
    Avs,
    AvsAsPrism,
    Radiotap,
    RadiotapPadded,
    RadiotapLong,
    Ppi,
    Enc,
    Pflog,
    Ipnet,
    Nflog,
    NflogBig,
    Pktap,
    PktapRaw,
}

impl Framing {
    /// The number in the file.
    pub(crate) fn number(self) -> u16 {
        match self {
            TokenRing | TokenRingRouted => 6,
            Ppp | PppFramed | PppCompressed => 9,
            Fddi => 10,
            PppHdlc => 50,
            Pppoe => 51,
            CiscoHdlc => 104,
            Wifi | WifiQos | WifiBetween | WifiHt | WifiAggregate | WifiDecrypted => 105,
            FrameRelay | FrameRelaySnap | FrameRelayBridged | FrameRelayCisco => 107,
            Enc => 109,
            Pflog => 117,
            Prism | PrismBig | AvsAsPrism => 119,
            FibreChannel => 122,
            Radiotap | RadiotapPadded | RadiotapLong => 127,
            Firewire => 138,
            Avs => 163,
            Pppd => 166,
            Ppi => 192,
            PppWithDir => 204,
            CiscoHdlcWithDir => 205,
            FrameRelayWithDir => 206,
            Ipnet => 226,
            Nflog | NflogBig => 239,
            Infiniband | InfinibandBare => 242,
            Pktap | PktapRaw => 258,
        }
    }

    /// A frame with this packet.
    pub(crate) fn frame(self, ethertype: u16, ip: &[u8]) -> Vec<u8> {
        let four = ethertype == 0x0800;
        let family = if four { 2_u8 } else { 24 };
        let kind = ethertype.to_be_bytes();
        let ppp = [0, if four { 0x21 } else { 0x57 }];
        let nlpid = if four { 0xcc } else { 0x8e };
        let snap = [&[0xaa, 0xaa, 3, 0, 0, 0], &kind[..], ip].concat();
        let within = |before: &[u8], framing: Self| [before, &framing.frame(ethertype, ip)].concat();
        let air = |control: [u8; 2], between: &[u8], body: &[u8]| {
            [&control, &[0x2c, 0], MACS, &[2; 6], &[0x10, 0], between, body].concat()
        };
        match self {
            Ppp => [&ppp, ip].concat(),
            PppFramed | PppHdlc => [&[0xff, 3], &ppp[..], ip].concat(),
            PppCompressed => [&ppp[1..], ip].concat(),
            Pppoe => [&[0x11, 0, 0, 7][..], &(ip.len() as u16 + 2).to_be_bytes(), &ppp, ip, &[0; 4]].concat(),
            Pppd => [&[1, 3], &ppp[..], ip].concat(),
            PppWithDir => within(&[0], PppFramed),
            CiscoHdlc => [&[0x0f, 0], &kind[..], ip].concat(),
            CiscoHdlcWithDir => within(&[1], CiscoHdlc),
            FrameRelay => [&[0x18, 0x41, 3, nlpid], ip].concat(),
            FrameRelaySnap => [&[0x18, 0x40, 0x41, 3, 0, 0x80, 0, 0, 0], &kind[..], ip].concat(),
            FrameRelayBridged => [&[0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7], MACS, &kind, ip].concat(),
            FrameRelayCisco => [&[0x18, 0x41], &kind[..], ip].concat(),
            FrameRelayWithDir => within(&[1], FrameRelay),
            TokenRing => [&[0x10, 0x40], MACS, &snap].concat(),
            TokenRingRouted => {
                let mut macs = MACS.to_vec();
                macs[6] |= 0x80;
                [&[0x10, 0x40], &macs[..], &[0xc6, 0x70, 0, 0x15, 0, 0x20], &snap].concat()
            }
            Fddi => [&[0x54], MACS, &snap].concat(),
            FibreChannel => [&[0x10; 8], &[0x20; 8], &snap[..]].concat(),
            Firewire => [&[1; 8], &[2; 8], &kind[..], ip].concat(),
            Infiniband => [&[0; 40], &kind[..], &[0, 0], ip].concat(),
            InfinibandBare => [&kind[..], &[0, 0], ip].concat(),
            Wifi => air([0x08, 1], &[], &snap),
            WifiQos => air([0x88, 2], &[6, 0], &snap),
            WifiBetween => air([0x88, 3], &[4, 4, 4, 4, 4, 4, 0, 0], &snap),
            WifiHt => air([0x88, 0x81], &[0, 0, 1, 2, 3, 4], &snap),
            WifiAggregate => air([0x88, 1], &[0x80, 0], &msdu(&snap)),
            WifiDecrypted => air([0x88, 0x41], &[0, 0, 7, 0, 0, 0x20, 0, 0, 0, 0], &snap),
            Prism => [&[0x44, 0, 0, 0, 144, 0, 0, 0][..], b"wlan0", &[0; 131], &Wifi.frame(ethertype, ip)].concat(),
            PrismBig => [&[0, 0, 0, 0x44, 0, 0, 0, 144][..], b"wlan0", &[0; 131], &Wifi.frame(ethertype, ip)].concat(),
            Avs | AvsAsPrism => {
                [&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64][..], &[0; 56], &Wifi.frame(ethertype, ip)].concat()
            }
            // Flags: with a check sequence.
            Radiotap => [&[0, 0, 9, 0, 2, 0, 0, 0, 0x10], &WifiQos.frame(ethertype, ip)[..], &[9; 4]].concat(),
            RadiotapPadded => {
                let padded = air([0x88, 2], &[6, 0, 0, 0], &snap);
                [&[0, 0, 9, 0, 2, 0, 0, 0, 0x20], &padded[..]].concat()
            }
            // The time before the flags, behind two words of presence.
            RadiotapLong => {
                let header = [0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x20];
                [&header, &air([0x88, 2], &[6, 0, 0, 0], &snap)[..]].concat()
            }
            Ppi => within(&[0, 0, 8, 0, 105, 0, 0, 0], Wifi),
            Enc => [&[family, 0, 0, 0, 0, 0, 0x10, 1, 0, 4, 0, 0], ip].concat(),
            Pflog => [&[61, family][..], &[0; 62], ip].concat(),
            Ipnet => {
                let length = (ip.len() as u32).to_be_bytes();
                [&[1, if four { 2 } else { 26 }, 0, 0], &length[..], &[0; 16], ip].concat()
            }
            Nflog => nflog(if four { 2 } else { 10 }, ip, u16::to_le_bytes),
            NflogBig => nflog(if four { 2 } else { 10 }, ip, u16::to_be_bytes),
            Pktap => [&pktap(1)[..], MACS, &kind, ip].concat(),
            PktapRaw => [&pktap(12)[..], ip].concat(),
        }
    }
}

/// A destination and a source.
const MACS: &[u8] = &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

/// A packet behind LLC as one of an aggregate.
pub(crate) fn msdu(snap: &[u8]) -> Vec<u8> {
    [MACS, &(snap.len() as u16).to_be_bytes(), snap].concat()
}

/// A frame of IEEE 802.11 with several packets, each behind LLC.
pub(crate) fn aggregate(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut frame = [&[0x88, 1, 0x2c, 0], MACS, &[2; 6], &[0x10, 0, 0x80, 0]].concat();
    let start = frame.len();
    for ip in packets {
        frame.resize(start + (frame.len() - start).next_multiple_of(4), 0);
        frame.extend(msdu(&[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &ip[..]].concat()));
    }
    frame
}

/// A header, a mark and a prefix before the packet.
fn nflog(family: u8, ip: &[u8], number: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let field = |kind: u16, value: &[u8]| {
        let mut field = [&number(value.len() as u16 + 4)[..], &number(kind), value].concat();
        field.resize(field.len().next_multiple_of(4), 0);
        field
    };
    [vec![family, 0, 0, 5], field(1, &[8, 0, 3, 0]), field(10, b"in: \0"), field(9, ip)].concat()
}

/// A header of the first version.
fn pktap(link: u8) -> Vec<u8> {
    let mut header = [&[108, 0, 0, 0, 1, 0, 0, 0, link, 0, 0, 0][..], b"en0"].concat();
    header.resize(108, 0);
    header
}
