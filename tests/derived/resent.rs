//! Messages that the capture has and the network lost behind it: they waited until their bytes were sent again.

use super::support::craft::*;
use super::support::keys::secrets;
use super::support::run::{Input, findings, key};
use std::ops::ControlFlow;
use std::sync::Arc;
use wspect::capture::{Bytes, Part, Reader};
use wspect::dissect::{Settings, run};
use wspect::model::{Event, Limits, Sink, Stamp};

const MS: i64 = 1_000_000;

/// A message that waited: what it begins with, milliseconds, the packet that brought bytes again, and the one whose they were.
type Waited = (String, i64, u64, u64);

#[derive(Default)]
struct Told {
    texts: Vec<String>,
    waited: Vec<Waited>,
}

impl Sink for Told {
    fn accept(&mut self, _: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        let (msg, wait) = match event {
            Event::Message(message) => {
                let kept = message.body.kept;
                self.texts.push(String::from_utf8_lossy(kept.get(..5).unwrap_or(kept)).into_owned());
                (message.number, message.waited.copied())
            }
            Event::Resent(resent) => (resent.msg, Some(resent.wait)),
            _ => return ControlFlow::Continue(()),
        };
        if let Some((wait, of)) = wait.and_then(|wait| Some((wait, wait.of?))) {
            let text = self.texts[msg as usize - 1].clone();
            self.waited.push((text, wait.nanos / MS, wait.packet.0, of.0));
        }
        ControlFlow::Continue(())
    }
}

fn told(packets: &[Packet], keys: &str) -> Vec<Waited> {
    let bytes = Bytes::Stream(Box::new(std::io::Cursor::new(Pcap::default().file(packets))));
    let mut reader = Reader::timeline(vec![Part { name: "capture".into(), bytes }], &Limits::DEFAULT).ok().unwrap();
    let settings = Settings { secrets: Arc::new(secrets(keys)), ..Settings::default() };
    let mut told = Told::default();
    run(&mut reader, settings, &mut told, &mut |_| ControlFlow::Continue(()));
    told.waited
}

/// A connection in which things can be lost: what either side says and acknowledges, and when.
struct Tape {
    line: Line,
    sent: Vec<(Segment, i64)>,
    /// Nanoseconds since the first.
    now: i64,
}

impl Tape {
    /// A session of which all that was said so far was acknowledged.
    fn new(session: &Session) -> Self {
        let mut tape = Self { line: Line::new(session), sent: Vec::new(), now: 0 };
        for (side, flags) in [(Client, SYN), (Server, SYN | ACK), (Client, ACK)] {
            tape.say(side, flags, &[], 1);
        }
        for (side, bytes) in &session.turns {
            tape.say(*side, PSH | ACK, bytes, 1);
            tape.say(if *side == Client { Server } else { Client }, ACK, &[], 1);
        }
        tape
    }

    /// Sends something so many milliseconds after the last; returns the number of its packet.
    fn say(&mut self, side: Side, flags: u8, bytes: &[u8], millis: i64) -> usize {
        let segment = self.line.send(side, flags, bytes);
        self.put(segment, millis)
    }

    fn put(&mut self, segment: Segment, millis: i64) -> usize {
        self.now += millis * MS;
        self.sent.push((segment, self.now));
        self.sent.len()
    }

    /// Sends the segment in that packet again, or a part of it.
    fn again(&mut self, packet: usize, part: Option<(usize, usize)>, millis: i64) -> usize {
        let mut segment = self.sent[packet - 1].0.clone();
        if let Some((from, to)) = part {
            segment = segment.part(from, to);
        }
        self.put(segment, millis)
    }

    /// The client acknowledges what the server sent before the end of that packet.
    fn heard(&mut self, packet: usize, millis: i64) -> usize {
        let ack = self.sent[packet - 1].0.end();
        let segment = Segment { ack, ..self.line.send(Client, ACK, &[]) };
        self.put(segment, millis)
    }

    fn packets(&self) -> Vec<Packet> {
        self.packets_with(|_, _| {})
    }

    /// The packets, each changed by its number.
    fn packets_with(&self, change: impl Fn(usize, &mut Wire)) -> Vec<Packet> {
        let packet = |(at, (segment, time)): (usize, &(Segment, i64))| {
            let mut wire = Wire::default();
            change(at + 1, &mut wire);
            let mut packet = wire.packet(segment, *time);
            // Each sends with a number of its own.
            packet.bytes[18..20].copy_from_slice(&(at as u16 + 1).to_be_bytes());
            packet
        };
        self.sent.iter().enumerate().map(packet).collect()
    }
}

fn text(n: usize) -> Vec<u8> {
    Frame::new(TEXT, format!("five{n} {}", "x".repeat(100))).bytes()
}

/// Five messages of the server in a packet each, of which the client acknowledged the first: the packets of all.
fn five() -> (Tape, Vec<usize>) {
    let mut tape = Tape::new(&Session::new(1));
    let packets: Vec<_> = (1..=5).map(|n| tape.say(Server, PSH | ACK, &text(n), 1)).collect();
    tape.heard(packets[0], 1);
    (tape, packets)
}

fn waited(text: &str, millis: i64, packet: usize, of: usize) -> Waited {
    (text.to_owned(), millis, packet as u64, of as u64)
}

/// The lost message waits from when it was sent, those behind it from when they were.
#[test]
fn what_was_lost_and_what_is_behind_it_waited() {
    let (mut tape, packets) = five();
    let again = tape.again(packets[1], None, 808);
    assert_eq!(told(&tape.packets(), ""), [], "nobody knows yet whether it was lost");
    tape.heard(packets[4], 20);
    let expected = [
        waited("five2", 812, again, packets[1]),
        waited("five3", 811, again, packets[1]),
        waited("five4", 810, again, packets[1]),
        waited("five5", 809, again, packets[1]),
    ];
    assert_eq!(told(&tape.packets(), ""), expected);
}

#[test]
fn a_finding_says_it() {
    let (mut tape, packets) = five();
    tape.again(packets[1], None, 808);
    tape.heard(packets[4], 20);
    let file = Pcap::default().file(&tape.packets());
    let all = findings(Input::Bytes(&file));
    let (code, record) = &all[0];
    assert_eq!((code.as_str(), key(record, "msg").to_string().as_str()), ("TCP-RESENT", "2"), "{all:?}");
    let text = key(record, "text").to_string();
    assert!(text.contains("message 2 waited 812 ms for the retransmission of packet 9 in packet 14"), "{text}");
    assert!(text.contains("so did 3 messages behind it, up to 5"), "{text}");
}

/// Two losses: each byte waits for the last that came before it.
#[test]
fn of_two_losses_each_has_its_own() {
    let (mut tape, packets) = five();
    let first = tape.again(packets[1], None, 101);
    tape.heard(packets[2], 20);
    let second = tape.again(packets[3], None, 200);
    tape.heard(packets[4], 20);
    let expected = [
        waited("five2", 105, first, packets[1]),
        waited("five3", 104, first, packets[1]),
        waited("five4", 323, second, packets[3]),
        waited("five5", 322, second, packets[3]),
    ];
    assert_eq!(told(&tape.packets(), ""), expected);
}

/// The same where one acknowledgement answers both.
#[test]
fn one_acknowledgement_for_two_losses() {
    let (mut tape, packets) = five();
    let first = tape.again(packets[1], None, 101);
    let second = tape.again(packets[3], None, 50);
    tape.heard(packets[4], 20);
    let expected = [
        waited("five2", 105, first, packets[1]),
        waited("five3", 104, first, packets[1]),
        waited("five4", 153, second, packets[3]),
        waited("five5", 152, second, packets[3]),
    ];
    assert_eq!(told(&tape.packets(), ""), expected);
}

/// What comes again and again was lost again and again.
#[test]
fn the_last_retransmission_counts() {
    let (mut tape, packets) = five();
    tape.again(packets[4], None, 200);
    tape.again(packets[4], None, 400);
    let last = tape.again(packets[4], None, 800);
    tape.heard(packets[4], 20);
    assert_eq!(told(&tape.packets(), ""), [waited("five5", 1401, last, packets[4])]);
}

/// What the receiver had acknowledged it did not lack.
#[test]
fn a_retransmission_that_was_not_needed_is_none() {
    let (mut tape, packets) = five();
    tape.heard(packets[4], 20);
    tape.again(packets[1], None, 300);
    tape.heard(packets[4], 20);
    assert_eq!(told(&tape.packets(), ""), []);
}

/// Who answers what was sent before has got that.
#[test]
fn time_stamps_tell_what_is_answered() {
    let (mut tape, packets) = five();
    let again = tape.again(packets[4], None, 300);
    let answer = tape.heard(packets[4], 1);
    for (echoed, is_lost) in [(packets[4], false), (again, true)] {
        let packets = tape.packets_with(|packet, wire| {
            let stamp = |of: usize| (1000 + of as u32).to_be_bytes();
            let echo = if packet == answer { echoed } else { packet - 1 };
            wire.tcp_options = [&[1, 1, 8, 10][..], &stamp(packet), &stamp(echo)].concat();
        });
        assert_eq!(told(&packets, "").len(), usize::from(is_lost), "{echoed}");
    }
}

/// Nor did it lack what was captured twice, or what only asks whether it is there.
#[test]
fn a_packet_that_was_captured_twice_was_not_sent_twice() {
    let (mut tape, packets) = five();
    let copy = tape.again(packets[4], None, 300);
    tape.heard(packets[4], 20);
    let mut all = tape.packets();
    let number = all[packets[4] - 1].bytes[18..20].to_vec();
    all[copy - 1].bytes[18..20].copy_from_slice(&number);
    assert_eq!(told(&all, ""), []);
}

#[test]
fn a_keep_alive_is_none() {
    let (mut tape, packets) = five();
    let len = tape.sent[packets[4] - 1].0.payload.len();
    tape.again(packets[4], Some((len - 1, len)), 45_000);
    tape.heard(packets[4], 20);
    assert_eq!(told(&tape.packets(), ""), []);
}

/// A copy whose checksum is wrong was not received: the right one counts.
#[test]
fn a_wrong_checksum_is_none() {
    let (mut tape, packets) = five();
    let wrong = tape.again(packets[4], None, 300);
    tape.heard(packets[4], 20);
    let all = tape.packets_with(|packet, wire| wire.bad_checksums = packet == wrong);
    assert_eq!(told(&all, ""), []);
}

/// Without a packet of the receiver nobody knows what it lacked.
#[test]
fn one_side_alone_tells_nothing() {
    let (mut tape, packets) = five();
    tape.again(packets[4], None, 300);
    tape.heard(packets[4], 20);
    let server = tape.sent[packets[4] - 1].0.src;
    let sides = tape.sent.iter().map(|(segment, _)| segment.src == server);
    let alone: Vec<_> =
        tape.packets().into_iter().zip(sides).filter_map(|(packet, own)| own.then_some(packet)).collect();
    assert_eq!(alone.len(), 9);
    assert_eq!(told(&alone, ""), []);
}

/// What comes again in other pieces, with more behind it, or twice as long.
#[test]
fn the_sizes_of_segments_make_no_difference() {
    let (len, head) = (text(1).len(), 40);
    let pieces: [&[(usize, usize)]; 4] =
        [&[(0, len)], &[(0, head), (head, len)], &[(0, 1), (1, len)], &[(0, 9), (9, 17), (17, len)]];
    for pieces in pieces {
        let (mut tape, packets) = five();
        let mut last = 0;
        for (nth, &part) in pieces.iter().enumerate() {
            last = tape.again(packets[4], Some(part), if nth == 0 { 300 } else { 0 });
        }
        tape.heard(packets[4], 20);
        let told = told(&tape.packets(), "");
        let millis: Vec<_> = told.iter().map(|(text, millis, ..)| (text.as_str(), *millis)).collect();
        assert_eq!(millis, [("five5", 301)], "{pieces:?}");
        assert!(told.iter().all(|told| told.2 <= last as u64 && told.3 == packets[4] as u64), "{told:?}");
    }
}

/// One finding for a message, also where its pieces come again one by one; another where that takes noticeably longer.
#[test]
fn a_message_is_found_once() {
    for (later, expected) in [(1, 1), (2, 1), (200, 2)] {
        let (mut tape, packets) = five();
        for (part, millis) in [((0, 50), 300), ((50, 100), later)] {
            let piece = tape.again(packets[1], Some(part), millis);
            tape.heard(piece, 0);
        }
        let mut all = Findings::default();
        all.read(&tape.packets());
        assert_eq!(all.0.len(), expected, "{later}: {:?}", all.0);
    }
}

/// A message of which a part was acknowledged waits for the rest; those before it, in the same packet, do not.
#[test]
fn of_a_packet_with_several_messages_those_waited_that_were_lost() {
    let mut tape = Tape::new(&Session::new(1));
    let all: Vec<u8> = (1..=4).flat_map(text).collect();
    let (len, whole) = (text(1).len(), tape.say(Server, PSH | ACK, &all, 1));
    let mut part = tape.sent[whole - 1].0.part(0, 2 * len + 7);
    part.ack = 0;
    tape.now += MS;
    let ack = Segment { ack: part.end(), ..tape.line.send(Client, ACK, &[]) };
    tape.put(ack, 10);
    let again = tape.again(whole, Some((2 * len + 7, 3 * len)), 300);
    tape.heard(whole, 20);
    let expected = [waited("five3", 311, again, whole), waited("five4", 311, again, whole)];
    assert_eq!(told(&tape.packets(), ""), expected);
}

/// A message that goes on when its beginning comes again says so itself.
#[test]
fn a_message_that_is_not_all_there_yet_waits() {
    let mut tape = Tape::new(&Session::new(1));
    let bytes = text(1);
    let first = tape.say(Server, PSH | ACK, &bytes[..50], 1);
    let again = tape.again(first, None, 250);
    tape.heard(first, 20);
    let second = tape.say(Server, PSH | ACK, &bytes[50..], 100);
    tape.say(Server, PSH | ACK, &text(2), 100);
    tape.heard(second, 20);
    assert_eq!(told(&tape.packets(), ""), [waited("five1", 250, again, first)]);
}

/// In TLS a message waits for all of its record, also for what is behind its own bytes; the record before waits for nothing.
#[test]
fn what_is_encrypted_waits_for_its_record() {
    let mut inside = Session::new(1);
    inside.text(Server, "first one").text(Server, &format!("whole {}", "z".repeat(900))).text(Server, "other");
    let tls = Tls::around(1, &inside);
    let (last, turns) = (tls.session.turns.len() - 3, &tls.session.turns);
    for cut in [100, 500, 900, 931] {
        let mut tape = Tape::new(&Session { turns: turns[..last].to_vec(), ..tls.session.clone() });
        let sides: Vec<_> = turns[last..].iter().map(|(side, _)| *side).collect();
        assert_eq!(sides, [Server; 3]);
        let one = tape.say(Server, PSH | ACK, &turns[last].1, 1);
        let (begin, rest) = turns[last + 1].1.split_at(cut);
        let two = tape.say(Server, PSH | ACK, begin, 1);
        let three = tape.say(Server, PSH | ACK, rest, 1);
        let four = tape.say(Server, PSH | ACK, &turns[last + 2].1, 1);
        tape.heard(one, 1);
        tape.heard(two, 1);
        let again = tape.again(three, None, 95);
        tape.heard(four, 1);
        let expected = [waited("whole", 98, again, three), waited("other", 97, again, three)];
        assert_eq!(told(&tape.packets(), &tls.log()), expected, "{cut}");
    }
}

/// Each stream of an HTTP/2 connection knows its own messages.
#[test]
fn streams_of_http2_have_their_own() {
    let mut h2 = H2::new(1);
    h2.open(1).open(3);
    let before = h2.session.turns.len();
    h2.say(Server, 1, TEXT, "alpha").say(Server, 3, TEXT, "bravo").say(Server, 1, TEXT, "gamma");
    let turns = h2.session.turns.split_off(before);
    let mut tape = Tape::new(&h2.session);
    let packets: Vec<_> = turns.iter().map(|(side, bytes)| tape.say(*side, PSH | ACK, bytes, 1)).collect();
    tape.heard(packets[0], 1);
    let again = tape.again(packets[1], None, 197);
    tape.heard(packets[2], 1);
    let mut file = Findings::default();
    file.read(&tape.packets());
    let expected = [(2, "message 1 waited 199 ms"), (1, "message 2 waited 198 ms")];
    assert_eq!(file.0.len(), 2, "{:?}", file.0);
    for (conn, words) in expected {
        let own = format!("{words} for the retransmission of packet {} in packet {again}", packets[1]);
        assert!(file.0.contains(&(conn, own.clone())), "{own} is not among {:?}", file.0);
    }
}

/// The findings about what came again, by connection.
#[derive(Default)]
struct Findings(Vec<(u32, String)>);

impl Findings {
    fn read(&mut self, packets: &[Packet]) {
        let bytes = Bytes::Stream(Box::new(std::io::Cursor::new(Pcap::default().file(packets))));
        let mut reader = Reader::timeline(vec![Part { name: "capture".into(), bytes }], &Limits::DEFAULT).ok().unwrap();
        run(&mut reader, Settings::default(), self, &mut |_| ControlFlow::Continue(()));
    }
}

impl Sink for Findings {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        if let (Event::Note(note), Some(conn)) = (event, at.conn)
            && note.code.name() == "TCP-RESENT"
        {
            self.0.push((conn.0, note.sentence().to_owned()));
        }
        ControlFlow::Continue(())
    }
}

/// However often a connection is held up, its findings are few, and the last counts the others.
#[test]
fn many_are_counted() {
    let mut tape = Tape::new(&Session::new(1));
    for n in 0..50 {
        let packet = tape.say(Server, PSH | ACK, &text(n), 1);
        tape.again(packet, None, 100 + n as i64);
        tape.heard(packet, 1);
    }
    let mut file = Findings::default();
    file.read(&tape.packets());
    assert_eq!(file.0.len(), 21);
    assert_eq!(file.0[20].1, "messages of the server waited 30 times more for a retransmission, up to 149 ms");
    assert_eq!(told(&tape.packets(), "").len(), 50, "who keeps the rows is told each");
}
