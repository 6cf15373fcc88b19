//! The browser's job: a thread that reads and tells, beside the one that draws.

use super::exit::{Exit, Failure};
use super::input::{Input, Source, words};
use super::signals::Stop;
use super::{args::When, seen};
use crate::book::{Batch, Recorder};
use crate::capture::Reader;
use crate::dissect::{self, Summary};
use crate::export::clause;
use crate::model::{Event, Limits, Severity, Sink, Stamp};
use crate::tui::{self, ColorChoice, Loading, Options, Outcome, Progress};
use crossbeam_channel::{Sender, bounded};
use std::ops::ControlFlow;
use std::thread;

/// Batches that may wait for the screen before the reader does.
const WAITING: usize = 16;

/// Shows a capture in the terminal until the user leaves.
///
/// # Errors
/// When the input cannot be read, before the screen is taken; or when the terminal cannot be used.
pub(super) fn run(source: &Source, color: When) -> Result<Exit, Failure> {
    let stop = Stop::default();
    let input = source.open(&stop)?;
    let (name, total) = (input.name.clone(), input.len);
    let reader = if input.len.is_some() { Opening::Done(input.reader()?) } else { Opening::Later(input) };
    let (sender, receiver) = bounded(WAITING);
    let teller = Teller { total, sender, stop: stop.clone() };
    thread::spawn(move || teller.read(reader));
    let color = match color {
        When::Auto => ColorChoice::Auto,
        When::Always => ColorChoice::Always,
        When::Never => ColorChoice::Never,
    };
    let options = Options { color, ..Options::new(name) };
    tui::run(options, receiver, stop.flag())
        .map_err(|error| Failure::new(Exit::Output, format!("the terminal: {}", words(&error))))?;
    Ok(Exit::Done)
}

/// A file is known to be a capture before the screen is taken; a pipe may be silent for long, so it is opened behind it.
enum Opening {
    Done(Reader),
    Later(Input),
}

/// Tells the browser what is read.
struct Teller {
    /// Bytes of a file.
    total: Option<u64>,
    sender: Sender<Loading>,
    /// The browser wants no more.
    stop: Stop,
}

impl Teller {
    fn read(self, opening: Opening) {
        let outcome = match opening {
            Opening::Done(reader) => self.dissect(reader),
            Opening::Later(input) => match input.reader() {
                Ok(reader) => self.dissect(reader),
                Err(failure) => Outcome { error: Some(failure.text().to_owned()), ..Outcome::default() },
            },
        };
        // Whether the browser still wants it makes no difference: it is the last word.
        let _ = self.tell(Loading::Done(outcome));
    }

    fn dissect(&self, mut reader: Reader) -> Outcome {
        let recorder = Recorder::new(|batch| self.tell(Loading::Batch(batch)));
        let mut sink = Told { recorder, is_live: self.total.is_none(), warnings: Vec::new() };
        let mut step = |at: dissect::Progress| self.tell(Loading::Progress(self.progress(at)));
        let summary = dissect::run(&mut reader, Limits::DEFAULT, &mut sink, &mut step);
        let warnings = sink.finish();
        let progress = dissect::Progress {
            bytes: reader.position(),
            packets: summary.packets,
            streams: summary.streams,
            first: summary.first,
            last: summary.last,
        };
        Outcome { progress: self.progress(progress), seen: self.seen(&summary), warnings, error: None }
    }

    /// What there was instead, when there is nothing to browse.
    fn seen(&self, summary: &Summary) -> Vec<String> {
        if summary.connections > 0 { Vec::new() } else { seen::kinds(&summary.kinds) }
    }

    fn progress(&self, at: dissect::Progress) -> Progress {
        let dissect::Progress { bytes, packets, streams, first, last } = at;
        Progress { read: bytes, total: self.total, packets, streams, start: first, end: last }
    }

    /// Waits while the browser is behind; `Break` when it has enough, or is gone.
    fn tell(&self, loading: Loading) -> ControlFlow<()> {
        let gone = self.sender.send(loading).is_err();
        if gone || self.stop.is_wanted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Events on their way to the book; what concerns the file is told beside it.
struct Told<F> {
    recorder: Recorder<F>,
    /// They may come slowly, and are shown as they come.
    is_live: bool,
    warnings: Vec<String>,
}

/// Sentences about the file that are kept.
const WARNINGS: usize = 8;

impl<F: FnMut(Batch) -> ControlFlow<()>> Sink for Told<F> {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        if let Event::Note(note) = event
            && at.conn.is_none()
            && note.code.severity() >= Severity::Warning
            && self.warnings.len() < WARNINGS
        {
            self.warnings.push(clause(note.sentence()));
        }
        self.recorder.accept(at, event)?;
        if self.is_live { self.recorder.tick() } else { ControlFlow::Continue(()) }
    }
}

impl<F: FnMut(Batch) -> ControlFlow<()>> Told<F> {
    fn finish(mut self) -> Vec<String> {
        // A browser that is gone needs no last batch.
        let _ = self.recorder.flush();
        self.warnings
    }
}
