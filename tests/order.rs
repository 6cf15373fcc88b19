//! The order law: however the segments of a stream arrive, its bytes are the same.

#![allow(clippy::indexing_slicing, reason = "a test that indexes wrongly fails, as it should")]

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use wspect::model::{
    Both, Direction, EncapId, End, Endpoint, Flags, Input, Limits, Mark, NoteCode, PacketNo, Segment, Timestamp, Twice,
};
use wspect::tcp::{Budget, Conn, Seq};

/// What a stream gave: its bytes with holes as `None`, the findings, and how it ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    bytes: Vec<Option<u8>>,
    odd: Vec<NoteCode>,
    end: Option<End>,
}

/// One segment of the direction under test.
#[derive(Debug, Clone)]
struct Piece {
    at: u32,
    bytes: Vec<u8>,
    fin: bool,
}

const ISN: u32 = 0xffff_ff00;

fn endpoint(last: u8) -> Endpoint {
    Endpoint { ip: Ipv4Addr::new(10, 0, 0, last).into(), port: u16::from(last) }
}

/// Feeds the pieces, the n-th as packet n; `acks` are acknowledgements by the peer: packet, offset.
fn tell(pieces: &[(u64, Piece)], acks: &[(u64, u32)]) -> Told {
    let start = Both { to_server: Some(Seq(ISN)), to_client: Some(Seq(0)) };
    let mut conn = Conn::new(start, Mark::default());
    let mut told = Told::default();
    let mut budget = Budget::default();
    let limits = Limits::DEFAULT;
    let mark = |packet: u64| Mark { packet: PacketNo(packet), time: Some(Timestamp::from_nanos(0)) };
    let mut out = |input: Input<'_>| match input {
        Input::Data { dir: Direction::ToServer, offset, bytes, .. } => {
            assert_eq!(offset, told.bytes.len() as u64);
            told.bytes.extend(bytes.iter().copied().map(Some));
        }
        Input::Gap { dir: Direction::ToServer, offset, len, .. } => {
            assert_eq!(offset, told.bytes.len() as u64);
            told.bytes.extend((0..len).map(|_| None));
        }
        Input::Odd { code, .. } => told.odd.push(code),
        Input::End { dir: Direction::ToServer, how, .. } => told.end = Some(how),
        _ => {}
    };
    let segment = |seq, ack, flags, payload, packet, back| {
        let (src, dst) = if back { (endpoint(2), endpoint(1)) } else { (endpoint(1), endpoint(2)) };
        let (mark, bytes, encap, twice) = (mark(packet), &[][..], EncapId::default(), Twice::No);
        Segment { mark, src, dst, seq, ack, flags, window: 1, bytes, payload, cut: 0, scale: None, encap, twice }
    };
    let mut all: Vec<(u64, Option<&Piece>, u32)> =
        pieces.iter().map(|(packet, piece)| (*packet, Some(piece), 0)).collect();
    all.extend(acks.iter().map(|&(packet, upto)| (packet, None, upto)));
    all.sort_by_key(|&(packet, ..)| packet);
    let hello = segment(0, ISN, Flags::ACK, &b"hello"[..], 0, true);
    conn.segment(Direction::ToClient, &hello, true, &limits, &mut budget, &mut out);
    for (packet, piece, upto) in all {
        let (dir, segment) = match piece {
            Some(piece) => {
                let flags = if piece.fin { Flags::ACK.with(Flags::FIN) } else { Flags::ACK };
                (Direction::ToServer, segment(ISN.wrapping_add(piece.at), 5, flags, &piece.bytes[..], packet, false))
            }
            None => (Direction::ToClient, segment(5, ISN.wrapping_add(upto), Flags::ACK, &[][..], packet, true)),
        };
        conn.segment(dir, &segment, true, &limits, &mut budget, &mut out);
    }
    conn.finish((End::Capture, mark(10_000)), mark(10_000), &limits, &mut budget, &mut out);
    assert_eq!(budget.queued, 0, "everything queued was given back");
    told
}

/// A stream cut into pieces, the last with the FIN.
fn pieces(stream: &[u8], cuts: &[usize]) -> Vec<Piece> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    at.extend([0, stream.len()]);
    at.sort_unstable();
    at.dedup();
    let mut pieces: Vec<Piece> =
        at.windows(2).map(|w| Piece { at: w[0] as u32, bytes: stream[w[0]..w[1]].to_vec(), fin: false }).collect();
    if let Some(last) = pieces.last_mut() {
        last.fin = true;
    }
    pieces
}

/// Places each piece at `position + delay`, so that pieces overtake each other.
fn delayed(pieces: Vec<Piece>, delays: &[u64]) -> Vec<(u64, Piece)> {
    let mut order: Vec<(u64, usize, Piece)> =
        pieces.into_iter().enumerate().map(|(i, piece)| (i as u64 + delays[i % delays.len()], i, piece)).collect();
    order.sort_by_key(|&(at, i, _)| (at, i));
    order.into_iter().enumerate().map(|(n, (_, _, piece))| (n as u64 + 1, piece)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_order_and_any_agreeing_copy_gives_the_same_stream(
        stream in proptest::collection::vec(any::<u8>(), 1..600),
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
        delays in proptest::collection::vec(0_u64..12, 1..20),
        copies in proptest::collection::vec((any::<usize>(), 1_usize..200, any::<usize>()), 0..8),
    ) {
        let mut sent = pieces(&stream, &cuts);
        for (at, len, place) in copies {
            let at = at % stream.len();
            let bytes = stream[at..(at + len).min(stream.len())].to_vec();
            sent.insert(place % (sent.len() + 1), Piece { at: at as u32, bytes, fin: false });
        }
        let told = tell(&delayed(sent, &delays), &[]);
        prop_assert_eq!(told.bytes, stream.into_iter().map(Some).collect::<Vec<_>>());
        prop_assert_eq!(told.odd, vec![]);
        prop_assert_eq!(told.end, Some(End::Fin));
    }

    #[test]
    fn of_disagreeing_copies_the_first_wins_and_a_finding_says_so(
        cuts in proptest::collection::vec(any::<usize>(), 0..10),
        copies in proptest::collection::vec((0_usize..300, 2_usize..100), 1..6),
        delays in proptest::collection::vec(0_u64..6, 1..20),
    ) {
        let stream = [0_u8; 300];
        let mut sent = pieces(&stream, &cuts);
        for (n, (at, len)) in copies.into_iter().enumerate() {
            let bytes = vec![n as u8 + 1; len.min(stream.len() - at)];
            sent.insert(n * 2 % (sent.len() + 1), Piece { at: at as u32, bytes, fin: false });
        }
        let sent = delayed(sent, &delays);
        // The reference: a plain map from offset to byte, the first copy of each staying.
        let mut model = BTreeMap::new();
        let mut conflict = false;
        for (_, piece) in &sent {
            let next = (0..).find(|at| !model.contains_key(at)).unwrap_or(0_u32);
            // One byte just before the next expected one is a keep-alive: whatever it says.
            let keep_alive = piece.bytes.len() == 1 && piece.at + 1 == next;
            for (at, byte) in (piece.at..).zip(&piece.bytes) {
                let known = *model.entry(at).or_insert(*byte);
                conflict |= known != *byte && !keep_alive;
            }
        }
        let told = tell(&sent, &[]);
        prop_assert_eq!(told.bytes, model.into_values().map(Some).collect::<Vec<_>>());
        prop_assert_eq!(told.odd.contains(&NoteCode::TcpOverlap), conflict);
    }

    #[test]
    fn a_lost_piece_leaves_a_hole_of_its_size(
        stream in proptest::collection::vec(any::<u8>(), 10..400),
        cuts in proptest::collection::vec(any::<usize>(), 3..20),
        lost in any::<usize>(),
        delays in proptest::collection::vec(0_u64..6, 1..20),
    ) {
        let mut sent = pieces(&stream, &cuts);
        let lost = sent.remove(lost % sent.len());
        prop_assume!(!sent.is_empty());
        let told = tell(&delayed(sent, &delays), &[(100, stream.len() as u32 + 1)]);
        let mut expected: Vec<Option<u8>> = stream.iter().copied().map(Some).collect();
        let hole = lost.at as usize..lost.at as usize + lost.bytes.len();
        if lost.fin && hole.len() == 1 {
            // One byte acknowledged beyond the end may be a FIN; two are a byte and a FIN.
            expected[hole].fill(None);
            expected.push(None);
        } else {
            if lost.fin {
                expected.push(None);
            }
            expected[hole].fill(None);
        }
        prop_assert_eq!(told.bytes, expected);
    }
}

fn piece(at: u32, bytes: &[u8]) -> Piece {
    Piece { at, bytes: bytes.to_vec(), fin: false }
}

#[test]
fn a_hole_is_final_500_packets_after_its_acknowledgement_not_before() {
    let sent = |late| vec![(1, piece(0, b"ab")), (3, piece(4, b"ef")), (late, piece(2, b"cd"))];
    let acks = [(4, 6)];
    let in_time = tell(&sent(503), &acks);
    assert_eq!(in_time.bytes, b"abcdef".map(Some));
    let mut sent = sent(505);
    sent.push((504, piece(6, b"gh")));
    let too_late = tell(&sent, &acks);
    assert_eq!(too_late.bytes[..4], [Some(b'a'), Some(b'b'), None, None]);
    assert_eq!(too_late.odd, [NoteCode::TcpLate]);
}

#[test]
fn an_acknowledgement_before_its_data_is_no_loss() {
    let told = tell(&[(1, piece(0, b"ab")), (3, piece(2, b"cd")), (4, piece(4, b"ef"))], &[(2, 6)]);
    assert_eq!(told.bytes, b"abcdef".map(Some));
}

#[test]
fn a_keep_alive_byte_is_no_data_and_no_conflict() {
    let told = tell(&[(1, piece(0, b"abc")), (2, piece(2, b"\0")), (3, piece(3, b"d"))], &[]);
    assert_eq!((told.bytes, told.odd), (b"abcd".map(Some).to_vec(), vec![]));
}

#[test]
fn too_much_behind_a_hole_gives_it_up() {
    let mut sent = vec![(1, piece(0, b"ab"))];
    sent.extend((0..5000_u32).map(|n| (u64::from(n) + 2, piece(4 + 3 * n, b"xy"))));
    let told = tell(&sent, &[]);
    assert_eq!(told.bytes.len(), 4 + 15_000 - 1);
    assert_eq!(told.bytes[2..4], [None, None]);
    assert!(told.odd.len() > 800 && told.odd.iter().all(|&code| code == NoteCode::TcpLimit));
}

#[test]
fn a_flood_of_tiny_pieces_in_reverse_is_put_in_order() {
    let stream: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
    let sent =
        stream.iter().enumerate().rev().zip(1..).map(|((at, byte), packet)| (packet, piece(at as u32, &[*byte])));
    let told = tell(&sent.collect::<Vec<_>>(), &[]);
    assert!(told.bytes.iter().zip(&stream).all(|(told, sent)| *told == Some(*sent)));
    assert_eq!((told.bytes.len(), told.odd), (stream.len(), vec![]));
}
