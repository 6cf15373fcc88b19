//! Inputs that may keep their reader waiting.

use super::signals::Stop;
use crate::capture::{Silent, Stopped};
use std::io::{self, Cursor, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Something that may keep its reader waiting, read by a thread of its own, so that the wait can be ended.
pub(super) struct Pipe {
    stop: Stop,
    /// How long it may be silent.
    patience: Duration,
    /// It is told when it is silent.
    tells_silence: bool,
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
        Self { stop, patience: Duration::MAX, tells_silence: false, chunks, chunk: Cursor::default() }
    }

    /// The same; silence longer than `patience` is an error.
    pub(super) fn for_at_most(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same; a reader of captures is told when it is silent.
    pub(super) fn for_capture(self) -> Self {
        Self { tells_silence: true, ..self }
    }

    /// The next chunk, empty at the end; [`Stopped`] when nobody wants it any more.
    fn next(&self) -> io::Result<Vec<u8>> {
        const STEP: Duration = Duration::from_millis(100);
        let began = Instant::now();
        while !self.stop.ends_waiting() {
            match self.chunks.recv_timeout(STEP) {
                Ok(chunk) => return chunk,
                Err(RecvTimeoutError::Timeout) if began.elapsed() > self.patience => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                Err(RecvTimeoutError::Timeout) if self.tells_silence => return Err(Silent.into()),
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
