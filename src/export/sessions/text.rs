//! Sessions as text: a line for each, and below it its requests, its connections, and what it follows.

use super::{Leg, Session};
use crate::escape;
use crate::export::Out;
use crate::export::payload::fit;
use crate::export::style::{Ink, Style};
use crate::export::time::Clock;
use crate::model::{Exchange, Mark, Reconnect, Requests, Stamp, count, duration, size};
use unicode_width::UnicodeWidthStr as _;

/// Columns before the place.
const HEADER: [&str; 5] = ["session", "protocol", "start", "duration", "client"];
/// Requests listed of a session.
const LISTED: usize = 10;

/// Appends the sessions with their header.
pub(in crate::export) fn write(rows: &[Session], clock: &mut Clock, style: Style, out: &mut Out<'_>) {
    let cells: Vec<_> = rows.iter().map(|row| cells(row, clock)).collect();
    let mut widths = HEADER.map(str::width);
    for row in &cells {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = cell.width().max(*width));
    }
    let columns = style.columns.unwrap_or(usize::MAX);
    let line = |cells: &[String], place: &str| {
        let padded = cells.iter().zip(widths).enumerate().map(|(at, (cell, width))| match at {
            0 | 3 => format!("{cell:>width$}  "),
            _ => format!("{cell:<width$}  "),
        });
        fit(&format!("{}{place}", padded.collect::<String>()), columns, false).trim_end().to_owned()
    };
    out.line(&style.paint(Ink::Dim, line(&HEADER.map(str::to_owned), "host and path")).to_string());
    for (row, cells) in rows.iter().zip(&cells) {
        let place = match &row.place {
            Some((host, path)) => format!("{host}{path}"),
            None if row.id.is_none() => String::from("more sessions than are told apart"),
            None => row.ends.map_or_else(|| String::from("-"), |(_, server)| server.to_string()),
        };
        out.line(&line(cells, &escape::display_str(&place)));
        for text in below(row, clock) {
            let text = format!("         {}", escape::display_str(&text));
            out.line(&style.paint(Ink::Dim, fit(&text, columns, false)).to_string());
        }
        out.spill();
    }
}

fn cells(row: &Session, clock: &mut Clock) -> [String; HEADER.len()] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| String::from("-"));
    let protocol = row.fallback.map_or("websocket", |fallback| fallback.name());
    let protocol = match &row.version {
        Some(version) => format!("{protocol} {}", escape::display_str(version)),
        None => protocol.to_owned(),
    };
    [
        or_dash(row.id.map(|id| id.to_string())),
        protocol,
        time(row.begin.at, clock),
        or_dash(row.last.since(row.begin.at).map(duration)),
        or_dash(row.ends.map(|(client, _)| client.to_string())),
    ]
}

/// What stands below a session; not escaped.
fn below(row: &Session, clock: &mut Clock) -> Vec<String> {
    let name = row.name.as_ref().map(|name| format!("id {name}"));
    let follows = row.reconnect_of.map(|reconnect| format!("begins {}", after(reconnect)));
    let mut lines: Vec<String> = name.into_iter().chain(follows).collect();
    if row.requests.count > 0 {
        lines.push(sum(&row.requests));
        let all = row.requests.in_order();
        lines.extend(all.iter().take(LISTED).map(|(at, exchange)| request(at, exchange, clock)));
        let listed = all.len().min(LISTED) as u64;
        if row.requests.count > listed {
            lines.push(format!("  and {} more", row.requests.count - listed));
        }
    }
    lines.extend(row.connections.iter().map(|leg| connection(leg, row.reconnect_of, clock)));
    if row.more_connections > 0 {
        lines.push(count(row.more_connections, "more connection"));
    }
    lines
}

/// `5 requests, 1 failed: 120 B sent, 3.2 kB received`.
fn sum(requests: &Requests) -> String {
    let failed = if requests.failed > 0 { format!(", {} failed", requests.failed) } else { String::new() };
    let (sent, received) = (size(requests.sent), size(requests.received));
    format!("{}{failed}: {sent} sent, {received} received", count(requests.count, "request"))
}

/// `  0.011333  negotiate  GET 200, 118 B after 2.1 ms  stream 0, packet 5`.
fn request(at: &Stamp, exchange: &Exchange, clock: &mut Clock) -> String {
    let Exchange { method, status, asked, answered, sent, received, .. } = exchange;
    let step = exchange.tie().map_or("-", |tie| tie.step.name());
    let sent = if *sent > 0 { format!(" {}", size(*sent)) } else { String::new() };
    let answer = match (status, answered) {
        (Some(status), Some(answered)) => {
            let took =
                answered.first.since(asked.last).map_or_else(String::new, |took| format!(" after {}", duration(took)));
            format!("{status}, {}{took}", size(*received))
        }
        _ => String::from("no answer"),
    };
    let stream = at.stream.map_or_else(String::new, |stream| format!("stream {stream}, "));
    let time = time(asked.first, clock);
    format!("  {time}  {step:<9}  {method}{sent}: {answer}  ({stream}packet {})", asked.first.packet)
}

/// `conn 2  0.020301 for 2.0s, 101, probe answered after 1.2 ms, upgraded, 1.2s after the end of conn 1; then conn 3`.
fn connection(leg: &Leg, of_session: Option<Reconnect>, clock: &mut Clock) -> String {
    let mut parts = Vec::new();
    let lasts = leg.last.and_then(|last| last.since(leg.first)).map(|lasted| format!(" for {}", duration(lasted)));
    parts.push(format!("{}{}", time(leg.first, clock), lasts.unwrap_or_default()));
    parts.extend(
        leg.status
            .filter(|&status| leg.accepted == Some(false) || status != 101)
            .map(|status| format!("refused with {status}")),
    );
    parts.extend(leg.probe.words());
    // What the session follows stands above.
    let own = leg.reconnect_of.filter(|own| of_session.is_none_or(|other| other.conn != own.conn));
    parts.extend(own.map(after));
    if let Some((next, gap)) = leg.next {
        let gap = gap.map_or_else(String::new, |gap| format!(" after {}", duration(gap)));
        parts.push(format!("followed by conn {next}{gap}"));
    }
    format!("conn {}  {}", leg.conn, parts.join(", "))
}

/// `1.2s after the end of conn 1`.
fn after(Reconnect { conn, gap }: Reconnect) -> String {
    let gap = gap.map_or_else(String::new, |gap| format!("{} ", duration(gap)));
    format!("{gap}after the end of conn {conn}")
}

fn time(mark: Mark, clock: &mut Clock) -> String {
    let mut text = String::new();
    clock.write(mark.time, &mut text);
    text.trim().to_owned()
}
