//! The opening handshakes of the first drafts: Hixie-75, and the challenge of Hixie-76 that HyBi-01 to 03 kept.

use super::upgrade::url;
use crate::model::{Check, Endpoint, Handshake, Head, NoteCode, StartLine, Version, hex};
use crate::proto::handshake::doctor::shown;
use crate::proto::handshake::owned;
use md5::{Digest, Md5};

/// Bytes of the challenge behind the request's head, and of the answer behind the 101's.
const CHALLENGE: usize = 8;
const ANSWER: usize = 16;

/// Raw bytes that a head is followed by, without a word about them in it.
#[derive(Debug)]
pub(super) struct Raw {
    bytes: Vec<u8>,
    left: usize,
    /// Some were lost.
    holed: bool,
}

impl Raw {
    pub(super) const fn new(len: usize) -> Self {
        Self { bytes: Vec::new(), left: len, holed: false }
    }

    /// Takes its part of `bytes`; says how many that were.
    pub(super) fn push(&mut self, bytes: &[u8]) -> usize {
        let own = bytes.get(..self.left).unwrap_or(bytes);
        self.bytes.extend_from_slice(own);
        self.left -= own.len();
        own.len()
    }

    /// Passes over its part of a hole; says how many bytes that were.
    pub(super) fn lose(&mut self, len: u64) -> u64 {
        let own = usize::try_from(len).unwrap_or(usize::MAX).min(self.left);
        self.left -= own;
        self.holed |= own > 0;
        own as u64
    }

    pub(super) const fn is_done(&self) -> bool {
        self.left == 0
    }

    /// The bytes, if all are there.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        (self.left == 0 && !self.holed).then_some(&self.bytes)
    }
}

/// The handshake as far as the request's head tells.
pub(super) fn asked(head: Head, version: Version, server: Endpoint, scheme: &str) -> Handshake {
    let mut handshake = Handshake {
        url: Some(url(&head, server, scheme)),
        subprotocols_offered: Some(owned(head.list(&header(version, "Protocol")))),
        extensions_offered: Some(owned(head.list("sec-websocket-extensions"))),
        ..Handshake::default()
    };
    check_request(&head, version, &mut handshake.checks);
    handshake.request = Some(head);
    handshake
}

/// Adds the eight bytes behind the request's head: key and expected answer are those of the challenge, in hex.
pub(super) fn challenged(handshake: &mut Handshake, raw: &Raw) {
    let Some(head) = handshake.request.as_ref().filter(|head| Version::asked(head).has_challenge()) else { return };
    let Some(bytes) = raw.whole() else {
        if !raw.holed {
            // The keys may be well made all the same: the rule is about all of the challenge.
            handshake.checks.retain(|check| check.code != NoteCode::HsChallenge || !check.ok);
            let detail = format!("{} of the {CHALLENGE} bytes behind the request's head", raw.bytes.len());
            handshake.checks.push(Check { code: NoteCode::HsChallenge, ok: false, detail });
        }
        return;
    };
    let Some(challenge) = challenge(head, bytes) else { return };
    handshake.accept_expected = Some(hex(&Md5::digest(&challenge)));
    handshake.key = Some(hex(&challenge));
}

/// Whether an answer is that of Hixie-76, and not of a server that only knows the draft before it.
fn has_answer(head: &Head) -> bool {
    head.value("sec-websocket-location").is_some() || head.value("websocket-location").is_none()
}

/// How many raw bytes follow on a request's or an answer's head.
pub(super) fn raw_behind(head: &Head, version: Version) -> usize {
    match head.status() {
        _ if !version.has_challenge() => 0,
        None => CHALLENGE,
        Some(101) if has_answer(head) => ANSWER,
        Some(_) => 0,
    }
}

/// Adds what the answer tells; `answer` are the bytes behind its head, in hex.
pub(super) fn answered(handshake: &mut Handshake, version: Version, head: Head, answer: Option<String>) {
    handshake.accepted = Some(head.status() == Some(101));
    handshake.accept = answer;
    handshake.subprotocol = head.value(&header(version, "Protocol")).map(str::to_owned);
    handshake.extensions = Some(owned(head.list("sec-websocket-extensions")));
    handshake.latency = handshake.request.as_ref().and_then(|request| head.latency(request));
    check_response(&head, version, handshake);
    handshake.response = Some(head);
}

fn check_request(head: &Head, version: Version, checks: &mut Vec<Check>) {
    let mut check = |code, ok, detail| checks.push(Check { code, ok, detail });
    if let StartLine::Request { method, version, .. } = &head.start {
        check(NoteCode::HsMethod, method == "GET", format!("method {method}"));
        check(NoteCode::HsHttpVersion, version == "HTTP/1.1", version.clone());
    }
    check(NoteCode::HsHost, head.values("host").count() == 1, shown(head, "Host"));
    check(NoteCode::HsUpgrade, head.has_token("upgrade", "websocket"), shown(head, "Upgrade"));
    check(NoteCode::HsConnection, head.has_token("connection", "upgrade"), shown(head, "Connection"));
    if version.has_challenge() {
        let ok = ["sec-websocket-key1", "sec-websocket-key2"].iter().all(|name| number(head, name).is_some());
        let detail = format!("{}, {}", shown(head, "Sec-WebSocket-Key1"), shown(head, "Sec-WebSocket-Key2"));
        check(NoteCode::HsChallenge, ok, detail);
    }
}

fn check_response(head: &Head, version: Version, handshake: &mut Handshake) {
    let StartLine::Response { status, reason, .. } = &head.start else { return };
    let accepted = *status == 101;
    let mut found = Vec::new();
    let mut check = |code, ok, detail| found.push(Check { code, ok, detail });
    if accepted {
        check(NoteCode::HsStatus, true, format!("status {status} {reason}").trim_end().to_owned());
        let said = |name: &str| format!("answer: {}", shown(head, name));
        check(NoteCode::HsUpgrade, head.has_token("upgrade", "websocket"), said("Upgrade"));
        check(NoteCode::HsConnection, head.has_token("connection", "upgrade"), said("Connection"));
        if let Some(expected) = handshake.accept_expected.as_deref().filter(|_| version.has_challenge()) {
            let (ok, detail) = match handshake.accept.as_deref() {
                Some(accept) if accept == expected => (true, format!("challenge answered with {accept}")),
                Some(accept) => (false, format!("{accept}, expected {expected}")),
                None => (false, format!("no answer to the challenge, expected {expected}")),
            };
            check(NoteCode::HsChallengeAnswer, ok, detail);
        }
        // Without the request there is nothing to compare with.
        if let Some(request) = &handshake.request {
            let name = header(version, "Origin");
            let origin = request.value("origin").or_else(|| request.value("sec-websocket-origin"));
            check(NoteCode::HsOrigin, origin.is_none() || head.value(&name) == origin, shown(head, &name));
            let name = header(version, "Location");
            let ok = head.value(&name).is_some_and(|location| {
                handshake.url.as_deref().is_some_and(|url| place_of(url).eq_ignore_ascii_case(place_of(location)))
            });
            check(NoteCode::HsLocation, ok, shown(head, &name));
            let offered = handshake.subprotocols_offered.as_deref().unwrap_or_default();
            let ok = handshake.subprotocol.as_ref().is_none_or(|chosen| offered.contains(chosen));
            check(NoteCode::HsSubprotocol, ok, shown(head, &header(version, "Protocol")));
        }
    }
    handshake.checks.append(&mut found);
}

/// A header's name: the first draft has them without `Sec-`.
fn header(version: Version, name: &str) -> String {
    let prefix = if version == Version::Hixie75 { "" } else { "Sec-" };
    format!("{prefix}WebSocket-{name}")
}

/// A URL without its scheme, which is another one in front of a proxy that ends TLS, and without the port that is understood.
fn place_of(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, place)| place)
}

/// What a server hashes (draft-hixie-thewebsocketprotocol-76 §5.2): both numbers, and the eight bytes.
fn challenge(head: &Head, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(ANSWER);
    for name in ["sec-websocket-key1", "sec-websocket-key2"] {
        out.extend(number(head, name)?.to_be_bytes());
    }
    out.extend(bytes);
    Some(out)
}

/// A key's number: its digits, divided by how many blanks it has, which must come out even.
fn number(head: &Head, name: &str) -> Option<u32> {
    let key = head.value(name)?;
    let mut digits = 0_u64;
    for digit in key.chars().filter_map(|c| c.to_digit(10)) {
        digits = digits.checked_mul(10)?.checked_add(digit.into())?;
    }
    let blanks = key.matches(' ').count() as u64;
    let even = digits.checked_rem(blanks)? == 0;
    even.then(|| u32::try_from(digits / blanks).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Mark, Span};

    fn head(key1: &str, key2: &str) -> Head {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Head {
            start: StartLine::Request { method: "GET".into(), target: "/".into(), version: "HTTP/1.1".into() },
            headers: vec![header("Sec-WebSocket-Key1", key1), header("Sec-WebSocket-Key2", key2)],
            stream_offset: 0,
            len: 0,
            span: Span { first: Mark::default(), last: Mark::default() },
            whole: true,
        }
    }

    #[test]
    fn answers_the_challenges_of_the_draft() {
        let answer = |key1, key2, bytes| Md5::digest(challenge(&head(key1, key2), bytes).unwrap()).to_vec();
        // draft-hixie-thewebsocketprotocol-76 §1.2 and §1.3.
        assert_eq!(answer("4 @1  46546xW%0l 1 5", "12998 5 Y3 1  .P00", b"^n:ds[4U"), b"8jKS'y:G*Co,Wxa-");
        assert_eq!(
            answer("18x 6]8vM;54 *(5:  {   U1]8  z [  8", "1_ tx7X d  <  nw  334J702) 7]o}` 0", b"Tm[K T2u"),
            b"fQJ,fN/4F4!~K~MH"
        );
    }

    #[test]
    fn numbers_that_do_not_come_out_even_are_none() {
        let key = |key| number(&head(key, ""), "sec-websocket-key1");
        assert_eq!(key("4 @1  46546xW%0l 1 5"), Some(829_309_203));
        assert_eq!(key("1 2 "), Some(6));
        for odd in ["12", "1 3 ", "", " ", "99999999999999999999 ", "8589934592 "] {
            assert_eq!(key(odd), if odd == " " { Some(0) } else { None }, "{odd:?}");
        }
    }
}
