//! A session as a record.

use super::{Leg, Session};
use crate::export::json::{self, lit};
use crate::export::time::Rfc3339;
use crate::model::{Exchange, Reconnect, Stamp};
use std::io::Write as _;

/// Appends everything behind `file_packet`.
pub(in crate::export) fn write(row: &Session, times: &mut Rfc3339, out: &mut Vec<u8>) {
    lit!(out, r#","session":"#);
    json::opt_int(out, row.id.map(|id| id.0));
    lit!(out, r#","protocol":"#);
    json::opt_string(out, row.fallback.map(|fallback| fallback.name()));
    text("version", row.version.as_deref(), out);
    text("id", row.name.as_deref(), out);
    let ends = row.ends.map(|(client, server)| (client.to_string(), server.to_string()));
    text("client", ends.as_ref().map(|(client, _)| client.as_str()), out);
    text("server", ends.as_ref().map(|(_, server)| server.as_str()), out);
    text("host", row.place.as_ref().map(|(host, _)| host.as_str()), out);
    text("path", row.place.as_ref().map(|(_, path)| path.as_str()), out);
    lit!(out, r#","end":"#);
    times.write(row.last.time, out);
    reconnect(row.reconnect_of, out);
    let requests = &row.requests;
    lit!(out, r#","requests":{"count":"#);
    json::int(out, requests.count);
    for (name, value) in [("failed", requests.failed), ("sent", requests.sent), ("received", requests.received)] {
        let _ = write!(out, r#","{name}":{value}"#);
    }
    let span = (requests.count > 0).then_some(requests.span);
    lit!(out, r#","start":"#);
    times.write(span.and_then(|span| span.first.time), out);
    lit!(out, r#","end":"#);
    times.write(span.and_then(|span| span.last.time), out);
    lit!(out, r#","first":"#);
    json::list(out, requests.in_order(), |out, (at, exchange)| request(at, exchange, times, out));
    lit!(out, r#"},"connections":"#);
    json::list(out, &row.connections, |out, leg| connection(leg, times, out));
    lit!(out, r#","more_connections":"#);
    json::int(out, row.more_connections);
    lit!(out, "}\n");
}

fn request(at: &Stamp, exchange: &Exchange, times: &mut Rfc3339, out: &mut Vec<u8>) {
    lit!(out, r#"{"step":"#);
    json::opt_string(out, exchange.tie().map(|tie| tie.step.name()));
    text("method", Some(&exchange.method), out);
    text("url", Some(&exchange.url), out);
    lit!(out, r#","status":"#);
    json::opt_int(out, exchange.status);
    lit!(out, r#","tcp_stream":"#);
    json::opt_int(out, at.stream);
    lit!(out, r#","time":"#);
    times.write(exchange.asked.first.time, out);
    let packet = exchange.asked.first.packet;
    let _ = write!(out, r#","packet":{packet},"answer_packet":"#);
    json::opt_int(out, exchange.answered.map(|answered| answered.last.packet.0));
    lit!(out, r#","latency_ns":"#);
    json::opt_int(out, exchange.answered.and_then(|answered| answered.first.since(exchange.asked.last)));
    let _ = write!(out, r#","sent":{},"received":{}}}"#, exchange.sent, exchange.received);
}

fn connection(leg: &Leg, times: &mut Rfc3339, out: &mut Vec<u8>) {
    let _ = write!(out, r#"{{"conn":{},"tcp_stream":"#, leg.conn);
    json::opt_int(out, leg.stream);
    lit!(out, r#","start":"#);
    times.write(leg.first.time, out);
    lit!(out, r#","end":"#);
    times.write(leg.last.and_then(|last| last.time), out);
    lit!(out, r#","first_packet":"#);
    json::int(out, leg.first.packet.0);
    lit!(out, r#","status":"#);
    json::opt_int(out, leg.status);
    lit!(out, r#","probe_ns":"#);
    json::opt_int(out, leg.probe.took());
    lit!(out, r#","upgrade_packet":"#);
    json::opt_int(out, leg.probe.upgraded.map(|mark| mark.packet.0));
    reconnect(leg.reconnect_of, out);
    lit!(out, r#","followed_by":"#);
    json::opt_int(out, leg.next.map(|(conn, _)| conn.0));
    lit!(out, "}");
}

/// Appends `reconnect_of` and `gap_ns`.
pub(in crate::export) fn reconnect(reconnect: Option<Reconnect>, out: &mut Vec<u8>) {
    lit!(out, r#","reconnect_of":"#);
    json::opt_int(out, reconnect.map(|Reconnect { conn, .. }| conn.0));
    lit!(out, r#","gap_ns":"#);
    json::opt_int(out, reconnect.and_then(|Reconnect { gap, .. }| gap));
}

fn text(name: &str, value: Option<&str>, out: &mut Vec<u8>) {
    lit!(out, ",");
    json::name(out, name);
    lit!(out, ":");
    json::opt_string(out, value);
}
