//! Rows of the book as display filters and columns ask for them.

use super::decoded::{Cursor, within};
use super::{Book, FrameRow, MessageId};
use crate::decode::Sessions;
use crate::filter::{Column, Field, Filter, Item, Needs, Row, Rows, Value};
use crate::model::{
    Connection, Direction, Frame, Handshake, Limits, Mark, Message, Moment, NoteSet, Span, Stamp, Timestamp,
};
use std::collections::HashMap;

/// Frames of one message that are at hand; of the rest nothing is asked.
const FRAMES: usize = 1024;

/// Handshakes that are kept unpacked.
const HEADS: usize = 256;

/// The kinds of rows that the book has.
pub const ROWS: Rows = Rows::CONNECTIONS.and(Rows::MESSAGES).and(Rows::FINDINGS);

/// Asks a filter of rows.
#[derive(Debug)]
pub(super) struct Asker {
    filter: Filter,
    desk: Desk,
}

impl Asker {
    pub(super) fn new(filter: Filter, origin: Option<Timestamp>) -> Self {
        let mut desk = Desk::new(filter.needs(ROWS), origin);
        if desk.hears() {
            desk.ears = Ears::Sessions(Box::new(Sessions::new(Limits::DEFAULT)));
        }
        Self { filter, desk }
    }

    /// Whether the filter asks for fields that such rows have.
    pub(super) fn suits(&self, rows: Rows) -> bool {
        self.filter.suits(rows).is_ok()
    }

    /// Whether it asks what messages say.
    pub(super) const fn hears(&self) -> bool {
        self.desk.hears()
    }

    /// Whether what it asks of messages is known when their connection has ended.
    pub(super) fn is_late(&self) -> bool {
        self.filter.needs(Rows::MESSAGES).ends
    }

    pub(super) fn message(&mut self, book: &Book, id: MessageId) -> bool {
        self.desk.message(book, id, |row| self.filter.passes(row)).unwrap_or(false)
    }

    pub(super) fn connection(&mut self, book: &Book, index: usize) -> bool {
        self.desk.connection(book, index, |row| self.filter.passes(row)).unwrap_or(false)
    }

    pub(super) fn finding(&mut self, book: &Book, at: usize) -> bool {
        self.desk.finding(book, at, |row| self.filter.passes(row)).unwrap_or(false)
    }
}

/// Lays out rows of the book for whoever asks something of them. What must be read for a row stands in buffers that stay.
#[derive(Debug, Default)]
pub struct Desk {
    needs: Needs,
    /// The time of the capture's first packet.
    origin: Option<Timestamp>,
    payload: Vec<u8>,
    frames: Vec<Frame>,
    heads: HashMap<usize, Option<Handshake>>,
    ears: Ears,
}

/// How a desk learns what messages say.
#[derive(Debug, Default)]
enum Ears {
    /// Nobody asks for that.
    #[default]
    None,
    /// Messages are asked for once each, in their order.
    Sessions(Box<Sessions<usize>>),
    /// In any order; of messages that the book has heard.
    Cursor(Box<Cursor>),
}

impl Desk {
    /// For questions with such needs; `origin`: the time of the capture's first packet.
    pub fn new(needs: Needs, origin: Option<Timestamp>) -> Self {
        let ears = if needs.decoded { Ears::Cursor(Box::default()) } else { Ears::None };
        Self { needs, origin, ears, ..Self::default() }
    }

    /// Whether it asks for what messages say: of the book, which is to have heard them before.
    pub const fn hears(&self) -> bool {
        self.needs.decoded
    }

    /// What is asked of a message.
    pub fn message<T>(&mut self, book: &Book, id: MessageId, ask: impl FnOnce(&Row<'_>) -> T) -> Option<T> {
        let row = book.message(id)?;
        let conn = book.connection(row.conn)?;
        self.payload.clear();
        // What control frames say is asked for as if it cost nothing.
        if self.needs.payloads || row.opcode.is_control() {
            book.payload_into(&row, &mut self.payload);
        }
        self.frames.clear();
        if self.needs.frames {
            let frames = book.frames(row.frame_rows.clone()).take(FRAMES);
            self.frames.extend(frames.map(|frame| frame.unpacked(row.number, row.dir)));
        }
        self.read_heads(book, row.conn);
        let first = book.frames(row.frame_rows.clone()).next().map_or(row.last.packet, |frame| frame.first_packet);
        let span = Span { first: Mark { packet: first, time: None }, last: row.last };
        let message = Message { span, ..row.message(&self.payload) };
        let decoded = match &mut self.ears {
            Ears::None => None,
            Ears::Sessions(sessions) => sessions.message(row.conn, &within(&message, row.kept), || book.begin(conn)),
            Ears::Cursor(cursor) => cursor.read(book, id, &message),
        };
        let message = Message { decoded: decoded.as_ref(), ..message };
        Some(self.ask(conn, row.conn, row.last, Item::Message(&message, &self.frames), ask))
    }

    /// What is asked of a connection.
    pub fn connection<T>(&mut self, book: &Book, index: usize, ask: impl FnOnce(&Row<'_>) -> T) -> Option<T> {
        let conn = book.connection(index)?;
        self.read_heads(book, index);
        Some(self.ask(conn, index, conn.known, Item::Connection, ask))
    }

    fn finding<T>(&mut self, book: &Book, at: usize, ask: impl FnOnce(&Row<'_>) -> T) -> Option<T> {
        let finding = book.findings().get(at)?;
        let index = finding.conn.and_then(|id| book.index_of(id));
        if let Some(index) = index {
            self.read_heads(book, index);
        }
        let note = finding.note();
        let h2_stream = index.and_then(|index| book.connection(index)?.h2_stream);
        let row = Row {
            at: &Stamp { conn: finding.conn, stream: finding.stream, h2_stream, at: finding.at },
            origin: self.origin,
            conn: index.and_then(|index| book.connection(index)),
            handshake: index.and_then(|index| self.heads.get(&index)?.as_ref()),
            item: Item::Finding(&note),
        };
        Some(ask(&row))
    }

    /// What stands on its connection behind the message that was asked of last, as far as this desk hears.
    pub fn moment(&self, book: &Book, id: MessageId) -> Option<Moment> {
        match &self.ears {
            Ears::Cursor(cursor) => cursor.moment(book, id),
            Ears::None | Ears::Sessions(_) => None,
        }
    }

    fn ask<T>(&self, conn: &Connection, index: usize, at: Mark, item: Item<'_>, ask: impl FnOnce(&Row<'_>) -> T) -> T {
        ask(&Row {
            at: &Stamp { at, ..conn.stamp() },
            origin: self.origin,
            conn: Some(conn),
            handshake: self.heads.get(&index).and_then(Option::as_ref),
            item,
        })
    }

    fn read_heads(&mut self, book: &Book, index: usize) {
        if !self.needs.heads || self.heads.get(&index).is_some_and(Option::is_some) {
            return;
        }
        if self.heads.len() >= HEADS {
            self.heads.clear();
        }
        self.heads.insert(index, book.handshake(index));
    }
}

impl FrameRow {
    /// As a filter asks for it: within its connection it has no number here.
    fn unpacked(self, msg: u64, dir: Direction) -> Frame {
        let Self { last, first_packet, fin, rsv, opcode, mask, header_len, len, stream_offset, complete, .. } = self;
        Frame {
            number: 0,
            msg: Some(msg),
            dir,
            fin,
            rsv,
            opcode,
            mask,
            header_len,
            len,
            stream_offset,
            span: Span { first: Mark { packet: first_packet, time: None }, last },
            complete,
            findings: NoteSet::EMPTY,
        }
    }
}

/// Connections whose values are looked at.
const LOOKED_AT: usize = 10_000;

/// Values that are told of one field.
const VALUES: usize = 50;

impl Book {
    /// Values that connections have of a field, the first ones, as a filter has them; not escaped.
    pub fn values(&self, field: &Field) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let Ok(column) = Column::new(field.name) else { return found };
        let mut desk = Desk::new(column.needs(Rows::CONNECTIONS), None);
        let mut see = |value: Value<'_>| {
            let text = match value {
                Value::Text(text) | Value::Word(_, text) => text.to_owned(),
                Value::Int(number) => number.to_string(),
                Value::Address(ip) => ip.to_string(),
                _ => return,
            };
            if found.len() < VALUES && !found.contains(&text) {
                found.push(text);
            }
        };
        for index in 0..self.connections().min(LOOKED_AT) {
            desk.connection(self, index, |row| column.values(row, &mut see));
        }
        found
    }
}
