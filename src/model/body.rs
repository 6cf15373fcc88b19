//! What was kept of what was there.

/// A hole in a body: bytes that were sent but are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// Where in the whole body the hole begins.
    pub offset: u64,
    /// How many bytes are missing; `None` when that is not known (it then counts as 0).
    pub len: Option<u64>,
}

/// Bytes of a frame or message, borrowed from the read buffer or from the message under assembly.
///
/// `kept.len() + holes ≤ len`: less when a limit took the rest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Body<'a> {
    /// The bytes that are there, joined over the holes.
    pub kept: &'a [u8],
    /// The length that the sender meant, holes of known length included.
    pub len: u64,
    /// The holes, in order, none of them empty.
    pub holes: &'a [Hole],
}

impl<'a> Body<'a> {
    /// A body of which every byte is there.
    pub const fn whole(kept: &'a [u8]) -> Self {
        Self { kept, len: kept.len() as u64, holes: &[] }
    }

    /// Bytes lost in holes of known length.
    pub fn missing(&self) -> u64 {
        self.holes.iter().filter_map(|hole| hole.len).sum()
    }

    /// Whether a limit took bytes that the capture has.
    pub fn is_truncated(&self) -> bool {
        (self.kept.len() as u64).saturating_add(self.missing()) < self.len
    }
}
