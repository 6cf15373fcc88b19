//! Rows in order of connections: what each added up to, and its handshake.

use super::around::Around;
use super::{Exporter, Form, Out, Totals};
use crate::model::{ConnId, Connection, Event, Fact, FileRun, Handshake, Stamp};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// One bounded row for each connection, in order.
#[derive(Debug, Default)]
pub struct Collect {
    /// In order of their numbers.
    rows: Vec<Connection>,
    /// Rows that are not wanted.
    left_out: BTreeSet<ConnId>,
    /// Their handshakes, where somebody asks for them.
    handshakes: Option<BTreeMap<ConnId, Handshake>>,
}

impl Collect {
    /// Keeps the handshakes, too.
    #[must_use]
    pub fn with_handshakes(mut self, wanted: bool) -> Self {
        self.handshakes = wanted.then(BTreeMap::new);
        self
    }

    /// The handshake of a connection, where they are kept.
    pub(super) fn handshake(&self, conn: ConnId) -> Option<&Handshake> {
        self.handshakes.as_ref()?.get(&conn)
    }

    /// Adds what an event tells of its connection.
    pub fn apply(&mut self, at: &Stamp, event: Event<'_>) {
        let Some(conn) = at.conn else { return };
        if let Event::Opened(opened) = event {
            debug_assert!(self.rows.last().is_none_or(|last| last.id < conn), "connections are numbered as they come");
            self.rows.push(Connection::new(conn, at, opened));
        }
        if let Some(row) = self.row_mut(conn) {
            row.apply(at, event);
        }
        if let (Event::Handshake(handshake), Some(all)) = (event, &mut self.handshakes) {
            all.insert(conn, handshake.clone());
        }
    }

    /// The row of a connection.
    pub fn row(&self, conn: ConnId) -> Option<&Connection> {
        self.rows.get(self.place(conn)?)
    }

    /// All rows, in order.
    pub(super) fn rows(&self) -> &[Connection] {
        &self.rows
    }

    fn row_mut(&mut self, conn: ConnId) -> Option<&mut Connection> {
        let place = self.place(conn)?;
        self.rows.get_mut(place)
    }

    /// Where a row stands: by its number, unless connections before it were left out.
    fn place(&self, conn: ConnId) -> Option<usize> {
        let usual = (conn.0 as usize).checked_sub(1)?;
        match self.rows.get(usual) {
            Some(row) if row.id == conn => Some(usual),
            _ => self.rows.binary_search_by_key(&conn, |row| row.id).ok(),
        }
    }

    /// The row of a connection is not wanted.
    pub(super) fn leave_out(&mut self, conn: Option<ConnId>) {
        self.left_out.extend(conn);
    }

    /// Writes as many rows as are wanted.
    pub(super) fn write(&mut self, form: &mut dyn Form, out: &mut Out<'_>) {
        self.rows.retain(|row| !self.left_out.contains(&row.id));
        if !self.rows.is_empty() && !out.is_full() {
            form.connections(out.wanted(&self.rows), out);
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

    fn unwanted(&mut self, at: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        self.rows.apply(at, event);
        self.rows.leave_out(at.conn);
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

    fn unwanted(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.around.learn(at, event);
        if let Some(conn) = at.conn.filter(|&conn| conn >= self.next) {
            self.waiting.entry(conn).or_default();
        }
        self.release(out)
    }

    fn file(&mut self, run: &FileRun) {
        self.form.file(run);
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        self.form.fact(file, fact);
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
