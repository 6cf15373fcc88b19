//! Where rows go: one buffer, written on in large pieces.

use super::array::{self, Array};
use super::tail::Tail;
use std::io::{self, Write};
use std::mem;
use std::ops::ControlFlow;

/// Bytes that are gathered before they are written.
const PIECE: usize = 64 << 10;

/// A buffer of rows before a writer.
///
/// Nobody who writes a row deals with errors: after the first one nothing more is written, and [`Out::finish`] tells.
pub struct Out<'w> {
    to: Option<Box<dyn Write + 'w>>,
    bytes: Vec<u8>,
    rows_left: u64,
    eager: bool,
    /// What stands behind the last row.
    end: &'static str,
    /// Where only the last rows are wanted, those so far.
    tail: Option<Tail>,
    failed: Option<io::Error>,
}

impl<'w> Out<'w> {
    /// Rows go to `to`, at most `limit` of them.
    pub fn new(to: Box<dyn Write + 'w>, limit: Option<u64>) -> Self {
        let bytes = Vec::with_capacity(2 * PIECE);
        Self {
            to: Some(to),
            bytes,
            rows_left: limit.unwrap_or(u64::MAX),
            eager: false,
            end: "",
            tail: None,
            failed: None,
        }
    }

    /// Rows are records, and become the elements of a JSON array.
    pub fn array(to: Box<dyn Write + 'w>, limit: Option<u64>) -> Self {
        Self { end: array::END, ..Self::new(Box::new(Array::new(to)), limit) }
    }

    /// Rows stay in memory.
    pub const fn memory() -> Out<'static> {
        Out { to: None, bytes: Vec::new(), rows_left: u64::MAX, eager: false, end: "", tail: None, failed: None }
    }

    /// Each row is written at once: somebody watches them come.
    #[must_use]
    pub fn eager(mut self, eager: bool) -> Self {
        self.eager = eager;
        self
    }

    /// Only the last rows are written, at the end: so many, if told, in no more than `most` bytes.
    #[must_use]
    pub fn tail(self, rows: Option<u64>, most: usize) -> Self {
        match rows {
            None => self,
            Some(0) => Self { rows_left: 0, ..self },
            Some(rows) => Self { tail: Some(Tail::new(rows, most)), ..self },
        }
    }

    /// Of rows that are all known, those that are wanted; no other row came before.
    pub fn wanted<'r, T>(&mut self, rows: &'r [T]) -> &'r [T] {
        // What is left of them is written as it comes.
        if let Some(tail) = self.tail.take() {
            debug_assert_eq!(tail.len(), 0, "rows of one kind are written one by one, or all at the end");
            return tail.of(rows);
        }
        let wanted = usize::try_from(self.rows_left).unwrap_or(usize::MAX);
        rows.split_at(wanted.min(rows.len())).0
    }

    /// How many of the last rows are left, where their bytes were too many.
    pub fn tail_cut_to(&self) -> Option<usize> {
        self.tail.as_ref().and_then(Tail::cut_to)
    }

    /// Whether no further row is wanted, or none can be written.
    pub const fn is_full(&self) -> bool {
        self.rows_left == 0 || self.failed.is_some()
    }

    /// Whether a write failed.
    pub const fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// What was to be written cannot be made: nothing more is.
    pub(super) fn fail(&mut self, error: io::Error) {
        self.failed.get_or_insert(error);
    }

    /// The buffer to append to.
    pub const fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Appends text.
    pub fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends a line and its end.
    pub fn line(&mut self, text: &str) {
        self.text(text);
        self.bytes.push(b'\n');
    }

    /// Appends a line that stands above all rows.
    pub fn heading(&mut self, text: &str) {
        match &mut self.tail {
            Some(tail) => tail.head(text),
            None => self.line(text),
        }
    }

    /// Writes the buffer when it is large. For use inside a long row.
    pub fn spill(&mut self) {
        if self.bytes.len() >= PIECE {
            self.flush();
        }
    }

    /// A row ends; `Break` when no further one is wanted.
    pub fn end_row(&mut self) -> ControlFlow<()> {
        if let Some(tail) = &mut self.tail {
            tail.push(&self.bytes);
            self.bytes.clear();
            return ControlFlow::Continue(());
        }
        self.rows_left = self.rows_left.saturating_sub(1);
        if self.eager || self.bytes.len() >= PIECE {
            self.flush();
        }
        if self.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Writes the buffer, unless it is kept until the end.
    pub fn flush(&mut self) {
        if self.tail.is_none() {
            self.write();
        }
    }

    fn write(&mut self) {
        let Some(to) = self.to.as_mut().filter(|_| !self.bytes.is_empty()) else { return };
        if self.failed.is_none() {
            self.failed = to.write_all(&self.bytes).and_then(|()| to.flush()).err();
        }
        self.bytes.clear();
    }

    /// What was gathered in memory.
    pub fn take(&mut self) -> Vec<u8> {
        mem::take(&mut self.bytes)
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(tail) = self.tail.take() {
            let end = mem::take(&mut self.bytes);
            for piece in tail.pieces() {
                self.bytes.extend_from_slice(piece);
                self.spill();
            }
            self.bytes.extend_from_slice(&end);
        }
        self.text(self.end);
        self.write();
        self.failed.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn counts_rows_and_keeps_the_first_error() {
        let mut out = Out::new(Box::new(Vec::new()), Some(2));
        assert!(out.end_row().is_continue());
        assert!(out.end_row().is_break() && out.is_full());
        assert!(out.finish().is_ok());

        let mut rows = Vec::new();
        let mut out = Out::new(Box::new(&mut rows), None).eager(true).tail(Some(2), 100);
        for row in ["a", "b", "c"] {
            out.heading(row);
            out.line(&row.repeat(3));
            assert!(out.end_row().is_continue());
            out.flush();
        }
        out.line("the end");
        assert!(out.finish().is_ok());
        assert_eq!(String::from_utf8(rows).unwrap(), "a\nb\nc\nbbb\nccc\nthe end\n");

        let mut out = Out::new(Box::new(Full), None).eager(true);
        out.line("x");
        assert!(out.end_row().is_break() && out.has_failed());
        assert_eq!(out.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
