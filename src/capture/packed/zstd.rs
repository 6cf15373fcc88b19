//! Frames of zstd (RFC 8878 §3.1.1).

use super::{Packed, Window, damaged};
use mzstd::{DecodeError, DecodeOperation, DecoderSessionOwned, DecoderStatus, Decompressor, FrameMode};
use std::io::{self, BufRead as _, Read};

/// Bytes of a block's header.
const BLOCK_HEADER: usize = 3;

/// A frame, its checksum compared.
///
/// What a block holds is there once the block is, and what a raw one holds as its bytes come: the decoder, which waits for whole blocks,
/// is told of as many raw ones as there are pieces.
pub(super) struct Zstd {
    pub(super) packed: Packed,
    decoder: Decoder,
    next: Next,
}

/// What of a frame comes next.
#[derive(Clone, Copy)]
enum Next {
    FrameHeader,
    BlockHeader,
    Block {
        /// Bytes that are handed on as they are.
        plain: usize,
        /// Bytes of a raw block behind these.
        raw: usize,
        is_last: bool,
    },
    Checksum,
}

impl Zstd {
    pub(super) fn new(packed: Packed) -> Self {
        let session = Decompressor::new(FrameMode::Single.into()).into_session();
        Self { packed, decoder: Decoder { session, is_full: false, failure: None }, next: Next::FrameHeader }
    }

    /// Hands on what comes next, and says how many bytes came of it.
    fn step(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let Self { packed, decoder, next } = self;
        match *next {
            Next::FrameHeader => {
                *next = Next::BlockHeader;
                let length = header_length(packed.ahead(5)?);
                Ok(decoder.decode(packed.take(length)?, room).1)
            }
            Next::BlockHeader => {
                let header = packed.take(BLOCK_HEADER)?;
                let (is_last, kind, size) = read_header(header);
                let (plain, raw) = match kind {
                    Kind::Raw => (0, size),
                    Kind::Run => (1, 0),
                    Kind::Other => (size, 0),
                };
                *next = Next::Block { plain, raw, is_last };
                Ok(if raw == 0 { decoder.decode(header, room).1 } else { 0 })
            }
            Next::Block { plain: 0, raw: 0, is_last } => {
                *next = if is_last { Next::Checksum } else { Next::BlockHeader };
                Ok(0)
            }
            Next::Block { plain: 0, raw, is_last } => {
                let piece = packed.ahead(1)?.len().min(raw);
                *next = Next::Block { plain: piece, raw: raw - piece, is_last };
                Ok(decoder.decode(&raw_header(piece, is_last && piece == raw), room).1)
            }
            Next::Block { plain, raw, is_last } => {
                let data = packed.ahead(1)?;
                let (taken, made) = decoder.decode(data.get(..plain).unwrap_or(data), room);
                packed.consume(taken);
                *next = Next::Block { plain: plain - taken, raw, is_last };
                Ok(made)
            }
            Next::Checksum => {
                let (taken, made) = decoder.decode(packed.ahead(1)?, room);
                packed.consume(taken);
                Ok(made)
            }
        }
    }
}

impl Read for Zstd {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(failure) = self.decoder.failure.take() {
                return Err(failure);
            }
            if self.decoder.session.is_finished() {
                return Ok(0);
            }
            let made = if self.decoder.is_full { self.decoder.decode(&[], room).1 } else { self.step(room)? };
            if made > 0 {
                return Ok(made);
            }
        }
    }
}

struct Decoder {
    session: DecoderSessionOwned,
    /// It holds more than there was room for, and takes nothing until it is asked for that.
    is_full: bool,
    /// What is wrong behind the bytes that came.
    failure: Option<io::Error>,
}

impl Decoder {
    /// How many bytes of the data it took, and how many came of them.
    fn decode(&mut self, data: &[u8], room: &mut [u8]) -> (usize, usize) {
        match self.session.process(data, room, DecodeOperation::Process) {
            Ok(done) => {
                self.is_full = done.status == DecoderStatus::NeedsOutput;
                (done.consumed, done.produced)
            }
            Err(failed) => {
                self.failure = Some(match failed.error {
                    DecodeError::ChecksumMismatch { .. } => damaged("its checksum differs"),
                    DecodeError::WindowLimitExceeded { window_size, limit } => {
                        io::Error::new(io::ErrorKind::InvalidData, Window { wanted: window_size, most: limit })
                    }
                    error => error.into(),
                });
                (failed.consumed, failed.produced)
            }
        }
    }
}

/// The length of a frame's header, its magic number included, as the byte behind that tells (RFC 8878 §3.1.1.1.1).
fn header_length(head: &[u8]) -> usize {
    let descriptor = head.get(4).copied().unwrap_or_default();
    let is_single_segment = descriptor & 0x20 != 0;
    let dictionary = match descriptor & 3 {
        3 => 4,
        length => usize::from(length),
    };
    let content_size = match descriptor >> 6 {
        0 => usize::from(is_single_segment),
        power => 1 << power,
    };
    5 + usize::from(!is_single_segment) + dictionary + content_size
}

enum Kind {
    Raw,
    /// One byte, again and again.
    Run,
    Other,
}

/// RFC 8878 §3.1.1.2, from the lowest bit: is it the last, two bits of kind, the size.
fn read_header(header: &[u8]) -> (bool, Kind, usize) {
    let bits = header.iter().rev().fold(0, |bits, &byte| bits << 8 | usize::from(byte));
    let kind = match bits >> 1 & 3 {
        0 => Kind::Raw,
        1 => Kind::Run,
        _ => Kind::Other,
    };
    (bits & 1 == 1, kind, bits >> 3)
}

/// The header of a raw block of so many bytes.
fn raw_header(size: usize, is_last: bool) -> [u8; BLOCK_HEADER] {
    let [a, b, c, ..] = (size << 3 | usize::from(is_last)).to_le_bytes();
    [a, b, c]
}
