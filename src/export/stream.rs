//! Rows in the order of the capture: messages, frames, findings, handshakes, connections, or several of them.

use super::around::Around;
use super::hold::Hold;
use super::list::Collect;
use super::{Exporter, Form, Out, Totals};
use crate::filter;
use crate::model::{Closed, ConnId, Connection, Direction, Event, Fact, FileRun, Frame, Message, Note, Stamp};
use std::ops::ControlFlow;
use std::rc::Rc;

/// Kinds of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// Connections.
    pub connection: bool,
    /// Handshakes.
    pub handshake: bool,
    /// Messages.
    pub message: bool,
    /// Frames.
    pub frame: bool,
    /// Findings.
    pub finding: bool,
}

impl Kinds {
    /// The kinds, for filters.
    pub fn rows(self) -> filter::Rows {
        let Self { connection, handshake, message, frame, finding } = self;
        let all = [
            (connection, filter::Rows::CONNECTIONS),
            (handshake, filter::Rows::HANDSHAKES),
            (message, filter::Rows::MESSAGES),
            (frame, filter::Rows::FRAMES),
            (finding, filter::Rows::FINDINGS),
        ];
        let wanted = all.into_iter().filter(|(is_wanted, _)| *is_wanted);
        wanted.fold(filter::Rows::NONE, |rows, (_, more)| rows | more)
    }

    /// How many kinds.
    pub fn count(self) -> usize {
        let Self { connection, handshake, message, frame, finding } = self;
        [connection, handshake, message, frame, finding].into_iter().filter(|is_wanted| *is_wanted).count()
    }
}

/// Where the rows of connections come from: each stands at the packet that gave it its number, where nobody knows its end yet.
enum Rows {
    /// From a pass before this one.
    Known(Rc<Collect>),
    /// From this pass: they come last.
    Last(Collect),
}

/// Writes rows as their events come.
pub struct Stream {
    form: Box<dyn Form>,
    kinds: Kinds,
    hold: Hold,
    rows: Rows,
    around: Around,
}

impl Stream {
    /// Rows of these kinds, in this form; those of connections last.
    pub fn new(kinds: Kinds, form: Box<dyn Form>) -> Self {
        Self { form, kinds, hold: Hold::default(), rows: Rows::Last(Collect::default()), around: Around::default() }
    }

    /// Rows of connections come from a pass before this one, and stand where each got its number.
    #[must_use]
    pub fn with_connections(mut self, known: Rc<Collect>) -> Self {
        self.rows = Rows::Known(known);
        self
    }

    /// Writes one row, behind those that wait.
    fn row(&mut self, out: &mut Out<'_>, write: impl FnOnce(&mut dyn Form, &mut Out<'_>)) -> ControlFlow<()> {
        if self.hold.is_empty() {
            write(&mut *self.form, out);
            return out.end_row();
        }
        let mut row = Out::memory();
        write(&mut *self.form, &mut row);
        self.hold.row(row.take());
        self.hold.release(&mut *self.form, out)
    }

    fn frame(&mut self, at: &Stamp, frame: &Frame, out: &mut Out<'_>) -> ControlFlow<()> {
        if self.hold.is_empty() && frame.msg.is_some() {
            self.form.frame(at, frame, out);
            return out.end_row();
        }
        self.hold.frame(at, frame);
        self.hold.release(&mut *self.form, out)
    }

    fn finding(&mut self, at: &Stamp, note: &Note<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        if Hold::is_early(note) {
            self.hold.finding(at, note);
            return self.hold.release(&mut *self.form, out);
        }
        self.row(out, |form, out| form.finding(at, note, out))
    }

    fn resolve(&mut self, at: &Stamp, dir: Direction, number: Option<u64>, out: &mut Out<'_>) -> ControlFlow<()> {
        if self.hold.is_empty() {
            return ControlFlow::Continue(());
        }
        self.hold.resolve(at.conn, dir, number);
        self.hold.release(&mut *self.form, out)
    }

    /// What later rows need of an event.
    fn learn(&mut self, at: &Stamp, event: Event<'_>) {
        if let (Rows::Last(rows), true) = (&mut self.rows, self.kinds.connection) {
            rows.apply(at, event);
        }
        if self.kinds.handshake {
            self.around.learn(at, event);
        }
    }

    /// The frames of a message know its number now.
    fn told(&mut self, at: &Stamp, message: &Message<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        if message.opcode.is_control() {
            return ControlFlow::Continue(());
        }
        self.resolve(at, message.dir, Some(message.number), out)
    }

    fn closed(&mut self, at: &Stamp, closed: &Closed, out: &mut Out<'_>) -> ControlFlow<()> {
        for dir in Direction::BOTH {
            self.resolve(at, dir, None, out)?;
        }
        self.form.closed(at, closed, out);
        ControlFlow::Continue(())
    }

    /// The row of a connection of which all is known.
    fn known(&self, conn: Option<ConnId>) -> Option<Connection> {
        match &self.rows {
            Rows::Known(known) => known.row(conn?).cloned(),
            Rows::Last(_) => None,
        }
    }
}

impl Exporter for Stream {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.learn(at, event);
        match event {
            Event::Opened(opened) => {
                self.form.opened(at, opened, out);
                match self.known(at.conn) {
                    Some(row) => self.row(out, |form, out| form.connections(&[row], out)),
                    None => ControlFlow::Continue(()),
                }
            }
            Event::Frame(frame) if self.kinds.frame => self.frame(at, frame, out),
            Event::Message(message) => {
                self.told(at, message, out)?;
                if !self.kinds.message {
                    return ControlFlow::Continue(());
                }
                self.row(out, |form, out| form.message(at, message, out))
            }
            Event::Note(note) if self.kinds.finding => self.finding(at, note, out),
            Event::Handshake(handshake) if self.kinds.handshake => {
                let tls = self.around.of(at).cloned();
                self.row(out, |form, out| form.handshake(at, handshake, tls.as_ref(), out))
            }
            Event::Closed(closed) => self.closed(at, closed, out),
            Event::Frame(_)
            | Event::Note(_)
            | Event::Handshake(_)
            | Event::Resent(_)
            | Event::Exchange(_)
            | Event::Record(_)
            | Event::Carried(_)
            | Event::Tls(_) => ControlFlow::Continue(()),
        }
    }

    fn unwanted(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.learn(at, event);
        match event {
            Event::Opened(opened) => self.form.opened(at, opened, out),
            Event::Message(message) => self.told(at, message, out)?,
            Event::Closed(closed) => {
                if let Rows::Last(rows) = &mut self.rows {
                    rows.leave_out(at.conn);
                }
                self.closed(at, closed, out)?;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn hears_frames(&self) -> bool {
        self.kinds.frame
    }

    fn hears_payloads(&self) -> bool {
        self.kinds.message
    }

    fn file(&mut self, run: &FileRun) {
        self.form.file(run);
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        self.form.fact(file, fact);
    }

    fn finish(&mut self, _: &Totals, out: &mut Out<'_>) {
        self.hold.finish(&mut *self.form, out);
        if let Rows::Last(rows) = &mut self.rows {
            rows.write(&mut *self.form, out);
        }
    }
}
