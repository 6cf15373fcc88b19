//! The table of findings: each row is raised by something, spared by something near it, and printed in `docs/FINDINGS.md`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

#[path = "../support/mod.rs"]
mod support;

mod capture;
mod closing;
mod evidence;
mod handshake;
mod http2;
mod legal;
mod messages;
mod page;
mod tls;
mod verdicts;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use support::craft::*;
use support::keys::secrets;
use wspect::capture::{Bytes, Part, Reader};
use wspect::dissect::{Settings, run};
use wspect::model::{Connection, Event, Limits, NOTES, Severity, Sink, Stamp};

/// One row of the table, put to the test.
struct Case {
    /// Its code.
    code: &'static str,
    /// A capture that raises it.
    raises: Vec<u8>,
    /// One that nearly does.
    spares: Vec<u8>,
    /// The limits that the first is read with; the second has the usual ones.
    limits: Limits,
    /// The key logs that they are read with.
    keys: [String; 2],
}

fn case(code: &'static str, raises: Vec<u8>, spares: Vec<u8>) -> Case {
    Case { code, raises, spares, limits: Limits::DEFAULT, keys: [const { String::new() }; 2] }
}

/// What a dissection tells, in words.
#[derive(Default)]
struct Told {
    /// Code, sentence and severity of each finding.
    findings: Vec<(&'static str, String, Severity)>,
    /// Its packet, frame and message.
    places: Vec<(u64, Option<u64>, Option<u64>)>,
    /// Of each message, how many of its bytes are shown, if they are as text.
    texts: Vec<Option<usize>>,
    rows: Vec<Connection>,
}

impl Told {
    fn has(&self, code: &str) -> bool {
        self.findings.iter().any(|(found, ..)| *found == code)
    }

    /// Packet, frame and message of the first finding with that code.
    fn place(&self, code: &str) -> (u64, Option<u64>, Option<u64>) {
        let at = self.findings.iter().position(|(found, ..)| *found == code);
        self.places[at.unwrap_or_else(|| panic!("no {code} among {:?}", self.findings))]
    }

    /// The sentence of the one finding with that code.
    fn sentence(&self, code: &str) -> &str {
        let mut all = self.findings.iter().filter(|(found, ..)| *found == code);
        let (_, text, _) = all.next().unwrap_or_else(|| panic!("no {code} among {:?}", self.findings));
        assert!(all.next().is_none(), "{code} more than once");
        text
    }
}

impl Sink for Told {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        if let Event::Note(note) = event {
            self.places.push((note.at.packet.0, note.frame, note.msg));
            self.findings.push((note.code.name(), note.sentence().to_owned(), note.code.severity()));
        }
        if let Event::Message(message) = event {
            self.texts.push(message.is_text().then_some(message.body.kept.len()));
        }
        if let (Some(conn), Event::Opened(opened)) = (at.conn, event) {
            self.rows.push(Connection::new(conn, at, opened));
        }
        if let Some(row) = at.conn.and_then(|conn| self.rows.iter_mut().find(|row| row.id == conn)) {
            row.apply(at, event);
        }
        ControlFlow::Continue(())
    }
}

fn told_with(file: &[u8], limits: Limits, keys: &str) -> Told {
    let settings = Settings { limits, secrets: Arc::new(secrets(keys)), ..Settings::default() };
    let mut told = Told::default();
    let bytes = Bytes::Stream(Box::new(std::io::Cursor::new(file.to_vec())));
    let part = Part { name: "capture".into(), bytes };
    let mut reader = Reader::timeline(vec![part], &limits).unwrap_or_else(|(_, error)| panic!("{error}"));
    run(&mut reader, settings, &mut told, &mut |_| ControlFlow::Continue(()));
    told
}

fn told(file: &[u8]) -> Told {
    told_with(file, Limits::DEFAULT, "")
}

/// A capture of segments 100 µs apart, but for pauses before some: the index of the segment, and milliseconds.
fn paced(segments: &[Segment], pauses: &[(usize, i64)]) -> Vec<u8> {
    let wire = Wire::default();
    let packets = segments.iter().enumerate().map(|(at, segment)| {
        let paused: i64 = pauses.iter().filter(|(before, _)| *before <= at).map(|(_, millis)| millis * 1_000_000).sum();
        wire.packet(segment, time_of(at) + paused)
    });
    Pcap::default().file(&packets.collect::<Vec<_>>())
}

/// The index of the segment with which a session's turn begins: three come before, and each turn is acknowledged.
const fn turn(at: usize) -> usize {
    3 + 2 * at
}

/// An upgraded session that says something.
fn talk(say: impl FnOnce(&mut Session)) -> Session {
    let mut session = Session::new(1);
    say(&mut session);
    session
}

/// The capture of such a session.
fn talked(say: impl FnOnce(&mut Session)) -> Vec<u8> {
    capture_of(&talk(say).segments())
}

/// The segments of a session that ends with a RST of the side that did not speak last.
fn reset(session: &Session) -> Vec<Segment> {
    let mut segments = Session { fin: false, ..session.clone() }.segments();
    let mut rst = segments.last().unwrap().clone();
    rst.flags = RST | ACK;
    segments.push(rst);
    segments
}

/// The segments of a session that the server ends first.
fn server_first(session: &Session) -> Vec<Segment> {
    let mut segments = session.segments();
    let end = segments.len();
    segments.swap(end - 3, end - 2);
    segments[end - 3].ack -= 1;
    segments[end - 2].ack += 1;
    segments
}

/// Rows that no dissection raises: `wspect types --new` does, whose tests hold for them.
const ON_REQUEST: [&str; 1] = ["TYPE-NEW"];

#[test]
fn each_row_is_raised_and_nearly_raised() {
    let mut cases: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    let all = [capture::cases(), tls::cases(), handshake::cases(), http2::cases(), messages::cases(), closing::cases()];
    for case in all.into_iter().flatten() {
        cases.entry(case.code).or_default().push(case);
    }
    for row in NOTES.iter().filter(|row| !ON_REQUEST.contains(&row.name)) {
        let cases = cases.remove(row.name).unwrap_or_else(|| panic!("{}: nothing raises it", row.name));
        for Case { code, raises, spares, limits, keys } in cases {
            let raised = told_with(&raises, limits, &keys[0]);
            let spared = told_with(&spares, Limits::DEFAULT, &keys[1]);
            assert!(raised.has(code), "{code} is not raised, only {:?}", raised.findings);
            assert!(!spared.has(code), "{code} is raised by its near miss: {}", spared.sentence(code));
        }
    }
    assert!(cases.is_empty(), "no row for {:?}", cases.keys());
}
