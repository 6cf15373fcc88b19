//! A Python program: a player, which is the same for all captures, and what was said as data below it.
//!
//! ```text
//! #: 1 {"at":0,"answered":1200,"path":"/chat",…}                     a connection: its handshake, in nanoseconds
//! #: 1 {"at":51200,"from":"client","type":"text","text":"hello"}    who said what when
//! ```
//!
//! Lines stand in the order of the capture, so that nothing waits to be written; the player looks up where those of each
//! connection stand.

use super::{headers, path};
use crate::export::json::{self, lit};
use crate::export::{Exporter, Out, Totals, payload};
use crate::model::{
    ConnId, Direction, Event, Extension, Handshake, Mark, Message, Opcode, Stamp, StartLine, Timestamp,
};
use foldhash::HashMap;
use std::io::Write as _;
use std::ops::ControlFlow;

/// The player.
const PLAYER: &str = include_str!("replay.py");

/// Writes a program for Python.
pub struct Python {
    /// When time begins; the first time that is seen where nobody knew.
    origin: Option<Timestamp>,
    /// With what lets somebody in.
    secrets: bool,
    is_begun: bool,
    live: HashMap<ConnId, Live>,
}

/// A connection that goes on.
#[derive(Debug, Clone, Copy, Default)]
struct Live {
    /// Its first line is written.
    is_begun: bool,
    /// A Close frame was told.
    is_closing: bool,
}

impl Python {
    /// A program whose times begin with `origin`; with cookies and credentials if `secrets`.
    pub fn new(origin: Option<Timestamp>, secrets: bool) -> Self {
        Self { origin, secrets, is_begun: false, live: HashMap::default() }
    }

    fn begin(&mut self, out: &mut Out<'_>) {
        if !std::mem::replace(&mut self.is_begun, true) {
            out.text(PLAYER);
            out.line(concat!("\n# Made by wspect ", env!("CARGO_PKG_VERSION"), ". What was said:"));
        }
    }

    /// Nanoseconds since time began; 0 where the capture has no times.
    fn nanos(&mut self, at: Mark) -> i64 {
        let Some(time) = at.time else { return 0 };
        time.since(*self.origin.get_or_insert(time))
    }

    /// Appends the first line of a connection.
    fn open(&mut self, conn: ConnId, at: Mark, handshake: &Handshake, out: &mut Out<'_>) -> ControlFlow<()> {
        let live = self.live.entry(conn).or_default();
        if std::mem::replace(&mut live.is_begun, true) {
            return ControlFlow::Continue(());
        }
        let Handshake { request, response, .. } = handshake;
        let (request, response) = (request.as_ref(), response.as_ref());
        let asked = self.nanos(request.or(response).map_or(at, |head| head.span.first));
        let answered = self.nanos(response.or(request).map_or(at, |head| head.span.last));
        let row = out.bytes();
        let _ = write!(row, r#"#: {conn} {{"at":{asked},"answered":{answered},"url":"#);
        json::opt_string(row, handshake.url.as_deref());
        lit!(row, r#","path":"#);
        json::string(row, path(request));
        lit!(row, r#","subprotocols":"#);
        json::list(row, handshake.subprotocols_offered.iter().flatten(), |row, name| json::string(row, name));
        lit!(row, r#","deflate":"#);
        json::bool(row, has_deflate(handshake));
        lit!(row, r#","headers":"#);
        json::list(row, headers(request, self.secrets), pair);
        lit!(row, r#","status":"#);
        // What is played is HTTP/1.1, also of what was said over HTTP/2.
        let status = handshake.status().map(|status| if handshake.accepted == Some(true) { 101 } else { status });
        json::opt_int(row, status);
        lit!(row, r#","reason":"#);
        json::string(row, reason(handshake));
        lit!(row, r#","subprotocol":"#);
        json::opt_string(row, handshake.subprotocol.as_deref());
        lit!(row, r#","answer":"#);
        json::list(row, headers(response, self.secrets), pair);
        lit!(row, "}\n");
        out.end_row()
    }

    fn message(&mut self, conn: ConnId, message: &Message<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let is_answer = message.opcode == Opcode::PONG && message.rtt.is_some();
        // Whoever plays answers pings by itself, and has no words for what is reserved.
        if is_answer || message.opcode.is_reserved() || message.opcode == Opcode::CONTINUATION {
            return ControlFlow::Continue(());
        }
        self.open(conn, message.brought, &Handshake::default(), out)?;
        self.line(conn, message.brought, message.dir, message.opcode.name(), out);
        if message.opcode == Opcode::CLOSE {
            self.live.entry(conn).or_default().is_closing = true;
            lit!(out.bytes(), r#","code":"#);
            json::opt_int(out.bytes(), message.close.map(|close| close.code.0));
            lit!(out.bytes(), r#","reason":"#);
            let reason = message.close.map_or(&[][..], |close| close.reason);
            json::string(out.bytes(), &String::from_utf8_lossy(reason));
        } else if message.opcode.is_control() {
            lit!(out.bytes(), r#","body":"#);
            json::long_base64(out, message.body.kept);
        } else if let Some(text) = payload::restored(message) {
            lit!(out.bytes(), r#","text":"#);
            json::long_string(out, &text);
        } else {
            lit!(out.bytes(), r#","bytes":"#);
            json::long_base64(out, message.body.kept);
        }
        lit!(out.bytes(), "}\n");
        out.end_row()
    }

    /// Appends how a connection ended, where no Close frame did.
    fn closed(&mut self, conn: ConnId, ended: Option<(Direction, Mark)>, out: &mut Out<'_>) -> ControlFlow<()> {
        let live = self.live.remove(&conn).unwrap_or_default();
        let Some((dir, at)) = ended.filter(|_| live.is_begun && !live.is_closing) else {
            return ControlFlow::Continue(());
        };
        self.line(conn, at, dir, "end", out);
        lit!(out.bytes(), "}\n");
        out.end_row()
    }

    fn line(&mut self, conn: ConnId, at: Mark, dir: Direction, what: &str, out: &mut Out<'_>) {
        let from = if dir == Direction::ToServer { "client" } else { "server" };
        let at = self.nanos(at);
        let _ = write!(out.bytes(), r#"#: {conn} {{"at":{at},"from":"{from}","type":"{what}""#);
    }
}

impl Exporter for Python {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.begin(out);
        let Some(conn) = at.conn else { return ControlFlow::Continue(()) };
        match event {
            Event::Handshake(handshake) => self.open(conn, at.at, handshake, out),
            Event::Message(message) => self.message(conn, message, out),
            Event::Closed(closed) => self.closed(conn, closed.ends.by_peer().map(|(dir, _, at)| (dir, at)), out),
            _ => ControlFlow::Continue(()),
        }
    }

    fn hears_payloads(&self) -> bool {
        true
    }

    fn finish(&mut self, _: &Totals, out: &mut Out<'_>) {
        self.begin(out);
    }
}

fn pair(row: &mut Vec<u8>, (name, value): (&str, &str)) {
    json::list(row, [name, value], json::string);
}

fn has_deflate(handshake: &Handshake) -> bool {
    let agreed = handshake.extensions.iter().flatten();
    agreed.map(|extension| Extension::parse(extension)).any(|extension| extension.is("permessage-deflate"))
}

fn reason(handshake: &Handshake) -> &str {
    match handshake.response.as_ref().map(|head| &head.start) {
        Some(StartLine::Response { reason, .. }) => reason,
        _ => "",
    }
}
