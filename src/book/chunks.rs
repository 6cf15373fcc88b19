//! A list that grows without ever moving what it holds.

/// Rows in one chunk.
const CHUNK: usize = 4096;

/// Append-only rows in chunks: growing copies nothing, so millions of rows cost their own size and no more.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    full: Vec<Box<[T]>>,
    tail: Vec<T>,
}

impl<T: Copy> Chunks<T> {
    pub(super) const fn new() -> Self {
        Self { full: Vec::new(), tail: Vec::new() }
    }

    pub(super) const fn len(&self) -> usize {
        self.full.len() * CHUNK + self.tail.len()
    }

    pub(super) fn push(&mut self, row: T) {
        if self.tail.capacity() == 0 {
            // The first chunk grows as a list does: most captures are small.
            self.tail.reserve(64);
        }
        self.tail.push(row);
        if self.tail.len() == CHUNK {
            let next = Vec::with_capacity(CHUNK);
            self.full.push(std::mem::replace(&mut self.tail, next).into_boxed_slice());
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<T> {
        match self.full.get(at / CHUNK) {
            Some(chunk) => chunk.get(at % CHUNK).copied(),
            None => self.tail.get(at.checked_sub(self.full.len() * CHUNK)?).copied(),
        }
    }

    /// Puts another row in the place of one.
    pub(super) fn set(&mut self, at: usize, row: T) {
        let full = self.full.len();
        let place = match self.full.get_mut(at / CHUNK) {
            Some(chunk) => chunk.get_mut(at % CHUNK),
            None => at.checked_sub(full * CHUNK).and_then(|at| self.tail.get_mut(at)),
        };
        if let Some(old) = place {
            *old = row;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_put_in() {
        let mut chunks = Chunks::new();
        for row in 0..3 * CHUNK + 7 {
            assert_eq!(chunks.len(), row);
            chunks.push(row);
        }
        assert!((0..chunks.len()).all(|row| chunks.get(row) == Some(row)));
        assert_eq!(chunks.get(chunks.len()), None);
        for row in [0, CHUNK, 3 * CHUNK + 6, 3 * CHUNK + 7] {
            chunks.set(row, 9);
        }
        let nines = (0..chunks.len()).filter(|&row| chunks.get(row) == Some(9)).collect::<Vec<_>>();
        assert_eq!(nines, [0, 9, CHUNK, 3 * CHUNK + 6]);
    }
}
