//! Two networks in which all numbers are the same stay two; one conversation that is captured in several tags stays one.

use super::support::Dice;
use super::support::craft::*;
use super::support::run::{Essence, Input, conversations, findings, key, records};
use super::{LOSS, has_no_findings};

const MICRO: i64 = 1_000;
const MILLI: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;

/// What each direction of a connection says, in order of connections, and what each is wrapped in.
type Told = (Vec<[Vec<Essence>; 2]>, Vec<String>);

/// A conversation with always the same ends, numbers, upgrade and masking keys.
fn session(said: &[(Side, &str)]) -> Session {
    let mut session = Session::new(0);
    for &(side, text) in said {
        session.text(side, text);
    }
    session.close();
    session
}

/// Its packets, so many nanoseconds apart, without the first.
fn packets_of(session: &Session, pace: i64, without: usize) -> Vec<Packet> {
    let segments = session.segments();
    let packet = |(at, segment)| Wire::default().packet(segment, time_of(0) + at as i64 * pace);
    segments.iter().enumerate().skip(without).map(packet).collect()
}

/// Packets in this tunnel, later by that.
fn later(packets: &[Packet], around: &[Tunnel], nanos: i64) -> Vec<Packet> {
    packets.iter().map(|packet| Packet { time: packet.time + nanos, ..wrapped(packet, around) }).collect()
}

/// A capture of all of them.
fn merged(parts: &[Vec<Packet>]) -> Vec<u8> {
    let mut all = parts.concat();
    all.sort_by_key(|packet| packet.time);
    Pcap::default().file(&all)
}

fn told(file: &[u8]) -> Told {
    let around = |row| key(row, "encapsulation").to_string();
    let all = conversations(Input::Bytes(file));
    (all.iter().map(|one| one.essence()).collect(), records("ls", Input::Bytes(file)).iter().map(around).collect())
}

/// What these sessions say alone.
fn said(sessions: &[&Session]) -> Vec<[Vec<Essence>; 2]> {
    sessions.iter().map(|session| told(&capture_of(&session.segments())).0.remove(0)).collect()
}

/// That the capture tells these sessions and no other, in any order.
#[track_caller]
fn tells(file: &[u8], sessions: &[&Session], what: &str) {
    let (mut told, _) = told(file);
    assert_eq!(told.len(), sessions.len(), "{what}: connections");
    for expected in said(sessions) {
        let place = told.iter().position(|one| *one == expected);
        told.remove(place.unwrap_or_else(|| panic!("{what}: one is not told as it was said, but {told:#?}")));
    }
    has_no_findings(file, LOSS, what);
}

fn vlan(id: u16) -> Vec<Tunnel> {
    vec![Tunnel::Vlan(0x8100, id)]
}

/// Pairs of what may be around two networks.
fn networks() -> Vec<[Vec<Tunnel>; 2]> {
    let gre = |key| vec![Tunnel::Gre { flags: 0x20, key, frame: false }];
    let geneve = |network| vec![Tunnel::Geneve { options: vec![], network, frame: true }];
    vec![
        [vlan(7), vlan(8)],
        [vec![], vlan(8)],
        [7, 8].map(|network| vec![Tunnel::Vxlan(4789, [8, 0, 0, 0], network)]),
        [7, 8].map(gre),
        [7, 8].map(geneve),
        [7, 8].map(|endpoint| vec![Tunnel::Gtp(0x30, vec![], endpoint)]),
        [7, 8].map(|label| vec![Tunnel::Mpls(vec![100 + label])]),
        [7, 8].map(|session| vec![Tunnel::Pppoe(session)]),
    ]
}

/// Two conversations that differ from some place on, by one direction or both, and one that is the beginning of another.
fn pairs() -> Vec<(Session, Session, &'static str)> {
    let base = [(Server, "hello"), (Client, "I am one"), (Server, "welcome"), (Client, "thanks"), (Server, "so long")];
    let with = |at: usize, text: &'static str| {
        let mut said = base;
        said[at].1 = text;
        session(&said)
    };
    let mut path = session(&base);
    let turn = &mut path.turns[0].1;
    turn[5] = b'1';
    let mut short = Session::new(0);
    short.text(Server, "hello").text(Client, "I am one");
    vec![
        (session(&base), with(0, "HELLO"), "the first message"),
        (session(&base), with(0, "hello, all of you"), "the first message's length"),
        (session(&base), with(1, "I am two"), "a client's message"),
        (session(&base), with(2, "wELCOME"), "a later message"),
        (session(&base), with(4, "so short"), "the last message"),
        (session(&base), path, "the request"),
        (session(&base), short, "the end"),
    ]
}

/// Whoever speaks first, however soon the other follows.
#[test]
fn networks_with_the_same_numbers_stay_apart() {
    let lags = [30 * MICRO, 130 * MICRO, 350 * MICRO, 7 * MILLI, 499 * MILLI, SECOND, 60 * SECOND];
    for (at, [left, right]) in networks().iter().enumerate() {
        for (one, other, what) in pairs() {
            for &lag in lags.iter().skip(at % 2).step_by(2) {
                for (first, second) in [(&one, &other), (&other, &one)] {
                    let parts = [
                        later(&packets_of(first, 100 * MICRO, 0), left, 0),
                        later(&packets_of(second, 100 * MICRO, 0), right, lag),
                    ];
                    tells(&merged(&parts), &[first, second], &format!("{left:?} {right:?} {what} after {lag} ns"));
                }
            }
        }
    }
}

/// Tunnels that have no number are known by their ends.
#[test]
fn tunnels_between_other_ends_stay_apart() {
    for tunnel in [Tunnel::Ip, Tunnel::EtherIp, Tunnel::Gre { flags: 0, key: 0, frame: false }] {
        let part = |session: &Session, ends: u8, lag: i64| {
            let mut packets = later(&packets_of(session, 100 * MICRO, 0), std::slice::from_ref(&tunnel), lag);
            // The third bytes of the outer addresses.
            packets.iter_mut().for_each(|packet| [28, 32].into_iter().for_each(|at| packet.bytes[at] ^= ends));
            packets
        };
        for (one, other, what) in pairs() {
            let file = merged(&[part(&one, 0, 0), part(&other, 77, 5 * MICRO)]);
            tells(&file, &[&one, &other], &format!("{tunnel:?}: {what}"));
        }
        // The numbers of the other tell nothing either.
        let (one, mut other) = (talk(8), talk(9));
        other.isn = [5, 77_000];
        let file = merged(&[part(&one, 0, 0)[8..].to_vec(), part(&other, 77, 5 * MICRO)[8..].to_vec()]);
        let told = told(&file).0;
        assert_eq!(told.len(), 2, "{tunnel:?}");
        has_no_findings(&file, LOSS, "from the middle");
    }
}

/// Each direction in a tunnel of its own, as those of mobile networks are.
#[test]
fn networks_that_are_wrapped_in_two_ways_stay_apart() {
    let gtp = |endpoint| vec![Tunnel::Gtp(0x30, vec![], endpoint)];
    for (one, other, what) in pairs() {
        for lag in [30 * MICRO, 7 * MILLI, SECOND] {
            let parts: Vec<_> = [(&one, 1, 0), (&other, 5, lag)]
                .into_iter()
                .flat_map(|(session, endpoint, lag)| {
                    let there = |packet: &Packet| packet.bytes[26..30] == [10, 0, 0, 1];
                    let packets = packets_of(session, 100 * MICRO, 0);
                    let (there, back): (Vec<_>, Vec<_>) = packets.into_iter().partition(there);
                    [later(&there, &gtp(endpoint), lag), later(&back, &gtp(endpoint + 1), lag)]
                })
                .collect();
            let file = merged(&parts);
            tells(&file, &[&one, &other], &format!("{what} after {lag} ns"));
            let rows = records("ls", Input::Bytes(&file));
            let mut around: Vec<_> = rows
                .iter()
                .map(|row| [key(row, "encapsulation")[0].clone(), key(row, "encapsulation_back")[0].clone()])
                .collect();
            around.sort_by_key(|around| around[0].to_string());
            let named = |endpoint: u32| format!("gtp 0x{endpoint:08x}");
            assert_eq!(around, [[named(1), named(2)], [named(5), named(6)]], "{what} after {lag} ns");
        }
    }
}

/// One waits, the other does not: what is said while the other is silent is none of its words.
#[test]
fn a_network_that_is_silent_gets_no_words_of_another() {
    for (one, other, what) in pairs() {
        for (pace, others) in [(100 * MICRO, SECOND), (SECOND, 100 * MICRO), (SECOND, 900 * MILLI)] {
            for apart in [3, 5, 7] {
                let slow = |session: &Session, pace: i64, ahead: i64| {
                    let mut packets = packets_of(session, 100 * MICRO, 0);
                    packets.iter_mut().skip(apart).for_each(|packet| packet.time += ahead);
                    packets.iter_mut().enumerate().skip(apart).for_each(|(at, packet)| packet.time += pace * at as i64);
                    packets
                };
                let parts = [
                    later(&slow(&one, pace, 0), &vlan(7), 0),
                    later(&slow(&other, others, 150 * MICRO), &vlan(8), 20 * MICRO),
                ];
                tells(&merged(&parts), &[&one, &other], &format!("{what}, {pace} and {others} ns, apart from {apart}"));
            }
        }
    }
}

/// A test that is played again a second later is another conversation, though not a bit is different.
#[test]
fn what_is_played_again_later_is_another_conversation() {
    let one = session(&[(Server, "hello"), (Client, "again"), (Server, "and again")]);
    for [left, right] in networks() {
        for without in [0, 3] {
            let packets = packets_of(&one, 100 * MICRO, without);
            let file = merged(&[later(&packets, &left, 0), later(&packets, &right, SECOND)]);
            let (told, around) = told(&file);
            let expected = said(&[&one]).remove(0);
            assert!(told == [expected.clone(), expected], "{left:?}, without {without}");
            assert_eq!(around.len(), 2);
            assert_ne!(around[0], around[1]);
            has_no_findings(&file, &["PACKET-TWICE"], "played again");
        }
    }
}

/// Copies as taps on both sides of a gateway see them: who is nearer to the sender sees it first.
fn both_sides(session: &Session, [left, right]: [&[Tunnel]; 2], delay: i64, pace: i64) -> Vec<Packet> {
    let mut all = Vec::new();
    for (segment, packet) in session.segments().iter().zip(packets_of(session, pace, 0)) {
        let (near, far) = if segment.src == session.client { (left, right) } else { (right, left) };
        all.extend(later(std::slice::from_ref(&packet), near, 0));
        all.extend(later(&[packet], far, delay));
    }
    all
}

fn twice(file: &[u8]) -> usize {
    findings(Input::Bytes(file)).iter().filter(|(code, _)| code == "PACKET-TWICE").count()
}

#[test]
fn both_sides_of_a_gateway_are_one_conversation() {
    let one = session(&[(Server, "hello"), (Client, "I am one"), (Server, "welcome"), (Client, "thanks")]);
    for [left, right] in networks() {
        for delay in [0, 20 * MICRO, 3 * MILLI, 80 * MILLI] {
            for pace in [100 * MICRO, 200 * MILLI, 2 * SECOND] {
                let what = format!("{left:?} {right:?} {delay} ns, {pace} ns");
                if delay < pace {
                    let file = merged(&[both_sides(&one, [&left, &right], delay, pace)]);
                    tells(&file, &[&one], &what);
                    assert_eq!(twice(&file), 1, "{what}");
                }
                // A mirror that is late with all that it sends.
                let packets = packets_of(&one, pace, 0);
                let file = merged(&[later(&packets, &left, 0), later(&packets, &right, delay)]);
                tells(&file, &[&one], &what);
                assert_eq!(twice(&file), 1, "{what}");
            }
        }
    }
}

/// Where each of two taps lacks packets that the other has, the conversation is whole.
#[test]
fn taps_complete_each_other() {
    let texts: Vec<_> = (0..40).map(|n| format!("message {n} {}", "x".repeat(n * 7 % 50))).collect();
    let said: Vec<_> = texts.iter().enumerate().map(|(n, text)| ([Server, Client][n % 2], text.as_str())).collect();
    let one = session(&said);
    for seed in 0..40 {
        let mut dice = Dice(seed);
        let (left, right, delay) = (vlan(7), vlan(8), [20 * MICRO, 3 * MILLI][seed as usize % 2]);
        let copies = both_sides(&one, [&left, &right], delay, 200 * MICRO + 10 * delay);
        let lost = |pair: &[Packet]| match dice.below(4) {
            0 => pair[1..].to_vec(),
            1 => pair[..1].to_vec(),
            _ => pair.to_vec(),
        };
        let kept: Vec<Packet> = copies.chunks(2).flat_map(lost).collect();
        tells(&merged(&[kept]), &[&one], &format!("seed {seed}"));
    }
}

/// Several tags around one conversation, and several networks of which some are captured more than once.
#[test]
fn three_tags_are_one_conversation_or_three_or_two() {
    let (one, other) = (session(&[(Server, "hello"), (Client, "one")]), session(&[(Server, "hello"), (Client, "two")]));
    let third = session(&[(Server, "HELLO"), (Client, "one")]);
    let packets = |session, tag, lag| later(&packets_of(session, 200 * MICRO, 0), &vlan(tag), lag);
    for lags in [[0, 20, 40], [0, 40, 20], [20, 0, 40], [40, 0, 20], [20, 40, 0], [40, 20, 0]] {
        let [a, b, c] = lags.map(|lag| lag * MICRO);
        let what = format!("{lags:?}");
        tells(&merged(&[packets(&one, 1, a), packets(&one, 2, b), packets(&one, 3, c)]), &[&one], &what);
        let file = merged(&[packets(&one, 1, a), packets(&other, 2, b), packets(&third, 3, c)]);
        tells(&file, &[&one, &other, &third], &what);
        let file = merged(&[packets(&one, 1, a), packets(&other, 2, b), packets(&other, 3, c)]);
        tells(&file, &[&one, &other], &what);
    }
}

/// A SYN that a router lost comes again after a second, on both sides.
#[test]
fn what_is_sent_again_is_captured_again() {
    let one = session(&[(Server, "hello"), (Client, "one")]);
    let mut packets = packets_of(&one, 100 * MICRO, 0);
    packets[1..].iter_mut().for_each(|packet| packet.time += 3 * SECOND);
    let again = |nanos: i64| Packet { time: packets[0].time + nanos, ..packets[0].clone() };
    let syns = [again(0), again(SECOND), again(3 * SECOND)];
    for first in 0..3 {
        let left = [&syns[..], &packets[1..]].concat();
        let right = [&syns[first..], &packets[1..]].concat();
        let file = merged(&[later(&left, &vlan(7), 0), later(&right, &vlan(8), 30 * MICRO)]);
        tells(&file, &[&one], &format!("the first {first} lost"));
    }
}

/// Later conversations of the same ends, whichever tap sees them first.
#[test]
fn ports_may_be_used_again() {
    let mut sessions = [session(&[(Server, "first")]), session(&[(Server, "second")]), session(&[(Server, "third")])];
    for (session, n) in sessions.iter_mut().zip(1..) {
        session.isn = [n * 500_000_000, n * 400_000_000];
    }
    for order in 0..8 {
        let mut parts = Vec::new();
        for (n, session) in sessions.iter().enumerate() {
            let packets = packets_of(session, 100 * MICRO, 0);
            let at = n as i64 * 10 * SECOND;
            let lags = if order >> n & 1 == 0 { [0, 30 * MICRO] } else { [30 * MICRO, 0] };
            parts.extend([later(&packets, &vlan(7), at + lags[0]), later(&packets, &vlan(8), at + lags[1])]);
        }
        tells(&merged(&parts), &sessions.each_ref(), &format!("order {order}"));
    }
}

/// What is held in case that it is another conversation has a bound: past it copies are copies still.
#[test]
fn long_conversations_are_told_once() {
    let mut one = Session::new(0);
    for n in 0..400 {
        one.text([Server, Client][n % 2], &format!("message {n}"));
    }
    one.binary(Server, vec![7; 60_000]).binary(Client, vec![8; 60_000]).close();
    let (left, right) = (vlan(7), vec![Tunnel::Vxlan(4789, [8, 0, 0, 0], 7)]);
    for delay in [20 * MICRO, 3 * MILLI] {
        let file = merged(&[both_sides(&one, [&left, &right], delay, 100 * MICRO + 2 * delay)]);
        tells(&file, &[&one], "a long conversation");
    }
    // Segments that one side has joined.
    let small = one.cut(|_| vec![1000]);
    let cut = packets(&small, &Wire::default());
    let whole = packets(&chop(&one.segments(), 4000), &Wire::default());
    let whole: Vec<_> =
        whole.iter().enumerate().map(|(at, packet)| Packet { time: time_of(at), ..packet.clone() }).collect();
    let scale = |packets: &[Packet]| -> Vec<Packet> {
        let len = packets.len() as i64;
        let at =
            |(at, packet): (usize, &Packet)| Packet { time: time_of(0) + at as i64 * SECOND / len, ..packet.clone() };
        packets.iter().enumerate().map(at).collect()
    };
    let file = merged(&[later(&scale(&cut), &left, 0), later(&scale(&whole), &right, 30 * MICRO)]);
    tells(&file, &[&one], "joined segments");
}

/// Networks whose clocks tick alike, by lot: what they have in common, who is heard first, and how soon.
#[test]
fn networks_by_lot_stay_apart() {
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let texts: Vec<_> = (0..12).map(|n| format!("{n} {}", "y".repeat(dice.below(30)))).collect();
        let sides: Vec<_> = texts.iter().map(|_| [Server, Client][dice.below(2)]).collect();
        let common = dice.below(12);
        let line = |shout: bool| {
            let texts = texts.iter().enumerate();
            let texts: Vec<_> = texts
                .map(|(at, text)| if shout && at >= common { text.to_uppercase() } else { text.clone() })
                .collect();
            let said: Vec<_> = sides.iter().copied().zip(texts.iter().map(String::as_str)).collect();
            session(&said)
        };
        let (one, other) = (line(false), line(true));
        let mut jitter = |session: &Session| {
            let mut packets = packets_of(session, 100 * MICRO, 0);
            packets.iter_mut().for_each(|packet| packet.time += dice.below(90) as i64 * MICRO);
            packets
        };
        let parts = [later(&jitter(&one), &vlan(7), 0), later(&jitter(&other), &vlan(8), 5 * MICRO)];
        tells(&merged(&parts), &[&one, &other], &format!("seed {seed}, {common} in common"));
    }
}

/// The same packets with numbers in their IP headers, as those of one host.
fn numbered(mut packets: Vec<Packet>) -> Vec<Packet> {
    for (packet, id) in packets.iter_mut().zip(1_u16..) {
        let header = &mut packet.bytes[14..34];
        header[4..6].copy_from_slice(&id.to_be_bytes());
        let sum = u32::from(!u16::from_be_bytes([header[10], header[11]])) + u32::from(id);
        let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
        header[10..12].copy_from_slice(&sum.to_be_bytes());
    }
    packets
}

/// A longer conversation.
fn talk(messages: usize) -> Session {
    let texts: Vec<_> = (0..messages).map(|n| format!("message {n}")).collect();
    let said: Vec<_> = texts.iter().enumerate().map(|(n, text)| ([Server, Client][n % 2], text.as_str())).collect();
    session(&said)
}

/// Whatever packet the first copy lacks, and however late the other comes: it may be the SYN, or what was acknowledged before
/// the copy of it came.
#[test]
fn a_first_copy_that_lacks_a_packet_is_no_other_conversation() {
    let one = talk(6);
    let packets = packets_of(&one, 200 * MICRO, 0);
    for lost in 0..packets.len() {
        let mut first = packets.clone();
        first.remove(lost);
        for delay in [20 * MICRO, 700 * MICRO, 5 * MILLI, 80 * MILLI] {
            let file = merged(&[later(&first, &vlan(7), 0), later(&packets, &vlan(8), delay)]);
            tells(&file, &[&one], &format!("without packet {lost}, {delay} ns"));
        }
    }
}

/// One tap is silent for a while, or for good: what the other sees is the conversation's, where packets before were the same to the
/// number in the IP header.
#[test]
fn a_tap_that_falls_silent_loses_nothing_that_another_sees() {
    let one = talk(30);
    let packets = numbered(packets_of(&one, 50 * MILLI, 0));
    for silent in [20..34, 20..50, 20..packets.len()] {
        let first = [&packets[..silent.start], &packets[silent.end..]].concat();
        let file = merged(&[later(&first, &vlan(7), 0), later(&packets, &vlan(8), MILLI)]);
        tells(&file, &[&one], &format!("silent from {silent:?}"));
    }
}

/// The acknowledgement of the handshake is captured before the SYN, in the copy.
#[test]
fn a_copy_may_be_out_of_order_from_its_first_packet_on() {
    let one = talk(4);
    let packets = packets_of(&one, 100 * MICRO, 0);
    let mut copy = later(&packets, &vlan(8), 10 * MICRO);
    copy[2].time = copy[0].time - 5 * MICRO;
    copy[0].time += MICRO;
    tells(&merged(&[later(&packets, &vlan(7), 0), copy]), &[&one], "an overtaken SYN");
}

/// What the snap length cut off from a packet comes with its copy, whichever of both was cut, once copies are known to come.
#[test]
fn what_was_cut_off_comes_with_the_copy() {
    let session = talk(10);
    for pace in [20 * MICRO, MILLI, 40 * MILLI] {
        let packets = numbered(packets_of(&session, pace, 0));
        for (seed, tags) in [vlan(7), vlan(8)].iter().enumerate() {
            for delay in [pace / 10, pace * 3 / 2] {
                let dice = &mut Dice(seed as u64);
                let mut cut = |packet: &Packet| [packet.clone(), packet.clone().snapped(58 + dice.below(14))];
                let pairs = later(&packets, &vlan(7), 0).into_iter().zip(later(&packets, tags, delay));
                let cut_in_turn = |(at, (one, other)): (usize, (Packet, Packet))| {
                    let ([one, one_cut], [other, other_cut]) = (cut(&one), cut(&other));
                    if at % 3 == 0 { [one, other_cut] } else { [one_cut, other] }
                };
                let file = merged(&[pairs.enumerate().flat_map(cut_in_turn).collect()]);
                let what = format!("{tags:?} after {delay} ns, one each {pace} ns");
                tells(&file, &[&session], &what);
                for row in records("msgs", Input::Bytes(&file)) {
                    assert!(key(&row, "waited").is_null(), "{what}: {row}");
                }
            }
        }
    }
}

/// What is cut off from all copies is given up as what is lost is: no more is missing.
#[test]
fn what_is_cut_off_from_all_copies_is_missing() {
    let mut session = Session::new(0);
    for n in 0..10 {
        session.text(Server, &"x".repeat(60)).text(Client, &format!("short {n}"));
    }
    let long = |packet: &Packet| (100..130).contains(&packet.orig_len);
    let cut = |packet: Packet| if long(&packet) { packet.snapped(80) } else { packet };
    let packets: Vec<Packet> = numbered(packets_of(&session, MILLI, 0)).into_iter().map(cut).collect();
    let file = merged(&[later(&packets, &vlan(7), 0), later(&packets, &vlan(7), 5 * MICRO)]);
    let told = conversations(Input::Bytes(&file)).remove(0);
    for (dir, complete) in [("s2c", false), ("c2s", true)] {
        let all: Vec<bool> = told.of(dir).iter().map(|message| message.complete).collect();
        assert_eq!(all, [complete; 10], "{dir}");
    }
}

/// A byte that asks whether the other end is there says nothing, also where the copy lacks a packet before it.
#[test]
fn a_copy_that_lacks_a_packet_may_ask_whether_the_other_is_there() {
    let one = talk(12);
    let segments = one.segments();
    let says = |at: &usize| !segments[*at].payload.is_empty();
    let asked = (0..segments.len()).filter(says).nth(9).unwrap();
    let asks = Segment { seq: segments[asked].end().wrapping_sub(1), payload: vec![0], ..segments[asked].clone() };
    let mut packets = packets_of(&one, 100 * MICRO, 0);
    let time = packets[asked].time + 50 * MICRO;
    packets.insert(asked + 1, Wire::default().packet(&asks, time));
    for lost in (0..asked).filter(says).skip(2) {
        let mut copy = packets.clone();
        copy.remove(lost);
        let file = merged(&[later(&packets, &vlan(7), 0), later(&copy, &vlan(8), 5 * MICRO)]);
        tells(&file, &[&one], &format!("without packet {lost}"));
    }
}

/// More networks than one is compared with: none is lost, and it is said.
#[test]
fn more_networks_than_are_compared_are_all_told() {
    let texts: Vec<_> = (0..40).map(|n| format!("network {n} speaks")).collect();
    let sessions: Vec<_> = texts.iter().map(|text| session(&[(Server, "hello"), (Client, text)])).collect();
    let part = |(session, n)| later(&packets_of(session, 10 * MILLI, 0), &vlan(n), i64::from(n) * MICRO);
    let file = merged(&sessions.iter().zip(1..).map(part).collect::<Vec<_>>());
    let (mut told, _) = told(&file);
    let mut expected = said(&sessions.iter().collect::<Vec<_>>());
    told.sort_by_key(|one| format!("{one:?}"));
    expected.sort_by_key(|one| format!("{one:?}"));
    assert!(told == expected, "{} of {} are told", told.len(), expected.len());
    let limits = findings(Input::Bytes(&file)).into_iter().filter(|(code, _)| code == "TCP-LIMIT").count();
    assert_eq!(limits, 1);
}

/// Networks that say the same for longer than what they say is held: what they say then is not mixed.
#[test]
fn networks_that_part_late_are_not_mixed() {
    let mut sessions = [Session::new(0), Session::new(0)];
    for n in 0..150 {
        for (session, name) in sessions.iter_mut().zip(["one", "the other"]) {
            let text = if n < 100 { format!("message {n}") } else { format!("{name} says {n}") };
            session.text([Server, Client][n % 2], &text);
        }
    }
    sessions.iter_mut().for_each(|session| _ = session.close());
    let [one, other] = &sessions;
    for lags in [[0, 30], [30, 0]] {
        let part = |session, tag, lag| later(&packets_of(session, 100 * MICRO, 0), &vlan(tag), lag * MICRO);
        let file = merged(&[part(one, 7, lags[0]), part(other, 8, lags[1])]);
        let (told, _) = told(&file);
        let (first, second) = if lags[0] == 0 { (one, other) } else { (other, one) };
        assert_eq!(told.len(), 2, "{lags:?}");
        assert!(told[0] == said(&[first])[0], "{lags:?}: the first is not told as it was said");
        let whole = &said(&[second])[0];
        for (rest, whole) in told[1].iter().zip(whole) {
            assert!(rest.len() > 20 && whole.ends_with(rest), "{lags:?}: the second is not told as it was said");
        }
        assert_eq!(twice(&file), 1, "{lags:?}: it is not said what is not shown");
    }
}
