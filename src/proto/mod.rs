//! Protocols over an ordered byte stream: each a layer that owns what it uncovers.

mod handshake;
pub mod http1;
pub mod http2;
pub mod layer;
mod open;
mod probe;
pub mod proxy;
pub mod tls;
pub mod ws;

pub use open::open;
