//! What is claimed of a capture: `no finding where severity >= warning`, `p99(rtt) < 200ms`.

use super::eval::Relation;
use super::fields::Needs;
use super::literal::Literal;
use super::parse::{self, Problem};
use super::row::{Row, Rows};
use super::value::{Kind, Value};
use super::{Column, Filter};
use std::ops::Range;

/// A claim, ready to be held against rows.
#[derive(Debug)]
pub struct Claim {
    /// As it was written.
    pub text: String,
    /// The kind of rows that it is about.
    pub rows: Rows,
    /// Which of them; all without.
    of: Option<Filter>,
    what: What,
}

/// What is claimed of those rows.
#[derive(Debug)]
enum What {
    /// There are none.
    None,
    /// Each passes this, too.
    Every(Box<Filter>),
    /// How many there are.
    Count(Relation, Literal),
    /// What a field of theirs comes to.
    Sum(Aggregate, Box<Column>, Relation, Literal),
}

/// What many values come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// All together.
    Sum,
    /// All together, divided by how many they are.
    Mean,
    /// What so many in a hundred do not exceed (nearest rank).
    Percentile(u8),
}

/// What values come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sum {
    /// Exactly this.
    Exact(i64),
    /// A mean.
    Mean(f64),
}

/// What a row says of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// The claim is not about it.
    Nothing,
    /// It is as it is claimed to be, or counts.
    Fits,
    /// It is evidence against it.
    Denies,
}

/// Kinds of rows as a claim names them, one and many.
const KINDS: &[(&str, &str, Rows)] = &[
    ("connection", "connections", Rows::CONNECTIONS),
    ("handshake", "handshakes", Rows::HANDSHAKES),
    ("message", "messages", Rows::MESSAGES),
    ("msg", "msgs", Rows::MESSAGES),
    ("frame", "frames", Rows::FRAMES),
    ("finding", "findings", Rows::FINDINGS),
];

impl Claim {
    /// Reads a claim.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn new(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let reader = Reader { text };
        let (rows, of, what) = reader.claim()?;
        Ok(Self { text: text.to_owned(), rows, of, what })
    }

    /// What must be at hand to hold it against rows.
    pub fn needs(&self) -> Needs {
        let of = self.of.as_ref().map(|filter| filter.needs(self.rows)).unwrap_or_default();
        of.or(match &self.what {
            What::Every(filter) => filter.needs(self.rows),
            What::Sum(_, column, ..) => column.needs(self.rows),
            What::None | What::Count(..) => Needs::default(),
        })
    }

    /// What a row of its kind says of it; what its field has goes to `value`.
    pub fn ask(&self, row: &Row<'_>, mut value: impl FnMut(i64)) -> Says {
        if self.of.as_ref().is_some_and(|filter| !filter.passes(row)) {
            return Says::Nothing;
        }
        match &self.what {
            What::None => Says::Denies,
            What::Every(filter) if filter.passes(row) => Says::Fits,
            What::Every(_) => Says::Denies,
            What::Count(..) => Says::Fits,
            What::Sum(_, column, ..) => {
                column.values(row, |it| match it {
                    Value::Duration(nanos) => value(nanos),
                    Value::Int(number) => value(i64::try_from(number).unwrap_or(i64::MAX)),
                    _ => {}
                });
                Says::Fits
            }
        }
    }

    /// What its values must be summed up to.
    pub const fn aggregate(&self) -> Option<Aggregate> {
        match self.what {
            What::Sum(aggregate, ..) => Some(aggregate),
            _ => None,
        }
    }

    /// Whether it holds when so many rows fitted and so many denied it; `sum`: what their values came to, if there were any.
    pub fn holds(&self, fitting: u64, denying: u64, sum: Option<Sum>) -> bool {
        match &self.what {
            What::None | What::Every(_) => denying == 0,
            What::Count(relation, wanted) => {
                Value::Int(fitting.into()).order(wanted.value()).is_some_and(|order| relation.holds(order))
            }
            What::Sum(_, column, relation, wanted) => {
                let value = sum.map(|sum| match sum {
                    Sum::Exact(sum) if column.kind() == Kind::Duration => Value::Duration(sum),
                    Sum::Exact(sum) => Value::Int(sum.into()),
                    #[expect(clippy::cast_possible_truncation, reason = "a duration is whole nanoseconds")]
                    Sum::Mean(mean) if column.kind() == Kind::Duration => Value::Duration(mean.round() as i64),
                    Sum::Mean(mean) => Value::Float(mean),
                });
                value.and_then(|value| value.order(wanted.value())).is_some_and(|order| relation.holds(order))
            }
        }
    }

    /// Whether it counts rows, of which those that fit are the evidence.
    pub const fn counts(&self) -> bool {
        matches!(self.what, What::Count(..))
    }

    /// Whether it is about each row.
    pub const fn is_of_each(&self) -> bool {
        matches!(self.what, What::Every(_))
    }

    /// Whether what its values come to is a length of time.
    pub fn is_duration(&self) -> bool {
        matches!(&self.what, What::Sum(_, column, ..) if column.kind() == Kind::Duration)
    }
}

struct Reader<'t> {
    text: &'t str,
}

type Parts = (Rows, Option<Filter>, What);

impl<'t> Reader<'t> {
    fn claim(&self) -> Result<Parts, Problem> {
        let text = self.text;
        if let Some(rest) = text.strip_prefix("no ") {
            let (rows, rest) = self.kind(rest)?;
            // `no finding >= warning`
            let is_graded = rows == Rows::FINDINGS && rest.starts_with(['<', '>', '=', '!']);
            let of = if is_graded {
                Some(self.shorthand(&format!("severity {rest}"), rest)?)
            } else {
                self.filter(rows, rest)?
            };
            return Ok((rows, of, What::None));
        }
        if let Some(rest) = text.strip_prefix("every ").or_else(|| text.strip_prefix("each ")) {
            let (rows, rest) = self.kind(rest)?;
            // `every connection closed 1000`
            if let Some(code) = rest.strip_prefix("closed ").filter(|_| rows == Rows::CONNECTIONS) {
                if code.trim().parse::<u16>().is_err() {
                    return Err(self.wrong(code, "a close code is wanted here, as 1000"));
                }
                return Ok((
                    rows,
                    None,
                    What::Every(Box::new(self.shorthand(&format!("close_code == {code}"), rest)?)),
                ));
            }
            let Some((of, is)) = split(rest, "has") else {
                return Err(self.wrong(rest, "`has` and a filter are wanted here"));
            };
            let every = self.within(is, Filter::new(is))?;
            self.within(is, every.suits(rows))?;
            return Ok((rows, self.filter(rows, of)?, What::Every(Box::new(every))));
        }
        self.amount()
    }

    /// `count(messages where …) == 0`, `p99(rtt where …) < 200ms`.
    fn amount(&self) -> Result<Parts, Problem> {
        const FORMS: &str = "a claim is `no KIND where FILTER`, `every KIND has FILTER`, `count(KIND where FILTER) == 0`, or \
                             `p99(FIELD) < VALUE` (also min max sum mean p50 …)";
        let text = self.text;
        let wrong = || Problem::new(FORMS.to_owned(), 0..text.len());
        let (name, rest) = text.split_once('(').ok_or_else(wrong)?;
        let end = closing(rest).ok_or_else(wrong)?;
        let (inside, behind) = (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default());
        let (relation, wanted) = self.comparison(behind)?;
        let name = name.trim();
        if name == "count" {
            let (rows, of) = self.kind(inside)?;
            let of = self.filter(rows, of)?;
            return Ok((rows, of, What::Count(relation, self.value(Kind::Number, wanted)?)));
        }
        let aggregate = match name {
            "min" => Aggregate::Min,
            "max" => Aggregate::Max,
            "sum" => Aggregate::Sum,
            "mean" | "avg" => Aggregate::Mean,
            _ => {
                let percent = name.strip_prefix('p').and_then(|percent| percent.parse().ok());
                Aggregate::Percentile(percent.filter(|percent| (1..=100).contains(percent)).ok_or_else(wrong)?)
            }
        };
        let (field, of) = split(inside, "where").map_or((inside, None), |(field, of)| (field, Some(of)));
        let field = field.trim();
        let column = self.within(field, Column::new(field))?;
        let rows = column.home();
        if !matches!(column.kind(), Kind::Number | Kind::Duration) {
            return Err(self.wrong(field, "a field of numbers or durations is wanted here"));
        }
        let of = of
            .map(|of| self.within(of, Filter::new(of)).and_then(|filter| self.suited(filter, rows, of)))
            .transpose()?;
        let wanted = match self.value(column.kind(), wanted) {
            // A mean may be compared with a fraction.
            Err(_) if aggregate == Aggregate::Mean && wanted.parse::<f64>().is_ok() => {
                self.value(Kind::Json, wanted)?
            }
            wanted => wanted?,
        };
        Ok((rows, of, What::Sum(aggregate, Box::new(column), relation, wanted)))
    }

    /// The kind that a text begins with, and what follows.
    fn kind(&self, text: &'t str) -> Result<(Rows, &'t str), Problem> {
        let text = text.trim_start();
        let (word, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
        let found = KINDS.iter().find(|(one, many, _)| word == *one || word == *many);
        let Some((.., rows)) = found else {
            return Err(self.wrong(word, "connections, handshakes, messages, frames or findings are wanted here"));
        };
        Ok((*rows, rest.trim_start()))
    }

    /// The filter behind `where`, of such rows; none where there is nothing.
    fn filter(&self, rows: Rows, text: &'t str) -> Result<Option<Filter>, Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let Some(filter) = text.strip_prefix("where").filter(|rest| rest.starts_with(char::is_whitespace)) else {
            return Err(self.wrong(text, "`where` and a filter are wanted here"));
        };
        let filter = filter.trim_start();
        self.within(filter, Filter::new(filter)).and_then(|read| self.suited(read, rows, filter)).map(Some)
    }

    fn suited(&self, filter: Filter, rows: Rows, place: &'t str) -> Result<Filter, Problem> {
        self.within(place, filter.suits(rows))?;
        Ok(filter)
    }

    /// A filter that stands for words of the claim.
    fn shorthand(&self, filter: &str, place: &'t str) -> Result<Filter, Problem> {
        Filter::new(filter).map_err(|problem| Problem { hint: problem.hint, ..self.wrong(place, &problem.text) })
    }

    fn comparison(&self, text: &'t str) -> Result<(Relation, &'t str), Problem> {
        let text = text.trim_start();
        let signs = [
            ("==", Relation::Equal),
            ("!=", Relation::Unequal),
            (">=", Relation::GreaterOrEqual),
            ("<=", Relation::LessOrEqual),
            (">", Relation::Greater),
            ("<", Relation::Less),
        ];
        let found = signs.into_iter().find_map(|(sign, relation)| Some((relation, text.strip_prefix(sign)?.trim())));
        found.ok_or_else(|| self.wrong(text, "a comparison is wanted here: == != < <= > >="))
    }

    fn value(&self, kind: Kind, text: &'t str) -> Result<Literal, Problem> {
        self.within(text, parse::value(kind, text))
    }

    /// A result about a part of the claim, told of the whole.
    fn within<T>(&self, part: &str, result: Result<T, Problem>) -> Result<T, Problem> {
        let begin = self.place(part).start;
        result.map_err(|problem| Problem { span: problem.span.start + begin..problem.span.end + begin, ..problem })
    }

    fn wrong(&self, part: &str, text: &str) -> Problem {
        Problem::new(text.to_owned(), self.place(part))
    }

    /// Where a part of the claim stands in it.
    fn place(&self, part: &str) -> Range<usize> {
        let begin = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(self.text.len());
        begin..(begin + part.len()).min(self.text.len())
    }
}

/// The two sides of a word that stands outside quotes.
fn split<'t>(text: &'t str, word: &str) -> Option<(&'t str, &'t str)> {
    for (begin, is_inside) in outside(text) {
        if is_inside {
            continue;
        }
        let rest = text.get(begin..)?;
        let is_begin = begin == 0 || text.get(..begin).is_some_and(|before| before.ends_with(char::is_whitespace));
        if is_begin
            && let Some(behind) = rest.strip_prefix(word)
            && behind.starts_with(char::is_whitespace)
        {
            return Some((text.get(..begin)?, behind.trim_start()));
        }
    }
    None
}

/// Where the parenthesis closes that was opened before.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, is_inside) in outside(text) {
        match text.as_bytes().get(at) {
            _ if is_inside => {}
            Some(b'(') => depth += 1,
            Some(b')') if depth == 0 => return Some(at),
            Some(b')') => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Each character's place, and whether it stands in quotes.
fn outside(text: &str) -> impl Iterator<Item = (usize, bool)> {
    // A text behind an `r` has no escapes.
    let (mut quoted, mut escaped, mut raw, mut before) = (false, false, false, ' ');
    text.char_indices().map(move |(at, c)| {
        let was = quoted;
        (quoted, escaped) = match c {
            _ if escaped => (quoted, false),
            '\\' if quoted && !raw => (quoted, true),
            '"' => {
                raw = !quoted && before == 'r';
                (!quoted, false)
            }
            _ => (quoted, false),
        };
        before = c;
        (at, was || quoted)
    })
}
