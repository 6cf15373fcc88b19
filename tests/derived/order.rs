//! Cuts, order, copies and sequence numbers: the stream is the same.

use super::support::Dice;
use super::support::craft::*;
use super::support::run::{Input, records};
use super::{LOSS, has_finding, has_no_findings, says};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// A thing that a generated session says.
#[derive(Debug, Clone)]
pub(crate) struct Say {
    side: Side,
    kind: u8,
    len: usize,
    parts: usize,
}

fn say() -> impl Strategy<Value = Say> {
    let len = prop_oneof![8 => 0_usize..40, 4 => 120_usize..130, 3 => 200_usize..3000, 1 => 65_530_usize..65_540];
    (prop_oneof![Just(Client), Just(Server)], 0_u8..5, len, 1_usize..5).prop_map(|(side, kind, len, parts)| Say {
        side,
        kind,
        len,
        parts,
    })
}

/// What the sessions of a capture say.
pub(crate) fn talks() -> impl Strategy<Value = Vec<Vec<Say>>> {
    prop::collection::vec(prop::collection::vec(say(), 0..12), 1..4)
}

/// Text whose characters take one to four bytes, so that cuts fall inside them.
fn prose(len: usize, salt: usize) -> String {
    let mut text = String::new();
    while text.len() < len {
        text.push(['a', 'é', '✓', '🦀', 'z'][(text.len() + salt) % 5]);
    }
    while text.len() > len {
        text.pop();
    }
    text
}

pub(crate) fn sessions(talks: &[Vec<Say>]) -> Vec<Session> {
    talks.iter().enumerate().map(|(n, talk)| session(n, talk)).collect()
}

/// Every second session compresses.
fn session(n: usize, talk: &[Say]) -> Session {
    if n % 2 == 1 { compressed_session(n, talk) } else { plain_session(n, talk) }
}

/// Compressed messages, whole and in fragments, between plain ones.
fn compressed_session(n: usize, talk: &[Say]) -> Session {
    let mut deflated = Deflated::any(n, n + talk.len());
    for (at, say) in talk.iter().enumerate() {
        let text = prose(say.len, at + n);
        let cuts: Vec<usize> = (1..say.parts).map(|part| part * say.len / 9).collect();
        let ending = if at % 3 == 2 { Ending::Final } else { Ending::Sync };
        match say.kind {
            0 => deflated.say(say.side, TEXT, &text),
            1 => deflated.parts(say.side, BINARY, Dice(at as u64).bytes(say.len), &cuts, ending),
            2 | 3 => deflated.parts(say.side, TEXT, &text, &cuts, ending),
            _ => {
                deflated.session.heartbeat(say.side, &prose(say.len % 100, n)).text(say.side, &text);
                &mut deflated
            }
        };
    }
    deflated.session.close();
    deflated.session
}

/// The same without compression.
pub(crate) fn plain_session(n: usize, talk: &[Say]) -> Session {
    let mut session = Session::new(n);
    for (at, say) in talk.iter().enumerate() {
        let text = prose(say.len, at + n);
        match say.kind {
            0 => session.text(say.side, &text),
            1 => session.binary(say.side, Dice(at as u64).bytes(say.len)),
            2 | 3 => {
                let step = (text.len() / say.parts).max(1);
                let mut parts: Vec<Vec<u8>> = text.as_bytes().chunks(step).map(<[u8]>::to_vec).collect();
                parts.resize(parts.len().max(say.parts), Vec::new());
                session.parts(say.side, if say.kind == 2 { TEXT } else { BINARY }, &parts, at % 2 == 0)
            }
            _ => session.heartbeat(say.side, &prose(say.len % 100, n)),
        };
    }
    session.close();
    session
}

/// The proptest settings of this file: few cases, the same in every run, unless `PROPTEST_CASES` or `PROPTEST_RNG_SEED` say otherwise.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let base = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { base.cases } else { cases };
    let seed = if base.rng_seed == RngSeed::Random { RngSeed::Fixed(6455) } else { base.rng_seed };
    ProptestConfig { cases, rng_seed: seed, failure_persistence: None, max_shrink_iters: 100, ..base }
}

/// Cuts of random lengths.
fn cuts(dice: &mut Dice) -> impl FnMut(&[u8]) -> Vec<usize> + '_ {
    |bytes| (0..4).map(|_| 1 + dice.below(bytes.len().min(1460))).collect()
}

/// The segments of all sessions, cut anyhow, taken in turn.
pub(crate) fn cut_anyhow(sessions: &[Session], dice: &mut Dice) -> Vec<Segment> {
    interleave(sessions.iter().map(|session| session.cut(cuts(dice))).collect())
}

proptest! {
    #![proptest_config(config(20))]

    #[test]
    fn cuts_do_not_matter(talks in talks(), seed: u64) {
        let sessions = sessions(&talks);
        let file = capture_of(&cut_anyhow(&sessions, &mut Dice(seed)));
        says(&file, &sessions, "cut");
        has_no_findings(&file, LOSS, "cut");
    }

    #[test]
    fn order_does_not_matter(talks in talks(), seed: u64, window in 2_usize..60) {
        let dice = &mut Dice(seed);
        let sessions = sessions(&talks);
        let mut segments = cut_anyhow(&sessions, dice);
        shuffle(&mut segments, window, dice, |_, segment| segment.flags & SYN != 0);
        let file = capture_of(&segments);
        says(&file, &sessions, "shuffled");
        has_no_findings(&file, LOSS, "shuffled");
    }

    /// The SYNs are moved as well, each by less than eight places.
    #[test]
    fn a_late_syn_does_not_matter(talks in talks(), seed: u64) {
        let dice = &mut Dice(seed);
        let sessions = sessions(&talks);
        let mut segments: Vec<Segment> = cut_anyhow(&sessions, dice);
        shuffle(&mut segments, 8, dice, |_, _| false);
        let file = capture_of(&segments);
        says(&file, &sessions, "SYN shuffled");
        has_no_findings(&file, LOSS, "SYN shuffled");
    }

    #[test]
    fn copies_do_not_matter(talks in talks(), seed: u64, window in 1_usize..60) {
        let dice = &mut Dice(seed);
        let sessions = sessions(&talks);
        let segments = cut_anyhow(&sessions, dice);
        let file = capture_of(&duplicate(&segments, 2, window, dice));
        says(&file, &sessions, "duplicated");
        has_no_findings(&file, LOSS, "duplicated");
    }

    #[test]
    fn agreeing_overlap_does_not_matter(talks in talks(), seed: u64, window in 1_usize..40) {
        let dice = &mut Dice(seed);
        let sessions = sessions(&talks);
        let overlapping = sessions.iter().map(|session| recut(&session.cut(cuts(dice)), 700, dice)).collect();
        let mut segments = overlap(&interleave(overlapping), 4, dice);
        shuffle(&mut segments, window, dice, |_, segment| segment.flags & SYN != 0);
        let file = capture_of(&segments);
        says(&file, &sessions, "overlapping");
        has_no_findings(&file, LOSS, "overlapping");
    }

    #[test]
    fn everything_at_once_does_not_matter(talks in talks(), seed: u64, window in 2_usize..40, bytes in 0_u32..9000) {
        let dice = &mut Dice(seed);
        let sessions = sessions(&talks);
        let cut = sessions.iter().map(|session| recut(&session.cut(cuts(dice)), 900, dice)).collect();
        let mut segments = overlap(&wrap(&interleave(cut), bytes), 5, dice);
        segments = duplicate(&segments, 6, window, dice);
        shuffle(&mut segments, window, dice, |_, segment| segment.flags & SYN != 0);
        let file = capture_of(&segments);
        says(&file, &sessions, "everything at once");
        has_no_findings(&file, LOSS, "everything at once");
    }

    #[test]
    fn wrapping_sequence_numbers_do_not_matter(talks in talks(), seed: u64, bytes in 0_u32..5000) {
        let dice = &mut Dice(seed);
        let sessions = sessions(&talks);
        let mut segments = wrap(&cut_anyhow(&sessions, dice), bytes);
        shuffle(&mut segments, 20, dice, |_, segment| segment.flags & SYN != 0);
        let file = capture_of(&segments);
        says(&file, &sessions, "wrapped");
        has_no_findings(&file, LOSS, "wrapped");
    }
}

/// How far a segment reaches over its neighbours: bytes to the left and to the right.
const SHAPES: [(usize, usize); 8] = [(0, 0), (1, 0), (0, 1), (1, 1), (3, 0), (0, 4), (7, 2), (9, 9)];

/// Six segments in every order, in eight shapes of overlap.
#[test]
fn every_order_of_six_segments_gives_the_same_messages() {
    let mut sessions = Vec::new();
    let mut all = Vec::new();
    for (shape, (left, right)) in SHAPES.into_iter().enumerate() {
        for order in 0..720 {
            let mut session = Session::new(shape * 720 + order);
            session.text(Client, "one two").say(Client, PING, "").text(Client, "three").text(Client, "four");
            let stream: Vec<u8> = session.turns.drain(2..).flat_map(|turn| turn.1).collect();
            session.turn(Client, stream.clone());
            let segments = session.segments();
            let data = segments.iter().position(|segment| segment.payload == stream).unwrap();
            let mut pieces: Vec<Segment> = (0..6)
                .map(|n| (n * stream.len() / 6, (n + 1) * stream.len() / 6))
                .map(|(from, to)| segments[data].part(from.saturating_sub(left), (to + right).min(stream.len())))
                .collect();
            let mut permuted = Vec::new();
            let mut code = order;
            for rest in (1..=6).rev() {
                permuted.push(pieces.remove(code % rest));
                code /= rest;
            }
            all.push([&segments[..data], &permuted, &segments[data + 1..]].concat());
            sessions.push(session);
        }
    }
    let file = capture_of(&all.concat());
    says(&file, &sessions, "permuted");
    has_no_findings(&file, LOSS, "permuted");
}

#[test]
fn sequence_numbers_may_wrap_at_any_byte() {
    let sessions: Vec<_> = (0..300).map(Session::sample).collect();
    let cut: Vec<_> = sessions.iter().enumerate().map(|(n, s)| wrap(&s.cut(|_| vec![50]), n as u32)).collect();
    let file = capture_of(&interleave(cut));
    says(&file, &sessions, "wrapped at every byte");
    has_no_findings(&file, LOSS, "wrapped at every byte");
}

#[test]
fn segments_of_one_byte_do_not_matter() {
    for len in [1, 2, 97] {
        let sessions: Vec<_> = (0..2).map(Session::sample).collect();
        let file = capture_of(&chop(&interleave(sessions.iter().map(Session::segments).collect()), len));
        says(&file, &sessions, "chopped");
        has_no_findings(&file, LOSS, "chopped");
    }
}

/// A mirror port may deliver even a SYN behind the data that follows it.
#[test]
fn a_syn_may_come_late() {
    for seed in 0..20 {
        let sessions: Vec<_> = (0..3).map(Session::sample).collect();
        let mut segments = interleave(sessions.iter().map(Session::segments).collect());
        shuffle(&mut segments, 12, &mut Dice(seed), |_, _| false);
        says(&capture_of(&segments), &sessions, &format!("all shuffled, seed {seed}"));
    }
}

/// What an acknowledgement tells of the other end is a guess as long as no handshake does: bytes before it may still come.
#[test]
fn the_first_packets_may_come_in_any_order() {
    let mut dice = Dice(31);
    let (mut sessions, mut all) = (Vec::new(), Vec::new());
    for n in 0..1500 {
        let mut session = Session::new(n);
        session.text(Client, "hi").text(Server, "yo").text(Client, "so").text(Server, "it is").close();
        let mut segments = session.segments();
        let late = segments.split_off(12);
        // The client's SYN, and any order behind it, in which none is moved far.
        let mut rest: Vec<(usize, Segment)> =
            segments.drain(1..).enumerate().map(|(at, it)| (at + dice.below(12), it)).collect();
        rest.sort_by_key(|&(place, _)| place);
        segments.extend(rest.into_iter().map(|(_, segment)| segment).chain(late));
        all.push(segments);
        sessions.push(session);
    }
    let file = capture_of(&all.concat());
    says(&file, &sessions, "the first packets in any order");
    has_no_findings(&file, &[LOSS, &["HS-NOT-HTTP", "MID-STREAM"]].concat(), "the first packets in any order");
}

/// A tap for each direction, of which one is behind: what a packet acknowledges tells that its sender had it.
#[test]
fn a_direction_may_lag_behind() {
    for lagging in [Client, Server] {
        for lag in 1..8 {
            let mut session = Session::new(lag);
            session.text(Client, "one").text(Client, "two").text(Client, "three").text(Server, "four").close();
            let from = if lagging == Client { session.client } else { session.server };
            let mut places: Vec<(usize, Segment)> = session.segments().into_iter().enumerate().collect();
            places.iter_mut().filter(|(_, segment)| segment.src == from).for_each(|(place, _)| *place += lag);
            places.sort_by_key(|&(place, _)| place);
            let segments: Vec<Segment> = places.into_iter().map(|(_, segment)| segment).collect();
            let file = capture_of(&segments);
            let what = format!("{lagging:?} {lag} packets behind");
            says(&file, std::slice::from_ref(&session), &what);
            has_no_findings(&file, &[LOSS, &["HS-EARLY-DATA"]].concat(), &what);
        }
    }
    // What did not acknowledge the answer was said before it.
    let mut session = Session::new(9);
    session.text(Client, "one").text(Server, "two").close();
    let mut segments = session.segments();
    let (answer, early) = (segments[5].clone(), &mut segments[7]);
    assert!(answer.payload.starts_with(b"HTTP/1.1 101") && early.payload.len() == 9);
    early.ack = answer.seq;
    segments.swap(5, 7);
    has_finding(&capture_of(&segments), "HS-EARLY-DATA", "early");
}

/// The captured order of the numbers that a record names: the packets with the first and the last byte.
#[test]
fn packets_are_those_with_the_first_and_the_last_byte() {
    let mut session = Session::new(0);
    session.text(Client, "one").text(Server, "two").binary(Client, vec![7; 3000]).text(Server, "three");
    let segments = session.cut(|_| vec![1460]);
    let all = says(&capture_of(&segments), std::slice::from_ref(&session), "plain");
    let packets: Vec<_> = all.values().flat_map(|c| &c.messages).map(|m| (m.first_packet, m.packet)).collect();
    // Three packets of the handshake, then each turn with its acknowledgement: request, 101, one, two, 3 × binary, three.
    assert_eq!(packets, [(8, 8), (10, 10), (12, 14), (16, 16)]);
}

/// A hole that a retransmission fills: the message is whole with the packet that fills it.
#[test]
fn a_late_byte_makes_the_packet() {
    let mut session = Session::new(0);
    session.binary(Client, vec![7; 3000]).text(Client, "after");
    let mut segments = session.cut(|_| vec![1000]);
    let lost = segments.remove(8);
    assert_eq!(lost.payload.len(), 1000);
    segments.insert(12, lost);
    let all = says(&capture_of(&segments), std::slice::from_ref(&session), "filled");
    let packets: Vec<_> = all.values().flat_map(|c| &c.messages).map(|m| (m.first_packet, m.packet)).collect();
    assert_eq!(packets, [(8, 13), (12, 13)]);
}

/// A SYN behind data of its connection: on the stream that Wireshark begins there, and all of it is one conversation.
#[test]
fn a_syn_behind_its_data_begins_the_same_conversation() {
    let mut session = Session { fin: false, ..Session::new(0) };
    session.text(Client, "hi").text(Server, "yo");
    let mut plain = session.segments();
    // The request in two pieces.
    let head = plain.remove(3);
    let tail = head.part(50, head.payload.len());
    plain.splice(3..3, [head.part(0, 50), tail]);
    plain.retain(|segment| segment.flags & SYN != 0 || !segment.payload.is_empty());
    let says_all = |early: &[usize], stream| {
        let mut segments: Vec<Segment> = early.iter().map(|&at| plain[at].clone()).collect();
        segments.extend((0..plain.len()).filter(|at| !early.contains(at)).map(|at| plain[at].clone()));
        let file = capture_of(&segments);
        let all = says(&file, std::slice::from_ref(&session), &format!("{early:?} before the SYN"));
        assert_eq!(all.values().next().unwrap().stream, stream, "{early:?} before the SYN");
        has_no_findings(&file, LOSS, "late SYN");
        assert!(!records("ls", Input::Bytes(&file))[0]["url"].is_null(), "{early:?} before the SYN: the request");
    };
    // A connection that is told before its SYN comes keeps the number that it was told with.
    // SYN, SYN-ACK, the request in two pieces, the answer, two messages.
    for (early, stream) in
        [(&[2][..], 0), (&[3], 1), (&[1, 3], 0), (&[3, 1], 1), (&[4], 1), (&[6], 1), (&[6, 3, 2, 1], 0), (&[3, 2], 0)]
    {
        says_all(early, stream);
    }
}
