//! The opening handshake as HTTP/1.1 carries it (RFC 6455 §4).

use super::doctor::Case;
use crate::model::{Check, Endpoint, Handshake, Head, NoteCode, StartLine};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// RFC 6455 §1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Whether a request asks for a WebSocket: by its Upgrade header, or, where a proxy dropped that, by a key.
pub(super) fn is_request(head: &Head) -> bool {
    head.has_token("upgrade", "websocket")
        || head.value("upgrade").is_none() && head.value("sec-websocket-key").is_some()
}

/// Whether a 101 switches to WebSocket: it must not name something else.
pub(super) fn is_switch(head: &Head) -> bool {
    head.value("upgrade").is_none() || head.has_token("upgrade", "websocket")
}

/// The handshake as far as the request tells.
pub(super) fn asked(head: Head, ends: (Endpoint, Endpoint)) -> Handshake {
    let key = head.value("sec-websocket-key").map(str::to_owned);
    let mut handshake = Handshake {
        url: Some(url(&head, ends.1)),
        accept_expected: key.as_deref().map(accept),
        key,
        subprotocols_offered: Some(owned(head.list("sec-websocket-protocol"))),
        extensions_offered: Some(owned(head.list("sec-websocket-extensions"))),
        ..Handshake::default()
    };
    handshake.request = Some(head);
    handshake.checks = Case::new(&handshake, ends).request_checks();
    handshake
}

/// Adds what the answer tells; `early` says what the client sent before it, if it did.
pub(super) fn answered(handshake: &mut Handshake, head: Head, ends: (Endpoint, Endpoint), early: Option<String>) {
    handshake.accepted = Some(head.status() == Some(101));
    handshake.accept = head.value("sec-websocket-accept").map(str::to_owned);
    handshake.subprotocol = head.value("sec-websocket-protocol").map(str::to_owned);
    handshake.extensions = Some(owned(head.list("sec-websocket-extensions")));
    handshake.latency = handshake.request.as_ref().and_then(|request| head.span.last.since(request.span.last));
    handshake.response = Some(head);
    let mut found = Case::new(handshake, ends).answer_checks();
    handshake.checks.append(&mut found);
    if let Some(detail) = early {
        handshake.checks.push(Check { code: NoteCode::HsEarlyData, ok: false, detail });
    }
}

/// Whether the handshake is that of a draft whose frames differ from RFC 6455: Hixie-75 and 76, HyBi-01 to 06 (versions below 7).
pub(super) fn is_old_draft(handshake: &Handshake) -> bool {
    handshake.request.as_ref().is_some_and(|head| {
        let version = head.value("sec-websocket-version").map(|version| version.trim().parse::<u32>());
        match version {
            Some(Ok(version)) => version < 7,
            Some(Err(_)) => false,
            None => head.value("sec-websocket-key").is_none(),
        }
    })
}

/// RFC 6455 §4.2.2, item 5.4.
fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key.trim()).chain_update(GUID).finalize())
}

/// The URL that the client opened (RFC 6455 §3), from the request's target and Host.
fn url(head: &Head, server: Endpoint) -> String {
    let StartLine::Request { target, .. } = &head.start else { return String::new() };
    if let Some((scheme, rest)) = target.split_once("://") {
        let scheme = if matches!(scheme, "https" | "wss") { "wss" } else { "ws" };
        return format!("{scheme}://{rest}");
    }
    match head.value("host").filter(|host| !host.is_empty()) {
        Some(host) => format!("ws://{host}{target}"),
        None => format!("ws://{server}{target}"),
    }
}

fn owned<'a>(list: impl Iterator<Item = &'a str>) -> Vec<String> {
    list.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::accept;

    #[test]
    fn computes_the_accept_of_rfc_6455() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
