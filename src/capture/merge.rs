//! Several captures as one timeline.

use super::file::CaptureFile;
use super::part::Part;
use super::source::Record;
use super::{Aside, OpenError, Place};
use crate::model::{Fact, FileNote, FileRun, Limits, Mark, NoteCode, Packet, PacketNo, Timestamp, duration};
use std::collections::VecDeque;
use std::fmt::Display;
use std::mem;
use std::sync::Arc;

/// Captures merged by time. Those that lie one behind the other are open one at a time.
pub(super) struct Merge {
    /// Those not yet opened, by their turn and the time of their first packet.
    coming: VecDeque<Coming>,
    /// Those that have a packet to come.
    open: Vec<Open>,
    /// Which of these is read.
    at: usize,
    /// When another's turn comes: the order of the packet that comes next in all others.
    until: Order,
    /// Bytes of the others that are behind the reader.
    behind: u64,
    /// The last packet.
    last: Mark,
    /// The file of the last packet.
    told: Option<usize>,
    /// Whose turn it is.
    turn: usize,
    /// How many there are.
    all: usize,
    /// Bytes of the captures that ended.
    ended: u64,
    /// Captures that could not be read.
    left_out: usize,
    notes: Vec<FileNote>,
    limits: Limits,
}

/// Comments that are kept of one packet of many captures.
const COMMENTS: usize = 64;

/// The time of a packet, and the place of its capture among all; what has no time comes first, since it has no place.
type Order = (Option<Timestamp>, usize);

/// Behind every packet.
const LAST: Order = (Some(Timestamp::from_nanos(i64::MAX)), usize::MAX);

struct Coming {
    part: Part,
    /// Its place among all, as they were named.
    place: usize,
    /// Which turn is its own: those of one are merged by time, those of the next are read behind them.
    turn: usize,
    first: Option<Timestamp>,
}

impl Coming {
    const fn order(&self) -> Order {
        (self.first, self.place)
    }
}

struct Open {
    file: CaptureFile,
    name: Arc<str>,
    place: usize,
    /// The packet that comes next, unless it was lent.
    record: Record,
    is_lent: bool,
    /// The number of the last one in the file, and in the timeline.
    number: u64,
    packet: PacketNo,
    /// What it told that goes with the packet that comes next.
    next: Next,
}

/// What goes with a packet, and is told when that has its number.
#[derive(Default)]
struct Next {
    interface: Option<Arc<str>>,
    comments: Vec<Vec<u8>>,
    /// There is something to be told.
    is_news: bool,
}

impl Next {
    /// Who hears a capture at this place among all, and tells it on.
    fn hear(&mut self, place: usize, aside: &mut dyn FnMut(Aside<'_>)) -> impl FnMut(Aside<'_>) {
        move |told| match told {
            Aside::Fact(_, Fact::Comment(Some(_), text)) => {
                if self.comments.len() < COMMENTS {
                    self.comments.push(text.to_vec());
                }
                self.is_news = true;
            }
            Aside::Fact(_, fact) => aside(Aside::Fact(place, fact)),
            Aside::Interface(name) => (self.interface, self.is_news) = (name, true),
            told => aside(told),
        }
    }

    /// Tells it, now that the packet has its number.
    #[cold]
    fn tell(&mut self, place: usize, packet: PacketNo, aside: &mut dyn FnMut(Aside<'_>)) {
        self.is_news = false;
        aside(Aside::Interface(self.interface.clone()));
        for text in self.comments.drain(..) {
            aside(Aside::Fact(place, Fact::Comment(Some(packet), &text)));
        }
    }
}

impl Open {
    const fn order(&self) -> Order {
        (self.record.time, self.place)
    }
}

impl Merge {
    /// Looks at each capture for its first time. At each of these `places` another turn begins.
    ///
    /// # Errors
    /// When none of them can be read: the name of the first, and why.
    pub(super) fn new(parts: Vec<Part>, places: &[usize], limits: &Limits) -> Result<Self, (String, OpenError)> {
        let (mut coming, mut notes, mut refused, mut lost) = (Vec::new(), Vec::new(), None, 0);
        for (place, mut part) in parts.into_iter().enumerate() {
            match part.first_time() {
                Ok(first) => {
                    let turn = places.iter().filter(|&&begins| begins <= place).count();
                    coming.push(Coming { part, place, turn, first });
                }
                Err(error) => {
                    lost += 1;
                    notes.push(left_out(&part.name, NoteCode::FileDamaged, &error, Mark::default()));
                    refused.get_or_insert((part.name, error));
                }
            }
        }
        if let (true, Some(refused)) = (coming.is_empty(), refused) {
            return Err(refused);
        }
        coming.sort_by_key(|coming| (coming.turn, coming.order()));
        let (all, coming, limits) = (coming.len(), coming.into(), *limits);
        Ok(Self {
            coming,
            open: Vec::new(),
            at: 0,
            until: LAST,
            behind: 0,
            last: Mark::default(),
            told: None,
            turn: 0,
            all,
            ended: 0,
            left_out: lost,
            notes,
            limits,
        })
    }

    /// The next packet. Mostly it is of the capture that lent the last one: then nothing else is looked at.
    #[inline]
    pub(super) fn next(&mut self, aside: &mut dyn FnMut(Aside<'_>)) -> Option<Packet<'_>> {
        if let Some(open) = self.open.get_mut(self.at).filter(|open| open.is_lent) {
            let ready = open.file.ready();
            match ready.or_else(|| open.file.advance(&mut open.next.hear(open.place, aside))) {
                // It goes on in registers: in memory it would be written in pieces and read back whole, and waited for.
                Some(record) if (record.time, open.place) < self.until => return self.lend(record, aside),
                Some(record) => (open.record, open.is_lent) = (record, false),
                None => {
                    let Open { mut file, name, packet, .. } = self.open.swap_remove(self.at);
                    self.end(&mut file, &name, packet);
                }
            }
        }
        let record = self.choose(aside)?;
        self.lend(record, aside)
    }

    /// The earliest packet, when the captures whose time has come are opened.
    #[cold]
    fn choose(&mut self, aside: &mut dyn FnMut(Aside<'_>)) -> Option<Record> {
        let (at, record) = loop {
            let first = self.open.iter().enumerate().min_by_key(|(_, open)| open.order());
            match (first, self.next_of_turn()) {
                (Some((_, open)), Some(coming)) if coming.order() < open.order() => self.begin(aside),
                (Some((at, open)), _) => break (at, open.record),
                (None, Some(_)) => self.begin(aside),
                (None, None) => return None,
            }
        };
        let others = || self.open.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, open)| open);
        let coming = self.next_of_turn().map(Coming::order);
        self.until = others().map(Open::order).chain(coming).min().unwrap_or(LAST);
        self.behind = self.ended + others().map(|open| open.file.position()).sum::<u64>();
        self.at = at;
        Some(record)
    }

    /// The capture that is opened next, if it must not wait for those before it to end.
    fn next_of_turn(&self) -> Option<&Coming> {
        self.coming.front().filter(|coming| coming.turn == self.turn || self.open.is_empty())
    }

    /// Opens the capture whose time has come.
    #[cold]
    fn begin(&mut self, aside: &mut dyn FnMut(Aside<'_>)) {
        let Some(Coming { part, place, turn, first }) = self.coming.pop_front() else { return };
        let name: Arc<str> = part.name.as_str().into();
        if mem::replace(&mut self.turn, turn) != turn
            && let Some(back) = first.zip(self.last.time).map(|(first, last)| last.since(first))
        {
            let text = format!(
                "{name}: its clock is {} behind; TCP streams go on in it, so it is read as named",
                duration(back)
            );
            self.notes.push(FileNote { code: NoteCode::FileTime, at: self.last, text });
        }
        let most = self.limits.open_captures;
        if self.open.len() >= most {
            self.left_out += 1;
            let why = format!("more than {most} captures overlap in time (limit open-captures)");
            return self.notes.push(left_out(&name, NoteCode::FileLimit, &why, self.last));
        }
        let mut file = match part.open(&self.limits) {
            Ok(file) => file,
            Err(error) => {
                self.left_out += 1;
                return self.notes.push(left_out(&name, NoteCode::FileDamaged, &error, self.last));
            }
        };
        aside(Aside::Fact(place, Fact::File(&name)));
        let mut next = Next::default();
        let record = file.advance(&mut next.hear(place, aside));
        match record {
            Some(record) => {
                let packet = self.last.packet;
                self.open.push(Open { file, name, place, record, is_lent: false, number: 0, packet, next });
            }
            None => self.end(&mut file, &name, self.last.packet),
        }
    }

    #[cold]
    fn end(&mut self, file: &mut CaptureFile, name: &str, last: PacketNo) {
        self.ended += file.position();
        self.notes.extend(file.take_notes().into_iter().map(|note| named(last, note, name)));
    }

    #[inline]
    fn lend(&mut self, record: Record, aside: &mut dyn FnMut(Aside<'_>)) -> Option<Packet<'_>> {
        let open = self.open.get_mut(self.at)?;
        // Packets that Wireshark counts and that are not handed on are counted here, too.
        let (number, before, last) = (open.file.next_number(), open.number, open.packet);
        let packet = PacketNo(self.last.packet.0 + (number - before));
        (open.number, open.packet, open.is_lent) = (number, packet, true);
        self.last = Mark { packet, time: record.time };
        if open.file.has_notes() {
            let at = |note: &FileNote| if note.at.packet.0 > before { packet } else { last };
            self.notes.extend(open.file.take_notes().into_iter().map(|note| named(at(&note), note, &open.name)));
        }
        if self.told != Some(open.place) {
            self.told = Some(open.place);
            let (name, begun) = (Arc::clone(&open.name), (self.all - self.coming.len(), self.all));
            aside(Aside::File(FileRun { name, packet, number, begun }));
            open.next.is_news = true;
        }
        if open.next.is_news {
            open.next.tell(open.place, packet, aside);
        }
        Some(open.file.lend_as(record, packet))
    }

    /// Bytes of all captures that are behind the reader.
    pub(super) fn position(&self) -> u64 {
        match self.open.get(self.at) {
            Some(open) => self.behind + open.file.position(),
            None => self.ended,
        }
    }

    /// Where the packet lies that was lent last.
    pub(super) fn place(&self) -> Place {
        self.open.get(self.at).map_or_else(Place::default, |open| open.file.place())
    }

    pub(super) const fn left_out(&self) -> usize {
        self.left_out
    }

    pub(super) fn take_notes(&mut self) -> Vec<FileNote> {
        mem::take(&mut self.notes)
    }
}

/// The finding as one of the timeline.
fn named(packet: PacketNo, note: FileNote, name: &str) -> FileNote {
    FileNote { at: Mark { packet, ..note.at }, text: format!("{name}: {}", note.text), ..note }
}

fn left_out(name: &str, code: NoteCode, why: &dyn Display, at: Mark) -> FileNote {
    FileNote { code, at, text: format!("{name} is left out: {why}") }
}
