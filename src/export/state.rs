//! What stands on a connection at a moment: as members of a record, and as lines.

use super::json::{self, lit};
use super::out::Out;
use crate::escape::display_str;
use crate::model::{Moment, Pending, Since, Standing, count, duration, number};

/// Appends it as JSON: the members of a record of the kind `state`, in an object of their own.
pub fn write_state(state: &Moment, out: &mut Vec<u8>) {
    lit!(out, "{");
    members(state, out);
    lit!(out, "}");
}

/// Appends the members.
pub(super) fn members(state: &Moment, row: &mut Vec<u8>) {
    lit!(row, r#""open":"#);
    json::list(row, &state.open, |row, thing| {
        lit!(row, r#"{"what":"#);
        json::name(row, thing.kind);
        lit!(row, r#","id":"#);
        json::string(row, &thing.id);
        lit!(row, r#","name":"#);
        json::opt_string(row, thing.name.as_deref());
        since(&thing.since, row);
        lit!(row, "}");
    });
    lit!(row, r#","open_more":"#);
    json::int(row, state.open_more);
    lit!(row, r#","pending":"#);
    json::list(row, &state.pending, |row, asked| {
        lit!(row, r#"{"event":"#);
        json::opt_string(row, asked.event.as_deref());
        lit!(row, r#","id":"#);
        json::string(row, &asked.id);
        lit!(row, r#","replies":"#);
        json::int(row, asked.replies);
        since(&asked.since, row);
        lit!(row, "}");
    });
    lit!(row, r#","pending_more":"#);
    json::int(row, state.pending_more);
    lit!(row, r#","partial":"#);
    json::bool(row, state.partial);
}

fn since(since: &Since, row: &mut Vec<u8>) {
    lit!(row, r#","since_msg":"#);
    json::int(row, since.msg);
    lit!(row, r#","dir":"#);
    json::name(row, since.dir.name());
    lit!(row, r#","age_ns":"#);
    json::opt_int(row, since.age);
}

/// Appends it as lines: a head with both counts, and one for each thing and request.
pub(super) fn write_lines(state: &Moment, out: &mut Out<'_>) {
    let opened = state.open.len() as u64 + state.open_more;
    let asked = count(state.pending.len() as u64 + state.pending_more, "request");
    let doubt = if state.partial { "; messages were lost: it may be otherwise" } else { "" };
    out.line(&format!("state: {} open, {asked} without an answer{doubt}", number(opened)));
    for Standing { kind, id, name, since } in &state.open {
        let name = name.as_ref().map_or_else(String::new, |name| format!(" {}", display_str(name)));
        out.line(&format!("  {kind} {}{name}  {}", display_str(id), ago(since)));
    }
    more(state.open_more, out);
    for Pending { event, id, replies, since } in &state.pending {
        let event = event.as_deref().unwrap_or("request");
        let id = if id.is_empty() { String::new() } else { format!(" #{}", display_str(id)) };
        let replies = if *replies > 0 { format!(", {} so far", replies_of(*replies)) } else { String::new() };
        out.line(&format!("  waits: {}{id}  {}{replies}", display_str(event), ago(since)));
    }
    more(state.pending_more, out);
}

fn replies_of(replies: u64) -> String {
    if replies == 1 { "1 reply".to_owned() } else { format!("{} replies", number(replies)) }
}

fn more(more: u64, out: &mut Out<'_>) {
    if more > 0 {
        out.line(&format!("  … {} more", number(more)));
    }
}

fn ago(since: &Since) -> String {
    let age = since.age.map_or_else(String::new, |age| format!(", for {}", duration(age)));
    format!("since message {} {}{age}", since.msg, since.dir.arrow())
}
