//! The rules of the opening handshake over HTTP/2 (RFC 8441 §5): those of RFC 6455 without what HTTP/2 has no need of.

use super::rules::{
    accepted_status, current_version, deflate, deflate_offer, extension, no_subprotocol, of_answer, of_request, offer,
    subprotocol,
};
use super::words::{brief, header};
use super::{Outcome, Rule};
use crate::model::{Head, NoteCode, StartLine};

/// What an extended CONNECT must be.
pub(super) const REQUEST: &[Rule] = &[
    (NoteCode::HsPseudo, |case| of_request(case, pseudo)),
    (NoteCode::HsHop, |case| of_request(case, |head| hop(head, ""))),
    (NoteCode::HsVersion, |case| of_request(case, current_version)),
    (NoteCode::HsOffer, |case| of_request(case, offer)),
    (NoteCode::HsDeflateOffer, deflate_offer),
];

/// What an answer that accepts must be.
pub(super) const ACCEPTED: &[Rule] = &[
    (NoteCode::HsStatus, accepted_status),
    (NoteCode::HsHop, |case| of_answer(case, |head| hop(head, "answer: "))),
    (NoteCode::HsSubprotocol, subprotocol),
    (NoteCode::HsNoSubprotocol, no_subprotocol),
    (NoteCode::HsExtension, extension),
    (NoteCode::HsDeflate, deflate),
];

/// The pseudo-headers of an extended CONNECT (RFC 8441 §4), and the values that one for a WebSocket has (§5).
const PSEUDO: [(&str, &[&str]); 5] = [
    (":method", &["CONNECT"]),
    (":protocol", &["websocket"]),
    (":scheme", &["http", "https"]),
    (":path", &[]),
    (":authority", &[]),
];

fn pseudo(head: &Head) -> Outcome {
    let mut faults = Vec::new();
    for (name, values) in PSEUDO {
        let mut sent = head.values(name);
        match (sent.next(), sent.next()) {
            // Host stands for it (RFC 9113 §8.3.1).
            (None, _) if name == ":authority" && head.value("host").is_some() => {}
            (None, _) => faults.push(format!("no {name}")),
            (Some(_), Some(_)) => faults.push(format!("{name} twice")),
            (Some(value), None) if value.is_empty() || !values.is_empty() && !values.contains(&value) => {
                faults.push(format!("{name}: {}", brief(value)));
            }
            _ => {}
        }
    }
    let names = || head.headers.iter().map(|(name, _)| name.as_str());
    let is_pseudo = |name: &str| name.starts_with(':');
    let strange = names().filter(|&name| is_pseudo(name) && PSEUDO.iter().all(|(known, _)| *known != name));
    faults.extend(strange.map(|name| format!("{}, which is none", brief(name))));
    // RFC 9113 §8.3.
    if let Some(late) = names().skip_while(|name| is_pseudo(name)).find(|name| is_pseudo(name)) {
        faults.push(format!("{late} behind other headers"));
    }
    match faults.as_slice() {
        [] => Outcome::Kept(described(head)),
        faults => Outcome::Broken(brief(&faults.join(", "))),
    }
}

/// `:method CONNECT, :protocol websocket, :scheme https`.
fn described(head: &Head) -> String {
    let StartLine::Request { method, .. } = &head.start else { return String::new() };
    let [protocol, scheme] = [":protocol", ":scheme"].map(|name| head.value(name).unwrap_or_default());
    format!(":method {method}, :protocol {protocol}, :scheme {scheme}")
}

/// Headers that tell something of one HTTP/1.1 connection, and those that a WebSocket has there only.
const HOPS: [&str; 8] = [
    "Connection",
    "Upgrade",
    "Keep-Alive",
    "Proxy-Connection",
    "Transfer-Encoding",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Accept",
    "HTTP2-Settings",
];

fn hop(head: &Head, whose: &str) -> Outcome {
    let found: Vec<String> = HOPS.iter().filter_map(|name| header(head, name)).collect();
    match found.as_slice() {
        [] => Outcome::Silent,
        found => Outcome::Broken(format!("{whose}{}", brief(&found.join(", ")))),
    }
}
