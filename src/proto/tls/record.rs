//! Records: their header, and how one direction's bytes are cut into them.

use crate::model::{Mark, Span};
use crate::proto::layer::Around;
use nom::IResult;
use nom::Parser as _;
use nom::combinator::verify;
use nom::number::streaming::{be_u8, be_u16};

/// What a record carries (RFC 8446 §B.1); unknown ones keep their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContentType(pub(super) u8);

impl ContentType {
    pub(super) const CHANGE_CIPHER_SPEC: Self = Self(20);
    pub(super) const ALERT: Self = Self(21);
    pub(super) const HANDSHAKE: Self = Self(22);
    pub(super) const DATA: Self = Self(23);
    /// RFC 6520 §3.
    pub(super) const HEARTBEAT: Self = Self(24);
}

/// RFC 8446 §5.1, RFC 5246 §6.2: `type 1 | version 2 | length 2`, then the fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: ContentType,
    /// 0x0300 to 0x0304; in TLS 1.3 it means nothing.
    pub(super) version: u16,
    /// Bytes of the fragment.
    pub(super) len: u16,
}

/// Bytes of a header.
pub(super) const HEADER: usize = 5;
/// The longest fragment: 2¹⁴ bytes, and 2048 that a cipher up to TLS 1.2 may add (RFC 5246 §6.2.3).
const FRAGMENT_MAX: u16 = (1 << 14) + 2048;

impl Header {
    /// The header as it stands on the wire.
    pub(super) const fn bytes(self) -> [u8; HEADER] {
        let [major, minor] = self.version.to_be_bytes();
        let [high, low] = self.len.to_be_bytes();
        [self.kind.0, major, minor, high, low]
    }

    /// Bytes of the record.
    pub(super) fn total(self) -> usize {
        HEADER + usize::from(self.len)
    }
}

/// Reads a header; `Incomplete` when it is cut, an error when it is none.
pub(super) fn header(bytes: &[u8]) -> IResult<&[u8], Header> {
    let kind = verify(be_u8, |kind| (ContentType::CHANGE_CIPHER_SPEC.0..=ContentType::HEARTBEAT.0).contains(kind));
    let version = verify(be_u16, |version| (0x0300..=0x0304).contains(version));
    let len = verify(be_u16, |&len| len <= FRAGMENT_MAX);
    (kind, version, len).map(|(kind, version, len)| Header { kind: ContentType(kind), version, len }).parse(bytes)
}

/// A record as it came, and which packets brought it.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Header and fragment.
    pub(super) bytes: Vec<u8>,
    /// From which of its bytes on which packet brought it.
    pub(super) brought: Vec<(usize, Mark)>,
    /// Where it begins in the direction's stream.
    pub(super) offset: u64,
    /// How many bytes its last packet brought of the stream up to its end; 0: it was looked for, or torn.
    pub(super) last: u32,
    /// Stretches of its bytes that were not captured, in order: zeros stand there.
    holes: Vec<(usize, usize)>,
}

/// Holes of one record that are told apart.
const HOLES_MAX: usize = 64;

/// A part of a record: bytes that one packet brought, or a number of bytes that were not captured.
pub(super) enum Piece<'a> {
    Bytes(&'a [u8], Mark),
    Lost(usize),
}

impl Record {
    /// Memory that it points to.
    pub(super) const fn held(&self) -> usize {
        let (bytes, brought, holes) = (self.bytes.len(), self.brought.len(), self.holes.len());
        bytes + brought * size_of::<(usize, Mark)>() + holes * size_of::<(usize, usize)>()
    }

    /// Where it stands in the direction's stream.
    pub(super) fn around(&self) -> Around {
        let brought = self.brought.first().map_or(Mark::default(), |&(_, mark)| mark);
        Around::piece(self.offset, &self.bytes, brought)
    }

    /// Its fragment.
    pub(super) fn fragment(&mut self) -> &mut [u8] {
        self.bytes.get_mut(HEADER..).unwrap_or_default()
    }

    /// Adds bytes that stand at `offset` of the stream.
    fn push(&mut self, bytes: &[u8], offset: u64, brought: Mark) {
        if self.bytes.is_empty() {
            self.offset = offset;
        }
        if self.brought.last().is_none_or(|&(_, last)| last != brought) {
            self.brought.push((self.bytes.len(), brought));
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn clear(&mut self) {
        self.last = 0;
        self.bytes.clear();
        self.brought.clear();
        self.holes.clear();
    }

    /// Whether bytes of it were not captured.
    pub(super) const fn is_torn(&self) -> bool {
        !self.holes.is_empty()
    }

    /// Leaves out bytes that were not captured.
    fn lose(&mut self, len: usize) {
        let from = self.bytes.len();
        self.bytes.resize(from + len, 0);
        self.add_hole(from, from + len);
    }

    /// Between two places nothing is known; past a bound the last hole takes in what is known behind it.
    fn add_hole(&mut self, from: usize, to: usize) {
        let is_full = self.holes.len() >= HOLES_MAX;
        match self.holes.last_mut() {
            Some((_, end)) if *end >= from || is_full => *end = to,
            _ if to > from => self.holes.push((from, to)),
            _ => {}
        }
    }

    /// The block before its fragment, with which the first is decrypted, is missing.
    pub(super) fn orphan(&mut self) {
        self.holes.insert(0, (HEADER, HEADER));
    }

    /// From which place of its fragment on all is there.
    pub(super) fn end(&self) -> usize {
        self.holes.last().map_or(0, |hole| hole.1.saturating_sub(HEADER))
    }

    /// Whether all bytes of its fragment between two places are there.
    pub(super) fn knows(&self, from: usize, to: usize) -> bool {
        !self.holes.iter().any(|&(start, end)| start < HEADER + to && end > HEADER + from)
    }

    /// Bytes of its fragment before the first that is missing.
    pub(super) fn beginning(&self) -> &[u8] {
        let until = self.holes.first().map_or(self.bytes.len(), |hole| hole.0);
        self.bytes.get(HEADER..until).unwrap_or_default()
    }

    /// A block of its fragment that is missing in part is so wholly, and the block behind it, too: each is decrypted with the
    /// one before it.
    pub(super) fn widen_holes(&mut self, block: usize) {
        for (start, end) in &mut self.holes {
            *start = HEADER + start.saturating_sub(HEADER) / block * block;
            *end = HEADER + (end.saturating_sub(HEADER).div_ceil(block) + 1) * block;
        }
    }

    /// What there is of its fragment between two places, in order, and what is missing.
    pub(super) fn pieces(&self, from: usize, to: usize) -> Vec<Piece<'_>> {
        let (mut at, to) = (HEADER + from, HEADER + to);
        let mut pieces = Vec::new();
        for &(start, end) in self.holes.iter().chain([&(to, to)]) {
            let (start, end) = (start.clamp(at, to), end.clamp(at, to));
            pieces.extend(self.parts(at, start).map(|(_, bytes, brought)| Piece::Bytes(bytes, brought)));
            if end > start {
                pieces.push(Piece::Lost(end - start));
            }
            at = end;
        }
        pieces
    }

    /// Drops the first bytes.
    fn drop_first(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes.len());
        self.bytes.drain(..bytes);
        self.offset += bytes as u64;
        let before = self.brought.partition_point(|&(from, _)| from <= bytes).saturating_sub(1);
        self.brought.drain(..before);
        for (from, _) in &mut self.brought {
            *from = from.saturating_sub(bytes);
        }
    }

    /// The packets that brought it.
    pub(super) fn span(&self) -> Option<Span> {
        let (&(_, first), &(_, last)) = (self.brought.first()?, self.brought.last()?);
        Some(Span { first, last })
    }

    /// The parts of some of its bytes that one packet each brought.
    pub(super) fn parts(&self, from: usize, to: usize) -> impl Iterator<Item = (usize, &[u8], Mark)> {
        let ends = self.brought.iter().skip(1).map(|&(from, _)| from).chain([usize::MAX]);
        self.brought.iter().zip(ends).filter_map(move |(&(start, mark), end)| {
            let (start, end) = (start.max(from), end.min(to));
            Some((start, self.bytes.get(start..end).filter(|part| !part.is_empty())?, mark))
        })
    }
}

/// Cuts one direction's bytes into records.
///
/// ```text
/// ▶ Record ─▶ Record …     a hole in a fragment: ─▶ torn Record ─▶ Record     any other: ─▶ Lost ─▶ Record
/// ```
#[derive(Debug, Default)]
pub(super) struct Cutter {
    /// The record under assembly; where records are looked for, all bytes that were not passed over.
    pub(super) record: Record,
    state: State,
    /// The packet at hand, and where what it brought begins in the stream.
    packet: (Mark, u64),
    /// Where records are looked for: places that may hold, whose records are not there yet.
    open: Vec<usize>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Whole,
    /// It is not known where the next record begins. The record before ended at this offset; bytes before the index were tried.
    Lost { since: u64, tried: usize },
}

/// What a piece of a stream completes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nothing yet: all bytes were taken.
    More,
    /// A record is there, to be taken and cleared; it may lack bytes.
    Record(Header),
    /// There is no record where one should begin.
    Bad,
}

impl Cutter {
    /// Takes bytes up to the end of a record; says how many.
    pub(super) fn push(&mut self, bytes: &[u8], offset: u64, brought: Mark) -> (usize, Cut) {
        if self.packet.0 != brought {
            self.packet = (brought, offset);
        }
        match self.state {
            State::Whole => self.whole(bytes, offset, brought),
            State::Lost { .. } => {
                self.record.push(bytes, offset, brought);
                (bytes.len(), Cut::More)
            }
        }
    }

    fn whole(&mut self, bytes: &[u8], offset: u64, brought: Mark) -> (usize, Cut) {
        let record = &mut self.record;
        let mut used = HEADER.saturating_sub(record.bytes.len()).min(bytes.len());
        let (head, rest) = bytes.split_at_checked(used).unwrap_or((bytes, &[]));
        record.push(head, offset, brought);
        match header(&record.bytes) {
            Ok((_, header)) => {
                let take = header.total().saturating_sub(record.bytes.len()).min(rest.len());
                record.push(rest.get(..take).unwrap_or_default(), offset + used as u64, brought);
                used += take;
                if record.bytes.len() < header.total() {
                    return (used, Cut::More);
                }
                let (_, begin) = self.packet;
                record.last = u32::try_from((offset + used as u64).saturating_sub(begin)).unwrap_or(0);
                (used, Cut::Record(header))
            }
            Err(nom::Err::Incomplete(_)) => (used, Cut::More),
            Err(_) => (used, Cut::Bad),
        }
    }

    /// Passes over bytes that were lost: says what that completes, or `None` when it is not known any more where the next record
    /// begins.
    pub(super) fn lose(&mut self, offset: u64, len: u64) -> Option<Cut> {
        if self.state == State::Whole
            && let Ok((_, header)) = header(&self.record.bytes)
            && let left = header.total() - self.record.bytes.len()
            && let Some(len) = usize::try_from(len).ok().filter(|&len| len <= left)
        {
            self.record.lose(len);
            return Some(if len < left { Cut::More } else { Cut::Record(header) });
        }
        let since = match self.state {
            State::Lost { since, .. } => since,
            State::Whole if self.record.bytes.is_empty() => offset,
            _ => self.record.offset,
        };
        self.record.clear();
        self.open.clear();
        self.state = State::Lost { since, tried: 0 };
        None
    }

    /// No record begins where one should: it is to be looked for behind that place.
    pub(super) fn derail(&mut self) {
        let since = self.record.offset;
        self.state = State::Lost { since, tried: 1 };
    }

    /// Bytes in which records are looked for.
    pub(super) const fn sought(&self) -> usize {
        if self.is_lost() { self.record.held() } else { 0 }
    }

    /// Whether records are looked for.
    pub(super) const fn is_lost(&self) -> bool {
        matches!(self.state, State::Lost { .. })
    }

    /// The next place where a record may begin, and its header: it is followed by two more headers, or by none because it, or one
    /// of them, ends where the bytes do. With `last` no more bytes are to be expected, and one whole record is enough.
    pub(super) fn seek(&mut self, last: bool, fits: impl Fn(Header) -> bool) -> Option<Header> {
        let State::Lost { tried, .. } = &mut self.state else { return None };
        let bytes = &self.record.bytes;
        let mut found = None;
        // Places that are still open stand before all others.
        self.open.retain(|&at| match chain(bytes.get(at..).unwrap_or_default(), last, &fits) {
            Chain::Holds(header) => {
                found.get_or_insert((at, header));
                false
            }
            Chain::Open => true,
            Chain::Broken => false,
        });
        while let Some(rest) = bytes.get(*tried..).filter(|rest| found.is_none() && rest.len() >= HEADER) {
            match chain(rest, last, &fits) {
                Chain::Holds(header) => found = Some((*tried, header)),
                Chain::Open if self.open.len() < OPEN_MAX => self.open.push(*tried),
                Chain::Open | Chain::Broken => {}
            }
            *tried += 1;
        }
        let (at, header) = found?;
        *tried = at;
        self.open.clear();
        Some(header)
    }

    /// Keeps no more than so many bytes to look for records in.
    pub(super) fn bound(&mut self, bytes_max: usize) {
        let State::Lost { tried, .. } = &mut self.state else { return };
        if self.record.bytes.len() > bytes_max {
            let drop = self.record.bytes.len() - bytes_max / 2;
            self.record.drop_first(drop);
            *tried = tried.saturating_sub(drop);
            self.open.retain_mut(|at| {
                let kept = at.checked_sub(drop);
                *at = kept.unwrap_or_default();
                kept.is_some()
            });
        }
    }

    /// A record begins where [`Self::seek`] said: takes the bytes from there on, and says how many bytes of the stream were passed
    /// over, those of whole records before included.
    pub(super) fn found(&mut self) -> (Record, u64) {
        let mut record = std::mem::take(&mut self.record);
        let State::Lost { since, tried } = std::mem::take(&mut self.state) else { return (record, 0) };
        record.drop_first(tried);
        let passed = record.offset.saturating_sub(since);
        (record, passed)
    }
}

/// What follows a header.
enum Chain {
    Holds(Header),
    /// It may hold: the bytes end too early.
    Open,
    Broken,
}

/// Headers that must follow each other.
const CHAIN: usize = 3;
/// Places at which records may begin that are remembered until it is clear.
const OPEN_MAX: usize = 8;

fn chain(bytes: &[u8], last: bool, fits: &impl Fn(Header) -> bool) -> Chain {
    let mut at = 0;
    let mut first = None;
    for _ in 0..CHAIN {
        match bytes.get(at..).map(header) {
            Some(Ok((_, header))) if fits(header) => {
                first.get_or_insert(header);
                at += header.total();
            }
            Some(Ok(_) | Err(nom::Err::Error(_) | nom::Err::Failure(_))) => return Chain::Broken,
            Some(Err(nom::Err::Incomplete(_))) | None => {
                let whole = first.filter(|header| bytes.len() >= header.total());
                return match whole {
                    Some(header) if last || at == bytes.len() => Chain::Holds(header),
                    _ if last => Chain::Broken,
                    _ => Chain::Open,
                };
            }
        }
    }
    match first {
        Some(header) if bytes.len() >= header.total() => Chain::Holds(header),
        _ => Chain::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, len: u8) -> Vec<u8> {
        let mut bytes = vec![kind, 3, 3, 0, len];
        bytes.extend(std::iter::repeat_n(0xaa, usize::from(len)));
        bytes
    }

    #[test]
    fn a_header_has_a_known_type_version_and_length() {
        assert!(matches!(header(&[23, 3, 3, 0, 5]), Ok((_, Header { len: 5, .. }))));
        assert!(matches!(header(&[23, 3, 3, 0]), Err(nom::Err::Incomplete(_))));
        for bad in [[25, 3, 3, 0, 5], [23, 2, 3, 0, 5], [23, 3, 5, 0, 5], [23, 3, 3, 0x48, 1]] {
            assert!(matches!(header(&bad), Err(nom::Err::Error(_))), "{bad:?}");
        }
        let bytes = [23, 3, 3, 0x48, 0];
        assert_eq!(header(&bytes).map(|(_, header)| header.bytes()), Ok(bytes));
    }

    #[test]
    fn records_are_cut_wherever_the_pieces_end() {
        let stream = [record(22, 3), record(23, 0), record(23, 7)].concat();
        for size in 1..=stream.len() {
            let mut cutter = Cutter::default();
            let mut seen = Vec::new();
            for (at, piece) in stream.chunks(size).enumerate() {
                let mut used = 0;
                while used < piece.len() {
                    let (more, cut) = cutter.push(&piece[used..], (at * size + used) as u64, Mark::default());
                    used += more;
                    if let Cut::Record(header) = cut {
                        seen.push((cutter.record.offset, header.kind.0, header.len));
                        cutter.record.clear();
                    }
                }
            }
            assert_eq!(seen, [(0, 22, 3), (8, 23, 0), (13, 23, 7)], "pieces of {size}");
        }
    }

    #[test]
    fn a_hole_inside_a_fragment_tears_its_record() {
        let mut cutter = Cutter::default();
        cutter.push(&record(23, 9)[..7], 0, Mark::default());
        assert_eq!(cutter.lose(7, 4), Some(Cut::More));
        assert!(matches!(cutter.push(&[1, 2, 3, 23], 11, Mark::default()), (3, Cut::Record(Header { len: 9, .. }))));
        let pieces: Vec<(Vec<u8>, usize)> = (cutter.record.pieces(0, 8).iter())
            .map(|piece| match piece {
                Piece::Bytes(bytes, _) => (bytes.to_vec(), 0),
                Piece::Lost(len) => (Vec::new(), *len),
            })
            .collect();
        assert_eq!(pieces, [(vec![0xaa, 0xaa], 0), (vec![], 4), (vec![1, 2], 0)]);
        assert!(cutter.record.knows(0, 2) && !cutter.record.knows(1, 3) && cutter.record.knows(6, 9));
        assert_eq!((cutter.record.beginning().len(), cutter.record.end()), (2, 6));
        cutter.record.clear();
        assert_eq!(
            cutter.push(&record(23, 1), 14, Mark::default()).1,
            Cut::Record(Header { kind: ContentType(23), version: 0x0303, len: 1 })
        );
    }

    #[test]
    fn a_hole_over_a_header_is_followed_by_a_search() {
        let mut cutter = Cutter::default();
        cutter.push(&record(23, 9)[..7], 100, Mark::default());
        assert_eq!(cutter.lose(107, 30), None);
        let behind = [vec![1, 23, 3, 3], record(23, 2), record(23, 30)].concat();
        cutter.push(&behind[..12], 137, Mark::default());
        assert_eq!(cutter.seek(false, |_| true), None, "the second record has only begun");
        cutter.push(&behind[12..], 149, Mark::default());
        assert_eq!(cutter.seek(false, |_| true).map(|header| header.len), Some(2));
        let (found, passed) = cutter.found();
        assert_eq!((found.offset, passed), (141, 41));
        assert_eq!(found.bytes, behind[4..]);
    }
}
