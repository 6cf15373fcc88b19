//! Tells invented conversations as the events that a dissection would give, through the recorder.

use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use wspect::book::{Batch, Recorder, close_of};
use wspect::model::{
    Body, Check, Closed, ConnId, Direction, End, Endpoint, Ends, Event, Frame, Handshake, Head, Heard, Hole, Mark,
    Message, Note, NoteCode, NoteSet, Opcode, Opened, PacketNo, Resent, SessionId, Sink, Span, Stamp, StartLine,
    Timestamp, TlsOutline, Version, Wait,
};

/// 2023-11-14T22:13:20Z.
const START: i64 = 1_700_000_000_000_000_000;

pub(crate) struct Story {
    events: Vec<(Stamp, Owned)>,
    now: i64,
    packet: u64,
    /// The packet with the last frame.
    heard: Mark,
    talks: Vec<Talk>,
}

struct Talk {
    stream: u32,
    messages: u64,
    frames: u64,
    offset: [u64; 2],
    first: Mark,
}

enum Owned {
    Opened(Opened),
    Handshake(Box<Handshake>),
    Frame(Frame),
    Message(OwnedMessage),
    Resent(Resent),
    Note(NoteCode, Option<Direction>, Option<u64>, String),
    Closed(Closed),
}

struct OwnedMessage {
    body: Vec<u8>,
    wire: Vec<u8>,
    len: u64,
    holes: Vec<Hole>,
    waited: Option<Wait>,
    message: Message<'static>,
}

/// How a message differs from a plain one.
#[derive(Clone, Default)]
pub(crate) struct Odd {
    pub(crate) compressed: bool,
    /// What the payload is on the wire, of a message that is inflated.
    pub(crate) wire: Option<Vec<u8>>,
    /// The length that the frames have, where it is not the payload's.
    pub(crate) wire_len: Option<u64>,
    pub(crate) holes: Vec<Hole>,
    pub(crate) rtt: Option<i64>,
    pub(crate) fragments: usize,
    pub(crate) findings: Vec<NoteCode>,
    pub(crate) rsv: u8,
    pub(crate) waited: Option<Wait>,
}

pub(crate) fn endpoint(last: u8, port: u16) -> Endpoint {
    Endpoint { ip: Ipv4Addr::new(10, 0, 0, last).into(), port }
}

impl Story {
    pub(crate) fn new() -> Self {
        Self { events: Vec::new(), now: START, packet: 0, heard: Mark::default(), talks: Vec::new() }
    }

    /// Lets time go by and other packets pass.
    pub(crate) fn wait(&mut self, micros: i64) -> &mut Self {
        self.now += micros * 1000;
        self
    }

    fn mark(&mut self) -> Mark {
        self.packet += 1;
        Mark { packet: PacketNo(self.packet), time: Some(Timestamp::from_nanos(self.now)) }
    }

    fn stamp(&self, conn: usize, at: Mark) -> Stamp {
        Stamp {
            conn: Some(ConnId(conn as u32 + 1)),
            stream: self.talks.get(conn).map(|talk| talk.stream),
            at,
            ..Stamp::default()
        }
    }

    /// Opens a connection; its number.
    pub(crate) fn open(&mut self, url: Option<&str>, client: Endpoint, server: Endpoint, stream: u32) -> usize {
        let first = self.mark();
        self.packet += 3;
        let conn = self.talks.len();
        self.talks.push(Talk { stream, messages: 0, frames: 0, offset: [0, 0], first });
        let opened = Opened {
            client,
            server,
            url: url.map(str::to_owned),
            transport: Some("http/1.1"),
            version: Version::Rfc6455,
            via: Box::default(),
            encap: Box::default(),
            encap_back: None,
            tls: None,
            encrypted: None,
            interface: None,
            ethers: None,
            session: SessionId(1),
            reconnect_of: None,
            first,
        };
        let at = self.mark();
        self.events.push((self.stamp(conn, at), Owned::Opened(opened)));
        conn
    }

    /// Opens a connection of which nothing can be read.
    pub(crate) fn open_encrypted(&mut self, client: Endpoint, server: Endpoint, stream: u32) -> usize {
        let conn = self.open(None, client, server, stream);
        if let Some((_, Owned::Opened(opened))) = self.events.last_mut() {
            let tls = TlsOutline { sni: Some("feed.example".to_owned()), ..TlsOutline::default() };
            (opened.transport, opened.encrypted, opened.tls) = (None, Some([0x7a; 32]), Some(Box::new(tls)));
        }
        conn
    }

    /// Answers the upgrade request.
    pub(crate) fn upgrade(&mut self, conn: usize, status: u16, request: &[(&str, &str)], response: &[(&str, &str)]) {
        let asked = self.mark();
        self.wait(22_400);
        let answered = self.mark();
        let headers =
            |list: &[(&str, &str)]| list.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let span = |mark| Span { first: mark, last: mark };
        let request = Head {
            start: StartLine::Request {
                method: "GET".into(),
                target: "/socket?v=3".into(),
                version: "HTTP/1.1".into(),
            },
            headers: headers(request),
            stream_offset: 0,
            len: 412,
            span: span(asked),
            whole: true,
        };
        let reason = if status == 101 { "Switching Protocols" } else { "Forbidden" };
        let response = Head {
            start: StartLine::Response { version: "HTTP/1.1".into(), status, reason: reason.into() },
            headers: headers(response),
            stream_offset: 0,
            len: 201,
            span: span(answered),
            whole: true,
        };
        self.talks[conn].offset = [412, 201];
        let list = |head: &Head, name: &str| Some(head.list(name).map(str::to_owned).collect::<Vec<_>>());
        let handshake = Handshake {
            url: None,
            accepted: Some(status == 101),
            key: request.value("Sec-WebSocket-Key").map(str::to_owned),
            accept: response.value("Sec-WebSocket-Accept").map(str::to_owned),
            accept_expected: Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into()),
            subprotocols_offered: list(&request, "Sec-WebSocket-Protocol"),
            subprotocol: response.value("Sec-WebSocket-Protocol").map(str::to_owned),
            extensions_offered: list(&request, "Sec-WebSocket-Extensions"),
            extensions: list(&response, "Sec-WebSocket-Extensions"),
            checks: checks(status),
            latency: Some(22_400_000),
            request: Some(request),
            response: Some(response),
        };
        self.events.push((self.stamp(conn, answered), Owned::Handshake(Box::new(handshake))));
    }

    /// A whole message in one frame.
    pub(crate) fn say(&mut self, conn: usize, dir: Direction, opcode: Opcode, payload: &[u8]) -> u64 {
        self.say_oddly(conn, dir, opcode, payload, &Odd::default())
    }

    /// A message with something about it; its number.
    pub(crate) fn say_oddly(&mut self, conn: usize, dir: Direction, opcode: Opcode, payload: &[u8], odd: &Odd) -> u64 {
        let missing = odd.holes.iter().filter_map(|hole| hole.len).fold(0, u64::saturating_add);
        let len = missing.saturating_add(payload.len() as u64);
        let inflated = odd.wire_len.is_some();
        let sent = odd.wire_len.unwrap_or(len);
        let count = odd.fragments.max(1) as u64;
        let number = self.talks[conn].messages + 1;
        let mut findings = NoteSet::EMPTY;
        odd.findings.iter().for_each(|&code| {
            findings.insert(code);
        });
        let first = self.mark();
        let mut last = first;
        for nth in 0..count {
            if nth > 0 {
                self.wait(1_000);
                last = self.mark();
            }
            let part = if nth + 1 == count { sent - sent / count * nth } else { sent / count };
            self.frame(conn, dir, opcode, (nth, count), part, number, last, odd, findings);
        }
        self.talks[conn].messages += 1;
        let message = Message {
            frames: count,
            compressed: odd.compressed,
            undecoded: odd.compressed && !inflated,
            wire_len: sent,
            complete: (inflated || !odd.compressed) && odd.holes.is_empty() && opcode != Opcode::CONTINUATION,
            utf8: std::str::from_utf8(payload).is_ok(),
            rtt: odd.rtt,
            span: Span { first, last },
            brought: last,
            findings,
            ..Message::whole(number, dir, opcode, &[])
        };
        let owned = OwnedMessage {
            body: payload.to_vec(),
            wire: odd.wire.clone().unwrap_or_default(),
            len,
            holes: odd.holes.clone(),
            waited: odd.waited,
            message,
        };
        self.events.push((self.stamp(conn, last), Owned::Message(owned)));
        number
    }

    #[expect(clippy::too_many_arguments, reason = "a frame has many fields")]
    fn frame(
        &mut self,
        conn: usize,
        dir: Direction,
        opcode: Opcode,
        (nth, count): (u64, u64),
        len: u64,
        number: u64,
        last: Mark,
        odd: &Odd,
        findings: NoteSet,
    ) {
        let talk = &mut self.talks[conn];
        talk.frames += 1;
        let mask = (dir == Direction::ToServer).then_some([0x37, 0xfa, 0x21, 0x3d]);
        let header_len =
            2 + if len > 65_535 {
                8
            } else if len > 125 {
                2
            } else {
                0
            } + if mask.is_some() { 4 } else { 0 };
        let side = &mut talk.offset[usize::from(dir == Direction::ToClient)];
        let stream_offset = *side;
        *side = side.saturating_add(u64::from(header_len)).saturating_add(len);
        let frame = Frame {
            number: talk.frames,
            msg: (nth + 1 == count).then_some(number),
            dir,
            fin: nth + 1 == count,
            rsv: if odd.compressed && nth == 0 { 4 } else { odd.rsv },
            opcode: if nth == 0 { opcode } else { Opcode::CONTINUATION },
            mask,
            header_len,
            len,
            stream_offset,
            span: Span { first: last, last },
            complete: odd.holes.is_empty(),
            findings,
        };
        self.heard = last;
        self.events.push((self.stamp(conn, last), Owned::Frame(frame)));
    }

    pub(crate) fn note(&mut self, conn: usize, code: NoteCode, dir: Option<Direction>, msg: Option<u64>, text: &str) {
        let at = Mark { packet: PacketNo(self.packet), time: Some(Timestamp::from_nanos(self.now)) };
        self.events.push((self.stamp(conn, at), Owned::Note(code, dir, msg, text.to_owned())));
    }

    /// What that message waited for is known now.
    pub(crate) fn resent(&mut self, conn: usize, msg: u64, dir: Direction, wait: Wait) {
        let at = self.mark();
        self.events.push((self.stamp(conn, at), Owned::Resent(Resent { msg, dir, wait })));
    }

    pub(crate) fn close(&mut self, conn: usize, by: Direction, how: End) {
        let last = self.mark();
        let mut ends = Ends::default();
        ends.add(by, how, last);
        let heard = Heard::Frame(self.heard);
        self.events.push((self.stamp(conn, last), Owned::Closed(Closed { ends, last, heard, ..Closed::default() })));
    }

    pub(crate) fn started(&self, conn: usize) -> Mark {
        self.talks[conn].first
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.now)
    }

    pub(crate) fn packets(&self) -> u64 {
        self.packet
    }

    /// Number of events so far.
    pub(crate) const fn events(&self) -> usize {
        self.events.len()
    }

    /// The story so far, in batches of whatever size the recorder makes.
    pub(crate) fn batches(&self) -> Vec<Batch> {
        self.batches_after(0)
    }

    /// What came after so many events.
    pub(crate) fn batches_after(&self, known: usize) -> Vec<Batch> {
        let mut batches = Vec::new();
        let mut recorder = Recorder::new(|batch| {
            batches.push(batch);
            ControlFlow::Continue(())
        });
        for (at, owned) in &self.events[known..] {
            assert!(tell(&mut recorder, at, owned).is_continue());
        }
        assert!(recorder.flush().is_continue());
        drop(recorder);
        batches
    }
}

fn tell(sink: &mut impl Sink, at: &Stamp, owned: &Owned) -> ControlFlow<()> {
    match owned {
        Owned::Opened(opened) => sink.accept(at, Event::Opened(opened)),
        Owned::Handshake(handshake) => sink.accept(at, Event::Handshake(handshake)),
        Owned::Frame(frame) => sink.accept(at, Event::Frame(frame)),
        Owned::Message(owned) => {
            let body = Body { kept: &owned.body, len: owned.len, holes: &owned.holes };
            let close = if owned.message.opcode == Opcode::CLOSE { close_of(&owned.body) } else { None };
            sink.accept(
                at,
                Event::Message(&Message {
                    body,
                    wire: &owned.wire,
                    close,
                    waited: owned.waited.as_ref(),
                    ..owned.message
                }),
            )
        }
        Owned::Resent(resent) => sink.accept(at, Event::Resent(resent)),
        Owned::Note(code, dir, msg, text) => {
            let note = Note { dir: *dir, msg: *msg, text, ..Note::new(*code, at.at) };
            sink.accept(at, Event::Note(&note))
        }
        Owned::Closed(closed) => sink.accept(at, Event::Closed(closed)),
    }
}

fn checks(status: u16) -> Vec<Check> {
    let check = |code, ok, detail: &str| Check { code, ok, detail: detail.to_owned() };
    vec![
        check(NoteCode::HsMethod, true, "GET"),
        check(NoteCode::HsHttpVersion, true, "HTTP/1.1"),
        check(NoteCode::HsHost, true, "chat.example"),
        check(NoteCode::HsUpgrade, true, "websocket"),
        check(NoteCode::HsConnection, true, "keep-alive, Upgrade"),
        check(NoteCode::HsKey, true, "dGhlIHNhbXBsZSBub25jZQ=="),
        check(NoteCode::HsVersion, true, "13"),
        check(
            if status == 101 { NoteCode::HsStatus } else { NoteCode::HsForbidden },
            status == 101,
            &format!("status {status}"),
        ),
        check(NoteCode::HsAccept, status == 101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        check(NoteCode::HsSubprotocol, true, "graphql-transport-ws was offered"),
        check(NoteCode::HsExtension, true, "permessage-deflate was offered"),
    ]
}

pub(crate) const REQUEST: &[(&str, &str)] = &[
    ("Host", "chat.example"),
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "websocket"),
    ("Origin", "https://app.example"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Protocol", "graphql-transport-ws, graphql-ws"),
    ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
    ("Cookie", "sid=5f0c8e1ab2; theme=dark"),
    ("Authorization", "Bearer c2VjcmV0"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
];

pub(crate) const RESPONSE: &[(&str, &str)] = &[
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
    ("Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=12; client_no_context_takeover"),
    ("Set-Cookie", "sid=5f0c8e1ab2; HttpOnly"),
    ("Date", "Tue, 14 Nov 2023 22:13:20 GMT"),
];

/// Seven connections of every kind.
pub(crate) fn everything() -> Story {
    use Direction::{ToClient, ToServer};
    let mut story = Story::new();
    story.wait(4_000);
    let chat = story.open(Some("ws://chat.example/socket?v=3"), endpoint(1, 51_512), endpoint(2, 80), 0);
    story.upgrade(chat, 101, REQUEST, RESPONSE);
    let live = story.open(Some("ws://10.0.0.2:8080/live"), endpoint(1, 51_514), endpoint(2, 8080), 3);
    story.wait(100_000).upgrade(live, 101, &REQUEST[..6], &RESPONSE[..3]);
    conversation(&mut story, chat);
    for n in 0..12 {
        story.wait(80_000);
        let dir = if n % 3 == 0 { ToServer } else { ToClient };
        story.say(live, dir, Opcode::BINARY, &[n, 0xff, 0x00, b'a' + n, 0x7f]);
    }
    let bad = Odd { findings: vec![NoteCode::Utf8Bad], ..Odd::default() };
    let number = story.say_oddly(live, ToServer, Opcode::TEXT, b"caf\xe9 au lait, but in Latin-1", &bad);
    story.note(live, NoteCode::Utf8Bad, Some(ToServer), Some(number), "Byte 3 (e9) of a text message is not UTF-8.");
    story.wait(900_000).close(live, ToClient, End::Rst);
    story.note(live, NoteCode::Abnormal1006, Some(ToClient), None, "TCP RST from the server without a Close frame.");

    let refused = story.open(Some("ws://dev.local:3000/_hmr"), endpoint(3, 50_144), endpoint(4, 3000), 7);
    story.upgrade(refused, 403, &REQUEST[..6], &[("Content-Length", "9"), ("Content-Type", "text/plain")]);
    story.note(refused, NoteCode::HsForbidden, None, None, "The server does not allow it (status 403).");
    story.wait(2_000).close(refused, ToServer, End::Fin);

    let mid = story.open(None, endpoint(7, 40_022), endpoint(2, 9001), 9);
    for n in 0..41_u32 {
        story.wait(31_000);
        story.say(mid, ToClient, Opcode::TEXT, format!("tick {n} {}", n * n).as_bytes());
    }
    let open = story.open(
        Some("ws://[2001:db8::17]:8080/feed/with/a/path/that/is/longer/than/any/column"),
        endpoint(9, 33_991),
        endpoint(2, 80),
        12,
    );
    story.upgrade(open, 101, &REQUEST[..6], &RESPONSE[..3]);
    story
}

/// A conversation of compressed messages: inflated ones with and without their bytes of the wire, and one that could not be.
pub(crate) fn compressed() -> Story {
    use Direction::{ToClient, ToServer};
    let mut story = Story::new();
    let chat = story.open(Some("ws://chat.example/socket?v=3"), endpoint(1, 51_512), endpoint(2, 80), 0);
    story.upgrade(chat, 101, REQUEST, RESPONSE);
    let hello = vec![0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let inflated = Odd { compressed: true, wire_len: Some(7), wire: Some(hello), fragments: 2, ..Odd::default() };
    story.say_oddly(chat, ToServer, Opcode::TEXT, b"Hello", &inflated);
    let forgotten = Odd { compressed: true, wire_len: Some(131), ..Odd::default() };
    story.wait(3_000).say_oddly(chat, ToClient, Opcode::TEXT, ERROR.repeat(2).as_bytes(), &forgotten);
    let lost = Odd { compressed: true, findings: vec![NoteCode::DeflateUnknown], ..Odd::default() };
    story.wait(3_000).say_oddly(chat, ToClient, Opcode::TEXT, &[0xc2, 0x30, 0x10, 0x05], &lost);
    story.wait(1_000).close(chat, ToClient, End::Fin);
    story
}

/// What is said on the first connection: text, JSON, pings, fragments, a hole, hostile bytes, a close.
fn conversation(story: &mut Story, chat: usize) {
    use Direction::{ToClient, ToServer};
    let text = |story: &mut Story, dir, words: &str| story.say(chat, dir, Opcode::TEXT, words.as_bytes());
    text(story, ToServer, r#"{"type":"connection_init"}"#);
    story.wait(21_000);
    text(story, ToClient, r#"{"type":"connection_ack"}"#);
    story.wait(310_000);
    text(story, ToServer, r#"{"id":"42","type":"subscribe","payload":{"query":"{room(id:7){history}}"}}"#);
    story.wait(44_000);
    text(story, ToClient, ERROR);
    story.wait(500_000);
    story.say(chat, ToClient, Opcode::PING, &[0, 0, 8, 0x5f]);
    story.wait(900);
    let pong = Odd { rtt: Some(900_000), ..Odd::default() };
    story.say_oddly(chat, ToServer, Opcode::PONG, &[0, 0, 8, 0x5f], &pong);
    story.wait(900_000);
    let deflate = Odd { compressed: true, ..Odd::default() };
    story.say_oddly(chat, ToClient, Opcode::TEXT, &[0xc2, 0x30, 0x10, 0x05, 0xd0, 0xab, 0x94, 0xac, 0x78], &deflate);
    story.wait(3_000);
    let fragments = Odd { fragments: 3, ..Odd::default() };
    story.say_oddly(chat, ToServer, Opcode::BINARY, &(0..200).collect::<Vec<u8>>(), &fragments);
    story.wait(2_000);
    let holes = vec![Hole { offset: 26, len: Some(1460) }];
    let lossy = Odd { holes, findings: vec![NoteCode::TcpGap], ..Odd::default() };
    let number = story.say_oddly(chat, ToClient, Opcode::TEXT, b"the beginning is here, and so is its end.", &lossy);
    story.note(chat, NoteCode::TcpGap, Some(ToClient), Some(number), "1 460 bytes were never captured.");
    story.wait(1_204_000);
    text(story, ToServer, r#"{"id":"42","type":"complete"}"#);
    story.wait(18_000);
    text(story, ToClient, "hi \x1b[31mred\x1b[0m \u{202e} 雨 two\nlines");
    story.wait(4_100_000);
    story.say(chat, ToClient, Opcode::CLOSE, b"\x03\xe8bye");
    story.wait(2_000);
    story.say(chat, ToServer, Opcode::CLOSE, b"\x03\xe8");
    story.wait(1_000).close(chat, ToClient, End::Fin);
}

const ERROR: &str = r#"{"id":"42","type":"error","payload":[{"message":"Not authorized to read room 7f3c","locations":[{"line":2,"column":3}],"path":["room",7,"history"],"extensions":{"code":"FORBIDDEN","trace":18446744073709551615}}]}"#;
