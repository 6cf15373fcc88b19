//! TLS 1.0 to 1.3 (RFC 2246, 4346, 5246, 8446), decrypted with the secrets of a key log.

mod alert;
mod beats;
mod certificate;
mod cipher;
mod guess;
mod half;
mod handshake;
mod hello;
mod inside;
mod keys;
mod layer;
mod premaster;
mod primitive;
mod rc4;
mod record;
mod rsa;
mod schedule;
mod shape;
mod stream;
mod suite;
mod tell;

pub use layer::Tls;
