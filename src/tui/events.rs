//! How often each event was said, by its name in the protocol of its connection.

use crate::book::{Book, MessageId};
use crate::model::{Both, Direction};
use std::collections::HashMap;
use std::time::Instant;

/// Events that were counted.
#[derive(Debug, Default)]
pub(super) struct Events {
    counts: HashMap<Box<str>, Both<u64>>,
    /// Messages that were looked at, of those that are measured.
    pub(super) taken: usize,
}

impl Events {
    /// Counts what a message says, which the book hears for that until then. False where it did not come so far.
    pub(super) fn take(&mut self, book: &mut Book, id: MessageId, until: Instant) -> bool {
        if !book.hear(id, until) {
            return false;
        }
        let event = book.gist(id).and_then(|gist| gist.event);
        if let (Some(event), Some((dir, _))) = (event, book.kind(id)) {
            match self.counts.get_mut(event) {
                Some(counts) => counts[dir] += 1,
                None => self.counts.entry(event.into()).or_default()[dir] += 1,
            }
        }
        true
    }

    /// The events of these directions, the most frequent first, with how often each was said; not escaped.
    pub(super) fn ranked(&self, dirs: &[Direction]) -> Vec<(&str, &Both<u64>)> {
        let sum = |counts: &Both<u64>| dirs.iter().map(|&dir| counts[dir]).sum::<u64>();
        let mut all: Vec<_> = self.counts.iter().map(|(name, counts)| (&**name, counts)).collect();
        all.retain(|(_, counts)| sum(counts) > 0);
        all.sort_by(|(one, of_one), (other, of_other)| sum(of_other).cmp(&sum(of_one)).then(one.cmp(other)));
        all
    }
}
