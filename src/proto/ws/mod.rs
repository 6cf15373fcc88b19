//! WebSocket (RFC 6455 §5): frames, and the messages that they make up.

mod assembly;
mod deflate;
mod ending;
pub mod frame;
mod half;
mod layer;
pub mod mask;
mod masks;
mod pings;
mod rules;
mod tell;

pub use layer::Ws;
