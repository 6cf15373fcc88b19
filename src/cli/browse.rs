//! The browser's job: a thread that reads and tells, beside the one that draws.

use super::args::When;
use super::exit::{Exit, Failure};
use super::input::{Input, Source, words};
use super::keys::{Keys, Loaded};
use super::seen;
use super::signals::Stop;
use crate::book::Recorder;
use crate::capture::Reader;
use crate::dissect::{self, Settings, Summary};
use crate::model::{Event, Limits, NoteCode, PacketNo, Severity, Sink, Stamp, clause};
use crate::tui::{self, ColorChoice, Loading, Options, Outcome, Progress};
use crossbeam_channel::{Sender, bounded};
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};
use std::thread;

/// Batches that may wait for the screen before the reader does.
const WAITING: usize = 16;

/// Bytes kept of one compressed message as it was on the wire, to show its frames.
const WIRE_BYTES: usize = 1 << 20;

/// Bytes of a file between two reports of progress.
const PROGRESS_BYTES: u64 = 1 << 20;

/// Sentences about the file that are kept.
const WARNINGS: usize = 8;

/// Shows a capture in the terminal until the user leaves.
///
/// # Errors
/// When the input cannot be read; for a file that is before the screen is taken. When the terminal cannot be used.
pub(super) fn run(source: Source, color: When, settings: Settings, keys: Keys) -> Result<Exit, Failure> {
    let stop = Stop::default();
    let input = source.open(&stop)?;
    let (name, total) = (input.name.clone(), input.len);
    let opening = if total.is_some() { Opening::Done(input.reader()?) } else { Opening::Later(input) };
    let (sender, receiver) = bounded(WAITING);
    let failure = Arc::new(OnceLock::new());
    let limits = Limits { wire_bytes: WIRE_BYTES, ..settings.limits };
    let settings = Settings { limits, ..settings };
    let teller = Teller { source, total, settings, keys, sender, stop: stop.clone(), failure: Arc::clone(&failure) };
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
    source: Source,
    /// Bytes of a file; `None` for a pipe.
    total: Option<u64>,
    settings: Settings,
    keys: Keys,
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
                Ok(reader) => self.dissect(reader),
                Err(failure) => {
                    let failure = self.failure.get_or_init(|| failure);
                    Outcome { error: Some(failure.text().to_owned()), ..Outcome::default() }
                }
            },
        };
        // Whether the browser still wants it makes no difference: it is the last word.
        let _ = self.tell(Loading::Done(outcome));
    }

    fn dissect(&self, mut reader: Reader) -> Outcome {
        let mut recorder = Recorder::new(|batch| self.tell(Loading::Batch(batch)));
        let outcome = self.dissect_into(&mut reader, &mut recorder);
        // A browser that is gone needs no last batch.
        let _ = recorder.flush();
        outcome
    }

    fn dissect_into(&self, reader: &mut Reader, events: &mut dyn Sink) -> Outcome {
        let (settings, warnings) = self.load();
        let mut sink = Told { events, warnings, cut_after: None };
        let mut told = 0;
        let mut step = |at: dissect::Progress| {
            // A file is read on without a pause; of a pipe, every byte may be the last for long.
            if self.total.is_some() && at.bytes - told < PROGRESS_BYTES {
                return ControlFlow::Continue(());
            }
            told = at.bytes;
            self.tell(Loading::Progress(self.progress(at)))
        };
        let summary = dissect::run(reader, settings, &mut sink, &mut step);
        let Told { warnings, cut_after, .. } = sink;
        let seen = if summary.connections > 0 { Vec::new() } else { seen::instead(&self.source.name(), &summary) };
        let Summary { packets, streams, first, last, .. } = summary;
        let progress = dissect::Progress { bytes: reader.position(), packets, streams, first, last };
        Outcome { progress: self.progress(progress), seen, warnings, cut_after, error: None }
    }

    /// The settings with what key logs tell, and what is wrong with those.
    fn load(&self) -> (Settings, Vec<String>) {
        let mut step = |at| self.tell(Loading::Progress(self.progress(at)));
        let Loaded { settings, mut complaints } =
            self.keys.load(&self.source, self.settings.clone(), &self.stop, &mut step);
        complaints.truncate(WARNINGS);
        (settings, complaints)
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
    cut_after: Option<PacketNo>,
}

impl Sink for Told<'_> {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        if let Event::Note(note) = event
            && at.conn.is_none()
            && note.code.severity() >= Severity::Warning
        {
            match note.code {
                NoteCode::FileCut => self.cut_after = Some(note.at.packet),
                _ if self.warnings.len() < WARNINGS => self.warnings.push(clause(note.sentence())),
                _ => {}
            }
        }
        self.events.accept(at, event)
    }

    fn pause(&mut self) {
        self.events.pause();
    }
}
