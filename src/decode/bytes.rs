//! Numbers and pieces of bytes, read in order. What is not there is `None`.

/// Bytes, and how far they were read.
#[derive(Debug, Clone)]
pub(super) struct Bytes<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    pub(super) const fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    /// The next bytes, so many, to be read on their own: places in them stay those of the whole.
    pub(super) fn part(&mut self, len: usize) -> Option<Self> {
        let (at, end) = (self.at, self.at.checked_add(len)?);
        self.at = end;
        self.all.get(..end).map(|all| Self { all, at })
    }

    /// The next byte to be read.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.at >= self.all.len()
    }

    /// All that was not read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.all.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.all.get(self.at).copied()
    }

    /// So many bytes.
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let piece = self.all.get(self.at..self.at.checked_add(len)?)?;
        self.at += len;
        Some(piece)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64_le(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number in groups of seven bits, the lowest first, of at most so many bytes (LEB128).
    pub(super) fn varint(&mut self, most: u32) -> Option<u64> {
        let mut number = 0;
        for group in 0..most {
            let byte = self.u8()?;
            number |= u64::from(byte & 0x7f) << (7 * group);
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_none() {
        let mut bytes = Bytes::new(&[0xff, 1, 2, 0x80, 0x01, 0x80]);
        assert_eq!((bytes.peek(), bytes.u8(), bytes.u16()), (Some(0xff), Some(0xff), Some(0x0102)));
        assert_eq!((bytes.varint(4), bytes.at()), (Some(128), 5));
        assert_eq!((bytes.clone().varint(1), bytes.clone().varint(4), bytes.take(2)), (None, None, None));
        assert_eq!((bytes.rest(), bytes.u32(), bytes.take(usize::MAX)), (&[0x80][..], None, None));
        assert_eq!((bytes.take(1), bytes.is_empty(), bytes.peek()), (Some(&[0x80][..]), true, None));
    }
}
