//! Findings, and behind them how claims about the capture stand.

use super::context::Context;
use super::list::Collect;
use super::values::Values;
use super::{Exporter, Form, Out, Totals};
use crate::filter::{Claim, Item, Needs, Row, Rows, Says, Sum};
use crate::model::{Event, Fact, FileRun, PacketNo, Stamp, Timestamp, count, duration, number};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

/// Rows that are named as evidence.
const EVIDENCE: usize = 5;

/// How a claim stands, once all was read.
#[derive(Debug)]
pub struct Standing<'a> {
    /// The claim, as it was written.
    pub claim: &'a str,
    /// Whether it holds.
    pub holds: bool,
    /// What was seen, in a few words.
    pub text: String,
    /// Where: the first places.
    pub evidence: &'a [Evidence],
}

/// A row that says something of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// `conn 4`, `stream 7`.
    pub place: Option<String>,
    /// Its packet.
    pub packet: PacketNo,
}

/// How many claims do not hold. Whoever made the exporter may look when it is done.
#[derive(Debug, Clone, Default)]
pub struct Failed(Rc<Cell<usize>>);

impl Failed {
    /// How many.
    pub fn count(&self) -> usize {
        self.0.get()
    }
}

/// Hands findings on, and writes how claims stand.
pub struct Claims<'c> {
    stream: &'c mut dyn Exporter,
    /// Who writes them behind the findings; `None`: `stream` has a place for them.
    form: Option<Box<dyn Form>>,
    /// No more findings are wanted.
    is_full: bool,
    context: Context,
    claims: Vec<Held<'c>>,
    failed: Failed,
}

struct Held<'c> {
    claim: &'c Claim,
    fitting: u64,
    denying: u64,
    values: Values,
    evidence: Vec<Evidence>,
}

impl<'c> Claims<'c> {
    /// Findings go to `stream`; these claims behind them in `form`, without one among them; see [`super::Filtered::new`] for `origin` and `known`.
    pub fn new(
        stream: &'c mut dyn Exporter,
        form: Option<Box<dyn Form>>,
        claims: &'c [Claim],
        origin: Option<Timestamp>,
        known: Option<Rc<Collect>>,
    ) -> Self {
        let needs = claims.iter().map(Claim::needs).fold(Needs::default(), Needs::or);
        let held = |claim| Held { claim, fitting: 0, denying: 0, values: Values::default(), evidence: Vec::new() };
        Self {
            stream,
            form,
            is_full: false,
            context: Context::new(needs, origin, known),
            claims: claims.iter().map(held).collect(),
            failed: Failed::default(),
        }
    }

    /// How many do not hold, once all was read.
    pub fn failed(&self) -> Failed {
        self.failed.clone()
    }

    fn hold(&mut self, at: &Stamp, event: Event<'_>) {
        self.context.learn(at, event);
        for held in &mut self.claims {
            if let Some(row) = self.context.row(at, event, held.claim.rows) {
                let says = held.claim.ask(&row, |value| held.values.add(value));
                held.take(says, &row);
            }
        }
        self.context.forget(at, event);
    }
}

impl Held<'_> {
    fn take(&mut self, says: Says, row: &Row<'_>) {
        match says {
            Says::Nothing => return,
            Says::Fits => self.fitting += 1,
            Says::Denies => self.denying += 1,
        }
        if (says == Says::Denies || self.claim.counts()) && self.evidence.len() < EVIDENCE {
            let packet = match row.item {
                Item::Finding(note) => note.shown_by(row.at),
                _ => row.at.at.packet,
            };
            self.evidence.push(Evidence { place: row.at.place(), packet });
        }
    }

    fn standing(&mut self) -> Standing<'_> {
        let (fitting, denying) = (self.fitting, self.denying);
        let sum = self.claim.aggregate().and_then(|aggregate| self.values.come_to(aggregate));
        let text = match (self.claim.aggregate(), sum) {
            (Some(_), None) => format!("nothing of {} has it", count(fitting, "row")),
            (Some(_), Some(sum)) => {
                #[expect(clippy::cast_possible_truncation, reason = "a duration is whole nanoseconds")]
                let sum = match sum {
                    Sum::Exact(sum) if self.claim.is_duration() => duration(sum),
                    Sum::Exact(sum) => sum.to_string(),
                    Sum::Mean(mean) if self.claim.is_duration() => duration(mean.round() as i64),
                    Sum::Mean(mean) => format!("{mean:.2}"),
                };
                format!("it is {sum} over {}", count(self.values.count(), "value"))
            }
            (None, _) if self.claim.counts() => format!("counted {}", number(fitting)),
            (None, _) if denying > 0 && self.claim.is_of_each() => {
                format!("{} of {} do not", number(denying), number(fitting + denying))
            }
            (None, _) if denying > 0 => {
                format!("there {} {}", if denying == 1 { "is" } else { "are" }, number(denying))
            }
            (None, _) if fitting > 0 => format!("all {}", number(fitting)),
            (None, _) => "there is none".to_owned(),
        };
        let holds = self.claim.holds(fitting, denying, sum);
        let evidence = if holds { &[][..] } else { &self.evidence };
        Standing { claim: &self.claim.text, holds, text, evidence }
    }
}

impl Exporter for Claims<'_> {
    fn event(&mut self, at: &Stamp, event: Event<'_>, out: &mut Out<'_>) -> ControlFlow<()> {
        self.hold(at, event);
        if !self.is_full && !out.is_full() {
            self.is_full = self.stream.event(at, event, out).is_break();
        }
        if out.has_failed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn unwanted(&mut self, at: &Stamp, event: Event<'_>, _: &mut Out<'_>) -> ControlFlow<()> {
        self.hold(at, event);
        ControlFlow::Continue(())
    }

    fn file(&mut self, run: &FileRun) {
        self.stream.file(run);
        if let Some(form) = &mut self.form {
            form.file(run);
        }
    }

    fn fact(&mut self, file: usize, fact: &Fact<'_>) {
        self.stream.fact(file, fact);
    }

    fn finish(&mut self, totals: &Totals, out: &mut Out<'_>) {
        if self.form.is_some() {
            self.stream.finish(totals, out);
        }
        for held in &mut self.claims {
            let standing = held.standing();
            if !standing.holds {
                self.failed.0.set(self.failed.0.get() + 1);
            }
            match &mut self.form {
                Some(form) => form.standing(&standing, out),
                None => self.stream.claim(&standing, out),
            }
        }
        if self.form.is_none() {
            self.stream.finish(totals, out);
        }
    }

    fn hears_frames(&self) -> bool {
        self.context.needs().frames || self.claims.iter().any(|held| held.claim.rows.meets(Rows::FRAMES))
    }

    fn hears_payloads(&self) -> bool {
        self.context.needs().payloads
    }
}
