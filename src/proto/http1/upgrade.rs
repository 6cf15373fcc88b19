//! The opening handshake as HTTP/1.1 carries it (RFC 6455 §4).

use super::draft;
use crate::model::{Endpoint, Handshake, Head, StartLine, Version};
use crate::proto::handshake::doctor::Case;
use crate::proto::handshake::excerpt::Said;
use crate::proto::handshake::{add, begun, is_switch, list};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// RFC 6455 §1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Whether a request asks for a WebSocket: by its Upgrade header, or, where that was dropped or names it wrongly
/// (`websocket/13`), by a key.
pub(super) fn is_request(head: &Head) -> bool {
    let names_it = |value: &str| value.to_ascii_lowercase().contains("websocket");
    let has_key = head.value("sec-websocket-key").is_some();
    head.has_token("upgrade", "websocket") || has_key && head.value("upgrade").is_none_or(names_it)
}

/// Whether the answer tells if a request asks for a WebSocket: a part of it is lost, or it names something else.
pub(super) fn may_be_request(head: &Head) -> bool {
    !head.whole || head.value("upgrade").is_some()
}

/// Whether a 101 tells that such a request was one.
pub(super) fn confirms(asked: &Head, answer: &Head) -> bool {
    is_switch(answer) && (!asked.whole || answers(answer).is_some())
}

/// The version that an answer speaks which stands without its request, if it opens a WebSocket.
pub(super) fn answers(head: &Head) -> Option<Version> {
    let cut = !head.whole && head.has_token("upgrade", "websocket");
    Version::answered(head).or_else(|| cut.then(Version::default))
}

/// The handshake as far as the request tells; `scheme` is that of the stream.
pub(super) fn asked(head: Head, ends: (Endpoint, Endpoint), scheme: &str) -> Handshake {
    let version = Version::asked(&head);
    if has_own_rules(version) && head.whole {
        let mut handshake = draft::asked(head, version, ends.1, scheme);
        let advice = Case::new(&handshake, ends).request_advice();
        handshake.checks.extend(advice);
        return handshake;
    }
    let key = head.value("sec-websocket-key").map(str::to_owned);
    let handshake = Handshake {
        url: Some(url(&head, ends.1, scheme)),
        accept_expected: key.as_deref().map(accept),
        key,
        ..Handshake::default()
    };
    begun(handshake, head, ends)
}

/// Adds what the answer tells; `raw` are the bytes behind its head in hex, where the version has some, `said` what the
/// body of a refusal says.
pub(super) fn answered(
    handshake: &mut Handshake,
    head: Head,
    raw: Option<String>,
    said: Option<&Said>,
    ends: (Endpoint, Endpoint),
) {
    let version = if handshake.request.is_some() { Some(handshake.version()) } else { Version::answered(&head) };
    if let Some(version) = version.filter(|&version| has_own_rules(version) && head.whole) {
        draft::answered(handshake, version, head, raw);
        let found = Case::new(handshake, ends).saying(said).draft_answer_checks();
        return add(handshake, found);
    }
    handshake.accepted = Some(head.status() == Some(101));
    handshake.accept = head.value("sec-websocket-accept").map(str::to_owned);
    handshake.subprotocol = head.value("sec-websocket-protocol").map(str::to_owned);
    handshake.extensions = list(&head, "sec-websocket-extensions");
    handshake.latency = handshake.request.as_ref().and_then(|request| head.latency(request));
    handshake.response = Some(head);
    // What a part of a head does not say may stand in the other.
    if !handshake.is_whole() {
        return;
    }
    let found = Case::new(handshake, ends).saying(said).answer_checks();
    add(handshake, found);
}

/// Whether the handshake is another than that of RFC 6455.
const fn has_own_rules(version: Version) -> bool {
    version.is_hixie() || version.has_challenge()
}

/// RFC 6455 §4.2.2, item 5.4.
fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key.trim()).chain_update(GUID).finalize())
}

/// The URL that the client opened (RFC 6455 §3), from the request's target and Host.
pub(super) fn url(head: &Head, server: Endpoint, scheme: &str) -> String {
    let StartLine::Request { target, .. } = &head.start else { return String::new() };
    if let Some((scheme, rest)) = target.split_once("://") {
        let scheme = if matches!(scheme, "https" | "wss") { "wss" } else { "ws" };
        return format!("{scheme}://{rest}");
    }
    match head.value("host").filter(|host| !host.is_empty()) {
        Some(host) => format!("{scheme}://{host}{target}"),
        None => format!("{scheme}://{server}{target}"),
    }
}

#[cfg(test)]
mod tests {
    use super::accept;

    #[test]
    fn computes_the_accept_of_rfc_6455() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
