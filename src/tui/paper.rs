//! A payload cut into the rows of a pane: text, raw bytes or hex, with its holes as rows of their own.

use crate::book::MessageRow;
use crate::escape;
use crate::model::{NoteCode, count};
use unicode_width::UnicodeWidthChar;

/// Columns of a row that is not wrapped that can be scrolled to.
const MAX_SCROLL: usize = 16 << 10;

/// A part of a body: bytes that are there, or a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it begins in the whole payload.
    pub(super) offset: u64,
    pub(super) kind: PieceKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// Bytes, by their place among those that are there.
    Bytes { start: usize, end: usize },
    /// Bytes that the capture does not have; `None`: nobody knows how many.
    Lost(Option<u64>),
    /// Bytes that are copied from a history which was lost (RFC 7692 §7.1.1).
    Unknown(u64),
    /// Bytes that were captured but not kept.
    NotKept(u64),
    /// Bytes of a stream that the packets which are shown do not have.
    Elsewhere(u64),
}

impl PieceKind {
    /// Bytes of known number that are not there.
    pub(super) fn missing(self) -> u64 {
        match self {
            Self::Bytes { .. } | Self::Lost(None) => 0,
            Self::Lost(Some(len)) | Self::Unknown(len) | Self::NotKept(len) | Self::Elsewhere(len) => len,
        }
    }

    /// The same hole, of another length.
    pub(super) fn with_len(self, len: u64) -> Self {
        match self {
            Self::Lost(Some(_)) => Self::Lost(Some(len)),
            Self::Unknown(_) => Self::Unknown(len),
            Self::NotKept(_) => Self::NotKept(len),
            Self::Elsewhere(_) => Self::Elsewhere(len),
            other => other,
        }
    }

    /// What stands in place of the bytes.
    pub(super) fn label(self) -> String {
        match self {
            Self::Bytes { .. } => String::new(),
            Self::Lost(None) => "┄┄ bytes lost, nobody knows how many ┄┄".to_owned(),
            Self::Lost(Some(len)) => format!("┄┄ {} lost ┄┄", count(len, "byte")),
            Self::Unknown(len) => format!("┄┄ {} unknown ┄┄", count(len, "byte")),
            Self::NotKept(len) => format!("┄┄ {} not kept ┄┄", count(len, "byte")),
            Self::Elsewhere(len) => format!("┄┄ {} in other packets, if any ┄┄", count(len, "byte")),
        }
    }
}

/// The pieces of a message's payload, of which `kept` bytes are there.
pub(super) fn pieces(row: &MessageRow, kept: usize) -> Vec<Piece> {
    let mut out = Vec::new();
    let (mut at, mut offset) = (0, 0_u64);
    for hole in &row.holes {
        let len = usize::try_from(hole.offset.saturating_sub(offset)).unwrap_or(usize::MAX).min(kept - at);
        push_bytes(&mut out, offset, at, len);
        at += len;
        let kind = match hole.len {
            Some(len) if row.findings.contains(NoteCode::DeflateLost) => PieceKind::Unknown(len),
            len => PieceKind::Lost(len),
        };
        out.push(Piece { offset: hole.offset, kind });
        offset = hole.offset.saturating_add(hole.len.unwrap_or(0));
    }
    push_bytes(&mut out, offset, at, kept - at);
    offset = offset.saturating_add((kept - at) as u64);
    if offset < row.len {
        out.push(Piece { offset, kind: PieceKind::NotKept(row.len - offset) });
    }
    out
}

fn push_bytes(out: &mut Vec<Piece>, offset: u64, start: usize, len: usize) {
    if len > 0 {
        out.push(Piece { offset, kind: PieceKind::Bytes { start, end: start + len } });
    }
}

/// How bytes become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// As text: lines end where the sender ended them.
    Text,
    /// Byte by byte: ASCII stands for itself, everything else is `\xNN`.
    Raw,
}

/// A row of text: bytes from `start` to `end`, or the piece with that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextRow {
    Bytes { start: u32, end: u32 },
    Gap(u32),
}

/// Rows of text, made only as far down as somebody has looked.
#[derive(Debug)]
pub(super) struct TextRows {
    style: Style,
    /// Columns to wrap at; `None`: a row goes to the end of its line.
    wrap: Option<usize>,
    rows: Vec<TextRow>,
    /// The piece and the byte with which the next row begins.
    next: (usize, usize),
    done: bool,
}

impl TextRows {
    pub(super) const fn new(style: Style, wrap: Option<usize>) -> Self {
        Self { style, wrap, rows: Vec::new(), next: (0, 0), done: false }
    }

    pub(super) fn is_for(&self, style: Style, wrap: Option<usize>) -> bool {
        self.style == style && self.wrap == wrap
    }

    /// Rows made so far.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether these are all rows.
    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    pub(super) fn get(&self, row: usize) -> Option<TextRow> {
        self.rows.get(row).copied()
    }

    /// Makes rows until there are `count` of them, or all.
    pub(super) fn extend_to(&mut self, count: usize, body: &[u8], pieces: &[Piece]) {
        while self.rows.len() < count && !self.done {
            self.step(body, pieces);
        }
    }

    /// The row with the byte at `place`, or the first behind it; `None` while it is not made.
    pub(super) fn row_of(&self, place: usize) -> Option<usize> {
        let last_end = self.rows.iter().rev().find_map(|row| match row {
            TextRow::Bytes { end, .. } => Some(*end as usize),
            TextRow::Gap(_) => None,
        });
        if last_end.is_none_or(|end| end <= place) {
            return self.rows.len().checked_sub(1).filter(|_| self.done);
        }
        self.rows.iter().position(|row| matches!(row, TextRow::Bytes { end, .. } if place < *end as usize))
    }

    /// The first byte of a row, or of the first behind it that has one.
    pub(super) fn begin_of(&self, row: usize) -> Option<usize> {
        self.rows.get(row..)?.iter().find_map(|row| match row {
            TextRow::Bytes { start, .. } => Some(*start as usize),
            TextRow::Gap(_) => None,
        })
    }

    fn step(&mut self, body: &[u8], pieces: &[Piece]) {
        let (piece, at) = self.next;
        let Some(found) = pieces.get(piece) else {
            self.done = true;
            return;
        };
        let PieceKind::Bytes { start, end } = found.kind else {
            self.rows.push(TextRow::Gap(u32::try_from(piece).unwrap_or(u32::MAX)));
            self.next = (piece + 1, 0);
            return;
        };
        let from = at.max(start);
        let bytes = body.get(from..end).unwrap_or(&[]);
        let (shown, taken) = self.cut_row(bytes);
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.rows.push(TextRow::Bytes { start: place(from), end: place(from + shown) });
        let next = from + taken.max(1);
        self.next = if next < end { (piece, next) } else { (piece + 1, 0) };
    }

    /// The length of the row that `bytes` begin with, without and with the end of its line.
    fn cut_row(&self, bytes: &[u8]) -> (usize, usize) {
        let line = match self.style {
            Style::Raw => None,
            // A row that is not wrapped ends with its line; else the end is met on the way.
            Style::Text if self.wrap.is_none() => memchr::memchr(b'\n', bytes),
            Style::Text => None,
        };
        let Some(wrap) = self.wrap else {
            return match line {
                Some(end) => (trim_return(bytes, end), end + 1),
                None => (bytes.len(), bytes.len()),
            };
        };
        let (mut at, mut used) = (0, 0);
        while at < bytes.len() {
            if self.style == Style::Text && bytes.get(at) == Some(&b'\n') {
                return (trim_return(bytes, at), at + 1);
            }
            let (len, columns) = step(self.style, bytes, at);
            if used + columns > wrap && used > 0 {
                return (at, at);
            }
            at += len;
            used += columns;
        }
        (at, at)
    }
}

/// The end of a line without the carriage return before it.
fn trim_return(bytes: &[u8], end: usize) -> usize {
    if end > 0 && bytes.get(end - 1) == Some(&b'\r') { end - 1 } else { end }
}

/// Bytes and columns of the character at `at`.
fn step(style: Style, bytes: &[u8], at: usize) -> (usize, usize) {
    match (bytes.get(at).copied().unwrap_or(0), style) {
        (b' '..=b'~', _) => (1, 1),
        (b'\t', Style::Text) => (1, TAB.len()),
        (b'\t' | b'\n' | b'\r', _) => (1, 2),
        (0..=0x1f | 0x7f, _) | (_, Style::Raw) => (1, 4),
        _ => match char_at(bytes, at) {
            Some(c) => (c.len_utf8(), escaped_width(c)),
            None => (1, 4),
        },
    }
}

/// A tab on the screen.
const TAB: &str = "    ";

fn char_at(bytes: &[u8], at: usize) -> Option<char> {
    let window = bytes.get(at..bytes.len().min(at + 4))?;
    window.utf8_chunks().next()?.valid().chars().next()
}

fn escaped_width(c: char) -> usize {
    let shown = escape::display_str(c.encode_utf8(&mut [0; 4])).into_owned();
    shown.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// A row's text as it is safe to show, from column `scroll` on, not much longer than `columns`.
pub(super) fn shown(style: Style, bytes: &[u8], scroll: usize, columns: usize) -> String {
    let (from, to) = (columns_to_bytes(style, bytes, scroll), columns_to_bytes(style, bytes, scroll + columns + 1));
    let bytes = bytes.get(from..to).unwrap_or(&[]);
    match style {
        Style::Raw => raw(bytes),
        Style::Text => match memchr::memchr(b'\t', bytes) {
            None => escape::display(bytes).into_owned(),
            Some(_) => bytes.split(|&b| b == b'\t').map(escape::display).collect::<Vec<_>>().join(TAB),
        },
    }
}

fn columns_to_bytes(style: Style, bytes: &[u8], columns: usize) -> usize {
    let (mut at, mut used) = (0, 0);
    while at < bytes.len() && used < columns.min(MAX_SCROLL) {
        let (len, wide) = step(style, bytes, at);
        at += len;
        used += wide;
    }
    at.min(bytes.len())
}

/// Bytes as ASCII, everything else escaped.
pub(super) fn raw(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b' '..=b'~' => out.push(char::from(byte)),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out
}

/// A row of a hex dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HexRow {
    /// Bytes among those that are there, and their offset in the whole.
    Bytes { offset: u64, start: usize, end: usize },
    /// The piece with that number.
    Gap(usize),
}

/// Rows of a hex dump, found by arithmetic: nothing is made in advance.
pub(super) struct HexRows<'a> {
    pieces: &'a [Piece],
    per_row: usize,
}

impl<'a> HexRows<'a> {
    pub(super) fn new(pieces: &'a [Piece], per_row: usize) -> Self {
        Self { pieces, per_row: per_row.max(1) }
    }

    fn rows_of(&self, piece: &Piece) -> usize {
        match piece.kind {
            PieceKind::Bytes { start, end } => (end - start).div_ceil(self.per_row),
            _ => 1,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.pieces.iter().map(|piece| self.rows_of(piece)).sum()
    }

    pub(super) fn get(&self, mut row: usize) -> Option<HexRow> {
        for (at, piece) in self.pieces.iter().enumerate() {
            let rows = self.rows_of(piece);
            if row >= rows {
                row -= rows;
                continue;
            }
            return Some(match piece.kind {
                PieceKind::Bytes { start, end } => {
                    let from = start + row * self.per_row;
                    let offset = piece.offset.saturating_add((row * self.per_row) as u64);
                    HexRow::Bytes { offset, start: from, end: end.min(from + self.per_row) }
                }
                _ => HexRow::Gap(at),
            });
        }
        None
    }

    /// The row with the byte that is at `place` among those that are there.
    pub(super) fn row_of(&self, place: usize) -> usize {
        let mut rows = 0;
        for piece in self.pieces {
            match piece.kind {
                PieceKind::Bytes { start, end } if (start..end).contains(&place) => {
                    return rows + (place - start) / self.per_row;
                }
                _ => rows += self.rows_of(piece),
            }
        }
        rows.saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(body: &[u8]) -> Vec<Piece> {
        let mut out = Vec::new();
        push_bytes(&mut out, 0, 0, body.len());
        out
    }

    fn lines(style: Style, wrap: Option<usize>, body: &[u8]) -> Vec<String> {
        let pieces = whole(body);
        let mut rows = TextRows::new(style, wrap);
        rows.extend_to(usize::MAX, body, &pieces);
        (0..rows.len())
            .map(|row| match rows.get(row) {
                Some(TextRow::Bytes { start, end }) => shown(style, &body[start as usize..end as usize], 0, 1000),
                _ => String::new(),
            })
            .collect()
    }

    #[test]
    fn text_ends_lines_and_wraps() {
        assert_eq!(lines(Style::Text, None, b"one\r\ntwo\n\nfour"), ["one", "two", "", "four"]);
        assert_eq!(lines(Style::Text, Some(4), "abcdefg\n雨雨雨".as_bytes()), ["abcd", "efg", "雨雨", "雨"]);
        assert_eq!(lines(Style::Text, Some(5), b"\x1b\x1bab"), ["\\x1b", "\\x1ba", "b"]);
        assert_eq!(lines(Style::Text, None, b"a\tb"), ["a    b"]);
        assert_eq!(lines(Style::Raw, Some(6), b"a\nb\xff\x00"), ["a\\nb", "\\xff", "\\x00"]);
    }

    #[test]
    fn hex_rows_are_found_from_both_sides() {
        let pieces = [
            Piece { offset: 0, kind: PieceKind::Bytes { start: 0, end: 20 } },
            Piece { offset: 20, kind: PieceKind::Lost(Some(100)) },
            Piece { offset: 120, kind: PieceKind::Bytes { start: 20, end: 25 } },
        ];
        let rows = HexRows::new(&pieces, 16);
        assert_eq!(rows.len(), 4);
        assert_eq!(rows.get(1), Some(HexRow::Bytes { offset: 16, start: 16, end: 20 }));
        assert_eq!(rows.get(2), Some(HexRow::Gap(1)));
        assert_eq!(rows.get(3), Some(HexRow::Bytes { offset: 120, start: 20, end: 25 }));
        assert_eq!(rows.get(4), None);
        assert_eq!([0, 15, 16, 20, 24].map(|place| rows.row_of(place)), [0, 0, 1, 3, 3]);
    }

    proptest! {
        #[test]
        fn wrapped_rows_fit_and_hold_every_byte(body in proptest::collection::vec(any::<u8>(), 0..300), wrap in 10_usize..40) {
            for style in [Style::Text, Style::Raw] {
                let pieces = whole(&body);
                let mut rows = TextRows::new(style, Some(wrap));
                rows.extend_to(usize::MAX, &body, &pieces);
                let mut next = 0;
                for row in 0..rows.len() {
                    let Some(TextRow::Bytes { start, end }) = rows.get(row) else { continue };
                    let (start, end) = (start as usize, end as usize);
                    prop_assert!(body[next..start].iter().all(|b| matches!(b, b'\r' | b'\n')));
                    prop_assert!(super::super::text::width(&shown(style, &body[start..end], 0, 1000)) <= wrap);
                    if start < end {
                        prop_assert_eq!((rows.row_of(start), rows.row_of(end - 1)), (Some(row), Some(row)));
                    }
                    next = end;
                }
                prop_assert!(body[next..].iter().all(|b| matches!(b, b'\r' | b'\n')));
            }
        }
    }
}
