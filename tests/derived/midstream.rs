//! Conversations that began before the capture, and those that the user insists on.

use super::deflate::is_unsure;
use super::resync::{Frames, frames, frames_as, frames_in, place, sent};
use super::support::Dice;
use super::support::craft::*;
use super::support::run::{Message, findings};
use super::{has_finding, has_no_findings, is_said, shown};
use wspect::model::{Protocol, Rule, Select};

/// What no legal conversation may bring, wherever its capture begins.
const FAULTS: &[&str] = &[
    "WS-RSV",
    "WS-CONTINUATION",
    "WS-INTERLEAVED",
    "WS-MASKED",
    "WS-UNMASKED",
    "WS-OPCODE",
    "WS-LOST",
    "DEFLATE-BAD",
    "DEFLATE-UNKNOWN",
    "UTF8-BAD",
];

/// A conversation with deflate of which the first `plain` messages are not compressed, nor some later ones; some are fragmented.
fn talk(n: usize, plain: usize, dice: &mut Dice) -> Session {
    let mut deflated = Deflated::new(n, [true; 2], [15; 2]);
    for nth in 0..60 {
        let side = if dice.below(2) == 0 { Client } else { Server };
        let (id, price) = (dice.below(1_000_000), dice.below(90_000));
        let text = format!(r#"{{"type":"update","id":{id},"symbol":"ACME","price":{price}.25,"nth":{nth}}}"#);
        if nth < plain || dice.below(6) == 0 {
            deflated.session.text(side, &text);
        } else {
            let cuts = (0..dice.below(3)).map(|_| dice.below(40)).collect::<Vec<_>>();
            let cuts = (1..=cuts.len()).map(|at| at * 9).collect::<Vec<_>>();
            deflated.parts(side, TEXT, text, &cuts, Ending::Sync);
        }
    }
    deflated.session
}

/// Whether the message was said, or all of it that is known.
fn is_true(message: &Message, session: &Session) -> bool {
    let mut said = session.said.iter().filter(|said| said.dir == message.dir);
    // The first frames of a message may lie before the capture.
    message.opcode == CONTINUATION || said.any(|said| is_said(message, said) || is_unsure(message, said))
}

/// Compression is taken for used wherever RSV1 first appears, in either direction.
#[test]
fn compression_may_begin_late() {
    let mut dice = Dice(21);
    for n in 0..40 {
        let session = talk(n, 20, &mut dice);
        let file = capture_of(&session.segments()[16..]);
        has_no_findings(&file, FAULTS, &format!("{n}"));
        let all = shown(&file);
        let messages = &all[&session.client.to_string()].messages;
        let whole = session.said.iter().filter(|said| messages.iter().any(|message| is_said(message, said))).count();
        // All plain ones that were captured, and of the others what refers to nothing before: nothing was compressed before.
        assert!(whole + 8 >= session.said.len(), "{n}: {whole} of {}", session.said.len());
    }
}

/// The capture begins anywhere: what is known is right, and nothing legal is called a fault.
#[test]
fn what_went_before_is_not_held_against_a_conversation() {
    let mut dice = Dice(22);
    let (mut known, mut total) = (0, 0);
    for n in 0..40 {
        let session = talk(n, 0, &mut dice);
        let segments = session.segments();
        let from = segments.len() / 4 + dice.below(segments.len() / 4);
        let file = capture_of(&segments[from..]);
        has_no_findings(&file, FAULTS, &format!("{n}"));
        for message in &shown(&file)[&session.client.to_string()].messages {
            assert!(is_true(message, &session), "{n}: {}", message.brief());
            known += message.payload.len();
            total += message.len as usize;
        }
    }
    // Numbers and the names that were said for the first time.
    assert!(known * 10 > total, "{known} of {total}");
}

/// What is not compressed although it has RSV1 is shown as it is.
#[test]
fn a_wrong_guess_is_taken_back() {
    let mut session = Session::new(0);
    for n in 0..8 {
        session.text(Server, &format!("number {n}")).text(Client, &format!("no more than {n}"));
    }
    let noise: Vec<u8> = (0..60).map(|at| (at * 37 + 255) as u8).collect();
    for _ in 0..2 {
        session.turn(Server, Frame::new(BINARY, noise.clone()).rsv(4).bytes());
    }
    let file = capture_of(&session.segments()[8..]);
    has_finding(&file, "DEFLATE-UNKNOWN", "noise");
    has_no_findings(&file, &["DEFLATE-BAD", "WS-RSV"], "noise");
    let all = shown(&file);
    let messages = all.values().next().unwrap().of("s2c");
    let last = &messages[messages.len() - 2..];
    assert!(last.iter().all(|message| message.payload == noise), "{}, {}", last[0].brief(), last[1].brief());
}

/// Behind its head a payload may be cut in each packet: the next head stands where its length says.
#[test]
fn payloads_that_are_cut_lead_on() {
    let mut dice = Dice(23);
    for n in 0..30 {
        let mut session = Session::new(n);
        for _ in 0..30 {
            let side = if dice.below(2) == 0 { Client } else { Server };
            let len = 20 + dice.below(1200);
            match dice.below(3) {
                0 => session.binary(side, dice.bytes(len)),
                _ => session.text(side, &"lorem ipsum ".repeat(len / 12)),
            };
        }
        let snap = |segment: &Segment| {
            let mut segment = segment.clone();
            segment.payload.truncate(20);
            segment
        };
        let segments = session.segments();
        let cut: Vec<Segment> = segments[6..].iter().map(snap).collect();
        let told = frames(&cut);
        let captured = cut.iter().filter(|segment| !segment.payload.is_empty()).count();
        assert_eq!((told.connections, told.all.len()), (1, captured), "{n}");
        has_no_findings(&capture_of(&cut), FAULTS, &format!("{n}"));
    }
}

/// Of each packet only the first bytes are captured, of the handshake's too: the heads of all frames are there.
#[test]
fn a_small_snap_length_costs_payloads_only() {
    let mut dice = Dice(26);
    for (n, snap) in [70, 80, 96, 128, 200, 300].into_iter().cycle().take(36).enumerate() {
        let mut session = Session::new(n);
        for _ in 0..8 + dice.below(20) {
            let side = if dice.below(2) == 0 { Client } else { Server };
            let len = 1 + dice.below(1200);
            match dice.below(4) {
                0 => session.binary(side, dice.bytes(len)),
                1 => session.heartbeat(side, "still here"),
                _ => session.text(side, &"lorem ipsum ".repeat(1 + len / 12)),
            };
        }
        session.close();
        let segments = session.segments();
        let packets = packets(&segments, &Wire::default()).into_iter().map(|packet| packet.snapped(snap));
        let file = Pcap { snaplen: snap as u32, ..Pcap::default() }.file(&packets.collect::<Vec<_>>());
        has_no_findings(&file, FAULTS, &format!("{n}"));
        has_no_findings(&file, &["MID-STREAM", "HS-KEY", "HS-ACCEPT", "HS-NO-ANSWER"], &format!("{n}"));
        let all = shown(&file);
        assert_eq!(all[&session.client.to_string()].state, "closed", "{n}");
        let told = frames_in(file, Vec::new());
        let mut all: Vec<_> = told.all.into_iter().map(|(frame, _)| frame).collect();
        let mut truth = sent(&session);
        all.sort_unstable();
        truth.sort_unstable();
        assert_eq!(all, truth, "{n}: {snap}");
    }
}

/// An answer that stands alone opens a WebSocket; its connection says that it is not all.
#[test]
fn an_answer_without_its_request_says_so() {
    let session = Session::sample(0);
    let file = capture_of(&session.segments()[4..]);
    has_finding(&file, "MID-STREAM", "the answer first");
    let only: Vec<Segment> = session.segments().into_iter().filter(|segment| segment.src == session.server).collect();
    has_finding(&capture_of(&only), "MID-STREAM", "the answer only");
    has_no_findings(&capture_of(&session.segments()), &["MID-STREAM"], "both");
}

/// Behind a lost head there are nothing but fragments, of which one is empty: legal, and found.
#[test]
fn an_empty_fragment_is_a_link_of_a_chain() {
    let mut session = Session::new(0);
    session.text(Server, "before");
    let parts: Vec<Vec<u8>> =
        (0..10).map(|n| if n == 4 { Vec::new() } else { format!("part number {n} of a text").into_bytes() }).collect();
    session.parts(Server, TEXT, &parts, false).close();
    let mut segments = session.segments();
    let lost = segments.iter().position(|segment| segment.payload.ends_with(b"number 0 of a text")).unwrap();
    segments.remove(lost);
    let fragments =
        |told: &Frames| told.all.iter().filter(|((side, _, _, opcode), _)| *side == Server && *opcode == 0).count();
    assert_eq!(fragments(&frames(&segments)), 9);
}

/// What begins like a head of HTTP/2 is read as a fragment where it is none, wherever segments cut it.
#[test]
fn a_fragment_may_begin_like_data_of_http2() {
    let mut session = Session::new(0);
    let parts: Vec<Vec<u8>> = (0..20).map(|n| [&[n, 0, 1, 0, 0, 0, 2][..], &[n; 20]].concat()).collect();
    session.parts(Server, BINARY, &parts, false);
    for n in 0..8 {
        session.text(Server, &format!("number {n} of what is said behind them"));
    }
    let told = |cut: usize| {
        let segments = session.cut(|bytes| if bytes.len() == 29 { vec![cut, 29] } else { vec![bytes.len()] });
        let from = segments.iter().enumerate().filter(|(_, segment)| segment.payload.len() == cut).nth(2).unwrap().0;
        frames(&segments[from..]).all
    };
    let whole = told(29);
    assert_eq!(whole.len(), 26);
    for cut in 1..12 {
        assert_eq!(told(cut), whole, "{cut}");
    }
}

/// A tunnel carries frames of both kinds: those of the client cannot be the server's own. Where the next frame of the server is
/// far, some of the tunnel's are taken for its own until one of the client's comes.
#[test]
fn the_frames_in_a_tunnel_are_not_taken() {
    for (outer, inner, bar) in [(12, 30, 50), (5, 500, 8)] {
        let mut dice = Dice(24);
        let (mut wrong, mut told) = (0, 0);
        for n in 0..30 {
            let mut session = Session::new(n);
            for _ in 0..outer {
                let inner = (0..inner).flat_map(|_| {
                    let text = "ab ".repeat(1 + dice.below(12));
                    let frame = Frame::new(if dice.below(2) == 0 { TEXT } else { BINARY }, text);
                    if dice.below(2) == 0 { frame.masked([7, 1, 8, 2]).bytes() } else { frame.bytes() }
                });
                let inner: Vec<u8> = inner.collect();
                session.binary(Server, inner);
            }
            let mut segments = session.cut(|_| vec![400]);
            let heads: Vec<usize> = (0..segments.len())
                .filter(|&at| segments[at].payload.len() == 400 && segments[at].payload[0] == 0x82)
                .collect();
            segments.remove(heads[dice.below(heads.len() - 2)]);
            let all = frames(&segments).all;
            told += all.len();
            wrong += all.iter().filter(|((_, _, len, _), _)| *len < 200).count();
        }
        assert!(wrong * bar <= told, "{inner}: {wrong} of {told}");
    }
}

/// What a tunnel carries may be of the server's own kind: behind a lost head, frames that stand inside of segments are not taken
/// where the frame that follows at the beginning of a segment is full of such frames.
#[test]
fn frames_of_the_same_kind_in_a_tunnel_are_not_taken() {
    let mut dice = Dice(27);
    let (mut wrong, mut told, mut found, mut intact) = (0, 0, 0, 0);
    for n in 0..40 {
        let mut session = Session::new(n);
        for _ in 0..12 {
            let inner = (0..8 + dice.below(12)).flat_map(|_| {
                let text = format!("{{\"seq\":{},\"note\":\"{}\"}}", dice.below(1000), "ab ".repeat(dice.below(12)));
                Frame::new(TEXT, text).bytes()
            });
            let inner: Vec<u8> = inner.collect();
            session.binary(Server, inner);
        }
        let mut segments = session.cut(|_| vec![250]);
        let heads: Vec<usize> = (0..segments.len())
            .filter(|&at| segments[at].payload.len() == 250 && segments[at].payload[0] == 0x82)
            .collect();
        let gone = segments.remove(heads[dice.below(heads.len() - 3)]);
        let (_, lost) = place(&session, &gone);
        let truth = sent(&session);
        let all = frames(&segments).all;
        told += all.len();
        wrong += all.iter().filter(|(frame, _)| !truth.contains(frame)).count();
        let behind: Vec<_> = truth.iter().filter(|frame| frame.0 == Server && frame.1 >= lost.end).collect();
        intact += behind.len();
        found += behind.into_iter().filter(|frame| all.contains(&(**frame, true))).count();
    }
    // Where one of them happens to stand where a segment begins, nothing tells what they are before the next head.
    assert!(wrong * 20 <= told, "{wrong} of {told} wrong");
    assert!(found * 100 >= intact * 99, "{found} of {intact} found");
}

/// Where neither side masks, it is another protocol that has tags and lengths, however well they fit.
#[test]
fn both_sides_must_fit() {
    let mut dice = Dice(25);
    for n in 0..40 {
        let mut session = Session::bare(n);
        for nth in 0..40 {
            let text = "tag ".repeat(1 + dice.below(20));
            let side = if nth % 2 == 0 { Client } else { Server };
            session.turn(side, Frame::new(TEXT, text).bytes());
        }
        assert_eq!(frames(&session.segments()[3 + dice.below(9)..]).connections, 0, "{n}");
    }
}

/// A direction of which no frame is found says so, and not that anything was lost.
#[test]
fn a_silent_direction_lost_nothing() {
    let mut session = Session::new(0);
    for n in 0..8 {
        session.text(Server, &format!("the server says number {n}"));
    }
    let len = session.turns.len();
    session.turns.insert(len - 4, (Client, vec![0x5a; 40]));
    let file = capture_of(&session.segments()[8..]);
    has_no_findings(&file, &["WS-LOST"], "silent");
    let texts: Vec<String> = findings(super::support::run::Input::Bytes(&file))
        .into_iter()
        .map(|(_, record)| record["text"].to_string())
        .collect();
    assert!(texts.iter().any(|text| text.contains("no frames were found in the 40 bytes captured")), "{texts:?}");
}

/// Where nothing is said, pings and the pongs that repeat them tell a WebSocket: three empty ones, or two that say something.
#[test]
fn heartbeats_are_recognised_by_their_answers() {
    for (n, asks, says, least) in
        [(0, Server, "", 3), (1, Client, "", 3), (2, Server, "8f3a", 2), (3, Client, "still here", 2)]
    {
        let answers = if asks == Server { Client } else { Server };
        for beats in 1..=5 {
            let mut session = Session::bare(n);
            for _ in 0..beats {
                session.say(asks, PING, says).say(answers, PONG, says);
            }
            let segments = session.segments();
            let told = frames(&segments[3..]);
            let is_told = beats >= least;
            assert_eq!(
                (told.connections, told.all.len()),
                if is_told { (1, 2 * beats) } else { (0, 0) },
                "{n}: {beats}"
            );
            assert!(told.all.iter().all(|((side, ..), _)| [Client, Server].contains(side)));
            if is_told {
                let file = capture_of(&segments[3..]);
                has_finding(&file, "MID-STREAM", "heartbeats");
                has_no_findings(&file, FAULTS, "heartbeats");
            }
            assert_eq!(frames(&segments).connections, 0, "{n}: it was never upgraded");
        }
    }
}

/// Other protocols show signs of life too: what is not answered as RFC 6455 says, is masked by both or by none, or comes
/// with anything else, is none.
#[test]
fn other_signs_of_life_are_not_heartbeats() {
    let beat = |opcode, says: &str, key: Option<[u8; 4]>| {
        let frame = Frame::new(opcode, says);
        if let Some(key) = key { frame.masked(key).bytes() } else { frame.bytes() }
    };
    let key = Some([1, 2, 3, 4]);
    let talks = [
        ("not answered", beat(PING, "tick", None), beat(PONG, "tock", key)),
        ("asked by both", beat(PING, "tick", None), beat(PING, "tick", key)),
        ("answered before", beat(PONG, "tick", None), beat(PONG, "tick", key)),
        ("masked by none", beat(PING, "tick", None), beat(PONG, "tick", None)),
        ("masked by both", beat(PING, "tick", key), beat(PONG, "tick", key)),
        ("more than that", [beat(PING, "tick", None), vec![0x7f]].concat(), beat(PONG, "tick", key)),
        ("less than that", beat(PING, "tick", None)[..5].to_vec(), beat(PONG, "tic", key)),
    ];
    for (n, (what, ask, answer)) in talks.into_iter().enumerate() {
        let mut session = Session::bare(n);
        for _ in 0..20 {
            session.turn(Server, ask.clone()).turn(Client, answer.clone());
        }
        assert_eq!(frames(&session.segments()[3..]).connections, 0, "{what}");
    }
}

fn forced(segments: &[Segment]) -> Frames {
    frames_as(segments, vec![Rule { select: Select::Port(8080..=8080), protocol: Protocol::WebSocket }])
}

/// What the user insists on is read from its first byte, if that was captured, and from the first frame otherwise.
#[test]
fn a_forced_stream_is_read_from_its_first_byte() {
    let tiny = |n: usize| {
        let mut session = Session::bare(n);
        session.text(Server, "a").text(Client, "b");
        session.segments()
    };
    let both = [(Server, 0, 3, 1), (Client, 0, 7, 1)];
    for (segments, what) in [(tiny(0), "from the SYN"), (tiny(1).split_off(3), "from the first payload")] {
        let told = forced(&segments);
        let all: Vec<_> = told.all.iter().map(|(frame, _)| *frame).collect();
        assert_eq!((told.connections, all.as_slice()), (1, &both[..]), "{what}");
        assert_eq!(frames(&segments).connections, 0, "{what}");
    }
    // Heartbeats alone.
    let mut session = Session::bare(2);
    for _ in 0..4 {
        session.say(Server, PING, "").say(Client, PONG, "");
    }
    assert_eq!(forced(&session.segments()[3..]).all.len(), 8);
    // The handshake is read where there is one.
    let session = Session::sample(3);
    assert_eq!(forced(&session.segments()).all.len(), frames(&session.segments()).all.len());
    // The client is who masks, whoever connected.
    let mut turned = Session::bare(4);
    turned.turn(Client, Frame::new(TEXT, "a").bytes()).turn(Server, Frame::new(TEXT, "b").masked([1, 2, 3, 4]).bytes());
    let told: Vec<_> = forced(&turned.segments()).all.into_iter().map(|(frame, _)| frame).collect();
    assert_eq!(told.iter().find(|frame| frame.0 == Client).map(|frame| frame.2), Some(7));
}

/// What the user says of a stream that begins otherwise holds from its first frame on.
#[test]
fn a_forced_stream_may_have_other_words_before() {
    let mut session = Session::bare(0);
    session.turn(Client, b"hello\r\n".to_vec()).turn(Server, b"OK\r\n".to_vec());
    for n in 0..4 {
        session
            .text(Server, &format!("the server says number {n}"))
            .text(Client, &format!("the client says number {n}"));
    }
    let told = forced(&session.segments());
    assert_eq!(told.all.len(), 8, "{:?}", told.all);
    let first = |side| told.all.iter().find(|(frame, _)| frame.0 == side).map(|(frame, _)| frame.1);
    assert_eq!([Client, Server].map(first), [Some(7), Some(4)], "behind these words");
}

/// What the user says holds within whatever is around, and behind bytes that are missing there.
#[test]
fn a_forced_stream_stays_forced() {
    let both = |session: &mut Session| {
        session.text(Server, "a").text(Client, "b");
    };
    // Behind the words for a proxy, also where its answer is lost.
    let mut socks = Session::bare(0);
    socks.turn(Client, b"\x04\x01\x1f\x90\x0a\x01\0\x02me\0".to_vec()).turn(Server, b"\0\x5a\0\0\0\0\0\0".to_vec());
    both(&mut socks);
    // Behind an answer of a proxy whose request is lost.
    let mut http = Session::bare(1);
    http.turn(Client, b"CONNECT lab.test:80 HTTP/1.1\r\nHost: lab.test\r\n\r\n".to_vec());
    http.turn(Server, b"HTTP/1.1 200 OK\r\n\r\n".to_vec());
    both(&mut http);
    let rows = [
        (&socks, &[][..], "SOCKS"),
        (&socks, &[1], "SOCKS without an answer"),
        (&http, &[], "CONNECT"),
        (&http, &[0], "CONNECT without its request"),
    ];
    for (session, lost, what) in rows {
        let lost: Vec<_> = lost.iter().map(|&nth: &usize| &session.turns[nth].1).collect();
        let mut segments = session.segments();
        segments.retain(|segment| !lost.contains(&&segment.payload));
        assert_eq!(frames(&segments).connections, 0, "{what}");
        let told = forced(&segments);
        let mut lengths: Vec<_> = told.all.iter().map(|((side, _, len, _), _)| (*side == Client, *len)).collect();
        lengths.sort_unstable();
        assert_eq!((told.connections, lengths), (1, vec![(false, 3), (true, 7)]), "{what}");
    }
}
