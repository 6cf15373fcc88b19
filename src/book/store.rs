//! Payload bytes: in memory up to a budget, then in an unlinked temporary file.

use std::fs::File;
use std::io;

/// Bytes in one chunk.
const CHUNK: usize = 1 << 20;

/// An append-only log of bytes. The first chunks stay in memory, later ones are written to a file that has no name.
///
/// When that file cannot be written, nothing more is kept; what was kept stays readable.
#[derive(Debug)]
pub(super) struct Store {
    /// Chunks that may stay in memory.
    budget: usize,
    /// Full chunks in memory.
    resident: Vec<Box<[u8]>>,
    /// Full chunks in the file.
    spilled: usize,
    file: Option<File>,
    /// The chunk that is being filled.
    tail: Vec<u8>,
    /// Why nothing more is kept.
    failure: Option<String>,
}

impl Store {
    /// A store that keeps about `budget` bytes in memory.
    pub(super) const fn new(budget: usize) -> Self {
        Self { budget: budget / CHUNK, resident: Vec::new(), spilled: 0, file: None, tail: Vec::new(), failure: None }
    }

    /// Keeps `bytes` and says where; `None` when they could not be kept.
    pub(super) fn append(&mut self, mut bytes: &[u8]) -> Option<u64> {
        if self.failure.is_some() {
            return None;
        }
        let at = self.len();
        while !bytes.is_empty() {
            if self.tail.len() == CHUNK
                && let Err(error) = self.put_away()
            {
                self.failure = Some(error.to_string());
                return None;
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
                read_at(self.file.as_ref()?, out.get_mut(old..)?, place).ok()?;
            } else {
                out.extend_from_slice(self.tail.get(from..upto)?);
            }
            at += upto - from;
        }
        Some(())
    }

    /// Why nothing more is kept, in the system's words.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    const fn len(&self) -> u64 {
        ((self.resident.len() + self.spilled) * CHUNK + self.tail.len()) as u64
    }

    /// Moves the full tail to where it will stay; when that fails the tail stays.
    fn put_away(&mut self) -> io::Result<()> {
        if self.resident.len() < self.budget {
            let next = Vec::with_capacity(CHUNK);
            self.resident.push(std::mem::replace(&mut self.tail, next).into_boxed_slice());
            return Ok(());
        }
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        write_at(file, &self.tail, (self.spilled * CHUNK) as u64)?;
        self.spilled += 1;
        self.tail.clear();
        Ok(())
    }
}

#[cfg(unix)]
fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
    io::Read::read_exact(&mut file, out)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
    io::Write::write_all(&mut file, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(len: usize, seed: usize) -> Vec<u8> {
        (0..len).map(|at| ((at * 31 + seed * 17) >> 3) as u8).collect()
    }

    #[test]
    fn reads_back_from_memory_and_from_the_file() {
        let mut store = Store::new(2 * CHUNK);
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
        let mut store = Store::new(0);
        let first = store.append(&pattern(CHUNK, 1)).unwrap();
        // A file opened for reading refuses to be written, as a full disk does.
        store.file = Some(File::open(std::env::current_exe().unwrap()).unwrap());
        assert_eq!(store.append(b"more"), None);
        assert!(store.failure().is_some());
        let mut out = Vec::new();
        store.read(first, CHUNK, &mut out).unwrap();
        assert!(out == pattern(CHUNK, 1));
        assert_eq!(store.append(b"still not"), None);
    }
}
