//! Networks with the same addresses stay apart; one conversation that is wrapped in two ways stays one.

use super::support::craft::*;
use super::support::run::{Essence, Input, conversations, key, number, records, wspect_with};
use super::{LOSS, has_no_findings};
use serde_json::{Value, json};
use std::path::Path;

/// What each direction of a connection says, and what it is wrapped in, there and back.
type Told = ([Vec<Essence>; 2], Value, Value);

/// Sessions between the same ends, with what the client's and the server's packets are wrapped in.
struct Tenants {
    sessions: Vec<Session>,
    around: Vec<[Vec<Tunnel>; 2]>,
}

impl Tenants {
    fn new(around: &[[&[Tunnel]; 2]]) -> Self {
        let sessions = (0..around.len()).map(|n| Session { client: Session::sample(0).client, ..Session::sample(n) });
        let around = around.iter().map(|[there, back]| [there.to_vec(), back.to_vec()]);
        Self { sessions: sessions.collect(), around: around.collect() }
    }

    /// All packets, each tenant's without its first.
    fn packets(&self, without: usize) -> Vec<Packet> {
        let segments: Vec<Vec<Segment>> = (1..)
            .zip(&self.sessions)
            .map(|(n, session)| wrap(&session.segments(), n << 28)[without..].to_vec())
            .collect();
        let longest = segments.iter().map(Vec::len).max().unwrap();
        let mut out = Vec::new();
        for at in 0..longest {
            for ((session, segments), around) in self.sessions.iter().zip(&segments).zip(&self.around) {
                if let Some(segment) = segments.get(at) {
                    let around = &around[usize::from(segment.src == session.server)];
                    out.push(wrapped(&Wire::default().packet(segment, time_of(out.len())), around));
                }
            }
        }
        out
    }

    /// What each session says, with these numbers around it.
    fn expected(&self, numbers: &[(Value, Value)]) -> Vec<Told> {
        let plain = self
            .sessions
            .iter()
            .map(|session| conversations(Input::Bytes(&capture_of(&session.segments()))).remove(0).essence());
        plain.zip(numbers).map(|(said, (there, back))| (said, there.clone(), back.clone())).collect()
    }
}

/// What a capture tells, in order of its connections, and the streams' numbers.
fn told(file: &[u8]) -> (Vec<Told>, Vec<u64>) {
    let (all, rows) = (conversations(Input::Bytes(file)), records("ls", Input::Bytes(file)));
    assert_eq!(all.len(), rows.len());
    let around = |row: &Value, name| key(row, name).clone();
    let told = all.iter().zip(&rows).map(|(conversation, row)| {
        (conversation.essence(), around(row, "encapsulation"), around(row, "encapsulation_back"))
    });
    (told.collect(), all.iter().map(|conversation| conversation.stream).collect())
}

#[track_caller]
fn tells(packets: &[Packet], expected: &[Told], streams: &[u64], what: &str) {
    let file = Pcap::default().file(packets);
    let (told, numbers) = told(&file);
    assert_eq!(told.len(), expected.len(), "{what}: connections");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.0 == expected.0, "{what}: other messages");
        assert_eq!((&told.1, &told.2), (&expected.1, &expected.2), "{what}");
    }
    assert_eq!(numbers, streams, "{what}");
    let count = streams.iter().max().map_or(0, |last| last + 1);
    assert_eq!(number(&records("stats", Input::Bytes(&file))[0], "tcp_streams"), count, "{what}");
    has_no_findings(&file, LOSS, what);
}

fn vlan(id: u16) -> Tunnel {
    Tunnel::Vlan(0x8100, id)
}

fn vxlan(network: u32) -> Tunnel {
    Tunnel::Vxlan(4789, [8, 0, 0, 0], network)
}

#[test]
fn networks_with_the_same_addresses_stay_apart() {
    let (a, b, c) = ([vlan(7)], [vlan(8)], [vlan(7), vxlan(5001)]);
    let tenants = Tenants::new(&[[&a, &a], [&b, &b], [&c, &c], [&[], &[]]]);
    let numbers = [json!(["vlan 7"]), json!(["vlan 8"]), json!(["vlan 7", "vxlan 5001"]), json!([])];
    let expected = tenants.expected(&numbers.map(|number| (number, Value::Null)));
    // Wireshark tells apart what begins with SYNs of different numbers.
    tells(&tenants.packets(0), &expected, &[0, 1, 2, 3], "tenants");
    // It does not tell apart what begins without.
    tells(&tenants.packets(3), &expected, &[0, 0, 0, 0], "tenants without handshakes");
}

#[test]
fn directions_that_are_wrapped_differently_are_one_conversation() {
    let gtp = |endpoint| Tunnel::Gtp(0x30, vec![], endpoint);
    for (there, back, names) in [
        (vec![vlan(7)], vec![vlan(8)], (json!(["vlan 7"]), json!(["vlan 8"]))),
        (vec![], vec![vlan(8)], (json!([]), json!(["vlan 8"]))),
        (vec![Tunnel::Ip], vec![], (json!(["ipv4-in-ip"]), json!([]))),
        (vec![gtp(1)], vec![gtp(0xabc)], (json!(["gtp 0x00000001"]), json!(["gtp 0x00000abc"]))),
    ] {
        let tenants = Tenants::new(&[[&there, &back]]);
        let expected = tenants.expected(std::slice::from_ref(&names));
        tells(&tenants.packets(0), &expected, &[0], &format!("{names:?}"));
        let (said, there, back) = expected[0].clone();
        // The server is heard first.
        tells(&tenants.packets(1), &[(said.clone(), back, there.clone())], &[0], &format!("{names:?}, without SYN"));
        // It is not heard before the connection is known.
        tells(&tenants.packets(3), &[(said, there, Value::Null)], &[0], &format!("{names:?}, without handshake"));
    }
}

#[test]
fn tenants_of_which_each_is_wrapped_in_two_ways_stay_apart() {
    let ways = [[[vlan(1)], [vlan(2)]], [[vlan(3)], [vlan(4)]], [[vlan(5)], [vlan(6)]]];
    let tenants = Tenants::new(&ways.each_ref().map(|[there, back]| [&there[..], &back[..]]));
    let number = |n: u16| json!([format!("vlan {n}")]);
    let expected = tenants.expected(&[1, 3, 5].map(|n| (number(n), number(n + 1))));
    tells(&tenants.packets(0), &expected, &[0, 1, 2], "tenants in two ways");
}

/// Both faces say it in the same words.
#[test]
fn what_is_around_is_said() {
    let tenants = Tenants::new(&[[&[vlan(7), vxlan(5001)], &[vlan(8)]]]);
    let file = Pcap::default().file(&tenants.packets(0));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("what_is_around_is_said.pcap");
    std::fs::write(&path, file).unwrap();
    let said = String::from_utf8(wspect_with(&["follow"], &path, &["1"]).stdout).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(said.contains(" in vlan 7, vxlan 5001, back in vlan 8"), "{said}");
}

/// Captured before and behind a router, or the end of a tunnel, a packet is there twice.
#[test]
fn both_sides_of_a_router_are_one_conversation() {
    let tenants = Tenants::new(&[[&[], &[]]]);
    for around in [vec![vlan(7)], vec![vlan(7), vxlan(5001)]] {
        for without in [0, 3] {
            for outside_first in [false, true] {
                let twice = |packet: &Packet| {
                    let mut both = [wrapped(packet, &[vlan(8)]), wrapped(packet, &around)];
                    both.rotate_left(usize::from(outside_first));
                    both
                };
                let packets: Vec<Packet> = tenants.packets(without).iter().flat_map(twice).collect();
                let file = Pcap::default().file(&packets);
                let (told, streams) = told(&file);
                assert_eq!(streams, [0], "{around:?}, without {without}");
                assert!(told[0].0 == tenants.expected(&[(json!([]), json!(null))])[0].0, "{around:?}");
            }
        }
    }
}

/// One tap began later than the other, or lost the first packets.
#[test]
fn a_copy_that_begins_later_is_the_same_conversation() {
    let tenants = Tenants::new(&[[&[], &[]]]);
    let packets = tenants.packets(0);
    let expected = &tenants.expected(&[(json!([]), json!(null))])[0].0;
    for without in 1..packets.len() {
        let twice = |(at, packet): (usize, &Packet)| {
            let copy = (at >= without).then(|| wrapped(packet, &[vlan(8)]));
            std::iter::once(packet.clone()).chain(copy).collect::<Vec<_>>()
        };
        let packets: Vec<Packet> = packets.iter().enumerate().flat_map(twice).collect();
        let (told, streams) = told(&Pcap::default().file(&packets));
        assert_eq!(streams, [0], "without {without}");
        assert!(told[0].0 == *expected, "without {without}");
    }
}

/// The way changes while a conversation goes on.
#[test]
fn a_conversation_may_change_its_way() {
    let tenants = Tenants::new(&[[&[], &[]]]);
    let mut packets = tenants.packets(0);
    let half = packets.len() / 2;
    for (at, packet) in packets.iter_mut().enumerate() {
        *packet = wrapped(packet, &[Tunnel::Mpls(vec![if at < half { 100 } else { 200 }])]);
    }
    tells(&packets, &tenants.expected(&[(json!(["mpls 100"]), Value::Null)]), &[0], "another way");
}
