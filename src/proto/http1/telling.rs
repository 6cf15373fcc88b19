//! The headers that decide about an upgrade, which are found in heads that are too large to be kept.

/// Bytes of a line that are kept where only such headers are.
const LINE: usize = 4 << 10;
/// Bytes of such lines.
const LINES: usize = 32 << 10;

/// Names of the headers without which a head is read wrong, or an upgrade not at all; `sec-websocket-…` are among them.
const NAMES: [&[u8]; 10] = [
    b"connection",
    b"content-length",
    b"host",
    b"http2-settings",
    b"location",
    b"origin",
    b"transfer-encoding",
    b"upgrade",
    b"websocket-location",
    b"websocket-origin",
];

/// Whether a header of this name decides about an upgrade, or about where a message ends (RFC 6455 §4, RFC 9112 §6).
pub(super) fn is_telling(name: &[u8]) -> bool {
    const PREFIX: &[u8] = b"sec-websocket-";
    let name = name.trim_ascii();
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
        || NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// What of a head comes behind the bytes that are kept: its telling lines.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// The line at hand, as far as it is kept.
    line: Vec<u8>,
    lines: Vec<u8>,
    /// The line whose beginning was kept before ended, and whether it is among them.
    first: Option<bool>,
}

impl Telling {
    /// Goes on from `cut`, the kept beginning of the line at hand.
    pub(super) fn new(cut: &[u8]) -> Self {
        Self { line: cut.get(..cut.len().min(LINE)).unwrap_or_default().to_vec(), ..Self::default() }
    }

    /// Takes what follows.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let room = LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(piece.get(..piece.len().min(room)).unwrap_or_default());
            if piece.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let name = self.line.split(|&byte| byte == b':').next().unwrap_or_default();
        let tells = is_telling(name) && self.lines.len() + self.line.len() <= LINES;
        self.first.get_or_insert(tells);
        if tells {
            self.lines.extend_from_slice(self.line.trim_ascii_end());
            self.lines.push(b'\n');
        }
        self.line.clear();
    }

    /// The head that begins with what was `kept`, as far as it tells something.
    pub(super) fn behind(&self, kept: &[u8]) -> Vec<u8> {
        let lines =
            if self.first == Some(true) { memchr::memrchr(b'\n', kept).and_then(|at| kept.get(..at)) } else { None };
        let lines = lines.unwrap_or(kept);
        [lines.strip_suffix(b"\n").unwrap_or(lines), b"\n", &self.lines].concat()
    }
}
