//! A capture's bytes → packets: pcap and pcapng, compressed or not, in one pass, from anything that can be read.
//!
//! What cannot be read becomes a finding and costs no more than itself; the memory needed does not depend on the input's length.

mod begin;
mod buffer;
mod clock;
mod file;
mod looks;
mod merge;
mod order;
mod packed;
mod part;
mod pcap;
mod pcapng;
mod source;

pub use looks::Looks;
pub use packed::compressions;
pub use part::{Bytes, Part};

use crate::model::{Fact, FileNote, FileRun, KeySource, Limits, Packet, hex_apart};
use file::CaptureFile;
use merge::Merge;
use std::io::{self, Read};
use std::sync::Arc;

/// Reads one capture, or several as one timeline, packet by packet.
pub struct Reader(Timeline);

enum Timeline {
    One(Box<CaptureFile>),
    Many(Box<Merge>),
}

/// Where a packet lies in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The offset of its first byte; of a compressed file, in what that unpacks to.
    pub offset: u64,
    /// What the file is compressed in.
    pub packed: Option<&'static str>,
}

/// What a reader tells beside its packets, before the next of them.
pub enum Aside<'a> {
    /// The input is read on, which may take long.
    Pause,
    /// Nothing has come for a while.
    Silence,
    /// Text that the capture carries where key logs are put. It may be a secret, so it is not printed.
    Keys(KeySource, &'a [u8]),
    /// The next packets stand in another file.
    File(FileRun),
    /// The next packets come from another interface: its name, where it has one.
    Interface(Option<Arc<str>>),
    /// What the capture of that place, among several, tells of itself.
    Fact(usize, Fact<'a>),
}

impl<'a> Aside<'a> {
    /// What the only capture tells of itself.
    const fn fact(fact: Fact<'a>) -> Self {
        Self::Fact(0, fact)
    }
}

/// What a source fails with when it is not read on because nobody wants more: the input has no fault, and none is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped")]
pub struct Stopped;

impl Stopped {
    fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

impl From<Stopped> for io::Error {
    fn from(stopped: Stopped) -> Self {
        Self::other(stopped)
    }
}

/// What a source fails with when nothing has come for a while, so that its reader can look elsewhere, and then ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("silent")]
pub struct Silent;

impl Silent {
    /// Whether that is why nothing was read.
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

impl From<Silent> for io::Error {
    fn from(silent: Silent) -> Self {
        Self::new(io::ErrorKind::WouldBlock, silent)
    }
}

/// What the operating system says, in lower case and without its number.
pub fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

/// Why an input cannot be read at all: one clause for the user.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Reading failed.
    #[error("{}", words(.0))]
    Io(#[from] io::Error),
    /// There are no bytes.
    #[error("empty file (0 bytes)")]
    Empty,
    /// Compressed, and no capture inside.
    #[error("inside the {0} stream: {1}")]
    Packed(&'static str, Box<Self>),
    /// Compressed again and again; holds how often it was unpacked.
    #[error("it is compressed once more, and is unpacked {0} times at most: unpack it first")]
    Nested(usize),
    /// Something else that is known by its first bytes.
    #[error("this is {}, not a pcap or pcapng file: {}", .0.what, .0.advice)]
    Other(Looks),
    /// Text without a mark.
    #[error("not a pcap or pcapng file (first bytes {}): it looks like text", hex_apart(.0))]
    Text(Vec<u8>),
    /// Nothing known. Holds the first bytes, at most four.
    #[error("not a pcap or pcapng file (first bytes {})", hex_apart(.0))]
    Unknown(Vec<u8>),
}

impl Reader {
    /// Reads the first bytes and settles the format.
    ///
    /// # Errors
    ///
    /// When there is nothing to read, or it is no capture; the error then names what it looks like.
    pub fn new(source: Box<dyn Read + Send>) -> Result<Self, OpenError> {
        Ok(Self(Timeline::One(Box::new(CaptureFile::open(source, &Limits::DEFAULT)?))))
    }

    /// Reads one capture, or several as one, merged by time: the packet that comes next is that of the earliest time among those that
    /// come next in each, of two at the same time that of the capture which was named first, as `mergecap` does it.
    ///
    /// One of several is opened when its time has come; if it cannot be read, that is a finding.
    ///
    /// # Errors
    ///
    /// When none can be read: the name of the first, and why.
    pub fn timeline(parts: Vec<Part>, limits: &Limits) -> Result<Self, (String, OpenError)> {
        Self::in_turns(parts, &[], limits)
    }

    /// The same; from each of these `places` on, captures are read behind all before, whatever their times.
    ///
    /// # Errors
    ///
    /// As [`Self::timeline`].
    pub fn in_turns(parts: Vec<Part>, places: &[usize], limits: &Limits) -> Result<Self, (String, OpenError)> {
        match <[Part; 1]>::try_from(parts) {
            Ok([part]) => {
                let name = part.name.clone();
                Ok(Self(Timeline::One(Box::new(part.open(limits).map_err(|error| (name, error))?))))
            }
            Err(parts) => Ok(Self(Timeline::Many(Box::new(Merge::new(parts, places, limits)?)))),
        }
    }

    /// The next packet, lent until the one after it is asked for; `None` at the end, also when the rest cannot be read.
    #[inline]
    pub fn next_packet(&mut self) -> Option<Packet<'_>> {
        self.next_packet_after(&mut |_| {})
    }

    /// As [`Self::next_packet`]; what comes before the packet is told aside.
    #[inline]
    pub fn next_packet_after(&mut self, aside: &mut dyn FnMut(Aside<'_>)) -> Option<Packet<'_>> {
        match &mut self.0 {
            Timeline::One(file) => file.next(aside),
            Timeline::Many(merge) => merge.next(aside),
        }
    }

    /// Whether what was read until now has a place for key logs, and there may be more of it.
    pub fn may_have_keys(&self) -> bool {
        match &self.0 {
            Timeline::One(file) => file.may_have_keys(),
            Timeline::Many(_) => true,
        }
    }

    /// Bytes of the input that are behind the reader; of a compressed one, as it is compressed.
    pub fn position(&self) -> u64 {
        match &self.0 {
            Timeline::One(file) => file.position(),
            Timeline::Many(merge) => merge.position(),
        }
    }

    /// Where the packet that was lent last lies in its file.
    pub fn place(&self) -> Place {
        match &self.0 {
            Timeline::One(file) => file.place(),
            Timeline::Many(merge) => merge.place(),
        }
    }

    /// How many of several captures could not be read.
    pub const fn left_out(&self) -> usize {
        match &self.0 {
            Timeline::One(_) => 0,
            Timeline::Many(merge) => merge.left_out(),
        }
    }

    /// The findings about the input since the last call. There are few, however broken it is: repetitions are counted.
    pub fn take_notes(&mut self) -> Vec<FileNote> {
        match &mut self.0 {
            Timeline::One(file) => file.take_notes(),
            Timeline::Many(merge) => merge.take_notes(),
        }
    }
}
