//! permessage-deflate (RFC 7692), with context takeover.

use flate2::{Compress, Compression, FlushCompress};

/// The compressor of one direction.
pub(crate) struct Packer(Compress);

impl Default for Packer {
    fn default() -> Self {
        Self(Compress::new(Compression::default(), false))
    }
}

impl Packer {
    /// The payload of a message on the wire: the end of the empty block behind it is cut off (§7.2.1).
    pub(crate) fn pack(&mut self, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(message.len() + message.len() / 8 + 64);
        let packed = self.0.compress_vec(message, &mut out, FlushCompress::Sync);
        debug_assert!(packed.is_ok(), "there is room for all");
        out.truncate(out.len().saturating_sub(4));
        out
    }
}
