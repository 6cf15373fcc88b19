//! HTTP/1.x up to the point where a WebSocket takes over (RFC 9110, RFC 9112).

mod asked;
mod body;
mod draft;
mod foreign;
mod head;
mod layer;
mod lone;
mod odds;
mod telling;
mod upgrade;

pub use layer::Http1;
