//! Findings about the file, its packets and TCP.

use super::support::craft::*;
use super::{Case, case, paced, talk, talked};
use std::io::Write as _;
use wspect::model::Limits;

pub(super) fn cases() -> Vec<Case> {
    let whole = talked(|session| _ = session.text(Client, "hello").close());
    let good = || whole.clone();
    let packet = || read(&whole).remove(0);
    let cut = |less: usize| whole[..whole.len() - less].to_vec();
    let ng = |ticks: u64| {
        let mut ng = Ng::new(false);
        ng.interface(1, None, None).enhanced(0, ticks, &packet());
        ng
    };
    let damaged = {
        let mut file = good();
        // The second record claims four billion bytes.
        let at = 24 + 16 + packet().bytes.len() + 8;
        file[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        file
    };
    let of_link = |link: u16| Pcap::default().file(&[Packet { link, ..packet() }]);
    // The body is in clear although the head says that it is not, or it is not.
    let protected = |sealed: bool| {
        let mut packets =
            packets(&talk(|session| _ = session.close()).segments(), &Wire::over(Framing::WifiQos.into()));
        packets[0].bytes[1] |= 0x40;
        packets[0].bytes[26] ^= u8::from(sealed);
        Pcap::default().file(&packets)
    };
    let snapped = |less: usize| {
        let mut packets = read(&whole);
        let at = packets.iter().rposition(|packet| packet.bytes.len() > 60).unwrap();
        let len = packets[at].bytes.len() - less;
        packets[at] = packets[at].clone().snapped(len);
        Pcap::default().file(&packets)
    };
    let fragment = |flags: u8| {
        let mut packets = read(&whole);
        packets[0].bytes[14 + 6] = flags;
        Pcap::default().file(&packets)
    };
    // A copy of each packet, or what is sent again for want of an acknowledgement.
    let twice = |nanos: i64| {
        let copies = read(&whole).into_iter().flat_map(|packet| {
            let copy = Packet { time: packet.time + nanos, ..packet.clone() };
            [packet, copy]
        });
        Pcap::default().file(&copies.collect::<Vec<_>>())
    };
    let torn = |change: u8| {
        let mut fragments = fragmented(&packet(), 16, 7);
        fragments.insert(1, fragments[0].clone());
        fragments[1].bytes[40] ^= change;
        Pcap::default().file(&fragments)
    };
    let two_vlans = || {
        let tagged = [7, 8].map(|vlan| wrapped(&packet(), &[Tunnel::Vlan(0x8100, vlan)]));
        Pcap::default().file(&tagged)
    };
    vec![
        case("FILE-CUT", cut(7), good()),
        case("FILE-DAMAGED", damaged, good()),
        Case {
            limits: Limits { unpacked_bytes: 300, ..Limits::DEFAULT },
            ..case("FILE-LIMIT", gzip(&whole), gzip(&whole))
        },
        case("FILE-BLOCK", ng(1).block(6, &[0; 16]).bytes.clone(), ng(1).bytes),
        case("FILE-JOINED", [good(), ng(1).bytes].concat(), [ng(1).bytes, ng(2).bytes].concat()),
        case("FILE-TIME", ng(u64::MAX).bytes, ng(1).bytes),
        case("LINK-UNKNOWN", of_link(147), of_link(1)),
        case("LINK-ENCRYPTED", protected(true), protected(false)),
        case("PACKET-CUT", snapped(3), snapped(0)),
        case("PACKET-TWICE", twice(9_000), twice(300_000_000)),
        case("IP-FRAGMENT", fragment(0x20), fragment(0x40)),
        case("IP-OVERLAP", torn(1), torn(0)),
        Case { limits: Limits { encaps: 1, ..Limits::DEFAULT }, ..case("ENCAP-LIMIT", two_vlans(), two_vlans()) },
    ]
    .into_iter()
    .chain(tcp())
    .collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn tcp() -> Vec<Case> {
    let session = talk(|session| _ = session.binary(Server, vec![7; 900]).text(Client, "thanks").close());
    let segments = session.cut(|_| vec![300]);
    let first = segments.iter().position(|segment| segment.payload == [7; 300]).unwrap();
    let changed = |change: &dyn Fn(&mut Vec<Segment>)| {
        let mut segments = segments.clone();
        change(&mut segments);
        capture_of(&segments)
    };
    let copy = |bytes: u8| {
        changed(&|segments| {
            let mut copy = segments[first].clone();
            copy.payload.fill(bytes);
            segments.insert(first + 1, copy);
        })
    };
    let late = |packets: usize| {
        let mut session = session.clone();
        session.turns.truncate(3);
        for n in 0..packets {
            session.text(Server, &format!("{n}"));
        }
        let mut segments = session.cut(|_| vec![300]);
        let late = segments.remove(first);
        segments.push(late);
        capture_of(&segments)
    };
    let after_reset = |flags: u8| {
        changed(&|segments| {
            let mut rst = segments[first].clone();
            (rst.flags, rst.payload) = (flags, Vec::new());
            segments.insert(first, rst);
        })
    };
    let hole = changed(&|segments| drop(segments.remove(first)));
    let last = segments.iter().rposition(|segment| !segment.payload.is_empty()).unwrap();
    // The first are those whose checksums are right.
    let wrong_from = |from: usize| {
        let wire = |at: usize| Wire { bad_checksums: at >= from && at <= last, ..Wire::default() };
        let packets = segments.iter().enumerate().map(|(at, segment)| wire(at).packet(segment, time_of(at)));
        Pcap::default().file(&packets.collect::<Vec<_>>())
    };
    // Before it is acknowledged, or behind that.
    let again = |at: usize| {
        let mut segments = segments.clone();
        segments.insert(at, segments[first + 2].clone());
        paced(&segments, &[(at, 300)])
    };
    vec![
        case("TCP-GAP", hole.clone(), changed(&|segments| segments.swap(first, first + 1))),
        case("TCP-OVERLAP", copy(8), copy(7)),
        case("TCP-CHECKSUM", wrong_from(last), wrong_from(0)),
        case("TCP-LATE", late(300), late(3)),
        case("TCP-RESENT", again(first + 3), again(first + 4)),
        case("TCP-AFTER-RESET", after_reset(RST), after_reset(ACK)),
        Case { limits: Limits { reorder_bytes: 100, ..Limits::DEFAULT }, ..case("TCP-LIMIT", hole.clone(), hole) },
    ]
}
