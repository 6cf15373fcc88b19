//! Link and IP headers that lie.

use super::support::craft::*;
use super::{Survives, between, says};

/// One packet of a session, changed.
fn bent(bend: impl Fn(&mut Vec<u8>)) -> Vec<Packet> {
    let mut packets = packets(&Session::sample(1).segments(), &Wire::default());
    for packet in &mut packets {
        bend(&mut packet.bytes);
        packet.orig_len = packet.bytes.len() as u32;
    }
    packets
}

#[test]
fn towers_of_headers_end_somewhere() {
    let vlans = Wire { vlans: vec![(0x8100, 1); 60], ..Wire::default() };
    let segments = Session::sample(1).segments();
    Survives::new("60 VLAN tags", &[]).check(&between(&packets(&segments, &vlans)));
    let extensions = Wire { extensions: vec![(60, vec![0; 6]); 150], ..Wire::default() };
    Survives::new("150 extension headers", &[]).check(&between(&packets(&v6(&segments), &extensions)));
    let label = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0x47][..], &[0, 0, 16, 64].repeat(200)].concat();
    Survives::new("200 MPLS labels", &[]).check(&between(&[Packet::new(time_of(0), 1, label)]));
    // Extension headers that say they are long, or that follow themselves.
    let mut lying = packets(&v6(&segments), &Wire { extensions: vec![(0, vec![0; 6])], ..Wire::default() });
    lying.iter_mut().for_each(|packet| packet.bytes[14 + 40 + 1] = 0xff);
    Survives::new("long extension header", &[]).check(&between(&lying));
}

/// Header fields at every extreme.
#[test]
fn lying_headers_are_survived() {
    for ihl in 0..16_u8 {
        Survives::new("IHL", &[]).check(&between(&bent(|bytes| bytes[14] = 0x40 | ihl)));
    }
    for total in [1_u16, 19, 20, 39, 40, 41, 1500, 0xffff] {
        Survives::new("total length", &[])
            .check(&between(&bent(|bytes| bytes[16..18].copy_from_slice(&total.to_be_bytes()))));
    }
    for offset in 0..16_u8 {
        Survives::new("data offset", &[]).check(&between(&bent(|bytes| bytes[14 + 20 + 12] = offset << 4)));
    }
    for version in [0_u8, 5, 6, 7, 15] {
        Survives::new("version", &[]).check(&between(&bent(|bytes| bytes[14] = version << 4 | 5)));
    }
    for flags in 0..=255_u8 {
        if flags % 7 == 0 {
            Survives::new("flags", &[]).check(&between(&bent(|bytes| bytes[14 + 20 + 13] = flags)));
        }
    }
    let mut long = packets(&v6(&Session::sample(1).segments()), &Wire::default());
    for (at, packet) in long.iter_mut().enumerate() {
        packet.bytes[18..20].copy_from_slice(&[0_u16, 1, 19, 20, 0xffff][at % 5].to_be_bytes());
    }
    Survives::new("IPv6 payload length", &[]).check(&between(&long));
}

/// Every packet cut at every length.
#[test]
fn packets_may_be_cut_anywhere() {
    let whole = packets(&Session::sample(1).segments(), &Wire::default());
    let cut: Vec<Packet> = (0..300).map(|at| whole[at % whole.len()].clone().snapped(at / 3)).collect();
    Survives::new("cut", &[]).check(&between(&cut));
}

/// Fragments are not put together yet: they are counted, and nothing is made of them.
#[test]
fn fragments_are_reported() {
    let fragments = |offset: u16, more: bool| {
        bent(|bytes| bytes[20..22].copy_from_slice(&(offset | u16::from(more) << 13).to_be_bytes()))
    };
    for (what, packets) in [
        ("first fragments", fragments(0, true)),
        ("last fragments", fragments(185, false)),
        ("overlapping fragments", [fragments(1, true), fragments(0, true), fragments(1, false)].concat()),
        ("fragments behind the end", fragments(0x1fff, true)),
    ] {
        let others = Survives::new(what, &["IP-FRAGMENT"]).check(&between(&packets));
        assert!(others.values().all(|one| one.messages.iter().all(|message| !message.complete)), "{what}");
    }
}

/// Between the bytes that IP counts and the end of the frame nothing belongs to TCP.
#[test]
fn padding_is_no_data() {
    let session = Session::sample(1);
    for len in [1, 6, 18, 64] {
        let wire = Wire { trailer: Frame::new(TEXT, "bait").bytes().repeat(12)[..len].to_vec(), ..Wire::default() };
        let others = Survives::new("padding", &[]).check(&between(&packets(&session.segments(), &wire)));
        says(others.get(&session.client.to_string()), &session, "padding");
    }
}
