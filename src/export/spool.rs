//! Text that comes interleaved and is wanted apart: kept in bounded memory, the rest in a file.
//!
//! ```text
//! file:  ┌ next ┬ len ┬ bytes ┐┌ next ┬ len ┬ bytes ┐…      each thread is a chain of pieces, linked forwards
//! ```
//!
//! A thread costs memory for what it has not written and for the ends of its chain, however long it is.

use super::Out;
use foldhash::{HashMap, HashMapExt as _};
use std::hash::Hash;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::mem;
use std::ops::ControlFlow;

/// A file that can be written and read anywhere.
pub trait Store: Read + Write + Seek {}

impl<T: Read + Write + Seek> Store for T {}

/// Bytes of all threads that wait in memory.
const MAX_WAITING: usize = 16 << 20;

/// Bytes of one thread that wait in memory.
const MAX_PIECE: usize = 256 << 10;

/// Bytes before each piece: where the next one is, 0 for nowhere, and its length.
const HEAD: u64 = 16;

/// Where the first piece stands: 0 is no place.
const START: u64 = 8;

/// Makes a store, where one is needed.
pub type OpenStore = Box<dyn Fn() -> io::Result<Box<dyn Store>>>;

/// Threads of text, each with a key.
pub(super) struct Spool<K> {
    open: OpenStore,
    store: Option<Box<dyn Store>>,
    threads: HashMap<K, Thread>,
    /// Bytes that wait in memory.
    waiting: usize,
    /// Where the next piece is written.
    end: u64,
    /// Threads that have pieces in the store.
    stored: usize,
}

#[derive(Default)]
struct Thread {
    /// What is not in the store yet.
    waiting: Vec<u8>,
    /// The first and the last piece in the store.
    pieces: Option<(u64, u64)>,
}

impl<K: Eq + Hash + Copy> Spool<K> {
    /// An empty spool; what memory may not hold goes to the store that `open` makes.
    pub(super) fn new(open: OpenStore) -> Self {
        Self { open, store: None, threads: HashMap::new(), waiting: 0, end: START, stored: 0 }
    }

    /// Appends to a thread.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(super) fn push(&mut self, key: K, bytes: &[u8]) -> io::Result<()> {
        let thread = self.threads.entry(key).or_default();
        thread.waiting.extend_from_slice(bytes);
        self.waiting += bytes.len();
        if thread.waiting.len() >= MAX_PIECE {
            return self.store(key);
        }
        if self.waiting >= MAX_WAITING {
            let keys: Vec<K> = self.threads.keys().copied().collect();
            for key in keys {
                self.store(key)?;
            }
        }
        Ok(())
    }

    /// Moves what waits of a thread to the store.
    fn store(&mut self, key: K) -> io::Result<()> {
        let Some(thread) = self.threads.get_mut(&key).filter(|thread| !thread.waiting.is_empty()) else {
            return Ok(());
        };
        let store = match &mut self.store {
            Some(store) => store,
            none => none.insert((self.open)()?),
        };
        let (bytes, place) = (mem::take(&mut thread.waiting), self.end);
        self.waiting -= bytes.len();
        let length = bytes.len() as u64;
        let head = [[0; 8], length.to_le_bytes()].concat();
        store.seek(SeekFrom::Start(place))?;
        store.write_all(&[head, bytes].concat())?;
        self.end += HEAD + length;
        if let Some((first, last)) = thread.pieces {
            store.seek(SeekFrom::Start(last))?;
            store.write_all(&place.to_le_bytes())?;
            thread.pieces = Some((first, place));
        } else {
            thread.pieces = Some((place, place));
            self.stored += 1;
        }
        Ok(())
    }

    /// Whether nothing was appended to a thread.
    pub(super) fn is_empty(&self, key: K) -> bool {
        !self.threads.contains_key(&key)
    }

    /// Appends a thread to `out` and forgets it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn take(&mut self, key: K, out: &mut Out<'_>) -> io::Result<()> {
        let Some(thread) = self.threads.remove(&key) else { return Ok(()) };
        self.waiting -= thread.waiting.len();
        if let (Some(store), Some((first, _))) = (&mut self.store, thread.pieces) {
            copy(store, first, out)?;
            self.stored -= 1;
            if self.stored == 0 {
                // Nobody wants what the store holds: its room is used again.
                self.end = START;
            }
        }
        out.bytes().extend_from_slice(&thread.waiting);
        out.spill();
        Ok(())
    }
}

/// Goes on, unless the spool failed: then nothing that is written would be whole.
pub(super) fn kept(done: io::Result<()>, out: &mut Out<'_>) -> ControlFlow<()> {
    let Err(error) = done else { return ControlFlow::Continue(()) };
    let mut why = error.to_string();
    if let Some(first) = why.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    out.fail(io::Error::new(error.kind(), format!("temporary file: {why}")));
    ControlFlow::Break(())
}

/// Appends a chain of pieces.
fn copy(store: &mut impl Store, mut place: u64, out: &mut Out<'_>) -> io::Result<()> {
    const STEP: usize = 64 << 10;
    while place != 0 {
        let mut number = [0; 8];
        store.seek(SeekFrom::Start(place))?;
        store.read_exact(&mut number)?;
        place = u64::from_le_bytes(number);
        store.read_exact(&mut number)?;
        let mut left = u64::from_le_bytes(number);
        while left > 0 {
            let step = usize::try_from(left).unwrap_or(STEP).min(STEP);
            let buffer = out.bytes();
            let start = buffer.len();
            buffer.resize(start + step, 0);
            let (_, room) = buffer.split_at_mut(start);
            store.read_exact(room)?;
            left -= step as u64;
            out.spill();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::io::Cursor;
    use std::rc::Rc;

    /// A store that tells how long it became.
    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Cursor<Vec<u8>>>>);

    impl Shared {
        fn len(&self) -> usize {
            self.0.borrow().get_ref().len()
        }
    }

    impl Read for Shared {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            self.0.borrow_mut().read(bytes)
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Shared {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.borrow_mut().seek(to)
        }
    }

    fn spool_in(store: &Shared) -> Spool<u32> {
        let store = store.clone();
        Spool::new(Box::new(move || Ok(Box::new(store.clone()))))
    }

    fn taken(spool: &mut Spool<u32>, key: u32) -> Vec<u8> {
        let mut out = Out::memory();
        spool.take(key, &mut out).unwrap();
        out.take()
    }

    /// What is little stays in memory; what is much comes back from the store, in order, and what waits stays bounded.
    #[test]
    fn interleaved_threads_come_back_apart() {
        let store = Shared::default();
        let mut spool = spool_in(&store);
        let mut expected = vec![Vec::new(); 5];
        for n in 0..40_000_u32 {
            let key = n * n % 5;
            let bytes = vec![n as u8; n as usize % 3000];
            spool.push(key, &bytes).unwrap();
            expected[key as usize].extend(bytes);
            assert!(spool.waiting < MAX_WAITING);
        }
        assert!(store.len() > 40 << 20);
        for key in [3, 0, 4, 2, 1] {
            assert_eq!(spool.is_empty(key), expected[key as usize].is_empty());
            assert!(taken(&mut spool, key) == expected[key as usize], "thread {key}");
            assert!(spool.is_empty(key) && taken(&mut spool, key).is_empty());
        }
        assert_eq!((spool.waiting, spool.stored, spool.end), (0, 0, START));
    }

    #[test]
    fn a_little_needs_no_store() {
        let store = Shared::default();
        let mut spool = spool_in(&store);
        spool.push(1, b"ab").unwrap();
        spool.push(2, b"x").unwrap();
        spool.push(1, b"c").unwrap();
        assert_eq!((taken(&mut spool, 1), taken(&mut spool, 2)), (b"abc".to_vec(), b"x".to_vec()));
        assert_eq!(store.len(), 0);
    }

    /// Very many threads with a little each are written out together.
    #[test]
    fn many_small_threads_stay_bounded() {
        let store = Shared::default();
        let mut spool = spool_in(&store);
        for round in 0..4 {
            for key in 0..20_000 {
                spool.push(key, &[round; 300]).unwrap();
            }
        }
        assert!(store.len() > 0 && spool.waiting < MAX_WAITING);
        let bytes = taken(&mut spool, 7);
        assert_eq!(bytes, [[0; 300], [1; 300], [2; 300], [3; 300]].concat());
    }

    #[test]
    fn room_that_nobody_wants_is_used_again() {
        let store = Shared::default();
        let mut spool = spool_in(&store);
        for n in 0..20 {
            spool.push(n, &vec![n as u8; MAX_PIECE + 1]).unwrap();
            assert_eq!(taken(&mut spool, n).len(), MAX_PIECE + 1);
        }
        assert!(store.len() < 2 * MAX_PIECE);
    }
}
