//! Packets → segments: link types, tags, extension headers, and lengths that lie.

use crate::frames::*;
use std::net::IpAddr;
use wspect::model::{Endpoint, Limits, LinkType, Mark, Packet, PacketNo};
use wspect::net::{Decoded, Decoder, Whole};

const ETHERNET: u32 = 1;

/// What a packet decodes to, in a line.
pub(crate) fn decoded(decoder: &mut Decoder, link: u32, bytes: &[u8], orig_len: usize) -> String {
    let mark = Mark { packet: PacketNo(7), time: None };
    match decoder.decode(&Packet { mark, link: LinkType(link), bytes, orig_len }, &mut Whole::default()) {
        Decoded::Several(mut parts) => {
            let all = std::iter::from_fn(|| {
                decoder.next_part(&mut parts, &mut Whole::default()).map(|part| told(&part, mark))
            });
            all.collect::<Vec<_>>().join(", ")
        }
        one => told(&one, mark),
    }
}

fn told(decoded: &Decoded<'_>, mark: Mark) -> String {
    match decoded {
        Decoded::Several(_) => unreachable!("several packets in one of several"),
        Decoded::Other => "other".to_owned(),
        Decoded::Header(header) => {
            assert_eq!(header.mark, mark);
            format!("header {} > {} seq {:x} flags {:x}", header.src, header.dst, header.seq, header.flags.0)
        }
        Decoded::Segment(segment) => {
            let port = |ip: IpAddr, port| Endpoint { ip: ip.into(), port };
            let (src, dst) =
                if !segment.src.ip.is_v6() { (SRC4.into(), DST4.into()) } else { (SRC6.into(), DST6.into()) };
            assert_eq!((segment.src, segment.dst), (port(src, SRC_PORT), port(dst, DST_PORT)));
            assert_eq!((segment.mark, segment.seq, segment.ack, segment.flags.0), (mark, SEQ, ACK, PSH_ACK));
            let version = if !segment.src.ip.is_v6() { 4 } else { 6 };
            format!("v{version} {:?} cut {}", String::from_utf8_lossy(segment.payload), segment.cut)
        }
    }
}

/// A packet as captured, whole.
pub(crate) fn whole(link: u32, bytes: &[u8]) -> String {
    decoded(&mut Decoder::new(Limits::DEFAULT), link, bytes, bytes.len())
}

pub(crate) const V4: &str = r#"v4 "hello" cut 0"#;
pub(crate) const V6: &str = r#"v6 "hello" cut 0"#;

#[test]
fn every_link_type() {
    let (v4, v6) = (ip4(&tcp(b"hello")), ip6(&tcp(b"hello")));
    let sll = |hardware: u16, protocol: u16, rest: &[u8]| {
        [&[0, 0][..], &hardware.to_be_bytes(), &[0, 6], &[2; 8], &protocol.to_be_bytes(), rest].concat()
    };
    let sll2 = |hardware: u16, protocol: u16, rest: &[u8]| {
        [&protocol.to_be_bytes()[..], &[0; 6], &hardware.to_be_bytes(), &[0, 6], &[2; 8], rest].concat()
    };
    let snap = [b"\xaa\xaa\x03\0\0\0\x08\0", &v4[..]].concat();
    for (link, bytes, expected) in [
        (1, ethernet(0x0800, &v4), V4),
        (1, ethernet(0x86dd, &v6), V6),
        (1, ethernet(snap.len() as u16, &snap), V4),
        (1, ethernet(100, &[b"\x06\x06\x03", &v4[..]].concat()), V4),
        (1, ethernet(100, b"\x42\x42\x03spanning tree"), "other"),
        (1, ethernet(0x0806, b"who has"), "other"),
        (113, sll(1, 0x0800, &v4), V4),
        (113, sll(772, 0x86dd, &v6), V6),
        (113, sll(1, 0x8100, &[&[0, 5, 8, 0], &v4[..]].concat()), V4),
        (113, sll(1, 4, &snap), V4),
        (113, sll(824, 0x0800, &v4), "other"),
        (113, sll(1, 1, &v4), "other"),
        (276, sll2(1, 0x0800, &v4), V4),
        (276, sll2(65534, 0x86dd, &v6), V6),
        (101, v4.clone(), V4),
        (101, v6.clone(), V6),
        (12, v4.clone(), V4),
        (14, v6.clone(), V6),
        (228, v4.clone(), V4),
        (229, v6.clone(), V6),
        (147, v4.clone(), "other"),
    ] {
        assert_eq!(whole(link, &bytes), expected, "{link}");
    }
}

#[test]
fn address_families_of_every_system_in_either_order() {
    let (v4, v6) = (ip4(&tcp(b"hello")), ip6(&tcp(b"hello")));
    for (family, ip, expected) in [(2_u32, &v4, V4), (10, &v6, V6), (24, &v6, V6), (28, &v6, V6), (30, &v6, V6)] {
        assert_eq!(whole(0, &[&family.to_be_bytes()[..], ip].concat()), expected, "{family}");
        assert_eq!(whole(0, &[&family.to_le_bytes()[..], ip].concat()), expected, "{family}");
        assert_eq!(whole(108, &[&family.to_be_bytes()[..], ip].concat()), expected, "{family}");
        assert_eq!(whole(108, &[&family.to_le_bytes()[..], ip].concat()), "other", "{family}");
    }
    assert_eq!(whole(0, &[&7_u32.to_le_bytes()[..], &v4].concat()), "other");
}

/// An Ethernet frame with that many VLAN tags.
fn tagged(tags: usize, kind: u16) -> Vec<u8> {
    let mut bytes = ip4(&tcp(b"hello"));
    for tag in 0..tags {
        let inner = if tag == 0 { 0x0800_u16 } else { kind };
        bytes = [&[0, 5][..], &inner.to_be_bytes(), &bytes].concat();
    }
    ethernet(if tags == 0 { 0x0800 } else { kind }, &bytes)
}

#[test]
fn eight_tags_are_looked_through() {
    for kind in [0x8100, 0x88a8, 0x9100] {
        for tags in 0..=8 {
            assert_eq!(whole(ETHERNET, &tagged(tags, kind)), V4, "{tags} tags {kind:x}");
        }
    }
    let mut decoder = Decoder::new(Limits::DEFAULT);
    for tags in [9, 60] {
        let frame = tagged(tags, 0x8100);
        assert_eq!(decoded(&mut decoder, ETHERNET, &frame, frame.len()), "other");
    }
    let notes = decoder.notes();
    assert_eq!(notes.len(), 1);
    assert!(notes[0].text.contains("more tags") && notes[0].text.contains("2 packets"), "{}", notes[0].text);
}

#[test]
fn the_payload_ends_where_ip_says() {
    let segment = tcp(b"hello");
    let padded = |mut frame: Vec<u8>| {
        frame.extend(b"\0\0\0padding and check sequence");
        frame
    };
    assert_eq!(whole(ETHERNET, &padded(frame(&ip4(&segment)))), V4);
    assert_eq!(whole(ETHERNET, &padded(frame(&ip6(&segment)))), V6);
    assert_eq!(whole(ETHERNET, &padded(frame(&ip4(&tcp(b""))))), r#"v4 "" cut 0"#);
    let options = Ip4 { options: &[1; 40], ..Ip4::default() };
    assert_eq!(whole(ETHERNET, &padded(frame(&options.packet(&tcp_with(&[1; 40], b"hello"))))), V4);
}

#[test]
fn a_length_of_zero_is_left_to_the_network_card() {
    let offloaded = Ip4 { total: Some(0), ..Ip4::default() };
    assert_eq!(whole(ETHERNET, &frame(&offloaded.packet(&tcp(b"hello")))), V4);
    assert_eq!(whole(ETHERNET, &frame(&ip6_with(6, Some(0), &tcp(b"hello")))), V6);
    let jumbo = [&[6, 0, 0xc2, 4, 0, 1, 0, 0], &tcp(b"hello")[..]].concat();
    assert_eq!(whole(ETHERNET, &frame(&ip6_with(0, Some(0), &jumbo))), V6);
    let frame = frame(&offloaded.packet(&tcp(b"hello")));
    assert_eq!(decoded(&mut Decoder::new(Limits::DEFAULT), ETHERNET, &frame, frame.len() + 9), r#"v4 "hello" cut 9"#);
}

#[test]
fn what_the_snap_length_took_is_counted() {
    for ip in [ip4(&tcp_with(&[1; 12], b"hello world")), ip6(&tcp_with(&[1; 12], b"hello world"))] {
        let frame = frame(&ip);
        let mut decoder = Decoder::new(Limits::DEFAULT);
        let version = ip[0] >> 4;
        let mut at = |len: usize| decoded(&mut decoder, ETHERNET, &frame[..len], frame.len());
        let end = frame.len();
        assert_eq!(at(end), format!(r#"v{version} "hello world" cut 0"#));
        assert_eq!(at(end - 6), format!(r#"v{version} "hello" cut 6"#));
        assert_eq!(at(end - 11), format!(r#"v{version} "" cut 11"#));
        // Through the options, down to the window.
        for lost in 12..=11 + 12 + 4 {
            assert_eq!(at(end - lost), format!(r#"v{version} "" cut 11"#), "{lost}");
        }
        assert_eq!(at(end - 28), "other");
        assert_eq!(at(0), "other");
        let notes = decoder.notes();
        assert_eq!(notes[0].code.name(), "PACKET-CUT");
        assert!(notes[0].text.ends_with(": 20 packets, first packet 7"), "{}", notes[0].text);
    }
}

#[test]
fn a_length_beyond_the_frame_is_the_frames() {
    let long = Ip4 { total: Some(1000), ..Ip4::default() };
    let bytes = frame(&long.packet(&tcp(b"hello")));
    assert_eq!(whole(ETHERNET, &bytes), V4);
    assert_eq!(decoded(&mut Decoder::new(Limits::DEFAULT), ETHERNET, &bytes, bytes.len() + 10), r#"v4 "hello" cut 10"#);
    assert_eq!(decoded(&mut Decoder::new(Limits::DEFAULT), ETHERNET, &bytes, 5000), r#"v4 "hello" cut 955"#);
    assert_eq!(decoded(&mut Decoder::new(Limits::DEFAULT), ETHERNET, &bytes, 3), V4);
    assert_eq!(whole(ETHERNET, &frame(&ip6_with(6, Some(1000), &tcp(b"hello")))), V6);
}

#[test]
fn headers_that_lie_are_not_believed() {
    let header = format!("header {SRC4}:{SRC_PORT} > {DST4}:{DST_PORT} seq {SEQ:x} flags {PSH_ACK:x}");
    let with_offset = |offset: u8| {
        let mut segment = tcp(b"hello");
        segment[12] = offset << 4;
        whole(ETHERNET, &frame(&ip4(&segment)))
    };
    assert_eq!(with_offset(5), V4);
    assert_eq!(with_offset(6), r#"v4 "o" cut 0"#);
    for offset in [0, 1, 4, 7, 15] {
        assert_eq!(with_offset(offset), header, "{offset}");
    }
    let with_total =
        |total| whole(ETHERNET, &frame(&Ip4 { total: Some(total), ..Ip4::default() }.packet(&tcp(b"hello"))));
    assert_eq!(with_total(44), r#"v4 "hell" cut 0"#);
    assert_eq!(with_total(40), r#"v4 "" cut 0"#);
    assert_eq!(with_total(39), header);
    assert_eq!(with_total(36), header);
    assert_eq!(with_total(35), "other");
    assert_eq!(with_total(19), "other");
    for first in [0x44, 0x4f, 0x00, 0x55, 0xff] {
        let mut packet = ip4(&tcp(b"hello"));
        packet[0] = first;
        assert_eq!(whole(ETHERNET, &ethernet(0x0800, &packet)), "other", "{first:x}");
    }
}

#[test]
fn extension_headers_are_looked_through() {
    let options = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let atomic = [6, 0, 0, 0, 0, 0, 0, 1];
    let routing = [&[6, 2, 0, 0][..], &[0; 20]].concat();
    let authentication = [&[6, 4, 0, 0][..], &[0; 20]].concat();
    for (kind, extension) in [
        (0, &options(6)[..]),
        (60, &options(6)),
        (140, &options(6)),
        (43, &routing),
        (44, &atomic),
        (51, &authentication),
    ] {
        let packet = ip6_with(kind, None, &[extension, &tcp(b"hello")].concat());
        assert_eq!(whole(ETHERNET, &frame(&packet)), V6, "{kind}");
        for cut in 0..extension.len() {
            assert_eq!(whole(ETHERNET, &frame(&ip6_with(kind, None, &extension[..cut]))), "other");
        }
    }
    let authenticated = Ip4 { protocol: 51, ..Ip4::default() };
    assert_eq!(whole(ETHERNET, &frame(&authenticated.packet(&[&authentication, &tcp(b"hello")[..]].concat()))), V4);

    let mut decoder = Decoder::new(Limits::DEFAULT);
    let mut chain = |count: usize| {
        let extensions = [options(60).repeat(count - 1), options(6).to_vec()].concat();
        let frame = frame(&ip6_with(60, None, &[extensions, tcp(b"hello")].concat()));
        decoded(&mut decoder, ETHERNET, &frame, frame.len())
    };
    assert_eq!(chain(64), V6);
    assert_eq!(chain(65), "other");
    assert_eq!(chain(150), "other");
    assert!(
        decoder.notes()[0].text.contains("IPv6 extension headers") && decoder.notes()[0].text.contains("2 packets")
    );
}

#[test]
fn fragments_are_counted() {
    let mut decoder = Decoder::new(Limits::DEFAULT);
    for fragment in [0x2000, 0x2001, 0x3fff] {
        let frame = frame(&Ip4 { fragment, ..Ip4::default() }.packet(&tcp(b"hello")));
        assert_eq!(decoded(&mut decoder, ETHERNET, &frame, frame.len()), "other");
    }
    for fragment in [[0, 1], [0, 17]] {
        let header = [&[6, 0][..], &fragment, &[0, 0, 0, 1]].concat();
        let frame = frame(&ip6_with(44, None, &[header, tcp(b"hello")].concat()));
        assert_eq!(decoded(&mut decoder, ETHERNET, &frame, frame.len()), "other");
    }
    let notes = decoder.notes();
    assert_eq!(notes[0].code.name(), "IP-FRAGMENT");
    assert!(notes[0].text.contains("not all fragments came: 2 packets"), "{}", notes[0].text);
    assert_eq!(decoder.seen().fragments, 5);
}

/// Extension headers may stand on either side of the cut, and what was not captured may be missing anywhere.
#[test]
fn fragments_are_put_together() {
    let segment = tcp(b"hello world");
    let mut decoder = Decoder::default();
    let mut see = |ip: &[u8], missing: usize| {
        let frame = frame(ip);
        let captured = frame.len() - missing;
        decoded(&mut decoder, ETHERNET, &frame[..captured], frame.len())
    };
    let v4 = |fragment: u16, payload: &[u8]| Ip4 { fragment, ..Ip4::default() }.packet(payload);
    assert_eq!(see(&v4(0x0003, &segment[24..]), 0), "other");
    assert_eq!(see(&v4(0x2000, &segment[..24]), 0), r#"v4 "hello world" cut 0"#);
    assert_eq!(see(&v4(0x2000, &segment[..24]), 0), "other");
    assert_eq!(see(&v4(0x0003, &segment[24..]), 3), r#"v4 "hello wo" cut 3"#);
    assert_eq!(see(&v4(0x0003, &segment[24..]), 0), "other");
    assert_eq!(see(&v4(0x2000, &segment[..24]), 1), r#"v4 "hel" cut 8"#);
    let rest = [&[6, 0, 1, 4, 0, 0, 0, 0], &segment[..]].concat();
    let v6 = |next: u8, fragment: [u8; 2], payload: &[u8]| {
        let header = [&[next, 0][..], &fragment, &[0, 0, 0, 1]].concat();
        ip6_with(0, None, &[&[44, 0, 1, 4, 0, 0, 0, 0], &header[..], payload].concat())
    };
    // What the first one says is carried holds.
    assert_eq!(see(&v6(17, [0, 16], &rest[16..]), 0), "other");
    assert_eq!(see(&v6(60, [0, 1], &rest[..16]), 0), r#"v6 "hello world" cut 0"#);
    assert_eq!((decoder.seen().fragments, decoder.seen().tcp), (4, 4));
    let codes: Vec<_> = decoder.notes().iter().map(|note| note.code.name()).collect();
    assert_eq!(codes, ["PACKET-CUT"]);
}

#[test]
fn errors_quote_headers() {
    let inner4 = ip4(&tcp(b"hello"));
    let inner6 = ip6(&tcp(b"hello"));
    let icmp = |kind: u8, packet: &[u8]| [&[kind, 0, 0xba, 0xad, 0, 0, 0, 0], packet].concat();
    let v4 = |kind, packet: &[u8]| frame(&Ip4 { protocol: 1, ..Ip4::default() }.packet(&icmp(kind, packet)));
    let v6 = |kind, packet: &[u8]| frame(&ip6_with(58, None, &icmp(kind, packet)));
    let header4 = format!("header {SRC4}:{SRC_PORT} > {DST4}:{DST_PORT} seq {SEQ:x} flags {PSH_ACK:x}");
    let header6 = format!("header [{SRC6}]:{SRC_PORT} > [{DST6}]:{DST_PORT} seq {SEQ:x} flags {PSH_ACK:x}");
    for kind in 0..=13 {
        let expected = if [3, 4, 11, 12].contains(&kind) { &header4[..] } else { "other" };
        assert_eq!(whole(ETHERNET, &v4(kind, &inner4)), expected, "{kind}");
    }
    for kind in [0, 1, 2, 3, 4, 5, 128, 129, 137] {
        let expected = if (1..=4).contains(&kind) { &header6[..] } else { "other" };
        assert_eq!(whole(ETHERNET, &v6(kind, &inner6)), expected, "{kind}");
    }
    for quoted in 0..=25 {
        let expected = if quoted >= 16 { &header4[..] } else { "other" };
        assert_eq!(whole(ETHERNET, &v4(3, &inner4[..20 + quoted])), expected, "{quoted} bytes");
    }
    let udp = Ip4 { protocol: 17, ..Ip4::default() }.packet(&[0; 20]);
    assert_eq!(whole(ETHERNET, &v4(3, &udp)), "other");
    let fragment = Ip4 { fragment: 5, ..Ip4::default() }.packet(&tcp(b""));
    assert_eq!(whole(ETHERNET, &v4(3, &fragment)), "other");
}

#[test]
fn what_was_seen_is_counted() {
    let mut decoder = Decoder::new(Limits::DEFAULT);
    let protocol = |protocol| frame(&Ip4 { protocol, ..Ip4::default() }.packet(&tcp(b"")));
    let mut see = |link, frame: &[u8]| {
        decoded(&mut decoder, link, frame, frame.len());
    };
    see(1, &protocol(6));
    see(1, &protocol(17));
    see(1, &protocol(17));
    see(1, &protocol(1));
    see(1, &protocol(47));
    see(1, &ethernet(0x0806, b""));
    see(1, b"short");
    see(147, b"");
    see(147, b"");
    see(8, b"");
    see(40_000, b"");
    let seen = decoder.seen();
    assert_eq!((seen.packets, seen.tcp, seen.udp, seen.icmp), (11, 1, 2, 1));
    assert_eq!((seen.other_ip, seen.arp, seen.fragments, seen.other), (1, 1, 0, 5));
    let texts: Vec<_> = decoder.notes().into_iter().map(|note| note.text).collect();
    assert_eq!(
        texts,
        [
            "link type 8 (SLIP) is not supported: 1 packet, first packet 7",
            "link type 147 (USER0) is not supported: 2 packets, first packet 7",
            "link type 40000 (unknown) is not supported: 1 packet, first packet 7",
        ]
    );
}

#[test]
fn many_unknown_link_types_are_few_findings() {
    let mut decoder = Decoder::new(Limits::DEFAULT);
    for link in 1000..2000 {
        decoded(&mut decoder, link, b"", 0);
    }
    let notes = decoder.notes();
    assert_eq!(notes.len(), 9);
    assert_eq!(notes[8].text, "other link types are not supported either: 992 packets, first packet 7");
}
