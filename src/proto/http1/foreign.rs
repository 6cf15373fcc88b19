//! An answer to an upgrade request that is no HTTP: what it looks like.

use crate::model::{Check, NoteCode, TlsAlert, hex_apart};

/// How an answer of HTTP/1.x begins (RFC 9112 §4).
pub(super) const HTTP: &[u8] = b"HTTP/";
/// Bytes of a text that are kept, and of anything else.
const TEXT: usize = 120;
const OTHER: usize = 16;
/// A TLS record with an alert (RFC 8446 §5.1, §6): its head, the level and what it is about.
const ALERT: usize = 7;
/// The head of an HTTP/2 frame (RFC 9113 §4.1).
const HTTP2_HEAD: usize = 9;

/// The first bytes of such an answer, until they tell what it is.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    bytes: Vec<u8>,
}

impl Foreign {
    /// Begins with these bytes.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut foreign = Self::default();
        foreign.push(bytes);
        foreign
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let bytes = if self.bytes.is_empty() { bytes.trim_ascii_start() } else { bytes };
        let room = TEXT - self.bytes.len();
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// Whether nothing that follows can change what is said of it.
    pub(super) fn is_told(&self) -> bool {
        match self.bytes.as_slice() {
            [] => false,
            bytes if is_tls(bytes) => bytes.len() >= ALERT,
            bytes if is_text(bytes) => bytes.len() >= TEXT || bytes.contains(&b'\n'),
            bytes => bytes.len() >= OTHER,
        }
    }

    /// What it is, as a finding.
    pub(super) fn check(&self) -> Check {
        let bytes = self.bytes.as_slice();
        if is_tls(bytes) {
            return Check { code: NoteCode::HsTlsPort, ok: false, detail: format!("answer: {}", tls(bytes)) };
        }
        let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii();
        let first = bytes.get(..OTHER).unwrap_or(bytes);
        let detail = match (http2(bytes), websocket(bytes)) {
            (Some(frame), _) => format!("answer: an HTTP/2 frame ({frame})"),
            (None, true) => format!("answer: what looks like a WebSocket frame ({})", hex_apart(first)),
            (None, false) if is_text(line) && !line.is_empty() => {
                format!("answer: {}\"{}\"", service(line), String::from_utf8_lossy(line))
            }
            (None, false) => format!("answer: {}{}", binary_service(bytes), hex_apart(first)),
        };
        Check { code: NoteCode::HsNotHttp, ok: false, detail }
    }
}

/// UTF-8 without control characters, but for one that is cut at the end.
fn is_text(bytes: &[u8]) -> bool {
    let printable = |&byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n') || byte >= b' ' && byte != 0x7f;
    bytes.iter().all(printable) && std::str::from_utf8(bytes).err().is_none_or(|error| error.error_len().is_none())
}

/// A record of TLS with an alert or a part of the handshake.
fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x15 | 0x16] | [0x15 | 0x16, 3, ..])
}

fn tls(bytes: &[u8]) -> String {
    match bytes {
        [0x15, _, _, _, _, level, about, ..] => {
            let level = if *level == 2 { "fatal" } else { "warning" };
            match TlsAlert(*about).name() {
                None => format!("a TLS alert ({level}, {about})"),
                Some(name) => format!("a TLS alert ({level}, {name})"),
            }
        }
        [0x15, ..] => "a TLS alert".to_owned(),
        _ => "a record of a TLS handshake".to_owned(),
    }
}

/// The frames that a server of HTTP/2 may begin with, all on stream 0: `length (24) type (8) flags (8) stream (32)`.
fn http2(bytes: &[u8]) -> Option<&'static str> {
    let &[a, b, c, kind, flags, 0, 0, 0, 0, ..] = bytes.get(..HTTP2_HEAD)? else { return None };
    let len = u32::from_be_bytes([0, a, b, c]);
    match kind {
        4 if flags <= 1 && len.is_multiple_of(6) => Some("SETTINGS"),
        7 if len >= 8 => Some("GOAWAY"),
        _ => None,
    }
}

/// A frame that is neither masked nor compressed, of a text, data, a close or a ping.
fn websocket(bytes: &[u8]) -> bool {
    matches!(bytes, [0x81 | 0x82 | 0x88 | 0x89, len, ..] if *len < 0x80)
}

/// Services that greet in words, by how these begin.
const GREETINGS: [(&[u8], &str); 12] = [
    (b"SSH-", "SSH, "),
    (b"RFB ", "VNC, "),
    (b"RTSP/", "RTSP, "),
    (b"SIP/", "SIP, "),
    (b"ICY ", "Shoutcast, "),
    (b"220 ", "FTP or SMTP, "),
    (b"220-", "FTP or SMTP, "),
    (b"+OK", "POP3 or Redis, "),
    (b"-ERR", "Redis or POP3, "),
    (b"* OK", "IMAP, "),
    (b"@RSYNCD", "rsync, "),
    (b"<", "a page or XML without a head, "),
];

fn service(line: &[u8]) -> &'static str {
    GREETINGS.iter().find(|(start, _)| line.starts_with(start)).map_or("", |(_, name)| name)
}

fn binary_service(bytes: &[u8]) -> &'static str {
    match bytes {
        [_, _, 0, 0, 10, b'0'..=b'9', ..] => "MySQL, ",
        [b'A', b'M', b'Q', b'P', ..] => "AMQP, ",
        [0xff, 0xfb..=0xfe, ..] => "Telnet, ",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of an answer, however it is cut, and how many of its bytes that takes.
    fn told(bytes: &[u8]) -> (String, Option<usize>) {
        let mut foreign = Foreign::default();
        let mut enough = None;
        for (at, byte) in bytes.iter().enumerate() {
            if enough.is_none() {
                foreign.push(&[*byte]);
                enough = foreign.is_told().then_some(at + 1);
            }
        }
        let mut whole = Foreign::default();
        whole.push(bytes);
        assert_eq!(whole.check(), foreign.check(), "{bytes:x?}");
        let Check { code, detail, .. } = foreign.check();
        (format!("{code} {}", detail.strip_prefix("answer: ").unwrap()), enough)
    }

    #[test]
    fn names_what_answers() {
        for (bytes, what, enough) in [
            (&b"\x15\x03\x01\0\x02\x02\x0a"[..], "HS-TLS-PORT a TLS alert (fatal, unexpected_message)", Some(7)),
            (b"\x15\x03\x01\0", "HS-TLS-PORT a TLS alert", None),
            (b"\x16\x03\x03\0\x50\x02\0", "HS-TLS-PORT a record of a TLS handshake", Some(7)),
            (b"SSH-2.0-OpenSSH_9.6\r\nmore", "HS-NOT-HTTP SSH, \"SSH-2.0-OpenSSH_9.6\"", Some(21)),
            (b"SSH-2.0", "HS-NOT-HTTP SSH, \"SSH-2.0\"", None),
            (b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64more", "HS-NOT-HTTP an HTTP/2 frame (SETTINGS)", Some(16)),
            (b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01", "HS-NOT-HTTP an HTTP/2 frame (GOAWAY)", Some(16)),
            (b"\x81\x05hello", "HS-NOT-HTTP what looks like a WebSocket frame (81 05 68 65 6c 6c 6f)", None),
            (b"J\0\0\0\x0a8.0.3\0x", "HS-NOT-HTTP MySQL, 4a 00 00 00 0a 38 2e 30 2e 33 00 78", None),
            (b"hello\n", "HS-NOT-HTTP \"hello\"", Some(6)),
            (b"\0", "HS-NOT-HTTP 00", None),
        ] {
            assert_eq!(told(bytes), (what.to_owned(), enough), "{bytes:x?}");
        }
    }
}
