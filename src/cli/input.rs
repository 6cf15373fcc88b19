//! The capture as a stream of bytes: a file, a pipe, or stdin.

use super::exit::{Exit, Failure};
use super::signals::Stop;
use crate::capture::{OpenError, Reader, Stopped};
use crate::model::Timestamp;
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// Standard input.
    Stdin,
    /// A file, pipe or device.
    Path(PathBuf),
}

impl Source {
    /// `-` is stdin.
    pub(super) fn new(path: &Path) -> Self {
        if path == "-" { Self::Stdin } else { Self::Path(path.to_owned()) }
    }

    /// How it is called in messages; not escaped.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Stdin => String::from("stdin"),
            Self::Path(path) => path.display().to_string(),
        }
    }

    /// Whether it can be read a second time.
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::Path(path) if fs::metadata(path).is_ok_and(|about| about.is_file()))
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::new(Exit::Input, format!("{}: {}", self.name(), words(error)))
    }

    /// Opens it. A pipe that is silent when `stop` comes is read no more.
    ///
    /// # Errors
    /// When there is no such file, it is a directory, or it must not be read.
    pub(super) fn open(&self, stop: &Stop) -> Result<Input, Failure> {
        let (bytes, len): (Box<dyn Read + Send>, _) = match self {
            Self::Stdin => (Box::new(Pipe::new(stop.clone(), || Ok(Box::new(io::stdin())))), None),
            Self::Path(path) => {
                let about = fs::metadata(path).map_err(|error| self.failure(&error))?;
                if about.is_dir() {
                    return Err(Failure::new(
                        Exit::Input,
                        format!("{}: is a directory: name a capture in it", self.name()),
                    ));
                }
                if about.is_file() {
                    let file = File::open(path).map_err(|error| self.failure(&error))?;
                    (Box::new(file), Some(about.len()))
                } else {
                    let path = path.clone();
                    (Box::new(Pipe::new(stop.clone(), move || Ok(Box::new(File::open(path)?)))), None)
                }
            }
        };
        Ok(Input { name: self.name(), len, bytes })
    }
}

/// What the operating system says, in lower case and without its number.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

/// An open input.
pub(super) struct Input {
    /// How it is called in messages; not escaped.
    pub name: String,
    /// Bytes of a file; `None` for a pipe.
    pub len: Option<u64>,
    bytes: Box<dyn Read + Send>,
}

impl Input {
    /// Only its first `len` bytes: what is appended to the file behind them waits for the next run.
    #[must_use]
    pub(super) fn up_to(self, len: Option<u64>) -> Self {
        let most = len.unwrap_or(u64::MAX);
        Self { bytes: Box::new(self.bytes.take(most)), ..self }
    }

    /// The time of the first packet that has one, looked for at the start; nothing of the input is lost.
    pub(super) fn origin(&mut self) -> Option<Timestamp> {
        const MOST: usize = 1 << 20;
        const STEP: usize = 64 << 10;
        let mut head = Vec::new();
        let mut origin = None;
        while origin.is_none() && head.len() < MOST {
            let before = head.len();
            head.resize(before + STEP, 0);
            let (_, room) = head.split_at_mut(before);
            // An error comes again when the rest is read, and is told then.
            let read = self.bytes.read(room).unwrap_or(0);
            head.truncate(before + read);
            if read == 0 {
                break;
            }
            origin = first_time(&head);
        }
        let rest = mem::replace(&mut self.bytes, Box::new(io::empty()));
        self.bytes = Box::new(Cursor::new(head).chain(rest));
        origin
    }

    /// A reader of its packets.
    ///
    /// # Errors
    /// When it is no capture.
    pub(super) fn reader(self) -> Result<Reader, Failure> {
        let name = self.name;
        Reader::new(self.bytes).map_err(|error| {
            let why = match error {
                OpenError::Io(error) => words(&error),
                error => error.to_string(),
            };
            Failure::new(Exit::Input, format!("{name}: {why}"))
        })
    }
}

/// The time of the first packet that lies whole in `head`.
fn first_time(head: &[u8]) -> Option<Timestamp> {
    let mut reader = Reader::new(Box::new(Cursor::new(head.to_vec()))).ok()?;
    while let Some(packet) = reader.next_packet() {
        if let Some(time) = packet.mark.time {
            return Some(time);
        }
    }
    None
}

/// Something that may keep its reader waiting, read by a thread of its own, so that the wait can be ended.
pub(super) struct Pipe {
    stop: Stop,
    /// How long it may be silent.
    patience: Duration,
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Cursor<Vec<u8>>,
}

impl Pipe {
    /// What `open` opens, in the thread.
    pub(super) fn new(stop: Stop, open: impl FnOnce() -> io::Result<Box<dyn Read>> + Send + 'static) -> Self {
        const CHUNK: usize = 256 << 10;
        let (sender, chunks) = sync_channel(4);
        thread::spawn(move || {
            let mut source = match open() {
                Ok(source) => source,
                Err(error) => {
                    let _ = sender.send(Err(error));
                    return;
                }
            };
            loop {
                let mut chunk = vec![0; CHUNK];
                let read = match source.read(&mut chunk) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read,
                };
                let is_end = !matches!(read, Ok(1..));
                let read = read.map(|read| {
                    chunk.truncate(read);
                    chunk
                });
                if sender.send(read).is_err() || is_end {
                    return;
                }
            }
        });
        Self { stop, patience: Duration::MAX, chunks, chunk: Cursor::default() }
    }

    /// The same; silence longer than `patience` is an error.
    pub(super) fn for_at_most(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The next chunk, empty at the end; [`Stopped`] when nobody wants it any more.
    fn next(&self) -> io::Result<Vec<u8>> {
        const STEP: Duration = Duration::from_millis(100);
        let began = Instant::now();
        while !self.stop.is_wanted() {
            match self.chunks.recv_timeout(STEP) {
                Ok(chunk) => return chunk,
                Err(RecvTimeoutError::Timeout) if began.elapsed() > self.patience => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
            }
        }
        Err(Stopped.into())
    }
}

impl Read for Pipe {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.chunk.position() == self.chunk.get_ref().len() as u64 {
            self.chunk = Cursor::new(self.next()?);
        }
        self.chunk.read(room)
    }
}
