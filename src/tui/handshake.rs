//! Screen 3: what was asked, what was answered, and whether the rules were kept.

use super::list::List;
use super::text;
use super::tls::Told;
use crate::book::Book;
use crate::escape::display_str;
use crate::model::{Check, Connection, Handshake, Head, NoteCode, Severity, StartLine, Version, duration, number};

/// Where the user is in the three panes.
#[derive(Debug, Default)]
pub(super) struct HandshakeView {
    /// The connection whose handshake is shown.
    pub(super) conn: Option<usize>,
    /// The whole of it, from the book.
    pub(super) whole: Option<Handshake>,
    pub(super) request: List,
    pub(super) response: List,
    pub(super) checks: List,
    /// Cookies and credentials are shown.
    pub(super) secrets: bool,
}

impl HandshakeView {
    /// Forgets the handshake, not what of it may be shown.
    pub(super) fn forget(&mut self) {
        *self = Self { secrets: self.secrets, ..Self::default() };
    }

    /// Takes a connection's handshake from the book, also one that was not complete when it was last looked for.
    pub(super) fn open(&mut self, book: &Book, conn: Option<usize>) {
        if self.conn != conn {
            *self = Self { conn, secrets: self.secrets, ..Self::default() };
        }
        if self.whole.is_none() {
            self.whole = conn.and_then(|conn| book.handshake(conn));
        }
    }
}

/// What stands for a value that is hidden.
const HIDDEN: &str = "••••••••••";

/// Headers whose values are for nobody else.
const SECRET: [&str; 4] = ["cookie", "set-cookie", "authorization", "proxy-authorization"];

/// How a line is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    /// The start line of a head.
    Start,
    /// A line that begins with a name of so many bytes.
    Named(usize),
    Good,
    Bad(Severity),
    Dim,
}

/// The lines of a head, wrapped.
pub(super) fn head_lines(head: &Head, secrets: bool, columns: usize) -> Vec<(Look, String)> {
    let start = match &head.start {
        StartLine::Request { method, target, version } => format!("{method} {target} {version}"),
        StartLine::Response { version, status, reason } => format!("{version} {status} {reason}"),
    };
    let mut out = Vec::new();
    push_wrapped(&mut out, Look::Start, &display_str(start.trim_end()), columns);
    for (name, value) in &head.headers {
        let name = display_str(name);
        let line = format!("{name}: {}", display_str(&header_value(&name, value, secrets)));
        push_wrapped(&mut out, Look::Named(name.len() + 1), &line, columns);
    }
    out
}

/// A header's value, without what is secret.
fn header_value(name: &str, value: &str, secrets: bool) -> String {
    let Some(kind) = SECRET.iter().find(|secret| secret.eq_ignore_ascii_case(name)).filter(|_| !secrets) else {
        return value.to_owned();
    };
    let hide = |cookie: &str| match cookie.split_once('=') {
        Some((name, _)) => format!("{}={HIDDEN}", name.trim()),
        None => HIDDEN.to_owned(),
    };
    let shown = match *kind {
        "cookie" => value.split(';').map(hide).collect::<Vec<_>>().join("; "),
        "set-cookie" => match value.split_once(';') {
            Some((cookie, attributes)) => format!("{};{attributes}", hide(cookie)),
            None => hide(value),
        },
        _ => match value.split_once(' ') {
            Some((scheme, _)) => format!("{scheme} {HIDDEN}"),
            None => HIDDEN.to_owned(),
        },
    };
    format!("{shown} (hidden, S shows)")
}

/// Adds a line, wrapped; only its first part looks as told.
pub(super) fn push_wrapped(out: &mut Vec<(Look, String)>, look: Look, line: &str, columns: usize) {
    let looks = std::iter::once(look).chain(std::iter::repeat(Look::Plain));
    out.extend(looks.zip(text::wrap(line, columns, 4)));
}

/// The rules, what was negotiated, and how long it took; `tls` is what was around.
pub(super) fn check_lines(
    connection: &Connection,
    handshake: &Handshake,
    tls: Option<&Told>,
    columns: usize,
) -> Vec<(Look, String)> {
    let mut out = kept(handshake, columns);
    for check in handshake.checks.iter().filter(|check| !check.ok) {
        let row = check.code.row();
        let line = format!(" {} {}", row.severity.sign(), row.with(&display_str(&check.detail)));
        push_wrapped(&mut out, Look::Bad(row.severity), &line, columns);
        push_wrapped(&mut out, Look::Dim, &format!("   {} · {} {}", row.name, row.cause, row.next), columns);
    }
    out.push((Look::Plain, String::new()));
    for (name, value) in facts(connection, handshake, tls) {
        push_fact(&mut out, name, &value, columns);
    }
    out
}

/// Adds a line of the kind `Timing      first packet→request 16 ms`.
pub(super) fn push_fact(out: &mut Vec<(Look, String)>, name: &str, value: &str, columns: usize) {
    push_wrapped(out, Look::Named(13), &format!(" {name:<12}{value}"), columns);
}

/// The rules that were kept, as many beside each other as fit.
fn kept(handshake: &Handshake, columns: usize) -> Vec<(Look, String)> {
    let kept = handshake.checks.iter().filter(|check| check.ok);
    let labels: Vec<String> = kept.map(|check| format!("✓ {}", label(check, handshake))).collect();
    // Each column is as wide as its longest label; a blank stands before the first, three between two.
    let widths = |beside: usize| -> Vec<usize> {
        let column = |nth| labels.iter().skip(nth).step_by(beside).map(|label| text::width(label)).max().unwrap_or(0);
        (0..beside).map(column).collect()
    };
    let fits = |widths: &Vec<usize>| widths.iter().map(|width| width + 3).sum::<usize>() <= columns + 2;
    let widths = [4, 3, 2].into_iter().map(widths).find(fits).unwrap_or_else(|| vec![columns.saturating_sub(1)]);
    let row = |row: &[String]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(label, &width)| text::left(label, width)).collect();
        (Look::Good, format!(" {}", cells.join("   ").trim_end()))
    };
    labels.chunks(widths.len()).map(row).collect()
}

/// A rule that was kept, in few words.
fn label(check: &Check, handshake: &Handshake) -> String {
    let answer = if check.detail.starts_with("answer:") { " in the answer" } else { "" };
    let words = match check.code {
        NoteCode::HsMethod => "method GET",
        NoteCode::HsHttpVersion => "HTTP/1.1 or later",
        NoteCode::HsHost => "one Host",
        NoteCode::HsUpgrade => "Upgrade: websocket",
        NoteCode::HsConnection => "Connection: Upgrade",
        NoteCode::HsChallenge => "keys make numbers",
        NoteCode::HsKey => "key of 16 bytes",
        NoteCode::HsVersion if handshake.version() != Version::Rfc6455 => "version of a draft",
        NoteCode::HsVersion => "version 13",
        NoteCode::HsStatus if handshake.response.as_ref().is_some_and(Head::is_h2) => "status 2xx",
        NoteCode::HsStatus => "status 101",
        NoteCode::HsPseudo => "CONNECT to websocket",
        NoteCode::HsSetting => "CONNECT allowed by SETTINGS",
        NoteCode::HsChallengeAnswer => "answer = md5(challenge)",
        NoteCode::HsAccept => "accept = base64(sha1(key + GUID))",
        NoteCode::HsOrigin => "origin repeated",
        NoteCode::HsLocation => "URL repeated",
        NoteCode::HsSubprotocol if handshake.subprotocol.is_none() => "no subprotocol chosen",
        NoteCode::HsSubprotocol => "subprotocol was offered",
        NoteCode::HsExtension if handshake.extensions.as_ref().is_none_or(Vec::is_empty) => "no extension chosen",
        NoteCode::HsExtension => "extensions were offered",
        NoteCode::HsDeflate => "deflate parameters are allowed",
        other => other.name(),
    };
    format!("{words}{answer}")
}

fn facts(connection: &Connection, handshake: &Handshake, tls: Option<&Told>) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let list = |items: &[String]| {
        if items.is_empty() { "none".to_owned() } else { display_str(&items.join(", ")).into_owned() }
    };
    if let Some(offered) = &handshake.subprotocols_offered {
        let chosen = handshake.subprotocol.as_deref().map_or_else(|| "none".into(), display_str);
        out.push(("Subprotocol", format!("{chosen}   offered: {}", list(offered))));
    }
    if let Some(extensions) = &handshake.extensions {
        out.push(("Extensions", list(extensions)));
    }
    if let (Some(accept), Some(expected)) = (&handshake.accept, &handshake.accept_expected)
        && accept != expected
    {
        out.push(("Accept", format!("{}   expected: {expected}", display_str(accept))));
    }
    let agreed = tls.and_then(|tls| tls.took).map(|nanos| format!("TLS {}", duration(nanos)));
    let latency = handshake.latency.map(|nanos| format!("request→answer {}", duration(nanos)));
    let request = handshake.request.as_ref();
    let opened = request.and_then(|head| head.span.last.since(connection.opened.first));
    let opened = opened.filter(|&nanos| nanos > 0).map(|nanos| format!("first packet→request {}", duration(nanos)));
    let timing: Vec<String> = [agreed, opened, latency].into_iter().flatten().collect();
    if !timing.is_empty() {
        out.push(("Timing", timing.join(" · ")));
    }
    out.extend(tls.map(|tls| ("TLS", tls.fact().to_owned())));
    out.extend(tls.and_then(|tls| Some(("Certificate", tls.certificate.clone()?))));
    let place = |name: &str, head: &Head| {
        let end = head.stream_offset.saturating_add(head.len);
        format!("{name} {} (bytes {}–{})", head.span.last.packet, number(head.stream_offset), number(end))
    };
    let response = handshake.response.as_ref();
    let frames: Vec<String> = request
        .map(|head| place("request", head))
        .into_iter()
        .chain(response.map(|head| place("response", head)))
        .chain(connection.stream.map(|stream| format!("tcp.stream {stream}")))
        .chain(connection.h2_stream.map(|stream| format!("http2.streamid {stream}")))
        .collect();
    out.push(("Frames", frames.join("   ")));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_what_is_secret() {
        assert_eq!(
            header_value("Cookie", "sid=1; theme=dark", false),
            "sid=••••••••••; theme=•••••••••• (hidden, S shows)"
        );
        assert_eq!(header_value("set-cookie", "sid=1; HttpOnly", false), "sid=••••••••••; HttpOnly (hidden, S shows)");
        assert_eq!(header_value("AUTHORIZATION", "Bearer x", false), "Bearer •••••••••• (hidden, S shows)");
        assert_eq!(header_value("Cookie", "sid=1", true), "sid=1");
        assert_eq!(header_value("Host", "a=b", false), "a=b");
    }
}
