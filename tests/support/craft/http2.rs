//! HTTP/2 connections with WebSockets in them, as the turns of a session.

use super::frame::{CLOSE, CONTINUATION, Frame, PING};
use super::session::{Client, Said, Server, Session, Side};
use std::collections::BTreeMap;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const H2_PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION_FRAME: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;

/// A header block's fields.
pub(crate) type Fields<'a> = &'a [(&'a str, &'a str)];

/// A frame as it is sent.
pub(crate) fn h2_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A DATA frame with so much padding.
pub(crate) fn padded(flags: u8, stream: u32, bytes: &[u8], padding: u8) -> Vec<u8> {
    h2_frame(DATA, flags | PADDED, stream, &[&[padding], bytes, &vec![0; padding.into()]].concat())
}

/// What encodes one direction's header blocks: what was sent before is named by its place in the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Encoder {
    /// Newest first.
    table: Vec<(String, String)>,
}

impl Encoder {
    /// A block with these fields, each added to the table if it is not there.
    pub(crate) fn block(&mut self, fields: Fields<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in fields {
            let field = (name.to_string(), value.to_string());
            match self.table.iter().position(|known| *known == field) {
                Some(place) => integer(&mut out, 0x80, 7, 62 + place),
                None => {
                    out.push(0x40);
                    self.table.insert(0, field);
                    for text in [name, value] {
                        integer(&mut out, 0, 7, text.len());
                        out.extend(text.as_bytes());
                    }
                }
            }
        }
        out
    }
}

/// A block with these fields, which leaves the table alone.
pub(crate) fn plain_block(fields: Fields<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        out.push(0);
        for text in [name, value] {
            integer(&mut out, 0, 7, text.len());
            out.extend(text.as_bytes());
        }
    }
    out
}

/// RFC 7541 §5.1.
fn integer(out: &mut Vec<u8>, first: u8, prefix: u32, value: usize) {
    let most = (1 << prefix) - 1;
    if value < most {
        return out.push(first | value as u8);
    }
    out.push(first | most as u8);
    let mut rest = value - most;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// A connection: its turns, and what each of its WebSockets says.
#[derive(Debug, Clone)]
pub(crate) struct H2 {
    pub(crate) session: Session,
    pub(crate) said: BTreeMap<u32, Vec<Said>>,
    /// Of client and server.
    encoders: [Encoder; 2],
    /// How DATA are cut: the lengths of the pieces, and the padding of each; again from the front when they are used up.
    pub(crate) cuts: Vec<(usize, Option<u8>)>,
    at: usize,
}

impl H2 {
    /// The `n`th connection before its first byte.
    pub(crate) fn bare(n: usize) -> Self {
        let (said, encoders) = (BTreeMap::new(), <[Encoder; 2]>::default());
        Self { session: Session::bare(n), said, encoders, cuts: vec![(usize::MAX, None)], at: 0 }
    }

    /// The `n`th connection, on which the server takes extended CONNECTs.
    pub(crate) fn new(n: usize) -> Self {
        let mut h2 = Self::bare(n);
        h2.greet();
        h2
    }

    /// Both sides begin.
    fn greet(&mut self) {
        self.session.turn(Server, h2_frame(SETTINGS, 0, 0, &[0, 8, 0, 0, 0, 1]));
        self.session.turn(Client, [PREFACE, &h2_frame(SETTINGS, 0, 0, &[])].concat());
        self.frame(Client, SETTINGS, 1, 0, &[]).frame(Server, SETTINGS, 1, 0, &[]);
    }

    pub(crate) fn frame(&mut self, side: Side, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> &mut Self {
        self.session.turn(side, h2_frame(kind, flags, stream, payload));
        self
    }

    /// A header block as that side encodes it.
    pub(crate) fn block(&mut self, side: Side, fields: Fields<'_>) -> Vec<u8> {
        self.encoders[usize::from(side == Server)].block(fields)
    }

    /// The client's table holds nothing that it may refer to any more.
    pub(crate) fn forget(&mut self) {
        self.encoders[0] = Encoder::default();
    }

    /// Sends a header block in one frame.
    pub(crate) fn head(&mut self, side: Side, stream: u32, flags: u8, fields: Fields<'_>) -> &mut Self {
        let block = self.block(side, fields);
        self.frame(side, HEADERS, flags | END_HEADERS, stream, &block)
    }

    /// Asks for a WebSocket.
    pub(crate) fn ask(&mut self, stream: u32, more: Fields<'_>) -> &mut Self {
        let path = format!("/{stream}");
        let own = [
            (":method", "CONNECT"),
            (":protocol", "websocket"),
            (":scheme", "http"),
            (":path", &path),
            (":authority", "lab.test"),
            ("sec-websocket-version", "13"),
        ];
        self.head(Client, stream, 0, &[&own, more].concat())
    }

    /// Accepts it.
    pub(crate) fn accept(&mut self, stream: u32, more: Fields<'_>) -> &mut Self {
        self.said.entry(stream).or_default();
        self.head(Server, stream, 0, &[&[(":status", "200")], more].concat())
    }

    /// Opens a WebSocket.
    pub(crate) fn open(&mut self, stream: u32) -> &mut Self {
        self.ask(stream, &[]).accept(stream, &[])
    }

    /// Sends bytes as DATA, cut and padded as `cuts` says.
    pub(crate) fn data(&mut self, side: Side, stream: u32, bytes: &[u8]) -> &mut Self {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (len, padding) = self.cuts[self.at % self.cuts.len()];
            self.at += 1;
            let (now, later) = rest.split_at(len.clamp(1, rest.len()));
            let frame = match padding {
                Some(padding) => padded(0, stream, now, padding),
                None => h2_frame(DATA, 0, stream, now),
            };
            self.session.turn(side, frame);
            rest = later;
        }
        self
    }

    /// Sends a frame of a WebSocket, as this side must send it.
    pub(crate) fn ws(&mut self, side: Side, stream: u32, frame: Frame) -> &mut Self {
        let frame = self.session.framed(side, frame);
        self.data(side, stream, &frame.bytes())
    }

    /// Sends a message in one frame.
    pub(crate) fn say(&mut self, side: Side, stream: u32, opcode: u8, payload: impl Into<Vec<u8>>) -> &mut Self {
        let payload = payload.into();
        let said = Said { dir: side.dir(), opcode, frames: 1, payload: payload.clone(), packed: None };
        self.said.entry(stream).or_default().push(said);
        self.ws(side, stream, Frame::new(opcode, payload))
    }

    /// Begins a message in fragments, or goes on with it.
    pub(crate) fn part(&mut self, side: Side, stream: u32, opcode: u8, payload: &[u8]) -> &mut Self {
        self.ws(side, stream, Frame::new(opcode, payload).open())
    }

    /// Ends a message in fragments, which `parts` lists.
    pub(crate) fn last_part(&mut self, side: Side, stream: u32, opcode: u8, parts: &[&[u8]]) -> &mut Self {
        let (frames, payload) = (parts.len() as u64, parts.concat());
        self.said.entry(stream).or_default().push(Said { dir: side.dir(), opcode, frames, payload, packed: None });
        self.ws(side, stream, Frame::new(CONTINUATION, *parts.last().unwrap()))
    }

    /// Closes a WebSocket and its stream: the client asks, the server answers.
    pub(crate) fn close(&mut self, stream: u32) -> &mut Self {
        let body = Frame::close(1000, "done").payload;
        self.say(Client, stream, CLOSE, body.clone()).say(Server, stream, CLOSE, body);
        self.frame(Server, DATA, END_STREAM, stream, &[]).frame(Client, DATA, END_STREAM, stream, &[])
    }

    /// Resets a stream.
    pub(crate) fn reset(&mut self, side: Side, stream: u32, code: u32) -> &mut Self {
        self.frame(side, RST_STREAM, 0, stream, &code.to_be_bytes())
    }

    /// Gives the connection up.
    pub(crate) fn go_away(&mut self, side: Side, last: u32, code: u32, debug: &str) -> &mut Self {
        self.frame(side, GOAWAY, 0, 0, &[&last.to_be_bytes()[..], &code.to_be_bytes(), debug.as_bytes()].concat())
    }

    /// A connection on which several WebSockets speak in turn, in fragments too, between plain requests: the ordinary subject of a law.
    pub(crate) fn sample(n: usize) -> Self {
        Self::bare(n).samples(n, 0)
    }

    /// The same of one that has not begun, whose streams begin behind so many.
    pub(crate) fn samples(mut self, n: usize, behind: u32) -> Self {
        use super::frame::{BINARY, TEXT};
        let h2 = &mut self;
        let [one, three, five, seven] = [1, 3, 5, 7].map(|stream| stream + behind);
        h2.greet();
        h2.ask(one, &[("origin", "http://lab.test")]);
        h2.head(
            Client,
            three,
            END_STREAM,
            &[(":method", "GET"), (":scheme", "http"), (":path", "/x"), (":authority", "lab.test")],
        );
        h2.accept(one, &[]).say(Server, one, TEXT, format!("welcome {n}"));
        h2.head(Server, three, 0, &[(":status", "200"), ("content-type", "text/plain")]);
        h2.frame(Server, DATA, 0, three, b"\x81\x05Hello").open(five);
        h2.part(Client, one, TEXT, b"one ").part(Client, five, TEXT, b"eins ").say(Client, one, PING, "p");
        h2.last_part(Client, one, TEXT, &[b"one ", b"two"]).frame(Server, H2_PING, 0, 0, &[7; 8]);
        h2.say(Server, five, BINARY, (0..900).map(|i| (i * 7 + n) as u8).collect::<Vec<_>>());
        h2.last_part(Client, five, TEXT, &[b"eins ", b"zwei"])
            .say(Server, one, TEXT, "h\u{e9}llo \u{2713}")
            .open(seven);
        h2.say(Client, seven, TEXT, "").say(Server, seven, TEXT, "short").close(one);
        h2.frame(Server, DATA, END_STREAM, three, b"bye")
            .say(Client, five, BINARY, vec![n as u8; 126])
            .close(five)
            .close(seven);
        self
    }
}
