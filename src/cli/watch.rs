//! What passes on its way to the rows: counted, and told where the user must know.

use super::progress::Progress;
use super::signals::Stop;
use crate::escape;
use crate::export::{Exporter, Out, Redactor, Totals};
use crate::model::{
    Event, Fact, FileRun, Note, NoteCode, NoteSet, Severities, Severity, Sink, Stamp, TlsSession, TlsSum, clause, count,
};
use std::io;
use std::ops::ControlFlow;

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// WebSocket connections.
    pub connections: u64,
    /// Messages.
    pub messages: u64,
    /// Findings.
    pub findings: Severities,
    /// Findings that were left out.
    pub ignored: u64,
    /// The worst of those that were not.
    pub worst: Option<Severity>,
    /// The input was cut, bytes are missing from it, or the keys to some of it are.
    pub is_incomplete: bool,
    /// TLS streams.
    pub tls: TlsSum,
}

impl Tally {
    /// What is left out does not make the input whole.
    fn ignore(&mut self, note: &Note<'_>) {
        self.ignored += 1;
        self.is_incomplete |= means_loss(note.code);
    }

    fn count(&mut self, event: Event<'_>) {
        match event {
            Event::Opened(_) => self.connections += 1,
            Event::Message(_) => self.messages += 1,
            Event::Note(note) => {
                let severity = note.code.severity();
                self.findings.count(severity);
                self.worst = self.worst.max(Some(severity));
                self.is_incomplete |= means_loss(note.code);
            }
            Event::Tls(session) => {
                self.is_incomplete |= lacks(session);
                self.tls.count(session);
            }
            Event::Handshake(_) | Event::Frame(_) | Event::Exchange(_) | Event::Closed(_) => {}
            Event::Resent(_) | Event::Record(_) | Event::Carried(_) => {}
        }
    }
}

/// Whether a finding says that not all of what was sent can be shown, for want of bytes in the capture.
const fn means_loss(code: NoteCode) -> bool {
    matches!(
        code,
        NoteCode::FileCut
            | NoteCode::FileDamaged
            | NoteCode::FileLimit
            | NoteCode::FileBlock
            | NoteCode::PacketCut
            | NoteCode::IpFragment
            | NoteCode::TcpGap
            | NoteCode::TcpLimit
            | NoteCode::TlsBadTag
            | NoteCode::TlsGap
            | NoteCode::TlsUnverified
            | NoteCode::H2Gap
            | NoteCode::WsLost
    )
}

/// Whether a TLS stream holds what could not be decrypted.
const fn lacks(session: &TlsSession) -> bool {
    session.why_not.is_some()
}

/// The sink between dissection and rows.
pub(super) struct Watch<'a> {
    /// Takes the events and writes rows.
    pub exporter: &'a mut dyn Exporter,
    /// Where the rows go.
    pub out: Out<'a>,
    /// What was counted.
    pub tally: Tally,
    /// Where lines for the user go.
    pub progress: &'a Progress,
    /// Whether nothing more is to be read.
    pub stop: &'a Stop,
    /// The input's name in them.
    pub name: &'a str,
    /// What of them is not shown.
    pub redactor: &'a Redactor,
    /// Which findings are told at once; `None`: none.
    pub tell: Option<Tell>,
    /// Findings that are left out: neither told nor counted.
    pub ignored: NoteSet,
    /// All must be counted, even when no more rows are wanted.
    pub reads_all: bool,
    /// The input is no file: it may be waited for.
    pub is_live: bool,
    /// No more rows are wanted.
    pub is_done: bool,
}

/// Which findings are told on stderr as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tell {
    /// Those about the file, from warnings on.
    File,
    /// All.
    All,
}

impl<'a> Watch<'a> {
    /// Events go to `exporter`, rows to `out`; nothing is told.
    pub(super) fn new(
        exporter: &'a mut dyn Exporter,
        out: Out<'a>,
        progress: &'a Progress,
        stop: &'a Stop,
        redactor: &'a Redactor,
    ) -> Self {
        let (tally, is_done) = (Tally::default(), out.is_full());
        let (tell, ignored, reads_all, is_live) = (None, NoteSet::EMPTY, false, false);
        Self { exporter, out, tally, progress, stop, name: "", redactor, tell, ignored, reads_all, is_live, is_done }
    }

    /// Writes what could only be written at the end.
    ///
    /// # Errors
    /// The first error of all writing.
    pub(super) fn finish(mut self, totals: &Totals) -> io::Result<()> {
        self.exporter.finish(totals, &mut self.out);
        if let Some(rows) = self.out.tail_cut_to().filter(|_| self.tell.is_some()) {
            let rows = count(rows as u64, "row");
            self.progress
                .say(&format!("wspect: warning: --tail: the last {rows} only; more would not fit (wspect --limits)"));
        }
        self.out.finish()
    }

    /// Whether more is wanted.
    fn flow(&self) -> ControlFlow<()> {
        let is_enough = self.is_done && (!self.reads_all || self.out.has_failed());
        // A live input ends where it is stopped: what is known by then is told as at any end.
        let is_stopped = !self.is_live && self.stop.is_wanted();
        if is_enough || is_stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn tell(&self, at: &Stamp, note: &Note<'_>) {
        let severity = note.code.severity();
        let is_told = match self.tell {
            None => false,
            Some(Tell::File) => at.conn.is_none() && at.stream.is_none() && severity >= Severity::Warning,
            Some(Tell::All) => true,
        };
        if is_told {
            let place = at.place().map_or(String::new(), |place| format!(" {place}:"));
            let sentence = self.redactor.note(note, |note| clause(note.sentence()));
            let line = format!("wspect: {}: {}:{place} {sentence}", severity.name(), self.name);
            self.progress.say(&escape::display_str(&line));
        }
    }
}

impl Sink for Watch<'_> {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Note(note) if self.ignored.contains(note.code) => {
                self.tally.ignore(note);
                return self.flow();
            }
            Event::Note(note) => self.tell(at, note),
            _ => {}
        }
        self.tally.count(event);
        if !self.is_done {
            self.is_done = self.exporter.event(at, event, &mut self.out).is_break();
        }
        self.flow()
    }

    /// Rows of a live capture are there for who reads them behind a pipe, as soon as they are known.
    fn pause(&mut self) {
        if self.is_live {
            self.out.flush();
        }
    }

    fn file(&mut self, run: &FileRun) {
        self.exporter.file(run);
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        self.exporter.fact(file, fact);
    }

    fn hears_frames(&self) -> bool {
        self.exporter.hears_frames()
    }

    fn hears_payloads(&self) -> bool {
        self.exporter.hears_payloads()
    }

    fn hears_carried(&self) -> bool {
        self.exporter.hears_carried()
    }
}
