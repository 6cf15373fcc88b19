//! Findings about the capture itself, and in which of several files its packets stand.

use super::mark::{Mark, PacketNo};
use super::note::{Note, NoteCode};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// A finding about the file or its packets, made below the protocols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNote {
    /// What it is about.
    pub code: NoteCode,
    /// The last packet read when it was found; packet 0 before the first.
    pub at: Mark,
    /// One sentence with offsets and counts. It holds nothing that the capture's bytes spell.
    pub text: String,
}

/// Some things of a kind: how many, and the first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// The packet of the first.
    pub first: Mark,
}

impl Tally {
    /// Adds so many, of which the first came with that packet.
    pub const fn add(&mut self, count: u64, mark: Mark) {
        if self.count == 0 {
            self.first = mark;
        }
        self.count += count;
    }

    /// These, and those that came behind them.
    #[must_use]
    pub const fn with(mut self, other: &Self) -> Self {
        self.add(other.count, other.first);
        self
    }

    /// The finding about them, if there are any, in the words that their number and the first one's packet make.
    pub fn note(&self, code: NoteCode, words: impl FnOnce(u64, PacketNo) -> String) -> Option<FileNote> {
        let note = || FileNote { code, at: self.first, text: words(self.count, self.first.packet) };
        (self.count > 0).then(note)
    }
}

impl FileNote {
    /// The finding as every other finding is told.
    pub fn note(&self) -> Note<'_> {
        Note { text: &self.text, ..Note::new(self.code, self.at) }
    }
}

/// From here on the packets stand in this file, one behind the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRun {
    /// The file's name, as it is shown; not escaped.
    pub name: Arc<str>,
    /// The number of the first of these packets in the timeline.
    pub packet: PacketNo,
    /// Its number in the file, from 1.
    pub number: u64,
    /// How many files have begun by now, and how many there are.
    pub begun: (usize, usize),
}

/// A packet of a file: `b.pcap:17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePacket<'a> {
    /// The file's name; not escaped.
    pub name: &'a str,
    /// The number in it, from 1.
    pub number: u64,
}

impl fmt::Display for FilePacket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.number)
    }
}

/// Where the packets of a timeline stand, where that is made of several files: its last [`Self::RUNS`] runs.
///
/// Files that overlap in time take turns, so that there may be as many runs as packets; then the first ones are forgotten.
#[derive(Debug, Clone, Default)]
pub struct FileRuns {
    runs: VecDeque<FileRun>,
}

impl FileRuns {
    /// How many are kept, 48 bytes each.
    pub const RUNS: usize = 1 << 20;

    /// Adds the run that begins behind all others.
    pub fn push(&mut self, run: FileRun) {
        if self.runs.len() >= Self::RUNS {
            self.runs.pop_front();
        }
        self.runs.push_back(run);
    }

    /// A packet's number, and where it stands if there are several files: `17`, `17 (b.pcap:3)`; not escaped.
    pub fn place(&self, packet: PacketNo) -> String {
        self.find(packet).map_or_else(|| packet.to_string(), |place| format!("{packet} ({place})"))
    }

    /// Where a packet stands; `None` where there is one file, and where that is forgotten.
    pub fn find(&self, packet: PacketNo) -> Option<FilePacket<'_>> {
        let behind = self.runs.partition_point(|run| run.packet <= packet);
        let FileRun { name, packet: first, number, .. } = self.runs.get(behind.checked_sub(1)?)?;
        Some(FilePacket { name, number: number + (packet.0 - first.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_found_in_their_files() {
        let mut runs = FileRuns::default();
        assert_eq!(runs.find(PacketNo(1)), None);
        for (name, packet, number) in [("a", 1, 1), ("b", 4, 1), ("a", 6, 4)] {
            runs.push(FileRun { name: name.into(), packet: PacketNo(packet), number, begun: (1, 1) });
        }
        let found: Vec<_> = (1..=7).map(|at| runs.find(PacketNo(at)).unwrap().to_string()).collect();
        assert_eq!(found, ["a:1", "a:2", "a:3", "b:1", "b:2", "a:4", "a:5"]);
        assert_eq!([runs.place(PacketNo(4)), FileRuns::default().place(PacketNo(4))], ["4 (b:1)", "4"]);
    }

    #[test]
    fn the_first_runs_are_forgotten() {
        let mut runs = FileRuns::default();
        let name: Arc<str> = "a".into();
        for packet in 1..=FileRuns::RUNS as u64 + 1 {
            runs.push(FileRun { name: Arc::clone(&name), packet: PacketNo(packet), number: packet, begun: (1, 1) });
        }
        assert_eq!(runs.find(PacketNo(1)), None);
        assert_eq!(runs.find(PacketNo(2)).map(|at| at.number), Some(2));
    }
}
