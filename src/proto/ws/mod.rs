//! WebSocket (RFC 6455 §5): frames, and the messages that they make up.

mod assembly;
mod deflate;
mod ending;
pub mod frame;
mod half;
mod layer;
pub mod mask;
mod masks;
mod midstream;
mod pings;
mod resync;
mod rules;
mod seek;
mod tell;

pub use layer::Ws;
pub use midstream::Midstream;
