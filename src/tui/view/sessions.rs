//! The list of TLS streams, with or without a connection inside.

use crate::export::{agreed, certificate};
use crate::model::{Severity, TlsSession, count, hex, size};
use crate::tui::app::App;
use crate::tui::text;
use crate::tui::tls::keys;
use ratatui::text::Line;

/// What is known of each stream, as `wspect keys` tells: what was agreed on, whether its key is known and from where, its randoms.
pub(super) fn lines(app: &App, columns: usize) -> Vec<Line<'static>> {
    let (sessions, more) = app.book.sessions();
    let mut lines: Vec<_> =
        sessions.iter().flat_map(|(stream, session)| entry(app, *stream, session, columns)).collect();
    if more > 0 {
        lines.push(Line::raw(format!(" … and {}: wspect keys", count(more, "TLS stream"))));
    }
    lines
}

fn entry(app: &App, stream: u32, session: &TlsSession, columns: usize) -> Vec<Line<'static>> {
    let TlsSession { client, server, outline, client_randoms, decrypted, .. } = session;
    let wrapped = |words: &str, indent: usize| {
        let begin = " ".repeat(indent);
        let words = text::wrap(words, columns.saturating_sub(indent + 1), 0).into_iter();
        words.map(move |line| format!("{begin}{line}")).collect::<Vec<_>>()
    };
    let ends = format!("stream {stream}  {client} → {server}  {} decrypted", size(*decrypted));
    let mut lines: Vec<_> = wrapped(&ends, 1).into_iter().map(|line| Line::styled(line, app.theme.bold())).collect();
    lines.extend(wrapped(&agreed(outline), 3).into_iter().map(Line::raw));
    let certificate = certificate(outline).map(|words| wrapped(&format!("certificate {words}"), 3));
    lines.extend(certificate.into_iter().flatten().map(Line::raw));
    let words = keys(outline, Some(session), app.load.key_logs());
    let known = wrapped(&words, 3).into_iter();
    lines.extend(known.map(|line| match session.why_not {
        Some(_) => Line::styled(line, app.theme.severity(Severity::Warning)),
        None => Line::raw(line),
    }));
    let randoms = client_randoms.iter().flat_map(|random| wrapped(&format!("random {}", hex(random)), 3));
    lines.extend(randoms.map(|line| Line::styled(line, app.theme.dim())));
    lines
}
