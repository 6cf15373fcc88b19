//! What is a tunnel, and what only looks like one.

use crate::frames::*;
use crate::packets::{decoded, whole};
use wspect::model::{LinkType, Mark, Packet};
use wspect::net::{Decoded, Decoder, Whole};

const ETHERNET: u32 = 1;
const V4: &str = r#"v4 "hello" cut 0"#;
const V6: &str = r#"v6 "hello" cut 0"#;

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    let header = [50_000, port, length, 0].map(u16::to_be_bytes).concat();
    frame(&Ip4 { protocol: 17, ..Ip4::default() }.packet(&[&header, payload].concat()))
}

fn over_ip(protocol: u8, payload: &[u8]) -> Vec<u8> {
    frame(&Ip4 { protocol, ..Ip4::default() }.packet(payload))
}

/// What decodes to the segment as it is, and to nothing with the byte at each of these places replaced.
#[track_caller]
fn is_strict(make: impl Fn(&[u8]) -> Vec<u8>, sound: &[u8], changes: &[(usize, u8)]) {
    assert_eq!(whole(ETHERNET, &make(sound)), V4);
    for &(at, value) in changes {
        let mut bent = sound.to_vec();
        assert_ne!(bent[at], value, "byte {at}");
        bent[at] = value;
        assert_eq!(whole(ETHERNET, &make(&bent)), "other", "byte {at}: {value:#x}");
    }
}

#[test]
fn what_runs_over_udp_is_a_tunnel_only_where_all_of_it_fits() {
    let inner = ip4(&tcp(b"hello"));
    let total = inner.len() as u8;
    let vxlan = [&[8, 0, 0, 0, 0, 0, 5, 0][..], &frame(&inner)].concat();
    for port in [4789, 8472] {
        let changes = [(0, 0), (0, 0x0c), (8 + 12, 7)];
        is_strict(|payload| udp(port, payload), &vxlan, &changes);
        is_strict(|payload| udp(port, payload), &vxlan, &[(8 + 14, 0x44), (8 + 14 + 3, total + 1)]);
    }
    assert_eq!(whole(ETHERNET, &udp(4790, &vxlan)), "other");
    let gpe = [&[0x0c, 0, 0, 1, 0, 0, 5, 0], &inner[..]].concat();
    let changes = [(0, 0x08), (0, 0x1c), (1, 1), (2, 1), (3, 0), (3, 4), (7, 1), (8, 0x44), (8 + 3, total + 1)];
    is_strict(|payload| udp(4790, payload), &gpe, &changes);
    let gre = [&[0, 0, 8, 0], &inner[..]].concat();
    is_strict(|payload| udp(4754, payload), &gre, &[(0, 1), (0, 0x40), (1, 1), (2, 9), (4, 0x44), (4 + 3, total + 1)]);
    let labels = [&[6, 0x1a, 1, 64], &inner[..]].concat();
    is_strict(|payload| udp(6635, payload), &labels, &[(2, 0), (4, 0x34), (4, 0x44), (4 + 3, total + 1)]);
    let tzsp = [&[1, 0, 0, 1, 10, 1, 5, 1][..], &frame(&inner)].concat();
    let changes = [(0, 2), (1, 4), (3, 18), (5, 200), (8 + 12, 7), (8 + 14, 0x44), (8 + 14 + 3, total + 1)];
    is_strict(|payload| udp(37_008, payload), &tzsp, &changes);
    let pptp = [&[0x30, 0x81, 0x88, 0x0b, 0, total + 2, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0x21], &inner[..]].concat();
    is_strict(
        |payload| over_ip(47, payload),
        &pptp,
        &[(0, 0x10), (0, 0x31), (1, 0x82), (1, 0x91), (2, 0x89), (17, 0x23)],
    );
    let nsh = |next: u8| [0x0f, 0xc2, 2, next, 0, 0, 7, 255];
    let in_gpe = [&[0x0c, 0, 0, 4, 0, 0, 5, 0], &nsh(1)[..], &inner].concat();
    let changes = [(8, 0x2f), (8, 0x8f), (9, 0xc1), (9, 0xff), (10, 1), (10, 3), (11, 0), (11, 6), (16, 0x44)];
    is_strict(|payload| udp(4790, payload), &in_gpe, &changes);
    let lisp = [&[0x88, 1, 2, 3, 0, 0, 7, 1], &inner[..]].concat();
    let changes = [(0, 0x8c), (0, 0x8a), (0, 0x89), (0, 0x98), (0, 0x28), (8, 0x44), (8 + 3, total + 1)];
    is_strict(|payload| udp(4341, payload), &lisp, &changes);
    let option = [0, 1, 2, 1, 0, 0, 0, 0];
    let geneve = [&[2, 0, 0x65, 0x58, 0, 0, 5, 0][..], &option, &frame(&inner)].concat();
    let changes = [(0, 0x42), (0, 1), (0, 0x3f), (2, 0x70), (8 + 3, 2)];
    is_strict(|payload| udp(6081, payload), &geneve, &changes);
    let gtp = [&[0x30, 255, 0, total, 0, 0, 0, 9], &inner[..]].concat();
    let changes = [(0, 0x20), (0, 0x50), (0, 0x34), (1, 254), (3, total + 1), (3, total - 1), (8, 0x54)];
    is_strict(|payload| udp(2152, payload), &gtp, &changes);
    let l2tp = [&[0x40, 2, 0, total + 10, 0, 1, 0, 2, 0, 0x21], &inner[..]].concat();
    let changes = [(0, 0xc0), (0, 0x50), (1, 3), (1, 0x12), (3, total + 9), (8, 0xc0), (9, 0x23)];
    is_strict(|payload| udp(1701, payload), &l2tp, &changes);
    let mut teredo = ip6(&tcp(b"hello"));
    assert_eq!(whole(ETHERNET, &udp(3544, &teredo)), "other", "neither end is Teredo's");
    teredo[8..12].copy_from_slice(&[0x20, 1, 0, 0]);
    let frame = udp(3544, &teredo);
    let packet = Packet { mark: Mark::default(), link: LinkType(ETHERNET), bytes: &frame, orig_len: frame.len() };
    assert!(matches!(Decoder::default().decode(&packet, &mut Whole::default()), Decoded::Segment(_)));
    teredo[0] = 0x50;
    assert_eq!(whole(ETHERNET, &udp(3544, &teredo)), "other", "not IPv6");
}

/// Where a text wants a receiver to pass over reserved bits, it makes no difference how they are set (RFC 7348 §5, RFC 8926 §3.4,
/// 3GPP TS 29.281 §5.1).
#[test]
fn reserved_bits_are_passed_over() {
    let inner = ip4(&tcp(b"hello"));
    let vxlan = [&[8, 0, 0, 0, 0, 0, 5, 0][..], &frame(&inner)].concat();
    let geneve = [&[0, 0, 0x65, 0x58, 0, 0, 5, 0][..], &frame(&inner)].concat();
    let gtp = [&[0x30, 255, 0, inner.len() as u8, 0, 0, 0, 9], &inner[..]].concat();
    let changes = [
        (4789, vxlan, &[(0, 0x09), (0, 0xf8), (1, 1), (2, 1), (3, 1), (7, 1)][..]),
        (6081, geneve, &[(1, 1), (1, 0x3f), (7, 1)]),
        (2152, gtp, &[(0, 0x38)]),
    ];
    for (port, sound, changes) in changes {
        for &(at, value) in changes {
            let mut bent = sound.clone();
            bent[at] = value;
            assert_eq!(whole(ETHERNET, &udp(port, &bent)), V4, "port {port}, byte {at}: {value:#x}");
        }
    }
}

#[test]
fn what_runs_over_ip_is_a_tunnel_where_its_header_fits() {
    let inner = ip4(&tcp(b"hello"));
    let gre = |payload: &[u8]| over_ip(47, payload);
    is_strict(gre, &[&[0, 0, 8, 0], &inner[..]].concat(), &[(0, 0x40), (1, 1), (2, 0x80)]);
    is_strict(
        gre,
        &[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 1, 0, 0, 0, 0], &frame(&inner)[..]].concat(),
        &[(8, 0x20)],
    );
    is_strict(|payload| over_ip(97, payload), &[&[0x30, 0], &frame(&inner)[..]].concat(), &[(0, 0x20), (1, 1)]);
    is_strict(
        |payload| ethernet(0x8864, payload),
        &[&[0x11, 0, 0, 1, 0, inner.len() as u8 + 2, 0, 0x21], &inner[..]].concat(),
        &[(0, 0x12), (1, 9), (7, 0x23)],
    );
    is_strict(|payload| ethernet(0x8847, payload), &[&[0, 1, 1, 64], &inner[..]].concat(), &[(2, 0), (4, 0x54)]);
    let macsec = [&[0x21, 0, 0, 0, 0, 7, 6, 6, 6, 6, 6, 6, 0, 1, 8, 0], &inner[..], &[0x5a; 16]].concat();
    let changes = [(0, 0xa1), (0, 0x01), (0, 0x25), (0, 0x2d), (0, 0x29), (1, 0x40), (14, 9), (16, 0x54)];
    is_strict(|payload| ethernet(0x88e5, payload), &macsec, &changes);
    let nsh = [&[0x0f, 0xc6, 1, 1, 0, 0, 7, 255][..], &[0; 16], &inner[..]].concat();
    let changes = [(0, 0x2f), (0, 0x4f), (1, 0xc5), (1, 0xc7), (2, 0), (3, 9), (24, 0x54)];
    is_strict(|payload| ethernet(0x894f, payload), &nsh, &changes);
    let six = ip6(&tcp(b"hello"));
    assert_eq!(whole(ETHERNET, &over_ip(41, &six)), V6);
    assert_eq!(whole(ETHERNET, &over_ip(4, &inner)), V4);
}

/// What the snap length took of an inner packet is counted as of an outer one.
#[test]
fn inner_packets_may_be_cut() {
    let inner = ip4(&tcp(b"hello world"));
    for frame in [over_ip(4, &inner), udp(4789, &[&[8, 0, 0, 0, 0, 0, 5, 0][..], &frame(&inner)].concat())] {
        let cut = &frame[..frame.len() - 6];
        assert_eq!(decoded(&mut Decoder::default(), ETHERNET, cut, frame.len()), r#"v4 "hello" cut 6"#);
    }
}

/// Of two frames that one mirror port sends, each may be of another VLAN.
#[test]
fn a_mirrored_frame_has_the_vlan_that_it_came_from() {
    let mut decoder = Decoder::default();
    for vlan in [5, 6, 0] {
        let head = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, vlan, 0, 9, 0, 0, 0, 0];
        let frame = over_ip(47, &[&head, &frame(&ip4(&tcp(b"hello")))[..]].concat());
        let packet = Packet { mark: Mark::default(), link: LinkType(ETHERNET), bytes: &frame, orig_len: frame.len() };
        assert!(matches!(decoder.decode(&packet, &mut Whole::default()), Decoded::Segment(_)));
    }
    let told: Vec<_> = decoder.encaps().iter().map(|around| around[0].to_string()).collect();
    assert_eq!(told, ["erspan 9/5", "erspan 9/6", "erspan 9"]);
}
