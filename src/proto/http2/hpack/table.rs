//! The tables of header fields (RFC 7541 §2.3): the static one, and what a direction has added.

use std::collections::VecDeque;
use std::sync::Arc;

/// RFC 7541 Appendix A, from index 1.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// What an entry takes beside its bytes (RFC 7541 §4.1).
pub(in crate::proto::http2) const OVERHEAD: usize = 32;

/// The dynamic table of one direction. Its newest entry has the index behind the static table.
///
/// Behind a loss it is not known what was added: older entries are gone, and what refers to them is unknown. The newest stay right,
/// since they are counted from the newest.
#[derive(Debug)]
pub(super) struct Table {
    entries: VecDeque<Entry>,
    /// Bytes of all entries, as they are counted.
    size: usize,
    /// Bytes that they may take.
    max: usize,
    /// The most that is kept, whatever was agreed on.
    bound: usize,
    /// Entries that were added are not known.
    lost: bool,
}

/// A name, shared where an entry takes it from another: a short reference must not make much.
pub(super) type Name = Arc<[u8]>;

#[derive(Debug)]
struct Entry {
    name: Name,
    value: Box<[u8]>,
}

/// What an index leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    Entry(&'a [u8], &'a [u8]),
    /// An entry that was there, and is not known.
    Lost,
    /// No such entry.
    None,
}

impl Entry {
    fn size(&self) -> usize {
        self.name.len() + self.value.len() + OVERHEAD
    }
}

impl Table {
    pub(super) const fn new(max: usize, bound: usize) -> Self {
        Self { entries: VecDeque::new(), size: 0, max, bound, lost: false }
    }

    pub(super) fn find(&self, index: u64) -> Found<'_> {
        let Ok(index) = usize::try_from(index) else { return Found::None };
        let Some(place) = index.checked_sub(1) else { return Found::None };
        if let Some((name, value)) = STATIC.get(place) {
            return Found::Entry(name.as_bytes(), value.as_bytes());
        }
        match self.entries.get(place - STATIC.len()) {
            Some(entry) => Found::Entry(&entry.name, &entry.value),
            None if self.lost => Found::Lost,
            None => Found::None,
        }
    }

    /// The name at an index, to be shared.
    pub(super) fn name(&self, index: u64) -> Option<Name> {
        let place = usize::try_from(index).ok()?.checked_sub(STATIC.len() + 1);
        match place.and_then(|place| self.entries.get(place)) {
            Some(entry) => Some(Arc::clone(&entry.name)),
            None => match self.find(index) {
                Found::Entry(name, _) => Some(name.into()),
                Found::Lost | Found::None => None,
            },
        }
    }

    /// Adds an entry; one that is larger than the table empties it (RFC 7541 §4.4).
    pub(super) fn insert(&mut self, name: Name, value: &[u8]) {
        let entry = Entry { name, value: value.into() };
        let size = entry.size();
        self.shrink(self.max.saturating_sub(size));
        if size <= self.max {
            self.size += size;
            self.entries.push_front(entry);
        }
    }

    /// Makes room for an entry whose bytes are not kept: it is larger than the table, or the next is the first that is known.
    pub(super) fn insert_unknown(&mut self, at_least: usize) {
        self.lost |= at_least <= self.max;
        self.shrink(0);
    }

    /// What the table may take from here on; past the bound, older entries are forgotten early.
    pub(super) fn resize(&mut self, max: u64) {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        self.max = max.min(self.bound);
        // What is emptied is known again.
        self.lost = max > self.bound || self.lost && max > 0;
        self.shrink(self.max);
    }

    /// It is not known what was added, nor how large it may be.
    pub(super) fn lose(&mut self) {
        self.shrink(0);
        (self.lost, self.max) = (true, self.bound);
    }

    fn shrink(&mut self, size: usize) {
        while self.size > size {
            let Some(entry) = self.entries.pop_back() else { break };
            self.size -= entry.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_go_as_others_come() {
        let mut table = Table::new(100, 1000);
        let is = |found: Found<'_>, value: &str| found == Found::Entry(b"name", value.as_bytes());
        table.insert(b"name"[..].into(), b"1");
        table.insert(b"name"[..].into(), b"2");
        assert!(is(table.find(62), "2") && is(table.find(63), "1") && table.find(64) == Found::None);
        table.insert(b"name"[..].into(), b"3");
        assert!(is(table.find(63), "2") && table.find(64) == Found::None);
        table.insert(b"name"[..].into(), &[0; 90]);
        assert_eq!(table.find(62), Found::None);
        assert_eq!((table.find(0), table.find(u64::MAX)), (Found::None, Found::None));
    }

    #[test]
    fn behind_a_loss_the_newest_are_right() {
        let mut table = Table::new(4096, 4096);
        table.insert(b"name"[..].into(), b"1");
        table.lose();
        table.insert(b"name"[..].into(), b"2");
        assert_eq!(table.find(62), Found::Entry(b"name", b"2"));
        assert_eq!(table.find(63), Found::Lost);
        assert_eq!(table.find(8), Found::Entry(b":status", b"200"));
        table.resize(0);
        assert_eq!(table.find(62), Found::None, "what is emptied is known");
    }
}
