//! A handshake as text: what was asked, what was answered, and which rules were kept.

use super::style::{Ink, Style};
use super::time::Clock;
use super::{Out, wrap};
use crate::escape;
use crate::model::{Check, Direction, Handshake, Head, Stamp, StartLine, duration};

/// Columns that words get at least, however narrow the terminal.
const MIN_WORDS: usize = 24;

/// Appends one handshake.
pub(super) fn write(at: &Stamp, handshake: &Handshake, clock: &mut Clock, style: Style, out: &mut Out<'_>) {
    let conn = at.conn.map_or(String::new(), |conn| format!("conn {conn}  "));
    let url = escape::display_str(handshake.url.as_deref().unwrap_or("(no request captured)"));
    let latency = handshake.latency.map_or(String::new(), |latency| format!(" in {}", duration(latency)));
    out.line(&format!("{}  {}{latency}", style.paint(Ink::Bold, format!("{conn}{url}")), outcome(handshake, style)));
    for (dir, head) in [(Direction::ToServer, &handshake.request), (Direction::ToClient, &handshake.response)] {
        if let Some(head) = head {
            write_head(dir, head, clock, style, out);
        }
    }
    let longest = handshake.checks.iter().map(|check| check.code.name().len()).max().unwrap_or(0);
    for check in &handshake.checks {
        write_check(check, longest, style, out);
    }
}

/// A rule that was kept in a line; one that was broken in two: what it says and what was seen, likely cause and advice.
fn write_check(check: &Check, longest: usize, style: Style, out: &mut Out<'_>) {
    let Check { code, ok, detail } = check;
    let detail = escape::display_str(detail);
    // Words stand behind the sign and the code, and go on there.
    let margin = 4 + longest + 2;
    let lines = |text: &str| match style.columns {
        Some(columns) => wrap(text, columns.saturating_sub(margin).max(MIN_WORDS), 0),
        None => vec![text.to_owned()],
    };
    let mut write = |begin: String, ink, text: &str| {
        for (nth, line) in lines(text).into_iter().enumerate() {
            let begin = if nth == 0 { begin.as_str() } else { &" ".repeat(margin) };
            out.line(&format!("{begin}{}", style.paint(ink, line)));
        }
    };
    if *ok {
        return write(format!("  {} {code:<longest$}  ", style.paint(Ink::Good, "✓")), Ink::Plain, &detail);
    }
    let row = code.row();
    let sign = style.paint(row.severity.into(), row.severity.sign());
    let what = format!("{}: {detail}", row.text.trim_end_matches('.'));
    write(format!("  {sign} {code:<longest$}  "), Ink::Plain, &what);
    write(" ".repeat(margin), Ink::Dim, &format!("{} {}", row.cause, row.next));
}

/// `accepted`, `refused with 403`, `switched to h2c`, `not answered`.
pub(super) fn outcome(handshake: &Handshake, style: Style) -> String {
    if let Some(protocol) = handshake.elsewhere() {
        return style.paint(Ink::Error, format!("switched to {}", escape::display_str(protocol))).to_string();
    }
    match (handshake.accepted, handshake.status()) {
        (Some(true), _) => style.paint(Ink::Good, "accepted").to_string(),
        (Some(false), Some(status)) => style.paint(Ink::Error, format!("refused with {status}")).to_string(),
        (Some(false), None) => style.paint(Ink::Error, "refused").to_string(),
        (None, _) => style.paint(Ink::Warning, "no answer seen").to_string(),
    }
}

fn write_head(dir: Direction, head: &Head, clock: &mut Clock, style: Style, out: &mut Out<'_>) {
    let mut time = String::new();
    clock.write(head.span.last.time, &mut time);
    let start = match &head.start {
        StartLine::Request { method, target, version } => format!("{method} {target} {version}"),
        StartLine::Response { version, status, reason } => format!("{version} {status} {reason}"),
    };
    let place = style.paint(Ink::Dim, format!("frame {}, {}", head.span.last.packet, time.trim_start()));
    let start = escape::display_str(start.trim_end()).into_owned();
    out.line(&format!("  {} {}  {place}", style.paint(dir.into(), dir.arrow()), style.paint(dir.into(), start)));
    for (name, value) in &head.headers {
        let name = escape::display_str(name);
        let line = format!("{name}: {}", escape::display_str(value));
        let columns = style.columns.map_or(usize::MAX, |columns| columns.saturating_sub(4).max(MIN_WORDS));
        for (nth, line) in wrap(&line, columns, 4).into_iter().enumerate() {
            match line.split_at_checked(name.len() + 1).filter(|_| nth == 0) {
                Some((name, value)) => out.line(&format!("    {}{value}", style.paint(Ink::Dim, name))),
                None => out.line(&format!("    {line}")),
            }
        }
        out.spill();
    }
}
