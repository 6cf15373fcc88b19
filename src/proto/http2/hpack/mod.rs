//! Header compression (RFC 7541): a block's bytes, as they come, to header fields.
//!
//! Fields are read one by one, so that a block of any length is never held: what is kept of it is for its reader to say. A string
//! that is too long is passed over, and the table goes on as the sender's does.

mod huffman;
#[cfg(test)]
mod oracle;
mod table;
#[cfg(test)]
mod tests;

use nom::IResult;
use nom::bytes::streaming::take;
use nom::number::streaming::u8;
pub(super) use table::OVERHEAD;
use table::{Found, Name, Table};

/// What decodes one direction's header blocks.
#[derive(Debug)]
pub(super) struct Decoder {
    table: Table,
    state: State,
    /// The beginning of a field that is not complete.
    partial: Vec<u8>,
    /// How many bytes of it there must be before it is worth reading again.
    wanted: usize,
    /// A field was read in this block: the size of the table may not be changed any more (RFC 7541 §4.2).
    begun: bool,
}

/// Where in a block it stands.
///
/// ```text
/// Field ──▶ Field …      a string that is too long: ──▶ PassName ▸ PassLength ▸ PassValue ──▶ Field …
///   └──▶ Broken: nothing more of the block can be read
/// ```
#[derive(Debug, Clone, Copy)]
enum State {
    Field,
    PassName { left: u64, adds: bool },
    PassLength { adds: bool },
    PassValue { left: u64, adds: bool },
    Broken,
}

/// A header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// Name and value.
    Known(&'a [u8], &'a [u8]),
    /// The entry of the table that it refers to is not known; the value where it has one of its own.
    Lost(u64, Option<&'a [u8]>),
    /// It is too long to be kept.
    Long,
}

/// What is wrong with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// An index leads to nothing.
    Index(u64),
    /// An integer is larger than anything that it could stand for.
    Integer,
    /// A string is not what the Huffman code makes of one.
    Huffman,
    /// The table is to become larger than its reader allows.
    Size(u64),
    /// The table's size is changed behind a field.
    LateSize,
    /// The block ends inside a field.
    Cut,
}

/// What comes of a block.
pub(super) enum Read<'a> {
    Field(Field<'a>),
    Fault(Fault),
}

/// Bytes of one field that are kept.
const FIELD_MAX: usize = 64 << 10;
/// Bytes that are kept allocated for the beginning of a field.
const PARTIAL: usize = 4 << 10;
/// Bits of the longest Huffman code for a byte: so many times shorter than eight times that no string is decoded.
const LONGEST_CODE: u64 = 30;
/// What a table takes when nothing else was said (RFC 9113 §6.5.2), in bytes.
pub(super) const TABLE_DEFAULT: u32 = 4096;

/// How a literal is to be remembered (RFC 7541 §6.2).
///
/// ```text
/// 1 index(7)              indexed
/// 0 1 index(6)            literal, added to the table
/// 0 0 1 size(5)           the table's size
/// 0 0 0 0 index(4)        literal, not added
/// 0 0 0 1 index(4)        literal, never to be added
/// ```
#[derive(Debug, Clone, Copy)]
enum Representation<'a> {
    Indexed(u64),
    Literal { index: u64, name: Option<Text<'a>>, value: Text<'a>, adds: bool },
    Size(u64),
}

/// A string as it stands in a block (RFC 7541 §5.2).
#[derive(Debug, Clone, Copy)]
struct Text<'a> {
    is_huffman: bool,
    bytes: &'a [u8],
}

/// What the beginning of a block gives.
enum Step<'a> {
    Done(Representation<'a>, usize),
    /// So many bytes more are needed, at least.
    More(usize),
    /// An integer is too large.
    Bad,
}

impl Decoder {
    /// The decoder of a direction from its first block on; `bound` limits the bytes of its table.
    pub(super) fn new(bound: usize) -> Self {
        Self {
            table: Table::new(TABLE_DEFAULT as usize, bound),
            state: State::Field,
            partial: Vec::new(),
            wanted: 0,
            begun: false,
        }
    }

    /// The next bytes are lost, or a block that was before them: what was added to the table is not known.
    pub(super) fn lose(&mut self) {
        self.table.lose();
        self.reset();
    }

    /// Reads what comes next of a block, `most` being the largest table that its reader allows.
    pub(super) fn push(&mut self, mut bytes: &[u8], most: u32, take: &mut dyn FnMut(Read<'_>)) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Field if self.partial.is_empty() => self.whole(bytes, most, take),
                State::Field => self.pieced(bytes, most, take),
                State::PassName { left, adds } => {
                    let (passed, rest) = pass(bytes, left);
                    self.state = match left - passed {
                        0 => State::PassLength { adds },
                        left => State::PassName { left, adds },
                    };
                    rest
                }
                State::PassLength { adds } => self.pass_length(bytes, adds, take),
                State::PassValue { left, adds } => {
                    let (passed, rest) = pass(bytes, left);
                    self.state = State::PassValue { left: left - passed, adds };
                    if left == passed {
                        self.passed(adds, take);
                    }
                    rest
                }
                State::Broken => return,
            };
        }
    }

    /// The block ends.
    pub(super) fn end(&mut self, take: &mut dyn FnMut(Read<'_>)) {
        if !matches!(self.state, State::Field | State::Broken) || !self.partial.is_empty() {
            take(Read::Fault(Fault::Cut));
            self.table.lose();
        }
        self.reset();
    }

    fn reset(&mut self) {
        (self.state, self.wanted, self.begun) = (State::Field, 0, false);
        self.partial.clear();
        self.partial.shrink_to(PARTIAL);
    }

    /// Reads fields from bytes that begin with one; returns what it leaves, which is nothing but where a long string begins.
    fn whole<'b>(&mut self, mut bytes: &'b [u8], most: u32, take: &mut dyn FnMut(Read<'_>)) -> &'b [u8] {
        loop {
            match representation(bytes) {
                Step::Done(representation, used) => {
                    self.representation(representation, most, take);
                    bytes = bytes.get(used..).unwrap_or_default();
                    if bytes.is_empty() {
                        return bytes;
                    }
                }
                Step::More(lacks) if bytes.len() + lacks <= FIELD_MAX => {
                    self.partial.extend_from_slice(bytes);
                    self.wanted = bytes.len() + lacks;
                    return &[];
                }
                Step::More(_) => return self.pass_long(bytes),
                Step::Bad => {
                    self.breaks(take);
                    return &[];
                }
            }
        }
    }

    /// Adds to a field that is not complete; returns what follows it.
    fn pieced<'b>(&mut self, bytes: &'b [u8], most: u32, take: &mut dyn FnMut(Read<'_>)) -> &'b [u8] {
        let lacks = self.wanted.saturating_sub(self.partial.len()).min(bytes.len());
        let (now, rest) = bytes.split_at_checked(lacks).unwrap_or((bytes, &[]));
        self.partial.extend_from_slice(now);
        if self.partial.len() < self.wanted {
            return rest;
        }
        let partial = std::mem::take(&mut self.partial);
        let left = self.whole(&partial, most, take);
        // The beginning of a long string, which is passed over.
        self.push(left, most, take);
        rest
    }

    /// A string is too long: its field is passed over. The bytes are those of the field, as far as they are there.
    fn pass_long<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let adds = bytes.first().is_some_and(|first| first & 0xc0 == 0x40);
        let name = literal_index(bytes).and_then(|(rest, index)| match index {
            0 => text_length(rest).map(|(rest, (_, length))| (rest, length)),
            _ => Ok((rest, 0)),
        });
        let Ok((rest, left)) = name else {
            self.state = State::Broken;
            return &[];
        };
        match usize::try_from(left).ok().and_then(|name| rest.split_at_checked(name)) {
            Some((_, value)) => self.pass_value(value, adds),
            None => {
                self.state = State::PassName { left, adds };
                rest
            }
        }
    }

    fn pass_value<'b>(&mut self, bytes: &'b [u8], adds: bool) -> &'b [u8] {
        match text_length(bytes) {
            Ok((rest, (_, left))) => {
                self.state = State::PassValue { left, adds };
                rest
            }
            Err(_) => {
                self.state = State::PassLength { adds };
                bytes
            }
        }
    }

    /// Reads the length of a value that is passed over.
    fn pass_length<'b>(&mut self, bytes: &'b [u8], adds: bool, take: &mut dyn FnMut(Read<'_>)) -> &'b [u8] {
        let (first, rest) = bytes.split_at_checked(1).unwrap_or((bytes, &[]));
        self.partial.extend_from_slice(first);
        match text_length(&self.partial) {
            Ok((_, (_, left))) => {
                self.partial.clear();
                self.state = State::PassValue { left, adds };
                if left == 0 {
                    self.passed(adds, take);
                }
            }
            Err(nom::Err::Incomplete(_)) => {}
            Err(_) => self.breaks(take),
        }
        rest
    }

    /// A field was passed over.
    fn passed(&mut self, adds: bool, take: &mut dyn FnMut(Read<'_>)) {
        self.state = State::Field;
        self.begun = true;
        if adds {
            self.table.insert_unknown((FIELD_MAX as u64 * 8 / LONGEST_CODE) as usize);
        }
        take(Read::Field(Field::Long));
    }

    /// Where the next field begins is not known.
    fn breaks(&mut self, take: &mut dyn FnMut(Read<'_>)) {
        take(Read::Fault(Fault::Integer));
        self.table.lose();
        self.partial.clear();
        self.state = State::Broken;
    }

    fn representation(&mut self, read: Representation<'_>, most: u32, take: &mut dyn FnMut(Read<'_>)) {
        match read {
            Representation::Size(size) => {
                if size > u64::from(most) {
                    take(Read::Fault(Fault::Size(size)));
                } else if self.begun {
                    take(Read::Fault(Fault::LateSize));
                }
                self.table.resize(size);
                return;
            }
            Representation::Indexed(index) => match self.table.find(index) {
                Found::Entry(name, value) => take(Read::Field(Field::Known(name, value))),
                Found::Lost => take(Read::Field(Field::Lost(index, None))),
                Found::None => take(Read::Fault(Fault::Index(index))),
            },
            Representation::Literal { index, name, value, adds } => self.literal(index, name, value, adds, take),
        }
        self.begun = true;
    }

    fn literal(
        &mut self,
        index: u64,
        name: Option<Text<'_>>,
        value: Text<'_>,
        adds: bool,
        take: &mut dyn FnMut(Read<'_>),
    ) {
        let mut decoded = Vec::new();
        let mut text = |text: Text<'_>, take: &mut dyn FnMut(Read<'_>)| {
            decoded.clear();
            if !text.decode(&mut decoded) {
                take(Read::Fault(Fault::Huffman));
            }
            Name::from(decoded.as_slice())
        };
        let own = name.map(|name| text(name, take));
        let value = text(value, take);
        let shared = if adds { own.clone().or_else(|| self.table.name(index)) } else { None };
        match (own, self.table.find(index)) {
            (Some(name), _) => take(Read::Field(Field::Known(&name, &value))),
            (None, Found::Entry(name, _)) => take(Read::Field(Field::Known(name, &value))),
            (None, Found::Lost) => take(Read::Field(Field::Lost(index, Some(&value)))),
            (None, Found::None) => take(Read::Fault(Fault::Index(index))),
        }
        match shared {
            Some(name) => self.table.insert(name, &value),
            // How long its name is, nobody knows.
            None if adds => self.table.insert_unknown(value.len()),
            None => {}
        }
    }
}

impl Text<'_> {
    /// Appends what it says; false where it is badly encoded.
    fn decode(self, out: &mut Vec<u8>) -> bool {
        if self.is_huffman {
            return huffman::decode(self.bytes, out);
        }
        out.extend_from_slice(self.bytes);
        true
    }
}

/// How many of the bytes belong to what is passed over, and those that follow.
fn pass(bytes: &[u8], left: u64) -> (u64, &[u8]) {
    let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    (take as u64, bytes.get(take..).unwrap_or_default())
}

/// Reads a field, or a change of the table's size, from the beginning of `bytes`.
fn representation(bytes: &[u8]) -> Step<'_> {
    match parse(bytes) {
        Ok((rest, representation)) => Step::Done(representation, bytes.len() - rest.len()),
        Err(nom::Err::Incomplete(nom::Needed::Size(lacks))) => Step::More(lacks.get()),
        Err(nom::Err::Incomplete(nom::Needed::Unknown)) => Step::More(1),
        Err(_) => Step::Bad,
    }
}

fn parse(bytes: &[u8]) -> IResult<&[u8], Representation<'_>> {
    let (_, first) = u8(bytes)?;
    match first {
        0x80.. => integer(bytes, 7).map(|(rest, index)| (rest, Representation::Indexed(index))),
        0x20..0x40 => integer(bytes, 5).map(|(rest, size)| (rest, Representation::Size(size))),
        _ => {
            let (rest, index) = literal_index(bytes)?;
            let (rest, name) =
                if index == 0 { text(rest).map(|(rest, name)| (rest, Some(name)))? } else { (rest, None) };
            let (rest, value) = text(rest)?;
            Ok((rest, Representation::Literal { index, name, value, adds: first & 0xc0 == 0x40 }))
        }
    }
}

/// The index of a literal's name; 0 where it has its own.
fn literal_index(bytes: &[u8]) -> IResult<&[u8], u64> {
    let (_, first) = u8(bytes)?;
    integer(bytes, if first & 0xc0 == 0x40 { 6 } else { 4 })
}

fn text(bytes: &[u8]) -> IResult<&[u8], Text<'_>> {
    let (rest, (is_huffman, length)) = text_length(bytes)?;
    let (rest, bytes) = take(length)(rest)?;
    Ok((rest, Text { is_huffman, bytes }))
}

/// Whether a string is Huffman-encoded, and its length in bytes.
fn text_length(bytes: &[u8]) -> IResult<&[u8], (bool, u64)> {
    let (_, first) = u8(bytes)?;
    integer(bytes, 7).map(|(rest, length)| (rest, (first & 0x80 != 0, length)))
}

/// An integer whose first bits stand in the low `prefix` bits of a byte (RFC 7541 §5.1); one beyond 32 bits is an error.
fn integer(bytes: &[u8], prefix: u32) -> IResult<&[u8], u64> {
    let (mut rest, first) = u8(bytes)?;
    let most = (1_u64 << prefix) - 1;
    let mut value = u64::from(first) & most;
    if value < most {
        return Ok((rest, value));
    }
    for shift in [0, 7, 14, 21, 28] {
        let (behind, byte) = u8(rest)?;
        rest = behind;
        value += u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return match value {
                ..=0xffff_ffff => Ok((rest, value)),
                _ => break,
            };
        }
    }
    Err(nom::Err::Failure(nom::error::Error::new(bytes, nom::error::ErrorKind::TooLarge)))
}
