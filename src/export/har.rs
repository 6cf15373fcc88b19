//! HAR 1.2 (HTTP Archive), with WebSocket messages as Chrome writes them.
//!
//! An entry is a connection, and messages of connections interleave: what belongs to an entry that cannot be written yet
//! waits in a [`Spool`]. Entries come in the order of connections, each as soon as it and all before it ended.

mod entry;

use super::json::{self, lit};
use super::spool::{OpenStore, Spool, kept};
use super::{Exporter, Out, Totals, payload};
use crate::model::{ConnId, Connection, Direction, Event, Handshake, Message, Opcode, Span, Stamp, Timestamp};
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;

/// Writes a HAR file.
pub struct Har {
    spool: Spool<(ConnId, Section)>,
    /// Connections whose entries are not written.
    pending: BTreeMap<ConnId, Pending>,
    /// With control frames.
    control: bool,
    is_begun: bool,
    entries: u64,
}

/// A part of an entry that is written before the entry's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Section {
    /// `request` and `response`.
    Heads,
    /// The members of `_webSocketMessages`.
    Messages,
}

/// What is known of an entry beside its sections.
struct Pending {
    row: Connection,
    /// From the first packet of the request to its last.
    asked: Option<Span>,
    /// The same of the answer.
    answered: Option<Span>,
}

impl Har {
    /// A file whose entries wait in what `open` makes; with control frames, which Chrome leaves out, if `control`.
    pub fn new(open: OpenStore, control: bool) -> Self {
        Self { spool: Spool::new(open), pending: BTreeMap::new(), control, is_begun: false, entries: 0 }
    }

    fn begin(&mut self, out: &mut Out<'_>) {
        if !std::mem::replace(&mut self.is_begun, true) {
            out.text(concat!(
                r#"{"log":{"version":"1.2","creator":{"name":"wspect","version":""#,
                env!("CARGO_PKG_VERSION"),
                r#""},"entries":["#
            ));
        }
    }

    fn handshake(&mut self, conn: ConnId, handshake: &Handshake) -> io::Result<()> {
        let Some(pending) = self.pending.get_mut(&conn) else { return Ok(()) };
        if !self.spool.is_empty((conn, Section::Heads)) {
            return Ok(());
        }
        pending.asked = handshake.request.as_ref().map(|head| head.span);
        pending.answered = handshake.response.as_ref().map(|head| head.span);
        let mut heads = Vec::new();
        entry::write_heads(&pending.row, handshake, &mut heads);
        self.spool.push((conn, Section::Heads), &heads)
    }

    fn message(&mut self, conn: ConnId, at: &Stamp, message: &Message<'_>) -> io::Result<()> {
        if message.opcode.is_control() && !self.control {
            return Ok(());
        }
        let key = (conn, Section::Messages);
        let mut out = Out::memory();
        out.text(if self.spool.is_empty(key) { "\n" } else { ",\n" });
        write_message(at.at.time, message, &mut out);
        self.spool.push(key, out.bytes())
    }

    /// Writes the entries whose turn has come: those before the first that goes on.
    fn release(&mut self, out: &mut Out<'_>) -> ControlFlow<()> {
        while let Some(first) = self.pending.first_entry().filter(|first| first.get().row.closed.is_some()) {
            let (conn, pending) = first.remove_entry();
            self.write(conn, &pending, out)?;
        }
        ControlFlow::Continue(())
    }

    fn write(&mut self, conn: ConnId, pending: &Pending, out: &mut Out<'_>) -> ControlFlow<()> {
        out.text(if self.entries == 0 { "\n" } else { ",\n" });
        self.entries += 1;
        entry::begin(pending, out.bytes());
        if self.spool.is_empty((conn, Section::Heads)) {
            entry::write_heads(&pending.row, &Handshake::default(), out.bytes());
        }
        let heads = self.spool.take((conn, Section::Heads), out);
        lit!(out.bytes(), r#","_webSocketMessages":["#);
        let messages = heads.and_then(|()| self.spool.take((conn, Section::Messages), out));
        lit!(out.bytes(), "]}");
        kept(messages, out)?;
        out.end_row()
    }
}

impl Exporter for Har {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.begin(out);
        let Some(conn) = at.conn else { return ControlFlow::Continue(()) };
        if let Event::Opened(opened) = event {
            let row = Connection::new(conn, at, opened);
            self.pending.insert(conn, Pending { row, asked: None, answered: None });
        }
        if let Some(pending) = self.pending.get_mut(&conn) {
            pending.row.apply(at, event);
        }
        match event {
            Event::Handshake(handshake) => kept(self.handshake(conn, handshake), out),
            Event::Message(message) => kept(self.message(conn, at, message), out),
            Event::Closed(_) => self.release(out),
            _ => ControlFlow::Continue(()),
        }
    }

    fn hears_payloads(&self) -> bool {
        true
    }

    fn finish(&mut self, _: &Totals, out: &mut Out<'_>) {
        self.begin(out);
        for (conn, pending) in std::mem::take(&mut self.pending) {
            if out.is_full() || self.write(conn, &pending, out).is_break() {
                break;
            }
        }
        out.text("\n]}}\n");
    }
}

/// Appends one member of `_webSocketMessages`. Keys that begin with `_` say what HAR has no words for.
fn write_message(time: Option<Timestamp>, message: &Message<'_>, out: &mut Out<'_>) {
    let row = out.bytes();
    lit!(row, r#"{"type":"#);
    json::name(row, if message.dir == Direction::ToServer { "send" } else { "receive" });
    lit!(row, r#","time":"#);
    entry::decimal(time.map_or(0, Timestamp::nanos), 9, row);
    lit!(row, r#","opcode":"#);
    json::int(row, message.opcode.0);
    lit!(row, r#","data":"#);
    let is_text = write_data(message, out);
    let row = out.bytes();
    if message.opcode == Opcode::TEXT && !is_text {
        lit!(row, r#","_encoding":"base64""#);
    }
    if !message.complete {
        lit!(row, r#","_complete":false"#);
    }
    if !message.body.holes.is_empty() {
        lit!(row, r#","_missing":"#);
        json::list(row, message.body.holes, |row, hole| {
            lit!(row, "[");
            json::int(row, hole.offset);
            lit!(row, ",");
            json::opt_int(row, hole.len);
            lit!(row, "]");
        });
    }
    if message.body.is_truncated() {
        lit!(row, r#","_length":"#);
        json::int(row, message.body.len);
    }
    lit!(row, "}");
}

/// Appends `data`: text as it is, with a sign for each hole; everything else in base64. Whether it is text.
fn write_data(message: &Message<'_>, out: &mut Out<'_>) -> bool {
    let text = payload::restored(message);
    match &text {
        Some(text) => json::long_string(out, text),
        None => json::long_base64(out, message.body.kept),
    }
    text.is_some()
}
