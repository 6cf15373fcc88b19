//! HTTP/2 as the other floors speak of it (RFC 9113): how it begins, streams and error codes.

use std::fmt;

/// What a client sends first (RFC 9113 §3.4).
pub const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a frame's head (RFC 9113 §4.1).
pub const H2_HEAD: usize = 9;

/// A stream of an HTTP/2 connection (RFC 9113 §5.1.1): odd where the client opened it, 0 for the connection itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StreamId(pub u32);

impl StreamId {
    /// The connection itself.
    pub const CONNECTION: Self = Self(0);

    /// Whether a client opens such streams.
    pub const fn is_clients(self) -> bool {
        self.0 % 2 == 1
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a stream or a connection was ended (RFC 9113 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct H2Error(pub u32);

/// Each code with its name, and what it says.
const H2_ERRORS: [(&str, &str); 14] = [
    ("NO_ERROR", "no error"),
    ("PROTOCOL_ERROR", "the peer broke the protocol"),
    ("INTERNAL_ERROR", "an internal error"),
    ("FLOW_CONTROL_ERROR", "the peer sent more than its window allows"),
    ("SETTINGS_TIMEOUT", "settings were not acknowledged in time"),
    ("STREAM_CLOSED", "a frame came for a stream that is closed"),
    ("FRAME_SIZE_ERROR", "a frame has a wrong size"),
    ("REFUSED_STREAM", "the stream was not processed and may be tried again"),
    ("CANCEL", "the stream is not needed any more"),
    ("COMPRESSION_ERROR", "a header block could not be decoded"),
    ("CONNECT_ERROR", "the connection behind a CONNECT was reset or failed"),
    ("ENHANCE_YOUR_CALM", "the peer asks for too much"),
    ("INADEQUATE_SECURITY", "the transport is not secure enough"),
    ("HTTP_1_1_REQUIRED", "HTTP/1.1 is required"),
];

impl H2Error {
    /// The end of something that went well.
    pub const NO_ERROR: Self = Self(0);

    fn row(self) -> Option<&'static (&'static str, &'static str)> {
        H2_ERRORS.get(usize::try_from(self.0).ok()?)
    }
}

impl fmt::Display for H2Error {
    /// `CANCEL (the stream is not needed any more)`; `error 0x2a` of what has no name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some((name, words)) => write!(f, "{name} ({words})"),
            None => write!(f, "error {:#x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::H2Error;

    #[test]
    fn codes_are_said_in_words() {
        let words = |code| H2Error(code).to_string();
        assert_eq!(words(8), "CANCEL (the stream is not needed any more)");
        assert_eq!(words(13), "HTTP_1_1_REQUIRED (HTTP/1.1 is required)");
        assert_eq!(words(0x2a), "error 0x2a");
    }
}
