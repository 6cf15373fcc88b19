//! Rows in order of connections: what each added up to, and its handshake.

use super::around::Around;
use super::{Exporter, Form, Out, Totals};
use crate::model::{ConnId, Connection, Event, FileRun, Stamp};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// One bounded row for each connection, in order.
#[derive(Debug, Default)]
pub struct Collect {
    /// The row of connection 1 stands first.
    rows: Vec<Connection>,
}

impl Collect {
    /// Adds what an event tells of its connection.
    pub fn apply(&mut self, at: &Stamp, event: Event<'_>) {
        let Some(conn) = at.conn else { return };
        if let Event::Opened(opened) = event {
            debug_assert_eq!(conn.0 as usize, self.rows.len() + 1, "connections are numbered as they come");
            self.rows.push(Connection::new(conn, at, opened));
        }
        if let Some(row) = self.row_mut(conn) {
            row.apply(at, event);
        }
    }

    /// The row of a connection.
    pub fn row(&self, conn: ConnId) -> Option<&Connection> {
        self.rows.get((conn.0 as usize).checked_sub(1)?)
    }

    /// All rows, in order.
    pub(super) fn rows(&self) -> &[Connection] {
        &self.rows
    }

    fn row_mut(&mut self, conn: ConnId) -> Option<&mut Connection> {
        self.rows.get_mut((conn.0 as usize).checked_sub(1)?)
    }

    /// Writes as many rows as are wanted.
    pub(super) fn write(&self, form: &mut dyn Form, out: &mut Out<'_>) {
        let wanted = usize::try_from(out.rows_left()).unwrap_or(usize::MAX);
        let (rows, _) = self.rows.split_at(wanted.min(self.rows.len()));
        if !rows.is_empty() && !out.is_full() {
            form.connections(rows, out);
        }
    }
}

impl Exporter for Collect {
    fn event(&mut self, at: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        self.apply(at, event);
        ControlFlow::Continue(())
    }

    fn finish(&mut self, _: &Totals, _: &mut Out<'_>) {}
}

/// Writes a row for each connection.
pub struct Connections {
    form: Box<dyn Form>,
    rows: Collect,
}

impl Connections {
    /// Rows in this form.
    pub fn new(form: Box<dyn Form>) -> Self {
        Self { form, rows: Collect::default() }
    }
}

impl Exporter for Connections {
    fn event(&mut self, at: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        self.rows.apply(at, event);
        ControlFlow::Continue(())
    }

    fn file(&mut self, run: &FileRun) {
        self.form.file(run);
    }

    fn finish(&mut self, _: &Totals, out: &mut Out<'_>) {
        self.rows.write(&mut *self.form, out);
    }
}

/// Writes the handshake of each connection.
pub struct Handshakes {
    form: Box<dyn Form>,
    /// The connection whose handshake comes next.
    next: ConnId,
    /// What is known of later ones; empty when there is none.
    waiting: BTreeMap<ConnId, Vec<u8>>,
    around: Around,
}

impl Handshakes {
    /// Handshakes in this form.
    pub fn new(form: Box<dyn Form>) -> Self {
        Self { form, next: ConnId(1), waiting: BTreeMap::new(), around: Around::default() }
    }

    /// Writes the rows whose turn has come.
    fn release(&mut self, out: &mut Out<'_>) -> ControlFlow<()> {
        while let Some(row) = self.waiting.remove(&self.next) {
            self.next.0 += 1;
            if !row.is_empty() {
                out.bytes().extend_from_slice(&row);
                out.end_row()?;
            }
        }
        ControlFlow::Continue(())
    }
}

impl Exporter for Handshakes {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        let Some(conn) = at.conn.filter(|&conn| conn >= self.next) else { return ControlFlow::Continue(()) };
        self.around.learn(at, event);
        match event {
            Event::Handshake(handshake) => {
                let mut row = Out::memory();
                self.form.handshake(at, handshake, self.around.of(at), &mut row);
                self.waiting.insert(conn, row.take());
            }
            Event::Closed(_) => {
                self.waiting.entry(conn).or_default();
            }
            _ => return ControlFlow::Continue(()),
        }
        self.release(out)
    }

    fn file(&mut self, run: &FileRun) {
        self.form.file(run);
    }

    fn finish(&mut self, _: &Totals, out: &mut Out<'_>) {
        for row in std::mem::take(&mut self.waiting).into_values().filter(|row| !row.is_empty()) {
            if out.is_full() {
                return;
            }
            out.bytes().extend_from_slice(&row);
            let _ = out.end_row();
        }
    }
}
