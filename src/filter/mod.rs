//! Display filters: Wireshark's syntax and names, asked of messages, frames, connections and findings.
//!
//! `lex` cuts the text into tokens, `parse` makes an expression of them, whose values `literal` reads as the kind of the
//! field beside them; `fields` is the table of fields, `eval` asks the expression of a [`Row`].

mod claim;
mod complete;
mod elsewhere;
mod eval;
mod fields;
mod lex;
mod literal;
mod names;
mod parse;
mod row;
mod speaks;
mod value;

pub use claim::{Aggregate, Claim, Says, Sum};
pub use complete::{Choice, Completion, complete};
pub use fields::{FIELDS, Field, Needs};
pub use lex::quote;
pub use literal::time;
pub use names::{Named, expand};
pub use parse::Problem;
pub use row::{Item, Row, Rows};
pub use speaks::{Speaks, begin, no_decoder, of_connections, schema_of, speakers, speaks, with_type};
pub use value::{Kind, Value};

use crate::decode::path::Step;
use eval::{Expr, Operand, Place};
use std::ops::Range;

/// A filter, ready to be asked.
#[derive(Debug)]
pub struct Filter {
    expr: Expr,
    uses: Vec<(&'static Field, Range<usize>)>,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn new(text: &str) -> Result<Self, Problem> {
        let (expr, uses) = parse::filter(text)?;
        Ok(Self { expr: expr.settling(), uses })
    }

    /// Whether a row passes.
    pub fn passes(&self, row: &Row<'_>) -> bool {
        self.expr.holds(row, None)
    }

    /// The same of a row whose connection's answers are known.
    pub fn passes_with(&self, row: &Row<'_>, answers: &Answers) -> bool {
        self.expr.holds(row, Some(&answers.0))
    }

    /// What is the same for all rows of the row's connection; `None` where nothing is.
    pub fn answers(&self, row: &Row<'_>) -> Option<Answers> {
        let mut answers = Vec::new();
        self.expr.settle(row, &mut answers);
        (!answers.is_empty()).then(|| Answers(answers.into()))
    }

    /// Whether there may be such [`answers`](Self::answers).
    pub fn settles(&self) -> bool {
        self.expr.settles()
    }

    /// What must be at hand to ask it of such rows.
    pub fn needs(&self, rows: Rows) -> Needs {
        self.uses.iter().map(|(field, _)| field.needs(rows)).fold(Needs::default(), Needs::or)
    }

    /// A field that is known when a connection has ended, and is asked for before.
    pub fn late(&self, rows: Rows) -> Option<&'static str> {
        self.uses.iter().map(|(field, _)| field).find(|field| field.needs(rows).ends).map(|field| field.name)
    }

    /// That each field is one of such rows, or of some of them.
    ///
    /// # Errors
    /// The first that is not.
    pub fn suits(&self, rows: Rows) -> Result<(), Problem> {
        let stranger = self.uses.iter().find(|(field, _)| !field.rows.meets(rows));
        match stranger {
            None => Ok(()),
            Some((field, span)) => Err(Problem::new(
                format!("`{}` is a field of {}, not of {}", field.name, field.rows.words(), rows.words()),
                span.clone(),
            )),
        }
    }

    /// Both together: what passes this filter and the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let uses = [self.uses, other.uses].concat();
        Self { expr: Expr::all(vec![self.expr, other.expr]).settling(), uses }
    }
}

/// What a filter says of a connection, whichever of its rows is asked about: by its host, its addresses, how it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers(Box<[bool]>);

/// A column: a field, or what stands in a payload or a head under a name (`json."key"`, `header."name"`).
#[derive(Debug)]
pub struct Column {
    operand: Operand,
    kind: Kind,
    uses: Vec<(&'static Field, Range<usize>)>,
}

impl Column {
    /// Reads the name of a field, with a slice or a function around it if need be.
    ///
    /// # Errors
    /// When there is no such field.
    pub fn new(text: &str) -> Result<Self, Problem> {
        let (operand, kind, uses) = parse::column(text)?;
        Ok(Self { operand, kind, uses })
    }

    /// The kind of rows that it is first of all a field of.
    pub fn home(&self) -> Rows {
        self.operand.field.home()
    }

    /// Where in a payload it stands, if it is a path into JSON.
    pub fn path(&self) -> Option<&[Step]> {
        match &self.operand.place {
            Place::Path(path, _) if self.operand.is_plain() => Some(path),
            _ => None,
        }
    }

    /// What must be at hand to tell it of such rows.
    pub fn needs(&self, rows: Rows) -> Needs {
        self.uses.iter().map(|(field, _)| field.needs(rows)).fold(Needs::default(), Needs::or)
    }

    /// That it is a column of such rows, or of some of them.
    pub fn suits(&self, rows: Rows) -> bool {
        self.uses.iter().all(|(field, _)| field.rows.meets(rows))
    }

    /// What its values are; of a payload, and of a piece of one, text where it is text.
    pub fn kind(&self) -> Kind {
        if self.operand.is_payload() && self.kind == Kind::Bytes { Kind::Text } else { self.kind }
    }

    /// Whether its times are told in seconds since 1970.
    pub fn is_epoch(&self) -> bool {
        self.operand.field.name == "frame.time_epoch"
    }

    /// Whether it is an address of Ethernet.
    pub fn is_ether(&self) -> bool {
        self.operand.field.name.starts_with("eth.") && self.operand.is_plain()
    }

    /// Hands on each value that a row has of it.
    pub fn values(&self, row: &Row<'_>, mut see: impl FnMut(Value<'_>)) {
        self.operand.visit(row, &mut |value| {
            see(value);
            false
        });
    }
}

#[cfg(test)]
mod tests;
