//! Lines as the elements of a JSON array.

use std::io::{self, Write};

/// What is written last, behind the lines.
pub(super) const END: &str = "]\n";

/// Puts `[` before the first line and a comma between lines; [`END`] is a line of its own that ends the array.
#[derive(Debug)]
pub(super) struct Array<W> {
    to: W,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was written.
    Begin,
    /// Within a line; within the first, or behind others.
    Within,
    /// Between two lines.
    Between,
    /// Behind the end.
    End,
}

impl<W: Write> Array<W> {
    /// An array that goes to `to`.
    pub(super) const fn new(to: W) -> Self {
        Self { to, state: State::Begin }
    }

    /// A line begins with this byte.
    fn begin(&mut self, first: u8) -> io::Result<()> {
        let before: &[u8] = match (self.state, first) {
            (State::Begin, _) => b"[\n",
            (_, b']') => b"\n",
            _ => b",\n",
        };
        self.state = if first == b']' { State::End } else { State::Within };
        self.to.write_all(before)
    }
}

impl<W: Write> Write for Array<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            if matches!(self.state, State::Begin | State::Between) {
                self.begin(first)?;
            }
            let end = if self.state == State::End { None } else { memchr::memchr(b'\n', rest) };
            let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
            self.to.write_all(line)?;
            rest = after.get(1..).unwrap_or_default();
            if end.is_some() {
                self.state = State::Between;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn array(text: &str, cuts: &[usize]) -> String {
        let mut out = Vec::new();
        let mut array = Array::new(&mut out);
        let mut rest = text.as_bytes();
        for &cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            array.write_all(piece).unwrap();
            rest = after;
        }
        array.write_all(rest).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_become_elements() {
        assert_eq!(array("]\n", &[]), "[\n]\n");
        assert_eq!(array("{}\n]\n", &[]), "[\n{}\n]\n");
        assert_eq!(array("{\"a\":1}\n{}\n]\n", &[]), "[\n{\"a\":1},\n{}\n]\n");
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_lines_come(cuts in prop::collection::vec(0..9_usize, 0..12)) {
            let text = "{\"a\":[1]}\n{}\n{\"b\":\"]\"}\n]\n";
            prop_assert_eq!(array(text, &cuts), array(text, &[]));
        }
    }
}
