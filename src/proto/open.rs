//! The one registry of layers: no layer names another.

use super::http1::Http1;
use super::http2::Http2;
use super::layer::{Hint, Layer};
use super::probe::Probe;
use super::proxy::Proxy;
use super::tls::Tls;
use super::ws::{self, Midstream};

/// The layer for what is expected.
pub fn open(hint: Hint<'_>) -> Box<dyn Layer> {
    match hint {
        Hint::Unknown => Box::new(Probe::default()),
        Hint::Holed => Box::new(Probe::holed()),
        Hint::Proxy => Box::new(Proxy::default()),
        Hint::Tls => Box::new(Tls::default()),
        Hint::Http2 => Box::new(Http2::default()),
        Hint::Http2Late => Box::new(Http2::late()),
        Hint::Http2Upgraded => Box::new(Http2::upgraded()),
        Hint::Http1 => Box::new(Http1::default()),
        Hint::Midstream { from_start } => Box::new(Midstream::new(from_start)),
        Hint::WebSocket { conn, handshake } => ws::open(conn, handshake),
    }
}
