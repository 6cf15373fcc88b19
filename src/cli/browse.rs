//! The browser's job: a thread that reads and tells, beside the one that draws.

use super::args::When;
use super::browser;
use super::choices::{self, DecodeRule};
use super::config::Config;
use super::exit::{Exit, Failure};
use super::input::{Input, Source};
use super::job::Job;
use super::keys::{self, Keys, Loaded};
use super::packets;
use super::run;
use super::seen;
use super::signals::Stop;
use super::state;
use crate::book::Recorder;
use crate::capture::Reader;
use crate::capture::words;
use crate::decode::Speaker;
use crate::dissect::{self, Settings, Summary};
use crate::keys::{Followed, Randoms};
use crate::model::{
    DecodeAs, Event, Fact, FileRun, Limits, NoteCode, PacketNo, Rule, Severity, Sink, Stamp, TlsSum, clause, count,
};
use crate::tui::{self, Anew, Loading, Named, Options, Outcome, Outside, Preferences, Progress, Reading};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
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
pub(super) fn run(
    source: Source,
    color: When,
    settings: Settings,
    keys: Keys,
    mut launch: Launch,
) -> Result<Exit, Failure> {
    let stop = Stop::default();
    let input = source.open(&stop)?;
    let (name, total) = (input.name.clone(), input.len());
    let known_by = source.first_path().and_then(state::fingerprint);
    source.first_path().filter(|path| path.is_file()).into_iter().for_each(state::remember_capture);
    let opening = if total.is_some() { Opening::Done(input.reader()?) } else { Opening::Later(Box::new(input)) };
    let failure = Arc::new(OnceLock::new());
    let limits = Limits { wire_bytes: WIRE_BYTES, ..settings.limits };
    let settings = Settings { limits, ..settings };
    let (can_reread, is_live) = (source.can_be_reread(), !source.is_whole());
    let known = Arc::new(Mutex::new(Known {
        keys,
        rules: Vec::new(),
        followed: is_live.then(Followed::open),
        randoms: None,
        len: None,
    }));
    let capture = Capture { source, settings, known, failure: Arc::clone(&failure) };
    let reading = capture.begin(total, stop, |teller| teller.read(opening));
    let past_filters = state::past_filters();
    let marks = known_by.as_deref().map(state::marks).unwrap_or_default();
    let (named, started_with) = (launch.config.named().clone(), launch.line());
    let wanted = launch.config.browser();
    let preferences = Preferences { ascii: wanted.ascii || launch.ascii, ..wanted.clone() };
    let options = Options {
        color: color.into(),
        can_reread,
        is_live,
        named,
        past_filters,
        marks,
        started_with,
        speaks: std::mem::take(&mut launch.speaks),
        limits,
        preferences,
        ..Options::new(name)
    };
    let keep = Box::new(move |marks: &tui::Marks| {
        if let Some(capture) = &known_by {
            state::keep_marks(capture, marks);
        }
    });
    let (packets_of, limits) = (capture.source.clone(), capture.settings.limits);
    let packets = Box::new(move |wanted| packets::fetch(&packets_of, limits, wanted));
    let again = Box::new(move |anew: Anew| capture.again(anew));
    let remember = Box::new(|text: &str| state::remember_filter(text));
    let place = launch.config.place().map(Path::to_owned);
    let save = Box::new(move |columns: &[tui::TableColumns]| browser::save(place.as_deref(), columns));
    tui::run(options, reading, Outside { again, remember, keep, save, packets, export: launch.exporter() })
        .map_err(|error| Failure::new(Exit::Output, format!("the terminal: {}", words(&error))))?;
    failure.get().map_or(Ok(Exit::Done), |failure| Err(failure.clone()))
}

/// How the browser was started: an export is started so as well.
pub(super) struct Launch {
    /// The words behind the program's name.
    pub words: Vec<OsString>,
    /// What the configuration file says.
    pub config: Config,
    /// All is drawn in ASCII.
    pub ascii: bool,
    /// What connections speak.
    pub speaks: Vec<(String, Speaker)>,
}

impl Launch {
    /// The words as a shell has them.
    fn line(&self) -> String {
        let words: Vec<_> = self.words.iter().map(|word| word.to_string_lossy()).collect();
        tui::shell_line(words.iter().map(|word| &**word))
    }

    /// What exports in a thread of its own.
    fn exporter(self) -> Box<dyn FnMut(Vec<String>) -> Receiver<String>> {
        let launch = Arc::new(self);
        Box::new(move |words| {
            let (sender, outcome) = bounded(1);
            let launch = Arc::clone(&launch);
            // Who does not wait for the outcome has left.
            thread::spawn(move || drop(sender.send(launch.export(words))));
            outcome
        })
    }

    /// Exports, and tells in a few words what came of it.
    fn export(&self, words: Vec<String>) -> String {
        let place = words.iter().skip_while(|word| *word != "-o").nth(1).cloned().unwrap_or_default();
        if fs::metadata(&place).is_ok_and(|about| !about.is_file() && !about.is_dir()) {
            return format!("{place}: a file is wanted");
        }
        let program = OsString::from("wspect");
        let before = words.into_iter().map(OsString::from);
        let words: Vec<OsString> = [program].into_iter().chain(before).chain(self.words.iter().cloned()).collect();
        let job = match super::parse(&words, self.config.apply(super::args::definition(), false)) {
            Ok((args, _)) => Job::new(args, &self.config),
            Err(error) => return super::one_line(&error),
        };
        // Nothing is told on a screen that is the browser's.
        match job.map(Job::silent).and_then(|job| run::run_beside(&job)) {
            Ok(Exit::Done | Exit::Strict | Exit::Input) => format!("written: {place}"),
            Ok(_) => "nothing was written".to_owned(),
            Err(failure) => failure.text().to_owned(),
        }
    }
}

/// `~/keys.txt` in the user's home, as a shell has it.
fn from_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path,
    }
}

/// A file is known to be a capture before the screen is taken; a pipe may be silent for long, so it is opened behind it.
enum Opening {
    Done(Reader),
    Later(Box<Input>),
}

/// What is shown, and what one reading of it leaves for the next.
#[derive(Clone)]
struct Capture {
    source: Source,
    settings: Settings,
    known: Arc<Mutex<Known>>,
    /// Why a pipe could not be read.
    failure: Arc<OnceLock<Failure>>,
}

struct Known {
    keys: Keys,
    /// As what streams are read, besides what was typed at first; the last rule first.
    rules: Vec<Rule>,
    /// Key logs that are read beside a capture that is waited for, while it is.
    followed: Option<Followed>,
    /// Those of all ClientHellos; `None` while that is not known.
    randoms: Option<Randoms>,
    /// Bytes that the file had then.
    len: Option<u64>,
}

impl Capture {
    /// Begins a reading in a thread of its own.
    fn begin(&self, total: Option<u64>, stop: Stop, read: impl FnOnce(Teller) + Send + 'static) -> Reading {
        let (sender, loading) = bounded(WAITING);
        let reading = Reading { loading, stop: stop.flag() };
        let teller = Teller { capture: self.clone(), total, sender, stop };
        thread::spawn(move || read(teller));
        reading
    }

    /// Has a key log read beside a capture that is waited for; what is to be said of it, if it is waited for.
    fn read_beside(&self, log: &Path) -> Option<String> {
        let mut known = self.known();
        let read = keys::follow(log, known.followed.as_ref()?, self.settings.limits.key_secrets);
        Some(match read {
            Err(why) => why,
            Ok(read) => {
                known.keys = known.keys.with(log);
                format!("{}: {}, for what comes and what waits for its key", log.display(), count(read, "key"))
            }
        })
    }

    /// Begins another reading: as now, with one more key log, or in which streams are read as one more rule says.
    fn again(&self, anew: Anew) -> Named {
        let mut log = None;
        match anew {
            Anew::Same => {}
            Anew::Keys(named) => {
                let named = from_home(named);
                if let Some(said) = self.read_beside(&named) {
                    return Named::Said(said);
                }
                log = Some(named);
            }
            Anew::Rule(rule) => match choices::rule(&rule, Some(&[])) {
                Ok(DecodeRule::Stream(rule)) => self.known().rules.insert(0, rule),
                // The browser has heard of that.
                Ok(DecodeRule::Speaks(..)) => {}
                Err(why) => return Named::Refused(why),
            },
        }
        Named::Again(self.begin(None, Stop::default(), move |teller| teller.read_again(log.as_deref())))
    }

    /// The settings, with the rules that were given since.
    fn settings(&self, known: &Known) -> Settings {
        let rules = [known.rules.as_slice(), &self.settings.decode_as.0].concat();
        let followed_keys = known.followed.clone().unwrap_or_default();
        Settings { decode_as: DecodeAs(rules), followed_keys, ..self.settings.clone() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the browser what is read.
struct Teller {
    capture: Capture,
    /// Bytes of a file; `None` for a pipe.
    total: Option<u64>,
    sender: Sender<Loading>,
    /// The browser wants no more.
    stop: Stop,
}

impl Teller {
    fn read(self, opening: Opening) {
        let outcome = match opening {
            Opening::Done(reader) => self.load_and_dissect(reader),
            Opening::Later(input) => match input.reader() {
                Ok(reader) => self.load_and_dissect(reader),
                Err(_) if self.stop.is_wanted() => Outcome::default(),
                Err(failure) => {
                    let failure = self.capture.failure.get_or_init(|| failure);
                    Outcome { error: Some(failure.text().to_owned()), ..Outcome::default() }
                }
            },
        };
        // Whether the browser still wants it makes no difference: it is the last word.
        let _ = self.tell(Loading::Done(outcome));
    }

    /// Reads a file again: with one more key log, if that has a key for it, or with the rules as they are now.
    fn read_again(mut self, log: Option<&Path>) {
        let last = match self.reopen(log) {
            Ok((reader, loaded)) => {
                if self.tell(Loading::Again).is_break() {
                    return;
                }
                Loading::Done(self.dissect(reader, loaded))
            }
            Err(why) => Loading::Refused(why),
        };
        let _ = self.tell(last);
    }

    /// The capture from its beginning, and the keys with those of the log.
    fn reopen(&mut self, log: Option<&Path>) -> Result<(Reader, Loaded), String> {
        let Capture { source, .. } = &self.capture;
        let mut known = self.capture.known();
        let keys = log.map_or_else(|| known.keys.clone(), |log| known.keys.with(log));
        let stop = &self.stop;
        let mut step = |_| if stop.is_wanted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let text = |failure: Failure| failure.text().to_owned();
        let input = source.open(stop).map_err(text)?;
        let randoms = known.randoms.as_ref().filter(|_| known.len == input.len());
        let followed = (!source.is_whole()).then(Followed::open);
        let followed_keys = followed.clone().unwrap_or_default();
        let settings = Settings { followed_keys, ..self.capture.settings(&known) };
        let loaded = keys.load(source, settings, randoms, stop, &mut step);
        match log {
            Some(log) if stop.is_wanted() => {
                return Err(format!("{}: not read to its end; the keys are as before", log.display()));
            }
            Some(log) => loaded.check(log, randoms)?,
            None => {}
        }
        self.total = input.len();
        let reader = input.reader().map_err(text)?;
        (known.keys, known.followed) = (keys, followed);
        Ok((reader, loaded))
    }

    fn load_and_dissect(&self, reader: Reader) -> Outcome {
        let mut step = |at| self.tell(Loading::Progress(self.progress(at)));
        let source = &self.capture.source;
        // Not held while logs are read, which may take long.
        let (keys, settings) = {
            let known = self.capture.known();
            (known.keys.clone(), self.capture.settings(&known))
        };
        let loaded = keys.load(source, settings, None, &self.stop, &mut step);
        self.dissect(reader, loaded)
    }

    fn dissect(&self, mut reader: Reader, loaded: Loaded) -> Outcome {
        let mut recorder = Recorder::new(|batch| self.tell(Loading::Batch(batch)));
        let outcome = self.dissect_into(&mut reader, loaded, &mut recorder);
        // A browser that is gone needs no last batch.
        let _ = recorder.flush();
        outcome
    }

    fn dissect_into(&self, reader: &mut Reader, loaded: Loaded, events: &mut dyn Sink) -> Outcome {
        let Loaded { settings, complaints: mut warnings, .. } = loaded;
        warnings.truncate(WARNINGS);
        let (tls, randoms, randoms_max) = (TlsSum::default(), Randoms::default(), settings.limits.key_sessions);
        let mut sink = Told { events, warnings, cut_after: None, tls, randoms, randoms_max };
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
        let Told { warnings, cut_after, tls, randoms, .. } = sink;
        let all = !self.stop.is_wanted() && randoms.len() < randoms_max;
        let mut known = self.capture.known();
        (known.followed, known.randoms, known.len) = (None, all.then_some(randoms), self.total);
        drop(known);
        let source = &self.capture.source;
        let seen = if summary.connections > 0 { Vec::new() } else { seen::instead(source, &summary, tls) };
        let Summary { packets, streams, first, last, ref secrets, .. } = summary;
        let key_logs = secrets.logs().to_vec();
        let progress = dissect::Progress { bytes: reader.position(), files: None, packets, streams, first, last };
        Outcome { progress: self.progress(progress), seen, warnings, cut_after, tls, key_logs, error: None }
    }

    fn progress(&self, at: dissect::Progress) -> Progress {
        let dissect::Progress { bytes, files, packets, streams, first, last } = at;
        Progress { read: bytes, total: self.total, files, packets, streams, start: first, end: last }
    }

    /// Waits while the browser is behind; `Break` when it has enough, or is gone.
    fn tell(&self, loading: Loading) -> ControlFlow<()> {
        let is_gone = self.sender.send(loading).is_err();
        // One that is waited for ends where it is stopped: what is known by then is told.
        if is_gone || self.total.is_some() && self.stop.is_wanted() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Events on their way to the book; what concerns the file is told beside it.
struct Told<'a> {
    events: &'a mut dyn Sink,
    warnings: Vec<String>,
    cut_after: Option<PacketNo>,
    tls: TlsSum,
    randoms: Randoms,
    randoms_max: usize,
}

impl Sink for Told<'_> {
    fn accept(&mut self, at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
        if let Event::Tls(session) = event {
            self.tls.count(session);
            let room = self.randoms_max.saturating_sub(self.randoms.len());
            self.randoms.extend(session.client_randoms.iter().take(room));
        }
        if let Event::Note(note) = event
            && at.conn.is_none()
            && note.code.severity() >= Severity::Warning
        {
            match note.code {
                NoteCode::FileCut => self.cut_after = Some(note.at.packet),
                _ if self.warnings.len() < WARNINGS => {
                    let place = at.place().map_or(String::new(), |place| format!("{place}: "));
                    self.warnings.push(format!("{place}{}", clause(note.sentence())));
                }
                _ => {}
            }
        }
        self.events.accept(at, event)
    }

    fn pause(&mut self) {
        self.events.pause();
    }

    fn file(&mut self, run: &FileRun) {
        self.events.file(run);
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        self.events.fact(file, fact);
    }

    fn hears_records(&self) -> bool {
        self.events.hears_records()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Note;

    struct Nobody;

    impl Sink for Nobody {
        fn accept(&mut self, _: &Stamp, _: Event<'_>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }

    /// Counts what it is told beside events.
    #[derive(Default)]
    struct Asides(usize);

    impl Sink for Asides {
        fn accept(&mut self, _: &Stamp, _: Event<'_>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }

        fn file(&mut self, _: &FileRun) {
            self.0 += 1;
        }

        fn fact(&mut self, _: usize, _: &Fact<'_>) {
            self.0 += 1;
        }
    }

    #[test]
    fn what_is_said_beside_the_events_reaches_the_book() {
        let mut asides = Asides::default();
        let mut told = Told {
            events: &mut asides,
            warnings: Vec::new(),
            cut_after: None,
            tls: TlsSum::default(),
            randoms: Randoms::default(),
            randoms_max: 0,
        };
        told.file(&FileRun { name: "a".into(), packet: PacketNo(1), number: 1, begun: (1, 2) });
        told.fact(0, &Fact::Secrets);
        assert_eq!(asides.0, 2);
    }

    #[test]
    fn what_concerns_a_stream_names_it() {
        let mut told = Told {
            events: &mut Nobody,
            warnings: Vec::new(),
            cut_after: None,
            tls: TlsSum::default(),
            randoms: Randoms::default(),
            randoms_max: 0,
        };
        let at = Stamp { stream: Some(7), ..Stamp::default() };
        let note = Note { text: "TLS is not decrypted", ..Note::new(NoteCode::NoKeys, at.at) };
        let _ = told.accept(&at, Event::Note(&note));
        let _ = told.accept(&Stamp { stream: None, ..at }, Event::Note(&note));
        assert_eq!(told.warnings, ["stream 7: TLS is not decrypted", "TLS is not decrypted"]);
    }
}
