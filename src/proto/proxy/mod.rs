//! What is spoken with proxies before anything else: SOCKS 4, 4a and 5, and HAProxy's PROXY protocol.

mod haproxy;
mod layer;
mod socks;

pub use layer::Proxy;

/// What the beginning of a message gives.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Parsed<T> {
    /// A message, and how many bytes it takes.
    Done(T, usize),
    /// More bytes are needed.
    More,
    /// It is none.
    Bad,
}

impl<T> Parsed<T> {
    /// What a streaming parser found at the beginning of `bytes`.
    fn of(bytes: &[u8], result: nom::IResult<&[u8], T>) -> Self {
        match result {
            Ok((rest, value)) => Self::Done(value, bytes.len() - rest.len()),
            Err(nom::Err::Incomplete(_)) => Self::More,
            Err(_) => Self::Bad,
        }
    }
}
