//! The browser's job: a thread that reads and tells, beside the one that draws.

use super::args::When;
use super::exit::{Exit, Failure};
use super::input::{Input, Source, words};
use super::seen;
use super::signals::Stop;
use crate::book::{Batch, Recorder};
use crate::capture::Reader;
use crate::dissect::{self, Summary};
use crate::model::{Event, Limits, Severity, Sink, Stamp, clause};
use crate::tui::{self, ColorChoice, Loading, Options, Outcome, Progress};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// Batches that may wait for the screen before the reader does.
const WAITING: usize = 16;

/// Events of a silent pipe wait no longer than this.
const PATIENCE: Duration = Duration::from_millis(50);

/// Bytes kept of one compressed message as it was on the wire, to show its frames.
const WIRE_BYTES: usize = 1 << 20;

/// Sentences about the file that are kept.
const WARNINGS: usize = 8;

/// Shows a capture in the terminal until the user leaves.
///
/// # Errors
/// When the input cannot be read; for a file that is before the screen is taken. When the terminal cannot be used.
pub(super) fn run(source: &Source, color: When) -> Result<Exit, Failure> {
    let stop = Stop::default();
    let input = source.open(&stop)?;
    let (name, total) = (input.name.clone(), input.len);
    let opening = if total.is_some() { Opening::Done(input.reader()?) } else { Opening::Later(input) };
    let (sender, receiver) = bounded(WAITING);
    let failure = Arc::new(OnceLock::new());
    let teller = Teller { total, sender, stop: stop.clone(), failure: Arc::clone(&failure) };
    thread::spawn(move || teller.read(opening));
    let color = match color {
        When::Auto => ColorChoice::Auto,
        When::Always => ColorChoice::Always,
        When::Never => ColorChoice::Never,
    };
    let options = Options { color, ..Options::new(name) };
    tui::run(options, receiver, stop.flag())
        .map_err(|error| Failure::new(Exit::Output, format!("the terminal: {}", words(&error))))?;
    failure.get().map_or(Ok(Exit::Done), |failure| Err(failure.clone()))
}

/// A file is known to be a capture before the screen is taken; a pipe may be silent for long, so it is opened behind it.
enum Opening {
    Done(Reader),
    Later(Input),
}

/// Tells the browser what is read.
struct Teller {
    /// Bytes of a file; `None` for a pipe.
    total: Option<u64>,
    sender: Sender<Loading>,
    /// The browser wants no more.
    stop: Stop,
    /// Why a pipe could not be read.
    failure: Arc<OnceLock<Failure>>,
}

impl Teller {
    fn read(self, opening: Opening) {
        let outcome = match opening {
            Opening::Done(reader) => self.dissect(reader),
            Opening::Later(input) => match input.reader() {
                Ok(reader) => self.dissect_live(reader),
                Err(failure) => {
                    let failure = self.failure.get_or_init(|| failure);
                    Outcome { error: Some(failure.text().to_owned()), ..Outcome::default() }
                }
            },
        };
        // Whether the browser still wants it makes no difference: it is the last word.
        let _ = self.tell(Loading::Done(outcome));
    }

    /// Dissects a file: batches go over as they fill.
    fn dissect(&self, mut reader: Reader) -> Outcome {
        let mut recorder = Recorder::new(|batch| self.tell(Loading::Batch(batch)));
        let outcome = self.dissect_into(&mut reader, &mut recorder);
        // A browser that is gone needs no last batch.
        let _ = recorder.flush();
        outcome
    }

    /// Dissects a pipe: batches go over as they fill, and when the pipe falls silent.
    fn dissect_live(&self, mut reader: Reader) -> Outcome {
        let live = Live(Mutex::new(Recorder::new(|batch| self.tell(Loading::Batch(batch)))));
        let (alive, ended) = bounded::<()>(0);
        let outcome = thread::scope(|scope| {
            scope.spawn(|| live.tick_until(&ended));
            let outcome = self.dissect_into(&mut reader, &mut &live);
            drop(alive);
            outcome
        });
        let _ = live.recorder().flush();
        outcome
    }

    fn dissect_into(&self, reader: &mut Reader, events: &mut dyn Sink) -> Outcome {
        let mut sink = Told { events, warnings: Vec::new() };
        let mut step = |at: dissect::Progress| self.tell(Loading::Progress(self.progress(at)));
        let limits = Limits { wire_bytes: WIRE_BYTES, ..Limits::DEFAULT };
        let summary = dissect::run(reader, limits, &mut sink, &mut step);
        let warnings = sink.warnings;
        let Summary { packets, streams, first, last, .. } = summary;
        let progress = dissect::Progress { bytes: reader.position(), packets, streams, first, last };
        let seen = if summary.connections > 0 { Vec::new() } else { seen::kinds(&summary.kinds) };
        Outcome { progress: self.progress(progress), seen, warnings, error: None }
    }

    fn progress(&self, at: dissect::Progress) -> Progress {
        let dissect::Progress { bytes, packets, streams, first, last } = at;
        Progress { read: bytes, total: self.total, packets, streams, start: first, end: last }
    }

    /// Waits while the browser is behind; `Break` when it has enough, or is gone.
    fn tell(&self, loading: Loading) -> ControlFlow<()> {
        let is_gone = self.sender.send(loading).is_err();
        if is_gone || self.stop.is_wanted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Events on their way to the book; what concerns the file is told beside it.
struct Told<'a> {
    events: &'a mut dyn Sink,
    warnings: Vec<String>,
}

impl Sink for Told<'_> {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        if let Event::Note(note) = event
            && at.conn.is_none()
            && note.code.severity() >= Severity::Warning
            && self.warnings.len() < WARNINGS
        {
            self.warnings.push(clause(note.sentence()));
        }
        self.events.accept(at, event)
    }
}

/// A recorder that two threads reach: the one that reads, and one that looks after what waits while that one waits.
struct Live<F>(Mutex<Recorder<F>>);

impl<F: FnMut(Batch) -> ControlFlow<()>> Live<F> {
    fn recorder(&self) -> MutexGuard<'_, Recorder<F>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick_until(&self, ended: &Receiver<()>) {
        while ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            // The reader hears of a browser that is gone by itself.
            let _ = self.recorder().tick();
        }
    }
}

impl<F: FnMut(Batch) -> ControlFlow<()>> Sink for &Live<F> {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        self.recorder().accept(at, event)
    }
}
