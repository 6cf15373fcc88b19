//! What messages waited for: a retransmission, or a receiver that took nothing.

use super::support::craft::*;
use super::support::keys::secrets;
use super::support::run::{Input, key, records, wspect};
use std::ops::ControlFlow;
use std::sync::Arc;
use wspect::capture::{Bytes, Part, Reader};
use wspect::dissect::{Settings, run};
use wspect::model::{Event, Limits, Sink, Stamp, WaitCause, WaitCause::*};

const MS: i64 = 1_000_000;

/// What a message waited for, in milliseconds, and the packet that ended it.
type Waited = Option<(WaitCause, i64, u64)>;

/// The messages: what they begin with, and what they waited for.
#[derive(Default)]
struct Told(Vec<(String, Waited)>);

impl Sink for Told {
    fn accept(&mut self, _: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        if let Event::Message(message) = event {
            let text = String::from_utf8_lossy(message.body.kept.get(..5).unwrap_or(message.body.kept)).into_owned();
            let waited = message.waited.map(|wait| (wait.cause, wait.nanos / MS, wait.packet.0));
            self.0.push((text, waited));
        }
        ControlFlow::Continue(())
    }
}

fn told(file: &[u8], keys: &str) -> Vec<(String, Waited)> {
    let bytes = Bytes::Stream(Box::new(std::io::Cursor::new(file.to_vec())));
    let mut reader = Reader::timeline(vec![Part { name: "capture".into(), bytes }], &Limits::DEFAULT).ok().unwrap();
    let settings = Settings { secrets: Arc::new(secrets(keys)), ..Settings::default() };
    let mut told = Told::default();
    run(&mut reader, settings, &mut told, &mut |_| ControlFlow::Continue(()));
    told.0
}

/// What the messages waited for that did.
fn waits(file: &[u8], keys: &str) -> Vec<(String, (WaitCause, i64, u64))> {
    told(file, keys).into_iter().filter_map(|(text, waited)| Some((text, waited?))).collect()
}

/// Segments as packets: each comes a millisecond after the one before, and later by what `paused` says.
fn paced(segments: &[Segment], paused: &[(usize, i64)]) -> Vec<Packet> {
    let pause = |at: usize| paused.iter().filter(|(from, _)| *from <= at).map(|(_, pause)| pause * MS).sum::<i64>();
    let packet = |(at, segment): (usize, &Segment)| Wire::default().packet(segment, at as i64 * MS + pause(at));
    segments.iter().enumerate().map(packet).collect()
}

/// Five messages of the server, each its own segment, the first of them at this index.
fn five() -> (Vec<Segment>, usize) {
    let mut session = Session::new(1);
    for n in 1..=5 {
        session.text(Server, &format!("five{n} {}", "x".repeat(100)));
    }
    let mut segments = session.segments();
    // The client's acknowledgements come behind them.
    let first = segments.iter().position(|segment| segment.payload.ends_with(b"xx")).unwrap();
    let (acks, data): (Vec<_>, Vec<_>) = segments.drain(first..first + 10).partition(|s| s.payload.is_empty());
    segments.splice(first..first, data.into_iter().chain(acks));
    (segments, first)
}

/// The second message comes behind the fourth, as many milliseconds after the third as told.
fn second_comes_late(millis: i64) -> Vec<Packet> {
    let (mut segments, first) = five();
    let late = segments.remove(first + 1);
    segments.insert(first + 3, late);
    paced(&segments, &[(first + 3, millis - 2)])
}

#[test]
fn what_is_behind_a_hole_waits_for_the_packet_that_fills_it() {
    let packets = second_comes_late(812);
    let filling = packets.iter().position(|packet| packet.time - packets[0].time > 700 * MS).unwrap() as u64 + 1;
    let expected = [("five2", 812), ("five3", 812), ("five4", 811)];
    let expected: Vec<_> =
        expected.map(|(text, millis)| (text.to_owned(), (Retransmission, millis, filling))).into_iter().collect();
    assert_eq!(waits(&Pcap::default().file(&packets), ""), expected);
}

#[test]
fn records_and_pages_say_it() {
    let file = Pcap::default().file(&second_comes_late(812));
    let all = records("msgs", Input::Bytes(&file));
    let waited: Vec<_> = all.iter().map(|record| key(record, "waited").to_string()).collect();
    assert_eq!(waited[0], "null");
    assert_eq!(waited[1], r#"{"duration_ns":812000000,"for":"retransmission","of":null,"packet":11}"#);
    let shown = wspect(&["show", "1:2", "-r"], Input::Bytes(&file));
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("\nwaited 812 ms for the retransmission in packet 11\n"), "{shown}");
}

#[test]
fn what_only_came_in_another_order_did_not_wait() {
    assert_eq!(waits(&Pcap::default().file(&second_comes_late(2)), ""), []);
}

/// Where all was acknowledged nothing was lost: the bytes are sent twice, and were there the first time (see `resent`).
#[test]
fn what_is_sent_again_did_not_wait() {
    let (mut segments, first) = five();
    segments.insert(first + 5, segments[first + 1].clone());
    assert_eq!(waits(&Pcap::default().file(&paced(&segments, &[(first + 5, 500)])), ""), []);
}

/// A hole that nothing fills is a loss, and no wait.
#[test]
fn what_is_lost_is_not_waited_for() {
    let (mut segments, first) = five();
    segments.remove(first + 1);
    assert_eq!(waits(&Pcap::default().file(&paced(&segments, &[(first + 6, 900)])), ""), []);
}

/// The longest wait of a message in fragments is told, also where its end came in order.
#[test]
fn a_message_in_fragments_waits_for_each() {
    let mut session = Session::new(1);
    let parts: Vec<Vec<u8>> = (0..4).map(|n| format!("part{n} {}", "y".repeat(50)).into_bytes()).collect();
    session.parts(Server, TEXT, &parts, false).text(Server, "after");
    let mut segments = session.segments();
    segments.retain(|segment| !segment.payload.is_empty() || segment.flags & (SYN | FIN) != 0);
    let lost = segments.iter().position(|segment| segment.payload.starts_with(&[0, 56])).unwrap();
    segments.swap(lost, lost + 1);
    let file = Pcap::default().file(&paced(&segments, &[(lost + 1, 300), (lost + 2, 50)]));
    assert_eq!(waits(&file, ""), [("part0".to_owned(), (Retransmission, 301, lost as u64 + 2))]);
}

/// In TLS a message waits for its record, which a hole anywhere in it keeps shut.
#[test]
fn what_is_encrypted_waits_for_its_record() {
    let mut inside = Session::new(1);
    inside.text(Server, &format!("whole {}", "z".repeat(900))).text(Server, "other");
    let tls = Tls::around(1, &inside);
    let mut segments = tls.session.cut(|_| vec![400]);
    let first = segments.iter().rposition(|segment| segment.payload.len() == 400).unwrap() - 1;
    segments.swap(first, first + 1);
    let file = Pcap::default().file(&paced(&segments, &[(first + 1, 499)]));
    assert_eq!(waits(&file, &tls.log()), [("whole".to_owned(), (Retransmission, 500, first as u64 + 2))]);
}

/// The client's window is shut behind the second message, and opens `shut` milliseconds later; the third follows `later`
/// milliseconds after that.
fn shut_window(shut: i64, later: i64) -> (Vec<u8>, u64) {
    let (segments, first) = five();
    let ack = segments[first + 6].clone();
    let mut segments: Vec<Segment> = segments.into_iter().take(first + 5).collect();
    segments.splice(first + 2..first + 2, [ack.clone(), ack]);
    let mut packets = paced(&segments, &[(first + 3, shut - 1), (first + 4, later - 1)]);
    packets[first + 2].bytes[14 + 20 + 14..][..2].fill(0);
    (Pcap::default().file(&packets), first as u64 + 4)
}

#[test]
fn what_follows_the_opening_of_a_window_waited_for_it() {
    let (file, opening) = shut_window(700, 3);
    assert_eq!(waits(&file, ""), [("five3".to_owned(), (Window, 700, opening))]);
    assert_eq!(waits(&shut_window(700, 5000).0, ""), [], "who has nothing to say does not wait");
    assert_eq!(waits(&shut_window(10, 50).0, ""), [], "nor who says nothing for longer than the window was shut");
}
