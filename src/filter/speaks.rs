//! What the user says that connections speak.

use super::{Filter, Item, Row, Rows};
use crate::decode::{DECODERS, Decoder, Hints, Schema, Speaker};
use crate::model::{Connection, nearest};

/// Connections that pass a filter speak this.
pub type Speaks = (Filter, Speaker);

/// The decoder whose messages may have types, which are named behind it: `protobuf:chat.Envelope`.
const TYPED: &str = "protobuf";

/// Reads a filter of connections and the name of a decoder of ours, behind which a type of the schema may stand.
///
/// # Errors
/// What is wrong with one of them.
pub fn speaks(selector: &str, name: &str, schema: Option<&Schema>) -> Result<Vec<Speaks>, String> {
    let speakers = speakers(name, schema)?.ok_or_else(|| no_decoder(name, &[]))?;
    speakers.into_iter().map(|speaker| Ok((of_connections(selector)?, speaker))).collect()
}

/// Who is named: a decoder of ours, and the type of its messages where that stands behind it; `None` where none is called so.
///
/// # Errors
/// Where there is no such type.
pub fn speakers(name: &str, schema: Option<&Schema>) -> Result<Option<Vec<Speaker>>, String> {
    let (name, message) = with_type(name);
    let Some(decoder) = Decoder::find(name) else { return Ok(None) };
    let mut speakers = vec![Speaker::Ours(decoder)];
    if let Some(message) = message {
        let schema =
            schema.ok_or_else(|| format!("{name}:{message}: --proto FILE is to name a schema with this type"))?;
        speakers.push(Speaker::Typed(schema.with_type(message)?));
    }
    Ok(Some(speakers))
}

/// The name of a decoder, and that of a type behind it.
pub fn with_type(name: &str) -> (&str, Option<&str>) {
    match name.split_once(':') {
        Some((decoder, message)) if decoder.eq_ignore_ascii_case(TYPED) => (TYPED, Some(message)),
        _ => (name, None),
    }
}

/// The schema that messages may be of.
pub fn schema_of(said: &[Speaks]) -> Option<&Schema> {
    said.iter().find_map(|(_, speaker)| if let Speaker::Typed(schema) = speaker { Some(schema) } else { None })
}

/// That no decoder has this name, neither of ours nor of `theirs`; not escaped.
pub fn no_decoder(name: &str, theirs: &[&str]) -> String {
    let names = DECODERS.iter().map(|decoder| decoder.name).chain(theirs.iter().copied());
    let meant = nearest(name, names).map_or_else(String::new, |meant| format!(", did you mean {meant}?"));
    format!("unknown protocol {name}: websocket, none or a decoder{meant} (docs/DECODERS.md)")
}

/// A filter of connections that can be asked when they begin.
///
/// # Errors
/// What is wrong with it.
pub fn of_connections(text: &str) -> Result<Filter, String> {
    let connections = Filter::new(text).map_err(|problem| problem.to_string())?;
    connections.suits(Rows::CONNECTIONS).map_err(|problem| problem.to_string())?;
    match connections.late(Rows::MESSAGES) {
        Some(field) => Err(format!("{field} is known when a connection ends: that is too late")),
        None => Ok(connections),
    }
}

/// What is known of a connection before anything is said in it, and what the user says that it speaks: the first of `said` that fits,
/// and the first schema.
pub fn begin(said: &[Speaks], conn: &Connection) -> (Hints, Option<Speaker>) {
    let at = conn.stamp();
    let row = Row { at: &at, origin: None, conn: Some(conn), handshake: None, item: Item::Connection };
    let mut hints = Hints::of(conn);
    let mut spoken = None;
    for (_, speaker) in said.iter().filter(|(connections, _)| connections.passes(&row)) {
        match speaker {
            Speaker::Typed(schema) if hints.schema.is_none() => hints.schema = Some(schema.clone()),
            Speaker::Typed(_) => {}
            other if spoken.is_none() => spoken = Some(other.clone()),
            _ => {}
        }
    }
    (hints, spoken)
}
