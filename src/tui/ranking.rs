//! Sorting by a field: rows are read a few milliseconds at a time, then each gets its rank.

use super::columns::RowId;
use crate::book::{Book, Desk};
use crate::filter::{Column as Field, Item, Row, Rows, Value};
use crate::model::Timestamp;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::time::Instant;

/// Rows that can be sorted by a field.
pub(super) const MOST: usize = 200_000;

/// Characters that tell texts apart.
const TEXT: usize = 64;

/// By what a row is sorted. Numbers come before texts, and what has neither comes last.
#[derive(Debug, Clone, PartialEq)]
enum Worth {
    Whole(i128),
    Fraction(f64),
    Text(Box<str>),
    Nothing,
}

impl Worth {
    /// That of the first value.
    fn of(field: &Field, row: &Row<'_>) -> Self {
        let text = |text: &str| Self::Text(text.chars().take(TEXT).collect::<String>().into());
        let is_text = if let Item::Message(message, _) = row.item { message.is_text() } else { true };
        let mut worth = Self::Nothing;
        field.values(row, |value| {
            if worth != Self::Nothing {
                return;
            }
            worth = match value {
                Value::Flag(flag) => Self::Whole(flag.into()),
                Value::Int(number) => Self::Whole(number),
                Value::Word(place, _) => Self::Whole(place as i128),
                Value::Time(time) => Self::Whole(time.nanos().into()),
                Value::Duration(nanos) => Self::Whole(nanos.into()),
                Value::Float(number) | Value::Decimal(_, number) => Self::Fraction(number),
                Value::Text(words) => text(words),
                other => {
                    let mut words = String::new();
                    crate::export::push_value(other, field, is_text, &mut words);
                    text(&words)
                }
            };
        });
        worth
    }

    const fn class(&self) -> u8 {
        match self {
            Self::Whole(_) | Self::Fraction(_) => 0,
            Self::Text(_) => 1,
            Self::Nothing => 2,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a whole number beside one with a fraction is taken as such")]
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => one.cmp(other),
            (Self::Fraction(one), Self::Fraction(other)) => one.total_cmp(other),
            (Self::Whole(one), Self::Fraction(other)) => (*one as f64).total_cmp(other),
            (Self::Fraction(one), Self::Whole(other)) => one.total_cmp(&(*other as f64)),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => self.class().cmp(&other.class()),
        }
    }
}

/// Rows on their way to be ranked.
#[derive(Debug)]
struct Job<Id> {
    field: Field,
    payload: bool,
    desk: Desk,
    rows: Vec<Id>,
    worth: Vec<Worth>,
}

/// What a ranking is of: the field, the connections, and whether all is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Of {
    pub(super) field: String,
    pub(super) conns: Vec<usize>,
    pub(super) is_whole: bool,
    /// What of the book was heard, where what messages say may have a part in it.
    pub(super) revision: u64,
}

/// The ranks of a table's rows by a field.
#[derive(Debug)]
pub(super) struct Ranking<Id> {
    of: Option<Of>,
    ranks: HashMap<Id, u32>,
    job: Option<Job<Id>>,
}

impl<Id> Default for Ranking<Id> {
    fn default() -> Self {
        Self { of: None, ranks: HashMap::new(), job: None }
    }
}

impl<Id: RowId> Ranking<Id> {
    /// Begins to rank these rows, unless that is done or under way.
    pub(super) fn want(&mut self, of: &Of, kind: Rows, origin: Option<Timestamp>, rows: impl FnOnce() -> Vec<Id>) {
        if self.of.as_ref() == Some(of) {
            return;
        }
        self.job = Field::new(&of.field).ok().map(|field| {
            let needs = field.needs(kind);
            Job { field, payload: needs.payloads, desk: Desk::new(needs, origin), rows: rows(), worth: Vec::new() }
        });
        self.of = Some(of.clone());
    }

    /// The rank of a row; one that has none so far comes last.
    pub(super) fn rank(&self, row: Id) -> u32 {
        self.ranks.get(&row).copied().unwrap_or(u32::MAX)
    }

    pub(super) const fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// The row that waits for being heard.
    pub(super) fn unheard(&self, book: &Book) -> Option<Id> {
        let job = self.job.as_ref()?;
        job.rows.get(job.worth.len()).copied().filter(|row| !row.is_ready(&job.desk, book))
    }

    /// Percent of the rows that were read, while that is under way.
    pub(super) fn percent(&self) -> Option<usize> {
        self.job.as_ref().map(|job| job.worth.len() * 100 / job.rows.len().max(1))
    }

    /// Goes on until then; whether the ranks are others now.
    pub(super) fn go_on(&mut self, book: &Book, until: Instant) -> bool {
        let Some(job) = &mut self.job else { return false };
        while let Some(&row) = job.rows.get(job.worth.len()) {
            if !row.is_ready(&job.desk, book) {
                return false;
            }
            let is_told = !(job.payload && row.is_large(book));
            let ask = || row.ask(&mut job.desk, book, |row| Worth::of(&job.field, row));
            job.worth.push(is_told.then(ask).flatten().unwrap_or(Worth::Nothing));
            if Instant::now() >= until {
                return false;
            }
        }
        let Some(Job { rows, worth, .. }) = self.job.take() else { return false };
        self.ranks = ranks(rows, worth);
        true
    }

    /// Forgets all of it.
    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }
}

/// Equal rows have equal ranks.
fn ranks<Id: RowId>(rows: Vec<Id>, worth: Vec<Worth>) -> HashMap<Id, u32> {
    let mut all: Vec<(Worth, Id)> = worth.into_iter().zip(rows).collect();
    all.sort_by(|(one, _), (other, _)| one.order(other));
    let mut rank = 0_u32;
    let mut before: Option<&Worth> = None;
    let mut ranks = HashMap::with_capacity(all.len());
    for (worth, row) in &all {
        if before.is_some_and(|before| before.order(worth).is_ne()) {
            rank += 1;
        }
        before = Some(worth);
        ranks.insert(*row, rank);
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_before_texts_and_nothing_last() {
        let text = |text: &str| Worth::Text(text.into());
        let worth = vec![Worth::Nothing, text("b"), Worth::Fraction(1.5), Worth::Whole(2), text("a"), Worth::Whole(2)];
        let ranks = ranks((0..worth.len()).collect(), worth);
        assert_eq!([0, 1, 2, 3, 4, 5].map(|row: usize| ranks[&row]), [4, 3, 0, 1, 2, 1]);
    }
}
