//! The opening handshake as HTTP/2 carries it (RFC 8441 §5): an extended CONNECT and its answer.

use crate::model::{Check, Direction, Endpoint, Handshake, Head, Mark, NoteCode, StartLine, StreamId};
use crate::proto::handshake::doctor::Case;
use crate::proto::handshake::excerpt::Said;
use crate::proto::handshake::{add, begun, list};

/// What a request is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// It asks for a WebSocket.
    WebSocket,
    /// A part of it is lost that would tell: what its stream carries does.
    Perhaps,
    /// It asks for something else.
    Other,
}

/// What a server said about extended CONNECTs (RFC 8441 §3).
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Setting {
    /// Its settings were not captured, or not all.
    #[default]
    Unknown,
    /// It has not said that it takes them.
    Missing,
    /// It takes them, as that packet said.
    Given(Mark),
}

/// What a request asks for: `:protocol` says it; where that is lost, headers that only a WebSocket has.
pub(super) fn asks(head: &Head, ends: bool) -> Asks {
    let has_own = head.headers.iter().any(|(name, _)| name.starts_with("sec-websocket-"));
    match head.value(":protocol") {
        Some(protocol) if protocol.eq_ignore_ascii_case("websocket") => Asks::WebSocket,
        Some(_) => Asks::Other,
        None if head.whole => Asks::Other,
        None if has_own => Asks::WebSocket,
        None if ends => Asks::Other,
        // Those that others begin with stand in the static table (RFC 7541 Appendix A): they are not lost.
        None if head.value(":method").is_some_and(|method| method != "CONNECT") => Asks::Other,
        None => Asks::Perhaps,
    }
}

/// Whether a head of which the request is missing may answer one for a WebSocket.
pub(super) fn answers(head: &Head) -> bool {
    accepts(head) && head.headers.iter().any(|(name, _)| name.starts_with("sec-websocket-"))
}

/// Whether it may all the same: it announces no content, or its status is lost.
pub(super) fn may_answer(head: &Head) -> bool {
    (accepts(head) || head.status() == Some(0)) && head.value("content-length").is_none()
}

/// Whether an answer opens the WebSocket: any 2xx does (RFC 8441 §5).
pub(super) fn accepts(head: &Head) -> bool {
    head.status().is_some_and(|status| (200..300).contains(&status))
}

/// The handshake as far as the request tells; `is_tls`: it runs in TLS.
pub(super) fn asked(head: Head, ends: (Endpoint, Endpoint), is_tls: bool) -> Handshake {
    let handshake = Handshake { url: Some(url(&head, ends.1, is_tls)), ..Handshake::default() };
    begun(handshake, head, ends)
}

/// Adds what the answer tells; `said` is what the body of a refusal says.
pub(super) fn answered(handshake: &mut Handshake, head: Head, said: Option<&Said>, ends: (Endpoint, Endpoint)) {
    handshake.accepted = Some(accepts(&head));
    handshake.subprotocol = head.value("sec-websocket-protocol").map(str::to_owned);
    handshake.extensions = list(&head, "sec-websocket-extensions");
    handshake.latency = handshake.request.as_ref().and_then(|request| head.latency(request));
    handshake.response = Some(head);
    // What a part of a head does not say may stand in the other.
    if handshake.is_whole() {
        let found = Case::new(handshake, ends).saying(said).answer_checks();
        add(handshake, found);
    }
}

/// Adds whether the client had been told that it may ask so. A packet with both may have either first.
pub(super) fn judge_setting(handshake: &mut Handshake, setting: Setting) {
    let Some(request) = &handshake.request else { return };
    let (ok, detail) = match setting {
        Setting::Unknown => return,
        Setting::Missing => (false, "the server's SETTINGS do not have ENABLE_CONNECT_PROTOCOL".to_owned()),
        Setting::Given(at) if at.packet <= request.span.first.packet => {
            (true, format!("ENABLE_CONNECT_PROTOCOL (frame {})", at.packet))
        }
        Setting::Given(at) => (false, format!("ENABLE_CONNECT_PROTOCOL came behind the request (frame {})", at.packet)),
    };
    handshake.checks.push(Check { code: NoteCode::HsSetting, ok, detail });
}

/// The heads that HTTP/1.1 would have, for tools that do not know RFC 8441: they say so themselves. Key and accept are those of the
/// example in RFC 6455 §1.3.
pub(super) fn as_http1(handshake: &Handshake, id: StreamId, first: Mark) -> [(Direction, Vec<u8>, Mark); 2] {
    let own = |head: &Option<Head>| -> String {
        let headers = head.iter().flat_map(|head| &head.headers).filter(|(name, _)| !name.starts_with(':'));
        let line = |text: &str| text.replace(['\r', '\n'], " ");
        headers.map(|(name, value)| format!("{}: {}\r\n", line(name), line(value))).collect()
    };
    let (target, authority) = match handshake.request.as_ref().map(|head| (&head.start, head.authority())) {
        Some((StartLine::Request { target, .. }, authority)) => (target.as_str(), authority.unwrap_or_default()),
        _ => ("/", ""),
    };
    let asked = format!(
        "GET {target} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-HTTP2-Stream: {id}\r\n{}\r\n",
        own(&handshake.request)
    );
    let answered = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX-HTTP2-Stream: {id}\r\n{}\r\n",
        own(&handshake.response)
    );
    let at = |head: &Option<Head>| head.as_ref().map_or(first, |head| head.span.last);
    [
        (Direction::ToServer, asked.into_bytes(), at(&handshake.request)),
        (Direction::ToClient, answered.into_bytes(), at(&handshake.response)),
    ]
}

/// The URL that the client opened (RFC 6455 §3, RFC 8441 §5): `https` stands for `wss`, `http` for `ws`.
fn url(head: &Head, server: Endpoint, is_tls: bool) -> String {
    let StartLine::Request { target, .. } = &head.start else { return String::new() };
    let scheme = match head.value(":scheme") {
        Some("https" | "wss") => "wss",
        Some("http" | "ws") => "ws",
        _ if is_tls => "wss",
        _ => "ws",
    };
    match head.authority() {
        Some(authority) => format!("{scheme}://{authority}{target}"),
        None => format!("{scheme}://{server}{target}"),
    }
}
