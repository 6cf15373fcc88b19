//! What a dissection with a key log tells.

use crate::support::keys::secrets;
use crate::support::run::{Conversation, Message};
use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::Arc;
use wspect::capture::Reader;
use wspect::dissect::{Settings, run};
use wspect::model::{ConnId, Envelope, Event, Secrets, Sink, Stamp, TlsOutline, TlsSession};

/// All that was told.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) outlines: Vec<Option<TlsOutline>>,
    pub(crate) urls: Vec<Option<String>>,
    pub(crate) sessions: Vec<(Option<ConnId>, TlsSession)>,
    pub(crate) notes: Vec<(String, String)>,
    /// The details of the findings that have any, with their codes.
    pub(crate) details: Vec<(String, String)>,
    pub(crate) records: Vec<Envelope>,
    hears_records: bool,
}

/// Dissects a capture with the secrets of a key log.
pub(crate) fn dissect(capture: &[u8], keys: &str) -> Seen {
    dissect_with(capture, keys, Settings::default())
}

/// The same with secrets of any kind.
pub(crate) fn dissect_secrets(capture: &[u8], secrets: Secrets) -> Seen {
    settle(Seen::default(), capture, Settings { secrets: Arc::new(secrets), ..Settings::default() })
}

/// The same, and its TLS records.
pub(crate) fn dissect_records(capture: &[u8], keys: &str) -> Seen {
    let settings = Settings { secrets: Arc::new(secrets(keys)), ..Settings::default() };
    settle(Seen { hears_records: true, ..Seen::default() }, capture, settings)
}

/// The same, with these settings beside.
pub(crate) fn dissect_with(capture: &[u8], keys: &str, settings: Settings) -> Seen {
    settle(Seen::default(), capture, Settings { secrets: Arc::new(secrets(keys)), ..settings })
}

fn settle(mut seen: Seen, capture: &[u8], settings: Settings) -> Seen {
    let mut reader = Reader::new(Box::new(Cursor::new(capture.to_vec()))).unwrap();
    run(&mut reader, settings, &mut seen, &mut |_| ControlFlow::Continue(()));
    seen
}

impl Seen {
    /// All messages, whose connection they belong to aside.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.conversations.iter().flat_map(|conversation| &conversation.messages)
    }

    /// How often a finding was told.
    pub(crate) fn count(&self, code: &str) -> usize {
        self.notes.iter().filter(|note| note.0 == code).count()
    }
}

impl Sink for Seen {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        let conn = at.conn.map_or(0, |conn| conn.0 as usize);
        match event {
            Event::Opened(opened) => {
                assert_eq!(conn, self.conversations.len() + 1);
                self.outlines.push(opened.tls.as_deref().cloned());
                self.urls.push(opened.url.clone());
                self.conversations.push(Conversation {
                    conn: conn as u64,
                    stream: at.stream.unwrap().into(),
                    h2_stream: at.h2_stream.map(|stream| stream.0.into()),
                    client: opened.client.to_string(),
                    server: opened.server.to_string(),
                    state: String::new(),
                    messages: Vec::new(),
                });
            }
            Event::Message(m) => self.conversations[conn - 1].messages.push(Message {
                conn: conn as u64,
                stream: at.stream.unwrap().into(),
                packet: at.at.packet.0,
                first_packet: m.span.first.packet.0,
                number: m.number,
                dir: m.dir.name().to_owned(),
                kind: m.opcode.name().to_owned(),
                opcode: m.opcode.0,
                frames: m.frames,
                compressed: m.compressed,
                wire_len: m.wire_len,
                len: m.body.len,
                complete: m.complete,
                truncated: false,
                payload: m.body.kept.to_vec(),
                close_code: m.close.map(|close| close.code.0.into()),
                close_reason: m.close.map(|close| String::from_utf8_lossy(close.reason).into_owned()),
                rtt: m.rtt,
                missing: m.body.holes.iter().map(|hole| (hole.offset, hole.len)).collect(),
                inferred: m.inferred,
                findings: m.findings.iter().map(|code| code.name().to_owned()).collect(),
            }),
            Event::Note(note) => {
                self.details.extend(note.detail.map(|detail| (note.code.name().to_owned(), detail.to_owned())));
                self.notes.push((note.code.name().to_owned(), note.sentence().to_owned()));
            }
            Event::Record(record) => self.records.push(*record),
            Event::Tls(session) => self.sessions.push((at.conn, session.clone())),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn hears_records(&self) -> bool {
        self.hears_records
    }
}
