//! How a frame looks in the TCP stream that carries it: by what it is found there.

use super::packets::Stream;
use super::paper::PieceKind;
use super::plaintext::{self, Around};
use super::wire::{Layout, Wire};
use crate::book::{Book, FrameRow, MessageRow};
use crate::model::Envelope;
use std::iter;
use std::ops::Range;

/// Bytes by which a frame is known: more make it no surer.
const TELLING: usize = 256;

/// The type of TLS records with application data, and the major version of all (RFC 8446 §5.1).
const RECORD: [u8; 2] = [0x17, 0x03];

/// What is known of bytes in a TCP stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    /// How many they are.
    pub(super) len: u64,
    /// Some of them, and where they stand.
    known: Vec<(u64, Vec<u8>)>,
    /// Where the frame begins among them; `None` where they are the records that have it, encrypted.
    pub(super) frame: Option<u64>,
}

impl Trace {
    /// Of a frame in the clear.
    pub(super) fn of_frame(wire: &Wire) -> Self {
        let (mut known, mut left) = (Vec::new(), TELLING);
        for piece in &wire.pieces {
            if let PieceKind::Bytes { start, end } = piece.kind {
                let end = end.min(start + left);
                left -= end - start;
                known.push((piece.offset, wire.read(start..end)));
            }
        }
        known.retain(|(_, bytes)| !bytes.is_empty());
        Self { len: wire.len, known, frame: Some(0) }
    }

    /// Of a frame in a DATA frame of HTTP/2 in the clear, `lead` bytes behind the beginning of its data; `None` where that is padded.
    pub(super) fn in_data(self, data: &Envelope, lead: u64) -> Option<Self> {
        let head = data.data?.head;
        let begins = (head.len() as u64).saturating_add(lead);
        if u64::from(data.wire_len) != head.len() as u64 + u64::from(data.len) {
            return None;
        }
        let within = self.known.into_iter().map(|(at, bytes)| (at.saturating_add(begins), bytes));
        let known = iter::once((0, head.to_vec())).chain(within).collect();
        Some(Self { len: data.wire_len.into(), known, frame: Some(begins) })
    }

    /// Of TLS records: their heads.
    pub(super) fn of_records(records: &[Envelope]) -> Self {
        let (mut known, mut len) = (Vec::new(), 0);
        for record in records {
            // RFC 8446 §5.1: the head of five bytes is not counted in the length.
            let inside = u16::try_from(record.wire_len.saturating_sub(5)).unwrap_or(0);
            known.extend([(len, RECORD.to_vec()), (len + 3, inside.to_be_bytes().to_vec())]);
            len += u64::from(record.wire_len);
        }
        Self { len, known, frame: None }
    }

    /// Where it begins in a stream, of the places where its last byte lies in one of these ranges.
    pub(super) fn find(&self, stream: &Stream, ends: &[Range<u64>], which: Which) -> Option<u64> {
        let rank = match which {
            Which::Nth(rank) => rank,
            Which::Brought(0) => return self.only(stream, ends),
            Which::Brought(bytes) => {
                let mut starts = ends.iter().filter_map(|end| (end.start + u64::from(bytes)).checked_sub(self.len));
                return starts.find(|&start| self.is_at(stream, start)).or_else(|| self.only(stream, ends));
            }
        };
        self.places(stream, ends).nth(rank)
    }

    /// The only place.
    fn only(&self, stream: &Stream, ends: &[Range<u64>]) -> Option<u64> {
        let mut places = self.places(stream, ends);
        places.next().filter(|_| places.next().is_none())
    }

    /// All places, which follow each other.
    fn places<'t>(&'t self, stream: &'t Stream, ends: &'t [Range<u64>]) -> impl Iterator<Item = u64> + 't {
        let mut behind = 0;
        ends.iter().cloned().flatten().filter_map(move |last| {
            let start = (last + 1).checked_sub(self.len).filter(|&start| start >= behind)?;
            self.is_at(stream, start).then(|| {
                behind = last + 1;
                start
            })
        })
    }

    /// Whether it may begin there.
    fn is_at(&self, stream: &Stream, start: u64) -> bool {
        let has_first = self.known.first().is_some_and(|(first, _)| !stream.from(start + first).is_empty());
        has_first && self.known.iter().all(|known| fits(stream, start, known))
    }
}

/// Which of several places that look alike.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    /// The one with that number, from 0.
    Nth(usize),
    /// The one up to whose end its last packet brought so many bytes; 0: where there is only one.
    Brought(u32),
}

/// Whether known bytes are those of the stream, as far as that has them.
fn fits(stream: &Stream, start: u64, (at, bytes): &(u64, Vec<u8>)) -> bool {
    let there = stream.from(start.saturating_add(*at));
    there.iter().zip(bytes).all(|(one, other)| one == other)
}

/// Messages before that of a frame that are looked through for those which end in the same packet.
const LOOKED_AT: usize = 4096;

/// A frame and what it came with.
pub(super) struct Way<'a> {
    pub(super) book: &'a Book,
    pub(super) message: &'a MessageRow,
    pub(super) frame: &'a FrameRow,
    pub(super) layout: &'a Layout,
    pub(super) around: &'a Around,
}

impl Way<'_> {
    /// The trace of a frame in the clear, whose bytes these are, and which it is: some before it in its packet may look the same.
    pub(super) fn of_frame(&self, wire: &Wire) -> Option<(Trace, Which)> {
        let Self { book, layout, around, frame, .. } = *self;
        let trace = Trace::of_frame(wire);
        let is_like = |row: &MessageRow, other: &FrameRow, start| {
            let of = |frame: &FrameRow| (frame.len, frame.header_len, frame.mask, frame.opcode, frame.fin, frame.rsv);
            of(other) == of(frame) && Trace::of_frame(&plaintext::as_sent(book, row, other, layout, start)) == trace
        };
        let which = Which::Nth(self.before(is_like).count());
        match around.carriers.as_slice() {
            [] => Some((trace, which)),
            [data] => Some((trace.in_data(data, around.lead())?, which)),
            // Between DATA frames others may stand.
            _ => None,
        }
    }

    /// The trace of the records that carry a frame, and which it is.
    pub(super) fn of_records(&self) -> Option<(Trace, Which)> {
        let Self { book, message, frame, layout, .. } = *self;
        let end = frame.stream_offset.saturating_add(layout.whole_len(frame));
        let records = book.records(message.conn, message.dir, &(frame.stream_offset..end));
        let last = records.last()?;
        // Between records of the stream others may stand.
        let is_next = |pair: &[Envelope]| matches!(pair, [one, next] if one.number + 1 == next.number);
        records.windows(2).all(is_next).then(|| (Trace::of_records(&records), Which::Brought(last.brought)))
    }

    /// The frames before this one that end in the same packet, as far as they are told to count: of that message, which begin
    /// there in its payload.
    fn before(&self, mut counts: impl FnMut(&MessageRow, &FrameRow, u64) -> bool) -> impl Iterator<Item = FrameRow> {
        let Self { book, message, frame, .. } = *self;
        let ids = book.messages_of(message.conn);
        let at = ids.partition_point(|id| id <= message.id);
        let before = ids.within(..at).iter().rev().take(LOOKED_AT);
        let rows = before.filter_map(|id| book.message(id)).filter(|row| row.dir == message.dir);
        // Messages stand in the order of their last frames.
        let rows = rows.take_while(move |row| row.id == message.id || row.last.packet >= frame.last.packet);
        rows.flat_map(move |row| {
            let mut start = 0_u64;
            let frames = book.frames(row.frame_rows.clone()).map(move |other| {
                let begins = start;
                start = start.saturating_add(other.len);
                (other, begins)
            });
            let is_before =
                |other: &FrameRow| other.last.packet == frame.last.packet && other.stream_offset < frame.stream_offset;
            let found: Vec<FrameRow> = frames
                .filter(|(other, begins)| is_before(other) && counts(&row, other, *begins))
                .map(|(other, _)| other)
                .collect();
            found
        })
    }
}
