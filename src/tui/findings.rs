//! Screen 6: the findings, the worst first.

use super::list::{List, Move};
use crate::book::{Book, Finding, MessageId};
use crate::model::{Opcode, Severity, Topic};

/// The order of the list: one part for each severity.
const PARTS: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Note];

/// The list and the selected finding.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) list: List,
    /// Index in the book of the selected finding; stays when worse ones come before it.
    selected: Option<usize>,
    /// Indices in the book by severity, as in [`PARTS`].
    parts: [Vec<u32>; 3],
    taken: usize,
    /// The filter that they were taken with.
    revision: u64,
    pub(super) least: Severity,
}

impl Default for Findings {
    fn default() -> Self {
        Self {
            list: List::default(),
            selected: None,
            parts: [const { Vec::new() }; 3],
            taken: 0,
            revision: 0,
            least: Severity::Note,
        }
    }
}

impl Findings {
    /// Forgets the findings, not which of them are shown.
    pub(super) fn forget(&mut self) {
        *self = Self { least: self.least, ..Self::default() };
    }

    /// Takes in what the book has learned; the selection stays on its finding, on its line of the screen.
    pub(super) fn refresh(&mut self, book: &Book, height: usize) {
        if self.revision != book.revision() {
            (self.taken, self.revision) = (0, book.revision());
            self.parts.iter_mut().for_each(Vec::clear);
        }
        let sifted = book.sifted_findings();
        for (at, finding) in book.findings().iter().enumerate().take(sifted).skip(self.taken) {
            if !book.shows_finding(at) {
                continue;
            }
            let severity = finding.code.severity();
            for (part, of) in self.parts.iter_mut().zip(PARTS) {
                if of == severity {
                    part.push(u32::try_from(at).unwrap_or(u32::MAX));
                }
            }
        }
        self.taken = sifted;
        if self.selected.and_then(|index| self.row_of(index)).is_none() {
            self.selected = self.at(0);
        }
        if let Some(row) = self.selected.and_then(|index| self.row_of(index)) {
            self.list.top = (self.list.top + row).saturating_sub(self.list.cursor);
            self.list.cursor = row;
        }
        self.list.settle(self.len(), height);
    }

    fn shown(&self) -> impl Iterator<Item = &Vec<u32>> {
        self.parts.iter().zip(PARTS).filter(|(_, severity)| *severity >= self.least).map(|(part, _)| part)
    }

    pub(super) fn len(&self) -> usize {
        self.shown().map(Vec::len).sum()
    }

    /// Index in the book of the finding in a row.
    pub(super) fn at(&self, mut row: usize) -> Option<usize> {
        for part in self.shown() {
            match part.get(row) {
                Some(&index) => return Some(index as usize),
                None => row -= part.len(),
            }
        }
        None
    }

    fn row_of(&self, index: usize) -> Option<usize> {
        let wanted = u32::try_from(index).ok()?;
        let mut before = 0;
        for part in self.shown() {
            if let Ok(at) = part.binary_search(&wanted) {
                return Some(before + at);
            }
            before += part.len();
        }
        None
    }

    pub(super) fn selected<'a>(&self, book: &'a Book) -> Option<&'a Finding> {
        book.findings().get(self.selected?)
    }

    pub(super) fn go(&mut self, step: Move, height: usize) {
        let len = self.len();
        self.list.go(step, len, height);
        self.selected = self.at(self.list.cursor);
    }

    pub(super) fn select_row(&mut self, row: usize, height: usize) {
        if let Some(index) = self.at(row) {
            self.selected = Some(index);
            let len = self.len();
            self.list.select(row, len, height);
        }
    }

    /// Shows findings from another severity on.
    pub(super) fn next_least(&mut self, up: bool, book: &Book, height: usize) {
        self.least = match (self.least, up) {
            (Severity::Note, true) | (Severity::Error, false) => Severity::Warning,
            (Severity::Warning, true) => Severity::Error,
            (Severity::Error, true) | (Severity::Warning, false) => Severity::Note,
            (Severity::Note, false) => Severity::Error,
        };
        self.refresh(book, height);
        let len = self.len();
        self.list.show(len, height);
    }
}

/// What a finding's evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The bytes of a message.
    Bytes,
    /// A message, or the messages around a packet.
    Messages,
    /// The handshake.
    Handshake,
    /// Nothing that a screen shows.
    File,
}

/// Where `Enter` leads from a finding.
pub(super) fn evidence(finding: &Finding) -> Evidence {
    match (finding.conn, finding.code.row().topic) {
        (None, _) => Evidence::File,
        (Some(_), Topic::Handshake | Topic::Refusal) => Evidence::Handshake,
        (Some(_), _) if finding.code.name().starts_with("WS-") && finding.msg.is_some() => Evidence::Bytes,
        (Some(_), _) => Evidence::Messages,
    }
}

/// What else shows a finding, beside [`Evidence`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Second {
    /// The Close frame with which an end answered, or ended.
    Close(MessageId),
    /// The handshake that the connection stands on.
    Handshake,
}

/// A Close frame is looked for among so many last messages.
const CLOSE_WITHIN: usize = 256;

/// Where `r` leads from a finding: the connection by its index, and what of it.
pub(super) fn second_evidence(finding: &Finding, book: &Book) -> Option<(usize, Second)> {
    let conn = book.index_of(finding.conn?)?;
    let ids = book.messages_of(conn).iter().rev().take(CLOSE_WITHIN);
    let closes = ids.filter_map(|id| book.kind(id).filter(|&(_, op)| op == Opcode::CLOSE).map(|(dir, _)| (id, dir)));
    let first = finding.msg.and_then(|number| book.numbered(conn, number));
    // The other end's answer says more than the offender's own.
    let close = closes.filter(|&(id, _)| Some(id) != first).max_by_key(|&(_, dir)| Some(dir) != finding.dir);
    match close {
        Some((id, _)) => Some((conn, Second::Close(id))),
        None if evidence(finding) != Evidence::Handshake && book.connection(conn)?.handshake.is_some() => {
            Some((conn, Second::Handshake))
        }
        None => None,
    }
}
