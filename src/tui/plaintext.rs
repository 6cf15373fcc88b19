//! The decrypted bytes of the TLS records that carry a frame: its own, and those of its neighbours.

use super::paper::{self, Piece, PieceKind};
use super::wire::{self, Layout, Source, Wire};
use crate::book::{Book, FrameRow, MessageId, MessageRow};
use crate::model::Envelope;
use std::ops::Range;
use std::sync::Arc;

/// What stands beside a frame in what carries it.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// DATA frames of HTTP/2, else TLS records.
    pub(super) carriers: Vec<Envelope>,
    pub(super) before: Vec<Chunk>,
    pub(super) after: Vec<Chunk>,
}

/// Bytes, or how many are not kept: those of no frame, and of what is too long to be looked at beside another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chunk {
    Bytes(Vec<u8>),
    NotKept(u64),
}

/// Messages that are looked through in either direction for frames beside one.
const NEIGHBOURS: usize = 4096;
/// Bytes of a message that is read because a frame of it stands beside another.
const NEIGHBOUR_BYTES: u64 = 1 << 20;

/// A frame, where its payload begins in its message, and which that is.
struct Neighbour {
    frame: FrameRow,
    message: MessageId,
    start: u64,
}

impl Around {
    /// Of a frame of a message.
    pub(super) fn new(book: &Book, row: &MessageRow, frame: &FrameRow, layout: &Layout) -> Self {
        let own = frame.stream_offset..frame.stream_offset.saturating_add(layout.whole_len(frame));
        let mut carriers = book.data_frames(row.conn, row.dir, &own);
        if carriers.is_empty() {
            carriers = book.records(row.conn, row.dir, &own);
        }
        let (Some(first), Some(last)) = (carriers.first(), carriers.last()) else { return Self::default() };
        let (from, to) = (first.offset.min(own.start), last.end().max(own.end));
        let neighbours = neighbours(book, row, layout, &(from..to));
        let stretch = |range| stretch(book, &neighbours, layout, range);
        Self { before: stretch(from..own.start), after: stretch(own.end..to), carriers }
    }

    /// Bytes before the frame.
    pub(super) fn lead(&self) -> u64 {
        self.before.iter().map(Chunk::len).sum()
    }
}

impl Chunk {
    const fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::NotKept(len) => *len,
        }
    }
}

/// The frames of a message's direction that have bytes within a range, in their order.
///
/// Messages stand in the order of their last frames: of those before one that ends before the range none has a frame in it.
fn neighbours(book: &Book, row: &MessageRow, layout: &Layout, range: &Range<u64>) -> Vec<Neighbour> {
    let ids = book.messages_of(row.conn);
    let at = ids.partition_point(|id| id < row.id);
    let (before, behind) = (ids.within(..at), ids.within(at..));
    let mut found = Vec::new();
    let mut add = |id: MessageId| -> Option<(u64, u64)> {
        let row = book.message(id)?;
        let (mut start, mut span) = (0, None);
        for frame in book.frames(row.frame_rows.clone()) {
            let end = frame.stream_offset.saturating_add(layout.whole_len(&frame));
            let (first, _) = *span.get_or_insert((frame.stream_offset, end));
            span = Some((first, end));
            let len = frame.len;
            if frame.stream_offset < range.end && end > range.start {
                found.push(Neighbour { frame, message: id, start });
            }
            start += len;
        }
        span
    };
    let is_same = |id: &MessageId| book.kind(*id).is_some_and(|(dir, _)| dir == row.dir);
    for id in before.iter().rev().filter(is_same).take(NEIGHBOURS) {
        if add(id).is_some_and(|(_, end)| end <= range.start) {
            break;
        }
    }
    for id in behind.iter().filter(is_same).take(NEIGHBOURS) {
        // A message that a control frame stands in ends behind it.
        let is_data = book.kind(id).is_some_and(|(_, opcode)| !opcode.is_control());
        if add(id).is_some_and(|(first, _)| first >= range.end) && is_data {
            break;
        }
    }
    found.sort_by_key(|neighbour| neighbour.frame.stream_offset);
    found
}

/// The bytes of a range of the decrypted stream, as far as frames have them.
fn stretch(book: &Book, neighbours: &[Neighbour], layout: &Layout, range: Range<u64>) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut at = range.start;
    for Neighbour { frame, message, start } in neighbours {
        let begin = frame.stream_offset;
        let end = begin.saturating_add(layout.whole_len(frame)).min(range.end);
        if begin >= range.end || end <= at {
            continue;
        }
        push_gap(&mut chunks, begin.saturating_sub(at));
        at = at.max(begin);
        match book.message(*message).filter(|row| row.kept.max(row.wire_len) <= NEIGHBOUR_BYTES) {
            Some(row) => cut(book, &row, frame, layout, *start, at - begin..end - begin, &mut chunks),
            None => push_gap(&mut chunks, end - at),
        }
        at = end;
    }
    push_gap(&mut chunks, range.end.saturating_sub(at));
    chunks
}

fn push_gap(chunks: &mut Vec<Chunk>, len: u64) {
    match chunks.last_mut() {
        Some(Chunk::NotKept(gap)) => *gap += len,
        _ if len > 0 => chunks.push(Chunk::NotKept(len)),
        _ => {}
    }
}

/// A frame of a message as it was sent; its payload begins at `start` in the message.
pub(super) fn as_sent(book: &Book, row: &MessageRow, frame: &FrameRow, layout: &Layout, start: u64) -> Wire {
    let body = book.wire(row).unwrap_or_default();
    let pieces = if row.is_inflated() {
        vec![Piece { offset: 0, kind: PieceKind::Bytes { start: 0, end: body.len() } }]
    } else {
        paper::pieces(row, body.len())
    };
    wire::rebuild(frame, layout, Arc::new(body), &pieces, start, Source::Frame, &Around::default())
}

/// Adds a part of a frame.
fn cut(
    book: &Book,
    row: &MessageRow,
    frame: &FrameRow,
    layout: &Layout,
    start: u64,
    part: Range<u64>,
    chunks: &mut Vec<Chunk>,
) {
    let wire = as_sent(book, row, frame, layout, start);
    let mut at = part.start;
    for piece in &wire.pieces {
        if let PieceKind::Bytes { start, end } = piece.kind {
            let (from, to) = (piece.offset.max(at), (piece.offset + (end - start) as u64).min(part.end));
            if from < to {
                push_gap(chunks, from - at);
                let place = |offset: u64| start + usize::try_from(offset - piece.offset).unwrap_or(0);
                chunks.push(Chunk::Bytes(wire.read(place(from)..place(to))));
                at = to;
            }
        }
    }
    push_gap(chunks, part.end.saturating_sub(at));
}
