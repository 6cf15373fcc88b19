//! pcapng: packets as they were captured, and the secrets that decrypt them.
//!
//! draft-ietf-opsawg-pcapng, one section in little-endian order. Every block ends with its length once more, and every
//! body is filled up to a multiple of 4 bytes.

use crate::model::{ClientRandom, LinkType, Packet, Secrets, hex};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Block types (§11.1).
mod kind {
    pub(super) const SECTION: u32 = 0x0a0d_0d0a;
    pub(super) const INTERFACE: u32 = 1;
    pub(super) const ENHANCED_PACKET: u32 = 6;
    pub(super) const SECRETS: u32 = 10;
}

/// Options: what they mean depends on the block (§3.5, §4.1, §4.2).
mod option {
    pub(super) const END: u16 = 0;
    pub(super) const COMMENT: u16 = 1;
    pub(super) const APPLICATION: u16 = 4;
    pub(super) const TIME_UNIT: u16 = 9;
}

/// The secrets are a TLS key log (§4.7).
const TLS_KEY_LOG: u32 = 0x544c_534b;

/// Bytes of a key log from which the rest goes to another block.
const KEY_LOG_BYTES: usize = 1 << 20;

/// Times are in units of 10 to the minus this: the model's nanoseconds.
const NANOSECONDS: u8 = 9;

/// Writes a capture.
pub struct Pcapng<W> {
    out: W,
    /// Interface n is of the n-th link type.
    links: Vec<LinkType>,
    block: Vec<u8>,
}

impl<W: Write> Pcapng<W> {
    /// Begins a capture that `application` writes; `comment` is about all of it.
    ///
    /// # Errors
    /// When it cannot be written, as for all that follows.
    pub fn new(out: W, application: &str, comment: Option<&str>) -> io::Result<Self> {
        let mut this = Self { out, links: Vec::new(), block: Vec::new() };
        // Byte-order magic, version 1.0, a length that is not told.
        this.words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]);
        if let Some(comment) = comment {
            this.option(option::COMMENT, comment.as_bytes());
        }
        this.option(option::APPLICATION, application.as_bytes());
        this.end_options();
        this.end_block(kind::SECTION)?;
        Ok(this)
    }

    /// Writes what decrypts some sessions; how many secrets that is. They must stand before the packets.
    pub fn secrets(&mut self, secrets: &Secrets, sessions: &BTreeSet<ClientRandom>) -> io::Result<usize> {
        let of = |random| secrets.of(random).map(move |secret| (random, secret));
        let (mut log, mut written) = (String::new(), 0);
        for (random, secret) in sessions.iter().flat_map(of) {
            log.push_str(&format!("{} {} {}\n", secret.label.name(), hex(random), hex(secret.bytes())));
            written += 1;
            if log.len() >= KEY_LOG_BYTES {
                self.key_log(&std::mem::take(&mut log))?;
            }
        }
        self.key_log(&log)?;
        Ok(written)
    }

    fn key_log(&mut self, log: &str) -> io::Result<()> {
        if log.is_empty() {
            return Ok(());
        }
        self.words(&[TLS_KEY_LOG, length(log.len())]);
        self.filled(log.as_bytes());
        self.end_block(kind::SECRETS)
    }

    /// Writes a packet; its comment is `origin` with the number that it has. A packet without a time gets that of 1970.
    pub fn packet(&mut self, packet: &Packet<'_>, origin: &str) -> io::Result<()> {
        let interface = match self.links.iter().position(|&link| link == packet.link) {
            Some(interface) => interface,
            None => self.interface(packet.link)?,
        };
        let time = packet.mark.time.map_or(0, |time| u64::try_from(time.nanos()).unwrap_or(0));
        let (high, low) = ((time >> 32) as u32, time as u32);
        self.words(&[length(interface), high, low, length(packet.bytes.len()), length(packet.orig_len)]);
        self.filled(packet.bytes);
        self.option(option::COMMENT, format!("{origin} {}", packet.mark.packet).as_bytes());
        self.end_options();
        self.end_block(kind::ENHANCED_PACKET)
    }

    /// Ends the capture.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Describes an interface; its number.
    fn interface(&mut self, link: LinkType) -> io::Result<usize> {
        self.links.push(link);
        // A link type of 16 bits with 16 that are reserved, and no bound on the length of packets.
        self.words(&[link.0 & 0xffff, 0]);
        self.option(option::TIME_UNIT, &[NANOSECONDS]);
        self.end_options();
        self.end_block(kind::INTERFACE)?;
        Ok(self.links.len() - 1)
    }

    fn words(&mut self, words: &[u32]) {
        self.block.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }

    fn filled(&mut self, bytes: &[u8]) {
        self.block.extend(bytes);
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.block.extend([code.to_le_bytes(), len.to_le_bytes()].as_flattened());
        self.filled(value.get(..len.into()).unwrap_or(value));
    }

    fn end_options(&mut self) {
        self.option(option::END, &[]);
    }

    fn end_block(&mut self, kind: u32) -> io::Result<()> {
        let total = length(self.block.len() + 12).to_le_bytes();
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&total)?;
        self.out.write_all(&self.block)?;
        self.block.clear();
        self.out.write_all(&total)
    }
}

/// No block comes near the bound: packets are read within one of their own.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
