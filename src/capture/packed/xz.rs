//! Streams of xz. Sections are those of the .xz file format, version 1.2.1.
//!
//! LZMA2 is decoded elsewhere. What is around it is read here: so nothing is kept of blocks that are done, and it is known how much
//! of what came can be decoded.

use super::check::{Check, crc32};
use super::{Packed, damaged};
use flate2::Crc;
use lzma_rust2::{Action, FilterConfig, FilterType, Lzma2Stream, Status};
use std::io::{self, BufRead as _, Cursor, Read};
use std::mem;

/// Bytes that the history of a stream may take: as much as `xz -9` needs, thrice.
const MAX_HISTORY: u32 = 192 << 20;

/// Bytes that the decoder is handed at once: where it finds a fault in them, it says nothing of what it made of those before.
const FED: usize = 64;

/// The decoder begins no symbol with fewer bytes ahead: so many may be read for one.
const AHEAD: usize = 20;

/// Bytes that a symbol stands for at most.
const LONGEST: usize = 273;

/// A stream, its checksums compared.
pub(super) struct Xz {
    pub(super) packed: Packed,
    stage: Stage,
    flags: [u8; 2],
    /// Of the blocks that are done.
    blocks: Blocks,
}

enum Stage {
    StreamHeader,
    Between,
    Block(Box<Block>),
    /// The input ended inside a block: what its last bytes hold.
    Cut(Cursor<Vec<u8>>),
    End,
}

impl Xz {
    pub(super) fn new(packed: Packed) -> Self {
        Self { packed, stage: Stage::StreamHeader, flags: [0; 2], blocks: Blocks::default() }
    }

    /// What is behind a block, or behind none yet.
    fn next(&mut self) -> io::Result<Stage> {
        if self.packed.ahead(1)?.starts_with(&[0]) {
            Index::read(&mut self.packed, self.flags, self.blocks)?;
            return Ok(Stage::End);
        }
        Ok(Stage::Block(Box::new(Block::open(&mut self.packed, self.flags)?)))
    }
}

impl Read for Xz {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match &mut self.stage {
                Stage::StreamHeader => {
                    self.flags = read_stream_header(&mut self.packed)?;
                    self.stage = Stage::Between;
                }
                Stage::Between => self.stage = self.next()?,
                Stage::Block(block) => match block.read(&mut self.packed, room)? {
                    Some(0) => self.stage = Stage::Cut(Cursor::new(block.last_bytes())),
                    Some(made) => return Ok(made),
                    None => {
                        block.end(&mut self.packed, &mut self.blocks)?;
                        self.stage = Stage::Between;
                    }
                },
                Stage::Cut(rest) => return rest.read(room),
                Stage::End => return Ok(0),
            }
        }
    }
}

/// The stream's flags (§2.1.1).
///
/// ```text
/// magic fd '7zXZ' 00, flags 00 and the number of the checksum, CRC32 of the flags
/// ```
fn read_stream_header(packed: &mut Packed) -> io::Result<[u8; 2]> {
    match *packed.take(12)? {
        [_, _, _, _, _, _, a, b, ref crc @ ..] if *crc != crc32(&[a, b]) => {
            Err(damaged("the checksum of its header differs"))
        }
        [_, _, _, _, _, _, 0, check @ ..16, ..] => Ok([0, check]),
        _ => Err(damaged("its header has unknown flags")),
    }
}

/// A block that is read (§3).
struct Block {
    decoder: Lzma2Stream,
    chunk: Chunk,
    check: Check,
    /// Bytes of the checksum.
    check_length: usize,
    /// Bytes of the header.
    header: usize,
    /// The block's size, packed and unpacked, where the header tells them.
    told: [Option<u64>; 2],
    is_over: bool,
    /// What is wrong behind the bytes that came.
    failure: Option<io::Error>,
}

impl Block {
    /// Reads the header (§3.1).
    ///
    /// ```text
    /// length / 4 - 1, flags, packed size?, unpacked size?, filters (number, length, properties), zeros, CRC32
    /// ```
    fn open(packed: &mut Packed, [_, check]: [u8; 2]) -> io::Result<Self> {
        let length = packed.ahead(1)?.first().map_or(0, |&length| 4 + 4 * usize::from(length));
        let header = packed.take(length)?;
        let mut fields = match header.split_last_chunk() {
            Some((fields, crc)) if *crc == crc32(fields) => Fields(fields.get(1..).unwrap_or_default()),
            _ => return Err(damaged("the checksum of a block's header differs")),
        };
        let flags = fields.byte()?;
        let packed_size = if flags & 0x40 != 0 { Some(fields.number()?) } else { None };
        let unpacked_size = if flags & 0x80 != 0 { Some(fields.number()?) } else { None };
        let filters = (0..flags & 3).map(|_| fields.filter()).collect::<io::Result<Vec<_>>>()?;
        let history = fields.history()?;
        if flags & 0x3c != 0 || fields.0.iter().any(|&byte| byte != 0) {
            return Err(damaged("a block's header has unknown fields"));
        }
        let mut decoder = Lzma2Stream::new(history);
        decoder.set_filters(&filters)?;
        Ok(Self {
            decoder,
            chunk: Chunk::default(),
            check: Check::of(check),
            check_length: Check::length(check),
            header: length,
            told: [packed_size, unpacked_size],
            is_over: false,
            failure: None,
        })
    }

    /// Unpacks the next bytes: how many, 0 where the input ends; `None` behind the block's last.
    fn read(&mut self, packed: &mut Packed, room: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if self.is_over {
                return Ok(None);
            }
            let mut data: &[u8] = &[];
            if !self.decoder.has_output() {
                if self.chunk.left == 0 {
                    self.chunk = Chunk::at(packed)?;
                }
                data = packed.fill_buf()?;
                if data.is_empty() {
                    return Ok(Some(0));
                }
            }
            let (taken, made) = self.decode(data.get(..self.chunk.left.min(FED)).unwrap_or(data), room);
            packed.consume(taken);
            self.chunk.left -= taken;
            if made > 0 {
                return Ok(Some(made));
            }
        }
    }

    /// How many bytes of the data the decoder took, and how many came of them.
    fn decode(&mut self, data: &[u8], room: &mut [u8]) -> (usize, usize) {
        let (taken, made) = (self.decoder.total_in(), self.decoder.total_out());
        let result = self.decoder.process(data, room, Action::Run);
        let (taken, made) = ((self.decoder.total_in() - taken) as usize, (self.decoder.total_out() - made) as usize);
        match result {
            Ok(done) if done.status == Status::StreamEnd => self.is_over = true,
            Ok(_) if taken == 0 && made == 0 => self.failure = Some(damaged("a chunk of it holds more than it tells")),
            Ok(_) => {}
            Err(failure) => self.failure = Some(failure),
        }
        self.check.update(room.get(..made).unwrap_or_default());
        (taken, made)
    }

    /// What the last bytes hold, where the input ends inside a block: what the decoder makes of them when it is given [`AHEAD`] more.
    ///
    /// Each of these lets it begin the symbols that begin one byte farther on. Where there are any, those before have ended by then, and
    /// read nothing that was added; the last one of all may have.
    fn last_bytes(&mut self) -> Vec<u8> {
        let (mut rest, mut sure) = (Vec::new(), 0);
        let most = if self.chunk.is_coded { AHEAD.min(self.chunk.left.saturating_sub(1)) } else { 0 };
        for _ in 0..most {
            let known = rest.len();
            rest.resize(known + (64 << 10), 0);
            let (_, made) = self.decode(&[0], rest.get_mut(known..).unwrap_or_default());
            rest.truncate(known + made);
            if made > 0 {
                sure = known.max(rest.len().saturating_sub(LONGEST));
            }
            if self.failure.is_some() {
                break;
            }
        }
        rest.truncate(sure);
        rest
    }

    /// Reads what is behind the packed bytes: zeros up to a multiple of four, and the checksum (§3.3, §3.4).
    fn end(&mut self, packed: &mut Packed, blocks: &mut Blocks) -> io::Result<()> {
        let sizes = [self.decoder.total_in(), self.decoder.total_out()];
        if self.told.iter().zip(sizes).any(|(&told, size)| told.is_some_and(|told| told != size)) {
            return Err(damaged("a block has another size than its header tells"));
        }
        let [packed_size, unpacked_size] = sizes;
        let zeros = packed.take((packed_size.wrapping_neg() % 4) as usize)?;
        if zeros.iter().any(|&byte| byte != 0) {
            return Err(damaged("a block is padded with other bytes than zeros"));
        }
        let check = mem::replace(&mut self.check, Check::Other);
        if !check.is(packed.take(self.check_length)?) {
            return Err(damaged("its checksum differs"));
        }
        blocks.add((self.header + self.check_length) as u64 + packed_size, unpacked_size);
        Ok(())
    }
}

/// A part of what LZMA2 holds.
#[derive(Default)]
struct Chunk {
    /// Bytes of it that are still to come.
    left: usize,
    /// Not as it is.
    is_coded: bool,
}

impl Chunk {
    /// The chunk that begins here. Sizes are big endian, and less one.
    ///
    /// ```text
    /// 00                                      the end
    /// 01 or 02, size u16                      bytes as they are
    /// 80 and up, unpacked u16, packed u16     LZMA; from c0 up, another byte is before it
    /// ```
    fn at(packed: &mut Packed) -> io::Result<Self> {
        let control = packed.ahead(1)?.first().copied().unwrap_or_default();
        let header = match control {
            0x01 | 0x02 => 3,
            0x80..0xc0 => 5,
            0xc0.. => 6,
            _ => 1,
        };
        let data = match *packed.ahead(header)? {
            [0x01 | 0x02, high, low, ..] | [0x80..=0xff, _, _, high, low, ..] => {
                usize::from(u16::from_be_bytes([high, low])) + 1
            }
            _ => 0,
        };
        Ok(Self { left: header + data, is_coded: control >= 0x80 })
    }
}

/// What is still to be read of a block's header.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn byte(&mut self) -> io::Result<u8> {
        let (&byte, rest) = self.0.split_first().ok_or_else(|| damaged("a block's header is too short"))?;
        self.0 = rest;
        Ok(byte)
    }

    fn number(&mut self) -> io::Result<u64> {
        number(|| self.byte())
    }

    /// Number and properties of a filter (§3.1.5).
    fn filter_flags(&mut self) -> io::Result<(u64, Vec<u8>)> {
        let (id, length) = (self.number()?, self.number()?);
        let properties = (0..length).map(|_| self.byte()).collect::<io::Result<_>>()?;
        Ok((id, properties))
    }

    /// A filter that the unpacked bytes go through (§5.3.2, §5.3.3).
    fn filter(&mut self) -> io::Result<FilterConfig> {
        let (id, properties) = self.filter_flags()?;
        let filter_type = FilterType::try_from(id).map_err(|()| damaged("it has an unknown filter"))?;
        let property = match (filter_type, properties.as_slice()) {
            (FilterType::Delta, &[distance]) => u32::from(distance) + 1,
            (FilterType::Delta | FilterType::Lzma2, _) => return Err(damaged("it has an unknown filter")),
            (_, []) => 0,
            (_, &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
            _ => return Err(damaged("it has an unknown filter")),
        };
        Ok(FilterConfig { filter_type, property })
    }

    /// Bytes of history that the last filter, LZMA2, needs (§5.3.1).
    fn history(&mut self) -> io::Result<u32> {
        let (0x21, properties) = self.filter_flags()? else { return Err(damaged("its last filter is not LZMA2")) };
        let bytes = match *properties {
            [bits @ ..40] => (2 | u32::from(bits) & 1) << (bits / 2 + 11),
            _ => u32::MAX,
        };
        if bytes <= MAX_HISTORY { Ok(bytes) } else { Err(damaged("its history takes more than 192 MB")) }
    }
}

/// A number of at most nine bytes, the lowest seven bits first (§1.2).
fn number(mut next: impl FnMut() -> io::Result<u8>) -> io::Result<u64> {
    let mut number = 0;
    for place in 0..9 {
        let byte = next()?;
        number |= u64::from(byte & 0x7f) << (7 * place);
        match byte {
            0 if place > 0 => break,
            ..0x80 => return Ok(number),
            _ => {}
        }
    }
    Err(damaged("a number in it is longer than it may be"))
}

/// What the index must tell of the blocks: how many they are, and the sums of their sizes, packed and unpacked.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Blocks {
    count: u64,
    packed: u64,
    unpacked: u64,
}

impl Blocks {
    fn add(&mut self, packed: u64, unpacked: u64) {
        self.count += 1;
        self.packed = self.packed.wrapping_add(packed);
        self.unpacked = self.unpacked.wrapping_add(unpacked);
    }
}

/// The index, and what is behind it (§4, §2.1.2).
///
/// ```text
/// 00, count, sizes of each block (packed without padding, unpacked), zeros, CRC32
/// CRC32 of what follows, length of the index / 4 - 1, flags, 'YZ'
/// ```
struct Index<'a> {
    packed: &'a mut Packed,
    crc: Crc,
    length: u64,
}

impl Index<'_> {
    /// Reads it, and compares it with what was read.
    fn read(packed: &mut Packed, flags: [u8; 2], blocks: Blocks) -> io::Result<()> {
        let mut index = Index { packed, crc: Crc::new(), length: 0 };
        index.byte()?;
        let mut told = Blocks::default();
        for _ in 0..index.number()?.min(blocks.count + 1) {
            told.add(index.number()?, index.number()?);
        }
        while !index.length.is_multiple_of(4) && index.byte()? == 0 {}
        let (crc, length) = (index.crc.sum(), index.length as u32);
        if told != blocks || packed.take(4)? != crc.to_le_bytes() {
            return Err(damaged("its index tells of other blocks"));
        }
        let [a, b, c, d] = (length / 4).to_le_bytes();
        let [e, f] = flags;
        let footer = [a, b, c, d, e, f];
        match *packed.take(12)? {
            [ref sum @ .., g, h, i, j, k, l, b'Y', b'Z'] if [g, h, i, j, k, l] == footer && *sum == crc32(&footer) => {
                Ok(())
            }
            _ => Err(damaged("its end is not as it must be")),
        }
    }

    fn byte(&mut self) -> io::Result<u8> {
        let byte = self.packed.take(1)?;
        self.crc.update(byte);
        self.length += 1;
        Ok(byte.first().copied().unwrap_or_default())
    }

    fn number(&mut self) -> io::Result<u64> {
        number(|| self.byte())
    }
}
