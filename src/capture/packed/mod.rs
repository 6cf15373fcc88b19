//! Compressed captures: known by their first bytes, unpacked as they are read, never whole.

mod check;
mod lz4;
mod xz;
mod zstd;

use super::buffer::Buffer;
use crate::model::{NoteCode, size};
use flate2::bufread::GzDecoder;
use lz4::Lz4;
use std::io::{self, BufRead, Read};
use xz::Xz;
use zstd::Zstd;

/// Bytes that tell what begins there.
pub(super) const HEAD: usize = 8;

/// A format of compressed files.
struct Format {
    name: &'static str,
    magic: &'static [u8],
    open: fn(Packed) -> Box<dyn Member>,
}

/// RFC 1952 §2.3.1, RFC 8878 §3.1.1, the LZ4 frame format, the .xz file format §2.1.1.1.
static FORMATS: &[Format] = &[
    Format { name: "gzip", magic: b"\x1f\x8b", open: |packed| Box::new(GzDecoder::new(packed)) },
    Format { name: "zstd", magic: b"\x28\xb5\x2f\xfd", open: |packed| Box::new(Zstd::new(packed)) },
    Format { name: "lz4", magic: b"\x04\x22\x4d\x18", open: |packed| Box::new(Lz4::new(packed)) },
    Format { name: "xz", magic: b"\xfd7zXZ\0", open: |packed| Box::new(Xz::new(packed)) },
];

/// The names of the compressions that are unpacked.
pub fn compressions() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|format| format.name)
}

/// The length of a frame that zstd and lz4 pass over, its head included (RFC 8878 §3.1.2).
///
/// ```text
/// magic u32 0x184d2a50..=0x184d2a5f, length u32 (both little endian), the rest
/// ```
fn skippable(data: &[u8]) -> Option<u64> {
    let &[0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d] = data.first_chunk::<HEAD>()? else { return None };
    Some(HEAD as u64 + u64::from(u32::from_le_bytes([a, b, c, d])))
}

/// A compressed input, unpacked: members, each a stream of its own, as `cat a.gz b.gz` and parallel compressors write them.
pub(super) struct Unpacked {
    /// Never `None` between calls.
    member: Option<Box<dyn Member>>,
    /// What the member is compressed in.
    name: &'static str,
    unpacked: u64,
    /// Bytes to which it may unpack.
    most: u64,
}

impl Unpacked {
    /// Whether an input that begins so is compressed.
    pub(super) fn knows(head: &[u8]) -> bool {
        FORMATS.iter().any(|format| head.starts_with(format.magic)) || skippable(head).is_some()
    }

    /// Unpacks at most `most` bytes.
    pub(super) fn new(buffer: Buffer, most: u64) -> Self {
        let between = Between(Packed { buffer, is_short: false });
        Self { member: Some(Box::new(between)), name: "compressed", unpacked: 0, most }
    }

    /// What it is compressed in.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Bytes of the input that were unpacked.
    pub(super) fn taken(&self) -> u64 {
        self.member.as_ref().map_or(0, |member| member.packed().buffer.taken())
    }

    /// Goes on to the member that begins where the last one ended; false at the end of the input.
    fn next(&mut self) -> io::Result<bool> {
        let Some(mut packed) = self.member.take().map(Member::into_packed) else { return Ok(false) };
        let (member, next): (Box<dyn Member>, _) = match packed.next() {
            Ok(Some(format)) => {
                self.name = format.name;
                ((format.open)(packed), Ok(true))
            }
            Ok(None) => (Box::new(Between(packed)), Ok(false)),
            // What keeps the input from being read is no fault of the stream.
            Err(Why::Damaged(failure)) => (Box::new(Between(packed)), Err(failure)),
            Err(why) => {
                let fault = Fault { name: self.name, at: packed.buffer.taken(), why };
                (Box::new(Between(packed)), Err(fault.into()))
            }
        };
        self.member = Some(member);
        next
    }

    /// What ends the input, when its member cannot be read on.
    fn fault(&mut self, error: io::Error) -> io::Error {
        let Some(mut packed) = self.member.take().map(Member::into_packed) else { return error };
        let at = packed.buffer.taken();
        let why = match packed.buffer.take_failure() {
            Some(failure) => return failure,
            None if packed.is_short => Why::Cut,
            None => error.downcast().map_or_else(Why::Damaged, Why::Window),
        };
        self.member = Some(Box::new(Between(packed)));
        Fault { name: self.name, at, why }.into()
    }
}

impl Read for Unpacked {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        // One byte more than may be shows whether there are more.
        let left = self.most - self.unpacked;
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).clamp(1, room.len());
        let room = room.get_mut(..wanted).unwrap_or_default();
        while let Some(member) = &mut self.member {
            match member.read(room) {
                Ok(0) if member.packed().is_short => return Err(self.fault(io::ErrorKind::UnexpectedEof.into())),
                Ok(0) if self.next()? => {}
                Ok(0) => break,
                Ok(_) if left == 0 => {
                    let (name, at, why) = (self.name, self.taken(), Why::Limit(self.most));
                    return Err(Fault { name, at, why }.into());
                }
                Ok(read) => {
                    self.unpacked += read as u64;
                    return Ok(read);
                }
                Err(error) => return Err(self.fault(error)),
            }
        }
        Ok(0)
    }
}

/// One stream of a compressed input. At its end nothing behind it was taken.
trait Member: Read + Send {
    fn packed(&self) -> &Packed;
    fn into_packed(self: Box<Self>) -> Packed;
}

/// No member: where one may begin.
struct Between(Packed);

impl Read for Between {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

/// How each decoder lends what it reads from, and gives it back.
macro_rules! members {
    ($($decoder:ty: $lend:expr, $back:expr;)*) => {$(
        impl Member for $decoder {
            fn packed(&self) -> &Packed {
                let lend: fn(&Self) -> &Packed = $lend;
                lend(self)
            }

            fn into_packed(self: Box<Self>) -> Packed {
                let back: fn(Self) -> Packed = $back;
                back(*self)
            }
        }
    )*};
}

members! {
    Between: |it| &it.0, |it| it.0;
    Zstd: |it| &it.packed, |it| it.packed;
    GzDecoder<Packed>: Self::get_ref, Self::into_inner;
    Lz4: |it| &it.packed, |it| it.packed;
    Xz: |it| &it.packed, |it| it.packed;
}

/// The bytes as they are in the input.
struct Packed {
    buffer: Buffer,
    /// A decoder wanted more than there is.
    is_short: bool,
}

impl Packed {
    /// The format of what begins here, `None` at the end of the input. Passed over are zeros, with which xz and tapes pad, and
    /// frames that are to be.
    fn next(&mut self) -> Result<Option<&'static Format>, Why> {
        loop {
            self.buffer.fill(HEAD);
            let head = self.buffer.data();
            if let Some(format) = FORMATS.iter().find(|format| head.starts_with(format.magic)) {
                return Ok(Some(format));
            }
            let passed = match skippable(head) {
                Some(passed) => passed,
                None => head.iter().take_while(|&&byte| byte == 0).count() as u64,
            };
            match passed {
                0 if head.is_empty() => {
                    return self.buffer.take_failure().map_or(Ok(None), |why| Err(Why::Damaged(why)));
                }
                0 => return Err(Why::Behind),
                _ if self.buffer.skip(passed as usize) => {}
                _ => return Err(Why::Cut),
            }
        }
    }

    /// At least the next `count` bytes.
    fn ahead(&mut self, count: usize) -> io::Result<&[u8]> {
        if !self.buffer.fill(count) {
            self.is_short = true;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(self.buffer.data())
    }

    /// Moves past the next `count` bytes.
    fn take(&mut self, count: usize) -> io::Result<&[u8]> {
        self.ahead(count)?;
        Ok(self.buffer.consume(count))
    }
}

impl BufRead for Packed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.is_short |= !self.buffer.fill(1);
        // The failure itself stays there: not every decoder hands it on as it is.
        if self.buffer.has_failed() && self.buffer.data().is_empty() {
            return Err(io::ErrorKind::Other.into());
        }
        Ok(self.buffer.data())
    }

    fn consume(&mut self, count: usize) {
        self.buffer.consume(count);
    }
}

impl Read for Packed {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(room)?;
        self.consume(read);
        Ok(read)
    }
}

/// Why a compressed input is read no further.
#[derive(Debug, thiserror::Error)]
#[error("the {name} stream {why}, at offset {at} of the file")]
pub(super) struct Fault {
    name: &'static str,
    at: u64,
    why: Why,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("is cut: it ends too early")]
    Cut,
    #[error("cannot be unpacked further ({0})")]
    Damaged(io::Error),
    #[error("{0}")]
    Window(Window),
    #[error("has bytes behind it that are no part of it")]
    Behind,
    #[error("unpacks to more than {} and is read no further (--max-unpacked)", size(*.0))]
    Limit(u64),
}

impl Fault {
    /// The finding that it is.
    pub(super) const fn code(&self) -> NoteCode {
        match self.why {
            Why::Cut => NoteCode::FileCut,
            Why::Damaged(_) | Why::Behind => NoteCode::FileDamaged,
            Why::Limit(_) | Why::Window(_) => NoteCode::FileLimit,
        }
    }
}

/// A stream refers farther back than is kept of it.
#[derive(Debug, thiserror::Error)]
#[error(
    "refers back by up to {}, of which no more than {} are kept: unpack it before (zstd -d --long={})",
    size(*.wanted),
    size(*.most),
    .wanted.next_power_of_two().ilog2()
)]
struct Window {
    /// By so many bytes.
    wanted: u64,
    /// So many are kept.
    most: u64,
}

/// What a stream fails with that is not as its format has it.
fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        Self::other(fault)
    }
}
