//! Bytes that wait for the rest of their unit, and where they came from.

use crate::model::Mark;

/// The beginning of a unit that is not complete yet. Bounded by whoever fills it.
#[derive(Debug, Default)]
pub struct Carry {
    bytes: Vec<u8>,
    /// Stream offset of the first byte, and the packet that brought it.
    start: Option<(u64, Mark)>,
}

impl Carry {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.start.is_none()
    }

    /// The bytes that wait.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Stream offset of the first byte, and the packet that brought it.
    pub const fn start(&self) -> Option<(u64, Mark)> {
        self.start
    }

    /// Adds bytes; `offset` and `brought` are remembered with the first ones.
    pub fn push(&mut self, bytes: &[u8], offset: u64, brought: Mark) {
        self.start.get_or_insert((offset, brought));
        self.bytes.extend_from_slice(bytes);
    }

    /// Drops all bytes, and the memory of large units.
    pub fn clear(&mut self) {
        const SMALL: usize = 1 << 10;
        self.start = None;
        self.bytes.clear();
        self.bytes.shrink_to(SMALL);
    }
}
