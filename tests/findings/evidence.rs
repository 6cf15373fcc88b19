//! A finding or a verdict rests on what crossed the wire when, not on when a hole before it became final.

use super::support::craft::*;
use super::support::run::{Input, records, wspect};
use super::{Told, capture_of, paced, server_first, talk, told, turn};
use wspect::model::{Ending as Ended, Verdict};

fn verdict(told: &Told) -> Verdict {
    let [row] = told.rows.as_slice() else { panic!("{} connections", told.rows.len()) };
    row.verdict()
}

/// A conversation that one side closes, with its segments; which of them carry text or pings.
fn closed_by(side: Side) -> (Vec<Segment>, Vec<usize>) {
    let other = if side == Client { Server } else { Client };
    let session = talk(|session| {
        for n in 0..6 {
            session.text(Server, &format!("{{\"number\":{n}}}")).text(Client, "{\"thanks\":true}");
            session.heartbeat(Client, &format!("ping {n}"));
        }
        let body = Frame::close(1011, "out of order").payload;
        session.say(side, CLOSE, body.clone()).say(other, CLOSE, body);
    });
    let segments = server_first(&session);
    let said = turn(2)..turn(session.turns.len() - 2);
    let said = said.filter(|&at| !segments[at].payload.is_empty()).collect();
    (segments, said)
}

/// Whatever one segment before the closing handshake is lost, and however late that is settled: who closed, who answered,
/// who ended TCP and when, what the code says and of whom are told as if nothing was.
#[test]
fn a_loss_does_not_turn_the_end_round() {
    for side in [Client, Server] {
        let (segments, said) = closed_by(side);
        let whole = told(&capture_of(&segments));
        let expected = verdict(&whole);
        assert_eq!(expected.ending, Ended::Clean);
        for lost in said {
            let mut left = segments.clone();
            left.remove(lost);
            // The packet numbers stay: an empty segment that says nothing stands in for the lost one.
            left.insert(lost, Segment { payload: Vec::new(), ..segments[lost].clone() });
            let told = told(&capture_of(&left));
            assert!(told.has("TCP-GAP"), "segment {lost}");
            if told.has("WS-LOST") {
                // A lone Close frame behind the hole is not enough to find frames again: then nothing is said of it.
                let verdict = verdict(&told);
                assert_eq!(verdict.ending, Ended::ReplyUnseen, "segment {lost}");
                assert!(verdict.text.contains("did before it, or answered, is not known"), "{}", verdict.text);
                continue;
            }
            assert_eq!(verdict(&told), expected, "segment {lost}");
            assert_eq!(told.sentence("CLOSE-1011"), whole.sentence("CLOSE-1011"), "segment {lost}");
            let closing = |told: &Told| -> Vec<_> {
                told.findings.iter().filter(|finding| finding.0.starts_with("CLOSE")).cloned().collect()
            };
            assert_eq!(closing(&told), closing(&whole), "segment {lost}");
        }
    }
}

/// Bytes after a reset are those that were sent after it.
#[test]
fn a_reset_is_no_earlier_than_what_a_loss_held_up() {
    let session = talk(|session| _ = session.text(Server, "one").text(Server, "two").text(Server, "three"));
    let mut segments = Session { fin: false, ..session }.segments();
    let mut rst = segments.last().unwrap().clone();
    rst.flags = RST | ACK;
    segments.push(rst);
    segments.remove(turn(2));
    let told = told(&capture_of(&segments));
    assert!(told.has("TCP-GAP") && !told.has("TCP-AFTER-RESET"), "{:?}", told.findings);
}

#[test]
fn what_a_loss_hides_is_not_told() {
    let session = talk(|session| _ = session.text(Server, "hello").close());
    let answer = turn(4);
    let mut lossy = server_first(&session);
    lossy.remove(answer);
    let lossy = verdict(&told(&capture_of(&lossy)));
    assert_eq!(lossy.ending, Ended::ReplyUnseen);
    assert!(
        lossy
            .text
            .contains("; whether the server did before it, or answered, is not known: bytes of it were lost; TCP FIN"),
        "{}",
        lossy.text
    );
    let mut client = server_first(&session);
    client.retain(|segment| segment.src == session.client);
    let client = verdict(&told(&capture_of(&client)));
    assert_eq!(client.ending, Ended::ReplyUnseen);
    assert!(client.text.contains("is not known: it was not captured"), "{}", client.text);
    let whole = talk(|session| _ = session.say(Client, CLOSE, Frame::close(1000, "").payload));
    let whole = verdict(&told(&capture_of(&server_first(&whole))));
    assert_eq!(whole.ending, Ended::NoReply);
}

/// What comes before something else is said to, never a negative time after it.
#[test]
fn no_time_is_negative() {
    let mut session = Session::bare(1);
    session.turn(Client, request("/404", "")).turn(Server, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    session.turn(Client, request("/", ""));
    let mut segments = Session { fin: false, ..session }.segments();
    // The server ends its side before it is asked again.
    let mut fin = segments[turn(2) + 1].clone();
    fin.flags = FIN | ACK;
    segments.insert(turn(2), fin);
    let told = told(&paced(&segments, &[(turn(2) + 1, 20)]));
    let verdict = told.rows[1].verdict();
    assert!(verdict.text.ends_with("TCP FIN from the server (frame 8), 20.1 ms before that"), "{}", verdict.text);
}

/// The round trip of a ping is that on the wire, though a loss before its pong held it up.
#[test]
fn a_round_trip_is_that_of_the_wire() {
    let session = talk(|session| {
        session.text(Server, "{\"number\":1}").say(Client, PING, "p").say(Server, PONG, "p");
        session.text(Server, "{\"number\":2}").text(Server, "{\"number\":3}").close();
    });
    let mut segments = server_first(&session);
    segments.remove(turn(2));
    let rows = records("msgs", Input::Bytes(&capture_of(&segments)));
    let pong = rows.iter().find(|row| row["type"] == "pong").unwrap();
    assert_eq!(pong["rtt_ns"], 200_000);
}

/// The fault of a text is told with its frame, before the message ends and before the peer fails the connection for it.
#[test]
fn utf8_faults_are_told_where_they_stand() {
    for packed in [false, true] {
        let mut deflated = Deflated::new(0, [true; 2], [15; 2]);
        let filler: Vec<u8> = (0..200_u32).map(|n| b'a' + (n * n % 26) as u8).collect();
        let text = [&filler[..], b"\xff", &filler].concat();
        if packed {
            deflated.parts(Client, TEXT, &text, &[160], Ending::Sync);
        } else {
            let parts = [text[..250].to_vec(), text[250..].to_vec()];
            deflated.session.parts(Client, TEXT, &parts, true);
        }
        // Another fragment never comes.
        let session = &mut deflated.session;
        session.turns.pop();
        if !packed {
            session.turns.pop();
        }
        session.say(Server, CLOSE, Frame::close(1007, "").payload).say(Client, CLOSE, Frame::close(1007, "").payload);
        let told = told(&capture_of(&session.segments()));
        assert!(told.sentence("UTF8-BAD").contains("at byte 200 "), "{:?}", told.findings);
        assert_eq!(told.place("UTF8-BAD"), (8, Some(1), None), "packet, frame and message");
        let order: Vec<_> = told.findings.iter().map(|finding| finding.0).collect();
        assert_eq!(order, ["UTF8-BAD", "CLOSE-1007", "WS-UNFINISHED", "CLOSE-CLIENT-FIRST"]);
    }
    // A character that two frames share is bad where it begins.
    let split =
        |session: &mut Session| _ = session.parts(Client, TEXT, &[b"caf\xc3".to_vec(), b"(au lait)".to_vec()], false);
    let split = told(&capture_of(&talk(split).segments()));
    assert_eq!(split.place("UTF8-BAD"), (8, Some(1), Some(1)));
}

/// Rows wait for the number of a message, as those of frames do; where it never ends, it ends with the connection.
#[test]
fn an_early_fault_has_the_number_of_its_message() {
    let session = talk(|session| {
        session.parts(Client, TEXT, &[b"caf\xff".to_vec(), b"au ".to_vec(), b"lait".to_vec()], true);
        session.turn(Server, Frame::new(TEXT, b"\xff").open().bytes());
    });
    let rows = records("check", Input::Bytes(&capture_of(&session.segments())));
    let faults: Vec<_> = rows.iter().filter(|row| row["code"] == "UTF8-BAD").collect();
    let numbers: Vec<_> = faults.iter().map(|row| (row["dir"].as_str().unwrap(), row["msg"].as_u64())).collect();
    assert_eq!(numbers, [("c2s", Some(3)), ("s2c", Some(4))]);
    let packets: Vec<_> = rows.iter().map(|row| row["packet"].as_u64()).collect();
    assert!(packets.is_sorted(), "{packets:?}");
}

/// What is known only with the end of the capture is shown where it stands, in text as in the evidence of records.
#[test]
fn the_packet_that_shows_a_finding_is_one_of_its_stream() {
    let session = talk(|session| {
        session.say(Server, PING, "are you there").say(Client, PONG, "no");
        session.turn(Server, Frame::new(TEXT, "begun").open().bytes());
    });
    let mut segments = session.segments();
    let own = segments.len() as u64;
    segments.extend(Session::sample(2).segments());
    let file = paced(&segments, &[(turn(session.turns.len()), 20_000)]);
    let text = String::from_utf8(wspect(&["check", "-q"], Input::Bytes(&file)).stdout).unwrap();
    let rows = records("check", Input::Bytes(&file));
    let shown = |code| {
        let (row, line) = rows.iter().zip(text.lines()).find(|(row, _)| row["code"] == code).unwrap();
        let evidence = row["evidence"][0].as_u64().unwrap();
        assert!(line.contains(&format!("  frame {evidence} ")), "{line}");
        assert!(row["packet"].as_u64().unwrap() > own, "{row}");
        evidence
    };
    assert_eq!(shown("PING-UNANSWERED"), 8);
    assert_eq!(shown("PONG-MISMATCH"), 10);
    assert_eq!(shown("WS-UNFINISHED"), own);
}

/// What a loss cost is shown at the first message that it cost something.
#[test]
fn what_a_loss_cost_is_shown_where_it_begins() {
    let mut deflated = Deflated::new(0, [true; 2], [15; 2]);
    for n in 0..6 {
        deflated.say(Server, TEXT, format!("{{\"number\":{n},\"colour\":\"blue\",\"taste\":\"none at all {n}\"}}"));
    }
    // Each message in two segments, acknowledged together; of the second the last is lost.
    let mut segments = deflated.session.cut(|bytes| vec![bytes.len().div_ceil(2)]);
    let end_of = |message: usize| 3 + 3 * (message + 1) + 1;
    segments.remove(end_of(2));
    let told = told(&capture_of(&segments));
    let (packet, _, message) = told.place("DEFLATE-LOST");
    assert_eq!((packet, message), (end_of(3) as u64, Some(3)), "{:?}", told.findings);
}

/// What is not kept is judged all the same; what is kept is shown as text, but for a character that the limit cuts.
#[test]
fn utf8_is_judged_beyond_what_is_kept() {
    let limits = wspect::model::Limits { message_bytes: 100, inflated_bytes: 100, ..Default::default() };
    for (bad, kept) in [(500, Some(100)), (100, Some(100)), (98, None)] {
        let text = [&vec![b'x'; bad][..], b"\xff", &[b'x'; 500]].concat();
        let mut deflated = Deflated::new(0, [true; 2], [15; 2]);
        deflated.say(Server, TEXT, &text).session.say(Client, TEXT, text.clone());
        deflated.session.parts(Server, TEXT, &[text[..50].to_vec(), text[50..].to_vec()], false);
        let told = super::told_with(&capture_of(&deflated.session.segments()), limits, "");
        let faults: Vec<_> = told.findings.iter().filter(|finding| finding.0 == "UTF8-BAD").collect();
        let place = format!("at byte {bad} ");
        assert!(faults.len() == 3 && faults.iter().all(|fault| fault.1.contains(&place)), "{:?}", told.findings);
        assert_eq!(told.texts, [kept; 3], "{bad}");
    }
    let cut = talk(|session| _ = session.text(Server, &format!("{}é", "x".repeat(99))));
    assert_eq!(super::told_with(&capture_of(&cut.segments()), limits, "").texts, [Some(99)]);
}

/// An answer that repeats the code says nothing new; one with another code does, also one that is told first.
#[test]
fn only_an_echo_is_silent() {
    let answers = |first: u16, second: u16| {
        let session = talk(|session| {
            session.say(Client, CLOSE, Frame::close(first, "").payload);
            session.say(Server, CLOSE, Frame::close(second, "").payload);
        });
        let told = told(&capture_of(&server_first(&session)));
        told.findings.iter().map(|finding| (finding.0, finding.1.clone())).collect::<Vec<_>>()
    };
    let server = |code, text: &str| (code, text.to_owned());
    assert_eq!(answers(1000, 1011), [server("CLOSE-1011", "server closed with 1011: internal error")]);
    assert_eq!(answers(1011, 1011), [server("CLOSE-1011", "client closed with 1011: internal error")]);
    assert_eq!(answers(1000, 1000), []);
    assert_eq!(answers(1005, 1002).iter().map(|finding| finding.0).collect::<Vec<_>>(), ["CLOSE-CODE", "CLOSE-1002"]);
}

/// A message that bytes were lost of is not one that the stream ends in.
#[test]
fn a_loss_is_not_the_end_of_the_stream() {
    let session = talk(|session| {
        session.parts(Server, TEXT, &[b"one".to_vec(), b"two".to_vec()], false);
        session.text(Server, "{\"number\":2}").text(Server, "{\"number\":3}").close();
    });
    let mut segments = server_first(&session);
    segments.remove(turn(3));
    let told = told(&capture_of(&segments));
    assert!(!told.has("WS-UNFINISHED"), "{:?}", told.findings);
    assert_eq!(told.sentence("TCP-GAP"), "5 bytes never captured; message 2 incomplete");
}

/// Each rule is told once in words, and each further frame that breaks it counted and named.
#[test]
fn every_violation_is_told() {
    let session = talk(|session| {
        for rsv in [4, 2, 2, 2] {
            session.turn(Server, Frame::new(TEXT, "x").rsv(rsv).bytes());
        }
        session.turn(Server, Frame::new(PING, "").rsv(2).bytes());
        session.close();
    });
    let told = told(&capture_of(&server_first(&session)));
    let all: Vec<&str> =
        told.findings.iter().filter(|finding| finding.0 == "WS-RSV").map(|finding| &*finding.1).collect();
    assert_eq!(
        all,
        [
            "RSV1 is set in a text frame; no extension that was agreed on defines that",
            "RSV2 is set in a text frame; no extension that was agreed on defines that",
            "RSV2 is set in a ping frame; no extension that was agreed on defines that",
            "the same in 2 more frames of the server: 3 and 4",
        ]
    );
    let many = talk(|session| (0..40).for_each(|_| _ = session.turn(Server, Frame::new(3, "").bytes())));
    let many = super::told(&capture_of(&many.segments()));
    let last = many.findings.iter().rfind(|finding| finding.0 == "WS-OPCODE").unwrap();
    assert_eq!(last.1, "the same in 39 more frames of the server: 2, 3, 4, 5, 6, 7, 8, 9 … 40");
    let mut deflated = Deflated::new(0, [true; 2], [15; 2]);
    let wire = deflated.pack(Server, b"hello", Ending::Sync);
    deflated.session.turn(Server, Frame::new(TEXT, &wire[..3]).rsv(4).open().bytes());
    deflated.session.turn(Server, Frame::new(CONTINUATION, &wire[3..]).rsv(4).bytes());
    let packed = super::told(&capture_of(&deflated.session.segments()));
    assert!(packed.sentence("WS-RSV").contains("RSV1 is set in a continuation frame; it marks the first frame"));
}

/// A finding about a fragment names the message that is shown for it.
#[test]
fn fragments_out_of_place_name_their_message() {
    let session = talk(|session| {
        session.turn(Server, Frame::new(TEXT, "a").open().bytes());
        session.turn(Server, Frame::new(TEXT, "b").open().bytes());
        session.turn(Server, Frame::new(CONTINUATION, "c").bytes());
    });
    assert_eq!(told(&capture_of(&session.segments())).place("WS-INTERLEAVED"), (10, Some(2), Some(1)));
    let session = talk(|session| {
        session.turn(Server, Frame::new(CONTINUATION, "a").open().bytes());
        session.say(Server, PING, "").turn(Server, Frame::new(CONTINUATION, "b").bytes());
    });
    assert_eq!(told(&capture_of(&session.segments())).place("WS-CONTINUATION"), (8, Some(1), Some(2)));
}

#[test]
fn a_close_frame_of_one_byte_is_not_empty() {
    let session = talk(|session| _ = session.say(Client, CLOSE, [3]).say(Server, CLOSE, [3]));
    let verdict = verdict(&told(&capture_of(&server_first(&session))));
    assert!(
        verdict
            .text
            .starts_with("closed by the client with a Close frame with a body of 1 byte; the server answered after"),
        "{}",
        verdict.text
    );
}

/// What is wrong with a compressed message is told: which fault, where, and what came before it.
#[test]
fn faults_of_compression_are_told_apart() {
    let sentence = |code: &str, wire: &[u8]| {
        let session = Deflated::new(0, [true; 2], [15; 2]).wire(Server, TEXT, "", wire, &[]).session.clone();
        told(&capture_of(&session.segments())).sentence(code).to_owned()
    };
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    assert_eq!(
        sentence("DEFLATE-BAD", b"\x07"),
        "a compressed message does not inflate: a block of a type that does not exist, at byte 1 of its payload; \
         nothing was inflated before that"
    );
    assert!(sentence("DEFLATE-BAD", b"\x4a\x04\x22\x00").contains("a copy from before the first byte"));
    assert!(
        sentence("DEFLATE-BAD", &hello[..4]).starts_with("a compressed message ends inside a block, after 4 bytes; ")
    );
    assert!(sentence("DEFLATE-BAD", &[b"\x78\x9c", &hello[..]].concat()).contains("it begins with a zlib header"));
    let limits = wspect::model::Limits { inflated_stop: 100, ..Default::default() };
    let bomb = Deflated::new(0, [true; 2], [15; 2]).say(Server, TEXT, "x".repeat(100_000)).session.clone();
    let bomb = super::told_with(&capture_of(&bomb.segments()), limits, "");
    let text = bomb.sentence("INFLATE-LIMIT");
    assert!(
        text.contains("more than 16 384 bytes, from ") && text.contains(":1)") && text.contains("--max-message"),
        "{text}"
    );
}

/// A sender that leaves 00 00 ff ff at the end of each message is found out, and its messages are read.
#[test]
fn an_uncut_tail_does_no_harm() {
    let mut deflated = Deflated::new(0, [true; 2], [15; 2]);
    for text in ["hello", "hello again", "and hello again"] {
        let wire = deflated.pack(Server, text.as_bytes(), Ending::Sync);
        deflated.wire(Server, TEXT, text, &[&wire[..], &[0, 0, 0xff, 0xff]].concat(), &[]);
    }
    let file = capture_of(&deflated.session.segments());
    let found = told(&file);
    let bad: Vec<_> = found.findings.iter().filter(|finding| finding.0.starts_with("DEFLATE")).collect();
    assert!(bad.len() == 3 && bad.iter().all(|finding| finding.1.contains("did not cut 00 00 ff ff")), "{bad:?}");
    let rows = records("msgs", Input::Bytes(&file));
    let said: Vec<_> = rows.iter().map(|row| row["payload"].as_str().unwrap()).collect();
    assert_eq!(said, ["hello", "hello again", "and hello again"]);
}

/// The cap on all that is inflated holds for each connection by itself.
#[test]
fn connections_inflate_for_themselves() {
    let limits = wspect::model::Limits { inflated_total: 500, ..Default::default() };
    let say = |n, times| {
        let mut deflated = Deflated::new(n, [true; 2], [15; 2]);
        (0..times).for_each(|_| _ = deflated.say(Server, TEXT, "x".repeat(1_000)));
        deflated.session.segments()
    };
    let two = super::told_with(&capture_of(&[say(0, 1), say(1, 1)].concat()), limits, "");
    assert!(!two.has("INFLATE-LIMIT"), "{:?}", two.findings);
    let one = super::told_with(&capture_of(&say(0, 2)), limits, "");
    assert!(one.sentence("INFLATE-LIMIT").contains("--max-inflated"), "{:?}", one.findings);
}
