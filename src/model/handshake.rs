//! The opening handshake (RFC 6455 §4, RFC 8441), or its request alone.

use super::mark::{Mark, Span};
use super::note::{NoteCode, Topic};
use std::borrow::Cow;

/// The first line of an HTTP/1.1 head (RFC 9112 §3, §4); text that is not UTF-8 is taken as Latin-1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartLine {
    /// `GET /chat HTTP/1.1`.
    Request {
        /// `GET`.
        method: String,
        /// `/chat`.
        target: String,
        /// `HTTP/1.1`.
        version: String,
    },
    /// `HTTP/1.1 101 Switching Protocols`.
    Response {
        /// `HTTP/1.1`.
        version: String,
        /// `101`.
        status: u16,
        /// `Switching Protocols`.
        reason: String,
    },
}

/// What stands for the version in heads of HTTP/2, which say none.
pub const HTTP2: &str = "HTTP/2";

/// A head as it was sent, of HTTP/1.1 or HTTP/2. In HTTP/2 a request has method and path in its pseudo-headers (RFC 9113 §8.3),
/// which stand among the others; a response has no reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The request or status line.
    pub start: StartLine,
    /// Names and values in the order and case in which they were sent, a name with the blank before its colon where there was one;
    /// folded lines joined by a blank.
    pub headers: Vec<(String, String)>,
    /// Where in the direction's stream its first byte stands: of HTTP/2, that of its HEADERS frame.
    pub stream_offset: u64,
    /// Its length in bytes, the empty line included; of HTTP/2, that of all frames from HEADERS to the last CONTINUATION.
    pub len: u64,
    /// Packets with its first and its last byte.
    pub span: Span,
    /// No part of it is lost: what it does not say, it did not say.
    pub whole: bool,
}

impl Head {
    /// The stream offset behind its last byte.
    pub const fn end(&self) -> u64 {
        self.stream_offset.saturating_add(self.len)
    }

    /// The values of all headers of that name, whatever its case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let is_named = move |own: &str| own.trim_ascii_end().eq_ignore_ascii_case(name);
        self.headers.iter().filter(move |(own, _)| is_named(own)).map(|(_, value)| value.as_str())
    }

    /// Nanoseconds since the request that it answers. Of what was known later than it came, because it waited for a key, the packets
    /// that brought the first bytes count.
    pub fn latency(&self, request: &Self) -> Option<i64> {
        let waited = request.span.last.packet >= self.span.last.packet;
        if waited { self.span.first.since(request.span.first) } else { self.span.last.since(request.span.last) }
    }

    /// The value of the first header of that name.
    pub fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.values(name).next()
    }

    /// The members of a comma-separated list header, over all its lines, blanks trimmed, empty ones dropped; commas in quoted strings do not separate (RFC 9110 §5.6).
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values(name).flat_map(|value| unquoted_parts(value, ',')).filter(|member| !member.is_empty())
    }

    /// Whether a list header has the token, whatever its case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.list(name).any(|member| member.eq_ignore_ascii_case(token))
    }

    /// Whether it is a head of HTTP/2 (RFC 9113 §8.3): its pseudo-headers stand among its headers.
    pub fn is_h2(&self) -> bool {
        let (StartLine::Request { version, .. } | StartLine::Response { version, .. }) = &self.start;
        version == HTTP2
    }

    /// The host, and port if need be, that a request is for: `Host`, or `:authority`, which goes before it (RFC 9113 §8.3.1).
    pub fn authority(&self) -> Option<&str> {
        self.value(":authority").or_else(|| self.value("host")).filter(|host| !host.is_empty())
    }

    /// The status of a response.
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            StartLine::Response { status, .. } => Some(status),
            StartLine::Request { .. } => None,
        }
    }
}

/// The parts of a text between separators that stand outside quoted strings (RFC 9110 §5.6.4), blanks trimmed.
fn unquoted_parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    let parts = text.split(move |c| {
        let separates = c == separator && !quoted;
        (quoted, escaped) = match c {
            _ if escaped => (quoted, false),
            '\\' if quoted => (quoted, true),
            '"' => (!quoted, false),
            _ => (quoted, false),
        };
        separates
    });
    parts.map(str::trim)
}

/// An extension as offered or accepted (RFC 6455 §9.1): `name; parameter; parameter=value; parameter="value"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its parameters in order, with their values, quotes taken off.
    pub parameters: Vec<(&'a str, Option<Cow<'a, str>>)>,
}

impl<'a> Extension<'a> {
    /// Reads a member of `Sec-WebSocket-Extensions`.
    pub fn parse(text: &'a str) -> Self {
        let mut parts = unquoted_parts(text, ';');
        let name = parts.next().unwrap_or_default();
        let parameters = parts.filter(|part| !part.is_empty()).map(|part| match part.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(unquoted(value.trim_start()))),
            None => (part, None),
        });
        Self { name, parameters: parameters.collect() }
    }

    /// Whether it is the extension of that name, whatever the case.
    pub const fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it has the parameter, with a value or without.
    pub fn has(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|(name, _)| name.eq_ignore_ascii_case(parameter))
    }
}

/// A value without the quotes around it and the backslashes in it.
fn unquoted(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(value);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut escaped = false;
    let kept = inner.chars().filter(|&c| {
        escaped = c == '\\' && !escaped;
        !escaped
    });
    Cow::Owned(kept.collect())
}

/// One rule of the handshake and whether it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The rule, by the finding that its breach is.
    pub code: NoteCode,
    /// Whether it was kept.
    pub ok: bool,
    /// What was seen, in words.
    pub detail: String,
}

/// A request to open a WebSocket and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handshake {
    /// The request's head.
    pub request: Option<Head>,
    /// The head of the final answer; informational ones (1xx but 101) are passed over.
    pub response: Option<Head>,
    /// `ws://host/path`, when a request was captured.
    pub url: Option<String>,
    /// The server agreed (101, over HTTP/2 2xx), whatever its faults; `None` when no answer was captured.
    pub accepted: Option<bool>,
    /// `Sec-WebSocket-Key`.
    pub key: Option<String>,
    /// `Sec-WebSocket-Accept`.
    pub accept: Option<String>,
    /// The accept value that RFC 6455 §4.2.2 demands for the key.
    pub accept_expected: Option<String>,
    /// Subprotocols offered by the client, in order; `None` when the request was not captured.
    pub subprotocols_offered: Option<Vec<String>>,
    /// The subprotocol that the server chose.
    pub subprotocol: Option<String>,
    /// Extensions offered, with their parameters as sent; `None` when the request was not captured.
    pub extensions_offered: Option<Vec<String>>,
    /// Extensions accepted, with their parameters as sent; `None` when the answer was not captured.
    pub extensions: Option<Vec<String>>,
    /// The rules, each kept or broken.
    pub checks: Vec<Check>,
    /// Nanoseconds from the end of the request's head to the end of the answer's.
    pub latency: Option<i64>,
}

/// What a row of a list shows of a handshake: how it went and what was agreed. Small, since there may be very many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The packet that ended the request, if it was captured.
    pub asked: Option<Mark>,
    /// The packet that ended the answer, if it was captured.
    pub answered: Option<Mark>,
    /// Why no WebSocket came of it.
    pub refusal: Option<NoteCode>,
    /// The answer's status.
    pub status: Option<u16>,
    /// The words behind the status of a refusal.
    pub reason: Box<str>,
    /// See [`Handshake::accepted`].
    pub accepted: Option<bool>,
    /// See [`Handshake::elsewhere`].
    pub elsewhere: Option<Box<str>>,
    /// The subprotocol that the server chose.
    pub subprotocol: Option<Box<str>>,
    /// Extensions accepted, with their parameters as sent; `None` when the answer was not captured.
    pub extensions: Option<Box<[String]>>,
}

impl Outline {
    /// The extensions accepted; none when the answer was not captured.
    pub fn extensions(&self) -> &[String] {
        self.extensions.as_deref().unwrap_or_default()
    }

    /// Whether the server answered otherwise than with a switch to WebSocket.
    pub fn is_refused(&self) -> bool {
        self.accepted == Some(false) || self.refusal.is_some_and(|code| code != NoteCode::HsNoAnswer)
    }
}

/// Extensions whose meaning is known: what they make of frames is undone.
const KNOWN_EXTENSIONS: [&str; 4] = ["permessage-deflate", "deflate-frame", "x-webkit-deflate-frame", "deflate-stream"];

impl Handshake {
    /// Whether both heads are there, as far as they were captured, with all that they say.
    pub fn is_whole(&self) -> bool {
        [&self.request, &self.response].into_iter().flatten().all(|head| head.whole)
    }

    /// The names of the extensions agreed on that are not known.
    pub fn unknown_extensions(&self) -> impl Iterator<Item = &str> {
        let names = self.extensions.iter().flatten().filter_map(|extension| extension.split(';').next());
        names.map(str::trim).filter(|name| !KNOWN_EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(name)))
    }

    /// What a row of a list shows of it.
    pub fn outline(&self) -> Outline {
        let reason = match self.response.as_ref().map(|head| &head.start) {
            Some(StartLine::Response { reason, .. }) if self.refusal().is_some() => reason.as_str(),
            _ => "",
        };
        Outline {
            asked: self.request.as_ref().map(|head| head.span.last),
            answered: self.response.as_ref().map(|head| head.span.last),
            refusal: self.refusal().map(|check| check.code),
            status: self.status(),
            reason: reason.into(),
            accepted: self.accepted,
            elsewhere: self.elsewhere().map(Into::into),
            subprotocol: self.subprotocol.as_deref().map(Into::into),
            extensions: self.extensions.as_deref().map(Into::into),
        }
    }

    /// The answer's status.
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref()?.status()
    }

    /// What the server switched to with its 101, where that is not WebSocket: the `Upgrade` of its answer.
    pub fn elsewhere(&self) -> Option<&str> {
        let refusal = self.refusal().filter(|check| check.code == NoteCode::HsOtherProtocol);
        refusal.and(self.response.as_ref()?.value("upgrade"))
    }

    /// Why no WebSocket came of it; `None` when one did.
    pub fn refusal(&self) -> Option<&Check> {
        self.checks.iter().find(|check| !check.ok && check.code.row().topic == Topic::Refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::Extension;

    #[test]
    fn extensions_are_read_as_they_are_meant() {
        let parameters = |text| {
            let all = Extension::parse(text).parameters;
            all.into_iter().map(|(name, value)| format!("{name}:{}", value.unwrap_or("-".into()))).collect::<Vec<_>>()
        };
        assert!(Extension::parse(" Permessage-Deflate ").is("permessage-deflate"));
        assert_eq!(parameters("x; a ; b = 7;; c"), ["a:-", "b:7", "c:-"]);
        assert_eq!(parameters(r##"x; a="1;2"; b="say \"\\"; c="""##), ["a:1;2", r#"b:say "\"#, "c:"]);
    }
}
