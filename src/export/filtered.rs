//! Rows that pass a filter.

use super::context::Context;
use super::list::Collect;
use super::{Exporter, Out};
use crate::filter::{Answers, Filter, Row, Rows};
use crate::model::{ConnId, Event, Severity, Stamp, Timestamp};
use foldhash::HashMap;
use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

/// How many rows passed. Whoever made the filter may look while it is used.
#[derive(Debug, Clone, Default)]
pub struct Passed(Rc<Cell<(u64, u64, Option<Severity>)>>);

impl Passed {
    /// How many passed.
    pub fn rows(&self) -> u64 {
        self.0.get().0
    }

    /// Of how many.
    pub fn of(&self) -> u64 {
        self.0.get().1
    }

    /// The worst of the findings that passed.
    pub fn worst(&self) -> Option<Severity> {
        self.0.get().2
    }

    fn count(&self, passes: bool, severity: Option<Severity>) {
        let (rows, of, worst) = self.0.get();
        self.0.set((rows + u64::from(passes), of + 1, worst.max(severity.filter(|_| passes))));
    }
}

/// Lets through what makes rows that pass.
pub struct Filtered<'e> {
    filter: &'e Filter,
    /// The kinds that are rows; what makes none goes through.
    rows: Rows,
    context: Context,
    /// What the filter says of connections that go on, if it says anything of them.
    answers: Option<HashMap<ConnId, Answers>>,
    inner: &'e mut dyn Exporter,
    passed: Passed,
    /// All rows are to be judged, also those that are not wanted any more.
    judges_all: bool,
    is_full: bool,
}

impl<'e> Filtered<'e> {
    /// Of such rows those that pass go to `inner`. `origin`: the time of the first packet; `known`: all connections, from a
    /// pass before this one, where the filter needs what is known at their end.
    pub fn new(
        filter: &'e Filter,
        rows: Rows,
        origin: Option<Timestamp>,
        known: Option<Rc<Collect>>,
        inner: &'e mut dyn Exporter,
    ) -> Self {
        let context = Context::new(filter.needs(rows), origin, known);
        let answers = filter.settles().then(HashMap::default);
        Self { filter, rows, context, answers, inner, passed: Passed::default(), judges_all: false, is_full: false }
    }

    /// Judges all rows, also when no more of them are wanted.
    #[must_use]
    pub const fn judging_all(mut self, all: bool) -> Self {
        self.judges_all = all;
        self
    }

    /// How many rows passed so far.
    pub fn passed(&self) -> Passed {
        self.passed.clone()
    }
}

/// Whether a row passes. What is settled with its connection is asked once: a list of hosts may be long, and messages many.
fn passes(filter: &Filter, row: &Row<'_>, answers: &mut Option<HashMap<ConnId, Answers>>) -> bool {
    let (Some(answers), Some(conn)) = (answers, row.at.conn.filter(|_| row.conn.is_some())) else {
        return filter.passes(row);
    };
    if let Some(known) = answers.get(&conn) {
        return filter.passes_with(row, known);
    }
    let Some(found) = filter.answers(row) else { return filter.passes(row) };
    let passes = filter.passes_with(row, &found);
    answers.insert(conn, found);
    passes
}

impl Exporter for Filtered<'_> {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.context.learn(at, event);
        let row = self.context.row(at, event, self.rows);
        let passes = row.as_ref().map(|row| passes(self.filter, row, &mut self.answers));
        if let Some(passes) = passes {
            let severity = if let Event::Note(note) = event { Some(note.code.severity()) } else { None };
            self.passed.count(passes, severity);
        }
        self.context.forget(at, event);
        if let (Event::Closed(_), Some(answers), Some(conn)) = (event, &mut self.answers, at.conn) {
            answers.remove(&conn);
        }
        if self.judges_all && (self.is_full || out.is_full()) {
            return ControlFlow::Continue(());
        }
        let unwanted = passes == Some(false);
        let flow = if unwanted { self.inner.unwanted(at, event, out) } else { self.inner.event(at, event, out) };
        if self.judges_all && !out.has_failed() {
            self.is_full = flow.is_break();
            return ControlFlow::Continue(());
        }
        flow
    }

    hand_on!();

    fn hears_frames(&self) -> bool {
        self.context.needs().frames || self.inner.hears_frames()
    }

    fn hears_payloads(&self) -> bool {
        self.context.needs().payloads || self.inner.hears_payloads()
    }
}
