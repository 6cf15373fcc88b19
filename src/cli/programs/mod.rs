//! Decoders that the configuration names: programs that are started when a message is to be decoded, and asked in lines of JSON.
//!
//! A program cannot hold up a run, nor fill memory: each answer has a time and a length, and who keeps to neither, ends, or answers
//! what is not understood is asked no more, with one warning. It is started without a shell, and ends with the run.

mod settings;

pub(super) use settings::{TABLE, read, template, write};

use super::args::Manners;
use super::exit::say;
use crate::decode::{Program, Question};
use crate::escape;
use crate::export::Redactor;
use crate::model::duration;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::mem;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes of an answer.
const ANSWER: u64 = 4 << 20;

/// Bytes that are kept of what a program says on stderr: the last.
const COMPLAINT: usize = 1 << 10;

/// What the first answer may take longer than others: a program loads what it needs.
const START: Duration = Duration::from_secs(10);

/// How long a program may take to end by itself, once it is asked no more: looks at it, and the time between two.
const LOOKS: u32 = 20;
const LOOK: Duration = Duration::from_millis(10);

const MORE: &str = "it answered more than it was asked";

/// A decoder of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec {
    /// Its name.
    pub name: &'static str,
    /// The program, and its arguments.
    pub run: Vec<String>,
    /// The filter of the connections that it is asked about; without one those that `-d` names.
    pub filter: Option<String>,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// What is told of a program that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// What went wrong, and what it said on stderr.
    All,
    /// Not what it said: that may be what is not to be shown.
    Ours,
    Nothing,
}

/// A program that may run.
#[derive(Debug)]
pub(super) struct Process {
    pub spec: Spec,
    /// Where it runs: paths in its arguments begin there.
    directory: PathBuf,
    told: Told,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Idle,
    Runs(Running),
    /// It is asked no more.
    Over,
}

#[derive(Debug)]
struct Running {
    child: Child,
    questions: SyncSender<Vec<u8>>,
    answers: Receiver<Answer>,
    /// The end of what it says on stderr, once it says no more.
    complaint: Receiver<Vec<u8>>,
    /// It has answered before.
    is_warm: bool,
}

#[derive(Debug)]
enum Answer {
    Line(Vec<u8>),
    TooLong,
}

/// What a program leaves behind.
struct Left {
    /// The last line that it said on stderr, where most programs say why they end.
    said: Option<String>,
    /// Answers that nothing was asked for.
    has_more: bool,
}

/// What is told, where the command line asks for this.
pub(super) const fn told(manners: &Manners, redactor: &Redactor) -> Told {
    match (manners.quiet, redactor.is_idle()) {
        (true, _) => Told::Nothing,
        (false, true) => Told::All,
        (false, false) => Told::Ours,
    }
}

impl Process {
    /// A program that runs in this directory once it is asked something.
    pub(super) const fn new(spec: Spec, directory: PathBuf, told: Told) -> Self {
        Self { spec, directory, told, state: Mutex::new(State::Idle) }
    }

    fn start(&self) -> io::Result<Running> {
        let (program, arguments) = self.spec.run.split_first().ok_or(io::ErrorKind::NotFound)?;
        // What is no plain name is a path, and that begins where the program runs; others stand in PATH.
        let is_path = program.contains(['/', '\\']);
        let program = if is_path { self.directory.join(program) } else { PathBuf::from(program) };
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let ends = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = ends else { return Err(io::ErrorKind::BrokenPipe.into()) };
        // One question is under way at most, and so is one answer: what is more waits in the pipe.
        let (questions, asked) = mpsc::sync_channel(1);
        let (answer, answers) = mpsc::sync_channel(1);
        let (heard, complaint) = mpsc::sync_channel(1);
        thread::spawn(move || tell(stdin, &asked));
        thread::spawn(move || listen(stdout, &answer));
        thread::spawn(move || drop(heard.send(complaint_of(stderr))));
        Ok(Running { child, questions, answers, complaint, is_warm: false })
    }

    /// It is asked no more, for this reason.
    fn give_up(&self, state: &mut State, question: &Question, why: &str) {
        let said = match mem::replace(state, State::Over) {
            State::Runs(running) => running.end().said,
            State::Idle | State::Over => None,
        };
        let said = said.filter(|_| self.told == Told::All);
        let said = said.map_or_else(String::new, |said| format!("; on stderr it said: {}", escape::display_str(&said)));
        self.warn(&format!("{why} (message {}); it is asked no more{said}", question.place));
    }

    fn warn(&self, why: &str) {
        if self.told != Told::Nothing {
            say(format_args!("wspect: warning: decoder {}: {why}", self.spec.name));
        }
    }
}

impl Program for Process {
    fn name(&self) -> &'static str {
        self.spec.name
    }

    fn ask(&self, question: &Question) -> Option<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Idle) {
            match self.start() {
                Ok(running) => *state = State::Runs(running),
                Err(error) => {
                    let why = crate::capture::words(&error);
                    self.give_up(&mut state, question, &format!("it cannot be started: {why}"));
                }
            }
        }
        let State::Runs(running) = &mut *state else { return None };
        match running.ask(question, self.spec.timeout) {
            Ok(answer) => Some(answer),
            Err(why) => {
                self.give_up(&mut state, question, &why);
                None
            }
        }
    }

    fn refuse(&self, question: &Question, why: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.give_up(&mut state, question, why);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let State::Runs(running) = mem::replace(state, State::Over)
            && running.end().has_more
        {
            self.warn(&format!("{MORE}: answers may be those of other messages"));
        }
    }
}

impl Running {
    fn ask(&mut self, question: &Question, timeout: Duration) -> Result<String, String> {
        if self.answers.try_recv().is_ok() {
            return Err(MORE.to_owned());
        }
        // Who answers has read the question, and there is room for the next. Where it is gone, its end tells why.
        if let Err(mpsc::TrySendError::Full(_)) = self.questions.try_send(question.line.clone()) {
            return Err("it answered before it had read what it was asked".to_owned());
        }
        let patience = if self.is_warm { timeout } else { timeout + START };
        match self.answers.recv_timeout(patience) {
            Ok(Answer::Line(line)) => {
                self.is_warm = true;
                String::from_utf8(line).map_err(|_| "its answer is no UTF-8".to_owned())
            }
            Ok(Answer::TooLong) => Err("its answer is longer than 4 MiB".to_owned()),
            Err(RecvTimeoutError::Timeout) => {
                let nanos = i64::try_from(patience.as_nanos()).unwrap_or(i64::MAX);
                Err(format!("no answer came within {}", duration(nanos)))
            }
            Err(RecvTimeoutError::Disconnected) => Err(match self.status() {
                Some(status) => format!("it ended without an answer: {status}"),
                None => "it closed its output without an answer".to_owned(),
            }),
        }
    }

    /// How it ended, if it does soon.
    fn status(&mut self) -> Option<std::process::ExitStatus> {
        (0..LOOKS).find_map(|_| {
            let status = self.child.try_wait().ok()?;
            if status.is_none() {
                thread::sleep(LOOK);
            }
            status
        })
    }

    /// Ends it: it has nothing more to read, and if that is not enough it is killed.
    fn end(mut self) -> Left {
        self.questions = mpsc::sync_channel(1).0;
        if self.status().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let has_more = self.answers.recv_timeout(LOOK * LOOKS).is_ok();
        let said = self.complaint.recv_timeout(LOOK * LOOKS).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let said = said.lines().map(str::trim).rfind(|line| !line.is_empty()).map(ToOwned::to_owned);
        Left { said, has_more }
    }
}

/// Hands questions on as long as there are any, and somebody reads them.
fn tell(mut stdin: ChildStdin, asked: &Receiver<Vec<u8>>) {
    while let Ok(question) = asked.recv() {
        if stdin.write_all(&question).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

/// Hands answers on: a line each.
fn listen(stdout: impl Read, answer: &SyncSender<Answer>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        match stdout.by_ref().take(ANSWER + 1).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let is_long = line.len() as u64 > ANSWER && !line.ends_with(b"\n");
        if answer.send(if is_long { Answer::TooLong } else { Answer::Line(line) }).is_err() || is_long {
            return;
        }
    }
}

/// The end of what is said on stderr.
fn complaint_of(mut stderr: impl Read) -> Vec<u8> {
    let (mut piece, mut kept) = ([0; 512], Vec::new());
    while let Ok(len @ 1..) = stderr.read(&mut piece) {
        kept.extend_from_slice(piece.get(..len).unwrap_or_default());
        kept.drain(..kept.len().saturating_sub(COMPLAINT));
    }
    kept
}
