//! The opening handshake as HTTP/1.1 carries it, and its rules (RFC 6455 §4).

use super::draft;
use crate::model::{Check, Endpoint, Handshake, Head, NoteCode, StartLine, Version};
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
pub(super) fn asked(head: Head, server: Endpoint) -> Handshake {
    let version = Version::asked(&head);
    if version.is_hixie() || version.has_challenge() {
        return draft::asked(head, version, server);
    }
    let key = head.value("sec-websocket-key").map(str::to_owned);
    let mut handshake = Handshake {
        url: Some(url(&head, server)),
        accept_expected: key.as_deref().map(accept),
        key,
        subprotocols_offered: Some(owned(head.list("sec-websocket-protocol"))),
        extensions_offered: Some(owned(head.list("sec-websocket-extensions"))),
        ..Handshake::default()
    };
    check_request(&head, &mut handshake.checks);
    handshake.request = Some(head);
    handshake
}

/// Adds what the answer tells; `raw` are the bytes behind its head in hex, where the version has some.
pub(super) fn answered(handshake: &mut Handshake, head: Head, raw: Option<String>) {
    let version = if handshake.request.is_some() { Some(handshake.version()) } else { Version::answered(&head) };
    if let Some(version) = version.filter(|version| version.is_hixie() || version.has_challenge()) {
        return draft::answered(handshake, version, head, raw);
    }
    handshake.accepted = Some(head.status() == Some(101));
    handshake.accept = head.value("sec-websocket-accept").map(str::to_owned);
    handshake.subprotocol = head.value("sec-websocket-protocol").map(str::to_owned);
    handshake.extensions = Some(owned(head.list("sec-websocket-extensions")));
    handshake.latency = handshake.request.as_ref().and_then(|request| head.span.last.since(request.span.last));
    if let Some(request) = handshake.request.as_ref().filter(|_| version != Some(Version::Rfc6455)) {
        let detail = shown(request, "Sec-WebSocket-Version");
        handshake.checks.push(Check { code: NoteCode::HsVersion, ok: handshake.accepted == Some(true), detail });
    }
    check_response(&head, handshake);
    handshake.response = Some(head);
}

/// Adds that the client did not wait for the answer.
pub(super) fn was_early(handshake: &mut Handshake) {
    let detail = "the client sent bytes before the server had accepted".to_owned();
    handshake.checks.push(Check { code: NoteCode::HsEarlyData, ok: false, detail });
}

/// RFC 6455 §4.2.2, item 5.4.
fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key.trim()).chain_update(GUID).finalize())
}

/// The URL that the client opened (RFC 6455 §3), from the request's target and Host.
pub(super) fn url(head: &Head, server: Endpoint) -> String {
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

fn check_request(head: &Head, checks: &mut Vec<Check>) {
    let mut check = |code, ok, detail| checks.push(Check { code, ok, detail });
    if let StartLine::Request { method, version, .. } = &head.start {
        check(NoteCode::HsMethod, method == "GET", format!("method {method}"));
        let ok = matches!(version.as_str(), "HTTP/1.1" | "HTTP/1.2");
        check(NoteCode::HsHttpVersion, ok, if version.is_empty() { "no version".to_owned() } else { version.clone() });
    }
    let hosts = head.values("host").count();
    check(NoteCode::HsHost, hosts == 1, shown(head, "Host"));
    check(NoteCode::HsUpgrade, head.has_token("upgrade", "websocket"), shown(head, "Upgrade"));
    check(NoteCode::HsConnection, head.has_token("connection", "upgrade"), shown(head, "Connection"));
    let key_ok = head.values("sec-websocket-key").count() == 1
        && head.value("sec-websocket-key").is_some_and(|key| STANDARD.decode(key).is_ok_and(|key| key.len() == 16));
    check(NoteCode::HsKey, key_ok, shown(head, "Sec-WebSocket-Key"));
    // Whether a draft is a fault, the answer tells.
    if Version::asked(head) == Version::Rfc6455 {
        let ok = head.values("sec-websocket-version").eq(["13"]);
        check(NoteCode::HsVersion, ok, shown(head, "Sec-WebSocket-Version"));
    }
}

fn check_response(head: &Head, handshake: &mut Handshake) {
    let (status, reason) = match &head.start {
        StartLine::Response { status, reason, .. } => (*status, reason.as_str()),
        StartLine::Request { .. } => (0, ""),
    };
    let accepted = status == 101;
    let mut found = vec![Check {
        code: NoteCode::HsStatus,
        ok: accepted,
        detail: format!("status {status} {reason}").trim_end().to_owned(),
    }];
    let mut check = |code, ok, detail| found.push(Check { code, ok, detail });
    if accepted {
        check(
            NoteCode::HsUpgrade,
            head.has_token("upgrade", "websocket"),
            format!("answer: {}", shown(head, "Upgrade")),
        );
        let token = head.has_token("connection", "upgrade");
        check(NoteCode::HsConnection, token, format!("answer: {}", shown(head, "Connection")));
        // Without the request there is nothing to compare with.
        let asked = handshake.request.is_some();
        let once = head.values("sec-websocket-accept").count() == 1;
        let ok = once && (!asked || handshake.accept == handshake.accept_expected);
        let detail = match (&handshake.accept, &handshake.accept_expected) {
            (Some(accept), Some(expected)) if !ok => format!("{accept}, expected {expected}"),
            (None, Some(expected)) => format!("no Sec-WebSocket-Accept, expected {expected}"),
            _ => shown(head, "Sec-WebSocket-Accept"),
        };
        check(NoteCode::HsAccept, ok, detail);
        let offered = handshake.subprotocols_offered.as_deref().unwrap_or_default();
        let chosen = head.list("sec-websocket-protocol").collect::<Vec<_>>();
        let was_offered = |chosen: &&str| offered.iter().any(|offer| offer == chosen);
        let ok = chosen.len() <= 1 && (!asked || chosen.iter().all(was_offered));
        check(NoteCode::HsSubprotocol, ok, shown(head, "Sec-WebSocket-Protocol"));
        let offered = handshake.extensions_offered.as_deref().unwrap_or_default();
        let ok = !asked
            || head
                .list("sec-websocket-extensions")
                .all(|extension| offered.iter().any(|offer| name_of(offer).eq_ignore_ascii_case(name_of(extension))));
        check(NoteCode::HsExtension, ok, shown(head, "Sec-WebSocket-Extensions"));
    }
    handshake.checks.append(&mut found);
}

/// An extension's name, without its parameters.
fn name_of(extension: &str) -> &str {
    extension.split(';').next().unwrap_or_default().trim()
}

/// What a header says, in words: `Upgrade: websocket`, `no Upgrade`.
pub(super) fn shown(head: &Head, name: &str) -> String {
    let values = head.values(name).collect::<Vec<_>>();
    if values.is_empty() { format!("no {name}") } else { format!("{name}: {}", values.join(" | ")) }
}

pub(super) fn owned<'a>(list: impl Iterator<Item = &'a str>) -> Vec<String> {
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
