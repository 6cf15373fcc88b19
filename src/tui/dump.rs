//! Where in a row of a dump everything stands: `0010 78 9b▐34 ca▌f5 4f  x·4··O`.

/// How the rows of a dump are laid out: the same for drawing them and for finding the byte under the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dump {
    /// Digits of an offset.
    pub(super) offset: usize,
    /// Digits of a byte.
    pub(super) byte: usize,
    /// Bytes in a row.
    pub(super) per_row: usize,
    /// Columns between the bytes and their characters: two where there is room, else one.
    pub(super) gap: usize,
}

impl Dump {
    /// Rows of `per_row` bytes, with offsets up to `len`.
    pub(super) const fn new(per_row: usize, len: u64, decimal: bool, bits: bool) -> Self {
        let digits = match (len.checked_ilog10(), len.checked_ilog2()) {
            (Some(tens), _) if decimal => tens as usize + 1,
            (_, Some(twos)) if !decimal => twos as usize / 4 + 1,
            _ => 1,
        };
        let offset = if digits < 4 { 4 } else { digits };
        Self { offset, byte: if bits { 8 } else { 2 }, per_row, gap: 1 }
    }

    /// Columns of a row.
    pub(super) const fn width(&self) -> usize {
        self.characters() + self.per_row
    }

    /// The same rows in `columns`; `None` when they do not fit.
    pub(super) const fn within(self, columns: usize) -> Option<Self> {
        if self.width() > columns {
            return None;
        }
        let gap = if self.width() < columns { 2 } else { 1 };
        Some(Self { gap, ..self })
    }

    /// The column of a byte's digits; before it stands a blank or a bracket, and one blank more before every eighth.
    pub(super) const fn digits(&self, at: usize) -> usize {
        self.offset + 1 + at * (self.byte + 1) + at / 8
    }

    /// The column of the first character.
    pub(super) const fn characters(&self) -> usize {
        self.digits(self.per_row - 1) + self.byte + self.gap
    }

    /// Which byte of its row stands under a column, with its digits or its character.
    pub(super) fn at(&self, x: usize) -> Option<usize> {
        let in_digits = |&at: &usize| (self.digits(at)..self.digits(at) + self.byte).contains(&x);
        let in_characters = || x.checked_sub(self.characters()).filter(|&at| at < self.per_row);
        (0..self.per_row).find(in_digits).or_else(in_characters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_as_wide_as_they_are_drawn() {
        let row = "0010 78 9b 34 ca f5 4f 2e 22 x·4··O.\"";
        let dump = Dump::new(8, 0x1000, false, false);
        assert_eq!(dump.width(), row.chars().count());
        assert_eq!((dump.digits(0), dump.characters()), (5, 29));
        assert_eq!((dump.within(36), dump.within(37).map(|dump| dump.gap)), (None, Some(1)));
        let wide = dump.within(38).unwrap();
        assert_eq!(
            [5, 6, 7, 8, 26, 30, 37, 38].map(|x| wide.at(x)),
            [Some(0), Some(0), None, Some(1), Some(7), Some(0), Some(7), None]
        );
    }

    #[test]
    fn offsets_have_the_digits_they_need() {
        let digits = |len, decimal| Dump::new(16, len, decimal, false).offset;
        assert_eq!([0, 0xffff, 0x1_0000, u64::MAX].map(|len| digits(len, false)), [4, 4, 5, 16]);
        assert_eq!([0, 9999, 10_000, u64::MAX].map(|len| digits(len, true)), [4, 4, 5, 20]);
    }
}
