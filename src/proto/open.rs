//! The one registry of layers: no layer names another.

use super::http1::Http1;
use super::layer::{Hint, Layer};
use super::probe::Probe;
use super::proxy::Proxy;
use super::ws;

/// The layer for what is expected.
pub fn open(hint: Hint<'_>) -> Box<dyn Layer> {
    match hint {
        Hint::Unknown => Box::new(Probe::default()),
        Hint::Proxy => Box::new(Proxy::default()),
        Hint::Http1 => Box::new(Http1::default()),
        Hint::WebSocket { conn, handshake } => ws::open(conn, handshake),
    }
}
