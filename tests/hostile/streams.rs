//! TCP that wants too much memory or time, or to be seen otherwise than it was received.

use super::support::Dice;
use super::support::craft::*;
use super::{Survives, between, between_segments, says};

/// Thousands of tiny segments in reverse order, within what is queued.
#[test]
fn reversed_tiny_segments_are_put_in_order() {
    let mut session = Session::new(0);
    session.binary(Client, Dice(1).bytes(4000)).text(Client, "after");
    let mut segments = session.cut(|bytes| if bytes.len() > 3000 { vec![1] } else { vec![bytes.len()] });
    segments[7..7 + 4008].reverse();
    let others = Survives::new("reversed", &[]).mib(96).check(&between_segments(&segments));
    says(others.get(&session.client.to_string()), &session, "reversed");
}

/// More than may be queued: the hole is given up, what is behind it is shown, memory stays bounded.
#[test]
fn a_queue_has_a_bound() {
    let mut session = Session::new(0);
    session.binary(Client, vec![7; 6000]);
    for n in 0..40 {
        session.binary(Server, vec![n; 500_000]).text(Client, &format!("{n}"));
    }
    let mut segments = session.cut(|_| vec![16_000]);
    // The first of the server's data is lost, and no acknowledgement tells of it: the client's are lost as well.
    let lost = segments.iter().position(|s| s.src == session.server && s.payload.len() == 16_000).unwrap() + 1;
    segments.remove(lost);
    segments.retain(|s| !(s.src == session.client && s.payload.is_empty() && s.flags == ACK));
    let end = session.isn[1].wrapping_add(200);
    segments.iter_mut().filter(|s| s.src == session.client && s.flags & ACK != 0).for_each(|s| s.ack = end);
    let others = Survives::new("queue", &["TCP-LIMIT", "TCP-GAP"]).mib(160).check(&between_segments(&segments));
    let shown = &others[&session.client.to_string()];
    assert_eq!(shown.of("c2s").iter().filter(|message| message.complete).count(), 41);
    let server = shown.of("s2c");
    assert_eq!(server.len(), 40);
    assert!(!server[0].complete && server[1..].iter().all(|message| message.complete));
}

/// Four hundred thousand segments of one byte behind a hole.
#[test]
fn many_tiny_segments_behind_a_hole_are_bounded() {
    let mut session = Session::new(0);
    session.binary(Client, vec![7; 60_000]);
    let mut segments = session.cut(|bytes| if bytes.len() > 3000 { vec![1] } else { vec![bytes.len()] });
    segments.remove(30);
    let data = segments.iter().position(|s| s.payload.len() == 1).unwrap();
    let more: Vec<Segment> = (0..6).flat_map(|_| segments[data..data + 59_000].to_vec()).collect();
    let all = [segments.clone(), more].concat();
    Survives::new("tiny segments", &[]).mib(160).check(&between_segments(&all));
}

/// A flood of connections that never come to be.
#[test]
fn a_syn_flood_takes_nothing_from_the_others() {
    let mut dice = Dice(2);
    let flood: Vec<Segment> = (0..20_000)
        .map(|n: u32| {
            let mut syn = Session::bare(0).segments().swap_remove(0);
            syn.src = ([172, 16, (n >> 8) as u8, n as u8], 1024 + (n % 60_000) as u16).into();
            syn.seq = dice.roll() as u32;
            syn
        })
        .collect();
    let session = Session::sample(1);
    let segments = session.segments();
    let middle = flood.len() / segments.len();
    let mixed: Vec<Segment> = segments
        .iter()
        .zip(flood.chunks(middle))
        .flat_map(|(s, some)| [vec![s.clone()], some.to_vec()].concat())
        .collect();
    let others = Survives::new("SYN flood", &[]).mib(96).check(&between_segments(&mixed));
    says(others.get(&session.client.to_string()), &session, "SYN flood");
}

/// Connections that speak something else, and those that only begin an upgrade, cost little.
#[test]
fn many_idle_connections_take_little() {
    let mut all = Vec::new();
    for n in 2000..5000 {
        let mut session = Session::bare(n);
        match n % 3 {
            0 => session.turn(Client, "\u{16}\u{3}\u{1} this is no TLS"),
            1 => session.turn(Client, "GET / HTTP/1.1\r\nUpgrade: webso"),
            _ => session.turn(Client, request("/", "")).turn(Server, response("")),
        };
        session.fin = false;
        all.extend(session.segments());
    }
    Survives::new("idle connections", &[]).mib(128).check(&between_segments(&all));
}

/// Sequence numbers without any sense, flags in every combination.
#[test]
fn nonsense_is_survived() {
    let mut dice = Dice(3);
    let session = Session::sample(1);
    let template = session.segments();
    let mut nonsense: Vec<Segment> = (0..20_000)
        .map(|n| {
            let mut segment = template[dice.below(template.len())].clone();
            if n % 3 == 0 {
                segment.seq = dice.roll() as u32;
            } else {
                segment.seq = segment.seq.wrapping_add(dice.below(5000) as u32).wrapping_sub(2500);
            }
            segment.ack = dice.roll() as u32;
            segment.flags = dice.roll() as u8;
            let len = dice.below(60);
            segment.payload = dice.bytes(len);
            segment
        })
        .collect();
    nonsense.splice(0..0, template.iter().cloned());
    Survives::new("nonsense", &[]).check(&between_segments(&nonsense));
}

/// Both ends of a connection are the same address and port.
#[test]
fn a_connection_with_itself_is_survived() {
    let mut session = Session::sample(1);
    session.server = session.client;
    Survives::new("itself", &[]).check(&between_segments(&session.segments()));
}

/// Mirrored twice, once with a VLAN tag: nothing is shown twice.
#[test]
fn mirrored_packets_are_shown_once() {
    let session = Session::sample(1);
    let plain = packets(&session.segments(), &Wire::default());
    let tagged = packets(&session.segments(), &Wire { vlans: vec![(0x8100, 5)], ..Wire::default() });
    let both: Vec<Packet> = plain.into_iter().zip(tagged).flat_map(|(a, b)| [a, b]).collect();
    let others = Survives::new("mirrored", &[]).check(&between(&both));
    says(others.get(&session.client.to_string()), &session, "mirrored");
}

/// A SYN behind its data says that they begin before what was taken for their beginning, and some of them before itself.
#[test]
fn segments_before_the_first_byte_are_survived() {
    let session = Session::bare(0);
    let ask = b"GET /c HTTP/1.1\r\nHo".to_vec();
    let (src, dst, flags) = (session.client, session.server, ACK | PSH);
    let segments = [
        Segment { src, dst, seq: 1000, ack: 4000, flags, payload: ask },
        Segment { src: dst, dst: src, seq: 3990, ack: 1000, flags, payload: vec![b'x'; 20] },
        Segment { src, dst, seq: 990, ack: 0, flags: SYN, payload: vec![] },
    ];
    Survives::new("before the first byte", &[]).check(&between_segments(&segments));
}
