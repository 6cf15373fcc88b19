//! Messages in an order: those of a connection, or a list of some.

use super::table::{Strand, partition_point};
use super::{Book, MessageId};
use std::ops::{Bound, Range, RangeBounds};

/// Messages in an order, wherever they are kept.
#[derive(Debug, Clone)]
pub struct Ids<'b> {
    of: Of<'b>,
    /// Which of them.
    range: Range<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Of<'b> {
    Listed(&'b [MessageId]),
    Connection(&'b Book, &'b Strand<MessageId>),
}

impl<'b> From<&'b [MessageId]> for Ids<'b> {
    fn from(ids: &'b [MessageId]) -> Self {
        Self { of: Of::Listed(ids), range: 0..ids.len() }
    }
}

impl<'b> Ids<'b> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// One of them, from 0.
    pub fn get(&self, at: usize) -> Option<MessageId> {
        self.at(self.range.start.checked_add(at).filter(|at| self.range.contains(at))?)
    }

    fn at(&self, at: usize) -> Option<MessageId> {
        match self.of {
            Of::Listed(ids) => ids.get(at).copied(),
            Of::Connection(book, strand) => strand.get(at, &book.ids, &book.spool),
        }
    }

    /// The first one.
    pub fn first(&self) -> Option<MessageId> {
        self.get(0)
    }

    /// The last one.
    pub fn last(&self) -> Option<MessageId> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Those from one place to another, as far as they are there.
    #[must_use]
    pub fn within(&self, range: impl RangeBounds<usize>) -> Self {
        let begin = match range.start_bound() {
            Bound::Included(&at) => at,
            Bound::Excluded(&at) => at.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&at) => at.saturating_add(1),
            Bound::Excluded(&at) => at,
            Bound::Unbounded => usize::MAX,
        };
        let place = |at: usize| self.range.start.saturating_add(at).min(self.range.end);
        Self { of: self.of, range: place(begin)..place(end.max(begin)) }
    }

    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = MessageId> + use<'b> {
        let Self { of, range } = self.clone();
        let all = Self { of, range: 0..usize::MAX };
        range.filter_map(move |at| all.at(at))
    }

    /// How many come before the first for which that does not hold: as in a slice, they are to be parted by it.
    pub fn partition_point(&self, mut is_before: impl FnMut(MessageId) -> bool) -> usize {
        partition_point(self.len(), |at| self.get(at).is_some_and(&mut is_before))
    }

    /// Where a message stands among them, which are in the order of the book; or how many come before it.
    ///
    /// # Errors
    /// When it is not among them.
    pub fn place(&self, id: MessageId) -> Result<usize, usize> {
        let at = self.partition_point(|other| other < id);
        if self.get(at) == Some(id) { Ok(at) } else { Err(at) }
    }
}

impl Book {
    /// The messages of a connection, in order of their numbers.
    pub fn messages_of(&self, conn: usize) -> Ids<'_> {
        self.of(self.talks.get(conn).map(|talk| &talk.messages))
    }

    /// Those with a warning or an error.
    pub fn problems_of(&self, conn: usize) -> Ids<'_> {
        self.of(self.talks.get(conn).and_then(|talk| talk.problems.as_deref()))
    }

    fn of<'b>(&'b self, strand: Option<&'b Strand<MessageId>>) -> Ids<'b> {
        let of = |strand: &'b Strand<MessageId>| Ids { of: Of::Connection(self, strand), range: 0..strand.len() };
        strand.map_or_else(|| Ids::from(&[][..]), of)
    }
}
