//! WebSocket (RFC 6455 §5, and the drafts before it): frames, and the messages that they make up.

mod assembly;
mod deflate;
mod draft;
mod ending;
mod extension;
pub mod frame;
mod habits;
mod half;
mod heartbeats;
mod hixie;
mod http2;
mod layer;
pub mod mask;
mod masks;
mod midstream;
mod pings;
mod resent;
mod resync;
mod rules;
mod seek;
mod stream;
mod tell;
mod told;
mod utf8;
mod waits;

pub use layer::Ws;
pub use midstream::Midstream;

use super::layer::Layer;
use crate::model::{ConnId, Handshake};

/// The layer for what follows a handshake.
pub fn open(conn: ConnId, handshake: &Handshake) -> Box<dyn Layer> {
    let ws = Ws::new(conn, handshake);
    let accepted = |name: &str| {
        let mut names = handshake.extensions.iter().flatten().filter_map(|extension| extension.split(';').next());
        names.any(|extension| extension.trim().eq_ignore_ascii_case(name))
    };
    if handshake.version().is_hixie() {
        Box::new(hixie::Hixie::new(ws))
    } else if accepted("deflate-stream") {
        Box::new(stream::DeflateStream::new(ws))
    } else {
        Box::new(ws)
    }
}
