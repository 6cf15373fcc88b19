//! The keys that a capture carries with it (pcapng decryption secrets blocks).

use std::fmt;

/// How much key log text is kept, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// The TLS key log text found in the capture. It is never printed: `Debug` shows sizes only.
#[derive(Default)]
pub struct Secrets {
    text: Vec<u8>,
    blocks: u64,
    dropped: u64,
}

impl Secrets {
    /// Takes the text of a block.
    pub(super) fn add(&mut self, text: &[u8]) {
        self.blocks += 1;
        let room = (MAX_TEXT - self.text.len()).saturating_sub(1);
        if text.len() > room {
            self.dropped += text.len() as u64;
            return;
        }
        self.text.extend_from_slice(text);
        if !text.ends_with(b"\n") {
            self.text.push(b'\n');
        }
    }

    /// Lines in the format of NSS key logs (SSLKEYLOGFILE), of all blocks in order, at most 1 MiB.
    pub fn tls_key_log(&self) -> &[u8] {
        &self.text
    }

    /// Number of blocks with TLS keys.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Bytes of blocks that are not kept because 1 MiB is.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("blocks", &self.blocks).field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_lines_apart_and_stays_within_its_bound() {
        let mut secrets = Secrets::default();
        secrets.add(b"one");
        secrets.add(b"two\n");
        assert_eq!(secrets.tls_key_log(), b"one\ntwo\n");
        secrets.add(&vec![b'x'; MAX_TEXT]);
        secrets.add(b"three");
        assert_eq!(secrets.tls_key_log(), b"one\ntwo\nthree\n");
        assert_eq!((secrets.blocks(), secrets.dropped()), (4, MAX_TEXT as u64));
    }

    #[test]
    fn is_never_printed() {
        let mut secrets = Secrets::default();
        secrets.add(b"CLIENT_RANDOM 0123 4567");
        assert_eq!(format!("{secrets:?}"), "Secrets { blocks: 1, bytes: 24, .. }");
    }
}
