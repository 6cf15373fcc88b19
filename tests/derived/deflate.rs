//! permessage-deflate (RFC 7692): what other decoders get wrong, what a loss costs, and what a bomb may not.

use super::support::craft::*;
use super::support::run::{Conversation, Input, Message, conversations, findings, string, wspect};
use super::{LOSS, has_finding, has_no_findings, is_said, says, shown};
use std::ops::ControlFlow;
use wspect::capture::Reader;
use wspect::model::{Event, Limits, NoteCode, Sink, Stamp};

const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
const BAD: [u8; 3] = [0xff, 0xff, 0xff];

/// JSON as applications send it: each message much like the ones before.
fn update(n: usize) -> String {
    format!(r#"{{"type":"update","id":{n},"room":"général","user":{{"name":"user {}","online":{}}}}}"#, n % 7, n % 2)
}

/// The messages of one direction, against what was said; without a finding that only a loss may bring.
#[track_caller]
fn says_all(sessions: &[Session], what: &str) {
    let file = capture_of(&interleave(sessions.iter().map(Session::segments).collect()));
    says(&file, sessions, what);
    has_no_findings(&file, LOSS, what);
}

fn only(file: &[u8]) -> Conversation {
    conversations(Input::Bytes(file)).remove(0)
}

fn codes(file: &[u8]) -> Vec<String> {
    let deflate = |code: &String| code.starts_with("DEFLATE") || code.starts_with("INFLATE");
    findings(Input::Bytes(file)).into_iter().map(|(code, _)| code).filter(deflate).collect()
}

/// `client_` and `server_no_context_takeover` are each about what that side sends.
#[test]
fn one_side_alone_may_keep_its_context() {
    let sessions: Vec<_> = (0..4 * 7)
        .map(|n| {
            let mut deflated = Deflated::any(n, n);
            for at in 0..12 {
                deflated.say(Client, TEXT, update(at)).say(Server, TEXT, update(at + 100));
            }
            deflated.session
        })
        .collect();
    says_all(&sessions, "every mix of parameters");
}

#[test]
fn a_compressed_message_may_come_in_fragments_and_the_last_may_be_empty() {
    let mut deflated = Deflated::any(0, 0);
    for (at, cuts) in [&[1][..], &[3, 3, 9], &[0], &[usize::MAX], &[2, usize::MAX, usize::MAX]].iter().enumerate() {
        for side in [Client, Server] {
            deflated.parts(side, TEXT, update(at), cuts, Ending::Sync);
            deflated.session.heartbeat(side, "between");
        }
    }
    // Every byte of one message in a frame of its own.
    let cuts: Vec<usize> = (1..40).collect();
    deflated.parts(Server, TEXT, update(77), &cuts, Ending::Sync).say(Server, TEXT, update(78));
    says_all(&[deflated.session], "fragments");
}

#[test]
fn plain_messages_between_compressed_ones_leave_the_context_alone() {
    let mut deflated = Deflated::any(0, 0);
    for at in 0..20 {
        if at % 3 == 1 {
            deflated.session.text(Server, &update(at)).binary(Client, vec![at as u8; 200]);
        } else {
            deflated.say(Server, TEXT, update(at)).say(Client, TEXT, update(at));
        }
    }
    says_all(&[deflated.session], "mixed");
}

#[test]
fn an_empty_compressed_message_is_empty_in_both_forms() {
    let mut deflated = Deflated::any(0, 0);
    for opcode in [TEXT, BINARY] {
        deflated.say(Server, TEXT, update(1)).wire(Server, opcode, "", &[0], &[]).say(Server, TEXT, update(2));
        deflated.wire(Server, opcode, "", &[], &[]).say(Server, TEXT, update(3));
        deflated.wire(Server, opcode, "", &[0], &[0]).wire(Server, opcode, "", &[], &[0]).say(Server, TEXT, update(4));
    }
    says_all(&[deflated.session], "empty");
}

#[test]
fn a_final_block_ends_the_message_but_not_the_context() {
    let mut deflated = Deflated::any(0, 0);
    for at in 0..12 {
        let ending = if at % 3 == 0 { Ending::Final } else { Ending::Sync };
        deflated.parts(Server, TEXT, update(at), &[at], ending).parts(Client, TEXT, "", &[], ending);
    }
    // What inflates to just as many bytes as are inflated at a time, with a final block, with and without the 00.
    for extra in [0, 1] {
        let text = vec![b'x'; (32 << 10) + extra];
        let wire = deflated.pack(Server, &text, Ending::Final);
        deflated.wire(Server, TEXT, &text, &wire, &[]).say(Server, TEXT, update(70));
        let wire = deflated.pack(Server, &text, Ending::Final);
        deflated.wire(Server, TEXT, &text, &wire[..wire.len() - 1], &[]).say(Server, TEXT, update(71));
    }
    says_all(&[deflated.session], "final blocks");
}

#[test]
fn several_blocks_make_one_message() {
    let mut deflated = Deflated::any(0, 0);
    let two = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
    let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
    let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
    for wire in [&HELLO[..], &two, &stored, &again, &HELLO] {
        deflated.wire(Server, TEXT, "Hello", wire, &[]).wire(Client, TEXT, "Hello", wire, &[4]);
    }
    says_all(&[deflated.session], "the examples of RFC 7692 §7.2.3");
}

/// A character may be cut by a block and by a frame; it is whole again when the message is inflated.
#[test]
fn text_is_judged_after_it_is_inflated() {
    let mut deflated = Deflated::any(0, 0);
    deflated.parts(Server, TEXT, "🦀".repeat(400), &[1, 2, 3, 4, 5, 6], Ending::Sync);
    let file = capture_of(&deflated.session.segments());
    has_no_findings(&file, &["UTF8-BAD"], "whole characters");
    deflated.say(Server, TEXT, b"\xf0\x9f\xa6").say(Server, TEXT, "after");
    let file = capture_of(&deflated.session.segments());
    has_finding(&file, "UTF8-BAD", "half a character");
}

/// Whether what is shown of an incomplete message was said: its beginning, up to the hole.
pub(super) fn is_beginning(message: &Message, said: &Said) -> bool {
    let known = message.missing.first().map_or(message.payload.len(), |hole| hole.0 as usize);
    message.opcode == said.opcode
        && known <= message.payload.len()
        && said.payload.starts_with(&message.payload[..known])
}

/// The message refers to one that is missing, and says so: all that it says is right.
pub(super) fn is_unsure(message: &Message, said: &Said) -> bool {
    let has = |wanted: &str| message.findings.iter().any(|code| code == wanted);
    let holes: u64 = message.missing.iter().filter_map(|hole| hole.1).sum();
    !message.complete
        && message.opcode == said.opcode
        && Some(message.wire_len) == said.packed
        && message.len == said.payload.len() as u64
        && message.payload.len() as u64 + holes == message.len
        && has("DEFLATE-LOST") == (holes > 0)
        && has("DEFLATE-INFERRED") == message.inferred
        && without_holes(message, said).as_ref() == Some(&message.payload)
}

/// What was said, without the bytes that the message says are missing.
pub(super) fn without_holes(message: &Message, said: &Said) -> Option<Vec<u8>> {
    let mut rest = said.payload.clone();
    for (offset, len) in message.missing.iter().rev() {
        let end = *offset as usize + len.unwrap_or(0) as usize;
        rest.get(*offset as usize..end)?;
        rest.drain(*offset as usize..end);
    }
    Some(rest)
}

/// Nothing that was inflated is wrong, and what is not known says so.
#[track_caller]
fn nothing_is_wrong(conversation: &Conversation, session: &Session, what: &str) {
    for side in [Client, Server] {
        let said: Vec<_> = session.said.iter().filter(|said| said.dir == side.dir()).collect();
        for message in conversation.of(side.dir()) {
            let right = said.iter().any(|said| match message.complete {
                true => is_said(message, said),
                false => is_unsure(message, said) || is_beginning(message, said),
            });
            // Whether a message was compressed whose beginning is lost is not known: it is shown as on the wire.
            let right = right || message.opcode == 0 && !message.complete;
            assert!(right, "{what}: {} nobody said {} {:?}", session.client, message.brief(), message.findings);
        }
    }
}

/// A session of compressed messages, some of which take several packets; messages before each are referred to.
fn talk(n: usize, takeover: bool) -> Session {
    let mut deflated = Deflated::new(n, [takeover; 2], [15; 2]);
    for at in 0..8 {
        deflated.say(Client, TEXT, update(at)).say(Server, TEXT, update(at).repeat(at));
        deflated.parts(Server, BINARY, noise(300, at), &[100, 150], Ending::Sync);
        if at % 3 == 0 {
            deflated.session.text(Server, "plain").heartbeat(Client, "ping");
        }
    }
    deflated.session
}

fn noise(len: usize, salt: usize) -> Vec<u8> {
    super::support::Dice(salt as u64).bytes(len)
}

/// One packet with data is missing, each in a connection of its own.
#[test]
fn after_a_loss_no_text_is_wrong() {
    for takeover in [true, false] {
        let count = talk(0, takeover).cut(|_| vec![70]).len();
        let mut sessions = Vec::new();
        let mut all = Vec::new();
        for lost in 0..count {
            let session = talk(lost, takeover);
            let mut segments = session.cut(|_| vec![70]);
            let heads = session.turns[..2].iter().map(|turn| turn.1.len().div_ceil(70)).sum::<usize>() + 5;
            if lost < heads || segments[lost].payload.is_empty() {
                continue;
            }
            segments.remove(lost);
            sessions.push(session);
            all.push(segments);
        }
        assert!(sessions.len() > 40);
        let conversations = shown(&capture_of(&all.concat()));
        for session in &sessions {
            let conversation = &conversations[&session.client.to_string()];
            nothing_is_wrong(conversation, session, &format!("takeover {takeover}"));
        }
    }
}

/// The bytes from `from` to `to` of one turn, in packets of their own that are lost.
fn without(session: &Session, turn: usize, from: usize, to: usize) -> Vec<u8> {
    let mut at = 0;
    let mut segments = session.cut(|bytes| {
        at += 1;
        if at == turn + 1 { vec![from, to - from, bytes.len()] } else { vec![bytes.len()] }
    });
    let bytes = &session.turns[turn].1[from..to];
    let lost = segments.iter().position(|segment| segment.payload == bytes).unwrap();
    segments.remove(lost);
    capture_of(&segments)
}

/// Bytes lost in one message cost that message, and with context takeover those that come after it.
#[test]
fn a_loss_costs_what_refers_to_it() {
    for takeover in [true, false] {
        let mut deflated = Deflated::new(0, [takeover; 2], [15; 2]);
        for at in 0..6 {
            deflated.say(Server, TEXT, update(at)).say(Client, TEXT, update(at));
        }
        deflated.session.text(Server, "plain");
        let session = deflated.session;
        // The third message of the server.
        let conversation = only(&without(&session, 6, 7, 11));
        nothing_is_wrong(&conversation, &session, "lost in the middle");
        let server = conversation.of("s2c");
        let complete: Vec<bool> = server.iter().map(|message| message.complete).collect();
        let after = !takeover;
        assert_eq!(complete, [true, true, false, after, after, after, true], "takeover {takeover}");
        assert!(server[2].missing.last().is_some_and(|hole| hole.1.is_none()));
        assert!(conversation.of("c2s").iter().all(|message| message.complete), "the other direction");
        let unsure: Vec<&Message> = server.into_iter().skip(3).filter(|message| !message.complete).collect();
        assert!(unsure.iter().all(|message| !message.missing.is_empty() && !message.payload.is_empty()));
    }
}

#[test]
fn deflate_lost_is_told_once_and_only_where_a_message_refers_to_what_is_missing() {
    let session = |takeover, after| {
        let mut deflated = Deflated::new(0, [takeover; 2], [15; 2]);
        for at in 0..after {
            deflated.say(Server, TEXT, update(at));
        }
        without(&deflated.session, 2, 7, 11)
    };
    assert_eq!(codes(&session(true, 4)), ["DEFLATE-LOST"]);
    assert_eq!(codes(&session(true, 1)), [""; 0], "nothing refers to the lost one");
    assert_eq!(codes(&session(false, 4)), [""; 0], "nothing can refer to the lost one");
}

#[test]
fn deflate_bad_is_told_of_what_does_not_inflate() {
    let capture = |wire: &[u8], takeover| {
        let mut deflated = Deflated::new(0, [takeover; 2], [15; 2]);
        deflated.wire(Server, TEXT, "", wire, &[]).wire(Server, TEXT, "Hello", &HELLO, &[]);
        // A literal H, and four bytes from ten bytes back, before what is known.
        let far = [0xf2, 0x00, 0xb1, 0x00, 0x00];
        if takeover {
            deflated.wire(Server, TEXT, "H????", &far, &[]);
        }
        capture_of(&deflated.session.segments())
    };
    assert_eq!(codes(&capture(&BAD, true)), ["DEFLATE-BAD", "DEFLATE-LOST"]);
    let file = capture(&BAD, false);
    assert_eq!(codes(&file), ["DEFLATE-BAD"]);
    let conversation = only(&file);
    let messages = conversation.of("s2c");
    assert!(!messages[0].complete && messages[0].missing == [(0, None)], "{}", messages[0].brief());
    assert!(messages[1].complete && messages[1].payload == b"Hello");
    assert_eq!(codes(&capture(&HELLO, true)), [""; 0], "as it must be");
}

/// The tail is the end of an empty block: when it gives bytes, the message ended inside another one.
#[test]
fn deflate_bad_is_told_of_a_message_that_was_cut() {
    for len in [3, 4, 5] {
        let mut deflated = Deflated::new(0, [false; 2], [15; 2]);
        deflated.wire(Server, TEXT, "", &HELLO[..len], &[]).say(Server, TEXT, update(2));
        let file = capture_of(&deflated.session.segments());
        assert_eq!(codes(&file), ["DEFLATE-BAD"], "{len} bytes");
        let [cut, next] = &only(&file).messages[..] else { panic!("two messages") };
        assert!(!cut.complete && b"Hello".starts_with(&cut.payload[..]), "{len} bytes: {}", cut.brief());
        assert!(next.complete && next.payload == update(2).as_bytes(), "{len} bytes: {}", next.brief());
    }
}

#[test]
fn deflate_unknown_is_told_of_rsv1_without_permessage_deflate() {
    let capture = |rsv, extension: &str| {
        let mut session = Session::bare(0);
        session.turn(Client, request("/", extension)).turn(Server, response(extension));
        session.turn(Server, Frame::new(TEXT, HELLO).rsv(rsv).bytes());
        capture_of(&session.segments())
    };
    let file = capture(4, "");
    assert_eq!(codes(&file), ["DEFLATE-UNKNOWN"]);
    let message = only(&file).messages.remove(0);
    assert!(message.compressed && !message.complete && message.payload == HELLO, "{}", message.brief());
    assert_eq!(codes(&capture(0, "")), [""; 0], "a plain message");
    let deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    assert_eq!(codes(&capture(4, deflate)), [""; 0], "a compressed one");
}

/// Keeps the findings, and of each message whether it is complete, its length and how much of it was kept.
#[derive(Default)]
struct Told {
    codes: Vec<NoteCode>,
    messages: Vec<(bool, u64, usize)>,
}

impl Sink for Told {
    fn accept(&mut self, _: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Note(note) if note.code != NoteCode::Abnormal1006 => self.codes.push(note.code),
            Event::Message(message) => {
                self.messages.push((message.complete, message.body.len, message.body.kept.len()));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn with_limits(session: &Session, limits: Limits) -> Told {
    let file = capture_of(&session.cut(|_| vec![60_000]));
    let mut reader = Reader::new(Box::new(std::io::Cursor::new(file))).unwrap();
    let mut told = Told::default();
    wspect::dissect::run(&mut reader, limits, &mut told, &mut |_| ControlFlow::Continue(()));
    told
}

#[test]
fn inflate_limit_is_told_of_what_inflates_to_more_than_that() {
    let talk = |takeover: bool| {
        let mut deflated = Deflated::new(0, [takeover; 2], [15; 2]);
        deflated.say(Server, BINARY, vec![0; 200_000]).say(Server, BINARY, vec![0; 600]).say(
            Server,
            BINARY,
            vec![0; 600],
        );
        deflated.session
    };
    let earned = |session: &Session| Limits::INFLATED_EARNED * session.said[0].packed.unwrap();
    let stop = |inflated_stop| Limits { inflated_stop, ..Limits::DEFAULT };
    let told = with_limits(&talk(true), stop(150_000));
    assert_eq!(told.codes, [NoteCode::InflateLimit, NoteCode::DeflateLost]);
    assert!(told.messages.iter().take(2).all(|message| !message.0));
    let told = with_limits(&talk(false), stop(150_000));
    assert_eq!(told.codes, [NoteCode::InflateLimit], "the next message refers to nothing");
    assert!(!told.messages[0].0 && told.messages[1].0);
    let told = with_limits(&talk(true), stop(199_999 - earned(&talk(true))));
    assert_eq!(told.codes, [], "it ends before there is more");
    let total = |session: &Session| Limits { inflated_total: 199_999 - earned(session), ..Limits::DEFAULT };
    let told = with_limits(&talk(false), total(&talk(false)));
    assert_eq!(told.codes, [NoteCode::InflateLimit], "the second message is too much for the connection");
    let whole: Vec<_> = told.messages.iter().map(|message| message.0).collect();
    assert_eq!(whole, [true, false, true], "the third is in proportion again");
}

/// What is no bomb is inflated, however long it is, in one message or in many.
#[test]
fn a_long_conversation_is_inflated_whatever_the_bounds() {
    let long: String = (0..4000).map(|at| update(at * 7919)).collect();
    for takeover in [true, false] {
        let mut deflated = Deflated::new(0, [takeover; 2], [15; 2]);
        deflated.say(Server, TEXT, &long);
        (0..200).for_each(|at| _ = deflated.say(Server, TEXT, update(at)));
        let told = with_limits(&deflated.session, Limits { inflated_stop: 1, inflated_total: 1, ..Limits::DEFAULT });
        assert_eq!(told.codes, [], "{takeover}");
        assert!(told.messages.len() == 201 && told.messages.iter().all(|message| message.0));
    }
}

/// A bomb in packets of one byte is stopped as one in large ones is.
#[test]
fn a_bomb_that_comes_in_drops_is_stopped() {
    let mut deflated = Deflated::new(0, [true; 2], [15; 2]);
    deflated.say(Server, BINARY, vec![0; 4 << 20]);
    let file = capture_of(&deflated.session.cut(|bytes| vec![1; bytes.len()]));
    let mut reader = Reader::new(Box::new(std::io::Cursor::new(file))).unwrap();
    let mut told = Told::default();
    let limits = Limits { inflated_stop: 100_000, ..Limits::DEFAULT };
    wspect::dissect::run(&mut reader, limits, &mut told, &mut |_| ControlFlow::Continue(()));
    let (complete, len, _) = told.messages[0];
    assert!(!complete && len < 300_000, "{len}");
}

/// Past the bytes kept of a message its history goes on: later messages are whole.
#[test]
fn what_is_not_kept_is_still_inflated() {
    let mut deflated = Deflated::new(0, [true; 2], [15; 2]);
    let long: String = (0..4000).map(update).collect();
    deflated.say(Server, TEXT, &long).say(Server, TEXT, update(3999));
    let told = with_limits(&deflated.session, Limits { inflated_bytes: 1000, ..Limits::DEFAULT });
    assert_eq!(told.codes, [NoteCode::MessageLimit]);
    let (complete, len, kept) = told.messages[0];
    assert!(complete && len == long.len() as u64 && (997..=1000).contains(&kept));
    assert_eq!(told.messages[1], (true, update(3999).len() as u64, update(3999).len()));
}

/// A thousand bytes from each: what is kept and how long it takes have bounds.
#[test]
fn a_bomb_is_bounded() {
    for (size, takeover) in [(1 << 20, true), (40 << 20, true), (300 << 20, true), (300 << 20, false)] {
        let mut deflated = Deflated::new(0, [takeover; 2], [15; 2]);
        deflated.say(Server, BINARY, vec![0; size]).say(Server, TEXT, update(1));
        let wire = deflated.session.said[0].packed.unwrap();
        assert!(size as u64 / wire > 900, "a bomb");
        let file = capture_of(&deflated.session.cut(|_| vec![60_000]));
        let done = wspect(&["msgs", "--json", "--max-payload", "64"], Input::Bytes(&file));
        let rows = serde_json::Deserializer::from_slice(&done.stdout).into_iter::<serde_json::Value>();
        let rows: Vec<_> = rows.map(Result::unwrap).collect();
        let told = with_limits(&deflated.session, Limits::DEFAULT);
        let most = Limits::DEFAULT.inflated_stop + Limits::INFLATED_EARNED * wire;
        let exploded = size as u64 > most;
        assert_eq!(rows[0]["complete"], !exploded, "{size}");
        assert_eq!(rows[0]["truncated"], true, "{size}");
        assert_eq!(rows[1]["complete"], true, "{size}: the message behind it, which refers to nothing");
        assert_eq!(told.codes.contains(&NoteCode::InflateLimit), exploded, "{size}");
        assert_eq!(told.codes.contains(&NoteCode::MessageLimit), size > Limits::DEFAULT.inflated_bytes, "{size}");
        assert!(told.messages[0].2 <= Limits::DEFAULT.inflated_bytes, "{size}: kept");
        assert!(told.messages[0].1 <= most + (64 << 10), "{size}: counted");
    }
}

/// A conversation of which one message is lost goes on: the length of what is missing is found, and what is restored with
/// it says that it is, and is right.
#[test]
fn a_lost_length_is_found_and_what_follows_is_inferred() {
    let mut deflated = Deflated::new(0, [true; 2], [15; 2]);
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
    let session = deflated.session;
    // The twentieth message of the server, behind the two heads; its first bytes came.
    let file = without(&session, 21, 8, session.turns[21].1.len());
    assert_eq!(codes(&file), ["DEFLATE-INFERRED", "DEFLATE-LOST"]);
    let conversation = only(&file);
    let server = conversation.of("s2c");
    assert_eq!(server.len(), 60);
    for (message, said) in server.iter().zip(&session.said) {
        let is_right = is_said(message, said) || is_unsure(message, said) || is_beginning(message, said);
        assert!(is_right, "{}", message.brief());
    }
    let inferred: Vec<_> = server.iter().skip(20).skip_while(|message| !message.inferred).collect();
    assert!(inferred.len() > 20, "{} are inferred", inferred.len());
    assert!(inferred.iter().all(|message| message.inferred && !message.complete));
    let rows = String::from_utf8(wspect(&["msgs"], Input::Bytes(&file)).stdout).unwrap();
    let mixed = inferred.iter().filter(|message| !message.missing.is_empty()).count();
    assert!(
        mixed > 0 && rows.lines().filter(|row| row.contains(" unknown, more is inferred")).count() == mixed,
        "{rows}"
    );
    assert_eq!(rows.lines().filter(|row| row.contains("inferred")).count(), inferred.len(), "{rows}");
    let bytes: usize = inferred.iter().map(|message| message.payload.len()).sum();
    assert!(bytes as u64 * 10 > inferred.iter().map(|message| message.len).sum::<u64>() * 7);
    let (_, found) = findings(Input::Bytes(&file)).into_iter().find(|(code, _)| code == "DEFLATE-INFERRED").unwrap();
    let lost = session.said[19].payload.len() - server[19].payload.len();
    assert!(found["text"].as_str().unwrap().starts_with(&format!("{lost} bytes were lost before")), "{found}");
}

/// A session with per-frame compression, and the compressors of both sides.
fn by_frame(n: usize, offer: &str, answer: &str) -> Session {
    let extension = |text: &str| format!("Sec-WebSocket-Extensions: {text}\r\n");
    let mut session = Session::bare(n);
    session.turn(Client, request("/", &extension(offer))).turn(Server, response(&extension(answer)));
    session
}

/// Sends a message whose frames are compressed, or not, each for itself.
fn frames(session: &mut Session, side: Side, packer: &mut Packer, parts: &[(&str, bool)]) {
    let (mut wire_len, mut payload) = (0, Vec::new());
    for (at, &(part, compressed)) in parts.iter().enumerate() {
        let wire = if compressed { packer.pack(part.as_bytes(), Ending::Sync) } else { part.as_bytes().to_vec() };
        wire_len += wire.len() as u64;
        let frame = Frame::new(if at == 0 { TEXT } else { CONTINUATION }, wire).rsv(if compressed { 4 } else { 0 });
        let frame = session.framed(side, if at + 1 == parts.len() { frame } else { frame.open() });
        session.turn(side, frame.bytes());
        payload.extend_from_slice(part.as_bytes());
    }
    let packed = parts.iter().any(|part| part.1).then_some(wire_len);
    session.said.push(Said { dir: side.dir(), opcode: TEXT, frames: parts.len() as u64, payload, packed });
}

/// `x-webkit-deflate-frame`: RSV1 is about a frame; a parameter binds who receives it.
#[test]
fn each_frame_may_be_compressed_for_itself() {
    let plain = "x-webkit-deflate-frame";
    let none = "deflate-frame; max_window_bits=15; no_context_takeover";
    let mut sessions = Vec::new();
    for (offer, answer) in [(plain, plain), (plain, none), (none, plain), (none, none)] {
        let mut session = by_frame(sessions.len(), offer, answer);
        let mut packers = [Packer::new(answer == plain, 15), Packer::new(offer == plain, 15)];
        for at in 0..5 {
            for (side, packer) in [Client, Server].into_iter().zip(&mut packers) {
                let text = update(at);
                frames(&mut session, side, packer, &[(&text, true)]);
                frames(&mut session, side, packer, &[(&text, true), (&text, false), ("", true), (&text, true)]);
                frames(&mut session, side, packer, &[(&text, false), (&text, true), ("", false)]);
                frames(&mut session, side, packer, &[(&text, false)]);
                session.heartbeat(side, "between");
            }
        }
        sessions.push(session);
    }
    says_all(&sessions, "frames");
    let file = capture_of(&interleave(sessions.iter().map(Session::segments).collect()));
    has_no_findings(&file, &["WS-RSV"], "RSV1 on any frame");
}

/// A hole in one frame costs that frame, and with context takeover what refers to it.
#[test]
fn a_loss_in_a_frame_leaves_the_other_frames() {
    for takeover in [true, false] {
        let answer = "x-webkit-deflate-frame";
        let offer = if takeover { answer } else { "x-webkit-deflate-frame; no_context_takeover" };
        let mut session = by_frame(0, offer, answer);
        let mut packer = Packer::new(takeover, 15);
        frames(&mut session, Server, &mut packer, &[("one, ", false), (&update(1), true), ("three", false)]);
        frames(&mut session, Server, &mut packer, &[(&update(2), true)]);
        let conversation = only(&without(&session, 3, 6, 12));
        let [cut, next] = conversation.of("s2c")[..] else { panic!("two messages") };
        let payload = String::from_utf8_lossy(&cut.payload);
        assert!(payload.starts_with("one, ") && payload.ends_with("three"), "{}", cut.brief());
        assert!(!cut.complete && cut.missing.iter().any(|hole| hole.1.is_none()), "{}", cut.brief());
        assert!(if takeover { is_unsure(next, &session.said[1]) } else { is_said(next, &session.said[1]) });
    }
}

/// An extension that is not known: it is named, its reserved bits break no rule, and the payload is what was on the wire.
#[test]
fn unknown_extensions_are_named_and_their_payload_kept() {
    let offer = "Sec-WebSocket-Extensions: x-snappy; level=3, x-other\r\n";
    let sent: [(u8, &[u8]); 3] = [(4, b"\xff\xfe one"), (2, b"\xff\xfe two"), (0, b"plain")];
    let session = |n, answer: &str| {
        let mut session = Session::bare(n);
        session.turn(Client, request("/", offer)).turn(Server, response(answer));
        for (rsv, payload) in sent {
            session.turn(Server, Frame::new(TEXT, payload).rsv(rsv).bytes());
        }
        session.turn(
            Server,
            [Frame::new(TEXT, "\u{ff}").rsv(1).open().bytes(), Frame::new(CONTINUATION, "x").bytes()].concat(),
        );
        session.close();
        session
    };
    for cut in [usize::MAX, 1] {
        let with = session(0, "Sec-WebSocket-Extensions: x-snappy; level=3\r\n");
        let file = capture_of(&with.cut(|_| vec![cut]));
        let all = shown(&file);
        let messages = all[&with.client.to_string()].of("s2c");
        let payloads: Vec<_> = messages.iter().map(|message| message.payload.as_slice()).collect();
        assert_eq!(payloads[..4], [sent[0].1, sent[1].1, sent[2].1, "\u{ff}x".as_bytes()]);
        let complete: Vec<_> = messages.iter().map(|message| message.complete).collect();
        assert_eq!(complete[..4], [false, false, true, false], "what was changed is not certain");
        let found = findings(Input::Bytes(&file));
        let codes: Vec<&str> = found.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(codes, ["HS-EXTENSION-UNKNOWN", "DEFLATE-UNKNOWN", "CLOSE-CLIENT-FIRST"]);
        assert_eq!(string(&found[0].1, "text"), "an extension is not known here: x-snappy");
    }
    // Offered only, it defines nothing.
    let without = session(1, "");
    let file = capture_of(&without.segments());
    has_finding(&file, "WS-RSV", "not accepted");
    has_no_findings(&file, &["HS-EXTENSION-UNKNOWN"], "not accepted");
}
