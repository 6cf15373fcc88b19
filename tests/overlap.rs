//! Which copy of a byte counts, where segments that wait behind a hole disagree.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

#[path = "support/mod.rs"]
mod support;

use std::net::Ipv4Addr;
use support::craft::{Pcap, Server, Session, Wire};
use support::run::{Input as File, wspect};
use wspect::model::{
    Both, Direction, EncapId, End, Endpoint, Flags, Input, Limits, Mark, NoteCode, Overlap, PacketNo, Segment, Twice,
};
use wspect::tcp::{Budget, Conn, Seq};

/// The bytes that come of these segments of one direction, and what is said of them. None is ever acknowledged.
fn told(overlap: Overlap, segments: &[(u32, String)]) -> (String, Vec<String>) {
    let mut conn = Conn::new(Both { to_server: Some(Seq(0)), to_client: Some(Seq(0)) }, Mark::default());
    let mut budget = Budget::default();
    budget.overlap = overlap;
    let (mut shown, mut findings) = (String::new(), Vec::new());
    let mut out = |input: Input<'_>| match input {
        Input::Data { offset, bytes, .. } => {
            assert_eq!(offset, shown.len() as u64);
            shown += &String::from_utf8_lossy(bytes);
        }
        Input::Gap { len, .. } => shown.extend((0..len).map(|_| '.')),
        Input::Odd { code, text, .. } => findings.push(format!("{} {text}", code.name())),
        Input::Waited { .. } | Input::Resent { .. } | Input::End { .. } => {}
    };
    let end = |last| Endpoint { ip: Ipv4Addr::new(10, 0, 0, last).into(), port: 1 };
    for ((seq, payload), packet) in segments.iter().zip(1..) {
        let segment = Segment {
            mark: Mark { packet: PacketNo(packet), time: None },
            src: end(1),
            dst: end(2),
            seq: *seq,
            ack: 0,
            flags: Flags::ACK,
            window: 1,
            bytes: &[],
            payload: payload.as_bytes(),
            cut: 0,
            scale: None,
            encap: EncapId::default(),
            twice: Twice::No,
        };
        conn.segment(Direction::ToServer, &segment, true, &Limits::DEFAULT, &mut budget, &mut out);
    }
    conn.finish((End::Capture, Mark::default()), Mark::default(), &Limits::DEFAULT, &mut budget, &mut out);
    assert_eq!(budget.queued, 0, "everything queued was given back");
    (shown, findings)
}

fn bytes(byte: &str, from: u32, to: u32) -> (u32, String) {
    (from, byte.repeat((to - from) as usize))
}

/// The old segment has the bytes 10 to 20. In the table, `n`: the new one replaces what they have in common, where it begins
/// before, at and behind 10, and in each case ends before, at and behind 20.
const TABLE: [(Overlap, &str); 6] = [
    (Overlap::First, "ooo ooo ooo"),
    (Overlap::Last, "nnn nnn nnn"),
    (Overlap::Linux, "nnn oon ooo"),
    (Overlap::Bsd, "nnn ooo ooo"),
    (Overlap::Windows, "nnn ooo ooo"),
    (Overlap::Solaris, "onn onn oon"),
];

#[test]
fn every_shape_of_an_overlap_is_resolved_as_the_system_does() {
    for (overlap, expected) in TABLE {
        let starts = [5, 10, 15].into_iter().zip(expected.split(' '));
        let shapes =
            starts.flat_map(|(start, row)| [18, 20, 25].into_iter().zip(row.chars()).map(move |end| (start, end)));
        for (start, (end, winner)) in shapes {
            let segments = [bytes("o", 10, 20), bytes("n", start, end), bytes("f", 0, start.min(10))];
            let (shown, findings) = told(overlap, &segments);
            let wanted: String = (0..end.max(20))
                .map(|at| match (at, (start..end).contains(&at), (10..20).contains(&at)) {
                    (_, true, true) => winner,
                    (_, true, false) => 'n',
                    (_, false, true) => 'o',
                    _ => 'f',
                })
                .collect();
            assert_eq!(shown, wanted, "{} {start}..{end}", overlap.name());
            let which = if winner == 'n' {
                format!("second is shown (--overlap {})", overlap.name())
            } else {
                "first is shown".into()
            };
            let from = start.max(10);
            let text =
                format!("TCP-OVERLAP packets 1 and 2 disagree about the bytes from stream offset {from}; the {which}");
            assert_eq!(findings[0], text);
        }
    }
}

/// What was delivered is final, whatever the system; of a segment that begins in it the rest may count.
#[test]
fn what_was_delivered_stays() {
    let segments = [bytes("d", 0, 10), bytes("o", 15, 20), bytes("n", 5, 25)];
    assert_eq!(told(Overlap::Last, &segments).0, "ddddddddddnnnnnnnnnnnnnnn");
    assert_eq!(told(Overlap::Bsd, &segments).0, "ddddddddddnnnnnnnnnnnnnnn");
    assert_eq!(told(Overlap::First, &segments).0, "ddddddddddnnnnnooooonnnnn");
}

/// A piece of a segment that was replaced in its middle is still of the segment that it came with.
#[test]
fn what_is_left_of_a_segment_goes_by_the_whole_of_it() {
    let segments = [bytes("o", 10, 30), bytes("n", 15, 20), bytes("m", 20, 30), bytes("f", 0, 10)];
    assert_eq!(told(Overlap::Last, &segments).0, "ffffffffffooooonnnnnmmmmmmmmmm");
    // BSD: none of them begins before the first.
    assert_eq!(told(Overlap::Bsd, &segments).0, "ffffffffffoooooooooooooooooooo");
    // Solaris: the second ends within the first, the third with it but begins behind.
    assert_eq!(told(Overlap::Solaris, &segments).0, "ffffffffffoooooooooooooooooooo");
    assert!(told(Overlap::Linux, &segments).1.iter().all(|text| text.starts_with(NoteCode::TcpOverlap.name())));
}

/// The option reaches the queue, and a wrong one is refused with the names of the right ones.
#[test]
fn the_option_names_the_system() {
    let mut session = Session::new(1);
    session.text(Server, "before").text(Server, "first").text(Server, "after");
    let mut segments = session.segments();
    let at = segments.iter().position(|segment| segment.payload.ends_with(b"before")).unwrap();
    let before = segments.remove(at);
    let first = segments.iter().position(|segment| segment.payload.ends_with(b"first")).unwrap();
    let mut other = segments[first].clone();
    other.payload.truncate(2);
    other.payload.extend(b"other");
    segments.splice(first + 1..first + 1, [other, before]);
    let packets = segments.iter().zip(0..).map(|(segment, at)| Wire::default().packet(segment, at * 1000));
    let file = Pcap::default().file(&packets.collect::<Vec<_>>());
    let shows = |options: &[&str]| {
        String::from_utf8(wspect(&[&["msgs"], options].concat(), File::Bytes(&file)).stdout).unwrap()
    };
    assert!(shows(&[]).contains("first") && !shows(&[]).contains("other"));
    assert!(shows(&["--overlap", "solaris"]).contains("other"));
    let wrong = wspect(&["msgs", "--overlap", "amiga"], File::Bytes(&file));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("first, last, linux, bsd, windows, solaris"), "{}", wrong.stderr);
}
