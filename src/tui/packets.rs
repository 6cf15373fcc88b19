//! The packets that carry the frame which is looked at. They are not kept, so they are read once more, when somebody looks.

use super::anatomy::Field;
use super::app::{App, Effect};
use super::bytes::Bytes;
use super::paper::{Piece, PieceKind};
use super::trace::{Trace, Which};
use super::wire::{self, Source, Wire};
use crate::book::MessageId;
use crate::escape::display_str;
use crate::model::{Mark, PacketNo, count, number};
use std::ops::Range;
use std::sync::Arc;

/// Which packets are to be read once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The packet with a frame's first byte, and the one with its last, in either order.
    pub first: PacketNo,
    /// See `first`. Where it has another time, the file is another one.
    pub last: Mark,
    /// So many packets before them are wanted too, as far as they are of the same stream and direction: a record that has the
    /// frame begins in them.
    pub before: usize,
}

impl Wanted {
    /// From the first to the last, in the order of the capture.
    pub fn numbers(&self) -> (PacketNo, PacketNo) {
        (self.first.min(self.last.packet), self.first.max(self.last.packet))
    }
}

/// What is told of packets that are read once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// How far the reader is.
    At(PacketNo),
    /// The packets, in the order of the capture, and how many between them were left out because they are too many.
    Read(Vec<Carrier>, u64),
    /// They cannot be read, for this reason; it is escaped here.
    Refused(String),
}

/// A packet that was read once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// Its number.
    pub number: PacketNo,
    /// The name of its file, where there are several; it is escaped here.
    pub file: Option<Arc<str>>,
    /// The offset of its first byte in its file; of a compressed one, in what that unpacks to.
    pub offset: u64,
    /// What its file is compressed in.
    pub packed: Option<&'static str>,
    /// The name of its link type.
    pub link: String,
    /// The captured bytes, or the first of them.
    pub bytes: Vec<u8>,
    /// How many were captured.
    pub captured: usize,
    /// Its length on the wire.
    pub orig_len: usize,
    /// What it brings to the stream; `None`: nothing was found in it.
    pub payload: Option<Payload>,
}

/// The payload of a TCP segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The sequence number of its first byte.
    pub seq: u32,
    /// Where in the packet it begins; `None` where fragments were put together.
    pub at: Option<usize>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The packets of one frame, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// Of which frame.
    of: Option<(MessageId, usize)>,
    state: State,
    /// Something came that is not shown yet.
    is_news: bool,
    /// Those of another frame were asked for, and are not wanted any more.
    is_dropped: bool,
    /// Which of them is shown.
    shown: usize,
}

#[derive(Debug, Default)]
enum State {
    /// Nobody has looked.
    #[default]
    Unknown,
    /// They are being read; the reader is there.
    Asked(Wanted, Option<PacketNo>),
    Read(Box<Read>),
    /// Why they cannot be read.
    Refused(String),
}

/// What was read.
#[derive(Debug)]
struct Read {
    carriers: Vec<Carrier>,
    left_out: u64,
    /// Where in the stream the payload of each carrier stands.
    places: Vec<Range<u64>>,
    stream: Stream,
    /// Where in the stream the trace of the frame begins, and that.
    found: Option<(u64, Trace)>,
}

/// The payloads in the order of their sequence numbers, each byte once.
#[derive(Debug, Default)]
pub(super) struct Stream {
    bytes: Arc<Vec<u8>>,
    pieces: Vec<Piece>,
}

impl Stream {
    /// From payloads and their places.
    fn new(payloads: &mut [(Range<u64>, &[u8])]) -> Self {
        payloads.sort_by_key(|(place, _)| place.start);
        let (mut bytes, mut pieces, mut end) = (Vec::new(), Vec::<Piece>::new(), 0);
        for (place, payload) in payloads {
            // Of bytes that were sent again the first count.
            let known = usize::try_from(end.max(place.start) - place.start).unwrap_or(usize::MAX);
            let fresh = payload.get(known..).unwrap_or_default();
            if fresh.is_empty() {
                continue;
            }
            if place.start > end {
                pieces.push(Piece { offset: end, kind: PieceKind::Elsewhere(place.start - end) });
            }
            let start = bytes.len();
            bytes.extend_from_slice(fresh);
            match pieces.last_mut() {
                Some(Piece { kind: PieceKind::Bytes { end, .. }, .. }) => *end = bytes.len(),
                _ => {
                    let kind = PieceKind::Bytes { start, end: bytes.len() };
                    pieces.push(Piece { offset: place.start.max(end), kind });
                }
            }
            end = place.end;
        }
        Self { bytes: Arc::new(bytes), pieces }
    }

    /// The bytes from a place on, as far as they lie side by side; none where the byte there is not known.
    pub(super) fn from(&self, place: u64) -> &[u8] {
        let at = self.pieces.partition_point(|piece| piece.offset <= place).checked_sub(1);
        match at.and_then(|at| self.pieces.get(at)) {
            Some(Piece { offset, kind: PieceKind::Bytes { start, end } }) => {
                let skipped = usize::try_from(place - offset).unwrap_or(usize::MAX);
                self.bytes.get(start.saturating_add(skipped)..*end).unwrap_or_default()
            }
            _ => &[],
        }
    }
}

impl Read {
    fn new(mut carriers: Vec<Carrier>, left_out: u64) -> Self {
        for carrier in &mut carriers {
            carrier.file = carrier.file.as_deref().map(|name| display_str(name).into());
        }
        // From the first packet's on, in either direction: sequence numbers go round.
        let first = carriers.iter().find_map(|carrier| carrier.payload.as_ref()).map_or(0, |payload| payload.seq);
        let begin = |carrier: &Carrier| {
            let payload = carrier.payload.as_ref();
            payload.map(|payload| i64::from(payload.seq.wrapping_sub(first).cast_signed()))
        };
        let least = carriers.iter().filter_map(begin).min().unwrap_or(0);
        let place = |carrier: &Carrier| {
            let start = begin(carrier).map_or(0, |begin| begin.abs_diff(least));
            start..start + carrier.payload.as_ref().map_or(0, |payload| payload.bytes.len() as u64)
        };
        let places: Vec<_> = carriers.iter().map(place).collect();
        let mut payloads: Vec<_> = places
            .iter()
            .zip(&carriers)
            .filter_map(|(place, carrier)| Some((place.clone(), carrier.payload.as_ref()?.bytes.as_slice())))
            .collect();
        let stream = Stream::new(&mut payloads);
        Self { carriers, left_out, places, stream, found: None }
    }

    /// Where in the stream a field lies: what a packet brings of the frame, or the bytes of the frame.
    fn in_stream(&self, field: &Field) -> Option<Range<u64>> {
        let found = self.found.as_ref().map(|(start, trace)| (start, trace, *start..start + trace.len));
        if let Some(at) = field.packet {
            let place = self.places.get(at)?;
            return Some(found.map_or(place.clone(), |(.., all)| meet(place, &all)));
        }
        let (start, trace, all) = found?;
        let span = field.span.as_ref()?;
        match trace.frame {
            Some(frame) => {
                let begin = start.saturating_add(frame);
                Some(meet(&(begin.saturating_add(span.start)..begin.saturating_add(span.end)), &all))
            }
            // What is encrypted has no fields.
            None => (field.depth == 0).then_some(all),
        }
    }

    /// A stretch of the stream as bytes of a packet.
    fn in_packet(&self, at: usize, stretch: &Range<u64>) -> Option<Range<u64>> {
        let (carrier, place) = (self.carriers.get(at)?, self.places.get(at)?);
        let begin = carrier.payload.as_ref()?.at? as u64;
        let met = meet(place, stretch);
        (!met.is_empty()).then(|| begin + met.start - place.start..begin + met.end - place.start)
    }

    /// The packet that brings a byte of the stream.
    fn bringing(&self, place: u64) -> Option<usize> {
        self.places.iter().position(|range| range.contains(&place))
    }

    /// `packet 17 byte 80`, and its offset in the file.
    fn words(&self, at: usize, byte: u64) -> Vec<String> {
        let Some(carrier) = self.carriers.get(at) else { return Vec::new() };
        vec![format!("packet {} byte {byte}", carrier.number), carrier.offset_words(byte, true)]
    }

    /// The byte of the frame in that place of the stream.
    fn frame_byte(&self, place: u64) -> Option<u64> {
        let (start, trace) = self.found.as_ref()?;
        place.checked_sub(start.saturating_add(trace.frame?)).filter(|_| place < start.saturating_add(trace.len))
    }
}

impl Carrier {
    /// Where a byte of it lies: `file offset 0x1f4a`.
    fn offset_words(&self, byte: u64, is_hex: bool) -> String {
        let offset = self.offset.saturating_add(byte);
        let offset = if is_hex { format!("0x{offset:x}") } else { number(offset) };
        match self.packed {
            None => format!("file offset {offset}"),
            Some(packed) => format!("offset {offset} in what {packed} unpacks to"),
        }
    }

    fn wire(&self) -> Wire {
        let (known, captured) = (self.bytes.len(), self.captured as u64);
        let mut pieces = vec![Piece { offset: 0, kind: PieceKind::Bytes { start: 0, end: known } }];
        let mut hole = |offset, kind: PieceKind| {
            if kind.missing() > 0 {
                pieces.push(Piece { offset, kind });
            }
        };
        hole(known as u64, PieceKind::NotKept(captured.saturating_sub(known as u64)));
        hole(captured, PieceKind::Lost(Some((self.orig_len as u64).saturating_sub(captured))));
        wire::of(Arc::new(self.bytes.clone()), &pieces)
    }
}

/// What two ranges have in common.
fn meet(one: &Range<u64>, other: &Range<u64>) -> Range<u64> {
    one.start.max(other.start)..one.end.min(other.end)
}

impl Packets {
    fn read(&self) -> Option<&Read> {
        if let State::Read(read) = &self.state { Some(read) } else { None }
    }

    /// Forgets what is of another frame than this.
    pub(super) fn turn_to(&mut self, of: (MessageId, usize)) {
        if self.of != Some(of) {
            let is_dropped = self.is_dropped || matches!(self.state, State::Asked(..));
            *self = Self { of: Some(of), is_dropped, ..Self::default() };
        }
    }

    /// Whether something came since this was asked last.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.is_news)
    }

    /// Takes what was told of the packets that were asked for.
    fn take(&mut self, carried: Carried) {
        let State::Asked(_, reader) = &mut self.state else { return };
        match carried {
            Carried::At(packet) => *reader = Some(packet),
            Carried::Read(carriers, left_out) => self.state = State::Read(Box::new(Read::new(carriers, left_out))),
            Carried::Refused(why) => self.state = State::Refused(display_str(&why).into_owned()),
        }
        self.is_news = !matches!(self.state, State::Asked(..));
    }

    /// Looks for the frame in what was read: for its trace, which ends in that packet.
    pub(super) fn find(&mut self, last: PacketNo, trace: impl FnOnce() -> Option<(Trace, Which)>) {
        let State::Read(read) = &mut self.state else { return };
        if read.found.is_some() {
            return;
        }
        let Some((trace, which)) = trace() else { return };
        let ends: Vec<_> =
            read.carriers.iter().zip(&read.places).filter(|(c, _)| c.number == last).map(|(_, p)| p.clone()).collect();
        read.found = trace.find(&read.stream, &ends, which).map(|start| (start, trace));
        let Some(all) = read.found.as_ref().map(|(start, trace)| *start..start + trace.len) else { return };
        // Packets before those of the frame were read because its record may begin in them.
        let brings = |place: &Range<u64>| !meet(place, &all).is_empty();
        if let Some(before @ 1..) = read.places.iter().position(brings) {
            let found = read.found.take();
            let base = read.places.get(before..).unwrap_or_default().iter().map(|place| place.start).min().unwrap_or(0);
            **read = Read::new(read.carriers.split_off(before), read.left_out);
            read.found = found.and_then(|(start, trace)| Some((start.checked_sub(base)?, trace)));
        }
    }

    /// What is to be said of the packets of a frame, one by one; nothing where they were not read.
    pub(super) fn lines(&self) -> Vec<String> {
        let Some(read) = self.read() else { return Vec::new() };
        let line = |at: usize, carrier: &Carrier| {
            let mut words = vec![carrier.number.to_string(), count(carrier.orig_len as u64, "byte")];
            words.extend(carrier.file.as_ref().map(|name| format!("in {name}")));
            let stretch = read.found.as_ref().map(|(start, trace)| *start..start + trace.len);
            let bytes = stretch.and_then(|stretch| read.in_packet(at, &stretch));
            words.extend(bytes.map(|bytes| format!("bytes {}…{}", number(bytes.start), number(bytes.end - 1))));
            words.push(carrier.offset_words(0, false));
            words.join(" · ")
        };
        read.carriers.iter().enumerate().map(|(at, carrier)| line(at, carrier)).collect()
    }

    /// Chooses the packet that is shown: that of a field, or the one that brings a byte of the frame; true when it is another one.
    pub(super) fn show(&mut self, field: Option<&Field>, byte: Option<u64>) -> bool {
        let Some(read) = self.read() else { return false };
        let begin = read.found.as_ref().and_then(|(start, trace)| start.checked_add(trace.frame?));
        let byte = byte.zip(begin).map(|(byte, begin)| begin.saturating_add(byte));
        let place = byte.or_else(|| Some(read.in_stream(field?)?.start));
        let at = field.and_then(|field| field.packet).or_else(|| read.bringing(place?)).unwrap_or(0);
        std::mem::replace(&mut self.shown, at) != at
    }

    /// Where a byte of the frame stands among those that a source shows.
    pub(super) fn shown_at(&self, source: Source, byte: u64) -> Option<u64> {
        let read = self.read()?;
        let (start, trace) = read.found.as_ref()?;
        let place = start.saturating_add(trace.frame?).saturating_add(byte);
        match source {
            Source::Packet => Some(read.in_packet(self.shown, &(place..place.saturating_add(1)))?.start),
            _ => Some(place),
        }
    }

    /// The byte of the frame in a place among those that a source shows.
    pub(super) fn frame_byte(&self, source: Source, offset: u64) -> Option<u64> {
        let read = self.read()?;
        read.frame_byte(if source == Source::Packet { self.place_of(offset)? } else { offset })
    }

    /// Where in the stream a byte of the packet that is shown stands.
    fn place_of(&self, byte: u64) -> Option<u64> {
        let read = self.read()?;
        let (carrier, place) = (read.carriers.get(self.shown)?, read.places.get(self.shown)?);
        let at = carrier.payload.as_ref()?.at? as u64;
        Some(place.start.saturating_add(byte.checked_sub(at)?)).filter(|at| place.contains(at))
    }

    /// Where the bytes of a field stand among those that a source shows.
    pub(super) fn span_of(&self, source: Source, field: &Field) -> Option<Range<u64>> {
        let read = self.read()?;
        let stretch = read.in_stream(field)?;
        match source {
            // A packet's line is about that packet alone.
            Source::Packet if field.packet.is_some_and(|at| at != self.shown) => None,
            Source::Packet => read.in_packet(self.shown, &stretch),
            _ => Some(stretch),
        }
    }

    /// The bytes of the packet that is shown, or of all in their order.
    pub(super) fn wire(&self, source: Source) -> Wire {
        match (self.read(), source) {
            (Some(read), Source::Packet) => read.carriers.get(self.shown).map_or_else(Wire::default, Carrier::wire),
            (Some(read), _) => wire::of(Arc::clone(&read.stream.bytes), &read.stream.pieces),
            (None, _) => Wire::default(),
        }
    }

    /// Which packet, which of its bytes and where in the file, of a byte of the frame, where that is known; of a frame whose
    /// bytes are encrypted, where its records begin.
    pub(super) fn way_of(&self, frame_byte: u64) -> Vec<String> {
        let Some((read, (start, trace))) = self.read().and_then(|read| Some((read, read.found.as_ref()?))) else {
            return Vec::new();
        };
        let place = start.saturating_add(trace.frame.map_or(0, |frame| frame.saturating_add(frame_byte)));
        let Some(at) = read.bringing(place) else { return Vec::new() };
        let Some(byte) = read.in_packet(at, &(place..place.saturating_add(1))) else { return Vec::new() };
        let mut words = read.words(at, byte.start);
        if let (None, Some(first)) = (trace.frame, words.first_mut()) {
            first.insert_str(0, "record from ");
        }
        words
    }

    /// The same of a byte among those that a source shows, and what else there is to be said of it.
    pub(super) fn way(&self, source: Source, offset: u64) -> Vec<String> {
        let Some(read) = self.read() else { return Vec::new() };
        if source == Source::Packet {
            let mut words = read.words(self.shown, offset);
            let place = self.place_of(offset).zip(read.places.get(self.shown));
            words.extend(place.map(|(place, of)| format!("TCP payload byte {}", place - of.start)));
            return words;
        }
        let Some(at) = read.bringing(offset) else { return Vec::new() };
        let byte = read.in_packet(at, &(offset..offset.saturating_add(1)));
        match (byte, read.carriers.get(at)) {
            (Some(byte), _) => read.words(at, byte.start),
            (None, Some(carrier)) => vec![format!("packet {} and fragments before it", carrier.number)],
            (None, None) => Vec::new(),
        }
    }

    /// What stands in place of bytes that are not there.
    pub(super) fn instead(&self, source: Source) -> String {
        match &self.state {
            State::Unknown => String::new(),
            State::Asked(wanted, reader) => {
                let what = match wanted.numbers() {
                    (first, last) if first == last => format!("packet {first}"),
                    (first, last) => format!("packets {first}…{last}"),
                };
                let at = reader.map_or_else(String::new, |packet| format!(" at {packet}"));
                format!("reading {what} …{at}")
            }
            State::Read(_) if source == Source::Packet => "the packet is empty".to_owned(),
            State::Read(_) => "no TCP payload was found in these packets".to_owned(),
            State::Refused(why) => why.clone(),
        }
    }

    /// What is below the packet that is shown: its place among all, its length, and what it was captured on.
    pub(super) fn foot(&self) -> Option<String> {
        let read = self.read()?;
        let carrier = read.carriers.get(self.shown)?;
        let mut place = format!("{}/{}", self.shown + 1, read.carriers.len());
        if read.left_out > 0 {
            place.push_str(&format!(", {} left out", number(read.left_out)));
        }
        let len = count(carrier.orig_len as u64, "byte");
        Some(format!("packet {} · {place} · {len} · {}", carrier.number, carrier.link))
    }
}

/// Packets of the same direction before those of a frame in TLS: as many as one record may take (RFC 8446 §5.2) at a usual MTU.
const BEFORE_RECORD: usize = 16;

impl App {
    /// Has the packets of the frame read where they are to be shown, and those of another one no longer.
    pub(super) fn settle_packets(&mut self) {
        if std::mem::take(&mut self.bytes.packets.is_dropped) {
            self.ask(Effect::Packets(None));
        }
        let is_unknown = matches!(self.bytes.packets.state, State::Unknown);
        if !is_unknown || !self.bytes.source().is_captured() {
            return;
        }
        let Some(frame) = Bytes::frame(&self.book, self.bytes.message(), self.bytes.frames.cursor) else { return };
        let is_encrypted = self.connection().is_some_and(|connection| connection.opened.tls.is_some());
        let before = if is_encrypted { BEFORE_RECORD } else { 0 };
        let wanted = Wanted { first: frame.first_packet, last: frame.last, before };
        self.bytes.packets.state = State::Asked(wanted, None);
        self.ask(Effect::Packets(Some(wanted)));
    }

    /// Takes what is told of packets that were asked for. [`App::settle`] must follow.
    pub fn carried(&mut self, carried: Carried) {
        self.bytes.packets.take(carried);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Payloads that overlap, and one behind a hole, in an order in which nobody sent them.
    #[test]
    fn a_stream_has_each_byte_once() {
        let payload = |start: u64, bytes: &'static [u8]| (start..start + bytes.len() as u64, bytes);
        let stream = Stream::new(&mut [payload(9, b"jkl"), payload(2, b"cde"), payload(0, b"abc"), payload(1, b"X")]);
        assert_eq!(*stream.bytes, *b"abcdejkl");
        let kinds: Vec<_> = stream.pieces.iter().map(|piece| (piece.offset, piece.kind)).collect();
        let bytes = |start, end| PieceKind::Bytes { start, end };
        assert_eq!(kinds, [(0, bytes(0, 5)), (5, PieceKind::Elsewhere(4)), (9, bytes(5, 8))]);
        assert_eq!((stream.from(3), stream.from(10)), (&b"de"[..], &b"kl"[..]));
        assert!(stream.from(5).is_empty() && stream.from(12).is_empty() && stream.from(u64::MAX).is_empty());
        assert!(Stream::default().from(0).is_empty());
    }

    /// Sequence numbers begin anew at 2³² (RFC 9293 §3.4).
    #[test]
    fn places_go_on_where_sequence_numbers_begin_anew() {
        let carrier = |seq, bytes: &[u8]| Carrier {
            number: PacketNo(1),
            file: None,
            offset: 0,
            packed: None,
            link: String::new(),
            bytes: bytes.to_vec(),
            captured: bytes.len(),
            orig_len: bytes.len(),
            payload: Some(Payload { seq, at: Some(0), bytes: bytes.to_vec() }),
        };
        let read = Read::new(vec![carrier(1, b"last"), carrier(u32::MAX - 2, b"wrap")], 0);
        assert_eq!(read.places, [4..8, 0..4]);
        assert_eq!(*read.stream.bytes, *b"wraplast");
    }
}
