//! TLS, decrypted with the secrets of a key log: what is shown is what was said, whatever the suite, and nothing that was not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says on stderr what it skips"
)]

#[path = "../support/mod.rs"]
mod support;

mod chained;
mod damaged;
mod holes;
mod lab;
mod lacks;
mod late;
mod laws;
mod looks;
mod midway;
mod public;
mod renewed;
mod rivals;
mod rsa;
mod seen;
mod snaplen;
mod vectors;
