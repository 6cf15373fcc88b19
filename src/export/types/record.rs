//! A type of messages as a record.

use super::{Told, Type};
use crate::export::json::{self, lit};
use crate::export::time::Rfc3339;

/// Appends everything behind `file_packet`; `of`: all messages that were counted.
pub(in crate::export) fn write(row: &Type, of: u64, times: &mut Rfc3339, out: &mut Vec<u8>) {
    let told = row.told.as_ref();
    lit!(out, r#","msg":"#);
    json::int(out, row.first.msg);
    lit!(out, r#","dir":"#);
    json::opt_string(out, told.map(|told| told.dir.name()));
    lit!(out, r#","type":"#);
    json::opt_string(out, told.map(|told| told.opcode.name()));
    lit!(out, r#","protocol":"#);
    json::opt_string(out, told.and_then(|told| told.protocol));
    lit!(out, r#","event":"#);
    json::opt_string(out, told.and_then(|Told { event, .. }| event.as_deref()));
    lit!(out, r#","shape":"#);
    json::opt_string(out, told.and_then(|Told { shape, .. }| shape.as_deref()));
    lit!(out, r#","heartbeat":"#);
    json::bool(out, told.is_some_and(|told| told.heartbeat));
    let [min, p50, p99, max] = row.sizes;
    for (name, value) in [("count", row.count), ("of", of), ("connections", row.connections), ("bytes", row.bytes)] {
        number(name, value, out);
    }
    for (name, value) in [("min", min), ("p50", p50), ("p99", p99), ("max", max)] {
        number(name, value, out);
    }
    lit!(out, r#","last":{"conn":"#);
    json::opt_int(out, row.last.at.conn.map(|conn| conn.0));
    number("msg", row.last.msg, out);
    number("packet", row.last.at.at.packet.0, out);
    lit!(out, r#","time":"#);
    times.write(row.last.at.at.time, out);
    lit!(out, r#"},"example":"#);
    json::string(out, &row.example);
    lit!(out, "}\n");
}

fn number(name: &str, value: impl itoa::Integer, out: &mut Vec<u8>) {
    lit!(out, ",");
    json::name(out, name);
    lit!(out, ":");
    json::int(out, value);
}
