//! Formats: decoders that look at one message by itself, and what they share.

pub(super) mod base64;
pub(super) mod bson;
pub(super) mod cbor;
pub(super) mod compressed;
pub(super) mod json_text;
pub(super) mod media;
pub(super) mod msgpack;
pub(super) mod protobuf;
pub(super) mod wrapped;
pub(super) mod xml;
