//! HTTP/2 (RFC 9113) as far as WebSockets run in it (RFC 8441): frames, header blocks, and the streams that an extended CONNECT opens.

mod block;
mod connect;
mod frame;
mod hpack;
mod layer;
mod seek;
mod side;
mod stream;
mod tell;
mod transport;

pub use layer::Http2;
