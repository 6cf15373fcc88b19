//! What the user says that connections speak.

use super::{Filter, Item, Row, Rows};
use crate::decode::{DECODERS, Decoder, Hints, Speaker};
use crate::model::{Connection, nearest};

/// Connections that pass a filter speak this.
pub type Speaks = (Filter, Speaker);

/// Reads a filter of connections and the name of a decoder of ours.
///
/// # Errors
/// What is wrong with one of them.
pub fn speaks(selector: &str, name: &str) -> Result<Speaks, String> {
    let decoder = Decoder::find(name).ok_or_else(|| no_decoder(name, &[]))?;
    Ok((of_connections(selector)?, Speaker::Ours(decoder)))
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

/// What is known of a connection before anything is said in it, and what the user says that it speaks: the first of `said` that fits.
pub fn begin(said: &[Speaks], conn: &Connection) -> (Hints, Option<Speaker>) {
    let at = conn.stamp();
    let row = Row { at: &at, origin: None, conn: Some(conn), handshake: None, item: Item::Connection };
    let fits = said.iter().find(|(connections, _)| connections.passes(&row));
    (Hints::of(conn), fits.map(|(_, speaker)| speaker.clone()))
}
