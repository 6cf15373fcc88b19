//! Payload languages: bytes of a message in, a tree over those bytes out.

pub mod json;
pub mod path;
