//! One of several captures that make a timeline.

use super::file::CaptureFile;
use super::{OpenError, Silent};
use crate::model::{Limits, PacketNo, Timestamp};
use std::io::{self, Cursor, Read};
use std::mem;

/// One of several captures that make a timeline.
pub struct Part {
    /// How it is called; not escaped.
    pub name: String,
    /// What it is read from.
    pub bytes: Bytes,
}

/// What a capture is read from.
pub enum Bytes {
    /// Something that can be read once, and is open.
    Stream(Box<dyn Read + Send>),
    /// Something that is opened, when it is its turn.
    File(Box<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send>),
}

impl Part {
    /// The time of the first packet that has one, looked for in the first 8 MiB. Nothing of a stream is lost.
    ///
    /// # Errors
    /// When it is no capture.
    pub fn first_time(&mut self) -> Result<Option<Timestamp>, OpenError> {
        match &mut self.bytes {
            Bytes::Stream(stream) => {
                let (head, time) = look(stream);
                let rest = mem::replace(stream, Box::new(io::empty()));
                *stream = Box::new(Cursor::new(head).chain(rest));
                time
            }
            Bytes::File(open) => look(&mut *open()?).1,
        }
    }

    pub(super) fn open(self, limits: &Limits) -> Result<CaptureFile, OpenError> {
        let bytes = match self.bytes {
            Bytes::Stream(stream) => stream,
            Bytes::File(open) => open()?,
        };
        CaptureFile::open(bytes, limits)
    }
}

/// What was read to find it, and the time.
fn look(bytes: &mut dyn Read) -> (Vec<u8>, Result<Option<Timestamp>, OpenError>) {
    /// Formats unpack their first block whole: of lz4 it may have 4 MiB.
    const MOST: usize = 8 << 20;
    const STEP: usize = 64 << 10;
    let (mut head, mut looked) = (Vec::new(), 0);
    loop {
        let before = head.len();
        head.resize(before + STEP, 0);
        let (_, room) = head.split_at_mut(before);
        let read = loop {
            match bytes.read(room) {
                Err(error) if Silent::is(&error) => {}
                read => break read,
            }
        };
        head.truncate(before + *read.as_ref().unwrap_or(&0));
        let is_last = !matches!(read, Ok(1..)) || head.len() >= MOST;
        // What is looked at again and again grows, so that all looks together cost no more than a few.
        if !is_last && head.len() < looked + looked / 8 {
            continue;
        }
        looked = head.len();
        match (first_time(&head), read) {
            // Later errors come again when the rest is read, and are told then.
            (_, Err(error)) if head.is_empty() => return (head, Err(error.into())),
            // Of what is compressed the first block may not be whole yet.
            (Ok(None) | Err(_), _) if !is_last => {}
            (Err(_), Ok(1..)) => return (head, Ok(None)),
            (time, _) => return (head, time),
        }
    }
}

/// The time of the first packet that lies whole in `head`.
fn first_time(head: &[u8]) -> Result<Option<Timestamp>, OpenError> {
    let mut file = CaptureFile::open(Box::new(Cursor::new(head.to_vec())), &Limits::DEFAULT)?;
    while let Some(record) = file.advance(&mut |_| {}) {
        if record.time.is_some() {
            return Ok(record.time);
        }
        file.lend_as(record, PacketNo(0));
    }
    Ok(None)
}
