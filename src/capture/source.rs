//! What both formats share: the bytes, the count of packets, the findings.

use super::buffer::Buffer;
use super::packed::Fault;
use super::{Place, Stopped};
use crate::model::{FileNote, LinkType, Mark, NoteCode, Packet, PacketNo, Timestamp, count, number};

/// The longest packet or block that is taken for real, in bytes. The largest that an interface yields are 512 KiB.
pub(super) const MAX_RECORD: usize = 16 << 20;

/// How far a search for the next sound record goes, in bytes.
pub(super) const SEARCH: usize = 1 << 20;

/// A stretch of zeros as long as this many record heads is the unused end of a preallocated file.
const ZERO_HEADS: usize = 16;

/// Findings of one code that are told one by one; more are counted.
const TOLD: u64 = 8;

/// A packet that stands whole at the front of the buffer.
#[derive(Clone, Copy)]
pub(super) struct Record {
    /// Bytes before the packet's first.
    pub(super) head: usize,
    /// Bytes of the packet that were captured.
    pub(super) captured: usize,
    /// Bytes from the record's first to the next record's.
    pub(super) total: usize,
    pub(super) time: Option<Timestamp>,
    pub(super) link: LinkType,
    pub(super) orig_len: usize,
}

/// Why a format has no next packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The input ends, or the rest of it cannot be read.
    End,
    /// Another capture begins at the front of the buffer.
    Another,
}

pub(super) struct Source {
    pub(super) buffer: Buffer,
    /// The last packet counted.
    last: Mark,
    /// Bytes of the last record before its packet's first.
    head: usize,
    notes: Vec<FileNote>,
    /// How many findings of a code there were.
    counts: Vec<(NoteCode, u64)>,
}

impl Source {
    pub(super) fn new(buffer: Buffer) -> Self {
        Self { buffer, last: Mark::default(), head: 0, notes: Vec::new(), counts: Vec::new() }
    }

    /// Counts what Wireshark gives a number and is not handed on.
    pub(super) fn count(&mut self) {
        self.last = self.next_mark(self.last.time);
    }

    /// How many packets were counted.
    pub(super) const fn counted(&self) -> u64 {
        self.last.packet.0
    }

    /// The time of the last packet.
    pub(super) fn last_time(&self) -> Option<Timestamp> {
        self.last.time
    }

    /// Moves past a record and lends its packet.
    #[inline]
    pub(super) fn lend(&mut self, record: Record) -> Packet<'_> {
        self.lend_as(record, self.next_mark(record.time).packet)
    }

    /// As [`Self::lend`], under another number.
    #[inline]
    pub(super) fn lend_as(&mut self, record: Record, packet: PacketNo) -> Packet<'_> {
        self.last = self.next_mark(record.time);
        self.head = record.head;
        let bytes = self.buffer.consume(record.total);
        let bytes = bytes.get(record.head..record.head + record.captured).unwrap_or_default();
        Packet { mark: Mark { packet, time: record.time }, link: record.link, bytes, orig_len: record.orig_len }
    }

    /// Where the packet lies that was lent last.
    pub(super) fn place(&self) -> Place {
        Place { offset: self.buffer.consumed_at() + self.head as u64, packed: self.buffer.packed_in() }
    }

    /// The mark of the packet that is counted next.
    #[inline]
    pub(super) fn next_mark(&self, time: Option<Timestamp>) -> Mark {
        Mark { packet: PacketNo(self.last.packet.0 + 1), time }
    }

    /// Adds a finding at the last packet.
    pub(super) fn note(&mut self, code: NoteCode, text: impl FnOnce() -> String) {
        self.note_at(self.last, code, text);
    }

    /// Adds a finding about the packet that is lent next.
    pub(super) fn note_next(&mut self, time: Option<Timestamp>, code: NoteCode, text: impl FnOnce() -> String) {
        self.note_at(self.next_mark(time), code, text);
    }

    /// Adds a finding; the text of the ninth and later ones of a code is never made.
    fn note_at(&mut self, at: Mark, code: NoteCode, text: impl FnOnce() -> String) {
        let row = self.counts.iter().position(|&(counted, _)| counted == code);
        let row = row.unwrap_or_else(|| {
            self.counts.push((code, 0));
            self.counts.len() - 1
        });
        let Some((_, count)) = self.counts.get_mut(row) else { return };
        *count += 1;
        if *count <= TOLD {
            self.notes.push(FileNote { code, at, text: text() });
        }
    }

    /// Says where the input ends, when that is inside a record that needs `need` bytes.
    pub(super) fn end_inside(&mut self, what: &str, need: usize) {
        let (at, left) = (self.buffer.position(), self.buffer.data().len());
        if left > 0 && !self.buffer.has_failed() {
            self.note(NoteCode::FileCut, || {
                format!(
                    "truncated at offset {at}: {what} needs {}, {} left",
                    count(need as u64, "byte"),
                    number(left as u64)
                )
            });
        }
    }

    /// Whether zeros as long as [`ZERO_HEADS`] heads of `head` bytes follow: the unused end of a preallocated file.
    #[cold]
    pub(super) fn is_blank_tail(&mut self, head: usize) -> bool {
        let len = head * ZERO_HEADS;
        let is_zero = |len, data: &[u8]| data.iter().take(len).all(|&byte| byte == 0);
        // The first head alone, so as not to wait for more than a record on a pipe.
        if !is_zero(head, self.buffer.data()) || !self.buffer.fill(len) || !is_zero(len, self.buffer.data()) {
            return false;
        }
        let at = self.buffer.position();
        self.note(NoteCode::FileCut, || format!("zero fill from offset {at}: no packets follow"));
        true
    }

    /// Says at the end why it is one, when reading failed, and how many findings were only counted.
    pub(super) fn end(&mut self) {
        if let Some(error) = self.buffer.take_failure().filter(|error| !Stopped::is(error)) {
            let at = self.buffer.position() + self.buffer.data().len() as u64;
            match error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()) {
                Some(fault) => self.note(fault.code(), || fault.to_string()),
                None => self.note(NoteCode::FileDamaged, || format!("reading failed at offset {at}: {error}")),
            }
        }
        for (code, count) in std::mem::take(&mut self.counts) {
            if let more @ 1.. = count.saturating_sub(TOLD) {
                self.notes.push(FileNote { code, at: self.last, text: format!("{more} more of this kind") });
            }
        }
    }

    pub(super) fn has_notes(&self) -> bool {
        !self.notes.is_empty()
    }

    pub(super) fn take_notes(&mut self) -> Vec<FileNote> {
        std::mem::take(&mut self.notes)
    }
}
