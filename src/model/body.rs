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

/// A part of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Bytes that are there, at least one.
    Bytes(&'a [u8]),
    /// Bytes that are not.
    Hole(Hole),
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

    /// The bytes that are there and the holes between them, in order.
    pub fn parts(&self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        let mut rest = self.kept;
        let mut offset = 0;
        let mut holes = self.holes.iter();
        let mut next = holes.next();
        std::iter::from_fn(move || {
            let until = next
                .map_or(usize::MAX, |hole| usize::try_from(hole.offset.saturating_sub(offset)).unwrap_or(usize::MAX));
            let (bytes, others) = rest.split_at(until.min(rest.len()));
            if !bytes.is_empty() {
                rest = others;
                offset += bytes.len() as u64;
                return Some(Part::Bytes(bytes));
            }
            let hole = next?;
            next = holes.next();
            offset = hole.offset.saturating_add(hole.len.unwrap_or(0));
            Some(Part::Hole(*hole))
        })
    }

    /// Whether a limit took bytes that the capture has.
    pub fn is_truncated(&self) -> bool {
        (self.kept.len() as u64).saturating_add(self.missing()) < self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_falls_into_parts() {
        let holes = [(0, Some(2)), (5, Some(1)), (9, None)].map(|(offset, len)| Hole { offset, len });
        let parts = |kept, holes| Body { kept, len: 9, holes }.parts().collect::<Vec<_>>();
        let [first, second, third] = holes.map(Part::Hole);
        let bytes = |text: &'static str| Part::Bytes(text.as_bytes());
        assert_eq!(parts(b"abcdef", &holes), [first, bytes("abc"), second, bytes("def"), third]);
        assert_eq!(parts(b"ab", &holes), [first, bytes("ab"), second, third], "a limit took the rest");
        assert_eq!(parts(b"abc", &[]), [bytes("abc")]);
        assert_eq!(parts(b"", &[]), []);
    }
}
