//! Payloads alone.

use super::{Form, Out};
use crate::model::{Message, Stamp};

/// Writes the bytes of messages as they are, one behind the other.
#[derive(Debug, Default)]
pub struct Raw;

impl Form for Raw {
    fn message(&mut self, _: &Stamp, message: &Message<'_>, out: &mut Out<'_>) {
        out.bytes().extend_from_slice(message.body.kept);
        out.spill();
    }
}
