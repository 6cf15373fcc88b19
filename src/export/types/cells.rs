//! Types of messages as cells between signs: the keys of their records.

use super::{Seen, Type};
use crate::export::cells::Delimited;
use crate::export::{Form, Out};

/// The columns: the first message stands in those that have no `last_` before them.
const COLUMNS: [&str; 23] = [
    "count",
    "of",
    "connections",
    "bytes",
    "min",
    "p50",
    "p99",
    "max",
    "dir",
    "type",
    "protocol",
    "event",
    "shape",
    "heartbeat",
    "conn",
    "msg",
    "packet",
    "time",
    "last_conn",
    "last_msg",
    "last_packet",
    "last_time",
    "example",
];

/// Writes a line of cells for each type.
pub struct TypeCells(pub Delimited);

impl TypeCells {
    fn line(&self, cells: &[String], out: &mut Out<'_>) {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                out.text(self.0.separator.encode_utf8(&mut [0; 4]));
            }
            self.0.write(cell, out);
        }
        out.text("\n");
        out.spill();
    }
}

impl Form for TypeCells {
    fn types(&mut self, rows: &[Type], of: u64, out: &mut Out<'_>) {
        self.line(&COLUMNS.map(str::to_owned), out);
        for row in rows {
            self.line(&cells(row, of), out);
        }
    }
}

fn cells(row: &Type, of: u64) -> [String; COLUMNS.len()] {
    let [min, p50, p99, max] = row.sizes.map(|size| size.to_string());
    let told = row.told.as_ref();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let time = |Seen { at, .. }: Seen| at.at.time.map_or_else(String::new, |time| time.to_string());
    let conn = |Seen { at, .. }: Seen| at.conn.map_or_else(String::new, |conn| conn.to_string());
    [
        row.count.to_string(),
        of.to_string(),
        row.connections.to_string(),
        row.bytes.to_string(),
        min,
        p50,
        p99,
        max,
        text(told.map(|told| told.dir.name())),
        text(told.map(|told| told.opcode.name())),
        text(told.and_then(|told| told.protocol)),
        text(told.and_then(|told| told.event.as_deref())),
        text(told.and_then(|told| told.shape.as_deref())),
        told.is_some_and(|told| told.heartbeat).to_string(),
        conn(row.first),
        row.first.msg.to_string(),
        row.first.at.at.packet.to_string(),
        time(row.first),
        conn(row.last),
        row.last.msg.to_string(),
        row.last.at.at.packet.to_string(),
        time(row.last),
        row.example.clone(),
    ]
}
