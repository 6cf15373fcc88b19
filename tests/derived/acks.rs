//! What the receiver's acknowledgements tell of bytes that were not captured.

use super::support::craft::*;
use super::support::run::{Input, findings, key, messages};
use super::{has_no_findings, says, shown};

/// A server says ten messages, each its own segment; the client says nothing. The segments before, those ten, and the client's
/// acknowledgement of nothing of them.
fn ten() -> (Session, Vec<Segment>, Vec<Segment>, Segment) {
    let mut session = Session::new(1);
    for n in 0..10 {
        session.text(Server, &format!("ten {n} {}", "x".repeat(90)));
    }
    session.fin = false;
    let segments = session.segments();
    let first = segments.iter().position(|segment| segment.payload.ends_with(b"xx")).unwrap();
    let (before, rest) = segments.split_at(first);
    let data: Vec<Segment> = rest.iter().filter(|segment| !segment.payload.is_empty()).cloned().collect();
    let ack = Segment { ack: data[0].seq, ..rest[1].clone() };
    (session, before.to_vec(), data, ack)
}

/// Segments as packets 10 µs apart, beside pauses of so many nanoseconds in all; those with blocks have them as selective
/// acknowledgements.
struct Scene(Vec<Packet>, i64);

impl Scene {
    fn new(before: &[Segment]) -> Self {
        let mut scene = Self(Vec::new(), 0);
        scene.send(before.iter());
        scene
    }

    fn send<'s>(&mut self, segments: impl IntoIterator<Item = &'s Segment>) -> &mut Self {
        segments.into_iter().for_each(|segment| self.push(segment, Wire::default()));
        self
    }

    /// So many acknowledgements of that number, with these blocks.
    fn acks(&mut self, count: usize, ack: &Segment, upto: u32, blocks: &[(u32, u32)]) -> &mut Self {
        let mut options = if blocks.is_empty() { Vec::new() } else { vec![1, 1, 5, 2 + 8 * blocks.len() as u8] };
        options.extend(blocks.iter().flat_map(|(left, right)| [left.to_be_bytes(), right.to_be_bytes()].concat()));
        let ack = Segment { ack: upto, ..ack.clone() };
        for _ in 0..count {
            self.push(&ack, Wire { tcp_options: options.clone(), ..Wire::default() });
        }
        self
    }

    fn push(&mut self, segment: &Segment, wire: Wire) {
        self.0.push(wire.packet(segment, self.0.len() as i64 * 10_000 + self.1));
    }

    fn pause(&mut self, nanos: i64) -> &mut Self {
        self.1 += nanos;
        self
    }

    fn file(&self) -> Vec<u8> {
        Pcap::default().file(&self.0)
    }
}

/// What is said of the holes, beside their lengths.
fn details(file: &[u8]) -> Vec<String> {
    let gaps = findings(Input::Bytes(file)).into_iter().filter(|(code, _)| code == "TCP-GAP");
    gaps.map(|(_, record)| key(&record, "detail").as_str().unwrap_or("-").to_owned()).collect()
}

/// While the receiver asks for a byte it lacks it too: no hole is final by that.
#[test]
fn what_the_receiver_asks_for_is_waited_for() {
    let (session, before, data, ack) = ten();
    for blocks in [vec![], vec![(data[2].seq, data[9].end())], vec![(before[4].seq, data[0].seq)]] {
        let mut scene = Scene::new(&before);
        scene.send(&data[..1]).send(&data[2..]).acks(1000, &ack, data[1].seq, &blocks).send(&data[1..2]);
        says(&scene.file(), std::slice::from_ref(&session), "a thousand duplicate acknowledgements");
        has_no_findings(&scene.file(), super::LOSS, "a thousand duplicate acknowledgements");
    }
}

/// Of two holes the receiver has the second: it is final when the first is filled, however long that took.
#[test]
fn what_is_selectively_acknowledged_is_not_waited_for_again() {
    let (_, before, data, ack) = ten();
    let holes = |blocks: &[(u32, u32)]| {
        let mut scene = Scene::new(&before);
        scene.send(&data[..1]).send(&data[2..4]).send(&data[5..]).acks(600, &ack, data[1].seq, blocks);
        let filled = scene.send(&data[1..2]).0.len() as u64;
        (scene.acks(100, &ack, data[1].seq, &[]).file(), filled)
    };
    let packets = |file: &[u8]| messages(Input::Bytes(file)).iter().map(|message| message.packet).collect::<Vec<_>>();
    let (file, filled) = holes(&[(data[2].seq, data[9].end())]);
    // The first, the three that the first hole held, what is left of the fifth, and the others.
    assert_eq!(packets(&file)[1..], [filled; 8]);
    assert_eq!(details(&file), ["the receiver acknowledged them: the capture lost them"]);
    // One that was acknowledged before (RFC 2883) is no news.
    let (file, filled) = holes(&[(before[4].seq, data[0].seq), (data[2].seq, data[4].seq)]);
    assert_eq!(packets(&file)[1..4], [filled; 3]);
    assert!(packets(&file)[4] > filled);
}

/// What the receiver has of a hole is final, and not what it lacks of it.
#[test]
fn a_hole_is_final_as_far_as_it_is_acknowledged() {
    let (session, before, data, ack) = ten();
    let mut scene = Scene::new(&before);
    scene.send(&data[..1]).send(&data[3..]).acks(600, &ack, data[2].seq, &[]).send(&data[2..3]);
    let all = shown(&scene.file());
    let conversation = all.values().next().unwrap();
    let shown: Vec<_> = conversation.of("s2c").iter().map(|message| message.payload.clone()).collect();
    let said: Vec<_> = session.said.iter().map(|said| said.payload.clone()).collect();
    assert!(shown == [&said[..1], &said[2..]].concat());
    assert_eq!(details(&scene.file()), ["the receiver acknowledged them: the capture lost them"]);
}

/// What was acknowledged long ago is final, and not what is acknowledged with it: that may be captured in a moment.
#[test]
fn an_old_acknowledgement_makes_no_other_old() {
    let (session, before, data, ack) = ten();
    let mut scene = Scene::new(&before);
    scene.send(&data[..1]).send(&data[4..5]).acks(1, &ack, data[2].seq, &[]).pause(300_000_000);
    scene.acks(1, &ack, data[5].seq, &[]).send(&data[2..4]).send(&data[5..]);
    let all = shown(&scene.file());
    let shown: Vec<_> = all.values().next().unwrap().of("s2c").iter().map(|message| message.payload.clone()).collect();
    let said: Vec<_> = session.said.iter().map(|said| said.payload.clone()).collect();
    assert!(shown == [&said[..1], &said[2..]].concat(), "{} of 10", shown.len());
}

#[test]
fn a_hole_that_the_receiver_asked_for_was_lost_on_the_way() {
    let (_, before, data, ack) = ten();
    let gap = |asks: usize| {
        let mut scene = Scene::new(&before);
        scene.send(&data[..1]).send(&data[2..]).acks(asks, &ack, data[1].seq, &[]);
        details(&scene.file())
    };
    assert_eq!(gap(3), ["the receiver asked for them and never acknowledged them: the network lost them"]);
    assert_eq!(gap(2), ["-"]);
}
