//! Findings about frames and messages.

use super::support::craft::*;
use super::{Case, capture_of, case, paced, talk, talked, told, told_with, turn};
use wspect::model::Limits;

/// A frame of the server's, alone.
fn server(frame: &Frame) -> Vec<u8> {
    let bytes = frame.bytes();
    talked(|session| _ = session.turn(Server, bytes))
}

/// Frames of the client's with these masking keys.
fn masked(keys: &[u32]) -> Vec<u8> {
    talked(|session| {
        for key in keys {
            session.turn(Client, Frame::new(TEXT, "x").masked(key.to_be_bytes()).bytes());
        }
    })
}

pub(super) fn cases() -> Vec<Case> {
    frames().into_iter().chain(masks()).chain(pings()).chain(contents()).chain(losses()).collect()
}

fn frames() -> Vec<Case> {
    let client = |frame: Frame| talked(|session| _ = session.turn(Client, frame.bytes()));
    let open = |inside: u8| {
        talked(|session| {
            let frames = [Frame::new(TEXT, "a").open(), Frame::new(inside, "b"), Frame::new(CONTINUATION, "c")];
            frames.iter().for_each(|frame| _ = session.turn(Server, frame.bytes()));
        })
    };
    let text = |payload: usize| Frame::new(TEXT, vec![b'x'; payload]);
    let deflated = Deflated::new(0, [true; 2], [15; 2]).say(Server, TEXT, "hello").session.clone();
    let after_close = |again: bool| {
        talked(|session| {
            session.say(Server, CLOSE, Frame::close(1000, "").payload);
            if again {
                session.say(Server, PING, "");
            }
            session.say(Client, CLOSE, Frame::close(1000, "").payload);
        })
    };
    vec![
        case("WS-UNMASKED", client(text(1)), client(text(1).masked([1, 2, 3, 4]))),
        case("WS-MASKED", server(&text(1).masked([1, 2, 3, 4])), server(&text(1))),
        case("WS-RSV", server(&text(1).rsv(2)), capture_of(&deflated.segments())),
        case("WS-OPCODE", server(&Frame::new(3, "")), server(&Frame::new(BINARY, ""))),
        case("WS-LENGTH", server(&text(125).length(Length::Sixteen)), server(&text(126).length(Length::Sixteen))),
        case("WS-CONTROL-FRAGMENTED", server(&Frame::new(PING, "").open()), server(&Frame::new(PING, ""))),
        case("WS-CONTROL-LENGTH", server(&Frame::new(PING, vec![0; 126])), server(&Frame::new(PING, vec![0; 125]))),
        case("WS-CONTINUATION", server(&Frame::new(CONTINUATION, "")), open(PING)),
        case("WS-INTERLEAVED", open(TEXT), open(PING)),
        case("WS-AFTER-CLOSE", after_close(true), after_close(false)),
        case("WS-UNFINISHED", server(&text(1).open()), server(&text(1))),
        case("WS-UNFINISHED", cut_head(1), cut_head(0)),
    ]
}

/// A connection that ends behind some bytes of a frame's head.
fn cut_head(bytes: usize) -> Vec<u8> {
    let head = Frame::new(TEXT, "x").bytes();
    talked(|session| _ = session.turn(Server, head.get(..bytes).unwrap_or_default().to_vec()))
}

fn masks() -> Vec<Case> {
    vec![
        case("MASK-ZERO", masked(&[0]), masked(&[7, 0, 8])),
        case("MASK-ZERO", masked(&[7, 0, 0]), masked(&[1 << 24, 1 << 16])),
        case("MASK-REPEATED", masked(&[9, 9, 9]), masked(&[9, 9, 8, 9])),
        case("MASK-PREDICTABLE", masked(&[5, 6, 7, 8]), masked(&[5, 6, 7, 9])),
        case("MASK-PREDICTABLE", masked(&[9, 4, 9, 4]), masked(&[9, 4, 9, 5])),
        case(
            "MASK-PREDICTABLE",
            masked(&[0x0909_0909, 0x0404_0404, 0x0303_0303]),
            masked(&[0x0909_0909, 0x0404_0404, 77]),
        ),
    ]
}

fn pings() -> Vec<Case> {
    let waits = |millis, say: &dyn Fn(&mut Session)| {
        let session = talk(|session| say(session));
        paced(&session.segments(), &[(turn(session.turns.len()), millis)])
    };
    let ping = |session: &mut Session| _ = session.say(Server, PING, "are you there");
    let pong = |payload: &'static str| move |session: &mut Session| _ = session.say(Client, PONG, payload);
    let both = |payload: &'static str| {
        move |session: &mut Session| {
            ping(session);
            pong(payload)(session);
        }
    };
    // A later ping is answered; the first never was.
    let skipped = |payload: &'static str| {
        talked(|session| {
            both(payload)(session);
            session.heartbeat(Server, "now").close();
        })
    };
    // The pong may have been in the hole: nothing is known of it.
    let lossy = |lost: bool| {
        let session = talk(|session| {
            ping(session);
            session.say(Client, PONG, "").say(Client, TEXT, "x").say(Client, TEXT, "y");
        });
        let mut segments = session.segments();
        if lost {
            segments.remove(turn(3));
        }
        paced(&segments, &[(segments.len() - 3, 20_000)])
    };
    vec![
        case("PING-UNANSWERED", waits(5_100, &ping), waits(4_900, &ping)),
        case("PING-UNANSWERED", waits(60_000, &both("")), waits(60_000, &both("are you there"))),
        case("PING-UNANSWERED", lossy(false), lossy(true)),
        case("PONG-MISMATCH", waits(60_000, &both("")), waits(60_000, &pong(""))),
        case("PONG-MISMATCH", skipped("stale"), skipped("are you there")),
        case("PONG-MISMATCH", waits(60_000, &both("stale")), waits(60_000, &both("are you there"))),
    ]
}

fn contents() -> Vec<Case> {
    let text = |parts: [&[u8]; 2]| talked(|session| _ = session.parts(Server, TEXT, &parts.map(<[u8]>::to_vec), false));
    let small = |limits: Limits, code, file: &Vec<u8>| Case { limits, ..case(code, file.clone(), file.clone()) };
    let plain = server(&Frame::new(TEXT, "x".repeat(1000)));
    let packed = Deflated::new(0, [true; 2], [15; 2]).say(Server, TEXT, "x".repeat(100_000)).session.clone();
    let packed = capture_of(&packed.segments());
    vec![
        case("UTF8-BAD", text([b"caf\xc3", b"(au lait)"]), text([b"caf\xc3", b"\xa9 au lait"])),
        small(Limits { message_bytes: 10, ..Limits::DEFAULT }, "MESSAGE-LIMIT", &plain),
        small(Limits { inflated_stop: 100, ..Limits::DEFAULT }, "INFLATE-LIMIT", &packed),
    ]
}

fn losses() -> Vec<Case> {
    // Five messages, each in two segments; of the second the last is lost.
    let holed = |takeover| {
        let mut deflated = Deflated::new(0, [takeover; 2], [15; 2]);
        for n in 0..5 {
            deflated.say(Server, TEXT, format!("{{\"number\":{n},\"colour\":\"blue\",\"taste\":\"none at all {n}\"}}"));
        }
        let mut segments = deflated.session.cut(|bytes| vec![bytes.len().div_ceil(2)]);
        segments.remove(3 + 3 * 3 + 1);
        capture_of(&segments)
    };
    // Sixty messages of the server; of the twentieth all but the first bytes are lost.
    let quotes = |takeover| {
        let mut deflated = Deflated::new(0, [takeover; 2], [15; 2]);
        for at in 0..60 {
            let quote = format!(
                r#"{{"type":"ticker","seq":{},"pair":"{}","price":"{}.{}","side":"{}"}}"#,
                71_000 + at,
                ["BTC-USD", "ETH-USD", "SOL-EUR"][at * at % 3],
                at * 7919 % 6007,
                at * 31 % 97,
                ["buy", "sell"][at * 5 % 7 % 2]
            );
            deflated.say(Server, TEXT, quote);
        }
        let mut segments = deflated.session.cut(|bytes| vec![8, bytes.len()]);
        let head = Frame::new(TEXT, "").rsv(4).bytes()[0];
        let begins = |segment: &&mut Segment| segment.payload.len() == 8 && segment.payload[0] == head;
        let twentieth = segments.iter_mut().filter(begins).nth(19).map(|segment| segment.end()).unwrap();
        segments.retain(|segment| segment.seq != twentieth || segment.payload.is_empty() || segment.dst.port() == 8080);
        capture_of(&segments)
    };
    let wire = |wire: &[u8], takeover| {
        let session = Deflated::new(0, [takeover; 2], [15; 2]).wire(Server, TEXT, "", wire, &[]).session.clone();
        capture_of(&session.segments())
    };
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    // What was agreed on, and what the server's compressor does.
    let bound = |agreed: (bool, u8), does: (bool, u8)| {
        let mut deflated = Deflated::new(0, [true, agreed.0], [15, agreed.1]);
        let mut packer = Packer::new(does.0, does.1);
        let text: String = (0..600).map(|n| format!("{} ", n * n % 977)).collect();
        for _ in 0..2 {
            let wire = packer.pack(text.as_bytes(), Ending::Sync);
            deflated.wire(Server, TEXT, &text, &wire, &[]);
        }
        capture_of(&deflated.session.segments())
    };
    let plain = talk(|session| _ = session.binary(Server, vec![1; 300]).binary(Server, vec![2; 300]));
    let hole = |at| {
        let mut segments = plain.cut(|_| vec![100]);
        let first =
            segments.iter().position(|segment| segment.payload.len() == 100 && segment.payload[0] == 0x82).unwrap();
        segments.remove(first + at);
        capture_of(&segments)
    };
    let long = talk(|session| {
        for n in 0..20 {
            session.text(Server, &format!("{{\"number\":{n},\"colour\":\"blue\"}}")).text(Client, "{\"thanks\":true}");
        }
    });
    // A segment is lost, or its acknowledgement.
    let behind = |lost: usize| {
        let mut segments = long.segments();
        segments.remove(lost);
        capture_of(&segments)
    };
    vec![
        case("DEFLATE-LOST", holed(true), holed(false)),
        case("DEFLATE-INFERRED", quotes(true), quotes(false)),
        case("DEFLATE-BAD", wire(&[0xff; 4], true), wire(hello, true)),
        // Cut where the zeros of the tail would end the block, and begin another.
        case("DEFLATE-BAD", wire(&[2], true), wire(&[2, 0], true)),
        case("PMD-CONTEXT", bound((false, 15), (true, 15)), bound((false, 15), (false, 15))),
        case("PMD-WINDOW", bound((true, 9), (true, 12)), bound((true, 9), (true, 9))),
        case("DEFLATE-UNKNOWN", server(&Frame::new(TEXT, hello).rsv(4)), wire(hello, true)),
        case("WS-LOST", hole(5), hole(1)),
        case("WS-RESYNC", behind(turn(4)), behind(turn(4) + 1)),
        case("MID-STREAM", capture_of(&long.segments()[turn(2)..]), capture_of(&long.segments())),
    ]
}

/// The sentences of the findings with this code.
fn sentences(file: &[u8], limits: Limits, code: &str) -> Vec<String> {
    let told = told_with(file, limits, "");
    told.findings.into_iter().filter(|(found, ..)| *found == code).map(|(_, text, _)| text).collect()
}

/// Each opcode and each fault of a length is told by itself.
#[test]
fn opcodes_and_lengths_are_told_with_what_is_wrong() {
    let file = talked(|session| {
        for opcode in [3, 11, 3, 3] {
            session.turn(Server, Frame::new(opcode, "").bytes());
        }
    });
    assert_eq!(
        sentences(&file, Limits::DEFAULT, "WS-OPCODE"),
        [
            "the frame's opcode is 3, reserved for further data frames",
            "the frame's opcode is 11, reserved for further control frames",
            "the same in 2 more frames of the server: 3 and 4",
        ]
    );
    let text = |payload: usize, length| Frame::new(TEXT, vec![b'x'; payload]).length(length).bytes();
    let huge = [&[0x82, 127, 0x80][..], &[0; 7]].concat();
    let file = talked(|session| {
        session.turn(Server, text(125, Length::Sixteen)).turn(Server, text(1, Length::SixtyFour));
        session.turn(Server, text(126, Length::SixtyFour)).turn(Server, text(5, Length::Sixteen)).turn(Server, huge);
    });
    assert_eq!(
        sentences(&file, Limits::DEFAULT, "WS-LENGTH"),
        [
            "the payload length 125 is written in 16 bits, where 7 are enough",
            "the payload length 1 is written in 64 bits, where 7 are enough",
            "the payload length 126 is written in 64 bits, where 16 are enough",
            "the top bit of the payload length is set, which says 9 223 372 036 854 775 808 bytes",
            "the same in 1 more frame of the server: 4",
        ]
    );
}

/// Past what a connection may inflate to, messages are passed over until that is in proportion again. It is said once for each
/// direction.
#[test]
fn the_end_of_inflating_is_told_once() {
    let mut deflated = Deflated::new(0, [false; 2], [15; 2]);
    for _ in 0..8 {
        deflated.say(Server, TEXT, "x".repeat(1000)).say(Client, TEXT, "y".repeat(1000));
    }
    deflated.session.text(Client, "plain");
    let file = capture_of(&deflated.session.segments());
    let limits = Limits { inflated_total: 100, ..Limits::DEFAULT };
    let told = told_with(&file, limits, "");
    assert!(!told.has("DEFLATE-LOST"), "{:?}", told.findings);
    let said = sentences(&file, limits, "INFLATE-LIMIT");
    assert_eq!(said.len(), 2, "{said:?}");
    for side in ["client", "server"] {
        let words = format!("those of the {side} are inflated again when that is in proportion");
        assert_eq!(said.iter().filter(|text| text.contains(&words)).count(), 1, "{said:?}");
    }
    let shown: Vec<_> = told.texts.iter().map(|len| len.unwrap_or(0)).collect();
    let whole = shown[..16].iter().filter(|&&len| len == 1000).count();
    assert!(shown[0] == 1000 && (3..8).contains(&whole), "{shown:?}");
    assert_eq!(shown[16], 5, "what is not compressed is shown");
}

/// The sentence tells where the first fault is: in the whole message, whatever its frames, its compression or its holes.
#[test]
fn utf8_faults_are_found_to_the_byte() {
    let parts = |parts: &[&[u8]]| {
        let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.to_vec()).collect();
        told(&talked(|session| _ = session.parts(Client, TEXT, &parts, true)))
    };
    for (fault, at) in [
        (&[&b"abc\xff"[..]][..], 3),
        (&[b"abc", b"d\xc0\xaf"], 4),
        (&["é".as_bytes(), b"\xe2\x82", b"x"], 2),
        (&[b"ab\xed\xa0\x80"], 2),
        (&[b"ab\xf4\x90\x80\x80"], 2),
        (&[b"ab\xe2\x82"], 2),
        (&[&b"\xff"[..], &[b'x'; 1000]], 0),
    ] {
        let told = parts(fault);
        assert!(told.sentence("UTF8-BAD").contains(&format!("at byte {at} ")), "{fault:?}: {:?}", told.findings);
    }
    assert!(!parts(&[b"\xe2", b"\x82", b"\xac", b"", b"\xf0\x9f", b"\x91\x8b"]).has("UTF8-BAD"));
    let mut deflated = Deflated::new(0, [true; 2], [15; 2]);
    deflated.parts(Server, TEXT, [&[b'x'; 300][..], b"\xff!"].concat(), &[3, 5], Ending::Sync);
    let packed = told(&capture_of(&deflated.session.segments()));
    assert!(packed.sentence("UTF8-BAD").contains("at byte 300 "), "{:?}", packed.findings);
}

/// A hole may have any bytes in it: what is cut by it is no fault, what is wrong before or behind it is.
#[test]
fn utf8_is_judged_around_holes() {
    let lossy = |text: &[u8]| {
        let session = talk(|session| _ = session.say(Server, TEXT, text).text(Server, "more"));
        let mut segments = session.cut(|bytes| if bytes[0] == 0x81 { vec![102, 100] } else { vec![bytes.len()] });
        let first = segments.iter().position(|segment| segment.payload.first() == Some(&0x81)).unwrap();
        segments.remove(first + 1);
        told(&capture_of(&segments))
    };
    let plain = [b'x'; 300];
    assert!(lossy(&plain).has("TCP-GAP") && !lossy(&plain).has("UTF8-BAD"));
    // Two bytes of three before the hole, or behind it.
    for cut in [96..99, 196..199, 197..200] {
        let mut text = plain.to_vec();
        text[cut].copy_from_slice("€".as_bytes());
        assert!(!lossy(&text).has("UTF8-BAD"));
    }
    for at in [50, 97, 250] {
        let mut text = plain.to_vec();
        text[at] = 0xff;
        let told = lossy(&text);
        assert!(told.sentence("UTF8-BAD").contains(&format!("at byte {at} ")), "{at}: {:?}", told.findings);
    }
    // Four continuation bytes behind the hole end no character.
    let mut text = plain.to_vec();
    text[198..202].fill(0x80);
    assert!(lossy(&text).sentence("UTF8-BAD").contains("at byte 201 "));
}
