//! What a connection has to do with others: the requests of its session, and what the client had at the same place before and has next.

use super::app::App;
use super::clock::TimeMode;
use super::handshake::{Look, push_fact};
use super::text;
use crate::escape::display_str;
use crate::model::{Connection, Exchange, Mark, Probe, Requests, Stamp, Tie, duration, number, size};

/// Its lines; none where there is nothing to tell.
pub(super) fn session_lines(app: &App, connection: &Connection, columns: usize) -> Vec<(Look, String)> {
    let mut out = Vec::new();
    let opened = &connection.opened;
    let requests = app.book.requests(opened.session);
    let probe = probe(app, connection).words();
    let next = app.book.followed_by(connection.id);
    if requests.is_none() && probe.is_none() && next.is_none() && opened.reconnect_of.is_none() {
        return out;
    }
    out.push((Look::Plain, String::new()));
    push_fact(&mut out, "Session", &name(connection, requests), columns);
    if let Some(former) = opened.reconnect_of {
        let gap = former.gap.map_or_else(String::new, |gap| format!(", {} after its end", duration(gap)));
        push_fact(&mut out, "Follows", &format!("conn {}{gap}", former.conn), columns);
    }
    if let Some(next) = next {
        let gap = next.opened.reconnect_of.and_then(|former| former.gap);
        let gap = gap.map_or_else(String::new, |gap| format!(", {} after the end of this one", duration(gap)));
        push_fact(&mut out, "Then", &format!("conn {}{gap}", next.id), columns);
    }
    if let Some(probe) = probe {
        push_fact(&mut out, "Transport", &probe, columns);
    }
    if let Some(requests) = requests {
        let failed = if requests.failed > 0 { format!(", {} failed", requests.failed) } else { String::new() };
        let bytes = format!("{} sent, {} received", size(requests.sent), size(requests.received));
        push_fact(&mut out, "Requests", &format!("{}{failed} · {bytes}", number(requests.count)), columns);
        let lines = requests.in_order().into_iter().map(|(at, exchange)| request(app, at, exchange, opened.first));
        out.extend(lines.map(|line| (Look::Dim, text::cut(&line, columns))));
        let kept = requests.kept.len() as u64;
        if requests.count > kept {
            out.push((Look::Dim, format!("   and {} more", requests.count - kept)));
        }
    }
    out
}

/// `2 · engine.io 4 · id LsN-Smz4DYqzKjLGAAAB`.
fn name(connection: &Connection, requests: Option<&Requests>) -> String {
    let first = requests.and_then(|requests| requests.kept.first()).map(|(_, exchange)| exchange);
    let own = connection.opened.url.as_deref().and_then(|url| Tie::of("GET", url));
    let tie = first.and_then(Exchange::tie).or(own);
    let id = own.and_then(|tie| tie.id).or(first.and_then(Exchange::id));
    let mut parts = vec![connection.opened.session.to_string()];
    parts.extend(tie.map(|tie| match tie.version {
        Some(version) => format!("{} {}", tie.fallback.name(), display_str(version)),
        None => tie.fallback.name().to_owned(),
    }));
    parts.extend(id.filter(|_| tie.is_some()).map(|id| format!("id {}", display_str(id))));
    parts.join(" · ")
}

/// `   -0.025 poll GET 200, 105 B after 29.6 ms · tcp.stream 4 · frame 31`: the time is told from the connection's beginning.
fn request(app: &App, at: &Stamp, exchange: &Exchange, begin: Mark) -> String {
    let time = app.clock.column(TimeMode::SinceConnection, exchange.asked.first, Some(begin), 3);
    let step = exchange.tie().map_or("", |tie| tie.step.name());
    let sent = if exchange.sent > 0 { format!(" {}", size(exchange.sent)) } else { String::new() };
    let answer = match (exchange.status, exchange.answered) {
        (Some(status), Some(answered)) => {
            let took = answered.first.since(exchange.asked.last);
            let took = took.map_or_else(String::new, |took| format!(" after {}", duration(took)));
            format!("{status}, {}{took}", size(exchange.received))
        }
        _ => "no answer".to_owned(),
    };
    let stream = at.stream.map_or_else(String::new, |stream| format!(" · tcp.stream {stream}"));
    let frame = display_str(&app.book.place(exchange.asked.first.packet)).into_owned();
    let method = display_str(&exchange.method);
    format!("   {time:>8} {step:<9} {method}{sent}: {answer}{stream} · frame {frame}")
}

/// Whether the client tried the connection before it used it.
fn probe(app: &App, connection: &Connection) -> Probe {
    let mut probe = Probe::default();
    let Some(index) = app.book.index_of(connection.id) else { return probe };
    let first = (1..=Probe::WITHIN).map_while(|number| app.book.numbered(index, number));
    for row in first.filter_map(|id| app.book.message(id)).filter(|row| row.is_text() && row.len < 8) {
        if let Some(payload) = app.book.payload(&row, 0, 8) {
            probe.hear(row.dir, &payload, row.last);
        }
    }
    probe
}
