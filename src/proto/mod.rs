//! Protocols over an ordered byte stream: each a layer that owns what it uncovers.

pub mod http1;
pub mod layer;
mod open;
mod probe;
pub mod proxy;
pub mod tls;
pub mod ws;

pub use open::open;
