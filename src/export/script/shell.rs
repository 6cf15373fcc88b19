//! A shell script for websocat: what clients said, each connection a pipe.
//!
//! ```text
//! {
//! sleep 1                                             until websocat has connected
//! sleep 0.312
//! printf '\000\000\000\006Thello'                     its length, T for text, and the text
//! printf '\000\000\000\012B'; printf %s AAEC… | base64 -d     B for binary
//! } | websocat … -- lengthprefixed:stdio: "$server"'/chat' &
//! ```
//!
//! Lengths before messages let them have any bytes: websocat's lines end at newlines, and its chunks where the pipe's do.
//! Messages of connections interleave, so what belongs to one waits in a [`Spool`].

use super::{headers, path};
use crate::export::spool::{OpenStore, Spool, kept};
use crate::export::{Exporter, Out, Totals, json, payload};
use crate::model::{ConnId, Direction, Event, Handshake, Mark, Message, Opcode, Stamp, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;

/// Before the connections.
const BEGIN: &str = concat!(
    "#!/bin/sh\n",
    "# Says to a server what the clients of a capture said, with their pauses. Needs websocat 1.13.\n",
    "# Made by wspect ",
    env!("CARGO_PKG_VERSION"),
    ".\n",
    "server=${1:?name a server, as ws://HOST:PORT}\n",
    "server=${server%/}\n"
);

/// Writes a shell script.
pub struct Shell {
    spool: Spool<ConnId>,
    /// Connections that are not written.
    pending: BTreeMap<ConnId, Pending>,
    /// With what lets somebody in.
    secrets: bool,
    /// When the first connection was opened.
    origin: Option<Timestamp>,
    is_begun: bool,
}

/// A connection beside what its client said.
#[derive(Debug, Default)]
struct Pending {
    /// The words behind `websocat`.
    command: Option<String>,
    /// When it was asked for.
    asked: Mark,
    /// When something was said last.
    last: Mark,
    /// The client's Close frame: code and reason.
    close: Option<(u16, String)>,
    is_closed: bool,
}

impl Shell {
    /// A script that waits in what `open` makes; with cookies and credentials if `secrets`.
    pub fn new(open: OpenStore, secrets: bool) -> Self {
        let spool = Spool::new(open);
        Self { spool, pending: BTreeMap::new(), secrets, origin: None, is_begun: false }
    }

    fn begin(&mut self, out: &mut Out<'_>) {
        if !std::mem::replace(&mut self.is_begun, true) {
            out.text(BEGIN);
        }
    }

    fn handshake(&mut self, conn: ConnId, at: Mark, handshake: &Handshake) {
        let Some(pending) = self.pending.get_mut(&conn) else { return };
        let Handshake { request, response, .. } = handshake;
        (pending.asked, pending.last) = (at, at);
        if let Some(head) = request {
            pending.asked = head.span.first;
            pending.last = response.as_ref().map_or(head.span.last, |head| head.span.last);
        }
        pending.command = Some(command(handshake, self.secrets));
    }

    fn message(&mut self, conn: ConnId, message: &Message<'_>) -> std::io::Result<()> {
        let Some(pending) = self.pending.get_mut(&conn) else { return Ok(()) };
        if pending.command.is_none() {
            (pending.asked, pending.last) = (message.brought, message.brought);
            pending.command = Some(command(&Handshake::default(), self.secrets));
        }
        let is_data = matches!(message.opcode, Opcode::TEXT | Opcode::BINARY);
        if message.dir != Direction::ToServer || !is_data && message.opcode != Opcode::CLOSE {
            return Ok(());
        }
        let mut out = Out::memory();
        pause(pending.last, message.brought, &mut out);
        pending.last = message.brought;
        if is_data {
            write_message(message, &mut out);
        } else {
            let reason = |reason| String::from_utf8_lossy(reason).into_owned();
            pending.close = message.close.map(|close| (close.code.0, reason(close.reason)));
        }
        self.spool.push(conn, out.bytes())
    }

    /// Writes the connections whose turn has come: those before the first that goes on.
    fn release(&mut self, all: bool, out: &mut Out<'_>) -> ControlFlow<()> {
        while let Some(first) = self.pending.first_entry().filter(|first| all || first.get().is_closed) {
            let (conn, pending) = first.remove_entry();
            if let Some(command) = &pending.command {
                self.write(conn, command, &pending, out)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn write(&mut self, conn: ConnId, command: &str, pending: &Pending, out: &mut Out<'_>) -> ControlFlow<()> {
        self.origin = self.origin.or(pending.asked.time);
        out.line(&format!("\n# Connection {conn}\n{{"));
        pause(Mark { time: self.origin, ..pending.asked }, pending.asked, out);
        // What is said before websocat has connected would be said all at once.
        out.line("{\nsleep 1");
        kept(self.spool.take(conn, out), out)?;
        let close = pending.close.as_ref().map_or(String::new(), |(code, reason)| {
            format!(" --close-status-code {code} --close-reason={}", quoted(reason))
        });
        out.line(&format!(":\n}} | websocat{close} {command} >/dev/null\n}} &"));
        out.end_row()
    }
}

impl Exporter for Shell {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.begin(out);
        let Some(conn) = at.conn else { return ControlFlow::Continue(()) };
        match event {
            Event::Opened(_) => {
                self.pending.insert(conn, Pending::default());
            }
            Event::Handshake(handshake) => self.handshake(conn, at.at, handshake),
            Event::Message(message) => return kept(self.message(conn, message), out),
            Event::Closed(_) => {
                if let Some(pending) = self.pending.get_mut(&conn) {
                    pending.is_closed = true;
                }
                return self.release(false, out);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn hears_payloads(&self) -> bool {
        true
    }

    fn finish(&mut self, _: &Totals, out: &mut Out<'_>) {
        self.begin(out);
        if self.release(true, out).is_continue() {
            out.line("\nwait");
        }
    }
}

/// The command that opens the same connection and sends what is typed; with cookies and credentials if `secrets`.
pub fn websocat(handshake: &Handshake, url: &str, secrets: bool) -> String {
    format!("websocat{} {}", options(handshake, secrets), quoted(url))
}

/// Options of websocat for a handshake, and the address.
fn command(handshake: &Handshake, secrets: bool) -> String {
    let options = options(handshake, secrets);
    let path = quoted(path(handshake.request.as_ref()));
    format!("-E -b -B 268435456 --text-prefix T --binary-prefix B{options} -- lengthprefixed:stdio: \"$server\"{path}")
}

/// What a client said of itself, as options of websocat.
fn options(handshake: &Handshake, secrets: bool) -> String {
    let mut words = String::new();
    let offered = handshake.subprotocols_offered.iter().flatten();
    let offered: Vec<&str> = offered.map(String::as_str).collect();
    if !offered.is_empty() {
        let _ = write!(words, " --protocol={}", quoted(&offered.join(", ")));
    }
    for (name, value) in headers(handshake.request.as_ref(), secrets) {
        let _ = write!(words, " -H={}", quoted(&format!("{name}: {value}")));
    }
    words
}

/// A word for the shell: in single quotes nothing has a meaning but their end. Controls and hidden characters are dropped:
/// a head has none that it needs.
fn quoted(text: &str) -> String {
    let shown = text.chars().filter(|&c| !c.is_control() && !crate::escape::is_hidden(c));
    let mut word = String::from("'");
    for c in shown {
        if c == '\'' { word.push_str("'\\''") } else { word.push(c) }
    }
    word + "'"
}

/// Appends a pause, to the microsecond; none below a millisecond, which `sleep` takes by itself.
fn pause(from: Mark, to: Mark, out: &mut Out<'_>) {
    let micros = to.since(from).unwrap_or(0).max(0) / 1000;
    if micros >= 1000 {
        out.line(&format!("sleep {}.{:06}", micros / 1_000_000, micros % 1_000_000));
    }
}

/// Appends what prints a message, with its length before it.
fn write_message(message: &Message<'_>, out: &mut Out<'_>) {
    let text = payload::restored(message).filter(|_| message.opcode == Opcode::TEXT);
    let bytes = text.as_ref().map_or(message.body.kept, |text| text.as_bytes());
    let length = u32::try_from(bytes.len() + 1).unwrap_or(u32::MAX);
    out.text("printf '");
    for byte in length.to_be_bytes() {
        octal(byte, out);
    }
    out.text(if message.opcode == Opcode::TEXT { "T" } else { "B" });
    match text {
        Some(text) => {
            escape(&text, out);
            out.text("'\n");
        }
        None => {
            out.text("'; printf %s ");
            json::base64(out, bytes);
            out.text(" | base64 -d\n");
        }
    }
}

/// Appends text for a format of `printf` in single quotes.
fn escape(text: &str, out: &mut Out<'_>) {
    for c in text.chars() {
        let is_plain = !matches!(c, '\'' | '\\' | '%') && !c.is_control() && !crate::escape::is_hidden(c);
        if is_plain {
            out.bytes().extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| octal(byte, out));
        }
    }
}

fn octal(byte: u8, out: &mut Out<'_>) {
    let digit = |shift: u8| b'0' + ((byte >> shift) & 7);
    out.bytes().extend([b'\\', digit(6), digit(3), digit(0)]);
}
