//! HTTP/1.x up to the point where a WebSocket takes over (RFC 9110, RFC 9112).

mod asked;
mod body;
mod doctor;
mod draft;
mod excerpt;
mod extensions;
mod foreign;
mod head;
mod held;
mod layer;
mod lone;
mod odds;
mod tell;
mod telling;
mod upgrade;

pub use layer::Http1;
