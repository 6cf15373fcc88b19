//! Payload bytes: in memory up to a budget, then in a temporary file.

use super::scratch::Scratch;

/// Bytes in one chunk.
const CHUNK: usize = 1 << 20;

/// An append-only log of bytes. The first chunks stay in memory, later ones are written to a file.
///
/// When that file is full, or cannot be written, nothing more is kept; what was kept stays readable.
#[derive(Debug)]
pub(super) struct Store {
    /// Chunks that may stay in memory.
    budget: usize,
    /// Full chunks in memory.
    resident: Vec<Box<[u8]>>,
    /// Full chunks in the file.
    spilled: usize,
    file: Scratch,
    /// The chunk that is being filled.
    tail: Vec<u8>,
}

impl Store {
    /// A store that keeps about `budget` bytes in memory, and `file` more in a file.
    pub(super) const fn new(budget: usize, file: u64) -> Self {
        let file = Scratch::new(file);
        Self { budget: budget / CHUNK, resident: Vec::new(), spilled: 0, file, tail: Vec::new() }
    }

    /// Keeps `bytes` and says where; `None` when they could not be kept.
    pub(super) fn append(&mut self, mut bytes: &[u8]) -> Option<u64> {
        if self.failure().is_some() {
            return None;
        }
        let at = self.len();
        while !bytes.is_empty() {
            if self.tail.len() == CHUNK {
                self.put_away()?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.tail.len()));
            self.tail.extend_from_slice(now);
            bytes = later;
        }
        Some(at)
    }

    /// Adds `len` bytes at `at` to `out`; `None` when they are not there or cannot be read.
    pub(super) fn read(&self, at: u64, len: usize, out: &mut Vec<u8>) -> Option<()> {
        let mut at = usize::try_from(at).ok()?;
        let end = at.checked_add(len)?;
        while at < end {
            let (chunk, from) = (at / CHUNK, at % CHUNK);
            let upto = CHUNK.min(from + (end - at));
            if let Some(bytes) = self.resident.get(chunk) {
                out.extend_from_slice(bytes.get(from..upto)?);
            } else if chunk - self.resident.len() < self.spilled {
                let old = out.len();
                out.resize(old + (upto - from), 0);
                let place = (at - self.resident.len() * CHUNK) as u64;
                self.file.read(place, out.get_mut(old..)?)?;
            } else {
                out.extend_from_slice(self.tail.get(from..upto)?);
            }
            at += upto - from;
        }
        Some(())
    }

    /// Why nothing more is kept, in the system's words.
    pub(super) fn failure(&self) -> Option<&str> {
        self.file.failure()
    }

    const fn len(&self) -> u64 {
        ((self.resident.len() + self.spilled) * CHUNK + self.tail.len()) as u64
    }

    /// Moves the full tail to where it will stay; when that fails the tail stays.
    fn put_away(&mut self) -> Option<()> {
        if self.resident.len() < self.budget {
            let next = Vec::with_capacity(CHUNK);
            self.resident.push(std::mem::replace(&mut self.tail, next).into_boxed_slice());
            return Some(());
        }
        self.file.append(&self.tail)?;
        self.spilled += 1;
        self.tail.clear();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(len: usize, seed: usize) -> Vec<u8> {
        (0..len).map(|at| ((at * 31 + seed * 17) >> 3) as u8).collect()
    }

    #[test]
    fn reads_back_from_memory_and_from_the_file() {
        let mut store = Store::new(2 * CHUNK, u64::MAX);
        let pieces: Vec<Vec<u8>> = (0..40).map(|n| pattern(n * 9973 + n, n)).collect();
        let places: Vec<u64> = pieces.iter().map(|piece| store.append(piece).unwrap()).collect();
        assert!(store.spilled > 2 && store.resident.len() == 2, "the test must reach the file");
        for (piece, at) in pieces.iter().zip(places) {
            let mut out = Vec::new();
            store.read(at, piece.len(), &mut out).unwrap();
            assert!(out == *piece);
        }
        assert!(store.read(store.len(), 1, &mut Vec::new()).is_none());
    }

    #[test]
    fn a_file_that_cannot_be_written_costs_only_what_comes_after() {
        let mut store = Store::new(0, u64::MAX);
        let first = store.append(&pattern(CHUNK, 1)).unwrap();
        store.file.refuse();
        assert_eq!(store.append(b"more"), None);
        assert!(store.failure().is_some());
        let mut out = Vec::new();
        store.read(first, CHUNK, &mut out).unwrap();
        assert!(out == pattern(CHUNK, 1));
        assert_eq!(store.append(b"still not"), None);
    }
}
