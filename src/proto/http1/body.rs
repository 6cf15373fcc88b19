//! Bodies: how long they are, and where in them the stream stands (RFC 9112 §6, §7.1).

use crate::model::{Head, StartLine};

/// What of a body is still to come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// This many bytes.
    Length(u64),
    /// Chunks.
    Chunked(Chunk),
    /// Everything until the connection ends.
    UntilEnd,
}

/// Where in a chunked body the stream stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// In the line with the size; false once its digits are over.
    Size { size: u64, digits: bool },
    /// In a chunk's data and the line end behind it.
    Data(u64),
    /// In the trailers: bytes of the current line.
    Trailer(u64),
}

/// Bytes of the line end behind a chunk's data.
const LINE_END: u64 = 2;

impl Body {
    /// The body that follows a head; `None` when there is none. `bodiless` says that the request forbids one (HEAD, or CONNECT with 2xx).
    pub(super) fn of(head: &Head, bodiless: bool) -> Option<Self> {
        let response = match head.start {
            StartLine::Response { status, .. } => {
                if bodiless || matches!(status, 100..=199 | 204 | 304) {
                    return None;
                }
                true
            }
            StartLine::Request { .. } => false,
        };
        if head.list("transfer-encoding").last().is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return Some(Self::Chunked(Chunk::Size { size: 0, digits: true }));
        }
        match head.list("content-length").next().map(str::parse) {
            Some(Ok(0)) => None,
            Some(Ok(len)) => Some(Self::Length(len)),
            _ if response => Some(Self::UntilEnd),
            _ => None,
        }
    }

    /// Passes over the body's part of `bytes`, and shows its content: how many bytes that was, and whether the body is over.
    pub(super) fn read(&mut self, bytes: &[u8], mut content: impl FnMut(&[u8])) -> (usize, bool) {
        match self {
            Self::UntilEnd => {
                content(bytes);
                (bytes.len(), false)
            }
            Self::Length(left) => {
                let used = take(left, bytes.len());
                content(bytes.get(..used).unwrap_or_default());
                (used, *left == 0)
            }
            Self::Chunked(chunk) => {
                let mut used = 0;
                while let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty()) {
                    let (n, over) = chunk.read(rest, &mut content);
                    used += n;
                    if over {
                        return (used, true);
                    }
                }
                (used, false)
            }
        }
    }

    /// Passes over lost bytes; false when the place in the stream is lost with them.
    pub(super) fn lose(&mut self, len: u64) -> bool {
        match self {
            Self::UntilEnd => true,
            Self::Length(left) | Self::Chunked(Chunk::Data(left)) if *left > len => {
                *left -= len;
                true
            }
            _ => false,
        }
    }
}

impl Chunk {
    fn read(&mut self, bytes: &[u8], content: &mut impl FnMut(&[u8])) -> (usize, bool) {
        match self {
            Self::Data(left) => {
                let mut own = left.saturating_sub(LINE_END);
                content(bytes.get(..take(&mut own, bytes.len())).unwrap_or_default());
                let used = take(left, bytes.len());
                if *left == 0 {
                    *self = Self::Size { size: 0, digits: true };
                }
                (used, false)
            }
            Self::Size { size, digits } => {
                let Some(&byte) = bytes.first() else { return (0, false) };
                match char::from(byte).to_digit(16) {
                    Some(digit) if *digits => *size = size.saturating_mul(16).saturating_add(u64::from(digit)),
                    _ if byte == b'\n' => {
                        *self = if *size == 0 { Self::Trailer(0) } else { Self::Data(size.saturating_add(LINE_END)) };
                    }
                    _ => *digits = false,
                }
                (1, false)
            }
            Self::Trailer(line) => {
                let Some(&byte) = bytes.first() else { return (0, false) };
                match byte {
                    b'\n' if *line == 0 => return (1, true),
                    b'\n' => *line = 0,
                    b'\r' => {}
                    _ => *line += 1,
                }
                (1, false)
            }
        }
    }
}

/// Takes as much of `left` as `available` allows.
fn take(left: &mut u64, available: usize) -> usize {
    let n = usize::try_from(*left).unwrap_or(usize::MAX).min(available);
    *left -= n as u64;
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_end_where_they_end() {
        let bytes = b"4\r\nWiki\r\n6;x=y\r\npedia \r\n0\r\nTrailer: x\r\n\r\nNEXT";
        for step in 1..bytes.len() {
            let mut body = Body::Chunked(Chunk::Size { size: 0, digits: true });
            let mut at = 0;
            let mut content = Vec::new();
            loop {
                let end = (at + step).min(bytes.len());
                let (used, over) = body.read(&bytes[at..end], |own| content.extend_from_slice(own));
                at += used;
                if over {
                    break;
                }
                assert!(used > 0, "step {step}");
            }
            assert_eq!(&bytes[at..], b"NEXT", "step {step}");
            assert_eq!(content, b"Wikipedia ", "step {step}");
        }
    }

    #[test]
    fn a_hole_inside_is_passed_over() {
        let mut body = Body::Length(10);
        assert!(body.lose(9) && !body.lose(1));
        assert!(!Body::Chunked(Chunk::Trailer(0)).lose(1));
    }
}
