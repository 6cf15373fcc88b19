//! Frames behind a lost head, and connections without a handshake: what is found was sent, and nearly all is found.

use super::support::Dice;
use super::support::craft::*;
use super::support::run::{Input, wspect};
use super::{has_finding, has_no_findings, is_said, shown};
use std::collections::HashSet;
use std::ops::{ControlFlow, Range};
use wspect::capture::Reader;
use wspect::dissect::Settings;
use wspect::model::{DecodeAs, Direction, Event, Protocol, Rule, Select, Sink, Stamp};

/// A frame: who sent it, where it begins in its stream, its length with its head, its opcode.
pub(super) type Sent = (Side, u64, u64, u8);

/// The frames that a dissection tells.
#[derive(Default)]
pub(super) struct Frames {
    pub(super) all: Vec<(Sent, bool)>,
    pub(super) connections: usize,
    /// What findings say.
    pub(super) texts: Vec<String>,
}

impl Sink for Frames {
    fn accept(&mut self, _: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Opened(_) => self.connections += 1,
            Event::Note(note) => self.texts.push(note.text.to_owned()),
            Event::Frame(frame) => {
                let side = if frame.dir == Direction::ToServer { Client } else { Server };
                let len = u64::from(frame.header_len) + frame.len;
                self.all.push(((side, frame.stream_offset, len, frame.opcode.0), frame.complete));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

pub(super) fn frames(segments: &[Segment]) -> Frames {
    frames_as(segments, Vec::new())
}

pub(super) fn frames_as(segments: &[Segment], rules: Vec<Rule>) -> Frames {
    frames_in(capture_of(segments), rules)
}

pub(super) fn frames_in(file: Vec<u8>, rules: Vec<Rule>) -> Frames {
    let settings = Settings { decode_as: DecodeAs(rules), ..Settings::default() };
    let mut reader = Reader::new(Box::new(std::io::Cursor::new(file))).unwrap();
    let mut frames = Frames::default();
    wspect::dissect::run(&mut reader, settings, &mut frames, &mut |_| ControlFlow::Continue(()));
    frames
}

/// The frames of a session.
pub(super) fn sent(session: &Session) -> Vec<Sent> {
    let mut at = [0, 0];
    let mut all = Vec::new();
    for (nth, (side, bytes)) in session.turns.iter().enumerate() {
        let offset = &mut at[usize::from(*side == Server)];
        if nth >= 2 {
            all.push((*side, *offset, bytes.len() as u64, bytes[0] & 0x0f));
        }
        *offset += bytes.len() as u64;
    }
    all
}

/// What conversations are made of.
const KINDS: [&str; 5] = ["updates", "chat", "files", "compressed", "fragments"];

/// A conversation of that kind.
fn talk(kind: &str, n: usize, dice: &mut Dice) -> Session {
    let update = |dice: &mut Dice| {
        let (id, price) = (dice.below(1_000_000), dice.below(90_000));
        let more = "x".repeat(dice.below(120));
        format!(r#"{{"type":"update","id":{id},"symbol":"ACME","price":{price}.25,"note":"{more}"}}"#)
    };
    if kind == "compressed" {
        let mut deflated = Deflated::new(n, [true; 2], [15; 2]);
        for _ in 0..120 {
            let side = if dice.below(3) == 0 { Client } else { Server };
            match dice.below(5) {
                0 => deflated.session.heartbeat(side, "beat"),
                _ => &mut deflated.say(side, TEXT, update(dice)).session,
            };
        }
        return deflated.session;
    }
    let mut session = Session::new(n);
    for _ in 0..120 {
        let side = if dice.below(3) == 0 { Client } else { Server };
        match (kind, dice.below(6)) {
            ("updates", _) | ("chat", 0 | 1) => session.text(side, &update(dice)),
            ("chat", 2) => session.heartbeat(side, &format!("{:04x}", dice.below(1 << 16))),
            ("chat", _) => {
                let len = 4 + dice.below(300);
                session.binary(side, dice.bytes(len))
            }
            ("files", 0) => session.text(side, &update(dice)),
            ("files", _) => {
                let len = 200 + dice.below(9_000);
                session.binary(side, dice.bytes(len))
            }
            (_, _) => {
                let parts: Vec<_> = (0..1 + dice.below(4)).map(|_| update(dice).into_bytes()).collect();
                session.parts(side, TEXT, &parts, dice.below(2) == 0)
            }
        };
    }
    session
}

/// The session as its sockets send it: what is written in a row may go out in one piece, and no segment is longer than 1448 bytes.
fn on_the_wire(session: &Session, dice: &mut Dice) -> Vec<Segment> {
    let mut joined = session.clone();
    let mut turns: Vec<(Side, Vec<u8>)> = Vec::new();
    for (side, bytes) in &session.turns {
        match turns.last_mut() {
            Some((last, before)) if *last == *side && dice.below(2) == 0 => before.extend(bytes),
            _ => turns.push((*side, bytes.clone())),
        }
    }
    joined.turns = turns;
    joined.cut(|_| vec![1448])
}

/// A segment's place in its sender's stream.
pub(super) fn place(session: &Session, segment: &Segment) -> (Side, Range<u64>) {
    let (side, isn) = if segment.src == session.client { (Client, session.isn[0]) } else { (Server, session.isn[1]) };
    let from = u64::from(segment.seq.wrapping_sub(isn).wrapping_sub(1));
    (side, from..from + segment.payload.len() as u64)
}

/// What was found behind lost heads.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Score {
    pub(super) told: usize,
    pub(super) wrong: usize,
    pub(super) intact: usize,
    pub(super) found: usize,
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { told, wrong, intact, found } = self;
        let share = 100.0 * *found as f64 / (*intact).max(1) as f64;
        write!(f, "{wrong} of {told} wrong, {found} of {intact} found ({share:.1} %)")
    }
}

impl Score {
    pub(super) fn add(&mut self, other: Self) {
        let Self { told, wrong, intact, found } = other;
        self.told += told;
        self.wrong += wrong;
        self.intact += intact;
        self.found += found;
    }

    /// At most one frame in 10 000 is wrong, and of a hundred intact ones 95 are found.
    #[track_caller]
    pub(super) fn holds(self, what: &str) {
        assert!(self.wrong * 10_000 <= self.told, "{what}: {self}");
        self.finds(95, what);
    }

    /// Of a hundred intact frames so many are found.
    #[track_caller]
    pub(super) fn finds(self, percent: usize, what: &str) {
        assert!(self.found * 100 >= self.intact * percent, "{what}: {self}");
    }
}

/// What is found of `truth` without one of the segments that `may` be lost: dice say which.
pub(super) fn lose_one(
    session: &Session,
    mut segments: Vec<Segment>,
    truth: &[Sent],
    dice: &mut Dice,
    may: impl Fn(Side, &Range<u64>) -> bool,
) -> Score {
    let may = |at: &usize| {
        let (side, place) = place(session, &segments[*at]);
        may(side, &place)
    };
    let candidates: Vec<_> = (0..segments.len()).filter(may).collect();
    let gone = segments.remove(candidates[dice.below(candidates.len())]);
    let (side, lost) = place(session, &gone);
    let told = frames(&segments);
    let sent: HashSet<Sent> = truth.iter().copied().collect();
    let shown: HashSet<Sent> = told.all.iter().filter(|(_, complete)| *complete).map(|(frame, _)| *frame).collect();
    let intact: Vec<_> = truth.iter().filter(|frame| frame.0 == side && frame.1 >= lost.end).collect();
    Score {
        told: told.all.len(),
        wrong: told.all.iter().filter(|(frame, _)| !sent.contains(frame)).count(),
        intact: intact.len(),
        found: intact.into_iter().filter(|frame| shown.contains(frame)).count(),
    }
}

/// Captures of this kind, each without one segment that holds a head.
fn score(kind: &str, captures: usize) -> Score {
    let mut dice = Dice(kind.len() as u64 * 977);
    let mut score = Score::default();
    for n in 0..captures {
        let session = talk(kind, n, &mut dice);
        let segments = on_the_wire(&session, &mut dice);
        let truth = sent(&session);
        let heads = |side, lost: &Range<u64>| truth.iter().any(|(from, at, ..)| *from == side && lost.contains(at));
        score.add(lose_one(&session, segments, &truth, &mut dice, heads));
    }
    score
}

/// One segment with a head in it is lost.
#[test]
fn frames_are_found_again_behind_a_lost_head() {
    for kind in KINDS {
        let score = score(kind, 60);
        score.holds(kind);
    }
}

/// Who sends without a pause fills the segments: frames begin and end inside them.
#[test]
fn frames_are_found_again_where_the_sender_never_pauses() {
    type Length = fn(&mut Dice) -> usize;
    let kinds: [(&str, Side, usize, Length); 5] = [
        ("upload", Client, 300, |dice| 100 + dice.below(900)),
        ("download", Server, 300, |dice| 100 + dice.below(900)),
        ("large frames", Server, 60, |dice| 70_000 + dice.below(60_000)),
        ("large frames of one length", Server, 60, |_| 100_000),
        ("chunks of one length", Server, 200, |_| 16_384),
    ];
    for (what, side, count, len) in kinds {
        let mut dice = Dice(5);
        let mut score = Score::default();
        for n in 0..10 {
            let mut session = Session::new(n);
            for _ in 0..count {
                let len = len(&mut dice);
                session.binary(side, dice.bytes(len));
            }
            let truth = sent(&session);
            let frames_sent = session.turns.split_off(2);
            session.turns.push((side, frames_sent.into_iter().flat_map(|(_, bytes)| bytes).collect()));
            let mut segments = session.cut(|_| vec![1448]);
            // Over the head of a frame.
            let heads: Vec<u64> = truth.iter().map(|frame| frame.1).collect();
            let is_over = |segment: &Segment| {
                let (_, place) = place(&session, segment);
                heads.iter().skip(count / 4).any(|head| place.contains(head))
            };
            let at = segments.iter().position(is_over).unwrap();
            let gone = segments.remove(at);
            let (_, lost) = place(&session, &gone);
            let told = frames(&segments).all;
            let shown: HashSet<Sent> = told.iter().map(|(frame, _)| *frame).collect();
            let behind: Vec<_> = truth.iter().filter(|frame| frame.1 >= lost.end).collect();
            score.add(Score {
                told: told.len(),
                wrong: shown.iter().filter(|frame| !truth.contains(frame)).count(),
                intact: behind.len(),
                found: behind.into_iter().filter(|frame| shown.contains(frame)).count(),
            });
        }
        score.holds(what);
    }
}

/// The capture begins anywhere in a conversation.
#[test]
fn a_conversation_is_recognised_without_its_beginning() {
    let mut dice = Dice(11);
    for kind in KINDS {
        let mut total = Score::default();
        let mut connections = 0;
        for n in 0..40 {
            let session = talk(kind, n, &mut dice);
            let segments = on_the_wire(&session, &mut dice);
            let from = 8 + dice.below(segments.len() / 2);
            let told = frames(&segments[from..]);
            connections += told.connections;
            // Offsets count from the first byte captured of each side.
            let first = |side: Side| {
                segments[from..]
                    .iter()
                    .map(|segment| place(&session, segment))
                    .find(|(from, place)| *from == side && !place.is_empty())
            };
            let begin = [Client, Server].map(|side| first(side).map_or(0, |(_, place)| place.start));
            let truth: HashSet<Sent> = sent(&session)
                .into_iter()
                .filter_map(|(side, at, len, opcode)| {
                    Some((side, at.checked_sub(begin[usize::from(side == Server)])?, len, opcode))
                })
                .collect();
            let found = told.all.iter().filter(|(frame, complete)| *complete && truth.contains(frame)).count();
            let wrong = told.all.iter().filter(|(frame, _)| !truth.contains(frame)).count();
            total.add(Score { told: told.all.len(), wrong, intact: truth.len(), found });
        }
        assert_eq!(connections, 40, "{kind}");
        total.holds(kind);
    }
}

/// The messages of one side that are shown as complete.
fn complete(file: &[u8], side: Side) -> Vec<Vec<u8>> {
    let all = shown(file);
    let messages = all.values().flat_map(|conversation| conversation.of(side.dir()));
    messages.filter(|message| message.complete).map(|message| message.payload.clone()).collect()
}

/// Bytes that look like frames stand in the payload of a frame whose head is lost: they are not taken for frames.
#[test]
fn a_bait_in_a_payload_is_not_taken() {
    let mut session = Session::new(0);
    session.text(Server, "before");
    let bait = [0x81, 4, b'b', b'a', b'i', b't'].repeat(40);
    let mut payload = vec![b'.'; 1000];
    payload.splice(500..500 + bait.len(), bait);
    session.binary(Server, payload).text(Server, "after the bait").text(Server, "and on it goes");
    // The head goes out by itself and is lost.
    let mut segments = session.cut(|bytes| if bytes.len() > 900 { vec![300, 2000] } else { vec![bytes.len()] });
    let head = segments.iter().position(|segment| segment.payload.len() == 300).unwrap();
    segments.remove(head);
    let file = capture_of(&segments);
    assert_eq!(complete(&file, Server), [&b"before"[..], b"after the bait", b"and on it goes"]);
    has_finding(&file, "WS-RESYNC", "bait");
}

/// What is found by a search says so, frame by frame; what was read from a known head does not.
#[test]
fn what_a_search_finds_is_marked() {
    let mut session = Session::new(0);
    for n in 0..6 {
        session.text(Server, &format!(r#"{{"number":{n},"text":"a message of some length"}}"#));
    }
    let mut segments = session.segments();
    let lost = segments
        .iter()
        .position(|segment| segment.payload.ends_with(br#""number":2,"text":"a message of some length"}"#))
        .unwrap();
    segments.remove(lost);
    let file = capture_of(&segments);
    let all = shown(&file);
    let messages = all.values().next().unwrap().of("s2c");
    let marked: Vec<bool> =
        messages.iter().map(|message| message.findings.iter().any(|code| code == "WS-RESYNC")).collect();
    assert_eq!(messages.len(), 5);
    assert_eq!((marked[..2].to_vec(), marked[2]), (vec![false; 2], true));
    has_no_findings(&file, &["WS-LOST", "WS-CONTINUATION"], "found again");
}

/// A hole of which nothing is found behind says that.
#[test]
fn what_is_not_found_is_lost() {
    let mut session = Session::new(0);
    session.binary(Client, vec![7; 300]).binary(Client, vec![0xff; 3000]);
    let mut segments = session.cut(|bytes| vec![if bytes.len() > 400 { 500 } else { bytes.len() }]);
    segments
        .retain(|segment| segment.src != session.client || segment.payload.len() < 490 || segment.payload[0] == 0xff);
    let lost = segments.iter().position(|segment| segment.payload.len() == 308).unwrap();
    segments.remove(lost);
    let file = capture_of(&segments);
    has_finding(&file, "WS-LOST", "nothing behind it");
    assert_eq!(complete(&file, Client).len(), 0);
}

/// The answer, or the request, is lost: the conversation behind it is shown all the same.
#[test]
fn a_lost_half_of_the_handshake_costs_only_itself() {
    for (lost, side) in [("the answer", Server), ("the request", Client)] {
        let mut session = Session::new(0);
        for n in 0..8 {
            session
                .text(Server, &format!("the server says number {n}"))
                .text(Client, &format!("the client says number {n}"));
        }
        let mut segments = session.segments();
        let head = session.turns[usize::from(side == Server)].1.clone();
        segments.retain(|segment| segment.payload != head);
        let file = capture_of(&segments);
        let all = shown(&file);
        assert_eq!(all.len(), 1, "{lost}");
        let conversation = &all[&session.client.to_string()];
        for said in &session.said {
            let found = conversation.of(said.dir).into_iter().any(|message| is_said(message, said));
            assert!(found, "{lost}: {} {}", said.dir, String::from_utf8_lossy(&said.payload));
        }
        assert_eq!(conversation.messages.len(), session.said.len(), "{lost}");
    }
}

/// `-d` insists on what would not be recognised, and forbids what would.
#[test]
fn the_user_has_the_last_word() {
    let mut session = Session::bare(0);
    session.binary(Client, vec![0xee; 40]).binary(Server, vec![0xee; 40]);
    let rule = |select, protocol| vec![Rule { select, protocol }];
    let port = || Select::Port(8080..=8080);
    let segments = session.segments();
    assert_eq!(frames(&segments).connections, 0, "a stream that begins with frames was never upgraded");
    let forced = frames_as(&segments, rule(port(), Protocol::WebSocket));
    assert_eq!((forced.connections, forced.all.len()), (1, 2));
    assert_eq!(
        forced.all.iter().map(|(frame, _)| *frame).collect::<Vec<_>>(),
        [(Client, 0, 46, 2), (Server, 0, 42, 2)]
    );
    let other = frames_as(&segments, rule(Select::Port(1..=8079), Protocol::WebSocket));
    assert_eq!(other.connections, 0);

    let session = Session::sample(1);
    for select in [port(), Select::Stream(0), Select::Address(session.client.ip())] {
        assert_eq!(frames_as(&session.segments(), rule(select, Protocol::None)).connections, 0);
    }
    let both = [rule(Select::Stream(0), Protocol::WebSocket), rule(port(), Protocol::None)].concat();
    assert_eq!(frames_as(&session.segments(), both).connections, 1, "the first that fits holds");
    let file = capture_of(&session.segments());
    let listed = |rule: &str| wspect(&["ls", "--json", "-d", rule], Input::Bytes(&file)).records().len();
    assert_eq!((listed("tcp.port==8080,none"), listed("tcp.port==8081,none")), (0, 1));
    let told = wspect(&["ls", "-d", "tcp.port==8080,none"], Input::Bytes(&file)).stderr;
    assert!(told.ends_with("\n  1 excluded stream: left alone, as -d says\n"), "{told}");
}

/// Streams of other protocols that began before the capture are not taken for WebSockets.
#[test]
fn nothing_else_is_recognised() {
    let dice = &mut Dice(5);
    let record = |dice: &mut Dice| {
        let len = 20 + dice.below(900);
        [vec![0x17, 3, 3, (len >> 8) as u8, len as u8], dice.bytes(len)].concat()
    };
    let http2 = |dice: &mut Dice| {
        let len = dice.below(400);
        [vec![0, (len >> 8) as u8, len as u8, 0, 0, 0, 0, 0, 1 + 2 * dice.below(9) as u8], dice.bytes(len)].concat()
    };
    let mqtt = |dice: &mut Dice| match dice.below(4) {
        0 => [vec![0x82, 12, 0, 1, 0, 7], b"a/topic".to_vec(), vec![0]].concat(),
        1 => vec![0xc0, 0],
        2 => vec![0x90, 3, 0, 1, 0],
        _ => [vec![0x30, 14, 0, 7], b"a/topicvalue".to_vec()].concat(),
    };
    let amqp = |dice: &mut Dice| {
        let len = dice.below(60);
        [vec![1 + dice.below(3) as u8, 0, 1, 0, 0, 0, len as u8], dice.bytes(len), vec![0xce]].concat()
    };
    let dns = |dice: &mut Dice| {
        let len = 20 + dice.below(80);
        [vec![0, len as u8], dice.bytes(2), vec![1, 0, 0, 1, 0, 0, 0, 0, 0, 0], dice.bytes(len - 12)].concat()
    };
    let modbus = |dice: &mut Dice| {
        let (id, count) = (dice.below(1 << 16), [1, 2, 8, 10, 16][dice.below(5)]);
        match dice.below(2) {
            0 => vec![(id >> 8) as u8, id as u8, 0, 0, 0, 6, 1, 3, 0, 0, 0, count],
            _ => [vec![(id >> 8) as u8, id as u8, 0, 0, 0, 3 + 2 * count, 1, 3, 2 * count], {
                (0..count).flat_map(|_| [dice.below(2) as u8, dice.below(256) as u8]).collect()
            }]
            .concat(),
        }
    };
    type Make<'a> = (&'a str, &'a dyn Fn(&mut Dice) -> Vec<u8>);
    let makes: [Make<'_>; 10] = [
        ("TLS", &record),
        ("HTTP/2", &http2),
        ("MQTT", &mqtt),
        ("AMQP", &amqp),
        ("DNS", &dns),
        ("Modbus", &modbus),
        ("noise", &|dice| dice.bytes(300)),
        ("zeros", &|_| vec![0; 700]),
        ("lines", &|dice| format!("AUTH {} BATCH\r\nBYE\r\n", dice.below(1000)).into_bytes()),
        ("ones", &|dice| vec![[1, 2, 0x81, 0x82, 0x89][dice.below(5)]; 300]),
    ];
    for (what, make) in makes {
        for n in 0..60 {
            let mut session = Session::bare(n);
            for _ in 0..40 {
                let bytes: Vec<u8> = (0..1 + dice.below(3)).flat_map(|_| make(dice)).collect();
                session.turn(if dice.below(2) == 0 { Client } else { Server }, bytes);
            }
            let mss = 200 + dice.below(1200);
            let segments = session.cut(|_| vec![mss]);
            let from = 3 + dice.below(20);
            let told = frames(&segments[from..]);
            assert_eq!(told.connections, 0, "{what} {n}: {:?}", told.all.first());
        }
    }
}
