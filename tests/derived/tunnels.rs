//! Tags, tunnels and fragments: what is wrapped and cut says the same.

use super::formats::{Row, essence};
use super::support::Dice;
use super::support::craft::*;
use super::{LOSS, has_finding, has_no_findings, says, says_one, shown};

fn sessions() -> Vec<Session> {
    (0..3).map(Session::sample).collect()
}

/// The packets of some sessions, over IPv4 or IPv6, and what they say.
fn talk(six: bool) -> (Vec<Packet>, Vec<Row>) {
    let segments = interleave(sessions().iter().map(|session| session.cut(|_| vec![900])).collect());
    let segments = if six { v6(&segments) } else { segments };
    let packets = packets(&segments, &Wire::default());
    let rows = essence(&shown(&Pcap::default().file(&packets)));
    assert_eq!(rows.len(), 3);
    (packets, rows)
}

/// The same without packets' numbers.
fn said(rows: &[Row]) -> Vec<impl PartialEq + use<>> {
    rows.iter().map(|(stream, _, said)| (*stream, said.clone())).collect()
}

fn file(packets: &[Packet]) -> Vec<u8> {
    Pcap::default().file(packets)
}

#[track_caller]
fn is_the_same(packets: &[Packet], rows: &[Row], what: &str) {
    let file = file(packets);
    assert!(essence(&shown(&file)) == rows, "{what}: other records");
    has_no_findings(&file, LOSS, what);
}

#[test]
fn every_tunnel_says_the_same() {
    for six in [false, true] {
        let (packets, rows) = talk(six);
        for tunnel in tunnels() {
            let all: Vec<_> = packets.iter().map(|packet| wrapped(packet, std::slice::from_ref(&tunnel))).collect();
            is_the_same(&all, &rows, &format!("{tunnel:?}, IPv6 {six}"));
        }
    }
    let (mut packets, _) = talk(true);
    // Both ends in Teredo's network.
    for packet in &mut packets {
        [8, 24].iter().for_each(|at| packet.bytes[14 + at..][..4].copy_from_slice(&[0x20, 1, 0, 0]));
    }
    let rows = essence(&shown(&file(&packets)));
    let authentication = [&[0, 1, 2, 3][..], b"idval", &[0; 9]].concat();
    let origin = [0, 0, 1, 2, 3, 4, 5, 6];
    for indications in [vec![], authentication.clone(), origin.to_vec(), [&authentication[..], &origin].concat()] {
        let tunnel = Tunnel::Teredo(indications);
        let all: Vec<_> = packets.iter().map(|packet| wrapped(packet, std::slice::from_ref(&tunnel))).collect();
        is_the_same(&all, &rows, &format!("{tunnel:?}"));
    }
}

/// Tunnels in tunnels, drawn by lot.
#[test]
fn tunnels_in_tunnels_say_the_same() {
    let mut dice = Dice(1);
    let (packets, rows) = talk(false);
    // PPP carries IP alone, and labels tell no more than its first bits.
    let carries_ip = |tunnel: &Tunnel| {
        matches!(
            tunnel,
            Tunnel::Pppoe(_)
                | Tunnel::L2tp(..)
                | Tunnel::Mpls(_)
                | Tunnel::Gtp(..)
                | Tunnel::Ip
                | Tunnel::InIpv6
                | Tunnel::VxlanGpe(false, _)
                | Tunnel::MplsInUdp(_)
                | Tunnel::Pptp(..)
                | Tunnel::Lisp(..)
                | Tunnel::Nsh { frame: false, .. }
        )
    };
    let is_tag = |tunnel: &Tunnel| {
        matches!(
            tunnel,
            Tunnel::Vlan(..)
                | Tunnel::Mpls(_)
                | Tunnel::MplsFrame(_)
                | Tunnel::Pppoe(_)
                | Tunnel::Service(_)
                | Tunnel::Nsh { .. }
                | Tunnel::Macsec(..)
        )
    };
    let all = tunnels();
    for _ in 0..30 {
        let mut way: Vec<Tunnel> = Vec::new();
        while way.len() < 4 {
            let next = &all[dice.below(all.len())];
            if !(is_tag(next) && way.last().is_some_and(carries_ip)) {
                way.push(next.clone());
            }
        }
        let wrapped: Vec<_> = packets.iter().map(|packet| wrapped(packet, &way)).collect();
        is_the_same(&wrapped, &rows, &format!("{way:?}"));
    }
}

/// What follows a path's header may be another, or labels.
#[test]
fn paths_through_services_carry_labels_and_paths() {
    let (packets, rows) = talk(false);
    let path = |frame| Tunnel::Nsh { frame, context: None, path: 7 };
    for way in [vec![path(false), Tunnel::Mpls(vec![17])], vec![path(false), path(true)]] {
        let all: Vec<_> = packets.iter().map(|packet| wrapped(packet, &way)).collect();
        is_the_same(&all, &rows, &format!("{way:?}"));
    }
}

/// Frames that MACsec encrypted are counted; those that it only checks are read.
#[test]
fn frames_that_a_link_encrypts_are_counted() {
    let (packets, rows) = talk(false);
    let checked = |packet: &Packet| wrapped(packet, &[Tunnel::Macsec(true, 16)]);
    let sealed = |packet: &Packet| {
        let mut sealed = checked(packet);
        sealed.bytes[14] |= 0x0c;
        sealed.bytes[28..].iter_mut().for_each(|byte| *byte ^= 0x5a);
        sealed
    };
    let all: Vec<_> = packets.iter().flat_map(|packet| [sealed(packet), checked(packet)]).collect();
    assert!(said(&essence(&shown(&file(&all)))) == said(&rows));
    has_finding(&file(&all), "LINK-ENCRYPTED", "encrypted");
    has_no_findings(&file(&packets.iter().map(checked).collect::<Vec<_>>()), &["LINK-ENCRYPTED"], "checked");
}

#[test]
fn tunnels_are_looked_through_to_a_bound() {
    let (packets, rows) = talk(false);
    let nested = |depth: usize| -> Vec<Packet> {
        packets.iter().map(|packet| wrapped(packet, &vec![Tunnel::Ip; depth])).collect()
    };
    is_the_same(&nested(16), &rows, "16 deep");
    let deeper = file(&nested(17));
    assert!(shown(&deeper).is_empty());
    has_finding(&deeper, "LINK-UNKNOWN", "17 deep");
}

#[test]
fn fragments_in_any_order_say_the_same() {
    let mut dice = Dice(2);
    for six in [false, true] {
        let (packets, rows) = talk(six);
        for most in [8, 64, 200, 504] {
            let file = file(&all_fragmented(&packets, if most == 8 { 24 } else { most }, &mut dice));
            assert!(said(&essence(&shown(&file))) == said(&rows), "fragments of {most} bytes, IPv6 {six}");
            has_no_findings(&file, LOSS, "fragments");
        }
    }
}

#[test]
fn fragments_and_tunnels_go_together() {
    let mut dice = Dice(3);
    let (packets, rows) = talk(false);
    for tunnel in tunnels() {
        let way = std::slice::from_ref(&tunnel);
        let inside: Vec<_> =
            all_fragmented(&packets, 304, &mut dice).iter().map(|packet| wrapped(packet, way)).collect();
        let inside = file(&inside);
        assert!(said(&essence(&shown(&inside))) == said(&rows), "fragments in {tunnel:?}");
        has_no_findings(&inside, LOSS, "fragments in a tunnel");
        let outside: Vec<_> = packets.iter().map(|packet| wrapped(packet, way)).collect();
        if outside[0].bytes[12..14] != [8, 0] && outside[0].bytes[12..14] != [0x86, 0xdd] {
            continue;
        }
        let outside = file(&all_fragmented(&outside, 304, &mut dice));
        assert!(said(&essence(&shown(&outside))) == said(&rows), "{tunnel:?} in fragments");
        has_no_findings(&outside, LOSS, "a tunnel in fragments");
    }
}

/// Copies of fragments, also of a packet that is whole already, cost nothing and say nothing.
#[test]
fn fragments_may_come_twice() {
    let mut dice = Dice(4);
    let (packets, rows) = talk(false);
    let mut twice = Vec::new();
    for fragment in all_fragmented(&packets, 200, &mut dice) {
        twice.push(fragment.clone());
        if dice.below(3) == 0 {
            twice.push(fragment);
        }
    }
    let file = file(&twice);
    assert!(said(&essence(&shown(&file))) == said(&rows));
    has_no_findings(&file, LOSS, "copies of fragments");
}

/// Of what two fragments say the first stays; nothing else is touched.
#[test]
fn fragments_that_disagree_are_told() {
    let (packets, _) = talk(false);
    let mut all = Vec::new();
    for (id, packet) in packets.iter().enumerate() {
        let fragments = fragmented(packet, 200, id as u32);
        let mut bent = fragments[0].clone();
        let len = bent.bytes.len();
        bent.bytes[len - 1] ^= 0x55;
        let split = fragments.len() > 1;
        all.push(fragments[0].clone());
        all.extend(split.then_some(bent));
        all.extend_from_slice(&fragments[1..]);
    }
    let file = file(&all);
    says(&file, &sessions(), "disagreeing fragments");
    has_finding(&file, "IP-OVERLAP", "disagreeing fragments");
}

/// One lost fragment loses its packet; the rest is shown, and the loss is told.
#[test]
fn a_lost_fragment_is_told() {
    let (packets, _) = talk(false);
    let mut all: Vec<Vec<Packet>> =
        packets.iter().enumerate().map(|(id, packet)| fragmented(packet, 304, id as u32)).collect();
    let victim = all.iter().rposition(|fragments| fragments.len() > 2).unwrap();
    all[victim].remove(1);
    let file = file(&all.concat());
    has_finding(&file, "IP-FRAGMENT", "a lost fragment");
    has_finding(&file, "TCP-GAP", "a lost fragment");
    let conversations = shown(&file);
    let whole = sessions()
        .into_iter()
        .filter(|session| std::panic::catch_unwind(|| says_one(&conversations, session, "a lost fragment")).is_ok());
    assert_eq!(whole.count(), 2, "the other two are as they were");
}
