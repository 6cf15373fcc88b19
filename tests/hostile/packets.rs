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
    Survives::new("200 MPLS labels", &["LINK-UNKNOWN"]).check(&between(&[Packet::new(time_of(0), 1, label)]));
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

/// Fragments of which the others never come, or which are of no packet at all.
#[test]
fn fragments_are_reported() {
    let fragments = |offset: u16, more: bool| {
        bent(|bytes| bytes[20..22].copy_from_slice(&(offset | u16::from(more) << 13).to_be_bytes()))
    };
    for (what, packets) in [
        ("first fragments", fragments(0, true)),
        ("last fragments", fragments(185, false)),
        ("overlapping fragments", [fragments(1, true), fragments(0, true), fragments(5, true)].concat()),
        ("fragments behind the end", fragments(0x1fff, true)),
    ] {
        let others = Survives::new(what, &["IP-FRAGMENT"]).check(&between(&packets));
        assert!(others.values().all(|one| one.messages.iter().all(|message| !message.complete)), "{what}");
    }
}

/// Very many packets of which a fragment is missing, or all but a byte; one packet in very many pieces.
#[test]
fn very_many_fragments_are_survived() {
    let segment = Segment { payload: vec![7; 1400], ..Session::sample(1).segments()[3].clone() };
    let packet = Wire::default().packet(&segment, time_of(0));
    let lacking = |most: usize| -> Vec<Packet> {
        let all = (0..40_000_u32).step_by(if most == 8 { 40 } else { 1 });
        all.flat_map(|id| fragmented(&packet, most, id).into_iter().skip(1)).collect()
    };
    for (what, most) in [("halves", 720), ("pieces of eight bytes", 8)] {
        Survives::new(what, &["IP-FRAGMENT"]).check(&between(&lacking(most)));
    }
    let far: Vec<Packet> = (0..10_000_u16)
        .map(|id| {
            let mut fragment = fragmented(&packet, 8, id.into()).swap_remove(0);
            fragment.bytes[20..22].copy_from_slice(&[0x1f, 0xff]);
            fragment
        })
        .collect();
    Survives::new("last fragments of long packets", &["IP-FRAGMENT"]).check(&between(&far));
}

/// Every tunnel cut at every length, and with every byte of its headers changed.
#[test]
fn tunnels_may_lie() {
    let inner = packets(&Session::sample(1).segments(), &Wire::default()).swap_remove(3);
    let mut all = Vec::new();
    for tunnel in tunnels() {
        let whole = wrapped(&inner, &[tunnel]);
        for at in 0..whole.bytes.len().min(120) {
            all.push(whole.clone().snapped(at));
            for value in [0, 0xff, whole.bytes[at] ^ 0x10] {
                let mut bent = whole.clone();
                bent.bytes[at] = value;
                all.push(bent);
            }
        }
    }
    Survives::new("tunnels that lie", &[]).check(&between(&all));
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
