//! Renegotiation as Node does it: whatever one packet is lost, or comes before the one in front of it, costs no more than it says.

use crate::seen::{Seen, dissect};
use crate::support::craft::{Packet, Pcap, read};
use std::fs;
use std::path::PathBuf;
use wspect::model::WhyNot;

/// Messages of each session.
const SAID: usize = 22;

fn data(name: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

fn seen(packets: &[Packet]) -> Seen {
    dissect(&Pcap::default().file(packets), &String::from_utf8(data("tls_renegotiated.keys")).unwrap())
}

/// Ethernet, IPv4, TCP: its header's first nibble says where the payload begins.
fn carries(packet: &Packet) -> bool {
    let total = usize::from(u16::from_be_bytes([packet.bytes[16], packet.bytes[17]]));
    total > 20 + usize::from(packet.bytes[14 + 20 + 12] >> 4) * 4
}

/// How many messages are shown whole.
fn complete(seen: &Seen) -> usize {
    seen.messages().filter(|message| message.complete).count()
}

#[test]
fn neither_order_nor_loss_costs_more_than_itself() {
    let packets = read(&data("tls_renegotiated.pcap"));
    let data: Vec<usize> = (0..packets.len()).filter(|&at| carries(&packets[at])).collect();
    assert_eq!(complete(&seen(&packets)), 2 * SAID);
    for (&at, &next) in data.iter().zip(&data[1..]) {
        let mut swapped = packets.clone();
        swapped.swap(at, next);
        let (time, other) = (packets[at].time, packets[next].time);
        (swapped[at].time, swapped[next].time) = (time, other);
        let seen = seen(&swapped);
        assert_eq!(complete(&seen), 2 * SAID, "packets {at} and {next} swapped: {:?}", seen.notes);
    }
    let (mut hellos, mut others) = (0, 0);
    for &at in &data {
        let mut fewer = packets.clone();
        fewer.remove(at);
        let seen = seen(&fewer);
        let lost = 2 * SAID - complete(&seen);
        let without_hello = |why: &Option<WhyNot>| matches!(why, Some(WhyNot::NoClientHello | WhyNot::NoServerHello));
        if seen.sessions.iter().any(|(_, session)| without_hello(&session.why_not)) {
            hellos += 1;
        } else {
            others += 1;
            // The upgrade's answer, without which its client's frames are known by themselves, or a message and its like.
            assert!(lost <= 2, "without packet {at} {lost} messages are: {:?}", seen.notes);
        }
    }
    // Each session has four.
    assert_eq!((hellos, others), (8, data.len() - 8));
}
