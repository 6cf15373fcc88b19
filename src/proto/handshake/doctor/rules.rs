//! The rules of the opening handshake (RFC 6455 §4, RFC 7692 §7.1).

use super::super::extensions::{answer_faults, offer_faults};
use super::words::{brief, header, protocols, shown};
use super::{Case, Outcome, Rule};
use crate::model::{Extension, Head, NoteCode, StartLine, Version};
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

const VERSION: &str = "Sec-WebSocket-Version";

/// Base64 whose last sign may have bits that mean nothing: the key that RFC 6455 §4.1 has for an example is such a one.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// What a request must be.
pub(super) const REQUEST: &[Rule] = &[
    (NoteCode::HsMethod, |case| of_request(case, method)),
    (NoteCode::HsHttpVersion, |case| of_request(case, |head| http_version(head, "request"))),
    (NoteCode::HsHost, |case| of_request(case, |head| once(head, "Host"))),
    (NoteCode::HsBlank, |case| of_request(case, |head| blanks(head, ""))),
    (NoteCode::HsUpgrade, |case| of_request(case, |head| token(head, "Upgrade", "websocket", ""))),
    (NoteCode::HsConnection, |case| of_request(case, |head| token(head, "Connection", "upgrade", ""))),
    (NoteCode::HsKey, |case| of_request(case, key)),
    (NoteCode::HsVersion, |case| of_request(case, version)),
    (NoteCode::HsOffer, |case| of_request(case, offer)),
    (NoteCode::HsDeflateOffer, deflate_offer),
];

/// What any answer tells.
pub(super) const ANSWER: &[Rule] =
    &[(NoteCode::HsVersion, draft), (NoteCode::HsBlank, |case| of_answer(case, |head| blanks(head, "answer: ")))];

/// What an answer that accepts must be.
pub(super) const ACCEPTED: &[Rule] = &[
    (NoteCode::HsStatus, accepted_status),
    (NoteCode::HsHttpVersion, |case| of_answer(case, answers_in_http_1_1)),
    (NoteCode::HsUpgrade, |case| of_answer(case, |head| token(head, "Upgrade", "websocket", "answer: "))),
    (NoteCode::HsConnection, |case| of_answer(case, |head| token(head, "Connection", "upgrade", "answer: "))),
    (NoteCode::HsAccept, accept),
    (NoteCode::HsSubprotocol, subprotocol),
    (NoteCode::HsNoSubprotocol, no_subprotocol),
    (NoteCode::HsExtension, extension),
    (NoteCode::HsDeflate, deflate),
    (NoteCode::HsBody, |case| of_answer(case, body)),
];

pub(super) fn of_request(case: &Case<'_>, judge: fn(&Head) -> Outcome) -> Outcome {
    case.request().map_or(Outcome::Silent, judge)
}

pub(super) fn of_answer(case: &Case<'_>, judge: fn(&Head) -> Outcome) -> Outcome {
    case.answer().map_or(Outcome::Silent, judge)
}

/// The status of an answer that accepts.
pub(super) fn accepted_status(case: &Case<'_>) -> Outcome {
    of_answer(case, |head| Outcome::Kept(status(head)))
}

pub(super) fn deflate_offer(case: &Case<'_>) -> Outcome {
    Outcome::faults(&offer_faults(case.handshake.extensions_offered.as_deref().unwrap_or_default()))
}

/// `status 403 Forbidden`.
pub(super) fn status(head: &Head) -> String {
    match &head.start {
        StartLine::Response { status, reason, .. } => {
            format!("status {status} {}", brief(reason)).trim_end().to_owned()
        }
        StartLine::Request { .. } => String::new(),
    }
}

fn method(head: &Head) -> Outcome {
    let StartLine::Request { method, .. } = &head.start else { return Outcome::Silent };
    Outcome::of(method == "GET", format!("method {}", brief(method)))
}

fn http_version(head: &Head, whose: &str) -> Outcome {
    let (StartLine::Request { version, .. } | StartLine::Response { version, .. }) = &head.start;
    let seen = if version.is_empty() { "no version" } else { version };
    match matches!(version.as_str(), "HTTP/1.1" | "HTTP/1.2") {
        true => Outcome::Kept(seen.to_owned()),
        false => Outcome::Broken(format!("{whose}: {}", brief(seen))),
    }
}

/// An answer says so only when it does not.
fn answers_in_http_1_1(head: &Head) -> Outcome {
    match http_version(head, "answer") {
        Outcome::Kept(_) => Outcome::Silent,
        other => other,
    }
}

fn once(head: &Head, name: &str) -> Outcome {
    Outcome::of(head.values(name).count() == 1, shown(head, name))
}

/// The names that have a blank before the colon, up to the first: what stands behind it may be secret, as values may.
fn blanks(head: &Head, whose: &str) -> Outcome {
    let names = head.headers.iter().map(|(name, _)| name.as_str());
    let found: Vec<String> =
        names.filter(|name| name.ends_with([' ', '\t'])).map(|name| format!("\"{} :\"", first_word(name))).collect();
    match found.as_slice() {
        [] => Outcome::Silent,
        found => Outcome::Broken(format!("{whose}{}", brief(&found.join(", ")))),
    }
}

fn first_word(name: &str) -> &str {
    name.split([' ', '\t']).next().unwrap_or_default()
}

fn token(head: &Head, name: &str, token: &str, whose: &str) -> Outcome {
    Outcome::of(head.has_token(name, token), format!("{whose}{}", shown(head, name)))
}

fn key(head: &Head) -> Outcome {
    let name = "Sec-WebSocket-Key";
    let is_16_bytes = |key| LENIENT.decode(key).is_ok_and(|key| key.len() == 16);
    Outcome::of(head.values(name).count() == 1 && head.value(name).is_some_and(is_16_bytes), shown(head, name))
}

pub(super) fn version(head: &Head) -> Outcome {
    // Whether a draft is a fault, the answer tells.
    if Version::asked(head) != Version::Rfc6455 {
        return Outcome::Silent;
    }
    current_version(head)
}

/// No draft runs over HTTP/2 (RFC 8441 §5).
pub(super) fn current_version(head: &Head) -> Outcome {
    Outcome::of(head.values(VERSION).eq(["13"]), shown(head, VERSION))
}

/// A draft's version is right where the server accepts it.
fn draft(case: &Case<'_>) -> Outcome {
    match case.request().filter(|head| Version::asked(head) != Version::Rfc6455) {
        Some(head) => Outcome::of(case.handshake.accepted == Some(true), shown(head, VERSION)),
        None => Outcome::Silent,
    }
}

pub(super) fn offer(head: &Head) -> Outcome {
    let offered: Vec<&str> = head.list("sec-websocket-protocol").collect();
    // More than anybody offers would take long to compare.
    const MANY: usize = 256;
    let fault = |(at, one): (usize, &&str)| {
        let name = protocols([*one]);
        match offered.iter().take(at).any(|other| other == one) {
            true => Some(format!("{name} twice")),
            false if !is_token(one) => Some(format!("{name} is no token")),
            false => None,
        }
    };
    Outcome::faults(&offered.iter().enumerate().take(MANY).filter_map(fault).collect::<Vec<_>>())
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn accept(case: &Case<'_>) -> Outcome {
    let Some(head) = case.answer() else { return Outcome::Silent };
    let name = "Sec-WebSocket-Accept";
    let expected = case.handshake.accept_expected.as_deref();
    if expected.is_none() && case.request().is_some() {
        // The key is missing, which is a finding of its own.
        return Outcome::Silent;
    }
    // Without the request there is nothing to compare with.
    let right = case.request().is_none() || head.value(name) == expected;
    let kept = right && head.values(name).count() == 1;
    let expected = expected.filter(|_| !kept).map(|expected| format!(", expected {expected}")).unwrap_or_default();
    Outcome::of(kept, shown(head, name) + &expected)
}

/// The subprotocols offered, when the request was captured.
fn offered<'a>(case: &Case<'a>) -> Option<&'a [String]> {
    case.request()?;
    case.handshake.subprotocols_offered.as_deref()
}

pub(super) fn subprotocol(case: &Case<'_>) -> Outcome {
    let Some(head) = case.answer() else { return Outcome::Silent };
    let chosen = head.list("sec-websocket-protocol").collect::<Vec<_>>();
    let was_offered = |chosen: &&str| offered(case).is_none_or(|offered| offered.iter().any(|offer| offer == chosen));
    // An empty header is not the same as none (RFC 6455 §4.2.2), and names nothing that can be offered.
    let is_there = head.value("sec-websocket-protocol").is_some();
    let seen = match protocols(chosen.iter().copied()) {
        none if none.is_empty() && is_there => "an empty Sec-WebSocket-Protocol".to_owned(),
        none if none.is_empty() => "no Sec-WebSocket-Protocol".to_owned(),
        some => format!("Sec-WebSocket-Protocol: {some}"),
    };
    let is_empty = is_there && chosen.is_empty();
    if !is_empty && chosen.len() <= 1 && chosen.iter().all(was_offered) {
        return Outcome::Kept(seen);
    }
    let offered = offered(case).map(|offered| match protocols(offered.iter().map(String::as_str)) {
        none if none.is_empty() => ", offered: none".to_owned(),
        some => format!(", offered: {some}"),
    });
    Outcome::Broken(seen + &offered.unwrap_or_default())
}

pub(super) fn no_subprotocol(case: &Case<'_>) -> Outcome {
    let chosen = case.answer().is_none_or(|head| head.value("sec-websocket-protocol").is_some());
    match offered(case).filter(|offered| !offered.is_empty() && !chosen) {
        Some(offered) => Outcome::Broken(format!("offered: {}", protocols(offered.iter().map(String::as_str)))),
        None => Outcome::Silent,
    }
}

/// No 101 may announce a body (RFC 9110 §8.6, RFC 9112 §6.1), not even an empty one.
fn body(head: &Head) -> Outcome {
    let announced = ["Transfer-Encoding", "Content-Length"].into_iter().filter_map(|name| header(head, name));
    match announced.collect::<Vec<_>>() {
        none if none.is_empty() => Outcome::Silent,
        some => Outcome::Broken(format!("answer: {}", some.join(", "))),
    }
}

pub(super) fn extension(case: &Case<'_>) -> Outcome {
    let Some(head) = case.answer() else { return Outcome::Silent };
    let offered: Option<Vec<Extension<'_>>> = case.request().and_then(|_| {
        let offered = case.handshake.extensions_offered.as_deref()?;
        Some(offered.iter().map(|text| Extension::parse(text)).collect())
    });
    let was_offered = |accepted: &str| {
        let name = Extension::parse(accepted).name;
        offered.as_ref().is_none_or(|offered| offered.iter().any(|offer| offer.is(name)))
    };
    let accepted = case.handshake.extensions.as_deref().unwrap_or_default();
    let strange: Vec<&str> = accepted.iter().map(String::as_str).filter(|one| !was_offered(one)).collect();
    match strange.as_slice() {
        [] => Outcome::Kept(shown(head, "Sec-WebSocket-Extensions")),
        _ => Outcome::Broken(format!("Sec-WebSocket-Extensions: {}", brief(&strange.join(", ")))),
    }
}

pub(super) fn deflate(case: &Case<'_>) -> Outcome {
    let offered = case.request().and(case.handshake.extensions_offered.as_deref());
    let accepted = case.handshake.extensions.as_deref().unwrap_or_default();
    match answer_faults(accepted, offered) {
        None => Outcome::Silent,
        Some(faults) if faults.is_empty() => {
            let seen = case.answer().and_then(|head| header(head, "Sec-WebSocket-Extensions"));
            Outcome::Kept(seen.unwrap_or_default())
        }
        Some(faults) => Outcome::Broken(brief(&faults.join(", "))),
    }
}
