//! What was said, as a document: connections, handshakes in short, messages, findings and ends, in the order of the capture.
//!
//! What a row says is made here, once for all documents; how it looks is a [`Markup`]. Words know who wrote them, so that
//! each markup makes hostile ones safe in its own way.

mod markdown;
mod plain;

pub use markdown::Markdown;
pub use plain::Plain;

use super::around::Around;
use super::payload::{self, PayloadMode, PayloadOptions};
use super::time::Clock;
use super::{Exporter, Out, Totals, agreed, head, table};
use crate::model::{
    Closed, ConnId, Connection, Direction, Event, FileRun, FileRuns, Handshake, Message, Note, Opcode, Opened,
    PacketNo, Severity, Stamp, Timestamp, clause, count, duration,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Words of a row. None is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Words of ours.
    Ours(String),
    /// Somebody else's: a URL, a name.
    Theirs(String),
    /// A sentence of ours that quotes others.
    Mixed(String),
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A connection begins.
    Opened,
    /// Its handshake.
    Handshake,
    /// A message.
    Message(Opcode),
    /// A finding.
    Finding(Severity),
    /// The connection is over, or the capture is.
    Closed,
}

/// A row: one line of a document, and perhaps a payload below it.
#[derive(Debug)]
pub struct Row {
    /// What it is about.
    pub about: About,
    /// The connection; `None` for what concerns the file.
    pub conn: Option<ConnId>,
    /// The message.
    pub msg: Option<u64>,
    /// Which way it went.
    pub dir: Option<Direction>,
    /// When, as the clock says it.
    pub time: String,
    /// What there is to say, in order.
    pub words: Vec<Word>,
}

/// How rows look.
pub trait Markup {
    /// What stands before the first row.
    fn begin(&mut self, out: &mut Out<'_>);

    /// One row, and below it what a message says, if that is to be shown.
    fn row(&mut self, row: &Row, body: Option<(&Message<'_>, PayloadOptions)>, out: &mut Out<'_>);

    /// What stands behind the last row.
    fn end(&mut self, out: &mut Out<'_>);
}

/// Writes a document.
pub struct Transcript<M> {
    markup: M,
    clock: Clock,
    payload: PayloadOptions,
    files: FileRuns,
    around: Around,
    /// What is known of the connections that are open, for the verdict on their ends.
    open: BTreeMap<ConnId, Connection>,
    is_begun: bool,
}

impl<M: Markup> Transcript<M> {
    /// A document with times of this clock and payloads shown so.
    pub fn new(markup: M, clock: Clock, payload: PayloadOptions) -> Self {
        let (files, around, open) = (FileRuns::default(), Around::default(), BTreeMap::new());
        Self { markup, clock, payload, files, around, open, is_begun: false }
    }

    pub(super) const fn markup(&mut self) -> &mut M {
        &mut self.markup
    }

    fn begin(&mut self, out: &mut Out<'_>) {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.markup.begin(out);
        }
    }

    fn row(&mut self, about: About, at: &Stamp, dir: Option<Direction>, words: Vec<Word>) -> Row {
        let mut time = String::new();
        self.clock.write(at.at.time, &mut time);
        Row { about, conn: at.conn, msg: None, dir, time, words }
    }

    fn write(&mut self, row: &Row, out: &mut Out<'_>) -> ControlFlow<()> {
        self.markup.row(row, None, out);
        out.end_row()
    }

    fn message(&mut self, at: &Stamp, message: &Message<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let is_close = message.opcode == Opcode::CLOSE && self.payload.mode == PayloadMode::Auto;
        let words = message_words(message, is_close);
        let mut row = self.row(About::Message(message.opcode), at, Some(message.dir), words);
        row.msg = Some(message.number);
        let has_body = !is_close && self.payload.mode != PayloadMode::None && !message.body.kept.is_empty();
        self.markup.row(&row, has_body.then_some((message, self.payload)), out);
        out.end_row()
    }

    fn finding(&mut self, at: &Stamp, note: &Note<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let severity = note.code.severity();
        let mut words = vec![Word::Ours(format!("{} {}", severity.word(), note.code))];
        let packet = note.shown_by(at);
        if packet != PacketNo(0) {
            words.extend([Word::Ours(" frame ".to_owned()), Word::Mixed(self.files.place(packet))]);
        }
        words.push(Word::Mixed(format!(": {}", clause(note.sentence()))));
        words.extend(note.detail.map(|detail| Word::Mixed(format!(" ({detail})"))));
        let mut row = self.row(About::Finding(severity), at, note.dir, words);
        row.msg = note.msg;
        self.write(&row, out)
    }

    fn closed(&mut self, at: &Stamp, closed: &Closed, out: &mut Out<'_>) -> ControlFlow<()> {
        let Some(mut connection) = at.conn.and_then(|conn| self.open.remove(&conn)) else {
            return ControlFlow::Continue(());
        };
        connection.apply(at, Event::Closed(closed));
        let words = vec![Word::Mixed(connection.verdict().text)];
        let row = self.row(About::Closed, at, None, words);
        self.write(&row, out)
    }
}

impl<M: Markup> Exporter for Transcript<M> {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.begin(out);
        self.around.learn(at, event);
        if let Some(conn) = at.conn {
            if let Event::Opened(opened) = event {
                self.open.insert(conn, Connection::new(conn, at, opened));
            }
            if let (Some(connection), false) = (self.open.get_mut(&conn), matches!(event, Event::Closed(_))) {
                connection.apply(at, event);
            }
        }
        match event {
            Event::Opened(opened) => {
                let mut words = opened_words(opened);
                words.extend(at.at.time.map(|time| Word::Ours(format!(", {}", date(time)))));
                let row = self.row(About::Opened, at, None, words);
                self.write(&row, out)
            }
            Event::Handshake(handshake) => {
                let tls = self.around.of(at).map(agreed);
                let words = handshake_words(handshake, tls);
                let row = self.row(About::Handshake, at, Some(Direction::ToClient), words);
                self.write(&row, out)
            }
            Event::Message(message) => self.message(at, message, out),
            Event::Note(note) => self.finding(at, note, out),
            Event::Closed(closed) => self.closed(at, closed, out),
            Event::Frame(_) | Event::Exchange(_) | Event::Resent(_) => ControlFlow::Continue(()),
            Event::Record(_) | Event::Carried(_) | Event::Tls(_) => ControlFlow::Continue(()),
        }
    }

    fn file(&mut self, run: &FileRun) {
        self.files.push(run.clone());
    }

    fn hears_payloads(&self) -> bool {
        true
    }

    fn finish(&mut self, _: &Totals, out: &mut Out<'_>) {
        self.begin(out);
        self.markup.end(out);
    }
}

/// The URL, who talks to whom, and by which way.
pub(super) fn opened_words(opened: &Opened) -> Vec<Word> {
    let mut words = match &opened.url {
        Some(url) => vec![Word::Theirs(url.clone())],
        None => vec![Word::Ours("no request captured".to_owned())],
    };
    words.push(Word::Ours(format!(", {} → {}", opened.client, opened.server)));
    for hop in &opened.via {
        words.extend([Word::Ours(" through ".to_owned()), Word::Theirs(hop.to_string())]);
    }
    words.extend(opened.wrapping().map(|wrapping| Word::Ours(format!(" {wrapping}"))));
    words
}

/// `2023-11-14 22:13:20 UTC`: what times of the document may be relative to.
pub(super) fn date(time: Timestamp) -> String {
    let text = time.to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{} UTC", seconds.replace('T', " "))
}

/// How it went and what was agreed on.
pub(super) fn handshake_words(handshake: &Handshake, tls: Option<String>) -> Vec<Word> {
    let (_, outcome) = head::outcome(handshake);
    let mut words = vec![Word::Ours("handshake ".to_owned()), Word::Mixed(outcome)];
    words.extend(handshake.latency.map(|latency| Word::Ours(format!(" in {}", duration(latency)))));
    if let Some(subprotocol) = &handshake.subprotocol {
        words.extend([Word::Ours(", subprotocol ".to_owned()), Word::Theirs(subprotocol.clone())]);
    }
    for extension in handshake.extensions.iter().flatten() {
        words.extend([Word::Ours(", ".to_owned()), Word::Theirs(extension.clone())]);
    }
    words.extend(tls.map(|tls| Word::Mixed(format!(", {tls}"))));
    words
}

/// What a message is, and what is wrong with it; of a Close frame why.
fn message_words(message: &Message<'_>, is_close: bool) -> Vec<Word> {
    let mut text = format!("{}, {}", table::kind(message), count(message.body.len, "byte"));
    for (_, fault) in table::faults(message) {
        text.push(' ');
        text.push_str(&fault);
    }
    if let Some(rtt) = message.rtt {
        text.push_str(&format!(", rtt {}", duration(rtt)));
    }
    if let Some(wait) = message.waited {
        text.push_str(&format!(", {wait}"));
    }
    let mut words = vec![Word::Ours(text)];
    if is_close {
        words.push(Word::Mixed(format!(": {}", payload::close_words(message))));
    }
    words
}

/// `1`, `1:2145`, or nothing for what concerns the file.
pub(super) fn place(row: &Row) -> String {
    match (row.conn, row.msg) {
        (Some(conn), Some(msg)) => format!("{conn}:{msg}"),
        (Some(conn), None) => conn.to_string(),
        (None, _) => String::new(),
    }
}
