//! How connections begin and end: data on SYN and FIN, RST, the same ports again.

use super::support::Dice;
use super::support::craft::*;
use super::support::run::{Input, conversations, number, records};
use super::{LOSS, has_no_findings, says, says_one, shown};

/// RFC 7413: data on the SYN counts when the SYN-ACK covers it.
#[test]
fn data_on_an_acknowledged_syn_counts() {
    let mut session = Session::sample(0);
    let (_, head) = session.turns.remove(0);
    let mut line = Line::new(&session);
    let mut syn = line.send(Client, SYN, &head);
    syn.flags = SYN;
    let mut segments = vec![syn];
    segments.extend(rest(&session, head.len() as u32 + 1));
    let file = capture_of(&segments);
    says(&file, std::slice::from_ref(&session), "data on SYN");
    has_no_findings(&file, LOSS, "data on SYN");
}

/// The server did not take the SYN's data: the client sends it again, perhaps other bytes.
#[test]
fn data_on_an_unacknowledged_syn_does_not_count() {
    let session = Session::sample(0);
    let mut segments = session.segments();
    segments[0].payload = b"GET /never HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".to_vec();
    let file = capture_of(&segments);
    says(&file, std::slice::from_ref(&session), "data on a SYN that was not taken");
    let urls: Vec<_> = records("ls", Input::Bytes(&file)).iter().map(|row| row["url"].to_string()).collect();
    assert_eq!(urls, ["\"ws://lab.test/0\""]);
}

/// The segments behind the client's SYN that used `used` sequence numbers.
fn rest(session: &Session, used: u32) -> Vec<Segment> {
    let mut shifted = session.clone();
    shifted.isn[0] = session.isn[0].wrapping_add(used - 1);
    let mut segments = shifted.segments();
    segments.remove(0);
    segments
}

/// The last message comes with the FIN.
#[test]
fn data_on_a_fin_counts() {
    for cut in [usize::MAX, 3] {
        let session = Session::sample(0);
        let mut segments = session.cut(|_| vec![cut]);
        // The last data of each side takes over the FIN that follows it.
        for end in [session.client, session.server] {
            let fin = segments.iter().position(|s| s.src == end && s.flags & FIN != 0).unwrap();
            segments.remove(fin);
            let last = segments.iter().rposition(|s| s.src == end && !s.payload.is_empty()).unwrap();
            segments[last].flags |= FIN;
        }
        let file = capture_of(&segments);
        says(&file, std::slice::from_ref(&session), "data on FIN");
        has_no_findings(&file, LOSS, "data on FIN");
    }
}

/// The FIN overtakes the data before it.
#[test]
fn a_fin_may_come_early() {
    let session = Session::sample(0);
    let mut segments = session.segments();
    let fin = segments.iter().position(|s| s.flags & FIN != 0).unwrap();
    let early = segments.remove(fin);
    segments.insert(fin - 9, early);
    let file = capture_of(&segments);
    says(&file, std::slice::from_ref(&session), "early FIN");
    has_no_findings(&file, LOSS, "early FIN");
}

/// The FIN is captured before the data that it follows, and then both are acknowledged: the connection is ended all the same.
#[test]
fn a_fin_before_the_last_data_is_remembered() {
    let mut session = Session { fin: false, ..Session::new(0) };
    session.text(Client, "hello");
    let mut segments = session.segments();
    let last = segments.iter().rposition(|segment| !segment.payload.is_empty()).unwrap();
    segments.truncate(last + 1);
    segments.insert(last, forged(&segments, last, FIN | ACK, 0, b""));
    let mut answer = flipped(&segments[last]);
    (answer.seq, answer.ack, answer.flags) = (segments[last].ack, segments[last].seq.wrapping_add(1), ACK);
    segments.push(answer);
    let file = capture_of(&segments);
    says(&file, std::slice::from_ref(&session), "FIN before the data");
    let row = &records("ls", Input::Bytes(&file))[0];
    assert_eq!((row["state"].as_str(), row["closed_by"].as_str()), (Some("aborted"), Some("fin")));
}

/// The same segment the other way round.
fn flipped(segment: &Segment) -> Segment {
    Segment { src: segment.dst, dst: segment.src, ..segment.clone() }
}

/// Each end of a connection has its state and its name.
#[test]
fn ends_are_told_apart() {
    let talk = |n| {
        let mut session = Session::new(n);
        session.text(Client, "hello");
        session
    };
    let open = Session { fin: false, ..talk(0) };
    let fin = talk(1);
    let mut closed = talk(2);
    closed.close();
    let reset = Session { fin: false, ..talk(3) };
    let mut aborted = reset.segments();
    let mut line = aborted.last().unwrap().clone();
    (line.flags, line.payload) = (RST, Vec::new());
    aborted.push(line);
    let unanswered = {
        let mut session = Session::bare(4);
        session.turn(Client, request("/", ""));
        Session { fin: false, ..session }
    };
    let file = capture_of(&interleave(vec![
        open.segments(),
        fin.segments(),
        closed.segments(),
        aborted,
        unanswered.segments(),
    ]));
    let mut rows = records("ls", Input::Bytes(&file));
    rows.sort_by_key(|row| row["client"].to_string());
    let ends: Vec<_> = rows.iter().map(|row| (row["state"].as_str().unwrap(), row["closed_by"].as_str())).collect();
    let expected = [
        ("open", None),
        ("aborted", Some("fin")),
        ("closed", Some("client")),
        ("aborted", Some("rst")),
        ("open", None),
    ];
    assert_eq!(ends, expected);
}

/// A RST far outside the window is somebody else's: the conversation goes on.
#[test]
fn a_blind_rst_ends_nothing() {
    let session = Session::sample(0);
    let mut segments = session.segments();
    let mut rst = segments[10].clone();
    (rst.flags, rst.payload, rst.seq) = (RST, Vec::new(), rst.seq.wrapping_add(0x4000_0000));
    segments.insert(11, rst);
    says(&capture_of(&segments), std::slice::from_ref(&session), "blind RST");
}

/// RFC 9293 §3.10.7.4: without scaling no window reaches farther than 65 535 bytes, and what is past is in none.
#[test]
fn a_rst_outside_the_window_ends_nothing() {
    for ahead in [66_000, 900_000, -1, -60, -50_000] {
        let mut session = Session { isn: [90_000, 90_000], ..Session::sample(0) };
        session.text(Client, "and on").text(Server, "and on").close();
        let mut segments = session.segments();
        segments.insert(12, forged(&segments, 11, RST, 0_u32.wrapping_add_signed(ahead), b""));
        let file = capture_of(&segments);
        says(&file, std::slice::from_ref(&session), "RST outside the window");
        let row = &records("ls", Input::Bytes(&file))[0];
        assert_eq!(row["closed_by"], "client", "RST {ahead} from the next byte: {row}");
    }
}

/// RFC 7323 §2.2: a window is as wide as both SYNs let it be.
#[test]
fn a_rst_in_a_scaled_window_ends_the_connection() {
    for (shift, closed_by) in [(0, None), (3, Some("rst"))] {
        let mut session = Session { fin: false, ..Session::new(0) };
        session.text(Server, "hello");
        let mut segments = session.segments();
        segments.push(forged(&segments, segments.len() - 1, RST, 300_000, b""));
        let scale = Wire { tcp_options: vec![3, 3, shift, 0], ..Wire::default() };
        let file = Pcap::default().file(&packets(&segments, &scale));
        let row = &records("ls", Input::Bytes(&file))[0];
        let ended = row["closed_by"].as_str().filter(|by| *by == "rst");
        assert_eq!(ended, closed_by, "shift {shift}: {row}");
    }
}

/// The word of an end that lost its memory: the RST repeats the number that the peer expects, which may be past (RFC 9293 §3.5.1).
#[test]
fn a_rst_that_is_past_ends_the_connection_when_nothing_follows() {
    let mut session = Session { fin: false, ..Session::new(0) };
    session.text(Client, "hello").text(Server, "nobody gets this");
    let mut segments = session.segments();
    let last = segments.iter().rposition(|segment| segment.src == session.server).unwrap();
    segments.push(Segment { flags: RST, payload: Vec::new(), ..segments[last].clone() });
    let row = &records("ls", Input::Bytes(&capture_of(&segments)))[0];
    assert_eq!((row["state"].as_str(), row["closed_by"].as_str()), (Some("aborted"), Some("rst")));
}

/// Whatever comes behind a RST that is believed is shown all the same.
#[test]
fn data_behind_a_rst_is_shown() {
    let session = Session::sample(0);
    let mut segments = session.segments();
    let mut rst = segments[12].clone();
    (rst.flags, rst.payload) = (RST, Vec::new());
    segments.insert(12, rst);
    says(&capture_of(&segments), std::slice::from_ref(&session), "data behind a RST");
}

/// Long behind a RST that was none, segments may still be out of order: a hole is waited for as before it.
#[test]
fn long_behind_a_rst_a_hole_is_waited_for() {
    let mut session = Session::new(0);
    for n in 0..600 {
        session.text(Client, &format!("{n}"));
    }
    let mut segments = session.segments();
    let sent: Vec<usize> = (12..segments.len()).filter(|&at| segments[at].payload.len() > 4).collect();
    segments.swap(sent[550], sent[551]);
    let mut rst = segments[sent[0]].clone();
    (rst.flags, rst.payload) = (RST, Vec::new());
    segments.insert(sent[0], rst);
    says(&capture_of(&segments), std::slice::from_ref(&session), "out of order behind a RST");
}

/// The same addresses and ports again: another connection on another stream, even while bytes of the old one come in late.
#[test]
fn ports_may_be_used_again() {
    for reorder in [0, 3] {
        for fin in [true, false] {
            let first = Session { fin, ..Session::sample(0) };
            let mut second = Session { isn: [7_000_000, 9], ..Session::sample(0) };
            second.turns[0].1 = request("/second", "");
            let mut segments = [first.segments(), second.segments()].concat();
            if reorder > 0 {
                let boundary = first.segments().len();
                segments.swap(boundary - 2, boundary + 1);
            }
            let rows = conversations(Input::Bytes(&capture_of(&segments)));
            let what = format!("ports again, FIN {fin}, reordered by {reorder}");
            assert_eq!(rows.len(), 2, "{what}");
            assert_eq!((rows[0].stream, rows[1].stream), (0, 1), "{what}");
            for (session, row) in [&first, &second].into_iter().zip(&rows) {
                let one = [(row.client.clone(), row.clone())].into();
                says_one(&one, session, &what);
            }
        }
    }
}

/// After a FIN the same initial sequence number is a new connection as well, though Wireshark numbers it as the old one.
#[test]
fn the_same_number_after_a_fin_is_a_new_connection() {
    let first = Session::sample(0);
    let mut second = long_talk();
    second.turns[0].1 = request("/second", "");
    let rows = conversations(Input::Bytes(&capture_of(&[first.segments(), second.segments()].concat())));
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].stream, rows[1].stream), (0, 0));
    for (session, row) in [&first, &second].into_iter().zip(&rows) {
        says_one(&[(row.client.clone(), row.clone())].into(), session, "same numbers");
    }
}

/// The next connection begins just behind the last one's sequence numbers, as clocks make them, and only one side is seen.
#[test]
fn ports_may_be_used_again_where_one_side_is_seen() {
    let mut first = Session::sample(0);
    first.said.retain(|said| said.dir == "c2s");
    let sent = first.stream(Client).len() as u32;
    let mut second = Session { isn: [first.isn[0] + sent + 5000, 9], ..first.clone() };
    second.turns[0].1 = request("/second", "");
    let mut segments = [first.segments(), second.segments()].concat();
    segments.retain(|segment| segment.src == first.client);
    let rows = conversations(Input::Bytes(&capture_of(&segments)));
    assert_eq!(rows.len(), 2);
    for (session, row) in [&first, &second].into_iter().zip(&rows) {
        says_one(&[(row.client.clone(), row.clone())].into(), session, "one side");
    }
}

/// A SYN that nobody answers, inside the window of a live connection: the connection goes on.
#[test]
fn a_blind_syn_takes_nothing_away() {
    let session = Session::sample(0);
    let mut segments = session.segments();
    let mut syn = segments[0].clone();
    syn.seq = segments[12].seq.wrapping_add(5);
    segments.insert(12, syn);
    let all = shown(&capture_of(&segments));
    says_one(&all, &session, "blind SYN");
}

/// Two sessions between the same ends whose first numbers are that far apart, the second `later` segments behind the first.
fn beside(apart: u32, later: usize) -> ([Session; 2], Vec<Segment>) {
    let first = Session::sample(0);
    let mut second = Session { isn: first.isn.map(|isn| isn.wrapping_add(apart)), ..Session::sample(0) };
    second.turns[0].1 = request("/second", "");
    let (mut ahead, behind) = (first.segments(), second.segments());
    let mut segments: Vec<Segment> = ahead.drain(..later).collect();
    let longest = ahead.len().max(behind.len());
    for at in 0..longest {
        segments.extend([&behind, &ahead].into_iter().filter_map(|all| all.get(at).cloned()));
    }
    ([first, second], segments)
}

/// Before and behind a proxy that is not to be seen, or where a SYN is answered while a connection is alive, two
/// conversations go on between the same ends: each keeps its bytes.
#[test]
fn two_conversations_between_the_same_ends_stay_apart() {
    for apart in [69_000, 5_000_000, 1 << 31] {
        for later in [1, 2, 5, 12] {
            let what = format!("{apart} apart, {later} segments later");
            let (sessions, segments) = beside(apart, later);
            let file = capture_of(&segments);
            let rows = conversations(Input::Bytes(&file));
            assert_eq!(rows.iter().map(|row| row.stream).collect::<Vec<_>>(), [0, 1], "{what}");
            for (session, row) in sessions.iter().zip(&rows) {
                says_one(&[(row.client.clone(), row.clone())].into(), session, &what);
            }
            has_no_findings(&file, LOSS, &what);
        }
    }
}

/// Neither SYN was captured: what stands far from a stream that has just begun, in both directions, is another's. Wireshark gives
/// both one number.
#[test]
fn two_conversations_from_their_middle_stay_apart() {
    for apart in [0_u32.wrapping_sub(69_000), 69_000, 5_000_000, 1 << 31] {
        // What was told already may be told on behind a loss, unless no loss is as long.
        for later in if apart == 1 << 31 { 0..12 } else { 0..3 } {
            let what = format!("{apart} apart, {later} segments later");
            let (sessions, _) = beside(apart, 0);
            let [first, second] = sessions.map(|session| session.segments().split_off(9));
            let (begin, rest) = first.split_at(later);
            let file = capture_of(&[begin.to_vec(), interleave(vec![rest.to_vec(), second.clone()])].concat());
            let rows = conversations(Input::Bytes(&file));
            assert_eq!(rows.iter().map(|row| row.stream).collect::<Vec<_>>(), [0, 0], "{what}");
            for (segments, row) in [&first, &second].into_iter().zip(&rows) {
                let alone = conversations(Input::Bytes(&capture_of(segments))).remove(0);
                assert_eq!(row.essence(), alone.essence(), "{what}");
            }
            has_no_findings(&file, LOSS, &what);
        }
    }
}

/// Much may be lost at once of a conversation from its middle: it is one all the same.
#[test]
fn a_long_silence_in_a_conversation_from_its_middle_makes_no_other() {
    let mut session = long_talk();
    for side in [Client, Server] {
        session.binary(side, vec![7; 500_000]);
    }
    let lost = session.segments().len() - 3;
    (0..20).for_each(|n| _ = session.text([Client, Server][n % 2], &format!("later {n}")));
    let mut segments = session.segments();
    segments.drain(lost - 4..lost);
    let rows = conversations(Input::Bytes(&capture_of(&segments[9..])));
    assert_eq!(rows.len(), 1);
    let later = |dir: &str| rows[0].of(dir).iter().filter(|message| message.payload.starts_with(b"later")).count();
    assert_eq!([later("c2s"), later("s2c")], [10, 10]);
}

/// A conversation that goes on for long behind its first messages.
fn long_talk() -> Session {
    let mut session = Session::sample(0);
    session.said.truncate(session.said.len() - 2);
    session.turns.truncate(session.turns.len() - 2);
    for n in 0..600 {
        session.text(if n % 2 == 0 { Client } else { Server }, &format!("message {n} {}", "x".repeat(n % 50)));
    }
    session
}

/// A segment of the other end's making, `ahead` bytes behind the next one of the segment at `at`.
fn forged(segments: &[Segment], at: usize, flags: u8, ahead: u32, payload: &[u8]) -> Segment {
    let model = &segments[at];
    Segment { seq: model.end().wrapping_add(ahead), flags, payload: payload.to_vec(), ..model.clone() }
}

/// A segment that somebody else sends into a conversation, `ahead` bytes behind the next one: all is shown as without it.
#[track_caller]
fn a_stranger_sends(flags: u8, ahead: u32, payload: &[u8]) {
    let session = long_talk();
    let segments = session.segments();
    for at in [8, 11] {
        let mut with = segments.clone();
        with.insert(at + 1, forged(&segments, at, flags, ahead, payload));
        says(&capture_of(&with), std::slice::from_ref(&session), &format!("forged at {at}"));
    }
}

#[test]
fn a_forged_fin_ahead_takes_nothing_away() {
    a_stranger_sends(FIN | ACK, 9000, b"");
}

/// The peer never acknowledges what would lie before the FIN: not even long after it is anything missing.
#[test]
fn a_forged_fin_is_no_end_however_long_it_stands() {
    for ahead in [1, 30, 1000, 70_000, 2_000_000, 1_000_000_000] {
        let mut session = Session::new(0);
        session.text(Client, "a");
        let early = session.segments().iter().rposition(|segment| !segment.payload.is_empty()).unwrap();
        session.text(Server, "tick").text(Client, "b").text(Server, "tock").close();
        let segments = session.segments();
        let forged = forged(&segments, early, FIN | ACK, ahead, b"");
        let mut all = packets(&segments, &Wire::default());
        all.insert(early + 1, packets(&[forged], &Wire::default()).remove(0));
        for (at, packet) in all.iter_mut().enumerate() {
            packet.time = time_of(at) + if at > early + 1 { 500_000_000 } else { 0 };
        }
        let file = Pcap::default().file(&all);
        says(&file, std::slice::from_ref(&session), &format!("FIN {ahead} bytes ahead"));
        has_no_findings(&file, LOSS, "FIN ahead");
        assert_eq!(records("ls", Input::Bytes(&file))[0]["state"], "closed", "FIN {ahead} bytes ahead");
    }
}

#[test]
fn a_forged_fin_at_the_next_byte_takes_nothing_away() {
    a_stranger_sends(FIN | ACK, 0, b"");
}

#[test]
fn a_forged_fin_behind_takes_nothing_away() {
    a_stranger_sends(FIN | ACK, 0_u32.wrapping_sub(60), b"");
}

#[test]
fn a_forged_rst_in_the_window_takes_nothing_away() {
    a_stranger_sends(RST, 5000, b"");
}

#[test]
fn a_forged_rst_at_the_next_byte_takes_nothing_away() {
    a_stranger_sends(RST, 0, b"");
    a_stranger_sends(RST | ACK, 0, b"");
}

#[test]
fn a_forged_answer_to_a_syn_takes_nothing_away() {
    a_stranger_sends(SYN | ACK, 77, b"");
}

/// An acknowledgement of bytes that were never sent must not make every later reordering a loss.
#[test]
fn a_forged_acknowledgement_takes_nothing_away() {
    for ahead in [20_000, 900_000, 500_000_000] {
        let session = long_talk();
        let mut segments = session.segments();
        let model = segments[9].clone();
        let forged = Segment { ack: model.ack.wrapping_add(ahead), flags: ACK, payload: Vec::new(), ..model };
        shuffle(&mut segments, 8, &mut Dice(1), |at, _| at < 12);
        segments.insert(10, forged);
        says(&capture_of(&segments), std::slice::from_ref(&session), &format!("acknowledged {ahead} ahead"));
    }
}

#[test]
fn forged_data_far_away_take_nothing_away() {
    a_stranger_sends(PSH | ACK, 500_000_000, b"evil");
    a_stranger_sends(PSH | ACK, 0_u32.wrapping_sub(500_000_000), b"evil");
    a_stranger_sends(PSH | ACK, 0x7fff_0000, b"evil");
}

/// Connections are numbered by the packet that ends their request's head, streams by their first packet.
#[test]
fn numbers_are_in_order_of_recognition() {
    let sessions: Vec<_> = (0..3).map(Session::sample).collect();
    let [mut a, mut b, mut c] = [0, 1, 2].map(|n: usize| sessions[n].segments());
    // SYNs in the order a, b, c; requests in the order c, a, b.
    let rest = [a.split_off(3), b.split_off(3), c.split_off(3)];
    let plain = Session::bare(3);
    let segments = [plain.segments(), a, b, c, rest[2].clone(), rest[0].clone(), rest[1].clone()].concat();
    let rows = records("ls", Input::Bytes(&capture_of(&segments)));
    let numbers: Vec<_> = rows.iter().map(|row| (number(row, "conn"), number(row, "tcp_stream"))).collect();
    assert_eq!(numbers, [(1, 3), (2, 1), (3, 2)]);
}
