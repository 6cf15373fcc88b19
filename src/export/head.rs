//! A handshake as text: what was asked, what was answered, and which rules were kept.

use super::Out;
use super::keys::{agreed, certificate};
use super::page::write_comments;
use super::style::{Ink, Style};
use super::time::Clock;
use crate::escape;
use crate::model::{Check, Direction, Facts, FileRuns, Handshake, Head, Stamp, StartLine, TlsOutline, duration};
use unicode_width::UnicodeWidthStr as _;

/// Appends one handshake, and the TLS around it.
pub(super) fn write(
    at: &Stamp,
    handshake: &Handshake,
    tls: Option<&TlsOutline>,
    (files, facts): (&FileRuns, &Facts),
    clock: &mut Clock,
    style: Style,
    out: &mut Out<'_>,
) {
    let conn = at.conn.map_or(String::new(), |conn| format!("conn {conn}  "));
    let url = escape::display_str(handshake.url.as_deref().unwrap_or("(no request captured)"));
    let latency = handshake.latency.map_or(String::new(), |latency| format!(" in {}", duration(latency)));
    let (ink, outcome) = outcome(handshake);
    // The request line below has the whole of a long one.
    let title = format!("{conn}{url}");
    let title = style.cut(&title, 2 + outcome.width() + latency.width());
    out.line(&format!("{}  {}{latency}", style.paint(Ink::Bold, title), style.paint(ink, outcome)));
    for (dir, head) in [(Direction::ToServer, &handshake.request), (Direction::ToClient, &handshake.response)] {
        if let Some(head) = head {
            write_head(dir, head, &files.place(head.span.last.packet), clock, style, out);
            write_comments(facts, head.span, "    ", style, out);
        }
    }
    let longest = handshake.checks.iter().map(|check| check.code.name().len()).max().unwrap_or(0);
    for check in &handshake.checks {
        write_check(check, longest, style, out);
    }
    if let Some(tls) = tls {
        write_tls(tls, style, out);
    }
}

/// What was agreed on, and how long that took.
fn write_tls(tls: &TlsOutline, style: Style, out: &mut Out<'_>) {
    let took = tls.took.map_or(String::new(), |nanos| format!(" · handshake {}", duration(nanos)));
    let words = agreed(tls) + &took;
    let begin = format!("  {}  ", style.paint(Ink::Dim, "TLS"));
    style.hang(&begin, 7, Ink::Plain, words.strip_prefix("TLS ").unwrap_or(&words), out);
    if let Some(words) = certificate(tls) {
        let begin = format!("  {}  ", style.paint(Ink::Dim, "certificate"));
        style.hang(&begin, 15, Ink::Plain, &words, out);
    }
}

/// A rule that was kept in a line; one that was broken in two: what it says and what was seen, likely cause and advice.
fn write_check(check: &Check, longest: usize, style: Style, out: &mut Out<'_>) {
    let Check { code, ok, detail } = check;
    let detail = escape::display_str(detail);
    // Words stand behind the sign and the code, and go on there.
    let margin = 4 + longest + 2;
    let mut write = |begin: String, ink, text: &str| style.hang(&begin, margin, ink, text, out);
    if *ok {
        return write(format!("  {} {code:<longest$}  ", style.paint(Ink::Good, "✓")), Ink::Plain, &detail);
    }
    let row = code.row();
    let sign = style.paint(row.severity.into(), row.severity.sign());
    write(format!("  {sign} {code:<longest$}  "), Ink::Plain, &row.with(&detail));
    write(" ".repeat(margin), Ink::Dim, &format!("{} {}", row.cause, row.next));
}

/// `accepted`, `refused with 403`, `switched to h2c`, `not answered`.
pub(super) fn outcome(handshake: &Handshake) -> (Ink, String) {
    if let Some(protocol) = handshake.elsewhere() {
        return (Ink::Error, format!("switched to {}", escape::display_str(protocol)));
    }
    match (handshake.accepted, handshake.status()) {
        (Some(true), _) => (Ink::Good, String::from("accepted")),
        (Some(false), Some(status)) => (Ink::Error, format!("refused with {status}")),
        (Some(false), None) => (Ink::Error, String::from("refused")),
        (None, _) => (Ink::Warning, String::from("no answer seen")),
    }
}

/// Appends a head, whose last byte came in the packet `place`.
fn write_head(dir: Direction, head: &Head, place: &str, clock: &mut Clock, style: Style, out: &mut Out<'_>) {
    let mut time = String::new();
    clock.write(head.span.last.time, &mut time);
    let start = match &head.start {
        StartLine::Request { method, target, version } => format!("{method} {target} {version}"),
        StartLine::Response { version, status, reason } => format!("{version} {status} {reason}"),
    };
    let place = format!("frame {}, {}", escape::display_str(place), time.trim_start());
    let lines = style.wrap(&escape::display_str(start.trim_end()), 4 + 2 + place.width(), 0);
    for (nth, line) in lines.iter().enumerate() {
        let arrow = if nth == 0 { dir.arrow() } else { " " };
        let place = if nth + 1 == lines.len() { format!("  {}", style.paint(Ink::Dim, &place)) } else { String::new() };
        out.line(&format!("  {} {}{place}", style.paint(dir.into(), arrow), style.paint(dir.into(), line)));
    }
    for (name, value) in &head.headers {
        let name = escape::display_str(name);
        let line = format!("{name}: {}", escape::display_str(value));
        for (nth, line) in style.wrap(&line, 4, 4).into_iter().enumerate() {
            match line.split_at_checked(name.len() + 1).filter(|_| nth == 0) {
                Some((name, value)) => out.line(&format!("    {}{value}", style.paint(Ink::Dim, name))),
                None => out.line(&format!("    {line}")),
            }
        }
        out.spill();
    }
}
