//! WebSocket (RFC 6455 §5): frames, and the messages that they make up.

mod assembly;
pub mod frame;
mod layer;
pub mod mask;
mod pings;
mod rules;

pub use layer::Ws;
