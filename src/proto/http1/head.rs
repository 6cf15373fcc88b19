//! Heads: finding their end, and reading them without rejecting anything that can be shown.

use super::telling::{Telling, is_telling};
use crate::carry::Carry;
use crate::model::{Head, Limits, Mark, Span, StartLine};
use crate::proto::handshake::text;

/// Collects a head that may come in pieces, remembering how far it was searched.
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    carry: Carry,
    /// Bytes of the head so far; more than are carried once the limit is reached.
    seen: u64,
    /// The last bytes seen, oldest first, to find an end that lies across two pieces.
    tail: [u8; 3],
    /// What is kept once the limit is reached.
    telling: Option<Box<Telling>>,
}

/// What a piece did to the head.
#[derive(Debug)]
pub(super) enum Step {
    /// It is not complete; everything was taken.
    More,
    /// It is complete; this many bytes of the piece belong to it. `None` when its first line makes no sense.
    Done(Option<Head>, usize),
    /// Its end does not come.
    TooLong,
}

impl HeadReader {
    /// Whether nothing of a head was read yet.
    pub(super) const fn is_fresh(&self) -> bool {
        self.seen == 0
    }

    /// How many bytes of a head were read.
    pub(super) const fn seen(&self) -> u64 {
        self.seen
    }

    /// Whether what was read so far, with a piece more, begins like `start`; blank lines before it do not count.
    pub(super) fn may_begin(&self, start: &[u8], piece: &[u8]) -> bool {
        let read = self.carry.bytes();
        let blank = |&&byte: &&u8| read.is_empty() && matches!(byte, b'\r' | b'\n');
        read.iter().chain(piece.iter().skip_while(blank)).zip(start).all(|(a, b)| a == b)
    }

    /// The bytes read so far, which are no head.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let Self { carry, .. } = std::mem::take(self);
        carry.bytes().to_vec()
    }

    /// Takes a piece that begins at `offset`, in the packet `brought`.
    pub(super) fn push(&mut self, bytes: &[u8], offset: u64, brought: Mark, limits: &Limits) -> Step {
        let blank = if self.seen == 0 { bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count() } else { 0 };
        let piece = bytes.get(blank..).unwrap_or_default();
        if piece.is_empty() {
            return Step::More;
        }
        let Some(used) = self.end_in(piece) else {
            self.keep(piece, offset + blank as u64, brought, limits);
            return if self.seen > limits.head_end as u64 { Step::TooLong } else { Step::More };
        };
        let own = piece.get(..used).unwrap_or(piece);
        let head = if self.carry.is_empty() {
            let span = Span { first: brought, last: brought };
            parse(own, limits).map(|(start, headers)| (start, headers, offset + blank as u64, span))
        } else {
            self.keep(own, offset, brought, limits);
            let (at, first) = self.carry.start().unwrap_or((offset, brought));
            let head = self.carry.bytes();
            let parsed = match &self.telling {
                None => parse(head, limits),
                Some(telling) => parse(&telling.behind(head), limits),
            };
            parsed.map(|(start, headers)| (start, headers, at, Span { first, last: brought }))
        };
        let len = if self.carry.is_empty() { own.len() as u64 } else { self.seen };
        let head = head.map(|(start, headers, stream_offset, span)| Head {
            start,
            headers,
            stream_offset,
            len,
            span,
            whole: true,
        });
        self.carry.clear();
        self.seen = 0;
        self.tail = [0; 3];
        self.telling = None;
        Step::Done(head, blank + used)
    }

    /// The next bytes are lost: what came of the head, its last line only if that is the first and tells something.
    pub(super) fn cut(&mut self, mark: Mark, limits: &Limits) -> Option<Head> {
        let Self { carry, seen: len, .. } = std::mem::take(self);
        let (stream_offset, first) = carry.start()?;
        let bytes = carry.bytes();
        let ended = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        let lines = if ended > 0 { bytes.get(..ended)? } else { bytes };
        let (start, headers) = parse(lines, limits)?;
        let tells = match &start {
            StartLine::Request { target, .. } => ended > 0 || target.starts_with('/'),
            StartLine::Response { status, .. } => ended > 0 || *status >= 100,
        };
        let span = Span { first, last: mark };
        tells.then_some(Head { start, headers, stream_offset, len, span, whole: false })
    }

    fn keep(&mut self, piece: &[u8], offset: u64, brought: Mark, limits: &Limits) {
        let room = limits.head_bytes.saturating_sub(self.carry.bytes().len());
        let (now, over) = piece.split_at_checked(room).unwrap_or((piece, &[]));
        self.carry.push(now, offset, brought);
        if !over.is_empty() {
            let kept = self.carry.bytes();
            let cut = memchr::memrchr(b'\n', kept).and_then(|at| kept.get(at + 1..)).unwrap_or(kept);
            self.telling.get_or_insert_with(|| Box::new(Telling::new(cut))).push(over);
        }
        self.seen += piece.len() as u64;
        for &byte in piece.get(piece.len().saturating_sub(3)..).unwrap_or_default() {
            let [_, b, c] = self.tail;
            self.tail = [b, c, byte];
        }
    }

    /// Where in the piece the head ends: behind an empty line, which a bare line feed ends as well (RFC 9112 §2.2).
    fn end_in(&self, piece: &[u8]) -> Option<usize> {
        let [a, b, c] = self.tail;
        match *piece {
            [x, ..] if is_end(&[a, b, c, x]) => return Some(1),
            [x, y, ..] if is_end(&[b, c, x, y]) => return Some(2),
            _ => {}
        }
        memchr::memchr_iter(b'\n', piece)
            .map(|at| at + 1)
            .find(|&used| used > 2 && is_end(piece.get(..used).unwrap_or_default()))
    }
}

fn is_end(bytes: &[u8]) -> bool {
    matches!(bytes, [.., b'\n', b'\n'] | [.., b'\n', b'\r', b'\n'])
}

type Headers = Vec<(String, String)>;

/// Reads a whole head. Folded lines are joined by a blank (RFC 9112 §5.2), lines without a colon become a name without value.
/// Of headers beyond the limit only telling ones are kept.
fn parse(bytes: &[u8], limits: &Limits) -> Option<(StartLine, Headers)> {
    let mut lines = bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let start = start_line(lines.next()?)?;
    let mut headers: Headers = Vec::new();
    let mut passed = false;
    for line in lines.take_while(|line| !line.is_empty()) {
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let room = match headers.len() {
            kept if kept < limits.head_headers => true,
            kept => kept < 2 * limits.head_headers && is_telling(name),
        };
        match headers.last_mut() {
            Some(_) if folded && passed => {}
            Some((_, value)) if folded => {
                let more = text(line.trim_ascii());
                if !value.is_empty() && !more.is_empty() {
                    value.push(' ');
                }
                value.push_str(&more);
            }
            _ => {
                passed = !room;
                if passed {
                    continue;
                }
                // A blank before the colon stays: it is a fault (RFC 9112 §5.1).
                let (name, value) = match value.strip_prefix(b":") {
                    Some(value) => (name.trim_ascii_start(), value),
                    None => (name.trim_ascii(), value),
                };
                headers.push((text(name), text(value.trim_ascii())));
            }
        }
    }
    Some((start, headers))
}

/// A request line (RFC 9112 §3) or a status line (§4).
fn start_line(line: &[u8]) -> Option<StartLine> {
    let mut words = line.splitn(3, |&byte| byte == b' ');
    let first = words.next()?;
    let second = words.next()?;
    let third = words.next().unwrap_or_default();
    if first.starts_with(b"HTTP/") {
        let status = std::str::from_utf8(second).ok()?.parse().ok()?;
        return Some(StartLine::Response { version: text(first), status, reason: text(third.trim_ascii()) });
    }
    let method = !first.is_empty() && first.iter().all(|byte| byte.is_ascii_graphic());
    (method && !second.is_empty()).then(|| StartLine::Request {
        method: text(first),
        target: text(second),
        version: text(third.trim_ascii()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> (Option<Head>, usize) {
        let mut reader = HeadReader::default();
        let mut offset = 0;
        for piece in pieces {
            match reader.push(piece, offset, Mark::default(), &Limits::DEFAULT) {
                Step::More => offset += piece.len() as u64,
                Step::Done(head, used) => return (head, usize::try_from(offset).unwrap() + used),
                Step::TooLong => panic!("too long"),
            }
        }
        panic!("no end")
    }

    #[test]
    fn any_split_gives_the_same_head() {
        let bytes = b"GET /a?b HTTP/1.1\r\nHost: x\r\nX-Fold: one\r\n  two\r\nbroken\nCaf\xe9: \xe9\r\n\r\nrest";
        let whole = read(&[bytes]);
        assert_eq!(whole.1, bytes.len() - 4);
        let head = whole.0.clone().unwrap();
        assert_eq!(head.value("x-fold"), Some("one two"));
        assert_eq!(head.value("broken"), Some(""));
        assert_eq!(head.value("Café"), Some("é"));
        for cut in 1..bytes.len() {
            let (a, b) = bytes.split_at(cut);
            let split = read(&[a, b]);
            assert_eq!(split.1, whole.1, "cut at {cut}");
            assert_eq!(split.0, whole.0, "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read(&single).0, whole.0);
    }

    #[test]
    fn bare_line_feeds_end_lines_too() {
        let (head, used) = read(&[b"\r\n\nHTTP/1.1 101\nUpgrade: websocket\n\n\x81\x00"]);
        let head = head.unwrap();
        assert_eq!(head.start, StartLine::Response { version: "HTTP/1.1".into(), status: 101, reason: String::new() });
        assert_eq!((head.value("upgrade"), head.stream_offset, used), (Some("websocket"), 3, 36));
    }

    #[test]
    fn a_huge_head_is_kept_in_part() {
        let mut reader = HeadReader::default();
        let line = format!("X: {}\r\n", "y".repeat(996));
        let mark = Mark::default();
        assert!(matches!(reader.push(b"GET / HTTP/1.1\r\n", 0, mark, &Limits::DEFAULT), Step::More));
        for i in 0..200_u64 {
            assert!(matches!(reader.push(line.as_bytes(), 16 + i * 1001, mark, &Limits::DEFAULT), Step::More));
        }
        let Step::Done(Some(head), 2) = reader.push(b"\r\n", 0, mark, &Limits::DEFAULT) else { panic!() };
        assert_eq!(head.len, 16 + 200 * 1001 + 2);
        assert!(head.headers.len() < 70);
    }

    #[test]
    fn what_tells_of_an_upgrade_is_found_behind_any_limit() {
        let telling = "Upgrade: websocket\r\nSec-WebSocket-Key: k\r\nX-Other: o\r\nCONNECTION: Upgrade\r\n\r\n";
        let many = format!("GET / HTTP/1.1\r\n{}{telling}", "X: y\r\n z\r\n".repeat(1000));
        let long = format!("GET / HTTP/1.1\r\nCookie: {}\r\n{telling}", "c".repeat(200_000));
        for (bytes, size) in [(&many, 1 << 20), (&many, 1000), (&long, 1460), (&long, 65_521)] {
            let head = read(&bytes.as_bytes().chunks(size).collect::<Vec<_>>()).0.unwrap();
            for (name, value) in [("upgrade", "websocket"), ("sec-websocket-key", "k"), ("connection", "Upgrade")] {
                assert_eq!(head.value(name), Some(value), "{size}");
            }
            assert_eq!(head.len, bytes.len() as u64);
        }
        // Where the limit falls does not matter, not even into such a header.
        for fill in 0..90 {
            let start = format!("GET / HTTP/1.1\r\nX: {}\r\n", "x".repeat(65_440 + fill));
            let bytes = format!("{start}{telling}");
            let head = read(&bytes.as_bytes().chunks(1000).collect::<Vec<_>>()).0.unwrap();
            assert_eq!(
                (head.value("upgrade"), head.value("connection")),
                (Some("websocket"), Some("Upgrade")),
                "{fill}"
            );
        }
    }
}
