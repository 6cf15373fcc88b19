//! Rarer link headers: frames as such links have them, and every beginning of each.

use crate::frames::*;
use crate::packets::{V4, V6, decoded, whole};
use wspect::model::Limits;
use wspect::net::Decoder;

/// Bytes as hex, with blanks.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.bytes().filter_map(|digit| char::from(digit).to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Headers before IPv4: link type, header.
const BEFORE_V4: &[(u32, &str)] = &[
    // Token Ring: bare, with a route of eight bytes.
    (6, "10 40 00608c123456 0000f6abcdef aaaa03 000000 0800"),
    (6, "10 40 00608c123456 8000f6abcdef 0830 0011 0122 0230 aaaa03 000000 0800"),
    (6, "10 40 00608c123456 0000f6abcdef 060603"),
    (10, "54 00608c123456 0000f6abcdef aaaa03 000000 0800"),
    (10, "d0 00608c123456 0000f6abcdef aaaa03 000000 0800"),
    // PPP: in HDLC-like framing, bare, with a compressed protocol, and with both compressed.
    (9, "ff03 0021"),
    (9, "0021"),
    (9, "21"),
    (9, "ff03 21"),
    (50, "ff03 0021"),
    (50, "0f00 0800"),
    (51, "11 00 0bdc 002f 0021"),
    (51, "11 00 0bdc 002e 21"),
    (104, "0f00 0800"),
    (104, "8f00 0800"),
    (104, "ff03 0021"),
    (105, "0801 2c00 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 aaaa03 000000 0800"),
    (105, "8841 3000 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 0000 a2000020 01000000 aaaa03 000000 0800"),
    (107, "1841 03 cc"),
    (107, "18404041 0300 cc"),
    (107, "1841 03 80 000000 0800"),
    (107, "1841 0300 80 0080c2 0001 020000000001 020000000002 0800"),
    (107, "1841 0800"),
    (13, "02000000 0000c0de 00040000"),
    (109, "02000000 0000c0de 00040000"),
    (109, "00000002 0000c0de 00000400"),
    (
        117,
        "3d 02 00 00 6d786e30 000000000000000000000000 00000000000000000000000000000000 ffffffff 00000000 00000000 00000000 00000000 01000000 00000000",
    ),
    (
        119,
        "44000000 90000000 776c616e30 0000000000000000000000 00000000000000000000000000000000 00000000000000000000000000000000 00000000000000000000000000000000 00000000000000000000000000000000 00000000000000000000000000000000 00000000000000000000000000000000 00000000000000000000000000000000 0000000000000000 0802 0000 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 aaaa03 000000 0800",
    ),
    (122, "1000 00146c7e4080 1000 0013e8c4a1b2 aaaa03 000000 0800"),
    // Radiotap: flags and rate; time and flags, in two words of presence, padded.
    (127, "0000 0a00 06000000 1002 8801 3000 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 0000 aaaa03 000000 0800"),
    (
        127,
        "0000 1a00 2f480000 b50a1f0000000000 10 02 6c09a000 c700 0000 0801 3000 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 aaaa03 000000 0800",
    ),
    (127, "0000 0800 00000000 0801 3000 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 aaaa03 000000 0800"),
    (127, "0000 0900 02000000 20 8801 3000 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 0000 0000 aaaa03 000000 0800"),
    (138, "0011223344556677 8899aabbccddeeff 0800"),
    (
        163,
        "80211001 00000040 0000000000000000 0000000000000000 00000004 0000000b 0000006e 00000000 00000000 00000001 ffffffd4 ffffffa0 00000001 00000002 0801 3000 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 aaaa03 000000 0800",
    ),
    (166, "0003 0021"),
    (166, "0103 21"),
    (
        192,
        "00 00 2000 69000000 0200 1400 0000000000000000 0100 0200 6c09 a000 00 00 d0 a0 0801 3000 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 aaaa03 000000 0800",
    ),
    (192, "00 00 0800 01000000 020000000001 020000000002 0800"),
    (204, "01 ff03 0021"),
    (204, "00 0021"),
    (205, "01 0f00 0800"),
    (206, "00 1841 03 cc"),
    (226, "01 02 0000 00000030 00000003 00000000 00000000 00000000"),
    (239, "02 00 0005 0800 0100 08000300 0500 0a00 00000000 0800 0500 00000002 3100 0900"),
    (239, "02 00 0005 0008 0001 08000300 0005 000a 00000000 0008 0005 00000002 0031 0009"),
    (242, "0800 0000"),
    (242, "60000000 004c1b40 fe800000000000000002c90300001d51 fe800000000000000002c90300001d52 0800 0000"),
    (
        258,
        "6c000000 01000000 01000000 656e30 000000000000000000000000000000000000000000 02000000 02000000 0e000000 00000000 ffffffff 0000000000000000000000000000000000000000 00000000 0600 0000 ffffffff 0000000000000000000000000000000000000000 020000000001 020000000002 0800",
    ),
    (258, "0c000000 01000000 0c000000"),
];

/// Headers before IPv6.
const BEFORE_V6: &[(u32, &str)] = &[
    (9, "ff03 0057"),
    (9, "57"),
    (50, "0f00 86dd"),
    (51, "11 00 0bdc 0047 0057"),
    (105, "0802 0000 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 aaaa03 000000 86dd"),
    (107, "1841 03 8e"),
    (107, "1841 86dd"),
    (109, "18000000 0000c0de 00040000"),
    (109, "0000001e 0000c0de 00000400"),
    (226, "01 1a 0000 00000030 00000003 00000000 00000000 00000000"),
    (242, "86dd 0000"),
    (258, "10000000 01000000 00000000 00000000 1e000000"),
];

#[test]
fn every_header_is_looked_behind() {
    let (v4, v6) = (ip4(&tcp(b"hello")), ip6(&tcp(b"hello")));
    let cases = |headers: &'static [(u32, &'static str)], ip: Vec<u8>, expected: &'static str| {
        headers.iter().map(move |&(link, header)| (link, header, [hex(header), ip.clone()].concat(), expected))
    };
    for (link, header, frame, expected) in cases(BEFORE_V4, v4, V4).chain(cases(BEFORE_V6, v6, V6)) {
        assert_eq!(whole(link, &frame), expected, "{link}: {header}");
        // Behind the packet may stand padding or a check sequence.
        assert_eq!(whole(link, &[&frame[..], &[0xee; 4]].concat()), expected, "{link}: {header}");
        for len in 0..hex(header).len() {
            assert_eq!(whole(link, &frame[..len]), "other", "{link}: {header}: {len} bytes");
        }
        for len in hex(header).len()..frame.len() {
            decoded(&mut Decoder::new(Limits::DEFAULT), link, &frame[..len], frame.len());
        }
    }
}

#[test]
fn what_is_no_packet_is_not_taken_for_one() {
    let v4 = ip4(&tcp(b"hello"));
    for (link, header) in [
        // A frame of the ring itself, and of FDDI.
        (6, "10 00 00608c123456 0000f6abcdef aaaa03 000000 0800"),
        (10, "41 00608c123456 0000f6abcdef aaaa03 000000 0800"),
        // LCP, and compressed headers.
        (9, "ff03 c021"),
        (9, "ff03 002d"),
        (51, "11 09 0000 002f 0021"),
        (104, "0f00 8035"),
        // Q.933, and a control field of another kind.
        (107, "1841 03 08"),
        (107, "00000000 03 cc"),
        // A beacon, an acknowledgement, a frame without data, another version.
        (105, "8000 0000 ffffffffffff 00146c7e4080 00146c7e4080 5000 aaaa03 000000 0800"),
        (105, "d400 0000 00146c7e4080"),
        (105, "4801 2c00 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 aaaa03 000000 0800"),
        (105, "c801 2c00 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 0000 aaaa03 000000 0800"),
        (105, "0901 2c00 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 aaaa03 000000 0800"),
        // A check sequence that is wrong.
        (127, "0000 0900 02000000 50 0801 3000 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 aaaa03 000000 0800"),
        (117, "3d 02"),
        (226, "01 07 0000 00000030 00000003 00000000 00000000 00000000"),
        // ARP, another version, a field that is shorter than itself.
        (239, "03 00 0005 3100 0900"),
        (239, "02 01 0005 3100 0900"),
        (239, "02 00 0005 0200 0100 3100 0900"),
        (258, "04000000 01000000 01000000"),
    ] {
        assert_eq!(whole(link, &[hex(header), v4.clone()].concat()), "other", "{link}: {header}");
    }
}

#[test]
fn what_is_encrypted_or_in_fragments_is_counted() {
    let v4 = ip4(&tcp(b"hello"));
    let mut decoder = Decoder::new(Limits::DEFAULT);
    for header in [
        "0841 2c00 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 a2000020 01000000 5caf09e1b7d6",
        "8841 2c00 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 8000 a2000020 01000000 5caf09e1b7d6",
        "0805 2c00 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 aaaa03 000000 0800",
        "0801 2c00 00146c7e4080 0013e8c4a1b2 00146c7e4081 5100 aaaa03 000000 0800",
    ] {
        let frame = [hex(header), v4.clone()].concat();
        assert_eq!(decoded(&mut decoder, 105, &frame, frame.len()), "other");
    }
    let texts: Vec<_> = decoder.notes().into_iter().map(|note| (note.code.name(), note.text)).collect();
    let told = |code, text: &str| (code, format!("{text}: 2 packets, first packet 7"));
    assert_eq!(
        texts,
        [
            told("LINK-UNKNOWN", "fragments of IEEE 802.11 frames are not put together"),
            told("LINK-ENCRYPTED", "frames are encrypted by the link"),
        ]
    );
}

/// What is wrapped in a wrapper, or of a link type that is not read, is named.
#[test]
fn a_wrapper_names_what_it_holds() {
    let mut decoder = Decoder::new(Limits::DEFAULT);
    for (link, header) in [
        (192, "00 00 0800 93000000"),
        (258, "0c000000 01000000 93000000"),
        (192, "00 00 0800 c0000000 00 00 0800 69000000"),
        (258, "0c000000 01000000 02010000 0c000000 01000000 01000000"),
    ] {
        assert_eq!(decoded(&mut decoder, link, &hex(header), 64), "other");
    }
    let texts: Vec<_> = decoder.notes().into_iter().map(|note| note.text).collect();
    assert_eq!(
        texts[..3],
        [
            "link type 147 (USER0) is not supported: 2 packets, first packet 7",
            "link type 192 (PPI) is not supported: 1 packet, first packet 7",
            "link type 258 (PKTAP) is not supported: 1 packet, first packet 7",
        ]
    );
}

/// Several packets in a frame, in order; of the last one bytes may be missing.
#[test]
fn an_aggregate_is_taken_apart() {
    let mut frame = hex("8801 2c00 00146c7e4080 0013e8c4a1b2 00146c7e4081 5000 8000");
    let start = frame.len();
    for payload in [&b"hello"[..], b"", b"world"] {
        let packet = [hex("aaaa03 000000 0800"), ip4(&tcp(payload))].concat();
        frame.resize(start + (frame.len() - start).next_multiple_of(4), 0);
        frame.extend(hex("00146c7e4080 0013e8c4a1b2"));
        frame.extend((packet.len() as u16).to_be_bytes());
        frame.extend(packet);
    }
    let all = [V4, r#"v4 "" cut 0"#, r#"v4 "world" cut 0"#].join(", ");
    assert_eq!(whole(105, &frame), all);
    assert_eq!(whole(105, &[&frame[..], &[0xee; 6]].concat()), all, "with a check sequence");
    let cut = &frame[..frame.len() - 3];
    assert_eq!(
        decoded(&mut Decoder::new(Limits::DEFAULT), 105, cut, frame.len()),
        all.replace(r#""world" cut 0"#, r#""wo" cut 3"#)
    );
    for len in 0..frame.len() {
        decoded(&mut Decoder::new(Limits::DEFAULT), 105, &frame[..len], frame.len());
    }
}

/// An exported PDU: its tags, then its bytes.
fn exported(tags: &[(u16, &[u8])], payload: &[u8]) -> Vec<u8> {
    let mut pdu = Vec::new();
    for (number, value) in tags.iter().chain(&[(0, &[][..])]) {
        pdu.extend(number.to_be_bytes());
        pdu.extend((value.len() as u16).to_be_bytes());
        pdu.extend(*value);
    }
    pdu.extend(payload);
    pdu
}

#[test]
fn an_exported_pdu_is_read_from_the_layer_that_it_carries() {
    let (v4, v6, segment) = (ip4(&tcp(b"hello")), ip6(&tcp(b"hello")), tcp(b"hello"));
    let (src, dst) = (SRC4.octets(), DST4.octets());
    let ends = [(20, &src[..]), (21, &dst)];
    let with = |tags: &[(u16, &'static [u8])], payload: &[u8]| exported(&[&ends[..], tags].concat(), payload);
    for (pdu, expected) in [
        (exported(&[(12, b"ip\0\0")], &v4), V4),
        (exported(&[(12, b"ipv6")], &v6), V6),
        (exported(&[(12, b"eth_withoutfcs\0\0")], &frame(&v4)), V4),
        (exported(&[(14, b"ethertype\0\0\0"), (32, &[0, 0, 0x86, 0xdd])], &v6), V6),
        (with(&[(12, b"tcp\0")], &segment), V4),
        (with(&[(14, b"ip.proto"), (32, &[0, 0, 0, 6])], &segment), V4),
        // Of UDP, without addresses, without ports, of nothing that is known, and without an end of its tags.
        (with(&[(12, b"dns\0"), (24, &[0, 0, 0, 3])], b"hello"), "other"),
        (exported(&[(12, b"tcp\0")], &segment), "other"),
        (exported(&[(12, b"http"), (24, &[0, 0, 0, 2])], b"hello"), "other"),
        (with(&[(14, b"ip.proto"), (32, &[0, 0, 0, 17])], &segment), "other"),
        (with(&[(12, b"http")], b"hello"), "other"),
        (b"\0\x0c\0\x04http".to_vec(), "other"),
        (b"\0\x0c\xff\xffhttp".to_vec(), "other"),
    ] {
        assert_eq!(whole(252, &pdu), expected, "{}", pdu.escape_ascii());
        for len in 0..pdu.len() {
            decoded(&mut Decoder::new(Limits::DEFAULT), 252, &pdu[..len], pdu.len());
        }
    }
}

/// A PDU of a stream takes its place, and no more streams are kept than the limit allows.
#[test]
fn an_exported_piece_becomes_a_segment() {
    let (src, dst) = (SRC4.octets(), DST4.octets());
    let mut numbers = vec![0, 1];
    numbers.extend([SEQ, SEQ.wrapping_add(5), ACK].map(u32::to_be_bytes).concat());
    numbers.extend([0, 0, PSH_ACK, 0, 0]);
    let tcp = [0, 0, 0, 2];
    let port = |port: u16| u32::from(port).to_be_bytes();
    let piece_of = |to: u16, numbers: &[u8]| {
        let (from, to) = (port(SRC_PORT), port(to));
        let tags: [(u16, &[u8]); 7] =
            [(14, b"tcp.port"), (20, &src), (21, &dst), (24, &tcp), (25, &from), (26, &to), (34, numbers)];
        exported(&tags, b"hello")
    };
    let piece = |to: u16| piece_of(to, &numbers);
    assert_eq!(whole(252, &piece(DST_PORT)), V4);
    let mut decoder = Decoder::new(Limits { exported_streams: 1, ..Limits::DEFAULT });
    assert_eq!(decoded(&mut decoder, 252, &piece(DST_PORT), piece(DST_PORT).len()), V4);
    let other = piece_of(81, b"");
    assert_eq!(decoded(&mut decoder, 252, &other, other.len()), "other");
    let mut forgetful = Decoder::new(Limits { exported_streams: 0, ..Limits::DEFAULT });
    assert_eq!(decoded(&mut forgetful, 252, &piece(DST_PORT), piece(DST_PORT).len()), V4, "numbers need no memory");
    let cut = piece(DST_PORT);
    assert_eq!(decoded(&mut decoder, 252, &cut[..cut.len() - 2], cut.len()), r#"v4 "hel" cut 2"#);
    let texts: Vec<_> = decoder.notes().into_iter().map(|note| note.text).collect();
    assert!(texts.iter().any(|text| text.starts_with("exported PDUs belong to more streams")), "{texts:?}");
}
