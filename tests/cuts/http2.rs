//! The cut law for HTTP/2.

use super::support::craft::{Client, END_HEADERS, Frame, H2, HEADERS, Server, Side, TEXT, plain_block};
use super::{Part, told};
use proptest::prelude::*;
use wspect::model::Direction;

/// The turns of a connection.
fn parts(h2: &H2) -> Vec<Part> {
    let part = |(side, bytes): &(Side, Vec<u8>)| Part::Bytes(direction(*side), bytes.clone());
    h2.session.turns.iter().map(part).collect()
}

fn direction(side: Side) -> Direction {
    if side == Client { Direction::ToServer } else { Direction::ToClient }
}

/// A connection with faults: a bad block, a frame of a wrong size, a head that is never ended, and a WebSocket beside them.
fn faulty() -> H2 {
    let mut h2 = H2::new(1);
    h2.cuts = vec![(3, Some(2)), (50, None)];
    h2.open(1).frame(Client, HEADERS, END_HEADERS, 3, &[0xfe, 0x82]).frame(Server, 3, 0, 3, &[1; 7]);
    h2.say(Client, 1, TEXT, "one").frame(Client, HEADERS, 0, 5, &plain_block(&[("a", "b")]));
    h2.ws(Server, 1, Frame::new(3, "reserved")).say(Server, 1, TEXT, "two").reset(Server, 1, 2);
    h2
}

#[test]
fn tells_a_whole_connection() {
    insta::assert_snapshot!(told(&parts(&H2::sample(1)), &[usize::MAX]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_cut_tells_the_same(cuts in proptest::collection::vec(1_usize..40, 1..30)) {
        for h2 in [H2::sample(1), faulty()] {
            prop_assert_eq!(told(&parts(&h2), &cuts), told(&parts(&h2), &[usize::MAX]));
        }
    }

    /// Bytes that are not HTTP/2 any more, holes and all.
    #[test]
    fn any_bytes_are_survived(
        at in 0_usize..40,
        junk in proptest::collection::vec(any::<u8>(), 0..200),
        flip in any::<u8>(),
        gap in 0_u64..200,
        cuts in proptest::collection::vec(1_usize..40, 1..30),
    ) {
        let mut parts = parts(&H2::sample(1));
        // What comes first tells that it is HTTP/2.
        let at = 1 + at % (parts.len() - 1);
        let dir = parts[at].dir();
        if let Part::Bytes(_, bytes) = &mut parts[at] {
            let place = usize::from(flip) % bytes.len();
            bytes[place] ^= flip;
        }
        parts.insert(at, Part::Gap(dir, gap));
        parts.insert(at, Part::Bytes(dir, junk));
        prop_assert_eq!(told(&parts, &cuts), told(&parts, &cuts), "the same twice");
    }
}

/// A connection that stops anywhere.
#[test]
fn every_prefix_is_survived() {
    let whole = parts(&H2::sample(1));
    for until in 0..whole.len() {
        let mut some: Vec<Part> = parts(&H2::sample(1));
        some.truncate(until + 1);
        if let Part::Bytes(_, bytes) = &mut some[until] {
            bytes.truncate(bytes.len() / 2 + 1);
        }
        told(&some, &[7]);
    }
}

/// A frame of one stream is lost whole: what other streams open behind the hole is as whole as they are.
#[test]
fn handshakes_behind_a_hole_are_whole() {
    let mut h2 = H2::new(1);
    h2.open(1).say(Server, 1, TEXT, "this is lost");
    let lost = h2.session.turns.len() - 1;
    let request = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", "/behind"),
        (":authority", "lab.test"),
        ("sec-websocket-version", "13"),
    ];
    h2.frame(Client, HEADERS, END_HEADERS, 3, &plain_block(&request));
    h2.frame(Server, HEADERS, END_HEADERS, 3, &plain_block(&[(":status", "200")]));
    h2.say(Client, 3, TEXT, "one").say(Server, 3, TEXT, "two");
    let mut parts = parts(&h2);
    let dir = parts[lost].dir();
    let Part::Bytes(_, bytes) = &parts[lost] else { panic!("no bytes are lost") };
    parts[lost] = Part::Gap(dir, bytes.len() as u64);
    let told = told(&parts, &[usize::MAX]);
    for there in [r#"2 open Some("ws://lab.test/behind")"#, "2 handshake Some(200)", r#""one""#, r#""two""#] {
        assert!(told.contains(there), "{there}: {told}");
    }
    assert_eq!(told.matches("TCP-GAP").count(), 1, "{told}");
}

/// What looks like frames and is none, again and again, costs what it is, and no depth of the stack.
#[test]
fn a_place_may_be_lost_again_and_again() {
    let mut h2 = H2::new(1);
    h2.open(1).say(Client, 1, TEXT, "one");
    let mut parts = parts(&h2);
    let ping = [&[0, 0, 8, 6, 0, 0, 0, 0, 0][..], b"01234567"].concat();
    let chance = [&ping[..], &[0xff; 9]].concat().repeat(4000);
    parts.push(Part::Gap(Direction::ToServer, 100));
    parts.push(Part::Bytes(Direction::ToServer, chance));
    let mut h2 = H2::new(1);
    h2.frame(Client, 6, 0, 0, b"01234567");
    for n in 0..6 {
        h2.say(Client, 1, TEXT, format!("what is said behind it: {n}"));
    }
    parts.push(Part::Bytes(Direction::ToServer, h2.session.turns.drain(4..).flat_map(|(_, bytes)| bytes).collect()));
    for cut in [usize::MAX, 1460] {
        let told = told(&parts, &[cut]);
        assert!(told.contains(r#""one""#) && told.contains("behind it: 5"), "{told}");
        assert_eq!(told.matches("1 closed").count(), 1);
    }
}

/// A late connection that TCP takes the wrong way round, with a header block that is never ended, and what tells who is the client
/// behind it: whatever the cut, the same is told.
#[test]
fn who_is_the_client_may_show_anywhere() {
    let mut h2 = H2::new(1);
    let end = h2.session.turns.len();
    let open = plain_block(&[(":status", "200")]);
    h2.frame(Server, HEADERS, 0, 9, &open).frame(Server, 6, 0, 0, b"01234567");
    h2.ask(11, &[]).accept(11, &[]).say(Client, 11, TEXT, "one").say(Server, 11, TEXT, "two");
    let mut late: Vec<Part> = parts(&h2).into_iter().skip(end).collect();
    for part in &mut late {
        let (Part::Bytes(dir, _) | Part::Gap(dir, _)) = part;
        *dir = dir.reverse();
    }
    let ping = [&[0, 0, 8, 6, 0, 0, 0, 0, 0][..], b"01234567"].concat().repeat(3);
    for at in 0..2 {
        late.insert(at, Part::Bytes(if at == 0 { Direction::ToClient } else { Direction::ToServer }, ping.clone()));
    }
    late.insert(0, Part::Gap(Direction::ToServer, 10));
    let whole = told(&late, &[usize::MAX]);
    assert!(whole.contains(r#""one""#) && whole.contains(r#""two""#), "{whole}");
    for cut in [1, 2, 5, 9, 13, 40] {
        // Whole frames tell that it is HTTP/2.
        let cuts = [&[usize::MAX; 2][..], &[cut; 10_000]].concat();
        assert_eq!(told(&late, &cuts), whole, "cut to {cut}");
    }
}
