//! Lost packets, cut packets, copies that disagree: what is shown is true, and all that can be known is shown.

use super::deflate::{is_beginning, is_unsure, without_holes};
use super::order::{config, cut_anyhow, sessions, talks};
use super::support::Dice;
use super::support::craft::*;
use super::support::run::{Conversation, Input, Message, findings, number, records, wspect};
use super::{has_finding, has_no_findings, is_said, says, shown};
use proptest::prelude::*;
use std::ops::Range;

/// A frame of one direction: where it stands in its stream, head and payload, and which message it belongs to.
struct Framed {
    from: usize,
    payload: usize,
    to: usize,
    message: usize,
}

/// The frames of one side of a session whose head is `head` bytes long, in order of their bytes. `message` counts that
/// side's messages in the order in which they end.
fn frames_of(session: &Session, side: Side) -> Vec<Framed> {
    let turns: Vec<&Vec<u8>> = session.turns.iter().filter(|turn| turn.0 == side).map(|turn| &turn.1).collect();
    let mut at = turns[0].len();
    let (mut frames, mut open, mut ended): (Vec<Framed>, Vec<usize>, usize) = (Vec::new(), Vec::new(), 0);
    for bytes in &turns[1..] {
        let long = match bytes[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let head = 2 + long + if bytes[1] & 0x80 != 0 { 4 } else { 0 };
        frames.push(Framed { from: at, payload: at + head, to: at + bytes.len(), message: usize::MAX });
        at += bytes.len();
        let (fin, control) = (bytes[0] & 0x80 != 0, bytes[0] & 0x08 != 0);
        if !control {
            open.push(frames.len() - 1);
        }
        if fin {
            let whole = if control { vec![frames.len() - 1] } else { std::mem::take(&mut open) };
            whole.into_iter().for_each(|frame| frames[frame].message = ended);
            ended += 1;
        }
    }
    frames
}

/// What must be shown of a direction that lost these bytes: each message complete, with a hole, or not known.
fn expected(session: &Session, side: Side, lost: &[Range<usize>]) -> Vec<Fate> {
    let frames = frames_of(session, side);
    let count = session.said.iter().filter(|said| said.dir == side.dir()).count();
    let mut fates = vec![Fate::Whole; count];
    let hit = |from: usize, to: usize| lost.iter().any(|lost| from < lost.end && lost.start < to);
    // A frame whose head is hit, even in part, has an unknown end: all behind it is unknown.
    let lost_head = frames.iter().position(|frame| hit(frame.from, frame.payload));
    for (at, frame) in frames.iter().enumerate() {
        let fate = match lost_head {
            Some(lost) if at >= lost => Fate::Unknown,
            _ if hit(frame.payload, frame.to) => Fate::Holed,
            _ => continue,
        };
        fates[frame.message] = fates[frame.message].max(fate);
    }
    fates
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Whole,
    Holed,
    Unknown,
}

/// The messages of one direction against their fates.
#[track_caller]
fn fared(session: &Session, conversation: &Conversation, side: Side, fates: &[Fate], what: &str) {
    let said: Vec<&Said> = session.said.iter().filter(|said| said.dir == side.dir()).collect();
    let messages = conversation.of(side.dir());
    let known: Vec<_> = said.iter().zip(fates).filter(|(_, fate)| **fate != Fate::Unknown).collect();
    let mut lost = false;
    for (n, (said, fate)) in known.iter().enumerate() {
        let Some(message) = messages.get(n) else {
            panic!("{what}: {} {} message {n} is absent", session.client, side.dir());
        };
        // What is compressed may refer to a message that is not whole.
        let right = match fate {
            _ if lost && is_unsure(message, said) => true,
            Fate::Holed if said.packed.is_some() => !message.complete && is_beginning(message, said),
            Fate::Holed => has_hole(message, said),
            _ => is_said(message, said),
        };
        lost |= **fate == Fate::Holed && said.packed.is_some();
        assert!(right, "{what}: {} message {n}, {fate:?}: {}", session.client, message.brief());
    }
    // Nothing beyond may claim to be whole unless it was said.
    for message in &messages[known.len()..] {
        let true_one = said.iter().any(|said| is_said(message, said));
        assert!(!message.complete || true_one, "{what}: {} made up {}", session.client, message.brief());
    }
}

/// The message without the bytes that it says are missing.
fn has_hole(message: &Message, said: &Said) -> bool {
    !message.complete
        && !message.missing.is_empty()
        && message.opcode == said.opcode
        && without_holes(message, said).as_ref() == Some(&message.payload)
}

/// A session of which each frame spans several packets.
fn long_session(n: usize) -> Session {
    let mut session = Session::new(n);
    let bytes = |len: usize, salt: usize| (0..len).map(|i| (i * 7 + salt) as u8).collect::<Vec<_>>();
    session.binary(Client, bytes(900, 1)).binary(Server, bytes(900, 2)).text(Client, "between").text(Server, "between");
    session.parts(Client, BINARY, &[bytes(500, 3), bytes(500, 4), bytes(20, 5)], true);
    session.parts(Server, BINARY, &[bytes(500, 6), bytes(500, 7), bytes(20, 8)], true);
    session.text(Client, "after").text(Server, "after").close();
    session
}

/// One packet with data is missing, each in a connection of its own.
#[test]
fn a_lost_packet_costs_only_what_was_in_it() {
    let count = long_session(0).cut(|_| vec![97]).len();
    let mut all = Vec::new();
    let mut lost = Vec::new();
    for n in 0..count {
        let session = long_session(n);
        let mut segments = session.cut(|_| vec![97]);
        let heads = session.turns[0].1.len().max(session.turns[1].1.len()) as u32;
        let gone = &segments[n];
        let (side, isn) = if gone.src == session.client { (Client, session.isn[0]) } else { (Server, session.isn[1]) };
        let from = gone.seq.wrapping_sub(isn).wrapping_sub(1);
        // The handshake is another matter, and a segment without data costs nothing.
        if gone.payload.is_empty() || from < heads {
            continue;
        }
        lost.push((session, side, from as usize, from as usize + gone.payload.len()));
        segments.remove(n);
        all.push(segments);
    }
    assert!(lost.len() > 40);
    for (what, segments) in [("one after the other", all.concat()), ("interleaved", interleave(all.clone()))] {
        let file = capture_of(&segments);
        let conversations = shown(&file);
        let gaps: Vec<_> = findings(Input::Bytes(&file)).into_iter().filter(|(code, _)| code == "TCP-GAP").collect();
        assert_eq!(gaps.len(), lost.len(), "{what}: findings");
        for (session, side, from, to) in &lost {
            let conversation = &conversations[&session.client.to_string()];
            let other = if *side == Client { Server } else { Client };
            let whole = vec![Fate::Whole; session.said.iter().filter(|said| said.dir == other.dir()).count()];
            fared(session, conversation, other, &whole, what);
            let what = format!("{what}, lost {side:?} {from}..{to}");
            fared(session, conversation, *side, &expected(session, *side, std::slice::from_ref(&(*from..*to))), &what);
        }
    }
}

/// A hole's place and length are exact, and the masking goes on in step behind it.
#[test]
fn holes_are_where_the_bytes_are_missing() {
    for (first, len) in [(0, 1), (1, 3), (500, 500), (998, 2)] {
        let mut session = Session::new(0);
        session.binary(Client, (0..1000_u32).map(|i| i as u8).collect::<Vec<_>>()).text(Client, "after");
        // The head is 8 bytes: sent by itself, then what comes before the hole, the hole, the rest.
        let segments = session.cut(|bytes| match bytes.len() {
            1008 => [8, first, len, 1000].into_iter().filter(|len| *len > 0).collect(),
            len => vec![len],
        });
        let hole = |s: &Segment| {
            s.src == session.client
                && s.payload.len() == len
                && s.seq == session.isn[0] + 1 + at_of(&session) + 8 + first as u32
        };
        let holed: Vec<_> = segments.iter().filter(|segment| !hole(segment)).cloned().collect();
        assert_eq!(holed.len() + 1, segments.len());
        let all = shown(&capture_of(&holed));
        let messages = all.values().next().unwrap().of("c2s");
        assert_eq!(messages[0].missing, [(first as u64, Some(len as u64))]);
        assert_eq!((messages[0].len, messages[0].complete), (1000, false));
        assert!(has_hole(messages[0], &session.said[0]), "{}", messages[0].brief());
        assert!(is_said(messages[1], &session.said[1]), "{}", messages[1].brief());
    }
}

/// Where the client's first frame begins.
fn at_of(session: &Session) -> u32 {
    session.turns[0].1.len() as u32
}

/// The snap length cuts packets: the bytes that are there are shown, and the sizes are exact.
#[test]
fn cut_packets_are_holes_of_known_length() {
    let mut session = Session::new(0);
    session.binary(Client, (0..1000).map(|i| i as u8).collect::<Vec<_>>()).text(Client, "small");
    session.binary(Server, vec![9; 700]).text(Server, "small");
    for (format, file) in [
        ("pcap", snapped(&session, |packets| Pcap { snaplen: 300, ..Pcap::default() }.file(packets))),
        ("pcapng", snapped(&session, |packets| pcapng(packets, true))),
    ] {
        let all = shown(&file);
        let conversation = all.values().next().unwrap();
        for (side, len) in [(Client, 1000), (Server, 700)] {
            let said: Vec<_> = session.said.iter().filter(|said| said.dir == side.dir()).collect();
            let messages = conversation.of(side.dir());
            assert_eq!(messages.len(), 2, "{format}");
            assert_eq!(messages[0].len, len, "{format}: {}", messages[0].brief());
            assert!(has_hole(messages[0], said[0]), "{format}: {}", messages[0].brief());
            assert!(is_said(messages[1], said[1]), "{format}: {}", messages[1].brief());
        }
        has_finding(&file, "PACKET-CUT", format);
    }
}

/// The session's packets cut at 300 bytes, those with its heads aside.
fn snapped(session: &Session, write: impl Fn(&[Packet]) -> Vec<u8>) -> Vec<u8> {
    let packets = packets(&session.segments(), &Wire::default());
    let cut = |(at, packet): (usize, Packet)| if at < 7 { packet } else { packet.snapped(300) };
    write(&packets.into_iter().enumerate().map(cut).collect::<Vec<_>>())
}

/// An acknowledgement may be captured before its data: no hole is declared at once.
#[test]
fn an_acknowledgement_may_be_captured_before_its_data() {
    let session = long_session(0);
    let mut segments = session.cut(|_| vec![97]);
    for at in (8..segments.len() - 8).step_by(8) {
        if !segments[at].payload.is_empty() {
            let late = segments.remove(at);
            segments.insert(at + 6, late);
        }
    }
    let file = capture_of(&segments);
    says(&file, std::slice::from_ref(&session), "acknowledged early");
    has_no_findings(&file, &["TCP-GAP", "TCP-LATE"], "acknowledged early");
}

/// A hole is given up in good time: what stands behind it is not held until the capture ends.
#[test]
fn an_acknowledged_hole_is_given_up_in_good_time() {
    given_up_in_time(Server, true, 600);
    given_up_in_time(Client, true, 600);
}

#[test]
fn a_hole_of_a_lone_client_is_given_up_in_good_time() {
    given_up_in_time(Client, false, 200);
}

#[test]
fn a_hole_of_a_lone_server_is_given_up_in_good_time() {
    given_up_in_time(Server, false, 200);
}

/// A long message of that side lacks a packet, many short ones follow: all must be known within so many packets.
#[track_caller]
fn given_up_in_time(side: Side, both: bool, within: u64) {
    let mut session = Session::new(0);
    session.binary(side, vec![7; 3000]).text(side, "behind");
    for n in 0..1000 {
        session.text(side, &format!("{n}"));
    }
    let mut segments = session.cut(|bytes| if bytes.len() > 2000 { vec![1000] } else { vec![bytes.len()] });
    let lost = segments.iter().position(|s| s.payload.len() == 1000).unwrap() + 1;
    segments.remove(lost);
    let end = if side == Client { session.client } else { session.server };
    segments.retain(|segment| both || segment.src == end);
    let all = shown(&capture_of(&segments));
    let messages = all.values().next().unwrap().of(side.dir());
    assert_eq!(messages.len(), 1002);
    let known: Vec<u64> = messages[..2].iter().map(|message| message.packet).collect();
    assert!(known.iter().all(|packet| *packet < within), "known with packets {known:?}");
    assert_eq!(messages.iter().filter(|message| !message.complete).count(), 1);
}

/// The same by the clock: 200 ms behind the acknowledgement.
#[test]
fn a_hole_is_given_up_after_a_while() {
    let mut session = Session::new(0);
    session.binary(Server, vec![7; 3000]).text(Server, "behind").text(Server, "later").text(Server, "last");
    let mut segments = session.cut(|bytes| if bytes.len() > 2000 { vec![1000] } else { vec![bytes.len()] });
    let lost = segments.iter().position(|s| s.payload.len() == 1000).unwrap() + 1;
    segments.remove(lost);
    let mut packets = packets(&segments, &Wire::default());
    let later = segments.iter().position(|s| s.payload.ends_with(b"later")).unwrap();
    packets[later..].iter_mut().for_each(|packet| packet.time += 250_000_000);
    let all = shown(&Pcap::default().file(&packets));
    let known: Vec<u64> = all.values().next().unwrap().of("s2c").iter().map(|message| message.packet).collect();
    let last = segments.iter().position(|s| s.payload.ends_with(b"last")).unwrap() as u64 + 1;
    let later = later as u64 + 1;
    assert_eq!(known[2..4], [later, last], "{known:?}");
    assert!(known[..2].iter().all(|packet| *packet == later), "{known:?}: given up with packet {later}");
}

/// Bytes that come long after their hole was given up are not spliced in, but reported.
#[test]
fn late_bytes_are_reported() {
    let mut session = Session::new(0);
    session.binary(Client, vec![7; 300]).text(Client, "after");
    for n in 0..300 {
        session.text(Server, &format!("{n}"));
    }
    let mut segments = session.cut(by_hundreds);
    let late = segments.remove(8);
    assert_eq!(late.payload.len(), 100);
    // The conversation goes on for more packets than an acknowledged hole may wait.
    segments.push(late);
    let file = capture_of(&segments);
    let conversations = shown(&file);
    let mut fates = vec![Fate::Whole; 300];
    fared(&session, &conversations[&session.client.to_string()], Server, &fates, "late");
    fates.truncate(2);
    fates[0] = Fate::Holed;
    fared(&session, &conversations[&session.client.to_string()], Client, &fates, "late");
    has_finding(&file, "TCP-GAP", "late");
    has_finding(&file, "TCP-LATE", "late");
}

/// Cuts what is longer than the heads into segments of 100 bytes.
fn by_hundreds(bytes: &[u8]) -> Vec<usize> {
    if bytes.len() < 300 { vec![bytes.len()] } else { vec![100] }
}

/// The ways in which a second copy of some bytes differs.
#[derive(Debug, Clone, Copy)]
enum Conflict {
    /// Behind the first, which is delivered.
    Delivered,
    /// Both before the hole in front of them is filled.
    Queued,
    /// Longer than the first on both sides.
    Wider,
    /// Only its end lies over the first.
    Tail,
}

/// The first copy stays, and the finding says that there is another.
#[test]
fn of_two_copies_the_first_is_shown() {
    for conflict in [Conflict::Delivered, Conflict::Queued, Conflict::Wider, Conflict::Tail] {
        let mut session = Session::new(0);
        session.text(Client, &"abcdefghij".repeat(30)).text(Client, "after");
        let segments = session.cut(by_hundreds);
        let mut changed = segments.clone();
        // The frame of 308 bytes is in segments 7 to 10: 100, 100, 100, 8.
        let evil = |from: usize, to: usize| {
            let mut copy = segments[8].clone();
            let all: Vec<u8> = segments[7..11].iter().flat_map(|segment| segment.payload.clone()).collect();
            copy.seq = segments[7].seq + from as u32;
            copy.payload = all[from..to].iter().map(|byte| byte ^ 0x01).collect();
            copy
        };
        match conflict {
            Conflict::Delivered => changed.insert(10, evil(100, 200)),
            Conflict::Queued => {
                changed.swap(8, 9);
                changed.insert(9, evil(200, 300));
            }
            Conflict::Wider => {
                let true_ends = [segments[7].payload[50..].to_vec(), segments[9].payload[..50].to_vec()];
                let mut copy = evil(50, 250);
                copy.payload[..50].copy_from_slice(&true_ends[0]);
                copy.payload[150..].copy_from_slice(&true_ends[1]);
                changed.insert(10, copy);
            }
            Conflict::Tail => {
                let mut copy = evil(150, 250);
                copy.payload[..50].copy_from_slice(&segments[8].payload[50..]);
                copy.payload[50..]
                    .copy_from_slice(&segments[9].payload[..50].iter().map(|b| b ^ 1).collect::<Vec<_>>());
                changed.insert(10, copy);
            }
        }
        let file = capture_of(&changed);
        let what = format!("{conflict:?}");
        says(&file, std::slice::from_ref(&session), &what);
        let finding = findings(Input::Bytes(&file)).into_iter().find(|(code, _)| code == "TCP-OVERLAP");
        let (_, record) = finding.unwrap_or_else(|| panic!("{what}: no TCP-OVERLAP"));
        assert_eq!((&record["dir"], &record["conn"]), (&"c2s".into(), &1.into()), "{what}: {record}");
        let plain = findings(Input::Bytes(&capture_of(&segments)));
        assert!(plain.iter().all(|(code, _)| code != "TCP-OVERLAP"), "{what}: without a conflict");
    }
}

/// A handshake of which another copy was sent is told with a finding, whether it is accepted or refused.
#[test]
fn of_two_copies_of_a_handshake_the_first_is_shown() {
    for (begins, other, dir) in [("GET ", &b"/evil"[..], "c2s"), ("HTTP/1.1 101", b"403 ", "s2c")] {
        for accepted in [true, false] {
            let session = Session::sample(0);
            let mut segments = session.segments();
            if !accepted {
                segments.truncate(6);
                for segment in segments.iter_mut().filter(|segment| segment.payload.starts_with(b"HTTP/1.1 101")) {
                    segment.payload[9..12].copy_from_slice(b"404");
                }
            }
            let begins = if accepted { begins } else { begins.split(' ').next().unwrap() };
            let first = segments.iter().position(|segment| segment.payload.starts_with(begins.as_bytes())).unwrap();
            let mut copy = segments[first].clone();
            let at = begins.split(' ').next().unwrap().len() + 1;
            copy.payload[at..at + other.len()].copy_from_slice(other);
            segments.insert(first + 1, copy);
            let file = capture_of(&segments);
            let what = format!("{dir}, accepted: {accepted}");
            if accepted {
                says(&file, std::slice::from_ref(&session), &what);
            }
            let found = findings(Input::Bytes(&file)).into_iter().filter(|(code, _)| code == "TCP-OVERLAP");
            let found: Vec<_> = found.map(|(_, record)| (record["conn"].clone(), record["dir"].clone())).collect();
            assert_eq!(found, [(1.into(), dir.into())], "{what}");
        }
    }
}

/// A keep-alive repeats the last byte, or carries another in its place: it is no data and no conflict.
#[test]
fn keep_alives_are_no_data() {
    for probe in [vec![], vec![0], vec![0xff]] {
        let session = Session::sample(0);
        let segments = session.segments();
        let mut out = Vec::new();
        for (at, segment) in segments.iter().enumerate() {
            out.push(segment.clone());
            if segment.flags != ACK || at < 4 {
                continue;
            }
            let next = |end| segments[..=at].iter().rev().find(|s| s.src == end).unwrap().end();
            for (src, dst) in [(segment.src, segment.dst), (segment.dst, segment.src)] {
                let seq = next(src).wrapping_sub(1);
                out.push(Segment { src, dst, seq, ack: next(dst), flags: ACK, payload: probe.clone() });
            }
        }
        let file = capture_of(&out);
        let what = format!("keep-alives {probe:?}");
        says(&file, std::slice::from_ref(&session), &what);
        has_no_findings(&file, super::LOSS, &what);
    }
}

/// The bytes of each side's stream that these segments of a session lack.
fn lacking(session: &Session, segments: &[Segment]) -> [Vec<Range<usize>>; 2] {
    [(Client, session.client, session.isn[0]), (Server, session.server, session.isn[1])].map(|(side, end, isn)| {
        let mut there = vec![false; session.stream(side).len()];
        for segment in segments.iter().filter(|segment| segment.src == end && segment.flags & SYN == 0) {
            let from = segment.seq.wrapping_sub(isn).wrapping_sub(1) as usize;
            there.iter_mut().skip(from).take(segment.payload.len()).for_each(|byte| *byte = true);
        }
        let missing = (0..there.len()).filter(|&at| !there[at]);
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for at in missing {
            match ranges.last_mut() {
                Some(last) if last.end == at => last.end += 1,
                _ => ranges.push(at..at + 1),
            }
        }
        ranges
    })
}

proptest! {
    #![proptest_config(config(40))]

    /// However many packets are lost: what was captured of a direction before a head is lost is shown.
    #[test]
    fn losses_cost_only_what_was_lost(talks in talks(), seed: u64, rarity in 20_usize..200) {
        let dice = &mut Dice(seed);
        let sessions = sessions(&talks);
        let mut segments = cut_anyhow(&sessions, dice);
        segments.retain(|_| dice.below(rarity) > 0);
        let all = shown(&capture_of(&segments));
        for session in &sessions {
            let own: Vec<Segment> = segments
                .iter()
                .filter(|segment| [segment.src, segment.dst].contains(&session.client))
                .cloned()
                .collect();
            let [client, server] = lacking(session, &own);
            let heads = [session.turns[0].1.len(), session.turns[1].1.len()];
            if [(&client, heads[0]), (&server, heads[1])].iter().any(|(lost, head)| lost.iter().any(|lost| lost.start < *head)) {
                continue;
            }
            let conversation = &all[&session.client.to_string()];
            for (side, lost) in [(Client, client), (Server, server)] {
                let what = format!("lost {side:?} {lost:?}");
                fared(session, conversation, side, &expected(session, side, &lost), &what);
            }
        }
    }

    /// Whatever is lost, cut and reordered: each direction shows messages that were said, in the order in which they were.
    #[test]
    fn losses_make_nothing_up(talks in talks(), seed: u64, rarity in 2_usize..60, window in 1_usize..30, snap: bool) {
        let dice = &mut Dice(seed);
        let sessions = sessions(&talks);
        let mut segments = cut_anyhow(&sessions, dice);
        segments.retain(|_| dice.below(rarity) > 0);
        shuffle(&mut segments, window, dice, |_, segment| segment.flags & SYN != 0);
        let mut packets = packets(&segments, &Wire::default());
        if snap {
            packets = packets.into_iter().map(|packet| packet.snapped(60 + dice.below(1500))).collect();
        }
        let file = Pcap::default().file(&packets);
        let all = shown(&file);
        for session in &sessions {
            let Some(conversation) = all.get(&session.client.to_string()) else { continue };
            for dir in ["c2s", "s2c"] {
                let mut said = session.said.iter().filter(|said| said.dir == dir);
                for message in conversation.of(dir).into_iter().filter(|message| message.complete) {
                    let found = said.any(|said| is_said(message, said));
                    prop_assert!(found, "{} made up or moved {}", session.client, message.brief());
                }
            }
        }
    }
}

/// Of a control frame that the capture ends in, the frame and the message know each other.
#[test]
fn a_control_frame_that_is_not_whole_has_its_message() {
    let mut session = Session::new(0);
    session.text(Client, "whole").say(Client, PING, [b'x'; 90]);
    let mut segments = session.cut(|bytes| if bytes.len() == 96 { vec![50] } else { vec![bytes.len()] });
    let rest = segments.iter().position(|segment| segment.payload.len() == 46).unwrap();
    segments.truncate(rest);
    let file = capture_of(&segments);
    let messages: Vec<u64> = records("msgs", Input::Bytes(&file)).iter().map(|row| number(row, "msg")).collect();
    let frames: Vec<u64> = records("frames", Input::Bytes(&file)).iter().map(|row| number(row, "msg")).collect();
    assert_eq!((&messages[..], &frames[..]), (&[1, 2][..], &[1, 2][..]));
}

/// A capture cut at any byte gives what is before the cut, and says so.
#[test]
fn a_capture_may_end_anywhere() {
    let session = Session::sample(0);
    let segments = session.cut(|_| vec![100]);
    let packets = packets(&segments, &Wire::default());
    let whole = shown(&Pcap::default().file(&packets)).into_values().next().unwrap();
    let mut dice = Dice(3);
    for (format, file, header) in
        [("pcap", Pcap::default().file(&packets), 24), ("pcapng", pcapng(&packets, false), 28)]
    {
        let ends: Vec<usize> = (0..60).map(|_| 1 + dice.below(file.len() - 1)).collect();
        for end in ends.into_iter().chain([header, header + 1, file.len() - 1]) {
            let cut = file[..end].to_vec();
            let done = wspect(&["msgs", "--json"], Input::Bytes(&cut));
            if end < 8 {
                done.unharmed(&format!("{format} cut at {end}"));
                continue;
            }
            assert_eq!(done.code, Some(0), "{format} cut at {end}: {}", done.stderr);
            for conversation in shown(&cut).values() {
                for dir in ["c2s", "s2c"] {
                    let all = whole.of(dir);
                    for (n, message) in conversation.of(dir).into_iter().enumerate() {
                        let right = !message.complete || message.essence() == all[n].essence();
                        assert!(right, "{format} cut at {end}: {}", message.brief());
                    }
                }
            }
            let said = whole.messages.iter().filter(|message| ends_before(&file, format, message.packet, end)).count();
            let complete: usize =
                shown(&cut).values().map(|c| c.messages.iter().filter(|message| message.complete).count()).sum();
            assert_eq!(complete, said, "{format} cut at {end}: messages");
            if !at_boundary(&file, format, end) {
                has_finding(&cut, "FILE-CUT", &format!("{format} cut at {end}"));
            }
        }
    }
}

/// Offsets behind each packet of a file.
fn ends(file: &[u8], format: &str) -> Vec<usize> {
    let packets = read(file);
    if format == "pcap" {
        packets
            .iter()
            .scan(24, |at, packet| {
                *at += 16 + packet.bytes.len();
                Some(*at)
            })
            .collect()
    } else {
        let interface = 28 + 20 + 8 + 4 + 4;
        let blocks = packets.iter().map(|packet| 32 + packet.bytes.len().next_multiple_of(4));
        blocks
            .scan(interface - 4, |at, len| {
                *at += len;
                Some(*at)
            })
            .collect()
    }
}

fn ends_before(file: &[u8], format: &str, packet: u64, end: usize) -> bool {
    ends(file, format)[packet as usize - 1] <= end
}

fn at_boundary(file: &[u8], format: &str, end: usize) -> bool {
    let ends = ends(file, format);
    assert_eq!(ends.last(), Some(&file.len()), "{format}: offsets");
    ends.contains(&end)
        || end == if format == "pcap" { 24 } else { 28 }
        || (format == "pcapng" && end == ends[0] - 32 - read(file)[0].bytes.len().next_multiple_of(4))
}
