//! Rows that become more: the first blocks of them in memory, later ones in a file.
//!
//! ```text
//! rows:   ├─ blocks in memory ─┤├─ blocks in the file, read back through a small cache ─┤├─ tail ─┤
//! ```

use super::MessageId;
use super::scratch::Scratch;
use crate::model::{DataFrame, Direction, Envelope, Hole, Limits, Mark, NoteSet, PacketNo, Timestamp, Wait, WaitCause};
use std::cell::RefCell;
use std::marker::PhantomData;

/// Rows in one block.
const BLOCK: usize = 64;

/// Blocks of a table that were read from the file and may be wanted again.
const CACHED: usize = 128;

/// Where the rows of all tables are kept.
#[derive(Debug)]
pub(super) struct Spool {
    /// Bytes that may be in memory.
    most: usize,
    /// Bytes that are: they never become less.
    held: usize,
    file: Scratch,
}

impl Spool {
    pub(super) const fn new(limits: &Limits) -> Self {
        Self { most: limits.index_bytes, held: 0, file: Scratch::new(limits.index_file) }
    }

    /// Counts what is kept in memory whatever its bound.
    pub(super) const fn count(&mut self, bytes: usize) {
        self.held += bytes;
    }

    /// Whether so much more may be in memory; then it is counted.
    const fn hold(&mut self, bytes: usize) -> bool {
        let fits = self.held + bytes <= self.most;
        if fits {
            self.held += bytes;
        }
        fits
    }

    /// Why no more rows are kept.
    pub(super) fn failure(&self) -> Option<&str> {
        self.file.failure()
    }
}

/// A row as bytes: as many for each of its kind.
pub(super) trait Row: Copy {
    /// How many.
    const BYTES: usize;

    fn write(&self, out: &mut Vec<u8>);

    /// The row that was written.
    fn read(from: &mut Bytes<'_>) -> Option<Self>;
}

/// Bytes of rows, from the front. Numbers are little-endian.
pub(super) struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }
}

/// Rows of which none goes. Growing moves none of them, so millions cost their own size and no more.
#[derive(Debug)]
pub(super) struct Table<T> {
    /// Blocks in memory.
    held: Vec<Box<[T]>>,
    /// Where the blocks behind them stand in the file.
    places: Vec<u64>,
    /// Behind all blocks.
    tail: Vec<T>,
    cache: RefCell<Cache<T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        let cache = RefCell::new(Cache { blocks: Vec::new(), bytes: Vec::new() });
        Self { held: Vec::new(), places: Vec::new(), tail: Vec::new(), cache }
    }
}

impl<T: Row> Table<T> {
    pub(super) const fn len(&self) -> usize {
        (self.held.len() + self.places.len()) * BLOCK + self.tail.len()
    }

    /// Adds a row and says where it stands.
    pub(super) fn push(&mut self, row: T, spool: &mut Spool) -> usize {
        self.tail.push(row);
        if self.tail.len() == BLOCK {
            self.put_away(spool);
        }
        self.len() - 1
    }

    /// Moves the full tail to where it will stay. One that cannot be written stays, and takes what still belongs to the last
    /// message: there are no more.
    fn put_away(&mut self, spool: &mut Spool) {
        if self.places.is_empty() && spool.hold(BLOCK * size_of::<T>()) {
            let next = Vec::with_capacity(BLOCK);
            self.held.push(std::mem::replace(&mut self.tail, next).into_boxed_slice());
            return;
        }
        let mut bytes = Vec::with_capacity(BLOCK * T::BYTES);
        self.tail.iter().for_each(|row| row.write(&mut bytes));
        if let Some(place) = spool.file.append(&bytes) {
            self.places.push(place);
            self.tail.clear();
        }
    }

    /// Puts a row in the place of another.
    pub(super) fn set(&mut self, at: usize, row: T, spool: &mut Spool) {
        let (block, nth, held) = (at / BLOCK, at % BLOCK, self.held.len());
        let place = block.checked_sub(held).and_then(|block| self.places.get(block));
        let there = match (self.held.get_mut(block), place) {
            (Some(rows), _) => rows.get_mut(nth),
            (None, Some(place)) => {
                let mut bytes = Vec::with_capacity(T::BYTES);
                row.write(&mut bytes);
                spool.file.replace(place + (nth * T::BYTES) as u64, &bytes);
                self.cache.get_mut().rows_of(block - held).and_then(|rows| rows.get_mut(nth))
            }
            (None, None) => self.tail.get_mut(at - (held + self.places.len()) * BLOCK),
        };
        if let Some(there) = there {
            *there = row;
        }
    }

    /// A row; `None` when it is not there, or cannot be read.
    pub(super) fn get(&self, at: usize, spool: &Spool) -> Option<T> {
        let (block, row) = (at / BLOCK, at % BLOCK);
        if let Some(rows) = self.held.get(block) {
            return rows.get(row).copied();
        }
        let block = block - self.held.len();
        match self.places.get(block) {
            Some(&place) => self.cache.try_borrow_mut().ok()?.get(block, row, place, spool),
            None => self.tail.get(at - (self.held.len() + self.places.len()) * BLOCK).copied(),
        }
    }
}

/// Blocks that were read last, each in the slot that its number says.
#[derive(Debug)]
struct Cache<T> {
    blocks: Vec<(Option<usize>, Vec<T>)>,
    bytes: Vec<u8>,
}

impl<T: Row> Cache<T> {
    fn get(&mut self, block: usize, row: usize, place: u64, spool: &Spool) -> Option<T> {
        if self.blocks.is_empty() {
            self.blocks.resize_with(CACHED, Default::default);
        }
        let (cached, rows) = self.blocks.get_mut(block % CACHED)?;
        if *cached != Some(block) {
            *cached = None;
            self.bytes.resize(BLOCK * T::BYTES, 0);
            spool.file.read(place, &mut self.bytes)?;
            rows.clear();
            let mut from = Bytes(&self.bytes);
            rows.extend((0..BLOCK).map_while(|_| T::read(&mut from)));
            *cached = Some(block);
        }
        rows.get(row).copied()
    }

    /// The rows of a block, where it is at hand.
    fn rows_of(&mut self, block: usize) -> Option<&mut [T]> {
        let (cached, rows) = self.blocks.get_mut(block % CACHED)?;
        (*cached == Some(block)).then_some(rows)
    }
}

/// Rows of a strand that lie together.
const PAGE: usize = 16;

/// A list of rows of which many grow side by side: each has its pages in one table.
#[derive(Debug)]
pub(super) struct Strand<T> {
    /// Its pages, by their places in the table.
    pages: Vec<u32>,
    tail: Vec<T>,
    of: PhantomData<Table<T>>,
}

impl<T> Default for Strand<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), tail: Vec::new(), of: PhantomData }
    }
}

impl<T: Row> Strand<T> {
    pub(super) const fn len(&self) -> usize {
        self.pages.len() * PAGE + self.tail.len()
    }

    /// Adds a row; only strands may have rows in that table.
    pub(super) fn push(&mut self, row: T, table: &mut Table<T>, spool: &mut Spool) {
        if self.tail.len() == PAGE {
            let Ok(page) = u32::try_from(table.len() / PAGE) else { return };
            for row in self.tail.drain(..) {
                table.push(row, spool);
            }
            self.pages.push(page);
        }
        self.tail.push(row);
    }

    /// The row that was added last.
    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        self.tail.last_mut()
    }

    /// Puts a row in the place of another.
    pub(super) fn set(&mut self, at: usize, row: T, table: &mut Table<T>, spool: &mut Spool) {
        if let Some(&page) = self.pages.get(at / PAGE) {
            table.set(page as usize * PAGE + at % PAGE, row, spool);
        } else if let Some(there) = self.tail.get_mut(at - self.pages.len() * PAGE) {
            *there = row;
        }
    }

    pub(super) fn get(&self, at: usize, table: &Table<T>, spool: &Spool) -> Option<T> {
        match self.pages.get(at / PAGE) {
            Some(&page) => table.get(page as usize * PAGE + at % PAGE, spool),
            None => self.tail.get(at - self.pages.len() * PAGE).copied(),
        }
    }
}

/// The first place from which on the rows are not so: `is_before` holds up to there; of `len` rows.
pub(super) fn partition_point(len: usize, mut is_before: impl FnMut(usize) -> bool) -> usize {
    let (mut from, mut to) = (0, len);
    while from < to {
        let middle = from + (to - from) / 2;
        if is_before(middle) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    from
}

impl Row for MessageId {
    const BYTES: usize = 4;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.0.to_le_bytes());
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        from.u32().map(Self)
    }
}

/// As in memory, where the earliest `i64` is no time.
impl Row for Option<Timestamp> {
    const BYTES: usize = 8;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.map_or(i64::MIN, Timestamp::nanos).to_le_bytes());
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        Some(Some(from.i64()?).filter(|&nanos| nanos != i64::MIN).map(Timestamp::from_nanos))
    }
}

impl Row for Mark {
    const BYTES: usize = 16;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.packet.0.to_le_bytes());
        self.time.write(out);
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        Some(Self { packet: PacketNo(from.u64()?), time: Row::read(from)? })
    }
}

impl Row for Option<u64> {
    const BYTES: usize = 9;

    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.is_some().into());
        out.extend(self.unwrap_or(0).to_le_bytes());
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        let is_some = from.u8()? != 0;
        let number = from.u64()?;
        Some(is_some.then_some(number))
    }
}

impl Row for Hole {
    const BYTES: usize = 17;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.offset.to_le_bytes());
        self.len.write(out);
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        Some(Self { offset: from.u64()?, len: Row::read(from)? })
    }
}

impl Row for Wait {
    const BYTES: usize = 17 + <Option<u64> as Row>::BYTES;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.nanos.to_le_bytes());
        out.push((self.cause == WaitCause::Window).into());
        out.extend(self.packet.0.to_le_bytes());
        self.of.map(|of| of.0).write(out);
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        let nanos = from.i64()?;
        let cause = if from.u8()? == 0 { WaitCause::Retransmission } else { WaitCause::Window };
        let packet = PacketNo(from.u64()?);
        Some(Self { nanos, cause, packet, of: <Option<u64> as Row>::read(from)?.map(PacketNo) })
    }
}

impl Row for NoteSet {
    const BYTES: usize = 8 * Self::WORDS;

    fn write(&self, out: &mut Vec<u8>) {
        self.words().iter().for_each(|word| out.extend(word.to_le_bytes()));
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        let mut words = [0; Self::WORDS];
        for word in &mut words {
            *word = from.u64()?;
        }
        Some(Self::of_words(words))
    }
}

impl Row for Envelope {
    const BYTES: usize = 48;

    fn write(&self, out: &mut Vec<u8>) {
        out.push((self.dir == Direction::ToClient).into());
        out.extend(self.number.to_le_bytes());
        out.extend(self.wire_len.to_le_bytes());
        out.extend(self.brought.to_le_bytes());
        out.extend(self.offset.to_le_bytes());
        out.extend(self.len.to_le_bytes());
        out.push(self.data.is_some().into());
        out.extend(self.data.map_or([0; 9], |data| data.head));
        self.data.and_then(|data| data.record).write(out);
    }

    fn read(from: &mut Bytes<'_>) -> Option<Self> {
        let dir = if from.u8()? == 0 { Direction::ToServer } else { Direction::ToClient };
        let (number, wire_len, brought) = (from.u64()?, from.u32()?, from.u32()?);
        let (offset, len) = (from.u64()?, from.u32()?);
        let has_data = from.u8()? != 0;
        let data = DataFrame { head: from.array()?, record: Row::read(from)? };
        Some(Self { dir, number, wire_len, brought, offset, len, data: has_data.then_some(data) })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::NoteCode;
    use std::fmt::Debug;

    fn spool(index_bytes: usize, index_file: u64) -> Spool {
        Spool::new(&Limits { index_bytes, index_file, ..Limits::DEFAULT })
    }

    fn id(at: usize) -> MessageId {
        MessageId(at as u32 * 7)
    }

    #[test]
    fn gives_back_what_was_put_in_wherever_it_is() {
        for memory in [0, 10 * 4 * BLOCK, usize::MAX] {
            let (mut table, mut spool) = (Table::default(), spool(memory, u64::MAX));
            for row in 0..300 * BLOCK + 7 {
                assert_eq!(table.len(), row);
                assert_eq!(table.push(id(row), &mut spool), row);
            }
            assert_eq!(table.held.len(), (memory / (4 * BLOCK)).min(300));
            assert!((0..table.len()).all(|row| table.get(row, &spool) == Some(id(row))));
            assert!((0..table.len()).rev().step_by(61).all(|row| table.get(row, &spool) == Some(id(row))));
            assert_eq!(table.get(table.len(), &spool), None);
        }
    }

    /// Rows of the last message come even where nothing more can be written.
    #[test]
    fn a_full_file_costs_only_what_comes_after() {
        let (mut table, mut spool) = (Table::default(), spool(0, 2 * 4 * BLOCK as u64));
        for row in 0..5 * BLOCK {
            table.push(id(row), &mut spool);
            assert_eq!(spool.failure().is_some(), row + 1 >= 3 * BLOCK, "{row}");
        }
        assert!((0..table.len()).all(|row| table.get(row, &spool) == Some(id(row))));
    }

    #[test]
    fn strands_grow_side_by_side() {
        for memory in [0, usize::MAX] {
            let (mut table, mut spool) = (Table::default(), spool(memory, u64::MAX));
            let mut strands: [Strand<MessageId>; 5] = Default::default();
            let mut expected = vec![Vec::new(); 5];
            for row in 0..5000 {
                let nth = row * row * row % 5;
                strands[nth].push(id(row), &mut table, &mut spool);
                expected[nth].push(id(row));
            }
            for (strand, expected) in strands.iter_mut().zip(&mut expected) {
                for at in [0, 20, 500, strand.len() - 40, strand.len() - 1] {
                    // Also where the block is at hand.
                    strand.get(at + 1 - at % 2, &table, &spool);
                    strand.set(at, id(at + 9), &mut table, &mut spool);
                    expected[at] = id(at + 9);
                }
            }
            for (strand, expected) in strands.iter().zip(expected) {
                assert_eq!(strand.len(), expected.len());
                let all: Vec<_> = (0..=strand.len()).map_while(|at| strand.get(at, &table, &spool)).collect();
                assert_eq!(all, expected);
            }
        }
    }

    #[test]
    fn finds_where_rows_change() {
        let rows = [1, 1, 3, 5];
        assert_eq!([0, 1, 2, 5, 9].map(|than| partition_point(4, |at| rows[at] < than)), [0, 0, 2, 3, 4]);
    }

    /// What stands in the file is what was there, in as many bytes as are read.
    pub(in crate::book) fn survives<T: Row + PartialEq + Debug>(row: T) {
        let mut bytes = Vec::new();
        row.write(&mut bytes);
        assert_eq!(bytes.len(), T::BYTES, "{row:?}");
        assert_eq!(T::read(&mut Bytes(&bytes)), Some(row));
        assert_eq!(T::read(&mut Bytes(&bytes[1..])), None);
    }

    #[test]
    fn rows_survive_the_file() {
        let mark = Mark { packet: PacketNo(u64::MAX - 1), time: Some(Timestamp::from_nanos(-5)) };
        survives(mark);
        survives(Mark { time: None, ..mark });
        survives(Hole { offset: 1 << 40, len: Some(u64::MAX) });
        survives(Hole { offset: 0, len: None });
        survives(Wait { nanos: -1, cause: WaitCause::Window, packet: PacketNo(9), of: None });
        survives(Wait {
            nanos: i64::MAX,
            cause: WaitCause::Retransmission,
            packet: PacketNo(9),
            of: Some(PacketNo(7)),
        });
        let mut notes = NoteSet::EMPTY;
        notes.insert(NoteCode::DeflateInferred);
        survives(notes);
        let dir = Direction::ToServer;
        let record = Envelope { dir, number: 1 << 40, wire_len: 7, brought: 9, offset: 1 << 50, len: 3, data: None };
        survives(record);
        let data = DataFrame { head: *b"nine byte", record: None };
        survives(Envelope { dir: Direction::ToClient, data: Some(data), ..record });
        survives(Envelope { data: Some(DataFrame { record: Some(1 << 60), ..data }), ..record });
    }
}
