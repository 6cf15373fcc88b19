//! Frames of LZ4. Names are those of its frame format, version 1.6.4, and of its block format.

use super::{Packed, damaged};
use std::hash::Hasher as _;
use std::io::{self, Read};
use twox_hash::XxHash32;

/// How far back a match may lie, in bytes.
const WINDOW: usize = 64 << 10;

/// Bytes that are unpacked at once, but for a match that leads beyond.
const STEP: usize = 64 << 10;

/// The shortest match.
const MIN_MATCH: usize = 4;

/// A length in a token that goes on behind it.
const LONG: usize = 15;

/// A frame, its checksums compared. What a block holds is there as its bytes come.
///
/// ```text
/// magic u32 │ FLG, BD │ content size u64? │ header checksum u8 │ blocks │ 0 u32 │ content checksum u32?
/// ```
pub(super) struct Lz4 {
    pub(super) packed: Packed,
    frame: Frame,
    /// The last bytes that came of it; those from `given` on were not handed on.
    window: Vec<u8>,
    given: usize,
    stage: Stage,
}

/// What a header says, and what came of the frame so far.
#[derive(Default)]
struct Frame {
    /// Blocks know nothing of those before them.
    is_independent: bool,
    has_block_sums: bool,
    /// Bytes that come of a block at most.
    block_size: usize,
    content_size: Option<u64>,
    content: Option<XxHash32>,
    made: u64,
}

enum Stage {
    Header,
    Between,
    Block(Block),
    End,
}

/// A block of which not all was unpacked.
///
/// ```text
/// size u32, its highest bit set where data stand as they are │ data │ checksum u32?
/// ```
struct Block {
    /// Bytes of it that were not read yet.
    left: usize,
    /// Bytes that came of it.
    made: usize,
    sum: Option<XxHash32>,
    next: Next,
}

/// What comes next in a block.
///
/// ```text
/// token: two lengths, 4 bits each │ more of the first │ literals │ offset u16 │ more of the second, which is that of a match
/// ```
#[derive(Clone, Copy)]
enum Next {
    Token,
    /// So many literals, before a match of that length.
    Literals(usize, usize),
    Match(usize),
    /// Bytes as they are.
    Raw,
    /// Nothing: what is wrong there.
    Fault(&'static str),
}

impl Lz4 {
    pub(super) fn new(packed: Packed) -> Self {
        Self { packed, frame: Frame::default(), window: Vec::new(), given: 0, stage: Stage::Header }
    }

    fn step(&mut self) -> io::Result<()> {
        let Self { packed, frame, window, stage, .. } = self;
        match stage {
            Stage::Header => {
                *frame = Frame::read(packed)?;
                *stage = Stage::Between;
            }
            Stage::Between => {
                *stage = match u32_of(packed)? {
                    0 => {
                        frame.end(packed)?;
                        Stage::End
                    }
                    size => Stage::Block(Block::new(size, frame)?),
                };
            }
            Stage::Block(block) if block.left == 0 => {
                block.end(packed)?;
                *stage = Stage::Between;
            }
            Stage::Block(block) => {
                let before = window.len();
                block.unpack(packed, window, frame)?;
                let made = window.get(before..).unwrap_or_default();
                frame.made += made.len() as u64;
                if let Some(content) = &mut frame.content {
                    content.write(made);
                }
            }
            Stage::End => {}
        }
        Ok(())
    }
}

impl Read for Lz4 {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.given == self.window.len() && !matches!(self.stage, Stage::End) {
            if self.window.len() >= 2 * WINDOW {
                self.window.drain(..self.window.len() - WINDOW);
            }
            self.given = self.window.len();
            self.step()?;
        }
        let read = self.window.get(self.given..).unwrap_or_default().read(room)?;
        self.given += read;
        Ok(read)
    }
}

impl Frame {
    fn read(packed: &mut Packed) -> io::Result<Self> {
        const MAGIC: usize = 4;
        let head = packed.ahead(MAGIC + 3)?;
        let (flags, size) = match head.get(MAGIC..) {
            Some(&[flags, size, ..]) => (flags, size),
            _ => return Err(damaged("its header is too short")),
        };
        let has = |bit: u8| flags >> bit & 1 == 1;
        let [is_independent, has_block_sums, has_size, has_sum, has_dictionary] = [5, 4, 3, 2, 0].map(has);
        if flags >> 6 != 1 || has(1) || size & 0x8f != 0 || size < 0x40 {
            return Err(damaged("its header is not one of this version"));
        }
        if has_dictionary {
            return Err(damaged("it needs a dictionary"));
        }
        packed.take(MAGIC)?;
        let mut header = packed.take(2 + if has_size { 8 } else { 0 })?.to_vec();
        if packed.take(1)? != [XxHash32::oneshot(0, &header).to_le_bytes()[1]] {
            return Err(damaged("the checksum of its header differs"));
        }
        let content_size = header.split_off(2).first_chunk().map(|size| u64::from_le_bytes(*size));
        let content = has_sum.then(|| XxHash32::with_seed(0));
        let block_size = 1 << (8 + 2 * (size >> 4));
        Ok(Self { is_independent, has_block_sums, block_size, content_size, content, made: 0 })
    }

    fn end(&self, packed: &mut Packed) -> io::Result<()> {
        if let Some(content) = &self.content {
            compare(packed, content)?;
        }
        if self.content_size.is_some_and(|size| size != self.made) {
            return Err(damaged("it is not as long as it says"));
        }
        Ok(())
    }
}

impl Block {
    fn new(size: u32, frame: &Frame) -> io::Result<Self> {
        const RAW: u32 = 1 << 31;
        let left = usize::try_from(size & !RAW).unwrap_or(usize::MAX);
        if left > frame.block_size {
            return Err(damaged("a block is longer than its header allows"));
        }
        let sum = frame.has_block_sums.then(|| XxHash32::with_seed(0));
        Ok(Self { left, made: 0, sum, next: if size & RAW == 0 { Next::Token } else { Next::Raw } })
    }

    fn end(&self, packed: &mut Packed) -> io::Result<()> {
        if matches!(self.next, Next::Literals(1.., _) | Next::Match(_)) {
            return Err(damaged("a block ends within a sequence"));
        }
        self.sum.as_ref().map_or(Ok(()), |sum| compare(packed, sum))
    }

    /// Unpacks what is there of it, and waits only for what would be the first.
    fn unpack(&mut self, packed: &mut Packed, window: &mut Vec<u8>, frame: &Frame) -> io::Result<()> {
        let (mut wanted, mut taken) = (1, 0);
        while taken == 0 {
            if let Next::Fault(what) = self.next {
                return Err(damaged(what));
            }
            let data = packed.ahead(wanted.min(self.left))?;
            let data = data.get(..self.left).unwrap_or(data);
            wanted = data.len() + 1;
            let before = window.len();
            taken = self.unpack_some(data, window, frame);
            if taken == 0 && data.len() == self.left {
                self.next = Next::Fault("a block ends within a sequence");
            }
            let read = packed.take(taken)?;
            if let Some(sum) = &mut self.sum {
                sum.write(read);
            }
            self.left -= taken;
            self.made += window.len() - before;
        }
        Ok(())
    }

    /// Unpacks whole parts of sequences, up to a fault; says how many bytes they take.
    fn unpack_some(&mut self, data: &[u8], window: &mut Vec<u8>, frame: &Frame) -> usize {
        let (mut rest, before) = (data, window.len());
        while window.len() - before < STEP {
            match self.next {
                Next::Token => {
                    let Some((&token, behind)) = rest.split_first() else { break };
                    let (literals, length) = (usize::from(token >> 4), usize::from(token & 15));
                    let Some((literals, behind)) = whole(literals, behind) else { break };
                    (self.next, rest) = (Next::Literals(literals, length), behind);
                }
                // The last sequence has no match.
                _ if rest.is_empty() => break,
                Next::Literals(0, length) => self.next = Next::Match(length),
                Next::Literals(literals, length) => {
                    let (now, behind) = rest.split_at(literals.min(rest.len()));
                    window.extend_from_slice(now);
                    (self.next, rest) = (Next::Literals(literals - now.len(), length), behind);
                }
                Next::Match(length) => {
                    let Some((offset, behind)) = rest.split_first_chunk() else { break };
                    let Some((length, behind)) = whole(length, behind) else { break };
                    let made = self.made + window.len() - before;
                    let there = if frame.is_independent { made } else { window.len() };
                    let offset = usize::from(u16::from_le_bytes(*offset));
                    self.next = if offset == 0 || offset > there {
                        Next::Fault("a match lies before the first byte")
                    } else if made.saturating_add(length) > frame.block_size {
                        Next::Fault("more comes of a block than its header allows")
                    } else {
                        repeat(window, offset, length + MIN_MATCH);
                        rest = behind;
                        Next::Token
                    };
                }
                Next::Raw => {
                    window.extend_from_slice(rest);
                    rest = &[];
                }
                Next::Fault(_) => break,
            }
        }
        data.len() - rest.len()
    }
}

/// A length of which a token has the beginning, and what stands behind the rest of it. One that is longer than any block is not read to
/// its end.
fn whole(begun: usize, data: &[u8]) -> Option<(usize, &[u8])> {
    if begun < LONG {
        return Some((begun, data));
    }
    const MOST: usize = (4 << 20) / u8::MAX as usize + 1;
    let full = data.iter().take(MOST).take_while(|&&byte| byte == u8::MAX).count();
    let (&last, behind) = data.get(full..)?.split_first()?;
    Some((begun + full * usize::from(u8::MAX) + usize::from(last), behind))
}

/// Appends so many bytes that begin `offset` bytes before the end: those that are appended may be among them.
fn repeat(window: &mut Vec<u8>, offset: usize, mut length: usize) {
    let from = window.len() - offset;
    while length > 0 {
        let now = length.min(window.len() - from);
        window.extend_from_within(from..from + now);
        length -= now;
    }
}

fn u32_of(packed: &mut Packed) -> io::Result<u32> {
    Ok(packed.take(4)?.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)))
}

fn compare(packed: &mut Packed, sum: &XxHash32) -> io::Result<()> {
    if u32_of(packed)? == sum.finish_32() { Ok(()) } else { Err(damaged("its checksum differs")) }
}
