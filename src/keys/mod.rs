//! Key logs (SSLKEYLOGFILE, RFC 9850) → [`Secrets`](crate::model::Secrets).
//!
//! A log of gigabytes is read line by line. What is no line of a key log is counted and told by its number, never by its text.

mod follow;
mod inside;
mod line;
mod log;
mod look;
mod pem;

pub use follow::{Followed, Text};
pub use inside::Inside;
pub use line::Fault;
pub use log::{Log, Randoms, Report, Wanted};
pub use pem::{PEM_BYTES, rsa_key};
