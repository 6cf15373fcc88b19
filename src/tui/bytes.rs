//! Screen 4: the frames of a message, the fields of one of them, and its bytes.

use super::anatomy::{self, Anatomy, Field};
use super::detail::Detail;
use super::dump::Dump;
use super::list::{List, Move};
use super::packets::Packets;
use super::paper::{HexRow, HexRows, Piece, PieceKind};
use super::plaintext::Around;
use super::provenance::Provenance;
use super::trace;
use super::wire::{self, Layout, Source, Wire};
use crate::book::{Book, FrameRow, MessageId, MessageRow};
use crate::model::{PacketNo, Version};
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// Columns that the tree of fields gets at least where bytes are shown by 16 a row, and at most.
const FIELDS: (u16, u16) = (44, 90);

/// The share of the fields beside the bytes on a screen of that width, in thousandths: what the bytes leave over.
pub(super) fn fields_share(width: u16) -> i16 {
    // With offsets of up to a megabyte, a wider gap, and the border.
    let dump = |per_row| u16::try_from(Dump::new(per_row, 0xf_ffff, false, false).width() + 1 + 2).unwrap_or(u16::MAX);
    let per_row = if width >= dump(16) + FIELDS.0 { 16 } else { 8 };
    let fields = width.saturating_sub(dump(per_row)).min(FIELDS.1);
    i16::try_from((u32::from(fields) * 1000).div_ceil(width.max(1).into())).unwrap_or(500)
}

/// Bytes of a payload that its field shows.
const SHOWN: usize = 512;

/// Which frame is shown, how, and where the user is in it.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    /// What `wire` and `fields` were made for.
    made_for: Option<(MessageId, usize, Source)>,
    message: Option<MessageId>,
    /// The frames of the message; the cursor is the frame that is shown.
    pub(super) frames: List,
    /// What the user wants to see; `source` says what is shown.
    chosen: Source,
    /// The message was inflated.
    is_inflated: bool,
    /// What carries the frame, where that is known.
    around: Option<Source>,
    /// Bytes before the frame in what its records say.
    lead: u64,
    /// The capture can be read once more, for the packets of a frame.
    is_rereadable: bool,
    /// These packets, as far as they were.
    pub(super) packets: Packets,
    /// The byte of the frame that was under the cursor, to be found among those of its packets.
    followed: Option<u64>,
    /// The byte under the cursor is to be seen: it may stand far below the first.
    is_to_be_seen: bool,
    pub(super) wire: Wire,
    /// The way of the frame's bytes.
    pub(super) provenance: Provenance,
    /// Bytes of the frame's head.
    header_len: u64,
    all_fields: Vec<Field>,
    folded: HashSet<&'static str>,
    /// The fields that are not folded away, by their place in `all_fields`.
    visible: Vec<usize>,
    pub(super) fields: List,
    /// The byte under the cursor, among those that are known.
    pub(super) cursor: usize,
    /// Where a selection began that reaches to the cursor.
    pub(super) selection: Option<usize>,
    pub(super) top: usize,
    /// Bytes in a row; `None`: as many as fit.
    per_row: Option<usize>,
    pub(super) decimal: bool,
    pub(super) bits: bool,
    pub(super) hide_inspector: bool,
}

/// The payload of a message as it was on the wire, unmasked, and where its bytes stand.
fn as_sent<'a>(book: &Book, row: &MessageRow, detail: &'a Detail) -> (Arc<Vec<u8>>, Cow<'a, [Piece]>) {
    if !row.is_inflated() {
        return (detail.shared(), Cow::Borrowed(&detail.pieces));
    }
    let (bytes, kind) = match book.wire(row) {
        Some(bytes) => {
            let end = bytes.len();
            (bytes, PieceKind::Bytes { start: 0, end })
        }
        None => (Vec::new(), PieceKind::NotKept(row.wire_len)),
    };
    (Arc::new(bytes), Cow::Owned(vec![Piece { offset: 0, kind }]))
}

impl Bytes {
    /// Of a capture that can be read once more, or not.
    pub(super) fn new(is_rereadable: bool) -> Self {
        Self { is_rereadable, ..Self::default() }
    }

    /// Forgets the frame, not how bytes are shown.
    pub(super) fn forget(&mut self) {
        let Self { chosen, is_rereadable, per_row, decimal, bits, hide_inspector, .. } = *self;
        let folded = std::mem::take(&mut self.folded);
        *self = Self { chosen, is_rereadable, folded, per_row, decimal, bits, hide_inspector, ..Self::default() };
    }

    /// Number of frames of the message that the book knows.
    pub(super) fn frame_count(book: &Book, message: Option<MessageId>) -> usize {
        message.and_then(|id| book.message(id)).map_or(0, |row| row.frame_rows.len())
    }

    /// A frame of the message.
    pub(super) fn frame(book: &Book, message: Option<MessageId>, at: usize) -> Option<FrameRow> {
        let rows = message.and_then(|id| book.message(id))?.frame_rows;
        let at = rows.start.checked_add(u32::try_from(at).ok()?).filter(|at| *at < rows.end)?;
        book.frames(at..at + 1).next()
    }

    pub(super) const fn message(&self) -> Option<MessageId> {
        self.message
    }

    /// Rebuilds what is shown when the message, the frame or the source is another one, or its packets have come.
    pub(super) fn open(&mut self, book: &Book, detail: &Detail) {
        let Some(id) = detail.id() else { return };
        if self.message != Some(id) {
            self.message = Some(id);
            self.frames = List::default();
        }
        let key = (id, self.frames.cursor, self.chosen);
        self.packets.turn_to((id, self.frames.cursor));
        let (is_same, is_news) = (self.made_for == Some(key), self.packets.take_news());
        if is_same && !is_news {
            return;
        }
        self.made_for = Some(key);
        self.make(book, detail);
        // The field stays: who looks at the opcode of one frame looks at the opcode of the next.
        self.fields.cursor = self.fields.cursor.min(self.field_count().saturating_sub(1));
        let source = self.source();
        if source.is_captured() {
            self.show_packet();
        } else if is_same {
            return;
        }
        self.selection = None;
        let followed = self.followed.filter(|_| source.is_captured()).and_then(|at| self.packets.shown_at(source, at));
        let followed = followed.map(|at| self.wire.place_of(at));
        self.cursor = followed.or_else(|| self.highlighted().map(|places| places.start)).unwrap_or(0);
        (self.top, self.is_to_be_seen) = (0, source.is_captured());
    }

    /// Shows the packet that the selected field is about, or that brings it; true when it is another one.
    fn show_packet(&mut self) -> bool {
        let field = self.visible.get(self.fields.cursor).and_then(|&at| self.all_fields.get(at));
        let is_other = self.packets.show(field, self.followed);
        self.wire = self.packets.wire(self.source());
        is_other
    }

    /// Keeps both views within what they show.
    pub(super) fn settle(&mut self, fields_height: usize, height: usize, columns: usize) {
        let len = self.field_count();
        self.fields.settle(len, fields_height);
        if std::mem::take(&mut self.is_to_be_seen) {
            self.show_cursor(height, columns);
        }
        self.top = self.top.min(self.rows(columns).saturating_sub(height.max(1)));
    }

    fn make(&mut self, book: &Book, detail: &Detail) {
        (self.wire, self.all_fields) = (Wire::default(), Vec::new());
        let Some(row) = self.message.and_then(|id| book.message(id)) else { return };
        let at = u32::try_from(self.frames.cursor).unwrap_or(u32::MAX);
        let before = row.frame_rows.start..row.frame_rows.start.saturating_add(at);
        let start = book.frames(before).fold(0_u64, |sum, frame| sum.saturating_add(frame.len));
        let Some(frame) = Self::frame(book, self.message, self.frames.cursor) else { return };
        self.header_len = frame.header_len.into();
        self.is_inflated = row.is_inflated();
        let (raw, pieces) = as_sent(book, &row, detail);
        let connection = book.connection(row.conn);
        let version = connection.map_or_else(Version::default, |connection| connection.opened.version);
        let handshake = version.has_old_heads().then(|| book.handshake(row.conn)).flatten();
        let layout = Layout::of(version, handshake.as_ref());
        let around = Around::new(book, &row, &frame, &layout);
        let h2_stream = connection.and_then(|connection| connection.h2_stream);
        let carrier = if h2_stream.is_some() { Source::Http2 } else { Source::Tls };
        self.around = (!around.carriers.is_empty()).then_some(carrier);
        self.lead = around.lead();
        let rebuild = |raw, source| wire::rebuild(&frame, &layout, raw, &pieces, start, source, &around);
        let payload = rebuild(Arc::clone(&raw), Source::Unmasked);
        let is_encrypted = connection.is_some_and(|connection| connection.opened.tls.is_some());
        self.packets.find(frame.last.packet, || {
            let way = trace::Way { book, message: &row, frame: &frame, layout: &layout, around: &around };
            if is_encrypted { way.of_records() } else { way.of_frame(&rebuild(Arc::clone(&raw), Source::Frame)) }
        });
        let packets = self.packets.lines();
        let stream = connection.and_then(|connection| connection.stream);
        let shown = payload.read(0..payload.known.min(SHOWN));
        let tls = connection.and_then(|connection| connection.opened.tls.as_deref());
        self.all_fields = anatomy::fields(&Anatomy {
            message: &row,
            frame: &frame,
            layout,
            payload: &shown,
            stream,
            h2_stream,
            tls,
            records: &around.carriers,
            packets: &packets,
        });
        let (place, record_name) = match (h2_stream, tls) {
            (Some(_), _) => ("DATA", "http2.data"),
            (None, Some(_)) => ("decrypted", "record"),
            (None, None) => ("stream", "record"),
        };
        let first = Self::frame(book, self.message, 0).map_or(frame.first_packet, |first| first.first_packet);
        self.provenance = Provenance {
            packets: (frame.first_packet, frame.last.packet),
            message_packets: (first, row.last.packet),
            records: around.carriers.clone(),
            record_name,
            place: format!("{} {place}", row.dir.arrow()),
            stream_offset: frame.stream_offset,
            header_len: self.header_len,
            len: frame.len,
            before: start,
            wire_len: row.wire_len,
            lead: self.lead,
        };
        self.wire = match self.source() {
            Source::Unmasked => payload,
            source @ (Source::Tls | Source::Http2 | Source::Frame) => rebuild(raw, source),
            Source::Inflated => wire::of(detail.shared(), &detail.pieces),
            // Which of them is asked of the fields.
            Source::Packet | Source::Tcp => Wire::default(),
        };
        self.lay_out();
    }

    /// The bytes that the message has, in the order of the tabs.
    pub(super) fn sources(&self) -> Vec<Source> {
        let has = |source: &Source| match source {
            Source::Packet | Source::Tcp => self.is_rereadable,
            Source::Tls | Source::Http2 => self.around == Some(*source),
            Source::Frame | Source::Unmasked => true,
            Source::Inflated => self.is_inflated,
        };
        Source::ALL.into_iter().filter(has).collect()
    }

    /// The bytes that are shown: those that the user chose, where the message has them.
    pub(super) fn source(&self) -> Source {
        if self.sources().contains(&self.chosen) { self.chosen } else { Source::default() }
    }

    /// Shows the next bytes, or the ones before.
    pub(super) fn next_source(&mut self, forward: bool) {
        self.followed = self.frame_byte().or(self.followed);
        let sources = self.sources();
        let at = sources.iter().position(|&source| source == self.source()).unwrap_or(0);
        let next = if forward { at + 1 } else { at + sources.len() - 1 };
        self.chosen = sources.get(next % sources.len()).copied().unwrap_or_default();
    }

    /// The byte of the frame under the cursor.
    fn frame_byte(&self) -> Option<u64> {
        let (source, offset) = (self.source(), self.wire.offset_of(self.cursor)?);
        match source.is_captured() {
            true => self.packets.frame_byte(source, offset),
            false => self.provenance.frame_byte(source, offset),
        }
    }

    /// Where the byte at an offset among those that are shown comes from, the outermost first.
    pub(super) fn way(&self, offset: u64) -> Vec<String> {
        let source = self.source();
        if !source.is_captured() {
            let byte = self.provenance.frame_byte(source, offset);
            let packet = byte.map_or_else(Vec::new, |byte| self.packets.way_of(byte));
            return self.provenance.words(source, offset, packet);
        }
        let words = self.packets.way(source, offset);
        match self.packets.frame_byte(source, offset) {
            Some(byte) => self.provenance.words(Source::Frame, byte, words),
            None => words,
        }
    }

    fn lay_out(&mut self) {
        let mut hide_below = None;
        self.visible.clear();
        for (at, field) in self.all_fields.iter().enumerate() {
            if hide_below.is_some_and(|depth| field.depth > depth) {
                continue;
            }
            hide_below = (field.folds && self.folded.contains(field.name)).then_some(field.depth);
            self.visible.push(at);
        }
    }

    /// Rows of the field tree.
    pub(super) fn field_count(&self) -> usize {
        self.visible.len()
    }

    pub(super) fn field(&self, row: usize) -> Option<&Field> {
        self.all_fields.get(*self.visible.get(row)?)
    }

    pub(super) fn is_folded(&self, field: &Field) -> bool {
        self.folded.contains(field.name)
    }

    /// Where among the bytes that are shown a byte of the frame stands; `None` before the first of them, and where it has no place
    /// of its own, as in what they inflate to.
    fn shown_at(&self, offset: u64) -> Option<u64> {
        match self.source() {
            Source::Tls | Source::Http2 => offset.checked_add(self.lead),
            Source::Frame => Some(offset),
            Source::Unmasked => offset.checked_sub(self.header_len),
            Source::Packet | Source::Tcp | Source::Inflated => None,
        }
    }

    /// The known bytes of a field, as places among all known bytes.
    pub(super) fn places_of(&self, field: &Field) -> Option<Range<usize>> {
        let source = self.source();
        let span = if source.is_captured() {
            self.packets.span_of(source, field)?
        } else {
            let span = field.span.as_ref()?;
            self.shown_at(span.start).unwrap_or(0)..self.shown_at(span.end)?
        };
        let Range { start, end } = span;
        if start >= end || self.wire.known == 0 {
            return None;
        }
        let from = self.wire.place_of(start);
        let to = if end >= self.wire.len { self.wire.known } else { self.wire.place_of(end) };
        (from < to).then_some(from..to)
    }

    /// The bytes of the selected field.
    pub(super) fn highlighted(&self) -> Option<Range<usize>> {
        self.places_of(self.field(self.fields.cursor)?)
    }

    /// The bytes between the begin of the selection and the cursor, both included.
    pub(super) fn selected(&self) -> Option<Range<usize>> {
        let begin = self.selection?;
        Some(begin.min(self.cursor)..begin.max(self.cursor) + 1).filter(|places| places.end <= self.wire.known)
    }

    /// What is marked in the dump: the selection, else the bytes of the selected field.
    pub(super) fn marked(&self) -> Option<Range<usize>> {
        self.selected().or_else(|| self.highlighted())
    }

    /// Begins a selection: of the byte under the cursor, or of the selected field.
    pub(super) fn begin_selection(&mut self, at_cursor: bool, height: usize, columns: usize) {
        let field = self.highlighted().filter(|_| !at_cursor);
        let places = field.unwrap_or(self.cursor..self.cursor + 1);
        self.selection = Some(places.start);
        self.cursor = places.end - 1;
        self.show_cursor(height, columns);
    }

    /// Goes through the fields; their bytes are shown.
    pub(super) fn go_field(&mut self, step: Move, height: usize, bytes_height: usize, columns: usize) {
        let len = self.field_count();
        (self.selection, self.followed) = (None, None);
        self.fields.go(step, len, height);
        if self.source() == Source::Packet && self.show_packet() {
            (self.cursor, self.top) = (0, 0);
        }
        if let Some(places) = self.highlighted() {
            self.cursor = places.start;
            self.show_cursor(bytes_height, columns);
        }
    }

    pub(super) fn toggle_field(&mut self, height: usize) {
        let Some(field) = self.field(self.fields.cursor).filter(|field| field.folds) else { return };
        let name = field.name;
        if !self.folded.remove(name) {
            self.folded.insert(name);
        }
        self.lay_out();
        let len = self.field_count();
        self.fields.show(len, height);
    }

    /// Folds or unfolds the selected field; true when it was not so before.
    pub(super) fn fold_field(&mut self, folded: bool, height: usize) -> bool {
        let now = self.field(self.fields.cursor).filter(|field| field.folds).map(|field| self.is_folded(field));
        if now != Some(!folded) {
            return false;
        }
        self.toggle_field(height);
        true
    }

    /// To the heading of the selected field.
    pub(super) fn select_heading(&mut self, height: usize) {
        let Some(depth) = self.field(self.fields.cursor).map(|field| field.depth) else { return };
        let above = (0..self.fields.cursor).rev().find(|&row| self.field(row).is_some_and(|field| field.depth < depth));
        if let Some(row) = above {
            let len = self.field_count();
            self.fields.select(row, len, height);
        }
    }

    pub(super) fn fold_all(&mut self, folded: bool, height: usize) {
        let names = self.all_fields.iter().filter(|field| field.folds).map(|field| field.name);
        self.folded = if folded { names.collect() } else { HashSet::new() };
        self.lay_out();
        let len = self.field_count();
        self.fields.show(len, height);
    }

    /// Moves the cursor through the bytes; the field that holds the byte is selected.
    pub(super) fn go_byte(&mut self, step: Move, height: usize, columns: usize, fields_height: usize) {
        let per_row = self.per_row(columns);
        let row = self.cursor / per_row;
        let rows = self.wire.known.div_ceil(per_row);
        let to = match step {
            Move::Top => 0,
            Move::Bottom => self.wire.known.saturating_sub(1),
            Move::To(row) => row.saturating_mul(per_row),
            step => step.from(row, rows, height) * per_row + self.cursor % per_row,
        };
        self.select_byte(to, height, columns, fields_height);
    }

    /// Moves the cursor by single bytes.
    pub(super) fn step_byte(&mut self, by: isize, height: usize, columns: usize, fields_height: usize) {
        self.select_byte(self.cursor.saturating_add_signed(by), height, columns, fields_height);
    }

    pub(super) fn select_byte(&mut self, place: usize, height: usize, columns: usize, fields_height: usize) {
        self.cursor = place.min(self.wire.known.saturating_sub(1));
        self.show_cursor(height, columns);
        let holds = |row: &usize| {
            let field = self.field(*row).filter(|field| field.depth > 0);
            field.and_then(|field| self.places_of(field)).is_some_and(|places| places.contains(&self.cursor))
        };
        // The deepest field stands last; the flags of one byte share it, and the first of them is meant.
        let deepest = (0..self.field_count()).filter(holds).max_by_key(|&row| {
            let depth = self.field(row).map_or(0, |field| field.depth);
            (depth, std::cmp::Reverse(row))
        });
        if let Some(row) = deepest {
            let len = self.field_count();
            self.fields.select(row, len, fields_height);
        }
    }

    pub(super) fn show_cursor(&mut self, height: usize, columns: usize) {
        let rows = HexRows::new(&self.wire.pieces, self.per_row(columns));
        let mut list = List { cursor: 0, top: self.top };
        list.select(rows.row_of(self.cursor), rows.len(), height);
        self.top = list.top;
    }

    pub(super) fn scroll_bytes(&mut self, step: Move, height: usize, columns: usize) {
        let len = self.rows(columns);
        let mut list = List { cursor: 0, top: self.top };
        list.scroll(step, len, height);
        self.top = list.top;
    }

    /// Rows of the bytes in a pane of that width.
    pub(super) fn rows(&self, columns: usize) -> usize {
        HexRows::new(&self.wire.pieces, self.per_row(columns)).len()
    }

    /// The byte under a position of the dump: its digits or its character.
    pub(super) fn place_at(&self, line: usize, x: usize, columns: usize) -> Option<usize> {
        let dump = self.dump(columns);
        let rows = HexRows::new(&self.wire.pieces, dump.per_row);
        let HexRow::Bytes { start, end, .. } = rows.get(self.top + line)? else {
            return None;
        };
        dump.at(x).map(|at| start + at).filter(|&place| place < end)
    }

    fn fitting(&self, columns: usize) -> impl Iterator<Item = Dump> + use<> {
        let (len, decimal, bits) = (self.wire.len, self.decimal, self.bits);
        [2, 4, 8, 16, 32].into_iter().filter_map(move |n| Dump::new(n, len, decimal, bits).within(columns))
    }

    /// How the bytes are laid out in a pane of that width.
    pub(super) fn dump(&self, columns: usize) -> Dump {
        let least = Dump::new(2, self.wire.len, self.decimal, self.bits);
        // 32 bytes a row are read badly: only who asks gets them.
        let wanted = |dump: &Dump| dump.per_row <= self.per_row.unwrap_or(16);
        self.fitting(columns).filter(wanted).last().unwrap_or(least)
    }

    fn per_row(&self, columns: usize) -> usize {
        self.dump(columns).per_row
    }

    /// Another number of bytes in a row, of those that fit.
    pub(super) fn next_width(&mut self, columns: usize) {
        let now = self.per_row(columns);
        let widths: Vec<usize> = self.fitting(columns).map(|dump| dump.per_row).filter(|&n| n >= 4).collect();
        let next = widths.iter().copied().find(|&width| width > now).or_else(|| widths.first().copied());
        self.per_row = next.or(Some(now));
    }

    /// Selects the frame that ends in a packet.
    pub(super) fn select_frame_of(&mut self, book: &Book, id: MessageId, packet: PacketNo, height: usize) {
        let Some(row) = book.message(id) else { return };
        self.message = Some(id);
        let at = book.frames(row.frame_rows.clone()).position(|frame| frame.last.packet >= packet).unwrap_or(0);
        self.frames.select(at, row.frame_rows.len(), height);
    }
}
