//! HTTP/1.x up to the point where a WebSocket takes over (RFC 9110, RFC 9112).

mod body;
mod doctor;
mod draft;
mod extensions;
mod head;
mod held;
mod layer;
mod lone;
mod upgrade;

pub use layer::Http1;
